//! Numbers become standard scores: mean 0, variance 1.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::finite::mean_and_scale;
use super::scaling::{Scaler, Scaling};
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Brings numbers to mean 0 and variance 1.
///
/// `(x - mean) / scale`, with the mean `Σ w x / Σ w` and the scale `√(Σ w (x - mean)² / Σ w)` of the training rows: the
/// population variance. Both are formed from exact sums, so no order of rows and no offset costs digits.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | left out when learning; stay missing |
/// | a constant column | scale 1: variance `≤ s ε variance + (s mean ε)²`, with `s = Σ w` and `ε` = 2.2e-16 |
/// | a column without any finite value | left as it is, with a warning |
/// | `±∞` | left out when learning; stay infinite |
/// | values beyond 1e150 or all below 1e-150 | learned without overflow or underflow |
/// | a difference to the mean beyond the range of `f64` | `±∞` |
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
/// use stagewise_features::StandardScaler;
///
/// let table = Table::of([
///     ("age", Column::numbers([20.0, 40.0, 20.0, 40.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = StandardScaler::on(numbers()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("age")?.as_numbers()?, [-1.0, 1.0, -1.0, 1.0]);
/// assert_eq!(fitted.rule("age").map(|rule| (rule.mean(), rule.scale())), Some((30.0, 10.0)));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `StandardScaler`, also with weights and `with_mean`, `with_std`, tolerance 1e-12.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandardScaler {
    on: Selector,
    #[serde(default = "yes")]
    center: bool,
    #[serde(default = "yes")]
    scale: bool,
}

/// A learned [`StandardScaler`].
pub type FittedStandardScaler = Rewrite<Scaling<StandardScaler>>;

impl StandardScaler {
    /// Scales these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, center: true, scale: true }
    }

    /// Whether to subtract the mean. Default `true`.
    #[must_use]
    pub fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Whether to divide by the standard deviation. Default `true`.
    #[must_use]
    pub fn scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for StandardScaler {
    const TAG: &'static str = "StandardScaler";
}

impl<T: Task> Transformer<T> for StandardScaler {
    type Fitted = FittedStandardScaler;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| vec![field.clone()]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedStandardScaler> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            Ok(match mean_and_scale(training.column.as_numbers()?, training.weights) {
                None => Scaling::unlearned(training),
                Some((mean, scale)) => {
                    Scaling::new(if self.center { mean } else { 0.0 }, if self.scale { scale } else { 1.0 })
                }
            })
        })
    }
}

impl Scaler for StandardScaler {
    const FITTED: &'static str = "FittedStandardScaler";
}

impl Scaling<StandardScaler> {
    /// What is subtracted: the mean, or 0 if the column is not centred.
    pub fn mean(&self) -> f64 {
        self.center()
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::column::Column;
    use stagewise_core::select::{all, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_numeric::sum::Moments;
    use stagewise_testkit::{conformance, data, golden};

    use crate::test_tables::{numbers as numbers_of, training};

    #[test]
    fn conforms() {
        let weighted = data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap();
        for spec in [StandardScaler::on(numbers()), StandardScaler::on(numbers()).center(false)] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass_numeric(62, 3));
            conformance::transformer(&spec, &weighted);
        }
    }

    #[test]
    fn equals_scikit_learn() {
        let golden = golden::load("scaler.json");
        assert!(!golden.cases.is_empty());
        for case in &golden.cases {
            let what = |what: &str| format!("{}: {what}", case.name);
            let rows = case.matrix("/input/fit");
            let (fitted, expected) = (
                fit(&StandardScaler::on(all()), numbers_of(&rows), case.optional_numbers("/input/weights")),
                case.matrix("/expected/transformed"),
            );
            let rules: Vec<_> = (0..rows[0].len()).map(|j| fitted.rule(&format!("c{j}")).unwrap()).collect();
            let means: Vec<f64> = rules.iter().map(|rule| rule.mean()).collect();
            let scales: Vec<f64> = rules.iter().map(|rule| rule.scale()).collect();
            golden.assert_all_close(&means, &case.numbers("/expected/mean"), &what("mean"));
            golden.assert_all_close(&scales, &case.numbers("/expected/scale"), &what("scale"));
            let out = fitted.transform(numbers_of(&case.matrix("/input/apply"))).unwrap();
            for (row, expected) in expected.iter().enumerate() {
                let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
                golden.assert_all_close(&found, expected, &what("transformed"));
            }
        }
    }

    #[test]
    fn switches_do_what_they_say() {
        let x = vec![vec![1.0, 3.0, 1.0, 3.0]];
        let learned = |spec: StandardScaler| fit(&spec, table(&x), None).rule("c0").cloned();
        let score = |mean, scale| Some(Scaling::new(mean, scale));
        assert_eq!(learned(StandardScaler::on(all())), score(2.0, 1.0));
        assert_eq!(learned(StandardScaler::on(all()).center(false)), score(0.0, 1.0));
        let wide = vec![vec![0.0, 8.0]];
        let learned = |spec: StandardScaler| fit(&spec, table(&wide), None).rule("c0").cloned();
        assert_eq!(learned(StandardScaler::on(all()).center(false)), score(0.0, 4.0));
        assert_eq!(learned(StandardScaler::on(all()).scale(false)), score(4.0, 1.0));
    }

    #[test]
    fn extremes_have_a_scale_too() {
        let x = vec![
            vec![1e300, 3e300, 1e300, 3e300],
            vec![1e-200, 3e-200, 1e-200, 3e-200],
            vec![f64::INFINITY, 1.0, f64::NAN, 3.0],
            vec![f64::MAX, f64::MIN, f64::MAX, f64::MIN],
        ];
        let fitted = fit(&StandardScaler::on(all()), table(&x), None);
        let learned = |name: &str| fitted.rule(name).map(|rule| (rule.mean(), rule.scale())).unwrap();
        for (name, mean, scale) in [("c0", 2e300, 1e300), ("c1", 2e-200, 1e-200), ("c2", 2.0, 1.0)] {
            let found = learned(name);
            assert!((found.0 / mean - 1.0).abs() < 1e-15 && (found.1 / scale - 1.0).abs() < 1e-15, "{found:?}");
        }
        assert_eq!(learned("c3"), (0.0, f64::MAX));
        let out = fitted.transform(table(&x)).unwrap();
        let third = out.columns()[2].as_numbers().unwrap();
        assert!(third[0] == f64::INFINITY && third[1] == -1.0 && third[2].is_nan() && third[3] == 1.0);
    }

    #[test]
    fn a_column_without_values_is_said() {
        let cx = FitContext::new(0);
        let fitted = StandardScaler::on(numbers()).fit(&data::binary(20, 0), &cx).unwrap();
        let text = &cx.take_warnings()[0].what;
        assert_eq!(text, "column `empty`: has no finite value to learn from; it is left as it is");
        assert_eq!(fitted.rule("empty"), Some(&Scaling::new(0.0, 1.0)));
    }

    #[test]
    fn what_was_saved_before_the_shared_form_loads() {
        #[derive(Serialize)]
        struct Before {
            mean: f64,
            scale: f64,
        }
        let bytes = stagewise_core::persist::encode("a score", &Before { mean: 30.0, scale: 10.0 }).unwrap();
        let loaded: Scaling<StandardScaler> = stagewise_core::persist::decode("a score", &bytes).unwrap();
        assert_eq!(loaded, Scaling::new(30.0, 10.0));
    }

    proptest! {
        #[test]
        fn scores_have_mean_zero_and_variance_one_and_can_be_undone(
            x in prop::collection::vec(-1e6f64..1e6, 2..50),
        ) {
            let fitted = fit(&StandardScaler::on(all()), table(std::slice::from_ref(&x)), None);
            let rule = fitted.rule("c0").unwrap();
            let out = fitted.transform(table(std::slice::from_ref(&x))).unwrap();
            let scores = out.columns()[0].as_numbers().unwrap();
            let mut moments = Moments::new();
            moments.extend(scores);
            let spread = x.iter().fold(0.0, |most: f64, a| most.max(a.abs())) / rule.scale();
            prop_assert!(moments.mean().unwrap().abs() <= 1e-15 * (1.0 + spread));
            if rule.scale() > 1e-3 {
                prop_assert!((moments.variance(0.0).unwrap() - 1.0).abs() < 1e-9);
            }
            for (score, x) in scores.iter().zip(&x) {
                prop_assert!((score * rule.scale() + rule.mean() - x).abs() <= 1e-9);
            }
        }
    }

    fn table(columns: &[Vec<f64>]) -> Table {
        Table::of(columns.iter().enumerate().map(|(j, c)| (format!("c{j}"), Column::numbers(c.clone())))).unwrap()
    }

    fn fit(spec: &StandardScaler, features: Table, weights: Option<Vec<f64>>) -> FittedStandardScaler {
        spec.fit(&training(features, weights), &FitContext::new(0)).unwrap()
    }
}
