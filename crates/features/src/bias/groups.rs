//! Who is in which group: the distinct values of some columns together.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::error::{Crumb, Result};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind};

use super::protected::shown;
use crate::columns::wrong_cell;

/// The groups that occur, ordered by their values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Groups {
    keys: Vec<Vec<Value>>,
    pub(super) names: Vec<String>,
}

/// One value of a column that tells groups apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Value {
    Flag(bool),
    Level(u32),
    Number(f64),
}

impl Value {
    /// `None` for a missing value and for a level not seen in training.
    fn of(field: &Field, cell: &Cell) -> Result<Option<Self>> {
        Ok(match (field.kind, cell) {
            (_, Cell::Missing) | (Kind::Category, Cell::NewLevel(_)) => None,
            (Kind::Category, Cell::Level(code)) => Some(Self::Level(*code)),
            (Kind::Flag, Cell::Flag(flag)) => Some(Self::Flag(*flag)),
            // A negative zero is a zero.
            (Kind::Number, Cell::Number(x)) => Some(Self::Number(x + 0.0)),
            (kind, other) => return Err(wrong_cell(kind, other).at(Crumb::column(field.name.as_ref()))),
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Flag(a), Self::Flag(b)) => a.cmp(b),
            (Self::Level(a), Self::Level(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            // Values of one column are of one kind.
            (Self::Flag(_), _) | (Self::Level(_), Self::Number(_)) => Ordering::Less,
            (Self::Number(_), _) | (Self::Level(_), Self::Flag(_)) => Ordering::Greater,
        }
    }

    fn name(self, field: &Field) -> String {
        let cell = match self {
            Self::Flag(flag) => Cell::Flag(flag),
            Self::Level(code) => Cell::Level(code),
            Self::Number(x) => Cell::Number(x),
        };
        shown(field, &cell).unwrap_or_default()
    }
}

fn order(a: &[Value], b: &[Value]) -> Ordering {
    let unequal = a.iter().zip(b).map(|(a, b)| a.order(b)).find(|order| order.is_ne());
    unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
}

impl Groups {
    /// The groups of these rows, and the group of each of them; `None` where a value is missing.
    pub(super) fn learn(columns: &[(&Field, &Column)], rows: &[usize]) -> Result<(Self, Vec<Option<usize>>)> {
        let key_of = |&row: &usize| {
            let value = |(field, column): &(&Field, &Column)| Value::of(field, &column.cell(row));
            columns.iter().map(value).collect::<Result<Option<Vec<Value>>>>()
        };
        let keys = rows.iter().map(key_of).collect::<Result<Vec<_>>>()?;
        let mut distinct: Vec<Vec<Value>> = Vec::new();
        for key in keys.iter().flatten() {
            if let Err(place) = distinct.binary_search_by(|known| order(known, key)) {
                distinct.insert(place, key.clone());
            }
        }
        let name = |key: &Vec<Value>| {
            let parts: Vec<String> = key.iter().zip(columns).map(|(value, (field, _))| value.name(field)).collect();
            parts.join(", ")
        };
        let groups = Self { names: distinct.iter().map(name).collect(), keys: distinct };
        let of = keys.iter().map(|key| key.as_ref().and_then(|key| groups.place(key))).collect();
        Ok((groups, of))
    }

    /// The group of a row whose cells of the columns are these.
    pub(super) fn find<'a>(&self, cells: impl Iterator<Item = (&'a Field, Cell)>) -> Result<Option<usize>> {
        let mut key = Vec::with_capacity(1);
        for (field, cell) in cells {
            match Value::of(field, &cell)? {
                Some(value) => key.push(value),
                None => return Ok(None),
            }
        }
        Ok(self.place(&key))
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    fn place(&self, key: &[Value]) -> Option<usize> {
        self.keys.binary_search_by(|known| order(known, key)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::table::Table;

    #[test]
    fn groups_are_distinct_values_together() {
        let table = Table::of([
            ("sex", Column::categories([Some("f"), Some("m"), Some("f"), None, Some("m")])),
            ("old", Column::flags([Some(true), Some(false), Some(true), Some(true), Some(true)])),
            ("size", Column::numbers([-0.0, 1.5, 0.0, 1.0, 1.5])),
        ])
        .unwrap();
        let columns: Vec<_> = table.schema().fields().iter().zip(table.columns()).collect();
        let (groups, of) = Groups::learn(&columns, &[0, 1, 2, 3, 4]).unwrap();
        assert_eq!(groups.names, ["f, true, 0", "m, false, 1.5", "m, true, 1.5"]);
        assert_eq!(of, [Some(0), Some(1), Some(0), None, Some(2)]);
        let find = |cells: [Cell; 3]| groups.find(table.schema().fields().iter().zip(cells)).unwrap();
        assert_eq!(find([Cell::Level(1), Cell::Flag(false), Cell::Number(1.5)]), Some(1));
        assert_eq!(find([Cell::Level(9), Cell::Flag(false), Cell::Number(1.5)]), None);
        assert_eq!(find([Cell::NewLevel("x".into()), Cell::Flag(false), Cell::Number(1.5)]), None);
        assert!(groups.find([(&table.schema().fields()[0], Cell::Flag(true))].into_iter()).is_err());
    }
}
