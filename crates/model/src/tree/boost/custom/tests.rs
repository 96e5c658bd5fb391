use std::sync::Arc;

use super::*;
use stagewise_core::column::Column;
use stagewise_core::matrix::Features;
use stagewise_core::stage::Predict;
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, NumberTarget};
use stagewise_core::task::BinaryLabels;
use stagewise_numeric::exp::exp;
use stagewise_numeric::random::Stream;
use stagewise_testkit::{conformance, data, golden};

use crate::tree::boost::start::StartRows;

/// Losses with a door for what a test wants of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Own {
    Squared,
    Logistic,
    /// Varian (1975): `e^(a r) − a r − 1` of the error `r`; starts from `start`.
    LinEx {
        a: f64,
        start: f64,
    },
    /// Newey & Powell (1987): `r²`, times `level` where the score is too low; starts from `start`.
    Expectile {
        level: f64,
        start: f64,
    },
    /// What it must not give.
    Broken([f64; 2]),
}

impl Persist for Own {
    const TAG: &'static str = "tests::Own";
}

impl Loss for Own {
    fn link(&self) -> Link {
        if *self == Self::Logistic { Link::Logit } else { Link::Identity }
    }

    fn start(&self, rows: &StartRows<'_>) -> f64 {
        match self {
            Self::LinEx { start, .. } | Self::Expectile { start, .. } => *start,
            _ => rows.matching(self.link()),
        }
    }

    fn pair(&self, y: f64, z: f64) -> [f64; 2] {
        match self {
            Self::Squared => [z - y, 1.0],
            Self::Logistic => {
                let p = 1.0 / (1.0 + exp(-z));
                [p - y, p * (1.0 - p)]
            }
            Self::LinEx { a, .. } => {
                let grown = (a * (z - y)).exp();
                [a * (grown - 1.0), a * a * grown]
            }
            Self::Expectile { level, .. } => {
                let side = if z > y { 1.0 - level } else { *level };
                [2.0 * side * (z - y), 2.0 * side]
            }
            Self::Broken(pair) if y > 2.5 => *pair,
            Self::Broken(_) => [z - y, 1.0],
        }
    }

    fn loss(&self, y: f64, z: f64) -> f64 {
        match self {
            Self::Logistic => z.max(0.0) - y * z + exp(-z.abs()).ln_1p(),
            Self::Broken(_) => f64::NAN,
            _ => 0.5 * (z - y) * (z - y),
        }
    }
}

fn design(rows: usize) -> Design<Regression> {
    let mut stream = Stream::new(5, "own");
    let x: Vec<Vec<f64>> = (0..3).map(|_| (0..rows).map(|_| stream.normal()).collect()).collect();
    let y: Vec<f64> = (0..rows).map(|i| 2.0 * x[0][i] - x[1][i].abs() + 0.3 * stream.normal()).collect();
    let weights: Vec<f64> = (0..rows).map(|i| (i % 3) as f64).collect();
    let columns = ["a", "b", "c"].into_iter().zip(x.into_iter().map(Column::numbers));
    let features = Features::new(Table::of(columns).unwrap()).unwrap();
    Design::new(features, NumberTarget::new(y), ()).weighted(Some(Arc::new(weights)))
}

fn events(rows: usize) -> Design<Binary> {
    let Design { features, target, weights, .. } = design(rows);
    let events = target.values().iter().map(|&y| y > 0.0).collect::<Vec<_>>();
    let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
    Design::new(features, BinaryTarget::new(events), labels).weighted(weights)
}

fn spec() -> GradientBoosting {
    GradientBoosting::new().rounds(12).min_rows_leaf(5.0)
}

#[test]
fn conformance() {
    let spec = spec().rounds(5).max_leaves(4);
    conformance::learner::<Regression, _>(&spec.clone().loss(Own::Squared), &data::regression(150, 1));
    conformance::learner::<Binary, _>(&spec.loss(Own::Logistic), &data::binary(150, 1));
}

#[test]
fn the_built_in_losses_written_again_give_the_same_bits() {
    let (numbers, events) = (design(700), events(700));
    let (numbers, events) = (numbers.clone().judged_by(numbers), events.clone().judged_by(events));
    for spec in [spec(), spec().early_stopping(Some(3)).rounds(60)] {
        let cx = FitContext::new(3);
        let ours: TreeEnsemble = spec.fit(&numbers, &cx).unwrap();
        let own = Learner::<Regression>::fit(&spec.clone().loss(Own::Squared), &numbers, &cx).unwrap();
        assert!(ours.trees() == own.trees() && ours.base() == own.base());
        let ours: TreeEnsemble = spec.fit(&events, &cx).unwrap();
        let own = Learner::<Binary>::fit(&spec.loss(Own::Logistic), &events, &cx).unwrap();
        assert!(ours.trees() == own.trees() && ours.base() == own.base() && ours.answer_link() == own.answer_link());
        assert!(own.training_history().unwrap().train == ours.training_history().unwrap().train);
    }
}

#[test]
fn lopsided_losses_are_those_of_lightgbm() {
    let golden = golden::load("boosting_options.json");
    let mut seen = 0;
    for case in &golden.cases {
        let value = |name: &str| case.number(&format!("/input/{name}"));
        let loss = match case.name.as_str() {
            "linex" => Own::LinEx { a: value("parameter"), start: value("start") },
            "expectile" => Own::Expectile { level: value("parameter"), start: value("start") },
            _ => continue,
        };
        let x = case.matrix("/input/x");
        let column = |j: usize| Column::numbers(x.iter().map(|row| row[j]).collect::<Vec<_>>());
        let features = Features::new(Table::of((0..3).map(|j| (format!("x{j}"), column(j)))).unwrap()).unwrap();
        let design = Design::<Regression>::new(features, NumberTarget::new(case.numbers("/input/target")), ());
        let spec = GradientBoosting::new().rounds(4).learning_rate(0.3).max_leaves(4);
        let spec = spec.min_rows_leaf(0.0).min_hessian_leaf(1.0).loss(loss);
        let model = Learner::<Regression>::fit(&spec, &design, &FitContext::new(0)).unwrap();
        let found: Vec<f64> = Predict::<Regression>::predict(&model, &design.features).unwrap().to_vec();
        golden.assert_all_close(&found, &case.numbers("/expected/scores"), &case.name);
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let train = design(30_000);
    let spec = spec().rounds(3).loss(Own::LinEx { a: 0.5, start: 0.0 });
    let fit = |threads| {
        let cx = FitContext::new(7).threads(threads).unwrap();
        cx.install(|| Learner::<Regression>::fit(&spec, &train, &cx)).unwrap()
    };
    let one = fit(1);
    assert!(one == fit(2) && one == fit(8));
}

#[test]
fn what_a_loss_must_not_give_is_refused_with_its_row() {
    let features = Features::new(Table::of([("x", Column::numbers([1.0, 2.0, 3.0, 4.0]))]).unwrap()).unwrap();
    let train = Design::<Regression>::new(features, NumberTarget::new([0.0, 1.0, 5.0, 2.0]), ());
    let fit = |spec: CustomBoosting<Own>, train: &Design<Regression>| {
        Learner::<Regression>::fit(&spec, train, &FitContext::new(0)).map(|_| ()).map_err(|e| e.to_string())
    };
    let text = |pair| fit(spec().loss(Own::Broken(pair)), &train).unwrap_err();
    assert_eq!(
        text([f64::NAN, 1.0]),
        "row 2: tests::Own is not defined: its gradient is NaN and its hessian 1 at the truth 5, the score 2 and the \
         weight 1; both must be finite, the hessian not below 0"
    );
    assert!(text([1.0, -0.5]).contains("its hessian -0.5"));
    assert!(text([1.0, f64::INFINITY]).contains("its hessian inf"));
    // A row of weight 0 is not there.
    let without = train.clone().weighted(Some(Arc::new(vec![1.0, 1.0, 0.0, 1.0])));
    assert!(fit(spec().loss(Own::Broken([f64::NAN, -1.0])), &without).is_ok());
    let watched = spec().history(true).loss(Own::Broken([1.0, 1.0]));
    assert!(fit(watched, &train).unwrap_err().contains("the loss of a row is no number"));
    let both = spec().objective(crate::Objective::Squared).loss(Own::Squared);
    assert!(fit(both, &train).unwrap_err().contains("not set where a loss is given"));
    let spec = spec().loss(Own::Squared);
    let error = Learner::<Binary>::fit(&spec, &events(20), &FitContext::new(0)).unwrap_err().to_string();
    assert!(error.contains("one with the link Logit"), "{error}");
}

#[test]
fn it_is_loaded_by_the_tag_of_its_loss() {
    let spec = spec().learning_rate(0.25).loss(Own::Expectile { level: 0.7, start: 1.5 });
    let saved = stagewise_core::persist::Saved::of(&spec).unwrap();
    assert_eq!(saved.tag, "tests::Own");
    assert_eq!(saved.load::<CustomBoosting<Own>>().unwrap(), spec);
    let mut registry = stagewise_core::registry::Registry::new();
    registry.learner::<Regression, CustomBoosting<Own>>().learner::<Binary, CustomBoosting<Own>>();
    assert!(registry.check().is_ok() && registry.tags().contains(&("learner", "tests::Own")));
}
