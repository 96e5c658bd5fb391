//! Points in time become parts of the calendar.

use serde::{Deserialize, Serialize};
use stagewise_core::calendar::{DAY, Date, SECOND};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result, SchemaError};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::number;
use crate::columns::{positions, wrong_cell};
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// A part of the calendar or of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DatePart {
    /// The year.
    Year,
    /// 1 to 4.
    Quarter,
    /// 1 to 12.
    Month,
    /// 1 to 53, by ISO 8601.
    Week,
    /// 1 to 366.
    DayOfYear,
    /// 1 to 31.
    Day,
    /// 0, Monday, to 6.
    Weekday,
    /// 1 on Saturday and Sunday, else 0.
    Weekend,
    /// 0 to 23.
    Hour,
    /// 0 to 59.
    Minute,
    /// 0 to 59, with the fraction.
    Second,
}

impl DatePart {
    fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Quarter => "quarter",
            Self::Month => "month",
            Self::Week => "week",
            Self::DayOfYear => "day_of_year",
            Self::Day => "day",
            Self::Weekday => "weekday",
            Self::Weekend => "weekend",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }

    /// Its smallest value and after how many it begins again, if it does.
    fn cycle(self) -> Option<(f64, f64)> {
        match self {
            Self::Year | Self::Weekend => None,
            Self::Quarter => Some((1.0, 4.0)),
            Self::Month => Some((1.0, 12.0)),
            // The mean length of a year.
            Self::Week => Some((1.0, 365.2425 / 7.0)),
            Self::DayOfYear => Some((1.0, 365.2425)),
            Self::Day => Some((1.0, 31.0)),
            Self::Weekday => Some((0.0, 7.0)),
            Self::Hour => Some((0.0, 24.0)),
            Self::Minute | Self::Second => Some((0.0, 60.0)),
        }
    }

    fn of(self, date: Date, time_of_day: i64) -> f64 {
        let whole = match self {
            Self::Year => date.year,
            Self::Quarter => (date.month + 2) / 3,
            Self::Month => date.month,
            Self::Week => date.week(),
            Self::DayOfYear => date.day_of_year(),
            Self::Day => date.day,
            Self::Weekday => date.weekday(),
            Self::Weekend => i64::from(date.weekday() >= 5),
            Self::Hour => time_of_day / (3600 * SECOND),
            Self::Minute => time_of_day / (60 * SECOND) % 60,
            Self::Second => return (time_of_day % (60 * SECOND)) as f64 / SECOND as f64,
        };
        whole as f64
    }
}

/// Makes numbers of points in time: a column for each part of the calendar.
///
/// | part | values |
/// |---|---|
/// | year, quarter, month, day | as they are called |
/// | week | 1 to 53, by ISO 8601 |
/// | day of year | 1 to 366 |
/// | weekday | 0, Monday, to 6 |
/// | weekend | 1 on Saturday and Sunday, else 0 |
/// | hour, minute, second | by the clock; seconds with their fraction |
///
/// [Cyclic](Self::cyclic) parts come as a pair instead, `sin(2π (x − first) / length)` and its cosine, so that December
/// lies beside January: the length of a week of the year and of a day of the year is that of a mean year, 365.2425 days. The
/// year and the weekend have no cycle and come as they are.
///
/// Output: `<column>_<part>`, or `<column>_<part>_sin` and `…_cos`, in place of the column. Missing stays missing. Nothing
/// is learned. `O(rows)` a part.
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
/// use stagewise_features::{DatePart, DateParts};
///
/// let days = ["2024-12-30", "2025-01-05"].map(|day| timestamp(day).unwrap());
/// let table = Table::of([("day", Column::timestamps(days)), ("cost", Column::numbers([1.0, 2.0]))])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let parts = DateParts::on(timestamps()).parts([DatePart::Year, DatePart::Weekday]);
/// let (_, train) = parts.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("day_year")?.as_numbers()?, [2024.0, 2025.0]);
/// assert_eq!(train.features().column("day_weekday")?.as_numbers()?, [0.0, 6.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against pandas 3.1.1 `Series.dt`, to the bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DateParts {
    on: Selector,
    parts: Vec<DatePart>,
    cyclic: bool,
    offset_minutes: i32,
}

/// A learned [`DateParts`].
pub type FittedDateParts = Rewrite<PartsOf>;

/// What becomes of one column of points in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartsOf {
    parts: Vec<DatePart>,
    cyclic: bool,
    offset_minutes: i32,
}

impl DateParts {
    /// Takes these columns, which must be timestamps.
    pub fn on(columns: Selector) -> Self {
        let parts = vec![DatePart::Year, DatePart::Month, DatePart::Day, DatePart::Weekday];
        Self { on: columns, parts, cyclic: false, offset_minutes: 0 }
    }

    /// The parts, in the order of the columns. Default: year, month, day, weekday.
    #[must_use]
    pub fn parts(mut self, parts: impl IntoIterator<Item = DatePart>) -> Self {
        self.parts = parts.into_iter().collect();
        self
    }

    /// Whether parts that begin again come as sine and cosine. Default `false`.
    #[must_use]
    pub fn cyclic(mut self, cyclic: bool) -> Self {
        self.cyclic = cyclic;
        self
    }

    /// By how many minutes local time is ahead of UTC: −1440 to 1440. Default 0.
    #[must_use]
    pub fn offset_minutes(mut self, minutes: i32) -> Self {
        self.offset_minutes = minutes;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        ParameterError::check(!self.parts.is_empty(), "parts", "none", "at least one part")?;
        check_offset(self.offset_minutes)?;
        positions(&self.on, input, &[Kind::Timestamp])
    }

    fn rule(&self) -> PartsOf {
        PartsOf { parts: self.parts.clone(), cyclic: self.cyclic, offset_minutes: self.offset_minutes }
    }
}

pub(super) fn check_offset(minutes: i32) -> Result<()> {
    ParameterError::check(minutes.abs() <= 1440, "offset_minutes", minutes, "-1440 to 1440")
}

impl Persist for DateParts {
    const TAG: &'static str = "DateParts";
}

impl<T: Task> Transformer<T> for DateParts {
    type Fitted = FittedDateParts;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| self.rule().fields(field)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedDateParts> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |_| Ok(self.rule()))
    }
}

impl PartsOf {
    /// The value of each part, one or two, at a point in time.
    fn values(&self, micros: i64, mut put: impl FnMut(usize, f64)) {
        let local = micros.saturating_add(i64::from(self.offset_minutes) * 60 * SECOND);
        let (date, time_of_day) = (Date::of_micros(local), local.rem_euclid(DAY));
        let mut place = 0;
        for part in &self.parts {
            let value = part.of(date, time_of_day);
            match part.cycle().filter(|_| self.cyclic) {
                None => put(place, value),
                Some((first, length)) => {
                    let angle = std::f64::consts::TAU * ((value - first) / length);
                    put(place, angle.sin());
                    place += 1;
                    put(place, angle.cos());
                }
            }
            place += 1;
        }
    }

    fn width(&self) -> usize {
        self.parts.iter().map(|part| 1 + usize::from(self.cyclic && part.cycle().is_some())).sum()
    }
}

impl ColumnRule for PartsOf {
    const TAG: &'static str = "FittedDateParts";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let of = |part: &DatePart| {
            let name = format!("{}_{}", field.name, part.name());
            if self.cyclic && part.cycle().is_some() {
                vec![number(format!("{name}_sin"), field), number(format!("{name}_cos"), field)]
            } else {
                vec![number(name, field)]
            }
        };
        self.parts.iter().flat_map(of).collect()
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        let times = as_times(&column)?;
        let mut parts = vec![vec![f64::NAN; times.len()]; self.width()];
        for (row, &micros) in times.iter().enumerate().filter(|(_, micros)| **micros != MISSING_TIME) {
            self.values(micros, |place, value| parts[place][row] = value);
        }
        out.extend(parts.into_iter().map(Column::numbers));
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        match cell {
            Cell::Timestamp(micros) => self.values(*micros, |_, value| out.push(Cell::Number(value))),
            Cell::Missing => out.extend((0..self.width()).map(|_| Cell::Missing)),
            other => return Err(wrong_cell(Kind::Timestamp, other)),
        }
        Ok(())
    }
}

/// The points in time of a column.
pub(super) fn as_times(column: &Column) -> Result<&[i64]> {
    match column {
        Column::Timestamp(times) => Ok(times),
        other => Err(SchemaError::WrongKind { expected: Kind::Timestamp, found: other.kind() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::problem::Problem;
    use stagewise_core::record::parse::timestamp;
    use stagewise_core::select::timestamps;
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, golden};

    const ALL: [DatePart; 11] = [
        DatePart::Year,
        DatePart::Quarter,
        DatePart::Month,
        DatePart::Week,
        DatePart::DayOfYear,
        DatePart::Day,
        DatePart::Weekday,
        DatePart::Weekend,
        DatePart::Hour,
        DatePart::Minute,
        DatePart::Second,
    ];

    #[test]
    fn conforms() {
        let data = crate::test_tables::times(50);
        conformance::transformer(&DateParts::on(timestamps()), &data);
        conformance::transformer(&DateParts::on(timestamps()).parts(ALL).cyclic(true).offset_minutes(90), &data);
        conformance::transformer(&DateParts::on(timestamps()), &stagewise_testkit::data::binary(30, 1));
    }

    #[test]
    fn equals_pandas() {
        let golden = golden::load("date_parts.json");
        for case in &golden.cases {
            let texts = case.value("/input/times").as_array().unwrap();
            let times: Vec<i64> = texts.iter().map(|text| timestamp(text.as_str().unwrap()).unwrap()).collect();
            let table = Table::of([("t", Column::timestamps(times)), ("y", Column::numbers(vec![0.0; texts.len()]))]);
            let train = Dataset::new(table.unwrap(), &Problem::<Regression>::new("y")).unwrap();
            let spec = DateParts::on(timestamps()).parts(ALL);
            let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
            let out = fitted.transform(train.features().clone()).unwrap();
            for part in ALL {
                let found = out.column(&format!("t_{}", part.name())).unwrap().as_numbers().unwrap();
                golden.assert_all_close(found, &case.numbers(&format!("/expected/{}", part.name())), part.name());
            }
        }
    }

    #[test]
    fn cycles_close_and_years_stay() {
        let rule = PartsOf { parts: vec![DatePart::Year, DatePart::Month], cyclic: true, offset_minutes: 0 };
        let at = |day: &str| {
            let mut values = Vec::new();
            rule.values(timestamp(day).unwrap(), |_, value| values.push(value));
            values
        };
        assert_eq!(at("2024-01-01"), [2024.0, 0.0, 1.0]);
        let (december, february) = (at("2024-12-01"), at("2024-02-01"));
        assert!((december[1] + february[1]).abs() < 1e-15 && (december[2] - february[2]).abs() < 1e-15);
    }

    #[test]
    fn local_days_begin_at_local_midnight() {
        let rule = PartsOf { parts: vec![DatePart::Day, DatePart::Hour], cyclic: false, offset_minutes: -60 };
        let mut values = Vec::new();
        rule.values(timestamp("2024-03-01T00:30").unwrap(), |_, value| values.push(value));
        assert_eq!(values, [29.0, 23.0]);
    }

    #[test]
    fn hyper_parameters_out_of_range_are_refused() {
        let data = crate::test_tables::times(5);
        let message = |spec: DateParts| Transformer::<Regression>::plan(&spec, data.features().schema()).unwrap_err();
        assert!(message(DateParts::on(timestamps()).parts([])).to_string().contains("parts"));
        assert!(message(DateParts::on(timestamps()).offset_minutes(2000)).to_string().contains("offset_minutes"));
    }
}
