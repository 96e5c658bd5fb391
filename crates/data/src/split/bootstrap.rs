//! Bootstrap splits: rows drawn with replacement learn, those that were never drawn judge.
//!
//! As many draws as rows leave out each with a chance of `(1 − 1/n)ⁿ → 1/e`, so about 37 in 100 judge. A row drawn twice
//! learns twice: it is twice among the rows that learn.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, ErrorKind, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;
use stagewise_numeric::random::Stream;

use super::group::groups;
use super::{SplitBy, heed_roles, warn_of_times};

/// Draws of a split at most: for two rows every second draw leaves a row out.
const DRAWS: usize = 200;

/// Draws as many rows as there are, with replacement; the rows never drawn judge.
///
/// By strata, as many of each as it has are drawn from it; by groups, as many groups as there are, whole. A draw that
/// leaves nothing out is drawn again. Each split has its own random stream. Scores are those of models that learned from
/// about 63 different rows in 100, and so a little worse than of all. A learner that judges itself by rows it holds out,
/// and a step that cross-fits, see copies of them among those they learn from: the one stops too late, the other trusts its
/// columns too much. `O(splits · n)`.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::split::Splitter;
/// use stagewise_data::BootstrapSplit;
///
/// let data = stagewise_testkit::data::regression(1000, 1);
/// let splits = BootstrapSplit::new(25).split(&data, &FitContext::new(7))?;
/// assert_eq!((splits.len(), splits[0].train.len()), (25, 1000));
/// assert!(splits.iter().all(|split| (320..420).contains(&split.validation.len())));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Efron (1983), "Estimating the error rate of a prediction rule"; Efron & Tibshirani (1997), section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootstrapSplit {
    splits: usize,
    #[serde(default)]
    by: SplitBy,
}

impl BootstrapSplit {
    /// This many splits, at least 1; 25 is usual, 200 where the mean is to be sure.
    pub fn new(splits: usize) -> Self {
        Self { splits, by: SplitBy::Random }
    }

    /// What each draw keeps: anything but time. Default: [`SplitBy::Random`].
    #[must_use]
    pub fn by(mut self, by: SplitBy) -> Self {
        self.by = by;
        self
    }
}

impl Persist for BootstrapSplit {
    const TAG: &'static str = "BootstrapSplit";
}

impl<T: Task> Splitter<T> for BootstrapSplit {
    /// # Errors
    /// [`ParameterError`] for setters out of range, [`DataError::TooFewRows`] for fewer than 2 rows,
    /// [`DataError::TooFewGroups`] for fewer than 2 groups, [`DataError::EmptySide`] where draws leave nothing out,
    /// [`DataError::GroupNeeded`], and [`PipelineError::Ignored`](stagewise_core::error::PipelineError) for groups that
    /// would be torn.
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>> {
        ParameterError::check(self.splits >= 1, "splits", self.splits, "at least 1")?;
        if data.rows() < 2 {
            let what = "a bootstrap split".to_string();
            return Err(DataError::TooFewRows { what, needed: 2, found: data.rows() }.into());
        }
        // Members are drawn within a pool: rows of a stratum, or all groups.
        let (members, pools) = match self.by {
            SplitBy::Random => ((0..data.rows()).map(|row| vec![row]).collect(), vec![(0..data.rows()).collect()]),
            SplitBy::Strata => {
                let pools = listed(&data.target().strata());
                ((0..data.rows()).map(|row| vec![row]).collect(), pools)
            }
            SplitBy::Group => {
                let members: Vec<Vec<usize>> = listed(&groups(Self::TAG, data)?);
                if members.len() < 2 {
                    let what = "a bootstrap of groups".to_string();
                    return Err(DataError::TooFewGroups { what, needed: 2, found: members.len() }.into());
                }
                let all = (0..members.len()).collect();
                (members, vec![all])
            }
            SplitBy::Time | SplitBy::GroupTime => {
                let allowed = "Random, Strata or Group; in time use `TimeSeriesSplit` or `GroupTimeSeriesSplit`";
                let value = format!("{:?}", self.by);
                return Err(ErrorKind::from(ParameterError { name: "by", value, allowed }).into());
            }
        };
        match self.by {
            SplitBy::Group => warn_of_times(Self::TAG, data, cx),
            _ => heed_roles(Self::TAG, data, cx)?,
        }
        let split = |number: usize| {
            let mut stream = cx.stream(&format!("split {number}"));
            (0..DRAWS).find_map(|_| drawn(&members, &pools, data.rows(), &mut stream)).ok_or_else(|| {
                let what = format!("split {number} of {}", Self::TAG);
                let remedy = "every draw holds every row; draw at random, or from more rows".to_string();
                DataError::EmptySide { what, side: "validate", remedy }.into()
            })
        };
        (0..self.splits).map(split).collect()
    }
}

/// The rows of each number, ascending; numbers without rows are left out.
fn listed(numbers: &[u32]) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); numbers.iter().max().map_or(0, |&number| number as usize + 1)];
    numbers.iter().enumerate().for_each(|(row, &number)| lists[number as usize].push(row));
    lists.retain(|list| !list.is_empty());
    lists
}

/// A draw, unless it leaves nothing out.
fn drawn(members: &[Vec<usize>], pools: &[Vec<usize>], rows: usize, stream: &mut Stream) -> Option<Split> {
    let mut times = vec![0_usize; rows];
    for pool in pools {
        for _ in pool {
            members[pool[stream.below(pool.len())]].iter().for_each(|&row| times[row] += 1);
        }
    }
    let validation: Vec<usize> = (0..rows).filter(|&row| times[row] == 0).collect();
    let train = (0..rows).flat_map(|row| std::iter::repeat_n(row, times[row])).collect();
    (!validation.is_empty()).then_some(Split { train, validation })
}

#[cfg(test)]
mod tests {
    use super::super::time::tests::grouped;
    use super::*;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn what_was_not_drawn_judges() {
        let data = data::multiclass(90, 1);
        let splits = conformance::splitter(&BootstrapSplit::new(20), &data);
        let mut left = 0;
        for split in &splits {
            assert_eq!(split.train.len(), 90);
            assert!((0..90).all(|row| split.train.contains(&row) != split.validation.contains(&row)));
            left += split.validation.len();
        }
        // (1 - 1/90)^90 = 0.3658; the deviation over 20 splits is about 0.008.
        assert!((left as f64 / 1800.0 - 0.3658).abs() < 0.04, "{left}");
        assert_ne!(splits[0], splits[1]);
    }

    #[test]
    fn strata_keep_their_sizes_and_groups_stay_whole() {
        let data = data::multiclass(90, 1);
        let codes = data.target().codes().to_vec();
        let count =
            |rows: &[usize]| (0..3).map(|c| rows.iter().filter(|&&r| codes[r] == c).count()).collect::<Vec<_>>();
        let all: Vec<usize> = (0..90).collect();
        for split in conformance::splitter(&BootstrapSplit::new(5).by(SplitBy::Strata), &data) {
            assert_eq!(count(&split.train), count(&all));
        }
        let groups: Vec<f64> = (0..40).map(|row| f64::from(row % 8)).collect();
        for split in conformance::splitter(&BootstrapSplit::new(5).by(SplitBy::Group), &grouped(&groups, &groups)) {
            assert!(split.train.iter().all(|&a| split.validation.iter().all(|&b| groups[a] != groups[b])));
            assert_eq!(split.train.len(), 40, "groups are of one size here");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let cx = FitContext::new(0);
        let data = data::regression(9, 1);
        let text = |spec: BootstrapSplit, rows: &[usize]| spec.split(&data.take(rows), &cx).unwrap_err().to_string();
        assert_eq!(text(BootstrapSplit::new(0), &[0, 1]), "`splits` is 0, allowed is at least 1");
        assert_eq!(text(BootstrapSplit::new(3), &[0]), "a bootstrap split needs at least 2 rows, 1 found");
        assert!(
            text(BootstrapSplit::new(3).by(SplitBy::Time), &[0, 1])
                .contains("in time use `TimeSeriesSplit` or `GroupTimeSeriesSplit`")
        );
        // Each row is a tenth of its own: all are always drawn.
        assert!(text(BootstrapSplit::new(3).by(SplitBy::Strata), &[0, 1]).contains("no row to validate on"));
        let two = BootstrapSplit::new(50).split(&data.take(&[0, 1]), &cx).unwrap();
        assert!(two.iter().all(|split| split.train.len() == 2 && split.validation.len() == 1));
    }
}
