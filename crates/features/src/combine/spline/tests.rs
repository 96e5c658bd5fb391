use super::*;
use proptest::prelude::*;
use stagewise_core::select::{named, numbers};
use stagewise_core::stage::Transform;
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_testkit::{conformance, data};

use crate::test_tables::training;

#[test]
fn conforms() {
    for spacing in [KnotSpacing::Uniform, KnotSpacing::Quantile] {
        for extrapolation in [Extrapolation::Constant, Extrapolation::Linear, Extrapolation::Error] {
            let spec = SplineTransformer::on(numbers()).spacing(spacing).extrapolation(extrapolation);
            conformance::transformer(&spec, &data::binary_numeric(60, 1));
            conformance::transformer(&spec.bias(false).degree(0), &data::regression_numeric(61, 2));
        }
        // Ages are whole numbers and come several times.
        let spec = SplineTransformer::on(named(["age", "constant"])).spacing(spacing).knots(30);
        conformance::transformer(&spec, &data::multiclass(60, 1));
    }
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    let fit = |spec: SplineTransformer, x: Vec<f64>| {
        spec.fit(&train(x), &FitContext::new(0)).map(|_| ()).unwrap_err().to_string()
    };
    let spec = || SplineTransformer::on(numbers());
    assert_eq!(fit(spec().knots(1), vec![1.0]), "`knots` is 1, allowed is from 2 to 1000");
    assert_eq!(fit(spec().degree(8), vec![1.0]), "`degree` is 8, allowed is from 0 to 7");
    let error = fit(spec(), vec![1.0, f64::NAN]);
    assert_eq!(error, "column `x`: holds 1 missing values; add an imputer before it");
    let error = fit(spec(), vec![f64::MAX, f64::MIN]);
    assert!(error.contains("too far apart; scale the column before it"), "{error}");
}

#[test]
fn a_value_outside_can_be_an_error() {
    let spec = SplineTransformer::on(numbers()).extrapolation(Extrapolation::Error);
    let fitted = spec.fit(&train(vec![1.0, 5.0]), &FitContext::new(0)).unwrap();
    let error = fitted.transform(table(vec![3.0, 7.0])).unwrap_err();
    assert!(error.to_string().starts_with("column `x` › row 1: the spline at 7 is not defined: training"), "{error}");
    assert!(fitted.transform(table(vec![1.0, 5.0])).is_ok());
}

#[test]
fn a_column_that_does_not_vary_is_left_and_said() {
    let cx = FitContext::new(0);
    let fitted = SplineTransformer::on(numbers()).fit(&train(vec![2.0; 4]), &cx).unwrap();
    assert_eq!(cx.take_warnings()[0].what, "column `x`: does not vary; it is left as it is");
    assert_eq!(fitted.output().names(), ["x"]);
    assert!(fitted.rule("x").unwrap().knots().is_empty());
}

#[test]
fn quantiles_that_coincide_are_one_knot() {
    let cx = FitContext::new(0);
    let spec = SplineTransformer::on(numbers()).spacing(KnotSpacing::Quantile);
    let fitted = spec.fit(&train(vec![0.0, 0.0, 0.0, 0.0, 1.0, 2.0]), &cx).unwrap();
    let text = &cx.take_warnings()[0].what;
    assert_eq!(text, "column `x`: has the same value at several quantiles; 3 of 5 knots are left");
    assert_eq!(fitted.rule("x").unwrap().knots(), [0.0, 0.75, 2.0]);
    assert_eq!(fitted.output().len(), 5);
}

proptest! {
    #[test]
    fn splines_add_up_to_one_and_reproduce_lines(
        mut x in prop::collection::vec(-1e3f64..1e3, 3..40),
        degree in 1usize..6,
        knots in 2usize..9,
        quantile: bool,
    ) {
        x.push(1e4);
        let spacing = if quantile { KnotSpacing::Quantile } else { KnotSpacing::Uniform };
        let spec = SplineTransformer::on(numbers()).knots(knots).degree(degree).spacing(spacing);
        let fitted = spec.fit(&train(x.clone()), &FitContext::new(0)).unwrap();
        let rule = fitted.rule("x").unwrap();
        let out = fitted.transform(table(x.clone())).unwrap();
        // Marsden's identity: with the means of inner knots as coefficients, splines give the line.
        let means: Vec<f64> = (0..rule.splines())
            .map(|k| rule.extended[k + 1..=k + degree].iter().sum::<f64>() / degree as f64)
            .collect();
        for row in 0..x.len() {
            let values: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
            prop_assert!((values.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(values.iter().all(|v| *v >= -1e-15));
            let line: f64 = values.iter().zip(&means).map(|(v, m)| v * m).sum();
            prop_assert!((line - rule.knots.unit(x[row])).abs() < 1e-12);
        }
    }
}

fn table(x: Vec<f64>) -> Table {
    Table::of([("x", Column::numbers(x))]).unwrap()
}

fn train(x: Vec<f64>) -> Dataset<Regression> {
    training(table(x), None)
}
