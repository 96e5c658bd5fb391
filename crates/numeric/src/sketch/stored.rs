//! Reading a stored sketch back.
//!
//! A sketch comes from files that others may have written. What breaks its rules (ascending buckets that fit
//! the capacity and add up) is refused here, so that the code that works on sketches need not ask again.

use super::QuantileSketch;
use serde::Deserialize;

/// What is read back, before it is known to be a sketch.
#[derive(Deserialize)]
pub(super) struct Stored {
    capacity: usize,
    level: u32,
    total: u64,
    buckets: Vec<(u64, u64)>,
}

impl TryFrom<Stored> for QuantileSketch {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { capacity, level, total, buckets } = stored;
        let counted = buckets.iter().fold(0u64, |sum, b| sum.saturating_add(b.1));
        let ascending = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let in_range = buckets.iter().all(|b| b.1 > 0 && level < 64 && b.0 <= u64::MAX >> level);
        if capacity < 2 || level > 63 || buckets.len() > capacity {
            return Err("a sketch has more buckets than its capacity or no such level");
        }
        if counted != total || !ascending || !in_range {
            return Err("the buckets of a sketch are not ascending or do not add up");
        }
        Ok(Self { capacity, level, total, buckets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_sketch_is_refused() {
        for text in [
            r#"{"capacity":1,"level":0,"total":0,"buckets":[]}"#,
            r#"{"capacity":4,"level":64,"total":0,"buckets":[]}"#,
            r#"{"capacity":4,"level":0,"total":2,"buckets":[[5,1],[5,1]]}"#,
            r#"{"capacity":4,"level":0,"total":3,"buckets":[[4,1],[5,1]]}"#,
            r#"{"capacity":4,"level":60,"total":1,"buckets":[[16,1]]}"#,
        ] {
            assert!(serde_json::from_str::<QuantileSketch>(text).is_err(), "{text}");
        }
    }
}
