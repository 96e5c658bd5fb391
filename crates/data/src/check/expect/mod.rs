//! What a person expects of a table, one statement after another; all are judged, none stops the rest.
//!
//! An expectation gives a share of rows that keep to it. It passes from [`mostly`](Expectation::mostly) on, warns from
//! [`warn`](Expectation::warn) on and fails below. One about the table as a whole has the share 0 or 1. Missing values are
//! judged by `not_null` alone, as in Great Expectations, whose words these are.

mod judge;
mod result;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stagewise_core::error::{At, Crumb, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::table::Table;

pub use self::result::{Condition, ExpectationReport, Judged};

/// A list of expectations.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::check::{Condition, Expectation, Expectations};
///
/// let table = Table::of([("age", Column::numbers([31.0, 44.0, 208.0, 25.0]))])?;
/// let report = Expectations::new()
///     .expect(Expectation::not_null("age"))
///     .expect(Expectation::between("age", 0.0, 120.0).mostly(0.99).warn(0.7))
///     .check(&table)?;
/// assert_eq!(report.results[0].condition, Condition::Pass);
/// assert_eq!((report.results[1].share, report.results[1].condition), (0.75, Condition::Warn));
/// assert_eq!(report.results[1].samples[0].value, "208");
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Expectations {
    list: Vec<Expectation>,
    weight: Option<String>,
}

impl Persist for Expectations {
    const TAG: &'static str = "Expectations";
}

impl Expectations {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    #[must_use]
    pub fn expect(mut self, expectation: Expectation) -> Self {
        self.list.push(expectation);
        self
    }

    /// Shares of rows become shares of their weight, which this column holds: so a table that was sampled with weights is
    /// judged as the population that it stands for. Counts, of failed rows too, stay counts of rows, and what is stated of
    /// the table as a whole stays as it is. Rows that together weigh nothing keep to everything. Default: each row counts
    /// once.
    #[must_use]
    pub fn weighted_by(mut self, column: impl Into<String>) -> Self {
        self.weight = Some(column.into());
        self
    }

    /// Judges a table by each of them, in order. A column that is not there fails its expectation and says so.
    ///
    /// # Errors
    /// A column of weights that is not there or no numbers, [`BadWeight`](stagewise_core::error::DataError::BadWeight).
    /// A share outside [0, 1], bounds the wrong way round, a pattern that does not parse
    /// ([`BadPattern`](stagewise_core::error::SchemaError::BadPattern)): what is wrong with any table. Whatever a custom
    /// expectation gives.
    pub fn check(&self, table: &Table) -> Result<ExpectationReport> {
        self.list.iter().try_for_each(Expectation::validate)?;
        let weights = self.weight.as_ref().map(|column| judge::weights(table, column)).transpose()?;
        let judged = |e: &Expectation| {
            judge::judge(e, table, weights).at(|| Crumb::Step { name: e.name(), stage: "Expectations".into() })
        };
        let results = self.list.iter().map(judged).collect::<Result<_>>()?;
        Ok(ExpectationReport { rows: table.rows() as u64, results })
    }
}

/// One statement about a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    rule: Rule,
    mostly: f64,
    warn: f64,
}

/// What is stated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Rule {
    NotNull {
        column: String,
    },
    Between {
        column: String,
        least: f64,
        most: f64,
    },
    InSet {
        column: String,
        set: Vec<String>,
    },
    Unique {
        column: String,
    },
    Matches {
        column: String,
        pattern: String,
    },
    Increasing {
        column: String,
        strictly: bool,
    },
    Sum {
        column: String,
        least: f64,
        most: f64,
    },
    Fresh {
        column: String,
        now: i64,
        within: Duration,
    },
    Rows {
        least: u64,
        most: u64,
    },
    Columns {
        names: Vec<String>,
    },
    /// Code has no form that can be saved: saving the list is refused, not done by halves.
    #[serde(skip)]
    Custom(Custom),
}

type Test = dyn Fn(&Table) -> Result<Vec<usize>> + Send + Sync;

/// A test of the user's own, told apart from others by where it lives.
#[derive(Clone)]
struct Custom {
    name: String,
    test: Arc<Test>,
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Custom").field(&self.name).finish()
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.test, &other.test)
    }
}

impl Expectation {
    /// The column has a value: the share of rows with one.
    pub fn not_null(column: impl Into<String>) -> Self {
        Self::of(Rule::NotNull { column: column.into() })
    }

    /// The numbers are in `[least, most]`: of those present. An infinite bound is none.
    pub fn between(column: impl Into<String>, least: f64, most: f64) -> Self {
        Self::of(Rule::Between { column: column.into(), least, most })
    }

    /// The values, as text, are among these: of those present. Numbers are written as shortly as possible, times as
    /// `2024-02-29T12:30:00`, flags as `true` and `false`.
    pub fn in_set<S: Into<String>>(column: impl Into<String>, set: impl IntoIterator<Item = S>) -> Self {
        Self::of(Rule::InSet { column: column.into(), set: set.into_iter().map(Into::into).collect() })
    }

    /// No value comes twice: the share of present values that come once.
    pub fn unique(column: impl Into<String>) -> Self {
        Self::of(Rule::Unique { column: column.into() })
    }

    /// The values, as text, match a regular expression somewhere; anchor it with `^` and `$`. Of those present.
    pub fn matches(column: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self::of(Rule::Matches { column: column.into(), pattern: pattern.into() })
    }

    /// Numbers or times do not fall from row to row: the share of steps between present values that do not.
    pub fn increasing(column: impl Into<String>) -> Self {
        Self::of(Rule::Increasing { column: column.into(), strictly: false })
    }

    /// Numbers or times rise from row to row: the share of steps between present values that do.
    pub fn strictly_increasing(column: impl Into<String>) -> Self {
        Self::of(Rule::Increasing { column: column.into(), strictly: true })
    }

    /// The numbers present add up to `[least, most]`; the sum is exact before it is rounded, and 0 without any.
    pub fn sum_between(column: impl Into<String>, least: f64, most: f64) -> Self {
        Self::of(Rule::Sum { column: column.into(), least, most })
    }

    /// The latest time is at most `within` before `now`, and not after it. `now` is in microseconds since
    /// 1970-01-01T00:00:00Z and is given, so that the answer is the same tomorrow.
    pub fn fresh(column: impl Into<String>, now: i64, within: Duration) -> Self {
        Self::of(Rule::Fresh { column: column.into(), now, within })
    }

    /// The table has from `least` to `most` rows.
    pub fn rows(least: u64, most: u64) -> Self {
        Self::of(Rule::Rows { least, most })
    }

    /// The table has these columns, and perhaps others.
    pub fn columns<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self::of(Rule::Columns { names: names.into_iter().map(Into::into).collect() })
    }

    /// A test of your own: it gives the rows that do not keep to it. A list with such a test cannot be saved.
    ///
    /// ```
    /// use stagewise_core::column::Column;
    /// use stagewise_core::table::Table;
    /// use stagewise_data::check::{Expectation, Expectations};
    ///
    /// let even = Expectation::custom("even", |table: &Table| {
    ///     let x = table.column("x")?.as_numbers()?;
    ///     Ok((0..x.len()).filter(|&row| x[row] % 2.0 != 0.0).collect())
    /// });
    /// let table = Table::of([("x", Column::numbers([2.0, 3.0, 4.0, 6.0]))])?;
    /// let report = Expectations::new().expect(even).check(&table)?;
    /// assert_eq!((report.results[0].share, report.results[0].samples[0].row), (0.75, 1));
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn custom(
        name: impl Into<String>,
        test: impl Fn(&Table) -> Result<Vec<usize>> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Rule::Custom(Custom { name: name.into(), test: Arc::new(test) }))
    }

    fn of(rule: Rule) -> Self {
        Self { rule, mostly: 1.0, warn: 1.0 }
    }

    /// The share from which it passes, in [0, 1]. Default 1.
    #[must_use]
    pub fn mostly(mut self, share: f64) -> Self {
        self.mostly = share;
        self
    }

    /// The share from which it warns instead of failing, in [0, 1]. Default 1: it never warns. Above
    /// [`mostly`](Self::mostly) it has no effect; 0 never fails.
    #[must_use]
    pub fn warn(mut self, share: f64) -> Self {
        self.warn = share;
        self
    }

    /// What is expected, for people.
    pub fn name(&self) -> String {
        judge::name(&self.rule)
    }

    fn validate(&self) -> Result<()> {
        ParameterError::check((0.0..=1.0).contains(&self.mostly), "mostly", self.mostly, "0 to 1")?;
        ParameterError::check((0.0..=1.0).contains(&self.warn), "warn", self.warn, "0 to 1")?;
        match &self.rule {
            Rule::Between { least, most, .. } | Rule::Sum { least, most, .. } => {
                ParameterError::check(least <= most, "least", least, "a number that is at most `most`")
            }
            Rule::Rows { least, most } => ParameterError::check(least <= most, "least", least, "at most `most`"),
            Rule::Matches { pattern, .. } => judge::compiled(pattern).map(|_| ()),
            _ => Ok(()),
        }
    }
}
