//! Exact summation by a superaccumulator.
//!
//! The sum is kept as a fixed-point number that covers the whole range of `f64` and of products of two: 100
//! limbs of 32 bits, limb 0 worth 2⁻¹⁰⁷⁴, each held in an `i64` so that carries can wait for some two
//! thousand additions. Addition of integers is associative, so the value does not depend on order, chunks
//! or threads. Design: the small superaccumulator of Neal (2015), "Fast exact summation using small and large
//! superaccumulators", arXiv:1505.05571. Products are in `product.rs`,
//! reading the value out is in `canonical.rs`.

use super::canonical::Canonical;
use serde::{Deserialize, Serialize};
use std::fmt;

pub(super) const LIMBS: usize = 100;
pub(super) const LOW: i64 = 0xffff_ffff;
/// One addition changes a limb by less than 2⁵², so this many cannot overflow 63 bits.
const BUDGET: u32 = 2047;
pub(super) const UP: u8 = 1;
pub(super) const DOWN: u8 = 2;
pub(super) const NAN: u8 = 4;

/// An exact, order-free, mergeable sum of `f64`.
///
/// [`value`](Self::value) is the exact sum of all that was added, rounded once. NaN and infinities act as in
/// IEEE sums: `∞ - ∞` and NaN give NaN. The serialised form is canonical: equal sums are written alike.
/// 800 bytes; O(1) per value. Neal (2015).
///
/// ```
/// use stagewise_numeric::sum::ExactSum;
/// let mut sum = ExactSum::new();
/// sum.extend(&[1e100, 1.0, -1e100]);
/// assert_eq!(sum.value(), 1.0);
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "Canonical", try_from = "Canonical")]
pub struct ExactSum {
    pub(super) limbs: [i64; LIMBS],
    pending: u32,
    pub(super) specials: u8,
}

impl ExactSum {
    /// The empty sum, `0.0`.
    #[must_use]
    pub const fn new() -> Self {
        Self { limbs: [0; LIMBS], pending: 0, specials: 0 }
    }

    /// Adds `x`. O(1).
    #[inline]
    pub fn add(&mut self, x: f64) {
        let bits = x.to_bits();
        let exponent = (bits >> 52) & 0x7ff;
        if exponent == 0x7ff {
            return self.add_special(x);
        }
        let mantissa = (bits & ((1 << 52) - 1)) | (u64::from(exponent != 0) << 52);
        let shift = exponent.saturating_sub(1);
        let (limb, offset) = ((shift >> 5) as usize, shift & 31);
        let low = (mantissa << offset) as i64 & LOW;
        let high = (mantissa >> (32 - offset)) as i64;
        // All ones for a negative number: (v ^ sign) - sign is ±v without a branch.
        let sign = -((bits >> 63) as i64);
        self.limbs[limb] += (low ^ sign) - sign;
        self.limbs[limb + 1] += (high ^ sign) - sign;
        self.spend();
    }

    /// Adds every value of `values`. O(n).
    pub fn extend(&mut self, values: &[f64]) {
        for &x in values {
            self.add(x);
        }
    }

    /// Adds another sum; the result is the sum of both multisets. O(limbs).
    ///
    /// ```
    /// use stagewise_numeric::sum::ExactSum;
    /// let (mut a, mut b) = (ExactSum::new(), ExactSum::new());
    /// a.extend(&[0.1, 1e30]);
    /// b.extend(&[0.2, -1e30]);
    /// a.merge(&b);
    /// assert_eq!(a.value(), 0.1 + 0.2);
    /// ```
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        other.carry();
        for (limb, digit) in self.limbs.iter_mut().zip(other.limbs) {
            *limb += digit;
        }
        self.specials |= other.specials;
        self.spend();
    }

    /// The exact sum, rounded to the nearest `f64`, ties to even; an empty or zero sum gives `+0.0`. O(limbs).
    #[must_use]
    pub fn value(&self) -> f64 {
        self.canonical().round()
    }

    #[cold]
    pub(super) fn add_special(&mut self, x: f64) {
        self.specials |= match x {
            f64::INFINITY => UP,
            f64::NEG_INFINITY => DOWN,
            _ => NAN,
        };
    }

    #[inline]
    pub(super) fn spend(&mut self) {
        self.pending += 1;
        // One unit of the budget is what the limbs may hold after a carry.
        if self.pending >= BUDGET - 1 {
            self.carry();
        }
    }

    /// Brings all limbs but the last into `0..2³²`.
    pub(super) fn carry(&mut self) {
        let mut carry = 0;
        for limb in &mut self.limbs[..LIMBS - 1] {
            let value = *limb + carry;
            *limb = value & LOW;
            carry = value >> 32;
        }
        self.limbs[LIMBS - 1] += carry;
        self.pending = 0;
    }
}

impl Default for ExactSum {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl fmt::Debug for ExactSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExactSum").field(&self.value()).finish()
    }
}

/// The correctly rounded sum of `values`, whatever their order; NaN and infinities act as in IEEE sums. O(n).
///
/// Neal (2015); equals Python's `math.fsum`.
///
/// ```
/// assert_eq!(stagewise_numeric::sum::exact_sum(&[0.1; 10]), 1.0);
/// ```
#[must_use]
pub fn exact_sum(values: &[f64]) -> f64 {
    let mut sum = ExactSum::new();
    sum.extend(values);
    sum.value()
}

/// The correctly rounded sum of `f(0), …, f(n - 1)`, as [`exact_sum`] without the slice. O(n).
///
/// ```
/// assert_eq!(stagewise_numeric::sum::exact_sum_by(4, |i| i as f64), 6.0);
/// ```
pub fn exact_sum_by(n: usize, f: impl Fn(usize) -> f64) -> f64 {
    let mut sum = ExactSum::new();
    for i in 0..n {
        sum.add(f(i));
    }
    sum.value()
}
