//! Which node is split next, and the tree that comes of it.
//!
//! Without a limit on leaves the last node made is split first, while its rows are in the cache; with one, that whose
//! split gains most. All random choices of a tree come from one stream in this order, by one thread.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use stagewise_numeric::random::Stream;

use super::Rules;
use super::search::{Found, Node, Rule, least};
use super::tally::{PASS, Tally, has};
use super::truth::{Entry, Truth};
use crate::tree::bins::{Bins, Codes, ColumnBins};
use crate::tree::structure::Tree;

/// What trees are grown on.
pub(super) struct Ground<'a, T> {
    pub(super) bins: &'a Bins,
    pub(super) codes: &'a Codes,
    pub(super) truth: &'a T,
    pub(super) weights: Option<&'a [f64]>,
    pub(super) rules: Rules,
}

impl<T> Clone for Ground<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ground<'_, T> {}

/// A node that will be split, unless there are leaves enough before its turn.
struct Open<S> {
    rank: f64,
    made: usize,
    rows: std::ops::Range<usize>,
    depth: usize,
    sums: S,
    found: Found<S>,
    parent: Option<(usize, bool)>,
}

impl<S> Ord for Open<S> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.total_cmp(&other.rank).then(other.made.cmp(&self.made))
    }
}

impl<S> PartialOrd for Open<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<S> PartialEq for Open<S> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<S> Eq for Open<S> {}

/// Grows a tree on `rows`, of which some were drawn more than once: `times` of all rows, or once if absent.
pub(super) fn grow<T: Truth>(ground: Ground<'_, T>, rows: &[u32], times: Option<&[u32]>, stream: Stream) -> Tree {
    let drawn = |row: usize| times.map_or(1.0, |times| f64::from(times[row]));
    let entries: Vec<Entry<T::Part>> =
        rows.iter().map(|&row| Entry { row, part: ground.truth.part(row as usize, drawn(row as usize)) }).collect();
    Grower {
        ground,
        times,
        scratch: entries.clone(),
        entries,
        tally: Tally::new(ground.truth.width()),
        columns: (0..ground.codes.width() as u32).collect(),
        stream,
        tree: Tree::new(),
        open: BinaryHeap::new(),
        made: 0,
        least: least(ground.rules.min_weight, ground.truth.step()),
    }
    .grow()
}

struct Grower<'a, T: Truth> {
    ground: Ground<'a, T>,
    times: Option<&'a [u32]>,
    entries: Vec<Entry<T::Part>>,
    scratch: Vec<Entry<T::Part>>,
    tally: Tally,
    columns: Vec<u32>,
    stream: Stream,
    tree: Tree,
    open: BinaryHeap<Open<T::Sums>>,
    made: usize,
    least: f64,
}

impl<T: Truth> Grower<'_, T> {
    fn grow(mut self) -> Tree {
        let rules = self.ground.rules;
        let mut sums = self.ground.truth.nothing();
        self.entries.iter().for_each(|entry| T::add(entry.part, sums.as_mut()));
        self.settle(0..self.entries.len(), 0, sums, None);
        let mut ends = 1;
        while let Some(Open { rows, depth, sums, found, parent, .. }) = self.open.pop() {
            if rules.max_leaves.is_some_and(|most| ends >= most) {
                self.leaf(rows, parent);
                continue;
            }
            ends += 1;
            let at = self.split(&found, T::weight(sums.as_ref()));
            self.link(parent, at);
            let kept = self.part(rows.clone(), &found);
            let middle = rows.start + kept;
            let mut right = sums;
            right.as_mut().iter_mut().zip(found.left.as_ref()).for_each(|(sum, left)| *sum -= left);
            // The left one is made last: without a limit on leaves it is split first.
            self.settle(middle..rows.end, depth + 1, right, Some((at, false)));
            self.settle(rows.start..middle, depth + 1, found.left, Some((at, true)));
        }
        self.tree
    }

    /// Finds the split of a new node, or makes it a leaf.
    fn settle(&mut self, rows: std::ops::Range<usize>, depth: usize, sums: T::Sums, parent: Option<(usize, bool)>) {
        let weight = T::weight(sums.as_ref());
        let large = depth < self.ground.rules.max_depth && weight >= 2.0 * self.least;
        let splits = large && !self.ground.truth.is_pure(sums.as_ref(), &self.entries[rows.clone()]);
        let found = if splits { self.search(rows.clone(), weight, &sums) } else { None };
        match found {
            None => self.leaf(rows, parent),
            Some(found) => {
                self.made += 1;
                let best_first = self.ground.rules.max_leaves.is_some();
                let rank = if best_first { found.score * weight } else { self.made as f64 };
                self.open.push(Open { rank, made: self.made, rows, depth, sums, found, parent });
            }
        }
    }

    fn search(&mut self, rows: std::ops::Range<usize>, weight: f64, sums: &T::Sums) -> Option<Found<T::Sums>> {
        let Ground { bins, codes, truth, rules, .. } = self.ground;
        let mut means = sums.clone();
        means.as_mut().iter_mut().for_each(|sum| *sum /= weight);
        let node = Node { truth, weight, means, least: self.least };
        let least_score = if rules.gainless { -1.0 } else { T::NOISE };
        let mut best = None;
        let mut looked_at = 0;
        while looked_at < self.columns.len() && (looked_at < rules.columns || best.is_none()) {
            let left = if looked_at < rules.columns { rules.columns } else { self.columns.len() } - looked_at;
            let pass = left.min(PASS).min(self.columns.len() - looked_at);
            if rules.shuffled {
                for at in looked_at..looked_at + pass {
                    let other = at + self.stream.below(self.columns.len() - at);
                    self.columns.swap(at, other);
                }
            }
            let columns = &self.columns[looked_at..looked_at + pass];
            self.tally.count::<T>(codes, columns, &self.entries[rows.clone()]);
            for (place, &feature) in columns.iter().enumerate() {
                let feature = feature as usize;
                let mut word = || self.stream.next_u64();
                let random: super::search::Random<'_> = if rules.random_cuts { Some(&mut word) } else { None };
                let counted = self.tally.column(place);
                node.search(feature, &bins.columns()[feature], counted, random, &mut best, least_score);
            }
            self.tally.clear(pass);
            looked_at += pass;
        }
        best
    }

    /// Sends the rows of a node left or right, each side in the order it had; returns how many went left.
    fn part(&mut self, rows: std::ops::Range<usize>, found: &Found<T::Sums>) -> usize {
        let column = self.ground.codes.column(found.feature);
        let missing = self.ground.bins.columns()[found.feature].bins();
        let mut goes_left = [false; 256];
        for (code, goes_left) in goes_left.iter_mut().enumerate() {
            *goes_left = match &found.rule {
                Rule::UpTo(last, _) => {
                    if code == missing {
                        found.missing_left
                    } else {
                        code <= *last
                    }
                }
                Rule::Among(set) => has(set, code),
            };
        }
        let (mut kept, mut gone) = (0, 0);
        let entries = &mut self.entries[rows.clone()];
        let scratch = &mut self.scratch[rows];
        for i in 0..entries.len() {
            let entry = entries[i];
            let stays = usize::from(goes_left[usize::from(column[entry.row as usize])]);
            entries[kept] = entry;
            scratch[gone] = entry;
            kept += stays;
            gone += 1 - stays;
        }
        entries[kept..].copy_from_slice(&scratch[..gone]);
        kept
    }

    fn split(&mut self, found: &Found<T::Sums>, weight: f64) -> usize {
        let Found { feature, missing_left, .. } = *found;
        let at = match (&found.rule, &self.ground.bins.columns()[feature]) {
            (Rule::Among(set), ColumnBins::Category { bin_of, .. }) => {
                let goes_left = |level: &usize| has(set, usize::from(bin_of[*level]));
                let levels = bin_of.len();
                self.tree.split_levels(feature, (0..levels).filter(goes_left), levels, missing_left)
            }
            (Rule::UpTo(last, next), ColumnBins::Number { cuts }) => {
                let threshold = threshold(cuts, *last, *next);
                self.tree.split(feature, threshold, missing_left)
            }
            // A rule fits its column.
            _ => self.tree.split(feature, f64::INFINITY, missing_left),
        };
        let truth = self.ground.truth;
        let gain = found.score * weight * truth.gain_step();
        self.tree.weigh(at, weight * truth.step(), if gain.is_nan() { 0.0 } else { gain.clamp(0.0, f64::MAX) });
        at
    }

    fn leaf(&mut self, rows: std::ops::Range<usize>, parent: Option<(usize, bool)>) {
        let weights = self.ground.weights;
        let weighed = |entry: &Entry<T::Part>| {
            let row = entry.row as usize;
            let times = self.times.map_or(1.0, |times| f64::from(times[row]));
            (row, times * weights.map_or(1.0, |weights| weights[row]))
        };
        let rows: Vec<(usize, f64)> = self.entries[rows].iter().map(weighed).collect();
        let at = self.tree.leaf(&self.ground.truth.answer(&rows));
        self.tree.weigh(at, rows.iter().map(|(_, weight)| weight).sum(), 0.0);
        self.link(parent, at);
    }

    fn link(&mut self, parent: Option<(usize, bool)>, at: usize) {
        if let Some((parent, left)) = parent {
            self.tree.link(parent, left, at);
        }
    }
}

/// Half-way between the bins on both sides of the gap; behind the last bin nothing but missing values goes right.
fn threshold(cuts: &[f64], last: usize, next: Option<usize>) -> f64 {
    let (Some(&low), Some(next)) = (cuts.get(last), next) else { return f64::INFINITY };
    let high = cuts.get(next - 1).copied().unwrap_or(low);
    let middle = f64::midpoint(low, high);
    if middle >= low && middle <= high { middle } else { low }
}
