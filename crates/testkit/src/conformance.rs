//! What every stage, metric and splitter must keep to. One call per stage; a broken promise panics with its name.

use std::sync::Arc;

use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ErrorKind, PipelineError, Result};
use stagewise_core::matrix::{Design, Features};
use stagewise_core::metric::{Direction, Metric};
use stagewise_core::persist::{Persist, Saved};
use stagewise_core::record::Cell;
use stagewise_core::schema::Levels;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::stage::{Calibrate, Calibrator, Learner, Predict, Sampler, Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;

const SEED: u64 = 20;

/// Checks a transformer on training rows that it can take.
///
/// # Panics
/// If it breaks a promise: the message says which.
pub fn transformer<T: Task, S: Transformer<T>>(spec: &S, data: &Dataset<T>) {
    let tag = S::TAG;
    let before = saved(spec);
    let fitted = must(spec.fit(data, &context(1)), tag, "fits its own example");
    assert_eq!(saved(spec), before, "{tag}: fitting changed the spec");
    assert_eq!(saved(&fitted), saved(&must(spec.fit(data, &context(4)), tag, "fits twice")), "{tag}: four threads");

    let input = data.features();
    let output = must(fitted.transform(input.clone()), tag, "transforms its training rows");
    assert_eq!(output.rows(), input.rows(), "{tag}: rows in are rows out");
    assert_eq!(fitted.input().names(), input.schema().names(), "{tag}: the declared input is the input");
    for (declared, column) in fitted.output().fields().iter().zip(output.columns()) {
        assert_eq!(declared.kind, column.kind(), "{tag}: the declared kind of `{}`", declared.name);
        assert!(!declared.origin.is_empty(), "{tag}: `{}` does not say where it comes from", declared.name);
        assert!(declared.missing || column.missing_count() == 0, "{tag}: `{}` hides missing values", declared.name);
    }
    assert_eq!(fitted.output().names(), output.schema().names(), "{tag}: the declared output is the output");
    let (_, train) = must(spec.fit_transform(data.clone(), &context(2)), tag, "fits and transforms");
    assert_eq!(train.features().schema().names(), output.schema().names(), "{tag}: fit_transform gives other columns");
    assert_eq!(train.rows(), data.rows(), "{tag}: fit_transform changes rows");
    let plan = must(spec.plan(input.schema()), tag, "plans");
    if plan.exact {
        let planned: Vec<_> = plan.fields.iter().map(|f| (f.name.to_string(), f.kind)).collect();
        let found: Vec<_> = fitted.output().fields().iter().map(|f| (f.name.to_string(), f.kind)).collect();
        assert_eq!(planned, found, "{tag}: an exact plan must come true");
    }

    for table in [input.clone(), hostile(input), input.take(&[]), input.take(&[0])] {
        row_path_equals_batch_path(&fitted, &table, tag);
    }

    let loaded: S::Fitted = must(Saved::of(&fitted).and_then(|s| s.load()), tag, "is saved and loaded");
    assert_eq!(must(loaded.transform(input.clone()), tag, "transforms after loading"), output, "{tag}: loaded differs");
    let again: S = must(Saved::of(spec).and_then(|s| s.load()), tag, "spec is saved and loaded");
    assert_eq!(
        saved(&must(again.fit(data, &context(1)), tag, "loaded spec fits")),
        saved(&fitted),
        "{tag}: loaded spec"
    );

    let reversed: Vec<usize> = (0..input.width()).rev().collect();
    let turned = must(data.clone().map_features(|t| t.select(&reversed)), tag, "can be turned");
    let fitted_turned = must(spec.fit(&turned, &context(1)), tag, "fits columns in another order");
    let output_turned = must(fitted_turned.transform(turned.features().clone()), tag, "transforms them");
    for (field, column) in output.schema().fields().iter().zip(output.columns()) {
        let other = must(output_turned.column(&field.name), tag, "gives the same names in another order");
        assert_eq!(other, column, "{tag}: the order of columns changes `{}`", field.name);
    }

    // Few rows may be refused, but never by a panic.
    for rows in [vec![0], vec![0, 1], vec![]] {
        if let Ok(fitted) = spec.fit(&data.take(&rows), &context(1)) {
            row_path_equals_batch_path(&fitted, input, tag);
        }
    }

    // One that draws rows draws others where a row comes twice: the two agree in the mean of many seeds only.
    if saved(&must(spec.fit(data, &FitContext::new(SEED + 1)), tag, "fits again")) != saved(&fitted) {
        return;
    }
    if let Some((weighted, repeated)) = weight_two_and_row_twice(data, |d| spec.fit(d, &context(1)), tag) {
        let (a, b) = (weighted.transform(input.clone()), repeated.transform(input.clone()));
        close_tables(&must(a, tag, "transforms"), &must(b, tag, "transforms"), tag);
    }
}

/// Checks a sampler on training rows that it can take.
///
/// # Panics
/// If it breaks a promise: the message says which.
pub fn sampler<T: Task, S: Sampler<T>>(spec: &S, data: &Dataset<T>) {
    let tag = S::TAG;
    let before = saved(spec);
    let first = must(spec.resample(data.clone(), &context(1)), tag, "resamples its own example");
    let second = must(spec.resample(data.clone(), &context(4)), tag, "resamples twice");
    assert_eq!(saved(spec), before, "{tag}: resampling changed the spec");
    assert_eq!(first.fingerprint(), second.fingerprint(), "{tag}: the same seed gives other rows");
    assert_eq!(first.features().schema().names(), data.features().schema().names(), "{tag}: columns");
    assert_eq!(first.labels(), data.labels(), "{tag}: labels");
    assert!(first.rows() > 0, "{tag}: no row left");
    let again: S = must(Saved::of(spec).and_then(|s| s.load()), tag, "is saved and loaded");
    let third = must(again.resample(data.clone(), &context(1)), tag, "resamples after loading");
    assert_eq!(first.fingerprint(), third.fingerprint(), "{tag}: loaded differs");
    let _ = spec.resample(data.take(&[0]), &context(1));
}

/// Checks a learner on training rows that it can take.
///
/// # Panics
/// If it breaks a promise: the message says which.
pub fn learner<T: Task, L: Learner<T>>(spec: &L, data: &Dataset<T>) {
    let tag = L::TAG;
    // Rows to judge by are set apart once: no row changes sides when one comes twice.
    let held = spec.holds_out().map(|share| part(data, share, true, tag));
    let data = &spec.holds_out().map_or_else(|| data.clone(), |share| part(data, share, false, tag));
    let fit_seeded = |data: &Dataset<T>, threads, seed| {
        let cx = must(FitContext::new(seed).threads(threads), tag, "starts threads");
        let mut train = design(data)?;
        if let Some(held) = &held {
            train = train.judged_by(design(held)?);
        }
        cx.install(|| spec.fit(&train, &cx))
    };
    let fit = |data: &Dataset<T>, threads| fit_seeded(data, threads, SEED);
    let before = saved(spec);
    let model = must(fit(data, 1), tag, "fits its own example");
    assert_eq!(saved(spec), before, "{tag}: fitting changed the spec");
    assert_eq!(saved(&model), saved(&must(fit(data, 4), tag, "fits twice")), "{tag}: four threads give another model");

    let features = must(Features::new(data.features().clone()), tag, "features");
    let output = must(model.predict(&features), tag, "predicts its training rows");
    assert_eq!(T::rows(&output), data.rows(), "{tag}: one answer a row");
    for row in 0..data.rows() {
        let batch = T::row(&output, row);
        let values = features.matrix().row(row).to_vec();
        let single = must(model.predict_row(&values), tag, "predicts a row");
        assert_eq!(bits::<T>(&single), bits::<T>(&batch), "{tag}: the paths differ in row {row}");
        assert!(T::numbers(&batch).iter().all(|x| x.is_finite()), "{tag}: row {row} has the answer {batch:?}");
        if matches!(T::NAME, "binary" | "multiclass") {
            assert!(T::numbers(&batch).iter().all(|p| (0.0..=1.0).contains(p)), "{tag}: {batch:?} is no probability");
        }
        if T::NAME == "multiclass" {
            let sum: f64 = T::numbers(&batch).iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{tag}: probabilities sum to {sum}");
        }
    }
    let empty = must(Features::new(data.features().take(&[])), tag, "features");
    assert_eq!(T::rows(&must(model.predict(&empty), tag, "predicts no rows")), 0, "{tag}: no rows, no answers");

    let loaded: L::Model = must(Saved::of(&model).and_then(|s| s.load()), tag, "is saved and loaded");
    let same = must(loaded.predict(&features), tag, "predicts after loading");
    for row in 0..data.rows() {
        assert_eq!(bits::<T>(&T::row(&same, row)), bits::<T>(&T::row(&output, row)), "{tag}: loaded differs");
    }

    if held.is_some() {
        let alone = must(design(data), tag, "a design");
        assert!(spec.fit(&alone, &context(1)).is_err(), "{tag}: holds rows out, and learns without them");
    }

    // What it cannot take must be refused or answered, never a panic.
    for rows in [vec![0], vec![0, 1]] {
        let _ = fit(&data.take(&rows), 1);
    }
    if let Ok(hostile) = Features::new(hostile(data.features())) {
        let _ = model.predict(&hostile);
        for row in hostile.matrix().rows() {
            let _ = model.predict_row(&row.to_vec());
        }
    }
    let _ = model.predict_row(&[]);

    // A learner that draws rows draws others where a row comes twice: its answers then agree in the mean of many seeds only.
    if saved(&must(fit_seeded(data, 1, SEED + 1), tag, "fits again")) != saved(&model) {
        return;
    }
    if let Some((weighted, repeated)) = weight_two_and_row_twice(data, |d| fit(d, 1), tag) {
        let a = must(weighted.predict(&features), tag, "predicts");
        let b = must(repeated.predict(&features), tag, "predicts");
        for row in 0..data.rows() {
            for (x, y) in T::numbers(&T::row(&a, row)).iter().zip(T::numbers(&T::row(&b, row))) {
                assert!(close(*x, *y, 1e-6), "{tag}: weight 2 gives {x}, the row twice {y}");
            }
        }
    }
}

/// Checks a calibrator on answers and truth.
///
/// # Panics
/// If it breaks a promise: the message says which.
pub fn calibrator<T: Task, C: Calibrator<T>>(spec: &C, output: &T::Output, truth: &T::Target) {
    let tag = C::TAG;
    let fitted = must(spec.fit(output, truth, None, &context(1)), tag, "fits its own example");
    let again = must(spec.fit(output, truth, None, &context(4)), tag, "fits twice");
    assert_eq!(saved(&fitted), saved(&again), "{tag}: the same seed gives another correction");
    let corrected = must(fitted.calibrate(output.clone()), tag, "corrects");
    for row in 0..T::rows(output) {
        let single = must(fitted.calibrate_row(T::row(output, row)), tag, "corrects a row");
        assert_eq!(bits::<T>(&single), bits::<T>(&T::row(&corrected, row)), "{tag}: the paths differ in row {row}");
    }
    let _: C::Fitted = must(Saved::of(&fitted).and_then(|s| s.load()), tag, "is saved and loaded");
}

/// Checks a metric on some answers, and on perfect ones, which must score the best value of its range.
///
/// # Panics
/// If it breaks a promise: the message says which.
pub fn metric<T: Task, M: Metric<T>>(metric: &M, truth: &T::Target, output: &T::Output, perfect: &T::Output) {
    let tag = M::TAG;
    let (low, high) = metric.range();
    let value = must(metric.score(truth, output, None), tag, "scores its own example");
    assert!(low <= value && value <= high, "{tag}: {value} is outside {low} to {high}");
    let best = must(metric.score(truth, perfect, None), tag, "scores perfect answers");
    let optimum = match metric.direction() {
        Direction::HigherIsBetter => high,
        Direction::LowerIsBetter => low,
    };
    assert!(close(best, optimum, 1e-12), "{tag}: perfect answers score {best}, the best is {optimum}");

    let rows = truth.len();
    let answers: Vec<T::RowOutput> = (0..rows).map(|row| T::row(output, row)).collect();
    let order = stagewise_numeric::random::Stream::new(SEED, "permutation").permutation(rows);
    let turned = T::collect(order.iter().map(|&row| answers[row].clone()).collect());
    let other = must(metric.score(&truth.take(&order), &turned, None), tag, "scores rows in another order");
    assert_eq!(other.to_bits(), value.to_bits(), "{tag}: the order of rows changes {value} to {other}");

    let ones = must(metric.score(truth, output, Some(&vec![1.0; rows])), tag, "takes weights");
    assert!(close(ones, value, 1e-12), "{tag}: weights of one change {value} to {ones}");
    let mut twice: Vec<usize> = (0..rows).collect();
    let mut weights = vec![1.0; rows];
    for row in second(truth) {
        twice.push(row);
        weights[row] = 2.0;
    }
    let repeated = T::collect(twice.iter().map(|&row| answers[row].clone()).collect());
    let repeated = must(metric.score(&truth.take(&twice), &repeated, None), tag, "scores a row twice");
    let weighted = must(metric.score(truth, output, Some(&weights)), tag, "takes weights");
    assert!(close(weighted, repeated, 1e-12), "{tag}: weight 2 scores {weighted}, the row twice {repeated}");

    assert!(metric.score(&truth.take(&[0]), output, None).is_err(), "{tag}: takes fewer truths than answers");
    assert!(metric.score(truth, output, Some(&[1.0])).is_err(), "{tag}: takes fewer weights than rows");
    let _ = metric.score(&truth.take(&[]), &T::collect(Vec::new()), None);
    let _ = metric.score(&truth.take(&[0]), &T::collect(vec![answers[0].clone()]), None);
    let loaded: M = must(Saved::of(metric).and_then(|s| s.load()), tag, "is saved and loaded");
    assert_eq!(
        must(loaded.score(truth, output, None), tag, "scores").to_bits(),
        value.to_bits(),
        "{tag}: loaded differs"
    );
    assert_eq!(metric.name(), metric.name().to_lowercase(), "{tag}: names are lower case");
}

/// Checks a splitter, and returns its splits for further checks.
///
/// # Panics
/// If it breaks a promise: the message says which.
pub fn splitter<T: Task, S: Splitter<T>>(spec: &S, data: &Dataset<T>) -> Vec<Split> {
    let tag = S::TAG;
    let splits = must(spec.split(data, &context(1)), tag, "splits its own example");
    assert_eq!(splits, must(spec.split(data, &context(4)), tag, "splits twice"), "{tag}: the same seed");
    for Split { train, validation } in &splits {
        assert!(!train.is_empty() && !validation.is_empty(), "{tag}: an empty side");
        for side in [train, validation] {
            assert!(side.is_sorted(), "{tag}: rows must ascend");
            assert!(side.iter().all(|&row| row < data.rows()), "{tag}: a row that is not there");
        }
        assert!(validation.is_sorted_by(|a, b| a < b), "{tag}: a row judges twice");
        assert!(train.iter().all(|row| validation.binary_search(row).is_err()), "{tag}: a row on both sides");
    }
    let loaded: S = must(Saved::of(spec).and_then(|s| s.load()), tag, "is saved and loaded");
    assert_eq!(must(loaded.split(data, &context(1)), tag, "splits after loading"), splits, "{tag}: loaded differs");
    let _ = spec.split(&data.take(&[0]), &context(1));
    splits
}

fn context(threads: usize) -> FitContext {
    FitContext::new(SEED).threads(threads).expect("threads start")
}

fn must<V>(result: Result<V>, tag: &str, what: &str) -> V {
    result.unwrap_or_else(|e| panic!("{tag}: {what}: {e}"))
}

fn saved(value: &impl Persist) -> Saved {
    Saved::of(value).unwrap_or_else(|e| panic!("does not save: {e}"))
}

fn design<T: Task>(data: &Dataset<T>) -> Result<Design<T>> {
    let features = Features::new(data.features().clone())?;
    let weights = data.weights().map(|w| Arc::new(w.to_vec()));
    Ok(Design::new(features, data.target().clone(), data.labels().clone()).weighted(weights))
}

/// The rows (or groups) that a learner holds out, taken at an even pace, or the others.
fn part<T: Task>(data: &Dataset<T>, share: f64, held: bool, tag: &str) -> Dataset<T> {
    assert!(share > 0.0 && share < 1.0, "{tag}: holds out {share}, which is no share of the rows");
    let reached = |place: usize| (place as f64 * share).ceil();
    // Groups are not torn.
    let places = data.groups().unwrap_or_else(|| (0..data.rows() as u32).collect());
    let is_held = |place: u32| reached(place as usize + 1) > reached(place as usize);
    let rows: Vec<usize> = (0..data.rows()).filter(|&row| is_held(places[row]) == held).collect();
    data.take(&rows)
}

fn bits<T: Task>(answer: &T::RowOutput) -> Vec<u64> {
    T::numbers(answer).iter().map(|x| x.to_bits()).collect()
}

/// The same columns with values that no one asked for: missing everywhere in one row, levels never seen, infinities,
/// the largest and the smallest numbers.
fn hostile(table: &Table) -> Table {
    const NUMBERS: [f64; 7] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 5e-324, -0.0];
    let rows = NUMBERS.len();
    let columns = table
        .columns()
        .iter()
        .map(|column| match column {
            Column::Number(_) => Column::numbers(NUMBERS),
            Column::Category { levels, .. } => {
                let mut grown: Levels = levels.as_ref().clone();
                let new = [grown.intern("never seen"), grown.intern("nor this")];
                let codes = (0..rows).map(|i| if i == 0 { MISSING_CODE } else { new[i % 2].min(new[0] + i as u32) });
                Column::Category { codes: Arc::new(codes.collect()), levels: Arc::new(grown) }
            }
            Column::Flag(_) => {
                Column::flags((0..rows).map(|i| [None, Some(true), Some(false)][i % 3]).collect::<Vec<_>>())
            }
            other => Column::missing(other.kind(), rows),
        })
        .collect();
    Table::new(table.schema().clone(), columns).expect("columns of equal length")
}

fn row_path_equals_batch_path(fitted: &impl Transform, table: &Table, tag: &str) {
    let batch = fitted.transform(table.clone());
    let mut any_row_failed = false;
    for row in 0..table.rows() {
        let mut cells = Vec::new();
        table.row_into(row, &mut cells);
        // Levels that were not seen reach the row path by name.
        for (cell, (field, column)) in cells.iter_mut().zip(fitted.input().fields().iter().zip(table.columns())) {
            if let (Cell::Level(code), Some(known), Ok((_, levels))) = (&*cell, &field.levels, column.as_categories())
                && *code as usize >= known.len()
            {
                *cell = Cell::NewLevel(levels.name(*code).expect("a level has a name").clone());
            }
        }
        let mut out = Vec::new();
        match (fitted.transform_row(&cells, &mut out), &batch) {
            (Err(_), _) => any_row_failed = true,
            (Ok(()), Err(_)) => {}
            (Ok(()), Ok(output)) => {
                assert_eq!(out.len(), output.width(), "{tag}: row {row} has another width than the batch");
                for (j, single) in out.iter().enumerate() {
                    let whole = output.columns()[j].cell(row);
                    let name = &output.schema().fields()[j].name;
                    assert!(
                        same_cell(single, &whole, &output.columns()[j]),
                        "{tag}: row {row}, `{name}`: {single:?} and {whole:?}"
                    );
                }
            }
        }
    }
    assert_eq!(batch.is_err(), any_row_failed && table.rows() > 0, "{tag}: one path refuses what the other takes");
}

fn same_cell(single: &Cell, whole: &Cell, column: &Column) -> bool {
    match (single, whole) {
        (Cell::Number(a), Cell::Number(b)) => a.to_bits() == b.to_bits(),
        (Cell::NewLevel(name), Cell::Level(code)) => {
            column.as_categories().is_ok_and(|(_, levels)| levels.name(*code) == Some(name))
        }
        (a, b) => a == b,
    }
}

/// The same fit on data whose second row has weight 2, and on data that has it twice; `None` where weights are refused.
fn weight_two_and_row_twice<T: Task, F>(
    data: &Dataset<T>,
    fit: impl Fn(&Dataset<T>) -> Result<F>,
    tag: &str,
) -> Option<(F, F)> {
    let mut weights = data.weights().map_or_else(|| vec![1.0; data.rows()], <[f64]>::to_vec);
    let second = second(data.target());
    second.iter().for_each(|&row| weights[row] *= 2.0);
    let weighted = match fit(&must(data.clone().reweighted(weights), tag, "takes weights")) {
        Ok(fitted) => fitted,
        Err(error) if matches!(error.kind(), ErrorKind::Pipeline(PipelineError::Ignored { .. })) => return None,
        Err(error) => panic!("{tag}: fails with weights: {error}"),
    };
    let rows: Vec<usize> = (0..data.rows()).chain(second).collect();
    Some((weighted, must(fit(&data.take(&rows)), tag, "fits a row twice")))
}

/// The second row, or all of its group where rows mean nothing alone.
fn second(truth: &impl TargetValues) -> Vec<usize> {
    match truth.groups() {
        None => vec![1],
        Some(groups) => (0..groups.len()).filter(|&row| groups[row] == groups[1]).collect(),
    }
}

fn close_tables(a: &Table, b: &Table, tag: &str) {
    assert_eq!(a.schema().names(), b.schema().names(), "{tag}: weight 2 and the row twice give other columns");
    for (field, (x, y)) in a.schema().fields().iter().zip(a.columns().iter().zip(b.columns())) {
        match (x, y) {
            (Column::Number(x), Column::Number(y)) => {
                for (x, y) in x.iter().zip(y.iter()) {
                    let same = close(*x, *y, 1e-9) || (x.is_nan() && y.is_nan());
                    assert!(same, "{tag}: `{}`: weight 2 gives {x}, the row twice {y}", field.name);
                }
            }
            _ => assert_eq!(x, y, "{tag}: `{}`: weight 2 and the row twice", field.name),
        }
    }
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a - b).abs() <= tolerance * 1.0_f64.max(a.abs()).max(b.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;
    use serde::{Deserialize, Serialize};
    use stagewise_core::error::DataError;
    use stagewise_core::task::Regression;

    /// Answers the mean of two means: of the rows that it learns from, and of those that it judges by.
    #[derive(Clone, Serialize, Deserialize)]
    struct MeanOfMeans {
        share: f64,
        careless: bool,
    }

    #[derive(Serialize, Deserialize)]
    struct Constant(f64);

    impl Persist for MeanOfMeans {
        const TAG: &'static str = "MeanOfMeans";
    }
    impl Persist for Constant {
        const TAG: &'static str = "Constant";
    }

    impl Learner<Regression> for MeanOfMeans {
        type Model = Constant;

        fn holds_out(&self) -> Option<f64> {
            Some(self.share)
        }

        fn fit(&self, train: &Design<Regression>, _: &FitContext) -> Result<Constant> {
            let mean = |of: &Design<Regression>| {
                let weight = |row: usize| of.weights().map_or(1.0, |w| w[row]);
                let total: f64 = (0..of.target.len()).map(weight).sum();
                of.target.values().iter().enumerate().map(|(row, y)| weight(row) * y).sum::<f64>() / total
            };
            match &train.validation {
                Some(judge) => Ok(Constant(0.5 * (mean(train) + mean(judge)))),
                None if self.careless => Ok(Constant(mean(train))),
                None => Err(DataError::TooFewRows { what: "a mean of means".into(), needed: 1, found: 0 }.into()),
            }
        }
    }

    impl Predict<Regression> for Constant {
        fn predict(&self, features: &Features) -> Result<Array1<f64>> {
            Ok(Array1::from_elem(features.rows(), self.0))
        }

        fn predict_row(&self, _: &[f64]) -> Result<f64> {
            Ok(self.0)
        }
    }

    fn check(share: f64, careless: bool) {
        learner::<Regression, _>(&MeanOfMeans { share, careless }, &crate::data::regression_numeric(50, 1));
    }

    #[test]
    fn a_learner_that_holds_rows_out_is_given_them() {
        check(0.2, false);
    }

    #[test]
    #[should_panic(expected = "MeanOfMeans: holds rows out, and learns without them")]
    fn it_must_refuse_a_design_without_them() {
        check(0.2, true);
    }

    #[test]
    #[should_panic(expected = "MeanOfMeans: holds out 1, which is no share of the rows")]
    fn it_must_leave_rows_to_learn_from() {
        check(1.0, false);
    }
}
