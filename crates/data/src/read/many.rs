//! Many files as one table: a pattern finds them, their columns must agree, folders may be columns.
//!
//! What a column means is decided once, on the values of all files together, as if they were one: decided file by file,
//! a column that happens to hold only numbers in one of them would be of two kinds.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::error::{At, Crumb, DataError, Error, Result, SchemaError};
use stagewise_core::schema::{Kind, Levels};

use super::Origin;
use crate::loaded::{FileRows, Loaded, Source, Values, Wishes, decide};

/// What Hive writes for a missing value in the name of a folder.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// The columns of one file, with buffers of their own.
pub(super) struct Part {
    columns: Vec<Owned>,
    rows: usize,
    notes: Vec<String>,
}

struct Owned {
    name: String,
    values: OwnedValues,
    notice: Option<String>,
}

enum OwnedValues {
    Texts(Vec<Option<String>>),
    Typed(Column),
    Foreign(String),
}

impl Part {
    pub(super) fn of(sources: Vec<Source<'_>>, rows: usize, notes: Vec<String>) -> Self {
        let owned = |source: Source<'_>| {
            let values = match source.values {
                Values::Texts(texts) => OwnedValues::Texts(texts.into_iter().map(|t| t.map(String::from)).collect()),
                Values::Typed(column) => OwnedValues::Typed(column),
                Values::Foreign(what) => OwnedValues::Foreign(what),
            };
            Owned { name: source.name, values, notice: source.notice }
        };
        Self { columns: sources.into_iter().map(owned).collect(), rows, notes }
    }
}

/// Reads every file that `origin` names and decides about all of them together; bytes are one file.
pub(super) fn read_all(origin: &Origin, wishes: &Wishes, one: impl Fn(&[u8]) -> Result<Part>) -> Result<Loaded> {
    let (found, parts) = each(origin, one)?;
    of_parts(found, parts, wishes)
}

/// Decides about the parts of some files together.
pub(super) fn of_parts(found: Vec<PathBuf>, mut parts: Vec<Part>, wishes: &Wishes) -> Result<Loaded> {
    let rows: Vec<usize> = parts.iter().map(|part| part.rows).collect();
    let notes = notes(&found, &mut parts);
    let columns = joined(&found, parts)?;
    together(found, &rows, columns.iter().map(borrowed).collect(), wishes, notes)
}

/// What `one` makes of every file that `origin` names, in the order of their paths; bytes are one file without a path.
pub(super) fn each<T>(origin: &Origin, one: impl Fn(&[u8]) -> Result<T>) -> Result<(Vec<PathBuf>, Vec<T>)> {
    let pattern = match origin {
        Origin::Bytes(bytes) => return Ok((Vec::new(), vec![one(bytes)?])),
        Origin::File(pattern) => pattern,
    };
    let found = find(pattern)?;
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        one(&bytes).at(|| Crumb::File(path.clone()))
    };
    let parts = found.iter().map(read).collect::<Result<_>>()?;
    Ok((found, parts))
}

/// Decides about the columns of all files, with those of the folders behind them.
pub(super) fn together(
    found: Vec<PathBuf>,
    rows: &[usize],
    sources: Vec<Source<'_>>,
    wishes: &Wishes,
    notes: Vec<String>,
) -> Result<Loaded> {
    let folders = folders(&found, rows)?;
    let mut sources: Vec<Source<'_>> = sources;
    sources.extend(folders.iter().map(|(name, values)| Source {
        name: name.clone(),
        values: Values::Texts(values.iter().map(|v| v.as_deref()).collect()),
        notice: None,
    }));
    let mut loaded = decide(sources, rows.iter().sum(), wishes, notes)?;
    let mut next = 0;
    loaded.files = found
        .into_iter()
        .zip(rows)
        .map(|(path, &rows)| {
            let first = next;
            next += rows;
            FileRows { path, rows: first..next }
        })
        .collect();
    Ok(loaded)
}

fn borrowed(column: &Owned) -> Source<'_> {
    let values = match &column.values {
        OwnedValues::Texts(texts) => Values::Texts(texts.iter().map(|t| t.as_deref()).collect()),
        OwnedValues::Typed(column) => Values::Typed(column.clone()),
        OwnedValues::Foreign(what) => Values::Foreign(what.clone()),
    };
    Source { name: column.name.clone(), values, notice: column.notice.clone() }
}

/// Each note once if all files have it, otherwise with its file.
fn notes(found: &[PathBuf], parts: &mut [Part]) -> Vec<String> {
    let all: Vec<Vec<String>> = parts.iter_mut().map(|part| std::mem::take(&mut part.notes)).collect();
    let mut notes: Vec<String> = Vec::new();
    for (i, of_file) in all.iter().enumerate() {
        for note in of_file {
            let common = all.iter().all(|notes| notes.contains(note));
            let note = match found.get(i) {
                Some(path) if !common => format!("{}: {note}", path.display()),
                _ => note.clone(),
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

/// The columns of all files, by name, in the order of the first file.
fn joined(found: &[PathBuf], parts: Vec<Part>) -> Result<Vec<Owned>> {
    let at = |file: usize| Crumb::File(found.get(file).cloned().unwrap_or_default());
    let mut parts = parts.into_iter().enumerate();
    let Some((_, first)) = parts.next() else { return Ok(Vec::new()) };
    let names: Vec<String> = first.columns.iter().map(|c| c.name.clone()).collect();
    let mut pieces: Vec<(Vec<OwnedValues>, Option<String>)> =
        first.columns.into_iter().map(|c| (vec![c.values], c.notice)).collect();
    for (file, part) in parts {
        agree(&names, part.columns.iter().map(|c| c.name.as_str())).at(|| at(file))?;
        for column in part.columns {
            let place = names.iter().position(|name| *name == column.name);
            if let Some((values, notice)) = place.and_then(|place| pieces.get_mut(place)) {
                values.push(column.values);
                *notice = notice.take().or(column.notice);
            }
        }
    }
    let columns = names.into_iter().zip(pieces).map(|(name, (values, notice))| {
        let values = stacked(values).map_err(|(file, error)| error.at(Crumb::column(name.as_str())).at(at(file)))?;
        Ok(Owned { name, values, notice })
    });
    columns.collect()
}

/// Refuses columns that are not those of the first file, in any order.
pub(super) fn agree<'a>(first: &[String], mut own: impl Iterator<Item = &'a str> + Clone) -> Result<()> {
    let known: HashSet<&str> = first.iter().map(String::as_str).collect();
    let here: HashSet<&str> = own.clone().collect();
    let problem = if let Some(more) = own.find(|name| !known.contains(name)) {
        format!("has a column `{more}`, which the first file has not; make their columns agree")
    } else if let Some(missing) = first.iter().find(|name| !here.contains(name.as_str())) {
        format!("has no column `{missing}`, which the first file has; make their columns agree")
    } else {
        return Ok(());
    };
    Err(DataError::Malformed { line: 1, problem }.into())
}

/// The pieces below each other, or the file whose piece is of another kind than the first that has values.
fn stacked(pieces: Vec<OwnedValues>) -> Result<OwnedValues, (usize, Error)> {
    let kind = |values: &OwnedValues| match values {
        OwnedValues::Texts(_) => Some(Kind::Text),
        OwnedValues::Typed(column) => (column.missing_count() < column.len()).then(|| column.kind()),
        OwnedValues::Foreign(_) => None,
    };
    if let Some(what) = pieces.iter().find_map(|p| match p {
        OwnedValues::Foreign(what) => Some(what.clone()),
        _ => None,
    }) {
        return Ok(OwnedValues::Foreign(what));
    }
    let texts = pieces.iter().any(|p| matches!(p, OwnedValues::Texts(_)));
    let first = pieces.iter().find_map(kind);
    let expected = if texts && first.is_none() { Kind::Text } else { first.unwrap_or(Kind::Number) };
    let wrong = |found: Kind| Error::from(SchemaError::WrongKind { expected, found });
    for (file, piece) in pieces.iter().enumerate() {
        match (kind(piece), piece) {
            (Some(found), _) if found != expected => return Err((file, wrong(found))),
            (Some(_), OwnedValues::Typed(_)) if texts => return Err((file, wrong(Kind::Text))),
            _ => {}
        }
    }
    if texts {
        let mut all = Vec::new();
        for piece in pieces {
            match piece {
                OwnedValues::Texts(texts) => all.extend(texts),
                OwnedValues::Typed(column) => all.extend(std::iter::repeat_n(None, column.len())),
                OwnedValues::Foreign(_) => {}
            }
        }
        return Ok(OwnedValues::Texts(all));
    }
    let columns: Vec<Column> = pieces
        .into_iter()
        .filter_map(|piece| match piece {
            OwnedValues::Typed(column) if column.kind() == expected => Some(column),
            OwnedValues::Typed(column) => Some(Column::missing(expected, column.len())),
            _ => None,
        })
        .collect();
    Ok(OwnedValues::Typed(below(expected, &columns)))
}

/// Columns of one kind below each other; levels in order of appearance.
fn below(kind: Kind, columns: &[Column]) -> Column {
    macro_rules! flat {
        ($variant:ident) => {
            Column::$variant(Arc::new(
                columns
                    .iter()
                    .flat_map(|column| match column {
                        Column::$variant(values) => values.to_vec(),
                        _ => Vec::new(),
                    })
                    .collect(),
            ))
        };
    }
    match kind {
        Kind::Flag => flat!(Flag),
        Kind::Text => flat!(Text),
        Kind::Timestamp => flat!(Timestamp),
        Kind::Category => {
            let (mut all, mut levels) = (Vec::new(), Levels::default());
            for column in columns {
                let Ok((codes, own)) = column.as_categories() else { continue };
                let map: Vec<u32> = own.iter().map(|name| levels.intern(name)).collect();
                all.extend(codes.iter().map(|&code| map.get(code as usize).copied().unwrap_or(MISSING_CODE)));
            }
            Column::Category { codes: Arc::new(all), levels: Arc::new(levels) }
        }
        _ => flat!(Number),
    }
}

/// A column for each folder `key=value`, its value for every row.
type Folders = Vec<(String, Vec<Option<String>>)>;

fn folders(found: &[PathBuf], rows: &[usize]) -> Result<Folders> {
    let mut columns: Folders = Vec::new();
    for (i, (path, &rows)) in found.iter().zip(rows).enumerate() {
        let pairs = pairs(path);
        if i == 0 {
            columns = pairs.iter().map(|(key, _)| (key.clone(), Vec::new())).collect();
        }
        if !pairs.iter().map(|(key, _)| key).eq(columns.iter().map(|(key, _)| key)) {
            let expected: Vec<&str> = columns.iter().map(|(key, _)| key.as_str()).collect();
            let problem = format!(
                "its folders are not those of the first file ({}); make the folders agree",
                if expected.is_empty() { "no `key=value`".into() } else { expected.join(", ") }
            );
            return Err(DataError::Malformed { line: 1, problem }).at(|| Crumb::File(path.clone()));
        }
        for ((_, values), (_, value)) in columns.iter_mut().zip(pairs) {
            values.extend(std::iter::repeat_n(value, rows));
        }
    }
    Ok(columns)
}

/// Key and value of each folder `key=value` on the way.
pub(super) fn pairs(path: &Path) -> Vec<(String, Option<String>)> {
    let folders = path.parent().into_iter().flat_map(Path::components);
    folders
        .filter_map(|folder| {
            let name = folder.as_os_str().to_string_lossy();
            let (key, value) = name.split_once('=').filter(|(key, _)| !key.is_empty())?;
            Some((key.to_string(), (value != NO_VALUE).then(|| unescaped(value))))
        })
        .collect()
}

/// `%2F` and the like as the characters they stand for.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| byte == b'%') {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_string())
}

/// The files that a pattern names, sorted by path.
pub(super) fn find(pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy();
        let wild = matches!(part, Component::Normal(_)) && name.contains(['*', '?']);
        if !wild {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        let mut next = Vec::new();
        for folder in &found {
            if name == "**" {
                below_folder(folder, &mut next)?;
            } else {
                next.extend(
                    entries(folder)?
                        .into_iter()
                        .filter(|path| path.file_name().is_some_and(|file| matches(&name, &file.to_string_lossy()))),
                );
            }
        }
        found = next;
    }
    found.retain(|path| path.is_file());
    found.sort();
    found.dedup();
    if found.is_empty() {
        let none = std::io::Error::new(std::io::ErrorKind::NotFound, "no file is there, or matches the pattern");
        return Err(Error::io(pattern, none));
    }
    Ok(found)
}

/// `folder` and all folders below it.
fn below_folder(folder: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        // A link to a folder is not followed, it may lead back.
        open.extend(entries(&folder)?.into_iter().filter(|path| path.is_dir() && !path.is_symlink()));
        out.push(folder);
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !here.is_dir() {
        return Ok(Vec::new());
    }
    let read = |entry: std::io::Result<std::fs::DirEntry>| Ok(folder.join(entry?.file_name()));
    let entries = std::fs::read_dir(here).and_then(|entries| entries.map(read).collect::<std::io::Result<Vec<_>>>());
    entries.map_err(|source| Error::io(here, source))
}

/// Whether a name fits a pattern with `*` and `?`; a name that begins with a dot must be asked for with a dot.
fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                // The last star takes one character more.
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p.min(pattern.len())..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csv, Ndjson, Parquet, write};
    use stagewise_core::table::Table;

    fn folder(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("stagewise-many-{name}-{}", std::process::id()));
        for (path, bytes) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folder
    }

    #[test]
    fn files_become_one_table_and_folders_columns() {
        let files: [(&str, &[u8]); 4] = [
            ("year=2024/part-2.csv", b"x,plan\n3,b\n"),
            ("year=2023/part-1.csv", b"x,plan\n1,a\n?,b\n"),
            ("year=2024/part-1.csv", b"plan;x\na;4\n"),
            ("year=2024/notes.txt", b"nothing"),
        ];
        let folder = folder("csv", &files);
        let loaded = Csv::new(folder.join("year=*/part-*.csv")).read_all().unwrap();
        assert_eq!(loaded.table.schema().names(), ["x", "plan", "year"]);
        assert_eq!(loaded.table.column("x").unwrap(), &Column::numbers([1.0, f64::NAN, 4.0, 3.0]));
        assert_eq!(loaded.table.column("year").unwrap(), &Column::numbers([2023.0, 2023.0, 2024.0, 2024.0]));
        assert_eq!(loaded.file_of(1), Some(folder.join("year=2023/part-1.csv").as_path()));
        assert_eq!(loaded.file_of(2), Some(folder.join("year=2024/part-1.csv").as_path()));
        assert_eq!(loaded.file_of(4), None);
        let below = Csv::new(folder.join("**/*.csv")).kind("year", Kind::Category).read_all().unwrap();
        assert_eq!(below.table.column("year").unwrap().kind(), Kind::Category);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn kinds_are_decided_on_all_files_together() {
        let lines = [("a.ndjson", b"{\"x\": 1}\n".as_slice()), ("b.ndjson", b"{\"x\": \"one\", \"y\": true}\n")];
        let folder = folder("kinds", &lines);
        std::fs::write(folder.join("a.csv"), "x\n1\n").unwrap();
        std::fs::write(folder.join("b.csv"), "x\none\n").unwrap();
        let csv = Csv::new(folder.join("*.csv")).read_all().unwrap();
        assert_eq!(csv.table.column("x").unwrap(), &Column::categories([Some("1"), Some("one")]));
        let ndjson = Ndjson::new(folder.join("?.ndjson")).read_all().unwrap();
        assert_eq!(ndjson.table.column("x").unwrap(), &Column::categories([Some("1"), Some("one")]));
        assert_eq!(ndjson.table.column("y").unwrap(), &Column::flags([None, Some(true)]));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_does_not_agree_is_refused_with_its_file() {
        let folder =
            folder("agree", &[("a.csv", b"x,y\n1,2\n"), ("b.csv", b"x,z\n1,2\n"), ("k=1/c.csv", b"x,y\n1,2\n")]);
        let refused = |pattern: &str| Csv::new(folder.join(pattern)).read_all().unwrap_err().to_string();
        let error = refused("?.csv");
        assert!(
            error.ends_with("b.csv`: line 1: has a column `z`, which the first file has not; make their columns agree"),
            "{error}"
        );
        std::fs::remove_file(folder.join("b.csv")).unwrap();
        let error = refused("**/?.csv");
        assert!(
            error.ends_with(
                "c.csv`: line 1: its folders are not those of the first file (no `key=value`); make the folders agree"
            ),
            "{error}"
        );
        assert!(refused("no*.csv").contains("matches the pattern"));
        std::fs::write(folder.join("k=1/c.csv"), "x,k\n1,2\n").unwrap();
        assert_eq!(refused("k=*/c.csv"), "two columns are named `k`; rename one");
        std::fs::write(folder.join("k=1/c.csv"), "x,k\n1\n").unwrap();
        assert!(refused("k=*/c.csv").contains("c.csv`: line 2: the header has 2 fields"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn typed_columns_must_be_of_one_kind_and_levels_are_joined() {
        let folder = folder("typed", &[]);
        std::fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, column: Column| {
            write::parquet(&Table::of([("v", column)]).unwrap(), folder.join(name)).unwrap();
        };
        write("a.parquet", Column::categories([Some("p"), None]));
        write("b.parquet", Column::categories([Some("q"), Some("p")]));
        let both = Parquet::new(folder.join("*.parquet")).read_all().unwrap();
        assert_eq!(both.table.column("v").unwrap(), &Column::categories([Some("p"), None, Some("q"), Some("p")]));
        write("c.parquet", Column::numbers([f64::NAN]));
        assert_eq!(Parquet::new(folder.join("*.parquet")).read_all().unwrap().table.rows(), 5);
        write("c.parquet", Column::numbers([1.0]));
        let error = Parquet::new(folder.join("*.parquet")).read_all().unwrap_err().to_string();
        assert!(error.ends_with("c.parquet` › column `v`: is a number, a category is needed"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn names_fit_patterns() {
        for (pattern, name, fits) in [
            ("*", "a.csv", true),
            ("*.csv", ".csv", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("?b", "ab", true),
            ("?", "", false),
            ("*a", "aab", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
        assert_eq!(unescaped("a%2Fb%zz%"), "a/b%zz%");
        assert_eq!(
            pairs(Path::new("x/k=a%20b/m=__HIVE_DEFAULT_PARTITION__/f=1.csv")),
            [("k".to_string(), Some("a b".to_string())), ("m".to_string(), None)]
        );
    }
}
