//! GLAD: each worker has one ability, each task one difficulty.
//!
//! The maximisation has no closed form. It is done by L-BFGS from where the last one ended, and need not be exact: the
//! objective of the whole grows as long as each step improves its part.

use ndarray::{Array1, ArrayView1};
use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{NumericError, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::setters;
use stagewise_numeric::parallel::blocks;
use stagewise_numeric::solve::lbfgs::{LbfgsOptions, minimise};

use super::dawid_skene::to_probabilities;
use super::{Aggregated, Aggregator, TASKS, likeliest, require_answers};
use crate::label::annotations::Annotations;

/// Abilities of workers and difficulties of tasks by expectation–maximisation.
///
/// Worker `w` is right on task `i` with probability `σ(a_w exp b_i)` and else gives any other label equally often. Before
/// the answers all labels are equally likely, and `a` and `b` normal with mean 1 and variance 1, as in crowd-kit. The skill
/// is `a`, the [difficulty](Aggregated::difficulty) `exp(−b)`. It ends when log-likelihood and priors grow by no more than
/// the tolerance an answer. If the steps end before, it warns and the result says so.
///
/// Use it where tasks differ in how hard they are; where workers confuse some labels more than others use
/// [`DawidSkene`](super::DawidSkene). `O(answers + tasks · labels)` for each of up to some 25 evaluations a step.
///
/// Whitehill, Ruvolo, Wu, Bergsma & Movellan (2009), "Whose vote should count more". Checked against crowd-kit 1.4.2
/// `GLAD` run until it stands still, tolerance 1e-3.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Glad {
    steps: usize,
    tolerance: f64,
}

impl Default for Glad {
    fn default() -> Self {
        Self { steps: 200, tolerance: 1e-6 }
    }
}

impl Glad {
    /// At most 200 steps, tolerance 1e-6.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The most steps. At least 1, default 200.
        steps: usize,
        /// The least growth of the objective an answer that is worth another step. At least 0, default 1e-6.
        tolerance: f64,
    }
}

impl Persist for Glad {
    const TAG: &'static str = "Glad";
}

impl Aggregator for Glad {
    /// # Errors
    /// [`ParameterError`]; annotations without an answer; [`NumericError::Undefined`] for fewer than 2 labels, because
    /// then nobody can be wrong.
    fn aggregate(&self, answers: &Annotations, cx: &FitContext) -> Result<Aggregated> {
        ParameterError::check(self.steps > 0, "steps", self.steps, "at least 1")?;
        let tolerance = self.tolerance;
        ParameterError::check(tolerance.is_finite() && tolerance >= 0.0, "tolerance", tolerance, "at least 0")?;
        require_answers("GLAD", answers)?;
        if answers.labels().len() < 2 {
            let why = "only one label was given".to_string();
            return Err(NumericError::Undefined { what: "an ability".into(), why }.into());
        }
        let model = Model { answers, by_worker: answers.by_worker() };
        let workers = answers.workers().len();
        let options = LbfgsOptions { max_iterations: 25, gradient_tolerance: 1e-6, ..LbfgsOptions::default() };
        let mut point = Array1::ones(workers + answers.tasks().len());
        let (mut objective, mut converged): (Vec<f64>, bool) = (Vec::new(), false);
        let bar = cx.start("GLAD", Some(self.steps as u64));
        let posterior = loop {
            cx.check()?;
            let (posterior, value) = cx.install(|| model.explain(point.view()));
            converged |= objective.last().is_some_and(|last| value - last <= tolerance * answers.len() as f64);
            objective.push(value);
            bar.advance(1);
            if converged || objective.len() > self.steps {
                break posterior;
            }
            point = cx.install(|| minimise(point, |x, gradient| model.loss(x, &posterior, gradient), &options).x);
        };
        if !converged {
            cx.warn(format!("GLAD did not settle in {} steps; allow more", self.steps));
        }
        let known = |lists: usize, worker: usize| (lists > 0).then(|| point[worker]);
        let skills = model.by_worker.iter().enumerate().map(|(worker, list)| known(list.len(), worker)).collect();
        let difficult = |task: usize| (!answers.to(task).is_empty()).then(|| (-point[workers + task]).exp());
        let difficulty = (0..answers.tasks().len()).map(difficult).collect();
        let chosen = likeliest(answers, &posterior);
        let mut result = Aggregated::new("GLAD", answers, chosen, posterior, skills);
        (result.difficulty, result.objective, result.converged) = (Some(difficulty), objective, converged);
        Ok(result)
    }
}

struct Model<'a> {
    answers: &'a Annotations,
    by_worker: Vec<Vec<(u32, u32)>>,
}

impl Model<'_> {
    /// The posterior at a point, and the objective there.
    fn explain(&self, x: ArrayView1<'_, f64>) -> (Vec<f64>, f64) {
        let (workers, labels) = (self.by_worker.len(), self.answers.labels().len());
        let others = ((labels - 1) as f64).ln();
        let parts = blocks(self.answers.tasks().len(), TASKS, |tasks| {
            let mut posterior = vec![0.0; tasks.len() * labels];
            let mut likelihood = 0.0;
            for (task, row) in tasks.zip(posterior.chunks_exact_mut(labels)) {
                let given = self.answers.to(task);
                if given.is_empty() {
                    continue;
                }
                let scale = x[workers + task].exp();
                for answer in given {
                    let z = x[answer.worker as usize] * scale;
                    let wrong = -softplus(z) - others;
                    row[answer.label as usize] += -softplus(-z) - wrong;
                    likelihood += wrong;
                }
                likelihood += to_probabilities(row) - (labels as f64).ln();
            }
            (posterior, likelihood)
        });
        let likelihood: f64 = parts.iter().map(|part| part.1).sum();
        let far: f64 = x.iter().map(|x| (x - 1.0) * (x - 1.0)).sum();
        (parts.into_iter().map(|part| part.0).collect::<Vec<_>>().concat(), likelihood - far / 2.0)
    }

    /// What the maximisation makes small, and its gradient: by tasks for difficulties, by workers for abilities.
    fn loss(&self, x: ArrayView1<'_, f64>, posterior: &[f64], gradient: &mut Array1<f64>) -> f64 {
        const WORKERS: usize = 16;
        let (workers, labels) = (self.by_worker.len(), self.answers.labels().len());
        let scales: Vec<f64> = x.iter().skip(workers).map(|b| b.exp()).collect();
        let by_task = blocks(self.answers.tasks().len(), TASKS, |tasks| {
            let mut slopes = vec![0.0; tasks.len()];
            let mut loss = 0.0;
            for (task, slope) in tasks.zip(&mut slopes) {
                for answer in self.answers.to(task) {
                    let z = x[answer.worker as usize] * scales[task];
                    let right = posterior[task * labels + answer.label as usize];
                    loss += right * softplus(-z) + (1.0 - right) * softplus(z);
                    *slope += (logistic(z) - right) * z;
                }
            }
            (slopes, loss)
        });
        let by_worker = blocks(workers, WORKERS, |block| {
            let slope = |worker: usize| -> f64 {
                let each = self.by_worker[worker].iter().map(|&(task, label)| {
                    let z = x[worker] * scales[task as usize];
                    (logistic(z) - posterior[task as usize * labels + label as usize]) * scales[task as usize]
                });
                each.sum()
            };
            block.map(slope).collect::<Vec<f64>>()
        });
        let slopes = by_worker.iter().flatten().chain(by_task.iter().flat_map(|part| &part.0));
        for ((gradient, slope), x) in gradient.iter_mut().zip(slopes).zip(x) {
            *gradient = slope + (x - 1.0);
        }
        let far: f64 = x.iter().map(|x| (x - 1.0) * (x - 1.0)).sum();
        by_task.iter().map(|part| part.1).sum::<f64>() + far / 2.0
    }
}

/// `ln(1 + e^x)`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;

    fn answers() -> Annotations {
        let names: Vec<String> = (0..40).map(|i| i.to_string()).collect();
        let rows: Vec<(&str, &str, &str)> = (0..200)
            .map(|i| {
                let (task, worker) = (i / 5, i % 5);
                let slip = match worker {
                    4 => task % 2 == 1,
                    3 => task % 5 == 0,
                    _ => task % 10 == worker,
                };
                let right = ["x", "y", "z"];
                (names[task].as_str(), ["a", "b", "c", "d", "e"][worker], right[(task + usize::from(slip)) % 3])
            })
            .collect();
        annotations(&rows)
    }

    #[test]
    fn abilities_and_difficulties_are_told_apart_on_any_number_of_threads() {
        let answers = answers();
        let of = |threads| Glad::new().aggregate(&answers, &FitContext::new(0).threads(threads).unwrap()).unwrap();
        let labels = of(1);
        assert_eq!(labels, of(3));
        assert!(labels.converged() && labels.objective().windows(2).all(|pair| pair[1] >= pair[0] - 1e-9));
        assert!(labels.skill("b") > labels.skill("d") && labels.skill("d") > labels.skill("e"));
        assert!(labels.difficulty("0") > labels.difficulty("8"));
        let right = (0..40).filter(|task| labels.codes()[*task] == answers.labels().code(["x", "y", "z"][task % 3]));
        assert_eq!(right.count(), 40);
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let answers = answers();
        let model = Model { answers: &answers, by_worker: answers.by_worker() };
        let start = Array1::from_shape_fn(45, |i| 0.8 + 0.01 * i as f64);
        let (posterior, _) = model.explain(start.view());
        let mut gradient = Array1::zeros(45);
        let mut unused = Array1::zeros(45);
        model.loss(start.view(), &posterior, &mut gradient);
        for i in [0, 3, 4, 5, 20, 44] {
            let mut at = |shift: f64| {
                let mut x = start.clone();
                x[i] += shift;
                model.loss(x.view(), &posterior, &mut unused)
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((slope - gradient[i]).abs() < 1e-6 * (1.0 + slope.abs()), "{i}: {slope} {}", gradient[i]);
        }
    }

    #[test]
    fn edges_have_a_policy() {
        let cx = FitContext::new(0);
        assert!(Glad::new().aggregate(&annotations(&[("1", "a", "x")]), &cx).is_err());
        assert!(Glad::new().aggregate(&annotations(&[]), &cx).is_err());
        assert!(Glad::new().steps(0).aggregate(&answers(), &cx).is_err());
        let sparse = annotations(&[("1", "a", "x"), ("2", "b", ""), ("3", "a", "y")]);
        let labels = Glad::new().aggregate(&sparse, &cx).unwrap();
        assert_eq!((labels.label("2"), labels.skill("b"), labels.difficulty("2")), (None, None, None));
    }
}
