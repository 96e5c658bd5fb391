//! Proofs, on the finished trees, that a model keeps the constraints it was grown under.
//!
//! A sum of trees that each rise with a number rises with it. A tree does if, wherever two leaves differ in that number
//! and a row could come to either, the one with the larger number does not answer less. Every such pair is compared: a
//! proof, not a sample.

use std::collections::{BTreeMap, BTreeSet};

use stagewise_core::error::{PipelineError, Result, SchemaError};

use crate::tree::boost::learner::Monotone;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::structure::{LevelSet, Node, Rule, Tree};

/// What one feature may be, for a row to come to a leaf.
#[derive(Debug, Clone, PartialEq)]
struct Side {
    /// Numbers above `low` up to `high`.
    low: f64,
    high: f64,
    missing: bool,
    /// Levels that may not be, by code; of numbers none.
    without: BTreeSet<usize>,
    /// How many levels the splits on the way know; 0 for numbers.
    levels: usize,
}

impl Side {
    const ANY: Self =
        Self { low: f64::NEG_INFINITY, high: f64::INFINITY, missing: true, without: BTreeSet::new(), levels: 0 };

    fn number(mut self, threshold: f64, left: bool, missing_left: bool) -> Self {
        if left {
            self.high = self.high.min(threshold);
        } else {
            self.low = self.low.max(threshold);
        }
        self.missing &= left == missing_left;
        self
    }

    fn level(mut self, set: LevelSet<'_>, left: bool, missing_left: bool) -> Self {
        self.levels = set.levels();
        self.without.extend((0..set.levels()).filter(|&code| set.contains(code) != left));
        self.missing &= left == missing_left;
        self
    }

    /// Whether some value is in both.
    fn meets(&self, other: &Self) -> bool {
        let levels = self.levels.max(other.levels);
        let present = if levels > 0 {
            (0..levels).any(|code| !self.without.contains(&code) && !other.without.contains(&code))
        } else {
            self.low.max(other.low) < self.high.min(other.high)
        };
        present || (self.missing && other.missing)
    }
}

/// A leaf, and what a row must be to come to it.
struct Leaf {
    sides: BTreeMap<usize, Side>,
    values: Vec<f64>,
}

fn leaves(tree: &Tree, outputs: usize) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let mut open = vec![(0, BTreeMap::new())];
    while let Some((at, sides)) = open.pop() {
        match tree.node(at, outputs) {
            Some(Node::Split { feature, rule, left, right, missing_left }) => {
                for (child, goes_left) in [(left, true), (right, false)] {
                    let mut sides: BTreeMap<usize, Side> = sides.clone();
                    let side = sides.remove(&feature).unwrap_or(Side::ANY);
                    let side = match rule {
                        Rule::AtMost(threshold) => side.number(threshold, goes_left, missing_left),
                        Rule::Among(set) => side.level(set, goes_left, missing_left),
                    };
                    sides.insert(feature, side);
                    open.push((child, sides));
                }
            }
            Some(Node::Leaf(values)) => leaves.push(Leaf { sides, values: values.to_vec() }),
            None => {}
        }
    }
    leaves
}

impl TreeEnsemble {
    /// Proves that no score falls (or rises) as a present number grows while all other features stay, by comparing every
    /// two leaves that rows could come to which differ in it alone. Returns how many pairs were compared.
    ///
    /// What holds of scores holds of the answers of every link but the softmax. Missing values of the number itself have
    /// no place in its order. O(trees · leaves² · depth).
    ///
    /// # Errors
    /// [`PipelineError::BrokenPromise`] with the first tree that breaks it; [`SchemaError::MissingColumn`];
    /// [`NumericError::Undefined`](stagewise_core::error::NumericError::Undefined) where leaves answer with lines.
    pub fn prove_monotone(&self, column: &str, direction: Monotone) -> Result<usize> {
        self.require_constants("a proof that answers are monotone")?;
        let feature = self.position(column)?;
        if self.offset_place() == Some(feature) && direction == Monotone::Falling {
            let declared = format!("a score that is falling in `{column}`");
            return Err(PipelineError::BrokenPromise { declared, found: "its offset, which is added".into() }.into());
        }
        let mut pairs = 0;
        for (place, tree) in self.trees().iter().enumerate() {
            let leaves = leaves(tree, self.outputs());
            for low in leaves.iter().filter(|leaf| leaf.sides.contains_key(&feature)) {
                for high in leaves.iter().filter(|leaf| leaf.sides.contains_key(&feature)) {
                    let (a, b) = (&low.sides[&feature], &high.sides[&feature]);
                    if a.low >= b.low || !may_meet(low, high, feature) {
                        continue;
                    }
                    pairs += 1;
                    let (first, second) = if direction == Monotone::Rising { (low, high) } else { (high, low) };
                    if first.values.iter().zip(&second.values).any(|(x, y)| x > y) {
                        return Err(PipelineError::BrokenPromise {
                            declared: format!("a score that is {direction:?} in `{column}`").to_lowercase(),
                            found: format!("tree {place}, where it is not"),
                        }
                        .into());
                    }
                }
            }
        }
        Ok(pairs)
    }

    /// Proves that the columns on every way from root to leaf belong to one of the groups; a column in no group stands
    /// alone. Returns how many ways there are.
    ///
    /// # Errors
    /// [`PipelineError::BrokenPromise`] with the columns that met; [`SchemaError::MissingColumn`].
    pub fn prove_interactions(&self, groups: &[Vec<String>]) -> Result<usize> {
        let positions = |group: &Vec<String>| group.iter().map(|name| self.position(name)).collect::<Result<Vec<_>>>();
        let groups = groups.iter().map(positions).collect::<Result<Vec<_>>>()?;
        let mut ways = 0;
        for leaf in self.trees().iter().flat_map(|tree| leaves(tree, self.outputs())) {
            ways += 1;
            let together: Vec<usize> = leaf.sides.keys().copied().collect();
            if together.len() > 1 && !groups.iter().any(|group| together.iter().all(|column| group.contains(column))) {
                let names: Vec<&str> = together.iter().map(|&column| self.features()[column].as_str()).collect();
                let declared = "columns that meet in their groups only".into();
                return Err(PipelineError::BrokenPromise { declared, found: format!("{names:?} on one way") }.into());
            }
        }
        Ok(ways)
    }

    fn position(&self, column: &str) -> Result<usize> {
        self.features()
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| SchemaError::MissingColumn { name: column.into(), nearest: self.features().to_vec() }.into())
    }
}

/// Whether rows that differ in one feature alone could come to either leaf.
fn may_meet(a: &Leaf, b: &Leaf, but: usize) -> bool {
    a.sides
        .iter()
        .filter(|(feature, _)| **feature != but)
        .all(|(feature, side)| b.sides.get(feature).is_none_or(|other| side.meets(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x <= 1` under either side of `c in {0}`.
    fn model(values: [f64; 4]) -> TreeEnsemble {
        let mut tree = Tree::new();
        let root = tree.split_levels(1, [0], 3, false);
        for (side, pair) in [(true, &values[..2]), (false, &values[2..])] {
            let split = tree.split(0, 1.0, true);
            tree.link(root, side, split);
            for (left, value) in [(true, pair[0]), (false, pair[1])] {
                let leaf = tree.leaf(&[value]);
                tree.link(split, left, leaf);
            }
        }
        TreeEnsemble::sum(vec!["x".into(), "c".into()], vec![0.0], vec![tree]).unwrap()
    }

    #[test]
    fn leaves_that_no_two_rows_could_share_are_not_compared() {
        // The second side lies below the first, but rows of another level do not count.
        assert_eq!(model([5.0, 6.0, 1.0, 2.0]).prove_monotone("x", Monotone::Rising).unwrap(), 2);
        let error = model([5.0, 6.0, 3.0, 2.0]).prove_monotone("x", Monotone::Rising).unwrap_err().to_string();
        assert!(error.contains("rising in `x`") && error.contains("tree 0"), "{error}");
        assert!(model([5.0, 4.0, 3.0, 2.0]).prove_monotone("x", Monotone::Falling).is_ok());
        assert!(model([0.0; 4]).prove_monotone("y", Monotone::Rising).is_err());
    }

    #[test]
    fn columns_that_meet_outside_a_group_are_found() {
        let group = |names: &[&str]| vec![names.iter().map(ToString::to_string).collect::<Vec<_>>()];
        assert_eq!(model([0.0; 4]).prove_interactions(&group(&["x", "c"])).unwrap(), 4);
        let error = model([0.0; 4]).prove_interactions(&group(&["x"])).unwrap_err().to_string();
        assert!(error.contains(r#"["x", "c"] on one way"#), "{error}");
    }
}
