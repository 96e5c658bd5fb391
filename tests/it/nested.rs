//! Choosing among pipelines by nested folds, beside the numbers of scikit-learn; and the splits of the data crate in it.

use stagewise::core::split::{Nested, Split};
use stagewise::eval::NestedCrossValidation;
use stagewise::prelude::*;
use stagewise_testkit::golden::{self, Case};

fn problem(weighted: bool) -> Problem<Regression> {
    let problem = Problem::new("y");
    if weighted { problem.weight("w") } else { problem }
}

fn rows(case: &Case) -> Dataset<Regression> {
    let x = case.matrix("/input/x");
    let column = |j: usize| (format!("x{j}"), Column::numbers(x.iter().map(|row| row[j]).collect::<Vec<_>>()));
    let mut columns: Vec<(String, Column)> = (0..x[0].len()).map(column).collect();
    columns.push(("y".into(), Column::numbers(case.numbers("/input/y"))));
    let weights = case.optional_numbers("/input/weights");
    let problem = problem(weights.is_some());
    columns.extend(weights.map(|weights| ("w".to_string(), Column::numbers(weights))));
    Dataset::new(Table::of(columns).unwrap(), &problem).unwrap()
}

fn splits(case: &Case, at: &str) -> Vec<Split> {
    let side = |name: &str| -> Vec<Vec<usize>> {
        let rows = case.matrix(&format!("{at}/{name}"));
        rows.iter().map(|rows| rows.iter().map(|&row| row as usize).collect()).collect()
    };
    let pairs = side("train").into_iter().zip(side("validation"));
    // KFold with shuffling gives rows in ascending order.
    pairs.map(|(train, validation)| Split { train, validation }).collect()
}

#[test]
fn choices_and_scores_are_those_of_a_nested_loop_with_scikit_learn() {
    let golden = golden::load("nested_cross_validation.json");
    for case in &golden.cases {
        let data = rows(case);
        let outer = splits(case, "/input/outer");
        let nested: Vec<Nested> = outer
            .into_iter()
            .enumerate()
            .map(|(fold, outer)| Nested { outer, inner: splits(case, &format!("/input/inner/{fold}")) })
            .collect();
        let metric: AnyMetric<Regression> =
            if case.value("/input/metric") == "rmse" { AnyMetric::new(Rmse) } else { AnyMetric::new(R2) };
        let l2 = case.numbers("/input/l2");
        let mut spec = NestedCrossValidation::new(metric.clone());
        for &l2 in &l2 {
            let pipeline = Pipeline::builder(problem(data.weights().is_some()))
                .model(LinearRegression::new().l2(l2))
                .build()
                .unwrap();
            spec = spec.candidate(format!("l2 of {l2}"), pipeline);
        }
        let found = spec.run(&data, &nested, &FitContext::new(1)).unwrap();
        let chosen: Vec<f64> = found.choices().iter().map(|choice| choice.place as f64).collect();
        golden.assert_all_close(&chosen, &case.numbers("/expected/chosen"), &format!("{}, chosen", case.name));
        for (fold, choice) in found.choices().iter().enumerate() {
            for (candidate, scores) in choice.scores.iter().enumerate() {
                let expected = case.numbers(&format!("/expected/scores/{fold}/{candidate}"));
                golden.assert_all_close(scores, &expected, &format!("{}, fold {fold}", case.name));
            }
        }
        let outer = found.outer().scores(&metric.name()).unwrap();
        golden.assert_all_close(&outer, &case.numbers("/expected/outer"), &format!("{}, outer", case.name));
        assert!(chosen.iter().any(|&place| place > 0.0), "{}: something else than the first is chosen", case.name);
    }
}

#[test]
fn splits_of_the_data_crate_judge_pipelines() {
    let data = stagewise_testkit::data::binary_numeric(120, 4);
    let cx = FitContext::new(3);
    let nested = NestedSplit::new(StratifiedKFold::new(4), StratifiedKFold::new(3)).split(&data, &cx).unwrap();
    let pipeline = |l2: f64| {
        Pipeline::builder(Problem::new("target").event("yes")).model(LogisticRegression::new().l2(l2)).build().unwrap()
    };
    let spec = NestedCrossValidation::new(AnyMetric::new(LogLoss));
    let spec = spec.candidate("weak", pipeline(1.0)).candidate("hardly any", pipeline(1e9));
    let found = spec.run(&data, &nested, &cx).unwrap();
    assert_eq!(found.times_chosen("weak"), 4);
    // The same outer splits without a choice: the same scores.
    let outer =
        cross_validate(&pipeline(1.0), &data, &StratifiedKFold::new(4), &[AnyMetric::new(LogLoss)], &cx.step("outer"));
    let outer = outer.unwrap();
    assert_eq!(outer.splits(), found.outer().splits());
    assert_eq!(outer.scores("log_loss").unwrap(), found.outer().scores("log_loss").unwrap());
    assert!(found.interval(0.95).unwrap().contains(found.mean().unwrap()));
}
