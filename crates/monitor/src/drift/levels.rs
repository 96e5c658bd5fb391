//! The comparison of two samples of levels, with rare levels pooled.
//!
//! The chi-square law fails where fewer than five rows are expected (Cochran 1954), and rare levels are where it then
//! cries wolf. Levels below five are pooled into one. If the pool, too, stays below five, two questions are asked apart,
//! each at half the price: did the common levels shift among themselves (chi-square), and did the share of the rare and
//! new ones change (Fisher's exact test)? So a level that has never been seen before is found, and one stray row is not.

use std::collections::BTreeMap;

use super::chi_square::{chi_square, distance};
use super::fisher;
use super::psi::psi;

/// Expected rows from which on the chi-square law is trusted (Cochran 1954).
pub const EXPECTED: f64 = 5.0;

/// Rows per level, by name.
pub type Counts = BTreeMap<String, u64>;

/// What the comparison finds.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelsTest {
    /// The distance of the shares after pooling, 0 to 1: [`distance`].
    pub distance: f64,
    /// The chance of such a difference or a larger one without any drift.
    pub p_value: f64,
    /// Groups after pooling, less one.
    pub degrees: u64,
    /// The population stability index over the groups; `None` for one group.
    pub psi: Option<f64>,
    /// How many levels were pooled.
    pub pooled: usize,
}

/// Compares two samples of levels; `None` if every level is too rare to be compared with another.
///
/// O(levels + rows of rare levels).
///
/// ```
/// use stagewise_monitor::drift::levels::compare;
/// let counts = |pairs: &[(&str, u64)]| pairs.iter().map(|(l, n)| (l.to_string(), *n)).collect();
/// let test = compare(&counts(&[("basic", 1000)]), &counts(&[("basic", 45), ("new", 5)]));
/// assert!(test.is_some_and(|t| t.p_value < 1e-6 && t.pooled == 1));
/// ```
pub fn compare(reference: &Counts, current: &Counts) -> Option<LevelsTest> {
    let groups = Groups::of(reference, current);
    if groups.common.is_empty() {
        return None;
    }
    let (mut r, mut c): (Vec<u64>, Vec<u64>) = groups.common.iter().copied().unzip();
    let apart = groups.pooled > 0 && groups.expected(groups.rare) < EXPECTED;
    let common = apart.then(|| chi_square(&r, &c));
    if groups.pooled > 0 {
        r.push(groups.rare.0);
        c.push(groups.rare.1);
    }
    let p_value = match common {
        None => chi_square(&r, &c).p_value,
        Some(common) => {
            let rare = fisher::p_value(groups.rare.0, groups.n, groups.rare.1, groups.m);
            if common.degrees == 0 { rare } else { (2.0 * rare.min(common.p_value)).min(1.0) }
        }
    };
    let shares = |counts: &[u64]| counts.iter().map(|&n| n as f64).collect::<Vec<_>>();
    Some(LevelsTest {
        distance: distance(&r, &c),
        p_value,
        degrees: r.len() as u64 - 1,
        psi: (r.len() > 1).then(|| psi(&shares(&r), &shares(&c))),
        pooled: groups.pooled,
    })
}

/// Levels that occur, the rare ones in one.
struct Groups {
    common: Vec<(u64, u64)>,
    rare: (u64, u64),
    pooled: usize,
    n: u64,
    m: u64,
}

impl Groups {
    fn of(reference: &Counts, current: &Counts) -> Self {
        let (n, m) = (reference.values().sum(), current.values().sum());
        let mut groups = Self { common: Vec::new(), rare: (0, 0), pooled: 0, n, m };
        let mut union: BTreeMap<&str, (u64, u64)> = reference.iter().map(|(l, &n)| (l.as_str(), (n, 0))).collect();
        for (level, &count) in current {
            union.entry(level).or_default().1 = count;
        }
        for pair in union.into_values().filter(|pair| pair.0 + pair.1 > 0) {
            if groups.expected(pair) < EXPECTED {
                groups.rare = (groups.rare.0 + pair.0, groups.rare.1 + pair.1);
                groups.pooled += 1;
            } else {
                groups.common.push(pair);
            }
        }
        groups
    }

    /// Rows expected, without drift, in the smaller of the two cells.
    fn expected(&self, pair: (u64, u64)) -> f64 {
        let (n, m) = (self.n as f64, self.m as f64);
        (pair.0 + pair.1) as f64 * (n.min(m) / (n + m))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_numeric::random::Stream;

    fn counts(pairs: &[(&str, u64)]) -> Counts {
        pairs.iter().map(|(level, n)| (level.to_string(), *n)).collect()
    }

    #[test]
    fn common_levels_alone_are_the_plain_test() {
        let test = compare(&counts(&[("a", 120), ("b", 80), ("c", 40)]), &counts(&[("a", 100), ("b", 90), ("c", 50)]));
        let plain = chi_square(&[120, 80, 40], &[100, 90, 50]);
        assert!(test.is_some_and(|t| t.p_value == plain.p_value && t.degrees == 2 && t.pooled == 0));
    }

    #[test]
    fn a_new_level_beside_two_common_ones_is_found_and_a_stray_row_is_not() {
        let reference = counts(&[("a", 600), ("b", 400)]);
        let found = compare(&reference, &counts(&[("a", 28), ("b", 17), ("new", 5)])).map(|t| t.p_value);
        assert!(found.is_some_and(|p| p < 1e-5), "{found:?}");
        let stray = compare(&reference, &counts(&[("a", 30), ("b", 19), ("new", 1)])).map(|t| t.p_value);
        assert!(stray.is_some_and(|p| p > 0.05), "{stray:?}");
    }

    #[test]
    fn edges() {
        let same = compare(&counts(&[("a", 50)]), &counts(&[("a", 70)]));
        assert!(same.is_some_and(|t| t.distance == 0.0 && t.p_value == 1.0 && t.psi.is_none()));
        let names: Vec<String> = (0..300).map(|i| i.to_string()).collect();
        let once: Counts = names.iter().map(|name| (name.clone(), 1)).collect();
        assert_eq!(compare(&once, &once), None);
        assert_eq!(compare(&counts(&[]), &counts(&[])), None);
    }

    #[test]
    fn false_alarms_stay_below_the_nominal_rate_with_many_rare_levels() {
        // 40 levels, geometric: half of them below one expected row. Nominal 1 %, 1000 runs, two-sided 99.9 % bound 2.2 %.
        let mut stream = Stream::new(11, "levels");
        let mut draw = |rows: usize| {
            let mut counts = Counts::new();
            (0..rows).for_each(|_| *counts.entry(((stream.exponential() * 4.0) as u32).to_string()).or_default() += 1);
            counts
        };
        for (n, m) in [(1000, 60), (200, 200)] {
            let alarms = (0..1000).filter(|_| compare(&draw(n), &draw(m)).is_some_and(|t| t.p_value <= 0.01)).count();
            assert!(alarms <= 22, "{alarms} of 1000 at {n}, {m}");
        }
    }
}
