//! The small tree of one column: a few leaves over its cells in order.
//!
//! Cells come with the sums of their rows' pairs, so a tree is grown without looking at rows. The cell of missing values is
//! a leaf of its own. Categories are ordered by the mean slope of their levels, drawn towards 0 for levels of few rows.

use stagewise_numeric::random::Stream;

/// What a small tree may look like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub(super) max_leaves: usize,
    /// The least weight of a leaf's rows.
    pub(super) min_weight: f64,
    pub(super) min_hessian: f64,
    pub(super) l2: f64,
    pub(super) learning_rate: f64,
}

/// Sums of gradients, hessians and weights.
pub(super) type Sums = [f64; 3];

pub(super) fn add(a: Sums, b: Sums) -> Sums {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn less(a: Sums, b: Sums) -> Sums {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

impl Limits {
    /// Whether these rows may be a leaf.
    pub(super) fn allow(&self, sums: Sums) -> bool {
        sums[2] >= self.min_weight && sums[1] >= self.min_hessian && sums[1] > 0.0
    }

    /// What rows are worth as a leaf, the slope in units of `scale`, so that no square of it is infinite.
    pub(super) fn worth(&self, sums: Sums, scale: f64) -> f64 {
        let slope = sums[0] * scale;
        slope * slope / (sums[1] + self.l2)
    }

    /// What a leaf answers.
    pub(super) fn answer(&self, sums: Sums) -> f64 {
        -self.learning_rate * sums[0] / (sums[1] + self.l2)
    }
}

/// The unit of slopes: the largest of all cells is 1.
pub(super) fn scale(cells: &[Sums]) -> f64 {
    let largest = cells.iter().fold(0.0_f64, |largest, cell| largest.max(cell[0].abs()));
    if largest > 0.0 { 1.0 / largest } else { 1.0 }
}

/// Least share of a leaf's worth that a cut must gain: less is rounding.
const ROUNDING: f64 = 1e-12;

/// The answers of a small tree over `cells`, the last of which is for missing values, into `step`. With a `draw` the
/// cuts are random instead of the best. A column without a cut answers 0.
pub(super) fn grow(limits: &Limits, cells: &[Sums], draw: Option<&mut Stream>, order: Option<f64>, step: &mut [f64]) {
    step.fill(0.0);
    let Some((&missing, present)) = cells.split_last() else { return };
    if limits.allow(missing) {
        step[present.len()] = limits.answer(missing);
    }
    let order: Option<Vec<usize>> = order.map(|smoothing| by_slope(present, smoothing));
    let place = |i: usize| order.as_ref().map_or(i, |order| order[i]);
    let mut before = Vec::with_capacity(present.len() + 1);
    let mut sum = [0.0; 3];
    before.push(sum);
    for i in 0..present.len() {
        sum = add(sum, present[place(i)]);
        before.push(sum);
    }
    let line = Line { limits, before: &before, scale: scale(cells) };
    let leaves = match draw {
        Some(stream) => line.drawn(stream),
        None => line.best(),
    };
    if leaves.len() > 1 {
        for (from, to) in leaves {
            let answer = limits.answer(line.between(from, to));
            (from..to).for_each(|i| step[place(i)] = answer);
        }
    }
}

/// The cells by mean slope, that of light cells drawn towards 0 as by so many rows of mean curvature.
fn by_slope(cells: &[Sums], smoothing: f64) -> Vec<usize> {
    let [_, hessian, weight] = cells.iter().fold([0.0; 3], |sum, cell| add(sum, *cell));
    let extra = if weight > 0.0 { smoothing * hessian / weight } else { 0.0 };
    let key = |cell: &Sums| if cell[1] + extra > 0.0 { cell[0] / (cell[1] + extra) } else { 0.0 };
    let keys: Vec<f64> = cells.iter().map(key).collect();
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    order
}

/// Cells in order, by the sums before each of them.
struct Line<'a> {
    limits: &'a Limits,
    before: &'a [Sums],
    scale: f64,
}

impl Line<'_> {
    fn between(&self, from: usize, to: usize) -> Sums {
        less(self.before[to], self.before[from])
    }

    /// Leaves by the best cuts: first the best of all, then the best of its sides, and so on.
    fn best(&self) -> Vec<(usize, usize)> {
        let whole = (0, self.before.len() - 1);
        let mut leaves = vec![(whole, self.cut(whole))];
        while leaves.len() < self.limits.max_leaves {
            let gain = |leaf: &((usize, usize), Option<(usize, f64)>)| leaf.1.map_or(0.0, |cut| cut.1);
            let best =
                (0..leaves.len()).fold(0, |best, i| if gain(&leaves[i]) > gain(&leaves[best]) { i } else { best });
            let ((from, to), Some((at, _))) = leaves[best] else { break };
            leaves[best] = ((from, at), self.cut((from, at)));
            leaves.push(((at, to), self.cut((at, to))));
        }
        leaves.into_iter().map(|(leaf, _)| leaf).collect()
    }

    fn cut(&self, (from, to): (usize, usize)) -> Option<(usize, f64)> {
        let all = self.between(from, to);
        let whole = self.limits.worth(all, self.scale);
        let mut best: Option<(usize, f64)> = None;
        for at in from + 1..to {
            let left = self.between(from, at);
            let right = less(all, left);
            if self.limits.allow(left) && self.limits.allow(right) {
                let parts = self.limits.worth(left, self.scale) + self.limits.worth(right, self.scale);
                let gain = parts - whole;
                if gain > ROUNDING * parts && best.is_none_or(|best| gain > best.1) {
                    best = Some((at, gain));
                }
            }
        }
        best
    }

    /// Leaves by random cuts, each equally likely among those that leave enough on both sides.
    fn drawn(&self, stream: &mut Stream) -> Vec<(usize, usize)> {
        let mut leaves = vec![(0, self.before.len() - 1)];
        for _ in 1..self.limits.max_leaves {
            let mut may = Vec::new();
            for (leaf, &(from, to)) in leaves.iter().enumerate() {
                let all = self.between(from, to);
                may.extend((from + 1..to).filter_map(|at| {
                    let left = self.between(from, at);
                    (self.limits.allow(left) && self.limits.allow(less(all, left))).then_some((leaf, at))
                }));
            }
            if may.is_empty() {
                break;
            }
            let (leaf, at) = may[stream.below(may.len())];
            let (from, to) = leaves[leaf];
            leaves[leaf] = (from, at);
            leaves.push((at, to));
        }
        leaves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_leaves: 3, min_weight: 1.0, min_hessian: 0.0, l2: 0.0, learning_rate: 0.5 };

    fn cells(slopes: &[f64]) -> Vec<Sums> {
        slopes.iter().map(|&slope| [slope, 1.0, 1.0]).collect()
    }

    #[test]
    fn three_leaves_by_hand() {
        // The best cut is before the 8, then that between -2 and 0.
        let mut step = [9.0; 6];
        grow(&LIMITS, &cells(&[-2.0, -2.0, 0.0, 8.0, 8.0, 4.0]), None, None, &mut step);
        assert_eq!(step, [1.0, 1.0, -0.0, -4.0, -4.0, -2.0]);
        grow(&Limits { max_leaves: 2, ..LIMITS }, &cells(&[-3.0, -3.0, 0.0, 8.0, 8.0, 0.0]), None, None, &mut step);
        assert_eq!(step, [1.0, 1.0, 1.0, -4.0, -4.0, 0.0]);
    }

    #[test]
    fn nothing_to_cut_is_no_step_and_large_slopes_are_cut_alike() {
        let mut step = [9.0; 3];
        grow(&LIMITS, &cells(&[5.0, 5.0, 0.0]), None, None, &mut step);
        assert_eq!(step, [0.0; 3]);
        grow(&Limits { min_weight: 2.0, ..LIMITS }, &cells(&[5.0, -5.0, 3.0]), None, None, &mut step);
        assert_eq!(step, [0.0; 3], "leaves would be too light");
        grow(&LIMITS, &cells(&[5e300, -5e300, 0.0]), None, None, &mut step);
        assert_eq!(step, [-2.5e300, 2.5e300, 0.0]);
    }

    #[test]
    fn levels_are_cut_in_the_order_of_their_slopes() {
        let mut step = [9.0; 5];
        let limits = Limits { max_leaves: 2, ..LIMITS };
        grow(&limits, &cells(&[4.0, -4.0, 4.0, -4.0, 0.0]), None, Some(0.0), &mut step);
        assert_eq!(step, [-2.0, 2.0, -2.0, 2.0, 0.0]);
    }

    #[test]
    fn random_cuts_obey_the_limits() {
        let limits = Limits { min_weight: 2.0, ..LIMITS };
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..40 {
            let mut step = [0.0; 7];
            let sums = cells(&[-3.0, -1.0, 2.0, 4.0, 7.0, 9.0, 0.0]);
            grow(&limits, &sums, Some(&mut Stream::new(seed, "cut")), None, &mut step);
            // Neighbours of one leaf answer alike: at least two each.
            let cuts: Vec<usize> = (1..6).filter(|&i| step[i] != step[i - 1]).collect();
            assert!(cuts == [2, 4] || cuts == [3], "{cuts:?}");
            seen.insert(cuts);
        }
        assert_eq!(seen.len(), 2, "both are drawn");
    }
}
