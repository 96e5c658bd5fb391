//! The distance of two sketched distributions.
//!
//! Drift monitors compare a reference with what arrives now. Only borders of buckets that both sketches have
//! are looked at: there both distribution functions are exact, so the distance can miss a maximum inside a
//! bucket but never invents one.

use super::{QuantileSketch, coarsened};

/// The Kolmogorov–Smirnov distance of two sketches, `sup |F_a - F_b|` over the borders of common buckets.
///
/// Exact when both sketches are; otherwise never above the distance of the data. NaN if either sketch is
/// empty. O(buckets). Kolmogorov (1933), Smirnov (1939).
///
/// ```
/// use stagewise_numeric::sketch::{QuantileSketch, ks_distance};
/// let (mut a, mut b) = (QuantileSketch::new(), QuantileSketch::new());
/// a.extend(&[1.0, 2.0, 3.0, 4.0]);
/// b.extend(&[3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(ks_distance(&a, &b), 0.5);
/// ```
#[must_use]
pub fn ks_distance(a: &QuantileSketch, b: &QuantileSketch) -> f64 {
    if a.total == 0 || b.total == 0 {
        return f64::NAN;
    }
    let level = a.level.max(b.level);
    let (left, right) = (coarsened(&a.buckets, level - a.level), coarsened(&b.buckets, level - b.level));
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let (mut below_a, mut below_b, mut distance) = (0u64, 0u64, 0.0f64);
    while let Some(border) = [left.peek(), right.peek()].into_iter().flatten().map(|b| b.0).min() {
        below_a = below_a.saturating_add(left.next_if(|b| b.0 == border).map_or(0, |b| b.1));
        below_b = below_b.saturating_add(right.next_if(|b| b.0 == border).map_or(0, |b| b.1));
        let (fa, fb) = (below_a as f64 / a.total as f64, below_b as f64 / b.total as f64);
        distance = distance.max((fa - fb).abs());
    }
    distance
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

    fn exact_distance(a: &[f64], b: &[f64]) -> f64 {
        let share = |v: &[f64], x: f64| v.iter().filter(|&&y| y <= x).count() as f64 / v.len() as f64;
        let gap = |&x: &f64| (share(a, x) - share(b, x)).abs();
        a.iter().chain(b).map(gap).fold(0.0, f64::max)
    }

    #[test]
    fn distance_equals_scipy() {
        // scipy 1.17: ks_2samp([0.61, 0.29, 0.06, 0.59, -1.73, -0.74, 0.51, -0.56, 0.39, 1.64],
        //                      [-0.5, 0.2, 1.1, 2.4, 0.29, -1.9]).statistic
        let a = [0.61, 0.29, 0.06, 0.59, -1.73, -0.74, 0.51, -0.56, 0.39, 1.64];
        let b = [-0.5, 0.2, 1.1, 2.4, 0.29, -1.9];
        assert!((ks_distance(&of(&a, 4096), &of(&b, 4096)) - 0.23333333333333334).abs() < 1e-15);
    }

    #[test]
    fn an_empty_sketch_has_no_distance() {
        assert!(ks_distance(&QuantileSketch::new(), &of(&[1.0], 4)).is_nan());
        assert_eq!(ks_distance(&of(&[1.0], 4), &of(&[2.0], 4)), 1.0);
    }

    proptest! {
        #[test]
        fn distance_is_never_invented(
            a in prop::collection::vec(-50i16..50, 1..80),
            b in prop::collection::vec(-50i16..50, 1..80),
            capacity in 2usize..40,
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) = (
                a.into_iter().map(f64::from).collect(),
                b.into_iter().map(f64::from).collect(),
            );
            let truth = exact_distance(&a, &b);
            prop_assert_eq!(ks_distance(&of(&a, 4096), &of(&b, 4096)), truth);
            prop_assert!(ks_distance(&of(&a, capacity), &of(&b, 4096)) <= truth + 1e-12);
        }
    }
}
