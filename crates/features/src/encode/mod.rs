//! Levels to numbers.

pub mod one_hot;
pub mod unseen;
