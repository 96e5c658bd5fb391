//! Ways to keep rows apart: a holdout for the one final look, folds for everything before it.
//!
//! | splitter | gives | kept |
//! |---|---|---|
//! | [`StratifiedHoldout`] | rows to learn from, and a holdout | shares of the target |
//! | [`RandomHoldout`] | the same | nothing |
//! | [`GroupHoldout`] | the same | groups whole |
//! | [`TimeHoldout`] | the same | order in time |
//! | [`ThreeWaySplit`] | rows to learn from, rows to choose by, and a holdout | any of these |
//! | [`KFold`], [`RepeatedKFold`] | `k` folds, once or several times | nothing, or shares of the target |
//! | [`StratifiedKFold`] | `k` folds | shares of the target |
//! | [`GroupKFold`], [`LeaveOneGroupOut`] | `k` folds, or one for each group | groups whole |
//! | [`StratifiedGroupKFold`] | `k` folds | groups whole, then shares of the target |
//! | [`MonteCarlo`] | as many random splits as asked for | nothing, shares of the target, or groups whole |
//! | [`BootstrapSplit`] | draws with replacement, judged by rows not drawn | the same |
//! | [`PredefinedSplit`] | what a column says | what the column keeps |
//! | [`TimeSeriesSplit`], [`GroupTimeSeriesSplit`], [`PurgedKFold`] | folds in time | order in time; groups whole |
//! | [`NestedSplit`] | folds, and folds of their training rows | what its two splitters keep |
//!
//! Those that do not know groups refuse data with a group column, and those that do not know time warn of a time column.
//! Shares of a target of numbers are those of the tenths of its distribution.

mod bootstrap;
mod group;
mod holdout;
mod kfold;
mod leave_group;
mod monte_carlo;
mod nested;
mod predefined;
mod repeated;
mod stratified_group;
mod three_way;
pub mod time;

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{PipelineError, Result};
use stagewise_core::schema::Role;
use stagewise_core::task::Task;

pub use self::bootstrap::BootstrapSplit;
pub use self::group::{GroupHoldout, GroupKFold};
pub use self::holdout::{RandomHoldout, StratifiedHoldout};
pub use self::kfold::{KFold, StratifiedKFold};
pub use self::leave_group::LeaveOneGroupOut;
pub use self::monte_carlo::MonteCarlo;
pub use self::nested::{Nested, NestedSplit};
pub use self::predefined::PredefinedSplit;
pub use self::repeated::RepeatedKFold;
pub use self::stratified_group::StratifiedGroupKFold;
pub use self::three_way::{ThreeWay, ThreeWaySplit};
pub use self::time::{GroupTimeSeriesSplit, Period, PurgedKFold, Span, TimeHoldout, TimeSeriesSplit, Torn};

/// What a split keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SplitBy {
    /// Nothing: rows are drawn at random.
    #[default]
    Random,
    /// The share of each class, or for numbers of each tenth of the distribution.
    Strata,
    /// Groups are whole.
    Group,
    /// What judges is later than what learns.
    Time,
    /// Groups are whole, and what judges is later than what learns. For three parts; folds are those of
    /// [`GroupTimeSeriesSplit`].
    GroupTime,
}

/// Refuses groups, and warns where rows have an order in time that `stage` does not keep.
fn heed_roles<T: Task>(stage: &str, data: &Dataset<T>, cx: &FitContext) -> Result<()> {
    refuse_groups(stage, data, "`GroupHoldout` or `GroupKFold`")?;
    warn_of_times(stage, data, cx);
    Ok(())
}

fn refuse_groups<T: Task>(stage: &str, data: &Dataset<T>, instead: &str) -> Result<()> {
    match data.aside().schema().fields().iter().find(|field| field.role == Role::Group) {
        None => Ok(()),
        Some(field) => {
            let remedy = format!("rows of one `{}` would stand on both sides; use {instead}", field.name);
            Err(PipelineError::Ignored { stage: stage.into(), what: "groups", remedy }.into())
        }
    }
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
