//! The receiver operating characteristic: hits against false alarms at every threshold.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::error::Result;
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::metric::Metric;
use stagewise_core::target::BinaryTarget;

use super::thinned;
use crate::metric::{RocAuc, ranked, rows};

/// The ROC curve: one point per distinct answer, from "nothing is the event" to "everything is".
///
/// ```
/// use ndarray::array;
/// use stagewise_core::target::BinaryTarget;
/// use stagewise_eval::RocCurve;
///
/// let truth = BinaryTarget::new([false, false, true, true]);
/// let curve = RocCurve::of(&truth, &array![0.1, 0.4, 0.35, 0.8], None)?;
/// assert_eq!(curve.area(), 0.75);
/// let second = curve.points()[1];
/// assert_eq!((second.threshold, second.false_alarms, second.hits), (0.8, 0.0, 0.5));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Fawcett (2006), "An introduction to ROC analysis".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RocCurve {
    points: Vec<RocPoint>,
    area: f64,
}

/// The shares at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// From this answer on a row is said to be the event; infinity for none.
    pub threshold: f64,
    /// The share of the rest that is said to be the event: the false positive rate.
    pub false_alarms: f64,
    /// The share of the events that is said to be: the true positive rate.
    pub hits: f64,
}

impl RocCurve {
    /// The curve of these answers. `O(n log n)`.
    ///
    /// # Errors
    /// As [`RocAuc`]: both classes must have weight.
    pub fn of(truth: &BinaryTarget, probability: &Array1<f64>, weights: Option<&[f64]>) -> Result<Self> {
        let area = RocAuc.score(truth, probability, weights)?;
        let (_, events, answers) = rows::binary(truth, probability, weights)?;
        let mut groups = Vec::new();
        ranked::ascending(events, &answers, weights, |group| groups.push(group));
        let (mut hits, mut alarms) = (0.0, 0.0);
        let mut points = vec![RocPoint { threshold: f64::INFINITY, false_alarms: 0.0, hits: 0.0 }];
        points.extend(groups.iter().rev().map(|group| {
            hits += group.events;
            alarms += group.others;
            RocPoint { threshold: group.answer(), false_alarms: alarms, hits }
        }));
        for point in &mut points {
            point.hits /= hits;
            point.false_alarms /= alarms;
        }
        Ok(Self { points, area })
    }

    /// The points by descending threshold.
    pub fn points(&self) -> &[RocPoint] {
        &self.points
    }

    /// The area under the curve, equal to [`RocAuc`].
    pub fn area(&self) -> f64 {
        self.area
    }

    /// The point where hits exceed false alarms most (Youden 1950); of equal ones that of the highest threshold.
    pub fn best(&self) -> Option<RocPoint> {
        let gain = |point: &RocPoint| point.hits - point.false_alarms;
        self.points.iter().copied().reduce(|best, point| if gain(&point) > gain(&best) { point } else { best })
    }
}

impl Exhibit for RocCurve {
    fn exhibit(&self) -> Section {
        Section::new("ROC curve").block(Block::Chart(Chart::Lines {
            title: format!("ROC curve, area {}", number(self.area)),
            x: "false alarms".into(),
            y: "hits".into(),
            series: vec![
                ("model".into(), thinned(self.points.iter().map(|p| (p.false_alarms, p.hits)))),
                ("chance".into(), vec![(0.0, 0.0), (1.0, 1.0)]),
            ],
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_trapezoids_add_up_to_the_area(rows in prop::collection::vec((any::<bool>(), 0u8..20, 1u8..9), 2..60)) {
            let truth = BinaryTarget::new(rows.iter().map(|r| r.0).collect::<Vec<_>>());
            let answers = Array1::from_iter(rows.iter().map(|r| f64::from(r.1) / 20.0));
            let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.2)).collect();
            let both = rows.iter().any(|r| r.0) && rows.iter().any(|r| !r.0);
            let curve = RocCurve::of(&truth, &answers, Some(&weights));
            prop_assert_eq!(curve.is_ok(), both);
            if let Ok(curve) = curve {
                let area: f64 = curve.points().windows(2)
                    .map(|w| (w[1].false_alarms - w[0].false_alarms) * (w[1].hits + w[0].hits) / 2.0)
                    .sum();
                prop_assert!((area - curve.area()).abs() < 1e-12);
                let last = curve.points()[curve.points().len() - 1];
                prop_assert_eq!((last.false_alarms, last.hits), (1.0, 1.0));
                prop_assert!(curve.points().windows(2).all(|w| w[0].threshold > w[1].threshold));
            }
        }
    }

    #[test]
    fn the_best_point_and_the_chart() {
        let truth = BinaryTarget::new([false, false, true, true]);
        let curve = RocCurve::of(&truth, &ndarray::array![0.1, 0.4, 0.35, 0.8], None).unwrap();
        assert_eq!(curve.best().map(|p| p.threshold), Some(0.8));
        let Block::Chart(Chart::Lines { title, series, .. }) = &curve.exhibit().blocks[0] else { panic!() };
        assert_eq!(title, "ROC curve, area 0.75");
        assert_eq!(series[0].1, [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
    }
}
