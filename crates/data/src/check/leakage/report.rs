//! What the leakage suite found.

use std::fmt;

use serde::{Deserialize, Serialize};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};

use crate::check::finding::{SAMPLES, Severity};

/// What leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeakageKind {
    /// Test rows are training rows.
    SameRows,
    /// Test rows are nearly training rows.
    NearRows,
    /// Groups stand on both sides.
    SharedGroups,
    /// Ids stand on both sides.
    SharedIds,
    /// Test rows are not later than training rows.
    OverlappingTimes,
    /// A feature is the target by another name.
    Proxy,
    /// An id, or the order of rows, tells of the target.
    IdTellsTarget,
    /// A feature tells more of the target on one side.
    PowerChange,
}

impl fmt::Display for LeakageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SameRows => "same rows",
            Self::NearRows => "near rows",
            Self::SharedGroups => "shared groups",
            Self::SharedIds => "shared ids",
            Self::OverlappingTimes => "overlapping times",
            Self::Proxy => "proxy",
            Self::IdTellsTarget => "id tells target",
            Self::PowerChange => "power changes",
        })
    }
}

/// One thing that leaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeakageFinding {
    /// What leaks.
    pub kind: LeakageKind,
    /// Where; none for rows as a whole and their order.
    pub column: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// The share of test rows concerned, or a predictive power; of a change the power among training rows less that among
    /// test rows.
    pub strength: f64,
    /// What was found, for people.
    pub what: String,
    /// Each test row concerned, and the first training row it meets; of times the last training row.
    pub pairs: Vec<(usize, usize)>,
}

/// How much of the target a feature tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// The feature.
    pub column: String,
    /// Among the training rows, in [0, 1].
    pub train: f64,
    /// Among the test rows, if there are enough.
    pub test: Option<f64>,
}

/// All that leaks between two tables.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LeakageReport {
    /// How many training rows.
    pub train_rows: usize,
    /// How many test rows.
    pub test_rows: usize,
    /// What was found: rows, values, times, then the target.
    pub findings: Vec<LeakageFinding>,
    /// The power of each feature, in the order of the training table.
    pub powers: Vec<Power>,
    /// What was not looked for, and why.
    pub notes: Vec<String>,
}

impl LeakageReport {
    /// Whether nothing was found.
    pub fn passed(&self) -> bool {
        self.findings.is_empty()
    }

    /// The findings of this kind.
    pub fn of(&self, kind: LeakageKind) -> impl Iterator<Item = &LeakageFinding> {
        self.findings.iter().filter(move |f| f.kind == kind)
    }
}

impl Exhibit for LeakageReport {
    fn exhibit(&self) -> Section {
        let mut section = Section::new("Leakage").text(format!(
            "{} training rows, {} test rows: {} findings",
            self.train_rows,
            self.test_rows,
            self.findings.len()
        ));
        for note in &self.notes {
            section = section.text(note.clone());
        }
        if !self.findings.is_empty() {
            let columns = ["severity", "kind", "column", "found", "strength", "test row: training row"];
            let row = |f: &LeakageFinding| {
                let pairs = f.pairs.iter().take(SAMPLES).map(|(test, train)| format!("{test}: {train}"));
                vec![
                    f.severity.to_string(),
                    f.kind.to_string(),
                    f.column.clone().unwrap_or_default(),
                    f.what.clone(),
                    number(f.strength),
                    pairs.collect::<Vec<_>>().join(", "),
                ]
            };
            let rows = self.findings.iter().map(row).collect();
            section = section.block(Block::Table { columns: columns.map(String::from).to_vec(), rows });
        }
        if self.powers.is_empty() {
            return section;
        }
        if self.powers.iter().all(|p| p.test.is_some()) {
            let row = |p: &Power| (p.column.clone(), vec![p.train, p.test.unwrap_or(0.0)]);
            section.block(Block::Chart(Chart::Heat {
                title: "How much of the target a column tells".into(),
                x: "rows".into(),
                y: "column".into(),
                columns: vec!["training".into(), "test".into()],
                rows: self.powers.iter().map(row).collect(),
            }))
        } else {
            let items = self.powers.iter().map(|p| (p.column.clone(), p.train)).collect();
            let title = "How much of the target a column tells, training rows".to_string();
            section.block(Block::Chart(Chart::Bars { title, items, mark: None }))
        }
    }
}
