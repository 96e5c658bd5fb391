//! What every binner learns, and the one learned form that they share: the edges of each column.
//!
//! A bin is closed below and open above, `[a, b)`; the first begins at `-∞`, the last ends at `∞`. So every number has
//! a bin, also one outside the range of training, and also `±∞`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::error::Result;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Levels};

use super::label::labels;
use crate::columns::wrong_cell;
use crate::rewrite::{ColumnRule, Rewrite, Training};

/// The level of missing values, where they have a bin of their own.
const MISSING: &str = "(missing)";
/// Up to this many edges it is quicker to compare a value with all of them than to halve.
const FEW: usize = 16;

/// The learned form of every stage that puts numbers into bins.
pub type FittedBins = Rewrite<Binning>;

/// What stands in place of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BinOutput {
    /// The number of its bin, from 0.
    #[default]
    Number,
    /// A level that says the range: `[1, 3)`. Ends are written with four significant digits, more where bins would
    /// otherwise have one name.
    Level,
}

/// What becomes of a missing value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingBin {
    /// It stays missing.
    #[default]
    Keep,
    /// It has a bin of its own behind the others, whether or not a value was missing in training: as a number how many
    /// bins there are else, as a level `(missing)`.
    Own,
}

/// What was learned about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Binning {
    /// Where one bin ends and the next begins; strictly ascending.
    edges: Vec<f64>,
    gives: Gives,
    missing: MissingBin,
    /// How many significant digits labels have at least.
    digits: usize,
}

/// What stands in place of a bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Gives {
    /// Its number.
    Number,
    /// Its level.
    Level,
    /// One of these: one for each bin and one for missing values behind them.
    Values(Vec<f64>),
}

impl From<BinOutput> for Gives {
    fn from(output: BinOutput) -> Self {
        match output {
            BinOutput::Number => Self::Number,
            BinOutput::Level => Self::Level,
        }
    }
}

impl Binning {
    /// Bins between these edges, which are put in order; equal ones count once.
    pub(super) fn new(mut edges: Vec<f64>, gives: Gives, missing: MissingBin) -> Self {
        edges.retain(|edge| edge.is_finite());
        // One zero only.
        edges.iter_mut().for_each(|edge| *edge += 0.0);
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup();
        Self { edges, gives, missing, digits: 4 }
    }

    /// Labels that say edges in full.
    pub(super) fn in_full(self) -> Self {
        Self { digits: 17, ..self }
    }

    /// The one bin of a column without any finite value, with a warning.
    pub(super) fn unlearned(training: &mut Training<'_>, gives: Gives, missing: MissingBin) -> Self {
        training.warn("has no finite value to learn from; all values share one bin");
        Self::new(Vec::new(), gives, missing)
    }

    /// The edges between bins, ascending: one fewer than bins.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// How many bins there are, that of missing values aside.
    pub fn bins(&self) -> usize {
        self.edges.len() + 1
    }

    /// What the bins are called.
    pub fn labels(&self) -> Vec<String> {
        labels(&self.edges, self.digits)
    }

    /// What numbers stand in place of the bins, if it is others than their numbers: one for each bin, and one for
    /// missing values behind them.
    pub fn values(&self) -> Option<&[f64]> {
        match &self.gives {
            Gives::Values(values) => Some(values),
            Gives::Number | Gives::Level => None,
        }
    }

    /// The bin of a value that is not missing: how many edges are not above it.
    #[inline]
    pub(super) fn bin(&self, x: f64) -> usize {
        bin(&self.edges, x)
    }

    /// What stands in place of `x` in a column of numbers.
    #[inline]
    pub(super) fn number(&self, x: f64) -> f64 {
        let bin = match (x.is_nan(), self.missing) {
            (false, _) => self.bin(x),
            (true, MissingBin::Own) => self.bins(),
            (true, MissingBin::Keep) => return f64::NAN,
        };
        self.gives(bin)
    }

    #[inline]
    fn gives(&self, bin: usize) -> f64 {
        match &self.gives {
            Gives::Values(values) => values.get(bin).copied().unwrap_or(0.0),
            Gives::Number | Gives::Level => bin as f64,
        }
    }

    /// What a column becomes.
    pub(super) fn field(field: &Field, level: bool, missing: MissingBin) -> Field {
        let may_lack = field.missing && missing == MissingBin::Keep;
        let made = if level { Field::derived(field.name.clone(), Kind::Category, [field]) } else { field.clone() };
        made.missing(may_lack)
    }

    fn levels(&self) -> Arc<Levels> {
        let own = (self.missing == MissingBin::Own).then(|| MISSING.to_string());
        Arc::new(Levels::new(self.labels().into_iter().chain(own)))
    }

    fn code(&self, x: f64) -> u32 {
        match (x.is_nan(), self.missing) {
            (false, _) => self.bin(x) as u32,
            (true, MissingBin::Own) => self.bins() as u32,
            (true, MissingBin::Keep) => MISSING_CODE,
        }
    }
}

/// How many of the ascending edges are not above `x`, which is not NaN.
#[inline]
pub(super) fn bin(edges: &[f64], x: f64) -> usize {
    if edges.len() <= FEW {
        edges.iter().map(|&edge| usize::from(x >= edge)).sum()
    } else {
        edges.partition_point(|&edge| edge <= x)
    }
}

impl ColumnRule for Binning {
    const TAG: &'static str = "FittedBins";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let is_level = self.gives == Gives::Level;
        let made = Self::field(field, is_level, self.missing);
        vec![if is_level { made.levels(self.levels()) } else { made }]
    }

    fn column(&self, _: &Field, mut column: Column, out: &mut Vec<Column>) -> Result<()> {
        if self.gives == Gives::Level {
            let codes: Vec<u32> = column.as_numbers()?.iter().map(|&x| self.code(x)).collect();
            out.push(Column::Category { codes: Arc::new(codes), levels: self.levels() });
        } else {
            column.make_numbers()?.iter_mut().for_each(|x| *x = self.number(*x));
            out.push(column);
        }
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        let x = match cell {
            Cell::Number(x) => *x,
            Cell::Missing => f64::NAN,
            other => return Err(wrong_cell(Kind::Number, other)),
        };
        out.push(match (&self.gives, self.code(x)) {
            (Gives::Level, MISSING_CODE) => Cell::Missing,
            (Gives::Level, code) => Cell::Level(code),
            (Gives::Number | Gives::Values(_), _) => Cell::number(self.number(x)),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_number_has_a_bin() {
        let rule = Binning::new(vec![3.0, 1.0, f64::NAN, 3.0, -0.0], Gives::Number, MissingBin::Own);
        assert_eq!(rule.edges(), [0.0, 1.0, 3.0]);
        let values = [f64::NEG_INFINITY, -1.0, -0.0, 0.5, 1.0, 2.9, 3.0, f64::INFINITY, f64::NAN];
        assert_eq!(values.map(|x| rule.number(x)), [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0]);
        assert_eq!(rule.labels(), ["(-inf, 0)", "[0, 1)", "[1, 3)", "[3, inf)"]);
    }

    #[test]
    fn a_stored_form_with_too_few_values_gives_no_panic() {
        let rule = Binning { edges: vec![0.0], gives: Gives::Values(vec![]), missing: MissingBin::Keep, digits: 4 };
        assert_eq!(rule.number(3.0), 0.0);
    }

    proptest! {
        #[test]
        fn both_searches_agree(mut edges in prop::collection::vec(-50i32..50, 0..60), x in -60i32..60) {
            edges.sort_unstable();
            edges.dedup();
            let edges: Vec<f64> = edges.into_iter().map(f64::from).collect();
            let x = f64::from(x) / 2.0;
            let below = edges.iter().filter(|edge| **edge <= x).count();
            prop_assert_eq!(bin(&edges, x), below);
        }
    }
}
