//! What a function does with a number that it has no value for.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::error::{At, Crumb, Error, NumericError, Result};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind};

use crate::columns::wrong_cell;

/// What becomes of a number for which a function is not defined, as the logarithm is not for 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotDefined {
    /// An error that names the number, in training as later.
    #[default]
    Error,
    /// It becomes missing.
    Missing,
}

/// A function of a number that is not defined everywhere.
pub(super) trait Function {
    /// What a number becomes, which is not NaN; NaN where there is no value.
    fn value(&self, x: f64) -> f64;

    /// The error of a number without a value.
    fn refused(&self, x: f64) -> Error;

    /// What is done about such numbers.
    fn not_defined(&self) -> NotDefined;
}

impl NotDefined {
    /// The field of what comes of a column.
    pub(super) fn field(self, field: &Field) -> Field {
        field.clone().missing(field.missing || self == Self::Missing)
    }
}

/// The batch path: missing stays missing.
pub(super) fn column(function: &impl Function, mut column: Column) -> Result<Column> {
    for (row, x) in column.make_numbers()?.iter_mut().enumerate() {
        *x = checked(function, *x).at(|| Crumb::Row(row))?;
    }
    Ok(column)
}

/// The row path.
pub(super) fn cell(function: &impl Function, cell: &Cell) -> Result<Cell> {
    match cell {
        Cell::Number(x) => Ok(Cell::number(checked(function, *x)?)),
        Cell::Missing => Ok(Cell::Missing),
        other => Err(wrong_cell(Kind::Number, other)),
    }
}

#[inline]
fn checked(function: &impl Function, x: f64) -> Result<f64> {
    let y = function.value(x);
    if y.is_nan() && !x.is_nan() && function.not_defined() == NotDefined::Error {
        return Err(function.refused(x));
    }
    Ok(y)
}

/// The error of `what` at `x`.
#[cold]
pub(super) fn undefined(what: &str, x: f64, why: String) -> Error {
    NumericError::Undefined { what: format!("{what} of {x}"), why }.into()
}
