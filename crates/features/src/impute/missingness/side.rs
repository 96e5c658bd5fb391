//! A column beside which another is missing, and the test for it.

use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_numeric::rank::average_ranks;
use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::erf::erfc;

use super::MissingnessTest;

/// The fewest rows of a test, and the fewest with and without the missing value.
const LEAST_ROWS: usize = 20;
const LEAST_SIDE: usize = 5;
/// What each group of levels is expected to have among the fewer rows (Cochran 1954).
const LEAST_EXPECTED: f64 = 5.0;

/// Test, statistic, effect, p value and rows.
pub(super) type Tested = (MissingnessTest, f64, f64, f64, usize);

/// A column as tests see it.
pub(super) enum Side {
    /// The rows with a value and their ranks.
    Ranks(Vec<usize>, Vec<f64>),
    /// The level of each row; `None` is missing.
    Levels(Vec<Option<usize>>),
}

impl Side {
    pub(super) fn of(column: &Column) -> Option<Self> {
        let ranked = |values: Vec<f64>| {
            let rows: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
            let ranks = average_ranks(&rows.iter().map(|&row| values[row]).collect::<Vec<_>>());
            Self::Ranks(rows, ranks)
        };
        match column {
            Column::Number(values) => Some(ranked(values.to_vec())),
            Column::Timestamp(times) => {
                let number = |&time: &i64| if time == MISSING_TIME { f64::NAN } else { time as f64 };
                Some(ranked(times.iter().map(number).collect()))
            }
            Column::Category { codes, .. } => {
                let level = |&code: &u32| (code != MISSING_CODE).then_some(code as usize);
                Some(Self::Levels(codes.iter().map(level).collect()))
            }
            Column::Flag(flags) => Some(Self::Levels(flags.iter().map(|flag| flag.map(usize::from)).collect())),
            _ => None,
        }
    }

    pub(super) fn tested(&self, missing: &[bool]) -> Option<Tested> {
        match self {
            Self::Ranks(rows, ranks) => {
                let lacking: Vec<bool> = rows.iter().map(|&row| missing[row]).collect();
                mann_whitney(&lacking, ranks)
            }
            Self::Levels(levels) => {
                let known = levels.iter().zip(missing).filter_map(|(level, missing)| Some((level.as_ref()?, missing)));
                let (levels, lacking): (Vec<usize>, Vec<bool>) = known.unzip();
                chi_square(&lacking, &levels)
            }
        }
    }
}

/// How many are on the side of the missing and on the other; `None` if there are too few.
pub(super) fn sides(lacking: &[bool]) -> Option<(f64, f64)> {
    let with = lacking.iter().filter(|lacking| **lacking).count();
    let without = lacking.len() - with;
    (lacking.len() >= LEAST_ROWS && with.min(without) >= LEAST_SIDE).then_some((with as f64, without as f64))
}

pub(super) fn mann_whitney(lacking: &[bool], ranks: &[f64]) -> Option<Tested> {
    let (with, without) = sides(lacking)?;
    let n = with + without;
    let middle = 0.5 * (n + 1.0);
    // By distance from the middle rank: sums of squares of ranks would lose digits.
    let spread: f64 = ranks.iter().map(|rank| (rank - middle).powi(2)).sum();
    let away: f64 = ranks.iter().zip(lacking).filter(|(_, lacking)| **lacking).map(|(rank, _)| rank - middle).sum();
    let deviation = (with * without / (n * (n - 1.0)) * spread).sqrt();
    let z = away / deviation;
    let p = erfc(z.abs() / std::f64::consts::SQRT_2);
    // The difference of the mean ranks, of which half of n is the most.
    let effect = 2.0 * away / (with * without);
    (deviation > 0.0).then_some((MissingnessTest::MannWhitney, z, effect, p, lacking.len()))
}

pub(super) fn chi_square(lacking: &[bool], levels: &[usize]) -> Option<Tested> {
    let (with, without) = sides(lacking)?;
    let n = with + without;
    let mut counts: Vec<(f64, f64)> = vec![(0.0, 0.0); levels.iter().max()? + 1];
    for (&level, &lacking) in levels.iter().zip(lacking) {
        if lacking { counts[level].0 += 1.0 } else { counts[level].1 += 1.0 }
    }
    counts.retain(|(a, b)| a + b > 0.0);
    // Counts that are equal in both rows are exchangeable, so ties need no order.
    counts.sort_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)).then(a.0.total_cmp(&b.0)));
    let mut groups: Vec<(f64, f64)> = Vec::new();
    let mut open = true;
    for (a, b) in counts {
        match groups.last_mut() {
            Some(last) if open => *last = (last.0 + a, last.1 + b),
            _ => groups.push((a, b)),
        }
        open = groups.last().is_some_and(|(a, b)| (a + b) * with.min(without) / n < LEAST_EXPECTED);
    }
    // What is left over at the end goes with the group before it.
    if open && groups.len() > 1 {
        let (a, b) = groups.pop()?;
        let last = groups.last_mut()?;
        *last = (last.0 + a, last.1 + b);
    }
    if groups.len() < 2 {
        return None;
    }
    let term = |(a, b): &(f64, f64)| {
        let expected = [(a + b) * with / n, (a + b) * without / n];
        (a - expected[0]).powi(2) / expected[0] + (b - expected[1]).powi(2) / expected[1]
    };
    let statistic: f64 = groups.iter().map(term).sum();
    let p = ChiSquared::new(groups.len() as f64 - 1.0).ok()?.sf(statistic);
    Some((MissingnessTest::ChiSquare, statistic, (statistic / n).sqrt(), p, lacking.len()))
}
