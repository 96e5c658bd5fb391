//! Against the trees of scikit-learn, which its forests are made of.

use super::*;
use stagewise_core::column::Column;
use stagewise_testkit::golden::{self, Case};

fn table(case: &Case) -> Table {
    let x = case.matrix("/input/x");
    let columns = (0..x[0].len()).map(|j| {
        let values: Vec<f64> = x.iter().map(|row| row[j]).collect();
        (format!("x{j}"), Column::numbers(values))
    });
    Table::of(columns.collect::<Vec<_>>()).unwrap()
}

/// The tree of a case, and how many values its leaves have.
fn tree(case: &Case) -> (Tree, usize) {
    let count = |name: &str| case.value(&format!("/input/{name}")).as_u64().map(|count| count as usize);
    let target = case.numbers("/input/target");
    let class: Vec<u32> = target.iter().map(|&class| class as u32).collect();
    let weights = case.optional_numbers("/input/weights");
    let table = table(case);
    let rules = Rules {
        max_leaves: count("max_leaf_nodes"),
        max_depth: count("max_depth").unwrap_or(usize::MAX),
        min_weight: count("min_samples_leaf").unwrap() as f64,
        columns: table.width(),
        shuffled: false,
        gainless: true,
        random_cuts: false,
    };
    let plan = Plan { label: "trees", trees: 1, rules, draw: Draw::All, max_bins: 255, kept: None };
    let target = match count("classes") {
        None => Target::Numbers(&target),
        Some(2) => Target::Events(&class),
        Some(classes) => Target::Classes(&class, classes),
    };
    let outputs = if let Target::Classes(_, classes) = target { classes } else { 1 };
    let mut trees = grove(plan, &table, target, weights.as_deref(), &FitContext::new(0)).unwrap();
    (trees.pop().unwrap(), outputs)
}

#[test]
fn trees_are_those_of_scikit_learn() {
    let golden = golden::load("random_forest.json");
    // Ours counts the least weight of a leaf, theirs its rows.
    let least_rows = ["squared_weighted", "gini_weighted", "gini_three_classes_weighted", "gini_missing_weighted"];
    let mut seen = 0;
    for case in golden.cases.iter().filter(|case| !least_rows.contains(&case.name.as_str())) {
        let name = &case.name;
        let (tree, outputs) = tree(case);
        let leaves = case.number("/expected/leaves") as usize;
        assert_eq!((tree.leaves(), tree.depth()), (leaves, case.number("/expected/depth") as usize), "{name}");
        let expected = case.matrix("/expected/prediction");
        for (row, expected) in case.matrix("/input/x").iter().zip(&expected) {
            let found = tree.leaf_values(tree.find(row), outputs);
            // Of two classes theirs answers both.
            golden.assert_all_close(found, &expected[expected.len() - found.len()..], name);
        }
        if let Some(expected) = case.optional_numbers("/expected/importances") {
            let mut gains = vec![0.0; expected.len()];
            for at in 0..tree.len() {
                if let Some(crate::Node::Split { feature, .. }) = tree.node(at, outputs) {
                    gains[feature] += tree.gain(at).unwrap();
                }
            }
            let total: f64 = gains.iter().sum();
            gains.iter_mut().for_each(|gain| *gain /= total);
            // Weights are rounded to 18 bits while splits are sought.
            for (gain, expected) in gains.iter().zip(expected) {
                assert!((gain - expected).abs() < 1e-6, "{name}: {gain} {expected}");
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 8, "{seen}");
}

/// Levels, missing values and three classes, where the best split is known.
#[test]
fn levels_and_missing_values_are_put_on_the_side_that_they_are_like() {
    let letters = ["a", "b", "c", "d"];
    let level = |row: usize| if row % 5 == 4 { None } else { Some(letters[row % 5]) };
    let noise = |row: usize| if row.is_multiple_of(7) { f64::NAN } else { (row * 37 % 11) as f64 };
    let table = Table::of([
        ("noise", Column::numbers((0..200).map(noise).collect::<Vec<_>>())),
        ("level", Column::categories((0..200).map(level))),
    ])
    .unwrap();
    let rules = Rules {
        max_leaves: None,
        max_depth: 1,
        min_weight: 0.0,
        columns: 2,
        shuffled: false,
        gainless: false,
        random_cuts: false,
    };
    let plan = Plan { label: "trees", trees: 1, rules, draw: Draw::All, max_bins: 255, kept: None };
    // b, d and what is missing say one thing, a and c another.
    let says = |row: usize| [0_u32, 1, 0, 1, 1][row % 5];
    let class: Vec<u32> = (0..200).map(says).collect();
    let numbers: Vec<f64> = class.iter().map(|&class| f64::from(class) * 3.0).collect();
    let three: Vec<u32> = class.iter().map(|class| class * 2).collect();
    let cx = FitContext::new(0);
    for (target, outputs, expected) in [
        (Target::Events(&class), 1, [vec![0.0], vec![1.0]]),
        (Target::Numbers(&numbers), 1, [vec![0.0], vec![3.0]]),
        (Target::Classes(&three, 3), 3, [vec![1.0, 0.0, 0.0], vec![0.0, 0.0, 1.0]]),
    ] {
        let tree = grove(plan, &table, target, None, &cx).unwrap().pop().unwrap();
        for (code, row) in [(0.0, 0), (1.0, 1), (2.0, 2), (3.0, 3), (f64::NAN, 4)] {
            let answer = tree.leaf_values(tree.find(&[1.0, code]), outputs);
            assert_eq!(answer, expected[says(row) as usize], "{code}");
        }
        assert_eq!((tree.cover(0), tree.leaves()), (Some(200.0), 2));
    }
}
