//! Every trait that a user implements: the page to read first.
//!
//! | trait | what it learns | its learned form | touches the target |
//! |---|---|---|---|
//! | [`Transformer`] | how to change columns | [`Transform`] | may, in `fit` |
//! | [`Sampler`] | nothing: it adds, drops or weighs training rows | none | may |
//! | [`Learner`] | a model | [`Predict`] | does |
//! | [`Calibrator`] | how to correct a model's answers | [`Calibrate`] | does |
//! | [`Estimator`] | all of it at once: a [`Pipeline`](crate::pipeline::Pipeline) is one | [`Predictor`] | does |
//!
//! The spec (what the user chose) and the learned form are different types. `fit` never changes the spec. Rows in are
//! rows out for every transform; only a sampler changes rows, and it has no learned form, so it cannot run at serving.
//! The target is not in scope of a learned transform. A learner may judge itself while it learns, by rows that nothing
//! was learned from: see [`Learner::holds_out`]. Metrics and splitters are in [`metric`](crate::metric) and
//! [`split`](crate::split).

use std::sync::Arc;

use crate::context::FitContext;
use crate::dataset::Dataset;
use crate::decision::DecisionCount;
use crate::error::Result;
use crate::matrix::{Accepts, Design, Features};
use crate::persist::Persist;
use crate::record::Cell;
use crate::registry::Registry;
use crate::schema::{Field, Schema};
use crate::table::Table;
use crate::task::Task;

/// Learns how to change feature columns. Holds hyper-parameters only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transformer for the task `{T}`",
    label = "a step of a pipeline must be a transformer",
    note = "a sampler goes in `.sample(name, …)`, a learner in `.model(…)`"
)]
pub trait Transformer<T: Task>: Persist + Clone {
    /// What is learned.
    type Fitted: Transform;

    /// What the output will be, as far as that is known before data; checks hyper-parameters.
    ///
    /// # Errors
    /// [`ParameterError`](crate::error::ParameterError), or a selector that does not resolve.
    fn plan(&self, input: &Schema) -> Result<Plan>;

    /// Learns from training rows.
    ///
    /// # Errors
    /// Whatever `plan` gives, and data that cannot be learned from.
    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<Self::Fitted>;

    /// Learns from training rows and changes them. Overridden where the training rows must be changed in another way
    /// than later rows: an encoder that looks at the target cross-fits here.
    ///
    /// # Errors
    /// As [`fit`](Self::fit) and [`Transform::transform`].
    fn fit_transform(&self, train: Dataset<T>, cx: &FitContext) -> Result<(Self::Fitted, Dataset<T>)> {
        let fitted = self.fit(&train, cx)?;
        let train = train.map_features(|features| fitted.transform(features))?;
        Ok((fitted, train))
    }
}

/// Changes columns as learned: one row out for each row in.
///
/// Both paths must agree bit for bit. A category column comes with codes that mean positions in the levels of
/// [`input`](Self::input); codes at or past their end are levels not seen in training.
pub trait Transform: Persist {
    /// The columns it was fitted on.
    fn input(&self) -> &Arc<Schema>;

    /// The columns it gives.
    fn output(&self) -> &Arc<Schema>;

    /// The batch path: columns, by value, so that buffers are used again.
    ///
    /// # Errors
    /// Values that the stage's policies refuse.
    fn transform(&self, features: Table) -> Result<Table>;

    /// The row path: `row` holds the cells of [`input`](Self::input) in order; those of [`output`](Self::output) are
    /// appended to `out`.
    ///
    /// # Errors
    /// Values that the stage's policies refuse.
    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()>;

    /// Whether it does what was decided about values, so that rows at serving are to be counted by decision. Most steps do
    /// not.
    fn decides(&self) -> bool {
        false
    }

    /// How many of these rows, as they reach this step, meet each decision.
    ///
    /// # Errors
    /// Columns of other kinds.
    fn decided(&self, _features: &Table) -> Result<Vec<DecisionCount>> {
        Ok(Vec::new())
    }

    /// Names column and value of each decision that a row meets. Equal to [`decided`](Self::decided) of that row.
    fn decided_row(&self, _row: &[Cell], _met: &mut dyn FnMut(&str, &str)) {}
}

/// Adds, drops or weighs training rows. Never runs on rows to predict.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sampler for the task `{T}`",
    note = "a transformer goes in `.step(name, …)`"
)]
pub trait Sampler<T: Task>: Persist + Clone {
    /// The training rows to learn from instead.
    ///
    /// # Errors
    /// Data that cannot be resampled, for example a class without rows.
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>>;
}

/// Learns a model from features and truth. Holds hyper-parameters only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a learner for the task `{T}`",
    note = "the learner must belong to the problem's task"
)]
pub trait Learner<T: Task>: Persist + Clone {
    /// What is learned.
    type Model: Predict<T>;

    /// What it takes without help. The pipeline refuses the rest before it starts.
    fn accepts(&self) -> Accepts {
        Accepts::default()
    }

    /// The share of the training rows that it wants to judge itself by and not learn from, as early stopping does:
    /// between 0 and 1, both excluded.
    ///
    /// The pipeline sets these rows apart, of each stratum its share (where a column has the role group: a share of the
    /// groups, whole), before any step or sampler sees them. They are
    /// changed like rows at serving and come to [`fit`](Self::fit) as [`Design::validation`].
    fn holds_out(&self) -> Option<f64> {
        None
    }

    /// Finds what was saved in it by a tag only, as the metrics that a learner may watch are. Called once on a spec that
    /// was loaded; one that holds nothing by tag does nothing.
    ///
    /// # Errors
    /// [`PersistError`](crate::error::PersistError) for a tag that the registry does not know.
    fn resolve(&mut self, _registry: &Registry) -> Result<()> {
        Ok(())
    }

    /// Learns. Weights are honoured or refused, never ignored. A learner that [holds rows out](Self::holds_out) refuses
    /// a design without them.
    ///
    /// # Errors
    /// Hyper-parameters out of range, data that cannot be learned from, no convergence.
    fn fit(&self, train: &Design<T>, cx: &FitContext) -> Result<Self::Model>;
}

/// A learned model.
pub trait Predict<T: Task>: Persist {
    /// The batch path: `n × p` features to `n` answers.
    ///
    /// # Errors
    /// Values that the model cannot take.
    fn predict(&self, features: &Features) -> Result<T::Output>;

    /// The row path: the numeric form of a row, `p` values (see [`matrix`](crate::matrix)). Equal to the batch path bit
    /// for bit.
    ///
    /// # Errors
    /// Values that the model cannot take.
    fn predict_row(&self, row: &[f64]) -> Result<T::RowOutput>;
}

/// Learns to correct a model's answers.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a calibrator for the task `{T}`")]
pub trait Calibrator<T: Task>: Persist + Clone {
    /// What is learned.
    type Fitted: Calibrate<T>;

    /// Learns from answers of rows that the model has not seen.
    ///
    /// # Errors
    /// Data that cannot be learned from.
    fn fit(
        &self,
        output: &T::Output,
        truth: &T::Target,
        weights: Option<&[f64]>,
        cx: &FitContext,
    ) -> Result<Self::Fitted>;
}

/// A learned correction.
pub trait Calibrate<T: Task>: Persist {
    /// The corrected answers.
    ///
    /// # Errors
    /// Answers that it cannot take.
    fn calibrate(&self, output: T::Output) -> Result<T::Output>;

    /// The corrected answer of one row. Equal to the batch path bit for bit.
    ///
    /// # Errors
    /// An answer that it cannot take.
    fn calibrate_row(&self, answer: T::RowOutput) -> Result<T::RowOutput>;
}

/// Learns all of it at once. Evaluation knows nothing else.
pub trait Estimator<T: Task>: Send + Sync {
    /// What is learned.
    type Fitted: Predictor<T>;

    /// Learns from training rows.
    ///
    /// # Errors
    /// Whatever a stage gives, with the place.
    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<Self::Fitted>;
}

/// Answers raw rows.
pub trait Predictor<T: Task>: Send + Sync {
    /// The answers of raw rows: columns are found by name.
    ///
    /// # Errors
    /// Columns that are not there or cannot be cast, and whatever a stage gives.
    fn predict(&self, table: &Table) -> Result<T::Output>;
}

/// What a step will give, as far as that is known before data.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The columns. Where not [`exact`](Self::exact), one column may stand for several of its kind.
    pub fields: Vec<Field>,
    /// Whether these are just the columns that will come.
    pub exact: bool,
}

impl Plan {
    /// Just these columns.
    pub fn exact(fields: Vec<Field>) -> Self {
        Self { fields, exact: true }
    }

    /// Columns of these kinds, in number and name not yet known.
    pub fn kinds(fields: Vec<Field>) -> Self {
        Self { fields, exact: false }
    }
}
