//! How a decision is written in a file: as short as it can be, `"missing"` or `{ map = "pro" }`, and longer where it says who
//! decided and why.

use serde::{Deserialize, Serialize};

use super::{Remedy, ValueDecision};

/// A decision as it is written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a decision is `new_level`, `missing`, `reject`, or a table of `map` or `becomes`, perhaps with `author` \
                 and `note`"
)]
pub(super) enum Written {
    Word(Word),
    Table(Entries),
}

/// A remedy of one word.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    NewLevel,
    Missing,
    Reject,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entries {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    map: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    becomes: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<Word> for Remedy {
    fn from(word: Word) -> Self {
        match word {
            Word::NewLevel => Self::NewLevel,
            Word::Missing => Self::Missing,
            Word::Reject => Self::Reject,
        }
    }
}

impl TryFrom<Written> for ValueDecision {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, &'static str> {
        let Entries { map, becomes, author, note } = match written {
            Written::Word(word) => return Ok(Self::new(word.into())),
            Written::Table(entries) => entries,
        };
        let remedy = match (map, becomes) {
            (Some(to), None) => Remedy::Map(to),
            (None, Some(word)) => word.into(),
            (Some(_), Some(_)) => return Err("a decision says both `map` and `becomes`; keep one"),
            (None, None) => return Err("a decision says neither `map` nor `becomes`; say what becomes of the value"),
        };
        Ok(Self { remedy, author, note })
    }
}

impl From<ValueDecision> for Written {
    fn from(ValueDecision { remedy, author, note }: ValueDecision) -> Self {
        let (map, becomes) = match remedy {
            Remedy::Map(to) => (Some(to), None),
            Remedy::NewLevel => (None, Some(Word::NewLevel)),
            Remedy::Missing => (None, Some(Word::Missing)),
            Remedy::Reject => (None, Some(Word::Reject)),
        };
        match becomes {
            Some(word) if author.is_none() && note.is_none() => Self::Word(word),
            _ => Self::Table(Entries { map, becomes, author, note }),
        }
    }
}
