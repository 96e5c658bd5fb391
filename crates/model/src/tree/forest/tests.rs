use super::*;
use std::sync::Arc;

use stagewise_core::dataset::Dataset;
use stagewise_core::error::ErrorKind;
use stagewise_core::matrix::Features;
use stagewise_core::stage::Predict;
use stagewise_testkit::{conformance, data};

fn design<T: Task>(data: &Dataset<T>) -> Design<T> {
    let features = Features::new(data.features().clone()).unwrap();
    Design::new(features, data.target().clone(), data.labels().clone())
}

fn dense<T: Task>(train: &Design<T>) -> DenseMatrix<f64> {
    let x = train.features.matrix();
    DenseMatrix::new(x.nrows(), x.ncols(), x.t().iter().copied().collect(), true).unwrap()
}

#[test]
fn conformance() {
    let spec = RandomForest::new().trees(12);
    conformance::learner::<Regression, _>(&spec, &data::regression_numeric(70, 1));
    conformance::learner::<Binary, _>(&spec, &data::binary_numeric(70, 1));
    conformance::learner::<Multiclass, _>(&spec, &data::multiclass_numeric(70, 1));
    conformance::learner::<Binary, _>(&spec.row_cap(40), &data::binary_numeric(70, 1));
}

#[test]
fn numbers_are_those_of_smartcore() {
    let train = design(&data::regression_numeric(300, 4));
    let cx = FitContext::new(3);
    let spec = RandomForest::new().trees(10).min_rows_leaf(3);
    let model = spec.fit(&train, &cx).unwrap();
    let parameters = spec.regressor(10, cx.seed("trees 0"));
    let x = dense(&train);
    let theirs = RandomForestRegressor::fit(&x, &train.target.values().to_vec(), parameters).unwrap();
    let ours = Predict::<Regression>::predict(&model, &train.features).unwrap();
    for (ours, theirs) in ours.iter().zip(theirs.predict(&x).unwrap()) {
        assert!((ours - theirs).abs() <= 1e-14 * theirs.abs(), "{ours} {theirs}");
    }
}

#[test]
fn the_class_with_most_votes_is_that_of_smartcore() {
    let train = design(&data::multiclass_numeric(300, 4));
    let cx = FitContext::new(3);
    let model = RandomForest::new().trees(10).fit(&train, &cx).unwrap();
    let parameters = RandomForestClassifierParameters {
        n_trees: 10,
        min_samples_leaf: 1,
        seed: cx.seed("trees 0"),
        ..RandomForestClassifierParameters::default()
    };
    let x = dense(&train);
    let theirs = RandomForestClassifier::fit(&x, &train.target.codes().to_vec(), parameters).unwrap();
    let ours = Predict::<Multiclass>::predict(&model, &train.features).unwrap();
    for (row, theirs) in ours.rows().into_iter().zip(theirs.predict(&x).unwrap()) {
        assert!(row.iter().all(|&p| p <= row[theirs as usize]), "{row} {theirs}");
        assert!((row.sum() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn more_rows_than_the_cap_are_sampled_with_a_warning() {
    let train = design(&data::binary_numeric(300, 4));
    let cx = FitContext::new(3);
    let capped = RandomForest::new().trees(20).row_cap(100).fit(&train, &cx).unwrap();
    let text = cx.take_warnings()[0].what.clone();
    assert!(text.starts_with("each group of 10 trees sees a stratified sample of about 100 of 300 rows"), "{text}");
    assert_eq!(capped.trees().len(), 20);
    let good = Predict::<Binary>::predict(&capped, &train.features)
        .unwrap()
        .iter()
        .zip(train.target.events())
        .filter(|(p, e)| (**p >= 0.5) == **e)
        .count();
    assert!(good > 220, "{good} of 300 right");
}

#[test]
fn weights_are_refused() {
    let mut train = design(&data::binary_numeric(30, 4));
    train.weights = Some(Arc::new(vec![1.0; 30]));
    let error = RandomForest::new().fit(&train, &FitContext::new(0)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Pipeline(PipelineError::Ignored { .. })));
    assert!(error.to_string().starts_with("RandomForest would ignore the weights; "), "{error}");
}

#[test]
fn parameters_out_of_range_are_refused() {
    let train = design(&data::binary_numeric(30, 4));
    for spec in [
        RandomForest::new().trees(0),
        RandomForest::new().min_rows_leaf(0),
        RandomForest::new().features_per_split(Some(5)),
        RandomForest::new().row_cap(1),
    ] {
        let error = Learner::<Binary>::fit(&spec, &train, &FitContext::new(0)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Parameter(_)), "{error}");
    }
}

#[test]
fn one_class_huge_and_constant_values_never_panic() {
    use stagewise_core::column::Column;
    use stagewise_core::table::Table;
    use stagewise_core::target::{BinaryTarget, NumberTarget};
    use stagewise_core::task::BinaryLabels;
    let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
    for x in [vec![1e300, -1e300, 1.7e308, -1.7e308, 0.0, 1.6e308], vec![2.0; 6]] {
        let features = Features::new(Table::of([("x", Column::numbers(x))]).unwrap()).unwrap();
        for events in [vec![true; 6], vec![true, false, true, false, false, true]] {
            let target = BinaryTarget::new(events);
            let train = Design::<Binary>::new(features.clone(), target, labels.clone());
            let model = RandomForest::new().trees(3).fit(&train, &FitContext::new(0)).unwrap();
            let answers = Predict::<Binary>::predict(&model, &features).unwrap();
            assert!(answers.iter().all(|p| (0.0..=1.0).contains(p)));
        }
        for y in [1e300, 1e100] {
            let y = (0..6).map(|i| y * f64::from(i)).collect::<Vec<_>>();
            let target = NumberTarget::new(y);
            let train = Design::<Regression>::new(features.clone(), target, ());
            if let Ok(model) = RandomForest::new().trees(3).fit(&train, &FitContext::new(0)) {
                let answers = Predict::<Regression>::predict(&model, &features);
                assert!(answers.is_err() || answers.is_ok_and(|a| a.iter().all(|v| v.is_finite())));
            }
        }
    }
}
