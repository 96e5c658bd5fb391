//! Missing numbers become the mean of their column.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::sum::Moments;

use super::fill::{Fill, FittedImputer, Imputation};
use super::indicator;
use crate::columns::positions;
use crate::rewrite::{Rewrite, Training, plan};

/// Fills missing numbers with the mean of their column: `Σ w x / Σ w`.
///
/// A few large values move a mean far; [`MedianImputer`](crate::MedianImputer) does not follow them. A row of weight 2
/// counts as the row twice, one of weight 0 is not there.
///
/// | what comes | what happens |
/// |---|---|
/// | a column without any finite value in training | 0 is filled in, with a warning; the column keeps its place |
/// | `±∞` | left out of the mean; stays what it is |
/// | values whose sum is beyond the range of `f64` | have a mean like others |
/// | a value first missing after training | filled in; it has no indicator |
///
/// Output: the same columns, which then have no missing values; with [`indicator`](Self::indicator) some more. The target
/// is not touched. The mean is of the exact sum, the same for any order of the rows. `O(rows)` a column to fit.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::numbers;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::impute::MeanImputer;
///
/// let table = Table::of([
///     ("age", Column::numbers([20.0, f64::NAN, 30.0, 70.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = MeanImputer::on(numbers()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("age")?.as_numbers()?, [20.0, 40.0, 30.0, 70.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `SimpleImputer(strategy="mean", keep_empty_features=True)`, tolerance 1e-12. By
/// default scikit-learn drops a column without any value; it puts all indicators at the end, and refuses `±∞`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeanImputer {
    on: Selector,
    indicator: bool,
}

impl MeanImputer {
    /// Imputes these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, indicator: false }
    }

    indicator::indicator_setter!();

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for MeanImputer {
    const TAG: &'static str = "MeanImputer";
}

impl<T: Task> Transformer<T> for MeanImputer {
    type Fitted = FittedImputer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, !self.indicator, |field| indicator::planned(field, self.indicator)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedImputer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let mean = mean(training.column.as_numbers()?, training);
            Ok(Imputation::learned(training, mean.map(Fill::Number), self.indicator))
        })
    }
}

/// The mean of the finite values in rows that count.
fn mean(values: &[f64], training: &Training<'_>) -> Option<f64> {
    mean_of(training.rows().map(|(row, weight)| (values[row], weight)))
}

/// The mean of finite values, each with its weight; `None` without one.
pub(super) fn mean_of(rows: impl Iterator<Item = (f64, f64)> + Clone) -> Option<f64> {
    // A power of two changes no digit of values this large, and keeps their sum in range.
    let huge = rows.clone().any(|(x, _)| x.is_finite() && x.abs() > 1e290);
    let unit = if huge { 2f64.powi(64) } else { 1.0 };
    let mut moments = Moments::new();
    rows.for_each(|(x, weight)| moments.add_weighted(x / unit, weight));
    moments.mean().map(|mean| mean * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::select::{all, numbers};
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data, golden};

    use crate::impute::golden_tests::check_numbers;
    use crate::test_tables::training;

    #[test]
    fn conforms() {
        for spec in [MeanImputer::on(numbers()), MeanImputer::on(numbers()).indicator(true)] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass(62, 3));
            conformance::transformer(&spec, &data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap());
        }
    }

    #[test]
    fn equals_scikit_learn() {
        let checked = check_numbers(&golden::load("imputer.json"), "mean", |indicator| {
            MeanImputer::on(numbers()).indicator(indicator)
        });
        assert_eq!(checked, 4);
    }

    #[test]
    fn extremes_weights_and_infinities_have_a_mean() {
        let learned = |values: &[f64], weights: Option<&[f64]>| {
            let train = training(Table::of([("x", Column::numbers(values))]).unwrap(), weights.map(<[f64]>::to_vec));
            let fitted = MeanImputer::on(all()).fit(&train, &FitContext::new(0)).unwrap();
            fitted.rule("x").unwrap().fill().clone()
        };
        assert_eq!(learned(&[f64::MAX, f64::MAX, f64::NAN], None), Fill::Number(f64::MAX));
        assert_eq!(learned(&[1.0, f64::INFINITY, 3.0], None), Fill::Number(2.0));
        assert_eq!(learned(&[1.0, 5.0, 100.0], Some(&[3.0, 1.0, 0.0])), Fill::Number(2.0));
        assert_eq!(learned(&[f64::NEG_INFINITY, f64::NAN], None), Fill::Number(0.0));
    }

    #[test]
    fn only_numbers_have_a_mean() {
        let table = data::mixed(3, 0);
        let error = Transformer::<Regression>::plan(&MeanImputer::on(all()), table.schema()).unwrap_err();
        assert_eq!(error.to_string(), "column `city`: is a category, a number is needed");
    }
}
