//! Exact quantiles of a slice.
//!
//! One definition per use: linear interpolation, the default of numpy and R, where a number is reported, a value
//! imputed or a scale learned, with weights too; the inverse of the distribution function where the answer must be one
//! of the values. Missing values are skipped.

use crate::key::order_key;

/// From here on two halves of a selection are worth two threads.
const PARALLEL: usize = 1 << 15;

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
/// NaN is skipped; `None` without a value or if any `q` is outside `[0, 1]`. Expected O(n log k) for `k` quantiles, by
/// selecting the middle one and going on in both halves, in parallel where they are long.
///
/// ```
/// use stagewise_numeric::quantile::quantiles;
/// assert_eq!(quantiles(&[4.0, 2.0, 3.0], &[1.0, 0.25]), Some(vec![4.0, 2.5]));
/// ```
#[must_use]
pub fn quantiles(values: &[f64], qs: &[f64]) -> Option<Vec<f64>> {
    let mut present = present(values);
    if present.is_empty() {
        return None;
    }
    let places: Vec<(usize, f64)> = qs.iter().map(|&q| position(present.len(), q)).collect::<Option<_>>()?;
    let both = |&(index, fraction): &(usize, f64)| [Some(index), (fraction > 0.0).then_some(index + 1)];
    let mut ranks: Vec<usize> = places.iter().flat_map(both).flatten().collect();
    ranks.sort_unstable();
    ranks.dedup();
    select(&mut present, 0, &ranks);
    let at = |&(index, fraction): &(usize, f64)| match (fraction > 0.0, present.get(index + 1)) {
        (true, Some(&high)) => interpolate(present[index], high, fraction),
        _ => present[index],
    };
    Some(places.iter().map(at).collect())
}

/// The weighted quantiles of `values` at each of `qs` by linear interpolation, in the order of `qs`.
///
/// The rows lie in a pile, sorted, each as thick as its weight, and `u` is the smallest of these weights. The answer
/// for `q` is the mean of what lies between the heights `(W - u) q` and `(W - u) q + u` of the pile, `W = Σ w`: with
/// equal weights this is [`quantile`], and where weights are whole numbers with a 1 among them it is [`quantile`] of
/// the rows repeated. Only ratios of weights count. For the shorter of the two lengths; rows with a NaN value or with a
/// weight that is not positive and finite are skipped, and weights below 1e-12 of the largest count as that much.
/// `None` if no row is left or if any `q` is outside `[0, 1]`. O(n log n). The window is that of Akinshin (2023),
/// "Weighted quantile estimators", for type 7, with `W / u` rows instead of an effective number.
///
/// ```
/// use stagewise_numeric::quantile::{quantiles, weighted_quantiles};
/// let weighted = weighted_quantiles(&[1.0, 5.0, 2.0], &[1.0, 1.0, 2.0], &[0.5, 0.75]);
/// assert_eq!(weighted, quantiles(&[1.0, 2.0, 2.0, 5.0], &[0.5, 0.75]));
/// ```
#[must_use]
pub fn weighted_quantiles(values: &[f64], weights: &[f64], qs: &[f64]) -> Option<Vec<f64>> {
    let counts = |&(x, w): &(&f64, &f64)| !x.is_nan() && *w > 0.0 && w.is_finite();
    let mut pile: Vec<(f64, f64)> = values.iter().zip(weights).filter(counts).map(|(x, w)| (x + 0.0, *w)).collect();
    pile.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let thickest = pile.iter().map(|row| row.1).fold(0.0, f64::max);
    let thinnest = pile.iter().map(|row| row.1).fold(f64::INFINITY, f64::min);
    let unit = thinnest.max(1e-12 * thickest);
    let mut height = 0.0;
    for row in &mut pile {
        height += (row.1 / unit).max(1.0);
        row.1 = height;
    }
    let last = pile.len().checked_sub(1)?;
    let at = |&q: &f64| {
        let from = (0.0..=1.0).contains(&q).then_some((height - 1.0) * q)?;
        let index = pile.partition_point(|row| row.1 <= from).min(last);
        let (low, top) = pile[index];
        // No row is thinner than the window, so it reaches at most into the next.
        let fraction = from - (top - 1.0);
        let high = pile[(index + 1).min(last)].0;
        Some(if fraction > 0.0 { interpolate(low, high, fraction.min(1.0)) } else { low })
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
    let rows = weighted(values, weights);
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

/// The rows that count, as key, value and weight, in ascending order. Ties are ordered by weight, so that the rounding of
/// the cumulated weight is the same for any order of the rows.
fn weighted(values: &[f64], weights: &[f64]) -> Vec<(u64, f64, f64)> {
    let mut rows: Vec<(u64, f64, f64)> = values
        .iter()
        .zip(weights)
        .filter(|&(x, w)| !x.is_nan() && *w > 0.0 && w.is_finite())
        .map(|(&x, &w)| (order_key(x), x, w))
        .collect();
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.2.total_cmp(&b.2)));
    rows
}

/// The values that are not NaN, with one zero only.
fn present(values: &[f64]) -> Vec<f64> {
    values.iter().filter(|x| !x.is_nan()).map(|x| x + 0.0).collect()
}

/// Puts the values of the ascending `ranks`, counted from `before`, where sorting would put them.
fn select(values: &mut [f64], before: usize, ranks: &[usize]) {
    let middle = ranks.len() / 2;
    let Some(&rank) = ranks.get(middle) else { return };
    if ranks.len() >= values.len() / 8 {
        values.sort_unstable_by(f64::total_cmp);
        return;
    }
    let (low, _, high) = values.select_nth_unstable_by(rank - before, f64::total_cmp);
    let (lower, upper) = (&ranks[..middle], &ranks[middle + 1..]);
    if low.len().min(high.len()) >= PARALLEL {
        rayon::join(|| select(low, before, lower), || select(high, rank + 1, upper));
    } else {
        select(low, before, lower);
        select(high, rank + 1, upper);
    }
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
    fn many_quantiles_of_many_values() {
        let values: Vec<f64> = (0..200_000u64).map(|i| (i * 7919 % 200_003) as f64).collect();
        let qs: Vec<f64> = (0..=50).map(|i| f64::from(i) / 50.0).collect();
        let one_by_one: Option<Vec<f64>> = qs.iter().map(|&q| quantile(&values, q)).collect();
        assert_eq!(quantiles(&values, &qs), one_by_one);
    }

    #[test]
    fn weighted_ends() {
        assert_eq!(weighted_quantiles(&[], &[], &[0.5]), None);
        assert_eq!(weighted_quantiles(&[1.0, f64::NAN], &[0.0, 1.0], &[0.5]), None);
        assert_eq!(weighted_quantiles(&[1.0], &[1.0], &[1.5]), None);
        assert_eq!(weighted_quantiles(&[7.0], &[1e-300], &[0.0, 1.0]), Some(vec![7.0, 7.0]));
        let extreme = weighted_quantiles(&[1.0, 2.0, 3.0], &[1e-300, 1e300, 1e-300], &[0.0, 0.5, 1.0]);
        assert_eq!(extreme, Some(vec![1.0, 2.0, 3.0]));
    }

    proptest! {
        #[test]
        fn whole_weights_are_repeated_rows(
            rows in prop::collection::vec((-50i32..50, 0u8..4), 1..30), qs in prop::collection::vec(0.0f64..=1.0, 1..6),
        ) {
            // One row of weight 1 makes that the unit.
            let rows: Vec<(i32, u8)> = rows.into_iter().chain([(3, 1)]).collect();
            let values: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
            let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.1)).collect();
            let repeated: Vec<f64> = rows.iter().flat_map(|r| vec![f64::from(r.0); r.1.into()]).collect();
            let expected = quantiles(&repeated, &qs);
            prop_assert_eq!(&weighted_quantiles(&values, &weights, &qs), &expected);
            let scaled: Vec<f64> = weights.iter().map(|w| w * 0.3).collect();
            let found = weighted_quantiles(&values, &scaled, &qs);
            for (a, b) in found.unwrap_or_default().iter().zip(expected.unwrap_or_default()) {
                prop_assert!((a - b).abs() < 1e-9, "{} {}", a, b);
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
