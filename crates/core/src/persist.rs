//! How a value is saved: a tag that names its type, a version, and self-describing bytes (MessagePack with names).
//!
//! Serde attributes carry a type over small changes: a new setter gets `#[serde(default)]`. Where that is not enough,
//! the type raises [`Persist::VERSION`] and reads the older bytes in [`Persist::upgrade`].

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{PersistError, Result};
use crate::task::Task;

/// A spec, a fitted stage or a metric that can be saved and loaded by its tag.
pub trait Persist: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Names the type in files. Never changes; outside stagewise, begin it with your crate's name.
    const TAG: &'static str;

    /// Goes up when older bytes no longer decode.
    const VERSION: u32 = 1;

    /// Reads bytes of an older version.
    ///
    /// # Errors
    /// [`PersistError::Version`] for versions that it does not know, which is all of them unless overridden.
    fn upgrade(version: u32, _bytes: &[u8]) -> Result<Self> {
        Err(PersistError::Version { tag: Self::TAG.into(), found: version, supported: Self::VERSION }.into())
    }
}

/// A saved value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The type's [`Persist::TAG`].
    pub tag: String,
    /// The [`Persist::VERSION`] that wrote it.
    pub version: u32,
    /// The value.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl Saved {
    /// Saves a value.
    ///
    /// # Errors
    /// [`PersistError::Unencodable`].
    pub fn of<P: Persist>(value: &P) -> Result<Self> {
        Ok(Self { tag: P::TAG.into(), version: P::VERSION, bytes: encode(P::TAG, value)? })
    }

    /// Loads a value of a known type.
    ///
    /// # Errors
    /// [`PersistError::Version`], [`PersistError::Undecodable`], [`PersistError::UnknownTag`] if it holds another type.
    pub fn load<P: Persist>(&self) -> Result<P> {
        if self.tag != P::TAG {
            let known = vec![P::TAG.to_string()];
            return Err(PersistError::UnknownTag { role: "value", tag: self.tag.clone(), known }.into());
        }
        match self.version {
            version if version == P::VERSION => decode(P::TAG, &self.bytes),
            version if version > P::VERSION => {
                Err(PersistError::Version { tag: P::TAG.into(), found: version, supported: P::VERSION }.into())
            }
            version => P::upgrade(version, &self.bytes),
        }
    }
}

/// Encodes any serialisable value as MessagePack with field names.
///
/// # Errors
/// [`PersistError::Unencodable`] naming `part`.
pub fn encode(part: &str, value: &impl Serialize) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(value)
        .map_err(|e| PersistError::Unencodable { part: part.into(), reason: e.to_string() }.into())
}

/// Decodes what [`encode`] wrote; bytes left over are an error.
///
/// # Errors
/// [`PersistError::Undecodable`] naming `part`.
pub fn decode<V: DeserializeOwned>(part: &str, bytes: &[u8]) -> Result<V> {
    let undecodable = |reason: String| PersistError::Undecodable { part: part.into(), reason };
    let mut rest = bytes;
    let value = rmp_serde::from_read(&mut rest).map_err(|e| undecodable(e.to_string()))?;
    if rest.is_empty() { Ok(value) } else { Err(undecodable(format!("{} bytes left over", rest.len())).into()) }
}

/// Checks that something saved is for the task `T`.
pub(crate) fn require_task<T: Task>(found: &str) -> Result<()> {
    if found == T::NAME {
        Ok(())
    } else {
        Err(PersistError::WrongTask { expected: T::NAME, found: found.into() }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        numbers: Vec<f64>,
    }

    impl Persist for Old {
        const TAG: &'static str = "Example";
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        numbers: Vec<f64>,
        #[serde(default)]
        setter: bool,
    }

    impl Persist for New {
        const TAG: &'static str = "Example";
    }

    #[test]
    fn numbers_keep_their_bits_and_new_setters_their_defaults() {
        let numbers = vec![0.1, -0.0, f64::INFINITY, f64::MIN_POSITIVE / 2.0, 1e308];
        let saved = Saved::of(&Old { numbers: numbers.clone() }).unwrap();
        let loaded: New = saved.load().unwrap();
        assert_eq!(
            loaded.numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        );
        assert!(!loaded.setter);
    }

    #[test]
    fn a_newer_version_and_a_broken_one_are_refused() {
        let mut saved = Saved::of(&Old { numbers: vec![1.0] }).unwrap();
        saved.version = 2;
        assert!(saved.load::<Old>().unwrap_err().to_string().contains("version 2"));
        saved.version = 1;
        saved.bytes.push(0);
        assert!(saved.load::<Old>().is_err());
    }
}
