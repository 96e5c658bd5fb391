//! Solvers: linear systems by factorisation, symmetric matrices by their eigenvectors, smooth objectives by descent.
//!
//! Learners bring the normal equations or an objective with its gradient; everything that decides accuracy
//! and termination is here. A system that has no solution is an error of the data, hence a value and no panic.

pub mod cholesky;
pub mod lbfgs;
pub mod root;
pub mod symmetric;

use std::error::Error;
use std::fmt;

/// Why a linear system or an eigenproblem was not solved.
///
/// ```
/// use stagewise_numeric::solve::SolveError;
/// let error = SolveError::NotPositiveDefinite { pivot: 2 };
/// assert_eq!(error.to_string(), "matrix is not positive definite (pivot 2): columns are collinear, constant or not finite");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SolveError {
    /// The matrix is singular, indefinite or has an entry that is not finite; found at this pivot.
    NotPositiveDefinite {
        /// Index of the first row that depends on the rows before it.
        pivot: usize,
    },
    /// The iteration for an eigenvalue did not come to an end.
    NotConverged {
        /// Sweeps done for it.
        sweeps: usize,
    },
    /// The matrix has an entry that is NaN or infinite.
    NotFinite {
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// The matrix has another number of rows than of columns.
    NotSquare {
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        columns: usize,
    },
    /// The right-hand side has another length than the matrix has rows.
    Length {
        /// Rows of the matrix.
        expected: usize,
        /// Length of the right-hand side.
        found: usize,
    },
}

impl fmt::Display for SolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositiveDefinite { pivot } => write!(
                f,
                "matrix is not positive definite (pivot {pivot}): columns are collinear, constant or not finite"
            ),
            Self::NotConverged { sweeps } => write!(f, "an eigenvalue did not converge in {sweeps} sweeps"),
            Self::NotFinite { row, column } => write!(f, "entry ({row}, {column}) of the matrix is not finite"),
            Self::NotSquare { rows, columns } => {
                write!(f, "matrix is not square ({rows} rows, {columns} columns)")
            }
            Self::Length { expected, found } => {
                write!(f, "right-hand side has length {found}, the matrix {expected} rows")
            }
        }
    }
}

impl Error for SolveError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_numbers() {
        let shape = SolveError::NotSquare { rows: 2, columns: 3 };
        assert_eq!(shape.to_string(), "matrix is not square (2 rows, 3 columns)");
        let hole = SolveError::NotFinite { row: 2, column: 1 };
        assert_eq!(hole.to_string(), "entry (2, 1) of the matrix is not finite");
        let length = SolveError::Length { expected: 4, found: 1 };
        assert_eq!(length.to_string(), "right-hand side has length 1, the matrix 4 rows");
    }
}
