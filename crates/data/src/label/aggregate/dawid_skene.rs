//! Dawid and Skene: each worker has a confusion matrix, learned together with the labels.
//!
//! Sums over tasks go by blocks of tasks, those over a worker's answers by blocks of workers, each in one order, so that
//! the result is the same on any number of threads.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::setters;
use stagewise_numeric::parallel::blocks;

use super::{Aggregated, Aggregator, TASKS, likeliest, require_answers, shares};
use crate::label::annotations::Annotations;

/// A probability below this counts as this: nothing is impossible.
const LEAST: f64 = 1e-10;

/// Expectation–maximisation for confusion matrices, from the shares of the votes.
///
/// A step makes, of the posterior `p` of the labels, the prior of each label (its mean) and the matrices
/// `π_w(t, g) ∝ s + Σ p_i(t)` over the tasks `i` to which worker `w` gave `g`; then
/// `p_i(t) ∝ prior(t) Π π_w(t, g)` over the answers to `i`, in logarithms. It ends when `Σ log-likelihood + s Σ ln π`
/// grows by no more than the tolerance an answer. If the steps end before, it warns and the result says so.
///
/// `O(answers · labels)` a step; memory for `workers · labels²` numbers. With few answers a worker take more smoothing.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, table::Table};
/// use stagewise_data::label::{Aggregator, Annotations, DawidSkene};
///
/// // Three workers, twelve tasks; `c` says the opposite.
/// let of = |i: usize| ["no", "yes"][usize::from((i / 3 % 2 == 0) != (i % 3 == 2))];
/// let table = Table::of([
///     ("task", Column::numbers((0..36).map(|i| (i / 3) as f64).collect::<Vec<_>>())),
///     ("worker", Column::texts((0..36).map(|i| Some(["a", "b", "c"][i % 3])))),
///     ("label", Column::texts((0..36).map(|i| Some(of(i))))),
/// ])?;
/// let answers = Annotations::of(&table, "task", "worker", "label")?;
/// let labels = DawidSkene::new().aggregate(&answers, &FitContext::new(7))?;
/// assert_eq!(labels.label("0"), Some("yes"));
/// assert!(labels.skill("a") > Some(0.99) && labels.skill("c") < Some(0.01));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Dawid & Skene (1979), "Maximum likelihood estimation of observer error-rates using the EM algorithm". Without
/// smoothing checked against crowd-kit 1.4.2 `DawidSkene`, tolerance 1e-6.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DawidSkene {
    smoothing: f64,
    steps: usize,
    tolerance: f64,
}

impl Default for DawidSkene {
    fn default() -> Self {
        Self { smoothing: 0.01, steps: 200, tolerance: 1e-6 }
    }
}

impl DawidSkene {
    /// Smoothing 0.01, at most 200 steps, tolerance 1e-6.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// What is added to each count of a worker's matrix. At least 0, default 0.01.
        smoothing: f64,
        /// The most steps. At least 1, default 200.
        steps: usize,
        /// The least growth of the objective an answer that is worth another step. At least 0, default 1e-6.
        tolerance: f64,
    }
}

impl Persist for DawidSkene {
    const TAG: &'static str = "DawidSkene";
}

impl Aggregator for DawidSkene {
    fn aggregate(&self, answers: &Annotations, cx: &FitContext) -> Result<Aggregated> {
        let finite = |x: f64| x.is_finite() && x >= 0.0;
        ParameterError::check(finite(self.smoothing), "smoothing", self.smoothing, "at least 0")?;
        ParameterError::check(self.steps > 0, "steps", self.steps, "at least 1")?;
        ParameterError::check(finite(self.tolerance), "tolerance", self.tolerance, "at least 0")?;
        require_answers("Dawid–Skene", answers)?;
        let model = Model { answers, by_worker: answers.by_worker(), smoothing: self.smoothing };
        let (mut objective, mut converged): (Vec<f64>, bool) = (Vec::new(), false);
        let mut posterior = cx.install(|| shares(answers, None));
        let bar = cx.start("Dawid–Skene", Some(self.steps as u64));
        while objective.len() < self.steps && !converged {
            cx.check()?;
            let (next, value) = cx.install(|| {
                let learned = model.learn(&posterior);
                model.explain(&learned)
            });
            posterior = next;
            converged = objective.last().is_some_and(|last| value - last <= self.tolerance * answers.len() as f64);
            objective.push(value);
            bar.advance(1);
        }
        if !converged {
            cx.warn(format!("Dawid–Skene did not settle in {} steps; allow more", self.steps));
        }
        let learned = cx.install(|| model.learn(&posterior));
        let (skills, confusion) = model.matrices(&learned);
        let chosen = likeliest(answers, &posterior);
        let mut result = Aggregated::new("Dawid–Skene", answers, chosen, posterior, skills);
        (result.confusion, result.objective, result.converged) = (Some(confusion), objective, converged);
        Ok(result)
    }
}

struct Model<'a> {
    answers: &'a Annotations,
    by_worker: Vec<Vec<(u32, u32)>>,
    smoothing: f64,
}

struct Learned {
    prior: Vec<f64>,
    /// `ln π`, workers × label given × true label, so that an answer adds one run of numbers.
    logs: Vec<f64>,
    /// `s Σ ln π`.
    penalty: f64,
}

impl Model<'_> {
    fn labels(&self) -> usize {
        self.answers.labels().len()
    }

    /// Priors and matrices of a posterior.
    fn learn(&self, posterior: &[f64]) -> Learned {
        const WORKERS: usize = 16;
        let labels = self.labels();
        let sums = blocks(self.answers.tasks().len(), TASKS, |tasks| {
            let mut sum = vec![0.0; labels];
            // The row of a task without answers is zero.
            tasks.for_each(|task| add(&mut sum, &posterior[task * labels..(task + 1) * labels]));
            sum
        });
        let mut prior = vec![0.0; labels];
        sums.iter().for_each(|sum| add(&mut prior, sum));
        let total: f64 = prior.iter().sum();
        prior.iter_mut().for_each(|p| *p = (*p / total).max(LEAST));
        let parts = blocks(self.by_worker.len(), WORKERS, |workers| {
            let mut logs = vec![0.0; workers.len() * labels * labels];
            let mut penalty = 0.0;
            for (worker, counts) in workers.zip(logs.chunks_exact_mut(labels * labels)) {
                for &(task, given) in &self.by_worker[worker] {
                    let (task, given) = (task as usize * labels, given as usize * labels);
                    add(&mut counts[given..given + labels], &posterior[task..task + labels]);
                }
                counts.iter_mut().for_each(|n| *n = (*n + self.smoothing).max(LEAST));
                let mut totals = vec![0.0; labels];
                counts.chunks_exact(labels).for_each(|row| add(&mut totals, row));
                for row in counts.chunks_exact_mut(labels) {
                    row.iter_mut().zip(&totals).for_each(|(n, total)| *n = (*n / total).ln());
                }
                penalty += self.smoothing * counts.iter().sum::<f64>();
            }
            (logs, penalty)
        });
        let penalty = parts.iter().map(|part| part.1).sum();
        let logs = parts.into_iter().map(|part| part.0).collect::<Vec<_>>().concat();
        Learned { prior, logs, penalty }
    }

    /// The posterior under priors and matrices, and the objective.
    fn explain(&self, learned: &Learned) -> (Vec<f64>, f64) {
        let labels = self.labels();
        let prior: Vec<f64> = learned.prior.iter().map(|p| p.ln()).collect();
        let parts = blocks(self.answers.tasks().len(), TASKS, |tasks| {
            let mut posterior = vec![0.0; tasks.len() * labels];
            let mut likelihood = 0.0;
            for (task, row) in tasks.zip(posterior.chunks_exact_mut(labels)) {
                let given = self.answers.to(task);
                if given.is_empty() {
                    continue;
                }
                row.copy_from_slice(&prior);
                for answer in given {
                    let at = (answer.worker as usize * labels + answer.label as usize) * labels;
                    add(row, &learned.logs[at..at + labels]);
                }
                likelihood += to_probabilities(row);
            }
            (posterior, likelihood)
        });
        let likelihood: f64 = parts.iter().map(|part| part.1).sum();
        (parts.into_iter().map(|part| part.0).collect::<Vec<_>>().concat(), likelihood + learned.penalty)
    }

    /// How likely each worker is right, and its matrix by true label; nothing for a worker without answers.
    fn matrices(&self, learned: &Learned) -> (Vec<Option<f64>>, Vec<f64>) {
        let labels = self.labels();
        let mut confusion = vec![0.0; learned.logs.len()];
        let skills = (0..self.by_worker.len()).map(|worker| {
            let of = worker * labels * labels;
            let mut right = 0.0;
            for truth in 0..labels {
                for given in 0..labels {
                    confusion[of + truth * labels + given] = learned.logs[of + given * labels + truth].exp();
                }
                right += learned.prior[truth] * confusion[of + truth * labels + truth];
            }
            (!self.by_worker[worker].is_empty()).then_some(right)
        });
        (skills.collect(), confusion)
    }
}

fn add(sum: &mut [f64], row: &[f64]) {
    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
}

/// Turns logarithms into probabilities that sum to 1; gives the logarithm of what they summed to.
pub(super) fn to_probabilities(row: &mut [f64]) -> f64 {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|x| *x = (*x - most).exp());
    let total: f64 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= total);
    most + total.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;
    use proptest::prelude::*;
    use stagewise_numeric::random::Stream;

    /// Workers who are right with the given probabilities, on three labels.
    fn drawn(tasks: usize, skills: &[f64], seed: u64) -> (Annotations, Vec<u32>) {
        use crate::label::annotations::Given;
        use stagewise_core::schema::Levels;
        let mut stream = Stream::new(seed, "answers");
        let truth: Vec<u32> = (0..tasks).map(|_| stream.below(3) as u32).collect();
        let mut rows = Vec::new();
        for (task, &truth) in truth.iter().enumerate() {
            for (worker, &skill) in skills.iter().enumerate() {
                let wrong = (truth + 1 + stream.below(2) as u32) % 3;
                let label = if stream.unit() < skill { truth } else { wrong };
                rows.push((task as u32, Given { worker: worker as u32, label }));
            }
        }
        let names = |n: usize| Levels::new((0..n).map(|i| i.to_string()));
        (Annotations::coded(names(tasks), names(skills.len()), names(3), rows, 0).unwrap(), truth)
    }

    #[test]
    fn good_workers_outweigh_bad_ones_and_threads_do_not_matter() {
        let (answers, truth) = drawn(1500, &[0.95, 0.9, 0.8, 0.4, 0.35, 0.3], 1);
        let of =
            |threads| DawidSkene::new().aggregate(&answers, &FitContext::new(0).threads(threads).unwrap()).unwrap();
        let labels = of(1);
        assert_eq!(labels, of(3));
        let right = labels.codes().iter().zip(&truth).filter(|(found, truth)| **found == Some(**truth)).count();
        assert!(right > 1350, "{right}");
        assert!((labels.skill("0").unwrap() - 0.95).abs() < 0.03);
        assert!(labels.converged());
    }

    #[test]
    fn edges_have_a_policy() {
        let cx = FitContext::new(0);
        let one = annotations(&[("1", "a", "x"), ("2", "b", ""), ("3", "a", "x")]);
        let labels = DawidSkene::new().aggregate(&one, &cx).unwrap();
        assert_eq!((labels.label("1"), labels.label("2"), labels.skill("b")), (Some("x"), None, None));
        assert!(DawidSkene::new().aggregate(&annotations(&[]), &cx).is_err());
        assert!(DawidSkene::new().smoothing(-1.0).aggregate(&one, &cx).is_err());
        assert!(DawidSkene::new().steps(0).aggregate(&one, &cx).is_err());
        assert!(DawidSkene::new().tolerance(f64::NAN).aggregate(&one, &cx).is_err());
        let (answers, _) = drawn(50, &[0.7, 0.6, 0.5], 2);
        let cut = DawidSkene::new().steps(1).aggregate(&answers, &cx).unwrap();
        assert!(!cut.converged() && cx.take_warnings().len() == 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_objective_never_falls_and_rows_sum_to_one(seed: u64, smoothing in 0.0f64..2.0) {
            let (answers, _) = drawn(60, &[0.9, 0.6, 0.4], seed);
            let spec = DawidSkene::new().smoothing(smoothing).tolerance(0.0).steps(30);
            let labels = spec.aggregate(&answers, &FitContext::new(0)).unwrap();
            for pair in labels.objective().windows(2) {
                prop_assert!(pair[1] >= pair[0] - 1e-6, "{:?}", pair);
            }
            for task in 0..60 {
                prop_assert!((labels.posterior(task).unwrap().iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
            for row in labels.confusion("1").unwrap() {
                prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }
}
