//! Precision against recall at every threshold: the curve to read where events are rare.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::target::BinaryTarget;

use super::thinned;
use crate::metric::{ranked, rows};

/// The precision–recall curve: one point per distinct answer, by descending threshold.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::target::BinaryTarget;
/// use stagewise_eval::PrecisionRecallCurve;
///
/// let truth = BinaryTarget::new([false, false, true, true]);
/// let curve = PrecisionRecallCurve::of(&truth, &array![0.1, 0.4, 0.35, 0.8], None)?;
/// assert_eq!(curve.average_precision(), (1.0 + 2.0 / 3.0) / 2.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Davis & Goadrich (2006); average precision without interpolation, as scikit-learn's `average_precision_score`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecallCurve {
    points: Vec<PrecisionRecallPoint>,
    average_precision: f64,
    events: f64,
}

/// The shares at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PrecisionRecallPoint {
    /// From this answer on a row is said to be the event.
    pub threshold: f64,
    /// How much of what is said to be the event is.
    pub precision: f64,
    /// How much of what is the event is said to be.
    pub recall: f64,
}

impl PrecisionRecallCurve {
    /// The curve of these answers. `O(n log n)`.
    ///
    /// # Errors
    /// `NumericError::Undefined` where no event has weight; see [`metric`](crate::metric) for the rest.
    pub fn of(truth: &BinaryTarget, probability: &Array1<f64>, weights: Option<&[f64]>) -> Result<Self> {
        let (_, events, answers) = rows::binary(truth, probability, weights)?;
        let mut groups = Vec::new();
        ranked::ascending(events, &answers, weights, |group| groups.push(group));
        let total = groups.iter().rev().fold(0.0, |sum, group| sum + group.events);
        if total == 0.0 {
            return Err(rows::undefined("the precision–recall curve", "no row is the event"));
        }
        let (mut hits, mut alarms, mut area) = (0.0, 0.0, 0.0);
        let mut points = Vec::with_capacity(groups.len());
        for group in groups.iter().rev() {
            hits += group.events;
            alarms += group.others;
            let precision = hits / (hits + alarms);
            area += group.events * precision;
            points.push(PrecisionRecallPoint { threshold: group.answer(), precision, recall: hits / total });
        }
        Ok(Self { points, average_precision: area / total, events: total / (total + alarms) })
    }

    /// The points by descending threshold.
    pub fn points(&self) -> &[PrecisionRecallPoint] {
        &self.points
    }

    /// `Σ_t (recall_t - recall_t-1) precision_t`; chance has the share of events.
    pub fn average_precision(&self) -> f64 {
        self.average_precision
    }
}

impl Exhibit for PrecisionRecallCurve {
    fn exhibit(&self) -> Section {
        Section::new("Precision and recall").block(Block::Chart(Chart::Lines {
            title: format!("Precision and recall, average precision {}", number(self.average_precision)),
            x: "recall".into(),
            y: "precision".into(),
            series: vec![
                ("model".into(), thinned(self.points.iter().map(|p| (p.recall, p.precision)))),
                ("chance".into(), vec![(0.0, self.events), (1.0, self.events)]),
            ],
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn perfect_and_tied_answers() {
        let truth = BinaryTarget::new([true, false, true, false]);
        let perfect = PrecisionRecallCurve::of(&truth, &array![0.9, 0.1, 0.8, 0.2], None).unwrap();
        assert_eq!(perfect.average_precision(), 1.0);
        let tied = PrecisionRecallCurve::of(&truth, &array![0.5, 0.5, 0.5, 0.5], Some(&[3.0, 1.0, 0.0, 0.0])).unwrap();
        assert_eq!(tied.average_precision(), 0.75);
        assert_eq!(tied.points(), [PrecisionRecallPoint { threshold: 0.5, precision: 0.75, recall: 1.0 }]);
        let error = PrecisionRecallCurve::of(&BinaryTarget::new([false]), &array![0.5], None).unwrap_err();
        assert_eq!(error.to_string(), "the precision–recall curve is not defined: no row is the event");
    }
}
