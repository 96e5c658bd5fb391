//! The one dot product.
//!
//! Batch and row paths of a model must agree to the bit, hence both call this function. Eight lanes let the
//! compiler use vector registers without licence to reorder; the lanes are added in a fixed tree; products
//! are not fused, because a fused product would give other bits on a processor that has the instruction.

const LANES: usize = 8;

/// The dot product `Σ a_i b_i` over the shorter of the two lengths, in one fixed order of operations.
///
/// Lane `l` sums the products of the indices `l, l + 8, …` of the whole groups of eight; the result is
/// `((l0 + l4) + (l2 + l6)) + ((l1 + l5) + (l3 + l7))` plus the remaining products in order. Equal inputs
/// give equal bits whenever and wherever it is called. NaN propagates; empty slices give `0.0`. O(n).
/// Error at most about `(n / 8 + 4) ε Σ |a_i b_i|` (Higham 2002, ch. 4).
///
/// ```
/// use stagewise_numeric::sum::dot;
/// assert_eq!(dot(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 32.0);
/// ```
#[inline]
#[must_use]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, a_rest) = a[..n].as_chunks::<LANES>();
    let (b, b_rest) = b[..n].as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (x, y) in a.iter().zip(b) {
        for l in 0..LANES {
            lanes[l] += x[l] * y[l];
        }
    }
    let [l0, l1, l2, l3, l4, l5, l6, l7] = lanes;
    let mut total = ((l0 + l4) + (l2 + l6)) + ((l1 + l5) + (l3 + l7));
    for (x, y) in a_rest.iter().zip(b_rest) {
        total += x * y;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sum::ExactSum;
    use proptest::prelude::*;

    #[test]
    fn order_of_operations_is_pinned() {
        // Python: a = [1/(i+1) for i in range(19)]; b = [math.sqrt(i+1) for i in range(19)]
        // lanes = [0.0]*8, then exactly the documented order with float arithmetic.
        let a: Vec<f64> = (0..19).map(|i| 1.0 / f64::from(i + 1)).collect();
        let b: Vec<f64> = (0..19).map(|i| f64::from(i + 1).sqrt()).collect();
        assert_eq!(dot(&a, &b).to_bits(), 0x401d_7c91_5a5b_99a4);
        assert_eq!(dot(&a, &b[..3]), a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
        assert_eq!(dot(&[], &[1.0]), 0.0);
        assert!(dot(&[f64::NAN], &[1.0]).is_nan());
    }

    proptest! {
        #[test]
        fn close_to_exact_and_blind_to_alignment(
            pairs in prop::collection::vec((-1e3f64..1e3, -1e3f64..1e3), 0..100),
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let mut exact = ExactSum::new();
            for (&x, &y) in a.iter().zip(&b) {
                exact.add_product(x, y);
            }
            prop_assert!((dot(&a, &b) - exact.value()).abs() <= 1e-13 * 1e6 * (1.0 + a.len() as f64));
            let shifted: Vec<f64> = std::iter::once(0.0).chain(a.iter().copied()).collect();
            prop_assert_eq!(dot(&shifted[1..], &b).to_bits(), dot(&a, &b).to_bits());
        }
    }
}
