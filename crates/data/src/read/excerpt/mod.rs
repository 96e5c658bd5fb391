//! Files that need not fit into memory: some columns and some rows of them, read a piece at a time.
//!
//! The pieces are our own, not those of a streaming query engine. That of polars would bring a stack for HTTP and TLS into
//! the build, which cannot be left out; and it splits text files by rules of its own, so that what a messy file means would
//! depend on its size. Here each piece goes through what reads a whole file: the scanner, the parser behind it, the guard.
//! Kinds, roles and decisions are made once, at the end, on the rows that were kept.

mod condition;
mod groups;
mod lines;
mod sieve;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use polars::prelude::Series;
use stagewise_core::error::{At, Crumb, Error, ParameterError, Result};
use stagewise_core::schema::{Field, Kind, Schema};

pub use self::condition::Condition;
use self::condition::Test;
use self::groups::Groups;
use self::lines::Lines;
use self::sieve::{Draw, Sieve};
use super::many::{self, Part, agree, find, pairs};
use super::{Csv, Origin, Parquet};
use crate::frame::source;
use crate::kind::rows;
use crate::loaded::{Loaded, Source, Wishes};

/// How many bytes of text are read at a time, unless the caller says otherwise.
const BLOCK: usize = 4 << 20;

/// Reads some columns and rows of files that may be larger than memory.
///
/// The path is a pattern, as in [`Csv::read_all`]; so files, folders `key=value`, and what must agree are as there. Rows go
/// through three sieves in turn: the [conditions](Self::keep), the [sample](Self::sample), the [first](Self::first). What
/// columns mean is decided on the rows kept, by the rules of the other readers: an excerpt is what these would give if the
/// files held those rows and columns alone.
///
/// Memory: the rows kept, and a piece of a file: [`block`](Self::block) bytes of text, or a row group of Parquet in the
/// columns asked for. `O(bytes)` of text; of Parquet, of the columns asked for.
///
/// ```
/// use stagewise_data::{Condition, Csv, Excerpt};
///
/// let csv = Csv::from_bytes("day,shop,sold\n2024-01-01,a,5\n2024-01-02,b,7\n2024-02-01,a,4\n2024-02-02,a,?\n");
/// let loaded = Excerpt::from(csv)
///     .columns(["day", "sold"])
///     .keep("shop", Condition::equal("a"))
///     .keep("sold", Condition::present())
///     .keep("day", Condition::since("2024-01-01"))
///     .read()?;
/// assert_eq!(loaded.table.column("sold")?.as_numbers()?, [5.0, 4.0]);
/// assert_eq!(loaded.notes.last().map(String::as_str), Some("kept 2 of 4 rows"));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Excerpt {
    format: Format,
    columns: Option<Vec<String>>,
    conditions: Vec<(String, Condition)>,
    draw: Draw,
    seed: u64,
    first: Option<usize>,
    block: usize,
}

#[derive(Debug, Clone)]
enum Format {
    Csv(Csv),
    Parquet(Parquet),
}

impl From<Csv> for Excerpt {
    /// With all that was said to the reader: delimiter, missing tokens, kinds.
    fn from(csv: Csv) -> Self {
        Self::of(Format::Csv(csv))
    }
}

impl From<Parquet> for Excerpt {
    /// With all that was said to the reader; its limit of memory is that of each row group.
    fn from(parquet: Parquet) -> Self {
        Self::of(Format::Parquet(parquet))
    }
}

impl Excerpt {
    /// Of the CSV files that the path names as a pattern.
    pub fn csv(path: impl Into<PathBuf>) -> Self {
        Csv::new(path).into()
    }

    /// Of the Parquet files that the path names as a pattern. They must not change while they are read.
    pub fn parquet(path: impl Into<PathBuf>) -> Self {
        Parquet::new(path).into()
    }

    fn of(format: Format) -> Self {
        Self { format, columns: None, conditions: Vec::new(), draw: Draw::All, seed: 0, first: None, block: BLOCK }
    }

    /// Only these columns, in the order of the files. Default: all. Columns of conditions need not be among them.
    #[must_use]
    pub fn columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Only rows whose value in this column meets the condition. Said more than once, all must be met.
    ///
    /// Of files that a condition on a folder `key=value` passes over, no more than the first piece is read.
    #[must_use]
    pub fn keep(mut self, column: impl Into<String>, condition: Condition) -> Self {
        self.conditions.push((column.into(), condition));
        self
    }

    /// Of the rows that meet the conditions so many at random, in their order; all if there are not more. At least 1.
    ///
    /// A row is drawn by a number that depends on the seed and its place among the rows of all files alone, so the same rows
    /// are drawn whatever the pieces, the threads and the columns; each set of rows is as likely as another.
    #[must_use]
    pub fn sample(mut self, rows: usize, seed: u64) -> Self {
        (self.draw, self.seed) = (Draw::Rows(rows), seed);
        self
    }

    /// Of the rows that meet the conditions each with this probability, above 0 and at most 1; in place of
    /// [`sample`](Self::sample). With the same seed, the rows of a smaller share are among those of a larger one.
    #[must_use]
    pub fn share(mut self, share: f64, seed: u64) -> Self {
        (self.draw, self.seed) = (Draw::Share(share), seed);
        self
    }

    /// Of what is left then, the first so many rows; at least 1. Without a sample of a number of rows, what follows is not
    /// read, and so not checked either.
    #[must_use]
    pub fn first(mut self, rows: usize) -> Self {
        self.first = Some(rows);
        self
    }

    /// How many bytes of a text file are read at a time, at least 1. Default: 4 MiB. What is read does not depend on it. A
    /// record may be longer, up to 64 MiB.
    #[must_use]
    pub fn block(mut self, bytes: usize) -> Self {
        self.block = bytes;
        self
    }

    /// Reads the rows.
    ///
    /// # Errors
    /// As `read_all` of [`Csv`] and [`Parquet`]; [`ParameterError`] for setters out of range;
    /// [`MissingColumn`](stagewise_core::error::SchemaError::MissingColumn) for a column that is not there,
    /// [`WrongKind`](stagewise_core::error::SchemaError::WrongKind) for a condition that its kind cannot meet;
    /// [`DataError::Malformed`](stagewise_core::error::DataError::Malformed) for a record of more than 64 MiB, which a quote
    /// that is never closed looks like.
    pub fn read(&self) -> Result<Loaded> {
        let tests = self.checked()?;
        let origin = match &self.format {
            Format::Csv(csv) => &csv.origin,
            Format::Parquet(parquet) => &parquet.origin,
        };
        let found = match origin {
            Origin::File(pattern) => find(pattern)?,
            Origin::Bytes(_) => Vec::new(),
        };
        let mut sieve = Sieve::new(self.draw, self.seed, self.first);
        let mut files: Vec<FileRead> = Vec::new();
        for file in 0..found.len().max(1) {
            if sieve.is_full() {
                break;
            }
            let path = found.get(file).map(PathBuf::as_path);
            let read = self.sift(path, &tests, files.first(), &mut sieve);
            files.push(match path {
                Some(path) => read.at(|| Crumb::File(path.into()))?,
                None => read?,
            });
        }
        self.decide(found, files, sieve)
    }

    fn checked(&self) -> Result<Vec<Test>> {
        match &self.format {
            Format::Csv(csv) => csv.check()?,
            Format::Parquet(_) => {}
        }
        ParameterError::check(self.columns.as_ref().is_none_or(|c| !c.is_empty()), "columns", "none", "at least one")?;
        ParameterError::check(self.block > 0, "block", self.block, "at least 1")?;
        ParameterError::check(self.first != Some(0), "first", 0, "at least 1")?;
        self.draw.check()?;
        let tests = self.conditions.iter().map(|(column, condition)| condition.test().at(|| Crumb::column(column)));
        tests.collect()
    }

    fn wishes(&self) -> &Wishes {
        match &self.format {
            Format::Csv(csv) => &csv.wishes,
            Format::Parquet(parquet) => &parquet.wishes,
        }
    }

    fn wants(&self, column: &str) -> bool {
        self.columns.as_ref().is_none_or(|columns| columns.iter().any(|c| c == column))
    }

    /// Puts the rows of one file through the sieve.
    fn sift(
        &self,
        path: Option<&Path>,
        tests: &[Test],
        first: Option<&FileRead>,
        sieve: &mut Sieve,
    ) -> Result<FileRead> {
        let folders = path.map_or(Vec::new(), pairs);
        let mut pieces = self.open(path)?;
        let names = pieces.names();
        match first {
            Some(first) => agree(&first.names, names.iter().map(String::as_str))?,
            None => self.known(&names, &folders)?,
        }
        let judges = |column: &str| self.conditions.iter().any(|(judged, _)| judged == column);
        let places: Vec<usize> = (0..names.len()).filter(|&i| self.wants(&names[i]) || judges(&names[i])).collect();
        let kept: Vec<usize> = (0..places.len()).filter(|&i| self.wants(&names[places[i]])).collect();
        let tokens = &self.wishes().tokens;
        let mut passes = true;
        let mut on_rows = Vec::new();
        for ((column, _), test) in self.conditions.iter().zip(tests) {
            match places.iter().position(|&place| names[place] == *column) {
                Some(place) => on_rows.push((place, column, test)),
                None => {
                    let value = folders.iter().find(|(key, _)| key == column).and_then(|(_, value)| value.as_deref());
                    passes &= test.texts(&[value], tokens) == [true];
                }
            }
        }
        sieve.begin();
        while passes && !sieve.is_full() {
            let Some(piece) = pieces.next(&places)? else { break };
            let mut keep = vec![true; piece.rows];
            for (place, column, test) in &on_rows {
                let judged = source(&piece.columns[*place]).map_err(Error::external);
                let judged = judged.and_then(|judged| test.judge(&judged.values, tokens));
                let judged = judged.at(|| Crumb::column(column.as_str()))?;
                keep.iter_mut().zip(judged).for_each(|(keep, meets)| *keep &= meets);
            }
            let columns = kept.iter().map(|&i| piece.columns[i].clone()).collect();
            sieve.take(columns, keep).map_err(Error::external)?;
        }
        let wanted: Vec<usize> = kept.iter().map(|&i| places[i]).collect();
        let notices = wanted.iter().map(|&place| pieces.notice(place)).collect();
        Ok(FileRead { empty: pieces.empty(&wanted)?, notices, notes: pieces.notes(), names })
    }

    fn open(&self, path: Option<&Path>) -> Result<Box<dyn Pieces>> {
        Ok(match &self.format {
            Format::Csv(csv) => Box::new(Lines::open(csv, path, self.block)?),
            Format::Parquet(parquet) => Box::new(Groups::open(parquet, path)?),
        })
    }

    /// Refuses names that are not there.
    fn known(&self, names: &[String], folders: &[(String, Option<String>)]) -> Result<()> {
        let names = names.iter().chain(folders.iter().map(|(key, _)| key));
        let known = Schema::new(names.map(|name| Field::new(name.as_str(), Kind::Text)).collect())?;
        let columns = self.columns.iter().flatten().chain(self.conditions.iter().map(|(column, _)| column));
        for name in columns.chain(self.wishes().kinds.iter().map(|(column, _)| column)) {
            known.require(name)?;
        }
        Ok(())
    }

    /// Decides about the rows that were kept.
    fn decide(&self, mut found: Vec<PathBuf>, files: Vec<FileRead>, sieve: Sieve) -> Result<Loaded> {
        let (seen, stopped) = (sieve.seen(), sieve.is_full());
        let mut wishes = self.wishes().clone();
        wishes.kinds.retain(|(column, _)| self.wants(column));
        let empty: Vec<Vec<Series>> = files.iter().map(|file| file.empty.clone()).collect();
        let kept = sieve.finish(empty).map_err(Error::external)?;
        let total: usize = kept.iter().map(|kept| kept.rows).sum();
        let mut parts = Vec::new();
        found.truncate(files.len());
        let mut loaded = None;
        let alone = files.len() == 1;
        for (file, kept) in files.into_iter().zip(&kept) {
            let own = kept.columns.iter().zip(file.notices);
            let own: Vec<Source<'_>> = own
                .map(|(series, notice)| {
                    let source = source(series).map_err(Error::external)?;
                    Ok(Source { notice: source.notice.clone().or(notice), ..source })
                })
                .collect::<Result<_>>()?;
            if alone {
                let found = std::mem::take(&mut found);
                loaded = Some(many::together(found, &[kept.rows], own, &wishes, file.notes)?);
            } else {
                parts.push(Part::of(own, kept.rows, file.notes));
            }
        }
        let mut loaded = match loaded {
            Some(loaded) => loaded,
            None => {
                // The parts hold copies of their own.
                drop(kept);
                many::of_parts(found, parts, &wishes)?
            }
        };
        // Columns of folders come with every file.
        let fields = loaded.table.schema().fields();
        let wanted: Vec<usize> = (0..fields.len()).filter(|&i| self.wants(&fields[i].name)).collect();
        if wanted.len() < fields.len() {
            loaded.table = loaded.table.select(&wanted)?;
            loaded.decisions.retain(|decision| self.wants(&decision.column));
        }
        let rest = if stopped { ", where reading ended" } else { "" };
        loaded.notes.push(format!("kept {total} of {}{rest}", rows(usize::try_from(seen).unwrap_or(usize::MAX))));
        Ok(loaded)
    }
}

/// What is known of a file once its rows went through the sieve.
struct FileRead {
    names: Vec<String>,
    /// The columns that are kept, without rows, and what the file has to say about each.
    empty: Vec<Series>,
    notices: Vec<Option<String>>,
    notes: Vec<String>,
}

/// Some rows of a file that follow each other.
struct Piece {
    columns: Vec<Series>,
    rows: usize,
}

/// A file that is read piece by piece.
trait Pieces {
    /// The columns of the file.
    fn names(&self) -> Vec<String>;

    /// What there is to say about a column.
    fn notice(&self, place: usize) -> Option<String>;

    /// The next rows, of the columns at these places, ascending.
    fn next(&mut self, places: &[usize]) -> Result<Option<Piece>>;

    /// The columns at these places, without rows.
    fn empty(&self, places: &[usize]) -> Result<Vec<Series>>;

    /// What there is to say about the file.
    fn notes(&self) -> Vec<String>;
}
