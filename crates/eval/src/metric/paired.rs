//! What the metrics of a regression share: answers paired with the truth, checked, and the mean over pairs.

use ndarray::Array1;
use stagewise_core::error::Result;
use stagewise_core::target::{NumberTarget, TargetValues};

use super::rows::{self, Checked, Rows};

/// Checked answers of a regression.
pub(crate) fn check<'a>(
    truth: &'a NumberTarget,
    output: &'a Array1<f64>,
    weights: Option<&'a [f64]>,
) -> Result<Checked<'a, f64>> {
    let rows = Rows::check(truth.len(), output.len(), weights)?;
    Ok((rows, truth.values(), rows::numbers(output)?))
}

/// `Σ w f(ŷ - y) / Σ w`.
pub(crate) fn mean(
    what: &str,
    truth: &NumberTarget,
    output: &Array1<f64>,
    weights: Option<&[f64]>,
    loss: impl Fn(f64) -> f64 + Sync,
) -> Result<f64> {
    let (rows, truth, answers) = check(truth, output, weights)?;
    rows.mean(what, |row| loss(answers[row] - truth[row]))
}

/// The check that every such metric runs on itself.
#[cfg(test)]
pub(crate) fn conforms(metric: &impl stagewise_core::metric::Metric<stagewise_core::task::Regression>) {
    let truth = NumberTarget::new([3.1, -0.5, 2.0, 7.3, 1e-3]);
    let output = ndarray::array![2.5, 0.1, 2.2, 8.0, 0.3];
    let perfect = ndarray::array![3.1, -0.5, 2.0, 7.3, 1e-3];
    stagewise_testkit::conformance::metric(metric, &truth, &output, &perfect);
}
