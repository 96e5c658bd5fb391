//! Several number columns as rows of numbers.
//!
//! Rows are made in the order of the columns' names, so that the order of a table's columns changes no bit of what is
//! learned. Values that are not finite are refused at their column: a sum over columns has no place for a missing one.

use ndarray::Array2;
use stagewise_core::column::Column;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, Error, Result};
use stagewise_core::record::Cell;
use stagewise_core::schema::Schema;
use stagewise_core::task::Task;
use stagewise_numeric::parallel::blocks;

use crate::joint::{Taken, TakenCells};

/// Rows of one task.
const BLOCK: usize = 1024;

/// The places among the columns at `positions`, in the order of the columns' names.
pub(crate) fn by_name(schema: &Schema, positions: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..positions.len()).collect();
    order.sort_by(|&a, &b| schema.fields()[positions[a]].name.cmp(&schema.fields()[positions[b]].name));
    order
}

/// The training rows that count.
pub(crate) fn counting_rows<T: Task>(train: &Dataset<T>) -> Vec<usize> {
    match train.weights() {
        None => (0..train.rows()).collect(),
        Some(weights) => (0..train.rows()).filter(|&row| weights[row] > 0.0).collect(),
    }
}

/// The values of a training column in these rows, which must be finite.
pub(crate) fn finite_values(column: &Column, rows: &[usize]) -> Result<Vec<f64>> {
    let column = column.take(rows);
    column.require_finite()?;
    Ok(column.as_numbers()?.to_vec())
}

/// The training rows that count as a matrix: a column for each of `positions`, in the order `order`.
pub(crate) struct Block {
    pub(crate) values: Array2<f64>,
    /// Of the rows that count.
    pub(crate) weights: Option<Vec<f64>>,
}

impl Block {
    pub(crate) fn of<T: Task>(train: &Dataset<T>, positions: &[usize], order: &[usize]) -> Result<Self> {
        let rows = counting_rows(train);
        let features = train.features();
        let mut values = Array2::zeros((rows.len(), positions.len()));
        for (j, &place) in order.iter().enumerate() {
            let position = positions[place];
            let name = || Crumb::column(features.schema().fields()[position].name.as_ref());
            let column = finite_values(&features.columns()[position], &rows).at(name)?;
            values.column_mut(j).iter_mut().zip(column).for_each(|(into, x)| *into = x);
        }
        let weights = train.weights().map(|weights| rows.iter().map(|&row| weights[row]).collect());
        Ok(Self { values, weights })
    }

    /// `Σ w`, the number of rows where there are no weights.
    pub(crate) fn weight(&self) -> f64 {
        match &self.weights {
            None => self.values.nrows() as f64,
            Some(weights) => stagewise_numeric::sum::exact_sum(weights),
        }
    }
}

/// The batch path of a rule that makes `width` numbers of the numbers of a row, given in the order `order`.
///
/// `names` are those of the columns that come, for the error of a value beyond the range of `f64`.
pub(crate) fn map_rows(
    taken: Taken<'_>,
    columns: &[Column],
    order: &[usize],
    rows: usize,
    names: &[String],
    make: impl Fn(&mut [f64], &mut Vec<f64>) + Sync,
) -> Result<Vec<Column>> {
    let mut inputs = Vec::with_capacity(order.len());
    for &place in order {
        inputs.push(columns[place].require_finite().at(|| Crumb::column(taken.field(place).name.as_ref()))?);
    }
    let width = names.len();
    let parts = blocks(rows, BLOCK, |range| {
        let mut out = Vec::with_capacity(range.len() * width);
        let mut row = vec![0.0; inputs.len()];
        for r in range {
            row.iter_mut().zip(&inputs).for_each(|(into, column)| *into = column[r]);
            make(&mut row, &mut out);
        }
        out
    });
    let mut made: Vec<Vec<f64>> = (0..width).map(|_| Vec::with_capacity(rows)).collect();
    for part in &parts {
        for row in part.chunks_exact(width.max(1)) {
            made.iter_mut().zip(row).for_each(|(column, &x)| column.push(x));
        }
    }
    let made: Vec<Column> = made.into_iter().map(Column::numbers).collect();
    for (column, name) in made.iter().zip(names) {
        let values = column.as_numbers()?;
        if let Some(first) = values.iter().position(|x| !x.is_finite()) {
            let count = values.iter().filter(|x| !x.is_finite()).count();
            return Err(Error::from(DataError::NotFinite { count, first }).at(Crumb::column(name.as_str())));
        }
    }
    Ok(made)
}

/// The row path of the same rule.
pub(crate) fn map_cells(
    taken: Taken<'_>,
    cells: TakenCells<'_>,
    order: &[usize],
    names: &[String],
    out: &mut Vec<Cell>,
    make: impl Fn(&mut [f64], &mut Vec<f64>),
) -> Result<()> {
    let mut row = Vec::with_capacity(order.len());
    for &place in order {
        row.push(finite_cell(taken, cells, place)?);
    }
    let mut made = Vec::with_capacity(names.len());
    make(&mut row, &mut made);
    match made.iter().zip(names).find(|(x, _)| !x.is_finite()) {
        Some((_, name)) => {
            Err(Error::from(DataError::NotFinite { count: 1, first: 0 }).at(Crumb::column(name.as_str())))
        }
        None => {
            out.extend(made.into_iter().map(Cell::Number));
            Ok(())
        }
    }
}

/// The number in a taken column of a row, which must be finite.
pub(crate) fn finite_cell(taken: Taken<'_>, cells: TakenCells<'_>, place: usize) -> Result<f64> {
    let x = cells.number(place)?;
    require_finite(x).at(|| Crumb::column(taken.field(place).name.as_ref()))
}

/// The error of one value that is missing or infinite, as of a column that holds nothing else.
pub(crate) fn require_finite(x: f64) -> Result<f64> {
    if x.is_finite() {
        Ok(x)
    } else if x.is_nan() {
        Err(DataError::MissingValues { count: 1 }.into())
    } else {
        Err(DataError::NotFinite { count: 1, first: 0 }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::table::Table;

    use crate::test_tables::training;

    #[test]
    fn rows_without_weight_are_left_out_and_columns_come_by_name() {
        let table =
            Table::of([("b", Column::numbers([1.0, f64::NAN, 3.0])), ("a", Column::numbers([4.0, 5.0, 6.0]))]).unwrap();
        let train = training(table.clone(), Some(vec![2.0, 0.0, 0.5]));
        let order = by_name(train.features().schema(), &[0, 1]);
        assert_eq!(order, [1, 0]);
        let block = Block::of(&train, &[0, 1], &order).unwrap();
        assert_eq!(block.values, ndarray::array![[4.0, 1.0], [6.0, 3.0]]);
        assert_eq!((block.weights.clone(), block.weight()), (Some(vec![2.0, 0.5]), 2.5));
        let error = Block::of(&training(table, None), &[0, 1], &order).err().unwrap();
        assert_eq!(error.to_string(), "column `b`: holds 1 missing values; add an imputer before it");
    }
}
