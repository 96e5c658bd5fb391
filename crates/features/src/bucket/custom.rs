//! Numbers into bins whose edges a person knows.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::binning::{BinOutput, Binning, FittedBins, MissingBin};
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Puts numbers into bins between given edges.
///
/// With edges `e_1 < … < e_k` there are `k + 1` bins `(-∞, e_1)`, `[e_1, e_2)`, …, `[e_k, ∞)`: a number that is an edge
/// belongs to the bin above it. The output is the number of the bin, or a level that names its range.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | [`missing`](Self::missing); by default they stay missing |
/// | numbers outside the training range, `±∞` | the bin that they lie in, there always is one |
///
/// Output: the same columns. Nothing is learned from the training rows, so weights have no influence.
/// `O(rows log edges)` a column.
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
/// use stagewise_features::bucket::CustomBins;
///
/// let table = Table::of([
///     ("age", Column::numbers([17.0, 18.0, 64.5, 90.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = CustomBins::on(numbers(), [18.0, 65.0]).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("age")?.as_numbers()?, [0.0, 1.0, 1.0, 2.0]);
/// assert_eq!(fitted.rule("age").map(|rule| rule.labels()[1].clone()), Some("[18, 65)".to_string()));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against pandas 3.0 `cut(right=False)`, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomBins {
    on: Selector,
    edges: Vec<f64>,
    #[serde(default)]
    output: BinOutput,
    #[serde(default)]
    missing: MissingBin,
}

impl CustomBins {
    /// Puts these columns, which must be numbers, into bins between these edges: at least one, finite, ascending.
    pub fn on(columns: Selector, edges: impl Into<Vec<f64>>) -> Self {
        Self { on: columns, edges: edges.into(), output: BinOutput::default(), missing: MissingBin::default() }
    }

    /// What stands in place of a number. Default [`BinOutput::Number`]. Levels say the edges in full.
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
        let valid = !self.edges.is_empty()
            && self.edges.iter().all(|edge| edge.is_finite())
            && self.edges.is_sorted_by(|a, b| a < b);
        ParameterError::check(valid, "edges", format!("{:?}", self.edges), "at least one, finite, ascending")?;
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for CustomBins {
    const TAG: &'static str = "CustomBins";
}

impl<T: Task> Transformer<T> for CustomBins {
    type Fitted = FittedBins;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let is_level = self.output == BinOutput::Level;
        Ok(plan(input, &self.positions(input)?, true, |field| vec![Binning::field(field, is_level, self.missing)]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedBins> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |_| {
            Ok(Binning::new(self.edges.clone(), self.output.into(), self.missing).in_full())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::numbers;
    use stagewise_core::stage::Transform;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data, golden};

    use crate::test_tables::{numbers as table, training};

    #[test]
    fn conforms() {
        for output in [BinOutput::Number, BinOutput::Level] {
            for missing in [MissingBin::Keep, MissingBin::Own] {
                let spec = CustomBins::on(numbers(), [-1.0, 0.0, 30.0, 1e4]).output(output).missing(missing);
                conformance::transformer(&spec, &data::binary(60, 1));
                conformance::transformer(&spec, &data::multiclass_numeric(62, 3));
                conformance::transformer(&spec, &data::ranking(62, 3));
            }
        }
    }

    #[test]
    fn equals_pandas() {
        let golden = golden::load("bins.json");
        let cases: Vec<_> = golden.cases.iter().filter(|case| case.value("/input/kind") == "custom").collect();
        assert!(cases.len() >= 2);
        for case in cases {
            let rows: Vec<Vec<f64>> = case.numbers("/input/apply").into_iter().map(|x| vec![x]).collect();
            let spec = CustomBins::on(numbers(), case.numbers("/input/edges"));
            let fitted = spec.fit(&training(table(&rows), None), &FitContext::new(0)).unwrap();
            let out = fitted.transform(table(&rows)).unwrap();
            golden.assert_all_close(
                out.columns()[0].as_numbers().unwrap(),
                &case.numbers("/expected/bins"),
                &case.name,
            );
        }
    }

    #[test]
    fn edges_are_checked_before_data() {
        for edges in [vec![], vec![1.0, 1.0], vec![2.0, 1.0], vec![f64::NAN], vec![f64::INFINITY]] {
            let spec = CustomBins::on(numbers(), edges);
            let error = Transformer::<Regression>::plan(&spec, data::mixed(3, 0).schema()).unwrap_err();
            assert!(error.to_string().starts_with("`edges` is ["), "{error}");
        }
    }
}
