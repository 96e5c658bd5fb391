//! Parquet files: the types are known; only text columns are decided by the rules.

use std::io::Cursor;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use polars::io::mmap::MmapBytesReader;
use polars::prelude::{DataFrame, ParquetReader, SerReader};
use stagewise_core::error::{DataError, Error, Result};
use stagewise_core::schema::{Kind, MissingTokens};

use super::many::{Part, read_all};
use super::{Origin, guard};
use crate::frame::{loaded, sources};
use crate::loaded::{Loaded, Wishes, wishes_setters};

/// Reads a Parquet file.
///
/// Types map to kinds as [`from_frame`](crate::frame::from_frame) says. Lists and structures are left out of the
/// table, with a decision. `O(bytes)`.
///
/// What the file says of itself is checked before the decoder sees it: lengths, pages, rows and widths against each
/// other and against the bytes that are there, and what it would unpack to against [`memory`](Self::memory). Pages in
/// one of the delta encodings hold lengths of their own, which only the decoder checks: read such files from a source
/// that you trust.
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
    pub(super) origin: Origin,
    pub(super) memory: Option<u64>,
    pub(super) wishes: Wishes,
}

impl Parquet {
    /// The file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(Origin::File(path.into()))
    }

    /// These bytes.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::of(Origin::Bytes(bytes.as_ref().into()))
    }

    fn of(origin: Origin) -> Self {
        Self { origin, memory: None, wishes: Wishes::default() }
    }

    /// The most bytes that the file may unpack to. Default: a thousand times its size, and at least 1 GiB.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    wishes_setters!(" in text columns", "type is");

    /// Reads the file.
    ///
    /// # Errors
    /// [`DataError::Malformed`] for bytes that are no Parquet file, are damaged or would unpack to more than the limit,
    /// [`DataError::Unparsable`] for a value that is not of the kind asked for, a file that cannot be read.
    pub fn read(&self) -> Result<Loaded> {
        self.origin.with(|bytes| loaded(&frame(bytes, self.memory)?, &self.wishes))
    }

    /// Reads every file that the path names as a pattern, as one table; see [`Csv::read_all`](crate::Csv::read_all).
    ///
    /// A column must be of one kind in all files; one without values goes with any.
    ///
    /// # Errors
    /// As [`read`](Self::read), with the file; [`DataError::Malformed`] and
    /// [`WrongKind`](stagewise_core::error::SchemaError::WrongKind) for files whose columns do not agree.
    pub fn read_all(&self) -> Result<Loaded> {
        read_all(&self.origin, &self.wishes, |bytes| {
            let frame = frame(bytes, self.memory)?;
            Ok(Part::of(sources(&frame)?, frame.height(), Vec::new()))
        })
    }
}

fn frame(bytes: &[u8], memory: Option<u64>) -> Result<DataFrame> {
    guard::check(bytes, memory.unwrap_or_else(|| guard::usual_limit(bytes.len()))).map_err(malformed)?;
    decode(Cursor::new(bytes), None, None)
}

/// Unpacks what the guard has let through: the columns at some places, some rows; all unless they are given.
pub(super) fn decode(
    bytes: impl MmapBytesReader,
    columns: Option<&[usize]>,
    rows: Option<Range<u64>>,
) -> Result<DataFrame> {
    let place = |row: u64| usize::try_from(row).unwrap_or(usize::MAX);
    let slice = rows.map(|rows| (place(rows.start), place(rows.end - rows.start)));
    let reader =
        || ParquetReader::new(bytes).with_projection(columns.map(<[usize]>::to_vec)).with_slice(slice).finish();
    // What the decoder finds wrong inside of pages may end in a panic of its own.
    match catch_unwind(AssertUnwindSafe(reader)) {
        Ok(frame) => frame.map_err(|e| malformed(e.to_string())),
        Err(_) => Err(malformed("the decoder gave up on damaged bytes".into())),
    }
}

pub(super) fn malformed(reason: String) -> Error {
    let problem = format!("this is no readable Parquet file ({reason}); write it again from its source");
    DataError::Malformed { line: 1, problem }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::parquet_bytes;
    use stagewise_core::column::Column;
    use stagewise_core::table::Table;

    #[test]
    fn what_is_no_parquet_is_refused() {
        for bytes in [&b""[..], b"a,b\n1,2\n", b"PAR1\x01\x02\x03\x04\xff\xff\xff\x7fPAR1"] {
            let error = Parquet::from_bytes(bytes).read().unwrap_err().to_string();
            assert!(error.starts_with("line 1: this is no readable Parquet file"), "{error}");
        }
    }

    fn small() -> Vec<u8> {
        let table = Table::of([
            ("x", Column::numbers([1.0, f64::NAN, 3.0, 3.0])),
            ("c", Column::categories([Some("a"), None, Some("b"), Some("a")])),
            ("f", Column::flags([Some(true), None, Some(false), None])),
            ("t", Column::timestamps([1, 2, 3, 4])),
            ("w", Column::texts([Some("one two"), None, Some("three"), Some("")])),
        ]);
        parquet_bytes(&table.unwrap()).unwrap()
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let bytes = small();
        assert!(Parquet::from_bytes(&bytes).read().is_ok());
        for end in 0..bytes.len() {
            assert!(Parquet::from_bytes(&bytes[..end]).read().is_err(), "cut at {end}");
        }
    }

    /// An allocation that fails ends the process, so this test would not come to its end.
    #[test]
    fn a_changed_byte_never_ends_the_program() {
        let mut bytes = small();
        let mut refused = 0_usize;
        for at in 0..bytes.len() {
            let kept = bytes[at];
            for change in [0x01, 0x04, 0x20, 0x80, 0xFF] {
                bytes[at] = kept ^ change;
                refused += usize::from(Parquet::from_bytes(&bytes).memory(1 << 20).read().is_err());
            }
            bytes[at] = kept;
        }
        assert!(refused > bytes.len(), "{refused} of {}", 5 * bytes.len());
    }

    #[test]
    fn a_file_that_unpacks_to_more_than_the_limit_is_refused() {
        let table = Table::of([("x", Column::numbers(vec![1.0; 100_000]))]).unwrap();
        let bytes = parquet_bytes(&table).unwrap();
        let error = Parquet::from_bytes(&bytes).memory(100_000).read().unwrap_err().to_string();
        assert!(error.contains("the limit is 100000: see `Parquet::memory`"), "{error}");
        let loaded = Parquet::from_bytes(&bytes).memory(10_000_000).read().unwrap();
        assert_eq!(loaded.table.rows(), 100_000);
    }
}
