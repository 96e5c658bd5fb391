//! Ratios of numbers.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{Crumb, Error, ParameterError, Result, SchemaError};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::pairs::{self, Pairs};
use crate::joint::{self, Joint, JointRule, Place, Taken, TakenCells};

/// Adds ratios of pairs of numbers: `debt/income`.
///
/// | what comes | what happens |
/// |---|---|
/// | a divisor of 0, whatever is divided | as [`zero`](Self::zero) says: missing, unless set |
/// | either number missing | missing; nothing is learned, so nothing must be imputed before |
/// | a quotient beyond the range of `f64` | `±∞` |
/// | `∞ / ∞` | missing |
///
/// Output: `<left>/<right>` behind all columns, which are kept. Nothing is learned from rows, so weights have no part; the
/// target is not touched.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::combine::Ratios;
///
/// let table = Table::of([
///     ("debt", Column::numbers([20.0, 5.0])),
///     ("income", Column::numbers([40.0, 0.0])),
///     ("cost", Column::numbers([1.0, 2.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = Ratios::of([("debt", "income")]).fit_transform(train, &FitContext::new(0))?;
/// let ratio = train.features().column("debt/income")?;
/// assert_eq!((ratio.as_numbers()?[0], ratio.missing_count()), (0.5, 1));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    pairs: Vec<(String, String)>,
    zero: ZeroDivisor,
}

/// What a number divided by 0 is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ZeroDivisor {
    /// Missing: an imputer, or a model that knows what to do with it, comes after.
    #[default]
    Missing,
    /// This number, which must be finite.
    Value(f64),
}

/// A learned [`Ratios`].
pub type FittedRatios = Joint<Quotients>;

/// Which columns are divided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quotients {
    /// Places among the taken columns.
    places: Vec<(usize, usize)>,
    /// What a quotient by 0 is; `None` is missing.
    zero: Option<f64>,
}

impl Ratios {
    /// The first of each pair of columns divided by the second.
    pub fn of<A: Into<String>, B: Into<String>>(pairs: impl IntoIterator<Item = (A, B)>) -> Self {
        Self { pairs: pairs::owned(pairs), zero: ZeroDivisor::Missing }
    }

    /// What a number divided by 0 is. Default [`ZeroDivisor::Missing`].
    #[must_use]
    pub fn zero(mut self, zero: ZeroDivisor) -> Self {
        self.zero = zero;
        self
    }

    fn quotients(&self, input: &Schema) -> Result<(Vec<usize>, Quotients)> {
        let zero = match self.zero {
            ZeroDivisor::Missing => None,
            ZeroDivisor::Value(value) => {
                ParameterError::check(value.is_finite(), "zero", value, "a finite number")?;
                Some(value)
            }
        };
        let Pairs { positions, places } = pairs::resolve(&self.pairs, input)?;
        if let Some(field) = positions.iter().map(|&i| &input.fields()[i]).find(|field| field.kind != Kind::Number) {
            let error = SchemaError::WrongKind { expected: Kind::Number, found: field.kind };
            return Err(Error::from(error).at(Crumb::column(field.name.as_ref())));
        }
        Ok((positions, Quotients { places, zero }))
    }
}

impl Persist for Ratios {
    const TAG: &'static str = "Ratios";
}

impl<T: Task> Transformer<T> for Ratios {
    type Fitted = FittedRatios;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let (positions, quotients) = self.quotients(input)?;
        let fields = quotients.fields_of(|place| &input.fields()[positions[place]]);
        Ok(joint::plan(input, &positions, Place::Added, true, fields))
    }

    fn fit(&self, train: &Dataset<T>, _: &FitContext) -> Result<FittedRatios> {
        let (positions, quotients) = self.quotients(train.features().schema())?;
        Joint::new(train, positions, Place::Added, quotients)
    }
}

impl Quotients {
    fn fields_of<'a>(&self, field: impl Fn(usize) -> &'a Field) -> Vec<Field> {
        let made = |&(left, right): &(usize, usize)| {
            let (left, right) = (field(left), field(right));
            let is_missing = left.missing || right.missing || self.zero.is_none();
            let name = format!("{}/{}", left.name, right.name);
            Field::derived(name, Kind::Number, [left, right]).missing(is_missing)
        };
        self.places.iter().map(made).collect()
    }

    #[inline]
    fn quotient(&self, left: f64, right: f64) -> f64 {
        if right != 0.0 {
            left / right
        } else if left.is_nan() {
            f64::NAN
        } else {
            self.zero.unwrap_or(f64::NAN)
        }
    }
}

impl JointRule for Quotients {
    const TAG: &'static str = "FittedRatios";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        self.fields_of(|place| taken.field(place))
    }

    fn columns(&self, _: Taken<'_>, columns: Vec<Column>, _: usize) -> Result<Vec<Column>> {
        let made = |&(left, right): &(usize, usize)| {
            let (left, right) = (columns[left].as_numbers()?, columns[right].as_numbers()?);
            let quotients: Vec<f64> = left.iter().zip(right).map(|(&a, &b)| self.quotient(a, b)).collect();
            Ok(Column::numbers(quotients))
        };
        self.places.iter().map(made).collect()
    }

    fn cells(&self, _: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        for &(left, right) in &self.places {
            out.push(Cell::number(self.quotient(cells.number(left)?, cells.number(right)?)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data};

    use crate::test_tables::training;

    #[test]
    fn conforms() {
        let pairs = [("income", "age"), ("age", "income"), ("age", "constant"), ("empty", "age")];
        for spec in [Ratios::of(pairs), Ratios::of(pairs).zero(ZeroDivisor::Value(-1.0)), Ratios::of::<&str, &str>([])]
        {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::ranking(60, 2));
        }
    }

    #[test]
    fn every_quotient_has_a_rule() {
        let cases = [
            (1.0, 0.0, None, Some(7.0)),
            (0.0, -0.0, None, Some(7.0)),
            (f64::NAN, 0.0, None, None),
            (1.0, f64::NAN, None, None),
            (f64::INFINITY, f64::INFINITY, None, None),
            (1e300, 1e-300, Some(f64::INFINITY), Some(f64::INFINITY)),
            (3.0, -2.0, Some(-1.5), Some(-1.5)),
        ];
        let (left, right): (Vec<f64>, Vec<f64>) = cases.iter().map(|case| (case.0, case.1)).unzip();
        let table = Table::of([("a", Column::numbers(left)), ("b", Column::numbers(right))]).unwrap();
        let train = training(table, None);
        let quotients = |zero| {
            let fitted = Ratios::of([("a", "b")]).zero(zero).fit(&train, &FitContext::new(0)).unwrap();
            let out = fitted.transform(train.features().clone()).unwrap();
            let found = out.column("a/b").unwrap().as_numbers().unwrap().to_vec();
            found.into_iter().map(|x| Some(x).filter(|x| !x.is_nan())).collect::<Vec<_>>()
        };
        assert_eq!(quotients(ZeroDivisor::Missing), cases.map(|case| case.2));
        assert_eq!(quotients(ZeroDivisor::Value(7.0)), cases.map(|case| case.3));
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let data = data::binary(20, 1);
        let error = |spec: Ratios| spec.fit(&data, &FitContext::new(0)).unwrap_err().to_string();
        assert_eq!(error(Ratios::of([("age", "city")])), "column `city`: is a category, a number is needed");
        assert_eq!(error(Ratios::of([("agee", "age")])), "there is no column `agee`; did you mean `age`?");
        let expected = "`pairs` is `age` and `age`, allowed is two columns that differ";
        assert_eq!(error(Ratios::of([("age", "age")])), expected);
        assert!(error(Ratios::of([("age", "income")]).zero(ZeroDivisor::Value(f64::NAN))).starts_with("`zero` is NaN"));
    }
}
