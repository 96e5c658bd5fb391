use super::*;
use stagewise_core::select::{all, categories, flags, named, numbers as number_columns};
use stagewise_core::stage::Transform;
use stagewise_core::table::Table;
use stagewise_testkit::{conformance, data};

use crate::test_tables::{admitted, training};

#[test]
fn conforms() {
    for spec in [
        Interactions::on(categories() | flags()),
        Interactions::on(number_columns() | flags()),
        Interactions::of([("plan", "city"), ("age", "income"), ("age", "active"), ("active", "plan")]),
        Interactions::on(named::<&str>([])),
    ] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
    }
}

#[test]
fn flags_switch_numbers_and_meet_flags() {
    let table = Table::of([
        ("a", Column::flags([Some(true), Some(false), None, Some(false)])),
        ("b", Column::flags([Some(true), Some(true), Some(true), None])),
        ("x", Column::numbers([2.5, f64::INFINITY, 1.0, f64::NAN])),
    ]);
    let out = transformed(&Interactions::of([("a", "b"), ("a", "x"), ("x", "b")]), table.unwrap());
    let both = Column::flags([Some(true), Some(false), None, None]);
    assert_eq!(out.column("a*b").unwrap(), &both);
    assert_eq!(out.column("a*x").unwrap(), &Column::numbers([2.5, 0.0, f64::NAN, f64::NAN]));
    assert_eq!(out.column("x*b").unwrap(), &Column::numbers([2.5, f64::INFINITY, 1.0, f64::NAN]));
}

#[test]
fn no_two_pairs_of_levels_have_one_name() {
    let table = Table::of([
        ("l", Column::categories([Some("a*b"), Some("a"), Some("a\\"), Some("a")])),
        ("r", Column::categories([Some("c"), Some("b*c"), Some("c"), Some("\\*c")])),
    ]);
    let out = transformed(&Interactions::on(all()), table.unwrap());
    let (codes, levels) = out.column("l*r").unwrap().as_categories().unwrap();
    let names: Vec<_> = codes.iter().map(|&code| levels.name(code).unwrap().to_string()).collect();
    assert_eq!(names, ["a\\*b*c", "a*b\\*c", "a\\\\*c", "a*\\\\\\*c"]);
}

#[test]
fn pairs_that_did_not_occur_are_levels_not_seen() {
    let of = |l: [&'static str; 2], r: [&'static str; 2]| {
        Table::of([("l", Column::categories(l.map(Some))), ("r", Column::categories(r.map(Some)))]).unwrap()
    };
    let train = training(of(["a", "b"], ["x", "y"]), None);
    let fitted = Interactions::on(all()).fit(&train, &FitContext::new(0)).unwrap();
    let levels = fitted.output().field("l*r").unwrap().levels.clone().unwrap();
    assert_eq!(levels.to_strings(), ["a*x", "b*y"]);
    let out = fitted.transform(admitted(train.features(), &of(["a", "c"], ["y", "x"]))).unwrap();
    let (codes, levels) = out.column("l*r").unwrap().as_categories().unwrap();
    assert_eq!((codes, levels.to_strings().join(" ")), (&[2, 3][..], "a*x b*y a*y c*x".to_string()));
}

#[test]
fn a_row_without_weight_shows_no_pair() {
    let table = Table::of([
        ("l", Column::categories([Some("a"), Some("b")])),
        ("r", Column::categories([Some("x"), Some("y")])),
    ]);
    let train = training(table.unwrap(), Some(vec![1.0, 0.0]));
    let fitted = Interactions::on(all()).fit(&train, &FitContext::new(0)).unwrap();
    assert_eq!(fitted.output().field("l*r").unwrap().levels.clone().unwrap().to_strings(), ["a*x"]);
}

#[test]
fn numbers_do_not_meet_categories() {
    let data = data::binary(20, 1);
    let error = |pair| Interactions::of([pair]).fit(&data, &FitContext::new(0)).unwrap_err().to_string();
    let expected = "column `city`: is a category, a number is needed";
    assert_eq!([error(("age", "city")), error(("city", "age"))], [expected, expected]);
}

fn transformed(spec: &Interactions, table: Table) -> Table {
    let train = training(table, None);
    let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
    let out = fitted.transform(train.features().clone()).unwrap();
    for row in 0..train.rows() {
        let (mut cells, mut by_row, mut by_batch) = (Vec::new(), Vec::new(), Vec::new());
        train.features().row_into(row, &mut cells);
        fitted.transform_row(&cells, &mut by_row).unwrap();
        out.row_into(row, &mut by_batch);
        assert_eq!(by_row, by_batch, "row {row}");
    }
    out
}
