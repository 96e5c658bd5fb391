//! Selectors: which columns a step works on, by kind, role, name or pattern.
//!
//! A selector is a value: it prints, compares and is saved with the step. It is resolved against a schema each time
//! the step is fitted; selecting nothing is not an error, the step then does nothing.

use std::fmt;
use std::ops::{BitAnd, BitOr, Sub};

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::error::{Result, SchemaError};
use crate::schema::{Field, Kind, Role, Schema};

/// A set of columns, described.
///
/// Union is `|`, intersection `&`, difference `-`.
///
/// ```
/// use stagewise_core::schema::{Field, Kind, Schema};
/// use stagewise_core::select::{categories, named, numbers};
///
/// let schema = Schema::new(vec![
///     Field::new("id", Kind::Number),
///     Field::new("age", Kind::Number),
///     Field::new("plan", Kind::Category),
/// ])?;
/// assert_eq!((numbers() - named(["id"])).positions(&schema)?, [1]);
/// assert_eq!((categories() | named(["age"])).positions(&schema)?, [1, 2]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Selector {
    /// Every column.
    All,
    /// Columns of a kind.
    Kind(Kind),
    /// Columns of a role.
    Role(Role),
    /// Columns by name; each must be there.
    Named(Vec<String>),
    /// Columns whose name matches a regular expression somewhere.
    Matching(String),
    /// Columns in either.
    Union(Box<Self>, Box<Self>),
    /// Columns in both.
    Intersection(Box<Self>, Box<Self>),
    /// Columns in the first and not in the second.
    Difference(Box<Self>, Box<Self>),
}

/// Every column.
pub fn all() -> Selector {
    Selector::All
}

/// Number columns.
pub fn numbers() -> Selector {
    Selector::Kind(Kind::Number)
}

/// Category columns.
pub fn categories() -> Selector {
    Selector::Kind(Kind::Category)
}

/// Flag columns.
pub fn flags() -> Selector {
    Selector::Kind(Kind::Flag)
}

/// Text columns.
pub fn texts() -> Selector {
    Selector::Kind(Kind::Text)
}

/// Timestamp columns.
pub fn timestamps() -> Selector {
    Selector::Kind(Kind::Timestamp)
}

/// Columns of a role.
pub fn role(role: Role) -> Selector {
    Selector::Role(role)
}

/// Columns by name; resolving fails if one is not there.
pub fn named<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Selector {
    Selector::Named(names.into_iter().map(Into::into).collect())
}

/// Columns whose name matches a regular expression somewhere.
pub fn matching(pattern: impl Into<String>) -> Selector {
    Selector::Matching(pattern.into())
}

impl Selector {
    /// The positions selected, ascending.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`] for a name that is not there, [`SchemaError::BadPattern`].
    pub fn positions(&self, schema: &Schema) -> Result<Vec<usize>> {
        let of = |keep: &dyn Fn(&Field) -> bool| {
            (0..schema.len()).filter(|&i| keep(&schema.fields()[i])).collect::<Vec<_>>()
        };
        Ok(match self {
            Self::All => of(&|_| true),
            Self::Kind(kind) => of(&|f| f.kind == *kind),
            Self::Role(role) => of(&|f| f.role == *role),
            Self::Named(names) => {
                let mut positions = names.iter().map(|n| schema.require(n)).collect::<Result<Vec<_>>>()?;
                positions.sort_unstable();
                positions.dedup();
                positions
            }
            Self::Matching(pattern) => {
                let regex = Regex::new(pattern)
                    .map_err(|e| SchemaError::BadPattern { pattern: pattern.clone(), reason: e.to_string() })?;
                of(&|f| regex.is_match(&f.name))
            }
            Self::Union(a, b) => {
                let mut positions = a.positions(schema)?;
                positions.extend(b.positions(schema)?);
                positions.sort_unstable();
                positions.dedup();
                positions
            }
            Self::Intersection(a, b) => {
                let other = b.positions(schema)?;
                a.positions(schema)?.into_iter().filter(|i| other.contains(i)).collect()
            }
            Self::Difference(a, b) => {
                let other = b.positions(schema)?;
                a.positions(schema)?.into_iter().filter(|i| !other.contains(i)).collect()
            }
        })
    }

    /// The positions selected whose columns are of `kind`; a column of another kind is an error if it was named.
    ///
    /// # Errors
    /// As [`positions`](Self::positions), and [`SchemaError::WrongKind`].
    pub fn positions_of(&self, schema: &Schema, kind: Kind) -> Result<Vec<usize>> {
        let positions = self.positions(schema)?;
        for &i in &positions {
            let field = &schema.fields()[i];
            if field.kind != kind {
                let error = SchemaError::WrongKind { expected: kind, found: field.kind };
                return Err(crate::Error::from(error).at(crate::error::Crumb::column(field.name.as_ref())));
            }
        }
        Ok(positions)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Kind(kind) => write!(f, "{kind} columns"),
            Self::Role(role) => write!(f, "{role} columns"),
            Self::Named(names) => write!(f, "{}", names.join(", ")),
            Self::Matching(pattern) => write!(f, "/{pattern}/"),
            Self::Union(a, b) => write!(f, "({a} | {b})"),
            Self::Intersection(a, b) => write!(f, "({a} & {b})"),
            Self::Difference(a, b) => write!(f, "({a} - {b})"),
        }
    }
}

impl BitOr for Selector {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self::Union(Box::new(self), Box::new(other))
    }
}

impl BitAnd for Selector {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self::Intersection(Box::new(self), Box::new(other))
    }
}

impl Sub for Selector {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::Difference(Box::new(self), Box::new(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("income_1", Kind::Number),
            Field::new("income_2", Kind::Number),
            Field::new("city", Kind::Category),
            Field::new("sex", Kind::Category).role(Role::Protected),
        ])
        .unwrap()
    }

    #[test]
    fn selectors_combine() {
        let s = schema();
        assert_eq!((all() - role(Role::Protected)).positions(&s).unwrap(), [0, 1, 2]);
        assert_eq!((matching("^income") & numbers()).positions(&s).unwrap(), [0, 1]);
        assert_eq!((named(["city", "city"]) | named(["income_2"])).positions(&s).unwrap(), [1, 2]);
        assert!(texts().positions(&s).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_resolved_says_so() {
        let s = schema();
        assert!(named(["citty"]).positions(&s).unwrap_err().to_string().contains("did you mean `city`"));
        assert!(matching("(").positions(&s).is_err());
        let error = all().positions_of(&s, Kind::Number).unwrap_err();
        assert_eq!(error.to_string(), "column `city`: is a category, a number is needed");
    }

    #[test]
    fn a_selector_survives_being_saved() {
        let selector = (numbers() | matching("x")) - named(["id"]);
        let json = serde_json::to_string(&selector).unwrap();
        assert_eq!(serde_json::from_str::<Selector>(&json).unwrap(), selector);
    }
}
