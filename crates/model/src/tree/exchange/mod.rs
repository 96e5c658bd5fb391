//! Models of other libraries read in, and ours written for other runtimes.
//!
//! Everything that is read is checked while it is read: a file that is cut off, damaged or made to harm gives an
//! [`Undecodable`](PersistError::Undecodable) error that names the part, never a panic, and never memory without bound.

mod fields;
mod lightgbm;
mod onnx;
mod rebuild;
mod xgboost;

use std::fmt::Display;

use stagewise_core::Error;
use stagewise_core::error::PersistError;

/// The error of a part that cannot be read.
fn undecodable(part: impl Display, reason: impl Display) -> Error {
    PersistError::Undecodable { part: part.to_string(), reason: reason.to_string() }.into()
}
