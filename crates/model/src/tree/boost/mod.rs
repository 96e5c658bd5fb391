//! Gradient boosting on the tree engine.

pub mod history;
pub(crate) mod input;
mod lambda;
pub mod learner;
pub mod objective;
pub mod sample;
mod train;
