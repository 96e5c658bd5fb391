//! Shares and means of few rows, drawn towards what is known without them.
//!
//! The share of three rows says little, and that of none says nothing. Whatever learns a number for each of many small
//! groups (the bins of a column, the levels of a category) adds rows that nobody saw: as many as the belief is worth.

/// The mean of a group as if `m` more rows with the mean `prior` were in it: `(sum + m · prior) / (weight + m)`.
///
/// `sum` and `weight` are `Σ w y` and `Σ w` of the group. `m = 0` gives the group's own mean, a large `m` the prior; a
/// group without weight gives the prior whatever `m` is, also 0. With `m ≥ 0` and `weight ≥ 0` the answer lies between
/// the group's mean and the prior. NaN in, NaN out. O(1). Cestnik (1990), "Estimating probabilities: a crucial task in
/// machine learning".
///
/// ```
/// use stagewise_numeric::shrink::m_estimate;
/// assert_eq!(m_estimate(3.0, 4.0, 0.5, 4.0), 0.625);
/// assert_eq!(m_estimate(0.0, 0.0, 0.25, 0.0), 0.25);
/// ```
#[inline]
#[must_use]
pub fn m_estimate(sum: f64, weight: f64, prior: f64, m: f64) -> f64 {
    let size = weight + m;
    // An infinite belief is the prior, and no row and no belief leaves nothing else to say.
    if size == 0.0 || m == f64::INFINITY { prior } else { (sum + m * prior) / size }
}

/// The share of one of `classes` kinds as if each had been seen `alpha` times more: `(count + alpha) / (total + alpha ·
/// classes)`.
///
/// The [`m_estimate`] with the prior `1 / classes` and `m = alpha · classes`. `alpha = 1` is Laplace's rule of
/// succession, `alpha = 1/2` that of Jeffreys and of Krichevsky & Trofimov. The shares of all classes sum to 1. Without
/// rows and with `alpha = 0` each class has `1 / classes`; NaN where there is no class either. O(1). Laplace (1814),
/// "Essai philosophique sur les probabilités".
///
/// ```
/// use stagewise_numeric::shrink::laplace;
/// assert_eq!(laplace(0.0, 8.0, 2, 1.0), 0.1);
/// assert_eq!(laplace(0.0, 0.0, 4, 0.0), 0.25);
/// ```
#[inline]
#[must_use]
pub fn laplace(count: f64, total: f64, classes: usize, alpha: f64) -> f64 {
    let classes = classes as f64;
    let size = total + alpha * classes;
    match (size == 0.0, classes == 0.0) {
        (false, _) => (count + alpha) / size,
        (true, false) => 1.0 / classes,
        (true, true) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends() {
        assert_eq!(m_estimate(6.0, 3.0, 100.0, 0.0), 2.0);
        assert_eq!(m_estimate(6.0, 3.0, 100.0, f64::INFINITY), 100.0);
        assert_eq!(m_estimate(0.0, 0.0, 7.0, 3.0), 7.0);
        assert!(m_estimate(f64::NAN, 1.0, 0.0, 1.0).is_nan());
        assert_eq!(laplace(3.0, 4.0, 2, 0.0), 0.75);
        assert!(laplace(0.0, 0.0, 0, 1.0).is_nan());
    }

    proptest! {
        #[test]
        fn an_m_estimate_lies_between_mean_and_prior(
            mean in -1e3f64..1e3, weight in 0.1f64..1e3, prior in -1e3f64..1e3, m in 0.0f64..1e3,
        ) {
            let found = m_estimate(mean * weight, weight, prior, m);
            let slack = 1e-12 * (1.0 + mean.abs() + prior.abs());
            prop_assert!(found >= mean.min(prior) - slack && found <= mean.max(prior) + slack);
            // More belief never leads away from the prior.
            let more = m_estimate(mean * weight, weight, prior, m + 1.0);
            prop_assert!((more - prior).abs() <= (found - prior).abs() + slack);
        }

        #[test]
        fn smoothed_shares_sum_to_one_and_are_an_m_estimate(
            counts in prop::collection::vec(0u16..500, 1..12), alpha in 0.01f64..20.0,
        ) {
            let total: f64 = counts.iter().copied().map(f64::from).sum();
            let classes = counts.len();
            let shares: Vec<f64> = counts.iter().map(|&k| laplace(f64::from(k), total, classes, alpha)).collect();
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for (share, &count) in shares.iter().zip(&counts) {
                let m = alpha * classes as f64;
                let estimate = m_estimate(f64::from(count), total, 1.0 / classes as f64, m);
                prop_assert!((share - estimate).abs() < 1e-12 && *share > 0.0);
            }
        }
    }
}
