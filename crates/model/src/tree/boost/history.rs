//! How boosting went, round by round.

use serde::{Deserialize, Serialize};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};

/// The loss after each round, on rows that were learned from and on rows that were not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// What the loss is called.
    pub loss: String,
    /// The mean loss of (at most 65,536 evenly spaced, of a ranking evenly spaced groups of) training rows after 0, 1, 2, … rounds.
    pub train: Vec<f64>,
    /// The mean loss of the held-out rows after 0, 1, 2, … rounds; empty if none were held out.
    pub validation: Vec<f64>,
    /// The rounds that the model kept.
    pub rounds: usize,
}

impl Exhibit for History {
    fn exhibit(&self) -> Section {
        let points = |losses: &[f64]| losses.iter().enumerate().map(|(round, &loss)| (round as f64, loss)).collect();
        let mut series = vec![("training rows".to_string(), points(&self.train))];
        if !self.validation.is_empty() {
            series.push(("held-out rows".to_string(), points(&self.validation)));
        }
        let mut facts = vec![("rounds kept".to_string(), self.rounds.to_string())];
        if let Some(&best) = self.validation.get(self.rounds) {
            facts.push(("held-out loss there".to_string(), number(best)));
        }
        let title = format!("{} by round", self.loss);
        let chart = Chart::Lines { title, x: "round".into(), y: self.loss.clone(), series };
        Section::new("Training history").block(Block::Facts(facts)).block(Block::Chart(chart))
    }
}
