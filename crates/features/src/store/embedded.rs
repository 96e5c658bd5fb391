//! Keeps what a feature store knows in one file.

use std::path::Path;

use redb::{Database, ReadableDatabase, TableDefinition, TableError};
use stagewise_core::error::{Error, Result};

use super::online::KeyValue;

const ENTRIES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("entries");

/// Entries in a file: a B-tree with transactions that survive a crash (redb). One process at a time.
#[derive(Debug)]
pub struct EmbeddedStore(Database);

impl EmbeddedStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// A file that cannot be opened, that is none of this kind, or that another process has open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self(Database::create(path).map_err(Error::external)?))
    }
}

impl KeyValue for EmbeddedStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let table = match self.0.begin_read().map_err(Error::external)?.open_table(ENTRIES) {
            Ok(table) => table,
            // Nothing was put yet.
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(Error::external(error)),
        };
        let found = redb::ReadableTable::get(&table, key).map_err(Error::external)?;
        Ok(found.map(|bytes| bytes.value().to_vec()))
    }

    fn put(&mut self, entries: Vec<(String, Vec<u8>)>) -> Result<()> {
        let write = self.0.begin_write().map_err(Error::external)?;
        {
            let mut table = write.open_table(ENTRIES).map_err(Error::external)?;
            for (key, bytes) in entries {
                table.insert(key.as_str(), bytes.as_slice()).map_err(Error::external)?;
            }
        }
        write.commit().map_err(Error::external)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::online::tests::{events, online_equals_offline, view};
    use crate::store::{FeatureStore, MemoryStore};

    fn path(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("stagewise-{}-{name}.redb", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn in_a_file_online_equals_offline() {
        let path = path("equal");
        online_equals_offline(FeatureStore::new(EmbeddedStore::open(&path).unwrap()));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_was_told_outlives_the_store() {
        let path = path("outlives");
        let mut first = FeatureStore::new(EmbeddedStore::open(&path).unwrap());
        let mut memory = FeatureStore::new(MemoryStore::default());
        first.register(&view()).unwrap();
        memory.register(&view()).unwrap();
        first.ingest("events", 1, &events(40)).unwrap();
        memory.ingest("events", 1, &events(40)).unwrap();
        drop(first);
        let again = FeatureStore::new(EmbeddedStore::open(&path).unwrap());
        let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        let moment = 41 * 3_600_000_000;
        let (found, expected) = (again.at("events", 1, "a", moment), memory.at("events", 1, "a", moment));
        assert_eq!(bits(found.unwrap()), bits(expected.unwrap()));
        drop(again);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let path = path("other");
        std::fs::write(&path, "not a store").unwrap();
        assert!(EmbeddedStore::open(&path).is_err());
        std::fs::remove_file(path).unwrap();
    }
}
