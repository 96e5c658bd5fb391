//! The whole life of a model in one run: from a CSV file to served predictions and a drift report.
//!
//! `cargo run --release --example quickstart` takes `datasets/loans.csv`;
//! `cargo run --release --example quickstart -- FILE.csv --target COLUMN [--event LEVEL]` takes any table; `--ignore COLUMN`,
//! as often as needed, leaves a column out.

#[path = "../arguments/mod.rs"]
mod arguments;
mod http;
mod recipe;
mod serve;

use std::path::Path;
use std::process::ExitCode;

use arguments::Arguments;
use recipe::Recipe;
use stagewise::core::error::{DataError, Error};
use stagewise::core::exhibit::{Block, Chart};
use stagewise::prelude::*;

const OUT: &str = "target/quickstart";
const WIDTH: usize = 100;
const FEWEST: usize = 20;

fn main() -> ExitCode {
    // The annotators' opinions are about the target: they would not be there when a loan is asked for.
    let opinions = ["label_anna", "label_ben", "label_cleo"];
    arguments::main(Arguments::parse("datasets/loans.csv", "defaulted", Some("yes"), &opinions), run)
}

fn run(arguments: &Arguments) -> Result<()> {
    // # Read the table, and show every decision about it
    let loaded = Csv::new(&arguments.file).read()?;
    let task = detect_task(&loaded.table, &arguments.target)?;
    show(&[loaded.exhibit()]);
    println!("task: {}\n", task.why());
    match task {
        TaskKind::Regression { .. } => life::<Regression>(loaded, arguments),
        TaskKind::Multiclass { .. } => life::<Multiclass>(loaded, arguments),
        _ => life::<Binary>(loaded, arguments),
    }
}

fn life<T: Recipe>(loaded: Loaded, arguments: &Arguments) -> Result<()> {
    let out = Path::new(OUT);
    std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    let cx = FitContext::new(42).progress(TerminalBars::new());
    let problem = T::problem(&arguments.target, arguments.event.as_deref());
    let problem = arguments.ignore.iter().fold(problem, |problem, column| problem.ignore(column));
    let profile = Profile::of(&loaded.table, Some(&arguments.target))?;
    let mut sections = vec![problem.exhibit(), loaded.exhibit(), profile.exhibit()];
    show(&sections[2..]);

    // # Split before you look
    let table = with_target(loaded.table, &arguments.target)?;
    let (rows, data) = (table.rows(), Dataset::new(table, &problem)?);
    if rows < FEWEST {
        let what = "an honest evaluation (a holdout and at least two folds)".into();
        return Err(DataError::TooFewRows { what, needed: FEWEST, found: rows }.into());
    }
    let features = data.features().width();
    let (train, holdout) = StratifiedHoldout::new(0.2).split(data, &cx)?;

    // # Cross-validate the baseline and the candidates on the same folds
    let folds = StratifiedKFold::new((train.rows() / 10).clamp(2, 5));
    let candidates = T::candidates(&problem)?;
    let mut results = Vec::new();
    for (name, pipeline) in &candidates {
        let result = cross_validate(pipeline, &train, &folds, &T::metrics(), &cx)?;
        let mut section = result.exhibit();
        section.title = format!("Cross-validation of the {name}");
        show(std::slice::from_ref(&section));
        sections.push(section);
        results.push((*name, result));
    }
    let deciding = T::metrics().swap_remove(0).name();
    let by_name: Vec<_> = results.iter().map(|(name, result)| (*name, result)).collect();
    let best = ranking(&by_name, &deciding)?.swap_remove(0).name;
    let (_, pipeline) = candidates.iter().find(|(name, _)| *name == best).unwrap_or(&candidates[0]);
    let (_, result) = results.iter().find(|(name, _)| *name == best).unwrap_or(&results[0]);
    println!("best by {deciding}: {best}\n");

    // # Fit the best on all training rows, and look at the holdout once
    let fitted = pipeline.fit(&train, &cx)?;
    let ledger_path = out.join("ledger.jsonl");
    let mut ledger = Ledger::open(&ledger_path)?;
    let evaluation = holdout.evaluate_once(&fitted, &mut ledger)?;
    let data = &evaluation.data;
    let intervals = T::metrics()
        .iter()
        .map(|m| {
            Ok((m.name(), bootstrap(m, data.target(), &evaluation.output, data.weights(), &Bootstrap::new(), &cx)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let gate = Gate::check(&fitted, &evaluation, &mut ledger)?;

    // # Compare the holdout with the training rows
    let drift = DriftMonitor::new().compare(fitted.reference(), &TableSummary::of(data.features()))?;
    let late = [fitted.report().exhibit(), evaluation.exhibit(), sure(&intervals), gate.exhibit(), drift.exhibit()];
    show(&late);
    sections.extend(late);
    sections.extend(T::curves(&evaluation)?);

    // # Deploy what the gate approves: save, load, serve, and compare what comes back
    let (passed, artifact_path) = (gate.passed(), out.join("model.stagewise"));
    let served_equal = match gate.approve() {
        Ok(approved) => serve::deploy(&fitted, approved, &evaluation, &artifact_path)?.to_string(),
        Err(refusal) => {
            println!("nothing is deployed: {refusal}\n");
            "none".into()
        }
    };
    let report_path = out.join("report.html");
    Page::new(format!("Predicting {}", arguments.target)).sections(sections).write(&report_path)?;

    println!("report {}", report_path.display());
    println!("ledger {}", ledger_path.display());
    println!("rows {rows}");
    println!("features {features}");
    println!("model {best}");
    println!("cv_{deciding} {}", result.mean(&deciding)?);
    for (metric, interval) in &intervals {
        println!("holdout_{metric} {}", interval.estimate);
    }
    println!("gate {}", if passed { "approved" } else { "refused" });
    println!("artifact {}", if passed { artifact_path.display().to_string() } else { "none".into() });
    println!("served_equal {served_equal}");
    println!("drifted_features {}", drift.drifted().len());
    Ok(())
}

fn show(sections: &[Section]) {
    println!("{}", text::render(sections, WIDTH));
}

/// Rows without a target cannot teach: they are left out, and counted aloud.
fn with_target(table: Table, target: &str) -> Result<Table> {
    let rows = table.column(target)?.present_rows();
    if rows.len() < table.rows() {
        println!("{} rows have no `{target}` and are left out\n", table.rows() - rows.len());
    }
    Ok(table.take(&rows))
}

/// How sure the holdout's scores are.
fn sure(intervals: &[(String, Interval)]) -> Section {
    let items = intervals.iter().map(|(name, i)| (name.clone(), i.low, i.estimate, i.high)).collect();
    Section::new("How sure is that?")
        .block(Block::Chart(Chart::Intervals { title: "Holdout, 95 % intervals".into(), items }))
}
