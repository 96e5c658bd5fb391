//! Boosted trees of 63 leaves over 28 numbers: the fit, answers for a table, and the answer for one row.
//!
//! `cargo bench --bench trees`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use stagewise::core::matrix::{Design, Features};
use stagewise::core::target::BinaryTarget;
use stagewise::core::task::BinaryLabels;
use stagewise::model::{GradientBoosting, TreeEnsemble};
use stagewise::numeric::random::Stream;
use stagewise::prelude::*;

const WIDTH: usize = 28;

/// Normal numbers; the event follows sums, products and steps of some of them.
fn design(rows: usize, seed: u64) -> Design<Binary> {
    let mut stream = Stream::new(seed, "trees");
    let columns: Vec<Vec<f64>> = (0..WIDTH).map(|_| (0..rows).map(|_| stream.normal()).collect()).collect();
    let signal = |row: usize| {
        let x = |j: usize| columns[j][row];
        x(0) - x(1) + x(2) * x(3) + (3.0 * x(4)).sin() + f64::from(u8::from(x(5) > 0.7)) * x(6) + 0.3 * x(7) * x(8)
    };
    let events: Vec<bool> = (0..rows).map(|row| signal(row) + stream.normal() > 0.3).collect();
    let named = columns.iter().enumerate().map(|(j, values)| (format!("x{j}"), Column::numbers(values.clone())));
    let features = Features::new(Table::of(named.collect::<Vec<_>>()).expect("equal lengths")).expect("numbers");
    let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
    Design::new(features, BinaryTarget::new(events), labels)
}

fn fit(rounds: usize, train: &Design<Binary>, cx: &FitContext) -> TreeEnsemble {
    let learner = GradientBoosting::new().max_leaves(63).rounds(rounds);
    cx.install(|| Learner::<Binary>::fit(&learner, train, cx)).expect("a fit")
}

fn trees(criterion: &mut Criterion) {
    let train = design(100_000, 1);
    let threads = [1, 2].map(|n| (n, FitContext::new(1).threads(n).expect("a thread pool")));

    let mut group = criterion.benchmark_group("fit_100k_x_28");
    group.sample_size(10);
    for (n, cx) in &threads {
        group.bench_function(format!("20_rounds_{n}_threads"), |b| b.iter(|| black_box(fit(20, &train, cx))));
    }
    group.finish();

    let model = fit(100, &train, &threads[1].1);
    let table = design(200_000, 2).features;
    let mut group = criterion.benchmark_group("predict_200k_x_28");
    group.sample_size(10);
    for (n, cx) in &threads {
        group.bench_function(format!("100_trees_{n}_threads"), |b| {
            let answers = || Predict::<Binary>::predict(&model, black_box(&table)).expect("answers");
            b.iter(|| black_box(cx.install(answers)));
        });
    }
    group.finish();

    let rows: Vec<Vec<f64>> = table.matrix().outer_iter().take(20_000).map(|row| row.to_vec()).collect();
    let mut next = (0..rows.len()).cycle();
    let mut group = criterion.benchmark_group("predict_one_row");
    group.bench_function("100_trees", |b| {
        b.iter(|| {
            let row = &rows[next.next().unwrap_or(0)];
            black_box(Predict::<Binary>::predict_row(&model, black_box(row)).expect("an answer"))
        });
    });
    group.finish();
}

criterion_group!(benches, trees);
criterion_main!(benches);
