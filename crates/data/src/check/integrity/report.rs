//! What the integrity suite found, and what it suggests.

use std::fmt;

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::decision::{ValueDecision, ValueDecisions};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section};

use crate::check::finding::{Sample, Severity, samples, samples_text};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// A column has one value.
    Constant,
    /// A column has nearly one value.
    NearlyConstant,
    /// Numbers stand among words, or words among numbers.
    Mixed,
    /// Levels differ in case, blanks, accents or punctuation alone.
    Variants,
    /// Rare levels are nearly a frequent one.
    Typos,
    /// Numbers are far from the rest.
    Outliers,
    /// Rows come again.
    Duplicates,
    /// Rows with equal features have different labels.
    ConflictingLabels,
    /// Rows have a combination that cannot be.
    Impossible,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Constant => "constant",
            Self::NearlyConstant => "nearly constant",
            Self::Mixed => "mixed types",
            Self::Variants => "variants",
            Self::Typos => "likely typos",
            Self::Outliers => "outliers",
            Self::Duplicates => "duplicates",
            Self::ConflictingLabels => "conflicting labels",
            Self::Impossible => "impossible",
        })
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong.
    pub fault: Fault,
    /// Where; none for rows as a whole.
    pub column: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, for people.
    pub what: String,
    /// All rows concerned, ascending; of duplicates those after the first.
    pub rows: Vec<usize>,
    /// The first of them, with the value of the column or of the first column.
    pub samples: Vec<Sample>,
}

impl Finding {
    pub(super) fn new(
        fault: Fault,
        column: Option<&str>,
        severity: Severity,
        what: String,
        rows: Vec<usize>,
        shown: Option<&Column>,
    ) -> Self {
        let samples = shown.map(|column| samples(column, &rows)).unwrap_or_default();
        Self { fault, column: column.map(Into::into), severity, what, rows, samples }
    }
}

/// All that is wrong with a table in itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct IntegrityReport {
    /// How many rows were checked.
    pub rows: u64,
    /// What was found: by column, then of the rows as a whole.
    pub findings: Vec<Finding>,
    /// What could be done about values. Read it before you apply it.
    pub suggestions: ValueDecisions,
    /// What was not checked, and why.
    pub notes: Vec<String>,
}

impl IntegrityReport {
    /// The findings of this kind.
    pub fn of(&self, fault: Fault) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |f| f.fault == fault)
    }
}

impl Exhibit for IntegrityReport {
    fn exhibit(&self) -> Section {
        let mut section =
            Section::new("Integrity").text(format!("{} rows checked: {} findings", self.rows, self.findings.len()));
        for note in &self.notes {
            section = section.text(note.clone());
        }
        if !self.findings.is_empty() {
            let columns = ["severity", "column", "fault", "found", "rows", "such as"].map(String::from).to_vec();
            let row = |f: &Finding| {
                vec![
                    f.severity.to_string(),
                    f.column.clone().unwrap_or_default(),
                    f.fault.to_string(),
                    f.what.clone(),
                    f.rows.len().to_string(),
                    samples_text(&f.samples),
                ]
            };
            section = section.block(Block::Table { columns, rows: self.findings.iter().map(row).collect() });
            let share = |f: &Finding| f.rows.len() as f64 / self.rows.max(1) as f64;
            let name = |f: &Finding| match &f.column {
                Some(column) => format!("{column}: {}", f.fault),
                None => f.fault.to_string(),
            };
            let concerned = self.findings.iter().filter(|f| !f.rows.is_empty());
            let items: Vec<(String, f64)> = concerned.map(|f| (name(f), share(f))).collect();
            if !items.is_empty() {
                let title = "Share of rows concerned".to_string();
                section = section.block(Block::Chart(Chart::Bars { title, items, mark: None }));
            }
        }
        if !self.suggestions.is_empty() {
            let columns = ["column", "value", "suggested"].map(String::from).to_vec();
            let row =
                |(c, v, d): (&str, &str, &ValueDecision)| vec![c.to_string(), v.to_string(), d.remedy.to_string()];
            section = section.block(Block::Table { columns, rows: self.suggestions.iter().map(row).collect() });
        }
        section
    }
}
