//! Numbers into a range: the least value to one end, the largest to the other.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::finite::Finite;
use super::scaling::{Scaler, Scaling};
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Brings numbers into a range.
///
/// `low + (x - min) / (max - min) · (high - low)`, with the least and the largest value of the training rows. The least
/// value becomes just `low`; the largest `high` but for one rounding.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | left out when learning; stay missing |
/// | a constant column | its value becomes `low`; others are `high - low` further for each 1 that they differ |
/// | values outside the training range | outside the range; with [`clip`](Self::clip) at its ends |
/// | a column without any finite value | left as it is, with a warning |
/// | `±∞` | left out when learning; stay infinite; with [`clip`](Self::clip) at the ends |
/// | a difference to the least value beyond the range of `f64` | `±∞` |
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
/// use stagewise_features::scale::MinMaxScaler;
///
/// let table = Table::of([
///     ("age", Column::numbers([20.0, 30.0, 60.0, f64::NAN])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = MinMaxScaler::on(numbers()).range(-1.0, 1.0).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("age")?.as_numbers()?[..3], [-1.0, -0.5, 1.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `MinMaxScaler`, tolerance 1e-12. It scales no column whose range is below
/// 2.2e-15; here only equal values are constant, so the unit of a column makes no difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinMaxScaler {
    on: Selector,
    #[serde(default = "unit")]
    range: (f64, f64),
    #[serde(default)]
    clip: bool,
}

/// A learned [`MinMaxScaler`].
pub type FittedMinMaxScaler = Rewrite<Scaling<MinMaxScaler>>;

impl MinMaxScaler {
    /// Scales these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, range: unit(), clip: false }
    }

    /// The range that the training values get: both finite, `low` below `high`. Default 0 to 1.
    #[must_use]
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = (low, high);
        self
    }

    /// Whether values outside the training range are put at the ends. Default `false`.
    #[must_use]
    pub fn clip(mut self, clip: bool) -> Self {
        self.clip = clip;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        let (low, high) = self.range;
        let valid = low < high && (high - low).is_finite();
        ParameterError::check(valid, "range", format!("{low} to {high}"), "two finite numbers, the lower one first")?;
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for MinMaxScaler {
    const TAG: &'static str = "MinMaxScaler";
}

impl Scaler for MinMaxScaler {
    const FITTED: &'static str = "FittedMinMaxScaler";
}

impl<T: Task> Transformer<T> for MinMaxScaler {
    type Fitted = FittedMinMaxScaler;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| vec![field.clone()]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedMinMaxScaler> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let Some((least, largest)) = Finite::of(training)?.range() else {
                return Ok(Scaling::unlearned(training));
            };
            let (low, high) = self.range;
            let width = if least == largest { 1.0 } else { (largest - least).min(f64::MAX) };
            // A scale of 0 or ∞ would make values that are not numbers.
            let scale = (width / (high - low)).clamp(f64::MIN_POSITIVE, f64::MAX);
            Ok(Scaling::new(least, scale).shifted(low).within(self.clip.then_some((low, high))))
        })
    }
}

fn unit() -> (f64, f64) {
    (0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::select::{all, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    use crate::scale::golden_tests::check;
    use crate::test_tables::{numbers as table, training};

    #[test]
    fn conforms() {
        for spec in [MinMaxScaler::on(numbers()), MinMaxScaler::on(numbers()).range(-2.0, 3.0).clip(true)] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass_numeric(62, 3));
        }
    }

    #[test]
    fn equals_scikit_learn() {
        check("min_max", 5, |case| {
            let range = case.numbers("/input/range");
            let clip = case.value("/input/clip").as_bool().unwrap();
            MinMaxScaler::on(all()).range(range[0], range[1]).clip(clip)
        });
    }

    #[test]
    fn extremes() {
        let rows = [[f64::MIN, 5e-324, f64::INFINITY, 3.0], [f64::MAX, 0.0, 1.0, 3.0], [0.0, 5e-324, 3.0, 3.0]];
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
        for clip in [false, true] {
            let spec = MinMaxScaler::on(all()).range(0.0, 2.0).clip(clip);
            let fitted = spec.fit(&training(table(&rows), None), &FitContext::new(0)).unwrap();
            let out = fitted.transform(table(&rows)).unwrap();
            let column = |j: usize| out.columns()[j].as_numbers().unwrap();
            assert!(out.columns().iter().all(|c| c.as_numbers().unwrap().iter().all(|x| !x.is_nan())));
            assert_eq!(column(0)[0], 0.0);
            assert_eq!(column(2), [if clip { 2.0 } else { f64::INFINITY }, 0.0, 2.0]);
            assert_eq!(column(3), [0.0; 3]);
        }
    }

    #[test]
    fn ranges_are_checked_before_data() {
        for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            let spec = MinMaxScaler::on(numbers()).range(low, high);
            let error = Transformer::<Regression>::plan(&spec, data::mixed(3, 0).schema()).unwrap_err();
            assert!(error.to_string().starts_with("`range` is "), "{error}");
        }
    }

    proptest! {
        #[test]
        fn training_values_stay_in_the_range(x in prop::collection::vec(-1e6f64..1e6, 2..40), low in -5f64..5.0) {
            let rows: Vec<Vec<f64>> = x.iter().map(|&x| vec![x]).collect();
            let spec = MinMaxScaler::on(all()).range(low, low + 2.0);
            let (_, train) = spec.fit_transform(training(table(&rows), None), &FitContext::new(0)).unwrap();
            let found = train.features().columns()[0].as_numbers().unwrap();
            prop_assert!(found.iter().all(|y| (low..=low + 2.0 + 1e-14).contains(y)));
            prop_assert!(found.contains(&low));
        }
    }
}
