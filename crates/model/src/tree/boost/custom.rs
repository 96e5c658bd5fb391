//! Boosting by a loss of the user's own: a learner that is saved with the loss, under the loss's tag.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::matrix::{Accepts, Design};
use stagewise_core::persist::Persist;
use stagewise_core::registry::Registry;
use stagewise_core::stage::Learner;
use stagewise_core::task::{Binary, Regression};

use super::learner::GradientBoosting;
use super::loss::{Goal, Loss};
use crate::link::Link;
use crate::tree::ensemble::TreeEnsemble;

/// [`GradientBoosting`] by a [`Loss`] of your own, for regression and binary tasks.
///
/// Made by [`GradientBoosting::loss`]. Its tag is that of the loss: a registry that is to load pipelines with it is told
/// by `registry.learner::<Regression, CustomBoosting<MyLoss>>()`. The model is a [`TreeEnsemble`] like others and is loaded
/// without the loss.
///
/// # Errors
/// As for [`GradientBoosting`], and [`NumericError::Undefined`](stagewise_core::error::NumericError) with the row, the
/// truth and the score where a gradient or hessian is not finite or a hessian is below 0; a link that the task cannot have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "L: Loss")]
pub struct CustomBoosting<L: Loss> {
    loss: L,
    #[serde(default)]
    boosting: GradientBoosting,
}

impl GradientBoosting {
    /// Makes this loss small instead of one of the built-in objectives. Set everything else before it.
    #[must_use]
    pub fn loss<L: Loss>(self, loss: L) -> CustomBoosting<L> {
        CustomBoosting { loss, boosting: self }
    }
}

impl<L: Loss> CustomBoosting<L> {
    /// The loss, if its link is one of these.
    fn goal(&self, links: &[Link], allowed: &'static str) -> Result<Goal<'_>> {
        let link = self.loss.link();
        ParameterError::check(
            links.contains(&link),
            "loss",
            format!("{:?} with the link {link:?}", self.loss),
            allowed,
        )?;
        Ok(Goal::Given(&self.loss))
    }
}

impl<L: Loss> Persist for CustomBoosting<L> {
    const TAG: &'static str = L::TAG;
}

/// What both tasks have in common.
macro_rules! learner {
    ($task:ty, $links:expr, $allowed:expr) => {
        impl<L: Loss> Learner<$task> for CustomBoosting<L> {
            type Model = TreeEnsemble;

            fn accepts(&self) -> Accepts {
                Learner::<$task>::accepts(&self.boosting)
            }

            fn holds_out(&self) -> Option<f64> {
                Learner::<$task>::holds_out(&self.boosting)
            }

            fn resolve(&mut self, registry: &Registry) -> Result<()> {
                Learner::<$task>::resolve(&mut self.boosting, registry)
            }

            fn fit(&self, train: &Design<$task>, cx: &FitContext) -> Result<TreeEnsemble> {
                self.boosting.given(train, self.goal(&$links, $allowed)?, cx)
            }
        }
    };
}

learner!(Regression, [Link::Identity, Link::Log, Link::Logit], "one with the link Identity, Log or Logit");
learner!(Binary, [Link::Logit], "one with the link Logit, whose answers are probabilities");

#[cfg(test)]
mod tests;
