//! Which tasks a person should look at again: those whose answers leave the label open.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, Result};
use stagewise_core::exhibit::{Block, Exhibit, Section, number};
use stagewise_numeric::rank::order_descending;

use super::aggregate::Aggregated;
use super::annotations::{Annotations, name};

/// What puts a task first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// The entropy of the posterior, `−Σ p ln p / ln k` of `k` labels: what the aggregation, which knows the workers, is
    /// unsure of.
    #[default]
    Entropy,
    /// The share of pairs of answers that differ: what workers disagree on, good ones and bad ones alike.
    Disagreement,
}

/// A task to look at again.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// The task.
    pub task: String,
    /// How much is open: 0 is nothing, 1 is all.
    pub score: f64,
    /// How often each label was given, the most frequent first.
    pub votes: Vec<(String, u32)>,
    /// The label so far.
    pub label: Option<String>,
}

/// Tasks in the order in which they are worth a look.
#[derive(Debug, Clone, PartialEq)]
pub struct AdjudicationQueue {
    doubts: Vec<Doubt>,
    unanswered: Vec<String>,
    priority: Priority,
}

/// The tasks by how open their label is, the most open first; of equal ones that with fewer answers, then that which
/// appeared first. Tasks without answers need labels, not a decision between some; they are listed apart.
/// `O(answers + tasks · (labels + log tasks))`.
///
/// # Errors
/// [`DataError::Length`] where the aggregation is of other annotations.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, table::Table};
/// use stagewise_data::label::{Aggregator, Annotations, MajorityVote, Priority, adjudicate};
///
/// let table = Table::of([
///     ("task", Column::texts(["1", "1", "2", "2"].map(Some))),
///     ("worker", Column::texts(["a", "b", "a", "b"].map(Some))),
///     ("label", Column::texts(["cat", "cat", "cat", "dog"].map(Some))),
/// ])?;
/// let answers = Annotations::of(&table, "task", "worker", "label")?;
/// let labels = MajorityVote::new().aggregate(&answers, &FitContext::new(7))?;
/// let queue = adjudicate(&answers, &labels, Priority::Entropy)?;
/// assert_eq!((queue.doubts()[0].task.as_str(), queue.doubts()[0].score), ("2", 1.0));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
pub fn adjudicate(answers: &Annotations, labels: &Aggregated, priority: Priority) -> Result<AdjudicationQueue> {
    if answers.tasks() != labels.tasks() || answers.labels() != labels.labels() {
        let (expected, found) = (answers.tasks().len(), labels.tasks().len());
        return Err(DataError::Length { what: "tasks of these annotations".into(), expected, found }.into());
    }
    let tasks = answers.tasks().len();
    let mut by_answers: Vec<usize> = (0..tasks).filter(|&task| !answers.to(task).is_empty()).collect();
    by_answers.sort_by_key(|&task| answers.to(task).len());
    let score = |&task: &usize| match priority {
        Priority::Entropy => labels.posterior(task).map_or(0.0, entropy),
        Priority::Disagreement => disagreement(&answers.counts(task)),
    };
    let scores: Vec<f64> = by_answers.iter().map(score).collect();
    let doubt = |place: usize| {
        let task = by_answers[place];
        let code = labels.codes().get(task).copied().flatten();
        Doubt {
            task: name(answers.tasks(), task as u32),
            score: scores[place],
            votes: votes(answers, task),
            label: code.map(|code| name(answers.labels(), code)),
        }
    };
    let doubts = order_descending(&scores).into_iter().map(doubt).collect();
    let bare = (0..tasks).filter(|&task| answers.to(task).is_empty());
    Ok(AdjudicationQueue {
        doubts,
        unanswered: bare.map(|task| name(answers.tasks(), task as u32)).collect(),
        priority,
    })
}

impl AdjudicationQueue {
    /// The tasks with answers, the most open first.
    pub fn doubts(&self) -> &[Doubt] {
        &self.doubts
    }

    /// The tasks without answers, in order of appearance.
    pub fn unanswered(&self) -> &[String] {
        &self.unanswered
    }
}

impl Exhibit for AdjudicationQueue {
    fn exhibit(&self) -> Section {
        const SHOWN: usize = 30;
        let open = self.doubts.iter().filter(|doubt| doubt.score > 0.0).count();
        let what = match self.priority {
            Priority::Entropy => "entropy",
            Priority::Disagreement => "disagreement",
        };
        let facts = vec![
            ("tasks with answers".to_string(), self.doubts.len().to_string()),
            ("not quite sure".into(), open.to_string()),
            ("without an answer".into(), self.unanswered.len().to_string()),
        ];
        let row = |doubt: &Doubt| {
            let votes: Vec<String> = doubt.votes.iter().map(|(label, n)| format!("{label} ({n})")).collect();
            vec![
                doubt.task.clone(),
                number(doubt.score),
                votes.join(", "),
                doubt.label.clone().unwrap_or_else(|| "undecided".into()),
            ]
        };
        let columns = ["task", what, "votes", "label"].map(String::from).to_vec();
        Section::new("Tasks to look at again")
            .block(Block::Facts(facts))
            .block(Block::Table { columns, rows: self.doubts.iter().take(SHOWN).map(row).collect() })
    }
}

/// The entropy of some probabilities, 1 where all are equal.
pub(super) fn entropy(row: &[f64]) -> f64 {
    if row.len() < 2 {
        return 0.0;
    }
    let sum: f64 = row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
    (sum / (row.len() as f64).ln()).clamp(0.0, 1.0)
}

/// The share of pairs of answers that differ; 0 for a single answer.
fn disagreement(counts: &[u32]) -> f64 {
    let pairs = |n: u64| (n * n.saturating_sub(1)) as f64;
    let all = pairs(counts.iter().map(|&n| u64::from(n)).sum());
    if all == 0.0 { 0.0 } else { 1.0 - counts.iter().map(|&n| pairs(u64::from(n))).sum::<f64>() / all }
}

fn votes(answers: &Annotations, task: usize) -> Vec<(String, u32)> {
    let labels: &Arc<_> = answers.labels();
    let mut votes: Vec<(String, u32)> =
        (0_u32..).zip(answers.counts(task)).filter(|(_, n)| *n > 0).map(|(code, n)| (name(labels, code), n)).collect();
    votes.sort_by_key(|vote| std::cmp::Reverse(vote.1));
    votes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;
    use crate::label::{Aggregator, MajorityVote};
    use stagewise_core::context::FitContext;

    #[test]
    fn the_most_open_come_first_and_unanswered_ones_apart() {
        let answers = annotations(&[
            ("sure", "a", "x"),
            ("sure", "b", "x"),
            ("open", "a", "x"),
            ("open", "b", "y"),
            ("nearly", "a", "y"),
            ("nearly", "b", "y"),
            ("nearly", "c", "x"),
            ("none", "a", ""),
        ]);
        let labels = MajorityVote::new().aggregate(&answers, &FitContext::new(0)).unwrap();
        for priority in [Priority::Entropy, Priority::Disagreement] {
            let queue = adjudicate(&answers, &labels, priority).unwrap();
            let order: Vec<&str> = queue.doubts().iter().map(|doubt| doubt.task.as_str()).collect();
            assert_eq!(order, ["open", "nearly", "sure"]);
            assert_eq!(queue.doubts()[1].votes, [("y".into(), 2), ("x".into(), 1)]);
            assert_eq!((queue.doubts()[2].score, queue.unanswered()), (0.0, &["none".to_string()][..]));
            assert!(!queue.exhibit().blocks.is_empty());
        }
        let other = annotations(&[("sure", "a", "x")]);
        assert!(adjudicate(&other, &labels, Priority::Entropy).is_err());
        assert_eq!(disagreement(&[2, 1]), 1.0 - 1.0 / 3.0);
    }
}
