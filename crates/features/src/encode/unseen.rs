//! What an encoder does with a value that it has no code for: a level not seen in training, or no level at all.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::MISSING_CODE;
use stagewise_core::error::{DataError, Error, Result};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Levels};

use super::by_level::Stand;
use super::levels::LevelCounts;

/// What becomes of a level not seen in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unseen {
    /// All columns are 0.
    #[default]
    Ignore,
    /// It counts as rare; all columns are 0 if the column has no rare level.
    Rare,
    /// An error that names the level.
    Error,
}

/// What becomes of a missing level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingLevel {
    /// Missing is a level of its own if it occurs in training; if it does not, all columns are 0.
    #[default]
    Level,
    /// All columns are 0.
    Zeros,
    /// An error, in training as later.
    Error,
}

/// What number stands for a value that has none of its own: a level not seen in training, or no level.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fallback {
    /// None: the number is missing.
    #[default]
    Missing,
    /// This one, which must be finite.
    Number(f64),
    /// An error that names the level.
    Error,
}

/// What an encoder that learns from the target does with a missing level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingAs {
    /// A level of its own; if it does not occur in training, what an unseen level is.
    #[default]
    Level,
    /// What an unseen level is.
    Unseen,
    /// An error, in training as later.
    Error,
}

impl Unseen {
    /// What stands for an unseen level among `width` columns, none of which is that of rare levels.
    pub(super) fn stand(self, width: usize) -> Stand {
        match self {
            Self::Ignore | Self::Rare => Stand::Numbers(vec![0.0; width]),
            Self::Error => Stand::Refused,
        }
    }
}

impl MissingLevel {
    /// Whether missing is a level of its own; an error if it is refused and there is one.
    pub(super) fn own_level(self, counts: &LevelCounts) -> Result<bool> {
        match self {
            Self::Level => Ok(counts.has_missing()),
            Self::Zeros => Ok(false),
            Self::Error => counts.refuse_missing().map(|()| false),
        }
    }
}

/// A code of a batch as the cell that the row path would get for a value that needs its name.
#[cold]
pub(super) fn cell_of(code: u32, levels: &Arc<Levels>) -> Cell {
    match levels.name(code) {
        Some(name) => Cell::NewLevel(name.clone()),
        None if code == MISSING_CODE => Cell::Missing,
        None => Cell::Level(code),
    }
}

/// The error of a value that is refused: a level that is none of those that `is_known`, or no level.
#[cold]
pub(super) fn refused(field: &Field, cell: &Cell, is_known: impl Fn(u32) -> bool) -> Error {
    let levels = field.levels.as_deref();
    let level = match cell {
        Cell::NewLevel(name) => name.to_string(),
        Cell::Level(code) => match levels.and_then(|levels| levels.name(*code)) {
            Some(name) => name.to_string(),
            None => format!("level {code}"),
        },
        _ => return DataError::MissingValues { count: 1 }.into(),
    };
    let names = levels.into_iter().flat_map(Levels::iter).zip(0..);
    let known = names.filter(|(_, code)| is_known(*code)).map(|(name, _)| name.to_string()).collect();
    DataError::UnknownLevel { level, known }.into()
}
