//! Binary logistic regression by Newton's method: a weighted least-squares problem per step.
//!
//! Few steps, each one Gram matrix; the end is judged by the Newton decrement, which no scaling of the features
//! changes. With many rows the first steps are made on every so-manieth row, so that all rows are seen only for the
//! last ones. Objective and derivatives are summed over blocks of a fixed size: the same bits for any number of threads.

use ndarray::{Array1, ArrayView2, Axis, Slice};
use stagewise_core::context::FitContext;
use stagewise_core::error::Result;
use stagewise_numeric::gram::{matvec, weighted_gram, weighted_xty};
use stagewise_numeric::parallel;

use crate::linear::least_norm;
use crate::link::sigmoid;

/// Rows of one task.
const BLOCK: usize = 4096;
/// With more rows than this the first steps are made on a sample.
const MANY: usize = 60_000;
/// Rows of that sample.
const SAMPLE: usize = 20_000;
/// Halvings of a step before it is given up.
const HALVINGS: usize = 40;

/// What is minimised: `Σ w·nll + l2/2 · |β|²`.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a> {
    pub(crate) x: ArrayView2<'a, f64>,
    /// The truth, 0 or 1.
    pub(crate) y: &'a [f64],
    pub(crate) weights: Option<&'a [f64]>,
    pub(crate) l2: f64,
    pub(crate) intercept: bool,
}

/// Where a solver ended.
pub(crate) struct End {
    pub(crate) coefficients: Vec<f64>,
    pub(crate) intercept: f64,
    pub(crate) iterations: usize,
    /// What must fall below the tolerance.
    pub(crate) last: f64,
    pub(crate) converged: bool,
    /// Columns that are combinations of others.
    pub(crate) dependent: Vec<usize>,
    /// The largest distance between a probability and its truth.
    pub(crate) worst: f64,
}

/// Objective, residuals and curvatures at one point.
struct Point {
    coefficients: Array1<f64>,
    intercept: f64,
    value: f64,
    residual: Vec<f64>,
    curvature: Vec<f64>,
    worst: f64,
}

/// Minimises, from 0. `None` if numbers overflow at the start.
pub(crate) fn minimise(
    problem: Problem<'_>,
    tolerance: f64,
    max_iterations: usize,
    cx: &FitContext,
) -> Result<Option<End>> {
    let zero = Array1::zeros(problem.x.ncols());
    let mut start = evaluate(problem, zero, 0.0);
    if problem.y.len() > MANY
        && let Some(near) = on_sample(problem, max_iterations, cx)?
    {
        let near = evaluate(problem, near.coefficients.into(), near.intercept);
        if near.value < start.value {
            start = near;
        }
    }
    descend(problem, start, tolerance, max_iterations, cx)
}

/// The end of the search over every so-manieth row.
fn on_sample(problem: Problem<'_>, max_iterations: usize, cx: &FitContext) -> Result<Option<End>> {
    let step = problem.y.len().div_ceil(SAMPLE);
    let y: Vec<f64> = problem.y.iter().copied().step_by(step).collect();
    let weights: Option<Vec<f64>> = problem.weights.map(|w| w.iter().copied().step_by(step).collect());
    let x = problem.x.slice_axis(Axis(0), Slice::new(0, None, step as isize));
    let sample =
        Problem { x, y: &y, weights: weights.as_deref(), l2: problem.l2 / step as f64, intercept: problem.intercept };
    let start = evaluate(sample, Array1::zeros(x.ncols()), 0.0);
    descend(sample, start, 1e-3, max_iterations.min(20), cx)
}

fn descend(
    problem: Problem<'_>,
    start: Point,
    tolerance: f64,
    max_iterations: usize,
    cx: &FitContext,
) -> Result<Option<End>> {
    let total = crate::input::total_weight(problem.weights, problem.y.len());
    let mut here = start;
    let end = |here: Point, iterations, last, dependent| End {
        coefficients: here.coefficients.to_vec(),
        intercept: here.intercept,
        iterations,
        last,
        converged: last <= tolerance,
        dependent,
        worst: here.worst,
    };
    let mut dependent = Vec::new();
    let mut last = f64::INFINITY;
    for iteration in 0..max_iterations {
        cx.check()?;
        let Some((step, step_intercept, decrement, found)) = newton_step(problem, &here) else {
            return Ok(if iteration == 0 { None } else { Some(end(here, iteration, last, dependent)) });
        };
        dependent = found;
        last = (decrement.max(0.0) / total).sqrt();
        let next = search(problem, &here, &step, step_intercept, decrement);
        let done = last <= tolerance;
        match next {
            Some(next) => here = next,
            None => return Ok(Some(end(here, iteration, last, dependent))),
        }
        if done {
            return Ok(Some(end(here, iteration + 1, last, dependent)));
        }
    }
    Ok(Some(end(here, max_iterations, last, dependent)))
}

/// The Newton step, to be taken off, and the decrement `gᵀ H⁻¹ g`.
fn newton_step(problem: Problem<'_>, here: &Point) -> Option<(Array1<f64>, f64, f64, Vec<usize>)> {
    let Problem { x, l2, .. } = problem;
    let mut gradient = weighted_xty(x, None, &here.residual);
    gradient.scaled_add(l2, &here.coefficients);
    let mut hessian = weighted_gram(x, Some(&here.curvature));
    hessian.diag_mut().iter_mut().for_each(|d| *d += l2);
    if !problem.intercept {
        let solution = least_norm::solve(&hessian, &gradient.to_vec())?;
        let step = Array1::from_vec(solution.x);
        let decrement = step.dot(&gradient);
        return Some((step, 0.0, decrement, solution.dependent));
    }
    // The intercept is eliminated: columns centred by the curvatures.
    let (slope, curvature) = (total(&here.residual), total(&here.curvature));
    if !(curvature > 0.0 && curvature.is_finite()) {
        return None;
    }
    let mean = weighted_xty(x, None, &here.curvature) / curvature;
    for ((i, j), h) in hessian.indexed_iter_mut() {
        *h -= curvature * mean[i] * mean[j];
    }
    let right = &gradient - &(&mean * slope);
    let solution = least_norm::solve(&hessian, &right.to_vec())?;
    let step = Array1::from_vec(solution.x);
    let step_intercept = slope / curvature - mean.dot(&step);
    let decrement = step.dot(&gradient) + step_intercept * slope;
    (step_intercept.is_finite() && decrement.is_finite()).then_some((
        step,
        step_intercept,
        decrement,
        solution.dependent,
    ))
}

/// The first point on the way that is low enough, the step halved each time.
fn search(
    problem: Problem<'_>,
    here: &Point,
    step: &Array1<f64>,
    step_intercept: f64,
    decrement: f64,
) -> Option<Point> {
    const ENOUGH: f64 = 1e-4;
    const ROUNDING: f64 = 1e-13;
    let mut length = 1.0;
    for _ in 0..HALVINGS {
        let mut coefficients = here.coefficients.clone();
        coefficients.scaled_add(-length, step);
        let next = evaluate(problem, coefficients, here.intercept - length * step_intercept);
        let allowed = here.value - ENOUGH * length * decrement;
        if next.value <= allowed || (next.value - here.value).abs() <= ROUNDING * here.value.abs() {
            return Some(next);
        }
        length *= 0.5;
    }
    None
}

fn evaluate(problem: Problem<'_>, coefficients: Array1<f64>, intercept: f64) -> Point {
    let Problem { x, y, weights, l2, .. } = problem;
    let scores = matvec(x, &coefficients);
    let parts = parallel::blocks(y.len(), BLOCK, |rows| {
        let mut part = (0.0, 0.0_f64, Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for r in rows {
            let z = scores[r] + intercept;
            let w = weights.map_or(1.0, |w| w[r]);
            let p = sigmoid(z);
            let off = p - y[r];
            if w > 0.0 {
                part.0 += w * (z.max(0.0) - z * y[r] + (-z.abs()).exp().ln_1p());
                part.1 = part.1.max(off.abs());
            }
            part.2.push(w * off);
            part.3.push(w * p * (1.0 - p));
        }
        part
    });
    let mut value = 0.5 * l2 * coefficients.dot(&coefficients);
    let (mut worst, mut residual, mut curvature) = (0.0_f64, Vec::with_capacity(y.len()), Vec::with_capacity(y.len()));
    for (part_value, part_worst, r, c) in parts {
        value += part_value;
        worst = worst.max(part_worst);
        residual.extend(r);
        curvature.extend(c);
    }
    Point { coefficients, intercept, value, residual, curvature, worst }
}

/// A sum in blocks, in block order.
fn total(values: &[f64]) -> f64 {
    parallel::blocks(values.len(), BLOCK, |rows| values[rows].iter().sum::<f64>()).into_iter().sum()
}
