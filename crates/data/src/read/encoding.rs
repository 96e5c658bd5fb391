//! Whether bytes are text in UTF-8, and if not, what they are and what to do.
//!
//! A wrong encoding is named, not guessed away: read as another one, text would be silently wrong.

use stagewise_core::error::{DataError, Error, Result};

const TO_UTF8: &str = "save the file as UTF-8";

/// The text of a file, without the byte order mark that may begin it.
///
/// # Errors
/// [`DataError::Malformed`] with line, byte and remedy: an empty file, a compressed one, another encoding, NUL bytes.
pub(crate) fn text(bytes: &[u8]) -> Result<&str> {
    let place = begin(bytes)?;
    let bytes = &bytes[place.byte..];
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(empty());
    }
    part(bytes, place, true)
}

/// How much of a file lies before some part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) byte: usize,
    /// The line that the part begins on.
    pub(super) line: usize,
}

impl Place {
    /// The place after these bytes.
    pub(super) fn after(self, bytes: &[u8]) -> Self {
        Self { byte: self.byte + bytes.len(), line: self.line - 1 + line_of(bytes, bytes.len()) }
    }
}

/// Where the text of a file begins: behind the byte order mark, if there is one.
///
/// # Errors
/// [`DataError::Malformed`] for a file that is no text by its first bytes.
pub(super) fn begin(bytes: &[u8]) -> Result<Place> {
    match by_first_bytes(bytes) {
        Some(problem) => Err(DataError::Malformed { line: 1, problem }.into()),
        None => Ok(Place { byte: if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 }, line: 1 }),
    }
}

/// The error of a file without text.
pub(super) fn empty() -> Error {
    let problem = "the file is empty; it needs a header line and rows".to_string();
    DataError::Malformed { line: 1, problem }.into()
}

/// The text of the part of a file that begins at `place`; unless it is the `last`, without a character that is cut off.
///
/// # Errors
/// [`DataError::Malformed`] with line, byte and remedy: another encoding, NUL bytes.
pub(super) fn part(bytes: &[u8], place: Place, last: bool) -> Result<&str> {
    let line = |at: usize| place.after(&bytes[..at]).line;
    if let Some(at) = bytes.iter().position(|&b| b == 0) {
        let problem = format!("byte {} is NUL: {}", place.byte + at, by_nul(bytes));
        return Err(DataError::Malformed { line: line(at), problem }.into());
    }
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let at = error.valid_up_to();
    if !last && error.error_len().is_none() {
        return Ok(std::str::from_utf8(&bytes[..at]).unwrap_or_default());
    }
    let byte = bytes.get(at).copied().unwrap_or_default();
    let binary = bytes.iter().take(1 << 16).any(|b| matches!(b, 0x01..=0x08 | 0x0E..=0x1A | 0x7F));
    let remedy = if binary {
        "this is no text file".to_string()
    } else {
        format!("the file looks like Latin-1 or Windows-1252; {TO_UTF8}")
    };
    let problem = format!("byte {} (0x{byte:02X}) is not UTF-8: {remedy}", place.byte + at);
    Err(DataError::Malformed { line: line(at), problem }.into())
}

/// What a file is by its first bytes, if it is no text.
fn by_first_bytes(bytes: &[u8]) -> Option<String> {
    let known: [(&[u8], String); 10] = [
        (b"\xFF\xFE", format!("the file is in UTF-16 (little endian); {TO_UTF8}")),
        (b"\xFE\xFF", format!("the file is in UTF-16 (big endian); {TO_UTF8}")),
        (b"\x1F\x8B", "the file is compressed with gzip; unpack it first".into()),
        (b"\x28\xB5\x2F\xFD", "the file is compressed with zstd; unpack it first".into()),
        (b"BZh", "the file is compressed with bzip2; unpack it first".into()),
        (
            b"PK\x03\x04",
            "the file is a zip archive or a spreadsheet (xlsx); unpack it, or save the sheet as CSV".into(),
        ),
        (b"\xD0\xCF\x11\xE0", "the file is an old spreadsheet (xls); save the sheet as CSV".into()),
        (b"PAR1", "the file is Parquet; read it with `Parquet`".into()),
        (b"ARROW1\0\0", "the file is Arrow; read it with `Ipc`".into()),
        (
            b"SQLite format 3\0",
            "the file is a SQLite database; query it with `Sqlite` (feature `sqlite`), or export the table as CSV"
                .into(),
        ),
    ];
    // `BZh` may begin a text; bzip2 goes on with a digit and a fixed number.
    let bzip2 = |magic: &[u8]| magic != b"BZh" || bytes.get(4..7) == Some(b"1AY");
    known.into_iter().find(|(magic, _)| bytes.starts_with(magic) && bzip2(magic)).map(|(_, what)| what)
}

/// What NUL bytes mean: every other one in UTF-16 without a mark, any in binary files.
fn by_nul(bytes: &[u8]) -> String {
    let sample = &bytes[..bytes.len().min(1000)];
    let nul = sample.iter().filter(|&&b| b == 0).count();
    if 3 * nul >= sample.len() {
        format!("the file looks like UTF-16; {TO_UTF8}")
    } else {
        "the file is damaged or no text file; remove such bytes".into()
    }
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes.iter().take(at).filter(|&&b| b == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(bytes: &[u8], message: &str) {
        assert_eq!(text(bytes).unwrap_err().to_string(), message);
    }

    #[test]
    fn what_is_no_utf8_is_named_with_its_place_and_a_remedy() {
        refused(b"", "line 1: the file is empty; it needs a header line and rows");
        refused(b"\xEF\xBB\xBF \r\n\n", "line 1: the file is empty; it needs a header line and rows");
        refused(
            b"a,b\nM\xFCller,1\n",
            "line 2: byte 5 (0xFC) is not UTF-8: the file looks like Latin-1 or Windows-1252; save the file as UTF-8",
        );
        refused(
            b"a,b\n1,2\n3,\x00\n",
            "line 3: byte 10 is NUL: the file is damaged or no text file; remove such bytes",
        );
        refused(b"a\0,\0b\0\n\0", "line 1: byte 1 is NUL: the file looks like UTF-16; save the file as UTF-8");
        refused(b"\xFF\xFEa\0", "line 1: the file is in UTF-16 (little endian); save the file as UTF-8");
        refused(b"\xFE\xFF\0a", "line 1: the file is in UTF-16 (big endian); save the file as UTF-8");
        refused(b"\x1F\x8B\x08\0", "line 1: the file is compressed with gzip; unpack it first");
        refused(b"\x89\x01\x02junk", "line 1: byte 0 (0x89) is not UTF-8: this is no text file");
        refused(b"PAR1xxxx", "line 1: the file is Parquet; read it with `Parquet`");
    }

    #[test]
    fn text_loses_its_mark_and_nothing_else() {
        assert_eq!(text("\u{feff}ä,b\n1".as_bytes()).unwrap(), "ä,b\n1");
        assert_eq!(text(b"BZh,a\n").unwrap(), "BZh,a\n");
    }
}
