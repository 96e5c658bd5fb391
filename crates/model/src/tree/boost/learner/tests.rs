use std::sync::Arc;

use super::*;
use stagewise_core::column::Column;
use stagewise_core::matrix::Features;
use stagewise_core::stage::Predict;
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, NumberTarget};
use stagewise_core::task::BinaryLabels;
use stagewise_numeric::random::Stream;
use stagewise_testkit::{conformance, data};

use crate::tree::structure::{Node, Rule};

fn regression(columns: Vec<(&str, Column)>, y: Vec<f64>) -> Design<Regression> {
    Design::new(Features::new(Table::of(columns).unwrap()).unwrap(), NumberTarget::new(y), ())
}

fn answers(model: &TreeEnsemble, train: &Design<Regression>) -> Vec<f64> {
    Predict::<Regression>::predict(model, &train.features).unwrap().to_vec()
}

/// 600 rows: numbers with missing values, a category, and a truth of all of them.
fn mixed(rows: usize) -> Design<Regression> {
    let mut stream = Stream::new(3, "mixed");
    let mut x: Vec<Vec<f64>> = (0..4).map(|_| (0..rows).map(|_| stream.normal()).collect()).collect();
    let level: Vec<usize> = (0..rows).map(|_| stream.below(12)).collect();
    let y = (0..rows)
        .map(|i| 2.0 * x[0][i] + x[1][i] * x[2][i] + ((level[i] * 7) % 5) as f64 + 0.1 * stream.normal())
        .collect();
    (0..rows).filter(|i| i % 11 == 0).for_each(|i| x[0][i] = f64::NAN);
    let names: Vec<String> = level.iter().map(|l| format!("l{l}")).collect();
    let mut columns: Vec<(&str, Column)> =
        ["a", "b", "c", "d"].into_iter().zip(x.into_iter().map(Column::numbers)).collect();
    columns.push(("e", Column::categories(names.iter().map(|n| Some(n.as_str())))));
    regression(columns, y)
}

#[test]
fn conformance() {
    // Few leaves: the smallest gains of deep trees are near ties, which rounding may decide.
    let spec = GradientBoosting::new().rounds(5).min_rows_leaf(10.0).max_leaves(4);
    conformance::learner::<Regression, _>(&spec, &data::regression(150, 1));
    conformance::learner::<Binary, _>(&spec, &data::binary(150, 1));
    conformance::learner::<Multiclass, _>(&spec, &data::multiclass(150, 1));
    conformance::learner::<Ranking, _>(&spec, &data::ranking(150, 1));
    conformance::learner::<Ranking, _>(&spec.early_stopping(Some(2)).held_out(0.3), &data::ranking(150, 1));
}

#[test]
fn one_tree_by_hand() {
    // The best cut of 0 0 0 6 | 10 10 is behind the fourth: means 1.5 and 10; then 0 0 0 | 6.
    let train =
        regression(vec![("x", Column::numbers([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))], vec![0.0, 0.0, 0.0, 6.0, 10.0, 10.0]);
    let spec = GradientBoosting::new().rounds(1).learning_rate(1.0).min_rows_leaf(1.0).max_leaves(3);
    let model = spec.fit(&train, &FitContext::new(0)).unwrap();
    assert_eq!(answers(&model, &train), [0.0, 0.0, 0.0, 6.0, 10.0, 10.0]);
    let tree = &model.trees()[0];
    let Some(Node::Split { rule: Rule::AtMost(cut), .. }) = tree.node(0, 1) else { panic!("a split") };
    assert_eq!((cut, tree.leaves(), tree.cover(0)), (3.5, 3, Some(6.0)));
    // The mean of 26/6: Σ (y − mean)² falls from 123.33 to 12 at the cut behind the third or fourth.
    assert!((tree.gain(0).unwrap() - (236.0 - 26.0 * 26.0 / 6.0 - 10.666_666)).abs() < 0.1, "{:?}", tree.gain(0));
}

#[test]
fn missing_values_learn_their_side() {
    let x = Column::numbers([1.0, 2.0, f64::NAN, 3.0, 4.0, f64::NAN]);
    let train = regression(vec![("x", x)], vec![0.0, 0.0, 5.0, 5.0, 5.0, 5.0]);
    let spec = GradientBoosting::new().rounds(1).learning_rate(1.0).min_rows_leaf(1.0);
    let model = spec.fit(&train, &FitContext::new(0)).unwrap();
    assert_eq!(answers(&model, &train), [0.0, 0.0, 5.0, 5.0, 5.0, 5.0]);
    // Missing against present alone.
    let x = Column::numbers([1.0, 2.0, f64::NAN, 1.0, 2.0, f64::NAN]);
    let train = regression(vec![("x", x)], vec![0.0, 0.0, 5.0, 0.0, 0.0, 5.0]);
    let model = spec.fit(&train, &FitContext::new(0)).unwrap();
    assert_eq!(answers(&model, &train), [0.0, 0.0, 5.0, 0.0, 0.0, 5.0]);
}

#[test]
fn levels_go_left_as_a_set_and_new_ones_count_as_missing() {
    let levels = ["a", "b", "c", "d", "e", "f"];
    let names: Vec<Option<&str>> = (0..120).map(|i| Some(levels[i % 6])).collect();
    let high = |i: usize| [true, false, true, false, true, false][i % 6];
    let y: Vec<f64> = (0..120).map(|i| if high(i) { 8.0 } else { 2.0 }).collect();
    let train = regression(vec![("c", Column::categories(names))], y.clone());
    let spec = GradientBoosting::new().rounds(1).learning_rate(1.0).min_rows_leaf(1.0).max_leaves(2);
    let spec = spec.level_smoothing(0.0).level_l2(0.0).min_rows_levels(1.0);
    let model = spec.fit(&train, &FitContext::new(0)).unwrap();
    assert_eq!(answers(&model, &train), y);
    let new = Predict::<Regression>::predict_row(&model, &[6.0]).unwrap();
    assert_eq!(new, Predict::<Regression>::predict_row(&model, &[f64::NAN]).unwrap());
}

#[test]
fn a_weight_of_two_is_a_row_twice_and_of_zero_none() {
    let plain = mixed(300);
    let mut stream = Stream::new(9, "weights");
    let weights: Vec<f64> = (0..300).map(|_| stream.below(3) as f64).collect();
    let rows: Vec<usize> = (0..300).flat_map(|row| vec![row; weights[row] as usize]).collect();
    let twice = Design::<Regression>::new(
        Features::new(plain.features.table().take(&rows)).unwrap(),
        NumberTarget::new(rows.iter().map(|&r| plain.target.values()[r]).collect::<Vec<_>>()),
        (),
    );
    let mut weighted = plain.clone();
    weighted.weights = Some(Arc::new(weights));
    for objective in [Objective::Squared, Objective::Huber { delta: 1.5 }] {
        let spec = GradientBoosting::new().rounds(20).min_rows_leaf(5.0).objective(objective).min_rows_levels(5.0);
        let a = spec.fit(&weighted, &FitContext::new(0)).unwrap();
        let b = spec.fit(&twice, &FitContext::new(0)).unwrap();
        let far = answers(&a, &plain).iter().zip(answers(&b, &plain)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // The pairs are rounded in other steps, so a near tie may fall the other way; none does here.
        assert!(far < 1e-9, "{objective:?}: {far}");
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let train = mixed(40_000);
    let spec = GradientBoosting::new()
        .rounds(4)
        .sampling(RowSampling::Gradients { top: 0.2, other: 0.2 })
        .columns_by_node(0.7);
    for spec in [spec.clone(), spec.columns_by_node(1.0).sampling(RowSampling::All)] {
        let fit = |threads| {
            let cx = FitContext::new(7).threads(threads).unwrap();
            cx.install(|| spec.fit(&train, &cx)).unwrap()
        };
        let one = fit(1);
        assert!(one == fit(2) && one == fit(8));
    }
}

#[test]
fn monotone_columns_are_monotone_everywhere() {
    let train = mixed(800);
    let names = ["a", "b"];
    let spec = GradientBoosting::new()
        .rounds(30)
        .min_rows_leaf(5.0)
        .monotone("a", Monotone::Falling)
        .monotone("b", Monotone::Rising);
    let model = spec.fit(&train, &FitContext::new(0)).unwrap();
    assert!(model.prove_monotone("b", Monotone::Rising).unwrap() > 100);
    let free = GradientBoosting::new().rounds(30).min_rows_leaf(5.0).fit(&train, &FitContext::new(0)).unwrap();
    assert!(free.prove_monotone("a", Monotone::Falling).is_err());
    let mut stream = Stream::new(2, "grid");
    let mut seen = 0;
    for _ in 0..300 {
        let mut row: Vec<f64> = (0..4).map(|_| stream.normal()).collect();
        row.push(stream.below(12) as f64);
        for (column, _) in names.iter().enumerate() {
            let curve: Vec<f64> = (-40..=40)
                .map(|step| {
                    let mut row = row.clone();
                    row[column] = f64::from(step) / 10.0;
                    Predict::<Regression>::predict_row(&model, &row).unwrap()
                })
                .collect();
            let falls = curve.windows(2).all(|pair| pair[1] <= pair[0]);
            let rises = curve.windows(2).all(|pair| pair[1] >= pair[0]);
            assert!(if column == 0 { falls } else { rises }, "{curve:?}");
            seen += usize::from(curve[0] != curve[80]);
        }
    }
    assert!(seen > 100, "the constrained columns are used: {seen}");
    let error = GradientBoosting::new().monotone("e", Monotone::Rising).fit(&train, &FitContext::new(0)).unwrap_err();
    assert!(error.to_string().contains("category"), "{error}");
    let error = GradientBoosting::new().monotone("bb", Monotone::Rising).fit(&train, &FitContext::new(0)).unwrap_err();
    assert!(error.to_string().contains("there is no column `bb`"), "{error}");
}

#[test]
fn interactions_stay_in_their_groups() {
    let train = mixed(800);
    let spec = GradientBoosting::new().rounds(60).min_rows_leaf(5.0).interactions([vec!["a", "b"], vec!["b", "c"]]);
    let model = spec.fit(&train, &FitContext::new(0)).unwrap();
    let mut together = std::collections::BTreeSet::new();
    for tree in model.trees() {
        let mut open = vec![(0, Vec::new())];
        while let Some((at, mut path)) = open.pop() {
            match tree.node(at, 1) {
                Some(Node::Split { feature, left, right, .. }) => {
                    path.push(feature);
                    path.sort_unstable();
                    path.dedup();
                    open.extend([(left, path.clone()), (right, path)]);
                }
                _ => drop(together.insert(path)),
            }
        }
    }
    let allowed: [&[usize]; 8] = [&[], &[0], &[1], &[2], &[3], &[4], &[0, 1], &[1, 2]];
    assert!(together.iter().all(|path| allowed.contains(&path.as_slice())), "{together:?}");
    assert!(together.contains(&vec![1, 2]));
}

#[test]
fn going_on_is_as_never_stopping() {
    let train = mixed(500);
    let spec = GradientBoosting::new().min_rows_leaf(5.0).sampling(RowSampling::Share(0.7)).columns_by_tree(0.8);
    let cx = FitContext::new(4);
    let whole = spec.clone().rounds(12).fit(&train, &cx).unwrap();
    let first = spec.clone().rounds(5).fit(&train, &cx).unwrap();
    assert!(spec.clone().rounds(7).start(first.clone()).fit(&train, &cx).unwrap() == whole);
    let other = spec
        .objective(Objective::Poisson)
        .start(first)
        .fit(&regression(vec![("x", Column::numbers([1.0, 2.0]))], vec![1.0, 2.0]), &cx);
    assert!(other.is_err());
}

#[test]
fn every_objective_learns() {
    let train = mixed(500);
    let positive: Vec<f64> = train.target.values().iter().map(|y| (y / 4.0).exp()).collect();
    let largest = positive.iter().copied().fold(0.0, f64::max);
    for objective in [
        Objective::Squared,
        Objective::Absolute,
        Objective::Huber { delta: 1.0 },
        Objective::Quantile { level: 0.8 },
        Objective::Poisson,
        Objective::Gamma,
        Objective::Tweedie { power: 1.5 },
        Objective::CrossEntropy,
    ] {
        let share = objective == Objective::CrossEntropy;
        let y: Vec<f64> = positive.iter().map(|&y| if share { y / largest } else { y }).collect();
        let mut train = train.clone();
        train.target = NumberTarget::new(y);
        let spec = GradientBoosting::new().rounds(40).min_rows_leaf(5.0).objective(objective).history(true);
        let model = spec.fit(&train, &FitContext::new(0)).unwrap();
        let history = model.training_history().unwrap();
        assert_eq!(history.train.len(), 41);
        let (first, last) = (history.train[0], history.train[40]);
        assert!(last < first, "{objective:?}: {first} to {last}");
        assert!(history.train.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9), "{objective:?}");
    }
}

#[test]
fn degenerate_data_gives_an_answer_or_an_error() {
    let spec = GradientBoosting::new().rounds(3).min_rows_leaf(1.0);
    let cx = FitContext::new(0);
    let constant = regression(vec![("x", Column::numbers([1.0, 2.0, 3.0]))], vec![4.0; 3]);
    let model = spec.fit(&constant, &cx).unwrap();
    assert_eq!((answers(&model, &constant), model.trees().len()), (vec![4.0; 3], 0));
    let one = regression(vec![("x", Column::numbers([1.0]))], vec![7.5]);
    assert_eq!(answers(&spec.fit(&one, &cx).unwrap(), &one), [7.5]);
    let missing = regression(vec![("x", Column::numbers([f64::NAN; 4]))], vec![1.0, 2.0, 3.0, 4.0]);
    assert_eq!(answers(&spec.fit(&missing, &cx).unwrap(), &missing), [2.5; 4]);
    let huge =
        regression(vec![("x", Column::numbers([-1e308, 5e-324, 1e308, f64::INFINITY]))], vec![0.0, 1.0, 2.0, 3.0]);
    assert!(
        answers(&spec.clone().rounds(200).fit(&huge, &cx).unwrap(), &huge)
            .iter()
            .zip([0.0, 1.0, 2.0, 3.0])
            .all(|(a, y)| (a - y).abs() < 1e-6)
    );
    let large = regression(vec![("x", Column::numbers([1.0, 2.0]))], vec![1e300, -1e300]);
    assert!(spec.fit(&large, &cx).and_then(|m| Predict::<Regression>::predict(&m, &large.features)).is_ok());
    let events = BinaryTarget::new(vec![true; 3]);
    let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
    let one_class = Design::<Binary>::new(constant.features, events, labels);
    let answer = Predict::<Binary>::predict_row(&spec.fit(&one_class, &cx).unwrap(), &[1.0]).unwrap();
    assert!((answer - 1.0).abs() < 1e-9, "{answer}");
}

#[test]
fn many_columns_and_long_chains() {
    let wide: Vec<(String, Column)> = (0..10_000)
        .map(|j| (format!("x{j}"), Column::numbers((0..40).map(|i| f64::from((i * (j + 3)) % 41)).collect::<Vec<_>>())))
        .collect();
    let features = Features::new(Table::of(wide).unwrap()).unwrap();
    let train = Design::<Regression>::new(features, NumberTarget::new((0..40).map(f64::from).collect::<Vec<_>>()), ());
    let spec = GradientBoosting::new().rounds(2).min_rows_leaf(2.0);
    assert_eq!(spec.fit(&train, &FitContext::new(0)).unwrap().trees().len(), 2);
    // The upper part of what is left is always the larger part of its squares.
    let x: Vec<f64> = (0..200).map(f64::from).collect();
    let y: Vec<f64> = x.iter().map(|x| 1.2f64.powf(*x)).collect();
    let train = regression(vec![("x", Column::numbers(x))], y);
    let spec = GradientBoosting::new().rounds(1).learning_rate(1.0).min_rows_leaf(1.0).max_leaves(100);
    let model = spec.fit(&train, &FitContext::new(0)).unwrap();
    assert!(model.trees()[0].depth() > 10);
    assert!(answers(&model, &train).iter().all(|a| a.is_finite()));
}
