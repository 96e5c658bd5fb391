//! How many of the thresholds of a column are below a value: what binning and answering both ask of every number.
//!
//! A grid of equal cells over the thresholds says where to begin, and a search by halving goes on from there. Cells and
//! values are counted by the same arithmetic, which keeps order, so a threshold in an earlier cell is below the value and
//! one in a later cell is not: the grid makes the search shorter and never wrong. Where most thresholds crowd into one
//! cell, the search is as long as it would be without a grid.

/// The most thresholds; their number must fit into a byte.
pub(crate) const MOST: usize = 255;
/// The most cells of a grid.
const CELLS: usize = 1024;
/// Searches in flight.
const LANES: usize = 4;
/// Added to a number from 0 to 2^51, moves its nearest integer into the lowest bits.
const TO_BITS: f64 = (1u64 << 52) as f64;

/// Up to 255 thresholds of a column.
#[derive(Debug)]
pub(crate) struct Thresholds {
    ascending: Box<[f64]>,
    grid: Grid,
    /// How many thresholds are in earlier cells, for each cell.
    first: Box<[u8]>,
    /// How many halvings find any threshold of the fullest cell.
    steps: u32,
}

/// Equal cells from the lowest finite threshold on.
#[derive(Debug, Clone, Copy)]
struct Grid {
    low: f64,
    scale: f64,
    last: f64,
}

/// Copies that have the length that a search may reach, of the thresholds that were counted last.
#[derive(Debug)]
pub(crate) struct Room {
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

impl Thresholds {
    /// At most 255 thresholds, ascending and without NaN.
    pub(crate) fn of(ascending: Vec<f64>) -> Self {
        let cells = (8 * ascending.len()).next_power_of_two().min(CELLS);
        let grid = Grid::over(&ascending, cells);
        let mut inside = vec![0usize; cells];
        ascending.iter().for_each(|&t| inside[grid.cell(t)] += 1);
        let before = inside.iter().scan(0, |sum, n| Some(std::mem::replace(sum, *sum + n) as u8));
        let first = before.collect();
        let most = inside.into_iter().max().unwrap_or(0);
        Self { ascending: ascending.into(), grid, first, steps: usize::BITS - most.leading_zeros() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ascending.len()
    }

    /// How many are below this number.
    pub(crate) fn below(&self, x: f64) -> usize {
        self.ascending.partition_point(|&threshold| threshold < x)
    }

    /// How many are below each of the values; none is below NaN.
    pub(crate) fn count(&self, values: &[f64], room: &mut Room, below: &mut [u8]) {
        room.thresholds[..self.len()].copy_from_slice(&self.ascending);
        // What a search meets past the end: no value is above it.
        room.thresholds[self.len()..][..1 << self.steps].fill(f64::NAN);
        room.first[..self.first.len()].copy_from_slice(&self.first);
        match self.steps {
            0 | 1 => self.search::<1>(values, room, below),
            2 => self.search::<2>(values, room, below),
            3 => self.search::<3>(values, room, below),
            4 => self.search::<4>(values, room, below),
            5 => self.search::<5>(values, room, below),
            6 => self.search::<6>(values, room, below),
            7 => self.search::<7>(values, room, below),
            _ => self.search::<8>(values, room, below),
        }
    }

    #[inline(always)]
    fn search<const STEPS: u32>(&self, values: &[f64], room: &Room, below: &mut [u8]) {
        let (fours, rest) = values.as_chunks::<LANES>();
        let (places, last) = below.as_chunks_mut::<LANES>();
        for (below, xs) in places.iter_mut().zip(fours) {
            *below = self.halve::<STEPS>(xs, room);
        }
        let mut xs = [f64::NAN; LANES];
        xs[..rest.len()].copy_from_slice(rest);
        let found = self.halve::<STEPS>(&xs, room);
        last.iter_mut().zip(found).for_each(|(below, found)| *below = found);
    }

    /// Counts by halving, for several values at once.
    #[inline(always)]
    fn halve<const STEPS: u32>(&self, xs: &[f64; LANES], room: &Room) -> [u8; LANES] {
        let mut at = xs.map(|x| usize::from(room.first[self.grid.cell(x)]));
        for bit in (0..STEPS).rev() {
            for lane in 0..LANES {
                // No branch: it would be guessed wrong every other time.
                let middle = at[lane] + (1 << bit) - 1;
                at[lane] += usize::from(xs[lane] > room.thresholds[middle % (2 * MOST + 2)]) << bit;
            }
        }
        at.map(|at| at as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_numeric::random::Stream;

    fn check(mut thresholds: Vec<f64>, mut values: Vec<f64>) {
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        thresholds.truncate(MOST);
        for t in &thresholds {
            values.extend([*t, t.next_up(), t.next_down(), -t]);
        }
        values.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 5e-324, f64::MAX, f64::MIN]);
        let mut found = vec![0; values.len()];
        let counted = Thresholds::of(thresholds.clone());
        counted.count(&values, &mut Room::default(), &mut found);
        for (x, found) in values.iter().zip(found) {
            let below = thresholds.iter().filter(|&t| t < x).count();
            assert_eq!(usize::from(found), below, "{x:e} among {thresholds:?}");
            assert!(x.is_nan() || counted.below(*x) == below);
        }
    }

    #[test]
    fn thresholds_that_a_grid_is_hard_on() {
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
        fn the_count_is_that_of_the_thresholds_below(
            seed: u64,
            count in 0usize..300,
            spread in 0i32..40,
            values in 0usize..9,
        ) {
            let mut stream = Stream::new(seed, "thresholds");
            let mut value = || stream.normal() * 10f64.powi(stream.below(spread as usize + 1) as i32 - spread / 2);
            let thresholds = (0..count).map(|_| value()).collect();
            check(thresholds, (0..300 + values).map(|_| value()).collect());
        }
    }
}
