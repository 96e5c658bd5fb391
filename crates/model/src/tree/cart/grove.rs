//! Many trees, each on its own draw of the rows, grown at the same time.
//!
//! Each tree has its own random stream by its number, so threads decide nothing.

use rayon::prelude::*;
use stagewise_core::context::FitContext;
use stagewise_core::error::Result;
use stagewise_core::table::Table;
use stagewise_numeric::random::Stream;

use super::Rules;
use super::grower::{Ground, grow};
use super::truth::{Classes, Events, Numbers, Truth};
use crate::tree::bins::Bins;
use crate::tree::structure::Tree;

/// Which rows a tree learns from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Draw {
    /// All of them.
    All,
    /// This share, each at most once.
    Once(f64),
    /// As many as this share, with replacement.
    Again(f64),
}

/// What is learned.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// Numbers.
    Numbers(&'a [f64]),
    /// Events as 1, others as 0.
    Events(&'a [u32]),
    /// Classes by code, and how many there are.
    Classes(&'a [u32], usize),
}

/// How a grove is grown.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) label: &'a str,
    pub(crate) trees: usize,
    pub(crate) rules: Rules,
    pub(crate) draw: Draw,
    pub(crate) max_bins: usize,
    /// Leaves answer so many quantiles of their rows' numbers, not the mean.
    pub(crate) kept: Option<usize>,
}

/// Grows the trees.
pub(crate) fn grove(
    plan: Plan<'_>,
    table: &Table,
    target: Target<'_>,
    weights: Option<&[f64]>,
    cx: &FitContext,
) -> Result<Vec<Tree>> {
    let bins = Bins::learn(table, weights, plan.max_bins);
    match target {
        Target::Events(class) => plan.grow(&bins, table, &Events::new(class, weights), weights, cx),
        Target::Classes(class, classes) => plan.grow(&bins, table, &Classes::new(class, classes, weights), weights, cx),
        Target::Numbers(target) => {
            plan.grow(&bins, table, &Numbers::new(target, weights, table.rows(), plan.kept), weights, cx)
        }
    }
}

impl Plan<'_> {
    fn grow<T: Truth>(
        &self,
        bins: &Bins,
        table: &Table,
        truth: &T,
        weights: Option<&[f64]>,
        cx: &FitContext,
    ) -> Result<Vec<Tree>> {
        let codes = bins.apply(table);
        let rows = present(table.rows(), weights);
        let ground = Ground { bins, codes: &codes, truth, weights, rules: self.rules };
        let bar = cx.start(self.label, Some(self.trees as u64));
        let grown: Vec<Result<Tree>> = (0..self.trees)
            .into_par_iter()
            .map(|tree| {
                cx.check()?;
                let (drawn, times) = self.draw.rows(&rows, table.rows(), &mut stream_of_rows(cx, tree));
                let grown = grow(ground, &drawn, times.as_deref(), cx.stream(&format!("splits of tree {tree}")));
                bar.advance(1);
                Ok(grown)
            })
            .collect();
        grown.into_iter().collect()
    }
}

/// Rows of weight 0 are not there.
pub(crate) fn present(rows: usize, weights: Option<&[f64]>) -> Vec<u32> {
    (0..rows as u32).filter(|&row| weights.is_none_or(|weights| weights[row as usize] > 0.0)).collect()
}

/// Draws the rows of a tree.
pub(crate) fn stream_of_rows(cx: &FitContext, tree: usize) -> Stream {
    cx.stream(&format!("rows of tree {tree}"))
}

impl Draw {
    /// The rows of a tree among those that are there, ascending, and how many times each of `all` rows was drawn.
    pub(crate) fn rows(self, rows: &[u32], all: usize, stream: &mut Stream) -> (Vec<u32>, Option<Vec<u32>>) {
        let count = |share: f64| ((share * rows.len() as f64).round() as usize).clamp(1, rows.len().max(1));
        match self {
            Self::All => (rows.to_vec(), None),
            Self::Once(share) => (stream.choose(rows.len(), count(share)).into_iter().map(|i| rows[i]).collect(), None),
            Self::Again(share) => {
                let mut times = vec![0; all];
                (0..count(share)).for_each(|_| times[rows[stream.below(rows.len())] as usize] += 1);
                (rows.iter().copied().filter(|&row| times[row as usize] > 0).collect(), Some(times))
            }
        }
    }
}

#[cfg(test)]
#[path = "golden_tests.rs"]
mod tests;
