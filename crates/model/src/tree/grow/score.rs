//! What a node is worth: the loss that its best single answer takes off, under the penalties that the learner set.
//!
//! Everything here is in steps of the scale (`entry.rs`): sums need not be multiplied out while bins are scanned. With
//! `G`, `H` the sums of gradient and hessian, `w = −T(G) / (H + l2)` is the best answer, `T` the soft threshold by `l1`,
//! and `−(2 T(G) w + (H + l2) w²)` what it takes off (Chen & Guestrin 2016, eq. 5 and 6); where nothing binds the answer,
//! that is `T(G)² / (H + l2)`.

use super::entry::Scale;

/// 2⁹⁰⁰: scores in steps are below 2¹²⁰.
const LARGEST_UNIT: f64 = 8.452_712_498_170_644e270;

/// Penalties and limits on the answer of a node, in units of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Penalty {
    pub(crate) l1: f64,
    pub(crate) l2: f64,
    /// Draws an answer towards that of its parent, as if it had come from this many rows more.
    pub(crate) smoothing: f64,
    /// The largest absolute answer; infinite for no limit.
    pub(crate) max_answer: f64,
}

impl Penalty {
    /// No penalty: the mean.
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { l1: 0.0, l2: 0.0, smoothing: 0.0, max_answer: f64::INFINITY };

    /// Whether the best answer is always allowed.
    fn is_plain(&self) -> bool {
        self.smoothing == 0.0 && self.max_answer == f64::INFINITY
    }

    /// The best answer for sums in units of the data.
    pub(crate) fn answer(&self, gradient: f64, hessian: f64) -> f64 {
        if hessian + self.l2 <= 0.0 {
            return 0.0;
        }
        (-threshold(gradient, self.l1) / (hessian + self.l2)).clamp(-self.max_answer, self.max_answer)
    }

    /// An answer of `weight` rows, drawn towards that of its parent.
    pub(crate) fn smooth(&self, answer: f64, weight: f64, parent: f64) -> f64 {
        if self.smoothing == 0.0 {
            return answer;
        }
        let own = weight / (weight + self.smoothing);
        answer * own + parent * (1.0 - own)
    }
}

/// Takes `by` off the absolute value.
fn threshold(x: f64, by: f64) -> f64 {
    if by == 0.0 { x } else { x.signum() * (x.abs() - by).max(0.0) }
}

/// Scores sums in steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Score {
    l1: f64,
    l2: f64,
    low: f64,
    high: f64,
    /// Rows added by smoothing, as a hessian, and the answer of the node itself.
    smoothing: f64,
    parent: f64,
    /// Nothing binds the answer.
    plain: bool,
    /// Nor is there an `l1`.
    pub(super) simple: bool,
    /// What a score of one step is worth.
    unit: f64,
    answer_unit: f64,
}

impl Score {
    /// The score of the children of a node whose answers must lie in `bounds` and whose own is `parent`; a row's hessian
    /// is about `per_row` steps.
    pub(crate) fn new(penalty: &Penalty, scale: Scale, bounds: (f64, f64), parent: f64, per_row: f64) -> Self {
        let answer_unit = scale.gradient / scale.hessian;
        let low = bounds.0.max(-penalty.max_answer) / answer_unit;
        let high = bounds.1.min(penalty.max_answer) / answer_unit;
        let plain = penalty.is_plain() && low == f64::NEG_INFINITY && high == f64::INFINITY;
        Self {
            l1: penalty.l1 / scale.gradient,
            l2: penalty.l2 / scale.hessian,
            low,
            high,
            smoothing: penalty.smoothing * per_row,
            parent: parent / answer_unit,
            plain,
            simple: plain && penalty.l1 == 0.0,
            // Kept so small that scores of any number of rows stay finite.
            unit: (scale.gradient * answer_unit).min(LARGEST_UNIT),
            answer_unit,
        }
    }

    /// The same with more `l2`, in units of the data.
    pub(crate) fn more_l2(mut self, l2: f64, scale: Scale) -> Self {
        self.l2 += l2 / scale.hessian;
        self
    }

    /// The `l2` in steps.
    pub(super) fn l2(&self) -> f64 {
        self.l2
    }

    /// A score in units of the data.
    pub(crate) fn worth(&self, score: f64) -> f64 {
        score * self.unit
    }

    /// The best allowed answer, in units of the data.
    pub(crate) fn answer(&self, [gradient, hessian]: [f64; 2]) -> f64 {
        self.best(gradient, hessian) * self.answer_unit
    }

    fn best(&self, gradient: f64, hessian: f64) -> f64 {
        let answer = -threshold(gradient, self.l1) / (hessian + self.l2);
        if self.plain {
            return answer;
        }
        let own = hessian / (hessian + self.smoothing);
        (answer * own + self.parent * (1.0 - own)).clamp(self.low, self.high)
    }

    /// What the best answer takes off the loss, twice.
    #[inline]
    pub(crate) fn one(&self, [gradient, hessian]: [f64; 2]) -> f64 {
        let gradient_left = threshold(gradient, self.l1);
        if self.plain {
            return gradient_left * gradient_left / (hessian + self.l2);
        }
        let answer = self.best(gradient, hessian);
        -(2.0 * gradient_left * answer + (hessian + self.l2) * answer * answer)
    }

    /// The scores of two nodes together.
    #[inline]
    pub(crate) fn two(&self, left: [f64; 2], right: [f64; 2]) -> f64 {
        if self.plain {
            // One division for both.
            let (a, b) = (threshold(left[0], self.l1), threshold(right[0], self.l1));
            let (p, q) = (left[1] + self.l2, right[1] + self.l2);
            return (a * a * q + b * b * p) / (p * q);
        }
        self.one(left) + self.one(right)
    }

    /// Whether the answers of two nodes stand in the order that `direction` (1 rising, −1 falling, 0 any) asks for.
    #[inline]
    pub(crate) fn in_order(&self, left: [f64; 2], right: [f64; 2], direction: i8) -> bool {
        direction == 0 || f64::from(direction) * (self.best(right[0], right[1]) - self.best(left[0], left[1])) >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Scale = Scale { gradient: 1.0, hessian: 1.0 };

    #[test]
    fn scores_and_answers_by_hand() {
        let free = (f64::NEG_INFINITY, f64::INFINITY);
        let plain = Score::new(&Penalty { l2: 1.0, ..Penalty::NONE }, UNIT, free, 0.0, 1.0);
        assert_eq!((plain.one([6.0, 2.0]), plain.answer([6.0, 2.0])), (12.0, -2.0));
        assert_eq!(plain.two([6.0, 2.0], [-4.0, 1.0]), 20.0);
        let l1 = Score::new(&Penalty { l1: 2.0, ..Penalty::NONE }, UNIT, free, 0.0, 1.0);
        assert_eq!((l1.one([6.0, 2.0]), l1.one([-1.0, 2.0])), (8.0, 0.0));
        // An answer held at -1 takes off 2·6 - 3.
        let held = Score::new(&Penalty { l2: 1.0, ..Penalty::NONE }, UNIT, (-1.0, 1.0), 0.0, 1.0);
        assert_eq!((held.one([6.0, 2.0]), held.answer([6.0, 2.0])), (9.0, -1.0));
        // Two rows against two of smoothing: half way to the parent.
        let smooth = Score::new(&Penalty { smoothing: 2.0, ..Penalty::NONE }, UNIT, free, 1.0, 1.0);
        assert_eq!(smooth.answer([6.0, 2.0]), -1.0);
        assert_eq!(Penalty { smoothing: 2.0, ..Penalty::NONE }.smooth(-3.0, 2.0, 1.0), -1.0);
        assert!(plain.in_order([2.0, 1.0], [1.0, 1.0], 1) && !plain.in_order([2.0, 1.0], [1.0, 1.0], -1));
    }

    #[test]
    fn steps_only_change_the_unit() {
        let penalty = Penalty { l1: 0.3, l2: 0.7, smoothing: 0.0, max_answer: 0.4 };
        let scale = Scale { gradient: 0.25, hessian: 0.5 };
        let free = (f64::NEG_INFINITY, f64::INFINITY);
        let (a, b) = (Score::new(&penalty, UNIT, free, 0.0, 1.0), Score::new(&penalty, scale, free, 0.0, 1.0));
        for (g, h) in [(3.0, 2.0), (-0.5, 4.0), (9.0, 1.0)] {
            let steps = [g / 0.25, h / 0.5];
            assert!((a.worth(a.one([g, h])) - b.worth(b.one(steps))).abs() < 1e-12);
            assert!((a.answer([g, h]) - b.answer(steps)).abs() < 1e-12);
            assert!((penalty.answer(g, h) - a.answer([g, h])).abs() < 1e-12);
        }
    }
}
