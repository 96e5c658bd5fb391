//! Quantile forests: a forest whose leaves remember how their targets were spread.
//!
//! A leaf keeps a fixed number of evenly spaced quantiles of its rows' targets, so that the model has a bounded size and is
//! a [`TreeEnsemble`] with that many outputs. All that the leaves of a row keep, taken together, is the distribution that
//! its answer is a quantile of.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{NumericError, ParameterError, Result};
use stagewise_core::matrix::{Accepts, Design, Features};
use stagewise_core::persist::Persist;
use stagewise_core::stage::{Learner, Predict};
use stagewise_core::task::{Regression, Task};
use stagewise_numeric::quantile::quantiles;

use crate::tree::cart::grove::Draw;
use crate::tree::class_weights::ClassWeights;
use crate::tree::ensemble::TreeEnsemble;
use crate::tree::forest::engine::Options;

/// A random forest that answers a quantile of the target, by default the median.
///
/// Trees are grown as those of a [`RandomForest`](crate::RandomForest) of numbers. A row's answer is the quantile, with
/// linear interpolation, of what its leaves keep, each tree counting the same: `kept` evenly spaced weighted quantiles of
/// each leaf's targets. With the model any other quantile can be asked for: [`QuantileModel::quantiles`]. They never cross.
/// Weights, missing values and categories as in the forest. Answers never leave the range of the training targets.
///
/// # Errors
/// No features, no rows, hyper-parameters out of range.
///
/// Meinshausen (2006); with `kept` as large as the leaves it is that, up to the multiplicity of rows in leaves of which it
/// is no multiple.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, matrix::{Design, Features}, stage::Learner};
/// use stagewise_core::{stage::Predict, table::Table, target::NumberTarget, task::Regression};
/// use stagewise_model::QuantileForest;
///
/// // Small x: 0 to 9. Large x: 0 to 90.
/// let x: Vec<f64> = (0..400).map(|i| f64::from(i / 200)).collect();
/// let y: Vec<f64> = (0..400).map(|i| f64::from(i % 10 * if i < 200 { 1 } else { 10 })).collect();
/// let features = Features::new(Table::of([("x", Column::numbers(x))])?)?;
/// let design = Design::<Regression>::new(features.clone(), NumberTarget::new(y), ());
/// let forest = QuantileForest::new().level(0.9).max_depth(Some(1)).fit(&design, &FitContext::new(1))?;
/// let answer = |x: f64| Predict::<Regression>::predict_row(&forest, &[x]);
/// assert!((8.0..=9.0).contains(&answer(0.0)?) && (80.0..=90.0).contains(&answer(1.0)?));
/// assert_eq!(forest.quantiles(&features, &[0.05, 0.95])?.dim(), (400, 2));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantileForest {
    level: f64,
    trees: usize,
    max_depth: Option<usize>,
    max_leaves: Option<usize>,
    min_rows_leaf: f64,
    kept: usize,
    features_per_split: Option<usize>,
    feature_share: Option<f64>,
    max_bins: usize,
}

impl Default for QuantileForest {
    fn default() -> Self {
        Self {
            level: 0.5,
            trees: 100,
            max_depth: None,
            max_leaves: None,
            min_rows_leaf: 5.0,
            kept: 16,
            features_per_split: None,
            feature_share: None,
            max_bins: 255,
        }
    }
}

impl QuantileForest {
    /// The median, of 100 trees with at least 5 rows a leaf.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Which quantile is answered, 0 to 1. Default 0.5.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// How many trees, 1 to 100 000. Default 100.
    #[must_use]
    pub fn trees(mut self, trees: usize) -> Self {
        self.trees = trees;
        self
    }

    /// How many splits a row passes at most in a tree; `None` is no limit. Default `None`.
    #[must_use]
    pub fn max_depth(mut self, max_depth: Option<usize>) -> Self {
        self.max_depth = max_depth;
        self
    }

    /// How many leaves a tree has at most, at least 2. `None` is no limit. Default `None`.
    #[must_use]
    pub fn max_leaves(mut self, max_leaves: Option<usize>) -> Self {
        self.max_leaves = max_leaves;
        self
    }

    /// How many rows, in sum of weights of the rows drawn, a leaf has at least. Above 0; default 5.
    #[must_use]
    pub fn min_rows_leaf(mut self, min_rows_leaf: f64) -> Self {
        self.min_rows_leaf = min_rows_leaf;
        self
    }

    /// How many quantiles of its targets a leaf keeps, 1 to 1024. Default 16.
    #[must_use]
    pub fn kept(mut self, kept: usize) -> Self {
        self.kept = kept;
        self
    }

    /// How many features, drawn anew, each split chooses from; `None`, the default, is as
    /// [`feature_share`](Self::feature_share) says.
    #[must_use]
    pub fn features_per_split(mut self, features_per_split: Option<usize>) -> Self {
        self.features_per_split = features_per_split;
        self
    }

    /// The share of the features that each split chooses from. Above 0, at most 1; `None`, the default, is all.
    #[must_use]
    pub fn feature_share(mut self, feature_share: Option<f64>) -> Self {
        self.feature_share = feature_share;
        self
    }

    /// How many bins a column has at most, without that of missing values. From 2 to 255; default 255.
    #[must_use]
    pub fn max_bins(mut self, max_bins: usize) -> Self {
        self.max_bins = max_bins;
        self
    }

    fn options(&self) -> Options<'_> {
        Options {
            tag: Self::TAG,
            trees: self.trees,
            max_depth: self.max_depth,
            max_leaves: self.max_leaves,
            min_rows_leaf: self.min_rows_leaf,
            features_per_split: self.features_per_split,
            feature_share: self.feature_share,
            draw: Draw::Again(1.0),
            max_bins: self.max_bins,
            class_weights: ClassWeights::Equal,
            random_cuts: false,
            single: false,
            out_of_bag: false,
            kept: Some(self.kept),
        }
    }
}

/// What a [`QuantileForest`] learns: trees whose leaves keep quantiles, and the level that is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantileModel {
    level: f64,
    trees: TreeEnsemble,
}

impl QuantileModel {
    /// The trees; each leaf has a value for each quantile that it keeps.
    pub fn trees(&self) -> &TreeEnsemble {
        &self.trees
    }

    /// The level that is answered.
    pub fn level(&self) -> f64 {
        self.level
    }

    /// Other quantiles of the target for each row, `n × levels`: two of them are an interval.
    ///
    /// # Errors
    /// Other columns; a level outside 0 to 1.
    pub fn quantiles(&self, features: &Features, levels: &[f64]) -> Result<Array2<f64>> {
        levels.iter().try_for_each(|&level| check_level(level))?;
        let rows = self.trees.map_rows(features, |row| self.of_row(row, levels))?;
        Ok(Array2::from_shape_fn((rows.len(), levels.len()), |(row, level)| rows[row][level]))
    }

    fn answer(&self, row: &[f64]) -> Result<f64> {
        Ok(self.of_row(row, &[self.level])?[0])
    }

    fn of_row(&self, row: &[f64], levels: &[f64]) -> Result<Vec<f64>> {
        let kept = self.trees.outputs();
        let leaves = self.trees.trees().iter().flat_map(|tree| tree.leaf_values(tree.find(row), kept));
        let values: Vec<f64> = leaves.copied().collect();
        // Only a file that was tampered with has another level.
        quantiles(&values, levels).ok_or_else(|| {
            let (what, why) = ("a quantile".into(), "its level is not within 0 to 1".into());
            NumericError::Undefined { what, why }.into()
        })
    }
}

fn check_level(level: f64) -> Result<()> {
    ParameterError::check((0.0..=1.0).contains(&level), "level", level, "0 to 1")
}

impl Persist for QuantileForest {
    const TAG: &'static str = "QuantileForest";
}

impl Persist for QuantileModel {
    const TAG: &'static str = "QuantileModel";
}

impl Learner<Regression> for QuantileForest {
    type Model = QuantileModel;

    fn accepts(&self) -> Accepts {
        Accepts { missing: true, categories: true }
    }

    fn fit(&self, train: &Design<Regression>, cx: &FitContext) -> Result<QuantileModel> {
        check_level(self.level)?;
        ParameterError::check((1..=1024).contains(&self.kept), "kept", self.kept, "1 to 1024")?;
        Ok(QuantileModel { level: self.level, trees: self.options().fit(train, cx)? })
    }
}

impl Predict<Regression> for QuantileModel {
    fn predict(&self, features: &Features) -> Result<<Regression as Task>::Output> {
        Ok(self.trees.map_rows(features, |row| self.answer(row))?.into())
    }

    fn predict_row(&self, row: &[f64]) -> Result<f64> {
        self.trees.check_row(row)?;
        self.answer(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::table::Table;
    use stagewise_core::target::NumberTarget;
    use stagewise_numeric::random::Stream;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn conformance() {
        conformance::learner::<Regression, _>(&QuantileForest::new().trees(12).level(0.8), &data::regression(70, 1));
    }

    #[test]
    fn intervals_hold_their_share_of_new_rows() {
        let mut stream = Stream::new(1, "quantiles");
        let mut design = |rows: usize| {
            let x: Vec<f64> = (0..rows).map(|_| stream.unit()).collect();
            // The spread grows with x.
            let y: Vec<f64> = x.iter().map(|x| 3.0 * x + x * stream.normal()).collect();
            let features = Features::new(Table::of([("x", Column::numbers(x))]).unwrap()).unwrap();
            Design::<Regression>::new(features, NumberTarget::new(y), ())
        };
        let (train, test) = (design(2000), design(2000));
        let model = QuantileForest::new().trees(50).min_rows_leaf(20.0).fit(&train, &FitContext::new(1)).unwrap();
        let bands = model.quantiles(&test.features, &[0.1, 0.5, 0.9]).unwrap();
        let answers = model.predict(&test.features).unwrap();
        let inside = |from: f64, to: f64| {
            let (mut inside, mut all) = (0.0, 0.0);
            for row in 0..2000 {
                let x = test.features.matrix()[[row, 0]];
                assert!(bands[[row, 0]] <= bands[[row, 1]] && bands[[row, 1]] <= bands[[row, 2]]);
                assert_eq!(bands[[row, 1]], answers[row]);
                if x >= from && x < to {
                    all += 1.0;
                    let y = test.target.values()[row];
                    inside += f64::from(u8::from(y >= bands[[row, 0]] && y <= bands[[row, 2]]));
                }
            }
            inside / all
        };
        for (from, to) in [(0.0, 0.5), (0.5, 1.0)] {
            assert!((inside(from, to) - 0.8).abs() < 0.06, "{} from {from} to {to}", inside(from, to));
        }
        assert!(model.quantiles(&test.features, &[1.5]).is_err());
    }
}
