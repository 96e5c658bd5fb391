//! From codes to the canonical form: thresholds for bins, levels for their bins, weights and gains for the nodes.

use super::grower::{Grown, GrownNode};
use crate::tree::bins::{Bins, Codes, ColumnBins};
use crate::tree::structure::Tree;

impl Grown {
    /// The leaf that a row falls into, by its codes.
    pub(crate) fn find(&self, codes: &Codes, row: usize) -> usize {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                GrownNode::Leaf(leaf) => return *leaf,
                GrownNode::Split(split, first) => {
                    let code = codes.column(split.feature)[row];
                    at = first + usize::from(!split.left[usize::from(code)]);
                }
            }
        }
    }

    /// Appends the tree to `tree`, which has no nodes yet: each leaf as `leaf` appends it, with the weight of its rows.
    pub(crate) fn finish(
        &self,
        mut tree: Tree,
        bins: &Bins,
        weights: &[f64],
        leaf: impl Fn(&mut Tree, usize) -> usize,
    ) -> Tree {
        let mut covers = vec![0.0; self.nodes.len()];
        // Children stand behind their parent.
        for (at, node) in self.nodes.iter().enumerate().rev() {
            covers[at] = match node {
                GrownNode::Leaf(leaf) => weights[*leaf],
                GrownNode::Split(_, first) => covers[*first] + covers[first + 1],
            };
        }
        for (node, cover) in self.nodes.iter().zip(covers) {
            let (at, gain) = match node {
                GrownNode::Leaf(place) => (leaf(&mut tree, *place), 0.0),
                GrownNode::Split(split, _) => {
                    let (feature, missing_left) = (split.feature, split.missing_left);
                    let at = match &bins.columns()[feature] {
                        ColumnBins::Number { cuts } => {
                            // Behind the last bin nothing but missing values goes right.
                            let threshold = cuts.get(split.last_bin).copied().unwrap_or(f64::INFINITY);
                            tree.split(feature, threshold, missing_left)
                        }
                        ColumnBins::Category { bin_of, .. } => {
                            let goes_left = |level: &usize| split.left[usize::from(bin_of[*level])];
                            tree.split_levels(feature, (0..bin_of.len()).filter(goes_left), bin_of.len(), missing_left)
                        }
                    };
                    (at, split.gain)
                }
            };
            tree.weigh(at, cover, gain);
        }
        for (at, node) in self.nodes.iter().enumerate() {
            if let GrownNode::Split(_, first) = node {
                tree.link(at, true, *first);
                tree.link(at, false, first + 1);
            }
        }
        tree
    }
}
