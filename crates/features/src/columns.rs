//! What a stage asks of the columns that it is given: those it selects, and later the same ones again.
//!
//! A stage checks names, kinds and order of a batch, and the length of a row; that codes mean levels of the training
//! data is the promise of the pipeline's door.

use std::sync::Arc;

use stagewise_core::error::{Crumb, DataError, Error, Result, SchemaError};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::table::Table;

/// The positions that a selector picks, ascending, which must be of one of `kinds`.
///
/// # Errors
/// A selector that does not resolve; [`SchemaError::WrongKind`] at a column of another kind, which then asks for the
/// first of `kinds`.
pub fn positions(selector: &Selector, input: &Schema, kinds: &[Kind]) -> Result<Vec<usize>> {
    let positions = selector.positions(input)?;
    for &i in &positions {
        let field = &input.fields()[i];
        if let (false, Some(&expected)) = (kinds.contains(&field.kind), kinds.first()) {
            let error = SchemaError::WrongKind { expected, found: field.kind };
            return Err(Error::from(error).at(Crumb::column(field.name.as_ref())));
        }
    }
    Ok(positions)
}

/// Checks that a batch has the columns that a stage was fitted on: names, kinds and order. `O(columns)`, and at once
/// where the batch comes under the very same schema.
///
/// # Errors
/// [`SchemaError::WrongColumns`]; [`SchemaError::WrongKind`] at the column if only a kind differs.
pub fn require_columns(input: &Arc<Schema>, batch: &Table) -> Result<()> {
    let found = batch.schema();
    if Arc::ptr_eq(input, found) {
        return Ok(());
    }
    let pairs = || input.fields().iter().zip(found.fields());
    if input.len() != found.len() || pairs().any(|(a, b)| a.name != b.name) {
        return Err(SchemaError::WrongColumns { expected: input.names(), found: found.names() }.into());
    }
    match pairs().find(|(a, b)| a.kind != b.kind) {
        None => Ok(()),
        Some((a, b)) => {
            let error = SchemaError::WrongKind { expected: a.kind, found: b.kind };
            Err(Error::from(error).at(Crumb::column(a.name.as_ref())))
        }
    }
}

/// Checks that a row has as many cells as the columns that a stage was fitted on.
///
/// # Errors
/// [`DataError::Length`].
pub fn require_cells(input: &Schema, row: &[Cell]) -> Result<()> {
    if row.len() == input.len() {
        return Ok(());
    }
    Err(DataError::Length { what: "cells of a row".into(), expected: input.len(), found: row.len() }.into())
}

/// The error of a cell that is not of its column's kind.
#[cold]
pub fn wrong_cell(expected: Kind, cell: &Cell) -> Error {
    let found = match cell {
        // A missing cell is of every kind.
        Cell::Missing => expected,
        Cell::Number(_) => Kind::Number,
        Cell::Level(_) | Cell::NewLevel(_) => Kind::Category,
        Cell::Flag(_) => Kind::Flag,
        Cell::Text(_) => Kind::Text,
        Cell::Timestamp(_) => Kind::Timestamp,
    };
    SchemaError::WrongKind { expected, found }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{all, named};
    use stagewise_testkit::data;

    #[test]
    fn positions_are_of_the_kinds_asked_for() {
        let table = data::mixed(3, 0);
        let kinds = [Kind::Category, Kind::Flag];
        assert_eq!(positions(&named(["active", "city"]), table.schema(), &kinds).unwrap(), [4, 6]);
        let error = positions(&all(), table.schema(), &kinds).unwrap_err();
        assert_eq!(error.to_string(), "column `age`: is a number, a category is needed");
    }
}
