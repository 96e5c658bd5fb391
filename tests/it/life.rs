//! A real pipeline from data to artifact and back: what is saved answers, refuses and refits as the original.

use stagewise::core::error::{ErrorKind, GateError, PersistError};
use stagewise::prelude::*;

use crate::recipes::{dataset, loans, prepared};

fn fitted() -> (FittedPipeline<Binary>, Dataset<Binary>, Holdout<Binary>, FitContext) {
    let cx = FitContext::new(9);
    let (train, holdout) = StratifiedHoldout::new(0.2).split(dataset("loans.csv", &loans()), &cx).unwrap();
    let pipeline = prepared(loans()).model(LogisticRegression::default()).build().unwrap();
    (pipeline.fit(&train, &cx).unwrap(), train, holdout, cx)
}

fn artifact() -> (Artifact<Binary>, Dataset<Binary>, FitContext) {
    let (fitted, train, holdout, cx) = fitted();
    let mut ledger = Ledger::in_memory();
    let evaluation = holdout.evaluate_once(&fitted, &mut ledger).unwrap();
    let approved = Gate::check(&fitted, &evaluation, &mut ledger).unwrap().approve().unwrap();
    let golden = evaluation.data.features().take(&(0..20).collect::<Vec<_>>());
    (Artifact::package(fitted, approved, &golden).unwrap(), train, cx)
}

/// I3: an artifact holds the proof that it answers as it did.
#[test]
fn a_loaded_artifact_answers_bit_for_bit_and_refits_with_no_code_but_the_registry() {
    let (artifact, train, cx) = artifact();
    let bytes = artifact.to_bytes().unwrap();
    let loaded = Artifact::<Binary>::from_bytes(&bytes, &stagewise::registry()).unwrap();
    let table = train.features();
    assert_eq!(loaded.fitted().predict(table).unwrap(), artifact.fitted().predict(table).unwrap());
    let again = loaded.fitted().pipeline().fit(&train, &cx).unwrap();
    assert_eq!(again.fingerprint(), artifact.fitted().fingerprint(), "the same rows and seed, the same pipeline");
    let later = train.take(&(0..2000).collect::<Vec<_>>());
    assert_ne!(loaded.fitted().pipeline().fit(&later, &cx).unwrap().fingerprint(), again.fingerprint());
}

/// A learner finds the metrics that it watches in the registry that loads it.
#[test]
fn a_loaded_learner_watches_and_stops_as_before() {
    let cx = FitContext::new(4);
    let train = dataset("loans.csv", &loans());
    let boosting = GradientBoosting::new().rounds(30).early_stopping(Some(5));
    let boosting = boosting.watch(RocAuc).watch::<Binary>(LogLoss).watch(Brier).class_weights(ClassWeights::Balanced);
    let pipeline = prepared(loans()).model(boosting).build().unwrap();
    let fitted = pipeline.fit(&train, &cx).unwrap();
    let registry = stagewise::registry();
    let loaded = FittedPipeline::<Binary>::load(&fitted.save(), &registry).unwrap();
    let again = loaded.pipeline().fit(&train, &cx).unwrap();
    assert_eq!(again.fingerprint(), fitted.fingerprint());
    let model = again.model_as::<TreeEnsemble>().unwrap();
    let history = model.training_history().unwrap();
    let names: Vec<&str> = history.watched.iter().map(|curve| curve.metric.as_str()).collect();
    assert_eq!(names, ["roc_auc", "log_loss", "brier"]);
    let auc = &history.watched[0].validation;
    assert!(auc.iter().all(|&value| value <= auc[history.rounds]) && auc[history.rounds] > 0.6);
}

#[test]
fn every_changed_byte_of_an_artifact_is_refused() {
    let (artifact, ..) = artifact();
    let good = artifact.to_bytes().unwrap();
    let registry = stagewise::registry();
    // Every byte of a small artifact is tried in the crate `deploy`; here a real one, at places spread over the file.
    for i in (0..good.len()).step_by(good.len() / 400) {
        let mut bad = good.clone();
        bad[i] ^= 1;
        let error = Artifact::<Binary>::from_bytes(&bad, &registry).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Persist(_)), "byte {i}: {error}");
    }
}

#[test]
fn an_artifact_needs_every_stage_in_the_registry_and_its_own_task() {
    let (artifact, ..) = artifact();
    let bytes = artifact.to_bytes().unwrap();
    let error = Artifact::<Binary>::from_bytes(&bytes, &Registry::new()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Persist(PersistError::UnknownTag { .. })), "{error}");
    let error = Artifact::<Regression>::from_bytes(&bytes, &stagewise::registry()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Persist(PersistError::WrongTask { .. })), "{error}");
}

#[test]
fn the_gate_refuses_what_misses_its_bound_and_approves_no_other_pipeline() {
    let cx = FitContext::new(9);
    let strict = loans().require(Accuracy::default(), at_least(0.999));
    let (train, holdout) = StratifiedHoldout::new(0.2).split(dataset("loans.csv", &strict), &cx).unwrap();
    let fitted = prepared(strict).model(LogisticRegression::default()).build().unwrap().fit(&train, &cx).unwrap();
    let mut ledger = Ledger::in_memory();
    let evaluation = holdout.evaluate_once(&fitted, &mut ledger).unwrap();
    let report = Gate::check(&fitted, &evaluation, &mut ledger).unwrap();
    assert!(!report.passed());
    let error = report.approve().unwrap_err();
    assert!(error.to_string().starts_with("refused: accuracy is 0."), "{error}");

    let other = prepared(loans()).model(ConstantBaseline).build().unwrap().fit(&train, &cx).unwrap();
    let error = Gate::check(&other, &evaluation, &mut ledger).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Gate(GateError::WrongPipeline { .. })), "{error}");
}

/// I1: one row and many rows go the same way.
#[test]
fn the_row_path_equals_the_batch_path_bit_for_bit() {
    let (fitted, train, ..) = fitted();
    let table = train.features();
    let batch = fitted.predict(table).unwrap();
    let (admitted, _) = fitted.contract().admit(table).unwrap();
    let mut scorer = fitted.scorer();
    for row in 0..table.rows() {
        let mut cells = Vec::new();
        admitted.row_into(row, &mut cells);
        assert_eq!(scorer.score_cells(&cells).unwrap().to_bits(), batch[row].to_bits(), "row {row}");
    }
}

#[test]
fn calibration_learns_from_rows_that_the_model_has_not_seen() {
    let cx = FitContext::new(9);
    let data = dataset("loans.csv", &loans());
    for rows in [CalibrationRows::CrossFit(3), CalibrationRows::HeldOut(0.25)] {
        let pipeline = prepared(loans()).model(DecisionTree::default()).calibrate(Platt, rows).build().unwrap();
        let fitted = pipeline.fit(&data, &cx).unwrap();
        let saved = FittedPipeline::<Binary>::load(&fitted.save(), &stagewise::registry()).unwrap();
        assert_eq!(saved.fingerprint(), fitted.fingerprint());
        let output = fitted.predict(data.features()).unwrap();
        let share = data.target().events().iter().filter(|e| **e).count() as f64 / data.rows() as f64;
        let mean = output.mean().unwrap();
        assert!((mean - share).abs() < 0.03, "{rows:?}: mean probability {mean}, share of events {share}");
    }
}
