//! Which node is split next, until no split gains, or there are as many leaves as may be.
//!
//! What splitting a node gives depends on the node alone, so nodes that will most likely come next are split side by side
//! before it is their turn, one for each thread: most nodes are too small to be worth sharing. The tree takes the splits
//! in their order, and is the same on any number of threads.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use stagewise_numeric::random::Stream;

use super::entry::{Entry, Scale};
use super::histogram::Counter;
use super::node::{Open, Splitter};
use super::search::Split;
use super::{Growth, Order};
use crate::tree::bins::{Bins, Codes};

/// What a tree is grown on.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) bins: &'a Bins,
    pub(crate) codes: &'a Codes,
    pub(crate) counter: &'a Counter<'a>,
    pub(crate) weights: Option<&'a [f64]>,
    pub(crate) growth: &'a Growth,
    /// The columns that this tree may look at.
    pub(crate) columns: &'a [usize],
    /// Random streams of this tree, by purpose.
    pub(crate) stream: &'a (dyn Fn(&str) -> Stream + Sync),
}

/// A tree in codes.
#[derive(Debug)]
pub(crate) struct Grown {
    /// The root first; children behind their parent, side by side.
    pub(crate) nodes: Vec<GrownNode>,
    /// Where the rows of each leaf are in `entries`, ascending by row.
    pub(crate) leaves: Vec<GrownLeaf>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) scale: Scale,
}

#[derive(Debug)]
pub(crate) enum GrownNode {
    /// A split, and the place of its left child; the right one is behind it.
    Split(Split, usize),
    /// A leaf, by its place in the list of leaves.
    Leaf(usize),
}

#[derive(Debug, Clone)]
pub(crate) struct GrownLeaf {
    pub(crate) rows: std::ops::Range<usize>,
    /// What monotone columns above allow it to answer.
    pub(crate) bounds: (f64, f64),
    /// The answer of its parent, for smoothing.
    pub(crate) parent: f64,
    /// Added to `l2` in its answer.
    pub(crate) extra_l2: f64,
}

/// A node in the queue: the highest rank first, of equals the one that was made first.
struct Next {
    rank: f64,
    open: Open,
}

fn rank(open: &Open, order: Order) -> f64 {
    match order {
        Order::Best => open.split.as_ref().map_or(0.0, |split| split.gain),
        Order::Level => -(open.depth as f64),
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.total_cmp(&other.rank).then(other.open.node.cmp(&self.open.node))
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next {}

/// Grows a tree on `entries`; what is in `scratch` does not matter.
pub(crate) fn grow(ground: Ground<'_>, mut entries: Vec<Entry>, scratch: &mut Vec<Entry>, scale: Scale) -> Grown {
    let growth = ground.growth;
    let splitter = Splitter::new(ground, scale);
    scratch.resize(entries.len(), Entry::default());
    let (mut nodes, mut leaves, mut queue) = (vec![GrownNode::Leaf(0)], Vec::new(), BinaryHeap::new());
    let mut settle = |mut open: Open, nodes: &mut [GrownNode], queue: &mut BinaryHeap<Next>| {
        if open.split.is_some() {
            queue.push(Next { rank: rank(&open, growth.order), open });
        } else {
            nodes[open.node] = GrownNode::Leaf(leaves.len());
            splitter.close(&mut open);
            let Open { rows, bounds, parent, extra_l2, .. } = open;
            leaves.push(GrownLeaf { rows, bounds, parent, extra_l2 });
        }
    };
    settle(splitter.root(&entries, growth.max_leaves > 1), &mut nodes, &mut queue);
    let mut splits_left = growth.max_leaves.saturating_sub(1);
    while let Some(Next { mut open, rank }) = queue.pop() {
        if splits_left == 0 {
            if open.children.is_some() {
                // Its rows were already sent left and right.
                // Two ascending runs: a stable sort merges them.
                entries[open.rows.clone()].sort_by_key(|entry| entry.row);
            }
            open.split = None;
            settle(open, &mut nodes, &mut queue);
            continue;
        }
        let Some(mut children) = open.children.take() else {
            queue.push(Next { rank, open });
            split_ahead(&splitter, &mut queue, splits_left, &mut entries, scratch);
            continue;
        };
        let Some(split) = open.split else { continue };
        splits_left -= 1;
        let first = nodes.len();
        nodes.extend([GrownNode::Leaf(0), GrownNode::Leaf(0)]);
        nodes[open.node] = GrownNode::Split(split, first);
        (children[0].node, children[1].node) = (first, first + 1);
        for child in *children {
            settle(child, &mut nodes, &mut queue);
        }
    }
    Grown { nodes, leaves, entries, scale }
}

/// Splits the first nodes of the queue that are not split yet, as many as there are threads and splits left.
fn split_ahead(
    splitter: &Splitter<'_>,
    queue: &mut BinaryHeap<Next>,
    splits_left: usize,
    entries: &mut [Entry],
    scratch: &mut [Entry],
) {
    let most = rayon::current_num_threads().min(splits_left);
    let (mut next, mut ready) = (Vec::with_capacity(most), Vec::new());
    while next.len() < most
        && let Some(first) = queue.pop()
    {
        if first.open.children.is_some() { ready.push(first) } else { next.push(first) }
    }
    // The second of them is split second at the earliest; after the last split nothing is searched.
    let mut next: Vec<(Next, bool)> =
        next.into_iter().enumerate().map(|(place, next)| (next, place + 1 < splits_left)).collect();
    next.sort_unstable_by_key(|(next, _)| next.open.rows.start);
    let (mut entries, mut scratch, mut at) = (entries, scratch, 0);
    let mut tasks = Vec::with_capacity(next.len());
    for (next, search) in &mut next {
        let rows = next.open.rows.clone();
        let [own, own_scratch] = [&mut entries, &mut scratch].map(|all| {
            let (own, rest) = std::mem::take(all).split_at_mut(rows.end - at);
            *all = rest;
            &mut own[rows.start - at..]
        });
        at = rows.end;
        tasks.push((&mut next.open, *search, own, own_scratch));
    }
    let split = |(open, search, entries, scratch): (&mut Open, bool, &mut [Entry], &mut [Entry])| {
        splitter.split(open, search, entries, scratch);
    };
    // The largest first, whichever thread is free.
    tasks.sort_by_key(|(_, _, entries, _)| Reverse(entries.len()));
    if tasks.len() == 1 {
        tasks.into_iter().for_each(split);
    } else {
        rayon::scope(|scope| tasks.into_iter().for_each(|task| scope.spawn(|_| split(task))));
    }
    queue.extend(next.into_iter().map(|(next, _)| next).chain(ready));
}
