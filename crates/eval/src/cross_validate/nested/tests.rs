//! Nested cross-validation with recipes small enough to compute by hand: the mean of the training rows, and a shift of it.

use ndarray::Array1;
use stagewise_core::column::Column;
use stagewise_core::context::Cancel;
use stagewise_core::error::DataError;
use stagewise_core::exhibit::Exhibit;
use stagewise_core::problem::Problem;
use stagewise_core::task::Regression;
use stagewise_testkit::data;

use super::*;
use crate::{Mae, R2, Rmse, ranking};

/// Answers the mean of the training target and `shift` more, and `noise` drawn at the fit.
#[derive(Debug, Clone)]
struct Shifted {
    shift: f64,
    noise: f64,
    fails_on: &'static str,
    warns: bool,
}

fn shifted(shift: f64) -> Shifted {
    Shifted { shift, noise: 0.0, fails_on: "nowhere", warns: false }
}

struct Answer(f64);

impl Estimator<Regression> for Shifted {
    type Fitted = Answer;

    fn fit(&self, train: &Dataset<Regression>, cx: &FitContext) -> Result<Answer> {
        if format!("{cx:?}").contains(self.fails_on) {
            return Err(DataError::MissingValues { count: 1 }.into());
        }
        if self.warns {
            cx.warn(format!("{} rows", train.rows()));
        }
        let mean = Regression::mean(train.target(), &(), train.weights());
        Ok(Answer(mean + self.shift + self.noise * cx.stream("noise").normal()))
    }
}

impl Predictor<Regression> for Answer {
    fn predict(&self, table: &Table) -> Result<Array1<f64>> {
        Ok(Array1::from_elem(table.rows(), self.0))
    }
}

fn small(y: &[f64]) -> Dataset<Regression> {
    let table = Table::of([("x", Column::numbers(vec![0.0; y.len()])), ("y", Column::numbers(y.to_vec()))]).unwrap();
    Dataset::new(table, &Problem::new("y")).unwrap()
}

/// Of `rows`, every `folds`-th judges in turn.
fn dealt(rows: &[usize], folds: usize) -> Vec<Split> {
    let side = |fold: usize, judges: bool| {
        let rows = rows.iter().enumerate().filter(|(place, _)| (place % folds == fold) == judges);
        rows.map(|(_, &row)| row).collect()
    };
    (0..folds).map(|fold| Split { train: side(fold, false), validation: side(fold, true) }).collect()
}

fn nested(rows: usize, outer: usize, inner: usize) -> Vec<Nested> {
    let all: Vec<usize> = (0..rows).collect();
    dealt(&all, outer).into_iter().map(|outer| Nested { inner: dealt(&outer.train, inner), outer }).collect()
}

fn mae() -> AnyMetric<Regression> {
    AnyMetric::new(Mae)
}

#[test]
fn choices_and_scores_are_those_by_hand() {
    // Outer fold 0 learns from rows 1 and 3, fold 1 from rows 0 and 2; each inner fold learns from one and judges the other.
    let data = small(&[1.0, 2.0, 5.0, 4.0]);
    let spec = NestedCrossValidation::new(mae()).candidate("mean", shifted(0.0)).candidate("more", shifted(1.0));
    let found = spec.run(&data, &nested(4, 2, 2), &FitContext::new(0)).unwrap();
    let choice = &found.choices()[0];
    // From 2 to 4 and from 4 to 2: off by 2 and 2, and with 1 more by 1 and 3. Equal means: the first.
    assert_eq!(choice.scores, [[2.0, 2.0], [3.0, 1.0]]);
    assert_eq!((choice.means.as_slice(), choice.candidate.as_str()), ([2.0, 2.0].as_slice(), "mean"));
    assert_eq!(found.choices()[1].scores, [[4.0, 4.0], [5.0, 3.0]]);
    // The mean of 2 and 4 judges 1 and 5; that of 1 and 5 judges 2 and 4.
    assert_eq!(found.outer().scores("mae").unwrap(), [2.0, 1.0]);
    assert_eq!((found.mean().unwrap(), found.times_chosen("mean"), found.times_chosen("more")), (1.5, 2, 0));
    assert_eq!(found.outer().out_of_fold().unwrap().to_vec(), [3.0, 3.0, 3.0, 3.0]);
    // As in a cross-validation of two folds with scores 2 and 1.
    let high = found.interval(0.95).unwrap().high;
    assert!((high - (1.5 + 12.706_204_736_174_694 * 0.75_f64.sqrt())).abs() < 1e-12);
}

#[test]
fn the_direction_of_the_metric_decides() {
    let data = data::regression_numeric(90, 3);
    for (metric, best) in [(mae(), "near"), (AnyMetric::new(Rmse), "near"), (AnyMetric::new(R2), "near")] {
        let spec = NestedCrossValidation::new(metric).candidate("far", shifted(40.0)).candidate(best, shifted(0.1));
        assert_eq!(spec.run(&data, &nested(90, 3, 4), &FitContext::new(0)).unwrap().times_chosen(best), 3);
    }
}

#[test]
fn outer_scores_are_those_of_cross_validation_and_may_be_ranked_with_it() {
    let data = data::regression_numeric(80, 3);
    let noisy = Shifted { noise: 0.5, ..shifted(0.0) };
    let nested = nested(80, 4, 3);
    let cx = FitContext::new(5);
    let spec = NestedCrossValidation::new(mae()).also(AnyMetric::new(R2));
    let spec = spec.candidate("far", shifted(90.0)).candidate("noisy", noisy.clone());
    let found = spec.run(&data, &nested, &cx).unwrap();
    assert_eq!(found.times_chosen("noisy"), 4);
    let splits: Vec<Split> = nested.iter().map(|nested| nested.outer.clone()).collect();
    let contexts: Vec<FitContext> = (0..4).map(|place| cx.fold(place)).collect();
    let metrics = [mae(), AnyMetric::new(R2)];
    let (folds, outputs): (Vec<FoldResult>, Vec<_>) = splits
        .iter()
        .zip(&contexts)
        .map(|(split, cx)| fold::run(&noisy, &data, split, &metrics, false, cx).unwrap())
        .unzip();
    let plain = judged(metrics.to_vec(), folds, &outputs, &splits, &data);
    for metric in ["mae", "r2"] {
        assert_eq!(found.outer().scores(metric).unwrap(), plain.scores(metric).unwrap());
    }
    let ranked = ranking(&[("nested", found.outer()), ("plain", &plain)], "mae").unwrap();
    assert_eq!(ranked[1].difference.unwrap().estimate, 0.0);
    // A further candidate changes no other's scores.
    let fewer = NestedCrossValidation::new(mae()).candidate("noisy", noisy).run(&data, &nested, &cx).unwrap();
    assert_eq!(fewer.choices()[2].scores[0], found.choices()[2].scores[1]);
    assert_eq!(fewer.splits(), found.splits());
    let other = NestedCrossValidation::new(mae()).candidate("far", shifted(90.0));
    let other = other.run(&data, &super::tests::nested(80, 4, 2), &cx).unwrap();
    assert_ne!(other.splits(), found.splits());
    assert_eq!(other.outer().splits(), found.outer().splits());
}

#[test]
fn threads_change_nothing_and_warnings_come_in_order() {
    let data = data::regression_numeric(61, 3);
    let of = |threads| {
        let cx = FitContext::new(1).threads(threads).unwrap();
        let one = Shifted { warns: true, noise: 1.0, ..shifted(0.0) };
        let spec = NestedCrossValidation::new(mae()).candidate("a", one.clone()).candidate("b", one);
        let found = spec.run(&data, &nested(61, 3, 2), &cx).unwrap();
        let warnings: Vec<String> = cx.take_warnings().iter().map(ToString::to_string).collect();
        (found.choices().to_vec(), found.outer().scores("mae").unwrap(), warnings)
    };
    let one = of(1);
    assert_eq!(one, of(4));
    assert_eq!(one.2.len(), 3 * 5);
    assert_eq!(one.2[0], "fold 0/inner/a/fold 0: 20 rows");
    assert_eq!(one.2[3], "fold 0/inner/b/fold 1: 20 rows");
    assert_eq!(one.2[4], "fold 0: 40 rows");
}

#[test]
fn errors_say_where() {
    let data = data::regression_numeric(30, 3);
    let run = |recipe: Shifted| {
        let spec = NestedCrossValidation::new(mae()).candidate("a", shifted(0.0)).candidate("b", recipe);
        spec.run(&data, &nested(30, 3, 2), &FitContext::new(1)).unwrap_err().to_string()
    };
    let error = run(Shifted { fails_on: "fold 1/inner/b/fold 1", ..shifted(0.0) });
    assert_eq!(error, "fold 1 › candidate `b` › fold 1: holds 1 missing values; add an imputer before it");
    let cx = FitContext::new(1);
    let text = |spec: NestedCrossValidation<'_, Regression>, nested: &[Nested]| {
        spec.run(&data, nested, &cx).unwrap_err().to_string()
    };
    let spec = || NestedCrossValidation::new(mae()).candidate("a", shifted(0.0));
    assert_eq!(
        text(NestedCrossValidation::new(mae()), &nested(30, 3, 2)),
        "`candidates` is none, allowed is at least one"
    );
    let twice = text(spec().candidate("a", shifted(1.0)), &nested(30, 3, 2));
    assert_eq!(twice, "`candidates` is two named `a`, allowed is candidates of different names");
    assert!(text(spec().also(mae()), &nested(30, 3, 2)).contains("two named `mae`"));
    let allowed = "`nested` is without a split, allowed is outer splits, each with inner ones";
    assert_eq!(text(spec(), &[]), allowed);
    let mut bare = nested(30, 3, 2);
    bare[1].inner.clear();
    assert_eq!(text(spec(), &bare), allowed);
    let mut leaky = nested(30, 3, 2);
    let judge = leaky[2].outer.validation[4];
    leaky[2].inner[1].train.push(judge);
    leaky[2].inner[1].train.sort_unstable();
    let error = text(spec(), &leaky);
    assert!(
        error.starts_with(&format!("fold 2 › fold 1: gave row {judge}, which does not where it declares")),
        "{error}"
    );
    let mut empty = nested(30, 3, 2);
    empty[0].outer.validation.clear();
    assert!(text(spec(), &empty).starts_with("fold 0: gave no row to validate on"));
    let cancel = Cancel::new();
    cancel.raise();
    let error = spec().run(&data, &nested(30, 3, 2), &cx.clone().cancel(cancel)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Cancelled));
}

#[test]
fn it_shows_what_was_chosen_and_how_good_it_is() {
    let data = data::regression_numeric(40, 3);
    let spec = NestedCrossValidation::new(mae()).also(AnyMetric::new(R2)).candidate("a", shifted(0.0));
    let found = spec.candidate("b", shifted(50.0)).run(&data, &nested(40, 4, 2), &FitContext::new(0)).unwrap();
    let section = found.exhibit();
    let table = section.blocks.iter().find_map(|block| match block {
        stagewise_core::exhibit::Block::Table { columns, rows } => Some((columns, rows)),
        _ => None,
    });
    let (columns, rows) = table.unwrap();
    assert_eq!(columns[..], ["fold", "chosen", "a, inner mean", "b, inner mean", "mae, outer", "r2, outer"]);
    assert!(rows.len() == 4 && rows.iter().all(|row| row.len() == 6 && row[1] == "a"));
}
