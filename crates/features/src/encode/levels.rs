//! How often each level occurs, and the order that levels are numbered in.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::schema::Levels;
use stagewise_numeric::sum::Grid;

use crate::rewrite::Training;

/// The order in which levels are numbered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LevelOrder {
    /// By name, in the order of code points.
    #[default]
    Name,
    /// The most frequent first; of equally frequent ones that which comes first by name. Frequency is a sum of weights.
    Frequency,
    /// As they first come in the training rows.
    Appearance,
    /// This one, each level once. Levels in it are known whether or not they occur in training, and all others are unseen.
    Given(Vec<String>),
}

/// How much each level of a training column occurs, as sums of weights that no order of rows changes.
#[derive(Debug)]
pub(super) struct LevelCounts {
    whole: Vec<i128>,
    missing: i128,
    /// Codes in the order in which they first come.
    appearance: Vec<u32>,
    missing_rows: usize,
    grid: Grid,
}

/// Weights as whole numbers of 53 bits, of fewer from two million rows on: sums of them, times another number of 52 bits,
/// have 126 bits.
pub(super) fn weight_grid(weights: Option<&[f64]>) -> Grid {
    match weights {
        // A grid of integers: each row counts 1.
        None => Grid::new(0.0, 53),
        Some(weights) => {
            let rows = usize::BITS - weights.len().leading_zeros();
            let largest = weights.iter().fold(0.0, |most: f64, &w| most.max(w));
            Grid::new(largest, (126 - 52_u32).saturating_sub(rows).min(53))
        }
    }
}

impl LevelOrder {
    pub(super) fn check(&self) -> Result<()> {
        let Self::Given(names) = self else { return Ok(()) };
        let distinct = Levels::new(names.iter().map(String::as_str)).len();
        ParameterError::check(distinct == names.len(), "order", format!("{names:?}"), "each level once")
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for LevelOrder {
    fn from(names: [S; N]) -> Self {
        Self::Given(names.map(Into::into).to_vec())
    }
}

impl From<Vec<String>> for LevelOrder {
    fn from(names: Vec<String>) -> Self {
        Self::Given(names)
    }
}

impl LevelCounts {
    pub(super) fn learn(training: &Training<'_>) -> Result<Self> {
        let (codes, levels) = training.column.as_categories()?;
        let grid = weight_grid(training.weights);
        let mut counts =
            Self { whole: vec![0; levels.len()], missing: 0, appearance: Vec::new(), missing_rows: 0, grid };
        for (row, weight) in training.rows() {
            let weight = i128::from(grid.whole(weight));
            match counts.whole.get_mut(codes[row] as usize) {
                Some(count) => {
                    if *count == 0 && weight > 0 {
                        counts.appearance.push(codes[row]);
                    }
                    *count += weight;
                }
                None => {
                    counts.missing += weight;
                    counts.missing_rows += usize::from(weight > 0);
                }
            }
        }
        Ok(counts)
    }

    /// How much a level occurs.
    pub(super) fn of(&self, code: u32) -> f64 {
        self.whole.get(code as usize).map_or(0.0, |&count| self.grid.value(count))
    }

    /// How much a missing level occurs.
    pub(super) fn missing(&self) -> f64 {
        self.grid.value(self.missing)
    }

    /// How much all rows weigh.
    pub(super) fn total(&self) -> f64 {
        self.grid.value(self.whole.iter().sum::<i128>() + self.missing)
    }

    /// How many levels the column's list has.
    pub(super) fn listed(&self) -> usize {
        self.whole.len()
    }

    pub(super) fn has_missing(&self) -> bool {
        self.missing_rows > 0
    }

    /// The error of missing values, if there are any.
    pub(super) fn refuse_missing(&self) -> Result<()> {
        if self.has_missing() { Err(DataError::MissingValues { count: self.missing_rows }.into()) } else { Ok(()) }
    }

    /// The codes of the training levels in an order that is not given.
    pub(super) fn ordered(&self, order: &LevelOrder, levels: &Levels) -> Vec<u32> {
        let mut codes = self.appearance.clone();
        match order {
            LevelOrder::Appearance => {}
            LevelOrder::Frequency => codes.sort_unstable_by(|a, b| {
                let (first, second) = (self.whole[*a as usize], self.whole[*b as usize]);
                second.cmp(&first).then_with(|| levels.name(*a).cmp(&levels.name(*b)))
            }),
            LevelOrder::Name => codes.sort_unstable_by_key(|&code| levels.name(code)),
            // Levels that were not named are unseen, and so are those that do not occur.
            LevelOrder::Given(names) => {
                let named = names.iter().filter_map(|name| levels.code(name));
                codes = named.filter(|&code| self.whole[code as usize] > 0).collect();
            }
        }
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::context::FitContext;
    use stagewise_core::table::Table;

    use crate::encode::by_level::{LevelNumbers, Stand};
    use crate::rewrite::Rewrite;
    use crate::test_tables::training;

    fn counts(levels: &[Option<&str>], weights: Option<Vec<f64>>, look: impl Fn(&LevelCounts, &Levels) + Sync) {
        let train = training(Table::of([("x", Column::categories(levels.iter().copied()))]).unwrap(), weights);
        let learned = Rewrite::learn(&train, &[0], &FitContext::new(0), |training| {
            look(&LevelCounts::learn(training)?, training.column.as_categories()?.1);
            Ok(LevelNumbers::new(Vec::new(), 0, Stand::Missing, Stand::Missing, |_, _| {}))
        });
        learned.unwrap();
    }

    const ROWS: [Option<&str>; 8] = [Some("c"), Some("b"), None, Some("b"), Some("a"), Some("a"), Some("c"), Some("d")];

    #[test]
    fn orders() {
        counts(&ROWS, None, |counts, levels| {
            let names = |order: LevelOrder| -> String {
                let codes = counts.ordered(&order, levels).into_iter();
                codes.map(|code| levels.name(code).unwrap().to_string()).collect()
            };
            assert_eq!(names(LevelOrder::Name), "abcd");
            assert_eq!(names(LevelOrder::Appearance), "cbad");
            assert_eq!(names(LevelOrder::Frequency), "abcd");
            assert_eq!(names(["d", "z", "b"].into()), "db");
            assert_eq!((counts.total(), counts.missing(), counts.of(0), counts.of(9)), (8.0, 1.0, 2.0, 0.0));
            assert!(counts.refuse_missing().is_err());
        });
        assert!(LevelOrder::from(["a", "b", "a"]).check().is_err());
    }

    #[test]
    fn weights_are_summed_exactly() {
        let weights = vec![0.1, 0.0, 0.0, 0.3, 0.2, 0.1, 0.2, 0.0];
        counts(&ROWS, Some(weights), |counts, levels| {
            let codes = counts.ordered(&LevelOrder::Frequency, levels);
            // 0.1 + 0.2 is 0.3 on the grid: a tie, which goes by name.
            let names: Vec<&str> = codes.iter().map(|&code| &**levels.name(code).unwrap()).collect();
            assert_eq!(names, ["a", "b", "c"]);
            assert_eq!((counts.of(0), counts.of(1)), (counts.of(2), 0.3));
            assert!(!counts.has_missing() && counts.refuse_missing().is_ok());
        });
    }
}
