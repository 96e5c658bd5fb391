//! What is learned about one category: which columns stand in its place, and what each code becomes.
//!
//! What a code becomes (a column, nothing, or an error) is decided once, when learning; so both paths only look up.

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::error::{At, Crumb, DataError, Error, Result};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind};

use super::super::unseen::{cell_of, refused};
use super::{DropLevel, MissingLevel, OneHotEncoder, Unseen};
use crate::columns::wrong_cell;
use crate::rewrite::{ColumnRule, Training};

/// What was learned about one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneHot {
    /// What each output column stands for.
    columns: Vec<StandsFor>,
    /// What each code of the training levels becomes.
    slots: Vec<Slot>,
    missing: Slot,
    unseen: Slot,
}

/// What an output column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StandsFor {
    Level(u32),
    Missing,
    Rare,
}

/// What a value becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Slot {
    /// 1 in this column.
    Column(u32),
    /// 0 in all columns.
    Zeros,
    /// An error.
    Refused,
}

impl OneHot {
    pub(super) fn learn(spec: &OneHotEncoder, training: &mut Training<'_>) -> Result<Self> {
        let (codes, levels) = training.column.as_categories()?;
        // A row of weight 2 counts twice, as everywhere.
        let mut counts = vec![0.0; levels.len()];
        let (mut missing_rows, mut missing_count) = (0, 0.0);
        for (row, weight) in training.rows() {
            match counts.get_mut(codes[row] as usize) {
                Some(count) => *count += weight,
                None => {
                    missing_rows += 1;
                    missing_count += weight;
                }
            }
        }
        let rare_below = spec.rare_below as f64;
        if missing_rows > 0 && spec.missing == MissingLevel::Error {
            return Err(DataError::MissingValues { count: missing_rows }.into());
        }
        let count = |code: &u32| counts[*code as usize];
        let seen = (0..levels.len() as u32).filter(|code| count(code) > 0.0);
        let (mut kept, mut rare): (Vec<u32>, Vec<u32>) = seen.partition(|code| count(code) >= rare_below);
        if let Some(most) = spec.max_levels.filter(|&most| most < kept.len()) {
            kept.sort_unstable_by(|a, b| {
                count(b).total_cmp(&count(a)).then_with(|| levels.name(*a).cmp(&levels.name(*b)))
            });
            rare.extend(kept.drain(most..));
        }
        let has_missing = missing_rows > 0 && spec.missing == MissingLevel::Level;
        let missing_is_rare = has_missing && missing_count < rare_below;

        let mut columns = sorted(kept, training.field);
        columns.extend((has_missing && !missing_is_rare).then_some(StandsFor::Missing));
        columns.extend((missing_is_rare || !rare.is_empty()).then_some(StandsFor::Rare));
        let dropped = match spec.drop {
            DropLevel::None => false,
            DropLevel::First => !columns.is_empty(),
            DropLevel::Binary => columns.len() == 2,
        };
        let dropped = dropped.then(|| columns.remove(0));
        if columns.is_empty() {
            training.warn("has no level to encode; it is left out");
        }

        let place =
            |what: StandsFor| (columns.iter().zip(0..)).find(|(c, _)| **c == what).map(|(_, i)| Slot::Column(i));
        let group = place(StandsFor::Rare).unwrap_or(Slot::Zeros);
        let unseen = match spec.unseen {
            Unseen::Ignore => Slot::Zeros,
            Unseen::Rare => group,
            Unseen::Error => Slot::Refused,
        };
        let mut slots = vec![unseen; levels.len()];
        for (column, i) in columns.iter().zip(0..) {
            if let StandsFor::Level(code) = column {
                slots[*code as usize] = Slot::Column(i);
            }
        }
        if let Some(StandsFor::Level(code)) = dropped {
            slots[code as usize] = Slot::Zeros;
        }
        rare.iter().for_each(|&code| slots[code as usize] = group);
        let missing = match spec.missing {
            MissingLevel::Error => Slot::Refused,
            _ if missing_is_rare => group,
            _ => place(StandsFor::Missing).unwrap_or(Slot::Zeros),
        };
        Ok(Self { columns, slots, missing, unseen })
    }

    #[inline]
    fn slot(&self, code: u32) -> Slot {
        match self.slots.get(code as usize) {
            Some(slot) => *slot,
            None if code == MISSING_CODE => self.missing,
            None => self.unseen,
        }
    }

    /// The error of a value that is refused: an unseen level, or none.
    #[cold]
    fn refused(&self, field: &Field, cell: &Cell) -> Error {
        refused(field, cell, |code| self.slots.get(code as usize).is_some_and(|slot| *slot != Slot::Refused))
    }
}

impl ColumnRule for OneHot {
    const TAG: &'static str = "FittedOneHotEncoder";

    fn fields(&self, field: &Field) -> Vec<Field> {
        self.columns.iter().map(|column| column.field(field)).collect()
    }

    fn column(&self, field: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        let (codes, levels) = column.as_categories()?;
        let mut columns = vec![vec![0.0; codes.len()]; self.columns.len()];
        for (row, &code) in codes.iter().enumerate() {
            match self.slot(code) {
                Slot::Zeros => {}
                Slot::Column(i) => {
                    if let Some(column) = columns.get_mut(i as usize) {
                        column[row] = 1.0;
                    }
                }
                Slot::Refused => {
                    return Err(self.refused(field, &cell_of(code, levels))).at(|| Crumb::Row(row));
                }
            }
        }
        out.extend(columns.into_iter().map(Column::numbers));
        Ok(())
    }

    fn cell(&self, field: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        let slot = match cell {
            Cell::Level(code) => self.slot(*code),
            Cell::NewLevel(_) => self.unseen,
            Cell::Missing => self.missing,
            other => return Err(wrong_cell(Kind::Category, other)),
        };
        if slot == Slot::Refused {
            return Err(self.refused(field, cell));
        }
        let start = out.len();
        out.extend((0..self.columns.len()).map(|_| Cell::Number(0.0)));
        if let Slot::Column(i) = slot
            && let Some(cell) = out.get_mut(start + i as usize)
        {
            *cell = Cell::Number(1.0);
        }
        Ok(())
    }
}

impl StandsFor {
    pub(super) fn field(self, of: &Field) -> Field {
        let level = match self {
            Self::Level(code) => of.levels.as_ref().and_then(|levels| levels.name(code)).map_or("?", |name| name),
            Self::Missing => "(missing)",
            Self::Rare => "(rare)",
        };
        Field::derived(format!("{}={level}", of.name), Kind::Number, [of])
    }
}

/// Columns for these codes in the order of their levels' names.
pub(super) fn sorted(mut codes: Vec<u32>, field: &Field) -> Vec<StandsFor> {
    if let Some(levels) = &field.levels {
        codes.sort_unstable_by_key(|&code| levels.name(code));
    }
    codes.into_iter().map(StandsFor::Level).collect()
}
