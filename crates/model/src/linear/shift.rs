//! Columns moved to where their sums of squares keep their digits.
//!
//! A column around 1000 with a spread of 1 loses six digits in `X'X`. Such columns are moved by their mean before; the
//! coefficients stay, the intercept is moved back. Others are left where they are, so that one-hot columns stay
//! sparse. A constant column is moved to exactly 0, by which the solver knows it.

use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use stagewise_numeric::parallel;

/// Means above this many standard deviations are taken off.
const FAR: f64 = 10.0;
/// Rows of one task.
const BLOCK: usize = 4096;

/// A matrix, what was taken off each column, and the standard deviation of each.
pub(super) struct Shifted<'a> {
    pub(super) x: CowArray<'a, f64, Ix2>,
    pub(super) shift: Vec<f64>,
    pub(super) deviation: Vec<f64>,
}

/// Moves the columns of `x` that need it. With `weights`, rows count as they say. O(n p).
pub(super) fn shift<'a>(x: ArrayView2<'a, f64>, weights: Option<&[f64]>) -> Shifted<'a> {
    let p = x.ncols();
    let weight = |r: usize| weights.map_or(1.0, |w| w[r]);
    // From the first row on, so that a far column does not lose its digits here already.
    let origin: Vec<f64> = if x.nrows() > 0 { x.row(0).to_vec() } else { vec![0.0; p] };
    let parts = parallel::blocks(x.nrows(), BLOCK, |rows| {
        let mut sums = vec![[0.0; 2]; p];
        let mut total = 0.0;
        for r in rows {
            let w = weight(r);
            total += w;
            for ((sums, v), o) in sums.iter_mut().zip(x.row(r)).zip(&origin) {
                let d = v - o;
                sums[0] += w * d;
                sums[1] += w * d * d;
            }
        }
        (total, sums)
    });
    let mut total = 0.0;
    let mut sums = vec![[0.0; 2]; p];
    for (part_total, part) in parts {
        total += part_total;
        sums.iter_mut().zip(part).for_each(|(a, b)| (0..2).for_each(|i| a[i] += b[i]));
    }
    let mut shift = vec![0.0; p];
    let mut deviation = vec![0.0; p];
    for j in 0..p {
        let mean = origin[j] + sums[j][0] / total;
        deviation[j] = (sums[j][1] / total - (sums[j][0] / total).powi(2)).max(0.0).sqrt();
        if deviation[j] == 0.0 {
            shift[j] = origin[j];
        } else if mean.abs() > FAR * deviation[j] {
            shift[j] = mean;
        }
    }
    if shift.iter().all(|&s| s == 0.0) {
        return Shifted { x: x.into(), shift, deviation };
    }
    let moved = parallel::blocks(x.nrows(), BLOCK, |rows| {
        let mut block = Vec::with_capacity(rows.len() * p);
        rows.for_each(|r| block.extend(x.row(r).iter().zip(&shift).map(|(v, s)| v - s)));
        block
    });
    let mut values = Vec::with_capacity(x.len());
    moved.iter().for_each(|block| values.extend_from_slice(block));
    match Array2::from_shape_vec(x.raw_dim(), values) {
        Ok(moved) => Shifted { x: moved.into(), shift, deviation },
        // Not reached: the blocks hold every value once.
        Err(_) => Shifted { x: x.into(), shift: vec![0.0; p], deviation },
    }
}

impl Shifted<'_> {
    /// The intercept for columns where they were.
    pub(super) fn intercept(&self, intercept: f64, coefficients: &[f64]) -> f64 {
        coefficients.iter().zip(&self.shift).fold(intercept, |b, (c, s)| if *c == 0.0 { b } else { b - c * s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn only_far_and_constant_columns_move() {
        let x = array![[1000.0, 0.0, 7.5], [1001.0, 1.0, 7.5], [1002.0, 0.0, 7.5]];
        let shifted = shift(x.view(), None);
        assert_eq!(shifted.shift, [1001.0, 0.0, 7.5]);
        assert_eq!(shifted.x, array![[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]);
        assert_eq!(shifted.intercept(1.0, &[0.5, 3.0, 0.0]), 1.0 - 500.5);
    }
}
