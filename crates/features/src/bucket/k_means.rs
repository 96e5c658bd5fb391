//! k-means of one column: bins whose values are near each other.

use crate::scale::finite::Finite;

/// As scikit-learn's `KMeans`.
const MOST_ROUNDS: usize = 300;

/// The edges between the clusters that Lloyd's iteration ends in from the middles of equally wide bins; each half-way
/// between two means. Clusters that end up without a row are left out.
///
/// Values are sorted once, with running sums of weight and of weight times value; a round is then a few searches a
/// cluster.
pub(super) fn edges(finite: &Finite, uniform: &[f64]) -> Vec<f64> {
    let Some((least, largest)) = finite.range() else { return Vec::new() };
    // Sums stay in the range of floats.
    let unit = if largest.abs().max(least.abs()) > 1e150 { 2f64.powi(600) } else { 1.0 };
    let (least, largest) = (least / unit, largest / unit);
    let weight = |row: usize| finite.weights.as_ref().map_or(1.0, |weights| weights[row]);
    // Around the middle, where running sums are smallest.
    let middle = 0.5 * least + 0.5 * largest;
    let mut rows: Vec<(f64, f64)> =
        finite.values.iter().enumerate().map(|(row, &x)| (x / unit - middle + 0.0, weight(row))).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut sums = vec![(0.0, 0.0)];
    let (mut weight, mut sum) = (0.0, 0.0);
    for (x, w) in &rows {
        weight += w;
        sum += w * x;
        sums.push((weight, sum));
    }

    let ends: Vec<f64> = [least].into_iter().chain(uniform.iter().map(|edge| edge / unit)).chain([largest]).collect();
    let mut means: Vec<f64> = ends.windows(2).map(|pair| 0.5 * pair[0] + 0.5 * pair[1] - middle).collect();
    let mut starts = Vec::new();
    for _ in 0..MOST_ROUNDS {
        let half_way = means.windows(2).map(|pair| 0.5 * pair[0] + 0.5 * pair[1]);
        let inner = half_way.map(|edge| rows.partition_point(|row| row.0 <= edge));
        let next: Vec<usize> = [0].into_iter().chain(inner).chain([rows.len()]).collect();
        if next == starts {
            break;
        }
        starts = next;
        for (mean, ends) in means.iter_mut().zip(starts.windows(2)) {
            let (weight, sum) = (sums[ends[1]].0 - sums[ends[0]].0, sums[ends[1]].1 - sums[ends[0]].1);
            if weight > 0.0 {
                *mean = sum / weight;
            }
        }
    }
    let used: Vec<f64> =
        means.iter().zip(starts.windows(2)).filter(|(_, ends)| ends[0] < ends[1]).map(|(mean, _)| *mean).collect();
    used.windows(2).map(|pair| (0.5 * pair[0] + 0.5 * pair[1] + middle) * unit).collect()
}
