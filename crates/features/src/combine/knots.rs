//! Where the pieces of a spline meet.
//!
//! Splines do not change if the axis is shifted and stretched, so knots are kept in units of the range of the training
//! values: from 0 to 1. Then no power of a distance leaves the range of `f64`.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{At, Crumb, DataError, NumericError, ParameterError, Result};
use stagewise_core::record::Cell;
use stagewise_core::schema::Kind;
use stagewise_numeric::quantile::{quantiles, weighted_quantiles};

use super::block::{finite_values, require_finite};
use crate::columns::wrong_cell;
use crate::rewrite::Training;

/// Where the knots of a spline stand between the smallest and the largest training value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnotSpacing {
    /// At equal distances.
    #[default]
    Uniform,
    /// With an equal share of the rows between them: quantiles by linear interpolation, weights counting rows several times.
    /// Of quantiles that coincide one is kept.
    Quantile,
}

/// Learned knots: `start + range · u` of the `u` in `units`, which ascend from 0 to 1. Without any if the column does not
/// vary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Knots {
    start: f64,
    range: f64,
    pub(super) units: Vec<f64>,
}

impl Knots {
    /// At most `count` knots of a training column.
    pub(super) fn learn(training: &mut Training<'_>, count: usize, spacing: KnotSpacing) -> Result<Self> {
        let rows: Vec<usize> = training.rows().map(|(row, _)| row).collect();
        let values = finite_values(training.column, &rows)?;
        let none = || DataError::TooFewRows { what: "a spline".into(), needed: 1, found: 0 };
        let low = values.iter().copied().min_by(f64::total_cmp).ok_or_else(none)?;
        let high = values.iter().copied().fold(low, f64::max);
        let range = high - low;
        if !range.is_finite() {
            let why = format!("{low:e} and {high:e} are too far apart; scale the column before it");
            return Err(NumericError::Undefined { what: "a spline".into(), why }.into());
        }
        let (start, units) = (low + 0.0, Vec::new());
        if range == 0.0 {
            training.warn("does not vary; it is left as it is");
            return Ok(Self { start, range: 1.0, units });
        }
        let shares: Vec<f64> = (0..count).map(|i| i as f64 / (count - 1) as f64).collect();
        let mut units = match spacing {
            KnotSpacing::Uniform => shares,
            KnotSpacing::Quantile => {
                let places = match training.weights {
                    None => quantiles(&values, &shares),
                    Some(weights) => {
                        let weights: Vec<f64> = rows.iter().map(|&row| weights[row]).collect();
                        weighted_quantiles(&values, &weights, &shares)
                    }
                };
                places.into_iter().flatten().map(|x| (x - start) / range).collect()
            }
        };
        // Rounding must not make two knots of one.
        units.dedup_by(|later, earlier| *later - *earlier <= 1e-12);
        if let Some(last) = units.last_mut() {
            *last = 1.0;
        }
        if units.len() < count {
            let kept = units.len();
            training.warn(format!("has the same value at several quantiles; {kept} of {count} knots are left"));
        }
        Ok(Self { start, range, units })
    }

    /// A value in units of the range.
    pub(super) fn unit(&self, x: f64) -> f64 {
        (x - self.start) / self.range
    }

    /// The knots as values.
    pub(super) fn values(&self) -> Vec<f64> {
        self.units.iter().map(|u| self.start + self.range * u).collect()
    }

    /// Between which two knots `unit` lies: the position of the left one. The last knot counts to the piece before it, and
    /// what is outside to the piece that is nearest.
    pub(super) fn piece(&self, unit: f64) -> usize {
        let last = self.units.len().saturating_sub(2);
        self.units.partition_point(|&u| u <= unit).saturating_sub(1).min(last)
    }

    /// The error of a value outside the knots.
    pub(super) fn outside(&self, x: f64) -> stagewise_core::Error {
        let (low, high) = (self.start, self.start + self.range);
        let why = format!("training values are from {low} to {high}; choose another extrapolation or clip before it");
        NumericError::Undefined { what: format!("the spline at {x}"), why }.into()
    }
}

/// Checks how many knots are asked for.
pub(super) fn check_count(count: usize) -> Result<()> {
    ParameterError::check((2..=1000).contains(&count), "knots", count, "from 2 to 1000")
}

/// Where a line leads that starts at `value`; a level one stays there however far.
pub(super) fn beyond(value: f64, slope: f64, distance: f64) -> f64 {
    if slope == 0.0 { value } else { value + slope * distance }
}

/// The finite number of a cell.
pub(super) fn number(cell: &Cell) -> Result<f64> {
    match cell {
        Cell::Number(x) => require_finite(*x),
        Cell::Missing => require_finite(f64::NAN),
        other => Err(wrong_cell(Kind::Number, other)),
    }
}

/// The batch path of a rule that makes `width` numbers of one.
pub(super) fn spread(
    values: &[f64],
    width: usize,
    make: impl Fn(f64, &mut [f64]) -> Result<()>,
) -> Result<Vec<Vec<f64>>> {
    let mut columns: Vec<Vec<f64>> = (0..width).map(|_| Vec::with_capacity(values.len())).collect();
    let mut made = vec![0.0; width];
    for (row, &x) in values.iter().enumerate() {
        make(x, &mut made).at(|| Crumb::Row(row))?;
        columns.iter_mut().zip(&made).for_each(|(column, &x)| column.push(x));
    }
    Ok(columns)
}
