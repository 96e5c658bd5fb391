//! A mergeable sketch of a distribution.
//!
//! Quantiles of data that is seen in chunks, compared with data seen months ago, need a summary of bounded
//! size. Most sketches (KLL, t-digest, GK) depend on the order of arrival; this one must not, because a
//! monitored distribution has to be the same whoever merged it. Buckets are ranges of the order-preserving
//! key of `f64`, all of one width `2^level`; the level is the smallest at which the distinct buckets fit the
//! capacity, hence a function of the multiset alone (`level.rs`). Reading is in
//! `read.rs`, comparing in `distance.rs`.

mod distance;
mod level;
mod read;
mod stored;

pub use distance::ks_distance;

use crate::key::order_key;
use level::coarsened;
use serde::{Deserialize, Serialize};

const CAPACITY: usize = 4096;
/// Keys are sorted in pieces of this many, so that a long slice needs no long copy.
const CHUNK: usize = 1 << 16;

/// An order-free, mergeable histogram sketch of `f64` values; exact while the distinct values fit.
///
/// Bucket of `x`: `order_key(x) >> level`, with the smallest `level` at which at most `capacity` buckets are
/// in use; so `a.merge(&b)` equals the sketch of all values together, exactly. Buckets are as wide as
/// `2^level` neighbouring floats: a relative error of at most `2^(level - 52)` for values of normal size.
/// NaN is ignored (the caller counts it), `-0.0` is `0.0`, `±∞` are the extreme values. O(log capacity) per
/// value known, 16 bytes per bucket. A log-linear histogram as HDR Histogram (Tene 2012) and DDSketch (Masson
/// et al. 2019, uniform collapse of Epicoco et al. 2020), on bit patterns instead of logarithms.
///
/// ```
/// use stagewise_numeric::sketch::QuantileSketch;
/// let mut sketch = QuantileSketch::new();
/// sketch.extend(&[5.0, 1.0, 3.0, 3.0]);
/// assert_eq!(sketch.quantile(0.5), Some(3.0));
/// assert_eq!(sketch.cdf(3.0), 0.75);
/// assert!(sketch.is_exact());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "stored::Stored")]
pub struct QuantileSketch {
    capacity: usize,
    level: u32,
    total: u64,
    /// Bucket and its count, ascending by bucket, no count zero.
    buckets: Vec<(u64, u64)>,
}

impl QuantileSketch {
    /// An empty sketch of at most 4096 buckets.
    #[must_use]
    pub fn new() -> Self {
        Self::sized(CAPACITY)
    }

    /// An empty sketch of at most `capacity` buckets; less than 2 counts as 2.
    ///
    /// ```
    /// use stagewise_numeric::sketch::QuantileSketch;
    /// let mut sketch = QuantileSketch::sized(2);
    /// sketch.extend(&[1.0, 2.0, 3.0]);
    /// assert!(!sketch.is_exact() && sketch.buckets().count() <= 2);
    /// ```
    #[must_use]
    pub fn sized(capacity: usize) -> Self {
        Self {
            // Two buckets, negative and not, always fit at level 63.
            capacity: capacity.max(2),
            level: 0,
            total: 0,
            buckets: Vec::new(),
        }
    }

    /// Adds one value; NaN is ignored. O(log capacity), O(capacity) for a new bucket.
    pub fn add(&mut self, x: f64) {
        self.add_count(x, 1);
    }

    /// Adds a value `count` times; NaN is ignored. O(log capacity), O(capacity) for a new bucket.
    ///
    /// ```
    /// use stagewise_numeric::sketch::QuantileSketch;
    /// let mut sketch = QuantileSketch::new();
    /// sketch.add_count(2.0, 10);
    /// assert_eq!(sketch.count(), 10);
    /// ```
    pub fn add_count(&mut self, x: f64, count: u64) {
        if x.is_nan() || count == 0 {
            return;
        }
        self.total = self.total.saturating_add(count);
        let bucket = order_key(x) >> self.level;
        match self.buckets.binary_search_by_key(&bucket, |b| b.0) {
            Ok(at) => self.buckets[at].1 = self.buckets[at].1.saturating_add(count),
            Err(at) => {
                self.buckets.insert(at, (bucket, count));
                self.fit();
            }
        }
    }

    /// Adds every value of `values`, as [`add`](Self::add) does, many at a time; O(n log n) for sorting keys.
    pub fn extend(&mut self, values: &[f64]) {
        let mut keys = Vec::with_capacity(values.len().min(CHUNK));
        for chunk in values.chunks(CHUNK) {
            keys.clear();
            let present = chunk.iter().filter(|x| !x.is_nan());
            keys.extend(present.map(|&x| order_key(x) >> self.level));
            keys.sort_unstable();
            let runs = keys.chunk_by(|a, b| a == b);
            let added: Vec<(u64, u64)> = runs.map(|run| (run[0], run.len() as u64)).collect();
            self.total = self.total.saturating_add(keys.len() as u64);
            self.absorb(added);
        }
    }

    /// Adds another sketch; the result is the sketch of all values of both, and its capacity the smaller.
    ///
    /// Commutative and associative. O(buckets).
    ///
    /// ```
    /// use stagewise_numeric::sketch::QuantileSketch;
    /// let (mut a, mut b, mut both) = (QuantileSketch::new(), QuantileSketch::new(), QuantileSketch::new());
    /// a.extend(&[1.0, 2.0]);
    /// b.extend(&[0.5, 2.0]);
    /// both.extend(&[1.0, 2.0, 0.5, 2.0]);
    /// a.merge(&b);
    /// assert_eq!(a, both);
    /// ```
    pub fn merge(&mut self, other: &Self) {
        self.capacity = self.capacity.min(other.capacity);
        self.total = self.total.saturating_add(other.total);
        let level = self.level.max(other.level);
        self.coarsen(level);
        self.absorb(coarsened(&other.buckets, level - other.level));
    }

    /// The number of values, NaN not among them.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.total
    }

    /// Whether every distinct value has a bucket of its own.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.level == 0
    }
}

impl Default for QuantileSketch {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64], capacity: usize) -> QuantileSketch {
        let mut sketch = QuantileSketch::sized(capacity);
        sketch.extend(values);
        sketch
    }

    fn one_by_one(values: &[f64], capacity: usize) -> QuantileSketch {
        let mut sketch = QuantileSketch::sized(capacity);
        values.iter().for_each(|&x| sketch.add(x));
        sketch
    }

    #[test]
    fn a_long_slice_is_the_sum_of_its_chunks() {
        let values: Vec<f64> = (0..150_000u64).map(|i| (i * 7919 % 100_003) as f64).collect();
        let sketch = of(&values, 512);
        let mut parts = of(&values[70_000..], 512);
        parts.merge(&one_by_one(&values[..70_000], 512));
        assert_eq!(sketch, parts);
        assert_eq!(sketch.count(), 150_000);
    }

    proptest! {
        #[test]
        fn a_function_of_the_multiset(
            values in prop::collection::vec(prop_oneof![prop::num::f64::ANY, -1e3f64..1e3], 0..120),
            cut in 0usize..120,
            capacity in 2usize..50,
        ) {
            let whole = of(&values, capacity);
            let mut reversed = values.clone();
            reversed.reverse();
            prop_assert_eq!(&one_by_one(&reversed, capacity), &whole);
            let cut = cut.min(values.len());
            let (left, right) = (of(&values[..cut], capacity), of(&values[cut..], capacity));
            let (mut merged, mut swapped) = (left.clone(), right.clone());
            merged.merge(&right);
            swapped.merge(&left);
            prop_assert_eq!(&merged, &whole);
            prop_assert_eq!(&swapped, &whole);
            prop_assert!(whole.buckets.len() <= capacity);
            let text = serde_json::to_string(&whole).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(serde_json::from_str::<QuantileSketch>(&text).ok(), Some(whole));
        }
    }
}
