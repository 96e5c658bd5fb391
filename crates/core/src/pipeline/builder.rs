//! Composes a pipeline. Each call moves the builder to a type that has only the calls that may follow.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::erased::{BoxCalibrator, BoxLearner, BoxSampler, BoxTransformer};
use super::spec::{Composition, Pipeline, Step, StepKind};
use crate::error::Result;
use crate::problem::Problem;
use crate::stage::{Calibrator, Learner, Sampler, Transformer};
use crate::task::Task;

/// Takes steps, samplers, then a model.
#[derive(Debug)]
pub struct WantsModel;

/// Has a model; may be calibrated and built.
#[derive(Debug)]
pub struct HasModel;

/// Has a calibrator; can only be built.
#[derive(Debug)]
pub struct Calibrated;

/// A pipeline under construction. You need not write `State`: a call out of order does not compile.
#[must_use = "a builder does nothing until `build`"]
pub struct PipelineBuilder<T: Task, State> {
    problem: Problem<T>,
    steps: Vec<Step<T>>,
    learner: Option<BoxLearner<T>>,
    calibration: Option<(BoxCalibrator<T>, CalibrationRows)>,
    state: PhantomData<State>,
}

/// Which rows a calibrator learns from: never those that the model was fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CalibrationRows {
    /// Out-of-fold answers of this many folds; the model itself then learns from all rows.
    CrossFit(usize),
    /// This share of the training rows, which the model then does not see.
    HeldOut(f64),
}

impl<T: Task> PipelineBuilder<T, WantsModel> {
    pub(super) fn new(problem: Problem<T>) -> Self {
        Self { problem, steps: Vec::new(), learner: None, calibration: None, state: PhantomData }
    }

    /// Adds a step that changes columns. The name seeds its random streams and appears in errors.
    pub fn step(mut self, name: impl Into<String>, transformer: impl Transformer<T>) -> Self {
        self.steps.push(Step { name: name.into(), kind: StepKind::Transform(BoxTransformer::new(transformer)) });
        self
    }

    /// Adds a step that changes training rows, and does nothing to rows to predict.
    pub fn sample(mut self, name: impl Into<String>, sampler: impl Sampler<T>) -> Self {
        self.steps.push(Step { name: name.into(), kind: StepKind::Sample(BoxSampler::new(sampler)) });
        self
    }

    /// The learner.
    pub fn model(mut self, learner: impl Learner<T>) -> PipelineBuilder<T, HasModel> {
        self.learner = Some(BoxLearner::new(learner));
        self.into_state()
    }
}

impl<T: Task> PipelineBuilder<T, HasModel> {
    /// Corrects the model's answers as learned from rows that the model has not seen.
    pub fn calibrate(
        mut self,
        calibrator: impl Calibrator<T>,
        rows: CalibrationRows,
    ) -> PipelineBuilder<T, Calibrated> {
        self.calibration = Some((BoxCalibrator::new(calibrator), rows));
        self.into_state()
    }

    /// The pipeline.
    ///
    /// # Errors
    /// Two steps of one name, a learner that holds out no share of the rows, or a problem that contradicts itself.
    pub fn build(self) -> Result<Pipeline<T>> {
        self.finish()
    }
}

impl<T: Task> PipelineBuilder<T, Calibrated> {
    /// The pipeline.
    ///
    /// # Errors
    /// As without a calibrator, and calibration rows out of range.
    pub fn build(self) -> Result<Pipeline<T>> {
        self.finish()
    }
}

impl<T: Task, State> PipelineBuilder<T, State> {
    fn into_state<Next>(self) -> PipelineBuilder<T, Next> {
        PipelineBuilder {
            problem: self.problem,
            steps: self.steps,
            learner: self.learner,
            calibration: self.calibration,
            state: PhantomData,
        }
    }

    fn finish(self) -> Result<Pipeline<T>> {
        // Only states past `model` have a public `build`.
        let learner = self.learner.expect("the type states say that a model was given");
        Pipeline::compose(Composition {
            problem: self.problem,
            steps: self.steps,
            learner,
            calibration: self.calibration,
        })
    }
}
