//! Each level becomes the row of a contrast matrix: `k` levels in `k - 1` columns that each compare something.
//!
//! The matrices are in `matrix.rs`.

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

mod matrix;

/// Puts `k - 1` numbers in place of each of `k` levels, so that the coefficients of a linear model say how levels compare.
///
/// | contrast | the coefficient of column `j`, from 1, compares |
/// |---|---|
/// | [`Helmert`](Contrast::Helmert) | level `j + 1` with the mean of the levels before it (times `1 / (j + 1)`) |
/// | [`Sum`](Contrast::Sum) | level `j` with the mean of all levels |
/// | [`BackwardDifference`](Contrast::BackwardDifference) | level `j + 1` with level `j` |
/// | [`Polynomial`](Contrast::Polynomial) | the trend of degree `j` along the order of the levels |
///
/// Columns `<column>_1` to `<column>_<k - 1>` stand where the category stood. Levels are numbered in an
/// [`order`](Self::order); for all but `Sum` the order is the point. A model needs an intercept beside them.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training | [`unseen`](Self::unseen); by default all columns are 0: the mean of all levels |
/// | a missing level | [`missing`](Self::missing); by default a level of its own, the last, if it occurs in training |
/// | a category of one level, or none, in training | no column, and a warning |
/// | more levels than [`max_levels`](Self::max_levels) | an error: the matrix has `k (k - 1)` numbers |
///
/// The target is not looked at; weights matter for [`LevelOrder::Frequency`] only, but a level whose rows all weigh 0 is
/// unseen. `O(rows · k + k²)` a category, `O(k³)` for polynomials.
///
/// # Errors
/// [`ParameterError`] for an order out of range, and at a column with more levels than `max_levels`.
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
/// use stagewise_features::encode::{Contrast, ContrastEncoder};
///
/// let table = Table::of([
///     ("size", Column::categories([Some("S"), Some("M"), Some("L")])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let spec = ContrastEncoder::on(categories(), Contrast::Helmert).order(["S", "M", "L"]);
/// let (_, train) = spec.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("size_1")?.as_numbers()?, [-1.0, 1.0, 0.0]);
/// assert_eq!(train.features().column("size_2")?.as_numbers()?, [-1.0, -1.0, 2.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against patsy 1.0.3 `Helmert`, `Sum`, `Diff` and `Poly` (which statsmodels and category_encoders follow), tolerance
/// 1e-12. Where patsy's polynomials come from powers and lose their digits from some 20 levels on, these do not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContrastEncoder {
    on: Selector,
    contrast: Contrast,
    #[serde(default)]
    order: LevelOrder,
    #[serde(default)]
    unseen: Unseen,
    #[serde(default)]
    missing: MissingLevel,
    #[serde(default = "many")]
    max_levels: usize,
}

/// What levels are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Contrast {
    /// Each level with the mean of those before it: -1 for those, `j` for level `j + 1`, 0 for those after it.
    Helmert,
    /// Each level but the last with the mean of all: 1 for itself, -1 for the last. Also called deviation coding.
    Sum,
    /// Each level with the one before it: `j / k - 1` up to level `j`, `j / k` after it.
    BackwardDifference,
    /// Orthonormal polynomials of degree 1 to `k - 1` in the number of the level: linear, quadratic, cubic and so on.
    Polynomial,
}

impl ContrastEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector, contrast: Contrast) -> Self {
        Self {
            on: columns,
            contrast,
            order: LevelOrder::default(),
            unseen: Unseen::default(),
            missing: MissingLevel::default(),
            max_levels: many(),
        }
    }

    /// The order of the levels. Default [`LevelOrder::Name`]. Levels of a given order that do not occur in training are
    /// unseen.
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

    /// The most levels that a column may have, missing among them if it is one. At least 2, default 256.
    #[must_use]
    pub fn max_levels(mut self, levels: usize) -> Self {
        self.max_levels = levels;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        ParameterError::check(self.max_levels >= 2, "max_levels", self.max_levels, "at least 2")?;
        self.order.check()?;
        positions(&self.on, input, &[Kind::Category])
    }
}

impl Persist for ContrastEncoder {
    const TAG: &'static str = "ContrastEncoder";
}

impl<T: Task> Transformer<T> for ContrastEncoder {
    type Fitted = FittedLevelEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let fields = |field: &Field| LevelNumbers::fields_of(field, &["_1".to_string()], false);
        Ok(plan(input, &self.positions(input)?, false, fields))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedLevelEncoder> {
        let positions = self.positions(train.features().schema())?;
        Rewrite::learn(train, &positions, cx, |training| {
            let counts = LevelCounts::learn(training)?;
            let levels = training.column.as_categories()?.1;
            let seen = counts.ordered(&self.order, levels);
            let own = self.missing.own_level(&counts)?;
            let all = seen.len() + usize::from(own);
            let room = "at least the number of levels of the column";
            ParameterError::check(all <= self.max_levels, "max_levels", self.max_levels, room)?;
            if all < 2 {
                training.warn("has no two levels to compare; it is left out");
            }
            let width = all.saturating_sub(1);
            let rows = matrix::rows(self.contrast, all);
            let row = |place: usize| &rows[place * width..(place + 1) * width];
            let mut places = vec![None; levels.len()];
            seen.iter().enumerate().for_each(|(place, &code)| places[code as usize] = Some(place));
            let missing = match self.missing {
                MissingLevel::Error => Stand::Refused,
                MissingLevel::Level | MissingLevel::Zeros => {
                    Stand::Numbers(if own { row(all - 1).to_vec() } else { vec![0.0; width] })
                }
            };
            let suffixes = (1..=width).map(|j| format!("_{j}")).collect();
            let unseen = self.unseen.stand(width);
            Ok(LevelNumbers::new(suffixes, levels.len(), missing, unseen, |code, out| {
                places[code as usize].into_iter().for_each(|place| out.extend_from_slice(row(place)));
            }))
        })
    }
}

fn many() -> usize {
    256
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::select::{all, categories};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data};

    use crate::test_tables::training;

    #[test]
    fn conforms() {
        use Contrast::{BackwardDifference, Helmert, Polynomial, Sum};
        for contrast in [Helmert, Sum, BackwardDifference, Polynomial] {
            let spec = ContrastEncoder::on(categories(), contrast);
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec.clone().order(LevelOrder::Frequency), &data::regression(61, 2));
            conformance::transformer(&spec.clone().order(["pro", "Bern", "basic"]), &data::ranking(63, 4));
            let spec = spec.unseen(Unseen::Error).missing(MissingLevel::Zeros);
            conformance::transformer(&spec, &data::multiclass(62, 3).reweighted(vec![1.0; 62]).unwrap());
        }
    }

    fn train(levels: &[Option<&str>]) -> Dataset<stagewise_core::task::Regression> {
        training(Table::of([("x", Column::categories(levels.iter().copied()))]).unwrap(), None)
    }

    #[test]
    fn missing_is_the_last_level_and_unseen_the_mean_of_all() {
        let spec = ContrastEncoder::on(all(), Contrast::Sum);
        let fitted = spec.fit(&train(&[Some("b"), None, Some("a")]), &FitContext::new(0)).unwrap();
        let rule = fitted.rule("x").unwrap();
        assert_eq!(rule.numbers(1), Some([1.0, 0.0].as_slice()));
        assert_eq!(rule.numbers(0), Some([0.0, 1.0].as_slice()));
        assert_eq!((rule.missing(), rule.unseen()), (Some([-1.0, -1.0].as_slice()), Some([0.0, 0.0].as_slice())));
    }

    #[test]
    fn fewer_than_two_levels_and_too_many() {
        let cx = FitContext::new(0);
        let spec = ContrastEncoder::on(all(), Contrast::Helmert);
        for rows in [vec![Some("a"), Some("a")], vec![None]] {
            let (fitted, out) = spec.fit_transform(train(&rows), &cx).unwrap();
            assert_eq!((fitted.output().len(), out.rows()), (0, rows.len()));
            assert_eq!(cx.take_warnings()[0].what, "column `x`: has no two levels to compare; it is left out");
        }
        let rows = [Some("a"), Some("b"), None];
        let error = spec.clone().max_levels(2).fit(&train(&rows), &cx).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `x`: `max_levels` is 2, allowed is at least the number of levels of the column"
        );
        assert!(spec.max_levels(1).fit(&train(&rows), &cx).is_err());
    }
}
