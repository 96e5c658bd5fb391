//! Explanations against the definitions of Shapley, written out over all sets of features, on small random models.

use proptest::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::exhibit::{Block, Chart, Exhibit};
use stagewise_core::matrix::Features;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::table::Table;
use stagewise_numeric::random::Stream;

use crate::tree::ensemble::{Combine, TreeEnsemble};
use crate::tree::structure::{Node, Tree};

/// Features of a random model; the last is a category.
const WIDTH: usize = 5;
const LEVELS: usize = 6;

fn random_tree(stream: &mut Stream, outputs: usize) -> Tree {
    let mut tree = if stream.below(2) == 0 { Tree::new() } else { Tree::of_output(stream.below(outputs)) };
    grow(&mut tree, stream, outputs, 6);
    tree
}

/// Appends a subtree, and returns where it is and the weight of its rows; some leaves have none.
fn grow(tree: &mut Tree, stream: &mut Stream, outputs: usize, depth: usize) -> (usize, f64) {
    if depth == 0 || stream.below(6) == 0 {
        let values: Vec<f64> = (0..tree.leaf_width(outputs)).map(|_| stream.normal()).collect();
        let (leaf, cover) = (tree.leaf(&values), stream.below(8) as f64);
        tree.weigh(leaf, cover, 0.0);
        return (leaf, cover);
    }
    let (feature, missing_left) = (stream.below(WIDTH), stream.below(2) == 0);
    let at = if feature == WIDTH - 1 {
        let codes: Vec<usize> = (0..LEVELS).filter(|_| stream.below(2) == 0).collect();
        tree.split_levels(feature, codes, LEVELS, missing_left)
    } else {
        tree.split(feature, stream.normal(), missing_left)
    };
    let [left, right] = [0, 1].map(|_| grow(tree, stream, outputs, depth - 1));
    tree.link(at, true, left.0);
    tree.link(at, false, right.0);
    tree.weigh(at, left.1 + right.1, 1.0);
    (at, left.1 + right.1)
}

fn random_row(stream: &mut Stream) -> Vec<f64> {
    let number = |stream: &mut Stream| if stream.below(6) == 0 { f64::NAN } else { stream.normal() };
    let mut row: Vec<f64> = (0..WIDTH - 1).map(|_| number(stream)).collect();
    // One more than the tree knows.
    row.push(if stream.below(6) == 0 { f64::NAN } else { stream.below(LEVELS + 1) as f64 });
    row
}

fn random_model(stream: &mut Stream) -> TreeEnsemble {
    let outputs = 1 + stream.below(3);
    let mut trees: Vec<Tree> = (0..3).map(|_| random_tree(stream, outputs)).collect();
    // Trees whose rows have no weight at all are refused; that has its own test.
    trees.retain(|tree| tree.leaves() == 1 || tree.cover(0) > Some(0.0));
    let names = (0..WIDTH).map(|j| format!("x{j}")).collect();
    let model = if trees.is_empty() || stream.below(2) == 0 {
        TreeEnsemble::sum(names, (0..outputs).map(|_| stream.normal()).collect(), trees)
    } else {
        TreeEnsemble::mean(names, outputs, trees)
    };
    model.unwrap().missing(true)
}

fn features(rows: &[Vec<f64>]) -> Features {
    let width = rows.first().map_or(WIDTH, Vec::len);
    let columns =
        (0..width).map(|j| (format!("x{j}"), Column::numbers(rows.iter().map(|row| row[j]).collect::<Vec<_>>())));
    Features::new(Table::of(columns).unwrap()).unwrap()
}

/// The score of `output` of one tree where only the features in `known` are, the others by the covers.
fn paid(tree: &Tree, at: usize, row: &[f64], known: usize, output: usize, outputs: usize) -> f64 {
    match tree.node(at, outputs).unwrap() {
        Node::Leaf(values) => match tree.output() {
            Some(of) => {
                if of == output {
                    values[0]
                } else {
                    0.0
                }
            }
            None => values[output],
        },
        Node::Split { feature, left, right, .. } => {
            let below = |at| paid(tree, at, row, known, output, outputs);
            if known >> feature & 1 == 1 {
                return below(if tree.goes_left(at, row) { left } else { right });
            }
            let [l, r] = [left, right].map(|at| tree.cover(at).unwrap());
            let share = if l + r > 0.0 { l / (l + r) } else { 0.5 };
            share * below(left) + (1.0 - share) * below(right)
        }
    }
}

fn scaled(model: &TreeEnsemble, output: usize, sum: f64) -> f64 {
    let n = if model.combine() == Combine::Mean { model.trees().len() as f64 } else { 1.0 };
    model.base()[output] + sum / n
}

fn path_dependent(model: &TreeEnsemble, row: &[f64], output: usize) -> Vec<f64> {
    let value = |known| {
        let sum = model.trees().iter().map(|tree| paid(tree, 0, row, known, output, model.outputs())).sum();
        scaled(model, output, sum)
    };
    (0..1 << row.len()).map(value).collect()
}

fn against(model: &TreeEnsemble, row: &[f64], background: &[Vec<f64>], output: usize) -> Vec<f64> {
    let mixed = |known: usize, other: &Vec<f64>| -> Vec<f64> {
        (0..row.len()).map(|j| if known >> j & 1 == 1 { row[j] } else { other[j] }).collect()
    };
    let value = |known: usize| {
        let rows: Vec<Vec<f64>> = background.iter().map(|other| mixed(known, other)).collect();
        model.scores(&features(&rows)).unwrap().column(output).mean().unwrap()
    };
    (0..1 << row.len()).map(value).collect()
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

/// The Shapley values of a game, from its definition.
fn shapley(game: &[f64], players: usize) -> Vec<f64> {
    let weight = |s: usize| factorial(s) * factorial(players - s - 1) / factorial(players);
    let of = |i: usize| {
        let without = (0..1usize << players).filter(move |set| set >> i & 1 == 0);
        without.map(|set| weight(set.count_ones() as usize) * (game[set | 1 << i] - game[set])).sum()
    };
    (0..players).map(of).collect()
}

/// Half the Shapley interaction of two players of a game, from its definition.
fn interaction(game: &[f64], players: usize, i: usize, j: usize) -> f64 {
    let weight = |s: usize| factorial(s) * factorial(players - s - 2) / (2.0 * factorial(players - 1));
    let (a, b) = (1 << i, 1 << j);
    (0..1usize << players)
        .filter(|set| set & (a | b) == 0)
        .map(|set| {
            let gain = game[set | a | b] - game[set | a] - game[set | b] + game[set];
            weight(set.count_ones() as usize) * gain
        })
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn contributions_are_the_shapley_values_of_the_paths(seed in any::<u64>()) {
        let mut stream = Stream::new(seed, "explain");
        let (model, row) = (random_model(&mut stream), random_row(&mut stream));
        let found = model.contribution_row(&row).unwrap();
        for output in 0..model.outputs() {
            let game = path_dependent(&model, &row, output);
            let expected = shapley(&game, WIDTH);
            for j in 0..WIDTH {
                prop_assert!((found[[output, j]] - expected[j]).abs() < 1e-13, "{found} {expected:?}");
            }
            prop_assert!((found[[output, WIDTH]] - game[0]).abs() < 1e-13);
        }
    }

    #[test]
    fn contributions_against_rows_are_the_shapley_values_of_mixed_rows(seed in any::<u64>()) {
        let mut stream = Stream::new(seed, "explain");
        let (model, row) = (random_model(&mut stream), random_row(&mut stream));
        let background: Vec<Vec<f64>> = (0..7).map(|_| random_row(&mut stream)).collect();
        let found = model.explainer_against(&features(&background)).unwrap().row(&row).unwrap();
        for output in 0..model.outputs() {
            let game = against(&model, &row, &background, output);
            let expected = shapley(&game, WIDTH);
            for j in 0..WIDTH {
                prop_assert!((found[[output, j]] - expected[j]).abs() < 1e-13, "{found} {expected:?}");
            }
            prop_assert!((found[[output, WIDTH]] - game[0]).abs() < 1e-13);
        }
    }

    #[test]
    fn interactions_are_those_of_the_definition(seed in any::<u64>()) {
        let mut stream = Stream::new(seed, "explain");
        let (model, row) = (random_model(&mut stream), random_row(&mut stream));
        let rows = features(std::slice::from_ref(&row));
        let found = model.interactions(&rows).unwrap();
        let found = found.values();
        for output in 0..model.outputs() {
            let game = path_dependent(&model, &row, output);
            let expected = shapley(&game, WIDTH);
            for i in 0..WIDTH {
                let sum: f64 = (0..WIDTH).map(|j| found[[0, output, i, j]]).sum();
                prop_assert!((sum - expected[i]).abs() < 1e-13);
                for j in (0..WIDTH).filter(|&j| j != i) {
                    prop_assert!((found[[0, output, i, j]] - interaction(&game, WIDTH, i, j)).abs() < 1e-13);
                    prop_assert_eq!(found[[0, output, i, j]], found[[0, output, j, i]]);
                }
            }
        }
    }

    #[test]
    fn one_row_and_many_and_any_number_of_threads_give_the_same_bits(seed in any::<u64>()) {
        let mut stream = Stream::new(seed, "explain");
        let model = random_model(&mut stream);
        let rows: Vec<Vec<f64>> = (0..600).map(|_| random_row(&mut stream)).collect();
        let (all, background) = (features(&rows), features(&rows[..20]));
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| [model.contributions(&all).unwrap(), model.contributions_against(&all, &background).unwrap()])
        };
        let ([path, mixed], [path_4, mixed_4]) = (on(1), on(4));
        prop_assert_eq!(path.values(), path_4.values());
        prop_assert_eq!(mixed.values(), mixed_4.values());
        let (one, other) = (model.explainer().unwrap(), model.explainer_against(&background).unwrap());
        for r in [0, 299, 599] {
            prop_assert_eq!(one.row(&rows[r]).unwrap(), path.values().index_axis(ndarray::Axis(0), r));
            prop_assert_eq!(other.row(&rows[r]).unwrap(), mixed.values().index_axis(ndarray::Axis(0), r));
        }
    }
}

/// A tree that asks `features` one after the other, each with its own leaf.
fn chain(features: &[usize]) -> Tree {
    let mut tree = Tree::new();
    let mut parent = None;
    for (i, &feature) in features.iter().enumerate() {
        let at = tree.split(feature, 0.0, true);
        let cover = (features.len() + 1 - i) as f64;
        tree.weigh(at, cover, 1.0);
        if let Some(parent) = parent {
            tree.link(parent, false, at);
        }
        let leaf = tree.leaf(&[(i as f64).sin()]);
        tree.weigh(leaf, 1.0, 0.0);
        tree.link(at, true, leaf);
        parent = Some(at);
    }
    let last = tree.leaf(&[3.0]);
    tree.weigh(last, 1.0, 0.0);
    tree.link(parent.unwrap(), false, last);
    tree
}

#[test]
fn long_paths_lose_no_digits() {
    for width in [1, 2, 16, 17, 40, 90] {
        let names = (0..width).map(|j| format!("x{j}")).collect();
        let tree = chain(&(0..width).collect::<Vec<_>>());
        let model = TreeEnsemble::sum(names, vec![0.5], vec![tree]).unwrap();
        let mut stream = Stream::new(width as u64, "long");
        let rows: Vec<Vec<f64>> = (0..50).map(|_| (0..width).map(|_| stream.normal() + 2.0).collect()).collect();
        let (rows, background) = (features(&rows), features(&rows[..9]));
        let scores = model.scores(&rows).unwrap();
        for found in [model.contributions(&rows).unwrap(), model.contributions_against(&rows, &background).unwrap()] {
            for (row, score) in found.values().outer_iter().zip(&scores) {
                assert!((row.sum() - score).abs() < 2e-14, "{width}: {} {score}", row.sum());
            }
        }
    }
}

#[test]
fn a_feature_that_is_not_asked_adds_nothing_and_equal_ones_add_the_same() {
    // Asks 0 then 2, or 2 then 0, in the mean: the game treats both alike.
    let model =
        TreeEnsemble::mean((0..3).map(|j| format!("x{j}")).collect(), 1, vec![chain(&[0, 2, 0]), chain(&[2, 0, 2])])
            .unwrap();
    let rows = features(&[vec![1.0, 9.0, 1.0], vec![-1.0, 9.0, -1.0]]);
    for found in [model.contributions(&rows).unwrap(), model.contributions_against(&rows, &rows).unwrap()] {
        for row in found.values().outer_iter() {
            assert_eq!(row[[0, 1]], 0.0);
            assert!(row[[0, 0]] != 0.0 && (row[[0, 0]] - row[[0, 2]]).abs() < 1e-15, "{row}");
        }
    }
}

#[test]
fn what_cannot_be_explained_is_refused_with_the_remedy() {
    let mut tree = Tree::new();
    let root = tree.split(0, 0.5, true);
    for left in [true, false] {
        let leaf = tree.leaf(&[1.0]);
        tree.link(root, left, leaf);
    }
    let model = TreeEnsemble::mean(vec!["x0".into()], 1, vec![tree]).unwrap();
    let rows = features(&[vec![0.0]]);
    assert_eq!(
        model.contributions(&rows).unwrap_err().to_string(),
        "an explanation along the paths of training rows is not defined: tree 0 does not know their weight in its nodes; \
         explain against background rows instead"
    );
    assert_eq!(model.contributions_against(&rows, &rows).unwrap().values()[[0, 0, 1]], 1.0);
    let none = features(&[vec![0.0]]).table().take(&[]);
    let error = model.contributions_against(&rows, &Features::new(none).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "an explanation against background rows needs at least 1 rows, 0 found");
}

#[test]
fn no_rows_and_no_trees_are_explained_by_nothing() {
    let names = || (0..2).map(|j| format!("x{j}")).collect::<Vec<_>>();
    let rows = features(&[vec![0.0, 1.0]]);
    let none = Features::new(rows.table().take(&[])).unwrap();
    let model = TreeEnsemble::sum(names(), vec![0.5, 2.0], Vec::new()).unwrap();
    for found in [model.contributions(&rows).unwrap(), model.contributions_against(&rows, &rows).unwrap()] {
        assert_eq!(found.values().as_slice(), Some([0.0, 0.0, 0.5, 0.0, 0.0, 2.0].as_slice()));
    }
    let model = TreeEnsemble::sum(names(), vec![0.5], vec![chain(&[0, 1])]).unwrap();
    let found = model.contributions(&none).unwrap();
    assert_eq!(found.values().dim(), (0, 1, 3));
    assert_eq!(model.interactions(&none).unwrap().values().dim(), (0, 1, 2, 2));
    for found in [found, model.contributions(&rows).unwrap()] {
        assert!(!found.exhibit().blocks.is_empty());
    }
}

#[test]
fn a_swarm_shows_at_most_five_hundred_rows_and_no_order_of_levels() {
    let table = Table::of([
        ("x0", Column::numbers((0..1200).map(f64::from).collect::<Vec<_>>())),
        ("x1", Column::categories((0..1200).map(|i| Some(if i % 3 == 0 { "a" } else { "b" })))),
    ]);
    let rows = Features::new(table.unwrap()).unwrap();
    let names = (0..2).map(|j| format!("x{j}")).collect();
    let model = TreeEnsemble::sum(names, vec![0.5], vec![chain(&[0, 1])]).unwrap().missing(true);
    let blocks = model.contributions(&rows).unwrap().exhibit().blocks;
    let swarm = blocks.into_iter().find_map(|block| match block {
        Block::Chart(Chart::Swarm { items, .. }) => Some(items),
        _ => None,
    });
    for item in swarm.unwrap() {
        assert_eq!(item.points.len(), 500);
        assert_eq!(item.points.iter().all(|point| point.1.is_some()), item.name == "x0");
    }
}

#[test]
fn columns_made_from_one_are_added_up() {
    let names = ["city=a", "city=b", "age", "pca"];
    let model = TreeEnsemble::sum(names.map(String::from).to_vec(), vec![0.0], vec![chain(&[0, 1, 2, 3])]).unwrap();
    let rows = Features::new(Table::of(names.map(|name| (name, Column::numbers([1.0, -1.0])))).unwrap()).unwrap();
    let [city, age] = ["city", "age"].map(|name| Field::new(name, Kind::Number));
    let schema = Schema::new(vec![
        Field::derived("city=a", Kind::Number, [&city]),
        Field::derived("city=b", Kind::Number, [&city]),
        age.clone(),
        Field::derived("pca", Kind::Number, [&city, &age]),
    ])
    .unwrap();
    let found = model.contributions(&rows).unwrap();
    let raw = found.by_origin(&schema).unwrap();
    assert_eq!(raw.names(), ["city", "age", "city & age"]);
    let (from, to) = (found.values(), raw.values());
    assert_eq!(to[[0, 0, 0]], from[[0, 0, 0]] + from[[0, 0, 1]]);
    assert_eq!((to[[0, 0, 2]], to[[0, 0, 3]]), (from[[0, 0, 3]], from[[0, 0, 4]]));
    assert_eq!(raw.importance().items().len(), 3);
    let error = found.by_origin(&Schema::new(vec![age]).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "there is no column `city=a`");
}
