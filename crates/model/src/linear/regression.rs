//! Weighted least squares, with a ridge penalty if asked.
//!
//! The normal equations are formed on centred columns and solved by Cholesky: one pass over the data in parallel
//! blocks, the same bits for any number of threads. Columns that depend on each other get the solution of least norm
//! and a warning, not an error: dummies of every level are everyday data.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{NumericError, ParameterError, Result};
use stagewise_core::matrix::Design;
use stagewise_core::persist::Persist;
use stagewise_core::stage::Learner;
use stagewise_core::task::{Regression, Task};
use stagewise_numeric::gram::{weighted_gram, weighted_xty};

use crate::input::{Input, total_weight};
use crate::linear::least_norm;
use crate::linear::model::{LinearModel, Link};
use crate::linear::shift::shift;

/// Least squares: minimises `Σ w (y − b − x·β)² + l2 · |β|²`.
///
/// The intercept `b` is not penalised. Weights are honoured. Missing and infinite features are refused; categories
/// need an encoder before it. Where columns are linear combinations of others (to one part in 10¹⁰ of their variance)
/// and `l2` is 0, the coefficients are those of least norm and a warning names the columns; a constant column gets 0.
/// O(n p² + p³).
///
/// # Errors
/// No features, no rows, features that are not finite numbers, `l2` out of range; [`NumericError::Undefined`] where
/// squares overflow (values near 1e150 and up).
///
/// Hoerl & Kennard (1970). Checked against scikit-learn 1.9.1 `LinearRegression` and `Ridge`, tolerance 1e-9.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, matrix::{Design, Features}, stage::Learner};
/// use stagewise_core::{table::Table, target::NumberTarget, task::Regression};
/// use stagewise_model::LinearRegression;
///
/// let features = Features::new(Table::of([("x", Column::numbers([0.0, 1.0, 2.0]))])?)?;
/// let target = NumberTarget::new(vec![1.0, 3.0, 5.0]);
/// let design = Design::<Regression>::new(features, target, ());
/// let model = LinearRegression::new().fit(&design, &FitContext::new(0))?;
/// assert!((model.coefficients()[0][0] - 2.0).abs() < 1e-12 && (model.intercepts()[0] - 1.0).abs() < 1e-12);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearRegression {
    l2: f64,
    #[serde(default = "yes")]
    intercept: bool,
}

fn yes() -> bool {
    true
}

impl Default for LinearRegression {
    fn default() -> Self {
        Self { l2: 0.0, intercept: true }
    }
}

impl LinearRegression {
    /// Plain least squares.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The strength of the penalty, at least 0. Default 0.
    #[must_use]
    pub fn l2(mut self, l2: f64) -> Self {
        self.l2 = l2;
        self
    }

    /// Whether there is an intercept. Default true.
    #[must_use]
    pub fn intercept(mut self, intercept: bool) -> Self {
        self.intercept = intercept;
        self
    }
}

impl Persist for LinearRegression {
    const TAG: &'static str = "LinearRegression";
}

impl Learner<Regression> for LinearRegression {
    type Model = LinearModel;

    fn fit(&self, train: &Design<Regression>, cx: &FitContext) -> Result<LinearModel> {
        ParameterError::check(self.l2.is_finite() && self.l2 >= 0.0, "l2", self.l2, "a finite number, at least 0")?;
        let (input, x) = Input::of(train, Self::TAG)?;
        let (y, weights) = (train.target.values(), train.weights());
        let total = total_weight(weights, y.len());
        let (coefficients, intercept, dependent) = if self.intercept {
            let shifted = shift(x, weights);
            let center = Regression::mean(&train.target, &(), weights);
            let centred: Vec<f64> = y.iter().map(|y| y - center).collect();
            let x = shifted.x.view();
            let ones = vec![1.0; y.len()];
            let mean: Array1<f64> = weighted_xty(x, weights, &ones) / total;
            let mut gram = weighted_gram(x, weights);
            let rounding: f64 = exact_zero_sum(&centred, weights);
            let xty = weighted_xty(x, weights, &centred) - &mean * rounding;
            for ((i, j), g) in gram.indexed_iter_mut() {
                *g -= total * mean[i] * mean[j];
            }
            let solution = self.solve(gram, &xty)?;
            let at_mean = center + rounding / total - mean.dot(&Array1::from_vec(solution.x.clone()));
            (solution.x.clone(), shifted.intercept(at_mean, &solution.x), solution.dependent)
        } else {
            let solution = self.solve(weighted_gram(x, weights), &weighted_xty(x, weights, y))?;
            (solution.x, 0.0, solution.dependent)
        };
        least_norm::warn(&dependent, input.names(), cx);
        LinearModel::new(input.names().to_vec(), vec![coefficients], vec![intercept], Link::Identity)
    }
}

impl LinearRegression {
    fn solve(&self, mut gram: ndarray::Array2<f64>, xty: &Array1<f64>) -> Result<least_norm::Solution> {
        gram.diag_mut().iter_mut().for_each(|d| *d += self.l2);
        least_norm::solve(&gram, &xty.to_vec()).ok_or_else(|| {
            let (what, why) =
                ("the least-squares solution".into(), "squares of the values overflow; scale them".into());
            NumericError::Undefined { what, why }.into()
        })
    }
}

/// What rounding of the mean leaves of a weighted sum that should be 0.
fn exact_zero_sum(centred: &[f64], weights: Option<&[f64]>) -> f64 {
    stagewise_numeric::sum::exact_sum_by(centred.len(), |r| weights.map_or(centred[r], |w| w[r] * centred[r]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use stagewise_core::column::Column;
    use stagewise_core::matrix::Features;
    use stagewise_core::stage::Predict;
    use stagewise_core::table::Table;
    use stagewise_core::target::NumberTarget;
    use stagewise_testkit::{conformance, data, golden};

    fn design(rows: &[Vec<f64>], y: Vec<f64>, weights: Option<Vec<f64>>) -> Design<Regression> {
        let width = rows.first().map_or(0, Vec::len);
        let names: Vec<String> = (0..width).map(|j| format!("x{j}")).collect();
        let columns = names
            .iter()
            .enumerate()
            .map(|(j, name)| (name.as_str(), Column::numbers(rows.iter().map(|r| r[j]).collect::<Vec<_>>())));
        let features = Features::new(Table::of(columns.collect::<Vec<_>>()).unwrap()).unwrap();
        Design::new(features, NumberTarget::new(y), ()).weighted(weights.map(Arc::new))
    }

    #[test]
    fn golden() {
        let golden = golden::load("linear_regression.json");
        assert!(golden.cases.len() >= 14);
        for case in &golden.cases {
            let train = design(
                &case.matrix("/input/features"),
                case.numbers("/input/target"),
                case.optional_numbers("/input/weights"),
            );
            let intercept = case.value("/input/fit_intercept").as_bool().unwrap();
            let spec = LinearRegression::new().l2(case.number("/input/alpha")).intercept(intercept);
            let cx = FitContext::new(0);
            let model = spec.fit(&train, &cx).unwrap();
            golden.assert_all_close(&model.coefficients()[0], &case.numbers("/expected/coef"), &case.name);
            golden.assert_close(model.intercepts()[0], case.number("/expected/intercept"), &case.name);
            assert_eq!(cx.take_warnings().len(), usize::from(case.name == "ols_repeated_column"), "{}", case.name);
        }
    }

    #[test]
    fn conformance() {
        conformance::learner(&LinearRegression::new(), &data::regression_numeric(80, 1));
        conformance::learner(&LinearRegression::new().l2(2.0), &data::regression_numeric(80, 2));
    }

    #[test]
    fn dummies_of_every_level_and_constants_fit_with_a_warning() {
        let rows: Vec<Vec<f64>> =
            (0..30).map(|i| vec![f64::from(i % 3 == 0), f64::from(i % 3 == 1), f64::from(i % 3 == 2), 0.1]).collect();
        let y: Vec<f64> = (0..30).map(|i| 4.0 + f64::from(i % 3)).collect();
        let cx = FitContext::new(0);
        let model = LinearRegression::new().fit(&design(&rows, y, None), &cx).unwrap();
        // The least norm: effects that sum to 0 around the mean of the levels.
        for (found, expected) in model.coefficients()[0].iter().zip([-1.0, 0.0, 1.0, 0.0]) {
            assert!((found - expected).abs() < 1e-10, "{model:?}");
        }
        assert!((model.intercepts()[0] - 5.0).abs() < 1e-10);
        let warnings = cx.take_warnings();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].what.starts_with("`x2` is a linear combination of other columns"), "{}", warnings[0].what);
    }

    #[test]
    fn fewer_rows_than_columns_fit_exactly() {
        let rows = vec![vec![1.0, 2.0, 0.0, 4.0], vec![0.0, 1.0, 1.0, -3.0]];
        let train = design(&rows, vec![3.0, -1.0], None);
        let model = LinearRegression::new().fit(&train, &FitContext::new(0)).unwrap();
        for (row, y) in rows.iter().zip([3.0, -1.0]) {
            assert!((Predict::<Regression>::predict_row(&model, row).unwrap() - y).abs() < 1e-9);
        }
    }

    #[test]
    fn huge_values_are_an_error_or_finite() {
        for scale in [1e100, 1e160, 1e300] {
            let rows: Vec<Vec<f64>> = (0..9).map(|i| vec![scale * f64::from(i * i % 5)]).collect();
            let y: Vec<f64> = (0..9).map(|i| scale * f64::from(i)).collect();
            if let Ok(model) = LinearRegression::new().fit(&design(&rows, y, None), &FitContext::new(0)) {
                assert!(model.coefficients()[0][0].is_finite() && model.intercepts()[0].is_finite());
            }
        }
    }

    #[test]
    fn no_columns_no_rows_and_bad_parameters_are_refused() {
        let cx = FitContext::new(0);
        let text = |train: &Design<Regression>, spec: LinearRegression| spec.fit(train, &cx).unwrap_err().to_string();
        assert_eq!(
            text(&design(&[vec![]], vec![1.0], None), LinearRegression::new()),
            "no feature column is left; keep at least one, or use `ConstantBaseline`"
        );
        assert_eq!(
            text(&design(&[vec![1.0]], vec![1.0], None), LinearRegression::new().l2(-1.0)),
            "`l2` is -1, allowed is a finite number, at least 0"
        );
        assert!(text(&design(&[vec![1.0]], vec![1.0], Some(vec![0.0])), LinearRegression::new()).contains("weight"));
    }
}
