//! What scikit-learn and patsy give, in both paths.

use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::record::Cell;
use stagewise_core::select::all;
use stagewise_core::stage::{Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_testkit::golden::{self, Case, Golden};

use super::*;
use crate::test_tables::{numbers, training};

fn train(case: &Case) -> Dataset<Regression> {
    training(numbers(&case.matrix("/input/fit")), case.optional_numbers("/input/weights"))
}

/// Checks the last columns of what comes, all of them unless fewer are expected, by batch and by row.
fn check(golden: &Golden, case: &Case, fitted: &impl Transform) {
    let table: Table = numbers(&case.matrix("/input/apply"));
    let out = fitted.transform(table.clone()).unwrap();
    let expected = case.matrix("/expected/transformed");
    assert_eq!(out.rows(), expected.len(), "{}", case.name);
    for (row, expected) in expected.iter().enumerate() {
        let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
        golden.assert_all_close(&found, expected, &format!("{}: row {row}", case.name));
        let (mut cells, mut by_row, mut by_batch) = (Vec::<Cell>::new(), Vec::new(), Vec::new());
        table.row_into(row, &mut cells);
        fitted.transform_row(&cells, &mut by_row).unwrap();
        out.row_into(row, &mut by_batch);
        assert_eq!(by_row, by_batch, "{}", case.name);
    }
}

fn text<'a>(case: &'a Case, pointer: &str) -> &'a str {
    case.value(pointer).as_str().unwrap()
}

fn count(case: &Case, pointer: &str) -> usize {
    case.value(pointer).as_u64().unwrap() as usize
}

/// What is told of `c0`, `c1`, … in the order of the names, in which `c10` comes before `c2`.
fn by_name(rule: &Projection, of_columns: &[f64]) -> Vec<f64> {
    rule.columns().iter().map(|name| of_columns[name[1..].parse::<usize>().unwrap()]).collect()
}

fn flag(case: &Case, pointer: &str) -> bool {
    case.value(pointer).as_bool().unwrap()
}

#[test]
fn projections_are_those_of_scikit_learn() {
    let golden = golden::load("projections.json");
    let cx = FitContext::new(0);
    for case in &golden.cases {
        let train = train(case);
        let fitted = match text(case, "/input/stage") {
            "pca" => {
                let pca = Pca::on(all()).whiten(flag(case, "/input/whiten"));
                let components = case.value("/input/components");
                let pca = match (components.as_u64(), components.as_f64()) {
                    (Some(count), _) => pca.components(count as usize),
                    (None, Some(share)) => pca.share(share),
                    (None, None) => pca,
                };
                let fitted = pca.fit(&train, &cx).unwrap();
                let rule = fitted.rule();
                let name = |what: &str| format!("{}: {what}", case.name);
                golden.assert_all_close(rule.variances(), &case.numbers("/expected/variance"), &name("variance"));
                golden.assert_all_close(rule.explained_shares(), &case.numbers("/expected/share"), &name("share"));
                let mean = by_name(rule, &case.numbers("/expected/mean"));
                golden.assert_all_close(rule.center(), &mean, &name("mean"));
                fitted
            }
            _ => TruncatedSvd::on(all()).components(count(case, "/input/components")).fit(&train, &cx).unwrap(),
        };
        let (rule, what) = (fitted.rule(), format!("{}: directions", case.name));
        let directions = case.matrix("/expected/directions");
        assert_eq!(rule.directions().len(), directions.len(), "{what}");
        for (found, expected) in rule.directions().iter().zip(&directions) {
            golden.assert_all_close(found, &by_name(rule, expected), &what);
        }
        golden.assert_all_close(rule.singular_values(), &case.numbers("/expected/singular"), &what);
        check(&golden, case, &fitted);
    }
    assert_eq!(golden.cases.len(), 11);
}

#[test]
fn splines_are_those_of_scikit_learn_and_patsy() {
    let golden = golden::load("splines.json");
    let cx = FitContext::new(0);
    for case in &golden.cases {
        let (train, knots) = (train(case), count(case, "/input/knots"));
        let spacing = match text(case, "/input/spacing") {
            "uniform" => KnotSpacing::Uniform,
            _ => KnotSpacing::Quantile,
        };
        match text(case, "/input/stage") {
            "b_spline" => {
                let extrapolation = match text(case, "/input/extrapolation") {
                    "constant" => Extrapolation::Constant,
                    "linear" => Extrapolation::Linear,
                    _ => Extrapolation::Error,
                };
                let spec = SplineTransformer::on(all()).knots(knots).degree(count(case, "/input/degree"));
                let spec = spec.spacing(spacing).extrapolation(extrapolation).bias(flag(case, "/input/bias"));
                check(&golden, case, &spec.fit(&train, &cx).unwrap());
            }
            _ => {
                check(&golden, case, &NaturalSpline::on(all()).knots(knots).spacing(spacing).fit(&train, &cx).unwrap())
            }
        }
    }
    assert_eq!(golden.cases.len(), 34);
}

#[test]
fn products_are_those_of_scikit_learn() {
    let golden = golden::load("polynomial.json");
    for case in &golden.cases {
        let spec = PolynomialFeatures::on(all()).degree(count(case, "/input/degree"));
        let spec = spec.interaction_only(flag(case, "/input/interaction_only"));
        let fitted = spec.fit(&train(case), &FitContext::new(0)).unwrap();
        let names: Vec<&str> =
            (case.value("/expected/names").as_array().unwrap().iter()).map(|name| name.as_str().unwrap()).collect();
        // There a blank parts the factors.
        let found: Vec<String> = fitted.output().names().iter().map(|name| name.replace('*', " ")).collect();
        assert_eq!(found, names, "{}", case.name);
        check(&golden, case, &fitted);
    }
    assert_eq!(golden.cases.len(), 4);
}

#[test]
fn sizes_of_random_projections_are_those_of_scikit_learn() {
    let golden = golden::load("johnson_lindenstrauss.json");
    for case in &golden.cases {
        let found = johnson_lindenstrauss(count(case, "/input/rows"), case.number("/input/distortion")).unwrap();
        assert_eq!(found, count(case, "/expected/components"), "{}", case.name);
    }
    assert!(golden.cases.len() > 5);
}
