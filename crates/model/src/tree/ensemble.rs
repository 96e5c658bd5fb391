//! The canonical tree model: trees, how their leaves are combined, and a link.
//!
//! Every learner of trees, ours and the backends, and every imported model ends here, so that answering, explaining,
//! exporting and saving are written once. Batch and row path add the same leaves in the same order, so they agree to the
//! bit; `walk` finds the leaves.

mod offset;

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use stagewise_core::error::{Crumb, DataError, Error, NumericError, PipelineError, Result};
use stagewise_core::matrix::Features;
use stagewise_core::persist::Persist;
use stagewise_core::stage::Predict;
use stagewise_core::task::{Binary, Multiclass, Ranking, Regression, Task};
use stagewise_numeric::parallel;

use crate::input::{Input, map};
use crate::link::Link;
use crate::tree::boost::history::History;
use crate::tree::forest::out_of_bag::OutOfBag;
use crate::tree::structure::Tree;
use crate::tree::walk::Frozen;

/// Rows of one parallel task.
const BLOCK: usize = 2048;

/// How the leaves of a row make its scores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Combine {
    /// Their mean: forests, single trees.
    #[default]
    Mean,
    /// Their sum: boosting.
    Sum,
}

/// Trees over the same features: `answer = link(base + sum or mean of the leaves)`; a feature may be an
/// [`offset`](Self::offset), which is added too.
///
/// A number goes left if `x <= threshold`, a level if it is in the split's set; a missing value, and a level not seen in
/// training, goes where each split says. Models of learners that take no missing values refuse them, and infinite values.
/// O(trees · depth) per row.
///
/// # Errors
/// Other columns; missing or infinite features where the model takes none, with their column;
/// [`NumericError::Undefined`] where the sum of the leaves overflows.
///
/// ```
/// use stagewise_core::{stage::Predict, task::Binary};
/// use stagewise_model::{Tree, TreeEnsemble};
///
/// let mut tree = Tree::new();
/// let root = tree.split(0, 2.5, false);
/// for (left, share) in [(true, 0.1), (false, 0.7)] {
///     let leaf = tree.leaf(&[share]);
///     tree.link(root, left, leaf);
/// }
/// let model = TreeEnsemble::mean(vec!["x".into()], 1, vec![tree])?;
/// assert_eq!(Predict::<Binary>::predict_row(&model, &[2.5])?, 0.1);
/// assert_eq!(Predict::<Binary>::predict_row(&model, &[2.6])?, 0.7);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct TreeEnsemble {
    features: Input,
    outputs: usize,
    trees: Vec<Tree>,
    missing: bool,
    base: Vec<f64>,
    combine: Combine,
    link: Link,
    history: Option<History>,
    /// The trees, ready for answers; made from them, never saved.
    frozen: Arc<Frozen>,
    out_of_bag: Option<OutOfBag>,
    /// The feature that is added to the score.
    offset: Option<usize>,
    /// Of each tree and each of its leaves, in their order, the standard deviation of the values over bags.
    deviations: Option<Vec<Vec<f64>>>,
}

/// What is saved; checked when it is read.
#[derive(Serialize, Deserialize)]
struct Stored {
    features: Vec<String>,
    outputs: usize,
    trees: Vec<Tree>,
    #[serde(default)]
    missing: bool,
    #[serde(default)]
    base: Vec<f64>,
    #[serde(default)]
    combine: Combine,
    #[serde(default)]
    link: Link,
    #[serde(default)]
    history: Option<History>,
    #[serde(default)]
    out_of_bag: Option<OutOfBag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deviations: Option<Vec<Vec<f64>>>,
}

impl TreeEnsemble {
    /// The mean of `trees`, with `outputs` scores: 1, or the number of classes.
    ///
    /// # Errors
    /// [`DataError::TooFewRows`] without trees or outputs; [`PipelineError::BrokenPromise`] for a tree whose parts do not
    /// fit together.
    pub fn mean(features: Vec<String>, outputs: usize, trees: Vec<Tree>) -> Result<Self> {
        let base = vec![0.0; outputs];
        Self {
            features: Input::new(features),
            outputs,
            trees,
            missing: false,
            base,
            combine: Combine::Mean,
            link: Link::Identity,
            history: None,
            frozen: Arc::default(),
            out_of_bag: None,
            offset: None,
            deviations: None,
        }
        .checked()
    }

    /// The sum of `base`, one value for each output, and of `trees`, of which there may be none.
    ///
    /// # Errors
    /// As [`mean`](Self::mean), but without trees it answers with the base.
    pub fn sum(features: Vec<String>, base: Vec<f64>, trees: Vec<Tree>) -> Result<Self> {
        let outputs = base.len();
        Self {
            features: Input::new(features),
            outputs,
            trees,
            missing: false,
            base,
            combine: Combine::Sum,
            link: Link::Identity,
            history: None,
            frozen: Arc::default(),
            out_of_bag: None,
            offset: None,
            deviations: None,
        }
        .checked()
    }

    fn checked(mut self) -> Result<Self> {
        let too_few = self.trees.is_empty() && self.combine == Combine::Mean;
        if too_few || self.outputs == 0 {
            return Err(DataError::TooFewRows { what: "a tree ensemble".into(), needed: 1, found: 0 }.into());
        }
        let (width, outputs) = (self.features.width(), self.outputs);
        let bad_tree = self.trees.iter().position(|tree| !tree.is_sound(width, outputs));
        let bad_base = self.base.len() != outputs || !self.base.iter().all(|b| b.is_finite());
        if bad_tree.is_some() || bad_base {
            let part = bad_tree.map_or("a base".into(), |tree| format!("tree {tree}"));
            return Err(PipelineError::BrokenPromise {
                declared: format!("a base and trees over {width} features with {outputs} outputs and finite values"),
                found: format!("{part}, which does not fit"),
            }
            .into());
        }
        self.offset_fits()?;
        self.frozen = Arc::new(Frozen::of(&self.trees, width, outputs));
        Ok(self)
    }

    /// Takes missing values and levels that are new, which go where each split says.
    #[must_use]
    pub fn missing(mut self, missing: bool) -> Self {
        self.missing = missing;
        self
    }

    /// What turns scores into answers. Default [`Link::Identity`].
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.link = link;
        self
    }

    /// How the learner got there, round by round.
    #[must_use]
    pub(crate) fn history(mut self, history: History) -> Self {
        self.history = Some(history);
        self
    }

    /// How the learner got there, if it kept that.
    pub fn training_history(&self) -> Option<&History> {
        self.history.as_ref()
    }

    /// What the trees of a forest answered for rows that they had not seen.
    #[must_use]
    pub(crate) fn bagged(mut self, out_of_bag: OutOfBag) -> Self {
        self.out_of_bag = Some(out_of_bag);
        self
    }

    /// What the trees of a forest answered for rows that they had not seen, if it kept that.
    pub fn out_of_bag(&self) -> Option<&OutOfBag> {
        self.out_of_bag.as_ref()
    }

    /// How far the values of each tree's leaves lie apart over bags.
    #[must_use]
    pub(crate) fn deviations(mut self, deviations: Vec<Vec<f64>>) -> Self {
        self.deviations = Some(deviations);
        self
    }

    /// The standard deviations of a tree's leaf values over bags, leaf by leaf, if it keeps them.
    pub(crate) fn deviations_of(&self, tree: usize) -> Option<&[f64]> {
        self.deviations.as_ref()?.get(tree).map(Vec::as_slice)
    }

    /// The names of the features, in the order that splits count them.
    pub fn features(&self) -> &[String] {
        self.features.names()
    }

    /// How many scores a row has: 1, or the number of classes.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The trees.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// What the leaves are added to, one value for each output.
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// How the leaves are combined.
    pub fn combine(&self) -> Combine {
        self.combine
    }

    /// What turns scores into answers.
    pub fn answer_link(&self) -> Link {
        self.link
    }

    /// Whether it takes missing values and new levels.
    pub fn takes_missing(&self) -> bool {
        self.missing
    }

    /// The scores before the link, `n × outputs`: log-odds, logarithms of means, or the answers themselves.
    ///
    /// # Errors
    /// As for answers.
    pub fn scores(&self, features: &Features) -> Result<Array2<f64>> {
        self.table(features, |scores| not_finite(scores))
    }

    /// What `answer` makes of the scores of all rows, row by row, in blocks that do not depend on each other; it says
    /// where a value is not finite.
    fn all(&self, features: &Features, answer: impl Fn(&mut [f64]) -> Option<usize> + Sync) -> Result<Vec<f64>> {
        self.features.require_columns(features)?;
        self.offset_of(features)?;
        if !self.missing {
            features.require_finite(Self::TAG)?;
        }
        let blocks = parallel::blocks(features.rows(), BLOCK, |rows| {
            let mut scores = vec![0.0; rows.len() * self.outputs];
            scores.chunks_exact_mut(self.outputs).for_each(|scores| self.begin(scores));
            self.add_offsets(features, rows.clone(), &mut scores);
            self.frozen.add_rows(features, rows.clone(), &mut scores);
            scores.chunks_exact_mut(self.outputs).for_each(|scores| self.end(scores));
            match answer(&mut scores) {
                None => Ok(scores),
                Some(at) => Err(overflow().at(Crumb::Row(rows.start + at / self.outputs))),
            }
        });
        let mut all = Vec::with_capacity(features.rows() * self.outputs);
        for block in blocks {
            all.extend_from_slice(&block?);
        }
        Ok(all)
    }

    fn table(&self, features: &Features, answer: impl Fn(&mut [f64]) -> Option<usize> + Sync) -> Result<Array2<f64>> {
        let all = self.all(features, answer)?;
        // There are rows × outputs values by construction.
        Ok(Array2::from_shape_vec((features.rows(), self.outputs), all).unwrap_or_default())
    }

    /// What the leaves of a row are added to: a sum begins with the base, as in training.
    fn begin(&self, scores: &mut [f64]) {
        match self.combine {
            Combine::Sum => scores.copy_from_slice(&self.base),
            Combine::Mean => scores.fill(0.0),
        }
    }

    fn end(&self, scores: &mut [f64]) {
        if self.combine == Combine::Mean {
            let n = self.trees.len() as f64;
            scores.iter_mut().zip(&self.base).for_each(|(score, base)| *score = base + *score / n);
        }
    }

    /// The scores of one row, into `scores` of length `outputs`.
    fn add_up(&self, row: &[f64], scores: &mut [f64]) {
        self.begin(scores);
        self.add_offset(row, scores);
        self.frozen.add_row(row, scores);
        self.end(scores);
    }

    fn numbers(&self, features: &Features) -> Result<Vec<f64>> {
        self.all(features, |scores| {
            scores.iter_mut().for_each(|score| *score = self.link.answer(*score));
            not_finite(scores)
        })
    }

    fn number(&self, row: &[f64]) -> Result<f64> {
        let mut score = [0.0];
        self.add_up(row, &mut score);
        finite(self.link.answer(score[0]))
    }

    fn shares(&self, row: &[f64]) -> Result<Vec<f64>> {
        let mut scores = vec![0.0; self.outputs];
        self.add_up(row, &mut scores);
        scores.iter().try_for_each(|&score| finite(score).map(|_| ()))?;
        self.link.answers(&mut scores);
        Ok(scores)
    }

    fn require(&self, one: bool, task: &str) -> Result<()> {
        if (self.outputs == 1) == one {
            Ok(())
        } else {
            let (declared, found) = (format!("a model for {task}"), format!("one with {} outputs", self.outputs));
            Err(PipelineError::BrokenPromise { declared, found }.into())
        }
    }

    /// The rows of these features, checked as for answers.
    pub(crate) fn rows_of<'a>(&self, features: &'a Features) -> Result<ArrayView2<'a, f64>> {
        self.features.require_columns(features)?;
        self.offset_of(features)?;
        if self.missing { Ok(features.matrix()) } else { features.finite_matrix(Self::TAG) }
    }

    pub(crate) fn map_rows<R: Send>(
        &self,
        features: &Features,
        answer: impl Fn(&[f64]) -> Result<R> + Sync,
    ) -> Result<Vec<R>> {
        map(self.rows_of(features)?, answer)
    }

    pub(crate) fn check_row(&self, row: &[f64]) -> Result<()> {
        if self.missing {
            self.features.check_length(row)?
        } else {
            self.features.check_row(row)?
        }
        self.offset_of_row(row)
    }
}

fn finite(value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(overflow()) }
}

fn not_finite(values: &[f64]) -> Option<usize> {
    values.iter().position(|value| !value.is_finite())
}

fn overflow() -> Error {
    let (what, why) = ("the sum of the trees".into(), "their values are too large".into());
    NumericError::Undefined { what, why }.into()
}

impl Persist for TreeEnsemble {
    const TAG: &'static str = "TreeEnsemble";
}

impl TryFrom<Stored> for TreeEnsemble {
    type Error = stagewise_core::Error;

    fn try_from(stored: Stored) -> Result<Self> {
        let Stored {
            features,
            outputs,
            trees,
            missing,
            mut base,
            combine,
            link,
            history,
            out_of_bag,
            offset,
            deviations,
        } = stored;
        if base.is_empty() {
            // Files of before there was a base. A damaged one must not ask for more memory than its leaves fill.
            base = vec![0.0; outputs.min(trees.first().map_or(0, Tree::leaf_values_in_all))];
        }
        Self {
            features: Input::new(features),
            outputs,
            trees,
            missing,
            base,
            combine,
            link,
            history,
            out_of_bag,
            offset,
            deviations,
            frozen: Arc::default(),
        }
        .checked()
    }
}

impl From<TreeEnsemble> for Stored {
    fn from(model: TreeEnsemble) -> Self {
        Self {
            features: model.features.names().to_vec(),
            outputs: model.outputs,
            trees: model.trees,
            missing: model.missing,
            base: model.base,
            combine: model.combine,
            link: model.link,
            history: model.history,
            out_of_bag: model.out_of_bag,
            offset: model.offset,
            deviations: model.deviations,
        }
    }
}

impl Predict<Regression> for TreeEnsemble {
    fn predict(&self, features: &Features) -> Result<<Regression as Task>::Output> {
        self.require(true, Regression::NAME)?;
        Ok(self.numbers(features)?.into())
    }

    fn predict_row(&self, row: &[f64]) -> Result<f64> {
        self.require(true, Regression::NAME)?;
        self.check_row(row)?;
        self.number(row)
    }
}

impl Predict<Binary> for TreeEnsemble {
    fn predict(&self, features: &Features) -> Result<<Binary as Task>::Output> {
        self.require(true, Binary::NAME)?;
        Ok(self.numbers(features)?.into())
    }

    fn predict_row(&self, row: &[f64]) -> Result<f64> {
        self.require(true, Binary::NAME)?;
        self.check_row(row)?;
        self.number(row)
    }
}

impl Predict<Ranking> for TreeEnsemble {
    fn predict(&self, features: &Features) -> Result<<Ranking as Task>::Output> {
        Predict::<Regression>::predict(self, features)
    }

    fn predict_row(&self, row: &[f64]) -> Result<f64> {
        Predict::<Regression>::predict_row(self, row)
    }
}

impl Predict<Multiclass> for TreeEnsemble {
    fn predict(&self, features: &Features) -> Result<<Multiclass as Task>::Output> {
        self.require(false, Multiclass::NAME)?;
        self.table(features, |scores| {
            let bad = not_finite(scores);
            scores.chunks_exact_mut(self.outputs).for_each(|scores| self.link.answers(scores));
            bad
        })
    }

    fn predict_row(&self, row: &[f64]) -> Result<Vec<f64>> {
        self.require(false, Multiclass::NAME)?;
        self.check_row(row)?;
        self.shares(row)
    }
}

#[cfg(test)]
mod tests;
