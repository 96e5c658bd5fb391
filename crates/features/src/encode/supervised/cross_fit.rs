//! Fits an encoder to all training rows, and changes each training row by what the others say.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::columns::positions;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, Result};
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::split::{group_folds, stratified_folds};
use stagewise_core::stage::{Plan, Transform};
use stagewise_core::table::Table;
use stagewise_core::target::TargetValues;
use stagewise_numeric::random::Stream;

use super::outcome::{Outcome, Outcomes, Tally};
use super::spec::{HeldOut, Supervised, smoothed};
use super::sums::{Parts, Places, Sums, Totals};
use crate::encode::by_level::{FittedLevelEncoder, LevelNumbers, Stand};
use crate::encode::unseen::MissingAs;
use crate::rewrite::{Rewrite, plan as plan_of};

/// The columns that will come: under the names that were there, or one for each class, whose names are not known yet.
pub(super) fn plan<T: Outcome, S: Supervised>(spec: &S, input: &Schema) -> Result<Plan> {
    spec.check()?;
    let positions = positions(spec.on(), input, &[Kind::Category])?;
    let fields = |field: &Field| LevelNumbers::fields_of(field, &[String::new()], false);
    Ok(plan_of(input, &positions, !T::BY_CLASS, fields))
}

/// Learns from all rows.
pub(super) fn fit<T: Outcome, S: Supervised>(
    spec: &S,
    train: &Dataset<T>,
    cx: &FitContext,
) -> Result<FittedLevelEncoder> {
    learn(spec, train, &T::outcomes(train), cx, None).map(|(fitted, _)| fitted)
}

/// Learns from all rows, and changes each without its own target.
pub(super) fn fit_transform<T: Outcome, S: Supervised>(
    spec: &S,
    train: Dataset<T>,
    cx: &FitContext,
) -> Result<(FittedLevelEncoder, Dataset<T>)> {
    spec.check()?;
    if positions(spec.on(), train.features().schema(), &[Kind::Category])?.is_empty() {
        return Ok((fit(spec, &train, cx)?, train));
    }
    let outcomes = T::outcomes(&train);
    let hidden = Hidden::draw(spec, &train, &outcomes, cx)?;
    changed(spec, train, &outcomes, cx, &hidden)
}

/// As [`fit_transform`], with folds or orders that are given.
pub(super) fn changed<T: Outcome, S: Supervised>(
    spec: &S,
    train: Dataset<T>,
    outcomes: &Outcomes,
    cx: &FitContext,
    hidden: &Hidden,
) -> Result<(FittedLevelEncoder, Dataset<T>)> {
    let (fitted, mut columns) = learn(spec, &train, outcomes, cx, Some(hidden))?;
    let output = fitted.output().clone();
    let train = train.map_features(|features| {
        let rows = features.rows();
        let (schema, kept) = features.into_parts();
        let mut all = Vec::with_capacity(output.len());
        for (field, column) in schema.fields().iter().zip(kept) {
            match columns.remove(&field.name) {
                Some(made) => all.extend(made),
                None => all.push(column),
            }
        }
        Table::sized(output, all, rows)
    })?;
    Ok((fitted, train))
}

/// Which rows the training rows do not see.
#[derive(Debug)]
pub(super) enum Hidden {
    Folds(Parts),
    /// Each row with those of its group.
    Itself {
        smooth: f64,
        noise: f64,
        groups: Option<Vec<u32>>,
    },
    /// Orders of the rows; neighbours of one group do not see each other.
    Later {
        smooth: f64,
        orders: Vec<Vec<usize>>,
        groups: Option<Vec<u32>>,
    },
}

impl Hidden {
    fn draw<T: Outcome, S: Supervised>(
        spec: &S,
        train: &Dataset<T>,
        outcomes: &Outcomes,
        cx: &FitContext,
    ) -> Result<Self> {
        Ok(match spec.held_out() {
            HeldOut::Fold(folds) => Self::Folds(drawn_folds(S::TAG, train, outcomes, folds, cx)?),
            HeldOut::Row { smooth, noise } => Self::Itself { smooth, noise, groups: train.groups() },
            HeldOut::Later { smooth, orders } => {
                let mut stream = cx.stream("orders");
                let (counting, groups) = (outcomes.counting(), train.groups());
                let orders = (0..orders).map(|_| drawn_order(&counting, groups.as_deref(), &mut stream)).collect();
                Self::Later { smooth, orders, groups }
            }
        })
    }

    fn parts(&self) -> Option<&Parts> {
        match self {
            Self::Folds(parts) => Some(parts),
            Self::Itself { .. } | Self::Later { .. } => None,
        }
    }
}

/// Folds of the rows that count: whole groups where there are groups, else each with its share of every class.
fn drawn_folds<T: Outcome>(
    tag: &str,
    train: &Dataset<T>,
    outcomes: &Outcomes,
    folds: usize,
    cx: &FitContext,
) -> Result<Parts> {
    let counting = outcomes.counting();
    if counting.len() < 2 {
        return Err(DataError::TooFewRows { what: tag.into(), needed: 2, found: counting.len() }.into());
    }
    let mut stream = cx.stream("folds");
    let (fold_of, count) = match train.groups() {
        None => {
            let strata = train.target().take(&counting).strata();
            // Each row a fold of its own where there are fewer rows than folds.
            let count = folds.min(counting.len());
            (stratified_folds(&strata, count, &mut stream)?, count)
        }
        Some(all) => {
            // Which of two equally large groups comes first is drawn, too.
            let order = stream.permutation(counting.len());
            let groups: Vec<u32> = order.iter().map(|&place| all[counting[place]]).collect();
            let mut distinct = groups.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let count = folds.min(distinct.len()).max(2);
            let mut fold_of = vec![0; counting.len()];
            group_folds(&groups, count)?.into_iter().zip(order).for_each(|(fold, place)| fold_of[place] = fold);
            (fold_of, count)
        }
    };
    let mut of = vec![count as u32; train.rows()];
    counting.iter().zip(fold_of).for_each(|(&row, fold)| of[row] = fold);
    Ok(Parts { of, count })
}

/// The rows that count in a random order; with groups, group by group.
fn drawn_order(counting: &[usize], groups: Option<&[u32]>, stream: &mut Stream) -> Vec<usize> {
    let Some(groups) = groups else {
        return stream.permutation(counting.len()).into_iter().map(|place| counting[place]).collect();
    };
    let mut rows = counting.to_vec();
    rows.sort_by_key(|&row| groups[row]);
    let mut lists: Vec<&[usize]> = rows.chunk_by(|&a, &b| groups[a] == groups[b]).collect();
    lists.sort_unstable_by_key(|list| list[0]);
    stream.permutation(lists.len()).into_iter().flat_map(|list| lists[list].iter().copied()).collect()
}

/// Learned columns by name.
type Made = HashMap<Arc<str>, Vec<Column>>;

fn learn<T: Outcome, S: Supervised>(
    spec: &S,
    train: &Dataset<T>,
    outcomes: &Outcomes,
    cx: &FitContext,
    hidden: Option<&Hidden>,
) -> Result<(FittedLevelEncoder, Made)> {
    spec.check()?;
    let positions = positions(spec.on(), train.features().schema(), &[Kind::Category])?;
    let counting = outcomes.counting();
    if counting.is_empty() && !positions.is_empty() {
        return Err(DataError::TooFewRows { what: S::TAG.into(), needed: 1, found: 0 }.into());
    }
    let parts = hidden.and_then(Hidden::parts);
    let totals = Totals::new(outcomes, &counting, parts);
    let fields = train.features().schema().fields();
    let made: HashMap<Arc<str>, OnceLock<Vec<Column>>> =
        positions.iter().map(|&position| (fields[position].name.clone(), OnceLock::new())).collect();
    let fitted = Rewrite::learn(train, &positions, cx, |training| {
        let places = Places::of(training.column, outcomes, spec.missing())?;
        let sums = Sums::new(outcomes, places, parts);
        if let (Some(hidden), Some(column)) = (hidden, made.get(&training.field.name)) {
            let numbers = match hidden {
                Hidden::Folds(parts) => by_fold(spec, &sums, &totals, parts),
                Hidden::Itself { smooth, noise, groups } => {
                    let mut stream = cx.stream(&format!("noise {}", training.field.name));
                    let mut blur = |spread: f64| if *noise > 0.0 { noise * spread * stream.normal() } else { 0.0 };
                    but_itself(&sums, &totals, *smooth, groups.as_deref(), &mut blur)
                }
                Hidden::Later { smooth, orders, groups } => {
                    by_order(&sums, &totals, *smooth, orders, groups.as_deref())
                }
            };
            // Each column is learned once.
            _ = column.set(numbers.into_iter().map(Column::numbers).collect());
        }
        Ok(rule(spec, &sums, &totals))
    })?;
    let made = made.into_iter().filter_map(|(name, columns)| Some((name, columns.into_inner()?))).collect();
    Ok((fitted, made))
}

/// What rows to come are changed by.
fn rule<S: Supervised>(spec: &S, sums: &Sums<'_>, totals: &Totals) -> LevelNumbers {
    let outcomes = sums.outcomes();
    let all = |outcome| totals.tally(outcomes, outcome, None);
    let numbers: Vec<Vec<f64>> = (0..outcomes.count()).map(|k| spec.numbers(&sums.tallies(k, None), all(k))).collect();
    let of = |level: usize| numbers.iter().map(move |numbers| outcomes.value(numbers[level]));
    let levels = sums.places().count() - 1;
    let missing = match spec.missing() {
        MissingAs::Level | MissingAs::Unseen => Stand::Numbers(of(levels).collect()),
        MissingAs::Error => Stand::Refused,
    };
    let unseen = (0..outcomes.count()).map(|k| outcomes.value(spec.unseen(all(k)))).collect();
    LevelNumbers::new(outcomes.suffixes.clone(), levels, missing, Stand::Numbers(unseen), |code, out| {
        out.extend(of(code as usize));
    })
}

/// Each row by the rows of the other folds; one of no fold by all.
fn by_fold<S: Supervised>(spec: &S, sums: &Sums<'_>, totals: &Totals, parts: &Parts) -> Vec<Vec<f64>> {
    let (outcomes, places) = (sums.outcomes(), sums.places());
    let of_outcome = |outcome| {
        let numbers = |part| {
            let without = (part < parts.count).then_some(part);
            let levels = sums.tallies(outcome, without);
            let numbers = spec.numbers(&levels, totals.tally(outcomes, outcome, without));
            numbers.into_iter().map(|z| outcomes.value(z)).collect::<Vec<f64>>()
        };
        let tables: Vec<Vec<f64>> = (0..=parts.count).into_par_iter().map(numbers).collect();
        (0..places.rows()).map(|row| tables[parts.of[row] as usize][places.at(row)]).collect::<Vec<f64>>()
    };
    (0..outcomes.count()).map(of_outcome).collect()
}

/// Each row by all others of its level that are not of its group, and some rows of the mean of all. That mean is of all rows: one
/// without the row itself would say what the row is.
fn but_itself(
    sums: &Sums<'_>,
    totals: &Totals,
    smooth: f64,
    groups: Option<&[u32]>,
    blur: &mut dyn FnMut(f64) -> f64,
) -> Vec<Vec<f64>> {
    let (outcomes, places) = (sums.outcomes(), sums.places());
    let mut order: Vec<usize> = (0..places.rows()).collect();
    if let Some(groups) = groups {
        order.sort_by_key(|&row| (places.at(row), groups[row]));
    }
    let together = |&a: &usize, &b: &usize| groups.is_some_and(|g| g[a] == g[b]) && places.at(a) == places.at(b);
    let mut level = vec![0; outcomes.width()];
    let mut itself = level.clone();
    let mut numbers = vec![vec![0.0; places.rows()]; outcomes.count()];
    for (outcome, numbers) in numbers.iter_mut().enumerate() {
        let all = totals.tally(outcomes, outcome, None);
        let deviation = (all.spread / all.weight).sqrt();
        for rows in order.chunk_by(together) {
            sums.level(places.at(rows[0]), None, &mut level);
            itself.fill(0);
            rows.iter().filter(|&&row| places.counts(row)).for_each(|&row| outcomes.add(&mut itself, row));
            level.iter_mut().zip(&itself).for_each(|(level, own)| *level -= own);
            let z = smoothed(outcomes.tally(&level, outcome), all, smooth);
            rows.iter().for_each(|&row| numbers[row] = outcomes.value(z + blur(deviation)));
        }
    }
    numbers
}

/// Each row by those of its level that come before it; one of no order by all. The mean over the orders.
fn by_order(
    sums: &Sums<'_>,
    totals: &Totals,
    smooth: f64,
    orders: &[Vec<usize>],
    groups: Option<&[u32]>,
) -> Vec<Vec<f64>> {
    let (outcomes, places, width) = (sums.outcomes(), sums.places(), sums.outcomes().width());
    let all: Vec<Tally> = (0..outcomes.count()).map(|k| totals.tally(outcomes, k, None)).collect();
    let mut numbers = vec![vec![0.0; places.rows()]; outcomes.count()];
    let mut is_ordered = vec![false; places.rows()];
    for order in orders {
        let mut before = vec![0; places.count() * width];
        for rows in order.chunk_by(|&a, &b| groups.is_some_and(|groups| groups[a] == groups[b])) {
            for &row in rows {
                is_ordered[row] = true;
                let level = &before[places.at(row) * width..][..width];
                for (outcome, numbers) in numbers.iter_mut().enumerate() {
                    let z = smoothed(outcomes.tally(level, outcome), all[outcome], smooth);
                    numbers[row] += z / orders.len() as f64;
                }
            }
            for &row in rows.iter().filter(|&&row| places.counts(row)) {
                outcomes.add(&mut before[places.at(row) * width..][..width], row);
            }
        }
    }
    let mut level = vec![0; width];
    for (outcome, numbers) in numbers.iter_mut().enumerate() {
        for (row, number) in numbers.iter_mut().enumerate() {
            if !is_ordered[row] {
                sums.level(places.at(row), None, &mut level);
                *number = smoothed(outcomes.tally(&level, outcome), all[outcome], smooth);
            }
            *number = outcomes.value(*number);
        }
    }
    numbers
}
