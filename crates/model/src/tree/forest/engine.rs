//! Forests on our own engine: what random forests and extremely randomised trees share.

use stagewise_core::context::FitContext;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::matrix::Design;
use stagewise_core::target::{BinaryTarget, ClassTarget, NumberTarget};
use stagewise_core::task::Task;

use super::out_of_bag::{OutOfBag, Truths};
use crate::tree::boost::input::check;
use crate::tree::cart::Rules;
use crate::tree::cart::grove::{Draw, Plan, Target, grove};
use crate::tree::class_weights::ClassWeights;
use crate::tree::ensemble::TreeEnsemble;

/// What a forest is told.
pub(crate) struct Options<'a> {
    pub(crate) tag: &'a str,
    pub(crate) trees: usize,
    pub(crate) max_depth: Option<usize>,
    pub(crate) max_leaves: Option<usize>,
    pub(crate) min_rows_leaf: f64,
    pub(crate) features_per_split: Option<usize>,
    pub(crate) feature_share: Option<f64>,
    pub(crate) draw: Draw,
    pub(crate) max_bins: usize,
    pub(crate) class_weights: ClassWeights,
    pub(crate) random_cuts: bool,
    /// A single tree: no order but that of the columns, and no split that gains nothing.
    pub(crate) single: bool,
    pub(crate) out_of_bag: bool,
    /// Leaves answer so many quantiles of their rows' numbers, not the mean.
    pub(crate) kept: Option<usize>,
}

/// A target, in the form that trees learn.
pub(crate) enum Learned {
    Numbers(Vec<f64>),
    Events(Vec<u32>),
    Classes(Vec<u32>, usize),
}

/// A target that trees can learn.
pub(crate) trait Learnable {
    fn learned(&self) -> Learned;
}

impl Learnable for NumberTarget {
    fn learned(&self) -> Learned {
        Learned::Numbers(self.values().to_vec())
    }
}

impl Learnable for BinaryTarget {
    fn learned(&self) -> Learned {
        Learned::Events(self.events().iter().map(|&event| u32::from(event)).collect())
    }
}

impl Learnable for ClassTarget {
    fn learned(&self) -> Learned {
        Learned::Classes(self.codes().to_vec(), self.classes())
    }
}

impl Learned {
    pub(crate) fn target(&self) -> Target<'_> {
        match self {
            Self::Numbers(values) => Target::Numbers(values),
            Self::Events(class) => Target::Events(class),
            Self::Classes(class, classes) => Target::Classes(class, *classes),
        }
    }

    /// How many answers a leaf has.
    pub(crate) fn outputs(&self) -> usize {
        if let Self::Classes(_, classes) = self { *classes } else { 1 }
    }
}

impl Options<'_> {
    /// Checks what is not checked by its type, and grows.
    pub(crate) fn fit<T: Task<Target: Learnable>>(&self, train: &Design<T>, cx: &FitContext) -> Result<TreeEnsemble> {
        let width = train.features.width();
        let (bins, least) = (self.max_bins, self.min_rows_leaf);
        ParameterError::check((1..=100_000).contains(&self.trees), "trees", self.trees, "1 to 100000")?;
        ParameterError::check(least.is_finite() && least > 0.0, "min_rows_leaf", least, "a number above 0")?;
        ParameterError::check((2..=255).contains(&bins), "max_bins", bins, "from 2 to 255")?;
        let leaves = self.max_leaves.unwrap_or(2);
        ParameterError::check(leaves >= 2, "max_leaves", leaves, "at least 2")?;
        let share = self.feature_share.unwrap_or(1.0);
        ParameterError::check(share > 0.0 && share <= 1.0, "feature_share", share, "above 0, at most 1")?;
        if let Draw::Once(share) | Draw::Again(share) = self.draw {
            ParameterError::check(share > 0.0 && share <= 1.0, "row_share", share, "above 0, at most 1")?;
        }
        let bagged = self.draw != Draw::All;
        let allowed = "no, where every tree learns from all rows";
        ParameterError::check(bagged || !self.out_of_bag, "out_of_bag", "yes", allowed)?;
        check(train, self.tag)?;
        let tried = self.features_per_split.unwrap_or(1);
        let allowed = "at least 1 and at most the number of features";
        ParameterError::check((1..=width).contains(&tried), "features_per_split", tried, allowed)?;
        let learned = train.target.learned();
        let weights = self.class_weights.weigh(learned.target(), train.weights());
        let weights = weights.as_deref().or(train.weights());
        let rules = Rules {
            max_leaves: self.max_leaves,
            max_depth: self.max_depth.unwrap_or(usize::MAX),
            // Every leaf has one row.
            min_weight: if least <= 1.0 && !self.single { 0.0 } else { least },
            columns: self.columns(&learned, width),
            shuffled: !self.single,
            gainless: !self.single,
            random_cuts: self.random_cuts,
        };
        let (trees, draw) = (self.trees, self.draw);
        let plan = Plan { label: self.tag, trees, rules, draw, max_bins: self.max_bins, kept: self.kept };
        let outputs = self.kept.unwrap_or(learned.outputs());
        let trees = grove(plan, train.features.table(), learned.target(), weights, cx)?;
        let model = TreeEnsemble::mean(train.features.schema().names(), outputs, trees)?.missing(true);
        if !self.out_of_bag {
            return Ok(model);
        }
        let truths = Truths { target: learned.target(), weights: train.weights(), sampled: weights };
        Ok(match OutOfBag::of(&model, &train.features, &truths, self.draw, cx) {
            Some(out_of_bag) => model.bagged(out_of_bag),
            None => model,
        })
    }

    /// How many columns a node looks at. Classes: the square root of their number (Breiman 2001). Numbers: all of them;
    /// where few columns carry the signal, leaving them out of most nodes costs more than it takes off the likeness of
    /// the trees (Geurts et al. 2006, §2.3).
    fn columns(&self, learned: &Learned, width: usize) -> usize {
        let default = match learned {
            _ if self.single => width,
            Learned::Numbers(_) => width,
            _ => width.isqrt(),
        };
        let share = self.feature_share.map(|share| (share * width as f64) as usize);
        self.features_per_split.or(share).unwrap_or(default).clamp(1, width)
    }
}
