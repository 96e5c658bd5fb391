//! What is in an artifact, for people and programs that do not load it: the problem, the evidence, the inputs, the
//! sections. No time and no place: the same fitted pipeline has the same manifest.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{PersistError, Result};
use stagewise_core::exhibit::{Block, Exhibit, Section, number};
use stagewise_core::fingerprint::Fingerprint;
use stagewise_core::gate::{Approved, Check};
use stagewise_core::pipeline::FittedPipeline;
use stagewise_core::schema::Kind;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression, Task};

/// What an artifact holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The task's name.
    pub task: String,
    /// The version of stagewise that packaged it.
    pub library: String,
    /// The fingerprint of everything learned and of the spec.
    pub pipeline: Fingerprint,
    /// The fingerprint of the training rows.
    pub training: Fingerprint,
    /// The problem in words: names and values.
    pub problem: Vec<(String, String)>,
    /// What it was approved on.
    pub approval: Evidence,
    /// The columns that it takes, in order.
    pub inputs: Vec<Input>,
    /// What the target's values are called: `event` and `other`, the classes, or nothing.
    pub labels: serde_json::Value,
    /// How many golden rows it is proved by.
    pub golden_rows: usize,
    /// The binary sections, in file order.
    pub sections: Vec<SectionEntry>,
}

/// The gate's evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The holdout that the pipeline was evaluated on.
    pub holdout: Fingerprint,
    /// Every requirement and what was measured.
    pub checks: Vec<Check>,
}

/// A column that the pipeline takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What it means.
    pub kind: Kind,
    /// Whether values were missing in training.
    pub missing: bool,
    /// The levels of a category seen in training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<String>>,
}

/// One binary section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionEntry {
    /// Its name: `model`, `step/<step>`, `golden`, …
    pub name: String,
    /// The tag of the type in it.
    pub tag: String,
    /// The version of that type.
    pub version: u32,
    /// Where it begins, counted from the end of the head.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Fingerprint,
}

/// The tasks that an artifact can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskName {
    /// [`Binary`].
    Binary,
    /// [`Multiclass`].
    Multiclass,
    /// [`Ranking`].
    Ranking,
    /// [`Regression`].
    Regression,
}

impl TaskName {
    pub(super) fn named(name: &str) -> Result<Self> {
        match name {
            Binary::NAME => Ok(Self::Binary),
            Multiclass::NAME => Ok(Self::Multiclass),
            Ranking::NAME => Ok(Self::Ranking),
            Regression::NAME => Ok(Self::Regression),
            other => {
                let expected = "binary, multiclass, ranking or regression";
                Err(PersistError::WrongTask { expected, found: other.into() }.into())
            }
        }
    }
}

impl Manifest {
    pub(super) fn of<T: Task>(
        fitted: &FittedPipeline<T>,
        approved: &Approved,
        golden_rows: usize,
        sections: Vec<SectionEntry>,
    ) -> Result<Self> {
        let unencodable =
            |e: serde_json::Error| PersistError::Unencodable { part: "the labels".into(), reason: e.to_string() };
        let inputs = fitted.contract().schema().fields().iter().map(|field| Input {
            name: field.name.to_string(),
            kind: field.kind,
            missing: field.missing,
            levels: field.levels.as_ref().map(|levels| levels.to_strings()),
        });
        Ok(Self {
            task: T::NAME.into(),
            library: env!("CARGO_PKG_VERSION").into(),
            pipeline: fitted.fingerprint(),
            training: fitted.training(),
            problem: facts(fitted.problem().exhibit()),
            approval: Evidence { holdout: approved.holdout(), checks: approved.checks().to_vec() },
            inputs: inputs.collect(),
            labels: serde_json::to_value(fitted.labels()).map_err(unencodable)?,
            golden_rows,
            sections,
        })
    }
}

fn facts(section: Section) -> Vec<(String, String)> {
    let of = |block| if let Block::Facts(facts) = block { facts } else { Vec::new() };
    section.blocks.into_iter().flat_map(of).collect()
}

impl Exhibit for Manifest {
    fn exhibit(&self) -> Section {
        let bytes: u64 = self.sections.iter().map(|s| s.length).sum();
        let mut facts = vec![
            ("pipeline".to_string(), self.pipeline.short()),
            ("training rows".into(), self.training.short()),
            ("holdout".into(), self.approval.holdout.short()),
            ("library".into(), self.library.clone()),
            ("inputs".into(), self.inputs.len().to_string()),
            ("golden rows".into(), self.golden_rows.to_string()),
            ("bytes in sections".into(), bytes.to_string()),
        ];
        facts.extend(self.problem.iter().cloned());
        let columns = ["requirement", "bound", "value"].map(String::from).to_vec();
        let row = |check: &Check| vec![check.what.clone(), check.bound.clone(), number(check.value)];
        let rows = self.approval.checks.iter().map(row).collect();
        Section::new("Artifact").block(Block::Facts(facts)).block(Block::Table { columns, rows })
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture;
    use stagewise_core::exhibit::Exhibit;

    #[test]
    fn the_manifest_tells_inputs_labels_and_evidence_in_readable_text() {
        let artifact = fixture::binary();
        let bytes = artifact.to_bytes().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for expected in ["\"task\": \"binary\"", "\"name\": \"plan\"", "\"plus\"", "\"event\": \"yes\"", "at most 10"] {
            assert!(text.contains(expected), "{expected}");
        }
        let names: Vec<_> = artifact.manifest().sections.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names.last(), Some(&"golden"));
        assert!(names.contains(&"step/shift") && names.contains(&"model"), "{names:?}");
        assert_eq!(artifact.exhibit().title, "Artifact");
    }
}
