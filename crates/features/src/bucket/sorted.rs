//! The rows of a column in the order of its values, beside what is to be told apart.

use std::ops::Range;

use stagewise_core::error::Result;

use crate::rewrite::Training;
use crate::scale::finite::mean_and_scale;

/// Gains closer than this, by weight, differ by rounding.
pub(super) const ROUNDING: f64 = 1e-12;

/// The truth of the training rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Truth<'a> {
    /// Whether it is the event.
    Events(&'a [bool]),
    /// A class of so many.
    Classes(&'a [u32], usize),
    /// A number.
    Numbers(&'a [f64]),
}

/// One row: its value, and how much of which channel of the truth it brings. Classes are channels, and a row brings its
/// weight; a number is one channel, and a row brings its weight times the number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) x: f64,
    pub(super) channel: u32,
    pub(super) amount: f64,
    pub(super) weight: f64,
}

/// The rows of a column that count and have a finite value, ascending.
#[derive(Debug, Clone)]
pub(super) struct Sorted {
    pub(super) rows: Vec<Row>,
    pub(super) channels: usize,
}

/// How well the rows on one side of a cut agree: the sum over channels of a part of each channel's total, made a score.
pub(super) trait Agreement {
    fn part(total: f64) -> f64;
    fn score(parts: f64, weight: f64) -> f64;
}

/// Gini for classes, variance for numbers: what a score gains is by how much the sum of squares around the mean falls.
pub(super) struct Squares;

impl Agreement for Squares {
    #[inline]
    fn part(total: f64) -> f64 {
        total * total
    }

    #[inline]
    fn score(parts: f64, weight: f64) -> f64 {
        parts / weight
    }
}

/// Entropy of classes, in nats times weight and with the sign turned.
pub(super) struct Entropy;

impl Agreement for Entropy {
    #[inline]
    fn part(total: f64) -> f64 {
        if total > 0.0 { total * total.ln() } else { 0.0 }
    }

    #[inline]
    fn score(parts: f64, weight: f64) -> f64 {
        parts - Self::part(weight)
    }
}

/// A place to cut: before this row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    pub(super) row: usize,
    pub(super) gain: f64,
}

impl Sorted {
    pub(super) fn of(training: &Training<'_>, truth: Truth<'_>) -> Result<Self> {
        let values = training.column.as_numbers()?;
        // Sums of squares of standard scores neither overflow nor vanish.
        let (mean, scale) = match truth {
            Truth::Numbers(numbers) => mean_and_scale(numbers, training.weights).unwrap_or((0.0, 1.0)),
            Truth::Events(_) | Truth::Classes(..) => (0.0, 1.0),
        };
        let row = |(row, weight): (usize, f64)| {
            let x = values[row] + 0.0;
            match truth {
                Truth::Events(events) => Row { x, channel: u32::from(events[row]), amount: weight, weight },
                Truth::Classes(codes, _) => Row { x, channel: codes[row], amount: weight, weight },
                Truth::Numbers(numbers) => {
                    Row { x, channel: 0, amount: weight * ((numbers[row] - mean) / scale), weight }
                }
            }
        };
        let mut rows: Vec<Row> = training.rows().filter(|&(row, _)| values[row].is_finite()).map(row).collect();
        // Ties in an order of their own: the order of the rows decides nothing.
        rows.sort_unstable_by(|a, b| {
            let by_value = a.x.total_cmp(&b.x).then(a.channel.cmp(&b.channel));
            by_value.then(a.amount.total_cmp(&b.amount)).then(a.weight.total_cmp(&b.weight))
        });
        let channels = match truth {
            Truth::Events(_) => 2,
            Truth::Classes(_, classes) => classes,
            Truth::Numbers(_) => 1,
        };
        Ok(Self { rows, channels })
    }

    /// The total of each channel in some of the rows.
    pub(super) fn totals(&self, rows: Range<usize>) -> Vec<f64> {
        let mut totals = vec![0.0; self.channels];
        self.rows[rows].iter().for_each(|row| totals[row.channel as usize] += row.amount);
        totals
    }

    pub(super) fn weight(&self, rows: Range<usize>) -> f64 {
        self.rows[rows].iter().map(|row| row.weight).sum()
    }

    /// The best place to cut some of the rows, with at least a weight of `least` on each side; of equally good ones the
    /// first.
    pub(super) fn best_cut<A: Agreement>(&self, rows: Range<usize>, least: f64) -> Option<Cut> {
        let totals = self.totals(rows.clone());
        let weight = self.weight(rows.clone());
        let mut right_parts: f64 = totals.iter().map(|&total| A::part(total)).sum();
        let whole = A::score(right_parts, weight);
        let mut left = vec![0.0; self.channels];
        let (mut left_parts, mut left_weight) = (0.0, 0.0);
        let mut best: Option<Cut> = None;
        for row in rows.start..rows.end.saturating_sub(1) {
            let Row { x, channel, amount, weight: own } = self.rows[row];
            let (total, before) = (totals[channel as usize], left[channel as usize]);
            let after = before + amount;
            left[channel as usize] = after;
            left_parts += A::part(after) - A::part(before);
            right_parts += A::part(total - after) - A::part(total - before);
            left_weight += own;
            let right_weight = weight - left_weight;
            if x == self.rows[row + 1].x || left_weight < least || right_weight < least || right_weight <= 0.0 {
                continue;
            }
            let gain = A::score(left_parts, left_weight) + A::score(right_parts, right_weight) - whole;
            if best.is_none_or(|best| gain > best.gain + ROUNDING * weight) {
                best = Some(Cut { row: row + 1, gain });
            }
        }
        best
    }

    /// The edge at a cut: half-way between its neighbours.
    pub(super) fn edge(&self, cut: Cut) -> f64 {
        let (below, above) = (self.rows[cut.row - 1].x, self.rows[cut.row].x);
        let middle = 0.5 * below + 0.5 * above;
        // Between neighbouring floats there is no middle.
        if below < middle && middle <= above { middle } else { above }
    }
}
