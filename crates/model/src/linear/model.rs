//! The canonical linear model: one row of coefficients per output, and a link.
//!
//! Batch and row path call the same function on one row, so they agree to the bit. An answer that overflows is an
//! error, never an infinity or NaN.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, NumericError, PipelineError, Result};
use stagewise_core::matrix::Features;
use stagewise_core::persist::Persist;
use stagewise_core::stage::Predict;
use stagewise_core::task::{Binary, Multiclass, Regression, Task};
use stagewise_numeric::sum::dot;

use crate::input::Input;
use crate::link::{Link, sigmoid, softmax};

/// A linear model, scores `z = B x + b` and a link: `k × p` coefficients and `k` intercepts; `k` is 1 but for softmax, where it is the number of classes.
///
/// Features must be finite numbers or flags, in the columns it was fitted on. O(k p) per row.
///
/// # Errors
/// Missing or infinite features with their column; other columns; [`NumericError::Undefined`] where a score overflows.
///
/// ```
/// use stagewise_core::{stage::Predict, task::Binary};
/// use stagewise_model::{LinearModel, Link};
///
/// let model = LinearModel::new(vec!["x".into()], vec![vec![2.0]], vec![-1.0], Link::Logit)?;
/// assert_eq!(Predict::<Binary>::predict_row(&model, &[0.5])?, 0.5);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearModel {
    features: Input,
    coefficients: Vec<Vec<f64>>,
    intercepts: Vec<f64>,
    link: Link,
}

impl LinearModel {
    /// A model of these parts: a row of `coefficients` and an intercept per output.
    ///
    /// # Errors
    /// [`DataError::Length`] if the parts do not fit together, [`NumericError::Undefined`] if one is not finite.
    pub fn new(features: Vec<String>, coefficients: Vec<Vec<f64>>, intercepts: Vec<f64>, link: Link) -> Result<Self> {
        let outputs = if link == Link::Softmax { intercepts.len().max(2) } else { 1 };
        let lengths =
            [("intercepts", outputs, intercepts.len()), ("rows of coefficients", outputs, coefficients.len())];
        let rows = coefficients.iter().map(|row| ("coefficients", features.len(), row.len()));
        for (what, expected, found) in lengths.into_iter().chain(rows) {
            if expected != found {
                return Err(DataError::Length { what: what.into(), expected, found }.into());
            }
        }
        if !coefficients.iter().flatten().chain(&intercepts).all(|x| x.is_finite()) {
            let (what, why) = ("a coefficient".into(), "the features are too large; scale them before it".into());
            return Err(NumericError::Undefined { what, why }.into());
        }
        Ok(Self { features: Input::new(features), coefficients, intercepts, link })
    }

    /// The names of the features, in the order of the coefficients.
    pub fn features(&self) -> &[String] {
        self.features.names()
    }

    /// A row per output.
    pub fn coefficients(&self) -> &[Vec<f64>] {
        &self.coefficients
    }

    /// One per output.
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }

    /// What turns scores into answers.
    pub fn link(&self) -> Link {
        self.link
    }

    /// The score of one output.
    fn score(&self, output: usize, row: &[f64]) -> Result<f64> {
        let score = match (self.coefficients.get(output), self.intercepts.get(output)) {
            (Some(coefficients), Some(intercept)) => dot(row, coefficients) + intercept,
            _ => f64::NAN,
        };
        if score.is_finite() {
            Ok(score)
        } else {
            let (what, why) =
                ("the score of a row".into(), "it is too large for a number; scale or clip the features".into());
            Err(NumericError::Undefined { what, why }.into())
        }
    }

    fn require(&self, link: Link, task: &str) -> Result<()> {
        if self.link == link {
            Ok(())
        } else {
            let (declared, found) = (format!("a model for {task}"), format!("one with the link {:?}", self.link));
            Err(PipelineError::BrokenPromise { declared, found }.into())
        }
    }

    fn probabilities(&self, row: &[f64]) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(self.intercepts.len());
        for output in 0..self.intercepts.len() {
            scores.push(self.score(output, row)?);
        }
        softmax(&mut scores);
        Ok(scores)
    }
}

impl Persist for LinearModel {
    const TAG: &'static str = "LinearModel";
}

impl Predict<Regression> for LinearModel {
    fn predict(&self, features: &Features) -> Result<<Regression as Task>::Output> {
        self.require(Link::Identity, Regression::NAME)?;
        Ok(self.features.map_rows(features, Self::TAG, |row| self.score(0, row))?.into())
    }

    fn predict_row(&self, row: &[f64]) -> Result<f64> {
        self.require(Link::Identity, Regression::NAME)?;
        self.features.check_row(row)?;
        self.score(0, row)
    }
}

impl Predict<Binary> for LinearModel {
    fn predict(&self, features: &Features) -> Result<<Binary as Task>::Output> {
        self.require(Link::Logit, Binary::NAME)?;
        Ok(self.features.map_rows(features, Self::TAG, |row| self.score(0, row).map(sigmoid))?.into())
    }

    fn predict_row(&self, row: &[f64]) -> Result<f64> {
        self.require(Link::Logit, Binary::NAME)?;
        self.features.check_row(row)?;
        self.score(0, row).map(sigmoid)
    }
}

impl Predict<Multiclass> for LinearModel {
    fn predict(&self, features: &Features) -> Result<<Multiclass as Task>::Output> {
        self.require(Link::Softmax, Multiclass::NAME)?;
        let rows = self.features.map_rows(features, Self::TAG, |row| self.probabilities(row))?;
        Ok(Array2::from_shape_fn((rows.len(), self.intercepts.len()), |(row, class)| rows[row][class]))
    }

    fn predict_row(&self, row: &[f64]) -> Result<Vec<f64>> {
        self.require(Link::Softmax, Multiclass::NAME)?;
        self.features.check_row(row)?;
        self.probabilities(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::column::Column;
    use stagewise_core::table::Table;

    fn model(link: Link) -> LinearModel {
        let outputs = if link == Link::Softmax { 3 } else { 1 };
        let coefficients = (0..outputs).map(|c| vec![1.0 + c as f64, -0.5]).collect();
        LinearModel::new(vec!["a".into(), "b".into()], coefficients, vec![0.25; outputs], link).unwrap()
    }

    #[test]
    fn other_columns_are_refused() {
        let table = Table::of([("b", Column::numbers([1.0])), ("a", Column::numbers([1.0]))]).unwrap();
        let error = Predict::<Binary>::predict(&model(Link::Logit), &Features::new(table).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), r#"got columns ["b", "a"], was fitted on ["a", "b"]"#);
    }

    #[test]
    fn missing_and_infinite_values_are_named_with_their_column() {
        let text = |row: &[f64]| Predict::<Binary>::predict_row(&model(Link::Logit), row).unwrap_err().to_string();
        assert_eq!(text(&[1.0, f64::NAN]), "column `b`: holds 1 missing values; add an imputer before it");
        assert!(text(&[f64::INFINITY, 0.0]).starts_with("column `a`: holds 1 values that are not finite"));
        assert_eq!(text(&[1.0]), "features of a row: 2 values needed, 1 found");
    }

    #[test]
    fn a_score_that_overflows_is_an_error() {
        let model = LinearModel::new(vec!["a".into()], vec![vec![1e10]], vec![0.0], Link::Identity).unwrap();
        assert!(Predict::<Regression>::predict_row(&model, &[1e300]).is_err());
    }

    #[test]
    fn a_model_for_another_task_is_refused() {
        assert!(Predict::<Regression>::predict_row(&model(Link::Logit), &[0.0, 0.0]).is_err());
    }

    #[test]
    fn parts_must_fit_together() {
        let error = LinearModel::new(vec!["a".into()], vec![vec![]], vec![0.0], Link::Logit).unwrap_err();
        assert_eq!(error.to_string(), "coefficients: 1 values needed, 0 found");
        assert!(LinearModel::new(vec![], vec![vec![]], vec![f64::NAN], Link::Logit).is_err());
    }

    proptest! {
        #[test]
        fn links_never_leave_their_range(z in prop::collection::vec(-1e300f64..1e300, 2..6)) {
            prop_assert!((0.0..=1.0).contains(&sigmoid(z[0])));
            let mut p = z;
            softmax(&mut p);
            prop_assert!(p.iter().all(|p| (0.0..=1.0).contains(p)));
            prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
