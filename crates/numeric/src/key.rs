//! Order-preserving integer keys of `f64`.
//!
//! Sorting, ranking and sketching all need one total order of floats, and they must agree on it: `-0.0` and
//! `0.0` are one value, and every NaN, whatever its sign and payload, comes last. Mapping to `u64` once makes
//! comparisons branch-free and lets a sketch widen its buckets by dropping low bits.

const SIGN: u64 = 1 << 63;

/// The key of `x`: `a < b` exactly when `order_key(a) < order_key(b)` for all non-NaN values.
///
/// `-0.0` has the key of `0.0`; every NaN has the key `u64::MAX`, above the key of `+∞`. O(1).
/// The bit trick is Herf (2001), "Radix tricks".
///
/// ```
/// use stagewise_numeric::key::order_key;
/// assert_eq!(order_key(0.0), 0x8000_0000_0000_0000);
/// assert!(order_key(-1.5) < order_key(-0.0) && order_key(f64::INFINITY) < order_key(-f64::NAN));
/// ```
#[inline]
#[must_use]
pub fn order_key(x: f64) -> u64 {
    if x.is_nan() {
        return u64::MAX;
    }
    // Adding zero turns -0.0 into 0.0 and leaves every other value as it is.
    let bits = (x + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The value of a key, the inverse of [`order_key`]; keys between those of the values give `0.0` or NaN.
///
/// The one key between the negative values and `0.0` (that of `-0.0`) gives `0.0`; keys below that of `-∞`
/// or above that of `+∞` give NaN. O(1).
///
/// ```
/// use stagewise_numeric::key::{key_value, order_key};
/// assert_eq!(key_value(order_key(-2.5)), -2.5);
/// ```
#[inline]
#[must_use]
pub fn key_value(key: u64) -> f64 {
    let bits = if key & SIGN != 0 { key & !SIGN } else { !key };
    f64::from_bits(bits) + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn landmarks_are_in_order() {
        let values = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.0,
            -f64::MIN_POSITIVE,
            -5e-324,
            0.0,
            5e-324,
            f64::MIN_POSITIVE,
            1.0,
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
        ];
        for pair in values.windows(2) {
            assert!(order_key(pair[0]) < order_key(pair[1]), "{pair:?}");
        }
        assert_eq!(order_key(-0.0), order_key(0.0));
        assert_eq!(order_key(-f64::NAN), order_key(f64::NAN));
        assert!(key_value(u64::MAX).is_nan() && key_value(0).is_nan());
        assert_eq!(key_value(order_key(0.0) - 1).to_bits(), 0);
    }

    proptest! {
        #[test]
        fn keys_order_as_values_do(a: f64, b: f64) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(a < b, order_key(a) < order_key(b));
            prop_assert_eq!(key_value(order_key(a)), a);
        }
    }
}
