//! Which recipe is best: only results that were judged on the same rows are compared.

use stagewise_core::error::{DataError, ErrorKind, ParameterError, Result};
use stagewise_core::task::Task;

use super::result::{CrossValidated, corrected_interval};
use crate::interval::Interval;

/// A recipe in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The recipe.
    pub name: String,
    /// The mean of the metric over folds.
    pub mean: f64,
    /// How far its scores are above the best recipe's, fold by fold, at the level 0.95; none for the best one, and none
    /// with fewer than two folds. Where it holds 0 the folds cannot tell the two apart.
    pub difference: Option<Interval>,
}

/// The recipes by the mean of a metric, the best first; equal ones in the order given.
///
/// The best of many looks better than it is: judge it on rows that took no part in the choice. The interval of the
/// difference is that of [`CrossValidated::interval`], for the paired differences of the folds.
///
/// # Errors
/// [`DataError::DifferentSplits`] for results of different splits, truths or weights; a metric that one of them does not
/// have; no result at all.
pub fn ranking<T: Task>(results: &[(&str, &CrossValidated<T>)], metric: &str) -> Result<Vec<Ranked>> {
    let Some((first_name, first)) = results.first() else {
        let error = ParameterError { name: "results", value: "none".into(), allowed: "at least one" };
        return Err(ErrorKind::from(error).into());
    };
    if let Some((name, _)) = results.iter().find(|(_, result)| result.splits() != first.splits()) {
        return Err(DataError::DifferentSplits { first: (*first_name).into(), second: (*name).into() }.into());
    }
    let direction = first.metric(metric)?.direction();
    let mut means = Vec::with_capacity(results.len());
    for (name, result) in results {
        means.push((*name, *result, result.mean(metric)?));
    }
    means.sort_by(|a, b| match (direction.is_better(a.2, b.2), direction.is_better(b.2, a.2)) {
        (true, _) => std::cmp::Ordering::Less,
        (_, true) => std::cmp::Ordering::Greater,
        _ => std::cmp::Ordering::Equal,
    });
    let best = means.first().map_or(Ok(Vec::new()), |(_, result, _)| result.scores(metric))?;
    let ranked = means.iter().enumerate().map(|(place, (name, result, mean))| {
        let scores = result.scores(metric)?;
        let differences: Vec<f64> = scores.iter().zip(&best).map(|(score, best)| score - best).collect();
        let paired = place > 0 && differences.len() > 1;
        let interval = || corrected_interval(metric, &differences, result.folds(), 0.95);
        Ok(Ranked { name: (*name).into(), mean: *mean, difference: paired.then(interval).transpose()? })
    });
    ranked.collect()
}
