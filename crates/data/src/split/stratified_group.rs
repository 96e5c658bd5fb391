//! Folds of whole groups that are as alike in the target as groups allow.
//!
//! Groups with the most uneven classes come first, because they are the hardest to make up for. What a fold would be like
//! with a group is found from sums that are kept, so a group costs folds times its classes and not a pass over all folds.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;

use super::group::groups;
use super::kfold::splits;
use super::warn_of_times;

/// `k` folds of whole groups, each with about its share of every class, or for numbers of every tenth of the distribution.
///
/// Groups in the order of the variance of their class counts, the largest first (of equal ones that which comes first), go
/// to the fold with which the folds differ least,
///
/// ```text
/// mean over classes c of the standard deviation over folds of (rows of c in the fold / rows of c),
/// ```
///
/// and of folds that are as good to the one with the fewest rows. Nothing is random. A fold may stay empty where few groups
/// hold most rows, which is refused. `O(rows · k + groups · (k · classes + log groups))`; memory: two numbers per row.
///
/// Checked against scikit-learn 1.9.1 `StratifiedGroupKFold` without shuffling: the fold of each row exactly. There, and not
/// here, rounding may decide between folds that are equally good.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, dataset::Dataset, problem::Problem, table::Table};
/// use stagewise_core::{split::Splitter, task::Binary};
/// use stagewise_data::StratifiedGroupKFold;
///
/// let groups = Column::numbers([1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
/// let y = Column::numbers([1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
/// let table = Table::of([("g", groups), ("x", y.clone()), ("y", y)])?;
/// let data = Dataset::new(table, &Problem::<Binary>::new("y").group("g"))?;
/// let splits = StratifiedGroupKFold::new(2).split(&data, &FitContext::new(7))?;
/// assert_eq!(splits[0].validation, [0, 1, 6, 7]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StratifiedGroupKFold {
    folds: usize,
}

impl StratifiedGroupKFold {
    /// This many folds, at least 2.
    pub fn new(folds: usize) -> Self {
        Self { folds }
    }
}

impl Persist for StratifiedGroupKFold {
    const TAG: &'static str = "StratifiedGroupKFold";
}

impl<T: Task> Splitter<T> for StratifiedGroupKFold {
    /// # Errors
    /// [`ParameterError`] for fewer than 2 folds, [`DataError::GroupNeeded`] for data without groups,
    /// [`DataError::TooFewGroups`] for fewer groups than folds, [`DataError::EmptySide`] for a fold that no group goes to.
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>> {
        let groups = groups(Self::TAG, data)?;
        let fold_of = stratified_group_folds(&groups, &data.target().strata(), self.folds)?;
        warn_of_times(Self::TAG, data, cx);
        Ok(splits(&fold_of, self.folds))
    }
}

/// How many rows of each class a group has: the classes that it has, with their counts.
struct Counts {
    begins: Vec<usize>,
    entries: Vec<(u32, u64)>,
}

impl Counts {
    /// Counts by two passes over the rows; groups are numbered without gaps.
    fn of(groups: &[u32], strata: &[u32], all: usize, classes: usize) -> Self {
        let mut ends = vec![0_usize; all + 1];
        groups.iter().for_each(|&group| ends[group as usize + 1] += 1);
        (0..all).for_each(|group| ends[group + 1] += ends[group]);
        let (mut next, mut sorted) = (ends.clone(), vec![0_u32; groups.len()]);
        for (&group, &class) in groups.iter().zip(strata) {
            sorted[next[group as usize]] = class;
            next[group as usize] += 1;
        }
        let (mut begins, mut entries) = (Vec::with_capacity(all + 1), Vec::new());
        let mut seen = vec![0_u64; classes];
        for group in 0..all {
            let begin = entries.len();
            begins.push(begin);
            let own = &sorted[ends[group]..ends[group + 1]];
            for &class in own {
                if seen[class as usize] == 0 {
                    entries.push((class, 0));
                }
                seen[class as usize] += 1;
            }
            for entry in &mut entries[begin..] {
                entry.1 = std::mem::take(&mut seen[entry.0 as usize]);
            }
        }
        begins.push(entries.len());
        Self { begins, entries }
    }

    fn group(&self, group: usize) -> &[(u32, u64)] {
        &self.entries[self.begins[group]..self.begins[group + 1]]
    }
}

/// The fold of each row.
fn stratified_group_folds(groups: &[u32], strata: &[u32], folds: usize) -> Result<Vec<u32>> {
    ParameterError::check(folds >= 2, "folds", folds, "at least 2")?;
    let all = groups.iter().max().map_or(0, |&group| group as usize + 1);
    if all < folds {
        let what = format!("a split into {folds} folds");
        return Err(DataError::TooFewGroups { what, needed: folds, found: all }.into());
    }
    let totals = super::sizes(strata);
    let classes = totals.len();
    let counts = Counts::of(groups, strata, all, classes);
    let present = totals.iter().filter(|&&total| total > 0).count() as u128;
    // The variance of the counts times the square of the classes: a whole number.
    let spread = |group: usize| {
        let own = counts.group(group);
        let sum: u128 = own.iter().map(|&(_, count)| u128::from(count)).sum();
        present * own.iter().map(|&(_, count)| u128::from(count) * u128::from(count)).sum::<u128>() - sum * sum
    };
    let mut order: Vec<(std::cmp::Reverse<u128>, usize)> =
        (0..all).map(|group| (std::cmp::Reverse(spread(group)), group)).collect();
    order.sort_unstable();

    let mut dealt = Dealt::new(folds, totals);
    let mut fold_of = vec![0_u32; all];
    for (_, group) in order {
        let own = counts.group(group);
        let fold = dealt.best(own);
        dealt.add(fold, own);
        fold_of[group] = fold as u32;
    }
    if let Some(fold) = dealt.rows.iter().position(|&rows| rows == 0) {
        let what = format!("fold {fold} of {}", StratifiedGroupKFold::TAG);
        let remedy = "a few groups hold most of the rows; use fewer folds, or `GroupKFold`".to_string();
        return Err(DataError::EmptySide { what, side: "validate", remedy }.into());
    }
    Ok(groups.iter().map(|&group| fold_of[group as usize]).collect())
}

/// What the folds hold so far.
struct Dealt {
    folds: usize,
    /// Rows of each class in each fold, a class after the other.
    counts: Vec<u64>,
    /// Of each class, the rows in all folds and the sum of the squares of its counts.
    sums: Vec<(u64, u128)>,
    /// Of each class, the deviation of its shares over folds.
    deviations: Vec<f64>,
    totals: Vec<usize>,
    rows: Vec<u64>,
}

impl Dealt {
    fn new(folds: usize, totals: Vec<usize>) -> Self {
        let classes = totals.len();
        Self {
            folds,
            counts: vec![0; folds * classes],
            sums: vec![(0, 0); classes],
            deviations: vec![0.0; classes],
            totals,
            rows: vec![0; folds],
        }
    }

    /// The deviation over folds of the shares of a class, from whole numbers.
    fn deviation(&self, class: usize, (sum, squares): (u64, u128)) -> f64 {
        let folds = self.folds as u128;
        let variance = (folds * squares).saturating_sub(u128::from(sum) * u128::from(sum));
        (variance as f64).sqrt() / (self.folds as f64 * self.totals[class] as f64)
    }

    /// The sums of a class with `count` rows more in a fold.
    fn sums(&self, class: usize, fold: usize, count: u64) -> (u64, u128) {
        let (sum, squares) = self.sums[class];
        let held = u128::from(self.counts[class * self.folds + fold]);
        (sum + count, squares + u128::from(count) * (2 * held + u128::from(count)))
    }

    /// The fold that a group makes the folds least different in.
    fn best(&self, own: &[(u32, u64)]) -> usize {
        let present = self.totals.iter().filter(|&&total| total > 0).count() as f64;
        // Classes that the group has not deviate as before, whichever fold it goes to.
        let others: f64 = {
            let own: f64 = own.iter().map(|&(class, _)| self.deviations[class as usize]).sum();
            self.deviations.iter().sum::<f64>() - own
        };
        let (mut best, mut least) = (0, f64::INFINITY);
        for fold in 0..self.folds {
            let with = |&(class, count): &(u32, u64)| {
                let class = class as usize;
                self.deviation(class, self.sums(class, fold, count))
            };
            let found = (others + own.iter().map(with).sum::<f64>()) / present;
            // Nearly equal as scikit-learn has it; what is better by a rounding only is not better.
            let near = least.is_finite() && (found - least).abs() <= 1e-8 + 1e-5 * least;
            let better = fold == 0 || found < least * (1.0 - 1e-12);
            if better || (near && self.rows[fold] < self.rows[best]) {
                (best, least) = (fold, found);
            }
        }
        best
    }

    fn add(&mut self, fold: usize, own: &[(u32, u64)]) {
        for &(class, count) in own {
            let class = class as usize;
            self.sums[class] = self.sums(class, fold, count);
            self.counts[class * self.folds + fold] += count;
            self.rows[fold] += count;
            self.deviations[class] = self.deviation(class, self.sums[class]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::problem::Problem;
    use stagewise_core::table::Table;
    use stagewise_core::task::Multiclass;
    use stagewise_testkit::{conformance, data, golden};

    fn classed(groups: &[f64], classes: &[f64]) -> Dataset<Multiclass> {
        let y = Column::numbers(classes.to_vec());
        let table = Table::of([("g", Column::numbers(groups.to_vec())), ("x", y.clone()), ("y", y)]).unwrap();
        Dataset::new(table, &Problem::new("y").group("g")).unwrap()
    }

    #[test]
    fn folds_are_those_of_scikit_learn() {
        let golden = golden::load("stratified_group_folds.json");
        for case in &golden.cases {
            let data = classed(&case.numbers("/input/groups"), &case.numbers("/input/classes"));
            let folds = case.number("/input/folds") as usize;
            let splits = conformance::splitter(&StratifiedGroupKFold::new(folds), &data);
            let fold_of = |row: &usize| splits.iter().position(|split| split.validation.contains(row)).unwrap();
            let found: Vec<f64> = (0..data.rows()).map(|row| fold_of(&row) as f64).collect();
            if let Some(expected) = case.optional_numbers("/expected/folds") {
                golden.assert_all_close(&found, &expected, &case.name);
            }
            let codes = data.target().codes();
            let count = |split: &Split, class: u32| split.validation.iter().filter(|&&row| codes[row] == class).count();
            let classes = codes.iter().max().map_or(0, |&class| class + 1);
            let of_fold = |split| (0..classes).map(|class| count(split, class)).collect::<Vec<_>>();
            let mut counts: Vec<Vec<usize>> = splits.iter().map(of_fold).collect();
            counts.sort_unstable();
            let expected = case.matrix("/expected/counts").concat();
            let counts: Vec<f64> = counts.concat().into_iter().map(|count| count as f64).collect();
            golden.assert_all_close(&counts, &expected, &case.name);
        }
    }

    #[test]
    fn numbers_are_spread_by_tenths_and_groups_stay_whole() {
        let rows = 600;
        let groups: Vec<f64> = (0..rows).map(|row| f64::from(row % 83)).collect();
        let y: Vec<f64> = (0..rows).map(|row| f64::from(row % 83) + f64::from(row) / 1e3).collect();
        let table = Table::of([("g", Column::numbers(groups)), ("y", Column::numbers(y.clone()))]).unwrap();
        let problem = Problem::<stagewise_core::task::Regression>::new("y").group("g");
        let data = Dataset::new(table, &problem).unwrap();
        let of = data.groups().unwrap();
        let mean = |rows: &[usize]| rows.iter().map(|&row| y[row]).sum::<f64>() / rows.len() as f64;
        for split in conformance::splitter(&StratifiedGroupKFold::new(5), &data) {
            assert!(split.train.iter().all(|&a| split.validation.iter().all(|&b| of[a] != of[b])));
            assert!((mean(&split.validation) - mean(&split.train)).abs() < 6.0);
        }
    }

    #[test]
    fn what_cannot_be_dealt_is_refused() {
        let cx = FitContext::new(0);
        let error = StratifiedGroupKFold::new(3).split(&data::binary(20, 1), &cx).unwrap_err().to_string();
        assert_eq!(error, "StratifiedGroupKFold needs the group of each row; give a column the role group");
        let two = classed(&[1.0, 1.0, 2.0], &[0.0, 1.0, 1.0]);
        let error = StratifiedGroupKFold::new(3).split(&two, &cx).unwrap_err().to_string();
        assert_eq!(error, "a split into 3 folds needs at least 3 groups, 2 found");
        assert!(StratifiedGroupKFold::new(1).split(&two, &cx).is_err());
    }
}
