use super::*;
use stagewise_core::column::Column;
use stagewise_core::schema::Field;
use stagewise_core::select::{all, numbers};
use stagewise_numeric::random::Stream;
use stagewise_testkit::golden;

use crate::test_tables;

#[test]
fn equals_the_reference() {
    let golden = golden::load("missingness.json");
    let mut checked = 0;
    for case in golden.cases.iter().filter(|case| case.name.starts_with("little")) {
        let table = test_tables::numbers(&case.matrix("/input/rows"));
        let found = LittlesTest::of(&table, &all()).unwrap();
        golden.assert_close(found.statistic, case.number("/expected/statistic"), &case.name);
        golden.assert_close(found.p_value, case.number("/expected/p"), &case.name);
        assert_eq!(found.freedom as f64, case.number("/expected/freedom"), "{}", case.name);
        assert_eq!(found.patterns as f64, case.number("/expected/patterns"), "{}", case.name);
        checked += 1;
    }
    assert!(checked >= 3);
}

/// Three related normal columns, the last two missing at random or where the first is large.
fn table(stream: &mut Stream, by_chance: bool) -> Table {
    let rows: Vec<Vec<f64>> = (0..150)
        .map(|_| {
            let a = stream.normal();
            let (b, c) = (0.6 * a + stream.normal(), a - stream.normal());
            let hidden = |chance: f64| if by_chance { chance < 0.3 } else { chance < 0.3 && a > 0.0 };
            let (hide_b, hide_c) = (hidden(stream.unit()), hidden(stream.unit()));
            vec![a, if hide_b { f64::NAN } else { b }, if hide_c { f64::NAN } else { c }]
        })
        .collect();
    test_tables::numbers(&rows)
}

#[test]
fn it_keeps_its_rate_and_finds_what_is_not_by_chance() {
    let mut stream = Stream::new(1, "little");
    let mut rejected = |by_chance: bool| {
        let p = |_: usize| LittlesTest::of(&table(&mut stream, by_chance), &numbers()).unwrap().p_value;
        (0..200).map(p).filter(|p| *p < 0.05).count()
    };
    // 10 of 200 are expected; 1 in 10,000 samples has more than 23.
    assert!(rejected(true) <= 23);
    assert!(rejected(false) >= 150);
}

#[test]
fn units_do_not_matter_and_constants_are_left_out() {
    let mut stream = Stream::new(2, "little");
    let plain = table(&mut stream, true);
    let scaled = plain.columns().iter().zip([1e200, 1e-200, -3.0]).enumerate().map(|(j, (column, scale))| {
        let values: Vec<f64> = column.as_numbers().unwrap().iter().map(|x| x * scale).collect();
        (format!("c{j}"), Column::numbers(values))
    });
    let more =
        [("one".to_string(), Column::numbers(vec![7.0; 150])), ("none".into(), Column::missing(Kind::Number, 150))];
    let scaled = Table::of(scaled.chain(more)).unwrap();
    let (a, b) = (LittlesTest::of(&plain, &all()).unwrap(), LittlesTest::of(&scaled, &all()).unwrap());
    assert!((a.statistic / b.statistic - 1.0).abs() < 1e-6, "{a:?} {b:?}");
    assert_eq!((a.freedom, b.columns.len(), b.exhibit().blocks.len()), (b.freedom, 3, 1));
}

#[test]
fn what_has_no_answer_says_why() {
    let of =
        |columns: Vec<(&str, Column)>| LittlesTest::of(&Table::of(columns).unwrap(), &all()).unwrap_err().to_string();
    let text = of(vec![("a", Column::numbers([1.0, 2.0])), ("b", Column::numbers([1.0, 3.0]))]);
    assert!(text.starts_with("Little's test is not defined"), "{text}");
    let line: Vec<f64> = (0..40).map(f64::from).collect();
    let mut twice = line.clone();
    twice[3] = f64::NAN;
    let text = of(vec![("a", Column::numbers(line)), ("b", Column::numbers(twice))]);
    assert!(text.contains("linearly dependent"), "{text}");
    let text = of(vec![("a", Column::numbers([1.0, f64::INFINITY]))]);
    assert!(text.starts_with("column `a`: holds 1 values that are not finite"), "{text}");
    assert!(of(vec![("a", Column::flags([Some(true)]))]).contains("a number is needed"));
    let empty = LittlesTest::of(&Table::of([("a", Column::numbers([]))]).unwrap(), &all()).unwrap_err();
    assert!(empty.to_string().contains("not defined"));
    let weights = stagewise_core::schema::Schema::new(vec![Field::new("w", Kind::Number).role(Role::Weight)]).unwrap();
    let weighted = Table::new(std::sync::Arc::new(weights), vec![Column::numbers([1.0])]).unwrap();
    assert!(LittlesTest::of(&weighted, &all()).unwrap_err().to_string().contains("would ignore the weights"));
}
