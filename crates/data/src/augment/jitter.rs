//! Copies of rows with a little noise in their numbers.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Sampler;
use stagewise_core::table::Table;
use stagewise_core::target::TargetValues;
use stagewise_core::task::Task;
use stagewise_numeric::random::Stream;

use crate::balance::spread;

/// Adds `copies` copies of each row, with each number changed to `x + scale · s · z`: `s` is the standard deviation of the
/// column, `z` standard normal.
///
/// A number never leaves the range of its column, and is rounded where all of its column are whole. Levels, flags, texts,
/// times, missing and infinite values stay as they are, and so does the truth. Weights, groups and ids are those of the row
/// copied; a ranking gets each list once more, whole. The rows come first, in their order, then copy by copy. Warns if no
/// number varies. Noise has a stream per column. `O(copies · rows · columns)`.
///
/// This is training with noise, which for small noise is a penalty on steep answers (Bishop 1995).
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::augment::Jitter;
///
/// let data = stagewise_testkit::data::regression(50, 1);
/// assert_eq!(Jitter::new().copies(3).resample(data, &FitContext::new(7))?.rows(), 200);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Jitter {
    scale: f64,
    copies: usize,
}

impl Default for Jitter {
    fn default() -> Self {
        Self { scale: 0.05, copies: 1 }
    }
}

impl Jitter {
    /// One copy of each row, with noise of a twentieth of a standard deviation.
    pub fn new() -> Self {
        Self::default()
    }

    /// The standard deviation of the noise, in standard deviations of the column: above 0, at most 1. Default: 0.05.
    #[must_use]
    pub fn scale(mut self, scale: f64) -> Self {
        self.scale = scale;
        self
    }

    /// How many copies of each row: 1 to 1000. Default: 1.
    #[must_use]
    pub fn copies(mut self, copies: usize) -> Self {
        self.copies = copies;
        self
    }
}

impl Persist for Jitter {
    const TAG: &'static str = "Jitter";
}

impl<T: Task> Sampler<T> for Jitter {
    /// # Errors
    /// [`ParameterError`] for a scale or a number of copies out of range.
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        ParameterError::check(self.scale > 0.0 && self.scale <= 1.0, "scale", self.scale, "above 0, at most 1")?;
        ParameterError::check((1..=1000).contains(&self.copies), "copies", self.copies, "1 to 1000")?;
        let rows = train.rows();
        let copied: Vec<usize> = (0..self.copies).flat_map(|_| 0..rows).collect();
        let (schema, mut columns) = train.features().take(&copied).into_parts();
        let mut varies = false;
        for (field, column) in schema.fields().iter().zip(&mut columns) {
            if let Column::Number(_) = column {
                varies |=
                    shake(column.make_numbers()?, rows, self.scale, &mut cx.stream(&format!("noise {}", field.name)));
            }
        }
        if !varies {
            cx.warn("no number varies: copies equal their rows");
        }
        let features = train.features().stacked(&Table::sized(schema, columns, copied.len())?)?;
        let source: Vec<usize> = (0..rows).chain(copied).collect();
        train.resampled(features, train.target().take(&source), &source, None)
    }
}

/// Adds noise to copies of a column of `rows` values; whether there was anything to change.
fn shake(values: &mut [f64], rows: usize, scale: f64, stream: &mut Stream) -> bool {
    let finite = values[..rows].iter().copied().filter(|x| x.is_finite());
    let (_, sd, size) = spread(finite.clone());
    let (low, high) = finite.clone().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    let whole = finite.clone().all(|x| x.fract() == 0.0);
    if sd == 0.0 {
        return false;
    }
    for x in values.iter_mut() {
        // Drawn for missing values too: the noise of a row does not depend on what others lack.
        let noise = stream.normal() * scale * sd;
        if x.is_finite() {
            let moved = ((*x / size + noise) * size).clamp(low, high);
            *x = if whole { moved.round() } else { moved };
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::problem::Problem;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn it_keeps_its_promises_for_every_task() {
        conformance::sampler(&Jitter::new(), &data::regression(60, 1));
        conformance::sampler(&Jitter::new().scale(1.0), &data::binary(60, 1));
        conformance::sampler(&Jitter::new().copies(2), &data::multiclass(60, 1));
        conformance::sampler(&Jitter::new(), &data::ranking(60, 1));
    }

    #[test]
    fn noise_has_the_size_asked_for_and_stays_in_range() {
        let data = data::regression_numeric(2000, 3);
        let grown = Jitter::new().scale(0.1).resample(data.clone(), &FitContext::new(5)).unwrap();
        for (before, after) in data.features().columns().iter().zip(grown.features().columns()) {
            let (before, after) = (before.as_numbers().unwrap(), after.as_numbers().unwrap());
            let (_, sd, size) = spread(before.iter().copied());
            let (_, noise, unit) = spread(before.iter().zip(&after[2000..]).map(|(x, y)| y - x));
            assert!((noise * unit / (sd * size) - 0.1).abs() < 0.01);
            let range = |values: &[f64]| values.iter().fold((f64::MAX, f64::MIN), |r, x| (r.0.min(*x), r.1.max(*x)));
            assert_eq!(range(before), range(after));
            assert_eq!(before, &after[..2000]);
        }
    }

    #[test]
    fn what_is_no_number_stays_and_whole_numbers_stay_whole() {
        let data = data::regression(100, 3);
        let grown = Jitter::new().resample(data.clone(), &FitContext::new(5)).unwrap();
        let copies = grown.features().take(&(100..200).collect::<Vec<_>>());
        for name in ["city", "plan", "active", "empty", "constant"] {
            assert_eq!(copies.column(name).unwrap(), data.features().column(name).unwrap());
        }
        assert!(copies.column("age").unwrap().as_numbers().unwrap().iter().all(|age| age.fract() == 0.0));
        assert_ne!(copies.column("income").unwrap(), data.features().column("income").unwrap());
    }

    #[test]
    fn nothing_to_change_is_said_and_huge_numbers_are_taken() {
        let of = |x: Vec<f64>| {
            let y = Column::numbers((0..x.len()).map(|i| i as f64).collect::<Vec<_>>());
            Dataset::<Regression>::new(Table::of([("x", Column::numbers(x)), ("y", y)]).unwrap(), &Problem::new("y"))
        };
        let cx = FitContext::new(1);
        Jitter::new().resample(of(vec![3.0; 4]).unwrap(), &cx).unwrap();
        assert_eq!(cx.take_warnings()[0].what, "no number varies: copies equal their rows");
        let grown = Jitter::new().resample(of(vec![1e300, -1e300, f64::INFINITY, f64::NAN]).unwrap(), &cx).unwrap();
        let x = grown.features().columns()[0].as_numbers().unwrap();
        assert!(x[4].is_finite() && x[5].is_finite() && x[6] == f64::INFINITY && x[7].is_nan());
        assert!(Jitter::new().scale(0.0).resample(of(vec![1.0]).unwrap(), &cx).is_err());
        assert!(Jitter::new().copies(0).resample(of(vec![1.0]).unwrap(), &cx).is_err());
    }
}
