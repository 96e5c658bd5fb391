//! Rows of large classes chosen by how near they are to the smallest one.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Sampler;
use stagewise_numeric::neighbours::{Neighbours, Points};
use stagewise_numeric::rank::{order, order_descending};

use super::classes::{ByClass, Classes, kept};
use super::ratio::{Ratios, ratio_setters};
use super::space::Space;

/// Which rows are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NearMissVersion {
    /// Those with the least mean distance from their `k` nearest rows of the smallest class.
    #[default]
    Nearest,
    /// Those with the least mean distance from their `k` farthest rows of the smallest class.
    Farthest,
    /// Of the rows that are among the `candidates` nearest of some row of the smallest class, those with the greatest mean
    /// distance from their `k` nearest rows of it.
    Around,
}

/// Keeps those rows of large classes that are near the smallest class, until each has at most `⌊n / ratio⌋` rows, `n` being
/// those of the smallest class. Which ones: see [`NearMissVersion`], published as NearMiss-1, 2 and 3.
///
/// Of equally near rows the first are kept. [`NearMissVersion::Around`] may find fewer candidates than rows are wanted; it then
/// keeps these, with a warning. Distances, order, weights and missing values as in [`TomekLinks`](super::TomekLinks).
/// Nothing is random. `O(m n d)` at worst, with `m` rows of the smallest class.
///
/// Checked against imbalanced-learn 0.14.2 `NearMiss`: the rows that stay, exactly. Mani & Zhang (2003).
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::NearMiss;
///
/// let data = stagewise_testkit::data::binary(100, 1);
/// let events = data.target().events().iter().filter(|event| **event).count();
/// let even = NearMiss::new().resample(data, &FitContext::new(7))?;
/// assert_eq!(even.rows(), 2 * events.min(100 - events));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NearMiss {
    version: NearMissVersion,
    neighbours: usize,
    candidates: usize,
    standardise: bool,
    ratios: Ratios,
}

impl Default for NearMiss {
    fn default() -> Self {
        let version = NearMissVersion::Nearest;
        Self { version, neighbours: 3, candidates: 3, standardise: true, ratios: Ratios::default() }
    }
}

impl NearMiss {
    /// All classes to as few rows as the smallest, by their 3 nearest of it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which rows are kept. Default: [`NearMissVersion::Nearest`].
    #[must_use]
    pub fn version(mut self, version: NearMissVersion) -> Self {
        self.version = version;
        self
    }

    /// How many rows of the smallest class the mean distance is taken over: at least 1. Default: 3. All of them if it has
    /// fewer.
    #[must_use]
    pub fn neighbours(mut self, neighbours: usize) -> Self {
        self.neighbours = neighbours;
        self
    }

    /// How many rows near each row of the smallest class [`NearMissVersion::Around`] chooses from: at least 1. Default: 3.
    #[must_use]
    pub fn candidates(mut self, candidates: usize) -> Self {
        self.candidates = candidates;
        self
    }

    /// Whether numbers are measured in standard deviations. Default: true.
    #[must_use]
    pub fn standardise(mut self, standardise: bool) -> Self {
        self.standardise = standardise;
        self
    }

    ratio_setters!("rows of the smallest class for each row of the class");

    /// Which of the points of a class stay, at most `quota`.
    fn chosen(&self, class: &Points, small: &Points, quota: usize) -> Vec<usize> {
        let total = |near: &Neighbours, i: usize| near.squared(i).iter().map(|squared| squared.sqrt()).sum::<f64>();
        let (near, descending) = match self.version {
            NearMissVersion::Nearest => (small.nearest_to(class, self.neighbours), false),
            NearMissVersion::Farthest => (small.farthest_to(class, self.neighbours), false),
            NearMissVersion::Around => (small.nearest_to(class, self.neighbours), true),
        };
        let pool: Vec<usize> = match self.version {
            NearMissVersion::Around => {
                let around = class.nearest_to(small, self.candidates);
                let mut found = vec![false; class.len()];
                (0..small.len()).for_each(|i| around.of(i).iter().for_each(|&row| found[row] = true));
                (0..class.len()).filter(|&row| found[row]).collect()
            }
            _ => (0..class.len()).collect(),
        };
        let distances: Vec<f64> = pool.iter().map(|&i| total(&near, i)).collect();
        let order = if descending { order_descending(&distances) } else { order(&distances) };
        order.into_iter().take(quota).map(|place| pool[place]).collect()
    }
}

impl Persist for NearMiss {
    const TAG: &'static str = "NearMiss";
}

impl<T: Classes> Sampler<T> for NearMiss {
    /// # Errors
    /// [`ParameterError`] for 0 neighbours or candidates or a ratio out of range,
    /// [`DataError::UnknownLevel`](stagewise_core::error::DataError) for a class that is not there, and as
    /// [`TomekLinks`](super::TomekLinks).
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        ParameterError::check(self.neighbours > 0, "neighbours", self.neighbours, "at least 1")?;
        ParameterError::check(self.candidates > 0, "candidates", self.candidates, "at least 1")?;
        let classes = ByClass::new(&train);
        let quotas = self.ratios.quotas(&classes)?;
        let Some(smallest) = classes.smallest() else { return Ok(train) };
        let space = Space::new(Self::TAG, train.features(), self.standardise)?;
        let apart = space.apart(&(0..train.rows()).collect::<Vec<_>>());
        let small = space.points(&classes.rows[smallest], apart);
        let mut keep = vec![false; train.rows()];
        for (class, quota) in quotas.into_iter().enumerate() {
            cx.check()?;
            let own = &classes.rows[class];
            if quota >= own.len() {
                own.iter().for_each(|&row| keep[row] = true);
                continue;
            }
            let chosen = cx.install(|| self.chosen(&space.points(own, apart), &small, quota));
            if chosen.len() < quota {
                let name = &classes.names[class];
                cx.warn(format!(
                    "only {} rows of the class `{name}` are near the smallest, {quota} wanted",
                    chosen.len()
                ));
            }
            chosen.into_iter().for_each(|i| keep[own[i]] = true);
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
        for version in [NearMissVersion::Nearest, NearMissVersion::Farthest, NearMissVersion::Around] {
            conformance::sampler(&NearMiss::new().version(version), &data::binary(90, 1));
            conformance::sampler(&NearMiss::new().version(version).ratio(0.8), &data::multiclass(90, 2));
        }
    }

    #[test]
    fn few_candidates_are_named() {
        let (data, cx) = (data::binary_numeric(90, 1), FitContext::new(0));
        let sampler = NearMiss::new().version(NearMissVersion::Around).candidates(1);
        let left = sampler.resample(data, &cx).unwrap();
        let classes = ByClass::new(&left);
        assert!(classes.count(0) != classes.count(1) && cx.take_warnings()[0].what.contains("near the smallest"));
    }
}
