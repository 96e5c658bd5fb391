//! Each level becomes the mean target of its other rows.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::schema::Schema;
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};

use super::cross_fit;
use super::outcome::{Outcome, Tally};
use super::spec::{HeldOut, Supervised, check_rows, smoothed};
use crate::encode::by_level::FittedLevelEncoder;
use crate::encode::unseen::MissingAs;

/// Puts the mean target of a level in place of the level; a training row gets the mean of the other rows of its level.
///
/// Rows to come: `(Σ w y + m · mean(all)) / (Σ w + m)` over the level, with `m` from [`smooth`](Self::smooth). A training row:
/// the same without itself; its whole weight is left out.
///
/// **Prefer [`TargetEncoder`](super::TargetEncoder).** A row's own target is left out of its number, and shows all the same:
/// within a level the number is `(Σ w y - w y + …) / (Σ w - w + m)`, lower the higher the row's own target. Over all levels
/// these differences and those between levels cancel, so that number and target are not correlated by chance; but a
/// learner that can tell levels apart, as trees can, finds in a level of few values, at the extreme a column with one
/// level, two heaps with a gap of `1 / (n - 1 + m)`, one for each class. [`noise`](Self::noise) hides the gap.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training, or of this row alone | the mean of all rows, this one too: one without it would tell it |
/// | a missing level | [`missing`](Self::missing); by default a level of its own |
/// | targets of any size, classes, weights | as with [`TargetEncoder`](super::TargetEncoder) |
/// | groups, where a column has that role | the rows of its group are left out with a row |
///
/// Output: number columns where the category stood. `O(rows)` a category.
///
/// # Errors
/// [`ParameterError`](stagewise_core::error::ParameterError) for a negative `smooth` or `noise`;
/// [`DataError::TooFewRows`](stagewise_core::error::DataError) where no row counts.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::categories;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::encode::LeaveOneOutEncoder;
///
/// let table = Table::of([
///     ("plan", Column::categories(["a", "a", "a", "b"].map(Some))),
///     ("cost", Column::numbers([1.0, 3.0, 5.0, 7.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = LeaveOneOutEncoder::on(categories()).smooth(0.0).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().column("plan")?.as_numbers()?, [4.0, 3.0, 2.0, 4.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against category_encoders 2.11.2 `LeaveOneOutEncoder`, which has no `smooth`, tolerance 1e-9. It gives the mean of
/// all to a level that had one row also later; here that is what `smooth` is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaveOneOutEncoder {
    on: Selector,
    #[serde(default = "one")]
    smooth: f64,
    #[serde(default)]
    noise: f64,
    #[serde(default)]
    missing: MissingAs,
}

impl LeaveOneOutEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, smooth: one(), noise: 0.0, missing: MissingAs::default() }
    }

    /// As if each level had this many more rows, of the mean of all. At least 0, default 1. A level of one row is the mean of
    /// all in training, whatever this is; without it, it would be that row's target for rows to come.
    #[must_use]
    pub fn smooth(mut self, rows: f64) -> Self {
        self.smooth = rows;
        self
    }

    /// Adds normal noise to the training rows, with a standard deviation of this many standard deviations of the target. At
    /// least 0, default 0; 0.05 to 0.3 are common.
    #[must_use]
    pub fn noise(mut self, deviations: f64) -> Self {
        self.noise = deviations;
        self
    }

    /// What becomes of a missing level. Default [`MissingAs::Level`].
    #[must_use]
    pub fn missing(mut self, missing: MissingAs) -> Self {
        self.missing = missing;
        self
    }
}

impl Persist for LeaveOneOutEncoder {
    const TAG: &'static str = "LeaveOneOutEncoder";
}

impl Supervised for LeaveOneOutEncoder {
    fn on(&self) -> &Selector {
        &self.on
    }

    fn missing(&self) -> MissingAs {
        self.missing
    }

    fn check(&self) -> Result<()> {
        check_rows("smooth", self.smooth)?;
        check_rows("noise", self.noise)
    }

    fn held_out(&self) -> HeldOut {
        HeldOut::Row { smooth: self.smooth, noise: self.noise }
    }

    fn numbers(&self, levels: &[Tally], all: Tally) -> Vec<f64> {
        levels.iter().map(|level| smoothed(*level, all, self.smooth)).collect()
    }
}

impl<T: Outcome> Transformer<T> for LeaveOneOutEncoder {
    type Fitted = FittedLevelEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        cross_fit::plan::<T, _>(self, input)
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedLevelEncoder> {
        cross_fit::fit(self, train, cx)
    }

    fn fit_transform(&self, train: Dataset<T>, cx: &FitContext) -> Result<(FittedLevelEncoder, Dataset<T>)> {
        cross_fit::fit_transform(self, train, cx)
    }
}

fn one() -> f64 {
    1.0
}
