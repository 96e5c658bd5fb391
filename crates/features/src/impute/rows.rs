//! Imputers that tell the missing numbers of a row by its other numbers.
//!
//! They differ in what they learn, a [`RowFill`]; which columns are looked at, what becomes of infinities, indicators and
//! columns without any value, and both paths are written here. Columns are taken in the order of their names, so that their
//! order in the table changes no bit.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, Result};
use stagewise_core::record::Cell;
use stagewise_core::schema::Field;
use stagewise_core::task::Task;

use super::fill::{fill_numbers, no_value};
use super::indicator;
use crate::joint::{Joint, JointRule, Place, Taken, TakenCells};

/// Rows filled at once: bounds the memory of a batch.
const ROWS: usize = 1 << 14;

/// Tells missing numbers by the others of the row.
pub trait RowFill: Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The tag of the learned stage.
    const TAG: &'static str;

    /// Fills every NaN of rows of `width` numbers, which stand one after the other, and leaves none. What a row gets hangs
    /// on that row alone.
    fn fill(&self, rows: &mut [f64], width: usize);
}

/// What was learned about a table whose missing numbers are told by other numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "M: RowFill")]
pub struct FilledRows<M: RowFill> {
    /// One per column of the table; `None` keeps it.
    columns: Vec<Option<Filled>>,
    /// How many columns are looked at.
    width: usize,
    model: M,
}

/// What was learned about one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Filled {
    /// Its place among the columns looked at; `None` for one without any value, which becomes 0.
    slot: Option<usize>,
    indicator: bool,
}

/// The numbers of the training rows that count.
#[derive(Debug)]
pub(super) struct Known {
    /// The names of the columns with a value, ascending.
    pub(super) names: Vec<String>,
    /// Their values; NaN is missing or infinite.
    pub(super) columns: Vec<Vec<f64>>,
    /// How much each row counts; all alike if absent.
    pub(super) weights: Option<Vec<f64>>,
}

impl Known {
    /// The weight of a row.
    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }
}

impl<M: RowFill> FilledRows<M> {
    /// What tells the missing numbers.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The learned stage: the columns at `positions`, which are numbers, are filled by what `learn` makes of them.
    pub(super) fn learn<T: Task>(
        train: &Dataset<T>,
        positions: &[usize],
        indicator: bool,
        cx: &FitContext,
        learn: impl FnOnce(&Known) -> Result<M> + Send,
    ) -> Result<Joint<Self>> {
        let table = train.features();
        let fields = table.schema().fields();
        let weights = train.weights();
        let rows: Vec<usize> = (0..table.rows()).filter(|&row| weights.is_none_or(|w| w[row] > 0.0)).collect();
        let mut known = Known {
            names: Vec::new(),
            columns: Vec::new(),
            weights: weights.map(|w| rows.iter().map(|&row| w[row]).collect()),
        };
        let mut by_name = positions.to_vec();
        by_name.sort_by(|&a, &b| fields[a].name.cmp(&fields[b].name));
        let mut columns = vec![None; table.width()];
        for &i in &by_name {
            let values = table.columns()[i].as_numbers()?;
            let kept: Vec<f64> = rows.iter().map(|&row| finite(values[row])).collect();
            let slot = kept.iter().any(|x| !x.is_nan()).then_some(known.columns.len());
            let missing = rows.iter().any(|&row| values[row].is_nan());
            columns[i] = Some(Filled { slot, indicator: indicator && missing });
            if slot.is_some() {
                known.names.push(fields[i].name.to_string());
                known.columns.push(kept);
            }
        }
        for &i in positions {
            if columns[i].as_ref().is_some_and(|filled| filled.slot.is_none()) {
                cx.warn(format!("column `{}`: {}", fields[i].name, no_value("0")));
            }
        }
        let model = cx.install(|| learn(&known))?;
        let rule = Self { columns, width: known.columns.len(), model };
        Joint::new(train, (0..table.width()).collect(), Place::Instead, rule)
    }

    /// The place of each column looked at in the table, by slot.
    fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.width];
        for (i, filled) in self.columns.iter().enumerate() {
            if let Some(slot) = filled.as_ref().and_then(|filled| filled.slot)
                && let Some(place) = places.get_mut(slot)
            {
                *place = i;
            }
        }
        places
    }
}

impl<M: RowFill> JointRule for FilledRows<M> {
    const TAG: &'static str = M::TAG;

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        let fields = |(field, filled): (&Field, &Option<Filled>)| match filled {
            None => vec![field.clone()],
            Some(Filled { indicator: false, .. }) => vec![field.clone().missing(false)],
            Some(Filled { indicator: true, .. }) => vec![field.clone().missing(false), indicator::field(field)],
        };
        taken.fields().zip(&self.columns).flat_map(fields).collect()
    }

    fn columns(&self, _: Taken<'_>, mut columns: Vec<Column>, rows: usize) -> Result<Vec<Column>> {
        if columns.len() != self.columns.len() {
            let what = "columns of a stage".to_string();
            return Err(DataError::Length { what, expected: self.columns.len(), found: columns.len() }.into());
        }
        let indicated = |filled: &Option<Filled>| filled.as_ref().is_some_and(|filled| filled.indicator);
        let indicators: Vec<Option<Column>> = (columns.iter().zip(&self.columns))
            .map(|(column, filled)| indicated(filled).then(|| indicator::column(column)))
            .collect();
        let places = self.places();
        let mut missing = vec![false; rows];
        for &place in &places {
            missing.iter_mut().zip(columns[place].as_numbers()?).for_each(|(missing, x)| *missing |= x.is_nan());
        }
        let open: Vec<usize> = (0..rows).filter(|&row| missing[row]).collect();
        for rows in open.chunks(ROWS) {
            let mut points = vec![0.0; rows.len() * self.width];
            for (slot, &place) in places.iter().enumerate() {
                let values = columns[place].as_numbers()?;
                for (point, &row) in points.chunks_exact_mut(self.width).zip(rows) {
                    point[slot] = finite(values[row]);
                }
            }
            self.model.fill(&mut points, self.width);
            for (slot, &place) in places.iter().enumerate() {
                // Columns without a missing value are left alone and so not copied.
                if !rows.iter().any(|&row| columns[place].cell(row) == Cell::Missing) {
                    continue;
                }
                let values = columns[place].make_numbers()?;
                for (point, &row) in points.chunks_exact(self.width).zip(rows) {
                    if values[row].is_nan() {
                        values[row] = point[slot];
                    }
                }
            }
        }
        let mut out = Vec::with_capacity(columns.len());
        for ((mut column, filled), indicator) in columns.into_iter().zip(&self.columns).zip(indicators) {
            if let Some(Filled { slot: None, .. }) = filled {
                fill_numbers(&mut column, 0.0)?;
            }
            out.push(column);
            out.extend(indicator);
        }
        Ok(out)
    }

    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        let mut point = vec![f64::NAN; self.width];
        let mut open = false;
        for (i, filled) in self.columns.iter().enumerate().take(taken.len()) {
            let Some(filled) = filled else { continue };
            let x = cells.number(i)?;
            if let Some(slot) = filled.slot {
                open |= x.is_nan();
                point[slot] = finite(x);
            }
        }
        if open {
            self.model.fill(&mut point, self.width);
        }
        for (i, filled) in self.columns.iter().enumerate().take(taken.len()) {
            let cell = cells.cell(i);
            out.push(match (cell, filled) {
                (Cell::Missing, Some(filled)) => Cell::number(filled.slot.map_or(0.0, |slot| point[slot])),
                _ => cell.clone(),
            });
            if filled.as_ref().is_some_and(|filled| filled.indicator) {
                out.push(indicator::cell(cell));
            }
        }
        Ok(())
    }
}

/// An infinite value has no distance and no part in an equation: as if it were missing.
fn finite(x: f64) -> f64 {
    if x.is_finite() { x } else { f64::NAN }
}
