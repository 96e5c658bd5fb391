//! Missing numbers become the mean of the nearest rows that have them.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::neighbours::Holes;

use super::indicator;
use super::mean::mean_of;
use super::rows::{FilledRows, RowFill};
use crate::columns::positions;
use crate::joint::Joint;
use crate::rewrite::plan;

/// Fills missing numbers with the mean of the `k` nearest training rows that have them, the donors.
///
/// ```text
/// d²(a, b) = mean of (a_j − b_j)² over the columns j that both rows have
/// value    = Σ u x / Σ u over the k nearest donors, with u = 1 or u = 1 / d
/// ```
///
/// Distances are of the numbers as they are: scale them before, or the column of the largest numbers decides alone. All
/// donors at the distance of the `k`-th share the places that are left, so the order of rows decides nothing. A row of
/// weight 2 is two donors, one of weight 0 none.
///
/// | what comes | what happens |
/// |---|---|
/// | fewer than `k` donors | all of them |
/// | a row that shares no column with any donor | the column's mean |
/// | donors at distance 0 under [`DonorWeights::Distance`] | they alone count |
/// | a column without any finite value in training | 0, with a warning; not looked at |
/// | `±∞` | not looked at, in training and later; stays what it is |
/// | a square beyond the range of `f64` | farther than all others |
/// | a value first missing after training | filled in; it has no indicator |
///
/// Output: the same columns, which then have no missing values; with [`indicator`](Self::indicator) some more. The target
/// is not touched; a training row is never its own donor, because what it lacks it cannot give. The learned stage holds the
/// training rows. `O(rows · columns)` for each row with a missing value, at serving too: learn from a sample where that is
/// too slow.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::numbers;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::impute::KnnImputer;
///
/// let table = Table::of([
///     ("height", Column::numbers([1.6, 1.7, 1.8, 1.9])),
///     ("weight", Column::numbers([60.0, f64::NAN, 80.0, 100.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = KnnImputer::on(numbers()).neighbours(2).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("weight")?.as_numbers()?[1], 70.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `KNNImputer`, both weights, tolerance 1e-9. Of several donors at the distance of the
/// `k`-th scikit-learn takes whichever its partial sort leaves in front. It computes distances by a difference of dot
/// products, so that equal rows may not have the distance 0 there. It drops a column without any value and refuses `±∞`.
/// Troyanskaya et al. (2001), "Missing value estimation methods for DNA microarrays".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnnImputer {
    on: Selector,
    neighbours: usize,
    donor_weights: DonorWeights,
    indicator: bool,
}

/// How much each donor counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DonorWeights {
    /// All alike.
    #[default]
    Uniform,
    /// By the inverse of the distance.
    Distance,
}

/// A learned [`KnnImputer`].
pub type FittedKnnImputer = Joint<FilledRows<Donors>>;

/// The training rows as donors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Donors {
    points: Holes,
    means: Vec<f64>,
    weights: Option<Vec<f64>>,
    neighbours: f64,
    donor_weights: DonorWeights,
}

/// Donors at one distance.
struct Ring {
    squared: f64,
    weight: f64,
    mean: f64,
}

impl KnnImputer {
    /// Imputes these columns, which must be numbers, by these columns.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, neighbours: 5, donor_weights: DonorWeights::Uniform, indicator: false }
    }

    /// How many donors a value has: at least 1. Default 5. Fewer follow the nearest rows more closely, more are steadier.
    #[must_use]
    pub fn neighbours(mut self, neighbours: usize) -> Self {
        self.neighbours = neighbours;
        self
    }

    /// How much each donor counts. Default [`DonorWeights::Uniform`].
    #[must_use]
    pub fn donor_weights(mut self, donor_weights: DonorWeights) -> Self {
        self.donor_weights = donor_weights;
        self
    }

    indicator::indicator_setter!();

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        ParameterError::check(self.neighbours > 0, "neighbours", self.neighbours, "at least 1")?;
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for KnnImputer {
    const TAG: &'static str = "KnnImputer";
}

impl<T: Task> Transformer<T> for KnnImputer {
    type Fitted = FittedKnnImputer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, !self.indicator, |field| indicator::planned(field, self.indicator)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedKnnImputer> {
        let positions = self.positions(train.features().schema())?;
        FilledRows::learn(train, &positions, self.indicator, cx, |known| {
            let mean = |values: &Vec<f64>| {
                mean_of(values.iter().enumerate().map(|(row, &x)| (x, known.weight(row)))).unwrap_or(0.0)
            };
            Ok(Donors {
                points: points(&known.columns),
                means: known.columns.iter().map(mean).collect(),
                weights: known.weights.clone(),
                neighbours: self.neighbours as f64,
                donor_weights: self.donor_weights,
            })
        })
    }
}

impl RowFill for Donors {
    const TAG: &'static str = "FittedKnnImputer";

    fn fill(&self, rows: &mut [f64], width: usize) {
        let row = |i: usize| &rows[i * width..][..width];
        let told = self.points.each(
            rows.len().checked_div(width).unwrap_or(0),
            |i, point| point.extend_from_slice(row(i)),
            |i, squared| {
                let missing = row(i).iter().enumerate().filter(|(_, x)| x.is_nan());
                missing.map(|(axis, _)| self.value(axis, squared)).collect::<Vec<f64>>()
            },
        );
        for (row, told) in rows.chunks_exact_mut(width.max(1)).zip(told) {
            row.iter_mut().filter(|x| x.is_nan()).zip(told).for_each(|(x, value)| *x = value);
        }
    }
}

impl Donors {
    /// The value on an axis of a row that lies so far from each donor.
    fn value(&self, axis: usize, squared: &[f64]) -> f64 {
        let rings = self.nearest(axis, squared);
        let Some(first) = rings.first() else { return self.means[axis] };
        let by_distance = self.donor_weights == DonorWeights::Distance && first.squared.is_finite();
        if by_distance && first.squared == 0.0 {
            return first.mean;
        }
        let (mut left, mut mass, mut value) = (self.neighbours, 0.0, 0.0);
        for ring in &rings {
            let share = ring.weight.min(left);
            left -= share;
            let pull = if by_distance { share / ring.squared.sqrt() } else { share };
            if pull > 0.0 {
                mass += pull;
                value += (ring.mean - value) * (pull / mass);
            }
        }
        // Differences of the largest numbers are beyond the range.
        if value.is_finite() { value } else { self.means[axis] }
    }

    /// The nearest donors of an axis, by distance: as few rings as hold the donors asked for, or all.
    fn nearest(&self, axis: usize, squared: &[f64]) -> Vec<Ring> {
        let mut rings: Vec<Ring> = Vec::new();
        let (mut total, mut bound) = (0.0, f64::INFINITY);
        for (row, &squared) in squared.iter().enumerate() {
            // A distance that is NaN is none.
            if squared.is_nan() || squared > bound {
                continue;
            }
            let value = self.points.at(row, axis);
            if value.is_nan() {
                continue;
            }
            let weight = self.weights.as_ref().map_or(1.0, |weights| weights[row]);
            let at = rings.iter().rposition(|ring| ring.squared <= squared);
            match at {
                Some(at) if rings[at].squared == squared => {
                    let ring = &mut rings[at];
                    ring.weight += weight;
                    ring.mean += (value - ring.mean) * (weight / ring.weight);
                }
                _ => rings.insert(at.map_or(0, |at| at + 1), Ring { squared, weight, mean: value }),
            }
            total += weight;
            while let Some(last) = rings.last()
                && total - last.weight >= self.neighbours
            {
                total -= last.weight;
                rings.pop();
            }
            if let Some(last) = rings.last()
                && total >= self.neighbours
            {
                bound = last.squared;
            }
        }
        rings
    }
}

fn points(columns: &[Vec<f64>]) -> Holes {
    Holes::new(&columns.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// The saved form: columns as they were learned from.
#[derive(Serialize, Deserialize)]
struct Stored {
    columns: Vec<Vec<f64>>,
    means: Vec<f64>,
    weights: Option<Vec<f64>>,
    neighbours: f64,
    donor_weights: DonorWeights,
}

impl From<Donors> for Stored {
    fn from(donors: Donors) -> Self {
        let Donors { points, means, weights, neighbours, donor_weights } = donors;
        let column = |axis: usize| (0..points.len()).map(|row| points.at(row, axis)).collect();
        Self { columns: (0..means.len()).map(column).collect(), means, weights, neighbours, donor_weights }
    }
}

impl From<Stored> for Donors {
    fn from(stored: Stored) -> Self {
        let Stored { columns, means, weights, neighbours, donor_weights } = stored;
        Self { points: points(&columns), means, weights, neighbours, donor_weights }
    }
}

#[cfg(test)]
mod tests;
