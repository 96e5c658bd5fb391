//! Products of the design matrix with a vector.
//!
//! Predictions are `Xv`. A prediction must not depend on the rows beside it, so every entry is the one dot
//! product of the workspace over its row; only the rows are shared out among threads.

use super::{BLOCK, summed};
use crate::parallel::blocks;
use crate::sum::dot;
use ndarray::{Array1, ArrayView1, ArrayView2};

/// The vector `X' W y` of length `p`, for the `n × p` matrix `x`, weights `w` (1 if `None`) and `n` values `y`.
///
/// Rows beyond the end of `w` or `y` are left out; NaN propagates. O(n p), on all threads, same bits for any
/// number of them.
///
/// ```
/// use ndarray::array;
/// let x = array![[1.0, 2.0], [1.0, -1.0]];
/// let xty = stagewise_numeric::gram::weighted_xty(x.view(), Some(&[1.0, 2.0]), &[3.0, 5.0]);
/// assert_eq!(xty, array![13.0, -4.0]);
/// ```
#[must_use]
pub fn weighted_xty(x: ArrayView2<'_, f64>, w: Option<&[f64]>, y: &[f64]) -> Array1<f64> {
    let p = x.ncols();
    let n = x.nrows().min(y.len()).min(w.map_or(usize::MAX, <[f64]>::len));
    let total = summed(n, p, |rows| {
        let mut sum = vec![0.0; p];
        for r in rows {
            let factor = w.map_or(y[r], |w| w[r] * y[r]);
            for (sum, v) in sum.iter_mut().zip(x.row(r)) {
                *sum += factor * v;
            }
        }
        sum
    });
    Array1::from_vec(total)
}

/// The vector `X v` of length `n`, each entry by [`dot`] and so equal to the bit to the product of its row alone.
///
/// `v` is a slice, an array or a view of length `p`; if it is shorter, the columns beyond it are left out. NaN
/// propagates. O(n p), on all threads.
///
/// ```
/// use ndarray::array;
/// let x = array![[1.0, 2.0], [1.0, -1.0]];
/// assert_eq!(stagewise_numeric::gram::matvec(x.view(), &[3.0, 0.5]), array![4.0, 2.5]);
/// ```
#[must_use]
pub fn matvec<'a>(x: ArrayView2<'_, f64>, v: impl Into<ArrayView1<'a, f64>>) -> Array1<f64> {
    let v = v.into().to_vec();
    let parts = blocks(x.nrows(), BLOCK, |rows| {
        let mut copy = Vec::new();
        let product = |r: usize| match x.row(r).to_slice() {
            Some(row) => dot(row, &v),
            None => {
                copy.clear();
                copy.extend(x.row(r));
                dot(&copy, &v)
            }
        };
        rows.map(product).collect::<Vec<f64>>()
    });
    Array1::from_vec(parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use proptest::prelude::*;

    #[test]
    fn edges() {
        let empty = Array2::<f64>::zeros((0, 2));
        assert_eq!(weighted_xty(empty.view(), None, &[1.0]), array![0.0, 0.0]);
        assert!(matvec(empty.view(), &[1.0, 2.0]).is_empty());
        let x = array![[1.0, 2.0], [f64::NAN, 5.0]];
        assert_eq!(weighted_xty(x.view(), Some(&[2.0]), &[1.0, 1.0]), array![2.0, 4.0]);
        let product = matvec(x.view(), &array![3.0, 1.0]);
        assert!(product[0] == 5.0 && product[1].is_nan());
        assert_eq!(matvec(x.view(), &[3.0])[0], 3.0);
    }

    proptest! {
        #[test]
        fn a_row_alone_gives_the_bits_of_the_batch(
            entries in prop::collection::vec(-1e3f64..1e3, 1..300),
            v in prop::collection::vec(-1e3f64..1e3, 1..24),
        ) {
            let p = v.len().min(entries.len());
            let n = entries.len() / p;
            let x = Array2::from_shape_fn((n, p), |(i, j)| entries[i * p + j]);
            let batch = matvec(x.view(), &v[..p]);
            for (row, value) in entries.chunks_exact(p).zip(&batch) {
                prop_assert_eq!(dot(row, &v[..p]).to_bits(), value.to_bits());
            }
        }
    }
}
