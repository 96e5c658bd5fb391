//! Splits of data with groups: the rows of one never stand on both sides.
//!
//! Rows of a group are alike, or, in a ranking, mean nothing apart. The groups are the values of the column of the role
//! group; data without one is refused.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::holdout::Holdout;
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter, group_folds, held_groups};
use stagewise_core::task::Task;

use super::holdout::parted;
use super::kfold::splits;
use super::warn_of_times;

/// Sets aside a share of the groups at random, with all of their rows.
///
/// Of `g` groups, `round(fraction · g)` are set aside, at least 1 and not all; of the rows, as many as these have. Rows keep
/// their order on both sides. The same seed sets the same groups aside. `O(n)`.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_data::GroupHoldout;
///
/// let data = stagewise_testkit::data::ranking(100, 1);
/// let groups = data.target().lists().len();
/// let (train, holdout) = GroupHoldout::new(0.25).split(data, &FitContext::new(7))?;
/// assert_eq!((groups, train.target().lists().len(), holdout.rows() + train.rows()), (15, 11, 100));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GroupHoldout {
    fraction: f64,
}

impl GroupHoldout {
    /// Sets aside this share of the groups, above 0 and below 1.
    pub fn new(fraction: f64) -> Self {
        Self { fraction }
    }

    /// The rows to learn from, and the rows set aside.
    ///
    /// # Errors
    /// [`ParameterError`] for a fraction outside its range, [`DataError::GroupNeeded`] for data without groups,
    /// [`DataError::TooFewGroups`] for fewer than 2.
    pub fn split<T: Task>(&self, data: Dataset<T>, cx: &FitContext) -> Result<(Dataset<T>, Holdout<T>)> {
        let valid = self.fraction > 0.0 && self.fraction < 1.0;
        ParameterError::check(valid, "fraction", self.fraction, "above 0 and below 1")?;
        let is_held = held_groups(&groups(Self::TAG, &data)?, self.fraction, &mut cx.stream("holdout"))?;
        warn_of_times(Self::TAG, &data, cx);
        Ok(parted(&data, &is_held))
    }
}

impl Persist for GroupHoldout {
    const TAG: &'static str = "GroupHoldout";
}

/// `k` folds of whole groups: groups by size, the largest first (of equal ones that which comes first), each to the fold
/// that has the fewest rows by then.
///
/// Nothing is random. `O(rows · k + groups · log groups)`. Checked against scikit-learn 1.9.1 `GroupKFold`: sizes of folds
/// exactly, and the fold of each row where no two groups are equally large.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::split::Splitter;
/// use stagewise_data::GroupKFold;
///
/// let data = stagewise_testkit::data::ranking(100, 1);
/// let splits = GroupKFold::new(4).split(&data, &FitContext::new(7))?;
/// let sizes: Vec<usize> = splits.iter().map(|split| split.validation.len()).collect();
/// assert_eq!((sizes.iter().sum::<usize>(), sizes.len()), (100, 4));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupKFold {
    folds: usize,
}

impl GroupKFold {
    /// This many folds, at least 2.
    pub fn new(folds: usize) -> Self {
        Self { folds }
    }
}

impl Persist for GroupKFold {
    const TAG: &'static str = "GroupKFold";
}

impl<T: Task> Splitter<T> for GroupKFold {
    /// # Errors
    /// [`ParameterError`] for fewer than 2 folds, [`DataError::GroupNeeded`] for data without groups,
    /// [`DataError::TooFewGroups`] for fewer groups than folds.
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>> {
        let fold_of = group_folds(&groups(Self::TAG, data)?, self.folds)?;
        warn_of_times(Self::TAG, data, cx);
        Ok(splits(&fold_of, self.folds))
    }
}

pub(super) fn groups<T: Task>(stage: &str, data: &Dataset<T>) -> Result<Vec<u32>> {
    data.groups().ok_or_else(|| DataError::GroupNeeded { what: stage.into() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::problem::Problem;
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data, golden};

    fn grouped(groups: &[f64]) -> Dataset<Regression> {
        let y = Column::numbers((0..groups.len()).map(|row| row as f64).collect::<Vec<_>>());
        let table = Table::of([("g", Column::numbers(groups.to_vec())), ("x", y.clone()), ("y", y)]).unwrap();
        Dataset::new(table, &Problem::new("y").group("g")).unwrap()
    }

    #[test]
    fn no_group_stands_on_both_sides() {
        let data = data::ranking(90, 2);
        let groups = data.groups().unwrap();
        let splits = conformance::splitter(&GroupKFold::new(4), &data);
        let mut judged: Vec<usize> = splits.iter().flat_map(|split| split.validation.clone()).collect();
        judged.sort_unstable();
        assert_eq!(judged, (0..90).collect::<Vec<_>>());
        for split in &splits {
            assert!(split.train.iter().all(|&a| split.validation.iter().all(|&b| groups[a] != groups[b])));
        }
        for seed in 0..5 {
            let cx = FitContext::new(seed);
            let (train, held) = GroupHoldout::new(0.3).split(grouped(&[4.0, 1.0, 4.0, 2.0, 1.0, 3.0]), &cx).unwrap();
            assert_eq!(train.rows() + held.rows(), 6);
            let groups = train.groups().unwrap().iter().max().unwrap() + 1;
            assert_eq!(groups, 3, "one of four groups is held out");
        }
    }

    #[test]
    fn folds_are_those_of_scikit_learn() {
        let golden = golden::load("group_folds.json");
        for case in &golden.cases {
            let data = grouped(&case.numbers("/input/groups"));
            let folds = case.number("/input/folds") as usize;
            let splits = GroupKFold::new(folds).split(&data, &FitContext::new(0)).unwrap();
            let mut sizes: Vec<f64> = splits.iter().map(|split| split.validation.len() as f64).collect();
            sizes.sort_by(f64::total_cmp);
            golden.assert_all_close(&sizes, &case.numbers("/expected/sizes"), &case.name);
            if let Some(expected) = case.optional_numbers("/expected/folds") {
                let fold_of = |row: &usize| splits.iter().position(|split| split.validation.contains(row)).unwrap();
                let found: Vec<f64> = (0..data.rows()).map(|row| fold_of(&row) as f64).collect();
                golden.assert_all_close(&found, &expected, &case.name);
            }
        }
    }

    #[test]
    fn data_without_groups_is_refused() {
        let cx = FitContext::new(0);
        let error = GroupKFold::new(2).split(&data::regression(20, 1), &cx).unwrap_err().to_string();
        assert_eq!(error, "GroupKFold needs the group of each row; give a column the role group");
        assert!(GroupHoldout::new(0.2).split(data::regression(20, 1), &cx).is_err());
        let error = GroupHoldout::new(0.2).split(grouped(&[1.0, 1.0]), &cx).unwrap_err().to_string();
        assert_eq!(error, "holding groups out needs at least 2 groups, 1 found");
        assert!(GroupHoldout::new(1.0).split(grouped(&[1.0, 2.0]), &cx).is_err());
        assert!(GroupKFold::new(1).split(&grouped(&[1.0, 2.0]), &cx).is_err());
    }
}
