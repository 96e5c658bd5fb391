//! Conformance checks, golden values and data sets for the tests of stagewise and of stages written outside it.
//!
//! * [`conformance`]: what every stage, metric and splitter must keep to, as a call per stage.
//! * [`golden`]: numbers computed by other programs.
//! * [`data`]: small tables with everything that real ones bring: missing values, constants, rare levels.
//!
//! Everything here panics with a message when a promise is broken: it is for tests only.

pub mod conformance;
pub mod data;
pub mod golden;
