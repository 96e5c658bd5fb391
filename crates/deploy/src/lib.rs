//! Deployment for stagewise: a file that proves itself, and a server for it.
//!
//! | question | file |
//! |---|---|
//! | what leaves the training program? | [`artifact`]: [`Artifact`], made only with the gate's approval |
//! | what is in a file, before loading it? | [`inspect`], [`task_of`], [`Manifest`] |
//! | who answers over HTTP? | [`server`]: [`Server`], [`RunningServer`] |
//!
//! ```
//! use stagewise_core::error::Result;
//! use stagewise_core::gate::Approved;
//! use stagewise_core::pipeline::FittedPipeline;
//! use stagewise_core::registry::Registry;
//! use stagewise_core::table::Table;
//! use stagewise_core::task::Binary;
//! use stagewise_deploy::{Artifact, RunningServer, Server};
//!
//! fn deploy(fitted: FittedPipeline<Binary>, approved: Approved, rows: &Table) -> Result<()> {
//!     Artifact::package(fitted, approved, rows)?.write("churn.stagewise")
//! }
//!
//! fn serve(registry: &Registry) -> Result<RunningServer> {
//!     Server::new(Artifact::<Binary>::read("churn.stagewise", registry)?).address("127.0.0.1:0").start()
//! }
//! ```

pub mod artifact;
pub mod server;

#[cfg(test)]
mod fixture;

pub use artifact::{Artifact, Manifest, TaskName, inspect, task_of};
pub use server::{RunningServer, Server};
