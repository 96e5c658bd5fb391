//! Walks the tree for 64 queries at once: a tile is read once for all of them that it may still hold a neighbour of.

use super::tree::{TILE, Tiles, halved};
use crate::parallel::blocks;

/// Queries that walk together.
const GROUP: usize = 64;

/// What is looked for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    Nearest,
    Farthest,
}

pub(super) struct Search<'a> {
    tiles: &'a Tiles,
    side: Side,
    k: usize,
}

/// A query: where it is, which row it must not find, and the best so far.
struct Query<'a> {
    point: &'a [f64],
    own: Option<usize>,
    best: Vec<(f64, usize)>,
}

impl<'a> Search<'a> {
    pub(super) fn new(tiles: &'a Tiles, side: Side, k: usize) -> Self {
        Self { tiles, side, k }
    }

    /// The `k` best squared distances and rows of each of `n` queries, one query after the other.
    pub(super) fn run<'q>(
        &self,
        n: usize,
        query: impl Fn(usize) -> (&'q [f64], Option<usize>) + Sync,
    ) -> Vec<(f64, usize)> {
        if self.k == 0 {
            return Vec::new();
        }
        let found = blocks(n, GROUP, |range| {
            let mut group: Vec<Query<'_>> = range
                .map(|i| {
                    let (point, own) = query(i);
                    Query { point, own, best: vec![(f64::INFINITY, usize::MAX); self.k] }
                })
                .collect();
            let active: Vec<usize> = (0..group.len()).collect();
            match self.side {
                Side::Nearest => self.visit(0, 0, self.tiles.leaves(), &active, &mut group),
                Side::Farthest => (0..self.tiles.leaves()).for_each(|tile| self.look(tile, &active, &mut group)),
            }
            group.into_iter().flat_map(|query| query.best).collect::<Vec<_>>()
        });
        // What is farthest was sought as the least of negated distances.
        let sign = if self.side == Side::Nearest { 1.0 } else { -1.0 };
        found.into_iter().flatten().map(|(squared, row)| (sign * squared, row)).collect()
    }

    /// Looks below `node`, which holds `leaves` tiles from `tile` on, for the queries `active`.
    fn visit(&self, node: usize, tile: usize, leaves: usize, active: &[usize], group: &mut [Query<'_>]) {
        if leaves <= 1 {
            return self.look(tile, active, group);
        }
        let half = halved(leaves);
        let mut sides = [(node + 1, tile, half), (node + 2 * half, tile + half, leaves - half)];
        let bounds = |side: usize| -> Vec<f64> {
            active.iter().map(|&i| self.tiles.bound(sides[side].0, group[i].point)).collect()
        };
        let mut bounds = [bounds(0), bounds(1)];
        // The nearer half first: what is found there spares tiles of the other. The order changes no result.
        if bounds[1].iter().sum::<f64>() < bounds[0].iter().sum::<f64>() {
            sides.swap(0, 1);
            bounds.swap(0, 1);
        }
        for ((node, tile, leaves), bounds) in sides.into_iter().zip(bounds) {
            let within = |(&i, bound): (&usize, f64)| (bound <= group[i].best[self.k - 1].0).then_some(i);
            let active: Vec<usize> = active.iter().zip(bounds).filter_map(within).collect();
            if !active.is_empty() {
                self.visit(node, tile, leaves, &active, group);
            }
        }
    }

    fn look(&self, tile: usize, active: &[usize], group: &mut [Query<'_>]) {
        let mut distances = [0.0; TILE];
        let rows = self.tiles.rows_of(tile);
        for &i in active {
            let Query { point, own, best } = &mut group[i];
            self.tiles.distances(tile, point, &mut distances);
            for (&squared, &row) in distances.iter().zip(rows) {
                let squared = if squared.is_nan() { f64::INFINITY } else { squared };
                let key = if self.side == Side::Nearest { squared } else { -squared };
                if key <= best[self.k - 1].0 && Some(row) != *own {
                    offer(best, (key, row));
                }
            }
        }
    }
}

/// Puts `candidate` where it belongs in `best`, which is ascending, and drops the last; nothing if it belongs behind it.
fn offer(best: &mut [(f64, usize)], candidate: (f64, usize)) {
    let before = |a: (f64, usize), b: (f64, usize)| a.0 < b.0 || (a.0 == b.0 && a.1 < b.1);
    let last = best.len() - 1;
    if !before(candidate, best[last]) {
        return;
    }
    let mut slot = last;
    while slot > 0 && before(candidate, best[slot - 1]) {
        best[slot] = best[slot - 1];
        slot -= 1;
    }
    best[slot] = candidate;
}
