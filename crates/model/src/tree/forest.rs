//! A random forest, grown by smartcore and read out into our own form.
//!
//! smartcore grows on one thread, and its classifier costs the square of the rows. So the trees are cut into groups of
//! a fixed size that are grown in parallel, each with its own seed and, where there are more rows than it can bear,
//! its own stratified sample of them. The cut depends on the number of trees alone: the same bits for any number of
//! threads.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;
use stagewise_core::Error;
use stagewise_core::context::FitContext;
use stagewise_core::error::{ParameterError, PipelineError, Result};
use stagewise_core::matrix::Design;
use stagewise_core::persist::Persist;
use stagewise_core::stage::Learner;
use stagewise_core::target::TargetValues;
use stagewise_core::task::{Binary, Multiclass, Regression, Task};

use crate::input::Input;
use crate::tree::ensemble::{Tree, TreeEnsemble};
use crate::tree::read;
use crate::tree::sample::stratified;

/// Trees of one group: grown one after the other, on the same rows.
const GROUP: usize = 10;

/// A random forest: the mean of trees, each grown on a bootstrap sample with random features at each split.
///
/// Classes are answered by the share of trees that vote for each, numbers by the mean of the leaves. Grown by the
/// crate smartcore 0.7. Weights are refused: smartcore's classifier has none. Missing and infinite features are
/// refused; categories need an encoder before it. One class is answered by itself. With more rows than [`row_cap`](Self::row_cap) every group of ten
/// trees sees its own stratified sample of that size, and a warning says so.
/// O(trees · nodes · features per split · rows seen).
///
/// # Errors
/// No features, no rows, weights, features that are not finite numbers, hyper-parameters out of range.
///
/// Breiman (2001). Checked against the predictions of smartcore 0.7 itself: numbers to 1e-14, the likeliest class.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, matrix::{Design, Features}, stage::Learner};
/// use stagewise_core::{stage::Predict, table::Table, target::NumberTarget, task::Regression};
/// use stagewise_model::RandomForest;
///
/// let x: Vec<f64> = (0..40).map(f64::from).collect();
/// let y: Vec<f64> = x.iter().map(|&x| if x < 20.0 { 1.0 } else { 5.0 }).collect();
/// let features = Features::new(Table::of([("x", Column::numbers(x))])?)?;
/// let design = Design::<Regression>::new(features, NumberTarget::new(y), ());
/// let forest = RandomForest::new().trees(10).fit(&design, &FitContext::new(1))?;
/// assert_eq!(Predict::<Regression>::predict_row(&forest, &[3.0])?, 1.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomForest {
    trees: usize,
    max_depth: Option<u16>,
    min_rows_leaf: usize,
    features_per_split: Option<usize>,
    row_cap: usize,
}

impl Default for RandomForest {
    fn default() -> Self {
        Self { trees: 100, max_depth: None, min_rows_leaf: 1, features_per_split: None, row_cap: 3_000 }
    }
}

impl RandomForest {
    /// 100 trees without a limit of depth.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many trees, 1 to 100 000. Default 100.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// How many splits a row passes at most in a tree; `None` is no limit. Default `None`.
    #[must_use]
    pub fn max_depth(mut self, max_depth: Option<u16>) -> Self {
        self.max_depth = max_depth;
        self
    }

    /// How many rows a leaf has at least, at least 1. Default 1.
    #[must_use]
    pub fn min_rows_leaf(mut self, min_rows_leaf: usize) -> Self {
        self.min_rows_leaf = min_rows_leaf;
        self
    }

    /// How many features, drawn anew, each split chooses from; `None` is the square root of their number. Default
    /// `None`.
    #[must_use]
    pub fn features_per_split(mut self, features_per_split: Option<usize>) -> Self {
        self.features_per_split = features_per_split;
        self
    }

    /// How many rows a group of ten trees sees at most, at least 10. Default 3 000.
    #[must_use]
    pub fn row_cap(mut self, row_cap: usize) -> Self {
        self.row_cap = row_cap;
        self
    }

    fn check(&self, width: usize) -> Result<()> {
        ParameterError::check((1..=100_000).contains(&self.trees), "trees", self.trees, "1 to 100000")?;
        ParameterError::check(self.min_rows_leaf > 0, "min_rows_leaf", self.min_rows_leaf, "at least 1")?;
        ParameterError::check(self.row_cap >= 10, "row_cap", self.row_cap, "at least 10")?;
        let tried = self.features_per_split.unwrap_or(1);
        let allowed = "at least 1 and at most the number of features";
        ParameterError::check((1..=width).contains(&tried), "features_per_split", tried, allowed)
    }

    /// Grows the groups in parallel; `grow` fits one on its rows, with its seed and number of trees.
    fn grow<T: Task>(
        &self,
        train: &Design<T>,
        outputs: usize,
        cx: &FitContext,
        grow: impl Fn(DenseMatrix<f64>, &[usize], usize, u64) -> Result<Vec<Tree>> + Sync,
    ) -> Result<TreeEnsemble> {
        let (input, x) = Input::of(train, Self::TAG)?;
        self.check(input.width())?;
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
        TreeEnsemble::new(input.names().to_vec(), outputs, trees)
    }

    /// A group of trees that vote for one of `outputs` classes; with one output they vote for the event or not.
    fn classify<T: Task>(
        &self,
        train: &Design<T>,
        class: &[u32],
        outputs: usize,
        cx: &FitContext,
    ) -> Result<TreeEnsemble> {
        self.grow(train, outputs, cx, |x, rows, trees, seed| {
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
                m: self.features_per_split,
                seed,
                ..RandomForestClassifierParameters::default()
            };
            let forest = RandomForestClassifier::fit(&x, &y, parameters).map_err(Error::external)?;
            let value = serde_json::to_value(&forest).map_err(Error::external)?;
            read::trees(value.get("trees"), &|place| leaf(*present.get(place as usize)? as usize))
        })
    }
}

impl Persist for RandomForest {
    const TAG: &'static str = "RandomForest";
}

impl Learner<Regression> for RandomForest {
    type Model = TreeEnsemble;

    fn fit(&self, train: &Design<Regression>, cx: &FitContext) -> Result<TreeEnsemble> {
        let target = train.target.values();
        self.grow(train, 1, cx, |x, rows, trees, seed| {
            let y: Vec<f64> = rows.iter().map(|&r| target[r]).collect();
            let forest = RandomForestRegressor::fit(&x, &y, self.regressor(trees, seed)).map_err(Error::external)?;
            let value = serde_json::to_value(&forest).map_err(Error::external)?;
            read::trees(value.get("forest_regressor").and_then(|f: &Value| f.get("trees")), &|y| Some(vec![y]))
        })
    }
}

impl RandomForest {
    fn regressor(&self, trees: usize, seed: u64) -> RandomForestRegressorParameters {
        RandomForestRegressorParameters {
            max_depth: self.max_depth,
            min_samples_leaf: self.min_rows_leaf,
            n_trees: trees,
            m: self.features_per_split,
            seed,
            ..RandomForestRegressorParameters::default()
        }
    }
}

impl Learner<Binary> for RandomForest {
    type Model = TreeEnsemble;

    fn fit(&self, train: &Design<Binary>, cx: &FitContext) -> Result<TreeEnsemble> {
        let class: Vec<u32> = train.target.events().iter().map(|&e| u32::from(e)).collect();
        self.classify(train, &class, 1, cx)
    }
}

impl Learner<Multiclass> for RandomForest {
    type Model = TreeEnsemble;

    fn fit(&self, train: &Design<Multiclass>, cx: &FitContext) -> Result<TreeEnsemble> {
        self.classify(train, train.target.codes(), train.target.classes(), cx)
    }
}

#[cfg(test)]
mod tests;
