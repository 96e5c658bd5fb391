//! Nouns and contracts of stagewise, and the law of their composition; no algorithms.
//!
//! Read [`stage`] first: it holds every trait that a user implements. The other files answer one question each:
//!
//! | question | files |
//! |---|---|
//! | what flows? | [`mod@column`], [`columns`], [`table`], [`record`], [`schema`], [`select`], [`dataset`], [`target`], [`matrix`] |
//! | what is done with values that should not be there? | [`decision`] |
//! | what is asked? | [`task`], [`problem`], [`metric`], [`split`], [`gate`] |
//! | who does it? | [`stage`], [`pipeline`], [`context`], [`progress`] |
//! | what remains? | [`holdout`], [`ledger`], [`persist`], [`registry`], [`fingerprint`], [`summary`], [`exhibit`] |
//! | what went wrong? | [`error`], [`warning`], [`mistakes`] |

pub mod calendar;
pub mod column;
pub mod columns;
pub mod context;
pub mod dataset;
pub mod decision;
pub mod error;
pub mod exhibit;
pub mod fingerprint;
pub mod gate;
pub mod holdout;
pub mod ledger;
pub mod matrix;
pub mod metric;
pub mod mistakes;
pub mod persist;
pub mod pipeline;
pub mod problem;
pub mod progress;
pub mod record;
pub mod registry;
pub mod schema;
pub mod select;
mod setter;
pub mod split;
pub mod stage;
pub mod summary;
pub mod table;
pub mod target;
pub mod task;
pub mod warning;

pub use error::{Error, Result};
