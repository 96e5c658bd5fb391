//! Mean average precision: how pure the list is at each relevant row.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::RankingTarget;
use stagewise_core::task::Ranking;

use super::lists::{self, Tie};

/// `Σ precisionᵢ / min(R, k)` over the places `i ≤ k` of relevant rows, the mean over groups; a row is relevant if its grade
/// is above 0, a group has `R` of them, and the precision in a place is the share of relevant rows up to it.
///
/// Range 0 to 1, higher is better. Rows of equal scores count as the mean of all their orders. A group without a relevant
/// row is left out (LightGBM counts 1 for it). A group weighs the mean of its rows' weights. `O(n log n)`.
///
/// # Errors
/// No group with a relevant row.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::RankingTarget;
/// use stagewise_eval::MeanAveragePrecision;
///
/// // Relevant rows come first and third: precisions 1 and 2/3.
/// let truth = RankingTarget::new([1.0, 0.0, 2.0], [0, 0, 0])?;
/// let score = MeanAveragePrecision::new().score(&truth, &array![0.9, 0.5, 0.1], None)?;
/// assert!((score - 5.0 / 6.0).abs() < 1e-15);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against LightGBM 4.7 and, of all places, scikit-learn 1.9.1 `label_ranking_average_precision_score` without
/// ties; with ties against the mean over all orders; relative tolerance 1e-12, LightGBM 1e-6.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeanAveragePrecision {
    at: Option<usize>,
}

impl MeanAveragePrecision {
    /// Of all places.
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
}

impl Persist for MeanAveragePrecision {
    const TAG: &'static str = "MeanAveragePrecision";
}

impl Metric<Ranking> for MeanAveragePrecision {
    fn name(&self) -> String {
        lists::name("mean_average_precision", self.at)
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &RankingTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        let at = lists::places(self.at)?;
        lists::mean(&self.name(), truth, output, weights, |scores, grades| of(&lists::ties(scores, grades), at))
    }
}

fn of(ties: &[Tie], at: usize) -> f64 {
    let (mut found, mut sum) = (0, 0.0);
    for tie in ties {
        let (rows, relevant) = (tie.rows as f64, tie.relevant as f64);
        // A row of the tie is relevant by this chance; of those before it in the tie, one that is leaves one less.
        for place in 0..tie.rows.min(at.saturating_sub(tie.before)) {
            let earlier = if place == 0 { 0.0 } else { place as f64 * (relevant - 1.0) / (rows - 1.0) };
            sum += relevant / rows * (found as f64 + 1.0 + earlier) / (tie.before + place + 1) as f64;
        }
        found += tie.relevant;
    }
    (sum / found.min(at) as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conformance() {
        lists::tests::conforms(&MeanAveragePrecision::new());
        lists::tests::conforms(&MeanAveragePrecision::new().at(2));
        assert_eq!(MeanAveragePrecision::new().at(5).name(), "mean_average_precision_at_5");
    }
}
