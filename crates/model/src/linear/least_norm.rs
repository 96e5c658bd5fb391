//! Normal equations whose columns may depend on each other: the solution of least norm.
//!
//! Dummies of every level, constants and repeated columns are everyday data, and a least-squares problem with them has
//! many solutions. The one of least norm is unique, does not depend on the order of the columns, and is what a
//! singular value decomposition gives. It is found from the normal equations: columns that are combinations of earlier
//! ones are set aside, the rest is solved by Cholesky, and the solution is projected off the null space.

use ndarray::{Array1, Array2};
use stagewise_core::context::FitContext;
use stagewise_numeric::solve::cholesky::Cholesky;
use stagewise_numeric::sum::dot;

/// The share of a column's variance below which what earlier columns do not explain counts as rounding.
const DEPENDENT: f64 = 1e-10;

/// A solution of least norm.
pub(super) struct Solution {
    pub(super) x: Vec<f64>,
    /// Columns that are combinations of earlier ones; not those that are 0 throughout.
    pub(super) dependent: Vec<usize>,
}

/// Solves `a x = b` for symmetric positive semidefinite `a`; `None` if something is not finite. O(p³).
pub(super) fn solve(a: &Array2<f64>, b: &[f64]) -> Option<Solution> {
    if a.iter().chain(b).any(|v| !v.is_finite()) {
        return None;
    }
    let (kept, dependent) = independent(a);
    let sub = Array2::from_shape_fn((kept.len(), kept.len()), |(i, j)| a[[kept[i], kept[j]]]);
    let factor = Cholesky::factor(sub.view()).ok()?;
    let right = |column: &dyn Fn(usize) -> f64| kept.iter().map(|&i| column(i)).collect::<Array1<f64>>();
    let mut solved = factor.solve(right(&|i| b[i]).view()).ok()?;
    let mut x = vec![0.0; b.len()];
    if !dependent.is_empty() {
        // Column d is Σ c_i · column kept_i, so (-c, 1) spans the null space.
        let mut combinations = Vec::with_capacity(dependent.len());
        for &d in &dependent {
            combinations.push(factor.solve(right(&|i| a[[i, d]]).view()).ok()?);
        }
        let n = dependent.len();
        let null = Array2::from_shape_fn((n, n), |(i, j)| {
            combinations[i].dot(&combinations[j]) + if i == j { 1.0 } else { 0.0 }
        });
        let along: Array1<f64> = combinations.iter().map(|c| -c.dot(&solved)).collect();
        let along = Cholesky::factor(null.view()).ok()?.solve(along.view()).ok()?;
        for ((&d, c), &t) in dependent.iter().zip(&combinations).zip(&along) {
            solved.scaled_add(t, c);
            x[d] = -t;
        }
    }
    kept.iter().zip(&solved).for_each(|(&i, &value)| x[i] = value);
    x.iter().all(|v| v.is_finite()).then_some(Solution { x, dependent })
}

/// Warns of columns that are combinations of others.
pub(super) fn warn(dependent: &[usize], names: &[String], cx: &FitContext) {
    const NAMED: usize = 5;
    let Some(_) = dependent.first() else { return };
    let mut list: Vec<String> =
        dependent.iter().take(NAMED).filter_map(|&j| names.get(j)).map(|name| format!("`{name}`")).collect();
    if dependent.len() > NAMED {
        list.push(format!("{} more", dependent.len() - NAMED));
    }
    let verb = if dependent.len() == 1 { "is a linear combination" } else { "are linear combinations" };
    cx.warn(format!(
        "{} {verb} of other columns; coefficients are those of least norm, predictions are not affected; remove the \
         columns or add an l2 penalty to read the coefficients",
        list.join(", ")
    ));
}

/// The columns that do not depend on earlier ones, and those that do, by Cholesky on unit diagonal.
fn independent(a: &Array2<f64>) -> (Vec<usize>, Vec<usize>) {
    let p = a.nrows();
    let scale: Vec<f64> = a.diag().iter().map(|&d| if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }).collect();
    let (mut kept, mut dependent) = (Vec::with_capacity(p), Vec::new());
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(p);
    for i in 0..p {
        if scale[i] == 0.0 || !scale[i].is_finite() {
            continue;
        }
        let mut row = Vec::with_capacity(kept.len() + 1);
        for (above, &j) in rows.iter().zip(&kept) {
            let done: usize = row.len();
            let entry = a[[i, j]] * scale[i] * scale[j] - dot(&row, &above[..done]);
            row.push(entry / above[done]);
        }
        let pivot = 1.0 - dot(&row, &row);
        if pivot > DEPENDENT {
            row.push(pivot.sqrt());
            rows.push(row);
            kept.push(i);
        } else {
            dependent.push(i);
        }
    }
    (kept, dependent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_repeated_column_shares_its_coefficient_and_a_zero_one_gets_none() {
        let a = array![[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [0.0, 0.0, 0.0]];
        let solution = solve(&a, &[8.0, 8.0, 0.0]).unwrap();
        let off = solution.x.iter().zip([2.0, 2.0, 0.0]).map(|(found, expected)| (found - expected).abs());
        assert!(off.fold(0.0, f64::max) < 1e-14, "{:?}", solution.x);
        assert_eq!((solution.x[2], solution.dependent.as_slice()), (0.0, [1].as_slice()));
    }

    #[test]
    fn a_sum_of_columns_gives_the_pseudo_inverse() {
        // numpy 2.4: np.linalg.pinv(x) @ [1, 2, 3, 4] is (23, -14, 9) / 17
        let x = array![[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [2.0, 1.0, 3.0], [1.0, -1.0, 0.0]];
        let b = x.t().dot(&array![1.0, 2.0, 3.0, 4.0]);
        let solution = solve(&x.t().dot(&x), b.as_slice().unwrap()).unwrap();
        for (found, expected) in solution.x.iter().zip([23.0 / 17.0, -14.0 / 17.0, 9.0 / 17.0]) {
            assert!((found - expected).abs() < 1e-12, "{:?}", solution.x);
        }
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        assert!(solve(&array![[f64::INFINITY]], &[1.0]).is_none());
        assert!(solve(&array![[1.0]], &[f64::NAN]).is_none());
    }
}
