//! The bytes of an artifact: a head of text that a person can read, then binary sections without gaps.
//!
//! ```text
//! offset     bytes  content
//! 0              8  STAGEWIS
//! 8              1  blank
//! 9              4  format version, decimal digits                       0001
//! 13             1  blank
//! 14             9  m, the length of the manifest, decimal digits        000004711
//! 23             1  line feed
//! 24             m  manifest, JSON over several lines, UTF-8
//! 24+m           1  line feed
//! 25+m          64  SHA-256 of all bytes before it, lower-case hexadecimal digits
//! 89+m           1  line feed
//! 90+m           …  the sections, one after the other, in the manifest's order
//! ```
//!
//! The manifest gives offset (from 90+m), length and SHA-256 of each section; the sections fill the file to its last
//! byte. So every byte is either fixed or under a hash. `head FILE` shows the manifest, and
//! `head -c $((25+m)) FILE | sha256sum` checks it. Lengths are compared with what is there before anything is allocated.

use std::io::Read;

use stagewise_core::error::{PersistError, Result};
use stagewise_core::fingerprint::Fingerprint;
use stagewise_core::persist::Saved;
use stagewise_core::pipeline::fitted::SavedSection;

use super::manifest::{Manifest, SectionEntry};

/// The version of the layout that this program writes and reads.
pub const FORMAT: u32 = 1;

/// The manifest's lines about these sections.
pub(super) fn entries(sections: &[SavedSection]) -> Vec<SectionEntry> {
    let mut offset = 0;
    sections
        .iter()
        .map(|SavedSection { name, saved }| {
            let length = saved.bytes.len() as u64;
            let entry = SectionEntry {
                name: name.clone(),
                tag: saved.tag.clone(),
                version: saved.version,
                offset,
                length,
                sha256: Fingerprint::of(&saved.bytes),
            };
            offset += length;
            entry
        })
        .collect()
}

/// The whole file.
pub(super) fn write(manifest: &Manifest, sections: &[SavedSection]) -> Result<Vec<u8>> {
    let unencodable = |reason: String| PersistError::Unencodable { part: MANIFEST.into(), reason };
    let json = serde_json::to_vec_pretty(manifest).map_err(|e| unencodable(e.to_string()))?;
    if json.len() > MOST {
        return Err(unencodable(format!("{} bytes are more than {MOST}", json.len())).into());
    }
    let mut bytes = format!("{MAGIC} {FORMAT:04} {:09}\n", json.len()).into_bytes();
    bytes.extend_from_slice(&json);
    bytes.push(b'\n');
    let hash = Fingerprint::of(&bytes).to_string();
    bytes.extend_from_slice(hash.as_bytes());
    bytes.push(b'\n');
    sections.iter().for_each(|section| bytes.extend_from_slice(&section.saved.bytes));
    Ok(bytes)
}

/// The manifest and the sections of a whole file, every byte verified.
pub(super) fn read(bytes: &[u8]) -> Result<(Manifest, Vec<SavedSection>)> {
    let mut rest = bytes;
    let manifest = read_head(&mut rest)?;
    let mut offset = 0;
    let mut sections = Vec::new();
    for entry in &manifest.sections {
        let damaged = || PersistError::Damaged { part: format!("section `{}`", entry.name) };
        let length = usize::try_from(entry.length).ok().filter(|n| *n <= rest.len()).ok_or_else(damaged)?;
        let (section, after) = rest.split_at(length);
        if entry.offset != offset || entry.sha256 != Fingerprint::of(section) {
            return Err(damaged().into());
        }
        let saved = Saved { tag: entry.tag.clone(), version: entry.version, bytes: section.to_vec() };
        sections.push(SavedSection { name: entry.name.clone(), saved });
        offset += entry.length;
        rest = after;
    }
    if rest.is_empty() { Ok((manifest, sections)) } else { Err(damaged("the end of the file").into()) }
}

/// The manifest, verified, of a file of which no more than the head is read.
pub(super) fn read_head(from: &mut impl Read) -> Result<Manifest> {
    let mut head = take(from, HEAD)?;
    if !head.starts_with(MAGIC.as_bytes()) {
        return Err(undecodable(format!("it does not begin with `{MAGIC}`")).into());
    }
    // The version first: of another one, nothing else is known.
    let version = number(&head, 9..13)?;
    if version != FORMAT as usize {
        let (tag, found) = ("artifact".into(), version as u32);
        return Err(PersistError::Version { tag, found, supported: FORMAT }.into());
    }
    let length = number(&head, 14..23)?;
    head.extend(take(from, length + 1)?);
    let hash = take(from, HASH)?;
    let expected = format!("{}\n", Fingerprint::of(&head));
    if hash != expected.as_bytes() {
        return Err(damaged(MANIFEST).into());
    }
    head.get(HEAD..HEAD + length)
        .and_then(|json| serde_json::from_slice(json).ok())
        .ok_or_else(|| damaged(MANIFEST).into())
}

const MAGIC: &str = "STAGEWIS";
const MANIFEST: &str = "the manifest";
/// Bytes before the manifest.
const HEAD: usize = 24;
/// Bytes of the hash and its line feed.
const HASH: usize = 65;
/// The longest manifest that nine digits can tell.
const MOST: usize = 999_999_999;

/// Just so many bytes. Grows with what comes, not with what is announced.
fn take(from: &mut impl Read, length: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes).map_err(|e| undecodable(e.to_string()))?;
    if bytes.len() == length { Ok(bytes) } else { Err(undecodable("it is cut off".into()).into()) }
}

fn number(head: &[u8], at: std::ops::Range<usize>) -> Result<usize> {
    let digits = head.get(at).unwrap_or_default();
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(damaged("the head of the file").into());
    }
    Ok(digits.iter().fold(0, |n, digit| n * 10 + usize::from(digit - b'0')))
}

fn undecodable(reason: String) -> PersistError {
    PersistError::Undecodable { part: "the artifact".into(), reason }
}

fn damaged(part: &str) -> PersistError {
    PersistError::Damaged { part: part.into() }
}

#[cfg(test)]
mod tests {
    use crate::artifact::Artifact;
    use crate::fixture;
    use stagewise_core::error::ErrorKind;
    use stagewise_core::task::Binary;

    #[test]
    fn every_changed_byte_is_refused() {
        let registry = fixture::registry();
        let bytes = fixture::binary().to_bytes().unwrap();
        assert!(Artifact::<Binary>::from_bytes(&bytes, &registry).is_ok());
        for i in 0..bytes.len() {
            for mask in [1, 0x80] {
                let mut bad = bytes.clone();
                bad[i] ^= mask;
                let error = Artifact::<Binary>::from_bytes(&bad, &registry).expect_err("a changed byte");
                assert!(matches!(error.kind(), ErrorKind::Persist(_)), "byte {i} ^ {mask}: {error}");
            }
        }
    }

    #[test]
    fn every_truncation_and_every_addition_is_refused() {
        let registry = fixture::registry();
        let bytes = fixture::binary().to_bytes().unwrap();
        let refused = |bytes: &[u8]| {
            let error = Artifact::<Binary>::from_bytes(bytes, &registry).expect_err("another length");
            assert!(matches!(error.kind(), ErrorKind::Persist(_)), "{} bytes: {error}", bytes.len());
            error.to_string()
        };
        (0..bytes.len()).for_each(|length| drop(refused(&bytes[..length])));
        for added in [b"\0".as_slice(), b"\n", b"STAGEWIS"] {
            let message = refused(&[&bytes[..], added].concat());
            assert_eq!(
                message,
                "the end of the file is damaged or was changed after it was written; take it from its source again"
            );
        }
        let message = refused(b"PK\x03\x04 and more than twenty-four bytes");
        assert_eq!(message, "the artifact does not decode: it does not begin with `STAGEWIS`");
    }

    #[test]
    fn an_announced_length_allocates_nothing() {
        let registry = fixture::registry();
        let error = Artifact::<Binary>::from_bytes(b"STAGEWIS 0001 999999999\n{}", &registry).unwrap_err();
        assert_eq!(error.to_string(), "the artifact does not decode: it is cut off");
        let error = Artifact::<Binary>::from_bytes(b"STAGEWIS 0002 000000002\n{}", &registry).unwrap_err();
        assert_eq!(error.to_string(), "`artifact` was saved in version 2, this program reads 1");
    }
}
