//! JSON with one object per line: numbers are numbers, flags are flags, text is decided by the rules.
//!
//! A column is the union over all lines, not over the first ones; a key that a line lacks is missing there. Numbers
//! and text in one column are read as text, by the same rules, so that no value is dropped for its type.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use stagewise_core::column::Column;
use stagewise_core::error::{DataError, Result};
use stagewise_core::schema::{Kind, MissingTokens};
use stagewise_core::target::number_text;

use super::many::{each, together};
use super::{Origin, encoding};
use crate::kind::{BEYOND_EXACT, is_beyond_exact};
use crate::loaded::{Loaded, Source, Values, Wishes, decide, wishes_setters};

/// Reads a file with one JSON object per line.
///
/// Columns come in the order in which they first appear. `null` and an absent key are missing; blank lines are left
/// out. A column that holds a list or an object anywhere is left out of the table, with a decision. `O(bytes)`.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_data::Ndjson;
///
/// let loaded = Ndjson::from_bytes("{\"x\": 1.5}\n{\"x\": null, \"ok\": true}\n").read()?;
/// assert_eq!(loaded.table.column("x")?, &Column::numbers([1.5, f64::NAN]));
/// assert_eq!(loaded.table.column("ok")?, &Column::flags([None, Some(true)]));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Ndjson {
    origin: Origin,
    wishes: Wishes,
}

impl Ndjson {
    /// The file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { origin: Origin::File(path.into()), wishes: Wishes::default() }
    }

    /// These bytes.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self { origin: Origin::Bytes(bytes.as_ref().into()), wishes: Wishes::default() }
    }

    wishes_setters!("", "values look like");

    /// Reads the file.
    ///
    /// # Errors
    /// [`DataError::Malformed`] for a line that is no JSON object or names a key twice, [`DataError::Unparsable`] for
    /// a value that is not of the kind asked for, a file that cannot be read.
    pub fn read(&self) -> Result<Loaded> {
        self.origin.with(|bytes| {
            let (columns, rows) = columns(encoding::text(bytes)?)?;
            with_sources(&columns, |sources| decide(sources, rows, &self.wishes, Vec::new()))
        })
    }

    /// Reads every file that the path names as a pattern, as one table; see [`Csv::read_all`](crate::Csv::read_all).
    ///
    /// As in one file, a column is the union over all lines: a key that a whole file lacks is missing there.
    ///
    /// # Errors
    /// As [`read`](Self::read), with the file; [`DataError::Malformed`] for files whose folders do not agree; a pattern
    /// that no file matches.
    pub fn read_all(&self) -> Result<Loaded> {
        let (found, parts) = each(&self.origin, |bytes| columns(encoding::text(bytes)?))?;
        let rows: Vec<usize> = parts.iter().map(|(_, rows)| *rows).collect();
        let columns = union(parts);
        with_sources(&columns, |sources| together(found, &rows, sources, &self.wishes, Vec::new()))
    }
}

/// The columns of all files below each other, in order of appearance.
fn union(parts: Vec<(Columns, usize)>) -> Columns {
    let mut all: Columns = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut total = 0;
    for (columns, rows) in parts {
        for (name, cells) in columns {
            let place = *places.entry(name.clone()).or_insert(all.len());
            if place == all.len() {
                all.push((name, Vec::new()));
            }
            if let Some((_, below)) = all.get_mut(place) {
                below.resize(total, Value::Null);
                below.extend(cells);
            }
        }
        total += rows;
    }
    all.iter_mut().for_each(|(_, cells)| cells.resize(total, Value::Null));
    all
}

fn with_sources(columns: &Columns, then: impl FnOnce(Vec<Source<'_>>) -> Result<Loaded>) -> Result<Loaded> {
    let texts: Vec<Option<Vec<Option<String>>>> = columns.iter().map(|(_, c)| as_texts(c)).collect();
    let sources = columns.iter().zip(&texts).map(|((name, cells), texts)| source(name, cells, texts.as_deref()));
    then(sources.collect())
}

/// One object, its keys in order.
struct Line(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Line;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("one object per line")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Line(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

type Columns = Vec<(String, Vec<Value>)>;

/// The columns in order of appearance, all of the same length.
fn columns(text: &str) -> Result<(Columns, usize)> {
    let mut columns: Columns = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut rows = 0;
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let malformed = |problem: String| DataError::Malformed { line: i + 1, problem };
        let Line(entries) = serde_json::from_str(line).map_err(|e| malformed(format!("no JSON object: {e}")))?;
        for (key, value) in entries {
            let place = *places.entry(key.clone()).or_insert(columns.len());
            if place == columns.len() {
                columns.push((key, Vec::new()));
            }
            let cells = &mut columns[place].1;
            if cells.len() > rows {
                return Err(malformed(format!("the key `{}` comes twice", columns[place].0)).into());
            }
            cells.resize(rows, Value::Null);
            cells.push(value);
        }
        rows += 1;
    }
    columns.iter_mut().for_each(|(_, cells)| cells.resize(rows, Value::Null));
    Ok((columns, rows))
}

/// The values as text, if the column holds text and nothing that has none.
fn as_texts(cells: &[Value]) -> Option<Vec<Option<String>>> {
    let texts = cells.iter().any(Value::is_string);
    let mixed = cells.iter().any(Value::is_number) && cells.iter().any(Value::is_boolean);
    if !(texts || mixed) || cells.iter().any(|c| c.is_array() || c.is_object()) {
        return None;
    }
    let text = |cell: &Value| match cell {
        Value::String(text) => Some(text.clone()),
        Value::Number(x) => Some(x.as_f64().map_or_else(|| x.to_string(), number_text)),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    };
    Some(cells.iter().map(text).collect())
}

fn source<'a>(name: &str, cells: &[Value], texts: Option<&'a [Option<String>]>) -> Source<'a> {
    let of = |values, notice| Source { name: name.to_string(), values, notice };
    if let Some(texts) = texts {
        let mixed = cells.iter().any(|c| !c.is_string() && !c.is_null());
        let notice = mixed.then(|| "holds values of several types: all were read as text first".into());
        return of(Values::Texts(texts.iter().map(Option::as_deref).collect()), notice);
    }
    if cells.iter().any(Value::is_array) {
        return of(Values::Foreign("lists".into()), None);
    }
    if cells.iter().any(Value::is_object) {
        return of(Values::Foreign("objects".into()), None);
    }
    if cells.iter().any(Value::is_boolean) {
        return of(Values::Typed(Column::flags(cells.iter().map(Value::as_bool).collect::<Vec<_>>())), None);
    }
    let numbers: Vec<f64> = cells.iter().map(|c| c.as_f64().unwrap_or(f64::NAN)).collect();
    let size = |c: &Value| c.as_u64().or_else(|| c.as_i64().map(i64::unsigned_abs));
    let rounded = cells.iter().any(|c| size(c).is_some_and(is_beyond_exact));
    of(Values::Typed(Column::numbers(numbers)), rounded.then(|| BEYOND_EXACT.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Loaded> {
        Ndjson::from_bytes(text).read()
    }

    #[test]
    fn whole_numbers_are_noticed_from_the_first_that_is_not_exact() {
        for (value, noticed) in [
            ("9007199254740992", false),
            ("9007199254740993", true),
            ("-9007199254740993", true),
            ("18446744073709551615", true),
            ("9007199254740993.5", false),
        ] {
            let loaded = read(&format!("{{\"x\": {value}}}\n{{\"x\": 1}}\n")).unwrap();
            assert_eq!(loaded.notices().any(|notice| notice == ("x", BEYOND_EXACT)), noticed, "{value}");
        }
    }

    #[test]
    fn a_type_that_changes_late_loses_no_value() {
        let mut text = "{\"x\": 1}\n".repeat(500);
        text += "{\"x\": \"abc\"}\n{\"x\": 2.5, \"late\": \"y\"}\n";
        let loaded = read(&text).unwrap();
        let x = loaded.table.column("x").unwrap();
        assert_eq!((x.kind(), x.missing_count(), loaded.table.rows()), (Kind::Number, 1, 502));
        assert!(loaded.decision("x").unwrap().notice.as_ref().unwrap().contains("`abc` (1 row)"));
        assert_eq!(loaded.table.column("late").unwrap().missing_count(), 501);
    }

    #[test]
    fn columns_keep_their_order_and_nested_ones_are_left_out() {
        let loaded = read("{\"z\": 1, \"tags\": [1]}\n\n{\"a\": true, \"z\": 2, \"o\": {}}\n").unwrap();
        assert_eq!(loaded.table.schema().names(), ["z", "a"]);
        let decision = loaded.decision("tags").unwrap();
        assert_eq!(
            (decision.kept, decision.why.as_str()),
            (false, "holds lists, which no kind of column takes: left out")
        );
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_line() {
        let refused = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(refused("{\"a\": 1, \"a\": 2}"), "line 1: the key `a` comes twice");
        assert!(refused("{\"a\": 1}\n[1]\n").starts_with("line 2: no JSON object: "));
        assert!(refused("{\"a\": 1}\n{\"a\": \n").starts_with("line 2: no JSON object: "));
        assert!(read("").is_err());
    }
}
