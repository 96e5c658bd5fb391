//! Numbers that lie too far out are brought to the bound, made missing, or pointed out.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::bounds::{Bounds, OutlierRule, Tails};
use crate::columns::{positions, wrong_cell};
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// Changes numbers that lie too far out: to the nearest bound (winsorising), to missing, or not at all but to a column that
/// says where they are.
///
/// What is too far is learned from the training rows by an [`OutlierRule`] and stays so: a value of later rows is held
/// against the bounds of training. Linear models and distances suffer from far values; trees hardly do.
///
/// | what comes | what happens |
/// |---|---|
/// | a missing value | stays missing; not an outlier |
/// | `±∞` | left out when learning; an outlier on its side, where that has a bound |
/// | a column without spread: constant, or with equal quartiles under [`OutlierRule::Iqr`] | left as it is, with a warning; its indicator is 0 |
/// | bounds beyond the range of `f64` | none |
/// | weights | a row of weight 2 counts as the row twice, one of weight 0 is not there |
///
/// Output: the same columns, with indicators `<name>_outlier` right behind theirs where asked for. The target is not
/// touched. `O(rows log rows)` a column to fit.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::numbers;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::outlier::OutlierClipper;
///
/// let table = Table::of([
///     ("income", Column::numbers([1.0, 2.0, 3.0, 4.0, 100.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0, 5.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = OutlierClipper::on(numbers()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(fitted.rule("income").map(|rule| rule.bounds().high()), Some(Some(7.0)));
/// assert_eq!(train.features().column("income")?.as_numbers()?, [1.0, 2.0, 3.0, 4.0, 7.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against feature-engine 1.9.4 `Winsorizer`, all four methods and tails, tolerance 1e-12; it divides median
/// deviations by 0.67449 where here it is `Φ⁻¹(3/4)` to the last digit, it refuses columns without spread, and it has one
/// indicator for each tail.
#[doc(alias = "Winsorizer")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutlierClipper {
    on: Selector,
    rule: OutlierRule,
    tails: Tails,
    action: OutlierAction,
    indicator: bool,
}

/// What becomes of a value that lies too far out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutlierAction {
    /// It becomes the nearest bound.
    #[default]
    Clip,
    /// It becomes missing.
    Missing,
    /// It stays, and a column `<name>_outlier` says that it is one.
    Flag,
}

/// A learned [`OutlierClipper`].
pub type FittedOutlierClipper = Rewrite<Clip>;

/// What was learned about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    bounds: Bounds,
    action: OutlierAction,
    indicator: bool,
}

impl OutlierClipper {
    /// Looks at these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self {
            on: columns,
            rule: OutlierRule::default(),
            tails: Tails::Both,
            action: OutlierAction::Clip,
            indicator: false,
        }
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

    /// What becomes of such values. Default [`OutlierAction::Clip`].
    #[must_use]
    pub fn action(mut self, action: OutlierAction) -> Self {
        self.action = action;
        self
    }

    /// Whether each column gets a column `<name>_outlier` right after it, 1 where the value lay too far out and 0 elsewhere.
    /// Default `false`; [`OutlierAction::Flag`] always adds it.
    #[must_use]
    pub fn indicator(mut self, indicator: bool) -> Self {
        self.indicator = indicator;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        self.rule.check()?;
        positions(&self.on, input, &[Kind::Number])
    }

    fn learned(&self, bounds: Bounds) -> Clip {
        let indicator = self.indicator || self.action == OutlierAction::Flag;
        Clip { bounds, action: self.action, indicator }
    }
}

impl Persist for OutlierClipper {
    const TAG: &'static str = "OutlierClipper";
}

impl<T: Task> Transformer<T> for OutlierClipper {
    type Fitted = FittedOutlierClipper;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let unknown = self.learned(Bounds::default());
        Ok(plan(input, &self.positions(input)?, true, |field| unknown.fields(field)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedOutlierClipper> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            Ok(self.learned(self.rule.bounds(training, self.tails)?))
        })
    }
}

impl Clip {
    /// The values that are left alone.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    #[inline]
    fn changed(&self, x: f64) -> f64 {
        match self.action {
            OutlierAction::Clip => self.bounds.nearest(x),
            OutlierAction::Missing if self.bounds.exclude(x) => f64::NAN,
            OutlierAction::Missing | OutlierAction::Flag => x,
        }
    }

    #[inline]
    fn indicated(&self, x: f64) -> f64 {
        f64::from(u8::from(self.bounds.exclude(x)))
    }
}

impl ColumnRule for Clip {
    const TAG: &'static str = "FittedOutlierClipper";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let changed = field.clone().missing(field.missing || self.action == OutlierAction::Missing);
        let indicator = || Field::derived(format!("{}_outlier", field.name), Kind::Number, [field]);
        if self.indicator { vec![changed, indicator()] } else { vec![changed] }
    }

    fn column(&self, _: &Field, mut column: Column, out: &mut Vec<Column>) -> Result<()> {
        let values = column.as_numbers()?;
        let outliers = values.iter().any(|&x| self.bounds.exclude(x));
        let indicator =
            self.indicator.then(|| Column::numbers(values.iter().map(|&x| self.indicated(x)).collect::<Vec<_>>()));
        // The buffer may be shared; without an outlier it is left alone and so not copied.
        if outliers && self.action != OutlierAction::Flag {
            column.make_numbers()?.iter_mut().for_each(|x| *x = self.changed(*x));
        }
        out.push(column);
        out.extend(indicator);
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        let x = match cell {
            Cell::Number(x) => *x,
            Cell::Missing => f64::NAN,
            other => return Err(wrong_cell(Kind::Number, other)),
        };
        out.push(Cell::number(self.changed(x)));
        if self.indicator {
            out.push(Cell::Number(self.indicated(x)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
