//! Blocks of a fixed size on the thread pool: the one way this workspace computes in parallel.
//!
//! Floating-point addition is not associative, so a result that is folded as threads happen to finish
//! differs from run to run. Here the cut into blocks depends on the number of rows alone and the results come
//! back in block order; whoever folds them in that order gets the same bits on one thread and on sixty-four.

use rayon::prelude::*;
use std::ops::Range;

/// Runs `f` on the ranges `0..block`, `block..2·block`, … of `0..n` and returns its results in that order.
///
/// The last range may be shorter; `n = 0` gives no ranges; `block = 0` counts as 1. The ranges depend on `n`
/// and `block` alone, never on the number of threads. O(n / block) tasks; a single one runs on the caller's
/// thread. Deterministic blocking after Demmel & Nguyen (2013), "Fast reproducible floating-point summation".
///
/// ```
/// use stagewise_numeric::parallel::blocks;
/// let sums = blocks(10, 4, |rows| rows.sum::<usize>());
/// assert_eq!(sums, [6, 22, 17]);
/// ```
pub fn blocks<R: Send>(n: usize, block: usize, f: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
    let block = block.max(1);
    let range = |index: usize| {
        let start = index * block;
        start..n.min(start.saturating_add(block))
    };
    match n.div_ceil(block) {
        0 => Vec::new(),
        1 => vec![f(0..n)],
        count => (0..count).into_par_iter().map(|index| f(range(index))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(values: &[f64]) -> f64 {
        blocks(values.len(), 7, |rows| values[rows].iter().sum::<f64>()).into_iter().sum()
    }

    #[test]
    fn edges() {
        assert!(blocks(0, 4, |r| r).is_empty());
        assert_eq!(blocks(3, 0, |r| r), [0..1, 1..2, 2..3]);
        assert_eq!(blocks(3, usize::MAX, |r| r.len()), [3]);
        assert_eq!(blocks(8, 4, |r| r), [0..4, 4..8]);
    }

    #[test]
    fn same_bits_for_any_thread_count() {
        let values: Vec<f64> = (0..5000).map(|i| 1.0 / (1.0 + f64::from(i))).collect();
        let bits = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .map(|pool| pool.install(|| folded(&values)).to_bits())
                .ok()
        };
        assert!(bits(1).is_some());
        assert_eq!(bits(1), bits(2));
        assert_eq!(bits(1), bits(5));
    }

    proptest! {
        #[test]
        fn ranges_tile_the_rows(n in 0usize..500, block in 0usize..60) {
            let ranges = blocks(n, block, |r| r);
            let rows: Vec<usize> = ranges.into_iter().flatten().collect();
            prop_assert_eq!(rows, (0..n).collect::<Vec<_>>());
        }
    }
}
