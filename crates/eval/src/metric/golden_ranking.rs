//! Ranking metrics against scikit-learn, LightGBM and the mean over all orders.

use ndarray::Array1;
use stagewise_core::metric::Metric;
use stagewise_core::target::RankingTarget;
use stagewise_testkit::golden;

use super::{Gain, MeanAveragePrecision, MeanReciprocalRank, Ndcg};

#[test]
fn ranking_metrics() {
    let golden = golden::load("metrics_ranking.json");
    let mut seen = 0;
    for case in &golden.cases {
        let groups: Vec<u32> = case.numbers("/input/groups").iter().map(|&group| group as u32).collect();
        let truth = RankingTarget::new(case.numbers("/input/grades"), groups).unwrap();
        let output = Array1::from(case.numbers("/input/scores"));
        let weights = case.optional_numbers("/input/weights");
        let at = case.value("/input/at").as_u64().map(|at| at as usize);
        let (mut ndcg, mut precision, mut reciprocal) =
            (Ndcg::new(), MeanAveragePrecision::new(), MeanReciprocalRank::new());
        if let Some(at) = at {
            (ndcg, precision, reciprocal) = (ndcg.at(at), precision.at(at), reciprocal.at(at));
        }
        let weights = weights.as_deref();
        for (key, found) in [
            ("ndcg", ndcg.score(&truth, &output, weights)),
            ("linear_ndcg", ndcg.gain(Gain::Linear).score(&truth, &output, weights)),
            ("mean_average_precision", precision.score(&truth, &output, weights)),
            ("mean_reciprocal_rank", reciprocal.score(&truth, &output, weights)),
        ] {
            let found = found.unwrap();
            let Some(expected) = case.value("/expected").get(key).and_then(|value| value.as_f64()) else { continue };
            seen += 1;
            if case.name.starts_with("lightgbm") {
                assert!((found - expected).abs() < 1e-6, "{} {key}: {found}, LightGBM {expected}", case.name);
            } else {
                golden.assert_close(found, expected, &format!("{} {key}", case.name));
            }
        }
    }
    assert_eq!(seen, 12 * 4 + 2 * 2);
}
