//! A loss of the user's own, and what boosting makes small: that, or one of the built-in objectives.
//!
//! A user writes what one row says; the loop over rows is compiled for each loss, and boosting calls it a block of rows at
//! a time. What a row says is looked at before it is used: a number that is not finite, or a curvature below 0, would
//! make trees of nonsense without a word.

use std::fmt::Debug;

use rayon::prelude::*;
use stagewise_core::error::{Crumb, NumericError, Result};
use stagewise_core::persist::Persist;

use super::objective::{LEAST, Objective, Truth, mean_loss, multiply};
use super::start::StartRows;
use crate::link::Link;

/// A loss of your own: its slope and curvature in the score of a row, and what it costs.
///
/// [`GradientBoosting::loss`](crate::GradientBoosting::loss) makes a learner of it, which is saved with the loss: derive
/// the serde traits and give it a [`TAG`](Persist::TAG) that begins with your crate's name. Weights of rows are multiplied
/// in by boosting. Of a binary task the truth is 1 for the event, 0 otherwise, and the link must be [`Link::Logit`].
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use stagewise_core::{column::Column, context::FitContext, matrix::{Design, Features}, persist::Persist};
/// use stagewise_core::{stage::{Learner, Predict}, table::Table, target::NumberTarget, task::Regression};
/// use stagewise_model::{GradientBoosting, Loss};
///
/// /// Squared error, where too little costs `low` times as much as too much.
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// struct Lopsided { low: f64 }
///
/// impl Persist for Lopsided {
///     const TAG: &'static str = "mine::Lopsided";
/// }
///
/// impl Loss for Lopsided {
///     fn pair(&self, truth: f64, score: f64) -> [f64; 2] {
///         let cost = if score < truth { self.low } else { 1.0 };
///         [cost * (score - truth), cost]
///     }
///
///     fn loss(&self, truth: f64, score: f64) -> f64 {
///         let cost = if score < truth { self.low } else { 1.0 };
///         0.5 * cost * (score - truth).powi(2)
///     }
/// }
///
/// let features = Features::new(Table::of([("x", Column::numbers([1.0; 4]))])?)?;
/// let design = Design::<Regression>::new(features, NumberTarget::new([0.0, 0.0, 0.0, 4.0]), ());
/// let spec = GradientBoosting::new().rounds(200).min_rows_leaf(1.0).loss(Lopsided { low: 3.0 });
/// let model = Learner::<Regression>::fit(&spec, &design, &FitContext::new(0))?;
/// // Three rows of 0 and one of 4 that counts three times: 12 / 6.
/// assert!((Predict::<Regression>::predict_row(&model, &[1.0])? - 2.0).abs() < 1e-9);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
pub trait Loss: Persist + Clone + Debug + PartialEq {
    /// What it is called in charts. Default: its tag.
    fn name(&self) -> String {
        Self::TAG.into()
    }

    /// What turns a score into an answer. Default [`Link::Identity`]; [`Link::Softmax`] is refused.
    fn link(&self) -> Link {
        Link::Identity
    }

    /// Checks its own parameters, and that it is for these targets. Default: it takes all.
    ///
    /// # Errors
    /// What the loss says of them.
    fn check(&self, _truth: &[f64]) -> Result<()> {
        Ok(())
    }

    /// The score that boosting starts from, best that of the least loss among constants. Default: that with which the mean
    /// answer is the mean truth, [`StartRows::matching`].
    fn start(&self, rows: &StartRows<'_>) -> f64 {
        rows.matching(self.link())
    }

    /// The first and the second derivative of the loss in the score. Both finite, the second not below 0; where it is 0
    /// take another number above 0 in its place, or no leaf has a size to step by.
    fn pair(&self, truth: f64, score: f64) -> [f64; 2];

    /// The loss of a row. For the history and for early stopping only; trees see [`pair`](Self::pair) alone.
    fn loss(&self, truth: f64, score: f64) -> f64;
}

/// The object-safe twin of [`Loss`]: called for blocks of rows.
pub(crate) trait Given: Sync {
    fn title(&self) -> String;
    fn answer_link(&self) -> Link;
    fn allow(&self, truth: &[f64]) -> Result<()>;
    fn begin(&self, rows: &StartRows<'_>) -> f64;
    fn one(&self, truth: f64, score: f64) -> [f64; 2];
    fn fill(&self, truth: &[f64], scores: &[f64], pairs: &mut [[f64; 2]]);
    fn mean(&self, truth: &Truth<'_>, scores: &[f64]) -> f64;
}

impl<L: Loss> Given for L {
    fn title(&self) -> String {
        self.name()
    }

    fn answer_link(&self) -> Link {
        self.link()
    }

    fn allow(&self, truth: &[f64]) -> Result<()> {
        self.check(truth)
    }

    fn begin(&self, rows: &StartRows<'_>) -> f64 {
        self.start(rows)
    }

    fn one(&self, truth: f64, score: f64) -> [f64; 2] {
        self.pair(truth, score)
    }

    fn fill(&self, truth: &[f64], scores: &[f64], pairs: &mut [[f64; 2]]) {
        for ((y, z), place) in truth.iter().zip(scores).zip(pairs) {
            let [gradient, hessian] = self.pair(*y, *z);
            // What is no curvature stays, to be refused.
            *place = [gradient, if hessian >= 0.0 { hessian.max(LEAST) } else { hessian }];
        }
    }

    fn mean(&self, truth: &Truth<'_>, scores: &[f64]) -> f64 {
        mean_loss(truth, 1, scores, |y, scores| self.loss(y, scores[0]))
    }
}

/// What boosting makes small.
#[derive(Clone, Copy)]
pub(crate) enum Goal<'a> {
    /// One of ours.
    Built(Objective),
    /// The user's.
    Given(&'a dyn Given),
}

impl Goal<'_> {
    /// What its loss is called.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Built(objective) => objective.name().into(),
            Self::Given(loss) => loss.title(),
        }
    }

    pub(crate) fn link(self) -> Link {
        match self {
            Self::Built(objective) => objective.link(),
            Self::Given(loss) => loss.answer_link(),
        }
    }

    /// Checks parameters and targets.
    pub(crate) fn check(self, targets: &[f64]) -> Result<()> {
        match self {
            Self::Built(objective) => objective.check(targets),
            Self::Given(loss) => loss.allow(targets),
        }
    }

    /// The scores that boosting starts from, one for each of `outputs`.
    pub(crate) fn start(self, rows: &StartRows<'_>, outputs: usize) -> Result<Vec<f64>> {
        let start = match self {
            Self::Built(objective) => rows.best(objective, outputs),
            Self::Given(loss) => vec![loss.begin(rows); outputs],
        };
        if start.iter().all(|score| score.is_finite()) {
            return Ok(start);
        }
        let why = format!("it would be {start:?}");
        Err(NumericError::Undefined { what: format!("the score that {} starts from", self.name()), why }.into())
    }

    pub(crate) fn leaf_quantile(self) -> Option<f64> {
        match self {
            Self::Built(objective) => objective.leaf_quantile(),
            Self::Given(_) => None,
        }
    }

    /// Writes gradient and hessian of the rows from `first` on, `outputs` of each row after another.
    pub(crate) fn pairs(self, truth: &Truth<'_>, first: usize, outputs: usize, scores: &[f64], pairs: &mut [[f64; 2]]) {
        match self {
            Self::Built(objective) => objective.pairs(truth, first, outputs, scores, pairs),
            Self::Given(loss) => {
                loss.fill(&truth.values[first..], scores, pairs);
                multiply(truth, first, outputs, pairs);
            }
        }
    }

    /// Refuses what the user's loss must not give, by the first row of it; ours are known.
    pub(crate) fn refuse(self, truth: &Truth<'_>, scores: &[f64], pairs: &[[f64; 2]]) -> Result<()> {
        let Self::Given(loss) = self else { return Ok(()) };
        let sound = |[gradient, hessian]: [f64; 2]| gradient.is_finite() && hessian.is_finite() && hessian >= 0.0;
        let bad = |row: &usize| !sound(pairs[*row]) && truth.weight(*row) > 0.0;
        let Some(row) = (0..pairs.len()).into_par_iter().find_first(bad) else { return Ok(()) };
        let (y, z, weight) = (truth.values[row], scores[row], truth.weight(row));
        let [gradient, hessian] = loss.one(y, z);
        let why = format!(
            "its gradient is {gradient} and its hessian {hessian} at the truth {y}, the score {z} and the weight {weight}; \
             both must be finite, the hessian not below 0"
        );
        Err(stagewise_core::Error::from(NumericError::Undefined { what: loss.title(), why }).at(Crumb::Row(row)))
    }

    /// The weighted mean of the losses of all rows.
    ///
    /// # Errors
    /// Of a user's loss, a mean that is no number: nothing could be stopped by it.
    pub(crate) fn loss(self, truth: &Truth<'_>, outputs: usize, scores: &[f64]) -> Result<f64> {
        match self {
            Self::Built(objective) => Ok(objective.loss(truth, outputs, scores)),
            Self::Given(loss) => {
                let mean = loss.mean(truth, scores);
                if mean.is_nan() {
                    let why = "the loss of a row is no number".into();
                    return Err(NumericError::Undefined { what: format!("the mean of {}", loss.title()), why }.into());
                }
                Ok(mean)
            }
        }
    }
}
