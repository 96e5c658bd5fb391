//! The interval of a share: accuracy, recall, an error rate.

use stagewise_core::error::{ParameterError, Result};

use super::distribution::normal_quantile;
use super::{Interval, IntervalMethod, check_level};

/// Wilson's score interval of a share of successes.
///
/// `(p + z²/2n ± z √(p (1 - p) / n + z²/4n²)) / (1 + z²/n)`, `z` the normal quantile of the level. Never outside
/// `[0, 1]`, and right for few trials and for shares near 0 or 1, where `p ± z √(p (1 - p) / n)` is not. `O(1)`.
///
/// # Errors
/// [`ParameterError`] for no trials, more successes than trials, or a level outside `(0, 1)`.
///
/// ```
/// let interval = stagewise_eval::wilson(0, 10, 0.95)?;
/// assert_eq!(interval.low, 0.0);
/// assert!((interval.high - 0.2775).abs() < 1e-4);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Wilson (1927). Checked against scipy 1.17.1 `proportion_ci(method="wilson")`, relative tolerance 1e-9.
pub fn wilson(successes: u64, trials: u64, level: f64) -> Result<Interval> {
    ParameterError::check(trials > 0, "trials", trials, "at least 1")?;
    ParameterError::check(successes <= trials, "successes", successes, "at most the trials")?;
    check_level(level)?;
    let share = successes as f64 / trials as f64;
    let (low, high) = share_interval(share, trials as f64, level);
    let method = IntervalMethod::Wilson;
    Ok(Interval { estimate: share, low, high, level, method, resamples: 0, undefined: 0 })
}

/// The ends for a share of `n` trials, which may be a sum of weights.
pub(crate) fn share_interval(share: f64, n: f64, level: f64) -> (f64, f64) {
    let z = -normal_quantile((1.0 - level) / 2.0);
    let square = z * z;
    let root = z * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
    let end = |shift: f64| (share + square / (2.0 * n) + shift) / (1.0 + square / n);
    // Exact where the formula is 0 or 1 but for rounding.
    let low = if share == 0.0 { 0.0 } else { end(-root).max(0.0) };
    let high = if share == 1.0 { 1.0 } else { end(root).min(1.0) };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::golden::load;

    #[test]
    fn equals_scipy() {
        let golden = load("intervals.json");
        let cases: Vec<_> = golden.cases.iter().filter(|c| c.value("/input/kind") == "wilson").collect();
        assert_eq!(cases.len(), 40);
        for case in cases {
            let count = |name: &str| case.number(&format!("/input/{name}")) as u64;
            let found = wilson(count("successes"), count("trials"), case.number("/input/confidence")).unwrap();
            golden.assert_close(found.low, case.number("/expected/low"), &case.name);
            golden.assert_close(found.high, case.number("/expected/high"), &case.name);
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        assert_eq!(wilson(0, 0, 0.95).unwrap_err().to_string(), "`trials` is 0, allowed is at least 1");
        assert_eq!(wilson(3, 2, 0.95).unwrap_err().to_string(), "`successes` is 3, allowed is at most the trials");
        assert!(wilson(1, 2, 1.0).is_err());
        assert!(wilson(1, 2, f64::NAN).is_err());
    }
}
