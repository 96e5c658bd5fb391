//! The measures against scikit-learn, statsmodels and krippendorff, every case of the golden file.

use stagewise_core::schema::Levels;
use stagewise_testkit::golden::{Case, load};

use super::*;
use crate::label::annotations::{Annotations, Given};

/// The answers of a case; labels are called by their values.
fn answers(case: &Case) -> Annotations {
    let table = case.matrix("/input/table");
    let labels = Levels::new(case.numbers("/input/values").iter().map(|x| format!("{x}")));
    let mut rows = Vec::new();
    for (task, row) in (0_u32..).zip(&table) {
        for (worker, x) in (0_u32..).zip(row).filter(|(_, x)| !x.is_nan()) {
            rows.push((task, Given { worker, label: *x as u32 }));
        }
    }
    let names = |n: usize| Levels::new((0..n).map(|i| i.to_string()));
    Annotations::coded(names(table.len()), names(table[0].len()), labels, rows, 0).unwrap()
}

#[test]
fn every_measure_equals_its_peer() {
    let golden = load("agreement.json");
    assert_eq!(golden.cases.len(), 6);
    let mut fleiss = 0;
    for case in &golden.cases {
        let answers = answers(case);
        let weights = [KappaWeights::None, KappaWeights::Linear, KappaWeights::Quadratic];
        let found = weights.map(|weights| cohen_kappa(&answers, "0", "1", weights).unwrap().value());
        golden.assert_all_close(&found, &case.numbers("/expected/cohen"), &case.name);
        match case.number("/expected/fleiss") {
            expected if expected.is_nan() => assert!(fleiss_kappa(&answers).is_err(), "{}", case.name),
            expected => {
                golden.assert_close(fleiss_kappa(&answers).unwrap().value(), expected, &case.name);
                fleiss += 1;
            }
        }
        for (scale, level) in [
            (Scale::Nominal, "nominal"),
            (Scale::Ordinal, "ordinal"),
            (Scale::Interval, "interval"),
            (Scale::Ratio, "ratio"),
        ] {
            let found = krippendorff_alpha(&answers, scale).unwrap().value();
            golden.assert_close(found, case.number(&format!("/expected/alpha/{level}")), &case.name);
        }
    }
    assert_eq!(fleiss, 3);
}
