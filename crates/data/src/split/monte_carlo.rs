//! Random splits, as many as asked for: the number of splits and the share that judges are free of each other.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ErrorKind, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter, held_groups};
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;

use super::group::groups;
use super::holdout::{held, stratified_choice};
use super::{SplitBy, heed_roles, warn_of_times};

/// Draws the rows that judge anew for each split; all others learn. Known as shuffle split.
///
/// Of `n` rows `round(fraction · n)`, at least 1, judge; of strata each its share to within one row; of groups as many of
/// the groups. A row may judge in several splits or in none. Each split has its own random stream, so more splits change
/// none of the earlier. `O(splits · n)`, by strata `O(splits · n log n)`.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::split::Splitter;
/// use stagewise_data::{MonteCarlo, SplitBy};
///
/// let data = stagewise_testkit::data::binary(50, 1);
/// let splits = MonteCarlo::new(20, 0.1).by(SplitBy::Strata).split(&data, &FitContext::new(7))?;
/// assert_eq!((splits.len(), splits[0].train.len(), splits[0].validation.len()), (20, 45, 5));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Xu & Liang (2001), "Monte Carlo cross validation".
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MonteCarlo {
    splits: usize,
    fraction: f64,
    #[serde(default)]
    by: SplitBy,
}

impl MonteCarlo {
    /// This many splits, at least 1, in which this share of the rows judges, above 0 and below 1.
    pub fn new(splits: usize, fraction: f64) -> Self {
        Self { splits, fraction, by: SplitBy::Random }
    }

    /// What each split keeps: anything but time. Default: [`SplitBy::Random`].
    #[must_use]
    pub fn by(mut self, by: SplitBy) -> Self {
        self.by = by;
        self
    }
}

impl Persist for MonteCarlo {
    const TAG: &'static str = "MonteCarlo";
}

impl<T: Task> Splitter<T> for MonteCarlo {
    /// # Errors
    /// [`ParameterError`] for setters out of range,
    /// [`DataError::TooFewRows`](stagewise_core::error::DataError::TooFewRows) where a side would be empty; by group as
    /// [`GroupHoldout`](super::GroupHoldout), otherwise
    /// [`PipelineError::Ignored`](stagewise_core::error::PipelineError) for data with groups.
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>> {
        ParameterError::check(self.splits >= 1, "splits", self.splits, "at least 1")?;
        let aside = held(self.fraction, data.rows())?;
        let (strata, groups) = match self.by {
            SplitBy::Random => (vec![0; data.rows()], None),
            SplitBy::Strata => (data.target().strata(), None),
            SplitBy::Group => (Vec::new(), Some(groups(Self::TAG, data)?)),
            SplitBy::Time | SplitBy::GroupTime => {
                let allowed = "Random, Strata or Group; in time use `TimeSeriesSplit` or `GroupTimeSeriesSplit`";
                let value = format!("{:?}", self.by);
                return Err(ErrorKind::from(ParameterError { name: "by", value, allowed }).into());
            }
        };
        match groups {
            None => heed_roles(Self::TAG, data, cx)?,
            Some(_) => warn_of_times(Self::TAG, data, cx),
        }
        let split = |number: usize| {
            let mut stream = cx.stream(&format!("split {number}"));
            let judges = match &groups {
                Some(groups) => held_groups(groups, self.fraction, &mut stream)?,
                None => stratified_choice(&strata, aside, &mut stream),
            };
            let (validation, train) = (0..judges.len()).partition(|&row| judges[row]);
            Ok(Split { train, validation })
        };
        (0..self.splits).map(split).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::tests::grouped;
    use super::*;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn each_split_draws_anew() {
        for by in [SplitBy::Random, SplitBy::Strata] {
            let data = data::multiclass(60, 1);
            let splits = conformance::splitter(&MonteCarlo::new(30, 0.25).by(by), &data);
            assert_eq!(splits.len(), 30);
            assert!(splits.iter().all(|split| split.validation.len() == 15 && split.train.len() == 45));
            assert_ne!(splits[0], splits[1]);
            // Each row judges with probability 1/4; far from never or always in 30 splits of 60 rows together.
            let judged: usize = (0..60).filter(|row| splits.iter().any(|s| s.validation.contains(row))).count();
            assert!(judged >= 58, "{judged}");
        }
    }

    #[test]
    fn groups_stay_whole_if_asked() {
        let groups: Vec<f64> = (0..40).map(|row| f64::from(row % 8)).collect();
        let data = grouped(&groups, &groups);
        for split in conformance::splitter(&MonteCarlo::new(5, 0.25).by(SplitBy::Group), &data) {
            assert_eq!(split.validation.len(), 10);
            assert!(split.train.iter().all(|&a| split.validation.iter().all(|&b| groups[a] != groups[b])));
        }
        let error = MonteCarlo::new(5, 0.25).split(&data, &FitContext::new(0)).unwrap_err().to_string();
        assert!(error.starts_with("MonteCarlo would ignore the groups"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let cx = FitContext::new(0);
        let text = |spec: MonteCarlo| spec.split(&data::binary(20, 1), &cx).unwrap_err().to_string();
        assert_eq!(text(MonteCarlo::new(0, 0.5)), "`splits` is 0, allowed is at least 1");
        assert!(text(MonteCarlo::new(3, 1.0)).starts_with("`fraction` is 1"));
        assert!(
            text(MonteCarlo::new(3, 0.5).by(SplitBy::Time))
                .contains("in time use `TimeSeriesSplit` or `GroupTimeSeriesSplit`")
        );
        assert!(text(MonteCarlo::new(3, 0.5).by(SplitBy::Group)).contains("needs the group of each row"));
    }
}
