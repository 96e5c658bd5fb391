//! Random forests: what a user may set, and who grows them.
//!
//! Our own engine (`cart`) unless told otherwise; smartcore as a backend (`forest/smartcore.rs`).

pub(crate) mod engine;
pub mod out_of_bag;
mod smartcore;

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::matrix::{Accepts, Design};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Learner;
use stagewise_core::task::{Binary, Multiclass, Regression};

use self::engine::Options;
use crate::tree::cart::grove::Draw;
use crate::tree::class_weights::ClassWeights;
use crate::tree::ensemble::TreeEnsemble;

/// Who grows a [`RandomForest`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForestBackend {
    /// Our own engine.
    #[default]
    Histogram,
    /// The crate smartcore 0.7. Its trees vote with their likeliest class. Weights, missing values, categories and what is
    /// said to be of our engine alone are refused; with more rows than [`row_cap`](RandomForest::row_cap) every group of
    /// ten trees sees its own stratified sample, and a warning says so.
    Smartcore,
}

impl ForestBackend {
    /// Who grew forests before there was a choice.
    fn before() -> Self {
        Self::Smartcore
    }
}

/// A random forest: the mean of trees, each grown on a bootstrap sample, with random features at each split.
///
/// Each tree draws as many rows as there are, with replacement; a row drawn three times counts three times its weight.
/// Each node draws some features, and more while none of them can be split, and takes the split that lowers the Gini
/// impurity or the squared error most. Classes are answered by the mean of the leaves' shares, not by votes, numbers by
/// the mean of the leaves' means.
///
/// Weights are honoured, in splits and leaves. Missing values are taken: each split learns where they go; where it saw
/// none, they go with the larger part. Categories are taken: levels are put in order of their mean (for more than two
/// classes, of their share of each of the first eight) and split there; a level not seen in training counts as missing.
/// Infinite values are numbers like others. One class is answered by itself. Columns of more than
/// [`max_bins`](Self::max_bins) values are cut at quantiles. Trees are grown in parallel, each from its own random stream.
/// O(trees · rows · depth · features per split); 2 bytes per cell beside the table, and 24 bytes per row and thread.
///
/// | here | scikit-learn |
/// |---|---|
/// | `trees` 100 | `n_estimators` |
/// | `max_depth` none | `max_depth` |
/// | `max_leaves` none | `max_leaf_nodes` |
/// | `min_rows_leaf` 1 | `min_samples_leaf`, which counts rows, not weights |
/// | `features_per_split`, `feature_share`: √p for classes, all for numbers | `max_features` |
/// | `bootstrap` yes, `row_share` 1 | `bootstrap`, `max_samples` |
/// | `class_weights` equal | `class_weight` |
/// | `out_of_bag` no | `oob_score` |
///
/// # Errors
/// No features, no rows, hyper-parameters out of range; what the backend smartcore refuses.
///
/// Breiman (2001). Checked against scikit-learn 1.9.1 `DecisionTreeClassifier` and `DecisionTreeRegressor`, which its
/// forests are made of, 1e-9; the backend against the predictions of smartcore 0.7 itself.
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
/// let forest = RandomForest::new().trees(10).out_of_bag(true).fit(&design, &FitContext::new(1))?;
/// assert_eq!(Predict::<Regression>::predict_row(&forest, &[3.0])?, 1.0);
/// assert!(forest.out_of_bag().is_some_and(|bag| bag.score > 0.5));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RandomForest {
    trees: usize,
    max_depth: Option<u16>,
    min_rows_leaf: usize,
    features_per_split: Option<usize>,
    row_cap: usize,
    #[serde(default = "ForestBackend::before")]
    backend: ForestBackend,
    #[serde(default)]
    feature_share: Option<f64>,
    #[serde(default)]
    max_leaves: Option<usize>,
    #[serde(default = "max_bins")]
    max_bins: usize,
    #[serde(default = "yes")]
    bootstrap: bool,
    #[serde(default = "all")]
    row_share: f64,
    #[serde(default)]
    class_weights: ClassWeights,
    #[serde(default)]
    out_of_bag: bool,
}

fn max_bins() -> usize {
    255
}

fn yes() -> bool {
    true
}

fn all() -> f64 {
    1.0
}

impl Default for RandomForest {
    fn default() -> Self {
        Self {
            trees: 100,
            max_depth: None,
            min_rows_leaf: 1,
            features_per_split: None,
            row_cap: 3_000,
            backend: ForestBackend::Histogram,
            feature_share: None,
            max_leaves: None,
            max_bins: max_bins(),
            bootstrap: yes(),
            row_share: all(),
            class_weights: ClassWeights::Equal,
            out_of_bag: false,
        }
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

    /// How many leaves a tree has at most, at least 2; the node whose split gains most is split next. `None` is no limit.
    /// Default `None`. Of our engine alone.
    #[must_use]
    pub fn max_leaves(mut self, max_leaves: Option<usize>) -> Self {
        self.max_leaves = max_leaves;
        self
    }

    /// How many rows a leaf has at least, in sum of weights of the rows drawn, at least 1. Default 1, which is no limit,
    /// whatever the weights.
    #[must_use]
    pub fn min_rows_leaf(mut self, min_rows_leaf: usize) -> Self {
        self.min_rows_leaf = min_rows_leaf;
        self
    }

    /// How many features, drawn anew, each split chooses from; `None`, the default, is as
    /// [`feature_share`](Self::feature_share) says.
    #[must_use]
    pub fn features_per_split(mut self, features_per_split: Option<usize>) -> Self {
        self.features_per_split = features_per_split;
        self
    }

    /// The share of the features that each split chooses from, rounded down, at least one feature. Above 0, at most 1.
    /// `None`, the default, is the square root of their number for classes (Breiman 2001) and all of them for numbers:
    /// where few features carry the signal, a node without them costs more than trees that differ more win (Geurts et al.
    /// 2006, §2.3). With smartcore it is the square root for both.
    #[must_use]
    pub fn feature_share(mut self, feature_share: Option<f64>) -> Self {
        self.feature_share = feature_share;
        self
    }

    /// How many bins a column has at most, without that of missing values. From 2 to 255; default 255. Of our engine
    /// alone.
    #[must_use]
    pub fn max_bins(mut self, max_bins: usize) -> Self {
        self.max_bins = max_bins;
        self
    }

    /// Draws the rows of a tree with replacement; else each at most once, and all of them where
    /// [`row_share`](Self::row_share) is 1. Default yes. Of our engine alone.
    #[must_use]
    pub fn bootstrap(mut self, bootstrap: bool) -> Self {
        self.bootstrap = bootstrap;
        self
    }

    /// How many rows a tree draws, as a share of all. Above 0, at most 1; default 1. Of our engine alone.
    #[must_use]
    pub fn row_share(mut self, row_share: f64) -> Self {
        self.row_share = row_share;
        self
    }

    /// How much each class counts. Default [`ClassWeights::Equal`]. Of our engine alone.
    #[must_use]
    pub fn class_weights(mut self, class_weights: ClassWeights) -> Self {
        self.class_weights = class_weights;
        self
    }

    /// Keeps what each row is answered by the trees that have not seen it:
    /// [`out_of_bag`](TreeEnsemble::out_of_bag) of the model. Default no. Of our engine alone.
    #[must_use]
    pub fn out_of_bag(mut self, out_of_bag: bool) -> Self {
        self.out_of_bag = out_of_bag;
        self
    }

    /// Who grows it. Default [`ForestBackend::Histogram`].
    #[must_use]
    pub fn backend(mut self, backend: ForestBackend) -> Self {
        self.backend = backend;
        self
    }

    /// How many rows a group of ten trees of smartcore sees at most, at least 10. Default 3 000. Our engine has no such
    /// limit.
    #[must_use]
    pub fn row_cap(mut self, row_cap: usize) -> Self {
        self.row_cap = row_cap;
        self
    }

    fn options(&self) -> Options<'_> {
        Options {
            tag: Self::TAG,
            trees: self.trees,
            max_depth: self.max_depth.map(usize::from),
            max_leaves: self.max_leaves,
            min_rows_leaf: self.min_rows_leaf as f64,
            features_per_split: self.features_per_split,
            feature_share: self.feature_share,
            draw: match self.bootstrap {
                true => Draw::Again(self.row_share),
                false if self.row_share == 1.0 => Draw::All,
                false => Draw::Once(self.row_share),
            },
            max_bins: self.max_bins,
            class_weights: self.class_weights,
            random_cuts: false,
            single: false,
            out_of_bag: self.out_of_bag,
            kept: None,
        }
    }

    /// What smartcore can be told.
    fn check_smartcore(&self, width: usize) -> Result<()> {
        ParameterError::check((1..=100_000).contains(&self.trees), "trees", self.trees, "1 to 100000")?;
        ParameterError::check(self.min_rows_leaf > 0, "min_rows_leaf", self.min_rows_leaf, "at least 1")?;
        ParameterError::check(self.row_cap >= 10, "row_cap", self.row_cap, "at least 10")?;
        let tried = self.features_per_split.unwrap_or(1);
        let allowed = "at least 1 and at most the number of features";
        ParameterError::check((1..=width.max(1)).contains(&tried), "features_per_split", tried, allowed)?;
        let share = self.feature_share.unwrap_or(1.0);
        ParameterError::check(share > 0.0 && share <= 1.0, "feature_share", share, "above 0, at most 1")?;
        let ours = [
            ("max_leaves", self.max_leaves.is_some()),
            ("max_bins", self.max_bins != max_bins()),
            ("bootstrap", !self.bootstrap),
            ("row_share", self.row_share != all()),
            ("class_weights", self.class_weights != ClassWeights::Equal),
            ("out_of_bag", self.out_of_bag),
        ];
        ours.into_iter().try_for_each(|(name, set)| {
            ParameterError::check(!set, name, "set", "its default with the backend smartcore")
        })
    }
}

impl Persist for RandomForest {
    const TAG: &'static str = "RandomForest";
}

/// What all tasks have in common.
macro_rules! learner {
    ($task:ty, $by_smartcore:expr) => {
        impl Learner<$task> for RandomForest {
            type Model = TreeEnsemble;

            fn accepts(&self) -> Accepts {
                let ours = self.backend == ForestBackend::Histogram;
                Accepts { missing: ours, categories: ours }
            }

            fn fit(&self, train: &Design<$task>, cx: &FitContext) -> Result<TreeEnsemble> {
                match self.backend {
                    ForestBackend::Histogram => self.options().fit(train, cx),
                    ForestBackend::Smartcore => {
                        self.check_smartcore(train.features.width())?;
                        $by_smartcore(self, train, cx)
                    }
                }
            }
        }
    };
}

learner!(Regression, Self::regress_by_smartcore);
learner!(Binary, |forest: &Self, train: &Design<Binary>, cx| {
    let class: Vec<u32> = train.target.events().iter().map(|&event| u32::from(event)).collect();
    forest.classify_by_smartcore(train, &class, 1, cx)
});
learner!(Multiclass, |forest: &Self, train: &Design<Multiclass>, cx| {
    forest.classify_by_smartcore(train, train.target.codes(), train.target.classes(), cx)
});

#[cfg(test)]
mod tests;
