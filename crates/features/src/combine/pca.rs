//! Numbers become their principal components.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{NumericError, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::gram::weighted_gram;
use stagewise_numeric::solve::symmetric::SymmetricEigen;
use stagewise_numeric::sum::{Moments, exact_sum};

use super::block::{Block, by_name};
use super::projection::{self, FittedProjection, Projection};
use super::truncated_svd::{in_range, singular_value};
use crate::columns::positions;

/// Replaces numbers by their principal components: uncorrelated sums of the columns, those that vary most first.
///
/// Component `k` of a row is `d_k · (x - mean)`. The directions `d_k` are the eigenvectors of the covariance
/// `Σ w (x - mean)(x - mean)ᵀ / (Σ w - 1)`, of length 1, their entry of largest size positive. All of them are computed, by
/// Householder's reduction and QR sweeps: exact, and the same bits on any number of threads. Columns of larger numbers
/// weigh more: put a [`StandardScaler`](crate::StandardScaler) before.
///
/// | what comes | what happens |
/// |---|---|
/// | missing or infinite values | refused, in training and later: put an imputer before |
/// | columns that do not vary, or follow from others | components of variance 0, which whitening leaves as they are |
/// | values too large to be squared | learned without overflow; variances beyond the range of `f64` are infinite |
/// | no column selected | nothing happens |
///
/// Output: `pca0`, `pca1`, … behind all other columns, which keep their order. The target is not touched. Needs weights that
/// add up to more than 1: a weight is how often a row counts. `O(rows · p² + p³)` to fit `p` columns, `O(p · components)` a
/// row later.
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
/// use stagewise_features::combine::Pca;
///
/// let table = Table::of([
///     ("width", Column::numbers([1.0, 2.0, 3.0])),
///     ("height", Column::numbers([2.0, 4.0, 6.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = Pca::on(numbers()).share(0.95).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().schema().names(), ["pca0"]);
/// assert!((train.features().column("pca0")?.as_numbers()?[2] - 5f64.sqrt()).abs() < 1e-12);
/// assert!((fitted.rule().explained_shares()[0] - 1.0).abs() < 1e-12);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `PCA(svd_solver="full")`, also with `whiten` and a share, weights by rows that come
/// several times, tolerance 1e-9. scikit-learn divides a whitened component without variance by ε, which makes noise of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pca {
    on: Selector,
    components: Components,
    whiten: bool,
    keep: bool,
    prefix: String,
}

/// How many components are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Components {
    All,
    Count(usize),
    Share(f64),
}

impl Pca {
    /// Of these columns, which must be numbers; all components.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, components: Components::All, whiten: false, keep: false, prefix: "pca".into() }
    }

    /// How many components: from 1 to the number of columns. Default: as many as columns.
    #[must_use]
    pub fn components(mut self, count: usize) -> Self {
        self.components = Components::Count(count);
        self
    }

    /// As many components as it takes to explain more than this share of the variance, between 0 and 1, both excluded; in
    /// place of [`components`](Self::components). Not set by default.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.components = Components::Share(share);
        self
    }

    /// Whether to divide each component by its standard deviation. Default `false`.
    #[must_use]
    pub fn whiten(mut self, whiten: bool) -> Self {
        self.whiten = whiten;
        self
    }

    /// Whether to keep the columns beside their components. Default `false`.
    #[must_use]
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// What the names of the components begin with. Default `pca`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        let positions = positions(&self.on, input, &[Kind::Number])?;
        match self.components {
            Components::All => {}
            Components::Count(count) => check_components(count, positions.len())?,
            Components::Share(share) => {
                ParameterError::check(share > 0.0 && share < 1.0, "share", share, "between 0 and 1, both excluded")?;
            }
        }
        Ok(positions)
    }
}

/// A number of components that the columns can have; any where there is no column.
pub(super) fn check_components(count: usize, columns: usize) -> Result<()> {
    let allowed = "from 1 to the number of columns selected";
    ParameterError::check(columns == 0 || (1..=columns).contains(&count), "components", count, allowed)
}

impl Persist for Pca {
    const TAG: &'static str = "Pca";
}

impl<T: Task> Transformer<T> for Pca {
    type Fitted = FittedProjection;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let positions = self.positions(input)?;
        let (exact, count) = match self.components {
            Components::All => (true, positions.len()),
            Components::Count(count) => (true, count.min(positions.len())),
            Components::Share(_) => (false, positions.len().min(1)),
        };
        Ok(projection::plan(input, &positions, self.keep, exact, &self.prefix, count))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedProjection> {
        let input = train.features().schema();
        let positions = self.positions(input)?;
        let order = by_name(input, &positions);
        let columns = projection::names(input, &positions, &order);
        let mut block = Block::of(train, &positions, &order)?;
        let freedom = block.weight() - 1.0;
        if freedom <= 0.0 && !positions.is_empty() {
            let why = format!("the weights of the rows add up to {}, more than 1 is needed", block.weight());
            return Err(NumericError::Undefined { what: "the variance of the components".into(), why }.into());
        }
        let center = centred(&mut block);
        let unit = in_range(&mut block.values);
        let gram = cx.install(|| weighted_gram(block.values.view(), block.weights.as_deref())) / freedom;
        cx.check()?;
        let eigen = SymmetricEigen::of(gram.view()).map_err(|_| NumericError::Undefined {
            what: "the covariance of the columns".into(),
            why: "their values are too far apart to be subtracted; scale them before".into(),
        })?;
        let values: Vec<f64> = eigen.values.iter().map(|v| v.max(0.0)).collect();
        let total = exact_sum(&values);
        if total <= 0.0 && !positions.is_empty() {
            cx.warn(format!("{}: no column varies; the components are 0", Self::TAG));
        }
        let shares: Vec<f64> = values.iter().map(|v| if total > 0.0 { v / total } else { 0.0 }).collect();
        let count = match self.components {
            Components::All => values.len(),
            Components::Count(count) => count.min(values.len()),
            Components::Share(share) => enough(&shares, share),
        };
        // Below this a variance is what rounding leaves of 0.
        let least = values.first().map_or(0.0, |largest| values.len() as f64 * f64::EPSILON * largest);
        let deviation = |&v: &f64| if self.whiten && v > least { v.sqrt() * unit } else { 1.0 };
        Projection {
            prefix: self.prefix.clone(),
            order,
            columns,
            center,
            directions: eigen.vectors.rows().into_iter().take(count).map(|row| row.to_vec()).collect(),
            scale: values.iter().take(count).map(deviation).collect(),
            variances: values.iter().take(count).map(|v| v * unit * unit).collect(),
            shares: shares[..count].to_vec(),
            singular_values: values.iter().take(count).map(|v| singular_value(v * freedom, unit)).collect(),
        }
        .fitted(train, positions, self.keep)
    }
}

/// Subtracts from each column its mean, which is given back.
fn centred(block: &mut Block) -> Vec<f64> {
    let Block { values, weights } = block;
    let mut center = Vec::with_capacity(values.ncols());
    for mut column in values.columns_mut() {
        let mut moments = Moments::new();
        match weights.as_deref() {
            None => column.iter().for_each(|&x| moments.add(x)),
            Some(weights) => column.iter().zip(weights).for_each(|(&x, &w)| moments.add_weighted(x, w)),
        }
        let mean = moments.mean().unwrap_or(0.0);
        column.iter_mut().for_each(|x| *x -= mean);
        center.push(mean);
    }
    center
}

/// How many of these shares it takes to come above `share`; at least one where there is one.
fn enough(shares: &[f64], share: f64) -> usize {
    let mut sum = 0.0;
    let reached = shares.iter().position(|part| {
        sum += part;
        sum > share
    });
    let none = if shares.iter().all(|&part| part == 0.0) { shares.len().min(1) } else { shares.len() };
    reached.map_or(none, |k| k + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::column::Column;
    use stagewise_core::select::{named, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    use crate::test_tables::training;

    #[test]
    fn conforms() {
        for spec in [Pca::on(numbers()), Pca::on(numbers()).components(2).whiten(true), Pca::on(numbers()).share(0.9)] {
            conformance::transformer(&spec, &data::binary_numeric(60, 1));
            conformance::transformer(&spec.keep(true), &data::regression_numeric(61, 2));
        }
        let weighted = data::regression_numeric(60, 4).reweighted(vec![1.0; 60]).unwrap();
        conformance::transformer(&Pca::on(numbers()), &weighted);
        conformance::transformer(&Pca::on(named(["age", "constant"])).whiten(true), &data::binary(60, 1));
        conformance::transformer(&Pca::on(named::<&str>([])), &data::binary(60, 1));
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        let fit = |spec: &Pca, data: &Dataset<_>| {
            Transformer::<Regression>::fit(spec, data, &FitContext::new(0)).unwrap_err().to_string()
        };
        let holes = training(table(&[vec![1.0, f64::NAN, 2.0]]), None);
        let expected = "column `c0`: holds 1 missing values; add an imputer before it";
        assert_eq!(fit(&Pca::on(numbers()), &holes), expected);
        let one = training(table(&[vec![1.0, 2.0]]), Some(vec![0.5, 0.5]));
        let error = fit(&Pca::on(numbers()), &one);
        assert!(error.starts_with("the variance of the components is not defined"), "{error}");
        let error = fit(&Pca::on(numbers()).components(2), &one);
        assert_eq!(error, "`components` is 2, allowed is from 1 to the number of columns selected");
        for share in [0.0, 1.0, f64::NAN] {
            assert!(fit(&Pca::on(numbers()).share(share), &one).starts_with("`share` is"));
        }
        let fitted = fitted(&Pca::on(numbers()), &training(table(&[vec![1.0, 2.0], vec![0.0, 1.0]]), None));
        let error = fitted.transform(table(&[vec![f64::NAN], vec![1.0]])).unwrap_err();
        assert_eq!(error.to_string(), "column `c0`: holds 1 missing values; add an imputer before it");
        let error = fitted.transform(table(&[vec![f64::MAX], vec![f64::MAX]])).unwrap_err();
        assert!(error.to_string().starts_with("column `pca0`: holds 1 values that are not finite"), "{error}");
    }

    #[test]
    fn very_large_and_very_small_values_are_learned_from() {
        for size in [1e300, 1e-300] {
            let x = vec![vec![size, 2.0 * size, 3.0 * size], vec![2.0 * size, 4.0 * size, 6.0 * size]];
            let fitted = fitted(&Pca::on(numbers()), &training(table(&x), None));
            let direction = &fitted.rule().directions()[0];
            assert!((direction[0] - 0.2f64.sqrt()).abs() < 1e-12 && (direction[1] - 0.8f64.sqrt()).abs() < 1e-12);
            assert!((fitted.rule().explained_shares()[0] - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn columns_that_do_not_vary_are_said() {
        let cx = FitContext::new(0);
        let train = training(table(&[vec![4.0; 5], vec![2.0; 5]]), None);
        let fitted = Pca::on(numbers()).share(0.5).whiten(true).fit(&train, &cx).unwrap();
        assert_eq!(cx.take_warnings()[0].what, "Pca: no column varies; the components are 0");
        let out = fitted.transform(train.features().clone()).unwrap();
        assert_eq!(out.columns(), [Column::numbers([0.0; 5])]);
    }

    proptest! {
        #[test]
        fn components_are_uncorrelated_and_keep_distances(
            entries in prop::collection::vec(-9.0f64..9.0, 12..60),
        ) {
            let rows = entries.len() / 3;
            let x: Vec<Vec<f64>> = (0..3).map(|j| (0..rows).map(|i| entries[i * 3 + j]).collect()).collect();
            let fitted = fitted(&Pca::on(numbers()), &training(table(&x), None));
            let out = fitted.transform(table(&x)).unwrap();
            let components: Vec<&[f64]> = out.columns().iter().map(|c| c.as_numbers().unwrap()).collect();
            for a in 0..3 {
                for b in 0..a {
                    let product: f64 = components[a].iter().zip(components[b]).map(|(a, b)| a * b).sum();
                    prop_assert!(product.abs() < 1e-9, "{}", product);
                }
            }
            let distance = |of: &[&[f64]]| of.iter().map(|c| (c[0] - c[1]).powi(2)).sum::<f64>();
            let columns: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
            prop_assert!((distance(&components) - distance(&columns)).abs() < 1e-9);
        }
    }

    fn fitted(spec: &Pca, train: &Dataset<Regression>) -> FittedProjection {
        spec.fit(train, &FitContext::new(0)).unwrap()
    }

    fn table(columns: &[Vec<f64>]) -> Table {
        Table::of(columns.iter().enumerate().map(|(j, c)| (format!("c{j}"), Column::numbers(c.clone())))).unwrap()
    }
}
