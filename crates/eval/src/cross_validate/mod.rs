//! Cross-validation: how good a recipe is on rows that it has not seen, fold by fold.
//!
//! Folds run in parallel; their results and warnings come in the order of the folds. The result knows which splits and
//! which truth it was judged on, and [`ranking`] refuses to compare results of different ones.

mod fold;
mod nested;
mod ranking;
mod result;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, ParameterError, PipelineError, Result};
use stagewise_core::fingerprint::{Fingerprint, Hasher};
use stagewise_core::metric::AnyMetric;
use stagewise_core::split::{self, Split, Splitter};
use stagewise_core::stage::Estimator;
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;

pub use fold::FoldResult;
pub use nested::{Choice, NestedCrossValidated, NestedCrossValidation};
pub use ranking::{Ranked, ranking};
pub use result::CrossValidated;

/// Cross-validates with the default settings: see [`CrossValidation::run`].
///
/// # Errors
/// As [`CrossValidation::run`].
pub fn cross_validate<T: Task>(
    estimator: &impl Estimator<T>,
    data: &Dataset<T>,
    splitter: &impl Splitter<T>,
    metrics: &[AnyMetric<T>],
    cx: &FitContext,
) -> Result<CrossValidated<T>> {
    CrossValidation::new(splitter.clone()).run(estimator, data, metrics, cx)
}

/// How to cross-validate.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossValidation<S> {
    splitter: S,
    train_scores: bool,
}

impl<S> CrossValidation<S> {
    /// Cross-validates on these splits.
    pub fn new(splitter: S) -> Self {
        Self { splitter, train_scores: false }
    }

    /// Whether the rows that were learned from are scored too; a wide gap between both scores is overfitting. Costs a
    /// prediction of all training rows per fold. Default `false`.
    #[must_use]
    pub fn train_scores(mut self, on: bool) -> Self {
        self.train_scores = on;
        self
    }

    /// Fits the recipe on the training rows of every split and scores it on the validation rows.
    ///
    /// Each fold has its own random streams, so the result depends on the seed alone. Weights of the data weigh the
    /// rows in fits and scores. Memory: each fold under way holds a copy of its rows and what it learned.
    ///
    /// # Errors
    /// The first error of a fold, in the order of the folds, with its number; what the splitter gives; two metrics of
    /// one name; cancellation.
    pub fn run<T: Task>(
        &self,
        estimator: &impl Estimator<T>,
        data: &Dataset<T>,
        metrics: &[AnyMetric<T>],
        cx: &FitContext,
    ) -> Result<CrossValidated<T>>
    where
        S: Splitter<T>,
    {
        require_distinct(metrics)?;
        let splits = self.splitter.split(data, cx)?;
        splits.iter().enumerate().try_for_each(|(fold, split)| check(split, data.rows()).at(|| Crumb::Fold(fold)))?;
        let bar = cx.start("cross-validate", Some(splits.len() as u64));
        let contexts: Vec<FitContext> = (0..splits.len()).map(|fold| cx.fold(fold)).collect();
        let done: Vec<Result<_>> = cx.install(|| {
            splits
                .par_iter()
                .zip(&contexts)
                .map(|(split, cx)| {
                    let done = fold::run(estimator, data, split, metrics, self.train_scores, cx);
                    bar.advance(1);
                    done
                })
                .collect()
        });
        contexts.iter().for_each(|fold| cx.absorb(fold));
        let mut folds = Vec::with_capacity(done.len());
        let mut outputs = Vec::with_capacity(done.len());
        for (fold, done) in done.into_iter().enumerate() {
            let (result, output) = done.at(|| Crumb::Fold(fold))?;
            folds.push(result);
            outputs.push(output);
        }
        Ok(judged(metrics.to_vec(), folds, &outputs, &splits, data))
    }
}

/// What some folds found, and what they were judged on.
fn judged<T: Task>(
    metrics: Vec<AnyMetric<T>>,
    folds: Vec<FoldResult>,
    outputs: &[T::Output],
    splits: &[Split],
    data: &Dataset<T>,
) -> CrossValidated<T> {
    CrossValidated {
        metrics,
        folds,
        splits: judged_on(splits, data),
        out_of_fold: collect::<T>(splits, outputs, data.rows()),
        truth: data.target().clone(),
        labels: data.labels().clone(),
        weighted: data.weights().is_some(),
    }
}

/// The names of metrics must differ: results are asked for by name.
fn require_distinct<T: Task>(metrics: &[AnyMetric<T>]) -> Result<()> {
    let names: Vec<String> = metrics.iter().map(AnyMetric::name).collect();
    match names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        None => Ok(()),
        Some((_, name)) => {
            ParameterError::check(false, "metrics", format!("two named `{name}`"), "metrics of different names")
        }
    }
}

/// A splitter may be written outside stagewise: what it promises is checked, because rows are taken by position.
fn check(split: &Split, rows: usize) -> Result<()> {
    let broken = |found: String| {
        let declared = "two sides of ascending rows, none empty, no row on both, none to judge twice".to_string();
        Err(PipelineError::BrokenPromise { declared, found }.into())
    };
    for (name, side) in [("train", &split.train), ("validate", &split.validation)] {
        if side.is_empty() {
            return broken(format!("no row to {name} on"));
        }
        let ascend = |a: &usize, b: &usize| a < b || (a == b && name == "train");
        if !side.is_sorted_by(ascend) {
            return broken(format!("rows to {name} on that do not ascend"));
        }
        if let Some(row) = side.last().filter(|row| **row >= rows) {
            return broken(format!("row {row} of {rows}"));
        }
    }
    match split.validation.iter().find(|row| split.train.binary_search(row).is_ok()) {
        None => Ok(()),
        Some(row) => broken(format!("row {row} on both sides")),
    }
}

/// The fingerprint of splits and truth: what makes two results comparable, whatever features they used.
fn judged_on<T: Task>(splits: &[Split], data: &Dataset<T>) -> Fingerprint {
    let mut hasher = Hasher::new();
    hasher.bytes(split::fingerprint(splits).to_string().as_bytes());
    data.target().hash(&mut hasher);
    if let Some(weights) = data.weights() {
        hasher.numbers(weights);
    }
    hasher.finish()
}

/// The answers in the order of the rows, if every row was validated just once.
fn collect<T: Task>(splits: &[Split], outputs: &[T::Output], rows: usize) -> Option<T::Output> {
    let mut answers: Vec<Option<T::RowOutput>> = vec![None; rows];
    for (split, output) in splits.iter().zip(outputs) {
        for (place, &row) in split.validation.iter().enumerate() {
            if answers[row].replace(T::row(output, place)).is_some() {
                return None;
            }
        }
    }
    answers.into_iter().collect::<Option<Vec<_>>>().map(T::collect)
}
