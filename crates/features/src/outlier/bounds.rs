//! How far from the others a value of one column may lie.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};
use stagewise_numeric::quantile::{quantiles, weighted_quantiles};

use crate::rewrite::Training;
use crate::scale::finite::mean_and_scale;

/// `1 / Φ⁻¹(3/4)`: the median distance from the median of a normal law, times this, is its standard deviation.
const NORMAL_MAD: f64 = 1.482_602_218_505_602;

/// Which values lie too far out, as learned from the finite values of the training rows.
///
/// | rule | bounds | usual |
/// |---|---|---|
/// | [`Iqr`](Self::Iqr) | `Q1 − k (Q3 − Q1)` and `Q3 + k (Q3 − Q1)` | 1.5 (Tukey 1977) |
/// | [`ZScore`](Self::ZScore) | mean `± k` standard deviations, `Σ w (x − mean)² / Σ w` their square | 3 |
/// | [`Mad`](Self::Mad) | median `± k · 1.4826 · median |x − median|` | 3.5 (Iglewicz & Hoaglin 1993) |
/// | [`Quantiles`](Self::Quantiles) | the quantiles `low` and `high` | 0.05 and 0.95 |
///
/// A few far values widen the bounds of [`ZScore`](Self::ZScore) until they hide behind them; quartiles and medians do not
/// move until a quarter, or half, of the rows do. [`Quantiles`](Self::Quantiles) finds outliers in every column. Quantiles
/// are interpolated, and weights repeat rows: see [`weighted_quantiles`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutlierRule {
    /// So many times the distance of the quartiles outside of them: above 0.
    Iqr(f64),
    /// So many standard deviations from the mean: above 0.
    ZScore(f64),
    /// So many scaled median deviations from the median: above 0.
    Mad(f64),
    /// Outside these quantiles, `0 ≤ low < high ≤ 1`.
    Quantiles {
        /// The lower one.
        low: f64,
        /// The upper one.
        high: f64,
    },
}

impl Default for OutlierRule {
    fn default() -> Self {
        Self::Iqr(1.5)
    }
}

/// On which side values may be too far out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tails {
    /// On both.
    #[default]
    Both,
    /// Below the others only.
    Low,
    /// Above the others only.
    High,
}

/// The values that do not lie too far out: from `low` to `high`, both included; no bound on a side that is not looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    low: Option<f64>,
    high: Option<f64>,
}

impl Bounds {
    /// The smallest value that is not too small.
    pub fn low(self) -> Option<f64> {
        self.low
    }

    /// The largest value that is not too large.
    pub fn high(self) -> Option<f64> {
        self.high
    }

    /// Whether a value lies too far out. A missing value does not.
    #[inline]
    pub fn exclude(self, x: f64) -> bool {
        self.low.is_some_and(|low| x < low) || self.high.is_some_and(|high| x > high)
    }

    /// The nearest value that does not lie too far out.
    #[inline]
    pub(super) fn nearest(self, x: f64) -> f64 {
        match (self.low, self.high) {
            (Some(low), _) if x < low => low,
            (_, Some(high)) if x > high => high,
            _ => x,
        }
    }
}

impl OutlierRule {
    /// Checks the factor or the quantiles.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::Iqr(k) | Self::ZScore(k) | Self::Mad(k) => {
                ParameterError::check(k > 0.0 && k.is_finite(), "rule", k, "a finite factor above 0")
            }
            Self::Quantiles { low, high } => {
                let valid = 0.0 <= low && low < high && high <= 1.0;
                ParameterError::check(valid, "rule", format!("{low} to {high}"), "quantiles 0 ≤ low < high ≤ 1")
            }
        }
    }

    /// The bounds of a training column. Without a spread there are none, with a warning.
    pub(super) fn bounds(self, training: &mut Training<'_>, tails: Tails) -> Result<Bounds> {
        let values = training.column.as_numbers()?;
        let finite = training.rows().filter(|(row, _)| values[*row].is_finite());
        let (known, weights): (Vec<f64>, Vec<f64>) = finite.map(|(row, weight)| (values[row], weight)).unzip();
        let weights = training.weights.map(|_| weights.as_slice());
        let found = match self {
            Self::ZScore(k) => mean_and_scale(values, training.weights)
                .filter(|_| known.iter().any(|x| *x != known[0]))
                .map(|(mean, deviation)| (mean - k * deviation, mean + k * deviation)),
            Self::Iqr(k) => of(&known, weights, &[0.25, 0.75]).map(|q| {
                let spread = q[1] - q[0];
                if spread > 0.0 { (q[0] - k * spread, q[1] + k * spread) } else { (q[0], q[1]) }
            }),
            Self::Mad(k) => of(&known, weights, &[0.5]).and_then(|median| {
                let away: Vec<f64> = known.iter().map(|x| (x - median[0]).abs()).collect();
                let spread = NORMAL_MAD * of(&away, weights, &[0.5])?[0];
                Some((median[0] - k * spread, median[0] + k * spread))
            }),
            Self::Quantiles { low, high } => of(&known, weights, &[low, high]).map(|q| (q[0], q[1])),
        };
        // Bounds that meet would leave one value of the column.
        let Some((low, high)) = found.filter(|(low, high)| low < high) else {
            training.warn("has no spread to tell outliers by; it is left as it is");
            return Ok(Bounds::default());
        };
        Ok(Bounds {
            low: (tails != Tails::High && low.is_finite()).then_some(low),
            high: (tails != Tails::Low && high.is_finite()).then_some(high),
        })
    }
}

fn of(values: &[f64], weights: Option<&[f64]>, qs: &[f64]) -> Option<Vec<f64>> {
    match weights {
        None => quantiles(values, qs),
        Some(weights) => weighted_quantiles(values, weights, qs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::column::Column;
    use stagewise_core::schema::{Field, Kind};

    const RULES: [OutlierRule; 4] = [
        OutlierRule::Iqr(1.5),
        OutlierRule::ZScore(3.0),
        OutlierRule::Mad(3.5),
        OutlierRule::Quantiles { low: 0.1, high: 0.9 },
    ];

    fn bounds(rule: OutlierRule, values: &[f64], weights: Option<&[f64]>) -> (Option<f64>, Option<f64>) {
        let (field, column) = (Field::new("x", Kind::Number), Column::numbers(values));
        let mut training = Training::new(&field, &column, weights);
        let found = rule.bounds(&mut training, Tails::Both).unwrap();
        (found.low(), found.high())
    }

    #[test]
    fn bounds_follow_their_formulas() {
        let values = [1.0, 2.0, 3.0, 4.0, f64::NAN, 100.0, f64::INFINITY];
        assert_eq!(bounds(OutlierRule::Iqr(1.5), &values, None), (Some(-1.0), Some(7.0)));
        let mad = 3.5 * NORMAL_MAD;
        assert_eq!(bounds(OutlierRule::Mad(3.5), &values, None), (Some(3.0 - mad), Some(3.0 + mad)));
        let quantiles = OutlierRule::Quantiles { low: 0.0, high: 0.75 };
        assert_eq!(bounds(quantiles, &values, None), (Some(1.0), Some(4.0)));
        assert_eq!(bounds(OutlierRule::ZScore(2.0), &[1.0, 1.0, 3.0, 3.0], None), (Some(0.0), Some(4.0)));
    }

    #[test]
    fn a_column_without_spread_has_no_bounds() {
        let (field, column) = (Field::new("x", Kind::Number), Column::numbers([5.0, 5.0, 5.0, 5.0, 9.0]));
        for (rule, none) in RULES.into_iter().zip([true, false, true, false]) {
            let mut training = Training::new(&field, &column, None);
            let found = rule.bounds(&mut training, Tails::Both).unwrap();
            assert_eq!(found == Bounds::default(), none, "{rule:?} {found:?}");
        }
        for rule in RULES {
            for values in [&[][..], &[f64::NAN, f64::INFINITY], &[3.5, 3.5], &[7.0]] {
                assert_eq!(bounds(rule, values, None), (None, None), "{rule:?} {values:?}");
            }
            // Bounds beyond the range are none.
            let (low, high) = bounds(rule, &[f64::MIN, f64::MAX, f64::MIN, f64::MAX], None);
            assert!(low.is_none_or(f64::is_finite) && high.is_none_or(f64::is_finite));
        }
    }

    #[test]
    fn one_tail_has_one_bound() {
        let (field, column) = (Field::new("x", Kind::Number), Column::numbers([1.0, 2.0, 3.0, 4.0]));
        let of = |tails| OutlierRule::default().bounds(&mut Training::new(&field, &column, None), tails).unwrap();
        assert!(of(Tails::Low).high().is_none() && of(Tails::Low).low().is_some());
        assert!(of(Tails::High).low().is_none() && of(Tails::High).high().is_some());
        assert!(of(Tails::High).exclude(99.0) && !of(Tails::Low).exclude(99.0) && !of(Tails::Both).exclude(f64::NAN));
    }

    proptest! {
        #[test]
        fn whole_weights_are_repeated_rows(rows in prop::collection::vec((-50i32..50, 0usize..4), 1..30)) {
            // A row of weight 1 says that weights count rows.
            let rows: Vec<(i32, usize)> = rows.into_iter().chain([(3, 1)]).collect();
            let values: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
            let weights: Vec<f64> = rows.iter().map(|r| r.1 as f64).collect();
            let repeated: Vec<f64> = rows.iter().flat_map(|r| vec![f64::from(r.0); r.1]).collect();
            for rule in RULES {
                let (a, b) = (bounds(rule, &values, Some(&weights)), bounds(rule, &repeated, None));
                for (a, b) in [(a.0, b.0), (a.1, b.1)] {
                    prop_assert_eq!(a.is_some(), b.is_some());
                    prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-9, "{:?} {:?} {:?}", rule, a, b);
                }
            }
        }

        #[test]
        fn bounds_move_with_the_values(
            values in prop::collection::vec(-1e3f64..1e3, 4..40), shift in -100.0f64..100.0, scale in 0.1f64..10.0,
        ) {
            let moved: Vec<f64> = values.iter().map(|x| scale * x + shift).collect();
            for rule in RULES {
                let (a, b) = (bounds(rule, &values, None), bounds(rule, &moved, None));
                for (a, b) in [(a.0, b.0), (a.1, b.1)] {
                    let (Some(a), Some(b)) = (a, b) else { continue };
                    prop_assert!((scale * a + shift - b).abs() < 1e-7, "{:?} {} {}", rule, scale * a + shift, b);
                }
            }
        }
    }
}
