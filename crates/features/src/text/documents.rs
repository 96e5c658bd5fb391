//! What the stages on text share: a rule from a text to numbers, for batches and for rows.

use stagewise_core::column::Column;
use stagewise_core::error::Result;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Levels};
use stagewise_numeric::parallel;

use crate::columns::wrong_cell;

/// The kinds that are read as text.
pub(super) const KINDS: [Kind; 2] = [Kind::Text, Kind::Category];
/// Rows of one task.
const BLOCK: usize = 1024;

/// A column for each number of the rule, which writes over zeros.
pub(super) fn columns(
    column: &Column,
    width: usize,
    rule: impl Fn(&str, &mut [f64]) + Sync,
    out: &mut Vec<Column>,
) -> Result<()> {
    let rows = column.len();
    let mut wide = vec![vec![0.0; rows]; width];
    let each = |text: Option<&str>| {
        let mut values = vec![0.0; width];
        rule(text.unwrap_or(""), &mut values);
        values
    };
    match column {
        Column::Text(texts) => {
            let blocks = parallel::blocks(rows, BLOCK, |range| {
                texts[range].iter().map(|text| each(text.as_deref())).collect::<Vec<_>>()
            });
            for (row, values) in blocks.into_iter().flatten().enumerate() {
                wide.iter_mut().zip(values).for_each(|(column, value)| column[row] = value);
            }
        }
        other => {
            // Each level is read once.
            let (codes, levels) = other.as_categories()?;
            let names: Vec<Option<&str>> = levels.iter().map(|name| Some(name.as_ref())).chain([None]).collect();
            let by_level: Vec<Vec<f64>> = parallel::blocks(names.len(), BLOCK, |range| {
                names[range].iter().map(|name| each(*name)).collect::<Vec<_>>()
            })
            .concat();
            for (row, &code) in codes.iter().enumerate() {
                let values = by_level.get(code as usize).unwrap_or(&by_level[levels.len()]);
                wide.iter_mut().zip(values).for_each(|(column, &value)| column[row] = value);
            }
        }
    }
    out.extend(wide.into_iter().map(Column::numbers));
    Ok(())
}

/// The same for a cell.
pub(super) fn cells(
    field: &Field,
    cell: &Cell,
    width: usize,
    rule: impl Fn(&str, &mut [f64]),
    out: &mut Vec<Cell>,
) -> Result<()> {
    let name = |levels: &Levels, code: u32| levels.name(code).cloned();
    let text = match cell {
        Cell::Missing => None,
        Cell::Text(text) | Cell::NewLevel(text) => Some(text.clone()),
        Cell::Level(code) => field.levels.as_ref().and_then(|levels| name(levels, *code)),
        other => return Err(wrong_cell(field.kind, other)),
    };
    let mut values = vec![0.0; width];
    rule(text.as_deref().unwrap_or(""), &mut values);
    out.extend(values.into_iter().map(Cell::number));
    Ok(())
}

/// Each text of a training column with the weight of its rows; of a category each level once.
pub(super) fn weighted(column: &Column, rows: impl Iterator<Item = (usize, f64)>) -> Result<Vec<(&str, f64)>> {
    match column {
        Column::Text(texts) => Ok(rows.map(|(row, weight)| (texts[row].as_deref().unwrap_or(""), weight)).collect()),
        other => {
            let (codes, levels) = other.as_categories()?;
            let mut of_level = vec![0.0; levels.len() + 1];
            rows.for_each(|(row, weight)| of_level[(codes[row] as usize).min(levels.len())] += weight);
            let names = levels.iter().map(AsRef::as_ref).chain([""]);
            Ok(names.zip(of_level).filter(|(_, weight)| *weight > 0.0).collect())
        }
    }
}
