//! Confident learning against cleanlab, and what it refuses.

use ndarray::Array1;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::exhibit::Exhibit;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::stage::{Estimator, Predictor};
use stagewise_core::table::Table;
use stagewise_testkit::data;
use stagewise_testkit::golden::load;

use super::*;

#[test]
fn equals_cleanlab() {
    let golden = load("label_errors.json");
    assert_eq!(golden.cases.len(), 4);
    for case in &golden.cases {
        let given: Vec<usize> = case.numbers("/input/given").iter().map(|x| *x as usize).collect();
        let rows = case.matrix("/input/probabilities");
        let names: Vec<String> = (0..rows[0].len()).map(|class| class.to_string()).collect();
        for (key, suspicion) in [("noise_rate", Suspicion::NoiseRate), ("confident", Suspicion::Confident)] {
            let found = ConfidentLearning::new().suspicion(suspicion).judge(&given, &rows, names.clone()).unwrap();
            let mut suspects: Vec<usize> = found.suspects().iter().map(|suspect| suspect.row).collect();
            assert!(suspects.windows(2).all(|p| found.self_confidence()[p[0]] <= found.self_confidence()[p[1]]));
            suspects.sort_unstable();
            let expected: Vec<usize> =
                case.numbers(&format!("/expected/{key}")).iter().map(|row| *row as usize).collect();
            assert_eq!(suspects, expected, "{} {key}", case.name);
            let thresholds: Vec<f64> = found.thresholds().iter().map(|t| t.unwrap()).collect();
            golden.assert_all_close(&thresholds, &case.numbers("/expected/thresholds"), &case.name);
            golden.assert_all_close(found.self_confidence(), &case.numbers("/expected/self_confidence"), &case.name);
            golden.assert_all_close(
                found.normalised_margin(),
                &case.numbers("/expected/normalized_margin"),
                &case.name,
            );
            let calibrated = case.matrix("/expected/calibrated");
            for (class, expected) in case.matrix("/expected/joint").iter().enumerate() {
                let counts: Vec<f64> = found.confident_joint()[class].iter().map(|n| *n as f64).collect();
                golden.assert_all_close(&counts, expected, &case.name);
                // Theirs is rounded.
                let near = found.calibrated_joint()[class].iter().zip(&calibrated[class]);
                assert!(near.clone().all(|(ours, theirs)| (ours - theirs).abs() < 1.0), "{}", case.name);
            }
            assert!((0.0..1.0).contains(&found.noise()) && !found.exhibit().blocks.is_empty());
        }
    }
}

#[test]
fn margins_may_order_the_suspects() {
    let rows = vec![vec![0.3, 0.4, 0.3], vec![0.35, 0.65, 0.0], vec![0.9, 0.1, 0.0], vec![0.1, 0.9, 0.0]];
    let spec = ConfidentLearning::new().suspicion(Suspicion::Confident);
    let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
    let of = |spec: ConfidentLearning| spec.judge(&[0, 0, 0, 1], &rows, names.clone()).unwrap();
    assert!(of(spec).suspects().is_empty());
    let given = [0, 0, 2, 1, 1];
    let rows = vec![
        vec![0.2, 0.45, 0.35],
        vec![0.25, 0.75, 0.0],
        vec![0.0, 0.4, 0.6],
        vec![0.5, 0.45, 0.05],
        vec![0.6, 0.4, 0.0],
    ];
    let order = |by| {
        let found = spec.order(by).judge(&given, &rows, names.clone()).unwrap();
        found.suspects().iter().map(|suspect| suspect.row).collect::<Vec<_>>()
    };
    assert_eq!(order(SuspectOrder::SelfConfidence), [0, 1, 4, 3]);
    assert_eq!(order(SuspectOrder::NormalisedMargin), [1, 0, 4, 3]);
}

#[test]
fn answers_that_are_no_probabilities_are_refused() {
    let names = vec!["a".to_string(), "b".to_string()];
    let spec = ConfidentLearning::new();
    for rows in [vec![vec![f64::NAN, 0.5]], vec![vec![0.5, 1.5]], vec![vec![1.0]]] {
        let error = spec.judge(&[0], &rows, names.clone()).unwrap_err();
        assert!(error.to_string().starts_with("the label of row 0 is not defined"), "{error}");
    }
    assert!(spec.judge(&[0], &[], names.clone()).is_err());
    assert!(spec.judge(&[], &[], names).unwrap().suspects().is_empty());
}

/// Answers 0.9 to every row.
struct Sure;

impl Estimator<Binary> for Sure {
    type Fitted = Self;

    fn fit(&self, _: &Dataset<Binary>, _: &FitContext) -> Result<Self> {
        Ok(Self)
    }
}

impl Predictor<Binary> for Sure {
    fn predict(&self, table: &Table) -> Result<Array1<f64>> {
        Ok(Array1::from_elem(table.rows(), 0.9))
    }
}

/// The first half judges, and where `all` the second one too.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Halves {
    all: bool,
}

impl Persist for Halves {
    const TAG: &'static str = "Halves";
}

impl Splitter<Binary> for Halves {
    fn split(&self, data: &Dataset<Binary>, _: &FitContext) -> Result<Vec<Split>> {
        let (first, second): (Vec<usize>, Vec<usize>) = (0..data.rows()).partition(|row| *row < data.rows() / 2);
        let back = Split { train: second.clone(), validation: first.clone() };
        Ok([back].into_iter().chain(self.all.then_some(Split { train: first, validation: second })).collect())
    }
}

#[test]
fn only_a_whole_cross_validation_without_weights_is_taken() {
    let (data, cx) = (data::binary(40, 1), FitContext::new(0));
    let unweighted = data.weights().is_none();
    let find = |data: &Dataset<Binary>, all| {
        let judged = crate::cross_validate(&Sure, data, &Halves { all }, &[], &cx).unwrap();
        ConfidentLearning::new().find(&judged)
    };
    assert!(unweighted);
    let errors = find(&data, true).unwrap();
    let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
    assert!(close(errors.thresholds()[0], 0.1) && close(errors.thresholds()[1], 0.9));
    let event = &errors.classes()[1];
    assert!(errors.suspects().iter().all(|suspect| suspect.likely == *event && suspect.given != *event));
    assert!(find(&data, false).unwrap_err().to_string().contains("not every row was validated just once"));
    let weighted = data.reweighted(vec![1.0; 40]).unwrap();
    assert!(find(&weighted, true).unwrap_err().to_string().contains("would ignore the weights"));
}
