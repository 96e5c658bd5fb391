//! Fleiss' kappa: any number of workers, the same number of answers to each task.

use stagewise_core::error::Result;

use super::{Agreement, Statistic, undefined};
use crate::label::annotations::{Annotations, name};

/// Fleiss' kappa: `(P − E) / (1 − E)`, `P` the share of pairs of answers to a task that are equal, averaged over tasks,
/// `E` the sum of the squared shares of the labels over all answers.
///
/// Who answered does not matter, only how many: each task must have the same number of answers, at least 2. Where
/// answers are missing use [`krippendorff_alpha`](super::krippendorff_alpha). `O(tasks · labels)`.
///
/// # Errors
/// `NumericError::Undefined` for tasks with other numbers of answers, for fewer than 2 a task, and where only one label
/// was given.
///
/// Fleiss (1971). Checked against statsmodels 0.15 `fleiss_kappa`, tolerance 1e-12.
pub fn fleiss_kappa(answers: &Annotations) -> Result<Agreement> {
    const MEASURE: &str = "Fleiss' kappa";
    let tasks = answers.tasks().len();
    let each = answers.to(0).len();
    if let Some(other) = (0..tasks).find(|&task| answers.to(task).len() != each) {
        let of = |task: usize| (name(answers.tasks(), task as u32), answers.to(task).len());
        let ((a, n), (b, m)) = (of(0), of(other));
        let why = format!("task `{a}` has {n} answers, task `{b}` has {m}; use Krippendorff's alpha");
        return Err(undefined(MEASURE, why));
    }
    if each < 2 {
        return Err(undefined(MEASURE, "each task needs at least 2 answers"));
    }
    let kappa = Fleiss { counts: (0..tasks).map(|task| answers.counts(task)).collect(), each: each as f64 };
    Agreement::new(MEASURE, kappa, "only one label was given")
}

#[derive(Debug)]
struct Fleiss {
    counts: Vec<Vec<u32>>,
    /// Answers to a task.
    each: f64,
}

impl Statistic for Fleiss {
    fn tasks(&self) -> usize {
        self.counts.len()
    }

    fn of(&self, times: &[f64]) -> Option<f64> {
        let mut labels = vec![0.0; self.counts.first().map_or(0, Vec::len)];
        let (mut tasks, mut equal) = (0.0, 0.0);
        for (counts, &n) in self.counts.iter().zip(times) {
            let squares: f64 = counts.iter().map(|&c| f64::from(c) * f64::from(c)).sum();
            counts.iter().zip(&mut labels).for_each(|(&c, label)| *label += n * f64::from(c));
            equal += n * (squares - self.each) / (self.each * (self.each - 1.0));
            tasks += n;
        }
        let total = tasks * self.each;
        let single = labels.iter().filter(|n| **n > 0.0).count() < 2;
        let chance: f64 = labels.iter().map(|n| (n / total) * (n / total)).sum();
        (!single).then(|| (equal / tasks - chance) / (1.0 - chance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;

    #[test]
    fn tasks_with_other_numbers_of_answers_are_refused() {
        let of = |rows: &[(&'static str, &'static str, &'static str)]| {
            fleiss_kappa(&annotations(rows)).unwrap_err().to_string()
        };
        let uneven = of(&[("1", "a", "x"), ("1", "b", "x"), ("2", "c", "y")]);
        assert!(uneven.contains("task `1` has 2 answers, task `2` has 1; use Krippendorff's alpha"), "{uneven}");
        assert!(of(&[("1", "a", "x"), ("2", "c", "y")]).contains("at least 2 answers"));
        assert!(of(&[("1", "a", "x"), ("1", "b", "x")]).contains("only one label"));
        assert!(of(&[]).contains("at least 2 answers"));
    }
}
