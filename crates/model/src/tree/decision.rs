//! One tree, and who grows it.
//!
//! Our engine on bins (`cart`) unless told otherwise. The other two look at every value and grow node by node here: which
//! split is best is decided in `split.rs` or by linfa-trees (`linfa.rs`), and a leaf says the weighted share of each class
//! among its training rows. There is no random choice; equally good splits go to the first feature.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::matrix::{Accepts, Design};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Learner;
use stagewise_core::task::{Binary, Multiclass, Regression, Task};

use crate::input::Input;
use crate::tree::boost::input::check_count;
use crate::tree::cart::grove::Draw;
use crate::tree::class_weights::ClassWeights;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::forest::engine::Options;
use crate::tree::linfa;
use crate::tree::split::Rows;
use crate::tree::structure::Tree;

/// Who looks for the splits of a [`DecisionTree`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TreeBackend {
    /// Our own engine on bins: exact for columns of at most [`max_bins`](DecisionTree::max_bins) values.
    #[default]
    Histogram,
    /// Our own search among all values. Classes only; missing and infinite values and categories are refused.
    Exact,
    /// The crate linfa-trees 0.8, two classes only, as [`Exact`](Self::Exact). It counts in 32-bit floats.
    Linfa,
}

impl TreeBackend {
    /// What it was when specs did not say.
    fn before() -> Self {
        Self::Exact
    }
}

/// One tree (CART): splits that reduce the Gini impurity, or of numbers the squared error, most.
///
/// A leaf answers with the weighted share of each class among its training rows, or with their mean. Weights are
/// honoured. Missing values are taken: each split learns where they go; where it saw none, they go with the larger part.
/// Categories are taken: levels are put in order of their mean (for more than two classes, of their share of each of the
/// first eight) and split there; a level not seen in training counts as missing. Infinite values are numbers like others.
/// The backends `Exact` and `Linfa` refuse all these. One class gives a single leaf. Equally good splits go to the first
/// feature. O(depth · n p); the backends O(depth · n p log n) at most.
///
/// # Errors
/// No features, no rows, hyper-parameters out of range; what the backends refuse.
///
/// Breiman et al. (1984), ch. 4. Checked against scikit-learn 1.9.1 `DecisionTreeClassifier` and
/// `DecisionTreeRegressor`, 1e-9.
///
/// ```
/// use stagewise_core::task::{Binary, BinaryLabels};
/// use stagewise_core::{column::Column, context::FitContext, matrix::{Design, Features}, stage::Learner};
/// use stagewise_core::{stage::Predict, table::Table, target::BinaryTarget};
/// use stagewise_model::DecisionTree;
///
/// let features = Features::new(Table::of([("x", Column::numbers([1.0, 2.0, 3.0, 4.0]))])?)?;
/// let target = BinaryTarget::new(vec![false, false, true, false]);
/// let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
/// let design = Design::<Binary>::new(features, target, labels);
/// let tree = DecisionTree::new().max_depth(Some(1)).min_rows_leaf(1.0).fit(&design, &FitContext::new(0))?;
/// // Cut between 2 and 3: shares 0 of 2 and 1 of 2.
/// assert_eq!(Predict::<Binary>::predict_row(&tree, &[2.6])?, 0.5);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionTree {
    max_depth: Option<usize>,
    min_rows_leaf: f64,
    #[serde(default = "TreeBackend::before")]
    backend: TreeBackend,
    #[serde(default)]
    max_leaves: Option<usize>,
    #[serde(default = "max_bins")]
    max_bins: usize,
    #[serde(default)]
    class_weights: ClassWeights,
}

fn max_bins() -> usize {
    255
}

impl Default for DecisionTree {
    fn default() -> Self {
        Self {
            max_depth: Some(6),
            min_rows_leaf: 20.0,
            backend: TreeBackend::Histogram,
            max_leaves: None,
            max_bins: max_bins(),
            class_weights: ClassWeights::Equal,
        }
    }
}

impl DecisionTree {
    /// At most 6 splits deep, at least 20 rows a leaf.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many splits a row passes at most; `None` is no limit. Default 6.
    #[must_use]
    pub fn max_depth(mut self, max_depth: Option<usize>) -> Self {
        self.max_depth = max_depth;
        self
    }

    /// How many rows, in sum of weights, a leaf has at least. Above 0; default 20.
    #[must_use]
    pub fn min_rows_leaf(mut self, min_rows_leaf: f64) -> Self {
        self.min_rows_leaf = min_rows_leaf;
        self
    }

    /// Who looks for the splits. Default [`TreeBackend::Histogram`].
    #[must_use]
    pub fn backend(mut self, backend: TreeBackend) -> Self {
        self.backend = backend;
        self
    }

    /// How many leaves at most, at least 2; the node whose split gains most is split next. `None` is no limit. Default
    /// `None`. With the backend `Histogram` only.
    #[must_use]
    pub fn max_leaves(mut self, max_leaves: Option<usize>) -> Self {
        self.max_leaves = max_leaves;
        self
    }

    /// How many bins a column has at most, without that of missing values; a column of more values is cut at quantiles.
    /// From 2 to 255; default 255. With the backend `Histogram` only.
    #[must_use]
    pub fn max_bins(mut self, max_bins: usize) -> Self {
        self.max_bins = max_bins;
        self
    }

    /// How much each class counts. Default [`ClassWeights::Equal`]. With the backend `Histogram` only.
    #[must_use]
    pub fn class_weights(mut self, class_weights: ClassWeights) -> Self {
        self.class_weights = class_weights;
        self
    }

    fn options(&self) -> Options<'_> {
        Options {
            tag: Self::TAG,
            trees: 1,
            max_depth: self.max_depth,
            max_leaves: self.max_leaves,
            min_rows_leaf: self.min_rows_leaf,
            features_per_split: None,
            feature_share: None,
            draw: Draw::All,
            max_bins: self.max_bins,
            class_weights: self.class_weights,
            random_cuts: false,
            single: true,
            out_of_bag: false,
            kept: None,
        }
    }

    /// Grows by `Exact` or `Linfa`.
    fn grow<T: Task>(
        &self,
        train: &Design<T>,
        class: Vec<u32>,
        classes: usize,
        leaf: impl Fn(&[f64]) -> Vec<f64>,
        cx: &FitContext,
    ) -> Result<TreeEnsemble> {
        let least = self.min_rows_leaf;
        ParameterError::check(least.is_finite() && least > 0.0, "min_rows_leaf", least, "a number above 0")?;
        let ours = [
            ("max_leaves", self.max_leaves.is_some()),
            ("max_bins", self.max_bins != max_bins()),
            ("class_weights", self.class_weights != ClassWeights::Equal),
        ];
        ours.into_iter()
            .try_for_each(|(name, set)| ParameterError::check(!set, name, "set", "its default with this backend"))?;
        check_count(train.features.rows(), Self::TAG)?;
        let (input, x) = Input::of(train, Self::TAG)?;
        if self.backend == TreeBackend::Linfa && classes > 2 {
            let allowed = "`Exact` for more than two classes, where linfa-trees is not reproducible";
            return Err(ParameterError { name: "backend", value: "Linfa".into(), allowed }.into());
        }
        let data = Rows::new(x, class, classes, train.weights());
        let rows: Vec<u32> = (0..x.nrows() as u32).filter(|&r| data.weight(r) > 0.0).collect();
        let mut tree = Tree::new();
        // Rows, depth, and the split that they hang on.
        let mut open = vec![(rows, 0, None)];
        while let Some((rows, depth, parent)) = open.pop() {
            cx.check()?;
            let totals = data.totals(&rows);
            let found = if self.may_split(&totals, depth) { self.best(&data, &rows)? } else { None };
            let at = match found {
                None => tree.leaf(&leaf(&shares(&totals))),
                Some((feature, left, right, threshold)) => {
                    let heavier_left = left.len() >= right.len();
                    let at = tree.split(feature, threshold, heavier_left);
                    open.push((right, depth + 1, Some((at, false))));
                    open.push((left, depth + 1, Some((at, true))));
                    at
                }
            };
            if let Some((parent, left)) = parent {
                tree.link(parent, left, at);
            }
        }
        TreeEnsemble::mean(input.names().to_vec(), leaf(&shares(&vec![1.0; classes])).len(), vec![tree])
    }

    fn may_split(&self, totals: &[f64], depth: usize) -> bool {
        let mixed = totals.iter().filter(|&&w| w > 0.0).count() > 1;
        let enough = totals.iter().sum::<f64>() >= 2.0 * self.min_rows_leaf;
        mixed && enough && self.max_depth.is_none_or(|max| depth < max)
    }

    /// The feature, the rows of each side and the threshold.
    #[allow(clippy::type_complexity)]
    fn best(&self, data: &Rows, rows: &[u32]) -> Result<Option<(usize, Vec<u32>, Vec<u32>, f64)>> {
        let split = match self.backend {
            TreeBackend::Histogram | TreeBackend::Exact => data.best(rows, self.min_rows_leaf),
            TreeBackend::Linfa => linfa::best(data, rows, self.min_rows_leaf)?,
        };
        Ok(split.and_then(|split| {
            data.part(rows, split).map(|(left, right, threshold)| (split.feature, left, right, threshold))
        }))
    }
}

fn shares(totals: &[f64]) -> Vec<f64> {
    let total: f64 = totals.iter().sum();
    totals.iter().map(|w| w / total).collect()
}

impl Persist for DecisionTree {
    const TAG: &'static str = "DecisionTree";
}

/// What all tasks have in common.
macro_rules! learner {
    ($task:ty, $otherwise:expr) => {
        impl Learner<$task> for DecisionTree {
            type Model = TreeEnsemble;

            fn accepts(&self) -> Accepts {
                let ours = self.backend == TreeBackend::Histogram;
                Accepts { missing: ours, categories: ours }
            }

            fn fit(&self, train: &Design<$task>, cx: &FitContext) -> Result<TreeEnsemble> {
                match self.backend {
                    TreeBackend::Histogram => self.options().fit(train, cx),
                    _ => $otherwise(self, train, cx),
                }
            }
        }
    };
}

learner!(Regression, |tree: &Self, _: &Design<Regression>, _: &FitContext| {
    let value = format!("{:?}", tree.backend);
    Err(ParameterError { name: "backend", value, allowed: "`Histogram` for numbers" }.into())
});
learner!(Binary, |tree: &Self, train: &Design<Binary>, cx| {
    let class = train.target.events().iter().map(|&e| u32::from(e)).collect();
    tree.grow(train, class, 2, |shares| vec![shares[1]], cx)
});
learner!(Multiclass, |tree: &Self, train: &Design<Multiclass>, cx| {
    let classes = train.target.classes();
    tree.grow(train, train.target.codes().to_vec(), classes, <[f64]>::to_vec, cx)
});

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use stagewise_core::column::Column;
    use stagewise_core::matrix::Features;
    use stagewise_core::stage::Predict;
    use stagewise_core::table::Table;
    use stagewise_core::target::BinaryTarget;
    use stagewise_core::task::BinaryLabels;
    use stagewise_testkit::{conformance, data};

    fn design(x: Vec<f64>, events: Vec<bool>, weights: Option<Vec<f64>>) -> Design<Binary> {
        let features = Features::new(Table::of([("x", Column::numbers(x))]).unwrap()).unwrap();
        let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
        Design::new(features, BinaryTarget::new(events), labels).weighted(weights.map(Arc::new))
    }

    #[test]
    fn conformance() {
        let spec = DecisionTree::new().min_rows_leaf(5.0);
        conformance::learner::<Regression, _>(&spec, &data::regression(150, 1));
        conformance::learner::<Binary, _>(&spec, &data::binary(150, 1));
        conformance::learner::<Multiclass, _>(&spec, &data::multiclass(150, 1));
        for backend in [TreeBackend::Exact, TreeBackend::Linfa] {
            conformance::learner::<Binary, _>(&spec.clone().backend(backend), &data::binary_numeric(150, 1));
        }
        let spec = spec.backend(TreeBackend::Exact);
        conformance::learner::<Multiclass, _>(&spec, &data::multiclass_numeric(150, 1));
    }

    #[test]
    fn both_exact_backends_grow_the_same_tree() {
        let data = data::binary_numeric(400, 2);
        let train = Design::<Binary>::new(
            Features::new(data.features().clone()).unwrap(),
            data.target().clone(),
            data.labels().clone(),
        );
        let cx = FitContext::new(0);
        let spec = DecisionTree::new().max_depth(Some(3)).backend(TreeBackend::Exact);
        let ours = spec.fit(&train, &cx).unwrap();
        assert!(ours.trees()[0].leaves() > 4);
        assert_eq!(spec.backend(TreeBackend::Linfa).fit(&train, &cx).unwrap(), ours);
    }

    #[test]
    fn rare_events_keep_their_shares() {
        // No leaf has a majority of events, yet the shares differ: 0 of 50, and 10 of 50.
        let x: Vec<f64> = (0..100).map(f64::from).collect();
        let events: Vec<bool> = (0..100).map(|i| i >= 50 && i % 5 == 0).collect();
        for backend in [TreeBackend::Histogram, TreeBackend::Exact, TreeBackend::Linfa] {
            let spec = DecisionTree::new().max_depth(Some(1)).backend(backend);
            let tree = spec.fit(&design(x.clone(), events.clone(), None), &FitContext::new(0)).unwrap();
            let answer = |x: f64| Predict::<Binary>::predict_row(&tree, &[x]).unwrap();
            assert_eq!((answer(10.0), answer(90.0)), (0.0, 0.2), "{backend:?}");
        }
    }

    #[test]
    fn close_and_huge_values_are_told_apart() {
        for x in [vec![1e-9, 2e-9, 3e-9, 4e-9], vec![-1.7e308, -1e308, 1e308, 1.7e308]] {
            for backend in [TreeBackend::Histogram, TreeBackend::Exact, TreeBackend::Linfa] {
                let spec = DecisionTree::new().min_rows_leaf(1.0).backend(backend);
                let train = design(x.clone(), vec![false, false, true, true], None);
                let tree = spec.fit(&train, &FitContext::new(0)).unwrap();
                let answers: Vec<f64> =
                    x.iter().map(|&x| Predict::<Binary>::predict_row(&tree, &[x]).unwrap()).collect();
                assert_eq!(answers, [0.0, 0.0, 1.0, 1.0], "{backend:?}");
            }
        }
    }

    #[test]
    fn rows_of_weight_0_are_not_there() {
        let train = design(vec![1.0, 2.0, 3.0], vec![false, true, true], Some(vec![1.0, 1.0, 0.0]));
        let tree = DecisionTree::new().min_rows_leaf(1.0).fit(&train, &FitContext::new(0)).unwrap();
        assert_eq!(Predict::<Binary>::predict_row(&tree, &[1.4]).unwrap(), 0.0);
        assert_eq!(Predict::<Binary>::predict_row(&tree, &[1.6]).unwrap(), 1.0);
    }

    #[test]
    fn missing_values_are_refused_before_any_backend_sees_them() {
        let train = design(vec![1.0, f64::NAN], vec![false, true], None);
        let error = DecisionTree::new().backend(TreeBackend::Linfa).fit(&train, &FitContext::new(0)).unwrap_err();
        assert_eq!(error.to_string(), "column `x`: holds 1 missing values; add an imputer before it");
    }

    #[test]
    fn linfa_with_three_classes_is_refused() {
        let data = data::multiclass_numeric(60, 1);
        let train = Design::<Multiclass>::new(
            Features::new(data.features().clone()).unwrap(),
            data.target().clone(),
            data.labels().clone(),
        );
        let error = DecisionTree::new().backend(TreeBackend::Linfa).fit(&train, &FitContext::new(0)).unwrap_err();
        assert!(error.to_string().starts_with("`backend` is Linfa, allowed is `Exact` for more than two"), "{error}");
    }

    /// Few distinct values: bins lose nothing.
    #[test]
    fn bins_find_what_the_exact_search_finds() {
        use stagewise_numeric::random::Stream;
        let mut stream = Stream::new(3, "tree");
        let columns: Vec<(String, Column)> = (0..4)
            .map(|j| (format!("x{j}"), Column::numbers((0..500).map(|_| stream.below(40) as f64).collect::<Vec<_>>())))
            .collect();
        let features = Features::new(Table::of(columns).unwrap()).unwrap();
        let matrix = features.matrix();
        let events: Vec<bool> =
            (0..500).map(|row| matrix[[row, 0]] * stream.unit() + matrix[[row, 1]] > 30.0).collect();
        let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
        let train = Design::<Binary>::new(features.clone(), BinaryTarget::new(events), labels);
        let cx = FitContext::new(0);
        let answers = |backend| {
            let model = DecisionTree::new().max_depth(Some(5)).backend(backend).fit(&train, &cx).unwrap();
            (model.trees()[0].leaves(), Predict::<Binary>::predict(&model, &features).unwrap())
        };
        let (ours, exact) = (answers(TreeBackend::Histogram), answers(TreeBackend::Exact));
        assert!(ours.0 > 8);
        assert_eq!(ours, exact);
    }

    #[test]
    fn numbers_are_for_bins() {
        let features = Features::new(Table::of([("x", Column::numbers(vec![1.0, 2.0]))]).unwrap()).unwrap();
        let target = stagewise_core::target::NumberTarget::new(vec![1.0, 2.0]);
        let train = Design::<Regression>::new(features, target, ());
        let error = DecisionTree::new().backend(TreeBackend::Exact).fit(&train, &FitContext::new(0)).unwrap_err();
        assert_eq!(error.to_string(), "`backend` is Exact, allowed is `Histogram` for numbers");
    }
}
