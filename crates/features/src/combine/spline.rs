//! Numbers become a basis of B-splines.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::knots::{KnotSpacing, Knots, beyond, check_count, number, spread};
use crate::columns::positions;
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// The largest degree.
const MOST_DEGREE: usize = 7;

/// Replaces each number by the values of B-splines at it, so that a linear model can bend.
///
/// With `k` knots and degree `d`, `k + d - 1` bell-shaped pieces of polynomials, each not 0 over at most `d + 1` of the gaps
/// between knots. They add up to 1 everywhere: beside an intercept one is too many, see [`bias`](Self::bias). To the left and
/// right `d` more knots stand as far apart as the outermost two.
///
/// | what comes | what happens |
/// |---|---|
/// | missing or infinite values | refused, in training and later: put an imputer before |
/// | values beyond those of training | as [`extrapolation`](Self::extrapolation) says |
/// | a column that does not vary | left as it is, with a warning |
/// | quantiles that coincide | one knot for all of them, so fewer columns, with a warning |
///
/// Output: `<name>_spline0`, … in place of the column. The target is not touched. Weights count rows several times; they
/// matter to quantiles only. `O(rows log rows)` a column to fit, `O(d²)` a value later.
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
/// use stagewise_features::combine::SplineTransformer;
///
/// let table = Table::of([
///     ("age", Column::numbers([0.0, 25.0, 100.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let spline = SplineTransformer::on(numbers()).knots(3).degree(1);
/// let (_, train) = spline.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("age_spline0")?.as_numbers()?, [1.0, 0.5, 0.0]);
/// assert_eq!(train.features().column("age_spline1")?.as_numbers()?, [0.0, 0.5, 0.0]);
/// assert_eq!(train.features().column("age_spline2")?.as_numbers()?, [0.0, 0.0, 1.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `SplineTransformer`, one column at a time, degrees 0 to 4, both spacings and all three
/// extrapolations, tolerance 1e-9. Where scikit-learn differs it is wrong: with degree 1 and lines beyond it raises the degree
/// of every column after the first, and with degree 0 it fails on values beyond, which are constant here. With weights its
/// quantiles are those of the inverse distribution function, so that weights of 1 give other knots than none; here they give
/// the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplineTransformer {
    on: Selector,
    knots: usize,
    degree: usize,
    spacing: KnotSpacing,
    extrapolation: Extrapolation,
    bias: bool,
}

/// What a spline is beyond the training values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Extrapolation {
    /// What it is at the nearest training value.
    #[default]
    Constant,
    /// An error that names the value.
    Error,
    /// A line that touches it at the nearest training value.
    Linear,
}

/// A learned [`SplineTransformer`].
pub type FittedSplineTransformer = Rewrite<Basis>;

/// What was learned about one column: knots, beyond which it knows what to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    knots: Knots,
    /// In units of the range, `degree` more on either side.
    extended: Vec<f64>,
    degree: usize,
    extrapolation: Extrapolation,
    bias: bool,
}

impl SplineTransformer {
    /// Of these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self {
            on: columns,
            knots: 5,
            degree: 3,
            spacing: KnotSpacing::Uniform,
            extrapolation: Extrapolation::Constant,
            bias: true,
        }
    }

    /// How many knots: from 2 to 1000. Default 5.
    #[must_use]
    pub fn knots(mut self, count: usize) -> Self {
        self.knots = count;
        self
    }

    /// The degree of the polynomials: 0 to 7. Default 3.
    #[must_use]
    pub fn degree(mut self, degree: usize) -> Self {
        self.degree = degree;
        self
    }

    /// Where the knots stand. Default [`KnotSpacing::Uniform`].
    #[must_use]
    pub fn spacing(mut self, spacing: KnotSpacing) -> Self {
        self.spacing = spacing;
        self
    }

    /// What is beyond the training values. Default [`Extrapolation::Constant`].
    #[must_use]
    pub fn extrapolation(mut self, extrapolation: Extrapolation) -> Self {
        self.extrapolation = extrapolation;
        self
    }

    /// Whether the last spline of each column is given too; beside an intercept it follows from the others. Default `true`.
    #[must_use]
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        check_count(self.knots)?;
        ParameterError::check(self.degree <= MOST_DEGREE, "degree", self.degree, "from 0 to 7")?;
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for SplineTransformer {
    const TAG: &'static str = "SplineTransformer";
}

impl<T: Task> Transformer<T> for SplineTransformer {
    type Fitted = FittedSplineTransformer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, false, |field| {
            (0..self.knots + self.degree - 1 - usize::from(!self.bias)).map(|i| spline_field(field, i)).collect()
        }))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedSplineTransformer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let knots = Knots::learn(training, self.knots, self.spacing)?;
            Ok(Basis {
                extended: extended(&knots.units, self.degree),
                knots,
                degree: self.degree,
                extrapolation: self.extrapolation,
                bias: self.bias,
            })
        })
    }
}

/// The knots with `degree` more on either side, as far apart as the outermost two.
fn extended(units: &[f64], degree: usize) -> Vec<f64> {
    let ([first, second, ..], [.., before, last]) = (units, units) else { return Vec::new() };
    let left = (1..=degree).rev().map(|i| first - i as f64 * (second - first));
    let right = (1..=degree).map(|i| last + i as f64 * (last - before));
    left.chain(units.iter().copied()).chain(right).collect()
}

fn spline_field(field: &Field, i: usize) -> Field {
    Field::derived(format!("{}_spline{i}", field.name), Kind::Number, [field])
}

impl Basis {
    /// The knots, ascending; none of a column that does not vary and is left as it is.
    pub fn knots(&self) -> Vec<f64> {
        self.knots.values()
    }

    /// How many splines there are, with the last one.
    fn splines(&self) -> usize {
        self.extended.len().saturating_sub(self.degree + 1)
    }

    /// How many of them are given.
    fn width(&self) -> usize {
        self.splines().saturating_sub(usize::from(!self.bias))
    }

    /// Writes the splines at `x` that are given.
    fn at(&self, x: f64, out: &mut [f64]) -> Result<()> {
        out.fill(0.0);
        let unit = self.knots.unit(x);
        let nearest = unit.clamp(0.0, 1.0);
        let is_outside = nearest != unit;
        if is_outside && self.extrapolation == Extrapolation::Error {
            return Err(self.knots.outside(x));
        }
        let piece = self.knots.piece(nearest);
        let (mut values, mut lower) = ([0.0; MOST_DEGREE + 1], [0.0; MOST_DEGREE + 1]);
        self.pieces(nearest, piece, self.degree, &mut values);
        let is_line = is_outside && self.extrapolation == Extrapolation::Linear && self.degree > 0;
        if is_line {
            self.pieces(nearest, piece, self.degree - 1, &mut lower);
        }
        for (i, &value) in values.iter().enumerate().take(self.degree + 1) {
            // Spline `piece + i` is not 0 here.
            let Some(into) = out.get_mut(piece + i) else { continue };
            *into = if is_line { beyond(value, self.slope(piece, i, &lower), unit - nearest) } else { value };
        }
        Ok(())
    }

    /// The splines of this degree that are not 0 on a piece, by the recursion of Cox and de Boor in its stable form (de Boor
    /// 1978, "A Practical Guide to Splines", ch. X).
    fn pieces(&self, unit: f64, piece: usize, degree: usize, values: &mut [f64; MOST_DEGREE + 1]) {
        let (t, span) = (&self.extended, piece + self.degree);
        values[0] = 1.0;
        for j in 1..=degree {
            let mut carried = 0.0;
            for r in 0..j {
                let (right, left) = (t[span + r + 1], t[span + r + 1 - j]);
                let part = values[r] / (right - left);
                values[r] = carried + (right - unit) * part;
                carried = (unit - left) * part;
            }
            values[j] = carried;
        }
    }

    /// The slope of spline `piece + i` there, from the splines `lower` of the next lower degree.
    fn slope(&self, piece: usize, i: usize, lower: &[f64]) -> f64 {
        let (t, d, k) = (&self.extended, self.degree, piece + i);
        let rising = if i > 0 { lower[i - 1] / (t[k + d] - t[k]) } else { 0.0 };
        let falling = if i < d { lower[i] / (t[k + d + 1] - t[k + 1]) } else { 0.0 };
        d as f64 * (rising - falling)
    }
}

impl ColumnRule for Basis {
    const TAG: &'static str = "FittedSplineTransformer";

    fn fields(&self, field: &Field) -> Vec<Field> {
        if self.extended.is_empty() {
            return vec![field.clone()];
        }
        (0..self.width()).map(|i| spline_field(field, i)).collect()
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        let values = column.require_finite()?;
        if self.extended.is_empty() {
            out.push(column);
            return Ok(());
        }
        out.extend(spread(values, self.width(), |x, made| self.at(x, made))?.into_iter().map(Column::numbers));
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        let x = number(cell)?;
        if self.extended.is_empty() {
            out.push(Cell::Number(x));
            return Ok(());
        }
        let mut made = vec![0.0; self.width()];
        self.at(x, &mut made)?;
        out.extend(made.into_iter().map(Cell::number));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
