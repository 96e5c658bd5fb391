//! What a fit is given besides data: a seed, threads, a place to show progress and leave warnings, a way to stop.
//!
//! Every random stream is derived from the seed and the path of the stage (fold, step, purpose), never from the order
//! of calls: adding a step or a thread changes no other stream.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stagewise_numeric::random::Stream;

use crate::error::{ErrorKind, ParameterError, Result};
use crate::progress::{Bar, Progress, Silent};
use crate::warning::Warning;

/// The surroundings of a fit. Cheap to clone; clones share pool, progress, warnings and cancellation.
///
/// ```
/// use stagewise_core::context::FitContext;
/// let cx = FitContext::new(7);
/// let a = cx.step("impute").stream("draw").next_u64();
/// let b = cx.step("balance").stream("draw").next_u64();
/// assert_ne!(a, b);
/// assert_eq!(a, FitContext::new(7).step("impute").stream("draw").next_u64());
/// ```
#[derive(Clone)]
pub struct FitContext {
    seed: u64,
    path: String,
    pool: Option<Arc<rayon::ThreadPool>>,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
    warnings: Arc<Mutex<Vec<Warning>>>,
}

impl FitContext {
    /// A context with this seed, all cores, and no progress shown.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            path: String::new(),
            pool: None,
            progress: Arc::new(Silent),
            cancel: Cancel::default(),
            warnings: Arc::default(),
        }
    }

    /// Uses this many threads; the result does not depend on how many.
    ///
    /// # Errors
    /// [`ParameterError`] for 0; an external error if the threads cannot be started.
    pub fn threads(mut self, threads: usize) -> Result<Self> {
        ParameterError::check(threads > 0, "threads", threads, "at least 1")?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(crate::Error::external)?;
        self.pool = Some(Arc::new(pool));
        Ok(self)
    }

    /// Shows progress there.
    #[must_use]
    pub fn progress(mut self, progress: impl Progress + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// Stops when `cancel` is raised.
    #[must_use]
    pub fn cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// The context of a named step.
    #[must_use]
    pub fn step(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_string() } else { format!("{}/{name}", self.path) };
        Self { path, ..self.clone() }
    }

    /// The context of a fold, whose warnings are kept apart until [`absorb`](Self::absorb).
    #[must_use]
    pub fn fold(&self, fold: usize) -> Self {
        Self { warnings: Arc::default(), ..self.step(&format!("fold {fold}")) }
    }

    /// The random stream of this place for one purpose.
    pub fn stream(&self, purpose: &str) -> Stream {
        Stream::new(self.seed, &format!("{}:{purpose}", self.path))
    }

    /// A seed for a backend that has its own generator.
    pub fn seed(&self, purpose: &str) -> u64 {
        self.stream(purpose).next_u64()
    }

    /// Runs `work` on this context's threads.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            // On a worker, so that what runs in parallel does not change threads at every call.
            None => rayon::scope(|_| work()),
        }
    }

    /// A piece of long work begins.
    pub fn start(&self, label: &str, total: Option<u64>) -> Box<dyn Bar> {
        self.progress.start(label, total)
    }

    /// Whether to go on.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] once the caller has cancelled.
    pub fn check(&self) -> Result<()> {
        if self.cancel.is_raised() { Err(ErrorKind::Cancelled.into()) } else { Ok(()) }
    }

    /// Leaves a warning.
    pub fn warn(&self, what: impl Into<String>) {
        let warning = Warning { at: self.path.clone(), what: what.into() };
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// Takes over the warnings of a fold: called in fold order, so that their order depends on no thread.
    pub fn absorb(&self, fold: &Self) {
        let warnings = fold.take_warnings();
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).extend(warnings);
    }

    /// The warnings so far, which are then forgotten.
    pub fn take_warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many warnings there are.
    pub(crate) fn warnings_from(&self, first: usize) -> Vec<Warning> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).get(first..).unwrap_or_default().to_vec()
    }

    pub(crate) fn warning_count(&self) -> usize {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl std::fmt::Debug for FitContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FitContext").field("seed", &self.seed).field("path", &self.path).finish_non_exhaustive()
    }
}

/// A flag that stops work: raise it from another thread.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is down.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop at its next check.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_the_path_alone() {
        let cx = FitContext::new(1);
        let first = cx.fold(1).step("a").stream("x").next_u64();
        let _ = cx.step("b").stream("x").next_u64();
        assert_eq!(first, cx.fold(1).step("a").stream("x").next_u64());
        assert_ne!(first, cx.fold(2).step("a").stream("x").next_u64());
        assert_ne!(first, FitContext::new(2).fold(1).step("a").stream("x").next_u64());
    }

    #[test]
    fn a_raised_flag_stops_every_clone() {
        let cancel = Cancel::new();
        let cx = FitContext::new(0).cancel(cancel.clone());
        let inner = cx.fold(0).step("model");
        assert!(inner.check().is_ok());
        cancel.raise();
        assert!(matches!(inner.check().unwrap_err().kind(), ErrorKind::Cancelled));
    }

    #[test]
    fn warnings_of_folds_come_in_fold_order() {
        let cx = FitContext::new(0);
        let folds = [cx.fold(0), cx.fold(1)];
        folds[1].step("model").warn("late");
        folds[0].step("model").warn("early");
        folds.iter().for_each(|fold| cx.absorb(fold));
        let texts: Vec<_> = cx.take_warnings().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["fold 0/model: early", "fold 1/model: late"]);
    }
}
