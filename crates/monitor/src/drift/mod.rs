//! Drift: which features are no longer distributed as in the reference.
//!
//! A feature has drifted if two things hold: its difference is not chance (a test, corrected for the number of tests), and
//! it is large enough to matter (a floor under the distance). Either alone fails. With 100 000 rows on both sides the
//! Kolmogorov–Smirnov test at 1 % fires at a distance of 0.007, a shift of 0.018 standard deviations that no model feels;
//! a fixed distance of 0.05 alone is exceeded by chance in most samples of 100 rows. How each kind is compared is in
//! `compare.rs`, what comes out in `report.rs`.

mod compare;
mod correction;
mod report;
mod shape;

pub mod chi_square;
pub mod fisher;
pub mod kolmogorov_smirnov;
pub mod levels;
pub mod mean;
pub mod psi;

use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::summary::TableSummary;

pub use correction::Correction;
pub use report::{DriftReport, FeatureDrift, Method, Verdict};
pub use shape::Shape;

/// Compares the columns of a current summary with those of a reference.
///
/// | kind | test | distance | floor |
/// |---|---|---|---|
/// | numbers, timestamps | Kolmogorov–Smirnov | `sup │F − G│` | 0.05 |
/// | categories, flags | chi-square, rare levels pooled ([`levels`]) | [`chi_square::distance`] | 0.05 |
/// | text | Welch's test of the mean length | standard deviations | 0.125 |
/// | any, if a value is missing | missing or present (as two levels) | [`chi_square::distance`] | 0.05 |
///
/// The floor 0.05 is five points of a flag near one half, a share of 0.5 % that was 0 before, or a mean that moved by 0.125
/// standard deviations of a normal feature; the floor for text is that same shift. Numbers, categories and flags also get
/// the population stability index ([`psi`]): an index of at least [`psi_limit`](Self::psi_limit), and above what chance
/// gives, counts as large enough where the distance is below the floor; it never alarms without the test.
///
/// *False alarms.* Without drift the chance of any alarm is at most about `alpha`, whatever the number of features. Of 500
/// simulated pairs of tables with ten features of every kind, where five would do so at the default of 1 %, 5 alarmed with
/// 300 against 300 rows, 1 with 2000 against 200, 8 with 60 against 60.
/// *Missing values* are left out of the first three tests and are the subject of the fourth. *Unseen levels* are levels
/// like others. *±∞* are the extreme numbers. *Few rows*: [`Verdict::TooFewRows`].
/// Rows are taken as independent: rows that come in groups (one customer, many rows) alarm more often. Timestamps of later
/// rows have always drifted, and so have running numbers; summarise the columns that a model reads.
///
/// Predictions drift like features: summarise a table of one column.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::summary::TableSummary;
/// use stagewise_core::table::Table;
/// use stagewise_monitor::DriftMonitor;
///
/// let scores = |from: f64| -> Result<TableSummary, stagewise_core::Error> {
///     let column = Column::numbers((0..200).map(|i| from + f64::from(i) / 400.0).collect::<Vec<_>>());
///     Ok(TableSummary::of(&Table::of([("prediction", column)])?))
/// };
/// let report = DriftMonitor::new().compare(&scores(0.2)?, &scores(0.35)?)?;
/// assert_eq!(report.drifted(), ["prediction"]);
/// assert!(report.features[0].statistic.is_some_and(|d| (d - 0.3).abs() < 1e-12));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DriftMonitor {
    alpha: f64,
    correction: Correction,
    floor: f64,
    psi_limit: f64,
    min_rows: u64,
}

impl Persist for DriftMonitor {
    const TAG: &'static str = "DriftMonitor";
}

impl Default for DriftMonitor {
    fn default() -> Self {
        Self { alpha: 0.01, correction: Correction::default(), floor: 0.05, psi_limit: 0.1, min_rows: 20 }
    }
}

impl DriftMonitor {
    /// A monitor with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rate of false alarms after correction: above 0, below 1, default 0.01.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// How p values are corrected for the number of tests; default [`Correction::BenjaminiHochberg`].
    #[must_use]
    pub fn correction(mut self, correction: Correction) -> Self {
        self.correction = correction;
        self
    }

    /// The distance below which a difference does not matter: 0 to 1, default 0.05; for text 2.5 times that.
    #[must_use]
    pub fn floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }

    /// The stability index from which on a difference matters even below the floor: at least 0, default 0.1.
    #[must_use]
    pub fn psi_limit(mut self, limit: f64) -> Self {
        self.psi_limit = limit;
        self
    }

    /// How many rows each side needs for a test: at least 2, default 20.
    #[must_use]
    pub fn min_rows(mut self, rows: u64) -> Self {
        self.min_rows = rows;
        self
    }

    /// Compares every column of the reference with the current one of its name.
    ///
    /// Columns that only the current summary has are listed in [`DriftReport`]'s `unknown`. O(columns × buckets).
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`](stagewise_core::error::SchemaError::MissingColumn) and
    /// [`SchemaError::WrongKind`](stagewise_core::error::SchemaError::WrongKind) for a column that is not there or of
    /// another kind, [`ParameterError`] for a setter out of range.
    pub fn compare(&self, reference: &TableSummary, current: &TableSummary) -> Result<DriftReport> {
        ParameterError::check(self.alpha > 0.0 && self.alpha < 1.0, "alpha", self.alpha, "above 0 and below 1")?;
        ParameterError::check((0.0..=1.0).contains(&self.floor), "floor", self.floor, "0 to 1")?;
        ParameterError::check(self.psi_limit >= 0.0, "psi_limit", self.psi_limit, "at least 0")?;
        ParameterError::check(self.min_rows >= 2, "min_rows", self.min_rows, "at least 2")?;
        let comparisons = compare::all(reference, current, self.floor, self.min_rows)?;
        let p: Vec<f64> = comparisons.iter().map(|c| c.p_value).collect();
        let limit = self.correction.limit(&p, self.alpha);
        let adjusted = self.correction.adjust(&p);
        let judge = |(c, adjusted): (compare::Comparison, f64)| c.judged(adjusted, self.alpha, limit, self.psi_limit);
        Ok(DriftReport {
            features: comparisons.into_iter().zip(adjusted).map(judge).collect(),
            unknown: current.columns.iter().map(|c| &c.0).filter(|n| reference.column(n).is_none()).cloned().collect(),
            rows_reference: reference.rows,
            rows_current: current.rows,
            alpha: self.alpha,
            correction: self.correction,
        })
    }
}

#[cfg(test)]
mod tests;
