//! `k` folds: every row judges once and learns `k − 1` times.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter, stratified_folds};
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;

use super::{heed_roles, sizes};

/// `k` folds of equal size, to within one row; the first folds are the larger ones.
///
/// `O(rows · k)`. Fold sizes checked against scikit-learn 1.9.1 `KFold`, exactly.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::split::Splitter;
/// use stagewise_data::KFold;
///
/// let data = stagewise_testkit::data::regression(10, 1);
/// let splits = KFold::new(3).shuffle(false).split(&data, &FitContext::new(7))?;
/// assert_eq!(splits[0].validation, [0, 1, 2, 3]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KFold {
    folds: usize,
    #[serde(default = "shuffled")]
    shuffle: bool,
}

impl KFold {
    /// This many folds, at least 2.
    pub fn new(folds: usize) -> Self {
        Self { folds, shuffle: true }
    }

    /// Whether rows are dealt at random; otherwise every fold is a run of rows. Default: true.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }
}

impl Persist for KFold {
    const TAG: &'static str = "KFold";
}

impl<T: Task> Splitter<T> for KFold {
    /// # Errors
    /// [`ParameterError`] for fewer than 2 folds, [`DataError::TooFewRows`] for fewer rows than folds, and
    /// [`PipelineError::Ignored`](stagewise_core::error::PipelineError) for data with groups.
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>> {
        let (folds, rows) = (self.folds, data.rows());
        ParameterError::check(folds >= 2, "folds", folds, "at least 2")?;
        if rows < folds {
            let what = format!("a split into {folds} folds");
            return Err(DataError::TooFewRows { what, needed: folds, found: rows }.into());
        }
        heed_roles(Self::TAG, data, cx)?;
        let order = if self.shuffle { cx.stream("folds").permutation(rows) } else { (0..rows).collect() };
        let mut fold_of = vec![0_u32; rows];
        let (size, larger) = (rows / folds, rows % folds);
        for (place, row) in order.into_iter().enumerate() {
            let in_larger = larger * (size + 1);
            let fold = if place < in_larger { place / (size + 1) } else { larger + (place - in_larger) / size };
            fold_of[row] = fold as u32;
        }
        Ok(splits(&fold_of, folds))
    }
}

fn shuffled() -> bool {
    true
}

/// `k` folds, each with its share of every class, or for numbers of every tenth of the distribution: per class and
/// in total, fold sizes differ by at most one row.
///
/// Warns of classes with fewer rows than folds, which some folds lack. `O(rows · (k + log rows))`. Fold sizes checked
/// against scikit-learn 1.9.1 `StratifiedKFold`, exactly.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::split::Splitter;
/// use stagewise_data::StratifiedKFold;
///
/// let data = stagewise_testkit::data::binary(50, 1);
/// let splits = StratifiedKFold::new(5).split(&data, &FitContext::new(7))?;
/// assert_eq!((splits.len(), splits[0].train.len(), splits[0].validation.len()), (5, 40, 10));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StratifiedKFold {
    folds: usize,
}

impl StratifiedKFold {
    /// This many folds, at least 2.
    pub fn new(folds: usize) -> Self {
        Self { folds }
    }
}

impl Persist for StratifiedKFold {
    const TAG: &'static str = "StratifiedKFold";
}

impl<T: Task> Splitter<T> for StratifiedKFold {
    /// # Errors
    /// As [`KFold`].
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>> {
        let strata = data.target().strata();
        let fold_of = stratified_folds(&strata, self.folds, &mut cx.stream("folds"))?;
        heed_roles(Self::TAG, data, cx)?;
        if T::NAME != "regression" {
            let small = sizes(&strata).into_iter().filter(|&n| n > 0 && n < self.folds).count();
            if small > 0 {
                cx.warn(format!("{small} classes have fewer rows than the {} folds: some folds lack them", self.folds));
            }
        }
        Ok(splits(&fold_of, self.folds))
    }
}

pub(super) fn splits(fold_of: &[u32], folds: usize) -> Vec<Split> {
    let split = |fold: usize| {
        let (validation, train) = (0..fold_of.len()).partition(|&row| fold_of[row] as usize == fold);
        Split { train, validation }
    };
    (0..folds).map(split).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::problem::Problem;
    use stagewise_core::table::Table;
    use stagewise_core::task::Multiclass;
    use stagewise_testkit::{conformance, data, golden};

    #[test]
    fn splitters_keep_their_promises_for_every_task() {
        for folds in [2, 5] {
            let once = |splits: Vec<Split>, rows: usize| {
                let mut all: Vec<usize> = splits.iter().flat_map(|s| s.validation.clone()).collect();
                all.sort_unstable();
                assert_eq!(all, (0..rows).collect::<Vec<_>>());
            };
            once(conformance::splitter(&KFold::new(folds), &data::binary(53, 1)), 53);
            once(conformance::splitter(&KFold::new(folds).shuffle(false), &data::multiclass(53, 1)), 53);
            once(conformance::splitter(&KFold::new(folds), &data::regression(53, 1)), 53);
            once(conformance::splitter(&StratifiedKFold::new(folds), &data::binary(53, 1)), 53);
            once(conformance::splitter(&StratifiedKFold::new(folds), &data::multiclass(53, 1)), 53);
            once(conformance::splitter(&StratifiedKFold::new(folds), &data::regression(53, 1)), 53);
        }
    }

    #[test]
    fn fold_sizes_are_those_of_scikit_learn() {
        let golden = golden::load("split.json");
        for case in &golden.cases {
            let counts = case.numbers("/input/counts");
            let folds = case.number("/input/folds") as usize;
            let y: Vec<f64> = counts.iter().enumerate().flat_map(|(c, &n)| vec![c as f64; n as usize]).collect();
            // A data set of one class is refused, so that case is checked without strata.
            let single = counts.len() == 1;
            let y = if single { y.iter().enumerate().map(|(i, _)| (i % 2) as f64).collect() } else { y };
            let table = Table::of([("y", Column::numbers(y.clone()))]).unwrap();
            let data = Dataset::<Multiclass>::new(table, &Problem::new("y")).unwrap();
            let cx = FitContext::new(5);
            let descending = |mut sizes: Vec<f64>| {
                sizes.sort_by(|a, b| b.total_cmp(a));
                sizes
            };
            for splits in [KFold::new(folds).split(&data, &cx), StratifiedKFold::new(folds).split(&data, &cx)] {
                let found = splits.unwrap().iter().map(|s| s.validation.len() as f64).collect();
                golden.assert_all_close(&descending(found), &case.numbers("/expected/fold_sizes"), &case.name);
            }
            if single {
                continue;
            }
            let splits = StratifiedKFold::new(folds).split(&data, &cx).unwrap();
            for (class, expected) in case.matrix("/expected/per_class").into_iter().enumerate() {
                let of_class = |s: &Split| s.validation.iter().filter(|&&row| y[row] == class as f64).count() as f64;
                let found = splits.iter().map(of_class).collect();
                golden.assert_all_close(&descending(found), &descending(expected), &case.name);
            }
        }
    }

    #[test]
    fn few_rows_and_few_folds_are_refused_and_small_classes_warned_of() {
        let cx = FitContext::new(1);
        let data = data::multiclass(30, 1);
        let error = KFold::new(1).split(&data, &cx).unwrap_err();
        assert_eq!(error.to_string(), "`folds` is 1, allowed is at least 2");
        let error = KFold::new(5).split(&data.take(&[0, 1]), &cx).unwrap_err();
        assert_eq!(error.to_string(), "a split into 5 folds needs at least 5 rows, 2 found");
        let table = Table::of([("y", Column::numbers([0.0, 0.0, 0.0, 1.0]))]).unwrap();
        let rare = Dataset::<Multiclass>::new(table, &Problem::new("y")).unwrap();
        StratifiedKFold::new(2).split(&rare, &cx).unwrap();
        assert_eq!(cx.take_warnings()[0].what, "1 classes have fewer rows than the 2 folds: some folds lack them");
    }
}
