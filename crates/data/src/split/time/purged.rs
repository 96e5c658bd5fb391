//! Folds in time that learn from both sides: rows after a fold learn too, but for those that its labels reach.
//!
//! Where rows are few, walking forward wastes the first of them. Learning from later rows is honest only if nothing that
//! judges is known to them: labels that overlap are purged, and an embargo keeps clear what features still carry on.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::task::Task;

use super::clock::{Clock, Label, Point, Span, time_setters};
use crate::split::refuse_groups;

/// `k` runs of rows in the order of time; each judges once, and rows on both sides of it learn.
///
/// A row at `t` whose label is known at `e` learns for the fold from `s` to `u` (the last time that a label of the fold is
/// known, or the last time of the fold) if `e < s`, or `t > u + embargo`. Folds differ by at most one row, the first are
/// the larger ones, and equal times stay together. Nothing is random. `O(k · n + n log n)`.
///
/// López de Prado (2018), "Advances in financial machine learning", section 7.4.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, dataset::Dataset, problem::Problem, table::Table};
/// use stagewise_core::{split::Splitter, task::Regression};
/// use stagewise_data::{PurgedKFold, Span};
///
/// let times = || Column::numbers((0..9).map(f64::from).collect::<Vec<_>>());
/// let table = Table::of([("t", times()), ("y", times())])?;
/// let data = Dataset::new(table, &Problem::<Regression>::new("y").time("t"))?;
/// let spec = PurgedKFold::new(3).purge(Span::Units(1.0)).embargo(Span::Units(1.0));
/// let splits = spec.split(&data, &FitContext::new(7))?;
/// // Row 2 knows its label at 3; labels of the fold are known until 6, and the embargo lasts until 7.
/// assert_eq!((splits[1].validation.as_slice(), splits[1].train.as_slice()), ([3, 4, 5].as_slice(), [0, 1, 8].as_slice()));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurgedKFold {
    folds: usize,
    #[serde(default)]
    label: Label,
    #[serde(default)]
    embargo: Option<Span>,
    #[serde(default)]
    column: Option<String>,
}

impl PurgedKFold {
    /// This many folds, at least 2.
    pub fn new(folds: usize) -> Self {
        Self { folds, label: Label::AtOnce, embargo: None, column: None }
    }

    time_setters!("");

    /// How long after a fold, and after its labels are known, rows do not learn yet. Default: not at all.
    #[must_use]
    pub fn embargo(mut self, length: Span) -> Self {
        self.embargo = Some(length);
        self
    }

    /// The first place after a fold that may learn.
    fn resumes(&self, clock: &Clock, last: Point) -> Result<usize> {
        match self.embargo {
            None => Ok(clock.count(|point| point <= last)),
            Some(Span::Rows(rows)) => Ok(clock.count(|point| point <= last).saturating_add(rows).min(clock.rows())),
            Some(length) => {
                let last = last.after(length, "embargo")?;
                Ok(clock.count(|point| point <= last))
            }
        }
    }
}

impl Persist for PurgedKFold {
    const TAG: &'static str = "PurgedKFold";
}

impl<T: Task> Splitter<T> for PurgedKFold {
    /// # Errors
    /// As [`TimeSeriesSplit`](super::TimeSeriesSplit).
    fn split(&self, data: &Dataset<T>, _cx: &FitContext) -> Result<Vec<Split>> {
        let folds = self.folds;
        ParameterError::check(folds >= 2, "folds", folds, "at least 2")?;
        self.embargo.map_or(Ok(()), |span| span.check("embargo"))?;
        refuse_groups(Self::TAG, data, "`GroupTimeSeriesSplit`")?;
        let clock = Clock::of(Self::TAG, data, self.column.as_deref(), self.label.column())?;
        let rows = clock.rows();
        if rows < folds {
            let what = format!("a split into {folds} folds");
            return Err(DataError::TooFewRows { what, needed: folds, found: rows }.into());
        }
        let ends = self.label.ends(data, &clock)?;
        let (size, larger) = (rows / folds, rows % folds);
        let cut = |fold: usize| clock.begin(fold * size + fold.min(larger));
        let empty = |fold: usize, side, remedy: &str| {
            let what = format!("fold {fold} of {}", Self::TAG);
            Err(DataError::EmptySide { what, side, remedy: remedy.into() }.into())
        };
        let split = |fold: usize| {
            let (begin, end) = (cut(fold), cut(fold + 1));
            if begin == end {
                return empty(fold, "validate", "too many rows have the same time; use fewer folds");
            }
            let start = clock.at(begin);
            let latest = |last: Point, end: &Point| if *end > last { *end } else { last };
            let last = clock.at(end - 1);
            let last = ends.as_ref().map_or(last, |ends| ends[begin..end].iter().fold(last, latest));
            let resumes = self.resumes(&clock, last)?.max(end);
            let known = |place: &usize| ends.as_ref().is_none_or(|ends| ends[*place] < start);
            let train = clock.rows_of((0..begin).filter(known).chain(resumes..rows));
            if train.is_empty() {
                return empty(fold, "train", "use a smaller purge or embargo");
            }
            Ok(Split { train, validation: clock.rows_of(begin..end) })
        };
        (0..folds).map(split).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{dated, numbered};
    use super::*;
    use proptest::prelude::*;
    use stagewise_testkit::conformance;

    proptest! {
        #[test]
        fn no_row_that_learns_overlaps_a_label_that_judges(
            times in prop::collection::vec(0_u32..60, 12..70), folds in 2_usize..5, purge in 0_u32..6, embargo in 0_u32..6,
        ) {
            let times: Vec<f64> = times.into_iter().map(f64::from).collect();
            let (purge, embargo) = (f64::from(purge), f64::from(embargo));
            let spec = PurgedKFold::new(folds).purge(Span::Units(purge)).embargo(Span::Units(embargo));
            if let Ok(splits) = spec.split(&numbered(&times), &FitContext::new(0)) {
                for split in splits {
                    let start = split.validation.iter().map(|&row| times[row]).fold(f64::INFINITY, f64::min);
                    let last = split.validation.iter().map(|&row| times[row] + purge).fold(0.0, f64::max);
                    let learns = |row: &usize| times[*row] + purge < start || times[*row] > last + embargo;
                    prop_assert_eq!(&split.train, &(0..times.len()).filter(learns).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn every_row_judges_once() {
        let times: Vec<f64> = (0..23).map(|row| f64::from(row * 7 % 23)).collect();
        let splits = conformance::splitter(&PurgedKFold::new(4).embargo(Span::Rows(2)), &numbered(&times));
        let sizes: Vec<usize> = splits.iter().map(|split| split.validation.len()).collect();
        assert_eq!(sizes, [6, 6, 6, 5]);
        let mut judged: Vec<usize> = splits.iter().flat_map(|split| split.validation.clone()).collect();
        judged.sort_unstable();
        assert_eq!(judged, (0..23).collect::<Vec<_>>());
        assert_eq!(splits[0].train.len(), 23 - 6 - 2);
        assert_eq!(splits[3].train.len(), 18);
    }

    #[test]
    fn late_labels_keep_rows_after_the_fold_out() {
        let data = dated(&["2023-01-01", "2023-01-11", "2023-01-21", "2023-01-31", "2023-02-10", "2023-02-20"]);
        let splits = PurgedKFold::new(3).label_end("until").split(&data, &FitContext::new(0));
        // The label of row 0 is known in April: nothing can learn for its fold.
        let error = splits.unwrap_err().to_string();
        assert_eq!(error, "fold 0 of PurgedKFold leaves no row to train on; use a smaller purge or embargo");
        assert!(PurgedKFold::new(1).split(&data, &FitContext::new(0)).is_err());
        assert!(PurgedKFold::new(7).split(&data, &FitContext::new(0)).is_err());
        let units = PurgedKFold::new(2).embargo(Span::Units(1.0)).split(&data, &FitContext::new(0));
        assert!(units.unwrap_err().to_string().starts_with("`embargo` is Units(1.0)"));
    }
}
