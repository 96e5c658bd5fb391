//! Terms read back out of trees: what each column, and each pair, adds to the scores, as tables.
//!
//! Nothing is believed of who grew the trees. All trees that ask the same one or two columns are one term; its cells lie
//! between all their cuts, and each value is what the trees answer there. So the terms of any sum of such trees can be
//! read, those of boosted stumps too.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Array3;
use stagewise_core::error::{NumericError, Result};
use stagewise_core::matrix::Features;
use stagewise_core::schema::{Kind, Schema};
use stagewise_numeric::parallel;

use crate::tree::ensemble::{Combine, TreeEnsemble};
use crate::tree::explain::contribution::Contributions;
use crate::tree::explain::importance::Importance;
use crate::tree::structure::{Node, Rule, Tree};

/// Rows of one parallel task.
const BLOCK: usize = 1024;

/// A model as a base and the terms that are added to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    base: Vec<f64>,
    items: Vec<ShapeFunction>,
}

/// What one column adds to the scores, or two together: a table over their cells.
///
/// Cells of a number lie between its cuts, the cut itself in the lower one; cells of a category are sets of levels. The
/// last cell of a column is for missing values and levels that are new.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapeFunction {
    axes: Vec<ShapeAxis>,
    outputs: usize,
    values: Vec<f64>,
    weights: Option<Vec<f64>>,
    deviations: Option<Vec<f64>>,
}

/// A column of a term.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapeAxis {
    column: String,
    parts: ShapeParts,
    names: Option<Vec<String>>,
}

/// How a column is cut into cells, without that of missing values.
#[derive(Debug, Clone, PartialEq)]
pub enum ShapeParts {
    /// A number: cell `c` holds `cuts[c − 1] < x <= cuts[c]`.
    Cuts(Vec<f64>),
    /// A category: the codes of the levels of each cell.
    Levels(Vec<Vec<usize>>),
}

impl ShapeAxis {
    /// The name of the column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Where it is cut.
    pub fn parts(&self) -> &ShapeParts {
        &self.parts
    }

    /// How many cells, that of missing values among them.
    pub fn cells(&self) -> usize {
        match &self.parts {
            ShapeParts::Cuts(cuts) => cuts.len() + 2,
            ShapeParts::Levels(sets) => sets.len() + 1,
        }
    }

    /// The names of levels by code, if they are known.
    pub fn level_names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }
}

impl ShapeFunction {
    /// The name of its column; of two `a × b`.
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.axes.iter().map(ShapeAxis::column).collect();
        names.join(" × ")
    }

    /// Its columns, one or two.
    pub fn axes(&self) -> &[ShapeAxis] {
        &self.axes
    }

    /// How many values a cell has.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The values: of the first cell for each output, then of the next; with two columns the second moves faster.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The weight of the training rows in each cell; known where one tree has a leaf for each cell.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// The standard deviation of each value over the bags of explainable boosting, if the model keeps it.
    pub fn deviations(&self) -> Option<&[f64]> {
        self.deviations.as_deref()
    }

    /// The weighted mean of the absolute values over the training rows, added up over outputs.
    ///
    /// # Errors
    /// [`NumericError::Undefined`] where the weights are not known.
    pub fn importance(&self) -> Result<f64> {
        let weights = self.weights.as_ref().ok_or_else(|| NumericError::Undefined {
            what: format!("the importance of the term `{}`", self.name()),
            why: "the weight of the training rows in its cells is not known; average contributions over rows instead"
                .into(),
        })?;
        let total: f64 = weights.iter().sum();
        let cells = self.values.chunks(self.outputs.max(1)).zip(weights);
        let sum: f64 = cells.map(|(values, weight)| weight * values.iter().map(|value| value.abs()).sum::<f64>()).sum();
        Ok(if total > 0.0 { sum / total } else { 0.0 })
    }
}

impl Terms {
    /// What the terms are added to, one value for each output.
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// The terms: columns in their order, then pairs.
    pub fn items(&self) -> &[ShapeFunction] {
        &self.items
    }

    /// The term of a column, or of `a × b`.
    pub fn of(&self, name: &str) -> Option<&ShapeFunction> {
        self.items.iter().find(|term| term.name() == name)
    }

    /// The mean absolute value of each term over the training rows.
    ///
    /// # Errors
    /// As [`ShapeFunction::importance`].
    pub fn importance(&self) -> Result<Importance> {
        let of = |term: &ShapeFunction| Ok((term.name(), term.importance()?));
        Ok(Importance::new("mean absolute value of the term", self.items.iter().map(of).collect::<Result<_>>()?))
    }

    /// The same with the names of levels, from the schema of the model's features.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`](stagewise_core::error::SchemaError).
    pub fn named(mut self, schema: &Schema) -> Result<Self> {
        for axis in self.items.iter_mut().flat_map(|term| &mut term.axes) {
            let field = &schema.fields()[schema.require(&axis.column)?];
            axis.names = field.levels.as_ref().map(|levels| levels.to_strings());
        }
        Ok(self)
    }
}

impl TreeEnsemble {
    /// Reads the model as a base and tables of one or two columns each.
    ///
    /// The terms and the base add up to the score of any row. O(cells · trees of the term · depth).
    ///
    /// # Errors
    /// [`NumericError::Undefined`] if a tree asks more than two columns together, or one column both as a number and as a
    /// category.
    ///
    /// ```
    /// use stagewise_model::{Tree, TreeEnsemble};
    /// let mut tree = Tree::new();
    /// let root = tree.split(0, 2.5, false);
    /// for (left, value) in [(true, -1.0), (false, 4.0)] {
    ///     let leaf = tree.leaf(&[value]);
    ///     tree.link(root, left, leaf);
    /// }
    /// let terms = TreeEnsemble::sum(vec!["x".into()], vec![0.5], vec![tree])?.terms()?;
    /// // Up to 2.5, above it, and missing.
    /// assert_eq!(terms.of("x").map(|term| term.values()), Some(&[-1.0, 4.0, 4.0][..]));
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn terms(&self) -> Result<Terms> {
        let outputs = self.outputs();
        let share = if self.combine() == Combine::Mean { 1.0 / self.trees().len() as f64 } else { 1.0 };
        let mut base = self.base().to_vec();
        let mut items = Vec::new();
        for (columns, trees) in self.groups()? {
            let axes = columns.iter().map(|&column| self.axis(column, &trees)).collect::<Result<Vec<Reader>>>()?;
            let term = self.read(&axes, &trees, share);
            if columns.is_empty() {
                base.iter_mut().zip(&term.values).for_each(|(base, value)| *base += value);
            } else {
                items.push(term);
            }
        }
        items.sort_by_key(|term| term.axes.len());
        debug_assert_eq!(base.len(), outputs);
        Ok(Terms { base, items })
    }

    /// What each term adds to the scores of rows: the exact parts of a model of columns and pairs.
    ///
    /// The names are those of the [`terms`](Self::terms), the bias is the base, and all of a row add up to its score. For a
    /// model without pairs they are the [`contributions`](Self::contributions).
    ///
    /// # Errors
    /// As for answers, and as for [`terms`](Self::terms).
    pub fn term_values(&self, features: &Features) -> Result<Contributions> {
        let outputs = self.outputs();
        let share = if self.combine() == Combine::Mean { 1.0 / self.trees().len() as f64 } else { 1.0 };
        let mut groups: Vec<(Vec<usize>, Vec<usize>)> = self.groups()?.into_iter().collect();
        groups.sort_by_key(|(columns, _)| columns.len());
        let mut base = self.base().to_vec();
        if let Some((_, constants)) = groups.iter().find(|(columns, _)| columns.is_empty()) {
            constants.iter().for_each(|&tree| add_leaf(&self.trees()[tree], 0, outputs, share, &mut base));
        }
        groups.retain(|(columns, _)| !columns.is_empty());
        let rows = self.rows_of(features)?;
        let width = groups.len() + 1;
        let blocks = parallel::blocks(features.rows(), BLOCK, |block| {
            let mut values = Vec::with_capacity(block.len() * outputs * width);
            let mut of = vec![0.0; outputs];
            for row in block {
                let row = rows.row(row);
                let row = row.to_vec();
                let from = values.len();
                values.resize(from + outputs * width, 0.0);
                let cells = &mut values[from..];
                for (term, (_, trees)) in groups.iter().enumerate() {
                    of.fill(0.0);
                    for &tree in trees {
                        let tree = &self.trees()[tree];
                        add_leaf(tree, tree.find(&row), outputs, share, &mut of);
                    }
                    of.iter().enumerate().for_each(|(output, value)| cells[output * width + term] = *value);
                }
                base.iter().enumerate().for_each(|(output, base)| cells[output * width + width - 1] = *base);
            }
            values
        });
        // There are rows × outputs × terms values by construction.
        let values = Array3::from_shape_vec((features.rows(), outputs, width), blocks.concat()).unwrap_or_default();
        let names = groups.iter().map(|(columns, _)| self.term_name(columns)).collect();
        let fields = features.schema().fields();
        let shade = |columns: &[usize]| match columns {
            [column] if fields[*column].kind != Kind::Category => Some(*column),
            _ => None,
        };
        let shades = groups.iter().map(|(columns, _)| shade(columns)).collect();
        Ok(Contributions::of_terms(features.clone(), names, shades, base, values))
    }

    fn term_name(&self, columns: &[usize]) -> String {
        columns.iter().map(|&column| self.features()[column].as_str()).collect::<Vec<_>>().join(" × ")
    }

    /// The trees that ask the same columns.
    fn groups(&self) -> Result<BTreeMap<Vec<usize>, Vec<usize>>> {
        let what = "the terms of the model";
        self.require_constants(what)?;
        if let Some(offset) = self.offset_feature() {
            let why = format!("it adds the offset `{offset}`, which is no table");
            return Err(NumericError::Undefined { what: what.into(), why }.into());
        }
        let mut groups: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
        for (number, tree) in self.trees().iter().enumerate() {
            let columns: BTreeSet<usize> = splits(tree, self.outputs()).map(|(feature, _, _)| feature).collect();
            if columns.len() > 2 {
                return Err(NumericError::Undefined {
                    what: what.into(),
                    why: format!("tree {number} asks {} columns together, and a term has at most 2", columns.len()),
                }
                .into());
            }
            groups.entry(columns.into_iter().collect()).or_default().push(number);
        }
        Ok(groups)
    }

    /// The cells of a column that some trees part.
    fn axis(&self, column: usize, trees: &[usize]) -> Result<Reader> {
        let asked = || {
            let of = |&tree: &usize| splits(&self.trees()[tree], self.outputs());
            trees.iter().flat_map(of).filter(|(feature, _, _)| *feature == column)
        };
        let mut cuts: Vec<f64> = Vec::new();
        let mut levels = 0;
        for (_, rule, _) in asked() {
            match rule {
                Rule::AtMost(cut) => cuts.push(cut),
                Rule::Among(set) => levels = levels.max(set.levels()),
            }
        }
        let name = self.features()[column].clone();
        if levels > 0 && !cuts.is_empty() {
            return Err(NumericError::Undefined {
                what: format!("the term of `{name}`"),
                why: "one tree asks it as a number and another as a category".into(),
            }
            .into());
        }
        if levels == 0 {
            cuts.retain(|cut| cut.is_finite() || *cut == f64::NEG_INFINITY);
            cuts.sort_by(f64::total_cmp);
            cuts.dedup();
            // Each cut itself stands for the cell below it.
            let inside = cuts.iter().copied().chain([f64::INFINITY, f64::NAN]).collect();
            let axis = ShapeAxis { column: name, parts: ShapeParts::Cuts(cuts), names: None };
            return Ok(Reader { column, axis, inside });
        }
        let mut sets: Vec<(Vec<bool>, Vec<usize>)> = Vec::new();
        let missing: Vec<bool> = asked().map(|(_, _, missing_left)| missing_left).collect();
        for level in 0..levels {
            let way: Vec<bool> = asked()
                .map(|(_, rule, missing_left)| match rule {
                    Rule::Among(set) if level < set.levels() => set.contains(level),
                    _ => missing_left,
                })
                .collect();
            match sets.iter_mut().find(|(known, _)| *known == way) {
                Some((_, set)) => set.push(level),
                // Levels that no split tells from a missing value are in its cell.
                None if way == missing => {}
                None => sets.push((way, vec![level])),
            }
        }
        let sets: Vec<Vec<usize>> = sets.into_iter().map(|(_, set)| set).collect();
        let inside = sets.iter().map(|set| set[0] as f64).chain([f64::NAN]).collect();
        let axis = ShapeAxis { column: name, parts: ShapeParts::Levels(sets), names: None };
        Ok(Reader { column, axis, inside })
    }

    /// The table of some trees over these columns.
    fn read(&self, axes: &[Reader], trees: &[usize], share: f64) -> ShapeFunction {
        let outputs = self.outputs();
        let mut row = vec![f64::NAN; self.features().len()];
        let cells: usize = axes.iter().map(|axis| axis.inside.len()).product();
        let mut values = vec![0.0; cells * outputs];
        let mut leaves = vec![Vec::with_capacity(cells); trees.len()];
        for (cell, values) in values.chunks_mut(outputs).enumerate() {
            let mut rest = cell;
            for axis in axes.iter().rev() {
                row[axis.column] = axis.inside[rest % axis.inside.len()];
                rest /= axis.inside.len();
            }
            for (&tree, leaves) in trees.iter().zip(&mut leaves) {
                let tree = &self.trees()[tree];
                let leaf = tree.find(&row);
                leaves.push(leaf);
                add_leaf(tree, leaf, outputs, share, values);
            }
        }
        // One tree with a leaf for each cell knows what came there.
        let known = match (trees, leaves.first()) {
            (&[tree], Some(leaves)) => {
                let different: BTreeSet<&usize> = leaves.iter().collect();
                (different.len() == cells).then_some((tree, leaves))
            }
            _ => None,
        };
        let weights =
            known.and_then(|(tree, leaves)| leaves.iter().map(|&leaf| self.trees()[tree].cover(leaf)).collect());
        let deviations = known.and_then(|(tree, leaves)| {
            let of_leaves = self.deviations_of(tree)?;
            let tree = &self.trees()[tree];
            let is_leaf = |at: usize| matches!(tree.node(at, outputs), Some(Node::Leaf(_)));
            let place = |leaf: usize| (0..leaf).filter(|&at| is_leaf(at)).count() * outputs;
            let of = |&leaf: &usize| of_leaves.get(place(leaf)..place(leaf) + outputs);
            leaves.iter().map(of).collect::<Option<Vec<_>>>().map(|parts| parts.concat())
        });
        let axes = axes.iter().map(|axis| axis.axis.clone()).collect();
        ShapeFunction { axes, outputs, values, weights, deviations }
    }
}

/// A column, and a value inside each of its cells.
struct Reader {
    column: usize,
    axis: ShapeAxis,
    inside: Vec<f64>,
}

/// The splits of a tree: feature, rule, and whether a missing value goes left.
fn splits(tree: &Tree, outputs: usize) -> impl Iterator<Item = (usize, Rule<'_>, bool)> {
    (0..tree.len()).filter_map(move |at| match tree.node(at, outputs) {
        Some(Node::Split { feature, rule, missing_left, .. }) => Some((feature, rule, missing_left)),
        _ => None,
    })
}

/// Adds what a leaf says to a value for each output.
fn add_leaf(tree: &Tree, leaf: usize, outputs: usize, share: f64, values: &mut [f64]) {
    let from = tree.output().unwrap_or(0);
    let leaf = tree.leaf_values(leaf, outputs);
    values[from..].iter_mut().zip(leaf).for_each(|(value, leaf)| *value += share * leaf);
}
