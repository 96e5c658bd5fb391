//! The values of a column, each as likely as its rows weigh.

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::error::{Result, SchemaError};
use stagewise_core::schema::Kind;
use stagewise_numeric::key::{key_value, order_key};

use crate::impute::fill::Fill;
use crate::rewrite::Training;

/// The most values kept.
const MOST: usize = 10_000;

/// Values in ascending order, and the weight of each with all before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pool {
    values: Vec<Fill>,
    reached: Vec<f64>,
}

impl Pool {
    /// The values of a training column; `None` without any.
    pub(super) fn of(training: &Training<'_>) -> Result<Option<Self>> {
        let rows = training.rows();
        Ok(match training.column {
            Column::Number(values) => {
                let known = rows.filter(|(row, _)| !values[*row].is_nan());
                Self::among(known.map(|(row, w)| (order_key(values[row]), w)).collect(), |k| Fill::Number(key_value(k)))
            }
            Column::Flag(values) => {
                let known = rows.filter_map(|(row, weight)| Some((values[row]?, weight)));
                Self::among(known.collect(), Fill::Flag)
            }
            Column::Category { codes, levels } => {
                // By name, since codes hang on the order in which a table was read.
                let known = rows.filter(|(row, _)| codes[*row] != MISSING_CODE);
                let named = known.map(|(row, weight)| ((levels.name(codes[row]), codes[row]), weight));
                Self::among(named.collect(), |(_, code)| Fill::Level(code))
            }
            other => return Err(SchemaError::WrongKind { expected: Kind::Category, found: other.kind() }.into()),
        })
    }

    fn among<K: Ord + Copy>(mut rows: Vec<(K, f64)>, value: impl Fn(K) -> Fill) -> Option<Self> {
        // Weights of a value are added in ascending order: the same sum for any order of the rows.
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut keys: Vec<K> = Vec::new();
        let (mut reached, mut total) = (Vec::new(), 0.0);
        for same in rows.chunk_by(|a, b| a.0 == b.0) {
            total += same.iter().map(|row| row.1).sum::<f64>();
            keys.push(same[0].0);
            reached.push(total);
        }
        if keys.len() > MOST {
            let middle = |i: usize| total * ((i as f64 + 0.5) / MOST as f64);
            keys = (0..MOST).map(|i| keys[place(&reached, middle(i))]).collect();
            reached = (1..=MOST).map(|i| i as f64).collect();
        }
        (!keys.is_empty()).then(|| Self { values: keys.into_iter().map(value).collect(), reached })
    }

    /// The value at the share `unit` of the weight, in `[0, 1)`; a learned pool has one.
    pub(super) fn at(&self, unit: f64) -> Option<&Fill> {
        let total = self.reached.last()?;
        self.values.get(place(&self.reached, unit * total))
    }
}

/// The first place whose weight exceeds `at`, or the last one.
fn place(reached: &[f64], at: f64) -> usize {
    reached.partition_point(|&r| r <= at).min(reached.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::schema::Field;

    fn pool(column: &Column, weights: Option<&[f64]>) -> Option<Pool> {
        let field = Field::new("x", column.kind());
        Pool::of(&Training::new(&field, column, weights)).unwrap()
    }

    #[test]
    fn each_value_is_as_likely_as_its_rows_weigh() {
        let numbers = Column::numbers([3.0, 1.0, f64::NAN, 3.0, 1.0, 2.0]);
        let found = pool(&numbers, None).unwrap();
        assert_eq!(found.reached, [2.0, 3.0, 5.0]);
        let drawn: Vec<_> = [0.0, 0.39, 0.41, 0.61, 0.999].into_iter().map(|u| found.at(u).cloned()).collect();
        assert_eq!(drawn, [1.0, 1.0, 2.0, 3.0, 3.0].map(|x| Some(Fill::Number(x))));
        let weighted = pool(&numbers, Some(&[0.0, 2.0, 1.0, 0.0, 0.0, 1.0])).unwrap();
        assert_eq!((weighted.reached.as_slice(), weighted.at(0.7)), ([2.0, 3.0].as_slice(), Some(&Fill::Number(2.0))));
        assert_eq!(pool(&Column::missing(Kind::Flag, 3), None), None);
    }

    #[test]
    fn levels_stand_by_name() {
        let found = pool(&Column::categories([Some("b"), Some("a"), None, Some("b")]), None).unwrap();
        assert_eq!((found.values, found.reached), (vec![Fill::Level(1), Fill::Level(0)], vec![1.0, 3.0]));
    }

    #[test]
    fn very_many_numbers_are_thinned_to_quantiles() {
        let values: Vec<f64> = (0..25_000).map(f64::from).collect();
        let found = pool(&Column::numbers(values), None).unwrap();
        assert_eq!(found.values.len(), MOST);
        assert_eq!((found.at(0.0), found.at(0.5)), (Some(&Fill::Number(1.0)), Some(&Fill::Number(12_501.0))));
    }
}
