//! The exact k nearest neighbours of points.
//!
//! Resampling, imputing and privacy all ask who is near. Distances are computed by brute force over tiles of 64 points in
//! a layout that the vector registers read as it is; a tree of boxes over the tiles spares those that lie too far away.
//! The tree is what pays in few dimensions and costs a few percent in many. A bound from a box is rounded like the distances
//! it stands for and so never exceeds them: no neighbour is lost, and ties are decided by the number of the row. Points whose
//! coordinates may be missing are in `holes.rs`.

mod holes;
mod search;
mod tree;

pub use holes::Holes;

use search::{Search, Side};
use tree::Tiles;

/// What one axis of the space holds for each point.
#[derive(Clone, Copy, Debug)]
pub enum Axis<'a> {
    /// Numbers: two points are `(a − b)²` apart.
    Number(&'a [f64]),
    /// Codes without an order: two points are `apart²` apart if their codes differ, else 0.
    Level {
        /// One code per point.
        codes: &'a [u32],
        /// The distance between any two codes.
        apart: f64,
    },
}

impl Axis<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Number(values) => values.len(),
            Self::Level { codes, .. } => codes.len(),
        }
    }
}

/// Points to look for neighbours among.
///
/// The squared distance of two points is the sum of what [`Axis`] says, numbers first. A distance that is not a number
/// (a coordinate is NaN, or two are the same infinity) counts as infinite. Building: O(n d log n) time, O(n d) memory.
/// Searching: O(n d) for a query at worst, far less where points lie in few dimensions or in clusters; queries go in
/// parallel, with the same bits for any number of threads. The tree: Friedman, Bentley & Finkel (1977).
///
/// ```
/// use stagewise_numeric::neighbours::{Axis, Points};
///
/// let points = Points::new(&[Axis::Number(&[0.0, 1.0, 5.0]), Axis::Level { codes: &[1, 1, 2], apart: 2.0 }]);
/// let near = points.nearest(2);
/// assert_eq!((near.of(0), near.squared(0)), ([1, 2].as_slice(), [1.0, 29.0].as_slice()));
/// ```
#[derive(Clone, Debug)]
pub struct Points {
    tiles: Tiles,
}

impl Points {
    /// Points with these axes; as many as the shortest axis has values, none without an axis.
    #[must_use]
    pub fn new(axes: &[Axis<'_>]) -> Self {
        Self { tiles: Tiles::new(axes, axes.iter().map(Axis::len).min().unwrap_or(0)) }
    }

    /// How many points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tiles.len()
    }

    /// Whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `k` nearest others of each point; all others if there are fewer.
    #[must_use]
    pub fn nearest(&self, k: usize) -> Neighbours {
        self.nearest_of(&(0..self.len()).collect::<Vec<_>>(), k)
    }

    /// The `k` nearest others of the points `rows`, in the order of `rows`.
    ///
    /// # Panics
    /// If a row is not below [`len`](Self::len).
    #[must_use]
    pub fn nearest_of(&self, rows: &[usize], k: usize) -> Neighbours {
        // In the order of the tree, so that queries side by side look at the same tiles.
        let mut queries: Vec<(usize, usize)> = rows.iter().map(|&row| self.tiles.place(row)).zip(0..).collect();
        queries.sort_unstable();
        let k = k.min(self.len().saturating_sub(1));
        let of = |query: usize| (self.tiles.point(queries[query].0), Some(rows[queries[query].1]));
        let found = Search::new(&self.tiles, Side::Nearest, k).run(queries.len(), of);
        Neighbours::collect(found, k, queries.iter().map(|query| query.1))
    }

    /// The `k` nearest points of each of `queries`, which are other points on the same axes.
    ///
    /// # Panics
    /// If the axes are not as many, or not of the same kinds.
    #[must_use]
    pub fn nearest_to(&self, queries: &Self, k: usize) -> Neighbours {
        self.other(queries, Side::Nearest, k)
    }

    /// The `k` farthest points of each of `queries`, the farthest first. No tile is spared.
    ///
    /// # Panics
    /// As [`nearest_to`](Self::nearest_to).
    #[must_use]
    pub fn farthest_to(&self, queries: &Self, k: usize) -> Neighbours {
        self.other(queries, Side::Farthest, k)
    }

    fn other(&self, queries: &Self, side: Side, k: usize) -> Neighbours {
        assert!(self.tiles.same_axes(&queries.tiles), "points and queries must have the same axes");
        let k = k.min(self.len());
        let found = Search::new(&self.tiles, side, k).run(queries.len(), |place| (queries.tiles.point(place), None));
        Neighbours::collect(found, k, (0..queries.len()).map(|place| queries.tiles.row(place)))
    }
}

/// The neighbours of queries: of each as many, the best first, ties by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    k: usize,
    rows: Vec<usize>,
    squared: Vec<f64>,
}

impl Neighbours {
    /// How many neighbours a query has: what was asked for, or fewer if there were fewer points.
    #[must_use]
    pub const fn k(&self) -> usize {
        self.k
    }

    /// The rows of the neighbours of a query; none if there is no such query.
    #[must_use]
    pub fn of(&self, query: usize) -> &[usize] {
        self.rows.get(query * self.k..(query + 1) * self.k).unwrap_or_default()
    }

    /// The squared distances of the neighbours of a query.
    #[must_use]
    pub fn squared(&self, query: usize) -> &[f64] {
        self.squared.get(query * self.k..(query + 1) * self.k).unwrap_or_default()
    }

    /// Puts what was found for queries in the order of the tree back in the order in which they were asked.
    fn collect(found: Vec<(f64, usize)>, k: usize, asked: impl Iterator<Item = usize>) -> Self {
        let mut neighbours = Self { k, rows: vec![0; found.len()], squared: vec![0.0; found.len()] };
        for (found, query) in found.chunks_exact(k.max(1)).zip(asked) {
            for (slot, &(squared, row)) in (query * k..).zip(found) {
                neighbours.rows[slot] = row;
                neighbours.squared[slot] = squared;
            }
        }
        neighbours
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use proptest::prelude::*;

    struct Plain {
        numbers: Vec<Vec<f64>>,
        codes: Vec<u32>,
        apart: f64,
    }

    impl Plain {
        fn draw(n: usize, dims: usize, grid: f64, seed: u64) -> Self {
            let mut stream = Stream::new(seed, "neighbours");
            // A coarse grid makes ties.
            let mut number = || (stream.normal() * grid).round() / grid;
            let numbers = (0..dims).map(|_| (0..n).map(|_| number()).collect()).collect();
            let mut stream = Stream::new(seed, "codes");
            Self { numbers, codes: (0..n).map(|_| stream.below(3) as u32).collect(), apart: 0.7 }
        }

        fn points(&self) -> Points {
            let level = Axis::Level { codes: &self.codes, apart: self.apart };
            let mut axes: Vec<Axis<'_>> = self.numbers.iter().map(|values| Axis::Number(values)).collect();
            axes.insert(axes.len() / 2, level);
            Points::new(&axes)
        }

        fn squared(&self, a: usize, other: &Self, b: usize) -> f64 {
            let mut sum = 0.0;
            for (x, y) in self.numbers.iter().zip(&other.numbers) {
                sum += (x[a] - y[b]) * (x[a] - y[b]);
            }
            if self.codes[a] != other.codes[b] {
                sum += self.apart * self.apart;
            }
            if sum.is_nan() { f64::INFINITY } else { sum }
        }

        /// All pairs, sorted.
        fn ranked(&self, a: usize, other: &Self, without: Option<usize>) -> Vec<(f64, usize)> {
            let others = (0..other.codes.len()).filter(|&b| Some(b) != without);
            let mut all: Vec<(f64, usize)> = others.map(|b| (self.squared(a, other, b), b)).collect();
            all.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
            all
        }
    }

    fn pairs(neighbours: &Neighbours, query: usize) -> Vec<(f64, usize)> {
        neighbours.squared(query).iter().copied().zip(neighbours.of(query).iter().copied()).collect()
    }

    fn check(base: &Plain, queries: &Plain, k: usize) {
        let (points, others) = (base.points(), queries.points());
        let n = points.len();
        let own = points.nearest(k);
        assert_eq!(own.k(), k.min(n.saturating_sub(1)));
        for row in 0..n {
            let expected: Vec<_> = base.ranked(row, base, Some(row)).into_iter().take(k).collect();
            assert_eq!(pairs(&own, row), expected, "row {row}");
        }
        let (near, far) = (points.nearest_to(&others, k), points.farthest_to(&others, k));
        for row in 0..others.len() {
            let mut all = queries.ranked(row, base, None);
            assert_eq!(pairs(&near, row), all[..k.min(n)], "query {row}");
            all.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
            assert_eq!(pairs(&far, row), all[..k.min(n)], "far from query {row}");
        }
        let some: Vec<usize> = (0..n).rev().step_by(3).collect();
        let found = points.nearest_of(&some, k);
        for (query, &row) in some.iter().enumerate() {
            assert_eq!(pairs(&found, query), pairs(&own, row));
        }
    }

    #[test]
    fn neighbours_are_those_of_all_pairs() {
        check(&Plain::draw(1000, 2, 8.0, 1), &Plain::draw(70, 2, 8.0, 2), 7);
        check(&Plain::draw(500, 20, 1e6, 3), &Plain::draw(130, 20, 1e6, 4), 5);
        check(&Plain::draw(300, 1, 2.0, 5), &Plain::draw(3, 1, 2.0, 6), 300);
    }

    #[test]
    fn any_number_of_threads_finds_the_same() {
        let points = Plain::draw(3000, 3, 50.0, 9).points();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.map(|pool| pool.install(|| points.nearest(4))).ok()
        };
        assert!(on(1).is_some());
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn what_is_not_finite_is_infinitely_far() {
        let points = Points::new(&[Axis::Number(&[0.0, f64::NAN, f64::INFINITY, 2.0, 1e300, f64::INFINITY])]);
        let near = points.nearest(5);
        assert_eq!(near.of(0), [3, 1, 2, 4, 5]);
        assert_eq!(near.squared(0), [4.0, f64::INFINITY, f64::INFINITY, f64::INFINITY, f64::INFINITY]);
        assert_eq!((near.of(1), near.of(2)), ([0, 2, 3, 4, 5].as_slice(), [0, 1, 3, 4, 5].as_slice()));
    }

    #[test]
    fn edges() {
        let none = Points::new(&[]);
        assert!(none.is_empty() && none.nearest(3).of(0).is_empty());
        let one = Points::new(&[Axis::Number(&[4.0])]);
        assert_eq!((one.nearest(3).k(), one.nearest_to(&one, 3).of(0)), (0, [0].as_slice()));
        assert!(one.nearest_to(&one, 0).of(0).is_empty());
        assert!(one.nearest_to(&Points::new(&[Axis::Number(&[])]), 2).of(0).is_empty());
    }

    #[test]
    #[should_panic(expected = "the same axes")]
    fn other_axes_are_refused() {
        let level = Axis::Level { codes: &[1], apart: 1.0 };
        let _ = Points::new(&[Axis::Number(&[1.0])]).nearest_to(&Points::new(&[level]), 1);
    }

    proptest! {
        #[test]
        fn small_clouds_with_ties(n in 1usize..180, dims in 0usize..5, k in 1usize..9, seed: u64) {
            check(&Plain::draw(n, dims, 2.0, seed), &Plain::draw(9, dims, 2.0, seed ^ 1), k);
        }
    }
}
