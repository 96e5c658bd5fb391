//! Pearson's chi-square test of two rows of counts, and how far apart two rows of shares are.
//!
//! The statistic itself grows with the number of rows and depends on how they divide into reference and current. So what
//! is shown and held against a floor is [`distance`], which is free of both; the test only says whether it may be chance.
//! Levels too rare for the chi-square law are pooled before, in [`levels`](super::levels).

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// What the test finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    /// `Σ (observed − expected)² / expected`.
    pub statistic: f64,
    /// Levels present in either row, less one.
    pub degrees: u64,
    /// The chance of such a statistic or a larger one without any drift.
    pub p_value: f64,
}

/// The test of two rows of counts, as long as the shorter, without Yates' correction.
///
/// Levels that are 0 in both are left out. Fewer than two levels, or an empty row: statistic 0, p value 1. The law holds
/// where the expected counts are about five and more. O(levels). Pearson (1900).
/// Checked against scipy 1.17.1 `chi2_contingency(correction=False)`, 1e-9 relative.
///
/// ```
/// use stagewise_monitor::drift::chi_square::chi_square;
/// let test = chi_square(&[30, 70], &[45, 55]);
/// assert!((test.statistic - 4.8).abs() < 1e-12);
/// assert!((test.p_value - 0.02846).abs() < 1e-5);
/// ```
pub fn chi_square(reference: &[u64], current: &[u64]) -> ChiSquare {
    let pairs: Vec<(f64, f64)> = reference
        .iter()
        .zip(current)
        .filter(|(r, c)| **r > 0 || **c > 0)
        .map(|(&r, &c)| (r as f64, c as f64))
        .collect();
    let (n, m) = pairs.iter().fold((0.0, 0.0), |(n, m), (r, c)| (n + r, m + c));
    let degrees = (pairs.len() as u64).saturating_sub(1);
    if degrees == 0 || n == 0.0 || m == 0.0 {
        return ChiSquare { statistic: 0.0, degrees, p_value: 1.0 };
    }
    let cell = |observed: f64, row: f64, level: f64| {
        let expected = level * (row / (n + m));
        (observed - expected).powi(2) / expected
    };
    let statistic = pairs.iter().map(|&(r, c)| cell(r, n, r + c) + cell(c, m, r + c)).sum();
    ChiSquare { statistic, degrees, p_value: survival(statistic, degrees) }
}

/// How far apart two rows of counts are: Cramér's V as it were with as many reference as current rows.
///
/// `√(½ Σ (p − q)² / (p + q))` with shares `p`, `q`: 0 for equal shares, 1 for disjoint ones; `|p − q|` for two levels
/// near one half. Does not depend on the numbers of rows (Cramér's own V falls to nothing where one sample is much the
/// larger). For equal numbers of rows it is Cramér's V. NaN for a row of zeros, 0 without levels. O(levels). Le Cam (1986), Cramér (1946).
///
/// ```
/// use stagewise_monitor::drift::chi_square::distance;
/// assert!((distance(&[50, 50], &[450, 550]) - 0.05).abs() < 1e-4);
/// assert_eq!(distance(&[9, 0], &[0, 700]), 1.0);
/// ```
pub fn distance(reference: &[u64], current: &[u64]) -> f64 {
    let total = |counts: &[u64]| counts.iter().map(|&n| n as f64).sum::<f64>();
    let (n, m) = (total(reference), total(current));
    let shares = reference.iter().zip(current).map(|(&r, &c)| (r as f64 / n, c as f64 / m));
    let sum: f64 = shares.filter(|(p, q)| p + q != 0.0).map(|(p, q)| (p - q).powi(2) / (p + q)).sum();
    (0.5 * sum).sqrt()
}

/// `P(χ² > x)`.
pub(super) fn survival(x: f64, degrees: u64) -> f64 {
    match ChiSquared::new(degrees as f64) {
        Ok(law) if x.is_finite() => law.sf(x.max(0.0)),
        Ok(_) if x == f64::INFINITY => 0.0,
        _ => f64::NAN,
    }
}

/// The value that `χ²` exceeds with probability `p`: by bisection, so that it holds for the smallest `p` as well.
pub(super) fn upper_quantile(p: f64, degrees: u64) -> f64 {
    let (mut low, mut high) = (0.0, 4000.0 + 10.0 * degrees as f64);
    for _ in 0..70 {
        let middle = 0.5 * (low + high);
        if survival(middle, degrees) > p { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_scipy() {
        let golden = stagewise_testkit::golden::load("drift.json");
        let cases: Vec<_> = golden.cases.iter().filter(|c| c.name.starts_with("chi_squared")).collect();
        assert_eq!(cases.len(), 7);
        for case in cases {
            let counts = |at: &str| case.numbers(at).iter().map(|&x| x as u64).collect::<Vec<_>>();
            let test = chi_square(&counts("/input/reference"), &counts("/input/current"));
            golden.assert_close(test.statistic, case.number("/expected/statistic"), &case.name);
            golden.assert_close(test.degrees as f64, case.number("/expected/degrees_of_freedom"), &case.name);
            golden.assert_close(test.p_value, case.number("/expected/p_value"), &case.name);
        }
    }

    #[test]
    fn levels_in_neither_row_change_nothing() {
        assert_eq!(chi_square(&[30, 0, 70], &[45, 0, 55]), chi_square(&[30, 70], &[45, 55]));
        assert_eq!(distance(&[30, 0, 70], &[45, 0, 55]), distance(&[30, 70], &[45, 55]));
    }

    #[test]
    fn edges() {
        for (a, b) in [(&[][..], &[][..]), (&[5], &[7]), (&[0, 0], &[3, 4])] {
            let test = chi_square(a, b);
            assert_eq!((test.statistic, test.p_value), (0.0, 1.0));
        }
        assert!(distance(&[], &[]) == 0.0 && distance(&[0, 0], &[3, 4]).is_nan());
        assert_eq!(survival(f64::INFINITY, 3), 0.0);
    }

    #[test]
    fn the_distance_is_cramers_v_for_equal_rows() {
        let (a, b) = ([120, 80, 40, 10], [100, 90, 45, 15]);
        let v = (chi_square(&a, &b).statistic / 500.0).sqrt();
        assert!((distance(&a, &b) - v).abs() < 1e-12);
        let tenfold = b.map(|n| 10 * n);
        assert!((distance(&a, &tenfold) - v).abs() < 1e-12);
    }

    #[test]
    fn upper_quantiles() {
        // scipy 1.17.1: chi2.isf([0.05, 1e-30], [9, 2])
        assert!((upper_quantile(0.05, 9) - 16.918977604620448).abs() < 1e-9);
        assert!((upper_quantile(1e-30, 2) - 138.15510557964274).abs() < 1e-9);
    }
}
