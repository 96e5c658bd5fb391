//! How well values look normal under a power, and the power under which they look so best.
//!
//! Both families are one function of logarithms, `(e^(λ l) − 1) / λ`: Box–Cox of `l = ln x`, Yeo–Johnson of
//! `ln(1 + |x|)`, where values below 0 have `2 − λ` and the opposite sign. Multiplying all values moves the likelihood
//! by a constant, so logarithms of one sign can be centred, and powers then stay small.

use stagewise_numeric::parallel::blocks;
use stagewise_numeric::solve::root::root;

use super::PowerKind;
use crate::scale::finite::Finite;

/// Powers stay below e to this.
const HIGHEST: f64 = 700.0;
const TOLERANCE: f64 = 1e-11;
const BLOCK: usize = 4096;

/// `(e^(λ l) − 1) / λ`, and `l` where `λ = 0`.
#[inline]
pub(super) fn power(lambda: f64, log: f64) -> f64 {
    if lambda == 0.0 { log } else { (lambda * log).exp_m1() / lambda }
}

/// The derivative of [`power`] in `λ`, where `y` is its value.
#[inline]
fn power_slope(lambda: f64, log: f64, y: f64) -> f64 {
    let a = lambda * log;
    if a.abs() < 0.02 {
        // Σ (j + 1) a^j / (j + 2)!, where the closed form would lose its digits.
        let series = [1.0 / 5760.0, 1.0 / 840.0, 1.0 / 144.0, 1.0 / 30.0, 1.0 / 8.0, 1.0 / 3.0, 0.5];
        log * log * series.into_iter().fold(0.0, |sum, coefficient| sum * a + coefficient)
    } else {
        (log * (1.0 + lambda * y) - y) / lambda
    }
}

/// The logarithms of the training values.
pub(super) struct Logs<'a> {
    /// With the sign of the value where both signs come.
    logs: Vec<f64>,
    weights: Option<&'a [f64]>,
    two_sided: bool,
    /// What was subtracted from them.
    pub(super) center: f64,
    /// Whether all values are below 0, so that it was their opposites that were taken: `λ` is then that of the
    /// opposites.
    pub(super) mirrored: bool,
    /// The mean of the logarithms, which carry signs.
    mean: f64,
    least: f64,
    largest: f64,
}

/// The best power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Best {
    /// The greatest likelihood.
    Found(f64),
    /// The greatest likelihood before powers overflow.
    Bounded(f64),
}

impl Best {
    pub(super) fn lambda(self) -> f64 {
        match self {
            Self::Found(lambda) | Self::Bounded(lambda) => lambda,
        }
    }
}

impl<'a> Logs<'a> {
    /// The logarithms of these values, above 0 for Box–Cox.
    pub(super) fn of(finite: &'a Finite, kind: PowerKind) -> Self {
        let weights = finite.weights.as_deref();
        let (least, largest) = finite.range().unwrap_or((0.0, 0.0));
        let yeo_johnson = kind == PowerKind::YeoJohnson;
        let (mirrored, two_sided) = (yeo_johnson && largest <= 0.0, yeo_johnson && least < 0.0 && largest > 0.0);
        let log = |x: &f64| match kind {
            PowerKind::BoxCox => x.ln(),
            PowerKind::YeoJohnson if two_sided => x.abs().ln_1p().copysign(*x),
            PowerKind::YeoJohnson => x.abs().ln_1p(),
        };
        let mut logs: Vec<f64> = finite.values.iter().map(log).collect();
        let mut mean = weighted_mean(&logs, weights);
        let mut center = 0.0;
        if !two_sided {
            center = mean;
            logs.iter_mut().for_each(|log| *log -= center);
            mean = 0.0;
        }
        let least = logs.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { logs, weights, two_sided, center, mirrored, mean, least, largest }
    }

    /// The powers under which no value overflows.
    fn bounds(&self) -> (f64, f64) {
        if self.two_sided {
            let (above, below) = (HIGHEST / self.largest, HIGHEST / -self.least);
            ((-above).max(2.0 - below), above.min(2.0 + below))
        } else {
            let most = HIGHEST / self.largest.max(-self.least);
            (-most, most)
        }
    }

    /// The power of the greatest likelihood.
    pub(super) fn best(&self) -> Best {
        let (lowest, highest) = self.bounds();
        // Values near the ends of the range of floats, on both sides: there is no power that they can take.
        if lowest.is_nan() || highest.is_nan() || lowest >= highest {
            return Best::Bounded(1.0);
        }
        let start = 1f64.clamp(lowest, highest);
        let at_start = self.slope(start);
        if at_start == 0.0 || at_start.is_nan() {
            return Best::Found(start);
        }
        // The slope of the loss ascends in λ: its root lies to the left of where it is positive.
        let direction = -at_start.signum();
        let (mut near, mut step) = (start, 1.0);
        loop {
            let far = (near + direction * step).clamp(lowest, highest);
            let at_far = self.slope(far);
            if at_far.is_nan() {
                return Best::Bounded(near);
            }
            if at_far * direction >= 0.0 {
                let found = root(|lambda| self.slope(lambda), near.min(far), near.max(far), TOLERANCE);
                return Best::Found(found.unwrap_or(near));
            }
            if far == lowest || far == highest {
                return Best::Bounded(far);
            }
            (near, step) = (far, step * 2.0);
        }
    }

    /// The slope, in `λ`, of the negative logarithm of the likelihood by row: `cov(y, y′) / var(y) − mean(logs)`.
    fn slope(&self, lambda: f64) -> f64 {
        let moments = self.moments(lambda);
        moments.covariance / moments.variance - self.mean
    }

    /// The logarithm of the likelihood by row, up to a constant.
    #[cfg(test)]
    pub(super) fn likelihood(&self, lambda: f64) -> f64 {
        let moments = self.moments(lambda);
        -0.5 * (moments.variance / moments.weight).ln() - self.highest(lambda) + (lambda - 1.0) * self.mean
    }

    /// The largest exponent, not below 0.
    fn highest(&self, lambda: f64) -> f64 {
        if self.two_sided {
            (lambda * self.largest).max((lambda - 2.0) * self.least).max(0.0)
        } else {
            (lambda * self.largest).max(lambda * self.least).max(0.0)
        }
    }

    /// Sums over the values under a power and over their derivatives, both in units of the largest power.
    fn moments(&self, lambda: f64) -> Bent {
        let unit = (-self.highest(lambda)).exp();
        let parts = blocks(self.logs.len(), BLOCK, |rows| {
            let logs = &self.logs[rows.clone()];
            let weight = |i: usize| self.weights.map_or(1.0, |weights| weights[rows.start + i]);
            let pair = |&log: &f64| {
                if self.two_sided && log < 0.0 {
                    let y = power(2.0 - lambda, -log);
                    (-y * unit, power_slope(2.0 - lambda, -log, y) * unit)
                } else {
                    let y = power(lambda, log);
                    (y * unit, power_slope(lambda, log, y) * unit)
                }
            };
            Bent::of(&logs.iter().map(pair).collect::<Vec<_>>(), weight)
        });
        parts.into_iter().fold(Bent::default(), Bent::and)
    }
}

/// Weight, means, and sums of squares and products around the means.
#[derive(Debug, Clone, Copy, Default)]
struct Bent {
    weight: f64,
    means: (f64, f64),
    variance: f64,
    covariance: f64,
}

impl Bent {
    fn of(pairs: &[(f64, f64)], weight: impl Fn(usize) -> f64) -> Self {
        let mut sums = (0.0, 0.0, 0.0);
        for (i, pair) in pairs.iter().enumerate() {
            let w = weight(i);
            sums = (sums.0 + w, sums.1 + w * pair.0, sums.2 + w * pair.1);
        }
        let means = (sums.1 / sums.0, sums.2 / sums.0);
        let (mut variance, mut covariance) = (0.0, 0.0);
        for (i, pair) in pairs.iter().enumerate() {
            let (y, slope) = (pair.0 - means.0, pair.1 - means.1);
            variance += weight(i) * y * y;
            covariance += weight(i) * y * slope;
        }
        Self { weight: sums.0, means, variance, covariance }
    }

    /// Those of both together (Chan, Golub & LeVeque 1979).
    fn and(self, other: Self) -> Self {
        if self.weight == 0.0 {
            return other;
        }
        let weight = self.weight + other.weight;
        let share = other.weight / weight;
        let apart = (other.means.0 - self.means.0, other.means.1 - self.means.1);
        let between = self.weight * share;
        Self {
            weight,
            means: (self.means.0 + share * apart.0, self.means.1 + share * apart.1),
            variance: self.variance + other.variance + between * apart.0 * apart.0,
            covariance: self.covariance + other.covariance + between * apart.0 * apart.1,
        }
    }
}

fn weighted_mean(values: &[f64], weights: Option<&[f64]>) -> f64 {
    let mut moments = stagewise_numeric::sum::Moments::new();
    match weights {
        None => moments.extend(values),
        Some(weights) => values.iter().zip(weights).for_each(|(x, &w)| moments.add_weighted(*x, w)),
    }
    moments.mean().unwrap_or(0.0)
}
