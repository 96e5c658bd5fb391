//! The gate between evaluation and deployment. Only the gate can make an [`Approved`], and deploying needs one.

use serde::{Deserialize, Serialize};

use crate::error::{GateError, Result};
use crate::exhibit::{Block, Exhibit, Section, number};
use crate::fingerprint::Fingerprint;
use crate::holdout::{Evaluation, measured};
use crate::ledger::{Event, Ledger};
use crate::pipeline::FittedPipeline;
use crate::task::Task;

/// Checks an evaluation against the problem's requirements.
#[derive(Debug, Clone, Copy)]
pub struct Gate;

impl Gate {
    /// Checks every requirement and every guardrail, and writes the outcome down.
    ///
    /// # Errors
    /// [`GateError::NoRequirement`] if the problem states nothing to check, [`GateError::WrongPipeline`] if another
    /// pipeline was evaluated, and a ledger that cannot be written. A requirement that is not met is no error here: see
    /// [`GateReport::approve`].
    pub fn check<T: Task>(
        fitted: &FittedPipeline<T>,
        evaluation: &Evaluation<T>,
        ledger: &mut Ledger,
    ) -> Result<GateReport> {
        if fitted.fingerprint() != evaluation.pipeline {
            let (approved, found) = (evaluation.pipeline.short(), fitted.fingerprint().short());
            return Err(GateError::WrongPipeline { approved, found }.into());
        }
        let problem = fitted.problem();
        let of_metrics = problem.requirements().zip(&evaluation.scores).map(|(requirement, score)| Check {
            what: score.metric.clone(),
            bound: requirement.bound.to_string(),
            value: score.value,
            baseline: Some(score.baseline).filter(|b| b.is_finite()),
            passed: requirement.bound.holds(score.value, score.baseline, score.direction),
        });
        let of_guardrails = problem.guardrails().iter().map(|guardrail| {
            let (what, limit, value) = measured(evaluation, guardrail);
            Check { what, bound: format!("at most {limit}"), value, baseline: None, passed: value <= limit }
        });
        let checks: Vec<Check> = of_metrics.chain(of_guardrails).collect();
        if checks.is_empty() {
            return Err(GateError::NoRequirement.into());
        }
        let report = GateReport { pipeline: evaluation.pipeline, holdout: evaluation.holdout, checks };
        let event = Event::Gate {
            pipeline: report.pipeline,
            holdout: report.holdout,
            passed: report.passed(),
            checks: report.checks.clone(),
        };
        ledger.append(event)?;
        Ok(report)
    }
}

/// What the gate found.
#[derive(Debug, Clone, PartialEq)]
pub struct GateReport {
    pipeline: Fingerprint,
    holdout: Fingerprint,
    checks: Vec<Check>,
}

/// One requirement and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The metric or guardrail.
    pub what: String,
    /// The bound in words.
    pub bound: String,
    /// The value measured.
    #[serde(deserialize_with = "nan_if_null")]
    pub value: f64,
    /// The constant baseline's value of a metric.
    pub baseline: Option<f64>,
    /// Whether the value keeps to the bound.
    pub passed: bool,
}

/// JSON has no NaN and writes `null`.
fn nan_if_null<'de, D: serde::Deserializer<'de>>(value: D) -> std::result::Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(value)?.unwrap_or(f64::NAN))
}

impl GateReport {
    /// Whether every requirement is met.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }

    /// Every requirement and what was measured.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The approval that deploying needs.
    ///
    /// # Errors
    /// [`GateError::Refused`] naming every requirement that is not met.
    pub fn approve(self) -> Result<Approved> {
        if self.passed() {
            return Ok(Approved { pipeline: self.pipeline, holdout: self.holdout, checks: self.checks });
        }
        let failed = self
            .checks
            .iter()
            .filter(|check| !check.passed)
            .map(|check| format!("{} is {}, must be {}", check.what, number(check.value), check.bound))
            .collect();
        Err(GateError::Refused { failed }.into())
    }
}

impl Exhibit for GateReport {
    fn exhibit(&self) -> Section {
        let columns = ["requirement", "bound", "value", "baseline", ""].map(String::from).to_vec();
        let rows = self
            .checks
            .iter()
            .map(|check| {
                vec![
                    check.what.clone(),
                    check.bound.clone(),
                    number(check.value),
                    check.baseline.map(number).unwrap_or_default(),
                    if check.passed { "met" } else { "not met" }.into(),
                ]
            })
            .collect();
        let verdict = if self.passed() { "Approved." } else { "Refused: not every requirement is met." };
        Section::new("Gate").text(verdict).block(Block::Table { columns, rows })
    }
}

/// The gate's word that a pipeline met its problem's requirements. There is no way to make one but
/// [`GateReport::approve`], and it is used up by deploying.
#[derive(Debug, Serialize)]
pub struct Approved {
    pipeline: Fingerprint,
    holdout: Fingerprint,
    checks: Vec<Check>,
}

impl Approved {
    /// The pipeline approved.
    pub fn pipeline(&self) -> Fingerprint {
        self.pipeline
    }

    /// The holdout that it was evaluated on.
    pub fn holdout(&self) -> Fingerprint {
        self.holdout
    }

    /// The evidence.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }
}
