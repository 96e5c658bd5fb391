//! The sums of the target by level, in parts: what a level looks like with and without a part of the rows.

use stagewise_core::column::Column;
use stagewise_core::error::{DataError, Result};

use super::outcome::{Outcomes, Tally};
use crate::encode::unseen::MissingAs;

/// Which part each row belongs to. A row of weight 0 is of none, which is the number past the last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parts {
    pub(super) of: Vec<u32>,
    pub(super) count: usize,
}

/// The sums of a category's levels, a missing one being the last, in each part.
///
/// One pass over the rows; sums without a part are those of all less those of the part, exact because they are whole.
#[derive(Debug)]
pub(super) struct Sums<'a> {
    outcomes: &'a Outcomes,
    /// The place of each row among the levels.
    places: Places<'a>,
    parts: usize,
    /// Level after level, part after part, the sums.
    sums: Vec<i128>,
}

/// The levels of the rows of a column as places: codes, and the one past the last level where it is missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    codes: &'a [u32],
    levels: u32,
    /// Whether rows without a level are a level.
    missing: bool,
}

impl<'a> Places<'a> {
    pub(super) fn of(column: &'a Column, outcomes: &Outcomes, missing: MissingAs) -> Result<Self> {
        let (codes, levels) = column.as_categories()?;
        let places = Self { codes, levels: levels.len() as u32, missing: missing == MissingAs::Level };
        if missing == MissingAs::Error {
            let is_missing = |row: &usize| places.at(*row) == levels.len() && outcomes.weight(*row) > 0;
            let count = (0..codes.len()).filter(is_missing).count();
            if count > 0 {
                return Err(DataError::MissingValues { count }.into());
            }
        }
        Ok(places)
    }

    #[inline]
    pub(super) fn at(&self, row: usize) -> usize {
        self.codes[row].min(self.levels) as usize
    }

    /// Whether the row says something about its level.
    #[inline]
    pub(super) fn counts(&self, row: usize) -> bool {
        self.missing || self.codes[row] < self.levels
    }

    pub(super) fn rows(&self) -> usize {
        self.codes.len()
    }

    /// How many levels there are, missing among them.
    pub(super) fn count(&self) -> usize {
        self.levels as usize + 1
    }
}

impl<'a> Sums<'a> {
    /// `parts: None` is one part.
    pub(super) fn new(outcomes: &'a Outcomes, places: Places<'a>, parts: Option<&Parts>) -> Self {
        let count = parts.map_or(1, |parts| parts.count);
        let width = outcomes.width();
        let mut sums = vec![0; places.count() * count * width];
        for row in 0..places.rows() {
            let part = parts.map_or(0, |parts| parts.of[row] as usize);
            if part < count && places.counts(row) && outcomes.weight(row) > 0 {
                let start = (places.at(row) * count + part) * width;
                outcomes.add(&mut sums[start..start + width], row);
            }
        }
        Self { outcomes, places, parts: count, sums }
    }

    pub(super) fn outcomes(&self) -> &'a Outcomes {
        self.outcomes
    }

    pub(super) fn places(&self) -> Places<'a> {
        self.places
    }

    /// The sums of a level over all parts but `without`, put into `out`.
    pub(super) fn level(&self, level: usize, without: Option<usize>, out: &mut [i128]) {
        let width = self.outcomes.width();
        let parts = &self.sums[level * self.parts * width..(level + 1) * self.parts * width];
        out.fill(0);
        for (part, sums) in parts.chunks_exact(width).enumerate() {
            if Some(part) != without {
                out.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            }
        }
    }

    /// All levels of one outcome without a part.
    pub(super) fn tallies(&self, outcome: usize, without: Option<usize>) -> Vec<Tally> {
        let mut sums = vec![0; self.outcomes.width()];
        let tally = |level| {
            self.level(level, without, &mut sums);
            self.outcomes.tally(&sums, outcome)
        };
        (0..self.places.count()).map(tally).collect()
    }
}

/// The sums of all rows, whatever their level, in each part: what priors come from.
#[derive(Debug)]
pub(super) struct Totals {
    /// Without each part, and at last of all rows.
    without: Vec<Vec<i128>>,
}

impl Totals {
    pub(super) fn new(outcomes: &Outcomes, counting: &[usize], parts: Option<&Parts>) -> Self {
        let mut all = vec![0; outcomes.width()];
        let mut of_part = vec![all.clone(); parts.map_or(0, |parts| parts.count)];
        for &row in counting {
            outcomes.add(&mut all, row);
            if let Some(parts) = parts {
                outcomes.add(&mut of_part[parts.of[row] as usize], row);
            }
        }
        let rest = |part: &Vec<i128>| all.iter().zip(part).map(|(all, part)| all - part).collect();
        let mut without: Vec<Vec<i128>> = of_part.iter().map(rest).collect();
        without.push(all);
        Self { without }
    }

    /// All rows of one outcome without a part.
    pub(super) fn tally(&self, outcomes: &Outcomes, outcome: usize, without: Option<usize>) -> Tally {
        let last = self.without.len() - 1;
        outcomes.tally(&self.without[without.unwrap_or(last).min(last)], outcome)
    }
}
