//! Pairs of rows of two classes that have no nearer row than each other.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::setters;
use stagewise_core::stage::Sampler;

use super::classes::{ByClass, Classes, kept};
use super::space::Space;

/// Drops rows of Tomek links: two rows of different classes, each the nearest row of the other. Such rows are noise or lie
/// on the border.
///
/// Of a link only rows outside the smallest class go, unless [`all_classes`](Self::all_classes). Of equally near rows the
/// first counts as the nearest. Rows keep their order and weights; weights say nothing about what is near. Distances:
/// numbers in standard deviations, or as they are; differing levels, and a missing value beside one that is not, count as
/// the median of the numbers' standard deviations. Nothing is random. `O(m n d)` at worst for the `m` of `n` rows outside the
/// largest class: no link is without one.
///
/// Checked against imbalanced-learn 0.14.2 `TomekLinks`: the rows that stay, exactly. Tomek (1976).
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::TomekLinks;
///
/// let data = stagewise_testkit::data::binary_numeric(100, 1);
/// let one = TomekLinks::new().resample(data.clone(), &FitContext::new(7))?;
/// let both = TomekLinks::new().all_classes(true).resample(data, &FitContext::new(7))?;
/// assert_eq!(100 - both.rows(), 2 * (100 - one.rows()));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TomekLinks {
    all_classes: bool,
    standardise: bool,
}

impl Default for TomekLinks {
    fn default() -> Self {
        Self { all_classes: false, standardise: true }
    }
}

impl TomekLinks {
    /// Drops rows outside the smallest class.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Whether both rows of a link go, whatever their class. Default: false.
        all_classes: bool,
        /// Whether numbers are measured in standard deviations. Default: true.
        standardise: bool,
    }
}

impl Persist for TomekLinks {
    const TAG: &'static str = "TomekLinks";
}

impl<T: Classes> Sampler<T> for TomekLinks {
    /// # Errors
    /// Of class [`DataError`](stagewise_core::error::DataError): `NotFinite` for infinite numbers, `NoFeatures`, and
    /// `TooFewRows` if no row would be left; [`PipelineError::Refused`](stagewise_core::error::PipelineError) for text.
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        let classes = ByClass::new(&train);
        let points = Space::new(Self::TAG, train.features(), self.standardise)?.all_points(train.rows());
        let nearest = |rows: &[usize]| cx.install(|| points.nearest_of(rows, 1));
        let largest = classes.largest();
        let first: Vec<usize> = (0..train.rows()).filter(|&row| Some(classes.of[row]) != largest).collect();
        let found = nearest(&first);
        // Pairs of two classes, from a row to its nearest; a link if the way back is the same.
        let pairs: Vec<(usize, usize)> = first
            .iter()
            .enumerate()
            .filter_map(|(i, &row)| Some((row, *found.of(i).first()?)))
            .filter(|&(row, other)| classes.of[row] != classes.of[other])
            .collect();
        let back = nearest(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
        let cleaned = classes.cleaned(self.all_classes);
        let mut keep = vec![true; train.rows()];
        for (i, &(row, other)) in pairs.iter().enumerate() {
            if back.of(i) == [row] {
                [row, other].into_iter().filter(|&row| cleaned[classes.of[row]]).for_each(|row| keep[row] = false);
            }
        }
        kept(Self::TAG, &train, &classes, &keep, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn it_keeps_its_promises() {
        conformance::sampler(&TomekLinks::new(), &data::binary(90, 1));
        conformance::sampler(&TomekLinks::new().all_classes(true), &data::multiclass(90, 2));
    }
}
