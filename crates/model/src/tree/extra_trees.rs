//! Extremely randomised trees: forests whose cuts are drawn at random.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::Result;
use stagewise_core::matrix::{Accepts, Design};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Learner;
use stagewise_core::task::{Binary, Multiclass, Regression};

use crate::tree::cart::grove::Draw;
use crate::tree::class_weights::ClassWeights;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::forest::engine::Options;

/// Extremely randomised trees: as [`RandomForest`](crate::RandomForest), but each tree learns from all rows, and of each
/// feature that a node draws one random cut is tried instead of the best.
///
/// The cut of a number is drawn evenly between the smallest and the largest value of the node, as near as bins tell; each
/// level of a category goes left by the toss of a coin. Trees differ more and follow noise less than those of a random
/// forest, and lean more towards the mean. Weights, missing values and categories as there.
/// O(trees · rows · depth · features per split).
///
/// # Errors
/// No features, no rows, hyper-parameters out of range.
///
/// Geurts, Ernst & Wehenkel (2006).
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, matrix::{Design, Features}, stage::Learner};
/// use stagewise_core::{stage::Predict, table::Table, target::NumberTarget, task::Regression};
/// use stagewise_model::ExtraTrees;
///
/// let x: Vec<f64> = (0..40).map(f64::from).collect();
/// let y: Vec<f64> = x.iter().map(|&x| if x < 20.0 { 1.0 } else { 5.0 }).collect();
/// let features = Features::new(Table::of([("x", Column::numbers(x))])?)?;
/// let design = Design::<Regression>::new(features, NumberTarget::new(y), ());
/// let trees = ExtraTrees::new().trees(10).fit(&design, &FitContext::new(1))?;
/// // Grown to the end, each tree knows its rows.
/// assert_eq!(Predict::<Regression>::predict_row(&trees, &[19.0])?, 1.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtraTrees {
    trees: usize,
    max_depth: Option<usize>,
    max_leaves: Option<usize>,
    min_rows_leaf: f64,
    features_per_split: Option<usize>,
    feature_share: Option<f64>,
    max_bins: usize,
    class_weights: ClassWeights,
}

impl Default for ExtraTrees {
    fn default() -> Self {
        Self {
            trees: 100,
            max_depth: None,
            max_leaves: None,
            min_rows_leaf: 1.0,
            features_per_split: None,
            feature_share: None,
            max_bins: 255,
            class_weights: ClassWeights::Equal,
        }
    }
}

impl ExtraTrees {
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
    pub fn max_depth(mut self, max_depth: Option<usize>) -> Self {
        self.max_depth = max_depth;
        self
    }

    /// How many leaves a tree has at most, at least 2; the node whose split gains most is split next. `None` is no limit.
    /// Default `None`.
    #[must_use]
    pub fn max_leaves(mut self, max_leaves: Option<usize>) -> Self {
        self.max_leaves = max_leaves;
        self
    }

    /// How many rows, in sum of weights, a leaf has at least. Above 0; default 1, and up to 1 it is no limit, whatever the
    /// weights.
    #[must_use]
    pub fn min_rows_leaf(mut self, min_rows_leaf: f64) -> Self {
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
    /// `None`, the default, is the square root of their number for classes and all of them for numbers.
    #[must_use]
    pub fn feature_share(mut self, feature_share: Option<f64>) -> Self {
        self.feature_share = feature_share;
        self
    }

    /// How many bins a column has at most, without that of missing values: cuts are drawn among theirs. From 2 to 255;
    /// default 255.
    #[must_use]
    pub fn max_bins(mut self, max_bins: usize) -> Self {
        self.max_bins = max_bins;
        self
    }

    /// How much each class counts. Default [`ClassWeights::Equal`].
    #[must_use]
    pub fn class_weights(mut self, class_weights: ClassWeights) -> Self {
        self.class_weights = class_weights;
        self
    }

    fn options(&self) -> Options<'_> {
        Options {
            tag: Self::TAG,
            trees: self.trees,
            max_depth: self.max_depth,
            max_leaves: self.max_leaves,
            min_rows_leaf: self.min_rows_leaf,
            features_per_split: self.features_per_split,
            feature_share: self.feature_share,
            draw: Draw::All,
            max_bins: self.max_bins,
            class_weights: self.class_weights,
            random_cuts: true,
            single: false,
            out_of_bag: false,
            kept: None,
        }
    }
}

impl Persist for ExtraTrees {
    const TAG: &'static str = "ExtraTrees";
}

/// What all tasks have in common.
macro_rules! learner {
    ($($task:ty),*) => {
        $(
            impl Learner<$task> for ExtraTrees {
                type Model = TreeEnsemble;

                fn accepts(&self) -> Accepts {
                    Accepts { missing: true, categories: true }
                }

                fn fit(&self, train: &Design<$task>, cx: &FitContext) -> Result<TreeEnsemble> {
                    self.options().fit(train, cx)
                }
            }
        )*
    };
}

learner!(Regression, Binary, Multiclass);

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::matrix::Features;
    use stagewise_core::table::Table;
    use stagewise_core::target::NumberTarget;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn conformance() {
        let spec = ExtraTrees::new().trees(12);
        conformance::learner::<Regression, _>(&spec, &data::regression(70, 1));
        conformance::learner::<Binary, _>(&spec, &data::binary(70, 1));
        conformance::learner::<Multiclass, _>(&spec.min_rows_leaf(3.0), &data::multiclass(70, 1));
    }

    #[test]
    fn cuts_are_even_between_the_smallest_and_the_largest_value() {
        // Most values are small; an even draw between 0 and 1 cuts beyond them mostly.
        let x: Vec<f64> = (0..200).map(|i| (f64::from(i) / 199.0).powi(3)).collect();
        let y = x.clone();
        let features = Features::new(Table::of([("x", Column::numbers(x))]).unwrap()).unwrap();
        let train = Design::<Regression>::new(features, NumberTarget::new(y), ());
        let spec = ExtraTrees::new().trees(400).max_depth(Some(1));
        let model = spec.fit(&train, &FitContext::new(2)).unwrap();
        let cuts: Vec<f64> = model
            .trees()
            .iter()
            .filter_map(|tree| match tree.node(0, 1) {
                Some(crate::Node::Split { rule: crate::Rule::AtMost(cut), .. }) => Some(cut),
                _ => None,
            })
            .collect();
        let below = |limit: f64| cuts.iter().filter(|&&cut| cut < limit).count() as f64 / 400.0;
        for limit in [0.1, 0.25, 0.5, 0.75] {
            assert!((below(limit) - limit).abs() < 0.07, "{} below {limit}", below(limit));
        }
    }
}
