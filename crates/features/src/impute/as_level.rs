//! Missing levels become a level.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::fill::{Fill, FittedImputer, Imputation, MISSING_LEVEL};
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Makes missing a level of each category, as if it were one more answer.
///
/// Often the best that can be done with categories: that nothing was said is kept, and no one is counted among a level
/// that was never named. What [`ConstantImputer`](super::ConstantImputer) does with a level of its own, under the name
/// [`MISSING_LEVEL`].
///
/// | what comes | what happens |
/// |---|---|
/// | a category with missing values or without | the level is added behind those of training, so that a value first missing later has one too |
/// | a category that already has a level of this name | missing values become that level |
/// | a level not seen in training | passes through |
///
/// Output: the same columns, which then have no missing values. Neither target nor weights are touched. `O(rows)` a column.
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
/// use stagewise_features::impute::MissingAsLevel;
///
/// let table = Table::of([
///     ("plan", Column::categories([None, Some("pro")])),
///     ("cost", Column::numbers([1.0, 2.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = MissingAsLevel::on(categories()).fit_transform(train, &FitContext::new(0))?;
/// let (codes, levels) = train.features().column("plan")?.as_categories()?;
/// assert_eq!((codes, levels.to_strings().join(" ")), ([1, 0].as_slice(), "pro (missing)".to_string()));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissingAsLevel {
    on: Selector,
}

impl MissingAsLevel {
    /// Changes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns }
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Category])
    }
}

impl Persist for MissingAsLevel {
    const TAG: &'static str = "MissingAsLevel";
}

impl<T: Task> Transformer<T> for MissingAsLevel {
    type Fitted = FittedImputer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| vec![field.clone().missing(false)]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedImputer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let fill = Fill::level(training.field, MISSING_LEVEL);
            Ok(Imputation::learned(training, Some(fill), false))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::select::{all, categories};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    use crate::test_tables::{admitted, training};

    #[test]
    fn conforms() {
        let spec = MissingAsLevel::on(categories());
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::regression(61, 2));
        conformance::transformer(&spec, &data::multiclass(62, 3));
    }

    #[test]
    fn a_value_first_missing_later_has_the_level_too() {
        let first = Table::of([("x", Column::categories([Some("b"), Some("a")]))]).unwrap();
        let later = Table::of([("x", Column::categories([None, Some("c"), Some("(missing)"), Some("a")]))]).unwrap();
        let batch = admitted(&first, &later);
        let fitted = MissingAsLevel::on(all()).fit(&training(first, None), &FitContext::new(0)).unwrap();
        let out = fitted.transform(batch).unwrap();
        let expected = Column::categories([Some("(missing)"), Some("c"), Some("(missing)"), Some("a")]);
        assert_eq!(out.columns()[0], expected);
        assert_eq!(fitted.output().fields()[0].levels.as_ref().unwrap().to_strings(), ["b", "a", "(missing)"]);
    }

    #[test]
    fn a_level_of_that_name_is_used() {
        let table = Table::of([("x", Column::categories([Some("(missing)"), None, Some("a")]))]).unwrap();
        let fitted = MissingAsLevel::on(all()).fit(&training(table, None), &FitContext::new(0)).unwrap();
        assert_eq!(fitted.rule("x").unwrap().fill(), &Fill::Level(0));
    }

    #[test]
    fn numbers_are_refused() {
        let table = data::mixed(3, 0);
        let error = Transformer::<Regression>::plan(&MissingAsLevel::on(all()), table.schema()).unwrap_err();
        assert_eq!(error.to_string(), "column `age`: is a number, a category is needed");
    }
}
