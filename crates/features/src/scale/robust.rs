//! Numbers scaled by their middle and the spread around it, which outliers do not move.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::normal;

use super::finite::Finite;
use super::scaling::{Scaler, Scaling};
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Scales numbers by median and quantile range.
///
/// `(x - median) / (Q(high) - Q(low))`, quantiles of the training rows by linear interpolation; by default the
/// quartiles. A quarter of the values may be as far out as they like and change nothing. With weights the quantiles are
/// those of [`weighted_quantiles`](stagewise_numeric::quantile::weighted_quantiles): weight 2 is the row twice, if the
/// least weight is 1, and only ratios of weights count.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | left out when learning; stay missing |
/// | a quantile range of 0 | scale 1 |
/// | a column without any finite value | left as it is, with a warning |
/// | `±∞` | left out when learning; stay infinite |
/// | a difference to the median beyond the range of `f64` | `±∞` |
///
/// Output: the same columns. Expected `O(rows)` a column to fit, `O(rows log rows)` with weights.
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
/// use stagewise_features::scale::RobustScaler;
///
/// let table = Table::of([
///     ("income", Column::numbers([1.0, 2.0, 3.0, 4.0, 9000.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0, 5.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = RobustScaler::on(numbers()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("income")?.as_numbers()?[..4], [-1.0, -0.5, 0.0, 0.5]);
/// assert_eq!(fitted.rule("income").map(|rule| (rule.center(), rule.scale())), Some((3.0, 2.0)));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `RobustScaler`, also with other quantiles, `unit_variance`, `with_centering` and
/// `with_scaling`, tolerance 1e-12. It knows no weights, and takes a range below 2.2e-15 for 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RobustScaler {
    on: Selector,
    #[serde(default = "yes")]
    center: bool,
    #[serde(default = "yes")]
    scale: bool,
    #[serde(default = "quartiles")]
    quantile_range: (f64, f64),
    #[serde(default)]
    unit_variance: bool,
}

/// A learned [`RobustScaler`].
pub type FittedRobustScaler = Rewrite<Scaling<RobustScaler>>;

impl RobustScaler {
    /// Scales these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, center: true, scale: true, quantile_range: quartiles(), unit_variance: false }
    }

    /// Whether to subtract the median. Default `true`.
    #[must_use]
    pub fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Whether to divide by the quantile range. Default `true`.
    #[must_use]
    pub fn scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }

    /// Which quantiles the range is between: `0 ≤ low < high ≤ 1`. Default 0.25 and 0.75.
    #[must_use]
    pub fn quantile_range(mut self, low: f64, high: f64) -> Self {
        self.quantile_range = (low, high);
        self
    }

    /// Whether to divide by the range of a standard normal distribution too, so that normal values get variance 1.
    /// Needs quantiles above 0 and below 1. Default `false`.
    #[must_use]
    pub fn unit_variance(mut self, unit_variance: bool) -> Self {
        self.unit_variance = unit_variance;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        let (low, high) = self.quantile_range;
        let (valid, allowed) = if self.unit_variance {
            (0.0 < low && low < high && high < 1.0, "0 < low < high < 1 with unit variance")
        } else {
            (0.0 <= low && low < high && high <= 1.0, "0 ≤ low < high ≤ 1")
        };
        ParameterError::check(valid, "quantile_range", format!("{low} to {high}"), allowed)?;
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for RobustScaler {
    const TAG: &'static str = "RobustScaler";
}

impl Scaler for RobustScaler {
    const FITTED: &'static str = "FittedRobustScaler";
}

impl<T: Task> Transformer<T> for RobustScaler {
    type Fitted = FittedRobustScaler;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| vec![field.clone()]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedRobustScaler> {
        let (low, high) = self.quantile_range;
        let normal = if self.unit_variance { normal::quantile(high) - normal::quantile(low) } else { 1.0 };
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let Some(quantiles) = Finite::of(training)?.quantiles(&[low, 0.5, high]) else {
                return Ok(Scaling::unlearned(training));
            };
            let spread = (quantiles[2] - quantiles[0]).min(f64::MAX) / normal;
            let scale = if spread > 0.0 && self.scale { spread.min(f64::MAX) } else { 1.0 };
            Ok(Scaling::new(if self.center { quantiles[1] } else { 0.0 }, scale))
        })
    }
}

fn yes() -> bool {
    true
}

fn quartiles() -> (f64, f64) {
    (0.25, 0.75)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::select::{all, numbers};
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    use crate::scale::golden_tests::check;
    use crate::test_tables::{numbers as table, training};

    #[test]
    fn conforms() {
        let weighted = data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap();
        for spec in [RobustScaler::on(numbers()), RobustScaler::on(numbers()).quantile_range(0.1, 0.8).center(false)] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::multiclass_numeric(62, 3));
            conformance::transformer(&spec, &weighted);
        }
    }

    #[test]
    fn equals_scikit_learn() {
        check("robust", 6, |case| {
            let flag = |name: &str| case.value(&format!("/input/{name}")).as_bool().unwrap();
            let range = case.numbers("/input/quantile_range");
            RobustScaler::on(all())
                .quantile_range(range[0] / 100.0, range[1] / 100.0)
                .center(flag("center"))
                .scale(flag("scale"))
                .unit_variance(flag("unit_variance"))
        });
    }

    #[test]
    fn ranges_are_checked_before_data() {
        for (spec, allowed) in [
            (RobustScaler::on(numbers()).quantile_range(25.0, 75.0), "0 ≤ low < high ≤ 1"),
            (RobustScaler::on(numbers()).quantile_range(0.5, 0.5), "0 ≤ low < high ≤ 1"),
            (RobustScaler::on(numbers()).quantile_range(0.0, 0.5).unit_variance(true), "0 < low < high < 1"),
        ] {
            let error = Transformer::<Regression>::plan(&spec, data::mixed(3, 0).schema()).unwrap_err().to_string();
            assert!(error.starts_with("`quantile_range` is ") && error.contains(allowed), "{error}");
        }
    }

    proptest! {
        #[test]
        fn outliers_do_not_move_the_scale(x in prop::collection::vec(-100f64..100.0, 8..40), far in 1e3f64..1e300) {
            let learned = |x: &[f64]| {
                let rows: Vec<Vec<f64>> = x.iter().map(|&x| vec![x]).collect();
                let fitted = RobustScaler::on(all()).fit(&training(table(&rows), None), &FitContext::new(0)).unwrap();
                fitted.rule("c0").map(|rule| (rule.center(), rule.scale()))
            };
            let with = |outlier: f64| x.iter().copied().chain([outlier]).collect::<Vec<_>>();
            prop_assert_eq!(learned(&with(far)), learned(&with(1e3)));
        }
    }
}
