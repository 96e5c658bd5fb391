//! Each level becomes the mean target of its rows so far, in a random order.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::Schema;
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};

use super::cross_fit;
use super::outcome::{Outcome, Tally};
use super::spec::{HeldOut, Supervised, check_rows, smoothed};
use crate::encode::by_level::FittedLevelEncoder;
use crate::encode::unseen::MissingAs;

/// Puts the mean target of a level in place of the level; a training row gets that of the rows of its level that come before
/// it in a random order: the ordered statistics of CatBoost.
///
/// `(Σ w y + m · mean(all)) / (Σ w + m)` over the rows of the level, with `m` from [`smooth`](Self::smooth): over all of them
/// for rows to come, over those before it for a training row (Prokhorenkova et al. 2018, section 3.2). No row sees itself,
/// directly or by what is left without it; the price is that rows early in the order know little. Where a column has the
/// role group, groups are ordered, and a row does not see its own group.
///
/// Numbers can be the mean over [`orders`](Self::orders). More of them are less random and give away more: over very many
/// orders a row's number falls as its own target rises, as it does with
/// [`LeaveOneOutEncoder`](super::LeaveOneOutEncoder). Two or three are harmless.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training, or not before this row | the mean of all rows, the same for each row |
/// | a missing level | [`missing`](Self::missing); by default a level of its own |
/// | targets of any size, classes, weights | as with [`TargetEncoder`](super::TargetEncoder) |
///
/// Output: number columns where the category stood. `O(rows · orders)` a category.
///
/// # Errors
/// [`ParameterError`] for a negative `smooth` or no order; [`DataError::TooFewRows`](stagewise_core::error::DataError) where
/// no row counts.
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
/// use stagewise_features::encode::OrderedTargetEncoder;
///
/// let table = Table::of([
///     ("plan", Column::categories(["a", "a", "b"].map(Some))),
///     ("cost", Column::numbers([1.0, 2.0, 6.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (fitted, train) = OrderedTargetEncoder::on(categories()).fit_transform(train, &FitContext::new(0))?;
/// let plan = train.features().column("plan")?.as_numbers()?.to_vec();
/// // The mean is 3. One row of `a` comes first and gets it; the other gets (y + 3) / 2 of the first.
/// assert!(plan == [3.0, 2.0, 3.0] || plan == [2.5, 3.0, 3.0]);
/// assert_eq!(fitted.rule("plan").and_then(|rule| rule.numbers(0)), Some([2.0].as_slice()));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against category_encoders 2.11.2 `CatBoostEncoder` in the order of the rows, tolerance 1e-9. It takes rows as they
/// stand, and gives the mean of all to a level that had one row also later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderedTargetEncoder {
    on: Selector,
    #[serde(default = "one_row")]
    smooth: f64,
    #[serde(default = "one")]
    orders: usize,
    #[serde(default)]
    missing: MissingAs,
}

impl OrderedTargetEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, smooth: one_row(), orders: one(), missing: MissingAs::default() }
    }

    /// As if each level had this many more rows, of the mean of all. At least 0, default 1.
    #[must_use]
    pub fn smooth(mut self, rows: f64) -> Self {
        self.smooth = rows;
        self
    }

    /// Over how many random orders a training row's number is the mean. At least 1, default 1.
    #[must_use]
    pub fn orders(mut self, orders: usize) -> Self {
        self.orders = orders;
        self
    }

    /// What becomes of a missing level. Default [`MissingAs::Level`].
    #[must_use]
    pub fn missing(mut self, missing: MissingAs) -> Self {
        self.missing = missing;
        self
    }
}

impl Persist for OrderedTargetEncoder {
    const TAG: &'static str = "OrderedTargetEncoder";
}

impl Supervised for OrderedTargetEncoder {
    fn on(&self) -> &Selector {
        &self.on
    }

    fn missing(&self) -> MissingAs {
        self.missing
    }

    fn check(&self) -> Result<()> {
        check_rows("smooth", self.smooth)?;
        ParameterError::check(self.orders >= 1, "orders", self.orders, "at least 1")
    }

    fn held_out(&self) -> HeldOut {
        HeldOut::Later { smooth: self.smooth, orders: self.orders }
    }

    fn numbers(&self, levels: &[Tally], all: Tally) -> Vec<f64> {
        levels.iter().map(|level| smoothed(*level, all, self.smooth)).collect()
    }
}

impl<T: Outcome> Transformer<T> for OrderedTargetEncoder {
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

fn one_row() -> f64 {
    1.0
}

fn one() -> usize {
    1
}
