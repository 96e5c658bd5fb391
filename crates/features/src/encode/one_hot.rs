//! Each level becomes a number column that is 1 where the level is, 0 elsewhere.
//!
//! The spec is here; what is learned about one category, and how it is applied, is in `learned.rs`.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use self::learned::{StandsFor, sorted};
use super::unseen::{MissingLevel, Unseen};
use crate::columns::positions;
use crate::rewrite::{Rewrite, plan};

pub(super) use self::learned::OneHot;

mod learned;

/// Puts a number column, 0 or 1, in place of each level of a category.
///
/// The columns of a category stand where it stood: `<column>=<level>` for each level of the training rows in the order
/// of code points, then `<column>=(missing)`, then `<column>=(rare)`, if there are any. How often a
/// level occurs is the sum of its rows' weights: a row of weight 2 counts twice, one of weight 0 is not there.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training | [`unseen`](Self::unseen); by default all columns are 0 |
/// | a missing level | [`missing`](Self::missing); by default a level of its own |
/// | a category without any level in training | no column, or the one of missing; a warning if none |
/// | two columns of one name | [`SchemaError::DuplicateColumn`](stagewise_core::error::SchemaError) |
///
/// `O(rows + levels log levels)` a category to fit. One `f64` column for each level: for a category of many levels,
/// [`max_levels`](Self::max_levels) bounds the width.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::categories;
/// use stagewise_core::stage::{Transform, Transformer};
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::OneHotEncoder;
///
/// let table = Table::of([
///     ("plan", Column::categories([Some("pro"), Some("basic"), None, Some("pro")])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = OneHotEncoder::on(categories()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(fitted.output().names(), ["plan=basic", "plan=pro", "plan=(missing)"]);
/// assert_eq!(train.features().column("plan=pro")?.as_numbers()?, [1.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `OneHotEncoder`, `handle_unknown`, `min_frequency` and `max_categories`, exactly; its
/// names are `<column>_<level>`, `<column>_None` and `<column>_infrequent_sklearn`. Its `max_categories` counts the column of
/// rare levels and missing, [`max_levels`](Self::max_levels) neither; of equally frequent levels it keeps the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneHotEncoder {
    on: Selector,
    #[serde(default)]
    rare_below: usize,
    #[serde(default)]
    max_levels: Option<usize>,
    #[serde(default)]
    unseen: Unseen,
    #[serde(default)]
    missing: MissingLevel,
    #[serde(default)]
    drop: DropLevel,
}

/// Which column of a category is left out, so that a linear model without penalty has one solution.
///
/// A level not seen in training, if ignored, then looks like the level left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DropLevel {
    /// None.
    #[default]
    None,
    /// The first of each category.
    First,
    /// The first of each category that has just two.
    Binary,
}

/// A learned [`OneHotEncoder`].
pub type FittedOneHotEncoder = Rewrite<OneHot>;

impl OneHotEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self {
            on: columns,
            rare_below: 0,
            max_levels: None,
            unseen: Unseen::default(),
            missing: MissingLevel::default(),
            drop: DropLevel::default(),
        }
    }

    /// Levels with fewer than this many rows, and missing if it is a level of its own, share the column
    /// `<column>=(rare)`. Default 0: none.
    #[must_use]
    pub fn rare_below(mut self, rows: usize) -> Self {
        self.rare_below = rows;
        self
    }

    /// At most this many levels have a column of their own: the most frequent; of equally frequent ones those that come
    /// first by code point. The others share `<column>=(rare)`. Missing does not count. At least 1; default `None`: all.
    #[must_use]
    pub fn max_levels(mut self, levels: impl Into<Option<usize>>) -> Self {
        self.max_levels = levels.into();
        self
    }

    /// What becomes of a level not seen in training. Default [`Unseen::Ignore`].
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

    /// Which column of each category to leave out. Default [`DropLevel::None`].
    #[must_use]
    pub fn drop(mut self, drop: DropLevel) -> Self {
        self.drop = drop;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        let most = self.max_levels.unwrap_or(1);
        ParameterError::check(most >= 1, "max_levels", most, "at least 1")?;
        positions(&self.on, input, &[Kind::Category])
    }

    /// The columns that may come of a category: those of all levels that are known before the training rows are read.
    fn planned(&self, field: &Field) -> Vec<Field> {
        let known = field.levels.as_ref().map_or(0, |levels| levels.len() as u32);
        let mut columns = sorted((0..known).collect(), field);
        let groups = self.rare_below > 0 || self.max_levels.is_some();
        columns.extend((field.missing && self.missing == MissingLevel::Level).then_some(StandsFor::Missing));
        columns.extend((groups || columns.is_empty()).then_some(StandsFor::Rare));
        columns.into_iter().map(|column| column.field(field)).collect()
    }
}

impl Persist for OneHotEncoder {
    const TAG: &'static str = "OneHotEncoder";
}

impl<T: Task> Transformer<T> for OneHotEncoder {
    type Fitted = FittedOneHotEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, false, |field| self.planned(field)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedOneHotEncoder> {
        let positions = self.positions(train.features().schema())?;
        Rewrite::learn(train, &positions, cx, |training| OneHot::learn(self, training))
    }
}

#[cfg(test)]
mod tests;
