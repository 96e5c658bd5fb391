//! What boosting makes small: the loss of a row, its slope and curvature in the score, and the best constant score.
//!
//! With score `z`, truth `y` and `p = 1 / (1 + e^-z)`. A gradient and hessian is multiplied by the row's weight. Where a
//! curvature is not above 0 it is lifted to a tiny number, so that no leaf divides by nothing.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};
use stagewise_numeric::exp::exp;
use stagewise_numeric::quantile::weighted_quantile;
use stagewise_numeric::sum::Moments;

use crate::link::Link;

/// The least curvature of a row.
pub(super) const LEAST: f64 = 1e-16;
/// The least share of a class that a start supposes, so that its logarithm is a number.
const LEAST_SHARE: f64 = 1e-12;

/// What [`GradientBoosting`](crate::GradientBoosting) makes small.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Objective {
    /// `(z − y)² / 2`: the mean. Regression's default.
    Squared,
    /// `|z − y|`: the median. Leaves answer with the median of what is left.
    Absolute,
    /// Squared up to an error of `delta`, absolute beyond: a mean that outliers do not pull.
    Huber {
        /// The error from which on the loss is a line. Above 0.
        delta: f64,
    },
    /// The pinball loss: the quantile `level`. Leaves answer with that quantile of what is left.
    Quantile {
        /// Between 0 and 1.
        level: f64,
    },
    /// `e^z − y z`: a mean of counts; targets are not below 0.
    Poisson,
    /// `z + y e^-z`: a mean of amounts above 0.
    Gamma,
    /// `e^((2−p)z) / (2−p) − y e^((1−p)z) / (1−p)`: a mean of amounts, many of which are 0; targets are not below 0.
    Tweedie {
        /// The power `p` of the mean that the variance follows. Above 1, below 2.
        power: f64,
    },
    /// The logarithmic loss of targets that are shares from 0 to 1.
    CrossEntropy,
    /// `−ln` of the probability of what happened: the binary default.
    Logistic,
    /// The logarithmic loss times `(1 − q)^gamma`, `q` the probability of what happened: rows that are easy count less
    /// (Lin et al. 2017). Its answers are no calibrated probabilities.
    Focal {
        /// Not below 0; 0 is the logarithmic loss.
        gamma: f64,
    },
    /// `−ln` of the probability of the class: the multiclass default.
    Softmax,
    /// The order of the rows of a group: pairs of rows, each times what the NDCG would change if they changed places
    /// (LambdaMART; Burges 2010), as LightGBM's `lambdarank` with its sigmoid of 1 and its normalisation. A grade `r`
    /// gains `2^r − 1`, so grades are at most 30. Ranking's default. Its history shows `1 − NDCG`.
    LambdaRank {
        /// Of a pair, at least one row stands in one of so many first places; NDCG is that of these places. At least 1;
        /// the default is 30.
        truncation: usize,
    },
}

/// Truth and weights of the rows to learn from. Events are 1, classes their code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) weights: Option<&'a [f64]>,
}

impl Truth<'_> {
    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    pub(super) fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        let mut moments = Moments::new();
        (0..self.values.len()).for_each(|row| moments.add_weighted(of(self.values[row]), self.weight(row)));
        moments.mean().unwrap_or(0.0)
    }
}

impl Objective {
    /// Checks the parameters, and the targets against what the objective is for.
    pub(crate) fn check(self, targets: &[f64]) -> Result<()> {
        let (name, valid, allowed): (_, _, &'static str) = match self {
            Self::Huber { delta } => ("delta", delta.is_finite() && delta > 0.0, "a number above 0"),
            Self::Quantile { level } => ("level", level > 0.0 && level < 1.0, "between 0 and 1"),
            Self::Tweedie { power } => ("power", power > 1.0 && power < 2.0, "above 1 and below 2"),
            Self::LambdaRank { truncation } => ("truncation", truncation >= 1, "at least 1"),
            Self::Focal { gamma } => ("gamma", gamma.is_finite() && gamma >= 0.0, "not below 0"),
            _ => ("objective", true, ""),
        };
        ParameterError::check(valid, name, format!("{self:?}"), allowed)?;
        let (may, allowed): (fn(f64) -> bool, _) = match self {
            Self::Poisson | Self::Tweedie { .. } => (|y| y >= 0.0, "one whose targets are not below 0"),
            Self::Gamma => (|y| y > 0.0, "one whose targets are above 0"),
            Self::CrossEntropy => (|y| (0.0..=1.0).contains(&y), "one whose targets are shares from 0 to 1"),
            Self::LambdaRank { .. } => (|y| (0.0..=30.0).contains(&y), "one whose targets are grades from 0 to 30"),
            _ => (|_| true, ""),
        };
        match targets.iter().position(|&y| !may(y)) {
            None => Ok(()),
            Some(row) => {
                let value = format!("{self:?} with the target {} in row {row}", targets[row]);
                Err(ParameterError { name: "objective", value, allowed }.into())
            }
        }
    }

    /// What its loss is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Squared => "squared error / 2",
            Self::Absolute => "absolute error",
            Self::Huber { .. } => "Huber loss",
            Self::Quantile { .. } => "pinball loss",
            Self::Poisson => "Poisson loss",
            Self::Gamma => "Gamma loss",
            Self::Tweedie { .. } => "Tweedie loss",
            Self::CrossEntropy | Self::Logistic | Self::Softmax => "log loss",
            Self::Focal { .. } => "focal loss",
            Self::LambdaRank { .. } => "1 - NDCG",
        }
    }

    /// What turns scores into answers.
    pub(crate) fn link(self) -> Link {
        match self {
            Self::Squared | Self::Absolute | Self::Huber { .. } | Self::Quantile { .. } | Self::LambdaRank { .. } => {
                Link::Identity
            }
            Self::Poisson | Self::Gamma | Self::Tweedie { .. } => Link::Log,
            Self::CrossEntropy | Self::Logistic | Self::Focal { .. } => Link::Logit,
            Self::Softmax => Link::Softmax,
        }
    }

    /// The quantile of what is left that a leaf answers with, where the curvature says nothing.
    pub(crate) fn leaf_quantile(self) -> Option<f64> {
        match self {
            Self::Absolute => Some(0.5),
            Self::Quantile { level } => Some(level),
            _ => None,
        }
    }

    /// The best constant scores, one for each of `outputs`.
    pub(crate) fn start(self, truth: &Truth<'_>, outputs: usize) -> Vec<f64> {
        let quantile = |level| {
            let ones;
            let weights = match truth.weights {
                Some(weights) => weights,
                None => {
                    ones = vec![1.0; truth.values.len()];
                    &ones
                }
            };
            weighted_quantile(truth.values, weights, level).unwrap_or(0.0)
        };
        let logit = |share: f64| {
            let share = share.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
            (share / (1.0 - share)).ln()
        };
        match self {
            Self::Softmax => (0..outputs)
                .map(|class| truth.mean(|y| f64::from(u8::from(y == class as f64))).max(LEAST_SHARE).ln())
                .collect(),
            Self::LambdaRank { .. } => vec![0.0],
            Self::Squared => vec![truth.mean(|y| y)],
            Self::Absolute | Self::Huber { .. } => vec![quantile(0.5)],
            Self::Quantile { level } => vec![quantile(level)],
            Self::Poisson | Self::Gamma | Self::Tweedie { .. } => vec![truth.mean(|y| y).max(LEAST_SHARE).ln()],
            Self::CrossEntropy | Self::Logistic | Self::Focal { .. } => vec![logit(truth.mean(|y| y))],
        }
    }

    /// Writes gradient and hessian of the rows from `first` on, `outputs` of each row after another.
    pub(crate) fn pairs(self, truth: &Truth<'_>, first: usize, outputs: usize, scores: &[f64], pairs: &mut [[f64; 2]]) {
        let y = &truth.values[first..first + scores.len() / outputs.max(1)];
        match self {
            Self::Squared => each(y, scores, pairs, |y, z| [z - y, 1.0]),
            Self::Absolute => each(y, scores, pairs, |y, z| [sign(z - y), 1.0]),
            Self::Huber { delta } => each(y, scores, pairs, |y, z| [(z - y).clamp(-delta, delta), 1.0]),
            Self::Quantile { level } => each(y, scores, pairs, |y, z| {
                [
                    if z > y {
                        1.0 - level
                    } else if z < y {
                        -level
                    } else {
                        0.0
                    },
                    1.0,
                ]
            }),
            Self::Poisson => each(y, scores, pairs, |y, z| {
                let mean = exp(z);
                [mean - y, mean]
            }),
            Self::Gamma => each(y, scores, pairs, |y, z| {
                let ratio = y * exp(-z);
                [1.0 - ratio, ratio]
            }),
            Self::Tweedie { power } => each(y, scores, pairs, |y, z| {
                let (a, b) = (y * exp((1.0 - power) * z), exp((2.0 - power) * z));
                [b - a, (power - 1.0) * a + (2.0 - power) * b]
            }),
            Self::CrossEntropy | Self::Logistic => each(y, scores, pairs, |y, z| {
                let p = 1.0 / (1.0 + exp(-z));
                [p - y, p * (1.0 - p)]
            }),
            Self::Focal { gamma } => each(y, scores, pairs, |y, z| focal(y, z, gamma)),
            Self::Softmax => softmax(y, outputs, scores, pairs),
            // Alone, a row has no place; `Lists` knows the others of its list.
            Self::LambdaRank { .. } => each(y, scores, pairs, |_, _| [0.0; 2]),
        }
        multiply(truth, first, outputs, pairs);
    }

    /// The weighted mean of the losses of all rows.
    pub(crate) fn loss(self, truth: &Truth<'_>, outputs: usize, scores: &[f64]) -> f64 {
        mean_loss(truth, outputs, scores, |y, scores| self.row_loss(y, scores))
    }

    fn row_loss(self, y: f64, scores: &[f64]) -> f64 {
        let z = scores[0];
        let log_loss = |y: f64, z: f64| z.max(0.0) - y * z + exp(-z.abs()).ln_1p();
        match self {
            Self::LambdaRank { .. } => 0.0,
            Self::Squared => 0.5 * (z - y) * (z - y),
            Self::Absolute => (z - y).abs(),
            Self::Huber { delta } => {
                let error = (z - y).abs();
                if error <= delta { 0.5 * error * error } else { delta * (error - 0.5 * delta) }
            }
            Self::Quantile { level } => (level - f64::from(u8::from(y < z))) * (y - z),
            Self::Poisson => exp(z) - y * z,
            Self::Gamma => z + y * exp(-z),
            Self::Tweedie { power } => {
                exp((2.0 - power) * z) / (2.0 - power) - y * exp((1.0 - power) * z) / (1.0 - power)
            }
            Self::CrossEntropy | Self::Logistic => log_loss(y, z),
            Self::Focal { gamma } => {
                let z = if y > 0.5 { z } else { -z };
                let q = 1.0 / (1.0 + exp(-z));
                (1.0 - q).powf(gamma) * log_loss(1.0, z)
            }
            Self::Softmax => {
                let largest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
                let sum: f64 = scores.iter().map(|z| exp(z - largest)).sum();
                sum.ln() + largest - scores.get(y as usize).copied().unwrap_or(largest)
            }
        }
    }
}

/// The weighted mean of what `loss` gives for truth and scores of each row.
pub(super) fn mean_loss(
    truth: &Truth<'_>,
    outputs: usize,
    scores: &[f64],
    loss: impl Fn(f64, &[f64]) -> f64 + Sync,
) -> f64 {
    const BLOCK: usize = 1 << 14;
    let blocks = stagewise_numeric::parallel::blocks(truth.values.len(), BLOCK, |rows| {
        rows.fold([0.0; 2], |[sum, total], row| {
            let weight = truth.weight(row);
            let scores = &scores[row * outputs..(row + 1) * outputs];
            [sum + weight * loss(truth.values[row], scores), total + weight]
        })
    });
    let [sum, total] = blocks.into_iter().fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
    sum / total
}

/// Multiplies the pairs of the rows from `first` on by their weights.
pub(super) fn multiply(truth: &Truth<'_>, first: usize, outputs: usize, pairs: &mut [[f64; 2]]) {
    let Some(weights) = truth.weights else { return };
    for (pairs, weight) in pairs.chunks_mut(outputs.max(1)).zip(&weights[first..]) {
        pairs.iter_mut().for_each(|pair| *pair = [pair[0] * weight, pair[1] * weight]);
    }
}

#[inline]
fn each(y: &[f64], scores: &[f64], pairs: &mut [[f64; 2]], pair: impl Fn(f64, f64) -> [f64; 2]) {
    for ((y, z), place) in y.iter().zip(scores).zip(pairs) {
        let [gradient, hessian] = pair(*y, *z);
        *place = [gradient, hessian.max(LEAST)];
    }
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

/// With `q` the probability of what happened: the slope is `±(1−q)^γ (γ q ln q + q − 1)`.
fn focal(y: f64, z: f64, gamma: f64) -> [f64; 2] {
    let side = if y > 0.5 { 1.0 } else { -1.0 };
    let q = 1.0 / (1.0 + exp(-side * z));
    let (rest, ln_q) = (1.0 - q, -(exp(-side * z)).ln_1p());
    let inner = gamma * q * ln_q + q - 1.0;
    let fade = rest.powf(gamma);
    [side * fade * inner, q * fade * (rest * (gamma * ln_q + gamma + 1.0) - gamma * inner)]
}

fn softmax(y: &[f64], classes: usize, scores: &[f64], pairs: &mut [[f64; 2]]) {
    for ((y, scores), pairs) in y.iter().zip(scores.chunks(classes)).zip(pairs.chunks_mut(classes)) {
        let largest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let mut sum = 0.0;
        for (pair, z) in pairs.iter_mut().zip(scores) {
            pair[0] = exp(z - largest);
            sum += pair[0];
        }
        for (class, pair) in pairs.iter_mut().enumerate() {
            let p = pair[0] / sum;
            *pair = [p - f64::from(u8::from(*y == class as f64)), (p * (1.0 - p)).max(LEAST)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Objective; 10] = [
        Objective::Squared,
        Objective::Absolute,
        Objective::Huber { delta: 0.7 },
        Objective::Quantile { level: 0.3 },
        Objective::Poisson,
        Objective::Gamma,
        Objective::Tweedie { power: 1.4 },
        Objective::CrossEntropy,
        Objective::Logistic,
        Objective::Focal { gamma: 2.0 },
    ];

    fn pair(objective: Objective, y: f64, z: f64) -> [f64; 2] {
        let mut pairs = [[0.0; 2]];
        objective.pairs(&Truth { values: &[y], weights: None }, 0, 1, &[z], &mut pairs);
        pairs[0]
    }

    #[test]
    fn losses_slopes_curvatures_and_starts_are_those_of_others() {
        let golden = stagewise_testkit::golden::load("tree_gradients.json");
        let mut seen = 0;
        for case in &golden.cases {
            let objective = match case.value("/input/objective").as_str() {
                Some("squared") => Objective::Squared,
                Some("absolute") => Objective::Absolute,
                Some("huber") => Objective::Huber { delta: case.number("/input/parameters/delta") },
                Some("quantile") => Objective::Quantile { level: case.number("/input/parameters/alpha") },
                Some("poisson") => Objective::Poisson,
                Some("gamma") => Objective::Gamma,
                Some("tweedie") => Objective::Tweedie { power: case.number("/input/parameters/power") },
                Some("logistic") => Objective::Logistic,
                Some("focal") if case.value("/input/parameters/alpha").is_null() => {
                    Objective::Focal { gamma: case.number("/input/parameters/gamma") }
                }
                Some("softmax") => Objective::Softmax,
                _ => continue,
            };
            seen += 1;
            let (y, weights) = (case.numbers("/input/target"), case.optional_numbers("/input/weights"));
            let flat = |pointer: &str| -> Vec<f64> {
                match case.value(pointer).as_array().and_then(|rows| rows.first()) {
                    Some(first) if first.is_array() => case.matrix(pointer).concat(),
                    _ => case.numbers(pointer),
                }
            };
            let scores = flat("/input/margin");
            let outputs = scores.len() / y.len();
            let truth = Truth { values: &y, weights: None };
            let mut pairs = vec![[0.0; 2]; scores.len()];
            objective.pairs(&truth, 0, outputs, &scores, &mut pairs);
            let [gradient, hessian] = [0, 1].map(|part| pairs.iter().map(|pair| pair[part]).collect::<Vec<_>>());
            golden.assert_all_close(&gradient, &flat("/expected/gradient"), &format!("{} gradient", case.name));
            // Kinked losses have no curvature; boosting takes 1 for it.
            if !matches!(objective, Objective::Absolute | Objective::Quantile { .. } | Objective::Huber { .. }) {
                let lifted: Vec<f64> = flat("/expected/hessian").iter().map(|h| h.max(LEAST)).collect();
                golden.assert_all_close(&hessian, &lifted, &format!("{} hessian", case.name));
            }
            let losses: Vec<f64> = (0..y.len())
                .map(|row| objective.row_loss(y[row], &scores[row * outputs..(row + 1) * outputs]))
                .collect();
            golden.assert_all_close(&losses, &flat("/expected/loss"), &format!("{} loss", case.name));
            let truth = Truth { values: &y, weights: weights.as_deref() };
            let start = objective.start(&truth, outputs);
            match (objective, case.value("/expected/constant")) {
                // These start at the median, and at what is best without the fading: near enough to begin.
                (Objective::Huber { .. } | Objective::Focal { .. }, _) => {}
                (Objective::Softmax, constants) => {
                    // Only their differences count.
                    let constants: Vec<f64> =
                        constants.as_array().unwrap().iter().map(|c| c.as_f64().unwrap()).collect();
                    for class in 1..outputs {
                        let (found, expected) = (start[class] - start[0], constants[class] - constants[0]);
                        golden.assert_close(found, expected, &format!("{} start", case.name));
                    }
                }
                (_, constant) => match case.optional_numbers("/expected/constant_range") {
                    None => golden.assert_close(start[0], constant.as_f64().unwrap(), &format!("{} start", case.name)),
                    // Any median will do.
                    Some(range) => assert!(range[0] <= start[0] && start[0] <= range[1], "{}", case.name),
                },
            }
        }
        assert_eq!(seen, 13);
    }

    #[test]
    fn targets_and_parameters_out_of_range_are_refused() {
        let text = |objective: Objective, y: f64| objective.check(&[1.0, y]).unwrap_err().to_string();
        assert_eq!(
            text(Objective::Gamma, 0.0),
            "`objective` is Gamma with the target 0 in row 1, allowed is one whose targets are above 0"
        );
        assert!(text(Objective::Poisson, -1.0).contains("not below 0"));
        assert!(text(Objective::CrossEntropy, 1.5).contains("shares"));
        assert!(text(Objective::Quantile { level: 1.0 }, 0.0).starts_with("`level` is Quantile"));
        assert!(Objective::Tweedie { power: 1.5 }.check(&[0.0, 3.0]).is_ok());
    }

    proptest! {
        #[test]
        fn slopes_and_curvatures_are_those_of_the_loss(y in 0.05f64..0.95, z in -3f64..3.0) {
            for objective in ALL {
                let y = if matches!(objective, Objective::Logistic | Objective::Focal { .. }) { y.round() } else { y };
                // Away from the kinks.
                prop_assume!((z - y).abs() > 1e-3 && ((z - y).abs() - 0.7).abs() > 1e-3);
                let step = 1e-5;
                let loss = |z: f64| objective.row_loss(y, &[z]);
                let slope = (loss(z + step) - loss(z - step)) / (2.0 * step);
                let [gradient, hessian] = pair(objective, y, z);
                prop_assert!((gradient - slope).abs() < 1e-6, "{objective:?}: {gradient} {slope}");
                let curved = !matches!(objective, Objective::Absolute | Objective::Huber { .. } | Objective::Quantile { .. });
                if curved && hessian > LEAST {
                    let curvature = (pair(objective, y, z + step)[0] - pair(objective, y, z - step)[0]) / (2.0 * step);
                    prop_assert!((hessian - curvature).abs() < 1e-5, "{objective:?}: {hessian} {curvature}");
                }
            }
        }

        #[test]
        fn the_start_is_the_best_constant(values in prop::collection::vec(0.01f64..0.99, 2..12)) {
            let weights: Vec<f64> = (0..values.len()).map(|i| 1.0 + (i % 3) as f64).collect();
            for objective in ALL {
                let binary = matches!(objective, Objective::Logistic);
                let values: Vec<f64> = values.iter().map(|y| if binary { y.round() } else { *y }).collect();
                if matches!(objective, Objective::Focal { .. } | Objective::Huber { .. }) || (binary && values.iter().all(|&y| y == values[0])) {
                    continue;
                }
                let truth = Truth { values: &values, weights: Some(&weights) };
                let at = |z: f64| objective.loss(&truth, 1, &vec![z; values.len()]);
                let z = objective.start(&truth, 1)[0];
                prop_assert!(at(z) <= at(z + 1e-3) + 1e-9 && at(z) <= at(z - 1e-3) + 1e-9, "{objective:?} {z}");
            }
        }

        #[test]
        fn softmax_slopes(class in 0usize..3, z in prop::collection::vec(-3f64..3.0, 3)) {
            let mut pairs = [[0.0; 2]; 3];
            Objective::Softmax.pairs(&Truth { values: &[class as f64], weights: None }, 0, 3, &z, &mut pairs);
            for k in 0..3 {
                let loss = |by: f64| {
                    let mut moved = z.clone();
                    moved[k] += by;
                    Objective::Softmax.row_loss(class as f64, &moved)
                };
                prop_assert!((pairs[k][0] - (loss(1e-5) - loss(-1e-5)) / 2e-5).abs() < 1e-6);
            }
        }
    }
}
