//! The decisions about one column, read as values of its kind: which of them a value meets, and what it becomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Remedy, ValueDecision};
use crate::column::Column;
use crate::columns::wrong_cell;
use crate::error::{DataError, Error, Result, SchemaError};
use crate::record::{Cell, parse};
use crate::schema::Kind;

/// The decisions about one column.
///
/// Levels and text are met to the letter; numbers, flags and times by value, so that `1`, `1.0` and `1e0` are one value, and
/// `0` is `-0`. A missing value meets none. What a value is mapped to is not decided again. Finding a decision takes
/// `O(log decisions)`.
///
/// ```
/// use std::collections::BTreeMap;
/// use stagewise_core::column::Column;
/// use stagewise_core::decision::{Decided, Remedy};
/// use stagewise_core::record::Cell;
/// use stagewise_core::schema::Kind;
///
/// let decisions = BTreeMap::from([("999.0".to_string(), Remedy::Missing.into())]);
/// let decided = Decided::new(Kind::Number, &decisions)?;
/// assert_eq!(decided.met(&Column::numbers([1.0, 999.0, f64::NAN]))?, [(1, 0)]);
/// assert_eq!(decided.cell(&Cell::Number(999.0))?, Cell::Missing);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Decided {
    kind: Kind,
    /// By value as it is written.
    rules: Vec<Rule>,
    /// The keys of the values, ascending, each with the place of its rule; empty where values are met by name.
    keys: Vec<(u64, usize)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Rule {
    value: String,
    decision: ValueDecision,
    /// What is put in the value's place; `None` where it stays, or where its row is refused.
    becomes: Option<Cell>,
}

impl Decided {
    /// The decisions by value, about a column of this kind.
    ///
    /// # Errors
    /// [`DataError::Unparsable`] for a value, or what it is mapped to, that is not of the kind;
    /// [`DataError::DecidedTwice`] for two values that are one.
    pub fn new(kind: Kind, decisions: &BTreeMap<String, ValueDecision>) -> Result<Self> {
        let rule = |(value, decision): (&String, &ValueDecision)| {
            let becomes = match &decision.remedy {
                Remedy::Map(to) => Some(cell(kind, to)?),
                Remedy::Missing => Some(Cell::Missing),
                Remedy::NewLevel | Remedy::Reject => None,
            };
            Ok(Rule { value: value.clone(), decision: decision.clone(), becomes })
        };
        let rules: Vec<Rule> = decisions.iter().map(rule).collect::<Result<_>>()?;
        let mut keys = Vec::new();
        if !matches!(kind, Kind::Category | Kind::Text) {
            for (place, rule) in rules.iter().enumerate() {
                let key = key(&cell(kind, &rule.value)?);
                keys.extend(key.map(|key| (key, place)));
            }
            keys.sort_unstable();
        }
        if let Some(pair) = keys.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let [first, second] = [pair[0].1, pair[1].1].map(|place| rules[place].value.clone());
            return Err(DataError::DecidedTwice { first, second }.into());
        }
        Ok(Self { kind, rules, keys })
    }

    /// How many decisions there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The values with their decisions, by value as it is written.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &ValueDecision)> {
        self.rules.iter().map(|rule| (rule.value.as_str(), &rule.decision))
    }

    /// Whether a value may become missing.
    pub fn makes_missing(&self) -> bool {
        self.rules.iter().any(|rule| rule.becomes == Some(Cell::Missing))
    }

    /// Whether the decision at this place refuses rows.
    pub fn refuses(&self, place: usize) -> bool {
        self.rules.get(place).is_some_and(|rule| rule.decision.remedy == Remedy::Reject)
    }

    /// The error of a row that the decision at this place refuses.
    #[cold]
    pub fn refused(&self, place: usize) -> Error {
        let value = self.rules.get(place).map(|rule| rule.value.clone()).unwrap_or_default();
        DataError::Rejected { value }.into()
    }

    /// The rows that meet a decision, ascending, each with the decision's place. `O(rows log decisions)`.
    ///
    /// # Errors
    /// [`SchemaError::WrongKind`].
    pub fn met(&self, column: &Column) -> Result<Vec<(usize, usize)>> {
        if column.kind() != self.kind {
            return Err(SchemaError::WrongKind { expected: self.kind, found: column.kind() }.into());
        }
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let mut met = Vec::new();
        let mut note = |row: usize, place: Option<usize>| met.extend(place.map(|place| (row, place)));
        match column {
            Column::Category { codes, levels } => {
                let places: Vec<Option<usize>> = levels.iter().map(|name| self.named(name)).collect();
                let place = |code: &u32| places.get(*code as usize).copied().flatten();
                codes.iter().enumerate().for_each(|(row, code)| note(row, place(code)));
            }
            Column::Text(texts) => {
                let place = |text: &Option<Arc<str>>| text.as_deref().and_then(|text| self.named(text));
                texts.iter().enumerate().for_each(|(row, text)| note(row, place(text)));
            }
            Column::Number(_) | Column::Flag(_) | Column::Timestamp(_) => {
                (0..column.len()).for_each(|row| note(row, key(&column.cell(row)).and_then(|key| self.keyed(key))));
            }
        }
        Ok(met)
    }

    /// A column that is no category after its decisions, `met` being what [`met`](Self::met) gave for it. A value whose row
    /// is refused becomes missing. The buffer is copied only where a value changes and others hold it.
    ///
    /// # Errors
    /// [`SchemaError::WrongKind`]; categories are changed by a [`Recoding`](super::Recoding).
    pub fn column(&self, mut column: Column, met: &[(usize, usize)]) -> Result<Column> {
        let becomes = |place: usize| {
            let rule = self.rules.get(place)?;
            if rule.decision.remedy == Remedy::Reject { Some(&Cell::Missing) } else { rule.becomes.as_ref() }
        };
        let changes: Vec<(usize, &Cell)> =
            met.iter().filter_map(|&(row, place)| becomes(place).map(|cell| (row, cell))).collect();
        if !changes.is_empty() {
            column.put(&changes)?;
        }
        Ok(column)
    }

    /// A cell of a column that is no category after its decision.
    ///
    /// # Errors
    /// [`DataError::Rejected`]; [`SchemaError::WrongKind`].
    pub fn cell(&self, cell: &Cell) -> Result<Cell> {
        match (self.kind, cell) {
            (_, Cell::Missing)
            | (Kind::Text, Cell::Text(_))
            | (Kind::Number, Cell::Number(_))
            | (Kind::Flag, Cell::Flag(_))
            | (Kind::Timestamp, Cell::Timestamp(_)) => self.decided(self.place(cell), || cell.clone()),
            (kind, other) => Err(wrong_cell(kind, other)),
        }
    }

    /// The place of the decision that a cell meets; a known level meets its own by [`Recoding::place`](super::Recoding).
    pub fn place(&self, cell: &Cell) -> Option<usize> {
        match cell {
            Cell::Text(name) | Cell::NewLevel(name) => self.named(name),
            _ => self.keyed(key(cell)?),
        }
    }

    /// The value at this place, as it is written.
    pub fn value(&self, place: usize) -> Option<&str> {
        self.rules.get(place).map(|rule| rule.value.as_str())
    }

    /// What a value becomes that meets the decision at this place, if it meets any.
    pub(super) fn decided(&self, place: Option<usize>, stays: impl FnOnce() -> Cell) -> Result<Cell> {
        let Some((place, rule)) = place.and_then(|place| Some((place, self.rules.get(place)?))) else {
            return Ok(stays());
        };
        match &rule.becomes {
            Some(cell) => Ok(cell.clone()),
            None if self.refuses(place) => Err(self.refused(place)),
            None => Ok(stays()),
        }
    }

    /// The remedy at this place.
    pub(super) fn remedy(&self, place: usize) -> Option<&Remedy> {
        self.rules.get(place).map(|rule| &rule.decision.remedy)
    }

    /// The place of the decision about a level or a text.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.rules.binary_search_by(|rule| rule.value.as_str().cmp(name)).ok()
    }

    fn keyed(&self, key: u64) -> Option<usize> {
        self.keys.binary_search_by_key(&key, |entry| entry.0).ok().map(|at| self.keys[at].1)
    }
}

/// A text as a value of this kind.
fn cell(kind: Kind, text: &str) -> Result<Cell> {
    let cell = match kind {
        Kind::Number => parse::number(text).map(Cell::number),
        Kind::Flag => parse::flag(text).map(Cell::Flag),
        Kind::Timestamp => parse::timestamp(text).map(Cell::Timestamp),
        Kind::Category => Some(Cell::NewLevel(text.into())),
        Kind::Text => Some(Cell::Text(text.into())),
    };
    cell.ok_or_else(|| DataError::Unparsable { value: text.into(), expected: kind }.into())
}

/// Equal for equal values of one kind; a negative zero is a zero.
fn key(cell: &Cell) -> Option<u64> {
    match cell {
        Cell::Number(x) => Some((x + 0.0).to_bits()),
        Cell::Flag(b) => Some(u64::from(*b)),
        Cell::Timestamp(t) => Some(t.cast_unsigned()),
        _ => None,
    }
}

/// The saved form: what was decided, to be read again.
#[derive(Serialize, Deserialize)]
struct Stored {
    kind: Kind,
    decisions: BTreeMap<String, ValueDecision>,
}

impl From<Decided> for Stored {
    fn from(decided: Decided) -> Self {
        let decisions = decided.rules.into_iter().map(|rule| (rule.value, rule.decision)).collect();
        Self { kind: decided.kind, decisions }
    }
}

impl TryFrom<Stored> for Decided {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        Self::new(stored.kind, &stored.decisions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::{decode, encode};

    fn decided(kind: Kind, decisions: &[(&str, Remedy)]) -> Result<Decided> {
        Decided::new(kind, &decisions.iter().map(|(v, r)| ((*v).to_string(), r.clone().into())).collect())
    }

    #[test]
    fn values_are_met_by_value_and_the_row_path_agrees() {
        let map = |to: &str| Remedy::Map(to.into());
        let numbers = decided(Kind::Number, &[("0", map("7")), ("1e0", Remedy::Missing), ("2", Remedy::NewLevel)]);
        let flags = decided(Kind::Flag, &[("yes", map("no"))]);
        let times = decided(Kind::Timestamp, &[("1900-01-01", Remedy::Missing), ("1970-01-02", map("1970-01-01"))]);
        let texts = decided(Kind::Text, &[("n/k", Remedy::Missing), ("b", map("n/k"))]);
        let days = [-2_208_988_800_000_000, 86_400_000_000, i64::MIN, 5];
        for (decided, column, met, expected) in [
            (
                numbers,
                Column::numbers([-0.0, 1.0, 2.0, f64::NAN, 3.0]),
                vec![(0, 0), (1, 1), (2, 2)],
                Column::numbers([7.0, f64::NAN, 2.0, f64::NAN, 3.0]),
            ),
            (
                flags,
                Column::flags([Some(true), None, Some(false)]),
                vec![(0, 0)],
                Column::flags([Some(false), None, Some(false)]),
            ),
            (times, Column::timestamps(days), vec![(0, 0), (1, 1)], Column::timestamps([i64::MIN, 0, i64::MIN, 5])),
            (
                texts,
                Column::texts([Some("a"), Some("b"), None, Some("n/k")]),
                vec![(1, 0), (3, 1)],
                Column::texts([Some("a"), Some("n/k"), None, None]),
            ),
        ] {
            let decided = decided.unwrap();
            assert_eq!(decided.met(&column).unwrap(), met);
            assert_eq!(decided.column(column.clone(), &met).unwrap(), expected);
            for row in 0..column.len() {
                assert_eq!(decided.cell(&column.cell(row)).unwrap(), expected.cell(row), "row {row}");
            }
            let again: Decided = decode("decisions", &encode("decisions", &decided).unwrap()).unwrap();
            assert_eq!(again, decided);
        }
    }

    #[test]
    fn what_is_no_value_of_the_kind_is_refused() {
        let refused = |kind, decisions: &[(&str, Remedy)]| decided(kind, decisions).unwrap_err().to_string();
        assert!(refused(Kind::Number, &[("x", Remedy::Missing)]).starts_with("`x` is not a number"));
        assert!(refused(Kind::Flag, &[("true", Remedy::Map("maybe".into()))]).starts_with("`maybe` is not a flag"));
        let twice = refused(Kind::Number, &[("1", Remedy::Missing), ("1.0", Remedy::Missing)]);
        assert_eq!(twice, "`1` and `1.0` are one value that is decided about twice; keep one decision");
        let numbers = decided(Kind::Number, &[("1", Remedy::Reject)]).unwrap();
        assert!(numbers.met(&Column::flags([None])).is_err() && numbers.cell(&Cell::Flag(true)).is_err());
        let error = numbers.cell(&Cell::Number(1.0)).unwrap_err().to_string();
        assert!(error.starts_with("`1` is rejected by a decision; correct it"), "{error}");
    }

    #[test]
    fn a_shared_buffer_is_copied_only_where_a_value_changes() {
        let decided = decided(Kind::Number, &[("1", Remedy::Missing)]).unwrap();
        let column = Column::numbers([2.0, 3.0]);
        let met = decided.met(&column).unwrap();
        let same = decided.column(column.clone(), &met).unwrap();
        assert_eq!(same.as_numbers().unwrap().as_ptr(), column.as_numbers().unwrap().as_ptr());
    }
}
