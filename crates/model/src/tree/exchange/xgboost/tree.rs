//! One tree of an XGBoost document: lists with an entry for each node.

use stagewise_core::error::Result;

use crate::tree::exchange::rebuild::{Asked, Content, Found, rebuild};
use crate::tree::exchange::undecodable;
use crate::tree::exchange::xgboost::MODEL;
use crate::tree::exchange::xgboost::document::{Forest, TreeDocument};
use crate::tree::structure::Tree;

/// XGBoost takes no larger codes.
const MOST_LEVELS: usize = 1 << 24;
/// How many levels all sets of a model may have together: 128 MiB of bits.
const MOST_BITS: usize = 1 << 30;

/// How many levels each feature has, and how many features there are.
pub(super) struct Levels(Vec<usize>);

impl Levels {
    /// Those that the document lists; where it lists none, the largest of any set, made a multiple of 64.
    pub(super) fn of(forest: &Forest, features: usize) -> Result<Self> {
        let mut levels = vec![0_usize; features];
        let segments = &forest.cats.feature_segments;
        for (levels, ends) in levels.iter_mut().zip(segments.windows(2)) {
            *levels = ends[1].saturating_sub(ends[0]);
        }
        let listed = levels.clone();
        let mut sets = vec![0_usize; features];
        for tree in &forest.trees {
            for at in 0..tree.categories_nodes.len() {
                let (node, codes) = set(tree, at)?;
                let feature = tree.split_indices.get(node).copied().filter(|&feature| feature < features);
                let largest = codes.iter().max().map_or(0, |&code| code.saturating_add(1));
                if let Some(feature) = feature {
                    sets[feature] += 1;
                    levels[feature] = levels[feature].max(largest);
                }
            }
        }
        for (levels, listed) in levels.iter_mut().zip(listed) {
            if listed == 0 {
                *levels = levels.checked_next_multiple_of(64).unwrap_or(usize::MAX);
            }
        }
        let bits = levels.iter().zip(sets).map(|(&levels, sets)| levels.saturating_mul(sets));
        let bits = bits.fold(0_usize, usize::saturating_add);
        let largest = levels.iter().copied().max().unwrap_or(0);
        if bits > MOST_BITS || largest > MOST_LEVELS {
            let reason = format!("a category has {largest} levels, all sets together {bits}: more than can be");
            return Err(undecodable(MODEL, reason));
        }
        Ok(Self(levels))
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
    rebuild(empty, part, (0, nodes, levels.0.len()), |at| node(tree, at, part, weight, (&sets, levels)))
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
    let feature = tree.split_indices[at];
    let rule = match tree.split_type.get(at) {
        None | Some(0) => {
            Asked::AtMost(at_most(condition).ok_or_else(|| undecodable(part, format!("a threshold is {condition}")))?)
        }
        Some(1) => {
            let right =
                sets[at].ok_or_else(|| undecodable(part, format!("the category set of node {at} is not there")))?;
            // Of a feature that is not there: refused with its split.
            let levels = levels.0.get(feature).copied().unwrap_or(0);
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
        missing_left: tree.default_left[at].0,
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
