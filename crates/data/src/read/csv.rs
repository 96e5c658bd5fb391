//! CSV files, as they come.
//!
//! The file is scanned once for what is wrong with it; then every column is parsed as text, and what the text means
//! is decided by our own rules with the functions that serving uses. No value passes through a type that was guessed
//! from the first rows.

use std::collections::HashSet;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use polars::prelude::{CsvParseOptions, CsvReadOptions, DataFrame, DataType, Field, PolarsResult, SerReader};
use rayon::prelude::*;
use stagewise_core::error::{DataError, Error, ParameterError, Result};
use stagewise_core::schema::{Kind, MissingTokens};

use super::many::{Part, read_all};
use super::scan::{Dialect, Records, Scanner, detect};
use super::{Origin, encoding};
use crate::loaded::{Loaded, Source, Values, Wishes, decide, wishes_setters};

/// Reads a CSV file: RFC 4180, with the deviations that have one meaning.
///
/// | what comes | what happens |
/// |---|---|
/// | a byte order mark, `\r\n`, quotes around newlines and delimiters | read |
/// | single `\r`, blanks around quotes, a quote inside an unquoted field | read |
/// | blank lines | left out, noted; in a file of one column they are missing values, except at the end |
/// | two equal names, or none | renamed (`a_2`, `column_3`), with a notice |
/// | a line with more or fewer fields, an open quote, not UTF-8, NUL, a compressed file | error with the line |
/// | a header alone | a table without rows |
///
/// Names and levels lose the blanks around them, free text keeps them. `O(bytes)`.
///
/// ```
/// use stagewise_core::schema::Kind;
/// use stagewise_data::Csv;
///
/// let loaded = Csv::from_bytes("zip;rent\n04109;810\n04103;n/a\n").kind("zip", Kind::Category).read()?;
/// assert_eq!(loaded.table.column("rent")?.missing_count(), 1);
/// assert_eq!(loaded.notes, ["fields are separated by `;`, found in the first line"]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Csv {
    pub(super) origin: Origin,
    delimiter: Option<u8>,
    quote: Option<u8>,
    header: bool,
    pub(super) wishes: Wishes,
}

impl Csv {
    /// The file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::of(Origin::File(path.into()))
    }

    /// These bytes.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::of(Origin::Bytes(bytes.as_ref().into()))
    }

    fn of(origin: Origin) -> Self {
        Self { origin, delimiter: None, quote: Some(b'"'), header: true, wishes: Wishes::default() }
    }

    /// What separates fields, an ASCII character. Default: of `,` `;` tab `|` the one that stands most often in the
    /// first line.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// What stands around a field that holds delimiters or newlines, an ASCII character; `None` turns quotes off.
    /// Default: `b'"'`.
    #[must_use]
    pub fn quote(mut self, quote: impl Into<Option<u8>>) -> Self {
        self.quote = quote.into();
        self
    }

    /// Whether the first line holds names. Default: true; otherwise the columns are `column_1`, `column_2`, …
    #[must_use]
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    wishes_setters!("", "values look like");

    /// Reads the file.
    ///
    /// # Errors
    /// [`DataError::Malformed`] with line and remedy, [`DataError::Unparsable`] for a value that is not of the kind
    /// asked for, [`ParameterError`], a column asked for that is not there, a file that cannot be read.
    pub fn read(&self) -> Result<Loaded> {
        self.check()?;
        self.origin.with(|bytes| self.parse(bytes, |sources, rows, notes| decide(sources, rows, &self.wishes, notes)))
    }

    /// Reads every file that the path names as a pattern, as one table: `data/year=*/part-*.csv`.
    ///
    /// `*` and `?` stand for any characters and for one, `**` for any folders; names that begin with a dot are passed
    /// over. Files come in the order of their paths. Their columns must be the same by name, in any order; what a column
    /// means is decided on all values together. Each folder `key=value` on the way, as the path writes it, becomes a
    /// column behind the others; Hive's name for a missing value is missing, `%2F` is `/`. [`Loaded::file_of`] says
    /// where a row came from; rows in errors count from the first file on. `O(bytes)`.
    ///
    /// # Errors
    /// As [`read`](Self::read), with the file; [`DataError::Malformed`] for files whose columns or folders do not agree; a
    /// pattern that no file matches.
    pub fn read_all(&self) -> Result<Loaded> {
        self.check()?;
        read_all(&self.origin, &self.wishes, |bytes| {
            self.parse(bytes, |sources, rows, notes| Ok(Part::of(sources, rows, notes)))
        })
    }

    pub(super) fn check(&self) -> Result<()> {
        let usable = |b: u8| b.is_ascii() && !matches!(b, 0 | b'\n' | b'\r');
        for (name, byte) in [("delimiter", self.delimiter), ("quote", self.quote)] {
            if let Some(byte) = byte {
                let allowed = "an ASCII character other than NUL and the ends of lines";
                ParameterError::check(usable(byte), name, format!("0x{byte:02X}"), allowed)?;
            }
        }
        let differ = self.delimiter.is_none() || self.delimiter != self.quote;
        ParameterError::check(differ, "quote", "the delimiter", "another character than the delimiter")
    }

    /// What separates the fields of a file that begins with `text`, what to note about it, and whether the first line is
    /// all there to say so.
    pub(super) fn dialect(&self, text: &str) -> (Dialect, Vec<String>, bool) {
        let dialect = |delimiter| Dialect { delimiter, quote: self.quote };
        if let Some(delimiter) = self.delimiter {
            return (dialect(delimiter), Vec::new(), true);
        }
        match detect(text, self.quote) {
            (Some(found), whole) => {
                let shown = if found == b'\t' { "tab".into() } else { char::from(found).to_string() };
                (dialect(found), vec![format!("fields are separated by `{shown}`, found in the first line")], whole)
            }
            (None, whole) => (dialect(b','), vec!["no delimiter in the first line: one column".into()], whole),
        }
    }

    pub(super) fn scanner(&self, dialect: Dialect) -> Scanner {
        Scanner::new(dialect, self.header)
    }

    /// Hands on the columns of a file, its rows and the notes about it.
    fn parse<T>(&self, bytes: &[u8], then: impl FnOnce(Vec<Source<'_>>, usize, Vec<String>) -> Result<T>) -> Result<T> {
        let text = encoding::text(bytes)?;
        let (dialect, mut notes, _) = self.dialect(text);
        let mut scanner = self.scanner(dialect);
        let records = scanner.records(text, true)?;
        notes.extend(shape_notes(&scanner, records.rows));
        if scanner.width().is_none() {
            return Err(encoding::empty());
        }
        let names = names(&scanner);
        if records.rows == 0 {
            let empty = |(name, notice)| Source { name, values: Values::Texts(Vec::new()), notice };
            return then(names.into_iter().map(empty).collect(), 0, notes);
        }
        let frame = frame(&records, names.len(), None)?;
        let texts: Vec<Vec<Option<&str>>> = frame
            .columns()
            .par_iter()
            .map(|column| Ok(column.as_materialized_series().str()?.iter().collect()))
            .collect::<PolarsResult<_>>()
            .map_err(Error::external)?;
        let sources = names.into_iter().zip(texts);
        let sources = sources.map(|((name, notice), texts)| Source { name, values: Values::Texts(texts), notice });
        then(sources.collect(), records.rows, notes)
    }
}

/// What to note about the lines of a file, once all of them were met.
pub(super) fn shape_notes(scanner: &Scanner, rows: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if scanner.blank_lines() > 0 {
        notes.push(format!("{} blank lines were left out", scanner.blank_lines()));
    }
    if rows == 0 {
        notes.push("the file has a header and no rows".into());
    }
    notes
}

/// Records as columns of text: all of the `width` columns, or those at the places asked for, ascending.
pub(super) fn frame(records: &Records<'_>, width: usize, places: Option<&[usize]>) -> Result<DataFrame> {
    let fields = (0..width).map(|i| Field::new(i.to_string().into(), DataType::String));
    // Without a quote in it, a body is parsed faster if quotes are off.
    let quote = records.dialect.quote.filter(|&q| records.body.as_bytes().contains(&q));
    let parse = CsvParseOptions::default()
        .with_separator(records.dialect.delimiter)
        .with_quote_char(quote)
        .with_missing_is_null(false);
    let frame = CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(Arc::new(fields.collect())))
        .with_projection(places.map(|places| Arc::new(places.to_vec())))
        .with_parse_options(parse)
        .with_rechunk(false)
        .into_reader_with_file_handle(Cursor::new(records.body.as_bytes()))
        .finish()
        .map_err(Error::external)?;
    let columns = places.map_or(width, <[usize]>::len);
    for (what, expected, found) in
        [("columns as parsed", columns, frame.width()), ("rows as parsed", records.rows, frame.height())]
    {
        if expected != found {
            return Err(DataError::Length { what: what.into(), expected, found }.into());
        }
    }
    Ok(frame)
}

/// Names without blanks around them, each once, and what was done to them.
pub(super) fn names(scanner: &Scanner) -> Vec<(String, Option<String>)> {
    let Some(header) = scanner.header() else {
        return (1..=scanner.width().unwrap_or(0)).map(|i| (format!("column_{i}"), None)).collect();
    };
    let given: HashSet<&str> = header.iter().map(|name| name.trim()).collect();
    let mut used: HashSet<String> = HashSet::new();
    header
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let name = name.trim();
            let wanted = if name.is_empty() { format!("column_{}", i + 1) } else { name.to_string() };
            let mut unique = wanted.clone();
            let mut copy = 1;
            while used.contains(&unique) || (unique != name && given.contains(unique.as_str())) {
                copy += 1;
                unique = format!("{wanted}_{copy}");
            }
            used.insert(unique.clone());
            let notice = match name {
                "" => Some(format!("the header has no name here: named `{unique}`")),
                _ if unique != name => Some(format!("the header names `{name}` more than once: renamed `{unique}`")),
                _ => None,
            };
            (unique, notice)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;

    fn read(text: &str) -> Loaded {
        Csv::from_bytes(text).read().unwrap()
    }

    #[test]
    fn quotes_newlines_and_marks_are_read() {
        let loaded = read("\u{feff}name,x\r\n\"a, \"\"b\"\"\r\nc\",1\r\n \"d\" ,\r\n");
        assert_eq!(loaded.table.schema().names(), ["name", "x"]);
        let (_, levels) = loaded.table.column("name").unwrap().as_categories().unwrap();
        assert_eq!(levels.to_strings(), ["a, \"b\"\r\nc", "d"]);
        assert_eq!(loaded.table.column("x").unwrap(), &Column::numbers([1.0, f64::NAN]));
    }

    #[test]
    fn equal_and_empty_names_are_renamed_with_a_notice() {
        let loaded = read("a,a,,a_2, a\n1,2,3,4,5\n");
        assert_eq!(loaded.table.schema().names(), ["a", "a_3", "column_3", "a_2", "a_4"]);
        let notices: Vec<_> = loaded.notices().map(|(_, notice)| notice.to_string()).collect();
        assert_eq!(notices[0], "the header names `a` more than once: renamed `a_3`");
        assert_eq!(notices[1], "the header has no name here: named `column_3`");
    }

    #[test]
    fn few_rows_and_many_columns_are_read() {
        let empty = read("a,b\n");
        assert_eq!((empty.table.rows(), empty.table.width()), (0, 2));
        let one = read("a,b\n1,x");
        assert_eq!((one.table.rows(), one.table.column("b").unwrap().kind()), (1, Kind::Category));
        let line = (0..10_000).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        let wide = Csv::from_bytes(format!("{line}\n{line}\n")).header(false).read().unwrap();
        assert_eq!((wide.table.rows(), wide.table.width()), (2, 10_000));
        assert_eq!(wide.table.column("column_10000").unwrap(), &Column::numbers([9999.0, 9999.0]));
    }

    #[test]
    fn delimiters_are_found_or_given() {
        let loaded = read("a\tb\n\t1\nx y\t2\n");
        assert_eq!(loaded.table.column("a").unwrap(), &Column::categories([None, Some("x y")]));
        assert_eq!(loaded.notes, ["fields are separated by `tab`, found in the first line"]);
        let given = Csv::from_bytes("a:b\n1:2\n").delimiter(b':').read().unwrap();
        assert_eq!((given.table.width(), given.notes.len()), (2, 0));
        assert!(Csv::from_bytes("a\n1").delimiter(b'\n').read().unwrap_err().to_string().contains("`delimiter`"));
        let unquoted = Csv::from_bytes("a,b\n\"x,2\n").quote(None).read().unwrap();
        assert_eq!(unquoted.table.column("a").unwrap(), &Column::categories([Some("\"x")]));
    }

    #[test]
    fn what_is_asked_for_is_done_or_refused() {
        let csv = Csv::from_bytes("zip,x\n04109,-9\n00501,3\n");
        let loaded = csv.clone().missing(MissingTokens::new(["-9"])).kind("zip", Kind::Number).read().unwrap();
        assert_eq!(loaded.table.column("zip").unwrap(), &Column::numbers([4109.0, 501.0]));
        assert_eq!(loaded.table.column("x").unwrap(), &Column::numbers([f64::NAN, 3.0]));
        assert!(loaded.table.schema().field("x").unwrap().tokens.contains("-9"));
        let error = csv.clone().kind("x", Kind::Flag).read().unwrap_err();
        let expected = "column `x` › row 0: `-9` is not a flag; correct it or name it as a missing token";
        assert_eq!(error.to_string(), expected);
        let error = csv.kind("zipp", Kind::Text).read().unwrap_err();
        assert_eq!(error.to_string(), "there is no column `zipp`; did you mean `zip`?");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Csv::new("no/such.csv").read().unwrap_err();
        assert!(error.to_string().starts_with("`no/such.csv`: "), "{error}");
    }
}
