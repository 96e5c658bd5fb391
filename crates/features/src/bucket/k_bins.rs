//! Numbers into k bins: equally wide, equally full, or around k means.

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
use super::k_means;
use crate::columns::positions;
use crate::rewrite::{Rewrite, Training, plan};
use crate::scale::finite::Finite;

/// Puts numbers into `k` bins whose edges are learned from the training rows.
///
/// | [`strategy`](Self::strategy) | edges |
/// |---|---|
/// | [`Uniform`](BinStrategy::Uniform) | `min + i (max - min) / k` |
/// | [`Quantile`](BinStrategy::Quantile) | the quantiles at `i / k`, by linear interpolation |
/// | [`KMeans`](BinStrategy::KMeans) | half-way between neighbouring means of Lloyd's iteration from the middles of equally wide bins |
///
/// Bins are closed below and open above, and the outer ones reach to infinity. The output is the number of the bin, or
/// a level that names its range. The target is not looked at. With weights the quantiles are those of
/// [`weighted_quantiles`](stagewise_numeric::quantile::weighted_quantiles), and means are weighted.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | left out when learning; then [`missing`](Self::missing), by default they stay missing |
/// | numbers outside the training range | the first or the last bin |
/// | `±∞` | left out when learning; the first or the last bin |
/// | quantiles that are equal, or equal to the least value; clusters without a row | fewer bins, with a warning |
/// | a constant column, or one without any finite value | one bin, with a warning |
///
/// Output: the same columns. Expected `O(rows log k)` a column to fit; `O(rows log rows)` for k-means and with weights.
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
/// use stagewise_features::bucket::KBins;
///
/// let table = Table::of([
///     ("income", Column::numbers([10.0, 20.0, 30.0, 40.0, 1e6])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0, 5.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = KBins::on(numbers()).bins(2).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("income")?.as_numbers()?, [0.0, 0.0, 1.0, 1.0, 1.0]);
/// assert_eq!(fitted.rule("income").map(|rule| rule.edges().to_vec()), Some(vec![30.0]));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `KBinsDiscretizer(encode="ordinal", subsample=None, quantile_method="linear")`,
/// edges to 1e-9. Its quantiles are by default the averaged inverse of the distribution function, of 200,000 rows drawn
/// at random. Where the largest value is also an inner quantile, it drops that edge, and with it the only one of a
/// column that is 1 in most rows and 0 in the others; here the largest value then has a bin of its own. It moves
/// clusters without a row to far values; here there are fewer clusters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KBins {
    on: Selector,
    #[serde(default = "five")]
    bins: usize,
    #[serde(default)]
    strategy: BinStrategy,
    #[serde(default)]
    output: BinOutput,
    #[serde(default)]
    missing: MissingBin,
}

/// Where the edges of `k` bins are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BinStrategy {
    /// Bins are equally wide.
    Uniform,
    /// Bins have equally many rows.
    #[default]
    Quantile,
    /// Values of a bin are nearest to the mean of its values.
    KMeans,
}

impl KBins {
    /// Puts these columns, which must be numbers, into bins.
    pub fn on(columns: Selector) -> Self {
        Self {
            on: columns,
            bins: five(),
            strategy: BinStrategy::default(),
            output: BinOutput::default(),
            missing: MissingBin::default(),
        }
    }

    /// How many bins: 2 to 10,000. Default 5.
    #[must_use]
    pub fn bins(mut self, bins: usize) -> Self {
        self.bins = bins;
        self
    }

    /// Where the edges are put. Default [`BinStrategy::Quantile`].
    #[must_use]
    pub fn strategy(mut self, strategy: BinStrategy) -> Self {
        self.strategy = strategy;
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
        ParameterError::check((2..=10_000).contains(&self.bins), "bins", self.bins, "2 to 10,000")?;
        positions(&self.on, input, &[Kind::Number])
    }

    fn learn(&self, training: &mut Training<'_>) -> Result<Binning> {
        let finite = Finite::of(training)?;
        let Some((least, largest)) = finite.range() else {
            return Ok(Binning::unlearned(training, self.output.into(), self.missing));
        };
        let mut edges = match self.strategy {
            _ if least == largest => Vec::new(),
            BinStrategy::Uniform => uniform(least, largest, self.bins),
            BinStrategy::Quantile => finite
                .quantiles(&(1..self.bins).map(|i| i as f64 / self.bins as f64).collect::<Vec<_>>())
                .unwrap_or_default(),
            BinStrategy::KMeans => k_means::edges(&finite, &uniform(least, largest, self.bins)),
        };
        // Below the least value there is no row.
        edges.retain(|&edge| edge > least && edge <= largest);
        let rule = Binning::new(edges, self.output.into(), self.missing);
        match rule.bins() {
            1 => training.warn("is constant; all values share one bin"),
            bins if bins < self.bins => {
                training.warn(format!(
                    "gets {bins} bins where {} were asked for: its values are too few or too equal",
                    self.bins
                ));
            }
            _ => {}
        }
        Ok(rule)
    }
}

impl Persist for KBins {
    const TAG: &'static str = "KBins";
}

impl<T: Task> Transformer<T> for KBins {
    type Fitted = FittedBins;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let is_level = self.output == BinOutput::Level;
        Ok(plan(input, &self.positions(input)?, true, |field| vec![Binning::field(field, is_level, self.missing)]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedBins> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| self.learn(training))
    }
}

/// The inner edges of equally wide bins.
fn uniform(least: f64, largest: f64, bins: usize) -> Vec<f64> {
    let width = largest - least;
    let at = |i: usize| {
        if width.is_finite() {
            least + i as f64 * (width / bins as f64)
        } else {
            let share = i as f64 / bins as f64;
            least * (1.0 - share) + largest * share
        }
    };
    (1..bins).map(at).collect()
}

fn five() -> usize {
    5
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

    const STRATEGIES: [BinStrategy; 3] = [BinStrategy::Uniform, BinStrategy::Quantile, BinStrategy::KMeans];

    fn learned(spec: &KBins, x: &[f64], weights: Option<Vec<f64>>) -> Binning {
        let rows: Vec<Vec<f64>> = x.iter().map(|&x| vec![x]).collect();
        spec.fit(&training(table(&rows), weights), &FitContext::new(0)).unwrap().rule("c0").unwrap().clone()
    }

    #[test]
    fn conforms() {
        let weighted = data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap();
        for strategy in STRATEGIES {
            for (output, missing) in [(BinOutput::Number, MissingBin::Own), (BinOutput::Level, MissingBin::Keep)] {
                let spec = KBins::on(numbers()).strategy(strategy).output(output).missing(missing);
                conformance::transformer(&spec, &data::binary(60, 1));
                conformance::transformer(&spec, &weighted);
            }
            conformance::transformer(
                &KBins::on(numbers()).strategy(strategy).bins(30),
                &data::multiclass_numeric(62, 3),
            );
        }
        conformance::transformer(
            &KBins::on(numbers()).output(BinOutput::Level).missing(MissingBin::Own),
            &data::ranking(60, 1),
        );
    }

    #[test]
    fn equals_scikit_learn() {
        let golden = golden::load("bins.json");
        let cases: Vec<_> = golden.cases.iter().filter(|case| case.value("/input/kind") == "k_bins").collect();
        assert!(cases.len() >= 9, "{} cases", cases.len());
        for case in cases {
            let strategy = match case.value("/input/strategy").as_str().unwrap() {
                "uniform" => BinStrategy::Uniform,
                "quantile" => BinStrategy::Quantile,
                _ => BinStrategy::KMeans,
            };
            let spec = KBins::on(all()).strategy(strategy).bins(case.number("/input/bins") as usize);
            let rule = learned(&spec, &case.numbers("/input/fit"), None);
            golden.assert_all_close(rule.edges(), &case.numbers("/expected/edges"), &case.name);
            let found: Vec<f64> = case.numbers("/input/apply").iter().map(|&x| rule.number(x)).collect();
            golden.assert_all_close(&found, &case.numbers("/expected/bins"), &case.name);
        }
    }

    #[test]
    fn a_flag_that_is_mostly_one_keeps_its_two_values() {
        let x = [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        for strategy in STRATEGIES {
            let rule = learned(&KBins::on(all()).strategy(strategy), &x, None);
            assert!(rule.number(0.0) < rule.number(1.0), "{strategy:?}: {:?}", rule.edges());
        }
    }

    #[test]
    fn extremes_and_warnings() {
        let cx = FitContext::new(0);
        for strategy in STRATEGIES {
            let spec = KBins::on(all()).strategy(strategy).bins(3);
            let huge = learned(&spec, &[f64::MIN, -1.0, 1.0, f64::MAX, f64::INFINITY, f64::NAN], None);
            assert!(huge.edges().iter().all(|edge| edge.is_finite()), "{strategy:?}: {:?}", huge.edges());
            assert_eq!(huge.number(f64::INFINITY), (huge.bins() - 1) as f64);
            assert_eq!(huge.number(f64::NEG_INFINITY), 0.0);
            assert!(huge.number(f64::NAN).is_nan());
            let tiny = learned(&spec, &[0.0, 5e-324, 1e-323], None);
            assert!(tiny.bins() >= 2, "{strategy:?}: {:?}", tiny.edges());
            for x in [vec![2.0, 2.0], vec![f64::NAN, f64::INFINITY]] {
                let rows: Vec<Vec<f64>> = x.iter().map(|&x| vec![x]).collect();
                let fitted = spec.fit(&training(table(&rows), None), &cx).unwrap();
                assert_eq!(fitted.rule("c0").map(Binning::bins), Some(1));
            }
        }
        let texts: Vec<_> = cx.take_warnings().into_iter().map(|w| w.what).collect();
        assert_eq!(texts.len(), 6);
        assert_eq!(texts[0], "column `c0`: is constant; all values share one bin");
        assert_eq!(texts[1], "column `c0`: has no finite value to learn from; all values share one bin");
    }

    #[test]
    fn levels_say_their_range() {
        let rows: Vec<Vec<f64>> = (0..10).map(|i| vec![f64::from(i)]).collect();
        let spec = KBins::on(all()).bins(2).output(BinOutput::Level).missing(MissingBin::Own);
        let fitted = spec.fit(&training(table(&rows), None), &FitContext::new(0)).unwrap();
        let field = fitted.output().field("c0").unwrap();
        assert_eq!(field.levels.as_ref().unwrap().to_strings(), ["(-inf, 4.5)", "[4.5, inf)", "(missing)"]);
        let out = fitted.transform(table(&[vec![1.0], vec![f64::NAN], vec![4.5]])).unwrap();
        assert_eq!(out.columns()[0].as_categories().unwrap().0, [0, 2, 1]);
    }

    #[test]
    fn counts_are_checked_before_data() {
        for bins in [0, 1, 10_001] {
            let spec = KBins::on(numbers()).bins(bins);
            let error = Transformer::<Regression>::plan(&spec, data::mixed(3, 0).schema()).unwrap_err();
            assert_eq!(error.to_string(), format!("`bins` is {bins}, allowed is 2 to 10,000"));
        }
    }

    proptest! {
        #[test]
        fn quantile_bins_are_equally_full(
            x in prop::collection::hash_set(-100_000i32..100_000, 20..200), bins in 2usize..9,
        ) {
            let x: Vec<f64> = x.into_iter().map(f64::from).collect();
            let rule = learned(&KBins::on(all()).bins(bins), &x, None);
            let mut counts = vec![0usize; bins];
            x.iter().for_each(|&x| counts[rule.bin(x)] += 1);
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            prop_assert!(most - least <= 2, "{:?}", counts);
        }

        #[test]
        fn whole_weights_are_repeated_rows(rows in prop::collection::vec((-50i32..50, 1u8..4), 3..30)) {
            let rows: Vec<(i32, u8)> = rows.into_iter().chain([(7, 1)]).collect();
            let x: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
            let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.1)).collect();
            let repeated: Vec<f64> = rows.iter().flat_map(|r| vec![f64::from(r.0); r.1.into()]).collect();
            for strategy in STRATEGIES {
                let spec = KBins::on(all()).strategy(strategy);
                let (a, b) = (learned(&spec, &x, Some(weights.clone())), learned(&spec, &repeated, None));
                prop_assert_eq!(a.bins(), b.bins());
                for (a, b) in a.edges().iter().zip(b.edges()) {
                    prop_assert!((a - b).abs() < 1e-9, "{:?}: {} {}", strategy, a, b);
                }
            }
        }
    }
}
