//! The calibration curve: of rows answered with 0.3, does the event happen to three in ten?
//!
//! Bins hold equally many rows, not equal ranges: answers crowd, and a bin of few rows says nothing. Equal answers are
//! never split, so a model of few distinct answers gets fewer bins.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::target::BinaryTarget;

use crate::interval::wilson_share;
use crate::metric::{ranked, rows};

/// Mean answer and share of events per bin of equally many rows.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::target::BinaryTarget;
/// use stagewise_eval::CalibrationCurve;
///
/// let truth = BinaryTarget::new([false, false, false, true]);
/// let curve = CalibrationCurve::of(&truth, &array![0.1, 0.1, 0.75, 0.75], None, 2)?;
/// assert_eq!(curve.bins()[1].answer, 0.75);
/// assert_eq!(curve.bins()[1].events, 0.5);
/// assert!((curve.error() - 0.175).abs() < 1e-15);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Naeini, Cooper & Hauskrecht (2015) for the error; Niculescu-Mizil & Caruana (2005) for the curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationCurve {
    bins: Vec<CalibrationBin>,
}

/// Rows of neighbouring answers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// The mean answer.
    pub answer: f64,
    /// The share of events.
    pub events: f64,
    /// The weight of the rows.
    pub weight: f64,
}

impl CalibrationCurve {
    /// The curve of these answers in at most `bins` bins. `O(n log n)`.
    ///
    /// # Errors
    /// [`ParameterError`] for no bins, `NumericError::Undefined` for answers outside `[0, 1]` or no weight; see
    /// [`metric`](crate::metric) for the rest.
    pub fn of(truth: &BinaryTarget, probability: &Array1<f64>, weights: Option<&[f64]>, bins: usize) -> Result<Self> {
        ParameterError::check(bins > 0, "bins", bins, "at least 1")?;
        let (rows, events, answers) = rows::binary(truth, probability, weights)?;
        rows::probabilities("the calibration curve", answers.iter())?;
        let total = rows.total();
        if total == 0.0 {
            return Err(rows::undefined("the calibration curve", "no row has a weight"));
        }
        let mut made = Vec::new();
        let (mut open, mut before) = (CalibrationBin::default(), 0.0);
        ranked::ascending(events, &answers, weights, |group| {
            let weight = group.events + group.others;
            open.answer += weight * group.answer();
            open.events += group.events;
            open.weight += weight;
            before += weight;
            // Closed as soon as it holds its share; the last takes what is left.
            if before * bins as f64 >= (made.len() + 1) as f64 * total && made.len() + 1 < bins {
                made.push(std::mem::take(&mut open));
            }
        });
        made.push(open);
        let shares = |bin: &CalibrationBin| CalibrationBin {
            answer: (bin.answer / bin.weight).clamp(0.0, 1.0),
            events: (bin.events / bin.weight).min(1.0),
            weight: bin.weight,
        };
        Ok(Self { bins: made.iter().filter(|bin| bin.weight > 0.0).map(shares).collect() })
    }

    /// The bins by ascending answer.
    pub fn bins(&self) -> &[CalibrationBin] {
        &self.bins
    }

    /// The expected calibration error: the mean distance of answer and share of events, weighted by rows. It depends on
    /// the number of bins and is not 0 even for perfect probabilities.
    pub fn error(&self) -> f64 {
        let total = self.bins.iter().fold(0.0, |sum, bin| sum + bin.weight);
        self.bins.iter().fold(0.0, |sum, bin| sum + bin.weight * (bin.answer - bin.events).abs()) / total
    }
}

impl Exhibit for CalibrationCurve {
    fn exhibit(&self) -> Section {
        let row = |bin: &CalibrationBin| {
            let (low, high) = wilson_share(bin.events, bin.weight, 0.95);
            [bin.answer, bin.events, low, high, bin.weight].map(number).into()
        };
        let columns = ["mean answer", "share of events", "from", "to", "rows"].map(String::from).into();
        Section::new("Calibration")
            .block(Block::Chart(Chart::Lines {
                title: format!("Calibration, expected error {}", number(self.error())),
                x: "mean answer".into(),
                y: "share of events".into(),
                series: vec![
                    ("model".into(), self.bins.iter().map(|bin| (bin.answer, bin.events)).collect()),
                    ("perfect".into(), vec![(0.0, 0.0), (1.0, 1.0)]),
                ],
            }))
            .block(Block::Table { columns, rows: self.bins.iter().map(row).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_equally_many_rows_and_ties_stay_together() {
        let answers = Array1::from_iter((0..100).map(|i| f64::from(i) / 100.0));
        let truth = BinaryTarget::new((0..100).map(|i| i >= 50).collect::<Vec<_>>());
        let curve = CalibrationCurve::of(&truth, &answers, None, 10).unwrap();
        assert!(curve.bins().iter().all(|bin| bin.weight == 10.0));
        assert_eq!(curve.bins().len(), 10);
        assert!((curve.bins()[0].answer - 0.045).abs() < 1e-15);
        let tied = CalibrationCurve::of(&truth, &Array1::from_elem(100, 0.5), None, 10).unwrap();
        assert_eq!(tied.bins(), [CalibrationBin { answer: 0.5, events: 0.5, weight: 100.0 }]);
        assert_eq!(tied.error(), 0.0);
    }

    #[test]
    fn what_has_no_curve_is_an_error() {
        let truth = BinaryTarget::new([true]);
        let of = |p: f64, weights: Option<&[f64]>, bins| {
            CalibrationCurve::of(&truth, &Array1::from_elem(1, p), weights, bins).unwrap_err().to_string()
        };
        assert_eq!(of(0.5, None, 0), "`bins` is 0, allowed is at least 1");
        assert_eq!(of(0.5, Some(&[0.0]), 1), "the calibration curve is not defined: no row has a weight");
        assert!(of(2.0, None, 1).contains("an answer is 2, which is no probability"));
    }
}
