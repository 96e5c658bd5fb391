use super::*;
use proptest::prelude::*;
use stagewise_core::select::{all, named, numbers};
use stagewise_core::stage::Transform;
use stagewise_testkit::golden::Case;
use stagewise_testkit::{conformance, data, golden};

use crate::test_tables::{numbers as table, training};

fn columns(x: &[f64]) -> Vec<Vec<f64>> {
    x.iter().map(|&x| vec![x]).collect()
}

fn fitted(spec: &PowerTransformer, x: &[f64], weights: Option<Vec<f64>>) -> FittedPowerTransformer {
    spec.fit(&training(table(&columns(x)), weights), &FitContext::new(0)).unwrap()
}

fn applied(fitted: &FittedPowerTransformer, x: &[f64]) -> Vec<f64> {
    fitted.transform(table(&columns(x))).unwrap().columns()[0].as_numbers().unwrap().to_vec()
}

fn kind(case: &Case) -> PowerKind {
    if case.value("/input/kind") == "box_cox" { PowerKind::BoxCox } else { PowerKind::YeoJohnson }
}

#[test]
fn conforms() {
    let weighted = data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap();
    let box_cox = PowerTransformer::on(named(["age", "income"])).kind(PowerKind::BoxCox);
    let lenient = PowerTransformer::on(numbers()).kind(PowerKind::BoxCox).not_defined(NotDefined::Missing);
    for spec in [PowerTransformer::on(numbers()), lenient.clone(), box_cox] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &weighted);
    }
    conformance::transformer(&PowerTransformer::on(numbers()).standardize(false), &data::multiclass_numeric(62, 3));
    conformance::transformer(&lenient, &data::multiclass_numeric(62, 3));
}

#[test]
fn powers_equal_scipy() {
    let golden = golden::load("power_transform.json");
    let cases: Vec<_> = golden.cases.iter().filter(|case| case.value("/input/what") == "function").collect();
    assert!(cases.len() >= 10, "{} cases", cases.len());
    for case in cases {
        let bend = Bend { lambda: case.number("/input/lambda"), center: 0.0, mirrored: false };
        let rule = Power { kind: kind(case), not_defined: NotDefined::Error, bend, mean: 0.0, scale: 1.0 };
        let found: Vec<f64> = case.numbers("/input/x").iter().map(|&x| rule.value(x)).collect();
        golden.assert_all_close(&found, &case.numbers("/expected/y"), &case.name);
    }
}

#[test]
fn the_likelihood_is_at_least_that_of_scikit_learn() {
    let golden = golden::load("power_transform.json");
    let cases: Vec<_> = golden.cases.iter().filter(|case| case.value("/input/what") == "fit").collect();
    assert!(cases.len() >= 8, "{} cases", cases.len());
    for case in cases {
        let name = &case.name;
        let x = case.numbers("/input/x");
        let standardize = case.value("/input/standardize").as_bool().unwrap();
        let fitted = fitted(&PowerTransformer::on(all()).kind(kind(case)).standardize(standardize), &x, None);
        let (ours, theirs) = (fitted.rule("c0").unwrap().lambda(), case.number("/expected/lambda"));
        assert!((ours - theirs).abs() <= 1e-6 * theirs.abs().max(1.0), "{name}: λ {ours}, {theirs}");

        let finite = Finite { values: x.iter().copied().filter(|x| x.is_finite()).collect(), weights: None };
        let logs = Logs::of(&finite, kind(case));
        let likelihood = |lambda: f64| logs.likelihood(if logs.mirrored { 2.0 - lambda } else { lambda }) - logs.center;
        let at_theirs = case.number("/expected/likelihood");
        golden.assert_close(likelihood(theirs), at_theirs, &format!("{name}: likelihood"));
        assert!(likelihood(ours) >= likelihood(theirs) - 1e-12 * at_theirs.abs(), "{name}: {ours} {theirs}");
        let expected = case.numbers("/expected/transformed");
        for (found, expected) in applied(&fitted, &x).iter().zip(&expected) {
            let close = (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
            assert!(close || (found.is_nan() && expected.is_nan()), "{name}: {found} {expected}");
        }
    }
}

#[test]
fn years_have_a_power_too() {
    let years = [1950.0, 1980.0, 1991.0, 1997.0, 1999.0, 2000.0, 2003.0, 2007.0, 2009.0, 2010.0];
    // scipy 1.17.1 names 99.2107 as the best power of these years under Box–Cox, then takes 92.7, as far as `x^λ` goes;
    // scikit-learn 1.9.1 makes NaN of all of them. Under Yeo–Johnson it stops at 31.8.
    let from_scipy = [2003.0, 1950.0, 1997.0, 2000.0, 2009.0, 2009.0, 1980.0, 1999.0, 2007.0, 1991.0];
    for kind in [PowerKind::BoxCox, PowerKind::YeoJohnson] {
        let lambda = fitted(&PowerTransformer::on(all()).kind(kind), &from_scipy, None).rule("c0").unwrap().lambda();
        assert!(
            (lambda - 99.210_734_635_599_35).abs() < if kind == PowerKind::BoxCox { 1e-4 } else { 0.2 },
            "{lambda}"
        );
    }
    for spec in [PowerTransformer::on(all()), PowerTransformer::on(all()).kind(PowerKind::BoxCox)] {
        let found = fitted(&spec, &years, None);
        assert!(found.rule("c0").unwrap().lambda().is_finite());
        let bent = applied(&found, &years);
        assert!(bent.is_sorted_by(|a, b| a < b), "{bent:?}");
        assert!(bent[9] < 2.5 && bent[0] > -2.5, "{bent:?}");
        // Values never seen, on the other side too, have their place below.
        let below = applied(&found, &[1900.0, 2000.0]);
        assert!(below[0] < below[1], "{below:?}");
        if spec == PowerTransformer::on(all()) {
            let below = applied(&found, &[f64::NEG_INFINITY, -5.0, -1e-9, 0.0, 1e-9, 5.0, f64::INFINITY]);
            assert!(below.is_sorted() && below.iter().all(|x| !x.is_nan()), "{below:?}");
        }
    }
    let mirrored: Vec<f64> = years.iter().map(|x| -x).collect();
    let (up, down) =
        (fitted(&PowerTransformer::on(all()), &years, None), fitted(&PowerTransformer::on(all()), &mirrored, None));
    let (up, down) = (up.rule("c0").unwrap().lambda(), down.rule("c0").unwrap().lambda());
    assert!((up + down - 2.0).abs() < 1e-9, "{up} {down}");
}

#[test]
fn extremes() {
    let cx = FitContext::new(0);
    let spec = PowerTransformer::on(all());
    for x in [
        vec![1e300, -1e300, 5.0],
        vec![1.7e308, -1.7e308, 0.0],
        vec![5e-324, 0.0, 1e-300],
        vec![f64::INFINITY, 1.0, f64::NAN, 3.0, f64::NEG_INFINITY],
        vec![3.0, 3.0, 3.0],
        vec![1e300, 1.0000000000000002e300],
    ] {
        let fitted = spec.fit(&training(table(&columns(&x)), None), &cx).unwrap();
        let bent = applied(&fitted, &x);
        let pairs: Vec<_> = x.iter().zip(&bent).collect();
        assert!(pairs.iter().all(|(x, y)| x.is_nan() == y.is_nan()), "{pairs:?}");
        assert!(pairs.iter().all(|(x, y)| !x.is_finite() || y.is_finite()), "{pairs:?}");
    }
    let _ = cx.take_warnings();
    let empty = spec.fit(&training(table(&columns(&[f64::NAN])), None), &cx).unwrap();
    assert_eq!(applied(&empty, &[2.0]), [2.0]);
    assert!(cx.take_warnings()[0].what.contains("has no value to learn from"));
}

#[test]
fn box_cox_takes_numbers_above_zero() {
    let cx = FitContext::new(0);
    let spec = PowerTransformer::on(all()).kind(PowerKind::BoxCox);
    let x = [1.0, 2.0, 0.0, 4.0];
    let error = spec.fit(&training(table(&columns(&x)), None), &cx).unwrap_err().to_string();
    assert!(error.contains("row 2") && error.contains("the Box–Cox power of 0 is not defined"), "{error}");
    let fitted = spec.fit(&training(table(&columns(&x)), Some(vec![1.0, 1.0, 0.0, 1.0])), &cx).unwrap();
    assert!(fitted.transform(table(&columns(&x))).is_err());
    let lenient = spec.not_defined(NotDefined::Missing);
    let bent = applied(&lenient.fit(&training(table(&columns(&x)), None), &cx).unwrap(), &x);
    assert!(bent[2].is_nan() && bent[3].is_finite(), "{bent:?}");
}

#[test]
fn threads_change_nothing() {
    let x: Vec<f64> = (0..10_000).map(|i| (f64::from(i % 997) / 100.0).exp() - 3.0).collect();
    let with = |threads| {
        let cx = FitContext::new(0).threads(threads).unwrap();
        PowerTransformer::on(all()).fit(&training(table(&columns(&x)), None), &cx).unwrap()
    };
    assert_eq!(with(1), with(4));
}

proptest! {
    #[test]
    fn no_other_power_is_likelier(
        x in prop::collection::vec(-20f64..200.0, 4..60), other in -4f64..4.0, box_cox: bool,
    ) {
        let kind = if box_cox { PowerKind::BoxCox } else { PowerKind::YeoJohnson };
        let values: Vec<f64> = if box_cox { x.iter().map(|x| x.abs() + 0.1).collect() } else { x };
        let finite = Finite { values, weights: None };
        let logs = Logs::of(&finite, kind);
        let best = logs.best();
        let Best::Found(lambda) = best else { return Err(TestCaseError::fail(format!("{best:?}"))) };
        let (found, other) = (logs.likelihood(lambda), logs.likelihood(other));
        prop_assert!(found >= other - 1e-10 * other.abs().max(1.0), "{} {}", found, other);
    }

    #[test]
    fn whole_weights_are_repeated_rows(rows in prop::collection::vec((-9f64..30.0, 1u8..4), 3..30)) {
        let x: Vec<f64> = rows.iter().map(|r| r.0).collect();
        let weights = rows.iter().map(|r| f64::from(r.1)).collect();
        let repeated: Vec<f64> = rows.iter().flat_map(|r| vec![r.0; r.1.into()]).collect();
        let spec = PowerTransformer::on(all());
        let (a, b) = (fitted(&spec, &x, Some(weights)), fitted(&spec, &repeated, None));
        for (a, b) in applied(&a, &x).iter().zip(applied(&b, &x)) {
            prop_assert!((a - b).abs() < 1e-8, "{} {}", a, b);
        }
    }
}
