//! Lines `key=value` of a text, and the numbers in them.

use std::str::FromStr;

use stagewise_core::error::Result;

use crate::tree::exchange::undecodable;

/// One section of a text: its lines, and what it is called in errors.
pub(super) struct Fields<'a> {
    pub(super) part: String,
    lines: Vec<(&'a str, &'a str)>,
}

impl<'a> Fields<'a> {
    /// The lines of a section; those without `=` are keys without a value.
    pub(super) fn of(part: String, lines: impl IntoIterator<Item = &'a str>) -> Self {
        let lines = lines.into_iter().map(|line| line.split_once('=').unwrap_or((line, ""))).collect();
        Self { part, lines }
    }

    /// The value of a key, if there is such a line.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.lines.iter().find(|(found, _)| found.trim() == key).map(|(_, value)| value.trim())
    }

    /// The value of a key.
    pub(super) fn required(&self, key: &str) -> Result<&'a str> {
        self.text(key).ok_or_else(|| undecodable(&self.part, format!("the line `{key}=` is not there")))
    }

    /// The number of a key.
    pub(super) fn number<T: FromStr>(&self, key: &str) -> Result<T> {
        let text = self.required(key)?;
        text.parse()
            .map_err(|_| undecodable(&self.part, format!("`{key}` is `{}`, no number of its kind", short(text))))
    }

    /// The numbers of a key, of which there must be `count`.
    pub(super) fn numbers<T: FromStr>(&self, key: &str, count: usize) -> Result<Vec<T>> {
        let found = self.all_numbers(key)?;
        if found.len() == count {
            return Ok(found);
        }
        Err(undecodable(&self.part, format!("`{key}` has {} numbers, {count} are needed", found.len())))
    }

    /// The numbers of a key, however many.
    pub(super) fn all_numbers<T: FromStr>(&self, key: &str) -> Result<Vec<T>> {
        let numbers = self.required(key)?.split_ascii_whitespace().map(|text| {
            let reason = || format!("`{key}` holds `{}`, no number of its kind", short(text));
            text.parse().map_err(|_| undecodable(&self.part, reason()))
        });
        numbers.collect()
    }
}

/// The beginning of a text, for an error.
pub(super) fn short(text: &str) -> String {
    let beginning: String = text.chars().take(40).collect();
    if beginning.len() < text.len() { beginning + "…" } else { beginning }
}
