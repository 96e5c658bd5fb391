//! Which values are missing together: a form that was not filled in, a join that found nothing.
//!
//! Patterns are sets of columns that are missing in the same rows; indicators of missing values are correlated as well, so
//! that columns which are often but not always missing together are seen.

use std::collections::BTreeMap;

use stagewise_core::exhibit::{Block, Chart, number};
use stagewise_core::table::Table;

use crate::leak::{MISSING_LEVEL, levels};

/// How many patterns are kept.
pub const PATTERNS: usize = 10;

/// Which columns are missing together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Missingness {
    /// The columns with missing values, in the table's order.
    pub columns: Vec<String>,
    /// The rows without any missing value.
    pub complete: u64,
    /// The most frequent patterns and their rows: the columns that are missing and no others; at most 10. Of equally
    /// frequent ones those of earlier columns first.
    pub patterns: Vec<(Vec<String>, u64)>,
    /// How many patterns there are.
    pub distinct: usize,
    /// The correlation `φ` of the indicators of two columns, both somewhere missing and somewhere not.
    pub together: Vec<(String, String, f64)>,
}

impl Missingness {
    /// The missing values of a table. `O(columns² · rows)` in the columns with missing values.
    ///
    /// ```
    /// use stagewise_core::column::Column;
    /// use stagewise_core::table::Table;
    /// use stagewise_data::profile::Missingness;
    ///
    /// let none = f64::NAN;
    /// let table = Table::of([("a", Column::numbers([1.0, none, none, 4.0])), ("b", Column::numbers([1.0, none, none, none]))])?;
    /// let missing = Missingness::of(&table);
    /// assert_eq!(missing.patterns[0], (vec!["a".to_string(), "b".into()], 2));
    /// assert!((missing.together[0].2 - 1.0 / 3.0_f64.sqrt()).abs() < 1e-12);
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn of(table: &Table) -> Self {
        let rows = table.rows();
        let indicators = table.schema().fields().iter().zip(table.columns()).filter_map(|(field, column)| {
            let missing: Vec<bool> = levels(column).into_iter().map(|key| key == MISSING_LEVEL).collect();
            missing.contains(&true).then(|| (field.name.to_string(), missing))
        });
        let (columns, missing): (Vec<String>, Vec<Vec<bool>>) = indicators.unzip();
        let mut counts: BTreeMap<Vec<u64>, u64> = BTreeMap::new();
        let mut pattern = vec![0_u64; columns.len().div_ceil(64)];
        for row in 0..rows {
            pattern.fill(0);
            // The first column is the highest bit, so that earlier columns come first in falling order.
            for (c, column) in missing.iter().enumerate().filter(|(_, column)| column[row]) {
                pattern[c / 64] |= u64::from(column[row]) << (63 - c % 64);
            }
            match counts.get_mut(pattern.as_slice()) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(pattern.clone(), 1);
                }
            }
        }
        pattern.fill(0);
        let complete = counts.remove(pattern.as_slice()).unwrap_or(0);
        let mut sorted: Vec<(Vec<u64>, u64)> = counts.into_iter().rev().collect();
        sorted.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        let named = |pattern: &[u64]| {
            let set = |c: &usize| pattern[c / 64] >> (63 - c % 64) & 1 == 1;
            (0..columns.len()).filter(set).map(|c| columns[c].clone()).collect::<Vec<_>>()
        };
        let patterns = sorted.iter().take(PATTERNS).map(|(pattern, rows)| (named(pattern), *rows)).collect();
        let mut together = Vec::new();
        for a in 0..columns.len() {
            for b in a + 1..columns.len() {
                if let Some(phi) = phi(&missing[a], &missing[b]) {
                    together.push((columns[a].clone(), columns[b].clone(), phi));
                }
            }
        }
        Self { distinct: sorted.len(), columns, complete, patterns, together }
    }

    /// A table of patterns and a heat map, if anything is missing.
    pub(super) fn blocks(&self) -> Vec<Block> {
        const DRAWN: usize = 30;
        if self.columns.is_empty() {
            return Vec::new();
        }
        let row = |(columns, rows): &(Vec<String>, u64)| vec![columns.join(", "), rows.to_string()];
        let headings = ["missing together", "rows"].map(String::from).to_vec();
        let mut blocks = vec![Block::Table { columns: headings, rows: self.patterns.iter().map(row).collect() }];
        let partly: Vec<String> =
            self.columns.iter().filter(|c| self.together.iter().any(|(a, b, _)| a == *c || b == *c)).cloned().collect();
        if (2..=DRAWN).contains(&partly.len()) {
            let value = |a: &String, b: &String| {
                let of = |t: &&(String, String, f64)| (&t.0 == a && &t.1 == b) || (&t.0 == b && &t.1 == a);
                if a == b { 1.0 } else { self.together.iter().find(of).map_or(0.0, |t| t.2) }
            };
            let rows = partly.iter().map(|a| (a.clone(), partly.iter().map(|b| value(a, b)).collect())).collect();
            blocks.push(Block::Chart(Chart::Heat {
                title: "Missing together".into(),
                x: "column".into(),
                y: "column".into(),
                columns: partly,
                rows,
            }));
        }
        let all = self.complete + self.patterns.iter().map(|(_, rows)| rows).sum::<u64>();
        if self.distinct > self.patterns.len() {
            blocks.push(Block::Text(format!("{} patterns, the most frequent shown", self.distinct)));
        } else if all > 0 {
            let share = number((1000.0 * self.complete as f64 / all as f64).round() / 10.0);
            blocks.push(Block::Text(format!("{share} % of the rows are complete")));
        }
        blocks
    }
}

/// The correlation of two indicators; `None` if one is the same in all rows.
fn phi(a: &[bool], b: &[bool]) -> Option<f64> {
    let count = |keep: &dyn Fn(bool, bool) -> bool| a.iter().zip(b).filter(|(a, b)| keep(**a, **b)).count() as f64;
    let (n, both, first, second) = (a.len() as f64, count(&|a, b| a && b), count(&|a, _| a), count(&|_, b| b));
    let phi = (n * both - first * second) / (first * (n - first) * second * (n - second)).sqrt();
    phi.is_finite().then_some(phi)
}

#[cfg(test)]
mod tests {
    use stagewise_core::column::Column;
    use stagewise_core::schema::Kind;

    use super::*;

    #[test]
    fn patterns_are_sets_of_columns_by_their_rows() {
        let some = |rows: &[usize]| {
            Column::flags((0..8).map(|row| (!rows.contains(&row)).then_some(true)).collect::<Vec<_>>())
        };
        let table = Table::of([
            ("a", some(&[0, 1, 2])),
            ("full", some(&[])),
            ("b", some(&[0, 1])),
            ("c", some(&[5])),
            ("d", Column::missing(Kind::Text, 8)),
        ])
        .unwrap();
        let missing = Missingness::of(&table);
        assert_eq!(missing.columns, ["a", "b", "c", "d"]);
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            missing.patterns,
            [(names(&["d"]), 4), (names(&["a", "b", "d"]), 2), (names(&["a", "d"]), 1), (names(&["c", "d"]), 1)]
        );
        assert_eq!((missing.complete, missing.distinct, missing.together.len()), (0, 4, 3));
        // (8 · 2 − 3 · 2) / √(3 · 5 · 2 · 6)
        assert_eq!(missing.together[0], ("a".into(), "b".into(), 10.0 / 180.0_f64.sqrt()));
        assert_eq!(missing.blocks().len(), 3);
        assert_eq!(Missingness::of(&table.take(&[])), Missingness::default());
    }

    #[test]
    fn more_than_64_columns_have_patterns() {
        let columns = (0..70).map(|c| (format!("c{c}"), Column::flags(vec![None, Some(c < 66)])));
        let missing = Missingness::of(&Table::of(columns).unwrap());
        assert_eq!((missing.complete, missing.distinct), (1, 1));
        assert_eq!(missing.patterns[0].0.len(), 70);
    }
}
