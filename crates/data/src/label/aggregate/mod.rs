//! One label a task out of many answers, with how likely it is and how good each worker is.
//!
//! | aggregator | what it knows of a worker | cost of a step |
//! |---|---|---|
//! | [`MajorityVote`] | nothing | answers |
//! | [`WeightedVote`] | how often it agrees with the vote | answers |
//! | [`DawidSkene`] | a confusion matrix | answers × labels |
//! | [`Glad`] | one ability; and of a task one difficulty | answers |
//!
//! A task without answers has no label and no posterior; it is never guessed.

mod dawid_skene;
mod glad;
#[cfg(test)]
mod golden;
mod majority;
mod result;
mod weighted;

use stagewise_core::context::FitContext;
use stagewise_core::error::{DataError, Result};
use stagewise_numeric::parallel::blocks;

pub use dawid_skene::DawidSkene;
pub use glad::Glad;
pub use majority::{MajorityVote, Ties};
pub use result::Aggregated;
pub use weighted::WeightedVote;

use super::annotations::Annotations;

/// Tasks that one thread looks at before the next block.
const TASKS: usize = 512;

/// A way to make one label of the answers to a task.
pub trait Aggregator {
    /// The label of each task.
    ///
    /// # Errors
    /// Hyper-parameters out of range, and answers that it cannot take: none takes annotations without an answer.
    fn aggregate(&self, answers: &Annotations, cx: &FitContext) -> Result<Aggregated>;
}

fn require_answers(what: &str, answers: &Annotations) -> Result<()> {
    if answers.is_empty() {
        return Err(DataError::TooFewRows { what: what.into(), needed: 1, found: 0 }.into());
    }
    Ok(())
}

/// The share of each label in the answers to each task, an answer counting as much as its worker; zeros for a task
/// without answers. Where no worker of a task counts, all do.
fn shares(answers: &Annotations, weights: Option<&[f64]>) -> Vec<f64> {
    let labels = answers.labels().len();
    let part = blocks(answers.tasks().len(), TASKS, |tasks| {
        let mut shares = vec![0.0; tasks.len() * labels];
        for (task, row) in tasks.zip(shares.chunks_exact_mut(labels.max(1))) {
            let given = answers.to(task);
            let weight = |worker: u32| weights.map_or(1.0, |weights| weights[worker as usize]);
            let total: f64 = given.iter().map(|g| weight(g.worker)).sum();
            if total > 0.0 {
                given.iter().for_each(|g| row[g.label as usize] += weight(g.worker));
                row.iter_mut().for_each(|share| *share /= total);
            } else {
                given.iter().for_each(|g| row[g.label as usize] += 1.0 / given.len() as f64);
            }
        }
        shares
    });
    part.concat()
}

/// How often each worker says what was chosen; none for a worker whose answers were all to undecided tasks.
fn agreement(answers: &Annotations, chosen: &[Option<u32>]) -> Vec<Option<f64>> {
    let mut counts = vec![(0.0, 0.0); answers.workers().len()];
    for (task, chosen) in chosen.iter().enumerate() {
        let Some(chosen) = chosen else { continue };
        for given in answers.to(task) {
            let (right, all) = &mut counts[given.worker as usize];
            *right += f64::from(u8::from(given.label == *chosen));
            *all += 1.0;
        }
    }
    counts.into_iter().map(|(right, all)| (all > 0.0).then(|| right / all)).collect()
}

/// The likeliest label of each task, of equally likely ones the first; none for a task without answers.
fn likeliest(answers: &Annotations, posterior: &[f64]) -> Vec<Option<u32>> {
    let rows = posterior.chunks_exact(answers.labels().len().max(1)).enumerate();
    rows.map(|(task, row)| (!answers.to(task).is_empty()).then(|| first_largest(row) as u32)).collect()
}

fn first_largest(row: &[f64]) -> usize {
    row.iter().enumerate().fold(0, |best, (place, value)| if *value > row[best] { place } else { best })
}
