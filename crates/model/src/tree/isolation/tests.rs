//! Tests of the whole forest: against scikit-learn, by hand, and at the edges.

use super::*;
use proptest::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::matrix::Features;
use stagewise_core::persist::{decode, encode};
use stagewise_core::record::Cell;
use stagewise_core::select::{all, named};
use stagewise_core::stage::{Predict, Transform};
use stagewise_core::task::Regression;
use stagewise_testkit::{conformance, data, golden};

fn table(columns: &[Vec<f64>]) -> Table {
    Table::of(columns.iter().enumerate().map(|(j, c)| (format!("x{j}"), Column::numbers(c.clone())))).unwrap()
}

fn fit(spec: &IsolationForest, table: &Table) -> FittedIsolationForest {
    spec.fit_table(table, &FitContext::new(3)).unwrap()
}

fn scored(spec: &IsolationForest, table: &Table) -> ndarray::Array1<f64> {
    fit(spec, table).scores(table).unwrap()
}

/// The share of pairs in which the odd row has the larger score.
fn auc(scores: &[f64], odd: &[bool]) -> f64 {
    let of = |wanted: bool| scores.iter().zip(odd).filter(move |(_, odd)| **odd == wanted).map(|(score, _)| *score);
    let wins =
        of(true).flat_map(|a| of(false).map(move |b| if a > b { 1.0 } else { 0.5 * f64::from(u8::from(a == b)) }));
    wins.sum::<f64>() / (of(true).count() * of(false).count()) as f64
}

#[test]
fn conforms() {
    let flagging = IsolationForest::new().trees(12).contamination(Some(0.1)).flag_column("odd");
    let weighted = data::regression(60, 4).reweighted((0..60).map(|i| f64::from(i % 3)).collect()).unwrap();
    for spec in [IsolationForest::new().trees(9).rows(32), flagging.clone(), flagging.keep_score(false)] {
        conformance::transformer(&spec, &data::binary(60, 1));
        conformance::transformer(&spec, &data::multiclass_numeric(62, 3));
        conformance::transformer(&spec, &weighted);
    }
}

#[test]
fn scores_are_those_of_scikit_learn() {
    let golden = golden::load("isolation_forest.json");
    for case in golden.cases.iter().filter(|case| case.name != "average_path") {
        let rows = case.matrix("/input/x");
        let columns: Vec<Vec<f64>> = (0..rows[0].len()).map(|j| rows.iter().map(|row| row[j]).collect()).collect();
        let odd: Vec<bool> = case.numbers("/input/odd").iter().map(|&odd| odd == 1.0).collect();
        let spec = IsolationForest::new().rows(case.number("/input/rows") as usize);
        // So many trees that the draw hardly matters: row by row.
        let scores = fit(&spec.clone().trees(4000), &table(&columns)).scores(&table(&columns)).unwrap().to_vec();
        let mut off = 0.0;
        for (row, (found, expected)) in scores.iter().zip(case.numbers("/expected/exact")).enumerate() {
            assert!((found - expected).abs() < 0.012, "{}: row {row}: {found}, {expected}", case.name);
            off += (found - expected).abs() / scores.len() as f64;
        }
        assert!(off < 0.003, "{}: {off}", case.name);
        // The usual hundred: by group, against scikit-learn as it is, with its logarithm for the harmonic numbers.
        let scores = fit(&spec, &table(&columns)).scores(&table(&columns)).unwrap().to_vec();
        let expected = case.numbers("/expected/score");
        for wanted in [false, true] {
            let mean = |scores: &[f64]| {
                let of = scores.iter().zip(&odd).filter(|(_, odd)| **odd == wanted).map(|(score, _)| *score);
                of.clone().sum::<f64>() / of.count() as f64
            };
            let (found, expected) = (mean(&scores), mean(&expected));
            assert!((found - expected).abs() < 0.02, "{}: odd {wanted}: {found}, {expected}", case.name);
        }
        golden.assert_close(auc(&scores, &odd), case.number("/expected/roc_auc"), &format!("{}: AUC", case.name));
    }
}

#[test]
fn three_rows_are_parted_wholly() {
    // Two splits part three rows: one way of one split, two ways of two, in whatever tree.
    let x = table(&[vec![0.0, 1.0, 5.0]]);
    let forest = fit(&IsolationForest::new().trees(400), &x);
    let ways = Predict::<Regression>::predict(forest.trees(), &features(&x)).unwrap();
    assert!((ways.sum() - 5.0).abs() < 1e-12);
    assert!((forest.usual_path() - 5.0 / 3.0).abs() < 1e-15);
    // The first cut falls left of 1 in one tree of five: 0 is then alone at once, else 5 is.
    for (found, expected) in ways.iter().zip([0.2 + 0.8 * 2.0, 2.0, 0.2 * 2.0 + 0.8]) {
        assert!((found - expected).abs() < 0.08, "{found}, {expected}");
    }
    let scores = forest.scores(&x).unwrap();
    for (score, way) in scores.iter().zip(&ways) {
        assert!((score - 2f64.powf(-way * 0.6)).abs() < 1e-14);
    }
}

fn features(table: &Table) -> Features {
    Features::new(table.clone()).unwrap()
}

#[test]
fn rows_that_are_alike_score_one_half() {
    let alike = table(&[vec![2.0; 30], vec![f64::NAN; 30]]);
    let forest = fit(&IsolationForest::new(), &alike);
    assert!(forest.scores(&alike).unwrap().iter().all(|score| (score - 0.5).abs() < 1e-15));
    assert!(forest.trees().trees().iter().all(|tree| tree.len() == 1));
}

#[test]
fn missing_values_levels_and_infinities_have_their_way() {
    // One row of a hundred lacks what all others have, and is parted from them by the only cut there is.
    let mut x = vec![1.0; 100];
    x[7] = f64::NAN;
    let scores = scored(&IsolationForest::new(), &table(&[x]));
    assert!(scores[7] > 0.85 && scores[0] < 0.5, "{scores}");

    let levels = |rare: &'static str| {
        let rows = (0..100).map(move |i| Some(if i == 7 { rare } else { ["a", "b", "c"][i % 3] }));
        Table::of([("level", Column::categories(rows))]).unwrap()
    };
    let forest = fit(&IsolationForest::new(), &levels("d"));
    let scores = forest.scores(&levels("d")).unwrap();
    let most = (0..100).filter(|&row| row != 7).map(|row| scores[row]).fold(0.0, f64::max);
    assert!(scores[7] > most + 0.1, "{scores}");
    // A new level is a missing value: no row lacked one, so it goes with the many.
    let (new, none) = (forest.scores(&levels("e")).unwrap()[7], Table::of([("level", Column::categories([None]))]));
    assert_eq!(new, forest.scores(&none.unwrap()).unwrap()[0]);
    assert!(new < scores[7]);
    // Codes of another table are read by name.
    let turned = Table::of([("level", Column::categories([Some("d"), Some("a")]))]).unwrap();
    assert_eq!(forest.scores(&turned).unwrap()[0], scores[7]);

    for odd in [f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e308] {
        let mut x: Vec<f64> = (0..100).map(|i| f64::from(i) * 0.01).collect();
        x[7] = odd;
        let scores = scored(&IsolationForest::new(), &table(&[x]));
        assert!(scores[7] > 0.85 && scores.iter().all(|score| (0.0..1.0).contains(score)), "{odd}");
    }
}

#[test]
fn the_flag_takes_its_share_of_the_training_rows() {
    let x = table(&[(0..200).map(|i| f64::from(i).powi(3)).collect()]);
    let spec = IsolationForest::new().contamination(Some(0.05)).keep_score(false);
    let forest = fit(&spec, &x);
    let scores = forest.scores(&x).unwrap();
    let threshold = forest.threshold().unwrap();
    let flagged = scores.iter().filter(|&&score| score > threshold).count();
    assert!((8..=10).contains(&flagged), "{flagged}");
    let out = forest.transform(x).unwrap();
    assert_eq!(out.schema().names(), ["x0", "outlier"]);
    let flags = out.column("outlier").unwrap().as_flags().unwrap().iter().filter(|flag| **flag == Some(true)).count();
    assert_eq!(flags, flagged);
    assert_eq!(&*out.schema().fields()[1].origin[0], "x0");
}

#[test]
fn contributions_say_which_column_is_odd() {
    let mut columns = vec![(0..150).map(|i| f64::from(i % 13)).collect::<Vec<_>>(); 3];
    columns[1][4] = 60.0;
    let x = table(&columns);
    let forest = fit(&IsolationForest::new(), &x);
    let why = forest.contributions(&x).unwrap();
    let of = |at: usize| why.values()[[4, 0, at]];
    assert!(of(1) < -2.0 && of(1) < of(0) && of(1) < of(2), "{} {} {}", of(0), of(1), of(2));
    let length: f64 = (0..4).map(of).sum();
    let score = forest.scores(&x).unwrap()[4];
    assert!((score - 2f64.powf(-length / forest.usual_path())).abs() < 1e-12);
}

#[test]
fn weights_draw_rows() {
    let x: Vec<f64> = (0..60).map(f64::from).chain((0..60).map(|i| 1000.0 + f64::from(i))).collect();
    let (all, few) = (table(std::slice::from_ref(&x)), table(&[x[..60].to_vec()]));
    let spec = IsolationForest::new().trees(400);
    let train = |weights: Vec<f64>| {
        let data = data::regression(120, 1).map_features(|_| Ok(all.clone())).unwrap();
        let fitted = spec.fit(&data.reweighted(weights).unwrap(), &FitContext::new(3)).unwrap();
        fitted.scores(&all).unwrap().to_vec()
    };
    // Weights that are alike are none.
    assert_eq!(train(vec![3.0; 120]), scored(&spec, &all).to_vec());
    // Rows that hardly weigh are odd.
    let scores = train((0..120).map(|i| if i < 60 { 1e308 } else { 1e306 }).collect());
    assert!(scores[..60].iter().sum::<f64>() + 9.0 < scores[60..].iter().sum::<f64>());
    // A row of weight 0 is not there: nothing is parted beyond those that are.
    let none = train((0..120).map(|i| f64::from(u8::from(i < 60))).collect());
    let cut = fit(&spec, &few).scores(&all).unwrap();
    assert_eq!(none, cut.to_vec());
}

#[test]
fn rows_come_their_share_of_times() {
    let weights = [1.0, 0.0, 3.0, 2.0, 2.0];
    let mut sums = [0usize; 5];
    for seed in 0..2000 {
        let mut times = [0usize; 5];
        let drawn = draw(&[0, 2, 3, 4], Some(&weights), 4, &mut stagewise_numeric::random::Stream::new(seed, "draw"));
        assert_eq!(drawn.len(), 4);
        drawn.iter().for_each(|&row| times[row as usize] += 1);
        assert!(times[2] >= 1 && times[2] <= 2 && times.iter().all(|&times| times <= 2), "{times:?}");
        sums.iter_mut().zip(times).for_each(|(sum, times)| *sum += times);
    }
    for (sum, weight) in sums.iter().zip(weights) {
        assert!((*sum as f64 / 2000.0 - weight / 2.0).abs() < 0.05, "{sums:?}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let x = table(&[vec![0.0, 1.0, 5.0]]);
    let error =
        |spec: IsolationForest, table: &Table| spec.fit_table(table, &FitContext::new(0)).unwrap_err().to_string();
    let new = IsolationForest::new;
    assert_eq!(error(new().trees(0), &x), "`trees` is 0, allowed is 1 to 100000");
    assert_eq!(error(new().rows(1), &x), "`rows` is 1, allowed is 2 to 1048576");
    assert_eq!(error(new().contamination(Some(0.6)), &x), "`contamination` is 0.6, allowed is above 0, at most 0.5");
    assert_eq!(error(new().score_column("x0"), &x), "two columns are named `x0`; rename one");
    assert_eq!(
        error(new(), &x.take(&[1])),
        "an isolation forest (rows with a weight above 0) needs at least 2 rows, 1 found"
    );
    let nothing = error(IsolationForest::on(named(Vec::<String>::new())), &x);
    assert_eq!(nothing, "no feature column is left; let the isolation forest look at a number, a category or a flag");
    let text = Table::of([("note", Column::texts([Some("a"), Some("b")]))]).unwrap();
    assert_eq!(error(IsolationForest::on(all()), &text), "column `note`: is a text, a number is needed");
    let forest = fit(&new(), &x);
    let wrong = forest.transform_row(&[Cell::Flag(true)], &mut Vec::new()).unwrap_err();
    assert_eq!(wrong.to_string(), "column `x0`: is a flag, a number is needed");
}

#[test]
fn a_forest_over_other_columns_is_not_loaded() {
    let forest = fit(&IsolationForest::new(), &table(&[vec![0.0, 1.0, 5.0], vec![1.0, 2.0, 2.0]]));
    let bytes = encode("a forest", &forest).unwrap();
    assert_eq!(decode::<FittedIsolationForest>("a forest", &bytes).unwrap(), forest);
    let text = serde_json::to_string(&forest).unwrap();
    for (from, to) in [
        ("\"looked_at\":[0,1]", "\"looked_at\":[0,7]"),
        ("\"looked_at\":[0,1]", "\"looked_at\":[0,0]"),
        ("\"usual\":", "\"usual\":-"),
    ] {
        assert!(text.contains(from));
        assert!(serde_json::from_str::<FittedIsolationForest>(&text.replace(from, to)).is_err(), "{to}");
    }
}

proptest! {
    #[test]
    fn every_value_is_scored(
        columns in prop::collection::vec(prop::collection::vec(prop_oneof![
            Just(f64::NAN), Just(f64::INFINITY), Just(-1.7e308), Just(5e-324), -3.0f64..3.0, Just(0.0),
        ], 12), 1..4),
        seed in 0u64..50,
    ) {
        let x = table(&columns);
        let forest = IsolationForest::new().trees(5).fit_table(&x, &FitContext::new(seed)).unwrap();
        for tree in forest.trees().trees() {
            // No side of a split was empty.
            prop_assert!((0..tree.len()).all(|at| tree.cover(at).unwrap() >= 1.0));
        }
        prop_assert!(forest.scores(&x).unwrap().iter().all(|&score| score > 0.0 && score < 1.0));
    }
}
