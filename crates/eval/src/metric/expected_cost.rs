//! What decisions cost, in the unit of the business: the costs come from the problem, not from the metric.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::{ErrorKind, ParameterError, Result};
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::problem::{Outcome, Problem};
use stagewise_core::target::BinaryTarget;
use stagewise_core::task::Binary;

use super::confusion::{self, Confusion};
use super::rows;

const OUTCOMES: [Outcome; 4] =
    [Outcome::FalseNegative, Outcome::FalsePositive, Outcome::TrueNegative, Outcome::TruePositive];

/// The mean cost of a row: `Σ w cost(outcome) / Σ w`.
///
/// A row is said to be the event where its probability is at least the threshold. A cost that the problem does not
/// name is 0, one that it names twice is the last named; a gain is negative. Range: the least to the greatest cost;
/// lower is better. `O(n)`.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::problem::{Outcome, Problem};
/// use stagewise_core::target::BinaryTarget;
/// use stagewise_core::task::Binary;
/// use stagewise_eval::ExpectedCost;
///
/// let problem = Problem::<Binary>::new("churned")
///     .cost(Outcome::FalseNegative, 9.0)
///     .cost(Outcome::FalsePositive, 1.0);
/// let cost = ExpectedCost::of(&problem)?;
/// assert_eq!(cost.best_threshold(), Some(0.1));
/// let truth = BinaryTarget::new([true, false]);
/// assert_eq!(cost.score(&truth, &array![0.3, 0.2], None)?, 4.5);
/// assert_eq!(cost.threshold(0.1).score(&truth, &array![0.3, 0.2], None)?, 0.5);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Elkan (2001), "The foundations of cost-sensitive learning".
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExpectedCost {
    false_negative: f64,
    false_positive: f64,
    true_negative: f64,
    true_positive: f64,
    #[serde(default)]
    threshold: Option<f64>,
}

impl ExpectedCost {
    /// The costs that the problem names, at the threshold 0.5.
    ///
    /// # Errors
    /// [`ParameterError`] if it names none, or one that is not finite.
    pub fn of(problem: &Problem<Binary>) -> Result<Self> {
        let named = !problem.costs().is_empty();
        ParameterError::check(named, "cost", "not given", "at least one outcome's cost; name it with `Problem::cost`")?;
        if let Some((_, cost)) = problem.costs().iter().find(|(_, cost)| !cost.is_finite()) {
            let error = ParameterError { name: "cost", value: cost.to_string(), allowed: "a finite number" };
            return Err(ErrorKind::from(error).into());
        }
        let of = |outcome| problem.costs().iter().rfind(|(o, _)| *o == outcome).map_or(0.0, |(_, cost)| *cost);
        Ok(Self {
            false_negative: of(Outcome::FalseNegative),
            false_positive: of(Outcome::FalsePositive),
            true_negative: of(Outcome::TrueNegative),
            true_positive: of(Outcome::TruePositive),
            threshold: None,
        })
    }

    /// From which probability on a row is said to be the event. `0` to `1`, default `0.5`.
    #[must_use]
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = Some(threshold);
        self
    }

    /// The threshold of least cost where probabilities mean what they say:
    /// `(FP - TN) / (FP - TN + FN - TP)`; none unless each mistake costs more than the right decision.
    pub fn best_threshold(&self) -> Option<f64> {
        let (wrong_event, wrong_no) =
            (self.false_positive - self.true_negative, self.false_negative - self.true_positive);
        (wrong_event > 0.0 && wrong_no > 0.0).then(|| wrong_event / (wrong_event + wrong_no))
    }

    fn cost(&self, outcome: Outcome) -> f64 {
        match outcome {
            Outcome::FalseNegative => self.false_negative,
            Outcome::FalsePositive => self.false_positive,
            Outcome::TrueNegative => self.true_negative,
            Outcome::TruePositive => self.true_positive,
        }
    }
}

impl Persist for ExpectedCost {
    const TAG: &'static str = "ExpectedCost";
}

impl Metric<Binary> for ExpectedCost {
    fn name(&self) -> String {
        confusion::name("expected_cost", self.threshold, None)
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> (f64, f64) {
        let costs = OUTCOMES.map(|outcome| self.cost(outcome));
        (costs.iter().copied().fold(f64::INFINITY, f64::min), costs.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    }

    fn score(&self, truth: &BinaryTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        let confusion = Confusion::of(truth, output, weights, self.threshold.unwrap_or(0.5))?;
        let total = confusion.total();
        confusion::weighed("expected_cost", total)?;
        let costs = OUTCOMES.map(|outcome| self.cost(outcome) * (confusion.outcome(outcome) / total));
        rows::finite("expected_cost", stagewise_numeric::sum::exact_sum(&costs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use stagewise_testkit::conformance;

    #[test]
    fn conforms() {
        let problem = Problem::new("y").cost(Outcome::FalseNegative, 5.0).cost(Outcome::FalsePositive, 1.0);
        let cost = ExpectedCost::of(&problem).unwrap();
        let truth = BinaryTarget::new([true, false, true, false, true]);
        let perfect = array![1.0, 0.0, 0.9, 0.2, 0.5];
        conformance::metric::<Binary, _>(&cost, &truth, &array![0.9, 0.6, 0.3, 0.1, 0.7], &perfect);
        assert_eq!(cost.range(), (0.0, 5.0));
    }

    #[test]
    fn gains_are_negative_and_costs_are_needed() {
        let problem = Problem::new("y").cost(Outcome::TruePositive, 1.0).cost(Outcome::TruePositive, -20.0);
        let cost = ExpectedCost::of(&problem).unwrap();
        let truth = BinaryTarget::new([true, false, true, false]);
        assert_eq!(cost.score(&truth, &array![0.9, 0.9, 0.1, 0.1], None).unwrap(), -5.0);
        assert_eq!(cost.best_threshold(), None);
        let error = ExpectedCost::of(&Problem::new("y")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`cost` is not given, allowed is at least one outcome's cost; name it with `Problem::cost`"
        );
    }
}
