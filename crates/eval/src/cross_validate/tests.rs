//! Cross-validation with a recipe small enough to compute by hand: the mean of the training rows, or a line.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::Cancel;
use stagewise_core::error::{DataError, Error, ErrorKind};
use stagewise_core::exhibit::{Block, Exhibit};
use stagewise_core::persist::Persist;
use stagewise_core::problem::Problem;
use stagewise_core::stage::Predictor;
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_testkit::data;

use super::*;
use crate::{Bootstrap, Mae, R2, Rmse, bootstrap};

/// Answers the mean of the training target plus `slope` times the column `x0`.
struct Line {
    slope: f64,
    fails_on: Option<&'static str>,
    calls: &'static str,
}

struct FittedLine {
    mean: f64,
    slope: f64,
    short: bool,
}

fn line(slope: f64) -> Line {
    Line { slope, fails_on: None, calls: "" }
}

impl Estimator<Regression> for Line {
    type Fitted = FittedLine;

    fn fit(&self, train: &Dataset<Regression>, cx: &FitContext) -> Result<FittedLine> {
        let place = format!("{cx:?}");
        if self.fails_on.is_some_and(|fold| place.contains(fold)) {
            return Err(DataError::MissingValues { count: 1 }.into());
        }
        if self.calls == "warn" {
            cx.warn(format!("{} rows", train.rows()));
        }
        let mean = Regression::mean(train.target(), &(), train.weights());
        Ok(FittedLine { mean, slope: self.slope, short: self.calls == "short" })
    }
}

impl Predictor<Regression> for FittedLine {
    fn predict(&self, table: &Table) -> Result<Array1<f64>> {
        if self.short {
            return Ok(Array1::zeros(1));
        }
        let x = table.column("x0")?.as_numbers()?;
        Ok(x.iter().map(|x| self.mean + self.slope * x).collect())
    }
}

/// Every `folds`-th row validates, from `start` on; or the splits given.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Every {
    folds: usize,
    given: Option<Vec<(Vec<usize>, Vec<usize>)>>,
}

impl Persist for Every {
    const TAG: &'static str = "EvalTestEvery";
}

impl Splitter<Regression> for Every {
    fn split(&self, data: &Dataset<Regression>, _cx: &FitContext) -> Result<Vec<Split>> {
        if let Some(given) = &self.given {
            return Ok(given.iter().cloned().map(|(train, validation)| Split { train, validation }).collect());
        }
        let side = |fold: usize, inside: bool| {
            (0..data.rows()).filter(|row| (row % self.folds == fold) == inside).collect::<Vec<_>>()
        };
        Ok((0..self.folds).map(|fold| Split { train: side(fold, false), validation: side(fold, true) }).collect())
    }
}

fn every(folds: usize) -> Every {
    Every { folds, given: None }
}

fn metrics() -> Vec<AnyMetric<Regression>> {
    vec![AnyMetric::new(Rmse), AnyMetric::new(R2)]
}

fn run(estimator: &Line, rows: usize, splitter: &Every, cx: &FitContext) -> Result<CrossValidated<Regression>> {
    cross_validate(estimator, &data::regression_numeric(rows, 3), splitter, &metrics(), cx)
}

fn small(y: &[f64], weights: Option<Vec<f64>>) -> Dataset<Regression> {
    let table = Table::of([("x0", Column::numbers(vec![0.0; y.len()])), ("y", Column::numbers(y.to_vec()))]).unwrap();
    let data = Dataset::new(table, &Problem::new("y")).unwrap();
    weights.map_or_else(|| data.clone(), |weights| data.clone().reweighted(weights).unwrap())
}

#[test]
fn scores_and_interval_equal_those_by_hand() {
    // Rows 0, 2 and 1, 3 validate in turn; the mean of the other two is the answer.
    let data = small(&[1.0, 2.0, 5.0, 4.0], None);
    let metrics = [AnyMetric::new(Mae)];
    let found = CrossValidation::new(every(2))
        .train_scores(true)
        .run(&line(0.0), &data, &metrics, &FitContext::new(0))
        .unwrap();
    assert_eq!(found.out_of_fold().unwrap().to_vec(), [3.0, 3.0, 3.0, 3.0]);
    assert_eq!(found.scores("mae").unwrap(), [2.0, 1.0]);
    assert_eq!(found.folds()[0].train_scores, Some(vec![1.0]));
    assert_eq!(found.mean("mae").unwrap(), 1.5);
    assert_eq!(found.deviation("mae").unwrap(), 0.5_f64.sqrt());
    // t(0.975, 1) = 12.706; (1/2 + 2/2) · 0.5 = 0.75.
    let interval = found.interval("mae", 0.95).unwrap();
    assert!((interval.high - (1.5 + 12.706_204_736_174_694 * 0.75_f64.sqrt())).abs() < 1e-12);
    assert!((interval.low + interval.high - 3.0).abs() < 1e-12);
    // Over rows instead of folds.
    let pooled = found.out_of_fold().unwrap();
    let over_rows =
        bootstrap(&metrics[0], data.target(), pooled, None, &Bootstrap::new(), &FitContext::new(0)).unwrap();
    assert_eq!(over_rows.estimate, 1.5);
}

#[test]
fn weights_weigh_in_fit_and_score() {
    let data = small(&[1.0, 2.0, 5.0, 4.0], Some(vec![3.0, 1.0, 1.0, 3.0]));
    let found = cross_validate(&line(0.0), &data, &every(2), &[AnyMetric::new(Mae)], &FitContext::new(0)).unwrap();
    // Fold 0 answers (2 + 3·4)/4 = 3.5: (3·2.5 + 1.5)/4; fold 1 answers (3·1 + 5)/4 = 2: (0 + 3·2)/4.
    assert_eq!(found.scores("mae").unwrap(), [2.25, 1.5]);
}

#[test]
fn threads_change_nothing_and_warnings_come_in_fold_order() {
    let estimator = Line { calls: "warn", ..line(4.0) };
    let of = |threads| {
        let cx = FitContext::new(1).threads(threads).unwrap();
        let found = run(&estimator, 101, &every(7), &cx).unwrap();
        let warnings: Vec<String> = cx.take_warnings().iter().map(ToString::to_string).collect();
        (found.scores("rmse").unwrap(), found.out_of_fold().cloned(), found.splits(), warnings)
    };
    let one = of(1);
    assert_eq!(one, of(4));
    assert_eq!(one.3[0], "fold 0: 86 rows");
    assert_eq!(one.3[6], "fold 6: 87 rows");
    assert_eq!(one.3.len(), 7);
}

#[test]
fn a_failing_fold_is_named() {
    let estimator = Line { fails_on: Some("fold 2"), ..line(0.0) };
    let error = run(&estimator, 30, &every(3), &FitContext::new(1)).unwrap_err();
    assert_eq!(error.to_string(), "fold 2: holds 1 missing values; add an imputer before it");
    let estimator = Line { calls: "short", ..line(0.0) };
    let error = run(&estimator, 30, &every(3), &FitContext::new(1)).unwrap_err();
    assert_eq!(error.to_string(), "fold 0: answers: 10 values needed, 1 found");
    // One row in the fold: R² has no value there.
    let error = run(&line(0.0), 4, &every(4), &FitContext::new(1)).unwrap_err();
    assert_eq!(error.to_string(), "fold 0: r2 is not defined: it needs two rows with a weight");
}

#[test]
fn splits_that_break_their_promise_are_refused() {
    let text = |train: &[usize], validation: &[usize]| {
        let splitter = Every { folds: 1, given: Some(vec![(train.to_vec(), validation.to_vec())]) };
        let error: Error = run(&line(0.0), 9, &splitter, &FitContext::new(1)).unwrap_err();
        error.to_string()
    };
    let declared =
        "two sides of ascending rows, none empty, no row on both, none to judge twice; this is a fault of the stage";
    assert_eq!(text(&[], &[1]), format!("fold 0: gave no row to train on where it declares {declared}"));
    assert_eq!(text(&[1], &[9]), format!("fold 0: gave row 9 of 9 where it declares {declared}"));
    assert!(text(&[2, 1], &[0]).contains("rows to train on that do not ascend"));
    assert!(text(&[0, 1], &[1, 2]).contains("row 1 on both sides"));
}

#[test]
fn answers_are_collected_only_if_each_row_has_one() {
    let given = |splits| Every { folds: 1, given: Some(splits) };
    let out = |splitter: Every| run(&line(0.0), 6, &splitter, &FitContext::new(1)).unwrap().out_of_fold().is_some();
    assert!(!out(given(vec![(vec![0, 1, 2], vec![3, 4])])));
    assert!(!out(given(vec![(vec![0, 1, 2], vec![3, 4, 5]), (vec![3], vec![0, 1, 2, 4])])));
    assert!(out(given(vec![(vec![0, 1, 2], vec![3, 4, 5]), (vec![3, 4], vec![0, 1, 2])])));
}

#[test]
fn metrics_are_asked_for_by_name() {
    let cx = FitContext::new(1);
    let found = run(&line(0.0), 30, &every(3), &cx).unwrap();
    let error = found.mean("auc").unwrap_err().to_string();
    assert_eq!(error, "`metric` is `auc`, allowed is the name of a metric of this cross-validation");
    let twice = [AnyMetric::new(Mae), AnyMetric::new(Mae)];
    let error = cross_validate(&line(0.0), &data::regression_numeric(9, 1), &every(3), &twice, &cx).unwrap_err();
    assert_eq!(error.to_string(), "`metrics` is two named `mae`, allowed is metrics of different names");
}

#[test]
fn the_best_comes_first_and_other_splits_are_refused() {
    let cx = FitContext::new(1);
    let (flat, slope) = (run(&line(0.0), 300, &every(5), &cx).unwrap(), run(&line(4.5), 300, &every(5), &cx).unwrap());
    for metric in ["rmse", "r2"] {
        let ranked = ranking(&[("flat", &flat), ("line", &slope)], metric).unwrap();
        assert_eq!((ranked[0].name.as_str(), ranked[1].name.as_str()), ("line", "flat"));
        assert_eq!(ranked[0].mean, slope.mean(metric).unwrap());
        assert!(ranked[0].difference.is_none());
        let difference = ranked[1].difference.unwrap();
        assert!((difference.estimate - (flat.mean(metric).unwrap() - slope.mean(metric).unwrap())).abs() < 1e-12);
        assert!(!difference.contains(0.0));
    }
    let other = run(&line(4.5), 300, &every(4), &cx).unwrap();
    let error = ranking(&[("flat", &flat), ("line", &other)], "rmse").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`flat` and `line` were judged on different splits; use the same data, splitter and seed for both"
    );
    // The same positions, another truth.
    let other = cross_validate(&line(4.5), &data::regression_numeric(300, 4), &every(5), &metrics(), &cx).unwrap();
    assert!(ranking(&[("flat", &flat), ("line", &other)], "rmse").is_err());
    assert!(ranking::<Regression>(&[], "rmse").is_err());
}

#[test]
fn it_stops_when_told_to() {
    let cancel = Cancel::new();
    let cx = FitContext::new(1).cancel(cancel.clone());
    assert!(run(&line(0.0), 30, &every(3), &cx).is_ok());
    cancel.raise();
    let error = run(&line(0.0), 30, &every(3), &cx).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cancelled));
}

#[test]
fn it_shows_folds_and_intervals() {
    let found = CrossValidation::new(every(3))
        .train_scores(true)
        .run(&line(4.5), &data::regression_numeric(60, 3), &metrics(), &FitContext::new(1))
        .unwrap();
    let section = found.exhibit();
    let table = section.blocks.iter().find_map(|block| match block {
        Block::Table { columns, rows } => Some((columns, rows)),
        _ => None,
    });
    let (columns, rows) = table.unwrap();
    assert_eq!(columns[3..7], ["rmse", "r2", "rmse (train)", "r2 (train)"]);
    assert!(rows.len() == 3 && rows.iter().all(|row| row.len() == columns.len()));
    assert!(
        matches!(&section.blocks[1], Block::Chart(stagewise_core::exhibit::Chart::Intervals { items, .. }) if items.len() == 2)
    );
}
