//! First more rows, then cleaner ones: new rows may fall among another class, and cleaning takes them off again.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::setters;
use stagewise_core::stage::Sampler;

use super::classes::Classes;
use super::{EditedNearestNeighbours, Smote, TomekLinks};

/// [`Smote`], then [`TomekLinks`] of which both rows go (Batista, Prati & Monard 2004).
///
/// The same as the two samplers one after the other; the order of classes' sizes may have changed in between.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::{Smote, SmoteTomek};
///
/// let (data, cx) = (stagewise_testkit::data::binary(100, 1), FitContext::new(7));
/// let grown = Smote::new().resample(data.clone(), &cx)?;
/// assert!(SmoteTomek::new().resample(data, &cx)?.rows() <= grown.rows());
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SmoteTomek {
    smote: Smote,
    links: TomekLinks,
}

impl Default for SmoteTomek {
    fn default() -> Self {
        Self { smote: Smote::new(), links: TomekLinks::new().all_classes(true) }
    }
}

impl SmoteTomek {
    /// [`Smote`] as by default, then both rows of links go.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// How rows are added. Default: [`Smote::new`].
        smote: Smote,
        /// How rows are dropped. Default: links in all classes.
        links: TomekLinks,
    }
}

impl Persist for SmoteTomek {
    const TAG: &'static str = "SmoteTomek";
}

impl<T: Classes> Sampler<T> for SmoteTomek {
    /// # Errors
    /// As [`Smote`] and [`TomekLinks`].
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        self.links.resample(self.smote.resample(train, &cx.step("smote"))?, &cx.step("links"))
    }
}

/// [`Smote`], then [`EditedNearestNeighbours`] in all classes (Batista, Prati & Monard 2004).
///
/// The same as the two samplers one after the other.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::{Smote, SmoteEnn};
///
/// let (data, cx) = (stagewise_testkit::data::binary(100, 1), FitContext::new(7));
/// let grown = Smote::new().resample(data.clone(), &cx)?;
/// assert!(SmoteEnn::new().resample(data, &cx)?.rows() < grown.rows());
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SmoteEnn {
    smote: Smote,
    edited: EditedNearestNeighbours,
}

impl Default for SmoteEnn {
    fn default() -> Self {
        Self { smote: Smote::new(), edited: EditedNearestNeighbours::new().all_classes(true) }
    }
}

impl SmoteEnn {
    /// [`Smote`] as by default, then rows of all classes that their 3 nearest do not all agree with go.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// How rows are added. Default: [`Smote::new`].
        smote: Smote,
        /// How rows are dropped. Default: [`EditedNearestNeighbours::new`] in all classes.
        edited: EditedNearestNeighbours,
    }
}

impl Persist for SmoteEnn {
    const TAG: &'static str = "SmoteEnn";
}

impl<T: Classes> Sampler<T> for SmoteEnn {
    /// # Errors
    /// As [`Smote`] and [`EditedNearestNeighbours`].
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        self.edited.resample(self.smote.resample(train, &cx.step("smote"))?, &cx.step("edited"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn they_keep_their_promises() {
        conformance::sampler(&SmoteTomek::new(), &data::binary(90, 1));
        conformance::sampler(&SmoteEnn::new(), &data::multiclass(90, 2));
        let smote = Smote::new().ratio(0.9);
        conformance::sampler(
            &SmoteTomek::new().smote(smote.clone()).links(TomekLinks::new()),
            &data::multiclass(90, 2),
        );
        conformance::sampler(
            &SmoteEnn::new().smote(smote).edited(EditedNearestNeighbours::new()),
            &data::binary(90, 1),
        );
    }
}
