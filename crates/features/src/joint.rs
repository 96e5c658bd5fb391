//! The one mechanism behind every stage that looks at several columns at once.
//!
//! A stage learns one [`JointRule`] for all the columns that it takes; [`Joint`] applies it. What the rule gives stands
//! where [`Place`] says, all other columns are kept as they are. So the batch path, the row path, the output schema, the
//! check of the input and the saved form are written once. For stages whose columns know nothing of each other there is
//! [`rewrite`](crate::rewrite), which has them in parallel.

use std::fmt::Debug;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{Crumb, DataError, Error, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::stage::{Plan, Transform};
use stagewise_core::table::Table;
use stagewise_core::task::Task;

use crate::columns::{require_cells, require_columns, with_levels, wrong_cell};

/// What was learned about the columns that a stage takes: what comes of them.
///
/// The three methods must agree: as many columns, and as many cells, as fields, of the fields' kinds, and the same
/// bits from [`columns`](Self::columns) as from [`cells`](Self::cells). Codes at or past the end of a field's levels are
/// levels not seen in training.
pub trait JointRule: Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The tag of the learned stage that is made of such a rule.
    const TAG: &'static str;

    /// The fields that come. With [`Place::Own`] one for each taken column, in their order.
    fn fields(&self, taken: Taken<'_>) -> Vec<Field>;

    /// The batch path: the taken columns, by value, to the columns that come.
    ///
    /// # Errors
    /// Values that the stage's policies refuse.
    fn columns(&self, taken: Taken<'_>, columns: Vec<Column>, rows: usize) -> Result<Vec<Column>>;

    /// The row path: appends the cells that come.
    ///
    /// # Errors
    /// Values that the stage's policies refuse.
    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()>;
}

/// Where the columns that a rule gives stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Each in place of the taken column of its number.
    Own,
    /// Behind all others; the taken columns are kept.
    Added,
    /// Behind all others; the taken columns are dropped.
    Instead,
}

/// The fields of the taken columns.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    input: &'a Schema,
    positions: &'a [usize],
}

/// The cells of the taken columns in one row.
#[derive(Debug, Clone, Copy)]
pub struct TakenCells<'a> {
    row: &'a [Cell],
    taken: Taken<'a>,
}

/// A learned stage that makes columns of several columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<R>", into = "Stored<R>", bound = "R: JointRule")]
pub struct Joint<R: JointRule> {
    stored: Stored<R>,
    output: Arc<Schema>,
}

impl<'a> Taken<'a> {
    /// The fields of `input` at `positions`, which are there and ascending.
    pub fn new(input: &'a Schema, positions: &'a [usize]) -> Self {
        Self { input, positions }
    }

    /// How many columns are taken.
    pub fn len(self) -> usize {
        self.positions.len()
    }

    /// Whether no column is taken.
    pub fn is_empty(self) -> bool {
        self.positions.is_empty()
    }

    /// The field of the `i`-th taken column.
    pub fn field(self, i: usize) -> &'a Field {
        &self.input.fields()[self.positions[i]]
    }

    /// All of them, in the order of the table.
    pub fn fields(self) -> impl ExactSizeIterator<Item = &'a Field> {
        self.positions.iter().map(move |&position| &self.input.fields()[position])
    }
}

impl<'a> TakenCells<'a> {
    /// The cell of the `i`-th taken column.
    pub fn cell(self, i: usize) -> &'a Cell {
        &self.row[self.taken.positions[i]]
    }

    /// The number in the `i`-th taken column; NaN if it is missing.
    ///
    /// # Errors
    /// A cell that is no number, at its column.
    pub fn number(self, i: usize) -> Result<f64> {
        match self.cell(i) {
            Cell::Number(x) => Ok(*x),
            Cell::Missing => Ok(f64::NAN),
            other => Err(wrong_cell(Kind::Number, other).at(Crumb::column(self.taken.field(i).name.as_ref()))),
        }
    }
}

impl<R: JointRule> Joint<R> {
    /// The stage that applies `rule` to the columns of the training rows at `positions`, which are ascending.
    ///
    /// # Errors
    /// [`SchemaError::DuplicateColumn`](stagewise_core::error::SchemaError) if two output columns share a name.
    pub fn new<T: Task>(train: &Dataset<T>, positions: Vec<usize>, place: Place, rule: R) -> Result<Self> {
        Self::of(Stored { input: with_levels(train.features())?, positions, place, rule })
    }

    /// What was learned.
    pub fn rule(&self) -> &R {
        &self.stored.rule
    }

    fn of(stored: Stored<R>) -> Result<Self> {
        let Stored { input, positions, place, rule } = &stored;
        let ascending = positions.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || positions.last().is_some_and(|&last| last >= input.len()) {
            let what = "positions of a stage".to_string();
            return Err(DataError::Length { what, expected: input.len(), found: positions.len() }.into());
        }
        let made = rule.fields(Taken { input, positions });
        if *place == Place::Own && made.len() != positions.len() {
            let what = "fields of a stage".to_string();
            return Err(DataError::Length { what, expected: positions.len(), found: made.len() }.into());
        }
        let output = Arc::new(Schema::new(placed(input.fields().to_vec(), positions, *place, made))?);
        Ok(Self { stored, output })
    }
}

impl<R: JointRule> Persist for Joint<R> {
    const TAG: &'static str = R::TAG;
}

impl<R: JointRule> Transform for Joint<R> {
    fn input(&self) -> &Arc<Schema> {
        &self.stored.input
    }

    fn output(&self) -> &Arc<Schema> {
        &self.output
    }

    fn transform(&self, features: Table) -> Result<Table> {
        let Stored { input, positions, place, rule } = &self.stored;
        require_columns(input, &features)?;
        let rows = features.rows();
        let (_, mut columns) = features.into_parts();
        let taken = positions.iter().map(|&i| match place {
            Place::Added => columns[i].clone(),
            // What is put in its place is never seen; a handle less, so the buffer can be used again.
            Place::Own | Place::Instead => std::mem::replace(&mut columns[i], Column::numbers([])),
        });
        let taken = taken.collect();
        let made = rule.columns(Taken { input, positions }, taken, rows)?;
        Table::sized(self.output.clone(), placed(columns, positions, *place, made), rows)
    }

    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()> {
        let Stored { input, positions, place, rule } = &self.stored;
        require_cells(input, row)?;
        out.reserve(self.output.len());
        let start = out.len();
        let mut next = positions.iter().copied().peekable();
        for (i, cell) in row.iter().enumerate() {
            let is_taken = next.next_if_eq(&i).is_some();
            if !is_taken || *place == Place::Added {
                out.push(cell.clone());
            }
        }
        let taken = Taken { input, positions };
        let behind = out.len();
        rule.cells(taken, TakenCells { row, taken }, out)?;
        if *place == Place::Own {
            // Each cell goes before those that were kept behind its column.
            for (made, &position) in positions.iter().enumerate() {
                out[start + position..=behind + made].rotate_right(1);
            }
        }
        Ok(())
    }
}

/// What a stage will give that makes `made` of the columns at `positions`.
pub fn plan(input: &Schema, positions: &[usize], place: Place, exact: bool, made: Vec<Field>) -> Plan {
    Plan { fields: placed(input.fields().to_vec(), positions, place, made), exact }
}

/// All with what was made in its place.
fn placed<V>(mut all: Vec<V>, positions: &[usize], place: Place, made: Vec<V>) -> Vec<V> {
    match place {
        Place::Own => positions.iter().zip(made).for_each(|(&i, value)| all[i] = value),
        Place::Added => all.extend(made),
        Place::Instead => {
            let mut i = 0;
            all.retain(|_| {
                i += 1;
                positions.binary_search(&(i - 1)).is_err()
            });
            all.extend(made);
        }
    }
    all
}

/// The saved form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "R: JointRule")]
struct Stored<R: JointRule> {
    input: Arc<Schema>,
    positions: Vec<usize>,
    place: Place,
    rule: R,
}

impl<R: JointRule> From<Joint<R>> for Stored<R> {
    fn from(joint: Joint<R>) -> Self {
        joint.stored
    }
}

impl<R: JointRule> TryFrom<Stored<R>> for Joint<R> {
    type Error = Error;

    fn try_from(stored: Stored<R>) -> Result<Self> {
        Self::of(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::task::Binary;
    use stagewise_testkit::data;

    /// Each number less the first one.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Less;

    impl JointRule for Less {
        const TAG: &'static str = "FittedLess";

        fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
            taken.fields().map(|f| Field::derived(format!("{}_less", f.name), Kind::Number, [f])).collect()
        }

        fn columns(&self, _: Taken<'_>, mut columns: Vec<Column>, _: usize) -> Result<Vec<Column>> {
            let first = columns[0].as_numbers()?.to_vec();
            for column in &mut columns {
                column.make_numbers()?.iter_mut().zip(&first).for_each(|(x, first)| *x -= first);
            }
            Ok(columns)
        }

        fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
            for i in 0..taken.len() {
                out.push(Cell::number(cells.number(i)? - cells.number(0)?));
            }
            Ok(())
        }
    }

    fn fitted(place: Place) -> (Joint<Less>, Dataset<Binary>) {
        let train = data::binary(20, 1);
        (Joint::new(&train, vec![0, 2], place, Less).unwrap(), train)
    }

    #[test]
    fn columns_and_cells_stand_where_the_place_says() {
        let names = [
            (Place::Own, "age_less income constant_less empty city plan active"),
            (Place::Added, "age income constant empty city plan active age_less constant_less"),
            (Place::Instead, "income empty city plan active age_less constant_less"),
        ];
        for (place, names) in names {
            let (fitted, train) = fitted(place);
            assert_eq!(fitted.output().names().join(" "), names);
            let table = fitted.transform(train.features().clone()).unwrap();
            for row in 0..train.rows() {
                let (mut cells, mut by_row, mut by_batch) = (Vec::new(), vec![Cell::Flag(true)], Vec::new());
                train.features().row_into(row, &mut cells);
                fitted.transform_row(&cells, &mut by_row).unwrap();
                table.row_into(row, &mut by_batch);
                assert_eq!(by_row[1..], by_batch, "{place:?}");
            }
            let planned = plan(
                train.features().schema(),
                &[0, 2],
                place,
                true,
                Less.fields(Taken::new(train.features().schema(), &[0, 2])),
            );
            assert_eq!(planned.fields.len(), fitted.output().len());
        }
    }

    #[test]
    fn positions_that_are_not_there_are_refused() {
        let train = data::binary(20, 1);
        for positions in [vec![2, 0], vec![0, 9], vec![1, 1]] {
            let error = Joint::new(&train, positions, Place::Own, Less).unwrap_err();
            assert!(error.to_string().starts_with("positions of a stage"), "{error}");
        }
    }

    #[test]
    fn other_cells_are_refused_at_their_column() {
        let (fitted, _) = fitted(Place::Added);
        let mut row = vec![Cell::Missing; 7];
        row[2] = Cell::Flag(true);
        let error = fitted.transform_row(&row, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "column `constant`: is a flag, a number is needed");
    }
}
