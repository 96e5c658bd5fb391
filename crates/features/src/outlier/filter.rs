//! Training rows with a number that lies too far out are dropped.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, ParameterError, Result};
use stagewise_core::exhibit::number;
use stagewise_core::persist::Persist;
use stagewise_core::schema::Kind;
use stagewise_core::select::Selector;
use stagewise_core::stage::Sampler;
use stagewise_core::task::Task;

use super::bounds::{OutlierRule, Tails};
use crate::columns::positions;
use crate::rewrite::Training;

/// Drops training rows of which some number lies too far out, but no more than a stated share of them.
///
/// For rows that are faults: what is dropped is not learned from, but rows to predict are never dropped, so the model meets
/// such values all the same. [`OutlierClipper`](super::OutlierClipper) treats both alike. With many columns a row is soon
/// odd in one of them; more than [`most`](Self::most) of the rows is refused, because then it is the rule that is odd.
///
/// | what comes | what happens |
/// |---|---|
/// | a missing value | not an outlier |
/// | `±∞` | left out when learning; an outlier on its side |
/// | a column without spread | drops no row, with a warning |
/// | weights | bounds are learned, and shares counted, by weight |
///
/// The rows that stay keep their order, weights and groups. Nothing is random, the target is not touched. `O(rows log rows)`
/// a column.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::numbers;
/// use stagewise_core::stage::Sampler;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::outlier::OutlierFilter;
///
/// let table = Table::of([
///     ("income", Column::numbers([1.0, 2.0, 3.0, 4.0, 100.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0, 5.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let filter = OutlierFilter::on(numbers()).most(0.2);
/// assert_eq!(filter.resample(train.clone(), &FitContext::new(0))?.rows(), 4);
/// assert!(filter.most(0.1).resample(train, &FitContext::new(0)).is_err());
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against feature-engine 1.9.4 `OutlierTrimmer`: the rows that stay, exactly, where no value is missing; it drops
/// rows with a missing value too.
#[doc(alias = "OutlierTrimmer")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutlierFilter {
    on: Selector,
    rule: OutlierRule,
    tails: Tails,
    most: f64,
}

impl OutlierFilter {
    /// Looks at these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, rule: OutlierRule::default(), tails: Tails::Both, most: 0.1 }
    }

    /// What is too far out. Default [`OutlierRule::Iqr`] with 1.5.
    #[must_use]
    pub fn rule(mut self, rule: OutlierRule) -> Self {
        self.rule = rule;
        self
    }

    /// On which sides. Default both.
    #[must_use]
    pub fn tails(mut self, tails: Tails) -> Self {
        self.tails = tails;
        self
    }

    /// The largest share of the rows that may be dropped: at least 0 and below 1. Default 0.1.
    #[must_use]
    pub fn most(mut self, most: f64) -> Self {
        self.most = most;
        self
    }
}

impl Persist for OutlierFilter {
    const TAG: &'static str = "OutlierFilter";
}

impl<T: Task> Sampler<T> for OutlierFilter {
    /// # Errors
    /// [`ParameterError`] for a rule or a share out of range, and for more outliers than [`most`](Self::most) allows; a
    /// selector that does not resolve or picks other kinds.
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        self.rule.check()?;
        ParameterError::check((0.0..1.0).contains(&self.most), "most", self.most, "at least 0 and below 1")?;
        let table = train.features();
        let mut keep = vec![true; table.rows()];
        for i in positions(&self.on, table.schema(), &[Kind::Number])? {
            let field = &table.schema().fields()[i];
            let mut training = Training::new(field, &table.columns()[i], train.weights());
            let bounds = self.rule.bounds(&mut training, self.tails).at(|| Crumb::column(field.name.as_ref()))?;
            training.tell(cx);
            let values = table.columns()[i].as_numbers()?;
            keep.iter_mut().zip(values).for_each(|(keep, &x)| *keep &= !bounds.exclude(x));
        }
        let weight = |row: usize| train.weights().map_or(1.0, |weights| weights[row]);
        let total: f64 = (0..keep.len()).map(weight).sum();
        let dropped: f64 = (0..keep.len()).filter(|&row| !keep[row]).map(weight).sum();
        if dropped > self.most * total {
            let value = format!("{} with {} of the rows beyond the bounds", self.most, number(dropped / total));
            let allowed = "at least that share; widen the rule, or find out why so many rows are odd";
            return Err(ParameterError { name: "most", value, allowed }.into());
        }
        let rows: Vec<usize> = (0..keep.len()).filter(|&row| keep[row]).collect();
        Ok(train.take(&rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::select::{all, categories, named, numbers};
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data, golden};

    use crate::test_tables::{numbers as numbers_of, training};

    #[test]
    fn conforms() {
        let spec = OutlierFilter::on(numbers()).most(0.5);
        conformance::sampler(&spec, &data::binary(90, 1));
        conformance::sampler(&spec, &data::multiclass(90, 2));
        conformance::sampler(&spec, &data::regression(90, 3));
        conformance::sampler(&spec, &data::ranking(90, 4));
        conformance::sampler(&spec.rule(OutlierRule::Mad(3.5)), &data::binary(90, 5));
    }

    #[test]
    fn the_rows_that_stay_are_those_of_feature_engine() {
        let golden = golden::load("outliers.json");
        let mut checked = 0;
        for case in golden.cases.iter().filter(|case| case.name.starts_with("trimmer")) {
            let rows = case.matrix("/input/fit");
            let train = training(numbers_of(&rows), None);
            let spec = OutlierFilter::on(all()).rule(OutlierRule::Iqr(case.number("/input/fold"))).most(0.9);
            let left = spec.resample(train.clone(), &FitContext::new(0)).unwrap();
            let kept: Vec<usize> = case.numbers("/expected/rows").iter().map(|row| *row as usize).collect();
            assert_eq!(left.features(), &train.features().take(&kept), "{}", case.name);
            checked += 1;
        }
        assert_eq!(checked, 1);
    }

    #[test]
    fn more_than_the_stated_share_is_refused() {
        let table = Table::of([("x", Column::numbers([1.0, 2.0, 3.0, 4.0, 100.0]))]).unwrap();
        let spec = OutlierFilter::on(all());
        let error = spec.resample(training(table.clone(), None), &FitContext::new(0)).unwrap_err();
        let text = "`most` is 0.1 with 0.2 of the rows beyond the bounds, allowed is at least that share";
        assert!(error.to_string().starts_with(text), "{error}");
        // By weight the outlier is a small share.
        let weighted = training(table, Some(vec![9.0, 9.0, 9.0, 9.0, 1.0]));
        assert_eq!(spec.resample(weighted, &FitContext::new(0)).unwrap().rows(), 4);
    }

    #[test]
    fn nothing_to_look_at_drops_nothing() {
        let train = data::regression(40, 1);
        let cx = FitContext::new(0);
        let left = OutlierFilter::on(named(["constant", "empty"])).most(0.0).resample(train.clone(), &cx).unwrap();
        assert_eq!((left.rows(), cx.take_warnings().len()), (40, 2));
        assert!(OutlierFilter::on(categories()).resample(train.clone(), &cx).is_err());
        assert!(OutlierFilter::on(numbers()).most(1.0).resample(train, &cx).is_err());
    }
}
