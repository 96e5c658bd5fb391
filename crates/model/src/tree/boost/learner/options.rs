//! What boosting can be told besides its trees, against other programs: class weights, offsets, losses of the user's own.

use super::*;
use stagewise_core::column::Column;
use stagewise_core::stage::Predict;
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, ClassTarget, NumberTarget};
use stagewise_core::task::BinaryLabels;
use stagewise_testkit::golden::{self, Case, Golden};

fn columns(case: &Case) -> Vec<(String, Column)> {
    let x = case.matrix("/input/x");
    (0..x[0].len())
        .map(|j| (format!("x{j}"), Column::numbers(x.iter().map(|row| row[j]).collect::<Vec<_>>())))
        .collect()
}

fn features(columns: Vec<(String, Column)>) -> Features {
    Features::new(Table::of(columns).unwrap()).unwrap()
}

/// What the cases have in common; they limit leaves by their hessians.
fn spec(min_hessian: f64) -> GradientBoosting {
    let spec = GradientBoosting::new().rounds(4).learning_rate(0.3).max_leaves(4);
    spec.min_rows_leaf(0.0).min_hessian_leaf(min_hessian)
}

fn case<'a>(golden: &'a Golden, name: &str) -> &'a Case {
    golden.cases.iter().find(|case| case.name == name).expect("a case of that name")
}

#[test]
fn balanced_classes_are_those_of_scikit_learn() {
    let golden = golden::load("boosting_options.json");
    let spec = spec(1e-3).class_weights(ClassWeights::Balanced);
    let events = case(&golden, "balanced_events");
    let y: Vec<bool> = events.numbers("/input/target").iter().map(|&y| y > 0.5).collect();
    let labels = BinaryLabels { event: "1".into(), other: "0".into() };
    let design = Design::<Binary>::new(features(columns(events)), BinaryTarget::new(y), labels);
    let model = spec.fit(&design, &FitContext::new(0)).unwrap();
    let found = Predict::<Binary>::predict(&model, &design.features).unwrap();
    let expected: Vec<f64> = events.matrix("/expected/answers").iter().map(|row| row[1]).collect();
    golden.assert_all_close(&found.to_vec(), &expected, "balanced events");

    let classes = case(&golden, "balanced_classes");
    let y: Vec<u32> = classes.numbers("/input/target").iter().map(|&y| y as u32).collect();
    let labels = stagewise_core::schema::Levels::new((0..3).map(|c| c.to_string()));
    let design = Design::<Multiclass>::new(features(columns(classes)), ClassTarget::new(y, 3), labels);
    let model = spec.fit(&design, &FitContext::new(0)).unwrap();
    let found = Predict::<Multiclass>::predict(&model, &design.features).unwrap();
    let expected = classes.matrix("/expected/answers").concat();
    golden.assert_all_close(&found.iter().copied().collect::<Vec<_>>(), &expected, "balanced classes");

    let target = NumberTarget::new(vec![0.0; 60]);
    let numbers = Design::<Regression>::new(features(columns(events)), target, ());
    let error = spec.fit(&numbers, &FitContext::new(0)).unwrap_err();
    assert_eq!(error.to_string(), "`class_weights` is Balanced, allowed is Equal where the truth is a number");
}

#[test]
fn balanced_is_the_same_as_weights_of_that_size() {
    let golden = golden::load("boosting_options.json");
    let events = case(&golden, "balanced_events");
    let y: Vec<bool> = events.numbers("/input/target").iter().map(|&y| y > 0.5).collect();
    let labels = BinaryLabels { event: "1".into(), other: "0".into() };
    let design = Design::<Binary>::new(features(columns(events)), BinaryTarget::new(y.clone()), labels);
    // Held-out rows are the training rows again.
    let sizes: Vec<f64> = (0..y.len()).map(|row| (1 + row % 3) as f64).collect();
    let weighted = |weights: &[f64]| design.clone().weighted(Some(std::sync::Arc::new(weights.to_vec())));
    let judged = |weights: &[f64]| weighted(weights).judged_by(weighted(weights));
    let fit = |spec: GradientBoosting, design| spec.early_stopping(Some(2)).fit(&design, &FitContext::new(0)).unwrap();
    let balanced = fit(spec(1e-3).class_weights(ClassWeights::Balanced), judged(&sizes));
    // Total weights of a class, not its rows, are balanced.
    let sum = |event: bool| (0..y.len()).filter(|&row| y[row] == event).map(|row| sizes[row]).sum::<f64>();
    let total = sum(true) + sum(false);
    let by_hand: Vec<f64> = (0..y.len()).map(|row| sizes[row] * (total / (2.0 * sum(y[row])))).collect();
    let reweighted = fit(spec(1e-3), judged(&by_hand));
    assert!(balanced == reweighted);
}
