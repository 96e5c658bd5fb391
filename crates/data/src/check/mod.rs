//! Is the table what it should be? Checks that collect all they find, and say where.
//!
//! | question | where |
//! |---|---|
//! | does it keep to what was written down? | [`schema`]: [`DataSchema`], [`SchemaReport`], [`SchemaDiff`] |
//! | does it keep to what I expect of it? | [`expect`]: [`Expectations`], [`Expectation`] |
//! | is it sound in itself? | [`integrity`]: [`Integrity`], [`IntegrityReport`] |
//! | do test rows give something away? | [`leakage`]: [`Leakage`], [`LeakageReport`], [`power`] |
//! | what is done with values that should not be there? | [`ValueDecisions`](stagewise_core::decision::ValueDecisions) |
//!
//! Suites look at tables. A data set is one again by [`Dataset::table`](stagewise_core::dataset::Dataset::table), which
//! copies nothing, so they run after a split as before it:
//!
//! ```
//! use stagewise_core::context::FitContext;
//! use stagewise_data::check::{Integrity, Leakage};
//! use stagewise_data::StratifiedHoldout;
//!
//! let data = stagewise_testkit::data::binary(400, 1);
//! let (train, holdout) = StratifiedHoldout::new(0.25).split(data, &FitContext::new(7))?;
//! let integrity = Integrity::new().check(&train.table()?)?;
//! let leakage = Leakage::new().check(&train.table()?, &holdout.unlabelled()?)?;
//! assert_eq!((integrity.rows, leakage.test_rows), (300, 100));
//! # Ok::<(), stagewise_core::Error>(())
//! ```
//!
//! A holdout shows its rows without their target. Whether rows, groups, ids and times stand on both sides needs no more; what
//! compares targets (a power that changes between the sides) would be a look at the truth before the one look, and says that
//! it was left out.
//!
//! **Weights.** A schema, the integrity suite and the leakage suite judge rows as they were collected: each counts once,
//! whatever its weight. A weight says how much a row should count for a model, and neither makes a wrong value right nor a
//! row that stands on both sides two rows; what they count are facts about the file. Expectations count rows too, unless
//! [`weighted_by`](Expectations::weighted_by) says that their shares are to be those of a population.

pub mod anomaly;
pub mod diff;
pub mod expect;
pub mod finding;
mod infer;
pub mod integrity;
pub mod leakage;
pub mod power;
pub(crate) mod rows;
pub mod schema;

pub use anomaly::{Anomaly, AnomalyKind, SchemaReport};
pub use diff::{Change, SchemaDiff};
pub use expect::{Condition, Expectation, ExpectationReport, Expectations, Judged};
pub use finding::{SAMPLES, Sample, Severity};
pub use integrity::{Combination, Fault, Finding, Integrity, IntegrityReport, Outlier, Test};
pub use leakage::{Leakage, LeakageFinding, LeakageKind, LeakageReport, Power};
pub use power::predictive_power;
pub use schema::{ColumnSchema, DataSchema, Environment};
