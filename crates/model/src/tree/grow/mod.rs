//! Growing one tree on binned columns: the engine below every learner of trees.
//!
//! The learner hands in a pair of gradient and hessian per row; squared error, with the hessian as the weight, makes it a
//! regression tree or, on 0 and 1, a classification tree by Gini impurity. `entry` rounds the pairs and sends rows left
//! and right, `histogram` adds them up by bin, `score` says what sums are worth, `search` finds the best split (`scan` of numbers,
//! `levels` of categories), `node` splits a node, `queue` says which is split next, `grower` has the threads do it.

pub(crate) mod entry;
mod finish;
pub(crate) mod grower;
pub(crate) mod histogram;
mod levels;
mod node;
mod queue;
mod scan;
pub(crate) mod score;
mod search;

use score::Penalty;

/// Which node is split next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// That whose split gains most.
    Best,
    /// The shallowest.
    Level,
}

/// How categories are split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LevelRules {
    /// Columns of up to so many levels put one against the rest.
    pub(crate) one_against_rest: usize,
    /// Draws the mean gradients of levels together; a level of less weight stays on the right.
    pub(crate) smoothing: f64,
    /// Added to `l2` where several levels go left.
    pub(crate) l2: f64,
    /// How many levels go left at most.
    pub(crate) max_left: usize,
    /// The least weight between two places that are tried.
    pub(crate) min_weight: f64,
}

/// What one tree may look like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Growth {
    pub(crate) order: Order,
    pub(crate) max_leaves: usize,
    pub(crate) max_depth: usize,
    /// The least weight of a leaf's rows.
    pub(crate) min_weight: f64,
    /// The least sum of hessians of a leaf.
    pub(crate) min_hessian: f64,
    /// What a split must gain more than this.
    pub(crate) min_gain: f64,
    pub(crate) penalty: Penalty,
    pub(crate) levels: LevelRules,
    /// By column: 1 if the answer must not fall with it, −1 if it must not rise, 0 if it may do either.
    pub(crate) monotone: Vec<i8>,
    /// Groups of columns that may stand on one way from root to leaf; empty if all may.
    pub(crate) interactions: Vec<Vec<usize>>,
    /// The share of the columns that each level, and of those each node, may look at.
    pub(crate) columns_by_level: f64,
    pub(crate) columns_by_node: f64,
    /// One random cut a column and node instead of the best.
    pub(crate) random_cuts: bool,
}
