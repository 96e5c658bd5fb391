//! Permutation importance: how much worse a metric gets where the values of a raw column stand in other rows.
//!
//! The whole fitted recipe answers each time, so a column counts with everything that its steps make of it. Only the
//! columns that are shuffled are copied; all others share their buffers with the data. Every shuffle has its own random
//! stream, named by its columns and its number, so neither other columns nor the number of threads change it.

mod result;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, NumericError, ParameterError, Result};
use stagewise_core::metric::{AnyMetric, Direction};
use stagewise_core::stage::Predictor;
use stagewise_core::table::Table;
use stagewise_core::task::Task;

pub use result::{PermutationImportance, PermutedColumns};

/// How to measure permutation importance.
///
/// Columns that say much the same hide each other: shuffled alone, the other still stands for each. Put them in a
/// [`group`](Self::group), which is shuffled as one, row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permutation {
    repeats: usize,
    groups: Vec<(String, Vec<String>)>,
}

impl Default for Permutation {
    fn default() -> Self {
        Self::new()
    }
}

impl Permutation {
    /// 5 repeats, each column by itself.
    pub fn new() -> Self {
        Self { repeats: 5, groups: Vec::new() }
    }

    /// How often each column is shuffled. At least 1, default 5; from 2 on there is a deviation.
    #[must_use]
    pub fn repeats(mut self, repeats: usize) -> Self {
        self.repeats = repeats;
        self
    }

    /// These columns are shuffled together and stand in the result under this name. A column may be in several groups;
    /// one in none stands by itself.
    #[must_use]
    pub fn group<S: Into<String>>(mut self, name: impl Into<String>, columns: impl IntoIterator<Item = S>) -> Self {
        self.groups.push((name.into(), columns.into_iter().map(Into::into).collect()));
        self
    }

    /// Measures on rows that the model should not have learned from: on training rows, what it has learned by heart
    /// counts as important.
    ///
    /// ```text
    /// drop = score of the rows as they are − score with the values shuffled     (higher is better; else the reverse)
    /// ```
    ///
    /// A drop above 0 is worse. Weights of the data weigh the scores; rows of weight 0 keep their values. Missing values are
    /// shuffled like others. A column that the model does not use drops exactly 0. Features are the raw columns of the data;
    /// columns of other roles are left alone. `O(repeats · columns)` predictions of all rows; memory: what a prediction
    /// takes, for each thread.
    ///
    /// # Errors
    /// No repeats, groups that are empty or named like another, columns that are not features of the data, whatever
    /// the model or the metric gives, with the columns; [`NumericError::Undefined`] where the score of the rows as they
    /// are is not finite; cancellation.
    ///
    /// ```
    /// use stagewise_core::{column::Column, context::FitContext, dataset::Dataset, problem::Problem, table::Table};
    /// use stagewise_core::{metric::AnyMetric, stage::Predictor, task::Regression};
    /// use stagewise_eval::{Mae, Permutation};
    ///
    /// struct Twice;
    /// impl Predictor<Regression> for Twice {
    ///     fn predict(&self, table: &Table) -> stagewise_core::Result<ndarray::Array1<f64>> {
    ///         Ok(table.column("x")?.as_numbers()?.iter().map(|x| 2.0 * x).collect())
    ///     }
    /// }
    /// let x: Vec<f64> = (0..50).map(f64::from).collect();
    /// let y: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
    /// let table = Table::of([("x", Column::numbers(x.clone())), ("z", Column::numbers(x)), ("y", Column::numbers(y))])?;
    /// let data = Dataset::new(table, &Problem::<Regression>::new("y"))?;
    /// let found = Permutation::new().run(&Twice, &data, &AnyMetric::new(Mae), &FitContext::new(1))?;
    /// // The mean distance of two values of 0..50 is about a third of 50.
    /// assert!((25.0..42.0).contains(&found.of("x").unwrap().mean()));
    /// assert_eq!(found.of("z").unwrap().drops(), [0.0; 5]);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    ///
    /// Breiman (2001), "Random forests"; Fisher, Rudin & Dominici (2019), "All models are wrong, but many are useful".
    /// Checked against scikit-learn 1.9.1's `permutation_importance` with the same shuffles.
    pub fn run<T: Task>(
        &self,
        model: &impl Predictor<T>,
        data: &Dataset<T>,
        metric: &AnyMetric<T>,
        cx: &FitContext,
    ) -> Result<PermutationImportance> {
        let moving: Option<Vec<usize>> = data
            .weights()
            .filter(|weights| weights.contains(&0.0))
            .map(|weights| (0..data.rows()).filter(|&row| weights[row] > 0.0).collect());
        let rows = data.rows();
        self.measure(model, data, metric, cx, |name, repeat| {
            let mut stream = cx.step("permutation").step(name).stream(&format!("repeat {repeat}"));
            match &moving {
                None => stream.permutation(rows),
                Some(moving) => {
                    let mut order: Vec<usize> = (0..rows).collect();
                    let shuffled = stream.permutation(moving.len());
                    moving.iter().zip(shuffled).for_each(|(&row, from)| order[row] = moving[from]);
                    order
                }
            }
        })
    }

    /// The same with the row that each row takes its values from given.
    fn measure<T: Task>(
        &self,
        model: &impl Predictor<T>,
        data: &Dataset<T>,
        metric: &AnyMetric<T>,
        cx: &FitContext,
        order: impl Fn(&str, usize) -> Vec<usize> + Sync,
    ) -> Result<PermutationImportance> {
        ParameterError::check(self.repeats >= 1, "repeats", self.repeats, "at least 1")?;
        let groups = self.resolved(data.features())?;
        let score = |features: &Table| -> Result<f64> {
            let output = model.predict(features)?;
            let found = T::rows(&output);
            if found != data.rows() {
                return Err(DataError::Length { what: "answers".into(), expected: data.rows(), found }.into());
            }
            metric.score(data.target(), &output, data.weights())
        };
        let baseline = score(data.features())?;
        if !baseline.is_finite() {
            let (what, why) = (metric.name(), format!("it is {baseline} for the rows as they are"));
            return Err(NumericError::Undefined { what, why }.into());
        }
        let sign = if metric.direction() == Direction::HigherIsBetter { 1.0 } else { -1.0 };
        let tasks: Vec<(usize, usize)> =
            (0..groups.len()).flat_map(|group| (0..self.repeats).map(move |repeat| (group, repeat))).collect();
        let bar = cx.start("permutation importance", Some(tasks.len() as u64));
        let drops: Vec<Result<f64>> = cx.install(|| {
            tasks
                .par_iter()
                .map(|&(group, repeat)| {
                    cx.check()?;
                    let (name, positions) = &groups[group];
                    let shuffled = shuffled(data.features(), positions, &order(name, repeat))?;
                    let permuted = score(&shuffled).at(|| Crumb::column(name.as_str()))?;
                    bar.advance(1);
                    Ok(sign * (baseline - permuted))
                })
                .collect()
        });
        let mut drops = drops.into_iter();
        let names = data.features().schema().names();
        let items = groups
            .into_iter()
            .map(|(name, positions)| {
                let drops = drops.by_ref().take(self.repeats).collect::<Result<Vec<f64>>>()?;
                let columns = positions.iter().map(|&position| names[position].clone()).collect();
                Ok(PermutedColumns::new(name, columns, drops))
            })
            .collect::<Result<_>>()?;
        Ok(PermutationImportance::new(metric.name(), metric.direction(), baseline, items))
    }

    /// Names and the positions of their columns: groups first, then the columns that are in none.
    fn resolved(&self, features: &Table) -> Result<Vec<(String, Vec<usize>)>> {
        let schema = features.schema();
        let mut groups = Vec::new();
        for (name, columns) in &self.groups {
            let mut positions = columns.iter().map(|column| schema.require(column)).collect::<Result<Vec<_>>>()?;
            positions.sort_unstable();
            positions.dedup();
            ParameterError::check(!positions.is_empty(), "group", format!("`{name}` of no columns"), "some columns")?;
            groups.push((name.clone(), positions));
        }
        let grouped = |position: &usize| groups.iter().any(|(_, positions)| positions.contains(position));
        let alone: Vec<(String, Vec<usize>)> = (schema.names().into_iter().enumerate())
            .filter(|(position, _)| !grouped(position))
            .map(|(position, name)| (name, vec![position]))
            .collect();
        groups.extend(alone);
        if let Some((_, (name, _))) =
            groups.iter().enumerate().find(|(i, (name, _))| groups[..*i].iter().any(|(other, _)| other == name))
        {
            ParameterError::check(false, "group", format!("two named `{name}`"), "names that differ")?;
        }
        Ok(groups)
    }
}

/// The same table with the values of some columns taken from the rows in `order`.
fn shuffled(features: &Table, positions: &[usize], order: &[usize]) -> Result<Table> {
    let (schema, columns) = features.clone().into_parts();
    let take = |(position, column): (usize, Column)| {
        if positions.contains(&position) { column.take(order) } else { column }
    };
    Table::sized(schema, columns.into_iter().enumerate().map(take).collect(), features.rows())
}

#[cfg(test)]
mod tests;
