//! The learner: what a user may set, and what it means.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::matrix::{Accepts, Design};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Learner;
use stagewise_core::task::{Binary, Multiclass, Regression, Task};

use super::axis::Axis;
use super::cycle::Plan;
use super::step::Limits;
use super::term::Term;
use super::work::{Settings, Work};
use crate::setters::setters;
use crate::tree::bins::Bins;
use crate::tree::boost::input::{Numbers, check};
use crate::tree::boost::objective::{Objective, Truth};
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::structure::Tree;

/// Explainable boosting: `score = base + Σ f_i(x_i) + Σ f_ij(x_i, x_j)`, every `f` a table that can be drawn.
///
/// A round goes over all columns and gives each a tree of few leaves on that column alone, at a small learning rate, so
/// that columns which say the same share it. It stops when held-out rows no longer gain. Then the pairs of columns that
/// the columns alone explain worst are ranked by a cut in four, and the best are boosted likewise. All of it is done in
/// several bags of rows, which are averaged. Terms are centred: their weighted mean over the training rows is 0, and that of
/// a pair along each of its columns too (purified), so each effect has one place. With more than two classes there are no
/// pairs.
///
/// The model is a [`TreeEnsemble`] with one tree for each term; [`TreeEnsemble::terms`] reads the tables out of it, and
/// [`TreeEnsemble::term_values`] says what each term adds to a row. Missing values have a cell of their own; a level not
/// seen in training counts as missing; where training had no missing values, one adds 0. Infinite values are numbers like
/// others. Categories have a cell for each of the most frequent levels. Weights are honoured: cells, leaves and means count
/// them. Constant columns say nothing. O(bags · rounds · rows · columns) in time; in memory
/// 1 byte per cell and 24 per row for each bag under way; ranking pairs takes at most 131,072 rows, evenly spaced. Where the
/// hessian is the curvature of the loss, gradients move by hessian times step within a round.
///
/// | here | InterpretML |
/// |---|---|
/// | `bags` 8 | `outer_bags` |
/// | `bag_share` 0.85, `held_out` 0.1 | `validation_size` |
/// | `rounds` 5000 | `max_rounds` |
/// | `learning_rate` 0.015 | `learning_rate` |
/// | `max_leaves` 3 | `max_leaves` |
/// | `early_stopping` 50, `tolerance` 1e-5 | `early_stopping_rounds`, `early_stopping_tolerance` |
/// | `smoothing_rounds` 75 | `smoothing_rounds`, `interaction_smoothing_rounds` |
/// | `pairs` 0.9 a column | `interactions` |
/// | `max_bins` 255, `pair_bins` 32 | `max_bins`, `max_interaction_bins` |
/// | `min_rows_leaf` 4 | `min_samples_leaf` |
/// | `min_hessian_leaf` 1e-4 | `min_hessian` |
/// | `level_smoothing` 10 | `cat_smooth` |
///
/// # Errors
/// No features, no rows, no held-out rows where it stops early, targets that the objective is not for, hyper-parameters out
/// of range; [`PipelineError::BrokenPromise`](stagewise_core::error::PipelineError) where targets are so large that a sum of
/// them is infinite.
///
/// Lou et al. (2012), "Intelligible models for classification and regression"; Lou et al. (2013), "Accurate intelligible
/// models with pairwise interactions"; Lengerich et al. (2020), "Purifying interaction effects with the functional ANOVA".
/// Checked against InterpretML 0.7.8: the shape functions of generated data.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, matrix::{Design, Features}, stage::{Learner, Predict}};
/// use stagewise_core::{table::Table, target::NumberTarget, task::Regression};
/// use stagewise_model::ExplainableBoosting;
///
/// let x: Vec<f64> = (0..100).map(f64::from).collect();
/// let y: Vec<f64> = x.iter().map(|&x| if x < 50.0 { 1.0 } else { 5.0 }).collect();
/// let features = Features::new(Table::of([("x", Column::numbers(x))])?)?;
/// let design = Design::<Regression>::new(features, NumberTarget::new(y), ());
/// let spec = ExplainableBoosting::new().bags(1).early_stopping(None).smoothing_rounds(0);
/// let model = spec.rounds(2).learning_rate(0.5).max_leaves(2).fit(&design, &FitContext::new(0))?;
/// // The mean is 3; half of what is left, twice: 3 - 2 + 0.5.
/// assert_eq!(Predict::<Regression>::predict_row(&model, &[10.0])?, 1.5);
/// let terms = model.terms()?;
/// assert_eq!((terms.base(), terms.items()[0].values()), (&[3.0][..], &[-1.5, 1.5, 0.0][..]));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExplainableBoosting {
    objective: Option<Objective>,
    bags: usize,
    bag_share: f64,
    rounds: usize,
    learning_rate: f64,
    max_leaves: usize,
    min_rows_leaf: f64,
    min_hessian_leaf: f64,
    l2: f64,
    level_smoothing: f64,
    smoothing_rounds: usize,
    max_bins: usize,
    pairs: Option<usize>,
    pair_bins: usize,
    early_stopping: Option<usize>,
    tolerance: f64,
    held_out: f64,
}

impl Default for ExplainableBoosting {
    fn default() -> Self {
        Self {
            objective: None,
            bags: 8,
            bag_share: 0.85,
            rounds: 5000,
            learning_rate: 0.015,
            max_leaves: 3,
            min_rows_leaf: 4.0,
            min_hessian_leaf: 1e-4,
            l2: 0.0,
            level_smoothing: 10.0,
            smoothing_rounds: 75,
            max_bins: 255,
            pairs: None,
            pair_bins: 32,
            early_stopping: Some(50),
            tolerance: 1e-5,
            held_out: 0.1,
        }
    }
}

impl ExplainableBoosting {
    /// 8 bags at a learning rate of 0.015, and 0.9 pairs a column.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is made small. Default: squared error, log loss of the event, log loss of the class. Objectives whose leaves
    /// answer with quantiles are refused.
    #[must_use]
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = Some(objective);
        self
    }

    /// How many pairs of columns at most; `None`, the default, is 0.9 for each column, rounded up. With more than two
    /// classes there are none.
    #[must_use]
    pub fn pairs(mut self, pairs: impl Into<Option<usize>>) -> Self {
        self.pairs = pairs.into();
        self
    }

    /// Stops after so many rounds without a held-out loss that is better by [`tolerance`](Self::tolerance), and keeps the
    /// best round. A pipeline sets these rows apart before any step sees them. `None` makes all rounds. Default 50.
    #[must_use]
    pub fn early_stopping(mut self, early_stopping: impl Into<Option<usize>>) -> Self {
        self.early_stopping = early_stopping.into();
        self
    }

    setters! {
        /// How many bags of rows are learned from and averaged; one bag has all rows. At least 1; default 8.
        bags: usize,
        /// The share of the training rows that each of several bags draws, without replacement. Above 0, at most 1; default
        /// 0.85.
        bag_share: f64,
        /// How many rounds over all columns, and then over all pairs, at most. Default 5000.
        rounds: usize,
        /// What each tree's answer is multiplied by. Above 0; default 0.015.
        learning_rate: f64,
        /// How many leaves the tree of a column has at most, without that of missing values; that of a pair has up to 4.
        /// At least 2; default 3.
        max_leaves: usize,
        /// The least number of rows of a leaf, in sum of weights. Default 4.
        min_rows_leaf: f64,
        /// The least sum of hessians of a leaf. Default 1e-4.
        min_hessian_leaf: f64,
        /// Added to the hessian sum of each leaf. Default 0.
        l2: f64,
        /// Draws the mean slopes of levels together, where they are put in order, as by so many rows. Default 10.
        level_smoothing: f64,
        /// In how many of the first rounds cuts are random instead of the best, which makes functions smoother. Default 75.
        smoothing_rounds: usize,
        /// How many bins a column has at most, without that of missing values. From 2 to 255; default 255.
        max_bins: usize,
        /// How many cells either column of a pair has at most, without that of missing values. From 2 to 255; default 32.
        pair_bins: usize,
        /// The share by which a held-out loss must be below the last that counted, to count itself. Default 1e-5.
        tolerance: f64,
        /// The share of the training rows that early stopping holds out. Between 0 and 1; default 0.1.
        held_out: f64,
    }

    fn check(&self) -> Result<()> {
        let number = |name, value: f64, valid: bool, allowed| ParameterError::check(valid, name, value, allowed);
        let count = |name, value: usize, valid: bool, allowed| ParameterError::check(valid, name, value, allowed);
        let not_below =
            |name, value: f64| number(name, value, value.is_finite() && value >= 0.0, "a number not below 0");
        let rate = self.learning_rate;
        count("bags", self.bags, self.bags >= 1, "at least 1")?;
        number("bag_share", self.bag_share, self.bag_share > 0.0 && self.bag_share <= 1.0, "above 0, at most 1")?;
        number("learning_rate", rate, rate.is_finite() && rate > 0.0, "a number above 0")?;
        count("max_leaves", self.max_leaves, self.max_leaves >= 2, "at least 2")?;
        count("max_bins", self.max_bins, (2..=255).contains(&self.max_bins), "from 2 to 255")?;
        count("pair_bins", self.pair_bins, (2..=255).contains(&self.pair_bins), "from 2 to 255")?;
        not_below("min_rows_leaf", self.min_rows_leaf)?;
        not_below("min_hessian_leaf", self.min_hessian_leaf)?;
        not_below("l2", self.l2)?;
        not_below("level_smoothing", self.level_smoothing)?;
        not_below("tolerance", self.tolerance)?;
        if let Some(patience) = self.early_stopping {
            count("early_stopping", patience, patience >= 1, "at least 1 round")?;
            number("held_out", self.held_out, self.held_out > 0.0 && self.held_out < 1.0, "between 0 and 1")?;
        }
        Ok(())
    }

    fn settings(&self, width: usize, outputs: usize) -> Settings {
        let pairs = self.pairs.unwrap_or((0.9 * width as f64).ceil() as usize);
        Settings {
            bags: self.bags,
            bag_share: self.bag_share,
            smoothing_rounds: self.smoothing_rounds,
            level_smoothing: self.level_smoothing,
            pairs: if outputs == 1 { pairs } else { 0 },
            pair_bins: self.pair_bins,
            limits: Limits {
                max_leaves: self.max_leaves,
                min_weight: self.min_rows_leaf,
                min_hessian: self.min_hessian_leaf,
                l2: self.l2,
                learning_rate: self.learning_rate,
            },
        }
    }

    /// Learns; `default` is the task's objective, and those that `may` be are its others.
    fn learn<T: Task<Target: Numbers>>(
        &self,
        train: &Design<T>,
        default: Objective,
        may: fn(Objective) -> bool,
        cx: &FitContext,
    ) -> Result<TreeEnsemble> {
        self.check()?;
        check(train, Self::TAG)?;
        let objective = self.objective.unwrap_or(default);
        let may = may(objective) && objective.leaf_quantile().is_none();
        let allowed = "one of this task's objectives whose leaves answer with no quantile";
        ParameterError::check(may, "objective", format!("{objective:?}"), allowed)?;
        let allowed = "`None` where there are no held-out rows; fit it in a pipeline, which sets them apart";
        let judged = self.early_stopping.is_none() || train.validation.is_some();
        ParameterError::check(judged, "early_stopping", "set", allowed)?;
        let (targets, outputs) = (train.target.numbers(), train.target.outputs());
        objective.check(&targets)?;
        let truth = Truth { values: &targets, weights: train.weights() };
        let start = objective.start(&truth, outputs);
        let bins = Bins::learn(train.features.table(), truth.weights, self.max_bins);
        let codes = bins.apply(train.features.table());
        let held_targets = train.validation.as_ref().map(|held| held.target.numbers());
        let held = match (&train.validation, &held_targets) {
            (Some(held), Some(values)) => {
                check(held, Self::TAG)?;
                Some((bins.apply(held.features.table()), Truth { values, weights: held.weights() }))
            }
            _ => None,
        };
        let plan =
            Plan { objective, outputs, rounds: self.rounds, patience: self.early_stopping, tolerance: self.tolerance };
        let axes: Vec<Axis> =
            bins.columns().iter().enumerate().map(|(feature, bins)| Axis::of(feature, bins)).collect();
        let settings = self.settings(axes.len(), outputs);
        let work = Work { settings, plan, start: &start, axes, codes, truth, held, cx };
        let (terms, base, history) = work.run()?;
        let (trees, deviations): (Vec<Tree>, Vec<Vec<f64>>) = terms.into_iter().map(Term::tree).unzip();
        let names = train.features.schema().names();
        let model = TreeEnsemble::sum(names, base, trees)?.link(objective.link()).missing(true).deviations(deviations);
        Ok(match history {
            Some(history) => model.history(history),
            None => model,
        })
    }
}

impl Persist for ExplainableBoosting {
    const TAG: &'static str = "ExplainableBoosting";
}

/// What all tasks have in common.
macro_rules! learner {
    ($task:ty, $default:expr, $may:expr) => {
        impl Learner<$task> for ExplainableBoosting {
            type Model = TreeEnsemble;

            fn accepts(&self) -> Accepts {
                Accepts { missing: true, categories: true }
            }

            fn holds_out(&self) -> Option<f64> {
                self.early_stopping.map(|_| self.held_out)
            }

            fn fit(&self, train: &Design<$task>, cx: &FitContext) -> Result<TreeEnsemble> {
                self.learn(train, $default, $may, cx)
            }
        }
    };
}

learner!(Regression, Objective::Squared, |objective| {
    !matches!(objective, Objective::Logistic | Objective::Focal { .. } | Objective::Softmax)
});
learner!(Binary, Objective::Logistic, |objective| {
    matches!(objective, Objective::Logistic | Objective::Focal { .. } | Objective::CrossEntropy)
});
learner!(Multiclass, Objective::Softmax, |objective| matches!(objective, Objective::Softmax));

#[cfg(test)]
mod tests;

#[cfg(test)]
mod golden;
