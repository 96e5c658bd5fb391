//! The law of composition, with the smallest stages there can be.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::Result;
use stagewise_core::column::Column;
use stagewise_core::context::{Cancel, FitContext};
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ErrorKind, PersistError, PipelineError};
use stagewise_core::matrix::{Accepts, Design, Features};
use stagewise_core::persist::Persist;
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
