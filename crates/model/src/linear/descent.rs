//! Logistic regression of any number of classes by L-BFGS: for many classes, or more features than a Hessian pays for.
//!
//! Features are scaled to unit deviation inside the search, not in the data, and the penalty is scaled along, so the
//! answer is that of the features as they are. Every sum runs over blocks of a fixed size in block order.

use ndarray::{Array1, ArrayView2};
use stagewise_core::context::FitContext;
use stagewise_core::error::Result;
use stagewise_numeric::parallel;
use stagewise_numeric::solve::lbfgs::{LbfgsOptions, minimise as lbfgs};
use stagewise_numeric::sum::dot;

use crate::link::{sigmoid, softmax};

/// Rows of one task.
const BLOCK: usize = 4096;

/// What is minimised: `Σ w·nll + l2/2 · |B|²`, with one output (logistic) or one for each class (softmax).
#[derive(Clone, Copy)]
pub(super) struct Problem<'a> {
    pub(super) x: ArrayView2<'a, f64>,
    /// The class of each row, below `outputs`; 0 or 1 if there is one output.
    pub(super) class: &'a [u32],
    pub(super) outputs: usize,
    pub(super) weights: Option<&'a [f64]>,
    pub(super) l2: f64,
    pub(super) intercept: bool,
}

/// Where the search ended: coefficients and intercept of each output.
pub(super) struct End {
    pub(super) coefficients: Vec<Vec<f64>>,
    pub(super) intercepts: Vec<f64>,
    pub(super) iterations: usize,
    /// The largest entry of the gradient, per unit of weight and deviation.
    pub(super) last: f64,
    pub(super) converged: bool,
}

/// Minimises, from 0. `deviation` is that of each column; one without gets the coefficient 0.
pub(super) fn minimise(
    problem: Problem<'_>,
    deviation: &[f64],
    tolerance: f64,
    max_iterations: usize,
    cx: &FitContext,
) -> Result<End> {
    let (p, k) = (problem.x.ncols(), problem.outputs);
    let scale: Vec<f64> = deviation.iter().map(|&d| if d > 0.0 { 1.0 / d } else { 0.0 }).collect();
    let total = crate::input::total_weight(problem.weights, problem.class.len());
    let objective = |at: ndarray::ArrayView1<'_, f64>, gradient: &mut Array1<f64>| {
        if cx.check().is_err() {
            return f64::NAN;
        }
        let (coefficients, intercepts) = unpack(at.iter().copied(), k, p, &scale);
        let (value, slopes) = evaluate(problem, &coefficients, &intercepts);
        for (c, slopes) in slopes.iter().enumerate() {
            let from = c * (p + 1);
            for j in 0..p {
                gradient[from + j] = (slopes[j] + problem.l2 * coefficients[c][j]) * scale[j] / total;
            }
            gradient[from + p] = if problem.intercept { slopes[p] / total } else { 0.0 };
        }
        let squares: f64 = coefficients.iter().map(|c| dot(c, c)).sum();
        (value + 0.5 * problem.l2 * squares) / total
    };
    let options = LbfgsOptions { max_iterations, gradient_tolerance: tolerance, ..LbfgsOptions::default() };
    let minimum = lbfgs(Array1::zeros(k * (p + 1)), objective, &options);
    cx.check()?;
    let (coefficients, intercepts) = unpack(minimum.x.iter().copied(), k, p, &scale);
    Ok(End {
        coefficients,
        intercepts,
        iterations: minimum.iterations,
        last: minimum.gradient_norm,
        converged: minimum.converged,
    })
}

/// Coefficients and intercepts of the features as they are.
fn unpack(at: impl Iterator<Item = f64>, k: usize, p: usize, scale: &[f64]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut coefficients = vec![Vec::with_capacity(p); k];
    let mut intercepts = vec![0.0; k];
    for (i, value) in at.enumerate() {
        let (c, j) = (i / (p + 1), i % (p + 1));
        match scale.get(j) {
            Some(scale) => coefficients[c].push(value * scale),
            None => intercepts[c] = value,
        }
    }
    (coefficients, intercepts)
}

/// The negative log-likelihood and, per output, its derivatives by coefficients and intercept.
pub(super) fn evaluate(problem: Problem<'_>, coefficients: &[Vec<f64>], intercepts: &[f64]) -> (f64, Vec<Vec<f64>>) {
    let Problem { x, class, outputs, weights, .. } = problem;
    let p = x.ncols();
    let parts = parallel::blocks(class.len(), BLOCK, |rows| {
        let mut value = 0.0;
        let mut slopes = vec![vec![0.0; p + 1]; outputs];
        let mut off = vec![0.0; outputs];
        let mut copy = Vec::new();
        for r in rows {
            let view = x.row(r);
            let row = match view.to_slice() {
                Some(row) => row,
                None => {
                    copy.clear();
                    copy.extend(view);
                    copy.as_slice()
                }
            };
            let w = weights.map_or(1.0, |w| w[r]);
            for ((off, c), b) in off.iter_mut().zip(coefficients).zip(intercepts) {
                *off = dot(row, c) + b;
            }
            value += w * loss(&mut off, class[r] as usize);
            for (slopes, off) in slopes.iter_mut().zip(&off) {
                let factor = w * off;
                slopes.iter_mut().zip(row).for_each(|(s, v)| *s += factor * v);
                slopes[p] += factor;
            }
        }
        (value, slopes)
    });
    let mut value = 0.0;
    let mut slopes = vec![vec![0.0; p + 1]; outputs];
    for (part_value, part) in parts {
        value += part_value;
        for (slopes, part) in slopes.iter_mut().zip(part) {
            slopes.iter_mut().zip(part).for_each(|(s, v)| *s += v);
        }
    }
    (value, slopes)
}

/// The negative log-likelihood of a row; scores become what is to be taken off them: probability less truth.
fn loss(scores: &mut [f64], class: usize) -> f64 {
    if let [z] = scores {
        let y = class as f64;
        let loss = z.max(0.0) - *z * y + (-z.abs()).exp().ln_1p();
        *z = sigmoid(*z) - y;
        return loss;
    }
    let largest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    let own = scores[class];
    let sum: f64 = scores.iter().map(|z| (z - largest).exp()).sum();
    softmax(scores);
    scores[class] -= 1.0;
    sum.ln() + largest - own
}
