//! Trees: one canonical form, filled by our own engines, linfa and smartcore.

pub mod additive;
mod bins;
pub mod boost;
mod cart;
pub mod class_weights;
mod constraint;
pub mod decision;
pub mod ensemble;
pub mod exchange;
pub mod explain;
pub mod extra_trees;
pub mod forest;
mod grow;
pub mod isolation;
pub mod linear_leaves;
mod linfa;
pub mod quantile_forest;
mod read;
mod sample;
mod split;
pub mod structure;
mod thresholds;
mod values;
mod walk;
