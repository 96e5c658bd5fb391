//! Contributions along the paths of the training rows: path-dependent TreeSHAP.
//!
//! Where a feature is not known, a row goes both ways of its splits, in the shares in which training rows went. That needs
//! nothing but the tree. It is not the same as the mean over rows with other values: for that see
//! [`background`](super::background).

use ndarray::{Array2, Array3, Array4, ArrayView2};
use stagewise_core::error::{Crumb, NumericError, Result};
use stagewise_core::matrix::Features;
use stagewise_numeric::parallel;

use super::contribution::Contributions;
use super::interaction::Interactions;
use super::kernel::{Kernel, kernel};
use crate::tree::ensemble::{Combine, TreeEnsemble};

/// Rows of one parallel task.
const BLOCK: usize = 256;

/// A tree model, ready to explain rows one by one.
///
/// Made once by [`TreeEnsemble::explainer`], in O(nodes · depth); then O(nodes · depth) a row.
pub struct PathExplainer<'a> {
    model: &'a TreeEnsemble,
    kernels: Vec<Box<dyn Kernel + 'a>>,
    bias: Vec<f64>,
}

impl TreeEnsemble {
    /// What each feature adds to the score of each row: Shapley values of the trees, path-dependent.
    ///
    /// ```text
    /// contribution of i = Σ over sets S without i of |S|! (p − |S| − 1)! / p! · (score(S and i) − score(S))
    /// ```
    ///
    /// where `score(S)` sends a row both ways at splits of features that are not in `S`, in the shares of the training
    /// weight. They are parts of the score before the link. Contributions and bias add up to the score. A missing value is a
    /// value like others; a feature that no tree asks adds 0, an [offset](Self::offset) its number. One row alone gives the same bits as the row among others, on
    /// any number of threads. O(rows · nodes · depth); no memory that grows with the depth's power of two.
    ///
    /// # Errors
    /// As for answers; [`NumericError::Undefined`] if a tree does not know the training weight of its nodes, for which
    /// [`contributions_against`](Self::contributions_against) is the remedy.
    ///
    /// ```
    /// use stagewise_core::{column::Column, matrix::Features, table::Table};
    /// use stagewise_model::{Tree, TreeEnsemble};
    ///
    /// let mut tree = Tree::new();
    /// let root = tree.split(0, 2.5, false);
    /// tree.weigh(root, 10.0, 1.0);
    /// for (left, value, cover) in [(true, 1.0, 8.0), (false, 6.0, 2.0)] {
    ///     let leaf = tree.leaf(&[value]);
    ///     tree.weigh(leaf, cover, 0.0);
    ///     tree.link(root, left, leaf);
    /// }
    /// let model = TreeEnsemble::mean(vec!["x".into()], 1, vec![tree])?;
    /// let rows = Features::new(Table::of([("x", Column::numbers([2.0, 3.0]))])?)?;
    /// let found = model.contributions(&rows)?;
    /// // Four rows in five were seen left: the mean is 2.
    /// for (value, expected) in found.values().iter().zip([-1.0, 2.0, 4.0, 2.0]) {
    ///     assert!((value - expected).abs() < 1e-14);
    /// }
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    ///
    /// Lundberg et al. (2020), "From local explanations to global understanding with explainable AI for trees"; the
    /// integral is that of Owen (1972), "Multilinear extensions of games"; the products on the way down and sums on the way
    /// up are those of Yu et al. (2022), "Linear TreeSHAP". Checked against shap 0.51.0, tolerance 1e-9.
    pub fn contributions(&self, features: &Features) -> Result<Contributions> {
        self.explainer()?.contributions(features)
    }

    /// The contributions to the scores of one row, `outputs × (p + 1)` with the bias last.
    ///
    /// For many rows one by one make the [`explainer`](Self::explainer) once.
    ///
    /// # Errors
    /// As for [`contributions`](Self::contributions).
    pub fn contribution_row(&self, row: &[f64]) -> Result<Array2<f64>> {
        self.explainer()?.row(row)
    }

    /// What pairs of features add to the score of each row beyond what each adds alone; path-dependent.
    ///
    /// ```text
    /// interaction of i, j = Σ over sets S without i, j of |S|! (p − |S| − 2)! / (2 (p − 1)!)
    ///                       · (score(S, i, j) − score(S, i) − score(S, j) + score(S))
    /// ```
    ///
    /// Half of it stands at `i, j`, half at `j, i`; on the diagonal stands what is left of the contribution, so that the
    /// rows of the matrix add up to the contributions. O(rows · nodes · depth²).
    ///
    /// # Errors
    /// As for [`contributions`](Self::contributions).
    ///
    /// Fujimoto et al. (2006), "Axiomatic characterizations of probabilistic and cardinal-probabilistic interaction
    /// indices"; Lundberg et al. (2020).
    pub fn interactions(&self, features: &Features) -> Result<Interactions> {
        self.explainer()?.interactions(features)
    }

    /// Prepares the model for explaining along the paths of its training rows.
    ///
    /// # Errors
    /// [`NumericError::Undefined`] if a tree does not know the training weight of its nodes, or a leaf answers with a line.
    pub fn explainer(&self) -> Result<PathExplainer<'_>> {
        self.require_constants("what features add")?;
        let outputs = self.outputs();
        let kernels: Result<Vec<_>> =
            self.trees().iter().enumerate().map(|(number, tree)| kernel(tree, number, outputs)).collect();
        let kernels = kernels?;
        let mut bias = vec![0.0; outputs];
        kernels.iter().for_each(|kernel| kernel.mean(&mut bias));
        let divisor = divisor(self);
        bias.iter_mut().zip(self.base()).for_each(|(bias, base)| *bias = base + *bias / divisor);
        Ok(PathExplainer { model: self, kernels, bias })
    }
}

impl PathExplainer<'_> {
    /// What each feature adds to the score of each row; see [`TreeEnsemble::contributions`].
    ///
    /// # Errors
    /// As for answers.
    pub fn contributions(&self, features: &Features) -> Result<Contributions> {
        let rows = self.model.rows_of(features)?;
        let values = in_blocks(self.model, rows, BLOCK, &self.bias, |range, out| {
            self.kernels.iter().for_each(|k| k.contributions(rows, range.clone(), self.bias.len(), out));
            self.model.explain_offset(rows, range, 0.0, rows.ncols() + 1, |feature| feature, out);
        })?;
        Ok(Contributions::new(features.clone(), self.bias.clone(), values))
    }

    /// The contributions to the scores of one row, `outputs × (p + 1)` with the bias last.
    ///
    /// # Errors
    /// As for answers.
    pub fn row(&self, row: &[f64]) -> Result<Array2<f64>> {
        one_row(self.model, row, &self.bias, |rows, out| {
            self.kernels.iter().for_each(|k| k.contributions(rows, 0..1, self.bias.len(), out));
            self.model.explain_offset(rows, 0..1, 0.0, rows.ncols() + 1, |feature| feature, out);
        })
    }

    /// What pairs of features add; see [`TreeEnsemble::interactions`].
    ///
    /// # Errors
    /// As for answers.
    pub fn interactions(&self, features: &Features) -> Result<Interactions> {
        let rows = self.model.rows_of(features)?;
        let (outputs, width) = (self.bias.len(), rows.ncols());
        let (square, divisor) = (width * width, divisor(self.model));
        let blocks = parallel::blocks(rows.nrows(), BLOCK, |range| {
            let mut out = vec![0.0; range.len() * outputs * square];
            self.kernels.iter().for_each(|k| k.interactions(rows, range.clone(), outputs, &mut out));
            self.model.explain_offset(rows, range, 0.0, square, |feature| feature * (width + 1), &mut out);
            out.iter_mut().for_each(|value| *value /= divisor);
            out.chunks_exact_mut(square.max(1)).for_each(|matrix| mirror(matrix, width));
            out
        });
        let values = joined(blocks, rows.nrows() * outputs * square);
        let values = Array4::from_shape_vec((rows.nrows(), outputs, width, width), values).unwrap_or_default();
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(not_finite().at(Crumb::Row(at / (outputs * square).max(1))));
        }
        Ok(Interactions::new(features.schema().names(), self.bias.clone(), values))
    }
}

/// Splits what stands in the upper half between both halves, and takes it from the diagonal.
fn mirror(matrix: &mut [f64], width: usize) {
    for i in 0..width {
        for j in i + 1..width {
            let half = 0.5 * matrix[i * width + j];
            matrix[i * width + j] = half;
            matrix[j * width + i] = half;
        }
    }
    for i in 0..width {
        let others: f64 = (0..width).filter(|&j| j != i).map(|j| matrix[i * width + j]).sum();
        matrix[i * width + i] -= others;
    }
}

/// The contributions of all rows, rows × outputs × (features + 1), from what `add` adds for a block of them.
pub(super) fn in_blocks(
    model: &TreeEnsemble,
    rows: ArrayView2<'_, f64>,
    block: usize,
    bias: &[f64],
    add: impl Fn(std::ops::Range<usize>, &mut [f64]) + Sync,
) -> Result<Array3<f64>> {
    let (outputs, width) = (bias.len(), rows.ncols() + 1);
    let blocks = parallel::blocks(rows.nrows(), block, |range| {
        let mut out = vec![0.0; range.len() * outputs * width];
        add(range, &mut out);
        finish(model, bias, width, &mut out);
        out
    });
    let values = joined(blocks, rows.nrows() * outputs * width);
    let values = Array3::from_shape_vec((rows.nrows(), outputs, width), values).unwrap_or_default();
    match values.outer_iter().position(|row| !row.sum().is_finite()) {
        Some(row) => Err(not_finite().at(Crumb::Row(row))),
        None => Ok(values),
    }
}

/// The contributions of one row, by the same additions as among others.
pub(super) fn one_row(
    model: &TreeEnsemble,
    row: &[f64],
    bias: &[f64],
    add: impl Fn(ArrayView2<'_, f64>, &mut [f64]),
) -> Result<Array2<f64>> {
    model.check_row(row)?;
    let (outputs, width) = (bias.len(), row.len() + 1);
    let mut out = vec![0.0; outputs * width];
    // A row has the shape of one row.
    if let Ok(rows) = ArrayView2::from_shape((1, row.len()), row) {
        add(rows, &mut out);
    }
    finish(model, bias, width, &mut out);
    if out.iter().sum::<f64>().is_finite() {
        Ok(Array2::from_shape_vec((outputs, width), out).unwrap_or_default())
    } else {
        Err(not_finite())
    }
}

/// Divides by the number of trees where their mean is answered, and sets the bias.
fn finish(model: &TreeEnsemble, bias: &[f64], width: usize, out: &mut [f64]) {
    let divisor = divisor(model);
    for (of_output, bias) in out.chunks_exact_mut(width).zip(bias.iter().cycle()) {
        of_output.iter_mut().for_each(|value| *value /= divisor);
        of_output[width - 1] = *bias;
    }
}

/// What the sum of the leaves is divided by.
pub(super) fn divisor(model: &TreeEnsemble) -> f64 {
    if model.combine() == Combine::Mean { model.trees().len() as f64 } else { 1.0 }
}

fn joined(blocks: Vec<Vec<f64>>, length: usize) -> Vec<f64> {
    let mut values = Vec::with_capacity(length);
    blocks.into_iter().for_each(|block| values.extend_from_slice(&block));
    values
}

fn not_finite() -> stagewise_core::Error {
    let (what, why) = ("the explanation of the trees".into(), "their values are too large".into());
    NumericError::Undefined { what, why }.into()
}
