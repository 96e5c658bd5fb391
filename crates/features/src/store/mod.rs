//! Feature definitions that are kept: named, versioned, owned, and answered alike from a table and live.
//!
//! A [`FeatureView`] is a definition. Offline it answers cases from a table of events, each case by what lies before it;
//! online a [`FeatureStore`] is told of every event and answers at once. Both run the code of [`series`](crate::series), so
//! they agree to the bit. What the store knows lies behind [`KeyValue`]: in memory, or with the feature `embedded` in a file
//! that survives the process. Tables of computed features are written by any writer of tables.

#[cfg(feature = "embedded")]
mod embedded;
mod online;
mod view;

#[cfg(feature = "embedded")]
pub use embedded::EmbeddedStore;
pub use online::{FeatureStore, KeyValue, MemoryStore};
pub use view::FeatureView;
