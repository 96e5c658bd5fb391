//! Which rows are kept, and what is kept of them.
//!
//! Rows go by in their order. Kept columns are pieces that grow by merging: a piece that is as long as the one before it is
//! joined to it, so that there are few pieces and each value is copied a few times only. What is kept shares no memory with
//! what it was taken from.

use polars::prelude::{BooleanChunked, DataType, IntoSeries, NewChunkedArray, PolarsResult, Series, StringChunked};
use stagewise_core::error::{ParameterError, Result};
use stagewise_numeric::random::{Stream, nth};

use crate::frame::is_foreign;

/// Which rows are drawn at random.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Draw {
    All,
    Share(f64),
    Rows(usize),
}

impl Draw {
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::All => Ok(()),
            Self::Share(share) => {
                ParameterError::check(share > 0.0 && share <= 1.0, "share", share, "above 0 and at most 1")
            }
            Self::Rows(rows) => ParameterError::check(rows > 0, "sample", rows, "at least 1"),
        }
    }
}

/// Rows kept, in their order.
#[derive(Debug)]
struct Pile {
    /// Which file they are of.
    file: usize,
    columns: Vec<Series>,
    /// The place of each row among all rows.
    rows: Vec<u64>,
}

/// The rows kept of one file.
pub(super) struct Kept {
    pub(super) columns: Vec<Series>,
    pub(super) rows: usize,
}

#[derive(Debug)]
pub(super) struct Sieve {
    draw: Draw,
    start: u64,
    first: Option<usize>,
    /// The number of the file that rows come from, counted from 1; 0 before the first.
    file: usize,
    /// How many rows went by.
    seen: u64,
    kept: usize,
    /// Where a number of rows is drawn: the greatest number that may still be among them.
    most: (u64, u64),
    piles: Vec<Pile>,
}

/// So many more than twice the rows that are drawn may be kept on the way.
const SLACK: usize = 4096;

impl Sieve {
    pub(super) fn new(draw: Draw, seed: u64, first: Option<usize>) -> Self {
        let start = Stream::new(seed, "excerpt").next_u64();
        let most = (u64::MAX, u64::MAX);
        Self { draw, start, first, file: 0, seen: 0, kept: 0, most, piles: Vec::new() }
    }

    /// A file begins.
    pub(super) fn begin(&mut self) {
        self.file += 1;
    }

    /// How many rows went by.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether no row that may follow is kept.
    pub(super) fn is_full(&self) -> bool {
        !matches!(self.draw, Draw::Rows(_)) && self.first.is_some_and(|first| self.kept >= first)
    }

    /// The next rows, and which of them meet the conditions.
    pub(super) fn take(&mut self, columns: Vec<Series>, mut keep: Vec<bool>) -> PolarsResult<()> {
        let (begin, mut rows) = (self.seen, Vec::new());
        self.seen += keep.len() as u64;
        for (row, keep) in (begin..).zip(&mut keep) {
            *keep = *keep && !self.is_full() && self.draws(row);
            if *keep {
                rows.push(row);
                self.kept += 1;
                if self.is_full() {
                    self.seen = row + 1;
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let columns = filtered(&columns, &keep)?;
        self.piles.push(Pile { file: self.file, columns, rows });
        self.merge()?;
        match self.draw {
            Draw::Rows(wanted) if self.kept > wanted.saturating_mul(2).saturating_add(SLACK) => self.prune(wanted),
            _ => Ok(()),
        }
    }

    fn draws(&self, row: u64) -> bool {
        match self.draw {
            Draw::All => true,
            Draw::Share(share) => ((nth(self.start, row) >> 11) as f64) < share * (1_u64 << 53) as f64,
            Draw::Rows(_) => (nth(self.start, row), row) <= self.most,
        }
    }

    fn merge(&mut self) -> PolarsResult<()> {
        while let [.., before, last] = self.piles.as_slice()
            && before.file == last.file
            && before.rows.len() <= last.rows.len()
        {
            let (Some(last), Some(before)) = (self.piles.pop(), self.piles.last_mut()) else { return Ok(()) };
            before.rows.extend(last.rows);
            for (column, more) in before.columns.iter_mut().zip(&last.columns) {
                column.append(more)?;
                *column = alone(column)?;
            }
        }
        Ok(())
    }

    /// Leaves the rows with the `wanted` least numbers.
    fn prune(&mut self, wanted: usize) -> PolarsResult<()> {
        if self.kept <= wanted {
            return Ok(());
        }
        let start = self.start;
        let mut numbers: Vec<(u64, u64)> =
            self.piles.iter().flat_map(|pile| &pile.rows).map(|&row| (nth(start, row), row)).collect();
        let (_, &mut most, _) = numbers.select_nth_unstable(wanted - 1);
        self.most = most;
        self.retain(|row| (nth(start, row), row) <= most)
    }

    fn retain(&mut self, keeps: impl Fn(u64) -> bool) -> PolarsResult<()> {
        for pile in &mut self.piles {
            let keep: Vec<bool> = pile.rows.iter().map(|&row| keeps(row)).collect();
            pile.columns = filtered(&pile.columns, &keep)?;
            pile.rows.retain(|&row| keeps(row));
        }
        self.piles.retain(|pile| !pile.rows.is_empty());
        self.kept = self.piles.iter().map(|pile| pile.rows.len()).sum();
        Ok(())
    }

    /// What is kept of each file, on its columns without rows.
    pub(super) fn finish(mut self, empty: Vec<Vec<Series>>) -> PolarsResult<Vec<Kept>> {
        if let Draw::Rows(wanted) = self.draw {
            self.prune(wanted)?;
            let rows = self.piles.iter().flat_map(|pile| &pile.rows);
            if let Some(&last) = self.first.and_then(|first| rows.clone().nth(first - 1)) {
                self.retain(|row| row <= last)?;
            }
        }
        let mut kept: Vec<Kept> = empty.into_iter().map(|columns| Kept { columns, rows: 0 }).collect();
        for pile in self.piles {
            let Some(kept) = kept.get_mut(pile.file.saturating_sub(1)) else { continue };
            kept.rows += pile.rows.len();
            for (column, more) in kept.columns.iter_mut().zip(&pile.columns) {
                column.append(more)?;
            }
        }
        for column in kept.iter_mut().flat_map(|kept| &mut kept.columns) {
            *column = column.rechunk();
        }
        Ok(kept)
    }
}

fn filtered(columns: &[Series], keep: &[bool]) -> PolarsResult<Vec<Series>> {
    let mask = BooleanChunked::from_slice("keep".into(), keep);
    columns.iter().map(|column| alone(&column.filter(&mask)?)).collect()
}

/// The same values in memory of their own. Of values that no column can hold only their number is left.
fn alone(column: &Series) -> PolarsResult<Series> {
    let name = column.name().clone();
    Ok(if is_foreign(column)? {
        Series::full_null(name, column.len(), column.dtype())
    } else if *column.dtype() == DataType::String {
        column.str()?.iter().collect::<StringChunked>().with_name(name).into_series()
    } else {
        column.rechunk()
    })
}
