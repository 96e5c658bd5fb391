//! Object-safe twins of the stage traits, private, by blanket impl: a pipeline holds stages of any type behind them,
//! and a user never meets them.

use std::sync::Arc;

use crate::context::FitContext;
use crate::dataset::Dataset;
use crate::decision::DecisionCount;
use crate::error::Result;
use crate::matrix::{Accepts, Design, Features};
use crate::persist::{Persist, Saved};
use crate::record::Cell;
use crate::schema::Schema;
use crate::stage::{Calibrate, Calibrator, Learner, Plan, Predict, Sampler, Transform, Transformer};
use crate::table::Table;
use crate::task::Task;

/// Declares a shared handle to a private twin, with the tag and the saved form that every stage has.
macro_rules! handle {
    ($(#[$doc:meta])* $handle:ident $(<$task:ident>)?, $twin:ident, $bound:path) => {
        $(#[$doc])*
        pub(crate) struct $handle $(<$task: Task>)? {
            tag: &'static str,
            stage: Arc<dyn $twin $(<$task>)?>,
        }

        impl $(<$task: Task>)? $handle $(<$task>)? {
            pub(crate) fn new<S: $bound>(stage: S) -> Self {
                Self { tag: S::TAG, stage: Arc::new(stage) }
            }

            pub(crate) fn tag(&self) -> &'static str {
                self.tag
            }

            pub(crate) fn save(&self) -> Result<Saved> {
                self.stage.save()
            }
        }

        impl $(<$task: Task>)? Clone for $handle $(<$task>)? {
            fn clone(&self) -> Self {
                Self { tag: self.tag, stage: self.stage.clone() }
            }
        }

        impl $(<$task: Task>)? std::ops::Deref for $handle $(<$task>)? {
            type Target = dyn $twin $(<$task>)?;
            fn deref(&self) -> &Self::Target {
                &*self.stage
            }
        }
    };
}

/// What every twin can do.
pub(crate) trait Save: Send + Sync {
    fn save(&self) -> Result<Saved>;
}

impl<P: Persist> Save for P {
    fn save(&self) -> Result<Saved> {
        Saved::of(self)
    }
}

pub(crate) trait ErasedTransformer<T: Task>: Save {
    fn plan(&self, input: &Schema) -> Result<Plan>;
    fn fit_transform(&self, train: Dataset<T>, cx: &FitContext) -> Result<(BoxTransform, Dataset<T>)>;
}

impl<T: Task, S: Transformer<T>> ErasedTransformer<T> for S {
    fn plan(&self, input: &Schema) -> Result<Plan> {
        Transformer::plan(self, input)
    }

    fn fit_transform(&self, train: Dataset<T>, cx: &FitContext) -> Result<(BoxTransform, Dataset<T>)> {
        let (fitted, train) = Transformer::fit_transform(self, train, cx)?;
        Ok((BoxTransform::new(fitted), train))
    }
}

handle!(
    /// A transformer of any type.
    BoxTransformer<T>, ErasedTransformer, Transformer<T>
);

pub(crate) trait ErasedTransform: Save {
    fn input(&self) -> &Arc<Schema>;
    fn output(&self) -> &Arc<Schema>;
    fn transform(&self, features: Table) -> Result<Table>;
    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()>;
    fn decides(&self) -> bool;
    fn decided(&self, features: &Table) -> Result<Vec<DecisionCount>>;
    fn decided_row(&self, row: &[Cell], met: &mut dyn FnMut(&str, &str));
}

impl<F: Transform> ErasedTransform for F {
    fn input(&self) -> &Arc<Schema> {
        Transform::input(self)
    }

    fn output(&self) -> &Arc<Schema> {
        Transform::output(self)
    }

    fn transform(&self, features: Table) -> Result<Table> {
        Transform::transform(self, features)
    }

    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()> {
        Transform::transform_row(self, row, out)
    }

    fn decides(&self) -> bool {
        Transform::decides(self)
    }

    fn decided(&self, features: &Table) -> Result<Vec<DecisionCount>> {
        Transform::decided(self, features)
    }

    fn decided_row(&self, row: &[Cell], met: &mut dyn FnMut(&str, &str)) {
        Transform::decided_row(self, row, met);
    }
}

handle!(
    /// A learned transform of any type.
    BoxTransform, ErasedTransform, Transform
);

pub(crate) trait ErasedSampler<T: Task>: Save {
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>>;
}

impl<T: Task, S: Sampler<T>> ErasedSampler<T> for S {
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        Sampler::resample(self, train, cx)
    }
}

handle!(
    /// A sampler of any type.
    BoxSampler<T>, ErasedSampler, Sampler<T>
);

pub(crate) trait ErasedLearner<T: Task>: Save {
    fn accepts(&self) -> Accepts;
    fn holds_out(&self) -> Option<f64>;
    fn fit(&self, train: &Design<T>, cx: &FitContext) -> Result<BoxModel<T>>;
}

impl<T: Task, L: Learner<T>> ErasedLearner<T> for L {
    fn accepts(&self) -> Accepts {
        Learner::accepts(self)
    }

    fn holds_out(&self) -> Option<f64> {
        Learner::holds_out(self)
    }

    fn fit(&self, train: &Design<T>, cx: &FitContext) -> Result<BoxModel<T>> {
        Ok(BoxModel::new(Learner::fit(self, train, cx)?))
    }
}

handle!(
    /// A learner of any type.
    BoxLearner<T>, ErasedLearner, Learner<T>
);

pub(crate) trait ErasedModel<T: Task>: Save {
    fn predict(&self, features: &Features) -> Result<T::Output>;
    fn predict_row(&self, row: &[f64]) -> Result<T::RowOutput>;
}

impl<T: Task, M: Predict<T>> ErasedModel<T> for M {
    fn predict(&self, features: &Features) -> Result<T::Output> {
        Predict::predict(self, features)
    }

    fn predict_row(&self, row: &[f64]) -> Result<T::RowOutput> {
        Predict::predict_row(self, row)
    }
}

handle!(
    /// A model of any type.
    BoxModel<T>, ErasedModel, Predict<T>
);

pub(crate) trait ErasedCalibrator<T: Task>: Save {
    fn fit(
        &self,
        output: &T::Output,
        truth: &T::Target,
        weights: Option<&[f64]>,
        cx: &FitContext,
    ) -> Result<BoxCalibrate<T>>;
}

impl<T: Task, C: Calibrator<T>> ErasedCalibrator<T> for C {
    fn fit(
        &self,
        output: &T::Output,
        truth: &T::Target,
        weights: Option<&[f64]>,
        cx: &FitContext,
    ) -> Result<BoxCalibrate<T>> {
        Ok(BoxCalibrate::new(Calibrator::fit(self, output, truth, weights, cx)?))
    }
}

handle!(
    /// A calibrator of any type.
    BoxCalibrator<T>, ErasedCalibrator, Calibrator<T>
);

pub(crate) trait ErasedCalibrate<T: Task>: Save {
    fn calibrate(&self, output: T::Output) -> Result<T::Output>;
    fn calibrate_row(&self, answer: T::RowOutput) -> Result<T::RowOutput>;
}

impl<T: Task, C: Calibrate<T>> ErasedCalibrate<T> for C {
    fn calibrate(&self, output: T::Output) -> Result<T::Output> {
        Calibrate::calibrate(self, output)
    }

    fn calibrate_row(&self, answer: T::RowOutput) -> Result<T::RowOutput> {
        Calibrate::calibrate_row(self, answer)
    }
}

handle!(
    /// A learned correction of any type.
    BoxCalibrate<T>, ErasedCalibrate, Calibrate<T>
);
