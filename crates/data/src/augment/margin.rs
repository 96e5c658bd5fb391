//! One column on the normal scale, and back.
//!
//! A column of a few values (levels, flags, small counts) cuts the scale into pieces, one per value, each as likely as the
//! value. A column of many numbers is a curve through some of its quantiles. Only limits and knots are kept, no rows.

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_core::error::{DataError, Result};
use stagewise_core::schema::Field;
use stagewise_numeric::normal::quantile;
use stagewise_numeric::rank::{average_ranks, order};
use std::sync::Arc;

use crate::balance::between;

/// Whole numbers with at most as many different values are pieces, not a curve.
const FEW: usize = 64;

/// How a column looks, and how often it is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Margin {
    shape: Shape,
    /// The limit on the normal scale above which a value is missing; none if none ever is.
    missing: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    /// Nothing but missing values.
    Empty,
    /// Item `i` lies between `cuts[i − 1]` and `cuts[i]`.
    Pieces { items: Vec<f64>, cuts: Vec<f64> },
    /// Values at scores, both ascending.
    Curve { scores: Vec<f64>, values: Vec<f64>, whole: bool },
}

impl Margin {
    /// Learns a column; with it come the scores of the rows, for the value (NaN where it is missing) and for being missing,
    /// where these vary.
    pub(super) fn learn(column: &Column, knots: usize) -> Result<(Self, Vec<Vec<f64>>)> {
        let values = as_numbers(column)?;
        let present = values.iter().filter(|x| !x.is_nan()).count();
        let mut scores = Vec::new();
        let shape = match (present, matches!(column, Column::Number(_) | Column::Timestamp(_))) {
            (0, _) => Shape::Empty,
            (_, true) => Shape::of_numbers(&values, knots, &mut scores),
            (_, false) => Shape::of_levels(&values, &mut scores),
        };
        let missing = if present == 0 || present == values.len() {
            None
        } else {
            let share = present as f64 / values.len() as f64;
            let of = |x: &f64| quantile(if x.is_nan() { 0.5 + 0.5 * share } else { 0.5 * share });
            scores.push(values.iter().map(of).collect());
            Some(quantile(share))
        };
        Ok((Self { shape, missing }, scores))
    }

    /// How many places on the normal scale a row has here.
    pub(super) fn latents(&self) -> usize {
        let shape = match &self.shape {
            Shape::Empty => 0,
            Shape::Pieces { items, .. } => usize::from(items.len() > 1),
            Shape::Curve { .. } => 1,
        };
        shape + usize::from(self.missing.is_some())
    }

    /// The value at these places; NaN if it is missing.
    pub(super) fn value(&self, places: &[f64]) -> f64 {
        match (self.missing, places.last()) {
            (Some(limit), Some(&place)) if place > limit => f64::NAN,
            _ => self.shape.value(places.first().copied().unwrap_or(0.0)),
        }
    }
}

impl Shape {
    /// Pieces, the likeliest item first; of equally likely ones that of the lower code.
    fn of_levels(codes: &[f64], scores: &mut Vec<Vec<f64>>) -> Self {
        let (mut items, _) = counted(codes);
        items.sort_by_key(|item| std::cmp::Reverse(item.1));
        Self::pieces(&items, codes, scores)
    }

    fn of_numbers(values: &[f64], knots: usize, scores: &mut Vec<Vec<f64>>) -> Self {
        let whole = values.iter().all(|x| x.is_nan() || x.fract() == 0.0);
        let (items, present) = counted(values);
        if items.len() == 1 || (whole && items.len() <= FEW) {
            return Self::pieces(&items, values, scores);
        }
        let n = present.len();
        let ranks = average_ranks(values);
        let score = |(x, rank): (&f64, f64)| if x.is_nan() { f64::NAN } else { quantile((rank - 0.5) / n as f64) };
        scores.push(values.iter().zip(ranks).map(score).collect());
        let knots = knots.min(n);
        let places: Vec<usize> = (0..knots).map(|i| i * (n - 1) / (knots - 1)).collect();
        Self::Curve {
            scores: places.iter().map(|&place| quantile((place as f64 + 0.5) / n as f64)).collect(),
            values: places.iter().map(|&place| present[place]).collect(),
            whole,
        }
    }

    fn pieces(items: &[(f64, usize)], values: &[f64], scores: &mut Vec<Vec<f64>>) -> Self {
        let total: usize = items.iter().map(|item| item.1).sum();
        let mut below = 0;
        let (mut cuts, mut middles) = (Vec::new(), Vec::new());
        for &(_, count) in items {
            middles.push(quantile((below as f64 + 0.5 * count as f64) / total as f64));
            below += count;
            cuts.push(quantile(below as f64 / total as f64));
        }
        cuts.pop();
        if items.len() > 1 {
            let mut by_value: Vec<(f64, f64)> = items.iter().map(|item| item.0).zip(middles).collect();
            by_value.sort_by(|a, b| a.0.total_cmp(&b.0));
            let score = |x: &f64| match by_value.binary_search_by(|item| item.0.total_cmp(x)) {
                Ok(place) => by_value[place].1,
                Err(_) => f64::NAN,
            };
            scores.push(values.iter().map(score).collect());
        }
        Self::Pieces { items: items.iter().map(|item| item.0).collect(), cuts }
    }

    fn value(&self, place: f64) -> f64 {
        match self {
            Self::Empty => f64::NAN,
            Self::Pieces { items, cuts } => items[cuts.partition_point(|&cut| cut < place)],
            Self::Curve { scores, values, whole } => {
                let above = scores.partition_point(|&score| score < place);
                let x = if above == 0 {
                    values[0]
                } else if above == scores.len() {
                    values[above - 1]
                } else {
                    let gap = (place - scores[above - 1]) / (scores[above] - scores[above - 1]);
                    between(values[above - 1], values[above], gap)
                };
                if *whole { x.round() } else { x }
            }
        }
    }
}

/// The column of a field that has these values.
pub(super) fn as_column(field: &Field, template: &Column, values: &[f64]) -> Column {
    match template {
        Column::Number(_) => Column::numbers(values),
        Column::Category { levels, .. } => {
            let code = |x: &f64| if x.is_nan() { MISSING_CODE } else { *x as u32 };
            let levels = field.levels.clone().unwrap_or_else(|| levels.clone());
            Column::Category { codes: Arc::new(values.iter().map(code).collect()), levels }
        }
        Column::Flag(_) => {
            Column::flags(values.iter().map(|x| if x.is_nan() { None } else { Some(*x > 0.5) }).collect::<Vec<_>>())
        }
        Column::Timestamp(_) => {
            let time = |x: &f64| if x.is_nan() { MISSING_TIME } else { *x as i64 };
            Column::timestamps(values.iter().map(time).collect::<Vec<_>>())
        }
        other => Column::missing(other.kind(), values.len()),
    }
}

/// A column as numbers: codes, 0 and 1, microseconds; NaN is missing.
pub(super) fn as_numbers(column: &Column) -> Result<Vec<f64>> {
    Ok(match column {
        Column::Number(values) => {
            if let Some(first) = values.iter().position(|x| x.is_infinite()) {
                let count = values.iter().filter(|x| x.is_infinite()).count();
                return Err(DataError::NotFinite { count, first }.into());
            }
            // One zero, so that equal values are equal bits.
            values.iter().map(|x| x + 0.0).collect()
        }
        Column::Category { codes, .. } => {
            codes.iter().map(|&code| if code == MISSING_CODE { f64::NAN } else { f64::from(code) }).collect()
        }
        Column::Flag(flags) => {
            flags.iter().map(|flag| flag.map_or(f64::NAN, |flag| f64::from(u8::from(flag)))).collect()
        }
        Column::Timestamp(times) => {
            times.iter().map(|&time| if time == MISSING_TIME { f64::NAN } else { time as f64 }).collect()
        }
        other => vec![f64::NAN; other.len()],
    })
}

/// The different values with their counts, and all values that are present; both ascending.
fn counted(values: &[f64]) -> (Vec<(f64, usize)>, Vec<f64>) {
    let present: Vec<f64> = order(values).into_iter().map(|row| values[row]).filter(|x| !x.is_nan()).collect();
    let items = present.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len())).collect();
    (items, present)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_pieces_as_likely_as_they_are_frequent() {
        let column = Column::categories([Some("a"), Some("b"), Some("b"), Some("b"), None]);
        let (margin, scores) = Margin::learn(&column, 10).unwrap();
        assert_eq!((margin.latents(), scores.len()), (2, 2));
        // `b` is three quarters of what is present: up to 0.674 on the normal scale.
        let at = |place: f64| margin.value(&[place, 0.0]);
        assert_eq!((at(-3.0), at(0.67), at(0.68)), (1.0, 1.0, 0.0));
        assert!(margin.value(&[0.0, 0.85]).is_nan() && !margin.value(&[0.0, 0.84]).is_nan());
        assert!((scores[0][1] - quantile(0.375)).abs() < 1e-15 && scores[0][4].is_nan());
    }

    #[test]
    fn numbers_are_a_curve_within_their_range() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i) * 0.37).collect();
        let (margin, scores) = Margin::learn(&Column::numbers(values.clone()), 200).unwrap();
        for (row, &x) in values.iter().enumerate() {
            assert!((margin.value(&[scores[0][row]]) - x).abs() < 1.0);
        }
        assert_eq!((margin.value(&[-9.0]), margin.value(&[9.0])), (0.0, values[999]));
    }

    #[test]
    fn constant_and_empty_columns_need_no_place() {
        let (constant, scores) = Margin::learn(&Column::numbers([2.5, 2.5]), 10).unwrap();
        assert_eq!((constant.latents(), scores.len(), constant.value(&[])), (0, 0, 2.5));
        let (empty, _) = Margin::learn(&Column::numbers([f64::NAN]), 10).unwrap();
        assert!(empty.latents() == 0 && empty.value(&[]).is_nan());
        let (holes, scores) = Margin::learn(&Column::numbers([2.5, f64::NAN]), 10).unwrap();
        assert_eq!((holes.latents(), scores.len(), holes.value(&[-0.1])), (1, 1, 2.5));
        assert!(holes.value(&[0.1]).is_nan());
    }
}
