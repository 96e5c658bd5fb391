//! Quality control by gold questions: tasks whose label is known, slipped in among the others.
//!
//! A share of few questions is a poor estimate, so a worker is judged by the interval around it: failed only where even
//! its upper end is too low.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};

use super::annotations::{Annotations, name};

/// Tasks with their known labels, and how good a worker must be on them.
///
/// ```
/// use stagewise_core::{column::Column, table::Table};
/// use stagewise_data::label::{Annotations, GoldQuestions, Verdict};
///
/// let table = Table::of([
///     ("task", Column::numbers((0..20).map(|i| (i / 2) as f64).collect::<Vec<_>>())),
///     ("worker", Column::texts((0..20).map(|i| Some(["ann", "bob"][i % 2])))),
///     ("label", Column::texts((0..20).map(|i| Some(["yes", "no"][i % 2])))),
/// ])?;
/// let answers = Annotations::of(&table, "task", "worker", "label")?;
/// let gold = GoldQuestions::new((0..10).map(|task| (task.to_string(), "yes"))).bound(0.6);
/// let report = gold.check(&answers)?;
/// assert_eq!(report.worker("bob").map(|w| (w.right, w.verdict)), Some((0, Verdict::Failed)));
/// assert!((report.worker("bob").unwrap().high - 0.2775).abs() < 1e-4);
/// assert_eq!(report.without_failed(&answers).len(), 10);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Interval: Wilson (1927).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoldQuestions {
    known: BTreeMap<String, String>,
    bound: f64,
    level: f64,
}

/// What gold questions say of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval is at or above the bound.
    Passed,
    /// The interval holds the bound: ask more questions. So it is of a worker who was asked none.
    Unsure,
    /// The whole interval is below the bound.
    Failed,
}

/// A worker on the gold questions.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerQuality {
    /// The worker.
    pub worker: String,
    /// How many gold questions it answered.
    pub answered: u64,
    /// How many of them right.
    pub right: u64,
    /// The lower end of the interval of its accuracy; 0 without an answer.
    pub low: f64,
    /// The upper end; 1 without an answer.
    pub high: f64,
    /// What follows.
    pub verdict: Verdict,
}

/// All workers on the gold questions, the worst upper end first.
#[derive(Debug, Clone, PartialEq)]
pub struct GoldReport {
    workers: Vec<WorkerQuality>,
    bound: f64,
    level: f64,
    questions: usize,
}

impl GoldQuestions {
    /// These tasks with their labels; of a task that comes twice the last label counts. Bound 0.7, level 0.95.
    pub fn new<T: Into<String>, L: Into<String>>(known: impl IntoIterator<Item = (T, L)>) -> Self {
        let known = known.into_iter().map(|(task, label)| (task.into(), label.into())).collect();
        Self { known, bound: 0.7, level: 0.95 }
    }

    /// The least accuracy of a good worker. Between 0 and 1, default 0.7.
    #[must_use]
    pub fn bound(mut self, bound: f64) -> Self {
        self.bound = bound;
        self
    }

    /// How often the interval shall hold the true accuracy. Between 0 and 1, both excluded, default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// Judges every worker. `O(answers to gold questions + workers · log workers)`.
    ///
    /// # Errors
    /// [`ParameterError`]; [`DataError::UnknownLevel`] for a known label that nobody ever gave, which is most likely
    /// misspelt; [`DataError::TooFewRows`] where no gold question is among the tasks.
    pub fn check(&self, answers: &Annotations) -> Result<GoldReport> {
        let (bound, level) = (self.bound, self.level);
        ParameterError::check((0.0..=1.0).contains(&bound), "bound", bound, "0 to 1")?;
        ParameterError::check(level > 0.0 && level < 1.0, "level", level, "more than 0 and less than 1")?;
        let mut counts = vec![(0_u64, 0_u64); answers.workers().len()];
        let mut questions = 0;
        for (task, label) in &self.known {
            let Some(code) = answers.labels().code(label) else {
                let known = answers.labels().to_strings();
                return Err(DataError::UnknownLevel { level: label.clone(), known }.into());
            };
            let Some(task) = answers.tasks().code(task) else { continue };
            questions += 1;
            for given in answers.to(task as usize) {
                let (answered, right) = &mut counts[given.worker as usize];
                *answered += 1;
                *right += u64::from(given.label == code);
            }
        }
        if questions == 0 {
            return Err(DataError::TooFewRows { what: "a check by gold questions".into(), needed: 1, found: 0 }.into());
        }
        let z = normal_quantile(f64::midpoint(level, 1.0));
        let judge = |(worker, (answered, right)): (u32, (u64, u64))| {
            let (low, high) = wilson(right, answered, z);
            let verdict = match () {
                () if answered == 0 => Verdict::Unsure,
                () if high < bound => Verdict::Failed,
                () if low >= bound => Verdict::Passed,
                () => Verdict::Unsure,
            };
            WorkerQuality { worker: name(answers.workers(), worker), answered, right, low, high, verdict }
        };
        let mut workers: Vec<WorkerQuality> = (0_u32..).zip(counts).map(judge).collect();
        workers.sort_by(|a, b| a.high.total_cmp(&b.high));
        Ok(GoldReport { workers, bound, level, questions })
    }
}

impl GoldReport {
    /// The workers, the worst upper end first; of equal ones that which appeared first.
    pub fn workers(&self) -> &[WorkerQuality] {
        &self.workers
    }

    /// A worker by name. `O(workers)`.
    pub fn worker(&self, name: &str) -> Option<&WorkerQuality> {
        self.workers.iter().find(|w| w.worker == name)
    }

    /// The workers who failed.
    pub fn failed(&self) -> impl Iterator<Item = &WorkerQuality> {
        self.workers.iter().filter(|w| w.verdict == Verdict::Failed)
    }

    /// The annotations without the answers of the workers who failed.
    pub fn without_failed(&self, answers: &Annotations) -> Annotations {
        let failed: std::collections::BTreeSet<&str> = self.failed().map(|w| w.worker.as_str()).collect();
        answers.clone().keep_workers(|worker| !failed.contains(worker))
    }
}

impl Exhibit for GoldReport {
    fn exhibit(&self) -> Section {
        const WORKERS: usize = 30;
        let count = |verdict: Verdict| self.workers.iter().filter(|w| w.verdict == verdict).count().to_string();
        let facts = vec![
            ("gold questions".to_string(), self.questions.to_string()),
            ("accuracy asked for".into(), number(self.bound)),
            ("passed".into(), count(Verdict::Passed)),
            ("unsure".into(), count(Verdict::Unsure)),
            ("failed".into(), count(Verdict::Failed)),
        ];
        let columns = ["worker", "answered", "right", "low", "high", "verdict"].map(String::from).to_vec();
        let row = |w: &WorkerQuality| {
            let verdict = format!("{:?}", w.verdict).to_lowercase();
            vec![w.worker.clone(), w.answered.to_string(), w.right.to_string(), number(w.low), number(w.high), verdict]
        };
        let shown = || self.workers.iter().filter(|w| w.answered > 0).take(WORKERS);
        let items = shown().map(|w| (w.worker.clone(), w.low, w.right as f64 / w.answered as f64, w.high)).collect();
        let title = format!("Accuracy on gold questions, {} % intervals", number(100.0 * self.level));
        Section::new("Gold questions")
            .block(Block::Facts(facts))
            .block(Block::Chart(Chart::Intervals { title, items }))
            .block(Block::Table { columns, rows: shown().map(row).collect() })
    }
}

/// Wilson's score interval of `right` of `all`.
fn wilson(right: u64, all: u64, z: f64) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (all as f64, right as f64 / all as f64);
    let root = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let end = |shift: f64| (share + z * z / (2.0 * n) + shift) / (1.0 + z * z / n);
    // Exact where the formula is 0 or 1 but for rounding.
    let low = if right == 0 { 0.0 } else { end(-root).max(0.0) };
    let high = if right == all { 1.0 } else { end(root).min(1.0) };
    (low, high)
}

/// The normal quantile of `p` in `[0.5, 1)`, by halving an interval; `Φ` by its series (Marsaglia 2004), which is good to
/// 1e-15 here.
fn normal_quantile(p: f64) -> f64 {
    let cdf = |x: f64| {
        let (mut term, mut sum, mut i) = (x, x, 1.0);
        while sum + term != sum {
            i += 2.0;
            term *= x * x / i;
            sum += term;
        }
        0.5 + sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
    };
    let (mut low, mut high) = (0.0, 8.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;
    use stagewise_testkit::golden::load;

    #[test]
    fn intervals_equal_scipy() {
        let golden = load("intervals.json");
        let cases: Vec<_> = golden.cases.iter().filter(|c| c.value("/input/kind") == "wilson").collect();
        assert_eq!(cases.len(), 40);
        for case in cases {
            let count = |name: &str| case.number(&format!("/input/{name}")) as u64;
            let z = normal_quantile(f64::midpoint(case.number("/input/confidence"), 1.0));
            let (low, high) = wilson(count("successes"), count("trials"), z);
            golden.assert_close(low, case.number("/expected/low"), &case.name);
            golden.assert_close(high, case.number("/expected/high"), &case.name);
        }
    }

    #[test]
    fn few_questions_leave_one_unsure() {
        let answers = annotations(&[("1", "a", "x"), ("1", "b", "y"), ("2", "c", "x")]);
        let report = GoldQuestions::new([("1", "x"), ("9", "y")]).check(&answers).unwrap();
        assert!(report.workers().iter().all(|w| w.verdict == Verdict::Unsure));
        assert_eq!(report.worker("c").map(|w| (w.answered, w.low, w.high)), Some((0, 0.0, 1.0)));
        assert!(!report.exhibit().blocks.is_empty());
    }

    #[test]
    fn what_cannot_be_checked_is_refused() {
        let answers = annotations(&[("1", "a", "x"), ("1", "b", "y")]);
        let text = |gold: GoldQuestions| gold.check(&answers).unwrap_err().to_string();
        assert!(text(GoldQuestions::new([("1", "X")])).contains("`X` is none of the known levels"));
        assert!(text(GoldQuestions::new([("7", "x")])).contains("gold questions"));
        assert!(text(GoldQuestions::new([("1", "x")]).bound(1.5)).contains("`bound`"));
        assert!(text(GoldQuestions::new([("1", "x")]).level(1.0)).contains("`level`"));
    }
}
