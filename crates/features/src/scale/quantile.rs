//! Numbers become what share of the training values lies below them.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::normal;

use super::finite::Finite;
use crate::columns::{positions, wrong_cell};
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// Shares closer than this to 0 or 1 have the normal quantile of this: ±5.2.
const OUTERMOST: f64 = 1e-7 - f64::EPSILON;

/// Maps numbers to their place in the distribution of the training values.
///
/// `F(x)`, where `F` goes in straight lines through `k` quantiles of the training rows and their shares
/// `0, 1/(k-1), …, 1`; with [`QuantileOutput::Normal`] the normal quantile of `F(x)`, within ±5.2. The result has the
/// same distribution whatever the column's was. Quantiles are by linear interpolation; with weights those of
/// [`weighted_quantiles`](stagewise_numeric::quantile::weighted_quantiles). A value at several quantiles, as the zeros
/// of a column that is mostly zero, gets the middle of their shares.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | left out when learning; stay missing |
/// | values at or below the least, at or above the largest of training | 0 and 1, normal -5.2 and 5.2 |
/// | a constant column | as if at the least |
/// | a column without any finite value | left as it is, with a warning |
/// | `±∞` | left out when learning; beyond the ends |
///
/// Output: the same columns. Expected `O(rows log k)` a column to fit, `O(rows log rows)` with weights, and `O(log k)`
/// a value.
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
/// use stagewise_features::scale::QuantileTransformer;
///
/// let table = Table::of([
///     ("income", Column::numbers([10.0, 20.0, 30.0, 40.0, 1e6])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0, 5.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = QuantileTransformer::on(numbers()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("income")?.as_numbers()?, [0.0, 0.25, 0.5, 0.75, 1.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `QuantileTransformer(subsample=None)`, tolerance 1e-9. By default it learns from
/// 10,000 rows drawn at random; here all rows count. It takes as many quantiles as there are rows if these are fewer,
/// rows without a value among them; here only values count. For normal output it takes values within 1e-7 of the least
/// or largest one for that one, whatever the unit of the column; here only equal ones are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantileTransformer {
    on: Selector,
    #[serde(default = "thousand")]
    quantiles: usize,
    #[serde(default)]
    output: QuantileOutput,
}

/// Which distribution the training values get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuantileOutput {
    /// Even between 0 and 1.
    #[default]
    Uniform,
    /// Standard normal.
    Normal,
}

/// A learned [`QuantileTransformer`].
pub type FittedQuantileTransformer = Rewrite<QuantileMap>;

/// What was learned about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantileMap {
    /// Ascending; none if the column had no value.
    quantiles: Vec<f64>,
    output: QuantileOutput,
}

impl QuantileTransformer {
    /// Maps these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, quantiles: thousand(), output: QuantileOutput::default() }
    }

    /// How many quantiles to learn, at most as many as there are values: 2 to 100,000. Default 1000.
    #[must_use]
    pub fn quantiles(mut self, quantiles: usize) -> Self {
        self.quantiles = quantiles;
        self
    }

    /// Which distribution the training values get. Default [`QuantileOutput::Uniform`].
    #[must_use]
    pub fn output(mut self, output: QuantileOutput) -> Self {
        self.output = output;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        let quantiles = self.quantiles;
        ParameterError::check((2..=100_000).contains(&quantiles), "quantiles", quantiles, "2 to 100,000")?;
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for QuantileTransformer {
    const TAG: &'static str = "QuantileTransformer";
}

impl<T: Task> Transformer<T> for QuantileTransformer {
    type Fitted = FittedQuantileTransformer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| vec![field.clone()]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedQuantileTransformer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let finite = Finite::of(training)?;
            let count = finite.rows().clamp(2.0, self.quantiles as f64) as usize;
            let shares: Vec<f64> = (0..count).map(|i| share(i, count)).collect();
            let mut quantiles = finite.quantiles(&shares).unwrap_or_else(|| {
                training.warn("has no finite value to learn from; it is left as it is");
                Vec::new()
            });
            // Interpolation may be off by a rounding; quantiles never descend.
            for i in 1..quantiles.len() {
                quantiles[i] = quantiles[i].max(quantiles[i - 1]);
            }
            Ok(QuantileMap { quantiles, output: self.output })
        })
    }
}

impl QuantileMap {
    /// The quantiles, ascending: of `k`, the `i`-th has the share `i / (k - 1)`.
    pub fn quantiles(&self) -> &[f64] {
        &self.quantiles
    }

    #[inline]
    fn mapped(&self, x: f64) -> f64 {
        let (Some(&least), Some(&largest)) = (self.quantiles.first(), self.quantiles.last()) else { return x };
        if x.is_nan() {
            return x;
        }
        let p = if x <= least {
            0.0
        } else if x >= largest {
            1.0
        } else {
            self.between(x)
        };
        match self.output {
            QuantileOutput::Uniform => p,
            QuantileOutput::Normal => normal::quantile(p.clamp(OUTERMOST, 1.0 - OUTERMOST)),
        }
    }

    /// The share of a value above the least and below the largest.
    #[inline]
    fn between(&self, x: f64) -> f64 {
        let (quantiles, count) = (&self.quantiles, self.quantiles.len());
        let above = quantiles.partition_point(|&q| q < x);
        let high = quantiles[above];
        if high == x {
            let last = above + quantiles[above..].partition_point(|&q| q == x) - 1;
            return 0.5 * (share(above, count) + share(last, count));
        }
        // The least is below `x`, so there is one before.
        let low = quantiles[above - 1];
        // Halves, so that a difference of very large values does not overflow.
        let part = (0.5 * x - 0.5 * low) / (0.5 * high - 0.5 * low);
        let start = share(above - 1, count);
        start + part * (share(above, count) - start)
    }
}

impl ColumnRule for QuantileMap {
    const TAG: &'static str = "FittedQuantileTransformer";

    fn fields(&self, field: &Field) -> Vec<Field> {
        vec![field.clone()]
    }

    fn column(&self, _: &Field, mut column: Column, out: &mut Vec<Column>) -> Result<()> {
        column.make_numbers()?.iter_mut().for_each(|x| *x = self.mapped(*x));
        out.push(column);
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        out.push(match cell {
            Cell::Number(x) => Cell::number(self.mapped(*x)),
            Cell::Missing => Cell::Missing,
            other => return Err(wrong_cell(Kind::Number, other)),
        });
        Ok(())
    }
}

/// The share of the `i`-th of `count` quantiles.
#[inline]
fn share(i: usize, count: usize) -> f64 {
    i as f64 / (count - 1) as f64
}

fn thousand() -> usize {
    1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::select::{all, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data, golden};

    use crate::test_tables::{numbers as table, training};

    #[test]
    fn conforms() {
        let weighted = data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap();
        for output in [QuantileOutput::Uniform, QuantileOutput::Normal] {
            let spec = QuantileTransformer::on(numbers()).output(output);
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &weighted);
            conformance::transformer(&spec.quantiles(7), &data::multiclass_numeric(62, 3));
        }
    }

    #[test]
    fn equals_scikit_learn() {
        let golden = golden::load("quantile_transform.json");
        assert!(golden.cases.len() >= 8, "{} cases", golden.cases.len());
        for case in &golden.cases {
            let normal = case.value("/input/output") == "normal";
            let output = if normal { QuantileOutput::Normal } else { QuantileOutput::Uniform };
            let spec =
                QuantileTransformer::on(all()).quantiles(case.number("/input/quantiles") as usize).output(output);
            let train = training(table(&case.matrix("/input/fit")), None);
            let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
            for (j, expected) in case.matrix("/expected/quantiles").iter().enumerate() {
                let found = fitted.rule(&format!("c{j}")).unwrap().quantiles();
                golden.assert_all_close(found, expected, &format!("{}: quantiles {j}", case.name));
            }
            let out = fitted.transform(table(&case.matrix("/input/apply"))).unwrap();
            for (row, expected) in case.matrix("/expected/transformed").iter().enumerate() {
                let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
                golden.assert_all_close(&found, expected, &format!("{}: row {row}", case.name));
            }
        }
    }

    fn mapped(spec: &QuantileTransformer, x: &[f64], weights: Option<Vec<f64>>, later: &[f64]) -> Vec<f64> {
        let rows = |x: &[f64]| table(&x.iter().map(|&x| vec![x]).collect::<Vec<_>>());
        let fitted = spec.fit(&training(rows(x), weights), &FitContext::new(0)).unwrap();
        fitted.transform(rows(later)).unwrap().columns()[0].as_numbers().unwrap().to_vec()
    }

    #[test]
    fn ends_and_ties() {
        let spec = QuantileTransformer::on(all());
        let x = [f64::NAN, 0.0, 1.0, 1.0, 1.0, 5.0, f64::INFINITY];
        let later = [f64::NEG_INFINITY, -1.0, 0.0, 1.0, 3.0, 5.0, f64::INFINITY];
        assert_eq!(mapped(&spec, &x, None, &later), [0.0, 0.0, 0.0, 0.5, 0.875, 1.0, 1.0]);
        let normal = mapped(&spec.clone().output(QuantileOutput::Normal), &x, None, &later);
        assert!((normal[0] + 5.199337582605575).abs() < 1e-6 && normal[3] == 0.0);
        assert!((normal[6] + normal[0]).abs() < 1e-6);
        let huge = [f64::MIN, 0.0, f64::MAX];
        assert_eq!(mapped(&spec, &huge, None, &[f64::MIN / 2.0, f64::MAX / 2.0]), [0.25, 0.75]);
        assert_eq!(mapped(&spec, &[2.0, 2.0], None, &[2.0, 3.0, 1.0]), [0.0, 1.0, 0.0]);
        assert_eq!(mapped(&spec, &[f64::NAN], None, &[2.0]), [2.0]);
    }

    #[test]
    fn counts_are_checked_before_data() {
        for count in [0, 1, 100_001] {
            let spec = QuantileTransformer::on(numbers()).quantiles(count);
            let error = Transformer::<Regression>::plan(&spec, data::mixed(3, 0).schema()).unwrap_err();
            assert_eq!(error.to_string(), format!("`quantiles` is {count}, allowed is 2 to 100,000"));
        }
    }

    proptest! {
        #[test]
        fn order_is_kept(
            x in prop::collection::vec(-1e3f64..1e3, 1..60), mut later in prop::collection::vec(-2e3f64..2e3, 2..20),
        ) {
            later.sort_by(f64::total_cmp);
            for output in [QuantileOutput::Uniform, QuantileOutput::Normal] {
                let spec = QuantileTransformer::on(all()).quantiles(13).output(output);
                let found = mapped(&spec, &x, None, &later);
                prop_assert!(found.is_sorted(), "{:?}", found);
            }
        }

        #[test]
        fn whole_weights_are_repeated_rows(rows in prop::collection::vec((-50i32..50, 1u8..4), 2..30)) {
            let rows: Vec<(i32, u8)> = rows.into_iter().chain([(7, 1)]).collect();
            let x: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
            let weights = rows.iter().map(|r| f64::from(r.1)).collect();
            let repeated: Vec<f64> = rows.iter().flat_map(|r| vec![f64::from(r.0); r.1.into()]).collect();
            let spec = QuantileTransformer::on(all());
            prop_assert_eq!(mapped(&spec, &x, Some(weights), &x), mapped(&spec, &repeated, None, &x));
        }
    }
}
