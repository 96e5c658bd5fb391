//! What a bag learns from: some of the rows, and the rows of a pair in its cells.

use stagewise_core::context::FitContext;

use super::pairs::Coarse;
use super::work::Settings;
use crate::tree::bins::Codes;
use crate::tree::boost::objective::Truth;

/// The rows of a bag, with the truth.
pub(super) struct Bag {
    /// Ascending.
    pub(super) rows: Vec<usize>,
    /// Where its random streams come from.
    pub(super) cx: FitContext,
    values: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl Bag {
    /// Draws the rows of a bag without replacement; a bag alone has all rows.
    pub(super) fn draw(number: usize, settings: Settings, truth: &Truth<'_>, cx: &FitContext) -> Self {
        let cx = cx.step(&format!("bag {number}"));
        let all = truth.values.len();
        let rows = match settings.bags {
            1 => (0..all).collect(),
            _ => {
                let some = ((settings.bag_share * all as f64).round() as usize).clamp(1, all);
                let mut rows = cx.stream("rows").choose(all, some);
                rows.sort_unstable();
                rows
            }
        };
        let values = rows.iter().map(|&row| truth.values[row]).collect();
        let weights = truth.weights.map(|weights| rows.iter().map(|&row| weights[row]).collect());
        Self { rows, cx, values, weights }
    }

    pub(super) fn truth(&self) -> Truth<'_> {
        Truth { values: &self.values, weights: self.weights() }
    }

    pub(super) fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// The cells of its rows.
    pub(super) fn take<C: Copy>(&self, codes: &[C]) -> Vec<C> {
        self.rows.iter().map(|&row| codes[row]).collect()
    }
}

/// The weight of rows in each cell.
pub(super) fn weights_by<C: Copy + Into<usize>>(codes: &[C], weights: Option<&[f64]>, cells: usize) -> Vec<f64> {
    let mut sums = vec![0.0; cells];
    match weights {
        None => codes.iter().for_each(|&code| sums[code.into()] += 1.0),
        Some(weights) => codes.iter().zip(weights).for_each(|(&code, weight)| sums[code.into()] += weight),
    }
    sums
}

/// A pair of columns: the cell of each row, the second column moving fastest.
pub(super) struct Pair {
    pub(super) sides: [usize; 2],
    /// How many cells the second column has.
    pub(super) columns: usize,
    pub(super) codes: Vec<u16>,
    /// Of the held-out rows.
    pub(super) held: Vec<u16>,
    /// The weight of the training rows in each cell.
    pub(super) weights: Vec<f64>,
}

impl Pair {
    pub(super) fn of(
        sides: [usize; 2],
        coarse: &[Coarse],
        train: &Codes,
        held: Option<&Codes>,
        weights: Option<&[f64]>,
    ) -> Self {
        let [a, b] = sides.map(|side| &coarse[side]);
        let columns = b.axis.cells();
        let cells = |codes: &Codes| -> Vec<u16> {
            let both = codes.column(sides[0]).iter().zip(codes.column(sides[1]));
            both.map(|(&i, &j)| (a.to[usize::from(i)] * columns + b.to[usize::from(j)]) as u16).collect()
        };
        let codes = cells(train);
        let weights = weights_by(&codes, weights, a.axis.cells() * columns);
        Self { sides, columns, codes, held: held.map_or_else(Vec::new, cells), weights }
    }
}
