//! The best cut of a column of numbers.
//!
//! The bins are scanned from the smallest up, missing values once on the right and, where there are any, once on the
//! left; the cut behind the last bin sends missing values alone to the right.

use super::search::{Candidate, Left, Node};

/// The best cut found so far.
#[derive(Clone, Copy)]
struct Found {
    at: usize,
    left: [f64; 2],
    missing_left: bool,
    score: f64,
}

/// Where to scan, and what is on the left before.
struct Range {
    start: [f64; 2],
    from: usize,
    to: usize,
    missing_left: bool,
}

/// The best cut; `values` are the bins, `missing` the sums of missing values.
pub(super) fn best(node: &Node<'_>, feature: usize, values: &[[f64; 2]], missing: [f64; 2]) -> Option<Candidate> {
    let bins = values.len();
    let direction = node.growth.monotone.get(feature).copied().unwrap_or(0);
    let some_missing = missing != [0.0; 2];
    let (from, to) = match node.random {
        Some(word) => random_cut(values, word ^ feature as u64).map(|cut| (cut, cut + 1))?,
        None => (0, if some_missing { bins } else { bins - 1 }),
    };
    let scan = |range: Range, found: Option<Found>| {
        if node.score.simple && direction == 0 {
            scan_simple(node, values, range, found)
        } else {
            scan_any(node, values, range, direction, found)
        }
    };
    let mut found = scan(Range { start: [0.0; 2], from, to, missing_left: false }, None);
    if some_missing {
        found = scan(Range { start: missing, from, to: to.min(bins - 1), missing_left: true }, found);
    }
    let Found { at, left, missing_left, score } = found?;
    // Nothing was missing in training: what is missing later goes with the larger part.
    let missing_left = if some_missing { missing_left } else { left[1] >= node.sums[1] - left[1] };
    let gain = node.gain(score, &node.score)?;
    Some(Candidate { feature, left: Left::UpTo(at), missing_left, gain, sums: left, extra_l2: 0.0 })
}

fn start(values: &[[f64; 2]], range: &Range) -> [f64; 2] {
    values[..range.from].iter().fold(range.start, |[g, h], cell| [g + cell[0], h + cell[1]])
}

/// Scans where nothing binds the answers: `G²/(H + l2)` of both sides, compared without dividing.
fn scan_simple(node: &Node<'_>, values: &[[f64; 2]], range: Range, found: Option<Found>) -> Option<Found> {
    let (least, l2, [gradient, hessian]) = (node.least(), node.score.l2(), node.sums);
    let [mut g, mut h] = start(values, &range);
    let (mut above, mut below) = found.map_or((-1.0, 1.0), |found| (found.score, 1.0));
    let mut best = None;
    for (at, cell) in values[..range.to].iter().enumerate().skip(range.from) {
        (g, h) = (g + cell[0], h + cell[1]);
        let (other_g, other_h) = (gradient - g, hessian - h);
        if h < least {
            continue;
        }
        if other_h < least {
            break;
        }
        let (p, q) = (h + l2, other_h + l2);
        let (num, den) = (g * g * q + other_g * other_g * p, p * q);
        if num * below > above * den {
            (above, below) = (num, den);
            best = Some((at, [g, h]));
        }
    }
    match best {
        None => found,
        Some((at, left)) => Some(Found { at, left, missing_left: range.missing_left, score: above / below }),
    }
}

/// Scans under penalties, bounds and monotone directions.
fn scan_any(
    node: &Node<'_>,
    values: &[[f64; 2]],
    range: Range,
    direction: i8,
    mut found: Option<Found>,
) -> Option<Found> {
    let least = node.least();
    let mut left = start(values, &range);
    for (at, cell) in values[..range.to].iter().enumerate().skip(range.from) {
        left = [left[0] + cell[0], left[1] + cell[1]];
        if left[1] < least {
            continue;
        }
        let right = [node.sums[0] - left[0], node.sums[1] - left[1]];
        if right[1] < least {
            break;
        }
        let score = node.score.two(left, right);
        if found.is_none_or(|found| score > found.score) && node.score.in_order(left, right, direction) {
            found = Some(Found { score, at, missing_left: range.missing_left, left });
        }
    }
    found
}

/// A cut drawn evenly from those between the smallest and the largest bin that have rows.
fn random_cut(values: &[[f64; 2]], word: u64) -> Option<usize> {
    let first = values.iter().position(|cell| *cell != [0.0; 2])?;
    let last = values.iter().rposition(|cell| *cell != [0.0; 2])?;
    let mixed = word.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (first < last).then(|| first + ((u128::from(mixed) * (last - first) as u128) >> 64) as usize)
}
