//! What stays, how much comes, and who is in danger, beside the numbers of imbalanced-learn.

use std::sync::Arc;

use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::problem::Problem;
use stagewise_core::schema::Levels;
use stagewise_core::stage::Sampler;
use stagewise_core::table::Table;
use stagewise_core::task::Multiclass;
use stagewise_testkit::golden;

use super::classes::ByClass;
use super::*;

fn rows(case: &golden::Case) -> Dataset<Multiclass> {
    let x = case.matrix("/input/x");
    let axes =
        (0..x[0].len()).map(|j| (format!("x{j}"), Column::numbers(x.iter().map(|row| row[j]).collect::<Vec<_>>())));
    let id = Column::numbers((0..x.len()).map(|row| row as f64).collect::<Vec<_>>());
    let y = Column::numbers(case.numbers("/input/y"));
    let table = Table::of(axes.chain([("id".to_string(), id), ("y".to_string(), y)]).collect::<Vec<_>>()).unwrap();
    Dataset::new(table, &Problem::new("y").id("id")).unwrap()
}

/// The rows of a case with categories, whose levels are the codes as text, in the order of the codes.
fn mixed_rows(case: &golden::Case) -> Dataset<Multiclass> {
    let matrix = |name: &str| if case.value("/input/kind") == "smote_n" { Vec::new() } else { case.matrix(name) };
    let (numbers, levels) = (matrix("/input/numbers"), case.matrix("/input/levels"));
    let of = |rows: &[Vec<f64>], j: usize| rows.iter().map(|row| row[j]).collect::<Vec<f64>>();
    let width = |rows: &[Vec<f64>]| rows.first().map_or(0, Vec::len);
    let mut columns: Vec<(String, Column)> =
        (0..width(&numbers)).map(|j| (format!("x{j}"), Column::numbers(of(&numbers, j)))).collect();
    for j in 0..width(&levels) {
        let codes: Vec<u32> = of(&levels, j).iter().map(|&code| code as u32).collect();
        let names = (0..=codes.iter().max().map_or(0, |&code| code)).map(|code| code.to_string());
        let levels = Arc::new(Levels::new(names.collect::<Vec<_>>()));
        columns.push((format!("c{j}"), Column::Category { codes: Arc::new(codes), levels }));
    }
    let id = (0..levels.len()).map(|row| row as f64).collect::<Vec<_>>();
    columns.push(("id".into(), Column::numbers(id)));
    columns.push(("y".into(), Column::numbers(case.numbers("/input/y"))));
    Dataset::new(Table::of(columns).unwrap(), &Problem::new("y").id("id")).unwrap()
}

fn ids(data: &Dataset<Multiclass>) -> Vec<f64> {
    data.aside().column("id").unwrap().as_numbers().unwrap().to_vec()
}

#[test]
fn cleaners_keep_the_rows_that_imbalanced_learn_keeps() {
    let golden = golden::load("balance.json");
    for case in &golden.cases {
        let data = rows(case);
        let check = |key: &str, sampler: &dyn Fn(Dataset<Multiclass>) -> Dataset<Multiclass>| {
            let expected = case.numbers(&format!("/expected/kept/{key}"));
            golden.assert_all_close(&ids(&sampler(data.clone())), &expected, &format!("{}, {key}", case.name));
        };
        macro_rules! check {
            ($($key:literal: $sampler:expr,)*) => {
                $(check($key, &|data| $sampler.standardise(false).resample(data, &FitContext::new(1)).unwrap());)*
            };
        }
        let edited = EditedNearestNeighbours::new;
        check! {
            "tomek": TomekLinks::new(),
            "tomek_all": TomekLinks::new().all_classes(true),
            "edited": edited(),
            "edited_most": edited().vote(NeighbourVote::Most),
            "edited_most_of_5_all": edited().vote(NeighbourVote::Most).neighbours(5).all_classes(true),
            "neighbourhood": NeighbourhoodCleaning::new(),
            "neighbourhood_of_5": NeighbourhoodCleaning::new().neighbours(5).threshold(3.0),
            "near_miss_1": NearMiss::new(),
            "near_miss_2": NearMiss::new().version(NearMissVersion::Farthest),
            "near_miss_3": NearMiss::new().version(NearMissVersion::Around),
        }
    }
}

#[test]
fn classes_get_as_many_rows_as_in_imbalanced_learn() {
    let golden = golden::load("balance.json");
    for case in &golden.cases {
        let data = rows(case);
        let check = |key: &str, resampled: Dataset<Multiclass>| {
            let found: Vec<f64> = ByClass::new(&resampled).rows.iter().map(|rows| rows.len() as f64).collect();
            let expected = case.numbers(&format!("/expected/counts/{key}"));
            golden.assert_all_close(&found, &expected, &format!("{}, {key}", case.name));
        };
        let cx = FitContext::new(1);
        check("over", RandomOverSampler::new().resample(data.clone(), &cx).unwrap());
        check("under", RandomUnderSampler::new().resample(data.clone(), &cx).unwrap());
        check("smote", Smote::new().resample(data.clone(), &cx).unwrap());
        check("adasyn", Adasyn::new().standardise(false).resample(data.clone(), &cx).unwrap());
        if case.optional_numbers("/expected/counts/over_half").is_some() {
            check("over_half", RandomOverSampler::new().ratio(0.57).resample(data.clone(), &cx).unwrap());
            check("under_half", RandomUnderSampler::new().ratio(0.57).resample(data, &cx).unwrap());
        }
    }
}

#[test]
fn rows_in_danger_are_those_of_imbalanced_learn() {
    let golden = golden::load("balance.json");
    for case in &golden.cases {
        let data = rows(case);
        let classes = ByClass::new(&data);
        let smallest = classes.smallest().unwrap();
        let sampler = BorderlineSmote::new().standardise(false).ratio_of(&*classes.names[smallest], 1.0);
        let grown = sampler.resample(data.clone(), &FitContext::new(1)).unwrap();
        // An id is the parent's; there are more children than rows in danger, so each of these has one.
        let mut parents = ids(&grown).split_off(data.rows());
        parents.sort_by(f64::total_cmp);
        parents.dedup();
        golden.assert_all_close(&parents, &case.numbers("/expected/danger"), &case.name);
    }
}

/// Position, in `list`, of what is sure in a list with gaps.
fn sure(list: &serde_json::Value) -> Vec<(usize, Vec<f64>)> {
    let list = list.as_array().unwrap().iter().enumerate().filter(|(_, value)| !value.is_null());
    let numbers = |value: &serde_json::Value| value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    list.map(|(place, value)| (place, numbers(value))).collect()
}

#[test]
fn rows_with_categories_lie_apart_as_in_imbalanced_learn() {
    let golden = golden::load("smote_categories.json");
    let mut compared = 0;
    for case in &golden.cases {
        let data = mixed_rows(case);
        let k = case.number("/input/neighbours") as usize;
        let classes = ByClass::new(&data);
        let space = Space::new("test", data.features(), false).unwrap().valued(&classes, None);
        for place in 0..case.value("/expected/of").as_array().unwrap().len() {
            let at = |name: &str| format!("/expected/of/{place}/{name}");
            let rows: Vec<usize> = case.numbers(&at("rows")).iter().map(|&row| row as usize).collect();
            let apart = space.apart(&rows);
            if case.value("/input/kind") == "smote_nc" {
                golden.assert_close(apart, case.number(&at("apart")), &format!("{}, apart", case.name));
            }
            let near = space.points(&rows, apart).nearest(k);
            for (row, expected) in case.matrix(&at("squared")).iter().enumerate() {
                golden.assert_all_close(near.squared(row), expected, &format!("{}, row {row}", case.name));
            }
            for (row, expected) in sure(case.value(&at("nearest"))) {
                let found: Vec<f64> = near.of(row).iter().map(|&other| rows[other] as f64).collect();
                golden.assert_all_close(&found, &expected, &format!("{}, neighbours of {row}", case.name));
                compared += 1;
            }
        }
    }
    assert!(compared > 150, "{compared}");
}

#[test]
fn levels_of_new_rows_are_those_that_imbalanced_learn_votes_for() {
    let golden = golden::load("smote_categories.json");
    let mut compared = 0;
    for case in &golden.cases {
        let data = mixed_rows(case);
        let k = case.number("/input/neighbours") as usize;
        // Each row that may be a parent has several children.
        let grown = Smote::new().neighbours(k).standardise(false).resample(data.clone(), &FitContext::new(1)).unwrap();
        let parents = ids(&grown);
        let numbers: Vec<&[f64]> = grown.features().columns().iter().filter_map(|c| c.as_numbers().ok()).collect();
        for place in 0..case.value("/expected/of").as_array().unwrap().len() {
            let at = |name: &str| format!("/expected/of/{place}/{name}");
            let rows: Vec<f64> = case.numbers(&at("rows"));
            let (levels, near) = (sure(case.value(&at("levels"))), sure(case.value(&at("nearest"))));
            for new in data.rows()..grown.rows() {
                let Some(own) = rows.iter().position(|&row| row == parents[new]) else { continue };
                if let Some((_, expected)) = levels.iter().find(|(row, _)| *row == own) {
                    let found: Vec<f64> = grown
                        .features()
                        .columns()
                        .iter()
                        .filter_map(|column| column.as_categories().ok())
                        .map(|(codes, _)| f64::from(codes[new]))
                        .collect();
                    golden.assert_all_close(&found, expected, &format!("{}, child of {own}", case.name));
                    compared += 1;
                }
                // Its numbers lie on the way from the parent to one of these neighbours.
                if let Some((_, mates)) = near.iter().find(|(row, _)| *row == own).filter(|_| !numbers.is_empty()) {
                    let parent = parents[new] as usize;
                    let on_the_way = |&mate: &f64| {
                        let ways: Vec<(f64, f64)> =
                            numbers.iter().map(|x| (x[new] - x[parent], x[mate as usize] - x[parent])).collect();
                        let gap = ways[0].0 / ways[0].1;
                        (0.0..=1.0).contains(&gap)
                            && ways.iter().all(|(own, way)| (own - gap * way).abs() <= 1e-9 * (1.0 + way.abs()))
                    };
                    assert!(mates.iter().any(on_the_way), "{}: row {new} lies off", case.name);
                }
            }
        }
    }
    assert!(compared > 100, "{compared}");
}
