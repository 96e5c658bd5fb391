//! Numbers far from the rest of their column, by bounds that the outliers themselves hardly move.
//!
//! One column at a time, so a row that is odd only as a combination is not seen here: an isolation forest sees it.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};
use stagewise_numeric::quantile::{median, quantiles};

/// When a number is an outlier.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outlier {
    /// `|x − median| > z · 1.4826 · MAD` (Iglewicz and Hoaglin 1993, with `z = 3.5`).
    RobustZ(f64),
    /// Outside `[Q1 − k (Q3 − Q1), Q3 + k (Q3 − Q1)]` (Tukey 1977, with `k` 1.5, or 3 for far out).
    Iqr(f64),
}

impl Outlier {
    pub(super) fn validate(self) -> Result<()> {
        let (Self::RobustZ(width) | Self::Iqr(width)) = self;
        ParameterError::check(width > 0.0 && width.is_finite(), "outlier", width, "above 0 and finite")
    }

    /// The bounds of a column, from its finite values; `None` if it has none, or half of them are equal so that there is no
    /// spread to measure by.
    pub(super) fn bounds(self, values: &[f64]) -> Option<(f64, f64)> {
        let finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
        let (low, high) = match self {
            Self::RobustZ(z) => {
                let middle = median(&finite)?;
                let spread = median(&finite.iter().map(|x| (x - middle).abs()).collect::<Vec<_>>())?;
                (spread > 0.0).then_some((middle - z * 1.4826 * spread, middle + z * 1.4826 * spread))?
            }
            Self::Iqr(k) => {
                let [first, third] = quantiles(&finite, &[0.25, 0.75])?[..] else { return None };
                let spread = third - first;
                (spread > 0.0).then_some((first - k * spread, third + k * spread))?
            }
        };
        (low.is_finite() && high.is_finite()).then_some((low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_definitions() {
        // Median 5, deviations 4 3 2 1 0 1 2 3 95: MAD 2. Quartiles 3 and 7.
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 100.0, f64::NAN, f64::INFINITY];
        assert_eq!(Outlier::RobustZ(3.5).bounds(&values), Some((5.0 - 3.5 * 1.4826 * 2.0, 5.0 + 3.5 * 1.4826 * 2.0)));
        assert_eq!(Outlier::Iqr(1.5).bounds(&values), Some((-3.0, 13.0)));
        for none in [&[][..], &[f64::NAN], &[3.0, 3.0, 3.0, 9.0], &[-1.7e308, 1.7e308, 0.0, -1.7e308, 1.7e308]] {
            assert_eq!(Outlier::RobustZ(3.5).bounds(none), None, "{none:?}");
        }
    }
}
