//! What all checks say of a finding: how bad it is, and rows that show it.
//!
//! Every check collects all it finds; nothing stops at the first. Rows are counted from zero, as in errors, and at most
//! [`SAMPLES`] of them are kept, so that a report of a large table stays small.

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
