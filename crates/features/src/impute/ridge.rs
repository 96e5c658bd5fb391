//! The linear equations of chained imputation: one column told by the others, with a penalty on the slopes.
//!
//! The penalty is stated, or found from the data by MacKay's evidence: how large slopes are and how far the values scatter
//! is learned together with them, with almost flat Gamma priors on both.

use ndarray::{Array1, Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use stagewise_numeric::gram::{matvec, weighted_gram};
use stagewise_numeric::solve::cholesky::Cholesky;
use stagewise_numeric::sum::dot;

/// How large the slopes of the equations may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RidgePenalty {
    /// As the data say (MacKay 1992; Tipping 2001): Bayesian ridge regression.
    #[default]
    Evidence,
    /// This much: `Σ w (y − a − x b)² + l2 |b|²`.
    L2(f64),
}

/// What MacKay's rules start from and stop at; the values of scikit-learn's `BayesianRidge`.
const PRIOR: f64 = 1e-6;
const TOLERANCE: f64 = 1e-3;
const MOST_STEPS: usize = 300;

/// The slopes of `y` on `x`, `n × p`; both are centred, and rows have weights. `None` if no slope is finite.
pub(super) fn slopes(
    x: ArrayView2<'_, f64>,
    y: &[f64],
    weights: Option<&[f64]>,
    penalty: RidgePenalty,
) -> Option<Array1<f64>> {
    let (n, p) = x.dim();
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let total: f64 = (0..n).map(weight).sum();
    let gram = weighted_gram(x, weights);
    let xty = stagewise_numeric::gram::weighted_xty(x, weights, y);
    let solved = |l2: f64| -> Option<(Cholesky, Array1<f64>)> {
        let factor = factor(&gram, l2)?;
        let slopes = factor.solve(xty.view()).ok()?;
        slopes.iter().all(|b| b.is_finite()).then_some((factor, slopes))
    };
    if let RidgePenalty::L2(l2) = penalty {
        return Some(solved(l2)?.1);
    }
    let spread = (0..n).map(|row| weight(row) * y[row] * y[row]).sum::<f64>() / total;
    // Precision of the scatter and of the slopes.
    let (mut alpha, mut lambda) = (1.0 / (spread + f64::EPSILON), 1.0);
    let mut before: Option<Array1<f64>> = None;
    for _ in 0..MOST_STEPS {
        let (factor, slopes) = solved(lambda / alpha)?;
        let told = matvec(x, &slopes.to_vec());
        let scatter: f64 = (0..n).map(|row| weight(row) * (y[row] - told[row]) * (y[row] - told[row])).sum();
        // How many slopes the data decide: the trace of (G + λ/α I)⁻¹ G.
        let mut decided = 0.0;
        for j in 0..p {
            decided += factor.solve(gram.column(j)).ok()?[j];
        }
        lambda = (decided + 2.0 * PRIOR) / (dot(slopes.as_slice()?, slopes.as_slice()?) + 2.0 * PRIOR);
        alpha = (total - decided + 2.0 * PRIOR) / (scatter + 2.0 * PRIOR);
        let settled = before
            .is_some_and(|before| before.iter().zip(&slopes).map(|(a, b)| (a - b).abs()).sum::<f64>() < TOLERANCE);
        if settled {
            break;
        }
        before = Some(slopes);
    }
    Some(solved(lambda / alpha)?.1)
}

/// The factor of `G + l2 I`. Where rounding leaves it singular, each diagonal entry grows by as much as rounding may have
/// taken.
fn factor(gram: &Array2<f64>, l2: f64) -> Option<Cholesky> {
    let p = gram.nrows();
    let with = |relative: f64| {
        let mut matrix = gram.clone();
        matrix.diag_mut().iter_mut().for_each(|d| *d += l2 + relative * *d + f64::MIN_POSITIVE);
        Cholesky::factor(matrix.view()).ok()
    };
    with(0.0).or_else(|| with(64.0 * p as f64 * f64::EPSILON))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_stated_penalty_is_ridge_regression() {
        // (10 + 2) b = 20
        let x = array![[-2.0], [-1.0], [0.0], [1.0], [2.0]];
        let y = [-4.0, -2.0, 0.0, 2.0, 4.0];
        let found = slopes(x.view(), &y, None, RidgePenalty::L2(2.0)).unwrap();
        assert!((found[0] - 20.0 / 12.0).abs() < 1e-14);
        let weighted = slopes(x.view(), &y, Some(&[2.0; 5]), RidgePenalty::L2(4.0)).unwrap();
        assert!((weighted[0] - found[0]).abs() < 1e-14);
    }

    #[test]
    fn the_evidence_trusts_what_fits_and_not_what_scatters() {
        let x = Array2::from_shape_fn((41, 1), |(i, _)| i as f64 - 20.0);
        let line: Vec<f64> = (0..41).map(|i| 0.5 * (f64::from(i) - 20.0)).collect();
        let found = slopes(x.view(), &line, None, RidgePenalty::Evidence).unwrap();
        assert!((found[0] - 0.5).abs() < 1e-6, "{found}");
        let noise: Vec<f64> = (0..41).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let found = slopes(x.view(), &noise, None, RidgePenalty::Evidence).unwrap();
        assert!(found[0].abs() < 1e-3, "{found}");
    }

    #[test]
    fn collinear_constant_and_huge_columns_have_an_answer_or_none() {
        let x = Array2::from_shape_fn((9, 3), |(i, j)| if j == 2 { 0.0 } else { i as f64 - 4.0 });
        let y: Vec<f64> = (0..9).map(|i| f64::from(i) - 4.0).collect();
        for penalty in [RidgePenalty::Evidence, RidgePenalty::L2(0.0)] {
            let found = slopes(x.view(), &y, None, penalty).unwrap();
            assert!((found[0] + found[1] - 1.0).abs() < 1e-6 && found[2] == 0.0, "{penalty:?} {found}");
        }
        let huge = x.mapv(|v| v * 1e300);
        assert_eq!(slopes(huge.view(), &y, None, RidgePenalty::Evidence), None);
        assert_eq!(slopes(Array2::zeros((3, 0)).view(), &[0.0; 3], None, RidgePenalty::Evidence).unwrap().len(), 0);
    }
}
