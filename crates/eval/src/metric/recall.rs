//! Recall: how much of what is the event was said to be.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::{BinaryTarget, ClassTarget};
use stagewise_core::task::{Binary, Multiclass};

use super::confusion::{self, Average, ClassConfusion, Confusion, NO_AVERAGE, NO_THRESHOLD};

/// Recall, also called sensitivity: `TP / (TP + FN)`; 0 if there is no event.
///
/// Range 0 to 1, higher is better. `O(n)`.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::{BinaryTarget, ClassTarget};
/// use stagewise_core::task::{Binary, Multiclass};
/// use stagewise_eval::{Average, Recall};
///
/// let truth = BinaryTarget::new([true, true, false, false]);
/// let output = array![0.9, 0.4, 0.6, 0.1];
/// assert_eq!(Metric::<Binary>::score(&Recall::new().threshold(0.3), &truth, &output, None)?, 1.0);
///
/// let truth = ClassTarget::new([0, 1, 2, 2], 3);
/// let output = array![[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]];
/// assert_eq!(Metric::<Multiclass>::score(&Recall::new().average(Average::Weighted), &truth, &output, None)?, 1.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1, weighted and not, tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Recall {
    #[serde(default)]
    threshold: Option<f64>,
    #[serde(default)]
    average: Option<Average>,
}

impl Recall {
    /// At the threshold 0.5; over classes the plain mean.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binary: from which probability on a row is said to be the event. `0` to `1`, default `0.5`. A multiclass task
    /// refuses it.
    #[must_use]
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = Some(threshold);
        self
    }

    /// Multiclass: how the classes become one number. Default [`Average::Macro`]. A binary task refuses it.
    #[must_use]
    pub fn average(mut self, average: Average) -> Self {
        self.average = Some(average);
        self
    }
}

impl Persist for Recall {
    const TAG: &'static str = "Recall";
}

impl Metric<Binary> for Recall {
    fn name(&self) -> String {
        confusion::name("recall", self.threshold, self.average)
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &BinaryTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        confusion::refuse(self.average.is_some(), Self::TAG, "average", NO_AVERAGE)?;
        let confusion = Confusion::of(truth, output, weights, self.threshold.unwrap_or(0.5))?;
        confusion::weighed("recall", confusion.total())?;
        Ok(confusion.recall())
    }
}

impl Metric<Multiclass> for Recall {
    fn name(&self) -> String {
        confusion::name("recall", self.threshold, self.average)
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &ClassTarget, output: &Array2<f64>, weights: Option<&[f64]>) -> Result<f64> {
        confusion::refuse(self.threshold.is_some(), Self::TAG, "threshold", NO_THRESHOLD)?;
        let confusion = ClassConfusion::of(truth, output, weights)?;
        confusion::weighed("recall", confusion.total())?;
        Ok(confusion.averaged(self.average.unwrap_or_default(), Confusion::recall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use stagewise_testkit::conformance;

    #[test]
    fn conforms() {
        let truth = BinaryTarget::new([true, false, true, false, true]);
        let perfect = array![1.0, 0.0, 0.9, 0.2, 0.5];
        conformance::metric::<Binary, _>(&Recall::new(), &truth, &array![0.9, 0.6, 0.3, 0.1, 0.7], &perfect);
        let truth = ClassTarget::new([0, 1, 2, 0], 3);
        let output = array![[0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]];
        let perfect = array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
        for average in [Average::Macro, Average::Micro, Average::Weighted] {
            conformance::metric::<Multiclass, _>(&Recall::new().average(average), &truth, &output, &perfect);
        }
    }

    #[test]
    fn a_setting_without_use_is_refused_and_names_differ() {
        let spec = Recall::new().average(Average::Micro);
        let error = Metric::<Binary>::score(&spec, &BinaryTarget::new([true]), &array![0.5], None).unwrap_err();
        assert!(error.to_string().starts_with("Recall would ignore the average; a binary task"), "{error}");
        assert_eq!(Metric::<Multiclass>::name(&spec), "recall_micro");
        let spec = Recall::new().threshold(0.25);
        assert_eq!(Metric::<Binary>::name(&spec), "recall_at_0.25");
        assert!(Metric::<Multiclass>::score(&spec, &ClassTarget::new([0], 2), &array![[0.5, 0.5]], None).is_err());
        let error =
            Metric::<Binary>::score(&Recall::new().threshold(1.5), &BinaryTarget::new([true]), &array![0.5], None)
                .unwrap_err();
        assert_eq!(error.to_string(), "`threshold` is 1.5, allowed is 0 to 1");
    }
}
