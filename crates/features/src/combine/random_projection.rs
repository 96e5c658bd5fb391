//! Numbers become fewer numbers by random directions, which hardly change how far rows are from each other.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::block::{Block, by_name};
use super::projection::{self, FittedProjection, Projection};
use crate::columns::positions;

/// Replaces many numbers by fewer: their products with random directions, which keep distances in the mean.
///
/// Number `k` of a row is `Σ_j r_kj x_j`. The `r_kj` are drawn, without a look at any row:
///
/// | directions | `r_kj`, for `m` components |
/// |---|---|
/// | [`RandomDirections::Gaussian`] | normal, mean 0, variance `1 / m` |
/// | [`RandomDirections::Sparse`] | `±√(1 / (s m))` with probability `s / 2` each, else 0; `s` is `1 / √p` for `p` columns unless stated |
///
/// [`johnson_lindenstrauss`] says how many components keep all distances within a bound. The numbers of a column come from a
/// stream that its name seeds: other columns do not change them. Weights have no part in it; nothing is learned from rows.
///
/// | what comes | what happens |
/// |---|---|
/// | missing or infinite values | refused, in training and later: put an imputer before |
/// | no column selected | nothing happens |
///
/// Output: `projection0`, `projection1`, … behind all other columns, which keep their order. The target is not touched.
/// `O(p · components)` to fit and for each row. Gaussian: Dasgupta & Gupta (2003), "An elementary proof of a theorem of
/// Johnson and Lindenstrauss"; sparse: Li, Hastie & Church (2006), "Very sparse random projections".
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::select::numbers;
/// use stagewise_core::stage::Transformer;
/// use stagewise_features::combine::RandomProjection;
///
/// let train = stagewise_testkit::data::binary_numeric(50, 1);
/// let (_, train) = RandomProjection::on(numbers(), 2).fit_transform(train, &FitContext::new(7))?;
/// assert_eq!(train.features().schema().names(), ["projection0", "projection1"]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RandomProjection {
    on: Selector,
    components: usize,
    directions: RandomDirections,
    keep: bool,
    prefix: String,
}

/// How random directions are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RandomDirections {
    /// Normal numbers.
    #[default]
    Gaussian,
    /// Mostly zeros, else one size with a random sign.
    Sparse {
        /// The share of entries that are not 0, above 0 and at most 1; one in `√p` if `None`.
        density: Option<f64>,
    },
}

impl RandomProjection {
    /// Of these columns, which must be numbers, to so many.
    pub fn on(columns: Selector, components: usize) -> Self {
        let directions = RandomDirections::Gaussian;
        Self { on: columns, components, directions, keep: false, prefix: "projection".into() }
    }

    /// How directions are drawn. Default [`RandomDirections::Gaussian`].
    #[must_use]
    pub fn directions(mut self, directions: RandomDirections) -> Self {
        self.directions = directions;
        self
    }

    /// Whether to keep the columns beside the products. Default `false`.
    #[must_use]
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// What the names of the products begin with. Default `projection`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        let positions = positions(&self.on, input, &[Kind::Number])?;
        ParameterError::check(self.components > 0, "components", self.components, "at least 1")?;
        if let RandomDirections::Sparse { density: Some(density) } = self.directions {
            ParameterError::check(density > 0.0 && density <= 1.0, "density", density, "above 0 and at most 1")?;
        }
        Ok(positions)
    }

    /// How many columns come.
    fn count(&self, columns: usize) -> usize {
        if columns == 0 { 0 } else { self.components }
    }
}

impl Persist for RandomProjection {
    const TAG: &'static str = "RandomProjection";
}

impl<T: Task> Transformer<T> for RandomProjection {
    type Fitted = FittedProjection;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let positions = self.positions(input)?;
        Ok(projection::plan(input, &positions, self.keep, true, &self.prefix, self.count(positions.len())))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedProjection> {
        let input = train.features().schema();
        let positions = self.positions(input)?;
        let order = by_name(input, &positions);
        let columns = projection::names(input, &positions, &order);
        // What later rows may not bring, training rows may not either.
        Block::of(train, &positions, &order)?;
        let (width, count) = (positions.len(), self.count(positions.len()));
        let mut directions = vec![vec![0.0; width]; count];
        let each = (count as f64).sqrt();
        for (j, name) in columns.iter().enumerate() {
            let mut stream = cx.stream(&format!("directions of {name}"));
            for direction in &mut directions {
                direction[j] = match self.directions {
                    RandomDirections::Gaussian => stream.normal() / each,
                    RandomDirections::Sparse { density } => {
                        let density = density.unwrap_or(1.0 / (width as f64).sqrt());
                        let size = 1.0 / (density.sqrt() * each);
                        match stream.unit() {
                            u if u < 0.5 * density => size,
                            u if u < density => -size,
                            _ => 0.0,
                        }
                    }
                };
            }
        }
        Projection {
            prefix: self.prefix.clone(),
            order,
            columns,
            center: vec![0.0; width],
            directions,
            scale: vec![1.0; count],
            variances: Vec::new(),
            shares: Vec::new(),
            singular_values: Vec::new(),
        }
        .fitted(train, positions, self.keep)
    }
}

/// How many random directions keep the squared distances among `rows` rows within `1 ± distortion`, with good chances:
/// `⌊4 ln rows / (distortion² / 2 - distortion³ / 3)⌋`.
///
/// The bound knows nothing of the columns, and for few of them is above their number: then there is nothing to gain.
///
/// ```
/// use stagewise_features::combine::johnson_lindenstrauss;
/// assert_eq!(johnson_lindenstrauss(1_000_000, 0.5)?, 663);
/// assert_eq!(johnson_lindenstrauss(1_000_000, 0.1)?, 11_841);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `johnson_lindenstrauss_min_dim`, exactly. Dasgupta & Gupta (2003).
///
/// # Errors
/// [`ParameterError`] for no row, or a distortion that is not between 0 and 1, both excluded.
pub fn johnson_lindenstrauss(rows: usize, distortion: f64) -> Result<usize> {
    ParameterError::check(rows > 0, "rows", rows, "at least 1")?;
    let allowed = "between 0 and 1, both excluded";
    ParameterError::check(distortion > 0.0 && distortion < 1.0, "distortion", distortion, allowed)?;
    let room = distortion * distortion / 2.0 - distortion * distortion * distortion / 3.0;
    Ok((4.0 * (rows as f64).ln() / room) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::numbers;
    use stagewise_core::stage::Transform;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    fn sparse(density: Option<f64>) -> RandomProjection {
        RandomProjection::on(numbers(), 3).directions(RandomDirections::Sparse { density })
    }

    #[test]
    fn conforms() {
        for spec in [RandomProjection::on(numbers(), 2), sparse(None), sparse(Some(0.9)).keep(true)] {
            conformance::transformer(&spec, &data::binary_numeric(60, 1));
            conformance::transformer(&spec, &data::regression_numeric(61, 2));
        }
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let data = data::regression_numeric(20, 1);
        for spec in [RandomProjection::on(numbers(), 0), sparse(Some(0.0)), sparse(Some(1.5)), sparse(Some(f64::NAN))] {
            assert!(Transformer::<Regression>::plan(&spec, data.features().schema()).is_err());
            assert!(spec.fit(&data, &FitContext::new(0)).is_err());
        }
        assert!(johnson_lindenstrauss(0, 0.5).is_err() && johnson_lindenstrauss(9, 1.0).is_err());
    }

    #[test]
    fn other_columns_do_not_change_the_directions_of_one() {
        let data = data::regression_numeric(20, 1);
        let fit =
            |data: &Dataset<Regression>| RandomProjection::on(numbers(), 4).fit(data, &FitContext::new(3)).unwrap();
        let fewer = data.clone().map_features(|table| table.select(&[1, 3])).unwrap();
        let (all, few) = (fit(&data), fit(&fewer));
        for (all, few) in all.rule().directions().iter().zip(few.rule().directions()) {
            assert_eq!([all[1], all[3]], few[..]);
        }
    }

    #[test]
    fn squared_distances_are_kept_in_the_mean() {
        let data = data::regression_numeric(40, 5);
        let distance = |table: &stagewise_core::table::Table| {
            table.columns().iter().map(|c| c.as_numbers().unwrap()).map(|c| (c[0] - c[1]).powi(2)).sum::<f64>()
        };
        let before = distance(data.features());
        for spec in [RandomProjection::on(numbers(), 8), sparse(None), sparse(Some(1.0))] {
            let seeds = 400;
            let ratios = (0..seeds).map(|seed| {
                let fitted = spec.fit(&data, &FitContext::new(seed)).unwrap();
                distance(&fitted.transform(data.features().clone()).unwrap()) / before
            });
            let mean = ratios.sum::<f64>() / seeds as f64;
            // One entry outweighs the others here, so the variance of a ratio is about 2 / m of a Gaussian and below
            // (1 / s - 1) / m + 2 / m of a sparse one: at most 1, so that 0.25 are five standard errors.
            assert!((mean - 1.0).abs() < 0.25, "{spec:?}: {mean}");
        }
    }
}
