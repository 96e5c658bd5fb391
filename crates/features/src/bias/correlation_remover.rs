//! Numbers without what follows from protected columns.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, Error, NumericError, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::gram::{weighted_gram, weighted_xty};
use stagewise_numeric::solve::symmetric::SymmetricEigen;
use stagewise_numeric::sum::{Moments, dot};

use super::protected::{self, UnknownGroup, named_cell, shown, taken};
use crate::columns::{self, with_levels};
use crate::combine::block::{by_name, counting_rows, finite_cell, finite_values};
use crate::joint::{self, Joint, JointRule, Place, Taken, TakenCells};

/// Eigenvalues below this share of the largest are what rounding leaves of columns that follow from others.
const DEPENDENT: f64 = 1e-12;

/// Subtracts from numbers what a linear regression on the protected columns says of them, so that they are uncorrelated with
/// these.
///
/// `x - α B (s - s̄)`, where `s` holds the protected columns (a number as it is, a flag as 0 and 1, a category as one column of 0
/// and 1 for each level but the first), `s̄` its weighted mean, and `B` the least squares coefficients of `x` on `s`, the shortest
/// if several fit equally well. Only the linear part goes: a model that bends can still find what is left.
///
/// The protected columns are features, which this step uses and drops: a row to predict must hold them.
///
/// | what comes | what happens |
/// |---|---|
/// | a missing or infinite number among `columns` | refused, in training and later: put an imputer before |
/// | a level not seen in training; a missing or infinite protected value | as [`unknown`](Self::unknown) says: an error, unless set; kept, its column counts as its mean |
/// | protected columns that do not vary, or follow from others | no harm |
/// | a result beyond the range of `f64` | refused |
/// | weights | count rows several times |
///
/// Output: the changed columns behind all others, which keep their order; the protected columns are gone. The target is not
/// touched. `O(rows · q (q + p) + q³)` to fit `p` columns on `q`, `O(p q)` a row later.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::{named, numbers};
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::bias::CorrelationRemover;
///
/// let table = Table::of([
///     ("sex", Column::categories(["f", "f", "m", "m"].map(Some))),
///     ("score", Column::numbers([1.0, 3.0, 5.0, 7.0])),
///     ("grade", Column::numbers([1.0; 4])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("grade"))?;
/// let remover = CorrelationRemover::on(numbers(), named(["sex"]));
/// let (_, train) = remover.fit_transform(train, &FitContext::new(0))?;
/// let score = train.features().column("score")?.as_numbers()?;
/// assert!(score.iter().zip([3.0, 5.0, 3.0, 5.0]).all(|(found, expected)| (found - expected).abs() < 1e-12));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against fairlearn 0.15.0 `CorrelationRemover`, weights by rows that come several times, tolerance 1e-9.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorrelationRemover {
    on: Selector,
    protected: Selector,
    alpha: f64,
    unknown: UnknownGroup,
}

/// A learned [`CorrelationRemover`].
pub type FittedCorrelationRemover = Joint<Decorrelation>;

/// What was learned: how the protected columns are read, and the coefficients of each changed column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decorrelation {
    /// In the order of the columns' names.
    protected: Vec<Reading>,
    /// The mean of each number that is read.
    means: Vec<f64>,
    changed: Vec<Changed>,
    alpha: f64,
    unknown: UnknownGroup,
}

/// How numbers are read off a protected column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Reading {
    /// Among the taken columns.
    place: usize,
    what: Read,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Read {
    Number,
    Flag,
    /// The codes seen, ascending; the first has no number of its own.
    Levels(Vec<u32>),
}

/// One changed column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Changed {
    place: usize,
    coefficients: Vec<f64>,
}

impl CorrelationRemover {
    /// Changes `columns`, which must be numbers, so that they are uncorrelated with the columns `protected`, which are dropped. A
    /// protected column among `columns` is just dropped.
    pub fn on(columns: Selector, protected: Selector) -> Self {
        Self { on: columns, protected, alpha: 1.0, unknown: UnknownGroup::Error }
    }

    /// How much is subtracted: from 0, nothing, to 1, all of it. Default 1.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// What becomes of rows with a protected value not seen in training, or missing. Default [`UnknownGroup::Error`].
    #[must_use]
    pub fn unknown(mut self, unknown: UnknownGroup) -> Self {
        self.unknown = unknown;
        self
    }

    /// The positions of the protected and of the changed columns.
    fn positions(&self, input: &Schema) -> Result<(Vec<usize>, Vec<usize>)> {
        ParameterError::check((0.0..=1.0).contains(&self.alpha), "alpha", self.alpha, "from 0 to 1")?;
        let protected = protected::positions(Self::TAG, &self.protected, input)?;
        let others = self.on.clone() - self.protected.clone();
        Ok((protected, columns::positions(&others, input, &[Kind::Number])?))
    }
}

impl Persist for CorrelationRemover {
    const TAG: &'static str = "CorrelationRemover";
}

impl<T: Task> Transformer<T> for CorrelationRemover {
    type Fitted = FittedCorrelationRemover;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let (protected, others) = self.positions(input)?;
        let made = others.iter().map(|&i| changed_field(&input.fields()[i])).collect();
        Ok(joint::plan(input, &taken(&protected, &others).0, Place::Instead, true, made))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedCorrelationRemover> {
        let features = train.features();
        let input = with_levels(features)?;
        let (mut protected, others) = self.positions(&input)?;
        let order = by_name(&input, &protected);
        protected = order.iter().map(|&i| protected[i]).collect();
        let (positions, protected_places, places) = taken(&protected, &others);
        let rows = counting_rows(train);
        if rows.is_empty() {
            return Err(DataError::TooFewRows { what: Self::TAG.into(), needed: 1, found: 0 }.into());
        }
        let weights: Option<Vec<f64>> = train.weights().map(|w| rows.iter().map(|&row| w[row]).collect());

        let mut readings = Vec::with_capacity(protected.len());
        let mut numbers: Vec<Vec<f64>> = Vec::new();
        for (&position, place) in protected.iter().zip(protected_places) {
            let (field, column) = (&input.fields()[position], &features.columns()[position]);
            let reading = Reading { place, what: Read::learn(column, &rows) };
            let width = reading.what.width();
            let mut read: Vec<Vec<f64>> = vec![Vec::with_capacity(rows.len()); width];
            let mut row_numbers = Vec::with_capacity(width);
            for &row in &rows {
                row_numbers.clear();
                let known = reading.what.push(field, &column.cell(row), &mut row_numbers)?;
                if !known && self.unknown == UnknownGroup::Error {
                    let count = rows.iter().filter(|&&row| !reading.what.knows(&column.cell(row))).count();
                    let error = Error::from(DataError::MissingGroup { count });
                    return Err(error.at(Crumb::column(field.name.as_ref())));
                }
                read.iter_mut().zip(&row_numbers).for_each(|(column, &x)| column.push(x));
            }
            numbers.append(&mut read);
            readings.push(reading);
        }
        let mut design = Array2::zeros((rows.len(), numbers.len()));
        let (mut means, mut units) = (Vec::new(), Vec::new());
        for (mut into, values) in design.columns_mut().into_iter().zip(&numbers) {
            let (mean, unit, centred) = centred(values, weights.as_deref())?;
            // What is not known counts as the mean.
            into.iter_mut().zip(centred).for_each(|(into, x)| *into = if x.is_nan() { 0.0 } else { x });
            means.push(mean);
            units.push(unit);
        }
        let gram = cx.install(|| weighted_gram(design.view(), weights.as_deref()));
        cx.check()?;
        let eigen =
            SymmetricEigen::of(gram.view()).map_err(|_| not_defined("the weights of the rows are too large"))?;
        let least = eigen.values.first().map_or(0.0, |largest| DEPENDENT * largest);
        let mut changed = Vec::with_capacity(others.len());
        for (&position, &place) in others.iter().zip(&places) {
            let name = || Crumb::column(input.fields()[position].name.as_ref());
            let values = finite_values(&features.columns()[position], &rows).at(name)?;
            let (_, unit, centred) = centred(&values, weights.as_deref()).at(name)?;
            let products = weighted_xty(design.view(), weights.as_deref(), &centred).to_vec();
            let mut coefficients = vec![0.0; means.len()];
            for (vector, &value) in eigen.vectors.rows().into_iter().zip(&eigen.values) {
                if value > least {
                    let vector = vector.to_vec();
                    let along = dot(&vector, &products) / value;
                    coefficients.iter_mut().zip(&vector).for_each(|(sum, v)| *sum += along * v);
                }
            }
            coefficients.iter_mut().zip(&units).for_each(|(x, of)| *x *= unit / of);
            changed.push(Changed { place, coefficients });
        }
        let rule = Decorrelation { protected: readings, means, changed, alpha: self.alpha, unknown: self.unknown };
        Joint::new(train, positions, Place::Instead, rule)
    }
}

fn changed_field(field: &Field) -> Field {
    Field::derived(field.name.clone(), Kind::Number, [field])
}

/// The mean of the known values, a unit, and the values less the mean in this unit: at most 1 in size.
fn centred(values: &[f64], weights: Option<&[f64]>) -> Result<(f64, f64, Vec<f64>)> {
    let mut moments = Moments::new();
    match weights {
        None => moments.extend(values),
        Some(weights) => values.iter().zip(weights).for_each(|(&x, &w)| moments.add_weighted(x, w)),
    }
    let mean = moments.mean().unwrap_or(0.0);
    let far = values.iter().map(|x| (x - mean).abs()).fold(0.0, f64::max);
    if far.is_infinite() {
        return Err(not_defined("values are too far apart to be subtracted; scale them before").into());
    }
    let unit = if far > 0.0 { far } else { 1.0 };
    Ok((mean, unit, values.iter().map(|x| (x - mean) / unit).collect()))
}

fn not_defined(why: &str) -> NumericError {
    NumericError::Undefined { what: "the regression on the protected columns".into(), why: why.into() }
}

impl Read {
    fn learn(column: &Column, rows: &[usize]) -> Self {
        let mut seen: Vec<u32> = match column {
            Column::Category { .. } => {
                let code = |&row: &usize| match column.cell(row) {
                    Cell::Level(code) => Some(code),
                    _ => None,
                };
                rows.iter().filter_map(code).collect()
            }
            Column::Flag(_) => return Self::Flag,
            _ => return Self::Number,
        };
        seen.sort_unstable();
        seen.dedup();
        Self::Levels(seen)
    }

    fn width(&self) -> usize {
        match self {
            Self::Number | Self::Flag => 1,
            Self::Levels(seen) => seen.len().saturating_sub(1),
        }
    }

    fn knows(&self, cell: &Cell) -> bool {
        match (self, cell) {
            (Self::Levels(seen), Cell::Level(code)) => seen.binary_search(code).is_ok(),
            (Self::Number, Cell::Number(x)) => x.is_finite(),
            (Self::Flag, Cell::Flag(_)) => true,
            _ => false,
        }
    }

    /// Appends the numbers of a cell, NaN where it is not known; says whether it is.
    fn push(&self, field: &Field, cell: &Cell, out: &mut Vec<f64>) -> Result<bool> {
        let wrong = || columns::wrong_cell(field.kind, cell).at(Crumb::column(field.name.as_ref()));
        let known = self.knows(cell);
        match (self, cell) {
            (_, Cell::Missing) | (Self::Levels(_), Cell::NewLevel(_)) => {
                out.extend(std::iter::repeat_n(f64::NAN, self.width()));
            }
            (Self::Number, Cell::Number(x)) => out.push(if known { *x } else { f64::NAN }),
            (Self::Flag, Cell::Flag(flag)) => out.push(f64::from(u8::from(*flag))),
            (Self::Levels(seen), Cell::Level(code)) => {
                let number = |level: &u32| if known { f64::from(u8::from(level == code)) } else { f64::NAN };
                out.extend(seen.iter().skip(1).map(number));
            }
            _ => return Err(wrong()),
        }
        Ok(known)
    }
}

impl Decorrelation {
    /// What is read off the protected cells of a row, less the means; an error where the policy is one.
    fn read<'a>(&self, cell: impl Fn(usize) -> (&'a Field, Cell)) -> Result<Vec<f64>> {
        let mut numbers = Vec::with_capacity(self.means.len());
        for Reading { place, what } in &self.protected {
            let (field, cell) = cell(*place);
            let known = what.push(field, &cell, &mut numbers)?;
            if !known && self.unknown == UnknownGroup::Error {
                return Err(Error::from(unknown(field, what, &cell)).at(Crumb::column(field.name.as_ref())));
            }
        }
        let less = |(x, mean): (&mut f64, &f64)| *x = if x.is_nan() { 0.0 } else { *x - mean };
        numbers.iter_mut().zip(&self.means).for_each(less);
        Ok(numbers)
    }

    /// The changed value, which must be finite.
    fn change(&self, changed: &Changed, x: f64, read: &[f64]) -> f64 {
        x - self.alpha * dot(&changed.coefficients, read)
    }
}

/// The error of a protected value that is not known.
fn unknown(field: &Field, what: &Read, cell: &Cell) -> DataError {
    let name = |code: &u32| shown(field, &Cell::Level(*code));
    match (what, shown(field, cell)) {
        (_, None) => DataError::MissingGroup { count: 1 },
        (Read::Levels(seen), Some(level)) => {
            DataError::UnknownLevel { level, known: seen.iter().filter_map(name).collect() }
        }
        // Of numbers only infinite ones are not known.
        (Read::Number | Read::Flag, Some(_)) => DataError::NotFinite { count: 1, first: 0 },
    }
}

impl JointRule for Decorrelation {
    const TAG: &'static str = "FittedCorrelationRemover";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        self.changed.iter().map(|changed| changed_field(taken.field(changed.place))).collect()
    }

    fn columns(&self, taken: Taken<'_>, columns: Vec<Column>, rows: usize) -> Result<Vec<Column>> {
        let mut made: Vec<Vec<f64>> = Vec::with_capacity(self.changed.len());
        for changed in &self.changed {
            let at = || Crumb::column(taken.field(changed.place).name.as_ref());
            made.push(columns[changed.place].require_finite().at(at)?.to_vec());
        }
        for row in 0..rows {
            let cell = |place: usize| (taken.field(place), named_cell(taken, &columns, place, row));
            let read = self.read(cell).map_err(|error| error.at(Crumb::Row(row)))?;
            for (changed, values) in self.changed.iter().zip(&mut made) {
                values[row] = self.change(changed, values[row], &read);
            }
        }
        let made: Vec<Column> = made.into_iter().map(Column::numbers).collect();
        for (changed, column) in self.changed.iter().zip(&made) {
            let values = column.as_numbers()?;
            if let Some(first) = values.iter().position(|x| !x.is_finite()) {
                let error = DataError::NotFinite { count: values.iter().filter(|x| !x.is_finite()).count(), first };
                return Err(Error::from(error).at(Crumb::column(taken.field(changed.place).name.as_ref())));
            }
        }
        Ok(made)
    }

    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        let read = self.read(|place| (taken.field(place), cells.cell(place).clone()))?;
        for changed in &self.changed {
            let x = self.change(changed, finite_cell(taken, cells, changed.place)?, &read);
            if !x.is_finite() {
                let error = DataError::NotFinite { count: 1, first: 0 };
                return Err(Error::from(error).at(Crumb::column(taken.field(changed.place).name.as_ref())));
            }
            out.push(Cell::Number(x));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
