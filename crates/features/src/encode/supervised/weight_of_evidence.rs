//! Each level becomes how much it speaks for the event.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::schema::Schema;
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Binary;

use super::cross_fit;
use super::outcome::Tally;
use super::spec::{HeldOut, Supervised, check_folds, five};
use crate::encode::by_level::FittedLevelEncoder;
use crate::encode::unseen::MissingAs;

/// Puts the weight of evidence of a level in place of the level: how much more of the events than of the other rows it has.
///
/// `ln((e + r) / (E + 2 r)) - ln((o + r) / (O + 2 r))`, where `e` and `o` are the events and the other rows of the level, `E` and
/// `O` those of all, sums of weights, and `r` is [`smooth`](Self::smooth). It is the logarithm of the odds in the level less
/// that of the odds in all rows, which a logistic regression takes as it is (Good 1950). Positive speaks for the event.
///
/// Training rows are changed without their own target, in [`folds`](Self::folds), as
/// [`TargetEncoder`](super::TargetEncoder) does. For binary tasks only.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training, or not in the other folds | 0: no evidence |
/// | a missing level | [`missing`](Self::missing); by default a level of its own |
/// | a level of events alone | finite, because of `r` |
///
/// Output: number columns where the categories stood. `O(rows + levels · folds)` a category.
///
/// # Errors
/// [`ParameterError`] for fewer than 2 folds or an `r` that is not above 0;
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
/// use stagewise_core::task::Binary;
/// use stagewise_features::encode::WeightOfEvidenceEncoder;
///
/// let table = Table::of([
///     ("plan", Column::categories(["a", "a", "b", "b"].map(Some))),
///     ("left", Column::numbers([1.0, 1.0, 0.0, 0.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Binary>::new("left"))?;
/// let fitted = WeightOfEvidenceEncoder::on(categories()).fit(&train, &FitContext::new(0))?;
/// // ln(3 / 4) - ln(1 / 4)
/// let plan = fitted.rule("plan").and_then(|rule| rule.numbers(0)).map(|numbers| numbers[0]);
/// assert!((plan.unwrap_or(0.0) - 3f64.ln()).abs() < 1e-12);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against category_encoders 2.11.2 `WOEEncoder`, tolerance 1e-9. It sets levels of one row to 0, and changes training
/// rows with their own target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightOfEvidenceEncoder {
    on: Selector,
    #[serde(default = "one")]
    smooth: f64,
    #[serde(default = "five")]
    folds: usize,
    #[serde(default)]
    missing: MissingAs,
}

impl WeightOfEvidenceEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, smooth: one(), folds: five(), missing: MissingAs::default() }
    }

    /// How many events, and how many other rows, each level is given beside its own. Above 0, default 1.
    #[must_use]
    pub fn smooth(mut self, rows: f64) -> Self {
        self.smooth = rows;
        self
    }

    /// How many folds the training rows are dealt to. At least 2, default 5.
    #[must_use]
    pub fn folds(mut self, folds: usize) -> Self {
        self.folds = folds;
        self
    }

    /// What becomes of a missing level. Default [`MissingAs::Level`].
    #[must_use]
    pub fn missing(mut self, missing: MissingAs) -> Self {
        self.missing = missing;
        self
    }
}

impl Persist for WeightOfEvidenceEncoder {
    const TAG: &'static str = "WeightOfEvidenceEncoder";
}

impl Supervised for WeightOfEvidenceEncoder {
    fn on(&self) -> &Selector {
        &self.on
    }

    fn missing(&self) -> MissingAs {
        self.missing
    }

    fn check(&self) -> Result<()> {
        let valid = self.smooth > 0.0 && self.smooth.is_finite();
        ParameterError::check(valid, "smooth", self.smooth, "a finite number above 0")?;
        check_folds(self.folds)
    }

    fn held_out(&self) -> HeldOut {
        HeldOut::Fold(self.folds)
    }

    fn numbers(&self, levels: &[Tally], all: Tally) -> Vec<f64> {
        let share = |rows: f64, of: f64| (rows + self.smooth) / (of + 2.0 * self.smooth);
        let number = |level: &Tally| {
            if level.weight == 0.0 {
                return self.unseen(all);
            }
            let events = share(level.weight * level.mean, all.weight * all.mean);
            let others = share(level.weight * (1.0 - level.mean), all.weight * (1.0 - all.mean));
            (events / others).ln()
        };
        levels.iter().map(number).collect()
    }

    fn unseen(&self, _: Tally) -> f64 {
        0.0
    }
}

impl Transformer<Binary> for WeightOfEvidenceEncoder {
    type Fitted = FittedLevelEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        cross_fit::plan::<Binary, _>(self, input)
    }

    fn fit(&self, train: &Dataset<Binary>, cx: &FitContext) -> Result<FittedLevelEncoder> {
        cross_fit::fit(self, train, cx)
    }

    fn fit_transform(&self, train: Dataset<Binary>, cx: &FitContext) -> Result<(FittedLevelEncoder, Dataset<Binary>)> {
        cross_fit::fit_transform(self, train, cx)
    }
}

fn one() -> f64 {
    1.0
}
