//! Tests of linear leaves: by hand, against LightGBM, and at the edges.

use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::matrix::{Design, Features};
use stagewise_core::persist::{decode, encode};
use stagewise_core::stage::{Learner, Predict};
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, NumberTarget};
use stagewise_core::task::{Binary, BinaryLabels, Regression};
use stagewise_numeric::random::Stream;
use stagewise_testkit::{conformance, data, golden};

use crate::tree::boost::learner::{GradientBoosting, Monotone};
use crate::tree::boost::objective::Objective;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::structure::Node;

fn features(columns: &[Vec<f64>]) -> Features {
    let named = columns.iter().enumerate().map(|(j, column)| (format!("x{j}"), Column::numbers(column.clone())));
    Features::new(Table::of(named).unwrap()).unwrap()
}

fn design(columns: &[Vec<f64>], y: Vec<f64>) -> Design<Regression> {
    Design::new(features(columns), NumberTarget::new(y), ())
}

fn fit(spec: &GradientBoosting, train: &Design<Regression>) -> TreeEnsemble {
    spec.fit(train, &FitContext::new(1)).unwrap()
}

fn answer(model: &TreeEnsemble, row: &[f64]) -> f64 {
    Predict::<Regression>::predict_row(model, row).unwrap()
}

/// One round of whole steps.
fn once() -> GradientBoosting {
    GradientBoosting::new().rounds(1).learning_rate(1.0).max_leaves(2).linear_leaves(true).linear_l2(0.0)
}

/// Two lines that meet nowhere.
fn broken(x: f64) -> f64 {
    if x < 50.0 { 3.0 - 2.0 * x } else { 200.0 + 0.5 * x }
}

#[test]
fn broken_lines_are_fitted_exactly() {
    let x: Vec<f64> = (0..100).map(f64::from).collect();
    let train = design(std::slice::from_ref(&x), x.iter().map(|&x| broken(x)).collect());
    let model = fit(&once(), &train);
    for x in [0.0, 17.5, 49.0, 51.0, 99.0, 300.0] {
        assert!((answer(&model, &[x]) - broken(x)).abs() < 1e-9, "{x}");
    }
    // Without a finite number the leaf answers its mean.
    let mean = (0..50).map(|x| broken(f64::from(x))).sum::<f64>() / 50.0;
    assert!((answer(&model, &[f64::NEG_INFINITY]) - mean).abs() < 1e-9);
    let tree = &model.trees()[0];
    let leaf = (0..tree.len()).find(|&at| matches!(tree.node(at, 1), Some(Node::Leaf(_)))).unwrap();
    let line = tree.line(leaf).unwrap();
    assert_eq!(line.features, [0]);
    assert!((line.slopes[0] + 2.0).abs() < 1e-12, "{}", line.slopes[0]);
}

#[test]
fn the_penalty_is_of_the_slope_and_not_of_its_scale() {
    let x: Vec<f64> = (0..100).map(f64::from).collect();
    for scale in [1e-6, 1.0, 1e6] {
        let scaled: Vec<f64> = x.iter().map(|x| x * scale).collect();
        let train = design(&[scaled], x.iter().map(|&x| broken(x)).collect());
        let model = fit(&once().linear_l2(10.0), &train);
        // 50 rows of hessian 1: the slope shrinks to 50 / 60 of what it was; the mean stays.
        let mean = (0..50).map(|x| broken(f64::from(x))).sum::<f64>() / 50.0;
        let expected = mean - 2.0 * (50.0 / 60.0) * (10.0 - 24.5);
        assert!((answer(&model, &[10.0 * scale]) - expected).abs() < 1e-8, "{scale}");
    }
}

#[test]
fn held_out_losses_are_those_of_lightgbm() {
    let golden = golden::load("linear_leaves.json");
    for case in &golden.cases {
        let (rows, train) = (case.matrix("/input/x"), case.number("/input/train") as usize);
        let y = case.numbers("/input/y");
        let part = |rows: &[Vec<f64>]| -> Features {
            features(&(0..3).map(|j| rows.iter().map(|row| row[j]).collect()).collect::<Vec<_>>())
        };
        let (learn, judge) = (part(&rows[..train]), part(&rows[train..]));
        let spec = GradientBoosting::new().rounds(case.number("/input/rounds") as usize).max_leaves(8);
        let loss = |spec: &GradientBoosting| {
            if case.name == "binary" {
                let events: Vec<bool> = y.iter().map(|&y| y == 1.0).collect();
                let labels = BinaryLabels { event: "1".into(), other: "0".into() };
                let design = Design::<Binary>::new(learn.clone(), BinaryTarget::new(events[..train].to_vec()), labels);
                let model = spec.fit(&design, &FitContext::new(1)).unwrap();
                let answers = Predict::<Binary>::predict(&model, &judge).unwrap();
                let loss = |(p, event): (&f64, &bool)| -(if *event { *p } else { 1.0 - p }).ln();
                answers.iter().zip(&events[train..]).map(loss).sum::<f64>() / (y.len() - train) as f64
            } else {
                let design = Design::<Regression>::new(learn.clone(), NumberTarget::new(y[..train].to_vec()), ());
                let answers = Predict::<Regression>::predict(&fit(spec, &design), &judge).unwrap();
                let squares = answers.iter().zip(&y[train..]).map(|(a, y)| (a - y) * (a - y));
                (squares.sum::<f64>() / (y.len() - train) as f64).sqrt()
            }
        };
        let (constant, plain, drawn) = (
            loss(&spec),
            loss(&spec.clone().linear_leaves(true).linear_l2(0.0)),
            loss(&spec.clone().linear_leaves(true)),
        );
        let expected = case.number("/expected/loss");
        if case.name == "binary" {
            // Not the same model: LightGBM's first tree has no lines.
            assert!((plain / expected - 1.0).abs() < 0.07, "{plain}, {expected}");
            assert!(plain < constant, "{plain}, {constant}");
        } else {
            golden.assert_close(plain, expected, &case.name);
            assert!(plain < 0.9 * constant && drawn < 0.9 * constant, "{}: {constant}, {plain}, {drawn}", case.name);
        }
    }
}

#[test]
fn rows_and_batches_and_threads_agree() {
    let spec = GradientBoosting::new().rounds(6).min_rows_leaf(8.0).linear_leaves(true);
    conformance::learner::<Regression, _>(&spec, &data::regression(90, 1));
    conformance::learner::<Binary, _>(&spec, &data::binary(90, 2));
    conformance::learner::<stagewise_core::task::Multiclass, _>(&spec, &data::multiclass(90, 3));
    let stopping = spec.rounds(12).early_stopping(Some(3)).held_out(0.3);
    conformance::learner::<Regression, _>(&stopping, &data::regression(120, 4));
}

fn wavy(rows: usize) -> Design<Regression> {
    let mut stream = Stream::new(5, "wavy");
    let columns: Vec<Vec<f64>> = (0..3).map(|_| (0..rows).map(|_| stream.normal()).collect()).collect();
    let y = (0..rows).map(|i| columns[0][i] * 2.0 + (columns[1][i] * 2.0).sin() + 0.1 * columns[2][i]).collect();
    design(&columns, y)
}

#[test]
fn training_goes_on_where_it_stopped() {
    let train = wavy(400);
    let spec = GradientBoosting::new().max_leaves(6).linear_leaves(true);
    let whole = fit(&spec.clone().rounds(7), &train);
    let first = fit(&spec.clone().rounds(3), &train);
    assert_eq!(fit(&spec.clone().rounds(4).start(first), &train), whole);
    let bytes = encode("a model", &whole).unwrap();
    assert_eq!(decode::<TreeEnsemble>("a model", &bytes).unwrap(), whole);
    // Going on without lines is a model of both.
    let mixed = fit(&spec.rounds(2).linear_leaves(false).start(whole), &train);
    let batch = Predict::<Regression>::predict(&mixed, &train.features).unwrap();
    for (row, expected) in train.features.matrix().rows().into_iter().zip(&batch) {
        assert_eq!(answer(&mixed, &row.to_vec()), *expected);
        let plain = mixed.trees().iter().fold(mixed.base()[0], |sum, tree| {
            let at = tree.find(&row.to_vec());
            let line = tree.line(at).and_then(|line| line.answer(|feature| row[feature]));
            sum + line.unwrap_or_else(|| tree.leaf_values(at, 1)[0])
        });
        assert_eq!(plain, *expected);
    }
}

#[test]
fn numbers_that_say_nothing_are_left_out() {
    let mut stream = Stream::new(7, "edges");
    let n = 300;
    let x: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
    let y: Vec<f64> = x.iter().map(|x| x * x + x).collect();
    let twice: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
    let huge: Vec<f64> = x.iter().map(|x| x * 1e300).collect();
    let offset: Vec<f64> = x.iter().map(|x| x * 1e-3 + 1e9).collect();
    let holes: Vec<f64> = x.iter().enumerate().map(|(i, &x)| if i % 3 > 0 { f64::NAN } else { x }).collect();
    let infinite: Vec<f64> = x.iter().map(|&x| if x > 1.0 { f64::INFINITY } else { x }).collect();
    for columns in [vec![x.clone(), twice], vec![huge, x.clone()], vec![offset], vec![holes, x], vec![infinite]] {
        for l2 in [0.0, 1.0] {
            let spec = GradientBoosting::new().rounds(10).learning_rate(0.3).columns_by_node(0.5).linear_leaves(true);
            let model = fit(&spec.linear_l2(l2), &design(&columns, y.clone()));
            let answers = Predict::<Regression>::predict(&model, &features(&columns)).unwrap();
            let off = answers.iter().zip(&y).map(|(a, y)| (a - y).abs()).sum::<f64>() / y.len() as f64;
            // A constant would be 1.2 off.
            assert!(off < 0.6, "{off}");
        }
    }
}

#[test]
fn what_lines_cannot_do_is_refused() {
    let train = wavy(120);
    let error = |spec: GradientBoosting| spec.fit(&train, &FitContext::new(0)).unwrap_err().to_string();
    let spec = GradientBoosting::new().rounds(2).linear_leaves(true);
    let limited =
        "`linear_leaves` is yes, allowed is no where `monotone` or `max_answer` limits what a leaf may answer";
    assert_eq!(error(spec.clone().monotone("x0", Monotone::Rising)), limited);
    assert_eq!(error(spec.clone().max_answer(Some(1.0))), limited);
    let quantile = "`linear_leaves` is yes, allowed is no where the objective's leaves answer a quantile";
    assert_eq!(error(spec.clone().objective(Objective::Absolute)), quantile);
    assert_eq!(error(spec.clone().linear_l2(-1.0)), "`linear_l2` is -1, allowed is a number not below 0");
    let model = fit(&spec, &train);
    let why = "is not defined: leaves of this model answer with lines; fit it without `linear_leaves`";
    assert!(model.contributions(&train.features).unwrap_err().to_string().ends_with(why));
    assert!(model.contributions_against(&train.features, &train.features).unwrap_err().to_string().ends_with(why));
    assert!(model.prove_monotone("x0", Monotone::Rising).unwrap_err().to_string().ends_with(why));
    assert!(model.to_onnx().unwrap_err().to_string().contains("answer with lines"));
}
