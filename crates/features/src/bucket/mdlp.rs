//! Cuts that are worth the words to describe them.
//!
//! Fayyad & Irani (1993), "Multi-interval discretization of continuous-valued attributes for classification learning":
//! the cut of least entropy is made if it saves more bits of the classes than it takes to say where it is and what is
//! on its sides; then the same on both sides.

use std::f64::consts::LN_2;
use std::ops::Range;

use super::sorted::{Agreement, Entropy, Sorted};

/// The edges of the cuts that pay; bins have at least a weight of `least`.
pub(super) fn edges(sorted: &Sorted, least: f64) -> Vec<f64> {
    let mut edges = Vec::new();
    let mut open: Vec<Range<usize>> = std::iter::once(0..sorted.rows.len()).collect();
    while let Some(rows) = open.pop() {
        let Some(cut) = sorted.best_cut::<Entropy>(rows.clone(), least) else { continue };
        let (left, right) = (rows.start..cut.row, cut.row..rows.end);
        let (whole, parts) = (Side::of(sorted, rows), [left.clone(), right.clone()].map(|side| Side::of(sorted, side)));
        let gain = cut.gain / (LN_2 * whole.weight);
        if whole.weight > 1.0 && gain > price(whole, parts) {
            edges.push(sorted.edge(cut));
            open.extend([left, right]);
        }
    }
    edges
}

/// Some rows: their weight, how many classes they have, and their entropy in bits.
#[derive(Debug, Clone, Copy)]
struct Side {
    weight: f64,
    classes: f64,
    entropy: f64,
}

impl Side {
    fn of(sorted: &Sorted, rows: Range<usize>) -> Self {
        let totals = sorted.totals(rows);
        let weight: f64 = totals.iter().sum();
        let parts: f64 = totals.iter().map(|&total| Entropy::part(total)).sum();
        let classes = totals.iter().filter(|&&total| total > 0.0).count() as f64;
        Self { weight, classes, entropy: -Entropy::score(parts, weight) / (weight * LN_2) }
    }
}

/// What a cut costs, in bits a row: `(log2(N − 1) + log2(3^k − 2) − (k H − k₁ H₁ − k₂ H₂)) / N`.
fn price(whole: Side, [left, right]: [Side; 2]) -> f64 {
    let k = whole.classes;
    // log2(3^k − 2), also where 3^k is beyond the range of floats.
    let partitions = (k * 3f64.ln() + (-2.0 * (-k * 3f64.ln()).exp()).ln_1p()) / LN_2;
    let kept = k * whole.entropy - left.classes * left.entropy - right.classes * right.entropy;
    ((whole.weight - 1.0).log2() + partitions - kept) / whole.weight
}
