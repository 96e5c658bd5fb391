//! The last point of a curve through the last values.

/// The end of the polynomial of a degree through equally spaced values, by least squares.
///
/// Orthogonal polynomials on the points (Forsythe 1957) keep the sums well conditioned; at most six of them are needed.
pub(super) fn polynomial_end(values: impl Iterator<Item = f64> + Clone, degree: usize) -> f64 {
    let count = values.clone().count();
    let middle = (count as f64 - 1.0) / 2.0;
    // Of each polynomial its values at the points, starting with the constant one.
    let mut last = vec![0.0; count];
    let mut this = vec![1.0; count];
    let (mut last_norm, mut end) = (1.0, 0.0);
    for power in 0..=degree {
        let norm: f64 = this.iter().map(|p| p * p).sum();
        let product: f64 = this.iter().zip(values.clone()).map(|(p, x)| p * x).sum();
        end += product / norm * this[count - 1];
        // The points lie evenly around 0, so the recurrence has no term of its own degree.
        let back = if power == 0 { 0.0 } else { norm / last_norm };
        let next = (0..count).map(|at| (at as f64 - middle) * this[at] - back * last[at]).collect();
        (last, this, last_norm) = (this, next, norm);
    }
    end
}

/// The end of a weighted line through values, the last of which is the newest: tricube weights over `window` events.
pub(super) fn line_end(values: impl DoubleEndedIterator<Item = f64>, window: usize) -> Option<f64> {
    let (mut weights, mut sum_t, mut sum_x, mut sum_tt, mut sum_tx) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let mut count = 0;
    for (ago, x) in values.rev().enumerate().filter(|(_, x)| !x.is_nan()) {
        let share = ago as f64 / window as f64;
        let bell = 1.0 - share * share * share;
        let (weight, t) = (bell * bell * bell, -(ago as f64));
        weights += weight;
        sum_t += weight * t;
        sum_x += weight * x;
        sum_tt += weight * t * t;
        sum_tx += weight * t * x;
        count += 1;
    }
    // At t = 0 the line is its intercept.
    let spread = weights * sum_tt - sum_t * sum_t;
    (count >= 2 && spread > 0.0).then(|| (sum_x * sum_tt - sum_t * sum_tx) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_runs_through_its_own_values() {
        let cubic = |x: f64| 2.0 - x + 0.5 * x * x - 0.125 * x * x * x;
        let values: Vec<f64> = (0..9).map(|x| cubic(f64::from(x))).collect();
        assert!((polynomial_end(values.iter().copied(), 3) - cubic(8.0)).abs() < 1e-12);
        assert!((polynomial_end(values.iter().copied(), 0) - values.iter().sum::<f64>() / 9.0).abs() < 1e-12);
    }

    #[test]
    fn a_line_is_found_and_holes_are_left_out() {
        let values = [1.0, f64::NAN, 5.0, 7.0, 9.0];
        assert!((line_end(values.into_iter(), 6).unwrap() - 9.0).abs() < 1e-12);
        assert_eq!(line_end([3.0].into_iter(), 6), None);
    }
}
