//! Decisions about values from a file to a served row: what training rows were counted by, rows at serving are too.

use std::collections::BTreeMap;

use stagewise::features::decide::FittedValueDecider;
use stagewise::prelude::*;

const FILE: &str = "\
[purpose]
BUSINESS = { map = \"business\", author = \"M. Kern\", note = \"as the form writes it since May\" }
yacht = \"reject\"
\"?!\" = \"missing\"

[income]
999 = \"missing\"
";

fn loans() -> Table {
    let purposes = ["car", "business", "BUSINESS", "home", "yacht", "home"];
    let rows = 120;
    let purpose = Column::categories((0..rows).map(|i| Some(purposes[i * 7 % purposes.len()])));
    let income: Vec<f64> = (0..rows).map(|i| if i % 10 == 3 { 999.0 } else { 20.0 + (i * 37 % 90) as f64 }).collect();
    let late = (0..rows).map(|i| Some(if (i * 37 % 90) < 40 { "yes" } else { "no" }));
    Table::of([("purpose", purpose), ("income", Column::numbers(income)), ("late", Column::categories(late))]).unwrap()
}

#[test]
fn a_decision_is_done_and_counted_in_training_and_at_serving_alike() {
    let decisions = ValueDecisions::from_toml(FILE).unwrap();
    let data = Dataset::new(loans(), &Problem::<Binary>::new("late").event("yes")).unwrap();
    let steps = |builder: PipelineBuilder<Binary, WantsModel>, decisions: &ValueDecisions| {
        builder
            .step("decide", ValueDecider::of(decisions.clone()))
            .step("levels", OneHotEncoder::on(categories()))
            .step("fill", MedianImputer::on(numbers()))
            .model(DecisionTree::default())
            .build()
            .unwrap()
    };
    let builder = || Pipeline::builder(Problem::<Binary>::new("late").event("yes"));
    let cx = FitContext::new(3);
    let error = steps(builder(), &decisions).fit(&data, &cx).unwrap_err().to_string();
    assert!(error.contains("step `decide`") || error.contains("decide"), "{error}");
    assert!(error.contains("column `purpose`") && error.contains("`yacht` is rejected by a decision"), "{error}");

    let pipeline = steps(builder().sample("rejected", RejectedRows::of(decisions.clone())), &decisions);
    let fitted = pipeline.fit(&data, &cx).unwrap();
    let rejected = decisions.rejected(&loans()).unwrap().len();
    assert_eq!(fitted.report().stages[0].rows, 120 - rejected);
    let warned =
        fitted.report().warnings.iter().filter(|w| w.to_string().contains("no training row holds `?!`")).count();
    assert_eq!(warned, 1);

    // What the step learned is what the table says, but for the rows that the sampler left out.
    let step: FittedValueDecider = fitted.step_as("decide").unwrap();
    assert!(fitted.step_as::<FittedValueDecider>("rejected").unwrap_err().to_string().contains("known: `decide`"));
    let applied = decisions.apply(&loans()).unwrap();
    let business = |counts: &[DecisionCount]| counts.iter().find(|c| c.value == "BUSINESS").map(|c| c.rows);
    assert_eq!(business(&step.counts()), business(&applied.counts));

    // Saved and loaded, it answers as before.
    let registry = stagewise::registry();
    let fitted = FittedPipeline::<Binary>::load(&fitted.save(), &registry).unwrap();
    let answer = |purpose: &str, income: f64| {
        let mut scorer = fitted.scorer();
        let answer = scorer.score(&[("purpose", RawCell::Text(purpose)), ("income", RawCell::Number(income))]);
        (answer, scorer.take_admission().decided)
    };
    let (mapped, counted) = answer("BUSINESS", 50.0);
    let (plain, none) = answer("business", 50.0);
    assert_eq!(mapped.unwrap().to_bits(), plain.unwrap().to_bits());
    assert_eq!(counted, BTreeMap::from([("purpose".into(), BTreeMap::from([("BUSINESS".into(), 1)]))]));
    assert!(none.is_empty());
    let (refused, counted) = answer("yacht", 999.0);
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("column `purpose`: `yacht` is rejected by a decision"), "{error}");
    assert_eq!(counted.len(), 2);

    // Many rows are counted like single ones.
    let week = Table::of([
        ("purpose", Column::categories([Some("BUSINESS"), Some("?!"), Some("BUSINESS"), Some("boat")])),
        ("income", Column::numbers([999.0, 30.0, 999.0, f64::NAN])),
    ])
    .unwrap();
    let (_, admission) = fitted.predict_counted(&week).unwrap();
    let mut by_row = stagewise::core::pipeline::Admission::default();
    let mut scorer = fitted.scorer();
    for (purpose, income) in [("BUSINESS", 999.0), ("?!", 30.0), ("BUSINESS", 999.0), ("boat", f64::NAN)] {
        scorer.score(&[("purpose", RawCell::Text(purpose)), ("income", RawCell::Number(income))]).unwrap();
        by_row.merge(&scorer.take_admission());
    }
    assert_eq!(admission, by_row);
    assert_eq!(admission.decided["purpose"]["BUSINESS"], 2);
    assert_eq!(decisions.counts(&week).unwrap().iter().map(|c| c.rows).sum::<u64>(), 5);
}

#[test]
fn suites_run_on_data_sets_after_a_split() {
    let problem = Problem::<Binary>::new("late").event("yes");
    let data = Dataset::new(loans(), &problem).unwrap();
    let (train, holdout) = StratifiedHoldout::new(0.25).split(data, &FitContext::new(1)).unwrap();
    let table = train.table().unwrap();
    let schema = DataSchema::infer(&table);
    assert!(schema.check(&table, Environment::Training).anomalies.is_empty());
    let test = holdout.unlabelled().unwrap();
    assert_eq!(test.schema().names(), ["purpose", "income"]);
    let report = Leakage::new().check(&table, &test).unwrap();
    assert_eq!((report.train_rows, report.test_rows), (90, 30));
    assert!(report.powers.iter().all(|power| power.test.is_none()));
    assert!(report.notes.iter().any(|note| note.contains("`late` is not in the test rows")), "{:?}", report.notes);
    assert_eq!(Integrity::new().check(&table).unwrap().rows, 90);
}
