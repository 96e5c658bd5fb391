//! Setters whose argument is the value itself.

pub(crate) use stagewise_core::setters;
