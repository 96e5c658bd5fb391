//! The pieces that a text is cut into.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};

/// How a text is cut into pieces; it is in lower case by then.
///
/// ```
/// use stagewise_features::Grams;
/// let pieces = |grams: Grams, text: &str| {
///     let mut found = Vec::new();
///     grams.of(text, |piece| found.push(piece.to_string()));
///     found
/// };
/// assert_eq!(pieces(Grams::Words { from: 1, to: 2 }, "Late, a THIRD time"), ["late", "third", "time", "late third", "third time"]);
/// assert_eq!(pieces(Grams::Letters { from: 3, to: 3 }, "ab c"), [" ab", "ab ", " c "]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grams {
    /// Runs of `from` to `to` words; a word is two letters, digits or underscores, or more.
    Words {
        /// The shortest run.
        from: usize,
        /// The longest run.
        to: usize,
    },
    /// Runs of `from` to `to` characters inside what blanks part, with a blank put on both sides; a shorter one is one run.
    Letters {
        /// The shortest run.
        from: usize,
        /// The longest run.
        to: usize,
    },
}

impl Grams {
    /// Calls `put` with every piece of a text. `O(length · (to − from + 1))`.
    pub fn of(self, text: &str, mut put: impl FnMut(&str)) {
        let text = text.to_lowercase();
        match self {
            Self::Words { from, to } => {
                let is_inside = |c: char| c.is_alphanumeric() || c == '_';
                let words = text.split(|c| !is_inside(c)).filter(|word| word.chars().nth(1).is_some());
                let words: Vec<&str> = words.collect();
                for length in from..=to {
                    for run in words.windows(length) {
                        if let [word] = run { put(word) } else { put(&run.join(" ")) }
                    }
                }
            }
            Self::Letters { from, to } => {
                for word in text.split_whitespace() {
                    let padded = format!(" {word} ");
                    let mut starts: Vec<usize> = padded.char_indices().map(|(at, _)| at).collect();
                    starts.push(padded.len());
                    for length in from..=to {
                        let runs = starts.len().saturating_sub(length);
                        (0..runs).for_each(|at| put(&padded[starts[at]..starts[at + length]]));
                        // Nothing longer is left of it: one piece, and no more.
                        if runs <= 1 {
                            if runs == 0 {
                                put(&padded);
                            }
                            break;
                        }
                    }
                }
            }
        }
    }

    pub(super) fn check(self) -> Result<()> {
        let (Self::Words { from, to } | Self::Letters { from, to }) = self;
        let right = from >= 1 && from <= to && to <= 20;
        ParameterError::check(right, "grams", format!("{from} to {to}"), "1 <= from <= to <= 20")
    }
}
