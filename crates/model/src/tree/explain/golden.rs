//! Explanations against values of the Python package shap, and of the definition summed up in Python.

use serde_json::Value;
use stagewise_core::column::Column;
use stagewise_core::matrix::Features;
use stagewise_core::table::Table;
use stagewise_testkit::golden::{Case, load};

use crate::tree::ensemble::TreeEnsemble;
use crate::tree::structure::Tree;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn tree(value: &Value) -> Tree {
    let [left, right, feature, threshold, values, cover] =
        ["left", "right", "feature", "threshold", "value", "cover"].map(|part| numbers(&value[part]));
    let mut tree = Tree::new();
    for at in 0..left.len() {
        if left[at] < 0.0 {
            tree.leaf(&[values[at]]);
        } else {
            tree.split(feature[at] as usize, threshold[at], true);
            tree.link(at, true, left[at] as usize);
            tree.link(at, false, right[at] as usize);
        }
        tree.weigh(at, cover[at], 0.0);
    }
    tree
}

fn features(rows: &[Vec<f64>]) -> Features {
    let columns = (0..rows[0].len())
        .map(|j| (format!("x{j}"), Column::numbers(rows.iter().map(|row| row[j]).collect::<Vec<_>>())));
    Features::new(Table::of(columns).unwrap()).unwrap()
}

fn model(case: &Case, width: usize) -> TreeEnsemble {
    let names = (0..width).map(|j| format!("x{j}")).collect();
    let trees = case.value("/input/trees").as_array().unwrap().iter().map(tree).collect();
    TreeEnsemble::sum(names, vec![case.number("/input/intercept")], trees).unwrap()
}

#[test]
fn contributions_and_interactions_are_those_of_shap() {
    let golden = load("tree_shap.json");
    assert!(golden.cases.len() >= 8);
    for case in &golden.cases {
        let rows = case.matrix("/input/x");
        let width = rows[0].len();
        let model = model(case, width);
        let (rows, background) = (features(&rows), features(&case.matrix("/input/background")));
        let path = model.contributions(&rows).unwrap();
        let against = model.contributions_against(&rows, &background).unwrap();
        for (found, game) in [(path, "path_dependent"), (against, "interventional")] {
            golden.assert_close(found.bias()[0], case.number(&format!("/expected/{game}/base")), &case.name);
            let expected = case.matrix(&format!("/expected/{game}/values"));
            for (row, expected) in found.values().outer_iter().zip(&expected) {
                let what = format!("{} {game}", case.name);
                golden.assert_all_close(&row.iter().take(width).copied().collect::<Vec<_>>(), expected, &what);
            }
        }
        let found = model.interactions(&rows).unwrap();
        let expected = case.matrix("/expected/path_dependent/interactions");
        for (row, expected) in found.values().outer_iter().zip(&expected) {
            golden.assert_all_close(&row.iter().copied().collect::<Vec<_>>(), expected, &case.name);
        }
    }
}
