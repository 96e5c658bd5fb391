//! Parquet files, some row groups at a time.
//!
//! The guard sees the footer when the file is opened, and the pages of a row group, in the columns asked for, before the
//! decoder does.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::{DataFrame, Series};
use stagewise_core::error::{Error, Result};

use super::super::Origin;
use super::super::guard::{self, Promises, TAIL};
use super::super::parquet::{Parquet, decode, malformed};
use super::Piece;

/// Row groups are read together up to so many bytes of what they unpack to.
const ENOUGH: u64 = 32 << 20;

pub(super) struct Groups {
    bytes: Bytes,
    promises: Promises,
    memory: Option<u64>,
    /// All columns without rows.
    empty: DataFrame,
    /// The next row group, the rows before it, and what it unpacks to if its pages were checked.
    group: usize,
    rows: u64,
    checked: Option<u64>,
}

/// A file of which parts are read.
enum Bytes {
    File(PathBuf),
    Memory(Arc<[u8]>),
}

impl Bytes {
    fn length(&self) -> Result<u64> {
        match self {
            Self::File(path) => Ok(std::fs::metadata(path).map_err(|source| Error::io(path, source))?.len()),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// Some bytes that are there.
    fn part(&self, range: Range<u64>) -> Result<Vec<u8>> {
        let cut = || malformed("it ends too early".into());
        let size = usize::try_from(range.end.saturating_sub(range.start)).map_err(|_| cut())?;
        match self {
            Self::File(path) => {
                let io = |source| Error::io(path, source);
                let mut file = File::open(path).map_err(io)?;
                file.seek(SeekFrom::Start(range.start)).map_err(io)?;
                let mut part = Vec::new();
                file.take(size as u64).read_to_end(&mut part).map_err(io)?;
                if part.len() == size { Ok(part) } else { Err(cut()) }
            }
            Self::Memory(bytes) => {
                let from = usize::try_from(range.start).map_err(|_| cut())?;
                bytes.get(from..from.saturating_add(size)).map(<[u8]>::to_vec).ok_or_else(cut)
            }
        }
    }

    /// Some rows of some columns, all without a choice.
    fn decode(&self, columns: Option<&[usize]>, rows: Range<u64>) -> Result<DataFrame> {
        match self {
            Self::File(path) => {
                decode(File::open(path).map_err(|source| Error::io(path, source))?, columns, Some(rows))
            }
            Self::Memory(bytes) => decode(Cursor::new(&bytes[..]), columns, Some(rows)),
        }
    }
}

impl Groups {
    /// Reads the footer.
    pub(super) fn open(parquet: &Parquet, path: Option<&Path>) -> Result<Self> {
        let bytes = match (path, &parquet.origin) {
            (Some(path), _) => Bytes::File(path.into()),
            (None, Origin::File(path)) => Bytes::File(path.clone()),
            (None, Origin::Bytes(bytes)) => Bytes::Memory(Arc::clone(bytes)),
        };
        let length = bytes.length()?;
        let tail = (TAIL as u64).min(length);
        let (first, last) = (bytes.part(0..4.min(length))?, bytes.part(length - tail..length)?);
        let start = guard::footer_start(length, &first, &last).map_err(malformed)?;
        let promises = Promises::new(&bytes.part(start..length - tail)?, start).map_err(malformed)?;
        let empty = bytes.decode(None, 0..0)?;
        if empty.width() != promises.columns() {
            return Err(malformed("its columns are not those of its schema".into()));
        }
        Ok(Self { bytes, promises, memory: parquet.memory, empty, group: 0, rows: 0, checked: None })
    }

    /// Checks the pages of the next row group; what they unpack to.
    fn check(&self, places: &[usize]) -> Result<u64> {
        let (mut unpacked, mut size) = (0_u64, 0_u64);
        for chunk in self.promises.chunks(self.group, |column| places.contains(&column)).map_err(malformed)? {
            let bytes = self.bytes.part(chunk.bytes.clone())?;
            size = size.saturating_add(bytes.len() as u64);
            unpacked = unpacked.saturating_add(self.promises.unpacked(&chunk, &bytes).map_err(malformed)?);
        }
        let usual = guard::usual_limit(usize::try_from(size).unwrap_or(usize::MAX));
        guard::within(unpacked, self.memory.unwrap_or(usual)).map_err(malformed)?;
        Ok(unpacked)
    }
}

impl super::Pieces for Groups {
    fn names(&self) -> Vec<String> {
        self.empty.columns().iter().map(|column| column.name().to_string()).collect()
    }

    fn notice(&self, _: usize) -> Option<String> {
        None
    }

    fn next(&mut self, places: &[usize]) -> Result<Option<Piece>> {
        let (begin, mut unpacked) = (self.rows, 0_u64);
        while self.group < self.promises.groups() {
            let more = match self.checked.take() {
                Some(more) => more,
                None => self.check(places)?,
            };
            if self.rows > begin && unpacked.saturating_add(more) > ENOUGH {
                self.checked = Some(more);
                break;
            }
            unpacked = unpacked.saturating_add(more);
            self.rows = self.rows.saturating_add(self.promises.rows(self.group).map_err(malformed)?);
            self.group += 1;
        }
        if self.rows == begin {
            return Ok(None);
        }
        let rows = usize::try_from(self.rows - begin).map_err(|_| malformed("it has too many rows".into()))?;
        if places.is_empty() {
            return Ok(Some(Piece { columns: Vec::new(), rows }));
        }
        let frame = self.bytes.decode(Some(places), begin..self.rows)?;
        if (frame.height(), frame.width()) != (rows, places.len()) {
            return Err(malformed("it holds other rows or columns than it says".into()));
        }
        let columns = frame.columns().iter().map(|column| column.as_materialized_series().clone()).collect();
        Ok(Some(Piece { columns, rows }))
    }

    fn empty(&self, places: &[usize]) -> Result<Vec<Series>> {
        let columns = self.empty.columns();
        let empty = |&place: &usize| columns.get(place).map(|column| column.as_materialized_series().clone());
        Ok(places.iter().filter_map(empty).collect())
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}
