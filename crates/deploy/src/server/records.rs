//! A body becomes records: names and raw values that borrow from it, in one pass, without a tree in between.
//!
//! Three shapes are taken: `{"records": [{…}, …]}`, `[{…}, …]`, and one record `{…}`. A key `records` that holds a list is
//! never a column, since a column's value is no list. A name twice in one record is refused: parsers disagree about
//! which of the two counts, and a guess would be silent.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use stagewise_core::record::RawCell;

use super::refusal::Refusal;

/// One record in the order it came.
pub(super) struct Record<'b>(Vec<(Cow<'b, str>, Value<'b>)>);

enum Value<'b> {
    Missing,
    Number(f64),
    Flag(bool),
    Text(Cow<'b, str>),
}

impl Record<'_> {
    /// The record as a scorer takes it.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&str, RawCell<'_>)> {
        self.0.iter().map(|(name, value)| {
            let cell = match value {
                Value::Missing => RawCell::Missing,
                Value::Number(x) => RawCell::Number(*x),
                Value::Flag(b) => RawCell::Flag(*b),
                Value::Text(text) => RawCell::Text(text),
            };
            (name.as_ref(), cell)
        })
    }
}

/// The records of a body, at most `most`.
pub(super) fn decode(body: &[u8], most: usize) -> Result<Vec<Record<'_>>, Refusal> {
    let at = Place { most, record: Cell::new(None), column: RefCell::default(), refusal: RefCell::default() };
    let mut json = serde_json::Deserializer::from_slice(body);
    let records = BodySeed(&at).deserialize(&mut json).and_then(|records| json.end().map(|()| records));
    records.map_err(|error| match (at.refusal.into_inner(), error.is_data()) {
        (Some(refusal), _) => refusal,
        (None, true) => {
            Refusal::Shape { record: at.record.get(), column: at.column.into_inner(), message: error.to_string() }
        }
        (None, false) => Refusal::Malformed { message: error.to_string() },
    })
}

/// Where the reader is, and what it found that serde's errors have no fields for.
struct Place {
    most: usize,
    record: Cell<Option<usize>>,
    column: RefCell<Option<String>>,
    refusal: RefCell<Option<Refusal>>,
}

impl Place {
    fn refuse<E: Error>(&self, refusal: Refusal) -> E {
        let error = E::custom(&refusal);
        self.refusal.replace(Some(refusal));
        error
    }

    fn list<'de, A: SeqAccess<'de>>(&self, mut list: A) -> Result<Vec<Record<'de>>, A::Error> {
        let mut records = Vec::new();
        loop {
            if records.len() == self.most {
                return match list.next_element::<IgnoredAny>()? {
                    None => Ok(records),
                    Some(_) => Err(self.refuse(Refusal::TooManyRecords { limit: self.most })),
                };
            }
            self.record.set(Some(records.len()));
            match list.next_element_seed(RecordSeed(self))? {
                Some(record) => records.push(record),
                None => return Ok(records),
            }
        }
    }

    /// The record of these values, unless a name comes twice.
    fn record<'de, E: Error>(&self, values: Vec<(Cow<'de, str>, Value<'de>)>) -> Result<Record<'de>, E> {
        let mut names: Vec<&str> = values.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(Record(values)),
            Some(pair) => {
                let record = self.record.get().unwrap_or(0);
                Err(self.refuse(Refusal::Duplicate { record, column: pair[0].into() }))
            }
        }
    }

    fn value<'de, A: MapAccess<'de>, S: DeserializeSeed<'de>>(
        &self,
        map: &mut A,
        name: &str,
        seed: S,
    ) -> Result<S::Value, A::Error> {
        map.next_value_seed(seed).inspect_err(|_| {
            self.column.borrow_mut().get_or_insert_with(|| name.to_string());
        })
    }
}

struct BodySeed<'r>(&'r Place);

impl<'de> DeserializeSeed<'de> for BodySeed<'_> {
    type Value = Vec<Record<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for BodySeed<'_> {
    type Value = Vec<Record<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record, a list of records, or {\"records\": [...]}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        self.0.list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let at = self.0;
        let mut values = Vec::new();
        while let Some(name) = map.next_key_seed(NameSeed)? {
            if name != "records" {
                at.record.set(Some(0));
                let value = at.value(&mut map, &name, ValueSeed)?;
                values.push((name, value));
                continue;
            }
            match map.next_value_seed(RecordsSeed(at))? {
                Records::Value(value) => values.push((name, value)),
                Records::List(records) => {
                    let beside = values.pop().map(|(name, _)| name);
                    let beside = if beside.is_some() { beside } else { map.next_key_seed(NameSeed)? };
                    return match beside {
                        None => Ok(records),
                        Some(name) => Err(at.refuse(Refusal::Shape {
                            record: None,
                            column: None,
                            message: format!("`{name}` stands beside the list `records`; nothing may"),
                        })),
                    };
                }
            }
        }
        at.record.set(Some(0));
        Ok(vec![at.record(values)?])
    }
}

struct RecordSeed<'r>(&'r Place);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = Record<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record: an object of names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(name) = map.next_key_seed(NameSeed)? {
            let value = self.0.value(&mut map, &name, ValueSeed)?;
            values.push((name, value));
        }
        self.0.record(values)
    }
}

/// The value of the key `records`: the list, or the value of a column of that name.
enum Records<'de> {
    List(Vec<Record<'de>>),
    Value(Value<'de>),
}

struct RecordsSeed<'r>(&'r Place);

impl<'de> DeserializeSeed<'de> for RecordsSeed<'_> {
    type Value = Records<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

const SCALAR: &str = "a number, a text, true, false or null";

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCALAR)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.into())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }
}

impl<'de> Visitor<'de> for RecordsSeed<'_> {
    type Value = Records<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of records, {SCALAR}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        self.0.list(list).map(Records::List)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Records::Value(Value::Missing))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Records::Value(Value::Flag(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Records::Value(Value::Number(value as f64)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Records::Value(Value::Number(value as f64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Records::Value(Value::Number(value)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Records::Value(Value::Text(Cow::Owned(text.into()))))
    }
}

struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.into()))
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str) -> Result<Vec<String>, Refusal> {
        let show = |record: &Record<'_>| format!("{:?}", record.cells().collect::<Vec<_>>());
        decode(body.as_bytes(), 3).map(|records| records.iter().map(show).collect())
    }

    #[test]
    fn three_shapes_are_taken() {
        let record = r#"{"a": 1, "b": "x\n", "c": true, "d": null, "e": -0.0}"#;
        let expected =
            r#"[("a", Number(1.0)), ("b", Text("x\n")), ("c", Flag(true)), ("d", Missing), ("e", Number(-0.0))]"#;
        assert_eq!(shown(record).unwrap(), [expected]);
        assert_eq!(shown(&format!("[{record}, {record}]")).unwrap(), [expected, expected]);
        assert_eq!(shown(&format!("{{\"records\": [{record}]}}")).unwrap(), [expected]);
        assert_eq!(shown(r#"{"records": 3}"#).unwrap(), [r#"[("records", Number(3.0))]"#]);
        assert!(shown("[]").unwrap().is_empty() && shown(r#"{"records": []}"#).unwrap().is_empty());
        assert_eq!(shown("{}").unwrap(), ["[]"]);
    }

    #[test]
    fn what_is_refused_says_where() {
        let of = |body: &str| shown(body).unwrap_err().to_string();
        assert_eq!(of(r#"[{"a": 1,}]"#), "trailing comma at line 1 column 10");
        assert_eq!(of("{}x"), "trailing characters at line 1 column 3");
        assert_eq!(of("[{},{},{},{}]"), "more than 3 records; send them in several requests");
        assert_eq!(of(r#"{"a": 1, "b": 2, "a": 3}"#), "`a` comes twice in one record");
        assert_eq!(of(r#"{"x": 1, "records": []}"#), "`x` stands beside the list `records`; nothing may");
        assert_eq!(of(r#"{"records": [], "x": 1}"#), "`x` stands beside the list `records`; nothing may");
        let deep = "[".repeat(100_000);
        assert!(of(&deep).starts_with("invalid type: sequence, expected a record: an object"));
        match shown(r#"[{}, {"a": {"b": 1}}]"#).unwrap_err() {
            Refusal::Shape { record: Some(1), column: Some(column), message } => {
                assert_eq!(column, "a");
                assert!(message.starts_with("invalid type: map, expected a number, a text"), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }
}
