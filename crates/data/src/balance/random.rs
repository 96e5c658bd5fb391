//! Rows of small classes more than once, or fewer rows of large ones, drawn at random.
//!
//! No distance is asked for, so every kind of column is welcome and nothing is made up. Drawing comes from one stream per
//! class: what is done to one class changes nothing in another.

use serde::{Deserialize, Serialize};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::Result;
use stagewise_core::persist::Persist;
use stagewise_core::stage::Sampler;

use super::classes::{ByClass, Classes, kept};
use super::ratio::{Ratios, ratio_setters};

/// Repeats rows of small classes, drawn with replacement, until each class has `⌊ratio · n⌋` rows, `n` being those of the
/// largest class.
///
/// All rows stay, in their order; repeated ones come behind them, class by class. Classes that have enough rows, and
/// classes without any, stay as they are. Weights, groups and ids are repeated with their rows. Columns of every kind,
/// missing values included. `O(rows)`.
///
/// Counts checked against imbalanced-learn 0.14.2 `RandomOverSampler`, exactly.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_core::target::TargetValues;
/// use stagewise_data::balance::RandomOverSampler;
///
/// let data = stagewise_testkit::data::binary(100, 1);
/// let events = data.target().events().iter().filter(|event| **event).count();
/// let even = RandomOverSampler::new().resample(data, &FitContext::new(7))?;
/// assert_eq!(even.rows(), 2 * events.max(100 - events));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomOverSampler {
    ratios: Ratios,
}

impl RandomOverSampler {
    /// All classes to as many rows as the largest.
    pub fn new() -> Self {
        Self::default()
    }

    ratio_setters!("rows of the class for each row of the largest class");
}

impl Persist for RandomOverSampler {
    const TAG: &'static str = "RandomOverSampler";
}

impl<T: Classes> Sampler<T> for RandomOverSampler {
    /// # Errors
    /// [`ParameterError`](stagewise_core::error::ParameterError) for a ratio out of range,
    /// [`DataError::UnknownLevel`](stagewise_core::error::DataError) for a class that is not there.
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        let classes = ByClass::new(&train);
        let mut rows: Vec<usize> = (0..train.rows()).collect();
        for (class, gain) in self.ratios.gains(&classes)?.into_iter().enumerate().filter(|(_, gain)| *gain > 0) {
            let mut stream = cx.stream(&format!("repeat {}", classes.names[class]));
            let own = &classes.rows[class];
            rows.extend((0..gain).map(|_| own[stream.below(own.len())]));
        }
        Ok(if rows.len() == train.rows() { train } else { train.take(&rows) })
    }
}

/// Drops rows of large classes, drawn without replacement, until each class has at most `⌊n / ratio⌋` rows, `n` being those
/// of the smallest class that has any.
///
/// Rows keep their order. Weights, groups and ids stay with their rows. Columns of every kind, missing values included.
/// `O(rows)`.
///
/// Counts checked against imbalanced-learn 0.14.2 `RandomUnderSampler`, exactly.
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::balance::RandomUnderSampler;
///
/// let data = stagewise_testkit::data::binary(100, 1);
/// let events = data.target().events().iter().filter(|event| **event).count();
/// let even = RandomUnderSampler::new().resample(data, &FitContext::new(7))?;
/// assert_eq!(even.rows(), 2 * events.min(100 - events));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomUnderSampler {
    ratios: Ratios,
}

impl RandomUnderSampler {
    /// All classes to as few rows as the smallest.
    pub fn new() -> Self {
        Self::default()
    }

    ratio_setters!("rows of the smallest class for each row of the class");
}

impl Persist for RandomUnderSampler {
    const TAG: &'static str = "RandomUnderSampler";
}

impl<T: Classes> Sampler<T> for RandomUnderSampler {
    /// # Errors
    /// As [`RandomOverSampler`].
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        let classes = ByClass::new(&train);
        let mut keep = vec![false; train.rows()];
        for (class, quota) in self.ratios.quotas(&classes)?.into_iter().enumerate() {
            let own = &classes.rows[class];
            let mut stream = cx.stream(&format!("keep {}", classes.names[class]));
            stream.choose(own.len(), quota).into_iter().for_each(|i| keep[own[i]] = true);
        }
        kept(Self::TAG, &train, &classes, &keep, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;
    use stagewise_core::problem::Problem;
    use stagewise_core::table::Table;
    use stagewise_core::task::{Binary, Multiclass};
    use stagewise_testkit::{conformance, data};

    fn counts<T: Classes>(data: &Dataset<T>) -> Vec<usize> {
        ByClass::new(data).rows.iter().map(Vec::len).collect()
    }

    #[test]
    fn random_samplers_keep_their_promises() {
        for sampler in [RandomOverSampler::new(), RandomOverSampler::new().ratio(0.7)] {
            conformance::sampler(&sampler, &data::binary(90, 1));
            conformance::sampler(&sampler, &data::multiclass(90, 2));
        }
        for sampler in [RandomUnderSampler::new(), RandomUnderSampler::new().ratio_of("low", 0.9)] {
            conformance::sampler(&sampler, &data::multiclass(90, 2));
        }
        conformance::sampler(&RandomUnderSampler::new(), &data::binary(90, 1));
    }

    #[test]
    fn counts_are_as_asked_and_rows_are_those_that_were() {
        let y = Column::categories((0..50).map(|i| {
            Some(if i < 8 {
                "a"
            } else if i < 20 {
                "b"
            } else {
                "c"
            })
        }));
        let x = Column::numbers((0..50).map(f64::from).collect::<Vec<_>>());
        let table = Table::of([("x", x.clone()), ("w", x), ("y", y)]).unwrap();
        let data = Dataset::<Multiclass>::new(table, &Problem::new("y").weight("w")).unwrap();
        let cx = FitContext::new(3);
        let over = RandomOverSampler::new().ratio(0.5).resample(data.clone(), &cx).unwrap();
        assert_eq!(counts(&over), [15, 15, 30]);
        let under = RandomUnderSampler::new().ratio_of("c", 0.5).resample(data, &cx).unwrap();
        assert_eq!(counts(&under), [8, 12, 16]);
        for resampled in [over, under] {
            let x = resampled.features().columns()[0].as_numbers().unwrap();
            assert_eq!(Some(x), resampled.weights(), "a weight follows its row");
            for (&x, class) in x.iter().zip(ByClass::new(&resampled).of) {
                assert_eq!(
                    class,
                    if x < 8.0 {
                        0
                    } else if x < 20.0 {
                        1
                    } else {
                        2
                    }
                );
            }
        }
    }

    #[test]
    fn one_class_alone_stays() {
        let data = data::binary_numeric(40, 1);
        let event: Vec<usize> = ByClass::new(&data).rows[1].clone();
        let only: Dataset<Binary> = data.take(&event);
        let over = RandomOverSampler::new().resample(only.clone(), &FitContext::new(0)).unwrap();
        assert_eq!(over.rows(), only.rows());
        assert!(RandomOverSampler::new().ratio_of("maybe", 0.5).resample(only, &FitContext::new(0)).is_err());
    }
}
