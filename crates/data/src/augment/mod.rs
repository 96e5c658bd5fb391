//! More training rows than there are: changed copies and mixtures.
//!
//! | what | how |
//! |---|---|
//! | [`Jitter`] | copies with noise in the numbers; for every task |
//! | [`Mixup`] | rows between any two rows, and their truths with them |
//!
//! Both are [`Sampler`](stagewise_core::stage::Sampler)s: in a pipeline they change training rows only. For rows
//! of a rare class alone see [`balance`](crate::balance).

mod jitter;
mod mixup;

use stagewise_core::registry::Registry;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression};

pub use self::jitter::Jitter;
pub use self::mixup::{Mixable, Mixup};

/// Registers the samplers.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .sampler::<Regression, Jitter>()
        .sampler::<Binary, Jitter>()
        .sampler::<Multiclass, Jitter>()
        .sampler::<Ranking, Jitter>()
        .sampler::<Regression, Mixup>()
        .sampler::<Binary, Mixup>()
        .sampler::<Multiclass, Mixup>();
}
