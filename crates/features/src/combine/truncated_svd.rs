//! Numbers become their products with the first singular vectors.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{NumericError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::gram::weighted_gram;
use stagewise_numeric::solve::symmetric::SymmetricEigen;

use super::block::{Block, by_name};
use super::pca::check_components;
use super::projection::{self, FittedProjection, Projection};
use crate::columns::positions;

/// Replaces numbers by their products with the first right singular vectors: of all projections to so few columns the one
/// that keeps most of the squares.
///
/// Number `k` of a row is `v_k · x`, where `√W X = Σ σ_k u_k v_kᵀ`; the entry of largest size of `v_k` is positive. Unlike
/// [`Pca`](crate::combine::Pca) it subtracts no mean, so a 0 weighs nothing: for counts and indicator columns, of which most
/// are 0. The vectors are the eigenvectors of `Xᵀ W X`, all of which are computed: exact, up to some hundred columns.
/// Singular values below `√ε` of the largest are what rounding leaves.
///
/// | what comes | what happens |
/// |---|---|
/// | missing or infinite values | refused, in training and later: put an imputer before |
/// | columns of zeros, columns that follow from others | singular values of 0 |
/// | values too large to be squared | learned without overflow |
/// | no column selected | nothing happens |
///
/// Output: `svd0`, `svd1`, … behind all other columns, which keep their order. The target is not touched. Weights count rows
/// several times. `O(rows · p² + p³)` to fit `p` columns, `O(p · components)` a row later.
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
/// use stagewise_features::combine::TruncatedSvd;
///
/// let table = Table::of([
///     ("cats", Column::numbers([3.0, 0.0, 6.0])),
///     ("dogs", Column::numbers([4.0, 0.0, 8.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = TruncatedSvd::on(numbers()).components(1).fit_transform(train, &FitContext::new(0))?;
/// let svd0 = train.features().column("svd0")?.as_numbers()?;
/// assert!((svd0[0] - 5.0).abs() < 1e-12 && svd0[1] == 0.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `TruncatedSVD(algorithm="arpack")`, weights by rows that come several times, tolerance
/// 1e-9.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TruncatedSvd {
    on: Selector,
    components: usize,
    keep: bool,
    prefix: String,
}

impl TruncatedSvd {
    /// Of these columns, which must be numbers; two components.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, components: 2, keep: false, prefix: "svd".into() }
    }

    /// How many vectors: from 1 to the number of columns. Default 2.
    #[must_use]
    pub fn components(mut self, count: usize) -> Self {
        self.components = count;
        self
    }

    /// Whether to keep the columns beside the products. Default `false`.
    #[must_use]
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// What the names of the products begin with. Default `svd`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        let positions = positions(&self.on, input, &[Kind::Number])?;
        check_components(self.components, positions.len())?;
        Ok(positions)
    }
}

impl Persist for TruncatedSvd {
    const TAG: &'static str = "TruncatedSvd";
}

impl<T: Task> Transformer<T> for TruncatedSvd {
    type Fitted = FittedProjection;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let positions = self.positions(input)?;
        let count = self.components.min(positions.len());
        Ok(projection::plan(input, &positions, self.keep, true, &self.prefix, count))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedProjection> {
        let input = train.features().schema();
        let positions = self.positions(input)?;
        let order = by_name(input, &positions);
        let columns = projection::names(input, &positions, &order);
        let mut block = Block::of(train, &positions, &order)?;
        let unit = in_range(&mut block.values);
        let gram = cx.install(|| weighted_gram(block.values.view(), block.weights.as_deref()));
        cx.check()?;
        let eigen = SymmetricEigen::of(gram.view()).map_err(|_| NumericError::Undefined {
            what: "the singular vectors of the columns".into(),
            why: "the weights of the rows are too large".into(),
        })?;
        let count = self.components.min(positions.len());
        let width = positions.len();
        Projection {
            prefix: self.prefix.clone(),
            order,
            columns,
            center: vec![0.0; width],
            directions: eigen.vectors.rows().into_iter().take(count).map(|row| row.to_vec()).collect(),
            scale: vec![1.0; count],
            variances: Vec::new(),
            shares: Vec::new(),
            singular_values: eigen.values.iter().take(count).map(|&v| singular_value(v, unit)).collect(),
        }
        .fitted(train, positions, self.keep)
    }
}

/// `σ` of an eigenvalue `σ²` of values in units of `unit`.
pub(super) fn singular_value(square: f64, unit: f64) -> f64 {
    square.max(0.0).sqrt() * unit
}

/// Divides very large and very small values by a power of two, which changes no digit and keeps their squares in range;
/// gives it back.
pub(super) fn in_range(values: &mut Array2<f64>) -> f64 {
    let largest = values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let unit = match largest {
        x if x > 1e140 => 2f64.powi(600),
        x if x > 0.0 && x < 1e-140 => 2f64.powi(-600),
        _ => return 1.0,
    };
    values.iter_mut().for_each(|x| *x /= unit);
    unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{named, numbers};
    use stagewise_testkit::{conformance, data};

    #[test]
    fn conforms() {
        conformance::transformer(&TruncatedSvd::on(numbers()), &data::binary_numeric(60, 1));
        conformance::transformer(
            &TruncatedSvd::on(numbers()).components(4).keep(true),
            &data::regression_numeric(61, 2),
        );
        conformance::transformer(&TruncatedSvd::on(named(["age", "constant"])), &data::multiclass(60, 1));
    }

    #[test]
    fn more_vectors_than_columns_are_refused() {
        let data = data::binary_numeric(20, 1);
        let error = TruncatedSvd::on(named(["x0"])).fit(&data, &FitContext::new(0)).unwrap_err();
        assert_eq!(error.to_string(), "`components` is 2, allowed is from 1 to the number of columns selected");
    }
}
