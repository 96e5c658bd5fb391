//! The rows of a tree under construction: which row, and its gradient and hessian as small integers.
//!
//! Integers add up to the same in any order, so histograms, and with them the tree, are the same to the bit on any
//! number of threads. From 32,768 rows on a gradient has 15 bits and its sign, far finer than its noise; fewer rows leave
//! room for more. What a leaf answers is computed from the unrounded values afterwards (`boost`).

use rayon::prelude::*;
use stagewise_numeric::parallel;

/// Rows of one parallel task.
const BLOCK: usize = 1 << 14;
/// How many words may be added before their halves could overflow.
pub(crate) const ROOM: usize = 1 << 15;

/// The largest whole weight that multiplies rounded pairs: four bits are lost to it at most.
const MOST_COUNT: f64 = 16.0;
/// 2¹⁰²⁰: its reciprocal is still a normal number.
const LARGEST_STEP: f64 = 1.123_558_209_288_947_4e307;

/// A row with its rounded gradient and hessian. The sums of [`ROOM`] of them are hardly above 2³⁰.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) row: u32,
    gradient: i32,
    hessian: u32,
}

impl Entry {
    /// Gradient and hessian in one word, `gradient · 2³² + hessian`: one addition adds both.
    #[inline]
    pub(super) fn word(self) -> i64 {
        (i64::from(self.gradient) << 32) + i64::from(self.hessian)
    }
}

/// The sums of gradients and hessians, in steps.
pub(super) fn sums(entries: &[Entry]) -> [f64; 2] {
    let of = |entry: &Entry| [i64::from(entry.gradient), i64::from(entry.hessian)];
    let add = |[g, h]: [i64; 2], [a, b]: [i64; 2]| [g + a, h + b];
    let block = |entries: &[Entry]| entries.iter().map(of).fold([0; 2], add);
    let [gradient, hessian] = entries.par_chunks(BLOCK).map(block).reduce(|| [0; 2], add);
    [gradient as f64, hessian as f64]
}

/// What one step of a rounded gradient and of a rounded hessian is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    pub(crate) gradient: f64,
    pub(crate) hessian: f64,
}

/// Rounds the pairs of gradient and hessian of `rows`, or of all; row `r` has its pair at `r · outputs + output`.
///
/// Small whole weights multiply rounded pairs, so that a row of weight 2 adds just what two rows add, and splits of equal
/// gain are equal here too. `entries` is filled, whatever it held before.
pub(crate) fn fill(
    entries: &mut Vec<Entry>,
    pairs: &[[f64; 2]],
    outputs: usize,
    output: usize,
    rows: Option<&[u32]>,
    weights: Option<&[f64]>,
) -> Scale {
    let counts = weights.filter(|weights| weights.iter().all(|w| w.fract() == 0.0 && (0.0..=MOST_COUNT).contains(w)));
    let n = rows.map_or(pairs.len() / outputs.max(1), <[u32]>::len);
    let row_at = |i: usize| rows.map_or(i as u32, |rows| rows[i]);
    let pair = |row: u32| pairs[row as usize * outputs + output];
    let largest = parallel::blocks(n, BLOCK, |range| {
        // Lanes, because one maximum would wait for the last.
        const LANES: usize = 4;
        let mut lanes = [[0.0_f64; 2]; LANES];
        let mut see = |lane: usize, [gradient, hessian]: [f64; 2]| {
            let [g, h] = lanes[lane];
            let gradient = gradient.abs();
            lanes[lane] = [if gradient > g { gradient } else { g }, if hessian > h { hessian } else { h }];
        };
        if rows.is_none() && outputs == 1 {
            for four in pairs[range].chunks(LANES) {
                four.iter().enumerate().for_each(|(lane, &pair)| see(lane, pair));
            }
        } else {
            range.for_each(|i| see(i % LANES, pair(row_at(i))));
        }
        lanes.into_iter().fold([0.0_f64; 2], |[g, h], [a, b]| [g.max(a), h.max(b)])
    });
    let [g, h] = largest.into_iter().fold([0.0_f64; 2], |[g, h], [a, b]| [g.max(a), h.max(b)]);
    let most = (1_u64 << 30) as f64 / n.clamp(1, ROOM).next_power_of_two() as f64;
    let scale = Scale { gradient: step(g, most), hessian: step(h, most) };
    let (per_gradient, per_hessian) = (1.0 / scale.gradient, 1.0 / scale.hessian);
    entries.resize(n, Entry::default());
    entries.par_chunks_mut(BLOCK).enumerate().for_each(|(block, entries)| {
        for (i, entry) in entries.iter_mut().enumerate() {
            let row = row_at(block * BLOCK + i);
            let [gradient, hessian] = pair(row);
            let round = |x: f64, per: f64| match counts.map(|counts| counts[row as usize].max(1.0)) {
                None => nearest(x * per),
                Some(count) => nearest(x / count * per) * count as i32,
            };
            let (gradient, hessian) = (round(gradient, per_gradient), round(hessian, per_hessian));
            *entry = Entry { row, gradient, hessian: hessian as u32 };
        }
    });
    scale
}

/// The least power of two of which `largest` is at most `most` times: weights that are whole numbers stay so.
fn step(largest: f64, most: f64) -> f64 {
    // The exponent bits, rounded up.
    let bits = (largest / most).max(f64::MIN_POSITIVE).to_bits();
    f64::from_bits((bits + ((1 << 52) - 1)) & !((1 << 52) - 1)).min(LARGEST_STEP)
}

/// The nearest whole number of a small one, ties to even; branch-free where `round` is a call.
#[inline]
fn nearest(x: f64) -> i32 {
    // 1.5 · 2⁵²: from here on, doubles are whole numbers.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    ((x + SHIFT) - SHIFT) as i32
}

/// Sends the entries of one node left or right by the code of one column, each side in the order it had. Returns how
/// many went left: they come first.
pub(crate) fn partition(entries: &mut [Entry], scratch: &mut [Entry], column: &[u8], left: &[bool; 256]) -> usize {
    if entries.len() <= 2 * BLOCK || rayon::current_num_threads() == 1 {
        let kept = part(entries, scratch, column, left);
        let gone = entries.len() - kept;
        entries[kept..].copy_from_slice(&scratch[..gone]);
        return kept;
    }
    let kept: Vec<usize> = (entries.par_chunks_mut(BLOCK))
        .zip(scratch.par_chunks_mut(BLOCK))
        .map(|(entries, scratch)| part(entries, scratch, column, left))
        .collect();
    let mut end = 0;
    for (block, &kept) in kept.iter().enumerate() {
        entries.copy_within(block * BLOCK..block * BLOCK + kept, end);
        end += kept;
    }
    let total = end;
    for (block, &kept) in kept.iter().enumerate() {
        let size = BLOCK.min(entries.len() - block * BLOCK);
        let gone = size - kept;
        entries[end..end + gone].copy_from_slice(&scratch[block * BLOCK..block * BLOCK + gone]);
        end += gone;
    }
    total
}

/// Moves what goes left to the front of `entries` and what goes right to the front of `scratch`, without branches.
fn part(entries: &mut [Entry], scratch: &mut [Entry], column: &[u8], left: &[bool; 256]) -> usize {
    let scratch = &mut scratch[..entries.len()];
    let (mut kept, mut gone) = (0, 0);
    for i in 0..entries.len() {
        let entry = entries[i];
        let stays = usize::from(left[usize::from(column[entry.row as usize])]);
        entries[kept] = entry;
        scratch[gone] = entry;
        kept += stays;
        gone += 1 - stays;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_pair_has_all_steps() {
        let pairs = [[-2.0, 1.0], [1.0, 0.5], [0.5, 2.0], [0.0, 1e-9]];
        let mut entries = vec![Entry { row: 7, gradient: 1, hessian: 1 }; 9];
        let scale = fill(&mut entries, &pairs, 1, 0, Some(&[0, 1, 3]), None);
        assert_eq!(
            entries.iter().map(|e| (e.row, e.gradient, e.hessian)).collect::<Vec<_>>(),
            [(0, -268_435_456, 268_435_456), (1, 134_217_728, 134_217_728), (3, 0, 0)]
        );
        assert_eq!(scale, Scale { gradient: 2.0_f64.powi(-27), hessian: 2.0_f64.powi(-28) });
        let word = entries[0].word() + entries[1].word();
        assert_eq!((word >> 32, word as u32), (-134_217_728, 402_653_184));
    }

    proptest! {
        #[test]
        fn parting_is_stable_for_any_number_of_rows(codes in prop::collection::vec(0u8..6, 1..400), copies in 1usize..120) {
            let column: Vec<u8> = codes.iter().copied().cycle().take(codes.len() * copies).collect();
            let mut left = [false; 256];
            (left[1], left[4]) = (true, true);
            let pairs = vec![[1.0, 1.0]; column.len()];
            let mut entries = Vec::new();
            fill(&mut entries, &pairs, 1, 0, None, None);
            let mut scratch = entries.clone();
            let kept = partition(&mut entries, &mut scratch, &column, &left);
            let goes = |row: u32| left[usize::from(column[row as usize])];
            let expected: Vec<u32> = (0..column.len() as u32).filter(|&r| goes(r)).chain((0..column.len() as u32).filter(|&r| !goes(r))).collect();
            prop_assert_eq!(kept, expected.iter().filter(|&&r| goes(r)).count());
            prop_assert_eq!(entries.iter().map(|e| e.row).collect::<Vec<_>>(), expected);
        }
    }
}
