//! Imputers that look at other columns, on 20,000 rows of 10 numbers, a tenth of them missing.
//!
//! `cargo bench -p stagewise-features --bench imputers -- <threads>`; `imputers.py` beside it times scikit-learn on the same
//! table. Prints the best of three, in seconds.

use std::time::Instant;

use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::problem::Problem;
use stagewise_core::select::numbers;
use stagewise_core::stage::Transformer;
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_features::impute::{IterativeImputer, KnnImputer};

const ROWS: usize = 20_000;
const COLUMNS: usize = 10;

/// A formula that another language computes to nearly the same digits.
fn value(row: usize, column: usize) -> f64 {
    if (row * 31 + column * 17 + row * column).is_multiple_of(10) {
        return f64::NAN;
    }
    let (i, j) = (row as f64, column as f64);
    (0.37 * i + j).sin() + 0.5 * (0.011 * i * (j + 1.0)).sin() + 0.2 * (1.7 * i * i).sin()
}

fn main() -> Result<()> {
    let threads = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(2);
    let column = |j: usize| Column::numbers((0..ROWS).map(|i| value(i, j)).collect::<Vec<_>>());
    let target = ("target".to_string(), Column::numbers(vec![0.0; ROWS]));
    let columns = (0..COLUMNS).map(|j| (format!("c{j}"), column(j))).chain([target]);
    let train = Dataset::new(Table::of(columns)?, &Problem::<Regression>::new("target"))?;
    time("knn", &KnnImputer::on(numbers()), &train, threads)?;
    time("iterative", &IterativeImputer::on(numbers()), &train, threads)
}

fn time<S: Transformer<Regression>>(name: &str, spec: &S, train: &Dataset<Regression>, threads: usize) -> Result<()> {
    let cx = FitContext::new(0).threads(threads)?;
    let mut best = f64::INFINITY;
    let mut sum = 0.0;
    for _ in 0..3 {
        let start = Instant::now();
        let (_, filled) = cx.install(|| spec.fit_transform(train.clone(), &cx))?;
        best = best.min(start.elapsed().as_secs_f64());
        sum = filled.features().column("c0")?.as_numbers()?.iter().sum();
    }
    println!("{name} threads {threads} seconds {best:.3} sum {sum:.9}");
    Ok(())
}
