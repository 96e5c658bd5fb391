//! Do workers say the same, more than by chance? Kappa and alpha, and how sure they are.
//!
//! Each measure is a function of tasks that count: once each for the estimate, as often as drawn in a resample. So one
//! bootstrap serves all, and it draws tasks, because the answers to one task are not independent.

mod cohen;
mod fleiss;
#[cfg(test)]
mod golden;
mod krippendorff;

use std::fmt::Debug;
use std::sync::Arc;

use stagewise_core::context::FitContext;
use stagewise_core::error::{Error, NumericError, ParameterError, Result};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_numeric::parallel::blocks;
use stagewise_numeric::quantile::quantiles;

pub use cohen::{KappaWeights, cohen_kappa};
pub use fleiss::fleiss_kappa;
pub use krippendorff::{Scale, krippendorff_alpha};

/// How much workers agree beyond chance: 1 is always, 0 is no more than by chance, below 0 is less.
#[derive(Debug, Clone)]
pub struct Agreement {
    measure: &'static str,
    value: f64,
    statistic: Arc<dyn Statistic>,
}

/// An agreement and its bootstrap interval.
#[derive(Debug, Clone, PartialEq)]
pub struct AgreementInterval {
    /// The measure.
    pub measure: &'static str,
    /// The agreement itself.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How often such an interval holds the true value.
    pub level: f64,
    /// How many resamples were drawn.
    pub resamples: usize,
    /// In how many of them the measure had no value. They are left out of the ends.
    pub undefined: usize,
}

/// A measure of tasks that count.
trait Statistic: Debug + Send + Sync {
    /// How many tasks enter.
    fn tasks(&self) -> usize;

    /// The measure where task `i` counts `times[i]` times, if it has a value.
    fn of(&self, times: &[f64]) -> Option<f64>;
}

impl Agreement {
    fn new(measure: &'static str, statistic: impl Statistic + 'static, why: &str) -> Result<Self> {
        let value = statistic.of(&vec![1.0; statistic.tasks()]).ok_or_else(|| undefined(measure, why))?;
        Ok(Self { measure, value, statistic: Arc::new(statistic) })
    }

    /// The measure.
    pub fn measure(&self) -> &'static str {
        self.measure
    }

    /// Its value.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// How many tasks entered.
    pub fn tasks(&self) -> usize {
        self.statistic.tasks()
    }

    /// The percentile bootstrap interval over tasks: the quantiles `(1 ∓ level) / 2` of the measure in `resamples` draws
    /// of as many tasks with replacement. Use 1,000 resamples (at least 20) and a level of 0.95. Tasks must be
    /// independent. `O(resamples)` times the cost of the measure. Efron (1979).
    ///
    /// # Errors
    /// [`ParameterError`] for fewer than 20 resamples or a level outside `(0, 1)`; [`NumericError::Undefined`] where the
    /// measure has no value in more than 5 % of the resamples; cancellation.
    ///
    /// ```
    /// use stagewise_core::{column::Column, context::FitContext, table::Table};
    /// use stagewise_data::label::{Annotations, fleiss_kappa};
    ///
    /// let numbers = |of: fn(usize) -> usize| Column::numbers((0..40).map(|i| of(i) as f64).collect::<Vec<_>>());
    /// let table = Table::of([
    ///     ("task", numbers(|i| i / 2)),
    ///     ("worker", numbers(|i| i % 2)),
    ///     // Two answers are slips.
    ///     ("label", numbers(|i| (i / 2 + usize::from(i == 1 || i == 7)) % 2)),
    /// ])?;
    /// let kappa = fleiss_kappa(&Annotations::of(&table, "task", "worker", "label")?)?;
    /// assert!((kappa.value() - 0.8).abs() < 1e-12);
    /// let interval = kappa.interval(200, 0.9, &FitContext::new(7))?;
    /// assert!(interval.low < 0.8 && interval.high > 0.8);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn interval(&self, resamples: usize, level: f64, cx: &FitContext) -> Result<AgreementInterval> {
        const BLOCK: usize = 16;
        ParameterError::check(resamples >= 20, "resamples", resamples, "at least 20")?;
        ParameterError::check(level > 0.0 && level < 1.0, "level", level, "more than 0 and less than 1")?;
        let (place, tasks) = (cx.step("agreement"), self.statistic.tasks());
        let drawn = cx.install(|| {
            blocks(resamples, BLOCK, |block| {
                let mut times = vec![0.0; tasks];
                let draw = |resample: usize| {
                    cx.check()?;
                    times.fill(0.0);
                    let mut stream = place.stream(&format!("resample {resample}"));
                    (0..tasks).for_each(|_| times[stream.below(tasks)] += 1.0);
                    Ok(self.statistic.of(&times))
                };
                block.map(draw).collect::<Result<Vec<Option<f64>>>>()
            })
        });
        let drawn: Vec<Option<f64>> = drawn.into_iter().collect::<Result<Vec<_>>>()?.concat();
        let defined: Vec<f64> = drawn.iter().copied().flatten().collect();
        let missing = resamples - defined.len();
        let no_interval = || {
            let why = format!("{missing} of {resamples} resamples have no value; more tasks are needed");
            undefined(&format!("the bootstrap interval of {}", self.measure), why)
        };
        if missing * 20 > resamples {
            return Err(no_interval());
        }
        let tail = (1.0 - level) / 2.0;
        let ends = quantiles(&defined, &[tail, 1.0 - tail]).ok_or_else(no_interval)?;
        let (measure, value) = (self.measure, self.value);
        Ok(AgreementInterval { measure, value, low: ends[0], high: ends[1], level, resamples, undefined: missing })
    }
}

impl std::fmt::Display for AgreementInterval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (value, low, high) = (number(self.value), number(self.low), number(self.high));
        write!(f, "{} {value} ({low} to {high}, {} %)", self.measure, number(self.level * 100.0))
    }
}

impl Exhibit for Agreement {
    fn exhibit(&self) -> Section {
        let facts =
            vec![(self.measure.to_string(), number(self.value)), ("tasks".into(), self.statistic.tasks().to_string())];
        Section::new("Agreement").block(Block::Facts(facts))
    }
}

impl Exhibit for AgreementInterval {
    fn exhibit(&self) -> Section {
        let chart = Chart::Intervals {
            title: "Agreement".into(),
            items: vec![(self.measure.into(), self.low, self.value, self.high)],
        };
        Section::new("Agreement").text(self.to_string()).block(Block::Chart(chart))
    }
}

fn undefined(what: &str, why: impl Into<String>) -> Error {
    NumericError::Undefined { what: what.into(), why: why.into() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::annotations::tests::annotations;

    #[test]
    fn an_interval_holds_its_value_on_any_number_of_threads() {
        let names: Vec<String> = (0..60).map(|i| i.to_string()).collect();
        let rows: Vec<(&str, &str, &str)> = (0..60)
            .flat_map(|i| {
                let truth = ["a", "b", "c"][i % 3];
                let slip = if i % 7 == 0 { "a" } else { truth };
                [(names[i].as_str(), "x", truth), (&names[i], "y", slip)]
            })
            .collect();
        let kappa = cohen_kappa(&annotations(&rows), "x", "y", KappaWeights::None).unwrap();
        let of = |threads| kappa.interval(200, 0.9, &FitContext::new(3).threads(threads).unwrap()).unwrap();
        let interval = of(1);
        assert_eq!(interval, of(3));
        assert!(interval.low < kappa.value() && kappa.value() < interval.high && interval.undefined == 0);
        assert!(kappa.interval(19, 0.9, &FitContext::new(3)).is_err());
        assert!(kappa.interval(20, 1.0, &FitContext::new(3)).is_err());
    }
}
