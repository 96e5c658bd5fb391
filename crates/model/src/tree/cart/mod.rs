//! Growing trees that stand for themselves: classification and regression trees, alone or in a forest.
//!
//! Boosting (`grow`) needs a pair of gradient and hessian for each row and histograms of all columns for few large nodes.
//! Here nodes are many and small, each looks at columns of its own, and classes need a sum each. So `tally` counts a few
//! columns of a node in one pass and remembers which bins have rows, `search` visits only those, `truth` says what rows
//! add up to and what that is worth, and `grower` decides which node is split next. One tree is grown by one thread; a
//! forest grows many at a time (`grove`).

pub(super) mod grove;
mod grower;
mod search;
mod tally;
mod truth;

/// What one tree may look like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rules {
    /// How many leaves at most; with a limit the node is split next whose split gains most.
    pub(crate) max_leaves: Option<usize>,
    pub(crate) max_depth: usize,
    /// The least weight of a leaf's rows; 0 for no limit.
    pub(crate) min_weight: f64,
    /// How many columns a node looks at; it looks at more while none of them can be split.
    pub(crate) columns: usize,
    /// Columns are looked at in a random order; else in theirs.
    pub(crate) shuffled: bool,
    /// Also splits that gain nothing are taken: they may lead to some that do.
    pub(crate) gainless: bool,
    /// One random cut a column and node instead of the best.
    pub(crate) random_cuts: bool,
}
