//! Stages of your own: a transformer, a sampler and a metric, in a pipeline, saved, loaded and served by name.
//!
//! `cargo run --example custom_stage [-- FILE.csv --target COLUMN --event LEVEL]`

#[path = "arguments/mod.rs"]
mod arguments;

use std::process::ExitCode;
use std::sync::Arc;

use arguments::Arguments;
use serde::{Deserialize, Serialize};
use stagewise::core::error::ParameterError;
use stagewise::core::metric::Direction;
use stagewise::core::stage::Plan;
use stagewise::numeric::quantile::quantile;
use stagewise::prelude::*;

// # A transformer: what the user chooses, and what it learns, are two types

/// Cuts numbers off at quantiles of the training rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Winsorizer {
    columns: Selector,
    tail: f64,
}

/// The limits learned, one pair per input column; none for columns that pass untouched.
#[derive(Debug, Serialize, Deserialize)]
struct FittedWinsorizer {
    schema: Arc<Schema>,
    limits: Vec<Option<(f64, f64)>>,
}

impl Persist for Winsorizer {
    const TAG: &'static str = "example.Winsorizer";
}

impl Persist for FittedWinsorizer {
    const TAG: &'static str = "example.FittedWinsorizer";
}

impl<T: Task> Transformer<T> for Winsorizer {
    type Fitted = FittedWinsorizer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        ParameterError::check((0.0..0.5).contains(&self.tail), "tail", self.tail, "at least 0 and below 0.5")?;
        self.columns.positions_of(input, Kind::Number)?;
        Ok(Plan::exact(input.fields().to_vec()))
    }

    fn fit(&self, train: &Dataset<T>, _cx: &FitContext) -> Result<FittedWinsorizer> {
        let table = train.features();
        let mut limits = vec![None; table.width()];
        for position in self.columns.positions_of(table.schema(), Kind::Number)? {
            let values = table.columns()[position].as_numbers()?;
            limits[position] = quantile(values, self.tail).zip(quantile(values, 1.0 - self.tail));
        }
        Ok(FittedWinsorizer { schema: table.schema().clone(), limits })
    }
}

impl FittedWinsorizer {
    /// The one rule of both paths. NaN stays NaN.
    fn cut(value: f64, (low, high): (f64, f64)) -> f64 {
        if value < low {
            low
        } else if value > high {
            high
        } else {
            value
        }
    }
}

impl Transform for FittedWinsorizer {
    fn input(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn output(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn transform(&self, features: Table) -> Result<Table> {
        let (schema, mut columns) = features.into_parts();
        for (column, limits) in columns.iter_mut().zip(&self.limits) {
            if let Some(limits) = limits {
                column.make_numbers()?.iter_mut().for_each(|value| *value = Self::cut(*value, *limits));
            }
        }
        Table::new(schema, columns)
    }

    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()> {
        out.extend(row.iter().zip(&self.limits).map(|(cell, limits)| match (cell, limits) {
            (Cell::Number(value), Some(limits)) => Cell::Number(Self::cut(*value, *limits)),
            (cell, _) => cell.clone(),
        }));
        Ok(())
    }
}

// # A sampler: it sees training rows only, and has no learned form

/// Keeps every row of the rarer class and as many of the other, drawn at random.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct EvenSampler;

impl Persist for EvenSampler {
    const TAG: &'static str = "example.EvenSampler";
}

impl Sampler<Binary> for EvenSampler {
    fn resample(&self, train: Dataset<Binary>, cx: &FitContext) -> Result<Dataset<Binary>> {
        let events = train.target().events();
        let (mut yes, mut no): (Vec<usize>, Vec<usize>) = (0..events.len()).partition(|&row| events[row]);
        let fewer = yes.len().min(no.len()).max(1);
        let mut stream = cx.stream("draw");
        for side in [&mut yes, &mut no] {
            *side = stream.choose(side.len(), fewer).into_iter().map(|i| side[i]).collect();
        }
        let mut rows = [yes, no].concat();
        rows.sort_unstable();
        Ok(train.take(&rows))
    }
}

// # A metric: a number with a direction and a range

/// The mean of the share of events found and the share of others left alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct BalancedAccuracy;

impl Persist for BalancedAccuracy {
    const TAG: &'static str = "example.BalancedAccuracy";
}

impl Metric<Binary> for BalancedAccuracy {
    fn name(&self) -> String {
        "balanced_accuracy".into()
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(
        &self,
        truth: &<Binary as Task>::Target,
        output: &<Binary as Task>::Output,
        weights: Option<&[f64]>,
    ) -> Result<f64> {
        let share = |event: bool| {
            let rows = (0..output.len()).filter(|&row| truth.events()[row] == event);
            let weight = |row: usize| weights.map_or(1.0, |w| w[row]);
            let (mut right, mut total) = (0.0, 0.0);
            for row in rows {
                total += weight(row);
                right += if (output[row] >= 0.5) == event { weight(row) } else { 0.0 };
            }
            right / total
        };
        Ok((share(true) + share(false)) / 2.0)
    }
}

fn main() -> ExitCode {
    arguments::main(Arguments::parse("datasets/breast_cancer.csv", "diagnosis", Some("malignant"), &[]), run)
}

fn run(arguments: &Arguments) -> Result<()> {
    let problem = Problem::<Binary>::new(&arguments.target).primary(BalancedAccuracy, at_least(0.6));
    let problem = arguments.event.iter().fold(problem, |problem, level| problem.event(level));
    let problem = arguments.ignore.iter().fold(problem, |problem, column| problem.ignore(column));
    let data = Dataset::new(Csv::new(&arguments.file).read()?.table, &problem)?;
    let cx = FitContext::new(7);
    let (train, holdout) = StratifiedHoldout::new(0.25).split(data, &cx)?;

    let pipeline = Pipeline::builder(problem)
        .step("impute", MedianImputer::on(numbers()))
        .step("cut", Winsorizer { columns: numbers(), tail: 0.01 })
        .step("scale", StandardScaler::on(numbers()))
        .step("flags", MostFrequentImputer::on(flags()))
        .step("levels", OneHotEncoder::on(categories()))
        .sample("even", EvenSampler)
        .model(LogisticRegression::default())
        .build()?;
    let fitted = pipeline.fit(&train, &cx)?;
    let mut ledger = Ledger::in_memory();
    let evaluation = holdout.evaluate_once(&fitted, &mut ledger)?;
    println!("{}", text::render(&[fitted.report().exhibit(), evaluation.exhibit()], 100));

    // # The registry is a value: add your stages to the built-in ones, and artifacts that hold them load
    let approved = Gate::check(&fitted, &evaluation, &mut ledger)?.approve()?;
    let bytes = Artifact::package(fitted.clone(), approved, evaluation.data.features())?.to_bytes()?;
    let mut registry = stagewise::registry();
    registry.transformer::<Winsorizer>().sampler::<Binary, EvenSampler>().metric_for::<Binary, BalancedAccuracy>();
    let loaded = Artifact::<Binary>::from_bytes(&bytes, &registry)?;
    let same = loaded.fitted().predict(evaluation.data.features())? == evaluation.output;
    let refitted = loaded.fitted().pipeline().fit(&train, &cx)?;

    println!("rows {}", train.rows() + evaluation.rows);
    println!("holdout_balanced_accuracy {}", evaluation.scores[0].value);
    println!("artifact_bytes {}", bytes.len());
    println!("loaded_equal {same}");
    println!("refitted_equal {}", refitted.fingerprint() == fitted.fingerprint());
    Ok(())
}
