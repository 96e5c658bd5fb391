//! Events and others in the order of their answers: what ROC AUC and every curve walk over.
//!
//! Events and others are sorted apart and then merged, which needs no label beside each key. Rows that already come
//! in order, as the resamples of a bootstrap do, are recognised and walked over as they are. Equal answers form one
//! group, whose weights are added exactly, so neither the order of tied rows nor the way changes a bit.

use rayon::slice::ParallelSliceMut;
use stagewise_numeric::key::{key_value, order_key};
use stagewise_numeric::sum::exact_sum_by;

/// Rows with the same answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Group {
    key: u64,
    /// The weight of the events.
    pub(crate) events: f64,
    /// The weight of the others.
    pub(crate) others: f64,
}

impl Group {
    /// The answer that these rows share.
    pub(crate) fn answer(&self) -> f64 {
        key_value(self.key)
    }
}

/// Visits the groups by ascending answer. The answers are finite; rows of weight 0 are left out. `O(n log n)`, `O(n)`
/// for rows in order.
pub(crate) fn ascending(events: &[bool], answers: &[f64], weights: Option<&[f64]>, visit: impl FnMut(Group)) {
    if answers.is_sorted() {
        return walk(events, answers, weights, visit);
    }
    match weights {
        None => {
            let of = |event| {
                let side = events.iter().zip(answers).filter(|(e, _)| **e == event);
                side.map(|(_, answer)| order_key(*answer)).collect::<Vec<u64>>()
            };
            merge(sorted(of(true)), sorted(of(false)), visit);
        }
        Some(weights) => {
            let of = |event| {
                let side = events.iter().zip(answers).zip(weights).filter(|((e, _), w)| **e == event && **w > 0.0);
                side.map(|((_, answer), w)| (order_key(*answer), *w)).collect::<Vec<(u64, f64)>>()
            };
            merge(sorted(of(true)), sorted(of(false)), visit);
        }
    }
}

/// Visits the groups of rows in order.
fn walk(events: &[bool], answers: &[f64], weights: Option<&[f64]>, mut visit: impl FnMut(Group)) {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let mut start = 0;
    while start < answers.len() {
        let mut end = start + 1;
        while end < answers.len() && answers[end] == answers[start] {
            end += 1;
        }
        let side = |event: bool| match end - start {
            // At most two numbers: their plain sum is exact but for its one rounding.
            1 | 2 => (start..end).fold(0.0, |sum, row| sum + f64::from(u8::from(events[row] == event)) * weight(row)),
            rows => exact_sum_by(rows, |i| f64::from(u8::from(events[start + i] == event)) * weight(start + i)),
        };
        let group = Group { key: order_key(answers[start]), events: side(true), others: side(false) };
        if group.events > 0.0 || group.others > 0.0 {
            visit(group);
        }
        start = end;
    }
}

/// A row as it is sorted: with its weight only where rows have one.
trait Keyed: Copy + Send {
    fn key(&self) -> u64;
    fn weight(rows: &[Self]) -> f64;
}

impl Keyed for u64 {
    fn key(&self) -> u64 {
        *self
    }

    fn weight(rows: &[Self]) -> f64 {
        rows.len() as f64
    }
}

impl Keyed for (u64, f64) {
    fn key(&self) -> u64 {
        self.0
    }

    fn weight(rows: &[Self]) -> f64 {
        match rows {
            [] => 0.0,
            [row] => row.1,
            [first, second] => first.1 + second.1,
            many => exact_sum_by(many.len(), |i| many[i].1),
        }
    }
}

fn sorted<K: Keyed>(mut side: Vec<K>) -> Vec<K> {
    /// From here on the parallel sort pays for its start.
    const PARALLEL: usize = 1 << 16;
    if !side.is_sorted_by_key(Keyed::key) {
        if side.len() < PARALLEL {
            side.sort_unstable_by_key(Keyed::key);
        } else {
            side.par_sort_unstable_by_key(Keyed::key);
        }
    }
    side
}

fn merge<K: Keyed>(events: Vec<K>, others: Vec<K>, mut visit: impl FnMut(Group)) {
    let (mut events, mut others) = (events.as_slice(), others.as_slice());
    loop {
        let key = match (events.first(), others.first()) {
            (None, None) => return,
            (Some(row), None) | (None, Some(row)) => row.key(),
            (Some(event), Some(other)) => event.key().min(other.key()),
        };
        let (event_rows, other_rows) = (take(&mut events, key), take(&mut others, key));
        visit(Group { key, events: K::weight(event_rows), others: K::weight(other_rows) });
    }
}

/// Cuts the leading rows of this key off.
fn take<'a, K: Keyed>(side: &mut &'a [K], key: u64) -> &'a [K] {
    let end = side.iter().position(|row| row.key() != key).unwrap_or(side.len());
    let (rows, rest) = side.split_at(end);
    *side = rest;
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_are_one_group_and_rows_without_weight_none() {
        let events = [true, false, true, false, true];
        let answers = [0.5, 0.2, -0.0, 0.0, 0.5];
        let mut groups = Vec::new();
        ascending(&events, &answers, None, |g| groups.push((g.answer(), g.events, g.others)));
        assert_eq!(groups, [(0.0, 1.0, 1.0), (0.2, 0.0, 1.0), (0.5, 2.0, 0.0)]);
        groups.clear();
        let weights = [0.25, 0.0, 1.0, 2.0, 0.5];
        ascending(&events, &answers, Some(&weights), |g| groups.push((g.answer(), g.events, g.others)));
        assert_eq!(groups, [(0.0, 1.0, 2.0), (0.5, 0.75, 0.0)]);
    }

    proptest! {
        #[test]
        fn both_ways_give_the_same_groups(
            mut rows in prop::collection::vec((any::<bool>(), 0u8..12, 0.0f64..2.0, any::<bool>()), 1..60),
        ) {
            rows.sort_by_key(|row| row.1);
            let groups = |rows: &[(bool, u8, f64, bool)], weighted: bool| {
                let events: Vec<bool> = rows.iter().map(|r| r.0).collect();
                let answers: Vec<f64> = rows.iter().map(|r| f64::from(r.1)).collect();
                let weights: Vec<f64> = rows.iter().map(|r| if r.3 { r.2 } else { 0.0 }).collect();
                let mut groups = Vec::new();
                ascending(&events, &answers, weighted.then_some(weights.as_slice()), |group| groups.push(group));
                groups
            };
            let turned: Vec<_> = rows.iter().rev().copied().collect();
            for weighted in [false, true] {
                prop_assert_eq!(groups(&rows, weighted), groups(&turned, weighted));
            }
        }
    }
}
