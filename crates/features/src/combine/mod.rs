//! Columns of several columns: products, crosses, ratios, splines, and fewer columns that say nearly as much.

pub(crate) mod block;
pub mod interactions;
mod knots;
pub mod natural_spline;
mod pairs;
pub mod pca;
pub mod polynomial;
pub mod projection;
pub mod random_projection;
pub mod ratios;
pub mod spline;
pub mod truncated_svd;

#[cfg(test)]
mod golden_tests;

use stagewise_core::registry::Registry;

pub use interactions::{Cross, FittedInteractions, Interactions};
pub use knots::KnotSpacing;
pub use natural_spline::{FittedNaturalSpline, NaturalBasis, NaturalSpline};
pub use pca::Pca;
pub use polynomial::{FittedPolynomialFeatures, PolynomialFeatures, Products};
pub use projection::{FittedProjection, Projection};
pub use random_projection::{RandomDirections, RandomProjection, johnson_lindenstrauss};
pub use ratios::{FittedRatios, Quotients, Ratios, ZeroDivisor};
pub use spline::{Basis, Extrapolation, FittedSplineTransformer, SplineTransformer};
pub use truncated_svd::TruncatedSvd;

/// Registers the stages of this folder.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .transformer::<Interactions>()
        .transformer::<NaturalSpline>()
        .transformer::<Pca>()
        .transformer::<PolynomialFeatures>()
        .transformer::<RandomProjection>()
        .transformer::<Ratios>()
        .transformer::<SplineTransformer>()
        .transformer::<TruncatedSvd>();
}
