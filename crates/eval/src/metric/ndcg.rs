//! Normalised discounted cumulative gain: how much of the best possible order's worth an order has.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::RankingTarget;
use stagewise_core::task::Ranking;
use stagewise_numeric::gain::{dcg, ideal_dcg};

use super::lists;
use super::rows::undefined;

/// The largest grade that a gain doubles up to, as in LightGBM.
const LARGEST: f64 = 30.0;

/// What a row of grade `r` is worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gain {
    /// `2^r − 1`, for grades up to 30: as LightGBM.
    #[default]
    Exponential,
    /// `r`: as scikit-learn.
    Linear,
}

/// `DCG / DCG of the best order`, the mean over groups; `DCG = Σ gainᵢ / log₂(i + 1)` over the first places `i = 1, 2, …`.
///
/// Range 0 to 1, higher is better. Rows of equal scores count as the mean of all their orders. A group without a row of a
/// grade above 0 is left out (scikit-learn counts 0 for it, LightGBM 1). A group weighs the mean of its rows' weights.
/// `O(n log n)`.
///
/// # Errors
/// No group with a grade above 0, grades above 30 with an exponential gain, gains too large to be summed.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::RankingTarget;
/// use stagewise_eval::{Gain, Ndcg};
///
/// // The row of grade 1 stands second of two: 1 / log₂ 3 of what it could have.
/// let truth = RankingTarget::new([1.0, 0.0, 2.0], [0, 0, 1])?;
/// let score = Ndcg::new().score(&truth, &array![0.2, 0.8, 0.5], None)?;
/// assert_eq!(score, (1.0 / 3.0_f64.log2() + 1.0) / 2.0);
/// assert_eq!(Ndcg::new().at(1).gain(Gain::Linear).score(&truth, &array![0.2, 0.8, 0.5], None)?, 0.5);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Järvelin & Kekäläinen (2002). Checked against scikit-learn 1.9.1 `ndcg_score` with ties, and LightGBM 4.7 without,
/// relative tolerance 1e-12 and 1e-6.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ndcg {
    at: Option<usize>,
    gain: Gain,
}

impl Ndcg {
    /// Of all places, with an exponential gain.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many places count. At least 1; default all.
    #[must_use]
    pub fn at(mut self, places: usize) -> Self {
        self.at = Some(places);
        self
    }

    /// What a grade is worth. Default [`Gain::Exponential`].
    #[must_use]
    pub fn gain(mut self, gain: Gain) -> Self {
        self.gain = gain;
        self
    }
}

impl Persist for Ndcg {
    const TAG: &'static str = "Ndcg";
}

impl Metric<Ranking> for Ndcg {
    fn name(&self) -> String {
        let base = match self.gain {
            Gain::Exponential => "ndcg",
            Gain::Linear => "linear_ndcg",
        };
        lists::name(base, self.at)
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &RankingTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        let at = lists::places(self.at)?;
        let gain = |grade: &f64| match self.gain {
            Gain::Exponential => grade.exp2() - 1.0,
            Gain::Linear => *grade,
        };
        if self.gain == Gain::Exponential
            && let Some(grade) = truth.grades().iter().find(|&&grade| grade > LARGEST)
        {
            let why = format!("a grade is {grade}, and a gain doubles up to {LARGEST}; use Gain::Linear");
            return Err(undefined(&self.name(), why));
        }
        lists::mean(&self.name(), truth, output, weights, |scores, grades| {
            let gains: Vec<f64> = grades.iter().map(gain).collect();
            let share = dcg(scores, &gains, at) / ideal_dcg(&gains, at);
            // The mean of a tie may be above its parts by a rounding; a share that is no number is not made one.
            if share > 1.0 { 1.0 } else { share }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conformance() {
        for gain in [Gain::Exponential, Gain::Linear] {
            lists::tests::conforms(&Ndcg::new().gain(gain));
            lists::tests::conforms(&Ndcg::new().gain(gain).at(2));
        }
        assert_eq!(Ndcg::new().gain(Gain::Linear).at(5).name(), "linear_ndcg_at_5");
    }

    #[test]
    fn large_grades_and_no_places_are_refused() {
        let truth = RankingTarget::new([31.0, 0.0], [0, 0]).unwrap();
        let output = ndarray::arr1(&[1.0, 0.0]);
        let error = Ndcg::new().score(&truth, &output, None).unwrap_err().to_string();
        assert!(error.starts_with("ndcg is not defined: a grade is 31"), "{error}");
        assert_eq!(Ndcg::new().gain(Gain::Linear).score(&truth, &output, None).unwrap(), 1.0);
        let error = Ndcg::new().at(0).score(&truth, &output, None).unwrap_err().to_string();
        assert_eq!(error, "`at` is 0, allowed is at least 1");
        let huge = RankingTarget::new([f64::MAX, f64::MAX], [0, 0]).unwrap();
        assert!(Ndcg::new().gain(Gain::Linear).score(&huge, &output, None).is_err());
    }
}
