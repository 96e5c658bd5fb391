//! The ranks of values: how many of the thresholds of a feature are below each.
//!
//! A grid of equal cells over the thresholds says where to begin, and a search by halving goes on from there. Cells and
//! values are counted by the same arithmetic, which keeps order, so a threshold in an earlier cell is below the value and
//! one in a later cell is not: the grid makes the search shorter and never wrong. Where most thresholds crowd into one
//! cell, the search is as long as it would be without a grid.

use crate::tree::walk::sweep::{Plane, ROWS};

/// The most thresholds; their number must fit into a byte.
const MOST: usize = 255;
/// The most cells of a grid.
const CELLS: usize = 1024;
/// Searches in flight.
const LANES: usize = 4;
/// Added to a number from 0 to 2^51, moves its nearest integer into the lowest bits.
const TO_BITS: f64 = (1u64 << 52) as f64;

/// A number feature: its thresholds, and the planes of its ranks.
#[derive(Debug)]
pub(super) struct Ranks {
    pub(super) feature: usize,
    /// Ascending.
    thresholds: Box<[f64]>,
    grid: Grid,
    /// How many thresholds are in earlier cells, for each cell.
    first: Box<[u8]>,
    /// How many halvings find any threshold of the fullest cell.
    steps: u32,
    /// The plane for nodes that send missing values left, and that for the others.
    pub(super) left: Option<usize>,
    pub(super) right: Option<usize>,
}

/// Equal cells from the lowest finite threshold on.
#[derive(Debug, Clone, Copy)]
struct Grid {
    low: f64,
    scale: f64,
    last: f64,
}

/// Copies that have the length that a search may reach.
#[derive(Debug)]
pub(super) struct Room {
    thresholds: [f64; 2 * MOST + 2],
    first: [u8; CELLS],
}

impl Default for Room {
    fn default() -> Self {
        Self { thresholds: [f64::NAN; 2 * MOST + 2], first: [0; CELLS] }
    }
}

impl Grid {
    fn over(thresholds: &[f64], cells: usize) -> Self {
        let mut finite = thresholds.iter().copied().filter(|t| t.is_finite());
        let low = finite.next().unwrap_or(0.0);
        let last = (cells - 1) as f64;
        Self { low, scale: last / (finite.next_back().unwrap_or(low) - low), last }
    }

    /// The cell of a value, which does not fall as the value rises. NaN, also that of 0 · ∞, is in the first.
    #[inline(always)]
    fn cell(self, x: f64) -> usize {
        let place = (x - self.low) * self.scale;
        // These comparisons, in this order, are one instruction each, and take NaN to 0.
        let place = if place > 0.0 { place } else { 0.0 };
        let place = if place < self.last { place } else { self.last };
        (place + TO_BITS).to_bits() as usize % CELLS
    }
}

impl Ranks {
    /// At most 255 thresholds, ascending and without NaN.
    pub(super) fn of(feature: usize, thresholds: Vec<f64>) -> Self {
        let cells = (8 * thresholds.len()).next_power_of_two().min(CELLS);
        let grid = Grid::over(&thresholds, cells);
        let mut inside = vec![0usize; cells];
        thresholds.iter().for_each(|&t| inside[grid.cell(t)] += 1);
        let before = inside.iter().scan(0, |sum, n| Some(std::mem::replace(sum, *sum + n) as u8));
        let first = before.collect();
        let most = inside.into_iter().max().unwrap_or(0);
        let steps = usize::BITS - most.leading_zeros();
        Self { feature, thresholds: thresholds.into(), grid, first, steps, left: None, right: None }
    }

    /// What the plane of a value that is above this threshold is greater than.
    pub(super) fn cut(&self, threshold: f64) -> u8 {
        turned(self.thresholds.partition_point(|&other| other < threshold))
    }

    /// Writes the ranks of a block into its planes.
    pub(super) fn fill(&self, column: &[f64; ROWS], room: &mut Room, planes: &mut [Plane]) {
        let count = self.thresholds.len();
        room.thresholds[..count].copy_from_slice(&self.thresholds);
        // What a search meets past the end: no value is above it.
        room.thresholds[count..][..1 << self.steps].fill(f64::NAN);
        room.first[..self.first.len()].copy_from_slice(&self.first);
        let mut below = [0; ROWS];
        match self.steps {
            0 | 1 => self.search::<1>(column, room, &mut below),
            2 => self.search::<2>(column, room, &mut below),
            3 => self.search::<3>(column, room, &mut below),
            4 => self.search::<4>(column, room, &mut below),
            5 => self.search::<5>(column, room, &mut below),
            6 => self.search::<6>(column, room, &mut below),
            7 => self.search::<7>(column, room, &mut below),
            _ => self.search::<8>(column, room, &mut below),
        }
        for plane in [self.left, self.right].into_iter().flatten() {
            planes[plane].as_flattened_mut().copy_from_slice(&below);
        }
        // A missing value has rank 0, which is left of every threshold.
        let missing = column.iter().fold(false, |any, x| any | x.is_nan());
        if let (Some(plane), true) = (self.right, missing) {
            for (rank, x) in planes[plane].as_flattened_mut().iter_mut().zip(column) {
                if x.is_nan() {
                    *rank = turned(count);
                }
            }
        }
    }

    /// Counts by halving, in several rows at once.
    #[inline(always)]
    fn search<const STEPS: u32>(&self, column: &[f64; ROWS], room: &Room, below: &mut [u8; ROWS]) {
        let grid = self.grid;
        for (below, xs) in below.as_chunks_mut::<LANES>().0.iter_mut().zip(column.as_chunks::<LANES>().0) {
            let mut at = xs.map(|x| usize::from(room.first[grid.cell(x)]));
            for bit in (0..STEPS).rev() {
                for lane in 0..LANES {
                    // No branch: it would be guessed wrong every other time.
                    let middle = at[lane] + (1 << bit) - 1;
                    at[lane] += usize::from(xs[lane] > room.thresholds[middle % (2 * MOST + 2)]) << bit;
                }
            }
            *below = at.map(turned);
        }
    }
}

/// A rank with its highest bit turned, for registers compare signed bytes.
fn turned(rank: usize) -> u8 {
    rank as u8 ^ 128
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_numeric::random::Stream;

    /// The ranks of a block, for nodes that send missing values left and for the others.
    fn ranks(thresholds: &[f64], values: &[f64]) -> Vec<[u8; 2]> {
        let mut ranks = Ranks::of(0, thresholds.to_vec());
        (ranks.left, ranks.right) = (Some(0), Some(1));
        let mut planes = vec![[[0; 16]; ROWS / 16]; 2];
        let mut room = Room::default();
        let mut all = Vec::new();
        for values in values.chunks(ROWS) {
            let mut column = [0.0; ROWS];
            column[..values.len()].copy_from_slice(values);
            ranks.fill(&column, &mut room, &mut planes);
            let [left, right] = [planes[0].as_flattened(), planes[1].as_flattened()];
            all.extend((0..values.len()).map(|row| [left[row] ^ 128, right[row] ^ 128]));
        }
        all
    }

    fn check(mut thresholds: Vec<f64>, mut values: Vec<f64>) {
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        thresholds.truncate(MOST);
        for t in &thresholds {
            values.extend([*t, t.next_up(), t.next_down(), -t]);
        }
        values.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 5e-324, f64::MAX, f64::MIN]);
        for (x, found) in values.iter().zip(ranks(&thresholds, &values)) {
            let below = thresholds.iter().filter(|&t| t < x).count() as u8;
            let right = if x.is_nan() { thresholds.len() as u8 } else { below };
            assert_eq!(found, [below, right], "{x:e} among {thresholds:?}");
        }
    }

    #[test]
    fn ranks_of_thresholds_that_a_grid_is_hard_on() {
        let inf = f64::INFINITY;
        check(vec![], vec![1.0]);
        check(vec![2.5], vec![2.0, 3.0]);
        check(vec![-inf, inf], vec![1.0]);
        check(vec![-inf, -1.0, 2.0, inf], vec![0.0]);
        check(vec![f64::MIN, 0.0, f64::MAX], vec![1e300, -1e300]);
        check(vec![0.0, 5e-324, 1e-323], vec![1.0]);
        check(vec![-1e300, 1e300], vec![0.0]);
        check((0..300).map(f64::from).collect(), vec![0.5]);
        check((0..300).map(|k| 1.0 + f64::from(k) * f64::EPSILON).collect(), vec![1.0]);
        check((-120..120).map(|k| 10f64.powi(k)).collect(), vec![3.0]);
        check((0..240).map(|k| 1e-6 * f64::from(k)).chain([1e9]).collect(), vec![0.5]);
    }

    proptest! {
        #[test]
        fn a_rank_is_the_number_of_thresholds_below(
            seed: u64,
            count in 0usize..300,
            spread in 0i32..40,
        ) {
            let mut stream = Stream::new(seed, "ranks");
            let mut value = || stream.normal() * 10f64.powi(stream.below(spread as usize + 1) as i32 - spread / 2);
            let thresholds = (0..count).map(|_| value()).collect();
            check(thresholds, (0..300).map(|_| value()).collect());
        }
    }
}
