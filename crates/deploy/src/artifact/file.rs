//! What touches the disk: a file appears whole or not at all, and a look at its head loads nothing.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use stagewise_core::error::{At, Crumb, Error, Result};

use super::format::read_head;
use super::manifest::{Manifest, TaskName};

/// The manifest of a file, verified, without a registry. Of the sections nothing is read: only
/// [`Artifact::read`](super::Artifact::read) verifies those.
///
/// # Errors
/// A file that cannot be read, [`PersistError`](stagewise_core::error::PersistError) if its head is not what was written.
pub fn inspect(path: impl AsRef<Path>) -> Result<Manifest> {
    let path = path.as_ref();
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    read_head(&mut file).at(|| Crumb::File(path.to_path_buf()))
}

/// Which task a file holds, so that the caller can name the type to [`read`](super::Artifact::read) it as.
///
/// # Errors
/// As [`inspect`], and [`PersistError::WrongTask`](stagewise_core::error::PersistError) for a task that this version does
/// not know.
pub fn task_of(path: impl AsRef<Path>) -> Result<TaskName> {
    let path = path.as_ref();
    TaskName::named(&inspect(path)?.task).at(|| Crumb::File(path.to_path_buf()))
}

/// Writes beside the file, has the disk confirm, then renames.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = beside(path);
    let written = write_through(&beside, bytes).and_then(|()| std::fs::rename(&beside, path));
    if let Err(e) = written {
        // The error that matters is the first one.
        let _ = std::fs::remove_file(&beside);
        return Err(Error::io(path, e));
    }
    sync_folder(path);
    Ok(())
}

fn write_through(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name in the same folder that no other writer uses.
fn beside(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{}.part", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

/// Makes the new name durable where folders can be synced; elsewhere the system does it in its own time.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Artifact;
    use crate::fixture;
    use stagewise_core::task::{Binary, Regression};

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("stagewise-artifact-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_file_is_written_whole_read_back_and_replaced() {
        let folder = folder("whole");
        let path = folder.join("model.stagewise");
        std::fs::write(&path, b"older").unwrap();
        let artifact = fixture::binary();
        artifact.write(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), artifact.to_bytes().unwrap());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
        let again = Artifact::<Binary>::read(&path, &fixture::registry()).unwrap();
        assert_eq!(again.to_bytes().unwrap(), artifact.to_bytes().unwrap());
        assert_eq!(inspect(&path).unwrap(), *artifact.manifest());
        assert_eq!(task_of(&path).unwrap(), TaskName::Binary);
        let error = Artifact::<Regression>::read(&path, &fixture::registry()).unwrap_err();
        let file = path.display();
        assert_eq!(error.to_string(), format!("file `{file}`: holds a binary pipeline, a regression one is asked for"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = folder("not-there");
        let path = folder.join("none").join("model.stagewise");
        let error = fixture::binary().write(&path).unwrap_err();
        assert!(error.to_string().starts_with(&format!("`{}`", path.display())), "{error}");
        assert!(inspect(&path).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
