//! One row through impute, scale, one-hot and logistic regression: 14 columns with the level counts of the Adult table.
//!
//! `cargo bench --bench row_latency`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use stagewise::numeric::random::Stream;
use stagewise::prelude::*;

const ROWS: usize = 5_000;
const NUMBERS: usize = 6;
/// Levels of workclass, education, marital status, occupation, relationship, race, sex, native country.
const LEVELS: [usize; 8] = [9, 16, 7, 15, 6, 5, 2, 42];

fn adult_like() -> Table {
    let mut stream = Stream::new(1, "row latency");
    let mut columns = Vec::new();
    for j in 0..NUMBERS {
        let values: Vec<f64> =
            (0..ROWS).map(|_| if stream.below(50) == 0 { f64::NAN } else { 40.0 + 10.0 * stream.normal() }).collect();
        columns.push((format!("number_{j}"), Column::numbers(values)));
    }
    for (j, levels) in LEVELS.into_iter().enumerate() {
        let names: Vec<String> = (0..levels).map(|level| format!("level-{level}")).collect();
        let values: Vec<usize> = (0..ROWS).map(|_| stream.below(levels)).collect();
        columns.push((format!("category_{j}"), Column::categories(values.iter().map(|&v| Some(names[v].as_str())))));
    }
    let income: Vec<f64> = (0..ROWS).map(|_| f64::from(u8::from(stream.unit() < 0.24))).collect();
    columns.push(("income".into(), Column::numbers(income)));
    Table::of(columns).expect("columns of equal length")
}

fn row_latency(criterion: &mut Criterion) {
    let problem = Problem::<Binary>::new("income");
    let data = Dataset::new(adult_like(), &problem).expect("a binary target");
    let pipeline = Pipeline::builder(problem)
        .step("impute", MedianImputer::on(numbers()))
        .step("scale", StandardScaler::on(numbers()))
        .step("levels", OneHotEncoder::on(categories()))
        .model(LogisticRegression::default())
        .build()
        .expect("a pipeline");
    let fitted = pipeline.fit(&data, &FitContext::new(1)).expect("a fit");
    let table = data.features();

    // The two paths give the same bits: what is timed is what is served.
    let batch = fitted.predict(table).expect("answers");
    let names = table.schema().names();
    let records: Vec<Vec<(&str, RawCell<'_>)>> = (0..200)
        .map(|row| names.iter().map(String::as_str).zip(table.columns().iter().map(|c| raw(c, row))).collect())
        .collect();
    let mut scorer = fitted.scorer();
    for (row, record) in records.iter().enumerate() {
        assert_eq!(scorer.score(record).expect("an answer").to_bits(), batch[row].to_bits());
    }

    let mut next = (0..records.len()).cycle();
    criterion.bench_function("row_latency/record_by_name", |bencher| {
        bencher.iter(|| {
            let record = &records[next.next().unwrap_or(0)];
            black_box(scorer.score(black_box(record)).expect("an answer"))
        });
    });
    let (admitted, _) = fitted.contract().admit(table).expect("admitted");
    let cells: Vec<Vec<Cell>> = (0..200)
        .map(|row| {
            let mut cells = Vec::new();
            admitted.row_into(row, &mut cells);
            cells
        })
        .collect();
    criterion.bench_function("row_latency/cells_by_position", |bencher| {
        bencher.iter(|| {
            let cells = &cells[next.next().unwrap_or(0)];
            black_box(scorer.score_cells(black_box(cells)).expect("an answer"))
        });
    });
    criterion.bench_function("row_latency/batch_of_5000", |bencher| {
        bencher.iter(|| black_box(fitted.predict(black_box(table)).expect("answers")));
    });
}

fn raw(column: &Column, row: usize) -> RawCell<'_> {
    match column {
        Column::Number(values) => RawCell::Number(values[row]),
        Column::Category { codes, levels } => levels.name(codes[row]).map_or(RawCell::Missing, |n| RawCell::Text(n)),
        _ => RawCell::Missing,
    }
}

criterion_group!(benches, row_latency);
criterion_main!(benches);
