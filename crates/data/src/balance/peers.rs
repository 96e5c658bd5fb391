//! What stays, how much comes, and who is in danger, beside the numbers of imbalanced-learn.

use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::problem::Problem;
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
