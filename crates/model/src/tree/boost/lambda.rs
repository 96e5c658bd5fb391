//! LambdaRank: slopes and curvatures of rows that are learned from in lists.
//!
//! Two rows of a list with different grades are a pair: a logistic loss on the difference of their scores, times what the
//! NDCG of the list would change if they changed places. It has no loss of a row, so the history shows `1 − NDCG`. Lists
//! are worked on in parallel, each by one thread, and written in their order: the same bits on any number of threads.

use stagewise_core::target::RankingTarget;
use stagewise_numeric::exp::exp;
use stagewise_numeric::gain::{dcg, discount, ideal_dcg};
use stagewise_numeric::parallel;

use super::objective::{LEAST, Truth};

/// Lists of one parallel task.
const BLOCK: usize = 16;
/// Keeps the distance of scores, by which a change of NDCG is divided, from 0.
const NEAREST: f64 = 0.01;

/// The lists of the training rows, with what of them stays the same from round to round.
pub(crate) struct Lists {
    lists: Vec<List>,
    /// At least one row of a pair stands in one of so many first places.
    truncation: usize,
    discounts: Vec<f64>,
}

struct List {
    /// Ascending.
    rows: Vec<usize>,
    gains: Vec<f64>,
    /// The largest DCG; 0 where no row has a gain.
    ideal: f64,
}

impl Lists {
    pub(crate) fn new(target: &RankingTarget, truncation: usize) -> Self {
        let list = |rows: Vec<usize>| {
            let gains: Vec<f64> = rows.iter().map(|&row| target.grades()[row].exp2() - 1.0).collect();
            let ideal = ideal_dcg(&gains, truncation);
            List { rows, gains, ideal }
        };
        let lists: Vec<List> = target.lists().into_iter().map(list).collect();
        let longest = lists.iter().map(|list| list.rows.len()).max().unwrap_or(0);
        Self { lists, truncation, discounts: (0..longest).map(discount).collect() }
    }

    /// Whether no list has a row of a grade above 0.
    pub(crate) fn irrelevant(&self) -> bool {
        self.lists.iter().all(|list| list.ideal == 0.0)
    }

    /// Writes gradient and hessian of all rows.
    pub(crate) fn pairs(&self, truth: &Truth<'_>, scores: &[f64], pairs: &mut [[f64; 2]]) {
        let blocks = parallel::blocks(self.lists.len(), BLOCK, |lists| {
            self.lists[lists].iter().flat_map(|list| self.list_pairs(list, truth, scores)).collect::<Vec<_>>()
        });
        let rows = self.lists.iter().flat_map(|list| &list.rows);
        for (&row, [gradient, hessian]) in rows.zip(blocks.into_iter().flatten()) {
            let weight = truth.weight(row);
            pairs[row] = [weight * gradient, weight * hessian.max(LEAST)];
        }
    }

    /// The pairs of the rows of a list, in their order.
    fn list_pairs(&self, list: &List, truth: &Truth<'_>, scores: &[f64]) -> Vec<[f64; 2]> {
        let mut pairs = vec![[0.0; 2]; list.rows.len()];
        if list.ideal == 0.0 {
            return pairs;
        }
        let score = |place: usize| scores[list.rows[place]];
        let mut order: Vec<usize> = (0..list.rows.len()).collect();
        // Ties in the order of the rows: something must break them, or nothing is learned from a first constant score.
        order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        let spread = order.first().zip(order.last()).is_some_and(|(&best, &worst)| score(best) != score(worst));
        let mut total = 0.0;
        for (i, &a) in order.iter().enumerate().take(self.truncation) {
            for (j, &b) in order.iter().enumerate().skip(i + 1) {
                let [grade_a, grade_b] = [a, b].map(|place| truth.values[list.rows[place]]);
                if grade_a == grade_b {
                    continue;
                }
                let (high, low) = if grade_a > grade_b { (a, b) } else { (b, a) };
                let distance = score(high) - score(low);
                let mut change =
                    (list.gains[high] - list.gains[low]) * (self.discounts[i] - self.discounts[j]) / list.ideal;
                if spread {
                    change /= NEAREST + distance.abs();
                }
                let wrong = 1.0 / (1.0 + exp(distance));
                let (slope, curvature) = (wrong * change, wrong * (1.0 - wrong) * change);
                pairs[high] = [pairs[high][0] - slope, pairs[high][1] + curvature];
                pairs[low] = [pairs[low][0] + slope, pairs[low][1] + curvature];
                total += 2.0 * slope;
            }
        }
        // Long lists have more pairs; with this they do not count as much more.
        if total > 0.0 {
            let factor = total.ln_1p() / (std::f64::consts::LN_2 * total);
            pairs.iter_mut().for_each(|pair| *pair = pair.map(|part| part * factor));
        }
        pairs
    }

    /// The weighted mean of `1 − NDCG` of every `step`-th list, without those that have no gain; 0 if none has.
    pub(crate) fn loss(&self, truth: &Truth<'_>, scores: &[f64], step: usize) -> f64 {
        let lists: Vec<&List> = self.lists.iter().step_by(step).filter(|list| list.ideal > 0.0).collect();
        let blocks = parallel::blocks(lists.len(), BLOCK, |range| {
            lists[range].iter().fold([0.0; 2], |[sum, total], list| {
                let scores: Vec<f64> = list.rows.iter().map(|&row| scores[row]).collect();
                let weight = list.rows.first().map_or(0.0, |&row| truth.weight(row));
                let lost = 1.0 - dcg(&scores, &list.gains, self.truncation) / list.ideal;
                [sum + weight * lost, total + weight]
            })
        });
        let [sum, total] = blocks.into_iter().fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
        if total > 0.0 { sum / total } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::target::TargetValues;
    use stagewise_testkit::golden;

    #[test]
    fn slopes_and_curvatures_are_those_of_the_definition() {
        let golden = golden::load("lambda_rank.json");
        let mut seen = 0;
        for case in golden.cases.iter().filter(|case| case.name.starts_with("lambdas")) {
            seen += 1;
            let (grades, scores) = (case.numbers("/input/grades"), case.numbers("/input/scores"));
            let groups: Vec<u32> = case.numbers("/input/groups").iter().map(|&group| group as u32).collect();
            let target = RankingTarget::new(grades.clone(), groups).unwrap();
            let weights = target.list_weights(case.optional_numbers("/input/weights").as_deref());
            let lists = Lists::new(&target, case.number("/input/truncation") as usize);
            let truth = Truth { values: &grades, weights: weights.as_deref() };
            let mut pairs = vec![[0.0; 2]; grades.len()];
            lists.pairs(&truth, &scores, &mut pairs);
            let [gradient, hessian] = [0, 1].map(|part| pairs.iter().map(|pair| pair[part]).collect::<Vec<_>>());
            golden.assert_all_close(&gradient, &case.numbers("/expected/gradient"), &format!("{} gradient", case.name));
            golden.assert_all_close(&hessian, &case.numbers("/expected/hessian"), &format!("{} hessian", case.name));
            golden.assert_close(lists.loss(&truth, &scores, 1), case.number("/expected/loss"), &case.name);
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn a_list_without_order_teaches_nothing() {
        let target = RankingTarget::new([0.0, 0.0, 3.0, 3.0, 1.0], [0, 0, 1, 1, 2]).unwrap();
        let lists = Lists::new(&target, 30);
        let truth = Truth { values: target.grades(), weights: None };
        let mut pairs = vec![[1.0; 2]; 5];
        lists.pairs(&truth, &[0.3, 0.1, 0.0, 5.0, 2.0], &mut pairs);
        assert!(pairs.iter().all(|&pair| pair == [0.0, LEAST]), "{pairs:?}");
        assert_eq!(lists.loss(&truth, &[0.0; 5], 1), 0.0);
        assert!(Lists::new(&target.take(&[0, 1]), 30).irrelevant() && !lists.irrelevant());
    }

    #[test]
    fn one_pair_by_hand() {
        // Both scores 0: half of the pair is wrong; its NDCG is 1 or 1/log2(3); log2(1 + total)/total is near 1.27.
        let target = RankingTarget::new([0.0, 1.0], [4, 4]).unwrap();
        let mut pairs = vec![[0.0; 2]; 2];
        Lists::new(&target, 30).pairs(&Truth { values: target.grades(), weights: None }, &[0.0; 2], &mut pairs);
        let change = 1.0 - 1.0 / 3f64.log2();
        let factor = (1.0 + change).log2() / change;
        for (pair, sign) in pairs.iter().zip([1.0, -1.0]) {
            assert!((pair[0] - sign * 0.5 * change * factor).abs() < 1e-15, "{pair:?}");
            assert!((pair[1] - 0.25 * change * factor).abs() < 1e-15, "{pair:?}");
        }
    }
}
