//! Times stagewise on the tables of `tables.py` and prints one JSON line per measurement.
//!
//! `peer-stagewise <gbdt|forest|shap> <cache folder> <table> <threads>`

#[path = "../../rust/measure.rs"]
mod measure;
mod table;

use std::hint::black_box;
use std::path::Path;

use measure::Subject;
use serde_json::json;
use stagewise_core::context::FitContext;
use stagewise_core::matrix::{Design, Features};
use stagewise_core::stage::{Learner, Predict};
use stagewise_core::target::{BinaryTarget, TargetValues};
use stagewise_core::task::Binary;
use stagewise_model::{GradientBoosting, RandomForest, TreeEnsemble};
use table::Tables;

const EXPLAINED_ROWS: usize = 10_000;
const SINGLE_ROWS: usize = 2_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [task, cache, name, threads, ..] = args.as_slice() else {
        eprintln!("usage: peer-stagewise <gbdt|forest|shap> <cache folder> <table> <threads>");
        std::process::exit(2);
    };
    let threads: usize = threads.parse().expect("threads");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("thread pool");
    let tables = table::read(Path::new(cache), name);
    let subject = Subject { table: name, peer: "stagewise", version: env!("CARGO_PKG_VERSION"), threads };
    match task.as_str() {
        "forest" => trees(&subject, task, &tables, &RandomForest::new().max_depth(Some(12))),
        "shap" => explain(&subject, &tables),
        "gbdt" => trees(&subject, task, &tables, &boosting()),
        other => panic!("no task `{other}`"),
    }
}

fn boosting() -> GradientBoosting {
    GradientBoosting::new().max_leaves(63)
}

/// What each feature adds to the scores of the first test rows.
fn explain(subject: &Subject<'_>, tables: &Tables) {
    let model = Learner::<Binary>::fit(&boosting(), &tables.train, &FitContext::new(1)).expect("a fit");
    let rows: Vec<usize> = (0..tables.truth.len().min(EXPLAINED_ROWS)).collect();
    let some = tables.test.take(&rows);
    let features = || Features::new(some.clone()).expect("features");
    let (time, contributions) = measure::timed(5.0, || model.contributions(&features()).expect("contributions"));
    let scores = model.scores(&features()).expect("scores");
    let sums = contributions.values().outer_iter().map(|row| row.sum());
    let error = sums.zip(scores.column(0)).map(|(sum, score)| (sum - score).abs()).fold(0.0, f64::max);
    measure::line(subject, "shap", rows.len(), &time, json!({ "sum_error": error }));
}

/// Fits, predicts many rows and one.
fn trees(subject: &Subject<'_>, task: &str, tables: &Tables, learner: &impl Learner<Binary, Model = TreeEnsemble>) {
    let cx = FitContext::new(1);
    let fit = |design: &Design<Binary>| cx.install(|| learner.fit(design, &cx)).expect("a fit");
    fit(&few(&tables.train));
    measure::reset_peak();
    let start = measure::memory_mb("VmRSS");
    let (time, model) = measure::timed(5.0, || fit(&tables.train));
    let peak = measure::memory_mb("VmHWM");
    let predict = || {
        let features = Features::new(tables.test.clone()).expect("features");
        cx.install(|| Predict::<Binary>::predict(&model, &features)).expect("answers")
    };
    let answers = predict().to_vec();
    let quality = json!({
        "auc": measure::auc(&tables.truth, &answers), "logloss": measure::log_loss(&tables.truth, &answers),
        "peak_rss_mb": peak, "start_rss_mb": start,
    });
    measure::line(subject, &format!("{task}_fit"), tables.train.target.len(), &time, quality);
    let rows = tables.truth.len();
    let (time, _) = measure::timed(5.0, predict);
    measure::line(subject, &format!("{task}_predict"), rows, &time, json!({}));
    let some = Features::new(tables.test.take(&(0..SINGLE_ROWS).collect::<Vec<_>>())).expect("features");
    let matrix = some.matrix();
    let row = |r: usize| matrix.row(r).to_slice().expect("rows are contiguous");
    let micros = measure::one_by_one(SINGLE_ROWS, |r| {
        black_box(Predict::<Binary>::predict_row(&model, black_box(row(r))).expect("an answer"));
    });
    let time = measure::Time { wall: micros * 1e-6, cpu: micros * 1e-6, calls: 5 * SINGLE_ROWS };
    measure::line(subject, &format!("{task}_row"), 1, &time, json!({}));
}

/// The first rows, to warm up.
fn few(train: &Design<Binary>) -> Design<Binary> {
    let rows: Vec<usize> = (0..train.target.len().min(1_000)).collect();
    let features = Features::new(train.features.table().take(&rows)).expect("features");
    let events: Vec<bool> = rows.iter().map(|&row| train.target.events()[row]).collect();
    Design::new(features, BinaryTarget::new(events), train.labels.clone())
}
