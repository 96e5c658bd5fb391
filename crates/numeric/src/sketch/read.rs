//! Reading a sketch: buckets, quantiles, distribution function.
//!
//! While the sketch is exact these are the statistics of the data themselves. Afterwards a bucket is taken
//! as spread evenly over its range, which keeps quantiles and distribution function inside the bucket that
//! holds the true answer.

use super::QuantileSketch;
use crate::key::{key_value, order_key};

impl QuantileSketch {
    /// The buckets in use, ascending: smallest and largest value each may hold, and its count.
    ///
    /// Both ends belong to the bucket; an exact sketch has them equal. O(buckets).
    ///
    /// ```
    /// use stagewise_numeric::sketch::QuantileSketch;
    /// let mut sketch = QuantileSketch::new();
    /// sketch.extend(&[2.0, 1.0, 2.0]);
    /// assert_eq!(sketch.buckets().collect::<Vec<_>>(), [(1.0, 1.0, 1), (2.0, 2.0, 2)]);
    /// ```
    pub fn buckets(&self) -> impl Iterator<Item = (f64, f64, u64)> {
        self.buckets.iter().map(|&(bucket, count)| {
            let (lower, upper) = self.range(bucket);
            (lower, upper, count)
        })
    }

    /// The `q`-quantile; `None` for an empty sketch or `q` outside `[0, 1]`.
    ///
    /// Exact sketch: the smallest `x` with `F(x) ≥ q`, numpy's `inverted_cdf`. Otherwise interpolated within the
    /// bucket that holds that value. O(buckets).
    ///
    /// ```
    /// use stagewise_numeric::sketch::QuantileSketch;
    /// let mut sketch = QuantileSketch::new();
    /// sketch.extend(&[1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(sketch.quantile(0.5), Some(2.0));
    /// ```
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = ((self.total as f64 * q).ceil() as u64).clamp(1, self.total.max(1));
        let mut before = 0u64;
        for &(bucket, count) in &self.buckets {
            if rank - before <= count {
                let share = ((rank - before) as f64 - 0.5) / count as f64;
                return Some(between(self.range(bucket), share));
            }
            before += count;
        }
        None
    }

    /// The share of values `≤ x`, exact for an exact sketch, else interpolated within the bucket of `x`.
    ///
    /// NaN for an empty sketch or `x = NaN`. O(buckets).
    ///
    /// ```
    /// use stagewise_numeric::sketch::QuantileSketch;
    /// let mut sketch = QuantileSketch::new();
    /// sketch.extend(&[1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!((sketch.cdf(0.0), sketch.cdf(2.5), sketch.cdf(9.0)), (0.0, 0.5, 1.0));
    /// ```
    #[must_use]
    pub fn cdf(&self, x: f64) -> f64 {
        if self.total == 0 || x.is_nan() {
            return f64::NAN;
        }
        let own = order_key(x) >> self.level;
        let at = self.buckets.partition_point(|b| b.0 < own);
        let below = self.buckets[..at].iter().fold(0u64, |sum, b| sum.saturating_add(b.1));
        let inside = match self.buckets.get(at) {
            Some(&(bucket, count)) if bucket == own => {
                let (lower, upper) = self.range(bucket);
                let share = (x - lower) / (upper - lower);
                // A bucket of one value, or one that reaches to infinity, has no share to speak of.
                count as f64 * if share.is_finite() && x < upper { share } else { 1.0 }
            }
            _ => 0.0,
        };
        (below as f64 + inside) / self.total as f64
    }

    /// How far [`cdf`](Self::cdf) can be from the share in the data: the largest share of one bucket, 0 while
    /// exact. NaN for an empty sketch. O(buckets).
    ///
    /// ```
    /// let mut sketch = stagewise_numeric::sketch::QuantileSketch::new();
    /// sketch.add(1.0);
    /// assert_eq!(sketch.rank_error(), 0.0);
    /// ```
    #[must_use]
    pub fn rank_error(&self) -> f64 {
        let largest = self.buckets.iter().map(|b| b.1).max().unwrap_or(0);
        let share = largest as f64 / self.total as f64;
        if self.is_exact() && self.total > 0 { 0.0 } else { share }
    }

    /// The smallest and the largest value of a bucket.
    fn range(&self, bucket: u64) -> (f64, f64) {
        let (lowest, highest) = (order_key(f64::NEG_INFINITY), order_key(f64::INFINITY));
        let first = bucket << self.level;
        let last = first | ((1u64 << self.level) - 1);
        let value = |key: u64| key_value(key.clamp(lowest, highest));
        (value(first), value(last))
    }
}

fn between((lower, upper): (f64, f64), share: f64) -> f64 {
    if lower == upper || upper.is_infinite() {
        lower
    } else if lower.is_infinite() {
        upper
    } else {
        (lower * (1.0 - share) + upper * share).clamp(lower, upper)
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

    #[test]
    fn exact_quantiles_equal_numpy() {
        // numpy 2.4: [np.quantile(v, q, method="inverted_cdf") for q in (0, .1, .25, .5, .9, 1)]
        let sketch = of(&[7.0, 1.5, -2.25, 9.0, 3.0, 3.0, 0.1], 4096);
        let expected = [-2.25, -2.25, 0.1, 3.0, 9.0, 9.0];
        for (q, value) in [0.0, 0.1, 0.25, 0.5, 0.9, 1.0].into_iter().zip(expected) {
            assert_eq!(sketch.quantile(q), Some(value), "{q}");
        }
    }

    #[test]
    fn edges() {
        let empty = QuantileSketch::new();
        assert_eq!((empty.quantile(0.5), of(&[1.0], 4).quantile(1.1)), (None, None));
        assert!(empty.cdf(0.0).is_nan() && empty.rank_error().is_nan());
        let infinite = [f64::NEG_INFINITY, -1.0, 1.0, f64::INFINITY];
        let coarse = of(&infinite, 2);
        assert_eq!(coarse.cdf(f64::INFINITY), 1.0);
        assert!(coarse.quantile(0.9).is_some_and(|x| !x.is_nan()));
        assert!(coarse.buckets().all(|(lower, upper, _)| lower <= upper));
        assert_eq!(of(&infinite, 4).quantile(1.0), Some(f64::INFINITY));
        assert!(coarse.rank_error() <= 0.5);
    }

    proptest! {
        #[test]
        fn answers_stay_in_the_true_bucket(
            mut values in prop::collection::vec(-1e4f64..1e4, 1..200),
            q in 0.0f64..=1.0,
            capacity in 2usize..64,
        ) {
            let sketch = of(&values, capacity);
            values.sort_by(f64::total_cmp);
            let rank = ((values.len() as f64 * q).ceil() as usize).max(1);
            let (truth, answer) = (values[rank - 1], sketch.quantile(q).unwrap_or(f64::NAN));
            let same = sketch.buckets().any(|(lower, upper, _)| {
                (lower..=upper).contains(&truth) && (lower..=upper).contains(&answer)
            });
            prop_assert!(same, "{} {}", truth, answer);
            let share = values.iter().filter(|&&x| x <= truth).count() as f64 / values.len() as f64;
            prop_assert!((sketch.cdf(truth) - share).abs() <= sketch.rank_error() + 1e-12);
        }

        #[test]
        fn cdf_is_monotone(values in prop::collection::vec(-1e2f64..1e2, 1..100), x in -2e2f64..2e2, d in 0.0f64..50.0) {
            let sketch = of(&values, 8);
            prop_assert!(sketch.cdf(x) <= sketch.cdf(x + d));
        }

    }
}
