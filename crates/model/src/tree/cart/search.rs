//! The best split of one column of a node.
//!
//! A number is cut between two bins that have rows, half-way; missing values are tried on both sides. The levels of a
//! category are put in order of their mean, or for more than two classes of their share of each class in turn, and split
//! at the best place (Fisher 1958; Breiman et al. 1984, §4.2); missing values are one more level. What the node has no row
//! of goes with the larger part.

use super::tally::{Present, codes, has, put};
use super::truth::Truth;
use crate::tree::bins::ColumnBins;

/// Weights are sums of rounded ones.
const NEARLY: f64 = 1.0 - 1e-9;

/// Scores that differ by less are equal: the same split seen from the other side may differ in the last bits.
const EQUAL: f64 = 1.0 + 1e-10;

/// What a search needs to know about the node.
pub(super) struct Node<'a, T: Truth> {
    pub(super) truth: &'a T,
    pub(super) weight: f64,
    pub(super) means: T::Sums,
    /// The least weight of a child, in steps.
    pub(super) least: f64,
}

/// The best split so far.
pub(super) struct Found<S> {
    pub(super) score: f64,
    pub(super) feature: usize,
    pub(super) rule: Rule,
    pub(super) missing_left: bool,
    /// The sums of the rows that go left.
    pub(super) left: S,
}

/// Which codes go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    /// Up to the first; the second is the next that has rows, if there is one.
    UpTo(usize, Option<usize>),
    /// These.
    Among(Present),
}

/// Random words, where cuts are random.
pub(super) type Random<'a> = Option<&'a mut dyn FnMut() -> u64>;

/// What a score must exceed to be better than the best.
#[inline]
fn bar<T: Truth>(best: Option<&Found<T::Sums>>, least_score: f64) -> f64 {
    best.map_or(least_score, |best| best.score * EQUAL + T::NOISE)
}

impl<T: Truth> Node<'_, T> {
    /// Puts a better split of the column into `best`; `cells` are its sums by code, of which those `present` have rows.
    #[inline]
    pub(super) fn search(
        &self,
        feature: usize,
        bins: &ColumnBins,
        (cells, present): (&[f64], &Present),
        random: Random<'_>,
        best: &mut Option<Found<T::Sums>>,
        least_score: f64,
    ) {
        let missing = bins.bins();
        // One bin, and nothing missing: nothing to tell apart.
        if present.iter().map(|word| word.count_ones()).sum::<u32>() < 2 {
            return;
        }
        let column = Column { node: self, feature, missing, cells, present };
        match (bins, random) {
            (ColumnBins::Number { .. }, None) => column.number(best, least_score),
            (ColumnBins::Number { cuts }, Some(word)) => column.random_cut(cuts, word(), best, least_score),
            (ColumnBins::Category { .. }, None) => column.levels(best, least_score),
            (ColumnBins::Category { .. }, Some(word)) => {
                column.random_levels([(); 4].map(|()| word()), best, least_score)
            }
        }
    }
}

struct Column<'a, T: Truth> {
    node: &'a Node<'a, T>,
    feature: usize,
    /// The code of missing values.
    missing: usize,
    cells: &'a [f64],
    present: &'a Present,
}

impl<T: Truth> Column<'_, T> {
    #[inline]
    fn add(&self, sums: &mut T::Sums, code: usize) {
        let sums = sums.as_mut();
        let k = sums.len();
        sums.iter_mut().zip(&self.cells[code * k..(code + 1) * k]).for_each(|(sum, cell)| *sum += cell);
    }

    /// What a split is worth: `None` if a side is too small, and then whether it was the right one.
    #[inline]
    fn score(&self, left: &T::Sums) -> Result<f64, bool> {
        let Node { weight, least, means, .. } = self.node;
        let on_left = T::weight(left.as_ref());
        if on_left < *least {
            return Err(false);
        }
        if weight - on_left < *least {
            return Err(true);
        }
        Ok(T::score(left.as_ref(), *weight, means.as_ref()))
    }

    fn has_missing(&self) -> bool {
        has(self.present, self.missing)
    }

    /// Whether missing values go left where the node has none.
    fn larger_left(&self, left: &T::Sums) -> bool {
        T::weight(left.as_ref()) * 2.0 >= self.node.weight
    }

    fn number(&self, best: &mut Option<Found<T::Sums>>, least_score: f64) {
        let some_missing = self.has_missing();
        let mut values = *self.present;
        values[self.missing / 64] &= !(1 << (self.missing % 64));
        let mut bar = bar::<T>(best.as_ref(), least_score);
        let mut chosen = None;
        for missing_left in [false, true] {
            if missing_left && !some_missing {
                break;
            }
            let mut left = self.node.truth.nothing();
            if missing_left {
                self.add(&mut left, self.missing);
            }
            let mut order = codes(&values);
            let Some(mut last) = order.next() else { return };
            loop {
                self.add(&mut left, last);
                let next = order.next();
                if next.is_none() && (missing_left || !some_missing) {
                    break;
                }
                match self.score(&left) {
                    Ok(score) if score > bar => {
                        bar = score * EQUAL + T::NOISE;
                        chosen = Some((score, last, next, missing_left, left.clone()));
                    }
                    Err(true) => break,
                    _ => {}
                }
                match next {
                    Some(next) => last = next,
                    None => break,
                }
            }
        }
        if let Some((score, last, next, missing_left, left)) = chosen {
            let missing_left = if some_missing { missing_left } else { self.larger_left(&left) };
            *best = Some(Found { score, feature: self.feature, rule: Rule::UpTo(last, next), missing_left, left });
        }
    }

    /// A cut drawn evenly between the smallest and the largest value of the node, as near as bins tell.
    fn random_cut(&self, cuts: &[f64], word: u64, best: &mut Option<Found<T::Sums>>, least_score: f64) {
        let mut values = *self.present;
        values[self.missing / 64] &= !(1 << (self.missing % 64));
        let (Some(first), Some(last)) = (codes(&values).next(), codes(&values).last()) else { return };
        if first == last {
            // Only missing values are told apart.
            return self.number(best, least_score);
        }
        let unit = (word >> 11) as f64 / (1_u64 << 53) as f64;
        let (low, high) = (cuts[first], cuts[last - 1]);
        let at = if low.is_finite() && high.is_finite() {
            let cut = low * (1.0 - unit) + high * unit;
            // The nearest cut of the bins.
            let above = cuts.partition_point(|&c| c < cut).clamp(first, last - 1);
            let below = above.saturating_sub(1).max(first);
            if cut - cuts[below] < cuts[above] - cut { below } else { above }
        } else {
            first + (unit * (last - first) as f64) as usize
        };
        let some_missing = self.has_missing();
        let mut left = self.node.truth.nothing();
        codes(&values).take_while(|&code| code <= at).for_each(|code| self.add(&mut left, code));
        for missing_left in [false, true] {
            if missing_left {
                if !some_missing {
                    break;
                }
                self.add(&mut left, self.missing);
            }
            if let Ok(score) = self.score(&left)
                && score > bar::<T>(best.as_ref(), least_score)
            {
                let missing_left = if some_missing { missing_left } else { self.larger_left(&left) };
                let rule = Rule::UpTo(at, Some(at + 1));
                *best = Some(Found { score, feature: self.feature, rule, missing_left, left: left.clone() });
            }
        }
    }

    fn levels(&self, best: &mut Option<Found<T::Sums>>, least_score: f64) {
        let present: Vec<usize> = codes(self.present).collect();
        let mut keyed: Vec<(f64, usize)> = Vec::with_capacity(present.len());
        for order in 0..self.node.truth.orders() {
            keyed.clear();
            keyed.extend(present.iter().map(|&code| {
                let mut sums = self.node.truth.nothing();
                self.add(&mut sums, code);
                (T::key(order, sums.as_ref()), code)
            }));
            keyed.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let mut left = self.node.truth.nothing();
            let mut chosen = [0; 4];
            for &(_, code) in &keyed[..keyed.len() - 1] {
                self.add(&mut left, code);
                put(&mut chosen, code);
                self.consider(&left, chosen, best, least_score);
            }
        }
    }

    /// Each level goes left by a toss of a coin.
    fn random_levels(&self, coins: Present, best: &mut Option<Found<T::Sums>>, least_score: f64) {
        let mut left = self.node.truth.nothing();
        let mut chosen = [0; 4];
        for code in codes(self.present).filter(|&code| has(&coins, code)) {
            self.add(&mut left, code);
            put(&mut chosen, code);
        }
        self.consider(&left, chosen, best, least_score);
    }

    /// Takes a split of levels if it is better.
    fn consider(&self, left: &T::Sums, mut chosen: Present, best: &mut Option<Found<T::Sums>>, least_score: f64) {
        let Ok(score) = self.score(left) else { return };
        if score <= bar::<T>(best.as_ref(), least_score) {
            return;
        }
        if self.larger_left(left) {
            chosen.iter_mut().zip(self.present).for_each(|(chosen, present)| *chosen |= !present);
        }
        let (rule, missing_left) = (Rule::Among(chosen), has(&chosen, self.missing));
        *best = Some(Found { score, feature: self.feature, rule, missing_left, left: left.clone() });
    }
}

/// The least weight of a child, in steps: at least one.
pub(super) fn least(min_weight: f64, step: f64) -> f64 {
    (min_weight * NEARLY / step).max(1.0)
}
