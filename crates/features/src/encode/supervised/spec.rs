//! What a supervised encoder says of itself; the rest is `cross_fit`.

use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::select::Selector;
use stagewise_numeric::shrink::m_estimate;

use super::outcome::Tally;
use crate::encode::unseen::MissingAs;

/// An encoder that gives each level a number made of its target.
pub(super) trait Supervised: Persist {
    /// The columns.
    fn on(&self) -> &Selector;

    /// What a missing level is.
    fn missing(&self) -> MissingAs;

    /// Checks the hyper-parameters.
    fn check(&self) -> Result<()>;

    /// What training rows do not see.
    fn held_out(&self) -> HeldOut;

    /// The number of each level, for one outcome; that of a level without weight is that of an unseen one. `all` is of all
    /// rows, whatever their level.
    fn numbers(&self, levels: &[Tally], all: Tally) -> Vec<f64>;

    /// The number of a level not seen.
    fn unseen(&self, all: Tally) -> f64 {
        all.mean
    }
}

/// What a training row does not see.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum HeldOut {
    /// The rows of its fold, of so many.
    Fold(usize),
    /// Itself, and the rows of its group. Levels are drawn towards the mean of all by so many rows, and the numbers are blurred by so many standard
    /// deviations of the target.
    Row { smooth: f64, noise: f64 },
    /// Itself, the rows of its group, and those behind it in a random order: the mean over so many orders.
    Later { smooth: f64, orders: usize },
}

/// The mean of a level as if so many more rows with the mean of all were in it.
#[inline]
pub(super) fn smoothed(level: Tally, all: Tally, rows: f64) -> f64 {
    m_estimate(level.weight * level.mean, level.weight, all.mean, rows)
}

/// The default number of folds.
pub(super) fn five() -> usize {
    5
}

pub(super) fn check_folds(folds: usize) -> Result<()> {
    ParameterError::check(folds >= 2, "folds", folds, "at least 2")
}

pub(super) fn check_rows(name: &'static str, rows: f64) -> Result<()> {
    ParameterError::check(rows >= 0.0 && rows.is_finite(), name, rows, "a finite number, at least 0")
}
