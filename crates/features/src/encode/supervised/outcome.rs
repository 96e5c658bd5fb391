//! The target as sums want it: whole numbers, which add up to the same in any order and can be taken out again.
//!
//! Classes are counted, by weight. Numbers are brought to a grid of 52 bits around the middle of their range; a level then
//! needs three whole numbers, whatever the size of the values, and what is left without a fold is exact.

use std::sync::Arc;

use stagewise_core::dataset::Dataset;
use stagewise_core::target::RankingTarget;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression, Task};
use stagewise_numeric::sum::Grid;

use crate::encode::levels::weight_grid;

/// A task whose truth has a mean: what supervised encoders work with.
///
/// The event of a binary task, each class of a multiclass one, the number of a regression, the grade of a ranking (a weight is
/// that of a group).
pub trait Outcome: Task {
    /// Whether there is an outcome, and so a column, for each class.
    const BY_CLASS: bool;

    /// The truth of training rows as whole numbers.
    #[doc(hidden)]
    fn outcomes(train: &Dataset<Self>) -> Outcomes;
}

/// The outcomes of training rows. A number `y` stands as `z = (y - centre) / scale`, with `|z| ≤ 2`.
#[derive(Debug)]
pub struct Outcomes {
    truth: Truth,
    /// What is appended to a column's name, for each outcome.
    pub(super) suffixes: Vec<String>,
    weights: Option<Vec<i64>>,
    weight_unit: f64,
}

#[derive(Debug)]
enum Truth {
    /// The class of each row, and the first class that is an outcome.
    Classes { codes: Vec<u32>, classes: usize, first: usize },
    /// `z · 2⁵¹` of each row.
    Numbers { whole: Vec<i64>, centre: f64, scale: f64 },
}

/// The rows of a level, in numbers: of one outcome, as `z`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Tally {
    /// `Σ w`.
    pub(super) weight: f64,
    /// `Σ w z / Σ w`; 0 without weight.
    pub(super) mean: f64,
    /// `Σ w (z - mean)²`.
    pub(super) spread: f64,
}

const NUMBER_BITS: u32 = 52;
/// `2⁻⁵¹`: of a whole number to `z`.
const Z_UNIT: f64 = 1.0 / (1u64 << 51) as f64;
/// Squares of whole numbers are kept to `2⁻⁵²`, so that weights of 53 bits fit beside them: `2⁵² · 2⁻¹⁰²`.
const SQUARE_UNIT: f64 = 1.0 / (1u64 << 50) as f64;

impl Outcomes {
    fn new(truth: Truth, suffixes: Vec<String>, weights: Option<&[f64]>) -> Self {
        let grid = weight_grid(weights);
        let weights = weights.map(|weights| weights.iter().map(|&w| grid.whole(w)).collect());
        Self { truth, suffixes, weights, weight_unit: grid.unit() }
    }

    fn numbers(values: &[f64], weights: Option<&[f64]>) -> Self {
        let counted = |row: &usize| weights.is_none_or(|weights| weights[*row] > 0.0);
        let ends = (0..values.len()).filter(counted).map(|row| values[row]);
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| (a.min(y), b.max(y)));
        // Halves, so that nothing overflows. Without a row that counts there is nothing to centre.
        let (centre, half) = if low <= high { (low / 2.0 + high / 2.0, high / 2.0 - low / 2.0) } else { (0.0, 0.0) };
        let grid = Grid::new(half, NUMBER_BITS);
        let whole = values.iter().map(|y| grid.whole(y - centre)).collect();
        let truth = Truth::Numbers { whole, centre, scale: grid.unit() / Z_UNIT };
        Self::new(truth, vec![String::new()], weights)
    }

    /// How much a row weighs, on the grid of weights.
    #[inline]
    pub(super) fn weight(&self, row: usize) -> i64 {
        self.weights.as_ref().map_or(1, |weights| weights[row])
    }

    /// The rows that count.
    pub(super) fn counting(&self) -> Vec<usize> {
        (0..self.rows()).filter(|&row| self.weight(row) > 0).collect()
    }

    fn rows(&self) -> usize {
        match &self.truth {
            Truth::Classes { codes, .. } => codes.len(),
            Truth::Numbers { whole, .. } => whole.len(),
        }
    }

    /// How many outcomes there are.
    pub(super) fn count(&self) -> usize {
        self.suffixes.len()
    }

    /// How many whole numbers the sums of some rows are.
    pub(super) fn width(&self) -> usize {
        match &self.truth {
            Truth::Classes { classes, .. } => *classes,
            Truth::Numbers { .. } => 3,
        }
    }

    /// Adds a row to sums.
    #[inline]
    pub(super) fn add(&self, sums: &mut [i128], row: usize) {
        let weight = self.weight(row);
        match &self.truth {
            Truth::Classes { codes, .. } => sums[codes[row] as usize] += i128::from(weight),
            Truth::Numbers { whole, .. } => {
                let (w, z) = (i128::from(weight), i128::from(whole[row]));
                sums[0] += w;
                sums[1] += w * z;
                sums[2] += w * ((z * z) >> NUMBER_BITS);
            }
        }
    }

    /// What sums say about an outcome.
    #[inline]
    pub(super) fn tally(&self, sums: &[i128], outcome: usize) -> Tally {
        match &self.truth {
            Truth::Classes { first, .. } => {
                let all = sums.iter().sum::<i128>();
                if all <= 0 {
                    return Tally::default();
                }
                let weight = all as f64;
                let mean = sums[first + outcome] as f64 / weight;
                let weight = weight * self.weight_unit;
                Tally { weight, mean, spread: weight * mean * (1.0 - mean) }
            }
            Truth::Numbers { .. } => {
                if sums[0] <= 0 {
                    return Tally::default();
                }
                let weight = sums[0] as f64;
                let mean = sums[1] as f64 / weight * Z_UNIT;
                let spread = (sums[2] as f64 * SQUARE_UNIT - weight * mean * mean).max(0.0);
                Tally { weight: weight * self.weight_unit, mean, spread: spread * self.weight_unit }
            }
        }
    }

    /// The target's value that `z` stands for.
    #[inline]
    pub(super) fn value(&self, z: f64) -> f64 {
        match &self.truth {
            Truth::Classes { .. } => z,
            // Rounding up the largest number of all is not to make it infinite.
            Truth::Numbers { centre, scale, .. } => (centre + z * scale).clamp(f64::MIN, f64::MAX),
        }
    }
}

impl Outcome for Regression {
    const BY_CLASS: bool = false;

    fn outcomes(train: &Dataset<Self>) -> Outcomes {
        Outcomes::numbers(train.target().values(), train.weights())
    }
}

impl Outcome for Binary {
    const BY_CLASS: bool = false;

    fn outcomes(train: &Dataset<Self>) -> Outcomes {
        let codes = train.target().events().iter().map(|&event| u32::from(event)).collect();
        let truth = Truth::Classes { codes, classes: 2, first: 1 };
        Outcomes::new(truth, vec![String::new()], train.weights())
    }
}

impl Outcome for Multiclass {
    const BY_CLASS: bool = true;

    fn outcomes(train: &Dataset<Self>) -> Outcomes {
        let target = train.target();
        let truth = Truth::Classes { codes: target.codes().to_vec(), classes: target.classes(), first: 0 };
        let suffix = |class: &Arc<str>| format!(":{class}");
        Outcomes::new(truth, train.labels().iter().map(suffix).collect(), train.weights())
    }
}

impl Outcome for Ranking {
    const BY_CLASS: bool = false;

    fn outcomes(train: &Dataset<Self>) -> Outcomes {
        let target: &RankingTarget = train.target();
        Outcomes::numbers(target.grades(), target.list_weights(train.weights()).as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(outcomes: &Outcomes, rows: impl Iterator<Item = usize>) -> Tally {
        let mut sums = vec![0; outcomes.width()];
        rows.for_each(|row| outcomes.add(&mut sums, row));
        outcomes.tally(&sums, 0)
    }

    #[test]
    fn means_of_extremes_stay_in_range() {
        for values in [
            vec![f64::MAX, f64::MIN, f64::MAX],
            vec![1e300, 3e300],
            vec![1e-310, 0.0],
            vec![1e9, 1e9 + 1.0, 1e9 + 5.0],
            vec![7.25],
            vec![-3.0; 4],
        ] {
            let outcomes = Outcomes::numbers(&values, None);
            let found = outcomes.value(tally(&outcomes, 0..values.len()).mean);
            let expected = values.iter().map(|y| y / values.len() as f64).sum::<f64>();
            assert!((found - expected).abs() <= 1e-15 * expected.abs().max(5e-309), "{values:?}: {found:e}");
            let first = outcomes.value(tally(&outcomes, 0..1).mean);
            assert!((first - values[0]).abs() <= 1e-15 * values[0].abs(), "{values:?}: {first:e}");
        }
    }

    #[test]
    fn rows_of_weight_zero_change_nothing() {
        let plain = Outcomes::numbers(&[1.0, 4.0], None);
        let more = Outcomes::numbers(&[1.0, 1e200, 4.0], Some(&[1.0, 0.0, 1.0]));
        assert_eq!(tally(&plain, 0..2), tally(&more, 0..3));
        assert_eq!(more.counting(), [0, 2]);
        assert_eq!(tally(&Outcomes::numbers(&[1.0], Some(&[0.0])), 0..1), Tally::default());
        assert_eq!(tally(&Outcomes::numbers(&[], None), 0..0), Tally::default());
    }

    proptest! {
        #[test]
        fn tallies_are_those_of_the_definition_in_any_order(
            rows in prop::collection::vec((-1e3f64..1e3, 0.0f64..5.0), 1..60),
        ) {
            let (values, weights): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
            let outcomes = Outcomes::numbers(&values, Some(&weights));
            let found = tally(&outcomes, 0..rows.len());
            prop_assert_eq!(found, tally(&outcomes, (0..rows.len()).rev()));
            let weight: f64 = weights.iter().sum();
            prop_assume!(weight > 0.1);
            let mean = rows.iter().map(|(y, w)| y * w).sum::<f64>() / weight;
            let spread = rows.iter().map(|(y, w)| w * (y - mean) * (y - mean)).sum::<f64>();
            let Truth::Numbers { scale, .. } = outcomes.truth else { unreachable!() };
            prop_assert!((found.weight - weight).abs() < 1e-12 * weight);
            prop_assert!((outcomes.value(found.mean) - mean).abs() < 1e-10);
            let rounding = 1e-14 * weight * scale * scale;
            prop_assert!((found.spread * scale * scale - spread).abs() <= 1e-9 * spread + rounding);
        }
    }
}
