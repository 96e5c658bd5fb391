//! The row path: one row as it arrives, and one row behind the door.
//!
//! [`RawCell`] is what a file or a request holds; [`Cell`] is what stages see: checked, cast, with levels as codes
//! of the training data. [`parse`] is the one place where text becomes a value, for files and requests alike.

use std::sync::Arc;

use crate::schema::{Kind, MissingTokens};

/// One value as it arrives, before the input contract has seen it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RawCell<'a> {
    /// No value.
    Missing,
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// Text, which may stand for a value of any kind.
    Text(&'a str),
}

/// One value behind the door.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Missing,
    /// A number, never NaN.
    Number(f64),
    /// A level by its code in the field's levels; a code at or past their end is a level not seen in training.
    Level(u32),
    /// A level not seen in training, by name.
    NewLevel(Arc<str>),
    /// Yes or no.
    Flag(bool),
    /// Free text.
    Text(Arc<str>),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

impl Cell {
    /// A number cell; NaN becomes [`Cell::Missing`].
    #[inline]
    pub fn number(value: f64) -> Self {
        if value.is_nan() { Self::Missing } else { Self::Number(value) }
    }

    /// The number of this cell as models see it: NaN is missing, a flag is 0 or 1, a level is its code
    /// (an unseen one `unseen`), text and time have none.
    #[inline]
    pub fn value(&self, unseen: f64) -> Option<f64> {
        match self {
            Self::Missing => Some(f64::NAN),
            Self::Number(x) => Some(*x),
            Self::Flag(b) => Some(f64::from(u8::from(*b))),
            Self::Level(code) => Some(f64::from(*code)),
            Self::NewLevel(_) => Some(unseen),
            Self::Text(_) | Self::Timestamp(_) => None,
        }
    }
}

/// Text to values.
pub mod parse {
    use super::{Kind, MissingTokens};
    use crate::calendar::{DAY, Date};

    /// A number: decimal or scientific, with blanks around it; `None` for anything else, also for `inf` and `nan`
    /// spelt out.
    pub fn number(text: &str) -> Option<f64> {
        let text = text.trim();
        // Rust reads `inf`, `infinity` and `nan`; in a table they are words.
        if !text.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        text.parse().ok()
    }

    /// A flag: `true`, `false`, `yes`, `no`, `t`, `f`, `y`, `n`, `1`, `0` in any case.
    pub fn flag(text: &str) -> Option<bool> {
        const YES: [&str; 5] = ["true", "yes", "t", "y", "1"];
        const NO: [&str; 5] = ["false", "no", "f", "n", "0"];
        let text = text.trim();
        let is = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(text));
        if is(&YES) {
            Some(true)
        } else if is(&NO) {
            Some(false)
        } else {
            None
        }
    }

    /// A point in time in microseconds since 1970-01-01T00:00:00Z: `YYYY-MM-DD` or `YYYY/MM/DD`, alone or followed by
    /// a blank or `T` and `HH:MM`, `HH:MM:SS` or `HH:MM:SS.ffffff`, then nothing, `Z` or `±HH:MM`.
    ///
    /// ```
    /// use stagewise_core::record::parse::timestamp;
    /// assert_eq!(timestamp("1970-01-02"), Some(86_400_000_000));
    /// assert_eq!(timestamp("1970-01-01T01:00:00+01:00"), Some(0));
    /// assert_eq!(timestamp("1970-02-30"), None);
    /// ```
    pub fn timestamp(text: &str) -> Option<i64> {
        let text = text.trim();
        let (date, time) = match text.find(['T', ' ']) {
            Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
            None => (text, None),
        };
        let separator = if date.contains('/') { '/' } else { '-' };
        let mut parts = date.split(separator);
        let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
        if parts.next().is_some() {
            return None;
        }
        let days = Date { year, month, day }.days()?;
        let micros = match time {
            None => 0,
            Some(time) => clock(time)?,
        };
        Some(days * DAY + micros)
    }

    /// Microseconds since midnight, less the offset from UTC.
    fn clock(text: &str) -> Option<i64> {
        let (clock, offset) = if let Some(clock) = text.strip_suffix('Z') {
            (clock, 0)
        } else if let Some(at) = text.find(['+', '-']) {
            let sign = if text.as_bytes()[at] == b'+' { 1 } else { -1 };
            let (hours, minutes) = text.get(at + 1..)?.split_once(':')?;
            (text.get(..at)?, sign * (digits(hours, 2)? * 60 + digits(minutes, 2)?) * 60_000_000)
        } else {
            (text, 0)
        };
        let mut parts = clock.split(':');
        let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
        let (second, fraction) = match parts.next() {
            None => (0, 0),
            Some(seconds) => match seconds.split_once('.') {
                None => (digits(seconds, 2)?, 0),
                Some((seconds, fraction)) => {
                    let known = fraction.get(..fraction.len().min(6))?;
                    let scale = 10_i64.pow(6 - known.len() as u32);
                    (digits(seconds, 2)?, digits(known, known.len())? * scale)
                }
            },
        };
        let valid = parts.next().is_none() && hour < 24 && minute < 60 && second < 60;
        valid.then_some(((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction - offset)
    }

    /// One or up to `most` ASCII digits.
    fn digits(text: &str, most: usize) -> Option<i64> {
        let good = !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
        if good { text.parse().ok() } else { None }
    }

    /// Whether `text` reads as a value of `kind`, or stands for a missing one.
    pub fn fits(text: &str, kind: Kind, tokens: &MissingTokens) -> bool {
        tokens.contains(text)
            || match kind {
                Kind::Number => number(text).is_some(),
                Kind::Flag => flag(text).is_some(),
                Kind::Timestamp => timestamp(text).is_some(),
                Kind::Category | Kind::Text => true,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn numbers_are_numbers_and_words_are_words() {
        assert_eq!(parse::number(" -1.5e3 "), Some(-1500.0));
        for word in ["inf", "NaN", "", "1,5", "12a", "--1"] {
            assert_eq!(parse::number(word), None, "{word}");
        }
    }

    #[test]
    fn timestamps_follow_the_calendar() {
        // Checked with Python 3.11: datetime(...).timestamp() * 1e6.
        assert_eq!(parse::timestamp("2024-02-29 12:30:15.25"), Some(1_709_209_815_250_000));
        assert_eq!(parse::timestamp("1969-12-31T23:59:59Z"), Some(-1_000_000));
        assert_eq!(parse::timestamp("2000/3/1"), Some(951_868_800_000_000));
        for text in ["2023-02-29", "2023-13-01", "12:30", "2023-01-01T25:00", "2023-01", "20230101", "ä-b-c"] {
            assert_eq!(parse::timestamp(text), None, "{text}");
        }
    }
}
