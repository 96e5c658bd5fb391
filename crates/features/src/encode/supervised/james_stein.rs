//! Each level becomes its mean target, shrunk by the estimator of James and Stein.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::schema::Schema;
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_numeric::sum::exact_sum_by;

use super::cross_fit;
use super::outcome::{Outcome, Tally};
use super::spec::{HeldOut, Supervised, check_folds, five};
use crate::encode::by_level::FittedLevelEncoder;
use crate::encode::unseen::MissingAs;

/// Puts the mean target of a level in place of the level, shrunk towards the mean of all by how much level means differ more
/// than chance would have them.
///
/// `mean(all) + (1 - B) (mean(level) - mean(all))` with `B = min(1, (k - 3) / (k - 1) · v / (v + A))`. `k` is the number of
/// levels, `v = s² / n` the variance of the mean of a level of `n = Σ w` rows, `s²` the variance of the target within levels
/// (pooled, `Σ w - k` degrees of freedom), and `A` the variance of the true means by the method of moments:
/// `A = (Σ n (mean(level) - mean(all))² / (k - 1) - s²) / n₀`, `n₀ = (Σ n - Σ n² / Σ n) / (k - 1)`. With equal `n` this is the
/// estimator of James & Stein (1961) as Efron & Hastie (2016), (7.20), have it; with others that of Morris (1983), (1.19),
/// with `A` in closed form.
///
/// Unlike [`TargetEncoder`](super::TargetEncoder) it looks at all levels to see how much to shrink each: levels that differ by
/// chance alone all become the mean of all. Training rows are changed without their own target, in
/// [`folds`](Self::folds), just as there, and so are classes, groups and weights treated.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training, or not in the other folds | the mean of all rows, or of the other folds |
/// | a missing level | [`missing`](Self::missing); by default a level of its own |
/// | fewer than four levels | their means, not shrunk: James and Stein have nothing to say about them |
/// | levels of one row each | the mean of all: nothing tells levels from chance |
///
/// Output: number columns where the category stood. `O(rows + levels · folds)` a category.
///
/// # Errors
/// [`ParameterError`](stagewise_core::error::ParameterError) for fewer than 2 folds; [`DataError::TooFewRows`](stagewise_core::error::DataError) where no row counts.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::categories;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::encode::JamesSteinEncoder;
///
/// let table = Table::of([
///     ("plan", Column::categories(["a", "a", "b", "b", "c", "c", "d", "d"].map(Some))),
///     ("cost", Column::numbers([1.0, 3.0, 3.0, 5.0, 5.0, 7.0, 7.0, 9.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let fitted = JamesSteinEncoder::on(categories()).fit(&train, &FitContext::new(0))?;
/// // Means 2, 4, 6, 8 around 5; s² = 2, so v = 1, and B = (k - 3) v / Σ (mean - 5)² = 1 / 20.
/// let plan = fitted.rule("plan").and_then(|rule| rule.numbers(0)).map(|numbers| numbers[0]);
/// assert!((plan.unwrap_or(0.0) - (5.0 - 0.95 * 3.0)).abs() < 1e-12);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against the formula in numpy, tolerance 1e-9, and the batting averages of Efron & Morris (1977). The encoder of this
/// name in category_encoders 2.11.2 differs: its `independent` model takes the variance of the rows of a level for that of
/// their mean, so that the number of rows plays no part and a level of one row is not shrunk at all; its `pooled` model takes
/// the variance of all rows for that within levels, and shrinks levels of many rows as much as those of few. Both change
/// training rows with their own target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JamesSteinEncoder {
    on: Selector,
    #[serde(default = "five")]
    folds: usize,
    #[serde(default)]
    missing: MissingAs,
}

impl JamesSteinEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, folds: five(), missing: MissingAs::default() }
    }

    /// How many folds the training rows are dealt to. At least 2, default 5.
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.folds = folds;
        self
    }

    /// What becomes of a missing level. Default [`MissingAs::Level`].
    #[must_use]
    pub fn missing(mut self, missing: MissingAs) -> Self {
        self.missing = missing;
        self
    }
}

impl Persist for JamesSteinEncoder {
    const TAG: &'static str = "JamesSteinEncoder";
}

impl Supervised for JamesSteinEncoder {
    fn on(&self) -> &Selector {
        &self.on
    }

    fn missing(&self) -> MissingAs {
        self.missing
    }

    fn check(&self) -> Result<()> {
        check_folds(self.folds)
    }

    fn held_out(&self) -> HeldOut {
        HeldOut::Fold(self.folds)
    }

    fn numbers(&self, levels: &[Tally], all: Tally) -> Vec<f64> {
        let k = levels.iter().filter(|level| level.weight > 0.0).count() as f64;
        // Exact sums: the numbers of the levels hang on the order of the rows.
        let sum = |of: &dyn Fn(&Tally) -> f64| exact_sum_by(levels.len(), |i| of(&levels[i]));
        let weight = sum(&|level| level.weight);
        let within = sum(&|level| level.spread);
        let squares = sum(&|level| level.weight * level.weight);
        let between = sum(&|level| level.weight * (level.mean - all.mean) * (level.mean - all.mean));
        let factor = if k > 3.0 { (k - 3.0) / (k - 1.0) } else { 0.0 };
        let noise = within / (weight - k);
        let usual = (weight - squares / weight) / (k - 1.0);
        let signal = (between / (k - 1.0) - noise) / usual;
        let number = |level: &Tally| {
            if level.weight == 0.0 {
                return all.mean;
            }
            let own = noise / level.weight;
            let shrink = if factor == 0.0 {
                0.0
            } else if weight <= k || own + signal <= 0.0 {
                // No row more than levels, or means closer than chance would have them.
                1.0
            } else {
                (factor * own / (own + signal)).min(1.0)
            };
            all.mean + (1.0 - shrink) * (level.mean - all.mean)
        };
        levels.iter().map(number).collect()
    }
}

impl<T: Outcome> Transformer<T> for JamesSteinEncoder {
    type Fitted = FittedLevelEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        cross_fit::plan::<T, _>(self, input)
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedLevelEncoder> {
        cross_fit::fit(self, train, cx)
    }

    fn fit_transform(&self, train: Dataset<T>, cx: &FitContext) -> Result<(FittedLevelEncoder, Dataset<T>)> {
        cross_fit::fit_transform(self, train, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::all as every;

    #[test]
    fn batting_averages_of_1970_shrink_as_published() {
        // Hits of 18 players in their first 45 times at bat (Efron & Morris 1975, table 1); the shrinking factor is 0.212
        // (Efron & Morris 1977, p. 121), with the binomial variance of the grand mean in place of the pooled one.
        let hits = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7].map(f64::from);
        let tally = |hits: f64, times: f64| {
            let mean = hits / times;
            Tally { weight: times, mean, spread: times * mean * (1.0 - mean) }
        };
        let levels = hits.map(|hits| tally(hits, 45.0));
        let all = tally(hits.iter().sum(), 45.0 * 18.0);
        let numbers = JamesSteinEncoder::on(every()).numbers(&levels, all);
        for (number, level) in numbers.iter().zip(levels) {
            let factor = (number - all.mean) / (level.mean - all.mean);
            assert!((factor - 0.212).abs() < 0.002, "{factor}");
        }
        // The best batter: 0.294, where his average was 0.400.
        assert!((numbers[0] - 0.294).abs() < 1e-3);
    }

    #[test]
    fn few_rows_are_shrunk_more_and_odd_cases_have_a_rule() {
        let level = |weight: f64, mean: f64| Tally { weight, mean, spread: weight * 0.2 };
        let spec = JamesSteinEncoder::on(every());
        let all = Tally { weight: 160.0, mean: 0.5, spread: 160.0 * 0.25 };
        let numbers = spec.numbers(&[level(100.0, 0.9), level(10.0, 0.9), level(25.0, 0.1), level(25.0, 0.1)], all);
        assert!(numbers[0] > numbers[1] && numbers[1] > 0.5, "{numbers:?}");
        let alone = Tally { weight: 1.0, mean: 1.0, spread: 0.0 };
        assert_eq!(spec.numbers(&[alone; 5], all), [0.5; 5]);
        assert_eq!(spec.numbers(&[level(9.0, 0.75), Tally::default()], all), [0.75, 0.5]);
        let alike = spec.numbers(&[level(20.0, 0.5), level(20.0, 0.5), level(20.0, 0.5), level(20.0, 0.5)], all);
        assert_eq!(alike, [0.5; 4]);
        assert_eq!(spec.numbers(&[], all), Vec::<f64>::new());
    }
}
