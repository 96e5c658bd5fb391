//! What an encoder does with a value that it has no code for: a level not seen in training, or no level at all.

use serde::{Deserialize, Serialize};

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
