use super::*;
use stagewise_core::select::{all, categories, named, numbers};
use stagewise_core::task::Regression;
use stagewise_testkit::{conformance, data, golden};

use crate::test_tables::{numbers as numbers_of, training};

#[test]
fn conforms() {
    for spec in [LocalOutlierFactor::on(numbers()), LocalOutlierFactor::on(numbers()).neighbours(3).standardise(false)]
    {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &data::multiclass_numeric(62, 3));
        conformance::transformer(&spec, &data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap());
    }
}

#[test]
fn equals_scikit_learn() {
    let golden = golden::load("outliers.json");
    let mut checked = 0;
    for case in golden.cases.iter().filter(|case| case.name.starts_with("lof")) {
        let spec = LocalOutlierFactor::on(all())
            .neighbours(case.number("/input/n_neighbors") as usize)
            .standardise(case.value("/input/standardise").as_bool().unwrap());
        let train = training(numbers_of(&case.matrix("/input/fit")), None);
        let (fitted, train) = spec.fit_transform(train, &FitContext::new(0)).unwrap();
        let found = |table: &Table| table.column("outlier_factor").unwrap().as_numbers().unwrap().to_vec();
        golden.assert_all_close(&found(train.features()), &case.numbers("/expected/fitted"), &case.name);
        let later = fitted.transform(numbers_of(&case.matrix("/input/apply"))).unwrap();
        golden.assert_all_close(&found(&later), &case.numbers("/expected/scores"), &case.name);
        checked += 1;
    }
    assert!(checked >= 3, "{checked} cases");
}

fn factors(values: &[f64], weights: Option<Vec<f64>>) -> Result<Vec<f64>> {
    let table = Table::of([("x", Column::numbers(values))])?;
    let spec = LocalOutlierFactor::on(all()).neighbours(3);
    let (_, train) = Transformer::<Regression>::fit_transform(&spec, training(table, weights), &FitContext::new(0))?;
    Ok(train.features().column("outlier_factor")?.as_numbers()?.to_vec())
}

#[test]
fn rows_of_weight_zero_are_not_there_and_other_weights_are_refused() {
    let all: Vec<f64> = (0..12).map(|i| f64::from(i * i)).collect();
    let mut more = all.clone();
    more.extend([7.5, 1e6]);
    let mut weights = vec![2.0; 12];
    weights.extend([0.0, 0.0]);
    assert_eq!(factors(&more, Some(weights.clone())).unwrap()[..12], factors(&all, None).unwrap()[..]);
    weights[0] = 1.0;
    let error = factors(&more, Some(weights)).unwrap_err().to_string();
    assert!(error.starts_with("LocalOutlierFactor would ignore the weights"), "{error}");
}

#[test]
fn extremes_have_a_finite_factor() {
    let values = [f64::INFINITY, 1.0, 2.0, f64::NAN, 3.0, 1e300, -1e300, 2.0, 2.0, 2.0, 2.0];
    let found = factors(&values, None).unwrap();
    assert!(found.iter().all(|x| x.is_finite() && *x >= 0.0), "{found:?}");
    assert!(factors(&[1.0], None).unwrap_err().to_string().contains("at least 2 rows"));
    let cx = FitContext::new(0);
    let spec = LocalOutlierFactor::on(named(["age"]));
    let fitted = spec.fit(&data::regression(10, 1), &cx).unwrap();
    assert_eq!((fitted.rule().neighbours(), cx.take_warnings().len()), (9, 1));
    assert!(LocalOutlierFactor::on(named(["empty"])).fit(&data::regression(10, 1), &cx).is_err());
}

#[test]
fn hyper_parameters_and_kinds_are_checked() {
    let schema = data::mixed(3, 0).schema().clone();
    let plan = |spec: LocalOutlierFactor| Transformer::<Regression>::plan(&spec, &schema);
    assert!(plan(LocalOutlierFactor::on(numbers()).neighbours(0)).is_err());
    assert!(plan(LocalOutlierFactor::on(categories())).is_err());
    let plan = plan(LocalOutlierFactor::on(numbers()).score("odd")).unwrap();
    assert_eq!(plan.fields.last().map(|field| field.name.to_string()), Some("odd".to_string()));
}
