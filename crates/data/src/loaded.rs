//! What a reader gives: a table, and every decision that was taken on the way, with its reason.
//!
//! A look at the decisions alone is `reader.read()?.decisions`. The rules are in [`kind`] and
//! [`role`].

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::error::{At, Crumb, Result};
use stagewise_core::exhibit::{Block, Exhibit, Section};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, MissingTokens, Role, Schema};
use stagewise_core::table::Table;
use stagewise_core::target::number_text;

use crate::kind::{self, Reading};
use crate::role;

/// A table and the decisions behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The rows.
    pub table: Table,
    /// One decision per column of the source, in its order; also for columns that were left out of the table.
    pub decisions: Vec<ColumnDecision>,
    /// Decisions about the source as a whole: the delimiter, blank lines.
    pub notes: Vec<String>,
    /// Which file holds which rows, in order; empty unless several files may have been read.
    pub files: Vec<FileRows>,
}

/// The rows that came from one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRows {
    /// The file.
    pub path: PathBuf,
    /// Its rows in the table.
    pub rows: Range<usize>,
}

/// What one column was taken for.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDecision {
    /// The column.
    pub column: String,
    /// What it means.
    pub kind: Kind,
    /// What it is for; a problem may say otherwise.
    pub role: Role,
    /// The reason, for people.
    pub why: String,
    /// What a person should look at: values treated as missing, names changed.
    pub notice: Option<String>,
    /// How many rows have no value.
    pub missing: usize,
    /// The first three different values.
    pub examples: Vec<String>,
    /// Whether the column is in the table; lists and structures are left out.
    pub kept: bool,
}

impl Loaded {
    /// The decision about a column.
    pub fn decision(&self, column: &str) -> Option<&ColumnDecision> {
        self.decisions.iter().find(|d| d.column == column)
    }

    /// The file that a row came from, if it is known. `O(log files)`.
    pub fn file_of(&self, row: usize) -> Option<&Path> {
        let place = self.files.partition_point(|file| file.rows.end <= row);
        self.files.get(place).map(|file| file.path.as_path())
    }

    /// What a person should look at: the notices by column, in order.
    pub fn notices(&self) -> impl Iterator<Item = (&str, &str)> {
        self.decisions.iter().filter_map(|d| d.notice.as_deref().map(|notice| (d.column.as_str(), notice)))
    }
}

impl Exhibit for Loaded {
    fn exhibit(&self) -> Section {
        let columns = ["column", "kind", "role", "missing", "why", "examples"].map(String::from).to_vec();
        let row = |d: &ColumnDecision| {
            let (kind, role) = if d.kept { (d.kind.to_string(), d.role.to_string()) } else { Default::default() };
            vec![d.column.clone(), kind, role, d.missing.to_string(), d.why.clone(), d.examples.join(", ")]
        };
        let rows = self.decisions.iter().map(row).collect();
        let mut section = Section::new("Data as read")
            .text(format!("{} rows, {} columns", self.table.rows(), self.table.width()))
            .block(Block::Table { columns, rows });
        for note in &self.notes {
            section = section.text(note.clone());
        }
        if !self.files.is_empty() {
            let columns = ["file", "rows"].map(String::from).to_vec();
            let row = |file: &FileRows| vec![file.path.display().to_string(), file.rows.len().to_string()];
            section = section.block(Block::Table { columns, rows: self.files.iter().map(row).collect() });
        }
        for (column, notice) in self.notices() {
            section = section.block(Block::Warning(format!("`{column}`: {notice}")));
        }
        section
    }
}

/// What the caller of a reader says about values, whatever the format.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wishes {
    pub(crate) tokens: MissingTokens,
    pub(crate) kinds: Vec<(String, Kind)>,
}

/// The setters of a reader that holds its [`Wishes`] in the field `wishes`: whose text may be missing, and in spite of what a
/// kind is asked for.
macro_rules! wishes_setters {
    ($where:literal, $despite:literal) => {
        #[doc = concat!("What text stands for a missing value", $where, ". Default: [`MissingTokens::default`].")]
        #[must_use]
        pub fn missing(mut self, tokens: MissingTokens) -> Self {
            self.wishes.tokens = tokens;
            self
        }

        #[doc = concat!("What a column means, whatever its ", $despite, ". The last word on a column counts.")]
        #[must_use]
        pub fn kind(mut self, column: impl Into<String>, kind: Kind) -> Self {
            self.wishes.kinds.push((column.into(), kind));
            self
        }
    };
}
pub(crate) use wishes_setters;

/// One column as a source holds it.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) name: String,
    pub(crate) values: Values<'a>,
    /// What the source itself has to say about the column.
    pub(crate) notice: Option<String>,
}

/// The values of a source's column.
#[derive(Debug)]
pub(crate) enum Values<'a> {
    /// Text that stands for values of any kind.
    Texts(Vec<Option<&'a str>>),
    /// Values whose type the source knows.
    Typed(Column),
    /// Values of a type that no kind takes; its name.
    Foreign(String),
}

/// Decides about every column. The result does not depend on the number of threads.
pub(crate) fn decide(sources: Vec<Source<'_>>, rows: usize, wishes: &Wishes, notes: Vec<String>) -> Result<Loaded> {
    let names = sources.iter().map(|s| Field::new(s.name.as_str(), Kind::Text)).collect();
    let known = Schema::new(names)?;
    for (name, _) in &wishes.kinds {
        known.require(name)?;
    }
    let decided: Vec<(ColumnDecision, Option<(Field, Column)>)> = sources
        .into_par_iter()
        .map(|source| {
            let name = source.name.clone();
            decide_one(source, rows, wishes).at(|| Crumb::Column(name))
        })
        .collect::<Result<_>>()?;
    let (mut decisions, mut fields, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for (decision, kept) in decided {
        decisions.push(decision);
        if let Some((field, column)) = kept {
            fields.push(field);
            columns.push(column);
        }
    }
    let table = Table::sized(Arc::new(Schema::new(fields)?), columns, rows)?;
    Ok(Loaded { table, decisions, notes, files: Vec::new() })
}

fn decide_one(source: Source<'_>, rows: usize, wishes: &Wishes) -> Result<(ColumnDecision, Option<(Field, Column)>)> {
    let asked = wishes.kinds.iter().rev().find(|(name, _)| *name == source.name).map(|(_, kind)| *kind);
    let reading = match (source.values, asked) {
        (Values::Foreign(what), _) => {
            let decision = ColumnDecision {
                column: source.name,
                kind: Kind::Text,
                role: Role::Ignored,
                why: format!("holds {what}, which no kind of column takes: left out"),
                notice: source.notice,
                missing: 0,
                examples: Vec::new(),
                kept: false,
            };
            return Ok((decision, None));
        }
        (Values::Texts(texts), None) => kind::infer(&texts, &wishes.tokens),
        (Values::Texts(texts), Some(kind)) => kind::forced(&texts, &wishes.tokens, kind)?,
        (Values::Typed(column), Some(kind)) if kind != column.kind() => {
            let texts: Vec<Option<String>> = (0..rows).map(|row| cell_text(&column, row)).collect();
            let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
            kind::forced(&texts, &wishes.tokens, kind)?
        }
        (Values::Typed(column), _) => {
            let why = format!("the source says {}", column.kind());
            Reading { column, tokens: wishes.tokens.clone(), why, notice: None }
        }
    };
    let Reading { column, tokens, why, notice } = reading;
    let proposal = role::propose(&source.name, &column);
    let missing = column.missing_count();
    let mut field = Field::new(source.name.as_str(), column.kind()).role(proposal.role).missing(missing > 0);
    field.tokens = tokens;
    if let Column::Category { levels, .. } = &column {
        field = field.levels(levels.clone());
    }
    let why = if proposal.why.is_empty() { why } else { format!("{why}; {}", proposal.why) };
    let notices: Vec<String> = [source.notice, notice, proposal.notice].into_iter().flatten().collect();
    let decision = ColumnDecision {
        column: source.name,
        kind: column.kind(),
        role: proposal.role,
        why,
        notice: (!notices.is_empty()).then(|| notices.join("; ")),
        missing,
        examples: kind::examples(&column),
        kept: true,
    };
    Ok((decision, Some((field, column))))
}

/// A typed value as text.
pub(crate) fn cell_text(column: &Column, row: usize) -> Option<String> {
    match column.cell(row) {
        Cell::Number(x) => Some(number_text(x)),
        Cell::Flag(b) => Some(b.to_string()),
        Cell::Text(text) => Some(text.to_string()),
        Cell::Timestamp(t) => Some(crate::write::timestamp(t)),
        Cell::Level(code) => {
            column.as_categories().ok().and_then(|(_, levels)| levels.name(code)).map(|n| n.to_string())
        }
        _ => None,
    }
}
