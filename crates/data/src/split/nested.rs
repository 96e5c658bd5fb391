//! Splits within splits: the inner ones choose, the outer ones judge what was chosen.
//!
//! A score that a recipe was chosen by is too good to report. Here the rows that judge a choice took no part in it.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, ErrorKind, ParameterError, Result};
pub use stagewise_core::split::Nested;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::task::Task;

/// The splits of one splitter, and of the rows that learn in each of them the splits of another.
///
/// The inner splitter sees the rows that learn alone, and has random streams of its own in each outer fold. Costs what both
/// splitters cost: the inner one as often as there are outer folds.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_data::{KFold, NestedSplit, StratifiedKFold};
///
/// let data = stagewise_testkit::data::binary(60, 1);
/// let nested = NestedSplit::new(StratifiedKFold::new(5), KFold::new(3)).split(&data, &FitContext::new(7))?;
/// assert_eq!((nested.len(), nested[0].inner.len()), (5, 3));
/// assert_eq!((nested[0].outer.train.len(), nested[0].inner[0].train.len()), (48, 32));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Varma & Simon (2006), "Bias in error estimation when using cross-validation for model selection".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NestedSplit<O, I> {
    outer: O,
    inner: I,
}

impl<O, I> NestedSplit<O, I> {
    /// The splits of `outer`, and within each those of `inner`.
    pub fn new(outer: O, inner: I) -> Self {
        Self { outer, inner }
    }

    /// The splits.
    ///
    /// # Errors
    /// What the splitters give, those of the inner one with the outer fold; [`ParameterError`] for an outer splitter whose
    /// rows learn more than once, as those of a bootstrap do: their copies would stand on both sides of an inner split.
    pub fn split<T: Task>(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Nested>>
    where
        O: Splitter<T>,
        I: Splitter<T>,
    {
        let mut nested = Vec::new();
        for (fold, outer) in self.outer.split(data, &cx.step("outer"))?.into_iter().enumerate() {
            if !outer.train.is_sorted_by(|a, b| a < b) || outer.train.last().is_some_and(|&row| row >= data.rows()) {
                let value = format!("{}, whose rows learn more than once", O::TAG);
                let allowed = "a splitter in which each row learns at most once";
                return Err(ErrorKind::from(ParameterError { name: "outer", value, allowed }).into());
            }
            let own = cx.fold(fold);
            let inner = self.inner.split(&data.take(&outer.train), &own.step("inner"));
            cx.absorb(&own);
            let whole = |rows: Vec<usize>| rows.into_iter().filter_map(|row| outer.train.get(row).copied()).collect();
            let inner = inner
                .at(|| Crumb::Fold(fold))?
                .into_iter()
                .map(|split| Split { train: whole(split.train), validation: whole(split.validation) })
                .collect();
            nested.push(Nested { outer, inner });
        }
        Ok(nested)
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::tests::{grouped, numbered};
    use super::super::{BootstrapSplit, GroupKFold, KFold, LeaveOneGroupOut, TimeSeriesSplit};
    use super::*;
    use stagewise_testkit::data;

    #[test]
    fn what_judges_a_choice_takes_no_part_in_it() {
        let groups: Vec<f64> = (0..60).map(|row| f64::from(row % 12)).collect();
        let data = grouped(&groups, &groups);
        let spec = NestedSplit::new(GroupKFold::new(3), LeaveOneGroupOut::new());
        let nested = spec.split(&data, &FitContext::new(0)).unwrap();
        assert_eq!(nested.len(), 3);
        for Nested { outer, inner } in &nested {
            assert_eq!(inner.len(), 8);
            for split in inner {
                let mut both = [split.train.clone(), split.validation.clone()].concat();
                both.sort_unstable();
                assert_eq!(both, outer.train);
                assert!(split.train.iter().all(|&a| split.validation.iter().all(|&b| groups[a] != groups[b])));
            }
        }
    }

    #[test]
    fn time_is_kept_inside_too_and_streams_differ() {
        let times: Vec<f64> = (0..30).map(|row| f64::from(row * 7 % 30)).collect();
        let spec = NestedSplit::new(TimeSeriesSplit::new(3), TimeSeriesSplit::new(2));
        for Nested { outer, inner } in spec.split(&numbered(&times), &FitContext::new(0)).unwrap() {
            let bounds = |rows: &[usize]| {
                let at = || rows.iter().map(|&row| times[row]);
                (at().fold(f64::INFINITY, f64::min), at().fold(f64::NEG_INFINITY, f64::max))
            };
            for split in inner {
                assert!(bounds(&split.train).1 < bounds(&split.validation).0);
                assert!(bounds(&split.validation).1 < bounds(&outer.validation).0);
            }
        }
        let spec = NestedSplit::new(KFold::new(2).shuffle(false), KFold::new(2));
        let cx = FitContext::new(1);
        let nested = spec.split(&data::regression(40, 1), &cx).unwrap();
        let shifted: Vec<usize> = nested[1].inner[0].validation.iter().map(|row| row + 20).collect();
        assert_ne!(nested[0].inner[0].validation, shifted, "each outer fold deals anew");
        let again = spec.split(&data::regression(40, 1), &cx).unwrap();
        let other = spec.split(&data::regression(40, 1), &FitContext::new(2)).unwrap();
        assert_eq!(Nested::fingerprint(&nested), Nested::fingerprint(&again));
        assert_ne!(Nested::fingerprint(&nested), Nested::fingerprint(&other));
    }

    #[test]
    fn copies_and_inner_errors_are_told() {
        let cx = FitContext::new(0);
        let data = data::regression(30, 1);
        let error = NestedSplit::new(BootstrapSplit::new(2), KFold::new(2)).split(&data, &cx).unwrap_err().to_string();
        assert!(error.starts_with("`outer` is BootstrapSplit, whose rows learn more than once"), "{error}");
        let error = NestedSplit::new(KFold::new(2), KFold::new(20)).split(&data, &cx).unwrap_err().to_string();
        assert_eq!(error, "fold 0: a split into 20 folds needs at least 20 rows, 15 found");
    }
}
