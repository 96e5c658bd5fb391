//! What became of each expectation.

use std::fmt;

use serde::{Deserialize, Serialize};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};

use crate::check::finding::{Sample, samples_text};

/// How an expectation was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// As expected.
    Pass,
    /// Not as expected, but tolerated.
    Warn,
    /// Not as expected.
    Fail,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// One expectation and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What was expected.
    pub name: String,
    /// What was found, for people.
    pub observed: String,
    /// The share of rows, values or steps that keep to it; 1 if there are none. 0 or 1 if it is about the table.
    pub share: f64,
    /// The share from which it passes.
    pub mostly: f64,
    /// Pass, warn or fail.
    pub condition: Condition,
    /// How many rows do not keep to it.
    pub failed_rows: u64,
    /// The first of them.
    pub samples: Vec<Sample>,
}

/// All expectations and what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpectationReport {
    /// How many rows were judged.
    pub rows: u64,
    /// One result per expectation, in their order.
    pub results: Vec<Judged>,
}

impl ExpectationReport {
    /// Whether nothing failed; warnings may be there.
    pub fn passed(&self) -> bool {
        self.of(Condition::Fail).next().is_none()
    }

    /// The results of this condition.
    pub fn of(&self, condition: Condition) -> impl Iterator<Item = &Judged> {
        self.results.iter().filter(move |r| r.condition == condition)
    }
}

impl Exhibit for ExpectationReport {
    fn exhibit(&self) -> Section {
        let count = |condition| self.of(condition).count();
        let section = Section::new("Expectations").text(format!(
            "{} rows: {} passed, {} with a warning, {} failed",
            self.rows,
            count(Condition::Pass),
            count(Condition::Warn),
            count(Condition::Fail)
        ));
        if self.results.is_empty() {
            return section;
        }
        let columns = ["condition", "expected", "observed", "share", "needed", "rows", "such as"];
        let row = |r: &Judged| {
            vec![
                r.condition.to_string(),
                r.name.clone(),
                r.observed.clone(),
                number(r.share),
                number(r.mostly),
                r.failed_rows.to_string(),
                samples_text(&r.samples),
            ]
        };
        let rows = self.results.iter().map(row).collect();
        let items: Vec<(String, f64)> = self.results.iter().map(|r| (r.name.clone(), r.share)).collect();
        section
            .block(Block::Table { columns: columns.map(String::from).to_vec(), rows })
            .block(Block::Chart(Chart::Bars { title: "Share that keeps to it".into(), items, mark: None }))
    }
}
