//! Splitting one node: its rows go left and right, and both children find the splits that they would make.
//!
//! A node keeps its histogram until it is split. Then only the smaller child is counted; that of the larger is the
//! parent's less the smaller's, exactly, because cells are whole numbers. Nothing is counted for a child that will not be
//! split. Where each node draws its own columns, few of them, the columns are counted one by one and nothing is kept.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::entry::{Entry, Scale, partition, sums};
use super::grower::Ground;
use super::histogram::{Histogram, count_column, subtract};
use super::score::Score;
use super::search::{Node, Split, best, best_of, better};

/// Bytes of histograms that are kept at most; those of further nodes are counted anew.
const KEPT_BYTES: usize = 1 << 29;

/// A node that may yet be split.
pub(super) struct Open<'e> {
    /// Its place in the tree, once it has one.
    pub(super) node: usize,
    /// The thread that sent its rows here: they lie in its cache.
    pub(super) thread: Option<usize>,
    /// Its rows; its children's once they are there, which then hold them.
    entries: &'e mut [Entry],
    scratch: &'e mut [Entry],
    /// Names its random streams: it tells the way from the root.
    name: u64,
    pub(super) rows: Range<usize>,
    pub(super) depth: usize,
    sums: [f64; 2],
    weight: f64,
    pub(super) bounds: (f64, f64),
    pub(super) parent: f64,
    pub(super) extra_l2: f64,
    /// The columns on the way to it.
    path: Vec<usize>,
    histogram: Option<Histogram>,
    pub(super) split: Option<Split>,
    pub(super) children: Option<Box<[Self; 2]>>,
}

/// Splits the nodes of one tree, several at a time.
pub(super) struct Splitter<'a> {
    ground: Ground<'a>,
    scale: Scale,
    /// How many nodes keep a histogram.
    kept: AtomicUsize,
}

impl<'a> Splitter<'a> {
    pub(super) fn new(ground: Ground<'a>, scale: Scale) -> Self {
        Self { ground, scale, kept: AtomicUsize::new(0) }
    }

    /// The root, and if `search` the split that it would make.
    pub(super) fn root<'e>(&self, entries: &'e mut [Entry], scratch: &'e mut [Entry], search: bool) -> Open<'e> {
        let mut root = Open {
            node: 0,
            thread: None,
            name: 1,
            rows: 0..entries.len(),
            depth: 0,
            sums: sums(entries),
            weight: self.weight(entries),
            bounds: (f64::NEG_INFINITY, f64::INFINITY),
            parent: 0.0,
            extra_l2: 0.0,
            path: Vec::new(),
            histogram: None,
            split: None,
            children: None,
            entries,
            scratch,
        };
        root.parent = self.score(&root).answer(root.sums);
        if search && self.may_be_split(&root) {
            let cells = if self.is_narrow() { Histogram::new() } else { self.ground.counter.count(root.entries) };
            root.split = self.search(&root, &cells);
            self.keep(&mut root, cells);
        }
        root
    }

    /// Splits a node: its children, and if `search` the splits that they would make.
    pub(super) fn split<'e>(&self, open: &mut Open<'e>, search: bool) {
        let Some(split) = &open.split else { return };
        let (entries, scratch) = (std::mem::take(&mut open.entries), std::mem::take(&mut open.scratch));
        let kept = partition(entries, scratch, self.ground.codes.column(split.feature), &split.left);
        let (of_left, of_right) = entries.split_at_mut(kept);
        let (for_left, for_right) = scratch.split_at_mut(kept);
        let thread = rayon::current_thread_index();
        let mut path = open.path.clone();
        if !path.contains(&split.feature) {
            path.push(split.feature);
        }
        let child = |right: bool, rows: Range<usize>, entries: &'e mut [Entry], scratch: &'e mut [Entry], sums| Open {
            node: 0,
            thread,
            name: open.name.rotate_left(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(right),
            rows,
            depth: open.depth + 1,
            sums,
            weight: self.weight(entries),
            bounds: open.bounds,
            parent: open.parent,
            extra_l2: split.extra_l2,
            path: path.clone(),
            histogram: None,
            split: None,
            children: None,
            entries,
            scratch,
        };
        let other = [open.sums[0] - split.sums[0], open.sums[1] - split.sums[1]];
        let middle = open.rows.start + kept;
        let mut left = child(false, open.rows.start..middle, of_left, for_left, split.sums);
        let mut right = child(true, middle..open.rows.end, of_right, for_right, other);
        let answers = [&left, &right].map(|child| self.score(child).answer(child.sums));
        let between = f64::midpoint(answers[0], answers[1]);
        match self.ground.growth.monotone.get(split.feature) {
            Some(1) => (left.bounds.1, right.bounds.0) = (between, between),
            Some(-1) => (left.bounds.0, right.bounds.1) = (between, between),
            _ => {}
        }
        (left.parent, right.parent) = (answers[0], answers[1]);
        let cells = open.histogram.take();
        if cells.is_some() {
            self.kept.fetch_sub(1, Ordering::Relaxed);
        }
        if search {
            self.search_both(&mut left, &mut right, cells);
        } else {
            cells.into_iter().for_each(|cells| self.ground.counter.reuse(cells));
        }
        open.children = Some(Box::new([left, right]));
    }

    /// A node that will not be split needs its histogram no more.
    pub(super) fn close(&self, open: Open<'_>) {
        open.histogram.into_iter().for_each(|cells| self.ground.counter.reuse(cells));
    }

    /// Finds the splits of two siblings, from the histogram of their parent if it was kept.
    fn search_both<'e>(&self, left: &mut Open<'e>, right: &mut Open<'e>, parent: Option<Histogram>) {
        let (small, large) = if left.rows.len() <= right.rows.len() { (left, right) } else { (right, left) };
        let wanted = [&*small, &*large].map(|child| self.may_be_split(child));
        if self.is_narrow() || wanted == [false, false] {
            parent.into_iter().for_each(|cells| self.ground.counter.reuse(cells));
            for open in [small, large] {
                open.split = self.search(open, &[]);
            }
            return;
        }
        let small_cells = self.ground.counter.count(small.entries);
        if wanted[1] {
            let large_cells = match parent {
                Some(mut cells) => {
                    subtract(&mut cells, &small_cells);
                    cells
                }
                None => self.ground.counter.count(large.entries),
            };
            large.split = self.search(large, &large_cells);
            self.keep(large, large_cells);
        } else {
            parent.into_iter().for_each(|cells| self.ground.counter.reuse(cells));
        }
        small.split = self.search(small, &small_cells);
        self.keep(small, small_cells);
    }

    /// Keeps the histogram of a node that has a split, while there is room.
    fn keep(&self, open: &mut Open<'_>, cells: Histogram) {
        let most = (KEPT_BYTES / (self.ground.counter.layout().cells() * 16).max(1)).max(2);
        if open.split.is_some() && !cells.is_empty() && self.kept.load(Ordering::Relaxed) < most {
            self.kept.fetch_add(1, Ordering::Relaxed);
            open.histogram = Some(cells);
        } else {
            self.ground.counter.reuse(cells);
        }
    }

    /// The best split of a node that may be split.
    fn search(&self, open: &Open<'_>, cells: &[[f64; 2]]) -> Option<Split> {
        if !self.may_be_split(open) {
            return None;
        }
        let Ground { bins, codes, counter, growth, stream, .. } = self.ground;
        let layout = counter.layout();
        let random = growth.random_cuts.then(|| stream(&format!("cuts of node {}", open.name)).next_u64());
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
            count_column(codes.column(feature), open.entries, &mut cells);
            found = better(found, best(&node, bins, feature, &cells));
        }
        found.map(|found| found.split(bins))
    }

    /// The columns that a node may look at, ascending.
    fn columns(&self, open: &Open<'_>) -> Vec<usize> {
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
        draw(allowed, growth.columns_by_node, format!("columns of node {}", open.name))
    }

    /// Whether nodes draw their own columns, few of them, so that histograms of all would be a waste.
    fn is_narrow(&self) -> bool {
        self.ground.growth.columns_by_node < 1.0
    }

    fn may_be_split(&self, open: &Open<'_>) -> bool {
        let growth = self.ground.growth;
        open.depth < growth.max_depth && open.rows.len() > 1 && open.weight >= 2.0 * growth.min_weight
    }

    fn score(&self, open: &Open<'_>) -> Score {
        let per_row = open.sums[1] / open.weight.max(f64::MIN_POSITIVE);
        Score::new(&self.ground.growth.penalty, self.scale, open.bounds, open.parent, per_row)
    }

    /// The sum of the weights of rows.
    fn weight(&self, entries: &[Entry]) -> f64 {
        match self.ground.weights {
            None => entries.len() as f64,
            Some(weights) => entries.iter().map(|entry| weights[entry.row as usize]).sum(),
        }
    }
}
