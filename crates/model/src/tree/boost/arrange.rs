//! The order of the training rows in memory.
//!
//! A node counts rows that lie wherever they lie, and of many rows most are in no cache. Trees resemble each other: rows
//! that a first tree brings together mostly stay together in the others. So they are put side by side before training
//! begins. Where all that is summed up over rows is whole numbers, no bit of the model depends on their order; elsewhere
//! they stay as they came.

use stagewise_core::context::FitContext;

use super::loss::Goal;
use super::objective::Truth;
use super::sample::RowSampling;
use super::train::{Plan, Rows};
use crate::tree::bins::{Bins, Codes};
use crate::tree::grow::entry;
use crate::tree::grow::grower::{Ground, grow};
use crate::tree::grow::histogram::{Counter, Layout};

/// Bytes of codes that a cache holds: fewer are not worth it.
pub(crate) const CACHE: usize = 1 << 22;
/// Rounds from which it pays.
const ROUNDS: usize = 10;
/// Whole numbers add up exactly below this.
const EXACT: f64 = (1_u64 << 53) as f64;

/// Whether the model is the same for any order of rows, and faster for a good one.
pub(super) fn pays(plan: &Plan<'_>, train: &Rows<'_>, bytes: usize) -> bool {
    let by_row = match plan.objective {
        Goal::Built(objective) => objective.leaf_quantile().is_none(),
        // Its errors name rows.
        Goal::Given(_) => false,
    };
    let whole = train.truth.weights.is_none_or(|weights| {
        weights.iter().all(|weight| weight.fract() == 0.0) && weights.iter().sum::<f64>() < EXACT
    });
    bytes > plan.cache
        && plan.rounds >= ROUNDS
        && by_row
        && whole
        && train.lists.is_none()
        && plan.lines.is_none()
        && plan.sampling == RowSampling::All
}

/// The order in which a first tree leaves the rows.
pub(super) fn order(
    plan: &Plan<'_>,
    bins: &Bins,
    codes: &Codes,
    layout: &Layout,
    train: &Rows<'_>,
    pairs: &[[f64; 2]],
    cx: &FitContext,
) -> Vec<u32> {
    let (mut entries, mut scratch) = (Vec::new(), Vec::new());
    let scale = entry::fill(&mut entries, pairs, plan.outputs, 0, None, None);
    let columns: Vec<usize> = (0..codes.width()).filter(|&column| Some(column) != plan.offset).collect();
    let ground = Ground {
        bins,
        codes,
        counter: &Counter::new(codes, layout),
        weights: train.truth.weights,
        growth: plan.growth,
        columns: &columns,
        stream: &|purpose| cx.stream(purpose),
    };
    grow(ground, entries, &mut scratch, scale).entries.iter().map(|entry| entry.row).collect()
}

/// What belongs to the training rows, in another order.
pub(super) struct Arranged {
    values: Vec<f64>,
    weights: Option<Vec<f64>>,
    /// The scores that boosting starts from.
    pub(super) scores: Vec<f64>,
    /// Where the rows are that the history looks at.
    pub(super) seen: Vec<u32>,
}

impl Arranged {
    /// The rows `order`, each of which comes once; `seen` of them, or all, are looked at.
    pub(super) fn new(order: &[u32], truth: &Truth<'_>, scores: &[f64], outputs: usize, seen: Option<&[u32]>) -> Self {
        let take = |values: &[f64]| order.iter().map(|&row| values[row as usize]).collect();
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(at, &row)| place[row as usize] = at as u32);
        Self {
            values: take(truth.values),
            weights: truth.weights.map(take),
            scores: order.iter().flat_map(|&row| &scores[row as usize * outputs..][..outputs]).copied().collect(),
            seen: match seen {
                None => place,
                Some(seen) => seen.iter().map(|&row| place[row as usize]).collect(),
            },
        }
    }

    /// The truth in that order.
    pub(super) fn truth(&self) -> Truth<'_> {
        Truth { values: &self.values, weights: self.weights.as_deref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::boost::objective::Objective;
    use crate::tree::boost::train::boost;
    use crate::tree::grow::score::Penalty;
    use crate::tree::grow::{Growth, LevelRules, Order};
    use stagewise_core::column::Column;
    use stagewise_core::table::Table;
    use stagewise_numeric::random::Stream;

    static GROWTH: Growth = Growth {
        order: Order::Best,
        max_leaves: 12,
        max_depth: 9,
        min_weight: 5.0,
        min_hessian: 1e-3,
        min_gain: 0.0,
        penalty: Penalty::NONE,
        levels: LevelRules { one_against_rest: 4, smoothing: 10.0, l2: 10.0, max_left: 32, min_weight: 100.0 },
        monotone: Vec::new(),
        interactions: Vec::new(),
        columns_by_level: 1.0,
        columns_by_node: 1.0,
        random_cuts: false,
    };

    fn plan(objective: Objective, cache: usize) -> Plan<'static> {
        Plan {
            objective: Goal::Built(objective),
            outputs: if objective == Objective::Softmax { 3 } else { 1 },
            rounds: 15,
            learning_rate: 0.3,
            growth: &GROWTH,
            sampling: RowSampling::All,
            columns_by_tree: 1.0,
            max_bins: 63,
            patience: None,
            watch: true,
            seen: None,
            metrics: None,
            offset: None,
            lines: None,
            cache,
        }
    }

    /// Trees, and the losses of the training rows, with the rows as they came and in another order.
    #[test]
    fn no_bit_depends_on_the_order_of_rows() {
        let (rows, mut stream) = (3_000, Stream::new(3, "rows"));
        let columns: Vec<Vec<f64>> = (0..4)
            .map(|_| (0..rows).map(|_| if stream.unit() < 0.1 { f64::NAN } else { stream.normal() }).collect())
            .collect();
        let table = Table::of(
            ["a", "b", "c", "d"].iter().zip(&columns).map(|(name, values)| (*name, Column::numbers(values.clone()))),
        )
        .unwrap();
        let classes: Vec<f64> =
            (0..rows).map(|row| (stream.normal() + columns[0][row].max(-1.0)).clamp(0.0, 2.0).round()).collect();
        let events: Vec<f64> = classes.iter().map(|class| class.min(1.0)).collect();
        let whole: Vec<f64> = (0..rows).map(|_| stream.below(4) as f64).collect();
        for (objective, values, weights) in [
            (Objective::Logistic, &events, None),
            (Objective::Logistic, &events, Some(&whole)),
            (Objective::Squared, &columns[1].iter().map(|x| x.max(0.0) * 1e-3).collect(), Some(&whole)),
            (Objective::Softmax, &classes, None),
        ] {
            let truth = Truth { values, weights: weights.map(|weights| weights.as_slice()) };
            let train = Rows { table: &table, truth, lists: None, scores: None };
            let [ours, theirs] = [0, usize::MAX].map(|cache| {
                let plan = plan(objective, cache);
                assert_eq!(pays(&plan, &train, 4 * rows), cache == 0);
                boost(&plan, &vec![0.1; plan.outputs], 0, train, None, &FitContext::new(1)).unwrap()
            });
            assert!(ours.trees.len() >= 15 && ours.trees[0].leaves() == 12, "{objective:?}");
            assert_eq!(ours.trees, theirs.trees, "{objective:?}");
            assert_eq!(ours.history, theirs.history, "{objective:?}");
        }
        let uneven = vec![0.1; rows];
        let truth = Truth { values: &events, weights: Some(&uneven) };
        let train = Rows { table: &table, truth, lists: None, scores: None };
        assert!(!pays(&plan(Objective::Logistic, 0), &train, 4 * rows), "tenths add up to other bits in another order");
    }

    #[test]
    fn everything_follows_the_order() {
        let truth = Truth { values: &[1.0, 2.0, 3.0], weights: Some(&[4.0, 5.0, 6.0]) };
        let scores = [0.1, 0.2, 1.1, 1.2, 2.1, 2.2];
        let arranged = Arranged::new(&[2, 0, 1], &truth, &scores, 2, None);
        let Truth { values, weights } = arranged.truth();
        assert_eq!((values, weights), (&[3.0, 1.0, 2.0][..], Some(&[6.0, 4.0, 5.0][..])));
        assert_eq!((arranged.scores, arranged.seen), (vec![2.1, 2.2, 0.1, 0.2, 1.1, 1.2], vec![1, 2, 0]));
        assert_eq!(Arranged::new(&[2, 0, 1], &truth, &scores, 2, Some(&[1])).seen, [2]);
    }
}
