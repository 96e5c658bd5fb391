//! Answers of trees some of whose leaves are lines: the same walks, and then the line of the leaf.
//!
//! Its own way, so that trees of constants, which are most, do not ask at every leaf.

use super::nodes::Nodes;
use crate::tree::linear_leaves::{Line, LinearLeaves};
use crate::tree::structure::{Node, Tree};

/// The lines of all trees, by the place of a leaf's first value among all values.
#[derive(Debug)]
pub(super) struct Lines {
    lines: LinearLeaves,
}

impl Lines {
    /// The lines of these trees, which are sound; absent if no tree has any.
    pub(super) fn of(trees: &[Tree], nodes: &Nodes, outputs: usize) -> Option<Self> {
        if !trees.iter().any(Tree::has_lines) {
            return None;
        }
        let mut found: Vec<(usize, Line<'_>)> = Vec::new();
        for (tree, root) in trees.iter().zip(nodes.roots()) {
            let mut open = vec![(0, root)];
            while let Some((old, new)) = open.pop() {
                match tree.node(old, outputs) {
                    Some(Node::Split { left, right, .. }) => {
                        let [to_left, to_right] = nodes.children(new);
                        open.extend([(left, to_left), (right, to_right)]);
                    }
                    _ => found.extend(tree.line(old).map(|line| (nodes.values_of(new), line))),
                }
            }
        }
        found.sort_by_key(|(at, _)| *at);
        let mut lines = LinearLeaves::default();
        found.into_iter().for_each(|(at, line)| lines.push(at, line));
        Some(Self { lines })
    }

    /// Adds the leaves of one row to its scores, in the order of the trees.
    pub(super) fn add_row(&self, nodes: &Nodes, row: &[f64], scores: &mut [f64]) {
        nodes.each_leaf(row, |output, at, values| {
            match self.lines.line(at).and_then(|line| line.answer(|feature| row[feature])) {
                Some(answer) => scores[output] += answer,
                None => scores[output..].iter_mut().zip(values).for_each(|(score, value)| *score += value),
            }
        });
    }
}
