//! Small data sets that bring what real ones bring. The same seed gives the same rows.

use stagewise_core::column::Column;
use stagewise_core::dataset::Dataset;
use stagewise_core::problem::Problem;
use stagewise_core::table::Table;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression, Task};
use stagewise_numeric::random::Stream;

/// A mixed table without a target: numbers `age`, `income` (some missing), `constant`, `empty` (all missing);
/// categories `city` (some missing, one rare level) and `plan`; flag `active` (some missing).
pub fn mixed(rows: usize, seed: u64) -> Table {
    let mut stream = Stream::new(seed, "testkit/mixed");
    let mut table: Vec<(&str, Column)> = Vec::new();
    let age: Vec<f64> = (0..rows).map(|_| (18.0 + 60.0 * stream.unit()).floor()).collect();
    let income: Vec<f64> =
        (0..rows).map(|_| if stream.below(7) == 0 { f64::NAN } else { (10.0 + stream.normal()).exp() }).collect();
    let city: Vec<Option<&str>> = (0..rows)
        .map(|_| match stream.below(40) {
            0..4 => None,
            4 => Some("Ulm"),
            5..20 => Some("Bern"),
            _ => Some("Porto"),
        })
        .collect();
    let plan: Vec<Option<&str>> = (0..rows).map(|_| Some(["basic", "plus", "pro"][stream.below(3)])).collect();
    let active: Vec<Option<bool>> =
        (0..rows).map(|_| if stream.below(9) == 0 { None } else { Some(stream.below(2) == 1) }).collect();
    table.push(("age", Column::numbers(age)));
    table.push(("income", Column::numbers(income)));
    table.push(("constant", Column::numbers(vec![3.5; rows])));
    table.push(("empty", Column::numbers(vec![f64::NAN; rows])));
    table.push(("city", Column::categories(city)));
    table.push(("plan", Column::categories(plan)));
    table.push(("active", Column::flags(active)));
    Table::of(table).expect("columns of equal length")
}

/// Complete numbers only: `x0` to `x3`, the last on another scale.
pub fn numeric(rows: usize, seed: u64) -> Table {
    let mut stream = Stream::new(seed, "testkit/numeric");
    let columns = ["x0", "x1", "x2", "x3"].map(|name| {
        let scale = if name == "x3" { 100.0 } else { 1.0 };
        (name, Column::numbers((0..rows).map(|_| scale * stream.normal()).collect::<Vec<_>>()))
    });
    Table::of(columns).expect("columns of equal length")
}

/// [`mixed`] with a binary target that depends on `age` and `plan`.
pub fn binary(rows: usize, seed: u64) -> Dataset<Binary> {
    with_target(mixed(rows, seed), seed, signal_mixed, event, Problem::new(TARGET).event("yes"))
}

/// [`mixed`] with a target of three classes that depends on `age` and `plan`.
pub fn multiclass(rows: usize, seed: u64) -> Dataset<Multiclass> {
    with_target(mixed(rows, seed), seed, signal_mixed, class, Problem::new(TARGET))
}

/// [`mixed`] with a number that depends on `age` and `plan`.
pub fn regression(rows: usize, seed: u64) -> Dataset<Regression> {
    with_target(mixed(rows, seed), seed, signal_mixed, value, Problem::new(TARGET))
}

/// [`numeric`] with a binary target that depends on `x0` and `x1`.
pub fn binary_numeric(rows: usize, seed: u64) -> Dataset<Binary> {
    with_target(numeric(rows, seed), seed, signal_numeric, event, Problem::new(TARGET).event("yes"))
}

/// [`numeric`] with a target of three classes that depends on `x0` and `x1`.
pub fn multiclass_numeric(rows: usize, seed: u64) -> Dataset<Multiclass> {
    with_target(numeric(rows, seed), seed, signal_numeric, class, Problem::new(TARGET))
}

/// [`numeric`] with a number that depends on `x0` and `x1`.
pub fn regression_numeric(rows: usize, seed: u64) -> Dataset<Regression> {
    with_target(numeric(rows, seed), seed, signal_numeric, value, Problem::new(TARGET))
}

/// [`mixed`] in groups of 2 to 15 rows, with grades from 0 to 3 that depend on `age` and `plan`.
pub fn ranking(rows: usize, seed: u64) -> Dataset<Ranking> {
    let (schema, columns) = mixed(rows, seed).into_parts();
    let mut stream = Stream::new(seed, "testkit/groups");
    let mut groups: Vec<f64> = Vec::with_capacity(rows + 15);
    while groups.len() < rows {
        let group = groups.last().map_or(0.0, |group| group + 1.0);
        groups.extend(std::iter::repeat_n(group, 2 + stream.below(14)));
    }
    groups.truncate(rows);
    let names = schema.names();
    let named =
        names.iter().map(String::as_str).chain([GROUP]).zip(columns.into_iter().chain([Column::numbers(groups)]));
    let table = Table::of(named.collect::<Vec<_>>()).expect("columns of equal length");
    with_target(table, seed, signal_mixed, grade, Problem::ranking(TARGET, GROUP))
}

const GROUP: &str = "group";
const TARGET: &str = "target";

fn signal_mixed(table: &Table, row: usize) -> f64 {
    let number = |name: &str| table.column(name).and_then(|c| c.as_numbers().map(|v| v[row])).unwrap_or(0.0);
    let (codes, levels) = table.column("plan").and_then(Column::as_categories).expect("a category");
    let pro = levels.name(codes[row]).is_some_and(|name| &**name == "pro");
    (number("age") - 48.0) / 15.0 + f64::from(u8::from(pro))
}

fn signal_numeric(table: &Table, row: usize) -> f64 {
    let number = |name: &str| table.column(name).and_then(|c| c.as_numbers().map(|v| v[row])).unwrap_or(0.0);
    1.5 * number("x0") - number("x1")
}

fn event(signals: &[f64], stream: &mut Stream) -> Column {
    let mut levels: Vec<&str> =
        signals.iter().map(|s| if stream.unit() < 1.0 / (1.0 + (-1.5 * s).exp()) { "yes" } else { "no" }).collect();
    // Both levels, however few rows.
    levels.iter_mut().zip(["yes", "no"]).for_each(|(level, fixed)| *level = fixed);
    Column::categories(levels.into_iter().map(Some))
}

fn class(signals: &[f64], stream: &mut Stream) -> Column {
    let mut levels: Vec<&str> = signals
        .iter()
        .map(|s| match s + stream.normal() {
            x if x < -0.7 => "low",
            x if x < 0.7 => "middle",
            _ => "high",
        })
        .collect();
    levels.iter_mut().zip(["low", "middle", "high"]).for_each(|(level, fixed)| *level = fixed);
    Column::categories(levels.into_iter().map(Some))
}

fn value(signals: &[f64], stream: &mut Stream) -> Column {
    Column::numbers(signals.iter().map(|s| 10.0 + 3.0 * s + stream.normal()).collect::<Vec<_>>())
}

fn grade(signals: &[f64], stream: &mut Stream) -> Column {
    Column::numbers(
        signals.iter().map(|s| (s + 0.5 * stream.normal() + 1.0).round().clamp(0.0, 3.0)).collect::<Vec<_>>(),
    )
}

fn with_target<T: Task>(
    table: Table,
    seed: u64,
    signal: fn(&Table, usize) -> f64,
    target: fn(&[f64], &mut Stream) -> Column,
    problem: Problem<T>,
) -> Dataset<T> {
    let signals: Vec<f64> = (0..table.rows()).map(|row| signal(&table, row)).collect();
    let target = target(&signals, &mut Stream::new(seed, "testkit/target"));
    let (schema, columns) = table.into_parts();
    let names = schema.names();
    let named = names.iter().map(String::as_str).chain([TARGET]).zip(columns.into_iter().chain([target]));
    let table = Table::of(named.collect::<Vec<_>>()).expect("columns of equal length");
    Dataset::new(table, &problem).expect("a data set of this task")
}
