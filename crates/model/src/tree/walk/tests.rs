//! Every way of answering beside the plain walk of `Tree::find`, to the bit, on trees and rows made at random.

use proptest::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::table::Table;
use stagewise_numeric::random::Stream;

use super::*;

const WIDTH: usize = 6;
/// Levels of the category; splits know more and fewer.
const LEVELS: usize = 70;
const ODD: [f64; 10] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, 5e-324, -5e-324, 1e300, 2.5, -2.2250738585072014e-308];

/// A value of a number, or (`asked`) a threshold; from few values or from very many.
fn value(stream: &mut Stream, asked: bool, coarse: bool) -> f64 {
    match stream.below(6) {
        0 => Some(ODD[stream.below(ODD.len())]).filter(|x| !(asked && x.is_nan())).unwrap_or(1.0),
        _ if coarse => stream.below(12) as f64 - 4.0,
        _ => 10.0 * stream.normal(),
    }
}

/// Four numbers, a category and a flag.
fn features(stream: &mut Stream, rows: usize, coarse: bool) -> Features {
    let names: Vec<String> = (0..LEVELS).map(|level| format!("level {level}")).collect();
    let mut columns: Vec<(String, Column)> = (0..4)
        .map(|j| {
            (format!("x{j}"), Column::numbers((0..rows).map(|_| value(stream, false, coarse)).collect::<Vec<_>>()))
        })
        .collect();
    let levels: Vec<usize> = (0..rows).map(|_| stream.below(LEVELS + 9)).collect();
    columns
        .push(("level".into(), Column::categories(levels.iter().map(|&level| names.get(level).map(String::as_str)))));
    let flags: Vec<Option<bool>> = (0..rows).map(|_| [None, Some(false), Some(true)][stream.below(3)]).collect();
    columns.push(("flag".into(), Column::flags(flags)));
    Features::new(Table::of(columns).unwrap()).unwrap()
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    Any,
    ChainLeft,
    ChainRight,
}

fn grow(tree: &mut Tree, stream: &mut Stream, leaves: usize, outputs: usize, shape: Shape, coarse: bool) -> usize {
    if leaves == 1 {
        let width = tree.leaf_width(outputs);
        return tree.leaf(&(0..width).map(|_| stream.normal()).collect::<Vec<_>>());
    }
    let (feature, missing_left) = (stream.below(WIDTH), stream.below(2) == 0);
    let at = if feature == 4 || stream.below(5) == 0 {
        let levels = [0, 1, 3, 64, LEVELS, 200][stream.below(6)];
        let codes: Vec<usize> = (0..levels).filter(|_| stream.below(2) == 0).collect();
        tree.split_levels(feature, codes, levels, missing_left)
    } else {
        tree.split(feature, value(stream, true, coarse), missing_left)
    };
    let left = match shape {
        Shape::Any => 1 + stream.below(leaves - 1),
        Shape::ChainLeft => leaves - 1,
        Shape::ChainRight => 1,
    };
    for (side, leaves) in [(true, left), (false, leaves - left)] {
        let child = grow(tree, stream, leaves, outputs, shape, coarse);
        tree.link(at, side, child);
    }
    at
}

fn tree(stream: &mut Stream, leaves: usize, outputs: usize, shape: Shape, coarse: bool) -> Tree {
    let mut tree = if stream.below(2) == 0 { Tree::of_output(stream.below(outputs)) } else { Tree::new() };
    grow(&mut tree, stream, leaves, outputs, shape, coarse);
    assert!(tree.is_sound(WIDTH, outputs));
    tree
}

/// Every way gives the bits of the plain walk.
fn agree(trees: &[Tree], outputs: usize, features: &Features) {
    let frozen = Frozen::of(trees, WIDTH, outputs);
    let with = |sections| Frozen { nodes: Nodes::of(trees, outputs), sections, lines: None, outputs, width: WIDTH };
    let swept = with(sections(trees, outputs, |_, _| true));
    let walked = with(sections(trees, outputs, |_, _| false));
    let rows = features.rows();
    let begin: Vec<f64> = (0..rows * outputs).map(|i| i as f64 * 0.1).collect();
    let mut expected = begin.clone();
    let mut by_row = begin.clone();
    for (r, row) in features.matrix().outer_iter().enumerate() {
        let (row, cells) = (row.to_vec(), r * outputs..(r + 1) * outputs);
        for tree in trees {
            let values = tree.leaf_values(tree.find(&row), outputs);
            let first = tree.output().unwrap_or(0);
            expected[cells.clone()][first..].iter_mut().zip(values).for_each(|(score, value)| *score += value);
        }
        frozen.add_row(&row, &mut by_row[cells]);
    }
    let bits = |scores: &[f64]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&by_row), bits(&expected), "row by row");
    for (way, frozen) in [("as it pays", &frozen), ("sweeps", &swept), ("walks", &walked)] {
        let mut scores = begin.clone();
        frozen.add_rows(features, 0..rows, &mut scores);
        assert_eq!(bits(&scores), bits(&expected), "{way}, {rows} rows");
        // Rows from the middle.
        let some = rows / 3..rows;
        let mut scores = begin[some.start * outputs..].to_vec();
        frozen.add_rows(features, some.clone(), &mut scores);
        assert_eq!(bits(&scores), bits(&expected[some.start * outputs..]), "{way}, rows {some:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_way_gives_the_bits_of_the_plain_walk(
        seed in 0u64..1 << 40,
        leaves in prop::collection::vec(1usize..70, 0..12),
        outputs in 1usize..4,
        rows in 0usize..300,
        coarse in any::<bool>(),
    ) {
        let mut stream = Stream::new(seed, "trees");
        let trees: Vec<Tree> = leaves.iter().map(|&n| tree(&mut stream, n, outputs, Shape::Any, coarse)).collect();
        agree(&trees, outputs, &features(&mut stream, rows, coarse));
    }
}

#[test]
fn blocks_end_anywhere() {
    let mut stream = Stream::new(1, "trees");
    let trees: Vec<Tree> = [1, 2, 63, 64, 65].map(|n| tree(&mut stream, n, 1, Shape::Any, true)).into();
    for rows in [0, 1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 255, 256, 257, 287, 288, 600] {
        agree(&trees, 1, &features(&mut stream, rows, true));
    }
}

#[test]
fn chains_and_trees_with_more_leaves_than_a_byte_counts() {
    let mut stream = Stream::new(2, "trees");
    for shape in [Shape::ChainLeft, Shape::ChainRight, Shape::Any] {
        for leaves in [2, 255, 256, 257, 300] {
            let trees: Vec<Tree> = [3, leaves, 2].map(|n| tree(&mut stream, n, 2, shape, false)).into();
            agree(&trees, 2, &features(&mut stream, 70, false));
        }
    }
}

#[test]
fn more_thresholds_than_a_byte_counts_make_more_sweeps() {
    let mut stream = Stream::new(3, "trees");
    let trees: Vec<Tree> = (0..60).map(|_| tree(&mut stream, 64, 1, Shape::Any, false)).collect();
    let sections = sections(&trees, 1, pays);
    let sweeps = sections.iter().filter(|section| matches!(section, Section::Sweep(..))).count();
    assert!(sweeps > 1, "{sweeps}");
    let ends: Vec<usize> = sections
        .iter()
        .map(|section| match section {
            Section::Walk(trees) | Section::Sweep(trees, _) => trees.end,
        })
        .collect();
    assert!(ends.is_sorted() && ends.last() == Some(&60), "{ends:?}");
    agree(&trees, 1, &features(&mut stream, 300, false));
}

#[test]
fn exactly_255_thresholds_fit() {
    let mut all = Tree::new();
    let mut at = all.split(0, 0.0, false);
    for i in 1..=255 {
        let leaf = all.leaf(&[f64::from(i)]);
        all.link(at, true, leaf);
        let next = if i < 255 { all.split(0, f64::from(i), i % 2 == 0) } else { all.leaf(&[0.5]) };
        all.link(at, false, next);
        at = next;
    }
    let mut questions = Questions::default();
    assert!(questions.with(&all, 1));
    let mut one_more = Tree::new();
    let root = one_more.split(0, 0.25, true);
    for left in [true, false] {
        let leaf = one_more.leaf(&[f64::from(u8::from(left))]);
        one_more.link(root, left, leaf);
    }
    assert!(!questions.with(&one_more, 1), "a 256th");
    assert!(questions.with(&all, 1), "what did not fit is forgotten");
    let x: Vec<f64> = (-3..260).flat_map(|i| [f64::from(i), f64::from(i) + 0.5, f64::NAN]).collect();
    let zeros = Column::numbers(vec![0.0; x.len()]);
    let mut columns = vec![("x0".to_string(), Column::numbers(x))];
    columns.extend((1..WIDTH).map(|j| (format!("x{j}"), zeros.clone())));
    agree(&[all, one_more], 1, &Features::new(Table::of(columns).unwrap()).unwrap());
}

#[test]
fn without_features_every_tree_is_a_leaf() {
    let mut leaf = Tree::new();
    leaf.leaf(&[0.25]);
    let frozen = Frozen::of(&[leaf.clone(), leaf], 0, 1);
    let mut scores = vec![1.0; 1];
    frozen.add_row(&[], &mut scores);
    assert_eq!(scores, [1.5]);
}
