//! New rows of a small class, more of them where other classes are near.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{NumericError, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::setters;
use stagewise_core::stage::Sampler;

use super::classes::{ByClass, Classes};
use super::ratio::{Ratios, ratio_setters};
use super::space::Space;
use super::synthetic::Births;

/// Like [`Smote`](super::Smote), but a row has the more children the more of its `k` nearest rows are of other classes:
/// `round(r_i / Σ r · gain)` of them, with `r_i` that share and halves rounded to the even number.
///
/// Rounding makes the class larger or smaller than asked by at most half a row for each that it had; if it leaves no new row
/// at all, a warning says so. A class whose rows have no near row of another
/// class has no such shares and is refused. Everything else, missing values and distances included, is as in
/// [`Smote`](super::Smote), but that categories alone are not valued by class. `O(n m d)` for `m` rows of a class among `n`
/// at worst.
///
/// Checked against imbalanced-learn 0.14.2 `ADASYN`: rows of each class exactly. He, Bai, Garcia & Li (2008).
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::Adasyn;
///
/// let data = stagewise_testkit::data::binary(200, 1);
/// let is_event = |row: &usize| data.target().events()[*row];
/// let rare = data.take(&(0..200).filter(|row| !is_event(row) || row % 4 == 0).collect::<Vec<_>>());
/// let events = (0..200).filter(|row| is_event(row) && row % 4 == 0).count();
/// let even = Adasyn::new().resample(rare.clone(), &FitContext::new(7))?;
/// assert!(even.rows().abs_diff(2 * (rare.rows() - events)) <= events / 2);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Adasyn {
    neighbours: usize,
    standardise: bool,
    ratios: Ratios,
}

impl Default for Adasyn {
    fn default() -> Self {
        Self { neighbours: 5, standardise: true, ratios: Ratios::default() }
    }
}

impl Adasyn {
    /// All classes to about as many rows as the largest, with 5 neighbours.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// How many near rows: those of all classes that say how many children a row has, and those of its class that a mate
        /// is drawn from. At least 1. Default: 5.
        neighbours: usize,
        /// Whether numbers are measured in standard deviations. Default: true.
        standardise: bool,
    }

    ratio_setters!("rows of the class for each row of the largest class");
}

impl Persist for Adasyn {
    const TAG: &'static str = "Adasyn";
}

impl<T: Classes> Sampler<T> for Adasyn {
    /// # Errors
    /// As [`Smote`](super::Smote), and [`NumericError::Undefined`] for a class with no row near another class.
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        ParameterError::check(self.neighbours > 0, "neighbours", self.neighbours, "at least 1")?;
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
            let (rows, name) = (&classes.rows[class], &classes.names[class]);
            let apart = space.apart(rows);
            let around = cx.install(|| space.points(&all, apart).nearest_of(rows, self.neighbours));
            let others = |i: usize| around.of(i).iter().filter(|&&row| classes.of[row] != class).count();
            let others: Vec<usize> = (0..rows.len()).map(others).collect();
            let total: usize = others.iter().sum();
            if total == 0 {
                let what = format!("how the rows of the class `{name}` share what Adasyn adds");
                let why = "no row of another class is near one of them; use `Smote`".to_string();
                return Err(NumericError::Undefined { what, why }.into());
            }
            let share = |&others: &usize| ((others * gain) as f64 / total as f64).round_ties_even() as usize;
            let children: Vec<usize> = others.iter().map(share).collect();
            if children.iter().all(|&children| children == 0) {
                cx.warn(format!(
                    "each row of the class `{name}` has less than half a child: it gains none; use `Smote`"
                ));
                continue;
            }
            let near = cx.install(|| space.points(rows, apart).nearest(self.neighbours));
            let mut stream = cx.stream(&format!("breed {name}"));
            let family = |i: usize| near.of(i).iter().map(|&place| rows[place]).collect();
            births.breed((0..rows.len()).map(|i| (rows[i], family(i))), &children, &mut stream);
        }
        births.deliver(train)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::RandomOverSampler;
    use stagewise_core::column::Column;
    use stagewise_core::problem::Problem;
    use stagewise_core::table::Table;
    use stagewise_core::task::Binary;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn it_keeps_its_promises() {
        conformance::sampler(&Adasyn::new(), &data::binary(90, 1));
        conformance::sampler(&Adasyn::new().neighbours(3).ratio(0.95), &data::multiclass(90, 2));
    }

    #[test]
    fn a_gain_that_rounding_takes_away_is_named() {
        let (data, cx) = (data::binary(100, 1), FitContext::new(0));
        let gain = RandomOverSampler::new().resample(data.clone(), &cx).unwrap().rows() - 100;
        let grown = Adasyn::new().resample(data, &cx).unwrap();
        let warnings = cx.take_warnings();
        assert_eq!((grown.rows() - 100, warnings.len()), (0, 1), "{gain} were asked for");
        assert!(warnings[0].what.ends_with("has less than half a child: it gains none; use `Smote`"));
    }

    #[test]
    fn rows_among_others_have_more_children() {
        // Ten events far from all others, two between these.
        let x: Vec<f64> = (0..12).map(|i| if i < 10 { -1e3 - f64::from(i) } else { f64::from(i) + 0.5 }).collect();
        let x: Vec<f64> = x.into_iter().chain((0..30).map(f64::from)).collect();
        let y = Column::flags((0..42).map(|i| Some(i < 12)).collect::<Vec<_>>());
        let id = Column::numbers((0..42).map(f64::from).collect::<Vec<_>>());
        let table = Table::of([("x", Column::numbers(x)), ("id", id), ("y", y)]).unwrap();
        let data = Dataset::<Binary>::new(table, &Problem::new("y").id("id")).unwrap();
        let grown = Adasyn::new().neighbours(3).resample(data, &FitContext::new(0)).unwrap();
        let parents = grown.aside().columns()[0].as_numbers().unwrap()[42..].to_vec();
        let of = |id: f64| parents.iter().filter(|&&parent| parent == id).count();
        assert_eq!((parents.len(), of(10.0), of(11.0)), (18, 9, 9));
    }
}
