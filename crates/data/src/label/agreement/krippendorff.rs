//! Krippendorff's alpha: any number of workers, answers may be missing, four scales.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, Error, Result};
use stagewise_core::record::parse;
use stagewise_core::schema::Kind;

use super::{Agreement, Statistic, undefined};
use crate::label::annotations::Annotations;

/// What the labels are, and so how bad it is that two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Names: any difference is as bad as another.
    #[default]
    Nominal,
    /// Names in order: see [`Annotations::ordered`]. `(Σ n_g − (n_c + n_k) / 2)²`, the sum over the labels from `c` to `k`,
    /// `n_g` how often a label was given.
    Ordinal,
    /// Numbers whose differences count: `(c − k)²`.
    Interval,
    /// Numbers, none negative, whose ratios count: `((c − k) / (c + k))²`.
    Ratio,
}

/// Krippendorff's alpha: `1 − D_o / D_e`, the mean difference of two answers to one task over that of any two answers.
/// A task with `m` answers counts with all its pairs, each divided by `m − 1`; tasks with one answer do not count.
///
/// `O(answers + labels²)`, more where tasks have many different labels.
///
/// # Errors
/// [`DataError::Unparsable`] for a label that is no finite number on the scales [`Interval`](Scale::Interval) and
/// [`Ratio`](Scale::Ratio); `NumericError::Undefined` for a negative number on the latter, where no task has two answers,
/// and where only one label was given to those that have.
///
/// ```
/// use stagewise_core::{column::Column, table::Table};
/// use stagewise_data::label::{Annotations, Scale, krippendorff_alpha};
///
/// let table = Table::of([
///     ("task", Column::numbers([1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0])),
///     ("worker", Column::texts(["a", "b", "a", "b", "a", "b", "a"].map(Some))),
///     ("label", Column::numbers([1.0, 1.0, 2.0, 2.0, 1.0, 2.0, 2.0])),
/// ])?;
/// let answers = Annotations::of(&table, "task", "worker", "label")?;
/// // Of 6 answers that pair, 2 of 6 differ; by chance 2 · 3 · 3 / (6 · 5) would.
/// assert!((krippendorff_alpha(&answers, Scale::Nominal)?.value() - 4.0 / 9.0).abs() < 1e-12);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Krippendorff (2011), "Computing Krippendorff's alpha-reliability". Checked against the package krippendorff 0.9,
/// tolerance 1e-12.
pub fn krippendorff_alpha(answers: &Annotations, scale: Scale) -> Result<Agreement> {
    const MEASURE: &str = "Krippendorff's alpha";
    let values = match scale {
        Scale::Nominal | Scale::Ordinal => (0..answers.labels().len()).map(|place| place as f64).collect(),
        Scale::Interval | Scale::Ratio => {
            let value = |label: &std::sync::Arc<str>| {
                let unparsable = || DataError::Unparsable { value: label.to_string(), expected: Kind::Number };
                parse::number(label).filter(|x| x.is_finite()).ok_or_else(|| Error::from(unparsable()))
            };
            answers.labels().iter().map(value).collect::<Result<Vec<f64>>>()?
        }
    };
    if let (Scale::Ratio, Some(value)) = (scale, values.iter().find(|x| **x < 0.0)) {
        return Err(undefined(MEASURE, format!("{value} is negative, which a ratio scale does not have")));
    }
    let units: Vec<Vec<(usize, f64)>> = (0..answers.tasks().len())
        .filter(|&task| answers.to(task).len() > 1)
        .map(|task| {
            let counts = answers.counts(task).into_iter().enumerate();
            counts.filter(|(_, n)| *n > 0).map(|(label, n)| (label, f64::from(n))).collect()
        })
        .collect();
    if units.is_empty() {
        return Err(undefined(MEASURE, "no task has two answers"));
    }
    // One unit for all differences: a common factor cancels, and no square leaves the range of f64.
    let largest = values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let values = if largest > 0.0 { values.iter().map(|x| x / largest).collect() } else { values };
    Agreement::new(MEASURE, Alpha { units, values, scale }, "only one label was given where tasks have two answers")
}

#[derive(Debug)]
struct Alpha {
    /// Of each task that pairs, its labels and how often each was given.
    units: Vec<Vec<(usize, f64)>>,
    values: Vec<f64>,
    scale: Scale,
}

impl Statistic for Alpha {
    fn tasks(&self) -> usize {
        self.units.len()
    }

    fn of(&self, times: &[f64]) -> Option<f64> {
        let mut counts = vec![0.0; self.values.len()];
        for (unit, &times) in self.units.iter().zip(times) {
            unit.iter().for_each(|&(label, n)| counts[label] += times * n);
        }
        let given: Vec<usize> = (0..counts.len()).filter(|&label| counts[label] > 0.0).collect();
        if given.len() < 2 {
            return None;
        }
        let mut up_to = counts.clone();
        (1..up_to.len()).for_each(|i| up_to[i] += up_to[i - 1]);
        let total = up_to.last().copied()?;
        // `c < k`.
        let apart = |c: usize, k: usize| match self.scale {
            Scale::Nominal => 1.0,
            Scale::Ordinal => {
                let between = up_to[k] - up_to[c] + counts[c] - (counts[c] + counts[k]) / 2.0;
                (between / total).powi(2)
            }
            Scale::Interval => (self.values[k] - self.values[c]).powi(2),
            Scale::Ratio => ((self.values[k] - self.values[c]) / (self.values[k] + self.values[c])).powi(2),
        };
        let mut observed = 0.0;
        for (unit, &times) in self.units.iter().zip(times).filter(|(_, times)| **times > 0.0) {
            let answers: f64 = unit.iter().map(|(_, n)| n).sum();
            for (i, &(c, n)) in unit.iter().enumerate() {
                for &(k, m) in &unit[i + 1..] {
                    observed += times * n * m / (answers - 1.0) * apart(c, k);
                }
            }
        }
        let mut expected = 0.0;
        for (i, &c) in given.iter().enumerate() {
            given[i + 1..].iter().for_each(|&k| expected += counts[c] * counts[k] * apart(c, k));
        }
        (expected > 0.0).then(|| 1.0 - (total - 1.0) * observed / expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;

    #[test]
    fn what_has_no_value_is_refused() {
        let of = |rows: &[(&'static str, &'static str, &'static str)], scale| {
            krippendorff_alpha(&annotations(rows), scale).unwrap_err().to_string()
        };
        assert!(of(&[("1", "a", "x"), ("2", "b", "y")], Scale::Nominal).contains("no task has two answers"));
        let one = [("1", "a", "x"), ("1", "b", "x"), ("2", "a", "y")];
        assert!(of(&one, Scale::Ordinal).contains("only one label"));
        assert!(of(&one, Scale::Interval).contains("`x` is not a number"));
        let negative = [("1", "a", "-1"), ("1", "b", "2")];
        assert!(of(&negative, Scale::Ratio).contains("-1 is negative"));
        assert!(of(&[], Scale::Nominal).contains("no task"));
    }

    #[test]
    fn the_unit_of_numbers_does_not_matter() {
        let rows = |scale: f64| {
            let texts: Vec<String> =
                [1.0, 2.0, 3.0, 3.0, 2.0, 2.0].iter().map(|x| format!("{:e}", x * scale)).collect();
            let rows: Vec<(&str, &str, &str)> = texts
                .iter()
                .enumerate()
                .map(|(i, t)| (["1", "2", "3"][i / 2], ["a", "b"][i % 2], t.as_str()))
                .collect();
            krippendorff_alpha(&annotations(&rows), Scale::Interval).unwrap().value()
        };
        let alpha = rows(1.0);
        for scale in [1e300, 1e-200] {
            assert!((rows(scale) - alpha).abs() < 1e-12);
        }
    }
}
