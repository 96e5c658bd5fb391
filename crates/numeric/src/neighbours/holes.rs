//! Distances between points some of whose coordinates are missing.
//!
//! A distance over the coordinates that both points have knows no triangle inequality, so no tree of boxes spares any point
//! and all distances are computed. Panels of 8 points, axis by axis, let one register load take an axis of several points.

use crate::parallel::blocks;

/// Points of a panel: their distances are summed in registers.
const LANES: usize = 8;
/// Queries of a task.
const GROUP: usize = 16;

/// Points whose coordinates may be missing (NaN).
///
/// The squared distance of two points is the mean of `(a − b)²` over the axes that both have; NaN if there is none. It is
/// the squared `nan_euclidean_distances` of scikit-learn divided by the number of axes. O(n d) for a query.
///
/// ```
/// use stagewise_numeric::neighbours::Holes;
///
/// let points = Holes::new(&[&[0.0, 3.0, f64::NAN], &[1.0, f64::NAN, f64::NAN]]);
/// let mut squared = Vec::new();
/// points.squared(&[1.0, 4.0], &mut squared);
/// assert_eq!((squared[0], squared[1], squared[2].is_nan()), (5.0, 4.0, true));
/// ```
#[derive(Clone, Debug)]
pub struct Holes {
    rows: usize,
    axes: usize,
    /// Coordinates by panel, axis and lane; NaN past the last point.
    panels: Vec<f64>,
}

impl Holes {
    /// Points with these coordinates, one slice an axis; as many as the shortest has values, none without an axis.
    #[must_use]
    pub fn new(axes: &[&[f64]]) -> Self {
        let rows = axes.iter().map(|axis| axis.len()).min().unwrap_or(0);
        let mut panels = vec![f64::NAN; rows.div_ceil(LANES) * LANES * axes.len()];
        for (a, axis) in axes.iter().enumerate() {
            for (row, &x) in axis[..rows].iter().enumerate() {
                panels[(row / LANES * axes.len() + a) * LANES + row % LANES] = x;
            }
        }
        Self { rows, axes: axes.len(), panels }
    }

    /// How many points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no point.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The coordinate of a point on an axis; NaN if it is missing or there is no such point or axis. O(1).
    #[inline]
    #[must_use]
    pub fn at(&self, row: usize, axis: usize) -> f64 {
        if row >= self.rows || axis >= self.axes {
            return f64::NAN;
        }
        self.panels[(row / LANES * self.axes + axis) * LANES + row % LANES]
    }

    /// Puts the squared distance of each point from `query` in `out`, which is emptied first. The axes are added in their
    /// order, so the same query gives the same bits wherever it is asked. A query shorter than the axes lacks the rest.
    pub fn squared(&self, query: &[f64], out: &mut Vec<f64>) {
        out.clear();
        if self.axes == 0 {
            return;
        }
        let known: Vec<(usize, f64)> =
            query.iter().copied().take(self.axes).enumerate().filter(|(_, x)| !x.is_nan()).collect();
        out.reserve(self.rows.div_ceil(LANES) * LANES);
        for panel in self.panels.chunks_exact(self.axes * LANES) {
            let panel = panel.as_chunks::<LANES>().0;
            let (mut sum, mut both) = ([0.0; LANES], [0.0; LANES]);
            for &(axis, x) in &known {
                let values = &panel[axis];
                for lane in 0..LANES {
                    let gap = values[lane] - x;
                    let square = gap * gap;
                    let missing = square.is_nan();
                    sum[lane] += if missing { 0.0 } else { square };
                    both[lane] += if missing { 0.0 } else { 1.0 };
                }
            }
            for lane in 0..LANES {
                sum[lane] /= both[lane];
            }
            out.extend_from_slice(&sum);
        }
        out.truncate(self.rows);
    }

    /// What `answer` makes of the number and the distances of each of `count` queries, in their order. Queries go in
    /// parallel.
    pub fn each<R: Send>(
        &self,
        count: usize,
        query: impl Fn(usize, &mut Vec<f64>) + Sync,
        answer: impl Fn(usize, &[f64]) -> R + Sync,
    ) -> Vec<R> {
        let groups = blocks(count, GROUP, |group| {
            let (mut point, mut squared) = (Vec::with_capacity(self.axes), Vec::with_capacity(self.rows + LANES));
            group
                .map(|i| {
                    point.clear();
                    query(i, &mut point);
                    self.squared(&point, &mut squared);
                    answer(i, &squared)
                })
                .collect::<Vec<R>>()
        });
        groups.into_iter().flatten().collect()
    }
}

/// Equal coordinates to the bit; missing equals missing.
impl PartialEq for Holes {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        (self.rows, self.axes) == (other.rows, other.axes) && self.panels.iter().zip(&other.panels).all(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn edges() {
        let mut out = vec![1.0];
        Holes::new(&[]).squared(&[1.0], &mut out);
        assert!(out.is_empty() && Holes::new(&[]).is_empty());
        let points = Holes::new(&[&[1.0, f64::INFINITY, 1e300], &[2.0, 2.0]]);
        assert_eq!((points.len(), points.at(1, 0), points.at(0, 1)), (2, f64::INFINITY, 2.0));
        assert!(points.at(2, 0).is_nan() && points.at(0, 2).is_nan() && points == points.clone());
        assert_ne!(points, Holes::new(&[&[1.0, f64::NAN], &[2.0, 2.0]]));
        points.squared(&[3.0], &mut out);
        assert_eq!(out, [4.0, f64::INFINITY]);
        points.squared(&[], &mut out);
        assert!(out.iter().all(|x| x.is_nan()));
        // Two infinities have no difference; the axis is as if one were missing.
        points.squared(&[f64::INFINITY, 5.0], &mut out);
        assert_eq!(out[1], 9.0);
    }

    proptest! {
        #[test]
        fn distances_are_means_over_what_both_have(
            rows in prop::collection::vec(prop::collection::vec(prop::option::of(-9i8..9), 3), 1..40),
            query in prop::collection::vec(prop::option::of(-9i8..9), 3),
        ) {
            let number = |x: &Option<i8>| x.map_or(f64::NAN, f64::from);
            let axes: Vec<Vec<f64>> = (0..3).map(|a| rows.iter().map(|row| number(&row[a])).collect()).collect();
            let points = Holes::new(&axes.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let point: Vec<f64> = query.iter().map(number).collect();
            let mut found = Vec::new();
            points.squared(&point, &mut found);
            let each = points.each(3, |_, out| out.extend_from_slice(&point), |_, squared| squared.to_vec());
            for (row, squared) in rows.iter().zip(&found) {
                let both: Vec<f64> = row.iter().zip(&query).filter_map(|(a, b)| Some(f64::from(a.as_ref()? - b.as_ref()?))).collect();
                let mean = both.iter().map(|gap| gap * gap).sum::<f64>() / both.len() as f64;
                prop_assert!(*squared == mean || (squared.is_nan() && both.is_empty()));
            }
            for same in each {
                prop_assert!(same.iter().zip(&found).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())));
            }
        }
    }
}
