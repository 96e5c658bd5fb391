//! The artifact: a fitted pipeline, the evidence it was approved on, and rows whose answers prove it.
//!
//! It can only be made with an [`Approved`], which only the gate makes. Reading one back verifies every byte, loads the
//! stages through a registry, computes the pipeline's fingerprint again and replays the golden rows on the batch path
//! and the row path, bit for bit. A program that would answer differently from the one that packaged it is refused.
//!
//! The file's bytes are described in [`mod@format`]. They hold no time and no path: the same fitted pipeline gives the
//! same bytes. Hashes protect against damage; whoever can rewrite the file can also rewrite its hashes, so keep
//! [`Artifact::digest`] elsewhere where that matters.

mod file;
pub mod format;
mod golden;
mod manifest;

use std::path::Path;

use stagewise_core::error::{At, Crumb, Error, GateError, PersistError, Result};
use stagewise_core::exhibit::{Exhibit, Section};
use stagewise_core::fingerprint::Fingerprint;
use stagewise_core::gate::Approved;
use stagewise_core::persist::{Saved, decode, encode};
use stagewise_core::pipeline::FittedPipeline;
use stagewise_core::pipeline::fitted::{SavedPipeline, SavedSection};
use stagewise_core::registry::Registry;
use stagewise_core::table::Table;
use stagewise_core::task::Task;

pub use file::{inspect, task_of};
pub use format::FORMAT;
pub use golden::GOLDEN_ROWS;
pub use manifest::{Evidence, Input, Manifest, SectionEntry, TaskName};

use golden::Golden;

/// A fitted pipeline that was approved, with the rows that prove it.
pub struct Artifact<T: Task> {
    fitted: FittedPipeline<T>,
    golden: Golden,
    manifest: Manifest,
}

impl<T: Task> Artifact<T> {
    /// Packages a fitted pipeline. `golden` are raw rows, at best new ones: up to [`GOLDEN_ROWS`] of them, evenly
    /// spaced, are answered on both paths and stored with the answers' bits. Of their columns only those that the
    /// pipeline takes are kept; the values travel with the file, so give rows that may.
    ///
    /// An approval is used up:
    ///
    /// ```compile_fail,E0382
    /// # use stagewise_core::{gate::Approved, pipeline::FittedPipeline, table::Table, task::Binary};
    /// # use stagewise_deploy::Artifact;
    /// fn twice(fitted: FittedPipeline<Binary>, approved: Approved, golden: &Table) {
    ///     let _ = Artifact::package(fitted.clone(), approved, golden);
    ///     let _ = Artifact::package(fitted, approved, golden);
    /// }
    /// ```
    ///
    /// # Errors
    /// [`GateError::WrongPipeline`] if another pipeline was approved,
    /// [`DataError::TooFewRows`](stagewise_core::error::DataError) without golden rows,
    /// [`PipelineError::BrokenPromise`](stagewise_core::error::PipelineError) if the two paths differ on one of them,
    /// and whatever scoring them gives.
    pub fn package(fitted: FittedPipeline<T>, approved: Approved, golden: &Table) -> Result<Self> {
        let at = || Crumb::operation("package");
        if approved.pipeline() != fitted.fingerprint() {
            let (approved, found) = (approved.pipeline().short(), fitted.fingerprint().short());
            return Err(Error::from(GateError::WrongPipeline { approved, found }).at(at()));
        }
        let golden = Golden::record(&fitted, golden).at(at)?;
        let sections = sections(&fitted, &golden).at(at)?;
        let manifest = Manifest::of(&fitted, &approved, golden.rows(), format::entries(&sections)).at(at)?;
        Ok(Self { fitted, golden, manifest })
    }

    /// The artifact as bytes, `O(size)`.
    ///
    /// # Errors
    /// [`PersistError::Unencodable`].
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        format::write(&self.manifest, &sections(&self.fitted, &self.golden)?)
    }

    /// Writes a file: the whole of it is on the disk under its name when this returns, or nothing is.
    ///
    /// # Errors
    /// [`PersistError::Unencodable`], and a file that cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        file::write_whole(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads a file. The registry must know every stage and metric in it.
    ///
    /// # Errors
    /// A file that cannot be read, and as [`from_bytes`](Self::from_bytes).
    pub fn read(path: impl AsRef<Path>, registry: &Registry) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        Self::from_bytes(&bytes, registry).at(|| Crumb::File(path.to_path_buf()))
    }

    /// Loads what [`to_bytes`](Self::to_bytes) gave, and proves it.
    ///
    /// # Errors
    /// [`PersistError`]: bytes that are not those written, another task, a newer format, a stage that is not registered,
    /// a golden row that is answered differently.
    pub fn from_bytes(bytes: &[u8], registry: &Registry) -> Result<Self> {
        let (manifest, mut sections) = format::read(bytes)?;
        if manifest.task != T::NAME {
            return Err(PersistError::WrongTask { expected: T::NAME, found: manifest.task }.into());
        }
        let damaged = |part: &str| Error::from(PersistError::Damaged { part: part.into() });
        let golden = match sections.pop() {
            Some(SavedSection { name, saved }) if name == GOLDEN && saved.tag == GOLDEN && saved.version == 1 => {
                decode(GOLDEN, &saved.bytes)?
            }
            _ => return Err(damaged("section `golden`")),
        };
        let fitted = FittedPipeline::load(&SavedPipeline { task: manifest.task.clone(), sections }, registry)?;
        let artifact = Self { fitted, golden, manifest };
        let Manifest { pipeline, training, golden_rows, .. } = artifact.manifest;
        if (pipeline, training) != (artifact.fitted.fingerprint(), artifact.fitted.training())
            || golden_rows != artifact.golden.rows()
        {
            return Err(damaged("the manifest"));
        }
        artifact.replay()?;
        Ok(artifact)
    }

    /// Answers the golden rows again on both paths and compares the bits.
    ///
    /// # Errors
    /// [`PersistError::GoldenRow`] for the first answer that differs, and whatever scoring gives.
    pub fn replay(&self) -> Result<()> {
        self.golden.replay(&self.fitted).at(|| Crumb::operation("replay"))
    }

    /// The pipeline.
    pub fn fitted(&self) -> &FittedPipeline<T> {
        &self.fitted
    }

    /// What is in it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The SHA-256 of the whole file: equal digests, equal artifacts.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    pub fn digest(&self) -> Result<Fingerprint> {
        self.to_bytes().map(|bytes| Fingerprint::of(&bytes))
    }

    #[cfg(test)]
    pub(crate) fn spoil_golden(&mut self) {
        self.golden.spoil();
    }
}

impl<T: Task> std::fmt::Debug for Artifact<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artifact").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl<T: Task> Exhibit for Artifact<T> {
    fn exhibit(&self) -> Section {
        self.manifest.exhibit()
    }
}

/// The section of the golden rows: always the last.
const GOLDEN: &str = "golden";

fn sections<T: Task>(fitted: &FittedPipeline<T>, golden: &Golden) -> Result<Vec<SavedSection>> {
    let mut sections = fitted.save().sections;
    let saved = Saved { tag: GOLDEN.into(), version: 1, bytes: encode(GOLDEN, golden)? };
    sections.push(SavedSection { name: GOLDEN.into(), saved });
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, Shape, Tilt};
    use stagewise_core::column::Column;
    use stagewise_core::stage::Predictor;
    use stagewise_core::task::{Binary, Multiclass, Regression};
    use stagewise_testkit::data;

    fn goes_round<T: Shape>(artifact: Artifact<T>, rows: &Table) {
        let bytes = artifact.to_bytes().unwrap();
        let again = Artifact::<T>::from_bytes(&bytes, &fixture::registry()).unwrap();
        assert_eq!(again.to_bytes().unwrap(), bytes);
        assert_eq!(again.digest().unwrap(), Fingerprint::of(&bytes));
        let (before, after) = (artifact.fitted().predict(rows).unwrap(), again.fitted().predict(rows).unwrap());
        assert_eq!(T::rows(&before), rows.rows());
        for row in 0..rows.rows() {
            let (before, after) = (T::row(&before, row), T::row(&after, row));
            let bits = |answer| T::numbers(answer).iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&before), bits(&after));
        }
    }

    #[test]
    fn artifacts_of_every_task_go_round() {
        let rows = data::mixed(200, 3);
        goes_round(fixture::binary(), &rows);
        goes_round(fixture::multiclass(), &rows);
        goes_round(fixture::regression(), &rows);
    }

    #[test]
    fn equal_pipelines_have_equal_bytes() {
        assert_eq!(fixture::binary().to_bytes().unwrap(), fixture::binary().to_bytes().unwrap());
    }

    #[test]
    fn an_approval_is_for_one_pipeline() {
        let (fitted, _) = fixture::approved(data::binary, Tilt::default());
        let (_, other) = fixture::approved(data::binary, Tilt { two_faced: true });
        let expected = format!(
            "package: the approval is for pipeline {}, this one is {}",
            other.pipeline().short(),
            fitted.fingerprint().short()
        );
        let error = Artifact::package(fitted, other, &data::mixed(3, 1)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn paths_that_differ_are_not_packaged() {
        let (fitted, approved) = fixture::approved(data::regression, Tilt { two_faced: true });
        let message = Artifact::package(fitted, approved, &data::mixed(3, 1)).unwrap_err().to_string();
        assert!(message.starts_with("package › row 0: gave ") && message.contains("on the row path"), "{message}");
    }

    #[test]
    fn golden_rows_are_needed_and_must_fit() {
        let (fitted, approved) = fixture::approved(data::binary, Tilt::default());
        let error = Artifact::package(fitted.clone(), approved, &data::mixed(0, 1)).unwrap_err();
        assert_eq!(error.to_string(), "package: an artifact's proof needs at least 1 rows, 0 found");
        let (_, approved) = fixture::approved(data::binary, Tilt::default());
        let error = Artifact::package(fitted, approved, &data::numeric(3, 1)).unwrap_err();
        assert!(error.to_string().starts_with("package: there is no column `age`"), "{error}");
    }

    #[test]
    fn golden_rows_are_spaced_raw_and_without_other_columns() {
        let rows = data::mixed(250, 4);
        let mut columns: Vec<(String, Column)> =
            rows.schema().names().into_iter().zip(rows.columns().to_vec()).collect();
        columns.push(("secret".into(), Column::texts(vec![Some("not to be kept"); 250])));
        // As text, as a file brings them.
        columns[0].1 = Column::texts((0..250).map(|i| if i % 9 == 0 { Some("NA") } else { Some("33") }));
        let (fitted, approved) = fixture::approved(data::binary, Tilt::default());
        let artifact = Artifact::package(fitted, approved, &Table::of(columns).unwrap()).unwrap();
        assert_eq!(artifact.manifest().golden_rows, GOLDEN_ROWS);
        let bytes = artifact.to_bytes().unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"secret"));
        assert!(Artifact::<Binary>::from_bytes(&bytes, &fixture::registry()).is_ok());
    }

    #[test]
    fn a_program_that_answers_differently_is_refused() {
        let mut artifact = fixture::regression();
        artifact.spoil_golden();
        let message = artifact.replay().unwrap_err().to_string();
        assert!(message.starts_with("replay: golden row 0 gives "), "{message}");
        // Written with a true hash, it is the replay that refuses.
        let sections = sections(&artifact.fitted, &artifact.golden).unwrap();
        artifact.manifest.sections = format::entries(&sections);
        let bytes = artifact.to_bytes().unwrap();
        let error = Artifact::<Regression>::from_bytes(&bytes, &fixture::registry()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn a_stage_that_is_not_registered_is_named() {
        let bytes = fixture::multiclass().to_bytes().unwrap();
        let error = Artifact::<Multiclass>::from_bytes(&bytes, &Registry::new()).unwrap_err();
        assert!(error.to_string().contains("is not registered as a metric"), "{error}");
    }
}
