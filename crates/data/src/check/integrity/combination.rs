//! Combinations that cannot be: a rule of the user names conditions that no row may meet all at once.
//!
//! A rule is data, not code, so that it is saved with the spec. A missing value meets no condition but `Missing`.

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::{At, Crumb, Result, SchemaError};
use stagewise_core::schema::Kind;
use stagewise_core::table::Table;

use crate::leak::{MISSING_LEVEL, levels};
use crate::loaded::cell_text;

/// A condition on one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Test {
    /// A number below this.
    Below(f64),
    /// A number above this.
    Above(f64),
    /// A number or time below that of another column of the same kind, in the same row.
    BelowColumn(String),
    /// A number or time above that of another column of the same kind, in the same row.
    AboveColumn(String),
    /// One of these values, as text.
    OneOf(Vec<String>),
    /// No value.
    Missing,
    /// A value.
    Present,
}

/// Conditions that no row may meet all at once.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::check::{Combination, Integrity, Test};
///
/// let child = Combination::new("a child with an income").when("age", Test::Below(14.0)).when("income", Test::Above(0.0));
/// let table = Table::of([("age", Column::numbers([9.0, 40.0])), ("income", Column::numbers([2e4, 3e4]))])?;
/// let report = Integrity::new().forbid(child).check(&table)?;
/// assert_eq!(report.findings[0].rows, [0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    pub(super) name: String,
    conditions: Vec<(String, Test)>,
}

impl Combination {
    /// A rule without conditions, which no row meets.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), conditions: Vec::new() }
    }

    /// Adds a condition.
    #[must_use]
    pub fn when(mut self, column: impl Into<String>, test: Test) -> Self {
        self.conditions.push((column.into(), test));
        self
    }

    /// The column of the first condition, whose values show the rows.
    pub(super) fn shown<'a>(&self, table: &'a Table) -> Option<&'a Column> {
        self.conditions.first().and_then(|(column, _)| table.column(column).ok())
    }

    /// The rows that meet all conditions, ascending.
    pub(super) fn rows(&self, table: &Table) -> Result<Vec<usize>> {
        let mut met = vec![!self.conditions.is_empty(); table.rows()];
        for (column, test) in &self.conditions {
            let meets = meets(table, column, test).at(|| Crumb::column(column.as_str()))?;
            met.iter_mut().enumerate().for_each(|(row, met)| *met = *met && meets(row));
        }
        Ok((0..met.len()).filter(|&row| met[row]).collect())
    }
}

type Meets<'a> = Box<dyn Fn(usize) -> bool + 'a>;

fn meets<'a>(table: &'a Table, column: &str, test: &'a Test) -> Result<Meets<'a>> {
    let column = table.column(column)?;
    Ok(match test {
        Test::Below(bound) => {
            let values = column.as_numbers()?;
            Box::new(move |row| values[row] < *bound)
        }
        Test::Above(bound) => {
            let values = column.as_numbers()?;
            Box::new(move |row| values[row] > *bound)
        }
        Test::BelowColumn(other) => below(column, table.column(other)?)?,
        Test::AboveColumn(other) => below(table.column(other)?, column)?,
        Test::OneOf(values) => Box::new(move |row| cell_text(column, row).is_some_and(|text| values.contains(&text))),
        Test::Missing => {
            let keys = levels(column);
            Box::new(move |row| keys[row] == MISSING_LEVEL)
        }
        Test::Present => {
            let keys = levels(column);
            Box::new(move |row| keys[row] != MISSING_LEVEL)
        }
    })
}

fn below<'a>(low: &'a Column, high: &'a Column) -> Result<Meets<'a>> {
    Ok(match (low, high) {
        (Column::Timestamp(low), Column::Timestamp(high)) => {
            Box::new(move |row| low[row] != MISSING_TIME && high[row] != MISSING_TIME && low[row] < high[row])
        }
        (Column::Timestamp(_), other) | (other, Column::Timestamp(_)) => {
            return Err(SchemaError::WrongKind { expected: Kind::Timestamp, found: other.kind() }.into());
        }
        (low, high) => {
            let (low, high) = (low.as_numbers()?, high.as_numbers()?);
            Box::new(move |row| low[row] < high[row])
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_if_it_meets_all() {
        let table = Table::of([
            ("from", Column::timestamps([5, 9, MISSING_TIME, 7])),
            ("to", Column::timestamps([6, 8, 9, MISSING_TIME])),
            ("state", Column::categories([Some("open"), Some("closed"), None, Some("closed")])),
            ("x", Column::numbers([1.0, f64::NAN, 3.0, 4.0])),
        ])
        .unwrap();
        let rows = |rule: Combination| rule.rows(&table).unwrap();
        let rule = || Combination::new("rule");
        assert_eq!(rows(rule().when("from", Test::AboveColumn("to".into()))), [1]);
        assert_eq!(rows(rule().when("from", Test::BelowColumn("to".into()))), [0]);
        let closed = rule().when("state", Test::OneOf(vec!["closed".into()])).when("to", Test::Missing);
        assert_eq!(rows(closed), [3]);
        assert_eq!(rows(rule().when("x", Test::Above(1.0)).when("state", Test::Present)), [3]);
        assert_eq!(rows(rule().when("x", Test::Below(9.0))), [0, 2, 3]);
        assert_eq!(rows(rule()), Vec::<usize>::new());
        assert!(rule().when("state", Test::Below(1.0)).rows(&table).is_err());
        assert!(rule().when("x", Test::BelowColumn("to".into())).rows(&table).is_err());
        assert!(rule().when("z", Test::Missing).rows(&table).unwrap_err().to_string().contains("column `z`"));
    }
}
