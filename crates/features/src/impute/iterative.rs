//! Missing numbers are told by linear equations in the other numbers, round after round.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::parallel::blocks;
use stagewise_numeric::sum::dot;

use self::chain::Chain;
use super::indicator;
use super::ridge::RidgePenalty;
use super::rows::{FilledRows, Known, RowFill};
use crate::columns::positions;
use crate::joint::Joint;
use crate::rewrite::plan;

mod chain;

/// Fills missing numbers by chained equations: each column is told by all others, again and again.
///
/// Missing values begin as their column's mean. A round goes through the columns, those with the fewest missing values
/// first, ties by name; of each, a linear equation in the other columns is learned from the rows that have it, and its
/// missing values become what the equation says. Rounds go on until the values settle:
///
/// ```text
/// max over rows of Σ_j |x_j − x_j before| < tolerance · max |observed|
/// ```
///
/// Later rows go through the equations of all rounds in the same order, so a row of training gets at serving what it got
/// in training. Equations have a [`penalty`](Self::penalty) on their slopes, which stand in the units of the columns: scale
/// them before where they are far apart. What is filled in is the likeliest value, without scatter: spreads and relations
/// look surer than they are, which matters to tests and not to predictions.
///
/// | what comes | what happens |
/// |---|---|
/// | a column without any finite value in training | 0, with a warning; not looked at |
/// | a column complete in training | has an equation too, for values first missing later; no indicator |
/// | one column alone, a row that lacks all | the mean |
/// | `±∞` | not looked at, in training and later; stays what it is |
/// | columns whose squares are beyond the range of `f64` | their equations are their means, with a warning |
/// | an equation that gives no finite value | the mean |
/// | values that do not settle | the last round's, with a warning |
/// | weights | sums are weighted; a row of weight 0 is not there |
///
/// Output: the same columns, which then have no missing values; with [`indicator`](Self::indicator) some more. The target
/// is not touched. `O(rounds · columns · (rows · columns² + columns³))` to fit, `O(rounds · columns)` for a missing value.
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
/// use stagewise_features::impute::IterativeImputer;
///
/// let table = Table::of([
///     ("a", Column::numbers([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
///     ("b", Column::numbers([2.1, 3.9, 6.0, f64::NAN, 10.1, 11.9])),
///     ("cost", Column::numbers([1.0; 6])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = IterativeImputer::on(numbers()).fit_transform(train, &FitContext::new(0))?;
/// assert!((train.features().column("b")?.as_numbers()?[3] - 8.0).abs() < 0.02);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `IterativeImputer`, with `BayesianRidge` and with `Ridge`: the same number of rounds
/// and values within 1e-9. Both stop short of the exact fixed point, at the same place; what differs is rounding, since
/// scikit-learn decomposes the columns and here their products are factored. Azur et al. (2011), "Multiple imputation by
/// chained equations: what is it and how does it work?"; MacKay (1992), "Bayesian interpolation".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IterativeImputer {
    on: Selector,
    max_rounds: usize,
    tolerance: f64,
    penalty: RidgePenalty,
    indicator: bool,
}

/// A learned [`IterativeImputer`].
pub type FittedIterativeImputer = Joint<FilledRows<ChainedEquations>>;

/// Equations in the order in which they are applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChainedEquations {
    /// What missing values begin as.
    means: Vec<f64>,
    rounds: Vec<Vec<Equation>>,
}

/// `y = intercept + x · slopes`, over all columns; the slope of the column itself is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Equation {
    slot: usize,
    intercept: f64,
    slopes: Vec<f64>,
}

impl IterativeImputer {
    /// Imputes these columns, which must be numbers, by these columns.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, max_rounds: 10, tolerance: 1e-3, penalty: RidgePenalty::Evidence, indicator: false }
    }

    /// The most rounds: at least 1. Default 10.
    #[must_use]
    pub fn max_rounds(mut self, max_rounds: usize) -> Self {
        self.max_rounds = max_rounds;
        self
    }

    /// How small the change of a round must be, against the largest observed value: at least 0. Default 0.001.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// How large slopes may be: as the data say, or by an `l2` of at least 0. Default [`RidgePenalty::Evidence`].
    #[must_use]
    pub fn penalty(mut self, penalty: RidgePenalty) -> Self {
        self.penalty = penalty;
        self
    }

    indicator::indicator_setter!();

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        ParameterError::check(self.max_rounds > 0, "max_rounds", self.max_rounds, "at least 1")?;
        let tolerance = self.tolerance;
        ParameterError::check(tolerance >= 0.0, "tolerance", tolerance, "at least 0")?;
        if let RidgePenalty::L2(l2) = self.penalty {
            ParameterError::check(l2 >= 0.0 && l2.is_finite(), "penalty", l2, "an l2 of at least 0")?;
        }
        positions(&self.on, input, &[Kind::Number])
    }

    fn learn(&self, known: &Known, cx: &FitContext) -> Result<ChainedEquations> {
        let mut chain = Chain::new(known);
        let mut model = ChainedEquations { means: chain.means.clone(), rounds: Vec::new() };
        let width = known.columns.len();
        if width < 2 {
            return Ok(model);
        }
        let order = chain.order(known);
        let mut last = 0.0;
        let limit = self.tolerance * chain.largest;
        for round in 0..self.max_rounds {
            let before = chain.filled.clone();
            let mut equations = Vec::with_capacity(width);
            for &slot in &order {
                cx.check()?;
                let equation = chain.equation(slot, self.penalty).unwrap_or_else(|| {
                    if round == 0 {
                        let name = &known.names[slot];
                        cx.warn(format!(
                            "column `{name}`: values are too large for an equation; it is imputed by its mean"
                        ));
                    }
                    Equation { slot, intercept: chain.means[slot], slopes: vec![0.0; width] }
                });
                chain.apply(&equation);
                equations.push(equation);
            }
            model.rounds.push(equations);
            last = chain.change(&before);
            if last < limit {
                return Ok(model);
            }
        }
        // Values that are all there do not change: then 0 < 0 says nothing.
        if last > 0.0 {
            cx.warn(format!(
                "the imputed values still change by {last:e} after {} rounds, the limit is {limit:e}; raise `max_rounds`",
                self.max_rounds
            ));
        }
        Ok(model)
    }
}

impl Persist for IterativeImputer {
    const TAG: &'static str = "IterativeImputer";
}

impl<T: Task> Transformer<T> for IterativeImputer {
    type Fitted = FittedIterativeImputer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, !self.indicator, |field| indicator::planned(field, self.indicator)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedIterativeImputer> {
        let positions = self.positions(train.features().schema())?;
        FilledRows::learn(train, &positions, self.indicator, cx, |known| self.learn(known, cx))
    }
}

impl Equation {
    /// What it says of a row, or `mean` if that is not finite.
    fn told(&self, row: &[f64], mean: f64) -> f64 {
        let value = self.intercept + dot(&self.slopes, row);
        if value.is_finite() { value } else { mean }
    }
}

impl ChainedEquations {
    /// How many rounds there were.
    pub fn rounds(&self) -> usize {
        self.rounds.len()
    }
}

impl RowFill for ChainedEquations {
    const TAG: &'static str = "FittedIterativeImputer";

    fn fill(&self, rows: &mut [f64], width: usize) {
        /// Rows of a task.
        const BLOCK: usize = 256;
        let fill = |row: &[f64]| {
            let missing: Vec<bool> = row.iter().map(|x| x.is_nan()).collect();
            let mut row: Vec<f64> =
                row.iter().zip(&self.means).map(|(&x, &mean)| if x.is_nan() { mean } else { x }).collect();
            for equation in self.rounds.iter().flatten() {
                if missing.get(equation.slot) == Some(&true) {
                    row[equation.slot] = equation.told(&row, self.means[equation.slot]);
                }
            }
            row
        };
        let count = rows.len().checked_div(width).unwrap_or(0);
        let filled =
            blocks(count, BLOCK, |range| range.flat_map(|i| fill(&rows[i * width..][..width])).collect::<Vec<f64>>());
        rows.iter_mut().zip(filled.into_iter().flatten()).for_each(|(x, value)| *x = value);
    }
}

#[cfg(test)]
mod tests;
