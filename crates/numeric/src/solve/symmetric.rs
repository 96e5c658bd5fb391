//! Eigenvalues and eigenvectors of a symmetric matrix.
//!
//! Principal components, pseudo-inverses and canonical directions of up to some hundred columns end here. The matrix is
//! brought to tridiagonal form by reflections, and the form to a diagonal one by implicitly shifted rotations. Nothing is
//! chosen at run time and nothing runs in parallel, so equal matrices give equal bits.

use super::SolveError;
use crate::sum::dot;
use ndarray::{Array2, ArrayView2};

/// Rotations that one eigenvalue may take; two or three sweeps are what it takes in practice.
const SWEEPS: usize = 60;

/// `A = Σ λ_k v_k v_kᵀ` of a symmetric matrix, largest eigenvalue first.
///
/// ```
/// use ndarray::array;
/// use stagewise_numeric::solve::symmetric::SymmetricEigen;
/// let eigen = SymmetricEigen::of(array![[2.0, 1.0], [1.0, 2.0]].view()).unwrap();
/// assert!((eigen.values[0] - 3.0).abs() < 1e-15 && (eigen.values[1] - 1.0).abs() < 1e-15);
/// assert!((eigen.vectors[[0, 0]] - 0.5f64.sqrt()).abs() < 1e-15);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SymmetricEigen {
    /// The eigenvalues `λ_k`, descending.
    pub values: Vec<f64>,
    /// Row `k` is the eigenvector `v_k`, of length 1; its entry of largest size is positive, of several the first.
    pub vectors: Array2<f64>,
}

impl SymmetricEigen {
    /// The eigenvalues and eigenvectors of the symmetric `p × p` matrix `a`, of which only the lower triangle is read.
    ///
    /// Each eigenvalue is within about `p ε` of the largest in size. Of equal eigenvalues the vectors are some orthonormal
    /// ones of their space. `O(p³)`: about `4 p³` multiplications to reduce and about `6 p³` to rotate. Householder's
    /// reduction and the QR iteration with Wilkinson's shift (Golub & Van Loan 2013, "Matrix Computations", 8.3).
    ///
    /// # Errors
    /// [`SolveError::NotSquare`], [`SolveError::NotFinite`] for NaN or infinity, [`SolveError::NotConverged`], which no
    /// matrix is known to give.
    pub fn of(a: ArrayView2<'_, f64>) -> Result<Self, SolveError> {
        let (rows, columns) = a.dim();
        if rows != columns {
            return Err(SolveError::NotSquare { rows, columns });
        }
        let p = rows;
        let lower = |i: usize, j: usize| a[[i.max(j), i.min(j)]];
        let entries = (0..p).flat_map(|i| (0..=i).map(move |j| (i, j)));
        let mut largest = 0.0_f64;
        for (i, j) in entries {
            if !lower(i, j).is_finite() {
                return Err(SolveError::NotFinite { row: i, column: j });
            }
            largest = largest.max(lower(i, j).abs());
        }
        // Powers of two change no digit, and keep the squares below in range.
        let unit = power_of_two_near(largest);
        let mut work: Vec<f64> = (0..p * p).map(|at| lower(at / p, at % p) / unit).collect();
        let mut form = reduce(&mut work, p);
        form.iterate()?;
        let mut order: Vec<usize> = (0..p).collect();
        order.sort_by(|&a, &b| form.diagonal[b].total_cmp(&form.diagonal[a]).then(a.cmp(&b)));
        let values = order.iter().map(|&k| form.diagonal[k] * unit).collect();
        let mut vectors = Array2::zeros((p, p));
        for (mut into, &k) in vectors.rows_mut().into_iter().zip(&order) {
            let vector = &form.vectors[k * p..(k + 1) * p];
            let sign = if leading(vector) < 0.0 { -1.0 } else { 1.0 };
            into.iter_mut().zip(vector).for_each(|(into, v)| *into = sign * v);
        }
        Ok(Self { values, vectors })
    }
}

/// The entry of largest size, of several the first. Sizes that differ by rounding alone count as equal, so that a sign does
/// not hang on the last bit.
fn leading(vector: &[f64]) -> f64 {
    let largest = vector.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let close = largest * (1.0 - 1e-10);
    vector.iter().copied().find(|v| v.abs() >= close).unwrap_or(0.0)
}

/// A power of two within a factor of two below `size`; 1 for 0.
fn power_of_two_near(size: f64) -> f64 {
    if size >= f64::MIN_POSITIVE {
        f64::from_bits(size.to_bits() & (0x7ff << 52))
    } else if size > 0.0 {
        f64::MIN_POSITIVE
    } else {
        1.0
    }
}

/// `A = Q T Qᵀ` with a tridiagonal `T`.
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// Entry `k` couples `k` and `k + 1`.
    beside: Vec<f64>,
    /// `Qᵀ` by rows, so that a rotation of two columns of `Q` runs along memory.
    vectors: Vec<f64>,
}

/// Householder's reduction of the symmetric matrix `a`, which is overwritten: its rows below the diagonal come to hold the
/// directions of the reflections.
fn reduce(a: &mut [f64], p: usize) -> Tridiagonal {
    let (mut diagonal, mut beside) = (vec![0.0; p], vec![0.0; p.saturating_sub(1)]);
    let mut directions: Vec<Option<Vec<f64>>> = Vec::with_capacity(p);
    for k in 0..p {
        diagonal[k] = a[k * p + k];
        let Some(coupling) = beside.get_mut(k) else { break };
        let (start, size) = (k + 1, p - k - 1);
        let mut v: Vec<f64> = a[k * p + start..(k + 1) * p].to_vec();
        // Scaled, or the squares of small couplings would be lost.
        let scale = v[1..].iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        if scale == 0.0 {
            *coupling = v[0];
            directions.push(None);
            continue;
        }
        let scale = scale.max(v[0].abs());
        v.iter_mut().for_each(|x| *x /= scale);
        let length = dot(&v, &v).sqrt();
        let image = if v[0] > 0.0 { -length } else { length };
        v[0] -= image;
        *coupling = image * scale;
        let norm = dot(&v, &v).sqrt();
        v.iter_mut().for_each(|x| *x /= norm);
        // With H = I - 2 v vᵀ: H A H = A - v qᵀ - q vᵀ, q = 2 (A v - (vᵀ A v) v).
        let product: Vec<f64> = (0..size).map(|i| dot(&a[(start + i) * p + start..(start + i + 1) * p], &v)).collect();
        let within = dot(&product, &v);
        let q: Vec<f64> = product.iter().zip(&v).map(|(x, v)| 2.0 * (x - within * v)).collect();
        for i in 0..size {
            let row = &mut a[(start + i) * p + start..(start + i + 1) * p];
            for j in 0..size {
                // Symmetric to the bit: both triangles add the same two products in the same order.
                let (one, other) = if i >= j { (v[i] * q[j], q[i] * v[j]) } else { (v[j] * q[i], q[j] * v[i]) };
                row[j] = (row[j] - one) - other;
            }
        }
        directions.push(Some(v));
    }
    Tridiagonal { diagonal, beside, vectors: accumulate(&directions, p) }
}

/// `Qᵀ` of `Q = H_0 H_1 …`, from the last reflection to the first, so that each works on the smallest block.
fn accumulate(directions: &[Option<Vec<f64>>], p: usize) -> Vec<f64> {
    let mut transposed = vec![0.0; p * p];
    (0..p).for_each(|i| transposed[i * p + i] = 1.0);
    for (k, direction) in directions.iter().enumerate().rev() {
        let Some(v) = direction else { continue };
        let start = k + 1;
        // (H Q)ᵀ = Qᵀ H: each row loses its part along v.
        for i in start..p {
            let row = &mut transposed[i * p + start..(i + 1) * p];
            let along = 2.0 * dot(row, v);
            row.iter_mut().zip(v).for_each(|(x, v)| *x -= along * v);
        }
    }
    transposed
}

impl Tridiagonal {
    /// Brings the couplings to zero, from the last one up.
    fn iterate(&mut self) -> Result<(), SolveError> {
        for end in (1..self.diagonal.len()).rev() {
            let mut sweeps = 0;
            loop {
                let start = self.block_start(end);
                if start == end {
                    break;
                }
                if sweeps == SWEEPS {
                    return Err(SolveError::NotConverged { sweeps });
                }
                sweeps += 1;
                self.sweep(start, end);
            }
        }
        Ok(())
    }

    /// Where the block that ends at `end` begins: the couplings from there on are not negligible.
    fn block_start(&mut self, end: usize) -> usize {
        let mut start = end;
        while start > 0 {
            let size = self.diagonal[start - 1].abs() + self.diagonal[start].abs();
            // The second bound ends blocks of zeros, whose squares would vanish.
            if self.beside[start - 1].abs() <= (f64::EPSILON * size).max(1e-150) {
                self.beside[start - 1] = 0.0;
                break;
            }
            start -= 1;
        }
        start
    }

    /// One implicit QR step with Wilkinson's shift on the block `start..=end`.
    fn sweep(&mut self, start: usize, end: usize) {
        let p = self.diagonal.len();
        let (d, e) = (&mut self.diagonal, &mut self.beside);
        let half = 0.5 * (d[end - 1] - d[end]);
        let last = e[end - 1];
        let root = hypotenuse(half, last);
        let shift = d[end] - last * (last / (if half < 0.0 { half - root } else { half + root }));
        let (mut x, mut bulge) = (d[start] - shift, e[start]);
        for k in start..end {
            let length = hypotenuse(x, bulge);
            let (cos, sin) = if length > 0.0 { (x / length, bulge / length) } else { (1.0, 0.0) };
            if k > start {
                e[k - 1] = length;
            }
            let (a, b, c) = (d[k], e[k], d[k + 1]);
            let mixed = 2.0 * cos * sin * b;
            d[k] = cos * cos * a + mixed + sin * sin * c;
            d[k + 1] = sin * sin * a - mixed + cos * cos * c;
            e[k] = cos * sin * (c - a) + (cos * cos - sin * sin) * b;
            x = e[k];
            if k + 1 < end {
                bulge = sin * e[k + 1];
                e[k + 1] *= cos;
            }
            let (upper, lower) = self.vectors[k * p..(k + 2) * p].split_at_mut(p);
            for (u, l) in upper.iter_mut().zip(lower) {
                (*u, *l) = (cos * *u + sin * *l, cos * *l - sin * *u);
            }
        }
    }
}

/// `√(a² + b²)` of numbers near 1: the library's may differ from platform to platform in the last bit.
fn hypotenuse(a: f64, b: f64) -> f64 {
    (a * a + b * b).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use ndarray::{Array1, array};
    use proptest::prelude::*;

    fn close(found: f64, expected: f64, tolerance: f64) -> bool {
        (found - expected).abs() <= tolerance
    }

    #[test]
    fn equals_numpy() {
        // numpy 2.4: np.linalg.eigh([[(i * j) % 7 + (i + j) / 3 for j in range(5)] for i in range(5)]), reversed, and the
        // vectors with their largest entries positive.
        let a = Array2::from_shape_fn((5, 5), |(i, j)| ((i * j) % 7) as f64 + (i + j) as f64 / 3.0);
        let eigen = SymmetricEigen::of(a.view()).unwrap();
        for (found, expected) in eigen.values.iter().zip(GOLDEN_VALUES) {
            assert!(close(*found, expected, 1e-13), "{:?}", eigen.values);
        }
        for (found, expected) in eigen.vectors.row(0).iter().zip(GOLDEN_FIRST) {
            assert!(close(*found, expected, 1e-13), "{:?}", eigen.vectors);
        }
        for (found, expected) in eigen.vectors.row(4).iter().zip(GOLDEN_LAST) {
            assert!(close(*found, expected, 1e-13), "{:?}", eigen.vectors);
        }
    }

    const GOLDEN_VALUES: [f64; 5] =
        [20.02859118253497, 2.868028248011897, -0.05968893548985535, -2.2668754304897956, -4.90338839790055];
    const GOLDEN_FIRST: [f64; 5] =
        [0.08627873863518733, 0.37935375558569107, 0.49054289632999803, 0.58067261894685, 0.5204168366301539];
    const GOLDEN_LAST: [f64; 5] =
        [0.04308281487809632, 0.17399626415306998, -0.4358616795790102, 0.7131886578018612, -0.5188985505667744];

    #[test]
    fn the_second_difference_matrix_has_its_known_eigenvalues() {
        // 2 on the diagonal and -1 beside it: 2 - 2 cos(π k / (p + 1)).
        let p = 60;
        let entry = |(i, j): (usize, usize)| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let eigen = SymmetricEigen::of(Array2::from_shape_fn((p, p), entry).view()).unwrap();
        for (k, value) in eigen.values.iter().rev().enumerate() {
            let angle = std::f64::consts::PI * (k + 1) as f64 / (p + 1) as f64;
            assert!(close(*value, 2.0 - 2.0 * angle.cos(), 1e-13), "{k}: {value}");
        }
    }

    #[test]
    fn edges() {
        let none = SymmetricEigen::of(Array2::zeros((0, 0)).view()).unwrap();
        assert!(none.values.is_empty());
        let one = SymmetricEigen::of(array![[-3.0]].view()).unwrap();
        assert_eq!((one.values, one.vectors), (vec![-3.0], array![[1.0]]));
        let zeros = SymmetricEigen::of(Array2::zeros((3, 3)).view()).unwrap();
        assert_eq!((zeros.values, zeros.vectors), (vec![0.0; 3], Array2::eye(3)));
        let huge = SymmetricEigen::of(array![[2e300, 1e300], [1e300, 2e300]].view()).unwrap();
        assert!(close(huge.values[0] / 1e300, 3.0, 1e-15) && close(huge.values[1] / 1e300, 1.0, 1e-15));
        let tiny = SymmetricEigen::of(array![[2e-300, 1e-300], [1e-300, 2e-300]].view()).unwrap();
        assert!(close(tiny.values[0] / 1e-300, 3.0, 1e-15) && close(tiny.values[1] / 1e-300, 1.0, 1e-15));
        let wide = Array2::<f64>::zeros((2, 3));
        assert_eq!(SymmetricEigen::of(wide.view()), Err(SolveError::NotSquare { rows: 2, columns: 3 }));
        let hole = array![[1.0, 0.0], [f64::NAN, 1.0]];
        assert_eq!(SymmetricEigen::of(hole.view()), Err(SolveError::NotFinite { row: 1, column: 0 }));
        // The upper triangle is not read.
        let upper = SymmetricEigen::of(array![[1.0, f64::NAN], [0.0, 2.0]].view()).unwrap();
        assert_eq!(upper.values, [2.0, 1.0]);
    }

    #[test]
    fn a_matrix_of_low_rank_and_many_columns() {
        let (p, rank) = (120, 7);
        let mut stream = Stream::new(3, "eigen");
        let x = Array2::from_shape_fn((rank, p), |_| stream.normal());
        let a = x.t().dot(&x);
        let eigen = SymmetricEigen::of(a.view()).unwrap();
        let largest = eigen.values[0];
        assert!(eigen.values[rank..].iter().all(|v| v.abs() < 1e-13 * largest), "{:?}", &eigen.values[..10]);
        assert_orthonormal(&eigen, 1e-13);
    }

    fn assert_orthonormal(eigen: &SymmetricEigen, tolerance: f64) {
        let product = eigen.vectors.dot(&eigen.vectors.t());
        for ((i, j), &entry) in product.indexed_iter() {
            assert!(close(entry, f64::from(u8::from(i == j)), tolerance), "{i} {j}: {entry}");
        }
    }

    proptest! {
        #[test]
        fn vectors_are_orthonormal_and_give_the_matrix_back(
            p in 1usize..16,
            entries in prop::collection::vec(-1.0f64..1.0, 256),
            sparse: bool,
        ) {
            let keep = |at: usize| !sparse || (at * 7919).is_multiple_of(3);
            let a = Array2::from_shape_fn((p, p), |(i, j)| {
                let at = i.max(j) * 16 + i.min(j);
                if keep(at) { entries[at] } else { 0.0 }
            });
            let eigen = SymmetricEigen::of(a.view()).unwrap();
            prop_assert!(eigen.values.windows(2).all(|pair| pair[0] >= pair[1]));
            let scaled = Array2::from_diag(&Array1::from_vec(eigen.values.clone()));
            let back = eigen.vectors.t().dot(&scaled).dot(&eigen.vectors);
            for (found, expected) in back.iter().zip(&a) {
                prop_assert!(close(*found, *expected, 1e-13), "{} {}", found, expected);
            }
            let product = eigen.vectors.dot(&eigen.vectors.t());
            for ((i, j), &entry) in product.indexed_iter() {
                prop_assert!(close(entry, f64::from(u8::from(i == j)), 1e-13));
            }
        }
    }
}
