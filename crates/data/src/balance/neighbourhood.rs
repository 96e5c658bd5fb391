//! Cleans the neighbourhood of the smallest class.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Sampler;

use super::classes::{ByClass, Classes, kept};
use super::edited::{NeighbourVote, judged};
use super::space::Space;

/// The neighbourhood cleaning rule: drops rows outside the smallest class that most of their `k` nearest rows contradict,
/// and the `k` nearest rows of those rows of the smallest class that are themselves outvoted.
///
/// A row of the smallest class is outvoted if most of `k` rows are of another class, itself and its `k − 1` nearest
/// others; its own vote counts, as in imbalanced-learn. The second part takes rows only from classes that have more than
/// `threshold` times the rows of the smallest. Distances, ties, order, weights and missing values as in
/// [`TomekLinks`](super::TomekLinks). Nothing is random. `O(n² d)` at worst.
///
/// Checked against imbalanced-learn 0.14.2 `NeighbourhoodCleaningRule`: the rows that stay, exactly. Laurikkala (2001).
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::NeighbourhoodCleaning;
///
/// let data = stagewise_testkit::data::binary_numeric(100, 1);
/// let clean = NeighbourhoodCleaning::new().resample(data, &FitContext::new(7))?;
/// assert!(clean.rows() < 100);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NeighbourhoodCleaning {
    neighbours: usize,
    threshold: f64,
    standardise: bool,
}

impl Default for NeighbourhoodCleaning {
    fn default() -> Self {
        Self { neighbours: 3, threshold: 0.5, standardise: true }
    }
}

impl NeighbourhoodCleaning {
    /// Judges by 3 neighbours.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many rows judge, and how many around an outvoted row go: at least 1. Default: 3.
    #[must_use]
    pub fn neighbours(mut self, neighbours: usize) -> Self {
        self.neighbours = neighbours;
        self
    }

    /// How large a class must be beside the smallest for the second part to take rows from it: above 0. Default: 0.5, so
    /// that no class is spared.
    #[must_use]
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Whether numbers are measured in standard deviations. Default: true.
    #[must_use]
    pub fn standardise(mut self, standardise: bool) -> Self {
        self.standardise = standardise;
        self
    }
}

impl Persist for NeighbourhoodCleaning {
    const TAG: &'static str = "NeighbourhoodCleaning";
}

impl<T: Classes> Sampler<T> for NeighbourhoodCleaning {
    /// # Errors
    /// [`ParameterError`] for 0 neighbours or a threshold out of range, and as [`TomekLinks`](super::TomekLinks).
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        ParameterError::check(self.neighbours > 0, "neighbours", self.neighbours, "at least 1")?;
        let valid = self.threshold > 0.0 && self.threshold.is_finite();
        ParameterError::check(valid, "threshold", self.threshold, "above 0 and finite")?;
        let classes = ByClass::new(&train);
        let Some(smallest) = classes.smallest() else { return Ok(train) };
        let points = Space::new(Self::TAG, train.features(), self.standardise)?.all_points(train.rows());
        let cleaned = classes.cleaned(false);
        let mut keep = cx.install(|| judged(&points, &classes, &cleaned, self.neighbours, NeighbourVote::Most));
        let least = self.threshold * classes.count(smallest) as f64;
        let own = &classes.rows[smallest];
        let near = cx.install(|| points.nearest_of(own, self.neighbours));
        for (i, &row) in own.iter().enumerate() {
            let voters = std::iter::once(row).chain(near.of(i).iter().copied()).take(self.neighbours);
            if classes.vote(voters) == Some(smallest) {
                continue;
            }
            for &other in near.of(i) {
                let class = classes.of[other];
                if cleaned[class] && classes.count(class) as f64 > least {
                    keep[other] = false;
                }
            }
        }
        kept(Self::TAG, &train, &classes, &keep, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn it_keeps_its_promises() {
        conformance::sampler(&NeighbourhoodCleaning::new(), &data::binary(90, 1));
        conformance::sampler(&NeighbourhoodCleaning::new().neighbours(5), &data::multiclass(90, 2));
        let data = data::binary(20, 1);
        for wrong in [0.0, f64::NAN, f64::INFINITY] {
            let sampler = NeighbourhoodCleaning::new().threshold(wrong);
            assert!(sampler.resample(data.clone(), &FitContext::new(0)).is_err());
        }
    }
}
