//! The ranks of values: how many of the thresholds of a feature are below each, as the sweep compares them.

use crate::tree::thresholds::{Room, Thresholds};
use crate::tree::walk::sweep::{Plane, ROWS};

/// A number feature: its thresholds, and the planes of its ranks.
#[derive(Debug)]
pub(super) struct Ranks {
    pub(super) feature: usize,
    thresholds: Thresholds,
    /// The plane for nodes that send missing values left, and that for the others.
    pub(super) left: Option<usize>,
    pub(super) right: Option<usize>,
}

impl Ranks {
    /// At most 255 thresholds, ascending and without NaN.
    pub(super) fn of(feature: usize, thresholds: Vec<f64>) -> Self {
        Self { feature, thresholds: Thresholds::of(thresholds), left: None, right: None }
    }

    /// What the plane of a value that is above this threshold is greater than.
    pub(super) fn cut(&self, threshold: f64) -> u8 {
        turned(self.thresholds.below(threshold) as u8)
    }

    /// Writes the ranks of a block into its planes.
    pub(super) fn fill(&self, column: &[f64; ROWS], room: &mut Room, planes: &mut [Plane]) {
        let mut below = [0; ROWS];
        self.thresholds.count(column, room, &mut below);
        let below = below.map(turned);
        for plane in [self.left, self.right].into_iter().flatten() {
            planes[plane].as_flattened_mut().copy_from_slice(&below);
        }
        // A missing value has rank 0, which is left of every threshold.
        let missing = column.iter().fold(false, |any, x| any | x.is_nan());
        if let (Some(plane), true) = (self.right, missing) {
            for (rank, x) in planes[plane].as_flattened_mut().iter_mut().zip(column) {
                if x.is_nan() {
                    *rank = turned(self.thresholds.len() as u8);
                }
            }
        }
    }
}

/// A rank with its highest bit turned, for registers compare signed bytes.
fn turned(rank: u8) -> u8 {
    rank ^ 128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_is_left_of_all_thresholds_or_right_of_all() {
        let mut ranks = Ranks::of(0, vec![1.0, 2.0, 3.0]);
        (ranks.left, ranks.right) = (Some(0), Some(1));
        let mut planes = vec![[[0; 16]; ROWS / 16]; 2];
        let mut column = [2.5; ROWS];
        column[7] = f64::NAN;
        ranks.fill(&column, &mut Room::default(), &mut planes);
        let ranks_at = |row: usize| [0, 1].map(|plane: usize| planes[plane].as_flattened()[row] ^ 128);
        assert_eq!((ranks_at(0), ranks_at(7), ranks_at(255)), ([2, 2], [0, 3], [2, 2]));
        assert_eq!(ranks.cut(2.0) ^ 128, 1);
    }
}
