//! Parquet files: the types are known; only text columns are decided by the rules.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use polars::prelude::{DataFrame, ParquetReader, SerReader};
use stagewise_core::error::{DataError, Error, Result};
use stagewise_core::schema::{Kind, MissingTokens};

use super::Origin;
use crate::frame::loaded;
use crate::loaded::{Loaded, Wishes};

/// Reads a Parquet file.
///
/// Types map to kinds as [`from_frame`](crate::frame::from_frame) says. Lists and structures are left out of the
/// table, with a decision. `O(bytes)`.
///
/// Read files from a source that you trust: the decoder checks where a file ends and how it is laid out, but believes
/// the sizes inside, and a file whose bytes were changed can ask for more memory than there is, which ends the
/// program.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::{Parquet, write};
///
/// let table = Table::of([("age", Column::numbers([31.0, f64::NAN]))])?;
/// let loaded = Parquet::from_bytes(write::parquet_bytes(&table)?).read()?;
/// assert_eq!(loaded.table, table);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Parquet {
    origin: Origin,
    wishes: Wishes,
}

impl Parquet {
    /// The file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { origin: Origin::File(path.into()), wishes: Wishes::default() }
    }

    /// These bytes.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self { origin: Origin::Bytes(bytes.as_ref().into()), wishes: Wishes::default() }
    }

    /// What text stands for a missing value in text columns. Default: [`MissingTokens::default`].
    #[must_use]
    pub fn missing(mut self, tokens: MissingTokens) -> Self {
        self.wishes.tokens = tokens;
        self
    }

    /// What a column means, whatever its type is. The last word on a column counts.
    #[must_use]
    pub fn kind(mut self, column: impl Into<String>, kind: Kind) -> Self {
        self.wishes.kinds.push((column.into(), kind));
        self
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`DataError::Malformed`] for bytes that are no Parquet file or are damaged, [`DataError::Unparsable`] for a
    /// value that is not of the kind asked for, a file that cannot be read.
    pub fn read(&self) -> Result<Loaded> {
        self.origin.with(|bytes| loaded(&frame(bytes)?, &self.wishes))
    }
}

fn frame(bytes: &[u8]) -> Result<DataFrame> {
    let malformed = |reason: String| -> Error {
        let problem = format!("this is no readable Parquet file ({reason}); write it again from its source");
        DataError::Malformed { line: 1, problem }.into()
    };
    // The decoder checks most of what it reads; what it does not check ends in a panic of its own.
    match catch_unwind(AssertUnwindSafe(|| ParquetReader::new(Cursor::new(bytes)).finish())) {
        Ok(frame) => frame.map_err(|e| malformed(e.to_string())),
        Err(_) => Err(malformed("the decoder gave up on damaged bytes".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_parquet_is_refused() {
        for bytes in [&b""[..], b"a,b\n1,2\n", b"PAR1\x01\x02\x03\x04\xff\xff\xff\x7fPAR1"] {
            let error = Parquet::from_bytes(bytes).read().unwrap_err().to_string();
            assert!(error.starts_with("line 1: this is no readable Parquet file"), "{error}");
        }
    }
}
