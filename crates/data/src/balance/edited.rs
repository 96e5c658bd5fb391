//! Rows that their nearest rows contradict.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::setters;
use stagewise_core::stage::Sampler;
use stagewise_numeric::neighbours::Points;

use super::classes::{ByClass, Classes, kept};
use super::space::Space;

/// What near rows must say for a row to stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NeighbourVote {
    /// All are of its class.
    #[default]
    All,
    /// No class has more of them than its own; of equally frequent classes the first counts as the most frequent.
    Most,
}

/// Drops rows whose `k` nearest rows are not of their class: all of them, or most, as [`vote`](Self::vote) says.
///
/// Only rows outside the smallest class go, unless [`all_classes`](Self::all_classes). All rows are judged beside all
/// others; none is dropped before. Distances, ties, order, weights and missing values as in
/// [`TomekLinks`](super::TomekLinks). Nothing is random. `O(n² d)` at worst.
///
/// Checked against imbalanced-learn 0.14.2 `EditedNearestNeighbours`: the rows that stay, exactly. Wilson (1972).
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::{EditedNearestNeighbours, NeighbourVote};
///
/// let data = stagewise_testkit::data::binary_numeric(100, 1);
/// let cx = FitContext::new(7);
/// let all = EditedNearestNeighbours::new().resample(data.clone(), &cx)?;
/// let most = EditedNearestNeighbours::new().vote(NeighbourVote::Most).resample(data, &cx)?;
/// assert!(all.rows() < most.rows() && most.rows() < 100);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EditedNearestNeighbours {
    neighbours: usize,
    #[serde(alias = "agreement")]
    vote: NeighbourVote,
    all_classes: bool,
    standardise: bool,
}

impl Default for EditedNearestNeighbours {
    fn default() -> Self {
        Self { neighbours: 3, vote: NeighbourVote::All, all_classes: false, standardise: true }
    }
}

impl EditedNearestNeighbours {
    /// Drops rows outside the smallest class unless all of 3 neighbours are of their class.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// How many near rows judge: at least 1. Default: 3.
        neighbours: usize,
        /// What they must say for a row to stay. Default: [`NeighbourVote::All`].
        vote: NeighbourVote,
        /// Whether rows of the smallest class go too. Default: false.
        all_classes: bool,
        /// Whether numbers are measured in standard deviations. Default: true.
        standardise: bool,
    }
}

impl Persist for EditedNearestNeighbours {
    const TAG: &'static str = "EditedNearestNeighbours";
}

impl<T: Classes> Sampler<T> for EditedNearestNeighbours {
    /// # Errors
    /// [`ParameterError`] for 0 neighbours, and as [`TomekLinks`](super::TomekLinks).
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        ParameterError::check(self.neighbours > 0, "neighbours", self.neighbours, "at least 1")?;
        let classes = ByClass::new(&train);
        let points = Space::new(Self::TAG, train.features(), self.standardise)?.all_points(train.rows());
        let cleaned = classes.cleaned(self.all_classes);
        let keep = cx.install(|| judged(&points, &classes, &cleaned, self.neighbours, self.vote));
        kept(Self::TAG, &train, &classes, &keep, cx)
    }
}

/// Which rows stay.
pub(super) fn judged(
    points: &Points,
    classes: &ByClass,
    cleaned: &[bool],
    neighbours: usize,
    vote: NeighbourVote,
) -> Vec<bool> {
    let mut keep = vec![true; points.len()];
    let rows: Vec<usize> = (0..points.len()).filter(|&row| cleaned[classes.of[row]]).collect();
    let near = points.nearest_of(&rows, neighbours);
    for (i, &row) in rows.iter().enumerate() {
        let own = classes.of[row];
        let others = near.of(i);
        keep[row] = match vote {
            NeighbourVote::All => others.iter().all(|&other| classes.of[other] == own),
            // A row alone is contradicted by none.
            NeighbourVote::Most => others.is_empty() || classes.vote(others.iter().copied()) == Some(own),
        };
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::problem::Problem;
    use stagewise_core::table::Table;
    use stagewise_core::task::Binary;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn it_keeps_its_promises() {
        conformance::sampler(&EditedNearestNeighbours::new(), &data::binary(90, 1));
        let most = EditedNearestNeighbours::new().vote(NeighbourVote::Most).neighbours(5);
        conformance::sampler(&most.all_classes(true), &data::multiclass(90, 2));
    }

    #[test]
    fn a_class_that_goes_is_named_and_no_row_at_all_is_refused() {
        let of = |y: &[bool]| {
            let x = Column::numbers((0..y.len()).map(|i| i as f64).collect::<Vec<_>>());
            let y = Column::flags(y.iter().copied().map(Some).collect::<Vec<_>>());
            Dataset::<Binary>::new(Table::of([("x", x), ("y", y)]).unwrap(), &Problem::new("y")).unwrap()
        };
        let cx = FitContext::new(0);
        let clean = EditedNearestNeighbours::new().neighbours(2).all_classes(true);
        let left = clean.resample(of(&[true, false, false, false, false, false]), &cx).unwrap();
        assert_eq!((left.rows(), cx.take_warnings().len()), (4, 1));
        let error = clean.resample(of(&[true, false, true, false]), &cx).unwrap_err().to_string();
        assert_eq!(error, "EditedNearestNeighbours would drop every row: training needs at least 1 rows, 0 found");
    }
}
