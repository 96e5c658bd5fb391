//! Rows of length 1: each number divided by the size of all of its row.

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

use crate::columns::positions;
use crate::joint::{Joint, JointRule, Place, Taken, TakenCells, plan};

/// Scales the selected columns of each row to norm 1.
///
/// `x_j / ‖x‖` over the selected columns, with [`Norm::L2`] `√Σ x²` by default. What is left is the direction of a row:
/// the parts of a whole, not how large the whole is.
///
/// | what comes | what happens |
/// |---|---|
/// | a missing value | no part of the norm; stays missing |
/// | a row of zeros | stays |
/// | `±∞` | infinite values of a row count as equally large, all others become 0 |
/// | very large and very small values | scaled first: the norm neither overflows nor vanishes |
///
/// Output: the same columns. Nothing is learned; weights and rows have no influence. Sums run in the order of the
/// columns' names, so the order of the columns changes no bit. `O(rows)` a column.
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
/// use stagewise_features::scale::UnitNorm;
///
/// let table = Table::of([
///     ("a", Column::numbers([3.0, 0.0])),
///     ("b", Column::numbers([-4.0, 0.0])),
///     ("cost", Column::numbers([1.0, 2.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = UnitNorm::on(numbers()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("b")?.as_numbers()?, [-0.8, 0.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `Normalizer`, tolerance 1e-12. It takes a norm below 2.2e-15 for 0 and leaves the
/// row as it is; here the unit of the columns makes no difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitNorm {
    on: Selector,
    #[serde(default)]
    norm: Norm,
}

/// How the size of a row is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Norm {
    /// `Σ |x|`.
    L1,
    /// `√Σ x²`.
    #[default]
    L2,
    /// `max |x|`.
    Max,
}

/// A learned [`UnitNorm`].
pub type FittedUnitNorm = Joint<UnitLength>;

/// What is done with a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitLength {
    norm: Norm,
    /// The taken columns in the order of their names.
    order: Vec<usize>,
}

impl UnitNorm {
    /// Scales these columns, which must be numbers, by their norm in each row.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, norm: Norm::default() }
    }

    /// How the size of a row is measured. Default [`Norm::L2`].
    #[must_use]
    pub fn norm(mut self, norm: Norm) -> Self {
        self.norm = norm;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Number])
    }
}

impl Persist for UnitNorm {
    const TAG: &'static str = "UnitNorm";
}

impl<T: Task> Transformer<T> for UnitNorm {
    type Fitted = FittedUnitNorm;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let positions = self.positions(input)?;
        let made = positions.iter().map(|&i| input.fields()[i].clone()).collect();
        Ok(plan(input, &positions, Place::Own, true, made))
    }

    fn fit(&self, train: &Dataset<T>, _: &FitContext) -> Result<FittedUnitNorm> {
        let input = train.features().schema();
        let positions = self.positions(input)?;
        let mut order: Vec<usize> = (0..positions.len()).collect();
        order.sort_by_key(|&i| &input.fields()[positions[i]].name);
        Joint::new(train, positions, Place::Own, UnitLength { norm: self.norm, order })
    }
}

/// The size of one row, while its values come one after another.
#[derive(Debug, Clone, Copy)]
struct Size {
    largest: f64,
    sum: f64,
}

impl Size {
    const NONE: Self = Self { largest: 0.0, sum: 0.0 };

    /// First all values go here.
    #[inline]
    fn see(&mut self, x: f64) {
        // A comparison with NaN is false: missing values are left out.
        if x.abs() > self.largest {
            self.largest = x.abs();
        }
    }

    /// A value in units of the largest.
    #[inline]
    fn share(&self, x: f64) -> f64 {
        if x.is_nan() || self.largest == 0.0 {
            x
        } else if self.largest.is_infinite() {
            if x.is_infinite() { x.signum() } else { 0.0 }
        } else {
            x / self.largest
        }
    }

    /// Then their shares, in the one order.
    #[inline]
    fn add(&mut self, norm: Norm, share: f64) {
        if !share.is_nan() {
            self.sum += match norm {
                Norm::L1 => share.abs(),
                Norm::L2 => share * share,
                Norm::Max => 0.0,
            };
        }
    }

    /// What a value becomes.
    #[inline]
    fn scaled(&self, norm: Norm, x: f64) -> f64 {
        let share = self.share(x);
        if self.largest == 0.0 {
            return share;
        }
        match norm {
            Norm::L1 => share / self.sum,
            Norm::L2 => share / self.sum.sqrt(),
            Norm::Max => share,
        }
    }
}

impl JointRule for UnitLength {
    const TAG: &'static str = "FittedUnitNorm";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        taken.fields().cloned().collect()
    }

    fn columns(&self, _: Taken<'_>, mut columns: Vec<Column>, rows: usize) -> Result<Vec<Column>> {
        let mut sizes = vec![Size::NONE; rows];
        for column in &columns {
            sizes.iter_mut().zip(column.as_numbers()?).for_each(|(size, &x)| size.see(x));
        }
        for column in self.order.iter().filter_map(|&i| columns.get(i)) {
            for (size, &x) in sizes.iter_mut().zip(column.as_numbers()?) {
                size.add(self.norm, size.share(x));
            }
        }
        for column in &mut columns {
            column.make_numbers()?.iter_mut().zip(&sizes).for_each(|(x, size)| *x = size.scaled(self.norm, *x));
        }
        Ok(columns)
    }

    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        let mut size = Size::NONE;
        for i in 0..taken.len() {
            size.see(cells.number(i)?);
        }
        for &i in self.order.iter().filter(|&&i| i < taken.len()) {
            size.add(self.norm, size.share(cells.number(i)?));
        }
        for i in 0..taken.len() {
            out.push(Cell::number(size.scaled(self.norm, cells.number(i)?)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::select::{all, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_testkit::{conformance, data};

    use crate::scale::golden_tests::check;
    use crate::test_tables::{numbers as table, training};

    #[test]
    fn conforms() {
        for norm in [Norm::L1, Norm::L2, Norm::Max] {
            let spec = UnitNorm::on(numbers()).norm(norm);
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::multiclass_numeric(62, 3));
            conformance::transformer(&spec, &data::ranking(62, 3));
        }
    }

    #[test]
    fn equals_scikit_learn() {
        check("unit_norm", 3, |case| {
            UnitNorm::on(all()).norm(match case.value("/input/norm").as_str().unwrap() {
                "l1" => Norm::L1,
                "l2" => Norm::L2,
                _ => Norm::Max,
            })
        });
    }

    fn scaled(norm: Norm, row: &[f64]) -> Vec<f64> {
        let rows = vec![row.to_vec()];
        let fitted = UnitNorm::on(all()).norm(norm).fit(&training(table(&rows), None), &FitContext::new(0)).unwrap();
        let out = fitted.transform(table(&rows)).unwrap();
        out.columns().iter().map(|column| column.as_numbers().unwrap()[0]).collect()
    }

    #[test]
    fn extremes_have_a_direction_too() {
        for size in [1e-320, 1e-200, 1e200, 1e308] {
            for (x, expected) in scaled(Norm::L2, &[size, -size]).iter().zip([0.5f64.sqrt(), -(0.5f64.sqrt())]) {
                assert!((x - expected).abs() < 1e-15, "{size}: {x}");
            }
        }
        assert_eq!(scaled(Norm::L1, &[f64::INFINITY, f64::NEG_INFINITY, 5.0]), [0.5, -0.5, 0.0]);
        assert_eq!(scaled(Norm::Max, &[f64::INFINITY, 5.0]), [1.0, 0.0]);
        let holed = scaled(Norm::L2, &[f64::NAN, 3.0, 4.0]);
        assert!(holed[0].is_nan() && holed[1..] == [0.6, 0.8], "{holed:?}");
        assert_eq!(scaled(Norm::L1, &[0.0, -0.0]), [0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn norms_are_one_and_shares_are_kept(row in prop::collection::vec(-1e9f64..1e9, 1..9)) {
            prop_assume!(row.iter().any(|x| *x != 0.0));
            let sums = [
                scaled(Norm::L1, &row).iter().map(|x| x.abs()).sum::<f64>(),
                scaled(Norm::L2, &row).iter().map(|x| x * x).sum::<f64>(),
                scaled(Norm::Max, &row).iter().fold(0.0, |most, x| x.abs().max(most)),
            ];
            prop_assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{:?}", sums);
            let twice = scaled(Norm::L2, &row.iter().map(|x| 2.0 * x).collect::<Vec<_>>());
            prop_assert_eq!(twice, scaled(Norm::L2, &row));
        }
    }
}
