//! Numbers divided by the largest size of their column, so that zero stays zero.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::finite::Finite;
use super::scaling::{Scaler, Scaling};
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Divides numbers by the largest absolute value of their column.
///
/// `x / max |x|` over the training rows, which then lie between -1 and 1. Nothing is subtracted: zeros stay zeros, and
/// signs stay signs.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | left out when learning; stay missing |
/// | a column of zeros | left as it is |
/// | a column without any finite value | left as it is, with a warning |
/// | values beyond those of training | beyond -1 or 1 |
/// | `±∞` | left out when learning; stay infinite |
/// | weights | a row of weight 0 is not there; how large the others are changes nothing |
///
/// Output: the same columns. `O(rows)` a column to fit.
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
/// use stagewise_features::scale::MaxAbsScaler;
///
/// let table = Table::of([
///     ("balance", Column::numbers([-8.0, 0.0, 2.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = MaxAbsScaler::on(numbers()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("balance")?.as_numbers()?, [-1.0, 0.0, 0.25]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `MaxAbsScaler`, tolerance 1e-12. It scales no column below 2.2e-15; here the unit
/// of a column makes no difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaxAbsScaler {
    on: Selector,
}

/// A learned [`MaxAbsScaler`].
pub type FittedMaxAbsScaler = Rewrite<Scaling<MaxAbsScaler>>;

impl MaxAbsScaler {
    /// Scales these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns }
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for MaxAbsScaler {
    const TAG: &'static str = "MaxAbsScaler";
}

impl Scaler for MaxAbsScaler {
    const FITTED: &'static str = "FittedMaxAbsScaler";
}

impl<T: Task> Transformer<T> for MaxAbsScaler {
    type Fitted = FittedMaxAbsScaler;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| vec![field.clone()]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedMaxAbsScaler> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let Some((least, largest)) = Finite::of(training)?.range() else {
                return Ok(Scaling::unlearned(training));
            };
            let size = least.abs().max(largest.abs());
            Ok(Scaling::new(0.0, if size == 0.0 { 1.0 } else { size }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{all, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_testkit::{conformance, data};

    use crate::scale::golden_tests::check;
    use crate::test_tables::{numbers as table, training};

    #[test]
    fn conforms() {
        let spec = MaxAbsScaler::on(numbers());
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &data::multiclass_numeric(62, 3));
    }

    #[test]
    fn equals_scikit_learn() {
        check("max_abs", 3, |_| MaxAbsScaler::on(all()));
    }

    #[test]
    fn extremes_and_rows_that_do_not_count() {
        let rows = [vec![f64::MIN, 5e-324, -0.0, 50.0], vec![1.0, 0.0, 0.0, 2.0], vec![f64::INFINITY, 0.0, 0.0, -1.0]];
        let train = training(table(&rows), Some(vec![1.0, 1.0, 1.0])).reweighted(vec![1.0, 1.0, 0.5]).unwrap();
        let fitted = MaxAbsScaler::on(all()).fit(&train, &FitContext::new(0)).unwrap();
        let scales: Vec<f64> = (0..4).map(|j| fitted.rule(&format!("c{j}")).unwrap().scale()).collect();
        assert_eq!(scales, [f64::MAX, 5e-324, 1.0, 50.0]);
        let out = fitted.transform(table(&rows)).unwrap();
        assert_eq!(out.columns()[0].as_numbers().unwrap()[0], -1.0);
        assert_eq!(out.columns()[0].as_numbers().unwrap()[2], f64::INFINITY);
        assert_eq!(out.columns()[1].as_numbers().unwrap(), [1.0, 0.0, 0.0]);
        let train = training(table(&rows), Some(vec![0.0, 1.0, 1.0]));
        let fitted = MaxAbsScaler::on(all()).fit(&train, &FitContext::new(0)).unwrap();
        assert_eq!(fitted.rule("c3").map(Scaling::scale), Some(2.0));
    }
}
