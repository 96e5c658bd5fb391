//! The one error type of all crates.
//!
//! One pointer wide, so that `Result` stays small on hot paths. The kind says what happened in structured
//! fields, never in a bare string; the crumbs say where, and are added by whoever drives the stage, not by the
//! stage itself. The message reads `where: what; what to do`.

use std::fmt;
use std::path::PathBuf;

mod kind;

pub use kind::{
    DataError, ErrorKind, GateError, NumericError, ParameterError, PersistError, PipelineError, SchemaError,
};

/// The result of every fallible call in stagewise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong ([`kind`](Self::kind)) and where ([`crumbs`](Self::crumbs)).
///
/// ```
/// use stagewise_core::error::{Crumb, DataError, Error};
///
/// let error = Error::from(DataError::MissingValues { count: 3 })
///     .at(Crumb::column("age"))
///     .at(Crumb::step("scale", "StandardScaler"))
///     .at(Crumb::operation("fit"));
/// assert_eq!(
///     error.to_string(),
///     "fit › step `scale` (StandardScaler) › column `age`: holds 3 missing values; add an imputer before it"
/// );
/// ```
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    /// Innermost first: crumbs are added on the way out.
    crumbs: Vec<Crumb>,
}

impl Error {
    /// Wraps the error of another library, or of a stage written outside stagewise.
    pub fn external(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        ErrorKind::External(error.into()).into()
    }

    /// A file that could not be read or written.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        ErrorKind::Io { path: path.into(), source }.into()
    }

    /// What happened.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// Where it happened, outermost first.
    pub fn crumbs(&self) -> impl Iterator<Item = &Crumb> {
        self.inner.crumbs.iter().rev()
    }

    /// The same error, one place further out.
    #[must_use]
    pub fn at(mut self, crumb: Crumb) -> Self {
        self.inner.crumbs.push(crumb);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, crumb) in self.crumbs().enumerate() {
            if i > 0 {
                f.write_str(" › ")?;
            }
            write!(f, "{crumb}")?;
        }
        if !self.inner.crumbs.is_empty() {
            f.write_str(": ")?;
        }
        write!(f, "{}", self.inner.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.inner.kind {
            ErrorKind::Io { source, .. } => Some(source),
            ErrorKind::External(source) => Some(&**source),
            _ => None,
        }
    }
}

impl<K: Into<ErrorKind>> From<K> for Error {
    fn from(kind: K) -> Self {
        Self { inner: Box::new(Inner { kind: kind.into(), crumbs: Vec::new() }) }
    }
}

/// Adds the place to the error of a result.
pub trait At<T> {
    /// Adds `crumb()` if this is an error.
    ///
    /// # Errors
    /// The same error, with one more crumb.
    fn at(self, crumb: impl FnOnce() -> Crumb) -> Result<T>;
}

impl<T, E: Into<Error>> At<T> for Result<T, E> {
    fn at(self, crumb: impl FnOnce() -> Crumb) -> Result<T> {
        self.map_err(|e| e.into().at(crumb()))
    }
}

/// One place on the way to an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Crumb {
    /// What was being done: `fit`, `predict`, `read`.
    Operation(&'static str),
    /// A named step of a pipeline and the tag of its stage.
    Step {
        /// The name the user gave.
        name: String,
        /// The tag of the stage.
        stage: String,
    },
    /// A column by name.
    Column(String),
    /// A row, counted from zero.
    Row(usize),
    /// A fold of a cross-validation.
    Fold(usize),
    /// One of the recipes that are chosen from, by name.
    Candidate(String),
    /// A file.
    File(PathBuf),
}

impl Crumb {
    /// An operation.
    pub fn operation(name: &'static str) -> Self {
        Self::Operation(name)
    }

    /// A step and the tag of its stage.
    pub fn step(name: impl Into<String>, stage: impl Into<String>) -> Self {
        Self::Step { name: name.into(), stage: stage.into() }
    }

    /// A column.
    pub fn column(name: impl Into<String>) -> Self {
        Self::Column(name.into())
    }
}

impl fmt::Display for Crumb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(name) => f.write_str(name),
            Self::Step { name, stage } => write!(f, "step `{name}` ({stage})"),
            Self::Column(name) => write!(f, "column `{name}`"),
            Self::Row(row) => write!(f, "row {row}"),
            Self::Fold(fold) => write!(f, "fold {fold}"),
            Self::Candidate(name) => write!(f, "candidate `{name}`"),
            Self::File(path) => write!(f, "file `{}`", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn a_message_says_where_what_and_what_to_do() {
        let error = Error::from(SchemaError::MissingColumn { name: "agee".into(), nearest: vec!["age".into()] })
            .at(Crumb::operation("predict"));
        assert_eq!(error.to_string(), "predict: there is no column `agee`; did you mean `age`?");
    }
}
