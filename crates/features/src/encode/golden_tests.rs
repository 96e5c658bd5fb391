//! Encoders that do not look at the target, against scikit-learn, category_encoders and patsy.

use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::select::all;
use stagewise_core::stage::{Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_testkit::golden::{self, Case, Golden};

use super::*;
use crate::test_tables::{admitted, categories, training};

fn check<S: Transformer<Regression>>(golden: &Golden, case: &Case, spec: &S) {
    let (fit, apply) = (categories(case, "/input/fit"), categories(case, "/input/apply"));
    let batch = admitted(&fit, &apply);
    let fitted = spec.fit(&training(fit, None), &FitContext::new(0)).unwrap();
    let out = fitted.transform(batch).unwrap();
    let expected = case.matrix("/expected/matrix");
    assert_eq!(out.rows(), expected.len(), "{}", case.name);
    for (row, expected) in expected.iter().enumerate() {
        let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
        golden.assert_all_close(&found, expected, &format!("{} row {row}", case.name));
    }
}

fn order(case: &Case) -> LevelOrder {
    let order = case.value("/input/order");
    match (order.as_array(), order.as_str()) {
        (Some(names), _) => LevelOrder::Given(names.iter().map(|name| name.as_str().unwrap().to_string()).collect()),
        (None, Some("name")) => LevelOrder::Name,
        (None, Some("appearance")) => LevelOrder::Appearance,
        other => panic!("{}: {other:?}", case.name),
    }
}

#[test]
fn equals_the_other_programs() {
    let golden = golden::load("encoders.json");
    assert!(golden.cases.len() >= 15, "{}", golden.cases.len());
    for case in &golden.cases {
        match case.value("/input/encoder").as_str().unwrap() {
            "ordinal" => {
                let missing = Fallback::Number(-2.0);
                let spec = OrdinalEncoder::on(all()).order(order(case)).unseen(Fallback::Number(-1.0)).missing(missing);
                check(&golden, case, &spec);
            }
            "count" => check(&golden, case, &CountEncoder::on(all())),
            "share" => check(&golden, case, &CountEncoder::on(all()).share(true)),
            "base" => {
                let base = case.number("/input/base") as u32;
                check(&golden, case, &BinaryEncoder::on(all()).base(base).order(order(case)));
            }
            "hash" => {
                let signed = case.value("/input/signed").as_bool().unwrap();
                let buckets = case.number("/input/buckets") as u32;
                check(&golden, case, &HashingEncoder::on(all()).buckets(buckets).signed(signed));
            }
            contrast => {
                let contrast = match contrast {
                    "helmert" => Contrast::Helmert,
                    "sum" => Contrast::Sum,
                    "backward_difference" => Contrast::BackwardDifference,
                    "polynomial" => Contrast::Polynomial,
                    other => panic!("{}: {other}", case.name),
                };
                check(&golden, case, &ContrastEncoder::on(all(), contrast).order(order(case)));
            }
        }
    }
}

#[test]
fn a_hundred_thousand_levels_are_looked_up() {
    let names: Vec<String> = (0..100_000).map(|i| format!("l{i}")).collect();
    let column = Column::categories(names.iter().map(|name| Some(name.as_str())));
    let train = training(Table::of([("x", column)]).unwrap(), None);
    let cx = FitContext::new(0);
    let (_, ordinal) =
        OrdinalEncoder::on(all()).order(LevelOrder::Appearance).fit_transform(train.clone(), &cx).unwrap();
    let places = ordinal.features().columns()[0].as_numbers().unwrap();
    assert!(places.iter().enumerate().all(|(row, place)| *place == row as f64));
    let (_, counted) = CountEncoder::on(all()).fit_transform(train.clone(), &cx).unwrap();
    assert!(counted.features().columns()[0].as_numbers().unwrap().iter().all(|count| *count == 1.0));
    let (_, hashed) = HashingEncoder::on(all()).buckets(16).signed(false).fit_transform(train, &cx).unwrap();
    let sum = |row: usize| hashed.features().columns().iter().map(|c| c.as_numbers().unwrap()[row]).sum::<f64>();
    assert!((0..100_000).all(|row| sum(row) == 1.0));
}
