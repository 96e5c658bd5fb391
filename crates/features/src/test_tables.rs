//! Tables for the tests of this crate: columns `c0`, `c1`, … from rows, and training sets whose target says nothing.

use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::dataset::Dataset;
use stagewise_core::problem::Problem;
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_numeric::random::Stream;
use stagewise_testkit::golden::Case;

/// Number columns.
pub(crate) fn numbers(rows: &[Vec<f64>]) -> Table {
    let column = |j: usize| Column::numbers(rows.iter().map(|row| row[j]).collect::<Vec<_>>());
    Table::of((0..rows[0].len()).map(|j| (format!("c{j}"), column(j)))).unwrap()
}

/// Category columns from the rows of text at a pointer of a golden case; `null` is missing.
pub(crate) fn categories(case: &Case, pointer: &str) -> Table {
    let rows: Vec<Vec<Option<&str>>> = (case.value(pointer).as_array().unwrap().iter())
        .map(|row| row.as_array().unwrap().iter().map(|value| value.as_str()).collect())
        .collect();
    let column = |j: usize| Column::categories(rows.iter().map(|row| row[j]));
    Table::of((0..rows[0].len()).map(|j| (format!("c{j}"), column(j)))).unwrap()
}

/// Rows of `later` as they come behind the door of a pipeline fitted on `train`: codes are those of `train`.
pub(crate) fn admitted(train: &Table, later: &Table) -> Table {
    let rows = train.rows()..train.rows() + later.rows();
    let schema = train.schema().clone();
    train.stacked(later).unwrap().take(&rows.collect::<Vec<_>>()).relabelled(schema).unwrap()
}

/// A training set of these features.
pub(crate) fn training(features: Table, weights: Option<Vec<f64>>) -> Dataset<Regression> {
    let target = ("target".to_string(), Column::numbers(vec![1.0; features.rows()]));
    let (schema, columns) = features.into_parts();
    let table = Table::of(schema.names().into_iter().zip(columns).chain([target])).unwrap();
    let train = Dataset::new(table, &Problem::new("target")).unwrap();
    match weights {
        Some(weights) => train.reweighted(weights).unwrap(),
        None => train,
    }
}

/// A number, and points in time `start` and `end`, some of them missing, up to twenty years around 2024.
pub(crate) fn times(rows: usize) -> Dataset<Regression> {
    let mut stream = Stream::new(11, "features/times");
    let mut time = || {
        if stream.below(8) == 0 { MISSING_TIME } else { 1_704_067_200_000_000 + (stream.normal() * 2e14) as i64 }
    };
    let (start, end): (Vec<i64>, Vec<i64>) = (0..rows).map(|_| (time(), time())).unzip();
    let x: Vec<f64> = (0..rows).map(|row| row as f64).collect();
    let columns = [("start", Column::timestamps(start)), ("x", Column::numbers(x)), ("end", Column::timestamps(end))];
    training(Table::of(columns).unwrap(), None)
}

/// Notes of a few words, some of them missing or empty, beside a number.
pub(crate) fn notes(rows: usize) -> Dataset<Regression> {
    const WORDS: [&str; 12] =
        ["Paid", "late", "never", "called twice", "moved,", "Zürich", "straße", "x", "a_1", "2024", "again!", "the"];
    let mut stream = Stream::new(12, "features/notes");
    let mut note = || {
        let words: Vec<&str> = (0..stream.below(6)).map(|_| WORDS[stream.below(WORDS.len())]).collect();
        (stream.below(9) > 0).then(|| words.join(" "))
    };
    let notes: Vec<Option<String>> = (0..rows).map(|_| note()).collect();
    let x: Vec<f64> = (0..rows).map(|row| row as f64).collect();
    let columns = [("note", Column::texts(notes.iter().map(Option::as_deref))), ("x", Column::numbers(x))];
    training(Table::of(columns).unwrap(), None)
}
