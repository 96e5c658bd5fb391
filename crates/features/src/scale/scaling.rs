//! The learned form of every scaler that is a line: what is subtracted, what is divided by, what is added.
//!
//! Each scaler keeps its own tag, so a saved stage says what it is; the arithmetic is here once.

use std::fmt::Debug;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::error::Result;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind};

use crate::columns::wrong_cell;
use crate::rewrite::{ColumnRule, Training};

/// A spec whose learned form is a [`Scaling`] of each column.
pub trait Scaler: Debug + Clone + PartialEq + Send + Sync + 'static {
    /// The tag of the learned form.
    const FITTED: &'static str;
}

/// What was learned about one column: `(x - center) / scale + shift`, perhaps limited to a range.
///
/// Missing stays missing. `±∞` stay infinite where nothing limits them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Scaling<S: Scaler> {
    // What it is called in files that hold a standard scaler.
    #[serde(rename = "mean")]
    center: f64,
    scale: f64,
    #[serde(default)]
    shift: f64,
    #[serde(default)]
    within: Option<(f64, f64)>,
    #[serde(skip)]
    spec: PhantomData<S>,
}

impl<S: Scaler> Scaling<S> {
    /// `(x - center) / scale`.
    pub(super) fn new(center: f64, scale: f64) -> Self {
        Self { center, scale, shift: 0.0, within: None, spec: PhantomData }
    }

    /// Adds `shift` afterwards.
    pub(super) fn shifted(self, shift: f64) -> Self {
        Self { shift, ..self }
    }

    /// Limits what comes of it.
    pub(super) fn within(self, within: Option<(f64, f64)>) -> Self {
        Self { within, ..self }
    }

    /// The scaling of a column without any finite value, with a warning: none.
    pub(super) fn unlearned(training: &mut Training<'_>) -> Self {
        training.warn("has no finite value to learn from; it is left as it is");
        Self::new(0.0, 1.0)
    }

    /// What is subtracted.
    pub fn center(&self) -> f64 {
        self.center
    }

    /// What is divided by: 1 if the column is constant or not scaled.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// What is added at the end.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    #[inline]
    fn scaled(&self, x: f64) -> f64 {
        let y = (x - self.center) / self.scale;
        // To add a zero would take the sign off a negative zero.
        let y = if self.shift == 0.0 { y } else { y + self.shift };
        match self.within {
            Some((low, _)) if y < low => low,
            Some((_, high)) if y > high => high,
            _ => y,
        }
    }
}

impl<S: Scaler> ColumnRule for Scaling<S> {
    const TAG: &'static str = S::FITTED;

    fn fields(&self, field: &Field) -> Vec<Field> {
        vec![field.clone()]
    }

    fn column(&self, _: &Field, mut column: Column, out: &mut Vec<Column>) -> Result<()> {
        column.make_numbers()?.iter_mut().for_each(|x| *x = self.scaled(*x));
        out.push(column);
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        out.push(match cell {
            Cell::Number(x) => Cell::number(self.scaled(*x)),
            Cell::Missing => Cell::Missing,
            other => return Err(wrong_cell(Kind::Number, other)),
        });
        Ok(())
    }
}
