//! What a value must be for its row to be kept.

use std::collections::HashSet;

use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::{DataError, Error, ErrorKind, ParameterError, Result, SchemaError};
use stagewise_core::record::parse;
use stagewise_core::schema::{Kind, MissingTokens};

use crate::loaded::Values;

/// What a value must be for its row to be kept by an [`Excerpt`](super::Excerpt).
///
/// A missing value meets no condition; a missing token is a missing value. Text is compared with what stands in the file,
/// but for blanks around both: in a column of text `007` is not `7`. Columns whose type the file knows, and levels, are
/// compared by value.
///
/// ```
/// use stagewise_data::{Condition, Csv, Excerpt};
///
/// let csv = Csv::from_bytes("zip,rent\n04109,810\n4109,640\n04109,n/a\n");
/// let loaded = Excerpt::from(csv)
///     .keep("zip", Condition::equal("04109"))
///     .keep("rent", Condition::between(500.0, f64::INFINITY))
///     .read()?;
/// assert_eq!(loaded.table.rows(), 1);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Condition(Wanted);

#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    AnyOf(Vec<String>),
    Between(f64, f64),
    Present,
    Since(String),
    Before(String),
}

impl Condition {
    /// The value is this one: a text as in the file, of a column of numbers the number that it says.
    pub fn equal(value: impl Into<String>) -> Self {
        Self(Wanted::AnyOf(vec![value.into()]))
    }

    /// The value is one of these.
    pub fn any_of<S: Into<String>>(values: impl IntoIterator<Item = S>) -> Self {
        Self(Wanted::AnyOf(values.into_iter().map(Into::into).collect()))
    }

    /// The value is a number from `low` to `high`, both included; either may be infinite. What is no number is not kept.
    pub fn between(low: f64, high: f64) -> Self {
        Self(Wanted::Between(low, high))
    }

    /// The value is not missing. A word that would be taken for a missing number later on is present here.
    pub fn present() -> Self {
        Self(Wanted::Present)
    }

    /// The value is a point in time at or after this one, which is written as in a file: `2024-01-31`, `2024-01-31 12:00`.
    pub fn since(time: impl Into<String>) -> Self {
        Self(Wanted::Since(time.into()))
    }

    /// The value is a point in time before this one.
    pub fn before(time: impl Into<String>) -> Self {
        Self(Wanted::Before(time.into()))
    }

    /// The condition in a form that is quick to ask.
    pub(super) fn test(&self) -> Result<Test> {
        let time = |name: &'static str, text: &String| {
            parse::timestamp(text).ok_or_else(|| {
                let allowed = "a point in time such as `2024-01-31` or `2024-01-31 12:00`";
                Error::from(ErrorKind::from(ParameterError { name, value: format!("`{text}`"), allowed }))
            })
        };
        Ok(match &self.0 {
            Wanted::AnyOf(values) => {
                ParameterError::check(!values.is_empty(), "any_of", "nothing", "at least one value")?;
                Test::AnyOf(values.iter().map(|value| value.trim().to_string()).collect())
            }
            Wanted::Between(low, high) => {
                let shown = format!("{low} to {high}");
                ParameterError::check(low <= high, "between", shown, "two numbers, the greater not first")?;
                Test::Between(*low, *high)
            }
            Wanted::Present => Test::Present,
            Wanted::Since(text) => Test::Within(time("since", text)?, i64::MAX),
            Wanted::Before(text) => Test::Within(i64::MIN, time("before", text)?.saturating_sub(1)),
        })
    }
}

/// A condition in a form that is quick to ask.
#[derive(Debug)]
pub(super) enum Test {
    AnyOf(HashSet<String>),
    Between(f64, f64),
    Present,
    /// Points in time, both included.
    Within(i64, i64),
}

impl Test {
    /// Which of the values meet the condition.
    pub(super) fn judge(&self, values: &Values<'_>, tokens: &MissingTokens) -> Result<Vec<bool>> {
        match values {
            Values::Texts(texts) => Ok(self.texts(texts, tokens)),
            Values::Typed(column) => self.column(column),
            Values::Foreign(what) => {
                let problem = format!("holds {what}, which no condition can be put to; drop the condition");
                Err(DataError::Malformed { line: 1, problem }.into())
            }
        }
    }

    /// Which of the texts meet the condition.
    pub(super) fn texts(&self, texts: &[Option<&str>], tokens: &MissingTokens) -> Vec<bool> {
        let meets = |text: &Option<&str>| text.is_some_and(|text| !tokens.contains(text) && self.text(text));
        texts.iter().map(meets).collect()
    }

    fn text(&self, text: &str) -> bool {
        match self {
            Self::AnyOf(values) => values.contains(text.trim()),
            Self::Between(low, high) => parse::number(text).is_some_and(|x| *low <= x && x <= *high),
            Self::Present => true,
            Self::Within(from, to) => parse::timestamp(text).is_some_and(|time| (*from..=*to).contains(&time)),
        }
    }

    fn column(&self, column: &Column) -> Result<Vec<bool>> {
        let wrong = |expected: Kind| Err(SchemaError::WrongKind { expected, found: column.kind() }.into());
        Ok(match (column, self) {
            (Column::Category { codes, levels }, _) => {
                let meets: Vec<bool> = levels.iter().map(|level| self.text(level)).collect();
                codes.iter().map(|&code| meets.get(code as usize).copied().unwrap_or(false)).collect()
            }
            (Column::Text(texts), _) => {
                texts.iter().map(|text| text.as_deref().is_some_and(|text| self.text(text))).collect()
            }
            (Column::Number(values), Self::AnyOf(wanted)) => {
                let wanted: Vec<f64> = wanted.iter().filter_map(|text| parse::number(text)).collect();
                values.iter().map(|x| wanted.contains(x)).collect()
            }
            (Column::Number(values), Self::Between(low, high)) => {
                values.iter().map(|x| low <= x && x <= high).collect()
            }
            (Column::Number(values), Self::Present) => values.iter().map(|x| !x.is_nan()).collect(),
            (Column::Flag(flags), Self::AnyOf(wanted)) => {
                let wanted: Vec<bool> = wanted.iter().filter_map(|text| parse::flag(text)).collect();
                flags.iter().map(|flag| flag.is_some_and(|flag| wanted.contains(&flag))).collect()
            }
            (Column::Flag(flags), Self::Present) => flags.iter().map(Option::is_some).collect(),
            (Column::Timestamp(times), Self::AnyOf(wanted)) => {
                let wanted: Vec<i64> = wanted.iter().filter_map(|text| parse::timestamp(text)).collect();
                times.iter().map(|time| wanted.contains(time)).collect()
            }
            (Column::Timestamp(times), Self::Within(from, to)) => {
                times.iter().map(|&time| time != MISSING_TIME && (*from..=*to).contains(&time)).collect()
            }
            (Column::Timestamp(times), Self::Present) => times.iter().map(|&time| time != MISSING_TIME).collect(),
            (_, Self::Within(..)) => return wrong(Kind::Timestamp),
            (_, Self::Between(..)) => return wrong(Kind::Number),
            // There is no other kind.
            (other, Self::AnyOf(_) | Self::Present) => vec![false; other.len()],
        })
    }
}
