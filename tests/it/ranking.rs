//! A ranking from table to answer: groups stay whole everywhere, and a row to score needs none.

use stagewise::core::error::{ErrorKind, PipelineError};
use stagewise::model::History;
use stagewise::prelude::*;
use stagewise_testkit::data;

fn problem() -> Problem<Ranking> {
    Problem::ranking("target", "group").primary(Ndcg::new().at(5), beats_baseline(0.02))
}

fn pipeline(learner: GradientBoosting) -> Pipeline<Ranking> {
    Pipeline::builder(problem())
        .step("impute", MedianImputer::on(numbers()).indicator(true))
        .model(learner)
        .build()
        .unwrap()
}

fn boosting() -> GradientBoosting {
    GradientBoosting::new().rounds(40).max_leaves(6)
}

#[test]
fn a_ranking_is_fitted_judged_packaged_and_answers_a_row_without_a_group() {
    let cx = FitContext::new(3);
    let (train, holdout) = GroupHoldout::new(0.3).split(data::ranking(600, 5), &cx).unwrap();
    let fitted = pipeline(boosting()).fit(&train, &cx).unwrap();
    assert!(!fitted.contract().schema().names().contains(&"group".to_string()), "the group is no feature");

    let mut ledger = Ledger::in_memory();
    let evaluation = holdout.evaluate_once(&fitted, &mut ledger).unwrap();
    assert_eq!(evaluation.scores[0].metric, "ndcg_at_5");
    assert!(evaluation.scores[0].value > 0.75, "{:?}", evaluation.scores);
    let options = Bootstrap::new().resamples(200);
    let metric = AnyMetric::new(Ndcg::new().at(5));
    for options in [options, options.bias_corrected(true)] {
        let interval = bootstrap(&metric, evaluation.data.target(), &evaluation.output, None, &options, &cx).unwrap();
        assert_eq!(interval.estimate, evaluation.scores[0].value);
        assert!(interval.low < interval.estimate && interval.estimate < interval.high, "{interval:?}");
    }

    let approved = Gate::check(&fitted, &evaluation, &mut ledger).unwrap().approve().unwrap();
    let table = evaluation.data.features().take(&[0, 1, 2]);
    let bytes = Artifact::package(fitted, approved, &table).unwrap().to_bytes().unwrap();
    let artifact = Artifact::<Ranking>::from_bytes(&bytes, &stagewise::registry()).unwrap();
    let names = artifact.fitted().contract().schema().names();
    let score = |plan: &str, age: f64| {
        let cell = |name: &str| match name {
            "age" => RawCell::Number(age),
            "plan" => RawCell::Text(plan),
            "constant" => RawCell::Number(3.5),
            _ => RawCell::Missing,
        };
        let record: Vec<(&str, RawCell<'_>)> = names.iter().map(|name| (name.as_str(), cell(name))).collect();
        artifact.fitted().scorer().score(&record).unwrap()
    };
    let (first, last) = (score("pro", 75.0), score("basic", 20.0));
    assert!(first > last + 0.5, "{first} {last}");
    let answer = serde_json::to_value(artifact.fitted().describe(&first)).unwrap();
    assert_eq!(answer["score"], first);
}

/// I2 and I4: rows held out are whole groups, and threads change nothing.
#[test]
fn early_stopping_holds_out_whole_groups_on_any_number_of_threads() {
    let data = data::ranking(400, 6);
    let spec = pipeline(boosting().rounds(200).early_stopping(Some(5)).held_out(0.2));
    let of = |threads| spec.fit(&data, &FitContext::new(1).threads(threads).unwrap()).unwrap();
    let (one, four) = (of(1), of(4));
    assert_eq!(one.fingerprint(), four.fingerprint());
    let sizes: Vec<usize> = data.target().lists().iter().map(Vec::len).collect();
    let held = one.report().held_out;
    assert!(held > 0 && held < 400);
    // As many rows as some 20 % of the groups have: between the smallest and the largest of them.
    let count = (0.2 * sizes.len() as f64).round() as usize;
    let mut sizes = sizes;
    sizes.sort_unstable();
    let least: usize = sizes[..count].iter().sum();
    let most: usize = sizes[sizes.len() - count..].iter().sum();
    assert!((least..=most).contains(&held), "{held} of {least} to {most}");
    let model: TreeEnsemble = one.model_as().unwrap();
    let History { loss, validation, rounds, .. } = model.training_history().unwrap();
    assert_eq!(loss, "1 - NDCG");
    assert!(*rounds > 0 && validation[*rounds] < validation[0] && validation.len() < 200, "{validation:?}");
}

#[test]
fn cross_validation_deals_whole_groups_and_refuses_to_tear_them() {
    let data = data::ranking(300, 7);
    let cx = FitContext::new(2);
    let metrics = [AnyMetric::new(Ndcg::new()), AnyMetric::new(MeanReciprocalRank::new())];
    let done = CrossValidation::new(GroupKFold::new(3)).run(&pipeline(boosting()), &data, &metrics, &cx).unwrap();
    let flat = Pipeline::builder(problem()).model(ConstantBaseline).build().unwrap();
    let base = CrossValidation::new(GroupKFold::new(3)).run(&flat, &data, &metrics, &cx).unwrap();
    let results = [("constant", &base), ("boosting", &done)];
    let ranked = ranking(&results, "ndcg").unwrap();
    assert_eq!(ranked[0].name, "boosting");
    assert!(ranked[0].mean > ranked[1].mean + 0.02, "{ranked:?}");
    let error = CrossValidation::new(KFold::new(3)).run(&flat, &data, &metrics, &cx).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Pipeline(PipelineError::Ignored { .. })), "{error}");
}
