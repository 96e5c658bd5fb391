//! One fold: fit on its training rows, answer and score its validation rows.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, Result};
use stagewise_core::metric::AnyMetric;
use stagewise_core::split::Split;
use stagewise_core::stage::{Estimator, Predictor};
use stagewise_core::task::Task;

/// What one fold gave. Scores are in the order of the metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldResult {
    /// How many rows were learned from.
    pub train_rows: usize,
    /// How many rows were scored.
    pub validation_rows: usize,
    /// The scores of the validation rows.
    pub scores: Vec<f64>,
    /// The scores of the training rows, if they were asked for.
    pub train_scores: Option<Vec<f64>>,
    /// Seconds to fit. Differ from run to run.
    pub fit_seconds: f64,
    /// Seconds to answer and score. Differ from run to run.
    pub score_seconds: f64,
}

pub(super) fn run<T: Task>(
    estimator: &impl Estimator<T>,
    data: &Dataset<T>,
    split: &Split,
    metrics: &[AnyMetric<T>],
    train_scores: bool,
    cx: &FitContext,
) -> Result<(FoldResult, T::Output)> {
    cx.check()?;
    let train = data.take(&split.train);
    let started = Instant::now();
    let fitted = estimator.fit(&train, cx)?;
    let fit_seconds = started.elapsed().as_secs_f64();
    cx.check()?;
    let started = Instant::now();
    let (scores, output) = scored(&fitted, &data.take(&split.validation), metrics)?;
    let train_scores = train_scores.then(|| scored(&fitted, &train, metrics)).transpose()?.map(|(scores, _)| scores);
    let result = FoldResult {
        train_rows: split.train.len(),
        validation_rows: split.validation.len(),
        scores,
        train_scores,
        fit_seconds,
        score_seconds: started.elapsed().as_secs_f64(),
    };
    Ok((result, output))
}

fn scored<T: Task>(
    fitted: &impl Predictor<T>,
    data: &Dataset<T>,
    metrics: &[AnyMetric<T>],
) -> Result<(Vec<f64>, T::Output)> {
    let output = fitted.predict(data.features())?;
    let found = T::rows(&output);
    if found != data.rows() {
        return Err(DataError::Length { what: "answers".into(), expected: data.rows(), found }.into());
    }
    let scores = metrics.iter().map(|metric| metric.score(data.target(), &output, data.weights()));
    Ok((scores.collect::<Result<_>>()?, output))
}
