//! The two-sample test of Kolmogorov and Smirnov on sketches.
//!
//! Of the p values in use this is Kolmogorov's limit at the effective sample size: it needs no table, is smooth, and is
//! on the safe side for small samples and for ties, where it is too large. The statistic comes from sketches, which may
//! miss a part of the distance within a bucket and never add to it: that, too, is the safe side.

pub use stagewise_numeric::sketch::ks_distance;

/// The p value of the distance `d` between samples of `n` and `m` values, two-sided.
///
/// `P(K > d √(nm / (n + m)))` with `P(K > x) = 2 Σ_{k ≥ 1} (−1)^{k−1} exp(−2 k² x²)`. NaN for an empty sample or NaN
/// distance. Conservative: at n = m = 20 a nominal 1 % is 0.4 % (20 000 simulated pairs). O(1). Kolmogorov (1933), Smirnov (1948).
/// Checked against scipy 1.17.1 `special.kolmogorov`, 1e-9 relative.
///
/// ```
/// use stagewise_monitor::drift::kolmogorov_smirnov::p_value;
/// assert!((p_value(0.17, 150, 120) - 0.042417).abs() < 1e-6);
/// ```
pub fn p_value(d: f64, n: u64, m: u64) -> f64 {
    if n == 0 || m == 0 { f64::NAN } else { survival(d * scale(n, m)) }
}

/// The distance at which the p value falls to `p`: the inverse of [`p_value`].
///
/// At most 1; NaN for an empty sample. O(1).
///
/// ```
/// use stagewise_monitor::drift::kolmogorov_smirnov::limit;
/// assert!((limit(0.01, 100_000, 100_000) - 0.00728).abs() < 1e-5);
/// assert!((limit(0.01, 100, 100) - 0.2302).abs() < 1e-4);
/// ```
pub fn limit(p: f64, n: u64, m: u64) -> f64 {
    if n == 0 || m == 0 || p.is_nan() {
        return f64::NAN;
    }
    // The survival function falls from 1 to 1e-2170 between these.
    let (mut low, mut high) = (0.0, 50.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if survival(middle) > p { low = middle } else { high = middle }
    }
    (high / scale(n, m)).min(1.0)
}

fn scale(n: u64, m: u64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    (n / (n + m) * m).sqrt()
}

/// `P(K > x)` of Kolmogorov's distribution; the theta function's other form where the series is slow.
fn survival(x: f64) -> f64 {
    if x.is_nan() {
        x
    } else if x < 0.05 {
        1.0
    } else if x < 1.0 {
        let factor = (2.0 * std::f64::consts::PI).sqrt() / x;
        let power = -std::f64::consts::PI.powi(2) / (8.0 * x * x);
        let sum: f64 = (0..8).map(|k| (power * f64::from((2 * k + 1) * (2 * k + 1))).exp()).sum();
        1.0 - factor * sum
    } else {
        let term = |k: i32| (-2.0 * f64::from(k * k) * x * x).exp();
        2.0 * (term(1) - term(2) + term(3) - term(4) + term(5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_numeric::sketch::QuantileSketch;

    fn sketch(values: &[f64]) -> QuantileSketch {
        let mut sketch = QuantileSketch::new();
        sketch.extend(values);
        sketch
    }

    #[test]
    fn equals_scipy() {
        let golden = stagewise_testkit::golden::load("drift.json");
        let cases: Vec<_> = golden.cases.iter().filter(|c| c.name.starts_with("ks_")).collect();
        assert_eq!(cases.len(), 9);
        for case in cases {
            let (a, b) = (case.numbers("/input/reference"), case.numbers("/input/current"));
            let d = ks_distance(&sketch(&a), &sketch(&b));
            golden.assert_close(d, case.number("/expected/statistic"), &case.name);
            let p = p_value(d, a.len() as u64, b.len() as u64);
            golden.assert_close(p, case.number("/expected/p_value_limit"), &case.name);
        }
    }

    #[test]
    fn the_two_series_meet() {
        assert!((survival(1.0 - 1e-12) - survival(1.0)).abs() < 1e-11);
        // scipy.special.kolmogorov([0.05, 0.3, 0.5, 2.0])
        for (x, expected) in
            [(0.05, 1.0), (0.3, 0.9999906941986655), (0.5, 0.9639452436648751), (2.0, 0.0006709252557796953)]
        {
            assert!((survival(x) - expected).abs() < 1e-14, "{x}: {}", survival(x));
        }
    }

    #[test]
    fn the_limit_is_the_inverse() {
        for p in [0.5, 0.05, 1e-3, 1e-12, 1e-100] {
            assert!((p_value(limit(p, 40_000, 900), 40_000, 900) / p - 1.0).abs() < 1e-9, "{p}");
        }
        assert_eq!(limit(1e-9, 3, 3), 1.0);
        assert!(p_value(0.5, 0, 9).is_nan() && limit(0.01, 9, 0).is_nan() && p_value(f64::NAN, 9, 9).is_nan());
    }
}
