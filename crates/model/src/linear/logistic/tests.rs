use std::sync::Arc;

use super::*;
use stagewise_core::column::Column;
use stagewise_core::error::{ErrorKind, PipelineError};
use stagewise_core::matrix::Features;
use stagewise_core::schema::Levels;
use stagewise_core::stage::Predict;
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, ClassTarget};
use stagewise_core::task::BinaryLabels;
use stagewise_testkit::{conformance, data, golden};

fn features(rows: &[Vec<f64>]) -> Features {
    let names: Vec<String> = (0..rows[0].len()).map(|j| format!("x{j}")).collect();
    let column = |j: usize| Column::numbers(rows.iter().map(|r| r[j]).collect::<Vec<_>>());
    let columns: Vec<_> = names.iter().enumerate().map(|(j, name)| (name.as_str(), column(j))).collect();
    Features::new(Table::of(columns).unwrap()).unwrap()
}

fn binary(rows: &[Vec<f64>], events: Vec<bool>, weights: Option<Vec<f64>>) -> Design<Binary> {
    let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
    Design::new(features(rows), BinaryTarget::new(events), labels).weighted(weights.map(Arc::new))
}

fn multiclass(rows: &[Vec<f64>], codes: Vec<u32>, weights: Option<Vec<f64>>) -> Design<Multiclass> {
    let labels = Levels::new(["a", "b", "c"]);
    let target = ClassTarget::new(codes, 3);
    Design::new(features(rows), target, labels).weighted(weights.map(Arc::new))
}

/// Compares with the golden file; `tolerance` replaces the file's where a backend stops earlier.
fn check_golden(backend: LogisticBackend, tolerance: Option<f64>) {
    let golden = golden::load("logistic_regression.json");
    let close = |found: &[f64], expected: &[f64], what: &str| match tolerance {
        None => golden.assert_all_close(found, expected, what),
        Some(tolerance) => {
            assert_eq!(found.len(), expected.len());
            assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < tolerance), "{what}: {found:?}");
        }
    };
    assert!(golden.cases.len() >= 13);
    for case in &golden.cases {
        let rows = case.matrix("/input/features");
        let classes: Vec<u32> = case.numbers("/input/target").iter().map(|&c| c as u32).collect();
        let weights = case.optional_numbers("/input/weights");
        if backend == LogisticBackend::Linfa && weights.is_some() {
            continue;
        }
        let intercept = case.value("/input/fit_intercept").as_bool().unwrap();
        let spec = LogisticRegression::new().l2(1.0 / case.number("/input/c")).intercept(intercept).backend(backend);
        let cx = FitContext::new(0);
        let expected = case.matrix("/expected/probability");
        let model = if expected[0].len() == 2 {
            let train = binary(&rows, classes.iter().map(|&c| c == 1).collect(), weights);
            let model = spec.fit(&train, &cx).unwrap();
            for (row, expected) in rows.iter().zip(&expected) {
                close(&[Predict::<Binary>::predict_row(&model, row).unwrap()], &expected[1..], &case.name);
            }
            model
        } else {
            let model = spec.fit(&multiclass(&rows, classes, weights), &cx).unwrap();
            for (row, expected) in rows.iter().zip(&expected) {
                close(&Predict::<Multiclass>::predict_row(&model, row).unwrap(), expected, &case.name);
            }
            model
        };
        for (found, expected) in model.coefficients().iter().zip(case.matrix("/expected/coef")) {
            close(found, &expected, &case.name);
        }
        close(model.intercepts(), &case.numbers("/expected/intercept"), &case.name);
        assert!(cx.take_warnings().is_empty(), "{}", case.name);
    }
}

#[test]
fn golden() {
    check_golden(LogisticBackend::Newton, None);
}

#[test]
fn golden_by_linfa() {
    check_golden(LogisticBackend::Linfa, Some(1e-4));
}

#[test]
fn conformance() {
    let spec = LogisticRegression::new();
    conformance::learner::<Binary, _>(&spec, &data::binary_numeric(90, 1));
    conformance::learner::<Multiclass, _>(&spec, &data::multiclass_numeric(90, 1));
    let spec = spec.backend(LogisticBackend::Linfa);
    conformance::learner::<Binary, _>(&spec, &data::binary_numeric(90, 1));
    conformance::learner::<Multiclass, _>(&spec, &data::multiclass_numeric(90, 1));
}

#[test]
fn both_solvers_find_the_same_minimum() {
    let data = data::binary_numeric(300, 3);
    let features = Features::new(data.features().clone()).unwrap();
    let x = features.matrix();
    let class: Vec<u32> = data.target().events().iter().map(|&e| u32::from(e)).collect();
    let y: Vec<f64> = class.iter().map(|&c| f64::from(c)).collect();
    let cx = FitContext::new(0);
    let (l2, intercept) = (0.5, true);
    let problem = newton::Problem { x, y: &y, weights: None, l2, intercept };
    let a = newton::minimise(problem, 1e-8, 100, &cx).unwrap().unwrap();
    let problem = descent::Problem { x, class: &class, outputs: 1, weights: None, l2, intercept };
    let b = descent::minimise(problem, &[1.0, 1.0, 1.0, 100.0], 1e-8, 1000, &cx).unwrap();
    assert!(a.converged && b.converged && a.iterations < 20, "{} steps", a.iterations);
    for (a, b) in a.coefficients.iter().zip(&b.coefficients[0]) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    assert!((a.intercept - b.intercepts[0]).abs() < 1e-6);
}

#[test]
fn many_rows_start_from_a_sample_and_end_at_the_same_place() {
    let data = data::binary_numeric(70_000, 5);
    let features = Features::new(data.features().clone()).unwrap();
    let y: Vec<f64> = data.target().events().iter().map(|&e| f64::from(u8::from(e))).collect();
    let cx = FitContext::new(0);
    let problem = newton::Problem { x: features.matrix(), y: &y, weights: None, l2: 1.0, intercept: true };
    let end = newton::minimise(problem, 1e-8, 100, &cx).unwrap().unwrap();
    assert!(end.converged && end.iterations <= 5, "{} steps over all rows", end.iterations);
    let tight = newton::minimise(problem, 1e-13, 100, &cx).unwrap().unwrap();
    assert!(end.coefficients.iter().zip(&tight.coefficients).all(|(a, b)| (a - b).abs() < 1e-9));
}

#[test]
fn separated_classes_without_a_penalty_end_with_a_warning() {
    let rows: Vec<Vec<f64>> = (0..40).map(|i| vec![f64::from(i) - 19.5]).collect();
    let events: Vec<bool> = (0..40).map(|i| i >= 20).collect();
    let cx = FitContext::new(0);
    let model = LogisticRegression::new().l2(0.0).fit(&binary(&rows, events, None), &cx).unwrap();
    assert!(model.coefficients()[0][0].is_finite());
    let warnings = cx.take_warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].what.starts_with("the features separate the classes"), "{}", warnings[0].what);
    assert!(warnings[0].what.ends_with("set `l2` above 0"), "{}", warnings[0].what);
}

#[test]
fn an_end_short_of_the_tolerance_is_a_warning_with_the_numbers() {
    let data = data::binary_numeric(80, 3);
    let features = Features::new(data.features().clone()).unwrap();
    let (target, labels) = (data.target().clone(), data.labels().clone());
    let train = Design::<Binary>::new(features, target, labels);
    let cx = FitContext::new(0);
    LogisticRegression::new().max_iterations(1).fit(&train, &cx).unwrap();
    let text = cx.take_warnings()[0].what.clone();
    assert!(text.starts_with("did not converge in 1 iterations (last change "), "{text}");
}

#[test]
fn dependent_columns_and_constants_fit_without_a_penalty() {
    let rows: Vec<Vec<f64>> = (0..60)
        .map(|i| vec![f64::from(i % 3 == 0), f64::from(i % 3 == 1), f64::from(i % 3 == 2), 0.1, f64::from(i % 7)])
        .collect();
    let events: Vec<bool> = (0..60).map(|i| (i * 7 + i * i) % 5 < 2).collect();
    let cx = FitContext::new(0);
    let model = LogisticRegression::new().l2(0.0).fit(&binary(&rows, events, None), &cx).unwrap();
    let coefficients = &model.coefficients()[0];
    assert_eq!(coefficients[3], 0.0);
    assert!((coefficients[0] + coefficients[1] + coefficients[2]).abs() < 1e-8, "not of least norm: {coefficients:?}");
    assert!(cx.take_warnings()[0].what.starts_with("`x2` is a linear combination"));
}

#[test]
fn one_class_is_refused_with_its_name() {
    let train = binary(&[vec![1.0], vec![2.0]], vec![true, true], None);
    let error = LogisticRegression::new().fit(&train, &FitContext::new(0)).unwrap_err();
    assert!(error.to_string().contains("has only the level `yes` in 2 rows"), "{error}");
    let weights = Some(vec![1.0, 1.0, 0.0]);
    let train = multiclass(&[vec![1.0], vec![2.0], vec![3.0]], vec![1, 1, 2], weights);
    assert!(LogisticRegression::new().fit(&train, &FitContext::new(0)).is_err());
}

#[test]
fn a_class_without_rows_gets_the_probability_0() {
    let rows: Vec<Vec<f64>> = (0..20).map(|i| vec![f64::from(i)]).collect();
    let train = multiclass(&rows, (0..20).map(|i| if i % 3 == 0 { 0 } else { 2 }).collect(), None);
    let cx = FitContext::new(0);
    let model = LogisticRegression::new().fit(&train, &cx).unwrap();
    assert_eq!(Predict::<Multiclass>::predict_row(&model, &[3.0]).unwrap()[1], 0.0);
    assert_eq!(cx.take_warnings()[0].what, "no training row has the class `b`; its probability is 0");
}

#[test]
fn linfa_refuses_weights() {
    let train = binary(&[vec![1.0], vec![2.0]], vec![true, false], Some(vec![1.0, 2.0]));
    let spec = LogisticRegression::new().backend(LogisticBackend::Linfa);
    let error = spec.fit(&train, &FitContext::new(0)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Pipeline(PipelineError::Ignored { .. })));
    assert_eq!(
        error.to_string(),
        "LogisticRegression with the backend Linfa would ignore the weights; use the backend Newton, or fit without \
         weights"
    );
}

#[test]
fn huge_values_never_give_nan() {
    for scale in [1e-300, 1e9, 1e20, 1e100, 1e160, 1e300] {
        let rows: Vec<Vec<f64>> = (0..9).map(|i| vec![scale * f64::from(i * i % 5), f64::from(i)]).collect();
        let train = binary(&rows, (0..9).map(|i| i % 2 == 0).collect(), None);
        for backend in [LogisticBackend::Newton, LogisticBackend::Linfa] {
            let spec = LogisticRegression::new().backend(backend);
            if let Ok(model) = spec.fit(&train, &FitContext::new(0)) {
                for row in &rows {
                    if let Ok(p) = Predict::<Binary>::predict_row(&model, row) {
                        assert!((0.0..=1.0).contains(&p), "{scale:e} {backend:?}: {p}");
                    }
                }
            }
        }
    }
}
