//! Precision: how much of what was said to be the event is.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::{BinaryTarget, ClassTarget};
use stagewise_core::task::{Binary, Multiclass};

use super::confusion::{self, Average, ClassConfusion, Confusion, NO_AVERAGE, NO_THRESHOLD};

/// Precision: `TP / (TP + FP)`; 0 if nothing was said to be the event.
///
/// Range 0 to 1, higher is better. `O(n)`.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::{BinaryTarget, ClassTarget};
/// use stagewise_core::task::{Binary, Multiclass};
/// use stagewise_eval::{Average, Precision};
///
/// let truth = BinaryTarget::new([true, true, false, false]);
/// let output = array![0.9, 0.4, 0.6, 0.1];
/// assert_eq!(Metric::<Binary>::score(&Precision::new().threshold(0.3), &truth, &output, None)?, 2.0 / 3.0);
///
/// let truth = ClassTarget::new([0, 1, 2, 2], 3);
/// let output = array![[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]];
/// assert_eq!(Metric::<Multiclass>::score(&Precision::new().average(Average::Weighted), &truth, &output, None)?, 1.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1, weighted and not, tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Precision {
    #[serde(default)]
    threshold: Option<f64>,
    #[serde(default)]
    average: Option<Average>,
}

impl Precision {
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

impl Persist for Precision {
    const TAG: &'static str = "Precision";
}

impl Metric<Binary> for Precision {
    fn name(&self) -> String {
        confusion::name("precision", self.threshold, self.average)
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
        confusion::weighed("precision", confusion.total())?;
        Ok(confusion.precision())
    }
}

impl Metric<Multiclass> for Precision {
    fn name(&self) -> String {
        confusion::name("precision", self.threshold, self.average)
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
        confusion::weighed("precision", confusion.total())?;
        Ok(confusion.averaged(self.average.unwrap_or_default(), Confusion::precision))
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
        conformance::metric::<Binary, _>(&Precision::new(), &truth, &array![0.9, 0.6, 0.3, 0.1, 0.7], &perfect);
        let truth = ClassTarget::new([0, 1, 2, 0], 3);
        let output = array![[0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]];
        let perfect = array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
        for average in [Average::Macro, Average::Micro, Average::Weighted] {
            conformance::metric::<Multiclass, _>(&Precision::new().average(average), &truth, &output, &perfect);
        }
    }

    #[test]
    fn a_setting_without_use_is_refused_and_names_differ() {
        let spec = Precision::new().average(Average::Micro);
        let error = Metric::<Binary>::score(&spec, &BinaryTarget::new([true]), &array![0.5], None).unwrap_err();
        assert!(error.to_string().starts_with("Precision would ignore the average; a binary task"), "{error}");
        assert_eq!(Metric::<Multiclass>::name(&spec), "precision_micro");
        let spec = Precision::new().threshold(0.25);
        assert_eq!(Metric::<Binary>::name(&spec), "precision_at_0.25");
        assert!(Metric::<Multiclass>::score(&spec, &ClassTarget::new([0], 2), &array![[0.5, 0.5]], None).is_err());
        let error =
            Metric::<Binary>::score(&Precision::new().threshold(1.5), &BinaryTarget::new([true]), &array![0.5], None)
                .unwrap_err();
        assert_eq!(error.to_string(), "`threshold` is 1.5, allowed is 0 to 1");
    }
}
