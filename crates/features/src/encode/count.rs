//! Each level becomes how often it occurs.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::by_level::{FittedLevelEncoder, LevelNumbers, Stand};
use super::levels::LevelCounts;
use super::unseen::MissingLevel;
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

/// Puts the number of training rows that a level has, or their share, in place of the level.
///
/// `Σ w` over the rows of the level, or `Σ w` of the level over `Σ w` of all rows, missing levels among them. Sums are of
/// weights rounded once to 53 bits, so no order of rows changes a bit. Levels that are equally frequent become the same
/// number: where that loses too much, add another encoder of the column.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training | 0, which is how often it was seen |
/// | a missing level | [`missing`](Self::missing); by default how often levels were missing in training |
/// | a category without any level in training | 0 for each level |
///
/// Output: a number column in place of each, under its name. The target is not looked at. `O(rows)` a category.
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
/// use stagewise_features::encode::CountEncoder;
///
/// let table = Table::of([
///     ("plan", Column::categories([Some("pro"), Some("basic"), None, Some("pro")])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, counted) = CountEncoder::on(categories()).fit_transform(train.clone(), &FitContext::new(0))?;
/// assert_eq!(counted.features().column("plan")?.as_numbers()?, [2.0, 1.0, 1.0, 2.0]);
/// let (_, shared) = CountEncoder::on(categories()).share(true).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(shared.features().column("plan")?.as_numbers()?, [0.5, 0.25, 0.25, 0.5]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against category_encoders 2.11.2 `CountEncoder`, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountEncoder {
    on: Selector,
    #[serde(default)]
    share: bool,
    #[serde(default)]
    missing: MissingLevel,
}

impl CountEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, share: false, missing: MissingLevel::default() }
    }

    /// Whether to give the share of the rows, between 0 and 1, and not their number. Default `false`.
    #[must_use]
    pub fn share(mut self, share: bool) -> Self {
        self.share = share;
        self
    }

    /// What becomes of a missing level. Default [`MissingLevel::Level`].
    #[must_use]
    pub fn missing(mut self, missing: MissingLevel) -> Self {
        self.missing = missing;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Category])
    }
}

impl Persist for CountEncoder {
    const TAG: &'static str = "CountEncoder";
}

impl<T: Task> Transformer<T> for CountEncoder {
    type Fitted = FittedLevelEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let fields = |field: &Field| LevelNumbers::fields_of(field, &[String::new()], false);
        Ok(plan(input, &self.positions(input)?, true, fields))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedLevelEncoder> {
        let positions = self.positions(train.features().schema())?;
        Rewrite::learn(train, &positions, cx, |training| {
            let counts = LevelCounts::learn(training)?;
            // Where no row counts, every share is 0.
            let all = if self.share && counts.total() > 0.0 { counts.total() } else { 1.0 };
            let missing = match self.missing {
                MissingLevel::Level => Stand::Numbers(vec![counts.missing() / all]),
                MissingLevel::Zeros => Stand::Numbers(vec![0.0]),
                MissingLevel::Error => {
                    counts.refuse_missing()?;
                    Stand::Refused
                }
            };
            let unseen = Stand::Numbers(vec![0.0]);
            Ok(LevelNumbers::new(vec![String::new()], counts.listed(), missing, unseen, |code, out| {
                out.push(counts.of(code) / all);
            }))
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

    use crate::test_tables::training;

    #[test]
    fn conforms() {
        let spec = CountEncoder::on(categories());
        for spec in [spec.clone(), spec.clone().share(true), spec.missing(MissingLevel::Zeros)] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass(62, 3).reweighted(vec![0.5; 62]).unwrap());
            conformance::transformer(&spec, &data::ranking(63, 4));
        }
    }

    #[test]
    fn weights_count_and_no_order_of_rows_matters() {
        let levels = [Some("a"), Some("b"), Some("a"), None, Some("c"), Some("a")];
        let weights = [0.1, 0.7, 0.2, 0.5, 0.0, 0.3];
        let fit = |order: &[usize], spec: CountEncoder| {
            let column = Column::categories(order.iter().map(|&row| levels[row]));
            let train =
                training(Table::of([("x", column)]).unwrap(), Some(order.iter().map(|&row| weights[row]).collect()));
            let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
            ["a", "b", "c"].map(|name| {
                let mut out = Vec::new();
                let code = train.features().columns()[0].as_categories().unwrap().1.code(name).unwrap();
                fitted.transform_row(&[Cell::Level(code)], &mut out).unwrap();
                match out[0] {
                    Cell::Number(x) => x.to_bits(),
                    _ => panic!("no number"),
                }
            })
        };
        let spec = CountEncoder::on(all());
        let found = fit(&[0, 1, 2, 3, 4, 5], spec.clone());
        assert!((f64::from_bits(found[0]) - 0.6).abs() < 1e-15);
        assert_eq!((f64::from_bits(found[1]), found[2]), (0.7, 0));
        assert_eq!(found, fit(&[5, 3, 2, 4, 1, 0], spec.clone()));
        let share = fit(&[2, 0, 5, 1, 4, 3], spec.share(true));
        assert!((f64::from_bits(share[0]) - 0.6 / 1.8).abs() < 1e-15);
    }
}
