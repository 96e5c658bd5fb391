//! ROC AUC: how well answers rank events above the rest.
//!
//! Computed from one sorted walk, not from a curve of finite resolution. Every term is a product of non-negative
//! numbers, added in the order of the answers: the order of the rows changes no bit, and whole weights are exact.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::Persist;
use stagewise_core::target::BinaryTarget;
use stagewise_core::task::Binary;

use super::{ranked, rows};

/// The area under the receiver operating characteristic: the probability that an event is answered higher than one of
/// the rest, a tie counting half.
///
/// `Σ_i∈events Σ_j∈rest w_i w_j ([a_i > a_j] + ½ [a_i = a_j]) / (Σ_i w_i · Σ_j w_j)`. Range 0 to 1, higher is better; 0.5
/// is chance. Any finite answers do: only their order matters. `O(n log n)`.
///
/// # Errors
/// `NumericError::Undefined` where only one class has weight.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::metric::Metric;
/// use stagewise_core::target::BinaryTarget;
/// use stagewise_eval::RocAuc;
///
/// let truth = BinaryTarget::new([false, false, true, true]);
/// assert_eq!(RocAuc.score(&truth, &array![0.1, 0.4, 0.35, 0.8], None)?, 0.75);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Hanley & McNeil (1982). Checked against scikit-learn 1.9.1, weighted and not, tolerance 1e-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RocAuc;

impl Persist for RocAuc {
    const TAG: &'static str = "RocAuc";
}

impl Metric<Binary> for RocAuc {
    fn name(&self) -> String {
        "roc_auc".into()
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &BinaryTarget, output: &Array1<f64>, weights: Option<&[f64]>) -> Result<f64> {
        let (_, events, answers) = rows::binary(truth, output, weights)?;
        let (mut area, mut positives, mut below) = (0.0, 0.0, 0.0);
        ranked::ascending(events, &answers, weights, |group| {
            area += group.events * (below + 0.5 * group.others);
            positives += group.events;
            below += group.others;
        });
        match (positives > 0.0, below > 0.0) {
            // The last rounding may lie above 1.
            (true, true) => rows::finite("roc_auc", (area / positives / below).min(1.0)),
            (true, false) => Err(rows::undefined("roc_auc", "every row is the event")),
            (false, true) => Err(rows::undefined("roc_auc", "no row is the event")),
            (false, false) => Err(rows::undefined("roc_auc", "no row has a weight")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;
    use stagewise_testkit::conformance;

    fn auc(events: &[bool], answers: &[f64], weights: Option<&[f64]>) -> f64 {
        RocAuc.score(&BinaryTarget::new(events), &Array1::from_vec(answers.to_vec()), weights).unwrap()
    }

    #[test]
    fn conforms() {
        let truth = BinaryTarget::new([true, false, true, false, true]);
        let perfect = array![1.0, 0.0, 0.9, 0.2, 0.5];
        conformance::metric::<Binary, _>(&RocAuc, &truth, &array![0.9, 0.6, 0.3, 0.1, 0.6], &perfect);
    }

    #[test]
    fn one_class_has_none() {
        let error = |events: [bool; 2]| {
            RocAuc.score(&BinaryTarget::new(events), &array![0.1, 0.2], None).unwrap_err().to_string()
        };
        assert_eq!(error([true, true]), "roc_auc is not defined: every row is the event");
        assert_eq!(error([false, false]), "roc_auc is not defined: no row is the event");
    }

    #[test]
    fn many_rows_equal_the_count_of_pairs() {
        // Enough rows for the parallel sort; answers of few values, so that the pairs are counted by value.
        let n = 200_000_u64;
        let events: Vec<bool> = (0..n).map(|i| (i * 7919) % 13 < 4).collect();
        let answers: Vec<f64> = (0..n).map(|i| ((i * 104_729) % 1_000) as f64).collect();
        let mut counts = vec![(0u64, 0u64); 1_000];
        for (event, answer) in events.iter().zip(&answers) {
            let count = &mut counts[*answer as usize];
            if *event { count.0 += 1 } else { count.1 += 1 }
        }
        let (mut twice, mut below) = (0u64, 0u64);
        for (event, other) in &counts {
            twice += event * (2 * below + other);
            below += other;
        }
        let positives = n - below;
        let expected = twice as f64 / 2.0 / positives as f64 / below as f64;
        assert_eq!(auc(&events, &answers, None), expected);
    }

    fn rows() -> impl Strategy<Value = Vec<(bool, u8, u8)>> {
        prop::collection::vec((any::<bool>(), 0u8..64, 0u8..5), 2..60).prop_filter("both classes", |rows| {
            let has = |event| rows.iter().any(|r| r.0 == event && r.2 > 0);
            has(true) && has(false)
        })
    }

    proptest! {
        #[test]
        fn it_is_the_share_of_pairs(rows in rows()) {
            let (events, answers, weights) = parts(&rows);
            let (mut won, mut pairs) = (0.0, 0.0);
            for i in (0..rows.len()).filter(|&i| events[i]) {
                for j in (0..rows.len()).filter(|&j| !events[j]) {
                    let w = weights[i] * weights[j];
                    pairs += w;
                    won += if answers[i] > answers[j] { w } else if answers[i] == answers[j] { 0.5 * w } else { 0.0 };
                }
            }
            prop_assert!((auc(&events, &answers, Some(&weights)) - won / pairs).abs() < 1e-14);
        }

        #[test]
        fn only_the_order_of_answers_matters(rows in rows()) {
            let (events, answers, weights) = parts(&rows);
            let value = auc(&events, &answers, Some(&weights));
            let cubed: Vec<f64> = answers.iter().map(|a| (a - 0.5).powi(3) * 1e6 - 7.0).collect();
            prop_assert_eq!(auc(&events, &cubed, Some(&weights)), value);
            // Exact: the answers are multiples of 1/64.
            let flipped: Vec<f64> = answers.iter().map(|a| 1.0 - a).collect();
            prop_assert!((auc(&events, &flipped, Some(&weights)) - (1.0 - value)).abs() < 1e-14);
        }

        #[test]
        fn whole_weights_are_repeated_rows(rows in rows()) {
            let (events, answers, weights) = parts(&rows);
            let repeated: Vec<_> = rows.iter().flat_map(|r| std::iter::repeat_n(*r, r.2 as usize)).collect();
            let (many_events, many_answers, _) = parts(&repeated);
            prop_assert_eq!(auc(&events, &answers, Some(&weights)), auc(&many_events, &many_answers, None));
        }

        #[test]
        fn the_order_of_rows_changes_no_bit(rows in rows(), seed: u64) {
            let (events, answers, weights) = parts(&rows);
            let thirds: Vec<f64> = weights.iter().zip(&answers).map(|(w, a)| w / 3.0 + a / 7.0).collect();
            let order = stagewise_numeric::random::Stream::new(seed, "order").permutation(rows.len());
            let of = |values: &[f64]| order.iter().map(|&i| values[i]).collect::<Vec<_>>();
            let turned: Vec<bool> = order.iter().map(|&i| events[i]).collect();
            prop_assume!(thirds.iter().zip(&events).any(|(w, e)| *e && *w > 0.0));
            prop_assume!(thirds.iter().zip(&events).any(|(w, e)| !*e && *w > 0.0));
            let found = auc(&turned, &of(&answers), Some(&of(&thirds)));
            prop_assert_eq!(found.to_bits(), auc(&events, &answers, Some(&thirds)).to_bits());
        }
    }

    fn parts(rows: &[(bool, u8, u8)]) -> (Vec<bool>, Vec<f64>, Vec<f64>) {
        let events = rows.iter().map(|r| r.0).collect();
        let answers = rows.iter().map(|r| f64::from(r.1) / 64.0).collect();
        (events, answers, rows.iter().map(|r| f64::from(r.2)).collect())
    }
}
