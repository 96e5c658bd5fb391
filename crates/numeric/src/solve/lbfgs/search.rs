//! The line search of L-BFGS.
//!
//! Step lengths are bracketed as in Lewis & Overton (2013), "Nonsmooth optimization via quasi-Newton methods":
//! that needs nothing but comparisons, hence takes a step to a non-finite value as simply too long. Near the
//! minimum, where differences of the objective are rounding, the approximate test of Hager & Zhang (2005) looks
//! at the slope instead.

use super::Point;
use super::memory::inner;
use ndarray::Array1;

/// Share of the predicted decrease that a step must bring (Armijo).
const DECREASE: f64 = 1e-4;
/// Share of the slope that may be left after a step (Wolfe).
const CURVATURE: f64 = 0.9;
/// Trials of one line search; the step spans 2^±60 by then.
const TRIALS: usize = 60;

/// A point along `direction` that meets the Wolfe conditions, or at least lowers the value.
pub(super) fn search(
    from: &Point,
    direction: &Array1<f64>,
    slope: f64,
    first: f64,
    evaluate: &mut impl FnMut(Array1<f64>) -> Point,
) -> Option<Point> {
    let (mut low, mut high, mut step) = (0.0, f64::INFINITY, first);
    let mut fallback: Option<Point> = None;
    let noise = 4.0 * f64::EPSILON * from.value.abs();
    for _ in 0..TRIALS {
        let trial = evaluate(&from.x + &(direction * step));
        let trial_slope = inner(&trial.gradient, direction);
        let decreased = trial.value <= from.value + DECREASE * step * slope;
        let flat = trial.value <= from.value + noise && trial_slope <= (2.0 * DECREASE - 1.0) * slope;
        // A value of -∞ passes the comparison, but nothing can be computed from it.
        if !trial.value.is_finite() || !(decreased || flat) {
            high = step;
        } else if trial_slope < CURVATURE * slope {
            low = step;
            if trial.value < from.value && fallback.as_ref().is_none_or(|f| trial.value < f.value) {
                fallback = Some(trial);
            }
        } else {
            return Some(trial);
        }
        step = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * low };
    }
    fallback
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn at(f: impl Fn(f64) -> (f64, f64)) -> impl FnMut(Array1<f64>) -> Point {
        move |x| {
            let (value, slope) = f(x[0]);
            Point { x, value, gradient: array![slope] }
        }
    }

    #[test]
    fn the_step_is_lengthened_and_shortened() {
        // (x - 100)² from 0 along 200: the half step is the minimum; from a tiny first step it must grow.
        let mut bowl = at(|x| ((x - 100.0).powi(2), 2.0 * (x - 100.0)));
        for first in [1e-6, 1.0, 1e6] {
            let from = bowl(array![0.0]);
            let found = search(&from, &array![200.0], -40_000.0, first, &mut bowl);
            let found = found.map_or(f64::NAN, |point| point.x[0]);
            // Wolfe: value below that of 0, slope at most 0.9 of the slope there.
            assert!((10.0..200.0).contains(&found), "{first} {found}");
        }
    }

    #[test]
    fn out_of_bounds_is_too_long() {
        let mut fenced = at(|x| if x < 0.125 { (-x, -1.0) } else { (f64::NAN, 0.0) });
        let from = fenced(array![0.0]);
        let found = search(&from, &array![1.0], -1.0, 1.0, &mut fenced);
        assert!(found.is_some_and(|point| point.value < 0.0 && point.value > -0.125));
    }

    #[test]
    fn no_descent_gives_nothing() {
        let mut rising = at(|x| (x, 1.0));
        let from = rising(array![0.0]);
        assert!(search(&from, &array![1.0], -1.0, 1.0, &mut rising).is_none());
    }
}
