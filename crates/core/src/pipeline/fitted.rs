//! A fitted pipeline: what serves, explains, is saved and can be fitted again.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::builder::CalibrationRows;
use super::contract::{Admission, InputContract};
use super::erased::{BoxCalibrate, BoxModel, BoxTransform};
use super::report::FitReport;
use super::scorer::Scorer;
use super::spec::{Composition, Pipeline, Step, StepKind};
use crate::dataset::Dataset;
use crate::error::{At, Crumb, PersistError, PipelineError, Result};
use crate::fingerprint::{Fingerprint, Hasher};
use crate::matrix::Features;
use crate::persist::{Persist, Saved, decode, encode, require_task};
use crate::problem::{Problem, SavedProblem};
use crate::registry::Registry;
use crate::schema::Schema;
use crate::stage::Predictor;
use crate::summary::TableSummary;
use crate::table::Table;
use crate::task::{Answer, Task};

/// Learned steps, model and correction behind an input contract. Cheap to clone; nothing in it changes.
pub struct FittedPipeline<T: Task> {
    inner: Arc<Inner<T>>,
}

struct Inner<T: Task> {
    parts: FittedParts<T>,
    /// The columns that reach the model.
    features: Arc<Schema>,
    /// As saved at fit, kept as read at load: an artifact of an older version keeps its bytes and its fingerprint.
    sections: Vec<SavedSection>,
    fingerprint: Fingerprint,
}

/// What a fitted pipeline is made of.
pub(super) struct FittedParts<T: Task> {
    pub(super) pipeline: Pipeline<T>,
    pub(super) labels: T::Labels,
    pub(super) contract: InputContract,
    pub(super) steps: Vec<(String, BoxTransform)>,
    pub(super) model: BoxModel<T>,
    pub(super) calibrate: Option<BoxCalibrate<T>>,
    pub(super) baseline: T::RowOutput,
    pub(super) reference: TableSummary,
    pub(super) training: Fingerprint,
    pub(super) report: FitReport,
}

impl<T: Task> Clone for FittedPipeline<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T: Task> std::fmt::Debug for FittedPipeline<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FittedPipeline")
            .field("pipeline", &self.inner.parts.pipeline)
            .field("fingerprint", &self.inner.fingerprint)
            .finish()
    }
}

impl<T: Task> FittedPipeline<T> {
    pub(super) fn assemble(parts: FittedParts<T>) -> Result<Self> {
        let sections = sections(&parts)?;
        Ok(Self::with_sections(parts, sections))
    }

    fn with_sections(parts: FittedParts<T>, sections: Vec<SavedSection>) -> Self {
        let features = parts.steps.last().map_or(parts.contract.schema(), |(_, step)| step.output()).clone();
        let fingerprint = fingerprint(&sections);
        Self { inner: Arc::new(Inner { parts, features, sections, fingerprint }) }
    }

    /// The spec, to fit again.
    pub fn pipeline(&self) -> &Pipeline<T> {
        &self.inner.parts.pipeline
    }

    /// The problem.
    pub fn problem(&self) -> &Problem<T> {
        self.pipeline().problem()
    }

    /// What the truth's values are called.
    pub fn labels(&self) -> &T::Labels {
        &self.inner.parts.labels
    }

    /// The door.
    pub fn contract(&self) -> &InputContract {
        &self.inner.parts.contract
    }

    /// The columns that reach the model, each with the raw columns it came from.
    pub fn features(&self) -> &Arc<Schema> {
        &self.inner.features
    }

    /// The answer of a model that knows no features: the weighted mean of the training target.
    pub fn baseline(&self) -> &T::RowOutput {
        &self.inner.parts.baseline
    }

    /// The training rows' columns in summary: what current rows are compared with.
    pub fn reference(&self) -> &TableSummary {
        &self.inner.parts.reference
    }

    /// The fingerprint of the training rows.
    pub fn training(&self) -> Fingerprint {
        self.inner.parts.training
    }

    /// How the fit went.
    pub fn report(&self) -> &FitReport {
        &self.inner.parts.report
    }

    /// The fingerprint of everything learned and of the spec: equal fits have equal fingerprints.
    pub fn fingerprint(&self) -> Fingerprint {
        self.inner.fingerprint
    }

    /// The answers of raw rows, and what was counted at the door and by decisions about values.
    ///
    /// # Errors
    /// Columns that are not there or cannot be cast, and whatever a stage gives.
    pub fn predict_counted(&self, table: &Table) -> Result<(T::Output, Admission)> {
        let at = || Crumb::operation("predict");
        let (admitted, mut admission) = self.contract().admit(table).at(at)?;
        let parts = &self.inner.parts;
        let table = transform(&parts.steps, admitted, Some(&mut admission)).at(at)?;
        let output = modelled(&parts.model, parts.calibrate.as_ref(), table).at(at)?;
        Ok((output, admission))
    }

    /// Raw rows as they reach the model.
    ///
    /// # Errors
    /// As [`predict_counted`](Self::predict_counted).
    pub fn transform(&self, table: &Table) -> Result<Table> {
        let (admitted, _) = self.contract().admit(table).at(|| Crumb::operation("transform"))?;
        transform(&self.inner.parts.steps, admitted, None).at(|| Crumb::operation("transform"))
    }

    /// A data set of new rows under this pipeline's problem and labels.
    ///
    /// # Errors
    /// As [`Dataset::labelled`].
    pub fn dataset(&self, table: Table) -> Result<Dataset<T>> {
        Dataset::labelled(table, self.problem(), self.labels())
    }

    /// Scores single rows, with buffers that are used again.
    pub fn scorer(&self) -> Scorer<T> {
        Scorer::new(self.clone())
    }

    /// An answer in words.
    pub fn describe(&self, answer: &T::RowOutput) -> Answer {
        T::answer(answer, self.labels())
    }

    pub(super) fn steps(&self) -> &[(String, BoxTransform)] {
        &self.inner.parts.steps
    }

    pub(super) fn model(&self) -> &BoxModel<T> {
        &self.inner.parts.model
    }

    pub(super) fn calibrate(&self) -> Option<&BoxCalibrate<T>> {
        self.inner.parts.calibrate.as_ref()
    }

    /// The learned model as its own type: to explain, export or go on from it.
    ///
    /// # Errors
    /// [`PersistError::UnknownTag`](crate::error::PersistError) if it is a model of another type.
    pub fn model_as<M: Persist>(&self) -> Result<M> {
        self.save().section("model")?.load()
    }

    /// A learned step as its own type: to see what it learned.
    ///
    /// # Errors
    /// [`PipelineError::UnknownStep`] if no step has that name, samplers included, which learn nothing;
    /// [`PersistError::UnknownTag`] if it is a step of another type.
    pub fn step_as<F: Persist>(&self, name: &str) -> Result<F> {
        let section = format!("step/{name}");
        match self.inner.sections.iter().find(|s| s.name == section) {
            Some(section) => section.saved.load(),
            None => {
                let known = self.steps().iter().map(|(name, _)| name.clone()).collect();
                Err(PipelineError::UnknownStep { name: name.into(), known }.into())
            }
        }
    }

    /// Everything as named sections.
    pub fn save(&self) -> SavedPipeline {
        SavedPipeline { task: T::NAME.into(), sections: self.inner.sections.clone() }
    }

    /// The pipeline that was saved. The registry must know every stage in it, and nothing else is needed.
    ///
    /// # Errors
    /// [`PersistError`].
    pub fn load(saved: &SavedPipeline, registry: &Registry) -> Result<Self> {
        require_task::<T>(&saved.task)?;
        let value = |name: &str| saved.section(name);
        let header: Header = plain(value("header")?)?;
        let problem = Problem::load(&value("problem")?.load::<SavedProblem>()?, registry)?;
        let steps = header
            .steps
            .iter()
            .map(|(name, is_sampler)| {
                let spec = value(&format!("spec/{name}"))?;
                let kind = if *is_sampler {
                    StepKind::Sample(registry.load_sampler(spec)?)
                } else {
                    StepKind::Transform(registry.load_transformer(spec)?)
                };
                Ok(Step { name: name.clone(), kind })
            })
            .collect::<Result<Vec<_>>>()?;
        let fitted = header
            .steps
            .iter()
            .filter(|(_, is_sampler)| !is_sampler)
            .map(|(name, _)| Ok((name.clone(), registry.load_transform(value(&format!("step/{name}"))?)?)))
            .collect::<Result<Vec<_>>>()?;
        let calibration = match header.calibration {
            None => None,
            Some(rows) => Some((registry.load_calibrator(value("spec.calibrator")?)?, rows)),
        };
        let calibrate = match header.calibration {
            None => None,
            Some(_) => Some(registry.load_calibrate(value("calibrator")?)?),
        };
        let learner = registry.load_learner(value("spec.model")?)?;
        let parts = FittedParts {
            pipeline: Pipeline::compose(Composition { problem, steps, learner, calibration })?,
            labels: plain(value("labels")?)?,
            contract: plain(value("contract")?)?,
            steps: fitted,
            model: registry.load_model(value("model")?)?,
            calibrate,
            baseline: plain(value("baseline")?)?,
            reference: plain(value("reference")?)?,
            training: header.training,
            report: plain(value("report")?)?,
        };
        Ok(Self::with_sections(parts, saved.sections.clone()))
    }
}

impl<T: Task> Predictor<T> for FittedPipeline<T> {
    fn predict(&self, table: &Table) -> Result<T::Output> {
        self.predict_counted(table).map(|(output, _)| output)
    }
}

/// A fitted pipeline as named sections, in file order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPipeline {
    /// The task's name.
    pub task: String,
    /// The sections.
    pub sections: Vec<SavedSection>,
}

/// One section of a saved pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSection {
    /// `header`, `problem`, `spec/<step>`, `step/<step>`, `spec.model`, `model`, …
    pub name: String,
    /// The value.
    pub saved: Saved,
}

impl SavedPipeline {
    /// A section by name.
    ///
    /// # Errors
    /// [`PersistError::Damaged`] if it is not there.
    pub fn section(&self, name: &str) -> Result<&Saved> {
        match self.sections.iter().find(|s| s.name == name) {
            Some(section) => Ok(&section.saved),
            None => Err(PersistError::Damaged { part: format!("section `{name}`") }.into()),
        }
    }
}

/// What holds the sections together.
#[derive(Serialize, Deserialize)]
struct Header {
    /// Names in order, and whether each is a sampler.
    steps: Vec<(String, bool)>,
    calibration: Option<CalibrationRows>,
    training: Fingerprint,
}

const PLAIN: &str = "plain";

fn sections<T: Task>(parts: &FittedParts<T>) -> Result<Vec<SavedSection>> {
    let mut sections = Vec::new();
    let mut put = |name: String, saved: Saved| sections.push(SavedSection { name, saved });
    let Composition { problem, steps, learner, calibration } = parts.pipeline.parts();
    let header = Header {
        steps: steps.iter().map(|s| (s.name.clone(), matches!(s.kind, StepKind::Sample(_)))).collect(),
        calibration: calibration.as_ref().map(|(_, rows)| *rows),
        training: parts.training,
    };
    put("header".into(), plain_saved("header", &header)?);
    put("problem".into(), Saved::of(&problem.save()?)?);
    put("labels".into(), plain_saved("labels", &parts.labels)?);
    put("contract".into(), plain_saved("contract", &parts.contract)?);
    for step in steps {
        let saved = match &step.kind {
            StepKind::Transform(stage) => stage.save()?,
            StepKind::Sample(stage) => stage.save()?,
        };
        put(format!("spec/{}", step.name), saved);
    }
    for (name, step) in &parts.steps {
        put(format!("step/{name}"), step.save()?);
    }
    put("spec.model".into(), learner.save()?);
    put("model".into(), parts.model.save()?);
    if let Some((calibrator, _)) = calibration {
        put("spec.calibrator".into(), calibrator.save()?);
    }
    if let Some(calibrate) = &parts.calibrate {
        put("calibrator".into(), calibrate.save()?);
    }
    put("baseline".into(), plain_saved("baseline", &parts.baseline)?);
    put("reference".into(), plain_saved("reference", &parts.reference)?);
    put("report".into(), plain_saved("report", &parts.report)?);
    Ok(sections)
}

fn plain_saved(part: &str, value: &impl Serialize) -> Result<Saved> {
    Ok(Saved { tag: PLAIN.into(), version: 1, bytes: encode(part, value)? })
}

fn plain<V: DeserializeOwned>(saved: &Saved) -> Result<V> {
    if (saved.tag.as_str(), saved.version) != (PLAIN, 1) {
        return Err(PersistError::Version { tag: saved.tag.clone(), found: saved.version, supported: 1 }.into());
    }
    decode(PLAIN, &saved.bytes)
}

fn fingerprint(sections: &[SavedSection]) -> Fingerprint {
    let mut hasher = Hasher::new();
    for SavedSection { name, saved } in sections {
        hasher.bytes(name.as_bytes());
        hasher.bytes(saved.tag.as_bytes());
        hasher.word(u64::from(saved.version));
        hasher.bytes(&saved.bytes);
    }
    hasher.finish()
}

/// Admitted rows through the steps; what meets a decision is counted on the way.
fn transform(
    steps: &[(String, BoxTransform)],
    mut table: Table,
    mut admission: Option<&mut Admission>,
) -> Result<Table> {
    for (name, step) in steps {
        let crumb = || Crumb::step(name, step.tag());
        if let (true, Some(admission)) = (step.decides(), admission.as_deref_mut()) {
            let counts = step.decided(&table).at(crumb)?;
            counts.iter().for_each(|c| admission.decide(&c.column, &c.value, c.rows));
        }
        table = step.transform(table).at(crumb)?;
    }
    Ok(table)
}

/// Admitted rows through steps, model and correction.
pub(super) fn answer<T: Task>(
    steps: &[(String, BoxTransform)],
    model: &BoxModel<T>,
    calibrate: Option<&BoxCalibrate<T>>,
    table: Table,
) -> Result<T::Output> {
    modelled(model, calibrate, transform(steps, table, None)?)
}

/// Rows that the steps have changed through model and correction.
fn modelled<T: Task>(model: &BoxModel<T>, calibrate: Option<&BoxCalibrate<T>>, table: Table) -> Result<T::Output> {
    let crumb = || Crumb::step("model", model.tag());
    let features = Features::new(table).at(crumb)?;
    let output = model.predict(&features).at(crumb)?;
    match calibrate {
        None => Ok(output),
        Some(calibrate) => calibrate.calibrate(output).at(|| Crumb::step("calibrate", calibrate.tag())),
    }
}
