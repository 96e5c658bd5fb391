//! The law of composition, with the smallest stages there can be.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::Result;
use stagewise_core::column::Column;
use stagewise_core::context::{Cancel, FitContext};
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ErrorKind, PersistError, PipelineError};
use stagewise_core::exhibit::{Block, Exhibit};
use stagewise_core::matrix::{Accepts, Design, Features};
use stagewise_core::persist::{Persist, Saved};
use stagewise_core::pipeline::{CalibrationRows, FittedPipeline, Pipeline};
use stagewise_core::problem::Problem;
use stagewise_core::record::{Cell, RawCell};
use stagewise_core::registry::Registry;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::stage::{
    Calibrate, Calibrator, Estimator, Learner, Plan, Predict, Predictor, Sampler, Transform, Transformer,
};
use stagewise_core::table::Table;
use stagewise_core::task::{Regression, Task};

/// Shifts every number by its mean over the training rows; may break its promises on demand.
#[derive(Clone, Serialize, Deserialize)]
struct Centre {
    renames: bool,
    drops_a_row: bool,
}

#[derive(Serialize, Deserialize)]
struct FittedCentre {
    input: Arc<Schema>,
    output: Arc<Schema>,
    means: Vec<f64>,
    drops_a_row: bool,
}

const CENTRE: Centre = Centre { renames: false, drops_a_row: false };

impl Persist for Centre {
    const TAG: &'static str = "Centre";
}
impl Persist for FittedCentre {
    const TAG: &'static str = "FittedCentre";
}

impl<T: Task> Transformer<T> for Centre {
    type Fitted = FittedCentre;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(Plan::exact(input.fields().to_vec()))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedCentre> {
        cx.warn("centred");
        let input = train.features().schema().clone();
        let mean = |c: &Column| Ok(c.as_numbers()?.iter().sum::<f64>() / c.len() as f64);
        let means = train.features().columns().iter().map(mean).collect::<Result<_>>()?;
        let named = |f: &Field| if self.renames { Field::new(format!("{}!", f.name), Kind::Number) } else { f.clone() };
        let output = Arc::new(Schema::new(input.fields().iter().map(named).collect())?);
        Ok(FittedCentre { input, output, means, drops_a_row: self.drops_a_row })
    }
}

impl Transform for FittedCentre {
    fn input(&self) -> &Arc<Schema> {
        &self.input
    }

    fn output(&self) -> &Arc<Schema> {
        &self.output
    }

    fn transform(&self, features: Table) -> Result<Table> {
        let rows = features.rows() - usize::from(self.drops_a_row);
        // The names are kept even where others were declared.
        let kept = features.take(&(0..rows).collect::<Vec<_>>());
        let (schema, mut columns) = kept.into_parts();
        for (column, mean) in columns.iter_mut().zip(&self.means) {
            column.make_numbers()?.iter_mut().for_each(|x| *x -= mean);
        }
        Table::new(schema, columns)
    }

    fn transform_row(&self, row: &[Cell], out: &mut Vec<Cell>) -> Result<()> {
        out.extend(row.iter().zip(&self.means).map(|(cell, mean)| match cell {
            Cell::Number(x) => Cell::number(x - mean),
            other => other.clone(),
        }));
        Ok(())
    }
}

/// Takes every second row.
#[derive(Clone, Serialize, Deserialize)]
struct EverySecond;

impl Persist for EverySecond {
    const TAG: &'static str = "EverySecond";
}

impl<T: Task> Sampler<T> for EverySecond {
    fn resample(&self, train: Dataset<T>, _: &FitContext) -> Result<Dataset<T>> {
        Ok(train.take(&(0..train.rows()).step_by(2).collect::<Vec<_>>()))
    }
}

/// Answers `rows learned from + sum of the features`.
#[derive(Clone, Serialize, Deserialize)]
struct RowSum;

#[derive(Serialize, Deserialize)]
struct RowSumModel {
    rows: f64,
}

impl Persist for RowSum {
    const TAG: &'static str = "RowSum";
}
impl Persist for RowSumModel {
    const TAG: &'static str = "RowSumModel";
}

impl Learner<Regression> for RowSum {
    type Model = RowSumModel;

    fn accepts(&self) -> Accepts {
        Accepts::default()
    }

    fn fit(&self, train: &Design<Regression>, _: &FitContext) -> Result<RowSumModel> {
        Ok(RowSumModel { rows: train.features.rows() as f64 })
    }
}

impl Predict<Regression> for RowSumModel {
    fn predict(&self, features: &Features) -> Result<ndarray::Array1<f64>> {
        features.matrix().rows().into_iter().map(|row| self.predict_row(&row.to_vec())).collect()
    }

    fn predict_row(&self, row: &[f64]) -> Result<f64> {
        Ok(self.rows + row.iter().sum::<f64>())
    }
}

/// Adds the mean error.
#[derive(Clone, Serialize, Deserialize)]
struct Unbias;

#[derive(Serialize, Deserialize)]
struct FittedUnbias {
    shift: f64,
}

impl Persist for Unbias {
    const TAG: &'static str = "Unbias";
}
impl Persist for FittedUnbias {
    const TAG: &'static str = "FittedUnbias";
}

impl Calibrator<Regression> for Unbias {
    type Fitted = FittedUnbias;

    fn fit(
        &self,
        output: &ndarray::Array1<f64>,
        truth: &stagewise_core::target::NumberTarget,
        _: Option<&[f64]>,
        _: &FitContext,
    ) -> Result<FittedUnbias> {
        let errors = truth.values().iter().zip(output).map(|(t, o)| t - o);
        Ok(FittedUnbias { shift: errors.sum::<f64>() / output.len() as f64 })
    }
}

impl Calibrate<Regression> for FittedUnbias {
    fn calibrate(&self, output: ndarray::Array1<f64>) -> Result<ndarray::Array1<f64>> {
        Ok(output.mapv(|x| x + self.shift))
    }

    fn calibrate_row(&self, answer: f64) -> Result<f64> {
        Ok(answer + self.shift)
    }
}

/// Learns by heart what it was given, and answers nothing.
#[derive(Clone, Serialize, Deserialize)]
struct Witness {
    holds_out: Option<f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Testimony {
    train: Rows,
    validation: Option<Rows>,
}

/// The matrix row by row, the truth, and the weights.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Rows {
    matrix: Vec<f64>,
    truth: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl Persist for Witness {
    const TAG: &'static str = "Witness";
}
impl Persist for Testimony {
    const TAG: &'static str = "Testimony";
}

impl Learner<Regression> for Witness {
    type Model = Testimony;

    fn holds_out(&self) -> Option<f64> {
        self.holds_out
    }

    fn fit(&self, train: &Design<Regression>, _: &FitContext) -> Result<Testimony> {
        let rows = |of: &Design<Regression>| Rows {
            matrix: of.features.matrix().iter().copied().collect(),
            truth: of.target.values().to_vec(),
            weights: of.weights().map(<[f64]>::to_vec),
        };
        assert!(train.validation.as_ref().is_none_or(|v| v.validation.is_none()));
        Ok(Testimony { train: rows(train), validation: train.validation.as_deref().map(rows) })
    }
}

impl Predict<Regression> for Testimony {
    fn predict(&self, features: &Features) -> Result<ndarray::Array1<f64>> {
        Ok(ndarray::Array1::zeros(features.rows()))
    }

    fn predict_row(&self, _: &[f64]) -> Result<f64> {
        Ok(0.0)
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry
        .transformer::<Centre>()
        .sampler::<Regression, EverySecond>()
        .learner::<Regression, RowSum>()
        .calibrator::<Regression, Unbias>();
    registry
}

fn problem() -> Problem<Regression> {
    Problem::new("y")
}

fn data(rows: usize) -> Dataset<Regression> {
    let table = Table::of([
        ("a", Column::numbers((0..rows).map(|i| i as f64).collect::<Vec<_>>())),
        ("b", Column::numbers((0..rows).map(|i| (i % 3) as f64).collect::<Vec<_>>())),
        ("y", Column::numbers((0..rows).map(|i| 100.0 + i as f64).collect::<Vec<_>>())),
    ])
    .unwrap();
    Dataset::new(table, &problem()).unwrap()
}

#[test]
fn steps_samplers_model_and_calibrator_run_in_order_and_come_back_from_bytes() {
    for rows in [None, Some(CalibrationRows::CrossFit(4)), Some(CalibrationRows::HeldOut(0.25))] {
        let builder = Pipeline::builder(problem()).step("centre", CENTRE).sample("second", EverySecond).model(RowSum);
        let pipeline = match rows {
            None => builder.build().unwrap(),
            Some(rows) => builder.calibrate(Unbias, rows).build().unwrap(),
        };
        let data = data(40);
        let fitted = pipeline.fit(&data, &FitContext::new(1)).unwrap();
        let answers = fitted.predict(data.features()).unwrap();
        if rows.is_none() {
            // 20 rows learned from; the means are 19.5 and 39 / 40.
            assert!((answers[0] - (20.0 - 19.5 - 39.0 / 40.0)).abs() < 1e-12);
        } else {
            let mean_error = answers.iter().zip(data.target().values()).map(|(a, y)| a - y).sum::<f64>() / 40.0;
            assert!(mean_error.abs() < 8.0, "{rows:?}: {mean_error}");
        }
        let mut scorer = fitted.scorer();
        let first = scorer.score(&[("b", RawCell::Number(0.0)), ("a", RawCell::Number(0.0))]).unwrap();
        assert_eq!(first.to_bits(), answers[0].to_bits());

        let saved = fitted.save();
        let loaded = FittedPipeline::<Regression>::load(&saved, &registry()).unwrap();
        assert_eq!(loaded.predict(data.features()).unwrap(), answers);
        assert_eq!(loaded.fingerprint(), fitted.fingerprint());
        assert_eq!(loaded.pipeline().fit(&data, &FitContext::new(1)).unwrap().fingerprint(), fitted.fingerprint());
        let warnings: Vec<_> = fitted.report().warnings.iter().map(ToString::to_string).collect();
        assert!(warnings.contains(&"centre: centred".to_string()), "{warnings:?}");
    }
}

#[test]
fn a_stage_that_breaks_its_promise_is_named() {
    for centre in [Centre { renames: true, ..CENTRE }, Centre { drops_a_row: true, ..CENTRE }] {
        let pipeline = Pipeline::builder(problem()).step("centre", centre).model(RowSum).build().unwrap();
        let error = pipeline.fit(&data(10), &FitContext::new(1)).unwrap_err();
        assert!(error.to_string().starts_with("fit › step `centre` (Centre): "), "{error}");
    }
}

#[test]
fn what_the_learner_cannot_take_is_refused_before_any_row_is_touched() {
    let table = Table::of([
        ("a", Column::numbers([1.0, f64::NAN])),
        ("c", Column::categories([Some("x"), None])),
        ("y", Column::numbers([1.0, 2.0])),
    ])
    .unwrap();
    let data = Dataset::new(table, &problem()).unwrap();
    let pipeline = Pipeline::builder(problem()).model(RowSum).build().unwrap();
    let error = pipeline.fit(&data, &FitContext::new(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "fit: RowSum takes no categories, which would reach it in `c`; add an encoder before it"
    );
    let only_missing = data.map_features(|t| t.select(&[0])).unwrap();
    let error = pipeline.fit(&only_missing, &FitContext::new(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "fit: RowSum takes no missing values, which would reach it in `a`; add an imputer before it"
    );
}

#[test]
fn two_steps_of_one_name_and_bad_calibration_rows_do_not_build() {
    let error = Pipeline::builder(problem()).step("a", CENTRE).step("a", CENTRE).model(RowSum).build().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Pipeline(PipelineError::DuplicateStep { .. })));
    for rows in [CalibrationRows::CrossFit(1), CalibrationRows::HeldOut(0.0), CalibrationRows::HeldOut(f64::NAN)] {
        assert!(Pipeline::builder(problem()).model(RowSum).calibrate(Unbias, rows).build().is_err());
    }
}

#[test]
fn a_cancelled_fit_stops() {
    let cancel = Cancel::new();
    cancel.raise();
    let pipeline = Pipeline::builder(problem()).step("centre", CENTRE).model(RowSum).build().unwrap();
    let error = pipeline.fit(&data(10), &FitContext::new(1).cancel(cancel)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cancelled));
}

#[test]
fn an_unknown_stage_and_a_lost_section_are_named() {
    let pipeline = Pipeline::builder(problem()).step("centre", CENTRE).model(RowSum).build().unwrap();
    let mut saved = pipeline.fit(&data(10), &FitContext::new(1)).unwrap().save();
    let error = FittedPipeline::<Regression>::load(&saved, &Registry::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Persist(PersistError::UnknownTag { .. })), "{error}");
    saved.sections.retain(|s| s.name != "model");
    let error = FittedPipeline::<Regression>::load(&saved, &registry()).unwrap_err();
    assert!(error.to_string().starts_with("section `model` is damaged"), "{error}");
}

#[test]
fn one_tag_for_two_types_is_reported() {
    #[derive(Clone, Serialize, Deserialize)]
    struct Impostor;
    impl Persist for Impostor {
        const TAG: &'static str = "EverySecond";
    }
    impl Sampler<Regression> for Impostor {
        fn resample(&self, train: Dataset<Regression>, _: &FitContext) -> Result<Dataset<Regression>> {
            Ok(train)
        }
    }
    let mut registry = registry();
    registry.sampler::<Regression, EverySecond>();
    assert!(registry.check().is_ok(), "the same type twice is no clash");
    registry.sampler::<Regression, Impostor>();
    assert!(matches!(registry.check().unwrap_err().kind(), ErrorKind::Persist(PersistError::DuplicateTag { .. })));
}

fn witnessed(holds_out: Option<f64>) -> Pipeline<Regression> {
    let builder = Pipeline::builder(problem()).step("centre", CENTRE).sample("second", EverySecond);
    builder.model(Witness { holds_out }).build().unwrap()
}

fn testimony(fitted: &FittedPipeline<Regression>) -> Testimony {
    fitted.save().section("model").unwrap().load().unwrap()
}

/// The rows of `data(_)` with these truths.
fn rows_of(truth: &[f64]) -> Vec<usize> {
    truth.iter().map(|y| (y - 100.0) as usize).collect()
}

#[test]
fn no_step_and_no_sampler_sees_the_rows_that_the_learner_judges_itself_by() {
    let data = data(40).reweighted((0..40).map(|i| 1.0 + f64::from(i % 4)).collect()).unwrap();
    let pipeline = witnessed(Some(0.25));
    let fitted = pipeline.fit(&data, &FitContext::new(1)).unwrap();
    let Testimony { train, validation } = testimony(&fitted);
    let validation = validation.unwrap();

    // A quarter of the rows, one of every tenth of the target, and no sampler halves them.
    let held = rows_of(&validation.truth);
    assert_eq!(held.iter().map(|row| row / 4).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    let rest: Vec<usize> = (0..40).filter(|row| !held.contains(row)).collect();
    assert_eq!(rows_of(&train.truth), rest.iter().copied().step_by(2).collect::<Vec<_>>());
    assert_eq!(validation.weights.unwrap(), held.iter().map(|row| 1.0 + (row % 4) as f64).collect::<Vec<_>>());

    // The step is the one that the rest alone gives, and changes them as at serving.
    let alone = Transformer::<Regression>::fit(&CENTRE, &data.take(&rest), &FitContext::new(1)).unwrap();
    assert_eq!(fitted.save().section("step/centre").unwrap(), &Saved::of(&alone).unwrap());
    let served = Features::new(fitted.transform(&data.features().take(&held)).unwrap()).unwrap();
    assert_eq!(validation.matrix, served.matrix().iter().copied().collect::<Vec<_>>());

    let report = fitted.report();
    assert_eq!((report.rows, report.held_out, report.stages[2].rows), (40, 10, 15));
    let text = Block::Text("Held out: 10 of 40 rows, by which the learner judged itself.".into());
    assert!(report.exhibit().blocks.contains(&text), "{:?}", report.exhibit());

    let four = FitContext::new(1).threads(4).unwrap();
    assert_eq!(pipeline.fit(&data, &four).unwrap().fingerprint(), fitted.fingerprint());
    assert_ne!(testimony(&pipeline.fit(&data, &FitContext::new(2)).unwrap()).train, train, "another seed, other rows");
}

#[test]
fn nothing_in_the_rows_held_out_changes_what_is_learned() {
    let data = data(40);
    let pipeline = witnessed(Some(0.25));
    let before = pipeline.fit(&data, &FitContext::new(1)).unwrap();
    let held = rows_of(&testimony(&before).validation.unwrap().truth);
    let nonsense = |table: Table| {
        let (schema, mut columns) = table.into_parts();
        for column in &mut columns {
            let values = column.make_numbers()?;
            held.iter().for_each(|&row| values[row] = 1e9);
        }
        Table::new(schema, columns)
    };
    let after = pipeline.fit(&data.map_features(nonsense).unwrap(), &FitContext::new(1)).unwrap();
    assert_eq!(after.save().section("step/centre").unwrap(), before.save().section("step/centre").unwrap());
    let (before, after) = (testimony(&before), testimony(&after));
    assert_eq!(after.train, before.train);
    assert_ne!(after.validation, before.validation);
}

#[test]
fn without_a_share_to_hold_out_every_row_is_learned_from() {
    let fitted = witnessed(None).fit(&data(40), &FitContext::new(1)).unwrap();
    let Testimony { train, validation } = testimony(&fitted);
    assert_eq!((rows_of(&train.truth).len(), validation, fitted.report().held_out), (20, None, 0));
}

#[test]
fn rows_are_held_out_inside_the_rows_that_calibration_leaves() {
    for (rows, learned, judged) in [(CalibrationRows::CrossFit(4), 30, 10), (CalibrationRows::HeldOut(0.5), 15, 5)] {
        let builder = Pipeline::builder(problem()).step("centre", CENTRE).model(Witness { holds_out: Some(0.25) });
        let pipeline = builder.calibrate(Unbias, rows).build().unwrap();
        let fitted = pipeline.fit(&data(40), &FitContext::new(1)).unwrap();
        let Testimony { train, validation } = testimony(&fitted);
        let validation = validation.unwrap();
        assert_eq!((train.truth.len(), validation.truth.len()), (learned, judged), "{rows:?}");
        assert!(validation.truth.iter().all(|y| !train.truth.contains(y)), "{rows:?}");
        assert_eq!((fitted.report().rows, fitted.report().held_out), (40, judged), "{rows:?}");
        let four = FitContext::new(1).threads(4).unwrap();
        assert_eq!(pipeline.fit(&data(40), &four).unwrap().fingerprint(), fitted.fingerprint());
    }
}

#[test]
fn a_share_that_leaves_one_side_empty_is_refused() {
    for (share, text) in [(0.0, "0"), (1.0, "1"), (f64::NAN, "NaN")] {
        let error = Pipeline::builder(problem()).model(Witness { holds_out: Some(share) }).build().unwrap_err();
        let expected = format!("step `model` (Witness): `holds_out` is {text}, allowed is between 0 and 1");
        assert_eq!(error.to_string(), expected);
    }
    let error = witnessed(Some(0.1)).fit(&data(1), &FitContext::new(1)).unwrap_err();
    let expected = "fit › step `model` (Witness): holding rows out needs at least 2 rows, 1 found";
    assert_eq!(error.to_string(), expected);
    for share in [1e-9, 0.999] {
        let Testimony { train, validation } =
            testimony(&witnessed(Some(share)).fit(&data(2), &FitContext::new(1)).unwrap());
        assert_eq!((train.truth.len(), validation.unwrap().truth.len()), (1, 1));
    }
}

/// Transforms training rows as it should and later rows otherwise.
#[derive(Clone, Serialize, Deserialize)]
struct TwoFaced;

impl Persist for TwoFaced {
    const TAG: &'static str = "TwoFaced";
}

impl Transformer<Regression> for TwoFaced {
    type Fitted = FittedCentre;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(Plan::exact(input.fields().to_vec()))
    }

    fn fit(&self, train: &Dataset<Regression>, cx: &FitContext) -> Result<FittedCentre> {
        Transformer::<Regression>::fit(&Centre { renames: true, ..CENTRE }, train, cx)
    }

    fn fit_transform(
        &self,
        train: Dataset<Regression>,
        cx: &FitContext,
    ) -> Result<(FittedCentre, Dataset<Regression>)> {
        let fitted = self.fit(&train, cx)?;
        let renamed = train.map_features(|table| table.relabelled(fitted.output.clone()))?;
        Ok((fitted, renamed))
    }
}

#[test]
fn a_promise_must_be_kept_for_the_rows_held_out_too() {
    let fit = |holds_out| {
        let builder = Pipeline::builder(problem()).step("two-faced", TwoFaced).model(Witness { holds_out });
        builder.build().unwrap().fit(&data(10), &FitContext::new(1))
    };
    assert!(fit(None).is_ok());
    let text = fit(Some(0.2)).unwrap_err().to_string();
    assert!(text.starts_with("fit › step `two-faced` (TwoFaced): gave 2 rows, [\"a\", \"b\"]"), "{text}");
}
