//! Platt's correction: a sigmoid of the log-odds.
//!
//! Two numbers are learned, so few rows are enough; the order of the rows never changes unless the slope is negative,
//! which is a warning. The truth is pulled in a little from 0 and 1, as Platt proposes, so that separated answers do
//! not give an infinite slope.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{Crumb, DataError, Error, NumericError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::stage::{Calibrate, Calibrator};
use stagewise_core::target::BinaryTarget;
use stagewise_core::task::Binary;

use crate::linear::newton;
use crate::link::sigmoid;

/// Probabilities are kept this far from 0 and 1 before their log-odds are taken.
const EDGE: f64 = f64::EPSILON;
const TOLERANCE: f64 = 1e-12;
const MAX_ITERATIONS: usize = 100;

/// Learns `P = 1 / (1 + e^−(a · ln(p / (1 − p)) + b))` by maximum likelihood.
///
/// The truth counts as `(n₁ + 1) / (n₁ + 2)` for events and `1 / (n₀ + 2)` for the rest, `n` being the (weighted)
/// counts. Learn it on rows that the model has not seen: on its training rows every model looks too sure. Probabilities
/// of 0 and 1 count as 2.2e-16 and 1 − 2.2e-16. If all rows have the same probability, `a` is 1. Weights are honoured.
/// O(n) per Newton step.
///
/// # Errors
/// No rows, parts of unequal length, answers that are no probabilities.
///
/// Platt (1999); Lin, Lin & Weng (2007). Checked against scikit-learn 1.9.1 `_SigmoidCalibration` on log-odds,
/// tolerance 1e-6.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::{context::FitContext, stage::{Calibrate, Calibrator}, target::BinaryTarget};
/// use stagewise_model::Platt;
///
/// // Says 0.9 and 0.1 where 3 of 4 are right.
/// let answers = array![0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1];
/// let truth = BinaryTarget::new(vec![true, true, true, false, false, false, false, true]);
/// let fitted = Platt.fit(&answers, &truth, None, &FitContext::new(0))?;
/// // The mean target of the first four rows: (3 · 5/6 + 1/6) / 4.
/// assert!((fitted.calibrate_row(0.9)? - 2.0 / 3.0).abs() < 1e-9);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platt;

impl Persist for Platt {
    const TAG: &'static str = "Platt";
}

/// A learned sigmoid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedPlatt {
    slope: f64,
    intercept: f64,
}

impl FittedPlatt {
    /// `a`: below 1 the model was too sure, above 1 not sure enough.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// `b`.
    pub fn intercept(&self) -> f64 {
        self.intercept
    }
}

impl Persist for FittedPlatt {
    const TAG: &'static str = "FittedPlatt";
}

impl Calibrator<Binary> for Platt {
    type Fitted = FittedPlatt;

    fn fit(
        &self,
        output: &Array1<f64>,
        truth: &BinaryTarget,
        weights: Option<&[f64]>,
        cx: &FitContext,
    ) -> Result<FittedPlatt> {
        let events = truth.events();
        let lengths = [("answers", output.len()), ("weights", weights.map_or(events.len(), <[f64]>::len))];
        for (what, found) in lengths {
            if found != events.len() {
                return Err(DataError::Length { what: what.into(), expected: events.len(), found }.into());
            }
        }
        let weight = |r: usize| weights.map_or(1.0, |w| w[r]);
        let counts =
            [false, true].map(|side| (0..events.len()).filter(|&r| events[r] == side).map(weight).sum::<f64>());
        let total = counts[0] + counts[1];
        if !(total > 0.0 && total.is_finite()) {
            return Err(DataError::TooFewRows { what: "Platt's correction".into(), needed: 1, found: 0 }.into());
        }
        let mut x = Array2::zeros((events.len(), 1));
        for (r, p) in output.iter().enumerate() {
            x[[r, 0]] = log_odds(*p).map_err(|e| e.at(Crumb::Row(r)))?;
        }
        let targets = [1.0 / (counts[0] + 2.0), (counts[1] + 1.0) / (counts[1] + 2.0)];
        let y: Vec<f64> = events.iter().map(|&e| targets[usize::from(e)]).collect();
        let first = x[[0, 0]];
        if x.iter().all(|&v| v == first) {
            let mean = (counts[0] * targets[0] + counts[1] * targets[1]) / total;
            return Ok(FittedPlatt { slope: 1.0, intercept: (mean / (1.0 - mean)).ln() - first });
        }
        let problem = newton::Problem { x: x.view(), y: &y, weights, l2: 0.0, intercept: true };
        let Some(end) = newton::minimise(problem, TOLERANCE, MAX_ITERATIONS, cx)? else {
            let (what, why) = ("Platt's correction".into(), "the weights are too large".into());
            return Err(NumericError::Undefined { what, why }.into());
        };
        let slope = end.coefficients.first().copied().unwrap_or(1.0);
        if slope <= 0.0 {
            cx.warn(format!("the slope is {slope:.3}: the answers rank these rows no better than chance"));
        }
        Ok(FittedPlatt { slope, intercept: end.intercept })
    }
}

impl Calibrate<Binary> for FittedPlatt {
    fn calibrate(&self, mut output: Array1<f64>) -> Result<Array1<f64>> {
        for (r, p) in output.iter_mut().enumerate() {
            *p = self.calibrate_row(*p).map_err(|e| e.at(Crumb::Row(r)))?;
        }
        Ok(output)
    }

    fn calibrate_row(&self, answer: f64) -> Result<f64> {
        Ok(sigmoid(self.slope * log_odds(answer)? + self.intercept))
    }
}

fn log_odds(p: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&p) {
        let (what, why) = ("the log-odds of an answer".into(), format!("{p} is no probability"));
        return Err(Error::from(NumericError::Undefined { what, why }));
    }
    let p = p.clamp(EDGE, 1.0 - EDGE);
    Ok((p / (1.0 - p)).ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use stagewise_testkit::{conformance, golden};

    #[test]
    fn golden() {
        let golden = golden::load("calibrate_platt.json");
        assert!(golden.cases.len() >= 5);
        for case in &golden.cases {
            let output = Array1::from_vec(case.numbers("/input/probability"));
            let truth = BinaryTarget::new(case.numbers("/input/truth").iter().map(|&t| t == 1.0).collect::<Vec<_>>());
            let weights = case.optional_numbers("/input/weights");
            let fitted = Platt.fit(&output, &truth, weights.as_deref(), &FitContext::new(0)).unwrap();
            golden.assert_close(fitted.slope(), case.number("/expected/slope"), &case.name);
            golden.assert_close(fitted.intercept(), case.number("/expected/intercept"), &case.name);
            let calibrated = fitted.calibrate(output).unwrap();
            golden.assert_all_close(&calibrated.to_vec(), &case.numbers("/expected/calibrated"), &case.name);
        }
    }

    #[test]
    fn conformance() {
        let output = Array1::from_shape_fn(40, |i| (i as f64 + 0.5) / 40.0);
        let truth = BinaryTarget::new((0..40).map(|i| (i * 7) % 40 < i).collect::<Vec<_>>());
        conformance::calibrator(&Platt, &output, &truth);
    }

    #[test]
    fn sure_constant_and_reversed_answers() {
        let truth = BinaryTarget::new(vec![true, true, false, false]);
        let cx = FitContext::new(0);
        let sure = Platt.fit(&array![1.0, 1.0, 0.0, 0.0], &truth, None, &cx).unwrap();
        // Two events of two: (2 + 1) / (2 + 2).
        assert!((sure.calibrate_row(1.0).unwrap() - 0.75).abs() < 1e-9);
        let constant = Platt.fit(&array![0.8, 0.8, 0.8, 0.8], &truth, None, &cx).unwrap();
        assert!((constant.calibrate_row(0.8).unwrap() - 0.5).abs() < 1e-12);
        assert!(cx.take_warnings().is_empty());
        Platt.fit(&array![0.2, 0.3, 0.8, 0.7], &truth, None, &cx).unwrap();
        assert!(cx.take_warnings()[0].what.ends_with("the answers rank these rows no better than chance"));
    }

    #[test]
    fn what_is_no_probability_is_named_with_its_row() {
        let truth = BinaryTarget::new(vec![true, false]);
        let error = Platt.fit(&array![0.5, 1.5], &truth, None, &FitContext::new(0)).unwrap_err();
        assert_eq!(error.to_string(), "row 1: the log-odds of an answer is not defined: 1.5 is no probability");
        assert!(Platt.fit(&array![0.5], &truth, None, &FitContext::new(0)).is_err());
        assert!(Platt.fit(&array![], &BinaryTarget::new(vec![]), None, &FitContext::new(0)).is_err());
    }
}
