//! One pass over the text of a CSV file before it is parsed: where records and fields begin, and what is wrong.
//!
//! A file keeps to RFC 4180, or leaves it in a way that has one meaning (single `\r`, blank lines, blanks around
//! quotes, a quote inside an unquoted field): then it is written again in the plain form. Anything else is an
//! error with its line. So the parser behind it sees plain files only, and what a messy file means is decided here.

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

/// A file that can be parsed.
#[derive(Debug, PartialEq)]
pub(super) struct Scan<'a> {
    /// The fields of the first record, if it is a header.
    pub(super) header: Option<Vec<String>>,
    /// How many fields every record has.
    pub(super) width: usize,
    /// How many records follow the header.
    pub(super) rows: usize,
    /// The records after the header, in plain form.
    pub(super) body: Cow<'a, str>,
    /// How the body is written.
    pub(super) dialect: Dialect,
    /// Blank lines between records that were left out.
    pub(super) blank_lines: usize,
}

/// A field: the bytes from `start` to `end`, without the quotes around it.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    quoted: bool,
}

/// The delimiter that stands most often in the first line that is not blank, outside of quotes; `None` if none does.
pub(super) fn detect(text: &str, quote: Option<u8>) -> Option<u8> {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for &byte in text.trim_start_matches(['\r', '\n', ' ']).as_bytes() {
        match byte {
            b if Some(b) == quote => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            b if !quoted => {
                if let Some(place) = DELIMITERS.iter().position(|&d| d == b) {
                    counts[place] += 1;
                }
            }
            _ => {}
        }
    }
    let best = (0..DELIMITERS.len()).rev().max_by_key(|&i| counts[i])?;
    (counts[best] > 0).then_some(DELIMITERS[best])
}

/// Reads the shape of a file and brings it into plain form. `O(bytes)`.
///
/// # Errors
/// [`DataError::Malformed`]: a record with more or fewer fields than the first, a quote that is not closed, text after
/// a closing quote.
pub(super) fn scan(text: &str, dialect: Dialect, has_header: bool) -> Result<Scan<'_>> {
    let mut shape = Shape { has_header, ..Shape::default() };
    let mut plain = walk(text, dialect, |line, spans, next| shape.record(text, dialect, line, spans, next))?;
    plain &= shape.blank_lines == 0 && shape.pending == 0 && dialect.quote.is_none_or(|q| q == b'"');
    let body = text.get(shape.body..).unwrap_or_default();
    // The parser behind skips blanks at the start of its input.
    plain &= !body.starts_with([' ', '\t']);
    let width = shape.width.unwrap_or(0);
    let (body, dialect) = if plain {
        (Cow::Borrowed(body), dialect)
    } else {
        (
            Cow::Owned(rewritten(text, dialect, width, shape.rows, has_header)?),
            Dialect { delimiter: b',', quote: Some(b'"') },
        )
    };
    Ok(Scan { header: shape.header, width, rows: shape.rows, body, dialect, blank_lines: shape.blank_lines })
}

/// What is counted on the way.
#[derive(Debug, Default)]
struct Shape {
    has_header: bool,
    header: Option<Vec<String>>,
    width: Option<usize>,
    rows: usize,
    body: usize,
    blank_lines: usize,
    /// Blank lines that are rows of a one-column file, if a record follows them.
    pending: usize,
}

impl Shape {
    fn record(&mut self, text: &str, dialect: Dialect, line: usize, spans: &[Span], next: usize) -> Result<()> {
        let blank = is_blank(text, spans);
        let Some(width) = self.width else {
            if blank {
                self.blank_lines += 1;
                return Ok(());
            }
            self.width = Some(spans.len());
            if self.has_header {
                self.header = Some(spans.iter().map(|&span| content(text, span, dialect.quote).into_owned()).collect());
                self.body = next;
            } else {
                self.rows = 1;
            }
            return Ok(());
        };
        if blank {
            if width == 1 {
                self.pending += 1;
            } else if !text.get(next..).unwrap_or_default().trim().is_empty() {
                self.blank_lines += 1;
            }
            return Ok(());
        }
        if spans.len() != width {
            let (expected, found) = (fields(width), fields(spans.len()));
            let first = if self.has_header { "the header" } else { "the first line" };
            let problem = format!("{first} has {expected}, this line {found}; quote a field that holds the delimiter");
            return Err(DataError::Malformed { line, problem }.into());
        }
        self.rows += 1 + std::mem::take(&mut self.pending);
        Ok(())
    }
}

/// The records in plain form: delimited by commas, quoted where needed, every line ended by `\n`.
fn rewritten(text: &str, dialect: Dialect, width: usize, rows: usize, has_header: bool) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let (mut begun, mut written) = (false, 0);
    walk(text, dialect, |_, spans, _| {
        let blank = is_blank(text, spans);
        let header = !begun && has_header;
        if blank && (!begun || width > 1 || written == rows) {
            return Ok(());
        }
        begun = true;
        if header {
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
        written += 1;
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

/// Calls `visit` with the line, the fields and the end of every record; says whether all records were plain.
fn walk(text: &str, dialect: Dialect, mut visit: impl FnMut(usize, &[Span], usize) -> Result<()>) -> Result<bool> {
    let bytes = text.as_bytes();
    let Dialect { delimiter, quote } = dialect;
    let mut stops = [false; 256];
    for byte in [delimiter, b'\n', b'\r'].into_iter().chain(quote) {
        stops[usize::from(byte)] = true;
    }
    let blanks = |from: usize| from + bytes[from..].iter().take_while(|&&b| b == b' ' && delimiter != b' ').count();
    let mut spans: Vec<Span> = Vec::new();
    let (mut at, mut line, mut plain) = (0, 1, true);
    while at < bytes.len() {
        spans.clear();
        let first_line = line;
        loop {
            let opening = blanks(at);
            if quote.is_some() && bytes.get(opening).copied() == quote {
                let start = opening + 1;
                let end = closing(bytes, start, quote.unwrap_or_default(), &mut line)?;
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
                None => break,
            }
        }
        visit(first_line, &spans, at)?;
    }
    Ok(plain)
}

/// Where the quoted field that begins at `at` ends; counts the lines in it.
fn closing(bytes: &[u8], mut at: usize, quote: u8, line: &mut usize) -> Result<usize> {
    let opened = *line;
    loop {
        match bytes[at..].iter().position(|&b| b == quote || b == b'\n') {
            None => {
                let problem = "a quote is opened here and never closed; close it, or turn quotes off".to_string();
                return Err(DataError::Malformed { line: opened, problem }.into());
            }
            Some(step) => at += step,
        }
        if bytes[at] == b'\n' {
            *line += 1;
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Ok(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: Some(b'"') };

    fn body(text: &str) -> String {
        scan(text, COMMA, true).unwrap().body.into_owned()
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        assert_eq!(scan(text, COMMA, true).unwrap_err().to_string(), message);
    }

    #[test]
    fn plain_files_are_borrowed_as_they_are() {
        let text = "a,b\r\n\"x\n\"\"y\"\"\",2\r\n3,\r\n";
        let found = scan(text, COMMA, true).unwrap();
        assert!(matches!(found.body, Cow::Borrowed(_)));
        assert_eq!((found.width, found.rows, found.header), (2, 2, Some(vec!["a".into(), "b".into()])));
    }

    #[test]
    fn messy_files_with_one_meaning_become_plain() {
        assert_eq!(body("a,b\r1,2\r3,4"), "1,2\n3,4\n");
        assert_eq!(body("\n a,b\n\n1,2\n \n3,4\n\n"), "1,2\n3,4\n");
        assert_eq!(body("a,b\n1, \"x, y\" \n"), "1,\"x, y\"\n");
        assert_eq!(body("a,b\n5\" pipe,2\n"), "\"5\"\" pipe\",2\n");
        assert_eq!(body("a\nx\n\ny\n\n\n"), "x\n\"\"\ny\n");
        assert_eq!(scan("a,b\n\n1,2\n\n", COMMA, true).unwrap().blank_lines, 1);
        let single = Dialect { delimiter: b';', quote: Some(b'\'') };
        assert_eq!(scan("'it''s; \"so\"';2", single, false).unwrap().body, "\"it's; \"\"so\"\"\",2\n");
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
        for (text, delimiter) in [
            ("a;b;c\n1,5;2;3", Some(b';')),
            ("a\tb", Some(b'\t')),
            ("\n\"x;y;z\",b\n", Some(b',')),
            ("a|b;c", Some(b';')),
            ("alone\n1,2\n", None),
        ] {
            assert_eq!(detect(text, Some(b'"')), delimiter, "{text}");
        }
    }
}
