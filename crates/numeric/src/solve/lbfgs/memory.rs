//! The memory of L-BFGS: past steps, and the direction they imply.
//!
//! The inverse Hessian is never formed. The two-loop recursion of Nocedal (1980), "Updating quasi-Newton
//! matrices with limited storage", applies it to the gradient from the last few pairs of steps and changes
//! of gradient, scaled by the newest pair.

use crate::sum::dot;
use ndarray::Array1;
use std::collections::VecDeque;

/// One past step: its change of point and of gradient, and `1 / sᵀy`.
struct Pair {
    s: Array1<f64>,
    y: Array1<f64>,
    rho: f64,
}

/// At most `size` past steps, oldest first.
pub(super) struct Memory {
    size: usize,
    pairs: VecDeque<Pair>,
}

impl Memory {
    pub(super) fn new(size: usize) -> Self {
        Self { size, pairs: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.pairs.clear();
    }

    /// `-H g` with the inverse Hessian that the remembered pairs imply.
    pub(super) fn direction(&self, gradient: &Array1<f64>) -> Array1<f64> {
        let mut q = -gradient;
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let alpha = pair.rho * inner(&pair.s, &q);
            q.scaled_add(-alpha, &pair.y);
            alphas.push(alpha);
        }
        if let Some(last) = self.pairs.back() {
            q *= 1.0 / (last.rho * inner(&last.y, &last.y));
        }
        for (pair, alpha) in self.pairs.iter().zip(alphas.into_iter().rev()) {
            let beta = pair.rho * inner(&pair.y, &q);
            q.scaled_add(alpha - beta, &pair.s);
        }
        q
    }

    /// Takes in the step `s` that changed the gradient by `y`.
    pub(super) fn remember(&mut self, s: Array1<f64>, y: Array1<f64>) {
        let curvature = inner(&s, &y);
        // Without positive curvature the implied Hessian would not be positive definite.
        let least = f64::EPSILON * f64::EPSILON * inner(&y, &y);
        if self.size == 0 || curvature.is_nan() || curvature <= least {
            return;
        }
        if self.pairs.len() == self.size {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Pair { s, y, rho: 1.0 / curvature });
    }
}

/// The dot product of two vectors, [`dot`] unless a foreign gradient is not contiguous.
pub(super) fn inner(a: &Array1<f64>, b: &Array1<f64>) -> f64 {
    match (a.as_slice(), b.as_slice()) {
        (Some(a), Some(b)) => dot(a, b),
        _ => a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn two_exact_pairs_give_the_newton_direction() {
        // On ½ (2 x² + 8 y²) with steps along the axes the implied inverse Hessian is diag(1/2, 1/8).
        let mut memory = Memory::new(2);
        memory.remember(array![1.0, 0.0], array![2.0, 0.0]);
        memory.remember(array![0.0, 1.0], array![0.0, 8.0]);
        assert_eq!(memory.direction(&array![6.0, 16.0]), array![-3.0, -2.0]);
        // A third pair drives out the first; along x the scale of the newest pair is left.
        memory.remember(array![0.0, 1.0], array![0.0, 8.0]);
        assert_eq!(memory.direction(&array![8.0, 0.0]), array![-1.0, 0.0]);
    }

    #[test]
    fn steps_without_curvature_are_not_kept() {
        let mut memory = Memory::new(3);
        memory.remember(array![1.0], array![-1.0]);
        memory.remember(array![1.0], array![0.0]);
        assert!(memory.is_empty());
        assert_eq!(memory.direction(&array![5.0]), array![-5.0]);
    }
}
