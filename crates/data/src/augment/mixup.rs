//! Rows between any two rows, with a truth between theirs.
//!
//! A truth that is yes or no has nothing in between. A mixture of a yes and a no enters as two rows instead, one for each
//! truth, weighted by their parts: every loss that is a weighted sum over rows has the value it would have at the mixed truth,
//! where that is defined at all (log loss is).

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::stage::Sampler;
use stagewise_core::table::Table;
use stagewise_core::target::{NumberTarget, TargetValues};
use stagewise_core::task::{Binary, Multiclass, Regression, Task};
use stagewise_numeric::random::Stream;

use crate::balance::{between, between_times};

/// Adds mixtures `λ · x + (1 − λ) · x'` of two rows drawn at random, `λ` from a Beta(α, α) distribution, the larger part
/// that of the row that is called the parent.
///
/// Of a regression, the truth is mixed like a number. Of a task with classes, a mixture of two classes enters twice, with
/// weight `λ` in one and `1 − λ` in the other. Weights are mixed likewise; without weights each row had weight 1. A level,
/// flag or text is the parent's with probability `λ`, column by column, else the mate's. Numbers and times lie between the
/// two, whole where all of their column are. A value is missing where the parent's is; where only the mate's is missing, it
/// is the parent's. Groups and ids are the parent's. Mixtures come behind the rows. `O(rows · columns)`.
///
/// Zhang, Cisse, Dauphin & Lopez-Paz (2018).
///
/// ```
/// use stagewise_core::context::FitContext;
/// use stagewise_core::stage::Sampler;
/// use stagewise_data::augment::Mixup;
///
/// let data = stagewise_testkit::data::binary(60, 1);
/// let grown = Mixup::new().resample(data, &FitContext::new(7))?;
/// let total: f64 = grown.weights().unwrap_or_default().iter().sum();
/// assert!((total - 120.0).abs() < 1e-9);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mixup {
    alpha: f64,
    share: f64,
}

impl Default for Mixup {
    fn default() -> Self {
        Self { alpha: 0.4, share: 1.0 }
    }
}

impl Mixup {
    /// As many mixtures as rows, α = 0.4.
    pub fn new() -> Self {
        Self::default()
    }

    /// How evenly rows are mixed: near 0 one row hardly counts, at 1 all parts are equally likely. 0.05 to 2. Default: 0.4.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// How many mixtures for each row: above 0, at most 100. Default: 1.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }
}

impl Persist for Mixup {
    const TAG: &'static str = "Mixup";
}

/// Two rows and how much of the first is in their mixture.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    parent: usize,
    mate: usize,
    part: f64,
}

/// A row that a mixture becomes, and how much of the weights of both rows it has.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pair: usize,
    parent: f64,
    mate: f64,
}

/// A task whose truth can be mixed, or weighted in parts.
pub trait Mixable: Task {
    /// The truth of the rows and behind it that of the mixtures, and what rows these become.
    #[doc(hidden)]
    fn mixed(target: &Self::Target, pairs: &[Pair]) -> (Self::Target, Vec<Entry>);
}

impl Mixable for Regression {
    fn mixed(target: &NumberTarget, pairs: &[Pair]) -> (NumberTarget, Vec<Entry>) {
        let y = target.values();
        let mixed = pairs.iter().map(|pair| between(y[pair.parent], y[pair.mate], 1.0 - pair.part));
        let entries = pairs.iter().enumerate().map(|(pair, p)| Entry { pair, parent: p.part, mate: 1.0 - p.part });
        (NumberTarget::new(y.iter().copied().chain(mixed).collect::<Vec<_>>()), entries.collect())
    }
}

impl Mixable for Binary {
    fn mixed(target: &Self::Target, pairs: &[Pair]) -> (Self::Target, Vec<Entry>) {
        parted(target, pairs)
    }
}

impl Mixable for Multiclass {
    fn mixed(target: &Self::Target, pairs: &[Pair]) -> (Self::Target, Vec<Entry>) {
        parted(target, pairs)
    }
}

/// Two rows for a mixture of two classes, one for a mixture within a class.
fn parted<V: TargetValues>(target: &V, pairs: &[Pair]) -> (V, Vec<Entry>) {
    let classes = target.strata();
    let (mut source, mut entries): (Vec<usize>, Vec<Entry>) = ((0..target.len()).collect(), Vec::new());
    for (pair, &Pair { parent, mate, part }) in pairs.iter().enumerate() {
        source.push(parent);
        if classes[parent] == classes[mate] {
            entries.push(Entry { pair, parent: part, mate: 1.0 - part });
        } else {
            entries.push(Entry { pair, parent: part, mate: 0.0 });
            entries.push(Entry { pair, parent: 0.0, mate: 1.0 - part });
            source.push(mate);
        }
    }
    (target.take(&source), entries)
}

impl<T: Mixable> Sampler<T> for Mixup {
    /// # Errors
    /// [`ParameterError`] for α or a share out of range.
    fn resample(&self, train: Dataset<T>, cx: &FitContext) -> Result<Dataset<T>> {
        ParameterError::check((0.05..=2.0).contains(&self.alpha), "alpha", self.alpha, "0.05 to 2")?;
        ParameterError::check(self.share > 0.0 && self.share <= 100.0, "share", self.share, "above 0, at most 100")?;
        let rows = train.rows();
        let mut stream = cx.stream("pairs");
        let count = (self.share * rows as f64).round() as usize;
        let pairs: Vec<Pair> = (0..count)
            .map(|_| {
                let (parent, mate, part) = (stream.below(rows), stream.below(rows), beta(self.alpha, &mut stream));
                Pair { parent, mate, part: part.max(1.0 - part) }
            })
            .collect();
        let (target, entries) = T::mixed(train.target(), &pairs);
        let schema = train.features().schema();
        let columns = schema.fields().iter().zip(train.features().columns());
        let columns =
            columns.map(|(field, column)| mix(column, &pairs, &mut cx.stream(&format!("mix {}", field.name))));
        let mixtures = Table::sized(schema.clone(), columns.collect(), pairs.len())?;
        let features = train.features().stacked(&mixtures.take(&entries.iter().map(|e| e.pair).collect::<Vec<_>>()))?;
        let source: Vec<usize> = (0..rows).chain(entries.iter().map(|entry| pairs[entry.pair].parent)).collect();
        // Without weights, mixtures of a number are rows like all others.
        let needed = train.weights().is_some() || entries.len() > pairs.len();
        let weights = needed.then(|| {
            let weight = |row: usize| train.weights().map_or(1.0, |weights| weights[row]);
            let of = |e: &Entry| e.parent * weight(pairs[e.pair].parent) + e.mate * weight(pairs[e.pair].mate);
            (0..rows).map(weight).chain(entries.iter().map(of)).collect()
        });
        train.resampled(features, target, &source, weights)
    }
}

fn mix(column: &Column, pairs: &[Pair], stream: &mut Stream) -> Column {
    match column {
        Column::Number(values) => {
            let whole = values.iter().all(|x| !x.is_finite() || x.fract() == 0.0);
            let value = |pair: &Pair| {
                let x = between(values[pair.parent], values[pair.mate], 1.0 - pair.part);
                if whole { x.round() } else { x }
            };
            Column::numbers(pairs.iter().map(value).collect::<Vec<_>>())
        }
        Column::Timestamp(times) => {
            let time = |pair: &Pair| match (times[pair.parent], times[pair.mate]) {
                (parent, MISSING_TIME) | (parent @ MISSING_TIME, _) => parent,
                (parent, mate) => between_times(parent, mate, 1.0 - pair.part),
            };
            Column::timestamps(pairs.iter().map(time).collect::<Vec<_>>())
        }
        other => {
            let missing = |row: usize| other.cell(row) == stagewise_core::record::Cell::Missing;
            let chosen: Vec<usize> = pairs
                .iter()
                .map(|pair| {
                    let drawn = if stream.unit() < pair.part { pair.parent } else { pair.mate };
                    if missing(pair.parent) || missing(pair.mate) { pair.parent } else { drawn }
                })
                .collect();
            other.take(&chosen)
        }
    }
}

/// A number from Beta(α, α) by the method of Jöhnk (1964), quick for small α.
fn beta(alpha: f64, stream: &mut Stream) -> f64 {
    loop {
        let (x, y) = (stream.unit().powf(1.0 / alpha), stream.unit().powf(1.0 / alpha));
        if x + y > 0.0 && x + y <= 1.0 {
            return x / (x + y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::problem::Problem;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn it_keeps_its_promises() {
        conformance::sampler(&Mixup::new(), &data::regression(60, 1));
        conformance::sampler(&Mixup::new().alpha(1.0), &data::binary(60, 1));
        conformance::sampler(&Mixup::new().share(0.5), &data::multiclass(60, 1));
    }

    #[test]
    fn a_line_stays_a_line() {
        let x: Vec<f64> = (0..40).map(|i| f64::from(i) + 0.25).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 * x - 1.0).collect();
        let w: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
        let table =
            Table::of([("x", Column::numbers(x)), ("w", Column::numbers(w)), ("y", Column::numbers(y))]).unwrap();
        let data = Dataset::<Regression>::new(table, &Problem::new("y").weight("w")).unwrap();
        let grown = Mixup::new().share(5.0).resample(data, &FitContext::new(1)).unwrap();
        assert_eq!(grown.rows(), 240);
        let x = grown.features().columns()[0].as_numbers().unwrap();
        for (row, x) in x.iter().enumerate() {
            assert!((grown.target().values()[row] - (3.0 * x - 1.0)).abs() < 1e-9);
            assert!((grown.weights().unwrap()[row] - 2.0 * x).abs() < 1e-9, "weights are mixed alike");
        }
    }

    #[test]
    fn two_classes_share_a_mixture() {
        let data = data::binary(50, 2);
        let grown = Mixup::new().resample(data, &FitContext::new(1)).unwrap();
        let weights = grown.weights().unwrap();
        assert!(weights[..50].iter().all(|w| *w == 1.0));
        let mut row = 50;
        let mut mixtures = 0;
        while row < grown.rows() {
            let events = grown.target().events();
            if weights[row] < 1.0 - 1e-12 {
                assert!((weights[row] + weights[row + 1] - 1.0).abs() < 1e-12 && weights[row] >= 0.5);
                assert_ne!(events[row], events[row + 1]);
                let twins = grown.features().take(&[row, row + 1]);
                assert!(twins.columns().iter().all(|column| column.take(&[0]) == column.take(&[1])));
                row += 1;
            }
            (row, mixtures) = (row + 1, mixtures + 1);
        }
        assert_eq!(mixtures, 50);
    }

    #[test]
    fn parts_are_beta_distributed() {
        // Variance of Beta(α, α): 1 / (4 (2α + 1)).
        for alpha in [0.05, 0.4, 1.0, 2.0] {
            let mut stream = Stream::new(3, "beta");
            let draws: Vec<f64> = (0..20_000).map(|_| beta(alpha, &mut stream)).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
            assert!((mean - 0.5).abs() < 0.015 && (variance - 0.25 / (2.0 * alpha + 1.0)).abs() < 0.006, "{alpha}");
        }
        let data = data::regression(20, 1);
        assert!(Mixup::new().alpha(0.01).resample(data.clone(), &FitContext::new(0)).is_err());
        assert!(Mixup::new().share(0.0).resample(data, &FitContext::new(0)).is_err());
    }
}
