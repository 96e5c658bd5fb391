//! What all checks say of a finding: how bad it is, and rows that show it.
//!
//! Every check collects all it finds; nothing stops at the first. Rows are counted from zero, as in errors, and at most
//! [`SAMPLES`] of them are kept, so that a report of a large table stays small.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;

use crate::kind::cut;
use crate::loaded::cell_text;

/// How many rows are kept to show a finding.
pub const SAMPLES: usize = 5;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// Look at it before you go on.
    Warning,
    /// Do not go on.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A row that shows a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The row, counted from zero.
    pub row: usize,
    /// Its value, for people: at most 40 characters.
    pub value: String,
}

/// The first rows of `rows` with their values.
pub(crate) fn samples(column: &Column, rows: &[usize]) -> Vec<Sample> {
    rows.iter().take(SAMPLES).map(|&row| Sample { row, value: shown(column, row) }).collect()
}

/// A value for people; `missing` where there is none.
pub(crate) fn shown(column: &Column, row: usize) -> String {
    cell_text(column, row).map_or_else(|| "missing".into(), |text| cut(&text))
}

/// `row 3: 17, row 8: 19`.
pub(crate) fn samples_text(samples: &[Sample]) -> String {
    samples.iter().map(|s| format!("row {}: {}", s.row, s.value)).collect::<Vec<_>>().join(", ")
}

/// At most five names in backquotes.
pub(crate) fn names_text<S: AsRef<str>>(names: &[S]) -> String {
    let mut text = names.iter().take(SAMPLES).map(|n| format!("`{}`", cut(n.as_ref()))).collect::<Vec<_>>().join(", ");
    if names.len() > SAMPLES {
        text += &format!(" and {} more", names.len() - SAMPLES);
    }
    text
}

/// The rows of each text that a column holds, ascending; missing values are none of them. Levels are written once, not row by
/// row.
pub(crate) fn rows_by_text(column: &Column) -> BTreeMap<String, Vec<usize>> {
    let mut by_text: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    match column {
        Column::Category { codes, levels } => {
            let mut rows: Vec<Vec<usize>> = vec![Vec::new(); levels.len()];
            for (row, &code) in codes.iter().enumerate() {
                if let Some(rows) = rows.get_mut(code as usize) {
                    rows.push(row);
                }
            }
            let seen = levels.iter().zip(rows).filter(|(_, rows)| !rows.is_empty());
            by_text.extend(seen.map(|(name, rows)| (name.to_string(), rows)));
        }
        _ => {
            for row in 0..column.len() {
                if let Some(text) = cell_text(column, row) {
                    by_text.entry(text).or_default().push(row);
                }
            }
        }
    }
    by_text
}
