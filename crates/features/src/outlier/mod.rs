//! Values and rows far from the others: what counts as far, and what becomes of them.
//!
//! [`OutlierRule`] says how far is too far on one column; [`OutlierClipper`] changes such values, [`OutlierFilter`] drops
//! their rows in training. [`LocalOutlierFactor`] looks at all numbers of a row at once and says how odd it is beside its
//! neighbours.

mod bounds;
mod clipper;
mod factor;
mod filter;

use stagewise_core::registry::Registry;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression};

pub use bounds::{Bounds, OutlierRule, Tails};
pub use clipper::{Clip, FittedOutlierClipper, OutlierAction, OutlierClipper};
pub use factor::{FittedLocalOutlierFactor, LocalFactors, LocalOutlierFactor};
pub use filter::OutlierFilter;

/// Registers the stages about outliers.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .transformer::<OutlierClipper>()
        .transformer::<LocalOutlierFactor>()
        .sampler::<Regression, OutlierFilter>()
        .sampler::<Binary, OutlierFilter>()
        .sampler::<Multiclass, OutlierFilter>()
        .sampler::<Ranking, OutlierFilter>();
}
