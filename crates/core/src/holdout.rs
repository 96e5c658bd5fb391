//! Rows kept for one look: evaluating consumes them, and the look is written down.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::error::{At, Crumb, Result, SchemaError};
use crate::exhibit::{Block, Exhibit, Section, number};
use crate::fingerprint::Fingerprint;
use crate::ledger::{Event, Ledger};
use crate::metric::Direction;
use crate::pipeline::FittedPipeline;
use crate::problem::Guardrail;
use crate::record::Cell;
use crate::table::Table;
use crate::task::Task;

/// Rows that no fit has seen. It cannot be cloned, and [`evaluate_once`](Self::evaluate_once) takes it by value.
#[derive(Debug)]
#[must_use = "a holdout is for evaluating the final pipeline"]
pub struct Holdout<T: Task> {
    data: Dataset<T>,
}

impl<T: Task> Holdout<T> {
    /// Sets rows aside. Called by a holdout splitter, and by whoever has a file of rows to judge on.
    pub fn new(data: Dataset<T>) -> Self {
        Self { data }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.data.rows()
    }

    /// The fingerprint by which looks are counted.
    pub fn fingerprint(&self) -> Fingerprint {
        self.data.fingerprint()
    }

    /// The rows without their target: for checks that need no truth, whether rows, groups or ids stand in the training rows
    /// too, say. Nothing can be scored by them, so this is no look and the ledger does not count it. What needs the truth of
    /// these rows waits for [`Evaluation::data`].
    ///
    /// # Errors
    /// As [`Dataset::unlabelled`].
    pub fn unlabelled(&self) -> Result<Table> {
        self.data.unlabelled()
    }

    /// The one look: every metric that the problem requires, beside the constant baseline's, and the time to score one
    /// row if the problem limits it. The ledger counts the look before the result is known.
    ///
    /// # Errors
    /// Labels other than the pipeline's, whatever predicting or a metric gives, and a ledger that cannot be written.
    pub fn evaluate_once(self, fitted: &FittedPipeline<T>, ledger: &mut Ledger) -> Result<Evaluation<T>> {
        let at = || Crumb::operation("evaluate");
        let data = self.data;
        if data.labels() != fitted.labels() {
            let target = fitted.problem().target().to_string();
            return Err(crate::Error::from(SchemaError::OtherLabels { target }).at(at()));
        }
        let holdout = data.fingerprint();
        let look = ledger.looks(holdout) + 1;
        ledger.append(Event::HoldoutLook { holdout, pipeline: fitted.fingerprint(), look })?;
        let (output, _) = fitted.predict_counted(data.features()).at(at)?;
        let constant = T::repeat(fitted.baseline(), data.rows());
        let scores = fitted
            .problem()
            .requirements()
            .map(|requirement| {
                let metric = &requirement.metric;
                Ok(Score {
                    metric: metric.name(),
                    direction: metric.direction(),
                    value: metric.score(data.target(), &output, data.weights())?,
                    // A metric that has no value for a constant answer has a baseline that nothing can beat or lose to.
                    baseline: metric.score(data.target(), &constant, data.weights()).unwrap_or(f64::NAN),
                })
            })
            .collect::<Result<Vec<_>>>()
            .at(at)?;
        let limited = !fitted.problem().guardrails().is_empty();
        let latency_p99 = if limited { Some(latency_p99(fitted, data.features()).at(at)?) } else { None };
        Ok(Evaluation {
            pipeline: fitted.fingerprint(),
            holdout,
            rows: data.rows(),
            look,
            scores,
            latency_p99,
            output,
            data,
        })
    }
}

/// What one look at a holdout gave. The rows are spent: they come with the result, for intervals, slices and drift.
#[derive(Debug)]
pub struct Evaluation<T: Task> {
    /// The pipeline evaluated.
    pub pipeline: Fingerprint,
    /// The holdout looked at.
    pub holdout: Fingerprint,
    /// Its rows.
    pub rows: usize,
    /// Which look at this holdout this was, counted from one by the ledger.
    pub look: usize,
    /// One score per requirement of the problem, the primary one first.
    pub scores: Vec<Score>,
    /// Seconds within which 99 of 100 rows were scored, one at a time, if the problem limits that.
    pub latency_p99: Option<f64>,
    /// The answers.
    pub output: T::Output,
    /// The rows.
    pub data: Dataset<T>,
}

/// A metric's value on some rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The metric's name.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
    /// The value.
    pub value: f64,
    /// The value of the constant answer learned from the training target; NaN if the metric has none for it.
    pub baseline: f64,
}

impl<T: Task> Exhibit for Evaluation<T> {
    fn exhibit(&self) -> Section {
        let columns = ["metric", "holdout", "constant baseline"].map(String::from).to_vec();
        let rows = self.scores.iter().map(|s| vec![s.metric.clone(), number(s.value), number(s.baseline)]).collect();
        let mut facts = vec![
            ("rows".to_string(), self.rows.to_string()),
            ("holdout".into(), self.holdout.short()),
            ("pipeline".into(), self.pipeline.short()),
            ("look".into(), self.look.to_string()),
        ];
        if let Some(p99) = self.latency_p99 {
            facts.push(("latency p99".into(), format!("{} ms", number(p99 * 1e3))));
        }
        let section = Section::new("Holdout").block(Block::Table { columns, rows }).block(Block::Facts(facts));
        if self.look == 1 {
            return section;
        }
        section.block(Block::Warning(format!(
            "this is look {} at the same rows: each look makes the score a little too good",
            self.look
        )))
    }
}

/// Scores up to 1,000 rows one at a time. Ten rows warm the caches first.
fn latency_p99<T: Task>(fitted: &FittedPipeline<T>, features: &Table) -> Result<f64> {
    let (rows, warm) = (features.rows().min(1000), features.rows().min(10));
    let (admitted, _) = fitted.contract().admit(features)?;
    let mut scorer = fitted.scorer();
    let mut seconds = Vec::with_capacity(rows);
    let mut cells: Vec<Cell> = Vec::new();
    for row in (0..warm).chain(0..rows) {
        cells.clear();
        admitted.row_into(row, &mut cells);
        let since = Instant::now();
        scorer.score_cells(&cells)?;
        seconds.push(since.elapsed().as_secs_f64());
    }
    seconds.drain(..warm);
    Ok(stagewise_numeric::quantile::quantile(&seconds, 0.99).unwrap_or(0.0))
}

/// The limit that a guardrail sets, and what was measured against it.
pub(crate) fn measured<T: Task>(evaluation: &Evaluation<T>, guardrail: &Guardrail) -> (String, f64, f64) {
    match guardrail {
        Guardrail::LatencyP99(limit) => {
            ("latency_p99_seconds".into(), *limit, evaluation.latency_p99.unwrap_or(f64::NAN))
        }
    }
}
