//! P values of many tests at once.
//!
//! Of a hundred tests without any effect five have a p value below 0.05. Whoever names what is significant needs adjusted
//! values, and profiles, monitors, selection and missingness must adjust alike, so it is written here once.

use crate::rank::order;

/// P values adjusted so that a bound on them bounds the expected share of false names among the names.
///
/// With `p_(1) ≤ … ≤ p_(m)`: `min_{j ≥ i} min(1, (m / j) p_(j))`, in the order given. NaN, a test that could not be made,
/// stays NaN and is not counted. No adjusted value is below its own. O(m log m). Benjamini & Hochberg (1995),
/// "Controlling the false discovery rate".
///
/// ```
/// use stagewise_numeric::multiplicity::benjamini_hochberg;
/// assert_eq!(benjamini_hochberg(&[0.01, 0.75, 0.5, 0.005]), [0.02, 0.75, 2.0 / 3.0, 0.02]);
/// ```
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let tests = p_values.iter().filter(|p| !p.is_nan()).count() as f64;
    let mut adjusted = p_values.to_vec();
    let mut least = 1.0_f64;
    for (before, index) in order(p_values).into_iter().enumerate().rev() {
        if !p_values[index].is_nan() {
            // The factor of the largest p value is exactly 1.
            least = least.min(p_values[index] * (tests / (before + 1) as f64));
            adjusted[index] = least;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equals_scipy() {
        // scipy 1.17: false_discovery_control([0.03, 0.001, 0.8, 0.02, 0.04, 0.5])
        let expected = [0.06, 0.006, 0.8, 0.06, 0.06, 0.6];
        let found = benjamini_hochberg(&[0.03, 0.001, 0.8, 0.02, 0.04, 0.5]);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    #[test]
    fn a_test_that_was_not_made_is_not_counted() {
        let found = benjamini_hochberg(&[0.01, f64::NAN, 0.5]);
        assert!(found[1].is_nan());
        assert_eq!([found[0], found[2]], [0.02, 0.5]);
    }

    proptest! {
        #[test]
        fn adjusted_values_keep_the_order_and_are_not_smaller(p in prop::collection::vec(0.0f64..=1.0, 1..40)) {
            let adjusted = benjamini_hochberg(&p);
            for (i, a) in adjusted.iter().enumerate() {
                prop_assert!(*a >= p[i] && *a <= 1.0);
                for (j, b) in adjusted.iter().enumerate() {
                    prop_assert!(p[i] > p[j] || a <= b);
                }
            }
        }
    }
}
