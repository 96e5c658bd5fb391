//! Boosted trees on a table as it is, missing values and categories included: stopped by rows that no step has seen,
//! explained, and held to a constraint that is then proved.
//!
//! `cargo run --release --example 04_boosting` takes `datasets/loans.csv`;
//! `cargo run --release --example 04_boosting -- FILE.csv --target COLUMN [--event LEVEL]` takes any table; `--ignore COLUMN`,
//! as often as needed, leaves a column out.

#[path = "arguments/mod.rs"]
mod arguments;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use arguments::Arguments;
use stagewise::core::matrix::Features;
use stagewise::prelude::*;

const OUT: &str = "target/boosting";
const WIDTH: usize = 100;
/// Rows of the holdout that are explained.
const EXPLAINED: usize = 2_000;

/// What decides in each task.
trait Goal: Task {
    fn problem(target: &str) -> Problem<Self>;
}

impl Goal for Binary {
    fn problem(target: &str) -> Problem<Self> {
        Problem::new(target).primary(RocAuc, beats_baseline(0.0))
    }
}

impl Goal for Multiclass {
    fn problem(target: &str) -> Problem<Self> {
        Problem::new(target).primary(Accuracy::default(), beats_baseline(0.0))
    }
}

impl Goal for Regression {
    fn problem(target: &str) -> Problem<Self> {
        Problem::new(target).primary(Rmse, beats_baseline(0.0))
    }
}

fn main() -> ExitCode {
    // The annotators' opinions are about the target: they would not be there when a loan is asked for.
    let opinions = ["label_anna", "label_ben", "label_cleo"];
    arguments::main(Arguments::parse("datasets/loans.csv", "defaulted", Some("yes"), &opinions), run)
}

fn run(arguments: &Arguments) -> Result<()> {
    let loaded = Csv::new(&arguments.file).read()?;
    match detect_task(&loaded.table, &arguments.target)? {
        TaskKind::Regression { .. } => boost(loaded.table, Regression::problem(&arguments.target), arguments),
        TaskKind::Multiclass { .. } => boost(loaded.table, Multiclass::problem(&arguments.target), arguments),
        _ => {
            let problem = Binary::problem(&arguments.target);
            let event = arguments.event.as_deref();
            boost(loaded.table, event.map_or(problem.clone(), |level| problem.event(level)), arguments)
        }
    }
}

fn boost<T: Goal>(table: Table, problem: Problem<T>, arguments: &Arguments) -> Result<()>
where
    GradientBoosting: Learner<T, Model = TreeEnsemble>,
{
    let cx = FitContext::new(42).progress(TerminalBars::new());
    let problem = arguments.ignore.iter().fold(problem, |problem, column| problem.ignore(column));
    let with_target = table.column(&arguments.target)?.present_rows();
    let data = Dataset::new(table.take(&with_target), &problem)?;
    let (train, holdout) = StratifiedHoldout::new(0.2).split(data, &cx)?;

    // # Boost until the rows held out from training see no better tree
    let learner = GradientBoosting::new().rounds(2_000).learning_rate(0.05).early_stopping(Some(50));
    let pipeline = |learner: GradientBoosting| Pipeline::builder(problem.clone()).model(learner).build();
    let start = Instant::now();
    let fitted = pipeline(learner.clone())?.fit(&train, &cx)?;
    let fit_seconds = start.elapsed().as_secs_f64();
    let alone = FitContext::new(42).threads(1)?;
    let threads_equal = pipeline(learner.clone())?.fit(&train, &alone)?.fingerprint() == fitted.fingerprint();

    // # Look at the holdout once
    let out = Path::new(OUT);
    std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    let mut ledger = Ledger::open(out.join("ledger.jsonl"))?;
    let evaluation = holdout.evaluate_once(&fitted, &mut ledger)?;

    // # What did the trees use, and what does each feature add to a score?
    let model: TreeEnsemble = fitted.model_as()?;
    let some: Vec<usize> = (0..evaluation.rows.min(EXPLAINED)).collect();
    let features = Features::new(fitted.transform(&evaluation.data.features().take(&some))?)?;
    let contributions = model.contributions(&features)?;
    let scores = model.scores(&features)?;
    let error_of = |row: usize, output: usize| {
        let parts = contributions.values();
        ((0..parts.dim().2).map(|j| parts[[row, output, j]]).sum::<f64>() - scores[[row, output]]).abs()
    };
    let places = some.iter().flat_map(|&row| (0..model.outputs()).map(move |output| (row, output)));
    let shap_max_error = places.map(|(row, output)| error_of(row, output)).fold(0.0, f64::max);

    // # Hold the most used number to one direction, and prove that it keeps it
    let importance = model.importance(ImportanceKind::Gain)?.sorted();
    let is_number = |name: &str| features.schema().field(name).is_some_and(|field| field.kind == Kind::Number);
    let proof = match importance.items().iter().find(|(name, _)| is_number(name)) {
        None => Section::new("A constraint, proved").text("There is no number to constrain."),
        Some((name, _)) => {
            let held: TreeEnsemble =
                pipeline(learner.monotone(name, Monotone::Rising))?.fit(&train, &cx)?.model_as()?;
            let free =
                if model.prove_monotone(name, Monotone::Rising).is_ok() { "keeps to it too" } else { "breaks it" };
            let pairs = held.prove_monotone(name, Monotone::Rising)?;
            Section::new("A constraint, proved").text(format!(
                "Told that its score must never fall as `{name}` grows, the model keeps to it: all {pairs} pairs of leaves that \
                 rows could come to were compared. The model that was not told {free}."
            ))
        }
    };

    let mut sections = vec![problem.exhibit(), fitted.report().exhibit()];
    sections.extend(model.training_history().map(Exhibit::exhibit));
    sections.extend([evaluation.exhibit(), importance.exhibit(), contributions.exhibit(), proof]);
    println!("{}", text::render(&sections, WIDTH));
    let report = out.join("report.html");
    Page::new(format!("Boosted trees for {}", arguments.target)).sections(sections).write(&report)?;
    println!("report {}", report.display());
    println!("rounds {}", model.training_history().map_or(0, |history| history.rounds));
    println!("fit_seconds {fit_seconds:.2}");
    println!("holdout_{} {}", evaluation.scores[0].metric, evaluation.scores[0].value);
    println!("threads_equal {threads_equal}");
    println!("shap_max_error {shap_max_error:e}");
    Ok(())
}
