use super::side::{chi_square, mann_whitney, sides};
use super::*;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_numeric::random::Stream;
use stagewise_testkit::golden;

#[test]
fn tests_are_those_of_scipy() {
    let golden = golden::load("missingness.json");
    let mut checked = 0;
    for case in golden.cases.iter().filter(|case| !case.name.starts_with("little")) {
        let lacking: Vec<bool> = case.numbers("/input/missing").iter().map(|x| *x == 1.0).collect();
        let values = case.numbers("/input/values");
        let column = match case.name.starts_with("levels") {
            false => Column::numbers(values.as_slice()),
            true => {
                let names: Vec<String> = values.iter().map(|x| format!("level {x}")).collect();
                Column::categories(names.iter().map(|name| Some(name.as_str())))
            }
        };
        let (_, statistic, effect, p, _) = Side::of(&column).unwrap().tested(&lacking).unwrap();
        golden.assert_close(statistic, case.number("/expected/statistic"), &case.name);
        golden.assert_close(effect, case.number("/expected/effect"), &case.name);
        golden.assert_close(p, case.number("/expected/p"), &case.name);
        checked += 1;
    }
    assert!(checked >= 5);
}

/// 400 rows: `a` is missing where `y` is large, `b` by chance, `c` where `level` is `x`.
fn table() -> Table {
    let mut stream = Stream::new(4, "missingness");
    let y: Vec<f64> = (0..400).map(|_| stream.normal()).collect();
    let level: Vec<bool> = (0..400).map(|_| stream.unit() < 0.5).collect();
    let mut column = |hidden: &dyn Fn(usize, f64) -> bool| {
        let values = (0..400).map(|row| {
            let (value, chance) = (stream.normal(), stream.unit());
            if hidden(row, chance) { f64::NAN } else { value }
        });
        Column::numbers(values.collect::<Vec<_>>())
    };
    let a = column(&|row, chance| y[row] > 0.5 && chance < 0.8);
    let b = column(&|_, chance| chance < 0.3);
    let c = column(&|row, chance| chance < if level[row] { 0.6 } else { 0.1 });
    let text = Column::texts((0..400).map(|row| if row % 5 == 0 { None } else { Some("t") }));
    Table::of([
        ("a", a),
        ("b", b),
        ("c", c),
        ("level", Column::categories(level.iter().map(|x| Some(if *x { "x" } else { "z" })))),
        ("text", text),
        ("y", Column::numbers(y.as_slice())),
    ])
    .unwrap()
}

#[test]
fn what_goes_together_is_found_and_what_does_not_is_not() {
    let report = MissingnessReport::of(&table(), Some("y")).unwrap();
    let names: Vec<&str> = report.missing.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "text"]);
    let mut found: Vec<(&str, &str)> = report.related(0.01).iter().map(|r| (&*r.missing, &*r.with)).collect();
    found.sort_unstable();
    assert_eq!(found, [("a", "y"), ("c", "level")]);
    let strongest = report.related(0.01)[0];
    assert!(strongest.effect.abs() >= report.related(0.01)[1].effect.abs());
    // Four columns with missing values beside the five that can be tested, less three beside themselves.
    assert_eq!(report.relations.len(), 4 * 5 - 3);
    assert!(report.relations.iter().all(|r| r.adjusted >= r.p_value));
    assert!(report.little.is_ok());
}

#[test]
fn it_is_drawn() {
    let section = MissingnessReport::of(&table(), Some("y")).unwrap().exhibit();
    let is = |of: fn(&Block) -> bool| section.blocks.iter().filter(|b| of(b)).count();
    assert_eq!(is(|b| matches!(b, Block::Warning(text) if text.contains("in a goes with the target"))), 1);
    assert_eq!(is(|b| matches!(b, Block::Chart(_))), 2);
    assert_eq!(is(|b| matches!(b, Block::Table { rows, .. } if rows.len() == 2 || rows.len() == 3)), 1);
    let complete = Table::of([("a", Column::numbers([1.0, 2.0]))]).unwrap();
    let report = MissingnessReport::of(&complete, None).unwrap();
    assert_eq!(report.exhibit().blocks, [Block::Text("No value is missing.".into())]);
}

#[test]
fn chance_alone_is_rarely_named() {
    let mut named = 0;
    for seed in 0..100 {
        let mut stream = Stream::new(seed, "chance");
        let mut column = || {
            let values = (0..60).map(|_| if stream.unit() < 0.3 { f64::NAN } else { stream.normal() });
            Column::numbers(values.collect::<Vec<_>>())
        };
        let columns = ["a", "b", "c", "d"].map(|name| (name, column()));
        let report = MissingnessReport::of(&Table::of(columns).unwrap(), None).unwrap();
        named += usize::from(!report.related(0.05).is_empty());
    }
    // 5 of 100 are expected; 1 in 1000 samples has more than 13.
    assert!(named <= 13, "{named}");
}

#[test]
fn rare_levels_are_put_together() {
    let lacking: Vec<bool> = (0..60).map(|row| row % 3 == 0).collect();
    // 40 rows of one level, and 20 levels of one row: expected 6.67 in the smaller row, put together.
    let levels: Vec<usize> = (0..60).map(|row| if row < 40 { 0 } else { row }).collect();
    let (_, _, _, p, _) = chi_square(&lacking, &levels).unwrap();
    let grouped: Vec<usize> = levels.iter().map(|level| (*level).min(1)).collect();
    let (_, _, _, same, _) = chi_square(&lacking, &grouped).unwrap();
    assert!(p <= 1.0 && same <= 1.0);
    let many: Vec<usize> = (0..60).collect();
    // Groups of 15 rows are expected 5 times in the smaller row.
    assert!(chi_square(&lacking, &many).is_some());
    assert!(chi_square(&lacking, &[0; 60]).is_none());
}

#[test]
fn few_rows_constants_and_nothing_have_no_test() {
    let missing: Vec<bool> = (0..30).map(|row| row < 10).collect();
    assert!(mann_whitney(&missing, &[15.5; 30]).is_none());
    assert!(mann_whitney(&missing[..19], &[1.0; 19]).is_none());
    assert!(sides(&[false; 40]).is_none());
    assert!(chi_square(&[], &[]).is_none());
    for table in [
        Table::of([("a", Column::numbers([]))]).unwrap(),
        Table::of([("a", Column::missing(Kind::Number, 50)), ("b", Column::missing(Kind::Category, 50))]).unwrap(),
    ] {
        let report = MissingnessReport::of(&table, Some("a")).unwrap();
        assert!(report.relations.is_empty() && report.little.is_err());
        assert!(!report.exhibit().blocks.is_empty());
    }
}

#[test]
fn weights_and_unknown_targets_are_refused() {
    let table = table();
    assert!(MissingnessReport::of(&table, Some("z")).unwrap_err().to_string().contains("no column `z`"));
    let fields: Vec<Field> = table.schema().fields().iter().map(|f| f.clone().role(Role::Weight)).collect();
    let weighted = table.relabelled(std::sync::Arc::new(Schema::new(fields).unwrap())).unwrap();
    let error = MissingnessReport::of(&weighted, None).unwrap_err().to_string();
    assert!(error.contains("MissingnessReport would ignore the weights"), "{error}");
}
