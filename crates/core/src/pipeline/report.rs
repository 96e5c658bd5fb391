//! What happened while a pipeline was fitted: data, not prints.

use serde::{Deserialize, Serialize};

use crate::exhibit::{Block, Exhibit, Section, number};
use crate::warning::Warning;

/// How a fit went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FitReport {
    /// Training rows.
    pub rows: usize,
    /// How many of them the learner judged itself by: no step and no model learned from them.
    #[serde(default)]
    pub held_out: usize,
    /// One entry per step, sampler and learner, in order.
    pub stages: Vec<StageReport>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
}

/// How one stage went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageReport {
    /// The step's name; `model` for the learner.
    pub name: String,
    /// The stage's tag.
    pub stage: String,
    /// Rows that it gave.
    pub rows: usize,
    /// Columns that it gave.
    pub columns: usize,
    /// Wall time. Not saved: equal fits have equal artifacts.
    #[serde(skip)]
    pub seconds: f64,
}

impl Exhibit for FitReport {
    fn exhibit(&self) -> Section {
        let rows = self
            .stages
            .iter()
            .map(|s| {
                vec![s.name.clone(), s.stage.clone(), s.rows.to_string(), s.columns.to_string(), number(s.seconds)]
            })
            .collect();
        let columns = ["step", "stage", "rows", "columns", "seconds"].map(String::from).to_vec();
        let mut section = Section::new("Fit").block(Block::Table { columns, rows });
        if self.held_out > 0 {
            let Self { rows, held_out, .. } = self;
            section = section.text(format!("Held out: {held_out} of {rows} rows, by which the learner judged itself."));
        }
        self.warnings.iter().fold(section, |section, warning| section.block(Block::Warning(warning.to_string())))
    }
}
