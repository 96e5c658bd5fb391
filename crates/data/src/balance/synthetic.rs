//! Rows that were never seen, each from a parent, a mate near it and how far it lies between them.
//!
//! A number lies between those of parent and mate, and stays whole where all of its column are whole. A level or flag is
//! the most frequent one of the parent's near rows, of equally frequent ones that of the nearest. A missing value is
//! inherited like any other: missing where the parent's is, the parent's where only the mate's is missing, so that as many
//! are missing as among parents.

use std::sync::Arc;

use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::table::Table;
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;
use stagewise_numeric::random::Stream;

/// Rows to make.
#[derive(Debug, Default)]
pub(super) struct Births {
    born: Vec<Born>,
    /// The near rows of each parent that has children.
    families: Vec<Vec<usize>>,
}

#[derive(Debug, Clone, Copy)]
struct Born {
    parent: usize,
    mate: usize,
    /// How far from the parent, 0 to 1.
    gap: f64,
    family: usize,
}

impl Births {
    /// Makes `children[i]` rows from each parent and its near rows, with mates drawn from these.
    pub(super) fn breed(
        &mut self,
        parents: impl Iterator<Item = (usize, Vec<usize>)>,
        children: &[usize],
        stream: &mut Stream,
    ) {
        for ((parent, near), &children) in parents.zip(children) {
            if children == 0 || near.is_empty() {
                continue;
            }
            let family = self.families.len();
            self.born.extend((0..children).map(|_| {
                let mate = near[stream.below(near.len())];
                Born { parent, mate, gap: stream.unit(), family }
            }));
            self.families.push(near);
        }
    }

    /// The rows of `data`, and behind them the new ones, of their parents' classes.
    pub(super) fn deliver<T: Task>(self, data: Dataset<T>) -> Result<Dataset<T>> {
        if self.born.is_empty() {
            return Ok(data);
        }
        let features = data.features();
        let columns = features.columns().iter().map(|column| self.column(column)).collect();
        let born = Table::sized(features.schema().clone(), columns, self.born.len())?;
        let source: Vec<usize> = (0..data.rows()).chain(self.born.iter().map(|born| born.parent)).collect();
        data.resampled(features.stacked(&born)?, data.target().take(&source), &source, None)
    }

    fn column(&self, column: &Column) -> Column {
        match column {
            Column::Number(values) => {
                let whole = values.iter().all(|x| x.is_nan() || x.fract() == 0.0);
                let value = |born: &Born| {
                    let x = between(values[born.parent], values[born.mate], born.gap);
                    if whole { x.round() } else { x }
                };
                Column::numbers(self.born.iter().map(value).collect::<Vec<_>>())
            }
            Column::Timestamp(times) => {
                let time = |born: &Born| match (times[born.parent], times[born.mate]) {
                    (parent, MISSING_TIME) | (parent @ MISSING_TIME, _) => parent,
                    (parent, mate) => between_times(parent, mate, born.gap),
                };
                Column::timestamps(self.born.iter().map(time).collect::<Vec<_>>())
            }
            Column::Category { codes, levels } => {
                Column::Category { codes: Arc::new(self.voted(codes)), levels: levels.clone() }
            }
            Column::Flag(flags) => Column::flags(self.voted(flags)),
            // Samplers that make rows refuse text; a column of another kind is inherited.
            other => other.take(&self.born.iter().map(|born| born.parent).collect::<Vec<_>>()),
        }
    }

    /// For each new row the most frequent value of its family.
    fn voted<V: Copy + PartialEq>(&self, values: &[V]) -> Vec<V> {
        let winners: Vec<V> = self.families.iter().map(|near| most_frequent(near, values)).collect();
        self.born.iter().map(|born| winners[born.family]).collect()
    }
}

/// How many children each of `parents` has, if `total` are dealt as evenly as can be; who has one more is drawn.
pub(super) fn dealt(parents: usize, total: usize, stream: &mut Stream) -> Vec<usize> {
    if parents == 0 {
        return Vec::new();
    }
    let mut children = vec![total / parents; parents];
    stream.choose(parents, total % parents).into_iter().for_each(|parent| children[parent] += 1);
    children
}

/// The value at `gap` of the way; the first if either is missing. Never outside the two, however it is rounded.
pub(crate) fn between(parent: f64, mate: f64, gap: f64) -> f64 {
    if parent.is_nan() || mate.is_nan() {
        return parent;
    }
    let x = parent * (1.0 - gap) + mate * gap;
    // Two opposite infinities have nothing in between.
    if x.is_nan() { parent } else { x.clamp(parent.min(mate), parent.max(mate)) }
}

/// The time at `gap` of the way, to the microsecond.
pub(crate) fn between_times(parent: i64, mate: i64, gap: f64) -> i64 {
    let way = (i128::from(mate) - i128::from(parent)) as f64 * gap;
    let time = i128::from(parent) + way.round() as i128;
    // Between two times that fit, so it fits.
    time.clamp(parent.min(mate).into(), parent.max(mate).into()) as i64
}

/// Of equally frequent values that which comes first. `rows` is not empty and short.
fn most_frequent<V: Copy + PartialEq>(rows: &[usize], values: &[V]) -> V {
    let count = |row: usize| rows.iter().filter(|&&other| values[other] == values[row]).count();
    let mut best = (0, rows[0]);
    for &row in rows {
        let count = count(row);
        if count > best.0 {
            best = (count, row);
        }
    }
    values[best.1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_nearest_of_the_most_frequent_wins() {
        assert_eq!(most_frequent(&[3, 1, 0, 2], &['a', 'b', 'a', 'b']), 'b');
        assert_eq!(most_frequent(&[2], &[Some(true), None, None]), None);
    }

    #[test]
    fn children_are_dealt_evenly() {
        let mut stream = Stream::new(1, "deal");
        let children = dealt(7, 23, &mut stream);
        assert_eq!(
            (children.iter().sum::<usize>(), children.iter().min(), children.iter().max()),
            (23, Some(&3), Some(&4))
        );
        assert!(dealt(0, 5, &mut stream).is_empty());
    }

    #[test]
    fn times_stay_between_and_missing_is_inherited() {
        let births = |parent, mate| {
            let mut births = Births::default();
            births.breed([(parent, vec![mate])].into_iter(), &[20], &mut Stream::new(4, "t"));
            births
        };
        let times = Column::timestamps([0, 1000, MISSING_TIME]);
        let Column::Timestamp(born) = births(0, 1).column(&times) else { unreachable!() };
        assert!(born.iter().all(|time| (0..=1000).contains(time)) && born.iter().any(|time| *time > 100));
        let numbers = Column::numbers([2.0, 5.0, f64::NAN]);
        assert_eq!(births(0, 2).column(&numbers), Column::numbers([2.0; 20]));
        assert_eq!(births(2, 0).column(&numbers).missing_count(), 20);
        assert_eq!(births(2, 0).column(&times).missing_count(), 20);
        let Column::Number(whole) = births(0, 1).column(&numbers) else { unreachable!() };
        assert!(whole.iter().all(|x| [2.0, 3.0, 4.0, 5.0].contains(x)));
    }

    proptest! {
        #[test]
        fn what_lies_between_lies_between(a in -1e308f64..1e308, b in -1e308f64..1e308, gap in 0.0f64..1.0) {
            let x = between(a, b, gap);
            prop_assert!(a.min(b) <= x && x <= a.max(b));
            prop_assert_eq!(between(a, a, gap), a);
        }
    }
}
