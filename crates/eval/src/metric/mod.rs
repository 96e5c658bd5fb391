//! Metrics: a number with a direction and a range.
//!
//! | metric | name | tasks | better |
//! |---|---|---|---|
//! | [`Accuracy`] | `accuracy` | binary, multiclass | higher |
//! | [`Precision`], [`Recall`], [`F1`] | `precision`, `recall`, `f1` | binary, multiclass | higher |
//! | [`RocAuc`] | `roc_auc` | binary | higher |
//! | [`LogLoss`] | `log_loss` | binary, multiclass | lower |
//! | [`Brier`] | `brier` | binary | lower |
//! | [`ExpectedCost`] | `expected_cost` | binary | lower |
//! | [`Mae`], [`Mse`], [`Rmse`] | `mae`, `mse`, `rmse` | regression | lower |
//! | [`R2`] | `r2` | regression | higher |
//! | [`Ndcg`] | `ndcg` | ranking | higher |
//! | [`MeanAveragePrecision`], [`MeanReciprocalRank`] | `mean_average_precision`, `mean_reciprocal_rank` | ranking | higher |
//!
//! Common to all: truth, answers and weights of different length are `DataError::Length`, an answer that is NaN or
//! infinite is `DataError::NotFinite`, a weight that is negative or not finite is `DataError::BadWeight`, and rows
//! without any weight are `NumericError::Undefined`. A row of weight 0 counts as not there; in a ranking weights are of
//! groups.
//!
//! A metric of two tasks needs to be told which one where it is called by hand: `Metric::<Binary>::score(&metric, …)`,
//! or `AnyMetric::<Binary>::new(metric)`.

mod accuracy;
mod brier;
mod by_class;
mod confusion;
mod expected_cost;
mod f1;
mod lists;
mod log_loss;
mod mae;
mod mean_average_precision;
mod mean_reciprocal_rank;
mod ndcg;
mod paired;
mod precision;
mod r2;
pub(crate) mod ranked;
mod recall;
mod rmse;
mod roc_auc;
pub(crate) mod rows;

pub use accuracy::Accuracy;
pub use brier::Brier;
pub use confusion::{Average, ClassConfusion, Confusion};
pub use expected_cost::ExpectedCost;
pub use f1::F1;
pub use log_loss::LogLoss;
pub use mae::Mae;
pub use mean_average_precision::MeanAveragePrecision;
pub use mean_reciprocal_rank::MeanReciprocalRank;
pub use ndcg::{Gain, Ndcg};
pub use precision::Precision;
pub use r2::R2;
pub use recall::Recall;
pub use rmse::{Mse, Rmse};
pub use roc_auc::RocAuc;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_ranking;
