//! What a nested cross-validation found.

use stagewise_core::error::Result;
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::fingerprint::Fingerprint;
use stagewise_core::metric::AnyMetric;
use stagewise_core::task::Task;

use super::super::CrossValidated;
use crate::interval::Interval;

/// What one outer fold chose, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The candidate.
    pub candidate: String,
    /// Its place among the candidates.
    pub place: usize,
    /// The scores on the inner folds, candidate by candidate.
    pub scores: Vec<Vec<f64>>,
    /// Their means.
    pub means: Vec<f64>,
}

/// The result of a nested cross-validation: how good the way of choosing is, and what it chose.
#[derive(Debug, Clone)]
pub struct NestedCrossValidated<T: Task> {
    pub(super) candidates: Vec<String>,
    pub(super) choices: Vec<Choice>,
    pub(super) outer: CrossValidated<T>,
    pub(super) splits: Fingerprint,
}

impl<T: Task> NestedCrossValidated<T> {
    /// The names of the candidates.
    pub fn candidates(&self) -> &[String] {
        &self.candidates
    }

    /// What each outer fold chose.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// In how many outer folds a candidate was chosen; where that differs, the choice hangs on the rows.
    pub fn times_chosen(&self, candidate: &str) -> usize {
        self.choices.iter().filter(|choice| choice.candidate == candidate).count()
    }

    /// What the outer folds gave: a cross-validation of the way of choosing. [`ranking`](crate::ranking) compares it with
    /// cross-validations on the same outer splits.
    pub fn outer(&self) -> &CrossValidated<T> {
        &self.outer
    }

    /// The fingerprint of outer and inner splits, and of the truth and weights that they judged with.
    pub fn splits(&self) -> Fingerprint {
        self.splits
    }

    /// The mean over outer folds of the metric that was chosen by.
    ///
    /// # Errors
    /// As [`CrossValidated::mean`].
    pub fn mean(&self) -> Result<f64> {
        self.outer.mean(&self.metric())
    }

    /// The interval of that mean.
    ///
    /// # Errors
    /// As [`CrossValidated::interval`].
    pub fn interval(&self, level: f64) -> Result<Interval> {
        self.outer.interval(&self.metric(), level)
    }

    /// The name of the metric that was chosen by, the first of the outer ones.
    fn metric(&self) -> String {
        self.outer.metrics().first().map_or_else(String::new, AnyMetric::name)
    }
}

impl<T: Task> Exhibit for NestedCrossValidated<T> {
    fn exhibit(&self) -> Section {
        let names: Vec<String> = self.outer.metrics().iter().map(AnyMetric::name).collect();
        let intervals: Vec<(String, Interval)> =
            names.iter().filter_map(|name| Some((name.clone(), self.outer.interval(name, 0.95).ok()?))).collect();
        let facts = intervals.iter().map(|(name, interval)| (name.clone(), interval.to_string())).collect();
        let chosen = self.candidates.iter().map(|name| (name.clone(), self.times_chosen(name) as f64)).collect();
        let mut columns = vec!["fold".to_string(), "chosen".into()];
        columns.extend(self.candidates.iter().map(|name| format!("{name}, inner mean")));
        columns.extend(names.iter().map(|name| format!("{name}, outer")));
        let row = |(place, choice): (usize, &Choice)| {
            let mut row = vec![place.to_string(), choice.candidate.clone()];
            let outer = self.outer.folds().get(place).map_or(&[][..], |fold| &fold.scores);
            row.extend(choice.means.iter().chain(outer).map(|&score| number(score)));
            row
        };
        let rows = self.choices.iter().enumerate().map(row).collect();
        Section::new("Nested cross-validation")
            .block(Block::Facts(facts))
            .text(format!(
                "Each outer fold chose by the mean {} of its inner folds, and judged by rows that took no part.",
                self.metric()
            ))
            .block(Block::Chart(Chart::Bars { title: "How often chosen".into(), items: chosen, mark: None }))
            .block(Block::Table { columns, rows })
            .text(format!("Splits {}.", self.splits.short()))
    }
}
