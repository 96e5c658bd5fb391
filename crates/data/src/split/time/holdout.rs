//! The last rows set aside: the holdout that asks what will be asked of the model, the time to come.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::holdout::Holdout;
use stagewise_core::persist::Persist;
use stagewise_core::task::Task;

use super::clock::{Clock, Label, Span, time_setters};
use crate::split::refuse_groups;

/// Sets aside the last share of the rows, in the order of time.
///
/// Of `n` rows the last `round(fraction · n)`, at least 1, are set aside, and with them all rows of the time of the first
/// of these. Rows keep their order on both sides. Nothing is random. `O(n log n)`.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, dataset::Dataset, problem::Problem, table::Table};
/// use stagewise_core::task::Regression;
/// use stagewise_data::{Span, TimeHoldout};
///
/// let times = || Column::numbers((0..10).map(f64::from).collect::<Vec<_>>());
/// let table = Table::of([("t", times()), ("y", times())])?;
/// let data = Dataset::new(table, &Problem::<Regression>::new("y").time("t"))?;
/// let (train, holdout) = TimeHoldout::new(0.2).gap(Span::Units(2.0)).split(data, &FitContext::new(7))?;
/// assert_eq!((train.rows(), holdout.rows()), (7, 2));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeHoldout {
    fraction: f64,
    #[serde(default)]
    gap: Option<Span>,
    #[serde(default)]
    label: Label,
    #[serde(default)]
    column: Option<String>,
}

impl TimeHoldout {
    /// Sets aside this share of the rows, above 0 and below 1.
    pub fn new(fraction: f64) -> Self {
        Self { fraction, gap: None, label: Label::AtOnce, column: None }
    }

    /// The time between rows to learn from and rows set aside; rows in between are on neither side. A row at `t` is learned
    /// from if `t + gap ≤ s`, where `s` is when the holdout begins. Default: none.
    #[must_use]
    pub fn gap(mut self, length: Span) -> Self {
        self.gap = Some(length);
        self
    }

    time_setters!(
        "; rows whose label is not known when the holdout begins are on neither side (`t + purge < s` is learned from)"
    );

    /// The rows to learn from, and the rows set aside.
    ///
    /// # Errors
    /// [`DataError::TimeNeeded`] for data without a time column, [`DataError::MissingTime`], [`ParameterError`] for
    /// setters out of range and lengths that do not fit the kind of the times, [`DataError::EmptySide`] if no row is left
    /// to learn from, and [`PipelineError::Ignored`](stagewise_core::error::PipelineError) for data with groups.
    pub fn split<T: Task>(&self, data: Dataset<T>, _cx: &FitContext) -> Result<(Dataset<T>, Holdout<T>)> {
        let valid = self.fraction > 0.0 && self.fraction < 1.0;
        ParameterError::check(valid, "fraction", self.fraction, "above 0 and below 1")?;
        self.gap.map_or(Ok(()), |gap| gap.check("gap"))?;
        refuse_groups(Self::TAG, &data, "`GroupHoldout`")?;
        let clock = Clock::of(Self::TAG, &data, self.column.as_deref(), self.label.column())?;
        let rows = clock.rows();
        let aside = ((self.fraction * rows as f64).round() as usize).clamp(1, rows.max(1));
        let begin = clock.begin(rows.saturating_sub(aside));
        let ends = self.label.ends(&data, &clock)?;
        let train = clock.clear(0, begin, self.gap, ends.as_deref())?;
        if train.is_empty() {
            let what = format!("a holdout of the last {}", self.fraction);
            let remedy = "hold fewer rows out, or make gap and purge smaller".to_string();
            return Err(DataError::EmptySide { what, side: "train", remedy }.into());
        }
        Ok((data.take(&train), Holdout::new(data.take(&clock.rows_of(begin..rows)))))
    }
}

impl Persist for TimeHoldout {
    const TAG: &'static str = "TimeHoldout";
}

#[cfg(test)]
mod tests {
    use super::super::tests::{dated, grouped, numbered};
    use super::*;

    fn learned(spec: &TimeHoldout, data: Dataset<stagewise_core::task::Regression>) -> (Vec<f64>, usize) {
        let (train, held) = spec.split(data, &FitContext::new(0)).unwrap();
        (train.target().values().to_vec(), held.rows())
    }

    #[test]
    fn the_last_rows_are_set_aside_and_equal_times_with_them() {
        let data = numbered(&[5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(learned(&TimeHoldout::new(0.4), data), (vec![1.0, 3.0, 4.0], 2));
        let data = numbered(&[1.0, 2.0, 3.0, 3.0, 3.0]);
        assert_eq!(learned(&TimeHoldout::new(0.2), data), (vec![0.0, 1.0], 3));
        let all = TimeHoldout::new(0.2).split(numbered(&[1.0; 5]), &FitContext::new(0)).unwrap_err().to_string();
        assert!(all.starts_with("a holdout of the last 0.2 leaves no row to train on"), "{all}");
    }

    #[test]
    fn gaps_and_open_labels_are_left_out() {
        let data = || dated(&["2023-01-01", "2023-01-11", "2023-01-21", "2023-01-31", "2023-02-10"]);
        let spec = || TimeHoldout::new(0.2);
        assert_eq!(learned(&spec().gap(Span::days(20)), data()), (vec![0.0, 1.0, 2.0], 1));
        assert_eq!(learned(&spec().gap(Span::Rows(2)), data()), (vec![0.0, 1.0], 1));
        assert_eq!(learned(&spec().purge(Span::days(20)), data()), (vec![0.0, 1.0], 1));
        assert_eq!(learned(&spec().label_end("until"), data()), (vec![1.0, 2.0], 1));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let cx = FitContext::new(0);
        let refused = |spec: TimeHoldout| spec.split(numbered(&[1.0, 2.0, 3.0]), &cx).unwrap_err().to_string();
        assert!(refused(TimeHoldout::new(1.0)).contains("above 0 and below 1"));
        assert!(refused(TimeHoldout::new(f64::NAN)).contains("above 0 and below 1"));
        assert!(refused(TimeHoldout::new(0.3).gap(Span::Units(9.0))).contains("no row to train on"));
        assert!(refused(TimeHoldout::new(0.3).gap(Span::days(1))).starts_with("`gap`"));
        let error = TimeHoldout::new(0.3).split(grouped(&[1.0, 2.0], &[1.0, 1.0]), &cx).unwrap_err().to_string();
        assert!(error.contains("would ignore the groups"), "{error}");
    }
}
