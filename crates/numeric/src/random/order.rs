//! Random orders and subsets.
//!
//! Splits, folds and bootstraps are drawn here. How the numbers of a stream become an order is fixed as firmly
//! as the stream itself: another algorithm would be as random, and every published split would change.

use super::Stream;
use std::collections::BTreeSet;

impl Stream {
    /// Puts `items` in a uniformly random order (Fisher & Yates 1938, Durstenfeld 1964). O(n).
    ///
    /// ```
    /// let mut items = [1, 2, 3, 4];
    /// stagewise_numeric::random::Stream::new(1, "doc").shuffle(&mut items);
    /// assert_eq!(items.iter().sum::<i32>(), 10);
    /// ```
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i + 1);
            items.swap(i, j);
        }
    }

    /// A uniformly random order of `0..n`. O(n).
    ///
    /// ```
    /// assert_eq!(stagewise_numeric::random::Stream::new(1, "doc").permutation(1), [0]);
    /// ```
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// `k` distinct indices of `0..n`, every subset equally likely, ascending; `k ≥ n` gives all of them.
    ///
    /// Floyd's algorithm (Bentley & Floyd 1987): k draws, O(k log k) or O(n), whichever pays.
    ///
    /// ```
    /// let mut stream = stagewise_numeric::random::Stream::new(1, "doc");
    /// assert_eq!(stream.choose(100, 3).len(), 3);
    /// assert_eq!(stream.choose(2, 5), [0, 1]);
    /// ```
    pub fn choose(&mut self, n: usize, k: usize) -> Vec<usize> {
        if k >= n {
            return (0..n).collect();
        }
        // The two branches draw and choose the same; only where the marks are kept differs.
        if n / 32 <= k {
            let mut chosen = vec![false; n];
            for last in n - k..n {
                let candidate = self.below(last + 1);
                let index = if chosen[candidate] { last } else { candidate };
                chosen[index] = true;
            }
            return (0..n).filter(|&i| chosen[i]).collect();
        }
        let mut chosen = BTreeSet::new();
        for last in n - k..n {
            if !chosen.insert(self.below(last + 1)) {
                chosen.insert(last);
            }
        }
        chosen.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn orders_are_pinned() {
        let stream = || Stream::new(42, "golden");
        // Python again, over the same words; a change here changes every split and bootstrap.
        assert_eq!(stream().permutation(8), [7, 6, 2, 5, 1, 0, 3, 4]);
        assert_eq!(stream().choose(1000, 5), [68, 241, 428, 531, 999]);
    }

    #[test]
    fn both_ways_of_choosing_are_uniform() {
        for (n, k) in [(4, 2), (400, 2)] {
            let mut stream = Stream::new(3, "choose");
            let mut hits = vec![0u32; 4];
            for _ in 0..20_000 {
                stream.choose(n, k).iter().for_each(|&i| hits[i * 4 / n] += 1);
            }
            assert!(hits.iter().all(|&h| h.abs_diff(10_000) < 500), "{hits:?}");
        }
    }

    #[test]
    fn edges() {
        let mut stream = Stream::new(1, "edges");
        assert!(stream.permutation(0).is_empty() && stream.choose(5, 0).is_empty());
        assert_eq!(stream.choose(3, 3), [0, 1, 2]);
    }

    proptest! {
        #[test]
        fn permutations_and_subsets(seed: u64, n in 1usize..300, k in 0usize..300) {
            let mut stream = Stream::new(seed, "p");
            let mut order = stream.permutation(n);
            order.sort_unstable();
            prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
            let chosen = stream.choose(n, k);
            prop_assert_eq!(chosen.len(), k.min(n));
            prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]) && chosen.iter().all(|&i| i < n));
        }
    }
}
