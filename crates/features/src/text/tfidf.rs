//! Text becomes the weights of the words that training texts hold.

use std::collections::HashMap;

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

use super::documents::{KINDS, cells, columns, weighted};
use super::grams::Grams;
use crate::columns::positions;
use crate::rewrite::{ColumnRule, Rewrite, Training, plan};

/// Makes of a text a number for each term of a vocabulary: how often it occurs, times how rare it is.
///
/// `tf · idf`, with `tf` the count of the term in the text (or `1 + ln count`), `idf = ln((1 + n) / (1 + d)) + 1`, `n` the
/// weight of all training rows and `d` that of those whose text holds the term. Then the numbers of a text are divided by
/// the root of their sum of squares, so that long texts do not weigh more.
///
/// The vocabulary is learned from the training rows: terms that at least [`min_rows`](Self::min_rows) of them hold and at
/// most a share of [`max_share`](Self::max_share), and of these the [`max_terms`](Self::max_terms) that occur most often;
/// of equal ones the first in the alphabet. Terms that are not in it count for nothing. The target is not looked at.
///
/// Output: `<column>_tfidf_<term>` for each term in alphabetical order, in place of the column. A text without a term,
/// an empty one and a missing one are zeros. `O(characters)`.
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
/// use stagewise_features::TfidfVectorizer;
///
/// let notes = Column::texts([Some("paid late"), Some("paid"), Some("never late, never")]);
/// let table = Table::of([("note", notes), ("cost", Column::numbers([1.0, 2.0, 3.0]))])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = TfidfVectorizer::on(texts()).min_rows(1.0).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().schema().names(), ["note_tfidf_late", "note_tfidf_never", "note_tfidf_paid"]);
/// assert_eq!(train.features().column("note_tfidf_paid")?.as_numbers()?, [0.5_f64.sqrt(), 1.0, 0.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `TfidfVectorizer`, words and `char_wb`, tolerance 1e-12.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TfidfVectorizer {
    on: Selector,
    grams: Grams,
    min_rows: f64,
    max_share: f64,
    max_terms: usize,
    sublinear: bool,
}

/// A learned [`TfidfVectorizer`].
pub type FittedTfidfVectorizer = Rewrite<Vocabulary>;

/// What was learned about one column: its terms, and how rare each is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Terms", into = "Terms")]
pub struct Vocabulary {
    terms: Terms,
    /// Where each term stands.
    places: HashMap<String, usize>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Terms {
    grams: Grams,
    sublinear: bool,
    /// In alphabetical order.
    terms: Vec<String>,
    idf: Vec<f64>,
}

impl TfidfVectorizer {
    /// Takes these columns, which must be text or categories: single words, in at least 2 rows, at most 200 terms a column.
    pub fn on(columns: Selector) -> Self {
        let grams = Grams::Words { from: 1, to: 1 };
        Self { on: columns, grams, min_rows: 2.0, max_share: 1.0, max_terms: 200, sublinear: false }
    }

    /// How a text is cut. Default: words, one by one.
    #[must_use]
    pub fn grams(mut self, grams: Grams) -> Self {
        self.grams = grams;
        self
    }

    /// The weight of the rows that must hold a term: above 0, default 2.
    #[must_use]
    pub fn min_rows(mut self, rows: f64) -> Self {
        self.min_rows = rows;
        self
    }

    /// The share of the rows that may hold a term: above 0, at most 1, default 1.
    #[must_use]
    pub fn max_share(mut self, share: f64) -> Self {
        self.max_share = share;
        self
    }

    /// The most terms of a column: at least 1, default 200. Each becomes a column of numbers.
    #[must_use]
    pub fn max_terms(mut self, terms: usize) -> Self {
        self.max_terms = terms;
        self
    }

    /// Whether a term that comes `c` times counts `1 + ln c`. Default `false`: it counts `c`.
    #[must_use]
    pub fn sublinear(mut self, sublinear: bool) -> Self {
        self.sublinear = sublinear;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        self.grams.check()?;
        let (rows, share, terms) = (self.min_rows, self.max_share, self.max_terms);
        ParameterError::check(rows > 0.0 && rows.is_finite(), "min_rows", rows, "a number above 0")?;
        ParameterError::check(share > 0.0 && share <= 1.0, "max_share", share, "more than 0, at most 1")?;
        ParameterError::check(terms >= 1, "max_terms", terms, "at least 1")?;
        positions(&self.on, input, &KINDS)
    }

    fn learn(&self, training: &mut Training<'_>) -> Result<Vocabulary> {
        let texts = weighted(training.column, training.rows())?;
        let total: f64 = texts.iter().map(|(_, weight)| weight).sum();
        // Of each term the weight of its rows and that of its occurrences.
        let mut found: HashMap<String, (f64, f64)> = HashMap::new();
        for (text, weight) in texts {
            let mut counts: HashMap<String, f64> = HashMap::new();
            self.grams.of(text, |term| match counts.get_mut(term) {
                Some(count) => *count += 1.0,
                None => {
                    counts.insert(term.to_string(), 1.0);
                }
            });
            for (term, count) in counts {
                let (rows, occurrences) = found.entry(term).or_default();
                *rows += weight;
                *occurrences += weight * count;
            }
        }
        let most = self.max_share * total;
        let mut kept: Vec<(String, (f64, f64))> =
            found.into_iter().filter(|(_, (rows, _))| *rows >= self.min_rows && *rows <= most).collect();
        kept.sort_by(|(a, (_, x)), (b, (_, y))| y.total_cmp(x).then_with(|| a.cmp(b)));
        kept.truncate(self.max_terms);
        kept.sort_by(|(a, _), (b, _)| a.cmp(b));
        if kept.is_empty() {
            training.warn("has no term that enough rows hold; nothing comes of it");
        }
        let idf = kept.iter().map(|(_, (rows, _))| ((1.0 + total) / (1.0 + rows)).ln() + 1.0).collect();
        let terms = kept.into_iter().map(|(term, _)| term).collect();
        Ok(Terms { grams: self.grams, sublinear: self.sublinear, terms, idf }.into())
    }
}

impl Persist for TfidfVectorizer {
    const TAG: &'static str = "TfidfVectorizer";
}

impl<T: Task> Transformer<T> for TfidfVectorizer {
    type Fitted = FittedTfidfVectorizer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let some = |field: &Field| vec![Field::derived(format!("{}_tfidf", field.name), Kind::Number, [field])];
        Ok(plan(input, &self.positions(input)?, false, some))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedTfidfVectorizer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| self.learn(training))
    }
}

impl From<Terms> for Vocabulary {
    fn from(terms: Terms) -> Self {
        let places = terms.terms.iter().cloned().enumerate().map(|(place, term)| (term, place)).collect();
        Self { terms, places }
    }
}

impl From<Vocabulary> for Terms {
    fn from(vocabulary: Vocabulary) -> Self {
        vocabulary.terms
    }
}

impl Vocabulary {
    /// The terms, in alphabetical order, each with how rare it is.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = (&str, f64)> {
        self.terms.terms.iter().map(String::as_str).zip(self.terms.idf.iter().copied())
    }

    fn weigh(&self, text: &str, values: &mut [f64]) {
        self.terms.grams.of(text, |term| {
            if let Some(&place) = self.places.get(term) {
                values[place] += 1.0;
            }
        });
        for (value, idf) in values.iter_mut().zip(&self.terms.idf).filter(|(value, _)| **value > 0.0) {
            *value = if self.terms.sublinear { 1.0 + value.ln() } else { *value } * idf;
        }
        let length = values.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 {
            values.iter_mut().for_each(|x| *x /= length);
        }
    }
}

impl ColumnRule for Vocabulary {
    const TAG: &'static str = "FittedTfidfVectorizer";

    fn fields(&self, field: &Field) -> Vec<Field> {
        let of = |term: &String| Field::derived(format!("{}_tfidf_{term}", field.name), Kind::Number, [field]);
        self.terms.terms.iter().map(of).collect()
    }

    fn column(&self, _: &Field, column: Column, out: &mut Vec<Column>) -> Result<()> {
        columns(&column, self.terms.terms.len(), |text, values| self.weigh(text, values), out)
    }

    fn cell(&self, field: &Field, cell: &Cell, out: &mut Vec<Cell>) -> Result<()> {
        cells(field, cell, self.terms.terms.len(), |text, values| self.weigh(text, values), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{all, categories, texts};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_testkit::{conformance, data, golden};

    use crate::test_tables::{self, training};

    #[test]
    fn conforms() {
        let data = test_tables::notes(60);
        conformance::transformer(&TfidfVectorizer::on(texts()), &data);
        let letters = Grams::Letters { from: 2, to: 3 };
        conformance::transformer(&TfidfVectorizer::on(texts()).grams(letters).max_terms(30).sublinear(true), &data);
        conformance::transformer(&TfidfVectorizer::on(categories()), &data::binary(60, 1));
    }

    #[test]
    fn equals_scikit_learn() {
        let golden = golden::load("tfidf.json");
        for case in &golden.cases {
            let strings = |pointer: &str| -> Vec<Option<String>> {
                case.value(pointer).as_array().unwrap().iter().map(|text| text.as_str().map(String::from)).collect()
            };
            let table = |pointer: &str| {
                let texts = strings(pointer);
                Table::of([("t", Column::texts(texts.iter().map(Option::as_deref)))]).unwrap()
            };
            let number = |pointer: &str| case.value(pointer).as_u64().unwrap() as usize;
            let (from, to) = (number("/input/from"), number("/input/to"));
            let letters = case.value("/input/letters").as_bool().unwrap();
            let spec = TfidfVectorizer::on(all())
                .grams(if letters { Grams::Letters { from, to } } else { Grams::Words { from, to } })
                .min_rows(number("/input/min_rows") as f64)
                .max_share(case.value("/input/max_share").as_f64().unwrap())
                .max_terms(number("/input/max_terms"))
                .sublinear(case.value("/input/sublinear").as_bool().unwrap());
            let fitted = spec.fit(&training(table("/input/fit"), None), &FitContext::new(0)).unwrap();
            let names: Vec<Option<String>> =
                fitted.rule("t").unwrap().terms().map(|(term, _)| Some(term.to_string())).collect();
            assert_eq!(names, strings("/expected/terms"), "{}", case.name);
            let out = fitted.transform(table("/input/apply")).unwrap();
            for (row, expected) in case.matrix("/expected/transformed").iter().enumerate() {
                let found: Vec<f64> = out.columns().iter().map(|c| c.as_numbers().unwrap()[row]).collect();
                golden.assert_all_close(&found, expected, &format!("{}: row {row}", case.name));
            }
        }
    }

    #[test]
    fn a_column_without_terms_is_said() {
        let cx = FitContext::new(0);
        let table = Table::of([("t", Column::texts([Some("a b c"), None, Some("once")]))]).unwrap();
        let fitted = TfidfVectorizer::on(all()).fit(&training(table, None), &cx).unwrap();
        assert_eq!(fitted.output().len(), 0);
        assert!(cx.take_warnings()[0].what.starts_with("column `t`: has no term"));
    }

    #[test]
    fn hyper_parameters_out_of_range_are_refused() {
        let data = test_tables::notes(5);
        for spec in [
            TfidfVectorizer::on(texts()).min_rows(0.0),
            TfidfVectorizer::on(texts()).max_share(1.5),
            TfidfVectorizer::on(texts()).max_terms(0),
            TfidfVectorizer::on(texts()).grams(Grams::Words { from: 2, to: 1 }),
        ] {
            assert!(spec.fit(&data, &FitContext::new(0)).is_err());
        }
    }
}
