//! Days and points in time of the proleptic Gregorian calendar, in UTC.
//!
//! A point in time is a number of microseconds since 1970-01-01T00:00:00Z, a day a number of days since then. The ways
//! between days and dates are Hinnant's (2013), `days_from_civil` and `civil_from_days`.

/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds of a day.
pub const DAY: i64 = 86_400 * SECOND;

/// A day by its name.
///
/// ```
/// use stagewise_core::calendar::Date;
///
/// let date = Date { year: 2024, month: 12, day: 30 };
/// assert_eq!(date.days(), Some(20_087));
/// assert_eq!(Date::of_days(20_087), date);
/// assert_eq!((date.weekday(), date.day_of_year(), date.week()), (0, 365, 1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// The year; 0 is 1 BC.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: i64,
    /// The day of the month, 1 to 31.
    pub day: i64,
}

impl Date {
    /// The date of a day.
    pub fn of_days(days: i64) -> Self {
        let shifted = days.saturating_add(719_468);
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self { year: year + era * 400 + i64::from(month <= 2), month, day: of_year - (153 * shifted_month + 2) / 5 + 1 }
    }

    /// The date of a point in time.
    pub fn of_micros(micros: i64) -> Self {
        Self::of_days(micros.div_euclid(DAY))
    }

    /// Its day; none for a date that the calendar does not have.
    pub fn days(self) -> Option<i64> {
        let there = (1..=12).contains(&self.month) && (1..=self.days_of_month()).contains(&self.day);
        (there && self.year.abs() < 1_000_000).then(|| self.days_unchecked())
    }

    fn days_unchecked(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// The day of the week: 0 is Monday.
    pub fn weekday(self) -> i64 {
        // 1970 began on a Thursday.
        (self.days_unchecked() + 3).rem_euclid(7)
    }

    /// The day of the year, from 1 on.
    pub fn day_of_year(self) -> i64 {
        self.days_unchecked() - Self { month: 1, day: 1, ..self }.days_unchecked() + 1
    }

    /// The week by ISO 8601, 1 to 53: weeks begin on Monday, and the first has the year's first Thursday.
    pub fn week(self) -> i64 {
        let thursday = Self::of_days(self.days_unchecked() + 3 - self.weekday());
        (thursday.day_of_year() + 6) / 7
    }

    /// How many days its month has.
    pub fn days_of_month(self) -> i64 {
        let leap = (self.year % 4 == 0 && self.year % 100 != 0) || self.year % 400 == 0;
        match self.month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_lead_back_to_each_other() {
        let mut last = Date { year: 0, month: 1, day: 1 };
        for days in -800_000..800_000 {
            let date = Date::of_days(days);
            assert_eq!(date.days(), Some(days));
            assert_eq!(date.weekday(), (days + 3).rem_euclid(7));
            assert!(days == -800_000 || date > last);
            last = date;
        }
    }

    /// From Python 3.11, `datetime.date.isocalendar` and `timetuple`.
    #[test]
    fn weeks_are_those_of_iso_8601() {
        let cases = [
            (2005, 1, 1, 53, 5, 1),
            (2005, 12, 31, 52, 5, 365),
            (2008, 12, 29, 1, 0, 364),
            (2010, 1, 3, 53, 6, 3),
            (2020, 12, 31, 53, 3, 366),
            (1900, 3, 1, 9, 3, 60),
            (1, 1, 1, 1, 0, 1),
        ];
        for (year, month, day, week, weekday, of_year) in cases {
            let date = Date { year, month, day };
            assert_eq!((date.week(), date.weekday(), date.day_of_year()), (week, weekday, of_year), "{date}");
        }
    }

    #[test]
    fn dates_that_are_not_there_have_no_day() {
        for (year, month, day) in [(2023, 2, 29), (2024, 4, 31), (2024, 0, 1), (2024, 13, 1), (2024, 1, 0)] {
            assert_eq!(Date { year, month, day }.days(), None);
        }
    }
}
