//! R²: how much of the target's spread the answers explain.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::NumberTarget;
use stagewise_core::task::Regression;

use super::{paired, rows};

/// R², the coefficient of determination: `1 - Σ w (ŷ - y)² / Σ w (y - ȳ)²`, `ȳ` the weighted mean.
///
/// Range minus infinity to 1, higher is better; 0 is as good as the mean. Where the truth does not vary it is 1 if every
/// answer is right and 0 otherwise. `O(n)`.
///
/// # Errors
/// `NumericError::Undefined` for fewer than two rows with a weight, and for numbers too large to be squared.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::NumberTarget;
/// use stagewise_eval::R2;
///
/// let truth = NumberTarget::new([3.0, 5.0, 2.0, 7.0]);
/// assert_eq!(R2.score(&truth, &array![3.0, 5.0, 4.0, 3.0], None)?, 1.0 - 20.0 / 14.75);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1, weighted and not, relative tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct R2;

impl Persist for R2 {
    const TAG: &'static str = "R2";
}

impl Metric<Regression> for R2 {
    fn name(&self) -> String {
        "r2".into()
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, 1.0)
    }

    fn score(&self, truth: &NumberTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        let (rows, truth, answers) = paired::check(truth, output, weights)?;
        if rows.counted() < 2 {
            return Err(rows::undefined("r2", "it needs two rows with a weight"));
        }
        let mean = rows.mean("r2", |row| truth[row])?;
        let residual = rows::finite("r2", rows.sum(|row| (answers[row] - truth[row]).powi(2)))?;
        let mut counted = (0..truth.len()).filter(|&row| rows.weight(row) > 0.0).map(|row| truth[row]);
        let first = counted.next();
        if counted.all(|y| Some(y) == first) {
            return Ok(if residual == 0.0 { 1.0 } else { 0.0 });
        }
        let spread = rows::finite("r2", rows.sum(|row| (truth[row] - mean).powi(2)))?;
        rows::finite("r2", 1.0 - residual / spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn conforms() {
        paired::conforms(&R2);
    }

    #[test]
    fn a_truth_that_does_not_vary_is_recognised_exactly() {
        // The mean of three times 0.1 differs from 0.1 in some orders of summation.
        let truth = NumberTarget::new([0.1; 3]);
        assert_eq!(R2.score(&truth, &array![0.1, 0.1, 0.1], None).unwrap(), 1.0);
        assert_eq!(R2.score(&truth, &array![0.1, 0.1, 0.2], None).unwrap(), 0.0);
    }

    #[test]
    fn one_row_and_numbers_too_large_have_none() {
        let text = |truth: &[f64], output: Array1<f64>| {
            R2.score(&NumberTarget::new(truth), &output, None).unwrap_err().to_string()
        };
        assert_eq!(text(&[1.0], array![1.0]), "r2 is not defined: it needs two rows with a weight");
        assert_eq!(text(&[1e300, 0.0], array![0.0, 0.0]), "r2 is not defined: the numbers are too large to be summed");
    }
}
