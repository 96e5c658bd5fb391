//! What can go wrong, by family, in structured fields.
//!
//! A message says what happened and what to do; where it happened is added by [`Error::at`](super::Error::at). Lower
//! case, no full stop, values in backquotes.

use std::fmt;
use std::path::PathBuf;

use super::Result;
use crate::schema::Kind;

/// What happened, by family.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Names, kinds or roles do not fit.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Values do not fit.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A hyper-parameter is out of its range.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// A computation failed on valid input.
    #[error(transparent)]
    Numeric(#[from] NumericError),
    /// Stages do not fit together.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// Something saved cannot be read back.
    #[error(transparent)]
    Persist(#[from] PersistError),
    /// The gate, or the ledger behind it, refuses.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The operating system refuses.
    #[error("`{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The caller cancelled the work.
    #[error("cancelled")]
    Cancelled,
    /// The error of another library.
    #[error("{0}")]
    External(Box<dyn std::error::Error + Send + Sync>),
}

/// Names, kinds or roles do not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A column that is needed is not there.
    #[error("there is no column `{name}`{}", nearest_text(.nearest))]
    MissingColumn {
        /// The name asked for.
        name: String,
        /// The nearest names that are there.
        nearest: Vec<String>,
    },
    /// Two columns have the same name.
    #[error("two columns are named `{name}`; rename one")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// A column has another kind than needed.
    #[error("is a {found}, a {expected} is needed")]
    WrongKind {
        /// The kind needed.
        expected: Kind,
        /// The kind found.
        found: Kind,
    },
    /// Rows read under other labels than the pipeline was fitted on.
    #[error(
        "the target `{target}` was read under other labels than the pipeline's; read it with `FittedPipeline::dataset`"
    )]
    OtherLabels {
        /// The target's column.
        target: String,
    },
    /// A stage was given other columns than it was fitted on.
    #[error("got columns {found:?}, was fitted on {expected:?}")]
    WrongColumns {
        /// The names it was fitted on.
        expected: Vec<String>,
        /// The names found.
        found: Vec<String>,
    },
    /// A pattern that does not parse.
    #[error("`{pattern}` is not a regular expression: {reason}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What the parser says.
        reason: String,
    },
}

/// Values do not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Fewer rows than the operation needs.
    #[error("{what} needs at least {needed} rows, {found} found")]
    TooFewRows {
        /// Who needs them.
        what: String,
        /// How many are needed.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// More rows than the operation can count.
    #[error("{what} takes at most {most} rows, {found} found; learn from a sample of them")]
    TooManyRows {
        /// Who takes them.
        what: String,
        /// How many it takes.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// Missing values where none may be.
    #[error("holds {count} missing values; add an imputer before it")]
    MissingValues {
        /// How many.
        count: usize,
    },
    /// A target that is missing in some rows.
    #[error("the target `{target}` is missing in {count} rows (first: row {first}); remove them or label them")]
    MissingTarget {
        /// The target's column.
        target: String,
        /// How many rows.
        count: usize,
        /// The first such row.
        first: usize,
    },
    /// NaN or infinite values where finite ones are needed.
    #[error("holds {count} values that are not finite (first: row {first}); impute or clip them before it")]
    NotFinite {
        /// How many.
        count: usize,
        /// The first such row.
        first: usize,
    },
    /// A value that is not of the column's kind.
    #[error("`{value}` is not a {expected}; correct it or name it as a missing token")]
    Unparsable {
        /// The value as given.
        value: String,
        /// The kind of the column.
        expected: Kind,
    },
    /// A target with one class.
    #[error("the target `{target}` has {} in {rows} rows; two levels are needed to learn from", one_level_text(.level))]
    OneClass {
        /// The target's column.
        target: String,
        /// The level that is there, if any.
        level: Option<String>,
        /// Rows seen.
        rows: usize,
    },
    /// A target with other than two levels in a binary task.
    #[error("the target `{target}` has {} levels ({}), a binary task needs two; use a multiclass problem", .levels.len(), list_text(.levels))]
    NotBinary {
        /// The target's column.
        target: String,
        /// The levels that are there.
        levels: Vec<String>,
    },
    /// A binary target whose levels do not say which one is the event.
    #[error("the target `{target}` has the levels {}; say which one is the event", list_text(.levels))]
    EventNeeded {
        /// The target's column.
        target: String,
        /// The two levels.
        levels: Vec<String>,
    },
    /// Groups are needed, and no column has that role.
    #[error("{what} needs the group of each row; give a column the role group")]
    GroupNeeded {
        /// What was asked for.
        what: String,
    },
    /// Fewer groups than a split needs.
    #[error("{what} needs at least {needed} groups, {found} found")]
    TooFewGroups {
        /// What was asked for.
        what: String,
        /// How many it needs.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// Rows whose group is missing.
    #[error("{count} rows have no group; drop them or give each a group of its own")]
    MissingGroup {
        /// How many rows.
        count: usize,
    },
    /// A protected attribute is needed, and is not where it is looked for.
    #[error("{what} needs a protected attribute; {remedy}")]
    ProtectedNeeded {
        /// What was asked for.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// An order in time is needed, and no column has that role.
    #[error("{what} needs the time of each row; give a column the role time")]
    TimeNeeded {
        /// What was asked for.
        what: String,
    },
    /// Rows whose time is missing.
    #[error("{count} rows have no time (first: row {first}); drop them or find out when they were")]
    MissingTime {
        /// How many rows.
        count: usize,
        /// The first such row.
        first: usize,
    },
    /// A split with a side that no row is left for.
    #[error("{what} leaves no row to {side} on; {remedy}")]
    EmptySide {
        /// Which split, and which fold of it.
        what: String,
        /// `train`, `validate` or `test`.
        side: &'static str,
        /// What to do.
        remedy: String,
    },
    /// A grade of a ranking that is negative or not finite.
    #[error("grades must be finite and not negative, row {row} has {value}")]
    BadGrade {
        /// The row.
        row: usize,
        /// The grade.
        value: f64,
    },
    /// A category that holds a code which none of its levels has.
    #[error("holds the code {code}, but has only {levels} levels")]
    UnknownCode {
        /// The code.
        code: u32,
        /// How many levels there are.
        levels: usize,
    },
    /// A level that is not known.
    #[error("`{level}` is none of the known levels ({})", list_text(.known))]
    UnknownLevel {
        /// The level as given.
        level: String,
        /// The known levels.
        known: Vec<String>,
    },
    /// Two values about which is decided, and which are one.
    #[error("`{first}` and `{second}` are one value that is decided about twice; keep one decision")]
    DecidedTwice {
        /// One way of writing it.
        first: String,
        /// The other way.
        second: String,
    },
    /// A value whose row a decision rejects.
    #[error(
        "`{value}` is rejected by a decision; correct it or leave the row out (in training with `RejectedRows` before this \
         step)"
    )]
    Rejected {
        /// The value as it was decided about.
        value: String,
    },
    /// Answers whose task or worker is missing.
    #[error("{count} rows hold a label but no name here (first: row {first}); name them or drop them")]
    Unnamed {
        /// How many rows.
        count: usize,
        /// The first such row.
        first: usize,
    },
    /// A worker who answered a task more than once.
    #[error("`{worker}` answered the task `{task}` more than once; keep one answer, the last for example")]
    AnsweredTwice {
        /// The task.
        task: String,
        /// The worker.
        worker: String,
    },
    /// Two things that must be equally long are not.
    #[error("{what}: {expected} values needed, {found} found")]
    Length {
        /// What was counted.
        what: String,
        /// How many were needed.
        expected: usize,
        /// How many were found.
        found: usize,
    },
    /// A weight that is negative or not finite.
    #[error("weights must be finite and not negative, row {row} has {value}")]
    BadWeight {
        /// The row.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// Results that were judged on different splits or truths.
    #[error("`{first}` and `{second}` were judged on different splits; use the same data, splitter and seed for both")]
    DifferentSplits {
        /// One result.
        first: String,
        /// The other result.
        second: String,
    },
    /// No usable column is left.
    #[error("no feature column is left; {remedy}")]
    NoFeatures {
        /// What to do.
        remedy: String,
    },
    /// A database that does not answer a query.
    #[error("the database `{database}` refuses: {problem}")]
    Query {
        /// Where the database is.
        database: String,
        /// What it says.
        problem: String,
    },
    /// A file that is not what its name says.
    #[error("line {line}: {problem}")]
    Malformed {
        /// The line, counted from one.
        line: usize,
        /// What is wrong there, and what to do.
        problem: String,
    },
}

/// A hyper-parameter is out of its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{name}` is {value}, allowed is {allowed}")]
pub struct ParameterError {
    /// The setter.
    pub name: &'static str,
    /// The value given.
    pub value: String,
    /// The range allowed.
    pub allowed: &'static str,
}

impl ParameterError {
    /// `Err` with this error unless `valid`.
    ///
    /// # Errors
    /// [`ParameterError`] if `valid` is false.
    pub fn check(valid: bool, name: &'static str, value: impl fmt::Display, allowed: &'static str) -> Result<()> {
        if valid { Ok(()) } else { Err(Self { name, value: value.to_string(), allowed }.into()) }
    }
}

/// A computation failed on valid input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NumericError {
    /// An iteration did not reach its tolerance.
    #[error(
        "did not converge in {iterations} iterations (last change {last:e}, tolerance {tolerance:e}); scale the features or raise the limit"
    )]
    NotConverged {
        /// Iterations done.
        iterations: usize,
        /// The tolerance.
        tolerance: f64,
        /// The last value of what must fall below it.
        last: f64,
    },
    /// A system of equations has no unique solution.
    #[error("the columns are linearly dependent; add an l2 penalty or remove one of them")]
    Singular,
    /// A value that has no meaning for this input.
    #[error("{what} is not defined: {why}")]
    Undefined {
        /// What was asked.
        what: String,
        /// Why it has no value.
        why: String,
    },
}

/// Stages do not fit together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// Two steps have the same name.
    #[error("two steps are named `{name}`; names must differ, they seed the random streams")]
    DuplicateStep {
        /// The name.
        name: String,
    },
    /// A step that a fitted pipeline does not have.
    #[error("no learned step is named `{name}` (known: {})", list_text(.known))]
    UnknownStep {
        /// The name asked for.
        name: String,
        /// The names that are there.
        known: Vec<String>,
    },
    /// A stage cannot take what reaches it.
    #[error("{stage} takes no {what}, which would reach it in {}; {remedy}", list_text(.columns))]
    Refused {
        /// The stage's tag.
        stage: String,
        /// What it cannot take: `missing values`, `categories`, `text`.
        what: &'static str,
        /// The columns.
        columns: Vec<String>,
        /// What to do.
        remedy: String,
    },
    /// A backend would silently ignore something.
    #[error("{stage} would ignore the {what}; {remedy}")]
    Ignored {
        /// The stage's tag.
        stage: String,
        /// What it would ignore.
        what: &'static str,
        /// What to do.
        remedy: String,
    },
    /// A transform that does not keep its promise: one row out for each row in, columns as declared.
    #[error("gave {found} where it declares {declared}; this is a fault of the stage")]
    BrokenPromise {
        /// What it declares.
        declared: String,
        /// What it gave.
        found: String,
    },
    /// A problem that contradicts itself.
    #[error("the problem names `{name}` as {first} and as {second}; a column has one role")]
    TwoRoles {
        /// The column.
        name: String,
        /// One role.
        first: String,
        /// The other role.
        second: String,
    },
}

/// Something saved cannot be read back.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PersistError {
    /// A tag that the registry does not hold.
    #[error("`{tag}` is not registered as a {role}; add it to the registry (known: {})", list_text(.known))]
    UnknownTag {
        /// What was looked for: `transformer`, `model`.
        role: &'static str,
        /// The tag.
        tag: String,
        /// The tags that are known.
        known: Vec<String>,
    },
    /// A tag registered twice for different types.
    #[error("`{tag}` is registered twice as a {role}; tags must differ")]
    DuplicateTag {
        /// The role.
        role: &'static str,
        /// The tag.
        tag: String,
    },
    /// Written by a version that this one cannot read.
    #[error("`{tag}` was saved in version {found}, this program reads {supported}")]
    Version {
        /// The tag.
        tag: String,
        /// The version found.
        found: u32,
        /// The version supported.
        supported: u32,
    },
    /// Bytes that do not decode.
    #[error("{part} does not decode: {reason}")]
    Undecodable {
        /// The part.
        part: String,
        /// What the decoder says.
        reason: String,
    },
    /// A value that does not encode.
    #[error("{part} does not encode: {reason}")]
    Unencodable {
        /// The part.
        part: String,
        /// What the encoder says.
        reason: String,
    },
    /// Bytes other than those that were written.
    #[error("{part} is damaged or was changed after it was written; take it from its source again")]
    Damaged {
        /// The part.
        part: String,
    },
    /// A fitted pipeline that no longer gives the answers that it gave when it was saved.
    #[error("golden row {row} gives {found}, {expected} was recorded; the program differs from the one that saved it")]
    GoldenRow {
        /// The row.
        row: usize,
        /// The answer recorded.
        expected: String,
        /// The answer now.
        found: String,
    },
    /// An artifact for another task.
    #[error("holds a {found} pipeline, a {expected} one is asked for")]
    WrongTask {
        /// The task asked for.
        expected: &'static str,
        /// The task found.
        found: String,
    },
}

/// The gate, or the ledger behind it, refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// A problem without any requirement.
    #[error("the problem states no requirement, so nothing can be approved; give it a primary metric with a bound")]
    NoRequirement,
    /// Requirements that are not met.
    #[error("refused: {}", .failed.join("; "))]
    Refused {
        /// One line per requirement that is not met.
        failed: Vec<String>,
    },
    /// An approval for another pipeline.
    #[error("the approval is for pipeline {approved}, this one is {found}")]
    WrongPipeline {
        /// The fingerprint approved.
        approved: String,
        /// The fingerprint found.
        found: String,
    },
    /// A ledger whose chain is broken.
    #[error("the ledger is broken at entry {entry}: {problem}")]
    BrokenLedger {
        /// The entry, counted from zero.
        entry: usize,
        /// What is wrong.
        problem: String,
    },
}

fn nearest_text(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", list_text(nearest)) }
}

fn one_level_text(level: &Option<String>) -> String {
    level.as_ref().map_or_else(|| "no level".into(), |level| format!("only the level `{level}`"))
}

/// At most eight names in backquotes: a tired person reads no more.
fn list_text(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}
