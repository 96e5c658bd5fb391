//! Logistic regression: log-odds that are linear in the features.
//!
//! Two classes are fitted by Newton's method, more classes and very many features by L-BFGS; both minimise the same
//! objective, so which one ran is not seen in the answer. linfa-logistic can be chosen as another way to it. An end
//! short of the tolerance is a warning with the numbers, because the model is usable; one class is an error.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{DataError, NumericError, ParameterError, Result};
use stagewise_core::matrix::Design;
use stagewise_core::persist::Persist;
use stagewise_core::stage::Learner;
use stagewise_core::task::{Binary, Multiclass};

use crate::input::Input;
use crate::linear::model::{LinearModel, Link};
use crate::linear::shift::shift;
use crate::linear::{descent, least_norm, linfa, newton};

/// From this many features on, two classes are fitted by L-BFGS too.
const WIDE: usize = 2000;
/// Steps of L-BFGS are about as cheap as this share of a Newton step.
const LBFGS_STEPS: usize = 10;
/// Probabilities this near to their truth in every row mean that the classes are separated.
const SEPARATED: f64 = 1e-3;
/// The intercept of a class without training rows: its probability is 0.
const ABSENT: f64 = -1e300;

/// How [`LogisticRegression`] is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogisticBackend {
    /// Newton's method for two classes, L-BFGS for more.
    #[default]
    Newton,
    /// The crate linfa-logistic 0.8; it takes no weights.
    Linfa,
}

/// Logistic regression: minimises `Σ w · nll + l2/2 · |B|²`, where `nll = −ln P(class of the row)`.
///
/// `P(event) = 1 / (1 + e^−(b + x·β))` for two classes, softmax of one score per class for more. Intercepts are not
/// penalised; `l2 = 1/C` of scikit-learn. Weights are honoured (refused by the backend linfa). Missing and infinite
/// features are refused; categories need an encoder before it. Linearly dependent columns give the solution of least
/// norm and a warning. Classes that the features separate need `l2 > 0`: without it the fit stops at its limit or
/// tolerance and warns. A class without training rows gets the probability 0 and a warning.
/// O(iterations · n p²) for two classes.
///
/// # Errors
/// No features, no rows, one class, features that are not finite numbers, hyper-parameters out of range.
///
/// Hosmer & Lemeshow (2000); Nocedal & Wright (2006), ch. 3 and 7. Checked against scikit-learn 1.9.1
/// `LogisticRegression` (coefficients and probabilities), tolerance 1e-6.
///
/// ```
/// use stagewise_core::task::{Binary, BinaryLabels};
/// use stagewise_core::{column::Column, context::FitContext, matrix::{Design, Features}, stage::Learner};
/// use stagewise_core::{stage::Predict, table::Table, target::BinaryTarget};
/// use stagewise_model::LogisticRegression;
///
/// let features = Features::new(Table::of([("x", Column::numbers([-1.0, -1.0, 1.0, 1.0]))])?)?;
/// let target = BinaryTarget::new(vec![false, false, true, true]);
/// let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
/// let design = Design::<Binary>::new(features, target, labels);
/// let model = LogisticRegression::new().l2(1.0).fit(&design, &FitContext::new(0))?;
/// // The root of 4 (1 - sigmoid(β)) = β.
/// assert!((model.coefficients()[0][0] - 1.042597).abs() < 1e-6);
/// assert!((Predict::<Binary>::predict_row(&model, &[0.0])? - 0.5).abs() < 1e-9);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogisticRegression {
    l2: f64,
    #[serde(default = "yes")]
    intercept: bool,
    tolerance: f64,
    max_iterations: usize,
    #[serde(default)]
    backend: LogisticBackend,
}

fn yes() -> bool {
    true
}

impl Default for LogisticRegression {
    fn default() -> Self {
        Self { l2: 1.0, intercept: true, tolerance: 1e-8, max_iterations: 100, backend: LogisticBackend::Newton }
    }
}

impl LogisticRegression {
    /// With the penalty 1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The strength of the penalty, at least 0. Default 1.
    #[must_use]
    pub fn l2(mut self, l2: f64) -> Self {
        self.l2 = l2;
        self
    }

    /// Whether there are intercepts. Default true.
    #[must_use]
    pub fn intercept(mut self, intercept: bool) -> Self {
        self.intercept = intercept;
        self
    }

    /// When to stop, above 0: for Newton's method the square root of the decrement per unit of weight, for L-BFGS the
    /// largest derivative per unit of weight and deviation. Default 1e-8.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The most Newton steps, at least 1; L-BFGS may make ten times as many. Default 100.
    #[must_use]
    pub fn max_iterations(mut self, max_iterations: usize) -> Self {
        self.max_iterations = max_iterations;
        self
    }

    /// How it is fitted. Default [`LogisticBackend::Newton`].
    #[must_use]
    pub fn backend(mut self, backend: LogisticBackend) -> Self {
        self.backend = backend;
        self
    }

    fn check(&self) -> Result<()> {
        ParameterError::check(self.l2.is_finite() && self.l2 >= 0.0, "l2", self.l2, "a finite number, at least 0")?;
        let tolerance = self.tolerance;
        ParameterError::check(tolerance.is_finite() && tolerance > 0.0, "tolerance", tolerance, "a number above 0")?;
        ParameterError::check(self.max_iterations > 0, "max_iterations", self.max_iterations, "at least 1")
    }

    /// By L-BFGS or linfa, which share their problem.
    fn descend(
        &self,
        problem: descent::Problem<'_>,
        deviation: &[f64],
        cx: &FitContext,
    ) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
        let steps = self.max_iterations.saturating_mul(LBFGS_STEPS);
        let end = match self.backend {
            LogisticBackend::Newton => descent::minimise(problem, deviation, self.tolerance, steps, cx)?,
            LogisticBackend::Linfa => linfa::minimise(problem, self.tolerance, steps)?,
        };
        if !end.converged {
            warn_of_limit(end.iterations, end.last, self.tolerance, cx);
        }
        Ok((end.coefficients, end.intercepts))
    }
}

impl Persist for LogisticRegression {
    const TAG: &'static str = "LogisticRegression";
}

impl Learner<Binary> for LogisticRegression {
    type Model = LinearModel;

    fn fit(&self, train: &Design<Binary>, cx: &FitContext) -> Result<LinearModel> {
        self.check()?;
        let (input, x) = Input::of(train, Self::TAG)?;
        let weights = train.weights();
        let class: Vec<u32> = train.target.events().iter().map(|&e| u32::from(e)).collect();
        let names = [&*train.labels.other, &*train.labels.event];
        require_two(&present(&class, weights, 2), |c| names[c].to_string(), class.len())?;
        let (coefficients, intercept) = if self.backend == LogisticBackend::Linfa || input.width() >= WIDE {
            let shifted = shift(x, weights);
            let moved = self.backend == LogisticBackend::Newton && self.intercept;
            let x = if moved { shifted.x.view() } else { x.view() };
            let (l2, intercept) = (self.l2, self.intercept);
            let problem = descent::Problem { x, class: &class, outputs: 1, weights, l2, intercept };
            let (mut coefficients, intercepts) = self.descend(problem, &spread(&shifted.deviation, moved), cx)?;
            let coefficients = coefficients.pop().unwrap_or_default();
            let intercept = if moved { shifted.intercept(intercepts[0], &coefficients) } else { intercepts[0] };
            (coefficients, intercept)
        } else {
            self.newton(x, &class, weights, &input, cx)?
        };
        LinearModel::new(input.names().to_vec(), vec![coefficients], vec![intercept], Link::Logit)
    }
}

impl LogisticRegression {
    fn newton(
        &self,
        x: ndarray::ArrayView2<'_, f64>,
        class: &[u32],
        weights: Option<&[f64]>,
        input: &Input,
        cx: &FitContext,
    ) -> Result<(Vec<f64>, f64)> {
        let y: Vec<f64> = class.iter().map(|&c| f64::from(c)).collect();
        let shifted = shift(x, weights);
        let x = if self.intercept { shifted.x.view() } else { x.view() };
        let problem = newton::Problem { x, y: &y, weights, l2: self.l2, intercept: self.intercept };
        let end = newton::minimise(problem, self.tolerance, self.max_iterations, cx)?.ok_or_else(overflow)?;
        least_norm::warn(&end.dependent, input.names(), cx);
        if self.l2 == 0.0 && end.worst < SEPARATED {
            cx.warn(format!(
                "the features separate the classes: every training row is within {:.0e} of its truth, and without a \
                 penalty the coefficients have no bound; set `l2` above 0",
                end.worst
            ));
        } else if !end.converged {
            warn_of_limit(end.iterations, end.last, self.tolerance, cx);
        }
        let intercept = if self.intercept { shifted.intercept(end.intercept, &end.coefficients) } else { 0.0 };
        Ok((end.coefficients, intercept))
    }
}

impl Learner<Multiclass> for LogisticRegression {
    type Model = LinearModel;

    fn fit(&self, train: &Design<Multiclass>, cx: &FitContext) -> Result<LinearModel> {
        self.check()?;
        let (input, x) = Input::of(train, Self::TAG)?;
        let (codes, weights, classes) = (train.target.codes(), train.weights(), train.target.classes());
        let name = |c: usize| train.labels.name(c as u32).map_or_else(|| c.to_string(), ToString::to_string);
        let present = present(codes, weights, classes);
        require_two(&present, name, codes.len())?;
        let absent: Vec<String> =
            (0..classes).filter(|c| !present.contains(c)).map(|c| format!("`{}`", name(c))).collect();
        if !absent.is_empty() {
            cx.warn(format!("no training row has the class {}; its probability is 0", absent.join(", ")));
        }
        // Rows of weight 0 may have an absent class; any other class does for them.
        let place: Vec<u32> = (0..classes).map(|c| present.iter().position(|&p| p == c).unwrap_or(0) as u32).collect();
        let class: Vec<u32> = codes.iter().map(|&c| place.get(c as usize).copied().unwrap_or(0)).collect();
        let shifted = shift(x, weights);
        let moved = self.backend == LogisticBackend::Newton && self.intercept;
        let x = if moved { shifted.x.view() } else { x.view() };
        let (l2, intercept, outputs) = (self.l2, self.intercept, present.len());
        let problem = descent::Problem { x, class: &class, outputs, weights, l2, intercept };
        let (mut found, mut intercepts) = self.descend(problem, &spread(&shifted.deviation, moved), cx)?;
        for (coefficients, intercept) in found.iter().zip(&mut intercepts) {
            *intercept = if moved { shifted.intercept(*intercept, coefficients) } else { *intercept };
        }
        // The same number in every class changes nothing; let the sum be 0.
        centre(&mut intercepts);
        let mut coefficients = vec![vec![0.0; input.width()]; classes];
        let mut all_intercepts = vec![ABSENT; classes];
        for ((&c, found), intercept) in present.iter().zip(&mut found).zip(intercepts) {
            coefficients[c] = std::mem::take(found);
            all_intercepts[c] = intercept;
        }
        LinearModel::new(input.names().to_vec(), coefficients, all_intercepts, Link::Softmax)
    }
}

/// What each column is scaled by: where columns are not moved a constant one still counts.
fn spread(deviation: &[f64], moved: bool) -> Vec<f64> {
    deviation.iter().map(|&d| if d > 0.0 || moved { d } else { 1.0 }).collect()
}

fn centre(values: &mut [f64]) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter_mut().for_each(|v| *v -= mean);
}

/// The classes that some row with a weight has.
fn present(class: &[u32], weights: Option<&[f64]>, classes: usize) -> Vec<usize> {
    let mut seen = vec![false; classes];
    for (r, &c) in class.iter().enumerate() {
        if weights.is_none_or(|w| w[r] > 0.0)
            && let Some(seen) = seen.get_mut(c as usize)
        {
            *seen = true;
        }
    }
    (0..classes).filter(|&c| seen[c]).collect()
}

fn require_two(present: &[usize], name: impl Fn(usize) -> String, rows: usize) -> Result<()> {
    if present.len() > 1 {
        return Ok(());
    }
    let level = present.first().map(|&c| name(c));
    Err(DataError::OneClass { target: "target".into(), level, rows }.into())
}

fn overflow() -> NumericError {
    let (what, why) =
        ("the logistic regression".into(), "squares of the features overflow; scale them before it".into());
    NumericError::Undefined { what, why }
}

fn warn_of_limit(iterations: usize, last: f64, tolerance: f64, cx: &FitContext) {
    let error = NumericError::NotConverged { iterations, tolerance, last };
    cx.warn(format!("{error}; the model is the best found"));
}

#[cfg(test)]
mod tests;
