//! What the metrics of a ranking share: a value of each list, and their mean.
//!
//! A list is the rows of a group in the order of their scores, the largest first. Rows of equal scores could stand in any
//! order; each metric is the expected value over these orders, so the order of the input does not matter (McSherry &
//! Najork 2008). A list without a row of a grade above 0 has no good or bad order: it is left out. A list weighs the mean
//! of its rows' weights.

use ndarray::Array1;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::target::{RankingTarget, TargetValues};
use stagewise_numeric::parallel;
use stagewise_numeric::sum::{ExactSum, exact_sum_by};

use super::rows::{Rows, finite, numbers, undefined};

/// Lists of one parallel task.
const BLOCK: usize = 64;

/// The rows of a list whose scores are equal.
pub(super) struct Tie {
    /// How many rows stand before them.
    pub(super) before: usize,
    /// How many they are.
    pub(super) rows: usize,
    /// How many of them have a grade above 0.
    pub(super) relevant: usize,
}

/// The ties of a list, from the largest score on.
pub(super) fn ties(scores: &[f64], grades: &[f64]) -> Vec<Tie> {
    let order = stagewise_numeric::rank::order_descending(scores);
    let mut before = 0;
    let of = |tied: &[usize]| {
        let relevant = tied.iter().filter(|&&row| grades[row] > 0.0).count();
        before += tied.len();
        Tie { before: before - tied.len(), rows: tied.len(), relevant }
    };
    order.chunk_by(|&a, &b| scores[a] == scores[b]).map(of).collect()
}

/// The weighted mean over all lists of what `of` gives for scores and grades.
pub(super) fn mean(
    what: &str,
    truth: &RankingTarget,
    output: &Array1<f64>,
    weights: Option<&[f64]>,
    of: impl Fn(&[f64], &[f64]) -> f64 + Sync,
) -> Result<f64> {
    let rows = Rows::check(truth.len(), output.len(), weights)?;
    let (scores, grades) = (numbers(output)?, truth.grades());
    let lists = truth.lists();
    let blocks = parallel::blocks(lists.len(), BLOCK, |range| {
        let (mut sum, mut total) = (ExactSum::new(), ExactSum::new());
        for list in &lists[range] {
            let weight = exact_sum_by(list.len(), |i| rows.weight(list[i])) / list.len() as f64;
            let of_rows = |values: &[f64]| list.iter().map(|&row| values[row]).collect::<Vec<f64>>();
            let grades = of_rows(grades);
            if weight > 0.0 && grades.iter().any(|&grade| grade > 0.0) {
                sum.add(weight * of(&of_rows(&scores), &grades));
                total.add(weight);
            }
        }
        (sum, total)
    });
    let (mut sum, mut total) = (ExactSum::new(), ExactSum::new());
    for (more, weight) in &blocks {
        sum.merge(more);
        total.merge(weight);
    }
    if total.value() == 0.0 {
        return Err(undefined(what, "no group with a weight has a row of a grade above 0"));
    }
    finite(what, sum.value() / total.value())
}

/// The number of places that count.
pub(super) fn places(at: Option<usize>) -> Result<usize> {
    ParameterError::check(at != Some(0), "at", 0, "at least 1")?;
    Ok(at.unwrap_or(usize::MAX))
}

/// The name of a metric of the first places.
pub(super) fn name(base: &str, at: Option<usize>) -> String {
    at.map_or_else(|| base.into(), |at| format!("{base}_at_{at}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use stagewise_core::metric::Metric;
    use stagewise_core::task::Ranking;
    use stagewise_testkit::conformance;

    /// The promises of a metric, on lists with ties, torn apart in the table, one of them without a relevant row.
    pub(crate) fn conforms(metric: &impl Metric<Ranking>) {
        let truth = RankingTarget::new([2.0, 0.0, 1.0, 3.0, 0.0, 0.0, 1.0, 0.0], [5, 2, 5, 2, 5, 9, 2, 9]).unwrap();
        let output = ndarray::arr1(&[0.3, 0.9, 0.3, 0.1, 0.3, -1.0, 0.4, 2.0]);
        let perfect = ndarray::Array1::from(truth.grades().to_vec());
        conformance::metric(metric, &truth, &output, &perfect);
        let none = truth.take(&[1, 5, 7]);
        let error = metric.score(&none, &ndarray::arr1(&[0.0, 1.0, 2.0]), None).unwrap_err().to_string();
        assert!(error.ends_with("is not defined: no group with a weight has a row of a grade above 0"), "{error}");
    }

    #[test]
    fn weights_are_means_of_lists() {
        let truth = RankingTarget::new([1.0, 0.0, 1.0], [0, 0, 1]).unwrap();
        let of = |weights: &[f64]| {
            let output = ndarray::arr1(&[1.0, 2.0, 3.0]);
            mean("mean", &truth, &output, Some(weights), |scores, _| scores[0]).unwrap()
        };
        assert_eq!(of(&[4.0, 2.0, 1.0]), 1.5);
        assert_eq!(of(&[0.0, 6.0, 1.0]), 1.5);
        assert_eq!(of(&[0.0, 0.0, 1.0]), 3.0);
    }
}
