//! Contrast matrices: what each column compares. Columns are orthogonal to the ones of the intercept.
//!
//! The matrices of Helmert, sum and difference coding are written down in Chambers & Hastie (1992), "Statistical Models in
//! S", chapter 2.

use super::Contrast;

/// `levels` rows of `levels - 1` numbers, one row after another; none for fewer than two levels.
pub(super) fn rows(contrast: Contrast, levels: usize) -> Vec<f64> {
    let width = levels.saturating_sub(1);
    let whole = levels as f64;
    if contrast == Contrast::Polynomial {
        return polynomials(levels);
    }
    let mut rows = Vec::with_capacity(levels * width);
    for level in 0..levels {
        for column in 0..width {
            // The number of the column, from 1.
            let j = column as f64 + 1.0;
            rows.push(match contrast {
                Contrast::Helmert if level <= column => -1.0,
                Contrast::Helmert if level == column + 1 => j,
                Contrast::Sum if level == width => -1.0,
                Contrast::Sum if level == column => 1.0,
                Contrast::BackwardDifference if level <= column => j / whole - 1.0,
                Contrast::BackwardDifference => j / whole,
                Contrast::Helmert | Contrast::Sum | Contrast::Polynomial => 0.0,
            });
        }
    }
    rows
}

/// Polynomials of degree 1 and more at the numbers of the levels, orthonormal and with a positive leading coefficient.
///
/// Each is the one before it times the centred number, made orthogonal to all before it, twice: the recurrence alone
/// (Forsythe 1957) loses orthogonality at high degrees.
fn polynomials(levels: usize) -> Vec<f64> {
    let middle = (levels as f64 - 1.0) / 2.0;
    let mut basis: Vec<Vec<f64>> = vec![normed(vec![1.0; levels])];
    while basis.len() < levels {
        let last = &basis[basis.len() - 1];
        // Scaled to [-1, 1], so that no degree grows.
        let mut next: Vec<f64> =
            last.iter().enumerate().map(|(level, p)| p * (level as f64 - middle) / middle).collect();
        for _ in 0..2 {
            for before in &basis {
                let along = dot(before, &next);
                next.iter_mut().zip(before).for_each(|(x, b)| *x -= along * b);
            }
        }
        basis.push(normed(next));
    }
    (0..levels).flat_map(|level| basis[1..].iter().map(move |polynomial| polynomial[level])).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn normed(mut values: Vec<f64>) -> Vec<f64> {
    let length = dot(&values, &values).sqrt();
    if length > 0.0 {
        values.iter_mut().for_each(|x| *x /= length);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Contrast; 4] = [Contrast::Helmert, Contrast::Sum, Contrast::BackwardDifference, Contrast::Polynomial];

    #[test]
    fn columns_sum_to_nothing() {
        for contrast in ALL {
            for levels in 2..40 {
                let rows = rows(contrast, levels);
                assert_eq!(rows.len(), levels * (levels - 1));
                for column in 0..levels - 1 {
                    let sum: f64 = rows.iter().skip(column).step_by(levels - 1).sum();
                    assert!(sum.abs() < 1e-12, "{contrast:?} {levels} {column}: {sum}");
                }
            }
            assert!(rows(contrast, 0).is_empty() && rows(contrast, 1).is_empty());
        }
    }

    #[test]
    fn polynomials_stay_orthonormal_at_high_degrees() {
        let levels = 200;
        let rows = rows(Contrast::Polynomial, levels);
        let column = |j: usize| rows.iter().skip(j).step_by(levels - 1).copied().collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = (0..levels - 1).map(column).collect();
        for (i, a) in columns.iter().enumerate() {
            for (j, b) in columns.iter().enumerate() {
                let expected = f64::from(u8::from(i == j));
                assert!((dot(a, b) - expected).abs() < 1e-12, "{i} {j}");
            }
        }
    }
}
