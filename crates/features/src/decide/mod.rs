//! Values that should not be there: what was decided about them, done to training rows and to rows at serving alike.
//!
//! | what | stage |
//! |---|---|
//! | map values, mark them missing, keep them, refuse them | [`ValueDecider`] |
//! | leave training rows out that a decision rejects | [`RejectedRows`] |
//!
//! The decisions themselves, their file and their counts are in [`stagewise_core::decision`].

mod decider;
mod rejected;

use stagewise_core::registry::Registry;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression};

pub use self::decider::{DecidedColumn, FittedValueDecider, ValueDecider};
pub use self::rejected::RejectedRows;

/// Registers the stages of this folder.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .transformer::<ValueDecider>()
        .sampler::<Regression, RejectedRows>()
        .sampler::<Binary, RejectedRows>()
        .sampler::<Multiclass, RejectedRows>()
        .sampler::<Ranking, RejectedRows>();
}
