//! One tree, ready to be explained along the paths of its training rows.
//!
//! For a leaf with value `v` whose path asks the features `1..d`, let `o_j` say whether the row meets all conditions on `j`
//! and `z_j` be the share of the training weight that does. The game "knows `S`" pays `v Π_S o_j Π_rest z_j`, and its
//! Shapley value is `∫₀¹ v (o_i − z_i) Π_{j≠i} (z_j (1 − t) + o_j t) dt`, which a quadrature of ⌈d/2⌉ points gives exactly.
//! At one point `t` products are built on the way down and sums of leaves on the way up: O(nodes) a point, and thus
//! O(nodes · depth) a row. All factors are positive, so nothing cancels. What a branch multiplies and adds depends on the
//! row only by whether it is taken: those numbers are computed once for each tree.

use ndarray::ArrayView2;
use stagewise_core::error::Result;
use std::ops::Range;

use super::paths::{Branch, Paths};
use super::quadrature::{Point, points};
use crate::tree::structure::Tree;

/// A tree, ready to be explained.
pub(super) trait Kernel: Send + Sync {
    /// Adds the contributions of the features to `out`, rows × outputs × (features + 1).
    fn contributions(&self, rows: ArrayView2<'_, f64>, range: Range<usize>, outputs: usize, out: &mut [f64]);

    /// Adds the interactions of the features to `out`, rows × outputs × features × features; the upper half, doubled,
    /// and what the features contribute on the diagonal.
    fn interactions(&self, rows: ArrayView2<'_, f64>, range: Range<usize>, outputs: usize, out: &mut [f64]);

    /// Adds the mean over the training rows to `out`, one for each output.
    fn mean(&self, out: &mut [f64]);
}

/// Prepares tree `number` of a model.
pub(super) fn kernel<'a>(tree: &'a Tree, number: usize, outputs: usize) -> Result<Box<dyn Kernel + 'a>> {
    let paths = Paths::of(tree, outputs);
    paths.require_covers(number)?;
    // More points than needed are exact as well: as many as fill the lanes.
    let needed = paths.distinct().div_ceil(2);
    let passes = needed.div_ceil(8);
    Ok(match needed.div_ceil(passes.max(1)) {
        0..=2 => Box::new(Lanes::<2>::new(paths, passes)),
        3..=4 => Box::new(Lanes::<4>::new(paths, passes)),
        5..=6 => Box::new(Lanes::<6>::new(paths, passes)),
        _ => Box::new(Lanes::<8>::new(paths, passes)),
    })
}

/// What a branch does at `W` points of the quadrature.
///
/// By state: 0 if it is not taken, 1 if it is, 2 if a branch above it of the same feature is not.
struct Edge<const W: usize> {
    /// What the product is multiplied with.
    factor: [[f64; W]; 3],
    /// How much more the sum of the leaves below counts for the feature than it did by the branch above.
    more: [[f64; W]; 3],
    /// How much it counts by this branch, without the weight of the point: not taken, taken.
    held: [[f64; W]; 2],
}

struct Lanes<'a, const W: usize> {
    paths: Paths<'a>,
    /// For each `W` points what each branch does.
    passes: Vec<Vec<Edge<W>>>,
    /// The same as in `paths`, without what the loops over the branches do not need.
    links: Vec<Link>,
    /// The values of the leaves, in the order of the branches.
    leaves: Vec<f64>,
}

/// How a branch hangs together with others.
#[derive(Clone, Copy)]
struct Link {
    parent: u32,
    previous: u32,
    feature: u32,
    split: u32,
    left: bool,
    leaf: bool,
}

/// What is written again for each row.
struct Scratch<const W: usize> {
    left: Vec<bool>,
    /// Whether all conditions on the feature of a branch are met.
    met: Vec<bool>,
    state: Vec<u8>,
    product: Vec<[f64; W]>,
    sum: Vec<[f64; W]>,
}

impl<'a, const W: usize> Lanes<'a, W> {
    fn new(paths: Paths<'a>, passes: usize) -> Self {
        let mut merged: Vec<f64> = Vec::with_capacity(paths.branches.len());
        for branch in &paths.branches {
            let before = if branch.previous == 0 { 1.0 } else { merged[branch.previous] };
            merged.push(branch.share * before);
        }
        let points = points(passes * W);
        let edges =
            |points: &[Point]| paths.branches.iter().zip(&merged).map(|(b, &z)| edge(b, z, &merged, points)).collect();
        let passes = points.chunks(W).map(edges).collect();
        let link = |branch: &Branch| Link {
            parent: branch.parent as u32,
            previous: branch.previous as u32,
            feature: branch.feature as u32,
            split: branch.split as u32,
            left: branch.left,
            leaf: paths.leaf(branch).is_some(),
        };
        let links = paths.branches.iter().map(link).collect();
        let leaves = paths.branches.iter().filter_map(|branch| paths.leaf(branch)).flatten().copied().collect();
        Self { paths, passes, links, leaves }
    }

    fn scratch(&self) -> Scratch<W> {
        let count = self.paths.branches.len();
        Scratch {
            left: Vec::new(),
            met: vec![true; count],
            state: vec![1; count],
            product: vec![[1.0; W]; count],
            sum: vec![[0.0; W]; count],
        }
    }

    /// Which branches a row takes.
    fn ask(&self, row: &[f64], scratch: &mut Scratch<W>) {
        let Scratch { left, met, state, .. } = scratch;
        self.paths.ask(row, left);
        // Without branches: which way a row goes cannot be foretold.
        for (at, link) in self.links.iter().enumerate().skip(1) {
            let (taken, before) = (left[link.split as usize] == link.left, met[link.previous as usize]);
            met[at] = taken & before;
            state[at] = (u8::from(!before) << 1) | u8::from(taken & before);
        }
    }

    /// The products of a pass, down to every branch.
    fn descend(&self, edges: &[Edge<W>], scratch: &mut Scratch<W>) {
        let Scratch { state, product, .. } = scratch;
        for (at, (link, edge)) in self.links.iter().zip(edges).enumerate().skip(1) {
            let above = product[link.parent as usize];
            let factor = &edge.factor[usize::from(state[at])];
            product[at] = std::array::from_fn(|k| above[k] * factor[k]);
        }
    }

    /// The sums of the leaves below each branch, those behind first; `visit` is given the branch, its feature,
    /// and what the feature gets from them.
    fn ascend(
        &self,
        edges: &[Edge<W>],
        output: usize,
        scratch: &mut Scratch<W>,
        mut visit: impl FnMut(usize, usize, &[f64; W], &[bool]),
    ) {
        let Scratch { met, state, product, sum, .. } = scratch;
        sum.fill([0.0; W]);
        let mut leaf = self.leaves.len() - self.paths.leaf_width() + output;
        for (at, (link, edge)) in self.links.iter().zip(edges).enumerate().skip(1).rev() {
            let below = if link.leaf {
                let value = self.leaves[leaf];
                leaf = leaf.saturating_sub(self.paths.leaf_width());
                product[at].map(|p| p * value)
            } else {
                sum[at]
            };
            let above = &mut sum[link.parent as usize];
            *above = std::array::from_fn(|k| above[k] + below[k]);
            let more = &edge.more[usize::from(state[at])];
            visit(at, link.feature as usize, &std::array::from_fn(|k| below[k] * more[k]), met);
        }
    }
}

impl<const W: usize> Kernel for Lanes<'_, W> {
    fn contributions(&self, rows: ArrayView2<'_, f64>, range: Range<usize>, outputs: usize, out: &mut [f64]) {
        let width = rows.ncols() + 1;
        let mut scratch = self.scratch();
        for (r, given) in range.zip(out.chunks_exact_mut(outputs * width)) {
            let row = rows.row(r);
            let row = row.to_slice().unwrap_or(&[]);
            self.ask(row, &mut scratch);
            for edges in &self.passes {
                self.descend(edges, &mut scratch);
                for value in 0..self.paths.leaf_width() {
                    let values = &mut given[(self.paths.first_output() + value) * width..][..width];
                    self.ascend(edges, value, &mut scratch, |_, feature, more, _| {
                        values[feature] += total(more);
                    });
                }
            }
        }
    }

    fn interactions(&self, rows: ArrayView2<'_, f64>, range: Range<usize>, outputs: usize, out: &mut [f64]) {
        let width = rows.ncols();
        let mut scratch = self.scratch();
        let others = self.others();
        for (r, given) in range.zip(out.chunks_exact_mut((outputs * width * width).max(1))) {
            let row = rows.row(r);
            let row = row.to_slice().unwrap_or(&[]);
            self.ask(row, &mut scratch);
            for edges in &self.passes {
                self.descend(edges, &mut scratch);
                for value in 0..self.paths.leaf_width() {
                    let values = &mut given[(self.paths.first_output() + value) * width * width..][..width * width];
                    self.ascend(edges, value, &mut scratch, |at, feature, more, met| {
                        values[feature * (width + 1)] += total(more);
                        for &other in &others[at] {
                            let held = &edges[other].held[usize::from(met[other])];
                            let [a, b] = [feature, self.paths.branches[other].feature];
                            let both: [f64; W] = std::array::from_fn(|k| more[k] * held[k]);
                            values[a.min(b) * width + a.max(b)] += total(&both);
                        }
                    });
                }
            }
        }
    }

    fn mean(&self, out: &mut [f64]) {
        let mut share = vec![1.0; self.paths.branches.len()];
        for (at, branch) in self.paths.branches.iter().enumerate() {
            share[at] = branch.share * if at == 0 { 1.0 } else { share[branch.parent] };
            if let Some(values) = self.paths.leaf(branch) {
                let first = self.paths.first_output();
                out[first..].iter_mut().zip(values).for_each(|(mean, value)| *mean += share[at] * value);
            }
        }
    }
}

impl<const W: usize> Lanes<'_, W> {
    /// For each branch the last branch above it of every other feature of its path.
    fn others(&self) -> Vec<Vec<usize>> {
        let branches = &self.paths.branches;
        let others = |at: usize| {
            let mut found: Vec<usize> = Vec::new();
            let mut above = branches[at].parent;
            while above != 0 {
                let feature = branches[above].feature;
                if feature != branches[at].feature && found.iter().all(|&other| branches[other].feature != feature) {
                    found.push(above);
                }
                above = branches[above].parent;
            }
            found
        };
        (0..branches.len()).map(others).collect()
    }
}

/// The sum over the points, pairs first.
fn total<const W: usize>(values: &[f64; W]) -> f64 {
    let mut pair = [0.0; 2];
    for two in values.chunks_exact(2) {
        pair[0] += two[0];
        pair[1] += two[1];
    }
    pair[0] + pair[1]
}

fn edge<const W: usize>(branch: &Branch, z: f64, merged: &[f64], points: &[Point]) -> Edge<W> {
    let before = (branch.previous != 0).then(|| merged[branch.previous]);
    let at = |k: usize| points[k];
    // The factors of the feature, met and not met, after this branch and before it.
    let met = |z: f64, p: Point| z * p.rest + p.at;
    let factor_before = |p: Point| before.map_or(1.0, |z| met(z, p));
    let held_met = |z: f64, p: Point| (1.0 - z) / met(z, p);
    let held_before = |p: Point| before.map_or(0.0, |z| held_met(z, p));
    // `−z / (z (1 − t))`, also where nobody came.
    let held_not = |p: Point| -1.0 / p.rest;
    Edge {
        factor: [
            std::array::from_fn(|k| z * at(k).rest / factor_before(at(k))),
            std::array::from_fn(|k| met(z, at(k)) / factor_before(at(k))),
            [branch.share; W],
        ],
        more: [
            std::array::from_fn(|k| at(k).weight * (held_not(at(k)) - held_before(at(k)))),
            std::array::from_fn(|k| at(k).weight * (held_met(z, at(k)) - held_before(at(k)))),
            [0.0; W],
        ],
        held: [std::array::from_fn(|k| held_not(at(k))), std::array::from_fn(|k| held_met(z, at(k)))],
    }
}
