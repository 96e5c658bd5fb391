//! Monitoring for stagewise: drift between reference and current summaries.
//!
//! | question | where |
//! |---|---|
//! | which features are no longer distributed as in training? | [`DriftMonitor`], [`DriftReport`] |
//! | have two samples of numbers one distribution? | [`drift::kolmogorov_smirnov`] |
//! | have two samples of levels one distribution? | [`drift::chi_square`], [`drift::fisher`] |
//! | have two samples one mean? | [`drift::mean`] |
//! | how large is the population stability index, and how large by chance? | [`drift::psi`] |
//! | how many of many alarms are false? | [`drift::Correction`] |
//!
//! Everything here works on [`TableSummary`](stagewise_core::summary::TableSummary): small and mergeable, so that the
//! reference travels with the model and current rows need not be kept.

pub mod drift;

pub use drift::{Correction, DriftMonitor, DriftReport, FeatureDrift, Verdict};
