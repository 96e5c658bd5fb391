//! Deployment for stagewise: a file that proves itself, and a server for it.
//!
//! | question | file |
//! |---|---|
//! | what leaves the training program? | [`artifact`]: [`Artifact`], made only with the gate's approval |
//! | what is in a file, before loading it? | [`inspect`], [`task_of`], [`Manifest`] |
//! | who answers over HTTP? | [`server`]: [`Server`], [`RunningServer`] |
//!

pub mod artifact;

#[cfg(test)]
mod fixture;

pub use artifact::{Artifact, Manifest, TaskName, inspect, task_of};
