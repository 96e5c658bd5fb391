//! Numbers as whole multiples of a power of two: sums of many groups at once, exact in any order.
//!
//! An [`ExactSum`](super::ExactSum) is 800 bytes. Where a sum is needed for each of 100,000 levels, numbers are rounded
//! once, all to the same grid, and added as integers. What is subtracted again is then gone to the last bit.

/// The whole multiples of a power of two, fine enough that a largest number has a given count of bits.
///
/// ```
/// use stagewise_numeric::sum::Grid;
/// let grid = Grid::new(6.0, 52);
/// let sum: i128 = [0.1, 6.0, 0.2, -6.0].iter().map(|&x| i128::from(grid.whole(x))).sum();
/// assert!((grid.value(sum) - 0.3).abs() < 2e-15);
/// assert_eq!(grid.value(i128::from(grid.whole(3.0))), 3.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    unit: f64,
}

impl Grid {
    /// The grid on which numbers of at most `largest` are whole numbers of at most `2^bits`, `bits` from 1 to 62.
    ///
    /// A number is then off by at most `2^-bits` of the largest; whole numbers stay whole as long as the largest has no more
    /// than `bits` bits. A `largest` that is 0 or not finite gives the grid of the integers.
    #[must_use]
    pub fn new(largest: f64, bits: u32) -> Self {
        let largest = largest.abs();
        if largest == 0.0 || !largest.is_finite() {
            return Self { unit: 1.0 };
        }
        // `2^exponent <= largest < 2^(exponent + 1)`; a subnormal number keeps its exponent in its leading zeros.
        let bits_of = largest.to_bits();
        let exponent = match (bits_of >> 52) as i32 {
            0 => 63 - bits_of.leading_zeros() as i32 - 1074,
            biased => biased - 1023,
        };
        Self { unit: power_of_two(exponent + 1 - bits.clamp(1, 62) as i32) }
    }

    /// The distance of its points, a power of two.
    #[must_use]
    pub const fn unit(self) -> f64 {
        self.unit
    }

    /// The nearest multiple of the unit, ties to even. NaN gives 0; what does not fit, the nearest that does.
    #[inline]
    #[must_use]
    pub fn whole(self, x: f64) -> i64 {
        (x / self.unit).round_ties_even() as i64
    }

    /// The number that so many units are.
    #[inline]
    #[must_use]
    pub fn value(self, whole: i128) -> f64 {
        whole as f64 * self.unit
    }
}

/// `2^exponent`, brought into the range of `f64`.
fn power_of_two(exponent: i32) -> f64 {
    match exponent.clamp(-1074, 1023) {
        normal if normal >= -1022 => f64::from_bits(((normal + 1023) as u64) << 52),
        subnormal => f64::from_bits(1 << (subnormal + 1074)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_of_the_range() {
        for x in [5e-324, 1e-310, f64::MIN_POSITIVE, 1.0, 0.1, 1e300, 1e308] {
            for bits in [1, 40, 52, 53, 62] {
                let grid = Grid::new(-x, bits);
                let whole = grid.whole(x);
                assert!(whole.unsigned_abs() <= 1 << bits, "{x:e} {bits}");
                let off = (grid.value(i128::from(whole)) - x).abs();
                assert!(off <= x * 2f64.powi(-(bits as i32)), "{x:e} {bits}: {off:e}");
                assert_eq!(grid.whole(-x), -whole);
            }
            assert_eq!(Grid::new(x, 53).value(i128::from(Grid::new(x, 53).whole(x))), x);
        }
        assert_eq!(Grid::new(f64::MAX, 53).value(i128::from(Grid::new(f64::MAX, 53).whole(f64::MAX))), f64::MAX);
        for odd in [0.0, -0.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Grid::new(odd, 52).unit(), 1.0);
        }
        assert_eq!(Grid::new(1.0, 52).whole(f64::NAN), 0);
    }

    proptest! {
        #[test]
        fn whole_numbers_stay_whole(values in prop::collection::vec(-(1i64 << 50)..(1 << 50), 1..50)) {
            let largest = values.iter().fold(0.0, |most: f64, &x| most.max((x as f64).abs()));
            let grid = Grid::new(largest, 52);
            let sum: i128 = values.iter().map(|&x| i128::from(grid.whole(x as f64))).sum();
            prop_assert_eq!(grid.value(sum), values.iter().map(|&x| i128::from(x)).sum::<i128>() as f64);
        }
    }
}
