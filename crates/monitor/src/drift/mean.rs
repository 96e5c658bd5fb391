//! Welch's test of two means, for text: its summary keeps the moments of the lengths and no distribution.

use stagewise_numeric::sum::Moments;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// How many standard deviations apart the means are, without sign: `|x̄ − ȳ| / √((s² + t²) / 2)` (Cohen 1988).
///
/// 0 for equal constants, ∞ for unequal ones; NaN with fewer than two values on a side. O(1).
///
/// ```
/// use stagewise_monitor::drift::mean::distance;
/// use stagewise_numeric::sum::Moments;
/// let (mut a, mut b) = (Moments::new(), Moments::new());
/// a.extend(&[1.0, 3.0]);
/// b.extend(&[2.0, 4.0]);
/// assert!((distance(&a, &b) - 0.5_f64.sqrt()).abs() < 1e-12);
/// ```
pub fn distance(a: &Moments, b: &Moments) -> f64 {
    let Some(((x, s, _), (y, t, _))) = parts(a).zip(parts(b)) else { return f64::NAN };
    if x == y { 0.0 } else { (x - y).abs() / (0.5 * (s + t)).sqrt() }
}

/// The p value, two-sided, of equal means without equal variances.
///
/// `t = (x̄ − ȳ) / √(s²/n + t²/m)` against Student's law at the degrees of Welch and Satterthwaite. 1 for equal means,
/// 0 for unequal constants; NaN with fewer than two values on a side. O(1). Welch (1947).
/// Checked against scipy 1.17.1 `ttest_ind(equal_var=False)`, 1e-9 relative.
///
/// ```
/// use stagewise_monitor::drift::mean::p_value;
/// use stagewise_numeric::sum::Moments;
/// let (mut a, mut b) = (Moments::new(), Moments::new());
/// a.extend(&[1.0, 2.0, 3.0, 4.0]);
/// b.extend(&[3.0, 5.0, 9.0]);
/// assert!((p_value(&a, &b) - 0.20657).abs() < 1e-5);
/// ```
pub fn p_value(a: &Moments, b: &Moments) -> f64 {
    let Some(((x, s, n), (y, t, m))) = parts(a).zip(parts(b)) else { return f64::NAN };
    let (u, v) = (s / n, t / m);
    if x == y {
        return 1.0;
    }
    let degrees = (u + v).powi(2) / (u * u / (n - 1.0) + v * v / (m - 1.0));
    let z = (x - y).abs() / (u + v).sqrt();
    StudentsT::new(0.0, 1.0, degrees).map_or(0.0, |law| (2.0 * law.sf(z)).min(1.0))
}

/// Mean, variance with division by n − 1, and number.
fn parts(moments: &Moments) -> Option<(f64, f64, f64)> {
    Some((moments.mean()?, moments.variance(1.0)?, moments.count() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::new();
        moments.extend(values);
        moments
    }

    #[test]
    fn equals_scipy() {
        // scipy 1.17.1: ttest_ind([5, 7, 7, 8, 12, 4], [11, 9, 14, 30], equal_var=False).pvalue
        let p = p_value(&of(&[5.0, 7.0, 7.0, 8.0, 12.0, 4.0]), &of(&[11.0, 9.0, 14.0, 30.0]));
        assert!((p / 0.1604484295919111 - 1.0).abs() < 1e-9, "{p}");
    }

    #[test]
    fn edges() {
        assert!(p_value(&of(&[1.0]), &of(&[1.0, 2.0])).is_nan());
        assert_eq!((p_value(&of(&[2.0; 3]), &of(&[2.0; 4])), distance(&of(&[2.0; 3]), &of(&[2.0; 4]))), (1.0, 0.0));
        assert_eq!(
            (p_value(&of(&[2.0; 3]), &of(&[3.0; 4])), distance(&of(&[2.0; 3]), &of(&[3.0; 4]))),
            (0.0, f64::INFINITY)
        );
    }
}
