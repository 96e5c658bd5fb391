//! Gradient boosting on the tree engine.

mod arrange;
pub mod custom;
pub mod history;
pub(crate) mod input;
mod lambda;
pub mod learner;
mod lines;
pub mod loss;
pub mod objective;
pub mod sample;
pub mod start;
mod train;
pub(crate) mod watch;
