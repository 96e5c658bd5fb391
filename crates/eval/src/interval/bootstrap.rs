//! The bootstrap: how a metric varies over rows that might as well have been drawn.
//!
//! A resample is not copied: it is the vector of how often each row was drawn, given to the metric as weights. Each
//! resample has its own random stream, named by its number, so neither the number of threads nor the number of
//! resamples changes it. The rows are put in the order of their answers once, because metrics that sort by answer
//! then find their work done; that makes a resample `O(n)` for them too.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{DataError, ErrorKind, NumericError, ParameterError, Result};
use stagewise_core::metric::AnyMetric;
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;
use stagewise_numeric::quantile::quantiles;
use stagewise_numeric::rank;
use stagewise_numeric::sum::exact_sum_by;

use super::distribution::{normal_cdf, normal_quantile};
use super::{Interval, IntervalMethod, check_level};
use crate::metric::rows::undefined;

/// How to draw and read resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    resamples: usize,
    level: f64,
    bias_corrected: bool,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self::new()
    }
}

impl Bootstrap {
    /// 1,000 resamples, level 0.95, percentiles.
    pub fn new() -> Self {
        Self { resamples: 1_000, level: 0.95, bias_corrected: false }
    }

    /// How many resamples. At least `20`, default `1000`.
    #[must_use]
    pub fn resamples(mut self, resamples: usize) -> Self {
        self.resamples = resamples;
        self
    }

    /// How often the interval shall hold the true value. Between `0` and `1`, default `0.95`.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// Moves the percentiles by bias and skewness (BCa, Efron 1987): better where the metric is skewed, for at most
    /// 200 further scores. Default `false`.
    #[must_use]
    pub fn bias_corrected(mut self, on: bool) -> Self {
        self.bias_corrected = on;
        self
    }

    fn check(&self) -> Result<()> {
        ParameterError::check(self.resamples >= 20, "resamples", self.resamples, "at least 20")?;
        check_level(self.level)
    }
}

/// The bootstrap interval of any metric.
///
/// Each resample draws `n` of the `n` rows with replacement (of a ranking as many groups as there are, whole); a row drawn twice has weight 2, or twice its own weight.
/// The ends are the quantiles `(1 ∓ level) / 2` of the resampled values, by linear interpolation. Resamples in which
/// the metric has no value, for example because one class is absent, are counted in [`Interval::undefined`]. Rows
/// must be independent: for groups or time the interval is too narrow. Memory: one number per row and thread, and one
/// copy of truth and answers. `O(resamples · n)` for the metrics of this crate.
///
/// # Errors
/// Options out of range, whatever the metric gives, cancellation, and `NumericError::Undefined` where the metric has no
/// value in more than 5 % of the resamples.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::metric::AnyMetric;
/// use stagewise_core::target::NumberTarget;
/// use stagewise_core::task::Regression;
/// use stagewise_eval::{Bootstrap, Mae, bootstrap};
///
/// let truth = NumberTarget::new([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let output = array![1.5, 2.0, 2.0, 4.5, 5.0, 7.0];
/// let mae = AnyMetric::<Regression>::new(Mae);
/// let interval = bootstrap(&mae, &truth, &output, None, &Bootstrap::new(), &FitContext::new(7))?;
/// assert_eq!(interval.estimate, 0.5);
/// assert!(interval.low < 0.4 && interval.high > 0.6);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Efron (1979); Efron & Tibshirani (1993), chapters 13 and 14.
pub fn bootstrap<T: Task>(
    metric: &AnyMetric<T>,
    truth: &T::Target,
    output: &T::Output,
    weights: Option<&[f64]>,
    options: &Bootstrap,
    cx: &FitContext,
) -> Result<Interval> {
    options.check()?;
    let estimate = metric.score(truth, output, weights)?;
    let rows = Rows::sorted(metric, truth, output, weights)?;
    let what = || format!("the bootstrap interval of {}", metric.name());
    let drawn = rows.resampled(options.resamples, cx)?;
    let defined: Vec<f64> = drawn.iter().copied().flatten().collect();
    let missing = drawn.len() - defined.len();
    if missing * 20 > drawn.len() {
        let why = format!("{missing} of {} resamples have no value; more rows are needed", drawn.len());
        return Err(undefined(&what(), why));
    }
    let tail = (1.0 - options.level) / 2.0;
    let tails = if options.bias_corrected {
        let at = corrected_tails(&defined, estimate, &rows.left_out(cx)?, tail);
        at.ok_or_else(|| undefined(&what(), "every resample lies on one side of the estimate; use percentiles"))?
    } else {
        [tail, 1.0 - tail]
    };
    let ends = quantiles(&defined, &tails).ok_or_else(|| undefined(&what(), "no resample has a value"))?;
    Ok(Interval {
        estimate,
        low: ends[0],
        high: ends[1],
        level: options.level,
        method: if options.bias_corrected { IntervalMethod::BiasCorrected } else { IntervalMethod::Percentile },
        resamples: drawn.len(),
        undefined: missing,
    })
}

/// The rows in the order of their answers.
struct Rows<'a, T: Task> {
    metric: &'a AnyMetric<T>,
    truth: T::Target,
    output: T::Output,
    weights: Option<Vec<f64>>,
    /// The rows of each group, where groups are drawn.
    groups: Option<Vec<Vec<usize>>>,
}

impl<'a, T: Task> Rows<'a, T> {
    fn sorted(
        metric: &'a AnyMetric<T>,
        truth: &T::Target,
        output: &T::Output,
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        let rows = truth.len();
        for (what, found) in [("answers", T::rows(output)), ("weights", weights.map_or(rows, <[f64]>::len))] {
            if found != rows {
                return Err(DataError::Length { what: what.into(), expected: rows, found }.into());
            }
        }
        let answers: Vec<T::RowOutput> = (0..rows).map(|row| T::row(output, row)).collect();
        let keys: Vec<f64> = answers.iter().map(|a| T::numbers(a).first().copied().unwrap_or(0.0)).collect();
        let order = rank::order(&keys);
        let truth = truth.take(&order);
        let groups = truth.groups().map(|groups| {
            let mut rows: Vec<usize> = (0..groups.len()).collect();
            rows.sort_by_key(|&row| groups[row]);
            rows.chunk_by(|&a, &b| groups[a] == groups[b]).map(<[usize]>::to_vec).collect()
        });
        Ok(Self {
            metric,
            truth,
            groups,
            output: T::collect(order.iter().map(|&row| answers[row].clone()).collect()),
            weights: weights.map(|weights| order.iter().map(|&row| weights[row]).collect()),
        })
    }

    /// The metric in each resample, where it has a value.
    fn resampled(&self, resamples: usize, cx: &FitContext) -> Result<Vec<Option<f64>>> {
        let bar = cx.start(&format!("bootstrap {}", self.metric.name()), Some(resamples as u64));
        let place = cx.step("bootstrap");
        self.scored(resamples, cx, |resample, counts| {
            bar.advance(1);
            counts.fill(0.0);
            let mut stream = place.stream(&format!("resample {resample}"));
            match &self.groups {
                None => (0..counts.len()).for_each(|_| counts[stream.below(counts.len())] += 1.0),
                Some(groups) => (0..groups.len()).for_each(|_| {
                    groups[stream.below(groups.len())].iter().for_each(|&row| counts[row] += 1.0);
                }),
            }
        })
    }

    /// The metric without each of at most 200 groups of rows; groups are spread over the order of the answers.
    fn left_out(&self, cx: &FitContext) -> Result<Vec<f64>> {
        const GROUPS: usize = 200;
        let groups = self.groups.as_ref().map_or(self.truth.len(), Vec::len).min(GROUPS);
        let values = self.scored(groups, cx, |group, counts| {
            counts.fill(1.0);
            match &self.groups {
                None => counts.iter_mut().skip(group).step_by(groups).for_each(|count| *count = 0.0),
                Some(lists) => {
                    lists.iter().skip(group).step_by(groups).flatten().for_each(|&row| counts[row] = 0.0);
                }
            }
        })?;
        let defined = values.into_iter().collect::<Option<Vec<f64>>>();
        let what = format!("the bias-corrected interval of {}", self.metric.name());
        defined.ok_or_else(|| undefined(&what, "without some of the rows the metric has no value; use percentiles"))
    }

    /// Scores under `many` vectors of counts. Each lane has one such vector, so memory is bounded whatever is stolen.
    fn scored(
        &self,
        many: usize,
        cx: &FitContext,
        fill: impl Fn(usize, &mut [f64]) + Sync,
    ) -> Result<Vec<Option<f64>>> {
        let lane = |lane: usize, lanes: usize| -> Result<Vec<Option<f64>>> {
            let mut counts = vec![0.0; self.truth.len()];
            let one = |index| {
                cx.check()?;
                fill(index, &mut counts);
                if let Some(weights) = &self.weights {
                    counts.iter_mut().zip(weights).for_each(|(count, weight)| *count *= weight);
                }
                match self.metric.score(&self.truth, &self.output, Some(&counts)) {
                    Ok(value) => Ok(Some(value).filter(|value| value.is_finite())),
                    Err(error) => match error.kind() {
                        ErrorKind::Numeric(NumericError::Undefined { .. }) => Ok(None),
                        _ => Err(error),
                    },
                }
            };
            (lane..many).step_by(lanes).map(one).collect()
        };
        let (lanes, done) = cx.install(|| {
            let lanes = rayon::current_num_threads().clamp(1, many.max(1));
            (lanes, (0..lanes).into_par_iter().map(|index| lane(index, lanes)).collect::<Vec<_>>())
        });
        let done = done.into_iter().collect::<Result<Vec<_>>>()?;
        Ok((0..many).map(|index| done[index % lanes][index / lanes]).collect())
    }
}

/// Efron's corrected tails; none where the estimate lies at the end of the resampled values.
fn corrected_tails(drawn: &[f64], estimate: f64, left_out: &[f64], tail: f64) -> Option<[f64; 2]> {
    let below = drawn.iter().filter(|v| **v < estimate).count() + drawn.iter().filter(|v| **v <= estimate).count();
    let bias = normal_quantile(below as f64 / (2 * drawn.len()) as f64);
    let n = left_out.len();
    let mean = exact_sum_by(n, |i| left_out[i]) / n as f64;
    let square = exact_sum_by(n, |i| (mean - left_out[i]).powi(2));
    let skew = exact_sum_by(n, |i| (mean - left_out[i]).powi(3));
    let acceleration = if square > 0.0 { skew / (6.0 * square.powf(1.5)) } else { 0.0 };
    let moved = |tail: f64| {
        let z = bias + normal_quantile(tail);
        normal_cdf(bias + z / (1.0 - acceleration * z))
    };
    let tails = [moved(tail), moved(1.0 - tail)];
    (bias.is_finite() && tails.iter().all(|t| t.is_finite())).then_some(tails)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accuracy, Mae, Mse, RocAuc};
    use ndarray::Array1;
    use stagewise_core::context::Cancel;
    use stagewise_core::target::{BinaryTarget, NumberTarget};
    use stagewise_core::task::{Binary, Regression};
    use stagewise_numeric::random::Stream;
    use stagewise_numeric::sum::Moments;

    fn binary(rows: usize, seed: u64) -> (BinaryTarget, Array1<f64>) {
        let mut stream = Stream::new(seed, "bootstrap test");
        let answers: Vec<f64> = (0..rows).map(|_| (stream.unit() * 50.0).floor() / 50.0).collect();
        let events: Vec<bool> = answers.iter().map(|p| stream.unit() < *p).collect();
        (BinaryTarget::new(events), Array1::from_vec(answers))
    }

    #[test]
    fn same_bits_for_any_number_of_threads_and_order_of_lanes() {
        let (truth, output) = binary(300, 1);
        let metric = AnyMetric::<Binary>::new(RocAuc);
        let run = |threads, resamples| {
            let cx = FitContext::new(5).threads(threads).unwrap();
            let rows = Rows::sorted(&metric, &truth, &output, None).unwrap();
            rows.resampled(resamples, &cx).unwrap()
        };
        let one = run(1, 101);
        assert_eq!(one, run(3, 101));
        assert_eq!(one[..40], run(4, 40));
    }

    #[test]
    fn counts_are_rows_drawn_again() {
        // The same draws, copied out as rows.
        let (truth, output) = binary(80, 2);
        let own: Vec<f64> = (0..80).map(|i| f64::from(i % 5) / 3.0).collect();
        let metric = AnyMetric::<Binary>::new(RocAuc);
        let cx = FitContext::new(9);
        for weights in [None, Some(own.as_slice())] {
            let rows = Rows::sorted(&metric, &truth, &output, weights).unwrap();
            for (resample, found) in rows.resampled(20, &cx).unwrap().into_iter().enumerate() {
                let mut stream = cx.step("bootstrap").stream(&format!("resample {resample}"));
                let draws: Vec<usize> = (0..80).map(|_| stream.below(80)).collect();
                let copied = Array1::from_iter(draws.iter().map(|&row| rows.output[row]));
                let own: Option<Vec<f64>> = rows.weights.as_ref().map(|w| draws.iter().map(|&row| w[row]).collect());
                let expected = metric.score(&rows.truth.take(&draws), &copied, own.as_deref()).unwrap();
                assert!((found.unwrap() - expected).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_theory() {
        // The absolute error against 0 is the value itself: MAE is a mean, with standard error s / √n.
        let mut stream = Stream::new(4, "mean");
        let values: Vec<f64> = (0..500).map(|_| 10.0 + stream.normal()).collect();
        let mut moments = Moments::new();
        moments.extend(&values);
        let error = (moments.variance(1.0).unwrap() / 500.0).sqrt();
        let metric = AnyMetric::<Regression>::new(Mae);
        let options = Bootstrap::new().resamples(4_000);
        let (truth, output) = (NumberTarget::new(values), Array1::zeros(500));
        for options in [options, options.bias_corrected(true)] {
            let found = bootstrap(&metric, &truth, &output, None, &options, &FitContext::new(1)).unwrap();
            // The quantile of 4,000 draws itself varies by about 4 % of the half width.
            assert!((found.low - (found.estimate - 1.96 * error)).abs() < 0.2 * error, "{found}");
            assert!((found.high - (found.estimate + 1.96 * error)).abs() < 0.2 * error, "{found}");
        }
    }

    #[test]
    fn the_correction_moves_the_ends_towards_the_long_tail() {
        let mut stream = Stream::new(6, "skewed");
        let truth = NumberTarget::new((0..60).map(|_| stream.exponential()).collect::<Vec<_>>());
        let output = Array1::zeros(60);
        let metric = AnyMetric::<Regression>::new(Mse);
        let run =
            |options: Bootstrap| bootstrap(&metric, &truth, &output, None, &options, &FitContext::new(1)).unwrap();
        let (plain, corrected) = (run(Bootstrap::new()), run(Bootstrap::new().bias_corrected(true)));
        assert!(corrected.low > plain.low && corrected.high > plain.high, "{plain} {corrected}");
        assert_eq!(corrected.method, IntervalMethod::BiasCorrected);
    }

    #[test]
    fn the_acceleration_of_a_mean_is_its_skewness() {
        // Efron 1987: of a mean the acceleration is skewness / (6 √n), of left-out means with n values.
        let values: Vec<f64> = (0..40).map(|i| f64::from(i * i)).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let m = |k: i32| values.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n;
        let expected = m(3) / m(2).powf(1.5) / (6.0 * n.sqrt());
        let left_out: Vec<f64> = values.iter().map(|v| (mean * n - v) / (n - 1.0)).collect();
        // Half below, half above: no bias, so the tail gives the acceleration back.
        let tails = corrected_tails(&[-1.0, 1.0], 0.0, &left_out, 0.025).unwrap();
        let z = normal_quantile(0.025);
        assert!((tails[0] - normal_cdf(z / (1.0 - expected * z))).abs() < 1e-12);
    }

    #[test]
    fn resamples_without_a_value_are_counted_and_too_many_refused() {
        let metric = AnyMetric::<Binary>::new(RocAuc);
        let run = |events: Vec<bool>| {
            let output = Array1::from_iter((0..events.len()).map(|i| i as f64));
            bootstrap(&metric, &BinaryTarget::new(events), &output, None, &Bootstrap::new(), &FitContext::new(3))
        };
        let found = run((0..40).map(|i| i % 10 == 0).collect()).unwrap();
        // Four of forty rows are the event: (36/40)^40 = 1.5 % of the resamples have none.
        assert!((3..35).contains(&found.undefined), "{}", found.undefined);
        assert_eq!(found.resamples, 1_000);
        let error = run((0..40).map(|i| i == 0).collect()).unwrap_err().to_string();
        assert!(error.starts_with("the bootstrap interval of roc_auc is not defined: 3"), "{error}");
        assert!(error.ends_with("of 1000 resamples have no value; more rows are needed"), "{error}");
    }

    #[test]
    fn options_are_checked_and_work_can_be_cancelled() {
        let (truth, output) = binary(30, 4);
        let metric = AnyMetric::<Binary>::new(Accuracy::new());
        let run = |options: Bootstrap, cx: &FitContext| {
            bootstrap(&metric, &truth, &output, None, &options, cx).unwrap_err().to_string()
        };
        let cx = FitContext::new(0);
        assert_eq!(run(Bootstrap::new().resamples(3), &cx), "`resamples` is 3, allowed is at least 20");
        assert_eq!(run(Bootstrap::new().level(1.0), &cx), "`level` is 1, allowed is more than 0 and less than 1");
        let cancel = Cancel::new();
        cancel.raise();
        assert_eq!(run(Bootstrap::new(), &cx.cancel(cancel)), "cancelled");
        assert!(bootstrap(&metric, &truth, &Array1::zeros(3), None, &Bootstrap::new(), &FitContext::new(0)).is_err());
    }
}
