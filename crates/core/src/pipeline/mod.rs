//! The law of composition: steps and samplers, then one learner, then calibration. The order is a type.
//!
//! [`builder`] composes, [`spec`] is what was composed, [`fit`](spec::Pipeline) makes it a [`fitted`] pipeline, which
//! guards its door with a [`contract`] and answers single rows through a [`scorer`].

pub mod builder;
pub mod contract;
pub(crate) mod erased;
pub mod fitted;
pub mod report;
pub mod scorer;
pub mod spec;

pub use builder::{CalibrationRows, PipelineBuilder};
pub use contract::{Admission, InputContract};
pub use fitted::FittedPipeline;
pub use report::FitReport;
pub use scorer::Scorer;
pub use spec::Pipeline;
