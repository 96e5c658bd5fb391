//! What a model of finite numbers was fitted on, and the one check that its answers get the same.
//!
//! Backends abort or panic on NaN and on columns that moved, so every learner and every model here passes through this
//! file first: in the batch path by column, in the row path by position.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use stagewise_core::error::{Crumb, DataError, Error, Result, SchemaError};
use stagewise_core::matrix::{Design, Features};
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;
use stagewise_numeric::parallel;
use stagewise_numeric::sum::exact_sum;

/// Rows of one parallel task.
const BLOCK: usize = 1024;

/// The names of the feature columns, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Input {
    names: Vec<String>,
}

impl Input {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// Checks training rows: features, at least one row, parts of equal length, finite numbers, some weight.
    pub(crate) fn of<'a, T: Task>(train: &'a Design<T>, stage: &str) -> Result<(Self, ArrayView2<'a, f64>)> {
        let features = &train.features;
        if features.width() == 0 {
            let remedy = "keep at least one, or use `ConstantBaseline`".to_string();
            return Err(DataError::NoFeatures { remedy }.into());
        }
        check_rows(train, stage)?;
        Ok((Self::new(features.schema().names()), features.finite_matrix(stage)?))
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn width(&self) -> usize {
        self.names.len()
    }

    /// The answers of all rows, in parallel and each by itself.
    pub(crate) fn map_rows<R: Send>(
        &self,
        features: &Features,
        stage: &str,
        answer: impl Fn(&[f64]) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        self.require_columns(features)?;
        map(features.finite_matrix(stage)?, answer)
    }

    /// Checks that the columns are those of the training rows, in the same order.
    pub(crate) fn require_columns(&self, features: &Features) -> Result<()> {
        let same = features.schema().fields().iter().map(|f| f.name.as_ref()).eq(self.names.iter().map(String::as_str));
        if !same {
            let found = features.schema().names();
            return Err(SchemaError::WrongColumns { expected: self.names.clone(), found }.into());
        }
        Ok(())
    }

    pub(crate) fn check_length(&self, row: &[f64]) -> Result<()> {
        if row.len() == self.names.len() {
            return Ok(());
        }
        let what = "features of a row".to_string();
        Err(DataError::Length { what, expected: self.names.len(), found: row.len() }.into())
    }

    /// Checks the numeric form of one row.
    pub(crate) fn check_row(&self, row: &[f64]) -> Result<()> {
        self.check_length(row)?;
        match row.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let error = if row[at].is_nan() {
                    DataError::MissingValues { count: 1 }
                } else {
                    DataError::NotFinite { count: 1, first: 0 }
                };
                Err(Error::from(error).at(Crumb::column(&self.names[at])))
            }
        }
    }
}

/// The answers of the rows of `matrix`, in parallel and each by itself.
pub(crate) fn map<R: Send>(matrix: ArrayView2<'_, f64>, answer: impl Fn(&[f64]) -> Result<R> + Sync) -> Result<Vec<R>> {
    let blocks: Vec<Result<Vec<R>>> = parallel::blocks(matrix.nrows(), BLOCK, |rows| {
        let mut answers = Vec::with_capacity(rows.len());
        for r in rows {
            let row = matrix.row(r);
            let given = match row.to_slice() {
                Some(row) => answer(row),
                None => answer(&row.to_vec()),
            };
            answers.push(given.map_err(|e| e.at(Crumb::Row(r)))?);
        }
        Ok(answers)
    });
    let mut answers = Vec::with_capacity(matrix.nrows());
    for block in blocks {
        answers.extend(block?);
    }
    Ok(answers)
}

/// Checks that there are rows, that the parts are equally long and that some row has a weight.
pub(crate) fn check_rows<T: Task>(train: &Design<T>, stage: &str) -> Result<()> {
    let rows = train.features.rows();
    if rows == 0 {
        return Err(DataError::TooFewRows { what: stage.into(), needed: 1, found: 0 }.into());
    }
    let lengths = [("target", train.target.len()), ("weights", train.weights().map_or(rows, <[f64]>::len))];
    for (what, found) in lengths {
        if found != rows {
            return Err(DataError::Length { what: what.into(), expected: rows, found }.into());
        }
    }
    if let Some(weights) = train.weights() {
        if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
            return Err(DataError::BadWeight { row, value: weights[row] }.into());
        }
        if weights.iter().all(|&w| w == 0.0) {
            let what = format!("{stage} (rows with a weight above 0)");
            return Err(DataError::TooFewRows { what, needed: 1, found: 0 }.into());
        }
    }
    Ok(())
}

/// The sum of the weights, or the number of rows.
pub(crate) fn total_weight(weights: Option<&[f64]>, rows: usize) -> f64 {
    weights.map_or(rows as f64, exact_sum)
}
