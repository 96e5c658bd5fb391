//! The whole life of a model in one run: from a CSV file to served predictions and a drift report.
//!
//! `cargo run --release --example quickstart` takes `datasets/loans.csv`;
//! `cargo run --release --example quickstart -- FILE.csv --target COLUMN [--event LEVEL]` takes any table.

#[path = "../arguments/mod.rs"]
mod arguments;
mod http;
mod recipe;

use std::path::Path;
use std::process::ExitCode;

use arguments::Arguments;
use recipe::Recipe;
use stagewise::core::error::Error;
use stagewise::prelude::*;

const OUT: &str = "target/quickstart";
const SERVED_ROWS: usize = 5;

fn main() -> ExitCode {
    let arguments = match Arguments::parse("datasets/loans.csv", "defaulted", Some("yes")) {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    // # Read the table, and show every decision about it
    let loaded = Csv::new(&arguments.file).read()?;
    let task = detect_task(&loaded.table, &arguments.target)?;
    println!("{}", text::render(&[loaded.exhibit()], 100));
    println!("task: {task}\n");
    match task.kind {
        TaskKind::Binary => life::<Binary>(loaded, arguments),
        TaskKind::Multiclass => life::<Multiclass>(loaded, arguments),
        TaskKind::Regression => life::<Regression>(loaded, arguments),
    }
}

fn life<T: Recipe>(loaded: Loaded, arguments: &Arguments) -> Result<()> {
    std::fs::create_dir_all(OUT).map_err(|e| Error::io(OUT, e))?;
    let cx = FitContext::new(42).progress(TerminalBars::new());
    let problem = T::problem(&arguments.target, arguments.event.as_deref());
    let profile = Profile::of(&loaded.table, Some(&arguments.target))?;
    let mut sections = vec![problem.exhibit(), loaded.exhibit(), profile.exhibit()];

    // # Split before you look
    let table = with_target(loaded.table, &arguments.target)?;
    let (rows, data) = (table.rows(), Dataset::new(table, &problem)?);
    let features = data.features().width();
    let (train, holdout) = StratifiedHoldout::new(0.2).split(data, &cx)?;

    // # Cross-validate the baseline and the candidates on the same folds
    let folds = StratifiedKFold::new((train.rows() / 10).clamp(2, 5));
    let candidates = T::candidates(&problem)?;
    let mut results = Vec::new();
    for (name, pipeline) in &candidates {
        let result = cross_validate(*name, pipeline, &train, &folds, &T::metrics(), &cx)?;
        println!("{}", text::render(&[result.exhibit()], 100));
        sections.push(result.exhibit());
        results.push(result);
    }
    let best = ranking(&results, 0)?[0];
    let (name, pipeline) = &candidates[best];
    let deciding = T::metrics().swap_remove(0).name();
    println!("best by {deciding}: {name}\n");

    // # Fit the best on all training rows, and look at the holdout once
    let fitted = pipeline.fit(&train, &cx)?;
    let ledger_path = Path::new(OUT).join("ledger.jsonl");
    let mut ledger = Ledger::open(&ledger_path)?;
    let evaluation = holdout.evaluate_once(&fitted, &mut ledger)?;
    let data = &evaluation.data;
    let intervals = T::metrics()
        .iter()
        .map(|metric| bootstrap(metric, data.target(), &evaluation.output, data.weights(), &Bootstrap::default(), &cx))
        .collect::<Result<Vec<_>>>()?;
    let gate = Gate::check(&fitted, &evaluation, &mut ledger)?;

    // # Compare the holdout with the training rows
    let drift = DriftMonitor::new().compare(fitted.reference(), &TableSummary::of(data.features()))?;

    let late = [fitted.report().exhibit(), evaluation.exhibit(), exhibit_intervals(&intervals), gate.exhibit(), drift.exhibit()];
    println!("{}", text::render(&late, 100));
    sections.extend(late);
    sections.extend(T::curves(&evaluation)?);

    // # Deploy what the gate approves: save, load, serve, and compare what comes back
    let passed = gate.passed();
    let artifact_path = Path::new(OUT).join("model.stagewise");
    let served_equal = match gate.approve() {
        Ok(approved) => {
            Artifact::package(fitted.clone(), approved, data.features())?.write(&artifact_path)?;
            let loaded = Artifact::<T>::read(&artifact_path, &stagewise::registry())?;
            Some(served_equal(loaded, &evaluation)?)
        }
        Err(refusal) => {
            println!("nothing is deployed: {refusal}\n");
            None
        }
    };

    let report_path = Path::new(OUT).join("report.html");
    let title = format!("{} from {}", arguments.target, arguments.file.display());
    sections.into_iter().fold(Page::new(title), Page::section).write(&report_path)?;

    println!("report    {}\nledger    {}\n", report_path.display(), ledger_path.display());
    println!("rows {rows}");
    println!("features {features}");
    println!("model {name}");
    println!("cv_{deciding} {}", results[best].mean(0));
    for interval in &intervals {
        println!("holdout_{} {}", interval.metric, interval.estimate);
    }
    println!("gate {}", if passed { "approved" } else { "refused" });
    println!("artifact {}", if passed { artifact_path.display().to_string() } else { "none".into() });
    println!("served_equal {}", served_equal.map_or("none".to_string(), |equal| equal.to_string()));
    println!("drifted_features {}", drift.drifted().len());
    Ok(())
}

/// Rows without a target cannot teach: they are left out, and counted aloud.
fn with_target(table: Table, target: &str) -> Result<Table> {
    let rows = table.column(target)?.present_rows();
    if rows.len() < table.rows() {
        println!("{} rows have no `{target}` and are left out\n", table.rows() - rows.len());
    }
    Ok(table.take(&rows))
}

/// Serves the artifact on a free port of this machine and asks for some rows: bit for bit the answers in process?
fn served_equal<T: Task>(artifact: Artifact<T>, evaluation: &Evaluation<T>) -> Result<bool> {
    let fitted = artifact.pipeline().clone();
    let server = Server::new(artifact).start()?;
    let features = evaluation.data.features();
    let rows = SERVED_ROWS.min(features.rows());
    let records: Vec<_> = (0..rows).map(|row| record(features, row)).collect();
    let body = serde_json::json!({ "records": records }).to_string();
    let answer = http::post(server.address(), "/predict", &body).map_err(|e| Error::io("/predict", e))?;
    let answer: serde_json::Value = serde_json::from_str(&answer).map_err(Error::external)?;
    println!("POST http://{}/predict\n{body}\n{answer}\n", server.address());
    server.stop()?;
    // Numbers are written in the shortest form that reads back as the same bits, so equal text is equal bits.
    let expected: Vec<_> = (0..rows).map(|row| fitted.describe(&T::row(&evaluation.output, row))).collect();
    Ok(answer["predictions"] == serde_json::to_value(expected).map_err(Error::external)?)
}

/// A row as a client would send it.
fn record(table: &Table, row: usize) -> serde_json::Map<String, serde_json::Value> {
    let value = |column: &Column| match column.cell(row) {
        Cell::Number(x) => x.into(),
        Cell::Flag(b) => b.into(),
        Cell::Level(code) => column.as_categories().ok().and_then(|(_, l)| l.name(code)).map(|n| &**n).into(),
        _ => serde_json::Value::Null,
    };
    table.schema().names().into_iter().zip(table.columns().iter().map(value)).collect()
}
