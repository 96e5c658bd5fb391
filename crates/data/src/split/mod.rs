//! Ways to keep rows apart: a holdout for the one final look, folds for everything before it.
//!
//! | splitter | gives | strata |
//! |---|---|---|
//! | [`StratifiedHoldout`] | rows to learn from, and a holdout | target |
//! | [`RandomHoldout`] | the same | none |
//! | [`StratifiedKFold`] | `k` folds | target |
//! | [`KFold`] | `k` folds | none |
//! | [`GroupHoldout`] | rows to learn from, and a holdout | none; groups stay whole |
//! | [`GroupKFold`] | `k` folds | none; groups stay whole |
//!
//! The first four do not know groups: data with a group column is refused, not torn. On data with a time column all warn.

mod group;
mod holdout;
mod kfold;

use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{PipelineError, Result};
use stagewise_core::schema::Role;
use stagewise_core::task::Task;

pub use self::group::{GroupHoldout, GroupKFold};
pub use self::holdout::{RandomHoldout, StratifiedHoldout};
pub use self::kfold::{KFold, StratifiedKFold};

/// Refuses groups, and warns where rows have an order in time that `stage` does not keep.
fn heed_roles<T: Task>(stage: &str, data: &Dataset<T>, cx: &FitContext) -> Result<()> {
    if let Some(field) = data.aside().schema().fields().iter().find(|field| field.role == Role::Group) {
        let remedy =
            format!("rows of one `{}` would stand on both sides; use `GroupHoldout` or `GroupKFold`", field.name);
        return Err(PipelineError::Ignored { stage: stage.into(), what: "groups", remedy }.into());
    }
    warn_of_times(stage, data, cx);
    Ok(())
}

fn warn_of_times<T: Task>(stage: &str, data: &Dataset<T>, cx: &FitContext) {
    for field in data.aside().schema().fields().iter().filter(|field| field.role == Role::Time) {
        cx.warn(format!(
            "{stage} does not keep the order of `{}`: rows learn from later ones, so scores may be too good",
            field.name
        ));
    }
}

/// How many rows each stratum has.
fn sizes(strata: &[u32]) -> Vec<usize> {
    let mut sizes = vec![0; strata.iter().max().map_or(0, |&s| s as usize + 1)];
    strata.iter().for_each(|&s| sizes[s as usize] += 1);
    sizes
}
