//! The time from one column of points in time to another.

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::named;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::parts::as_times;
use super::since::TimeUnit;
use crate::columns::{positions, wrong_cell};
use crate::joint::{Joint, JointRule, Place, Taken, TakenCells, plan};

/// Adds the time from one point in time to another, negative if the second lies before the first: an age at the event, a
/// delay.
///
/// Output: `<from>_to_<to>_days` and so on behind all others; both columns stay. Missing where either is missing. Nothing
/// is learned. `O(rows)`.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::record::parse::timestamp;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::TimeBetween;
///
/// let column = |day: &str| Column::timestamps([timestamp(day).unwrap()]);
/// let (ordered, sent) = (column("2024-02-28"), column("2024-03-01T06:00"));
/// let table = Table::of([("ordered", ordered), ("sent", sent), ("cost", Column::numbers([1.0]))])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = TimeBetween::new("ordered", "sent").fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("ordered_to_sent_days")?.as_numbers()?, [2.25]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeBetween {
    from: String,
    to: String,
    unit: TimeUnit,
}

/// A learned [`TimeBetween`].
pub type FittedTimeBetween = Joint<Between>;

/// What is made of two columns of points in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Between {
    /// Which of the two is the first in time to tell from.
    from: usize,
    unit: TimeUnit,
}

impl TimeBetween {
    /// From one column to another.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self { from: from.into(), to: to.into(), unit: TimeUnit::Days }
    }

    /// In what it is told. Default: days.
    #[must_use]
    pub fn unit(mut self, unit: TimeUnit) -> Self {
        self.unit = unit;
        self
    }

    fn taken(&self, input: &Schema) -> Result<(Vec<usize>, Between)> {
        ParameterError::check(self.from != self.to, "to", &self.to, "another column than `from`")?;
        let taken = positions(&named([&self.from, &self.to].map(String::as_str)), input, &[Kind::Timestamp])?;
        let from = usize::from(taken.first() != input.position(&self.from).as_ref());
        Ok((taken, Between { from, unit: self.unit }))
    }
}

impl Persist for TimeBetween {
    const TAG: &'static str = "TimeBetween";
}

impl<T: Task> Transformer<T> for TimeBetween {
    type Fitted = FittedTimeBetween;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let (taken, rule) = self.taken(input)?;
        Ok(plan(input, &taken, Place::Added, true, rule.fields(Taken::new(input, &taken))))
    }

    fn fit(&self, train: &Dataset<T>, _: &FitContext) -> Result<FittedTimeBetween> {
        let (taken, rule) = self.taken(train.features().schema())?;
        Joint::new(train, taken, Place::Added, rule)
    }
}

impl JointRule for Between {
    const TAG: &'static str = "FittedTimeBetween";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        let (from, to) = (taken.field(self.from), taken.field(1 - self.from));
        let name = format!("{}_to_{}_{}", from.name, to.name, self.unit.name());
        vec![Field::derived(name, Kind::Number, [from, to]).missing(from.missing || to.missing)]
    }

    fn columns(&self, _: Taken<'_>, columns: Vec<Column>, _: usize) -> Result<Vec<Column>> {
        let (from, to) = (as_times(&columns[self.from])?, as_times(&columns[1 - self.from])?);
        let between = |(&from, &to): (&i64, &i64)| {
            let missing = from == MISSING_TIME || to == MISSING_TIME;
            if missing { f64::NAN } else { self.unit.between(from, to) }
        };
        Ok(vec![Column::numbers(from.iter().zip(to).map(between).collect::<Vec<_>>())])
    }

    fn cells(&self, _: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        out.push(match (cells.cell(self.from), cells.cell(1 - self.from)) {
            (Cell::Timestamp(from), Cell::Timestamp(to)) => Cell::Number(self.unit.between(*from, *to)),
            (Cell::Missing | Cell::Timestamp(_), Cell::Missing | Cell::Timestamp(_)) => Cell::Missing,
            (Cell::Missing | Cell::Timestamp(_), other) | (other, _) => return Err(wrong_cell(Kind::Timestamp, other)),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::stage::Transform;
    use stagewise_core::task::Regression;
    use stagewise_testkit::conformance;

    #[test]
    fn conforms_in_both_directions() {
        let data = crate::test_tables::times(40);
        for (from, to) in [("start", "end"), ("end", "start")] {
            let spec = TimeBetween::new(from, to).unit(TimeUnit::Hours);
            conformance::transformer(&spec, &data);
            let fitted = spec.fit(&data, &FitContext::new(0)).unwrap();
            assert!(fitted.output().position(&format!("{from}_to_{to}_hours")).is_some());
        }
    }

    #[test]
    fn the_other_way_round_is_the_opposite() {
        let data = crate::test_tables::times(40);
        let of = |from: &str, to: &str| {
            let fitted = TimeBetween::new(from, to).fit(&data, &FitContext::new(0)).unwrap();
            let table = fitted.transform(data.features().clone()).unwrap();
            table.column(&format!("{from}_to_{to}_days")).unwrap().as_numbers().unwrap().to_vec()
        };
        for (there, back) in of("start", "end").into_iter().zip(of("end", "start")) {
            assert!(there == -back || (there.is_nan() && back.is_nan()));
        }
    }

    #[test]
    fn a_column_to_itself_is_refused() {
        let data = crate::test_tables::times(5);
        let spec = TimeBetween::new("start", "start");
        let error = Transformer::<Regression>::plan(&spec, data.features().schema()).unwrap_err();
        assert!(error.to_string().contains("another column than `from`"), "{error}");
    }
}
