//! Exact products into an exact sum.
//!
//! The square of a value has 106 bits; rounding it before it is summed is what ruins a variance. Here products
//! are formed of integer significands and go into the limbs whole, without the fused multiply-add that a
//! baseline processor lacks.

use super::exact::{DOWN, ExactSum, LOW, UP};

/// The power of two of limb 0.
const GRID: i32 = -1074;

/// A finite number as `± mantissa · 2^place`.
struct Parts {
    mantissa: u64,
    place: i32,
    negative: bool,
}

fn parts(x: f64) -> Option<Parts> {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    (exponent != 0x7ff).then(|| Parts {
        mantissa: (bits & ((1 << 52) - 1)) | (u64::from(exponent != 0) << 52),
        place: exponent.max(1) - 1 + GRID,
        negative: bits >> 63 != 0,
    })
}

impl ExactSum {
    /// Adds the exact product `a · b`; bits below 2⁻¹⁰⁷⁴ are cut off. O(1).
    ///
    /// A product may exceed the range of `f64` without harm as long as the sum comes back into it. A product
    /// with a NaN or an infinity acts as its IEEE value.
    ///
    /// ```
    /// use stagewise_numeric::sum::ExactSum;
    /// let mut sum = ExactSum::new();
    /// sum.add_product(1e200, 1e200);
    /// sum.add_product(-1e200, 1e200);
    /// sum.add_product(0.5, 3.0);
    /// assert_eq!(sum.value(), 1.5);
    /// ```
    pub fn add_product(&mut self, a: f64, b: f64) {
        match (parts(a), parts(b)) {
            (Some(x), Some(y)) => self.deposit(
                u128::from(x.mantissa) * u128::from(y.mantissa),
                x.place + y.place,
                x.negative != y.negative,
            ),
            _ => self.add_special(a * b),
        }
    }

    /// Adds the exact `w · x²`, which does not fit two factors: the square is cut into two halves.
    pub(super) fn add_weighted_square(&mut self, x: f64, w: f64) {
        let (Some(x), Some(w)) = (parts(x), parts(w)) else {
            return self.add_special(x * x * w);
        };
        let square = u128::from(x.mantissa) * u128::from(x.mantissa);
        let place = 2 * x.place + w.place;
        let factor = u128::from(w.mantissa);
        self.deposit((square & ((1 << 53) - 1)) * factor, place, w.negative);
        self.deposit((square >> 53) * factor, place + 53, w.negative);
    }

    /// Adds the exact `factor · other`. O(limbs).
    pub(super) fn add_scaled(&mut self, other: &Self, factor: f64) {
        let canonical = other.canonical();
        match parts(factor) {
            Some(f) if canonical.specials == 0 => {
                for (limb, &digit) in (canonical.offset as i32..).zip(&canonical.digits) {
                    let product = u128::from(digit) * u128::from(f.mantissa);
                    let place = 32 * limb + GRID + f.place;
                    self.deposit(product, place, canonical.negative != f.negative);
                }
            }
            _ => self.add_special(other.value() * factor),
        }
    }

    /// Adds `± magnitude · 2^place`; `magnitude` below 2¹⁰⁶.
    fn deposit(&mut self, magnitude: u128, place: i32, negative: bool) {
        let shift = place - GRID;
        let cut = magnitude.checked_shr(shift.min(0).unsigned_abs());
        let (magnitude, shift) = (cut.unwrap_or(0), shift.max(0) as usize);
        if magnitude == 0 {
            return;
        }
        let (first, offset) = (shift / 32, shift % 32);
        // Five limbs are touched. Only a triple product can be too large even for the spare limbs.
        let Some(limbs) = self.limbs.get_mut(first..first + 5) else {
            self.specials |= if negative { DOWN } else { UP };
            return;
        };
        let sign = -i64::from(negative);
        for (start, half) in [(0, magnitude as u64), (2, (magnitude >> 64) as u64)] {
            let wide = u128::from(half) << offset;
            for part in 0..3 {
                let digit = (wide >> (32 * part)) as i64 & LOW;
                limbs[start + part] += (digit ^ sign) - sign;
            }
        }
        self.spend();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn product(a: f64, b: f64) -> ExactSum {
        let mut sum = ExactSum::new();
        sum.add_product(a, b);
        sum
    }

    #[test]
    fn what_rounding_loses_is_kept() {
        // Python fractions: float(F(0.1) * F(0.1) - F(0.1 * 0.1))
        let mut rest = product(0.1, 0.1);
        rest.add(-(0.1 * 0.1));
        assert_eq!(rest.value(), -8.326672684688674e-19);
    }

    #[test]
    fn ends_of_the_range() {
        let mut sum = product(f64::MAX, f64::MAX);
        assert_eq!(sum.value(), f64::INFINITY);
        sum.add_product(f64::MAX, f64::MIN);
        assert_eq!(sum, ExactSum::new());
        // Half of the smallest number is cut, not rounded.
        assert_eq!(product(5e-324, 0.5).value(), 0.0);
        assert_eq!(product(5e-324, 1.5).value(), 5e-324);
        assert_eq!(product(f64::INFINITY, -2.0).value(), f64::NEG_INFINITY);
        assert!(product(f64::INFINITY, 0.0).value().is_nan());
        let mut cube = ExactSum::new();
        cube.add_weighted_square(f64::MAX, f64::MAX);
        assert_eq!(cube.value(), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn products_round_as_ieee_does(a in -1e150f64..1e150, b in -1e150f64..1e150) {
            prop_assume!((a * b).abs() > 1e-290 || a * b == 0.0);
            prop_assert_eq!(product(a, b).value(), a * b);
        }

        #[test]
        fn scaling_and_squares_agree_with_products(a in -1e9f64..1e9, b in -1e9f64..1e9, w in -1e9f64..1e9) {
            let mut terms = product(a, w);
            terms.add_product(b, w);
            let mut sum = ExactSum::new();
            sum.extend(&[a, b]);
            let mut scaled = ExactSum::new();
            scaled.add_scaled(&sum, w);
            prop_assert_eq!(scaled, terms);
            let mut square = ExactSum::new();
            square.add_weighted_square(a, w);
            let mut chained = ExactSum::new();
            chained.add_scaled(&product(a, a), w);
            prop_assert!((square.value() - chained.value()).abs() <= 1e-300 + square.value().abs() * 1e-15);
        }
    }
}
