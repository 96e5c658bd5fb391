//! Bias in data: how a label differs between groups of people, and stages that make it differ less.
//!
//! | what | stage | when it works |
//! |---|---|---|
//! | weigh rows until label and group are independent | [`Reweighing`] | in training; the protected column may be aside |
//! | give a column the same distribution in each group | [`DisparateImpactRemover`] | in training and later |
//! | take what follows from the protected columns out of others | [`CorrelationRemover`] | in training and later |
//! | drop the protected columns and what stands for them | [`Suppression`] | in training and later |
//!
//! A column with the role protected never reaches a step, and a row to predict need not hold it. What must know the group of
//! a row when it is predicted can only work if the group comes with the row: so the last three take the protected column as
//! a feature, and drop it themselves, so that the model never sees it. Leave it a feature then, and have a copy of it under
//! another name with the role protected if fairness is to be measured too. None of them makes a decision fair by itself:
//! measure before and after, by [`BiasReport`].

mod association;
pub mod correlation_remover;
pub mod disparate_impact_remover;
mod groups;
mod protected;
pub mod report;
pub mod reweighing;
pub mod suppression;

#[cfg(test)]
mod golden_tests;

use stagewise_core::registry::Registry;
use stagewise_core::task::{Binary, Multiclass};

pub use correlation_remover::{CorrelationRemover, Decorrelation, FittedCorrelationRemover};
pub use disparate_impact_remover::{DisparateImpactRemover, FittedDisparateImpactRemover, Repair};
pub use protected::UnknownGroup;
pub use report::{BiasReport, GroupRates};
pub use reweighing::Reweighing;
pub use suppression::{FittedSuppression, Suppressed, Suppression};

/// Registers the stages of this folder.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .transformer::<CorrelationRemover>()
        .transformer::<DisparateImpactRemover>()
        .transformer::<Suppression>()
        .sampler::<Binary, Reweighing>()
        .sampler::<Multiclass, Reweighing>();
}
