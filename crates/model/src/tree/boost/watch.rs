//! Metrics that boosting looks at after each round.
//!
//! The metric itself judges, on answers as the model would give them, so its value here is that of an evaluation. Metrics
//! live in other crates and are found by their tag when a learner is loaded.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, PersistError, Result};
use stagewise_core::matrix::Design;
use stagewise_core::metric::{AnyMetric, Direction, Metric};
use stagewise_core::persist::Saved;
use stagewise_core::registry::Registry;
use stagewise_core::target::TargetValues;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression, Task};

use super::history::{History, MetricCurve};
use crate::link::Link;

/// Training rows that the history looks at.
const MOST: usize = 1 << 16;

/// One of how many training rows, or lists of them, is looked at.
pub(crate) fn stride(rows: usize) -> usize {
    rows.div_ceil(MOST).max(1)
}

/// The training rows that the history looks at, ascending; absent for all. Lists stay whole.
pub(crate) fn seen(target: &impl TargetValues) -> Option<Vec<u32>> {
    let (rows, step) = (target.len() as u32, stride(target.len()));
    if step == 1 {
        return None;
    }
    Some(match target.groups() {
        None => (0..rows).step_by(step).collect(),
        Some(groups) => (0..rows).filter(|&row| (groups[row as usize] as usize).is_multiple_of(step)).collect(),
    })
}

/// The values of some rows, or of all, `width` of each.
pub(crate) fn some<'a>(rows: Option<&[u32]>, width: usize, values: &'a [f64]) -> Cow<'a, [f64]> {
    match rows {
        None => values.into(),
        Some(rows) => rows.iter().flat_map(|&row| &values[row as usize * width..][..width]).copied().collect(),
    }
}

/// A metric to look at, as a spec holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Watched {
    task: String,
    metric: Saved,
    /// An `AnyMetric` of the task; absent after loading, until a registry has found it.
    #[serde(skip)]
    found: Option<Arc<dyn Any + Send + Sync>>,
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.task == other.task && self.metric == other.metric
    }
}

impl Watched {
    pub(crate) fn new<T: Task, M: Metric<T>>(metric: M) -> Self {
        // What does not encode is said when it is fitted.
        let saved = Saved::of(&metric).unwrap_or(Saved { tag: M::TAG.into(), version: M::VERSION, bytes: Vec::new() });
        let found: Arc<dyn Any + Send + Sync> = Arc::new(AnyMetric::<T>::new(metric));
        Self { task: T::NAME.into(), metric: saved, found: Some(found) }
    }

    /// Finds the metric in a registry.
    pub(crate) fn resolve(&mut self, registry: &Registry) -> Result<()> {
        fn of<T: Task>(registry: &Registry, saved: &Saved) -> Result<Arc<dyn Any + Send + Sync>> {
            Ok(Arc::new(registry.metric::<T>(saved)?))
        }
        self.found = Some(match self.task.as_str() {
            Regression::NAME => of::<Regression>(registry, &self.metric)?,
            Binary::NAME => of::<Binary>(registry, &self.metric)?,
            Multiclass::NAME => of::<Multiclass>(registry, &self.metric)?,
            Ranking::NAME => of::<Ranking>(registry, &self.metric)?,
            other => return Err(PersistError::WrongTask { expected: "one with metrics", found: other.into() }.into()),
        });
        Ok(())
    }

    fn of<T: Task>(&self) -> Result<&AnyMetric<T>> {
        let value = format!("{}, a metric of {}", self.metric.tag, self.task);
        ParameterError::check(self.task == T::NAME, "watch", value, "a metric of the task that is learned")?;
        match self.found.as_ref().and_then(|found| found.downcast_ref::<AnyMetric<T>>()) {
            Some(metric) => metric.save().map(|_| metric),
            None => {
                let tag = self.metric.tag.clone();
                Err(PersistError::UnknownTag { role: "metric", tag, known: Vec::new() }.into())
            }
        }
    }
}

/// A task whose answers can be made of scores.
pub(crate) trait Answered: Task {
    /// The answers of scores, `outputs` of each row.
    fn answers(link: Link, outputs: usize, scores: Vec<f64>) -> Self::Output;
}

impl Answered for Regression {
    fn answers(link: Link, _outputs: usize, scores: Vec<f64>) -> Array1<f64> {
        scores.into_iter().map(|score| link.answer(score)).collect()
    }
}

impl Answered for Binary {
    fn answers(link: Link, _outputs: usize, scores: Vec<f64>) -> Array1<f64> {
        scores.into_iter().map(|score| link.answer(score)).collect()
    }
}

impl Answered for Multiclass {
    fn answers(link: Link, outputs: usize, mut scores: Vec<f64>) -> Array2<f64> {
        scores.chunks_exact_mut(outputs.max(1)).for_each(|scores| link.answers(scores));
        // There are rows × outputs scores.
        Array2::from_shape_vec((scores.len() / outputs.max(1), outputs), scores).unwrap_or_default()
    }
}

impl Answered for Ranking {
    fn answers(_link: Link, _outputs: usize, scores: Vec<f64>) -> Array1<f64> {
        scores.into()
    }
}

/// The metrics of a training, with the truth that they compare with.
pub(crate) struct Watch<'a, T: Task> {
    metrics: Vec<&'a AnyMetric<T>>,
    train: Side<'a, T>,
    held: Option<Side<'a, T>>,
    link: Link,
    outputs: usize,
}

struct Side<'a, T: Task> {
    truth: T::Target,
    weights: Option<Cow<'a, [f64]>>,
}

/// What a round needs to know of them.
pub(crate) trait Judges: Sync {
    /// Which way the first is better.
    fn direction(&self) -> Direction;

    /// Notes their values for scores of the training rows that are looked at, and of the held-out rows.
    fn note(&self, history: &mut History, train: &[f64], held: Option<&[f64]>) -> Result<()>;
}

impl<'a, T: Answered> Watch<'a, T> {
    /// Absent without metrics.
    pub(crate) fn new(
        watched: &'a [Watched],
        train: &'a Design<T>,
        seen: Option<&[u32]>,
        link: Link,
        outputs: usize,
    ) -> Result<Option<Self>> {
        let metrics = watched.iter().map(Watched::of::<T>).collect::<Result<Vec<_>>>()?;
        if metrics.is_empty() {
            return Ok(None);
        }
        let held = train
            .validation
            .as_ref()
            .map(|held| Side { truth: held.target.clone(), weights: held.weights().map(Into::into) });
        let truth = match seen {
            None => train.target.clone(),
            Some(rows) => train.target.take(&rows.iter().map(|&row| row as usize).collect::<Vec<_>>()),
        };
        let weights = train.weights().map(|weights| some(seen, 1, weights));
        Ok(Some(Self { metrics, train: Side { truth, weights }, held, link, outputs }))
    }
}

impl<T: Answered> Judges for Watch<'_, T> {
    fn direction(&self) -> Direction {
        self.metrics.first().map_or(Direction::LowerIsBetter, |metric| metric.direction())
    }

    fn note(&self, history: &mut History, train: &[f64], held: Option<&[f64]>) -> Result<()> {
        if history.watched.is_empty() {
            let curve = |metric: &&AnyMetric<T>| MetricCurve { metric: metric.name(), ..MetricCurve::default() };
            history.watched = self.metrics.iter().map(curve).collect();
        }
        let values = |side: &Side<'_, T>, scores: &[f64]| -> Result<Vec<f64>> {
            let answers = T::answers(self.link, self.outputs, scores.to_vec());
            self.metrics.iter().map(|metric| metric.score(&side.truth, &answers, side.weights.as_deref())).collect()
        };
        for (curve, value) in history.watched.iter_mut().zip(values(&self.train, train)?) {
            curve.train.push(value);
        }
        if let Some((side, scores)) = self.held.as_ref().zip(held) {
            for (curve, value) in history.watched.iter_mut().zip(values(side, scores)?) {
                curve.validation.push(value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
