//! New rows between the rows of a small class and their neighbours of the same class.
//!
//! One sampler does what peers split by the kinds of the columns: SMOTE for numbers, SMOTE-NC for numbers and categories,
//! SMOTEN for categories alone. Which it is follows from the table, so a column added later cannot make it the wrong one.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::setters;
use stagewise_core::stage::Sampler;

use super::classes::{ByClass, Classes};
use super::ratio::{Ratios, ratio_setters};
use super::space::Space;
use super::synthetic::{Births, dealt};

/// Adds rows to small classes until each has `⌊ratio · n⌋` rows, `n` being those of the largest class: a new row is
/// `x + u · (x' − x)` with `x` a row of the class, `x'` one of its `k` nearest of the class, `u` uniform in `[0, 1)`.
///
/// Each row of a class is a parent as often as any other, to within one. A new row's levels and flags are the most frequent
/// ones of the `k` near rows (of equally frequent ones that of the nearest): never a new level. In a table of categories and
/// flags alone the parent votes too, and is the nearest to itself. Numbers lie between the two
/// rows, and are whole where all of their column are. A value is missing where the parent's is; where only the mate's is
/// missing, it is the parent's. Weights, groups and ids are the parent's. New rows come behind the others.
///
/// Distances: numbers in standard deviations of the training rows, or as they are, see [`standardise`](Self::standardise);
/// differing levels, and a missing value beside one that is not, count as the median of the standard deviations of the
/// class's numbers (SMOTE-NC). In a table of categories and flags alone they lie apart as the shares of the classes among
/// their rows (SMOTEN; the quadratic form, which with two classes finds the neighbours that the absolute form finds).
/// `O(m² d)` for `m` rows of a class at worst.
///
/// Checked against imbalanced-learn 0.14.2 `SMOTE`: rows of each class exactly; `SMOTENC` and `SMOTEN`: distances, neighbours
/// and the levels of new rows (in `SMOTENC` of equally frequent ones one is drawn, in `SMOTEN` that of the lower code is
/// taken). `SMOTENC` counts numbers that do not vary among the standard deviations, `SMOTEN` measures by the absolute form, which
/// with three classes finds other neighbours. That each new row lies between a row and one of its nearest is tested as a
/// property. Chawla, Bowyer, Hall & Kegelmeyer (2002).
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::Smote;
///
/// let data = stagewise_testkit::data::binary(100, 1);
/// let events = data.target().events().iter().filter(|event| **event).count();
/// let even = Smote::new().resample(data, &FitContext::new(7))?;
/// assert_eq!(even.rows(), 2 * events.max(100 - events));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Smote {
    neighbours: usize,
    standardise: bool,
    ratios: Ratios,
}

impl Default for Smote {
    fn default() -> Self {
        Self { neighbours: 5, standardise: true, ratios: Ratios::default() }
    }
}

impl Smote {
    /// All classes to as many rows as the largest, with 5 neighbours.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// How many near rows of the class a mate is drawn from: at least 1. Default: 5. A class with fewer others has all
        /// of them for neighbours, with a warning.
        neighbours: usize,
        /// Whether numbers are measured in standard deviations. Default: true; without, a column of large numbers alone says
        /// what is near. New rows have the columns' own units either way.
        standardise: bool,
    }

    ratio_setters!("rows of the class for each row of the largest class");
}

impl Persist for Smote {
    const TAG: &'static str = "Smote";
}

impl<T: Classes> Sampler<T> for Smote {
    /// # Errors
    /// [`ParameterError`] for 0 neighbours or a ratio out of range; of class
    /// [`DataError`](stagewise_core::error::DataError): `UnknownLevel` for a class that is not there, `TooFewRows` for a
    /// class of one row that should grow, `NotFinite` for infinite numbers, `NoFeatures`;
    /// [`PipelineError::Refused`](stagewise_core::error::PipelineError) for text.
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        ParameterError::check(self.neighbours > 0, "neighbours", self.neighbours, "at least 1")?;
        let classes = ByClass::new(&train);
        let gains = self.ratios.gains(&classes)?;
        if gains.iter().all(|&gain| gain == 0) {
            return Ok(train);
        }
        let space = Space::new(Self::TAG, train.features(), self.standardise)?;
        let alone = space.levels_alone();
        let space = space.valued(&classes, train.weights());
        let mut births = Births::default();
        for (class, gain) in gains.into_iter().enumerate().filter(|(_, gain)| *gain > 0) {
            cx.check()?;
            classes.require_others(Self::TAG, class, self.neighbours, cx)?;
            let rows = &classes.rows[class];
            let near = cx.install(|| space.points(rows, space.apart(rows)).nearest(self.neighbours));
            let mut stream = cx.stream(&format!("breed {}", classes.names[class]));
            let children = dealt(rows.len(), gain, &mut stream);
            // Without numbers no mate is needed, and the parent has a vote.
            let own = |i: usize| alone.then_some(rows[i]);
            let family = |i: usize| own(i).into_iter().chain(near.of(i).iter().map(|&place| rows[place])).collect();
            births.breed((0..rows.len()).map(|i| (rows[i], family(i))), &children, &mut stream);
        }
        births.deliver(train)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::problem::Problem;
    use stagewise_core::table::Table;
    use stagewise_core::task::{Binary, Multiclass};
    use stagewise_testkit::{conformance, data};

    #[test]
    fn smote_keeps_its_promises() {
        conformance::sampler(&Smote::new(), &data::binary(90, 1));
        conformance::sampler(&Smote::new().standardise(false), &data::binary_numeric(90, 1));
        conformance::sampler(&Smote::new().neighbours(3).ratio(0.9), &data::multiclass(90, 2));
    }

    /// How far `x` lies from the segment between `a` and `b`.
    fn off_segment(x: &[f64], a: &[f64], b: &[f64]) -> f64 {
        let dot = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(u, v)| u * v).sum::<f64>();
        let minus = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(u, v)| u - v).collect::<Vec<f64>>();
        let (way, from) = (minus(b, a), minus(x, a));
        let gap = (dot(&way, &from) / dot(&way, &way).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
        let nearest: Vec<f64> = a.iter().zip(&way).map(|(a, w)| a + gap * w).collect();
        let rest = minus(x, &nearest);
        dot(&rest, &rest).sqrt()
    }

    #[test]
    fn each_new_row_lies_between_a_row_and_one_of_its_nearest() {
        for seed in 0..5 {
            let data = data::multiclass_numeric(120, seed);
            let classes = ByClass::new(&data);
            let grown = Smote::new().standardise(false).resample(data.clone(), &FitContext::new(seed)).unwrap();
            let row = |table: &Table, row: usize| -> Vec<f64> {
                table.columns().iter().map(|column| column.as_numbers().unwrap()[row]).collect()
            };
            let after = ByClass::new(&grown);
            assert!(grown.rows() > 120 && after.rows.iter().all(|rows| rows.len() == after.rows[0].len()));
            for new in 120..grown.rows() {
                let (x, own) = (row(grown.features(), new), &classes.rows[after.of[new]]);
                let point = |i: usize| row(data.features(), i);
                let best = own
                    .iter()
                    .flat_map(|&a| {
                        let far = |b: usize| point(a).iter().zip(point(b)).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
                        let mut others: Vec<usize> = own.iter().copied().filter(|&b| b != a).collect();
                        others.sort_by(|&b, &c| far(b).total_cmp(&far(c)));
                        others.truncate(5);
                        others.into_iter().map(|b| off_segment(&x, &point(a), &point(b))).collect::<Vec<_>>()
                    })
                    .fold(f64::INFINITY, f64::min);
                assert!(best < 1e-10, "row {new} lies {best} off");
            }
        }
    }

    #[test]
    fn mixed_rows_keep_levels_ranges_and_whole_numbers() {
        let data = data::multiclass(200, 7);
        let grown = Smote::new().resample(data.clone(), &FitContext::new(1)).unwrap();
        assert!(grown.rows() > 200);
        for (before, after) in data.features().columns().iter().zip(grown.features().columns()) {
            match (before, after) {
                (Column::Number(before), Column::Number(after)) => {
                    let range =
                        |values: &[f64]| values.iter().fold((f64::MAX, f64::MIN), |r, x| (r.0.min(*x), r.1.max(*x)));
                    assert_eq!(range(before), range(after));
                }
                (Column::Category { levels: before, .. }, Column::Category { levels: after, .. }) => {
                    assert_eq!(before, after);
                }
                _ => {}
            }
        }
        let age = grown.features().column("age").unwrap().as_numbers().unwrap();
        assert!(age.iter().all(|age| age.fract() == 0.0));
        let income = grown.features().column("income").unwrap();
        let share = income.missing_count() as f64 / grown.rows() as f64;
        assert!((0.05..0.25).contains(&share), "about a seventh was missing, now {share}");
    }

    #[test]
    fn a_class_of_one_row_and_no_neighbours_are_refused() {
        let y = Column::categories([Some("a"), Some("b"), Some("b"), Some("c"), Some("c"), Some("c")]);
        let table = Table::of([("x", Column::numbers([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])), ("y", y)]).unwrap();
        let data = Dataset::<Multiclass>::new(table, &Problem::new("y")).unwrap();
        let cx = FitContext::new(0);
        let error = Smote::new().resample(data.clone(), &cx).unwrap_err().to_string();
        assert_eq!(error, "Smote of the class `a` needs at least 2 rows, 1 found");
        let grown = Smote::new().ratio_of("b", 1.0).resample(data.clone(), &cx).unwrap();
        assert_eq!(ByClass::new(&grown).rows.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 3]);
        assert!(Smote::new().neighbours(0).resample(data, &cx).is_err());
    }

    #[test]
    fn flags_and_levels_alone_take_the_most_frequent_of_the_near() {
        let level = |i: usize| if i < 12 { "red" } else { "blue" };
        let c = Column::categories((0..40).map(|i| Some(level(i))));
        let f = Column::flags((0..40).map(|i| Some(i % 2 == 0)).collect::<Vec<_>>());
        let y = Column::categories((0..40).map(|i| Some(if i < 10 { "yes" } else { "no" })));
        let table = Table::of([("c", c), ("f", f), ("y", y)]).unwrap();
        let data = Dataset::<Binary>::new(table, &Problem::new("y").event("yes")).unwrap();
        let grown = Smote::new().neighbours(3).resample(data, &FitContext::new(2)).unwrap();
        let (codes, levels) = grown.features().columns()[0].as_categories().unwrap();
        assert_eq!((grown.rows(), levels.len()), (60, 2));
        assert!(codes[40..].iter().all(|&code| code == 0), "every row of the class is red");
        assert_eq!(grown.features().columns()[1].missing_count(), 0);
    }
}
