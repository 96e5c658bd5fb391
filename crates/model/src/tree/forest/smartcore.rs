//! The backend smartcore: forests grown by it and read out into our own form.
//!
//! smartcore grows on one thread, and its classifier costs the square of the rows. So the trees are cut into groups of
//! a fixed size that are grown in parallel, each with its own seed and, where there are more rows than it can bear,
//! its own stratified sample of them. The cut depends on the number of trees alone: the same bits for any number of
//! threads. Its trees vote with their likeliest class; it knows no weights, no missing values and no categories.

use rayon::prelude::*;
use serde_json::Value;
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;
use stagewise_core::Error;
use stagewise_core::context::FitContext;
use stagewise_core::error::{PipelineError, Result};
use stagewise_core::matrix::Design;
use stagewise_core::persist::Persist;
use stagewise_core::target::TargetValues;
use stagewise_core::task::{Regression, Task};

use super::RandomForest;
use crate::input::Input;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::read;
use crate::tree::sample::stratified;
use crate::tree::structure::Tree;

/// Trees of one group: grown one after the other, on the same rows.
const GROUP: usize = 10;

impl RandomForest {
    /// Grows the groups in parallel; `grow` fits one on its rows, with its seed and number of trees.
    fn grow_groups<T: Task>(
        &self,
        train: &Design<T>,
        outputs: usize,
        cx: &FitContext,
        grow: impl Fn(DenseMatrix<f64>, &[usize], usize, u64) -> Result<Vec<Tree>> + Sync,
    ) -> Result<TreeEnsemble> {
        let (input, x) = Input::of(train, Self::TAG)?;
        if train.weights.is_some() {
            return Err(PipelineError::Ignored {
                stage: Self::TAG.into(),
                what: "weights",
                remedy: "fit without weights, resample the rows, or use another learner".into(),
            }
            .into());
        }
        let strata = train.target.strata();
        if strata.len() > self.row_cap {
            cx.warn(format!(
                "each group of {GROUP} trees sees a stratified sample of about {} of {} rows, because the backend's time \
                 grows faster than the rows; `row_cap` raises it",
                self.row_cap,
                strata.len()
            ));
        }
        let bar = cx.start("random forest", Some(self.trees as u64));
        let groups: Vec<Result<Vec<Tree>>> = (0..self.trees.div_ceil(GROUP))
            .into_par_iter()
            .map(|group| {
                cx.check()?;
                let trees = GROUP.min(self.trees - group * GROUP);
                let rows = stratified(&strata, self.row_cap, &mut cx.stream(&format!("rows {group}")));
                let mut values = Vec::with_capacity(rows.len() * x.ncols());
                x.columns().into_iter().for_each(|column| values.extend(rows.iter().map(|&r| column[r])));
                let matrix = DenseMatrix::new(rows.len(), x.ncols(), values, true).map_err(Error::external)?;
                let grown = grow(matrix, &rows, trees, cx.seed(&format!("trees {group}")))?;
                bar.advance(trees as u64);
                Ok(grown)
            })
            .collect();
        let mut trees = Vec::with_capacity(self.trees);
        for group in groups {
            trees.extend(group?);
        }
        TreeEnsemble::mean(input.names().to_vec(), outputs, trees)
    }

    /// A group of trees that vote for one of `outputs` classes; with one output they vote for the event or not.
    pub(super) fn classify_by_smartcore<T: Task>(
        &self,
        train: &Design<T>,
        class: &[u32],
        outputs: usize,
        cx: &FitContext,
    ) -> Result<TreeEnsemble> {
        self.grow_groups(train, outputs, cx, |x, rows, trees, seed| {
            let y: Vec<u32> = rows.iter().map(|&r| class[r]).collect();
            // smartcore counts the classes that are there, ascending.
            let mut present = y.clone();
            present.sort_unstable();
            present.dedup();
            let leaf = |class: usize| {
                let mut votes = vec![0.0; outputs];
                match votes.as_mut_slice() {
                    [event] => *event = class as f64,
                    votes => *votes.get_mut(class)? = 1.0,
                }
                Some(votes)
            };
            // smartcore refuses one class; there is nothing to grow then.
            if let [only] = present.as_slice() {
                let mut tree = Tree::new();
                tree.leaf(&leaf(*only as usize).unwrap_or_else(|| vec![0.0; outputs]));
                return Ok(vec![tree; trees]);
            }
            let parameters = RandomForestClassifierParameters {
                max_depth: self.max_depth,
                min_samples_leaf: self.min_rows_leaf,
                n_trees: trees as u16,
                m: self.features_for_smartcore(train.features.width()),
                seed,
                ..RandomForestClassifierParameters::default()
            };
            let forest = RandomForestClassifier::fit(&x, &y, parameters).map_err(Error::external)?;
            let value = serde_json::to_value(&forest).map_err(Error::external)?;
            read::trees(value.get("trees"), &|place| leaf(*present.get(place as usize)? as usize))
        })
    }

    /// Grows trees of numbers.
    pub(super) fn regress_by_smartcore(&self, train: &Design<Regression>, cx: &FitContext) -> Result<TreeEnsemble> {
        let target = train.target.values();
        self.grow_groups(train, 1, cx, |x, rows, trees, seed| {
            let y: Vec<f64> = rows.iter().map(|&r| target[r]).collect();
            let parameters = self.regressor(train.features.width(), trees, seed);
            let forest = RandomForestRegressor::fit(&x, &y, parameters).map_err(Error::external)?;
            let value = serde_json::to_value(&forest).map_err(Error::external)?;
            read::trees(value.get("forest_regressor").and_then(|f: &Value| f.get("trees")), &|y| Some(vec![y]))
        })
    }

    fn regressor(&self, width: usize, trees: usize, seed: u64) -> RandomForestRegressorParameters {
        RandomForestRegressorParameters {
            max_depth: self.max_depth,
            min_samples_leaf: self.min_rows_leaf,
            n_trees: trees,
            m: self.features_for_smartcore(width),
            seed,
            ..RandomForestRegressorParameters::default()
        }
    }

    fn features_for_smartcore(&self, width: usize) -> Option<usize> {
        let share = |share: f64| ((share * width as f64) as usize).clamp(1, width.max(1));
        self.features_per_split.or(self.feature_share.map(share))
    }
}

#[cfg(test)]
#[path = "smartcore_tests.rs"]
mod tests;
