//! Batch path and row path of every stage, one after the other, on arbitrary columns: missing values, infinities, levels
//! never seen, whatever the policies.

use std::sync::Arc;

use proptest::prelude::*;
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::problem::Problem;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Levels, Schema};
use stagewise_core::select::{all, categories, flags, numbers};
use stagewise_core::stage::{Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::task::Regression;
use stagewise_features::{
    DropLevel, MedianImputer, MissingLevel, MostFrequentImputer, OneHotEncoder, StandardScaler, Unseen,
};

const KNOWN: u32 = 4;
const NEW: u32 = 2;

#[derive(Debug, Clone)]
struct Row {
    x: f64,
    code: u32,
    flag: Option<bool>,
    weight: f64,
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0,
        2 => Just(f64::NAN),
        1 => prop::num::f64::ANY,
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0), Just(1e300)],
    ]
}

fn row(codes: u32) -> impl Strategy<Value = Row> {
    let code = prop_oneof![4 => 0..codes, 1 => Just(MISSING_CODE)];
    (number(), code, prop::option::of(any::<bool>()), prop_oneof![Just(0.0), Just(1.0), 0.0..3.0])
        .prop_map(|(x, code, flag, weight)| Row { x, code, flag, weight })
}

fn columns(rows: &[Row], levels: u32) -> Vec<Column> {
    let levels = Arc::new(Levels::new((0..levels).map(|code| format!("l{}", (code * 7) % 10))));
    vec![
        Column::numbers(rows.iter().map(|row| row.x).collect::<Vec<_>>()),
        Column::Category { codes: Arc::new(rows.iter().map(|row| row.code).collect()), levels },
        Column::flags(rows.iter().map(|row| row.flag).collect::<Vec<_>>()),
    ]
}

fn training(rows: &[Row], weighted: bool) -> Dataset<Regression> {
    let target = Column::numbers(vec![1.0; rows.len()]);
    let table = Table::of(["x", "c", "f", "target"].into_iter().zip(columns(rows, KNOWN).into_iter().chain([target])));
    let train = Dataset::new(table.unwrap(), &Problem::new("target")).unwrap();
    if weighted { train.reweighted(rows.iter().map(|row| row.weight).collect()).unwrap() } else { train }
}

/// Both paths through one stage; levels that were not seen go the row path once by name and once by code.
fn check<S: Transformer<Regression>>(spec: &S, train: &Dataset<Regression>, later: &Table, by_name: bool) -> S::Fitted {
    let fitted = spec.fit(train, &FitContext::new(0)).unwrap();
    let batch = fitted.transform(later.clone());
    let mut refused = false;
    for row in 0..later.rows() {
        let mut cells = Vec::new();
        later.row_into(row, &mut cells);
        if by_name {
            named(&mut cells, fitted.input(), later);
        }
        let mut out = Vec::new();
        match fitted.transform_row(&cells, &mut out) {
            Err(_) => refused = true,
            Ok(()) => {
                let Ok(batch) = &batch else { continue };
                let mut whole = Vec::new();
                batch.row_into(row, &mut whole);
                if by_name {
                    named(&mut whole, fitted.output(), batch);
                }
                assert_eq!(bits(&out), bits(&whole), "{} in row {row}", S::TAG);
            }
        }
    }
    assert_eq!(batch.is_err(), refused, "{}: one path refuses what the other takes", S::TAG);
    fitted
}

fn named(cells: &mut [Cell], schema: &Schema, table: &Table) {
    for (cell, (field, column)) in cells.iter_mut().zip(schema.fields().iter().zip(table.columns())) {
        if let (Cell::Level(code), Some(known), Ok((_, levels))) = (&*cell, &field.levels, column.as_categories())
            && *code as usize >= known.len()
        {
            *cell = Cell::NewLevel(levels.name(*code).unwrap().clone());
        }
    }
}

/// Cells that compare numbers by their bits.
fn bits(cells: &[Cell]) -> Vec<(Option<u64>, Cell)> {
    let bits = |cell: &Cell| if let Cell::Number(x) = cell { Some(x.to_bits()) } else { None };
    cells.iter().map(|cell| (bits(cell), cell.clone())).collect()
}

fn unseen() -> impl Strategy<Value = Unseen> {
    prop_oneof![Just(Unseen::Ignore), Just(Unseen::Rare), Just(Unseen::Error)]
}

fn missing() -> impl Strategy<Value = MissingLevel> {
    prop_oneof![Just(MissingLevel::Level), Just(MissingLevel::Zeros)]
}

fn drop() -> impl Strategy<Value = DropLevel> {
    prop_oneof![Just(DropLevel::None), Just(DropLevel::First), Just(DropLevel::Binary)]
}

proptest! {
    #[test]
    fn both_paths_give_the_same_bits(
        train in prop::collection::vec(row(KNOWN), 1..12),
        later in prop::collection::vec(row(KNOWN + NEW), 0..12),
        weighted: bool,
        by_name: bool,
        indicator: bool,
        (unseen, missing, drop, rare_below) in (unseen(), missing(), drop(), 0usize..4),
    ) {
        let train = training(&train, weighted);
        let later = Table::sized(train.features().schema().clone(), columns(&later, KNOWN + NEW), later.len()).unwrap();

        let spec = OneHotEncoder::on(categories()).unseen(unseen).missing(missing).drop(drop).rare_below(rare_below);
        check(&spec, &train, &later, by_name);
        check(&StandardScaler::on(numbers()), &train, &later, by_name);

        let complete = |table: &Table, of: &[&str]| of.iter().all(|name| table.column(name).unwrap().missing_count() == 0);
        let fitted = check(&MedianImputer::on(numbers()).indicator(indicator), &train, &later, by_name);
        prop_assert!(complete(&fitted.transform(later.clone()).unwrap(), &["x"]));
        let fitted = check(&MostFrequentImputer::on(categories() | flags()), &train, &later, by_name);
        prop_assert!(complete(&fitted.transform(later.clone()).unwrap(), &["c", "f"]));
        let fitted = check(&MostFrequentImputer::on(all()).indicator(indicator), &train, &later, by_name);
        let imputed = fitted.transform(later).unwrap();
        prop_assert!(complete(&imputed, &["x", "c", "f"]));

        // A stage behind another sees what it gave.
        let train = train.map_features(|table| fitted.transform(table)).unwrap();
        let scaled = check(&StandardScaler::on(numbers()), &train, &imputed, by_name).transform(imputed.clone()).unwrap();
        prop_assert_eq!(scaled.rows(), imputed.rows());
        check(&spec, &train, &imputed, by_name);
    }
}
