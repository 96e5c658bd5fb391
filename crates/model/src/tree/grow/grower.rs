//! Which node is split next, until no split gains, or there are as many leaves as may be.
//!
//! A node keeps its histogram until it is split. Then only the smaller child is counted; that of the larger is the
//! parent's less the smaller's, exactly, because cells are whole numbers. Nothing is counted for a child that will not be
//! split. Where each node draws its own columns, few of them, the columns are counted one by one and nothing is kept.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use stagewise_numeric::random::Stream;

use super::entry::{Entry, Scale, partition, sums};
use super::histogram::{Histogram, Layout, count, count_column, subtract};
use super::score::Score;
use super::search::{Node, Split, best, best_of, better};
use super::{Growth, Order};
use crate::tree::bins::{Bins, Codes};

/// Bytes of histograms that are kept at most; those of further nodes are counted anew.
const KEPT_BYTES: usize = 1 << 29;

/// What a tree is grown on.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) bins: &'a Bins,
    pub(crate) codes: &'a Codes,
    pub(crate) layout: &'a Layout,
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

/// A node that may yet be split.
struct Open {
    node: usize,
    rows: std::ops::Range<usize>,
    depth: usize,
    sums: [f64; 2],
    weight: f64,
    bounds: (f64, f64),
    parent: f64,
    extra_l2: f64,
    /// The columns on the way to it.
    path: Vec<usize>,
    histogram: Option<Histogram>,
    split: Option<Split>,
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

/// Grows a tree on `entries`.
pub(crate) fn grow(ground: Ground<'_>, entries: Vec<Entry>, scale: Scale) -> Grown {
    Grower { ground, scale, scratch: vec![Entry::default(); entries.len()], entries, spare: Vec::new(), kept: 0 }.grow()
}

struct Grower<'a> {
    ground: Ground<'a>,
    scale: Scale,
    entries: Vec<Entry>,
    scratch: Vec<Entry>,
    /// Histograms to be used again.
    spare: Vec<Histogram>,
    /// How many nodes keep a histogram.
    kept: usize,
}

impl Grower<'_> {
    fn grow(mut self) -> Grown {
        let growth = self.ground.growth;
        let rows = 0..self.entries.len();
        let mut nodes = vec![GrownNode::Leaf(0)];
        let free = (f64::NEG_INFINITY, f64::INFINITY);
        let mut root = Open {
            node: 0,
            sums: sums(&self.entries),
            weight: self.weight(&rows),
            rows,
            depth: 0,
            bounds: free,
            parent: 0.0,
            extra_l2: 0.0,
            path: Vec::new(),
            histogram: None,
            split: None,
        };
        root.parent = self.score(&root).answer(root.sums);
        if self.may_be_split(&root) && growth.max_leaves > 1 {
            let mut cells = Vec::new();
            if !self.is_narrow() {
                count(self.ground.codes, self.ground.layout, &self.entries, &mut cells);
            }
            root.split = self.search(&root, &cells);
            self.keep(&mut root, cells);
        }
        let (mut open, mut leaves) = (BinaryHeap::new(), Vec::new());
        let mut settle = |made: Open, nodes: &mut Vec<GrownNode>, open: &mut BinaryHeap<Next>| {
            if made.split.is_some() {
                open.push(Next { rank: rank(&made, growth.order), open: made });
            } else {
                nodes[made.node] = GrownNode::Leaf(leaves.len());
                leaves.push(GrownLeaf {
                    rows: made.rows,
                    bounds: made.bounds,
                    parent: made.parent,
                    extra_l2: made.extra_l2,
                });
            }
        };
        settle(root, &mut nodes, &mut open);
        let mut ends = 1;
        while let Some(Next { open: mut parent, .. }) = open.pop() {
            // After the last split nothing is split any more, whatever it would gain.
            let Some(split) = parent.split.take().filter(|_| ends < growth.max_leaves) else {
                settle(parent, &mut nodes, &mut open);
                continue;
            };
            ends += 1;
            let first = nodes.len();
            nodes.extend([GrownNode::Leaf(0), GrownNode::Leaf(0)]);
            let node = parent.node;
            for child in self.part(parent, &split, first, ends == growth.max_leaves) {
                settle(child, &mut nodes, &mut open);
            }
            nodes[node] = GrownNode::Split(split, first);
        }
        Grown { nodes, leaves, entries: self.entries }
    }

    /// Splits a node: its children, with their own splits unless it was the `last`.
    fn part(&mut self, parent: Open, split: &Split, first: usize, last: bool) -> [Open; 2] {
        let Open { rows, depth, sums, bounds, mut path, histogram, .. } = parent;
        let (from, to) = (rows.start, rows.end);
        let column = self.ground.codes.column(split.feature);
        let kept = partition(&mut self.entries[from..to], &mut self.scratch[from..to], column, &split.left);
        if !path.contains(&split.feature) {
            path.push(split.feature);
        }
        let other = [sums[0] - split.sums[0], sums[1] - split.sums[1]];
        let child = |node: usize, rows: std::ops::Range<usize>, sums| {
            let weight = self.weight(&rows);
            let path = path.clone();
            Open {
                node,
                weight,
                rows,
                depth: depth + 1,
                sums,
                bounds,
                parent: parent.parent,
                extra_l2: split.extra_l2,
                path,
                histogram: None,
                split: None,
            }
        };
        let mut left = child(first, from..from + kept, split.sums);
        let mut right = child(first + 1, from + kept..to, other);
        let answers = [&left, &right].map(|child| self.score(child).answer(child.sums));
        let middle = f64::midpoint(answers[0], answers[1]);
        match self.ground.growth.monotone.get(split.feature) {
            Some(1) => (left.bounds.1, right.bounds.0) = (middle, middle),
            Some(-1) => (left.bounds.0, right.bounds.1) = (middle, middle),
            _ => {}
        }
        (left.parent, right.parent) = (answers[0], answers[1]);
        self.kept -= usize::from(histogram.is_some());
        if last {
            self.spare.extend(histogram);
        } else {
            self.search_both(&mut left, &mut right, histogram);
        }
        [left, right]
    }

    /// Finds the splits of two siblings, from the histogram of their parent if it was kept.
    fn search_both(&mut self, left: &mut Open, right: &mut Open, parent: Option<Histogram>) {
        let wanted = (self.may_be_split(left), self.may_be_split(right));
        if wanted == (false, false) {
            return self.spare.extend(parent);
        }
        let (small, large) = if left.rows.len() <= right.rows.len() { (left, right) } else { (right, left) };
        let (mut small_cells, mut large_cells) = (self.spare.pop().unwrap_or_default(), Vec::new());
        if !self.is_narrow() {
            let Ground { codes, layout, .. } = self.ground;
            count(codes, layout, &self.entries[small.rows.clone()], &mut small_cells);
            if self.may_be_split(large) {
                large_cells = match parent {
                    Some(mut cells) => {
                        subtract(&mut cells, &small_cells);
                        cells
                    }
                    None => {
                        let mut cells = self.spare.pop().unwrap_or_default();
                        count(codes, layout, &self.entries[large.rows.clone()], &mut cells);
                        cells
                    }
                };
            } else {
                self.spare.extend(parent);
            }
        }
        let of = |open: &Open, cells: &Histogram| {
            if self.may_be_split(open) { self.search(open, cells) } else { None }
        };
        let splits = if rayon::current_num_threads() > 1 {
            rayon::join(|| of(small, &small_cells), || of(large, &large_cells))
        } else {
            (of(small, &small_cells), of(large, &large_cells))
        };
        (small.split, large.split) = splits;
        self.keep(small, small_cells);
        self.keep(large, large_cells);
    }

    /// Keeps the histogram of a node that has a split, while there is room.
    fn keep(&mut self, open: &mut Open, cells: Histogram) {
        let most = (KEPT_BYTES / (self.ground.layout.cells() * 16).max(1)).max(2);
        if open.split.is_some() && !cells.is_empty() && self.kept < most {
            self.kept += 1;
            open.histogram = Some(cells);
        } else if self.spare.len() < 2 {
            self.spare.push(cells);
        }
    }

    fn search(&self, open: &Open, cells: &Histogram) -> Option<Split> {
        let Ground { bins, codes, layout, growth, stream, .. } = self.ground;
        let random = growth.random_cuts.then(|| stream(&format!("cuts of node {}", open.node)).next_u64());
        let node = Node {
            sums: open.sums,
            weight_per_step: open.weight / open.sums[1],
            scale: self.scale,
            score: self.score(open),
            growth,
            random,
        };
        let columns = self.columns(open);
        if !self.is_narrow() {
            return best_of(&node, bins, layout, cells, &columns).map(|found| found.split(bins));
        }
        let mut found = None;
        for feature in columns {
            let mut cells = vec![[0.0; 2]; layout.column(feature).len()];
            count_column(codes.column(feature), &self.entries[open.rows.clone()], &mut cells);
            found = better(found, best(&node, bins, feature, &cells));
        }
        found.map(|found| found.split(bins))
    }

    /// The columns that a node may look at, ascending.
    fn columns(&self, open: &Open) -> Vec<usize> {
        let Ground { growth, stream, columns, .. } = self.ground;
        let draw = |columns: Vec<usize>, share: f64, purpose: String| {
            if share >= 1.0 || columns.is_empty() {
                return columns;
            }
            let some = ((share * columns.len() as f64).ceil() as usize).clamp(1, columns.len());
            let mut chosen = stream(&purpose).choose(columns.len(), some);
            chosen.sort_unstable();
            chosen.into_iter().map(|i| columns[i]).collect()
        };
        let mut allowed = columns.to_vec();
        if !growth.interactions.is_empty() {
            let may_join = |column: usize| {
                open.path.contains(&column)
                    || growth
                        .interactions
                        .iter()
                        .any(|group| group.contains(&column) && open.path.iter().all(|above| group.contains(above)))
            };
            allowed.retain(|&column| may_join(column));
        }
        let allowed = draw(allowed, growth.columns_by_level, format!("columns of level {}", open.depth));
        draw(allowed, growth.columns_by_node, format!("columns of node {}", open.node))
    }

    /// Whether nodes draw their own columns, few of them, so that histograms of all would be a waste.
    fn is_narrow(&self) -> bool {
        self.ground.growth.columns_by_node < 1.0
    }

    fn may_be_split(&self, open: &Open) -> bool {
        let growth = self.ground.growth;
        open.depth < growth.max_depth && open.rows.len() > 1 && open.weight >= 2.0 * growth.min_weight
    }

    fn score(&self, open: &Open) -> Score {
        let per_row = open.sums[1] / open.weight.max(f64::MIN_POSITIVE);
        Score::new(&self.ground.growth.penalty, self.scale, open.bounds, open.parent, per_row)
    }

    /// The sum of the weights of a node's rows.
    fn weight(&self, rows: &std::ops::Range<usize>) -> f64 {
        match self.ground.weights {
            None => rows.len() as f64,
            Some(weights) => self.entries[rows.clone()].iter().map(|entry| weights[entry.row as usize]).sum(),
        }
    }
}
