//! Which rows are of which class, and what a sampler says when a class is small.

use std::sync::Arc;

use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, Result};
use stagewise_core::target::TargetValues;
use stagewise_core::task::{Binary, Multiclass, Task};

/// A task whose truth is one of some classes.
pub trait Classes: Task {
    /// The names of the classes, by code. Of a binary task: the other level, then the event.
    fn class_names(labels: &Self::Labels) -> Vec<Arc<str>>;
}

impl Classes for Binary {
    fn class_names(labels: &Self::Labels) -> Vec<Arc<str>> {
        vec![labels.other.clone(), labels.event.clone()]
    }
}

impl Classes for Multiclass {
    fn class_names(labels: &Self::Labels) -> Vec<Arc<str>> {
        labels.iter().cloned().collect()
    }
}

/// The rows of each class.
pub(super) struct ByClass {
    pub(super) names: Vec<Arc<str>>,
    /// The class of each row.
    pub(super) of: Vec<usize>,
    /// The rows of each class, ascending.
    pub(super) rows: Vec<Vec<usize>>,
}

impl ByClass {
    pub(super) fn new<T: Classes>(data: &Dataset<T>) -> Self {
        let names = T::class_names(data.labels());
        // The strata of a truth with classes are their codes.
        let of: Vec<usize> = data.target().strata().into_iter().map(|code| code as usize).collect();
        let mut rows = vec![Vec::new(); names.len()];
        of.iter().enumerate().for_each(|(row, &class)| rows[class].push(row));
        Self { names, of, rows }
    }

    /// How many rows a class has.
    pub(super) fn count(&self, class: usize) -> usize {
        self.rows[class].len()
    }

    /// The classes that have rows.
    pub(super) fn present(&self) -> impl Iterator<Item = usize> {
        (0..self.rows.len()).filter(|&class| !self.rows[class].is_empty())
    }

    /// The class with the fewest rows, of those that have any; of equal ones the first.
    pub(super) fn smallest(&self) -> Option<usize> {
        self.present().min_by_key(|&class| self.count(class))
    }

    /// The class with the most rows; of equal ones the first.
    pub(super) fn largest(&self) -> Option<usize> {
        self.present().min_by_key(|&class| std::cmp::Reverse(self.count(class)))
    }

    /// The classes that a cleaner takes rows from: all, or all but the smallest.
    pub(super) fn cleaned(&self, all: bool) -> Vec<bool> {
        let spared = if all { None } else { self.smallest() };
        (0..self.rows.len()).map(|class| Some(class) != spared).collect()
    }

    /// Checks that a class has a row besides the one to find neighbours for, and warns if there are fewer than `k`.
    pub(super) fn require_others(&self, stage: &str, class: usize, k: usize, cx: &FitContext) -> Result<()> {
        let (name, rows) = (&self.names[class], self.count(class));
        if rows < 2 {
            let what = format!("{stage} of the class `{name}`");
            return Err(DataError::TooFewRows { what, needed: 2, found: rows }.into());
        }
        if rows <= k {
            cx.warn(format!("the class `{name}` has {rows} rows: {} neighbours instead of {k}", rows - 1));
        }
        Ok(())
    }

    /// The class that most of `rows` have; of equally frequent ones the first.
    pub(super) fn vote(&self, rows: impl Iterator<Item = usize>) -> Option<usize> {
        let mut votes = vec![0_usize; self.names.len()];
        rows.for_each(|row| votes[self.of[row]] += 1);
        (0..votes.len()).min_by_key(|&class| std::cmp::Reverse(votes[class]))
    }
}

/// The rows that are kept, in their order.
///
/// Warns of a class that has no row left; refuses to leave none at all.
pub(super) fn kept<T: Classes>(
    stage: &str,
    data: &Dataset<T>,
    classes: &ByClass,
    keep: &[bool],
    cx: &FitContext,
) -> Result<Dataset<T>> {
    let rows: Vec<usize> = (0..keep.len()).filter(|&row| keep[row]).collect();
    if rows.is_empty() {
        let what = format!("{stage} would drop every row: training");
        return Err(DataError::TooFewRows { what, needed: 1, found: 0 }.into());
    }
    for class in classes.present() {
        if !classes.rows[class].iter().any(|&row| keep[row]) {
            cx.warn(format!("{stage} dropped every row of the class `{}`", classes.names[class]));
        }
    }
    Ok(data.take(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::data;

    #[test]
    fn rows_are_sorted_by_class() {
        let data = data::binary(60, 3);
        let classes = ByClass::new(&data);
        assert_eq!(classes.names.iter().map(|name| &**name).collect::<Vec<_>>(), ["no", "yes"]);
        let events = data.target().events().iter().filter(|event| **event).count();
        assert_eq!((classes.count(1), classes.count(0)), (events, 60 - events));
        assert!(classes.rows[1].iter().all(|&row| data.target().events()[row]));
        assert_eq!(classes.cleaned(true), [true, true]);
    }

    #[test]
    fn small_and_empty_classes_are_named() {
        let data = data::multiclass(60, 3);
        let classes = ByClass::new(&data);
        let few = ByClass::new(&data.take(&[classes.rows[0][0], classes.rows[1][0], classes.rows[1][1]]));
        assert_eq!((few.smallest(), few.largest(), few.present().count()), (Some(0), Some(1), 2));
        let cx = FitContext::new(0);
        let error = few.require_others("Smote", 0, 5, &cx).unwrap_err().to_string();
        assert_eq!(error, "Smote of the class `high` needs at least 2 rows, 1 found");
        few.require_others("Smote", 1, 5, &cx).unwrap();
        assert_eq!(cx.take_warnings()[0].what, "the class `low` has 2 rows: 1 neighbours instead of 5");
        assert_eq!(few.vote([0, 1].into_iter()), Some(0));
    }
}
