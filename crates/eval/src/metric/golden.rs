//! The metrics against scikit-learn, every case of the golden files.

use ndarray::{Array1, Array2};
use stagewise_core::metric::Metric;
use stagewise_core::target::{BinaryTarget, ClassTarget, NumberTarget};
use stagewise_core::task::{Binary, Multiclass, Regression, Task};
use stagewise_testkit::golden::{Case, Golden, load};

use super::*;

fn check<T: Task>(
    golden: &Golden,
    case: &Case,
    expected: &str,
    metric: impl Metric<T>,
    truth: &T::Target,
    output: &T::Output,
) {
    let what = format!("{} of {}", expected, case.name);
    let weights = case.optional_numbers("/input/weights");
    let found = metric.score(truth, output, weights.as_deref());
    let expected = case.number(&format!("/expected/{expected}"));
    if expected.is_nan() {
        let text = found.expect_err(&what).to_string();
        assert!(text.contains("is not defined"), "{what}: {text}");
    } else {
        golden.assert_close(found.unwrap_or_else(|e| panic!("{what}: {e}")), expected, &what);
    }
}

#[test]
fn binary() {
    let golden = load("metrics_binary.json");
    assert_eq!(golden.cases.len(), 21);
    for case in &golden.cases {
        let truth = BinaryTarget::new(case.numbers("/input/truth").iter().map(|y| *y == 1.0).collect::<Vec<_>>());
        let output = Array1::from_vec(case.numbers("/input/probability"));
        let at = case.number("/input/threshold");
        check::<Binary>(&golden, case, "accuracy", Accuracy::new().threshold(at), &truth, &output);
        check::<Binary>(&golden, case, "precision", Precision::new().threshold(at), &truth, &output);
        check::<Binary>(&golden, case, "recall", Recall::new().threshold(at), &truth, &output);
        check::<Binary>(&golden, case, "f1", F1::new().threshold(at), &truth, &output);
        check(&golden, case, "roc_auc", RocAuc, &truth, &output);
        check::<Binary>(&golden, case, "log_loss", LogLoss, &truth, &output);
        check(&golden, case, "brier", Brier, &truth, &output);
    }
}

#[test]
fn multiclass() {
    let golden = load("metrics_multiclass.json");
    assert_eq!(golden.cases.len(), 11);
    for case in &golden.cases {
        let rows = case.matrix("/input/probability");
        let output = Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, class)| rows[row][class]);
        let codes = case.numbers("/input/truth").iter().map(|y| *y as u32).collect::<Vec<_>>();
        let truth = ClassTarget::new(codes, output.ncols());
        check::<Multiclass>(&golden, case, "accuracy", Accuracy::new(), &truth, &output);
        check::<Multiclass>(&golden, case, "log_loss", LogLoss, &truth, &output);
        for (name, average) in [("macro", Average::Macro), ("micro", Average::Micro), ("weighted", Average::Weighted)] {
            let key = |metric: &str| format!("{metric}_{name}");
            let (precision, recall) = (Precision::new().average(average), Recall::new().average(average));
            check::<Multiclass>(&golden, case, &key("precision"), precision, &truth, &output);
            check::<Multiclass>(&golden, case, &key("recall"), recall, &truth, &output);
            check::<Multiclass>(&golden, case, &key("f1"), F1::new().average(average), &truth, &output);
        }
    }
}

#[test]
fn regression() {
    let golden = load("metrics_regression.json");
    assert_eq!(golden.cases.len(), 15);
    for case in &golden.cases {
        let truth = NumberTarget::new(case.numbers("/input/truth"));
        let output = Array1::from_vec(case.numbers("/input/prediction"));
        check::<Regression>(&golden, case, "mae", Mae, &truth, &output);
        check(&golden, case, "mse", Mse, &truth, &output);
        check(&golden, case, "rmse", Rmse, &truth, &output);
        check(&golden, case, "r2", R2, &truth, &output);
    }
}
