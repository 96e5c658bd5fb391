//! Numbers into bins that tell the truth apart.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::{Binary, Multiclass, Regression, Task};

use super::binning::{BinOutput, Binning, FittedBins, MissingBin};
use super::sorted::{Sorted, Truth};
use super::{mdlp, tree};
use crate::columns::positions;
use crate::rewrite::{Rewrite, Training, plan};

/// Puts numbers into bins whose edges are where the target changes most.
///
/// | [`split_by`](Self::split_by) | edges |
/// |---|---|
/// | [`Tree`](BinSearch::Tree) | the thresholds of a tree of this depth on the column alone: Gini impurity or squared error |
/// | [`Mdlp`](BinSearch::Mdlp) | the cuts of least entropy, while each saves more bits than it costs; classes only |
///
/// Edges lie half-way between neighbouring training values. The output is the number of the bin, or a level that names
/// its range. The target is looked at when fitting, and only for where the edges are: training rows are put into the
/// same bins as later rows. [`Mdlp`](BinSearch::Mdlp) finds no edge in most columns that say nothing of the target; a
/// tree always finds some, so an encoder of the target behind it should cross-fit, as ours do.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | left out when learning; then [`missing`](Self::missing), by default they stay missing |
/// | numbers outside the training range | the first or the last bin |
/// | `±∞` | left out when learning; the first or the last bin |
/// | a column that no cut improves, or without any finite value | one bin, with a warning |
/// | weights | count as rows |
/// | [`Mdlp`](BinSearch::Mdlp) in a regression | [`ParameterError`] |
///
/// Output: the same columns. `O(rows (log rows + depth))` a column to fit.
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
/// use stagewise_features::bucket::{BinSearch, SupervisedBins};
///
/// let table = Table::of([
///     ("age", Column::numbers([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])),
///     ("cost", Column::numbers([1.0, 1.0, 5.0, 5.0, 5.0, 9.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let spec = SupervisedBins::on(numbers()).split_by(BinSearch::Tree { depth: 2 });
/// let (fitted, train) = spec.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(fitted.rule("age").map(|rule| rule.edges().to_vec()), Some(vec![25.0, 55.0]));
/// assert_eq!(train.features().column("age")?.as_numbers()?, [0.0, 0.0, 1.0, 1.0, 1.0, 2.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Source: Breiman et al. (1984), "Classification and regression trees"; Fayyad & Irani (1993), "Multi-interval
/// discretization of continuous-valued attributes for classification learning". Checked against the thresholds of
/// scikit-learn 1.9.1 `DecisionTreeClassifier` and `DecisionTreeRegressor`, and against Orange 3.40 `EntropyMDL`, to
/// 1e-9.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupervisedBins {
    on: Selector,
    #[serde(default)]
    split_by: BinSearch,
    #[serde(default = "twentieth")]
    min_share: f64,
    #[serde(default)]
    output: BinOutput,
    #[serde(default)]
    missing: MissingBin,
}

/// What decides about cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BinSearch {
    /// A decision tree.
    Tree {
        /// How deep: 1 to 10, which gives at most `2^depth` bins.
        depth: u32,
    },
    /// The minimum description length principle.
    Mdlp,
}

impl Default for BinSearch {
    fn default() -> Self {
        Self::Tree { depth: 3 }
    }
}

impl SupervisedBins {
    /// Puts these columns, which must be numbers, into bins.
    pub fn on(columns: Selector) -> Self {
        Self {
            on: columns,
            split_by: BinSearch::default(),
            min_share: twentieth(),
            output: BinOutput::default(),
            missing: MissingBin::default(),
        }
    }

    /// What decides about cuts. Default a [`Tree`](BinSearch::Tree) of depth 3.
    #[must_use]
    pub fn split_by(mut self, split_by: BinSearch) -> Self {
        self.split_by = split_by;
        self
    }

    /// The least share of the rows, by weight, that a bin has: at least 0, at most 0.5. Default 0.05; the original of
    /// [`Mdlp`](BinSearch::Mdlp) has 0.
    #[must_use]
    pub fn min_share(mut self, min_share: f64) -> Self {
        self.min_share = min_share;
        self
    }

    /// What stands in place of a number. Default [`BinOutput::Number`].
    #[must_use]
    pub fn output(mut self, output: BinOutput) -> Self {
        self.output = output;
        self
    }

    /// What becomes of a missing value. Default [`MissingBin::Keep`].
    #[must_use]
    pub fn missing(mut self, missing: MissingBin) -> Self {
        self.missing = missing;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        if let BinSearch::Tree { depth } = self.split_by {
            ParameterError::check((1..=10).contains(&depth), "depth", depth, "1 to 10")?;
        }
        let share = self.min_share;
        ParameterError::check((0.0..=0.5).contains(&share), "min_share", share, "at least 0, at most 0.5")?;
        positions(&self.on, input, &[Kind::Number])
    }

    fn planned(&self, input: &Schema) -> Result<Plan> {
        let is_level = self.output == BinOutput::Level;
        Ok(plan(input, &self.positions(input)?, true, |field| vec![Binning::field(field, is_level, self.missing)]))
    }

    fn learned<T: Task>(&self, train: &Dataset<T>, truth: Truth<'_>, cx: &FitContext) -> Result<FittedBins> {
        let positions = self.positions(train.features().schema())?;
        Rewrite::learn(train, &positions, cx, |training| self.learn(training, truth))
    }

    fn learn(&self, training: &mut Training<'_>, truth: Truth<'_>) -> Result<Binning> {
        let sorted = Sorted::of(training, truth)?;
        if sorted.rows.is_empty() {
            return Ok(Binning::unlearned(training, self.output.into(), self.missing));
        }
        let least = self.min_share * sorted.weight(0..sorted.rows.len());
        let edges = match self.split_by {
            BinSearch::Tree { depth } => tree::edges(&sorted, depth, least),
            BinSearch::Mdlp => mdlp::edges(&sorted, least),
        };
        if edges.is_empty() {
            training.warn("has no cut that tells the target apart; all values share one bin");
        }
        Ok(Binning::new(edges, self.output.into(), self.missing))
    }
}

impl Persist for SupervisedBins {
    const TAG: &'static str = "SupervisedBins";
}

impl Transformer<Binary> for SupervisedBins {
    type Fitted = FittedBins;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        self.planned(input)
    }

    fn fit(&self, train: &Dataset<Binary>, cx: &FitContext) -> Result<FittedBins> {
        self.learned(train, Truth::Events(train.target().events()), cx)
    }
}

impl Transformer<Multiclass> for SupervisedBins {
    type Fitted = FittedBins;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        self.planned(input)
    }

    fn fit(&self, train: &Dataset<Multiclass>, cx: &FitContext) -> Result<FittedBins> {
        let target = train.target();
        self.learned(train, Truth::Classes(target.codes(), target.classes()), cx)
    }
}

impl Transformer<Regression> for SupervisedBins {
    type Fitted = FittedBins;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let has_classes = self.split_by == BinSearch::Mdlp;
        ParameterError::check(!has_classes, "split_by", "mdlp", "a tree, where the target is a number")?;
        self.planned(input)
    }

    fn fit(&self, train: &Dataset<Regression>, cx: &FitContext) -> Result<FittedBins> {
        Transformer::<Regression>::plan(self, train.features().schema())?;
        self.learned(train, Truth::Numbers(train.target().values()), cx)
    }
}

fn twentieth() -> f64 {
    0.05
}

#[cfg(test)]
mod tests;
