//! Histograms: one outline per series over common bins, so that the series can be laid over one another.

use super::frame::{Frame, Layout, empty, not_shown};
use super::scale::Scale;
use super::svg::Ink;

/// The shares of each series over the bins between `edges`, as outlines with a light filling.
///
/// Heights are shares, not densities. Bins with an edge or a share that is not finite are left out and counted below.
pub fn histogram(title: &str, edges: &[f64], series: &[(String, Vec<f64>)]) -> String {
    let bins = edges.len().saturating_sub(1);
    let drawable = |bin: usize, share: f64| share.is_finite() && edges[bin].is_finite() && edges[bin + 1].is_finite();
    let cells = |shares: &[f64]| -> Vec<(usize, f64)> {
        shares.iter().take(bins).copied().enumerate().filter(|&(bin, share)| drawable(bin, share)).collect()
    };
    let drawn: Vec<Vec<(usize, f64)>> = series.iter().map(|s| cells(&s.1)).collect();
    let given: usize = series.iter().map(|s| s.1.len()).sum();
    let notes = not_shown(given - drawn.iter().map(Vec::len).sum::<usize>());
    if drawn.iter().all(Vec::is_empty) {
        return empty(title, notes);
    }
    let legend = series.iter().map(|s| s.0.as_str()).collect();
    let mut frame = Frame::new(Layout { title, legend, left: 66.0, right: 16.0, height: 220.0, notes });
    let scale_x = Scale::of(edges.iter().copied(), frame.left, frame.right);
    let shares = drawn.iter().flatten().map(|cell| cell.1).chain([0.0]);
    let scale_y = Scale::of(shares, frame.bottom, frame.top).rounded(5);
    frame.axis_y(&scale_y, "share");
    frame.axis_x(&scale_x, "");
    let zero = scale_y.at(0.0);
    for (i, cells) in drawn.iter().enumerate() {
        let corners =
            |&(bin, share): &(usize, f64)| (scale_x.at(edges[bin]), scale_x.at(edges[bin + 1]), scale_y.at(share));
        for (left, right, y) in cells.iter().map(corners) {
            frame.svg.rect((left, y.min(zero)), (right - left, (zero - y).abs()), Ink::Series(i), 0.22);
        }
        for run in cells.chunk_by(|a, b| a.0 + 1 == b.0) {
            let mut outline: Vec<(f64, f64)> = run.iter().map(corners).flat_map(|(l, r, y)| [(l, y), (r, y)]).collect();
            if let (Some(&(first, _)), Some(&(last, _))) = (outline.first(), outline.last()) {
                outline.insert(0, (first, zero));
                outline.push((last, zero));
            }
            frame.svg.path(&outline, Ink::Series(i));
        }
    }
    frame.finish()
}
