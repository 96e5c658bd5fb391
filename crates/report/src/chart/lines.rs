//! Curves in a common frame.

use super::frame::{Frame, Layout, empty, not_shown};
use super::scale::Scale;
use super::svg::Ink;

/// Steps to the right within which a long curve is thinned.
const COLUMNS: usize = 400;

/// One curve per series through its points, in the order given.
///
/// Points with a coordinate that is not finite are left out and counted below; a curve of more than 1600 points is thinned
/// to the first, lowest, highest and last of each of 400 steps, so that no peak is lost (Jugel et al. 2014, "M4"). A single point is
/// a dot.
pub fn lines(title: &str, x: &str, y: &str, series: &[(String, Vec<(f64, f64)>)]) -> String {
    let finite = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
    };
    let curves: Vec<Vec<(f64, f64)>> = series.iter().map(|s| finite(&s.1)).collect();
    let given: usize = series.iter().map(|s| s.1.len()).sum();
    let notes = not_shown(given - curves.iter().map(Vec::len).sum::<usize>());
    if curves.iter().all(Vec::is_empty) {
        return empty(title, notes);
    }
    let legend = series.iter().map(|s| s.0.as_str()).collect();
    let mut frame = Frame::new(Layout { title, legend, left: 72.0, right: 20.0, height: 280.0, notes });
    let scale_x = Scale::of(curves.iter().flatten().map(|p| p.0), frame.left, frame.right);
    let scale_y = Scale::of(curves.iter().flatten().map(|p| p.1), frame.bottom, frame.top).rounded(5);
    frame.axis_y(&scale_y, y);
    frame.axis_x(&scale_x, x);
    for (i, curve) in curves.iter().enumerate() {
        let points: Vec<(f64, f64)> = curve.iter().map(|&(x, y)| (scale_x.at(x), scale_y.at(y))).collect();
        match points.as_slice() {
            [] => {}
            [point] => frame.svg.dot(*point, 4.0, Ink::Series(i)),
            points => frame.svg.path(&thinned(points), Ink::Series(i)),
        }
    }
    frame.finish()
}

/// The first, lowest, highest and last point of each of [`COLUMNS`] runs, in the order given.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= 4 * COLUMNS {
        return points.to_vec();
    }
    let mut kept = Vec::with_capacity(4 * COLUMNS);
    for run in points.chunks(points.len().div_ceil(COLUMNS)) {
        let by_height = |(_, a): &(usize, &(f64, f64)), (_, b): &(usize, &(f64, f64))| a.1.total_cmp(&b.1);
        let lowest = run.iter().enumerate().min_by(by_height).map_or(0, |p| p.0);
        let highest = run.iter().enumerate().max_by(by_height).map_or(0, |p| p.0);
        let mut picked = [0, lowest.min(highest), lowest.max(highest), run.len() - 1].to_vec();
        picked.dedup();
        kept.extend(picked.into_iter().map(|i| run[i]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_ends_and_peaks() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|i| (f64::from(i), 0.0)).collect();
        points[4321].1 = 9.0;
        points[8888].1 = -9.0;
        let kept = thinned(&points);
        assert!(kept.len() <= 4 * COLUMNS && kept.windows(2).all(|w| w[0].0 < w[1].0));
        for kept_point in [points[0], points[9999], points[4321], points[8888]] {
            assert!(kept.contains(&kept_point), "{kept_point:?}");
        }
    }
}
