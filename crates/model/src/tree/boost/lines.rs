//! Lines in leaves: a ridge regression of the slope of the loss on the numbers that the way to a leaf asks for.
//!
//! With the numbers centred, by the weight of the hessians, the mean answer of a leaf and its slopes do not depend on each
//! other: the mean is what the leaf would answer anyway, with all its penalties, and only the slopes are solved for. Each
//! leaf is worked on by one thread, its rows in their order.

use ndarray::{Array1, Array2};
use rayon::prelude::*;
use stagewise_core::table::Table;
use stagewise_numeric::solve::SolveError;
use stagewise_numeric::solve::cholesky::Cholesky;

use super::train::Plan;
use crate::tree::grow::grower::{Grown, GrownLeaf, GrownNode};
use crate::tree::linear_leaves::Line;
use crate::tree::values::Values;

/// Rows of one parallel task.
const BLOCK: usize = 1 << 13;
/// A column is constant if its deviation is below this share of its mean: then it is rounding.
const CONSTANT: f64 = 64.0 * f64::EPSILON;

/// The line of a leaf.
#[derive(Debug)]
pub(super) struct LeafLine {
    intercept: f64,
    features: Vec<u32>,
    slopes: Vec<f64>,
}

/// The lines of a tree, one for each leaf that has one.
#[derive(Debug)]
pub(super) struct Lines {
    leaves: Vec<Option<LeafLine>>,
}

/// What the lines of one output are fitted to.
#[derive(Clone, Copy)]
pub(super) struct Slopes<'a> {
    pub(super) l2: f64,
    pub(super) pairs: &'a [[f64; 2]],
    pub(super) weights: Option<&'a [f64]>,
    pub(super) output: usize,
}

impl Lines {
    /// Fits a line in each leaf; `constants` are the answers without.
    pub(super) fn fit(
        slopes: Slopes<'_>,
        plan: &Plan<'_>,
        grown: &Grown,
        table: &Table,
        constants: &[Vec<f64>],
    ) -> Self {
        let columns = columns(table);
        let fit = |((leaf, features), constant): ((&GrownLeaf, Vec<u32>), &Vec<f64>)| {
            let rows: Vec<u32> = grown.entries[leaf.rows.clone()].iter().map(|entry| entry.row).collect();
            slopes.line(plan, leaf, &rows, features, &columns, constant[0])
        };
        let leaves = grown.leaves.par_iter().zip(features(grown, &columns)).zip(constants).map(fit).collect();
        Self { leaves }
    }

    /// The line of a leaf.
    pub(super) fn line(&self, leaf: usize) -> Option<Line<'_>> {
        let LeafLine { intercept, features, slopes } = self.leaves[leaf].as_ref()?;
        Some(Line { intercept: *intercept, features, slopes })
    }

    /// Adds the answers of the leaves to the scores of the rows of a table.
    pub(super) fn advance(
        &self,
        table: &Table,
        leaf_of: impl Fn(usize) -> usize + Sync,
        constants: &[Vec<f64>],
        (outputs, output): (usize, usize),
        scores: &mut [f64],
    ) {
        let columns = columns(table);
        scores.par_chunks_mut(BLOCK * outputs).enumerate().for_each(|(block, scores)| {
            for (i, scores) in scores.chunks_mut(outputs).enumerate() {
                let row = block * BLOCK + i;
                let leaf = leaf_of(row);
                let answer = self.line(leaf).and_then(|line| line.answer(|feature| columns[feature].at(row as u32)));
                scores[output] += answer.unwrap_or(constants[leaf][0]);
            }
        });
    }
}

impl Slopes<'_> {
    /// The line of one leaf, if its rows have one.
    fn line(
        &self,
        plan: &Plan<'_>,
        leaf: &GrownLeaf,
        rows: &[u32],
        mut features: Vec<u32>,
        columns: &[Values<'_>],
        constant: f64,
    ) -> Option<LeafLine> {
        let finite = |feature: u32, row: u32| columns[feature as usize].at(row).is_finite();
        // A number that most rows lack would leave few to learn from.
        features.retain(|&feature| 2 * rows.iter().filter(|&&row| finite(feature, row)).count() >= rows.len());
        let whole: Vec<u32> =
            rows.iter().copied().filter(|&row| features.iter().all(|&feature| finite(feature, row))).collect();
        let pair = |row: u32| self.pairs[row as usize * plan.outputs + self.output];
        let (gradient, hessian) = whole.iter().fold((0.0, 0.0), |(g, h), &row| (g + pair(row)[0], h + pair(row)[1]));
        if features.is_empty() || hessian <= 0.0 {
            return None;
        }
        let mean = |feature: &u32| {
            let sum: f64 = whole.iter().map(|&row| pair(row)[1] * columns[*feature as usize].at(row)).sum();
            sum / hessian
        };
        let mut means: Vec<f64> = features.iter().map(mean).collect();
        let mut system = System::of(&whole, &features, &means, columns, pair);
        let constant_column = |at: usize, deviation: f64| {
            !(deviation.is_finite() && (deviation / hessian).sqrt() > CONSTANT * means[at].abs())
        };
        let dropped: Vec<usize> =
            (0..features.len()).filter(|&at| constant_column(at, system.matrix[[at, at]])).collect();
        for &at in dropped.iter().rev() {
            system.drop(at);
            features.remove(at);
            means.remove(at);
        }
        let slopes = loop {
            if features.is_empty() || whole.len() <= features.len() {
                return None;
            }
            match system.solve(self.l2 / hessian) {
                Ok(slopes) => break slopes,
                // One that follows from those before it.
                Err(SolveError::NotPositiveDefinite { pivot }) => {
                    system.drop(pivot);
                    features.remove(pivot);
                    means.remove(pivot);
                }
                Err(_) => return None,
            }
        };
        let middle = if whole.len() == rows.len() {
            constant
        } else {
            let penalty = &plan.growth.penalty;
            let weight = whole.iter().map(|&row| self.weights.map_or(1.0, |weights| weights[row as usize])).sum();
            penalty.smooth(penalty.answer(gradient, hessian + leaf.extra_l2), weight, leaf.parent) * plan.learning_rate
        };
        let slopes: Vec<f64> = slopes.iter().map(|slope| slope * plan.learning_rate).collect();
        let intercept = slopes.iter().zip(&means).fold(middle, |sum, (slope, mean)| sum - slope * mean);
        let sound = intercept.is_finite() && slopes.iter().all(|slope| slope.is_finite());
        sound.then_some(LeafLine { intercept, features, slopes })
    }
}

/// Normal equations of centred columns.
struct System {
    matrix: Array2<f64>,
    side: Array1<f64>,
}

impl System {
    /// `Σ h z zᵀ` and `−Σ g z`, with `z = x − mean`.
    fn of(
        rows: &[u32],
        features: &[u32],
        means: &[f64],
        columns: &[Values<'_>],
        pair: impl Fn(u32) -> [f64; 2],
    ) -> Self {
        let p = features.len();
        let (mut matrix, mut side) = (Array2::zeros((p, p)), Array1::zeros(p));
        let mut z = vec![0.0; p];
        for &row in rows {
            let [gradient, hessian] = pair(row);
            for (z, (&feature, mean)) in z.iter_mut().zip(features.iter().zip(means)) {
                *z = columns[feature as usize].at(row) - mean;
            }
            for i in 0..p {
                side[i] -= gradient * z[i];
                for j in 0..=i {
                    matrix[[i, j]] += hessian * z[i] * z[j];
                }
            }
        }
        Self { matrix, side }
    }

    /// Takes a column out.
    fn drop(&mut self, at: usize) {
        let kept: Vec<usize> = (0..self.side.len()).filter(|&i| i != at).collect();
        self.matrix = self.matrix.select(ndarray::Axis(0), &kept).select(ndarray::Axis(1), &kept);
        self.side = self.side.select(ndarray::Axis(0), &kept);
    }

    /// Slopes, each penalised by this share of its column's deviation.
    fn solve(&self, penalty: f64) -> Result<Array1<f64>, SolveError> {
        let mut matrix = self.matrix.clone();
        matrix.diag_mut().mapv_inplace(|deviation| deviation * (1.0 + penalty));
        Cholesky::factor(matrix.view())?.solve(self.side.view())
    }
}

/// The columns of a table; a design has no text and no timestamps.
fn columns(table: &Table) -> Vec<Values<'_>> {
    table.columns().iter().filter_map(Values::of).collect()
}

/// The numbers that the way to each leaf asks for, ascending.
fn features(grown: &Grown, columns: &[Values<'_>]) -> Vec<Vec<u32>> {
    let mut ways: Vec<Vec<u32>> = vec![Vec::new(); grown.nodes.len()];
    let mut leaves = vec![Vec::new(); grown.leaves.len()];
    // Children stand behind their parent.
    for (at, node) in grown.nodes.iter().enumerate() {
        let mut way = std::mem::take(&mut ways[at]);
        match node {
            GrownNode::Leaf(leaf) => leaves[*leaf] = way,
            GrownNode::Split(split, first) => {
                let feature = split.feature as u32;
                if let (Err(place), Values::Numbers(_) | Values::Flags(_)) =
                    (way.binary_search(&feature), columns[split.feature])
                {
                    way.insert(place, feature);
                }
                ways[*first] = way.clone();
                ways[first + 1] = way;
            }
        }
    }
    leaves
}

#[cfg(test)]
mod tests;
