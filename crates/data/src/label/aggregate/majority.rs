//! The label that most workers gave.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;

use super::{Aggregated, Aggregator, agreement, likeliest, require_answers, shares};
use crate::label::annotations::Annotations;

/// What a tie gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// The first of the tied labels, in the order of the labels.
    #[default]
    First,
    /// No label: the task is for [adjudication](crate::label::adjudicate).
    Undecided,
}

/// The label that most workers gave; the posterior is the share of each label, the skill how often a worker says what
/// was chosen. `O(answers + tasks · labels)`.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, table::Table};
/// use stagewise_data::label::{Aggregator, Annotations, MajorityVote};
///
/// let table = Table::of([
///     ("task", Column::texts(["1", "1", "1", "2"].map(Some))),
///     ("worker", Column::texts(["a", "b", "c", "a"].map(Some))),
///     ("label", Column::texts(["cat", "cat", "dog", "dog"].map(Some))),
/// ])?;
/// let answers = Annotations::of(&table, "task", "worker", "label")?;
/// let labels = MajorityVote::new().aggregate(&answers, &FitContext::new(7))?;
/// assert_eq!((labels.label("1"), labels.skill("c")), (Some("cat"), Some(0.0)));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against crowd-kit 1.4.2 `MajorityVote`, tolerance 1e-6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MajorityVote {
    ties: Ties,
}

impl MajorityVote {
    /// Ties give the first label.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a tie gives. Default: [`Ties::First`].
    #[must_use]
    pub fn ties(mut self, ties: Ties) -> Self {
        self.ties = ties;
        self
    }
}

impl Persist for MajorityVote {
    const TAG: &'static str = "MajorityVote";
}

impl Aggregator for MajorityVote {
    fn aggregate(&self, answers: &Annotations, cx: &FitContext) -> Result<Aggregated> {
        require_answers("a majority vote", answers)?;
        let posterior = cx.install(|| shares(answers, None));
        let mut chosen = likeliest(answers, &posterior);
        if self.ties == Ties::Undecided {
            untie(&mut chosen, &posterior, answers.labels().len());
        }
        let skills = agreement(answers, &chosen);
        Ok(Aggregated::new("majority vote", answers, chosen, posterior, skills))
    }
}

/// Takes the label of tasks in which another is as likely.
pub(super) fn untie(chosen: &mut [Option<u32>], posterior: &[f64], labels: usize) {
    for (chosen, row) in chosen.iter_mut().zip(posterior.chunks_exact(labels.max(1))) {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if row.iter().filter(|share| **share == most).count() > 1 {
            *chosen = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;
    use stagewise_core::exhibit::Exhibit;

    #[test]
    fn ties_go_by_the_rule_and_tasks_without_answers_are_not_guessed() {
        let answers =
            annotations(&[("1", "a", "x"), ("1", "b", "y"), ("2", "a", "y"), ("2", "b", "y"), ("3", "a", "")]);
        let cx = FitContext::new(0);
        let first = MajorityVote::new().aggregate(&answers, &cx).unwrap();
        assert_eq!(first.codes(), [Some(0), Some(1), None]);
        assert_eq!((first.posterior(0), first.posterior(2)), (Some(&[0.5, 0.5][..]), None));
        assert_eq!(first.skills(), [Some(1.0), Some(0.5)]);
        let open = MajorityVote::new().ties(Ties::Undecided).aggregate(&answers, &cx).unwrap();
        assert_eq!(open.codes(), [None, Some(1), None]);
        assert_eq!(open.skills(), [Some(1.0), Some(1.0)]);
        let table = open.to_table().unwrap();
        assert_eq!(table.column("label").unwrap().missing_count(), 2);
        assert_eq!(table.column("confidence").unwrap().as_numbers().unwrap()[1], 1.0);
        assert!(!open.exhibit().blocks.is_empty());
        let error = MajorityVote::new().aggregate(&annotations(&[]), &cx).unwrap_err();
        assert_eq!(error.to_string(), "a majority vote needs at least 1 rows, 0 found");
    }
}
