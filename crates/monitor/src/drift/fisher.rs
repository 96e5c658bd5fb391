//! Fisher's exact test of two shares.
//!
//! The chi-square law needs about five expected rows in each cell. Shares of rare things, a level that appears, a value
//! that goes missing, are just where monitoring looks, so there the test is exact.

/// The p value, two-sided, of `a` hits in `n` rows against `b` hits in `m` rows.
///
/// The sum of the hypergeometric probabilities, given the total of hits, of all splits that are no more probable than
/// the one seen (up to a relative 1e-7, as R and scipy count ties). 1 without hits or without rows; `a > n` counts as
/// `a = n`. O(hits), or O(misses) if that is less. Fisher (1935). Checked against scipy 1.17.1 `fisher_exact`, 1e-9 relative.
///
/// ```
/// use stagewise_monitor::drift::fisher::p_value;
/// assert!((p_value(0, 1000, 5, 50) - 2.0112e-7).abs() < 1e-11);
/// ```
pub fn p_value(a: u64, n: u64, b: u64, m: u64) -> f64 {
    let (a, b) = (a.min(n), b.min(m));
    let hits = a + b;
    let (low, high) = (hits.saturating_sub(m), hits.min(n));
    let mode = ((hits + 1) as f64 * ((n + 1) as f64 / (n + m + 2) as f64)) as u64;
    let mode = mode.clamp(low, high);
    // C(n, x + 1) C(m, hits - x - 1) / (C(n, x) C(m, hits - x)): each weight follows from its neighbour.
    let step = |x: u64| ((n - x) as f64 / (x + 1) as f64) * ((hits - x) as f64 / (m + x + 1 - hits) as f64);
    // Weights relative to the largest; both sides end where they leave the floats.
    let above = (mode..high).scan(1.0, |weight, x| next((x + 1, *weight * step(x)), weight));
    let below = (low..mode).rev().scan(1.0, |weight, x| next((x, *weight / step(x)), weight));
    let mut weights: Vec<(u64, f64)> = below.collect();
    weights.reverse();
    weights.push((mode, 1.0));
    weights.extend(above);
    let seen = weights.iter().find(|w| w.0 == a).map_or(0.0, |w| w.1) * (1.0 + 1e-7);
    let all: f64 = weights.iter().map(|w| w.1).sum();
    let extreme: f64 = weights.iter().filter(|w| w.1 <= seen).map(|w| w.1).sum();
    (extreme / all).min(1.0)
}

/// Goes on to the neighbour unless it has no weight any more.
fn next(neighbour: (u64, f64), weight: &mut f64) -> Option<(u64, f64)> {
    *weight = neighbour.1;
    (neighbour.1 > 0.0).then_some(neighbour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_scipy() {
        let golden = stagewise_testkit::golden::load("correction.json");
        let cases: Vec<_> = golden.cases.iter().filter(|c| c.name.starts_with("fisher")).collect();
        assert_eq!(cases.len(), 7);
        for case in cases {
            let t = case.matrix("/input/table");
            let p = p_value(t[0][0] as u64, (t[0][0] + t[0][1]) as u64, t[1][0] as u64, (t[1][0] + t[1][1]) as u64);
            golden.assert_close(p, case.number("/expected/p_value"), &case.name);
        }
    }

    #[test]
    fn edges() {
        assert_eq!(p_value(0, 0, 0, 0), 1.0);
        assert_eq!(p_value(0, 10, 0, 10), 1.0);
        assert_eq!(p_value(10, 10, 3, 3), 1.0);
        assert_eq!(p_value(99, 10, 3, 3), 1.0);
        assert!(p_value(0, 100_000, 100_000, 100_000) < 1e-300);
    }
}
