//! Every group judges once, alone: how well is a group answered that nothing is known of?

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::task::Task;

use super::group::groups;
use super::warn_of_times;

/// A fold for each group, in the order in which they first come: its rows judge, all others learn.
///
/// Nothing is random. `O(rows · groups)` in time and memory: for many groups [`GroupKFold`](super::GroupKFold) is meant.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::split::Splitter;
/// use stagewise_data::LeaveOneGroupOut;
///
/// let data = stagewise_testkit::data::ranking(100, 1);
/// let splits = LeaveOneGroupOut::new().split(&data, &FitContext::new(7))?;
/// assert_eq!(splits.len(), 15);
/// assert_eq!(splits.iter().map(|split| split.validation.len()).sum::<usize>(), 100);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeaveOneGroupOut {}

impl LeaveOneGroupOut {
    /// A fold for each group.
    pub fn new() -> Self {
        Self {}
    }
}

impl Persist for LeaveOneGroupOut {
    const TAG: &'static str = "LeaveOneGroupOut";
}

impl<T: Task> Splitter<T> for LeaveOneGroupOut {
    /// # Errors
    /// [`DataError::GroupNeeded`] for data without groups, [`DataError::TooFewGroups`] for fewer than 2.
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>> {
        let groups = groups(Self::TAG, data)?;
        let all = groups.iter().max().map_or(0, |&group| group as usize + 1);
        if all < 2 {
            return Err(DataError::TooFewGroups { what: "leaving a group out".into(), needed: 2, found: all }.into());
        }
        warn_of_times(Self::TAG, data, cx);
        Ok(super::kfold::splits(&groups, all))
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::tests::grouped;
    use super::*;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn each_group_judges_alone() {
        let data = grouped(&[0.0; 5], &[4.0, 2.0, 4.0, 9.0, 2.0]);
        let splits = conformance::splitter(&LeaveOneGroupOut::new(), &data);
        let judged: Vec<Vec<usize>> = splits.iter().map(|split| split.validation.clone()).collect();
        assert_eq!(judged, [vec![0, 2], vec![1, 4], vec![3]]);
        assert_eq!(splits[2].train, [0, 1, 2, 4]);
    }

    #[test]
    fn one_group_and_none_are_refused() {
        let cx = FitContext::new(0);
        let error = LeaveOneGroupOut::new().split(&grouped(&[0.0; 2], &[1.0; 2]), &cx).unwrap_err().to_string();
        assert_eq!(error, "leaving a group out needs at least 2 groups, 1 found");
        assert!(LeaveOneGroupOut::new().split(&data::regression(9, 1), &cx).is_err());
    }
}
