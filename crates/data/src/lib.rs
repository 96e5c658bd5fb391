//! Training data for stagewise: readers, kind inference, splits, profiles.
//!
//! | question | where |
//! |---|---|
//! | how does a file become a table? | [`read`]: [`Csv`], [`Parquet`], [`Ndjson`] |
//! | what was decided about its columns, and why? | [`loaded`]: [`Loaded`], [`Decision`] |
//! | by which rules? | [`kind`] (what a column means), [`role`] (what it is for), [`task`] (what a target asks) |
//! | what is in it, and what should worry me? | [`profile`]: [`Profile`], [`leak`] |
//! | how are rows kept apart? | [`split`]: [`StratifiedHoldout`], [`RandomHoldout`], [`KFold`], [`StratifiedKFold`], [`GroupHoldout`], [`GroupKFold`] |
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

pub mod frame;
pub mod kind;
pub mod label;
pub mod leak;
pub mod loaded;
pub mod profile;
pub mod read;
pub mod role;
pub mod split;
pub mod task;
pub mod write;

pub use frame::{from_frame, to_frame};
pub use loaded::{Decision, Loaded};
pub use profile::Profile;
pub use read::{Csv, Ndjson, Parquet};
pub use split::{GroupHoldout, GroupKFold, KFold, RandomHoldout, StratifiedHoldout, StratifiedKFold};
pub use task::{TaskKind, detect_task};
