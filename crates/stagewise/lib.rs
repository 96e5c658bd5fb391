#![doc = include_str!("manual/overview.md")]

pub mod prelude;
mod registry;

pub use registry::registry;
pub use stagewise_core as core;
pub use stagewise_core::{Error, Result};
pub use stagewise_data as data;
pub use stagewise_deploy as deploy;
pub use stagewise_eval as eval;
pub use stagewise_features as features;
pub use stagewise_model as model;
pub use stagewise_monitor as monitor;
pub use stagewise_numeric as numeric;
pub use stagewise_report as report;

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
