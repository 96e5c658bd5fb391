//! The best split of the rows of a node, by Gini impurity: our own search.
//!
//! Values are replaced by their rank among the distinct values of the column. Ranks cannot overflow or be too close
//! to tell apart, and a column of few values (one-hot) is counted instead of sorted. Features are searched in parallel;
//! of equally good splits the first feature and the smallest threshold wins, whatever the threads.

use ndarray::ArrayView2;
use rayon::prelude::*;
use stagewise_numeric::rank;

/// Training rows as a tree sees them.
pub(super) struct Rows {
    /// Per feature the rank of each row.
    ranks: Vec<Vec<u32>>,
    /// Per feature the distinct values, ascending.
    values: Vec<Vec<f64>>,
    pub(super) class: Vec<u32>,
    pub(super) classes: usize,
    pub(super) weights: Option<Vec<f64>>,
}

/// Rows with a rank up to `rank` go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) feature: usize,
    pub(super) rank: u32,
    /// By how much the impurity falls.
    pub(super) gain: f64,
}

impl Rows {
    /// Ranks the columns of finite values `x`. O(n p log n).
    pub(super) fn new(x: ArrayView2<'_, f64>, class: Vec<u32>, classes: usize, weights: Option<&[f64]>) -> Self {
        let (ranks, values) = (0..x.ncols())
            .into_par_iter()
            .map(|j| {
                // Adding 0 makes -0.0 the 0.0 that it is equal to.
                let column: Vec<f64> = x.column(j).iter().map(|v| v + 0.0).collect();
                let mut ranks = vec![0; column.len()];
                let mut values: Vec<f64> = Vec::new();
                for row in rank::order(&column) {
                    if values.last() != Some(&column[row]) {
                        values.push(column[row]);
                    }
                    ranks[row] = values.len() as u32 - 1;
                }
                (ranks, values)
            })
            .unzip();
        Self { ranks, values, class, classes, weights: weights.map(<[f64]>::to_vec) }
    }

    pub(super) fn features(&self) -> usize {
        self.ranks.len()
    }

    pub(super) fn rank(&self, feature: usize, row: u32) -> u32 {
        self.ranks[feature][row as usize]
    }

    pub(super) fn weight(&self, row: u32) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[row as usize])
    }

    /// The weight of each class.
    pub(super) fn totals(&self, rows: &[u32]) -> Vec<f64> {
        let mut totals = vec![0.0; self.classes];
        rows.iter().for_each(|&r| totals[self.class[r as usize] as usize] += self.weight(r));
        totals
    }

    /// The rows of each side, and a threshold half-way between them; `None` if one side is empty.
    pub(super) fn part(&self, rows: &[u32], split: Split) -> Option<(Vec<u32>, Vec<u32>, f64)> {
        let ranks = &self.ranks[split.feature];
        let (left, right): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&r| ranks[r as usize] <= split.rank);
        let low = left.iter().map(|&r| ranks[r as usize]).max()?;
        let high = right.iter().map(|&r| ranks[r as usize]).min()?;
        let values = &self.values[split.feature];
        Some((left, right, between(values[low as usize], values[high as usize])))
    }

    /// The best split whose sides each weigh at least `min_side`.
    pub(super) fn best(&self, rows: &[u32], min_side: f64) -> Option<Split> {
        let totals = self.totals(rows);
        let found: Vec<Option<Split>> =
            (0..self.features()).into_par_iter().map(|j| self.best_of(j, rows, &totals, min_side)).collect();
        found.into_iter().flatten().fold(None, |best: Option<Split>, split| match best {
            Some(best) if best.gain >= split.gain => Some(best),
            _ => Some(split),
        })
    }

    fn best_of(&self, feature: usize, rows: &[u32], totals: &[f64], min_side: f64) -> Option<Split> {
        let k = self.classes;
        let ranks = &self.ranks[feature];
        // The weight of each class at each rank that occurs, ascending.
        let mut steps: Vec<(u32, Vec<f64>)> = Vec::new();
        let distinct = self.values[feature].len();
        if distinct < 2 {
            return None;
        }
        if distinct <= rows.len() / 4 + 2 {
            let mut counts = vec![0.0; distinct * k];
            for &r in rows {
                counts[ranks[r as usize] as usize * k + self.class[r as usize] as usize] += self.weight(r);
            }
            let occurring = counts.chunks(k).enumerate().filter(|(_, c)| c.iter().any(|&w| w > 0.0));
            steps.extend(occurring.map(|(rank, c)| (rank as u32, c.to_vec())));
            return scan(feature, steps.iter().map(|(rank, c)| (*rank, c.as_slice())), totals, min_side);
        }
        let mut order: Vec<(u32, u32)> = rows.iter().map(|&r| (ranks[r as usize], r)).collect();
        order.sort_unstable();
        let mut counts = Vec::with_capacity(order.len() * k);
        let mut at = Vec::with_capacity(order.len());
        for (rank, r) in order {
            if at.last() != Some(&rank) {
                at.push(rank);
                counts.resize(counts.len() + k, 0.0);
            }
            let from = counts.len() - k;
            counts[from + self.class[r as usize] as usize] += self.weight(r);
        }
        scan(feature, at.into_iter().zip(counts.chunks(k)), totals, min_side)
    }
}

/// The best place to cut between steps: the impurity falls by `Σ_sides (Σ_c w_c² / w) / W − Σ_c W_c² / W²`.
fn scan<'a>(
    feature: usize,
    steps: impl Iterator<Item = (u32, &'a [f64])>,
    totals: &[f64],
    min_side: f64,
) -> Option<Split> {
    /// What rounding may make of no gain at all.
    const ROUNDING: f64 = 1e-12;
    let total: f64 = totals.iter().sum();
    let purity = totals.iter().map(|w| w * w).sum::<f64>() / (total * total);
    let mut left = vec![0.0; totals.len()];
    let mut best: Option<Split> = None;
    for (rank, weights) in steps {
        left.iter_mut().zip(weights).for_each(|(l, w)| *l += w);
        let (mut sum, mut squares, mut other, mut other_squares) = (0.0, 0.0, 0.0, 0.0);
        for (l, t) in left.iter().zip(totals) {
            let r = (t - l).max(0.0);
            sum += l;
            squares += l * l;
            other += r;
            other_squares += r * r;
        }
        if sum < min_side || other < min_side || sum <= 0.0 || other <= 0.0 {
            continue;
        }
        let gain = (squares / sum + other_squares / other) / total - purity;
        if gain > ROUNDING && best.is_none_or(|best| gain > best.gain) {
            best = Some(Split { feature, rank, gain });
        }
    }
    best
}

/// A number `t` with `low <= t < high`, about half-way.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    #[test]
    fn the_best_split_by_hand() {
        // Cut between 2 and 3: pure sides; the impurity 0.5 falls to 0.
        let rows = Rows::new(array![[5.0, 1.0], [5.0, 2.0], [6.0, 3.0], [5.0, 4.0]].view(), vec![0, 0, 1, 1], 2, None);
        let split = rows.best(&[0, 1, 2, 3], 1.0).unwrap();
        assert_eq!((split.feature, split.rank, split.gain), (1, 1, 0.5));
        let (left, right, threshold) = rows.part(&[0, 1, 2, 3], split).unwrap();
        assert_eq!((left, right, threshold), (vec![0, 1], vec![2, 3], 2.5));
        assert!(rows.best(&[0, 1, 2, 3], 3.0).is_none());
    }

    proptest! {
        #[test]
        fn counting_and_sorting_agree(values in prop::collection::vec((0u8..6, 0u32..3), 40)) {
            let class: Vec<u32> = values.iter().map(|v| v.1).collect();
            let x = ndarray::Array2::from_shape_fn((40, 1), |(i, _)| f64::from(values[i].0));
            let rows = Rows::new(x.view(), class, 3, None);
            // All rows are counted; a subset of few is sorted. A copy whose values list is long is always sorted.
            let all: Vec<u32> = (0..40).collect();
            let counted = rows.best(&all, 2.0);
            let mut long = rows;
            long.values[0].extend((0..100).map(|i| 1e6 + f64::from(i)));
            prop_assert_eq!(long.best(&all, 2.0), counted);
        }

        #[test]
        fn a_threshold_lies_between(a in -1e308f64..1e308, b in -1e308f64..1e308) {
            prop_assume!(a < b);
            let t = between(a, b);
            prop_assert!(a <= t && t < b);
        }
    }
}
