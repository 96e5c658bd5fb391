//! Missing values become a value that a person states.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::fill::{Fill, FittedImputer, Imputation};
use super::indicator;
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Fills missing values with a stated value: one number for number columns, one level for categories, one flag for flags.
///
/// For values that are missing because they are zero, or because nobody asked. Each kind among the selected columns needs
/// its value: [`number`](Self::number), [`level`](Self::level), [`flag`](Self::flag).
///
/// | what comes | what happens |
/// |---|---|
/// | the level is one of training | it is filled in |
/// | the level is not one of training | it is added behind the levels of training, in every selected category |
/// | another level not seen in training | passes through |
/// | `±∞` | a value like any other |
/// | a kind without a stated value | [`ParameterError`] at the column, before a row is touched |
///
/// Output: the same columns, which then have no missing values; with [`indicator`](Self::indicator) some more. Neither the
/// target nor weights are touched, save that an indicator needs a missing value in a row of weight above 0. `O(rows)` a
/// column.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::all;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::impute::ConstantImputer;
///
/// let table = Table::of([
///     ("visits", Column::numbers([3.0, f64::NAN])),
///     ("plan", Column::categories([None, Some("pro")])),
///     ("cost", Column::numbers([1.0, 2.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let imputer = ConstantImputer::on(all()).number(0.0).level("none");
/// let (_, train) = imputer.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("visits")?.as_numbers()?, [3.0, 0.0]);
/// assert_eq!(train.features().column("plan")?, &Column::categories([Some("none"), Some("pro")]));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `SimpleImputer(strategy="constant")`, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConstantImputer {
    on: Selector,
    number: Option<f64>,
    level: Option<String>,
    flag: Option<bool>,
    indicator: bool,
}

impl ConstantImputer {
    /// Imputes these columns, which must be numbers, categories or flags.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, number: None, level: None, flag: None, indicator: false }
    }

    /// What stands for a missing number: any number but NaN. Not set by default.
    #[must_use]
    pub fn number(mut self, number: f64) -> Self {
        self.number = Some(number);
        self
    }

    /// What stands for a missing level. Not set by default.
    #[must_use]
    pub fn level(mut self, level: impl Into<String>) -> Self {
        self.level = Some(level.into());
        self
    }

    /// What stands for a missing flag. Not set by default.
    #[must_use]
    pub fn flag(mut self, flag: bool) -> Self {
        self.flag = Some(flag);
        self
    }

    indicator::indicator_setter!();

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        let number = self.number.unwrap_or(0.0);
        ParameterError::check(!number.is_nan(), "number", number, "a number that is not NaN")?;
        let positions = positions(&self.on, input, &[Kind::Number, Kind::Category, Kind::Flag])?;
        for &i in &positions {
            let field = &input.fields()[i];
            self.fill(field).at(|| Crumb::column(field.name.as_ref()))?;
        }
        Ok(positions)
    }

    /// What is filled into a column.
    fn fill(&self, field: &Field) -> Result<Fill> {
        let unset = |name, allowed| ParameterError { name, value: "not set".into(), allowed };
        Ok(match field.kind {
            Kind::Category => match &self.level {
                Some(level) => Fill::level(field, level),
                None => return Err(unset("level", "a level, where a category is selected").into()),
            },
            Kind::Flag => {
                Fill::Flag(self.flag.ok_or_else(|| unset("flag", "true or false, where a flag is selected"))?)
            }
            _ => Fill::Number(self.number.ok_or_else(|| unset("number", "a number, where a number is selected"))?),
        })
    }
}

impl Persist for ConstantImputer {
    const TAG: &'static str = "ConstantImputer";
}

impl<T: Task> Transformer<T> for ConstantImputer {
    type Fitted = FittedImputer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, !self.indicator, |field| indicator::planned(field, self.indicator)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedImputer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let fill = self.fill(training.field)?;
            Ok(Imputation::learned(training, Some(fill), self.indicator))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::select::{all, categories, flags, named, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data, golden};

    use crate::test_tables::{self, training};

    #[test]
    fn conforms() {
        let spec = ConstantImputer::on(all()).number(-1.0).level("none").flag(true);
        for spec in [spec.clone(), spec.level("Porto").indicator(true), ConstantImputer::on(flags()).flag(false)] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass(62, 3));
            conformance::transformer(&spec, &data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap());
        }
    }

    #[test]
    fn equals_scikit_learn() {
        let golden = golden::load("constant_imputer.json");
        assert_eq!(golden.cases.len(), 2);
        for case in &golden.cases {
            let text = case.value("/input/fill_value").is_string();
            let read = |pointer: &str| match text {
                true => test_tables::categories(case, pointer),
                false => test_tables::numbers(&case.matrix(pointer)),
            };
            let spec = match case.value("/input/fill_value").as_str() {
                Some(level) => ConstantImputer::on(all()).level(level),
                None => ConstantImputer::on(all()).number(case.number("/input/fill_value")),
            };
            let fitted = spec.fit(&training(read("/input/fit"), None), &FitContext::new(0)).unwrap();
            let apply = read("/input/apply");
            let apply = if text { test_tables::admitted(&read("/input/fit"), &apply) } else { apply };
            assert_eq!(fitted.transform(apply).unwrap().columns(), read("/expected/transformed").columns());
        }
    }

    #[test]
    fn a_level_of_its_own_stands_behind_those_of_training() {
        let (fitted, train) = ConstantImputer::on(named(["city"]))
            .level("nowhere")
            .fit_transform(data::regression(60, 1), &FitContext::new(0))
            .unwrap();
        assert_eq!(fitted.rule("city").unwrap().fill(), &Fill::NamedLevel("nowhere".into()));
        let levels = fitted.output().field("city").unwrap().levels.clone().unwrap();
        assert_eq!(levels.to_strings().last().unwrap(), "nowhere");
        let (codes, own) = train.features().column("city").unwrap().as_categories().unwrap();
        assert!(own.extends(&levels) && codes.contains(&(levels.len() as u32 - 1)));
        let known = ConstantImputer::on(categories()).level("Bern");
        let known = known.fit(&data::regression(60, 1), &FitContext::new(0)).unwrap();
        assert!(matches!(known.rule("city").unwrap().fill(), Fill::Level(_)));
        assert!(matches!(known.rule("plan").unwrap().fill(), Fill::NamedLevel(_)));
    }

    #[test]
    fn each_kind_needs_its_value() {
        let table = data::mixed(3, 0);
        let plan = |spec: ConstantImputer| Transformer::<Regression>::plan(&spec, table.schema()).map(|_| ());
        let error = plan(ConstantImputer::on(all()).number(0.0).flag(true)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `city`: `level` is not set, allowed is a level, where a category is selected"
        );
        let error = plan(ConstantImputer::on(numbers()).number(f64::NAN)).unwrap_err();
        assert_eq!(error.to_string(), "`number` is NaN, allowed is a number that is not NaN");
        plan(ConstantImputer::on(numbers()).number(f64::INFINITY)).unwrap();
        let text = stagewise_core::table::Table::of([("note", Column::texts([Some("a")]))]).unwrap();
        let spec = ConstantImputer::on(all()).number(0.0);
        assert!(Transformer::<Regression>::plan(&spec, text.schema()).is_err());
    }
}
