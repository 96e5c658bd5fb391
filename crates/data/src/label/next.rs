//! Which rows to label next: those a model is unsure of, those that models disagree on, those unlike any labelled so far.
//!
//! All give a queue of rows with scores, the most useful first, of equal ones that which comes first in the table.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, Error, NumericError, Result};
use stagewise_core::exhibit::{Block, Exhibit, Section, number};
use stagewise_numeric::parallel::blocks;
use stagewise_numeric::rank::order_descending;

use super::adjudicate::entropy;

/// Answers of a binary task (the probability of the event) or a multiclass task (those of the classes).
pub trait Probabilities {
    /// How many rows.
    fn rows(&self) -> usize;

    /// The probabilities of a row's classes, one after another.
    fn row(&self, row: usize) -> Vec<f64>;
}

impl Probabilities for Array1<f64> {
    fn rows(&self) -> usize {
        self.len()
    }

    fn row(&self, row: usize) -> Vec<f64> {
        self.get(row).map_or_else(Vec::new, |&p| vec![1.0 - p, p])
    }
}

impl Probabilities for Array2<f64> {
    fn rows(&self) -> usize {
        self.nrows()
    }

    fn row(&self, row: usize) -> Vec<f64> {
        self.outer_iter().nth(row).map_or_else(Vec::new, |row| row.to_vec())
    }
}

/// How unsure a model is of a row: 0 is not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Uncertainty {
    /// `1 − max p`.
    LeastConfident,
    /// `1 − (p₁ − p₂)`, of the two likeliest classes.
    #[default]
    Margin,
    /// `−Σ p ln p / ln k`.
    Entropy,
}

/// Rows in the order in which they are worth a label.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelQueue {
    rows: Vec<(usize, f64)>,
    by: &'static str,
}

/// The rows by how unsure a model is of them. `O(rows · (classes + log rows))`.
///
/// Use the answers to rows that have no label yet. For two classes all measures give the same order.
///
/// # Errors
/// [`NumericError::Undefined`] for a row whose probabilities are not within 0 and 1 or do not sum to 1.
///
/// ```
/// use ndarray::array;
/// use stagewise_data::label::{Uncertainty, uncertain};
///
/// let queue = uncertain(&array![[0.9, 0.05, 0.05], [0.5, 0.45, 0.05]], Uncertainty::Margin)?;
/// assert_eq!(queue.first(1), [1]);
/// assert!((queue.rows()[0].1 - 0.95).abs() < 1e-12);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Settles (2009), "Active learning literature survey".
pub fn uncertain(answers: &impl Probabilities, measure: Uncertainty) -> Result<LabelQueue> {
    let score = |row: usize| {
        let row = checked(answers, row)?;
        let (first, second) =
            row.iter().fold(
                (0.0_f64, 0.0_f64),
                |(first, second), &p| {
                    if p > first { (p, first) } else { (first, second.max(p)) }
                },
            );
        Ok(match measure {
            Uncertainty::LeastConfident => 1.0 - first,
            Uncertainty::Margin => 1.0 - (first - second),
            Uncertainty::Entropy => entropy(&row),
        })
    };
    let scores = (0..answers.rows()).map(score).collect::<Result<Vec<f64>>>()?;
    Ok(LabelQueue::by_score("uncertainty", &scores))
}

/// The rows by how much the models of a committee disagree: the entropy of their votes,
/// `−Σ (v / m) ln (v / m) / ln min(m, k)` of `v` of `m` models for each of `k` classes. A model votes for its likeliest
/// class, of equally likely ones the first. `O(models · rows · classes)`.
///
/// # Errors
/// [`DataError::TooFewRows`] for fewer than 2 models; [`DataError::Length`] for answers to different numbers of rows or of
/// classes; as [`uncertain`].
///
/// ```
/// use ndarray::array;
/// let models = [array![0.9, 0.8], array![0.7, 0.3]];
/// let queue = stagewise_data::label::committee(&models)?;
/// assert_eq!(queue.rows(), [(1, 1.0), (0, 0.0)]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Dagan & Engelson (1995), "Committee-based sampling".
pub fn committee<P: Probabilities>(models: &[P]) -> Result<LabelQueue> {
    let found = models.len();
    let (Some(first), true) = (models.first(), found > 1) else {
        return Err(DataError::TooFewRows { what: "a committee, a row a model,".into(), needed: 2, found }.into());
    };
    let rows = first.rows();
    if let Some(other) = models.iter().find(|model| model.rows() != rows) {
        let what = "answers of each model".to_string();
        return Err(DataError::Length { what, expected: rows, found: other.rows() }.into());
    }
    let score = |row: usize| {
        let classes = first.row(row).len();
        let mut votes = vec![0.0; classes];
        for model in models {
            let answer = checked(model, row)?;
            if answer.len() != classes {
                let what = "classes of each model".to_string();
                return Err(DataError::Length { what, expected: classes, found: answer.len() }.into());
            }
            let best = (0..classes).fold(0, |best, class| if answer[class] > answer[best] { class } else { best });
            votes[best] += 1.0 / found as f64;
        }
        let most = (found.min(classes) as f64).ln();
        let entropy: f64 = votes.iter().filter(|v| **v > 0.0).map(|v: &f64| -v * v.ln()).sum();
        Ok(if most > 0.0 { (entropy / most).clamp(0.0, 1.0) } else { 0.0 })
    };
    let scores = (0..rows).map(score).collect::<Result<Vec<f64>>>()?;
    Ok(LabelQueue::by_score("vote entropy", &scores))
}

/// Picks rows that are spread over the data: each is the one farthest from all labelled and picked before.
///
/// Euclidean distances, so scale first. Without labelled rows the first pick is the row nearest to the mean. The greatest
/// distance left is at most twice the least possible. `O(picks · rows · columns)`.
///
/// ```
/// use ndarray::array;
/// use stagewise_data::label::KCentre;
///
/// let points = array![[0.0], [0.1], [5.0], [9.0]];
/// let queue = KCentre::new().labelled([0]).pick(points.view(), 2)?;
/// assert_eq!(queue.rows(), [(3, 9.0), (2, 4.0)]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Gonzalez (1985); Sener & Savarese (2018), "Active learning for convolutional neural networks: a core-set approach".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KCentre {
    labelled: Vec<usize>,
    among: Option<Vec<usize>>,
}

impl KCentre {
    /// No row is labelled; all may be picked.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rows that have a label: what is like them is not picked, nor are they. Default: none.
    #[must_use]
    pub fn labelled(mut self, rows: impl Into<Vec<usize>>) -> Self {
        self.labelled = rows.into();
        self
    }

    /// Picks only among these, for example the most [uncertain]. Default: all rows.
    #[must_use]
    pub fn among(mut self, rows: impl Into<Vec<usize>>) -> Self {
        self.among = Some(rows.into());
        self
    }

    /// At most `count` rows, with their distances at the time; fewer where the others are no different from those.
    ///
    /// # Errors
    /// [`DataError::NotFinite`] for missing and infinite values; [`DataError::Length`] for a row that is not there;
    /// [`NumericError::Undefined`] for values whose squares are too large.
    pub fn pick(&self, points: ArrayView2<'_, f64>, count: usize) -> Result<LabelQueue> {
        let rows = points.nrows();
        if let Some(found) = self.labelled.iter().chain(self.among.iter().flatten()).find(|row| **row >= rows) {
            let what = "rows, for one that is named".to_string();
            return Err(DataError::Length { what, expected: found + 1, found: rows }.into());
        }
        let bad = || points.outer_iter().map(|row| row.iter().any(|x| !x.is_finite()));
        if let Some(first) = bad().position(|bad| bad) {
            return Err(DataError::NotFinite { count: bad().filter(|bad| *bad).count(), first }.into());
        }
        let mut may = vec![self.among.is_none(); rows];
        self.among.iter().flatten().for_each(|&row| may[row] = true);
        self.labelled.iter().for_each(|&row| may[row] = false);
        let mut nearest = vec![f64::INFINITY; rows];
        for &row in &self.labelled {
            approach(points, row, &mut nearest)?;
        }
        let mut picked: Vec<(usize, f64)> = Vec::new();
        if self.labelled.is_empty() && count > 0 {
            let middle = points.mean_axis(Axis(0));
            let off = middle.map(|middle| squares(points, &middle.to_vec())).unwrap_or_default();
            let first = (0..rows).filter(|&row| may[row]).min_by(|&a, &b| off[a].total_cmp(&off[b]));
            if let Some(first) = first {
                approach(points, first, &mut nearest)?;
                may[first] = false;
                picked.push((first, 0.0));
            }
        }
        while picked.len() < count {
            let farthest = (0..rows).filter(|&row| may[row]).fold(None, |best: Option<usize>, row| match best {
                Some(best) if nearest[best] >= nearest[row] => Some(best),
                _ => Some(row),
            });
            let Some(row) = farthest.filter(|&row| nearest[row] > 0.0) else { break };
            picked.push((row, nearest[row].sqrt()));
            may[row] = false;
            approach(points, row, &mut nearest)?;
        }
        Ok(LabelQueue { rows: picked, by: "distance" })
    }
}

impl LabelQueue {
    fn by_score(by: &'static str, scores: &[f64]) -> Self {
        Self { rows: order_descending(scores).into_iter().map(|row| (row, scores[row])).collect(), by }
    }

    /// The rows and their scores, the most useful first.
    pub fn rows(&self) -> &[(usize, f64)] {
        &self.rows
    }

    /// The first `count` rows, or all if there are not as many.
    pub fn first(&self, count: usize) -> Vec<usize> {
        self.rows.iter().take(count).map(|(row, _)| *row).collect()
    }
}

impl Exhibit for LabelQueue {
    fn exhibit(&self) -> Section {
        const SHOWN: usize = 30;
        let columns = ["row", self.by].map(String::from).to_vec();
        let rows = self.rows.iter().take(SHOWN).map(|(row, score)| vec![row.to_string(), number(*score)]).collect();
        Section::new("Rows to label next")
            .block(Block::Facts(vec![("rows".into(), self.rows.len().to_string())]))
            .block(Block::Table { columns, rows })
    }
}

fn checked(answers: &impl Probabilities, row: usize) -> Result<Vec<f64>> {
    const OFF: f64 = 1e-6;
    let answer = answers.row(row);
    let sum: f64 = answer.iter().sum();
    if answer.iter().all(|p| (0.0..=1.0).contains(p)) && (sum - 1.0).abs() <= OFF {
        return Ok(answer);
    }
    let why = "its answers are no probabilities: they must lie within 0 and 1 and sum to 1".to_string();
    Err(NumericError::Undefined { what: format!("the uncertainty of row {row}"), why }.into())
}

/// The squared distances of all rows to a point.
fn squares(points: ArrayView2<'_, f64>, from: &[f64]) -> Vec<f64> {
    const BLOCK: usize = 2048;
    let part = blocks(points.nrows(), BLOCK, |rows| {
        let block = points.slice_axis(Axis(0), rows.into());
        let of = |row: ArrayView1<'_, f64>| row.iter().zip(from).map(|(a, b)| (a - b) * (a - b)).sum();
        block.outer_iter().map(of).collect::<Vec<f64>>()
    });
    part.concat()
}

/// Takes a row as a centre.
fn approach(points: ArrayView2<'_, f64>, row: usize, nearest: &mut [f64]) -> Result<()> {
    let from = points.row(row).to_vec();
    for (nearest, square) in nearest.iter_mut().zip(squares(points, &from)) {
        if !square.is_finite() {
            let why = "values are too large to be squared; scale the columns".to_string();
            return Err(Error::from(NumericError::Undefined { what: "a distance".into(), why }));
        }
        *nearest = nearest.min(square);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn measures_of_uncertainty_by_hand() {
        let answers = array![[0.6, 0.4, 0.0], [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]];
        let of = |measure| uncertain(&answers, measure).unwrap();
        let close = |queue: &LabelQueue, expected: [(usize, f64); 3]| {
            queue.rows().iter().zip(expected).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-12)
        };
        assert!(close(&of(Uncertainty::LeastConfident), [(1, 0.5), (0, 0.4), (2, 0.0)]));
        assert!(close(&of(Uncertainty::Margin), [(0, 0.8), (1, 0.75), (2, 0.0)]));
        let h = |p: [f64; 3]| p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum::<f64>() / 3.0_f64.ln();
        let expected = [(1, h([0.5, 0.25, 0.25])), (0, h([0.6, 0.4, 0.0])), (2, 0.0)];
        assert!(close(&of(Uncertainty::Entropy), expected));
        assert!(!of(Uncertainty::Entropy).exhibit().blocks.is_empty());
        let binary = uncertain(&array![0.1, 0.45, 0.9], Uncertainty::Margin).unwrap();
        assert_eq!(binary.first(9)[0], 1);
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        for answers in [array![f64::NAN], array![1.5], array![f64::INFINITY]] {
            assert!(uncertain(&answers, Uncertainty::Margin).unwrap_err().to_string().contains("row 0"));
        }
        assert!(uncertain(&array![[0.5, 0.1]], Uncertainty::Margin).is_err());
        assert!(uncertain(&Array2::<f64>::zeros((2, 0)), Uncertainty::Margin).is_err());
        assert!(uncertain(&Array1::<f64>::zeros(0), Uncertainty::Margin).unwrap().rows().is_empty());
        assert!(committee(&[array![0.5]]).is_err());
        assert!(committee(&[array![0.5], array![0.5, 0.5]]).is_err());
    }

    #[test]
    fn picks_are_spread_and_never_twice_the_same_place() {
        let points = array![[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [-6.0, -8.0], [1.0, 0.0]];
        let queue = KCentre::new().pick(points.view(), 9).unwrap();
        assert_eq!(queue.first(9), [0, 3, 2, 4]);
        assert_eq!(queue.rows()[1].1, 10.0);
        let among = KCentre::new().labelled([3]).among([0, 4]).pick(points.view(), 1).unwrap();
        assert_eq!(among.first(1), [4]);
        assert!(KCentre::new().labelled([5]).pick(points.view(), 1).is_err());
        assert!(KCentre::new().pick(array![[f64::NAN]].view(), 1).is_err());
        assert!(KCentre::new().pick(array![[1e300], [-1e300]].view(), 1).is_err());
        assert!(KCentre::new().pick(Array2::zeros((0, 2)).view(), 1).unwrap().rows().is_empty());
    }
}
