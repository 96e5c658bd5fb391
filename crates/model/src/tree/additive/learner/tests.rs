//! What holds for any data: parts that add up, centred terms, the same bits on any number of threads.

use std::sync::Arc;

use stagewise_core::column::Column;
use stagewise_core::matrix::Features;
use stagewise_core::persist::Saved;
use stagewise_core::stage::Predict;
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, ClassTarget, NumberTarget};
use stagewise_core::task::BinaryLabels;
use stagewise_numeric::random::Stream;

use super::*;

/// A number with missing values, a category, a flag, a constant; the first two cross.
fn features(rows: usize, seed: u64) -> Features {
    let mut stream = Stream::new(seed, "rows");
    let x: Vec<f64> =
        (0..rows).map(|i| if i % 11 == 3 { f64::NAN } else { (stream.normal() * 20.0).round() / 20.0 }).collect();
    let c: Vec<Option<String>> =
        (0..rows).map(|i| (i % 13 != 5).then(|| format!("level {}", stream.below(4)))).collect();
    let f: Vec<Option<bool>> = (0..rows).map(|_| Some(stream.below(2) == 1)).collect();
    let columns = [
        ("x", Column::numbers(x)),
        ("c", Column::categories(c.iter().map(Option::as_deref))),
        ("f", Column::flags(f)),
        ("k", Column::numbers(vec![7.0; rows])),
    ];
    Features::new(Table::of(columns).unwrap()).unwrap()
}

fn signal(features: &Features) -> Vec<f64> {
    let of = |row: ndarray::ArrayView1<'_, f64>| {
        let x = if row[0].is_nan() { 0.8 } else { row[0].sin() * 2.0 };
        let c = if row[1].is_nan() { -1.0 } else { row[1] - 1.5 };
        x + c + row[2] + if row[1] == 2.0 && row[0] > 0.0 { 1.5 } else { 0.0 }
    };
    features.matrix().rows().into_iter().map(of).collect()
}

fn regression(rows: usize, seed: u64) -> Design<Regression> {
    let features = features(rows, seed);
    let mut stream = Stream::new(seed, "noise");
    let y = signal(&features).into_iter().map(|y| y + 0.3 * stream.normal()).collect::<Vec<_>>();
    Design::new(features, NumberTarget::new(y), ())
}

fn binary(rows: usize, seed: u64) -> Design<Binary> {
    let features = features(rows, seed);
    let mut stream = Stream::new(seed, "noise");
    let y: Vec<bool> = signal(&features).into_iter().map(|y| 1.0 / (1.0 + (-y).exp()) > stream.unit()).collect();
    Design::new(features, BinaryTarget::new(y), BinaryLabels { event: "1".into(), other: "0".into() })
}

fn classes(rows: usize, seed: u64) -> Design<Multiclass> {
    let design = regression(rows, seed);
    let y: Vec<u32> = design.target.values().iter().map(|&y| u32::from(y > 0.0) + u32::from(y > 1.5)).collect();
    let labels = stagewise_core::schema::Levels::new(["a", "b", "c"]);
    Design::new(design.features, ClassTarget::new(y, 3), labels)
}

fn few() -> ExplainableBoosting {
    ExplainableBoosting::new().bags(3).rounds(60).learning_rate(0.1).smoothing_rounds(10).early_stopping(10)
}

fn cx() -> FitContext {
    FitContext::new(3)
}

#[test]
fn terms_and_base_add_up_to_scores_and_are_centred() {
    let train = regression(700, 1).judged_by(regression(200, 2));
    let weights: Vec<f64> = (0..700).map(|i| f64::from(i % 3)).collect();
    let train = train.weighted(Some(Arc::new(weights.clone())));
    let model = few().fit(&train, &cx()).unwrap();
    let scores = model.scores(&train.features).unwrap();
    let parts = model.term_values(&train.features).unwrap();
    assert!(parts.names().iter().any(|name| name == "x × c"), "{:?}", parts.names());
    assert!(!parts.names().contains(&"k".to_string()), "a constant says nothing");
    for (row, parts) in parts.values().outer_iter().enumerate() {
        assert!((parts.sum() - scores[[row, 0]]).abs() < 1e-12);
    }
    let terms = model.terms().unwrap();
    for (at, term) in terms.items().iter().enumerate() {
        assert_eq!(term.name(), parts.names()[at]);
        let column: Vec<f64> = (0..700).map(|row| parts.values()[[row, 0, at]]).collect();
        let mean = column.iter().zip(&weights).map(|(value, weight)| value * weight).sum::<f64>() / 699.0;
        assert!(mean.abs() < 1e-12, "{}: {mean}", term.name());
        assert_eq!(term.weights().unwrap().iter().sum::<f64>(), 699.0);
        let size = column.iter().zip(&weights).map(|(value, weight)| value.abs() * weight).sum::<f64>() / 699.0;
        assert!((term.importance().unwrap() - size).abs() < 1e-12, "{}", term.name());
        assert_eq!(term.deviations().unwrap().len(), term.values().len());
    }
    assert_eq!(terms.base(), model.base());
    let history = model.training_history().unwrap();
    assert!(history.validation[history.rounds] < 0.5 * history.validation[0]);
}

#[test]
fn a_pair_has_no_mean_along_either_column() {
    let train = regression(900, 1);
    let model = few().early_stopping(None).pairs(1).fit(&train, &cx()).unwrap();
    let terms = model.terms().unwrap();
    let pair = terms.of("x × c").expect("the columns that cross are found");
    let (weights, columns) = (pair.weights().unwrap(), pair.axes()[1].cells());
    for row in 0..pair.axes()[0].cells() {
        let of = |values: &[f64]| values[row * columns..(row + 1) * columns].to_vec();
        let sum: f64 = of(pair.values()).iter().zip(of(weights)).map(|(v, w)| v * w).sum();
        assert!(sum.abs() < 1e-8, "row {row}: {sum}");
    }
    for column in 0..columns {
        let of = pair.values().iter().zip(weights).skip(column).step_by(columns);
        let sum: f64 = of.map(|(v, w)| v * w).sum();
        assert!(sum.abs() < 1e-8, "column {column}: {sum}");
    }
}

#[test]
fn contributions_of_columns_alone_are_their_terms() {
    let train = binary(600, 1).judged_by(binary(200, 2));
    let model = few().pairs(0).fit(&train, &cx()).unwrap();
    let shapley = model.contributions(&train.features).unwrap();
    let parts = model.term_values(&train.features).unwrap();
    assert!((shapley.bias()[0] - model.base()[0]).abs() < 1e-12);
    for (at, name) in parts.names().iter().enumerate() {
        let place = shapley.names().iter().position(|other| other == name).unwrap();
        for row in 0..parts.rows() {
            let (a, b) = (parts.values()[[row, 0, at]], shapley.values()[[row, 0, place]]);
            assert!((a - b).abs() < 1e-12, "{name}, row {row}: {a} {b}");
        }
    }
}

#[test]
fn threads_change_no_bit_and_a_saved_model_keeps_its_terms() {
    let train = binary(500, 1).judged_by(binary(150, 2));
    let fit = |threads| {
        let cx = cx().threads(threads).unwrap();
        cx.install(|| few().fit(&train, &cx)).unwrap()
    };
    let model = fit(1);
    assert_eq!(model, fit(4));
    let loaded: TreeEnsemble = Saved::of(&model).unwrap().load().unwrap();
    assert_eq!(loaded.terms().unwrap(), model.terms().unwrap());
    assert_ne!(few().fit(&train, &FitContext::new(4)).unwrap(), model, "another seed draws other bags");
}

#[test]
fn classes_have_no_pairs_and_their_terms_add_up() {
    let train = classes(600, 1).judged_by(classes(200, 2));
    let model = few().fit(&train, &cx()).unwrap();
    let terms = model.terms().unwrap();
    assert!(terms.items().iter().all(|term| term.axes().len() == 1 && term.outputs() == 3));
    let parts = model.term_values(&train.features).unwrap();
    let scores = model.scores(&train.features).unwrap();
    for row in 0..600 {
        for output in 0..3 {
            let sum: f64 = (0..=terms.items().len()).map(|term| parts.values()[[row, output, term]]).sum();
            assert!((sum - scores[[row, output]]).abs() < 1e-12);
        }
    }
    let answers: ndarray::Array2<f64> = Predict::<Multiclass>::predict(&model, &train.features).unwrap();
    let likeliest =
        |row: usize| (0..3).fold(0, |best, i| if answers[[row, i]] > answers[[row, best]] { i } else { best });
    let right = (0..600).filter(|&row| likeliest(row) == train.target.codes()[row] as usize).count();
    assert!(right > 450, "{right} of 600");
}

#[test]
fn a_weight_of_two_is_a_row_twice() {
    let design = regression(300, 1);
    let weights: Vec<f64> = (0..300).map(|i| f64::from(i % 3)).collect();
    let twice: Vec<usize> = (0..300).flat_map(|row| vec![row; row % 3]).collect();
    let repeated = Features::new(design.features.table().take(&twice)).unwrap();
    let values: Vec<f64> = twice.iter().map(|&row| design.target.values()[row]).collect();
    let repeated = Design::<Regression>::new(repeated, NumberTarget::new(values), ());
    let spec = few().bags(1).early_stopping(None).smoothing_rounds(0);
    let a = spec.fit(&design.clone().weighted(Some(Arc::new(weights))), &cx()).unwrap();
    let b = spec.fit(&repeated, &cx()).unwrap();
    let [a, b] = [a, b].map(|model| model.scores(&design.features).unwrap());
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
}

#[test]
fn missing_values_new_levels_and_large_targets() {
    let train = regression(400, 1);
    let spec = few().early_stopping(None);
    let model = spec.fit(&train, &cx()).unwrap();
    let score = |row: [f64; 4]| Predict::<Regression>::predict_row(&model, &row).unwrap();
    // A new level counts as missing; a missing flag, of which training had none, and a missing constant add nothing.
    assert_eq!(score([0.1, 9.0, 1.0, 7.0]), score([0.1, f64::NAN, 1.0, 7.0]));
    let flag = model.terms().unwrap().of("f").unwrap().values().to_vec();
    assert_eq!((flag.len(), flag[2]), (3, 0.0));
    assert!(flag[0] < -0.3 && flag[1] > 0.3, "{flag:?}");
    assert_eq!(score([0.1, 1.0, 1.0, f64::NAN]), score([0.1, 1.0, 1.0, -1e9]));
    assert!(score([f64::INFINITY, 0.0, 0.0, 0.0]).is_finite());

    let huge: Vec<f64> = train.target.values().iter().map(|y| y * 1e300).collect();
    let huge = Design::<Regression>::new(train.features.clone(), NumberTarget::new(huge), ());
    let scaled = spec.fit(&huge, &cx()).unwrap().scores(&train.features).unwrap();
    let plain = model.scores(&train.features).unwrap();
    for (huge, plain) in scaled.iter().zip(&plain) {
        assert!((huge / 1e300 - plain).abs() < 1e-6, "{huge} {plain}");
    }
    let too_large = Design::<Regression>::new(train.features.clone(), NumberTarget::new(vec![1.7e308; 400]), ());
    let _ = spec.fit(&too_large, &cx());
    let one = Design::<Regression>::new(
        Features::new(train.features.table().take(&[0])).unwrap(),
        NumberTarget::new(vec![2.0]),
        (),
    );
    assert_eq!(spec.fit(&one, &cx()).unwrap().terms().unwrap().items().len(), 0);
}

#[test]
fn what_cannot_be_is_refused() {
    let train = regression(50, 1);
    let text = |spec: ExplainableBoosting| spec.fit(&train, &cx()).unwrap_err().to_string();
    assert!(text(few()).contains("held-out rows"));
    let few = few().early_stopping(None);
    assert!(text(few.clone().bags(0)).contains("`bags` is 0"));
    assert!(text(few.clone().objective(Objective::Absolute)).contains("quantile"));
    assert!(text(few.clone().objective(Objective::Logistic)).contains("objective"));
    assert!(text(few.clone().pair_bins(256)).contains("pair_bins"));
    assert!(text(few.learning_rate(f64::NAN)).contains("learning_rate"));
}
