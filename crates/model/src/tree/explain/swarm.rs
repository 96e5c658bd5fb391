//! Contributions of rows as a chart: a point for each row, coloured by the value of the feature.

use stagewise_core::exhibit::{Chart, SwarmItem};
use stagewise_numeric::rank;

use super::contribution::Contributions;

/// Features in a chart.
const FEATURES: usize = 20;
/// Rows in a chart.
const ROWS: usize = 500;

/// The contributions to one output: its most important features, of at most 500 rows spread evenly.
pub(super) fn swarm(contributions: &Contributions, output: usize) -> Chart {
    let (values, rows) = (contributions.values(), contributions.rows());
    let shown: Vec<usize> = (0..rows.min(ROWS)).map(|i| i * rows / rows.min(ROWS)).collect();
    let size = |feature: usize| (0..rows).map(|row| values[[row, output, feature]].abs()).sum::<f64>();
    let mut order: Vec<(usize, f64)> = (0..contributions.names().len()).map(|f| (f, size(f))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let item = |&(feature, _): &(usize, f64)| {
        let shares = contributions.shading(feature).map_or_else(|| vec![None; rows], |column| shares(&column));
        SwarmItem {
            name: contributions.names()[feature].clone(),
            points: shown.iter().map(|&row| (values[[row, output, feature]], shares[row])).collect(),
        }
    };
    let items = order.iter().take(FEATURES).map(item).collect();
    let title = match contributions.outputs() {
        1 => "contributions to the score".to_string(),
        _ => format!("contributions to the score of output {output}"),
    };
    Chart::Swarm { title, x: "contribution, in units of the score".into(), shade: "value of the feature".into(), items }
}

/// Where each value stands between the lowest (0) and the highest (1), by rank; none for a missing one.
fn shares(column: &[f64]) -> Vec<Option<f64>> {
    let present: Vec<f64> = column.iter().copied().filter(|x| !x.is_nan()).collect();
    let ranks = rank::average_ranks(&present);
    let (low, high) = ranks.iter().fold((f64::INFINITY, 0.0), |(l, h), &r| (r.min(l), r.max(h)));
    let share = |rank: f64| if high > low { (rank - low) / (high - low) } else { 0.5 };
    let mut ranks = ranks.into_iter();
    column.iter().map(|x| if x.is_nan() { None } else { ranks.next().map(share) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_go_from_lowest_to_highest_and_missing_has_none() {
        let found = shares(&[5.0, f64::NAN, 1.0, 2.0]);
        assert_eq!(found, [Some(1.0), None, Some(0.0), Some(0.5)]);
        assert_eq!(shares(&[0.0, 1.0, 1.0]), [Some(0.0), Some(1.0), Some(1.0)]);
        assert_eq!(shares(&[7.0, 7.0]), [Some(0.5); 2]);
    }
}
