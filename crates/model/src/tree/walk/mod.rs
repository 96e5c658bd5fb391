//! The trees of an ensemble made ready for answers: which way each is answered, and blocks of rows.
//!
//! Made once from the trees and never saved. Every way adds the same leaves in the same order as the plain walk, so which
//! one is taken changes the time and not a bit of the answer.

mod linear;
mod nodes;
mod ranks;
mod sweep;
#[cfg(test)]
mod tests;

use std::ops::Range;

use stagewise_core::matrix::Features;

use crate::tree::structure::Tree;
use linear::Lines;
use nodes::Nodes;
use sweep::{Questions, ROWS, Scratch, Sweep};

/// With fewer rows than this walks are faster than a sweep of a whole block.
const FEW: usize = 96;
/// How many splits a sweep asks in the time of one step of a walk.
const STEP: usize = 48;
/// How many it asks in the time by which the ranks of a feature take longer than its place in the rows of a walk.
const RANK: usize = 8;

/// Trees, ready for answers.
#[derive(Debug, Default)]
pub(crate) struct Frozen {
    nodes: Nodes,
    sections: Vec<Section>,
    /// Only of trees that have any; all rows then go by them.
    lines: Option<Lines>,
    outputs: usize,
    width: usize,
}

/// Trees that stand next to each other and are answered in the same way.
#[derive(Debug)]
enum Section {
    Walk(Range<usize>),
    Sweep(Range<usize>, Sweep),
}

impl Frozen {
    /// These trees, which are sound, over `width` features.
    pub(crate) fn of(trees: &[Tree], width: usize, outputs: usize) -> Self {
        let nodes = Nodes::of(trees, outputs);
        let lines = Lines::of(trees, &nodes, outputs);
        let sections = if lines.is_some() { Vec::new() } else { sections(trees, outputs, pays) };
        Self { nodes, sections, lines, outputs, width }
    }

    /// Adds the leaves of one row to its scores.
    pub(crate) fn add_row(&self, row: &[f64], scores: &mut [f64]) {
        match &self.lines {
            None => self.nodes.add_row(row, scores),
            Some(lines) => lines.add_row(&self.nodes, row, scores),
        }
    }

    /// Adds the leaves of these rows to `scores`, row by row.
    pub(crate) fn add_rows(&self, features: &Features, rows: Range<usize>, scores: &mut [f64]) {
        let mut scratch: Vec<Option<Scratch>> = self
            .sections
            .iter()
            .map(|section| match section {
                Section::Sweep(_, sweep) if rows.len() >= FEW => Some(sweep.scratch()),
                _ => None,
            })
            .collect();
        let mut matrix = Vec::new();
        if let Some(lines) = &self.lines {
            self.fill(features, rows, &mut matrix);
            let rows = matrix.chunks_exact(self.width.max(1));
            rows.zip(scores.chunks_exact_mut(self.outputs))
                .for_each(|(row, scores)| lines.add_row(&self.nodes, row, scores));
            return;
        }
        for (start, scores) in rows.clone().step_by(ROWS).zip(scores.chunks_mut(ROWS * self.outputs.max(1))) {
            let block = start..rows.end.min(start + ROWS);
            matrix.clear();
            for (section, scratch) in self.sections.iter().zip(&mut scratch) {
                match (section, scratch) {
                    (Section::Sweep(_, sweep), Some(scratch)) if block.len() >= FEW => {
                        sweep.add_rows(features, block.clone(), scratch, scores, self.outputs);
                    }
                    (Section::Sweep(trees, _) | Section::Walk(trees), _) => {
                        if matrix.is_empty() {
                            self.fill(features, block.clone(), &mut matrix);
                        }
                        self.nodes.add_rows(trees.clone(), &matrix, self.width, scores, self.outputs);
                    }
                }
            }
        }
    }

    /// Writes a block of the matrix.
    fn fill(&self, features: &Features, rows: Range<usize>, matrix: &mut Vec<f64>) {
        matrix.resize(rows.len() * self.width, 0.0);
        for j in 0..self.width {
            features.write(j, rows.clone(), matrix.iter_mut().skip(j).step_by(self.width));
        }
    }
}

/// Sweeps of as many trees as a byte can count the thresholds of, where a sweep pays, and walks of the others.
fn sections(trees: &[Tree], outputs: usize, pays: impl Fn(&Questions, &[Tree]) -> bool) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut from = 0;
    while from < trees.len() {
        let mut questions = Questions::default();
        let fit = trees[from..].iter().take_while(|tree| questions.with(tree, outputs)).count();
        let next = from + fit.max(1);
        if fit > 0 && pays(&questions, &trees[from..next]) {
            let sweep = Sweep::of(&questions, &trees[from..next], outputs);
            sections.push(Section::Sweep(from..next, sweep));
        } else if let Some(Section::Walk(range)) = sections.last_mut() {
            range.end = next;
        } else {
            sections.push(Section::Walk(from..next));
        }
        from = next;
    }
    sections
}

/// Whether a sweep of these trees is faster than walks.
fn pays(questions: &Questions, trees: &[Tree]) -> bool {
    let nodes: usize = trees.iter().map(Tree::len).sum();
    // A walk passes about as many splits as there are bits in the number of leaves, and some more.
    let steps: usize = trees.iter().map(|tree| 1 + tree.leaves().ilog2() as usize).sum();
    nodes / 2 + RANK * questions.ranked() <= STEP * steps
}

/// It follows from the trees, which are compared.
impl PartialEq for Frozen {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
