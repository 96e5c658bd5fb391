//! One tree: arrays of nodes, what each of them asks, and what it was seen to be worth in training.
//!
//! One rule for every source of trees: a number goes left if `x <= threshold`, a level goes left if it is in the node's
//! set, and a missing value or a level that the tree has not seen goes where the node says. Children stand behind their
//! parent, so that every walk ends, also in a file that was tampered with.

use serde::{Deserialize, Serialize};

use crate::tree::linear_leaves::{Line, LinearLeaves};

/// The feature of a leaf.
const LEAF: u32 = u32::MAX;
/// The set of a node that asks for a number.
const NO_SET: u32 = u32::MAX;

/// One node of a tree, as [`Tree::node`] shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node<'a> {
    /// An inner node.
    Split {
        /// The position of the feature.
        feature: usize,
        /// What sends a row left.
        rule: Rule<'a>,
        /// The node for rows that the rule sends left.
        left: usize,
        /// The node for all others.
        right: usize,
        /// Whether a missing value, or a level that the tree has not seen, goes left.
        missing_left: bool,
    },
    /// A leaf with its values: one, or one for each output.
    Leaf(&'a [f64]),
}

/// What sends a row left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule<'a> {
    /// `x <= threshold`.
    AtMost(f64),
    /// The level is one of these.
    Among(LevelSet<'a>),
}

/// Some of the levels `0..levels` of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelSet<'a> {
    words: &'a [u64],
    levels: usize,
}

impl<'a> LevelSet<'a> {
    /// How many levels the tree knew; codes from here on it has not seen.
    pub fn levels(self) -> usize {
        self.levels
    }

    /// Whether the level with this code is in the set.
    pub fn contains(self, code: usize) -> bool {
        code < self.levels && self.words.get(code / 64).is_some_and(|word| word >> (code % 64) & 1 == 1)
    }

    /// The set as bits: level `c` is bit `c % 64` of word `c / 64`.
    pub(crate) fn words(self) -> &'a [u64] {
        self.words
    }

    /// The codes in the set, ascending.
    pub fn codes(self) -> impl Iterator<Item = usize> + 'a {
        (0..self.levels).filter(move |&code| self.contains(code))
    }
}

/// One tree: a structure of arrays; node 0 is the root.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    feature: Vec<u32>,
    /// The threshold of a number; how many levels were known of a category.
    threshold: Vec<f64>,
    /// The left child; of a leaf the position of its values.
    left: Vec<u32>,
    right: Vec<u32>,
    missing_left: Vec<bool>,
    values: Vec<f64>,
    /// Where the set of a node begins in `words`; ends with the last node that asks for a level.
    #[serde(default)]
    set: Vec<u32>,
    #[serde(default)]
    words: Vec<u64>,
    /// The weight of the training rows of each node; empty if not known.
    #[serde(default)]
    cover: Vec<f64>,
    /// What each split was worth; empty if not known.
    #[serde(default)]
    gain: Vec<f64>,
    /// The output that a leaf's only value belongs to; absent where leaves have a value for each output.
    #[serde(default)]
    output: Option<u32>,
    /// Lines that leaves answer with; absent in most trees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<LinearLeaves>,
}

impl Tree {
    /// A tree without nodes, whose leaves have a value for each output.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree without nodes, whose leaves have one value that belongs to `output`.
    #[must_use]
    pub fn of_output(output: usize) -> Self {
        Self { output: Some(output as u32), ..Self::default() }
    }

    /// Appends a leaf with its values and returns its position.
    pub fn leaf(&mut self, values: &[f64]) -> usize {
        let at = self.push(LEAF, 0.0, false);
        self.left[at] = self.values.len() as u32;
        self.values.extend_from_slice(values);
        at
    }

    /// Appends a leaf that answers `intercept + Σ slope · x`, and with `constant` where one of these numbers is missing or
    /// infinite; only for trees whose leaves have one value.
    pub fn leaf_line(&mut self, constant: f64, line: Line<'_>) -> usize {
        let value = self.values.len();
        self.lines.get_or_insert_default().push(value, line);
        self.leaf(&[constant])
    }

    /// Appends a split of a number and returns its position; its children are appended later and set by
    /// [`link`](Self::link).
    pub fn split(&mut self, feature: usize, threshold: f64, missing_left: bool) -> usize {
        self.push(feature as u32, threshold, missing_left)
    }

    /// Appends a split of a category with `levels` known levels, of which `codes` go left; codes past them are left out.
    pub fn split_levels(
        &mut self,
        feature: usize,
        codes: impl IntoIterator<Item = usize>,
        levels: usize,
        missing_left: bool,
    ) -> usize {
        let at = self.push(feature as u32, levels as f64, missing_left);
        self.set.resize(at, NO_SET);
        let from = self.words.len();
        self.set.push(from as u32);
        self.words.resize(from + levels.div_ceil(64), 0);
        for code in codes.into_iter().filter(|&code| code < levels) {
            self.words[from + code / 64] |= 1 << (code % 64);
        }
        at
    }

    /// Sets one child of a split; a position that is not there is left alone.
    pub fn link(&mut self, parent: usize, left: bool, child: usize) {
        let side = if left { &mut self.left } else { &mut self.right };
        if let Some(place) = side.get_mut(parent) {
            *place = child as u32;
        }
    }

    /// Says what a node was seen to be worth in training: the weight of its rows, and the gain of its split.
    pub fn weigh(&mut self, at: usize, cover: f64, gain: f64) {
        for (list, value) in [(&mut self.cover, cover), (&mut self.gain, gain)] {
            list.resize(list.len().max(self.feature.len()), 0.0);
            if let Some(place) = list.get_mut(at) {
                *place = value;
            }
        }
    }

    fn push(&mut self, feature: u32, threshold: f64, missing_left: bool) -> usize {
        self.feature.push(feature);
        self.threshold.push(threshold);
        self.left.push(0);
        self.right.push(0);
        self.missing_left.push(missing_left);
        self.feature.len() - 1
    }

    /// How many nodes.
    pub fn len(&self) -> usize {
        self.feature.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.feature.is_empty()
    }

    /// How many leaves.
    pub fn leaves(&self) -> usize {
        self.feature.iter().filter(|&&f| f == LEAF).count()
    }

    /// How many splits the longest way to a leaf passes.
    pub fn depth(&self) -> usize {
        let mut depth = vec![0; self.len()];
        for at in (0..self.len()).filter(|&at| self.feature[at] != LEAF) {
            let below = depth[at] + 1;
            for child in [self.left[at], self.right[at]] {
                if let Some(place) = depth.get_mut(child as usize) {
                    *place = below;
                }
            }
        }
        depth.into_iter().max().unwrap_or(0)
    }

    /// The output that the only value of each leaf belongs to, if leaves do not have a value for each output.
    pub fn output(&self) -> Option<usize> {
        self.output.map(|output| output as usize)
    }

    /// How many values a leaf has, in a model with so many outputs.
    pub fn leaf_width(&self, outputs: usize) -> usize {
        if self.output.is_some() { 1 } else { outputs }
    }

    /// The weight of the training rows that came to a node; absent if it is not known.
    pub fn cover(&self, at: usize) -> Option<f64> {
        self.cover.get(at).copied()
    }

    /// What a split was worth in training; absent if it is not known.
    pub fn gain(&self, at: usize) -> Option<f64> {
        self.gain.get(at).copied()
    }

    /// Whether some leaf answers with a line.
    pub fn has_lines(&self) -> bool {
        self.lines.is_some()
    }

    /// The line of a leaf, if it has one; [`Node::Leaf`] then holds what it answers without.
    pub fn line(&self, at: usize) -> Option<Line<'_>> {
        let leaf = *self.left.get(at).filter(|_| self.feature[at] == LEAF)?;
        self.lines.as_ref()?.line(leaf as usize)
    }

    /// A node, of a tree in a model with so many `outputs`.
    pub fn node(&self, at: usize, outputs: usize) -> Option<Node<'_>> {
        let (feature, left) = (*self.feature.get(at)?, *self.left.get(at)? as usize);
        if feature == LEAF {
            let width = self.leaf_width(outputs);
            return Some(Node::Leaf(self.values.get(left..left.checked_add(width)?)?));
        }
        Some(Node::Split {
            feature: feature as usize,
            rule: self.rule(at)?,
            left,
            right: *self.right.get(at)? as usize,
            missing_left: *self.missing_left.get(at)?,
        })
    }

    fn rule(&self, at: usize) -> Option<Rule<'_>> {
        let threshold = *self.threshold.get(at)?;
        match self.set.get(at) {
            None | Some(&NO_SET) => Some(Rule::AtMost(threshold)),
            Some(&from) => {
                let (from, levels) = (from as usize, threshold as usize);
                let words = self.words.get(from..from.checked_add(levels.div_ceil(64))?)?;
                Some(Rule::Among(LevelSet { words, levels }))
            }
        }
    }

    /// The leaf that a row falls into: the plain walk that every faster one must agree with.
    pub(crate) fn find(&self, row: &[f64]) -> usize {
        let mut at = 0;
        while self.feature[at] != LEAF {
            at = if self.goes_left(at, row) { self.left[at] } else { self.right[at] } as usize;
        }
        at
    }

    /// Whether a split sends a row left.
    pub(crate) fn goes_left(&self, at: usize, row: &[f64]) -> bool {
        let x = row[self.feature[at] as usize];
        match self.rule(at) {
            _ if x.is_nan() => self.missing_left[at],
            Some(Rule::AtMost(threshold)) => x <= threshold,
            Some(Rule::Among(set)) if x >= 0.0 && x < set.levels() as f64 => set.contains(x as usize),
            _ => self.missing_left[at],
        }
    }

    /// The values of a leaf, in a model with so many outputs.
    pub(crate) fn leaf_values(&self, at: usize, outputs: usize) -> &[f64] {
        let from = self.left[at] as usize;
        &self.values[from..from + self.leaf_width(outputs)]
    }

    /// How many values all leaves have together.
    pub(crate) fn leaf_values_in_all(&self) -> usize {
        self.values.len()
    }

    /// Whether every walk ends in a leaf with all its values, they are finite, and no node has two parents.
    pub(crate) fn is_sound(&self, features: usize, outputs: usize) -> bool {
        let n = self.feature.len();
        let mut has_parent = vec![false; n];
        let mut only = |child: usize| has_parent.get_mut(child).is_some_and(|seen| !std::mem::replace(seen, true));
        let lengths = [self.threshold.len(), self.left.len(), self.right.len(), self.missing_left.len()];
        let known = [self.cover.len(), self.gain.len()];
        n > 0
            && lengths.iter().all(|&length| length == n)
            && known.iter().all(|&length| length == 0 || length == n)
            && self.output().is_none_or(|output| output < outputs)
            && self
                .lines
                .as_ref()
                .is_none_or(|lines| self.leaf_width(outputs) == 1 && lines.is_sound(features, self.values.len()))
            && self.values.iter().chain(&self.cover).chain(&self.gain).all(|v| v.is_finite())
            && (0..n).all(|at| match self.node(at, outputs) {
                Some(Node::Leaf(_)) => true,
                Some(Node::Split { feature, rule, left, right, .. }) => {
                    let asks = !matches!(rule, Rule::AtMost(threshold) if threshold.is_nan());
                    feature < features && asks && left > at && right > at && only(left) && only(right)
                }
                None => false,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed() -> Tree {
        let mut tree = Tree::new();
        let root = tree.split(1, 0.5, true);
        let low = tree.split_levels(0, [0, 2, 70], 80, false);
        tree.link(root, true, low);
        for (parent, left, value) in [(low, true, 1.0), (low, false, 2.0), (root, false, 3.0)] {
            let leaf = tree.leaf(&[value]);
            tree.link(parent, left, leaf);
        }
        tree
    }

    #[test]
    fn numbers_levels_and_missing_values_go_where_the_node_says() {
        let tree = mixed();
        let value = |row: [f64; 2]| tree.leaf_values(tree.find(&row), 1)[0];
        assert_eq!((value([70.0, 0.5]), value([1.0, 0.5]), value([0.0, 0.6])), (1.0, 2.0, 3.0));
        // A missing number goes left; a missing level, and one past the 80 known, goes right.
        assert_eq!((value([2.0, f64::NAN]), value([f64::NAN, 0.0]), value([80.0, 0.0])), (1.0, 2.0, 2.0));
        assert_eq!((tree.leaves(), tree.len(), tree.depth()), (3, 5, 2));
        let Some(Node::Split { rule: Rule::Among(set), .. }) = tree.node(1, 1) else {
            panic!("node 1 asks for a level")
        };
        assert_eq!(set.codes().collect::<Vec<_>>(), [0, 2, 70]);
    }

    #[test]
    fn trees_that_do_not_fit_together_are_not_sound() {
        let good = mixed();
        assert!(good.is_sound(2, 1));
        assert!(!good.is_sound(1, 1), "a feature that is not there");
        assert!(!good.is_sound(2, 3), "leaves too short");
        let mut looping = good.clone();
        looping.left[0] = 0;
        assert!(!looping.is_sound(2, 1));
        let mut shared = good.clone();
        shared.left[1] = 4;
        assert!(!shared.is_sound(2, 1), "a node with two parents");
        let mut cut = good.clone();
        cut.words.pop();
        assert!(!cut.is_sound(2, 1));
        let mut weighed = good;
        weighed.weigh(0, 12.0, 3.5);
        assert!(weighed.is_sound(2, 1));
        assert_eq!((weighed.cover(0), weighed.gain(0), weighed.cover(4)), (Some(12.0), Some(3.5), Some(0.0)));
    }
}
