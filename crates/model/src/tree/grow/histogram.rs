//! Histograms: the sums of gradients and hessians of a node's rows, by column and bin.
//!
//! The hot loop of growing a tree. Both sums of a cell are one 64-bit word, so a row costs one addition a column; words
//! are emptied into doubles before they could overflow. The doubles hold whole numbers far below 2⁵³, so that their
//! sums and differences are exact too: the same bits in any order, on any number of threads, and a sibling by
//! subtraction equals one that was counted. Columns are counted in tiles whose words stay in the first-level cache.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::entry::{Entry, ROOM};
use crate::tree::bins::{Bins, Codes};

/// Rows for which the tiles take turns: their codes stay in the second-level cache.
const TURN: usize = 1024;
/// Columns of a full tile: 16 × 256 words are 32 KiB.
const TILE: usize = 16;
/// Columns whose codes are brought together at a time: a line of the cache.
const GROUP: usize = 4 * TILE;
/// Rows of a node from which each thread counts its own share of them.
const SHARED: usize = 1 << 15;

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

/// Counts rows, and keeps what it needs for that to use it again.
pub(crate) struct Counter<'a> {
    codes: &'a Codes,
    layout: &'a Layout,
    desks: Mutex<Vec<Desk>>,
    spare: Mutex<Vec<Histogram>>,
}

impl<'a> Counter<'a> {
    pub(crate) fn new(codes: &'a Codes, layout: &'a Layout) -> Self {
        Self { codes, layout, desks: Mutex::default(), spare: Mutex::default() }
    }

    /// Where the cells of each column lie.
    pub(crate) fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// The sums of `entries` by cell.
    pub(crate) fn count(&self, entries: &[Entry]) -> Histogram {
        let threads = rayon::current_num_threads();
        if threads == 1 || entries.len() < SHARED {
            return self.count_share(entries);
        }
        let share = entries.len().div_ceil(threads);
        let shares: Vec<Histogram> = entries.par_chunks(share).map(|entries| self.count_share(entries)).collect();
        let sum = |mut cells: Histogram, share: Histogram| {
            add(&mut cells, &share);
            self.reuse(share);
            cells
        };
        shares.into_iter().reduce(sum).unwrap_or_default()
    }

    /// Takes back what is no longer needed.
    pub(crate) fn reuse(&self, cells: Histogram) {
        if !cells.is_empty() {
            self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(cells);
        }
    }

    fn count_share(&self, entries: &[Entry]) -> Histogram {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut cells = spare.unwrap_or_else(|| vec![[0.0; 2]; self.layout.cells()]);
        let desk = self.desks.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut desk = desk.unwrap_or_else(|| Desk::new(self.layout.width()));
        desk.count(self.codes, self.layout, entries, &mut cells);
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).push(desk);
        cells
    }
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

/// Where the rows of a turn are brought together: what lies far apart travels to the cache side by side and not one after
/// the other, and is read in order from then on.
struct Desk {
    /// The sums of each column, empty between two counts.
    words: Vec<Words>,
    /// The words of the rows.
    rows: [i64; TURN],
    /// The codes of the rows, tile after tile.
    codes: Vec<[u8; TILE]>,
}

impl Desk {
    fn new(width: usize) -> Self {
        let codes = vec![[0; TILE]; width.min(GROUP).div_ceil(TILE) * TURN];
        Self { words: vec![[0; 256]; width], rows: [0; TURN], codes }
    }

    fn count(&mut self, codes: &Codes, layout: &Layout, entries: &[Entry], cells: &mut [[f64; 2]]) {
        if entries.is_empty() {
            cells.fill([0.0; 2]);
        }
        for (place, some) in entries.chunks(ROOM).enumerate() {
            for entries in some.chunks(TURN) {
                self.rows.iter_mut().zip(entries).for_each(|(word, entry)| *word = entry.word());
                for first in (0..self.words.len()).step_by(GROUP) {
                    self.gather(codes, first, entries);
                    for (tile, words) in self.words[first..].chunks_mut(TILE).take(GROUP / TILE).enumerate() {
                        add_tile(&self.codes[tile * TURN..][..entries.len()], &self.rows, words);
                    }
                }
            }
            for (feature, words) in self.words.iter_mut().enumerate() {
                let cells = &mut cells[layout.column(feature)];
                if place == 0 {
                    cells.fill([0.0; 2]);
                }
                empty(words, cells);
            }
        }
    }

    /// Takes the codes of the rows in the columns of a group, whose first is `first`.
    fn gather(&mut self, codes: &Codes, first: usize, entries: &[Entry]) {
        match self.codes.len() / TURN {
            1 => gather::<1>(codes, first, entries, &mut self.codes),
            2 => gather::<2>(codes, first, entries, &mut self.codes),
            3 => gather::<3>(codes, first, entries, &mut self.codes),
            _ => gather::<4>(codes, first, entries, &mut self.codes),
        }
    }
}

fn gather<const TILES: usize>(codes: &Codes, first: usize, entries: &[Entry], gathered: &mut [[u8; TILE]]) {
    let (by_row, stride) = (codes.by_row(), codes.stride());
    for (i, entry) in entries.iter().enumerate() {
        let from = entry.row as usize * stride + first;
        // Behind the last row there is room for a whole group.
        let Some(row) = by_row.get(from..from + TILES * TILE) else { continue };
        for (tile, codes) in row.as_chunks::<TILE>().0.iter().enumerate() {
            gathered[tile * TURN + i] = *codes;
        }
    }
}

/// Adds rows to the words of the columns of a tile.
fn add_tile(codes: &[[u8; TILE]], rows: &[i64], words: &mut [Words]) {
    let mut first = 0;
    while first < words.len() {
        let words = &mut words[first..];
        first += match words.len() {
            16.. => add_columns::<16>(codes, first, rows, words),
            12.. => add_columns::<12>(codes, first, rows, words),
            8.. => add_columns::<8>(codes, first, rows, words),
            4.. => add_columns::<4>(codes, first, rows, words),
            2.. => add_columns::<2>(codes, first, rows, words),
            _ => add_columns::<1>(codes, first, rows, words),
        };
    }
}

/// Adds rows to the words of `W` columns from `first` on; returns `W`.
#[inline]
fn add_columns<const W: usize>(codes: &[[u8; TILE]], first: usize, rows: &[i64], words: &mut [Words]) -> usize {
    // So many columns are left where this is called, so the pieces are always that long.
    let Some(words) = words.first_chunk_mut::<W>() else { return W };
    for (codes, word) in codes.iter().zip(rows) {
        let Some(codes) = codes.get(first..).and_then(|codes| codes.first_chunk::<W>()) else { continue };
        for column in 0..W {
            let cell = &mut words[column][usize::from(codes[column])];
            *cell = cell.wrapping_add(*word);
        }
    }
    W
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

    /// 31 columns, among them tiles of all widths, against sums in 128-bit integers.
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
        let mut all = Vec::new();
        entry::fill(&mut all, &pairs, 1, 0, None, None);
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
                let counter = Counter::new(&codes, &layout);
                // What was used before leaves nothing behind.
                counter.reuse(pool.install(|| counter.count(&all[..50_000])));
                let cells = pool.install(|| counter.count(entries));
                let found: Vec<[i128; 2]> = cells.iter().map(|c| [c[0] as i128, c[1] as i128]).collect();
                assert!(found == expected, "{} rows, {threads} threads", entries.len());
            }
        }
        let counter = Counter::new(&codes, &layout);
        let mut parent = counter.count(&all);
        let (child, other) = (counter.count(&all[..30_000]), counter.count(&all[30_000..]));
        subtract(&mut parent, &child);
        assert!(parent == other);
    }
}
