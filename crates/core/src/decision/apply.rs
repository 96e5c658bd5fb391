//! Decisions met by a whole table: counted, and applied before the rows are split.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Decided, Recoding, ValueDecision, ValueDecisions};
use crate::column::Column;
use crate::error::{At, Crumb, Result};
use crate::exhibit::{Block, Exhibit, Section};
use crate::schema::{Field, Kind, Schema};
use crate::table::Table;

/// A decision and how many rows it met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionCount {
    /// The column.
    pub column: String,
    /// The value as it is written.
    pub value: String,
    /// What was decided.
    pub decision: ValueDecision,
    /// In how many rows it was met.
    pub rows: u64,
}

/// A table after the decisions.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The table, without the rows that were rejected.
    pub table: Table,
    /// Each decision with its rows, by column and value; also those that met none.
    pub counts: Vec<DecisionCount>,
    /// The rows of the original that were left out, ascending.
    pub rejected: Vec<usize>,
}

/// The decisions about one column of a table, and the rows that meet them.
struct Meeting {
    position: usize,
    decided: Decided,
    met: Vec<(usize, usize)>,
}

impl ValueDecisions {
    /// The positions of the columns decided about, ascending.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`](crate::error::SchemaError).
    pub fn positions(&self, schema: &Schema) -> Result<Vec<usize>> {
        let mut positions: Vec<usize> = self.columns().map(|name| schema.require(name)).collect::<Result<_>>()?;
        positions.sort_unstable();
        Ok(positions)
    }

    /// The decisions about a column, read as values of its kind; none if nothing is decided about it.
    ///
    /// # Errors
    /// As [`Decided::new`].
    pub fn decided(&self, column: &str, kind: Kind) -> Result<Decided> {
        let decisions = self.columns.get(column).cloned().unwrap_or_default();
        Decided::new(kind, &decisions)
    }

    /// How many rows of a table meet each decision, by column and value; also those that met none. For rows that arrived
    /// at serving as for training rows: what is counted is what arrived, before any decision. Each row counts once, whatever
    /// its weight. `O(rows log decisions)` per column decided about.
    ///
    /// ```
    /// use stagewise_core::column::Column;
    /// use stagewise_core::decision::{Remedy, ValueDecisions};
    /// use stagewise_core::table::Table;
    ///
    /// let decisions = ValueDecisions::new().decide("state", "Califronia", Remedy::Map("California".into()));
    /// let week = Table::of([("state", Column::categories([Some("Califronia"), Some("Utah"), Some("Califronia")]))])?;
    /// assert_eq!(decisions.counts(&week)?[0].rows, 2);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`](crate::error::SchemaError), and as [`Decided::new`].
    pub fn counts(&self, table: &Table) -> Result<Vec<DecisionCount>> {
        Ok(counts(table.schema(), &self.meetings(table)?))
    }

    /// The rows of a table that a decision rejects, ascending.
    ///
    /// # Errors
    /// As [`counts`](Self::counts).
    pub fn rejected(&self, table: &Table) -> Result<Vec<usize>> {
        Ok(rejected(&self.meetings(table)?))
    }

    /// Applies the decisions to a table. What a value is mapped to is not decided again. A level that is mapped away, missing
    /// or rejected leaves the levels; the others keep their order. `O(rows log decisions)` per column decided about; other
    /// columns are shared, unless rows are left out.
    ///
    /// # Errors
    /// As [`counts`](Self::counts).
    pub fn apply(&self, table: &Table) -> Result<Applied> {
        let meetings = self.meetings(table)?;
        let (schema, mut columns) = table.clone().into_parts();
        let (counts, rejected) = (counts(&schema, &meetings), rejected(&meetings));
        for Meeting { position, decided, met } in &meetings {
            let column = columns[*position].clone();
            columns[*position] = match column.as_categories() {
                Ok((_, levels)) => Recoding::new(decided, levels).column(decided, column)?,
                Err(_) => decided.column(column, met)?,
            };
        }
        let mut rows = table.rows();
        if !rejected.is_empty() {
            let kept: Vec<usize> = (0..rows).filter(|row| rejected.binary_search(row).is_err()).collect();
            columns.iter_mut().for_each(|column| *column = column.take(&kept));
            rows = kept.len();
        }
        let mut fields: Vec<Field> = schema.fields().to_vec();
        for Meeting { position, .. } in &meetings {
            let (field, column) = (&mut fields[*position], &columns[*position]);
            field.missing |= column.missing_count() > 0;
            if let Column::Category { levels, .. } = column {
                field.levels = Some(levels.clone());
            }
        }
        let table = Table::sized(Arc::new(Schema::new(fields)?), columns, rows)?;
        Ok(Applied { table, counts, rejected })
    }

    fn meetings(&self, table: &Table) -> Result<Vec<Meeting>> {
        let meeting = |name: &str| {
            let position = table.schema().require(name)?;
            let column = &table.columns()[position];
            let decided = self.decided(name, column.kind()).at(|| Crumb::column(name))?;
            let met = decided.met(column).at(|| Crumb::column(name))?;
            Ok(Meeting { position, decided, met })
        };
        self.columns().map(meeting).collect()
    }
}

fn counts(schema: &Schema, meetings: &[Meeting]) -> Vec<DecisionCount> {
    let counted = |meeting: &Meeting| {
        let mut rows = vec![0; meeting.decided.len()];
        meeting.met.iter().for_each(|&(_, place)| rows[place] += 1);
        meeting.decided.counts(&schema.fields()[meeting.position].name, &rows)
    };
    meetings.iter().flat_map(counted).collect()
}

fn rejected(meetings: &[Meeting]) -> Vec<usize> {
    let met = meetings.iter().flat_map(|meeting| meeting.met.iter().map(move |&(row, place)| (meeting, row, place)));
    let mut rows: Vec<usize> =
        met.filter(|(meeting, _, place)| meeting.decided.refuses(*place)).map(|(_, row, _)| row).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

impl Decided {
    /// The decisions with the rows that each met, as counted for the column `column`.
    pub fn counts(&self, column: &str, rows: &[u64]) -> Vec<DecisionCount> {
        let count = |((value, decision), rows): ((&str, &ValueDecision), &u64)| DecisionCount {
            column: column.into(),
            value: value.into(),
            decision: decision.clone(),
            rows: *rows,
        };
        self.iter().zip(rows).map(count).collect()
    }
}

/// A table of what met how many rows; authors and notes where there are any.
impl Exhibit for [DecisionCount] {
    fn exhibit(&self) -> Section {
        let told = |c: &DecisionCount| [c.decision.author.clone(), c.decision.note.clone()];
        let has = [0, 1].map(|i| self.iter().any(|c| told(c)[i].is_some()));
        let mut columns = ["column", "value", "decision", "rows"].map(String::from).to_vec();
        columns.extend(["author", "note"].iter().zip(has).filter(|(_, has)| *has).map(|(name, _)| (*name).to_string()));
        let row = |c: &DecisionCount| {
            let mut row = vec![c.column.clone(), c.value.clone(), c.decision.remedy.to_string(), c.rows.to_string()];
            row.extend(told(c).into_iter().zip(has).filter(|(_, has)| *has).map(|(text, _)| text.unwrap_or_default()));
            row
        };
        Section::new("Decisions").block(Block::Table { columns, rows: self.iter().map(row).collect() })
    }
}

impl Exhibit for Applied {
    fn exhibit(&self) -> Section {
        let mut section = self.counts.exhibit();
        let text = format!("{} rows kept, {} rejected", self.table.rows(), self.rejected.len());
        section.blocks.insert(0, Block::Text(text));
        section
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Remedy;
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    fn table() -> Table {
        Table::of([
            ("c", Column::categories([Some("a"), Some("A"), Some("x"), Some("q"), None])),
            ("t", Column::texts([Some("u"), Some("v"), None, Some("u"), Some("w")])),
            ("n", Column::numbers([999.0, 1.0, 2.0, f64::NAN, 999.0])),
        ])
        .unwrap()
    }

    fn decisions() -> ValueDecisions {
        ValueDecisions::new()
            .decide("c", "A", Remedy::Map("b".into()))
            .decide("c", "q", ValueDecision::new(Remedy::Reject).author("M. Kern"))
            .decide("c", "x", Remedy::NewLevel)
            .decide("c", "gone", Remedy::Missing)
            .decide("t", "u", Remedy::Missing)
            .decide("t", "w", Remedy::Map("v".into()))
            .decide("n", "999.0", Remedy::Missing)
            .decide("n", "1", Remedy::Map("7".into()))
    }

    #[test]
    fn each_decision_does_what_it_says_and_is_counted() {
        let (table, decisions) = (table(), decisions());
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
        assert_eq!(decisions.counts(&table).unwrap(), applied.counts);
        assert_eq!(decisions.rejected(&table).unwrap(), applied.rejected);
        assert!(applied.table.schema().field("t").unwrap().missing);
        let levels = applied.table.columns()[0].as_categories().unwrap().1.to_strings();
        assert_eq!(levels, ["a", "x", "b"]);
        let section = applied.exhibit();
        let Block::Table { columns, rows } = &section.blocks[1] else { panic!("a table") };
        assert_eq!(columns, &["column", "value", "decision", "rows", "author"]);
        assert_eq!(rows[2], ["c", "q", "reject the row", "1", "M. Kern"]);
    }

    proptest! {
        /// Whatever the decisions, a row holds what its own value was decided to be.
        #[test]
        fn each_row_is_decided_by_its_value_alone(
            values in vec(option::of(0_usize..6), 0..30),
            decided in btree_map(0_usize..8, 0_usize..12, 0..8),
        ) {
            const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
            let remedy = |code: &usize| match code {
                8 => Remedy::NewLevel,
                9 => Remedy::Missing,
                10 | 11 => Remedy::Reject,
                to => Remedy::Map(NAMES[*to].into()),
            };
            let decisions = decided.iter().fold(ValueDecisions::new(), |all, (value, code)| {
                all.decide("c", NAMES[*value], remedy(code)).decide("t", NAMES[*value], remedy(code))
            });
            let texts: Vec<Option<&str>> = values.iter().map(|value| value.map(|v| NAMES[v])).collect();
            let columns =
                [("c", Column::categories(texts.iter().copied())), ("t", Column::texts(texts.iter().copied()))];
            let table = Table::of(columns).unwrap();
            let applied = decisions.apply(&table).unwrap();
            let one = |text: Option<&'static str>| match text.and_then(|t| decisions.of("c", t)).map(|d| &d.remedy) {
                Some(Remedy::Map(to)) => Some(Some(to.clone())),
                Some(Remedy::Missing) => Some(None),
                Some(Remedy::Reject) => None,
                None | Some(Remedy::NewLevel) => Some(text.map(String::from)),
            };
            let expected: Vec<Option<String>> = values.iter().filter_map(|v| one(v.map(|v| NAMES[v]))).collect();
            let expected = || expected.iter().map(Option::as_deref);
            prop_assert_eq!(applied.table.column("c").unwrap(), &Column::categories(expected()));
            prop_assert_eq!(applied.table.column("t").unwrap(), &Column::texts(expected()));
            prop_assert_eq!(applied.rejected.len() + applied.table.rows(), values.len());
        }
    }

    #[test]
    fn a_column_missing_only_in_rejected_rows_has_no_missing_values() {
        let table = Table::of([("n", Column::numbers([1.0, 2.0]))]).unwrap();
        let applied = ValueDecisions::new().decide("n", "2", Remedy::Reject).apply(&table).unwrap();
        assert_eq!((applied.table.rows(), applied.table.schema().fields()[0].missing), (1, false));
    }

    #[test]
    fn what_cannot_be_decided_is_refused_at_its_column() {
        let table = Table::of([("n", Column::numbers([1.0])), ("f", Column::flags(vec![None]))]).unwrap();
        for (column, value, remedy, told) in [
            ("z", "1", Remedy::Missing, "there is no column `z`"),
            ("f", "maybe", Remedy::Missing, "column `f`: `maybe` is not a flag"),
            ("n", "1", Remedy::Map("x".into()), "column `n`: `x` is not a number"),
        ] {
            let error = ValueDecisions::new().decide(column, value, remedy).apply(&table).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
