use super::*;
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::exhibit::{Block, Exhibit};
use stagewise_core::matrix::Features;
use stagewise_core::persist::Persist;
use stagewise_core::stage::{Learner, Predict};
use stagewise_core::table::Table;
use stagewise_core::target::{BinaryTarget, ClassTarget, NumberTarget};
use stagewise_core::task::BinaryLabels;
use stagewise_numeric::random::Stream;

use crate::tree::boost::learner::GradientBoosting;

/// How far the answer of the first row is from `goal`, and how many rows there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Look {
    First { goal: f64, direction: Direction },
    Rows,
    Weight,
    None,
}

impl Persist for Look {
    const TAG: &'static str = "tests::Look";
}

impl Look {
    fn value(&self, answers: &[f64], weights: Option<&[f64]>) -> Result<f64> {
        Ok(match self {
            Self::First { goal, direction: Direction::LowerIsBetter } => (answers[0] - goal).abs(),
            Self::First { goal, .. } => -(answers[0] - goal).abs(),
            Self::Rows => answers.len() as f64,
            Self::Weight => weights.map_or(-1.0, |weights| weights.iter().sum()),
            Self::None => {
                let (what, why) = ("a look".into(), "there is none".into());
                return Err(stagewise_core::error::NumericError::Undefined { what, why }.into());
            }
        })
    }
}

macro_rules! metric {
    ($task:ty) => {
        impl Metric<$task> for Look {
            fn name(&self) -> String {
                "look".into()
            }

            fn direction(&self) -> Direction {
                if let Self::First { direction, .. } = self { *direction } else { Direction::HigherIsBetter }
            }

            fn range(&self) -> (f64, f64) {
                (f64::NEG_INFINITY, f64::INFINITY)
            }

            fn score(
                &self,
                _truth: &<$task as Task>::Target,
                output: &<$task as Task>::Output,
                weights: Option<&[f64]>,
            ) -> Result<f64> {
                self.value(&output.iter().copied().collect::<Vec<_>>(), weights)
            }
        }
    };
}

metric!(Regression);
metric!(Binary);
metric!(Multiclass);

fn columns(rows: usize, seed: u64) -> (Features, Vec<f64>) {
    let mut stream = Stream::new(seed, "watch");
    let x: Vec<f64> = (0..rows).map(|row| if row == 0 { 2.0 } else { stream.normal() }).collect();
    let y = x.iter().map(|x| x + 0.5 * stream.normal()).collect();
    (Features::new(Table::of([("x", Column::numbers(x))]).unwrap()).unwrap(), y)
}

fn numbers(rows: usize, seed: u64) -> Design<Regression> {
    let (features, y) = columns(rows, seed);
    Design::new(features, NumberTarget::new(y), ())
}

fn events(rows: usize, seed: u64) -> Design<Binary> {
    let (features, y) = columns(rows, seed);
    let labels = BinaryLabels { event: "yes".into(), other: "no".into() };
    Design::new(features, BinaryTarget::new(y.iter().map(|&y| y > 0.0).collect::<Vec<_>>()), labels)
}

fn classes(rows: usize, seed: u64) -> Design<Multiclass> {
    let (features, y) = columns(rows, seed);
    let codes = y.iter().map(|&y| u32::from(y > -0.5) + u32::from(y > 0.5)).collect::<Vec<_>>();
    let labels = stagewise_core::schema::Levels::new((0..3).map(|c| c.to_string()));
    Design::new(features, ClassTarget::new(codes, 3), labels)
}

fn spec() -> GradientBoosting {
    GradientBoosting::new().rounds(40).min_rows_leaf(5.0)
}

fn best(values: &[f64], direction: Direction) -> usize {
    (0..values.len()).fold(0, |best, at| if direction.is_better(values[at], values[best]) { at } else { best })
}

#[test]
fn curves_are_what_the_metric_says_of_the_model() {
    fn compare<T: Answered>(train: Design<T>, held: Design<T>)
    where
        GradientBoosting: Learner<T>,
        Look: Metric<T>,
        <GradientBoosting as Learner<T>>::Model: AsModel,
    {
        let look = Look::First { goal: 0.1, direction: Direction::LowerIsBetter };
        for rounds in [0, 1, 7] {
            let spec = spec().rounds(rounds).watch::<T>(look.clone()).watch::<T>(Look::Rows);
            let design = train.clone().judged_by(held.clone());
            let model = Learner::<T>::fit(&spec, &design, &FitContext::new(1)).unwrap();
            let curves = &AsModel::history(&model).watched;
            assert_eq!((curves.len(), curves[0].metric.as_str(), curves[0].train.len()), (2, "look", rounds + 1));
            for (design, values) in [(&train, &curves[0].train), (&held, &curves[0].validation)] {
                let answers = model.predict(&design.features).unwrap();
                let value = Metric::<T>::score(&look, &design.target, &answers, None).unwrap();
                assert_eq!(values[rounds].to_bits(), value.to_bits());
            }
        }
    }
    compare(numbers(200, 1), numbers(80, 2));
    compare(events(200, 1), events(80, 2));
    compare(classes(200, 1), classes(80, 2));
}

/// The model of all tasks.
trait AsModel {
    fn history(&self) -> &History;
}

impl AsModel for crate::TreeEnsemble {
    fn history(&self) -> &History {
        self.training_history().unwrap()
    }
}

#[test]
fn early_stopping_goes_by_the_first() {
    let (train, held) = (numbers(300, 1), numbers(100, 2));
    let design = train.judged_by(held);
    for direction in [Direction::LowerIsBetter, Direction::HigherIsBetter] {
        let patient = spec().early_stopping(Some(6));
        let model = patient
            .clone()
            .watch::<Regression>(Look::First { goal: 0.7, direction })
            .watch::<Regression>(Look::Rows)
            .fit(&design, &FitContext::new(1))
            .unwrap();
        let history = model.training_history().unwrap();
        let curve = &history.watched[0].validation;
        let at = best(curve, direction);
        assert_eq!((history.rounds, model.trees().len(), curve.len()), (at, at, at + 7));
        // By the loss it would have gone on.
        assert!(history.validation[at + 6] < history.validation[at]);
        // The number of rows is never better than before, so nothing is learned.
        let first = patient.watch::<Regression>(Look::Rows);
        let model = first.watch::<Regression>(Look::First { goal: 0.7, direction });
        assert_eq!(model.fit(&design, &FitContext::new(1)).unwrap().trees().len(), 0);
    }
}

#[test]
fn rows_have_the_weights_that_they_came_with() {
    let weights: Vec<f64> = (0..100).map(|row| (row % 4) as f64).collect();
    let design = events(100, 1).weighted(Some(Arc::new(weights.clone())));
    let spec = spec().class_weights(crate::ClassWeights::Balanced).watch::<Binary>(Look::Weight);
    let model: crate::TreeEnsemble = spec.fit(&design, &FitContext::new(1)).unwrap();
    let curve = &model.training_history().unwrap().watched[0];
    assert!(curve.train.iter().all(|&sum| sum == weights.iter().sum::<f64>()) && curve.validation.is_empty());
}

#[test]
fn of_many_rows_some_are_looked_at() {
    let weights = Some(Arc::new(vec![2.0; 70_001]));
    let spec = spec().rounds(1).watch::<Regression>(Look::Rows).watch::<Regression>(Look::Weight);
    let model = spec.fit(&numbers(70_001, 1).weighted(weights), &FitContext::new(1)).unwrap();
    let watched = &model.training_history().unwrap().watched;
    assert_eq!((watched[0].train[1], watched[1].train[1]), (35_001.0, 70_002.0));
}

#[test]
fn it_is_found_again_by_its_tag() {
    let design = numbers(100, 1);
    let spec = spec().rounds(3).watch::<Regression>(Look::Rows);
    let mut loaded: GradientBoosting = Saved::of(&spec).unwrap().load().unwrap();
    assert!(loaded == spec);
    let fit = |spec: &GradientBoosting| Learner::<Regression>::fit(spec, &design, &FitContext::new(1));
    let error = fit(&loaded).unwrap_err().to_string();
    assert!(error.contains("`tests::Look` is not registered as a metric"), "{error}");
    let mut registry = Registry::new();
    assert!(Learner::<Regression>::resolve(&mut loaded, &registry).is_err());
    registry.metric_for::<Regression, Look>();
    Learner::<Regression>::resolve(&mut loaded, &registry).unwrap();
    assert!(fit(&loaded).unwrap() == fit(&spec).unwrap());
}

#[test]
fn what_can_not_be_watched_is_an_error() {
    let fit = |spec: GradientBoosting| spec.fit(&numbers(50, 1), &FitContext::new(1)).unwrap_err().to_string();
    let other = fit(spec().watch::<Binary>(Look::Rows));
    assert_eq!(other, "`watch` is tests::Look, a metric of binary, allowed is a metric of the task that is learned");
    assert_eq!(fit(spec().watch::<Regression>(Look::None)), "a look is not defined: there is none");
}

#[test]
fn each_has_its_chart() {
    let design = numbers(60, 1).judged_by(numbers(20, 2));
    let spec = spec().rounds(2).watch::<Regression>(Look::Rows);
    let section = spec.fit(&design, &FitContext::new(1)).unwrap().training_history().unwrap().exhibit();
    let charts = section.blocks.iter().filter(|block| matches!(block, Block::Chart(_))).count();
    let Block::Facts(facts) = &section.blocks[0] else { panic!("facts") };
    assert_eq!((charts, facts[2].0.as_str(), facts[2].1.as_str()), (2, "held-out look there", "20"));
}
