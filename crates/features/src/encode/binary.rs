//! Each level becomes the digits of its number.

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
use super::unseen::{MissingLevel, Unseen};
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Numbers the levels from 1 on and puts the binary digits of the number in place of the level.
///
/// `k` levels take `⌈log₂(k + 1)⌉` columns `<column>_0`, `<column>_1`, …, the highest digit first: 17 for 100,000 levels.
/// Levels share digits that mean nothing, so trees can tell levels apart and lines are bent by chance; with another
/// [`base`](Self::base) there are fewer columns of more values.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training | [`unseen`](Self::unseen); by default all digits are 0, which no level has |
/// | a missing level | [`missing`](Self::missing); by default the number after the last level, if it occurs in training |
/// | a category without any level in training | no column, and a warning |
///
/// The target is not looked at; weights matter for [`LevelOrder::Frequency`] only, but a level whose rows all weigh 0 is
/// unseen. `O(rows + levels log levels)` a category.
///
/// # Errors
/// [`ParameterError`] for a base or an order out of range.
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
/// use stagewise_features::encode::BinaryEncoder;
///
/// let table = Table::of([
///     ("plan", Column::categories([Some("pro"), Some("basic"), Some("plus"), Some("pro")])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = BinaryEncoder::on(categories()).fit_transform(train, &FitContext::new(0))?;
/// // basic is 1, plus 2, pro 3.
/// assert_eq!(train.features().column("plan_0")?.as_numbers()?, [1.0, 0.0, 1.0, 1.0]);
/// assert_eq!(train.features().column("plan_1")?.as_numbers()?, [1.0, 1.0, 0.0, 1.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against category_encoders 2.11.2 `BinaryEncoder` and `BaseNEncoder`, which number levels by appearance, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BinaryEncoder {
    on: Selector,
    #[serde(default = "two")]
    base: u32,
    #[serde(default)]
    order: LevelOrder,
    #[serde(default)]
    unseen: Unseen,
    #[serde(default)]
    missing: MissingLevel,
}

impl BinaryEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self {
            on: columns,
            base: 2,
            order: LevelOrder::default(),
            unseen: Unseen::default(),
            missing: MissingLevel::default(),
        }
    }

    /// The base of the digits, at least 2. Default 2.
    #[must_use]
    pub fn base(mut self, base: u32) -> Self {
        self.base = base;
        self
    }

    /// The order that the levels are numbered in. Default [`LevelOrder::Name`]. Levels of a given order that do not occur
    /// in training are unseen.
    #[must_use]
    pub fn order(mut self, order: impl Into<LevelOrder>) -> Self {
        self.order = order.into();
        self
    }

    /// What becomes of a level not seen in training. Default [`Unseen::Ignore`]; there is no rare level here.
    #[must_use]
    pub fn unseen(mut self, unseen: Unseen) -> Self {
        self.unseen = unseen;
        self
    }

    /// What becomes of a missing level. Default [`MissingLevel::Level`].
    #[must_use]
    pub fn missing(mut self, missing: MissingLevel) -> Self {
        self.missing = missing;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        ParameterError::check(self.base >= 2, "base", self.base, "at least 2")?;
        self.order.check()?;
        positions(&self.on, input, &[Kind::Category])
    }
}

impl Persist for BinaryEncoder {
    const TAG: &'static str = "BinaryEncoder";
}

impl<T: Task> Transformer<T> for BinaryEncoder {
    type Fitted = FittedLevelEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let fields = |field: &Field| LevelNumbers::fields_of(field, &["_0".to_string()], false);
        Ok(plan(input, &self.positions(input)?, false, fields))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedLevelEncoder> {
        let positions = self.positions(train.features().schema())?;
        Rewrite::learn(train, &positions, cx, |training| {
            let counts = LevelCounts::learn(training)?;
            let levels = training.column.as_categories()?.1;
            let seen = counts.ordered(&self.order, levels);
            let mut numbers: Vec<Option<u64>> = vec![None; levels.len()];
            seen.iter().zip(1..).for_each(|(&code, number)| numbers[code as usize] = Some(number));
            let own = self.missing.own_level(&counts)?;
            let last = seen.len() as u64 + u64::from(own);
            let width = digits(last, self.base);
            if width == 0 {
                training.warn("has no level to encode; it is left out");
            }
            let of = |number: u64| written(number, self.base, width);
            let missing = match self.missing {
                MissingLevel::Error => Stand::Refused,
                MissingLevel::Level | MissingLevel::Zeros => Stand::Numbers(of(if own { last } else { 0 })),
            };
            let suffixes = (0..width).map(|place| format!("_{place}")).collect();
            let unseen = self.unseen.stand(width);
            Ok(LevelNumbers::new(suffixes, levels.len(), missing, unseen, |code, out| {
                out.extend(numbers[code as usize].into_iter().flat_map(&of));
            }))
        })
    }
}

fn two() -> u32 {
    2
}

/// How many digits the number has; none for 0.
fn digits(mut number: u64, base: u32) -> usize {
    let mut digits = 0;
    while number > 0 {
        number /= u64::from(base);
        digits += 1;
    }
    digits
}

/// The last `width` digits of a number, the highest first.
fn written(mut number: u64, base: u32, width: usize) -> Vec<f64> {
    let base = u64::from(base);
    let mut digits = vec![0.0; width];
    for digit in digits.iter_mut().rev() {
        *digit = (number % base) as f64;
        number /= base;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    use proptest::prelude::*;
    use stagewise_core::column::Column;
    use stagewise_core::select::{all, categories};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data};

    use crate::test_tables::training;

    #[test]
    fn conforms() {
        let spec = BinaryEncoder::on(categories());
        for spec in [
            spec.clone(),
            spec.clone().base(3).order(LevelOrder::Frequency).missing(MissingLevel::Zeros),
            spec.clone().order(LevelOrder::Appearance).unseen(Unseen::Error),
            spec.order(["Porto", "never seen", "pro"]),
        ] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass(62, 3).reweighted(vec![1.0; 62]).unwrap());
            conformance::transformer(&spec, &data::ranking(63, 4));
        }
    }

    #[test]
    fn a_hundred_thousand_levels_take_seventeen_columns() {
        let names: Vec<String> = (0..100_000).map(|i| format!("l{i}")).collect();
        let column = Column::categories(names.iter().map(|name| Some(name.as_str())));
        let train = training(Table::of([("x", column)]).unwrap(), None);
        let (fitted, train) = BinaryEncoder::on(all()).fit_transform(train, &FitContext::new(0)).unwrap();
        assert_eq!(fitted.output().len(), 17);
        let columns: Vec<&[f64]> = train.features().columns().iter().map(|c| c.as_numbers().unwrap()).collect();
        let rows: HashSet<u32> =
            (0..100_000).map(|row| columns.iter().fold(0, |number, column| 2 * number + column[row] as u32)).collect();
        assert_eq!((rows.len(), rows.contains(&0)), (100_000, false));
    }

    #[test]
    fn no_level_gives_no_column_and_a_warning() {
        let cx = FitContext::new(0);
        let table = Table::of([("x", Column::categories([None, None]))]).unwrap();
        let spec = BinaryEncoder::on(all()).missing(MissingLevel::Zeros);
        let (fitted, train) = spec.fit_transform(training(table.clone(), None), &cx).unwrap();
        assert_eq!((fitted.output().len(), train.rows()), (0, 2));
        assert_eq!(cx.take_warnings()[0].what, "column `x`: has no level to encode; it is left out");
        let fitted = BinaryEncoder::on(all()).fit(&training(table, None), &cx).unwrap();
        assert_eq!(fitted.rule("x").unwrap().missing(), Some([1.0].as_slice()));
    }

    proptest! {
        #[test]
        fn digits_say_the_number(number in 0u64..1 << 40, base in 2u32..50) {
            let width = digits(number, base);
            let read = written(number, base, width).iter().fold(0, |read, d| read * u64::from(base) + *d as u64);
            prop_assert_eq!(read, number);
            prop_assert!(width == 0 || u64::from(base).pow(width as u32 - 1) <= number);
        }
    }
}
