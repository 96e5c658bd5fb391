//! A word for the values of a row: the same from columns and from cells, whatever the order of the columns.
//!
//! Levels are hashed by name, since codes hang on the order in which a table was read.

use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_core::record::Cell;
use stagewise_core::schema::Field;
use stagewise_numeric::parallel::blocks;
use stagewise_numeric::random::mix;

use crate::joint::{Taken, TakenCells};

/// What stands for a missing value, and for a level not seen in training.
const MISSING: u64 = 0x6d69_7373_696e_6721;
const UNSEEN: u64 = 0x756e_7365_656e_2121;

/// The word of a text: FNV-1a (Fowler, Noll & Vo 1991), mixed.
pub(super) fn hash_text(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    mix(hash)
}

/// The word of a row, given as cells.
pub(super) fn hash_cells(taken: Taken<'_>, cells: TakenCells<'_>) -> u64 {
    let word = |(i, field): (usize, &Field)| in_column(hash_text(&field.name), of_cell(field, cells.cell(i)));
    taken.fields().enumerate().map(word).fold(0, u64::wrapping_add)
}

/// The word of each row, given as columns. `O(rows · columns)`.
pub(super) fn hash_rows(taken: Taken<'_>, columns: &[Column], rows: usize) -> Vec<u64> {
    /// Rows of a task.
    const BLOCK: usize = 4096;
    let levels = |field: &Field| -> Vec<u64> {
        field.levels.iter().flat_map(|levels| levels.iter()).map(|name| hash_text(name)).collect()
    };
    let names: Vec<(u64, Vec<u64>)> = taken.fields().map(|field| (hash_text(&field.name), levels(field))).collect();
    let of = |row: usize| {
        let word = |(column, (name, levels)): (&Column, &(u64, Vec<u64>))| {
            let value = match column {
                Column::Number(values) => of_number(values[row]),
                Column::Category { codes, .. } => match codes[row] {
                    MISSING_CODE => MISSING,
                    code => levels.get(code as usize).copied().unwrap_or(UNSEEN),
                },
                Column::Flag(values) => values[row].map_or(MISSING, u64::from),
                Column::Timestamp(values) if values[row] != MISSING_TIME => values[row] as u64,
                Column::Text(values) => values[row].as_deref().map_or(MISSING, hash_text),
                _ => MISSING,
            };
            in_column(*name, value)
        };
        columns.iter().zip(&names).map(word).fold(0, u64::wrapping_add)
    };
    blocks(rows, BLOCK, |range| range.map(of).collect::<Vec<u64>>()).into_iter().flatten().collect()
}

/// A sum of such words is the same in any order of the columns, and no two columns can be exchanged.
fn in_column(name: u64, value: u64) -> u64 {
    mix(name ^ mix(value))
}

fn of_cell(field: &Field, cell: &Cell) -> u64 {
    match cell {
        Cell::Missing => MISSING,
        Cell::Number(x) => of_number(*x),
        Cell::Level(code) => {
            field.levels.as_ref().and_then(|levels| levels.name(*code)).map_or(UNSEEN, |name| hash_text(name))
        }
        Cell::NewLevel(_) => UNSEEN,
        Cell::Flag(flag) => u64::from(*flag),
        Cell::Text(text) => hash_text(text),
        Cell::Timestamp(time) => *time as u64,
    }
}

/// A negative zero is a zero.
fn of_number(x: f64) -> u64 {
    if x.is_nan() { MISSING } else { (x + 0.0).to_bits() }
}
