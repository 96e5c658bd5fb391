//! One side of a term: a column cut into cells.
//!
//! The cells of a column follow its bins; the last cell is always that of missing values, which no other cell is merged
//! with. So a split between two cells sends missing values right, and a split before the last parts them from the rest.

use crate::tree::bins::ColumnBins;
use crate::tree::structure::Tree;

/// A column cut into cells, the last of which is for missing values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) feature: usize,
    parts: Parts,
    cells: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Parts {
    /// Ascending; cell `c` holds `cuts[c − 1] < x <= cuts[c]`.
    Cuts(Vec<f64>),
    /// The cell of each level.
    Levels(Vec<usize>),
}

impl Axis {
    /// A cell for each bin.
    pub(super) fn of(feature: usize, bins: &ColumnBins) -> Self {
        let parts = match bins {
            ColumnBins::Number { cuts } => Parts::Cuts(cuts.clone()),
            ColumnBins::Category { bin_of, .. } => Parts::Levels(bin_of.iter().map(|&bin| usize::from(bin)).collect()),
        };
        Self { feature, parts, cells: bins.bins() + 1 }
    }

    /// How many cells, that of missing values among them.
    pub(super) fn cells(&self) -> usize {
        self.cells
    }

    /// Whether its cells are levels, which have no order of their own.
    pub(super) fn is_category(&self) -> bool {
        matches!(self.parts, Parts::Levels(_))
    }

    /// The same column in fewer cells: `to` has the new cell of each old one, without gaps, the last for missing values
    /// alone; of numbers it does not fall.
    pub(super) fn merged(&self, to: &[usize]) -> Self {
        let cells = to.last().map_or(0, |missing| missing + 1);
        let parts = match &self.parts {
            Parts::Cuts(cuts) => {
                let kept = cuts.iter().zip(to.windows(2)).filter(|(_, pair)| pair[0] != pair[1]);
                Parts::Cuts(kept.map(|(cut, _)| *cut).collect())
            }
            Parts::Levels(of) => Parts::Levels(of.iter().map(|&cell| to.get(cell).copied().unwrap_or(cells)).collect()),
        };
        Self { feature: self.feature, parts, cells }
    }

    /// Appends the split that sends the cells before `at` left.
    pub(super) fn split(&self, tree: &mut Tree, at: usize) -> usize {
        match &self.parts {
            // Every number is at most infinity; a missing value is not.
            Parts::Cuts(cuts) => tree.split(self.feature, cuts.get(at - 1).copied().unwrap_or(f64::INFINITY), false),
            Parts::Levels(of) => {
                let left = of.iter().enumerate().filter(|(_, cell)| **cell < at).map(|(level, _)| level);
                tree.split_levels(self.feature, left, of.len(), false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::structure::{Node, Rule};

    #[test]
    fn merged_cells_keep_the_cuts_between_them() {
        let axis = Axis::of(0, &ColumnBins::Number { cuts: vec![1.0, 2.0, 3.0] });
        let merged = axis.merged(&[0, 0, 1, 1, 2]);
        assert_eq!(merged, Axis { feature: 0, parts: Parts::Cuts(vec![2.0]), cells: 3 });
        let mut tree = Tree::new();
        let at = merged.split(&mut tree, 2);
        assert!(matches!(tree.node(at, 1), Some(Node::Split { rule: Rule::AtMost(f64::INFINITY), .. })));
    }

    #[test]
    fn levels_move_with_their_cells() {
        let axis = Axis::of(0, &ColumnBins::Category { bin_of: vec![1, 0, 2, 3], bins: 3 });
        // The fourth level has no rows: it is in the cell of missing values.
        let merged = axis.merged(&[1, 0, 1, 2]);
        assert_eq!(merged.parts, Parts::Levels(vec![0, 1, 1, 2]));
        let mut tree = Tree::new();
        merged.split(&mut tree, 1);
        let Some(Node::Split { rule: Rule::Among(set), .. }) = tree.node(0, 1) else { panic!("asks for a level") };
        assert_eq!(set.codes().collect::<Vec<_>>(), [0]);
    }
}
