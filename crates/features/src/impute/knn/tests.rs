use super::*;
use stagewise_core::column::Column;
use stagewise_core::select::{all, numbers};
use stagewise_core::stage::Transform;
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_testkit::{conformance, data, golden};

use crate::test_tables::{numbers as numbers_of, training};

#[test]
fn conforms() {
    let spec = KnnImputer::on(numbers());
    for spec in [spec.clone(), spec.neighbours(3).donor_weights(DonorWeights::Distance).indicator(true)] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &data::multiclass(62, 3));
        conformance::transformer(&spec, &data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap());
    }
}

#[test]
fn equals_scikit_learn() {
    let golden = golden::load("knn_imputer.json");
    assert!(golden.cases.len() >= 6);
    for case in &golden.cases {
        let donor_weights = match case.value("/input/weights").as_str() {
            Some("distance") => DonorWeights::Distance,
            _ => DonorWeights::Uniform,
        };
        let spec =
            KnnImputer::on(all()).neighbours(case.number("/input/n_neighbors") as usize).donor_weights(donor_weights);
        let train = training(numbers_of(&case.matrix("/input/fit")), None);
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(numbers_of(&case.matrix("/input/apply"))).unwrap();
        for (row, expected) in case.matrix("/expected/transformed").iter().enumerate() {
            let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
            golden.assert_all_close(&found, expected, &format!("{} row {row}", case.name));
        }
    }
}

fn fill(columns: &[(&str, &[f64])], spec: &KnnImputer, weights: Option<Vec<f64>>, row: &[f64]) -> Vec<f64> {
    let table = Table::of(columns.iter().map(|(name, v)| (*name, Column::numbers(*v)))).unwrap();
    let fitted = spec.fit(&training(table, weights), &FitContext::new(0)).unwrap();
    let later = Table::of(columns.iter().zip(row).map(|((name, _), x)| (*name, Column::numbers([*x])))).unwrap();
    let out = fitted.transform(later).unwrap();
    out.columns().iter().map(|c| c.as_numbers().unwrap()[0]).collect()
}

const NONE: f64 = f64::NAN;

#[test]
fn donors_at_the_last_distance_share_the_places() {
    let columns: [(&str, &[f64]); 2] = [("a", &[1.0, 2.0, 2.0, 2.0, 9.0]), ("b", &[10.0, 20.0, 30.0, 70.0, 500.0])];
    let spec = KnnImputer::on(all()).neighbours(2);
    // The nearest counts 1, the three at distance 1 share one place.
    assert_eq!(fill(&columns, &spec, None, &[1.0, NONE]), [1.0, 25.0]);
    // Weights are donors: the first row fills both places.
    assert_eq!(fill(&columns, &spec, Some(vec![2.0, 1.0, 1.0, 1.0, 1.0]), &[1.0, NONE]), [1.0, 10.0]);
    assert_eq!(fill(&columns, &spec, Some(vec![0.0, 1.0, 0.0, 1.0, 1.0]), &[1.0, NONE]), [1.0, 45.0]);
}

#[test]
fn what_has_no_neighbour_gets_the_mean_and_what_is_infinite_stays() {
    let columns: [(&str, &[f64]); 2] = [("a", &[1.0, 3.0, f64::INFINITY]), ("b", &[4.0, NONE, 8.0])];
    let spec = KnnImputer::on(all()).neighbours(1);
    assert_eq!(fill(&columns, &spec, None, &[NONE, NONE]), [2.0, 6.0]);
    assert_eq!(fill(&columns, &spec, None, &[f64::INFINITY, NONE]), [f64::INFINITY, 6.0]);
    assert_eq!(fill(&columns, &spec, None, &[NONE, 8.1]), [1.0, 8.1]);
    let far: [(&str, &[f64]); 2] = [("a", &[-1.5e308, 1.5e308, 1.0]), ("b", &[-1.7e308, 1.7e308, 5.0])];
    let spec = KnnImputer::on(all()).neighbours(3);
    assert!(fill(&far, &spec, None, &[NONE, NONE]).iter().all(|x| x.is_finite()));
    assert!(fill(&far, &spec, None, &[0.0, NONE])[1].is_finite());
}

#[test]
fn the_order_of_rows_decides_nothing() {
    let train = data::regression(80, 5);
    let order: Vec<usize> = (0..80).rev().collect();
    let spec = KnnImputer::on(numbers()).neighbours(4);
    let fit = |train: &Dataset<Regression>| spec.fit(train, &FitContext::new(0)).unwrap();
    let (one, other) = (fit(&train), fit(&train.take(&order)));
    let (one, other) =
        (one.transform(train.features().clone()).unwrap(), other.transform(train.features().clone()).unwrap());
    let (one, other) = (one.column("income").unwrap(), other.column("income").unwrap());
    for (a, b) in one.as_numbers().unwrap().iter().zip(other.as_numbers().unwrap()) {
        assert!((a - b).abs() <= 1e-12 * a.abs(), "{a} {b}");
    }
}

#[test]
fn no_neighbours_are_refused() {
    let schema = data::mixed(3, 0).schema().clone();
    let error = Transformer::<Regression>::plan(&KnnImputer::on(numbers()).neighbours(0), &schema).unwrap_err();
    assert_eq!(error.to_string(), "`neighbours` is 0, allowed is at least 1");
}
