//! Trees, scores and gradients against the numbers of other programs.

use std::sync::Arc;

use super::*;
use crate::tree::boost::input::Numbers;
use stagewise_core::column::Column;
use stagewise_core::matrix::Features;
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, ClassTarget, NumberTarget};
use stagewise_core::task::BinaryLabels;
use stagewise_testkit::golden::{self, Case, Golden};

/// Fits a case of scikit-learn's histogram gradient boosting and compares the scores of its rows.
fn compare<T: Task<Target: Numbers>>(golden: &Golden, case: &Case, target: T::Target, labels: T::Labels)
where
    GradientBoosting: Learner<T, Model = TreeEnsemble>,
{
    let x = case.matrix("/input/x");
    let columns: Vec<(String, Column)> = (0..x[0].len())
        .map(|j| (format!("x{j}"), Column::numbers(x.iter().map(|row| row[j]).collect::<Vec<_>>())))
        .collect();
    let features = Features::new(Table::of(columns).unwrap()).unwrap();
    let design =
        Design::<T>::new(features, target, labels).weighted(case.optional_numbers("/input/weights").map(Arc::new));
    let mut spec = GradientBoosting::new()
        .learning_rate(case.number("/input/learning_rate"))
        .min_rows_leaf(case.number("/input/min_samples_leaf"))
        .l2(case.number("/input/l2_regularization"))
        .max_leaves(case.value("/input/max_leaf_nodes").as_u64().map_or(usize::MAX, |n| n as usize))
        .max_depth(case.value("/input/max_depth").as_u64().map(|n| n as usize));
    for (j, direction) in case.optional_numbers("/input/monotonic_cst").unwrap_or_default().into_iter().enumerate() {
        if direction != 0.0 {
            spec = spec.monotone(format!("x{j}"), if direction > 0.0 { Monotone::Rising } else { Monotone::Falling });
        }
    }
    if let Some(groups) = case.value("/input/interaction_cst").as_array() {
        let names = |group: &serde_json::Value| {
            group.as_array().unwrap().iter().map(|j| format!("x{j}")).collect::<Vec<String>>()
        };
        spec = spec.interactions(groups.iter().map(names));
    }
    if case.value("/input/loss") == "poisson" {
        spec = spec.objective(Objective::Poisson);
    }
    // Where curvatures differ from row to row, ours estimates the rows of a candidate by their share of them; before the
    // first round those of all losses here but Gamma's are alike.
    let squared = case.value("/input/loss") == "squared_error";
    let stages = [(1, "/expected/raw_after_1"), (5, "/expected/raw_after_5")];
    for (rounds, pointer) in stages.into_iter().take(if squared { 2 } else { 1 }) {
        let model = Learner::<T>::fit(&spec.clone().rounds(rounds), &design, &FitContext::new(0)).unwrap();
        let scores = model.scores(&design.features).unwrap();
        // Softmax is the same for scores that differ by a constant: only those of a row are compared.
        let expected = case.matrix(pointer);
        for (row, expected) in expected.iter().enumerate() {
            let mean = |of: &[f64]| if of.len() > 1 { of.iter().sum::<f64>() / of.len() as f64 } else { 0.0 };
            let found: Vec<f64> = scores.row(row).to_vec();
            let (a, b) = (mean(&found), mean(expected));
            for (found, expected) in found.iter().zip(expected) {
                golden.assert_close(found - a, expected - b, &format!("{} after {rounds}, row {row}", case.name));
            }
        }
    }
}

#[test]
fn scores_are_those_of_scikit_learn() {
    let golden = golden::load("gradient_boosting.json");
    let mut seen = 0;
    for case in &golden.cases {
        // With weights its limit on leaves counts rows; ours counts weights, so that a row of weight 2 is a row twice.
        // Where monotone columns bind an answer w it takes the gain for −G w; ours is that of the loss, −(2 G w + H w²), as
        // in XGBoost and LightGBM.
        if !case.value("/input/weights").is_null() || !case.value("/input/monotonic_cst").is_null() {
            continue;
        }
        let y = case.numbers("/input/target");
        match case.value("/input/loss").as_str() {
            Some("binary") => {
                let labels = BinaryLabels { event: "1".into(), other: "0".into() };
                let events = y.iter().map(|&y| y > 0.5).collect::<Vec<_>>();
                compare::<Binary>(&golden, case, BinaryTarget::new(events), labels);
            }
            Some("gamma") => continue,
            Some("multiclass") => {
                let classes = case.numbers("/expected/start").len();
                let codes = y.iter().map(|&y| y as u32).collect::<Vec<_>>();
                let labels = stagewise_core::schema::Levels::new((0..classes).map(|c| c.to_string()));
                compare::<Multiclass>(&golden, case, ClassTarget::new(codes, classes), labels);
            }
            _ => compare::<Regression>(&golden, case, NumberTarget::new(y), ()),
        }
        seen += 1;
    }
    assert_eq!(seen, 8);
}
