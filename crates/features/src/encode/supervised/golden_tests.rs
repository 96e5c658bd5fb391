//! Supervised encoders against scikit-learn, category_encoders and the formulas in numpy.

use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::problem::Problem;
use stagewise_core::select::matching;
use stagewise_core::stage::Transform;
use stagewise_core::table::Table;
use stagewise_core::task::{Binary, Multiclass, Regression};
use stagewise_testkit::golden::{self, Case, Golden};

use super::cross_fit::{Hidden, changed};
use super::outcome::Outcome;
use super::spec::{HeldOut, Supervised};
use super::sums::Parts;
use super::*;
use crate::test_tables::{admitted, categories};

/// The training rows of a case.
fn train<T: Outcome>(case: &Case) -> Dataset<T> {
    let (schema, columns) = categories(case, "/input/fit").into_parts();
    let target = ("target".to_string(), Column::numbers(case.numbers("/input/target")));
    let table = Table::of(schema.names().into_iter().zip(columns).chain([target])).unwrap();
    let train = Dataset::new(table, &Problem::<T>::new("target")).unwrap();
    match case.optional_numbers("/input/weights") {
        Some(weights) => train.reweighted(weights).unwrap(),
        None => train,
    }
}

fn rows(table: &Table) -> Vec<Vec<f64>> {
    let columns: Vec<&[f64]> = table.columns().iter().map(|c| c.as_numbers().unwrap()).collect();
    (0..table.rows()).map(|row| columns.iter().map(|c| c[row]).collect()).collect()
}

/// Checks training rows under the folds of the case, and rows to come.
fn check<T: Outcome, S: Supervised>(golden: &Golden, case: &Case, spec: &S) {
    let train = train::<T>(case);
    let apply = admitted(train.features(), &categories(case, "/input/apply"));
    let outcomes = T::outcomes(&train);
    let hidden = match spec.held_out() {
        HeldOut::Fold(_) => {
            let folds: Vec<u32> = case.numbers("/input/fold").iter().map(|&fold| fold as u32).collect();
            let count = folds.iter().max().map_or(0, |&fold| fold + 1);
            // A row of weight 0 is in no fold.
            let of = folds.iter().enumerate().map(|(row, &fold)| if outcomes.weight(row) > 0 { fold } else { count });
            Hidden::Folds(Parts { of: of.collect(), count: count as usize })
        }
        HeldOut::Row { smooth, noise } => Hidden::Itself { smooth, noise, groups: None },
        HeldOut::Later { smooth, .. } => {
            Hidden::Later { smooth, orders: vec![(0..train.rows()).collect()], groups: None }
        }
    };
    let (fitted, train) = changed(spec, train, &outcomes, &FitContext::new(0), &hidden).unwrap();
    let found = [rows(train.features()), rows(&fitted.transform(apply).unwrap())];
    for (found, pointer) in found.iter().zip(["/expected/training", "/expected/applied"]) {
        let expected = case.matrix(pointer);
        assert_eq!(found.len(), expected.len(), "{} {pointer}", case.name);
        for (row, (found, expected)) in found.iter().zip(&expected).enumerate() {
            golden.assert_all_close(found, expected, &format!("{} {pointer} row {row}", case.name));
        }
    }
}

#[test]
fn equals_the_other_programs() {
    let golden = golden::load("target_encoders.json");
    assert!(golden.cases.len() >= 15, "{}", golden.cases.len());
    for case in &golden.cases {
        let on = || matching("^c");
        let smooth = case.value("/input/smooth").as_f64();
        let spec = TargetEncoder::on(on()).smooth(smooth.map_or(Smooth::Auto, Smooth::Rows));
        let rows = smooth.unwrap_or(0.0);
        let task = case.value("/input/task").as_str().unwrap();
        match (case.value("/input/encoder").as_str().unwrap(), task) {
            ("target", "binary") => check::<Binary, _>(&golden, case, &spec),
            ("target", "multiclass") => check::<Multiclass, _>(&golden, case, &spec),
            ("target", "regression") => check::<Regression, _>(&golden, case, &spec),
            ("james_stein", "binary") => check::<Binary, _>(&golden, case, &JamesSteinEncoder::on(on())),
            ("james_stein", "regression") => check::<Regression, _>(&golden, case, &JamesSteinEncoder::on(on())),
            ("weight_of_evidence", "binary") => {
                check::<Binary, _>(&golden, case, &WeightOfEvidenceEncoder::on(on()).smooth(rows));
            }
            ("leave_one_out", "binary") => {
                check::<Binary, _>(&golden, case, &LeaveOneOutEncoder::on(on()).smooth(rows));
            }
            ("leave_one_out", "regression") => {
                check::<Regression, _>(&golden, case, &LeaveOneOutEncoder::on(on()).smooth(rows));
            }
            ("ordered", "binary") => {
                check::<Binary, _>(&golden, case, &OrderedTargetEncoder::on(on()).smooth(rows));
            }
            ("ordered", "regression") => {
                check::<Regression, _>(&golden, case, &OrderedTargetEncoder::on(on()).smooth(rows));
            }
            other => panic!("{}: {other:?}", case.name),
        }
    }
}
