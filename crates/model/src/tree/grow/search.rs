//! The best split of a node, found on its histogram.
//!
//! A column of numbers is scanned from its smallest bin up, missing values once on the right and, where there are any,
//! once on the left. A category is tried level against the rest while it has few levels; else its levels are put in the
//! order of their mean gradient and split at the best place of that order, from either end (Fisher 1958). Equal gains go
//! to the first column and the first bin.

use super::entry::Scale;
use super::histogram::Layout;
use super::score::Score;
use super::{Growth, LevelRules};
use crate::tree::bins::{Bins, ColumnBins};

/// Weights are sums of rounded hessians, so `20` may come as `19.999…`.
const NEARLY: f64 = 1.0 - 1e-9;

fn reaches(weight: f64, least: f64) -> bool {
    weight >= least * NEARLY
}

/// A split, in codes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Split {
    pub(crate) feature: usize,
    /// Which codes go left; of a number those up to a bin.
    pub(crate) left: Box<[bool; 256]>,
    /// The last bin of a number that goes left.
    pub(crate) last_bin: usize,
    /// Whether missing values go left.
    pub(crate) missing_left: bool,
    /// What it takes off the loss, twice, in units of the data.
    pub(crate) gain: f64,
    /// The sums of the rows that go left, in steps.
    pub(crate) sums: [f64; 2],
    /// What the gain supposes to be added to `l2` in the answers of both sides.
    pub(crate) extra_l2: f64,
}

/// What a search needs to know about the node.
pub(crate) struct Node<'a> {
    /// The sums of all its rows, in steps.
    pub(crate) sums: [f64; 2],
    /// The sum of its weights over that of its hessians, in steps.
    pub(crate) weight_per_step: f64,
    pub(crate) scale: Scale,
    pub(crate) score: Score,
    pub(crate) growth: &'a Growth,
    /// Draws the cut of each column at random, where the learner wants that.
    pub(crate) random: Option<u64>,
}

/// The best split found so far, not yet written out.
#[derive(Debug, Clone, Copy)]
struct Found {
    score: f64,
    at: usize,
    missing_left: bool,
    sums: [f64; 2],
}

/// The best split of one column; `cells` are its bins, then missing values.
pub(crate) fn best(node: &Node<'_>, bins: &Bins, feature: usize, cells: &[[f64; 2]]) -> Option<Split> {
    let (values, missing) = cells.split_at(cells.len() - 1);
    let missing = missing[0];
    match &bins.columns()[feature] {
        ColumnBins::Number { .. } => number(node, feature, values, missing),
        ColumnBins::Category { .. } => levels(node, feature, values, missing),
    }
}

/// The best split of all `columns`.
pub(crate) fn best_of(
    node: &Node<'_>,
    bins: &Bins,
    layout: &Layout,
    cells: &[[f64; 2]],
    columns: &[usize],
) -> Option<Split> {
    use rayon::prelude::*;
    /// Columns of one parallel task.
    const COLUMNS: usize = 64;
    let of = |some: &[usize]| {
        some.iter()
            .fold(None, |found, &feature| better(found, best(node, bins, feature, &cells[layout.column(feature)])))
    };
    if columns.len() <= COLUMNS {
        return of(columns);
    }
    let found: Vec<Option<Split>> = columns.par_chunks(COLUMNS).map(of).collect();
    found.into_iter().fold(None, better)
}

/// The better of two; of equals the first.
pub(crate) fn better(first: Option<Split>, second: Option<Split>) -> Option<Split> {
    match (&first, &second) {
        (Some(a), Some(b)) if b.gain > a.gain => second,
        (None, _) => second,
        _ => first,
    }
}

impl Node<'_> {
    /// Whether both sides are large enough.
    #[inline]
    fn allows(&self, left: [f64; 2], right: [f64; 2]) -> bool {
        let least = self.least();
        left[1] >= least && right[1] >= least
    }

    /// The least hessian of a child, in steps.
    #[inline]
    fn least(&self) -> f64 {
        let by_hessian = self.growth.min_hessian / self.scale.hessian;
        let by_rows = self.growth.min_weight * NEARLY / self.weight_per_step;
        by_hessian.max(by_rows).max(1.0)
    }

    /// The split at what was found, if it gains enough over the node as it is.
    fn split(
        &self,
        feature: usize,
        found: Option<Found>,
        score: &Score,
        left: impl Fn(usize) -> bool,
    ) -> Option<Split> {
        let found = found?;
        let gain = score.worth(found.score - score.one(self.sums));
        if gain.is_nan() || gain <= self.growth.min_gain {
            return None;
        }
        let mut goes = Box::new([false; 256]);
        goes.iter_mut().enumerate().for_each(|(code, goes)| *goes = left(code));
        let Found { at, missing_left, sums, .. } = found;
        Some(Split { feature, left: goes, last_bin: at, missing_left, gain, sums, extra_l2: 0.0 })
    }
}

fn number(node: &Node<'_>, feature: usize, values: &[[f64; 2]], missing: [f64; 2]) -> Option<Split> {
    let bins = values.len();
    let direction = node.growth.monotone.get(feature).copied().unwrap_or(0);
    let some_missing = missing != [0.0; 2];
    let (from, to) = if let Some(word) = node.random {
        let cut = random_cut(values, word ^ feature as u64)?;
        (cut, cut + 1)
    } else {
        (0, if some_missing { bins } else { bins - 1 })
    };
    let scan = |found: Option<Found>, missing_left: bool, to: usize| {
        let start = if missing_left { missing } else { [0.0; 2] };
        if node.score.plain && direction == 0 {
            scan::<true>(node, values, start, from, to, direction, missing_left, found)
        } else {
            scan::<false>(node, values, start, from, to, direction, missing_left, found)
        }
    };
    let mut found = scan(None, false, to);
    if some_missing {
        found = scan(found, true, to.min(bins - 1));
    } else if let Some(found) = &mut found {
        // Nothing was missing in training: what is missing later goes with the larger part.
        found.missing_left = found.sums[1] >= node.sums[1] - found.sums[1];
    }
    let (at, missing_left) = found.map(|f| (f.at, f.missing_left))?;
    node.split(feature, found, &node.score, |code| if code == bins { missing_left } else { code <= at })
}

/// Scans the cuts behind the bins `from..to`, starting with `left` on the left.
#[inline]
#[allow(clippy::too_many_arguments)]
fn scan<const PLAIN: bool>(
    node: &Node<'_>,
    values: &[[f64; 2]],
    mut left: [f64; 2],
    from: usize,
    to: usize,
    direction: i8,
    missing_left: bool,
    mut found: Option<Found>,
) -> Option<Found> {
    let least = node.least();
    let total = node.sums;
    let mut best = found.map_or(f64::NEG_INFINITY, |found| found.score);
    for cell in &values[..from] {
        left = [left[0] + cell[0], left[1] + cell[1]];
    }
    for (at, cell) in values[..to].iter().enumerate().skip(from) {
        left = [left[0] + cell[0], left[1] + cell[1]];
        if left[1] < least {
            continue;
        }
        let right = [total[0] - left[0], total[1] - left[1]];
        if right[1] < least {
            break;
        }
        let score = node.score.two(left, right);
        if score > best && (PLAIN || node.score.in_order(left, right, direction)) {
            best = score;
            found = Some(Found { score, at, missing_left, sums: left });
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

fn levels(node: &Node<'_>, feature: usize, values: &[[f64; 2]], missing: [f64; 2]) -> Option<Split> {
    let LevelRules { one_against_rest, smoothing, l2, max_left, min_weight } = node.growth.levels;
    let bins = values.len();
    let some_missing = missing != [0.0; 2];
    // Missing values are one more level, whose code is the number of bins.
    let cell = |code: usize| if code == bins { missing } else { values[code] };
    let present: Vec<usize> = (0..=bins).filter(|&code| cell(code) != [0.0; 2]).collect();
    let single = bins <= one_against_rest;
    let score = if single { node.score } else { node.score.more_l2(l2, node.scale) };
    let mut found: Option<Found> = None;
    let mut order = present;
    let mut reversed = false;
    let mut consider = |found: &mut Option<Found>, at: usize, left: [f64; 2], backwards: bool| {
        let right = [node.sums[0] - left[0], node.sums[1] - left[1]];
        if node.allows(left, right) {
            let worth = score.two(left, right);
            if found.is_none_or(|found| worth > found.score) {
                *found = Some(Found { score: worth, at, missing_left: false, sums: left });
                reversed = backwards;
            }
        }
    };
    if single {
        order.iter().enumerate().for_each(|(at, &code)| consider(&mut found, at, cell(code), false));
        let chosen = found.map(|found| order[found.at]);
        let missing_left =
            goes_left_when_missing(node, found.as_ref(), some_missing, |code| Some(code) == chosen, bins);
        let found = found.map(|found| Found { missing_left, ..found });
        return node.split(
            feature,
            found,
            &score,
            |code| {
                if code == bins { missing_left } else { Some(code) == chosen }
            },
        );
    }
    let weight = |code: usize| cell(code)[1] * node.weight_per_step;
    order.retain(|&code| reaches(weight(code), smoothing));
    let smoothing_steps = smoothing / node.scale.hessian;
    let mean = |code: usize| cell(code)[0] / (cell(code)[1] + smoothing_steps);
    order.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)));
    for backwards in [false, true] {
        let (mut left, mut group) = ([0.0; 2], 0.0);
        let most = max_left.min(order.len().div_ceil(2));
        for at in 0..most {
            let code = order[if backwards { order.len() - 1 - at } else { at }];
            left = [left[0] + cell(code)[0], left[1] + cell(code)[1]];
            group += weight(code);
            let rest = (node.sums[1] - left[1]) * node.weight_per_step;
            if !reaches(rest, min_weight) {
                break;
            }
            if reaches(group, min_weight) {
                group = 0.0;
                consider(&mut found, at, left, backwards);
            }
        }
    }
    let at = found?.at;
    let chosen: Vec<usize> =
        if reversed { order.iter().rev().take(at + 1).copied().collect() } else { order[..=at].to_vec() };
    let missing_left = goes_left_when_missing(node, found.as_ref(), some_missing, |code| chosen.contains(&code), bins);
    let found = found.map(|found| Found { missing_left, ..found });
    let split =
        node.split(feature, found, &score, |code| if code == bins { missing_left } else { chosen.contains(&code) });
    split.map(|split| Split { extra_l2: l2, ..split })
}

/// Where missing values go: with the levels they were put to, or if there were none, with the larger part.
fn goes_left_when_missing(
    node: &Node<'_>,
    found: Option<&Found>,
    some_missing: bool,
    chosen: impl Fn(usize) -> bool,
    bins: usize,
) -> bool {
    if some_missing { chosen(bins) } else { found.is_some_and(|f| f.sums[1] >= node.sums[1] - f.sums[1]) }
}
