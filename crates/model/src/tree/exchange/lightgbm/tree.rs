//! One tree of a LightGBM text: lists of its splits and its leaves.

use std::str::FromStr;

use stagewise_core::error::Result;

use crate::tree::exchange::fields::Fields;
use crate::tree::exchange::rebuild::{Asked, Content, Found, rebuild};
use crate::tree::exchange::undecodable;
use crate::tree::structure::Tree;

/// Bits of `decision_type`.
const CATEGORY: u8 = 1;
const DEFAULT_LEFT: u8 = 2;
/// What the two bits above them say about missing values.
const NEVER_MISSING: u8 = 0;
const NAN_IS_MISSING: u8 = 2;
/// LightGBM takes a number of this size, and any smaller one, for 0.
const ZERO: f64 = 1e-35_f32 as f64;

/// Fills the `empty` tree from a section, over so many `features`; every leaf is multiplied by `factor`.
pub(super) fn read(fields: &Fields<'_>, empty: Tree, features: usize, factor: f64) -> Result<Tree> {
    let source = Source::read(fields)?;
    let nodes = source.splits() + source.leaf_value.len();
    rebuild(empty, &fields.part, (0, nodes, features), |at| source.node(at, factor, &fields.part))
}

/// The lists of one tree.
struct Source {
    leaf_value: Vec<f64>,
    split_feature: Vec<usize>,
    threshold: Vec<f64>,
    decision_type: Vec<u8>,
    left_child: Vec<i64>,
    right_child: Vec<i64>,
    split_gain: Vec<f64>,
    /// Of splits, then of leaves; empty if not known.
    counts: Vec<f64>,
    cat_boundaries: Vec<usize>,
    cat_threshold: Vec<u32>,
    lines: Option<Lines>,
}

/// The lines of linear leaves.
struct Lines {
    intercept: Vec<f64>,
    /// Where the terms of each leaf end.
    end: Vec<usize>,
    features: Vec<u32>,
    slopes: Vec<f64>,
}

impl Source {
    fn read(fields: &Fields<'_>) -> Result<Self> {
        let leaves: usize = fields.number("num_leaves")?;
        let leaf_value = fields.numbers("leaf_value", leaves)?;
        let Some(splits) = leaves.checked_sub(1) else {
            return Err(undecodable(&fields.part, "it has no leaves"));
        };
        let known = fields.text("leaf_count").is_some_and(|text| !text.is_empty());
        let mut counts = Vec::new();
        if known {
            counts = list::<f64>(fields, "internal_count", splits)?;
            counts.extend(fields.numbers::<f64>("leaf_count", leaves)?);
        }
        let gains = if fields.text("split_gain").is_some() { splits } else { 0 };
        let sets = fields.number::<usize>("num_cat")? > 0;
        let source = Self {
            leaf_value,
            split_feature: list(fields, "split_feature", splits)?,
            threshold: list(fields, "threshold", splits)?,
            decision_type: list(fields, "decision_type", splits)?,
            left_child: list(fields, "left_child", splits)?,
            right_child: list(fields, "right_child", splits)?,
            split_gain: list(fields, "split_gain", gains)?,
            counts,
            cat_boundaries: if sets { fields.all_numbers("cat_boundaries")? } else { Vec::new() },
            cat_threshold: if sets { fields.all_numbers("cat_threshold")? } else { Vec::new() },
            lines: match fields.text("is_linear") {
                None | Some("0") => None,
                Some(_) => Some(Lines::read(fields, leaves)?),
            },
        };
        // Sets that overlap could ask for far more memory than the text has.
        let used = source.threshold.iter().zip(&source.decision_type).filter(|(_, kind)| *kind & CATEGORY != 0);
        let words = used.map(|(&set, _)| source.words(set).map_or(0, <[u32]>::len));
        if words.fold(0_usize, usize::saturating_add) > source.cat_threshold.len() {
            return Err(undecodable(&fields.part, "its category sets overlap"));
        }
        Ok(source)
    }

    fn splits(&self) -> usize {
        self.leaf_value.len() - 1
    }

    /// A node: splits come first, leaves behind them.
    fn node(&self, at: usize, factor: f64, part: &str) -> Result<Found> {
        let cover = self.counts.get(at).copied();
        if let Some(leaf) = at.checked_sub(self.splits()) {
            let value = self.leaf_value.get(leaf).ok_or_else(|| undecodable(part, format!("it has no leaf {leaf}")))?;
            let content = match &self.lines {
                None => Content::Leaf(value * factor),
                Some(lines) => lines.of(leaf, value * factor, factor),
            };
            return Ok(Found { content, cover, gain: 0.0 });
        }
        let (threshold, kind) = (self.threshold[at], self.decision_type[at]);
        let (rule, missing_left) = if kind & CATEGORY != 0 {
            (self.set(threshold, part)?, false)
        } else {
            let missing_left = match kind >> 2 & 3 {
                NEVER_MISSING => 0.0 <= threshold,
                NAN_IS_MISSING => kind & DEFAULT_LEFT != 0,
                _ => {
                    return Err(undecodable(
                        part,
                        "it was trained with `zero_as_missing`, which no split here can say",
                    ));
                }
            };
            (Asked::AtMost(at_most(threshold)), missing_left)
        };
        let (left, right) = (self.child(self.left_child[at], part)?, self.child(self.right_child[at], part)?);
        let content = Content::Split { feature: self.split_feature[at], rule, missing_left, left, right };
        Ok(Found { content, cover, gain: self.split_gain.get(at).copied().unwrap_or(0.0) })
    }

    /// The position of a child: splits as they are, leaf `l` written as `-1 - l`.
    fn child(&self, written: i64, part: &str) -> Result<usize> {
        let split = usize::try_from(written).ok().filter(|&split| split < self.splits());
        let leaf = || usize::try_from(!written).ok().filter(|&leaf| leaf < self.leaf_value.len());
        split
            .or_else(|| leaf().map(|leaf| self.splits() + leaf))
            .ok_or_else(|| undecodable(part, format!("a split leads to node {written}, which is not there")))
    }

    /// The bits of a set.
    fn words(&self, number: f64) -> Option<&[u32]> {
        let set = (number >= 0.0 && number < self.cat_boundaries.len() as f64).then_some(number as usize)?;
        self.cat_threshold.get(*self.cat_boundaries.get(set)?..*self.cat_boundaries.get(set + 1)?)
    }

    /// The set of a split whose threshold is the number of its set.
    fn set(&self, number: f64, part: &str) -> Result<Asked> {
        let words =
            self.words(number).ok_or_else(|| undecodable(part, format!("the category set {number} is not there")))?;
        let bits = |(at, word): (usize, &u32)| {
            let word = *word;
            (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 32 + bit)
        };
        let codes: Vec<usize> = words.iter().enumerate().flat_map(bits).collect();
        // Levels behind the last of the set go right, as missing ones and new ones do.
        let levels = codes.last().map_or(0, |last| last + 1);
        Ok(Asked::Among { codes, levels })
    }
}

impl Lines {
    fn read(fields: &Fields<'_>, leaves: usize) -> Result<Self> {
        let counts: Vec<usize> = fields.numbers("num_features", leaves)?;
        let end: Vec<usize> = counts
            .iter()
            .scan(0_usize, |end, &count| {
                *end = end.saturating_add(count);
                Some(*end)
            })
            .collect();
        let terms = end.last().copied().unwrap_or(0);
        let (features, slopes) = match terms {
            0 => (Vec::new(), Vec::new()),
            _ => (fields.numbers("leaf_features", terms)?, fields.numbers("leaf_coeff", terms)?),
        };
        Ok(Self { intercept: fields.numbers("leaf_const", leaves)?, end, features, slopes })
    }

    /// A leaf, of which there are as many as counted.
    fn of(&self, leaf: usize, constant: f64, factor: f64) -> Content {
        let terms = leaf.checked_sub(1).map_or(0, |before| self.end[before])..self.end[leaf];
        Content::Line {
            constant,
            intercept: self.intercept[leaf] * factor,
            features: self.features[terms.clone()].to_vec(),
            slopes: self.slopes[terms].iter().map(|slope| slope * factor).collect(),
        }
    }
}

/// A list with a number for each split; a tree of one leaf may lack it.
fn list<T: FromStr>(fields: &Fields<'_>, key: &str, splits: usize) -> Result<Vec<T>> {
    if splits == 0 { Ok(Vec::new()) } else { fields.numbers(key, splits) }
}

/// The threshold that asks of a number as it is what LightGBM asks once it has taken the smallest ones for 0.
fn at_most(threshold: f64) -> f64 {
    if (-ZERO..0.0).contains(&threshold) {
        (-ZERO).next_down()
    } else if (0.0..ZERO).contains(&threshold) {
        ZERO
    } else {
        threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_numbers_are_zero() {
        let numbers = [0.0, -0.0, 1e-40, ZERO.next_down(), ZERO, ZERO.next_up(), 0.5, f64::INFINITY];
        let numbers: Vec<f64> = numbers.into_iter().flat_map(|x| [x, -x]).collect();
        for &threshold in &numbers {
            for &x in &numbers {
                let taken = if x.abs() <= ZERO { 0.0 } else { x };
                assert_eq!(x <= at_most(threshold), taken <= threshold, "{x:e} at {threshold:e}");
            }
        }
    }
}
