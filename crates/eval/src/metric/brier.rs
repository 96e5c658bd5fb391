//! The Brier score: squared distance of a probability from what came true.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::BinaryTarget;
use stagewise_core::task::Binary;

use super::rows;

/// The Brier score: `Σ w (p - y)² / Σ w`, `y` 1 for the event and 0 otherwise.
///
/// Range 0 to 1, lower is better; always answering 0.5 scores 0.25. `O(n)`.
///
/// # Errors
/// `NumericError::Undefined` for an answer outside `[0, 1]`.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::BinaryTarget;
/// use stagewise_eval::Brier;
///
/// let truth = BinaryTarget::new([true, false]);
/// assert_eq!(Brier.score(&truth, &array![0.5, 0.5], None)?, 0.25);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Brier (1950). Checked against scikit-learn 1.9.1, weighted and not, tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Brier;

impl Persist for Brier {
    const TAG: &'static str = "Brier";
}

impl Metric<Binary> for Brier {
    fn name(&self) -> String {
        "brier".into()
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &BinaryTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        let (rows, events, answers) = rows::binary(truth, output, weights)?;
        rows::probabilities("brier", answers.iter())?;
        rows.mean("brier", |row| {
            let error = answers[row] - f64::from(u8::from(events[row]));
            error * error
        })
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
        let perfect = array![1.0, 0.0, 1.0, 0.0, 1.0];
        conformance::metric::<Binary, _>(&Brier, &truth, &array![0.9, 0.6, 0.3, 0.1, 0.7], &perfect);
        assert!(Brier.score(&truth, &array![0.9, -0.6, 0.3, 0.1, 0.7], None).is_err());
    }
}
