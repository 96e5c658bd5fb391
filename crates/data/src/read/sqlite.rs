//! A query to a SQLite database: what it answers becomes a table.
//!
//! SQLite types values, not columns, so what a column holds is looked at row by row; what it was declared as only
//! says what whole numbers and texts stand for.

use std::path::PathBuf;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::{At, Crumb, DataError, Error, Result};
use stagewise_core::record::parse;
use stagewise_core::schema::{Kind, MissingTokens};
use stagewise_core::target::number_text;

use crate::kind::is_beyond_exact;
use crate::loaded::{Loaded, Source, Values, Wishes, decide, wishes_setters};

/// Reads what a query answers from a SQLite database, which is opened for reading only.
///
/// | values | column |
/// |---|---|
/// | integers, reals | number; flag if declared as boolean and all are 0 or 1 |
/// | text | timestamp if declared as a date or time and all parse; else decided by the rules |
/// | numbers and text | read as text first, with a notice |
/// | blobs | left out, with a decision |
///
/// `NULL` is missing. `O(cells)`, all rows in memory at once.
///
/// ```
/// use stagewise_data::Sqlite;
///
/// let error = Sqlite::new("no/such.db", "SELECT 1").read().unwrap_err();
/// assert!(error.to_string().starts_with("the database `no/such.db` refuses: unable to open database file"));
/// ```
#[derive(Debug, Clone)]
pub struct Sqlite {
    path: PathBuf,
    query: String,
    wishes: Wishes,
}

impl Sqlite {
    /// What `query` answers from the database in the file at `path`.
    pub fn new(path: impl Into<PathBuf>, query: impl Into<String>) -> Self {
        Self { path: path.into(), query: query.into(), wishes: Wishes::default() }
    }

    wishes_setters!(" in text columns", "values look like");

    /// Asks the database.
    ///
    /// # Errors
    /// [`DataError::Query`] for a file that is no database, a query that is wrong or would write,
    /// [`DataError::Unparsable`] with column and row for text that is not UTF-8 or a value that is not of the kind asked
    /// for, [`DuplicateColumn`](stagewise_core::error::SchemaError::DuplicateColumn) for two equal names in the answer.
    pub fn read(&self) -> Result<Loaded> {
        let database = self.path.display().to_string();
        let refused =
            |e: rusqlite::Error| Error::from(DataError::Query { database: database.clone(), problem: e.to_string() });
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(refused)?;
        let mut statement = connection.prepare(&self.query).map_err(refused)?;
        let mut answers: Vec<Answer> = statement
            .columns()
            .map(|column| Answer::new(column.name(), column.decl_type().unwrap_or_default()))
            .collect();
        let mut rows = statement.query([]).map_err(refused)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(refused)? {
            for (i, answer) in answers.iter_mut().enumerate() {
                let value = row.get_ref(i).map_err(refused)?;
                answer.push(value).at(|| Crumb::Row(count)).at(|| Crumb::column(answer.name.as_str()))?;
            }
            count += 1;
        }
        let texts: Vec<Option<Vec<Option<String>>>> = answers.iter().map(Answer::texts).collect();
        let sources = answers.iter().zip(&texts).map(|(answer, texts)| answer.source(texts.as_deref())).collect();
        decide(sources, count, &self.wishes, Vec::new())
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
    Blob,
}

/// A column of the answer.
#[derive(Debug)]
struct Answer {
    name: String,
    declared: String,
    values: Vec<Value>,
}

impl Answer {
    fn new(name: &str, declared: &str) -> Self {
        Self { name: name.to_string(), declared: declared.to_ascii_uppercase(), values: Vec::new() }
    }

    fn push(&mut self, value: ValueRef<'_>) -> Result<()> {
        self.values.push(match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(x) => Value::Whole(x),
            ValueRef::Real(x) => Value::Real(x),
            ValueRef::Text(bytes) => Value::Text(match std::str::from_utf8(bytes) {
                Ok(text) => text.to_string(),
                Err(_) => {
                    let value = String::from_utf8_lossy(bytes).into_owned();
                    return Err(DataError::Unparsable { value, expected: Kind::Text }.into());
                }
            }),
            ValueRef::Blob(_) => Value::Blob,
        });
        Ok(())
    }

    fn any(&self, is: impl Fn(&Value) -> bool) -> bool {
        self.values.iter().any(is)
    }

    /// The values as text, if text is among them.
    fn texts(&self) -> Option<Vec<Option<String>>> {
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            Value::Whole(x) => Some(x.to_string()),
            Value::Real(x) => Some(number_text(*x)),
            Value::Null | Value::Blob => None,
        };
        self.any(|v| matches!(v, Value::Text(_))).then(|| self.values.iter().map(text).collect())
    }

    fn source<'a>(&self, texts: Option<&'a [Option<String>]>) -> Source<'a> {
        let (values, notice) = if self.any(|v| *v == Value::Blob) {
            (Values::Foreign("bytes".into()), None)
        } else if let Some(texts) = texts {
            let mixed = self.any(|v| matches!(v, Value::Whole(_) | Value::Real(_)));
            let notice = mixed.then(|| "holds values of several types: all were read as text first".to_string());
            match self.timestamps() {
                Some(times) => (Values::Typed(Column::timestamps(times)), None),
                None => (Values::Texts(texts.iter().map(Option::as_deref).collect()), notice),
            }
        } else if let Some(flags) = self.flags() {
            (Values::Typed(Column::flags(flags)), None)
        } else {
            let number = |value: &Value| match value {
                Value::Whole(x) => *x as f64,
                Value::Real(x) => *x,
                _ => f64::NAN,
            };
            let numbers: Vec<f64> = self.values.iter().map(number).collect();
            let large = self.any(|v| matches!(v, Value::Whole(x) if is_beyond_exact(x.unsigned_abs())));
            let notice = "holds whole numbers too large to be exact: cast them to text if they are names";
            (Values::Typed(Column::numbers(numbers)), large.then(|| notice.to_string()))
        };
        Source { name: self.name.clone(), values, notice }
    }

    fn flags(&self) -> Option<Vec<Option<bool>>> {
        let flag = |value: &Value| match value {
            Value::Null => Some(None),
            Value::Whole(0) => Some(Some(false)),
            Value::Whole(1) => Some(Some(true)),
            _ => None,
        };
        if self.declared.contains("BOOL") { self.values.iter().map(flag).collect() } else { None }
    }

    fn timestamps(&self) -> Option<Vec<i64>> {
        let time = |value: &Value| match value {
            Value::Null => Some(MISSING_TIME),
            Value::Text(text) => parse::timestamp(text),
            _ => None,
        };
        let declared = self.declared.contains("DATE") || self.declared.contains("TIME");
        if declared { self.values.iter().map(time).collect() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database made by these statements, in a file of its own.
    fn database(name: &str, statements: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("stagewise-{name}-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Connection::open(&path).unwrap().execute_batch(statements).unwrap();
        path
    }

    #[test]
    fn types_and_missing_values_are_kept() {
        let path = database(
            "types",
            "CREATE TABLE t (n INTEGER, r REAL, ok BOOLEAN, at TIMESTAMP, plan TEXT, raw BLOB, mixed, big INTEGER);
             INSERT INTO t VALUES (1, 0.1, 1, '2024-02-29 12:00:00', 'pro', x'00', 5, 9007199254740993);
             INSERT INTO t VALUES (NULL, NULL, NULL, NULL, NULL, NULL, 'five', NULL);
             INSERT INTO t VALUES (-3, 9e999, 0, '1970-01-02', 'basic', NULL, NULL, 1);",
        );
        let loaded = Sqlite::new(&path, "SELECT * FROM t").read().unwrap();
        let column = |name: &str| loaded.table.column(name).unwrap();
        assert_eq!(loaded.table.schema().names(), ["n", "r", "ok", "at", "plan", "mixed", "big"]);
        assert_eq!(column("n"), &Column::numbers([1.0, f64::NAN, -3.0]));
        assert_eq!(column("r"), &Column::numbers([0.1, f64::NAN, f64::INFINITY]));
        assert_eq!(column("ok"), &Column::flags([Some(true), None, Some(false)]));
        assert_eq!(column("at"), &Column::timestamps([1_709_208_000_000_000, MISSING_TIME, 86_400_000_000]));
        assert_eq!(column("plan"), &Column::categories([Some("pro"), None, Some("basic")]));
        assert_eq!(column("mixed"), &Column::categories([Some("5"), Some("five"), None]));
        assert_eq!(loaded.notices().map(|(name, _)| name).collect::<Vec<_>>(), ["mixed", "big"]);
        assert!(!loaded.decision("raw").unwrap().kept);
        let empty = Sqlite::new(&path, "SELECT n, plan FROM t WHERE n > 9").read().unwrap();
        assert_eq!((empty.table.rows(), empty.table.width()), (0, 2));
        let asked = Sqlite::new(&path, "SELECT n FROM t").kind("n", Kind::Category).read().unwrap();
        assert_eq!(asked.table.column("n").unwrap(), &Column::categories([Some("1"), None, Some("-3")]));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_is_wrong_is_a_typed_error() {
        let path = database("wrong", "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), (CAST(x'ff' AS TEXT));");
        let refused = |query: &str| Sqlite::new(&path, query).read().unwrap_err().to_string();
        assert!(refused("SELECT b FROM t").contains("refuses: no such column: b"), "{}", refused("SELECT b FROM t"));
        assert!(refused("DELETE FROM t").contains("readonly"), "{}", refused("DELETE FROM t"));
        assert_eq!(refused("SELECT a, a FROM t WHERE a = 'x'"), "two columns are named `a`; rename one");
        assert!(refused("SELECT a FROM t").starts_with("column `a` › row 1: `\u{fffd}` is not a text"));
        let number = Sqlite::new(&path, "SELECT a FROM t LIMIT 1").kind("a", Kind::Number).read().unwrap_err();
        assert!(number.to_string().starts_with("column `a` › row 0: `x` is not a number"), "{number}");
        let wide = (0..10_000).map(|i| format!("1 AS c{i}")).collect::<Vec<_>>().join(", ");
        assert!(refused(&format!("SELECT {wide}")).contains("too many columns"));
        assert!(refused("SELECT 1; SELECT 2").contains("refuses"), "{}", refused("SELECT 1; SELECT 2"));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, &bytes).unwrap();
        assert!(refused("SELECT a FROM t").contains("refuses"));
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        assert!(refused("SELECT a FROM t").contains("refuses"));
        std::fs::write(&path, "").unwrap();
        assert!(refused("SELECT a FROM t").contains("no such table"));
        std::fs::remove_file(path).unwrap();
    }
}
