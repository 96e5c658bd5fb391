//! Histograms: the sums of gradients and hessians of a node's rows, by column and bin.
//!
//! The hot loop of growing a tree. Both sums of a cell are one 64-bit word, so a row costs one addition a column; words
//! are emptied into doubles before they could overflow. The doubles hold whole numbers far below 2⁵³, so that their
//! sums and differences are exact too: the same bits in any order, on any number of threads, and a sibling by
//! subtraction equals one that was counted. Columns are counted in tiles whose words stay in the first-level cache.

use std::hint::black_box;

use rayon::prelude::*;

use super::entry::{Entry, ROOM};
use crate::tree::bins::{Bins, Codes};

/// Rows for which the tiles take turns: their codes stay in the second-level cache.
const TURN: usize = 1024;
/// Columns of a full tile: 16 × 256 words are 32 KiB.
const TILE: usize = 16;
/// Rows of a node from which each thread counts its own share of them.
const SHARED: usize = 1 << 13;

/// The words of one column, by code.
type Words = [i64; 256];

/// Where the cells of each column lie in a histogram.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// The first cell of each column; then the number of cells.
    first: Vec<usize>,
}

impl Layout {
    pub(crate) fn new(bins: &Bins) -> Self {
        let mut first = vec![0];
        for column in bins.columns() {
            // One more for missing values.
            first.push(first[first.len() - 1] + column.bins() + 1);
        }
        Self { first }
    }

    /// The cells of one column: its bins, then missing values.
    pub(crate) fn column(&self, feature: usize) -> std::ops::Range<usize> {
        self.first[feature]..self.first[feature + 1]
    }

    /// How many cells all columns have together.
    pub(crate) fn cells(&self) -> usize {
        self.first[self.first.len() - 1]
    }

    fn width(&self) -> usize {
        self.first.len() - 1
    }
}

/// Sums by cell, `[gradient, hessian]` in steps of the scale.
pub(crate) type Histogram = Vec<[f64; 2]>;

/// Counts `entries` into `cells`, whatever they held before.
pub(crate) fn count(codes: &Codes, layout: &Layout, entries: &[Entry], cells: &mut Histogram) {
    cells.clear();
    cells.resize(layout.cells(), [0.0; 2]);
    let threads = rayon::current_num_threads();
    if threads == 1 || entries.len() < SHARED {
        return count_share(codes, layout, entries, cells);
    }
    let share = entries.len().div_ceil(threads);
    let shares: Vec<Histogram> = entries
        .par_chunks(share)
        .map(|entries| {
            let mut cells = vec![[0.0; 2]; layout.cells()];
            count_share(codes, layout, entries, &mut cells);
            cells
        })
        .collect();
    shares.iter().for_each(|share| add(cells, share));
}

fn add(cells: &mut [[f64; 2]], more: &[[f64; 2]]) {
    for (cell, more) in cells.iter_mut().zip(more) {
        cell[0] += more[0];
        cell[1] += more[1];
    }
}

/// Takes the cells of one child off those of its parent, which become those of the other child.
pub(crate) fn subtract(parent: &mut [[f64; 2]], child: &[[f64; 2]]) {
    for (cell, less) in parent.iter_mut().zip(child) {
        cell[0] -= less[0];
        cell[1] -= less[1];
    }
}

fn count_share(codes: &Codes, layout: &Layout, entries: &[Entry], cells: &mut [[f64; 2]]) {
    let width = layout.width();
    let by_row = codes.by_row();
    let mut words: Vec<Words> = vec![[0; 256]; width];
    // Rows far apart: their codes are not yet in a cache.
    let sparse = entries.len() * 4 < codes.rows();
    for some in entries.chunks(ROOM) {
        for turn in some.chunks(TURN) {
            if sparse {
                touch(by_row, width, turn);
            }
            let mut first = 0;
            while first < width {
                first += match width - first {
                    TILE.. => tile::<TILE>(by_row, width, first, turn, &mut words),
                    12.. => tile::<12>(by_row, width, first, turn, &mut words),
                    8.. => tile::<8>(by_row, width, first, turn, &mut words),
                    4.. => tile::<4>(by_row, width, first, turn, &mut words),
                    2.. => tile::<2>(by_row, width, first, turn, &mut words),
                    _ => tile::<1>(by_row, width, first, turn, &mut words),
                };
            }
        }
        for (feature, words) in words.iter_mut().enumerate() {
            empty(words, &mut cells[layout.column(feature)]);
        }
    }
}

/// Adds the rows to the words of `W` columns from `first` on; returns `W`.
#[inline]
fn tile<const W: usize>(by_row: &[u8], width: usize, first: usize, entries: &[Entry], words: &mut [Words]) -> usize {
    // Sixteen columns are left where this is called, so the pieces are always that long.
    let Some(words) = words.get_mut(first..).and_then(|words| words.first_chunk_mut::<W>()) else { return W };
    for entry in entries {
        let from = entry.row as usize * width + first;
        let Some(codes) = by_row.get(from..).and_then(|codes| codes.first_chunk::<W>()) else { continue };
        let word = entry.word();
        for column in 0..W {
            let cell = &mut words[column][usize::from(codes[column])];
            *cell = cell.wrapping_add(word);
        }
    }
    W
}

/// Reads both ends of each row, so that the rows travel to the cache side by side and not one after the other.
fn touch(by_row: &[u8], width: usize, entries: &[Entry]) {
    let all = entries.iter().fold(0, |all, entry| {
        let from = entry.row as usize * width;
        all ^ by_row[from] ^ by_row[from + width - 1]
    });
    black_box(all);
}

/// Counts `entries` by the codes of one column; `cells` are its bins, then missing values.
pub(crate) fn count_column(column: &[u8], entries: &[Entry], cells: &mut [[f64; 2]]) {
    let mut words: Words = [0; 256];
    for some in entries.chunks(ROOM) {
        for entry in some {
            let cell = &mut words[usize::from(column[entry.row as usize])];
            *cell = cell.wrapping_add(entry.word());
        }
        empty(&mut words, cells);
    }
}

/// Moves what the words hold into cells and leaves them empty.
fn empty(words: &mut Words, cells: &mut [[f64; 2]]) {
    for (word, cell) in words.iter_mut().zip(cells) {
        cell[0] += f64::from((*word >> 32) as i32);
        cell[1] += f64::from(*word as i32);
        *word = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::grow::entry;
    use stagewise_core::column::Column;
    use stagewise_core::table::Table;
    use stagewise_numeric::random::Stream;

    /// 40 columns, among them tiles of all widths, against sums in 128-bit integers.
    #[test]
    fn cells_are_the_exact_sums_on_any_number_of_threads() {
        let rows = 70_000;
        let mut stream = Stream::new(5, "histogram");
        let columns: Vec<(String, Column)> = (0..31)
            .map(|j| {
                let value = |x: usize| if x == 0 { f64::NAN } else { x as f64 };
                (
                    format!("x{j}"),
                    Column::numbers((0..rows).map(|_| value(stream.below(3 + 9 * j))).collect::<Vec<_>>()),
                )
            })
            .collect();
        let table = Table::of(columns).unwrap();
        let bins = Bins::learn(&table, None, 255);
        let (codes, layout) = (bins.apply(&table), Layout::new(&bins));
        let pairs: Vec<[f64; 2]> = (0..rows).map(|_| [stream.normal(), stream.unit()]).collect();
        let (all, _) = entry::entries(&pairs, 1, 0, None, None);
        for entries in [&all[..], &all[..9_000], &all[100..101], &[]] {
            let mut expected = vec![[0i128; 2]; layout.cells()];
            for entry in entries {
                for j in 0..31 {
                    let cell = &mut expected[layout.column(j).start + usize::from(codes.column(j)[entry.row as usize])];
                    cell[0] += i128::from(entry.word() >> 32);
                    cell[1] += i128::from(entry.word() as u32);
                }
            }
            for threads in [1, 2, 5] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut cells = Vec::new();
                pool.install(|| count(&codes, &layout, entries, &mut cells));
                let found: Vec<[i128; 2]> = cells.iter().map(|c| [c[0] as i128, c[1] as i128]).collect();
                assert!(found == expected, "{} rows, {threads} threads", entries.len());
            }
        }
        let (mut parent, mut child, mut other) = (Vec::new(), Vec::new(), Vec::new());
        count(&codes, &layout, &all, &mut parent);
        count(&codes, &layout, &all[..30_000], &mut child);
        count(&codes, &layout, &all[30_000..], &mut other);
        subtract(&mut parent, &child);
        assert!(parent == other);
    }
}
