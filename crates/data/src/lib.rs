//! Training data for stagewise: readers, kind inference, splits, profiles.
//!
//! | question | where |
//! |---|---|
//! | how does a file become a table? | [`read`]: [`Csv`], [`Parquet`], [`Ipc`], [`Ndjson`], larger than memory [`Excerpt`]; databases by the features `sqlite` and `postgres` |
//! | what was decided about its columns, and why? | [`loaded`]: [`Loaded`], [`ColumnDecision`] |
//! | by which rules? | [`kind`] (what a column means), [`role`] (what it is for), [`task`] (what a target asks) |
//! | what is in it, and what should worry me? | [`profile`]: [`Profile`], [`leak`] |
//! | is it what it should be? | [`check`]: [`DataSchema`], [`Expectations`], [`Integrity`], [`Leakage`] |
//! | what was known of it at that moment? | [`past`]: [`PointInTime`] |
//! | how are rows kept apart? | [`split`]: [`StratifiedHoldout`], [`StratifiedKFold`], [`GroupKFold`], [`TimeSeriesSplit`], [`ThreeWaySplit`] and others |
//! | what if rows are few? | [`augment`]: [`augment::Jitter`], [`augment::Mixup`], [`augment::GaussianCopula`] |
//! | what if a class is rare? | [`balance`]: [`balance::Smote`], [`balance::RandomUnderSampler`], [`balance::TomekLinks`], … |
//! | where does it come from, and what may it be used for? | [`datasheet`]: [`Datasheet`], as Croissant: [`croissant`] |
//! | whose labels, which of them, and are they right? | [`label`]: [`Annotations`](label::Annotations), agreement, aggregation |
//! | how does it get out again? | [`mod@write`], [`frame`] |
//!
//! Text becomes a value by [`stagewise_core::record::parse`] and nothing else, so that a file and a request that say
//! the same mean the same. Every decision is returned as data; nothing is decided silently.
//!
//! ```
//! use stagewise_data::Csv;
//! use stagewise_core::schema::{Kind, Role};
//!
//! let loaded = Csv::from_bytes("id,age,plan\n1,31,basic\n2,?,pro\n3,28,basic\n").read()?;
//! assert_eq!(loaded.table.rows(), 3);
//! assert_eq!(loaded.decision("age").map(|d| (d.kind, d.missing)), Some((Kind::Number, 1)));
//! assert_eq!(loaded.decision("id").map(|d| d.role), Some(Role::Id));
//! # Ok::<(), stagewise_core::Error>(())
//! ```

pub mod augment;
pub mod balance;
pub mod check;
pub mod croissant;
pub mod datasheet;
pub mod frame;
pub mod kind;
pub mod label;
pub mod leak;
pub mod loaded;
pub mod past;
pub mod profile;
pub mod read;
pub mod role;
pub mod split;
pub mod task;
pub mod write;

pub use check::{DataSchema, Environment, Expectation, Expectations, Integrity, Leakage};
pub use datasheet::{Concern, DataColumn, DataFile, Datasheet, Method};
pub use frame::{from_frame, to_frame};
pub use loaded::{ColumnDecision, FileRows, Loaded};
pub use past::{JoinAccount, Joined, PointInTime, Timeline};
pub use profile::Profile;
#[cfg(feature = "postgres")]
pub use read::Postgres;
#[cfg(feature = "sqlite")]
pub use read::Sqlite;
pub use read::{Condition, Csv, Excerpt, Ipc, Ndjson, Parquet};
pub use split::{
    BootstrapSplit, GroupHoldout, GroupKFold, GroupTimeSeriesSplit, KFold, LeaveOneGroupOut, MonteCarlo, Nested,
    NestedSplit, Period, PredefinedSplit, PurgedKFold, RandomHoldout, RepeatedKFold, Span, SplitBy,
    StratifiedGroupKFold, StratifiedHoldout, StratifiedKFold, ThreeWay, ThreeWaySplit, TimeHoldout, TimeSeriesSplit,
    Torn,
};
pub use task::{TaskKind, detect_task};

/// Registers every stage of this crate.
pub fn register(registry: &mut stagewise_core::registry::Registry) {
    augment::register(registry);
    balance::register(registry);
}
