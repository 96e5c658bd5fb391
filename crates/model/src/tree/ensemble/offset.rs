//! The offset of a tree model: a feature whose number is added to the score as it is.
//!
//! It belongs to the model, not to a call: who answers with the model can not forget it. So it is a column like others,
//! found by name, checked at each answer, saved and explained; only no tree splits on it.

use std::ops::Range;

use ndarray::ArrayView2;
use stagewise_core::error::{Crumb, DataError, Error, PipelineError, Result, SchemaError};
use stagewise_core::matrix::Features;

use super::{Combine, TreeEnsemble};
use crate::tree::structure::Node;

impl TreeEnsemble {
    /// The number of this feature is added to the base of each row, before the trees:
    /// `answer = link(base + offset + Σ leaves)`.
    ///
    /// For what is known to multiply the mean, as exposure does where counts are modelled: with the link
    /// [`Log`](crate::Link::Log), the logarithm of the exposure. A missing or infinite offset is refused at each answer.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`]; [`PipelineError::BrokenPromise`] for a model that does not add up its leaves, has
    /// several outputs, or splits on the feature.
    ///
    /// ```
    /// use stagewise_core::{stage::Predict, task::Regression};
    /// use stagewise_model::{Link, TreeEnsemble};
    ///
    /// let names = vec!["x".into(), "log_exposure".into()];
    /// let model = TreeEnsemble::sum(names, vec![0.5f64.ln()], vec![])?.link(Link::Log).offset("log_exposure")?;
    /// let answer = Predict::<Regression>::predict_row(&model, &[0.0, 4f64.ln()])?;
    /// assert!((answer - 2.0).abs() < 1e-14);
    /// assert!(Predict::<Regression>::predict_row(&model, &[0.0, f64::NAN]).is_err());
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    pub fn offset(mut self, column: &str) -> Result<Self> {
        let place = self.features.names().iter().position(|name| name == column);
        let missing = || SchemaError::MissingColumn { name: column.into(), nearest: self.features.names().to_vec() };
        self.offset = Some(place.ok_or_else(missing)?);
        self.offset_fits()?;
        Ok(self)
    }

    /// The feature that is added to the score, if there is one.
    pub fn offset_feature(&self) -> Option<&str> {
        self.features.names().get(self.offset?).map(String::as_str)
    }

    /// The place of that feature.
    pub(crate) fn offset_place(&self) -> Option<usize> {
        self.offset
    }

    pub(super) fn offset_fits(&self) -> Result<()> {
        let Some(place) = self.offset else { return Ok(()) };
        let splits = |at: usize, tree: &crate::tree::structure::Tree| matches!(tree.node(at, self.outputs), Some(Node::Split { feature, .. }) if feature == place);
        let split = self.trees.iter().any(|tree| (0..tree.len()).any(|at| splits(at, tree)));
        let found = match () {
            () if place >= self.features.width() => "a place past the features",
            () if self.combine != Combine::Sum => "a mean of trees",
            () if self.outputs != 1 => "several outputs",
            () if split => "a tree that splits on it",
            () => return Ok(()),
        };
        let declared = "an offset of a sum of trees with one output, which do not split on it".to_string();
        Err(PipelineError::BrokenPromise { declared, found: found.into() }.into())
    }

    /// Refuses rows without an offset.
    pub(super) fn offset_of(&self, features: &Features) -> Result<()> {
        let Some(place) = self.offset else { return Ok(()) };
        match features.table().columns().get(place) {
            Some(column) => column.require_finite().map(|_| ()).map_err(|error| self.at_offset(error)),
            // The columns were compared before.
            None => Ok(()),
        }
    }

    pub(super) fn offset_of_row(&self, row: &[f64]) -> Result<()> {
        let error = match self.offset.and_then(|place| row.get(place)) {
            Some(offset) if offset.is_nan() => DataError::MissingValues { count: 1 },
            Some(offset) if offset.is_infinite() => DataError::NotFinite { count: 1, first: 0 },
            _ => return Ok(()),
        };
        Err(self.at_offset(error.into()))
    }

    fn at_offset(&self, error: Error) -> Error {
        error.at(Crumb::column(self.offset_feature().unwrap_or_default()))
    }

    /// Adds the offsets of rows to scores that hold the base.
    pub(super) fn add_offsets(&self, features: &Features, rows: Range<usize>, scores: &mut [f64]) {
        let Some(place) = self.offset else { return };
        let mut offsets = vec![0.0; scores.len()];
        features.write(place, rows, &mut offsets);
        scores.iter_mut().zip(offsets).for_each(|(score, offset)| *score += offset);
    }

    pub(super) fn add_offset(&self, row: &[f64], scores: &mut [f64]) {
        if let Some(offset) = self.offset.and_then(|place| row.get(place)) {
            scores.iter_mut().for_each(|score| *score += offset);
        }
    }

    /// Adds to explanations, `stride` numbers of each row, what the offset adds to the score beyond `usual`; its place
    /// among them is `place` of a feature's.
    pub(crate) fn explain_offset(
        &self,
        rows: ArrayView2<'_, f64>,
        range: Range<usize>,
        usual: f64,
        stride: usize,
        place: impl Fn(usize) -> usize,
        out: &mut [f64],
    ) {
        let Some(feature) = self.offset else { return };
        for (row, out) in range.zip(out.chunks_exact_mut(stride.max(1))) {
            out[place(feature)] += rows[[row, feature]] - usual;
        }
    }
}

#[cfg(test)]
mod tests {
    use stagewise_core::column::Column;
    use stagewise_core::persist::Saved;
    use stagewise_core::stage::Predict;
    use stagewise_core::table::Table;
    use stagewise_core::task::{Multiclass, Regression};
    use stagewise_numeric::random::Stream;

    use super::*;
    use crate::link::Link;
    use crate::tree::boost::learner::Monotone;
    use crate::tree::structure::Tree;

    /// Trees of a few leaves over `a` and `b`, and the offset `o` between them.
    fn model(trees: usize) -> TreeEnsemble {
        let mut stream = Stream::new(11, "offset");
        let grow = |_| {
            let mut tree = Tree::new();
            let root = tree.split(0, stream.normal(), true);
            let low = tree.split(2, stream.normal(), false);
            tree.link(root, true, low);
            tree.weigh(root, 10.0, 1.0);
            tree.weigh(low, 6.0, 1.0);
            for (parent, left, cover) in [(low, true, 4.0), (low, false, 2.0), (root, false, 4.0)] {
                let leaf = tree.leaf(&[stream.normal()]);
                tree.weigh(leaf, cover, 0.0);
                tree.link(parent, left, leaf);
            }
            tree
        };
        let trees = (0..trees).map(grow).collect();
        let names = ["a", "o", "b"].map(String::from).to_vec();
        TreeEnsemble::sum(names, vec![0.3], trees).unwrap().link(Link::Log).missing(true).offset("o").unwrap()
    }

    fn rows(count: usize) -> Vec<[f64; 3]> {
        let mut stream = Stream::new(12, "rows");
        let mut number = |often: usize| if stream.below(often) == 0 { f64::NAN } else { stream.normal() };
        (0..count).map(|_| [number(4), number(usize::MAX), number(4)]).collect()
    }

    fn features(rows: &[[f64; 3]]) -> Features {
        let column = |j: usize| Column::numbers(rows.iter().map(|row| row[j]).collect::<Vec<_>>());
        Features::new(Table::of([("a", column(0)), ("o", column(1)), ("b", column(2))]).unwrap()).unwrap()
    }

    #[test]
    fn it_is_added_to_the_base_on_every_way() {
        // Few trees are walked, many rows are swept.
        for (trees, count) in [(0, 3), (3, 2), (40, 600)] {
            let (model, rows) = (model(trees), rows(count));
            let answers = Predict::<Regression>::predict(&model, &features(&rows)).unwrap();
            let scores = model.scores(&features(&rows)).unwrap();
            for (at, row) in rows.iter().enumerate() {
                let mut score = model.base()[0] + row[1];
                for tree in model.trees() {
                    let mut at = 0;
                    while let Some(Node::Split { left, right, .. }) = tree.node(at, 1) {
                        at = if tree.goes_left(at, row) { left } else { right };
                    }
                    score += tree.leaf_values(at, 1)[0];
                }
                assert_eq!(scores[[at, 0]].to_bits(), score.to_bits());
                let alone = Predict::<Regression>::predict_row(&model, row).unwrap();
                assert_eq!(
                    (alone.to_bits(), answers[at].to_bits()),
                    (Link::Log.answer(score).to_bits(), alone.to_bits())
                );
            }
        }
    }

    #[test]
    fn a_row_without_it_is_refused() {
        let model = model(3);
        let text = |row: [f64; 3]| Predict::<Regression>::predict_row(&model, &row).unwrap_err().to_string();
        assert_eq!(text([0.0, f64::NAN, 0.0]), "column `o`: holds 1 missing values; add an imputer before it");
        assert!(text([0.0, f64::INFINITY, 0.0]).starts_with("column `o`: holds 1 values that are not finite"));
        let missing = features(&[[0.0; 3], [0.0, f64::NAN, 0.0]]);
        assert!(Predict::<Regression>::predict(&model, &missing).unwrap_err().to_string().starts_with("column `o`"));
        assert!(model.contributions(&missing).is_err() && model.scores(&missing).is_err());
        assert!(model.contribution_row(&[0.0, f64::NAN, 0.0]).is_err());
    }

    #[test]
    fn it_is_saved_and_models_without_it_have_the_bytes_they_had() {
        let model = model(2);
        let saved = Saved::of(&model).unwrap();
        assert!(saved.load::<TreeEnsemble>().unwrap() == model);
        assert_eq!(model.offset_feature(), Some("o"));
        let plain = TreeEnsemble::sum(vec!["a".into()], vec![0.0], vec![]).unwrap();
        assert!(!String::from_utf8_lossy(&Saved::of(&plain).unwrap().bytes).contains("offset"));
    }

    #[test]
    fn explanations_add_up_with_it() {
        let (model, background) = (model(5), features(&rows(7)));
        let given = features(&rows(20));
        let scores = model.scores(&given).unwrap();
        let path = model.contributions(&given).unwrap();
        let against = model.contributions_against(&given, &background).unwrap();
        let pairs = model.interactions(&given).unwrap();
        let usual = (0..7).map(|row| background.matrix()[[row, 1]]).sum::<f64>() / 7.0;
        for row in 0..20 {
            let offset = given.matrix()[[row, 1]];
            for (found, own) in [(&path, offset), (&against, offset - usual)] {
                let values = found.values();
                let sum: f64 = (0..4).map(|j| values[[row, 0, j]]).sum();
                assert!((sum - scores[[row, 0]]).abs() < 1e-12, "{sum}");
                assert!((values[[row, 0, 1]] - own).abs() < 1e-12);
            }
            for i in 0..3 {
                let sum: f64 = (0..3).map(|j| pairs.values()[[row, 0, i, j]]).sum();
                assert!((sum - path.values()[[row, 0, i]]).abs() < 1e-12);
            }
            let alone = model.contribution_row(given.matrix().row(row).as_slice().unwrap()).unwrap();
            assert_eq!(alone[[0, 1]].to_bits(), path.values()[[row, 0, 1]].to_bits());
        }
        let mean = (0..7).map(|row| model.scores(&background).unwrap()[[row, 0]]).sum::<f64>() / 7.0;
        assert!((against.bias()[0] - mean).abs() < 1e-12);
    }

    #[test]
    fn what_has_no_place_for_it_is_refused() {
        let names = || vec!["a".to_string(), "o".to_string()];
        let leaf = |values: &[f64]| {
            let mut tree = Tree::new();
            tree.leaf(values);
            tree
        };
        let text = |model: Result<TreeEnsemble>| model.unwrap().offset("o").unwrap_err().to_string();
        assert!(text(TreeEnsemble::mean(names(), 1, vec![leaf(&[1.0])])).contains("a mean of trees"));
        assert!(text(TreeEnsemble::sum(names(), vec![0.0; 2], vec![])).contains("several outputs"));
        assert!(model(1).offset("b").unwrap_err().to_string().contains("splits on it"));
        assert!(model(1).offset("p").unwrap_err().to_string().contains('p'));
        assert!(model(1).prove_monotone("o", Monotone::Rising).is_ok());
        assert!(model(1).prove_monotone("o", Monotone::Falling).is_err());
        assert!(Predict::<Multiclass>::predict_row(&model(1), &[0.0; 3]).is_err());
    }
}
