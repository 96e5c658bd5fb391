use super::*;
use stagewise_core::select::{all, numbers};
use stagewise_core::stage::Transform;
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_testkit::{conformance, data, golden};

use crate::test_tables::{numbers as numbers_of, training};

#[test]
fn conforms() {
    let spec = OutlierClipper::on(numbers());
    for spec in [
        spec.clone(),
        spec.clone().rule(OutlierRule::ZScore(1.0)).action(OutlierAction::Missing),
        spec.clone().rule(OutlierRule::Mad(2.0)).action(OutlierAction::Flag).tails(Tails::High),
        spec.rule(OutlierRule::Quantiles { low: 0.1, high: 0.8 }).indicator(true),
    ] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &data::multiclass(62, 3));
        conformance::transformer(&spec, &data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap());
    }
}

#[test]
fn equals_feature_engine() {
    let golden = golden::load("outliers.json");
    let mut checked = 0;
    for case in golden.cases.iter().filter(|case| case.name.starts_with("winsorizer")) {
        let fold = case.number("/input/fold");
        let rule = match case.value("/input/method").as_str() {
            Some("gaussian") => OutlierRule::ZScore(fold),
            Some("iqr") => OutlierRule::Iqr(fold),
            Some("mad") => OutlierRule::Mad(fold),
            _ => OutlierRule::Quantiles { low: fold, high: 1.0 - fold },
        };
        let tails = match case.value("/input/tail").as_str() {
            Some("left") => Tails::Low,
            Some("right") => Tails::High,
            _ => Tails::Both,
        };
        let spec = OutlierClipper::on(all()).rule(rule).tails(tails);
        let train = training(numbers_of(&case.matrix("/input/fit")), None);
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(numbers_of(&case.matrix("/input/apply"))).unwrap();
        for (row, expected) in case.matrix("/expected/transformed").iter().enumerate() {
            let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
            golden.assert_all_close(&found, expected, &format!("{} row {row}", case.name));
        }
        checked += 1;
    }
    assert!(checked >= 6, "{checked} cases");
}

#[test]
fn actions_do_what_they_say() {
    let values = [1.0, 2.0, 3.0, 4.0, 100.0, f64::NAN, f64::NEG_INFINITY];
    let changed = |action| {
        let spec = OutlierClipper::on(all()).action(action).indicator(true);
        let table = Table::of([("x", Column::numbers(values))]).unwrap();
        let (fitted, train) =
            Transformer::<Regression>::fit_transform(&spec, training(table, None), &FitContext::new(0)).unwrap();
        let column = |name: &str| train.features().column(name).unwrap().clone();
        assert_eq!(column("x_outlier"), Column::numbers([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]));
        (column("x"), fitted.output().field("x").unwrap().missing)
    };
    let none = f64::NAN;
    assert_eq!(changed(OutlierAction::Clip).0, Column::numbers([1.0, 2.0, 3.0, 4.0, 7.0, none, -1.0]));
    assert_eq!(changed(OutlierAction::Missing), (Column::numbers([1.0, 2.0, 3.0, 4.0, none, none, none]), true));
    assert_eq!(changed(OutlierAction::Flag).0, Column::numbers(values));
}

#[test]
fn a_column_without_spread_is_said_and_rules_out_of_range_are_refused() {
    let cx = FitContext::new(0);
    OutlierClipper::on(numbers()).fit(&data::regression(40, 1), &cx).unwrap();
    let texts: Vec<_> = cx.take_warnings().into_iter().map(|w| w.what).collect();
    let text = "has no spread to tell outliers by; it is left as it is";
    assert_eq!(texts, [format!("column `constant`: {text}"), format!("column `empty`: {text}")]);
    let schema = data::mixed(3, 0).schema().clone();
    for (rule, text) in [
        (OutlierRule::Iqr(0.0), "`rule` is 0, allowed is a finite factor above 0"),
        (
            OutlierRule::Quantiles { low: 0.9, high: 0.1 },
            "`rule` is 0.9 to 0.1, allowed is quantiles 0 ≤ low < high ≤ 1",
        ),
    ] {
        let spec = OutlierClipper::on(numbers()).rule(rule);
        assert_eq!(Transformer::<Regression>::plan(&spec, &schema).unwrap_err().to_string(), text);
    }
}
