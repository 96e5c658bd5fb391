//! From values to coordinates, and where to put ticks.
//!
//! Ticks are multiples of 1, 2 or 5 times a power of ten (Heckbert 1990, "Nice numbers for graph labels"); their labels
//! have as many decimals as the step needs and no more.

/// Values beyond this would overflow when subtracted.
const LARGEST: f64 = 1e300;

/// A linear map of a range of values onto a range of coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Maps the range of `values`, those that are finite, to `from..to`; a single value gets room on both sides.
    pub(crate) fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let finite = values.filter(|x| x.is_finite()).map(|x| x.clamp(-LARGEST, LARGEST));
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        let (low, high) = match (low <= high, low == high) {
            (false, _) => (0.0, 1.0),
            (true, true) => (low - 0.5 * room(low), high + 0.5 * room(high)),
            (true, false) => (low, high),
        };
        Self { low, high, from, to }
    }

    /// The same scale with its ends on ticks.
    pub(crate) fn rounded(self, about: usize) -> Self {
        let step = self.step(about);
        let (low, high) = ((self.low / step).floor() * step, (self.high / step).ceil() * step);
        if low.is_finite() && high.is_finite() && low < high { Self { low, high, ..self } } else { self }
    }

    /// The coordinate of a value, held within the range.
    pub(crate) fn at(&self, x: f64) -> f64 {
        let share = (x.clamp(-LARGEST, LARGEST) - self.low) / (self.high - self.low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// About `about` ticks and their labels.
    pub(crate) fn ticks(&self, about: usize) -> Vec<(f64, String)> {
        let step = self.step(about);
        let first = (self.low / step - 1e-9).ceil();
        let ticks = (0..50).map(|i| (first + f64::from(i)) * step).take_while(|&x| x <= self.high + step * 1e-9);
        let size = self.low.abs().max(self.high.abs());
        let mut labelled: Vec<(f64, String)> = ticks.map(|x| (x, label(x, step, size))).collect();
        labelled.dedup_by(|a, b| a.1 == b.1);
        labelled
    }

    fn step(&self, about: usize) -> f64 {
        let raw = ((self.high - self.low) / about.max(1) as f64).max(f64::MIN_POSITIVE);
        let power = 10f64.powf(raw.log10().floor()).max(f64::MIN_POSITIVE);
        let step = match raw / power {
            r if r <= 1.0 => 1.0,
            r if r <= 2.0 => 2.0,
            r if r <= 5.0 => 5.0,
            _ => 10.0,
        };
        step * power
    }
}

fn room(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { x.abs() * 0.2 }
}

fn label(x: f64, step: f64, size: f64) -> String {
    let x = if x.abs() < step * 1e-6 { 0.0 } else { x };
    let decimals = -(step.log10() + 1e-9).floor();
    if size < 1e7 && step >= 1e-5 {
        let decimals = decimals.max(0.0) as usize;
        format!("{x:.decimals$}")
    } else if x == 0.0 {
        "0".to_string()
    } else {
        let digits = (x.abs().log10().floor() + decimals).clamp(0.0, 12.0) as usize;
        format!("{x:.digits$e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        Scale::of([low, high].into_iter(), 0.0, 100.0).ticks(5).into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn ticks_are_nice() {
        assert_eq!(labels(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(0.13, 97.0), ["20", "40", "60", "80"]);
        assert_eq!(labels(-0.3, 0.3), ["-0.2", "0.0", "0.2"]);
        assert_eq!(labels(0.0, 3e9), ["0", "1e9", "2e9", "3e9"]);
        assert_eq!(labels(0.0, 2e-7), ["0", "5e-8", "1.0e-7", "1.5e-7", "2.0e-7"]);
    }

    #[test]
    fn no_range_breaks_it() {
        for (low, high) in [
            (0.0, 0.0),
            (7.0, 7.0),
            (f64::NAN, f64::INFINITY),
            (-f64::MAX, f64::MAX),
            (1e9, 1e9 + 1e-6),
            (0.0, 5e-324),
            (-1e-310, 1e-310),
        ] {
            let scale = Scale::of([low, high].into_iter(), 10.0, 200.0);
            for scale in [scale, scale.rounded(5)] {
                for x in [low, high, 0.0, f64::MAX] {
                    let at = scale.at(x);
                    assert!(x.is_nan() || (10.0..=200.0).contains(&at), "{x} in {low}..{high}: {at}");
                }
                assert!(scale.ticks(5).len() <= 50);
            }
        }
    }

    #[test]
    fn rounding_reaches_the_ticks() {
        let scale = Scale::of([0.03, 0.97].into_iter(), 0.0, 1.0).rounded(5);
        assert_eq!((scale.low, scale.high), (0.0, 1.0));
        assert_eq!(scale.at(0.5), 0.5);
    }
}
