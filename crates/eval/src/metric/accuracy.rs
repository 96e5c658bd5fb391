//! Accuracy: the share of right decisions.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::{BinaryTarget, ClassTarget};
use stagewise_core::task::{Binary, Multiclass};

use super::by_class::ByClass;
use super::confusion::{Average, Confusion};

/// Accuracy: `Σ w [right] / Σ w`.
///
/// Binary: said to be the event where the probability is at least the threshold. Multiclass: the class of the largest
/// probability, the first of equal ones. Range 0 to 1, higher is better. `O(n)`.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::{BinaryTarget, ClassTarget};
/// use stagewise_core::task::{Binary, Multiclass};
/// use stagewise_eval::Accuracy;
///
/// let truth = BinaryTarget::new([true, true, false, false]);
/// let output = array![0.9, 0.4, 0.6, 0.1];
/// assert_eq!(Metric::<Binary>::score(&Accuracy::new().threshold(0.3), &truth, &output, None)?, 0.75);
///
/// let truth = ClassTarget::new([0, 1, 2, 2], 3);
/// let output = array![[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.1, 0.1, 0.8]];
/// assert_eq!(Metric::<Multiclass>::score(&Accuracy::new(), &truth, &output, None)?, 1.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1, weighted and not, tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Accuracy {
    #[serde(default)]
    threshold: Option<f64>,
}

impl Accuracy {
    /// At the threshold 0.5.
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

    fn by_class(&self, average: Option<Average>) -> ByClass {
        ByClass { tag: Self::TAG, base: "accuracy", threshold: self.threshold, average, share: Confusion::accuracy }
    }
}

impl Persist for Accuracy {
    const TAG: &'static str = "Accuracy";
}

impl Metric<Binary> for Accuracy {
    fn name(&self) -> String {
        self.by_class(None).name()
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &BinaryTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        self.by_class(None).binary(truth, output, weights)
    }
}

impl Metric<Multiclass> for Accuracy {
    fn name(&self) -> String {
        self.by_class(None).name()
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &ClassTarget, output: &Array2<f64>, weights: Option<&[f64]>) -> Result<f64> {
        // Over all decisions at once, the share is the accuracy.
        self.by_class(Some(Average::Micro)).multiclass(truth, output, weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::by_class::checks;
    use ndarray::array;

    #[test]
    fn conforms() {
        checks::conforms(&Accuracy::new(), &[Accuracy::new()]);
    }

    #[test]
    fn a_setting_without_use_is_refused_and_names_differ() {
        assert_eq!(Metric::<Multiclass>::name(&Accuracy::new()), "accuracy");
        let spec = Accuracy::new().threshold(0.25);
        assert_eq!(Metric::<Binary>::name(&spec), "accuracy_at_0.25");
        let error =
            Metric::<Multiclass>::score(&spec, &ClassTarget::new([0], 2), &array![[0.5, 0.5]], None).unwrap_err();
        assert!(error.to_string().starts_with("Accuracy would ignore the threshold; a multiclass task"), "{error}");
        let error =
            Metric::<Binary>::score(&Accuracy::new().threshold(1.5), &BinaryTarget::new([true]), &array![0.5], None)
                .unwrap_err();
        assert_eq!(error.to_string(), "`threshold` is 1.5, allowed is 0 to 1");
    }
}
