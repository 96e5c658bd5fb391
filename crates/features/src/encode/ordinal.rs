//! Each level becomes its place in an order.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::by_level::{FittedLevelEncoder, LevelNumbers, Stand};
use super::levels::{LevelCounts, LevelOrder};
use super::unseen::Fallback;
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Puts the place of a level, counted from 0, in place of the level.
///
/// The order is that of the names, of the frequencies, of appearance, or one that is [given](LevelOrder::Given), as small,
/// medium, large. Only a given one means something; the others make numbers that a tree can split and a line should not
/// be drawn through.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training, or not in the order given | [`unseen`](Self::unseen); by default missing |
/// | a missing level | [`missing`](Self::missing); by default missing |
/// | a category without any level in training | all levels are unseen |
///
/// Output: a number column in place of each, under its name. The target is not looked at; weights matter for
/// [`LevelOrder::Frequency`] only, but a level whose rows all weigh 0 is unseen. `O(rows + levels log levels)` a category.
///
/// # Errors
/// [`ParameterError`] for an order that has a level twice, or a number for unseen or missing levels that is not finite.
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
/// use stagewise_features::encode::{Fallback, OrdinalEncoder};
///
/// let table = Table::of([
///     ("size", Column::categories([Some("M"), Some("S"), None, Some("L")])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let spec = OrdinalEncoder::on(categories()).order(["S", "M", "L", "XL"]).missing(Fallback::Number(-1.0));
/// let (_, train) = spec.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("size")?.as_numbers()?, [1.0, 0.0, -1.0, 2.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `OrdinalEncoder`, which refuses unseen levels unless told otherwise, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrdinalEncoder {
    on: Selector,
    #[serde(default)]
    order: LevelOrder,
    #[serde(default)]
    unseen: Fallback,
    #[serde(default)]
    missing: Fallback,
}

impl OrdinalEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, order: LevelOrder::default(), unseen: Fallback::default(), missing: Fallback::default() }
    }

    /// The order that the levels are numbered in. Default [`LevelOrder::Name`]. One that is given is that of each column.
    #[must_use]
    pub fn order(mut self, order: impl Into<LevelOrder>) -> Self {
        self.order = order.into();
        self
    }

    /// What stands for a level not seen in training. Default [`Fallback::Missing`].
    #[must_use]
    pub fn unseen(mut self, unseen: Fallback) -> Self {
        self.unseen = unseen;
        self
    }

    /// What stands for a missing level. Default [`Fallback::Missing`].
    #[must_use]
    pub fn missing(mut self, missing: Fallback) -> Self {
        self.missing = missing;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        self.order.check()?;
        for (name, fallback) in [("unseen", self.unseen), ("missing", self.missing)] {
            if let Fallback::Number(number) = fallback {
                ParameterError::check(number.is_finite(), name, number, "a finite number")?;
            }
        }
        positions(&self.on, input, &[Kind::Category])
    }

    fn fields(&self, field: &Field) -> Vec<Field> {
        let missing = self.unseen == Fallback::Missing || self.missing == Fallback::Missing;
        LevelNumbers::fields_of(field, &[String::new()], missing)
    }
}

impl Persist for OrdinalEncoder {
    const TAG: &'static str = "OrdinalEncoder";
}

impl<T: Task> Transformer<T> for OrdinalEncoder {
    type Fitted = FittedLevelEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| self.fields(field)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedLevelEncoder> {
        let positions = self.positions(train.features().schema())?;
        Rewrite::learn(train, &positions, cx, |training| {
            let counts = LevelCounts::learn(training)?;
            if self.missing == Fallback::Error {
                counts.refuse_missing()?;
            }
            let levels = training.column.as_categories()?.1;
            let mut places = vec![None; levels.len()];
            let mut further: BTreeMap<Arc<str>, Vec<f64>> = BTreeMap::new();
            match &self.order {
                LevelOrder::Given(names) => {
                    for (place, name) in names.iter().enumerate() {
                        match levels.code(name) {
                            Some(code) => places[code as usize] = Some(place as f64),
                            None => _ = further.insert(name.as_str().into(), vec![place as f64]),
                        }
                    }
                }
                order => {
                    let codes = counts.ordered(order, levels);
                    codes.iter().zip(0..).for_each(|(&code, place)| places[code as usize] = Some(f64::from(place)));
                }
            }
            let (missing, unseen) = (Stand::from(self.missing), Stand::from(self.unseen));
            let rule = LevelNumbers::new(vec![String::new()], levels.len(), missing, unseen, |code, out| {
                out.extend(places[code as usize]);
            });
            Ok(rule.with_further(further))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::record::Cell;
    use stagewise_core::select::{all, categories};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data};

    use crate::test_tables::{admitted, training};

    #[test]
    fn conforms() {
        let spec = OrdinalEncoder::on(categories());
        for spec in [
            spec.clone(),
            spec.clone().order(LevelOrder::Frequency).unseen(Fallback::Number(-1.0)).missing(Fallback::Number(-2.0)),
            spec.clone().order(LevelOrder::Appearance).unseen(Fallback::Error),
            spec.order(["Porto", "never seen", "Bern", "pro"]),
        ] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass(62, 3).reweighted(vec![1.0; 62]).unwrap());
            conformance::transformer(&spec, &data::ranking(63, 4));
        }
    }

    fn table(levels: &[Option<&str>]) -> Table {
        Table::of([("x", Column::categories(levels.iter().copied()))]).unwrap()
    }

    #[test]
    fn levels_of_a_given_order_are_known_before_they_come() {
        let train = training(table(&[Some("M"), Some("S"), Some("odd"), None]), None);
        let spec = OrdinalEncoder::on(all()).order(["S", "M", "L"]);
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        let later = admitted(train.features(), &table(&[Some("L"), Some("odd"), Some("XL"), Some("M"), None]));
        let out = fitted.transform(later).unwrap();
        let nan = f64::NAN;
        assert_eq!(out.columns()[0], Column::numbers([2.0, nan, nan, 1.0, nan]));
        let mut row = Vec::new();
        fitted.transform_row(&[Cell::NewLevel("L".into())], &mut row).unwrap();
        assert_eq!(row, [Cell::Number(2.0)]);
        assert!(fitted.output().fields()[0].missing);
    }

    #[test]
    fn policies_and_parameters_are_checked() {
        let error = |spec: OrdinalEncoder, rows: &[Option<&str>]| {
            spec.fit(&training(table(rows), None), &FitContext::new(0)).unwrap_err().to_string()
        };
        let spec = OrdinalEncoder::on(all());
        let rows = [Some("a"), None];
        assert_eq!(
            error(spec.clone().missing(Fallback::Error), &rows),
            "column `x`: holds 1 missing values; add an imputer before it"
        );
        assert_eq!(
            error(spec.clone().unseen(Fallback::Number(f64::NAN)), &rows),
            "`unseen` is NaN, allowed is a finite number"
        );
        assert_eq!(
            error(spec.clone().order(["a", "a"]), &rows),
            "`order` is [\"a\", \"a\"], allowed is each level once"
        );
        let fitted = spec.unseen(Fallback::Error).fit(&training(table(&rows), None), &FitContext::new(0)).unwrap();
        let error = fitted.transform_row(&[Cell::NewLevel("z".into())], &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "column `x`: `z` is none of the known levels (`a`)");
    }

    #[test]
    fn a_category_without_levels_gives_what_stands_for_them() {
        let spec = OrdinalEncoder::on(all()).missing(Fallback::Number(-1.0));
        let (fitted, train) = spec.fit_transform(training(table(&[None, None]), None), &FitContext::new(0)).unwrap();
        assert_eq!(train.features().columns()[0], Column::numbers([-1.0, -1.0]));
        assert_eq!(fitted.rule("x").unwrap().numbers(0), None);
    }
}
