//! Nested cross-validation: how good is a recipe that is chosen among several, the choice included?
//!
//! The best of several scores looks better than it is, for it was picked. So each outer fold chooses by inner folds of its
//! training rows, and judges the chosen recipe by rows that took no part. What is judged is the way of choosing.

mod result;
#[cfg(test)]
mod tests;

use rayon::prelude::*;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, ErrorKind, NumericError, ParameterError, PipelineError, Result};
use stagewise_core::fingerprint::Hasher;
use stagewise_core::metric::AnyMetric;
use stagewise_core::split::{Nested, Split};
use stagewise_core::stage::{Estimator, Predictor};
use stagewise_core::table::Table;
use stagewise_core::task::Task;
use stagewise_numeric::sum::Moments;

pub use result::{Choice, NestedCrossValidated};

use super::{FoldResult, check, fold, judged, require_distinct};

/// Candidates, and the metric that they are chosen by.
///
/// In each outer fold every candidate is cross-validated on the inner splits; the one with the best mean of the metric, each
/// fold as important as another, is chosen (of equal ones that which was named first), fitted on all rows that learn in the
/// outer fold, and scored on those that judge. The candidates may be pipelines with different steps and learners.
///
/// The score of an outer fold is the one that [`cross_validate`](crate::cross_validate()) of the chosen candidate gives there,
/// to the bit. Random streams are named by fold and candidate, so a further candidate changes no other's. Weights weigh in
/// fits and scores, inner and outer. Costs `outer · (inner · candidates + 1)` fits, in parallel.
///
/// ```
/// use stagewise_core::{context::FitContext, metric::AnyMetric, split::{Nested, Split}, task::Regression};
/// use stagewise_eval::{Mae, NestedCrossValidation};
/// # use stagewise_core::{dataset::Dataset, error::Result, stage::{Estimator, Predictor}, table::Table};
/// # struct Constant(f64);
/// # impl Estimator<Regression> for Constant {
/// #     type Fitted = Constant;
/// #     fn fit(&self, _: &Dataset<Regression>, _: &FitContext) -> Result<Constant> { Ok(Constant(self.0)) }
/// # }
/// # impl Predictor<Regression> for Constant {
/// #     fn predict(&self, table: &Table) -> Result<ndarray::Array1<f64>> {
/// #         Ok(ndarray::Array1::from_elem(table.rows(), self.0))
/// #     }
/// # }
/// # let data = stagewise_testkit::data::regression(60, 1);
/// let every = |rows: &[usize], place: usize| {
///     let (validation, train) = rows.iter().copied().partition(|row| row % 3 == place);
///     Split { train, validation }
/// };
/// let all: Vec<usize> = (0..60).collect();
/// let nested: Vec<Nested> = (0..3)
///     .map(|place| every(&all, place))
///     .map(|outer| Nested { inner: vec![every(&outer.train, outer.train[0] % 3)], outer })
///     .collect();
/// let found = NestedCrossValidation::new(AnyMetric::<Regression>::new(Mae))
///     .candidate("nothing", Constant(0.0))
///     .candidate("far off", Constant(1e6))
///     .run(&data, &nested, &FitContext::new(7))?;
/// assert_eq!(found.times_chosen("nothing"), 3);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// In a program the splits come from `NestedSplit` of the crate `stagewise-data`. Varma & Simon (2006), "Bias in error
/// estimation when using cross-validation for model selection"; Cawley & Talbot (2010). Checked against a nested loop with
/// scikit-learn 1.9.1 (`LinearRegression`, `Ridge`, `root_mean_squared_error`) on the same folds: choices exactly, scores to
/// 1e-9.
pub struct NestedCrossValidation<'a, T: Task> {
    metric: AnyMetric<T>,
    also: Vec<AnyMetric<T>>,
    candidates: Vec<Candidate<'a, T>>,
}

impl<'a, T: Task> NestedCrossValidation<'a, T> {
    /// Chooses and judges by this metric.
    pub fn new(metric: AnyMetric<T>) -> Self {
        Self { metric, also: Vec::new(), candidates: Vec::new() }
    }

    /// A recipe to choose from, under a name of its own. At least one.
    #[must_use]
    pub fn candidate<E>(mut self, name: impl Into<String>, recipe: E) -> Self
    where
        E: Estimator<T> + 'a,
        E::Fitted: 'static,
    {
        self.candidates.push(Candidate { name: name.into(), recipe: Box::new(recipe) });
        self
    }

    /// A further metric that judges the chosen recipe and takes no part in the choice. Default: none.
    #[must_use]
    pub fn also(mut self, metric: AnyMetric<T>) -> Self {
        self.also.push(metric);
        self
    }

    /// Chooses and judges.
    ///
    /// # Errors
    /// The first error of a fold, with outer fold, candidate and inner fold; splits whose sides are empty or share rows, and
    /// inner ones with rows that do not learn in the outer one; no candidate, or two of one name; two metrics of one name; no
    /// split; cancellation.
    pub fn run(&self, data: &Dataset<T>, nested: &[Nested], cx: &FitContext) -> Result<NestedCrossValidated<T>> {
        let metrics: Vec<AnyMetric<T>> = std::iter::once(&self.metric).chain(&self.also).cloned().collect();
        require_distinct(&metrics)?;
        self.check_candidates()?;
        let something = !nested.is_empty() && nested.iter().all(|nested| !nested.inner.is_empty());
        ParameterError::check(something, "nested", "without a split", "outer splits, each with inner ones")?;
        nested.iter().enumerate().try_for_each(|(place, n)| check_nested(n, data.rows()).at(|| Crumb::Fold(place)))?;
        let inner: usize = nested.iter().map(|nested| nested.inner.len()).sum();
        let bar = cx.start("nested cross-validation", Some((inner * self.candidates.len() + nested.len()) as u64));
        let contexts: Vec<FitContext> = (0..nested.len()).map(|place| cx.fold(place)).collect();
        let done: Vec<Result<_>> = cx.install(|| {
            nested
                .par_iter()
                .zip(&contexts)
                .map(|(nested, cx)| {
                    let choice = self.choose(data, &nested.inner, cx, &|| bar.advance(1))?;
                    let chosen = &self.candidates[choice.place];
                    let judged = fold::run(chosen, data, &nested.outer, &metrics, false, cx);
                    bar.advance(1);
                    judged.at(|| Crumb::Candidate(chosen.name.clone())).map(|(result, output)| (choice, result, output))
                })
                .collect()
        });
        contexts.iter().for_each(|fold| cx.absorb(fold));
        let (mut choices, mut folds, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
        for (place, done) in done.into_iter().enumerate() {
            let (choice, result, output) = done.at(|| Crumb::Fold(place))?;
            choices.push(choice);
            folds.push(result);
            outputs.push(output);
        }
        let splits: Vec<Split> = nested.iter().map(|nested| nested.outer.clone()).collect();
        let outer = judged(metrics, folds, &outputs, &splits, data);
        let mut hasher = Hasher::new();
        hasher.bytes(Nested::fingerprint(nested).to_string().as_bytes());
        hasher.bytes(outer.splits().to_string().as_bytes());
        let candidates = self.candidates.iter().map(|candidate| candidate.name.clone()).collect();
        Ok(NestedCrossValidated { candidates, choices, outer, splits: hasher.finish() })
    }

    fn check_candidates(&self) -> Result<()> {
        ParameterError::check(!self.candidates.is_empty(), "candidates", "none", "at least one")?;
        let names: Vec<&str> = self.candidates.iter().map(|candidate| candidate.name.as_str()).collect();
        match names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            None => Ok(()),
            Some((_, name)) => {
                let value = format!("two named `{name}`");
                let allowed = "candidates of different names";
                Err(ErrorKind::from(ParameterError { name: "candidates", value, allowed }).into())
            }
        }
    }

    /// The best candidate on the inner splits.
    fn choose(
        &self,
        data: &Dataset<T>,
        splits: &[Split],
        cx: &FitContext,
        advance: &(dyn Fn() + Sync),
    ) -> Result<Choice> {
        let metric = std::slice::from_ref(&self.metric);
        let place = |i: usize| (i / splits.len(), i % splits.len());
        let all = self.candidates.len() * splits.len();
        let inner = cx.step("inner");
        let own = |(candidate, fold): (usize, usize)| inner.step(&self.candidates[candidate].name).fold(fold);
        let contexts: Vec<FitContext> = (0..all).map(|i| own(place(i))).collect();
        let done: Vec<Result<FoldResult>> = contexts
            .par_iter()
            .enumerate()
            .map(|(i, cx)| {
                let (candidate, split) = place(i);
                let done = fold::run(&self.candidates[candidate], data, &splits[split], metric, false, cx);
                advance();
                done.map(|(result, _)| result)
            })
            .collect();
        contexts.iter().for_each(|context| cx.absorb(context));
        let mut scores = vec![Vec::with_capacity(splits.len()); self.candidates.len()];
        for (i, done) in done.into_iter().enumerate() {
            let (candidate, split) = place(i);
            let name = || Crumb::Candidate(self.candidates[candidate].name.clone());
            let result = done.at(|| Crumb::Fold(split)).at(name)?;
            scores[candidate].extend(result.scores);
        }
        let means: Vec<f64> = scores.iter().map(|scores| self.mean(scores)).collect::<Result<_>>()?;
        let better = |best: usize, other: usize| {
            if self.metric.direction().is_better(means[other], means[best]) { other } else { best }
        };
        let place = (0..means.len()).fold(0, better);
        Ok(Choice { candidate: self.candidates[place].name.clone(), place, scores, means })
    }

    fn mean(&self, scores: &[f64]) -> Result<f64> {
        let mut moments = Moments::new();
        moments.extend(scores);
        let undefined = || NumericError::Undefined { what: self.metric.name(), why: "there is no inner fold".into() };
        moments.mean().ok_or_else(|| undefined().into())
    }
}

/// What the splits promise, and that inner ones stay among the rows that learn in the outer one.
fn check_nested(nested: &Nested, rows: usize) -> Result<()> {
    check(&nested.outer, rows)?;
    for (place, split) in nested.inner.iter().enumerate() {
        check(split, rows).at(|| Crumb::Fold(place))?;
        let stranger = |row: &&usize| nested.outer.train.binary_search(row).is_err();
        if let Some(row) = split.train.iter().chain(&split.validation).find(stranger) {
            let declared = "inner splits of the rows that learn in the outer one".to_string();
            let found = format!("row {row}, which does not");
            return Err(PipelineError::BrokenPromise { declared, found }).at(|| Crumb::Fold(place));
        }
    }
    Ok(())
}

/// A recipe by name.
struct Candidate<'a, T: Task> {
    name: String,
    recipe: Box<dyn Recipe<T> + 'a>,
}

impl<T: Task> Estimator<T> for Candidate<'_, T> {
    type Fitted = Learned<T>;

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<Learned<T>> {
        self.recipe.learn(train, cx)
    }
}

/// The object-safe twin of [`Estimator`].
trait Recipe<T: Task>: Send + Sync {
    fn learn(&self, train: &Dataset<T>, cx: &FitContext) -> Result<Learned<T>>;
}

impl<T: Task, E: Estimator<T>> Recipe<T> for E
where
    E::Fitted: 'static,
{
    fn learn(&self, train: &Dataset<T>, cx: &FitContext) -> Result<Learned<T>> {
        Ok(Learned(Box::new(self.fit(train, cx)?)))
    }
}

/// What a recipe has learned, of any type.
struct Learned<T: Task>(Box<dyn Predictor<T>>);

impl<T: Task> Predictor<T> for Learned<T> {
    fn predict(&self, table: &Table) -> Result<T::Output> {
        self.0.predict(table)
    }
}
