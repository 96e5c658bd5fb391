//! Explaining the answers of boosted trees: 100 trees of 63 leaves over 28 features.
//!
//! `cargo bench --bench explain`; `RAYON_NUM_THREADS=1` for one thread.
//!
//! The trees are grown at random, half of the splits on a quarter of the features, the leaf to split next drawn by its
//! weight: about as deep and as repetitive as boosting makes them, without the time of boosting.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use stagewise::core::column::Column;
use stagewise::core::matrix::Features;
use stagewise::core::table::Table;
use stagewise::model::{Tree, TreeEnsemble};
use stagewise::numeric::random::Stream;

const ROWS: usize = 10_000;
const WIDTH: usize = 28;
const TREES: usize = 100;
const LEAVES: usize = 63;
const FEWEST: usize = 20;

/// Rows that wait to be split or to be a leaf, and where they hang.
type Open = (Vec<usize>, Option<(usize, bool)>);

fn tree(rows: &[Vec<f64>], stream: &mut Stream) -> Tree {
    let mut tree = Tree::new();
    let mut open: Vec<Open> = vec![((0..rows.len()).collect(), None)];
    while open.len() < LEAVES {
        let mut draw = stream.below(rows.len());
        let at = open.iter().position(|(mine, _)| {
            let here = draw < mine.len();
            draw = draw.saturating_sub(mine.len());
            here
        });
        let (mine, place) = open.swap_remove(at.unwrap_or(0));
        if mine.len() < FEWEST {
            open.push((mine, place));
            continue;
        }
        let among = if stream.below(2) == 0 { WIDTH } else { WIDTH / 4 };
        let feature = stream.below(among);
        let threshold = rows[mine[stream.below(mine.len())]][feature];
        let split = tree.split(feature, threshold, stream.below(2) == 0);
        hang(&mut tree, split, mine.len(), place);
        let (left, right) = mine.into_iter().partition(|&row| rows[row][feature] <= threshold);
        open.push((left, Some((split, true))));
        open.push((right, Some((split, false))));
    }
    for (mine, place) in open {
        let leaf = tree.leaf(&[0.1 * stream.normal()]);
        hang(&mut tree, leaf, mine.len(), place);
    }
    tree
}

fn hang(tree: &mut Tree, at: usize, rows: usize, place: Option<(usize, bool)>) {
    tree.weigh(at, rows as f64, 0.0);
    if let Some((parent, left)) = place {
        tree.link(parent, left, at);
    }
}

fn features(rows: &[Vec<f64>]) -> Features {
    let column = |j: usize| Column::numbers(rows.iter().map(|row| row[j]).collect::<Vec<_>>());
    let table = Table::of((0..WIDTH).map(|j| (format!("x{j}"), column(j)))).expect("columns of equal length");
    Features::new(table).expect("numbers")
}

fn explain(criterion: &mut Criterion) {
    let mut stream = Stream::new(1, "explain");
    let rows: Vec<Vec<f64>> = (0..ROWS).map(|_| (0..WIDTH).map(|_| stream.normal()).collect()).collect();
    let trees = (0..TREES).map(|_| tree(&rows, &mut stream)).collect();
    let names = (0..WIDTH).map(|j| format!("x{j}")).collect();
    let model = TreeEnsemble::sum(names, vec![0.0], trees).expect("trees that fit together");
    let (all, some, background) = (features(&rows), features(&rows[..1_000]), features(&rows[..100]));

    let scores = model.scores(&all).expect("complete rows");
    let found = model.contributions(&all).expect("trees with covers");
    let off = found.values().outer_iter().zip(&scores).map(|(row, score)| (row.sum() - score).abs());
    let off = off.fold(0.0, f64::max);
    assert!(off < 1e-12, "contributions and bias miss the score by {off}");

    let mut group = criterion.benchmark_group("explain");
    group.sample_size(10);
    group.bench_function("contributions, 10,000 rows", |b| b.iter(|| black_box(model.contributions(&all))));
    group.bench_function("contributions against 100 rows, 10,000 rows", |b| {
        b.iter(|| black_box(model.contributions_against(&all, &background)));
    });
    group.bench_function("interactions, 1,000 rows", |b| b.iter(|| black_box(model.interactions(&some))));
    let explainer = model.explainer().expect("trees with covers");
    group.bench_function("contributions, one row", |b| b.iter(|| black_box(explainer.row(&rows[7]))));
    group.finish();
}

criterion_group!(benches, explain);
criterion_main!(benches);
