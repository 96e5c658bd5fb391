//! Mean reciprocal rank: how early the first relevant row comes.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::RankingTarget;
use stagewise_core::task::Ranking;

use super::lists::{self, Tie};

/// `1 / place` of the first relevant row, the mean over groups; a row is relevant if its grade is above 0. 0 if none comes
/// in the places that count.
///
/// Range 0 to 1, higher is better. Rows of equal scores count as the mean of all their orders. A group without a relevant
/// row is left out. A group weighs the mean of its rows' weights. `O(n log n)`.
///
/// # Errors
/// No group with a relevant row.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::RankingTarget;
/// use stagewise_eval::MeanReciprocalRank;
///
/// let truth = RankingTarget::new([0.0, 1.0, 1.0], [0, 0, 1])?;
/// assert_eq!(MeanReciprocalRank::new().score(&truth, &array![0.9, 0.5, 0.1], None)?, 0.75);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Voorhees (1999). Checked against the mean over all orders of lists with ties, relative tolerance 1e-12.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeanReciprocalRank {
    at: Option<usize>,
}

impl MeanReciprocalRank {
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

impl Persist for MeanReciprocalRank {
    const TAG: &'static str = "MeanReciprocalRank";
}

impl Metric<Ranking> for MeanReciprocalRank {
    fn name(&self) -> String {
        lists::name("mean_reciprocal_rank", self.at)
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
    let Some(tie) = ties.iter().find(|tie| tie.relevant > 0) else { return 0.0 };
    let irrelevant = tie.rows - tie.relevant;
    // The chance that so many rows of the tie stand before its first relevant one.
    let mut chance = tie.relevant as f64 / tie.rows as f64;
    let mut sum = 0.0;
    for place in 0..=irrelevant {
        if tie.before + place >= at {
            break;
        }
        sum += chance / (tie.before + place + 1) as f64;
        if place < irrelevant {
            chance *= (irrelevant - place) as f64 / (tie.rows - 1 - place) as f64;
        }
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conformance() {
        lists::tests::conforms(&MeanReciprocalRank::new());
        lists::tests::conforms(&MeanReciprocalRank::new().at(2));
        assert_eq!(MeanReciprocalRank::new().at(5).name(), "mean_reciprocal_rank_at_5");
    }
}
