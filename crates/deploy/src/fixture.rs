//! Small stages for the tests of this crate: a step that learns means, and a model whose answers depend on every
//! feature. They learn little and answer quickly.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::gate::{Approved, Gate};
use stagewise_core::holdout::Holdout;
use stagewise_core::ledger::Ledger;
use stagewise_core::matrix::{Accepts, Design, Features};
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::pipeline::{FittedPipeline, Pipeline};
use stagewise_core::problem::{Problem, at_most};
use stagewise_core::record::Cell;
use stagewise_core::registry::Registry;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::stage::{Estimator, Learner, Plan, Predict, Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::task::{Binary, Multiclass, Regression, Task};
use stagewise_testkit::data;

use crate::artifact::Artifact;

pub(crate) fn registry() -> Registry {
    fn of<T: Shape>(registry: &mut Registry) {
        registry.learner::<T, Tilt>().metric_for::<T, Width>();
    }
    let mut registry = Registry::new();
    registry.transformer::<Shift>();
    of::<Regression>(&mut registry);
    of::<Binary>(&mut registry);
    of::<Multiclass>(&mut registry);
    registry
}

/// A small artifact of each task.
pub(crate) fn binary() -> Artifact<Binary> {
    artifact(data::binary)
}

pub(crate) fn multiclass() -> Artifact<Multiclass> {
    artifact(data::multiclass)
}

pub(crate) fn regression() -> Artifact<Regression> {
    artifact(data::regression)
}

fn artifact<T: Shape>(data: fn(usize, u64) -> Dataset<T>) -> Artifact<T> {
    let (fitted, approved) = approved(data, Tilt::default());
    Artifact::package(fitted, approved, data(5, 9).features()).unwrap()
}

/// A fitted pipeline and its approval.
pub(crate) fn approved<T: Shape>(data: fn(usize, u64) -> Dataset<T>, tilt: Tilt) -> (FittedPipeline<T>, Approved) {
    let problem = T::told(Problem::new("target").objective("to test")).primary(Width, at_most(10.0));
    let pipeline = Pipeline::builder(problem).step("shift", Shift).model(tilt).build().unwrap();
    let fitted = pipeline.fit(&data(24, 7), &FitContext::new(1)).unwrap();
    let mut ledger = Ledger::in_memory();
    let evaluation = Holdout::new(data(30, 8)).evaluate_once(&fitted, &mut ledger).unwrap();
    let approved = Gate::check(&fitted, &evaluation, &mut ledger).unwrap().approve().unwrap();
    (fitted, approved)
}

/// Takes the training mean from every number; a missing one becomes 0. A timestamp becomes hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shift;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FittedShift {
    input: Arc<Schema>,
    output: Arc<Schema>,
    means: Vec<f64>,
}

impl Persist for Shift {
    const TAG: &'static str = "deploy-test-Shift";
}

impl Persist for FittedShift {
    const TAG: &'static str = "deploy-test-FittedShift";
}

impl<T: Task> Transformer<T> for Shift {
    type Fitted = FittedShift;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let field = |f: &Field| match f.kind {
            Kind::Number => f.clone().missing(false),
            Kind::Timestamp => Field::derived(f.name.clone(), Kind::Number, [f]),
            _ => f.clone(),
        };
        Ok(Plan::exact(input.fields().iter().map(field).collect()))
    }

    fn fit(&self, train: &Dataset<T>, _cx: &FitContext) -> Result<FittedShift> {
        let input = train.features().schema().clone();
        let output = Arc::new(Schema::new(Transformer::<T>::plan(self, &input)?.fields)?);
        let mean = |column: &Column| {
            let present: Vec<f64> =
                column.as_numbers().into_iter().flatten().copied().filter(|x| !x.is_nan()).collect();
            present.iter().sum::<f64>() / present.len().max(1) as f64
        };
        Ok(FittedShift { input, output, means: train.features().columns().iter().map(mean).collect() })
    }
}

impl Transform for FittedShift {
    fn input(&self) -> &Arc<Schema> {
        &self.input
    }

    fn output(&self) -> &Arc<Schema> {
        &self.output
    }

    fn transform(&self, features: Table) -> Result<Table> {
        let (_, mut columns) = features.into_parts();
        for (column, mean) in columns.iter_mut().zip(&self.means) {
            match column {
                Column::Number(_) => {
                    column.make_numbers()?.iter_mut().for_each(|x| *x = if x.is_nan() { 0.0 } else { *x - mean });
                }
                Column::Timestamp(times) => {
                    let hour = |&t: &i64| if t == MISSING_TIME { 0.0 } else { hours(t) };
                    *column = Column::numbers(times.iter().map(hour).collect::<Vec<_>>());
                }
                _ => {}
            }
        }
        Table::new(self.output.clone(), columns)
    }

    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()> {
        out.extend(row.iter().zip(&self.means).zip(self.input.fields()).map(|((cell, mean), field)| match cell {
            Cell::Number(x) => Cell::Number(x - mean),
            Cell::Timestamp(t) => Cell::Number(hours(*t)),
            Cell::Missing if matches!(field.kind, Kind::Number | Kind::Timestamp) => Cell::Number(0.0),
            other => other.clone(),
        }));
        Ok(())
    }
}

fn hours(micros: i64) -> f64 {
    micros as f64 / 3.6e9
}

/// A plane over the features. A two-faced one answers batches a little differently.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tilt {
    pub(crate) two_faced: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FittedTilt {
    classes: usize,
    slopes: Vec<f64>,
    two_faced: bool,
}

impl Persist for Tilt {
    const TAG: &'static str = "deploy-test-Tilt";
}

impl Persist for FittedTilt {
    const TAG: &'static str = "deploy-test-FittedTilt";
}

impl FittedTilt {
    fn height(&self, row: impl Iterator<Item = f64>) -> f64 {
        row.zip(&self.slopes).filter(|(x, _)| !x.is_nan()).fold(0.1, |z, (x, slope)| z + x * slope)
    }
}

impl<T: Shape> Learner<T> for Tilt {
    type Model = FittedTilt;

    fn accepts(&self) -> Accepts {
        Accepts { missing: true, categories: true }
    }

    fn fit(&self, train: &Design<T>, _cx: &FitContext) -> Result<FittedTilt> {
        let width = train.features.width();
        let slopes = (0..width).map(|j| 0.013 * (j + 1) as f64 * if j == 1 { 1e-4 } else { 1.0 }).collect();
        Ok(FittedTilt { classes: T::classes(&train.labels), slopes, two_faced: self.two_faced })
    }
}

impl<T: Shape> Predict<T> for FittedTilt {
    fn predict(&self, features: &Features) -> Result<T::Output> {
        let extra = if self.two_faced { 1e-9 } else { 0.0 };
        let rows = features.matrix();
        let rows = rows.rows().into_iter();
        Ok(T::collect(rows.map(|row| T::shape(self.height(row.iter().copied()) + extra, self.classes)).collect()))
    }

    fn predict_row(&self, row: &[f64]) -> Result<T::RowOutput> {
        Ok(T::shape(self.height(row.iter().copied()), self.classes))
    }
}

/// How a height becomes an answer.
pub(crate) trait Shape: Task {
    fn shape(height: f64, classes: usize) -> Self::RowOutput;
    fn classes(_labels: &Self::Labels) -> usize {
        1
    }
    fn told(problem: Problem<Self>) -> Problem<Self> {
        problem
    }
}

impl Shape for Regression {
    fn shape(height: f64, _classes: usize) -> f64 {
        1000.0 * height
    }
}

impl Shape for Binary {
    fn shape(height: f64, _classes: usize) -> f64 {
        1.0 / (1.0 + (-height).exp())
    }

    fn told(problem: Problem<Self>) -> Problem<Self> {
        problem.event("yes")
    }
}

impl Shape for Multiclass {
    fn shape(height: f64, classes: usize) -> Vec<f64> {
        let parts: Vec<f64> = (0..classes).map(|k| (k as f64 * height).clamp(-50.0, 50.0).exp()).collect();
        let sum: f64 = parts.iter().sum();
        parts.into_iter().map(|p| p / sum).collect()
    }

    fn classes(labels: &Self::Labels) -> usize {
        labels.len()
    }
}

/// A metric that is always 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Width;

impl Persist for Width {
    const TAG: &'static str = "deploy-test-Width";
}

impl<T: Task> Metric<T> for Width {
    fn name(&self) -> String {
        "width".into()
    }

    fn direction(&self) -> Direction {
        Direction::LowerIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (1.0, 1.0)
    }

    fn score(&self, _truth: &T::Target, _output: &T::Output, _weights: Option<&[f64]>) -> Result<f64> {
        Ok(1.0)
    }
}
