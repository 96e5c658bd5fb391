//! Ranks and argsort.
//!
//! Rank statistics (AUC, Spearman, Mann–Whitney) and every "best first" list need the same order, so it is
//! fixed here once: ascending by value, `-0.0` equal to `0.0`, NaN last in either direction, ties in the
//! order of the input. Pairs of key and index are distinct, which makes the unstable (and for many rows
//! parallel) sort give the one stable answer.

use crate::key::order_key;
use rayon::prelude::*;

/// From here on the parallel sort pays for its start.
const PARALLEL: usize = 1 << 16;

/// The indices that sort `values` ascending, ties in input order; NaN last. O(n log n).
///
/// ```
/// use stagewise_numeric::rank::order;
/// assert_eq!(order(&[2.0, f64::NAN, 1.0, 2.0]), [2, 0, 3, 1]);
/// ```
#[must_use]
pub fn order(values: &[f64]) -> Vec<usize> {
    sorted(values, order_key)
}

/// The indices that sort `values` descending, ties in input order; NaN last. O(n log n).
///
/// ```
/// use stagewise_numeric::rank::order_descending;
/// assert_eq!(order_descending(&[2.0, f64::NAN, 3.0, 2.0]), [2, 0, 3, 1]);
/// ```
#[must_use]
pub fn order_descending(values: &[f64]) -> Vec<usize> {
    sorted(values, |x| if x.is_nan() { u64::MAX } else { !order_key(x) })
}

/// The ranks of `values` from 1, tied values sharing the average of their ranks.
///
/// `rank_i = #{x_j < x_i} + (#{x_j = x_i} + 1) / 2`, as `scipy.stats.rankdata`. NaN counts as one tied value
/// above all others. O(n log n). Kendall (1945), "The treatment of ties in ranking problems".
///
/// ```
/// use stagewise_numeric::rank::average_ranks;
/// assert_eq!(average_ranks(&[0.0, 2.0, 3.0, 2.0]), [1.0, 2.5, 4.0, 2.5]);
/// ```
#[must_use]
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let order = order(values);
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| order_key(values[a]) == order_key(values[b])) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        for &index in tied {
            ranks[index] = rank;
        }
        before += tied.len();
    }
    ranks
}

fn sorted(values: &[f64], key: impl Fn(f64) -> u64) -> Vec<usize> {
    let mut pairs: Vec<(u64, usize)> = values.iter().map(|&x| key(x)).zip(0..).collect();
    if pairs.len() < PARALLEL {
        pairs.sort_unstable();
    } else {
        pairs.par_sort_unstable();
    }
    pairs.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_equal_scipy() {
        // scipy 1.x: rankdata([3, 1, 4, 1, 5, -9.5, 2, 6, 5, 3, 5])
        let values = [3.0, 1.0, 4.0, 1.0, 5.0, -9.5, 2.0, 6.0, 5.0, 3.0, 5.0];
        let expected = [5.5, 2.5, 7.0, 2.5, 9.0, 1.0, 4.0, 11.0, 9.0, 5.5, 9.0];
        assert_eq!(average_ranks(&values), expected);
    }

    #[test]
    fn nan_and_zeros() {
        let values = [f64::NAN, 0.0, -f64::NAN, -0.0, f64::INFINITY];
        assert_eq!(average_ranks(&values), [4.5, 1.5, 4.5, 1.5, 3.0]);
        assert_eq!(order(&values), [1, 3, 4, 0, 2]);
        assert_eq!(order_descending(&values), [4, 1, 3, 0, 2]);
        assert!(average_ranks(&[]).is_empty());
    }

    #[test]
    fn parallel_sort_is_the_stable_sort() {
        let values: Vec<f64> = (0..PARALLEL + 5).map(|i| ((i * 7919) % 1009) as f64).collect();
        let mut expected: Vec<usize> = (0..values.len()).collect();
        expected.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        assert_eq!(order(&values), expected);
    }

    proptest! {
        #[test]
        fn ranks_sum_to_the_triangle(values in prop::collection::vec(-5i8..5, 0..80)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let n = values.len() as f64;
            prop_assert_eq!(average_ranks(&values).iter().sum::<f64>(), n * (n + 1.0) / 2.0);
        }

        #[test]
        fn ranks_follow_the_formula(values in prop::collection::vec(-5i8..5, 0..40)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            for (&x, rank) in values.iter().zip(average_ranks(&values)) {
                let below = values.iter().filter(|&&y| y < x).count() as f64;
                let equal = values.iter().filter(|&&y| y == x).count() as f64;
                prop_assert_eq!(rank, below + (equal + 1.0) / 2.0);
            }
        }
    }
}
