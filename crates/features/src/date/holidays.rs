//! Whether a day is a holiday of a given calendar, and how far the next one is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stagewise_core::calendar::{DAY, Date, SECOND};
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
use super::parts::{as_times, check_offset};
use crate::columns::{positions, wrong_cell};
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// Adds whether a day is a holiday, 1 or 0, and if wanted how many days it is from the last one and to the next.
///
/// The calendar is given, day by day (`2024-12-25`) or for every year (`12-25`; 29 February in leap years alone). What is
/// beyond a calendar of days is not known to be no holiday, so give one that reaches as far as the rows will: a day outside
/// the years of the days given, where none is given for every year, is missing.
///
/// Output: the column, then `<column>_holiday`, then `<column>_since_holiday` and `<column>_to_holiday` in whole days, 0 on
/// the day itself, missing where the calendar has none before or behind. Missing stays missing. Nothing is learned.
/// `O(rows · log days)`.
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
/// use stagewise_features::Holidays;
///
/// let days = ["2024-12-25T18:00", "2024-12-30"].map(|day| timestamp(day).unwrap());
/// let table = Table::of([("day", Column::timestamps(days)), ("cost", Column::numbers([1.0, 2.0]))])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let holidays = Holidays::new(timestamps(), ["12-25", "01-01"]).distances(true);
/// let (_, train) = holidays.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("day_holiday")?.as_numbers()?, [1.0, 0.0]);
/// assert_eq!(train.features().column("day_to_holiday")?.as_numbers()?, [0.0, 2.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holidays {
    on: Selector,
    days: Vec<String>,
    distances: bool,
    keep: bool,
    offset_minutes: i32,
}

/// A learned [`Holidays`].
pub type FittedHolidays = Rewrite<HolidayCalendar>;

/// The holidays, and what is told of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HolidayCalendar {
    /// Days since 1970, ascending.
    days: Vec<i64>,
    /// Months and days of every year, ascending.
    yearly: Vec<(i64, i64)>,
    distances: bool,
    keep: bool,
    offset_minutes: i32,
}

impl Holidays {
    /// These days, for these columns, which must be timestamps.
    pub fn new<S: Into<String>>(columns: Selector, days: impl IntoIterator<Item = S>) -> Self {
        let days = days.into_iter().map(Into::into).collect();
        Self { on: columns, days, distances: false, keep: true, offset_minutes: 0 }
    }

    /// Whether to add the days since the last holiday and to the next. Default `false`.
    #[must_use]
    pub fn distances(mut self, distances: bool) -> Self {
        self.distances = distances;
        self
    }

    /// Whether the column itself stays. Default `true`.
    #[must_use]
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// By how many minutes local time is ahead of UTC: −1440 to 1440. Default 0.
    #[must_use]
    pub fn offset_minutes(mut self, minutes: i32) -> Self {
        self.offset_minutes = minutes;
        self
    }

    fn rule(&self) -> Result<HolidayCalendar> {
        check_offset(self.offset_minutes)?;
        ParameterError::check(!self.days.is_empty(), "days", "none", "at least one day")?;
        let (mut days, mut yearly) = (BTreeSet::new(), BTreeSet::new());
        for text in &self.days {
            // A leap year, so that it may be 29 February.
            let of_every_year = (text.trim().len() <= 5).then(|| parse::timestamp(&format!("2000-{}", text.trim())));
            match (of_every_year, parse::timestamp(text)) {
                (Some(Some(micros)), _) => {
                    let Date { month, day, .. } = Date::of_micros(micros);
                    yearly.insert((month, day));
                }
                (None, Some(micros)) => {
                    days.insert(micros.div_euclid(DAY));
                }
                _ => ParameterError::check(false, "days", text, "days such as `2024-12-25` or `12-25`")?,
            }
        }
        let (days, yearly) = (days.into_iter().collect(), yearly.into_iter().collect());
        let Self { distances, keep, offset_minutes, .. } = *self;
        Ok(HolidayCalendar { days, yearly, distances, keep, offset_minutes })
    }
}

impl Persist for Holidays {
    const TAG: &'static str = "Holidays";
}

impl<T: Task> Transformer<T> for Holidays {
    type Fitted = FittedHolidays;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let rule = self.rule()?;
        Ok(plan(input, &positions(&self.on, input, &[Kind::Timestamp])?, true, |field| rule.fields(field)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedHolidays> {
        let rule = self.rule()?;
        let positions = positions(&self.on, train.features().schema(), &[Kind::Timestamp])?;
        Rewrite::learn(train, &positions, cx, |_| Ok(rule.clone()))
    }
}

impl HolidayCalendar {
    /// The last holiday up to a day, and the first from it on.
    fn around(&self, day: i64) -> [Option<i64>; 2] {
        let at = self.days.partition_point(|&holiday| holiday < day);
        let next = self.days.get(at).copied();
        let last = if next == Some(day) { next } else { at.checked_sub(1).map(|at| self.days[at]) };
        let Date { year, .. } = Date::of_days(day);
        // 29 February may be eight years away.
        let yearly = |year: i64| self.yearly.iter().filter_map(move |&(month, day)| Date { year, month, day }.days());
        let before = (0..=8).find_map(|back| yearly(year - back).filter(|holiday| *holiday <= day).max());
        let behind = (0..=8).find_map(|on| yearly(year + on).filter(|holiday| *holiday >= day).min());
        [last.max(before), next.into_iter().chain(behind).min()]
    }

    /// Whether it is a holiday, and the days since the last and to the next; NaN where that is not known.
    fn values(&self, micros: i64) -> [f64; 3] {
        let day = micros.saturating_add(i64::from(self.offset_minutes) * 60 * SECOND).div_euclid(DAY);
        let year = |days: Option<&i64>| days.map(|&days| Date::of_days(days).year);
        let (first, last, here) = (year(self.days.first()), year(self.days.last()), year(Some(&day)));
        if self.yearly.is_empty() && (here < first || here > last) {
            return [f64::NAN; 3];
        }
        let [last, next] = self.around(day);
        let away = |holiday: Option<i64>| holiday.map_or(f64::NAN, |holiday| (holiday - day).abs() as f64);
        [f64::from(u8::from(next == Some(day))), away(last), away(next)]
    }

    fn told(&self) -> usize {
        if self.distances { 3 } else { 1 }
    }
}

impl ColumnRule for HolidayCalendar {
    const TAG: &'static str = "FittedHolidays";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let told = ["holiday", "since_holiday", "to_holiday"].map(|what| {
            // What lies outside the calendar is missing.
            number(format!("{}_{what}", field.name), field).missing(true)
        });
        let own = self.keep.then(|| field.clone());
        own.into_iter().chain(told.into_iter().take(self.told())).collect()
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        let times = as_times(&column)?;
        let mut told = vec![vec![f64::NAN; times.len()]; self.told()];
        for (row, &micros) in times.iter().enumerate().filter(|(_, micros)| **micros != MISSING_TIME) {
            told.iter_mut().zip(self.values(micros)).for_each(|(values, value)| values[row] = value);
        }
        out.extend(self.keep.then_some(column));
        out.extend(told.into_iter().map(Column::numbers));
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        let values = match cell {
            Cell::Timestamp(micros) => self.values(*micros),
            Cell::Missing => [f64::NAN; 3],
            other => return Err(wrong_cell(Kind::Timestamp, other)),
        };
        out.extend(self.keep.then(|| cell.clone()));
        out.extend(values.into_iter().take(self.told()).map(Cell::number));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::timestamps;
    use stagewise_core::task::Regression;
    use stagewise_testkit::conformance;

    fn rule(days: &[&str]) -> HolidayCalendar {
        Holidays::new(timestamps(), days.iter().copied()).rule().unwrap()
    }

    fn at(rule: &HolidayCalendar, day: &str) -> [f64; 3] {
        rule.values(parse::timestamp(day).unwrap())
    }

    #[test]
    fn conforms() {
        let data = crate::test_tables::times(40);
        conformance::transformer(&Holidays::new(timestamps(), ["2024-02-03", "12-25"]).distances(true), &data);
        conformance::transformer(&Holidays::new(timestamps(), ["2024-02-03"]).keep(false), &data);
    }

    #[test]
    fn days_and_yearly_days_are_one_calendar() {
        let rule = rule(&["2024-12-24", "12-25", "01-01"]);
        assert_eq!(at(&rule, "2024-12-24T23:59"), [1.0, 0.0, 0.0]);
        assert_eq!(at(&rule, "2024-12-28"), [0.0, 3.0, 4.0]);
        assert_eq!(at(&rule, "2025-12-24"), [0.0, 357.0, 1.0]);
        // Yearly days reach everywhere.
        assert_eq!(at(&rule, "1950-12-25"), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn the_leap_day_comes_in_leap_years() {
        let rule = rule(&["02-29"]);
        assert_eq!(at(&rule, "2024-02-29")[0], 1.0);
        assert_eq!(at(&rule, "2023-02-28"), [0.0, 1095.0, 366.0]);
        // 1900 was none.
        assert_eq!(at(&rule, "1900-03-01")[1..], [1461.0, 1460.0]);
    }

    #[test]
    fn beyond_the_calendar_nothing_is_known() {
        let rule = rule(&["2023-12-25", "2024-12-25"]);
        assert!(at(&rule, "2022-12-25").iter().all(|x| x.is_nan()));
        let first = at(&rule, "2023-01-01");
        assert!(first[0] == 0.0 && first[1].is_nan() && first[2] == 358.0);
    }

    #[test]
    fn a_day_that_is_none_is_refused() {
        let data = crate::test_tables::times(5);
        for days in [vec!["christmas"], vec!["13-01"], vec!["2023-02-29"], vec![]] {
            let spec = Holidays::new(timestamps(), days);
            assert!(Transformer::<Regression>::plan(&spec, data.features().schema()).is_err());
        }
    }
}
