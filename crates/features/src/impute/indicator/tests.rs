use super::*;
use stagewise_core::select::{all, named};
use stagewise_core::stage::Transform;
use stagewise_testkit::{conformance, data, golden};

use crate::test_tables;

#[test]
fn conforms() {
    for spec in [MissingIndicator::on(all()), MissingIndicator::on(all()).everywhere(true)] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &data::multiclass(62, 3));
    }
}

#[test]
fn columns_without_missing_values_get_one_only_on_demand() {
    let train = data::regression(40, 1);
    let cx = FitContext::new(0);
    let fitted = MissingIndicator::on(named(["age", "income"])).fit(&train, &cx).unwrap();
    assert_eq!(fitted.output().names()[..3], ["age", "income", "income_missing"]);
    let fitted = MissingIndicator::on(named(["age"])).everywhere(true).fit(&train, &cx).unwrap();
    assert_eq!(fitted.output().names()[..2], ["age", "age_missing"]);
    assert!(fitted.rule("age").unwrap().has_indicator());
}

#[test]
fn rows_of_weight_zero_are_not_there() {
    let train = data::regression(40, 1);
    let income = train.features().column("income").unwrap().as_numbers().unwrap();
    let weights = income.iter().map(|x| f64::from(u8::from(!x.is_nan()))).collect();
    let train = train.reweighted(weights).unwrap();
    let fitted = MissingIndicator::on(named(["income"])).fit(&train, &FitContext::new(0)).unwrap();
    assert!(!fitted.rule("income").unwrap().has_indicator());
}

#[test]
fn batch_and_row_agree_for_every_kind() {
    let table = data::mixed(40, 3);
    let more = [Column::texts([Some("a"), None]), Column::timestamps([1, i64::MIN])];
    for values in table.columns().iter().chain(&more) {
        let flags = column(values);
        assert_eq!(flags.as_numbers().unwrap().iter().sum::<f64>(), values.missing_count() as f64);
        for row in 0..values.len() {
            assert_eq!(flags.cell(row), cell(&values.cell(row)));
        }
    }
}

#[test]
fn an_indicator_comes_from_its_column() {
    let of = Field::new("age", Kind::Number).missing(true);
    let field = field(&of);
    assert_eq!((&*field.name, field.kind, field.missing), ("age_missing", Kind::Number, false));
    assert_eq!(field.origin, of.origin);
}

#[test]
fn equals_scikit_learn() {
    let golden = golden::load("imputer.json");
    let mut checked = 0;
    for case in golden.cases.iter().filter(|case| case.value("/input/add_indicator") == true) {
        let flagged = case.numbers("/expected/indicator_columns");
        let train = test_tables::training(test_tables::numbers(&case.matrix("/input/fit")), None);
        let fitted = MissingIndicator::on(all()).fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(test_tables::numbers(&case.matrix("/input/apply"))).unwrap();
        assert_eq!(out.width(), train.features().width() + flagged.len(), "{}", case.name);
        for (row, expected) in case.matrix("/expected/transformed").iter().enumerate() {
            // There the indicators stand behind all values.
            let expected = &expected[expected.len() - flagged.len()..];
            let of = |j: &f64| out.column(&format!("c{j}_missing")).unwrap().as_numbers().unwrap()[row];
            assert_eq!(flagged.iter().map(of).collect::<Vec<_>>(), expected, "{} row {row}", case.name);
        }
        checked += 1;
    }
    assert!(checked >= 3, "{checked} cases");
}
