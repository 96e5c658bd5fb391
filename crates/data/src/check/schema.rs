//! What a table should look like, written down: a schema that is inferred once, edited by hand, and checked for ever.
//!
//! The file is TOML, one `[[column]]` after another, with words a person can guess. A key that is not known is refused,
//! so that a slip of the pen is not silently a rule less. After TensorFlow Data Validation (Breck et al. 2019, "Data
//! validation for machine learning"), whose schema, environments and names of anomalies this keeps.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use stagewise_core::error::{At, Crumb, Error, ParameterError, PersistError, Result, SchemaError};
use stagewise_core::persist::Persist;
use stagewise_core::record::parse;
use stagewise_core::schema::{Field, Kind, Role, Schema};

/// Where rows come from: a column may be expected in one place and not in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Environment {
    /// Rows to learn from: the target is known.
    Training,
    /// Rows to answer for.
    Serving,
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Training => "TRAINING",
            Self::Serving => "SERVING",
        })
    }
}

/// What is expected of a table.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::check::{DataSchema, Environment};
///
/// let old = Table::of([("age", Column::numbers([31.0, 44.0])), ("plan", Column::categories([Some("a"), Some("b")]))])?;
/// let schema = DataSchema::infer(&old).revise("age", |age| age.least(0.0).most(120.0))?;
/// let new = Table::of([("age", Column::numbers([131.0])), ("plan", Column::categories([Some("c")]))])?;
/// let report = schema.check(&new, Environment::Serving);
/// let names: Vec<String> = report.anomalies.iter().map(|a| a.kind.to_string()).collect();
/// assert_eq!(names, ["OUT_OF_RANGE", "ENUM_TYPE_UNEXPECTED_STRING_VALUES"]);
/// assert_eq!(DataSchema::from_toml(&schema.to_toml()?)?, schema);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSchema {
    pub(super) least_rows: u64,
    #[serde(rename = "column")]
    pub(super) columns: Vec<ColumnSchema>,
}

/// What is expected of a column. Everything that is not said is not checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSchema {
    pub(super) name: String,
    pub(super) kind: Kind,
    #[serde(default = "feature")]
    pub(super) role: Role,
    #[serde(default = "everywhere", skip_serializing_if = "is_everywhere")]
    pub(super) environments: Vec<Environment>,
    #[serde(default)]
    pub(super) presence: f64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) unique: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) tolerance: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) least: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) most: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) earliest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) latest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) levels: Option<Vec<String>>,
}

fn feature() -> Role {
    Role::Feature
}

fn everywhere() -> Vec<Environment> {
    vec![Environment::Training, Environment::Serving]
}

fn is_everywhere(environments: &[Environment]) -> bool {
    environments == everywhere()
}

fn is_zero(share: &f64) -> bool {
    *share == 0.0
}

impl Persist for DataSchema {
    const TAG: &'static str = "DataSchema";
}

impl DataSchema {
    /// The fewest rows that a table may have. Default 0; an inferred schema says 1.
    #[must_use]
    pub fn least_rows(mut self, rows: u64) -> Self {
        self.least_rows = rows;
        self
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[ColumnSchema] {
        &self.columns
    }

    /// Adds a column.
    ///
    /// # Errors
    /// [`SchemaError::DuplicateColumn`], and rules of the column that contradict each other.
    pub fn column(mut self, column: ColumnSchema) -> Result<Self> {
        self.columns.push(column);
        self.validated()
    }

    /// Changes what is expected of one column.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`], and rules that contradict each other.
    pub fn revise(mut self, name: &str, change: impl FnOnce(ColumnSchema) -> ColumnSchema) -> Result<Self> {
        let names = self.columns.iter().map(|c| Field::new(c.name.as_str(), c.kind)).collect();
        let place = Schema::new(names)?.require(name)?;
        self.columns[place] = change(self.columns[place].clone());
        self.validated()
    }

    /// The schema as TOML.
    ///
    /// # Errors
    /// [`PersistError::Unencodable`].
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self)
            .map_err(|e| PersistError::Unencodable { part: "the schema".into(), reason: e.to_string() }.into())
    }

    /// Reads what [`to_toml`](Self::to_toml) wrote and a person may have edited.
    ///
    /// # Errors
    /// [`PersistError::Undecodable`] with line and column for text that is no TOML, for keys that are not known and values
    /// of the wrong type; [`SchemaError::DuplicateColumn`]; rules that contradict each other.
    pub fn from_toml(text: &str) -> Result<Self> {
        let schema: Self = toml::from_str(text)
            .map_err(|e| PersistError::Undecodable { part: "the schema".into(), reason: e.to_string() })?;
        schema.validated()
    }

    /// Writes the schema to a TOML file.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml), and [`Io`](stagewise_core::error::ErrorKind::Io).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_toml()?).map_err(|e| Error::io(path, e))
    }

    /// Reads the schema from a TOML file.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml), and [`Io`](stagewise_core::error::ErrorKind::Io).
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::from_toml(&text).at(|| Crumb::File(path.into()))
    }

    fn validated(self) -> Result<Self> {
        let mut names = BTreeSet::new();
        for column in &self.columns {
            if !names.insert(column.name.as_str()) {
                return Err(SchemaError::DuplicateColumn { name: column.name.clone() }.into());
            }
            column.validate().at(|| Crumb::column(column.name.as_str()))?;
        }
        Ok(self)
    }
}

impl ColumnSchema {
    /// A feature column of which nothing but its kind is expected, in both environments.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            role: Role::Feature,
            environments: everywhere(),
            presence: 0.0,
            unique: false,
            tolerance: 0.0,
            least: None,
            most: None,
            earliest: None,
            latest: None,
            levels: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for; not checked, for it is the problem that decides. Default feature.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Where the column is expected. Default both; elsewhere a table that has it gets a warning.
    #[must_use]
    pub fn environments(mut self, environments: impl IntoIterator<Item = Environment>) -> Self {
        self.environments = environments.into_iter().collect();
        self
    }

    /// The least share of rows that have a value, in [0, 1]. Default 0.
    #[must_use]
    pub fn presence(mut self, share: f64) -> Self {
        self.presence = share;
        self
    }

    /// Whether no value may come twice; missing values may. Default no.
    #[must_use]
    pub fn unique(mut self, unique: bool) -> Self {
        self.unique = unique;
        self
    }

    /// The share of present values that may be outside the levels or the range, in [0, 1]. Default 0. Within it a finding
    /// is a notice, above it an error.
    #[must_use]
    pub fn tolerance(mut self, share: f64) -> Self {
        self.tolerance = share;
        self
    }

    /// The least number. Default none.
    #[must_use]
    pub fn least(mut self, least: f64) -> Self {
        self.least = Some(least);
        self
    }

    /// The greatest number. Default none.
    #[must_use]
    pub fn most(mut self, most: f64) -> Self {
        self.most = Some(most);
        self
    }

    /// The first point in time, as text: `2024-02-29` or `2024-02-29T12:30:00`. Default none.
    #[must_use]
    pub fn earliest(mut self, time: impl Into<String>) -> Self {
        self.earliest = Some(time.into());
        self
    }

    /// The last point in time, as text. Default none.
    #[must_use]
    pub fn latest(mut self, time: impl Into<String>) -> Self {
        self.latest = Some(time.into());
        self
    }

    /// The values that a category or text may have. Default any.
    #[must_use]
    pub fn levels<S: Into<String>>(mut self, levels: impl IntoIterator<Item = S>) -> Self {
        self.levels = Some(levels.into_iter().map(Into::into).collect());
        self
    }

    fn validate(&self) -> Result<()> {
        ParameterError::check((0.0..=1.0).contains(&self.presence), "presence", self.presence, "0 to 1")?;
        ParameterError::check((0.0..=1.0).contains(&self.tolerance), "tolerance", self.tolerance, "0 to 1")?;
        for (name, bound) in [("least", self.least), ("most", self.most)] {
            if let Some(bound) = bound {
                let fits = !bound.is_nan() && self.kind == Kind::Number;
                ParameterError::check(fits, name, bound, "a number, for a number column")?;
            }
        }
        if let (Some(least), Some(most)) = (self.least, self.most) {
            ParameterError::check(least <= most, "least", least, "at most `most`")?;
        }
        let mut ends = Vec::new();
        for (name, time) in [("earliest", &self.earliest), ("latest", &self.latest)] {
            if let Some(text) = time {
                let fits = self.kind == Kind::Timestamp && parse::timestamp(text).is_some();
                ParameterError::check(fits, name, text, "a date or time like 2024-02-29T12:30:00, for a timestamp")?;
                ends.push(parse::timestamp(text));
            }
        }
        if let [first, last] = ends[..] {
            ParameterError::check(first <= last, "earliest", format!("{:?}", self.earliest), "at most `latest`")?;
        }
        let named = self.levels.is_none() || matches!(self.kind, Kind::Category | Kind::Text);
        ParameterError::check(named, "levels", self.kind, "a category or text")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_a_person_writes_it() {
        let text = "least_rows = 10\n\n[[column]]\nname = \"age\"\nkind = \"number\"\nleast = 18\n\n\
                    [[column]]\nname = \"late\"\nkind = \"flag\"\nenvironments = [\"TRAINING\"]\n";
        let schema = DataSchema::from_toml(text).unwrap();
        let age = ColumnSchema::new("age", Kind::Number).least(18.0);
        let late = ColumnSchema::new("late", Kind::Flag).environments([Environment::Training]);
        assert_eq!(schema, DataSchema::default().least_rows(10).column(age).unwrap().column(late).unwrap());
        let written = schema.to_toml().unwrap();
        let age = "[[column]]\nname = \"age\"\nkind = \"number\"\nrole = \"feature\"\npresence = 0.0\nleast = 18.0\n";
        assert!(written.contains(age), "{written}");
    }

    #[test]
    fn slips_are_refused_and_say_where() {
        let column = "[[column]]\nname = \"a\"\nkind = \"number\"\n";
        for (text, needle) in [
            ("colunm = 1".to_string(), "unknown field `colunm`"),
            (format!("{column}precense = 0.5\n"), "unknown field `precense`"),
            (format!("{column}presence = 1.5\n"), "column `a`: `presence` is 1.5, allowed is 0 to 1"),
            (format!("{column}levels = [\"x\"]\n"), "column `a`: `levels` is number"),
            (format!("{column}least = 2\nmost = 1\n"), "`least` is 2"),
            (format!("{column}earliest = \"2024-01-01\"\n"), "`earliest`"),
            (format!("{column}{column}"), "two columns are named `a`"),
            ("[[column]]\nname = \"a\"\nkind = \"nmber\"\n".into(), "unknown variant `nmber`"),
        ] {
            let error = DataSchema::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(needle), "{text}: {error}");
        }
    }

    #[test]
    fn a_saved_schema_comes_back_whole() {
        let column = ColumnSchema::new("t", Kind::Timestamp).earliest("2024-01-01").latest("2025-01-01T10:00:00");
        let schema = DataSchema::default().column(column).unwrap();
        let back: DataSchema = stagewise_core::persist::Saved::of(&schema).unwrap().load().unwrap();
        assert_eq!(back, schema);
        let path = std::env::temp_dir().join(format!("stagewise-schema-{}.toml", std::process::id()));
        schema.save(&path).unwrap();
        assert_eq!(DataSchema::load(&path).unwrap(), schema);
        std::fs::remove_file(&path).unwrap();
        assert!(DataSchema::load(&path).unwrap_err().to_string().contains(".toml"));
    }
}
