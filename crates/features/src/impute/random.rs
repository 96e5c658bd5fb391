//! Missing values become random values of training.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::random::mix;

use self::hash::{hash_cells, hash_rows, hash_text};
use self::pool::Pool;
use super::fill::{Fill, Imputation};
use super::indicator;
use crate::columns::{positions, wrong_cell};
use crate::joint::{Joint, JointRule, Place, Taken, TakenCells};
use crate::rewrite::{ColumnRule, Training, plan};

mod hash;
mod pool;

/// Fills missing values with values drawn from the training rows, each as likely as its rows weigh.
///
/// A constant draws a column together and makes it look surer than it is; draws keep its spread. They hang on the seed and on
/// the values of the row, in all columns of the table, and on nothing else: the same row gets the same value in training
/// and at serving, alone and among others, in any order. So rows that are alike in every column get the same draw, and
/// where the imputed column is the only one, all do.
///
/// ```text
/// u     = mix(seed, name of the column, values of the row), uniform in [0, 1)
/// value = the smallest with Σ_{x ≤ value} w / Σ w > u
/// ```
///
/// | what comes | what happens |
/// |---|---|
/// | a number or flag column without any value in training | 0 or `false`, with a warning |
/// | a category without any value in training | the level `(missing)` is added, with a warning |
/// | a level not seen in training | passes through; all such levels are one as far as draws hang on them |
/// | `±∞` | a value like any other |
/// | more than 10,000 distinct numbers | 10,000 quantiles stand for them |
/// | a value first missing after training | filled in; it has no indicator |
///
/// Output: the same columns, which then have no missing values; with [`indicator`](Self::indicator) some more. The target
/// is not touched, nor does any draw hang on it. A row of weight 2 counts as the row twice, one of weight 0 is not there.
/// `O(rows log rows)` a column to fit, `O(columns)` a row.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::named;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::impute::RandomImputer;
///
/// let table = Table::of([
///     ("age", Column::numbers([20.0, f64::NAN, f64::NAN, 70.0])),
///     ("day", Column::numbers([1.0, 2.0, 3.0, 4.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = RandomImputer::on(named(["age"])).fit_transform(train, &FitContext::new(0))?;
/// let age = train.features().column("age")?.as_numbers()?;
/// assert_eq!(age.iter().filter(|x| **x == 20.0 || **x == 70.0).count(), 4);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RandomImputer {
    on: Selector,
    indicator: bool,
}

/// A learned [`RandomImputer`].
pub type FittedRandomImputer = Joint<RandomDraws>;

/// What was learned about a table: from which values each column draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RandomDraws {
    seed: u64,
    /// One per column of the table; `None` keeps it.
    columns: Vec<Option<Draw>>,
}

/// What was learned about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Draw {
    From {
        pool: Pool,
        indicator: bool,
    },
    /// There was no value to draw.
    Constant(Imputation),
}

impl RandomImputer {
    /// Imputes these columns, which must be categories, flags or numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, indicator: false }
    }

    indicator::indicator_setter!();

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Category, Kind::Flag, Kind::Number])
    }
}

impl Persist for RandomImputer {
    const TAG: &'static str = "RandomImputer";
}

impl<T: Task> Transformer<T> for RandomImputer {
    type Fitted = FittedRandomImputer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, !self.indicator, |field| indicator::planned(field, self.indicator)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedRandomImputer> {
        let table = train.features();
        let mut columns: Vec<Option<Draw>> = vec![None; table.width()];
        for i in self.positions(table.schema())? {
            let field = &table.schema().fields()[i];
            let mut training = Training::new(field, &table.columns()[i], train.weights());
            let draw = match Pool::of(&training).at(|| Crumb::column(field.name.as_ref()))? {
                Some(pool) => Draw::From { pool, indicator: self.indicator && training.has_missing() },
                None => Draw::Constant(Imputation::learned(&mut training, None, self.indicator)),
            };
            training.tell(cx);
            columns[i] = Some(draw);
        }
        let rule = RandomDraws { seed: cx.seed("draw"), columns };
        Joint::new(train, (0..table.width()).collect(), Place::Instead, rule)
    }
}

impl RandomDraws {
    /// A uniform number of `[0, 1)` for a column and a row.
    fn unit(&self, field: &Field, row: u64) -> f64 {
        let word = mix(self.seed ^ mix(row.wrapping_add(hash_text(&field.name))));
        (word >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A column with draws where it is missing.
    fn filled(&self, field: &Field, mut column: Column, pool: &Pool, hashes: &[u64]) -> Column {
        let drawn = |row: usize| pool.at(self.unit(field, hashes[row]));
        match &mut column {
            Column::Number(values) if values.iter().any(|x| x.is_nan()) => {
                for (row, x) in Arc::make_mut(values).iter_mut().enumerate().filter(|(_, x)| x.is_nan()) {
                    if let Some(Fill::Number(value)) = drawn(row) {
                        *x = *value;
                    }
                }
            }
            Column::Flag(values) if values.iter().any(Option::is_none) => {
                for (row, flag) in Arc::make_mut(values).iter_mut().enumerate().filter(|(_, flag)| flag.is_none()) {
                    if let Some(Fill::Flag(value)) = drawn(row) {
                        *flag = Some(*value);
                    }
                }
            }
            Column::Category { codes, levels } if codes.contains(&MISSING_CODE) => {
                for (row, code) in Arc::make_mut(codes).iter_mut().enumerate().filter(|(_, c)| **c == MISSING_CODE) {
                    if let Some(Fill::Level(level)) = drawn(row) {
                        *code = *level;
                    }
                }
                // A column without values may come without levels.
                if let Some(known) = &field.levels
                    && levels.len() < known.len()
                {
                    *levels = known.clone();
                }
            }
            _ => {}
        }
        column
    }
}

impl JointRule for RandomDraws {
    const TAG: &'static str = "FittedRandomImputer";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        let fields = |(field, draw): (&Field, &Option<Draw>)| match draw {
            None => vec![field.clone()],
            Some(Draw::From { indicator: false, .. }) => vec![field.clone().missing(false)],
            Some(Draw::From { indicator: true, .. }) => vec![field.clone().missing(false), indicator::field(field)],
            Some(Draw::Constant(imputation)) => imputation.fields(field),
        };
        taken.fields().zip(&self.columns).flat_map(fields).collect()
    }

    fn columns(&self, taken: Taken<'_>, columns: Vec<Column>, rows: usize) -> Result<Vec<Column>> {
        if columns.len() != self.columns.len() {
            let what = "columns of a stage".to_string();
            return Err(DataError::Length { what, expected: self.columns.len(), found: columns.len() }.into());
        }
        // Of what came, before anything is filled in; not needed where nothing is missing.
        let draws = |(column, draw): (&Column, &Option<Draw>)| {
            matches!(draw, Some(Draw::From { .. })) && column.missing_count() > 0
        };
        let any = columns.iter().zip(&self.columns).any(draws);
        let hashes = if any { hash_rows(taken, &columns, rows) } else { Vec::new() };
        let mut out = Vec::with_capacity(columns.len());
        for ((column, draw), field) in columns.into_iter().zip(&self.columns).zip(taken.fields()) {
            match draw {
                None => out.push(column),
                Some(Draw::Constant(imputation)) => imputation.column(field, column, &mut out)?,
                Some(Draw::From { pool, indicator }) => {
                    let indicator = indicator.then(|| indicator::column(&column));
                    out.push(self.filled(field, column, pool, &hashes));
                    out.extend(indicator);
                }
            }
        }
        Ok(out)
    }

    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        let mut hash = None;
        for (i, draw) in self.columns.iter().enumerate().take(taken.len()) {
            let (field, cell) = (taken.field(i), cells.cell(i));
            match draw {
                None => out.push(cell.clone()),
                Some(Draw::Constant(imputation)) => {
                    imputation.cell(field, cell, out).at(|| Crumb::column(field.name.as_ref()))?;
                }
                Some(Draw::From { pool, indicator }) => {
                    out.push(match (cell, field.kind) {
                        (Cell::Missing, _) => {
                            let hash = *hash.get_or_insert_with(|| hash_cells(taken, cells));
                            pool.at(self.unit(field, hash)).map_or(Cell::Missing, Fill::cell)
                        }
                        (Cell::Number(_), Kind::Number)
                        | (Cell::Flag(_), Kind::Flag)
                        | (Cell::Level(_) | Cell::NewLevel(_), Kind::Category) => cell.clone(),
                        _ => return Err(wrong_cell(field.kind, cell).at(Crumb::column(field.name.as_ref()))),
                    });
                    if *indicator {
                        out.push(indicator::cell(cell));
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
