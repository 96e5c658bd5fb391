//! Corrections of p values for many tests at once.
//!
//! A table of a hundred features is a hundred tests, and at one per cent each one of them alarms by chance. Bonferroni
//! bounds the chance of any false alarm; Benjamini and Hochberg bound the share of false alarms among the alarms, which
//! finds more and is the default. Without any drift the two bounds are the same.

use serde::{Deserialize, Serialize};
use stagewise_numeric::multiplicity::benjamini_hochberg;

/// How p values of several tests are corrected.
///
/// ```
/// use stagewise_monitor::Correction;
/// assert_eq!(Correction::Bonferroni.adjust(&[0.01, 0.5]), [0.02, 1.0]);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Correction {
    /// Bounds the expected share of false alarms among the alarms (Benjamini & Hochberg 1995): the default.
    #[default]
    BenjaminiHochberg,
    /// Bounds the chance of any false alarm (Bonferroni 1936, Dunn 1961).
    Bonferroni,
    /// None: each test by itself.
    None,
}

impl Correction {
    /// The adjusted p values, in the order given: a test is significant at `alpha` if its adjusted value is at most that.
    ///
    /// With `p_(1) ≤ … ≤ p_(t)`: Bonferroni `min(1, t p)`; Benjamini–Hochberg `min_{j ≥ i} min(1, t p_(j) / j)`; none `p`.
    /// NaN, a test that could not be made, stays NaN and is not counted. O(t log t).
    /// Checked against scipy 1.17.1 `false_discovery_control(method="bh")`, 1e-9 relative.
    ///
    /// ```
    /// use stagewise_monitor::Correction;
    /// let adjusted = Correction::BenjaminiHochberg.adjust(&[0.01, 0.75, 0.5, 0.005]);
    /// assert_eq!(adjusted, [0.02, 0.75, 0.6666666666666666, 0.02]);
    /// ```
    pub fn adjust(self, p: &[f64]) -> Vec<f64> {
        let tests = p.iter().filter(|p| !p.is_nan()).count() as f64;
        match self {
            Self::None => p.to_vec(),
            Self::Bonferroni => p.iter().map(|p| if p.is_nan() { *p } else { (p * tests).min(1.0) }).collect(),
            Self::BenjaminiHochberg => benjamini_hochberg(p),
        }
    }

    /// The largest p value that is significant at `alpha` beside the others in `p`.
    ///
    /// Benjamini–Hochberg: `alpha k / t` with `k` the number of significant tests, at least 1. O(t log t).
    ///
    /// ```
    /// use stagewise_monitor::Correction;
    /// assert_eq!(Correction::Bonferroni.limit(&[0.5, 0.001], 0.01), 0.005);
    /// ```
    pub fn limit(self, p: &[f64], alpha: f64) -> f64 {
        let tests = p.iter().filter(|p| !p.is_nan()).count().max(1) as f64;
        match self {
            Self::None => alpha,
            Self::Bonferroni => alpha / tests,
            Self::BenjaminiHochberg => {
                let significant = self.adjust(p).iter().filter(|&&p| p <= alpha).count().max(1);
                alpha * significant as f64 / tests
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equals_scipy() {
        let golden = stagewise_testkit::golden::load("correction.json");
        let cases: Vec<_> = golden.cases.iter().filter(|c| c.name.starts_with("correction")).collect();
        assert_eq!(cases.len(), 6);
        for case in cases {
            let p = case.numbers("/input/p");
            let bh = Correction::BenjaminiHochberg.adjust(&p);
            golden.assert_all_close(&bh, &case.numbers("/expected/benjamini_hochberg"), &case.name);
            golden.assert_all_close(
                &Correction::Bonferroni.adjust(&p),
                &case.numbers("/expected/bonferroni"),
                &case.name,
            );
        }
    }

    #[test]
    fn a_test_that_was_not_made_is_not_counted() {
        for correction in [Correction::BenjaminiHochberg, Correction::Bonferroni, Correction::None] {
            let adjusted = correction.adjust(&[0.01, f64::NAN, 0.5]);
            assert!(adjusted[1].is_nan());
            assert_eq!([adjusted[0], adjusted[2]], correction.adjust(&[0.01, 0.5])[..]);
            assert!(correction.adjust(&[]).is_empty());
        }
    }

    proptest! {
        #[test]
        fn the_limit_divides_as_the_adjusted_values_do(
            p in prop::collection::vec(0.0f64..0.1, 1..30),
            alpha in 0.001f64..0.2,
        ) {
            for correction in [Correction::BenjaminiHochberg, Correction::Bonferroni, Correction::None] {
                let limit = correction.limit(&p, alpha);
                for (p, adjusted) in p.iter().zip(correction.adjust(&p)) {
                    prop_assert!(adjusted >= *p);
                    prop_assert_eq!(adjusted <= alpha, *p <= limit, "{} {} {}", p, adjusted, limit);
                }
            }
        }
    }
}
