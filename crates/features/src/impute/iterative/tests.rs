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
    let spec = IterativeImputer::on(numbers());
    for spec in [spec.clone(), spec.penalty(RidgePenalty::L2(1.0)).max_rounds(3).indicator(true)] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &data::multiclass(62, 3));
        conformance::transformer(&spec, &data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap());
    }
}

#[test]
fn equals_scikit_learn() {
    let golden = golden::load("iterative_imputer.json");
    assert!(golden.cases.len() >= 4);
    for case in &golden.cases {
        let penalty =
            case.optional_numbers("/input/ridge").map_or(RidgePenalty::Evidence, |l2| RidgePenalty::L2(l2[0]));
        let spec = IterativeImputer::on(all())
            .penalty(penalty)
            .max_rounds(case.number("/input/max_iter") as usize)
            .tolerance(case.number("/input/tol"));
        let train = training(numbers_of(&case.matrix("/input/fit")), None);
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        assert_eq!(fitted.rule().model().rounds(), case.number("/expected/rounds") as usize, "{}", case.name);
        for (given, expected) in [("/input/fit", "/expected/fitted"), ("/input/apply", "/expected/transformed")] {
            let out = fitted.transform(numbers_of(&case.matrix(given))).unwrap();
            for (row, expected) in case.matrix(expected).iter().enumerate() {
                let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
                golden.assert_all_close(&found, expected, &format!("{} row {row}", case.name));
            }
        }
    }
}

fn warnings(columns: [(&str, Vec<f64>); 2], spec: &IterativeImputer) -> (Table, Vec<String>) {
    let table = Table::of(columns.map(|(name, values)| (name, Column::numbers(values)))).unwrap();
    let cx = FitContext::new(0);
    let (_, train) = Transformer::<Regression>::fit_transform(spec, training(table, None), &cx).unwrap();
    (train.features().clone(), cx.take_warnings().into_iter().map(|w| w.what).collect())
}

#[test]
fn what_has_no_equation_has_the_mean_and_says_so() {
    let huge = [("a", vec![1e300, -1e300, 3e300, f64::NAN]), ("b", vec![1.0, 2.0, f64::NAN, 3.0])];
    let (filled, texts) = warnings(huge, &IterativeImputer::on(all()));
    let told = filled.column("a").unwrap().as_numbers().unwrap()[3];
    assert!((told / 1e300 - 1.0).abs() < 1e-15, "{told}");
    assert_eq!(filled.column("b").unwrap().as_numbers().unwrap()[2], 2.0);
    assert!(texts[0].starts_with("column `b`: values are too large") || texts[0].contains("column `a`"), "{texts:?}");
}

#[test]
fn values_that_do_not_settle_are_said() {
    let line = |none: usize, slope: f64| -> Vec<f64> {
        (0..12).map(|i| if i == none { f64::NAN } else { slope * f64::from(i as u32) }).collect()
    };
    let spec = IterativeImputer::on(all()).max_rounds(1).tolerance(0.0);
    let (_, texts) = warnings([("a", line(3, 1.0)), ("b", line(7, -2.0))], &spec);
    assert!(texts[0].contains("after 1 rounds"), "{texts:?}");
    let (filled, texts) = warnings([("a", line(3, 1.0)), ("b", line(7, -2.0))], &IterativeImputer::on(all()));
    assert!(texts.is_empty(), "{texts:?}");
    assert!((filled.column("b").unwrap().as_numbers().unwrap()[7] + 14.0).abs() < 0.1);
}

#[test]
fn rows_of_weight_zero_are_not_there() {
    let train = data::regression(60, 3);
    let later: Vec<usize> = (20..60).collect();
    let weights = (0..60).map(|row| f64::from(u8::from(row >= 20))).collect();
    let spec = IterativeImputer::on(numbers());
    let cx = FitContext::new(0);
    let expected = spec.fit(&train.take(&later), &cx).unwrap();
    let found = spec.fit(&train.reweighted(weights).unwrap(), &cx).unwrap();
    let (a, b) = (expected.rule().model(), found.rule().model());
    assert_eq!(a.rounds(), b.rounds());
    for (a, b) in a.rounds.iter().flatten().zip(b.rounds.iter().flatten()) {
        assert!((a.intercept - b.intercept).abs() <= 1e-9 * (1.0 + a.intercept.abs()));
    }
}

#[test]
fn hyper_parameters_out_of_range_are_refused() {
    let schema = data::mixed(3, 0).schema().clone();
    let spec = IterativeImputer::on(numbers());
    for (spec, name) in [
        (spec.clone().max_rounds(0), "`max_rounds` is 0"),
        (spec.clone().tolerance(f64::NAN), "`tolerance` is NaN"),
        (spec.penalty(RidgePenalty::L2(-1.0)), "`penalty` is -1"),
    ] {
        let error = Transformer::<Regression>::plan(&spec, &schema).unwrap_err();
        assert!(error.to_string().starts_with(name), "{error}");
    }
}
