//! One tree of an XGBoost document: lists with an entry for each node.

use stagewise_core::error::Result;

use crate::tree::exchange::rebuild::{Asked, Content, Found, rebuild};
use crate::tree::exchange::undecodable;
use crate::tree::exchange::xgboost::MODEL;
use crate::tree::exchange::xgboost::document::{Forest, TreeDocument};
use crate::tree::structure::Tree;

/// XGBoost takes no larger codes.
const MOST_LEVELS: usize = 1 << 24;
/// How many levels there may have been where the document lists none.
const UNLISTED: usize = 1024;
/// How many levels all sets of a model may have together: 256 MiB of bits.
const MOST_BITS: usize = 1 << 31;

/// How many levels each feature has, and how many features there are.
pub(super) struct Levels {
    known: Vec<usize>,
    listed: Vec<bool>,
}

impl Levels {
    /// Those that the document lists; where it lists none, up to the largest of any set.
    pub(super) fn of(forest: &Forest, features: usize) -> Result<Self> {
        let ends = |feature: usize| forest.cats.feature_segments.get(feature..feature.checked_add(2)?);
        let listed = (0..features).map(|at| ends(at).map_or(0, |ends| ends[1].saturating_sub(ends[0])));
        let known: Vec<usize> = listed.collect();
        let mut levels = Self { listed: known.iter().map(|&known| known > 0).collect(), known };
        for tree in &forest.trees {
            // Sets that overlap could ask for far more time than the text is long.
            let sizes = tree.categories_sizes.iter().fold(0_usize, |sum, &size| sum.saturating_add(size));
            if sizes > tree.categories.len() {
                return Err(undecodable(MODEL, "the category sets of a tree overlap"));
            }
            for at in 0..tree.categories_nodes.len() {
                let (node, codes) = set(tree, at)?;
                let known = tree.split_indices.get(node).and_then(|&feature| levels.known.get_mut(feature));
                if let Some(known) = known {
                    *known = codes.iter().fold(*known, |known, code| known.max(code.saturating_add(1)));
                }
            }
        }
        let largest = levels.known.iter().copied().max().unwrap_or(0);
        let features = forest.trees.iter().flat_map(|tree| {
            let nodes = tree.categories_nodes.iter();
            nodes.filter_map(|&node| tree.split_indices.get(node).copied())
        });
        let bits = features.fold(0, |bits: usize, feature| bits.saturating_add(levels.count(feature, false)));
        if bits > MOST_BITS || largest > MOST_LEVELS {
            let reason = format!("a category has {largest} levels, all sets together {bits}: more than can be");
            return Err(undecodable(MODEL, reason));
        }
        Ok(levels)
    }

    fn features(&self) -> usize {
        self.known.len()
    }

    /// The levels of a split. All levels outside its set go left, also those that no set tells of: where missing values,
    /// and with them new levels, go right, there must be room for them.
    fn count(&self, feature: usize, missing_left: bool) -> usize {
        match (self.known.get(feature), self.listed.get(feature)) {
            (Some(&known), Some(false)) if !missing_left => {
                known.checked_next_multiple_of(64).unwrap_or(known).max(UNLISTED)
            }
            // Of a feature that is not there: refused with its split.
            (known, _) => known.copied().unwrap_or(0),
        }
    }
}

/// The node of a set of a tree, and its codes.
fn set(tree: &TreeDocument, at: usize) -> Result<(usize, &[usize])> {
    let found = || {
        let from = *tree.categories_segments.get(at)?;
        let codes = tree.categories.get(from..from.checked_add(*tree.categories_sizes.get(at)?)?)?;
        Some((*tree.categories_nodes.get(at)?, codes))
    };
    found().ok_or_else(|| undecodable(MODEL, format!("the category set {at} of a tree is not there")))
}

/// Fills the `empty` tree from its document; every leaf is multiplied by `weight`.
pub(super) fn read(tree: &TreeDocument, empty: Tree, part: &str, weight: f64, levels: &Levels) -> Result<Tree> {
    let nodes = tree.left_children.len();
    if !matches!(tree.tree_param.size_leaf_vector.as_str(), "" | "0" | "1") {
        return Err(undecodable(part, "its leaves have a value for several outputs, one is needed"));
    }
    let all =
        [tree.right_children.len(), tree.split_indices.len(), tree.split_conditions.len(), tree.default_left.len()];
    let some = [tree.sum_hessian.len(), tree.loss_changes.len(), tree.split_type.len()];
    if all.iter().any(|&length| length != nodes) || some.iter().any(|&length| length != 0 && length != nodes) {
        return Err(undecodable(part, format!("it has {nodes} nodes, its lists differ in length")));
    }
    let mut sets = vec![None; nodes];
    for at in 0..tree.categories_nodes.len() {
        let (node, codes) = set(tree, at)?;
        *sets.get_mut(node).ok_or_else(|| undecodable(part, format!("a category set is of node {node}")))? =
            Some(codes);
    }
    rebuild(empty, part, (0, nodes, levels.features()), |at| node(tree, at, part, weight, (&sets, levels)))
}

fn node(
    tree: &TreeDocument,
    at: usize,
    part: &str,
    weight: f64,
    (sets, levels): (&[Option<&[usize]>], &Levels),
) -> Result<Found> {
    let missing = || undecodable(part, format!("it has no node {at}"));
    let &condition = tree.split_conditions.get(at).ok_or_else(missing)?;
    let cover = tree.sum_hessian.get(at).map(|&cover| f64::from(cover));
    if tree.left_children[at] == -1 {
        return Ok(Found { content: Content::Leaf(f64::from(condition) * weight), cover, gain: 0.0 });
    }
    let child = |written: i64| {
        let found = usize::try_from(written).ok().filter(|&child| child < tree.left_children.len());
        found.ok_or_else(|| undecodable(part, format!("a split leads to node {written}, which is not there")))
    };
    let (feature, missing_left) = (tree.split_indices[at], tree.default_left[at].0);
    let rule = match tree.split_type.get(at) {
        None | Some(0) => {
            Asked::AtMost(at_most(condition).ok_or_else(|| undecodable(part, format!("a threshold is {condition}")))?)
        }
        Some(1) => {
            let right =
                sets[at].ok_or_else(|| undecodable(part, format!("the category set of node {at} is not there")))?;
            let levels = levels.count(feature, missing_left);
            let mut left = vec![true; levels];
            right.iter().for_each(|&code| {
                if let Some(goes_left) = left.get_mut(code) {
                    *goes_left = false;
                }
            });
            Asked::Among { codes: (0..levels).filter(|&code| left[code]).collect(), levels }
        }
        Some(other) => return Err(undecodable(part, format!("a split is of the unknown kind {other}"))),
    };
    let content = Content::Split {
        feature,
        rule,
        missing_left,
        left: child(tree.left_children[at])?,
        right: child(tree.right_children[at])?,
    };
    Ok(Found { content, cover, gain: tree.loss_changes.get(at).map_or(0.0, |&gain| gain.into()) })
}

/// The largest number of 64 bits that is below `t` once it is rounded to 32 bits; none if `t` is no number.
///
/// Between `t` and the number of 32 bits before it lies the middle: all below it round down, all above it up, and it
/// goes to the one whose last bit is 0.
fn at_most(t: f32) -> Option<f64> {
    if !t.is_finite() {
        return None;
    }
    let before = t.next_down();
    // Rounding takes the infinity before `f32::MIN` for the power of two that would be next.
    let before = if before.is_finite() { f64::from(before) } else { -2.0_f64.powi(128) };
    let middle = f64::midpoint(before, f64::from(t));
    Some(if (middle as f32) < t { middle } else { middle.next_down() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thresholds_at_the_ends() {
        assert_eq!(at_most(0.0), Some((-f64::from(f32::from_bits(1)) / 2.0).next_down()));
        assert_eq!(at_most(1.0).map(|x| (x as f32) < 1.0 && (x.next_up() as f32) >= 1.0), Some(true));
        assert_eq!(at_most(f32::MIN).map(|x| x as f32), Some(f32::NEG_INFINITY));
        assert_eq!((at_most(f32::NAN), at_most(f32::INFINITY), at_most(f32::NEG_INFINITY)), (None, None, None));
    }

    proptest! {
        #[test]
        fn every_number_goes_where_its_32_bits_go(bits: u32, near in -4_i32..4) {
            let t = f32::from_bits(bits);
            prop_assume!(t.is_finite());
            let threshold = at_most(t).unwrap();
            let mut xs = vec![threshold, threshold.next_up(), threshold.next_down(), t.into(), 0.0, -0.0, 1e300, -1e300];
            let mut x = t;
            for _ in 0..near.abs() {
                x = if near < 0 { x.next_down() } else { x.next_up() };
                xs.push(x.into());
            }
            for x in xs {
                prop_assert_eq!(x <= threshold, (x as f32) < t, "{} at {}", x, t);
            }
        }
    }
}
