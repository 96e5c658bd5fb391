//! LambdaMART against LightGBM, and what must hold of any ranking.

use super::*;
use stagewise_core::column::Column;
use stagewise_core::matrix::Features;
use stagewise_core::stage::Predict;
use stagewise_core::table::Table;
use stagewise_core::target::{RankingTarget, TargetValues};
use stagewise_numeric::gain::{dcg, ideal_dcg};
use stagewise_testkit::golden;

fn design(x: &[Vec<f64>], target: RankingTarget) -> Design<Ranking> {
    let columns = (0..x[0].len())
        .map(|j| (format!("x{j}"), Column::numbers(x.iter().map(|row| row[j]).collect::<Vec<_>>())))
        .collect::<Vec<_>>();
    Design::new(Features::new(Table::of(columns).unwrap()).unwrap(), target, ())
}

fn scores(model: &TreeEnsemble, rows: &Design<Ranking>) -> Vec<f64> {
    Predict::<Ranking>::predict(model, &rows.features).unwrap().to_vec()
}

/// The mean NDCG of the first ten places.
fn ndcg(model: &TreeEnsemble, rows: &Design<Ranking>) -> f64 {
    let scores = scores(model, rows);
    let of = |list: Vec<usize>| {
        let gains: Vec<f64> = list.iter().map(|&row| rows.target.grades()[row].exp2() - 1.0).collect();
        let scores: Vec<f64> = list.iter().map(|&row| scores[row]).collect();
        (ideal_dcg(&gains, 10) > 0.0).then(|| dcg(&scores, &gains, 10) / ideal_dcg(&gains, 10))
    };
    let each: Vec<f64> = rows.target.lists().into_iter().filter_map(of).collect();
    each.iter().sum::<f64>() / each.len() as f64
}

#[test]
fn models_are_those_of_lightgbm() {
    let golden = golden::load("lambda_rank.json");
    let mut seen = 0;
    for case in golden.cases.iter().filter(|case| case.name.starts_with("lightgbm")) {
        seen += 1;
        let (x, held) = (case.matrix("/input/x"), case.numbers("/input/held"));
        let groups: Vec<u32> = case.numbers("/input/groups").iter().map(|&group| group as u32).collect();
        let truth = RankingTarget::new(case.numbers("/input/grades"), groups).unwrap();
        let side = |side: f64| {
            let rows: Vec<usize> = (0..held.len()).filter(|&row| held[row] == side).collect();
            design(&rows.iter().map(|&row| x[row].clone()).collect::<Vec<_>>(), truth.take(&rows))
        };
        let (train, held) = (side(0.0), side(1.0));
        let spec = GradientBoosting::new()
            .max_leaves(case.number("/input/leaves") as usize)
            .min_rows_leaf(0.0)
            .min_hessian_leaf(case.number("/input/min_hessian"));
        for (rounds, pointer) in [(1, "/expected/scores_after_1"), (5, "/expected/scores_after_5")] {
            let model = spec.clone().rounds(rounds).fit(&train, &FitContext::new(0)).unwrap();
            // LightGBM adds up gradients in float32.
            for (row, (found, expected)) in scores(&model, &train).iter().zip(case.numbers(pointer)).enumerate() {
                let close = (found - expected).abs() < 1e-5;
                assert!(close, "{} after {rounds}, row {row}: {found}, LightGBM {expected}", case.name);
            }
        }
        let model = spec.clone().rounds(50).fit(&train, &FitContext::new(0)).unwrap();
        let (found, expected) = (ndcg(&model, &held), case.number("/expected/ndcg_10_after_50"));
        assert!((found - expected).abs() < 0.01, "{}: NDCG@10 {found}, LightGBM {expected}", case.name);
    }
    assert_eq!(seen, 2);
}
