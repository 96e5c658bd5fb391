//! What a forest answers for the rows that its trees have not seen.

use ndarray::ArrayView1;
use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::exhibit::{Block, Exhibit, Section, number};
use stagewise_core::matrix::Features;
use stagewise_numeric::parallel;

use crate::tree::cart::grove::{Draw, Target, present, stream_of_rows};
use crate::tree::ensemble::TreeEnsemble;

/// Rows of one parallel task.
const BLOCK: usize = 1024;

/// Answers for training rows, each from the trees that did not learn from it: an estimate of the error on new rows that
/// needs no holdout.
///
/// It is only as honest as the features: steps before the forest that learned from the target have seen these rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutOfBag {
    /// `accuracy` of the likeliest class, or `R²`.
    pub measure: String,
    /// The measure, weighted as the rows are.
    pub score: f64,
    /// The training rows that some tree has not seen, ascending.
    pub rows: Vec<u32>,
    /// Their answers, row by row: a number, the probability of the event, or that of each class.
    pub answers: Vec<f64>,
}

/// The truth of the training rows.
pub(crate) struct Truths<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) weights: Option<&'a [f64]>,
    /// The weights that rows were drawn with: those of 0 were not there.
    pub(crate) sampled: Option<&'a [f64]>,
}

impl OutOfBag {
    /// Draws the rows of each tree again, as when it was grown. Absent, with a warning, if all trees have seen all rows.
    pub(crate) fn of(
        model: &TreeEnsemble,
        features: &Features,
        truths: &Truths<'_>,
        draw: Draw,
        cx: &FitContext,
    ) -> Option<Self> {
        let all = features.rows();
        let there = present(all, truths.sampled);
        let words = all.div_ceil(64);
        let bags: Vec<Vec<u64>> = parallel::blocks(model.trees().len(), 1, |tree| {
            let mut bag = vec![0; words];
            let (rows, _) = draw.rows(&there, all, &mut stream_of_rows(cx, tree.start));
            rows.iter().for_each(|&row| bag[row as usize / 64] |= 1 << (row % 64));
            bag
        });
        let outputs = model.outputs();
        let matrix = features.matrix();
        let answer = |row: usize| {
            let values: ArrayView1<'_, f64> = matrix.row(row);
            let values = values.as_slice().map_or_else(|| values.to_vec(), <[f64]>::to_vec);
            let (mut sums, mut trees) = (vec![0.0; outputs], 0.0);
            for (tree, bag) in model.trees().iter().zip(&bags) {
                if bag[row / 64] >> (row % 64) & 1 == 0 {
                    let leaf = tree.leaf_values(tree.find(&values), outputs);
                    sums.iter_mut().zip(leaf).for_each(|(sum, value)| *sum += value);
                    trees += 1.0;
                }
            }
            sums.iter_mut().for_each(|sum| *sum /= trees);
            (trees > 0.0).then_some(sums)
        };
        let answered: Vec<Vec<(u32, Vec<f64>)>> = parallel::blocks(there.len(), BLOCK, |some| {
            some.filter_map(|i| Some((there[i], answer(there[i] as usize)?))).collect()
        });
        let (rows, answers): (Vec<u32>, Vec<Vec<f64>>) = answered.into_iter().flatten().unzip();
        if rows.len() < there.len() {
            let (left, trees) = (there.len() - rows.len(), model.trees().len());
            cx.warn(format!(
                "{left} of {} rows are in the sample of each of the {trees} trees; more trees leave none",
                there.len()
            ));
        }
        if rows.is_empty() {
            return None;
        }
        let (measure, score) = truths.score(&rows, &answers);
        Some(Self { measure: measure.into(), score, rows, answers: answers.concat() })
    }
}

impl Truths<'_> {
    fn score(&self, rows: &[u32], answers: &[Vec<f64>]) -> (&'static str, f64) {
        let weight = |row: u32| self.weights.map_or(1.0, |weights| weights[row as usize]);
        let pairs = || rows.iter().zip(answers).map(|(&row, answer)| (row, answer.as_slice(), weight(row)));
        let total: f64 = rows.iter().map(|&row| weight(row)).sum();
        let accuracy = |class: &[u32]| {
            let right = pairs().filter(|(row, answer, _)| likeliest(answer) == class[*row as usize]);
            ("accuracy", right.map(|(_, _, weight)| weight).sum::<f64>() / total)
        };
        match self.target {
            Target::Events(class) | Target::Classes(class, _) => accuracy(class),
            Target::Numbers(target) => {
                let y = |row: u32| target[row as usize];
                let mean = pairs().map(|(row, _, w)| y(row) * (w / total)).sum::<f64>();
                let off = pairs().map(|(row, answer, w)| w * (y(row) - answer[0]).powi(2)).sum::<f64>();
                let around = pairs().map(|(row, _, w)| w * (y(row) - mean).powi(2)).sum::<f64>();
                // Where all targets are equal, so are all answers.
                ("R²", if around > 0.0 { 1.0 - off / around } else { 1.0 })
            }
        }
    }
}

/// The class with the largest share, of equals the first; of one share, the event from one half on.
fn likeliest(answer: &[f64]) -> u32 {
    match answer {
        [event] => u32::from(*event >= 0.5),
        shares => {
            let first = |best: usize, class: usize| if shares[class] > shares[best] { class } else { best };
            (0..shares.len()).fold(0, first) as u32
        }
    }
}

impl Exhibit for OutOfBag {
    fn exhibit(&self) -> Section {
        let facts = vec![(self.measure.clone(), number(self.score)), ("rows".into(), self.rows.len().to_string())];
        Section::new("Out-of-bag answers").block(Block::Facts(facts))
    }
}
