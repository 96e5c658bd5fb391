//! Does the validation side look like the training side? A model that can tell them apart says no, and by what.
//!
//! A random split gives sides that nothing tells apart, so the area under the ROC curve is about 0.5. More means that
//! scores are judged on other rows than those learned from: because time passed, because groups differ, or because of a
//! column that gives the side away, as a row number does. Two of these are meant, the last is a mistake.

mod result;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, ParameterError, Result};
use stagewise_core::metric::AnyMetric;
use stagewise_core::problem::Problem;
use stagewise_core::schema::{Field, Schema};
use stagewise_core::split::{Split, group_folds, stratified_folds};
use stagewise_core::stage::{Estimator, Predictor};
use stagewise_core::table::Table;
use stagewise_core::target::TargetValues;
use stagewise_core::task::{Binary, Task};
use stagewise_numeric::sum::exact_sum;

pub use result::{Adversarial, TellingColumn};

use crate::RocAuc;
use crate::interval::{Bootstrap, bootstrap};
use crate::permutation::Permutation;

/// What is to be told: the target of [`AdversarialCheck::problem`].
const SIDE: &str = "side of the split";
const TRAIN: &str = "train";
const VALIDATION: &str = "validation";

/// How to check a split by a model that tells its sides apart.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, dataset::Dataset, problem::Problem, split::Split};
/// use stagewise_core::{stage::{Estimator, Predictor}, table::Table, task::{Binary, Regression}};
/// use stagewise_eval::AdversarialCheck;
///
/// /// Answers 1 for rows above 50.
/// struct Late;
/// impl Estimator<Binary> for Late {
///     type Fitted = Self;
///     fn fit(&self, _: &Dataset<Binary>, _: &FitContext) -> stagewise_core::Result<Self> {
///         Ok(Self)
///     }
/// }
/// impl Predictor<Binary> for Late {
///     fn predict(&self, table: &Table) -> stagewise_core::Result<ndarray::Array1<f64>> {
///         Ok(table.column("row")?.as_numbers()?.iter().map(|row| f64::from(u8::from(*row > 50.0))).collect())
///     }
/// }
/// let row = || Column::numbers((0..80).map(f64::from).collect::<Vec<_>>());
/// let data = Dataset::new(Table::of([("row", row()), ("y", row())])?, &Problem::<Regression>::new("y"))?;
/// let split = Split { train: (0..50).collect(), validation: (50..80).collect() };
/// let found = AdversarialCheck::new().run(&Late, &data, &split, &FitContext::new(1))?;
/// assert!(found.auc().estimate > 0.98 && found.differs());
/// assert_eq!(found.columns()[0].name, "row");
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdversarialCheck {
    folds: usize,
    repeats: usize,
    bootstrap: Bootstrap,
}

impl Default for AdversarialCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl AdversarialCheck {
    /// 5 folds, 3 shuffles of each column, an interval of 1,000 resamples at the level 0.95.
    pub fn new() -> Self {
        Self { folds: 5, repeats: 3, bootstrap: Bootstrap::new() }
    }

    /// In how many folds the sides are told apart, so that each row is told by a model that has not seen it. At least 2,
    /// default 5.
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.folds = folds;
        self
    }

    /// How often each column is shuffled in each fold, to see what it gives away. At least 1, default 3.
    #[must_use]
    pub fn repeats(mut self, repeats: usize) -> Self {
        self.repeats = repeats;
        self
    }

    /// How the interval is computed. Default: [`Bootstrap::new`].
    #[must_use]
    pub fn interval(mut self, bootstrap: Bootstrap) -> Self {
        self.bootstrap = bootstrap;
        self
    }

    /// The problem that the model is to solve, to build its pipeline with: which side is a row on?
    pub fn problem() -> Problem<Binary> {
        Problem::new(SIDE).event(VALIDATION)
    }

    /// Fits the model to the sides and asks how well it tells rows it has not seen, and by which columns.
    ///
    /// The model sees the features alone. Where the data have groups, rows of one are told by models that have seen none of
    /// it; a row that learns more than once counts once. Weights of the data weigh fits and scores. The score is the area
    /// under the ROC curve of all rows together; a column tells as much as that area of the rows of a fold shrinks when its
    /// values are shuffled, the mean over folds. Costs `folds` fits and `folds · repeats · columns` predictions of a fold.
    ///
    /// # Errors
    /// [`ParameterError`] for setters out of range, [`DataError::TooFewRows`] for a side with fewer rows than folds,
    /// [`DataError::TooFewGroups`], a row of the split that is not there, a feature that is called like the target of
    /// [`problem`](Self::problem), and whatever the model or the score gives, with the fold.
    pub fn run<T: Task>(
        &self,
        model: &impl Estimator<Binary>,
        data: &Dataset<T>,
        split: &Split,
        cx: &FitContext,
    ) -> Result<Adversarial> {
        ParameterError::check(self.folds >= 2, "folds", self.folds, "at least 2")?;
        let mut train = split.train.clone();
        train.dedup();
        for side in [&train, &split.validation] {
            if side.len() < self.folds {
                let what = format!("telling sides apart in {} folds", self.folds);
                return Err(DataError::TooFewRows { what, needed: self.folds, found: side.len() }.into());
            }
            let found = side.iter().max().map_or(0, |&row| row.saturating_add(1));
            if found > data.rows() {
                return Err(DataError::Length { what: "rows of the split".into(), expected: data.rows(), found }.into());
            }
        }
        let rows = [train.as_slice(), split.validation.as_slice()].concat();
        let told = sides(data, &rows, train.len())?;
        let fold_of = match data.groups() {
            Some(groups) => group_folds(&rows.iter().map(|&row| groups[row]).collect::<Vec<_>>(), self.folds)?,
            None => stratified_folds(&told.target().strata(), self.folds, &mut cx.step("adversarial").stream("folds"))?,
        };
        let auc = AnyMetric::<Binary>::new(RocAuc);
        let shuffle = Permutation::new().repeats(self.repeats);
        let mut output = Array1::zeros(rows.len());
        let mut drops: Vec<Vec<f64>> = vec![Vec::new(); told.features().width()];
        for fold in 0..self.folds {
            cx.check()?;
            let (judged, learned): (Vec<usize>, Vec<usize>) =
                (0..rows.len()).partition(|&row| fold_of[row] as usize == fold);
            let own = cx.step("adversarial").fold(fold);
            let mut judge = || -> Result<()> {
                let fitted = model.fit(&told.take(&learned), &own)?;
                let data = told.take(&judged);
                let answers = fitted.predict(data.features())?;
                if answers.len() != judged.len() {
                    let (what, expected, found) = ("answers".to_string(), judged.len(), answers.len());
                    return Err(DataError::Length { what, expected, found }.into());
                }
                judged.iter().zip(&answers).for_each(|(&row, &answer)| output[row] = answer);
                let shuffled = shuffle.run(&fitted, &data, &auc, &own)?;
                drops.iter_mut().zip(shuffled.items()).for_each(|(drops, item)| drops.push(item.mean()));
                Ok(())
            };
            let done = judge().at(|| Crumb::Fold(fold));
            cx.absorb(&own);
            done?;
        }
        let here = cx.step("adversarial");
        let found = bootstrap(&auc, told.target(), &output, told.weights(), &self.bootstrap, &here)?;
        let names = told.features().schema().names();
        let mean = |drops: &[f64]| exact_sum(drops) / drops.len() as f64;
        let columns = names.into_iter().zip(&drops).map(|(name, drops)| TellingColumn { name, drop: mean(drops) });
        Ok(Adversarial::new(found, columns.collect(), train.len(), split.validation.len()))
    }
}

/// The features of these rows, the first `train` of which are of the training side, under the side as target.
fn sides<T: Task>(data: &Dataset<T>, rows: &[usize], train: usize) -> Result<Dataset<Binary>> {
    let features = data.features().take(rows);
    let side = Column::categories((0..rows.len()).map(|row| Some(if row < train { TRAIN } else { VALIDATION })));
    let (schema, mut columns) = features.into_parts();
    let mut fields: Vec<Field> = schema.fields().to_vec();
    fields.extend(Table::of([(SIDE, side.clone())])?.schema().fields().iter().cloned());
    columns.push(side);
    let table = Table::new(Arc::new(Schema::new(fields)?), columns)?;
    let told = Dataset::new(table, &AdversarialCheck::problem())?;
    match data.weights() {
        None => Ok(told),
        Some(weights) => told.reweighted(rows.iter().map(|&row| weights[row]).collect()),
    }
}
