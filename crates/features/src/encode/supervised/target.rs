//! Each level becomes the mean of its target, drawn towards the mean of all.

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
use super::spec::{HeldOut, Supervised, check_folds, check_rows, five, smoothed};
use crate::encode::by_level::FittedLevelEncoder;
use crate::encode::unseen::MissingAs;

/// Puts the mean target of a level in place of the level, drawn towards the mean of all rows where the level has few.
///
/// `λ mean(level) + (1 - λ) mean(all)`. With `n = Σ w` of the level, `σ²` the variance of the target in it and `τ²` that of
/// all rows, [`Smooth::Auto`] has `λ = τ² / (τ² + σ² / n)`, an empirical Bayes estimate (Micci-Barreca 2001), and
/// [`Smooth::Rows`]`(m)` has `λ = n / (n + m)`.
///
/// **Training rows are changed without their own target**: they are dealt to [`folds`](Self::folds), and each gets what the
/// rows of the other folds say of its level, with the mean of those rows. So what [`fit_transform`](Transformer::fit_transform)
/// gives differs from what the fitted encoder, which has learned from all rows, would give the same rows; a pipeline does
/// the right thing by itself. Folds take the classes evenly, and whole groups where a column has the role group.
///
/// The target is the event of a binary task, the number of a regression, the grade of a ranking. In a multiclass task each
/// class has a column of its own, `<column>:<class>`.
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training, or not in the other folds | the mean of all rows, or of the other folds |
/// | a missing level | [`missing`](Self::missing); by default a level of its own |
/// | a target that is constant | that constant |
/// | fewer rows, or groups, than folds | each a fold of its own; fewer than 2 are refused by `fit_transform` |
/// | targets of any size | sums are of whole multiples of `2⁻⁵²` of half their range: exact, in any order of rows |
///
/// Output: number columns where the category stood. Weights count as rows. `O(rows + levels · folds)` a category.
///
/// # Errors
/// [`ParameterError`](stagewise_core::error::ParameterError) for fewer than 2 folds or a negative number of rows;
/// [`DataError::TooFewRows`](stagewise_core::error::DataError) where no row counts.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::categories;
/// use stagewise_core::stage::{Transform, Transformer};
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::encode::{Smooth, TargetEncoder};
///
/// let table = Table::of([
///     ("plan", Column::categories(["a", "a", "b", "b"].map(Some))),
///     ("cost", Column::numbers([1.0, 3.0, 5.0, 7.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let spec = TargetEncoder::on(categories()).smooth(Smooth::Rows(2.0));
/// let (fitted, changed) = spec.fit_transform(train.clone(), &FitContext::new(0))?;
/// // Rows to come: (1 + 3 + 2 · 4) / 4 and (5 + 7 + 2 · 4) / 4.
/// assert_eq!(fitted.transform(train.features().clone())?.column("plan")?.as_numbers()?, [3.0, 3.0, 5.0, 5.0]);
/// // Four rows are four folds: the first row is (3 + 2 · 5) / 3.
/// assert!((changed.features().column("plan")?.as_numbers()?[0] - 13.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `TargetEncoder` with the same folds, training rows and rows to come, tolerance 1e-9;
/// it knows neither weights nor groups (weights were checked by repeating rows).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetEncoder {
    on: Selector,
    #[serde(default)]
    smooth: Smooth,
    #[serde(default = "five")]
    folds: usize,
    #[serde(default)]
    missing: MissingAs,
}

/// How much a level is drawn towards the mean of all.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Smooth {
    /// As the variances within the level and among all rows say.
    #[default]
    Auto,
    /// As if the level had this many more rows, of the mean of all. At least 0.
    Rows(f64),
}

impl From<f64> for Smooth {
    fn from(rows: f64) -> Self {
        Self::Rows(rows)
    }
}

impl TargetEncoder {
    /// Encodes these columns, which must be categories.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, smooth: Smooth::default(), folds: five(), missing: MissingAs::default() }
    }

    /// How much levels are drawn towards the mean of all. Default [`Smooth::Auto`].
    #[must_use]
    pub fn smooth(mut self, smooth: impl Into<Smooth>) -> Self {
        self.smooth = smooth.into();
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

impl Persist for TargetEncoder {
    const TAG: &'static str = "TargetEncoder";
}

impl Supervised for TargetEncoder {
    fn on(&self) -> &Selector {
        &self.on
    }

    fn missing(&self) -> MissingAs {
        self.missing
    }

    fn check(&self) -> Result<()> {
        if let Smooth::Rows(rows) = self.smooth {
            check_rows("smooth", rows)?;
        }
        check_folds(self.folds)
    }

    fn held_out(&self) -> HeldOut {
        HeldOut::Fold(self.folds)
    }

    fn numbers(&self, levels: &[Tally], all: Tally) -> Vec<f64> {
        let variance = if all.weight > 0.0 { all.spread / all.weight } else { 0.0 };
        let number = |level: &Tally| match self.smooth {
            Smooth::Rows(rows) => smoothed(*level, all, rows),
            Smooth::Auto => {
                let between = variance * level.weight;
                let within = if level.weight > 0.0 { level.spread / level.weight } else { 0.0 };
                // Neither varies, or there is no row: nothing is known but the mean of all.
                if between + within > 0.0 {
                    let own = between / (between + within);
                    own * level.mean + (1.0 - own) * all.mean
                } else {
                    all.mean
                }
            }
        };
        levels.iter().map(number).collect()
    }
}

impl<T: Outcome> Transformer<T> for TargetEncoder {
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
