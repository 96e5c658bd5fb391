//! Columns in summary: small, mergeable, and the same whatever the order of rows or the shape of the merge.
//!
//! A summary of training rows travels with the pipeline as the reference; summaries of current rows are compared with
//! it. Sums are exact and sketches free of order, so shards of any size merge to the summary of the whole, bit for bit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagewise_numeric::sketch::QuantileSketch;
use stagewise_numeric::sum::Moments;

use crate::column::{Column, MISSING_TIME};
use crate::error::{Result, SchemaError};
use crate::schema::Kind;
use crate::table::Table;

/// The columns of a table in summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSummary {
    /// How many rows.
    pub rows: u64,
    /// Names and summaries in the table's order.
    pub columns: Vec<(String, Summary)>,
}

/// One column in summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many values are missing.
    pub missing: u64,
    /// How many are not.
    pub present: u64,
    /// How those are distributed.
    pub values: Distribution,
}

/// How the values of a column are distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Distribution {
    /// Of categories and flags: rows per level.
    Levels(BTreeMap<String, u64>),
    /// Of numbers.
    Numbers {
        /// Mean, variance, least and greatest of the finite values.
        moments: Moments,
        /// Quantiles.
        sketch: QuantileSketch,
    },
    /// Of text: the lengths in characters.
    Lengths(Moments),
    /// Of timestamps: quantiles in microseconds since 1970.
    Times(QuantileSketch),
}

impl TableSummary {
    /// The summary of a table. `O(rows × columns × log rows)`.
    pub fn of(table: &Table) -> Self {
        use rayon::prelude::*;
        let summaries: Vec<Summary> = table.columns().par_iter().map(Summary::of).collect();
        Self { rows: table.rows() as u64, columns: table.schema().names().into_iter().zip(summaries).collect() }
    }

    /// Takes in the rows of another summary of the same columns.
    ///
    /// # Errors
    /// [`SchemaError::WrongColumns`] or [`SchemaError::WrongKind`] if the columns differ.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        let names = |s: &Self| s.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if names(self) != names(other) {
            return Err(SchemaError::WrongColumns { expected: names(self), found: names(other) }.into());
        }
        for ((_, into), (_, from)) in self.columns.iter_mut().zip(&other.columns) {
            into.merge(from)?;
        }
        self.rows += other.rows;
        Ok(())
    }

    /// A column's summary.
    pub fn column(&self, name: &str) -> Option<&Summary> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, summary)| summary)
    }
}

impl Summary {
    /// The summary of a column.
    pub fn of(column: &Column) -> Self {
        let missing = column.missing_count() as u64;
        let values = match column {
            Column::Number(values) => {
                let mut moments = Moments::new();
                values.iter().filter(|x| !x.is_nan()).for_each(|&x| moments.add(x));
                let mut sketch = QuantileSketch::new();
                sketch.extend(values);
                Distribution::Numbers { moments, sketch }
            }
            Column::Category { codes, levels } => {
                let mut counts = vec![0_u64; levels.len()];
                codes.iter().for_each(|&code| {
                    if let Some(count) = counts.get_mut(code as usize) {
                        *count += 1;
                    }
                });
                let named = levels.iter().map(ToString::to_string).zip(counts).filter(|(_, n)| *n > 0);
                Distribution::Levels(named.collect())
            }
            Column::Flag(values) => {
                let mut counts = BTreeMap::new();
                values.iter().flatten().for_each(|b| *counts.entry(b.to_string()).or_default() += 1);
                Distribution::Levels(counts)
            }
            Column::Text(values) => {
                let mut moments = Moments::new();
                values.iter().flatten().for_each(|text| moments.add(text.chars().count() as f64));
                Distribution::Lengths(moments)
            }
            Column::Timestamp(values) => {
                let mut sketch = QuantileSketch::new();
                let present: Vec<f64> = values.iter().filter(|&&t| t != MISSING_TIME).map(|&t| t as f64).collect();
                sketch.extend(&present);
                Distribution::Times(sketch)
            }
        };
        Self { missing, present: column.len() as u64 - missing, values }
    }

    /// Takes in the values of another summary of the same kind.
    ///
    /// # Errors
    /// [`SchemaError::WrongKind`] if the kinds differ.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        match (&mut self.values, &other.values) {
            (Distribution::Levels(a), Distribution::Levels(b)) => {
                b.iter().for_each(|(level, n)| *a.entry(level.clone()).or_default() += n);
            }
            (Distribution::Numbers { moments: m, sketch: s }, Distribution::Numbers { moments, sketch }) => {
                m.merge(moments);
                s.merge(sketch);
            }
            (Distribution::Lengths(a), Distribution::Lengths(b)) => a.merge(b),
            (Distribution::Times(a), Distribution::Times(b)) => a.merge(b),
            (a, b) => return Err(SchemaError::WrongKind { expected: a.kind(), found: b.kind() }.into()),
        }
        self.missing += other.missing;
        self.present += other.present;
        Ok(())
    }

    /// The share of missing values; 0 without rows.
    pub fn missing_share(&self) -> f64 {
        let rows = self.missing + self.present;
        if rows == 0 { 0.0 } else { self.missing as f64 / rows as f64 }
    }
}

impl Distribution {
    /// The kind of column that is distributed so.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Levels(_) => Kind::Category,
            Self::Numbers { .. } => Kind::Number,
            Self::Lengths(_) => Kind::Text,
            Self::Times(_) => Kind::Timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_merge_to_the_summary_of_the_whole_bit_for_bit() {
        let mut stream = stagewise_numeric::random::Stream::new(5, "summary");
        let numbers: Vec<f64> = (0..9000).map(|i| if i % 50 == 0 { f64::NAN } else { stream.normal() * 1e6 }).collect();
        let levels: Vec<Option<&str>> = (0..9000).map(|i| [Some("a"), Some("b"), None][i % 3]).collect();
        let table = Table::of([
            ("x", Column::numbers(numbers)),
            ("c", Column::categories(levels.clone())),
            ("t", Column::texts(levels)),
            ("w", Column::timestamps((0..9000).collect::<Vec<i64>>())),
        ])
        .unwrap();
        let whole = TableSummary::of(&table);
        let cut = |range: std::ops::Range<usize>| TableSummary::of(&table.take(&range.collect::<Vec<_>>()));
        let mut merged = cut(5000..9000);
        merged.merge(&cut(0..10)).unwrap();
        merged.merge(&cut(10..5000)).unwrap();
        assert_eq!(merged, whole);
        let bytes = crate::persist::encode("summary", &whole).unwrap();
        assert_eq!(crate::persist::decode::<TableSummary>("summary", &bytes).unwrap(), whole);
    }
}
