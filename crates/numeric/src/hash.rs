//! A hash of bytes that is the same in every program, on every platform, for ever.
//!
//! Columns that are hashed at fit must be hashed alike years later, so the hash is a published one, written out here.

/// MurmurHash3 of 32 bits (Appleby 2011, public domain), fed piece by piece.
///
/// The pieces count as one text: where they are cut changes nothing. The same value as scikit-learn's `murmurhash3_32`,
/// read as unsigned. Not for secrets: who chooses the text chooses the hash. O(bytes).
///
/// ```
/// use stagewise_numeric::hash::Murmur3;
/// let whole = Murmur3::new(0).with(b"city=Bern").finish();
/// assert_eq!(whole, Murmur3::new(0).with(b"city").with(b"=").with(b"Bern").finish());
/// assert_ne!(whole, Murmur3::new(0).with(b"city=Ulm").finish());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Murmur3 {
    hash: u32,
    length: u32,
    /// Bytes that do not make a word yet: the first in the lowest byte.
    tail: u32,
}

impl Murmur3 {
    /// The hash of nothing.
    #[must_use]
    pub const fn new(seed: u32) -> Self {
        Self { hash: seed, length: 0, tail: 0 }
    }

    /// The hash of what came so far and `bytes`.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        for &byte in bytes {
            let place = self.length % 4;
            self.tail |= u32::from(byte) << (8 * place);
            self.length = self.length.wrapping_add(1);
            if place == 3 {
                self.hash = (self.hash ^ scrambled(self.tail)).rotate_left(13);
                self.hash = self.hash.wrapping_mul(5).wrapping_add(0xe654_6b64);
                self.tail = 0;
            }
        }
        self
    }

    /// The value.
    #[must_use]
    pub fn finish(self) -> u32 {
        // No byte left over gives a tail of 0, which scrambles to 0.
        let mut h = self.hash ^ scrambled(self.tail) ^ self.length;
        h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
        h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
        h ^ (h >> 16)
    }
}

fn scrambled(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_those_of_scikit_learn() {
        // sklearn.utils.murmurhash3_32(key, seed=seed, positive=True) of scikit-learn 1.9.1.
        let cases = [
            ("", 0, 0),
            ("", 1, 0x514e_28b7),
            ("hello", 0, 0x248b_fa47),
            ("hello, world", 0, 0x149b_bb7f),
            ("The quick brown fox jumps over the lazy dog", 0, 0x2e4f_f723),
        ];
        for (text, seed, expected) in cases {
            assert_eq!(Murmur3::new(seed).with(text.as_bytes()).finish(), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn where_the_text_is_cut_does_not_matter(bytes: Vec<u8>, cut in 0usize..40, seed: u32) {
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(Murmur3::new(seed).with(a).with(b).finish(), Murmur3::new(seed).with(&bytes).finish());
        }
    }
}
