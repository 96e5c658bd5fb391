//! Levels to numbers.
//!
//! | stage | what stands for a level | looks at the target |
//! |---|---|---|
//! | [`OneHotEncoder`] | a column of its own | no |
//! | [`OrdinalEncoder`] | its place in an order | no |
//! | [`CountEncoder`] | how often it occurs | no |
//! | [`BinaryEncoder`] | the digits of its number | no |
//! | [`HashingEncoder`] | a column that a hash chooses, for several categories at once | no |
//! | [`ContrastEncoder`] | a row of a contrast matrix | no |
//! | [`TargetEncoder`] | the mean of its target, drawn towards the mean of all | yes |
//! | [`JamesSteinEncoder`] | the same, as far as levels differ by more than chance | yes |
//! | [`OrderedTargetEncoder`] | the mean of its target so far, in a random order | yes |
//! | [`LeaveOneOutEncoder`] | the mean of its target without the row itself | yes |
//! | [`WeightOfEvidenceEncoder`] | how much it speaks for the event | yes |
//!
//! Those that look at the target never change a training row with its own (`supervised`). All but the one-hot and the hashing
//! encoder learn so many numbers a level, and share what they learn ([`LevelNumbers`]).

mod binary;
mod by_level;
mod contrast;
mod count;
mod hashing;
mod levels;
mod one_hot;
mod ordinal;
mod supervised;
mod unseen;

#[cfg(test)]
mod golden_tests;

use stagewise_core::registry::Registry;
use stagewise_core::task::Binary;

pub use binary::BinaryEncoder;
pub use by_level::{FittedLevelEncoder, LevelNumbers};
pub use contrast::{Contrast, ContrastEncoder};
pub use count::CountEncoder;
pub use hashing::{FittedHashingEncoder, HashBuckets, HashingEncoder};
pub use levels::LevelOrder;
pub use one_hot::{DropLevel, FittedOneHotEncoder, OneHotEncoder};
pub use ordinal::OrdinalEncoder;
pub use supervised::{
    JamesSteinEncoder, LeaveOneOutEncoder, OrderedTargetEncoder, Outcome, Outcomes, Smooth, TargetEncoder,
    WeightOfEvidenceEncoder,
};
pub use unseen::{Fallback, MissingAs, MissingLevel, Unseen};

/// Registers the encoders of this folder but the one-hot encoder.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .transformer::<OneHotEncoder>()
        .transformer::<OrdinalEncoder>()
        .transformer::<CountEncoder>()
        .transformer::<BinaryEncoder>()
        .transformer::<HashingEncoder>()
        .transformer::<ContrastEncoder>()
        .transformer::<TargetEncoder>()
        .transformer::<JamesSteinEncoder>()
        .transformer::<OrderedTargetEncoder>()
        .transformer::<LeaveOneOutEncoder>()
        .transformer_for::<Binary, WeightOfEvidenceEncoder>();
}
