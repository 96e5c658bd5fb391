//! How a binary model does at every threshold, and whether its probabilities mean what they say.

mod calibration;
mod precision_recall;
mod roc;

pub use calibration::{CalibrationBin, CalibrationCurve};
pub use precision_recall::{PrecisionRecallCurve, PrecisionRecallPoint};
pub use roc::{RocCurve, RocPoint};

/// At most about 500 of the points of a curve, evenly taken, the first and the last among them.
fn thinned(points: impl ExactSizeIterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    const SHOWN: usize = 500;
    let (count, last) = (points.len(), points.len().saturating_sub(1));
    if count <= SHOWN {
        return points.collect();
    }
    let step = last.div_ceil(SHOWN - 1);
    points.enumerate().filter(|(i, _)| i % step == 0 || *i == last).map(|(_, point)| point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_ends() {
        for count in [0usize, 1, 500, 501, 999, 100_000] {
            let points = thinned((0..count).map(|i| (i as f64, 0.0)));
            assert!(points.len() <= 500 && points.len() >= count.min(250), "{count} {}", points.len());
            assert_eq!(points.first().map(|p| p.0), (count > 0).then_some(0.0));
            assert_eq!(points.last().map(|p| p.0), count.checked_sub(1).map(|i| i as f64));
        }
    }
}
