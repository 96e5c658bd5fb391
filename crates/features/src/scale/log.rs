//! Numbers become their logarithms.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, Error, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::not_defined::{self, Function, NotDefined};
use crate::columns::positions;
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// Takes logarithms of numbers.
///
/// `log_base(x + offset)`, by default `ln x`. With an [`offset`](Self::offset) of 1 it is `log1p`, which keeps the
/// digits of small `x` and has a value for 0. Products become sums, and a long tail to the right becomes short.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | stay missing |
/// | `x + offset ≤ 0`, also `-∞` | [`not_defined`](Self::not_defined); by default an error that names the number |
/// | `+∞` | stays `+∞` |
///
/// Output: the same columns. Nothing is learned from the training rows but whether they can be taken, so weights have
/// no influence, except that a row of weight 0 is not looked at when fitting. `O(rows)` a column.
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
/// use stagewise_features::scale::Log;
///
/// let table = Table::of([
///     ("income", Column::numbers([1.0, 100.0, 1e5])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = Log::on(numbers()).base(10.0).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("income")?.as_numbers()?, [0.0, 2.0, 5.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against numpy 2.4.6 `log`, `log2`, `log10`, `log1p`, tolerance 1e-12.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    on: Selector,
    #[serde(default = "euler")]
    base: f64,
    #[serde(default)]
    offset: f64,
    #[serde(default)]
    not_defined: NotDefined,
}

/// A learned [`Log`].
pub type FittedLog = Rewrite<Logarithm>;

/// What is done with one column: `log_base(x + offset)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logarithm {
    base: f64,
    offset: f64,
    not_defined: NotDefined,
}

impl Log {
    /// Takes logarithms of these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, base: euler(), offset: 0.0, not_defined: NotDefined::default() }
    }

    /// The base: finite, above 0 and not 1. Default e.
    #[must_use]
    pub fn base(mut self, base: f64) -> Self {
        self.base = base;
        self
    }

    /// What is added before: finite. Default 0; 1 gives `log1p`.
    #[must_use]
    pub fn offset(mut self, offset: f64) -> Self {
        self.offset = offset;
        self
    }

    /// What becomes of a number whose logarithm is not defined. Default [`NotDefined::Error`].
    #[must_use]
    pub fn not_defined(mut self, not_defined: NotDefined) -> Self {
        self.not_defined = not_defined;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        let base = self.base;
        ParameterError::check(
            base.is_finite() && base > 0.0 && base != 1.0,
            "base",
            base,
            "finite, above 0 and not 1",
        )?;
        ParameterError::check(self.offset.is_finite(), "offset", self.offset, "a finite number")?;
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for Log {
    const TAG: &'static str = "Log";
}

impl<T: Task> Transformer<T> for Log {
    type Fitted = FittedLog;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| vec![self.not_defined.field(field)]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedLog> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let rule = Logarithm { base: self.base, offset: self.offset, not_defined: self.not_defined };
            let values = training.column.as_numbers()?;
            let refused = |&(row, _): &(usize, f64)| !values[row].is_nan() && rule.value(values[row]).is_nan();
            match training.rows().find(refused) {
                Some((row, _)) if self.not_defined == NotDefined::Error => {
                    Err(rule.refused(values[row])).at(|| Crumb::Row(row))
                }
                _ => Ok(rule),
            }
        })
    }
}

impl Function for Logarithm {
    #[inline]
    fn value(&self, x: f64) -> f64 {
        let moved = x + self.offset;
        if moved <= 0.0 || moved.is_nan() {
            f64::NAN
        } else if self.offset == 1.0 {
            let log = x.ln_1p();
            if self.base == euler() { log } else { log / self.base.ln() }
        } else if self.base == euler() {
            moved.ln()
        } else if self.base == 10.0 {
            moved.log10()
        } else if self.base == 2.0 {
            moved.log2()
        } else {
            moved.ln() / self.base.ln()
        }
    }

    fn refused(&self, x: f64) -> Error {
        let what = if self.offset == 0.0 {
            "the logarithm".to_string()
        } else {
            format!("the logarithm, with offset {},", self.offset)
        };
        let why = format!(
            "only numbers above {} have one; take a larger offset, or let them become missing",
            -self.offset + 0.0
        );
        not_defined::undefined(&what, x, why)
    }

    fn not_defined(&self) -> NotDefined {
        self.not_defined
    }
}

impl ColumnRule for Logarithm {
    const TAG: &'static str = "FittedLog";

    fn fields(&self, field: &Field) -> Vec<Field> {
        vec![self.not_defined.field(field)]
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        out.push(not_defined::column(self, column)?);
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        out.push(not_defined::cell(self, cell)?);
        Ok(())
    }
}

fn euler() -> f64 {
    std::f64::consts::E
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{all, named, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    use crate::scale::golden_tests::check;
    use crate::test_tables::{numbers as table, training};

    #[test]
    fn conforms() {
        let strict = Log::on(named(["age", "income"])).base(2.0);
        conformance::transformer(&strict, &data::binary(60, 1));
        conformance::transformer(&strict, &data::ranking(60, 1));
        let lenient = Log::on(numbers()).offset(1.0).not_defined(NotDefined::Missing);
        conformance::transformer(&lenient, &data::regression(61, 2));
        conformance::transformer(&lenient, &data::multiclass_numeric(62, 3));
    }

    #[test]
    fn equals_numpy() {
        check("log", 5, |case| {
            let log = Log::on(all()).offset(case.number("/input/offset")).not_defined(NotDefined::Missing);
            match case.optional_numbers("/input/base") {
                None => log,
                Some(base) => log.base(base[0]),
            }
        });
    }

    #[test]
    fn numbers_without_a_logarithm_are_refused_by_name() {
        let cx = FitContext::new(0);
        let rows = vec![vec![1.0], vec![0.0], vec![-3.0]];
        let error = Log::on(all()).fit(&training(table(&rows), None), &cx).unwrap_err().to_string();
        assert!(error.contains("column `c0`") && error.contains("row 1"), "{error}");
        assert!(error.contains("the logarithm of 0 is not defined: only numbers above 0 have one"), "{error}");
        // A row of weight 0 is not there.
        let spec = Log::on(all());
        let fitted = spec.fit(&training(table(&rows), Some(vec![1.0, 0.0, 0.0])), &cx).unwrap();
        let error = fitted.transform(table(&rows[2..])).unwrap_err().to_string();
        assert!(error.contains("the logarithm of -3 is not defined"), "{error}");
        let error = fitted.transform_row(&[Cell::Number(f64::NEG_INFINITY)], &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("the logarithm of -inf is not defined"), "{error}");
    }

    #[test]
    fn or_become_missing() {
        let rows = vec![vec![-1.0], vec![-2.0], vec![f64::INFINITY], vec![1e-300], vec![f64::NAN]];
        let spec = Log::on(all()).offset(1.0).not_defined(NotDefined::Missing);
        let (fitted, train) = spec.fit_transform(training(table(&rows), None), &FitContext::new(0)).unwrap();
        let found = train.features().columns()[0].as_numbers().unwrap();
        assert!(found[0].is_nan() && found[1].is_nan() && found[4].is_nan());
        assert_eq!(found[2..4], [f64::INFINITY, 1e-300]);
        assert!(fitted.output().field("c0").unwrap().missing);
    }

    #[test]
    fn parameters_are_checked_before_data() {
        let checked = |spec: Log| Transformer::<Regression>::plan(&spec, data::mixed(3, 0).schema()).is_err();
        for base in [0.0, 1.0, -2.0, f64::NAN, f64::INFINITY] {
            assert!(checked(Log::on(numbers()).base(base)), "{base}");
        }
        assert!(checked(Log::on(numbers()).offset(f64::NAN)) && !checked(Log::on(numbers()).base(0.5)));
    }
}
