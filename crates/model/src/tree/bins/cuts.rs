//! Where the values of a column are cut.
//!
//! A column of few distinct values is cut between each two of them, in the middle, so that nothing is lost. A column of
//! many is cut so that the bins hold about the same weight, and a value that fills a bin by itself gets one. More rows
//! than [`SAMPLE`] are looked at evenly spaced: the error of a quantile is then far below the width of a bin.

use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_numeric::key::{key_value, order_key};
use stagewise_numeric::rank;

use super::ColumnBins;

/// How many rows cuts are learned from at most.
const SAMPLE: usize = 200_000;

/// The cuts of a column of numbers or flags: at most `max_bins - 1`, ascending.
pub(super) fn numbers(column: &Column, weights: Option<&[f64]>, max_bins: usize) -> Vec<f64> {
    let (values, weights) = match column {
        Column::Number(values) => sampled(values, weights, |&x| (!x.is_nan()).then_some(x)),
        Column::Flag(values) => sampled(values, weights, |flag| flag.map(|flag| f64::from(u8::from(flag)))),
        _ => (Vec::new(), None),
    };
    let distinct = distinct(&values, weights.as_deref());
    if distinct.len() <= max_bins {
        return distinct.windows(2).map(|pair| between(pair[0].0, pair[1].0)).collect();
    }
    equal_weight(&distinct, max_bins)
}

/// The present values of evenly spaced rows, with their weights; rows of weight 0 are not there.
fn sampled<V>(
    values: &[V],
    weights: Option<&[f64]>,
    number: impl Fn(&V) -> Option<f64>,
) -> (Vec<f64>, Option<Vec<f64>>) {
    let take = values.len().min(SAMPLE);
    let rows = (0..take).map(|i| (i as u128 * values.len() as u128 / take.max(1) as u128) as usize);
    match weights {
        None => (rows.filter_map(|row| number(&values[row])).collect(), None),
        Some(weights) => {
            let present = rows.filter(|&row| weights[row] > 0.0);
            let pairs = present.filter_map(|row| Some((number(&values[row])?, weights[row])));
            let (values, weights) = pairs.unzip();
            (values, Some(weights))
        }
    }
}

/// Distinct values, ascending, and the weight of each.
fn distinct(values: &[f64], weights: Option<&[f64]>) -> Vec<(f64, f64)> {
    let mut distinct: Vec<(f64, f64)> = Vec::new();
    let mut add = |value: f64, weight: f64| match distinct.last_mut() {
        Some((last, sum)) if *last == value => *sum += weight,
        _ => distinct.push((value, weight)),
    };
    match weights {
        None => {
            // Whole numbers in the same order are sorted faster.
            let mut keys: Vec<u64> = values.iter().map(|&value| order_key(value)).collect();
            keys.sort_unstable();
            keys.into_iter().for_each(|key| add(key_value(key), 1.0));
        }
        Some(weights) => rank::order(values).into_iter().for_each(|i| add(values[i], weights[i])),
    }
    distinct
}

/// Cuts that leave about the same weight in each bin.
fn equal_weight(distinct: &[(f64, f64)], max_bins: usize) -> Vec<f64> {
    let mut left: f64 = distinct.iter().map(|(_, weight)| weight).sum();
    let mut cuts = Vec::with_capacity(max_bins);
    let mut filled = 0.0;
    for (i, pair) in distinct.windows(2).enumerate() {
        let bins_left = max_bins - cuts.len();
        if bins_left == 1 {
            break;
        }
        let target = left / bins_left as f64;
        filled += pair[0].1;
        // As many values left as bins: each gets its own.
        let all_alone = distinct.len() - i - 1 < bins_left;
        let next_is_heavy = pair[1].1 >= target;
        if filled >= target || next_is_heavy || all_alone {
            cuts.push(between(pair[0].0, pair[1].0));
            left -= filled;
            filled = 0.0;
        }
    }
    cuts
}

/// A cut `c` with `low <= c < high`: the middle, where that is a number.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

/// The bins of a category, the most frequent level first: one for each of the most frequent levels, and where there are more than fit, one for the rest.
pub(super) fn levels(column: &Column, levels: usize, weights: Option<&[f64]>, max_bins: usize) -> ColumnBins {
    let mut weight_of = vec![0.0; levels];
    if let Column::Category { codes, .. } = column {
        for (row, &code) in codes.iter().enumerate().filter(|(_, code)| **code != MISSING_CODE) {
            if let Some(weight) = weight_of.get_mut(code as usize) {
                *weight += weights.map_or(1.0, |weights| weights[row]);
            }
        }
    }
    let mut order: Vec<usize> = (0..levels).collect();
    order.sort_by(|&a, &b| weight_of[b].total_cmp(&weight_of[a]));
    // A level that no row has is as good as new: it counts as missing.
    let seen = order.iter().take_while(|&&level| weight_of[level] > 0.0).count();
    let bins = seen.clamp(1, max_bins);
    let mut bin_of = vec![bins as u8; levels];
    order.iter().take(seen).enumerate().for_each(|(bin, &level)| bin_of[level] = bin.min(bins - 1) as u8);
    ColumnBins::Category { bin_of, bins }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_values_are_cut_in_the_middle() {
        let cuts = |values: &[f64]| numbers(&Column::numbers(values.to_vec()), None, 255);
        assert_eq!(cuts(&[3.0, 1.0, f64::NAN, 2.0, 2.0]), [1.5, 2.5]);
        assert_eq!(cuts(&[]), [0.0; 0]);
        assert_eq!(cuts(&[f64::NAN; 3]), [0.0; 0]);
        // The middle of these is no number between them.
        assert_eq!(cuts(&[f64::NEG_INFINITY, -1e308, 1e308, f64::INFINITY]), [f64::NEG_INFINITY, 0.0, 1e308]);
        assert_eq!(cuts(&[0.0, 5e-324]), [0.0]);
        assert_eq!(numbers(&Column::flags([Some(true), None, Some(false)]), None, 255), [0.5]);
    }

    #[test]
    fn a_weight_of_two_is_a_row_twice_and_of_zero_none() {
        let values: Vec<f64> = (0..600).map(|i| f64::from(i * i)).collect();
        let weights: Vec<f64> = (0..600).map(|i| f64::from(i % 3)).collect();
        let twice: Vec<f64> = values.iter().zip(&weights).flat_map(|(&v, &w)| vec![v; w as usize]).collect();
        assert_eq!(numbers(&Column::numbers(values), Some(&weights), 40), numbers(&Column::numbers(twice), None, 40));
    }

    #[test]
    fn rare_levels_share_the_last_bin() {
        let column = Column::categories((0..60).map(|i| {
            Some(if i < 30 {
                "a"
            } else if i < 50 {
                "b"
            } else if i < 55 {
                "c"
            } else {
                "d"
            })
        }));
        let ColumnBins::Category { bin_of, bins } = levels(&column, 5, None, 3) else { panic!("a category") };
        assert_eq!((bin_of.as_slice(), bins), ([0, 1, 2, 2, 3].as_slice(), 3), "the fifth level has no rows");
    }

    proptest! {
        #[test]
        fn bins_are_even_unless_a_value_is_heavy(mut values in prop::collection::vec(-1e3f64..1e3, 300..900), heavy in 0usize..400) {
            values.extend(std::iter::repeat_n(7.25, heavy));
            let cuts = numbers(&Column::numbers(values.clone()), None, 32);
            prop_assert!((29..=31).contains(&cuts.len()) && cuts.is_sorted());
            for pair in cuts.windows(2) {
                let inside: Vec<f64> = values.iter().copied().filter(|&x| pair[0] < x && x <= pair[1]).collect();
                let distinct = inside.iter().any(|&x| x != inside[0]);
                prop_assert!(!inside.is_empty());
                prop_assert!(!distinct || inside.len() <= 2 * values.len() / 31 + 1, "{} of {}", inside.len(), values.len());
            }
        }
    }
}
