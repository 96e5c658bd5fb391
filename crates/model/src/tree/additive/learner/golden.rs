//! What each column adds to each row, against InterpretML.

use std::sync::Arc;

use stagewise_core::column::Column;
use stagewise_core::matrix::Features;
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, NumberTarget};
use stagewise_core::task::BinaryLabels;
use stagewise_testkit::golden::{self, Case, Golden};

use super::*;

fn compare<T: Task<Target: Numbers>>(golden: &Golden, case: &Case, target: T::Target, labels: T::Labels)
where
    ExplainableBoosting: Learner<T, Model = TreeEnsemble>,
{
    let x = case.matrix("/input/x");
    let columns: Vec<(String, Column)> = (0..x[0].len())
        .map(|j| (format!("x{j}"), Column::numbers(x.iter().map(|row| row[j]).collect::<Vec<_>>())))
        .collect();
    let features = Features::new(Table::of(columns).unwrap()).unwrap();
    let weights = case.optional_numbers("/input/weights").map(Arc::new);
    let design = Design::<T>::new(features, target, labels).weighted(weights);
    let spec = ExplainableBoosting::new()
        .bags(1)
        .early_stopping(None)
        .smoothing_rounds(0)
        .pairs(0)
        .min_hessian_leaf(0.0)
        .rounds(case.number("/input/max_rounds") as usize)
        .learning_rate(case.number("/input/learning_rate"))
        .max_leaves(case.number("/input/max_leaves") as usize)
        .min_rows_leaf(case.number("/input/min_samples_leaf"));
    let model = Learner::<T>::fit(&spec, &design, &FitContext::new(0)).unwrap();
    let parts = model.term_values(&design.features).unwrap();
    for (row, expected) in case.matrix("/expected/terms").iter().enumerate() {
        let found: Vec<f64> = (0..expected.len()).map(|term| parts.values()[[row, 0, term]]).collect();
        golden.assert_all_close(&found, expected, &format!("{} row {row}", case.name));
    }
    let base = case.number("/expected/base");
    if !base.is_nan() {
        golden.assert_close(model.base()[0], base, &format!("{} base", case.name));
    }
}

#[test]
fn terms_are_those_of_interpretml() {
    let golden = golden::load("explainable_boosting.json");
    assert_eq!(golden.cases.len(), 4);
    for case in &golden.cases {
        let y = case.numbers("/input/y");
        if case.name.starts_with("regression") {
            compare::<Regression>(&golden, case, NumberTarget::new(y), ());
        } else {
            let events: Vec<bool> = y.iter().map(|&y| y > 0.5).collect();
            let labels = BinaryLabels { event: "1".into(), other: "0".into() };
            compare::<Binary>(&golden, case, BinaryTarget::new(events), labels);
        }
    }
}
