use super::*;
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::persist::{decode, encode};
use stagewise_core::table::Table;

fn stump() -> Tree {
    let mut tree = Tree::new();
    let root = tree.split(1, 0.5, true);
    for (left, value) in [(true, 1.0), (false, 3.0)] {
        let leaf = tree.leaf(&[value]);
        tree.link(root, left, leaf);
    }
    tree
}

fn names() -> Vec<String> {
    vec!["a".into(), "b".into()]
}

#[test]
fn the_answer_is_the_mean_of_the_trees() {
    let mut leaf = Tree::new();
    leaf.leaf(&[7.0]);
    let model = TreeEnsemble::mean(names(), 1, vec![stump(), leaf]).unwrap();
    let answer = |row: &[f64]| Predict::<Regression>::predict_row(&model, row);
    assert_eq!((answer(&[9.0, 0.5]).unwrap(), answer(&[9.0, 0.6]).unwrap()), (4.0, 5.0));
    assert_eq!(
        answer(&[0.0, f64::NAN]).unwrap_err().to_string(),
        "column `b`: holds 1 missing values; add an imputer before it"
    );
}

#[test]
fn a_boosted_answer_is_the_link_of_the_base_and_the_sum() {
    let model = TreeEnsemble::sum(names(), vec![-4.0], vec![stump(), stump()]).unwrap().link(Link::Logit);
    assert_eq!(Predict::<Binary>::predict_row(&model, &[0.0, 0.0]).unwrap(), crate::link::sigmoid(-2.0));
    let mut second = Tree::of_output(1);
    second.leaf(&[2.0]);
    let model = TreeEnsemble::sum(names(), vec![0.0, 0.5], vec![second]).unwrap();
    assert_eq!(Predict::<Multiclass>::predict_row(&model, &[0.0, 0.0]).unwrap(), [0.0, 2.5]);
}

#[test]
fn missing_values_go_where_the_split_says_if_they_may() {
    let model = TreeEnsemble::mean(names(), 1, vec![stump()]).unwrap().missing(true);
    assert_eq!(Predict::<Regression>::predict_row(&model, &[f64::NAN, f64::NAN]).unwrap(), 1.0);
}

#[test]
fn a_model_that_does_not_fit_together_is_refused_when_loaded() {
    let good = TreeEnsemble::mean(names(), 1, vec![stump()]).unwrap();
    let mut short: Stored = good.clone().into();
    short.features.pop();
    let bytes = encode("test", &short).unwrap();
    let error = decode::<TreeEnsemble>("test", &bytes).unwrap_err().to_string();
    assert!(error.contains("tree 0, which does not fit"), "{error}");
    let mut based: Stored = good.into();
    based.base = vec![f64::NAN];
    assert!(TreeEnsemble::try_from(based).is_err());
}

/// Trees over a number and a category with 3 levels, for 3 classes; a table with a missing value in each.
fn of_classes(rows: usize) -> (TreeEnsemble, Features) {
    let mut trees = Vec::new();
    for i in 0..40 {
        let mut tree = if i % 4 == 3 { Tree::new() } else { Tree::of_output(i % 3) };
        let root = tree.split(0, i as f64 * 50.0, i % 2 == 0);
        let below = tree.split_levels(1, [i % 3], 3, i % 5 == 0);
        tree.link(root, true, below);
        for (parent, left) in [(root, false), (below, true), (below, false)] {
            let values = [0.1 * i as f64, -0.3, 0.7 / (i + 1) as f64];
            let leaf = tree.leaf(&values[..tree.leaf_width(3)]);
            tree.link(parent, left, leaf);
        }
        trees.push(tree);
    }
    let model = TreeEnsemble::sum(names(), vec![0.1, 0.2, 0.3], trees).unwrap().missing(true).link(Link::Softmax);
    let x: Vec<f64> = (0..rows).map(|r| if r == 7 { f64::NAN } else { r as f64 }).collect();
    let level = (0..rows).map(|r| ["u", "v", "w"].get(r % 4).copied());
    let columns = [("a".to_string(), Column::numbers(x)), ("b".to_string(), Column::categories(level))];
    (model, Features::new(Table::of(columns).unwrap()).unwrap())
}

#[test]
fn tables_and_rows_have_the_same_bits_on_any_number_of_threads() {
    let (model, features) = of_classes(2 * BLOCK + 100);
    let answers = |threads| {
        let cx = FitContext::new(1).threads(threads).unwrap();
        let answer = || (Predict::<Multiclass>::predict(&model, &features).unwrap(), model.scores(&features).unwrap());
        cx.install(answer)
    };
    let (shares, scores) = answers(1);
    assert_eq!(answers(3), (shares.clone(), scores.clone()));
    for (r, row) in features.matrix().outer_iter().enumerate() {
        let row = row.to_vec();
        assert_eq!(Predict::<Multiclass>::predict_row(&model, &row).unwrap(), shares.row(r).to_vec());
        let mut found = [0.0; 3];
        model.add_up(&row, &mut found);
        assert_eq!(found.as_slice(), scores.row(r).to_vec());
    }
}

#[test]
fn the_first_row_that_overflows_is_named() {
    let mut trees = Vec::new();
    for _ in 0..2 {
        let mut tree = Tree::new();
        let root = tree.split(1, 100.5, true);
        for (left, value) in [(true, 1.0), (false, f64::MAX)] {
            let leaf = tree.leaf(&[value]);
            tree.link(root, left, leaf);
        }
        trees.push(tree);
    }
    let model = TreeEnsemble::sum(names(), vec![0.0], trees).unwrap();
    let x: Vec<f64> = (0..200).map(f64::from).collect();
    let columns = names().into_iter().map(|name| (name, Column::numbers(x.clone())));
    let features = Features::new(Table::of(columns.collect::<Vec<_>>()).unwrap()).unwrap();
    let error = Predict::<Regression>::predict(&model, &features).unwrap_err().to_string();
    assert!(error.starts_with("row 101: "), "{error}");
}

#[test]
fn a_model_for_another_task_is_refused() {
    let model = TreeEnsemble::mean(names(), 1, vec![stump()]).unwrap();
    assert!(Predict::<Multiclass>::predict_row(&model, &[0.0, 0.0]).is_err());
}
