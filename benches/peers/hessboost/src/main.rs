//! Times hessboost on the tables of `tables.py` and prints one JSON line per measurement.
//!
//! `peer-hessboost <gbdt|forest|shap> <cache folder> <table> <threads> <setting>`; the settings of `gbdt` and `shap` are
//! `leaves63` (best leaf first, 63 leaves) and `depth8`, that of `forest` is `depth12`.

#[path = "../../rust/measure.rs"]
mod measure;
mod table;

use std::hint::black_box;
use std::path::Path;

use hessboost::config::GrowPolicy;
use hessboost::data::FeatureType;
use hessboost::prelude::*;
use serde_json::json;
use table::{Part, Table};

const EXPLAINED_ROWS: usize = 10_000;
const SINGLE_ROWS: usize = 2_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [task, cache, name, threads, setting] = args.as_slice() else {
        eprintln!("usage: peer-hessboost <gbdt|forest|shap> <cache folder> <table> <threads> <setting>");
        std::process::exit(2);
    };
    let threads: usize = threads.parse().expect("threads");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("thread pool");
    let table = table::read(Path::new(cache), name);
    let peer = format!("hessboost-{setting}");
    let subject = measure::Subject { table: name, peer: &peer, version: "0.4.6", threads };
    let rounds = if task == "forest" { 1 } else { 100 };
    let params = params(setting);

    fit(&params, &table, 1_000, 2);
    measure::reset_peak();
    let start = measure::memory_mb("VmRSS");
    let (time, model) = measure::timed(5.0, || fit(&params, &table, table.train.y.len(), rounds));
    let peak = measure::memory_mb("VmHWM");

    let rows = table.test.y.len();
    let predict = || {
        let test = matrix(&table, &table.test, rows);
        model.predict(&test, Iterations::Best).expect("predict").as_slice().to_vec()
    };
    let scores: Vec<f64> = predict().into_iter().map(f64::from).collect();
    let quality = json!({
        "auc": measure::auc(&table.test.y, &scores), "logloss": measure::log_loss(&table.test.y, &scores),
        "peak_rss_mb": peak, "start_rss_mb": start,
    });
    if task != "shap" {
        measure::line(&subject, &format!("{task}_fit"), table.train.y.len(), &time, quality);
        let (time, _) = measure::timed(5.0, predict);
        measure::line(&subject, &format!("{task}_predict"), rows, &time, json!({}));
    }
    if task == "gbdt" {
        let row = |r: usize| &table.test.x[r * table.columns..(r + 1) * table.columns];
        let micros = measure::one_by_one(SINGLE_ROWS, |r| {
            black_box(model.predict_row(black_box(row(r)), Iterations::Best).expect("row"));
        });
        let time = measure::Time { wall: micros * 1e-6, cpu: micros * 1e-6, calls: 5 * SINGLE_ROWS };
        measure::line(&subject, "gbdt_row", 1, &time, json!({}));
    }
    if task == "shap" {
        let rows = rows.min(EXPLAINED_ROWS);
        let test = matrix(&table, &table.test, rows);
        let margin = model.predict_margin(&test, Iterations::Best).expect("margin").as_slice().to_vec();
        let (time, contributions) =
            measure::timed(5.0, || model.predict_contribs(&test, Iterations::Best).expect("contributions"));
        let sums = contributions
            .as_slice()
            .chunks_exact(table.columns + 1)
            .map(|row| row.iter().map(|v| f64::from(*v)).sum::<f64>());
        let error = sums.zip(&margin).map(|(sum, m)| (sum - f64::from(*m)).abs()).fold(0.0, f64::max);
        measure::line(&subject, "shap", rows, &time, json!({ "sum_error": error }));
    }
}

fn params(setting: &str) -> TrainingParams {
    let base = TrainingParams::builder()
        .objective(Objective::BinaryLogistic(Default::default()))
        .tree_method(TreeMethod::Hist);
    let params = match setting {
        "leaves63" => base.eta(0.1).grow_policy(GrowPolicy::LossGuide).max_leaves(63).unlimited_depth(),
        "depth8" => base.eta(0.1).max_depth(8),
        // One round of 100 trees on 63.2 % of the rows; each node sees sqrt(28) columns.
        "depth12" => base.eta(1.0).max_depth(12).num_parallel_tree(100).subsample(0.632).colsample_bynode(5.0 / 28.0),
        other => panic!("no setting `{other}`"),
    };
    params.build().expect("parameters")
}

fn matrix(table: &Table, part: &Part, rows: usize) -> DMatrix {
    let types: Vec<FeatureType> =
        table.categorical.iter().map(|c| if *c { FeatureType::Categorical } else { FeatureType::Numerical }).collect();
    let matrix = DMatrix::from_dense(&part.x[..rows * table.columns], rows, table.columns).expect("matrix");
    matrix.with_labels(&part.y[..rows]).expect("labels").with_feature_types(&types).expect("types")
}

/// From rows of numbers to a model: copying, binning and training.
fn fit(params: &TrainingParams, table: &Table, rows: usize, rounds: usize) -> BoostedModel {
    train(params, &matrix(table, &table.train, rows), rounds).expect("fit")
}
