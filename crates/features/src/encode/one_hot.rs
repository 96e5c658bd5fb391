//! Each level becomes a number column that is 1 where the level is, 0 elsewhere.
//!
//! What each code becomes is decided once, when learning: a column, nothing, or an error. So both paths only look up.

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, Error, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::unseen::{MissingLevel, Unseen};
use crate::rewrite::{ColumnRule, Rewrite, Training, plan, positions, wrong_cell};

/// Puts a number column, 0 or 1, in place of each level of a category.
///
/// The columns of a category stand where it stood: `<column>=<level>` for each level of the training rows in the order
/// of code points, then `<column>=(missing)`, then `<column>=(rare)`, if there are any. What a category becomes depends
/// on rows, not on their weights: how often a level occurs is counted in rows of positive weight.
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
/// Checked against scikit-learn 1.9.1 `OneHotEncoder`, `handle_unknown` and `min_frequency`, exactly; its names are
/// `<column>_<level>`, `<column>_None` and `<column>_infrequent_sklearn`.
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

/// What was learned about one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneHot {
    /// What each output column stands for.
    columns: Vec<StandsFor>,
    /// What each code of the training levels becomes.
    slots: Vec<Slot>,
    missing: Slot,
    unseen: Slot,
}

/// What an output column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StandsFor {
    Level(u32),
    Missing,
    Rare,
}

/// What a value becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Slot {
    /// 1 in this column.
    Column(u32),
    /// 0 in all columns.
    Zeros,
    /// An error.
    Refused,
}

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

impl OneHot {
    fn learn(spec: &OneHotEncoder, training: &mut Training<'_>) -> Result<Self> {
        let (codes, levels) = training.column.as_categories()?;
        let mut counts = vec![0_usize; levels.len()];
        let mut missing_rows = 0;
        for (row, _) in training.rows() {
            match counts.get_mut(codes[row] as usize) {
                Some(count) => *count += 1,
                None => missing_rows += 1,
            }
        }
        if missing_rows > 0 && spec.missing == MissingLevel::Error {
            return Err(DataError::MissingValues { count: missing_rows }.into());
        }
        let count = |code: &u32| counts[*code as usize];
        let seen = (0..levels.len() as u32).filter(|code| count(code) > 0);
        let (mut kept, mut rare): (Vec<u32>, Vec<u32>) = seen.partition(|code| count(code) >= spec.rare_below);
        if let Some(most) = spec.max_levels.filter(|&most| most < kept.len()) {
            kept.sort_unstable_by(|a, b| count(b).cmp(&count(a)).then_with(|| levels.name(*a).cmp(&levels.name(*b))));
            rare.extend(kept.drain(most..));
        }
        let has_missing = missing_rows > 0 && spec.missing == MissingLevel::Level;
        let missing_is_rare = has_missing && missing_rows < spec.rare_below;

        let mut columns = sorted(kept, training.field);
        columns.extend((has_missing && !missing_is_rare).then_some(StandsFor::Missing));
        columns.extend((missing_is_rare || !rare.is_empty()).then_some(StandsFor::Rare));
        let dropped = match spec.drop {
            DropLevel::None => false,
            DropLevel::First => !columns.is_empty(),
            DropLevel::Binary => columns.len() == 2,
        };
        let dropped = dropped.then(|| columns.remove(0));
        if columns.is_empty() {
            training.warn("has no level to encode; it is left out");
        }

        let place =
            |what: StandsFor| (columns.iter().zip(0..)).find(|(c, _)| **c == what).map(|(_, i)| Slot::Column(i));
        let group = place(StandsFor::Rare).unwrap_or(Slot::Zeros);
        let unseen = match spec.unseen {
            Unseen::Ignore => Slot::Zeros,
            Unseen::Rare => group,
            Unseen::Error => Slot::Refused,
        };
        let mut slots = vec![unseen; levels.len()];
        for (column, i) in columns.iter().zip(0..) {
            if let StandsFor::Level(code) = column {
                slots[*code as usize] = Slot::Column(i);
            }
        }
        if let Some(StandsFor::Level(code)) = dropped {
            slots[code as usize] = Slot::Zeros;
        }
        rare.iter().for_each(|&code| slots[code as usize] = group);
        let missing = match spec.missing {
            MissingLevel::Error => Slot::Refused,
            _ if missing_is_rare => group,
            _ => place(StandsFor::Missing).unwrap_or(Slot::Zeros),
        };
        Ok(Self { columns, slots, missing, unseen })
    }

    #[inline]
    fn slot(&self, code: u32) -> Slot {
        match self.slots.get(code as usize) {
            Some(slot) => *slot,
            None if code == MISSING_CODE => self.missing,
            None => self.unseen,
        }
    }

    /// The error of a value that is refused: an unseen level, or none.
    #[cold]
    fn refused(&self, field: &Field, level: Option<&str>) -> Error {
        let Some(level) = level else { return DataError::MissingValues { count: 1 }.into() };
        let names = field.levels.iter().flat_map(|levels| levels.iter());
        let known =
            names.zip(&self.slots).filter(|(_, slot)| **slot != Slot::Refused).map(|(name, _)| name.to_string());
        DataError::UnknownLevel { level: level.into(), known: known.collect() }.into()
    }
}

impl ColumnRule for OneHot {
    const TAG: &'static str = "FittedOneHotEncoder";

    fn fields(&self, field: &Field) -> Vec<Field> {
        self.columns.iter().map(|column| column.field(field)).collect()
    }

    fn column(&self, field: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        let (codes, levels) = column.as_categories()?;
        let mut columns = vec![vec![0.0; codes.len()]; self.columns.len()];
        for (row, &code) in codes.iter().enumerate() {
            match self.slot(code) {
                Slot::Zeros => {}
                Slot::Column(i) => {
                    if let Some(column) = columns.get_mut(i as usize) {
                        column[row] = 1.0;
                    }
                }
                Slot::Refused => {
                    let level = levels.name(code).map(ToString::to_string).or_else(|| anonymous(code));
                    return Err(self.refused(field, level.as_deref())).at(|| Crumb::Row(row));
                }
            }
        }
        out.extend(columns.into_iter().map(Column::numbers));
        Ok(())
    }

    fn cell(&self, field: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        let slot = match cell {
            Cell::Level(code) => self.slot(*code),
            Cell::NewLevel(_) => self.unseen,
            Cell::Missing => self.missing,
            other => return Err(wrong_cell(Kind::Category, other)),
        };
        if slot == Slot::Refused {
            let level = match cell {
                Cell::NewLevel(name) => Some(name.to_string()),
                Cell::Level(code) => {
                    let name = field.levels.as_ref().and_then(|levels| levels.name(*code));
                    name.map(ToString::to_string).or_else(|| anonymous(*code))
                }
                _ => None,
            };
            return Err(self.refused(field, level.as_deref()));
        }
        let start = out.len();
        out.extend(std::iter::repeat_n(Cell::Number(0.0), self.columns.len()));
        if let Slot::Column(i) = slot
            && let Some(cell) = out.get_mut(start + i as usize)
        {
            *cell = Cell::Number(1.0);
        }
        Ok(())
    }
}

impl StandsFor {
    fn field(self, of: &Field) -> Field {
        let level = match self {
            Self::Level(code) => of.levels.as_ref().and_then(|levels| levels.name(code)).map_or("?", |name| name),
            Self::Missing => "(missing)",
            Self::Rare => "(rare)",
        };
        Field::derived(format!("{}={level}", of.name), Kind::Number, [of])
    }
}

/// Columns for these codes in the order of their levels' names.
fn sorted(mut codes: Vec<u32>, field: &Field) -> Vec<StandsFor> {
    if let Some(levels) = &field.levels {
        codes.sort_unstable_by_key(|&code| levels.name(code));
    }
    codes.into_iter().map(StandsFor::Level).collect()
}

/// What to call a level that comes without a name; missing is no level.
fn anonymous(code: u32) -> Option<String> {
    (code != MISSING_CODE).then(|| format!("level {code}"))
}

#[cfg(test)]
mod tests;
