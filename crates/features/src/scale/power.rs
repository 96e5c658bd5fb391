//! Numbers bent by a power until they look normal.
//!
//! The spec and the learned rule are here; how likely a power is, in `power/likelihood.rs`.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, Error, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use self::likelihood::{Best, Logs, power};
use super::finite::{Finite, mean_and_scale};
use super::not_defined::{self, Function, NotDefined};
use crate::columns::positions;
use crate::rewrite::{ColumnRule, Rewrite, Training, plan};

mod likelihood;
#[cfg(test)]
mod tests;

/// Bends each column by the power that makes it most like a normal distribution, then scales it to mean 0, variance 1.
///
/// ```text
/// Box–Cox       (x^λ − 1) / λ                                   ln x where λ = 0; only for x > 0
/// Yeo–Johnson   ((x + 1)^λ − 1) / λ              for x ≥ 0      ln(x + 1) where λ = 0
///               −((1 − x)^(2−λ) − 1) / (2 − λ)   for x < 0      −ln(1 − x) where λ = 2
/// ```
///
/// `λ` is that of the greatest likelihood under a normal distribution: with `y` the bent values, the root of the slope
/// of `−W/2 · ln var(y) + (λ − 1) Σ w ln x` (for Yeo–Johnson `Σ w sign(x) ln(|x| + 1)`), which is concave in `λ`. The
/// root is found to about 1e-11. Where the logarithms can be centred (Box–Cox, and Yeo–Johnson on values of one sign)
/// nothing overflows or vanishes on the way, however large the numbers and however narrow their range: years have a
/// power too.
///
/// | what comes | what happens |
/// |---|---|
/// | missing values | left out when learning; stay missing |
/// | `±∞` | left out when learning; become what the power makes of them, a finite number or `±∞` |
/// | a constant column | `λ` 1, and scale 1 |
/// | a column without any finite value | left as it is, with a warning |
/// | a number ≤ 0, for Box–Cox | [`not_defined`](Self::not_defined); by default an error that names the number |
/// | the best `λ` lies where powers of the training values overflow | the last `λ` before that, with a warning |
/// | weights | count as rows |
///
/// Output: the same columns. `O(rows)` a column for each of about 15 steps.
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
/// use stagewise_features::scale::{PowerKind, PowerTransformer};
///
/// // Doubling at every step: the logarithm makes it even.
/// let table = Table::of([
///     ("income", Column::numbers([1.0, 2.0, 4.0, 8.0, 16.0])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0, 5.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let spec = PowerTransformer::on(numbers()).kind(PowerKind::BoxCox);
/// let (fitted, train) = spec.fit_transform(train, &FitContext::new(0))?;
/// assert!(fitted.rule("income").is_some_and(|rule| rule.lambda().abs() < 1e-9));
/// let bent = train.features().column("income")?.as_numbers()?;
/// assert!((bent[4] - 2f64.sqrt()).abs() < 1e-9 && bent[2].abs() < 1e-9);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Source: Box & Cox (1964), "An analysis of transformations"; Yeo & Johnson (2000), "A new family of power
/// transformations to improve normality or symmetry". Checked against scikit-learn 1.9.1 `PowerTransformer` and scipy
/// 1.17.1: what becomes of a number for given `λ`, tolerance 1e-9; `λ` itself to 1e-6, because they look for the
/// greatest value and not for the root of the slope and so know it to half of the digits; our likelihood is never below
/// theirs by more than 1e-12 of it. On values far from 0 in a narrow range they cannot follow: of ten years
/// between 1950 and 2009 whose best `λ` is 99.2 they make NaN under Box–Cox, and under Yeo–Johnson they stop at 31.8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerTransformer {
    on: Selector,
    #[serde(default)]
    kind: PowerKind,
    #[serde(default = "yes")]
    standardize: bool,
    #[serde(default)]
    not_defined: NotDefined,
}

/// Which family of powers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PowerKind {
    /// For numbers above 0.
    BoxCox,
    /// For all numbers.
    #[default]
    YeoJohnson,
}

/// A learned [`PowerTransformer`].
pub type FittedPowerTransformer = Rewrite<Power>;

/// What was learned about one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Power {
    kind: PowerKind,
    not_defined: NotDefined,
    bend: Bend,
    mean: f64,
    scale: f64,
}

/// A power, with the logarithms centred where that can be undone by mean and scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Bend {
    lambda: f64,
    /// What is subtracted from the logarithms of values on the main side.
    center: f64,
    /// Whether that side is below 0, as where all training values are.
    mirrored: bool,
}

impl PowerTransformer {
    /// Bends these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, kind: PowerKind::default(), standardize: true, not_defined: NotDefined::default() }
    }

    /// Which family of powers. Default [`PowerKind::YeoJohnson`].
    #[must_use]
    pub fn kind(mut self, kind: PowerKind) -> Self {
        self.kind = kind;
        self
    }

    /// Whether to scale to mean 0 and variance 1 afterwards. Default `true`. Without it, powers of numbers far from 0
    /// may overflow to `±∞`.
    #[must_use]
    pub fn standardize(mut self, standardize: bool) -> Self {
        self.standardize = standardize;
        self
    }

    /// What becomes of a number ≤ 0 under Box–Cox. Default [`NotDefined::Error`].
    #[must_use]
    pub fn not_defined(mut self, not_defined: NotDefined) -> Self {
        self.not_defined = not_defined;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Number])
    }

    fn field(&self, field: &Field) -> Field {
        match self.kind {
            PowerKind::BoxCox => self.not_defined.field(field),
            PowerKind::YeoJohnson => field.clone(),
        }
    }

    fn learn(&self, training: &mut Training<'_>) -> Result<Power> {
        let rule = |bend, mean, scale| Power { kind: self.kind, not_defined: self.not_defined, bend, mean, scale };
        let identity = Bend { lambda: 1.0, center: 0.0, mirrored: false };
        let mut finite = Finite::of(training)?;
        if self.kind == PowerKind::BoxCox {
            if self.not_defined == NotDefined::Error {
                let values = training.column.as_numbers()?;
                if let Some((row, _)) = training.rows().find(|&(row, _)| values[row] <= 0.0) {
                    return Err(rule(identity, 0.0, 1.0).refused(values[row])).at(|| Crumb::Row(row));
                }
            }
            finite.retain(|x| x > 0.0);
        }
        let Some((least, largest)) = finite.range() else {
            training.warn("has no value to learn from; its power is 1 and its scale too");
            return Ok(rule(identity, 0.0, 1.0));
        };
        let bend = if least == largest {
            identity
        } else {
            let logs = Logs::of(&finite, self.kind);
            let best = logs.best();
            let lambda = if logs.mirrored { 2.0 - best.lambda() } else { best.lambda() };
            if matches!(best, Best::Bounded(_)) {
                training.warn(format!("is best bent by a power beyond {lambda}, where powers of its values overflow"));
            }
            Bend { lambda, center: if self.standardize { logs.center } else { 0.0 }, mirrored: logs.mirrored }
        };
        let bent = rule(bend, 0.0, 1.0);
        if !self.standardize {
            return Ok(bent);
        }
        finite.values.iter_mut().for_each(|x| *x = bent.value(*x));
        let scaled = mean_and_scale(&finite.values, finite.weights.as_deref());
        Ok(scaled.map_or(bent, |(mean, scale)| rule(bend, mean, scale)))
    }
}

impl Persist for PowerTransformer {
    const TAG: &'static str = "PowerTransformer";
}

impl<T: Task> Transformer<T> for PowerTransformer {
    type Fitted = FittedPowerTransformer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| vec![self.field(field)]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedPowerTransformer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| self.learn(training))
    }
}

impl Power {
    /// The power `λ`.
    pub fn lambda(&self) -> f64 {
        self.bend.lambda
    }
}

impl Bend {
    /// Whether numbers stay what they are, to the last bit.
    #[inline]
    fn is_straight(&self) -> bool {
        self.lambda == 1.0 && self.center == 0.0
    }

    #[inline]
    fn box_cox(&self, x: f64) -> f64 {
        if x <= 0.0 {
            f64::NAN
        } else if self.is_straight() {
            x - 1.0
        } else {
            power(self.lambda, x.ln() - self.center)
        }
    }

    #[inline]
    fn yeo_johnson(&self, x: f64) -> f64 {
        if self.is_straight() {
            return x;
        }
        let (lambda, x) = if self.mirrored { (2.0 - self.lambda, -x) } else { (self.lambda, x) };
        let y = if x >= 0.0 {
            power(lambda, x.ln_1p() - self.center)
        } else if self.center == 0.0 {
            -power(2.0 - lambda, (-x).ln_1p())
        } else {
            // To centre the logarithms on the main side is to multiply by e^(−λ c) and to subtract a constant.
            let below = power(2.0 - lambda, (-x).ln_1p());
            let factor = (-lambda * self.center).exp();
            let below = if below.is_infinite() { below } else { below * factor };
            -below - power(-lambda, self.center)
        };
        if self.mirrored { -y } else { y }
    }
}

impl Function for Power {
    #[inline]
    fn value(&self, x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        let y = match self.kind {
            PowerKind::BoxCox => self.bend.box_cox(x),
            PowerKind::YeoJohnson => self.bend.yeo_johnson(x),
        };
        (y - self.mean) / self.scale
    }

    fn refused(&self, x: f64) -> Error {
        let why = "only numbers above 0 have one; take Yeo–Johnson, or let them become missing";
        not_defined::undefined("the Box–Cox power", x, why.into())
    }

    fn not_defined(&self) -> NotDefined {
        match self.kind {
            PowerKind::BoxCox => self.not_defined,
            // Every number has a value.
            PowerKind::YeoJohnson => NotDefined::Missing,
        }
    }
}

impl ColumnRule for Power {
    const TAG: &'static str = "FittedPowerTransformer";

    fn fields(&self, field: &Field) -> Vec<Field> {
        vec![match self.kind {
            PowerKind::BoxCox => self.not_defined.field(field),
            PowerKind::YeoJohnson => field.clone(),
        }]
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

fn yes() -> bool {
    true
}
