//! The kinds of question a model answers. A task fixes the types of the truth and of the answer, so that a metric,
//! a learner or a calibrator for another task does not compile.

use std::fmt::Debug;
use std::sync::Arc;

use ndarray::{Array1, Array2};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::column::Column;
use crate::error::{DataError, Result};
use crate::record::parse;
use crate::registry::{Loaders, Registry};
use crate::schema::{Kind, Levels};
use crate::target::{BinaryTarget, ClassTarget, NumberTarget, TargetValues, level_codes, level_column, number_text};

mod ranking;

pub use ranking::Ranking;

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Regression {}
    impl Sealed for super::Binary {}
    impl Sealed for super::Multiclass {}
    impl Sealed for super::Ranking {}
}

/// What kind of question is asked. Sealed: [`Regression`], [`Binary`], [`Multiclass`], [`Ranking`].
pub trait Task: sealed::Sealed + Copy + Debug + Default + Send + Sync + 'static {
    /// The name in files and messages.
    const NAME: &'static str;
    /// The truth, one value per row.
    type Target: TargetValues;
    /// What the truth's values are called; fixed when the training data is read.
    type Labels: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The answers for many rows.
    type Output: Clone + Debug + PartialEq + Send + Sync + 'static;
    /// The answer for one row.
    type RowOutput: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Reads labels off a target column without missing values.
    ///
    /// # Errors
    /// If the column is of a kind or content that this task cannot learn from.
    fn labels(column: &Column, target: &str, event: Option<&str>) -> Result<Self::Labels>;

    /// The truth in a target column without missing values, under given labels.
    ///
    /// # Errors
    /// [`DataError::UnknownLevel`] for a level that the labels do not have, [`DataError::NotFinite`].
    fn truth(column: &Column, labels: &Self::Labels) -> Result<Self::Target>;

    /// The truth with the group of each row. Most tasks have no use for it.
    ///
    /// # Errors
    /// [`DataError::GroupNeeded`] where the task makes no sense without groups.
    fn grouped(truth: Self::Target, groups: Option<Vec<u32>>) -> Result<Self::Target> {
        let _ = groups;
        Ok(truth)
    }

    /// The truth as a column of this kind, which [`truth`](Self::truth) reads as it was.
    fn column(truth: &Self::Target, labels: &Self::Labels, kind: Kind) -> Column;

    /// The weighted mean of the truth: the answer of a model that knows no features.
    fn mean(target: &Self::Target, labels: &Self::Labels, weights: Option<&[f64]>) -> Self::RowOutput;

    /// One answer for each of `rows` rows.
    fn repeat(answer: &Self::RowOutput, rows: usize) -> Self::Output;

    /// The answer of one row.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows).
    fn row(output: &Self::Output, row: usize) -> Self::RowOutput;

    /// The answers of single rows as one.
    fn collect(answers: Vec<Self::RowOutput>) -> Self::Output;

    /// How many rows were answered.
    fn rows(output: &Self::Output) -> usize;

    /// The numbers of an answer; equal bits here mean equal answers.
    fn numbers(answer: &Self::RowOutput) -> &[f64];

    /// The answer in words, for people and responses.
    fn answer(answer: &Self::RowOutput, labels: &Self::Labels) -> Answer;

    /// What the registry can load for this task.
    #[doc(hidden)]
    fn loaders(registry: &Registry) -> &Loaders<Self>;
    #[doc(hidden)]
    fn loaders_mut(registry: &mut Registry) -> &mut Loaders<Self>;
}

/// A prediction as a person or a client reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// Of a binary task.
    Event {
        /// The probability of the event.
        probability: f64,
        /// The likelier level: the event from 0.5 on.
        level: String,
    },
    /// Of a multiclass task.
    Class {
        /// The likeliest class; of equally likely ones the first.
        level: String,
        /// The probability of each class, in the order of the labels.
        probabilities: Vec<(String, f64)>,
    },
    /// Of a ranking.
    Score {
        /// Rows of larger scores come first; a score alone says nothing.
        score: f64,
    },
    /// Of a regression.
    Value {
        /// The predicted number.
        value: f64,
    },
}

/// How much? The truth and the answer are numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Regression;

/// Will it happen? The truth is event or not, the answer the probability of the event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Binary;

/// Which one? The truth is one of `k ≥ 2` classes, the answer their probabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Multiclass;

/// The two levels of a binary target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryLabels {
    /// The level whose probability is predicted.
    pub event: Arc<str>,
    /// The other one.
    pub other: Arc<str>,
}

impl Task for Regression {
    const NAME: &'static str = "regression";
    type Target = NumberTarget;
    type Labels = ();
    type Output = Array1<f64>;
    type RowOutput = f64;

    fn labels(column: &Column, _target: &str, _event: Option<&str>) -> Result<()> {
        column.as_numbers().map(|_| ())
    }

    fn truth(column: &Column, (): &()) -> Result<NumberTarget> {
        Ok(NumberTarget::new(column.require_finite()?))
    }

    fn column(truth: &NumberTarget, (): &(), _: Kind) -> Column {
        truth.column()
    }

    fn mean(target: &NumberTarget, (): &(), weights: Option<&[f64]>) -> f64 {
        weighted_mean(target.values().iter().copied(), weights)
    }

    fn repeat(answer: &f64, rows: usize) -> Array1<f64> {
        Array1::from_elem(rows, *answer)
    }

    fn row(output: &Array1<f64>, row: usize) -> f64 {
        output[row]
    }

    fn collect(answers: Vec<f64>) -> Array1<f64> {
        Array1::from_vec(answers)
    }

    fn rows(output: &Array1<f64>) -> usize {
        output.len()
    }

    fn numbers(answer: &f64) -> &[f64] {
        std::slice::from_ref(answer)
    }

    fn answer(answer: &f64, (): &()) -> Answer {
        Answer::Value { value: *answer }
    }

    fn loaders(registry: &Registry) -> &Loaders<Self> {
        &registry.regression
    }

    fn loaders_mut(registry: &mut Registry) -> &mut Loaders<Self> {
        &mut registry.regression
    }
}

impl Task for Binary {
    const NAME: &'static str = "binary";
    type Target = BinaryTarget;
    type Labels = BinaryLabels;
    type Output = Array1<f64>;
    type RowOutput = f64;

    fn labels(column: &Column, target: &str, event: Option<&str>) -> Result<BinaryLabels> {
        let (_, levels) = level_codes(column)?;
        let names = levels.to_strings();
        let [first, second] = names.as_slice() else {
            let target = target.to_string();
            return Err(if names.len() < 2 {
                DataError::OneClass { target, level: names.first().cloned(), rows: column.len() }.into()
            } else {
                DataError::NotBinary { target, levels: names }.into()
            });
        };
        let event = event.map(|event| level_name(column, event));
        let event = match event.as_deref() {
            Some(event) if names.iter().any(|n| n == event) => event,
            Some(event) => return Err(DataError::UnknownLevel { level: event.into(), known: names }.into()),
            // 0/1, no/yes and false/true say which is the event; other pairs do not.
            None if !matches!(column, Column::Category { .. }) => second,
            None if parse::flag(first) == Some(false) && parse::flag(second) == Some(true) => second,
            None => return Err(DataError::EventNeeded { target: target.into(), levels: names }.into()),
        };
        let other = if event == first { second } else { first };
        Ok(BinaryLabels { event: event.into(), other: other.as_str().into() })
    }

    fn truth(column: &Column, labels: &BinaryLabels) -> Result<BinaryTarget> {
        let (codes, levels) = level_codes(column)?;
        let events = levels
            .iter()
            .map(|name| {
                if *name == labels.event {
                    Ok(true)
                } else if *name == labels.other {
                    Ok(false)
                } else {
                    let known = vec![labels.event.to_string(), labels.other.to_string()];
                    Err(DataError::UnknownLevel { level: name.to_string(), known })
                }
            })
            .collect::<Result<Vec<bool>, _>>()?;
        Ok(BinaryTarget::new(codes.iter().map(|&c| events[c as usize]).collect::<Vec<_>>()))
    }

    fn column(truth: &BinaryTarget, labels: &BinaryLabels, kind: Kind) -> Column {
        let codes = truth.events().iter().map(|&event| u32::from(event)).collect();
        level_column(codes, Levels::new([labels.other.clone(), labels.event.clone()]), kind)
    }

    fn mean(target: &BinaryTarget, _labels: &BinaryLabels, weights: Option<&[f64]>) -> f64 {
        weighted_mean(target.events().iter().map(|&e| f64::from(u8::from(e))), weights)
    }

    fn repeat(answer: &f64, rows: usize) -> Array1<f64> {
        Array1::from_elem(rows, *answer)
    }

    fn row(output: &Array1<f64>, row: usize) -> f64 {
        output[row]
    }

    fn collect(answers: Vec<f64>) -> Array1<f64> {
        Array1::from_vec(answers)
    }

    fn rows(output: &Array1<f64>) -> usize {
        output.len()
    }

    fn numbers(answer: &f64) -> &[f64] {
        std::slice::from_ref(answer)
    }

    fn answer(answer: &f64, labels: &BinaryLabels) -> Answer {
        let level = if *answer >= 0.5 { &labels.event } else { &labels.other };
        Answer::Event { probability: *answer, level: level.to_string() }
    }

    fn loaders(registry: &Registry) -> &Loaders<Self> {
        &registry.binary
    }

    fn loaders_mut(registry: &mut Registry) -> &mut Loaders<Self> {
        &mut registry.binary
    }
}

impl Task for Multiclass {
    const NAME: &'static str = "multiclass";
    type Target = ClassTarget;
    type Labels = Levels;
    type Output = Array2<f64>;
    type RowOutput = Vec<f64>;

    fn labels(column: &Column, target: &str, _event: Option<&str>) -> Result<Levels> {
        let (_, levels) = level_codes(column)?;
        if levels.len() < 2 {
            let level = levels.name(0).map(ToString::to_string);
            return Err(DataError::OneClass { target: target.into(), level, rows: column.len() }.into());
        }
        Ok(levels)
    }

    fn truth(column: &Column, labels: &Levels) -> Result<ClassTarget> {
        let (codes, levels) = level_codes(column)?;
        let map = levels
            .iter()
            .map(|name| {
                labels
                    .code(name)
                    .ok_or_else(|| DataError::UnknownLevel { level: name.to_string(), known: labels.to_strings() })
            })
            .collect::<Result<Vec<u32>, _>>()?;
        Ok(ClassTarget::new(codes.iter().map(|&c| map[c as usize]).collect::<Vec<_>>(), labels.len()))
    }

    fn column(truth: &ClassTarget, labels: &Levels, kind: Kind) -> Column {
        level_column(truth.codes().to_vec(), labels.clone(), kind)
    }

    fn mean(target: &ClassTarget, labels: &Levels, weights: Option<&[f64]>) -> Vec<f64> {
        (0..labels.len() as u32)
            .map(|class| weighted_mean(target.codes().iter().map(|&c| f64::from(u8::from(c == class))), weights))
            .collect()
    }

    fn repeat(answer: &Vec<f64>, rows: usize) -> Array2<f64> {
        Array2::from_shape_fn((rows, answer.len()), |(_, class)| answer[class])
    }

    fn row(output: &Array2<f64>, row: usize) -> Vec<f64> {
        output.row(row).to_vec()
    }

    fn collect(answers: Vec<Vec<f64>>) -> Array2<f64> {
        let classes = answers.first().map_or(0, Vec::len);
        Array2::from_shape_fn((answers.len(), classes), |(row, class)| answers[row][class])
    }

    fn rows(output: &Array2<f64>) -> usize {
        output.nrows()
    }

    fn numbers(answer: &Vec<f64>) -> &[f64] {
        answer
    }

    fn answer(answer: &Vec<f64>, labels: &Levels) -> Answer {
        let best = (0..answer.len()).fold(0, |best, i| if answer[i] > answer[best] { i } else { best });
        Answer::Class {
            level: labels.name(best as u32).map(ToString::to_string).unwrap_or_default(),
            probabilities: labels.iter().map(ToString::to_string).zip(answer.iter().copied()).collect(),
        }
    }

    fn loaders(registry: &Registry) -> &Loaders<Self> {
        &registry.multiclass
    }

    fn loaders_mut(registry: &mut Registry) -> &mut Loaders<Self> {
        &mut registry.multiclass
    }
}

/// What a level that a person wrote is called in this column: `yes` is `true` of a flag, `1.0` is `1` of a number.
fn level_name(column: &Column, text: &str) -> String {
    let name = match column {
        Column::Flag(_) => parse::flag(text).map(|b| b.to_string()),
        Column::Number(_) => parse::number(text).map(number_text),
        _ => None,
    };
    name.unwrap_or_else(|| text.trim().to_string())
}

/// `Σ w y / Σ w`, exactly rounded sums; 0 where the weights sum to nothing.
fn weighted_mean(values: impl Iterator<Item = f64>, weights: Option<&[f64]>) -> f64 {
    let mut moments = stagewise_numeric::sum::Moments::new();
    match weights {
        None => values.for_each(|v| moments.add(v)),
        Some(weights) => values.zip(weights).for_each(|(v, &w)| moments.add_weighted(v, w)),
    }
    moments.mean().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_one_says_its_event_and_words_must_be_told() {
        let labels = Binary::labels(&Column::numbers([1.0, 0.0]), "y", None).unwrap();
        assert_eq!((&*labels.event, &*labels.other), ("1", "0"));
        let labels = Binary::labels(&Column::categories([Some("Yes"), Some("No")]), "y", None).unwrap();
        assert_eq!(&*labels.event, "Yes");
        let words = Column::categories([Some("good"), Some("bad")]);
        assert!(Binary::labels(&words, "y", None).unwrap_err().to_string().contains("say which one is the event"));
        let labels = Binary::labels(&words, "y", Some("bad")).unwrap();
        assert_eq!(Binary::truth(&words, &labels).unwrap().events(), [false, true]);
        assert!(Binary::labels(&words, "y", Some("ugly")).is_err());
        let labels = Binary::labels(&Column::numbers([1.0, 2.0]), "y", Some("1.0")).unwrap();
        assert_eq!((&*labels.event, &*labels.other), ("1", "2"));
        let labels = Binary::labels(&Column::flags([Some(true), Some(false)]), "y", Some("no")).unwrap();
        assert_eq!((&*labels.event, &*labels.other), ("false", "true"));
    }

    #[test]
    fn classes_are_ordered_as_people_count() {
        let labels = Multiclass::labels(&Column::numbers([10.0, 9.0, 2.0]), "y", None).unwrap();
        assert_eq!(labels.to_strings(), ["2", "9", "10"]);
    }

    #[test]
    fn one_class_is_refused_with_its_name() {
        let error = Binary::labels(&Column::categories([Some("a"), Some("a")]), "y", None).unwrap_err();
        assert!(error.to_string().contains("only the level `a`"), "{error}");
    }
}
