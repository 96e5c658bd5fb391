//! Points in time become the time since a given one.

use serde::{Deserialize, Serialize};
use stagewise_core::calendar::{DAY, SECOND};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::{Cell, parse};
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::number;
use super::parts::as_times;
use crate::columns::{positions, wrong_cell};
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// In what a length of time is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    #[default]
    Days,
    /// Weeks of seven days.
    Weeks,
    /// Mean years of 365.2425 days.
    Years,
}

impl TimeUnit {
    /// Its name in a column's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Weeks => "weeks",
            Self::Years => "years",
        }
    }

    /// From one point in time to another: negative if it lies before.
    pub(super) fn between(self, from: i64, to: i64) -> f64 {
        let micros = match self {
            Self::Seconds => SECOND as f64,
            Self::Hours => (3600 * SECOND) as f64,
            Self::Days => DAY as f64,
            Self::Weeks => (7 * DAY) as f64,
            Self::Years => 365.2425 * DAY as f64,
        };
        // Apart they may be further than 64 bits reach.
        (i128::from(to) - i128::from(from)) as f64 / micros
    }
}

/// Adds the time since a given point in time: `<column>_days` and so on, negative before it.
///
/// A trend that goes on, where parts of the calendar come again. The column itself stays unless [`keep`](Self::keep) says
/// otherwise. Missing stays missing. Nothing is learned. `O(rows)`.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::record::parse::timestamp;
/// use stagewise_core::select::timestamps;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::TimeSince;
///
/// let days = ["2024-03-01", "2024-02-28T12:00"].map(|day| timestamp(day).unwrap());
/// let table = Table::of([("day", Column::timestamps(days)), ("cost", Column::numbers([1.0, 2.0]))])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = TimeSince::new(timestamps(), "2024-02-28").keep(false).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("day_days")?.as_numbers()?, [2.0, 0.5]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeSince {
    on: Selector,
    start: String,
    unit: TimeUnit,
    keep: bool,
}

/// A learned [`TimeSince`].
pub type FittedTimeSince = Rewrite<SinceStart>;

/// What becomes of one column of points in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SinceStart {
    start: i64,
    unit: TimeUnit,
    keep: bool,
}

impl TimeSince {
    /// The time from `start`, as a file would write it, to these columns, which must be timestamps.
    pub fn new(columns: Selector, start: impl Into<String>) -> Self {
        Self { on: columns, start: start.into(), unit: TimeUnit::Days, keep: true }
    }

    /// In what it is told. Default: days.
    #[must_use]
    pub fn unit(mut self, unit: TimeUnit) -> Self {
        self.unit = unit;
        self
    }

    /// Whether the column itself stays. Default `true`.
    #[must_use]
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    fn rule(&self) -> Result<SinceStart> {
        let start = parse::timestamp(&self.start);
        let allowed = "a point in time such as `2024-02-29` or `2024-02-29T12:30`";
        ParameterError::check(start.is_some(), "start", &self.start, allowed)?;
        Ok(SinceStart { start: start.unwrap_or(0), unit: self.unit, keep: self.keep })
    }
}

impl Persist for TimeSince {
    const TAG: &'static str = "TimeSince";
}

impl<T: Task> Transformer<T> for TimeSince {
    type Fitted = FittedTimeSince;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let rule = self.rule()?;
        Ok(plan(input, &positions(&self.on, input, &[Kind::Timestamp])?, true, |field| rule.fields(field)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedTimeSince> {
        let rule = self.rule()?;
        let positions = positions(&self.on, train.features().schema(), &[Kind::Timestamp])?;
        Rewrite::learn(train, &positions, cx, |_| Ok(rule.clone()))
    }
}

impl ColumnRule for SinceStart {
    const TAG: &'static str = "FittedTimeSince";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let since = number(format!("{}_{}", field.name, self.unit.name()), field);
        if self.keep { vec![field.clone(), since] } else { vec![since] }
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        let since = |&at: &i64| if at == MISSING_TIME { f64::NAN } else { self.unit.between(self.start, at) };
        let numbers = Column::numbers(as_times(&column)?.iter().map(since).collect::<Vec<_>>());
        out.extend(self.keep.then_some(column));
        out.push(numbers);
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        let since = match cell {
            Cell::Timestamp(at) => Cell::Number(self.unit.between(self.start, *at)),
            Cell::Missing => Cell::Missing,
            other => return Err(wrong_cell(Kind::Timestamp, other)),
        };
        out.extend(self.keep.then(|| cell.clone()));
        out.push(since);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::timestamps;
    use stagewise_core::task::Regression;
    use stagewise_testkit::conformance;

    #[test]
    fn conforms() {
        let data = crate::test_tables::times(40);
        conformance::transformer(&TimeSince::new(timestamps(), "2024-01-01"), &data);
        conformance::transformer(&TimeSince::new(timestamps(), "2024-01-01").keep(false).unit(TimeUnit::Hours), &data);
    }

    #[test]
    fn units_are_as_long_as_they_say() {
        let at = |text: &str| parse::timestamp(text).unwrap();
        let (from, to) = (at("2023-01-01"), at("2023-01-15"));
        let lengths = [TimeUnit::Seconds, TimeUnit::Hours, TimeUnit::Days, TimeUnit::Weeks];
        assert_eq!(lengths.map(|unit| unit.between(from, to)), [1_209_600.0, 336.0, 14.0, 2.0]);
        assert_eq!(TimeUnit::Days.between(to, from), -14.0);
        assert_eq!(TimeUnit::Years.between(at("2000-01-01"), at("2400-01-01")), 400.0);
        assert!(TimeUnit::Days.between(i64::MIN + 1, i64::MAX) > 2e8);
    }

    #[test]
    fn a_start_that_is_no_time_is_refused() {
        let data = crate::test_tables::times(5);
        let spec = TimeSince::new(timestamps(), "yesterday");
        let error = Transformer::<Regression>::plan(&spec, data.features().schema()).unwrap_err();
        assert!(error.to_string().contains("yesterday"), "{error}");
    }
}
