//! How the scalers are held against their golden values.

use stagewise_core::context::FitContext;
use stagewise_core::stage::{Transform, Transformer};
use stagewise_core::task::Regression;
use stagewise_testkit::golden::{self, Case};

use crate::test_tables::{numbers, training};

/// Fits what `spec` makes of each case of `kind` in `scale.json`, and checks what it gives; `least` cases must be
/// there.
pub(super) fn check<S: Transformer<Regression>>(kind: &str, least: usize, spec: impl Fn(&Case) -> S) {
    let golden = golden::load("scale.json");
    let cases: Vec<_> = golden.cases.iter().filter(|case| case.value("/input/kind") == kind).collect();
    assert!(cases.len() >= least, "{kind}: {} cases", cases.len());
    for case in cases {
        let train = training(numbers(&case.matrix("/input/fit")), None);
        let fitted = spec(case).fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(numbers(&case.matrix("/input/apply"))).unwrap();
        for (row, expected) in case.matrix("/expected/transformed").iter().enumerate() {
            let found: Vec<f64> = out.columns().iter().map(|column| column.as_numbers().unwrap()[row]).collect();
            golden.assert_all_close(&found, expected, &format!("{}: row {row}", case.name));
        }
    }
}
