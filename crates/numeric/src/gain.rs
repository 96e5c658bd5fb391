//! Discounted cumulative gain: what an order of rows is worth if the first places count most.
//!
//! Metrics and the learner that ranks must agree on it, ties included: rows of equal scores could stand in any order, so
//! each gets the mean gain of its tie. That is the expected value over all these orders, and it depends on no order of the
//! input.

/// What a gain counts in place `place`, from 0: `1 / log₂(place + 2)`.
#[must_use]
#[inline]
pub fn discount(place: usize) -> f64 {
    1.0 / ((place + 2) as f64).log2()
}

/// `Σ gainᵢ · discount(i)` over the first `at` places in the order of the scores, largest first; tied rows share the mean
/// of their gains. Scores that are missing count as one tie at the end. O(n log n).
///
/// Järvelin & Kekäläinen (2002); ties: McSherry & Najork (2008).
///
/// ```
/// use stagewise_numeric::gain::dcg;
/// assert_eq!(dcg(&[0.1, 0.9, 0.5], &[5.0, 2.0, 0.0], 3), 2.0 + 5.0 / 2.0);
/// assert_eq!(dcg(&[0.5, 0.5], &[1.0, 3.0], 1), 2.0);
/// ```
#[must_use]
pub fn dcg(scores: &[f64], gains: &[f64], at: usize) -> f64 {
    let key = |score: f64| if score.is_nan() { u64::MAX } else { !crate::key::order_key(score) };
    let mut rows: Vec<(u64, f64)> = scores.iter().map(|&score| key(score)).zip(gains.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let (mut sum, mut before) = (0.0, 0);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        if before >= at {
            break;
        }
        let mean = tied.iter().map(|row| row.1).sum::<f64>() / tied.len() as f64;
        let places = before..(before + tied.len()).min(at);
        sum += mean * places.map(discount).sum::<f64>();
        before += tied.len();
    }
    sum
}

/// The largest [`dcg`] that an order of these gains can have. O(n log n).
///
/// ```
/// use stagewise_numeric::gain::ideal_dcg;
/// assert_eq!(ideal_dcg(&[2.0, 5.0, 0.0], 1), 5.0);
/// ```
#[must_use]
pub fn ideal_dcg(gains: &[f64], at: usize) -> f64 {
    dcg(gains, gains, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_order_is_better_than_the_ideal_and_none_of_the_input_matters(
            rows in prop::collection::vec((-3i8..3, 0u8..4), 0..12),
            at in 1usize..14,
        ) {
            let of = |rows: &[(i8, u8)]| {
                let (scores, gains): (Vec<f64>, Vec<f64>) =
                    rows.iter().map(|&(s, g)| (f64::from(s), f64::from(g))).unzip();
                (dcg(&scores, &gains, at), ideal_dcg(&gains, at))
            };
            let (found, ideal) = of(&rows);
            prop_assert!(found <= ideal + 1e-12);
            let reversed: Vec<_> = rows.iter().rev().copied().collect();
            prop_assert_eq!(of(&reversed), (found, ideal));
        }
    }

    #[test]
    fn nan_is_last() {
        assert_eq!(dcg(&[f64::NAN, f64::NEG_INFINITY], &[1.0, 0.0], 2), discount(1));
        assert_eq!(dcg(&[], &[], 5), 0.0);
    }
}
