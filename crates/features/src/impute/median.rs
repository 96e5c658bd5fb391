//! Missing numbers become the median of their column.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::quantile::{median, weighted_quantile};

use super::fill::{Fill, FittedImputer, Imputation};
use super::indicator;
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Fills missing numbers with the median of their column.
///
/// The median of an even count is the mean of the middle two. With weights it is the mean of the lower and the upper
/// weighted median: the smallest value at or below which half of the weight lies, and the largest at or above which
/// half of it lies. So weight 2 is the row twice, and equal weights are no weights.
///
/// | what comes | what happens |
/// |---|---|
/// | a column without any value in training | 0 is filled in, with a warning; the column keeps its place |
/// | `±∞` | a value like any other, also in the median; between `-∞` and `+∞` the lower is taken |
/// | a value first missing after training | filled in; it has no indicator |
///
/// Output: the same columns, which then have no missing values; with [`indicator`](Self::indicator) some more.
/// `O(rows)` a column to fit, `O(rows log rows)` with weights.
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
/// use stagewise_features::MedianImputer;
///
/// let table = Table::of([
///     ("age", Column::numbers([20.0, f64::NAN, 30.0, 70.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let imputer = MedianImputer::on(numbers()).indicator(true);
/// let (_, train) = imputer.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("age")?.as_numbers()?, [20.0, 30.0, 30.0, 70.0]);
/// assert_eq!(train.features().column("age_missing")?.as_numbers()?, [0.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `SimpleImputer(strategy="median", keep_empty_features=True)`, tolerance 1e-12.
/// By default scikit-learn drops a column without any value, and it puts all indicators at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MedianImputer {
    on: Selector,
    #[serde(default)]
    indicator: bool,
}

impl MedianImputer {
    /// Imputes these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, indicator: false }
    }

    indicator::indicator_setter!();

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for MedianImputer {
    const TAG: &'static str = "MedianImputer";
}

impl<T: Task> Transformer<T> for MedianImputer {
    type Fitted = FittedImputer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, !self.indicator, |field| indicator::planned(field, self.indicator)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedImputer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let values = training.column.as_numbers()?;
            let median = match training.weights {
                None => median(values),
                Some(weights) => weighted_median(values, weights),
            };
            Ok(Imputation::learned(training, median.map(Fill::Number), self.indicator))
        })
    }
}

/// The mean of the lower and the upper weighted median.
fn weighted_median(values: &[f64], weights: &[f64]) -> Option<f64> {
    let lower = weighted_quantile(values, weights, 0.5)?;
    let mirrored: Vec<f64> = values.iter().map(|x| -x).collect();
    let upper = -weighted_quantile(&mirrored, weights, 0.5)?;
    median(&[lower, upper])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::select::{all, named, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data, golden};

    use crate::impute::golden_tests::check_numbers;

    #[test]
    fn conforms() {
        for spec in [MedianImputer::on(numbers()), MedianImputer::on(numbers()).indicator(true)] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass(62, 3));
            conformance::transformer(&spec, &data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap());
        }
    }

    #[test]
    fn equals_scikit_learn() {
        let checked = check_numbers(&golden::load("imputer.json"), "median", |indicator| {
            MedianImputer::on(numbers()).indicator(indicator)
        });
        assert!(checked >= 6, "{checked} cases");
    }

    #[test]
    fn a_column_without_values_is_said() {
        let cx = FitContext::new(0);
        let fitted = MedianImputer::on(numbers()).fit(&data::regression(30, 0), &cx).unwrap();
        let texts: Vec<_> = cx.take_warnings().into_iter().map(|w| w.what).collect();
        assert_eq!(texts, ["column `empty`: has no value to learn from; missing values become 0"]);
        assert_eq!(fitted.rule("empty").unwrap().fill(), &Fill::Number(0.0));
        assert!(fitted.output().field("city").unwrap().missing && !fitted.output().field("income").unwrap().missing);
    }

    #[test]
    fn only_numbers_have_a_median() {
        let table = data::mixed(3, 0);
        let error = Transformer::<Regression>::plan(&MedianImputer::on(all()), table.schema()).unwrap_err();
        assert_eq!(error.to_string(), "column `city`: is a category, a number is needed");
        let plan = Transformer::<Regression>::plan(&MedianImputer::on(named(["age"])), table.schema()).unwrap();
        assert!(plan.exact && plan.fields.len() == table.width());
    }

    #[test]
    fn rows_of_weight_zero_are_not_there() {
        let train = data::regression(30, 0);
        let weights = (0..30).map(|row| f64::from(u8::from(row >= 10))).collect();
        let spec = MedianImputer::on(numbers()).indicator(true);
        let later = train.take(&(10..30).collect::<Vec<_>>());
        let cx = FitContext::new(0);
        let expected = spec.fit(&later, &cx).unwrap();
        let found = spec.fit(&train.reweighted(weights).unwrap(), &cx).unwrap();
        for name in ["age", "income", "empty"] {
            assert_eq!(found.rule(name), expected.rule(name));
        }
    }

    proptest! {
        #[test]
        fn whole_weights_are_repeated_rows(rows in prop::collection::vec((-50i32..50, 0u8..4), 1..30)) {
            let values: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
            let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.1)).collect();
            let repeated: Vec<f64> = rows.iter().flat_map(|r| vec![f64::from(r.0); r.1.into()]).collect();
            prop_assert_eq!(weighted_median(&values, &weights), median(&repeated));
        }
    }
}
