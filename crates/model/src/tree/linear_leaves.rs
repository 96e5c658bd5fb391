//! Leaves that answer with a line instead of a constant.
//!
//! A part of a tree that most trees do not have. A row that lacks one of the numbers asked for gets the leaf's constant.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{NumericError, Result};

use crate::tree::ensemble::TreeEnsemble;
use crate::tree::structure::Tree;

/// What a leaf answers: `intercept + Σ slope · x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// What the products are added to.
    pub intercept: f64,
    /// The positions of the features.
    pub features: &'a [u32],
    /// What each of them is multiplied by.
    pub slopes: &'a [f64],
}

impl Line<'_> {
    /// The answer; absent if a number asked for is missing or infinite.
    pub(crate) fn answer(self, x: impl Fn(usize) -> f64) -> Option<f64> {
        let mut answer = self.intercept;
        for (&feature, slope) in self.features.iter().zip(self.slopes) {
            let x = x(feature as usize);
            if !x.is_finite() {
                return None;
            }
            answer += slope * x;
        }
        Some(answer)
    }
}

/// The lines of the leaves of one tree, in the order of their values; leaves past the end have none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LinearLeaves {
    intercept: Vec<f64>,
    /// Where the terms of a line end; they begin where those before end.
    end: Vec<u32>,
    feature: Vec<u32>,
    slope: Vec<f64>,
    /// Whether a leaf has a line.
    is_line: Vec<bool>,
}

impl LinearLeaves {
    /// Sets the line of a leaf, behind all those that have been set; leaves between have none.
    pub(crate) fn push(&mut self, leaf: usize, line: Line<'_>) {
        let end = self.feature.len() as u32;
        if leaf < self.end.len() {
            return;
        }
        self.intercept.resize(leaf, 0.0);
        self.end.resize(leaf, end);
        self.is_line.resize(leaf, false);
        self.feature.extend_from_slice(line.features);
        self.slope.extend_from_slice(line.slopes);
        self.intercept.push(line.intercept);
        self.end.push(self.feature.len() as u32);
        self.is_line.push(true);
    }

    /// The line of a leaf, if it has one.
    pub(crate) fn line(&self, leaf: usize) -> Option<Line<'_>> {
        if !*self.is_line.get(leaf)? {
            return None;
        }
        let from = if leaf == 0 { 0 } else { *self.end.get(leaf - 1)? as usize };
        let terms = from..*self.end.get(leaf)? as usize;
        let (features, slopes) = (self.feature.get(terms.clone())?, self.slope.get(terms)?);
        Some(Line { intercept: *self.intercept.get(leaf)?, features, slopes })
    }

    /// Whether all parts fit together, for a tree over so many features with so many leaves.
    pub(crate) fn is_sound(&self, features: usize, leaves: usize) -> bool {
        let lines = self.end.len();
        lines <= leaves
            && self.intercept.len() == lines
            && self.is_line.len() == lines
            && self.feature.len() == self.slope.len()
            && self.end.is_sorted()
            && self.end.last().map_or(0, |&end| end as usize) == self.feature.len()
            && self.feature.iter().all(|&feature| (feature as usize) < features)
            && self.intercept.iter().chain(&self.slope).all(|value| value.is_finite())
    }
}

impl TreeEnsemble {
    /// Whether some leaf answers with a line.
    pub fn has_lines(&self) -> bool {
        self.trees().iter().any(Tree::has_lines)
    }

    /// For what can be said of constants alone.
    pub(crate) fn require_constants(&self, what: &str) -> Result<()> {
        if !self.has_lines() {
            return Ok(());
        }
        let why = "leaves of this model answer with lines; fit it without `linear_leaves`".to_string();
        Err(NumericError::Undefined { what: what.into(), why }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_answered_where_its_numbers_are_there() {
        let mut leaves = LinearLeaves::default();
        leaves.push(1, Line { intercept: 1.0, features: &[2, 0], slopes: &[3.0, -1.0] });
        leaves.push(2, Line { intercept: 4.0, features: &[], slopes: &[] });
        assert!(leaves.line(0).is_none() && leaves.line(3).is_none());
        let answer = |row: [f64; 3]| leaves.line(1).and_then(|line| line.answer(|feature| row[feature]));
        assert_eq!(answer([5.0, f64::NAN, 2.0]), Some(2.0));
        assert_eq!((answer([f64::NAN, 0.0, 2.0]), answer([0.0, 0.0, f64::INFINITY])), (None, None));
        assert_eq!(leaves.line(2).and_then(|line| line.answer(|_| f64::NAN)), Some(4.0));
        assert!(leaves.is_sound(3, 3) && !leaves.is_sound(2, 3) && !leaves.is_sound(3, 2));
        let mut cut = leaves.clone();
        cut.slope.pop();
        assert!(!cut.is_sound(3, 3));
        let mut lost = leaves;
        lost.end[1] = 7;
        assert!(!lost.is_sound(3, 3));
    }
}
