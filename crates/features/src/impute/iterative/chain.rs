//! The training rows of chained equations, from round to round.

use ndarray::{Array2, ArrayView1};
use stagewise_numeric::sum::dot;

use super::Equation;
use crate::impute::mean::mean_of;
use crate::impute::ridge::{RidgePenalty, slopes};
use crate::impute::rows::Known;

/// The training rows as they are filled.
pub(super) struct Chain<'a> {
    weights: Option<&'a [f64]>,
    pub(super) means: Vec<f64>,
    /// The largest observed value, without its sign.
    pub(super) largest: f64,
    missing: Vec<Vec<usize>>,
    /// Rows by columns.
    pub(super) filled: Array2<f64>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(known: &'a Known) -> Self {
        let width = known.columns.len();
        let rows = known.columns.first().map_or(0, Vec::len);
        let pairs = |slot: usize| known.columns[slot].iter().enumerate().map(|(row, &x)| (x, known.weight(row)));
        let means: Vec<f64> = (0..width).map(|slot| mean_of(pairs(slot)).unwrap_or(0.0)).collect();
        let observed = known.columns.iter().flatten().filter(|x| !x.is_nan());
        let value = |(row, slot): (usize, usize)| {
            let x = known.columns[slot][row];
            if x.is_nan() { means[slot] } else { x }
        };
        Self {
            weights: known.weights.as_deref(),
            largest: observed.fold(0.0, |most: f64, x| most.max(x.abs())),
            missing: known.columns.iter().map(|c| (0..rows).filter(|&row| c[row].is_nan()).collect()).collect(),
            filled: Array2::from_shape_fn((rows, width), value),
            means,
        }
    }

    /// The columns by the weight of their missing values, ties by name.
    pub(super) fn order(&self, known: &Known) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.means.len()).collect();
        let missing: Vec<f64> =
            self.missing.iter().map(|rows| rows.iter().map(|&row| known.weight(row)).sum()).collect();
        order.sort_by(|&a, &b| missing[a].total_cmp(&missing[b]));
        order
    }

    /// The equation of a column by the rows that have it; `None` if it has no finite slopes.
    pub(super) fn equation(&self, slot: usize, penalty: RidgePenalty) -> Option<Equation> {
        let width = self.means.len();
        let mut absent = self.missing[slot].iter().copied().peekable();
        let rows: Vec<usize> = (0..self.filled.nrows()).filter(|row| absent.next_if_eq(row).is_none()).collect();
        let weights: Option<Vec<f64>> = self.weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
        let weight = |at: usize| weights.as_ref().map_or(1.0, |weights| weights[at]);
        let center = |column: usize| {
            let values = rows.iter().enumerate().map(|(at, &row)| (self.filled[[row, column]], weight(at)));
            mean_of(values).unwrap_or(0.0)
        };
        let centers: Vec<f64> = (0..width).map(center).collect();
        let others: Vec<usize> = (0..width).filter(|&column| column != slot).collect();
        let centred = |row: usize, column: usize| self.filled[[row, column]] - centers[column];
        let x = Array2::from_shape_fn((rows.len(), width - 1), |(at, j)| centred(rows[at], others[j]));
        let y: Vec<f64> = rows.iter().map(|&row| centred(row, slot)).collect();
        let found = slopes(x.view(), &y, weights.as_deref(), penalty)?;
        let mut slopes = vec![0.0; width];
        others.iter().zip(&found).for_each(|(&column, slope)| slopes[column] = *slope);
        let intercept = centers[slot] - dot(&slopes, &centers);
        intercept.is_finite().then_some(Equation { slot, intercept, slopes })
    }

    /// Puts what an equation says where its column is missing.
    pub(super) fn apply(&mut self, equation: &Equation) {
        let slot = equation.slot;
        for &row in &self.missing[slot] {
            let values = self.filled.row(row);
            let told = equation.told(values.as_slice().unwrap_or_default(), self.means[slot]);
            self.filled[[row, slot]] = told;
        }
    }

    /// The largest sum of changes in a row.
    pub(super) fn change(&self, before: &Array2<f64>) -> f64 {
        let of = |(a, b): (ArrayView1<'_, f64>, ArrayView1<'_, f64>)| {
            a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>()
        };
        self.filled.rows().into_iter().zip(before.rows()).map(of).fold(0.0, f64::max)
    }
}
