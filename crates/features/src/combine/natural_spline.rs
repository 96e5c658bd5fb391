//! Numbers become a basis of natural cubic splines.

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

use super::knots::{KnotSpacing, Knots, beyond, check_count, number, spread};
use crate::columns::positions;
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// Replaces each number by the values of natural cubic splines at it: smooth curves that are straight lines beyond the
/// training values, so that a linear model bends where there are rows and does not run away where there are none.
///
/// Spline `k` of `n` is the natural cubic spline that is 1 at knot `k` and 0 at all others: a weight in a linear model is the
/// height of the curve at that knot. Between knots `j` and `j + 1`, `h` apart, with `a` and `b` the distances to them,
/// `s(x) = (b y_j + a y_{j+1}) / h + (b³ / h - h b) γ_j / 6 + (a³ / h - h a) γ_{j+1} / 6`, where the second derivatives `γ` are
/// 0 at both ends and else make the slope continuous. The splines add up to 1: beside an intercept one is too many, see
/// [`bias`](Self::bias).
///
/// | what comes | what happens |
/// |---|---|
/// | missing or infinite values | refused, in training and later: put an imputer before |
/// | values beyond those of training | on the straight lines; beyond the range of `f64` infinite |
/// | a column that does not vary | left as it is, with a warning |
/// | quantiles that coincide | one knot for all of them, so fewer columns, with a warning |
///
/// Output: `<name>_natural0`, … in place of the column, as many as knots. The target is not touched. Weights count rows several
/// times; they matter to quantiles only. `O(rows log rows + knots²)` a column to fit, `O(knots)` a value later.
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
/// use stagewise_features::combine::{KnotSpacing, NaturalSpline};
///
/// let table = Table::of([
///     ("age", Column::numbers([0.0, 50.0, 100.0, 25.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let spline = NaturalSpline::on(numbers()).knots(3).spacing(KnotSpacing::Uniform);
/// let (_, train) = spline.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("age_natural1")?.as_numbers()?, [0.0, 1.0, 0.0, 0.6875]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Wood (2017), "Generalized Additive Models", 5.3.1. Checked against patsy 1.0.3 `cr`, tolerance 1e-9, also beyond the
/// training values. patsy's default knots are quantiles of the distinct values; here they are those of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NaturalSpline {
    on: Selector,
    knots: usize,
    spacing: KnotSpacing,
    bias: bool,
}

/// A learned [`NaturalSpline`].
pub type FittedNaturalSpline = Rewrite<NaturalBasis>;

/// What was learned about one column: knots, and how the curve bends at them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NaturalBasis {
    knots: Knots,
    /// The second derivative of each spline at each knot, by knot, in units of the range.
    bends: Vec<Vec<f64>>,
    bias: bool,
}

impl NaturalSpline {
    /// Of these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, knots: 5, spacing: KnotSpacing::Quantile, bias: true }
    }

    /// How many knots, and so splines: from 2 to 1000. Default 5.
    #[must_use]
    pub fn knots(mut self, count: usize) -> Self {
        self.knots = count;
        self
    }

    /// Where the knots stand. Default [`KnotSpacing::Quantile`].
    #[must_use]
    pub fn spacing(mut self, spacing: KnotSpacing) -> Self {
        self.spacing = spacing;
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
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for NaturalSpline {
    const TAG: &'static str = "NaturalSpline";
}

impl<T: Task> Transformer<T> for NaturalSpline {
    type Fitted = FittedNaturalSpline;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, false, |field| {
            (0..self.knots - usize::from(!self.bias)).map(|i| spline_field(field, i)).collect()
        }))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedNaturalSpline> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let knots = Knots::learn(training, self.knots, self.spacing)?;
            Ok(NaturalBasis { bends: bends(&knots.units), knots, bias: self.bias })
        })
    }
}

fn spline_field(field: &Field, i: usize) -> Field {
    Field::derived(format!("{}_natural{i}", field.name), Kind::Number, [field])
}

/// The second derivatives at the knots of the natural splines that are 1 at one knot and 0 at the others.
///
/// At inner knot `i`: `h_{i-1} γ_{i-1} / 6 + (h_{i-1} + h_i) γ_i / 3 + h_i γ_{i+1} / 6 = (y_{i+1} - y_i) / h_i -
/// (y_i - y_{i-1}) / h_{i-1}`, solved for all splines at once by elimination; the matrix is diagonally dominant.
fn bends(units: &[f64]) -> Vec<Vec<f64>> {
    let n = units.len();
    let mut bends = vec![vec![0.0; n]; n];
    let gaps: Vec<f64> = units.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut pivots = vec![0.0; n];
    for i in 1..n.saturating_sub(1) {
        let (before, after) = (gaps[i - 1], gaps[i]);
        bends[i][i - 1] = 1.0 / before;
        bends[i][i + 1] = 1.0 / after;
        bends[i][i] = -1.0 / before - 1.0 / after;
        pivots[i] = (before + after) / 3.0;
        if i > 1 {
            let factor = before / 6.0 / pivots[i - 1];
            pivots[i] -= factor * before / 6.0;
            let (upper, lower) = bends.split_at_mut(i);
            lower[0].iter_mut().zip(&upper[i - 1]).for_each(|(x, above)| *x -= factor * above);
        }
    }
    for i in (1..n.saturating_sub(1)).rev() {
        let (upper, lower) = bends.split_at_mut(i + 1);
        // The last knot does not bend.
        let beside = gaps[i] / 6.0;
        upper[i].iter_mut().zip(&lower[0]).for_each(|(x, below)| *x = (*x - beside * below) / pivots[i]);
    }
    bends
}

impl NaturalBasis {
    /// The knots, ascending; none of a column that does not vary and is left as it is.
    pub fn knots(&self) -> Vec<f64> {
        self.knots.values()
    }

    fn width(&self) -> usize {
        self.knots.units.len().saturating_sub(usize::from(!self.bias))
    }

    /// Writes the splines at `x` that are given.
    fn at(&self, x: f64, out: &mut [f64]) {
        let unit = self.knots.unit(x);
        let nearest = unit.clamp(0.0, 1.0);
        let j = self.knots.piece(nearest);
        let units = &self.knots.units;
        let h = units[j + 1] - units[j];
        let (a, b) = (nearest - units[j], units[j + 1] - nearest);
        let (bend_a, bend_b) = ((a * a / h - h) * a / 6.0, (b * b / h - h) * b / 6.0);
        let is_outside = nearest != unit;
        for (k, into) in out.iter_mut().enumerate() {
            let (left, right) = (f64::from(u8::from(k == j)), f64::from(u8::from(k == j + 1)));
            let (before, after) = (self.bends[j][k], self.bends[j + 1][k]);
            let value = (b * left + a * right) / h + bend_b * before + bend_a * after;
            *into = if is_outside {
                // The bends at both ends are 0, so the slope there is that of the one piece.
                let (slope_a, slope_b) = ((3.0 * a * a / h - h) / 6.0, (3.0 * b * b / h - h) / 6.0);
                let slope = (right - left) / h - slope_b * before + slope_a * after;
                beyond(value, slope, unit - nearest)
            } else {
                value
            };
        }
    }
}

impl ColumnRule for NaturalBasis {
    const TAG: &'static str = "FittedNaturalSpline";

    fn fields(&self, field: &Field) -> Vec<Field> {
        if self.knots.units.is_empty() {
            return vec![field.clone()];
        }
        (0..self.width()).map(|i| spline_field(field, i)).collect()
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        let values = column.require_finite()?;
        if self.knots.units.is_empty() {
            out.push(column);
            return Ok(());
        }
        let made = spread(values, self.width(), |x, made| {
            self.at(x, made);
            Ok(())
        })?;
        out.extend(made.into_iter().map(Column::numbers));
        Ok(())
    }

    fn cell(&self, _: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        let x = number(cell)?;
        if self.knots.units.is_empty() {
            out.push(Cell::Number(x));
            return Ok(());
        }
        let mut made = vec![0.0; self.width()];
        self.at(x, &mut made);
        out.extend(made.into_iter().map(Cell::number));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::select::{named, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data};

    use crate::test_tables::training;

    #[test]
    fn conforms() {
        for spacing in [KnotSpacing::Uniform, KnotSpacing::Quantile] {
            let spec = NaturalSpline::on(numbers()).spacing(spacing);
            conformance::transformer(&spec, &data::binary_numeric(60, 1));
            conformance::transformer(&spec.bias(false).knots(2), &data::regression_numeric(61, 2));
            let spec = NaturalSpline::on(named(["age", "constant"])).spacing(spacing).knots(30);
            conformance::transformer(&spec, &data::multiclass(60, 1));
        }
    }

    #[test]
    fn missing_values_are_refused() {
        let error = NaturalSpline::on(numbers()).fit(&data::binary(20, 1), &FitContext::new(0)).unwrap_err();
        assert!(error.to_string().contains("missing values; add an imputer before it"), "{error}");
    }

    proptest! {
        #[test]
        fn splines_are_one_at_their_knot_and_reproduce_lines_everywhere(
            mut x in prop::collection::vec(-1e3f64..1e3, 3..40),
            knots in 2usize..9,
        ) {
            x.push(1e4);
            let spec = NaturalSpline::on(numbers()).knots(knots);
            let fitted = spec.fit(&training(table(x.clone()), None), &FitContext::new(0)).unwrap();
            let places = fitted.rule("x").unwrap().knots();
            let at_knots = fitted.transform(table(places.clone())).unwrap();
            for (k, column) in at_knots.columns().iter().enumerate() {
                for (j, value) in column.as_numbers().unwrap().iter().enumerate() {
                    prop_assert!((value - f64::from(u8::from(j == k))).abs() < 1e-9, "{} {} {}", k, j, value);
                }
            }
            let mut far = x;
            far.extend([-5e4, 5e4]);
            let out = fitted.transform(table(far.clone())).unwrap();
            for (row, x) in far.iter().enumerate() {
                let values: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
                let size: f64 = values.iter().map(|v| v.abs()).sum();
                prop_assert!((values.iter().sum::<f64>() - 1.0).abs() < 1e-9 * size);
                let line: f64 = values.iter().zip(&places).map(|(v, place)| v * place).sum();
                prop_assert!((line - x).abs() < 1e-9 * size * 1e4, "{} {}", line, x);
            }
        }
    }

    fn table(x: Vec<f64>) -> Table {
        Table::of([("x", Column::numbers(x))]).unwrap()
    }
}
