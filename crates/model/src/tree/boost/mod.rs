//! Gradient boosting on the tree engine.

pub mod history;
pub(crate) mod input;
pub mod learner;
mod lines;
pub mod objective;
pub mod sample;
mod train;
