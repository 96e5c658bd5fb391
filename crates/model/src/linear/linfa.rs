//! Logistic regression by linfa-logistic: another way to the same numbers.
//!
//! It ignores weights, so they are refused. It does not say whether it converged, so the gradient at its answer is
//! computed here. Which class it calls positive depends on the order of the rows; the coefficients are turned to the
//! event here.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, ArrayView2};
use stagewise_core::Error;
use stagewise_core::error::{NumericError, PipelineError, Result};

use crate::linear::descent::{End, Problem, evaluate};

/// The gradient per row below which linfa's answer counts as converged, where the tolerance is tighter: its line search
/// often ends before.
const ENOUGH: f64 = 1e-5;
/// The largest feature that linfa is given. At 1e20 its line search does not end; at 1e8 it stops far from the minimum,
/// which is a warning.
const LARGEST: f64 = 1e10;

/// Fits by linfa. Features must be finite.
pub(super) fn minimise(problem: Problem<'_>, tolerance: f64, max_iterations: usize) -> Result<End> {
    if problem.weights.is_some() {
        return Err(PipelineError::Ignored {
            stage: "LogisticRegression with the backend Linfa".into(),
            what: "weights",
            remedy: "use the backend Newton, or fit without weights".into(),
        }
        .into());
    }
    if problem.x.iter().any(|v| v.abs() > LARGEST) {
        let what = "a fit by linfa-logistic".into();
        let why = format!("a feature is larger than {LARGEST:e}; scale the features or use the backend Newton");
        return Err(NumericError::Undefined { what, why }.into());
    }
    let (coefficients, intercepts) = if problem.outputs == 1 {
        binary(problem, tolerance, max_iterations)?
    } else {
        multi(problem, tolerance, max_iterations)?
    };
    let rows = problem.class.len() as f64;
    let (_, slopes) = evaluate(problem, &coefficients, &intercepts);
    let mut last = 0.0_f64;
    for (slopes, coefficients) in slopes.iter().zip(&coefficients) {
        let last_slope = if problem.intercept { slopes.len() } else { coefficients.len() };
        for (slope, coefficient) in slopes.iter().take(last_slope).zip(coefficients.iter().chain([&0.0])) {
            last = last.max((slope + problem.l2 * coefficient).abs() / rows);
        }
    }
    Ok(End { coefficients, intercepts, iterations: max_iterations, last, converged: last <= tolerance.max(ENOUGH) })
}

type Parameters = (Vec<Vec<f64>>, Vec<f64>);

fn binary(problem: Problem<'_>, tolerance: f64, max_iterations: usize) -> Result<Parameters> {
    let events: Array1<bool> = problem.class.iter().map(|&c| c == 1).collect();
    let fitted = LogisticRegression::default()
        .alpha(problem.l2)
        .with_intercept(problem.intercept)
        .max_iterations(max_iterations as u64)
        .gradient_tolerance(sum_tolerance(problem.x, tolerance))
        .fit(&DatasetBase::new(problem.x, events))
        .map_err(Error::external)?;
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    let coefficients = fitted.params().iter().map(|c| sign * c).collect();
    Ok((vec![coefficients], vec![sign * fitted.intercept()]))
}

fn multi(problem: Problem<'_>, tolerance: f64, max_iterations: usize) -> Result<Parameters> {
    let class: Array1<usize> = problem.class.iter().map(|&c| c as usize).collect();
    let fitted = MultiLogisticRegression::default()
        .alpha(problem.l2)
        .with_intercept(problem.intercept)
        .max_iterations(max_iterations as u64)
        .gradient_tolerance(sum_tolerance(problem.x, tolerance))
        .fit(&DatasetBase::new(problem.x, class))
        .map_err(Error::external)?;
    // Every class below `outputs` is there, so linfa's classes are these in order.
    let coefficients = fitted.params().columns().into_iter().map(|c| c.to_vec()).collect();
    Ok((coefficients, fitted.intercept().to_vec()))
}

/// linfa compares the gradient of the sum over rows.
fn sum_tolerance(x: ArrayView2<'_, f64>, tolerance: f64) -> f64 {
    tolerance * x.nrows() as f64
}
