//! Symmetric positive definite systems by Cholesky factorisation.
//!
//! Normal equations of ridge, weighted least squares and Newton steps end here. The matrix is first scaled
//! to a unit diagonal: that is within a factor of the dimension of the best diagonal scaling (van der Sluis
//! 1969), so columns measured in millimetres and in millions do not spoil each other, and it gives the test
//! for a vanishing pivot a scale to compare with.

use super::SolveError;
use crate::sum::dot;
use ndarray::{Array1, ArrayView1, ArrayView2};

/// A Cholesky factor `L` of the equilibrated matrix: `S A S = L Lᵀ` with `S = diag(1 / √a_ii)`.
///
/// ```
/// use ndarray::array;
/// use stagewise_numeric::solve::cholesky::Cholesky;
/// let factor = Cholesky::factor(array![[4.0, 2.0], [2.0, 3.0]].view()).unwrap();
/// let x = factor.solve(array![8.0, 7.0].view()).unwrap();
/// assert!((x[0] - 1.25).abs() < 1e-15 && (x[1] - 1.5).abs() < 1e-15);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cholesky {
    /// Row-major `p × p`, the lower triangle in use.
    lower: Vec<f64>,
    scale: Vec<f64>,
}

impl Cholesky {
    /// Factors the symmetric `p × p` matrix `a`, of which only the lower triangle is read.
    ///
    /// # Errors
    /// [`SolveError::NotSquare`]; [`SolveError::NotPositiveDefinite`] for a diagonal entry that is not positive
    /// and finite, for a scaled pivot not above `p ε`, and for any NaN or infinity. O(p³ / 3).
    /// Higham (2002), "Accuracy and Stability of Numerical Algorithms", ch. 10.
    pub fn factor(a: ArrayView2<'_, f64>) -> Result<Self, SolveError> {
        let (rows, columns) = a.dim();
        if rows != columns {
            return Err(SolveError::NotSquare { rows, columns });
        }
        let p = rows;
        let mut scale = Vec::with_capacity(p);
        for (pivot, &d) in a.diag().iter().enumerate() {
            if !(d > 0.0 && d.is_finite()) {
                return Err(SolveError::NotPositiveDefinite { pivot });
            }
            scale.push(1.0 / d.sqrt());
        }
        // What rounding leaves of a pivot that is zero; negated comparison so that NaN fails as well.
        let vanishing = p as f64 * f64::EPSILON;
        let mut lower = vec![0.0; p * p];
        for i in 0..p {
            let (done, rest) = lower.split_at_mut(i * p);
            let row = &mut rest[..p];
            for j in 0..i {
                let above = &done[j * p..j * p + p];
                let entry = a[[i, j]] * scale[i] * scale[j];
                row[j] = (entry - dot(&row[..j], &above[..j])) / above[j];
            }
            let pivot = 1.0 - dot(&row[..i], &row[..i]);
            if pivot.is_nan() || pivot <= vanishing {
                return Err(SolveError::NotPositiveDefinite { pivot: i });
            }
            row[i] = pivot.sqrt();
        }
        Ok(Self { lower, scale })
    }

    /// Solves `A x = b` for a right-hand side of length `p`; NaN in `b` gives NaN in `x`. O(p²).
    ///
    /// # Errors
    /// [`SolveError::Length`] for another length.
    pub fn solve(&self, b: ArrayView1<'_, f64>) -> Result<Array1<f64>, SolveError> {
        let p = self.scale.len();
        if b.len() != p {
            return Err(SolveError::Length { expected: p, found: b.len() });
        }
        let mut x: Vec<f64> = b.iter().zip(&self.scale).map(|(b, s)| b * s).collect();
        for i in 0..p {
            let row = &self.lower[i * p..i * p + i + 1];
            x[i] = (x[i] - dot(&row[..i], &x[..i])) / row[i];
        }
        // Column by column, because a row of Lᵀ is not contiguous.
        for i in (0..p).rev() {
            let row = &self.lower[i * p..i * p + i + 1];
            let value = x[i] / row[i];
            for (x, l) in x[..i].iter_mut().zip(row) {
                *x -= value * l;
            }
            x[i] = value * self.scale[i];
        }
        Ok(Array1::from_vec(x))
    }
}

/// Solves the symmetric positive definite system `a x = b`; `a` is `p × p`, `b` has length `p`.
///
/// Only the lower triangle of `a` is read. O(p³ / 3). Equilibration as in LAPACK's `dposvx`.
///
/// # Errors
/// As [`Cholesky::factor`] and [`Cholesky::solve`].
///
/// ```
/// use ndarray::array;
/// use stagewise_numeric::solve::{SolveError, cholesky::solve_spd};
/// let x = solve_spd(array![[2.0, 1.0], [1.0, 2.0]].view(), array![3.0, 3.0].view()).unwrap();
/// assert!((x[0] - 1.0).abs() < 1e-15 && (x[1] - 1.0).abs() < 1e-15);
/// let singular = solve_spd(array![[1.0, 1.0], [1.0, 1.0]].view(), array![1.0, 1.0].view());
/// assert_eq!(singular, Err(SolveError::NotPositiveDefinite { pivot: 1 }));
/// ```
pub fn solve_spd(a: ArrayView2<'_, f64>, b: ArrayView1<'_, f64>) -> Result<Array1<f64>, SolveError> {
    if b.len() != a.nrows() {
        return Err(SolveError::Length { expected: a.nrows(), found: b.len() });
    }
    Cholesky::factor(a)?.solve(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    #[test]
    fn equals_numpy() {
        // Python fractions, Cramer's rule; numpy 2.4's np.linalg.solve agrees.
        let a = array![[4.0, 12.0, -16.0], [12.0, 37.0, -43.0], [-16.0, -43.0, 98.0]];
        let x = solve_spd(a.view(), array![1.0, 2.0, 3.0].view());
        let expected = [343.0 / 12.0, -23.0 / 3.0, 4.0 / 3.0];
        let close = |x: &Array1<f64>| x.iter().zip(expected).all(|(x, e)| (x / e - 1.0).abs() < 1e-12);
        assert!(x.as_ref().is_ok_and(close), "{x:?}");
    }

    #[test]
    fn badly_scaled_systems_are_equilibrated() {
        let a = array![[1e-20, 5e-11], [5e-11, 1.0]];
        let x = solve_spd(a.view(), array![1e-20 + 5e-11, 1.0 + 5e-11].view());
        assert!(x.is_ok_and(|x| (x[1] - 1.0).abs() < 1e-9));
        let tiny = solve_spd(array![[1e-300]].view(), array![3e-300].view());
        assert!(tiny.is_ok_and(|x| (x[0] - 3.0).abs() < 1e-15));
    }

    #[test]
    fn what_has_no_solution_is_an_error() {
        let b = array![1.0, 1.0];
        for (a, pivot) in [
            (array![[1.0, 2.0], [2.0, 1.0]], 1),
            (array![[0.0, 0.0], [0.0, 1.0]], 0),
            (array![[1.0, 0.1], [f64::NAN, 1.0]], 1),
            (array![[1.0, 0.0], [0.0, f64::INFINITY]], 1),
        ] {
            let expected = Err(SolveError::NotPositiveDefinite { pivot });
            assert_eq!(solve_spd(a.view(), b.view()), expected);
        }
        let wide = Array2::<f64>::zeros((2, 3));
        assert_eq!(solve_spd(wide.view(), b.view()), Err(SolveError::NotSquare { rows: 2, columns: 3 }));
        let one = array![[1.0]];
        assert_eq!(solve_spd(one.view(), b.view()), Err(SolveError::Length { expected: 1, found: 2 }));
        let none = Array2::<f64>::zeros((0, 0));
        assert!(solve_spd(none.view(), array![].view()).is_ok_and(|x| x.is_empty()));
    }

    proptest! {
        #[test]
        fn residual_is_small(p in 1usize..20, entries in prop::collection::vec(-1.0f64..1.0, 400), b in prop::collection::vec(-1.0f64..1.0, 20)) {
            let x = Array2::from_shape_fn((p, p), |(i, j)| entries[i * 20 + j]);
            let a = x.t().dot(&x) + Array2::<f64>::eye(p);
            let b = Array1::from_vec(b[..p].to_vec());
            let solved = solve_spd(a.view(), b.view());
            let residual = solved.map(|x| (a.dot(&x) - &b).iter().fold(0.0f64, |m, r| m.max(r.abs())));
            prop_assert!(residual.is_ok_and(|r| r < 1e-12));
        }
    }
}
