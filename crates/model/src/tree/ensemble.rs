//! The canonical tree model: arrays of nodes per tree, the mean over trees.
//!
//! One rule for every backend: `x <= threshold` goes left. Children stand behind their parent, so that every walk ends,
//! also in a file that was tampered with. Batch and row path walk the same function, so they agree to the bit.

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use stagewise_core::error::{DataError, NumericError, PipelineError, Result};
use stagewise_core::matrix::Features;
use stagewise_core::persist::Persist;
use stagewise_core::stage::Predict;
use stagewise_core::task::{Binary, Multiclass, Regression, Task};

use crate::input::Input;

/// The feature of a leaf.
const LEAF: u32 = u32::MAX;

/// One node of a tree, as [`Tree::node`] shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Node<'a> {
    /// An inner node: `x[feature] <= threshold` goes to `left`, anything else to `right`.
    Split {
        /// The position of the feature.
        feature: usize,
        /// The largest value that goes left.
        threshold: f64,
        /// The node for smaller values.
        left: usize,
        /// The node for larger values.
        right: usize,
        /// Whether a missing value goes left.
        missing_left: bool,
    },
    /// A leaf with its `k` values.
    Leaf(&'a [f64]),
}

/// One tree: a structure of arrays; node 0 is the root.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    feature: Vec<u32>,
    threshold: Vec<f64>,
    /// The left child; of a leaf the position of its values.
    left: Vec<u32>,
    right: Vec<u32>,
    missing_left: Vec<bool>,
    values: Vec<f64>,
}

impl Tree {
    /// A tree without nodes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf with its `k` values and returns its position.
    pub fn leaf(&mut self, values: &[f64]) -> usize {
        let at = self.push(LEAF, 0.0, false);
        self.left[at] = self.values.len() as u32;
        self.values.extend_from_slice(values);
        at
    }

    /// Appends a split and returns its position; its children are appended later and set by [`link`](Self::link).
    pub fn split(&mut self, feature: usize, threshold: f64, missing_left: bool) -> usize {
        self.push(feature as u32, threshold, missing_left)
    }

    /// Sets one child of a split; a position that is not there is left alone.
    pub fn link(&mut self, parent: usize, left: bool, child: usize) {
        let side = if left { &mut self.left } else { &mut self.right };
        if let Some(place) = side.get_mut(parent) {
            *place = child as u32;
        }
    }

    fn push(&mut self, feature: u32, threshold: f64, missing_left: bool) -> usize {
        self.feature.push(feature);
        self.threshold.push(threshold);
        self.left.push(0);
        self.right.push(0);
        self.missing_left.push(missing_left);
        self.feature.len() - 1
    }

    /// How many nodes.
    pub fn len(&self) -> usize {
        self.feature.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.feature.is_empty()
    }

    /// How many leaves.
    pub fn leaves(&self) -> usize {
        self.feature.iter().filter(|&&f| f == LEAF).count()
    }

    /// A node, of a tree whose leaves have `outputs` values.
    pub fn node(&self, at: usize, outputs: usize) -> Option<Node<'_>> {
        let (feature, left) = (*self.feature.get(at)?, *self.left.get(at)? as usize);
        if feature == LEAF {
            return Some(Node::Leaf(self.values.get(left..left.checked_add(outputs)?)?));
        }
        Some(Node::Split {
            feature: feature as usize,
            threshold: *self.threshold.get(at)?,
            left,
            right: *self.right.get(at)? as usize,
            missing_left: *self.missing_left.get(at)?,
        })
    }

    /// The values of the leaf that a row falls into.
    fn find(&self, row: &[f64], outputs: usize) -> &[f64] {
        let mut at = 0;
        loop {
            let feature = self.feature[at];
            if feature == LEAF {
                let from = self.left[at] as usize;
                return &self.values[from..from + outputs];
            }
            let x = row[feature as usize];
            let left = if x.is_nan() { self.missing_left[at] } else { x <= self.threshold[at] };
            at = if left { self.left[at] } else { self.right[at] } as usize;
        }
    }

    /// Whether every walk ends in a leaf of `outputs` finite values.
    fn is_sound(&self, features: usize, outputs: usize) -> bool {
        let n = self.feature.len();
        let lengths = [self.threshold.len(), self.left.len(), self.right.len(), self.missing_left.len()];
        n > 0
            && lengths.iter().all(|&length| length == n)
            && self.values.iter().all(|v| v.is_finite())
            && (0..n).all(|at| match self.node(at, outputs) {
                Some(Node::Leaf(_)) => true,
                Some(Node::Split { feature, threshold, left, right, .. }) => {
                    feature < features && !threshold.is_nan() && left > at && right > at && left < n && right < n
                }
                None => false,
            })
    }
}

/// The mean of trees; a leaf holds a number, the probability of the event, or the probability of each class.
///
/// Features must be finite numbers or flags, in the columns it was fitted on; missing values are refused unless the
/// trees were grown with them. O(trees · depth) per row.
///
/// # Errors
/// Missing or infinite features with their column; other columns.
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
/// let model = TreeEnsemble::new(vec!["x".into()], 1, vec![tree])?;
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
}

/// What is saved; checked when it is read.
#[derive(Serialize, Deserialize)]
struct Stored {
    features: Vec<String>,
    outputs: usize,
    trees: Vec<Tree>,
    #[serde(default)]
    missing: bool,
}

impl TreeEnsemble {
    /// The mean of `trees`, each leaf with `outputs` values: 1, or the number of classes.
    ///
    /// # Errors
    /// [`DataError::TooFewRows`] without trees; [`PipelineError::BrokenPromise`] for a tree whose parts do not fit
    /// together.
    pub fn new(features: Vec<String>, outputs: usize, trees: Vec<Tree>) -> Result<Self> {
        if trees.is_empty() || outputs == 0 {
            return Err(DataError::TooFewRows { what: "a tree ensemble".into(), needed: 1, found: 0 }.into());
        }
        if let Some(bad) = trees.iter().position(|tree| !tree.is_sound(features.len(), outputs)) {
            return Err(PipelineError::BrokenPromise {
                declared: format!("trees over {} features with {outputs} finite values a leaf", features.len()),
                found: format!("tree {bad}, which is not one"),
            }
            .into());
        }
        Ok(Self { features: Input::new(features), outputs, trees, missing: false })
    }

    /// Takes missing values, which go where each split says.
    #[must_use]
    pub fn missing(mut self, missing: bool) -> Self {
        self.missing = missing;
        self
    }

    /// The names of the features, in the order that splits count them.
    pub fn features(&self) -> &[String] {
        self.features.names()
    }

    /// How many values a leaf has.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The trees.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The mean over trees, into `answer` of length `outputs`.
    fn mean(&self, row: &[f64], answer: &mut [f64]) {
        for tree in &self.trees {
            answer.iter_mut().zip(tree.find(row, self.outputs)).for_each(|(a, v)| *a += v);
        }
        let n = self.trees.len() as f64;
        answer.iter_mut().for_each(|a| *a /= n);
    }

    fn number(&self, row: &[f64]) -> Result<f64> {
        let mut answer = [0.0];
        self.mean(row, &mut answer);
        if answer[0].is_finite() {
            Ok(answer[0])
        } else {
            let (what, why) = ("the mean over trees".into(), "their values are too large".into());
            Err(NumericError::Undefined { what, why }.into())
        }
    }

    fn shares(&self, row: &[f64]) -> Result<Vec<f64>> {
        let mut answer = vec![0.0; self.outputs];
        self.mean(row, &mut answer);
        Ok(answer)
    }

    fn require(&self, one: bool, task: &str) -> Result<()> {
        if (self.outputs == 1) == one {
            Ok(())
        } else {
            let (declared, found) = (format!("a model for {task}"), format!("one with {} outputs", self.outputs));
            Err(PipelineError::BrokenPromise { declared, found }.into())
        }
    }

    fn map_rows<R: Send>(&self, features: &Features, answer: impl Fn(&[f64]) -> Result<R> + Sync) -> Result<Vec<R>> {
        if self.missing {
            self.features.map_rows_with_missing(features, answer)
        } else {
            self.features.map_rows(features, Self::TAG, answer)
        }
    }

    fn check_row(&self, row: &[f64]) -> Result<()> {
        if self.missing { self.features.check_length(row) } else { self.features.check_row(row) }
    }
}

impl Persist for TreeEnsemble {
    const TAG: &'static str = "TreeEnsemble";
}

impl TryFrom<Stored> for TreeEnsemble {
    type Error = stagewise_core::Error;

    fn try_from(stored: Stored) -> Result<Self> {
        Ok(Self::new(stored.features, stored.outputs, stored.trees)?.missing(stored.missing))
    }
}

impl From<TreeEnsemble> for Stored {
    fn from(model: TreeEnsemble) -> Self {
        let TreeEnsemble { features, outputs, trees, missing } = model;
        Self { features: features.names().to_vec(), outputs, trees, missing }
    }
}

impl Predict<Regression> for TreeEnsemble {
    fn predict(&self, features: &Features) -> Result<<Regression as Task>::Output> {
        self.require(true, Regression::NAME)?;
        Ok(self.map_rows(features, |row| self.number(row))?.into())
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
        Ok(self.map_rows(features, |row| self.number(row))?.into())
    }

    fn predict_row(&self, row: &[f64]) -> Result<f64> {
        self.require(true, Binary::NAME)?;
        self.check_row(row)?;
        self.number(row)
    }
}

impl Predict<Multiclass> for TreeEnsemble {
    fn predict(&self, features: &Features) -> Result<<Multiclass as Task>::Output> {
        self.require(false, Multiclass::NAME)?;
        let rows = self.map_rows(features, |row| self.shares(row))?;
        Ok(Array2::from_shape_fn((rows.len(), self.outputs), |(row, class)| rows[row][class]))
    }

    fn predict_row(&self, row: &[f64]) -> Result<Vec<f64>> {
        self.require(false, Multiclass::NAME)?;
        self.check_row(row)?;
        self.shares(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::persist::{decode, encode};

    fn stump() -> Tree {
        let mut tree = Tree::new();
        let root = tree.split(1, 0.5, true);
        for (left, value) in [(true, 1.0), (false, 3.0)] {
            let leaf = tree.leaf(&[value]);
            tree.link(root, left, leaf);
        }
        tree
    }

    fn names() -> Vec<String> {
        vec!["a".into(), "b".into()]
    }

    #[test]
    fn the_answer_is_the_mean_of_the_trees() {
        let mut leaf = Tree::new();
        leaf.leaf(&[7.0]);
        let model = TreeEnsemble::new(names(), 1, vec![stump(), leaf]).unwrap();
        let answer = |row: &[f64]| Predict::<Regression>::predict_row(&model, row);
        assert_eq!((answer(&[9.0, 0.5]).unwrap(), answer(&[9.0, 0.6]).unwrap()), (4.0, 5.0));
        assert_eq!(
            answer(&[0.0, f64::NAN]).unwrap_err().to_string(),
            "column `b`: holds 1 missing values; add an imputer before it"
        );
        assert_eq!((stump().leaves(), stump().len()), (2, 3));
    }

    #[test]
    fn missing_values_go_where_the_split_says_if_they_may() {
        let model = TreeEnsemble::new(names(), 1, vec![stump()]).unwrap().missing(true);
        assert_eq!(Predict::<Regression>::predict_row(&model, &[f64::NAN, f64::NAN]).unwrap(), 1.0);
    }

    #[test]
    fn a_tree_that_could_loop_or_miss_is_refused_when_loaded() {
        let good = TreeEnsemble::new(names(), 1, vec![stump()]).unwrap();
        let mut looping: Stored = good.clone().into();
        looping.trees[0].left[0] = 0;
        let bytes = encode("test", &looping).unwrap();
        let error = decode::<TreeEnsemble>("test", &bytes).unwrap_err().to_string();
        assert!(error.contains("tree 0, which is not one"), "{error}");
        let mut far: Stored = good.into();
        far.trees[0].feature[0] = 2;
        assert!(TreeEnsemble::try_from(far).is_err());
    }

    #[test]
    fn a_model_for_another_task_is_refused() {
        let model = TreeEnsemble::new(names(), 1, vec![stump()]).unwrap();
        assert!(Predict::<Multiclass>::predict_row(&model, &[0.0, 0.0]).is_err());
    }
}
