//! Count, mean, variance and range of a column as one mergeable value.
//!
//! Scalers, profiles and drift monitors take the moments of chunks and merge them. Sums of values and of
//! squares are exact, so merging is order-free; and the variance is formed from the exact sums before
//! anything is rounded, so the cancellation that makes `E[x²] - E[x]²` infamous cannot happen; that
//! part is in `central.rs`.

use super::ExactSum;
use serde::{Deserialize, Serialize};

/// Weighted count, mean, variance and range of a stream of values, order-free and mergeable.
///
/// NaN is counted by [`missing`](Self::missing); `±∞` is counted by [`count`](Self::count) and
/// [`infinite`](Self::infinite) and left out of weight, mean, variance and range. A weight of zero leaves the
/// row out altogether; a negative or non-finite weight counts the row as missing. O(1) per value, 2.5 kB.
///
/// ```
/// use stagewise_numeric::sum::Moments;
/// let mut moments = Moments::new();
/// moments.extend(&[2.0, 4.0, f64::NAN, 9.0]);
/// assert_eq!((moments.count(), moments.missing()), (3, 1));
/// assert_eq!(moments.mean(), Some(5.0));
/// assert_eq!(moments.variance(1.0), Some(13.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    count: u64,
    missing: u64,
    infinite: u64,
    pub(super) weight: ExactSum,
    pub(super) sum: ExactSum,
    pub(super) square: ExactSum,
    min: Option<f64>,
    max: Option<f64>,
}

impl Moments {
    /// The moments of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the value `x` with weight 1. O(1).
    pub fn add(&mut self, x: f64) {
        if self.admit(x) {
            self.weight.add(1.0);
            self.sum.add(x);
            self.square.add_product(x, x);
        }
    }

    /// Adds the value `x` with weight `w`. O(1).
    ///
    /// ```
    /// use stagewise_numeric::sum::Moments;
    /// let mut moments = Moments::new();
    /// moments.add_weighted(1.0, 3.0);
    /// moments.add_weighted(5.0, 1.0);
    /// assert_eq!((moments.weight(), moments.mean()), (4.0, Some(2.0)));
    /// ```
    pub fn add_weighted(&mut self, x: f64, w: f64) {
        if w == 0.0 {
            return;
        }
        if !(w > 0.0 && w.is_finite()) {
            self.missing = self.missing.saturating_add(1);
        } else if self.admit(x) {
            self.weight.add(w);
            self.sum.add_product(w, x);
            self.square.add_weighted_square(x, w);
        }
    }

    /// Adds every value of `values` with weight 1. O(n).
    pub fn extend(&mut self, values: &[f64]) {
        for &x in values {
            self.add(x);
        }
    }

    /// Adds the moments of other rows; the result is that of all rows together, to the bit. O(limbs).
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.missing = self.missing.saturating_add(other.missing);
        self.infinite = self.infinite.saturating_add(other.infinite);
        self.weight.merge(&other.weight);
        self.sum.merge(&other.sum);
        self.square.merge(&other.square);
        if let (Some(min), Some(max)) = (other.min, other.max) {
            self.widen(min);
            self.widen(max);
        }
    }

    /// The number of values that are not NaN, infinite ones included.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The number of missing values: NaN, or with an unusable weight.
    #[must_use]
    pub const fn missing(&self) -> u64 {
        self.missing
    }

    /// The number of values `±∞`.
    #[must_use]
    pub const fn infinite(&self) -> u64 {
        self.infinite
    }

    /// The total weight `W = Σ w_i` of the finite values.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight.value()
    }

    /// The sum `Σ w_i x_i` of the finite values, rounded once.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum.value()
    }

    /// The smallest finite value.
    #[must_use]
    pub const fn min(&self) -> Option<f64> {
        self.min
    }

    /// The largest finite value.
    #[must_use]
    pub const fn max(&self) -> Option<f64> {
        self.max
    }

    /// Counts `x` and says whether it belongs to the moments.
    fn admit(&mut self, x: f64) -> bool {
        if x.is_nan() {
            self.missing = self.missing.saturating_add(1);
            return false;
        }
        self.count = self.count.saturating_add(1);
        if x.is_infinite() {
            self.infinite = self.infinite.saturating_add(1);
            return false;
        }
        self.widen(x);
        true
    }

    fn widen(&mut self, x: f64) {
        // -0.0 becomes 0.0, or which zero is the minimum would depend on the order.
        let x = x + 0.0;
        self.min = Some(self.min.map_or(x, |min| min.min(x)));
        self.max = Some(self.max.map_or(x, |max| max.max(x)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::new();
        moments.extend(values);
        moments
    }

    #[test]
    fn what_is_counted() {
        let mut moments = of(&[f64::NAN, f64::INFINITY, 1.0, f64::NEG_INFINITY, -3.0]);
        moments.add_weighted(50.0, 0.0);
        moments.add_weighted(50.0, f64::NAN);
        moments.add_weighted(50.0, -1.0);
        assert_eq!((moments.count(), moments.missing(), moments.infinite()), (4, 3, 2));
        assert_eq!((moments.min(), moments.max()), (Some(-3.0), Some(1.0)));
        assert_eq!((moments.weight(), moments.sum(), moments.mean()), (2.0, -2.0, Some(-1.0)));
        assert_eq!((moments.variance(0.0), moments.variance(2.0)), (Some(4.0), None));
        let empty = Moments::new();
        assert_eq!((empty.mean(), empty.variance(0.0), empty.min()), (None, None, None));
    }

    proptest! {
        #[test]
        fn merge_is_concatenation(
            values in prop::collection::vec(prop::num::f64::ANY, 0..40),
            cut in 0usize..40,
        ) {
            let cut = cut.min(values.len());
            let mut merged = of(&values[cut..]);
            merged.merge(&of(&values[..cut]));
            prop_assert_eq!(&merged, &of(&values));
            let text = serde_json::to_string(&merged).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(serde_json::from_str::<Moments>(&text).ok(), Some(merged));
        }

    }
}
