//! Samplers as steps of a pipeline: they change what is learned from, and nothing that is answered.

use stagewise::prelude::*;

use crate::recipes::{dataset, loans, prepared};

fn balanced(sampler: impl Sampler<Binary>) -> Pipeline<Binary> {
    prepared(loans()).sample("balance", sampler).model(LogisticRegression::default()).build().unwrap()
}

#[test]
fn a_pipeline_balances_training_rows_only_and_is_loaded_with_its_sampler() {
    let data = dataset("loans.csv", &loans()).take(&(0..1500).collect::<Vec<_>>());
    let events = data.target().events().iter().filter(|event| **event).count();
    let cx = FitContext::new(3);
    let fitted = balanced(Smote::new()).fit(&data, &cx).unwrap();
    let balance = fitted.report().stages.iter().find(|stage| stage.name == "balance").unwrap();
    assert_eq!(balance.rows, 2 * events.max(1500 - events));

    let answers = fitted.predict(data.features()).unwrap();
    assert_eq!(answers.len(), 1500);
    let mean = |answers: &ndarray::Array1<f64>| answers.sum() / answers.len() as f64;
    let plain = prepared(loans()).model(LogisticRegression::default()).build().unwrap().fit(&data, &cx).unwrap();
    assert!(mean(&answers) > mean(&plain.predict(data.features()).unwrap()) + 0.1, "a rare event looks less rare");

    let loaded = FittedPipeline::<Binary>::load(&fitted.save(), &stagewise::registry()).unwrap();
    assert_eq!(loaded.predict(data.features()).unwrap(), answers);
}

#[test]
fn mixtures_of_two_classes_reach_the_learner_as_weights() {
    let data = dataset("loans.csv", &loans()).take(&(0..600).collect::<Vec<_>>());
    let fitted = balanced(Mixup::new()).fit(&data, &FitContext::new(3)).unwrap();
    let rows = fitted.report().stages.iter().find(|stage| stage.name == "balance").map(|stage| stage.rows);
    assert!(rows > Some(1200), "some mixtures are of two classes");
}
