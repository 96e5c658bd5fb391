//! Smooth unconstrained minimisation by limited-memory BFGS.
//!
//! Logistic and other generalised linear models with many columns are fitted here, where a Hessian would not
//! pay. Directions come from `memory.rs`, step lengths from `search.rs`; this file decides when to go on. A
//! point where the objective is not finite is out of bounds, not an error. Deterministic.

mod memory;
mod search;

use memory::{Memory, inner};
use ndarray::{Array1, ArrayView1};
use search::search;

/// When and with how much memory [`minimise`] works.
#[derive(Clone, Debug, PartialEq)]
pub struct LbfgsOptions {
    /// Number of past steps that shape the direction; 0 is steepest descent. Default 10.
    pub memory: usize,
    /// Largest number of steps. Default 1000.
    pub max_iterations: usize,
    /// The search ends when no entry of the gradient is larger than this. Default 1e-6.
    pub gradient_tolerance: f64,
}

impl Default for LbfgsOptions {
    fn default() -> Self {
        Self { memory: 10, max_iterations: 1000, gradient_tolerance: 1e-6 }
    }
}

/// Where [`minimise`] ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// The best point found.
    pub x: Array1<f64>,
    /// The objective there.
    pub value: f64,
    /// The largest absolute entry of the gradient there.
    pub gradient_norm: f64,
    /// Number of steps taken.
    pub iterations: usize,
    /// Whether the gradient tolerance was met.
    pub converged: bool,
}

/// A point with its value and gradient.
struct Point {
    x: Array1<f64>,
    value: f64,
    gradient: Array1<f64>,
}

/// Minimises `objective` from `start`.
///
/// `objective(x, gradient)` returns the value at `x` and writes the gradient (of the length of `x`) to its
/// second argument. A non-finite value or gradient marks a point as out of bounds; at `start` it ends the
/// search at once, unconverged. The value never rises by more than rounding from step to step. O(memory · p)
/// per step beside the objective. Liu & Nocedal (1989).
///
/// ```
/// use ndarray::array;
/// use stagewise_numeric::solve::lbfgs::{LbfgsOptions, minimise};
/// let bowl = |x: ndarray::ArrayView1<f64>, gradient: &mut ndarray::Array1<f64>| {
///     gradient[0] = 2.0 * (x[0] - 3.0);
///     (x[0] - 3.0).powi(2)
/// };
/// let minimum = minimise(array![0.0], bowl, &LbfgsOptions::default());
/// assert!(minimum.converged && (minimum.x[0] - 3.0).abs() < 1e-6);
/// ```
pub fn minimise(
    start: Array1<f64>,
    mut objective: impl FnMut(ArrayView1<'_, f64>, &mut Array1<f64>) -> f64,
    options: &LbfgsOptions,
) -> Minimum {
    let mut evaluate = |x: Array1<f64>| {
        let mut gradient = Array1::zeros(x.len());
        let mut value = objective(x.view(), &mut gradient);
        if gradient.len() != x.len() || !gradient.iter().all(|g| g.is_finite()) {
            gradient = Array1::zeros(x.len());
            value = f64::NAN;
        }
        Point { x, value, gradient }
    };
    let mut here = evaluate(start);
    let mut memory = Memory::new(options.memory);
    let mut iterations = 0;
    while here.value.is_finite()
        && largest(&here.gradient) > options.gradient_tolerance
        && iterations < options.max_iterations
    {
        let direction = memory.direction(&here.gradient);
        let slope = inner(&direction, &here.gradient);
        let first = if memory.is_empty() {
            // Without curvature known, a step of length about one.
            1.0 / largest(&here.gradient).max(1.0)
        } else {
            1.0
        };
        let next = if slope < 0.0 { search(&here, &direction, slope, first, &mut evaluate) } else { None };
        match next {
            Some(next) => {
                memory.remember(&next.x - &here.x, &next.gradient - &here.gradient);
                here = next;
                iterations += 1;
            }
            // A direction that leads nowhere may be the fault of old curvature; once without it, then stop.
            None if !memory.is_empty() => memory.clear(),
            None => break,
        }
    }
    let gradient_norm = if here.value.is_finite() { largest(&here.gradient) } else { f64::NAN };
    Minimum {
        converged: gradient_norm <= options.gradient_tolerance,
        x: here.x,
        value: here.value,
        gradient_norm,
        iterations,
    }
}

fn largest(gradient: &Array1<f64>) -> f64 {
    gradient.iter().fold(0.0, |largest, g| largest.max(g.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    fn rosenbrock(x: ArrayView1<'_, f64>, gradient: &mut Array1<f64>) -> f64 {
        gradient.fill(0.0);
        (0..x.len() - 1).fold(0.0, |sum, i| {
            let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
            gradient[i] += -2.0 * a - 400.0 * x[i] * b;
            gradient[i + 1] += 200.0 * b;
            sum + a * a + 100.0 * b * b
        })
    }

    fn tight() -> LbfgsOptions {
        LbfgsOptions { gradient_tolerance: 1e-9, ..LbfgsOptions::default() }
    }

    #[test]
    fn rosenbrock_from_the_classical_start() {
        // Moré, Garbow & Hillstrom (1981), problem 1: minimum 0 at (1, 1) from (-1.2, 1).
        for start in [array![-1.2, 1.0], Array1::from_elem(50, -1.2)] {
            let first = minimise(start.clone(), rosenbrock, &tight());
            assert!(first.converged && first.iterations < 400, "{first:?}");
            assert!(first.value < 1e-15 && first.x.iter().all(|x| (x - 1.0).abs() < 1e-8) || start.len() > 2);
            assert_eq!(minimise(start, rosenbrock, &tight()), first);
        }
    }

    #[test]
    fn steps_out_of_bounds_are_shortened() {
        // x - ln x has its minimum 1 at 1 and is NaN or infinite for x ≤ 0, where the first steps land.
        let barrier = |x: ArrayView1<'_, f64>, g: &mut Array1<f64>| {
            g[0] = 1e3 * (1.0 - 1.0 / x[0]);
            1e3 * (x[0] - x[0].ln())
        };
        for start in [1e-3, 0.5, 700.0] {
            let minimum = minimise(array![start], barrier, &tight());
            assert!((minimum.x[0] - 1.0).abs() < 1e-8, "{minimum:?}");
        }
        let lost = minimise(array![-1.0], barrier, &tight());
        assert!(!lost.converged && lost.iterations == 0 && lost.x[0] == -1.0);
    }

    #[test]
    fn limits_are_kept() {
        let options = LbfgsOptions { max_iterations: 3, memory: 0, ..tight() };
        let stopped = minimise(array![-1.2, 1.0], rosenbrock, &options);
        assert!(!stopped.converged && stopped.iterations == 3 && stopped.value < 24.2);
        let unbounded = |x: ArrayView1<'_, f64>, g: &mut Array1<f64>| {
            g[0] = 1.0;
            x[0]
        };
        assert!(!minimise(array![0.0], unbounded, &tight()).converged);
        let wrong = |_: ArrayView1<'_, f64>, g: &mut Array1<f64>| {
            *g = array![1.0];
            0.0
        };
        assert!(!minimise(array![0.0, 1.0], wrong, &tight()).converged);
        let empty = minimise(array![], |_, _| 7.0, &tight());
        assert!(empty.converged && empty.value == 7.0);
    }

    proptest! {
        #[test]
        fn quadratics_are_solved(
            scales in prop::collection::vec(1e-2f64..1e2, 1..12),
            centre in -10.0f64..10.0,
        ) {
            let bowl = |x: ArrayView1<'_, f64>, g: &mut Array1<f64>| {
                (0..x.len()).fold(0.0, |sum, i| {
                    let d = x[i] - centre;
                    g[i] = scales[i] * d;
                    sum + 0.5 * scales[i] * d * d
                })
            };
            let minimum = minimise(Array1::zeros(scales.len()), bowl, &LbfgsOptions { gradient_tolerance: 1e-8, ..LbfgsOptions::default() });
            prop_assert!(minimum.converged, "{:?}", minimum);
            prop_assert!(minimum.x.iter().all(|x| (x - centre).abs() < 1e-5));
        }
    }
}
