//! Content fingerprints: SHA-256 over values, not over files, so that the same rows read from CSV or Parquet have the
//! same fingerprint.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::column::Column;
use crate::table::Table;

/// The SHA-256 of some content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of these bytes.
    ///
    /// ```
    /// use stagewise_core::fingerprint::Fingerprint;
    /// assert!(Fingerprint::of(b"abc").to_string().starts_with("ba7816bf8f01cfea"));
    /// ```
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The fingerprint of a table: names, kinds and values in order.
    pub fn of_table(table: &Table) -> Self {
        let mut hasher = Hasher::new();
        hasher.table(table);
        hasher.finish()
    }

    /// The first twelve hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_string()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a SHA-256 in 64 hexadecimal digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

/// Collects content for a [`Fingerprint`]. Every part is preceded by its length, so that parts cannot run together.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One number.
    pub fn word(&mut self, word: u64) {
        self.0.update(word.to_le_bytes());
    }

    /// Some bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        self.0.update(bytes);
    }

    /// Numbers by their bits; all NaN are one.
    pub fn numbers(&mut self, values: &[f64]) {
        self.word(values.len() as u64);
        for &value in values {
            self.word(if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() });
        }
    }

    /// A table: names, kinds and values; categories by name.
    pub fn table(&mut self, table: &Table) {
        self.word(table.rows() as u64);
        for (field, column) in table.schema().fields().iter().zip(table.columns()) {
            self.bytes(field.name.as_bytes());
            self.bytes(field.kind.to_string().as_bytes());
            self.column(column);
        }
    }

    fn column(&mut self, column: &Column) {
        match column {
            Column::Number(values) => self.numbers(values),
            Column::Category { codes, levels } => {
                // Each level once by name, numbered by appearance: equal values, equal bytes, whatever the codes.
                let mut seen = std::collections::HashMap::new();
                for &code in codes.iter() {
                    let next = seen.len() as u64;
                    let number = *seen.entry(code).or_insert_with(|| {
                        self.bytes(levels.name(code).map_or(&[][..], |name| name.as_bytes()));
                        next
                    });
                    self.word(number);
                }
            }
            Column::Flag(values) => values.iter().for_each(|v| self.word(v.map_or(2, u64::from))),
            Column::Text(values) => values.iter().for_each(|v| match v {
                None => self.word(u64::MAX),
                Some(text) => self.bytes(text.as_bytes()),
            }),
            Column::Timestamp(values) => values.iter().for_each(|&t| self.word(t as u64)),
        }
    }

    /// The fingerprint of everything collected.
    pub fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Levels;
    use std::sync::Arc;

    #[test]
    fn equal_values_have_equal_fingerprints_whatever_the_codes() {
        let a = Table::of([("c", Column::categories([Some("x"), None, Some("y")]))]).unwrap();
        let codes = Arc::new(vec![1, crate::column::MISSING_CODE, 0]);
        let b = Column::Category { codes, levels: Arc::new(Levels::new(["y", "x"])) };
        let b = Table::of([("c", b)]).unwrap();
        assert_eq!(Fingerprint::of_table(&a), Fingerprint::of_table(&b));
        let c = Table::of([("c", Column::categories([Some("x"), Some("y"), None]))]).unwrap();
        assert_ne!(Fingerprint::of_table(&a), Fingerprint::of_table(&c));
    }

    #[test]
    fn a_fingerprint_reads_back_from_its_text() {
        let fingerprint = Fingerprint::of(b"x");
        assert_eq!(Fingerprint::try_from(fingerprint.to_string()), Ok(fingerprint));
        assert!(Fingerprint::try_from("zz".to_string()).is_err());
    }
}
