//! Which pairs of columns say more together: a coarse grid of the slopes that are left, cut in four (FAST, Lou et al. 2013).

use rayon::prelude::*;
use stagewise_core::context::FitContext;
use stagewise_core::error::Result;

use super::axis::Axis;
use super::step::{Limits, Sums, add, less, scale};

/// Rows that pairs are ranked by at most, evenly spaced.
const ROWS: usize = 1 << 17;

/// A column in fewer cells.
pub(super) struct Coarse {
    pub(super) axis: Axis,
    /// The coarse cell of each fine one.
    pub(super) to: Vec<usize>,
}

impl Coarse {
    /// At most `cells` cells of about the same weight, and that of missing values. Levels are put in the order of what
    /// they say alone.
    pub(super) fn of(axis: &Axis, weights: &[f64], values: &[f64], cells: usize) -> Self {
        let present = axis.cells() - 1;
        let mut order: Vec<usize> = (0..present).collect();
        if axis.is_category() {
            order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
        }
        let mut to = vec![0; present + 1];
        let mut left: f64 = order.iter().map(|&cell| weights[cell]).sum();
        let (mut at, mut filled) = (0, 0.0);
        for (i, &cell) in order.iter().enumerate() {
            let target = left / (cells - at) as f64;
            // A cell that would lie further beyond the target than it is now short of it begins another.
            let over = filled > 0.0 && filled + weights[cell] - target > target - filled;
            let alone = present - i < cells - at && i > 0;
            if (over || alone) && at + 1 < cells {
                left -= filled;
                filled = 0.0;
                at += 1;
            }
            to[cell] = at;
            filled += weights[cell];
        }
        to[present] = if present > 0 { at + 1 } else { 0 };
        Self { axis: axis.merged(&to), to }
    }
}

/// The pairs of columns that gain most from a cut in four, at most `most`, best first; equal ones in the order of columns.
/// `pairs` and `weights` are of all rows, `codes` their fine cells by column.
pub(super) fn rank(
    columns: &[Coarse],
    codes: &[&[u8]],
    pairs: &[[f64; 2]],
    weights: Option<&[f64]>,
    limits: &Limits,
    most: usize,
    cx: &FitContext,
) -> Result<Vec<[usize; 2]>> {
    let rows = pairs.len();
    let some: Vec<usize> =
        (0..rows.min(ROWS)).map(|i| (i as u128 * rows as u128 / rows.min(ROWS) as u128) as usize).collect();
    let coarse: Vec<Vec<u8>> = (columns.par_iter().zip(codes))
        .map(|(column, codes)| some.iter().map(|&row| column.to[usize::from(codes[row])] as u8).collect())
        .collect();
    let mut sums: Vec<Sums> =
        some.iter().map(|&row| [pairs[row][0], pairs[row][1], weights.map_or(1.0, |w| w[row])]).collect();
    // Slopes in units of the largest: no square of a sum is infinite.
    let unit = scale(&sums);
    sums.iter_mut().for_each(|sum| sum[0] *= unit);
    // A column of one cell and no missing values says nothing.
    let live: Vec<usize> = (0..columns.len()).filter(|&column| columns[column].axis.cells() > 2).collect();
    let all: Vec<[usize; 2]> =
        live.iter().enumerate().flat_map(|(i, &a)| live[i + 1..].iter().map(move |&b| [a, b])).collect();
    let gains: Vec<f64> = all
        .par_iter()
        .map(|&[a, b]| {
            cx.check()?;
            let width = columns[b].axis.cells();
            let mut cells = vec![[0.0; 3]; columns[a].axis.cells() * width];
            for ((sum, &i), &j) in sums.iter().zip(&coarse[a]).zip(&coarse[b]) {
                let cell = &mut cells[usize::from(i) * width + usize::from(j)];
                *cell = [cell[0] + sum[0], cell[1] + sum[1], cell[2] + sum[2]];
            }
            Ok(four(&cells, width, limits))
        })
        .collect::<Result<_>>()?;
    let mut order: Vec<usize> = (0..all.len()).filter(|&pair| gains[pair] > 0.0).collect();
    order.sort_by(|&a, &b| gains[b].total_cmp(&gains[a]).then(a.cmp(&b)));
    Ok(order.into_iter().take(most).map(|pair| all[pair]).collect())
}

/// The most that a cut of both sides gains, in four parts.
fn four(cells: &[Sums], width: usize, limits: &Limits) -> f64 {
    let height = cells.len() / width.max(1);
    let mut columns = vec![[0.0; 3]; width];
    for row in cells.chunks_exact(width) {
        columns.iter_mut().zip(row).for_each(|(sum, cell)| *sum = add(*sum, *cell));
    }
    let total = columns.iter().fold([0.0; 3], |sum, column| add(sum, *column));
    let start = limits.worth(total, 1.0);
    let mut upper = vec![[0.0; 3]; width];
    let mut best = 0.0_f64;
    for row in cells.chunks_exact(width).take(height.saturating_sub(1)) {
        upper.iter_mut().zip(row).for_each(|(sum, cell)| *sum = add(*sum, *cell));
        let above = upper.iter().fold([0.0; 3], |sum, column| add(sum, *column));
        let (mut top, mut left) = ([0.0; 3], [0.0; 3]);
        for (up, column) in upper.iter().zip(&columns).take(width - 1) {
            (top, left) = (add(top, *up), add(left, *column));
            let below = less(left, top);
            let parts = [top, less(above, top), below, less(less(total, above), below)];
            if parts.iter().all(|&part| limits.allow(part)) {
                best = best.max(parts.iter().map(|&part| limits.worth(part, 1.0)).sum::<f64>() - start);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::bins::ColumnBins;

    const LIMITS: Limits = Limits { max_leaves: 4, min_weight: 1.0, min_hessian: 0.0, l2: 0.0, learning_rate: 1.0 };

    #[test]
    fn coarse_cells_are_even_and_levels_stand_by_what_they_say() {
        let axis = Axis::of(0, &ColumnBins::Number { cuts: (0..7).map(f64::from).collect() });
        let coarse = Coarse::of(&axis, &[1.0; 9], &[0.0; 9], 4);
        assert_eq!(coarse.to, [0, 0, 1, 1, 2, 2, 3, 3, 4]);
        let coarse = Coarse::of(&axis, &[9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0], &[0.0; 9], 3);
        assert_eq!(coarse.to, [0, 1, 1, 1, 1, 2, 2, 2, 3]);
        let few = Coarse::of(&axis, &[1.0; 9], &[0.0; 9], 20);
        assert_eq!(few.to, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let levels = Axis::of(0, &ColumnBins::Category { bin_of: vec![0, 1, 2], bins: 3 });
        let coarse = Coarse::of(&levels, &[1.0; 4], &[0.5, -2.0, 0.4, 0.0], 20);
        assert_eq!(coarse.to, [2, 0, 1, 3]);
    }

    #[test]
    fn the_pair_that_crosses_is_found_first() {
        let axis = |feature| Axis::of(feature, &ColumnBins::Number { cuts: vec![0.5] });
        let columns: Vec<Coarse> = (0..3).map(|feature| Coarse::of(&axis(feature), &[1.0; 3], &[0.0; 3], 8)).collect();
        let codes: Vec<Vec<u8>> = (0..3).map(|bit| (0..8u8).map(|row| row >> bit & 1).collect()).collect();
        let codes: Vec<&[u8]> = codes.iter().map(Vec::as_slice).collect();
        // The slope is that of the first and the third column crossed.
        let pairs: Vec<[f64; 2]> =
            (0..8).map(|row| [if (row & 1) ^ (row >> 2 & 1) == 1 { 1.0 } else { -1.0 }, 1.0]).collect();
        let found = rank(&columns, &codes, &pairs, None, &LIMITS, 5, &FitContext::new(0)).unwrap();
        assert_eq!(found, [[0, 2]]);
    }
}
