//! What changed between two schemas, rule by rule: to read before a new schema takes the place of an old one.
//!
//! A change that lets more rows pass than before is marked as looser, for it is the one that hides trouble.

use std::fmt::Display;

use serde::{Deserialize, Serialize};
use stagewise_core::exhibit::{Block, Exhibit, Section, number};

use super::finding::names_text;
use super::schema::{ColumnSchema, DataSchema};

/// One rule that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The column; none for the table as a whole.
    pub column: Option<String>,
    /// The rule, by its name in the file; `column` if the whole column was added or removed.
    pub rule: String,
    /// What it was; empty if there was none.
    pub before: String,
    /// What it is; empty if there is none.
    pub after: String,
    /// Whether rows pass now that did not before. False if that cannot be said, as of a change of kind.
    pub looser: bool,
}

/// All rules that differ between two schemas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaDiff {
    /// The changes: of the table, then by column of the older schema, then columns that were added.
    pub changes: Vec<Change>,
}

impl SchemaDiff {
    /// Whether the two schemas say the same; the order of columns and levels does not count.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl DataSchema {
    /// What `newer` changes of this schema. `O(columns²)` in the number of columns, for names are looked up one by one.
    ///
    /// ```
    /// use stagewise_core::schema::Kind;
    /// use stagewise_data::check::{ColumnSchema, DataSchema};
    ///
    /// let old = DataSchema::default().column(ColumnSchema::new("age", Kind::Number).most(100.0))?;
    /// let new = old.clone().revise("age", |age| age.most(120.0))?;
    /// let diff = old.diff(&new);
    /// assert_eq!((diff.changes[0].before.as_str(), diff.changes[0].after.as_str()), ("100", "120"));
    /// assert!(diff.changes[0].looser);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn diff(&self, newer: &Self) -> SchemaDiff {
        let mut changes = Vec::new();
        let (before, after) = (self.least_rows, newer.least_rows);
        push(&mut changes, None, "least_rows", before.to_string(), after.to_string(), after < before);
        for old in &self.columns {
            match newer.columns.iter().find(|c| c.name == old.name) {
                Some(new) => compare(&mut changes, old, new),
                None => push(&mut changes, Some(old), "column", old.kind.to_string(), String::new(), true),
            }
        }
        for new in newer.columns.iter().filter(|new| !self.columns.iter().any(|old| old.name == new.name)) {
            push(&mut changes, Some(new), "column", String::new(), new.kind.to_string(), false);
        }
        SchemaDiff { changes }
    }
}

fn compare(changes: &mut Vec<Change>, old: &ColumnSchema, new: &ColumnSchema) {
    let mut rule = |name: &str, before: String, after: String, looser: bool| {
        push(changes, Some(old), name, before, after, looser);
    };
    rule("kind", old.kind.to_string(), new.kind.to_string(), false);
    rule("role", old.role.to_string(), new.role.to_string(), false);
    let mut places = [old.environments.clone(), new.environments.clone()];
    places.iter_mut().for_each(|p| p.sort());
    let [before, after] = places.map(|p| p.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    rule("environments", before, after, new.environments.len() < old.environments.len());
    rule("presence", number(old.presence), number(new.presence), new.presence < old.presence);
    rule("unique", old.unique.to_string(), new.unique.to_string(), old.unique && !new.unique);
    rule("tolerance", number(old.tolerance), number(new.tolerance), new.tolerance > old.tolerance);
    let low = |bound: Option<f64>| bound.unwrap_or(f64::NEG_INFINITY);
    let high = |bound: Option<f64>| bound.unwrap_or(f64::INFINITY);
    rule("least", text(old.least), text(new.least), low(new.least) < low(old.least));
    rule("most", text(old.most), text(new.most), high(new.most) > high(old.most));
    let time = |text: &Option<String>| text.as_deref().and_then(stagewise_core::record::parse::timestamp);
    let (first, last) = (|t| time(t).unwrap_or(i64::MIN), |t| time(t).unwrap_or(i64::MAX));
    let earlier = first(&new.earliest) < first(&old.earliest);
    rule("earliest", text(old.earliest.as_ref()), text(new.earliest.as_ref()), earlier);
    rule("latest", text(old.latest.as_ref()), text(new.latest.as_ref()), last(&new.latest) > last(&old.latest));
    match (&old.levels, &new.levels) {
        (Some(old), Some(new)) => {
            let only = |a: &[String], b: &[String]| a.iter().filter(|l| !b.contains(l)).cloned().collect::<Vec<_>>();
            let (gone, come) = (only(old, new), only(new, old));
            rule("levels", names_text(&gone), names_text(&come), !come.is_empty());
        }
        (old, new) => {
            let shown = |levels: &Option<Vec<String>>| levels.as_deref().map(names_text).unwrap_or_default();
            rule("levels", shown(old), shown(new), old.is_some());
        }
    }
}

fn text(value: Option<impl Display>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

fn push(changes: &mut Vec<Change>, of: Option<&ColumnSchema>, rule: &str, before: String, after: String, looser: bool) {
    if before != after {
        let column = of.map(|c| c.name.clone());
        changes.push(Change { column, rule: rule.into(), before, after, looser });
    }
}

impl Exhibit for SchemaDiff {
    fn exhibit(&self) -> Section {
        let looser = self.changes.iter().filter(|c| c.looser).count();
        let section =
            Section::new("Changes of the schema").text(format!("{} changes, {looser} looser", self.changes.len()));
        if self.is_empty() {
            return section;
        }
        let columns = ["column", "rule", "before", "after", "looser"].map(String::from).to_vec();
        let row = |c: &Change| {
            let looser = if c.looser { "looser" } else { "" }.to_string();
            vec![c.column.clone().unwrap_or_default(), c.rule.clone(), c.before.clone(), c.after.clone(), looser]
        };
        section.block(Block::Table { columns, rows: self.changes.iter().map(row).collect() })
    }
}

#[cfg(test)]
mod tests {
    use stagewise_core::schema::Kind;

    use super::*;
    use crate::check::Environment;

    #[test]
    fn each_rule_that_differs_is_named_once() {
        let c = ColumnSchema::new("c", Kind::Category).levels(["a", "b"]).presence(0.9);
        let t = ColumnSchema::new("t", Kind::Timestamp).latest("2024-01-01");
        let gone = ColumnSchema::new("gone", Kind::Flag);
        let old = [c.clone(), t.clone(), gone].into_iter().try_fold(DataSchema::default(), DataSchema::column).unwrap();
        let columns = [
            c.levels(["b", "z"]).presence(1.0),
            t.latest("2025-01-01").environments([Environment::Training]),
            ColumnSchema::new("new", Kind::Number),
        ];
        let new = columns.into_iter().try_fold(DataSchema::default(), DataSchema::column).unwrap();
        let diff = old.diff(&new);
        let told: Vec<(&str, &str, &str, &str, bool)> = diff
            .changes
            .iter()
            .map(|c| (c.column.as_deref().unwrap(), c.rule.as_str(), c.before.as_str(), c.after.as_str(), c.looser))
            .collect();
        assert_eq!(
            told,
            [
                ("c", "presence", "0.9", "1", false),
                ("c", "levels", "`a`", "`z`", true),
                ("t", "environments", "TRAINING, SERVING", "TRAINING", true),
                ("t", "latest", "2024-01-01", "2025-01-01", true),
                ("gone", "column", "flag", "", true),
                ("new", "column", "", "number", false),
            ]
        );
        assert!(old.diff(&old).is_empty() && old.diff(&old).exhibit().blocks.len() == 1);
        assert_eq!(diff.exhibit().blocks.len(), 2);
    }
}
