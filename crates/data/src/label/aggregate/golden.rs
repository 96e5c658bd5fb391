//! The aggregators against crowd-kit, every case of the golden file.

use stagewise_core::schema::Levels;
use stagewise_testkit::golden::{Case, Golden, load};

use super::*;
use crate::label::annotations::Given;

fn count(case: &Case, name: &str) -> usize {
    case.number(&format!("/input/{name}")) as usize
}

fn answers(case: &Case) -> Annotations {
    let names = |name: &str| Levels::new((0..count(case, name)).map(|i| i.to_string()));
    let rows = case.matrix("/input/answers");
    let row = |row: &Vec<f64>| (row[0] as u32, Given { worker: row[1] as u32, label: row[2] as u32 });
    let rows = rows.iter().map(row).collect();
    Annotations::coded(names("tasks"), names("workers"), names("labels"), rows, 0).unwrap()
}

fn check(golden: &Golden, case: &Case, key: &str, found: &Aggregated) {
    for (task, expected) in case.matrix(&format!("/expected/{key}/posterior")).iter().enumerate() {
        golden.assert_all_close(found.posterior(task).unwrap(), expected, &format!("{} {key} {task}", case.name));
    }
}

#[test]
fn votes_equal_crowd_kit() {
    let golden = load("aggregation.json");
    assert_eq!(golden.cases.len(), 3);
    for case in &golden.cases {
        let (answers, cx) = (answers(case), FitContext::new(0));
        let majority = MajorityVote::new().aggregate(&answers, &cx).unwrap();
        let wawa = WeightedVote::new().rounds(1).aggregate(&answers, &cx).unwrap();
        for (key, found) in [("majority", majority), ("wawa", wawa)] {
            check(&golden, case, key, &found);
            let skills: Vec<f64> = found.skills().iter().map(|skill| skill.unwrap()).collect();
            golden.assert_all_close(&skills, &case.numbers(&format!("/expected/{key}/skills")), &case.name);
        }
    }
}

#[test]
fn dawid_skene_equals_crowd_kit_step_for_step() {
    let golden = load("aggregation.json");
    for case in &golden.cases {
        let steps = case.number("/expected/dawid_skene/steps") as usize;
        let spec = DawidSkene::new().smoothing(0.0).tolerance(0.0).steps(steps);
        let found = spec.aggregate(&answers(case), &FitContext::new(0)).unwrap();
        assert_eq!(found.objective().len(), steps);
        check(&golden, case, "dawid_skene", &found);
        let matrices = case.matrix("/expected/dawid_skene/matrices");
        let rows = (0..count(case, "workers")).flat_map(|worker| {
            let of = found.confusion(&worker.to_string()).unwrap();
            of.into_iter().map(<[f64]>::to_vec).collect::<Vec<_>>()
        });
        for (row, expected) in rows.zip(&matrices) {
            golden.assert_all_close(&row, expected, &case.name);
        }
    }
}

#[test]
fn glad_ends_where_crowd_kit_does() {
    const CLOSE: f64 = 1e-3;
    let golden = load("aggregation.json");
    let cases: Vec<&Case> = golden.cases.iter().filter(|case| !case.value("/expected/glad").is_null()).collect();
    assert_eq!(cases.len(), 1);
    for case in cases {
        let spec = Glad::new().steps(2000).tolerance(1e-14);
        let found = spec.aggregate(&answers(case), &FitContext::new(0)).unwrap();
        let close = |found: f64, expected: f64, what: &str| {
            assert!((found - expected).abs() < CLOSE, "{what}: {found} {expected}");
        };
        for (task, expected) in case.matrix("/expected/glad/posterior").iter().enumerate() {
            let row = found.posterior(task).unwrap();
            row.iter().zip(expected).for_each(|(found, expected)| close(*found, *expected, "posterior"));
        }
        for (worker, expected) in case.numbers("/expected/glad/abilities").iter().enumerate() {
            close(found.skills()[worker].unwrap(), *expected, "ability");
        }
        for (task, expected) in case.numbers("/expected/glad/inverse").iter().enumerate() {
            close(-found.difficulty(&task.to_string()).unwrap().ln(), *expected, "inverse difficulty");
        }
    }
}
