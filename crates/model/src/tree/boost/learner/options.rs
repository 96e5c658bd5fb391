//! What boosting can be told besides its trees, against other programs: class weights, offsets, losses of the user's own.

use super::*;
use stagewise_core::column::Column;
use stagewise_core::matrix::Features;
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

/// Counts with an exposure, from the case of LightGBM.
fn counts(golden: &Golden) -> Design<Regression> {
    let poisson = case(golden, "poisson_offset");
    let mut columns = columns(poisson);
    columns.insert(1, ("log_exposure".into(), Column::numbers(poisson.numbers("/input/offset"))));
    Design::<Regression>::new(features(columns), NumberTarget::new(poisson.numbers("/input/target")), ())
}

#[test]
fn a_poisson_model_with_exposure_is_that_of_lightgbm() {
    let golden = golden::load("boosting_options.json");
    let train = counts(&golden);
    let spec = spec(1.0).objective(Objective::Poisson).offset("log_exposure");
    let model = spec.fit(&train, &FitContext::new(0)).unwrap();
    let scores = model.scores(&train.features).unwrap();
    let expected = case(&golden, "poisson_offset").numbers("/expected/scores");
    golden.assert_all_close(&scores.iter().copied().collect::<Vec<_>>(), &expected, "poisson with exposure");
    // Twice the exposure, twice the count, by either way.
    for row in train.features.matrix().outer_iter().map(|row| row.to_vec()) {
        let mut twice = row.clone();
        twice[1] += 2f64.ln();
        let [a, b] = [&row, &twice].map(|row| Predict::<Regression>::predict_row(&model, row).unwrap());
        assert!((b / a - 2.0).abs() < 1e-12);
    }
}

#[test]
fn an_offset_is_part_of_the_model() {
    let train = counts(&golden::load("boosting_options.json"));
    let cx = FitContext::new(2);
    let spec = spec(0.5).objective(Objective::Poisson).offset("log_exposure").columns_by_tree(0.4);
    let judged = train.clone().judged_by(train.clone());
    let whole = spec.clone().rounds(9).fit(&train, &cx).unwrap();
    let first = spec.clone().rounds(4).fit(&train, &cx).unwrap();
    assert!(spec.clone().rounds(5).start(first.clone()).fit(&train, &cx).unwrap() == whole);
    let splits = |model: &TreeEnsemble| model.trees().iter().filter(|tree| tree.leaves() > 1).count();
    // Each tree draws two of the three columns that are not the offset.
    assert_eq!(splits(&whole), 9);
    // The history is that of the scores that the model gives.
    let watched = spec.clone().history(true).early_stopping(Some(3)).fit(&judged, &cx).unwrap();
    let history = watched.training_history().unwrap();
    let scores = watched.scores(&train.features).unwrap();
    let y = train.target.values();
    let loss = scores.iter().zip(y).map(|(z, y)| z.exp() - y * z).sum::<f64>() / y.len() as f64;
    assert!((history.validation[history.rounds] - loss).abs() < 1e-9, "{loss}");
    assert_eq!(history.train, history.validation);
    // Alone, it is all there is to know.
    let only =
        |name: &str| features(vec![("log_exposure".into(), train.features.table().column(name).unwrap().clone())]);
    let alone = Design::<Regression>::new(only("log_exposure"), train.target.clone(), ());
    let model = spec.fit(&alone, &cx).unwrap();
    let mean = Predict::<Regression>::predict(&model, &alone.features).unwrap().sum() / 60.0;
    assert!((mean - y.iter().sum::<f64>() / 60.0).abs() < 1e-9);

    let text = |spec: &GradientBoosting, train: &Design<Regression>| spec.fit(train, &cx).unwrap_err().to_string();
    assert!(text(&spec.clone().offset("exposure"), &train).contains("there is no column `exposure`"));
    assert!(text(&spec.clone().monotone("log_exposure", Monotone::Falling), &train).contains("the offset"));
    let plain = GradientBoosting::new().objective(Objective::Poisson).start(first);
    assert!(text(&plain, &train).contains("the offset log_exposure"), "{}", text(&plain, &train));
    let mut columns = columns(case(&golden::load("boosting_options.json"), "poisson_offset"));
    columns.push(("log_exposure".into(), Column::numbers([vec![0.0; 59], vec![f64::NAN]].concat())));
    let missing = Design::<Regression>::new(features(columns), train.target.clone(), ());
    assert!(text(&spec, &missing).starts_with("column `log_exposure`: holds 1 missing values"));
}

#[test]
fn classes_have_no_offset() {
    let golden = golden::load("boosting_options.json");
    let classes = case(&golden, "balanced_classes");
    let y: Vec<u32> = classes.numbers("/input/target").iter().map(|&y| y as u32).collect();
    let labels = stagewise_core::schema::Levels::new((0..3).map(|c| c.to_string()));
    let design = Design::<Multiclass>::new(features(columns(classes)), ClassTarget::new(y, 3), labels);
    let error = spec(1.0).offset("x0").fit(&design, &FitContext::new(0)).unwrap_err().to_string();
    assert!(error.contains("several classes"), "{error}");
}
