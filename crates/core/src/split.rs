//! What a split is: which rows learn and which rows judge.

use stagewise_numeric::random::Stream;

use crate::context::FitContext;
use crate::dataset::Dataset;
use crate::error::{DataError, ParameterError, Result};
use crate::fingerprint::{Fingerprint, Hasher};
use crate::persist::Persist;
use crate::target::codes;
use crate::task::Task;

/// Rows to train on and rows to validate on, by position, each ascending; none is on both sides. A row may learn more than
/// once, as in a bootstrap, and judges once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows that learn.
    pub train: Vec<usize>,
    /// Rows that judge.
    pub validation: Vec<usize>,
}

/// An outer split and the splits of the rows that learn in it. All rows by their position in the whole data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested {
    /// What judges the choice, and all that it may be made from.
    pub outer: Split,
    /// Splits of the outer split's rows that learn, to choose by.
    pub inner: Vec<Split>,
}

impl Nested {
    /// The fingerprint of outer and inner splits: results of different ones are not comparable.
    pub fn fingerprint(nested: &[Self]) -> Fingerprint {
        let mut hasher = Hasher::new();
        for Self { outer, inner } in nested {
            hasher.word(inner.len() as u64);
            hasher.bytes(fingerprint(std::slice::from_ref(outer)).to_string().as_bytes());
            hasher.bytes(fingerprint(inner).to_string().as_bytes());
        }
        hasher.finish()
    }
}

/// A way to split a data set.
pub trait Splitter<T: Task>: Persist + Clone {
    /// The splits, in a fixed order.
    ///
    /// # Errors
    /// [`DataError::TooFewRows`](crate::error::DataError) where a side would be empty.
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>>;
}

/// The fold of each row, so that every fold has its share of every stratum: per stratum, and in total, fold sizes
/// differ by at most one.
///
/// Rows of a stratum are shuffled and dealt in turn; the next stratum goes on where the last one ended. `O(rows)`.
///
/// # Errors
/// [`ParameterError`] for fewer than 2 folds, [`DataError::TooFewRows`] for fewer rows than folds.
pub fn stratified_folds(strata: &[u32], folds: usize, stream: &mut Stream) -> Result<Vec<u32>> {
    ParameterError::check(folds >= 2, "folds", folds, "at least 2")?;
    if strata.len() < folds {
        let what = format!("a split into {folds} folds");
        return Err(DataError::TooFewRows { what, needed: folds, found: strata.len() }.into());
    }
    let mut order: Vec<usize> = stream.permutation(strata.len());
    order.sort_by_key(|&row| strata[row]);
    let mut fold_of = vec![0; strata.len()];
    order.iter().enumerate().for_each(|(place, &row)| fold_of[row] = (place % folds) as u32);
    Ok(fold_of)
}

/// The fold of each row, the rows of a group in one fold: groups by size, the largest first (of equal ones that which
/// comes first), each to the fold that has the fewest rows by then. `O(rows + groups · (folds + log groups))`.
///
/// # Errors
/// [`ParameterError`] for fewer than 2 folds, [`DataError::TooFewGroups`] for fewer groups than folds.
pub fn group_folds(groups: &[u32], folds: usize) -> Result<Vec<u32>> {
    ParameterError::check(folds >= 2, "folds", folds, "at least 2")?;
    let (groups, sizes) = sized(groups);
    if sizes.len() < folds {
        let what = format!("a split into {folds} folds");
        return Err(DataError::TooFewGroups { what, needed: folds, found: sizes.len() }.into());
    }
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&group| std::cmp::Reverse(sizes[group]));
    let (mut rows, mut fold_of) = (vec![0; folds], vec![0_u32; sizes.len()]);
    for group in order {
        let fold = (0..folds).min_by_key(|&fold| rows[fold]).unwrap_or(0);
        rows[fold] += sizes[group];
        fold_of[group] = fold as u32;
    }
    Ok(groups.into_iter().map(|group| fold_of[group as usize]).collect())
}

/// Which rows are held out when a share of the groups is, drawn at random: `round(share · groups)` of them, at least one
/// on each side. `O(rows)`.
///
/// # Errors
/// [`DataError::TooFewGroups`] for fewer than 2 groups.
pub fn held_groups(groups: &[u32], share: f64, stream: &mut Stream) -> Result<Vec<bool>> {
    let (groups, sizes) = sized(groups);
    let all = sizes.len();
    if all < 2 {
        return Err(DataError::TooFewGroups { what: "holding groups out".into(), needed: 2, found: all }.into());
    }
    let mut is_held = vec![false; all];
    let held = ((share * all as f64).round() as usize).clamp(1, all - 1);
    stream.choose(all, held).into_iter().for_each(|group| is_held[group] = true);
    Ok(groups.into_iter().map(|group| is_held[group as usize]).collect())
}

/// The groups numbered without gaps, and how many rows each has.
fn sized(groups: &[u32]) -> (Vec<u32>, Vec<usize>) {
    let groups = codes(groups.iter());
    let mut sizes = vec![0; groups.iter().max().map_or(0, |&group| group as usize + 1)];
    groups.iter().for_each(|&group| sizes[group as usize] += 1);
    (groups, sizes)
}

/// The fingerprint of some splits: results of different splits are not comparable.
pub fn fingerprint(splits: &[Split]) -> Fingerprint {
    let mut hasher = Hasher::new();
    for split in splits {
        for side in [&split.train, &split.validation] {
            hasher.word(side.len() as u64);
            side.iter().for_each(|&row| hasher.word(row as u64));
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fold_has_its_share_of_every_stratum() {
        let strata: Vec<u32> = (0..103).map(|i| u32::from(i % 10 == 0) + u32::from(i % 3 == 0)).collect();
        let fold_of = stratified_folds(&strata, 5, &mut Stream::new(3, "x")).unwrap();
        for stratum in 0..3 {
            let sizes: Vec<usize> =
                (0..5).map(|fold| (0..103).filter(|&r| strata[r] == stratum && fold_of[r] == fold).count()).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
        assert!(stratified_folds(&strata[..4], 5, &mut Stream::new(3, "x")).is_err());
    }

    #[test]
    fn groups_stay_whole() {
        let groups = [9, 9, 9, 2, 2, 5, 7, 9];
        assert_eq!(group_folds(&groups, 2).unwrap(), [0, 0, 0, 1, 1, 1, 1, 0]);
        assert_eq!(
            group_folds(&groups, 5).unwrap_err().to_string(),
            "a split into 5 folds needs at least 5 groups, 4 found"
        );
        for seed in 0..9 {
            let held = held_groups(&groups, 0.5, &mut Stream::new(seed, "x")).unwrap();
            let of = |group| (0..8).filter(|&r| groups[r] == group).map(|r| held[r]).collect::<Vec<_>>();
            let sides = [9, 2, 5, 7].map(|group| {
                assert!(of(group).iter().all(|&side| side == of(group)[0]));
                of(group)[0]
            });
            assert_eq!(sides.iter().filter(|&&held| held).count(), 2);
        }
        assert!(held_groups(&[3, 3], 0.5, &mut Stream::new(0, "x")).is_err());
    }
}
