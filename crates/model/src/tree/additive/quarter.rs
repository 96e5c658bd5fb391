//! The small tree of a pair: one cut of one column, and on either side one cut of the other.

use stagewise_numeric::random::Stream;

use super::step::{Limits, Sums, add, less, scale};

/// Sums of all rectangles of a grid of cells, by those that begin at its corner.
pub(super) struct Grid {
    rows: usize,
    columns: usize,
    corner: Vec<Sums>,
    scale: f64,
}

/// A leaf: its cells from and up to, along either side.
type Rect = [(usize, usize); 2];

impl Grid {
    pub(super) fn of(cells: &[Sums], columns: usize) -> Self {
        let rows = cells.len() / columns.max(1);
        let width = columns + 1;
        let mut corner = vec![[0.0; 3]; (rows + 1) * width];
        for row in 0..rows {
            let mut sum = [0.0; 3];
            for column in 0..columns {
                sum = add(sum, cells[row * columns + column]);
                corner[(row + 1) * width + column + 1] = add(corner[row * width + column + 1], sum);
            }
        }
        Self { rows, columns, corner, scale: scale(cells) }
    }

    fn sums(&self, [(top, bottom), (left, right)]: Rect) -> Sums {
        let at = |row: usize, column: usize| self.corner[row * (self.columns + 1) + column];
        add(less(less(at(bottom, right), at(top, right)), at(bottom, left)), at(top, left))
    }

    fn whole(&self) -> Rect {
        [(0, self.rows), (0, self.columns)]
    }

    /// Writes the answers of the best small tree, or with a `draw` of a random one, into `step`; none leaves it 0.
    pub(super) fn grow(&self, limits: &Limits, draw: Option<&mut Stream>, step: &mut [f64]) {
        step.fill(0.0);
        let leaves = match draw {
            Some(stream) => self.drawn(limits, stream),
            None => self.best(limits).map_or_else(Vec::new, |(leaves, _)| leaves),
        };
        if leaves.len() < 2 {
            return;
        }
        for leaf in leaves {
            let answer = limits.answer(self.sums(leaf));
            for row in leaf[0].0..leaf[0].1 {
                step[row * self.columns..][leaf[1].0..leaf[1].1].fill(answer);
            }
        }
    }

    /// The best tree and what it gains.
    pub(super) fn best(&self, limits: &Limits) -> Option<(Vec<Rect>, f64)> {
        let whole = self.whole();
        let start = limits.worth(self.sums(whole), self.scale);
        let mut best: Option<(Vec<Rect>, f64)> = None;
        for side in 0..2 {
            for at in 1..whole[side].1 {
                let halves = cut(whole, side, at);
                if !halves.iter().all(|&half| limits.allow(self.sums(half))) {
                    continue;
                }
                let halves = halves.map(|half| self.halved(limits, half, 1 - side));
                let gain = halves[0].1 + halves[1].1 - start;
                if gain > 1e-12 * (halves[0].1 + halves[1].1) && best.as_ref().is_none_or(|best| gain > best.1) {
                    best = Some((halves.into_iter().flat_map(|half| half.0).collect(), gain));
                }
            }
        }
        best
    }

    /// The best one cut of a half, or none, and what its leaves are worth.
    fn halved(&self, limits: &Limits, half: Rect, side: usize) -> (Vec<Rect>, f64) {
        let all = self.sums(half);
        let mut best = (0, limits.worth(all, self.scale));
        for at in half[side].0 + 1..half[side].1 {
            let first = self.sums(cut(half, side, at)[0]);
            let second = less(all, first);
            if limits.allow(first) && limits.allow(second) {
                let worth = limits.worth(first, self.scale) + limits.worth(second, self.scale);
                if worth > best.1 {
                    best = (at, worth);
                }
            }
        }
        (if best.0 == 0 { vec![half] } else { cut(half, side, best.0).to_vec() }, best.1)
    }

    fn drawn(&self, limits: &Limits, stream: &mut Stream) -> Vec<Rect> {
        let side = stream.below(2);
        let mut leaves = vec![self.whole()];
        for side in [side, 1 - side] {
            leaves = leaves
                .into_iter()
                .flat_map(|leaf| {
                    let all = self.sums(leaf);
                    let may: Vec<usize> = (leaf[side].0 + 1..leaf[side].1)
                        .filter(|&at| {
                            let first = self.sums(cut(leaf, side, at)[0]);
                            limits.allow(first) && limits.allow(less(all, first))
                        })
                        .collect();
                    if may.is_empty() { vec![leaf] } else { cut(leaf, side, may[stream.below(may.len())]).to_vec() }
                })
                .collect();
        }
        leaves
    }
}

fn cut(rect: Rect, side: usize, at: usize) -> [Rect; 2] {
    let mut parts = [rect, rect];
    parts[0][side].1 = at;
    parts[1][side].0 = at;
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_leaves: 4, min_weight: 1.0, min_hessian: 0.0, l2: 0.0, learning_rate: 1.0 };

    #[test]
    fn a_checkerboard_is_found_by_either_way() {
        let cells: Vec<Sums> = [1.0, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0].map(|g| [g, 1.0, 1.0]).to_vec();
        let grid = Grid::of(&cells, 3);
        let mut step = [9.0; 9];
        grid.grow(&LIMITS, None, &mut step);
        assert_eq!(step, [-1.0, -1.0, 1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0]);
        let (leaves, gain) = grid.best(&LIMITS).unwrap();
        // Nine pure cells, less (1)² / 9 for the whole.
        assert_eq!(leaves.len(), 4);
        assert!((gain - (9.0 - 1.0 / 9.0)).abs() < 1e-12);
    }

    #[test]
    fn the_two_halves_may_be_cut_at_different_places() {
        let cells: Vec<Sums> = [1.0, -1.0, -1.0, 1.0, 1.0, -1.0].map(|g| [g, 1.0, 1.0]).to_vec();
        let mut step = [0.0; 6];
        Grid::of(&cells, 3).grow(&LIMITS, None, &mut step);
        assert_eq!(step, [-1.0, 1.0, 1.0, -1.0, -1.0, 1.0]);
        Grid::of(&[[1.0, 1.0, 1.0]; 6], 3).grow(&LIMITS, None, &mut step);
        assert_eq!(step, [0.0; 6], "nothing to gain");
    }

    #[test]
    fn random_trees_leave_enough_in_each_leaf() {
        let grid = Grid::of(&[[1.0, 1.0, 1.0]; 16], 4);
        let limits = Limits { min_weight: 4.0, ..LIMITS };
        for seed in 0..20 {
            let leaves = grid.drawn(&limits, &mut Stream::new(seed, "pair"));
            assert!(leaves.iter().all(|&leaf| grid.sums(leaf)[2] >= 4.0) && leaves.len() > 1);
            assert_eq!(leaves.iter().map(|&leaf| grid.sums(leaf)[2]).sum::<f64>(), 16.0);
        }
    }
}
