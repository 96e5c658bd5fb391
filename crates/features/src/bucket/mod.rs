//! Numbers into bins: ranges whose values a model need not tell apart.
//!
//! Stages differ in where they put the edges; what is done with edges is the same, and is in `binning`.

mod binning;
mod custom;
mod k_bins;
mod k_means;
mod label;
mod mdlp;
mod merge;
mod sorted;
mod supervised;
mod tree;
mod woe;

use stagewise_core::registry::Registry;
use stagewise_core::task::{Binary, Multiclass, Regression};

pub use binning::{BinOutput, Binning, FittedBins, MissingBin};
pub use custom::CustomBins;
pub use k_bins::{BinStrategy, KBins};
pub use merge::Trend;
pub use supervised::{BinSearch, SupervisedBins};
pub use woe::{WoeBins, WoeOutput};

pub(crate) fn register(registry: &mut Registry) {
    registry
        .transformer::<KBins>()
        .transformer::<CustomBins>()
        .transformer_for::<Binary, SupervisedBins>()
        .transformer_for::<Multiclass, SupervisedBins>()
        .transformer_for::<Regression, SupervisedBins>()
        .transformer_for::<Binary, WoeBins>();
}
