//! From raw answers of annotators and dirty rows to a checked, split and balanced training set, with an account of every
//! decision.
//!
//! So that nobody has to take the checks on trust, faults are planted first: a column that gives the target away, typos,
//! numbers out of range, an annotator who does not care, test rows that are training rows. Each must be found; what is found
//! beyond them, and was not found in the file as it came, is a false alarm.
//!
//! `cargo run --release --example 02_training_data` takes `datasets/loans.csv`;
//! `cargo run --release --example 02_training_data -- FILE.csv --target COLUMN` takes any table with classes to tell apart;
//! `--ignore COLUMN`, as often as needed, leaves a column out. Where the file has no columns of annotators, their answers are
//! made up from the target.

#[path = "../arguments/mod.rs"]
mod arguments;
mod faults;
mod labels;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use arguments::Arguments;
use faults::{Faults, Planted};
use stagewise::core::error::{DataError, Error};
use stagewise::core::exhibit::{Block, Chart};
use stagewise::core::target::number_text;
use stagewise::data::check::AnomalyKind;
use stagewise::data::{Method, write};
use stagewise::prelude::*;

const OUT: &str = "target/training_data";
const WIDTH: usize = 100;
const OPINIONS: [&str; 3] = ["label_anna", "label_ben", "label_cleo"];

fn main() -> ExitCode {
    arguments::main(Arguments::parse("datasets/loans.csv", "defaulted", Some("yes"), &OPINIONS), run)
}

fn run(arguments: &Arguments) -> Result<()> {
    // # Read the table, and show every decision about it
    let loaded = Csv::new(&arguments.file).read()?;
    match detect_task(&loaded.table, &arguments.target)? {
        TaskKind::Binary { .. } => prepare::<Binary>(loaded, arguments),
        TaskKind::Multiclass { .. } => prepare::<Multiclass>(loaded, arguments),
        other => {
            println!("{}: this example needs classes, {}", arguments.target, other.why());
            Ok(())
        }
    }
}

/// The problem of each task.
trait Goal: Task {
    fn problem(target: &str, event: Option<&str>) -> Problem<Self>;
}

impl Goal for Binary {
    fn problem(target: &str, event: Option<&str>) -> Problem<Self> {
        event.map_or(Problem::new(target), |level| Problem::new(target).event(level))
    }
}

impl Goal for Multiclass {
    fn problem(target: &str, _: Option<&str>) -> Problem<Self> {
        Problem::new(target)
    }
}

fn prepare<T: Goal>(loaded: Loaded, arguments: &Arguments) -> Result<()>
where
    Smote: Sampler<T>,
    StratifiedKFold: Splitter<T>,
{
    let out = Path::new(OUT);
    std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    let cx = FitContext::new(42);
    let target = &arguments.target;
    let rows = loaded.table.column(target)?.present_rows();
    let clean = loaded.table.take(&rows);

    // # Where does it come from?
    let sheet = Datasheet::new(target.as_str(), "Rows with a label each, to learn from")
        .collected(Method::Logged, "as the file came; labels by annotators", "", "")
        .risk("annotators err", "gold questions, a model of each annotator, a queue of doubtful rows")
        .risk("test rows may be training rows", "searched for, and taken out")
        .table(&clean);
    sheet.save(out.join("datasheet.toml"))?;

    // # Write down what is expected, while the rows are as they came; a person may edit the file
    let schema_path = out.join("schema.toml");
    DataSchema::infer(&clean).save(&schema_path)?;
    let schema = DataSchema::load(&schema_path)?;

    // # Plant faults
    let planted = Planted::into(&clean, target, &cx)?;
    let integrity = Integrity::new().target(target);
    let mut faults = Faults::default();

    // # Check the rows by the schema, and in themselves
    let anomalies = schema.check(&planted.table, Environment::Training);
    let out_of_range = anomalies.anomalies.iter().filter(|a| a.kind == AnomalyKind::OutOfRange);
    faults.ranges(&planted, out_of_range);
    let sound = integrity.check(&planted.table)?;
    faults.spellings(&planted, &sound, &integrity.check(&clean)?);

    // # Decide about what was found, once, in a file
    let mut decisions = sound.suggestions.clone();
    for value in planted.wild_values()? {
        decisions = decisions.decide(&planted.ranged, number_text(value), Remedy::Missing);
    }
    decisions.save(out.join("decisions.toml"))?;
    let applied = ValueDecisions::load(out.join("decisions.toml"))?.apply(&planted.table)?;

    // # One label of many answers
    let answers = labels::answers(&applied.table, target, &OPINIONS, &cx)?;
    let labelled = labels::aggregate(&answers, &mut faults, &cx)?;

    // # Split, and see whether the test rows give something away
    let table = Planted::leak(&labels::join(&applied.table, target, &OPINIONS, &labelled.labels)?, target, &cx)?;
    let problem = arguments.ignore.iter().filter(|column| !OPINIONS.contains(&column.as_str()));
    let problem =
        problem.fold(T::problem(target, arguments.event.as_deref()), |problem, column| problem.ignore(column));
    let whole = Dataset::new(table.clone(), &problem)?;
    let split = StratifiedKFold::new(5).split(&whole, &cx)?.swap_remove(0);
    let (train, test) = (table.take(&split.train), table.take(&split.validation));
    let suite = Leakage::new().target(target);
    let (dirty, copies) = planted.copied(&train, &test, &cx)?;
    let leaks = suite.check(&train, &dirty)?;
    faults.leaks(copies, &leaks, &suite.check(&train, &test)?);

    // # Mend: the leaking columns and the copied rows go
    let leaking = faults.leaking.iter().fold(problem, |problem, column| problem.ignore(column));
    let kept: Vec<usize> = (0..dirty.rows()).filter(|row| !faults.copied.contains(row)).collect();
    let holdout = Holdout::new(Dataset::new(dirty.take(&kept), &leaking)?);
    let train = Dataset::new(train, &leaking)?;
    write::parquet(train.features(), out.join("train_features.parquet"))?;

    // # Balance the training rows; test rows stay as they are
    let even = Smote::new().resample(train.clone(), &cx)?;
    let (before, after) = (classes(&train), classes(&even));
    let balance = Section::new("Balance")
        .text(format!(
            "{} training rows became {}; the {} test rows stay as they are.",
            train.rows(),
            even.rows(),
            holdout.rows()
        ))
        .block(Block::Chart(Chart::Bars { title: "Training rows by class, before".into(), items: before, mark: None }))
        .block(Block::Chart(Chart::Bars { title: "Training rows by class, after".into(), items: after, mark: None }));
    if even.rows() < train.rows() {
        let what = "a balanced training set".into();
        return Err(DataError::TooFewRows { what, needed: train.rows(), found: even.rows() }.into());
    }

    let mut sections = vec![loaded.exhibit(), sheet.exhibit(), anomalies.exhibit(), sound.exhibit(), applied.exhibit()];
    sections.extend(labelled.sections);
    sections.extend([leaks.exhibit(), balance, faults.exhibit()]);
    println!("{}", text::render(&sections, WIDTH));
    let report = out.join("report.html");
    Page::new(format!("Training data for {target}")).sections(sections).write(&report)?;
    println!("report {}", report.display());
    println!("training_rows {}", even.rows());
    println!("test_rows {}", holdout.rows());
    println!("labels_right {:.4}", labelled.right);
    println!("planted {} found {} false_alarms {}", faults.planted(), faults.found(), faults.false_alarms());
    Ok(())
}

/// How many rows each class has.
fn classes<T: Task>(data: &Dataset<T>) -> Vec<(String, f64)> {
    let mut counts = BTreeMap::new();
    data.target().strata().into_iter().for_each(|class| *counts.entry(class).or_insert(0.0) += 1.0);
    counts.into_iter().map(|(class, rows)| (format!("class {class}"), rows)).collect()
}
