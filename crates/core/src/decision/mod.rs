//! What becomes of a value that should not be there: decided once, with who said so and why, saved, and met by training
//! rows and by rows at serving alike.
//!
//! A decision names a column, a value as it is written, and a [`Remedy`]. A file of them is TOML, a table per column, to be
//! edited by hand:
//!
//! ```toml
//! [plan]
//! "Prro" = { map = "pro" }
//! "-" = "missing"
//! "trial" = { becomes = "new_level", author = "M. Kern", note = "sold since May" }
//! ```
//!
//! | what | applies them to | rows that are rejected |
//! |---|---|---|
//! | [`ValueDecisions::apply`] | a whole table, before it is split | are left out |
//! | the step `ValueDecider` | columns on their way to a model, row by row too | an error that names column and value |
//! | the sampler `RejectedRows` | nothing | training rows are left out, so that the step can learn |

mod apply;
mod decided;
mod recoding;
mod written;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::apply::{Applied, DecisionCount};
pub use self::decided::Decided;
pub use self::recoding::Recoding;
use self::written::Written;
use crate::error::{At, Crumb, Error, PersistError, Result};
use crate::persist::Persist;

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// It is another value, written differently.
    Map(String),
    /// It is a value of its own, and stays.
    NewLevel,
    /// It is no value.
    Missing,
    /// Its row is not wanted: left out in training, refused at serving.
    Reject,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(to) => write!(f, "map to `{to}`"),
            Self::NewLevel => f.write_str("new level"),
            Self::Missing => f.write_str("missing"),
            Self::Reject => f.write_str("reject the row"),
        }
    }
}

/// A remedy, and who decided it and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct ValueDecision {
    /// What becomes of the value.
    pub remedy: Remedy,
    /// Who decided.
    pub author: Option<String>,
    /// Why.
    pub note: Option<String>,
}

impl ValueDecision {
    /// A decision of nobody in particular.
    pub fn new(remedy: Remedy) -> Self {
        Self { remedy, author: None, note: None }
    }

    /// Who decided. Default: nobody is named.
    #[must_use]
    pub fn author(mut self, author: impl Into<String>) -> Self {
        self.author = Some(author.into());
        self
    }

    /// Why. Default: nothing is said.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

impl From<Remedy> for ValueDecision {
    fn from(remedy: Remedy) -> Self {
        Self::new(remedy)
    }
}

/// Decisions by column and value.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::decision::{Remedy, ValueDecision, ValueDecisions};
/// use stagewise_core::table::Table;
///
/// let decisions = ValueDecisions::new()
///     .decide("plan", "Pro ", Remedy::Map("pro".into()))
///     .decide("plan", "-", ValueDecision::new(Remedy::Missing).author("M. Kern").note("the form's default"));
/// let table = Table::of([("plan", Column::categories([Some("pro"), Some("Pro "), Some("-"), Some("pro")]))])?;
/// let applied = decisions.apply(&table)?;
/// assert_eq!(applied.table.column("plan")?, &Column::categories([Some("pro"), Some("pro"), None, Some("pro")]));
/// assert_eq!(applied.counts.iter().map(|c| c.rows).collect::<Vec<_>>(), [1, 1]);
/// assert_eq!(ValueDecisions::from_toml(&decisions.to_toml()?)?, decisions);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ValueDecisions {
    columns: BTreeMap<String, BTreeMap<String, ValueDecision>>,
}

impl Persist for ValueDecisions {
    const TAG: &'static str = "ValueDecisions";
}

impl ValueDecisions {
    /// No decision yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides about a value; a later decision about the same value counts.
    #[must_use]
    pub fn decide(
        mut self,
        column: impl Into<String>,
        value: impl Into<String>,
        decision: impl Into<ValueDecision>,
    ) -> Self {
        self.columns.entry(column.into()).or_default().insert(value.into(), decision.into());
        self
    }

    /// What was decided about a value.
    pub fn of(&self, column: &str, value: &str) -> Option<&ValueDecision> {
        self.columns.get(column)?.get(value)
    }

    /// All decisions, by column and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &ValueDecision)> {
        self.columns.iter().flat_map(|(c, values)| values.iter().map(move |(v, d)| (c.as_str(), v.as_str(), d)))
    }

    /// The columns decided about, by name.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|(_, values)| !values.is_empty()).map(|(column, _)| column.as_str())
    }

    /// Whether nothing is decided.
    pub fn is_empty(&self) -> bool {
        self.columns.values().all(BTreeMap::is_empty)
    }

    /// Only the decisions about these columns: those about features for a step, say, out of a file about a whole table.
    #[must_use]
    pub fn about<S: AsRef<str>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        let mut named = BTreeMap::new();
        for column in columns {
            if let Some((column, values)) = self.columns.remove_entry(column.as_ref()) {
                named.insert(column, values);
            }
        }
        Self { columns: named }
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
    /// As [`to_toml`](Self::to_toml), and [`Io`](crate::error::ErrorKind::Io).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_toml()?).map_err(|e| Error::io(path, e))
    }

    /// Reads the decisions from a TOML file.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml), and [`Io`](crate::error::ErrorKind::Io).
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::from_toml(&text).at(|| Crumb::File(path.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::Saved;

    #[test]
    fn decisions_are_read_as_a_person_writes_them() {
        let text = "[plan]\n\"Prro\" = { map = \"pro\" }\n\"?\" = \"missing\"\nbasic = \"new_level\"\n\
                    x = { becomes = \"reject\", author = \"M. Kern\", note = \"never sold\" }\n\
                    y = { map = \"pro\", note = \"renamed\" }\n";
        let decisions = ValueDecisions::from_toml(text).unwrap();
        assert_eq!(decisions.of("plan", "Prro"), Some(&Remedy::Map("pro".into()).into()));
        assert_eq!(
            decisions.of("plan", "x"),
            Some(&ValueDecision::new(Remedy::Reject).author("M. Kern").note("never sold"))
        );
        assert_eq!(decisions.of("plan", "y"), Some(&ValueDecision::new(Remedy::Map("pro".into())).note("renamed")));
        assert_eq!(decisions.iter().count(), 5);
        assert_eq!(ValueDecisions::from_toml(&decisions.to_toml().unwrap()).unwrap(), decisions);
        assert_eq!(Saved::of(&decisions).unwrap().load::<ValueDecisions>().unwrap(), decisions);
    }

    #[test]
    fn a_slip_of_the_pen_is_refused_with_its_line() {
        for (line, told) in [
            ("a = \"mising\"", "mising"),
            ("a = { mapp = \"b\" }", "mapp"),
            ("a = { author = \"b\" }", "says neither"),
            ("a = { map = \"b\", becomes = \"missing\" }", "says both"),
        ] {
            let error = ValueDecisions::from_toml(&format!("[plan]\n{line}\n")).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("line 2"), "{error}");
        }
    }

    #[test]
    fn decisions_about_some_columns_leave_the_others() {
        let all = ValueDecisions::new().decide("a", "x", Remedy::Missing).decide("b", "y", Remedy::Reject).decide(
            "c",
            "z",
            Remedy::NewLevel,
        );
        let some = all.about(["c", "a", "none"]);
        assert_eq!(some.columns().collect::<Vec<_>>(), ["a", "c"]);
        assert!(some.about(Vec::<String>::new()).is_empty());
    }
}
