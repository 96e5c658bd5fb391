//! Contributions against background rows: interventional TreeSHAP.
//!
//! Where a feature is not known, its value is that of a background row, and the answer is the mean over those rows. It
//! breaks the ties between features on purpose: it asks what the model does, not what the data do together.
//!
//! A leaf sees of a row only which of the features on its path meet their conditions. So background rows that look alike to a
//! leaf are counted once, when the explainer is made, and rows that look alike to it are explained once in each block: the
//! cost of a row does not grow with the number of background rows. The idea of patterns per leaf is that of Nadel &
//! Wettenstein (2025), "From decision trees to Boolean logic: a fast and unified SHAP algorithm".

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{Array2, ArrayView2};
use stagewise_core::error::{DataError, NumericError, Result};
use stagewise_core::matrix::Features;
use stagewise_numeric::sum::exact_sum;

use super::contribution::Contributions;
use super::path_dependent::{divisor, in_blocks, one_row};
use super::paths::Paths;
use crate::tree::ensemble::TreeEnsemble;

/// A set of features of a path, by their place on it.
type Places = u128;

/// Rows of one parallel task: many, so that a pattern is explained once for many rows.
const BLOCK: usize = 2048;
/// Rows that are looked at together.
const NEAR: usize = 64;
/// Leaves with more features on their path are explained row by row.
const TABLED: usize = 12;
/// Blocks of fewer rows are not worth a table.
const FEW: usize = 8;
const NONE: u32 = u32::MAX;

/// A tree model and what its leaves see of background rows, ready to explain rows one by one.
///
/// Made once by [`TreeEnsemble::explainer_against`].
pub struct BackgroundExplainer<'a> {
    model: &'a TreeEnsemble,
    trees: Vec<Seen<'a>>,
    weights: Weights,
    bias: Vec<f64>,
    /// The mean offset of the background.
    offset: f64,
}

/// A tree and what its leaves see of the background.
struct Seen<'a> {
    paths: Paths<'a>,
    leaves: Vec<Leaf<'a>>,
}

struct Leaf<'a> {
    branch: usize,
    values: &'a [f64],
    /// The features of the path, by place.
    features: Vec<usize>,
    /// Background rows that look alike from here; ascending.
    background: Vec<Alike>,
}

/// Background rows that look alike to a leaf.
struct Alike {
    /// The features of the path whose conditions they do not meet, and how many.
    unmet: Places,
    count: usize,
    /// Their share of the background.
    share: f64,
}

impl TreeEnsemble {
    /// What each feature adds to the score of each row, against background rows: Shapley values, interventional.
    ///
    /// As [`contributions`](Self::contributions), where `score(S)` is the mean of the scores of the background rows after
    /// the features in `S` were set to those of the row. Exact, and needs no training weights. The bias is the mean score of
    /// the background; an [offset](Self::offset) adds what it has more than their mean. O(background · nodes) to prepare; a row then costs O(leaves · depth), and O(leaves · depth ·
    /// background) at worst.
    ///
    /// # Errors
    /// As for answers, of both sets of rows; [`DataError::TooFewRows`] without background rows;
    /// [`NumericError::Undefined`] if a path asks more than 128 different features.
    ///
    /// Lundberg et al. (2020); Janzing, Minorics & Blöbaum (2020), "Feature relevance quantification in explainable AI: a
    /// causal problem". Checked against the definition summed over all sets of features, tolerance 1e-9; shap 0.51.0 agrees
    /// to 1e-6, it rounds its weights.
    pub fn contributions_against(&self, features: &Features, background: &Features) -> Result<Contributions> {
        self.explainer_against(background)?.contributions(features)
    }

    /// Prepares the model for explaining against background rows.
    ///
    /// # Errors
    /// As for [`contributions_against`](Self::contributions_against).
    pub fn explainer_against(&self, background: &Features) -> Result<BackgroundExplainer<'_>> {
        self.require_constants("what features add")?;
        let rows = self.rows_of(background)?;
        if rows.nrows() == 0 {
            let what = "an explanation against background rows".into();
            return Err(DataError::TooFewRows { what, needed: 1, found: 0 }.into());
        }
        let trees: Result<Vec<_>> =
            self.trees().iter().map(|tree| seen(Paths::of(tree, self.outputs()), rows)).collect();
        let trees = trees?;
        let mut bias = vec![0.0; self.outputs()];
        for tree in &trees {
            for leaf in &tree.leaves {
                let share: f64 = leaf.background.iter().filter(|seen| seen.count == 0).map(|seen| seen.share).sum();
                let of_tree = bias[tree.paths.first_output()..].iter_mut();
                of_tree.zip(leaf.values).for_each(|(bias, value)| *bias += share * value);
            }
        }
        bias.iter_mut().zip(self.base()).for_each(|(bias, base)| *bias = base + *bias / divisor(self));
        let offset =
            self.offset_place().map_or(0.0, |place| exact_sum(&rows.column(place).to_vec()) / rows.nrows() as f64);
        bias.iter_mut().for_each(|bias| *bias += offset);
        let most = trees.iter().map(|tree| tree.paths.distinct()).max().unwrap_or(0);
        Ok(BackgroundExplainer { model: self, trees, weights: Weights::up_to(most), bias, offset })
    }
}

impl BackgroundExplainer<'_> {
    /// What each feature adds to the score of each row; see [`TreeEnsemble::contributions_against`].
    ///
    /// # Errors
    /// As for answers.
    pub fn contributions(&self, features: &Features) -> Result<Contributions> {
        let rows = self.model.rows_of(features)?;
        let values = in_blocks(self.model, rows, BLOCK, &self.bias, |range, out| self.add(rows, range, out))?;
        Ok(Contributions::new(features.clone(), self.bias.clone(), values))
    }

    /// The contributions to the scores of one row, `outputs × (p + 1)` with the bias last.
    ///
    /// # Errors
    /// As for answers.
    pub fn row(&self, row: &[f64]) -> Result<Array2<f64>> {
        one_row(self.model, row, &self.bias, |rows, out| self.add(rows, 0..1, out))
    }

    fn add(&self, rows: ArrayView2<'_, f64>, range: Range<usize>, out: &mut [f64]) {
        let width = rows.ncols() + 1;
        let stride = self.bias.len() * width;
        let mut tables: Vec<Table> = Vec::new();
        self.model.explain_offset(rows, range.clone(), self.offset, width, |feature| feature, out);
        for tree in &self.trees {
            let first = tree.paths.first_output() * width;
            tables.resize_with(tables.len().max(tree.leaves.len()), Table::default);
            for (table, leaf) in tables.iter_mut().zip(&tree.leaves) {
                let places = leaf.features.len();
                table.clear(if places <= TABLED && range.len() >= FEW { 1 << places } else { 0 }, places);
            }
            // A few rows at a time, so that what is written stays near.
            for (from, out) in range.clone().step_by(NEAR).zip(out.chunks_mut(NEAR * stride)) {
                let near = from..range.end.min(from + NEAR);
                let patterns = patterns(&tree.paths, &tree.leaves, rows, near.clone());
                for ((leaf, table), patterns) in
                    tree.leaves.iter().zip(&mut tables).zip(patterns.chunks_exact(near.len()))
                {
                    for (&pattern, given) in patterns.iter().zip(out.chunks_exact_mut(stride)) {
                        let found = table.of(pattern, |out| leaf.explain(pattern, &self.weights, out));
                        for (value, given) in leaf.values.iter().zip(given[first..].chunks_exact_mut(width)) {
                            leaf.features
                                .iter()
                                .zip(found)
                                .for_each(|(&feature, share)| given[feature] += value * share);
                        }
                    }
                }
            }
        }
    }
}

impl Leaf<'_> {
    /// What each feature of the path adds to the share of background rows that come here, for a row that meets `pattern`.
    ///
    /// Against one background row: features that it does not meet must all be taken from the row, and those that the row
    /// does not meet must not, so the game pays 1 for the sets that hold the former and none of the latter.
    fn explain(&self, pattern: Places, weights: &Weights, out: &mut [f64]) {
        let unmet = full(self.features.len()) & !pattern;
        let b = unmet.count_ones() as usize;
        let mut less = 0.0;
        // Where neither meets a feature, no set leads here.
        for seen in self.background.iter().filter(|seen| seen.unmet & unmet == 0) {
            let more = seen.share * weights.of(seen.count, b);
            each(seen.unmet, |place| out[place] += more);
            less += seen.share * weights.of(b, seen.count);
        }
        each(unmet, |place| out[place] -= less);
    }
}

/// What was found for the patterns of a leaf, in this block of rows.
#[derive(Default)]
struct Table {
    /// Where the pattern's values begin.
    place: Vec<u32>,
    values: Vec<f64>,
    width: usize,
}

impl Table {
    /// Forgets all and gets room for so many patterns; without room it remembers none.
    fn clear(&mut self, patterns: usize, width: usize) {
        self.place.clear();
        self.place.resize(patterns, NONE);
        self.values.clear();
        self.width = width;
    }

    fn of(&mut self, pattern: Places, explain: impl FnOnce(&mut [f64])) -> &[f64] {
        let from = match self.place.get(pattern as usize) {
            Some(&from) if from != NONE => from as usize,
            known => {
                if known.is_none() {
                    self.values.clear();
                }
                let from = self.values.len();
                self.values.resize(from + self.width, 0.0);
                explain(&mut self.values[from..]);
                if let Some(place) = self.place.get_mut(pattern as usize) {
                    *place = from as u32;
                }
                from
            }
        };
        &self.values[from..from + self.width]
    }
}

/// `(a − 1)! b! / (a + b)!` for `a` above 0.
struct Weights {
    values: Vec<f64>,
    side: usize,
}

impl Weights {
    fn up_to(most: usize) -> Self {
        let side = most + 1;
        let mut values = vec![0.0; side * side];
        for a in 1..side {
            // From (a − 1)! 0! / a! on, each by the one before.
            let mut weight = 1.0 / a as f64;
            for b in 0..side {
                values[a * side + b] = weight;
                weight *= (b + 1) as f64 / (a + b + 1) as f64;
            }
        }
        Self { values, side }
    }

    /// 0 for `a = 0`, which no feature has.
    fn of(&self, a: usize, b: usize) -> f64 {
        self.values[a * self.side + b]
    }
}

fn seen<'a>(paths: Paths<'a>, background: ArrayView2<'_, f64>) -> Result<Seen<'a>> {
    let most = paths.distinct();
    if most > Places::BITS as usize {
        return Err(NumericError::Undefined {
            what: "an explanation against background rows".into(),
            why: format!("a path asks {most} different features, {} are possible", Places::BITS),
        }
        .into());
    }
    let mut leaves: Vec<Leaf<'a>> = Vec::new();
    for (at, branch) in paths.branches.iter().enumerate() {
        if let Some(values) = paths.leaf(branch) {
            let mut features = vec![0; branch.distinct];
            let mut above = at;
            while above != 0 {
                let branch = &paths.branches[above];
                features[branch.place] = branch.feature;
                above = branch.parent;
            }
            leaves.push(Leaf { branch: at, values, features, background: Vec::new() });
        }
    }
    let rows = background.nrows();
    let patterns = patterns(&paths, &leaves, background, 0..rows);
    for (leaf, patterns) in leaves.iter_mut().zip(patterns.chunks_exact(rows.max(1))) {
        let whole = full(leaf.features.len());
        let mut counts: BTreeMap<Places, usize> = BTreeMap::new();
        patterns.iter().for_each(|&met| *counts.entry(whole & !met).or_default() += 1);
        let alike = |(unmet, rows_alike): (Places, usize)| Alike {
            unmet,
            count: unmet.count_ones() as usize,
            share: rows_alike as f64 / rows as f64,
        };
        leaf.background = counts.into_iter().map(alike).collect();
    }
    Ok(Seen { paths, leaves })
}

/// Which features of its path meet their conditions, for each leaf and row, leaves × rows.
fn patterns(paths: &Paths<'_>, leaves: &[Leaf<'_>], rows: ArrayView2<'_, f64>, range: Range<usize>) -> Vec<Places> {
    let count = range.len();
    let mut patterns = vec![0; leaves.len() * count];
    let (mut left, mut met) = (Vec::new(), vec![0; paths.branches.len()]);
    for (i, r) in range.enumerate() {
        let row = rows.row(r);
        paths.ask(row.to_slice().unwrap_or(&[]), &mut left);
        for (at, branch) in paths.branches.iter().enumerate().skip(1) {
            let (above, bit): (Places, Places) = (met[branch.parent], 1 << branch.place);
            let unmet = branch.previous != 0 && above & bit == 0;
            met[at] = if Paths::takes(branch, &left) && !unmet { above | bit } else { above & !bit };
        }
        for (leaf, patterns) in leaves.iter().zip(patterns.chunks_exact_mut(count)) {
            patterns[i] = met[leaf.branch];
        }
    }
    patterns
}

fn full(places: usize) -> Places {
    if places == 0 { 0 } else { Places::MAX >> (Places::BITS as usize - places) }
}

/// Every place in a set, ascending.
fn each(mut places: Places, mut visit: impl FnMut(usize)) {
    while places != 0 {
        visit(places.trailing_zeros() as usize);
        places &= places - 1;
    }
}
