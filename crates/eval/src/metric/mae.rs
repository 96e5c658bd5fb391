//! Mean absolute error: how far off answers are, in the unit of the target.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::NumberTarget;
use stagewise_core::task::Regression;

use super::paired;

/// Mean absolute error: `Σ w |ŷ - y| / Σ w`, in the unit of the target.
///
/// Range 0 to infinity, lower is better. The constant of least error is the median. `O(n)`.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::NumberTarget;
/// use stagewise_eval::Mae;
///
/// let truth = NumberTarget::new([3.0, 5.0, 2.0, 7.0]);
/// assert_eq!(Mae.score(&truth, &array![3.0, 5.0, 4.0, 3.0], None)?, 1.5);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1, weighted and not, relative tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mae;

impl Persist for Mae {
    const TAG: &'static str = "Mae";
}

impl Metric<Regression> for Mae {
    fn name(&self) -> String {
        "mae".into()
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn score(&self, truth: &NumberTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        paired::mean("mae", truth, output, weights, f64::abs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn conforms() {
        paired::conforms(&Mae);
    }

    #[test]
    fn numbers_too_large_to_be_summed_are_an_error() {
        let truth = NumberTarget::new([f64::MAX, 0.0]);
        let error = Mae.score(&truth, &array![f64::MIN, 0.0], None).unwrap_err();
        assert_eq!(error.to_string(), "mae is not defined: the numbers are too large to be summed");
    }
}
