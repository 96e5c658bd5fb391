//! Group and time together: what learns is earlier than what judges, and of other groups.
//!
//! The two demands leave some rows without a side: of a group with rows before and after the cut, one part must go. Which
//! one is a choice about the question: how well are known times of new groups answered, or new times of the later groups?

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::task::Task;

use super::series::TimeSeriesSplit;

/// Which rows of a group go that has rows on both sides of a cut in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Torn {
    /// Those that would learn: every row after the cut judges.
    #[default]
    Training,
    /// Those that would judge: every row before the cut learns, and only groups that are new judge.
    Validation,
}

/// The folds of a [`TimeSeriesSplit`], without the groups that would stand on both sides.
///
/// Cuts are made in time alone, as if there were no groups. `O(k · n + n log n)`.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, dataset::Dataset, problem::Problem, table::Table};
/// use stagewise_core::{split::Splitter, task::Regression};
/// use stagewise_data::{GroupTimeSeriesSplit, TimeSeriesSplit};
///
/// let times = || Column::numbers((0..6).map(f64::from).collect::<Vec<_>>());
/// let table = Table::of([("t", times()), ("g", Column::numbers([7.0, 8.0, 9.0, 7.0, 9.0, 8.0])), ("y", times())])?;
/// let data = Dataset::new(table, &Problem::<Regression>::new("y").time("t").group("g"))?;
/// let splits = GroupTimeSeriesSplit::new(TimeSeriesSplit::new(2)).split(&data, &FitContext::new(7))?;
/// assert_eq!((splits[1].train.as_slice(), splits[1].validation.as_slice()), ([0, 3].as_slice(), [4, 5].as_slice()));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupTimeSeriesSplit {
    time: TimeSeriesSplit,
    #[serde(default)]
    torn: Torn,
}

impl GroupTimeSeriesSplit {
    /// The folds of `time`, in which no group stands on both sides.
    pub fn new(time: TimeSeriesSplit) -> Self {
        Self { time, torn: Torn::Training }
    }

    /// Which rows of a torn group go. Default: [`Torn::Training`].
    #[must_use]
    pub fn torn(mut self, torn: Torn) -> Self {
        self.torn = torn;
        self
    }
}

impl Persist for GroupTimeSeriesSplit {
    const TAG: &'static str = "GroupTimeSeriesSplit";
}

impl<T: Task> Splitter<T> for GroupTimeSeriesSplit {
    /// # Errors
    /// [`DataError::GroupNeeded`] for data without groups, [`DataError::EmptySide`] where a fold has no group of its own,
    /// and otherwise as [`TimeSeriesSplit`].
    fn split(&self, data: &Dataset<T>, _cx: &FitContext) -> Result<Vec<Split>> {
        let groups = data.groups().ok_or_else(|| DataError::GroupNeeded { what: Self::TAG.into() })?;
        let mut splits = self.time.folds(Self::TAG, data)?;
        for (fold, split) in splits.iter_mut().enumerate() {
            let (kept, loses, side) = match self.torn {
                Torn::Training => (&split.validation, &mut split.train, "train"),
                Torn::Validation => (&split.train, &mut split.validation, "validate"),
            };
            let taken: HashSet<u32> = kept.iter().map(|&row| groups[row]).collect();
            loses.retain(|&row| !taken.contains(&groups[row]));
            if loses.is_empty() {
                let what = format!("fold {fold} of {}", Self::TAG);
                let remedy = "each of its groups also stands on the other side; use fewer folds".to_string();
                return Err(DataError::EmptySide { what, side, remedy }.into());
            }
        }
        Ok(splits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{grouped, numbered};
    use super::*;
    use proptest::prelude::*;
    use stagewise_testkit::conformance;

    proptest! {
        #[test]
        fn what_learns_is_earlier_and_of_other_groups(
            rows in prop::collection::vec((0_u32..50, 0_u32..20), 30..90), folds in 2_usize..4, all_judge in any::<bool>(),
        ) {
            let times: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let groups: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let torn = if all_judge { Torn::Training } else { Torn::Validation };
            let spec = GroupTimeSeriesSplit::new(TimeSeriesSplit::new(folds)).torn(torn);
            if let Ok(splits) = spec.split(&grouped(&times, &groups), &FitContext::new(0)) {
                for split in &splits {
                    for (&early, &late) in split.train.iter().flat_map(|a| split.validation.iter().map(move |b| (a, b))) {
                        prop_assert!(times[early] < times[late] && groups[early] != groups[late]);
                    }
                }
                if all_judge {
                    let whole = TimeSeriesSplit::new(folds).split(&numbered(&times), &FitContext::new(0)).unwrap();
                    let judged = |splits: &[Split]| splits.iter().map(|s| s.validation.clone()).collect::<Vec<_>>();
                    prop_assert_eq!(judged(&splits), judged(&whole));
                }
            }
        }
    }

    #[test]
    fn new_groups_judge_if_asked() {
        let data = grouped(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[7.0, 8.0, 9.0, 8.0, 4.0, 7.0]);
        let spec = GroupTimeSeriesSplit::new(TimeSeriesSplit::new(2)).torn(Torn::Validation);
        let splits = conformance::splitter(&spec, &data);
        assert_eq!((&splits[0].train[..], &splits[0].validation[..]), (&[0, 1][..], &[2][..]));
        assert_eq!((&splits[1].train[..], &splits[1].validation[..]), (&[0, 1, 2, 3][..], &[4][..]));
    }

    #[test]
    fn folds_without_a_group_of_their_own_are_refused() {
        let cx = FitContext::new(0);
        let spec = GroupTimeSeriesSplit::new(TimeSeriesSplit::new(2));
        let error = spec.split(&grouped(&[0.0, 1.0, 2.0, 3.0], &[1.0; 4]), &cx).unwrap_err().to_string();
        assert!(error.starts_with("fold 0 of GroupTimeSeriesSplit leaves no row to train on; each of its"), "{error}");
        let error = spec.split(&numbered(&[0.0, 1.0, 2.0, 3.0]), &cx).unwrap_err().to_string();
        assert_eq!(error, "GroupTimeSeriesSplit needs the group of each row; give a column the role group");
    }
}
