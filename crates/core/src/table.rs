//! Named typed columns of equal length, cheap to clone.

use std::sync::Arc;

use crate::column::{Column, MISSING_CODE};
use crate::error::{Crumb, DataError, Error, Result, SchemaError};
use crate::record::Cell;
use crate::schema::{Field, Levels, Schema};

/// `rows` rows of named, typed columns. Cloning shares all buffers.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
///
/// let table = Table::of([
///     ("age", Column::numbers([31.0, f64::NAN])),
///     ("plan", Column::categories([Some("basic"), Some("pro")])),
/// ])?;
/// assert_eq!((table.rows(), table.width()), (2, 2));
/// assert_eq!(table.column("age")?.missing_count(), 1);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    schema: Arc<Schema>,
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    /// A table of these columns under this schema.
    ///
    /// # Errors
    /// [`DataError::Length`] if the columns are not equally long or not as many as the fields,
    /// [`SchemaError::WrongKind`] if a column is not of its field's kind, [`DataError::UnknownCode`] if a category holds a
    /// code that none of its levels has.
    pub fn new(schema: Arc<Schema>, columns: Vec<Column>) -> Result<Self> {
        let rows = columns.first().map_or(0, Column::len);
        Self::sized(schema, columns, rows)
    }

    /// Like [`new`](Self::new), for a table that may have rows but no column.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn sized(schema: Arc<Schema>, columns: Vec<Column>, rows: usize) -> Result<Self> {
        if columns.len() != schema.len() {
            let what = "columns of a table".to_string();
            return Err(DataError::Length { what, expected: schema.len(), found: columns.len() }.into());
        }
        for (field, column) in schema.fields().iter().zip(&columns) {
            let at = || Crumb::column(field.name.as_ref());
            if column.len() != rows {
                let error = DataError::Length { what: "rows".into(), expected: rows, found: column.len() };
                return Err(Error::from(error).at(at()));
            }
            if column.kind() != field.kind {
                let error = SchemaError::WrongKind { expected: field.kind, found: column.kind() };
                return Err(Error::from(error).at(at()));
            }
            // Checked once here, so that everything behind may index by code.
            if let Column::Category { codes, levels } = column
                && let Some(&code) = codes.iter().find(|&&c| c != MISSING_CODE && c as usize >= levels.len())
            {
                let error = DataError::UnknownCode { code, levels: levels.len() };
                return Err(Error::from(error).at(at()));
            }
        }
        Ok(Self { schema, columns, rows })
    }

    /// A table of feature columns whose fields are read off the columns.
    ///
    /// # Errors
    /// [`SchemaError::DuplicateColumn`], [`DataError::Length`].
    pub fn of<N: Into<Arc<str>>>(columns: impl IntoIterator<Item = (N, Column)>) -> Result<Self> {
        let (fields, columns): (Vec<_>, Vec<_>) =
            columns.into_iter().map(|(name, column)| (field_of(name.into(), &column), column)).unzip();
        Self::new(Arc::new(Schema::new(fields)?), columns)
    }

    /// The columns' names, kinds and roles.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The columns in the schema's order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// A column by name.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`] with the nearest names.
    pub fn column(&self, name: &str) -> Result<&Column> {
        Ok(&self.columns[self.schema.require(name)?])
    }

    /// The parts, for changing columns without copying their buffers.
    pub fn into_parts(self) -> (Arc<Schema>, Vec<Column>) {
        (self.schema, self.columns)
    }

    /// The rows `rows`, in that order; a row may come more than once.
    ///
    /// # Panics
    /// If an index is not below [`rows`](Self::rows): indices come from splitters and samplers, which are checked.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|c| c.take(rows)).collect();
        Self { schema: self.schema.clone(), columns, rows: rows.len() }
    }

    /// The columns at these positions, in that order.
    ///
    /// # Errors
    /// [`SchemaError::DuplicateColumn`] if a position comes twice.
    ///
    /// # Panics
    /// If a position is not below [`width`](Self::width): positions come from a selector or a schema.
    pub fn select(&self, positions: &[usize]) -> Result<Self> {
        let fields = positions.iter().map(|&i| self.schema.fields()[i].clone()).collect();
        let columns = positions.iter().map(|&i| self.columns[i].clone()).collect();
        Self::sized(Arc::new(Schema::new(fields)?), columns, self.rows)
    }

    /// One row as cells, appended to `out`.
    pub fn row_into(&self, row: usize, out: &mut Vec<Cell>) {
        out.extend(self.columns.iter().map(|c| c.cell(row)));
    }

    /// The same columns under other fields: for roles and names.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn relabelled(self, schema: Arc<Schema>) -> Result<Self> {
        Self::sized(schema, self.columns, self.rows)
    }

    /// Rows of `other` below the rows of this table; levels of `other` that are new here are appended.
    ///
    /// # Errors
    /// [`SchemaError::WrongColumns`] or [`SchemaError::WrongKind`] if the columns differ.
    pub fn stacked(&self, other: &Self) -> Result<Self> {
        if self.schema.names() != other.schema.names() {
            return Err(self.schema.mismatch(&other.schema).into());
        }
        let mut fields = self.schema.fields().to_vec();
        let mut columns = Vec::with_capacity(self.width());
        for (i, (a, b)) in self.columns.iter().zip(&other.columns).enumerate() {
            let column = stack(a, b).map_err(|e| e.at(Crumb::column(fields[i].name.as_ref())))?;
            if let Column::Category { levels, .. } = &column {
                fields[i].levels = Some(levels.clone());
            }
            fields[i].missing |= other.schema.fields()[i].missing;
            columns.push(column);
        }
        Self::sized(Arc::new(Schema::new(fields)?), columns, self.rows + other.rows)
    }
}

/// The field of a raw feature column, read off its values.
pub(crate) fn field_of(name: Arc<str>, column: &Column) -> Field {
    let field = Field::new(name, column.kind()).missing(column.missing_count() > 0);
    match column {
        Column::Category { levels, .. } => field.levels(levels.clone()),
        _ => field,
    }
}

fn stack(a: &Column, b: &Column) -> Result<Column> {
    fn join<V: Clone>(a: &[V], b: &[V]) -> Arc<Vec<V>> {
        Arc::new(a.iter().chain(b).cloned().collect())
    }
    Ok(match (a, b) {
        (Column::Number(a), Column::Number(b)) => Column::Number(join(a, b)),
        (Column::Flag(a), Column::Flag(b)) => Column::Flag(join(a, b)),
        (Column::Text(a), Column::Text(b)) => Column::Text(join(a, b)),
        (Column::Timestamp(a), Column::Timestamp(b)) => Column::Timestamp(join(a, b)),
        (Column::Category { codes, levels }, b @ Column::Category { .. }) => {
            let below = recoded(b, levels)?;
            let (more, levels) = below.as_categories()?;
            Column::Category { codes: join(codes, more), levels: levels.clone() }
        }
        (a, b) => return Err(SchemaError::WrongKind { expected: a.kind(), found: b.kind() }.into()),
    })
}

/// A category column whose codes mean positions in `levels`; levels that are not among them are appended.
pub(crate) fn recoded(column: &Column, levels: &Arc<Levels>) -> Result<Column> {
    let (codes, own) = column.as_categories()?;
    if own.extends(levels) {
        return Ok(column.clone());
    }
    let mut grown: Option<Levels> = None;
    let map: Vec<u32> = own
        .iter()
        .map(|name| match levels.code(name) {
            Some(code) => code,
            None => grown.get_or_insert_with(|| levels.as_ref().clone()).intern(name),
        })
        .collect();
    let codes = codes.iter().map(|&c| if c == MISSING_CODE { c } else { map[c as usize] }).collect();
    Ok(Column::Category { codes: Arc::new(codes), levels: grown.map_or_else(|| levels.clone(), Arc::new) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_must_be_equally_long() {
        let error = Table::of([("a", Column::numbers([1.0])), ("b", Column::numbers([1.0, 2.0]))]).unwrap_err();
        assert_eq!(error.to_string(), "column `b`: rows: 1 values needed, 2 found");
    }

    #[test]
    fn a_code_without_a_level_is_refused() {
        let levels = Arc::new(Levels::new(["a"]));
        let column = Column::Category { codes: Arc::new(vec![0, MISSING_CODE, 1]), levels };
        let error = Table::of([("c", column)]).unwrap_err();
        assert_eq!(error.to_string(), "column `c`: holds the code 1, but has only 1 levels");
    }

    #[test]
    fn stacking_keeps_the_codes_of_the_upper_table() {
        let upper = Table::of([("c", Column::categories([Some("x"), Some("y")]))]).unwrap();
        let lower = Table::of([("c", Column::categories([Some("z"), Some("x"), None]))]).unwrap();
        let both = upper.stacked(&lower).unwrap();
        let (codes, levels) = both.columns()[0].as_categories().unwrap();
        assert_eq!(codes, [0, 1, 2, 0, MISSING_CODE]);
        assert_eq!(levels.to_strings(), ["x", "y", "z"]);
    }
}
