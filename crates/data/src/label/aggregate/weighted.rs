//! A vote in which workers count as much as they agree with it.
//!
//! Of the two simple schemes of crowd-kit this is Wawa, worker agreement with aggregate, gone on with until the labels
//! settle. The other, zero-based skill, is a gradient with a rate and a number of steps that decide where it ends.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;

use super::majority::untie;
use super::{Aggregated, Aggregator, Ties, agreement, likeliest, require_answers, shares};
use crate::label::annotations::Annotations;

/// A weighted vote: first a majority vote, then again and again a vote in which a worker counts as often as it said what
/// the last one chose, until no label changes.
///
/// The posterior is the weighted share of each label, the skill the weight with which a worker counted. A task whose
/// workers all have weight 0 is decided by their majority. One [round](Self::rounds) is Wawa. `O(answers + tasks · labels)`
/// a round.
///
/// Appen (2021), "Worker agreement with aggregate". One round checked against crowd-kit 1.4.2 `Wawa`, tolerance 1e-6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WeightedVote {
    rounds: usize,
    ties: Ties,
}

impl Default for WeightedVote {
    fn default() -> Self {
        Self { rounds: 10, ties: Ties::First }
    }
}

impl WeightedVote {
    /// At most 10 rounds; ties give the first label.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most weighted votes. At least 1, default 10.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// What a tie gives at the end. Default: [`Ties::First`].
    #[must_use]
    pub fn ties(mut self, ties: Ties) -> Self {
        self.ties = ties;
        self
    }
}

impl Persist for WeightedVote {
    const TAG: &'static str = "WeightedVote";
}

impl Aggregator for WeightedVote {
    fn aggregate(&self, answers: &Annotations, cx: &FitContext) -> Result<Aggregated> {
        ParameterError::check(self.rounds > 0, "rounds", self.rounds, "at least 1")?;
        require_answers("a weighted vote", answers)?;
        let mut posterior = cx.install(|| shares(answers, None));
        let mut chosen = likeliest(answers, &posterior);
        let mut skills = agreement(answers, &chosen);
        let mut settled = false;
        for round in 0..self.rounds {
            cx.check()?;
            if round > 0 {
                skills = agreement(answers, &chosen);
            }
            let weights: Vec<f64> = skills.iter().map(|skill| skill.unwrap_or(0.0)).collect();
            posterior = cx.install(|| shares(answers, Some(&weights)));
            let next = likeliest(answers, &posterior);
            settled = next == chosen;
            chosen = next;
            if settled {
                break;
            }
        }
        if self.ties == Ties::Undecided {
            untie(&mut chosen, &posterior, answers.labels().len());
        }
        let mut result = Aggregated::new("weighted vote", answers, chosen, posterior, skills);
        result.converged = settled;
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;

    #[test]
    fn those_who_agree_with_the_others_decide_a_tie() {
        let mut rows = vec![("0", "good", "y"), ("0", "bad", "x")];
        for task in ["1", "2", "3"] {
            rows.extend([(task, "good", "y"), (task, "also", "y"), (task, "bad", "x")]);
        }
        let answers = annotations(&rows);
        let labels = WeightedVote::new().aggregate(&answers, &FitContext::new(0)).unwrap();
        assert_eq!(labels.label("0"), Some("y"));
        assert!(labels.converged() && labels.skill("good") > labels.skill("bad"));
        assert!(WeightedVote::new().rounds(0).aggregate(&answers, &FitContext::new(0)).is_err());
    }

    #[test]
    fn workers_without_weight_still_decide_their_own_task() {
        let answers = annotations(&[("1", "a", "x"), ("1", "b", "y"), ("1", "c", "y"), ("2", "a", "x")]);
        let labels = WeightedVote::new().rounds(1).aggregate(&answers, &FitContext::new(0)).unwrap();
        assert_eq!((labels.label("1"), labels.label("2")), (Some("y"), Some("x")));
    }
}
