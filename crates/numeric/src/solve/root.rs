//! The root of a function of one number.
//!
//! Where a smooth convex objective has its least value, its slope changes sign; the place of a change of sign is known
//! to the last digits, while the place of a least value is lost in rounding at half of them.

const MOST_STEPS: usize = 200;

/// Where `f` changes its sign between `low` and `high`, to within `tolerance` and the spacing of floats.
///
/// `None` if the signs at both ends are equal, or if `f` gives NaN. A jump across zero counts as a root. Inverse
/// quadratic steps where they are safe, halving elsewhere: about 10 evaluations for a smooth `f`, never more than 200.
/// Chandrupatla (1997), "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function
/// without using derivatives".
///
/// ```
/// use stagewise_numeric::solve::root::root;
/// let found = root(|x| x * x - 2.0, 0.0, 2.0, 1e-14).ok_or("no change of sign")?;
/// assert!((found - 2f64.sqrt()).abs() < 1e-14);
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn root(mut f: impl FnMut(f64) -> f64, low: f64, high: f64, tolerance: f64) -> Option<f64> {
    // The root lies between `new` and `other`; `old` is what one of them was before.
    let (mut new, mut other) = (high, low);
    let (mut at_new, mut at_other) = (f(new), f(other));
    if at_new == 0.0 {
        return Some(new);
    }
    if at_other == 0.0 {
        return Some(other);
    }
    if at_new.is_nan() || at_other.is_nan() || (at_new > 0.0) == (at_other > 0.0) {
        return None;
    }
    let mut share = 0.5;
    for _ in 0..MOST_STEPS {
        let next = new + share * (other - new);
        let at_next = f(next);
        if at_next.is_nan() {
            return None;
        }
        let (old, at_old);
        if (at_next > 0.0) == (at_new > 0.0) {
            (old, at_old) = (new, at_new);
        } else {
            (old, at_old) = (other, at_other);
            (other, at_other) = (new, at_new);
        }
        (new, at_new) = (next, at_next);
        let (best, at_best) = if at_other.abs() < at_new.abs() { (other, at_other) } else { (new, at_new) };
        let least = (2.0 * f64::EPSILON * best.abs() + tolerance) / (other - new).abs();
        if at_best == 0.0 || least.is_nan() || least > 0.5 {
            return Some(best);
        }
        let place = (new - other) / (old - other);
        let level = (at_new - at_other) / (at_old - at_other);
        let is_safe = level * level < place && (1.0 - level) * (1.0 - level) < 1.0 - place;
        share = if is_safe {
            let bend = (old - new) / (other - new);
            at_new / (at_other - at_new) * at_old / (at_other - at_old)
                + bend * at_new / (at_old - at_new) * at_other / (at_old - at_other)
        } else {
            0.5
        };
        share = if share.is_finite() { share.max(least).min(1.0 - least) } else { 0.5 };
    }
    Some(if at_other.abs() < at_new.abs() { other } else { new })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_roots_in_few_steps() {
        // scipy 1.17.1, optimize.brentq with xtol 1e-15.
        type Case = (fn(f64) -> f64, f64, f64, f64);
        let cases: [Case; 4] = [
            (|x| x.cos() - x, 0.0, 1.0, 0.739_085_133_215_160_6),
            (|x| x.powi(3) - 2.0 * x - 5.0, 2.0, 3.0, 2.094_551_481_542_326_5),
            (|x| (-x).exp() - x * x, 0.0, 1.0, 0.703_467_422_498_391_7),
            (|x| x.powi(9), -1.0, 2.0, 0.0),
        ];
        for (f, low, high, expected) in cases {
            let mut calls = 0;
            let found = root(
                |x| {
                    calls += 1;
                    f(x)
                },
                low,
                high,
                1e-14,
            );
            assert!(found.is_some_and(|x| (x - expected).abs() < 2e-14), "{found:?} {expected}");
            assert!(calls < 90, "{calls} calls");
        }
    }

    #[test]
    fn ends() {
        assert_eq!(root(|x| x, 0.0, 1.0, 0.0), Some(0.0));
        assert_eq!(root(|x| x - 1.0, 0.0, 1.0, 0.0), Some(1.0));
        assert_eq!(root(|x| x + 2.0, 0.0, 1.0, 0.0), None);
        assert_eq!(root(|_| f64::NAN, 0.0, 1.0, 0.0), None);
        let jump = root(|x| if x < 0.3 { -1.0 } else { 1.0 }, 0.0, 1.0, 1e-12);
        assert!(jump.is_some_and(|x| (x - 0.3).abs() < 1e-11), "{jump:?}");
    }

    proptest! {
        #[test]
        fn a_line_has_its_root(slope in 0.01f64..100.0, at in -50f64..50.0) {
            let found = root(|x| slope * (x - at), -60.0, 60.0, 1e-12);
            prop_assert!(found.is_some_and(|x| (x - at).abs() < 1e-10));
        }
    }
}
