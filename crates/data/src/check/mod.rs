//! Is the table what it should be? Checks that collect all they find, and say where.
//!
//! | question | where |
//! |---|---|
//! | does it keep to what was written down? | [`schema`]: [`DataSchema`], [`SchemaReport`], [`SchemaDiff`] |
//! | does it keep to what I expect of it? | [`expect`]: [`Expectations`], [`Expectation`] |
//! | is it sound in itself? | [`integrity`]: [`Integrity`], [`IntegrityReport`] |
//! | do test rows give something away? | [`leakage`]: [`Leakage`], [`LeakageReport`], [`power`] |
//! | what is done with values that should not be there? | [`decision`]: [`Decisions`] |

pub mod anomaly;
pub mod decision;
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
pub use decision::{Applied, Decision, DecisionCount, Decisions};
pub use diff::{Change, SchemaDiff};
pub use expect::{Condition, Expectation, ExpectationReport, Expectations, Judged};
pub use finding::{SAMPLES, Sample, Severity};
pub use integrity::{Combination, Fault, Finding, Integrity, IntegrityReport, Outlier, Test};
pub use leakage::{Leakage, LeakageFinding, LeakageKind, LeakageReport, Power};
pub use power::predictive_power;
pub use schema::{ColumnSchema, DataSchema, Environment};
