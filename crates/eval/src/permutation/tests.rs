//! Drops against scikit-learn's with the same shuffles, and what must hold for any.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array1;
use proptest::prelude::*;
use stagewise_core::context::Cancel;
use stagewise_core::exhibit::{Block, Chart, Exhibit};
use stagewise_core::problem::Problem;
use stagewise_core::task::{Binary, Regression};
use stagewise_testkit::golden;

use super::*;
use crate::{Mae, Mse, RocAuc};

/// Answers `offset + Σ slope · x`, through a sigmoid or not.
struct Linear {
    slopes: Vec<(String, f64)>,
    sigmoid: bool,
    calls: AtomicUsize,
}

fn linear(slopes: &[(&str, f64)]) -> Linear {
    let slopes = slopes.iter().map(|(name, slope)| (name.to_string(), *slope)).collect();
    Linear { slopes, sigmoid: false, calls: AtomicUsize::new(0) }
}

impl Linear {
    fn answers(&self, table: &Table) -> Result<Array1<f64>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut sum = Array1::zeros(table.rows());
        for (name, slope) in &self.slopes {
            let column = table.column(name)?.as_numbers()?;
            sum.iter_mut().zip(column).for_each(|(sum, x)| *sum += slope * x);
        }
        Ok(if self.sigmoid { sum.mapv(|z: f64| 1.0 / (1.0 + (-z).exp())) } else { sum })
    }
}

impl Predictor<Regression> for Linear {
    fn predict(&self, table: &Table) -> Result<Array1<f64>> {
        self.answers(table)
    }
}

impl Predictor<Binary> for Linear {
    fn predict(&self, table: &Table) -> Result<Array1<f64>> {
        self.answers(table)
    }
}

fn table(columns: &[(&str, Vec<f64>)]) -> Table {
    Table::of(columns.iter().map(|(name, values)| (*name, Column::numbers(values.clone())))).unwrap()
}

fn data(x: &[f64]) -> Dataset<Regression> {
    let y = x.iter().map(|x| 3.0 * x + 1.0).collect();
    let copy: Vec<f64> = x.iter().map(|x| x * 2.0).collect();
    let table = table(&[("x", x.to_vec()), ("copy", copy), ("unused", x.iter().rev().copied().collect()), ("y", y)]);
    Dataset::new(table, &Problem::new("y")).unwrap()
}

fn mse() -> AnyMetric<Regression> {
    AnyMetric::new(Mse)
}

#[test]
fn drops_are_those_of_scikit_learn_with_the_same_shuffles() {
    let golden = golden::load("permutation_importance.json");
    for case in &golden.cases {
        let x = case.matrix("/input/x");
        let names: Vec<String> = (0..x[0].len()).map(|j| format!("x{j}")).collect();
        let mut columns: Vec<(&str, Vec<f64>)> =
            names.iter().enumerate().map(|(j, name)| (name.as_str(), x.iter().map(|row| row[j]).collect())).collect();
        columns.push(("y", case.numbers("/input/y")));
        let weights = case.optional_numbers("/input/weights");
        if let Some(weights) = &weights {
            columns.push(("w", weights.clone()));
        }
        let slopes = case.numbers("/input/slopes");
        let mut model = linear(&names.iter().map(String::as_str).zip(slopes).collect::<Vec<_>>());
        let orders: Vec<Vec<usize>> =
            case.matrix("/input/orders").iter().map(|order| order.iter().map(|&row| row as usize).collect()).collect();
        let spec = Permutation::new().repeats(orders.len());
        let (table, cx) = (table(&columns), FitContext::new(0));
        let order = |_: &str, repeat: usize| orders[repeat].clone();
        let found = if case.value("/input/metric") == "roc_auc" {
            model.sigmoid = true;
            let problem = Problem::<Binary>::new("y");
            let problem = if weights.is_some() { problem.weight("w") } else { problem };
            let data = Dataset::new(table, &problem).unwrap();
            spec.measure(&model, &data, &AnyMetric::new(RocAuc), &cx, order).unwrap()
        } else {
            let problem = Problem::<Regression>::new("y");
            let problem = if weights.is_some() { problem.weight("w") } else { problem };
            let data = Dataset::new(table, &problem).unwrap();
            spec.measure(&model, &data, &mse(), &cx, order).unwrap()
        };
        golden.assert_close(found.baseline(), case.number("/expected/baseline"), &format!("{} baseline", case.name));
        for (item, drops) in found.items().iter().zip(case.matrix("/expected/drops")) {
            golden.assert_all_close(item.drops(), &drops, &format!("{} {}", case.name, item.name()));
        }
        assert_eq!(found.items().len(), names.len());
    }
}

#[test]
fn a_group_is_shuffled_as_one_and_a_column_not_used_drops_nothing() {
    let x: Vec<f64> = (0..60).map(|i| f64::from(i * i % 61)).collect();
    let data = data(&x);
    let model = linear(&[("x", 1.0), ("copy", 1.0)]);
    let cx = FitContext::new(3);
    let alone = Permutation::new().run(&model, &data, &mse(), &cx).unwrap();
    assert_eq!(alone.of("unused").unwrap().drops(), [0.0; 5]);
    assert_eq!(alone.of("unused").unwrap().deviation(), Some(0.0));
    let spec = Permutation::new().group("both", ["x", "copy"]);
    let found = spec.run(&model, &data, &mse(), &cx).unwrap();
    let names: Vec<&str> = found.items().iter().map(PermutedColumns::name).collect();
    assert_eq!(names, ["both", "unused"]);
    // Of columns that move together the answer is 3 x of another row: the error is 9 times that of x.
    let once = linear(&[("x", 1.0)]);
    let single = Permutation::new().group("both", ["x"]).run(&once, &self::data(&x), &mse(), &cx).unwrap();
    let mean_square = |of: &PermutationImportance, slope: f64| {
        of.of("both").unwrap().drops().iter().map(|drop| drop / slope).collect::<Vec<f64>>()
    };
    let expected = x.iter().map(|x| x * x).sum::<f64>();
    assert!(mean_square(&found, 9.0).iter().all(|&drop| drop > 0.0 && drop < expected));
    assert!(found.of("both").unwrap().mean() > alone.of("x").unwrap().mean() + alone.of("copy").unwrap().mean());
    assert!(single.of("both").unwrap().mean() > 0.0);
}

#[test]
fn threads_change_nothing_and_other_columns_do_not_change_a_shuffle() {
    let x: Vec<f64> = (0..80).map(|i| f64::from(i * 7 % 31)).collect();
    let data = data(&x);
    let model = linear(&[("x", 3.0), ("unused", 0.1)]);
    let run = |threads| {
        let cx = FitContext::new(5).threads(threads).unwrap();
        Permutation::new().repeats(3).run(&model, &data, &mse(), &cx).unwrap()
    };
    let found = run(1);
    assert_eq!(found, run(4));
    let narrow = data.clone().map_features(|table| table.select(&[0, 2])).unwrap();
    let cx = FitContext::new(5);
    let fewer = Permutation::new().repeats(3).run(&model, &narrow, &mse(), &cx).unwrap();
    assert_eq!(found.of("x"), fewer.of("x"));
    let other = Permutation::new().repeats(3).run(&model, &data, &mse(), &FitContext::new(6)).unwrap();
    assert_ne!(found.of("x"), other.of("x"));
    assert_eq!(model.calls.load(Ordering::Relaxed), 2 * 10 + 7 + 10);
}

#[test]
fn rows_of_weight_0_take_no_part() {
    let x: Vec<f64> = (0..40).map(f64::from).collect();
    let weights: Vec<f64> = (0..40).map(|i| f64::from(u8::from(i < 25))).collect();
    let mut wild = x.clone();
    wild[30..].fill(1e9);
    let cx = FitContext::new(2);
    let model = linear(&[("x", 3.0)]);
    let run = |x: &[f64]| {
        let data = data(x).reweighted(weights.clone()).unwrap();
        Permutation::new().run(&model, &data, &mse(), &cx).unwrap()
    };
    assert_eq!(run(&x).of("x"), run(&wild).of("x"));
}

#[test]
fn what_cannot_be_is_refused() {
    let data = data(&[1.0, 2.0, 3.0]);
    let (model, cx) = (linear(&[("x", 1.0)]), FitContext::new(0));
    let text = |spec: Permutation| spec.run(&model, &data, &mse(), &cx).unwrap_err().to_string();
    assert!(text(Permutation::new().repeats(0)).contains("`repeats` is 0"));
    assert!(text(Permutation::new().group("g", ["z"])).contains('z'));
    assert!(text(Permutation::new().group("g", [""; 0])).contains("no columns"));
    assert!(text(Permutation::new().group("unused", ["x"])).contains("two named `unused`"));
    assert!(text(Permutation::new().group("g", ["y"])).contains('y'), "the target is no feature");
    let broken = linear(&[("not there", 1.0)]);
    assert!(Permutation::new().run(&broken, &data, &mse(), &cx).is_err());
    let cancel = Cancel::new();
    let stopped = FitContext::new(0).cancel(cancel.clone());
    cancel.raise();
    assert!(Permutation::new().run(&model, &data, &mse(), &stopped).is_err());
}

#[test]
fn the_most_important_column_stands_first_in_the_chart() {
    let x: Vec<f64> = (0..40).map(|i| f64::from(i * 3 % 17)).collect();
    let model = linear(&[("unused", 0.2), ("x", 3.0)]);
    let found = Permutation::new().run(&model, &data(&x), &AnyMetric::new(Mae), &FitContext::new(0)).unwrap();
    let section = found.exhibit();
    let Some(Block::Chart(Chart::Bars { items, .. })) = section.blocks.get(1) else { panic!("bars") };
    assert_eq!(items[0].0, "x");
    assert_eq!(items[0].1, found.of("x").unwrap().mean());
    let Some(Block::Table { rows, .. }) = section.blocks.get(2) else { panic!("a table") };
    assert_eq!(rows.len(), 3);
}

proptest! {
    #[test]
    fn a_lower_metric_that_rises_is_a_drop(x in prop::collection::vec(-5f64..5.0, 3..40)) {
        let found = Permutation::new().run(&linear(&[("x", 3.0)]), &data(&x), &mse(), &FitContext::new(1)).unwrap();
        // The model is right but for a constant, whose square is the least error of all orders.
        prop_assert!(found.of("x").unwrap().drops().iter().all(|&drop| drop >= -1e-9));
        prop_assert!((found.baseline() - 1.0).abs() < 1e-9);
    }
}
