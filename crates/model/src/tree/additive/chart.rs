//! Terms as charts: a step curve with the density of the rows below it, bars of levels, a heat map of a pair.

use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};

use super::shape::{ShapeAxis, ShapeFunction, ShapeParts, Terms};

/// Terms that are drawn one by one.
const TERMS: usize = 20;
/// Outputs that are drawn.
const OUTPUTS: usize = 6;
/// Bars of a density.
const BARS: usize = 24;
/// Names of levels in one label.
const NAMES: usize = 3;

impl Exhibit for Terms {
    /// The base, the importance of all terms, and the most important ones, at most 20, each as its own chart.
    fn exhibit(&self) -> Section {
        let base: Vec<String> = self.base().iter().map(|&base| number(base)).collect();
        let mut section = Section::new("Terms").block(Block::Facts(vec![
            ("base".into(), base.join(", ")),
            ("terms".into(), self.items().len().to_string()),
        ]));
        if let Ok(importance) = self.importance() {
            section.blocks.extend(importance.exhibit().blocks);
        }
        let mut order: Vec<&ShapeFunction> = self.items().iter().collect();
        let size = |term: &ShapeFunction| term.importance().unwrap_or(0.0);
        order.sort_by(|a, b| size(b).total_cmp(&size(a)));
        order.iter().take(TERMS).for_each(|term| section.blocks.extend(term.exhibit().blocks));
        let rest = order.len().saturating_sub(TERMS);
        if rest == 0 { section } else { section.text(format!("{rest} less important terms are not drawn.")) }
    }
}

impl Exhibit for ShapeFunction {
    /// What the term adds to the score: of a number a step curve, of a category a bar for each cell, of a pair a heat map;
    /// of at most 6 outputs.
    fn exhibit(&self) -> Section {
        let section = Section::new(format!("What {} adds", self.name()));
        match self.axes() {
            [axis] => match axis.parts() {
                ShapeParts::Cuts(cuts) => self.curve(section, axis, cuts),
                ShapeParts::Levels(_) => self.bars(section, axis),
            },
            [first, second] => self.heat(section, first, second),
            _ => section,
        }
    }
}

impl ShapeFunction {
    fn value(&self, cell: usize, output: usize) -> f64 {
        self.values().get(cell * self.outputs() + output).copied().unwrap_or(f64::NAN)
    }

    /// How an output is called beside others.
    fn suffix(&self, output: usize) -> String {
        if self.outputs() == 1 { String::new() } else { format!(", output {output}") }
    }

    fn drawn(&self) -> std::ops::Range<usize> {
        0..self.outputs().min(OUTPUTS)
    }

    fn curve(&self, section: Section, axis: &ShapeAxis, cuts: &[f64]) -> Section {
        let edges = edges(cuts);
        // Cells between edges that can be drawn; a cut at minus infinity stands before all of them.
        let first = cuts.iter().filter(|cut| !cut.is_finite()).count();
        let steps = |of: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
            let ends = edges.windows(2).enumerate();
            ends.flat_map(|(i, pair)| [(pair[0], of(first + i)), (pair[1], of(first + i))]).collect()
        };
        let mut series = Vec::new();
        for output in self.drawn() {
            let name = format!("{}{}", axis.column(), self.suffix(output));
            series.push((name, steps(&|cell| self.value(cell, output))));
            if let (Some(deviations), 1) = (self.deviations(), self.outputs()) {
                let at = |cell: usize, sign: f64| self.value(cell, 0) + sign * deviations[cell];
                series.push(("one deviation of bags above".into(), steps(&|cell| at(cell, 1.0))));
                series.push(("one below".into(), steps(&|cell| at(cell, -1.0))));
            }
        }
        let title = format!("what {} adds to the score", axis.column());
        let x = axis.column().to_string();
        let mut section =
            section.block(Block::Chart(Chart::Lines { title, x, y: "added to the score".into(), series }));
        if let Some(weights) = self.weights() {
            let shares = density(&edges, &weights[first..weights.len() - 1]);
            let title = format!("where the training rows lie in {}", axis.column());
            let series = vec![("training rows".to_string(), shares)];
            section = section.block(Block::Chart(Chart::Histogram { title, edges: even(&edges), series }));
        }
        section.block(Block::Facts(self.missing(axis)))
    }

    /// What a missing value adds, and how many rows had one.
    fn missing(&self, axis: &ShapeAxis) -> Vec<(String, String)> {
        let cell = axis.cells() - 1;
        let values: Vec<String> = self.drawn().map(|output| number(self.value(cell, output))).collect();
        let mut facts = vec![(format!("a missing {} adds", axis.column()), values.join(", "))];
        if let Some(weights) = self.weights() {
            facts.push(("weight of training rows without it".into(), number(weights[cell])));
        }
        facts
    }

    fn bars(&self, mut section: Section, axis: &ShapeAxis) -> Section {
        let names = labels(axis);
        for output in self.drawn() {
            let items = names.iter().cloned().enumerate().map(|(cell, name)| (name, self.value(cell, output)));
            let title = format!("what {} adds to the score{}", axis.column(), self.suffix(output));
            section = section.block(Block::Chart(Chart::Bars { title, items: items.collect(), mark: None }));
        }
        if let Some(weights) = self.weights() {
            let total: f64 = weights.iter().sum();
            let items = names.into_iter().zip(weights).map(|(name, weight)| (name, weight / total)).collect();
            let title = format!("share of the training rows by {}", axis.column());
            section = section.block(Block::Chart(Chart::Bars { title, items, mark: None }));
        }
        section
    }

    fn heat(&self, mut section: Section, first: &ShapeAxis, second: &ShapeAxis) -> Section {
        let (columns, names) = (labels(second), labels(first));
        for output in self.drawn() {
            let row = |i: usize| (0..columns.len()).map(|j| self.value(i * columns.len() + j, output)).collect();
            let rows = names.iter().enumerate().map(|(i, name)| (name.clone(), row(i))).collect();
            section = section.block(Block::Chart(Chart::Heat {
                title: format!("what {} add together{}", self.name(), self.suffix(output)),
                x: second.column().into(),
                y: first.column().into(),
                columns: columns.clone(),
                rows,
            }));
        }
        section
    }
}

/// What the cells of a column are called.
fn labels(axis: &ShapeAxis) -> Vec<String> {
    let level = |&code: &usize| match axis.level_names().and_then(|names| names.get(code)) {
        Some(name) => name.clone(),
        None => format!("level {code}"),
    };
    let mut labels: Vec<String> = match axis.parts() {
        ShapeParts::Cuts(cuts) => cuts.iter().map(|&cut| format!("≤ {}", number(cut))).collect(),
        ShapeParts::Levels(sets) => sets
            .iter()
            .map(|set| {
                let names: Vec<String> = set.iter().take(NAMES).map(level).collect();
                let more = set.len().saturating_sub(NAMES);
                if more == 0 { names.join(", ") } else { format!("{}, {more} more", names.join(", ")) }
            })
            .collect(),
    };
    if let ShapeParts::Cuts(cuts) = axis.parts() {
        labels.push(cuts.last().map_or_else(|| "any".to_string(), |&cut| format!("> {}", number(cut))));
    }
    labels.push("missing".into());
    labels
}

/// The finite cuts with an end on either side, a twentieth of their span away.
fn edges(cuts: &[f64]) -> Vec<f64> {
    let mut edges: Vec<f64> = cuts.iter().copied().filter(|cut| cut.is_finite()).collect();
    let (low, high) = (edges.first().copied().unwrap_or(0.0), edges.last().copied().unwrap_or(0.0));
    let margin = (high / 20.0 - low / 20.0).max(low.abs().max(high.abs()) / 100.0).max(f64::MIN_POSITIVE);
    edges.insert(0, low - margin);
    edges.push(high + margin);
    edges
}

/// Even edges over the same span.
fn even(edges: &[f64]) -> Vec<f64> {
    let (low, high) = (edges[0], edges[edges.len() - 1]);
    (0..=BARS).map(|i| low + (high - low) * i as f64 / BARS as f64).collect()
}

/// The share of the weight in each of the even bars, as if a cell's weight lay evenly in it.
fn density(edges: &[f64], weights: &[f64]) -> Vec<f64> {
    let even = even(edges);
    let total: f64 = weights.iter().sum();
    let mut shares = vec![0.0; BARS];
    for (pair, weight) in edges.windows(2).zip(weights) {
        for (bar, share) in shares.iter_mut().enumerate() {
            let inside = (pair[1].min(even[bar + 1]) - pair[0].max(even[bar])).max(0.0) / (pair[1] - pair[0]);
            *share += if total > 0.0 && inside.is_finite() { inside * weight / total } else { 0.0 };
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::ensemble::TreeEnsemble;
    use crate::tree::structure::Tree;
    use stagewise_core::column::Column;
    use stagewise_core::table::Table;

    fn stump(root: impl Fn(&mut Tree) -> usize) -> Tree {
        let mut tree = Tree::new();
        let at = root(&mut tree);
        tree.weigh(at, 4.0, 1.0);
        for (left, value, weight) in [(true, 2.0, 1.0), (false, -1.0, 3.0)] {
            let leaf = tree.leaf(&[value]);
            tree.weigh(leaf, weight, 0.0);
            tree.link(at, left, leaf);
        }
        tree
    }

    #[test]
    fn numbers_are_curves_and_levels_are_bars_with_their_names() {
        let columns =
            [("x", Column::numbers([1.0])), ("c", Column::categories([Some("red"), Some("blue")]).take(&[0]))];
        let schema = Table::of(columns).unwrap().schema().clone();
        let trees = vec![stump(|tree| tree.split(0, 10.0, false)), stump(|tree| tree.split_levels(1, [1], 2, false))];
        let model = TreeEnsemble::sum(vec!["x".into(), "c".into()], vec![0.5], trees).unwrap();
        let terms = model.terms().unwrap().named(&schema).unwrap();
        let curve = terms.of("x").unwrap().exhibit();
        let Some(Block::Chart(Chart::Lines { series, .. })) = curve.blocks.first() else { panic!("a curve") };
        let margin = 0.1;
        assert_eq!(series[0].1, [(10.0 - margin, 2.0), (10.0, 2.0), (10.0, -1.0), (10.0 + margin, -1.0)]);
        let bars = terms.of("c").unwrap().exhibit();
        let Some(Block::Chart(Chart::Bars { items, .. })) = bars.blocks.first() else { panic!("bars") };
        // Red goes where a missing value goes: no split tells the two apart.
        assert_eq!(items[..], [("blue".to_string(), 2.0), ("missing".to_string(), -1.0)]);
        assert!(terms.exhibit().blocks.len() > 4);
    }

    #[test]
    fn a_density_spreads_each_cell_over_its_width() {
        let shares = density(&[0.0, 6.0, 24.0], &[1.0, 3.0]);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((shares[0] - 0.25 / 6.0).abs() < 1e-12 && (shares[23] - 0.75 / 18.0).abs() < 1e-12);
        assert_eq!(edges(&[f64::NEG_INFINITY, 0.0, 20.0]), [-1.0, 0.0, 20.0, 21.0]);
    }

    #[test]
    fn a_pair_is_a_heat_map() {
        let mut tree = stump(|tree| tree.split(0, 1.0, false));
        let below = tree.split(1, 2.0, false);
        tree.link(0, false, below);
        for (left, value) in [(true, 5.0), (false, 6.0)] {
            let leaf = tree.leaf(&[value]);
            tree.weigh(leaf, 1.5, 0.0);
            tree.link(below, left, leaf);
        }
        let model = TreeEnsemble::sum(vec!["x".into(), "z".into()], vec![0.0], vec![tree]).unwrap();
        let section = model.terms().unwrap().of("x × z").unwrap().exhibit();
        let Some(Block::Chart(Chart::Heat { columns, rows, .. })) = section.blocks.first() else { panic!("a map") };
        assert_eq!(columns[..], ["≤ 2", "> 2", "missing"].map(String::from));
        assert_eq!(rows[0], ("≤ 1".to_string(), vec![2.0; 3]));
        assert_eq!(rows[1], ("> 1".to_string(), vec![5.0, 6.0, 6.0]));
    }
}
