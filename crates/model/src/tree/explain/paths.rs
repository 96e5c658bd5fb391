//! A tree unrolled for explaining: its nodes before their children, each with the branch that leads to it.
//!
//! A feature that is asked twice on one path is one player, so every branch knows the branch above it that asked the same
//! feature; what both say is merged there.

use stagewise_core::error::{NumericError, Result};

use crate::tree::structure::{Node, Rule, Tree};

/// A tree unrolled.
pub(super) struct Paths<'a> {
    tree: &'a Tree,
    outputs: usize,
    /// The root, then every node behind its parent, with the branch that leads to it.
    pub(super) branches: Vec<Branch>,
    splits: Vec<Split>,
}

/// The branch that leads to a node; that of the root is none, and is its own parent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    /// The branch above.
    pub(super) parent: usize,
    /// The branch above that asked the same feature last; 0 if none did.
    pub(super) previous: usize,
    pub(super) feature: usize,
    /// Which of the different features of the path it asks, counted from the root.
    pub(super) place: usize,
    /// How many different features the path down to here asks.
    pub(super) distinct: usize,
    /// The share of the training weight of its split that took this branch.
    pub(super) share: f64,
    pub(super) split: usize,
    pub(super) left: bool,
    /// The leaf that it leads to, in the tree.
    leaf: Option<usize>,
}

/// A split, ready to be asked.
struct Split {
    at: usize,
    feature: usize,
    /// The threshold of a number.
    number: Option<f64>,
    missing_left: bool,
}

impl<'a> Paths<'a> {
    /// Unrolls a sound tree of a model with so many outputs. O(nodes · depth).
    pub(super) fn of(tree: &'a Tree, outputs: usize) -> Self {
        let root = Branch {
            parent: 0,
            previous: 0,
            feature: 0,
            place: 0,
            distinct: 0,
            share: 1.0,
            split: 0,
            left: true,
            leaf: None,
        };
        let mut paths = Self { tree, outputs, branches: Vec::with_capacity(tree.len()), splits: Vec::new() };
        let mut waiting = vec![(0, root)];
        while let Some((at, mut branch)) = waiting.pop() {
            let here = paths.branches.len();
            match tree.node(at, outputs) {
                Some(Node::Split { feature, rule, left, right, missing_left }) => {
                    paths.branches.push(branch);
                    let number = if let Rule::AtMost(threshold) = rule { Some(threshold) } else { None };
                    let split = paths.splits.len();
                    paths.splits.push(Split { at, feature, number, missing_left });
                    let previous = paths.last_asked(here, feature);
                    let place = if previous == 0 { branch.distinct } else { paths.branches[previous].place };
                    let distinct = branch.distinct + usize::from(previous == 0);
                    let [share, rest] = shares(tree, left, right);
                    let below = Branch {
                        parent: here,
                        previous,
                        feature,
                        place,
                        distinct,
                        share,
                        split,
                        left: true,
                        leaf: None,
                    };
                    waiting.push((right, Branch { share: rest, left: false, ..below }));
                    waiting.push((left, below));
                }
                _ => {
                    branch.leaf = Some(at);
                    paths.branches.push(branch);
                }
            }
        }
        paths
    }

    /// Checks that the training weight of the nodes is known.
    pub(super) fn require_covers(&self, number: usize) -> Result<()> {
        let cover = |at: usize| self.tree.cover(at).unwrap_or(0.0);
        let known = self.splits.is_empty() || (cover(0) > 0.0 && (0..self.tree.len()).all(|at| cover(at) >= 0.0));
        if known {
            return Ok(());
        }
        Err(NumericError::Undefined {
            what: "an explanation along the paths of training rows".into(),
            why: format!(
                "tree {number} does not know their weight in its nodes; explain against background rows instead"
            ),
        }
        .into())
    }

    fn last_asked(&self, from: usize, feature: usize) -> usize {
        let mut at = from;
        while at != 0 && self.branches[at].feature != feature {
            at = self.branches[at].parent;
        }
        at
    }

    /// The most different features that a path asks.
    pub(super) fn distinct(&self) -> usize {
        self.branches.iter().map(|branch| branch.distinct).max().unwrap_or(0)
    }

    /// The first output of the leaves' values.
    pub(super) fn first_output(&self) -> usize {
        self.tree.output().unwrap_or(0)
    }

    /// How many values a leaf has.
    pub(super) fn leaf_width(&self) -> usize {
        self.tree.leaf_width(self.outputs)
    }

    /// The values of the leaf that a branch leads to, if it leads to one.
    pub(super) fn leaf(&self, branch: &Branch) -> Option<&'a [f64]> {
        branch.leaf.map(|at| self.tree.leaf_values(at, self.outputs))
    }

    /// Where each split sends a row.
    pub(super) fn ask(&self, row: &[f64], left: &mut Vec<bool>) {
        left.clear();
        left.extend(self.splits.iter().map(|split| match split.number {
            Some(threshold) => {
                let x = row[split.feature];
                (x <= threshold) | (split.missing_left & x.is_nan())
            }
            None => self.tree.goes_left(split.at, row),
        }));
    }

    /// Whether a branch is taken, after [`ask`](Self::ask); the root is for its `left`, which a lone leaf lacks.
    pub(super) fn takes(branch: &Branch, left: &[bool]) -> bool {
        left[branch.split] == branch.left
    }
}

/// The shares of the training weight of two children; a half each if none came there.
fn shares(tree: &Tree, left: usize, right: usize) -> [f64; 2] {
    let [left, right] = [left, right].map(|at| tree.cover(at).unwrap_or(0.0));
    let both = left + right;
    if both > 0.0 { [left / both, right / both] } else { [0.5, 0.5] }
}
