//! What is done with a value that should not be there: decided once, saved, and applied to every table alike.
//!
//! A decision names a column, a value as it is written, and what becomes of it. The file is TOML, a table per column, to be
//! edited by hand. Applying counts the rows of each decision, also those of none, so that a decision which no longer meets
//! a value is seen.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::error::{At, Crumb, DataError, Error, PersistError, Result, SchemaError};
use stagewise_core::exhibit::{Block, Exhibit, Section};
use stagewise_core::persist::Persist;
use stagewise_core::record::parse;
use stagewise_core::schema::{Field, Kind, Levels, Schema};
use stagewise_core::table::Table;

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is another value, written differently.
    Map(String),
    /// It is a value of its own, and stays.
    NewLevel,
    /// It is no value.
    Missing,
    /// Its row is left out.
    Reject,
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Map(to) => write!(f, "map to `{to}`"),
            Self::NewLevel => f.write_str("new level"),
            Self::Missing => f.write_str("missing"),
            Self::Reject => f.write_str("reject the row"),
        }
    }
}

/// Decisions by column and value.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::check::{Decision, Decisions};
///
/// let decisions = Decisions::default()
///     .decide("plan", "Pro ", Decision::Map("pro".into()))
///     .decide("plan", "-", Decision::Missing);
/// let table = Table::of([("plan", Column::categories([Some("pro"), Some("Pro "), Some("-"), Some("pro")]))])?;
/// let applied = decisions.apply(&table)?;
/// assert_eq!(applied.table.column("plan")?, &Column::categories([Some("pro"), Some("pro"), None, Some("pro")]));
/// assert_eq!(applied.counts.iter().map(|c| c.rows).collect::<Vec<_>>(), [1, 1]);
/// assert_eq!(Decisions::from_toml(&decisions.to_toml()?)?, decisions);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decisions {
    columns: BTreeMap<String, BTreeMap<String, Decision>>,
}

impl Persist for Decisions {
    const TAG: &'static str = "Decisions";
}

/// A decision and how many rows it met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionCount {
    /// The column.
    pub column: String,
    /// The value.
    pub value: String,
    /// What became of it.
    pub decision: Decision,
    /// In how many rows.
    pub rows: u64,
}

/// A table after the decisions.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The table, without the rows that were rejected.
    pub table: Table,
    /// Each decision with its rows, by column and value.
    pub counts: Vec<DecisionCount>,
    /// The rows of the original that were left out, ascending.
    pub rejected: Vec<usize>,
}

impl Decisions {
    /// Decides about a value; a later decision about the same value counts.
    #[must_use]
    pub fn decide(mut self, column: impl Into<String>, value: impl Into<String>, decision: Decision) -> Self {
        self.columns.entry(column.into()).or_default().insert(value.into(), decision);
        self
    }

    /// What was decided about a value.
    pub fn of(&self, column: &str, value: &str) -> Option<&Decision> {
        self.columns.get(column)?.get(value)
    }

    /// All decisions, by column and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Decision)> {
        self.columns.iter().flat_map(|(c, values)| values.iter().map(move |(v, d)| (c.as_str(), v.as_str(), d)))
    }

    /// Whether nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.columns.values().all(BTreeMap::is_empty)
    }

    /// Applies the decisions to a table. A value is met as it is written: levels and text to the letter, numbers by value.
    /// What a value is mapped to is not decided again. A level that is mapped away or missing leaves the levels; the others
    /// keep their order. `O(rows)` per column decided about.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`]; [`SchemaError::WrongKind`] for flags and times;
    /// [`DataError::Unparsable`] for a number mapped to text.
    pub fn apply(&self, table: &Table) -> Result<Applied> {
        let (schema, mut columns) = table.clone().into_parts();
        let mut fields: Vec<Field> = schema.fields().to_vec();
        let (mut counts, mut out) = (Vec::new(), vec![false; table.rows()]);
        for (name, decided) in &self.columns {
            let place = schema.require(name)?;
            let changed = change(&columns[place], decided, &mut out).at(|| Crumb::column(name.as_str()))?;
            for ((value, decision), rows) in decided.iter().zip(changed.rows) {
                let (column, value, decision) = (name.clone(), value.clone(), decision.clone());
                counts.push(DecisionCount { column, value, decision, rows });
            }
            fields[place].missing |= changed.column.missing_count() > 0;
            if let Column::Category { levels, .. } = &changed.column {
                fields[place].levels = Some(levels.clone());
            }
            columns[place] = changed.column;
        }
        let table = Table::sized(Arc::new(Schema::new(fields)?), columns, table.rows())?;
        let (rejected, kept): (Vec<usize>, Vec<usize>) = (0..table.rows()).partition(|&row| out[row]);
        let table = if rejected.is_empty() { table } else { table.take(&kept) };
        Ok(Applied { table, counts, rejected })
    }

    /// The decisions as TOML.
    ///
    /// # Errors
    /// [`PersistError::Unencodable`].
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self)
            .map_err(|e| PersistError::Unencodable { part: "the decisions".into(), reason: e.to_string() }.into())
    }

    /// Reads what [`to_toml`](Self::to_toml) wrote and a person may have edited.
    ///
    /// # Errors
    /// [`PersistError::Undecodable`] with line and column.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text)
            .map_err(|e| PersistError::Undecodable { part: "the decisions".into(), reason: e.to_string() }.into())
    }

    /// Writes the decisions to a TOML file.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml), and [`Io`](stagewise_core::error::ErrorKind::Io).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_toml()?).map_err(|e| Error::io(path, e))
    }

    /// Reads the decisions from a TOML file.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml), and [`Io`](stagewise_core::error::ErrorKind::Io).
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::from_toml(&text).at(|| Crumb::File(path.into()))
    }
}

/// A column after its decisions, and the rows that each met.
struct Changed {
    column: Column,
    rows: Vec<u64>,
}

fn change(column: &Column, decided: &BTreeMap<String, Decision>, out: &mut [bool]) -> Result<Changed> {
    let mut rows = vec![0_u64; decided.len()];
    let decisions: Vec<(&str, &Decision)> = decided.iter().map(|(value, d)| (value.as_str(), d)).collect();
    let column = match column {
        Column::Category { codes, levels } => {
            let known: Vec<Option<usize>> = levels.iter().map(|name| place(&decisions, name)).collect();
            let goes =
                |at: &Option<usize>| at.is_some_and(|d| matches!(decisions[d].1, Decision::Map(_) | Decision::Missing));
            let mut grown =
                Levels::new(levels.iter().zip(&known).filter(|(_, at)| !goes(at)).map(|(name, _)| name.clone()));
            let new: Vec<u32> = levels
                .iter()
                .zip(&known)
                .map(|(name, at)| match at.map(|d| decisions[d].1) {
                    Some(Decision::Map(to)) => grown.intern(to),
                    Some(Decision::Missing) => MISSING_CODE,
                    _ => grown.intern(name),
                })
                .collect();
            let code = |(row, &code): (usize, &u32)| {
                let level = code as usize;
                let Some(&at) = known.get(level) else { return MISSING_CODE };
                count(at, &decisions, &mut rows, &mut out[row]);
                new[level]
            };
            let codes: Vec<u32> = codes.iter().enumerate().map(code).collect();
            Column::Category { codes: Arc::new(codes), levels: Arc::new(grown) }
        }
        Column::Text(texts) => {
            let text = |(row, text): (usize, &Option<Arc<str>>)| {
                let at = place(&decisions, text.as_ref()?);
                count(at, &decisions, &mut rows, &mut out[row]);
                match at.map(|d| decisions[d].1) {
                    Some(Decision::Map(to)) => Some(Arc::from(to.as_str())),
                    Some(Decision::Missing) => None,
                    _ => text.clone(),
                }
            };
            Column::Text(Arc::new(texts.iter().enumerate().map(text).collect()))
        }
        Column::Number(values) => {
            let to = |decision: &Decision| match decision {
                Decision::Map(to) => parse::number(to).map(Some).ok_or_else(|| unparsable(to)),
                Decision::Missing => Ok(Some(f64::NAN)),
                _ => Ok(None),
            };
            let read = |(value, decision): &(&str, &Decision)| {
                let from = parse::number(value).ok_or_else(|| unparsable(value))?;
                Ok((from, to(decision)?))
            };
            let read: Vec<(f64, Option<f64>)> = decisions.iter().map(read).collect::<Result<_>>()?;
            let number = |(row, &x): (usize, &f64)| {
                let at = read.iter().position(|(from, _)| *from == x);
                count(at, &decisions, &mut rows, &mut out[row]);
                at.and_then(|d| read[d].1).unwrap_or(x)
            };
            Column::numbers(values.iter().enumerate().map(number).collect::<Vec<_>>())
        }
        other => return Err(SchemaError::WrongKind { expected: Kind::Category, found: other.kind() }.into()),
    };
    Ok(Changed { column, rows })
}

fn unparsable(text: &str) -> Error {
    DataError::Unparsable { value: text.into(), expected: Kind::Number }.into()
}

/// Where the decision about `value` stands; they are sorted by value.
fn place(decisions: &[(&str, &Decision)], value: &str) -> Option<usize> {
    decisions.binary_search_by(|(known, _)| (*known).cmp(value)).ok()
}

fn count(at: Option<usize>, decisions: &[(&str, &Decision)], rows: &mut [u64], out: &mut bool) {
    if let Some(at) = at {
        rows[at] += 1;
        *out |= *decisions[at].1 == Decision::Reject;
    }
}

impl Exhibit for Applied {
    fn exhibit(&self) -> Section {
        let section = Section::new("Decisions").text(format!(
            "{} rows kept, {} rejected",
            self.table.rows(),
            self.rejected.len()
        ));
        let columns = ["column", "value", "decision", "rows"].map(String::from).to_vec();
        let row =
            |c: &DecisionCount| vec![c.column.clone(), c.value.clone(), c.decision.to_string(), c.rows.to_string()];
        section.block(Block::Table { columns, rows: self.counts.iter().map(row).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_decision_does_what_it_says_and_is_counted() {
        let table = Table::of([
            ("c", Column::categories([Some("a"), Some("A"), Some("x"), Some("q"), None])),
            ("t", Column::texts([Some("u"), Some("v"), None, Some("u"), Some("w")])),
            ("n", Column::numbers([999.0, 1.0, 2.0, f64::NAN, 999.0])),
        ])
        .unwrap();
        let decisions = Decisions::default()
            .decide("c", "A", Decision::Map("b".into()))
            .decide("c", "q", Decision::Reject)
            .decide("c", "x", Decision::NewLevel)
            .decide("c", "gone", Decision::Missing)
            .decide("t", "u", Decision::Missing)
            .decide("t", "w", Decision::Map("v".into()))
            .decide("n", "999.0", Decision::Missing)
            .decide("n", "1", Decision::Map("7".into()));
        let applied = decisions.apply(&table).unwrap();
        let expected = Table::of([
            ("c", Column::categories([Some("a"), Some("b"), Some("x"), None])),
            ("t", Column::texts([None, Some("v"), None, Some("v")])),
            ("n", Column::numbers([f64::NAN, 7.0, 2.0, f64::NAN])),
        ])
        .unwrap();
        assert_eq!(applied.table.columns(), expected.columns());
        assert_eq!(applied.rejected, [3]);
        let counts: Vec<(&str, u64)> = applied.counts.iter().map(|c| (c.value.as_str(), c.rows)).collect();
        let told = [("A", 1), ("gone", 0), ("q", 1), ("x", 1), ("1", 1), ("999.0", 2), ("u", 2), ("w", 1)];
        assert_eq!(counts, told);
        assert!(applied.table.schema().field("t").unwrap().missing);
        let levels = applied.table.columns()[0].as_categories().unwrap().1.to_strings();
        assert_eq!(levels, ["a", "x", "q", "b"]);
        assert_eq!(applied.exhibit().blocks.len(), 2);
    }

    #[test]
    fn decisions_are_read_as_a_person_writes_them() {
        let text = "[plan]\n\"Prro\" = { map = \"pro\" }\n\"?\" = \"missing\"\nbasic = \"new_level\"\n";
        let decisions = Decisions::from_toml(text).unwrap();
        assert_eq!(decisions.of("plan", "Prro"), Some(&Decision::Map("pro".into())));
        assert_eq!(decisions.iter().count(), 3);
        assert_eq!(Decisions::from_toml(&decisions.to_toml().unwrap()).unwrap(), decisions);
        assert!(Decisions::from_toml("[plan]\na = \"mising\"\n").unwrap_err().to_string().contains("mising"));
    }

    #[test]
    fn what_cannot_be_decided_is_refused() {
        let table = Table::of([("n", Column::numbers([1.0])), ("f", Column::flags(vec![None]))]).unwrap();
        for (column, value, decision) in
            [("z", "1", Decision::Missing), ("f", "true", Decision::Missing), ("n", "1", Decision::Map("x".into()))]
        {
            assert!(Decisions::default().decide(column, value, decision).apply(&table).is_err());
        }
    }
}
