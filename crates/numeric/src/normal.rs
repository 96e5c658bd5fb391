//! Quantiles of the normal distribution.
//!
//! A copula puts every column on this one scale. Only the inverse is needed: instead of a probability of each draw, the
//! limits that it is compared with are put on the scale once.

/// Coefficients of numerator and denominator for the middle, the shoulders and the tails, the constant term first.
const MIDDLE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_6,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const SHOULDER: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const TAIL: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

/// The standard normal quantile of the probability `p`: `-∞` for 0, `∞` for 1, NaN outside and for NaN.
///
/// Relative error about 1e-16 but near `p = 1/2`, where the value itself is near 0. O(1). Wichura (1988), algorithm AS 241.
///
/// ```
/// let upper = stagewise_numeric::normal::quantile(0.975);
/// assert!((upper - 1.959_963_984_540_054).abs() < 1e-15);
/// ```
#[must_use]
pub fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let from_half = p - 0.5;
    if from_half.abs() <= 0.425 {
        return from_half * ratio(&MIDDLE, 0.180_625 - from_half * from_half);
    }
    let depth = (-p.min(1.0 - p).ln()).sqrt();
    if depth.is_infinite() {
        return f64::INFINITY.copysign(from_half);
    }
    let size = if depth <= 5.0 { ratio(&SHOULDER, depth - 1.6) } else { ratio(&TAIL, depth - 5.0) };
    size.copysign(from_half)
}

fn ratio(coefficients: &[[f64; 8]; 2], x: f64) -> f64 {
    let [numerator, denominator] =
        coefficients.map(|polynomial| polynomial.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient));
    numerator / denominator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_scipy() {
        // scipy 1.17.1, norm.ppf, in all three ranges.
        for (p, expected) in [
            (1e-300, -37.0470962993612),
            (1e-20, -9.262340089798409),
            (1e-11, -6.706023155495137),
            (1e-05, -4.264890793922825),
            (0.01, -2.3263478740408408),
            (0.07, -1.4757910281791706),
            (0.2, -0.8416212335729142),
            (0.4999, -0.0002506628300880075),
            (0.6, 0.2533471031357997),
            (0.93, 1.475791028179171),
            (0.999, 3.090232306167813),
            (0.999999999999, 7.0344869100478356),
        ] {
            let found = quantile(p);
            assert!((found - expected).abs() <= 4e-15 * f64::abs(expected), "{p}: {found} {expected}");
        }
    }

    #[test]
    fn ends_and_nonsense() {
        assert_eq!((quantile(0.0), quantile(1.0), quantile(0.5)), (f64::NEG_INFINITY, f64::INFINITY, 0.0));
        assert!(quantile(-0.1).is_nan() && quantile(1.1).is_nan() && quantile(f64::NAN).is_nan());
        assert!(quantile(f64::MIN_POSITIVE).is_finite());
        assert_eq!(quantile(0.25), -quantile(0.75));
    }
}
