//! Cuts as a decision tree on one column makes them.

use super::sorted::{ROUNDING, Sorted, Squares};

/// The edges of a tree of this depth whose leaves have at least a weight of `least`.
pub(super) fn edges(sorted: &Sorted, depth: u32, least: f64) -> Vec<f64> {
    let mut edges = Vec::new();
    let mut open = vec![(0..sorted.rows.len(), depth)];
    while let Some((rows, depth)) = open.pop() {
        if depth == 0 {
            continue;
        }
        let Some(cut) = sorted.best_cut::<Squares>(rows.clone(), least) else { continue };
        if cut.gain > ROUNDING * sorted.weight(rows.clone()) {
            edges.push(sorted.edge(cut));
            open.push((rows.start..cut.row, depth - 1));
            open.push((cut.row..rows.end, depth - 1));
        }
    }
    edges
}
