//! The canonical form of an exact sum: sign, digits, special values.
//!
//! The accumulator holds one number in many ways, depending on which carries still wait. Equality, the
//! serialised form and rounding need the one way: sign and magnitude, leading and trailing zero digits cut.

use super::exact::{DOWN, ExactSum, LIMBS, LOW, NAN, UP};
use serde::{Deserialize, Serialize};

/// `± Σ digits[i] · 2^(32 (offset + i) - 1074)`, and which special values were added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Canonical {
    pub(super) negative: bool,
    pub(super) offset: usize,
    pub(super) digits: Vec<u32>,
    pub(super) specials: u8,
}

impl ExactSum {
    pub(super) fn canonical(&self) -> Canonical {
        let mut sum = self.clone();
        sum.carry();
        // After a carry only the last limb has a sign, and it is the sign of the sum.
        let negative = sum.limbs[LIMBS - 1] < 0;
        if negative {
            for limb in &mut sum.limbs {
                *limb = -*limb;
            }
            sum.carry();
        }
        let used = |limb: &i64| *limb != 0;
        let offset = sum.limbs.iter().position(used).unwrap_or(0);
        let end = sum.limbs.iter().rposition(used).map_or(0, |last| last + 1);
        Canonical {
            negative,
            offset,
            digits: sum.limbs[offset..end].iter().map(|&d| d as u32).collect(),
            specials: sum.specials,
        }
    }
}

impl From<ExactSum> for Canonical {
    fn from(sum: ExactSum) -> Self {
        sum.canonical()
    }
}

impl TryFrom<Canonical> for ExactSum {
    type Error = String;

    fn try_from(canonical: Canonical) -> Result<Self, String> {
        let end = canonical.offset.saturating_add(canonical.digits.len());
        // The last limb carries the sign and stays free.
        if end >= LIMBS || canonical.specials > (UP | DOWN | NAN) {
            return Err(format!("an exact sum has no digit {end}"));
        }
        let mut sum = Self::new();
        sum.specials = canonical.specials;
        for (limb, &digit) in sum.limbs[canonical.offset..].iter_mut().zip(&canonical.digits) {
            let digit = i64::from(digit) & LOW;
            *limb = if canonical.negative { -digit } else { digit };
        }
        sum.carry();
        Ok(sum)
    }
}

impl Canonical {
    /// The nearest `f64`, ties to even.
    pub(super) fn round(&self) -> f64 {
        match self.specials {
            0 => {}
            UP => return f64::INFINITY,
            DOWN => return f64::NEG_INFINITY,
            _ => return f64::NAN,
        }
        let Some(top) = self.digits.last() else {
            return 0.0;
        };
        // The magnitude is an integer N of `length` bits, in units of 2^-1074; 53 bits are kept.
        let length = 32 * (self.offset + self.digits.len()) - top.leading_zeros() as usize;
        let shift = length.saturating_sub(53);
        let mut kept = self.bits(shift);
        if shift > 0 {
            let half = self.bits(shift - 1) & 1 == 1;
            let odd = kept & 1 == 1;
            kept += u64::from(half && (odd || self.any_below(shift - 1)));
        }
        let magnitude = if shift > 2045 {
            f64::INFINITY
        } else {
            // With its leading bit left in, the significand itself adds one to the exponent; so does the
            // carry of a rounding, and a subnormal has neither.
            f64::from_bits(((shift as u64) << 52) + kept)
        };
        if self.negative { -magnitude } else { magnitude }
    }

    fn digit(&self, limb: usize) -> u32 {
        let index = limb.checked_sub(self.offset);
        index.and_then(|i| self.digits.get(i)).copied().unwrap_or(0)
    }

    /// The low 64 bits of `N >> shift`.
    fn bits(&self, shift: usize) -> u64 {
        let limb = shift / 32;
        let wide = (0..3).fold(0u128, |wide, i| wide | u128::from(self.digit(limb + i)) << (32 * i));
        (wide >> (shift % 32)) as u64
    }

    fn any_below(&self, shift: usize) -> bool {
        let limb = shift / 32;
        let partial = u64::from(self.digit(limb)) & ((1 << (shift % 32)) - 1);
        partial != 0 || (self.offset..limb).any(|i| self.digit(i) != 0)
    }
}

#[cfg(test)]
mod tests {
    use crate::sum::{ExactSum, exact_sum};
    use proptest::prelude::*;

    fn summed(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::new();
        sum.extend(values);
        sum
    }

    #[test]
    fn rounding_is_that_of_fsum() {
        // Python 3: math.fsum(v) for each v.
        let ulp = f64::EPSILON;
        let cases: [(&[f64], f64); 9] = [
            (&[1.0, ulp / 2.0], 1.0),
            (&[1.0 + ulp, ulp / 2.0], 1.0 + 2.0 * ulp),
            (&[1.0, ulp / 2.0, 5e-324], 1.0 + ulp),
            (&[1e16, 1.0, 1e-16], 1e16 + 2.0),
            (&[1e308, 1e308, -1e308], 1e308),
            (&[5e-324, 5e-324], 1e-323),
            (&[2.2250738585072014e-308, -5e-324], 2.225073858507201e-308),
            (&[-1e100, 1.0, 1e100, -1.5], -0.5),
            (&[9007199254740992.0, -0.5, -5e-324], 9007199254740991.0),
        ];
        for (values, expected) in cases {
            assert_eq!(exact_sum(values), expected, "{values:?}");
            let negated: Vec<f64> = values.iter().map(|x| -x).collect();
            assert_eq!(exact_sum(&negated), -expected, "{negated:?}");
        }
        assert_eq!(exact_sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(exact_sum(&[f64::MAX, 9.9e291]), f64::MAX);
        assert_eq!(exact_sum(&[f64::MIN, -1e292]), f64::NEG_INFINITY);
        assert_eq!(exact_sum(&[-0.0]).to_bits(), 0);
    }

    #[test]
    fn specials_act_as_in_ieee_sums() {
        assert_eq!(exact_sum(&[1.0, f64::INFINITY]), f64::INFINITY);
        assert_eq!(exact_sum(&[f64::NEG_INFINITY, 1.0]), f64::NEG_INFINITY);
        assert!(exact_sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(exact_sum(&[f64::NAN, f64::INFINITY]).is_nan());
    }

    #[test]
    fn many_values_of_one_size_do_not_overflow() {
        for x in [f64::MAX / 2f64.powi(20), -1.0 - f64::EPSILON, 1.999_999_999_999_999_8] {
            let n = 100_000;
            let sum = summed(&vec![x; n]);
            let mut product = ExactSum::new();
            product.add_product(x, n as f64);
            assert_eq!(sum, product);
        }
    }

    #[test]
    fn a_foreign_form_is_refused_or_read() {
        let long = r#"{"negative":false,"offset":99,"digits":[1],"specials":0}"#;
        assert!(serde_json::from_str::<ExactSum>(long).is_err());
        let padded = r#"{"negative":true,"offset":33,"digits":[0,0],"specials":0}"#;
        assert_eq!(serde_json::from_str::<ExactSum>(padded).ok(), Some(ExactSum::new()));
    }

    proptest! {
        #[test]
        fn order_and_merge_do_not_matter(
            values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 0..60),
            cut in 0usize..60,
        ) {
            let whole = summed(&values);
            let mut reversed = values.clone();
            reversed.reverse();
            prop_assert_eq!(&summed(&reversed), &whole);
            let cut = cut.min(values.len());
            let mut merged = summed(&values[cut..]);
            merged.merge(&summed(&values[..cut]));
            prop_assert_eq!(merged.value().to_bits(), whole.value().to_bits());
            prop_assert_eq!(merged, whole);
        }

        #[test]
        fn one_value_and_its_opposite(x in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL) {
            prop_assert_eq!(exact_sum(&[x]), x);
            prop_assert_eq!(summed(&[x, 1.0, -x]), summed(&[1.0]));
        }

        #[test]
        fn integers_are_summed_as_integers(values in prop::collection::vec(-(1i64 << 53)..(1 << 53), 0..50)) {
            let total: i128 = values.iter().map(|&x| i128::from(x)).sum();
            let floats: Vec<f64> = values.iter().map(|&x| x as f64).collect();
            prop_assert_eq!(exact_sum(&floats), total as f64);
        }

        #[test]
        fn serialised_form_is_canonical(values in prop::collection::vec(-1e30f64..1e30, 0..20)) {
            let sum = summed(&values);
            let mut detour = summed(&[1e200]);
            detour.merge(&sum);
            detour.add(-1e200);
            let text = serde_json::to_string(&sum).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(serde_json::to_string(&detour).ok(), Some(text.clone()));
            prop_assert_eq!(serde_json::from_str::<ExactSum>(&text).ok(), Some(sum));
        }
    }
}
