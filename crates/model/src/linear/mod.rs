//! Linear models: one canonical form, three ways to it.

mod descent;
mod least_norm;
mod linfa;
pub mod logistic;
pub mod model;
pub(crate) mod newton;
pub mod regression;
mod shift;
