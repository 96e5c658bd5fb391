//! Trees as one array of small nodes, walked without branches, many rows or many trees at a time.
//!
//! A step is a load that waits for the step before, so one walk alone leaves the processor idle; several that do not
//! depend on each other fill it. A leaf points at itself, so that walks of different lengths can go on together until the
//! last has arrived.

use std::ops::Range;

use crate::tree::structure::{Node, Rule, Tree};

/// Walks in flight.
const LANES: usize = 8;
/// Marks, in the feature of a split, that missing values go left.
const MISSING_LEFT: u32 = 1 << 31;
/// Marks, in the feature of a split, that it asks for a level.
const LEVEL: u32 = 1 << 30;
/// What is left for the feature.
pub(super) const FEATURE: u32 = LEVEL - 1;

/// A split, or a leaf; its right child stands behind its left.
#[derive(Debug, Clone, Copy)]
struct Small {
    /// The threshold of a number; where the set of a level begins, and how many levels it knows; of a leaf a NaN, which
    /// sends every row right.
    asks: f64,
    feature: u32,
    /// The left child; of a leaf the node before it, so that its right child is itself.
    left: u32,
}

/// Where a tree begins, and where its leaves go.
#[derive(Debug, Clone, Copy)]
struct Start {
    root: u32,
    /// The output of the first value of a leaf, and how many values it has.
    output: u32,
    width: u32,
}

/// Trees for walks.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    nodes: Vec<Small>,
    /// Where the values of a leaf begin; one for each node.
    leaf: Vec<u32>,
    starts: Vec<Start>,
    /// Whether some split asks for a level.
    levels: bool,
    values: Vec<f64>,
    words: Vec<u64>,
}

impl Nodes {
    /// These trees, which are sound.
    pub(super) fn of(trees: &[Tree], outputs: usize) -> Self {
        let mut all = Self::default();
        trees.iter().for_each(|tree| all.push(tree, outputs));
        all
    }

    fn push(&mut self, tree: &Tree, outputs: usize) {
        let root = self.nodes.len();
        let (output, width) = (tree.output().unwrap_or(0) as u32, tree.leaf_width(outputs) as u32);
        self.starts.push(Start { root: root as u32, output, width });
        self.room(1);
        let mut open = vec![(0, root)];
        while let Some((old, new)) = open.pop() {
            match tree.node(old, outputs) {
                Some(Node::Split { feature, rule, left, right, missing_left }) => {
                    let child = self.nodes.len();
                    self.room(2);
                    let mut small = Small { asks: 0.0, feature: feature as u32, left: child as u32 };
                    if missing_left {
                        small.feature |= MISSING_LEFT;
                    }
                    match rule {
                        Rule::AtMost(threshold) => small.asks = threshold,
                        Rule::Among(set) => {
                            small.feature |= LEVEL;
                            self.levels = true;
                            small.asks = f64::from_bits((self.words.len() as u64) << 32 | set.levels() as u64);
                            self.words.extend_from_slice(set.words());
                        }
                    }
                    self.nodes[new] = small;
                    open.extend([(right, child + 1), (left, child)]);
                }
                Some(Node::Leaf(values)) => {
                    self.leaf[new] = self.values.len() as u32;
                    self.values.extend_from_slice(values);
                }
                // Sound trees have no such node.
                None => {}
            }
        }
    }

    /// Appends leaves.
    fn room(&mut self, count: usize) {
        for _ in 0..count {
            let before = (self.nodes.len() as u32).wrapping_sub(1);
            self.nodes.push(Small { asks: f64::NAN, feature: 0, left: before });
            self.leaf.push(0);
        }
    }

    /// Adds the leaves of some trees for `rows`, each `width` long, to `scores`, each `outputs` long: tree by tree, many rows at a time.
    pub(super) fn add_rows(&self, trees: Range<usize>, rows: &[f64], width: usize, scores: &mut [f64], outputs: usize) {
        if width == 0 {
            // Without features there is nothing to ask, and every tree is a leaf.
            let starts = &self.starts[trees];
            scores.chunks_exact_mut(outputs).for_each(|scores| self.add_trees(starts, &[], scores));
            return;
        }
        let plain = self.plain(rows);
        for start in &self.starts[trees] {
            for (rows, scores) in rows.chunks(LANES * width).zip(scores.chunks_mut(LANES * outputs)) {
                // The lanes of a short block that have no row stand on its last.
                let last = rows.len() / width - 1;
                let from: [usize; LANES] = std::array::from_fn(|lane| lane.min(last) * width);
                let at = self.walk([start.root; LANES], plain, |lane, feature| rows[from[lane] + feature]);
                for (at, scores) in at.into_iter().zip(scores.chunks_exact_mut(outputs)) {
                    self.add(start, self.leaf[at as usize] as usize, scores);
                }
            }
        }
    }

    /// Adds the leaves of one row to its scores, in the order of the trees, many trees at a time.
    pub(super) fn add_row(&self, row: &[f64], scores: &mut [f64]) {
        self.add_trees(&self.starts, row, scores);
    }

    /// The leaves of a row, in the order of the trees: the first output, the place of the first value, and the values.
    pub(super) fn each_leaf(&self, row: &[f64], mut found: impl FnMut(usize, usize, &[f64])) {
        self.leaves(&self.starts, row, |start, at| {
            found(start.output as usize, at, &self.values[at..at + start.width as usize]);
        });
    }

    /// Where each tree begins.
    pub(super) fn roots(&self) -> impl Iterator<Item = usize> {
        self.starts.iter().map(|start| start.root as usize)
    }

    /// The children of a split.
    pub(super) fn children(&self, at: usize) -> [usize; 2] {
        let left = self.nodes[at].left as usize;
        [left, left + 1]
    }

    /// The place of the first value of a leaf.
    pub(super) fn values_of(&self, at: usize) -> usize {
        self.leaf[at] as usize
    }

    fn add_trees(&self, starts: &[Start], row: &[f64], scores: &mut [f64]) {
        if let [score] = scores {
            // Kept in a register: one addition a tree, and not also a store and the load of it.
            let mut sum = *score;
            self.leaves(starts, row, |_, leaf| sum += self.values[leaf]);
            *score = sum;
        } else {
            self.leaves(starts, row, |start, leaf| self.add(start, leaf, scores));
        }
    }

    /// The leaves of a row, in the order of the trees: where their values begin.
    #[inline(always)]
    fn leaves(&self, starts: &[Start], row: &[f64], mut found: impl FnMut(&Start, usize)) {
        let plain = self.plain(row);
        for starts in starts.chunks(LANES) {
            let mut at: [u32; LANES] = std::array::from_fn(|lane| starts[lane.min(starts.len() - 1)].root);
            if !row.is_empty() {
                at = self.walk(at, plain, |_, feature| row[feature]);
            }
            for (start, at) in starts.iter().zip(at) {
                found(start, self.leaf[at as usize] as usize);
            }
        }
    }

    /// Whether there is neither a missing value nor a split that asks for a level.
    fn plain(&self, values: &[f64]) -> bool {
        !self.levels && !values.iter().fold(false, |any, x| any | x.is_nan())
    }

    /// Takes every lane to its leaf.
    #[inline(always)]
    fn walk(&self, from: [u32; LANES], plain: bool, x: impl Fn(usize, usize) -> f64) -> [u32; LANES] {
        // Arithmetic and not `||`: a branch on data would be guessed wrong every other time.
        if plain {
            self.steps(from, |lane, node| u32::from(x(lane, (node.feature & FEATURE) as usize) <= node.asks))
        } else {
            self.steps(from, |lane, node| {
                let x = x(lane, (node.feature & FEATURE) as usize);
                let missing_left = node.feature >> 31;
                if node.feature & LEVEL != 0 {
                    return u32::from(self.among(node.asks.to_bits(), x, missing_left == 1));
                }
                u32::from(x <= node.asks) | u32::from(x.is_nan()) & missing_left
            })
        }
    }

    #[inline(always)]
    fn steps(&self, from: [u32; LANES], left: impl Fn(usize, Small) -> u32) -> [u32; LANES] {
        let mut at = from;
        loop {
            let mut moved = 0;
            for lane in 0..LANES {
                let node = self.nodes[at[lane] as usize];
                let next = node.left.wrapping_add(left(lane, node) ^ 1);
                moved |= next ^ at[lane];
                at[lane] = next;
            }
            if moved == 0 {
                return at;
            }
        }
    }

    #[inline]
    fn among(&self, set: u64, x: f64, otherwise: bool) -> bool {
        let (from, levels) = ((set >> 32) as usize, set as u32);
        if x >= 0.0 && x < f64::from(levels) {
            let code = x as usize;
            self.words[from + code / 64] >> (code % 64) & 1 == 1
        } else {
            // Also a missing value.
            otherwise
        }
    }

    #[inline]
    fn add(&self, start: &Start, from: usize, scores: &mut [f64]) {
        let (output, width) = (start.output as usize, start.width as usize);
        if width == 1 {
            scores[output] += self.values[from];
        } else {
            let values = &self.values[from..from + width];
            scores[output..].iter_mut().zip(values).for_each(|(score, value)| *score += value);
        }
    }
}
