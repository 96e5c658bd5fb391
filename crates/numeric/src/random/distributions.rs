//! Draws from distributions: normal, exponential, Poisson.
//!
//! They need a logarithm, and the libm of a platform may differ from another in the last bit, which would make
//! streams differ. The logarithm here uses `+ - * /` alone, which IEEE 754 fixes to the bit.

use super::Stream;

impl Stream {
    /// A standard normal number by the polar method (Marsaglia & Bray 1964); the second of each pair is
    /// dropped, so that a draw depends on the position of the stream alone. Expected O(1).
    ///
    /// ```
    /// let mut stream = stagewise_numeric::random::Stream::new(1, "doc");
    /// let mean = (0..10_000).map(|_| stream.normal()).sum::<f64>() / 10_000.0;
    /// assert!(mean.abs() < 0.05);
    /// ```
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * (-2.0 * stable_ln(s) / s).sqrt();
            }
        }
    }

    /// An exponential number with mean 1, `-ln(1 - u)`, by inversion (Devroye 1986). O(1).
    ///
    /// ```
    /// assert!(stagewise_numeric::random::Stream::new(1, "doc").exponential() >= 0.0);
    /// ```
    pub fn exponential(&mut self) -> f64 {
        0.0 - stable_ln(1.0 - self.unit())
    }

    /// A Poisson count with mean 1 by inversion (Devroye 1986): the weight of one row in a Poisson
    /// bootstrap (Chamandy et al. 2012). Expected O(1).
    ///
    /// ```
    /// assert!(stagewise_numeric::random::Stream::new(1, "doc").poisson_one() < 20);
    /// ```
    pub fn poisson_one(&mut self) -> u32 {
        let u = self.unit();
        let mut mass = 0.367_879_441_171_442_33; // 1/e
        let (mut cumulated, mut k) = (mass, 0);
        // 1/18! is below 2^-52: past it the cumulated mass no longer grows.
        while u >= cumulated && k < 18 {
            k += 1;
            mass /= f64::from(k);
            cumulated += mass;
        }
        k
    }
}

/// `ln x` of a positive normal number from `+ - * /` alone, within 2 ulp: the libm of a platform may differ
/// in the last bit, and that bit would make a stream differ. `ln m = 2 atanh((m - 1) / (m + 1))`.
fn stable_ln(x: f64) -> f64 {
    const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut m = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let tail = (1..=12).rev().fold(0.0, |sum, k| z * (1.0 / f64::from(2 * k + 1) + sum));
    let e = f64::from(exponent);
    e * LN_2_HIGH + (e * LN_2_LOW + 2.0 * s * tail + 2.0 * s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sum::Moments;
    use proptest::prelude::*;

    #[test]
    fn draws_are_pinned() {
        let stream = || Stream::new(42, "golden");
        // -math.log1p(-unit), math.sqrt(-2 * math.log(s) / s) * u with the polar method.
        assert!((stream().exponential() - 0.7633180479019746).abs() < 1e-15);
        assert!((stream().normal() - 1.1882938514408767).abs() < 1e-15);
        // Python again, over the same words; a change here changes every split and bootstrap.
        let mut counts = stream();
        let counts: Vec<u32> = (0..8).map(|_| counts.poisson_one()).collect();
        assert_eq!(counts, [1, 1, 0, 0, 0, 2, 0, 2]);
    }

    #[test]
    fn moments_of_the_draws() {
        let mut stream = Stream::new(7, "moments");
        let mut of = |draw: fn(&mut Stream) -> f64| {
            let mut moments = Moments::new();
            (0..40_000).for_each(|_| moments.add(draw(&mut stream)));
            (moments.mean().unwrap_or(0.0), moments.variance(1.0).unwrap_or(0.0))
        };
        for (draw, mean, variance) in [
            (Stream::unit as fn(&mut Stream) -> f64, 0.5, 1.0 / 12.0),
            (Stream::normal, 0.0, 1.0),
            (Stream::exponential, 1.0, 1.0),
            (|s: &mut Stream| f64::from(s.poisson_one()), 1.0, 1.0),
        ] {
            let (m, v) = of(draw);
            // Five standard errors of the mean; the variance a little wider for the heavy tail.
            assert!((m - mean).abs() < 0.025 && (v - variance).abs() < 0.08, "{m} {v}");
        }
    }

    proptest! {
        #[test]
        fn logarithm_is_within_two_ulp(x in 1e-300f64..1e300) {
            let (ours, libm) = (stable_ln(x), x.ln());
            prop_assert!((ours - libm).abs() <= 2.0 * f64::EPSILON * libm.abs());
        }

        #[test]
        fn logarithm_near_one(x in 0.5f64..2.0) {
            let (ours, libm) = (stable_ln(x), x.ln());
            prop_assert!((ours - libm).abs() <= 2.0 * f64::EPSILON * libm.abs());
        }
    }
}
