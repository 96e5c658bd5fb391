//! The score that boosting starts from: the best constant, beside the offsets of the rows if they have any.

use stagewise_numeric::exp::exp;

use super::objective::{Objective, Truth};
use crate::link::Link;

/// Steps of a search that halves its range whenever Newton would leave it.
const STEPS: usize = 100;

/// The training rows, for a [`Loss`](super::loss::Loss) to find its best constant score.
#[derive(Debug, Clone, Copy)]
pub struct StartRows<'a> {
    rows: Truth<'a>,
    offset: Option<&'a [f64]>,
}

impl<'a> StartRows<'a> {
    pub(crate) fn new(rows: Truth<'a>, offset: Option<&'a [f64]>) -> Self {
        Self { rows, offset }
    }

    /// The truth of each row; of a binary task 1 for the event.
    pub fn truth(&self) -> &'a [f64] {
        self.rows.values
    }

    /// How much each row counts; all alike if absent.
    pub fn weights(&self) -> Option<&'a [f64]> {
        self.rows.weights
    }

    /// What is added to the score of each row; nothing if absent.
    pub fn offset(&self) -> Option<&'a [f64]> {
        self.offset
    }

    /// The constant `z` for which the weighted mean of the answers `link(z + offset)` is that of the truth. O(rows); with
    /// an offset and the logit link some passes more.
    pub fn matching(&self, link: Link) -> f64 {
        let like = match link {
            Link::Identity | Link::Softmax => Objective::Squared,
            Link::Log => Objective::Poisson,
            Link::Logit => Objective::Logistic,
        };
        let plain = like.start(&self.rows, 1)[0];
        match (self.offset, link) {
            (None, _) => plain,
            (Some(_), Link::Identity | Link::Softmax) => self.mean(|y, offset| y - offset),
            (Some(offset), Link::Log) => {
                // The largest exponent is 0.
                let most = offset.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                plain - (self.mean(|_, offset| exp(offset - most)).ln() + most)
            }
            (Some(offset), Link::Logit) => self.logit(plain, offset),
        }
    }

    /// The weighted quantile of the truth less the offset.
    pub fn quantile(&self, level: f64) -> f64 {
        let left: Vec<f64> = (0..self.truth().len()).map(|row| self.truth()[row] - self.at(row)).collect();
        Objective::Quantile { level }.start(&Truth { values: &left, weights: self.weights() }, 1)[0]
    }

    /// The best constant scores of an objective, one for each of `outputs`.
    pub(crate) fn best(&self, objective: Objective, outputs: usize) -> Vec<f64> {
        match (self.offset, objective) {
            (None, _) => objective.start(&self.rows, outputs),
            (_, Objective::Absolute | Objective::Huber { .. }) => vec![self.quantile(0.5)],
            (_, Objective::Quantile { level }) => vec![self.quantile(level)],
            (_, Objective::Gamma) => vec![self.mean(|y, offset| y * exp(-offset)).ln()],
            (_, Objective::Tweedie { power }) => {
                let amounts = self.mean(|y, offset| y * exp((1.0 - power) * offset));
                vec![(amounts / self.mean(|_, offset| exp((2.0 - power) * offset))).ln()]
            }
            _ => vec![self.matching(objective.link()); outputs],
        }
    }

    fn at(&self, row: usize) -> f64 {
        self.offset.map_or(0.0, |offset| offset[row])
    }

    fn mean(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        let values: Vec<f64> = (0..self.truth().len()).map(|row| of(self.truth()[row], self.at(row))).collect();
        Truth { values: &values, weights: self.weights() }.mean(|value| value)
    }

    /// The root of a function that rises: Newton's steps, halved where they would leave the range it must lie in.
    fn logit(&self, plain: f64, offset: &[f64]) -> f64 {
        let (least, most) = offset.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &o| (a.min(o), b.max(o)));
        let goal = self.rows.mean(|y| y);
        let (mut low, mut high) = (plain - most, plain - least);
        let mut z = 0.5 * (low + high);
        for _ in 0..STEPS {
            let p = |offset: f64| crate::link::sigmoid(z + offset);
            let over = self.mean(|_, offset| p(offset)) - goal;
            let slope = self.mean(|_, offset| p(offset) * (1.0 - p(offset)));
            if over > 0.0 {
                high = z
            } else {
                low = z
            }
            let newton = z - over / slope;
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            if (next - z).abs() <= 1e-14 * z.abs().max(1.0) {
                return next;
            }
            z = next;
        }
        z
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_start_is_the_best_constant_beside_the_offsets(
            rows in prop::collection::vec((0.01f64..0.99, -3f64..3.0), 3..12),
        ) {
            let offset: Vec<f64> = rows.iter().map(|row| row.1).collect();
            let weights: Vec<f64> = (0..rows.len()).map(|i| 1.0 + (i % 3) as f64).collect();
            for objective in [
                Objective::Squared,
                Objective::Absolute,
                Objective::Quantile { level: 0.3 },
                Objective::Poisson,
                Objective::Gamma,
                Objective::Tweedie { power: 1.4 },
                Objective::CrossEntropy,
                Objective::Logistic,
            ] {
                let binary = objective == Objective::Logistic;
                let values: Vec<f64> =
                    rows.iter().map(|row| if binary { row.0.round() } else { row.0 }).collect();
                if binary && values.iter().all(|&y| y == values[0]) {
                    continue;
                }
                let truth = Truth { values: &values, weights: Some(&weights) };
                let z = StartRows::new(truth, Some(&offset)).best(objective, 1)[0];
                let at = |z: f64| {
                    let scores: Vec<f64> = offset.iter().map(|offset| z + offset).collect();
                    objective.loss(&truth, 1, &scores)
                };
                prop_assert!(at(z) <= at(z + 1e-3) + 1e-9 && at(z) <= at(z - 1e-3) + 1e-9, "{objective:?} {z}");
            }
        }

        #[test]
        fn without_offsets_and_with_offsets_of_zero_it_is_the_same(
            values in prop::collection::vec(0.01f64..0.99, 2..12),
        ) {
            let (truth, none) = (Truth { values: &values, weights: None }, vec![0.0; values.len()]);
            for link in [Link::Identity, Link::Log, Link::Logit] {
                let plain = StartRows::new(truth, None).matching(link);
                let zero = StartRows::new(truth, Some(&none)).matching(link);
                prop_assert!((plain - zero).abs() < 1e-12, "{link:?}: {plain} {zero}");
            }
        }
    }

    #[test]
    fn large_offsets_do_not_overflow() {
        let truth = Truth { values: &[1.0, 3.0], weights: None };
        let rows = StartRows::new(truth, Some(&[900.0, 900.0]));
        assert!((rows.matching(Link::Log) - (2f64.ln() - 900.0)).abs() < 1e-12);
        let rows = StartRows::new(Truth { values: &[0.0, 1.0], weights: None }, Some(&[-900.0, 900.0]));
        assert!(rows.matching(Link::Logit).is_finite());
    }
}
