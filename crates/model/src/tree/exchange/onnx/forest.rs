//! Trees as the lists of the ONNX operator `TreeEnsemble`: splits of all trees in one row, leaves in another.

use std::collections::BTreeSet;

use stagewise_core::error::Result;

use crate::tree::ensemble::TreeEnsemble;
use crate::tree::exchange::onnx::unencodable;
use crate::tree::structure::{LevelSet, Node, Rule, Tree};

/// Modes of splits.
const AT_MOST: u8 = 0;
const MEMBER: u8 = 6;

/// One list for each attribute of the operator that depends on the trees.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) roots: Vec<i64>,
    pub(super) feature: Vec<i64>,
    pub(super) mode: Vec<u8>,
    pub(super) threshold: Vec<f64>,
    pub(super) missing_true: Vec<i64>,
    /// Where the true and the false side lead, and whether that is a leaf.
    pub(super) child: [Vec<i64>; 2],
    pub(super) is_leaf: [Vec<i64>; 2],
    pub(super) leaf_output: Vec<i64>,
    pub(super) leaf_value: Vec<f64>,
    /// The members of each set; NaN ends a set.
    pub(super) members: Vec<f64>,
    /// The features that a split asks the level of.
    pub(super) categories: BTreeSet<usize>,
}

impl Lists {
    /// The lists of a model. A leaf of the operator has one value: trees whose leaves have several come once for each.
    pub(super) fn of(model: &TreeEnsemble) -> Result<Self> {
        let mut lists = Self::default();
        for (at, tree) in model.trees().iter().enumerate() {
            let outputs = match tree.output() {
                Some(output) => output..output + 1,
                None => 0..model.outputs(),
            };
            for output in outputs {
                lists.tree(at, tree, model.outputs(), output)?;
            }
        }
        if model.trees().is_empty() {
            lists.alone(0, 0.0);
        }
        Ok(lists)
    }

    /// A tree that is one leaf: a split, both sides of which lead to the same value.
    fn alone(&mut self, output: usize, value: f64) {
        let root = self.split(0, AT_MOST, 0.0, false);
        self.roots.push(root as i64);
        for side in 0..2 {
            self.leaf(output, value, (root, side));
        }
    }

    fn tree(&mut self, number: usize, tree: &Tree, outputs: usize, output: usize) -> Result<()> {
        let damaged = || unencodable(format!("tree {number} does not fit together"));
        let value = |values: &[f64]| values.get(if tree.output().is_some() { 0 } else { output }).copied();
        let mut todo = vec![(0, None)];
        while let Some((at, parent)) = todo.pop() {
            let (node, members) = passed(tree, at, outputs).ok_or_else(damaged)?;
            match node {
                Node::Leaf(values) => {
                    let value = value(values).ok_or_else(damaged)?;
                    match parent {
                        None => self.alone(output, value),
                        Some(parent) => self.leaf(output, value, parent),
                    }
                }
                Node::Split { feature, rule, left, right, missing_left } => {
                    let split = match rule {
                        Rule::AtMost(threshold) => self.split(feature, AT_MOST, threshold, missing_left),
                        Rule::Among(_) => {
                            self.categories.insert(feature);
                            self.members.extend(members.iter().map(|&code| code as f64));
                            self.members.push(f64::NAN);
                            self.split(feature, MEMBER, 0.0, false)
                        }
                    };
                    match parent {
                        None => self.roots.push(split as i64),
                        Some((parent, side)) => self.child[side][parent] = split as i64,
                    }
                    let turned = matches!(rule, Rule::Among(_)) && missing_left;
                    let (yes, no) = if turned { (right, left) } else { (left, right) };
                    todo.extend([(no, Some((split, 1))), (yes, Some((split, 0)))]);
                }
            }
        }
        Ok(())
    }

    fn split(&mut self, feature: usize, mode: u8, threshold: f64, missing_true: bool) -> usize {
        self.feature.push(feature as i64);
        self.mode.push(mode);
        self.threshold.push(threshold);
        self.missing_true.push(missing_true.into());
        self.child.iter_mut().chain(&mut self.is_leaf).for_each(|list| list.push(0));
        self.feature.len() - 1
    }

    fn leaf(&mut self, output: usize, value: f64, (parent, side): (usize, usize)) {
        // onnxruntime 1.22 takes a root for a leaf where its sides have the same number, one that of a split, one that of a
        // leaf. The split behind a root is always the next one; so a leaf that nothing leads to takes that number.
        if self.roots.last() == Some(&(parent as i64)) && self.leaf_value.len() == parent + 1 {
            self.leaf_output.push(0);
            self.leaf_value.push(0.0);
        }
        self.child[side][parent] = self.leaf_value.len() as i64;
        self.is_leaf[side][parent] = 1;
        self.leaf_output.push(output as i64);
        self.leaf_value.push(value);
    }
}

/// The node that a walk comes to, past splits of empty sets, and the members that its set has in ONNX.
fn passed(tree: &Tree, mut at: usize, outputs: usize) -> Option<(Node<'_>, Vec<usize>)> {
    loop {
        let node = tree.node(at, outputs)?;
        let Node::Split { rule: Rule::Among(set), left, right, missing_left, .. } = node else {
            return Some((node, Vec::new()));
        };
        let members = members(set, missing_left);
        if !members.is_empty() {
            return Some((node, members));
        }
        // Runtimes do not expect an empty set. Every row takes the false side.
        let next = if missing_left { left } else { right };
        // Children stand behind their parent, so this ends.
        at = Some(next).filter(|&next| next > at)?;
    }
}

/// The levels that take the true side. What is no member, missing or new, takes the false side. So where missing values
/// go left, the members are the levels that go right.
fn members(set: LevelSet<'_>, missing_left: bool) -> Vec<usize> {
    if missing_left { (0..set.levels()).filter(|&code| !set.contains(code)).collect() } else { set.codes().collect() }
}
