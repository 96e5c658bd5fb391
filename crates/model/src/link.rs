//! Links: what turns the scores of a model into its answers, written once for linear models and trees.

use serde::{Deserialize, Serialize};
use stagewise_numeric::exp::exp;

/// Where [`exp`] is the exponential and not its end.
const RANGE: f64 = 708.0;

/// What turns scores `z` into an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// The score itself.
    #[default]
    Identity,
    /// `e^z`: a mean that is above 0.
    Log,
    /// `1 / (1 + e^-z)`: the probability of the event.
    Logit,
    /// `e^z_c / Σ e^z_j`: the probability of each class.
    Softmax,
}

impl Link {
    /// The answer of one score; of the softmax, whose scores belong together, the score itself.
    pub(crate) fn answer(self, score: f64) -> f64 {
        match self {
            Self::Identity | Self::Softmax => score,
            Self::Log if score.abs() <= RANGE => exp(score),
            // What overflows must be seen to.
            Self::Log => score.exp(),
            Self::Logit => sigmoid(score),
        }
    }

    /// Makes the scores of a row its answers.
    pub(crate) fn answers(self, scores: &mut [f64]) {
        match self {
            Self::Softmax => softmax(scores),
            _ => scores.iter_mut().for_each(|score| *score = self.answer(*score)),
        }
    }
}

/// `1 / (1 + e^-z)` without overflow for any `z`, and without a branch.
#[inline]
pub(crate) fn sigmoid(z: f64) -> f64 {
    let e = at_most_one(-z.abs());
    (if z >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}

/// Makes scores probabilities; the largest is taken off first, so nothing overflows.
pub(crate) fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = at_most_one(*score - largest);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// `e^z` for `z ≤ 0`; 0 where it is below the normal numbers.
#[inline]
fn at_most_one(z: f64) -> f64 {
    let e = exp(z);
    if z < -RANGE { 0.0 } else { e }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_known_scores() {
        assert_eq!(Link::Identity.answer(-2.5), -2.5);
        assert_eq!(Link::Log.answer(0.0), 1.0);
        assert_eq!((Link::Logit.answer(0.0), Link::Logit.answer(800.0), Link::Logit.answer(-800.0)), (0.5, 1.0, 0.0));
        assert_eq!((Link::Log.answer(800.0), Link::Log.answer(-800.0)), (f64::INFINITY, 0.0));
        assert!(Link::Logit.answer(f64::NAN).is_nan() && Link::Log.answer(f64::NAN).is_nan());
        for z in [-700.0, -30.5, -1.0, 1e-9, 0.3, 20.0, 700.0] {
            let expected = if z > 0.0 { 1.0 / (1.0 + f64::exp(-z)) } else { z.exp() / (1.0 + z.exp()) };
            assert!((sigmoid(z) - expected).abs() <= 4.0 * f64::EPSILON * expected, "{z}");
        }
        let mut scores = [0.0, f64::ln(3.0), 0.0];
        Link::Softmax.answers(&mut scores);
        assert!(scores.iter().zip([0.2, 0.6, 0.2]).all(|(a, b)| (a - b).abs() < 1e-15), "{scores:?}");
    }
}
