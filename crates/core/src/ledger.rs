//! What happened, in order, in a file that shows if it was changed: append-only JSON lines, each with the SHA-256 of
//! itself and of the line before.
//!
//! A line is `{"hash":"…","entry":{…}}`; the hash covers the bytes of the entry, which holds the previous hash. Changing,
//! removing or reordering lines breaks the chain from there on. Cutting off the end does not show in the file alone:
//! keep [`Ledger::head`] elsewhere for that.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::error::{At, Crumb, Error, GateError, Result};
use crate::fingerprint::Fingerprint;
use crate::gate::Check;

/// An append-only chain of events, in a file or in memory.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    head: Option<Fingerprint>,
    file: Option<(PathBuf, File)>,
}

/// One event in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, counted from zero.
    pub number: usize,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at: u64,
    /// What.
    pub event: Event,
    /// The hash of the entry before; none for the first.
    pub previous: Option<Fingerprint>,
}

/// Something worth writing down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A pipeline was deployed.
    Deployed {
        /// The pipeline.
        pipeline: Fingerprint,
        /// Where to.
        to: String,
    },
    /// The gate was asked.
    Gate {
        /// The pipeline.
        pipeline: Fingerprint,
        /// The holdout.
        holdout: Fingerprint,
        /// Whether it passed.
        passed: bool,
        /// The evidence.
        checks: Vec<Check>,
    },
    /// A holdout was looked at.
    HoldoutLook {
        /// The holdout.
        holdout: Fingerprint,
        /// The pipeline.
        pipeline: Fingerprint,
        /// Which look at it this is.
        look: usize,
    },
    /// Anything else.
    Note {
        /// What.
        text: String,
    },
}

impl Ledger {
    /// A ledger that is gone with the process.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// The ledger in a file, which is made if it is not there and verified if it is.
    ///
    /// # Errors
    /// [`GateError::BrokenLedger`], or a file that cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut ledger = if path.exists() { Self::verify(path)? } else { Self::default() };
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(|e| Error::io(path, e))?;
        ledger.file = Some((path.to_path_buf(), file));
        Ok(ledger)
    }

    /// Reads a file and checks its chain.
    ///
    /// # Errors
    /// [`GateError::BrokenLedger`] naming the first entry that does not fit, or a file that cannot be read.
    pub fn verify(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let mut ledger = Self::default();
        for (number, line) in text.split_inclusive('\n').enumerate() {
            ledger.take_line(number, line).at(|| Crumb::File(path.to_path_buf()))?;
        }
        Ok(ledger)
    }

    fn take_line(&mut self, number: usize, line: &str) -> Result<()> {
        let broken = |problem: &str| GateError::BrokenLedger { entry: number, problem: problem.into() };
        let line = line.strip_suffix('\n').ok_or_else(|| broken("the line is cut off"))?;
        let (hash, entry) = line
            .strip_prefix(OPEN)
            .and_then(|rest| rest.split_once(MIDDLE))
            .and_then(|(hash, rest)| Some((hash, rest.strip_suffix(CLOSE)?)))
            .ok_or_else(|| broken("the line is not of the form {\"hash\":…,\"entry\":…}"))?;
        let computed = Fingerprint::of(entry.as_bytes());
        if hash != computed.to_string() {
            return Err(broken("the entry does not have its hash").into());
        }
        let entry: Entry = serde_json::from_str(entry).map_err(|e| broken(&e.to_string()))?;
        if entry.number != number || entry.previous != self.head {
            return Err(broken("the entry does not follow the one before").into());
        }
        self.entries.push(entry);
        self.head = Some(computed);
        Ok(())
    }

    /// Writes an event down; in a file, it is on the disk when this returns.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn append(&mut self, event: Event) -> Result<&Entry> {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let number = self.entries.len();
        let entry = Entry { number, at, event, previous: self.head };
        let json = serde_json::to_string(&entry).map_err(Error::external)?;
        let hash = Fingerprint::of(json.as_bytes());
        if let Some((path, file)) = &mut self.file {
            let line = format!("{OPEN}{hash}{MIDDLE}{json}{CLOSE}\n");
            file.write_all(line.as_bytes())
                .and_then(|()| file.sync_data())
                .map_err(|e| Error::io(path.as_path(), e))?;
        }
        self.entries.push(entry);
        self.head = Some(hash);
        Ok(&self.entries[number])
    }

    /// Every entry in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The hash of the last entry: keep it elsewhere to see later that the end was not cut off.
    pub fn head(&self) -> Option<Fingerprint> {
        self.head
    }

    /// How often a holdout was looked at.
    pub fn looks(&self, holdout: Fingerprint) -> usize {
        let is_look = |entry: &&Entry| matches!(&entry.event, Event::HoldoutLook { holdout: h, .. } if *h == holdout);
        self.entries.iter().filter(is_look).count()
    }
}

const OPEN: &str = "{\"hash\":\"";
const MIDDLE: &str = "\",\"entry\":";
const CLOSE: &str = "}";

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str) -> Event {
        Event::Note { text: text.into() }
    }

    fn file(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("stagewise-ledger-{}-{name}.jsonl", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn a_ledger_goes_on_where_it_ended() {
        let path = file("goes-on");
        Ledger::open(&path).unwrap().append(note("one")).unwrap();
        let mut again = Ledger::open(&path).unwrap();
        again.append(note("two")).unwrap();
        let verified = Ledger::verify(&path).unwrap();
        assert_eq!((verified.entries().len(), verified.head()), (2, again.head()));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn every_changed_byte_and_every_lost_line_shows() {
        let path = file("changed");
        let mut ledger = Ledger::open(&path).unwrap();
        for text in ["one", "two", "three"] {
            ledger.append(note(text)).unwrap();
        }
        let good = std::fs::read(&path).unwrap();
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            assert!(Ledger::verify(&path).is_err(), "byte {i}");
        }
        let lines: Vec<&[u8]> = good.split_inclusive(|b| *b == b'\n').collect();
        for kept in [[0, 2].as_slice(), &[1, 2], &[1, 0, 2], &[0, 1, 1, 2]] {
            let text: Vec<u8> = kept.iter().flat_map(|&i| lines[i]).copied().collect();
            std::fs::write(&path, text).unwrap();
            assert!(Ledger::open(&path).is_err(), "{kept:?}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn looks_are_counted_by_holdout() {
        let mut ledger = Ledger::in_memory();
        let (a, b) = (Fingerprint::of(b"a"), Fingerprint::of(b"b"));
        for holdout in [a, a, b] {
            ledger.append(Event::HoldoutLook { holdout, pipeline: a, look: 1 }).unwrap();
        }
        assert_eq!((ledger.looks(a), ledger.looks(b)), (2, 1));
    }
}
