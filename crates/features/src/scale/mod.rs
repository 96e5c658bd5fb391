//! Numbers to a common scale.

pub mod standard;
