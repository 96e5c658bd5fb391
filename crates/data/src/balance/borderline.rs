//! New rows of a small class where it meets the others.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::setters;
use stagewise_core::stage::Sampler;

use super::classes::{ByClass, Classes};
use super::ratio::{Ratios, ratio_setters};
use super::space::Space;
use super::synthetic::{Births, dealt};

/// Like [`Smote`](super::Smote), but only rows in danger are parents: those with at least half and not all of their `m`
/// nearest rows in other classes (Borderline-SMOTE1).
///
/// A row whose nearest are all of other classes counts as noise, one with most nearest of its own as safe; neither has
/// children. A class without a row in danger gains none, with a warning. Everything else, missing values and distances
/// included, is as in [`Smote`](super::Smote), but that categories alone are not valued by class: which rows are in danger
/// would be decided by the truth twice. `O(n m d)` for `m` rows of a class among `n` at worst.
///
/// Checked against imbalanced-learn 0.14.2 `BorderlineSMOTE(kind="borderline-1")`: the rows in danger, exactly. Han, Wang &
/// Mao (2005).
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::BorderlineSmote;
///
/// let data = stagewise_testkit::data::binary(100, 1);
/// let events = data.target().events().iter().filter(|event| **event).count();
/// let even = BorderlineSmote::new().resample(data, &FitContext::new(7))?;
/// assert_eq!(even.rows(), 2 * events.max(100 - events));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BorderlineSmote {
    neighbours: usize,
    around: usize,
    standardise: bool,
    ratios: Ratios,
}

impl Default for BorderlineSmote {
    fn default() -> Self {
        Self { neighbours: 5, around: 10, standardise: true, ratios: Ratios::default() }
    }
}

impl BorderlineSmote {
    /// All classes to as many rows as the largest, with 5 neighbours, danger judged by 10.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// How many near rows of the class a mate is drawn from: at least 1. Default: 5.
        neighbours: usize,
        /// How many near rows of all classes say whether a row is in danger: at least 1. Default: 10.
        around: usize,
        /// Whether numbers are measured in standard deviations. Default: true.
        standardise: bool,
    }

    ratio_setters!("rows of the class for each row of the largest class");
}

impl Persist for BorderlineSmote {
    const TAG: &'static str = "BorderlineSmote";
}

impl<T: Classes> Sampler<T> for BorderlineSmote {
    /// # Errors
    /// As [`Smote`](super::Smote).
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        ParameterError::check(self.neighbours > 0, "neighbours", self.neighbours, "at least 1")?;
        ParameterError::check(self.around > 0, "around", self.around, "at least 1")?;
        let classes = ByClass::new(&train);
        let gains = self.ratios.gains(&classes)?;
        if gains.iter().all(|&gain| gain == 0) {
            return Ok(train);
        }
        let space = Space::new(Self::TAG, train.features(), self.standardise)?;
        let all: Vec<usize> = (0..train.rows()).collect();
        let mut births = Births::default();
        for (class, gain) in gains.into_iter().enumerate().filter(|(_, gain)| *gain > 0) {
            cx.check()?;
            classes.require_others(Self::TAG, class, self.neighbours, cx)?;
            let rows = &classes.rows[class];
            let apart = space.apart(rows);
            let around = cx.install(|| space.points(&all, apart).nearest_of(rows, self.around));
            let in_danger = |&i: &usize| {
                let others = around.of(i).iter().filter(|&&row| classes.of[row] != class).count();
                2 * others >= around.k() && others < around.k()
            };
            let danger: Vec<usize> = (0..rows.len()).filter(in_danger).collect();
            if danger.is_empty() {
                cx.warn(format!("no row of the class `{}` is in danger: it gains none", classes.names[class]));
                continue;
            }
            let near = cx.install(|| space.points(rows, apart).nearest_of(&danger, self.neighbours));
            let mut stream = cx.stream(&format!("breed {}", classes.names[class]));
            let children = dealt(danger.len(), gain, &mut stream);
            let family = |i: usize| near.of(i).iter().map(|&place| rows[place]).collect();
            births.breed((0..danger.len()).map(|i| (rows[danger[i]], family(i))), &children, &mut stream);
        }
        births.deliver(train)
    }
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
        conformance::sampler(&BorderlineSmote::new(), &data::binary(90, 1));
        conformance::sampler(&BorderlineSmote::new().neighbours(3).around(5), &data::multiclass(90, 2));
    }

    #[test]
    fn classes_far_apart_gain_nothing_and_say_so() {
        let x = Column::numbers(
            (0..30).map(|i| if i < 12 { f64::from(i) } else { 1e6 + f64::from(i) }).collect::<Vec<_>>(),
        );
        let y = Column::flags((0..30).map(|i| Some(i < 12)).collect::<Vec<_>>());
        let data = Dataset::<Binary>::new(Table::of([("x", x), ("y", y)]).unwrap(), &Problem::new("y")).unwrap();
        let cx = FitContext::new(0);
        assert_eq!(BorderlineSmote::new().resample(data.clone(), &cx).unwrap().rows(), 30);
        assert_eq!(cx.take_warnings()[0].what, "no row of the class `true` is in danger: it gains none");
        let error = super::super::Adasyn::new().resample(data, &cx).unwrap_err().to_string();
        assert!(error.ends_with("no row of another class is near one of them; use `Smote`"), "{error}");
    }
}
