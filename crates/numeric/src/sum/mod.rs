//! Sums: exact where order must not matter, fast and fixed where it cannot vary.
//!
//! A statistic that is merged over chunks, threads or days of monitoring is summed exactly ([`ExactSum`],
//! [`Moments`]): the result then depends on the numbers alone. A prediction is a dot product in one fixed
//! order ([`dot`]): the same row gives the same bits alone and within a batch. Sums of very many groups are sums of whole
//! numbers ([`Grid`]).

mod canonical;
mod central;
mod dot;
mod exact;
mod grid;
mod moments;
mod product;

pub use dot::dot;
pub use exact::{ExactSum, exact_sum, exact_sum_by};
pub use grid::Grid;
pub use moments::Moments;
