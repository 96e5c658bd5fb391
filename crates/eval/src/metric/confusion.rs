//! The counts of right and wrong decisions, from which accuracy, precision, recall, F1 and cost are read.
//!
//! Counts are exact sums of weights. A share whose denominator is 0 is 0, as in scikit-learn with
//! `zero_division=0`.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::exhibit::{Block, Exhibit, Section, number};
use stagewise_core::problem::Outcome;
use stagewise_core::schema::Levels;
use stagewise_core::target::{BinaryTarget, ClassTarget};
use stagewise_numeric::sum::ExactSum;

use super::rows::{self, Rows};

/// The weight of each outcome of a binary decision.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::target::BinaryTarget;
/// use stagewise_eval::Confusion;
///
/// let truth = BinaryTarget::new([true, true, false, false]);
/// let confusion = Confusion::of(&truth, &array![0.9, 0.2, 0.5, 0.1], None, 0.5)?;
/// assert_eq!((confusion.true_positive, confusion.false_positive), (1.0, 1.0));
/// assert_eq!(confusion.recall(), 0.5);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// Said event, was the event.
    pub true_positive: f64,
    /// Said event, was none.
    pub false_positive: f64,
    /// Said no, was the event.
    pub false_negative: f64,
    /// Said no, was none.
    pub true_negative: f64,
}

impl Confusion {
    /// Counts decisions: event where the probability is at least `threshold`. `O(n)`.
    ///
    /// # Errors
    /// A threshold outside `[0, 1]`; see [`metric`](crate::metric) for the rest.
    pub fn of(truth: &BinaryTarget, output: &Array1<f64>, weights: Option<&[f64]>, threshold: f64) -> Result<Self> {
        ParameterError::check((0.0..=1.0).contains(&threshold), "threshold", threshold, "0 to 1")?;
        let (rows, events, answers) = rows::binary(truth, output, weights)?;
        let place = |row: usize| 2 * usize::from(events[row]) + usize::from(answers[row] >= threshold);
        let cells = count(&rows, events.len(), weights.is_some(), 4, place);
        Ok(Self {
            true_negative: cells[0],
            false_positive: cells[1],
            false_negative: cells[2],
            true_positive: cells[3],
        })
    }

    /// The weight of one outcome.
    pub fn outcome(&self, outcome: Outcome) -> f64 {
        match outcome {
            Outcome::FalseNegative => self.false_negative,
            Outcome::FalsePositive => self.false_positive,
            Outcome::TrueNegative => self.true_negative,
            Outcome::TruePositive => self.true_positive,
        }
    }

    /// The weight of all rows.
    pub fn total(&self) -> f64 {
        (self.true_positive + self.false_positive) + (self.false_negative + self.true_negative)
    }

    /// `(TP + TN) / total`.
    pub fn accuracy(&self) -> f64 {
        share(self.true_positive + self.true_negative, self.total())
    }

    /// `TP / (TP + FP)`.
    pub fn precision(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_positive)
    }

    /// `TP / (TP + FN)`.
    pub fn recall(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_negative)
    }

    /// `2 TP / (2 TP + FP + FN)`.
    pub fn f1(&self) -> f64 {
        let right = 2.0 * self.true_positive;
        share(right, right + (self.false_positive + self.false_negative))
    }
}

impl Exhibit for Confusion {
    fn exhibit(&self) -> Section {
        let row = |name: &str, no, event| vec![name.to_string(), number(no), number(event)];
        Section::new("Confusion").block(Block::Table {
            columns: ["truth", "said no", "said event"].map(String::from).into(),
            rows: vec![
                row("no", self.true_negative, self.false_positive),
                row("event", self.false_negative, self.true_positive),
            ],
        })
    }
}

/// The weight of each pair of true and likeliest class.
///
/// ```
/// use ndarray::array;
/// use stagewise_core::target::ClassTarget;
/// use stagewise_eval::ClassConfusion;
///
/// let truth = ClassTarget::new([0, 1, 1], 2);
/// let confusion = ClassConfusion::of(&truth, &array![[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]], None)?;
/// assert_eq!(confusion.weight(1, 0), 1.0);
/// assert_eq!(confusion.class(1).recall(), 0.5);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassConfusion {
    classes: usize,
    cells: Vec<f64>,
}

impl ClassConfusion {
    /// Counts decisions: the class of the largest probability, the first of equal ones. `O(n k + k²)`.
    ///
    /// # Errors
    /// See [`metric`](crate::metric).
    pub fn of(truth: &ClassTarget, output: &Array2<f64>, weights: Option<&[f64]>) -> Result<Self> {
        let (rows, codes) = rows::multiclass(truth, output, weights)?;
        let classes = truth.classes();
        let place = |row: usize| {
            let answer = output.row(row);
            let best = (1..classes).fold(0, |best, i| if answer[i] > answer[best] { i } else { best });
            codes[row] as usize * classes + best
        };
        Ok(Self { classes, cells: count(&rows, codes.len(), weights.is_some(), classes * classes, place) })
    }

    /// How many classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The weight of rows of class `truth` that were said to be of class `said`; 0 for classes that are not there.
    pub fn weight(&self, truth: usize, said: usize) -> f64 {
        if said < self.classes { self.cells.get(truth * self.classes + said).copied().unwrap_or(0.0) } else { 0.0 }
    }

    /// One class against the rest.
    pub fn class(&self, class: usize) -> Confusion {
        let all = || 0..self.classes;
        let sum = |cells: &mut dyn Iterator<Item = f64>| cells.fold(0.0, |sum, w| sum + w);
        let others = || all().filter(move |other| *other != class);
        Confusion {
            true_positive: self.weight(class, class),
            false_positive: sum(&mut others().map(|truth| self.weight(truth, class))),
            false_negative: sum(&mut others().map(|said| self.weight(class, said))),
            true_negative: sum(&mut others().flat_map(|t| others().map(move |s| self.weight(t, s)))),
        }
    }

    /// The weight of all rows.
    pub fn total(&self) -> f64 {
        self.cells.iter().fold(0.0, |sum, w| sum + w)
    }

    /// The share of rows whose likeliest class is the true one.
    pub fn accuracy(&self) -> f64 {
        let right = (0..self.classes).fold(0.0, |sum, class| sum + self.weight(class, class));
        share(right, self.total())
    }

    /// A share of each class, as one number.
    pub(crate) fn averaged(&self, average: Average, of: impl Fn(&Confusion) -> f64) -> f64 {
        let each = (0..self.classes).map(|class| self.class(class));
        match average {
            // Every row is one decision for a class and k - 1 against: all shares over decisions for are the accuracy.
            Average::Micro => self.accuracy(),
            Average::Macro => share(each.map(|c| of(&c)).fold(0.0, |sum, x| sum + x), self.classes as f64),
            Average::Weighted => {
                let weighted = each.map(|c| (c.true_positive + c.false_negative) * of(&c));
                share(weighted.fold(0.0, |sum, x| sum + x), self.total())
            }
        }
    }

    /// The table with the names of the classes.
    pub fn section(&self, labels: &Levels) -> Section {
        let name = |class: usize| labels.name(class as u32).map_or_else(|| class.to_string(), ToString::to_string);
        let columns = std::iter::once("truth".into()).chain((0..self.classes).map(|c| format!("said {}", name(c))));
        let row = |truth: usize| {
            std::iter::once(name(truth)).chain((0..self.classes).map(|s| number(self.weight(truth, s)))).collect()
        };
        Section::new("Confusion")
            .block(Block::Table { columns: columns.collect(), rows: (0..self.classes).map(row).collect() })
    }
}

/// How the shares of several classes become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// The plain mean over classes, each as important as another.
    #[default]
    Macro,
    /// Over all decisions at once; equals the accuracy.
    Micro,
    /// The mean over classes, weighted by their true rows.
    Weighted,
}

impl Average {
    pub(crate) fn suffix(average: Option<Self>) -> &'static str {
        match average {
            None => "",
            Some(Self::Macro) => "_macro",
            Some(Self::Micro) => "_micro",
            Some(Self::Weighted) => "_weighted",
        }
    }
}

/// The name of a metric with its settings, so that two of a kind can be told apart.
pub(crate) fn name(base: &str, threshold: Option<f64>, average: Option<Average>) -> String {
    let threshold = threshold.map_or_else(String::new, |t| format!("_at_{t}"));
    format!("{base}{}{threshold}", Average::suffix(average))
}

/// What to divide by: rows without weight have no metric.
pub(crate) fn weighed(what: &str, total: f64) -> Result<()> {
    if total > 0.0 { Ok(()) } else { Err(rows::undefined(what, "no row has a weight")) }
}

pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn count(rows: &Rows<'_>, n: usize, weighted: bool, cells: usize, place: impl Fn(usize) -> usize) -> Vec<f64> {
    if weighted {
        let mut sums = vec![ExactSum::new(); cells];
        (0..n).filter(|&row| rows.weight(row) > 0.0).for_each(|row| sums[place(row)].add(rows.weight(row)));
        sums.iter().map(ExactSum::value).collect()
    } else {
        let mut counts = vec![0u64; cells];
        (0..n).for_each(|row| counts[place(row)] += 1);
        counts.into_iter().map(|c| c as f64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn shares_of_nothing_are_zero() {
        let never = Confusion::of(&BinaryTarget::new([false, false]), &array![0.1, 0.2], None, 0.5).unwrap();
        assert_eq!((never.precision(), never.recall(), never.f1(), never.accuracy()), (0.0, 0.0, 0.0, 1.0));
        assert_eq!(never.outcome(Outcome::TrueNegative), 2.0);
    }

    #[test]
    fn the_threshold_itself_is_the_event() {
        let truth = BinaryTarget::new([true, true, false]);
        let found = Confusion::of(&truth, &array![0.3, 0.3_f64.next_down(), 0.3], Some(&[2.0, 1.0, 0.5]), 0.3).unwrap();
        assert_eq!((found.true_positive, found.false_negative, found.false_positive), (2.0, 1.0, 0.5));
        let Block::Table { rows, .. } = &found.exhibit().blocks[0] else { panic!() };
        assert_eq!(rows[1], ["event", "1", "2"]);
    }

    #[test]
    fn a_class_against_the_rest_adds_up() {
        let truth = ClassTarget::new([0, 1, 2, 2, 1], 3);
        let output = array![[0.4, 0.4, 0.2], [0.1, 0.2, 0.7], [0.0, 0.0, 1.0], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1]];
        let found = ClassConfusion::of(&truth, &output, Some(&[1.0, 2.0, 3.0, 4.0, 5.0])).unwrap();
        let two = found.class(2);
        assert_eq!(
            (two.true_positive, two.false_positive, two.false_negative, two.true_negative),
            (3.0, 2.0, 4.0, 6.0)
        );
        assert!((0..3).all(|class| found.class(class).total() == found.total()));
        assert_eq!((found.weight(2, 0), found.weight(3, 0), found.weight(0, 3)), (4.0, 0.0, 0.0));
        let section = found.section(&Levels::new(["a", "b", "c"]));
        let Block::Table { columns, rows } = &section.blocks[0] else { panic!() };
        assert_eq!(columns, &["truth", "said a", "said b", "said c"]);
        assert_eq!(rows[2], ["c", "4", "0", "3"]);
    }
}
