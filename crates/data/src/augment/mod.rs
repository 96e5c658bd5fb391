//! More training rows than there are: changed copies, mixtures, and rows drawn from a model of the table.
//!
//! | what | how |
//! |---|---|
//! | [`Jitter`] | copies with noise in the numbers; for every task |
//! | [`Mixup`] | rows between any two rows, and their truths with them |
//! | [`GaussianCopula`] | a table drawn from margins and correlations; [`Fidelity`] and [`Privacy`] say how like and how near it is |
//!
//! The first two are [`Sampler`](stagewise_core::stage::Sampler)s: in a pipeline they change training rows only. A copula
//! is fitted on a table and makes tables. For rows of a rare class alone see [`balance`](crate::balance).

mod copula;
mod fidelity;
mod jitter;
mod margin;
mod mixup;
mod privacy;

use stagewise_core::registry::Registry;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression};

pub use self::copula::{FittedGaussianCopula, GaussianCopula};
pub use self::fidelity::{ColumnFidelity, Fidelity};
pub use self::jitter::Jitter;
pub use self::mixup::{Mixable, Mixup};
pub use self::privacy::Privacy;

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
