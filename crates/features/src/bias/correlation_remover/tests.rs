use super::*;
use proptest::prelude::*;
use stagewise_core::select::{named, numbers};
use stagewise_core::stage::Transform;
use stagewise_core::table::Table;
use stagewise_testkit::{conformance, data};

use crate::test_tables::{admitted, training};

#[test]
fn conforms() {
    let of = |columns: &[&str], protected: &[&str]| {
        CorrelationRemover::on(named(columns.iter().copied()), named(protected.iter().copied()))
    };
    for spec in [
        of(&["age"], &["plan"]),
        of(&["age", "constant"], &["plan", "city", "active", "income", "empty"]).unknown(UnknownGroup::Keep),
        of(&[], &["plan"]).alpha(0.3),
    ] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
    }
    let numeric = CorrelationRemover::on(numbers(), named(["x1", "x3"])).alpha(0.5);
    conformance::transformer(&numeric, &data::multiclass_numeric(60, 3));
}

#[test]
fn protected_columns_that_follow_from_others_do_no_harm() {
    let x = vec![1.0, 4.0, 2.0, 8.0, 5.0];
    let s = vec![0.5, 1.0, -2.0, 3.0, 0.0];
    let twice: Vec<f64> = s.iter().map(|s| 2.0 * s - 7.0).collect();
    let fit = |columns: Vec<(&'static str, Vec<f64>)>| {
        let protected: Vec<&str> = columns.iter().map(|(name, _)| *name).filter(|name| *name != "x").collect();
        let table = Table::of(columns.into_iter().map(|(name, x)| (name, Column::numbers(x)))).unwrap();
        let train = training(table, None);
        let fitted = CorrelationRemover::on(numbers(), named(protected)).fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(train.features().clone()).unwrap();
        assert_eq!(out.schema().names(), ["x"]);
        out.columns()[0].as_numbers().unwrap().to_vec()
    };
    let one = fit(vec![("x", x.clone()), ("s", s.clone())]);
    let many = fit(vec![("x", x), ("s", s), ("twice", twice), ("constant", vec![3.0; 5])]);
    assert!(one.iter().zip(&many).all(|(a, b)| (a - b).abs() < 1e-12), "{one:?} {many:?}");
}

#[test]
fn unknown_values_have_a_policy() {
    let of = |g: Option<&'static str>, x: f64| {
        Table::of([("g", Column::categories([g])), ("x", Column::numbers([x]))]).unwrap()
    };
    let groups = Column::categories(["a", "a", "b", "b"].map(Some));
    let train = training(Table::of([("g", groups), ("x", Column::numbers([1.0, 3.0, 5.0, 7.0]))]).unwrap(), None);
    let spec = CorrelationRemover::on(numbers(), named(["g"]));
    let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
    let error = |later: Table| fitted.transform(admitted(train.features(), &later)).unwrap_err().to_string();
    assert_eq!(error(of(Some("c"), 1.0)), "row 0 › column `g`: `c` is none of the known levels (`a`, `b`)");
    assert!(error(of(None, 1.0)).starts_with("row 0 › column `g`: 1 rows have no group"));
    assert!(error(of(Some("a"), f64::NAN)).starts_with("column `x`: holds 1 missing values"));
    let fitted = spec.unknown(UnknownGroup::Keep).fit(&train, &FitContext::new(0)).unwrap();
    let out = fitted.transform(admitted(train.features(), &of(Some("c"), 1.0))).unwrap();
    assert_eq!(out.columns(), [Column::numbers([1.0])]);
    assert!(CorrelationRemover::on(numbers(), named(["g"])).alpha(f64::NAN).fit(&train, &FitContext::new(0)).is_err());
}

#[test]
fn large_values_are_changed_as_small_ones() {
    for size in [1e-300, 1.0, 1e300] {
        let x: Vec<f64> = [1.0, 3.0, 5.0, 7.0].map(|x| size * x).to_vec();
        let s: Vec<f64> = [0.0, 0.0, 1.0, 1.0].map(|x| size * x).to_vec();
        let train = training(Table::of([("s", Column::numbers(s)), ("x", Column::numbers(x))]).unwrap(), None);
        let fitted = CorrelationRemover::on(numbers(), named(["s"])).fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(train.features().clone()).unwrap();
        for (found, expected) in out.columns()[0].as_numbers().unwrap().iter().zip([3.0, 5.0, 3.0, 5.0]) {
            assert!((found / size - expected).abs() < 1e-12, "{size}: {found}");
        }
    }
}

proptest! {
    #[test]
    fn what_is_left_is_uncorrelated(
        rows in prop::collection::vec((-9.0f64..9.0, 0usize..3, -9.0f64..9.0, 0.5f64..4.0), 4..40),
    ) {
        let s: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let weights: Vec<f64> = rows.iter().map(|row| row.3).collect();
        let table = Table::of([
            ("s", Column::numbers(s.clone())),
            ("g", Column::categories(rows.iter().map(|row| Some(["a", "b", "c"][row.1])))),
            ("x", Column::numbers(rows.iter().map(|row| row.2).collect::<Vec<_>>())),
        ]);
        let train = training(table.unwrap(), Some(weights.clone()));
        let fitted = CorrelationRemover::on(named(["x"]), named(["s", "g"])).fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(train.features().clone()).unwrap();
        let x = out.columns()[0].as_numbers().unwrap();
        let total: f64 = weights.iter().sum();
        let mean = |of: &dyn Fn(usize) -> f64| (0..x.len()).map(|i| weights[i] * of(i)).sum::<f64>() / total;
        let mean_x = mean(&|i| x[i]);
        let covariance = |of: &dyn Fn(usize) -> f64| mean(&|i| (x[i] - mean_x) * of(i));
        prop_assert!(covariance(&|i| s[i]).abs() < 1e-9);
        for level in 0..3 {
            prop_assert!(covariance(&|i| f64::from(u8::from(rows[i].1 == level))).abs() < 1e-9);
        }
    }
}
