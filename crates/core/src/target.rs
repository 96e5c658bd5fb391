//! The truth that is learned from, one value per row, typed by task.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use stagewise_numeric::sum::Moments;

use crate::column::{Column, MISSING_CODE};
use crate::error::{DataError, Result, SchemaError};
use crate::fingerprint::Hasher;
use crate::record::parse;
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

    /// The group of each row, where rows are judged beside others of their group and mean nothing alone.
    fn groups(&self) -> Option<&[u32]> {
        None
    }

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

    /// The values as a column, which shares them.
    pub(crate) fn column(&self) -> Column {
        Column::Number(self.0.clone())
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

/// The truth of a ranking: a grade of each row, finite and not below 0, and the group whose order is asked for.
///
/// Rows of a group need not stand together. Groups keep their numbers when rows are taken. A row taken a second time
/// stands in a second list: a group taken twice counts as two groups and not as one twice as long.
///
/// ```
/// use stagewise_core::target::{RankingTarget, TargetValues};
///
/// let truth = RankingTarget::new([2.0, 0.0, 1.0], [7, 4, 7])?;
/// assert_eq!(truth.lists(), [vec![1], vec![0, 2]]);
/// assert_eq!(truth.take(&[0, 2, 0, 2]).lists(), [vec![0, 1], vec![2, 3]]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RankingTarget {
    grades: Arc<Vec<f64>>,
    groups: Arc<Vec<u32>>,
}

impl RankingTarget {
    /// These grades in these groups.
    ///
    /// # Errors
    /// [`DataError::Length`] if there are not as many groups as grades, [`DataError::BadGrade`].
    pub fn new(grades: impl Into<Vec<f64>>, groups: impl Into<Vec<u32>>) -> Result<Self> {
        let (grades, groups) = (grades.into(), groups.into());
        if groups.len() != grades.len() {
            let what = "groups".to_string();
            return Err(DataError::Length { what, expected: grades.len(), found: groups.len() }.into());
        }
        match grades.iter().position(|grade| !(grade.is_finite() && *grade >= 0.0)) {
            None => Ok(Self { grades: Arc::new(grades), groups: Arc::new(groups) }),
            Some(row) => Err(DataError::BadGrade { row, value: grades[row] }.into()),
        }
    }

    /// The grades: larger ones belong first.
    pub fn grades(&self) -> &[f64] {
        &self.grades
    }

    /// The grades as a column, which shares them.
    pub(crate) fn column(&self) -> Column {
        Column::Number(self.grades.clone())
    }

    /// The rows of each group, ascending; groups by number. `O(n log n)`.
    pub fn lists(&self) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        order.sort_by_key(|&row| self.groups[row]);
        order.chunk_by(|&a, &b| self.groups[a] == self.groups[b]).map(<[usize]>::to_vec).collect()
    }

    /// A weight is that of a list, not of a row in it: each row's becomes the mean of its list.
    pub fn list_weights(&self, weights: Option<&[f64]>) -> Option<Vec<f64>> {
        let mut weights = weights?.to_vec();
        for list in self.lists() {
            let mut moments = Moments::new();
            list.iter().for_each(|&row| moments.add(weights[row]));
            let mean = moments.mean().unwrap_or(0.0);
            list.iter().for_each(|&row| weights[row] = mean);
        }
        Some(weights)
    }
}

impl TargetValues for RankingTarget {
    fn len(&self) -> usize {
        self.grades.len()
    }

    fn take(&self, rows: &[usize]) -> Self {
        let grades = rows.iter().map(|&row| self.grades[row]).collect();
        let mut groups: Vec<u32> = rows.iter().map(|&row| self.groups[row]).collect();
        if !rows.is_sorted_by(|a, b| a < b) {
            let mut next = self.groups.iter().max().map_or(0, |&group| group.saturating_add(1));
            let (mut times, mut copies) = (vec![0_u32; self.len()], HashMap::new());
            for (&row, group) in rows.iter().zip(&mut groups) {
                if times[row] > 0 {
                    *group = *copies.entry((*group, times[row])).or_insert_with(|| {
                        next = next.saturating_add(1);
                        next - 1
                    });
                }
                times[row] += 1;
            }
        }
        Self { grades: Arc::new(grades), groups: Arc::new(groups) }
    }

    /// All rows are of one stratum: groups are dealt whole.
    fn strata(&self) -> Vec<u32> {
        vec![0; self.len()]
    }

    fn groups(&self) -> Option<&[u32]> {
        Some(&self.groups)
    }

    /// Which rows stand together counts, not the numbers of their groups.
    fn hash(&self, hasher: &mut Hasher) {
        hasher.numbers(&self.grades);
        codes(self.groups.iter()).into_iter().for_each(|code| hasher.word(u64::from(code)));
    }
}

/// A number for each value, the same for equal ones, in the order in which they first come.
pub(crate) fn codes<V: Eq + Hash>(values: impl Iterator<Item = V>) -> Vec<u32> {
    let mut seen = HashMap::new();
    values
        .map(|value| {
            let next = seen.len() as u32;
            *seen.entry(value).or_insert(next)
        })
        .collect()
}

/// The group of each row of a column without missing values, numbered in the order in which they first come.
pub(crate) fn group_codes(column: &Column) -> Vec<u32> {
    match column {
        // A negative zero is a zero.
        Column::Number(values) => codes(values.iter().map(|value| (value + 0.0).to_bits())),
        Column::Flag(values) => codes(values.iter()),
        Column::Category { codes: levels, .. } => codes(levels.iter()),
        Column::Text(values) => codes(values.iter()),
        Column::Timestamp(values) => codes(values.iter()),
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

/// The column whose rows have these levels: numbers and flags where the levels are names of such.
pub(crate) fn level_column(codes: Vec<u32>, levels: Levels, kind: Kind) -> Column {
    fn of<V: Clone>(codes: &[u32], levels: &Levels, missing: V, read: impl Fn(&str) -> V) -> Vec<V> {
        let values: Vec<V> = levels.iter().map(|name| read(name)).collect();
        codes.iter().map(|&code| values.get(code as usize).unwrap_or(&missing).clone()).collect()
    }
    match kind {
        // What `number_text` wrote reads back, infinities too.
        Kind::Number => Column::numbers(of(&codes, &levels, f64::NAN, |name| name.parse().unwrap_or(f64::NAN))),
        Kind::Flag => Column::flags(of(&codes, &levels, None, parse::flag)),
        _ => Column::Category { codes: Arc::new(codes), levels: Arc::new(levels) },
    }
}

/// A number as a level's name: `1`, not `1.0`; otherwise the shortest text that reads back as the same number.
pub fn number_text(value: f64) -> String {
    if value == 0.0 { "0".into() } else { format!("{value}") }
}
