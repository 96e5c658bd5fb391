//! Training rows that a decision rejects are left out, so that the step behind can learn.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::decision::ValueDecisions;
use stagewise_core::error::{DataError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Sampler;
use stagewise_core::task::Task;

/// Leaves out the training rows that a decision rejects; the other remedies are left to [`ValueDecider`](super::ValueDecider).
///
/// Put it before that step, with the same decisions. At serving, where no sampler runs, the step refuses such a row. Rows keep
/// their order, weights, groups and ids. The target is not looked at. `O(rows log decisions)` a column.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::decision::{Remedy, ValueDecisions};
/// use stagewise_core::problem::Problem;
/// use stagewise_core::stage::Sampler;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::decide::RejectedRows;
///
/// let table = Table::of([
///     ("age", Column::numbers([31.0, -1.0, 44.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let decisions = ValueDecisions::new().decide("age", "-1", Remedy::Reject);
/// let train = RejectedRows::of(decisions).resample(train, &FitContext::new(0))?;
/// assert_eq!(train.target().values(), [1.0, 3.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRows {
    decisions: ValueDecisions,
}

impl RejectedRows {
    /// Leaves out the rows that these decisions reject.
    pub fn of(decisions: ValueDecisions) -> Self {
        Self { decisions }
    }
}

impl Persist for RejectedRows {
    const TAG: &'static str = "RejectedRows";
}

impl<T: Task> Sampler<T> for RejectedRows {
    /// # Errors
    /// As [`ValueDecisions::counts`]; [`DataError::TooFewRows`] if every row is rejected.
    fn resample(&self, train: Dataset<T>, _: &FitContext) -> Result<Dataset<T>> {
        let rejected = self.decisions.rejected(train.features())?;
        if rejected.is_empty() {
            return Ok(train);
        }
        let kept: Vec<usize> = (0..train.rows()).filter(|row| rejected.binary_search(row).is_err()).collect();
        if kept.is_empty() {
            let what = "training without the rows that decisions reject".to_string();
            return Err(DataError::TooFewRows { what, needed: 1, found: 0 }.into());
        }
        Ok(train.take(&kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::decision::Remedy;
    use stagewise_core::stage::Transformer;
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data};

    use crate::decide::ValueDecider;
    use crate::test_tables::training;

    fn decisions() -> ValueDecisions {
        ValueDecisions::new().decide("city", "Ulm", Remedy::Reject).decide("active", "true", Remedy::Reject).decide(
            "age",
            "40",
            Remedy::Missing,
        )
    }

    #[test]
    fn conforms() {
        let spec = RejectedRows::of(decisions());
        conformance::sampler(&spec, &data::binary(90, 1));
        conformance::sampler(&spec, &data::multiclass(90, 2));
        conformance::sampler(&spec, &data::regression(90, 3));
        conformance::sampler(&spec, &data::ranking(90, 4));
    }

    #[test]
    fn the_step_behind_can_learn() {
        let (data, cx) = (data::regression(90, 3), FitContext::new(0));
        let spec = ValueDecider::of(decisions());
        assert!(spec.fit(&data, &cx).is_err());
        let left = RejectedRows::of(decisions()).resample(data.clone(), &cx).unwrap();
        assert!(left.rows() < data.rows());
        let fitted = spec.fit(&left, &cx).unwrap();
        assert_eq!(fitted.counts().iter().filter(|c| c.decision.remedy == Remedy::Reject && c.rows > 0).count(), 0);
    }

    #[test]
    fn rejecting_every_row_is_refused() {
        let train = training(Table::of([("x", Column::numbers([1.0, 1.0]))]).unwrap(), None);
        let spec = RejectedRows::of(ValueDecisions::new().decide("x", "1", Remedy::Reject));
        let error = spec.resample(train, &FitContext::new(0)).unwrap_err().to_string();
        assert_eq!(error, "training without the rows that decisions reject needs at least 1 rows, 0 found");
    }
}
