//! The best split of a node, found on its histogram.
//!
//! Numbers are looked at in `scan.rs`, categories in `levels.rs`. Equal gains go to the first column and the first bin.
//! Only the best candidate of all columns is written out as a table of codes.

use rayon::prelude::*;

use super::Growth;
use super::entry::Scale;
use super::histogram::Layout;
use super::score::Score;
use super::{levels, scan};
use crate::tree::bins::{Bins, ColumnBins};

/// Weights are sums of rounded hessians, so `20` may come as `19.999…`.
const NEARLY: f64 = 1.0 - 1e-9;
/// Columns of one parallel task.
const COLUMNS: usize = 64;

/// A split, in codes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Split {
    pub(crate) feature: usize,
    /// Which codes go left.
    pub(crate) left: Box<[bool; 256]>,
    /// The last bin of a number that goes left.
    pub(crate) last_bin: usize,
    /// Whether missing values go left.
    pub(crate) missing_left: bool,
    /// What it takes off the loss, twice, in units of the data.
    pub(crate) gain: f64,
    /// The sums of the rows that go left, in steps.
    pub(crate) sums: [f64; 2],
    /// What the gain supposes to be added to `l2` in the answers of both sides.
    pub(crate) extra_l2: f64,
}

/// A split that may be the best.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(super) feature: usize,
    pub(super) left: Left,
    pub(super) missing_left: bool,
    pub(super) gain: f64,
    pub(super) sums: [f64; 2],
    pub(super) extra_l2: f64,
}

/// The bins that go left.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Left {
    /// Those up to this one.
    UpTo(usize),
    /// These.
    These(Vec<usize>),
}

impl Candidate {
    /// The candidate as a table of codes.
    pub(crate) fn split(self, bins: &Bins) -> Split {
        let Self { feature, left, missing_left, gain, sums, extra_l2 } = self;
        let mut table = Box::new([false; 256]);
        let last_bin = match &left {
            Left::UpTo(last) => {
                table[..=*last].fill(true);
                *last
            }
            Left::These(codes) => {
                codes.iter().for_each(|&code| table[code] = true);
                0
            }
        };
        table[bins.columns()[feature].bins()] = missing_left;
        Split { feature, left: table, last_bin, missing_left, gain, sums, extra_l2 }
    }
}

/// What a search needs to know about the node.
pub(crate) struct Node<'a> {
    /// The sums of all its rows, in steps.
    pub(crate) sums: [f64; 2],
    /// The sum of its weights over that of its hessians, in steps.
    pub(crate) weight_per_step: f64,
    pub(crate) scale: Scale,
    pub(crate) score: Score,
    pub(crate) growth: &'a Growth,
    /// Draws the cut of each column at random, where the learner wants that.
    pub(crate) random: Option<u64>,
}

impl Node<'_> {
    /// The least hessian of a child, in steps.
    pub(super) fn least(&self) -> f64 {
        let by_hessian = self.growth.min_hessian / self.scale.hessian;
        let by_rows = self.growth.min_weight * NEARLY / self.weight_per_step;
        by_hessian.max(by_rows).max(1.0)
    }

    /// What two sides gain over the node as it is, by the score that they were found with; `None` if that is too little.
    pub(super) fn gain(&self, both: f64, score: &Score) -> Option<f64> {
        let gain = score.worth(both - score.one(self.sums));
        (gain > self.growth.min_gain).then_some(gain)
    }

    /// Whether a weight that was estimated reaches a limit.
    pub(super) fn reaches(weight: f64, least: f64) -> bool {
        weight >= least * NEARLY
    }
}

/// The best split of one column; `cells` are its bins, then missing values.
pub(crate) fn best(node: &Node<'_>, bins: &Bins, feature: usize, cells: &[[f64; 2]]) -> Option<Candidate> {
    let (missing, values) = cells.split_last()?;
    match &bins.columns()[feature] {
        ColumnBins::Number { .. } => scan::best(node, feature, values, *missing),
        ColumnBins::Category { .. } => levels::best(node, feature, values, *missing),
    }
}

/// The best split of all `columns`.
pub(crate) fn best_of(
    node: &Node<'_>,
    bins: &Bins,
    layout: &Layout,
    cells: &[[f64; 2]],
    columns: &[usize],
) -> Option<Candidate> {
    let of = |some: &[usize]| {
        some.iter()
            .fold(None, |found, &feature| better(found, best(node, bins, feature, &cells[layout.column(feature)])))
    };
    if columns.len() <= COLUMNS {
        return of(columns);
    }
    let found: Vec<Option<Candidate>> = columns.par_chunks(COLUMNS).map(of).collect();
    found.into_iter().fold(None, better)
}

/// The better of two; of equals the first.
pub(crate) fn better(first: Option<Candidate>, second: Option<Candidate>) -> Option<Candidate> {
    match (&first, &second) {
        (Some(a), Some(b)) if b.gain > a.gain => second,
        (None, _) => second,
        _ => first,
    }
}
