//! `k` folds several times, dealt anew each time: the mean depends less on the luck of one deal.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::task::Task;

use super::{KFold, StratifiedKFold};

/// [`KFold`], or [`StratifiedKFold`], as often as asked for; each time with a random stream of its own.
///
/// Folds of one deal come together, deals in order. More deals change none of the earlier. `O(repeats · rows · k)`. What
/// differs between deals is which rows learn together, and not the rows there are: intervals of the mean do not shrink as
/// with new data.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::split::Splitter;
/// use stagewise_data::RepeatedKFold;
///
/// let data = stagewise_testkit::data::binary(50, 1);
/// let splits = RepeatedKFold::new(5, 3).stratified(true).split(&data, &FitContext::new(7))?;
/// assert_eq!((splits.len(), splits[14].validation.len()), (15, 10));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatedKFold {
    folds: usize,
    repeats: usize,
    #[serde(default)]
    stratified: bool,
}

impl RepeatedKFold {
    /// This many folds, at least 2, this many times, at least 1.
    pub fn new(folds: usize, repeats: usize) -> Self {
        Self { folds, repeats, stratified: false }
    }

    /// Whether each fold gets its share of every class, or for numbers of every tenth of the distribution. Default: false.
    #[must_use]
    pub fn stratified(mut self, stratified: bool) -> Self {
        self.stratified = stratified;
        self
    }
}

impl Persist for RepeatedKFold {
    const TAG: &'static str = "RepeatedKFold";
}

impl<T: Task> Splitter<T> for RepeatedKFold {
    /// # Errors
    /// [`ParameterError`] for no repeats, and as [`KFold`].
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>> {
        ParameterError::check(self.repeats >= 1, "repeats", self.repeats, "at least 1")?;
        let mut splits = Vec::new();
        for repeat in 0..self.repeats {
            let own = cx.fold(repeat);
            splits.extend(match self.stratified {
                true => StratifiedKFold::new(self.folds).split(data, &own)?,
                false => KFold::new(self.folds).split(data, &own)?,
            });
            // Each deal warns of the same.
            if repeat == 0 {
                cx.absorb(&own);
            }
        }
        Ok(splits)
    }
}

#[cfg(test)]
mod tests {
    use super::super::time::tests::numbered;
    use super::*;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn every_row_judges_once_in_each_deal() {
        for stratified in [false, true] {
            let spec = RepeatedKFold::new(3, 4).stratified(stratified);
            let splits = conformance::splitter(&spec, &data::multiclass(40, 1));
            assert_eq!(splits.len(), 12);
            for deal in splits.chunks(3) {
                let mut judged: Vec<usize> = deal.iter().flat_map(|split| split.validation.clone()).collect();
                judged.sort_unstable();
                assert_eq!(judged, (0..40).collect::<Vec<_>>());
            }
            assert!(splits[0] != splits[3] && splits[3] != splits[6], "each deal is its own");
            let fewer = RepeatedKFold::new(3, 2).stratified(stratified).split(&data::multiclass(40, 1), &seeded());
            let more = spec.split(&data::multiclass(40, 1), &seeded()).unwrap();
            assert_eq!(fewer.unwrap(), more[..6], "more deals change none of the earlier");
        }
    }

    fn seeded() -> FitContext {
        FitContext::new(11)
    }

    #[test]
    fn warnings_come_once_and_no_repeats_are_refused() {
        let cx = FitContext::new(0);
        let data = numbered(&[1.0, 2.0, 3.0, 4.0]);
        RepeatedKFold::new(2, 5).split(&data, &cx).unwrap();
        assert_eq!(cx.take_warnings().len(), 1);
        let error = RepeatedKFold::new(2, 0).split(&data, &cx).unwrap_err().to_string();
        assert_eq!(error, "`repeats` is 0, allowed is at least 1");
    }
}
