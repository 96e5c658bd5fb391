//! Our solver beside the backend that does the same: logistic regression by Newton's method and by linfa-logistic, and the
//! decision tree by its own search and by linfa-trees.
//!
//! `cargo bench --bench learners`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use stagewise::core::matrix::{Design, Features};
use stagewise::core::target::BinaryTarget;
use stagewise::core::task::BinaryLabels;
use stagewise::model::TreeBackend;
use stagewise::numeric::random::Stream;
use stagewise::prelude::*;

/// `rows × width` normal numbers; the event follows the first four.
fn design(rows: usize, width: usize) -> Design<Binary> {
    let mut stream = Stream::new(1, "learners");
    let columns: Vec<Vec<f64>> = (0..width).map(|_| (0..rows).map(|_| stream.normal()).collect()).collect();
    let signal = |row: usize| columns[0][row] - columns[1][row] + 0.5 * columns[2][row] + 0.2 * columns[3][row];
    let events: Vec<bool> = (0..rows).map(|row| signal(row) + stream.normal() > 0.5).collect();
    let named = columns.iter().enumerate().map(|(j, values)| (format!("x{j}"), Column::numbers(values.clone())));
    let features = Features::new(Table::of(named.collect::<Vec<_>>()).expect("equal lengths")).expect("numbers");
    features.matrix();
    let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
    Design::new(features, BinaryTarget::new(events), labels)
}

fn learners(criterion: &mut Criterion) {
    let cx = FitContext::new(1);
    let mut group = criterion.benchmark_group("logistic_200k_x_28");
    group.sample_size(10);
    let train = design(200_000, 28);
    for (name, backend) in [("newton", LogisticBackend::Newton), ("linfa", LogisticBackend::Linfa)] {
        let learner = LogisticRegression::new().backend(backend);
        group.bench_function(name, |b| {
            b.iter(|| black_box(Learner::<Binary>::fit(&learner, &train, &cx).expect("a fit")))
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("tree_10k_x_20");
    group.sample_size(10);
    let train = design(10_000, 20);
    for (name, backend) in [("exact", TreeBackend::Exact), ("linfa", TreeBackend::Linfa)] {
        let learner = DecisionTree::new().backend(backend);
        group.bench_function(name, |b| {
            b.iter(|| black_box(Learner::<Binary>::fit(&learner, &train, &cx).expect("a fit")))
        });
    }
    group.finish();
}

criterion_group!(benches, learners);
criterion_main!(benches);
