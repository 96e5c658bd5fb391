//! Where a table departs from its schema: every anomaly, with a name, how bad it is, and rows that show it.
//!
//! Names are those of TensorFlow Data Validation where it has one. A column whose kind is wrong is not looked into any
//! further; all other columns are.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::record::parse;
use stagewise_core::schema::Kind;
use stagewise_core::table::Table;

use super::finding::{Sample, Severity, names_text, rows_by_text, samples, samples_text};
use super::schema::{ColumnSchema, DataSchema, Environment};
use crate::leak::{MISSING_LEVEL, levels};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AnomalyKind {
    /// The table has fewer rows than it must. An error.
    TooFewRows,
    /// A column that is expected is not there. An error.
    MissingColumn,
    /// A column that no one expects. A warning.
    NewColumn,
    /// A column that is expected in the other environment only: a target when serving. A warning.
    NotExpectedHere,
    /// A column of another kind: an error; a notice for text instead of a category or the reverse, which readers tell
    /// apart by how often values repeat.
    WrongKind,
    /// Too few rows have a value. An error.
    LowPresence,
    /// Values that are none of the levels. An error; a notice within the tolerance.
    UnexpectedLevels,
    /// Numbers or times outside the range. An error; a notice within the tolerance.
    OutOfRange,
    /// Numbers that are infinite. A warning.
    NotFinite,
    /// Values that come twice and may not. An error.
    NotUnique,
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::TooFewRows => "DATASET_LOW_NUM_EXAMPLES",
            Self::MissingColumn => "SCHEMA_MISSING_COLUMN",
            Self::NewColumn => "SCHEMA_NEW_COLUMN",
            Self::NotExpectedHere => "COLUMN_OF_ANOTHER_ENVIRONMENT",
            Self::WrongKind => "UNEXPECTED_DATA_TYPE",
            Self::LowPresence => "FEATURE_TYPE_LOW_FRACTION_PRESENT",
            Self::UnexpectedLevels => "ENUM_TYPE_UNEXPECTED_STRING_VALUES",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::NotFinite => "FLOAT_TYPE_HAS_INF",
            Self::NotUnique => "NOT_UNIQUE",
        })
    }
}

/// One departure from the schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// What is wrong.
    pub kind: AnomalyKind,
    /// Where; none for the table as a whole.
    pub column: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What is expected.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// How many rows it concerns.
    pub rows: u64,
    /// The first of them.
    pub samples: Vec<Sample>,
}

/// All that departs from a schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SchemaReport {
    /// What the table was checked as.
    pub environment: Environment,
    /// How many rows were checked.
    pub rows: u64,
    /// The anomalies: of the table, then by column of the schema, then new columns.
    pub anomalies: Vec<Anomaly>,
}

impl SchemaReport {
    /// Whether there is no error; warnings and notices may be there.
    pub fn passed(&self) -> bool {
        self.of(Severity::Error).next().is_none()
    }

    /// The anomalies of this severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Anomaly> {
        self.anomalies.iter().filter(move |a| a.severity == severity)
    }
}

impl DataSchema {
    /// Everything in which the table departs from this schema. Columns are found by name; their order does not count.
    ///
    /// Missing values are judged by presence alone. `O(columns · rows · log rows)`; the same for any number of threads.
    pub fn check(&self, table: &Table, environment: Environment) -> SchemaReport {
        let rows = table.rows() as u64;
        let mut anomalies = Vec::new();
        if rows < self.least_rows {
            let (expected, found) = (format!("at least {} rows", self.least_rows), format!("{rows} rows"));
            anomalies.push(anomaly(AnomalyKind::TooFewRows, None, Severity::Error, expected, found));
        }
        let checked: Vec<Vec<Anomaly>> = self.columns.par_iter().map(|c| c.check(table, environment)).collect();
        anomalies.extend(checked.into_iter().flatten());
        for field in table.schema().fields() {
            if !self.columns.iter().any(|c| *c.name == *field.name) {
                let (expected, found) = ("no such column".to_string(), format!("a {} column", field.kind));
                let name = Some(field.name.as_ref());
                anomalies.push(anomaly(AnomalyKind::NewColumn, name, Severity::Warning, expected, found));
            }
        }
        SchemaReport { environment, rows, anomalies }
    }
}

impl ColumnSchema {
    fn check(&self, table: &Table, environment: Environment) -> Vec<Anomaly> {
        let here = self.environments.contains(&environment);
        let new = |kind, severity, expected, found| anomaly(kind, Some(&self.name), severity, expected, found);
        let Ok(column) = table.column(&self.name) else {
            let expected = format!("a {} column", self.kind);
            let missing = || new(AnomalyKind::MissingColumn, Severity::Error, expected, "no such column".into());
            return here.then(missing).into_iter().collect();
        };
        if !here {
            let expected = format!("no such column in {environment}");
            let found = format!("a {} column", column.kind());
            return vec![new(AnomalyKind::NotExpectedHere, Severity::Warning, expected, found)];
        }
        let mut anomalies = Vec::new();
        let keys = levels(column);
        let present: Vec<usize> = (0..keys.len()).filter(|&row| keys[row] != MISSING_LEVEL).collect();
        let rows_of = |mut anomaly: Anomaly, rows: &[usize]| {
            anomaly.rows = rows.len() as u64;
            anomaly.samples = samples(column, rows);
            anomaly
        };
        // A column without any value has no kind of its own.
        if column.kind() != self.kind && !present.is_empty() {
            let textual = |kind| matches!(kind, Kind::Category | Kind::Text);
            let kin = textual(column.kind()) && textual(self.kind);
            let severity = if kin { Severity::Notice } else { Severity::Error };
            let (expected, found) = (format!("a {}", self.kind), format!("a {}", column.kind()));
            anomalies.push(rows_of(new(AnomalyKind::WrongKind, severity, expected, found), &present));
            if !kin {
                return anomalies;
            }
        }
        let share = present.len() as f64 / keys.len() as f64;
        if !keys.is_empty() && share < self.presence {
            let absent: Vec<usize> = (0..keys.len()).filter(|&row| keys[row] == MISSING_LEVEL).collect();
            let expected = format!("a value in {} % of the rows", number(100.0 * self.presence));
            let found = format!("a value in {} %", number(100.0 * share));
            anomalies.push(rows_of(new(AnomalyKind::LowPresence, Severity::Error, expected, found), &absent));
        }
        let judged = |rows: &[usize]| {
            let within = rows.len() as f64 <= self.tolerance * present.len() as f64;
            if within { Severity::Notice } else { Severity::Error }
        };
        if let Some(known) = &self.levels {
            let mut strange = rows_by_text(column);
            strange.retain(|text, _| !known.contains(text));
            if !strange.is_empty() {
                let names: Vec<&String> = strange.keys().collect();
                let mut rows: Vec<usize> = strange.values().flatten().copied().collect();
                rows.sort_unstable();
                let (expected, found) = (format!("one of {}", names_text(known)), names_text(&names));
                anomalies.push(rows_of(new(AnomalyKind::UnexpectedLevels, judged(&rows), expected, found), &rows));
            }
        }
        if let Some((expected, outside)) = self.outside(column)
            && let Some(&first) = outside.first()
        {
            let found = format!("{} outside, such as {}", outside.len(), super::finding::shown(column, first));
            anomalies.push(rows_of(new(AnomalyKind::OutOfRange, judged(&outside), expected, found), &outside));
        }
        if let Column::Number(values) = column {
            let infinite: Vec<usize> = (0..values.len()).filter(|&row| values[row].is_infinite()).collect();
            if !infinite.is_empty() {
                let (expected, found) = ("finite numbers".to_string(), format!("{} infinite", infinite.len()));
                anomalies.push(rows_of(new(AnomalyKind::NotFinite, Severity::Warning, expected, found), &infinite));
            }
        }
        if self.unique {
            let again = repeated(&keys);
            if !again.is_empty() {
                let (expected, found) = ("each value once".to_string(), format!("{} come again", again.len()));
                anomalies.push(rows_of(new(AnomalyKind::NotUnique, Severity::Error, expected, found), &again));
            }
        }
        anomalies
    }

    /// What the range is, and the rows outside it; infinite numbers are reported apart.
    fn outside(&self, column: &Column) -> Option<(String, Vec<usize>)> {
        let text = |low: Option<String>, high: Option<String>| match (low, high) {
            (Some(low), Some(high)) => Some(format!("{low} to {high}")),
            (Some(low), None) => Some(format!("at least {low}")),
            (None, Some(high)) => Some(format!("at most {high}")),
            (None, None) => None,
        };
        match column {
            Column::Number(values) => {
                let (low, high) = (self.least.unwrap_or(f64::NEG_INFINITY), self.most.unwrap_or(f64::INFINITY));
                let expected = text(self.least.map(number), self.most.map(number))?;
                let off = |x: f64| x.is_finite() && !(low..=high).contains(&x);
                Some((expected, (0..values.len()).filter(|&row| off(values[row])).collect()))
            }
            Column::Timestamp(times) => {
                let read = |time: &Option<String>| time.as_deref().and_then(parse::timestamp);
                let (low, high) = (read(&self.earliest).unwrap_or(i64::MIN), read(&self.latest).unwrap_or(i64::MAX));
                let expected = text(self.earliest.clone(), self.latest.clone())?;
                let off = |t: i64| t != MISSING_TIME && !(low..=high).contains(&t);
                Some((expected, (0..times.len()).filter(|&row| off(times[row])).collect()))
            }
            _ => None,
        }
    }
}

/// The rows whose value came in an earlier row, ascending.
pub(super) fn repeated(keys: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).filter(|&row| keys[row] != MISSING_LEVEL).collect();
    order.sort_unstable_by_key(|&row| (keys[row], row));
    let mut again: Vec<usize> =
        order.windows(2).filter(|pair| keys[pair[0]] == keys[pair[1]]).map(|pair| pair[1]).collect();
    again.sort_unstable();
    again
}

fn anomaly(kind: AnomalyKind, column: Option<&str>, severity: Severity, expected: String, found: String) -> Anomaly {
    Anomaly { kind, column: column.map(Into::into), severity, expected, found, rows: 0, samples: Vec::new() }
}

impl Exhibit for SchemaReport {
    fn exhibit(&self) -> Section {
        let count = |severity| self.of(severity).count();
        let mut section = Section::new("Schema").text(format!(
            "{} rows checked as {}: {} errors, {} warnings, {} notices",
            self.rows,
            self.environment,
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Notice)
        ));
        if self.anomalies.is_empty() {
            return section;
        }
        let columns = ["severity", "column", "anomaly", "expected", "found", "rows", "such as"];
        let row = |a: &Anomaly| {
            vec![
                a.severity.to_string(),
                a.column.clone().unwrap_or_default(),
                a.kind.to_string(),
                a.expected.clone(),
                a.found.clone(),
                a.rows.to_string(),
                samples_text(&a.samples),
            ]
        };
        let rows = self.anomalies.iter().map(row).collect();
        section = section.block(Block::Table { columns: columns.map(String::from).to_vec(), rows });
        let share = |rows: u64| rows as f64 / self.rows.max(1) as f64;
        let named = |a: &Anomaly| a.column.as_ref().map(|c| (format!("{c}: {}", a.kind), share(a.rows)));
        let items: Vec<(String, f64)> = self.anomalies.iter().filter(|a| a.rows > 0).filter_map(named).collect();
        if items.is_empty() {
            return section;
        }
        section.block(Block::Chart(Chart::Bars { title: "Share of rows concerned".into(), items, mark: None }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stagewise_core::schema::{Field, Role, Schema};

    use super::*;

    fn table() -> Table {
        let fields = vec![
            Field::new("id", Kind::Text).role(Role::Id),
            Field::new("x", Kind::Number),
            Field::new("c", Kind::Category),
            Field::new("y", Kind::Flag).role(Role::Target),
        ];
        let ids: Vec<String> = (0..20).map(|i| format!("k{i}")).collect();
        let columns = vec![
            Column::texts(ids.iter().map(|t| Some(t.as_str()))),
            Column::numbers((0..20).map(f64::from).collect::<Vec<_>>()),
            Column::categories((0..20).map(|i| Some(["a", "b"][i % 2]))),
            Column::flags((0..20).map(|i| Some(i % 3 == 0)).collect::<Vec<_>>()),
        ];
        Table::new(Arc::new(Schema::new(fields).unwrap()), columns).unwrap()
    }

    fn found(report: &SchemaReport) -> Vec<(AnomalyKind, &str, Severity, u64)> {
        report.anomalies.iter().map(|a| (a.kind, a.column.as_deref().unwrap_or(""), a.severity, a.rows)).collect()
    }

    #[test]
    fn the_table_that_a_schema_was_read_off_keeps_to_it() {
        let table = table();
        let report = DataSchema::infer(&table).check(&table, Environment::Training);
        assert_eq!(report.anomalies, []);
        assert!(report.passed());
    }

    #[test]
    fn a_target_is_expected_in_training_alone() {
        let (table, schema) = (table(), DataSchema::infer(&table()));
        let without = table.select(&[0, 1, 2]).unwrap();
        assert_eq!(schema.check(&without, Environment::Serving).anomalies, []);
        let training = schema.check(&without, Environment::Training);
        assert_eq!(found(&training), [(AnomalyKind::MissingColumn, "y", Severity::Error, 0)]);
        let serving = schema.check(&table, Environment::Serving);
        assert_eq!(found(&serving), [(AnomalyKind::NotExpectedHere, "y", Severity::Warning, 0)]);
        assert!(serving.passed());
    }

    #[test]
    fn all_anomalies_are_collected() {
        let schema = DataSchema::infer(&table()).least_rows(9);
        let table = Table::of([
            ("id", Column::texts([Some("k1"), Some("k1"), Some("k2"), Some("k1")])),
            ("x", Column::numbers([-1.0, f64::INFINITY, 25.0, f64::NAN])),
            ("c", Column::categories([Some("z"), Some("a"), Some("A"), Some("z")])),
            ("y", Column::numbers([0.0, 1.0, 0.0, 1.0])),
            ("new", Column::numbers([0.0; 4])),
        ])
        .unwrap();
        let report = schema.check(&table, Environment::Training);
        assert_eq!(
            found(&report),
            [
                (AnomalyKind::TooFewRows, "", Severity::Error, 0),
                (AnomalyKind::NotUnique, "id", Severity::Error, 2),
                (AnomalyKind::LowPresence, "x", Severity::Error, 1),
                (AnomalyKind::OutOfRange, "x", Severity::Error, 2),
                (AnomalyKind::NotFinite, "x", Severity::Warning, 1),
                (AnomalyKind::UnexpectedLevels, "c", Severity::Error, 3),
                (AnomalyKind::WrongKind, "y", Severity::Error, 4),
                (AnomalyKind::NewColumn, "new", Severity::Warning, 0),
            ]
        );
        assert_eq!(report.anomalies[5].found, "`A`, `z`");
        assert_eq!(samples_text(&report.anomalies[1].samples), "row 1: k1, row 3: k1");
        let section = report.exhibit();
        assert_eq!(
            section.blocks[0],
            Block::Text("4 rows checked as TRAINING: 6 errors, 2 warnings, 0 notices".into())
        );
        assert!(matches!(&section.blocks[2], Block::Chart(Chart::Bars { items, .. }) if items.len() == 6));
    }

    #[test]
    fn what_the_tolerance_allows_is_a_notice() {
        let schema = DataSchema::infer(&table()).revise("c", |c| c.tolerance(0.25)).unwrap();
        let of = |levels: [&str; 4]| {
            let table = Table::of([("c", Column::categories(levels.map(Some)))]).unwrap();
            let report = schema.check(&table, Environment::Serving);
            report.anomalies.iter().find(|a| a.kind == AnomalyKind::UnexpectedLevels).map(|a| a.severity)
        };
        assert_eq!(of(["a", "a", "b", "z"]), Some(Severity::Notice));
        assert_eq!(of(["a", "z", "b", "z"]), Some(Severity::Error));
    }

    #[test]
    fn times_text_and_missing_columns_have_their_rules() {
        let schema = DataSchema::from_toml(
            "[[column]]\nname = \"t\"\nkind = \"timestamp\"\nearliest = \"1970-01-02\"\n\
             [[column]]\nname = \"c\"\nkind = \"category\"\nlevels = [\"a\"]\n\
             [[column]]\nname = \"n\"\nkind = \"flag\"\n",
        )
        .unwrap();
        let table = Table::of([
            ("t", Column::timestamps([0, 86_400_000_000, MISSING_TIME])),
            ("c", Column::texts([Some("a"), Some("b"), None])),
            ("n", Column::numbers([f64::NAN; 3])),
        ])
        .unwrap();
        let report = schema.check(&table, Environment::Serving);
        assert_eq!(
            found(&report),
            [
                (AnomalyKind::OutOfRange, "t", Severity::Error, 1),
                (AnomalyKind::WrongKind, "c", Severity::Notice, 2),
                (AnomalyKind::UnexpectedLevels, "c", Severity::Error, 1),
            ]
        );
        assert_eq!(report.anomalies[0].expected, "at least 1970-01-02");
    }
}
