//! Golden values, policies and properties of the one-hot encoder.

use std::sync::Arc;

use proptest::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::record::Cell;
use stagewise_core::schema::Levels;
use stagewise_core::select::{all, categories, named};
use stagewise_core::stage::Transform;
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_testkit::{conformance, data, golden};

use super::*;
use crate::test_tables::{admitted, categories as categories_of, training};

#[test]
fn conforms() {
    let spec = OneHotEncoder::on(categories());
    let strict = spec.clone().unseen(Unseen::Error).missing(MissingLevel::Zeros).drop(DropLevel::Binary);
    for spec in [spec, strict] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &data::multiclass(62, 3));
        conformance::transformer(&spec, &data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap());
    }
    for spec in [
        OneHotEncoder::on(categories()).rare_below(20).unseen(Unseen::Rare).missing(MissingLevel::Zeros),
        OneHotEncoder::on(named(["city"])).max_levels(1).drop(DropLevel::First),
    ] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(60, 2));
        conformance::transformer(&spec, &data::multiclass(60, 3));
    }
}

#[test]
fn rare_is_a_matter_of_weight() {
    let spec = OneHotEncoder::on(all()).rare_below(2);
    let train = of(&[Some("a"), Some("a"), Some("b")]).reweighted(vec![0.1, 0.1, 9.0]).unwrap();
    assert_eq!(spec.fit(&train, &FitContext::new(0)).unwrap().output().names(), ["x=b", "x=(rare)"]);
}

#[test]
fn equals_scikit_learn() {
    let golden = golden::load("one_hot.json");
    assert!(golden.cases.len() >= 10);
    for case in &golden.cases {
        let (fit, apply) = (categories_of(case, "/input/fit"), categories_of(case, "/input/apply"));
        let batch = admitted(&fit, &apply);
        let unseen = match case.value("/input/handle_unknown").as_str() {
            Some("ignore") => Unseen::Ignore,
            Some("infrequent_if_exist") => Unseen::Rare,
            other => panic!("{}: {other:?}", case.name),
        };
        let rare_below = case.value("/input/min_frequency").as_u64().unwrap_or(0) as usize;
        // One of the categories that scikit-learn counts is that of the rare levels.
        let max_levels = case.value("/input/max_categories").as_u64().map(|most| most as usize - 1);
        let spec = OneHotEncoder::on(all()).unseen(unseen).rare_below(rare_below).max_levels(max_levels);
        let fitted = spec.fit(&training(fit, None), &FitContext::new(0)).unwrap();
        let texts = |pointer: &str| -> Vec<String> {
            let list = case.value(pointer).as_array().unwrap().iter();
            list.map(|name| name.as_str().unwrap().to_string()).collect()
        };
        let mut names = fitted.output().names();
        for (j, column) in texts("/input/columns").iter().enumerate() {
            for name in &mut names {
                *name = name
                    .replace(&format!("c{j}=(missing)"), &format!("{column}_None"))
                    .replace(&format!("c{j}=(rare)"), &format!("{column}_infrequent_sklearn"))
                    .replace(&format!("c{j}="), &format!("{column}_"));
            }
        }
        assert_eq!(names, texts("/expected/names"), "{}", case.name);
        let out = fitted.transform(batch).unwrap();
        for (row, expected) in case.matrix("/expected/matrix").iter().enumerate() {
            let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
            golden.assert_all_close(&found, expected, &format!("{} row {row}", case.name));
        }
    }
}

/// A training set of one category `x`.
fn of(levels: &[Option<&str>]) -> Dataset<Regression> {
    training(Table::of([("x", Column::categories(levels.iter().copied()))]).unwrap(), None)
}

fn names(spec: &OneHotEncoder, levels: &[Option<&str>]) -> Vec<String> {
    spec.fit(&of(levels), &FitContext::new(0)).unwrap().output().names()
}

const ROWS: [Option<&str>; 9] =
    [Some("b"), Some("a"), Some("c"), Some("b"), Some("a"), Some("b"), None, Some("d"), Some("c")];

#[test]
fn rare_levels_share_a_column() {
    let spec = OneHotEncoder::on(all());
    assert_eq!(names(&spec, &ROWS), ["x=a", "x=b", "x=c", "x=d", "x=(missing)"]);
    assert_eq!(names(&spec.clone().rare_below(2), &ROWS), ["x=a", "x=b", "x=c", "x=(rare)"]);
    // `a` and `c` are equally frequent.
    assert_eq!(names(&spec.clone().max_levels(2), &ROWS), ["x=a", "x=b", "x=(missing)", "x=(rare)"]);
    assert_eq!(names(&spec.clone().max_levels(4), &ROWS), ["x=a", "x=b", "x=c", "x=d", "x=(missing)"]);
    let error = spec.max_levels(0).fit(&of(&ROWS), &FitContext::new(0)).unwrap_err();
    assert_eq!(error.to_string(), "`max_levels` is 0, allowed is at least 1");
}

#[test]
fn one_column_can_be_left_out() {
    let spec = OneHotEncoder::on(all()).drop(DropLevel::First);
    assert_eq!(names(&spec, &ROWS[..3]), ["x=b", "x=c"]);
    assert_eq!(names(&spec.clone().drop(DropLevel::Binary), &ROWS[..3]), ["x=a", "x=b", "x=c"]);
    assert_eq!(names(&spec.clone().drop(DropLevel::Binary), &ROWS[..2]), ["x=b"]);
    let fitted = spec.unseen(Unseen::Error).fit(&of(&ROWS[..3]), &FitContext::new(0)).unwrap();
    let mut out = Vec::new();
    fitted.transform_row(&[Cell::Level(1)], &mut out).unwrap();
    assert_eq!(out, [Cell::Number(0.0), Cell::Number(0.0)], "the level left out is a known one");
}

#[test]
fn policies_refuse_by_name() {
    let spec = OneHotEncoder::on(all()).unseen(Unseen::Error).missing(MissingLevel::Error);
    let error = spec.fit(&of(&ROWS), &FitContext::new(0)).unwrap_err();
    assert_eq!(error.to_string(), "column `x`: holds 1 missing values; add an imputer before it");
    let train = of(&ROWS[..3]);
    let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
    let later = Table::of([("x", Column::categories([Some("a"), Some("z")]))]).unwrap();
    let error = fitted.transform(admitted(train.features(), &later)).unwrap_err();
    assert_eq!(error.to_string(), "column `x` › row 1: `z` is none of the known levels (`b`, `a`, `c`)");
    let row = |cell: Cell| fitted.transform_row(&[cell], &mut Vec::new()).unwrap_err().to_string();
    assert_eq!(row(Cell::NewLevel("z".into())), "column `x`: `z` is none of the known levels (`b`, `a`, `c`)");
    assert_eq!(row(Cell::Level(7)), "column `x`: `level 7` is none of the known levels (`b`, `a`, `c`)");
    assert_eq!(row(Cell::Missing), "column `x`: holds 1 missing values; add an imputer before it");
    assert_eq!(row(Cell::Number(1.0)), "column `x`: is a number, a category is needed");
}

#[test]
fn a_level_that_only_the_list_knows_is_unseen() {
    let levels = Arc::new(Levels::new(["a", "b", "c"]));
    let column = Column::Category { codes: Arc::new(vec![2, 0]), levels };
    let train = training(Table::of([("x", column)]).unwrap(), None);
    let fitted = OneHotEncoder::on(all()).unseen(Unseen::Error).fit(&train, &FitContext::new(0)).unwrap();
    assert_eq!(fitted.output().names(), ["x=a", "x=c"]);
    let error = fitted.transform_row(&[Cell::Level(1)], &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "column `x`: `b` is none of the known levels (`a`, `c`)");
}

#[test]
fn a_category_without_levels_is_left_out_and_said() {
    let cx = FitContext::new(0);
    let spec = OneHotEncoder::on(all());
    let (fitted, train) = spec.clone().missing(MissingLevel::Zeros).fit_transform(of(&[None, None]), &cx).unwrap();
    assert_eq!((fitted.output().len(), train.rows()), (0, 2));
    assert_eq!(cx.take_warnings()[0].what, "column `x`: has no level to encode; it is left out");
    assert_eq!(names(&spec, &[None, None]), ["x=(missing)"]);
}

#[test]
fn a_level_that_takes_the_name_of_another_column_is_refused() {
    let error = OneHotEncoder::on(all()).fit(&of(&[Some("(missing)"), None]), &FitContext::new(0)).unwrap_err();
    assert_eq!(error.to_string(), "two columns are named `x=(missing)`; rename one");
}

#[test]
fn rows_of_weight_zero_are_not_there() {
    let train = of(&ROWS).reweighted(vec![1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]).unwrap();
    let fitted = OneHotEncoder::on(all()).fit(&train, &FitContext::new(0)).unwrap();
    assert_eq!(fitted.output().names(), ["x=a", "x=b"]);
}

proptest! {
    #[test]
    fn a_row_has_one_one_in_each_category(
        codes in prop::collection::vec(prop::option::of(0u8..12), 1..60),
        rare_below in 0usize..5,
        max_levels in prop::option::of(1usize..6),
    ) {
        let text: Vec<Option<String>> = codes.iter().map(|code| code.map(|c| format!("l{c}"))).collect();
        let levels: Vec<Option<&str>> = text.iter().map(Option::as_deref).collect();
        let spec = OneHotEncoder::on(all()).rare_below(rare_below).max_levels(max_levels);
        let (fitted, train) = spec.fit_transform(of(&levels), &FitContext::new(0)).unwrap();
        for row in 0..train.rows() {
            let sum: f64 = train.features().columns().iter().map(|c| c.as_numbers().unwrap()[row]).sum();
            prop_assert_eq!(sum, 1.0);
        }
        let own = fitted.output().fields().iter().filter(|f| !f.name.ends_with(')')).count();
        prop_assert!(own <= max_levels.unwrap_or(usize::MAX));
    }
}
