//! Where protected columns are found: among the features of a step, or aside in training rows.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{Crumb, DataError, Error, ErrorKind, Result, SchemaError};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Role, Schema};
use stagewise_core::select::Selector;
use stagewise_core::target::number_text;
use stagewise_core::task::Task;

use crate::joint::Taken;

/// Kinds that tell groups apart.
const KINDS: [Kind; 3] = [Kind::Category, Kind::Flag, Kind::Number];

/// What becomes of a row whose group was not seen in training, or is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnknownGroup {
    /// An error, in training as later.
    #[default]
    Error,
    /// Nothing is learned from it, and it is left as it is.
    Keep,
}

/// The positions of the protected columns among the features, which a stage cannot do without.
///
/// # Errors
/// [`DataError::ProtectedNeeded`] if one is not there or none is selected; [`SchemaError::WrongKind`].
pub(super) fn positions(stage: &str, selector: &Selector, input: &Schema) -> Result<Vec<usize>> {
    let needed = |remedy: String| Error::from(DataError::ProtectedNeeded { what: stage.into(), remedy });
    let positions = selector.positions(input).map_err(|error| match error.kind() {
        ErrorKind::Schema(SchemaError::MissingColumn { name, .. }) => needed(format!(
            "there is no feature `{name}`: a column with the role protected reaches no step, so let it be a feature, \
             which this step drops"
        )),
        _ => error,
    })?;
    if positions.is_empty() {
        return Err(needed("none is selected; name one that is a feature".into()));
    }
    positions.iter().try_for_each(|&i| require_kind(&input.fields()[i]))?;
    Ok(positions)
}

/// The protected columns of training rows: those of the role, or those named, be they aside or features.
///
/// # Errors
/// [`DataError::ProtectedNeeded`] if there is none; [`SchemaError::MissingColumn`], [`SchemaError::WrongKind`].
pub(super) fn columns<'a, T: Task>(
    what: &str,
    names: &[String],
    data: &'a Dataset<T>,
) -> Result<Vec<(&'a Field, &'a Column)>> {
    let of = |table: &'a stagewise_core::table::Table| table.schema().fields().iter().zip(table.columns());
    let found: Vec<(&Field, &Column)> = if names.is_empty() {
        of(data.aside()).filter(|(field, _)| field.role == Role::Protected).collect()
    } else {
        let find = |name: &String| match data.aside().schema().position(name) {
            Some(position) => Ok((&data.aside().schema().fields()[position], &data.aside().columns()[position])),
            None => {
                let position = data.features().schema().require(name)?;
                Ok((&data.features().schema().fields()[position], &data.features().columns()[position]))
            }
        };
        names.iter().map(find).collect::<Result<_>>()?
    };
    if found.is_empty() {
        let remedy = "give a column the role protected, or name one".into();
        return Err(DataError::ProtectedNeeded { what: what.into(), remedy }.into());
    }
    found.iter().try_for_each(|(field, _)| require_kind(field))?;
    Ok(found)
}

fn require_kind(field: &Field) -> Result<()> {
    if KINDS.contains(&field.kind) {
        return Ok(());
    }
    let error = SchemaError::WrongKind { expected: Kind::Category, found: field.kind };
    Err(Error::from(error).at(Crumb::column(field.name.as_ref())))
}

/// All positions, ascending, and the places among them of the protected columns and of the others.
pub(super) fn taken(protected: &[usize], others: &[usize]) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
    let mut positions = [protected, others].concat();
    positions.sort_unstable();
    let places = |of: &[usize]| of.iter().map(|i| positions.partition_point(|p| p < i)).collect();
    let (protected, others) = (places(protected), places(others));
    (positions, protected, others)
}

/// A cell of a batch as it would come alone: a level not seen in training by its name.
pub(super) fn named_cell(taken: Taken<'_>, columns: &[Column], place: usize, row: usize) -> Cell {
    let known = taken.field(place).levels.as_ref().map_or(0, |levels| levels.len());
    match (columns[place].cell(row), &columns[place]) {
        (Cell::Level(code), Column::Category { levels, .. }) if code as usize >= known => {
            levels.name(code).map_or(Cell::Level(code), |name| Cell::NewLevel(name.clone()))
        }
        (cell, _) => cell,
    }
}

/// What a value of a protected column is called; `None` if it is missing.
pub(super) fn shown(field: &Field, cell: &Cell) -> Option<String> {
    match cell {
        Cell::Missing => None,
        Cell::NewLevel(name) | Cell::Text(name) => Some(name.to_string()),
        Cell::Level(code) => {
            let name = field.levels.as_ref().and_then(|levels| levels.name(*code));
            Some(name.map_or_else(|| format!("level {code}"), ToString::to_string))
        }
        Cell::Flag(flag) => Some(flag.to_string()),
        Cell::Number(x) => Some(number_text(*x)),
        Cell::Timestamp(time) => Some(time.to_string()),
    }
}
