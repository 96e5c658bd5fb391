//! What a metric is: a number with a direction and a range, for one task.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::persist::{Persist, Saved};
use crate::task::Task;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Larger values are better.
    HigherIsBetter,
    /// Smaller values are better.
    LowerIsBetter,
}

impl Direction {
    /// Whether `a` is better than `b`. NaN is worse than any number.
    pub fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            Self::HigherIsBetter => a > b || (!a.is_nan() && b.is_nan()),
            Self::LowerIsBetter => a < b || (!a.is_nan() && b.is_nan()),
        }
    }
}

/// A score of answers against the truth.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric for the task `{T}`",
    note = "metrics belong to a task: RMSE scores a regression, ROC AUC a binary task"
)]
pub trait Metric<T: Task>: Persist + Clone {
    /// The name in tables and files: lower case, words joined by `_`.
    fn name(&self) -> String;

    /// Which way is better.
    fn direction(&self) -> Direction;

    /// The least and the greatest value possible.
    fn range(&self) -> (f64, f64);

    /// The score. `weights`, if given, are as long as `truth`; a weight of 2 counts as the row twice (in a ranking, the group
    /// whose rows have it).
    ///
    /// # Errors
    /// [`NumericError::Undefined`](crate::error::NumericError) where the metric has no value, for example ROC AUC with
    /// one class.
    fn score(&self, truth: &T::Target, output: &T::Output, weights: Option<&[f64]>) -> Result<f64>;
}

/// A metric of any type for one task, cheap to clone.
#[derive(Clone)]
pub struct AnyMetric<T: Task>(Arc<dyn ErasedMetric<T>>);

/// The object-safe twin of [`Metric`].
trait ErasedMetric<T: Task>: Send + Sync {
    fn name(&self) -> String;
    fn direction(&self) -> Direction;
    fn range(&self) -> (f64, f64);
    fn score(&self, truth: &T::Target, output: &T::Output, weights: Option<&[f64]>) -> Result<f64>;
    fn save(&self) -> Result<Saved>;
}

impl<T: Task, M: Metric<T>> ErasedMetric<T> for M {
    fn name(&self) -> String {
        Metric::name(self)
    }

    fn direction(&self) -> Direction {
        Metric::direction(self)
    }

    fn range(&self) -> (f64, f64) {
        Metric::range(self)
    }

    fn score(&self, truth: &T::Target, output: &T::Output, weights: Option<&[f64]>) -> Result<f64> {
        Metric::score(self, truth, output, weights)
    }

    fn save(&self) -> Result<Saved> {
        Saved::of(self)
    }
}

impl<T: Task> AnyMetric<T> {
    /// Forgets the type of a metric.
    pub fn new(metric: impl Metric<T>) -> Self {
        Self(Arc::new(metric))
    }

    /// As [`Metric::name`].
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// As [`Metric::direction`].
    pub fn direction(&self) -> Direction {
        self.0.direction()
    }

    /// As [`Metric::range`].
    pub fn range(&self) -> (f64, f64) {
        self.0.range()
    }

    /// As [`Metric::score`].
    ///
    /// # Errors
    /// As [`Metric::score`].
    pub fn score(&self, truth: &T::Target, output: &T::Output, weights: Option<&[f64]>) -> Result<f64> {
        self.0.score(truth, output, weights)
    }

    /// The metric as it is saved.
    ///
    /// # Errors
    /// [`PersistError::Unencodable`](crate::error::PersistError).
    pub fn save(&self) -> Result<Saved> {
        self.0.save()
    }
}

impl<T: Task> fmt::Debug for AnyMetric<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnyMetric({})", self.name())
    }
}
