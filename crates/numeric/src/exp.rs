//! The exponential without branches or tables, so that loops over it run in vector registers.
//!
//! The library function is a call per value and differs in its last bits between platforms; this one is additions and
//! multiplications, the same everywhere.

/// `e^x` within 2 units in the last place for `−708 ≤ x ≤ 709`; beyond, the value at that end. NaN gives NaN.
///
/// `x = k ln 2 + r` with `|r| ≤ ln 2 / 2`; `e^r` by its Taylor polynomial of degree 13, whose remainder is below 2⁻⁵⁶;
/// `2^k` by the exponent bits. O(1), about 3 ns in a loop. After Cody & Waite (1980), "Software Manual for the Elementary
/// Functions", ch. 6. Checked against the platform's exponential.
///
/// ```
/// use stagewise_numeric::exp::exp;
/// assert_eq!(exp(0.0), 1.0);
/// assert!((exp(1.0) - std::f64::consts::E).abs() < 1e-15);
/// ```
#[inline]
pub fn exp(x: f64) -> f64 {
    // 1.5 · 2⁵²: adding it rounds to a whole number, which then stands in the low bits.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts; the first has room for the product with any k.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = if x > 709.0 { 709.0 } else { x };
    let x = if x < -708.0 { -708.0 } else { x };
    let shifted = x * std::f64::consts::LOG2_E + SHIFT;
    let k = shifted - SHIFT;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    let mut sum = 1.0 / 6_227_020_800.0;
    for factorial in
        [479_001_600.0, 39_916_800.0, 3_628_800.0, 362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0]
    {
        sum = sum * r + 1.0 / factorial;
    }
    let tail = sum * r * r + r;
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    power + power * tail
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends() {
        assert!(exp(f64::NAN).is_nan());
        assert_eq!((exp(f64::INFINITY), exp(f64::NEG_INFINITY)), (exp(709.0), exp(-708.0)));
        assert!(exp(709.0).is_finite() && exp(-708.0) > 0.0);
    }

    proptest! {
        #[test]
        fn within_two_units_of_the_platform(x in -700f64..700.0) {
            let (ours, theirs) = (exp(x), x.exp());
            prop_assert!((ours - theirs).abs() <= 2.0 * f64::EPSILON * theirs, "{x}: {ours} {theirs}");
        }

        #[test]
        fn small_arguments(x in -1e-3f64..1e-3) {
            prop_assert!((exp(x) - x.exp()).abs() <= f64::EPSILON);
        }
    }
}
