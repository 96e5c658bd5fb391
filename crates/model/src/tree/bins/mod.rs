//! Bins: each column as one byte a row, which is all that growing a tree reads.
//!
//! `cuts.rs` learns where numbers are cut and which levels have a bin of their own; this file applies it. The codes are
//! kept twice: row by row for histograms, which read all columns of some rows, and column by column for sending rows
//! left or right, which reads one column of many rows.

mod cuts;

use rayon::prelude::*;
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::schema::Kind;
use stagewise_core::table::Table;
use stagewise_numeric::parallel;

use crate::tree::thresholds::{Room, Thresholds};

/// Rows of one parallel task.
const BLOCK: usize = 1 << 14;
/// Rows that are turned from columns at a time.
const TURN: usize = 1 << 10;
/// Bytes of a line of the cache.
const LINE: usize = 64;

/// How the columns of a table become codes. Codes of a column are `0..bins`, ascending with the value of a number; the
/// code `bins` is a missing value.
#[derive(Debug, Clone)]
pub(crate) struct Bins {
    columns: Vec<ColumnBins>,
}

/// How one column becomes codes.
#[derive(Debug, Clone)]
pub(crate) enum ColumnBins {
    /// `code = #(cuts < x)`: `x <= cuts[b]` holds just if `code <= b`.
    Number {
        /// Ascending; one less than there are bins.
        cuts: Vec<f64>,
    },
    /// A bin for each frequent level, and the last for all others.
    Category {
        /// The bin of each level.
        bin_of: Vec<u8>,
        /// How many bins.
        bins: usize,
    },
}

impl ColumnBins {
    /// How many bins, without that of missing values.
    pub(crate) fn bins(&self) -> usize {
        match self {
            Self::Number { cuts } => cuts.len() + 1,
            Self::Category { bins, .. } => *bins,
        }
    }

    fn codes(&self, column: &Column, rows: std::ops::Range<usize>) -> Vec<u8> {
        let missing = self.bins() as u8;
        match (self, column) {
            (Self::Number { cuts }, Column::Number(values)) => {
                let (thresholds, values) = (Thresholds::of(cuts.clone()), &values[rows]);
                let mut codes = vec![0; values.len()];
                thresholds.count(values, &mut Room::default(), &mut codes);
                codes.iter_mut().zip(values).filter(|(_, x)| x.is_nan()).for_each(|(code, _)| *code = missing);
                codes
            }
            (Self::Number { cuts }, Column::Flag(values)) => {
                let code_of = [0.0, 1.0].map(|x| cuts.partition_point(|&cut| cut < x) as u8);
                values[rows].iter().map(|flag| flag.map_or(missing, |flag| code_of[usize::from(flag)])).collect()
            }
            (Self::Category { bin_of, .. }, Column::Category { codes, .. }) => codes[rows]
                .iter()
                .map(|&code| {
                    // A level that training has not seen counts as missing.
                    if code == MISSING_CODE { missing } else { bin_of.get(code as usize).copied().unwrap_or(missing) }
                })
                .collect(),
            // Columns of another kind are refused before.
            _ => vec![missing; rows.len()],
        }
    }
}

impl Bins {
    /// Learns at most `max_bins` bins a column from a table; `weights` say how much a row counts.
    pub(crate) fn learn(table: &Table, weights: Option<&[f64]>, max_bins: usize) -> Self {
        let columns: Vec<ColumnBins> = (table.schema().fields().par_iter())
            .zip(table.columns())
            .map(|(field, column)| match field.kind {
                Kind::Category => {
                    let levels = field.levels.as_deref().map_or(0, |levels| levels.len());
                    cuts::levels(column, levels, weights, max_bins)
                }
                _ => ColumnBins::Number { cuts: cuts::numbers(column, weights, max_bins) },
            })
            .collect();
        Self { columns }
    }

    /// The columns.
    pub(crate) fn columns(&self) -> &[ColumnBins] {
        &self.columns
    }

    /// The codes of a table with the same columns.
    pub(crate) fn apply(&self, table: &Table) -> Codes {
        let (rows, width) = (table.rows(), self.columns.len());
        let by_column: Vec<Vec<u8>> = (self.columns.par_iter())
            .zip(table.columns())
            .map(|(bins, column)| {
                let blocks = parallel::blocks(rows, BLOCK, |rows| bins.codes(column, rows));
                blocks.concat()
            })
            .collect();
        let mut codes = Codes { rows, stride: stride(width), first_row: 0, by_row: Vec::new(), by_column };
        codes.lay_rows();
        codes
    }
}

/// Rows of a power of two bytes, or of whole lines, do not lie across more lines than they must; that is worth an eighth
/// more memory.
fn stride(width: usize) -> usize {
    let even = if width <= LINE { width.next_power_of_two() } else { width.next_multiple_of(LINE) };
    if (even - width) * 8 <= even { even } else { width }
}

/// The codes of a table.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    rows: usize,
    /// From one row to the next.
    stride: usize,
    /// Where the first row begins: on a line of the cache.
    first_row: usize,
    by_row: Vec<u8>,
    by_column: Vec<Vec<u8>>,
}

impl Codes {
    /// Fills the rows from the columns.
    fn lay_rows(&mut self) {
        let (rows, stride) = (self.rows, self.stride);
        // A line more, for what is read behind the last row.
        self.by_row.resize(rows * stride + 2 * LINE, 0);
        self.first_row = self.by_row.as_ptr().align_offset(LINE).min(LINE);
        let cells = &mut self.by_row[self.first_row..][..rows * stride];
        cells.par_chunks_mut(TURN * stride.max(1)).enumerate().for_each(|(block, cells)| {
            let rows = block * TURN..((block + 1) * TURN).min(rows);
            for (j, column) in self.by_column.iter().enumerate() {
                let codes = &column[rows.clone()];
                cells.iter_mut().skip(j).step_by(stride).zip(codes).for_each(|(cell, &code)| *cell = code);
            }
        });
    }

    /// Puts the rows in another order, in which each comes once.
    pub(crate) fn arrange(&mut self, order: &[u32]) {
        self.by_column.par_iter_mut().for_each(|column| {
            *column = order.iter().map(|&row| column[row as usize]).collect();
        });
        self.lay_rows();
    }

    /// The bytes that the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.rows * self.stride
    }

    /// How many rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns.
    pub(crate) fn width(&self) -> usize {
        self.by_column.len()
    }

    /// All codes, row by row, [`stride`](Self::stride) bytes each.
    pub(crate) fn by_row(&self) -> &[u8] {
        &self.by_row[self.first_row..]
    }

    /// The bytes from one row to the next: the columns, and what is left empty so that a row lies in as few lines of the
    /// cache as can be.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// The codes of one column.
    pub(crate) fn column(&self, feature: usize) -> &[u8] {
        &self.by_column[feature]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_flags_and_levels_become_codes() {
        let table = Table::of([
            ("x", Column::numbers([3.0, f64::NAN, 1.0, f64::INFINITY, -0.0, 0.0])),
            ("f", Column::flags([Some(true), Some(false), None, Some(true), Some(true), Some(true)])),
            ("c", Column::categories([Some("b"), Some("a"), None, Some("b"), Some("b"), Some("c")])),
        ])
        .unwrap();
        let bins = Bins::learn(&table, None, 255);
        let codes = bins.apply(&table);
        assert_eq!(codes.column(0), [2, 4, 1, 3, 0, 0]);
        assert_eq!(codes.column(1), [1, 0, 2, 1, 1, 1]);
        // Levels by how often they come: b, then a and c.
        assert_eq!(codes.column(2), [0, 1, 3, 0, 0, 2]);
        assert_eq!(codes.by_row()[..6], [2, 1, 0, 4, 0, 1]);
    }

    #[test]
    fn rows_are_lengthened_by_an_eighth_at_most() {
        assert_eq!([1, 3, 7, 28, 33, 63, 100, 120].map(stride), [1, 3, 8, 32, 33, 64, 100, 128]);
        let names: Vec<String> = (0..7).map(|j| format!("x{j}")).collect();
        let table = Table::of(names.iter().map(|name| (name.as_str(), Column::numbers([1.0, 2.0])))).unwrap();
        let mut codes = Bins::learn(&table, None, 255).apply(&table);
        assert_eq!(codes.by_row()[..16], [[0, 0, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 0]].concat());
        codes.arrange(&[1, 0]);
        assert_eq!((codes.column(3), &codes.by_row()[..8]), (&[1, 0][..], &[1, 1, 1, 1, 1, 1, 1, 0][..]));
    }
}
