//! How reference and current values look side by side: what a person wants to see once a test has fired.
//!
//! Bins here are of equal width, unlike the deciles of the stability index, because a histogram with equal bars shows
//! nothing. They span the central 99 % of both samples; what lies outside is counted in the outer bins.

use serde::{Deserialize, Serialize};
use stagewise_numeric::sketch::QuantileSketch;

use super::levels::Counts;
use super::psi::binned;

const BINS: usize = 20;
const LEVELS: usize = 12;

/// The shares of reference and current rows over common bins or levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Shape {
    /// Over bins of equal width; the outer ones hold what lies beyond them as well.
    Bins {
        /// One edge more than bins, ascending.
        edges: Vec<f64>,
        /// The share of reference rows in each bin.
        reference: Vec<f64>,
        /// The share of current rows in each bin.
        current: Vec<f64>,
    },
    /// By level: name, share of reference rows, share of current rows; the most frequent twelve, the rest as one.
    Levels(Vec<(String, f64, f64)>),
    /// Two shares or means, nothing to draw: reference and current.
    Pair(f64, f64),
}

impl Shape {
    /// The shares of two sketches; `None` if a sketch is empty or all values are one.
    pub(super) fn of_sketches(reference: &QuantileSketch, current: &QuantileSketch) -> Option<Self> {
        let finite = |s: &QuantileSketch, q: f64| s.quantile(q).map(|x| x.clamp(f64::MIN, f64::MAX));
        let low = finite(reference, 0.005)?.min(finite(current, 0.005)?);
        let high = finite(reference, 0.995)?.max(finite(current, 0.995)?);
        let edge = |i: usize| {
            let t = i as f64 / BINS as f64;
            low * (1.0 - t) + high * t
        };
        let edges: Vec<f64> = (0..=BINS).map(edge).collect();
        if edges.windows(2).any(|pair| pair[0] >= pair[1]) {
            return None;
        }
        let shares = |s: &QuantileSketch| {
            let counts = binned(s, &edges[1..BINS]);
            counts.into_iter().map(|n| n / s.count() as f64).collect()
        };
        Some(Self::Bins { reference: shares(reference), current: shares(current), edges })
    }

    /// The shares of levels.
    pub(super) fn of_levels(reference: &Counts, current: &Counts) -> Self {
        let total = |counts: &Counts| counts.values().sum::<u64>().max(1) as f64;
        let (n, m) = (total(reference), total(current));
        let share = |counts: &Counts, level: &str, rows: f64| counts.get(level).map_or(0.0, |&k| k as f64 / rows);
        let names: std::collections::BTreeSet<&String> = reference.keys().chain(current.keys()).collect();
        let mut levels: Vec<(String, f64, f64)> =
            names.into_iter().map(|l| (l.clone(), share(reference, l, n), share(current, l, m))).collect();
        levels.sort_by(|a, b| (b.1 + b.2).total_cmp(&(a.1 + a.2)));
        if levels.len() > LEVELS {
            let rest = levels.split_off(LEVELS - 1);
            let (p, q) = rest.iter().fold((0.0, 0.0), |(p, q), level| (p + level.1, q + level.2));
            levels.push((format!("{} others", rest.len()), p, q));
        }
        Self::Levels(levels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(values: &[f64]) -> QuantileSketch {
        let mut sketch = QuantileSketch::new();
        sketch.extend(values);
        sketch
    }

    #[test]
    fn shares_sum_to_one_even_with_infinities() {
        let reference = sketch(&(0..500).map(f64::from).collect::<Vec<_>>());
        let current = sketch(&[1.0, 2.0, f64::INFINITY, f64::NEG_INFINITY, 1e300]);
        let Some(Shape::Bins { edges, reference, current }) = Shape::of_sketches(&reference, &current) else {
            panic!("bins are needed")
        };
        assert!(edges.iter().all(|e| e.is_finite()) && edges.len() == BINS + 1);
        assert!((reference.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((current.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_value_has_no_bins() {
        assert_eq!(Shape::of_sketches(&sketch(&[3.0]), &sketch(&[3.0])), None);
        assert_eq!(Shape::of_sketches(&sketch(&[]), &sketch(&[3.0])), None);
    }

    #[test]
    fn many_levels_end_in_others() {
        let counts: Counts = (0..30_u64).map(|i| (format!("{i:02}"), 100 - i)).collect();
        let Shape::Levels(levels) = Shape::of_levels(&counts, &Counts::new()) else { panic!("levels are needed") };
        assert_eq!((levels.len(), levels[11].0.as_str()), (LEVELS, "19 others"));
        assert!((levels.iter().map(|l| l.1).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
