//! How boosting went, round by round.

use serde::{Deserialize, Serialize};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};

/// The loss after each round, on rows that were learned from and on rows that were not, and the metrics watched.
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
    /// What was watched besides; early stopping goes by the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<MetricCurve>,
}

/// A metric by round, of the same rows as the loss.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricCurve {
    /// What the metric is called.
    pub metric: String,
    /// On training rows, after 0, 1, 2, … rounds.
    pub train: Vec<f64>,
    /// On held-out rows; empty if none were held out.
    pub validation: Vec<f64>,
}

impl History {
    /// The value after the last round that early stopping goes by.
    pub(crate) fn judged(&self) -> Option<f64> {
        self.watched.first().map_or(&self.validation, |curve| &curve.validation).last().copied()
    }
}

impl Exhibit for History {
    fn exhibit(&self) -> Section {
        let mut facts = vec![("rounds kept".to_string(), self.rounds.to_string())];
        let held_out = [("loss", &self.validation)].into_iter();
        let held_out = held_out.chain(self.watched.iter().map(|curve| (curve.metric.as_str(), &curve.validation)));
        for (name, values) in held_out {
            facts.extend(values.get(self.rounds).map(|&value| (format!("held-out {name} there"), number(value))));
        }
        let section = Section::new("Training history").block(Block::Facts(facts));
        let section = section.block(Block::Chart(chart(&self.loss, &self.train, &self.validation)));
        self.watched.iter().fold(section, |section, curve| {
            section.block(Block::Chart(chart(&curve.metric, &curve.train, &curve.validation)))
        })
    }
}

fn chart(name: &str, train: &[f64], validation: &[f64]) -> Chart {
    let points = |values: &[f64]| values.iter().enumerate().map(|(round, &value)| (round as f64, value)).collect();
    let mut series = vec![("training rows".to_string(), points(train))];
    if !validation.is_empty() {
        series.push(("held-out rows".to_string(), points(validation)));
    }
    Chart::Lines { title: format!("{name} by round"), x: "round".into(), y: name.into(), series }
}
