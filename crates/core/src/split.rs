//! What a split is: which rows learn and which rows judge.

use stagewise_numeric::random::Stream;

use crate::context::FitContext;
use crate::dataset::Dataset;
use crate::error::{DataError, ParameterError, Result};
use crate::fingerprint::{Fingerprint, Hasher};
use crate::persist::Persist;
use crate::task::Task;

/// Rows to train on and rows to validate on, by position, each ascending; none is on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows that learn.
    pub train: Vec<usize>,
    /// Rows that judge.
    pub validation: Vec<usize>,
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
}
