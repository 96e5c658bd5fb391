//! Confident learning: rows whose label contradicts what can be learned from the others.
//!
//! It needs answers by models that have not seen the row: a model that has seen a wrong label repeats it. So it takes a
//! [`CrossValidated`] and nothing else, which only cross-validation can make, and which brings the labels that it was
//! judged with. Weights say how much a row counts, not how many there are, and rows are what is counted here: they are
//! refused.

mod joint;
mod result;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, NumericError, PipelineError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::task::{Binary, Multiclass, Task};

pub use result::{LabelErrors, Suspect};

use crate::cross_validate::CrossValidated;
use joint::Joint;

/// Which rows are suspect. All are rows whose likeliest class is another than the one they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspicion {
    /// Of each pair of classes as many as the calibrated joint says, by the difference of the two probabilities.
    #[default]
    NoiseRate,
    /// Those that the confident joint counts under another class.
    Confident,
}

/// What puts a suspect first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspectOrder {
    /// The probability of the class that it was given, the least first.
    #[default]
    SelfConfidence,
    /// `(p_given − max p_other + 1) / 2`, the least first.
    NormalisedMargin,
}

/// Finds labels that are likely wrong.
///
/// The threshold of a class is the mean probability of it among the rows that are given it. A row counts under the likeliest
/// class whose threshold it reaches (to within 1e-6), or under none. The confident joint counts rows by the class given and
/// this one; calibrated, each row of it is scaled to the number of rows that were given the class. Classes without a row
/// have no threshold. `O(rows · (classes + log rows))`.
///
/// A suspect is a row for a person to look at: where classes truly overlap, right labels look wrong.
///
/// Northcutt, Jiang & Chuang (2021), "Confident learning: estimating uncertainty in dataset labels". Checked against
/// cleanlab 2.9.0, numbers to 1e-12, suspects exactly, but for the likeliest class, which it takes from all classes as soon
/// as two thresholds are reached.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::task::Binary;
/// use stagewise_eval::{ConfidentLearning, cross_validate};
/// # use stagewise_core::{dataset::Dataset, error::Result, stage::{Estimator, Predictor}, table::Table};
/// # #[derive(Clone)]
/// # struct Half;
/// # impl Estimator<Binary> for Half {
/// #     type Fitted = Half;
/// #     fn fit(&self, _: &Dataset<Binary>, _: &FitContext) -> Result<Half> { Ok(Half) }
/// # }
/// # impl Predictor<Binary> for Half {
/// #     fn predict(&self, table: &Table) -> Result<ndarray::Array1<f64>> { Ok(ndarray::Array1::from_elem(table.rows(), 0.5)) }
/// # }
/// # let (estimator, data) = (Half, stagewise_testkit::data::binary(40, 1));
/// # #[derive(Clone, serde::Serialize, serde::Deserialize)]
/// # struct Halves;
/// # impl stagewise_core::persist::Persist for Halves { const TAG: &'static str = "Halves"; }
/// # impl stagewise_core::split::Splitter<Binary> for Halves {
/// #     fn split(&self, data: &Dataset<Binary>, _: &FitContext) -> Result<Vec<stagewise_core::split::Split>> {
/// #         let (a, b): (Vec<usize>, Vec<usize>) = (0..data.rows()).partition(|row| row % 2 == 0);
/// #         let split = |train: &Vec<usize>, validation: &Vec<usize>| stagewise_core::split::Split {
/// #             train: train.clone(), validation: validation.clone() };
/// #         Ok(vec![split(&a, &b), split(&b, &a)])
/// #     }
/// # }
/// # let splitter = Halves;
/// let judged = cross_validate(&estimator, &data, &splitter, &[], &FitContext::new(7))?;
/// let errors = ConfidentLearning::new().find(&judged)?;
/// // This estimator answers one half to every row.
/// assert_eq!(errors.thresholds(), [Some(0.5), Some(0.5)]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfidentLearning {
    suspicion: Suspicion,
    order: SuspectOrder,
}

impl ConfidentLearning {
    /// By noise rate, in the order of self-confidence.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which rows are suspect. Default: [`Suspicion::NoiseRate`].
    #[must_use]
    pub fn suspicion(mut self, suspicion: Suspicion) -> Self {
        self.suspicion = suspicion;
        self
    }

    /// What puts a suspect first. Default: [`SuspectOrder::SelfConfidence`].
    #[must_use]
    pub fn order(mut self, order: SuspectOrder) -> Self {
        self.order = order;
        self
    }

    /// The suspects of a cross-validation; rows are those of its data.
    ///
    /// # Errors
    /// [`NumericError::Undefined`] unless every row was validated just once, and for answers that are no probabilities;
    /// [`PipelineError::Ignored`] for data with weights.
    pub fn find<T: Classes>(&self, judged: &CrossValidated<T>) -> Result<LabelErrors> {
        if judged.weighted {
            let remedy = "cross-validate the same data without its weight column".to_string();
            return Err(PipelineError::Ignored { stage: Self::TAG.into(), what: "weights", remedy }.into());
        }
        let Some(output) = judged.out_of_fold() else {
            let why = "not every row was validated just once; use folds without repetition".to_string();
            return Err(NumericError::Undefined { what: "the out-of-fold answer of every row".into(), why }.into());
        };
        let rows: Vec<Vec<f64>> = (0..T::rows(output)).map(|row| T::probabilities(&T::row(output, row))).collect();
        self.judge(&T::given(&judged.truth), &rows, T::names(&judged.labels))
    }

    fn judge(&self, given: &[usize], rows: &[Vec<f64>], names: Vec<String>) -> Result<LabelErrors> {
        if given.len() != rows.len() {
            let what = "answers".to_string();
            return Err(DataError::Length { what, expected: given.len(), found: rows.len() }.into());
        }
        let fits = |(row, &given): (&Vec<f64>, &usize)| {
            row.len() == names.len() && given < names.len() && row.iter().all(|p| (0.0..=1.0).contains(p))
        };
        if let Some(row) = rows.iter().zip(given).position(|pair| !fits(pair)) {
            let why = "its answer is not a probability for each class".to_string();
            return Err(NumericError::Undefined { what: format!("the label of row {row}"), why }.into());
        }
        let joint = Joint::of(given, rows, names.len());
        let suspect = match self.suspicion {
            Suspicion::NoiseRate => joint.by_noise_rate(given, rows),
            Suspicion::Confident => joint.confident(given, rows),
        };
        Ok(LabelErrors::new(self.order, given, rows, names, joint, &suspect))
    }
}

impl Persist for ConfidentLearning {
    const TAG: &'static str = "ConfidentLearning";
}

/// A task whose truth is a class.
pub trait Classes: Task {
    /// The class of each row by its place among the [names](Self::names).
    fn given(truth: &Self::Target) -> Vec<usize>;

    /// The probability of each class.
    fn probabilities(answer: &Self::RowOutput) -> Vec<f64>;

    /// What the classes are called.
    fn names(labels: &Self::Labels) -> Vec<String>;
}

impl Classes for Binary {
    fn given(truth: &Self::Target) -> Vec<usize> {
        truth.events().iter().map(|&event| usize::from(event)).collect()
    }

    fn probabilities(answer: &f64) -> Vec<f64> {
        vec![1.0 - answer, *answer]
    }

    fn names(labels: &Self::Labels) -> Vec<String> {
        vec![labels.other.to_string(), labels.event.to_string()]
    }
}

impl Classes for Multiclass {
    fn given(truth: &Self::Target) -> Vec<usize> {
        truth.codes().iter().map(|&code| code as usize).collect()
    }

    fn probabilities(answer: &Vec<f64>) -> Vec<f64> {
        answer.clone()
    }

    fn names(labels: &Self::Labels) -> Vec<String> {
        labels.to_strings()
    }
}
