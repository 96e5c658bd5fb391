//! Growing a tree: the threads split nodes, and the tree takes the splits in their order.
//!
//! What splitting a node gives depends on the node alone, so nodes that will most likely come next are split before it is
//! their turn: most nodes are too small to be worth sharing. A thread that is free goes on with a node whose rows it sent
//! there itself, because they lie in its cache. The tree takes the splits in their order (`queue`), and is the same on any
//! number of threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::Scope;
use stagewise_numeric::random::Stream;

use super::Growth;
use super::entry::{Entry, Scale};
use super::histogram::Counter;
use super::node::Splitter;
use super::queue::Queue;
use super::search::Split;
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

/// Grows a tree on `entries`; what is in `scratch` does not matter.
pub(crate) fn grow(ground: Ground<'_>, mut entries: Vec<Entry>, scratch: &mut Vec<Entry>, scale: Scale) -> Grown {
    let splitter = Splitter::new(ground, scale);
    scratch.resize(entries.len(), Entry::default());
    let root = splitter.root(&mut entries, scratch, ground.growth.max_leaves > 1);
    let queue = Mutex::new(Queue::new(root, &splitter, ground.growth));
    rayon::scope(|scope| work(scope, &splitter, &queue));
    let (nodes, leaves, torn) = queue.into_inner().unwrap_or_else(PoisonError::into_inner).finish(&splitter);
    for rows in torn {
        // Two ascending runs: a stable sort merges them.
        entries[rows].sort_by_key(|entry| entry.row);
    }
    Grown { nodes, leaves, entries, scale }
}

/// Splits one node, and leaves the next for whoever is free first: a thread that waits for a share of another node must
/// not be kept by a chain of them.
fn work<'s, 'e>(scope: &Scope<'s>, splitter: &'s Splitter<'s>, queue: &'s Mutex<Queue<'e>>)
where
    'e: 's,
{
    let (taken, help) = lock(queue).take(rayon::current_thread_index());
    let Some((mut next, search)) = taken else { return };
    if help {
        scope.spawn(move |scope| work(scope, splitter, queue));
    }
    splitter.split(&mut next.open, search);
    lock(queue).put(next, splitter);
    scope.spawn(move |scope| work(scope, splitter, queue));
}

fn lock<'q, 'e>(queue: &'q Mutex<Queue<'e>>) -> MutexGuard<'q, Queue<'e>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}
