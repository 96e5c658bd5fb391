//! Log loss: the price of a probability, unbounded for a sure mistake.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::{BinaryTarget, ClassTarget};
use stagewise_core::task::{Binary, Multiclass};

use super::rows;

/// Log loss, also called cross-entropy: `-Σ w ln p / Σ w`, `p` the probability given to what came true.
///
/// `p` is clipped to `[ε, 1 - ε]`, `ε = 2⁻⁵² ≈ 2.22e-16`, so a sure mistake costs about 36.04. The probabilities of a
/// multiclass row are not scaled to sum to 1. Range 0 to infinity, lower is better. `O(n)`.
///
/// # Errors
/// `NumericError::Undefined` for an answer outside `[0, 1]`.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::BinaryTarget;
/// use stagewise_core::task::Binary;
/// use stagewise_eval::LogLoss;
///
/// let truth = BinaryTarget::new([true, false]);
/// assert_eq!(Metric::<Binary>::score(&LogLoss, &truth, &array![0.5, 0.5], None)?, std::f64::consts::LN_2);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Good (1952). Checked against scikit-learn 1.9.1, weighted and not, tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogLoss;

impl Persist for LogLoss {
    const TAG: &'static str = "LogLoss";
}

impl Metric<Binary> for LogLoss {
    fn name(&self) -> String {
        "log_loss".into()
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn score(&self, truth: &BinaryTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        let (rows, events, answers) = rows::binary(truth, output, weights)?;
        rows::probabilities("log_loss", answers.iter())?;
        rows.mean("log_loss", |row| {
            let p = clipped(answers[row]);
            -(if events[row] { p.ln() } else { (1.0 - p).ln() })
        })
    }
}

impl Metric<Multiclass> for LogLoss {
    fn name(&self) -> String {
        "log_loss".into()
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn score(&self, truth: &ClassTarget, output: &Array2<f64>, weights: Option<&[f64]>) -> Result<f64> {
        let (rows, codes) = rows::multiclass(truth, output, weights)?;
        rows::probabilities("log_loss", output.iter())?;
        rows.mean("log_loss", |row| -clipped(output[[row, codes[row] as usize]]).ln())
    }
}

fn clipped(p: f64) -> f64 {
    p.clamp(f64::EPSILON, 1.0 - f64::EPSILON)
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
        conformance::metric::<Binary, _>(&LogLoss, &truth, &array![0.9, 0.6, 0.3, 0.1, 0.7], &perfect);
        let truth = ClassTarget::new([0, 1, 2, 0], 3);
        let output = array![[0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]];
        let perfect = array![[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]];
        conformance::metric::<Multiclass, _>(&LogLoss, &truth, &output, &perfect);
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        let error = Metric::<Binary>::score(&LogLoss, &BinaryTarget::new([true]), &array![1.5], None).unwrap_err();
        assert_eq!(error.to_string(), "log_loss is not defined: an answer is 1.5, which is no probability");
    }
}
