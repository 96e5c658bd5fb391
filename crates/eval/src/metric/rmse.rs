//! Mean squared error and its root: a large error weighs more than two half as large.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::NumberTarget;
use stagewise_core::task::Regression;

use super::paired;

/// Root mean squared error: `√(Σ w (ŷ - y)² / Σ w)`, in the unit of the target.
///
/// Range 0 to infinity, lower is better. The constant of least error is the mean. `O(n)`.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::NumberTarget;
/// use stagewise_eval::Rmse;
///
/// let truth = NumberTarget::new([3.0, 5.0, 2.0, 7.0]);
/// assert_eq!(Rmse.score(&truth, &array![3.0, 5.0, 4.0, 3.0], None)?, 5.0_f64.sqrt());
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1, weighted and not, relative tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rmse;

impl Persist for Rmse {
    const TAG: &'static str = "Rmse";
}

impl Metric<Regression> for Rmse {
    fn name(&self) -> String {
        "rmse".into()
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn score(&self, truth: &NumberTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        Ok(paired::mean("rmse", truth, output, weights, |error| error.powi(2))?.sqrt())
    }
}

/// Mean squared error: `Σ w (ŷ - y)² / Σ w`, in the unit of the target squared.
///
/// Range 0 to infinity, lower is better. `O(n)`.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::NumberTarget;
/// use stagewise_eval::Mse;
///
/// let truth = NumberTarget::new([3.0, 5.0, 2.0, 7.0]);
/// assert_eq!(Mse.score(&truth, &array![3.0, 5.0, 4.0, 3.0], None)?, 5.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1, weighted and not, relative tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mse;

impl Persist for Mse {
    const TAG: &'static str = "Mse";
}

impl Metric<Regression> for Mse {
    fn name(&self) -> String {
        "mse".into()
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn score(&self, truth: &NumberTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        paired::mean("mse", truth, output, weights, |error| error.powi(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conforms() {
        paired::conforms(&Rmse);
        paired::conforms(&Mse);
    }
}
