//! Gauss–Legendre quadrature on `0..1`.
//!
//! A Shapley value is an integral over `0..1` of a polynomial whose degree is below the number of features on a path
//! (Owen 1972), and `k` points integrate every polynomial of degree `2k − 1` or less without error. All weights are
//! positive, so nothing cancels.

/// A point of the rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// Where, strictly within `0..1`.
    pub(super) at: f64,
    /// `1 − at`, without the rounding of a subtraction.
    pub(super) rest: f64,
    /// How much it counts; all weights add up to 1.
    pub(super) weight: f64,
}

/// The rule with `count` points, ascending. O(count²).
pub(super) fn points(count: usize) -> Vec<Point> {
    let half: Vec<(f64, f64)> = (0..count.div_ceil(2)).map(|k| root(count, k)).collect();
    let low = half.iter().map(|&(x, weight)| Point { at: 0.5 * (1.0 - x), rest: 0.5 * (1.0 + x), weight });
    let high = half[..count / 2].iter().rev();
    low.chain(high.map(|&(x, weight)| Point { at: 0.5 * (1.0 + x), rest: 0.5 * (1.0 - x), weight })).collect()
}

/// The `k`-th largest root of the Legendre polynomial of degree `count`, by Newton's method, and half its weight on `−1..1`.
fn root(count: usize, k: usize) -> (f64, f64) {
    let n = count as f64;
    let middle = 2 * k + 1 == count;
    let mut x = if middle { 0.0 } else { (std::f64::consts::PI * (k as f64 + 0.75) / (n + 0.5)).cos() };
    let mut slope = legendre(count, x).1;
    // Five steps reach the last bit from this start; the others cost nothing that is seen.
    for _ in 0..12 {
        if middle {
            break;
        }
        let (value, derivative) = legendre(count, x);
        slope = derivative;
        x -= value / slope;
    }
    (x, 1.0 / ((1.0 - x * x) * slope * slope))
}

/// The Legendre polynomial of degree `count` and its derivative.
fn legendre(count: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for j in 0..count {
        let j = j as f64;
        (before, value) = (value, ((2.0 * j + 1.0) * x * value - j * before) / (j + 1.0));
    }
    (value, count as f64 * (before - x * value) / (1.0 - x * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_integrated_without_error() {
        for count in [1, 2, 3, 4, 5, 8, 16, 33, 64] {
            let points = points(count);
            assert_eq!(points.len(), count);
            assert!(points.windows(2).all(|pair| pair[0].at < pair[1].at));
            for power in 0..2 * count as i32 {
                let found: f64 = points.iter().map(|p| p.weight * p.at.powi(power)).sum();
                let expected = 1.0 / f64::from(power + 1);
                assert!((found - expected).abs() < 4e-15 * count as f64 * expected, "{count} {power}: {found}");
            }
        }
    }
}
