//! Products of a design matrix: `X'WX`, `X'Wy`, `Xv`.
//!
//! They are where a linear model spends its time. Rows are cut into blocks of a fixed size that run in
//! parallel and are added in block order, so the bits do not depend on the threads; nor on the processor, for
//! no product is fused and no kernel is chosen at run time. What is done with one block is in `kernel.rs`.

mod kernel;
mod vector;

pub use vector::{matvec, weighted_xty};

use crate::parallel::blocks;
use ndarray::{Array2, ArrayView2};
use std::ops::Range;

/// Rows of one task.
const BLOCK: usize = 4096;
/// Tasks whose results are held at once: bounds the memory at this many `p × p` matrices.
const WAVE: usize = 32;
/// The weighted Gram matrix `X' W X`, `p × p` and exactly symmetric, of the `n × p` matrix `x`.
///
/// `w` are the weights of the rows, 1 if `None`; rows beyond the end of `w` are left out. NaN or infinity in
/// `x` or `w` makes the entries it takes part in NaN or infinite, save that it may be skipped where the other
/// factor is zero. O(n p²) or O(n k²) with k non-zero entries per row, on all threads. Tiling as in Goto &
/// van de Geijn (2008), "Anatomy of high-performance matrix multiplication".
///
/// ```
/// use ndarray::array;
/// let x = array![[1.0, 2.0], [1.0, -1.0], [1.0, 0.5]];
/// let gram = stagewise_numeric::gram::weighted_gram(x.view(), Some(&[1.0, 2.0, 4.0]));
/// assert_eq!(gram, array![[7.0, 2.0], [2.0, 7.0]]);
/// ```
#[must_use]
pub fn weighted_gram(x: ArrayView2<'_, f64>, w: Option<&[f64]>) -> Array2<f64> {
    let p = x.ncols();
    let n = w.map_or(x.nrows(), |w| x.nrows().min(w.len()));
    let upper = summed(n, p * p, |rows| {
        let mut sum = vec![0.0; p * p];
        kernel::add_gram(x, w, rows, &mut sum);
        sum
    });
    Array2::from_shape_fn((p, p), |(i, j)| upper[i.min(j) * p + i.max(j)])
}

/// The sum of `partial` over the row blocks of `0..n`, entry by entry and in block order.
fn summed(n: usize, length: usize, partial: impl Fn(Range<usize>) -> Vec<f64> + Sync) -> Vec<f64> {
    let mut total = vec![0.0; length];
    for start in (0..n).step_by(BLOCK * WAVE) {
        let rows = (n - start).min(BLOCK * WAVE);
        let parts = blocks(rows, BLOCK, |block| partial(start + block.start..start + block.end));
        for part in parts {
            total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use crate::sum::ExactSum;
    use ndarray::{Array1, array};
    use proptest::prelude::*;

    fn random(n: usize, p: usize, density: f64) -> Array2<f64> {
        let mut stream = Stream::new(5, "gram");
        Array2::from_shape_fn((n, p), |_| if stream.unit() < density { stream.normal() } else { 0.0 })
    }

    /// `(X'WX)_ij` with exact sums of the products `(w x_i) x_j`.
    fn entry(x: &Array2<f64>, w: Option<&[f64]>, i: usize, j: usize) -> f64 {
        let mut sum = ExactSum::new();
        for (r, row) in x.rows().into_iter().enumerate() {
            sum.add_product(w.map_or(1.0, |w| w[r]) * row[i], row[j]);
        }
        sum.value()
    }

    #[test]
    fn golden() {
        // numpy 2.4: x = np.arange(18.).reshape(6, 3) % 7; w = [1, .5, 2, 0, 3, 1.5]
        // (x.T * w) @ x; (x.T * w) @ [1, -1, 2, 5, 0, 4]; x @ [1, .5, -2]
        let x = Array2::from_shape_fn((6, 3), |(i, j)| ((i * 3 + j) % 7) as f64);
        let w = [1.0, 0.5, 2.0, 0.0, 3.0, 1.5];
        assert_eq!(
            weighted_gram(x.view(), Some(&w)),
            array![[153.0, 99.0, 24.0], [99.0, 123.0, 21.0], [24.0, 21.0, 32.0]]
        );
        assert_eq!(weighted_xty(x.view(), Some(&w), &[1.0, -1.0, 2.0, 5.0, 0.0, 4.0]), array![28.5, 11.0, 21.5]);
        assert_eq!(matvec(x.view(), &[1.0, 0.5, -2.0]), array![-3.5, -5.0, 4.0, -4.5, 8.0, -4.0]);
    }

    #[test]
    fn sparse_and_dense_blocks_are_close_to_exact() {
        for (density, p) in [(1.0, 7), (0.2, 33), (0.02, 41)] {
            let x = random(9000, p, density);
            let mut stream = Stream::new(6, "weights");
            let w: Vec<f64> = (0..9000).map(|_| stream.unit()).collect();
            for w in [None, Some(&w[..])] {
                let gram = weighted_gram(x.view(), w);
                for ((i, j), &g) in gram.indexed_iter() {
                    assert!((g - entry(&x, w, i, j)).abs() < 1e-9, "{density} {i} {j}");
                    assert_eq!(g.to_bits(), gram[[j, i]].to_bits());
                }
            }
        }
    }

    #[test]
    fn same_bits_for_any_thread_count_and_layout() {
        let x = random(20_000, 6, 1.0);
        let y: Vec<f64> = x.column(0).to_vec();
        let mut column_major = Array2::zeros((6, 20_000));
        column_major.assign(&x.t());
        let all =
            |x: ArrayView2<'_, f64>| (weighted_gram(x, Some(&y)), weighted_xty(x, Some(&y), &y), matvec(x, &y[..6]));
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let alone = alone.map(|pool| pool.install(|| all(x.view()))).ok();
        let many = rayon::ThreadPoolBuilder::new().num_threads(4).build();
        assert_eq!(many.map(|pool| pool.install(|| all(x.view()))).ok(), alone);
        assert_eq!(Some(all(column_major.t())), alone);
    }

    #[test]
    fn edges() {
        let empty = Array2::<f64>::zeros((0, 2));
        assert_eq!(weighted_gram(empty.view(), None), Array2::<f64>::zeros((2, 2)));
        assert_eq!(weighted_xty(empty.view(), None, &[1.0]), array![0.0, 0.0]);
        let x = array![[1.0, 2.0], [f64::NAN, 5.0]];
        assert_eq!(weighted_gram(x.view(), Some(&[2.0])), array![[2.0, 4.0], [4.0, 8.0]]);
        assert!(weighted_gram(x.view(), None)[[0, 0]].is_nan());
        assert_eq!(weighted_gram(Array2::zeros((3, 0)).view(), None).dim(), (0, 0));
        assert_eq!(matvec(x.view(), &array![3.0])[0], 3.0);
    }

    proptest! {
        #[test]
        fn integers_are_exact(entries in prop::collection::vec(-9i8..9, 1..200), p in 1usize..9) {
            let n = entries.len() / p;
            let x = Array2::from_shape_fn((n, p), |(i, j)| f64::from(entries[i * p + j]));
            prop_assert_eq!(weighted_gram(x.view(), None), x.t().dot(&x));
            let y: Vec<f64> = (0..n).map(|i| i as f64).collect();
            prop_assert_eq!(weighted_xty(x.view(), None, &y), x.t().dot(&Array1::from_vec(y)));
        }
    }
}
