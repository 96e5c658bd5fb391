//! Exact quantiles of a slice.
//!
//! One definition per use: linear interpolation, the default of numpy and R, where a number is reported or a
//! value imputed; the inverse of the distribution function where rows carry weights of any meaning, because
//! interpolating between them has none that is agreed upon. Where a weight says how often a row counts, there is one:
//! [`frequency_quantiles`]. Missing values are skipped.

use crate::key::order_key;

/// The `q`-quantile of `values` by linear interpolation (Hyndman & Fan 1996, type 7; numpy's `linear`).
///
/// With the values sorted and `h = (n - 1) q`: `x_⌊h⌋ + (h - ⌊h⌋)(x_⌊h⌋+1 - x_⌊h⌋)`, evaluated as numpy does.
/// NaN is skipped; `None` without a value or for `q` outside `[0, 1]`. Between `-∞` and `+∞` the lower is
/// given. Expected O(n) by selection, on a copy.
///
/// ```
/// use stagewise_numeric::quantile::quantile;
/// assert_eq!(quantile(&[4.0, 1.0, f64::NAN, 2.0, 3.0], 0.25), Some(1.75));
/// assert_eq!(quantile(&[], 0.5), None);
/// ```
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut present = present(values);
    let (index, fraction) = position(present.len(), q)?;
    let (_, &mut low, above) = present.select_nth_unstable_by(index, f64::total_cmp);
    if fraction == 0.0 {
        return Some(low);
    }
    let high = above.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
    Some(interpolate(low, high, fraction))
}

/// The median of `values`: [`quantile`] at one half. Expected O(n).
///
/// ```
/// assert_eq!(stagewise_numeric::quantile::median(&[3.0, 1.0, f64::NAN, 2.0, 10.0]), Some(2.5));
/// ```
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The quantiles of `values` at each of `qs`, in the order of `qs`, each as [`quantile`] gives it.
///
/// NaN is skipped; `None` without a value or if any `q` is outside `[0, 1]`. O(n log n) for one sort.
///
/// ```
/// use stagewise_numeric::quantile::quantiles;
/// assert_eq!(quantiles(&[4.0, 2.0, 3.0], &[1.0, 0.25]), Some(vec![4.0, 2.5]));
/// ```
#[must_use]
pub fn quantiles(values: &[f64], qs: &[f64]) -> Option<Vec<f64>> {
    let mut sorted = present(values);
    if sorted.is_empty() {
        return None;
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |&q: &f64| {
        let (index, fraction) = position(sorted.len(), q)?;
        let low = sorted[index];
        let high = sorted.get(index + 1).copied().unwrap_or(low);
        Some(if fraction == 0.0 { low } else { interpolate(low, high, fraction) })
    };
    qs.iter().map(at).collect()
}

/// The weighted `q`-quantile of `values`: the smallest value whose cumulated share of weight reaches `q`.
///
/// `min { x : Σ_{x_i ≤ x} w_i / Σ w_i ≥ q }`, numpy 2's `quantile(…, weights, method="inverted_cdf")`, for the
/// shorter of the two lengths. Rows with a NaN value or with a weight that is not positive and finite are
/// skipped; `None` if none is left or for `q` outside `[0, 1]`. O(n log n).
///
/// ```
/// use stagewise_numeric::quantile::weighted_quantile;
/// assert_eq!(weighted_quantile(&[1.0, 2.0, 3.0], &[1.0, 1.0, 8.0], 0.5), Some(3.0));
/// ```
#[must_use]
pub fn weighted_quantile(values: &[f64], weights: &[f64], q: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let rows = weighted_rows(values, weights);
    let total: f64 = rows.iter().fold(0.0, |total, row| total + row.2);
    let mut cumulated = 0.0;
    for row in &rows {
        cumulated += row.2;
        if cumulated / total >= q {
            return Some(row.1);
        }
    }
    rows.last().map(|row| row.1)
}

/// The quantiles at each of `qs` of rows that count `weights` times: [`quantiles`] of the rows so often repeated, carried on
/// to weights that are not whole.
///
/// With `u` the smaller of 1 and the least weight, `W = Σ w`, the values sorted and `C_i` the weight up to and with the
/// `i`-th: position `h = q (W - u)` has the value `x_i` where `C_i - w_i ≤ h ≤ C_i - u`, and lies on a line between two
/// such pieces. So whole weights are repeated rows, equal weights below 1 are no weights, and rows that weigh little beside
/// others give the inverse of the distribution function.
///
/// Rows with a NaN value or with a weight that is not positive and finite are skipped, as are those beyond the shorter of the
/// two lengths; `None` without a row or if any `q` is outside `[0, 1]`. O(n log n).
///
/// ```
/// use stagewise_numeric::quantile::{frequency_quantiles, quantiles};
/// let weighted = frequency_quantiles(&[1.0, 2.0, 5.0], &[1.0, 2.0, 1.0], &[0.25, 0.9]);
/// assert_eq!(weighted, quantiles(&[1.0, 2.0, 2.0, 5.0], &[0.25, 0.9]));
/// ```
#[must_use]
pub fn frequency_quantiles(values: &[f64], weights: &[f64], qs: &[f64]) -> Option<Vec<f64>> {
    let rows = weighted_rows(values, weights);
    if rows.is_empty() || qs.iter().any(|q| !(0.0..=1.0).contains(q)) {
        return None;
    }
    let unit = rows.iter().fold(1.0_f64, |least, row| least.min(row.2));
    // The weight up to and with each row.
    let mut total = 0.0;
    let upto: Vec<f64> = rows
        .iter()
        .map(|row| {
            total += row.2;
            total
        })
        .collect();
    let at = |&q: &f64| {
        let h = (total - unit) * q;
        // The last place by name, however little its weight is beside the sum.
        let last = rows.len() - 1;
        let i = if q == 1.0 { last } else { upto.partition_point(|&c| c - unit < h).min(last) };
        let value = rows[i].1 + 0.0;
        let below = if i == 0 { 0.0 } else { upto[i - 1] };
        if i == 0 || q == 1.0 || h >= below {
            return value;
        }
        interpolate(rows[i - 1].1 + 0.0, value, ((h - (below - unit)) / unit).clamp(0.0, 1.0))
    };
    Some(qs.iter().map(at).collect())
}

/// Key, value and weight of the rows that have a value and a positive finite weight, ascending.
fn weighted_rows(values: &[f64], weights: &[f64]) -> Vec<(u64, f64, f64)> {
    let mut rows: Vec<(u64, f64, f64)> = values
        .iter()
        .zip(weights)
        .filter(|&(x, w)| !x.is_nan() && *w > 0.0 && w.is_finite())
        .map(|(&x, &w)| (order_key(x), x, w))
        .collect();
    // Ties are ordered by weight, so that the rounding of the cumulated weight is the same for any row order.
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.2.total_cmp(&b.2)));
    rows
}

/// The values that are not NaN, with one zero only.
fn present(values: &[f64]) -> Vec<f64> {
    values.iter().filter(|x| !x.is_nan()).map(|x| x + 0.0).collect()
}

/// The index below the virtual position `(n - 1) q` and the fraction above it.
fn position(n: usize, q: f64) -> Option<(usize, f64)> {
    if n == 0 || !(0.0..=1.0).contains(&q) {
        return None;
    }
    let h = (n - 1) as f64 * q;
    Some((h as usize, h - h.floor()))
}

/// numpy's `_lerp`: exact at both ends and monotone.
fn interpolate(low: f64, high: f64, t: f64) -> f64 {
    let difference = high - low;
    if low == high {
        low
    } else if !difference.is_finite() {
        let value = low * (1.0 - t) + high * t;
        if value.is_nan() { low } else { value }
    } else if t < 0.5 {
        low + difference * t
    } else {
        high - difference * (1.0 - t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rank::order;
    use proptest::prelude::*;

    const VALUES: [f64; 7] = [7.0, 1.5, -2.25, 9.0, 3.0, 3.0, 0.1];

    #[test]
    fn linear_equals_numpy() {
        // numpy 2.4: [np.quantile(v, q) for q in (0, .1, .25, .5, .9, 1)]
        let qs = [0.0, 0.1, 0.25, 0.5, 0.9, 1.0];
        let expected = [-2.25, -0.8399999999999999, 0.8, 3.0, 7.800000000000001, 9.0];
        for (q, value) in qs.into_iter().zip(expected) {
            assert_eq!(quantile(&VALUES, q), Some(value));
        }
        assert_eq!(quantiles(&VALUES, &qs), Some(expected.to_vec()));
    }

    #[test]
    fn weighted_equals_numpy() {
        // numpy 2.4: np.quantile(v, q, weights=[1,2,0,.5,3,1,2], method="inverted_cdf")
        let weights = [1.0, 2.0, 0.0, 0.5, 3.0, 1.0, 2.0];
        for (q, value) in [(0.0, 0.1), (0.2, 0.1), (0.3, 1.5), (0.5, 3.0), (0.9, 7.0), (0.95, 9.0), (1.0, 9.0)] {
            assert_eq!(weighted_quantile(&VALUES, &weights, q), Some(value), "{q}");
        }
    }

    #[test]
    fn edges() {
        assert_eq!(quantile(&[f64::NAN], 0.5), None);
        assert_eq!(quantile(&VALUES, 1.5), None);
        assert_eq!(quantile(&VALUES, f64::NAN), None);
        assert_eq!(quantiles(&VALUES, &[0.5, -0.1]), None);
        assert_eq!(quantiles(&[], &[]), None);
        assert_eq!(weighted_quantile(&[1.0], &[0.0], 0.5), None);
        assert_eq!(weighted_quantile(&[1.0, 2.0], &[1.0], 1.0), Some(1.0));
        assert_eq!(quantile(&[f64::NEG_INFINITY, 5.0], 0.3), Some(f64::NEG_INFINITY));
        assert_eq!(quantile(&[5.0, f64::INFINITY], 0.0), Some(5.0));
        assert_eq!(quantile(&[f64::MIN, f64::MAX], 0.5), Some(0.0));
    }

    #[test]
    fn frequencies() {
        let qs = [0.0, 0.3, 0.5, 1.0];
        assert_eq!(frequency_quantiles(&VALUES, &[0.125; 7], &qs), quantiles(&VALUES, &qs));
        assert_eq!(frequency_quantiles(&[3.0, 1.0], &[1e-9, 1e9], &[0.5, 1.0]), Some(vec![1.0, 3.0]));
        assert_eq!(frequency_quantiles(&[5.0], &[0.25], &qs), Some(vec![5.0; 4]));
        assert_eq!(frequency_quantiles(&[5.0, f64::NAN], &[0.0, 1.0], &qs), None);
        assert_eq!(frequency_quantiles(&[5.0], &[1.0], &[1.5]), None);
    }

    proptest! {
        #[test]
        fn whole_weights_are_rows_repeated(
            rows in prop::collection::vec((-9i8..9, 0usize..4), 1..30),
            qs in prop::collection::vec(0.0f64..=1.0, 1..5),
        ) {
            let (values, times): (Vec<f64>, Vec<usize>) = rows.iter().map(|&(x, w)| (f64::from(x), w)).unzip();
            let weights: Vec<f64> = times.iter().map(|&w| w as f64).collect();
            let repeat = |(&x, &w): (&f64, &usize)| std::iter::repeat_n(x, w);
            let repeated: Vec<f64> = values.iter().zip(&times).flat_map(repeat).collect();
            let found = frequency_quantiles(&values, &weights, &qs);
            let expected = quantiles(&repeated, &qs);
            prop_assert_eq!(found.is_some(), expected.is_some());
            for (found, expected) in found.into_iter().flatten().zip(expected.into_iter().flatten()) {
                prop_assert!((found - expected).abs() < 1e-12, "{} {}", found, expected);
            }
        }

        #[test]
        fn selection_equals_sorting(values in prop::collection::vec(prop::num::f64::ANY, 0..60), q in 0.0f64..=1.0) {
            let one = quantile(&values, q).map(f64::to_bits);
            let many = quantiles(&values, &[q]).map(|v| v[0].to_bits());
            prop_assert_eq!(one, many);
        }

        #[test]
        fn unit_weights_invert_the_cdf(values in prop::collection::vec(-1e3f64..1e3, 1..40), k in 1usize..40) {
            let n = values.len();
            let k = k.min(n);
            // Between two steps of the distribution function, clear of rounding.
            let q = (k as f64 - 0.5) / n as f64;
            let sorted: Vec<f64> = order(&values).into_iter().map(|i| values[i]).collect();
            prop_assert_eq!(weighted_quantile(&values, &vec![1.0; n], q), Some(sorted[k - 1]));
        }
    }
}
