//! Counting: the sums of a node's rows by bin, for a few columns in one pass.
//!
//! A row's codes lie side by side, so that a row far from the last costs one trip to memory for all columns. The cells of
//! a pass stay in the first-level cache. Nodes are small as a rule: which bins have rows is kept as bits, and only those
//! are visited and cleared.

use super::truth::{Entry, Truth};
use crate::tree::bins::Codes;

/// Columns of one pass.
pub(super) const PASS: usize = 6;
/// Rows from which the bits are read off the cells, not set row by row.
const MANY: usize = 256;

/// Codes of a column that have rows, one bit each.
pub(super) type Present = [u64; 4];

/// The codes in a set, ascending.
#[inline]
pub(super) fn codes(present: &Present) -> impl Iterator<Item = usize> {
    let mut words = *present;
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < 4 {
            let word = words[at];
            if word != 0 {
                words[at] = word & (word - 1);
                return Some(at * 64 + word.trailing_zeros() as usize);
            }
            at += 1;
        }
        None
    })
}

/// Whether a code is in a set.
#[inline]
pub(super) fn has(present: &Present, code: usize) -> bool {
    present[(code / 64) & 3] >> (code % 64) & 1 == 1
}

/// Puts a code into a set.
#[inline]
pub(super) fn put(present: &mut Present, code: usize) {
    present[(code / 64) & 3] |= 1 << (code % 64);
}

/// The cells of the columns of one pass, 256 each; empty between passes.
pub(super) struct Tally {
    width: usize,
    cells: Vec<f64>,
    present: [Present; PASS],
}

impl Tally {
    pub(super) fn new(width: usize) -> Self {
        Self { width, cells: vec![0.0; PASS * 256 * width], present: [[0; 4]; PASS] }
    }

    /// Counts `entries` by the codes of at most [`PASS`] columns.
    pub(super) fn count<T: Truth>(&mut self, codes: &Codes, columns: &[u32], entries: &[Entry<T::Part>]) {
        match columns.len() {
            1 => self.pass::<T, 1>(codes, columns, entries),
            2 => self.pass::<T, 2>(codes, columns, entries),
            3 => self.pass::<T, 3>(codes, columns, entries),
            4 => self.pass::<T, 4>(codes, columns, entries),
            5 => self.pass::<T, 5>(codes, columns, entries),
            _ => self.pass::<T, PASS>(codes, columns, entries),
        }
    }

    #[inline]
    fn pass<T: Truth, const W: usize>(&mut self, codes: &Codes, columns: &[u32], entries: &[Entry<T::Part>]) {
        let Some(columns) = columns.first_chunk::<W>() else { return };
        let (all, stride, k) = (codes.by_row(), codes.stride(), self.width);
        let few = entries.len() < MANY;
        for entry in entries {
            let from = entry.row as usize * stride;
            let row = &all[from..from + stride];
            for j in 0..W {
                let code = usize::from(row[columns[j] as usize]);
                let at = (j * 256 + code) * k;
                T::add(entry.part, &mut self.cells[at..at + k]);
                if few {
                    put(&mut self.present[j], code);
                }
            }
        }
        if !few {
            for j in 0..W {
                for code in 0..256 {
                    let cell = &self.cells[(j * 256 + code) * k..][..k];
                    self.present[j][code / 64] |= u64::from(T::weight(cell) > 0.0) << (code % 64);
                }
            }
        }
    }

    /// The cells of one column of the pass, and which of them have rows.
    pub(super) fn column(&self, place: usize) -> (&[f64], &Present) {
        let size = 256 * self.width;
        (&self.cells[place * size..(place + 1) * size], &self.present[place])
    }

    /// Empties the cells of so many columns.
    pub(super) fn clear(&mut self, columns: usize) {
        for place in 0..columns {
            for code in codes(&self.present[place]) {
                let at = (place * 256 + code) * self.width;
                self.cells[at..at + self.width].fill(0.0);
            }
            self.present[place] = [0; 4];
        }
    }
}
