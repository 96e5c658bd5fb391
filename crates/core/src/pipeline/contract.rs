//! The door: raw rows become typed columns or cells under the schema of the training data, and nothing passes
//! unnamed.
//!
//! | what comes | what happens |
//! |---|---|
//! | a column is not there | error with the nearest name |
//! | a column too many | left out, counted |
//! | a value of another kind | cast where that loses nothing, counted; otherwise an error with the value |
//! | a missing value or token | missing, counted; what becomes of it is the steps' policy |
//! | a level not seen in training | passed on as new, counted; what becomes of it is the steps' policy |
//!
//! Behind the door everything is by position. Files and requests, batches and rows go through one cell rule,
//! [`admit_cell`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::column::{Column, MISSING_CODE, MISSING_TIME};
use crate::error::{At, Crumb, DataError, Error, Result, SchemaError};
use crate::record::{Cell, RawCell, parse};
use crate::schema::{Field, Kind, Levels, Schema, nearest};
use crate::table::{Table, recoded};
use crate::target::number_text;

/// The columns that a fitted pipeline takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InputContract {
    schema: Arc<Schema>,
}

/// What was counted at the door, and by the steps that do what was decided about values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Admission {
    /// Rows admitted.
    pub rows: u64,
    /// Missing values by column.
    pub missing: BTreeMap<String, u64>,
    /// Levels not seen in training, by column.
    pub unseen: BTreeMap<String, u64>,
    /// Values cast from another kind, by column.
    pub cast: BTreeMap<String, u64>,
    /// Rows that brought a column too many, by column; names past the first 64 are counted under `…`.
    pub extra: BTreeMap<String, u64>,
    /// Rows that met a decision about a value, by column and value.
    #[serde(default)]
    pub decided: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Admission {
    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        for (into, from) in
            [(&mut self.missing, &other.missing), (&mut self.unseen, &other.unseen), (&mut self.cast, &other.cast)]
        {
            from.iter().for_each(|(name, n)| count(into, name, *n));
        }
        other.extra.iter().for_each(|(name, n)| count_extra(&mut self.extra, name, *n));
        for (column, values) in &other.decided {
            values.iter().for_each(|(value, n)| self.decide(column, value, *n));
        }
    }

    /// Counts rows that met a decision.
    pub(super) fn decide(&mut self, column: &str, value: &str, rows: u64) {
        if rows == 0 {
            return;
        }
        if let Some(values) = self.decided.get_mut(column) {
            count(values, value, rows);
        } else {
            self.decided.insert(column.into(), BTreeMap::from([(value.into(), rows)]));
        }
    }

    fn see(&mut self, field: &Field, raw_kind_differs: bool, cell: &Cell) {
        match cell {
            Cell::Missing => count(&mut self.missing, &field.name, 1),
            Cell::NewLevel(_) => count(&mut self.unseen, &field.name, 1),
            _ => {}
        }
        if raw_kind_differs && *cell != Cell::Missing {
            count(&mut self.cast, &field.name, 1);
        }
    }
}

/// A place of a row that no value has come for: no level has this code.
const NOT_YET: Cell = Cell::Level(MISSING_CODE);

/// Counts, without a new key where the name is known.
fn count(counts: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    if by == 0 {
        return;
    }
    if let Some(n) = counts.get_mut(name) {
        *n += by;
    } else {
        counts.insert(name.to_string(), by);
    }
}

/// Counts under at most 64 names: clients choose the names of extra columns.
fn count_extra(counts: &mut BTreeMap<String, u64>, name: &str, by: u64) {
    const NAMES: usize = 64;
    let known = counts.len() < NAMES || counts.contains_key(name);
    count(counts, if known { name } else { "…" }, by);
}

impl InputContract {
    /// The contract of rows like these.
    pub fn new(schema: Arc<Schema>) -> Self {
        Self { schema }
    }

    /// The columns in the order behind the door.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Admits a table.
    ///
    /// # Errors
    /// A column that is not there, or a value that cannot be cast, with column and row.
    pub fn admit(&self, table: &Table) -> Result<(Table, Admission)> {
        let rows = table.rows();
        let mut admission = Admission { rows: rows as u64, ..Admission::default() };
        let mut fields = Vec::with_capacity(self.schema.len());
        let mut columns = Vec::with_capacity(self.schema.len());
        for field in self.schema.fields() {
            let column = &table.columns()[table.schema().require(&field.name)?];
            let column = self.admit_column(field, column, &mut admission).at(|| Crumb::column(field.name.as_ref()))?;
            let mut field = field.clone();
            field.missing |= column.missing_count() > 0;
            fields.push(field);
            columns.push(column);
        }
        for field in table.schema().fields() {
            if self.schema.position(&field.name).is_none() {
                count_extra(&mut admission.extra, &field.name, rows as u64);
            }
        }
        // Fields keep the levels of the training data, whatever new ones the columns bring.
        Ok((Table::sized(Arc::new(Schema::new(fields)?), columns, rows)?, admission))
    }

    fn admit_column(&self, field: &Field, column: &Column, admission: &mut Admission) -> Result<Column> {
        if column.kind() != field.kind {
            return cast_column(field, column, admission);
        }
        let column = match (column, &field.levels) {
            (Column::Category { .. }, Some(levels)) => without_tokens(&recoded(column, levels)?, field, levels)?,
            _ => column.clone(),
        };
        count(&mut admission.missing, &field.name, column.missing_count() as u64);
        if let (Column::Category { codes, .. }, Some(levels)) = (&column, &field.levels) {
            let known = levels.len() as u32;
            let unseen = codes.iter().filter(|&&c| c != MISSING_CODE && c >= known).count();
            count(&mut admission.unseen, &field.name, unseen as u64);
        }
        Ok(column)
    }

    /// Admits one row: `row` becomes the cells of [`schema`](Self::schema) in order.
    ///
    /// # Errors
    /// A column that is not there or comes twice, or a value that cannot be cast, with the column.
    pub fn admit_row(
        &self,
        record: &[(&str, RawCell<'_>)],
        row: &mut Vec<Cell>,
        admission: &mut Admission,
    ) -> Result<()> {
        let fields = self.schema.fields();
        row.clear();
        row.resize(fields.len(), NOT_YET);
        for (i, (name, raw)) in record.iter().enumerate() {
            // Records mostly come in the schema's order: try that place before the map.
            let position = match fields.get(i) {
                Some(field) if *field.name == **name => Some(i),
                _ => self.schema.position(name),
            };
            match position {
                None => count_extra(&mut admission.extra, name, 1),
                Some(position) if row[position] != NOT_YET => {
                    return Err(SchemaError::DuplicateColumn { name: (*name).to_string() }.into());
                }
                Some(position) => {
                    let field = &fields[position];
                    let cell = admit_cell(field, *raw).at(|| Crumb::column(*name))?;
                    admission.see(field, kind_differs(*raw, field.kind), &cell);
                    row[position] = cell;
                }
            }
        }
        if row.contains(&NOT_YET) {
            self.require_all(record)?;
        }
        admission.rows += 1;
        Ok(())
    }

    fn require_all(&self, record: &[(&str, RawCell<'_>)]) -> Result<()> {
        match self.schema.fields().iter().find(|f| record.iter().all(|(name, _)| **name != *f.name)) {
            None => Ok(()),
            Some(field) => {
                let extra = record.iter().map(|(name, _)| *name).filter(|name| self.schema.position(name).is_none());
                let nearest = nearest(&field.name, extra);
                Err(SchemaError::MissingColumn { name: field.name.to_string(), nearest }.into())
            }
        }
    }
}

/// The one rule by which a raw value becomes a cell of a field.
///
/// # Errors
/// [`DataError::Unparsable`] or [`SchemaError::WrongKind`] if it cannot be one.
pub fn admit_cell(field: &Field, raw: RawCell<'_>) -> Result<Cell> {
    let unparsable = |text: &str| DataError::Unparsable { value: text.into(), expected: field.kind };
    let wrong = |found| Err(SchemaError::WrongKind { expected: field.kind, found }.into());
    match (field.kind, raw) {
        (_, RawCell::Missing) => Ok(Cell::Missing),
        (Kind::Category, RawCell::Text(text)) => Ok(level_cell(field, text.trim())),
        (Kind::Category, RawCell::Number(x)) if x.is_nan() => Ok(Cell::Missing),
        (Kind::Category, RawCell::Number(x)) => Ok(level_cell(field, &number_text(x))),
        (Kind::Category, RawCell::Flag(b)) => Ok(level_cell(field, if b { "true" } else { "false" })),
        (_, RawCell::Text(text)) if field.tokens.contains(text) => Ok(Cell::Missing),
        (Kind::Number, RawCell::Number(x)) => Ok(Cell::number(x)),
        (Kind::Number, RawCell::Flag(b)) => Ok(Cell::Number(f64::from(u8::from(b)))),
        (Kind::Number, RawCell::Text(text)) => {
            parse::number(text).map(Cell::number).ok_or_else(|| unparsable(text).into())
        }
        (Kind::Flag, RawCell::Flag(b)) => Ok(Cell::Flag(b)),
        (Kind::Flag, RawCell::Number(x)) if x == 0.0 || x == 1.0 => Ok(Cell::Flag(x == 1.0)),
        (Kind::Flag, RawCell::Number(x)) if x.is_nan() => Ok(Cell::Missing),
        (Kind::Flag, RawCell::Number(x)) => Err(unparsable(&number_text(x)).into()),
        (Kind::Flag, RawCell::Text(text)) => parse::flag(text).map(Cell::Flag).ok_or_else(|| unparsable(text).into()),
        (Kind::Text, RawCell::Text(text)) => Ok(Cell::Text(text.into())),
        (Kind::Text, RawCell::Number(x)) if x.is_nan() => Ok(Cell::Missing),
        (Kind::Text, RawCell::Number(x)) => Ok(Cell::Text(number_text(x).into())),
        (Kind::Text, RawCell::Flag(b)) => Ok(Cell::Text(if b { "true" } else { "false" }.into())),
        (Kind::Timestamp, RawCell::Text(text)) => {
            parse::timestamp(text).map(Cell::Timestamp).ok_or_else(|| unparsable(text).into())
        }
        (Kind::Timestamp, RawCell::Number(_)) => wrong(Kind::Number),
        (Kind::Timestamp, RawCell::Flag(_)) => wrong(Kind::Flag),
    }
}

/// A known level is itself even where it reads like a missing token: the training data decided that.
fn level_cell(field: &Field, name: &str) -> Cell {
    match field.levels.as_ref().and_then(|levels| levels.code(name)) {
        Some(code) => Cell::Level(code),
        None if field.tokens.contains(name) => Cell::Missing,
        None => Cell::NewLevel(name.into()),
    }
}

/// Makes codes of new levels that read like a missing token missing, as [`level_cell`] does.
fn without_tokens(column: &Column, field: &Field, known: &Levels) -> Result<Column> {
    let (codes, levels) = column.as_categories()?;
    let tokens: Vec<u32> = (known.len() as u32..levels.len() as u32)
        .filter(|&code| levels.name(code).is_some_and(|name| field.tokens.contains(name)))
        .collect();
    if tokens.is_empty() {
        return Ok(column.clone());
    }
    let codes = codes.iter().map(|c| if tokens.contains(c) { MISSING_CODE } else { *c }).collect();
    Ok(Column::Category { codes: Arc::new(codes), levels: levels.clone() })
}

fn kind_differs(raw: RawCell<'_>, kind: Kind) -> bool {
    match raw {
        RawCell::Missing => false,
        RawCell::Number(_) => kind != Kind::Number,
        RawCell::Flag(_) => kind != Kind::Flag,
        RawCell::Text(_) => matches!(kind, Kind::Number | Kind::Flag),
    }
}

fn cast_column(field: &Field, column: &Column, admission: &mut Admission) -> Result<Column> {
    let mut cells = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        let raw = raw_cell(column, row)
            .ok_or_else(|| Error::from(SchemaError::WrongKind { expected: field.kind, found: column.kind() }))?;
        let cell = admit_cell(field, raw).at(|| Crumb::Row(row))?;
        admission.see(field, kind_differs(raw, field.kind), &cell);
        cells.push(cell);
    }
    Ok(column_of(field, &cells))
}

/// A typed value as it would have arrived; `None` for timestamps, which no other kind takes.
fn raw_cell(column: &Column, row: usize) -> Option<RawCell<'_>> {
    Some(match column {
        Column::Number(values) => RawCell::Number(values[row]),
        Column::Category { codes, levels } => levels.name(codes[row]).map_or(RawCell::Missing, |n| RawCell::Text(n)),
        Column::Flag(values) => values[row].map_or(RawCell::Missing, RawCell::Flag),
        Column::Text(values) => values[row].as_deref().map_or(RawCell::Missing, RawCell::Text),
        Column::Timestamp(_) => return None,
    })
}

/// The column of a field that holds these cells; new levels are appended in order of appearance.
pub(crate) fn column_of(field: &Field, cells: &[Cell]) -> Column {
    match field.kind {
        Kind::Number => Column::numbers(
            cells.iter().map(|c| if let Cell::Number(x) = c { *x } else { f64::NAN }).collect::<Vec<_>>(),
        ),
        Kind::Category => {
            let mut levels = field.levels.as_deref().cloned().unwrap_or_default();
            let codes = cells
                .iter()
                .map(|cell| match cell {
                    Cell::Level(code) => *code,
                    Cell::NewLevel(name) => levels.intern(name),
                    _ => MISSING_CODE,
                })
                .collect();
            Column::Category { codes: Arc::new(codes), levels: Arc::new(levels) }
        }
        Kind::Flag => {
            Column::flags(cells.iter().map(|c| if let Cell::Flag(b) = c { Some(*b) } else { None }).collect::<Vec<_>>())
        }
        Kind::Text => Column::Text(Arc::new(
            cells.iter().map(|c| if let Cell::Text(t) = c { Some(t.clone()) } else { None }).collect(),
        )),
        Kind::Timestamp => Column::timestamps(
            cells.iter().map(|c| if let Cell::Timestamp(t) = c { *t } else { MISSING_TIME }).collect::<Vec<_>>(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract() -> InputContract {
        let levels = Arc::new(Levels::new(["basic", "pro", "NA"]));
        let fields = vec![
            Field::new("age", Kind::Number),
            Field::new("plan", Kind::Category).levels(levels),
            Field::new("active", Kind::Flag),
        ];
        InputContract::new(Arc::new(Schema::new(fields).unwrap()))
    }

    #[test]
    fn rows_and_tables_pass_the_same_door() {
        let contract = contract();
        let table = Table::of([
            ("extra", Column::numbers([1.0, 2.0, 3.0, 4.0])),
            ("plan", Column::texts([Some("pro"), Some("gold"), Some("NA"), Some("?")])),
            ("age", Column::texts([Some("31"), Some(" 4.5 "), None, Some("null")])),
            ("active", Column::numbers([1.0, 0.0, f64::NAN, 1.0])),
        ])
        .unwrap();
        let (admitted, counted) = contract.admit(&table).unwrap();
        let mut by_row = Admission::default();
        let mut cells = Vec::new();
        for row in 0..table.rows() {
            let record: Vec<_> = table
                .schema()
                .fields()
                .iter()
                .zip(table.columns())
                .map(|(f, c)| (f.name.as_ref(), raw_cell(c, row).unwrap()))
                .collect();
            contract.admit_row(&record, &mut cells, &mut by_row).unwrap();
            let mut batch = Vec::new();
            admitted.row_into(row, &mut batch);
            let new = |cell: &Cell| match cell {
                Cell::Level(code) if *code >= 3 => Cell::NewLevel("gold".into()),
                other => other.clone(),
            };
            assert_eq!(batch.iter().map(new).collect::<Vec<_>>(), cells, "row {row}");
        }
        assert_eq!(counted, by_row);
        assert_eq!((counted.unseen["plan"], counted.missing["plan"], counted.extra["extra"]), (1, 1, 4));
    }

    #[test]
    fn a_missing_column_is_named_with_the_one_that_may_be_meant() {
        let mut cells = Vec::new();
        let record = [("agee", RawCell::Number(1.0)), ("plan", RawCell::Missing), ("active", RawCell::Missing)];
        let error = contract().admit_row(&record, &mut cells, &mut Admission::default()).unwrap_err();
        assert_eq!(error.to_string(), "there is no column `age`; did you mean `agee`?");
    }

    #[test]
    fn a_column_that_comes_twice_hides_no_missing_one() {
        let mut cells = Vec::new();
        let record = [("age", RawCell::Missing), ("age", RawCell::Number(1.0)), ("active", RawCell::Missing)];
        let error = contract().admit_row(&record, &mut cells, &mut Admission::default()).unwrap_err();
        assert_eq!(error.to_string(), "two columns are named `age`; rename one");
    }

    #[test]
    fn a_value_that_cannot_be_cast_is_named_with_its_place() {
        let table = Table::of([
            ("age", Column::texts([Some("1"), Some("old")])),
            ("plan", Column::texts([None, None])),
            ("active", Column::flags([None, None])),
        ])
        .unwrap();
        let error = contract().admit(&table).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `age` › row 1: `old` is not a number; correct it or name it as a missing token"
        );
    }

    #[test]
    fn the_names_of_extra_columns_cannot_fill_the_memory() {
        let contract = contract();
        let (mut cells, mut admission) = (Vec::new(), Admission::default());
        for i in 0..1000 {
            let name = format!("x{i}");
            let record = [
                ("age", RawCell::Missing),
                ("plan", RawCell::Missing),
                ("active", RawCell::Missing),
                (name.as_str(), RawCell::Missing),
            ];
            contract.admit_row(&record, &mut cells, &mut admission).unwrap();
        }
        assert_eq!(admission.extra.len(), 65);
        assert_eq!(admission.extra.values().sum::<u64>(), 1000);
    }
}
