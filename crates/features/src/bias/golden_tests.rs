//! What fairlearn and the formulas in numpy give.

use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::problem::Problem;
use stagewise_core::select::{all, named};
use stagewise_core::stage::{Sampler, Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::task::{Multiclass, Regression};
use stagewise_testkit::golden::{self, Case, Golden};

use super::*;
use crate::test_tables::{admitted, numbers, training};

fn texts<'a>(case: &'a Case, pointer: &str) -> Vec<Option<&'a str>> {
    case.value(pointer).as_array().unwrap().iter().map(|value| value.as_str()).collect()
}

fn flags(case: &Case, pointer: &str) -> Vec<bool> {
    case.numbers(pointer).into_iter().map(|x| x != 0.0).collect()
}

fn check_rows(golden: &Golden, case: &Case, out: &Table) {
    for (row, expected) in case.matrix("/expected/transformed").iter().enumerate() {
        let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
        golden.assert_all_close(&found, expected, &format!("{}: row {row}", case.name));
    }
}

#[test]
fn correlations_are_removed_as_by_fairlearn() {
    let golden = golden::load("correlation_remover.json");
    for case in &golden.cases {
        let protected: Vec<String> = case.numbers("/input/protected").iter().map(|j| format!("c{j}")).collect();
        let train: Dataset<Regression> =
            training(numbers(&case.matrix("/input/fit")), case.optional_numbers("/input/weights"));
        let spec = CorrelationRemover::on(all(), named(protected)).alpha(case.number("/input/alpha"));
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        check_rows(&golden, case, &fitted.transform(numbers(&case.matrix("/input/apply"))).unwrap());
    }
    assert_eq!(golden.cases.len(), 5);
}

#[test]
fn distributions_are_repaired_as_the_definition_says() {
    let golden = golden::load("disparate_impact_remover.json");
    for case in &golden.cases {
        let table = |what: &str| {
            let group = Column::categories(texts(case, &format!("/input/{what}_group")));
            let values = Column::numbers(case.numbers(&format!("/input/{what}")));
            Table::of([("group", group), ("x", values)]).unwrap()
        };
        let train: Dataset<Regression> = training(table("fit"), case.optional_numbers("/input/weights"));
        let spec = DisparateImpactRemover::on(named(["x"]), named(["group"]));
        let spec = spec.repair(case.number("/input/repair")).quantiles(case.number("/input/quantiles") as usize);
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(admitted(train.features(), &table("apply"))).unwrap();
        let found = out.column("x").unwrap().as_numbers().unwrap();
        golden.assert_all_close(found, &case.numbers("/expected/transformed"), &case.name);
    }
    assert_eq!(golden.cases.len(), 6);
}

#[test]
fn rows_are_weighed_as_the_formula_says() {
    let golden = golden::load("reweighing.json");
    for case in &golden.cases {
        let table = Table::of([
            ("group", Column::categories(texts(case, "/input/group"))),
            ("label", Column::categories(texts(case, "/input/label"))),
        ]);
        let problem = Problem::<Multiclass>::new("label").protected("group");
        let data = Dataset::new(table.unwrap(), &problem).unwrap();
        let data = match case.optional_numbers("/input/weights") {
            Some(weights) => data.reweighted(weights).unwrap(),
            None => data,
        };
        let weighed = Reweighing::new().resample(data, &FitContext::new(0)).unwrap();
        golden.assert_all_close(weighed.weights().unwrap(), &case.numbers("/expected/weights"), &case.name);
    }
    assert_eq!(golden.cases.len(), 3);
}

#[test]
fn rates_are_those_of_fairlearn() {
    let golden = golden::load("bias_report.json");
    for case in &golden.cases {
        let group = Column::categories(texts(case, "/input/group"));
        let (selected, truth) = (flags(case, "/input/selected"), flags(case, "/input/truth"));
        let weights = case.optional_numbers("/input/weights");
        let report = BiasReport::of_decisions("group", &group, &selected, Some(&truth), weights.as_deref()).unwrap();
        for (found, pointer) in [
            (report.disparate_impact(), "/expected/ratio"),
            (Some(report.statistical_parity_difference()), "/expected/difference"),
            (report.equal_opportunity_difference(), "/expected/equal_opportunity"),
        ] {
            golden.assert_close(found.unwrap(), case.number(pointer), &format!("{}: {pointer}", case.name));
        }
    }
    assert_eq!(golden.cases.len(), 4);
}
