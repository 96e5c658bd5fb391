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

/// Rows of one parallel task.
const BLOCK: usize = 1 << 14;

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
                let steps = Steps::new(cuts);
                values[rows].iter().map(|&x| if x.is_nan() { missing } else { steps.below(x) }).collect()
            }
            (Self::Number { cuts }, Column::Flag(values)) => {
                let steps = Steps::new(cuts);
                let code = |flag: bool| steps.below(f64::from(u8::from(flag)));
                let code_of = [code(false), code(true)];
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

/// Cuts filled up with infinity, for a search of eight steps without branches.
struct Steps([f64; 256]);

impl Steps {
    fn new(cuts: &[f64]) -> Self {
        let mut steps = [f64::INFINITY; 256];
        steps.iter_mut().zip(cuts).for_each(|(step, cut)| *step = *cut);
        Self(steps)
    }

    /// How many cuts lie below `x`.
    #[inline]
    fn below(&self, x: f64) -> u8 {
        let mut below = 0u8;
        for half in [128, 64, 32, 16, 8, 4, 2, 1u8] {
            // A multiplication, because a condition would become a jump that is guessed wrong half of the time.
            below += half * u8::from(self.0[usize::from(below + (half - 1))] < x);
        }
        below
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
        let mut by_row = vec![0; rows * width];
        if width > 0 {
            by_row.par_chunks_mut(BLOCK / 16 * width).enumerate().for_each(|(block, cells)| {
                let first = block * (BLOCK / 16);
                for (j, column) in by_column.iter().enumerate() {
                    let codes = &column[first..first + cells.len() / width];
                    cells.iter_mut().skip(j).step_by(width).zip(codes).for_each(|(cell, &code)| *cell = code);
                }
            });
        }
        Codes { rows, by_row, by_column }
    }
}

/// The codes of a table.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    rows: usize,
    by_row: Vec<u8>,
    by_column: Vec<Vec<u8>>,
}

impl Codes {
    /// How many rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns.
    pub(crate) fn width(&self) -> usize {
        self.by_column.len()
    }

    /// All codes, row by row.
    pub(crate) fn by_row(&self) -> &[u8] {
        &self.by_row
    }

    /// The codes of one column.
    pub(crate) fn column(&self, feature: usize) -> &[u8] {
        &self.by_column[feature]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn the_search_counts_the_cuts_below(mut cuts in prop::collection::vec(-9f64..9.0, 0..255), x in -10f64..10.0) {
            cuts.sort_by(f64::total_cmp);
            let steps = Steps::new(&cuts);
            prop_assert_eq!(usize::from(steps.below(x)), cuts.iter().filter(|&&c| c < x).count());
            prop_assert_eq!(usize::from(steps.below(f64::INFINITY)), cuts.len());
            if let Some(&cut) = cuts.first() {
                prop_assert_eq!(steps.below(cut), 0);
            }
        }
    }
}
