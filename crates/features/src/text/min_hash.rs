//! Dirty categories become numbers that are alike where their spellings are.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::hash::Murmur3;
use stagewise_numeric::random::nth;

use super::documents::{KINDS, cells, columns};
use super::grams::Grams;
use crate::columns::positions;
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// Encodes the spelling of a category: each number is the smallest of one hash over all its runs of letters.
///
/// Two spellings agree in one of the numbers as often as they share runs: the share of equal numbers estimates the size of
/// the intersection over that of the union (Broder 1997). So `Berlin` and `berlni` lie near each other, no vocabulary is
/// needed, and a level never seen before has its place. Trees do well with it: a run that a spelling has bounds the number
/// from above (Cerda & Varoquaux 2020).
///
/// Output: `<column>_minhash_0` and so on, in [0, 1), in place of the column. Empty and missing are 1 everywhere: the
/// smallest of nothing. Nothing is learned. `O(characters · components)`.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::categories;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::MinHashEncoder;
///
/// let jobs = Column::categories(["police officer", "police oficer", "teacher"].map(Some));
/// let table = Table::of([("job", jobs), ("cost", Column::numbers([1.0, 2.0, 3.0]))])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = MinHashEncoder::on(categories()).components(100).fit_transform(train, &FitContext::new(0))?;
/// let equal = |a: usize, b: usize| {
///     train.features().columns().iter().filter(|c| c.as_numbers().is_ok_and(|x| x[a] == x[b])).count()
/// };
/// assert!(equal(0, 1) > 50 && equal(0, 2) < 20);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinHashEncoder {
    on: Selector,
    rule: Smallest,
}

/// A learned [`MinHashEncoder`].
pub type FittedMinHashEncoder = Rewrite<Smallest>;

/// What becomes of a spelling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Smallest {
    grams: Grams,
    components: usize,
}

impl MinHashEncoder {
    /// Takes these columns, which must be text or categories: runs of 2 to 4 letters, 30 numbers a column.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, rule: Smallest { grams: Grams::Letters { from: 2, to: 4 }, components: 30 } }
    }

    /// How a text is cut. Default: runs of 2 to 4 letters.
    #[must_use]
    pub fn grams(mut self, grams: Grams) -> Self {
        self.rule.grams = grams;
        self
    }

    /// How many numbers a column becomes: 1 to 4096, default 30.
    #[must_use]
    pub fn components(mut self, components: usize) -> Self {
        self.rule.components = components;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        self.rule.grams.check()?;
        let components = self.rule.components;
        ParameterError::check((1..=4096).contains(&components), "components", components, "1 to 4096")?;
        positions(&self.on, input, &KINDS)
    }
}

impl Persist for MinHashEncoder {
    const TAG: &'static str = "MinHashEncoder";
}

impl<T: Task> Transformer<T> for MinHashEncoder {
    type Fitted = FittedMinHashEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| self.rule.fields(field)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedMinHashEncoder> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |_| Ok(self.rule.clone()))
    }
}

impl Smallest {
    fn hash(&self, text: &str, values: &mut [f64]) {
        let mut smallest = vec![u64::MAX; self.components];
        self.grams.of(text, |piece| {
            let half = |seed| u64::from(Murmur3::new(seed).with(piece.as_bytes()).finish());
            let word = half(0) << 32 | half(1);
            for (component, least) in smallest.iter_mut().enumerate() {
                *least = (*least).min(nth(word, component as u64));
            }
        });
        // The upper 53 bits: all that a number holds.
        let unit = |word: u64| if word == u64::MAX { 1.0 } else { (word >> 11) as f64 / (1_u64 << 53) as f64 };
        values.iter_mut().zip(smallest).for_each(|(value, word)| *value = unit(word));
    }
}

impl ColumnRule for Smallest {
    const TAG: &'static str = "FittedMinHashEncoder";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let of = |component| Field::derived(format!("{}_minhash_{component}", field.name), Kind::Number, [field]);
        (0..self.components).map(of).collect()
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        columns(&column, self.components, |text, values| self.hash(text, values), out)
    }

    fn cell(&self, field: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        cells(field, cell, self.components, |text, values| self.hash(text, values), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use stagewise_core::select::{categories, texts};
    use stagewise_testkit::{conformance, data};

    use crate::test_tables;

    #[test]
    fn conforms() {
        conformance::transformer(&MinHashEncoder::on(texts()).components(5), &test_tables::notes(40));
        conformance::transformer(&MinHashEncoder::on(categories()).components(5), &data::binary(40, 1));
    }

    #[test]
    fn equal_numbers_estimate_the_share_of_common_runs() {
        let rule = Smallest { grams: Grams::Letters { from: 3, to: 3 }, components: 4000 };
        let numbers = |text: &str| {
            let mut values = vec![0.0; rule.components];
            rule.hash(text, &mut values);
            values
        };
        let runs = |text: &str| {
            let mut runs = BTreeSet::new();
            rule.grams.of(text, |run| {
                runs.insert(run.to_string());
            });
            runs
        };
        for (a, b) in [("Elmstraße", "Elmstrasse"), ("north-west", "north west"), ("north", "south")] {
            let (x, y) = (runs(a), runs(b));
            let truth = x.intersection(&y).count() as f64 / x.union(&y).count() as f64;
            let equal = numbers(a).iter().zip(numbers(b)).filter(|(p, q)| *p == q).count() as f64 / 4000.0;
            // Four standard errors at most.
            assert!((equal - truth).abs() < 0.032, "{a} {b}: {equal} {truth}");
        }
    }

    #[test]
    fn nothing_has_no_smallest() {
        let rule = Smallest { grams: Grams::Letters { from: 2, to: 4 }, components: 3 };
        let mut values = [0.0; 3];
        rule.hash(" ", &mut values);
        assert_eq!(values, [1.0; 3]);
    }
}
