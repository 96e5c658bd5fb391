//! Weights that make group and label independent.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{DataError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Sampler;
use stagewise_core::target::TargetValues;
use stagewise_core::task::{Binary, Multiclass, Task};
use stagewise_numeric::sum::ExactSum;

use super::groups::Groups;
use super::protected;
use crate::combine::block::counting_rows;

/// Weighs training rows so that the label is independent of the protected attributes: each group then has the same shares of
/// the classes, those of all rows.
///
/// A row of group `g` and class `y` gets its weight times `P(g) P(y) / P(g, y)`, with the shares of weight in the training
/// rows. The weights of a group, those of a class and all together add up to what they did before, as long as every group has
/// rows of every class.
///
/// Protected attributes are the columns of that role, or those [named](Self::by); they may stand aside or among the features.
/// Several give the groups of their values together. It is a sampler, so rows to predict need not hold them; a learner that
/// ignores weights refuses them.
///
/// | what comes | what happens |
/// |---|---|
/// | a missing protected value | refused: say what group it is, or drop the row |
/// | a number | each distinct one is a group |
/// | a group without a row of some class | its other rows are weighed, and it stays apart, with a warning |
/// | a row of weight 0 | does not count, and keeps its weight |
///
/// `O(rows log groups)`. Kamiran & Calders (2012), "Data preprocessing techniques for classification without discrimination",
/// 5.2.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::stage::Sampler;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Binary;
/// use stagewise_features::bias::Reweighing;
///
/// let table = Table::of([
///     ("sex", Column::categories(["f", "f", "f", "m", "m"].map(Some))),
///     ("hired", Column::flags([true, false, false, true, true].map(Some))),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Binary>::new("hired").protected("sex"))?;
/// let train = Reweighing::new().resample(train, &FitContext::new(0))?;
/// // P(f) P(hired) / P(f, hired) = 3/5 · 3/5 / (1/5).
/// assert!((train.weights().unwrap()[0] - 1.8).abs() < 1e-15);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against the formula in numpy 2.4.6, with and without weights, tolerance 1e-12.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reweighing {
    by: Vec<String>,
}

impl Reweighing {
    /// By all columns with the role protected.
    pub fn new() -> Self {
        Self::default()
    }

    /// By these columns instead, whatever their role.
    #[must_use]
    pub fn by<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.by = columns.into_iter().map(Into::into).collect();
        self
    }

    fn reweighed<T: Task>(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        let rows = counting_rows(&train);
        let columns = protected::columns(Self::TAG, &self.by, &train)?;
        let (groups, of) = Groups::learn(&columns, &rows)?;
        let count = of.iter().filter(|group| group.is_none()).count();
        if count > 0 {
            return Err(DataError::MissingGroup { count }.into());
        }
        let of: Vec<usize> = of.into_iter().flatten().collect();
        // The strata of a truth with classes are their codes.
        let strata = train.target().strata();
        let classes = strata.iter().max().map_or(0, |&most| most as usize + 1);
        let before = train.weights().map_or_else(|| vec![1.0; train.rows()], <[f64]>::to_vec);
        let mut cells = vec![ExactSum::new(); groups.len() * classes];
        for (&row, &group) in rows.iter().zip(&of) {
            cells[group * classes + strata[row] as usize].add(before[row]);
        }
        let (shares, of_group, of_class) = shares(&cells, groups.len(), classes);
        for (g, group) in groups.names.iter().enumerate() {
            let lacks = (0..classes).filter(|&y| of_class[y] > 0.0 && shares[g * classes + y] == 0.0).count();
            if lacks > 0 {
                let of = of_class.iter().filter(|share| **share > 0.0).count();
                cx.warn(format!(
                    "{}: the group `{group}` has rows of {} of {of} classes; no weight makes up for the others",
                    Self::TAG,
                    of - lacks
                ));
            }
        }
        let mut weights = before;
        for (&row, &g) in rows.iter().zip(&of) {
            let y = strata[row] as usize;
            weights[row] *= of_group[g] * of_class[y] / shares[g * classes + y];
        }
        train.reweighted(weights)
    }
}

/// The share of each group and class, of each group, and of each class in all weight.
fn shares(cells: &[ExactSum], groups: usize, classes: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let merged = |of: &mut dyn Iterator<Item = usize>| {
        let mut sum = ExactSum::new();
        of.for_each(|i| sum.merge(&cells[i]));
        sum.value()
    };
    let total = merged(&mut (0..cells.len()));
    let of_group = (0..groups).map(|g| merged(&mut (g * classes..(g + 1) * classes)) / total).collect();
    let of_class = (0..classes).map(|y| merged(&mut (0..groups).map(|g| g * classes + y)) / total).collect();
    (cells.iter().map(|cell| cell.value() / total).collect(), of_group, of_class)
}

impl Persist for Reweighing {
    const TAG: &'static str = "Reweighing";
}

impl Sampler<Binary> for Reweighing {
    fn resample(&self, train: Dataset<Binary>, cx: &FitContext) -> Result<Dataset<Binary>> {
        self.reweighed(train, cx)
    }
}

impl Sampler<Multiclass> for Reweighing {
    fn resample(&self, train: Dataset<Multiclass>, cx: &FitContext) -> Result<Dataset<Multiclass>> {
        self.reweighed(train, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::column::Column;
    use stagewise_core::problem::Problem;
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data};

    use crate::bias::BiasReport;

    #[test]
    fn conforms() {
        conformance::sampler(&Reweighing::new().by(["plan"]), &data::binary(90, 1));
        conformance::sampler(&Reweighing::new().by(["plan", "constant"]), &data::multiclass(90, 2));
    }

    #[test]
    fn what_has_no_group_is_refused() {
        let error = |spec: Reweighing, data| spec.resample(data, &FitContext::new(0)).unwrap_err().to_string();
        let data = data::binary(60, 1);
        let expected = "Reweighing needs a protected attribute; give a column the role protected, or name one";
        assert_eq!(error(Reweighing::new(), data.clone()), expected);
        let without = error(Reweighing::new().by(["city"]), data.clone());
        assert!(without.ends_with("rows have no group; drop them or give each a group of its own"), "{without}");
        assert!(error(Reweighing::new().by(["plann"]), data).contains("did you mean `plan`"));
    }

    #[test]
    fn a_group_of_one_class_is_said_and_a_row_without_weight_is_not_there() {
        let cx = FitContext::new(0);
        let data = hired(&["f", "f", "m", "m", "x"], &[true, true, true, false, false]);
        let weighed = Reweighing::new().resample(data.reweighted(vec![1.0, 1.0, 1.0, 1.0, 0.0]).unwrap(), &cx).unwrap();
        let warnings: Vec<_> = cx.take_warnings().into_iter().map(|w| w.what).collect();
        let expected = "Reweighing: the group `f` has rows of 1 of 2 classes; no weight makes up for the others";
        assert_eq!(warnings, [expected]);
        // P(f) P(yes) / P(f, yes) = 1/2 · 3/4 / (1/2), and so on.
        assert_eq!(weighed.weights().unwrap(), [0.75, 0.75, 1.5, 0.5, 0.0]);
    }

    proptest! {
        #[test]
        fn the_label_becomes_independent_and_sums_stay(
            rows in prop::collection::vec((0usize..3, any::<bool>(), 0.1f64..9.0), 1..50),
        ) {
            // A row of each group and class, so that all can be weighed.
            let full = (0..6).map(|i| (i % 3, i < 3, 1.0));
            let rows: Vec<(usize, bool, f64)> = rows.into_iter().chain(full).collect();
            let names: Vec<&str> = rows.iter().map(|row| ["a", "b", "c"][row.0]).collect();
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let weights: Vec<f64> = rows.iter().map(|row| row.2).collect();
            let total: f64 = weights.iter().sum();
            let data = hired(&names, &labels).reweighted(weights).unwrap();
            let weighed = Reweighing::new().resample(data, &FitContext::new(0)).unwrap();
            prop_assert!((weighed.weights().unwrap().iter().sum::<f64>() / total - 1.0).abs() < 1e-12);
            let report = BiasReport::of_labels::<&str>(&weighed, []).unwrap();
            prop_assert!((report.disparate_impact().unwrap() - 1.0).abs() < 1e-12);
            prop_assert!(report.statistical_parity_difference() < 1e-12);
        }
    }

    fn hired(sex: &[&str], hired: &[bool]) -> Dataset<Binary> {
        let table = Table::of([
            ("sex", Column::categories(sex.iter().map(|s| Some(*s)))),
            ("hired", Column::flags(hired.iter().map(|h| Some(*h)).collect::<Vec<_>>())),
        ]);
        Dataset::new(table.unwrap(), &Problem::new("hired").protected("sex")).unwrap()
    }
}
