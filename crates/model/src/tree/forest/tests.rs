use super::*;
use std::sync::Arc;

use stagewise_core::column::Column;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::ErrorKind;
use stagewise_core::matrix::Features;
use stagewise_core::persist::{decode, encode};
use stagewise_core::stage::Predict;
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, NumberTarget};
use stagewise_core::task::{BinaryLabels, Task};
use stagewise_testkit::{conformance, data};

fn design<T: Task>(data: &Dataset<T>) -> Design<T> {
    let features = Features::new(data.features().clone()).unwrap();
    Design::new(features, data.target().clone(), data.labels().clone())
}

#[test]
fn conformance() {
    let spec = RandomForest::new().trees(12).out_of_bag(true);
    conformance::learner::<Regression, _>(&spec, &data::regression(70, 1));
    conformance::learner::<Binary, _>(&spec, &data::binary(70, 1));
    conformance::learner::<Multiclass, _>(&spec, &data::multiclass(70, 1));
    // Without chance in the rows a row of weight 2 is a row twice.
    let spec = RandomForest::new().trees(3).bootstrap(false).feature_share(Some(1.0)).min_rows_leaf(3);
    conformance::learner::<Regression, _>(&spec, &data::regression(70, 1));
    conformance::learner::<Binary, _>(&spec.clone().class_weights(ClassWeights::Balanced), &data::binary(70, 1));
    conformance::learner::<Multiclass, _>(&spec.max_leaves(Some(6)).max_bins(8), &data::multiclass(70, 1));
}

#[test]
fn probabilities_are_means_of_shares_and_rows_are_weighed() {
    // One column that says nothing: every tree is a leaf with the weighted share of its draw.
    let features = Features::new(Table::of([("x", Column::numbers(vec![1.0; 400]))]).unwrap()).unwrap();
    let events: Vec<bool> = (0..400).map(|i| i % 4 == 0).collect();
    let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
    let train = Design::<Binary>::new(features, BinaryTarget::new(events.clone()), labels);
    let answer = |forest: RandomForest, train: &Design<Binary>| {
        let model = forest.trees(200).fit(train, &FitContext::new(1)).unwrap();
        Predict::<Binary>::predict_row(&model, &[1.0]).unwrap()
    };
    let plain = answer(RandomForest::new(), &train);
    assert!((plain - 0.25).abs() < 0.01, "{plain}");
    let balanced = answer(RandomForest::new().class_weights(ClassWeights::Balanced), &train);
    assert!((balanced - 0.5).abs() < 0.01, "{balanced}");
    let weights = events.iter().map(|&event| if event { 6.0 } else { 1.0 }).collect();
    let weighted = answer(RandomForest::new(), &train.weighted(Some(Arc::new(weights))));
    assert!((weighted - 2.0 / 3.0).abs() < 0.01, "{weighted}");
}

#[test]
fn out_of_bag_answers_come_from_the_other_trees() {
    let train = design(&data::binary(300, 4));
    let cx = FitContext::new(3);
    let model = RandomForest::new().trees(60).out_of_bag(true).fit(&train, &cx).unwrap();
    let bag = model.out_of_bag().unwrap();
    assert_eq!((bag.measure.as_str(), bag.rows.len(), bag.answers.len()), ("accuracy", 300, 300));
    let seen = Predict::<Binary>::predict(&model, &train.features).unwrap();
    let right = |answers: &[f64]| {
        answers.iter().zip(train.target.events()).filter(|(p, e)| (**p >= 0.5) == **e).count() as f64 / 300.0
    };
    assert_eq!(bag.score, right(&bag.answers));
    // Grown to the end, trees know the rows that they have seen.
    assert!(right(seen.as_slice().unwrap()) > 0.99 && bag.score < 0.95 && bag.score > 0.6, "{}", bag.score);
    let few = RandomForest::new().trees(1).out_of_bag(true).fit(&train, &cx).unwrap();
    let rows = few.out_of_bag().unwrap().rows.len();
    assert!((80..140).contains(&rows), "{rows}");
    assert!(cx.take_warnings()[0].what.contains("are in the sample of each of the 1 trees"));
    let error = RandomForest::new().bootstrap(false).out_of_bag(true).fit(&train, &cx).unwrap_err().to_string();
    assert!(error.starts_with("`out_of_bag` is yes, allowed is no, where every tree learns from all rows"), "{error}");
}

#[test]
fn parameters_out_of_range_are_refused() {
    let train = design(&data::binary(30, 4));
    for spec in [
        RandomForest::new().trees(0),
        RandomForest::new().min_rows_leaf(0),
        RandomForest::new().features_per_split(Some(99)),
        RandomForest::new().feature_share(Some(0.0)),
        RandomForest::new().row_share(1.5),
        RandomForest::new().max_bins(256),
        RandomForest::new().max_leaves(Some(1)),
    ] {
        let error = Learner::<Binary>::fit(&spec, &train, &FitContext::new(0)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Parameter(_)), "{error}");
    }
}

#[test]
fn one_class_huge_and_constant_values_never_panic() {
    let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
    let hostile = vec![1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1.6e308];
    for x in [hostile, vec![2.0; 6], vec![f64::NAN; 6]] {
        let features = Features::new(Table::of([("x", Column::numbers(x))]).unwrap()).unwrap();
        for events in [vec![true; 6], vec![true, false, true, false, false, true]] {
            let train = Design::<Binary>::new(features.clone(), BinaryTarget::new(events), labels.clone());
            let model = RandomForest::new().trees(3).fit(&train, &FitContext::new(0)).unwrap();
            let answers = Predict::<Binary>::predict(&model, &features).unwrap();
            assert!(answers.iter().all(|p| (0.0..=1.0).contains(p)));
        }
        for y in [[0.0, 1e300, -1.7e308, 1.7e308, 0.0, 1.0], [1e-310, 0.0, 0.0, 2e-310, 0.0, 0.0], [1e100; 6]] {
            let train = Design::<Regression>::new(features.clone(), NumberTarget::new(y.to_vec()), ());
            let model = RandomForest::new().trees(3).fit(&train, &FitContext::new(0)).unwrap();
            let answers = Predict::<Regression>::predict(&model, &features);
            assert!(answers.is_err() || answers.is_ok_and(|a| a.iter().all(|v| v.is_finite())));
        }
    }
}

/// A spec as it was saved before there was a choice of backend.
#[test]
fn an_old_spec_is_loaded_as_what_it_was() {
    #[derive(Serialize)]
    struct Old {
        trees: usize,
        max_depth: Option<u16>,
        min_rows_leaf: usize,
        features_per_split: Option<usize>,
        row_cap: usize,
    }
    let old = Old { trees: 7, max_depth: None, min_rows_leaf: 2, features_per_split: Some(1), row_cap: 50 };
    let loaded: RandomForest = decode("RandomForest", &encode("RandomForest", &old).unwrap()).unwrap();
    let spec = RandomForest::new().trees(7).min_rows_leaf(2).features_per_split(Some(1)).row_cap(50);
    assert_eq!(loaded, spec.backend(ForestBackend::Smartcore));
}
