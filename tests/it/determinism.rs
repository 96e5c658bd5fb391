//! Same seed, same rows, same bits: with one thread and with four. (I4)

use stagewise::prelude::*;

use crate::recipes::{dataset, loans, prepared};

fn pipelines() -> Vec<Pipeline<Binary>> {
    vec![
        prepared(loans()).model(LogisticRegression::default()).build().unwrap(),
        prepared(loans()).model(DecisionTree::default()).build().unwrap(),
        prepared(loans()).model(RandomForest::default().trees(20)).build().unwrap(),
        Pipeline::builder(loans()).model(GradientBoosting::new().early_stopping(Some(5))).build().unwrap(),
    ]
}

#[test]
fn a_fit_has_the_same_bits_on_any_number_of_threads() {
    let data = dataset("loans.csv", &loans());
    for pipeline in pipelines() {
        let fit = |seed, threads| {
            let cx = FitContext::new(seed).threads(threads).unwrap();
            pipeline.fit(&data, &cx).unwrap()
        };
        let (one, four) = (fit(5, 1), fit(5, 4));
        assert_eq!(one.fingerprint(), four.fingerprint(), "{pipeline:?}");
        let table = data.features();
        assert_eq!(one.predict(table).unwrap(), four.predict(table).unwrap(), "{pipeline:?}");
    }
}

#[test]
fn cross_validation_and_intervals_have_the_same_bits_on_any_number_of_threads() {
    let data = dataset("loans.csv", &loans());
    let pipeline = &pipelines()[1];
    let run = |threads| {
        let cx = FitContext::new(5).threads(threads).unwrap();
        let metrics = [AnyMetric::new(RocAuc), AnyMetric::new(LogLoss)];
        let result = cross_validate(pipeline, &data, &StratifiedKFold::new(3), &metrics, &cx).unwrap();
        let output = result.out_of_fold().unwrap().clone();
        let options = Bootstrap::new().resamples(50);
        let interval = bootstrap(&metrics[0], data.target(), &output, None, &options, &cx).unwrap();
        (result.mean("roc_auc").unwrap(), result.mean("log_loss").unwrap(), output, interval.low, interval.high)
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn another_seed_gives_other_folds() {
    let data = dataset("loans.csv", &loans());
    let split = |seed| StratifiedKFold::new(3).split(&data, &FitContext::new(seed)).unwrap();
    assert_ne!(split(1), split(2));
}

/// Adding a step changes no random stream of another step.
#[test]
fn streams_go_by_name_not_by_order() {
    let data = dataset("loans.csv", &loans());
    let cx = FitContext::new(5);
    let forest = || RandomForest::default().trees(5);
    let without = prepared(loans()).model(forest()).build().unwrap().fit(&data, &cx).unwrap();
    // This step selects nothing.
    let with =
        prepared(loans()).step("nothing", StandardScaler::on(named::<&str>([]))).model(forest()).build().unwrap();
    let with = with.fit(&data, &cx).unwrap();
    assert_eq!(without.predict(data.features()).unwrap(), with.predict(data.features()).unwrap());
}
