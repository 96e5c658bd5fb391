//! The column that says where values were missing, before an imputer hides it.
//!
//! It is a number, 0 or 1, named `<column>_missing`, right after its column. A column gets one only if it has missing
//! values in training: one that is always 0 there teaches a model nothing. A value that is first missing later, in a
//! column without indicator, is imputed and nothing else. Imputers add it on demand; as a stage of its own it is
//! [`MissingIndicator`].

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use crate::columns::positions;
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// Adds a column that says where another is missing, and leaves that as it is.
///
/// `<name>_missing` is 1 where `<name>` is missing and 0 elsewhere, right after it. By default only columns with missing
/// values in training get one, see [`everywhere`](Self::everywhere). A row of weight 0 is as if it were not there.
///
/// For models that take missing values but should also see where they are, and before imputers of several stages. Imputers
/// have a setter `indicator` that does the same. An imputer behind this stage that selects all numbers takes the
/// indicators, which are numbers, too.
///
/// | what comes | what happens |
/// |---|---|
/// | any kind of column | taken, also text and timestamps |
/// | a level not seen in training, `±∞` | not missing |
/// | a value first missing after training | shown only where there is an indicator |
///
/// The target is not touched. `O(rows)` a column.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::all;
/// use stagewise_core::stage::{Transform, Transformer};
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::impute::MissingIndicator;
///
/// let table = Table::of([
///     ("age", Column::numbers([20.0, f64::NAN, 30.0])),
///     ("plan", Column::categories([Some("a"), Some("b"), Some("a")])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = MissingIndicator::on(all()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(fitted.output().names(), ["age", "age_missing", "plan"]);
/// assert_eq!(train.features().column("age_missing")?.as_numbers()?, [0.0, 1.0, 0.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against the indicator columns of scikit-learn 1.9.1 `SimpleImputer(add_indicator=True)`, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MissingIndicator {
    on: Selector,
    everywhere: bool,
}

/// A learned [`MissingIndicator`].
pub type FittedMissingIndicator = Rewrite<Indication>;

/// What was learned about one column: whether it has an indicator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indication {
    indicator: bool,
}

impl MissingIndicator {
    /// Looks at these columns, of any kind.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, everywhere: false }
    }

    /// Whether columns without missing values in training get an indicator too. Default `false`.
    #[must_use]
    pub fn everywhere(mut self, everywhere: bool) -> Self {
        self.everywhere = everywhere;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Number, Kind::Category, Kind::Flag, Kind::Text, Kind::Timestamp])
    }
}

impl Persist for MissingIndicator {
    const TAG: &'static str = "MissingIndicator";
}

impl<T: Task> Transformer<T> for MissingIndicator {
    type Fitted = FittedMissingIndicator;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let fields = |of: &Field| {
            if self.everywhere || of.missing { vec![of.clone(), field(of)] } else { vec![of.clone()] }
        };
        Ok(plan(input, &self.positions(input)?, self.everywhere, fields))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedMissingIndicator> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            Ok(Indication { indicator: self.everywhere || training.has_missing() })
        })
    }
}

impl Indication {
    /// Whether the column has an indicator.
    pub fn has_indicator(&self) -> bool {
        self.indicator
    }
}

impl ColumnRule for Indication {
    const TAG: &'static str = "FittedMissingIndicator";

    fn fields(&self, of: &Field) -> Vec<Field> {
        if self.indicator { vec![of.clone(), field(of)] } else { vec![of.clone()] }
    }

    fn column(&self, _: &Field, values: Column, out: &mut Vec<Column>) -> Result<()> {
        let added = self.indicator.then(|| column(&values));
        out.push(values);
        out.extend(added);
        Ok(())
    }

    fn cell(&self, _: &Field, value: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        out.push(value.clone());
        if self.indicator {
            out.push(cell(value));
        }
        Ok(())
    }
}

/// The setter that all imputers have, for a spec with a field `indicator`.
macro_rules! indicator_setter {
    () => {
        /// Whether each column with missing values in training gets a column `<name>_missing` right after it: 1 where the
        /// value was missing, 0 elsewhere. Default `false`.
        #[must_use]
        pub fn indicator(mut self, indicator: bool) -> Self {
            self.indicator = indicator;
            self
        }
    };
}
pub(super) use indicator_setter;

/// The field of the indicator of a column.
pub(super) fn field(of: &Field) -> Field {
    Field::derived(format!("{}_missing", of.name), Kind::Number, [of])
}

/// What is known before data of an imputed column: whether it gets an indicator depends on the training rows.
pub(super) fn planned(of: &Field, wanted: bool) -> Vec<Field> {
    let filled = of.clone().missing(false);
    if wanted && of.missing { vec![filled, field(of)] } else { vec![filled] }
}

/// 1 where `column` is missing, 0 elsewhere. `O(rows)`.
pub(super) fn column(column: &Column) -> Column {
    fn flags<V>(values: &[V], is_missing: impl Fn(&V) -> bool) -> Column {
        Column::numbers(values.iter().map(|v| f64::from(u8::from(is_missing(v)))).collect::<Vec<_>>())
    }
    match column {
        Column::Number(values) => flags(values, |x| x.is_nan()),
        Column::Category { codes, .. } => flags(codes, |&code| code == MISSING_CODE),
        Column::Flag(values) => flags(values, Option::is_none),
        other => {
            let rows: Vec<usize> = (0..other.len()).collect();
            flags(&rows, |&row| other.cell(row) == Cell::Missing)
        }
    }
}

/// 1 if `cell` is missing, 0 otherwise.
pub(super) fn cell(cell: &Cell) -> Cell {
    Cell::Number(f64::from(u8::from(matches!(cell, Cell::Missing))))
}

#[cfg(test)]
mod tests;
