//! The level of a sketch: how wide its buckets are, and how they are widened.
//!
//! The number of distinct buckets at a level can only grow with the data, so a level that was once too fine
//! stays too fine: raising it as soon as the buckets overflow, and no further than needed, ends at the smallest
//! level at which all data fit, in whatever order they came.

use super::QuantileSketch;

impl QuantileSketch {
    /// Merges sorted buckets of the same level into this sketch and makes the result fit.
    pub(super) fn absorb(&mut self, added: Vec<(u64, u64)>) {
        if self.buckets.is_empty() {
            self.buckets = added;
        } else {
            let old = std::mem::take(&mut self.buckets);
            self.buckets.reserve(old.len() + added.len());
            let mut added = added.into_iter().peekable();
            for bucket in old {
                while let Some(new) = added.next_if(|new| new.0 < bucket.0) {
                    self.buckets.push(new);
                }
                let same = added.next_if(|new| new.0 == bucket.0).map_or(0, |new| new.1);
                self.buckets.push((bucket.0, bucket.1.saturating_add(same)));
            }
            self.buckets.extend(added);
        }
        self.fit();
    }

    /// Raises the level to the smallest at which the buckets fit.
    pub(super) fn fit(&mut self) {
        if self.buckets.len() <= self.capacity {
            return;
        }
        // Two neighbours become one bucket as soon as the highest bit in which they differ is dropped.
        let mut joined = [0usize; 65];
        for pair in self.buckets.windows(2) {
            joined[64 - (pair[0].0 ^ pair[1].0).leading_zeros() as usize] += 1;
        }
        let (mut distinct, mut steps) = (self.buckets.len(), 0);
        while distinct > self.capacity && steps < 64 {
            steps += 1;
            distinct -= joined[steps];
        }
        self.coarsen(self.level + steps as u32);
    }

    pub(super) fn coarsen(&mut self, level: u32) {
        if level > self.level {
            self.buckets = coarsened(&self.buckets, level - self.level);
            self.level = level;
        }
    }
}

/// The buckets `steps` levels up.
pub(super) fn coarsened(buckets: &[(u64, u64)], steps: u32) -> Vec<(u64, u64)> {
    let mut coarse: Vec<(u64, u64)> = Vec::with_capacity(buckets.len());
    for &(bucket, count) in buckets {
        let bucket = bucket.checked_shr(steps).unwrap_or(0);
        match coarse.last_mut() {
            Some(last) if last.0 == bucket => last.1 = last.1.saturating_add(count),
            _ => coarse.push((bucket, count)),
        }
    }
    coarse
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn level_is_the_smallest_that_fits() {
        // The keys of 1.0, 1.5, 2.0, 2.5, 3.0 are 0xbff0…, 0xbff8…, 0xc000…, 0xc004…, 0xc008… with zeros after:
        // 2.0 and 2.5 join when bit 50 is dropped, 1.0 and 1.5 as well as 2.0 and 3.0
        // when bit 51 is.
        let of = |values: &[f64], capacity| {
            let mut sketch = QuantileSketch::sized(capacity);
            sketch.extend(values);
            sketch
        };
        let values = [1.0, 1.5, 2.0, 2.5, 3.0];
        assert_eq!([5, 4, 3, 2].map(|capacity| of(&values, capacity).level), [0, 51, 52, 52]);
        assert_eq!(of(&[0.0, -0.0, f64::NAN], 4).buckets, [(1 << 63, 2)]);
    }

    proptest! {
        #[test]
        fn one_level_less_does_not_fit(keys in prop::collection::btree_set(0u64..1 << 20, 1..200), capacity in 2usize..40) {
            let mut sketch = QuantileSketch::sized(capacity);
            let buckets: Vec<(u64, u64)> = keys.into_iter().map(|key| (key << 40, 1)).collect();
            sketch.absorb(buckets.clone());
            prop_assert_eq!(&sketch.buckets, &coarsened(&buckets, sketch.level));
            prop_assert!(sketch.buckets.len() <= capacity);
            prop_assert!(sketch.level == 0 || coarsened(&buckets, sketch.level - 1).len() > capacity);
        }

        #[test]
        fn absorbing_is_adding(values in prop::collection::vec(-20i8..20, 0..60)) {
            let mut at_once = QuantileSketch::sized(64);
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut one_by_one = at_once.clone();
            at_once.extend(&values);
            values.iter().for_each(|&x| one_by_one.add(x));
            prop_assert_eq!(at_once, one_by_one);
        }
    }
}
