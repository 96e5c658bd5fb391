//! CSV files, some bytes at a time.
//!
//! A piece ends where a record ends, as the scanner sees it, so no record is torn, whatever quotes and newlines it holds.
//! What is left of a piece begins the next one.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{DataType, Series};
use stagewise_core::error::{DataError, Error, Result};

use super::super::Origin;
use super::super::csv::{Csv, frame, names, shape_notes};
use super::super::encoding::{self, Place};
use super::super::scan::Scanner;
use super::Piece;

/// How long a record may be.
const LONGEST: usize = 64 << 20;

pub(super) struct Lines {
    input: Input,
    scanner: Scanner,
    /// Bytes that were read and not yet scanned, and where they begin.
    waiting: Vec<u8>,
    place: Place,
    block: usize,
    names: Vec<(String, Option<String>)>,
    notes: Vec<String>,
    rows: usize,
    done: bool,
}

/// Where bytes come from, and whether there are more.
struct Input {
    bytes: Box<dyn Read>,
    ended: bool,
}

impl Input {
    /// Reads until `waiting` holds `size` bytes, or the file ends.
    fn fill(&mut self, waiting: &mut Vec<u8>, size: usize) -> Result<()> {
        let missing = size.saturating_sub(waiting.len());
        if missing > 0 && !self.ended {
            let more = u64::try_from(missing).unwrap_or(u64::MAX);
            let read = (&mut self.bytes).take(more).read_to_end(waiting).map_err(Error::external)?;
            self.ended = read < missing;
        }
        Ok(())
    }
}

impl Lines {
    /// Reads as much as it takes to know the columns.
    pub(super) fn open(csv: &Csv, path: Option<&Path>, block: usize) -> Result<Self> {
        let open = |path: &Path| File::open(path).map_err(|source| Error::io(path, source));
        let bytes: Box<dyn Read> = match (path, &csv.origin) {
            (Some(path), _) => Box::new(open(path)?),
            (None, Origin::File(path)) => Box::new(open(path)?),
            (None, Origin::Bytes(bytes)) => Box::new(Cursor::new(Arc::clone(bytes))),
        };
        let mut input = Input { bytes, ended: false };
        let (mut waiting, mut size) = (Vec::new(), block);
        // What a file is not, is said by its first bytes.
        input.fill(&mut waiting, size.max(64))?;
        let place = encoding::begin(&waiting)?;
        waiting.drain(..place.byte);
        loop {
            let text = encoding::part(&waiting, place, input.ended)?;
            let (dialect, notes, whole) = csv.dialect(text);
            let more = !input.ended && waiting.len() < LONGEST;
            if whole || !more {
                let mut ahead = csv.scanner(dialect);
                ahead.records(text, input.ended)?;
                if ahead.width().is_some() {
                    let (scanner, names) = (csv.scanner(dialect), names(&ahead));
                    return Ok(Self { input, scanner, waiting, place, block, names, notes, rows: 0, done: false });
                }
                if input.ended {
                    return Err(encoding::empty());
                }
                if !more {
                    return Err(too_long(place.line));
                }
            }
            size = waiting.len().saturating_mul(2).clamp(block, LONGEST.max(block));
            input.fill(&mut waiting, size)?;
        }
    }
}

impl super::Pieces for Lines {
    fn names(&self) -> Vec<String> {
        self.names.iter().map(|(name, _)| name.clone()).collect()
    }

    fn notice(&self, place: usize) -> Option<String> {
        self.names.get(place).and_then(|(_, notice)| notice.clone())
    }

    fn next(&mut self, places: &[usize]) -> Result<Option<Piece>> {
        let mut size = self.block;
        while !self.done {
            self.input.fill(&mut self.waiting, size)?;
            let last = self.input.ended;
            let text = encoding::part(&self.waiting, self.place, last)?;
            let records = self.scanner.records(text, last)?;
            let (end, rows) = (records.end, records.rows);
            if end == 0 && !last {
                if self.waiting.len() >= LONGEST.max(self.block) {
                    return Err(too_long(self.place.line));
                }
                size = self.waiting.len().saturating_mul(2).clamp(self.block, LONGEST.max(self.block));
                continue;
            }
            let columns = if rows == 0 || places.is_empty() {
                Vec::new()
            } else {
                let frame = frame(&records, self.names.len(), Some(places))?;
                let named = |(column, &place): (&polars::prelude::Column, &usize)| {
                    let name = self.names.get(place).map_or("", |(name, _)| name.as_str());
                    column.as_materialized_series().clone().with_name(name.into())
                };
                frame.columns().iter().zip(places).map(named).collect()
            };
            self.place = self.place.after(self.waiting.get(..end).unwrap_or_default());
            self.waiting.drain(..end);
            self.done = last;
            self.rows = self.rows.saturating_add(rows);
            if rows > 0 {
                return Ok(Some(Piece { columns, rows }));
            }
            size = self.block;
        }
        Ok(None)
    }

    fn empty(&self, places: &[usize]) -> Result<Vec<Series>> {
        let empty = |place: &usize| {
            let name = self.names.get(*place).map_or("", |(name, _)| name.as_str());
            Series::new_empty(name.into(), &DataType::String)
        };
        Ok(places.iter().map(empty).collect())
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        // Whether there are rows is known once some were met, or the end.
        notes.extend(shape_notes(&self.scanner, if self.done { self.rows } else { self.rows.max(1) }));
        notes
    }
}

fn too_long(line: usize) -> Error {
    let problem = format!(
        "a record of more than {} MiB begins here, as if a quote were never closed; close it, or turn quotes off",
        LONGEST >> 20
    );
    DataError::Malformed { line, problem }.into()
}
