//! Missing values: what stands in their place, the flag that says they were missing, and why they may be.
//!
//! Imputers that fill a constant into each column differ in what they learn; what they do is the same and is in [`Fill`].
//! Those that tell a row's missing numbers by its others share `rows`. Whether values are missing by chance is asked in
//! `missingness` and `little`.

mod as_level;
mod constant;
mod fill;
mod indicator;
mod iterative;
mod knn;
mod little;
mod mean;
mod median;
mod missingness;
mod most_frequent;
mod random;
mod ridge;
mod rows;

#[cfg(test)]
mod golden_tests;

use stagewise_core::registry::Registry;

pub use as_level::MissingAsLevel;
pub use constant::ConstantImputer;
pub use fill::{Fill, FittedImputer, Imputation, MISSING_LEVEL};
pub use indicator::{FittedMissingIndicator, Indication, MissingIndicator};
pub use iterative::{ChainedEquations, FittedIterativeImputer, IterativeImputer};
pub use knn::{DonorWeights, Donors, FittedKnnImputer, KnnImputer};
pub use little::LittlesTest;
pub use mean::MeanImputer;
pub use median::MedianImputer;
pub use missingness::{MissingnessRelation, MissingnessReport, MissingnessTest};
pub use most_frequent::MostFrequentImputer;
pub use random::{FittedRandomImputer, RandomDraws, RandomImputer};
pub use ridge::RidgePenalty;
pub use rows::{FilledRows, RowFill};

/// Registers the imputers.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .transformer::<MedianImputer>()
        .transformer::<MostFrequentImputer>()
        .transformer::<MeanImputer>()
        .transformer::<ConstantImputer>()
        .transformer::<MissingIndicator>()
        .transformer::<MissingAsLevel>()
        .transformer::<RandomImputer>()
        .transformer::<KnnImputer>()
        .transformer::<IterativeImputer>();
}
