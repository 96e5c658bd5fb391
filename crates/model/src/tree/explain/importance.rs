//! How much each feature matters to a model, as one number.

use stagewise_core::error::{NumericError, Result};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section};

use crate::tree::ensemble::TreeEnsemble;
use crate::tree::structure::Node;

/// Features in a chart.
const SHOWN: usize = 30;

/// What of its splits makes a feature important.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImportanceKind {
    /// The sum of what its splits were worth in training.
    Gain,
    /// How many splits ask it.
    Splits,
}

/// One number for each feature, not negative unless a gain was.
///
/// Gains and split counts are seen in training: they favour features with many values, and say nothing of the direction.
/// Mean absolute contributions ([`Contributions::importance`](super::contribution::Contributions::importance)) do not
/// share the first fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    what: &'static str,
    items: Vec<(String, f64)>,
}

impl TreeEnsemble {
    /// How much each feature matters, by the splits of the trees. O(nodes).
    ///
    /// # Errors
    /// [`NumericError::Undefined`] for gains that the trees do not know.
    ///
    /// ```
    /// use stagewise_model::{ImportanceKind, Tree, TreeEnsemble};
    /// let mut tree = Tree::new();
    /// let root = tree.split(0, 2.5, false);
    /// for left in [true, false] {
    ///     let leaf = tree.leaf(&[1.0]);
    ///     tree.link(root, left, leaf);
    /// }
    /// let model = TreeEnsemble::mean(vec!["x".into(), "y".into()], 1, vec![tree])?;
    /// let splits = model.importance(ImportanceKind::Splits)?;
    /// assert_eq!(splits.items(), [("x".to_string(), 1.0), ("y".to_string(), 0.0)]);
    /// assert!(model.importance(ImportanceKind::Gain).is_err());
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn importance(&self, kind: ImportanceKind) -> Result<Importance> {
        let mut values = vec![0.0; self.features().len()];
        for (number, tree) in self.trees().iter().enumerate() {
            for at in 0..tree.len() {
                if let Some(Node::Split { feature, .. }) = tree.node(at, self.outputs()) {
                    values[feature] += match kind {
                        ImportanceKind::Splits => 1.0,
                        ImportanceKind::Gain => tree.gain(at).ok_or_else(|| NumericError::Undefined {
                            what: "the gain of a feature".into(),
                            why: format!(
                                "tree {number} does not know the gains of its splits; count its splits instead"
                            ),
                        })?,
                    };
                }
            }
        }
        let what = match kind {
            ImportanceKind::Gain => "sum of gains",
            ImportanceKind::Splits => "number of splits",
        };
        Ok(Importance::new(what, self.features().iter().cloned().zip(values).collect()))
    }
}

impl Importance {
    pub(in crate::tree) fn new(what: &'static str, items: Vec<(String, f64)>) -> Self {
        Self { what, items }
    }

    /// What the numbers are.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Features and their importance, in the order of the model.
    pub fn items(&self) -> &[(String, f64)] {
        &self.items
    }

    /// The importance of a feature.
    pub fn of(&self, name: &str) -> Option<f64> {
        self.items.iter().find(|item| item.0 == name).map(|item| item.1)
    }

    /// The same, most important first; equal ones in the order of the model.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.items.sort_by(|a, b| b.1.total_cmp(&a.1));
        self
    }

    /// The same as shares that add up to 1, if there is something to share.
    #[must_use]
    pub fn shares(mut self) -> Self {
        let sum: f64 = self.items.iter().map(|item| item.1).sum();
        if sum > 0.0 {
            self.items.iter_mut().for_each(|item| item.1 /= sum);
        }
        self
    }
}

impl Exhibit for Importance {
    /// The most important features, at most 30.
    fn exhibit(&self) -> Section {
        let mut items = self.clone().sorted().items;
        let rest = items.len().saturating_sub(SHOWN);
        items.truncate(SHOWN);
        let title = format!("importance: {}", self.what);
        let section = Section::new("Importance").block(Block::Chart(Chart::Bars { title, items, mark: None }));
        if rest == 0 { section } else { section.text(format!("{rest} less important features are not shown.")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_important_stands_first_and_shares_add_up() {
        let items = [("a", 1.0), ("b", 3.0), ("c", 1.0)].map(|(name, value)| (name.to_string(), value)).to_vec();
        let sorted = Importance::new("number of splits", items).sorted().shares();
        let expected = [("b", 0.6), ("a", 0.2), ("c", 0.2)].map(|(name, value)| (name.to_string(), value));
        assert_eq!(sorted.items(), expected);
        let Some(Block::Chart(Chart::Bars { title, items, .. })) = sorted.exhibit().blocks.into_iter().next() else {
            panic!("bars come first")
        };
        assert_eq!((title.as_str(), items.len()), ("importance: number of splits", 3));
    }
}
