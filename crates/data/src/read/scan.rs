//! A pass over the text of a CSV file before it is parsed: where records and fields begin, and what is wrong.
//!
//! A file keeps to RFC 4180, or leaves it in a way that has one meaning (single `\r`, blank lines, blanks around
//! quotes, a quote inside an unquoted field): then it is written again in the plain form. Anything else is an
//! error with its line. So the parser behind it sees plain files only, and what a messy file means is decided here.
//! A file may come whole or piece by piece: a [`Scanner`] takes the whole records of each piece and says where they end.

use std::borrow::Cow;

use stagewise_core::error::{DataError, Result};

/// The delimiters that are looked for, in order of preference.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How fields are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
}

/// Whole records of a file that can be parsed.
#[derive(Debug, PartialEq)]
pub(super) struct Records<'a> {
    /// The records, without a header and in plain form.
    pub(super) body: Cow<'a, str>,
    /// How the body is written.
    pub(super) dialect: Dialect,
    /// How many records the body holds.
    pub(super) rows: usize,
    /// Where in the text the next record begins; not before all of the text if it is the last of the file.
    pub(super) end: usize,
}

/// A field: the bytes from `start` to `end`, without the quotes around it.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    quoted: bool,
}

/// The delimiter that stands most often in the first line that is not blank, outside of quotes, `None` if none does; and
/// whether that line ends in the text.
pub(super) fn detect(text: &str, quote: Option<u8>) -> (Option<u8>, bool) {
    let mut counts = [0_usize; DELIMITERS.len()];
    let (mut quoted, mut whole) = (false, false);
    for &byte in text.trim_start_matches(['\r', '\n', ' ']).as_bytes() {
        match byte {
            b if Some(b) == quote => quoted = !quoted,
            b'\n' | b'\r' if !quoted => {
                whole = true;
                break;
            }
            b if !quoted => {
                if let Some(place) = DELIMITERS.iter().position(|&d| d == b) {
                    counts[place] += 1;
                }
            }
            _ => {}
        }
    }
    let best = (0..DELIMITERS.len()).rev().max_by_key(|&i| counts[i]).filter(|&best| counts[best] > 0);
    (best.map(|best| DELIMITERS[best]), whole)
}

/// Reads the shape of a file and brings it into plain form. `O(bytes)`.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    dialect: Dialect,
    has_header: bool,
    /// The fields of the first record, if it is a header.
    header: Option<Vec<String>>,
    /// How many fields every record has.
    width: Option<usize>,
    /// The line on which the next record begins.
    line: usize,
    blank_lines: usize,
    /// Blank lines that are between records, or rows of a one-column file, if a record follows them.
    pending: usize,
}

/// What is found in one piece of text.
#[derive(Debug, Default)]
struct Piece {
    rows: usize,
    /// Where the records begin and end.
    begin: usize,
    end: usize,
    /// Whether blank lines stand before or among the records.
    blanks: bool,
}

impl Scanner {
    pub(super) fn new(dialect: Dialect, has_header: bool) -> Self {
        Self { dialect, has_header, header: None, width: None, line: 1, blank_lines: 0, pending: 0 }
    }

    /// The fields of the first record, if it is a header and was met.
    pub(super) fn header(&self) -> Option<&[String]> {
        self.header.as_deref()
    }

    /// How many fields every record has, once one was met.
    pub(super) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Blank lines between records that were left out so far.
    pub(super) fn blank_lines(&self) -> usize {
        self.blank_lines
    }

    /// The records of a text that begins with one and in which, unless it is the `last` of the file, the last record may
    /// be cut off.
    ///
    /// # Errors
    /// [`DataError::Malformed`]: a record with more or fewer fields than the first, a quote that is not closed, text
    /// after a closing quote.
    pub(super) fn records<'a>(&mut self, text: &'a str, last: bool) -> Result<Records<'a>> {
        let (dialect, first_line, waiting) = (self.dialect, self.line, self.pending);
        let mut piece = Piece { blanks: waiting > 0, ..Piece::default() };
        let visit = |line, spans: &[Span], next| self.record(&mut piece, text, line, spans, next);
        let walked = walk(text, dialect, first_line, last, visit)?;
        self.line = walked.line;
        let body = text.get(piece.begin..piece.end).unwrap_or_default();
        // The parser behind skips blanks at the start of its input.
        let plain = walked.plain && !piece.blanks && dialect.quote.is_none_or(|q| q == b'"');
        let (body, dialect) = if plain && !body.starts_with([' ', '\t']) {
            (Cow::Borrowed(body), dialect)
        } else {
            // Where no record follows, blank lines wait for the next piece.
            let rows = if piece.rows > 0 && self.width == Some(1) { waiting } else { 0 };
            let plain = rewritten(body, dialect, self.width.unwrap_or(0), rows)?;
            (Cow::Owned(plain), Dialect { delimiter: b',', quote: Some(b'"') })
        };
        Ok(Records { body, dialect, rows: piece.rows, end: walked.end })
    }

    fn record(&mut self, piece: &mut Piece, text: &str, line: usize, spans: &[Span], next: usize) -> Result<()> {
        let blank = is_blank(text, spans);
        let Some(width) = self.width else {
            if blank {
                self.blank_lines += 1;
                piece.begin = next;
                return Ok(());
            }
            self.width = Some(spans.len());
            if self.has_header {
                self.header =
                    Some(spans.iter().map(|&span| content(text, span, self.dialect.quote).into_owned()).collect());
                piece.begin = next;
            } else {
                piece.rows = 1;
                piece.end = next;
            }
            return Ok(());
        };
        if blank {
            self.pending += 1;
            return Ok(());
        }
        if spans.len() != width {
            let (expected, found) = (fields(width), fields(spans.len()));
            let first = if self.has_header { "the header" } else { "the first line" };
            let problem = format!("{first} has {expected}, this line {found}; quote a field that holds the delimiter");
            return Err(DataError::Malformed { line, problem }.into());
        }
        let pending = std::mem::take(&mut self.pending);
        piece.blanks |= pending > 0;
        piece.rows += 1;
        piece.end = next;
        if width == 1 {
            piece.rows += pending;
        } else {
            self.blank_lines += pending;
        }
        Ok(())
    }
}

/// A blank line in a file of one column: a missing value.
const BLANK_ROW: &str = "\"\"\n";

/// The records in plain form: delimited by commas, quoted where needed, every line ended by `\n`; before them `blank`
/// rows of one empty field.
fn rewritten(text: &str, dialect: Dialect, width: usize, blank: usize) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    (0..blank).for_each(|_| out.push_str(BLANK_ROW));
    walk(text, dialect, 1, true, |_, spans, _| {
        if is_blank(text, spans) {
            if width == 1 {
                out.push_str(BLANK_ROW);
            }
            return Ok(());
        }
        for (i, &span) in spans.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            let field = content(text, span, dialect.quote);
            if field.is_empty() || field.starts_with([' ', '\t']) || field.contains([',', '"', '\n', '\r']) {
                out.push('"');
                out.push_str(&field.replace('"', "\"\""));
                out.push('"');
            } else {
                out.push_str(&field);
            }
        }
        out.push('\n');
        Ok(())
    })?;
    Ok(out)
}

fn is_blank(text: &str, spans: &[Span]) -> bool {
    matches!(spans, [Span { start, end, quoted: false }] if text.get(*start..*end).is_some_and(|t| t.trim().is_empty()))
}

fn content(text: &str, span: Span, quote: Option<u8>) -> Cow<'_, str> {
    let raw = text.get(span.start..span.end).unwrap_or_default();
    match quote.map(char::from) {
        Some(quote) if span.quoted && raw.contains(quote) => {
            let mut twice = String::with_capacity(2);
            twice.extend([quote, quote]);
            Cow::Owned(raw.replace(&twice, &quote.to_string()))
        }
        _ => Cow::Borrowed(raw),
    }
}

fn fields(count: usize) -> String {
    if count == 1 { "1 field".into() } else { format!("{count} fields") }
}

/// How far a walk came.
struct Walked {
    /// Whether all records were plain.
    plain: bool,
    /// Where the first record begins that may be cut off, and its line.
    end: usize,
    line: usize,
}

/// Calls `visit` with the line, the fields and the end of every record. A record that reaches the end of the text is whole
/// only if it is the `last` of the file.
fn walk(
    text: &str,
    dialect: Dialect,
    mut line: usize,
    last: bool,
    mut visit: impl FnMut(usize, &[Span], usize) -> Result<()>,
) -> Result<Walked> {
    let bytes = text.as_bytes();
    let Dialect { delimiter, quote } = dialect;
    let mut stops = [false; 256];
    for byte in [delimiter, b'\n', b'\r'].into_iter().chain(quote) {
        stops[usize::from(byte)] = true;
    }
    let blanks = |from: usize| from + bytes[from..].iter().take_while(|&&b| b == b' ' && delimiter != b' ').count();
    let mut spans: Vec<Span> = Vec::new();
    let (mut at, mut plain) = (0, true);
    while at < bytes.len() {
        spans.clear();
        let cut = Walked { plain, end: at, line };
        let first_line = line;
        loop {
            let opening = blanks(at);
            if quote.is_some() && bytes.get(opening).copied() == quote {
                let (start, opened) = (opening + 1, line);
                let Some(end) = closing(bytes, start, quote.unwrap_or_default(), &mut line) else {
                    if !last {
                        return Ok(cut);
                    }
                    let problem = "a quote is opened here and never closed; close it, or turn quotes off".to_string();
                    return Err(DataError::Malformed { line: opened, problem }.into());
                };
                let after = blanks(end + 1);
                plain &= opening == at && after == end + 1;
                spans.push(Span { start, end, quoted: true });
                at = after;
                if let Some(&byte) = bytes.get(at).filter(|&&b| b != delimiter && b != b'\n' && b != b'\r') {
                    let next = text.get(at..).and_then(|t| t.chars().next()).unwrap_or(char::from(byte));
                    let problem = format!(
                        "after a closing quote comes `{next}`; double the quotes inside a quoted field, or turn \
                         quotes off"
                    );
                    return Err(DataError::Malformed { line, problem }.into());
                }
            } else {
                let start = at;
                loop {
                    at += bytes[at..].iter().position(|&b| stops[usize::from(b)]).unwrap_or(bytes.len() - at);
                    if bytes.get(at).is_none() || bytes.get(at).copied() != quote {
                        break;
                    }
                    plain = false;
                    at += 1;
                }
                spans.push(Span { start, end: at, quoted: false });
            }
            match bytes.get(at) {
                Some(&byte) if byte == delimiter => at += 1,
                // What follows may be the other half of one end of line.
                Some(b'\r') if !last && at + 1 == bytes.len() => return Ok(cut),
                Some(b'\r') => {
                    let pair = bytes.get(at + 1) == Some(&b'\n');
                    plain &= pair;
                    at += if pair { 2 } else { 1 };
                    line += 1;
                    break;
                }
                Some(_) => {
                    at += 1;
                    line += 1;
                    break;
                }
                None if !last => return Ok(cut),
                None => break,
            }
        }
        visit(first_line, &spans, at)?;
    }
    Ok(Walked { plain, end: at, line })
}

/// Where the quoted field that begins at `at` ends, if it does; counts the lines in it.
fn closing(bytes: &[u8], mut at: usize, quote: u8, line: &mut usize) -> Option<usize> {
    loop {
        at += bytes[at..].iter().position(|&b| b == quote || b == b'\n')?;
        if bytes[at] == b'\n' {
            *line += 1;
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: Some(b'"') };

    fn scan(text: &str, dialect: Dialect, has_header: bool) -> Result<(Scanner, Records<'_>)> {
        let mut scanner = Scanner::new(dialect, has_header);
        let records = scanner.records(text, true)?;
        Ok((scanner, records))
    }

    fn body(text: &str) -> String {
        scan(text, COMMA, true).unwrap().1.body.into_owned()
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        assert_eq!(scan(text, COMMA, true).unwrap_err().to_string(), message);
    }

    #[test]
    fn plain_files_are_borrowed_as_they_are() {
        let text = "a,b\r\n\"x\n\"\"y\"\"\",2\r\n3,\r\n";
        let (scanner, found) = scan(text, COMMA, true).unwrap();
        assert!(matches!(found.body, Cow::Borrowed(_)));
        assert_eq!(
            (scanner.width(), found.rows, scanner.header().unwrap()),
            (Some(2), 2, &["a".into(), "b".into()][..])
        );
        assert!(matches!(scan("a,b\n1,2\n\n \n", COMMA, true).unwrap().1.body, Cow::Borrowed("1,2\n")));
    }

    #[test]
    fn messy_files_with_one_meaning_become_plain() {
        assert_eq!(body("a,b\r1,2\r3,4"), "1,2\n3,4\n");
        assert_eq!(body("\n a,b\n\n1,2\n \n3,4\n\n"), "1,2\n3,4\n");
        assert_eq!(body("a,b\n1, \"x, y\" \n"), "1,\"x, y\"\n");
        assert_eq!(body("a,b\n5\" pipe,2\n"), "\"5\"\" pipe\",2\n");
        assert_eq!(body("a\nx\n\ny\n\n\n"), "x\n\"\"\ny\n");
        assert_eq!(scan("a,b\n\n1,2\n\n", COMMA, true).unwrap().0.blank_lines(), 1);
        let single = Dialect { delimiter: b';', quote: Some(b'\'') };
        assert_eq!(scan("'it''s; \"so\"';2", single, false).unwrap().1.body, "\"it's; \"\"so\"\"\",2\n");
    }

    #[test]
    fn what_has_no_one_meaning_is_refused_with_its_line() {
        let remedy = "quote a field that holds the delimiter";
        refused("a,b\n1,2\n1,2,3\n", &format!("line 3: the header has 2 fields, this line 3 fields; {remedy}"));
        refused("a,b\n\"x\ny\",2\n1\n", &format!("line 4: the header has 2 fields, this line 1 field; {remedy}"));
        refused("a,b\n1,\"2\n3,4\n", "line 2: a quote is opened here and never closed; close it, or turn quotes off");
        refused(
            "a,b\n\"x\"y,2\n",
            "line 2: after a closing quote comes `y`; double the quotes inside a quoted field, or turn quotes off",
        );
    }

    #[test]
    fn the_delimiter_is_the_most_frequent_in_the_first_line() {
        for (text, delimiter, whole) in [
            ("a;b;c\n1,5;2;3", Some(b';'), true),
            ("a\tb", Some(b'\t'), false),
            ("\n\"x;y;z\",b\n", Some(b','), true),
            ("a|b;c", Some(b';'), false),
            ("alone\n1,2\n", None, true),
        ] {
            assert_eq!(detect(text, Some(b'"')), (delimiter, whole), "{text}");
        }
    }

    /// Every record in the plain form that all of them have, rows, header and blank lines; or the error.
    fn in_pieces(text: &str, size: usize, has_header: bool) -> Result<(String, usize, Option<Vec<String>>, usize)> {
        let mut scanner = Scanner::new(COMMA, has_header);
        let (mut out, mut rows, mut from, mut to) = (String::new(), 0, 0, 0);
        while from < text.len() {
            to = (to + size).min(text.len());
            while !text.is_char_boundary(to) {
                to += 1;
            }
            let found = scanner.records(&text[from..to], to == text.len())?;
            out.push_str(&rewritten(&found.body, found.dialect, scanner.width().unwrap_or(0), 0)?);
            rows += found.rows;
            from += found.end;
        }
        Ok((out, rows, scanner.header().map(<[String]>::to_vec), scanner.blank_lines()))
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same(text in "[ab,\"\n\r é]{0,40}", size in 1_usize..12, has_header: bool) {
            let whole = in_pieces(&text, 100, has_header);
            let pieces = in_pieces(&text, size, has_header);
            match (whole, pieces) {
                (Ok(whole), Ok(pieces)) => prop_assert_eq!(whole, pieces),
                (whole, pieces) => prop_assert_eq!(whole.unwrap_err().to_string(), pieces.unwrap_err().to_string()),
            }
        }
    }
}
