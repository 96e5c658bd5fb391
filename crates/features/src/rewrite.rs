//! The one mechanism behind every stage that changes columns one by one.
//!
//! A stage learns a [`ColumnRule`] for each selected column; [`Rewrite`] applies them. The columns that a rule gives
//! stand where its column stood, all others are kept as they are, and the order never changes. So the batch path, the
//! row path, the output schema, the check of the input and the saved form are written once, and a stage is a spec and
//! a rule. A learned stage is a `Rewrite` of its rule under a name of its own, for example
//! [`FittedStandardScaler`](crate::FittedStandardScaler).

use std::fmt::Debug;
use std::sync::Arc;

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, Error, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Schema};
use stagewise_core::stage::{Plan, Transform};
use stagewise_core::table::Table;
use stagewise_core::task::Task;

use crate::columns::{require_cells, require_columns, with_levels};

/// What was learned about one column: what stands in its place.
///
/// The three methods must agree: as many columns, and as many cells, as fields, of the fields' kinds, and the same
/// bits from [`column`](Self::column) as from [`cell`](Self::cell). `field` is always the column's field in training;
/// codes at or past the end of its levels are levels not seen in training.
pub trait ColumnRule: Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The tag of the learned stage that is made of such rules.
    const TAG: &'static str;

    /// The fields in place of `field`.
    fn fields(&self, field: &Field) -> Vec<Field>;

    /// The batch path: appends the columns in place of `column`.
    ///
    /// # Errors
    /// Values that the stage's policies refuse.
    fn column(&self, field: &Field, column: Column, out: &mut Vec<Column>) -> Result<()>;

    /// The row path: appends the cells in place of `cell`. Allocates nothing but room in `out`.
    ///
    /// # Errors
    /// Values that the stage's policies refuse.
    fn cell(&self, field: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()>;
}

/// A learned stage that changes some columns by a rule each and keeps the others.
///
/// Batches: columns in parallel, buffers used again where nobody else holds them. Saved as input and rules; the output
/// is worked out again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<R>", into = "Stored<R>", bound = "R: ColumnRule")]
pub struct Rewrite<R: ColumnRule> {
    input: Arc<Schema>,
    output: Arc<Schema>,
    /// One per input column; `None` keeps it.
    rules: Vec<Option<R>>,
}

/// A column of the training rows, as a rule is learned from it.
#[derive(Debug)]
pub struct Training<'a> {
    /// What the column is.
    pub field: &'a Field,
    /// Its values.
    pub column: &'a Column,
    /// How much each row counts; all alike if absent. A row of weight 0 is as if it were not there.
    pub weights: Option<&'a [f64]>,
    warnings: Vec<String>,
}

impl<R: ColumnRule> Rewrite<R> {
    /// Learns a rule for each of the columns at `positions`, in parallel; warnings and errors come in column order.
    ///
    /// # Errors
    /// What `rule` gives, at its column; [`SchemaError::DuplicateColumn`](stagewise_core::error::SchemaError) if two output columns share a name.
    pub fn learn<T: Task>(
        train: &Dataset<T>,
        positions: &[usize],
        cx: &FitContext,
        rule: impl Fn(&mut Training<'_>) -> Result<R> + Sync,
    ) -> Result<Self> {
        let input = with_levels(train.features())?;
        let learn_one = |&position: &usize| {
            let (field, column) = (&input.fields()[position], &train.features().columns()[position]);
            let mut training = Training::new(field, column, train.weights());
            let rule = rule(&mut training).at(|| Crumb::column(field.name.as_ref()));
            (rule, training)
        };
        let learned: Vec<_> = cx.install(|| positions.par_iter().map(learn_one).collect());
        let mut rules: Vec<Option<R>> = (0..input.len()).map(|_| None).collect();
        for (&position, (rule, training)) in positions.iter().zip(learned) {
            rules[position] = Some(rule?);
            training.tell(cx);
        }
        Self::of(input, rules)
    }

    /// The rule learned for a column, if it is one that this stage changes.
    pub fn rule(&self, column: &str) -> Option<&R> {
        self.rules.get(self.input.position(column)?)?.as_ref()
    }

    /// The positions of the columns that this stage changes, each with the rule learned for it.
    pub fn rules(&self) -> impl Iterator<Item = (usize, &R)> {
        self.rules.iter().enumerate().filter_map(|(position, rule)| Some((position, rule.as_ref()?)))
    }

    fn of(input: Arc<Schema>, rules: Vec<Option<R>>) -> Result<Self> {
        if rules.len() != input.len() {
            let what = "rules of a stage".to_string();
            return Err(DataError::Length { what, expected: input.len(), found: rules.len() }.into());
        }
        let place = |(field, rule): (&Field, &Option<R>)| match rule {
            Some(rule) => rule.fields(field),
            None => vec![field.clone()],
        };
        let fields = input.fields().iter().zip(&rules).flat_map(place).collect();
        Ok(Self { output: Arc::new(Schema::new(fields)?), input, rules })
    }
}

impl<R: ColumnRule> Persist for Rewrite<R> {
    const TAG: &'static str = R::TAG;
}

impl<R: ColumnRule> Transform for Rewrite<R> {
    fn input(&self) -> &Arc<Schema> {
        &self.input
    }

    fn output(&self) -> &Arc<Schema> {
        &self.output
    }

    fn transform(&self, features: Table) -> Result<Table> {
        /// Below this many values, threads cost more than they save.
        const WORTH_THREADS: usize = 1 << 14;
        require_columns(&self.input, &features)?;
        let rows = features.rows();
        let (_, columns) = features.into_parts();
        let places: Vec<_> = columns.into_iter().zip(self.input.fields().iter().zip(&self.rules)).collect();
        let change = |(column, (field, rule)): (Column, (&Field, &Option<R>))| match rule {
            None => Ok(vec![column]),
            Some(rule) => {
                let mut out = Vec::new();
                rule.column(field, column, &mut out).at(|| Crumb::column(field.name.as_ref()))?;
                Ok(out)
            }
        };
        let changed: Vec<Result<Vec<Column>>> = if rows * places.len() < WORTH_THREADS {
            places.into_iter().map(change).collect()
        } else {
            places.into_par_iter().map(change).collect()
        };
        let mut columns = Vec::with_capacity(self.output.len());
        for place in changed {
            columns.extend(place?);
        }
        Table::sized(self.output.clone(), columns, rows)
    }

    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()> {
        require_cells(&self.input, row)?;
        out.reserve(self.output.len());
        for ((cell, field), rule) in row.iter().zip(self.input.fields()).zip(&self.rules) {
            match rule {
                None => out.push(cell.clone()),
                Some(rule) => rule.cell(field, cell, out).at(|| Crumb::column(field.name.as_ref()))?,
            }
        }
        Ok(())
    }
}

impl<'a> Training<'a> {
    /// A column to learn from.
    pub fn new(field: &'a Field, column: &'a Column, weights: Option<&'a [f64]>) -> Self {
        Self { field, column, weights, warnings: Vec::new() }
    }

    /// Hands the warnings on, each with the name of the column.
    pub fn tell(self, cx: &FitContext) {
        let name = &self.field.name;
        self.warnings.into_iter().for_each(|what| cx.warn(format!("column `{name}`: {what}")));
    }

    /// Leaves a warning about this column.
    pub fn warn(&mut self, what: impl Into<String>) {
        self.warnings.push(what.into());
    }

    /// The rows that count, each with its weight: 1 where there are no weights.
    pub fn rows(&self) -> impl Iterator<Item = (usize, f64)> + Clone {
        let weight = |row| self.weights.map_or(1.0, |weights| weights[row]);
        (0..self.column.len()).map(move |row| (row, weight(row))).filter(|(_, weight)| *weight > 0.0)
    }

    /// Whether the value is missing in a row that counts.
    pub fn has_missing(&self) -> bool {
        match self.weights {
            None => self.column.missing_count() > 0,
            Some(_) => self.rows().any(|(row, _)| self.column.cell(row) == Cell::Missing),
        }
    }
}

/// What a stage will give that puts `fields(field)` in place of each of the columns at `positions`, with the names and
/// kinds of the others as they are.
pub fn plan(input: &Schema, positions: &[usize], exact: bool, fields: impl Fn(&Field) -> Vec<Field>) -> Plan {
    let place = |(i, field): (usize, &Field)| {
        if positions.binary_search(&i).is_ok() { fields(field) } else { vec![field.clone()] }
    };
    let fields = input.fields().iter().enumerate().flat_map(place).collect();
    Plan { fields, exact }
}

/// The saved form.
#[derive(Serialize, Deserialize)]
#[serde(bound = "R: ColumnRule")]
struct Stored<R: ColumnRule> {
    input: Arc<Schema>,
    rules: Vec<Option<R>>,
}

impl<R: ColumnRule> From<Rewrite<R>> for Stored<R> {
    fn from(rewrite: Rewrite<R>) -> Self {
        Self { input: rewrite.input, rules: rewrite.rules }
    }
}

impl<R: ColumnRule> TryFrom<Stored<R>> for Rewrite<R> {
    type Error = Error;

    fn try_from(stored: Stored<R>) -> Result<Self> {
        Self::of(stored.input, stored.rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::schema::Kind;
    use stagewise_core::task::Binary;
    use stagewise_testkit::data;

    use crate::columns::wrong_cell;

    /// Puts a number column twice, the second time halved.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Halve;

    impl ColumnRule for Halve {
        const TAG: &'static str = "FittedHalve";

        fn fields(&self, field: &Field) -> Vec<Field> {
            vec![field.clone(), Field::derived(format!("{}_half", field.name), Kind::Number, [field])]
        }

        fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
            let half: Vec<f64> = column.as_numbers()?.iter().map(|x| x / 2.0).collect();
            out.extend([column, Column::numbers(half)]);
            Ok(())
        }

        fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
            out.push(cell.clone());
            out.push(match cell {
                Cell::Number(x) => Cell::Number(x / 2.0),
                Cell::Missing => Cell::Missing,
                other => return Err(wrong_cell(Kind::Number, other)),
            });
            Ok(())
        }
    }

    fn fitted(rows: usize) -> (Rewrite<Halve>, Dataset<Binary>) {
        let train = data::binary(rows, 1);
        let fitted = Rewrite::learn(&train, &[1], &FitContext::new(0), |_| Ok(Halve)).unwrap();
        (fitted, train)
    }

    #[test]
    fn columns_stand_where_theirs_stood() {
        let (fitted, train) = fitted(20);
        let names = ["age", "income", "income_half", "constant", "empty", "city", "plan", "active"];
        assert_eq!(fitted.output().names(), names);
        assert_eq!(fitted.rule("income"), Some(&Halve));
        assert_eq!((fitted.rule("age"), fitted.rule("none")), (None, None));
        let table = fitted.transform(train.features().clone()).unwrap();
        assert_eq!(table.column("age").unwrap(), train.features().column("age").unwrap());
    }

    #[test]
    fn threads_change_nothing() {
        // Below and above the size from which threads are used.
        for rows in [20, 5000] {
            let (fitted, train) = fitted(rows);
            let one = FitContext::new(0).threads(1).unwrap();
            let alone = one.install(|| fitted.transform(train.features().clone())).unwrap();
            assert_eq!(fitted.transform(train.features().clone()).unwrap(), alone);
        }
    }

    #[test]
    fn other_columns_are_refused() {
        let (fitted, train) = fitted(20);
        let error = fitted.transform(train.features().select(&[0, 1]).unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("got columns [\"age\", \"income\"], was fitted on"), "{error}");
        let (schema, mut columns) = train.features().clone().into_parts();
        columns[0] = Column::missing(Kind::Flag, 20);
        let names = schema.names();
        let other = Table::of(names.iter().map(String::as_str).zip(columns)).unwrap();
        let error = fitted.transform(other).unwrap_err();
        assert_eq!(error.to_string(), "column `age`: is a flag, a number is needed");
        let error = fitted.transform_row(&[Cell::Missing], &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "cells of a row: 7 values needed, 1 found");
        let mut row = vec![Cell::Missing; 7];
        row[1] = Cell::Flag(true);
        let error = fitted.transform_row(&row, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "column `income`: is a flag, a number is needed");
    }

    #[test]
    fn warnings_and_errors_come_in_column_order_with_their_column() {
        let train = data::binary(20, 1);
        let cx = FitContext::new(0);
        let warn = |training: &mut Training<'_>| {
            training.warn("odd");
            Ok(Halve)
        };
        Rewrite::learn(&train, &[0, 2], &cx, warn).unwrap();
        let texts: Vec<_> = cx.take_warnings().into_iter().map(|w| w.what).collect();
        assert_eq!(texts, ["column `age`: odd", "column `constant`: odd"]);
        let fail = |training: &mut Training<'_>| training.column.require_finite().map(|_| Halve);
        let error = Rewrite::learn(&train, &[1, 3], &cx, fail).unwrap_err();
        assert!(error.to_string().starts_with("column `income`: holds"), "{error}");
    }

    #[test]
    fn two_columns_of_one_name_are_refused() {
        let table = Table::of([
            ("a", Column::numbers([1.0])),
            ("a_half", Column::numbers([1.0])),
            ("target", Column::numbers([1.0])),
        ]);
        let problem = stagewise_core::problem::Problem::<stagewise_core::task::Regression>::new("target");
        let train = Dataset::new(table.unwrap(), &problem).unwrap();
        let error = Rewrite::learn(&train, &[0], &FitContext::new(0), |_| Ok(Halve)).unwrap_err();
        assert_eq!(error.to_string(), "two columns are named `a_half`; rename one");
    }
}
