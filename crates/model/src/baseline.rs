//! The answer that knows no features: what every model must beat.
//!
//! It is the weighted mean of a number, or the weighted share of each class. It looks at no feature, so it takes
//! missing values, categories and any columns at all, also none.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::error::{DataError, NumericError, PipelineError, Result};
use stagewise_core::matrix::{Accepts, Design, Features};
use stagewise_core::persist::Persist;
use stagewise_core::stage::{Learner, Predict};
use stagewise_core::task::Task;

use crate::input::check_rows;

/// Learns the weighted mean of the truth, or the weighted share of each class.
///
/// `answer = Σ w·y / Σ w`, the same for every row. Missing values and unseen levels in features change nothing.
/// Weights are honoured; in a ranking, where all rows tie, those of groups. O(n).
///
/// # Errors
/// No rows, weights that are all 0, and a mean that is not finite.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::matrix::{Design, Features};
/// use stagewise_core::stage::{Learner, Predict};
/// use stagewise_core::{column::Column, table::Table, target::NumberTarget, task::Regression};
/// use stagewise_model::ConstantBaseline;
///
/// let features = Features::new(Table::of([("x", Column::numbers([1.0, f64::NAN, 3.0]))])?)?;
/// let target = NumberTarget::new(vec![1.0, 2.0, 6.0]);
/// let design = Design::<Regression>::new(features, target, ());
/// let model = ConstantBaseline.fit(&design, &FitContext::new(0))?;
/// assert_eq!(Predict::<Regression>::predict_row(&model, &[7.0])?, 3.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstantBaseline;

impl Persist for ConstantBaseline {
    const TAG: &'static str = "ConstantBaseline";
}

impl<T: Task> Learner<T> for ConstantBaseline
where
    ConstantModel: Predict<T>,
{
    type Model = ConstantModel;

    fn accepts(&self) -> Accepts {
        Accepts { missing: true, categories: true }
    }

    fn fit(&self, train: &Design<T>, _cx: &FitContext) -> Result<ConstantModel> {
        check_rows(train, Self::TAG)?;
        let answer = T::mean(&train.target, &train.labels, train.weights());
        let answer = T::numbers(&answer).to_vec();
        if answer.is_empty() || answer.iter().any(|x| !x.is_finite()) {
            let (what, why) = ("the mean of the target".into(), "its values are too large".into());
            return Err(NumericError::Undefined { what, why }.into());
        }
        Ok(ConstantModel { width: train.features.width(), answer })
    }
}

/// The same answer for every row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConstantModel {
    width: usize,
    answer: Vec<f64>,
}

impl ConstantModel {
    /// The answer: one number, or the probability of each class.
    pub fn answer(&self) -> &[f64] {
        &self.answer
    }

    fn check_width(&self, found: usize) -> Result<()> {
        if found == self.width {
            Ok(())
        } else {
            let what = "features of a row".to_string();
            Err(DataError::Length { what, expected: self.width, found }.into())
        }
    }
}

impl Persist for ConstantModel {
    const TAG: &'static str = "ConstantModel";
}

/// The answer as the one number of a row.
fn number(model: &ConstantModel) -> Result<f64> {
    match model.answer.as_slice() {
        [answer] => Ok(*answer),
        other => Err(PipelineError::BrokenPromise {
            declared: "one number a row".into(),
            found: format!("{} probabilities", other.len()),
        }
        .into()),
    }
}

macro_rules! predict {
    ($task:ident, $answer:expr) => {
        impl Predict<stagewise_core::task::$task> for ConstantModel {
            fn predict(&self, features: &Features) -> Result<<stagewise_core::task::$task as Task>::Output> {
                self.check_width(features.width())?;
                Ok(stagewise_core::task::$task::repeat(&$answer(self)?, features.rows()))
            }

            fn predict_row(&self, row: &[f64]) -> Result<<stagewise_core::task::$task as Task>::RowOutput> {
                self.check_width(row.len())?;
                $answer(self)
            }
        }
    };
}

predict!(Regression, number);
predict!(Binary, number);
predict!(Ranking, number);
predict!(Multiclass, (|model: &Self| Ok::<_, stagewise_core::Error>(model.answer.clone())));

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::task::{Binary, Multiclass, Ranking, Regression};
    use stagewise_testkit::{conformance, data};

    #[test]
    fn conformance() {
        let spec = ConstantBaseline;
        conformance::learner::<Regression, _>(&spec, &data::regression(60, 1));
        conformance::learner::<Binary, _>(&spec, &data::binary(60, 1));
        conformance::learner::<Multiclass, _>(&spec, &data::multiclass(60, 1));
        conformance::learner::<Ranking, _>(&spec, &data::ranking(60, 1));
    }

    #[test]
    fn rows_of_another_width_are_refused() {
        let model = ConstantModel { width: 2, answer: vec![0.5] };
        let error = Predict::<Binary>::predict_row(&model, &[1.0]).unwrap_err();
        assert_eq!(error.to_string(), "features of a row: 2 values needed, 1 found");
    }
}
