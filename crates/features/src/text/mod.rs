//! Text to numbers: how often words and runs of letters occur, and how alike two spellings are.
//!
//! All take columns of text and of categories, whose levels are read as text. A missing value is read as an empty text.

mod documents;
mod grams;
mod hashing;
mod min_hash;
mod tfidf;

use stagewise_core::registry::Registry;

pub use grams::Grams;
pub use hashing::{FittedHashingVectorizer, HashingVectorizer};
pub use min_hash::{FittedMinHashEncoder, MinHashEncoder};
pub use tfidf::{FittedTfidfVectorizer, TfidfVectorizer, Vocabulary};

pub(crate) fn register(registry: &mut Registry) {
    registry.transformer::<HashingVectorizer>().transformer::<MinHashEncoder>().transformer::<TfidfVectorizer>();
}
