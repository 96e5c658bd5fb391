//! What a cross-validation found, and how sure its means are.
//!
//! Folds share training rows, so their scores are not independent and `s / √k` is too small: a plain t-test on folds
//! finds differences that are not there. The variance is corrected after Nadeau and Bengio.

use stagewise_core::error::{ErrorKind, ParameterError, Result};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::fingerprint::Fingerprint;
use stagewise_core::metric::AnyMetric;
use stagewise_core::task::Task;
use stagewise_numeric::sum::Moments;

use super::fold::FoldResult;
use crate::interval::distribution::student_quantile;
use crate::interval::{Interval, IntervalMethod, check_level};
use crate::metric::rows::undefined;

/// The result of a cross-validation.
#[derive(Debug, Clone)]
pub struct CrossValidated<T: Task> {
    pub(super) metrics: Vec<AnyMetric<T>>,
    pub(super) folds: Vec<FoldResult>,
    pub(super) splits: Fingerprint,
    pub(super) out_of_fold: Option<T::Output>,
    /// What the answers were judged with, so that whoever reads them needs no data that may be other.
    pub(crate) truth: T::Target,
    pub(crate) labels: T::Labels,
    pub(crate) weighted: bool,
}

impl<T: Task> CrossValidated<T> {
    /// The metrics, in the order of the scores.
    pub fn metrics(&self) -> &[AnyMetric<T>] {
        &self.metrics
    }

    /// What each fold gave.
    pub fn folds(&self) -> &[FoldResult] {
        &self.folds
    }

    /// The fingerprint of the splits and of the truth and weights that they judged with. Results with the same one are
    /// comparable.
    pub fn splits(&self) -> Fingerprint {
        self.splits
    }

    /// The answer to each row by the model that did not learn from it, in the order of the rows; none unless every row
    /// was validated just once. [`bootstrap`](crate::bootstrap) of it gives an interval over rows.
    pub fn out_of_fold(&self) -> Option<&T::Output> {
        self.out_of_fold.as_ref()
    }

    /// The metric of this name.
    ///
    /// # Errors
    /// [`ParameterError`] if there is none.
    pub fn metric(&self, name: &str) -> Result<&AnyMetric<T>> {
        self.position(name).map(|position| &self.metrics[position])
    }

    /// The scores of a metric, fold by fold.
    ///
    /// # Errors
    /// As [`metric`](Self::metric).
    pub fn scores(&self, metric: &str) -> Result<Vec<f64>> {
        let position = self.position(metric)?;
        Ok(self.folds.iter().map(|fold| fold.scores[position]).collect())
    }

    /// The mean over folds, each as important as another.
    ///
    /// # Errors
    /// As [`metric`](Self::metric), and without folds.
    pub fn mean(&self, metric: &str) -> Result<f64> {
        let mut moments = Moments::new();
        moments.extend(&self.scores(metric)?);
        moments.mean().ok_or_else(|| undefined(metric, "there is no fold"))
    }

    /// The standard deviation over folds, `√(Σ (x - x̄)² / (k - 1))`.
    ///
    /// # Errors
    /// As [`metric`](Self::metric), and with fewer than two folds.
    pub fn deviation(&self, metric: &str) -> Result<f64> {
        let mut moments = Moments::new();
        moments.extend(&self.scores(metric)?);
        let variance = moments.variance(1.0).filter(|_| self.folds.len() > 1);
        Ok(variance.ok_or_else(|| undefined(metric, "a deviation needs two folds"))?.sqrt())
    }

    /// The interval of the mean: `x̄ ± t √((1/k + n₂/n₁) s²)`, `t` the quantile of Student's t with `k - 1` degrees of
    /// freedom, `s²` the variance over folds, `n₂/n₁` validation rows per training row.
    ///
    /// It speaks of the recipe fitted on other rows of this many, and is an approximation: no unbiased estimate of this
    /// variance exists. Nadeau & Bengio (2003), "Inference for the generalization error"; Bengio & Grandvalet (2004).
    ///
    /// # Errors
    /// As [`deviation`](Self::deviation); a level outside `(0, 1)`.
    pub fn interval(&self, metric: &str, level: f64) -> Result<Interval> {
        corrected_interval(metric, &self.scores(metric)?, &self.folds, level)
    }

    fn position(&self, name: &str) -> Result<usize> {
        self.metrics.iter().position(|metric| metric.name() == name).ok_or_else(|| {
            let allowed = "the name of a metric of this cross-validation";
            ErrorKind::from(ParameterError { name: "metric", value: format!("`{name}`"), allowed }).into()
        })
    }
}

/// The corrected t interval of the mean of some values, one per fold.
pub(super) fn corrected_interval(what: &str, values: &[f64], folds: &[FoldResult], level: f64) -> Result<Interval> {
    check_level(level)?;
    let mut moments = Moments::new();
    moments.extend(values);
    let (Some(mean), Some(variance), true) = (moments.mean(), moments.variance(1.0), values.len() > 1) else {
        return Err(undefined(&format!("the interval of {what}"), "it needs two folds"));
    };
    let k = values.len() as f64;
    let sum = |rows: fn(&FoldResult) -> usize| folds.iter().map(rows).sum::<usize>() as f64;
    let ratio = sum(|fold| fold.validation_rows) / sum(|fold| fold.train_rows);
    let half = student_quantile((1.0 + level) / 2.0, k - 1.0)? * ((1.0 / k + ratio) * variance).sqrt();
    let method = IntervalMethod::CorrectedT;
    Ok(Interval { estimate: mean, low: mean - half, high: mean + half, level, method, resamples: 0, undefined: 0 })
}

impl<T: Task> Exhibit for CrossValidated<T> {
    fn exhibit(&self) -> Section {
        let trained = self.folds.iter().any(|fold| fold.train_scores.is_some());
        let names: Vec<String> = self.metrics.iter().map(AnyMetric::name).collect();
        let mut columns: Vec<String> = ["fold", "train rows", "validation rows"].map(String::from).into();
        columns.extend(names.iter().cloned());
        if trained {
            columns.extend(names.iter().map(|name| format!("{name} (train)")));
        }
        columns.extend(["fit, s", "score, s"].map(String::from));
        let rows = self.folds.iter().enumerate().map(|(place, fold)| {
            let mut row = vec![place.to_string(), fold.train_rows.to_string(), fold.validation_rows.to_string()];
            row.extend(fold.scores.iter().chain(fold.train_scores.iter().flatten()).map(|score| number(*score)));
            row.extend([fold.fit_seconds, fold.score_seconds].map(number));
            row
        });
        let intervals: Vec<(String, Interval)> =
            names.iter().filter_map(|name| Some((name.clone(), self.interval(name, 0.95).ok()?))).collect();
        let facts = intervals.iter().map(|(name, interval)| (name.clone(), interval.to_string())).collect();
        let items = intervals.iter().map(|(name, i)| (name.clone(), i.low, i.estimate, i.high)).collect();
        Section::new("Cross-validation")
            .block(Block::Facts(facts))
            .block(Block::Chart(Chart::Intervals { title: "Mean over folds, 95 % interval".into(), items }))
            .block(Block::Table { columns, rows: rows.collect() })
            .text(format!("Splits {}.", self.splits.short()))
    }
}
