//! Quantiles of the normal and of Student's t distribution, of probabilities within (0, 1).
//!
//! The distribution functions are those of the crate `statrs`. Its t quantile is wrong in the far tail of few degrees
//! of freedom, so that one is solved for here.

use stagewise_core::error::Result;
use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

use crate::metric::rows::undefined;

/// `Φ⁻¹(p)`.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// `Φ(x)`.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// The quantile of Student's t with `freedom > 0` degrees of freedom.
///
/// Newton's method on the distribution function of the lower half, from the normal quantile, which lies nearer to 0. In
/// the tail both axes are logarithmic, where the function is nearly a line; elsewhere it is convex. Either way the steps
/// cannot run astray. From 1,000 degrees of freedom on by the expansion around the normal quantile (Abramowitz & Stegun
/// 1964, 26.7.5), which has more digits there.
pub(crate) fn student_quantile(p: f64, freedom: f64) -> Result<f64> {
    const STEPS: usize = 100;
    let student = StudentsT::new(0.0, 1.0, freedom)
        .map_err(|_| undefined("the t interval", format!("there are {freedom} degrees of freedom")))?;
    let lower = p.min(1.0 - p);
    if lower == 0.5 {
        return Ok(0.0);
    }
    let z = normal_quantile(lower);
    if freedom >= 1_000.0 {
        let x = near_normal(z, freedom);
        return Ok(if p > 0.5 { -x } else { x });
    }
    let mut x = z;
    for _ in 0..STEPS {
        let (below, density) = (student.cdf(x), student.pdf(x));
        let next = if lower < 0.25 {
            x * ((below / lower).ln() * below / (-x * density)).exp()
        } else {
            x - (below - lower) / density
        };
        let done = (next - x).abs() <= 4.0 * f64::EPSILON * x.abs();
        x = next;
        if done {
            break;
        }
    }
    Ok(if p > 0.5 { -x } else { x })
}

fn near_normal(z: f64, freedom: f64) -> f64 {
    let s = z * z;
    let terms = [
        (s + 1.0) / 4.0,
        ((5.0 * s + 16.0) * s + 3.0) / 96.0,
        (((3.0 * s + 19.0) * s + 17.0) * s - 15.0) / 384.0,
        ((((79.0 * s + 776.0) * s + 1_482.0) * s - 1_920.0) * s - 945.0) / 92_160.0,
    ];
    z + z * terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::golden::load;

    #[test]
    fn quantiles_equal_scipy() {
        let golden = load("intervals.json");
        let of = |kind: &str| golden.cases.iter().filter(move |c| c.value("/input/kind") == kind).collect::<Vec<_>>();
        assert_eq!((of("normal").len(), of("t").len()), (1, 9));
        for case in of("normal") {
            let found: Vec<f64> = case.numbers("/input/probability").into_iter().map(normal_quantile).collect();
            golden.assert_all_close(&found, &case.numbers("/expected/quantile"), &case.name);
        }
        for case in of("t") {
            let freedom = case.number("/input/degrees_of_freedom");
            let quantile = |p| student_quantile(p, freedom).unwrap();
            let found: Vec<f64> = case.numbers("/input/probability").into_iter().map(quantile).collect();
            golden.assert_all_close(&found, &case.numbers("/expected/quantile"), &case.name);
        }
        assert!(student_quantile(0.5, 0.0).is_err());
    }

    #[test]
    fn both_ways_agree_where_they_meet() {
        for p in [1e-6, 0.01, 0.2, 0.4, 0.975] {
            let (below, above) = (student_quantile(p, 999.999_999).unwrap(), student_quantile(p, 1_000.0).unwrap());
            assert!((below - above).abs() < 1e-9 * above.abs(), "{p}: {below} {above}");
        }
    }
}
