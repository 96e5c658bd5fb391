//! How sure a number is: intervals for any metric ([`bootstrap`]) and for a share ([`wilson`]).

mod bootstrap;
pub(crate) mod distribution;
mod wilson;

use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::exhibit::number;

pub use bootstrap::{Bootstrap, bootstrap};
pub(crate) use wilson::share_interval as wilson_share;
pub use wilson::wilson;

/// An estimate and the interval around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate itself.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How often such an interval holds the true value: 0.95 is 19 of 20 times.
    pub level: f64,
    /// How it was computed.
    pub method: IntervalMethod,
    /// Of a bootstrap: how many resamples were drawn.
    pub resamples: usize,
    /// Of a bootstrap: in how many resamples the metric had no value. They are left out of the ends.
    pub undefined: usize,
}

/// How an interval was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IntervalMethod {
    /// Quantiles of the resampled values.
    #[default]
    Percentile,
    /// Quantiles of the resampled values, moved by what bias and skewness ask for.
    BiasCorrected,
    /// The score interval of a share.
    Wilson,
    /// Student's t over folds, the variance corrected for shared training rows.
    CorrectedT,
}

impl Interval {
    /// Whether `value` lies within, the ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (low, high) = (number(self.low), number(self.high));
        write!(f, "{} ({low} to {high}, {} %)", number(self.estimate), number(self.level * 100.0))
    }
}

pub(crate) fn check_level(level: f64) -> Result<()> {
    ParameterError::check(level > 0.0 && level < 1.0, "level", level, "more than 0 and less than 1")
}
