//! Quantiles of the normal and of Student's t distribution, of probabilities within (0, 1).
//!
//! The algorithms are those of the crate `statrs`; Newton steps polish what they leave of the t quantile.

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
pub(crate) fn student_quantile(p: f64, freedom: f64) -> Result<f64> {
    let student = StudentsT::new(0.0, 1.0, freedom)
        .map_err(|_| undefined("the t interval", format!("there are {freedom} degrees of freedom")))?;
    // By symmetry in the lower half, where the distribution function keeps its digits.
    let lower = p.min(1.0 - p);
    let mut x = student.inverse_cdf(lower);
    for _ in 0..2 {
        let step = (student.cdf(x) - lower) / student.pdf(x);
        if step.is_finite() {
            x -= step;
        }
    }
    Ok(if p > 0.5 { -x } else { x })
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
}
