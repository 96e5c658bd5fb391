//! Text becomes counts of its terms in a fixed number of buckets, without a vocabulary.

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

use super::documents::{KINDS, cells, columns};
use super::grams::Grams;
use crate::columns::positions;
use crate::rewrite::{ColumnRule, Rewrite, plan};

/// Counts the terms of a text in buckets: a term's hash says in which, and whether it counts 1 or −1 there, so that terms
/// that share a bucket cancel out in the mean.
///
/// Nothing is learned, so new words cost nothing, and no bucket says which words are in it. The numbers of a text are
/// divided by the root of their sum of squares unless [`unit_length`](Self::unit_length) says otherwise.
///
/// Output: `<column>_hash_0` and so on in place of the column. Empty and missing text are zeros. `O(characters)`.
/// The hash is MurmurHash3 of 32 bits: its sign is the sign, its absolute value less multiples of the number of buckets the
/// bucket.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::texts;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::HashingVectorizer;
///
/// let table = Table::of([("note", Column::texts([Some("late late")])), ("cost", Column::numbers([1.0]))])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let hashing = HashingVectorizer::on(texts()).buckets(4).unit_length(false);
/// let (_, train) = hashing.fit_transform(train, &FitContext::new(0))?;
/// let counts: Vec<f64> = train.features().columns().iter().map(|c| c.as_numbers().unwrap()[0].abs()).collect();
/// assert_eq!((counts.len(), counts.iter().sum::<f64>()), (4, 2.0));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Weinberger et al. (2009), "Feature hashing for large scale multitask learning". Checked against scikit-learn 1.9.1
/// `HashingVectorizer`, tolerance 1e-12.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HashingVectorizer {
    on: Selector,
    rule: Buckets,
}

/// A learned [`HashingVectorizer`].
pub type FittedHashingVectorizer = Rewrite<Buckets>;

/// What becomes of a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Buckets {
    grams: Grams,
    buckets: usize,
    unit_length: bool,
}

impl HashingVectorizer {
    /// Takes these columns, which must be text or categories: single words, 64 buckets a column.
    pub fn on(columns: Selector) -> Self {
        let rule = Buckets { grams: Grams::Words { from: 1, to: 1 }, buckets: 64, unit_length: true };
        Self { on: columns, rule }
    }

    /// How a text is cut. Default: words, one by one.
    #[must_use]
    pub fn grams(mut self, grams: Grams) -> Self {
        self.rule.grams = grams;
        self
    }

    /// How many buckets a column gets: 1 to 65,536, default 64.
    #[must_use]
    pub fn buckets(mut self, buckets: usize) -> Self {
        self.rule.buckets = buckets;
        self
    }

    /// Whether the numbers of a text are divided by their length. Default `true`.
    #[must_use]
    pub fn unit_length(mut self, unit_length: bool) -> Self {
        self.rule.unit_length = unit_length;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        self.rule.grams.check()?;
        let buckets = self.rule.buckets;
        ParameterError::check((1..=65_536).contains(&buckets), "buckets", buckets, "1 to 65536")?;
        positions(&self.on, input, &KINDS)
    }
}

impl Persist for HashingVectorizer {
    const TAG: &'static str = "HashingVectorizer";
}

impl<T: Task> Transformer<T> for HashingVectorizer {
    type Fitted = FittedHashingVectorizer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, true, |field| self.rule.fields(field)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedHashingVectorizer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |_| Ok(self.rule.clone()))
    }
}

impl Buckets {
    fn count(&self, text: &str, values: &mut [f64]) {
        self.grams.of(text, |piece| {
            let word = Murmur3::new(0).with(piece.as_bytes()).finish() as i32;
            values[word.unsigned_abs() as usize % self.buckets] += if word < 0 { -1.0 } else { 1.0 };
        });
        let length = values.iter().map(|x| x * x).sum::<f64>().sqrt();
        if self.unit_length && length > 0.0 {
            values.iter_mut().for_each(|x| *x /= length);
        }
    }
}

impl ColumnRule for Buckets {
    const TAG: &'static str = "FittedHashingVectorizer";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let of = |bucket| Field::derived(format!("{}_hash_{bucket}", field.name), Kind::Number, [field]);
        (0..self.buckets).map(of).collect()
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        columns(&column, self.buckets, |text, values| self.count(text, values), out)
    }

    fn cell(&self, field: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        cells(field, cell, self.buckets, |text, values| self.count(text, values), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{all, categories, texts};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data, golden};

    use crate::test_tables;

    #[test]
    fn conforms() {
        let letters = Grams::Letters { from: 3, to: 4 };
        conformance::transformer(&HashingVectorizer::on(texts()).buckets(16), &test_tables::notes(40));
        conformance::transformer(&HashingVectorizer::on(categories()).grams(letters).buckets(8), &data::binary(40, 1));
    }

    #[test]
    fn equals_scikit_learn() {
        let golden = golden::load("text_hashing.json");
        for case in &golden.cases {
            let number = |pointer: &str| case.value(pointer).as_u64().unwrap() as usize;
            let (from, to) = (number("/input/from"), number("/input/to"));
            let letters = case.value("/input/letters").as_bool().unwrap();
            let spec = HashingVectorizer::on(all())
                .grams(if letters { Grams::Letters { from, to } } else { Grams::Words { from, to } })
                .buckets(number("/input/buckets"))
                .unit_length(case.value("/input/unit_length").as_bool().unwrap());
            let texts = case.value("/input/apply").as_array().unwrap();
            let table = Table::of([("t", Column::texts(texts.iter().map(|text| text.as_str())))]).unwrap();
            let fitted = spec.fit(&test_tables::training(table.clone(), None), &FitContext::new(0)).unwrap();
            let out = fitted.transform(table).unwrap();
            for (row, expected) in case.matrix("/expected/transformed").iter().enumerate() {
                let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
                golden.assert_all_close(&found, expected, &format!("{}: row {row}", case.name));
            }
        }
    }
}
