//! The learner: what a user may set, and what it means.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{ParameterError, Result, SchemaError};
use stagewise_core::matrix::{Accepts, Design};
use stagewise_core::metric::Metric;
use stagewise_core::persist::Persist;
use stagewise_core::registry::Registry;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::stage::Learner;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression, Task};

use super::objective::Objective;
use super::sample::RowSampling;
use super::watch::Watched;
use crate::setters::setters;
use crate::tree::class_weights::ClassWeights;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::grow::score::Penalty;
use crate::tree::grow::{Growth, LevelRules, Order};

mod fit;

/// Which node of a tree is split next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrowthOrder {
    /// That whose split gains most, wherever it is (leaf-wise).
    #[default]
    Best,
    /// The shallowest (depth-wise).
    Level,
}

/// How the answer may move with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monotone {
    /// It never falls as the number grows.
    Rising,
    /// It never rises as the number grows.
    Falling,
}

/// Gradient boosting of trees on histograms: `score = base + Σ learning_rate · tree(x)`.
///
/// Each round fits one tree (for `k` classes, `k` trees) to the slope of the loss at the scores so far, by second-order
/// gains; leaves answer with Newton's step. Missing values are taken: each split learns where they go. Categories are
/// taken: a split sends a set of levels left. Where a split saw no missing values, a later one goes with the larger part;
/// a level not seen in training counts as missing. Infinite values are numbers like others. Weights are honoured: a row
/// of weight 2 is a row twice; in a ranking a group counts the mean of its rows' weights. Constant and empty columns are never split. O(rounds · rows · columns · depth) at most;
/// 1 byte per cell beside the table.
///
/// Columns of more than [`max_bins`](Self::max_bins) values are cut at quantiles. Gradients are rounded for the search of
/// splits, to 15 bits or more, and added up as integers: the same bits on any number of threads. Leaves answer from
/// unrounded gradients.
///
/// | here | LightGBM | XGBoost | scikit-learn |
/// |---|---|---|---|
/// | `objective` LambdaRank, `truncation` 30 | `lambdarank`, `lambdarank_truncation_level` | `rank:ndcg` | |
/// | `rounds` 100 | `num_iterations` | `n_estimators` | `max_iter` |
/// | `learning_rate` 0.1 | `learning_rate` | `eta` | `learning_rate` |
/// | `max_leaves` 31 | `num_leaves` | `max_leaves` | `max_leaf_nodes` |
/// | `max_depth` none | `max_depth` | `max_depth` | `max_depth` |
/// | `order` best | leaf-wise | `grow_policy` | leaf-wise |
/// | `min_rows_leaf` 20 | `min_data_in_leaf` | | `min_samples_leaf` |
/// | `min_hessian_leaf` 1e-3 | `min_sum_hessian_in_leaf` | `min_child_weight` | |
/// | `min_gain` 0 | `min_gain_to_split` | `gamma` | |
/// | `l1` 0, `l2` 0 | `lambda_l1`, `lambda_l2` | `alpha`, `lambda` | `l2_regularization` |
/// | `path_smoothing` 0 | `path_smooth` | | |
/// | `max_answer` none | `max_delta_step` | `max_delta_step` | |
/// | `max_bins` 255 | `max_bin` | `max_bin` | `max_bins` |
/// | `sampling` all | `bagging_fraction`, `goss` | `subsample` | |
/// | `columns_by_tree`, `_level`, `_node` 1 | `feature_fraction`, `_bynode` | `colsample_bytree`, `_bylevel`, `_bynode` | `max_features` |
/// | `monotone` | `monotone_constraints` | `monotone_constraints` | `monotonic_cst` |
/// | `interactions` | `interaction_constraints` | `interaction_constraints` | `interaction_cst` |
/// | `one_against_rest` 4 | `max_cat_to_onehot` | `max_cat_to_onehot` | |
/// | `level_smoothing` 10 | `cat_smooth` | | |
/// | `level_l2` 10 | `cat_l2` | | |
/// | `max_levels_left` 32 | `max_cat_threshold` | `max_cat_threshold` | |
/// | `min_rows_levels` 100 | `min_data_per_group` | | |
/// | `offset` none | `init_score` | `base_margin` | |
/// | `class_weights` equal | `is_unbalance`, `class_weight` | | `class_weight` |
/// | `linear_leaves` no, `linear_l2` 1 | `linear_tree`, `linear_lambda` | | |
/// | `early_stopping` none | `early_stopping_round` | `early_stopping_rounds` | `n_iter_no_change` |
/// | `watch` the loss | `metric` | `eval_metric` | `scoring` |
/// | `held_out` 0.1 | `valid_sets` | `eval_set` | `validation_fraction` |
///
/// # Errors
/// No features, no rows, targets that the objective is not for, hyper-parameters out of range, names of columns that are
/// not there, monotone categories.
///
/// Friedman (2001); Chen & Guestrin (2016); Ke et al. (2017). Checked against scikit-learn 1.9.1
/// `HistGradientBoostingRegressor` and `HistGradientBoostingClassifier`, 1e-6.
/// Linear leaves: Shi, Li & Li (2018), checked against LightGBM 4.7.0, whose first tree has none: held-out RMSE within 3 %,
/// log loss within 7 %.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, matrix::{Design, Features}, stage::{Learner, Predict}};
/// use stagewise_core::{table::Table, target::NumberTarget, task::Regression};
/// use stagewise_model::GradientBoosting;
///
/// let x: Vec<f64> = (0..100).map(f64::from).collect();
/// let y: Vec<f64> = x.iter().map(|&x| if x < 50.0 { 1.0 } else { 5.0 }).collect();
/// let features = Features::new(Table::of([("x", Column::numbers(x))])?)?;
/// let design = Design::<Regression>::new(features, NumberTarget::new(y), ());
/// let model = GradientBoosting::new().rounds(2).learning_rate(0.5).fit(&design, &FitContext::new(0))?;
/// // The mean is 3; half of what is left, twice: 3 - 2 + 0.5.
/// assert_eq!(Predict::<Regression>::predict_row(&model, &[10.0])?, 1.5);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GradientBoosting {
    objective: Option<Objective>,
    rounds: usize,
    learning_rate: f64,
    order: GrowthOrder,
    max_leaves: usize,
    max_depth: Option<usize>,
    min_rows_leaf: f64,
    min_hessian_leaf: f64,
    min_gain: f64,
    l1: f64,
    l2: f64,
    path_smoothing: f64,
    max_answer: Option<f64>,
    max_bins: usize,
    sampling: RowSampling,
    columns_by_tree: f64,
    columns_by_level: f64,
    columns_by_node: f64,
    monotone: Vec<(String, Monotone)>,
    interactions: Vec<Vec<String>>,
    random_cuts: bool,
    one_against_rest: usize,
    level_smoothing: f64,
    level_l2: f64,
    max_levels_left: usize,
    min_rows_levels: f64,
    early_stopping: Option<usize>,
    held_out: f64,
    history: bool,
    linear_leaves: bool,
    linear_l2: f64,
    start: Option<TreeEnsemble>,
    class_weights: ClassWeights,
    offset: Option<String>,
    watched: Vec<Watched>,
}

impl Default for GradientBoosting {
    fn default() -> Self {
        Self {
            objective: None,
            rounds: 100,
            learning_rate: 0.1,
            order: GrowthOrder::Best,
            max_leaves: 31,
            max_depth: None,
            min_rows_leaf: 20.0,
            min_hessian_leaf: 1e-3,
            min_gain: 0.0,
            l1: 0.0,
            l2: 0.0,
            path_smoothing: 0.0,
            max_answer: None,
            max_bins: 255,
            sampling: RowSampling::All,
            columns_by_tree: 1.0,
            columns_by_level: 1.0,
            columns_by_node: 1.0,
            monotone: Vec::new(),
            interactions: Vec::new(),
            random_cuts: false,
            one_against_rest: 4,
            level_smoothing: 10.0,
            level_l2: 10.0,
            max_levels_left: 32,
            min_rows_levels: 100.0,
            early_stopping: None,
            held_out: 0.1,
            history: false,
            linear_leaves: false,
            linear_l2: 1.0,
            start: None,
            class_weights: ClassWeights::Equal,
            offset: None,
            watched: Vec::new(),
        }
    }
}

impl GradientBoosting {
    /// 100 rounds of trees with 31 leaves, at a learning rate of 0.1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is made small. Default: squared error, log loss of the event, log loss of the class, LambdaRank.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = Some(objective);
        self
    }

    setters! {
        /// How many rounds, one tree (or one for each class) a round; at most, with early stopping. Default 100.
        rounds: usize,
        /// What each tree's answer is multiplied by. Above 0; default 0.1.
        learning_rate: f64,
        /// Which node is split next. Default [`GrowthOrder::Best`].
        order: GrowthOrder,
        /// How many leaves a tree has at most. At least 2; default 31.
        max_leaves: usize,
        /// How many splits a row passes at most; `None`, the default, is no limit.
        max_depth: Option<usize>,
        /// The least number of rows of a leaf, in sum of weights. Where the curvature of the loss differs from row to row
        /// the rows of a candidate are estimated by their share of it. Default 20.
        min_rows_leaf: f64,
        /// The least sum of hessians of a leaf. Default 1e-3.
        min_hessian_leaf: f64,
        /// A split must gain more than this. Default 0.
        min_gain: f64,
        /// Taken off the absolute gradient sum of each leaf. Default 0.
        l1: f64,
        /// Added to the hessian sum of each leaf. Default 0.
        l2: f64,
        /// Draws each answer towards that of the node above, as if this many rows had come from there. Default 0.
        path_smoothing: f64,
        /// The largest absolute answer of a leaf, before the learning rate; `None`, the default, is no limit.
        max_answer: Option<f64>,
        /// How many bins a column has at most, without that of missing values. From 2 to 255; default 255.
        max_bins: usize,
        /// Which rows each round learns from. Default all.
        sampling: RowSampling,
        /// The share of the columns that each tree draws. Above 0, at most 1; default 1.
        columns_by_tree: f64,
        /// The share of a tree's columns that each level draws. Default 1.
        columns_by_level: f64,
        /// The share of a level's columns that each node draws. Default 1.
        columns_by_node: f64,
        /// One random cut of each column instead of the best (extremely randomised trees). Default no.
        random_cuts: bool,
        /// Categories of at most so many levels put one level against the rest. Default 4.
        one_against_rest: usize,
        /// Draws the mean gradients of levels together; levels of fewer rows stay on the right. Default 10.
        level_smoothing: f64,
        /// Added to `l2` in the gain and in the answers of both sides where several levels go left. Default 10.
        level_l2: f64,
        /// How many levels go left at most. Default 32.
        max_levels_left: usize,
        /// The least number of rows between two places of the order of levels that are tried. Default 100.
        min_rows_levels: f64,
        /// Stops after so many rounds without a better loss on held-out rows, or a better value of the first metric that is
        /// [watched](Self::watch), and keeps the best round. A pipeline sets these rows apart before any step sees them.
        /// Default `None`.
        early_stopping: Option<usize>,
        /// The share of the training rows that early stopping holds out. Between 0 and 1; default 0.1.
        held_out: f64,
        /// Leaves answer with a line in the numbers and flags that the way to them asks for, fitted by a ridge regression
        /// of second order (Shi et al. 2018). Default no.
        ///
        /// A number that more than half of a leaf's rows lack is left out; rows that lack one of the others get the leaf's
        /// constant, as do rows in which one is infinite. A number that follows from others, that is constant or whose
        /// square overflows is left out too. `l1`, `l2` and `path_smoothing` act on the mean answer of a leaf. Lines go on
        /// beyond the training rows: answers to extreme numbers are extreme. Not with `monotone`, `max_answer`, or
        /// objectives whose leaves answer a quantile; contributions and ONNX are refused. O(rows · depth²) a tree more.
        linear_leaves: bool,
        /// Draws the slopes of linear leaves to 0, as if so much hessian more had slope 0, whatever the scale of the
        /// numbers: `(Σ h z zᵀ + linear_l2 · diag(variance)) slopes = −Σ g z`, with centred numbers `z`. Not below 0;
        /// default 1, which also keeps slopes of numbers that nearly follow from each other small. LightGBM's
        /// `linear_lambda`, default 0, is added to the diagonal as it is.
        linear_l2: f64,
        /// Keeps the losses of every round also without early stopping. Default no.
        history: bool,
        /// How much the rows of each class count, on top of their own weights. Probabilities are then those of the data so
        /// reweighted: calibrate them where frequencies matter. Held-out rows are judged by the factors of the training
        /// rows. Default [`ClassWeights::Equal`], all that a regression takes.
        class_weights: ClassWeights,
    }

    /// The number in this column is added to the score of each row, in training and in every answer: of counts, the
    /// logarithm of the exposure. No tree splits on it, and boosting starts from the best constant beside it.
    ///
    /// It is a feature of the model like others, so that an answer can not be given without it; LightGBM's `init_score`
    /// and XGBoost's `base_margin` are data of a call, and are left out of an answer that is not given them. It must be a
    /// finite number in each row, and come to the model as it is: let no step before the model change it. Not for
    /// multiclass, whose classes have scores of their own.
    #[must_use]
    pub fn offset(mut self, column: impl Into<String>) -> Self {
        self.offset = Some(column.into());
        self
    }

    /// Looks at this metric after each round too, on (at most 65,536 evenly spaced) training rows and on held-out rows,
    /// and keeps its curve in the history. May be set several times. [`early_stopping`](Self::early_stopping) stops by the
    /// first of them, instead of by the loss. Answers are scored as the model would give them, with the weights of the
    /// rows as they came. A metric without a value, as ROC AUC of one class, is an error.
    ///
    /// A metric of several tasks must be told which: `.watch::<Binary>(LogLoss)`. Saved by its tag, it is found
    /// again in the registry that loads the learner.
    #[must_use]
    pub fn watch<T: Task>(mut self, metric: impl Metric<T>) -> Self {
        self.watched.push(Watched::new(metric));
        self
    }

    /// The answer may only rise, or only fall, with this number. Proved on the fitted model, by
    /// [`TreeEnsemble::prove_monotone`].
    #[must_use]
    pub fn monotone(mut self, column: impl Into<String>, direction: Monotone) -> Self {
        self.monotone.push((column.into(), direction));
        self
    }

    /// Only columns of one of these groups may stand on one way from root to leaf. Columns in no group stand alone. Proved
    /// on the fitted model.
    #[must_use]
    pub fn interactions<S: Into<String>>(
        mut self,
        groups: impl IntoIterator<Item = impl IntoIterator<Item = S>>,
    ) -> Self {
        self.interactions = groups.into_iter().map(|group| group.into_iter().map(Into::into).collect()).collect();
        self
    }

    /// Goes on from a model that boosting made on the same columns: [`rounds`](Self::rounds) more. The result is the same
    /// to the bit as if it had not been interrupted.
    #[must_use]
    pub fn start(mut self, model: TreeEnsemble) -> Self {
        self.start = Some(model);
        self
    }

    fn check(&self) -> Result<()> {
        let number = |name, value: f64, valid: bool, allowed| ParameterError::check(valid, name, value, allowed);
        let count = |name, value: usize, valid: bool, allowed| ParameterError::check(valid, name, value, allowed);
        let above = |name, value: f64| number(name, value, value.is_finite() && value > 0.0, "a number above 0");
        let not_below =
            |name, value: f64| number(name, value, value.is_finite() && value >= 0.0, "a number not below 0");
        let share = |name, value: f64| number(name, value, value > 0.0 && value <= 1.0, "above 0, at most 1");
        above("learning_rate", self.learning_rate)?;
        count("max_leaves", self.max_leaves, self.max_leaves >= 2, "at least 2")?;
        count("max_bins", self.max_bins, (2..=255).contains(&self.max_bins), "from 2 to 255")?;
        not_below("min_rows_leaf", self.min_rows_leaf)?;
        not_below("min_hessian_leaf", self.min_hessian_leaf)?;
        not_below("min_gain", self.min_gain)?;
        not_below("l1", self.l1)?;
        not_below("l2", self.l2)?;
        not_below("path_smoothing", self.path_smoothing)?;
        above("max_answer", self.max_answer.unwrap_or(1.0))?;
        share("columns_by_tree", self.columns_by_tree)?;
        share("columns_by_level", self.columns_by_level)?;
        share("columns_by_node", self.columns_by_node)?;
        not_below("level_smoothing", self.level_smoothing)?;
        not_below("level_l2", self.level_l2)?;
        not_below("min_rows_levels", self.min_rows_levels)?;
        not_below("linear_l2", self.linear_l2)?;
        let limited = self.linear_leaves && (!self.monotone.is_empty() || self.max_answer.is_some());
        let allowed = "no where `monotone` or `max_answer` limits what a leaf may answer";
        ParameterError::check(!limited, "linear_leaves", "yes", allowed)?;
        count("max_levels_left", self.max_levels_left, self.max_levels_left >= 1, "at least 1")?;
        if let Some(patience) = self.early_stopping {
            count("early_stopping", patience, patience >= 1, "at least 1 round")?;
            number("held_out", self.held_out, self.held_out > 0.0 && self.held_out < 1.0, "between 0 and 1")?;
        }
        self.sampling.check()
    }

    fn growth(&self, schema: &Schema) -> Result<Growth> {
        let mut monotone = Vec::new();
        for (name, direction) in &self.monotone {
            let position = schema.require(name)?;
            let kind = schema.fields()[position].kind;
            if kind == Kind::Category {
                return Err(SchemaError::WrongKind { expected: Kind::Number, found: kind }.into());
            }
            monotone.resize(schema.len(), 0);
            monotone[position] = if *direction == Monotone::Rising { 1 } else { -1 };
        }
        let positions = |group: &Vec<String>| group.iter().map(|name| schema.require(name)).collect::<Result<Vec<_>>>();
        let mut interactions = self.interactions.iter().map(positions).collect::<Result<Vec<_>>>()?;
        if !interactions.is_empty() {
            let alone = |column: &usize| !interactions.iter().any(|group| group.contains(column));
            let alone: Vec<Vec<usize>> = (0..schema.len()).filter(alone).map(|column| vec![column]).collect();
            interactions.extend(alone);
        }
        Ok(Growth {
            order: if self.order == GrowthOrder::Best { Order::Best } else { Order::Level },
            max_leaves: self.max_leaves,
            max_depth: self.max_depth.unwrap_or(usize::MAX),
            min_weight: self.min_rows_leaf,
            min_hessian: self.min_hessian_leaf,
            min_gain: self.min_gain,
            penalty: Penalty {
                l1: self.l1,
                l2: self.l2,
                smoothing: self.path_smoothing,
                max_answer: self.max_answer.unwrap_or(f64::INFINITY),
            },
            levels: LevelRules {
                one_against_rest: self.one_against_rest,
                smoothing: self.level_smoothing,
                l2: self.level_l2,
                max_left: self.max_levels_left,
                min_weight: self.min_rows_levels,
            },
            monotone,
            interactions,
            columns_by_level: self.columns_by_level,
            columns_by_node: self.columns_by_node,
            random_cuts: self.random_cuts,
        })
    }
}

impl Persist for GradientBoosting {
    const TAG: &'static str = "GradientBoosting";
}

/// What all tasks have in common.
macro_rules! learner {
    ($task:ty, $default:expr, $may:expr) => {
        impl Learner<$task> for GradientBoosting {
            type Model = TreeEnsemble;

            fn accepts(&self) -> Accepts {
                Accepts { missing: true, categories: true }
            }

            fn holds_out(&self) -> Option<f64> {
                self.early_stopping.map(|_| self.held_out)
            }

            fn resolve(&mut self, registry: &Registry) -> Result<()> {
                self.watched.iter_mut().try_for_each(|metric| metric.resolve(registry))
            }

            fn fit(&self, train: &Design<$task>, cx: &FitContext) -> Result<TreeEnsemble> {
                self.boost(train, $default, $may, cx)
            }
        }
    };
}

learner!(Regression, Objective::Squared, |objective| {
    !matches!(
        objective,
        Objective::Logistic | Objective::Focal { .. } | Objective::Softmax | Objective::LambdaRank { .. }
    )
});
learner!(Binary, Objective::Logistic, |objective| {
    matches!(objective, Objective::Logistic | Objective::Focal { .. } | Objective::CrossEntropy)
});
learner!(Multiclass, Objective::Softmax, |objective| matches!(objective, Objective::Softmax));
learner!(Ranking, Objective::LambdaRank { truncation: 30 }, |objective| {
    matches!(objective, Objective::LambdaRank { .. })
});

#[cfg(test)]
mod tests;

#[cfg(test)]
mod golden;

#[cfg(test)]
mod options;

#[cfg(test)]
mod ranking;
