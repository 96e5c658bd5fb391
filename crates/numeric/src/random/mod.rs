//! Named random streams.
//!
//! Every random choice of the workspace comes from a stream that is named by the seed of the run and a path
//! such as `"split/fold=3"`. A stream depends on its name alone, so adding a step or changing the number of
//! threads does not shift the numbers of any other step. ChaCha8 is specified to the bit, the key derivation
//! is written out below, and the logarithm is our own: all draws are the same on every platform and with
//! every version of Rust. The golden test at the bottom makes any change of the streams visible.

mod distributions;
mod order;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A random stream that is fixed by a seed and a path.
///
/// Key: for each lane `i` of four, FNV-1a (Fowler, Noll & Vo 1991) over the bytes of the path, started at
/// `mix(seed + (i + 1)·φ)`, then `mix(h ⊕ (length + i))`, little-endian; `mix` is the finaliser of SplitMix64
/// (Steele, Lea & Flood 2014) and `φ = 0x9e3779b97f4a7c15`. Generator: ChaCha8 (Bernstein 2008).
///
/// ```
/// use stagewise_numeric::random::Stream;
/// let mut fold = Stream::new(42, "split/fold=3");
/// let first = fold.next_u64();
/// assert_eq!(first, Stream::new(42, "split/fold=3").next_u64());
/// assert_ne!(first, Stream::new(42, "split/fold=4").next_u64());
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    generator: ChaCha8Rng,
}

impl Stream {
    /// The stream named by `seed` and `path`, at its start. O(length of the path).
    #[must_use]
    pub fn new(seed: u64, path: &str) -> Self {
        let mut key = [0u8; 32];
        for (lane, bytes) in (0u64..).zip(key.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&lane_key(seed, path, lane).to_le_bytes());
        }
        Self { generator: ChaCha8Rng::from_seed(key) }
    }

    /// The next 64 random bits. O(1).
    pub fn next_u64(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// A uniform number of `[0, 1)`: a multiple of 2⁻⁵³, each equally likely. O(1).
    ///
    /// ```
    /// let mut stream = stagewise_numeric::random::Stream::new(1, "doc");
    /// assert!((0.0..1.0).contains(&stream.unit()));
    /// ```
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A uniform index of `0..n` without bias; `n = 0` gives 0. Expected O(1) (Lemire 2019).
    ///
    /// ```
    /// let mut stream = stagewise_numeric::random::Stream::new(1, "doc");
    /// assert!(stream.below(6) < 6);
    /// assert_eq!(stream.below(0), 0);
    /// ```
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        if n == 0 {
            return 0;
        }
        // 2^64 mod n: low halves under it belong to indices that would come up once too often.
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as usize;
            }
        }
    }
}

fn lane_key(seed: u64, path: &str, lane: u64) -> u64 {
    let start = mix(seed.wrapping_add((lane + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let hash = path.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    mix(hash ^ (path.len() as u64).wrapping_add(lane))
}

/// The number at `place` of the sequence that starts at `start`, without those before it: SplitMix64 (Steele, Lea & Flood
/// 2014), `mix(start + (place + 1)·φ)`. For draws that hang on a place alone, such as a row of a file. O(1).
///
/// ```
/// use stagewise_numeric::random::nth;
/// assert_eq!([nth(0, 0), nth(0, 1)], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
/// ```
#[must_use]
pub fn nth(start: u64, place: u64) -> u64 {
    mix(start.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// A word whose bits all hang on all bits of `z`: the finaliser of SplitMix64 (Steele, Lea & Flood 2014). A bijection.
///
/// For draws that must hang on the values of a row and not on its place: mix a seed with a hash of the values. O(1).
///
/// ```
/// use stagewise_numeric::random::mix;
/// assert_ne!(mix(1), mix(2));
/// assert_eq!(mix(0), 0);
/// ```
#[inline]
#[must_use]
pub const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn streams_are_pinned() {
        // An independent ChaCha8 and key derivation in Python (struct and integers only) gives the words.
        let mut stream = Stream::new(42, "golden");
        let words: Vec<u64> = (0..4).map(|_| stream.next_u64()).collect();
        assert_eq!(words, [0x88ac_8a10_ca16_fc95, 0x6e13_18c5_74e3_71b1, 0x117c_7065_b8b9_ad81, 0x3dc9_7e10_c118_6648]);
        assert_eq!(Stream::new(0, "").next_u64(), 0x979d_9c83_549f_225e);
    }

    #[test]
    fn unit_and_below_are_pinned() {
        let stream = || Stream::new(42, "golden");
        // (word >> 11) / 2^53 of the first golden word, in Python.
        assert_eq!(stream().unit(), 0.5338827410688188);
        // (word * 1000) >> 64 of the first golden word.
        assert_eq!(stream().below(1000), 533);
        assert_eq!((stream().below(0), stream().below(1)), (0, 0));
    }

    proptest! {
        #[test]
        fn below_is_below(seed: u64, n in 1usize..usize::MAX) {
            prop_assert!(Stream::new(seed, "b").below(n) < n);
        }
    }
}
