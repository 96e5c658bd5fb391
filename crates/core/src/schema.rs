//! What the columns of a table are: names, kinds, roles, levels, origins.
//!
//! `Kind` is what a column means, not how it is stored; `Role` is what it is for. A fitted pipeline carries the
//! schema of its training data: levels keep their codes for ever, and every derived column remembers the raw
//! columns it came from.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::error::{Result, SchemaError};

/// What a column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// One of a set of levels without arithmetic.
    Category,
    /// Yes or no.
    Flag,
    /// A quantity.
    Number,
    /// Free text, ids: (nearly) every row its own.
    Text,
    /// A point in time, in microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Category => "category",
            Self::Flag => "flag",
            Self::Number => "number",
            Self::Text => "text",
            Self::Timestamp => "timestamp",
        })
    }
}

/// What a column is for. A column has one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Input of the model.
    Feature,
    /// Rows of one group never stand on both sides of a split.
    Group,
    /// Names a row.
    Id,
    /// Kept out of everything.
    Ignored,
    /// Protected attribute: kept from the model, used to measure fairness.
    Protected,
    /// What is predicted.
    Target,
    /// Orders the rows.
    Time,
    /// How much a row counts.
    Weight,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Feature => "feature",
            Self::Group => "group",
            Self::Id => "id",
            Self::Ignored => "ignored",
            Self::Protected => "protected",
            Self::Target => "target",
            Self::Time => "time",
            Self::Weight => "weight",
        })
    }
}

/// The ordered levels of a category; a code is a position in this list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Arc<str>>", into = "Vec<Arc<str>>")]
pub struct Levels {
    names: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
}

impl Levels {
    /// The levels in this order; of equal names the first counts.
    pub fn new<S: Into<Arc<str>>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut levels = Self::default();
        for name in names {
            levels.intern_shared(name.into());
        }
        levels
    }

    /// The code of `name`, appending it if it is new.
    pub fn intern(&mut self, name: &str) -> u32 {
        self.code(name).unwrap_or_else(|| self.intern_shared(name.into()))
    }

    fn intern_shared(&mut self, name: Arc<str>) -> u32 {
        let next = self.names.len() as u32;
        let code = *self.codes.entry(name.clone()).or_insert(next);
        if code == next {
            self.names.push(name);
        }
        code
    }

    /// The code of a level.
    pub fn code(&self, name: &str) -> Option<u32> {
        self.codes.get(name).copied()
    }

    /// The level of a code.
    pub fn name(&self, code: u32) -> Option<&Arc<str>> {
        self.names.get(code as usize)
    }

    /// The levels in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.names.iter()
    }

    /// How many levels there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no level.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether `self` begins with the levels of `other`, so that codes of `other` mean the same here.
    pub fn extends(&self, other: &Self) -> bool {
        self.names.len() >= other.names.len() && self.names[..other.names.len()] == other.names[..]
    }

    /// The names as owned strings, for messages.
    pub fn to_strings(&self) -> Vec<String> {
        self.names.iter().map(ToString::to_string).collect()
    }
}

impl PartialEq for Levels {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl From<Vec<Arc<str>>> for Levels {
    fn from(names: Vec<Arc<str>>) -> Self {
        Self::new(names)
    }
}

impl From<Levels> for Vec<Arc<str>> {
    fn from(levels: Levels) -> Self {
        levels.names
    }
}

/// Text that stands for a missing value, in files and in requests alike.
///
/// Compared without surrounding blanks, and without regard to case. The default is the empty text, `NA`, `N/A`,
/// `NaN`, `null`, `none` and `?`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MissingTokens(Arc<[Arc<str>]>);

impl MissingTokens {
    /// These tokens and no others.
    pub fn new<S: AsRef<str>>(tokens: impl IntoIterator<Item = S>) -> Self {
        Self(tokens.into_iter().map(|t| Arc::from(t.as_ref().trim())).collect())
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|t| &**t)
    }

    /// Whether `text` stands for a missing value.
    pub fn contains(&self, text: &str) -> bool {
        let text = text.trim();
        self.0.iter().any(|t| t.eq_ignore_ascii_case(text))
    }
}

impl Default for MissingTokens {
    fn default() -> Self {
        static DEFAULT: LazyLock<MissingTokens> =
            LazyLock::new(|| MissingTokens::new(["", "NA", "N/A", "NaN", "null", "none", "?"]));
        DEFAULT.clone()
    }
}

/// One column of a schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// The column's name.
    pub name: Arc<str>,
    /// What it means.
    pub kind: Kind,
    /// What it is for.
    pub role: Role,
    /// Whether missing values were seen or may come.
    pub missing: bool,
    /// The levels of a category, whose codes are fixed by this list.
    pub levels: Option<Arc<Levels>>,
    /// The raw columns this one was made from; its own name for a raw column.
    pub origin: Arc<[Arc<str>]>,
    /// What text stands for a missing value in this column.
    pub tokens: MissingTokens,
}

impl Field {
    /// A raw feature column without missing values.
    pub fn new(name: impl Into<Arc<str>>, kind: Kind) -> Self {
        let name = name.into();
        Self {
            origin: Arc::from([name.clone()]),
            name,
            kind,
            role: Role::Feature,
            missing: false,
            levels: None,
            tokens: MissingTokens::default(),
        }
    }

    /// A column computed from others: their origins, in order and once each, are its origin.
    pub fn derived<'a>(name: impl Into<Arc<str>>, kind: Kind, from: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut origin: Vec<Arc<str>> = Vec::new();
        for field in from {
            for raw in field.origin.iter() {
                if !origin.contains(raw) {
                    origin.push(raw.clone());
                }
            }
        }
        Self { origin: origin.into(), ..Self::new(name, kind) }
    }

    /// Sets the role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Says whether missing values may come.
    #[must_use]
    pub fn missing(mut self, missing: bool) -> Self {
        self.missing = missing;
        self
    }

    /// Sets the levels.
    #[must_use]
    pub fn levels(mut self, levels: Arc<Levels>) -> Self {
        self.levels = Some(levels);
        self
    }
}

/// The ordered columns of a table, found by name in constant time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Field>", into = "Vec<Field>")]
pub struct Schema {
    fields: Vec<Field>,
    positions: HashMap<Arc<str>, usize>,
}

impl Schema {
    /// The schema with these columns, in order.
    ///
    /// # Errors
    /// [`SchemaError::DuplicateColumn`] if two columns share a name.
    pub fn new(fields: Vec<Field>) -> Result<Self> {
        let mut positions = HashMap::with_capacity(fields.len());
        for (i, field) in fields.iter().enumerate() {
            if positions.insert(field.name.clone(), i).is_some() {
                return Err(SchemaError::DuplicateColumn { name: field.name.to_string() }.into());
            }
        }
        Ok(Self { fields, positions })
    }

    /// The columns in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// A column by name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.position(name).map(|i| &self.fields[i])
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no column.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The names in order, for messages and responses.
    pub fn names(&self) -> Vec<String> {
        self.fields.iter().map(|f| f.name.to_string()).collect()
    }

    /// The position of a column that must be there.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`] with the nearest names.
    pub fn require(&self, name: &str) -> Result<usize> {
        self.position(name).ok_or_else(|| {
            SchemaError::MissingColumn {
                name: name.into(),
                nearest: nearest(name, self.fields.iter().map(|f| f.name.as_ref())),
            }
            .into()
        })
    }

    /// The error of having got the columns of `found` where these are needed.
    pub(crate) fn mismatch(&self, found: &Self) -> SchemaError {
        SchemaError::WrongColumns { expected: self.names(), found: found.names() }
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl TryFrom<Vec<Field>> for Schema {
    type Error = crate::Error;

    fn try_from(fields: Vec<Field>) -> Result<Self> {
        Self::new(fields)
    }
}

impl From<Schema> for Vec<Field> {
    fn from(schema: Schema) -> Self {
        schema.fields
    }
}

/// The at most three names most like `name`, best first: what a misspelt name may have meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    /// Jaro–Winkler similarity below which a name is no help.
    const ALIKE: f64 = 0.75;
    let lower = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .map(|k| (strsim::jaro_winkler(&lower, &k.to_lowercase()), k))
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, k)| k.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_column_is_answered_with_the_nearest() {
        let schema =
            Schema::new(vec![Field::new("age", Kind::Number), Field::new("workclass", Kind::Category)]).unwrap();
        let error = schema.require("work_class").unwrap_err();
        assert_eq!(error.to_string(), "there is no column `work_class`; did you mean `workclass`?");
    }

    #[test]
    fn levels_keep_their_codes_when_they_grow() {
        let old = Levels::new(["a", "b"]);
        let mut new = old.clone();
        assert_eq!(new.intern("c"), 2);
        assert_eq!(new.intern("a"), 0);
        assert!(new.extends(&old) && !old.extends(&new));
    }

    #[test]
    fn derived_columns_add_up_their_origins_once() {
        let (a, b) = (Field::new("a", Kind::Number), Field::new("b", Kind::Number));
        let ab = Field::derived("a*b", Kind::Number, [&a, &b]);
        let again = Field::derived("a*b+a", Kind::Number, [&ab, &a]);
        assert_eq!(again.origin.iter().map(|o| o.as_ref()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn missing_tokens_ignore_case_and_blanks() {
        let tokens = MissingTokens::default();
        assert!(tokens.contains(" nan ") && tokens.contains("") && tokens.contains("?"));
        assert!(!tokens.contains("0") && !MissingTokens::new(["-1"]).contains("NA"));
    }
}
