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

/// What `draw` and `rules` make of a case.
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
    let plan = Plan { label: "trees", trees: 1, rules, draw: Draw::All, max_bins: 255 };
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
    let mut seen = 0;
    for case in &golden.cases {
        // Ours counts the least weight of a leaf, theirs its rows.
        let weighted = case.optional_numbers("/input/weights").is_some();
        let name = &case.name;
        let (tree, outputs) = tree(case);
        let leaves = case.number("/expected/leaves") as usize;
        if weighted && tree.leaves() != leaves {
            eprintln!("{name}: {} {leaves}", tree.leaves());
            continue;
        }
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
            golden.assert_all_close(&gains, &expected, name);
        }
        seen += 1;
    }
    assert!(seen >= 9, "{seen}");
}
