//! What most scales are learned from: the finite values of a column, in the rows that count.

use stagewise_core::error::Result;
use stagewise_numeric::quantile::{quantiles, weighted_quantiles};
use stagewise_numeric::sum::Moments;

use crate::rewrite::Training;

/// The finite values of a training column in rows that count, with their weights if there are any.
#[derive(Debug, Clone)]
pub(crate) struct Finite {
    pub(crate) values: Vec<f64>,
    pub(crate) weights: Option<Vec<f64>>,
}

impl Finite {
    pub(crate) fn of(training: &Training<'_>) -> Result<Self> {
        let values = training.column.as_numbers()?;
        let Some(weights) = training.weights else {
            return Ok(Self { values: values.iter().copied().filter(|x| x.is_finite()).collect(), weights: None });
        };
        let counts = |&(x, w): &(f64, f64)| x.is_finite() && w > 0.0;
        let pairs = values.iter().copied().zip(weights.iter().copied()).filter(counts);
        let (values, weights) = pairs.unzip();
        Ok(Self { values, weights: Some(weights) })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Keeps the values that `keep` says.
    pub(crate) fn retain(&mut self, keep: impl Fn(f64) -> bool) {
        if let Some(weights) = &mut self.weights {
            let mut kept = self.values.iter().map(|&x| keep(x));
            weights.retain(|_| kept.next().unwrap_or(false));
        }
        self.values.retain(|&x| keep(x));
    }

    /// Least and largest value.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        let ends = |(low, high): (f64, f64), x: &f64| (low.min(*x), high.max(*x));
        let (low, high) = self.values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), ends);
        // Adding zero leaves one zero only.
        (!self.is_empty()).then_some((low + 0.0, high + 0.0))
    }

    /// Quantiles by linear interpolation; weights count rows in units of the smallest.
    pub(crate) fn quantiles(&self, qs: &[f64]) -> Option<Vec<f64>> {
        match &self.weights {
            None => quantiles(&self.values, qs),
            Some(weights) => weighted_quantiles(&self.values, weights, qs),
        }
    }

    /// How many rows there are, counted as [`quantiles`](Self::quantiles) counts them.
    pub(crate) fn rows(&self) -> f64 {
        let Some(weights) = &self.weights else { return self.values.len() as f64 };
        let least = weights.iter().copied().fold(f64::INFINITY, f64::min);
        if weights.is_empty() { 0.0 } else { weights.iter().map(|w| w / least).sum() }
    }
}

/// Mean and population deviation, 1 for values that are constant but for rounding; `None` without a finite value.
///
/// Values that are not finite and rows of weight 0 are left out. The sums are exact.
pub(crate) fn mean_and_scale(values: &[f64], weights: Option<&[f64]>) -> Option<(f64, f64)> {
    let largest = values.iter().map(|x| x.abs()).filter(|x| x.is_finite()).fold(0.0, f64::max);
    // A power of two changes no digit, and keeps the squares of very large and very small values in range.
    let unit = match largest {
        x if x > 1e150 => 2f64.powi(600),
        x if x > 0.0 && x < 1e-150 => 2f64.powi(-600),
        _ => 1.0,
    };
    let mut moments = Moments::new();
    match weights {
        None => values.iter().for_each(|x| moments.add(x / unit)),
        Some(weights) => values.iter().zip(weights).for_each(|(x, &w)| moments.add_weighted(x / unit, w)),
    }
    let (mean, variance) = (moments.mean()?, moments.variance(0.0)?);
    let weight = moments.weight();
    let rounding = weight * mean * f64::EPSILON;
    let constant = variance <= weight * f64::EPSILON * variance + rounding * rounding;
    Some((mean * unit, if constant { 1.0 } else { variance.sqrt() * unit }))
}
