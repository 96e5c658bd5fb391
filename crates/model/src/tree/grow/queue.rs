//! Which node is split next, until no split gains, or there are as many leaves as may be.
//!
//! A node waits, is away with a thread, or is ready: split, but not yet in the tree. It comes into the tree when it has the
//! highest rank of all.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::grower::{GrownLeaf, GrownNode};
use super::node::{Open, Splitter};
use super::{Growth, Order};

/// How many nodes a thread looks at for one whose rows are in its cache.
const LOOK: usize = 8;

/// The nodes that may yet be split, and the tree so far.
pub(super) struct Queue<'e> {
    order: Order,
    splits_left: usize,
    /// How many threads are at work.
    busy: usize,
    waiting: BinaryHeap<Next<'e>>,
    away: Vec<Rank>,
    ready: BinaryHeap<Next<'e>>,
    nodes: Vec<GrownNode>,
    leaves: Vec<GrownLeaf>,
}

/// A node with its rank.
pub(super) struct Next<'e> {
    rank: Rank,
    pub(super) open: Open<'e>,
}

/// The highest first, of equals the one that was made first.
#[derive(Clone, Copy)]
struct Rank {
    value: f64,
    node: usize,
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.total_cmp(&other.value).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rank {}

impl Ord for Next<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl PartialOrd for Next<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next<'_> {}

impl<'e> Queue<'e> {
    pub(super) fn new(root: Open<'e>, splitter: &Splitter<'_>, growth: &Growth) -> Self {
        let mut queue = Self {
            order: growth.order,
            splits_left: growth.max_leaves.saturating_sub(1),
            busy: 1,
            waiting: BinaryHeap::new(),
            away: Vec::new(),
            ready: BinaryHeap::new(),
            nodes: vec![GrownNode::Leaf(0)],
            leaves: Vec::new(),
        };
        queue.settle(root, splitter);
        queue
    }

    /// The node that a thread splits next, and whether its children need splits of their own; and whether there is work
    /// for one thread more. Without a node the thread is no longer counted.
    pub(super) fn take(&mut self, thread: Option<usize>) -> (Option<(Next<'e>, bool)>, bool) {
        let Some(next) = self.choose(thread) else {
            self.busy -= 1;
            return (None, false);
        };
        // So many are split before it at least; after the last split nothing is searched.
        let search = self.before(next.rank) + 1 < self.splits_left;
        self.away.push(next.rank);
        let help = self.busy < rayon::current_num_threads() && !self.waiting.is_empty();
        self.busy += usize::from(help);
        (Some((next, search)), help)
    }

    /// Takes a node back that was split, and into the tree what has its turn.
    pub(super) fn put(&mut self, next: Next<'e>, splitter: &Splitter<'_>) {
        self.away.retain(|rank| *rank != next.rank);
        self.ready.push(next);
        while self.splits_left > 0
            && let Some(first) = self.ready.peek().map(|next| next.rank)
            && self.waiting.peek().is_none_or(|other| other.rank < first)
            && self.away.iter().all(|other| *other < first)
            && let Some(Next { open, .. }) = self.ready.pop()
            && let (Some(split), Some(mut children)) = (open.split, open.children)
        {
            self.splits_left -= 1;
            let at = self.nodes.len();
            self.nodes.extend([GrownNode::Leaf(0), GrownNode::Leaf(0)]);
            self.nodes[open.node] = GrownNode::Split(split, at);
            (children[0].node, children[1].node) = (at, at + 1);
            for child in *children {
                self.settle(child, splitter);
            }
        }
    }

    /// The tree, when no thread is at work: nodes, leaves, and the leaves whose rows a split that was not taken has already
    /// sent left and right.
    pub(super) fn finish(mut self, splitter: &Splitter<'_>) -> (Vec<GrownNode>, Vec<GrownLeaf>, Vec<Range<usize>>) {
        let mut rest: Vec<_> = self.waiting.drain().chain(self.ready.drain()).collect();
        rest.sort_unstable_by(|a, b| b.cmp(a));
        let mut torn = Vec::new();
        for Next { mut open, .. } in rest {
            for child in open.children.take().into_iter().flat_map(|children| *children) {
                torn.push(child.rows.clone());
                splitter.close(child);
            }
            self.leaf(open, splitter);
        }
        // Each came as its two halves.
        let torn = torn.chunks(2).map(|halves| halves[0].start..halves[halves.len() - 1].end).collect();
        (self.nodes, self.leaves, torn)
    }

    /// The first node whose rows are in the cache of the thread, among those that will most likely be split; else the first.
    fn choose(&mut self, thread: Option<usize>) -> Option<Next<'e>> {
        let (mut passed, mut chosen) = (Vec::new(), None);
        while passed.len() < LOOK
            && let Some(next) = self.waiting.pop()
        {
            let place = self.before(next.rank) + passed.len();
            let likely = place < if passed.is_empty() { self.splits_left } else { self.splits_left / 2 };
            if likely && next.open.thread.is_none_or(|own| Some(own) == thread) {
                chosen = Some(next);
                break;
            }
            passed.push(next);
            if !likely {
                break;
            }
        }
        if chosen.is_none() && passed.first().is_some_and(|next| self.before(next.rank) < self.splits_left) {
            chosen = Some(passed.swap_remove(0));
        }
        self.waiting.extend(passed);
        chosen
    }

    /// How many nodes that are away or ready come before one of this rank.
    fn before(&self, rank: Rank) -> usize {
        let ready = self.ready.iter().filter(|next| next.rank > rank).count();
        ready + self.away.iter().filter(|other| **other > rank).count()
    }

    fn settle(&mut self, open: Open<'e>, splitter: &Splitter<'_>) {
        let Some(split) = &open.split else { return self.leaf(open, splitter) };
        let value = match self.order {
            Order::Best => split.gain,
            Order::Level => -(open.depth as f64),
        };
        self.waiting.push(Next { rank: Rank { value, node: open.node }, open });
    }

    fn leaf(&mut self, open: Open<'e>, splitter: &Splitter<'_>) {
        self.nodes[open.node] = GrownNode::Leaf(self.leaves.len());
        let (rows, bounds, parent, extra_l2) = (open.rows.clone(), open.bounds, open.parent, open.extra_l2);
        self.leaves.push(GrownLeaf { rows, bounds, parent, extra_l2 });
        splitter.close(open);
    }
}
