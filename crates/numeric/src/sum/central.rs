//! Mean and variance from exact sums.
//!
//! Exact sums are of no use if they are rounded before they are subtracted. Here the sum of squares is moved to
//! the mean while it is still exact and rounded once at the end, so the variance of values far from zero has
//! as many digits as that of values around zero.

use super::{ExactSum, Moments};

impl Moments {
    /// The mean `Σ w_i x_i / W`; `None` without a finite value. Within a hair of half an ulp: the quotient of
    /// the rounded sums is corrected by its exact rest.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let weight = self.weight();
        if weight <= 0.0 {
            return None;
        }
        let quotient = self.sum() / weight;
        let rest = self.rest(quotient);
        // With a sum beyond the range of f64 there is no rest.
        Some(if rest.is_nan() { quotient } else { quotient + rest / weight })
    }

    /// `Σ w_i (x_i - center)`, rounded once.
    fn rest(&self, center: f64) -> f64 {
        let mut rest = self.sum.clone();
        rest.add_scaled(&self.weight, -center);
        rest.value()
    }

    /// The variance `Σ w_i (x_i - mean)² / (W - ddof)`; `None` if `W ≤ ddof` or without a finite value.
    ///
    /// With `m` the rounded mean, `Σ w (x - m)² = Σ w x² - 2m Σ w x + m² W` is formed exactly and rounded
    /// once, then corrected by `(Σ w x - m W)² / W` for the rounding of `m` (the corrected two-pass formula of
    /// Chan, Golub & LeVeque 1983, in one pass): a few ulp whatever the offset. Weights are frequencies.
    ///
    /// ```
    /// use stagewise_numeric::sum::Moments;
    /// let mut moments = Moments::new();
    /// moments.extend(&[1e9, 1e9 + 1.0, 1e9 + 2.0]);
    /// assert_eq!(moments.variance(1.0), Some(1.0));
    /// ```
    #[must_use]
    pub fn variance(&self, ddof: f64) -> Option<f64> {
        let mean = self.mean()?;
        let weight = self.weight();
        let freedom = weight - ddof;
        if freedom.is_nan() || freedom <= 0.0 {
            return None;
        }
        let mut mean_mass = ExactSum::new();
        mean_mass.add_scaled(&self.weight, mean);
        let mut squares = self.square.clone();
        squares.add_scaled(&self.sum, -2.0 * mean);
        squares.add_scaled(&mean_mass, mean);
        let rest = self.rest(mean);
        let variance = (squares.value() - rest * (rest / weight)) / freedom;
        // Sums beyond the range of f64 leave no variance to speak of.
        (!variance.is_nan()).then(|| variance.max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::new();
        moments.extend(values);
        moments
    }

    #[test]
    fn nist_numacc3_and_numacc4() {
        // NIST StRD NumAcc3/4: base + 0.2, then 500 pairs of base + 0.1 and base + 0.3; certified standard
        // deviation 0.1 for the decimal data. Expected: the data as stored in f64, by Python's `fractions`:
        // xs = [base+.2] + [base+.1, base+.3]*500; m = sum(map(F, xs))/1001
        // float(sum((F(x)-m)**2 for x in xs)/1000)
        for (base, mean, variance) in
            [(1000000.0, 1000000.2, 0.01000000000698492), (10000000.0, 10000000.2, 0.01000000011175871)]
        {
            let mut values = vec![base + 0.2];
            for _ in 0..500 {
                values.extend([base + 0.1, base + 0.3]);
            }
            let moments = of(&values);
            assert_eq!(moments.mean(), Some(mean));
            assert_eq!(moments.variance(1.0), Some(variance));
            assert!((variance.sqrt() - 0.1).abs() < 1e-8);
        }
    }

    #[test]
    fn weighted_moments() {
        // The same snippet with weights: m = sum(F(w)*F(x))/W, float(sum(F(w)*(F(x)-m)**2)/W).
        let mut moments = Moments::new();
        for (x, w) in [(0.1, 0.5), (0.2, 2.0), (0.7, 1.25), (1e3, 0.1), (-5.5, 3.0)] {
            moments.add_weighted(x, w);
        }
        let (mean, variance) = (12.383211678832117, 14458.546214502638);
        let close = |a: Option<f64>, b: f64| a.is_some_and(|a| (a / b - 1.0).abs() < 4e-16);
        assert!(close(moments.mean(), mean), "{:?}", moments.mean());
        assert!(close(moments.variance(0.0), variance), "{:?}", moments.variance(0.0));
    }

    #[test]
    fn extreme_scales() {
        assert_eq!(of(&[1e200, 1e200]).variance(1.0), Some(0.0));
        assert_eq!(of(&[0.0, 1e200]).variance(1.0), Some(f64::INFINITY));
        assert_eq!(of(&[1e-200, 3e-200]).variance(1.0), Some(0.0));
        assert_eq!(of(&[f64::MAX, f64::MAX]).variance(1.0), None);
    }

    proptest! {
        #[test]
        fn shift_and_weight_behave(values in prop::collection::vec(-1000i32..1000, 2..40), shift in -1_000_000i32..1_000_000) {
            let plain: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
            let shifted: Vec<f64> = values.iter().map(|&x| f64::from(x + shift)).collect();
            let (Some(a), Some(b)) = (of(&plain).variance(1.0), of(&shifted).variance(1.0)) else {
                return Err(TestCaseError::fail("a variance is missing"));
            };
            prop_assert!((a - b).abs() <= 1e-14 * a);
            let mut twice = Moments::new();
            plain.iter().for_each(|&x| twice.add_weighted(x, 2.0));
            prop_assert_eq!(twice.mean(), of(&plain).mean());
        }
    }
}
