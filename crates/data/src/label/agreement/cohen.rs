//! Cohen's kappa: two workers, nominal or ordered labels.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, Error, Result};

use super::{Agreement, Statistic, undefined};
use crate::label::annotations::Annotations;

/// How bad it is that two labels differ: by their places in the order of the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KappaWeights {
    /// Any difference is as bad as another.
    #[default]
    None,
    /// `|i − j|`.
    Linear,
    /// `(i − j)²`.
    Quadratic,
}

/// Cohen's kappa of two workers over the tasks that both answered: `1 − Σ w o / Σ w e`, `o` how often each pair of labels
/// was given, `e` how often it would be by chance, `n_i n_j / n`, `w` the [weight](KappaWeights) of the pair.
///
/// With weights the labels must be in order: see [`Annotations::ordered`]. `O(tasks + labels²)`.
///
/// # Errors
/// [`DataError::UnknownLevel`] for a worker who is not there; `NumericError::Undefined` where no task was answered by
/// both, or both always gave one and the same label.
///
/// ```
/// use stagewise_core::{column::Column, table::Table};
/// use stagewise_data::label::{Annotations, KappaWeights, cohen_kappa};
///
/// let table = Table::of([
///     ("task", Column::numbers([1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0])),
///     ("worker", Column::texts(["a", "b", "a", "b", "a", "b", "a", "b"].map(Some))),
///     ("label", Column::numbers([0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0])),
/// ])?;
/// let answers = Annotations::of(&table, "task", "worker", "label")?;
/// assert_eq!(cohen_kappa(&answers, "a", "b", KappaWeights::None)?.value(), 0.5);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Cohen (1960, 1968). Checked against scikit-learn 1.9.1 `cohen_kappa_score`, tolerance 1e-12.
pub fn cohen_kappa(answers: &Annotations, first: &str, second: &str, weights: KappaWeights) -> Result<Agreement> {
    const MEASURE: &str = "Cohen's kappa";
    let code = |worker: &str| {
        let known = || answers.workers().to_strings();
        let code = answers.workers().code(worker);
        code.ok_or_else(|| Error::from(DataError::UnknownLevel { level: worker.into(), known: known() }))
    };
    let (first, second) = (code(first)?, code(second)?);
    let by = |task: usize, worker: u32| answers.to(task).iter().find(|g| g.worker == worker).map(|g| g.label);
    let pairs: Vec<(u32, u32)> =
        (0..answers.tasks().len()).filter_map(|task| by(task, first).zip(by(task, second))).collect();
    if pairs.is_empty() {
        return Err(undefined(MEASURE, "no task was answered by both"));
    }
    let kappa = Cohen { pairs, labels: answers.labels().len(), weights };
    Agreement::new(MEASURE, kappa, "both always gave one and the same label")
}

#[derive(Debug)]
struct Cohen {
    pairs: Vec<(u32, u32)>,
    labels: usize,
    weights: KappaWeights,
}

impl Statistic for Cohen {
    fn tasks(&self) -> usize {
        self.pairs.len()
    }

    fn of(&self, times: &[f64]) -> Option<f64> {
        let (mut rows, mut columns) = (vec![0.0; self.labels], vec![0.0; self.labels]);
        let (mut total, mut differ) = (0.0, 0.0);
        for (&(a, b), &n) in self.pairs.iter().zip(times) {
            rows[a as usize] += n;
            columns[b as usize] += n;
            total += n;
            differ += n * self.weight(a as usize, b as usize);
        }
        let mut chance = 0.0;
        for (i, row) in rows.iter().enumerate().filter(|(_, row)| **row > 0.0) {
            for (j, column) in columns.iter().enumerate() {
                chance += self.weight(i, j) * row * column;
            }
        }
        (chance > 0.0).then(|| 1.0 - differ * total / chance)
    }
}

impl Cohen {
    fn weight(&self, i: usize, j: usize) -> f64 {
        let apart = i.abs_diff(j) as f64;
        match self.weights {
            KappaWeights::None => f64::from(u8::from(i != j)),
            KappaWeights::Linear => apart,
            KappaWeights::Quadratic => apart * apart,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;

    #[test]
    fn what_has_no_value_is_refused() {
        let answers = annotations(&[("1", "a", "x"), ("1", "b", "x"), ("2", "c", "y")]);
        let of = |a, b| cohen_kappa(&answers, a, b, KappaWeights::None).unwrap_err().to_string();
        assert_eq!(of("a", "b"), "Cohen's kappa is not defined: both always gave one and the same label");
        assert_eq!(of("a", "c"), "Cohen's kappa is not defined: no task was answered by both");
        assert!(of("a", "z").contains("`z` is none of the known levels"));
    }

    #[test]
    fn missing_answers_leave_their_tasks_out() {
        let answers = annotations(&[
            ("1", "a", "x"),
            ("1", "b", "x"),
            ("2", "a", "y"),
            ("2", "b", "y"),
            ("3", "a", "y"),
            ("3", "b", ""),
        ]);
        let kappa = cohen_kappa(&answers, "a", "b", KappaWeights::Quadratic).unwrap();
        assert_eq!((kappa.value(), kappa.tasks()), (1.0, 2));
    }
}
