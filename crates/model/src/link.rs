//! Links: what turns the scores of a model into its answers, written once for linear models and trees.

use serde::{Deserialize, Serialize};

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

/// `1 / (1 + e^-z)` without overflow for any `z`.
pub(crate) fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

/// Makes scores probabilities; the largest is taken off first, so nothing overflows.
pub(crate) fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_known_scores() {
        assert_eq!(Link::Identity.answer(-2.5), -2.5);
        assert_eq!(Link::Log.answer(0.0), 1.0);
        assert_eq!((Link::Logit.answer(0.0), Link::Logit.answer(800.0), Link::Logit.answer(-800.0)), (0.5, 1.0, 0.0));
        let mut scores = [0.0, f64::ln(3.0), 0.0];
        Link::Softmax.answers(&mut scores);
        assert!(scores.iter().zip([0.2, 0.6, 0.2]).all(|(a, b)| (a - b).abs() < 1e-15), "{scores:?}");
    }
}
