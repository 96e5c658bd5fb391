//! Missing values: what stands in their place, and the flag that says they were missing.
//!
//! Imputers differ in what they learn; what they do is the same, a constant for each column, and is in [`fill`].

pub mod fill;
mod indicator;
pub mod median;
pub mod most_frequent;

#[cfg(test)]
mod golden_tests;
