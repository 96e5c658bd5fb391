//! A learned term: a table over the cells of one column or two, centred, and turned into one tree.

use super::axis::Axis;
use crate::tree::structure::Tree;

/// The most sweeps of a purification; each takes the larger part of what is left.
const SWEEPS: usize = 1000;

/// What one column, or a pair, adds to the scores: a value for each cell and output, the last axis moving fastest.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) axes: Vec<Axis>,
    pub(super) outputs: usize,
    /// The weight of the training rows in each cell.
    pub(super) weights: Vec<f64>,
    pub(super) values: Vec<f64>,
    /// The standard deviation of each value over bags.
    pub(super) deviations: Vec<f64>,
}

/// Takes the weighted mean of each output out of a table and returns it.
pub(super) fn centre(weights: &[f64], values: &mut [f64], outputs: usize) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    (0..outputs)
        .map(|output| {
            let of = values.iter().skip(output).step_by(outputs);
            let mean = of.zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / total;
            let mean = if total > 0.0 { mean } else { 0.0 };
            values.iter_mut().skip(output).step_by(outputs).for_each(|value| *value -= mean);
            mean
        })
        .collect()
}

/// Takes out of a table of `rows × columns` what its rows and its columns say by themselves, and returns both: then the
/// weighted mean of every row and every column is 0 (Lengerich et al. 2020).
pub(super) fn purify(weights: &[f64], values: &mut [f64], columns: usize) -> [Vec<f64>; 2] {
    let rows = values.len() / columns.max(1);
    let mut own = [vec![0.0; rows], vec![0.0; columns]];
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    for _ in 0..SWEEPS {
        let mut moved = 0.0_f64;
        for (side, line, count) in [(0, columns, rows), (1, rows, columns)] {
            for i in 0..count {
                let at = |j: usize| if side == 0 { i * columns + j } else { j * columns + i };
                let [sum, total] = (0..line)
                    .fold([0.0; 2], |[sum, total], j| [sum + weights[at(j)] * values[at(j)], total + weights[at(j)]]);
                if total > 0.0 {
                    let mean = sum / total;
                    (0..line).for_each(|j| values[at(j)] -= mean);
                    own[side][i] += mean;
                    moved = moved.max(mean.abs());
                }
            }
        }
        if moved <= 1e-14 * largest {
            break;
        }
    }
    own
}

impl Term {
    fn columns(&self) -> usize {
        self.axes.get(1).map_or(1, Axis::cells)
    }

    /// Sets the cells of missing values that no training row had to 0: what is not known adds nothing.
    pub(super) fn forget_unseen(&mut self) {
        let (columns, k) = (self.columns(), self.outputs);
        for (side, axis) in self.axes.iter().enumerate() {
            let missing = axis.cells() - 1;
            let of = |cell: usize| if side == 0 { cell / columns == missing } else { cell % columns == missing };
            let cells: Vec<usize> = (0..self.weights.len()).filter(|&cell| of(cell)).collect();
            if cells.iter().all(|&cell| self.weights[cell] == 0.0) {
                for cell in cells {
                    self.values[cell * k..(cell + 1) * k].fill(0.0);
                    self.deviations[cell * k..(cell + 1) * k].fill(0.0);
                }
            }
        }
    }

    /// Whether it says anything.
    pub(super) fn is_nothing(&self) -> bool {
        self.values.iter().all(|&value| value == 0.0)
    }

    /// The same with neighbours merged that say the same everywhere; levels need not be neighbours.
    fn merged(mut self) -> Self {
        for side in 0..self.axes.len() {
            let to = self.merges(side);
            let axis = self.axes[side].merged(&to);
            let (old, k) = (self.columns(), self.outputs);
            let new = if side == 1 { axis.cells() } else { old };
            let cells = if side == 0 { axis.cells() } else { self.axes[0].cells() } * new;
            let mut merged = Self {
                axes: self.axes.clone(),
                outputs: k,
                weights: vec![0.0; cells],
                values: vec![0.0; cells * k],
                deviations: vec![0.0; cells * k],
            };
            merged.axes[side] = axis;
            for cell in 0..self.weights.len() {
                let (row, column) = (cell / old, cell % old);
                let place = if side == 0 { to[row] * new + column } else { row * new + to[column] };
                merged.weights[place] += self.weights[cell];
                for output in 0..k {
                    let (place, cell) = (place * k + output, cell * k + output);
                    merged.values[place] = self.values[cell];
                    merged.deviations[place] = merged.deviations[place].max(self.deviations[cell]);
                }
            }
            self = merged;
        }
        self
    }

    /// The new cell of each cell of a side.
    fn merges(&self, side: usize) -> Vec<usize> {
        let (columns, k, axis) = (self.columns(), self.outputs, &self.axes[side]);
        let alike = |a: usize, b: usize| {
            let all = 0..if side == 0 { columns } else { self.axes[0].cells() };
            all.into_iter().all(|other| {
                let at = |cell: usize| if side == 0 { cell * columns + other } else { other * columns + cell } * k;
                self.values[at(a)..at(a) + k] == self.values[at(b)..at(b) + k]
            })
        };
        let missing = axis.cells() - 1;
        // The first old cell of each new one.
        let mut firsts: Vec<usize> = Vec::new();
        let mut to = Vec::with_capacity(axis.cells());
        for cell in 0..missing {
            let from = if axis.is_category() { 0 } else { firsts.len().saturating_sub(1) };
            let known = firsts[from..].iter().position(|&first| alike(first, cell)).map(|place| from + place);
            to.push(known.unwrap_or(firsts.len()));
            if known.is_none() {
                firsts.push(cell);
            }
        }
        to.push(firsts.len());
        to
    }

    /// The term as one balanced tree with a leaf for each cell, and the deviations of its leaves in their order. Covers are
    /// the weights; the gain of a split is what it takes off the weighted squares of the values.
    pub(super) fn tree(self) -> (Tree, Vec<f64>) {
        let term = self.merged();
        let mut grown = (Tree::new(), Vec::with_capacity(term.deviations.len()));
        let whole = [(0, term.axes.first().map_or(1, Axis::cells)), (0, term.columns())];
        term.build(whole, &mut grown);
        grown
    }

    /// Appends the part of the tree for a rectangle of cells; returns its root, weight, and weighted sums of values.
    fn build(&self, rect: [(usize, usize); 2], grown: &mut (Tree, Vec<f64>)) -> (usize, f64, Vec<f64>) {
        let k = self.outputs;
        let length = |side: usize| rect[side].1 - rect[side].0;
        if length(0) * length(1) <= 1 {
            let cell = rect[0].0 * self.columns() + rect[1].0;
            let (values, weight) = (&self.values[cell * k..(cell + 1) * k], self.weights[cell]);
            let at = grown.0.leaf(values);
            grown.0.weigh(at, weight, 0.0);
            grown.1.extend_from_slice(&self.deviations[cell * k..(cell + 1) * k]);
            return (at, weight, values.iter().map(|value| value * weight).collect());
        }
        let side = usize::from(length(1) > length(0));
        let middle = rect[side].0 + length(side).div_ceil(2);
        let at = self.axes[side].split(&mut grown.0, middle);
        let mut parts = [rect, rect];
        parts[0][side].1 = middle;
        parts[1][side].0 = middle;
        let (left, left_weight, left_sums) = self.build(parts[0], grown);
        let (right, right_weight, right_sums) = self.build(parts[1], grown);
        grown.0.link(at, true, left);
        grown.0.link(at, false, right);
        let weight = left_weight + right_weight;
        let square = |sum: f64, weight: f64| if weight > 0.0 { sum * sum / weight } else { 0.0 };
        let sums: Vec<f64> = left_sums.iter().zip(&right_sums).map(|(a, b)| a + b).collect();
        let gain: f64 = (0..k)
            .map(|o| square(left_sums[o], left_weight) + square(right_sums[o], right_weight) - square(sums[o], weight))
            .sum();
        // Squares of huge values have no number of their own.
        grown.0.weigh(at, weight, if gain.is_finite() { gain.max(0.0) } else { f64::MAX });
        (at, weight, sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::bins::ColumnBins;
    use proptest::prelude::*;

    fn number(feature: usize, cuts: &[f64]) -> Axis {
        Axis::of(feature, &ColumnBins::Number { cuts: cuts.to_vec() })
    }

    #[test]
    fn a_term_becomes_a_tree_of_its_cells() {
        let term = Term {
            axes: vec![number(0, &[1.0, 2.0, 3.0])],
            outputs: 1,
            weights: vec![1.0, 2.0, 3.0, 4.0, 0.0],
            values: vec![5.0, 5.0, -1.0, 2.0, 7.0],
            deviations: vec![0.1, 0.3, 0.2, 0.2, 0.0],
        };
        let (tree, deviations) = term.tree();
        assert_eq!((tree.leaves(), tree.depth()), (4, 2), "the first two cells say the same");
        let value = |x: f64| tree.leaf_values(tree.find(&[x]), 1)[0];
        assert_eq!([1.0, 2.0, 2.5, 3.5, f64::INFINITY, f64::NAN].map(value), [5.0, 5.0, -1.0, 2.0, 2.0, 7.0]);
        assert_eq!(deviations, [0.3, 0.2, 0.2, 0.0]);
        assert_eq!(tree.cover(0), Some(10.0));
        // Left: 3 rows of 5 and 3 of -1; right: 4 of 2. The means are 2 and 2: nothing is gained here.
        assert_eq!(tree.gain(0), Some(0.0));
    }

    #[test]
    fn a_pair_becomes_a_tree_that_sends_missing_values_to_their_own_cells() {
        let levels = Axis::of(1, &ColumnBins::Category { bin_of: vec![0, 1, 0, 2], bins: 2 });
        let term = Term {
            axes: vec![number(0, &[0.5]), levels],
            outputs: 1,
            weights: vec![1.0; 9],
            values: (1..=9).map(f64::from).collect(),
            deviations: vec![0.0; 9],
        };
        let (tree, _) = term.tree();
        let value = |row: [f64; 2]| tree.leaf_values(tree.find(&row), 1)[0];
        assert_eq!([[0.0, 2.0], [0.0, 1.0], [0.0, f64::NAN]].map(value), [1.0, 2.0, 3.0]);
        // A level without training rows, and one that is new, count as missing.
        assert_eq!([[1.0, 3.0], [1.0, 9.0], [f64::NAN, 0.0], [f64::NAN; 2]].map(value), [6.0, 6.0, 7.0, 9.0]);
    }

    proptest! {
        #[test]
        fn purified_tables_have_no_rows_or_columns_left_and_say_the_same(
            cells in prop::collection::vec((-3f64..3.0, 0u8..4), 20),
        ) {
            let (mut values, weights): (Vec<f64>, Vec<f64>) = cells.iter().map(|(v, w)| (*v, f64::from(*w))).unzip();
            let before = values.clone();
            let [rows, columns] = purify(&weights, &mut values, 5);
            for i in 0..4 {
                let mean: f64 = (0..5).map(|j| weights[i * 5 + j] * values[i * 5 + j]).sum();
                prop_assert!(mean.abs() < 1e-9, "row {i}: {mean}");
            }
            for j in 0..5 {
                let mean: f64 = (0..4).map(|i| weights[i * 5 + j] * values[i * 5 + j]).sum();
                prop_assert!(mean.abs() < 1e-9, "column {j}: {mean}");
            }
            for (at, value) in values.iter().enumerate() {
                prop_assert!((value + rows[at / 5] + columns[at % 5] - before[at]).abs() < 1e-12);
            }
        }
    }
}
