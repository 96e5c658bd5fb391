//! What a learner and a model are given: typed feature columns and, on demand, one contiguous matrix.
//!
//! The numeric form of a row is the same in the batch and in the row path: a number as it is (NaN is missing), a flag
//! as 0 or 1, a level as its code, a level not seen in training as the number of levels.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use ndarray::{Array2, ArrayView2};
use stagewise_numeric::parallel;

use crate::column::{Column, MISSING_CODE};
use crate::error::{Crumb, Error, PipelineError, Result};
use crate::schema::{Kind, Schema};
use crate::table::Table;
use crate::task::Task;

/// Feature columns that a model can take: numbers, flags, categories.
#[derive(Debug, Clone)]
pub struct Features {
    table: Table,
    matrix: Arc<OnceLock<Array2<f64>>>,
}

impl Features {
    /// These columns.
    ///
    /// # Errors
    /// [`PipelineError::Refused`] if text or timestamps are among them.
    pub fn new(table: Table) -> Result<Self> {
        let unusable: Vec<String> = table
            .schema()
            .fields()
            .iter()
            .filter(|f| matches!(f.kind, Kind::Text | Kind::Timestamp))
            .map(|f| f.name.to_string())
            .collect();
        if unusable.is_empty() {
            Ok(Self { table, matrix: Arc::default() })
        } else {
            Err(PipelineError::Refused {
                stage: "a model".into(),
                what: "text or timestamps",
                columns: unusable,
                remedy: "encode or ignore them before it".into(),
            }
            .into())
        }
    }

    /// The columns.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The columns' names and kinds.
    pub fn schema(&self) -> &Arc<Schema> {
        self.table.schema()
    }

    /// `n`: how many rows.
    pub fn rows(&self) -> usize {
        self.table.rows()
    }

    /// `p`: how many features.
    pub fn width(&self) -> usize {
        self.table.width()
    }

    /// The `n × p` matrix, row by row in memory; made once, `O(n p)`.
    pub fn matrix(&self) -> ArrayView2<'_, f64> {
        self.matrix.get_or_init(|| fill(&self.table)).view()
    }

    /// The matrix of learners that can take only finite numbers.
    ///
    /// # Errors
    /// As [`require_finite`](Self::require_finite).
    pub fn finite_matrix(&self, stage: &str) -> Result<ArrayView2<'_, f64>> {
        self.require_finite(stage)?;
        Ok(self.matrix())
    }

    /// Checks that every value is a finite number or a flag, without making the matrix.
    ///
    /// # Errors
    /// [`DataError::MissingValues`](crate::error::DataError) or [`DataError::NotFinite`](crate::error::DataError) naming
    /// the first such column; [`PipelineError::Refused`] if a category is among the columns.
    pub fn require_finite(&self, stage: &str) -> Result<()> {
        for (field, column) in self.schema().fields().iter().zip(self.table.columns()) {
            let at = || Crumb::column(field.name.as_ref());
            match column {
                Column::Number(_) => column.require_finite().map(|_| ()).map_err(|e| e.at(at()))?,
                Column::Flag(_) if column.missing_count() == 0 => {}
                Column::Flag(_) => {
                    let error = crate::error::DataError::MissingValues { count: column.missing_count() };
                    return Err(Error::from(error).at(at()));
                }
                _ => {
                    return Err(PipelineError::Refused {
                        stage: stage.into(),
                        what: "categories",
                        columns: vec![field.name.to_string()],
                        remedy: "add an encoder before it".into(),
                    }
                    .into());
                }
            }
        }
        Ok(())
    }

    /// Writes the numeric form of one feature in some rows, as [`matrix`](Self::matrix) has it, into the cells given.
    ///
    /// For whoever needs the numbers a block at a time, by column or by row, and not the matrix. It ends with the cells,
    /// the rows or the column, whichever is the shortest.
    ///
    /// ```
    /// use stagewise_core::{column::Column, matrix::Features, table::Table};
    /// let features = Features::new(Table::of([("x", Column::numbers([1.0, 2.0, 3.0]))])?)?;
    /// let mut block = [0.0; 2];
    /// features.write(0, 1..3, &mut block);
    /// assert_eq!(block, [2.0, 3.0]);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn write<'a>(&self, feature: usize, rows: Range<usize>, cells: impl IntoIterator<Item = &'a mut f64>) {
        write(&self.table, feature, rows, cells.into_iter());
    }
}

fn fill(table: &Table) -> Array2<f64> {
    const BLOCK: usize = 4096;
    let (rows, width) = (table.rows(), table.width());
    let blocks = parallel::blocks(rows, BLOCK, |range| {
        let mut block = vec![0.0; range.len() * width];
        for j in 0..width {
            write(table, j, range.clone(), block.iter_mut().skip(j).step_by(width));
        }
        block
    });
    let mut values = Vec::with_capacity(rows * width);
    blocks.into_iter().for_each(|block| values.extend_from_slice(&block));
    // The blocks hold rows × width values by construction.
    Array2::from_shape_vec((rows, width), values).unwrap_or_default()
}

fn write<'a>(table: &Table, feature: usize, rows: Range<usize>, cells: impl Iterator<Item = &'a mut f64>) {
    let (Some(column), Some(field)) = (table.columns().get(feature), table.schema().fields().get(feature)) else {
        return;
    };
    let end = rows.end.min(column.len());
    let range = rows.start.min(end)..end;
    match column {
        Column::Number(values) => cells.zip(&values[range]).for_each(|(cell, &x)| *cell = x),
        Column::Flag(values) => {
            cells.zip(&values[range]).for_each(|(cell, x)| *cell = x.map_or(f64::NAN, |b| f64::from(u8::from(b))))
        }
        Column::Category { codes, .. } => {
            let known = known_levels(field.levels.as_deref().map_or(0, |l| l.len()));
            cells.zip(&codes[range]).for_each(|(cell, &code)| {
                *cell = if code == MISSING_CODE { f64::NAN } else { f64::from(code).min(known) };
            });
        }
        // Refused by `Features::new`.
        Column::Text(_) | Column::Timestamp(_) => cells.for_each(|cell| *cell = f64::NAN),
    }
}

/// The number that stands for every level not seen in training.
pub(crate) fn known_levels(levels: usize) -> f64 {
    levels as f64
}

/// What a learner learns from.
///
/// ```
/// use stagewise_core::matrix::{Design, Features};
/// use stagewise_core::{column::Column, table::Table, target::NumberTarget, task::Regression};
///
/// let features = Features::new(Table::of([("x", Column::numbers([1.0, 2.0]))])?)?;
/// let design = Design::<Regression>::new(features, NumberTarget::new(vec![3.0, 5.0]), ());
/// assert!(design.weights().is_none() && design.validation.is_none());
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Design<T: Task> {
    /// The features, `n × p`.
    pub features: Features,
    /// The truth, `n` values.
    pub target: T::Target,
    /// What the truth's values are called.
    pub labels: T::Labels,
    /// How much each row counts; all alike if absent.
    pub weights: Option<Arc<Vec<f64>>>,
    /// Rows to judge by and not to learn from, changed like rows at serving: there if the learner
    /// [holds rows out](crate::stage::Learner::holds_out). Its own `validation` is absent.
    pub validation: Option<Box<Self>>,
}

impl<T: Task> Design<T> {
    /// Rows that count alike, and none to judge by.
    pub fn new(features: Features, target: T::Target, labels: T::Labels) -> Self {
        Self { features, target, labels, weights: None, validation: None }
    }

    /// The same rows with these weights.
    #[must_use]
    pub fn weighted(self, weights: Option<Arc<Vec<f64>>>) -> Self {
        Self { weights, ..self }
    }

    /// The same rows with these to judge by.
    #[must_use]
    pub fn judged_by(self, validation: Self) -> Self {
        Self { validation: Some(Box::new(validation)), ..self }
    }

    /// The weights as a slice.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_ref().map(|w| w.as_slice())
    }
}

/// What a learner can take without help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accepts {
    /// Missing values.
    pub missing: bool,
    /// Categories.
    pub categories: bool,
}
