//! What was composed, and how it is fitted.

use std::sync::Arc;
use std::time::Instant;

use stagewise_numeric::random::Stream;

use super::builder::{CalibrationRows, PipelineBuilder, WantsModel};
use super::contract::InputContract;
use super::erased::{BoxCalibrate, BoxCalibrator, BoxLearner, BoxModel, BoxSampler, BoxTransform, BoxTransformer};
use super::fitted::{FittedParts, FittedPipeline, answer};
use super::report::{FitReport, StageReport};
use crate::context::FitContext;
use crate::dataset::Dataset;
use crate::error::{At, Crumb, DataError, ParameterError, PipelineError, Result};
use crate::matrix::Accepts;
use crate::problem::{Problem, check};
use crate::schema::{Field, Kind, Schema};
use crate::split::{group_folds, held_groups, stratified_folds};
use crate::stage::{Estimator, Plan};
use crate::summary::TableSummary;
use crate::target::TargetValues;
use crate::task::Task;

/// Steps and samplers, one learner, perhaps a calibrator, under a problem. Cheap to clone.
pub struct Pipeline<T: Task> {
    inner: Arc<Composition<T>>,
}

pub(super) struct Composition<T: Task> {
    pub(super) problem: Problem<T>,
    pub(super) steps: Vec<Step<T>>,
    pub(super) learner: BoxLearner<T>,
    pub(super) calibration: Option<(BoxCalibrator<T>, CalibrationRows)>,
}

pub(super) struct Step<T: Task> {
    pub(super) name: String,
    pub(super) kind: StepKind<T>,
}

pub(super) enum StepKind<T: Task> {
    Transform(BoxTransformer<T>),
    Sample(BoxSampler<T>),
}

impl<T: Task> Composition<T> {
    fn learner_crumb(&self) -> Crumb {
        Crumb::step("model", self.learner.tag())
    }
}

impl<T: Task> Step<T> {
    pub(super) fn tag(&self) -> &'static str {
        match &self.kind {
            StepKind::Transform(stage) => stage.tag(),
            StepKind::Sample(stage) => stage.tag(),
        }
    }

    fn crumb(&self) -> Crumb {
        Crumb::step(&self.name, self.tag())
    }
}

/// Learned steps and model.
struct Learned<T: Task> {
    steps: Vec<(String, BoxTransform)>,
    model: BoxModel<T>,
    /// How many rows the learner judged itself by.
    held_out: usize,
    stages: Vec<StageReport>,
}

impl<T: Task> Clone for Pipeline<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T: Task> std::fmt::Debug for Pipeline<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut list = f.debug_list();
        self.inner.steps.iter().for_each(|step| {
            list.entry(&format_args!("{}: {}", step.name, step.tag()));
        });
        list.entry(&format_args!("model: {}", self.inner.learner.tag())).finish()
    }
}

impl<T: Task> Pipeline<T> {
    /// Begins a pipeline for a problem.
    pub fn builder(problem: Problem<T>) -> PipelineBuilder<T, WantsModel> {
        PipelineBuilder::new(problem)
    }

    pub(super) fn compose(composition: Composition<T>) -> Result<Self> {
        check(&composition.problem)?;
        for (i, step) in composition.steps.iter().enumerate() {
            if composition.steps[..i].iter().any(|other| other.name == step.name) {
                return Err(PipelineError::DuplicateStep { name: step.name.clone() }.into());
            }
        }
        let check_share =
            |name, share: f64| ParameterError::check(share > 0.0 && share < 1.0, name, share, "between 0 and 1");
        match composition.calibration {
            Some((_, CalibrationRows::CrossFit(folds))) => {
                ParameterError::check(folds >= 2, "CrossFit", folds, "at least 2 folds")?;
            }
            Some((_, CalibrationRows::HeldOut(share))) => check_share("HeldOut", share)?,
            None => {}
        }
        if let Some(share) = composition.learner.holds_out() {
            check_share("holds_out", share).at(|| composition.learner_crumb())?;
        }
        Ok(Self { inner: Arc::new(composition) })
    }

    pub(super) fn parts(&self) -> &Composition<T> {
        &self.inner
    }

    /// The problem.
    pub fn problem(&self) -> &Problem<T> {
        &self.inner.problem
    }

    /// The tag of the learner.
    pub fn learner(&self) -> &'static str {
        self.inner.learner.tag()
    }

    /// Goes through the steps on paper: what reaches the learner, as far as it is known before data.
    ///
    /// # Errors
    /// Hyper-parameters out of range, selectors that do not resolve, and columns that the learner cannot take, with a
    /// remedy. [`fit`](Estimator::fit) calls this before it touches a row.
    pub fn plan(&self, input: &Schema) -> Result<Plan> {
        let mut plan = Plan::exact(input.fields().to_vec());
        for step in &self.inner.steps {
            if let StepKind::Transform(stage) = &step.kind {
                let exact = plan.exact;
                plan = stage.plan(&Schema::new(plan.fields)?).at(|| step.crumb())?;
                plan.exact &= exact;
            }
        }
        self.require_acceptable(&plan.fields)?;
        Ok(plan)
    }

    fn require_acceptable(&self, fields: &[Field]) -> Result<()> {
        let Accepts { missing, categories } = self.inner.learner.accepts();
        let refuse = |what, remedy: &str, is_refused: &dyn Fn(&Field) -> bool| {
            let columns: Vec<String> = fields.iter().filter(|f| is_refused(f)).map(|f| f.name.to_string()).collect();
            let stage = self.inner.learner.tag().to_string();
            if columns.is_empty() {
                Ok(())
            } else {
                Err(PipelineError::Refused { stage, what, columns, remedy: remedy.into() })
            }
        };
        refuse("text or timestamps", "encode or ignore them before it", &|f| {
            matches!(f.kind, Kind::Text | Kind::Timestamp)
        })?;
        refuse("categories", "add an encoder before it", &|f| f.kind == Kind::Category && !categories)?;
        refuse("missing values", "add an imputer before it", &|f| f.missing && !missing)?;
        Ok(())
    }

    fn fit_here(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedPipeline<T>> {
        if train.rows() == 0 {
            return Err(DataError::TooFewRows { what: "a fit".into(), needed: 1, found: 0 }.into());
        }
        self.plan(train.features().schema())?;
        let first_warning = cx.warning_count();
        let (learned, calibrate) = match &self.inner.calibration {
            None => (self.learn(train.clone(), cx)?, None),
            Some((calibrator, rows)) => self.learn_calibrated(train, calibrator, *rows, cx)?,
        };
        let warnings = cx.warnings_from(first_warning);
        FittedPipeline::assemble(FittedParts {
            pipeline: self.clone(),
            labels: train.labels().clone(),
            contract: InputContract::new(train.features().schema().clone()),
            steps: learned.steps,
            model: learned.model,
            calibrate,
            baseline: T::mean(train.target(), train.labels(), train.weights()),
            reference: TableSummary::of(train.features()),
            training: train.fingerprint(),
            report: FitReport { rows: train.rows(), held_out: learned.held_out, stages: learned.stages, warnings },
        })
    }

    fn learn(&self, train: Dataset<T>, cx: &FitContext) -> Result<Learned<T>> {
        let crumb = || self.inner.learner_crumb();
        let (mut train, mut held) = self.set_apart(train, cx).at(crumb)?;
        let mut steps = Vec::new();
        let mut stages = Vec::new();
        let total = self.inner.steps.len() as u64 + 1;
        let bar = cx.start("fit", Some(total));
        let mut note = |name: &str, stage: &str, rows, columns, since: Instant| {
            let seconds = since.elapsed().as_secs_f64();
            stages.push(StageReport { name: name.into(), stage: stage.into(), rows, columns, seconds });
            bar.advance(1);
        };
        for step in &self.inner.steps {
            cx.check()?;
            let since = Instant::now();
            let here = cx.step(&step.name);
            match &step.kind {
                StepKind::Transform(stage) => {
                    let (rows, input) = (train.rows(), train.features().schema().clone());
                    let (fitted, next) = stage.fit_transform(train, &here).at(|| step.crumb())?;
                    require_promise(&fitted, &input, &next, rows).at(|| step.crumb())?;
                    held = held.map(|held| as_served(&fitted, held)).transpose().at(|| step.crumb())?;
                    steps.push((step.name.clone(), fitted));
                    train = next;
                }
                StepKind::Sample(stage) => train = stage.resample(train, &here).at(|| step.crumb())?,
            }
            note(&step.name, step.tag(), train.rows(), train.features().width(), since);
        }
        cx.check()?;
        let since = Instant::now();
        self.require_acceptable(train.features().schema().fields())?;
        let (rows, columns) = (train.rows(), train.features().width());
        let held_out = held.as_ref().map_or(0, Dataset::rows);
        let mut design = train.into_design().at(crumb)?;
        if let Some(held) = held {
            design = design.judged_by(held.into_design().at(crumb)?);
        }
        let model = self.inner.learner.fit(&design, &cx.step("model")).at(crumb)?;
        note("model", self.inner.learner.tag(), rows, columns, since);
        Ok(Learned { steps, model, held_out, stages })
    }

    /// The rows to learn from, and those that the learner judges itself by.
    fn set_apart(&self, train: Dataset<T>, cx: &FitContext) -> Result<(Dataset<T>, Option<Dataset<T>>)> {
        let Some(share) = self.inner.learner.holds_out() else { return Ok((train, None)) };
        let (fit_rows, held) = held_out(&train, share, &mut cx.step("model").stream("held out"))?;
        Ok((train.take(&fit_rows), Some(train.take(&held))))
    }

    fn learn_calibrated(
        &self,
        train: &Dataset<T>,
        calibrator: &BoxCalibrator<T>,
        rows: CalibrationRows,
        cx: &FitContext,
    ) -> Result<(Learned<T>, Option<BoxCalibrate<T>>)> {
        let here = cx.step("calibrate");
        let mut stream = here.stream("rows");
        let crumb = || Crumb::step("calibrate", calibrator.tag());
        let (learned, output, judged) = match rows {
            CalibrationRows::HeldOut(share) => {
                let (fit_rows, held) = held_out(train, share, &mut stream).at(crumb)?;
                let learned = self.learn(train.take(&fit_rows), cx)?;
                let judged = train.take(&held);
                let output = answer(&learned.steps, &learned.model, None, judged.features().clone())?;
                (learned, output, judged)
            }
            CalibrationRows::CrossFit(folds) => {
                let fold_of = match train.groups() {
                    Some(groups) => group_folds(&groups, folds)?,
                    None => stratified_folds(&train.target().strata(), folds, &mut stream)?,
                };
                let mut answers: Vec<Option<T::RowOutput>> = vec![None; train.rows()];
                for fold in 0..folds {
                    let side = |inside| rows_where(&fold_of, |f| (f as usize == fold) == inside);
                    let (fit_rows, judged) = (side(false), side(true));
                    let inner = here.fold(fold);
                    let learned = self.learn(train.take(&fit_rows), &inner).at(|| Crumb::Fold(fold))?;
                    cx.absorb(&inner);
                    let features = train.features().take(&judged);
                    let output = answer(&learned.steps, &learned.model, None, features)?;
                    judged.iter().enumerate().for_each(|(i, &row)| answers[row] = Some(T::row(&output, i)));
                }
                let output = T::collect(answers.into_iter().flatten().collect());
                (self.learn(train.clone(), cx)?, output, train.clone())
            }
        };
        let fitted = calibrator.fit(&output, judged.target(), judged.weights(), &here).at(crumb)?;
        Ok((learned, Some(fitted)))
    }
}

impl<T: Task> Estimator<T> for Pipeline<T> {
    type Fitted = FittedPipeline<T>;

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedPipeline<T>> {
        cx.install(|| self.fit_here(train, cx)).at(|| Crumb::operation("fit"))
    }
}

fn rows_where(fold_of: &[u32], keep: impl Fn(u32) -> bool) -> Vec<usize> {
    (0..fold_of.len()).filter(|&row| keep(fold_of[row])).collect()
}

/// The rows to learn from and the rows held out, of each stratum its share, or where there are groups a share of these;
/// both sides have a row.
fn held_out<T: Task>(train: &Dataset<T>, share: f64, stream: &mut Stream) -> Result<(Vec<usize>, Vec<usize>)> {
    if let Some(groups) = train.groups() {
        let is_held = held_groups(&groups, share, stream)?;
        return Ok((0..train.rows()).partition(|&row| !is_held[row]));
    }
    let rows = train.rows();
    if rows < 2 {
        return Err(DataError::TooFewRows { what: "holding rows out".into(), needed: 2, found: rows }.into());
    }
    // With as many folds as rows, the fold of a row is its place, and every stratum is a run of places: taking them at
    // an even pace takes its share of each.
    let place_of = stratified_folds(&train.target().strata(), rows, stream)?;
    let held = ((share * rows as f64).round() as u64).clamp(1, rows as u64 - 1);
    let reached = |place: u64| place * held / rows as u64;
    let is_held = |place: u32| reached(u64::from(place) + 1) > reached(u64::from(place));
    Ok((rows_where(&place_of, |place| !is_held(place)), rows_where(&place_of, is_held)))
}

/// Rows that a step has not learned from, changed like rows at serving.
fn as_served<T: Task>(fitted: &BoxTransform, held: Dataset<T>) -> Result<Dataset<T>> {
    let (rows, input) = (held.rows(), held.features().schema().clone());
    let held = held.map_features(|features| fitted.transform(features))?;
    require_promise(fitted, &input, &held, rows)?;
    Ok(held)
}

/// Rows in are rows out, and the columns are those declared, on both sides.
fn require_promise<T: Task>(fitted: &BoxTransform, input: &Schema, given: &Dataset<T>, rows: usize) -> Result<()> {
    let same = |declared: &Schema, found: &Schema| {
        declared.len() == found.len()
            && declared.fields().iter().zip(found.fields()).all(|(d, f)| d.name == f.name && d.kind == f.kind)
    };
    let found = given.features().schema();
    if given.rows() == rows && same(fitted.output(), found) && same(fitted.input(), input) {
        return Ok(());
    }
    let text = |rows, from: &Schema, to: &Schema| format!("{rows} rows, {:?} to {:?}", from.names(), to.names());
    Err(PipelineError::BrokenPromise {
        declared: text(rows, fitted.input(), fitted.output()),
        found: text(given.rows(), input, found),
    }
    .into())
}
