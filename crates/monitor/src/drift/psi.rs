//! The population stability index, its binning, and how large it is by chance.
//!
//! The bands in use, 0.1 and 0.25, say nothing without the numbers of rows: with ten bins and 100 rows on either side the
//! index of one and the same distribution exceeds 0.1 in 85 of 100 cases; with 1000 rows never. [`psi_limit`] gives the
//! value that chance exceeds at a stated rate. The monitor therefore lets no index alarm by itself.

use stagewise_numeric::sketch::QuantileSketch;

use super::chi_square::upper_quantile;

/// The least share of a bin, so that an empty bin has a logarithm.
pub const FLOOR: f64 = 1e-4;

/// The index of two rows of counts (or shares) over common bins, as long as the shorter.
///
/// `Σ (q − p) ln(q / p)`, `p` and `q` the shares of reference and current, each raised to at least [`FLOOR`] and not scaled
/// again; a bin that is empty in both adds nothing. NaN for an empty row. O(bins). It is the symmetric divergence of
/// Kullback & Leibler (1951). Checked against numpy 2.4.6, 1e-9 relative.
///
/// ```
/// use stagewise_monitor::drift::psi::psi;
/// assert_eq!(psi(&[10.0, 30.0], &[20.0, 60.0]), 0.0);
/// assert!((psi(&[50.0, 50.0], &[60.0, 40.0]) - 0.040547).abs() < 1e-6);
/// ```
pub fn psi(reference: &[f64], current: &[f64]) -> f64 {
    let bins = reference.len().min(current.len());
    let (p, q) = (&reference[..bins], &current[..bins]);
    let (n, m) = (p.iter().sum::<f64>(), q.iter().sum::<f64>());
    if !(n > 0.0 && m > 0.0) {
        return f64::NAN;
    }
    let shares = p.iter().zip(q).map(|(p, q)| ((p / n).max(FLOOR), (q / m).max(FLOOR)));
    shares.map(|(p, q)| (q - p) * (q / p).ln()).sum()
}

/// The index that chance exceeds with probability `alpha` without any drift.
///
/// `(1/n + 1/m) χ²_{bins − 1, 1 − alpha}` for `n` reference and `m` current rows; 0 for one bin, ∞ without rows. Holds from
/// about five rows in each bin on; with fewer the index is larger by chance. O(1). Yurdakul (2018), "Statistical
/// properties of population stability index".
///
/// ```
/// use stagewise_monitor::drift::psi::psi_limit;
/// assert!((psi_limit(100, 100, 10, 0.05) - 0.3384).abs() < 1e-4);
/// assert!((psi_limit(100_000, 100_000, 10, 0.05) - 0.0003384).abs() < 1e-7);
/// ```
pub fn psi_limit(n: u64, m: u64, bins: usize, alpha: f64) -> f64 {
    let degrees = (bins as u64).saturating_sub(1);
    if n == 0 || m == 0 {
        f64::INFINITY
    } else if degrees == 0 {
        0.0
    } else {
        (1.0 / n as f64 + 1.0 / m as f64) * upper_quantile(alpha, degrees)
    }
}

/// The inner edges of at most ten bins: the deciles of the reference, each once, below its greatest value.
///
/// Ties make fewer bins: a value that fills several deciles gets one edge. A constant gives no edge, so one bin.
/// O(buckets).
///
/// ```
/// use stagewise_monitor::drift::psi::deciles;
/// let mut sketch = stagewise_numeric::sketch::QuantileSketch::new();
/// sketch.extend(&[0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
/// assert_eq!(deciles(&sketch), [0.0, 1.0]);
/// ```
pub fn deciles(reference: &QuantileSketch) -> Vec<f64> {
    let greatest = reference.quantile(1.0).unwrap_or(f64::NEG_INFINITY);
    let mut edges: Vec<f64> = (1..10).filter_map(|k| reference.quantile(f64::from(k) / 10.0)).collect();
    edges.dedup();
    edges.retain(|&edge| edge < greatest);
    edges
}

/// The values in each of the bins `(−∞, e_1], (e_1, e_2], …, (e_k, ∞)`: one bin more than edges.
///
/// Whole numbers for an exact sketch, else interpolated within its buckets. NaN for an empty sketch. O(edges × buckets).
///
/// ```
/// use stagewise_monitor::drift::psi::binned;
/// let mut sketch = stagewise_numeric::sketch::QuantileSketch::new();
/// sketch.extend(&[1.0, 2.0, 2.0, 3.0]);
/// assert_eq!(binned(&sketch, &[1.0, 2.0]), [1.0, 2.0, 1.0]);
/// ```
pub fn binned(sketch: &QuantileSketch, edges: &[f64]) -> Vec<f64> {
    let total = sketch.count() as f64;
    let mut before = 0.0;
    let mut counts: Vec<f64> = Vec::with_capacity(edges.len() + 1);
    for below in edges.iter().map(|&edge| sketch.cdf(edge)).chain([1.0]) {
        counts.push(((below - before) * total * 1e6).round() / 1e6);
        before = below;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_numeric::random::Stream;

    fn sketch(values: &[f64]) -> QuantileSketch {
        let mut sketch = QuantileSketch::new();
        sketch.extend(values);
        sketch
    }

    #[test]
    fn equals_numpy() {
        let golden = stagewise_testkit::golden::load("drift.json");
        let cases: Vec<_> = golden.cases.iter().filter(|c| c.name.starts_with("psi_")).collect();
        assert_eq!(cases.len(), 5);
        for case in cases {
            let edges = case.numbers("/input/edges");
            let counts = |values: &[f64]| {
                let mut counts = vec![0.0; edges.len() + 1];
                // The file's rule: a value on an edge belongs to the bin above.
                values.iter().for_each(|x| counts[edges.iter().filter(|e| *e <= x).count()] += 1.0);
                counts
            };
            let (p, q) = (counts(&case.numbers("/input/reference")), counts(&case.numbers("/input/current")));
            golden.assert_close(psi(&p, &q), case.number("/expected/psi"), &case.name);
        }
    }

    #[test]
    fn bins_of_a_reference_are_even_and_count_every_value() {
        let mut stream = Stream::new(1, "psi");
        let values: Vec<f64> = (0..1000).map(|_| stream.normal()).collect();
        let edges = deciles(&sketch(&values));
        assert_eq!(binned(&sketch(&values), &edges), [100.0; 10]);
        let many: Vec<f64> = (0..50_000).map(|_| stream.normal()).collect();
        assert!((binned(&sketch(&many), &edges).iter().sum::<f64>() - 50_000.0).abs() < 1e-3);
    }

    #[test]
    fn edges() {
        assert!(deciles(&sketch(&[])).is_empty() && deciles(&sketch(&[2.0; 50])).is_empty());
        assert!(psi(&[], &[]).is_nan() && psi(&[1.0, 2.0], &[0.0, 0.0]).is_nan());
        assert_eq!((psi_limit(0, 9, 10, 0.05), psi_limit(9, 9, 1, 0.05)), (f64::INFINITY, 0.0));
        let infinite = [f64::NEG_INFINITY, -1.0, 0.0, 1.0, f64::INFINITY].repeat(20);
        let bins = binned(&sketch(&infinite), &deciles(&sketch(&infinite)));
        assert_eq!(bins, [20.0; 5]);
    }

    #[test]
    fn the_limit_is_exceeded_by_chance_as_often_as_it_says() {
        // 2000 runs at 5 %: four standard errors are 2 %.
        let mut stream = Stream::new(2, "psi-null");
        for (n, m) in [(500, 500), (5000, 400)] {
            let mut draw = |rows: usize| sketch(&(0..rows).map(|_| stream.unit()).collect::<Vec<_>>());
            let runs = if n > 1000 { 500 } else { 2000 };
            let limit = psi_limit(n as u64, m as u64, 10, 0.05);
            let exceeded = (0..runs).filter(|_| {
                let (a, b) = (draw(n), draw(m));
                let edges = deciles(&a);
                psi(&binned(&a, &edges), &binned(&b, &edges)) > limit
            });
            let rate = exceeded.count() as f64 / runs as f64;
            assert!((0.02..=0.08).contains(&rate), "{rate} at {n}, {m}");
        }
    }
}
