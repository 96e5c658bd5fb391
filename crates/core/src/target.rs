//! The truth that is learned from, one value per row, typed by task.

use std::fmt::Debug;
use std::sync::Arc;

use crate::column::{Column, MISSING_CODE};
use crate::error::{DataError, Result, SchemaError};
use crate::fingerprint::Hasher;
use crate::schema::{Kind, Levels};

/// What every kind of truth can do.
pub trait TargetValues: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// How many rows.
    fn len(&self) -> usize;

    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows `rows`, in that order; a row may come more than once.
    #[must_use]
    fn take(&self, rows: &[usize]) -> Self;

    /// A stratum per row: rows of one stratum are spread evenly over folds. The class, or for numbers the tenth of
    /// the distribution.
    fn strata(&self) -> Vec<u32>;

    /// Feeds the values to a fingerprint.
    fn hash(&self, hasher: &mut Hasher);
}

/// The truth of a regression: finite numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberTarget(Arc<Vec<f64>>);

impl NumberTarget {
    /// These values, which must be finite.
    pub fn new(values: impl Into<Vec<f64>>) -> Self {
        Self(Arc::new(values.into()))
    }

    /// The values.
    pub fn values(&self) -> &[f64] {
        &self.0
    }
}

impl TargetValues for NumberTarget {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn take(&self, rows: &[usize]) -> Self {
        Self(Arc::new(rows.iter().map(|&r| self.0[r]).collect()))
    }

    fn strata(&self) -> Vec<u32> {
        const STRATA: usize = 10;
        let mut strata = vec![0; self.0.len()];
        for (rank, row) in stagewise_numeric::rank::order(&self.0).into_iter().enumerate() {
            strata[row] = (rank * STRATA / self.0.len()) as u32;
        }
        strata
    }

    fn hash(&self, hasher: &mut Hasher) {
        hasher.numbers(&self.0);
    }
}

/// The truth of a binary task: event or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinaryTarget(Arc<Vec<bool>>);

impl BinaryTarget {
    /// These values; true is the event.
    pub fn new(events: impl Into<Vec<bool>>) -> Self {
        Self(Arc::new(events.into()))
    }

    /// Whether the event happened, per row.
    pub fn events(&self) -> &[bool] {
        &self.0
    }
}

impl TargetValues for BinaryTarget {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn take(&self, rows: &[usize]) -> Self {
        Self(Arc::new(rows.iter().map(|&r| self.0[r]).collect()))
    }

    fn strata(&self) -> Vec<u32> {
        self.0.iter().map(|&e| u32::from(e)).collect()
    }

    fn hash(&self, hasher: &mut Hasher) {
        self.0.iter().for_each(|&e| hasher.word(u64::from(e)));
    }
}

/// The truth of a multiclass task: the code of the class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassTarget {
    codes: Arc<Vec<u32>>,
    classes: usize,
}

impl ClassTarget {
    /// These codes, each below `classes`.
    pub fn new(codes: impl Into<Vec<u32>>, classes: usize) -> Self {
        Self { codes: Arc::new(codes.into()), classes }
    }

    /// The class of each row.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// How many classes the task has, whether or not each is among these rows.
    pub fn classes(&self) -> usize {
        self.classes
    }
}

impl TargetValues for ClassTarget {
    fn len(&self) -> usize {
        self.codes.len()
    }

    fn take(&self, rows: &[usize]) -> Self {
        Self { codes: Arc::new(rows.iter().map(|&r| self.codes[r]).collect()), classes: self.classes }
    }

    fn strata(&self) -> Vec<u32> {
        self.codes.to_vec()
    }

    fn hash(&self, hasher: &mut Hasher) {
        self.codes.iter().for_each(|&c| hasher.word(u64::from(c)));
    }
}

/// The levels of a target column in the order people count (numbers by size, no before yes, words by spelling), and
/// the level of each row.
pub(crate) fn level_codes(column: &Column) -> Result<(Vec<u32>, Levels)> {
    let missing = column.missing_count();
    if missing > 0 {
        return Err(DataError::MissingValues { count: missing }.into());
    }
    match column {
        Column::Number(values) => {
            let mut distinct = values.to_vec();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            let codes = values.iter().map(|v| distinct.partition_point(|d| d.total_cmp(v).is_lt()) as u32).collect();
            Ok((codes, Levels::new(distinct.into_iter().map(number_text))))
        }
        Column::Flag(values) => {
            let seen = [false, true].map(|b| values.contains(&Some(b)));
            let first = u32::from(!seen[0]);
            let codes = values.iter().map(|v| u32::from(*v == Some(true)) - first).collect();
            let names = ["false", "true"].into_iter().zip(seen).filter(|(_, seen)| *seen).map(|(name, _)| name);
            Ok((codes, Levels::new(names)))
        }
        Column::Category { codes, levels } => {
            let mut used = vec![false; levels.len()];
            codes.iter().filter(|&&c| c != MISSING_CODE).for_each(|&c| used[c as usize] = true);
            let mut order: Vec<u32> = (0..levels.len() as u32).filter(|&c| used[c as usize]).collect();
            order.sort_by(|a, b| levels.name(*a).cmp(&levels.name(*b)));
            let mut place = vec![0; levels.len()];
            order.iter().enumerate().for_each(|(i, &c)| place[c as usize] = i as u32);
            let names = order.iter().filter_map(|&c| levels.name(c).cloned());
            Ok((codes.iter().map(|&c| place[c as usize]).collect(), Levels::new(names)))
        }
        other => Err(SchemaError::WrongKind { expected: Kind::Category, found: other.kind() }.into()),
    }
}

/// A number as a level's name: `1`, not `1.0`; otherwise the shortest text that reads back as the same number.
pub fn number_text(value: f64) -> String {
    if value == 0.0 { "0".into() } else { format!("{value}") }
}
