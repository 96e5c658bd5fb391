//! Readers: a file becomes a table and the decisions behind it.
//!
//! | reader | what the file says about kinds |
//! |---|---|
//! | [`Csv`] | nothing: text, decided by the rules of [`kind`](crate::kind) |
//! | [`Parquet`] | types; only text columns are decided by the rules |
//! | [`Ipc`] | types, as Parquet |
//! | [`Ndjson`] | numbers, flags and text; text is decided by the rules |
//!
//! Every reader takes a path or bytes, and what the caller knows better: missing tokens and kinds. `read_all` takes a
//! pattern for a path, as in `data/year=*/part-*.csv`: the files become one table, whose columns are decided together; a
//! folder `key=value` becomes a column. [`Excerpt`] reads some columns and rows of files that need not fit into memory.

mod csv;
mod encoding;
mod excerpt;
mod flat;
mod guard;
mod headers;
mod ipc;
mod many;
mod ndjson;
mod parquet;
#[cfg(feature = "postgres")]
mod postgres;
mod scan;
#[cfg(feature = "sqlite")]
mod sqlite;
mod thrift;

use std::path::PathBuf;
use std::sync::Arc;

use stagewise_core::error::{At, Crumb, Error, Result};

pub use self::csv::Csv;
pub use self::excerpt::{Condition, Excerpt};
pub use self::ipc::Ipc;
pub use self::ndjson::Ndjson;
pub use self::parquet::Parquet;
#[cfg(feature = "postgres")]
pub use self::postgres::Postgres;
#[cfg(feature = "sqlite")]
pub use self::sqlite::Sqlite;
use crate::loaded::Loaded;

/// Where the bytes are.
#[derive(Debug, Clone)]
enum Origin {
    File(PathBuf),
    Bytes(Arc<[u8]>),
}

impl Origin {
    /// Reads the bytes and hands them on; errors name the file.
    fn with<'s>(&'s self, read: impl FnOnce(&[u8]) -> Result<Loaded> + 's) -> Result<Loaded> {
        match self {
            Self::Bytes(bytes) => read(bytes),
            Self::File(path) => {
                let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
                read(&bytes).at(|| Crumb::File(path.clone()))
            }
        }
    }
}
