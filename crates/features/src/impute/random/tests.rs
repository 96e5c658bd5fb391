use super::*;
use stagewise_core::select::{all, named, numbers};
use stagewise_core::stage::Transform;
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_testkit::{conformance, data};

use crate::test_tables::training;

#[test]
fn conforms() {
    let spec = RandomImputer::on(all());
    for spec in [spec.clone(), spec.indicator(true), RandomImputer::on(numbers())] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &data::multiclass(62, 3));
        conformance::transformer(&spec, &data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap());
    }
}

#[test]
fn draws_have_the_distribution_of_training() {
    // Three quarters of the values are 0, one quarter 1.
    let rows = 20_000;
    let values: Vec<f64> = (0..rows)
        .map(|i| match i % 8 {
            0..4 => f64::NAN,
            4..7 => 0.0,
            _ => 1.0,
        })
        .collect();
    let ids: Vec<f64> = (0..rows).map(|i| i as f64).collect();
    let table = Table::of([("x", Column::numbers(values.clone())), ("id", Column::numbers(ids))]).unwrap();
    let spec = RandomImputer::on(named(["x"]));
    let (_, filled) = spec.fit_transform(training(table, None), &FitContext::new(3)).unwrap();
    let filled = filled.features().column("x").unwrap().as_numbers().unwrap().to_vec();
    let drawn: Vec<f64> = filled.iter().zip(&values).filter(|(_, was)| was.is_nan()).map(|(x, _)| *x).collect();
    let share = drawn.iter().sum::<f64>() / drawn.len() as f64;
    // Five standard errors of a share of 0.25 among 10,000 draws.
    assert!((share - 0.25).abs() < 5.0 * (0.25 * 0.75 / 10_000.0_f64).sqrt(), "{share}");
}

#[test]
fn a_draw_hangs_on_the_row_and_the_seed_alone() {
    let train = data::regression(200, 6);
    let spec = RandomImputer::on(all());
    let of = |train: &Dataset<Regression>, seed: u64| {
        let fitted = spec.fit(train, &FitContext::new(seed)).unwrap();
        fitted.transform(train.features().clone()).unwrap()
    };
    let order: Vec<usize> = (0..200).rev().collect();
    let (straight, turned) = (of(&train, 1), of(&train.take(&order), 1));
    assert_eq!(straight, turned.take(&order));
    assert_ne!(straight.column("income").unwrap(), of(&train, 2).column("income").unwrap());
}

#[test]
fn rows_of_weight_zero_and_two_are_not_there_and_there_twice() {
    let train = data::regression(80, 7);
    let weights: Vec<f64> = (0..80).map(|row| f64::from(row % 3)).collect();
    let repeated: Vec<usize> = (0..80).flat_map(|row| vec![row; row % 3]).collect();
    let spec = RandomImputer::on(all());
    let cx = FitContext::new(9);
    let table = train.features().clone();
    let weighted = spec.fit(&train.clone().reweighted(weights).unwrap(), &cx).unwrap();
    let repeated = spec.fit(&train.take(&repeated), &cx).unwrap();
    assert_eq!(weighted.transform(table.clone()).unwrap(), repeated.transform(table).unwrap());
}

#[test]
fn a_column_without_values_is_said_and_text_is_refused() {
    let cx = FitContext::new(0);
    RandomImputer::on(numbers()).fit(&data::regression(30, 0), &cx).unwrap();
    let texts: Vec<_> = cx.take_warnings().into_iter().map(|w| w.what).collect();
    assert_eq!(texts, ["column `empty`: has no value to learn from; missing values become 0"]);
    let table = Table::of([("note", Column::texts([None, Some("a")]))]).unwrap();
    assert!(Transformer::<Regression>::plan(&RandomImputer::on(all()), table.schema()).is_err());
}
