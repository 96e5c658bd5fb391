//! When each row was: one order in time for date-times and for numbers, lengths of time, and calendar periods.
//!
//! Times are microseconds or finite numbers; the two are never mixed. Equal times have no order among each other, so a
//! split in time never cuts between them.

use serde::{Deserialize, Serialize};
use stagewise_core::calendar::{DAY, Date, SECOND};
use stagewise_core::column::Column;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, ErrorKind, ParameterError, Result, SchemaError};
use stagewise_core::schema::{Kind, Role};
use stagewise_core::task::Task;

/// A length along the order in time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Span {
    /// This many rows in the order of time.
    Rows(usize),
    /// This many periods, in a split by [`Period`].
    Periods(usize),
    /// This many microseconds, for a time column of date-times.
    Micros(i64),
    /// This much, for a time column of numbers.
    Units(f64),
}

impl Span {
    /// This many seconds.
    pub fn seconds(seconds: u32) -> Self {
        Self::Micros(i64::from(seconds) * SECOND)
    }

    /// This many hours of 3600 seconds.
    pub fn hours(hours: u32) -> Self {
        Self::Micros(i64::from(hours) * 3600 * SECOND)
    }

    /// This many days of 24 hours.
    pub fn days(days: u32) -> Self {
        Self::Micros(i64::from(days).saturating_mul(DAY))
    }

    pub(in crate::split) fn check(self, name: &'static str) -> Result<()> {
        let valid = match self {
            Self::Rows(_) | Self::Periods(_) => true,
            Self::Micros(micros) => micros >= 0,
            Self::Units(units) => units.is_finite() && units >= 0.0,
        };
        ParameterError::check(valid, name, format!("{self:?}"), "a finite length, at least 0")
    }

    pub(super) fn refused(self, name: &'static str) -> stagewise_core::Error {
        let allowed =
            "rows, `Micros` for date-times, `Units` for numbers; `Periods` for gap and window of a split by period";
        ErrorKind::from(ParameterError { name, value: format!("{self:?}"), allowed }).into()
    }
}

/// A part of the calendar, in UTC, or of the number line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Period {
    /// An hour of the clock.
    Hour,
    /// A day from midnight on.
    Day,
    /// A week from Monday on.
    Week,
    /// A month of the calendar.
    Month,
    /// A quarter of the calendar.
    Quarter,
    /// A year of the calendar.
    Year,
    /// For times that are numbers: this much, counted from 0.
    Units(f64),
}

impl Period {
    /// The number of the period that holds `point`; later points never have smaller numbers.
    pub(super) fn number(self, point: Point) -> Result<i64> {
        if let (Self::Units(width), Point::Number(value)) = (self, point) {
            let valid = width.is_finite() && width > 0.0;
            ParameterError::check(valid, "period", format!("{self:?}"), "a finite length above 0")?;
            return Ok((value / width).floor() as i64);
        }
        let Point::Micros(micros) = point else { return Err(self.refused()) };
        let days = micros.div_euclid(DAY);
        let Date { year, month, .. } = Date::of_days(days);
        match self {
            Self::Hour => Ok(micros.div_euclid(3600 * SECOND)),
            Self::Day => Ok(days),
            // 1970 began on a Thursday.
            Self::Week => Ok((days + 3).div_euclid(7)),
            Self::Month => Ok(year * 12 + month - 1),
            Self::Quarter => Ok(year * 4 + (month - 1) / 3),
            Self::Year => Ok(year),
            Self::Units(_) => Err(self.refused()),
        }
    }

    fn refused(self) -> stagewise_core::Error {
        let allowed = "`Units` where times are numbers, a part of the calendar where they are date-times";
        ErrorKind::from(ParameterError { name: "period", value: format!("{self:?}"), allowed }).into()
    }
}

/// A point in time. All points of a clock are of one variant, and numbers are finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(in crate::split) enum Point {
    Micros(i64),
    Number(f64),
}

impl Point {
    pub(super) fn after(self, span: Span, name: &'static str) -> Result<Self> {
        match (self, span) {
            (Self::Micros(at), Span::Micros(micros)) => Ok(Self::Micros(at.saturating_add(micros))),
            (Self::Number(at), Span::Units(units)) => Ok(Self::Number(at + units)),
            _ => Err(span.refused(name)),
        }
    }

    pub(super) fn before(self, span: Span, name: &'static str) -> Result<Self> {
        match (self, span) {
            (Self::Micros(at), Span::Micros(micros)) => Ok(Self::Micros(at.saturating_sub(micros))),
            (Self::Number(at), Span::Units(units)) => Ok(Self::Number(at - units)),
            _ => Err(span.refused(name)),
        }
    }

    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal)
    }
}

/// The times of all rows, and the rows in their order.
pub(in crate::split) struct Clock {
    points: Vec<Point>,
    order: Vec<usize>,
}

impl Clock {
    /// Reads the column of this name, or else the one of the role time that is not `except`.
    pub(in crate::split) fn of<T: Task>(
        stage: &str,
        data: &Dataset<T>,
        column: Option<&str>,
        except: Option<&str>,
    ) -> Result<Self> {
        let fields = data.aside().schema().fields();
        let mut times = fields.iter().filter(|field| field.role == Role::Time && except != Some(field.name.as_ref()));
        let name = match (column, times.next(), times.next()) {
            (Some(name), ..) => name,
            (None, Some(field), None) => field.name.as_ref(),
            (None, None, _) => return Err(DataError::TimeNeeded { what: stage.into() }.into()),
            (None, Some(first), Some(second)) => {
                let value = format!("not given, and both `{}` and `{}` have the role time", first.name, second.name);
                let allowed = "the name of the column that orders the rows";
                return Err(ErrorKind::from(ParameterError { name: "column", value, allowed }).into());
            }
        };
        let points = points(data, name)?;
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&a, &b| points[a].order(&points[b]));
        Ok(Self { points, order })
    }

    pub(in crate::split) fn rows(&self) -> usize {
        self.order.len()
    }

    /// The row at a place in the order.
    pub(super) fn row(&self, place: usize) -> usize {
        self.order[place]
    }

    /// When the row at a place in the order was.
    pub(super) fn at(&self, place: usize) -> Point {
        self.points[self.order[place]]
    }

    /// How many rows come first by `early`, which holds for a beginning of the order.
    pub(super) fn count(&self, early: impl Fn(Point) -> bool) -> usize {
        self.order.partition_point(|&row| early(self.points[row]))
    }

    /// The first place of the time that `place` has.
    pub(in crate::split) fn begin(&self, place: usize) -> usize {
        if place >= self.rows() {
            return self.rows();
        }
        let at = self.at(place);
        self.count(|point| point < at)
    }

    /// The rows from the place `first` on that are clear of those from the place `begin` on, ascending: by the gap before it,
    /// and with a label that is known before.
    pub(in crate::split) fn clear(
        &self,
        first: usize,
        begin: usize,
        gap: Option<Span>,
        ends: Option<&[Point]>,
    ) -> Result<Vec<usize>> {
        if begin == 0 || begin >= self.rows() {
            return Ok(Vec::new());
        }
        let start = self.at(begin);
        let end = match gap {
            None => begin,
            Some(Span::Rows(gap)) => begin.saturating_sub(gap),
            Some(gap) => {
                let edge = start.before(gap, "gap")?;
                self.count(|point| point <= edge).min(begin)
            }
        };
        Ok(self.rows_of((first..end).filter(|&place| ends.is_none_or(|ends| ends[place] < start))))
    }

    /// The rows at these places, ascending.
    pub(in crate::split) fn rows_of(&self, places: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut rows: Vec<usize> = places.map(|place| self.order[place]).collect();
        rows.sort_unstable();
        rows
    }
}

/// The times in a column of any role.
pub(super) fn points<T: Task>(data: &Dataset<T>, name: &str) -> Result<Vec<Point>> {
    let column = data.aside().column(name).or_else(|_| data.features().column(name))?;
    read(column).at(|| Crumb::column(name))
}

fn read(column: &Column) -> Result<Vec<Point>> {
    let count = column.missing_count();
    if count > 0 {
        let missing = |row: &usize| column.cell(*row) == stagewise_core::record::Cell::Missing;
        let first = (0..column.len()).find(missing).unwrap_or(0);
        return Err(DataError::MissingTime { count, first }.into());
    }
    match column {
        Column::Timestamp(values) => Ok(values.iter().map(|&micros| Point::Micros(micros)).collect()),
        // A negative zero is a zero.
        Column::Number(_) => Ok(column.require_finite()?.iter().map(|value| Point::Number(value + 0.0)).collect()),
        other => Err(SchemaError::WrongKind { expected: Kind::Timestamp, found: other.kind() }.into()),
    }
}

/// What a row must not know: where its label is still open while others judge.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(in crate::split) enum Label {
    /// Labels are known at once.
    #[default]
    AtOnce,
    /// They are known after this long.
    After(Span),
    /// A column says when.
    Column(String),
}

/// The setters of a splitter that holds its [`Label`] in the field `label` and the name of the column that orders the rows in
/// `column`; what a purge does to rows is said by the splitter.
macro_rules! time_setters {
    ($purged:literal) => {
        #[doc = concat!("Labels are known this long after the row", $purged, ". Default: labels are known at once.")]
        #[must_use]
        pub fn purge(mut self, horizon: Span) -> Self {
            self.label = Label::After(horizon);
            self
        }

        /// The column that says when the label of each row is known, in place of [`purge`](Self::purge): of the kind of the
        /// time column, without missing values, and with the role time or id, for no model may see it.
        #[must_use]
        pub fn label_end(mut self, column: impl Into<String>) -> Self {
            self.label = Label::Column(column.into());
            self
        }

        /// The column that orders the rows. Default: the one of the role time.
        #[must_use]
        pub fn column(mut self, name: impl Into<String>) -> Self {
            self.column = Some(name.into());
            self
        }
    };
}
pub(super) use time_setters;

impl Label {
    /// The column that it names.
    pub(in crate::split) fn column(&self) -> Option<&str> {
        match self {
            Self::Column(name) => Some(name),
            _ => None,
        }
    }

    /// When each label is known, by place in the order; none if at once.
    pub(in crate::split) fn ends<T: Task>(&self, data: &Dataset<T>, clock: &Clock) -> Result<Option<Vec<Point>>> {
        let rows = clock.rows();
        match self {
            Self::AtOnce => Ok(None),
            // What is known as many rows later is known at the time of that row, or after the last.
            Self::After(Span::Rows(later)) => {
                let end = |place: usize| clock.at(place.saturating_add(*later).min(rows - 1));
                Ok(Some((0..rows).map(end).collect()))
            }
            Self::After(span) => {
                span.check("purge")?;
                (0..rows).map(|place| clock.at(place).after(*span, "purge")).collect::<Result<_>>().map(Some)
            }
            Self::Column(name) => {
                let ends = points(data, name)?;
                if ends.first().map(std::mem::discriminant) != clock.points.first().map(std::mem::discriminant) {
                    let value = format!("`{name}`");
                    let allowed = "a column of the kind of the time column";
                    return Err(ErrorKind::from(ParameterError { name: "label_end", value, allowed }).into());
                }
                Ok(Some((0..rows).map(|place| ends[clock.row(place)]).collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_where_the_calendar_says() {
        // 2023-12-31T23:30Z is a Sunday; 2024-01-01 a Monday.
        let sunday = Point::Micros(1_704_065_400 * SECOND);
        let monday = Point::Micros(1_704_067_200 * SECOND);
        let periods = [Period::Hour, Period::Day, Period::Week, Period::Month, Period::Quarter, Period::Year];
        for period in periods {
            assert_eq!(period.number(monday).unwrap() - period.number(sunday).unwrap(), 1, "{period:?}");
            assert!(period.number(Point::Number(1.0)).is_err());
        }
        assert_eq!(Period::Month.number(Point::Micros(-1)).unwrap(), 1969 * 12 + 11);
        assert_eq!(Period::Units(0.5).number(Point::Number(-0.1)).unwrap(), -1);
        assert!(Period::Units(0.0).number(Point::Number(1.0)).is_err());
        assert!(Period::Units(1.0).number(monday).is_err());
    }

    #[test]
    fn lengths_do_not_overflow() {
        let last = Point::Micros(i64::MAX);
        assert_eq!(last.after(Span::days(u32::MAX), "gap").unwrap(), last);
        assert!(Point::Number(1.0).before(Span::days(1), "gap").is_err());
        assert!(Span::Units(f64::NAN).check("gap").is_err() && Span::Micros(-1).check("gap").is_err());
    }
}
