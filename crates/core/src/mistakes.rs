//! What does not compile, shown as examples that must not.
//!
//! A holdout is evaluated once:
//! ```compile_fail,E0382
//! # use stagewise_core::{holdout::Holdout, ledger::Ledger, pipeline::FittedPipeline, task::Binary};
//! fn twice(holdout: Holdout<Binary>, fitted: &FittedPipeline<Binary>, ledger: &mut Ledger) {
//!     let _ = holdout.evaluate_once(fitted, ledger);
//!     let _ = holdout.evaluate_once(fitted, ledger);
//! }
//! ```
//!
//! Only the gate makes an approval:
//! ```compile_fail,E0451
//! # use stagewise_core::{fingerprint::Fingerprint, gate::Approved};
//! fn by_hand(pipeline: Fingerprint) -> Approved {
//!     Approved { pipeline, holdout: pipeline, checks: Vec::new() }
//! }
//! ```
//!
//! A metric belongs to its task:
//! ```compile_fail,E0277
//! # use stagewise_core::{metric::Metric, problem::{at_most, Problem}, task::{Binary, Regression}};
//! fn rmse_on_a_classifier(rmse: impl Metric<Regression>) {
//!     let _ = Problem::<Binary>::new("churned").primary(rmse, at_most(3.0));
//! }
//! ```
//!
//! A sampler is no step:
//! ```compile_fail,E0277
//! # use stagewise_core::{pipeline::Pipeline, problem::Problem, stage::Sampler, task::Binary};
//! fn sampler_as_a_step(sampler: impl Sampler<Binary>) {
//!     let _ = Pipeline::builder(Problem::<Binary>::new("churned")).step("balance", sampler);
//! }
//! ```
//!
//! Nothing is built without a model:
//! ```compile_fail,E0599
//! # use stagewise_core::{pipeline::Pipeline, problem::Problem, task::Binary};
//! let _ = Pipeline::builder(Problem::<Binary>::new("churned")).build();
//! ```
