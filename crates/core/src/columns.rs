//! What a transformer asks of the columns that it is given: those it selects, and later the same ones again.
//!
//! A stage checks names, kinds and order of a batch, and the length of a row; that codes mean levels of the training
//! data is the promise of the pipeline's door.

use std::sync::Arc;

use crate::column::Column;
use crate::error::{Crumb, DataError, Error, Result, SchemaError};
use crate::record::Cell;
use crate::schema::{Field, Kind, Schema};
use crate::select::Selector;
use crate::table::Table;

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

/// The schema of a training table in which every category states all levels of its column.
///
/// # Errors
/// None that a table's own schema does not have.
pub fn with_levels(table: &Table) -> Result<Arc<Schema>> {
    let lacks = |(field, column): (&Field, &Column)| match column {
        Column::Category { levels, .. } => field.levels.as_ref().is_none_or(|known| known.len() < levels.len()),
        _ => false,
    };
    let pairs = || table.schema().fields().iter().zip(table.columns());
    if !pairs().any(lacks) {
        return Ok(table.schema().clone());
    }
    let stated = |(field, column): (&Field, &Column)| match column {
        Column::Category { levels, .. } if lacks((field, column)) => field.clone().levels(levels.clone()),
        _ => field.clone(),
    };
    Ok(Arc::new(Schema::new(pairs().map(stated).collect())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::{all, named};

    #[test]
    fn positions_are_of_the_kinds_asked_for() {
        let kinds = [("age", Kind::Number), ("city", Kind::Category), ("active", Kind::Flag)];
        let schema = Schema::new(kinds.map(|(name, kind)| Field::new(name, kind)).to_vec()).unwrap();
        let kinds = [Kind::Category, Kind::Flag];
        assert_eq!(positions(&named(["active", "city"]), &schema, &kinds).unwrap(), [1, 2]);
        let error = positions(&all(), &schema, &kinds).unwrap_err();
        assert_eq!(error.to_string(), "column `age`: is a number, a category is needed");
    }

    #[test]
    fn levels_are_stated_where_the_field_lacks_them() {
        let column = Column::categories([Some("a"), Some("b")]);
        let schema = Arc::new(Schema::new(vec![Field::new("c", Kind::Category)]).unwrap());
        let table = Table::new(schema, vec![column]).unwrap();
        let levels = with_levels(&table).unwrap().fields()[0].levels.clone().unwrap();
        assert_eq!(levels.to_strings(), ["a", "b"]);
    }
}
