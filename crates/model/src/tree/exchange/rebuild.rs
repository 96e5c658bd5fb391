//! The trees of another library, node by node, made ours.
//!
//! Libraries number nodes as they like, and a damaged file may number them in a circle. Here every tree is walked once
//! from its root and its nodes are appended in the order of that walk, so children stand behind their parent and the walk
//! is over, or refused, after as many nodes as the file has.

use stagewise_core::error::Result;

use crate::tree::exchange::undecodable;
use crate::tree::linear_leaves::Line;
use crate::tree::structure::Tree;

/// A node of a file.
pub(super) struct Found {
    pub(super) content: Content,
    /// The weight of the training rows, where the file has it.
    pub(super) cover: Option<f64>,
    /// What the split was worth; 0 for a leaf.
    pub(super) gain: f64,
}

/// What a node of a file is.
pub(super) enum Content {
    Leaf(f64),
    /// A leaf that answers with a line, and with the constant where it can not.
    Line {
        constant: f64,
        intercept: f64,
        features: Vec<u32>,
        slopes: Vec<f64>,
    },
    Split {
        feature: usize,
        rule: Asked,
        missing_left: bool,
        left: usize,
        right: usize,
    },
}

/// What sends a row left.
pub(super) enum Asked {
    AtMost(f64),
    Among { codes: Vec<usize>, levels: usize },
}

/// Fills the empty `tree` from a file that has so many `nodes`, of which `root` is the first; `read` gives one of them.
///
/// # Errors
/// Those of `read`; a node that leads back to one before it; a number that no model may have.
pub(super) fn rebuild(
    mut tree: Tree,
    part: &str,
    (root, nodes, features): (usize, usize, usize),
    read: impl Fn(usize) -> Result<Found>,
) -> Result<Tree> {
    let mut todo = vec![(root, None)];
    while let Some((source, parent)) = todo.pop() {
        if tree.len() == nodes {
            return Err(undecodable(part, "its nodes lead back to one that was passed before"));
        }
        let Found { content, cover, gain } = read(source)?;
        let at = match content {
            Content::Leaf(value) => tree.leaf(&[finite(part, "the value of a leaf", value)?]),
            Content::Line { constant, intercept, features: asked, slopes } => {
                if let Some(feature) = asked.iter().find(|&&feature| feature as usize >= features) {
                    return Err(undecodable(part, format!("a leaf asks for feature {feature}, there are {features}")));
                }
                for &value in slopes.iter().chain([&constant, &intercept]) {
                    finite(part, "a number of a leaf", value)?;
                }
                tree.leaf_line(constant, Line { intercept, features: &asked, slopes: &slopes })
            }
            Content::Split { feature, .. } if feature >= features => {
                let reason = format!("a split asks for feature {feature}, there are {features}");
                return Err(undecodable(part, reason));
            }
            Content::Split { feature, rule, missing_left, left, right } => {
                let at = match rule {
                    // An infinite threshold parts missing values from all others.
                    Asked::AtMost(threshold) if threshold.is_nan() => {
                        return Err(undecodable(part, "a threshold is NaN"));
                    }
                    Asked::AtMost(threshold) => tree.split(feature, threshold, missing_left),
                    Asked::Among { codes, levels } => tree.split_levels(feature, codes, levels, missing_left),
                };
                // The left side is taken off first.
                todo.extend([(right, Some((at, false))), (left, Some((at, true)))]);
                at
            }
        };
        if let Some(cover) = cover {
            if cover < 0.0 {
                return Err(undecodable(part, format!("a node has {cover} training rows")));
            }
            tree.weigh(at, finite(part, "the weight of a node", cover)?, finite(part, "a gain", gain)?);
        }
        if let Some((parent, left)) = parent {
            tree.link(parent, left, at);
        }
    }
    Ok(tree)
}

/// A number of a file, if it is finite.
pub(super) fn finite(part: &str, what: &str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(undecodable(part, format!("{what} is {value}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(left: usize, right: usize) -> Found {
        let content = Content::Split { feature: 0, rule: Asked::AtMost(1.0), missing_left: true, left, right };
        Found { content, cover: Some(3.0), gain: 0.5 }
    }

    fn leaf(value: f64) -> Found {
        Found { content: Content::Leaf(value), cover: Some(1.0), gain: 0.0 }
    }

    #[test]
    fn nodes_in_any_order_become_a_sound_tree() {
        let read = |at| Ok(if at == 2 { split(1, 0) } else { leaf(at as f64) });
        let tree = rebuild(Tree::new(), "a tree", (2, 3, 1), read).unwrap();
        assert!(tree.is_sound(1, 1));
        assert_eq!((tree.leaf_values(tree.find(&[1.0]), 1)[0], tree.leaf_values(tree.find(&[2.0]), 1)[0]), (1.0, 0.0));
        assert_eq!((tree.cover(0), tree.gain(0), tree.cover(2)), (Some(3.0), Some(0.5), Some(1.0)));
    }

    #[test]
    fn circles_and_numbers_that_cannot_be_are_refused() {
        let reason = |found: fn(usize) -> Found, features| {
            rebuild(Tree::new(), "a tree", (0, 3, features), |at| Ok(found(at))).unwrap_err().to_string()
        };
        let circle = reason(|at| split(at, at), 1);
        assert_eq!(circle, "a tree does not decode: its nodes lead back to one that was passed before");
        let wide = reason(|_| split(1, 2), 0);
        assert_eq!(wide, "a tree does not decode: a split asks for feature 0, there are 0");
        let lost = reason(|_| leaf(f64::NAN), 1);
        assert_eq!(lost, "a tree does not decode: the value of a leaf is NaN");
    }
}
