//! Columns that are protected, or stand for what is, are left out.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{NumericError, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Schema};
use stagewise_core::select::{Selector, all};
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::sum::exact_sum;

use super::association::association;
use super::protected;
use crate::combine::block::counting_rows;
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// Drops the protected columns, and those that tell too much of them.
///
/// A column goes if its association with one of the protected columns is above [`above`](Self::above):
///
/// | columns | association, from 0 to 1 |
/// |---|---|
/// | two numbers | the size of Pearson's correlation |
/// | a number and a category or flag | the correlation ratio `√(Σ w_g (x̄_g - x̄)² / Σ w (x - x̄)²)` |
/// | categories and flags | Cramér's V, corrected for bias (Bergsma 2013) |
///
/// Each pair by the rows that have both; infinite numbers count as missing, text and time have none. What several columns
/// tell together is not seen: [`CorrelationRemover`](crate::bias::CorrelationRemover) takes that out as far as it is linear.
/// A level with few rows is associated with everything by chance; put a rare level's limit before.
///
/// The protected columns are features, which this step drops: later rows must hold them as any column. If they have the role
/// protected they never reach a model anyway, but then nothing can be found that stands for them either.
///
/// Nothing is learned but which columns go; that is in the warnings, with the association. The target is not touched. Weights count
/// rows several times, and must add up to more than 1. `O(rows · columns · protected)` to fit, and more for many levels.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::named;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::bias::Suppression;
///
/// let table = Table::of([
///     ("sex", Column::categories(["f", "f", "m", "m"].map(Some))),
///     ("height", Column::numbers([160.0, 164.0, 178.0, 182.0])),
///     ("age", Column::numbers([30.0, 50.0, 29.0, 52.0])),
///     ("cost", Column::numbers([1.0; 4])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = Suppression::of(named(["sex"])).above(0.8).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().schema().names(), ["age"]);
/// let height = fitted.rule("height").unwrap();
/// assert!((height.association() - (324.0_f64 / 340.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against pandas 3.1.1, and the formulas on scipy 1.17.1 and numpy 2.4.6, tolerance 1e-9.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suppression {
    protected: Selector,
    on: Selector,
    above: f64,
}

/// A learned [`Suppression`].
pub type FittedSuppression = Rewrite<Suppressed>;

/// Why one column is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suppressed {
    with: String,
    association: f64,
}

impl Suppression {
    /// Drops these columns, and all that are associated with one of them by more than 0.5.
    pub fn of(protected: Selector) -> Self {
        Self { protected, on: all(), above: 0.5 }
    }

    /// Among which columns it looks. Default all.
    #[must_use]
    pub fn among(mut self, columns: Selector) -> Self {
        self.on = columns;
        self
    }

    /// The association above which a column is dropped: from 0 to 1, at which only the protected columns go. Default 0.5.
    #[must_use]
    pub fn above(mut self, association: f64) -> Self {
        self.above = association;
        self
    }

    /// The positions of the protected columns, and of those to look among.
    fn positions(&self, input: &Schema) -> Result<(Vec<usize>, Vec<usize>)> {
        ParameterError::check((0.0..=1.0).contains(&self.above), "above", self.above, "from 0 to 1")?;
        let protected = protected::positions(Self::TAG, &self.protected, input)?;
        let others = self.on.clone() - self.protected.clone();
        Ok((protected, others.positions(input)?))
    }
}

impl Persist for Suppression {
    const TAG: &'static str = "Suppression";
}

impl<T: Task> Transformer<T> for Suppression {
    type Fitted = FittedSuppression;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let (protected, others) = self.positions(input)?;
        Ok(plan(input, &protected, others.is_empty(), |_| Vec::new()))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedSuppression> {
        let features = train.features();
        let (protected, others) = self.positions(features.schema())?;
        let rows = counting_rows(train);
        let weight = train.weights().map_or(rows.len() as f64, exact_sum);
        if weight <= 1.0 && rows.len() > 1 {
            let why = format!("the weights of the rows add up to {weight}, more than 1 is needed");
            return Err(NumericError::Undefined { what: "the association of columns".into(), why }.into());
        }
        let name = |i: usize| features.schema().fields()[i].name.to_string();
        let mut dropped: Vec<(usize, Suppressed)> =
            protected.iter().map(|&i| (i, Suppressed { with: name(i), association: 1.0 })).collect();
        for &i in &others {
            cx.check()?;
            let with = |&p: &usize| {
                let value = association(&features.columns()[i], &features.columns()[p], &rows, train.weights());
                Suppressed { with: name(p), association: value }
            };
            // Of equal ones the first by name, so that the order of columns changes nothing.
            let strongest = protected
                .iter()
                .map(with)
                .max_by(|a, b| a.association.total_cmp(&b.association).then_with(|| b.with.cmp(&a.with)));
            if let Some(found) = strongest.filter(|found| found.association > self.above) {
                let Suppressed { with, association } = &found;
                let column = name(i);
                cx.warn(format!("column `{column}`: is left out, its association with `{with}` is {association:.3}"));
                dropped.push((i, found));
            }
        }
        dropped.sort_by_key(|(i, _)| *i);
        let positions: Vec<usize> = dropped.iter().map(|(i, _)| *i).collect();
        Rewrite::learn(train, &positions, cx, |training| {
            let place = features.schema().require(&training.field.name)?;
            let found = dropped.iter().find(|(i, _)| *i == place).map(|(_, found)| found.clone());
            Ok(found.unwrap_or_else(|| Suppressed { with: training.field.name.to_string(), association: 1.0 }))
        })
    }
}

impl Suppressed {
    /// The protected column that it tells most of; itself for a protected column.
    pub fn with(&self) -> &str {
        &self.with
    }

    /// The association with it; 1 for a protected column.
    pub fn association(&self) -> f64 {
        self.association
    }
}

impl ColumnRule for Suppressed {
    const TAG: &'static str = "FittedSuppression";

    fn fields(&self, _: &Field) -> Vec<Field> {
        Vec::new()
    }

    fn column(&self, _: &Field, _: Column, _: &mut Vec<Column>) -> Result<()> {
        Ok(())
    }

    fn cell(&self, _: &Field, _: &Cell, _: &mut Vec<Cell>) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{named, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn conforms() {
        for spec in [
            Suppression::of(named(["plan"])).above(0.1),
            Suppression::of(named(["age", "city"])).among(numbers()),
            Suppression::of(named(["active"])).above(0.0),
        ] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
        }
    }

    #[test]
    fn it_says_what_goes_and_why() {
        let (schema, mut columns) = data::mixed(200, 1).into_parts();
        // Nearly the plan, by another name.
        let (codes, _) = columns[5].as_categories().unwrap();
        let proxy: Vec<f64> = codes.iter().enumerate().map(|(i, &c)| f64::from(c) + (i % 3) as f64 / 10.0).collect();
        columns[2] = Column::numbers(proxy);
        let table = stagewise_core::table::Table::new(schema, columns).unwrap();
        let train = crate::test_tables::training(table, None);
        let cx = FitContext::new(0);
        let fitted = Suppression::of(named(["plan"])).fit(&train, &cx).unwrap();
        assert_eq!(fitted.output().names(), ["age", "income", "empty", "city", "active"]);
        let rule = fitted.rule("constant").unwrap();
        assert!(rule.with() == "plan" && rule.association() > 0.9);
        let expected =
            format!("column `constant`: is left out, its association with `plan` is {:.3}", rule.association());
        assert_eq!(cx.take_warnings()[0].what, expected);
        let only = Suppression::of(named(["plan"])).above(1.0).fit(&train, &cx).unwrap();
        assert_eq!(only.output().len(), 6);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let data = data::binary(20, 1);
        let error = |spec: Suppression| spec.fit(&data, &FitContext::new(0)).unwrap_err().to_string();
        assert_eq!(error(Suppression::of(named(["plan"])).above(1.1)), "`above` is 1.1, allowed is from 0 to 1");
        assert!(error(Suppression::of(named(["sex"]))).starts_with("Suppression needs a protected attribute"));
    }
}
