//! What principal components, singular vectors and random directions have in common: a row becomes its products with some
//! directions.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::stage::Plan;
use stagewise_core::task::Task;
use stagewise_numeric::sum::dot;

use super::block::{map_cells, map_rows};
use crate::joint::{self, Joint, JointRule, Place, Taken, TakenCells};

/// A learned [`Pca`](crate::combine::Pca), [`TruncatedSvd`](crate::combine::TruncatedSvd) or
/// [`RandomProjection`](crate::combine::RandomProjection).
pub type FittedProjection = Joint<Projection>;

/// Directions in the space of some number columns: number `k` of a row is `d_k · (x - center) / scale_k`.
///
/// Rows with missing or infinite values are refused, and so are rows whose numbers are beyond the range of `f64`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    pub(super) prefix: String,
    /// Which taken column each entry of a direction is for: columns by name.
    pub(super) order: Vec<usize>,
    pub(super) columns: Vec<String>,
    pub(super) center: Vec<f64>,
    pub(super) directions: Vec<Vec<f64>>,
    pub(super) scale: Vec<f64>,
    pub(super) variances: Vec<f64>,
    pub(super) shares: Vec<f64>,
    pub(super) singular_values: Vec<f64>,
}

impl Projection {
    /// The columns, in the order of the entries of [`directions`](Self::directions): by name.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What is subtracted of each column before: the mean, or 0.
    pub fn center(&self) -> &[f64] {
        &self.center
    }

    /// The directions, each with an entry for each of [`columns`](Self::columns).
    pub fn directions(&self) -> &[Vec<f64>] {
        &self.directions
    }

    /// What each product is divided by: other than 1 only of whitened principal components.
    pub fn scale(&self) -> &[f64] {
        &self.scale
    }

    /// Of principal components the variance along each, `Σ w (d · (x - mean))² / (Σ w - 1)`; else none.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// Of principal components the share of each in the variance of all columns; else none.
    pub fn explained_shares(&self) -> &[f64] {
        &self.shares
    }

    /// Of principal components and singular vectors the singular values of the (centred) weighted rows; else none.
    pub fn singular_values(&self) -> &[f64] {
        &self.singular_values
    }

    pub(super) fn fitted<T: Task>(
        self,
        train: &Dataset<T>,
        positions: Vec<usize>,
        keep: bool,
    ) -> Result<FittedProjection> {
        Joint::new(train, positions, place(keep), self)
    }

    fn names(&self) -> Vec<String> {
        (0..self.directions.len()).map(|k| name(&self.prefix, k)).collect()
    }

    fn project(&self, row: &mut [f64], out: &mut Vec<f64>) {
        row.iter_mut().zip(&self.center).for_each(|(x, center)| *x -= center);
        out.extend(self.directions.iter().zip(&self.scale).map(|(direction, scale)| dot(direction, row) / scale));
    }
}

impl JointRule for Projection {
    const TAG: &'static str = "FittedProjection";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        fields(&self.prefix, self.directions.len(), taken.fields())
    }

    fn columns(&self, taken: Taken<'_>, columns: Vec<Column>, rows: usize) -> Result<Vec<Column>> {
        map_rows(taken, &columns, &self.order, rows, &self.names(), |row, out| self.project(row, out))
    }

    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        map_cells(taken, cells, &self.order, &self.names(), out, |row, made| self.project(row, made))
    }
}

/// What a stage will give that makes `count` columns of those at `positions`.
pub(super) fn plan(input: &Schema, positions: &[usize], keep: bool, exact: bool, prefix: &str, count: usize) -> Plan {
    let from = positions.iter().map(|&i| &input.fields()[i]);
    joint::plan(input, positions, place(keep), exact, fields(prefix, count, from))
}

/// The names of the columns at `positions` in the order `order`.
pub(super) fn names(input: &Schema, positions: &[usize], order: &[usize]) -> Vec<String> {
    order.iter().map(|&place| input.fields()[positions[place]].name.to_string()).collect()
}

fn place(keep: bool) -> Place {
    if keep { Place::Added } else { Place::Instead }
}

fn name(prefix: &str, k: usize) -> String {
    format!("{prefix}{k}")
}

fn fields<'a>(prefix: &str, count: usize, from: impl Iterator<Item = &'a Field>) -> Vec<Field> {
    // The origins in the order of the names, as the rest.
    let mut from: Vec<&Field> = from.collect();
    from.sort_by(|a, b| a.name.cmp(&b.name));
    (0..count).map(|k| Field::derived(name(prefix, k), Kind::Number, from.iter().copied())).collect()
}
