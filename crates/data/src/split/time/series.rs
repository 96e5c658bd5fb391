//! Walking forward: each fold learns from the past and judges the time after it.
//!
//! A fold is a run of places in the order of time. Cuts never part rows of one time: those of the first row that judges
//! all judge. So rows that learn are always earlier than rows that judge, by the clock and not only by position.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::task::Task;

use super::clock::{Clock, Label, Period, Point, Span, time_setters};
use crate::split::refuse_groups;

/// Folds in the order of time: each learns from rows before the rows that judge.
///
/// Without a window each fold learns from all rows before it (expanding), with one from the last of them (sliding).
/// With `k` folds of `n` rows, each judges `⌊n / (k + 1)⌋` rows, the last fold the last ones; by period, each judges a
/// period of the calendar, and periods without rows are passed over. The column of the role time orders the rows: a
/// date-time or a finite number. Rows of equal time judge or learn together. Nothing is random. `O(n log n + k · n)`.
///
/// Checked against scikit-learn 1.9.1 `TimeSeriesSplit`, exactly, where times differ from row to row. Purging: López de
/// Prado (2018), "Advances in financial machine learning", chapter 7.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, dataset::Dataset, problem::Problem, table::Table};
/// use stagewise_core::{split::Splitter, task::Regression};
/// use stagewise_data::{Span, TimeSeriesSplit};
///
/// let times = || Column::numbers((0..8).map(f64::from).collect::<Vec<_>>());
/// let table = Table::of([("t", times()), ("y", times())])?;
/// let data = Dataset::new(table, &Problem::<Regression>::new("y").time("t"))?;
/// let splits = TimeSeriesSplit::new(3).gap(Span::Rows(1)).split(&data, &FitContext::new(7))?;
/// assert_eq!((splits[0].train.as_slice(), splits[0].validation.as_slice()), ([0].as_slice(), [2, 3].as_slice()));
/// assert_eq!((splits[2].train.len(), splits[2].validation.as_slice()), (5, [6, 7].as_slice()));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeSeriesSplit {
    by: By,
    #[serde(default)]
    validation: Option<usize>,
    #[serde(default)]
    initial: Option<usize>,
    #[serde(default)]
    window: Option<Span>,
    #[serde(default)]
    gap: Option<Span>,
    #[serde(default)]
    label: Label,
    #[serde(default)]
    column: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum By {
    Folds(usize),
    Period(Period),
}

/// The places that judge; where a split is by period, also the number of the first of their periods.
#[derive(Debug, Clone, Copy)]
struct Block {
    begin: usize,
    end: usize,
    period: i64,
}

impl TimeSeriesSplit {
    /// This many folds of equally many rows, at least 2.
    pub fn new(folds: usize) -> Self {
        Self::by(By::Folds(folds))
    }

    /// A fold for each period after the first.
    pub fn periods(period: Period) -> Self {
        Self::by(By::Period(period))
    }

    fn by(by: By) -> Self {
        Self { by, validation: None, initial: None, window: None, gap: None, label: Label::AtOnce, column: None }
    }

    /// How many rows, or by period how many periods, judge in each fold. At least 1. Default: `⌊n / (folds + 1)⌋` rows, 1
    /// period. Periods at the end that are too few for a fold do not judge.
    #[must_use]
    pub fn validation(mut self, size: usize) -> Self {
        self.validation = Some(size);
        self
    }

    /// How many periods come before the first that judges. At least 1, default 1; by period only.
    #[must_use]
    pub fn initial(mut self, periods: usize) -> Self {
        self.initial = Some(periods);
        self
    }

    /// Learns from the last rows alone: from those within this length before the gap. Default: from all.
    #[must_use]
    pub fn window(mut self, length: Span) -> Self {
        self.window = Some(length);
        self
    }

    /// The time between rows that learn and rows that judge: a row at `t` learns for a fold from `s` on if `t + gap ≤ s`;
    /// of a gap in rows, as many are left out. Default: none.
    #[must_use]
    pub fn gap(mut self, length: Span) -> Self {
        self.gap = Some(length);
        self
    }

    time_setters!(
        "; rows whose label is not known before the first row judges do not learn: a row at `t` learns for a fold from `s` \
         on if `t + purge < s`"
    );

    /// The folds, whatever the groups.
    pub(super) fn folds<T: Task>(&self, stage: &str, data: &Dataset<T>) -> Result<Vec<Split>> {
        for (name, span) in [("window", self.window), ("gap", self.gap)] {
            span.map_or(Ok(()), |span| span.check(name))?;
        }
        ParameterError::check(self.validation != Some(0), "validation", 0, "at least 1")?;
        let clock = Clock::of(stage, data, self.column.as_deref(), self.label.column())?;
        let ends = self.label.ends(data, &clock)?;
        let (blocks, numbers) = match self.by {
            By::Folds(folds) => (self.row_blocks(stage, &clock, folds)?, None),
            By::Period(period) => {
                let (blocks, numbers) = self.period_blocks(stage, &clock, period)?;
                (blocks, Some(numbers))
            }
        };
        let fold = |(fold, block): (usize, &Block)| {
            let learning = self.learning(&clock, block, numbers.as_deref())?;
            let start = clock.at(block.begin);
            let known = |place: &usize| ends.as_ref().is_none_or(|ends| ends[*place] < start);
            let train = clock.rows_of(learning.filter(known));
            if train.is_empty() {
                let what = format!("fold {fold} of {stage}");
                let remedy = "use fewer folds, or a smaller gap or purge".to_string();
                return Err(DataError::EmptySide { what, side: "train", remedy }.into());
            }
            Ok(Split { train, validation: clock.rows_of(block.begin..block.end) })
        };
        blocks.iter().enumerate().map(fold).collect()
    }

    fn row_blocks(&self, stage: &str, clock: &Clock, folds: usize) -> Result<Vec<Block>> {
        ParameterError::check(folds >= 2, "folds", folds, "at least 2")?;
        if let Some(initial) = self.initial {
            ParameterError::check(false, "initial", initial, "nothing where a split is by number of folds")?;
        }
        let rows = clock.rows();
        let size = self.validation.unwrap_or(rows / folds.saturating_add(1));
        let gap = if let Some(Span::Rows(gap)) = self.gap { gap } else { 0 };
        let judging = size.saturating_mul(folds);
        if size == 0 || judging.saturating_add(gap) >= rows {
            let what = format!("a split in time into {folds} folds");
            let needed = size.max(1).saturating_mul(folds).saturating_add(gap).saturating_add(1);
            return Err(DataError::TooFewRows { what, needed: needed.max(rows + 1), found: rows }.into());
        }
        let first = rows - judging;
        let block = |fold: usize| {
            let (begin, end) = (clock.begin(first + fold * size), clock.begin(first + (fold + 1) * size));
            if begin == end {
                let what = format!("fold {fold} of {stage}");
                let remedy = "too many rows have the same time; use fewer folds".to_string();
                return Err(DataError::EmptySide { what, side: "validate", remedy }.into());
            }
            Ok(Block { begin, end, period: 0 })
        };
        (0..folds).map(block).collect()
    }

    /// The blocks, and the number of the period at each place.
    fn period_blocks(&self, stage: &str, clock: &Clock, period: Period) -> Result<(Vec<Block>, Vec<i64>)> {
        let (initial, size) = (self.initial.unwrap_or(1), self.validation.unwrap_or(1));
        ParameterError::check(initial >= 1, "initial", initial, "at least 1")?;
        let rows = clock.rows();
        let numbers: Vec<i64> = (0..rows).map(|place| period.number(clock.at(place))).collect::<Result<_>>()?;
        let length = |periods: usize| i64::try_from(periods).unwrap_or(i64::MAX);
        let (size, mut blocks) = (length(size), Vec::new());
        if let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) {
            let zero = first.saturating_add(length(initial));
            let mut begin = numbers.partition_point(|&number| number < zero);
            while begin < rows {
                // Blocks without rows are jumped over: there may be very many.
                let before = (numbers[begin].saturating_sub(zero) / size).saturating_mul(size);
                let period = zero.saturating_add(before);
                let next = period.saturating_add(size);
                if next.saturating_sub(1) > last || next == i64::MAX {
                    break;
                }
                let end = numbers.partition_point(|&number| number < next);
                blocks.push(Block { begin, end, period });
                begin = end;
            }
        }
        if blocks.is_empty() {
            let what = format!("{stage} by {period:?}");
            let remedy = "the rows span too few periods; use shorter ones".to_string();
            return Err(DataError::EmptySide { what, side: "validate", remedy }.into());
        }
        Ok((blocks, numbers))
    }

    /// The places that may learn for a block, labels aside.
    fn learning(&self, clock: &Clock, block: &Block, numbers: Option<&[i64]>) -> Result<std::ops::Range<usize>> {
        let start = clock.at(block.begin);
        let gap = self.gap.unwrap_or(Span::Rows(0));
        let before_period = |periods: usize, name| {
            let numbers = numbers.ok_or_else(|| Span::Periods(periods).refused(name))?;
            let number = block.period.saturating_sub(i64::try_from(periods).unwrap_or(i64::MAX));
            Ok::<_, stagewise_core::Error>(numbers.partition_point(|&other| other < number))
        };
        let (end, edge): (usize, Point) = match gap {
            Span::Rows(rows) => {
                let end = block.begin.saturating_sub(rows);
                (end, clock.at(end))
            }
            Span::Periods(periods) => {
                let end = before_period(periods, "gap")?.min(block.begin);
                (end, clock.at(end))
            }
            length => {
                let edge = start.before(length, "gap")?;
                (clock.count(|point| point <= edge).min(block.begin), edge)
            }
        };
        let begin = match self.window {
            None => 0,
            Some(Span::Rows(rows)) => end.saturating_sub(rows),
            Some(Span::Periods(periods)) => {
                let gap = if let Span::Periods(gap) = gap { gap } else { 0 };
                before_period(periods.saturating_add(gap), "window")?
            }
            Some(length) => {
                let edge = edge.before(length, "window")?;
                clock.count(|point| point < edge)
            }
        };
        Ok(begin.min(end)..end)
    }
}

impl Persist for TimeSeriesSplit {
    const TAG: &'static str = "TimeSeriesSplit";
}

impl<T: Task> Splitter<T> for TimeSeriesSplit {
    /// # Errors
    /// [`DataError::TimeNeeded`] for data without a time column, [`DataError::MissingTime`], [`DataError::NotFinite`],
    /// [`ParameterError`] for setters out of range and lengths that do not fit the kind of the times,
    /// [`DataError::TooFewRows`], [`DataError::EmptySide`] for a fold without rows to learn from or to judge, and
    /// [`PipelineError::Ignored`](stagewise_core::error::PipelineError) for data with groups.
    fn split(&self, data: &Dataset<T>, _cx: &FitContext) -> Result<Vec<Split>> {
        refuse_groups(Self::TAG, data, "`GroupTimeSeriesSplit`")?;
        self.folds(Self::TAG, data)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{dated, numbered};
    use super::*;
    use proptest::prelude::*;
    use stagewise_testkit::{conformance, golden};

    #[test]
    fn folds_are_those_of_scikit_learn() {
        let golden = golden::load("time_splits.json");
        for case in &golden.cases {
            let rows = case.number("/input/rows") as usize;
            let mut spec = TimeSeriesSplit::new(case.number("/input/folds") as usize)
                .gap(Span::Rows(case.number("/input/gap") as usize));
            if let Some(size) = case.optional_numbers("/input/validation") {
                spec = spec.validation(size[0] as usize);
            }
            if let Some(size) = case.optional_numbers("/input/window") {
                spec = spec.window(Span::Rows(size[0] as usize));
            }
            // The rows lie backwards: what counts is their time.
            let data = numbered(&(0..rows).map(|row| (rows - row) as f64).collect::<Vec<_>>());
            let splits = conformance::splitter(&spec, &data);
            let back = |side: &[usize]| side.iter().rev().map(|row| (rows - 1 - row) as f64).collect::<Vec<_>>();
            for (fold, (train, validation)) in
                case.matrix("/expected/train").iter().zip(case.matrix("/expected/validation")).enumerate()
            {
                golden.assert_all_close(&back(&splits[fold].train), train, &case.name);
                golden.assert_all_close(&back(&splits[fold].validation), &validation, &case.name);
            }
            assert_eq!(splits.len(), case.matrix("/expected/train").len(), "{}", case.name);
        }
    }

    #[test]
    fn periods_of_the_calendar_judge() {
        // A row in each month from January to June, none in April.
        let data = dated(&["2023-01-05", "2023-02-11", "2023-03-31", "2023-05-01", "2023-06-30"]);
        let spec = TimeSeriesSplit::periods(Period::Month);
        let rows = |splits: Vec<Split>| splits.into_iter().map(|s| (s.train, s.validation)).collect::<Vec<_>>();
        let found = rows(conformance::splitter(&spec, &data));
        assert_eq!(found[0], (vec![0], vec![1]));
        assert_eq!(found[2], (vec![0, 1, 2], vec![3]), "April has no rows and no fold");
        assert_eq!(found.len(), 4);
        let sliding = spec.clone().window(Span::Periods(2));
        assert_eq!(rows(conformance::splitter(&sliding, &data))[2], (vec![2], vec![3]), "March and April");
        let gap = spec.clone().initial(2).gap(Span::Periods(1)).window(Span::Periods(2));
        assert_eq!(rows(conformance::splitter(&gap, &data))[1], (vec![1, 2], vec![3]));
        let two = rows(conformance::splitter(&spec.clone().validation(2), &data));
        assert_eq!(two, [(vec![0], vec![1, 2]), (vec![0, 1, 2], vec![3])], "June is half a fold");
        let days = spec.window(Span::days(60));
        assert_eq!(rows(conformance::splitter(&days, &data))[3], (vec![3], vec![4]), "60 days back is May 1st");
    }

    #[test]
    fn labels_must_be_known_before_others_judge() {
        let data = dated(&["2023-01-01", "2023-01-11", "2023-01-21", "2023-01-31", "2023-02-10", "2023-02-20"]);
        let cx = FitContext::new(0);
        let spec = || TimeSeriesSplit::new(2).validation(1);
        let last = |spec: TimeSeriesSplit| spec.split(&data, &cx).unwrap()[1].train.clone();
        assert_eq!(last(spec()), [0, 1, 2, 3, 4]);
        assert_eq!(last(spec().gap(Span::days(20))), [0, 1, 2, 3], "20 days apart is far enough");
        assert_eq!(last(spec().purge(Span::days(20))), [0, 1, 2], "known on the day that judges is too late");
        assert_eq!(last(spec().purge(Span::Rows(1))), [0, 1, 2, 3]);
        assert_eq!(last(spec().label_end("until")), [1, 2, 4], "the labels of rows 0 and 3 come late");
    }

    #[test]
    fn equal_times_are_not_torn() {
        let data = numbered(&[1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 4.0, 5.0]);
        let splits = conformance::splitter(&TimeSeriesSplit::new(3), &data);
        assert_eq!(splits[0].validation, [1, 2, 3]);
        assert_eq!(splits[0].train, [0]);
        let same = numbered(&[1.0; 9]);
        let error = TimeSeriesSplit::new(2).split(&same, &FitContext::new(0)).unwrap_err().to_string();
        assert!(error.contains("no row to validate on; too many rows have the same time"), "{error}");
    }

    proptest! {
        #[test]
        fn the_past_learns_and_the_time_after_it_judges(
            times in prop::collection::vec(0_u32..40, 20..80), folds in 2_usize..5, gap in 0_u32..5, purge in 0_u32..5,
        ) {
            let times: Vec<f64> = times.into_iter().map(f64::from).collect();
            let data = numbered(&times);
            let spec = TimeSeriesSplit::new(folds)
                .gap(Span::Units(f64::from(gap)))
                .purge(Span::Units(f64::from(purge)))
                .window(Span::Units(12.0));
            if let Ok(splits) = spec.split(&data, &FitContext::new(0)) {
                for split in splits {
                    let start = split.validation.iter().map(|&row| times[row]).fold(f64::INFINITY, f64::min);
                    let late = start - f64::from(gap);
                    let expected: Vec<usize> = (0..times.len())
                        .filter(|&row| {
                            let at = times[row];
                            at < start && at <= late && at >= late - 12.0 && at + f64::from(purge) < start
                        })
                        .collect();
                    prop_assert_eq!(&split.train, &expected);
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let cx = FitContext::new(0);
        let data = numbered(&(0..20).map(f64::from).collect::<Vec<_>>());
        let text = |spec: TimeSeriesSplit| spec.split(&data, &cx).unwrap_err().to_string();
        assert_eq!(text(TimeSeriesSplit::new(1)), "`folds` is 1, allowed is at least 2");
        assert!(text(TimeSeriesSplit::new(3).gap(Span::days(1))).starts_with("`gap` is Micros("));
        assert!(text(TimeSeriesSplit::new(3).gap(Span::Periods(1))).contains("`Periods` for gap and window"));
        assert!(text(TimeSeriesSplit::new(3).window(Span::Units(-1.0))).contains("at least 0"));
        assert!(text(TimeSeriesSplit::new(3).initial(2)).starts_with("`initial` is 2"));
        assert!(text(TimeSeriesSplit::periods(Period::Day)).starts_with("`period` is Day"));
        assert!(text(TimeSeriesSplit::periods(Period::Units(50.0))).contains("span too few periods"));
        assert!(text(TimeSeriesSplit::new(20)).contains("needs at least"));
        assert!(text(TimeSeriesSplit::new(3).gap(Span::Rows(5))).contains("needs at least 21 rows, 20 found"));
        let none = stagewise_testkit::data::regression(20, 1);
        let error = TimeSeriesSplit::new(3).split(&none, &cx).unwrap_err().to_string();
        assert_eq!(error, "TimeSeriesSplit needs the time of each row; give a column the role time");
        let error = TimeSeriesSplit::new(3).split(&numbered(&[1.0, f64::NAN, 3.0]), &cx).unwrap_err().to_string();
        assert!(error.contains("1 rows have no time (first: row 1)"), "{error}");
        assert!(TimeSeriesSplit::new(2).split(&numbered(&[1.0, f64::INFINITY, 3.0]), &cx).is_err());
    }
}
