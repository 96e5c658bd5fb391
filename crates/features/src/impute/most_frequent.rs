//! Missing levels, flags and numbers become the most frequent value of their column.

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{Result, SchemaError};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Kind, Levels, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::key::{key_value, order_key};

use super::fill::{Fill, FittedImputer, Imputation};
use super::indicator;
use crate::columns::positions;
use crate::rewrite::{Rewrite, Training, plan};

/// Fills missing values with the most frequent value of their column.
///
/// Frequency is the number of rows, or the sum of their weights. Of equally frequent values the smallest is taken:
/// numbers by value, levels by code point (`"B"` before `"a"`), `false` before `true`.
///
/// | what comes | what happens |
/// |---|---|
/// | a number or flag column without any value in training | 0 or `false`, with a warning |
/// | a category without any value in training | the level `(missing)` is added, with a warning |
/// | a level not seen in training | passes through |
/// | `±∞` | a value like any other |
/// | a value first missing after training | filled in; it has no indicator |
///
/// Output: the same columns, which then have no missing values; with [`indicator`](Self::indicator) some more.
/// `O(rows log rows)` a column to fit.
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
/// use stagewise_features::MostFrequentImputer;
///
/// let table = Table::of([
///     ("plan", Column::categories([Some("pro"), None, Some("basic"), Some("pro")])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0, 4.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = MostFrequentImputer::on(categories()).fit_transform(train, &FitContext::new(0))?;
/// let (codes, levels) = train.features().column("plan")?.as_categories()?;
/// assert_eq!(codes, [0, 0, 1, 0]);
/// assert_eq!(levels.to_strings(), ["pro", "basic"]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `SimpleImputer(strategy="most_frequent")`, numbers and text, exactly. By default
/// scikit-learn drops a column without any value, and it puts all indicators at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MostFrequentImputer {
    on: Selector,
    #[serde(default)]
    indicator: bool,
}

impl MostFrequentImputer {
    /// Imputes these columns, which must be categories, flags or numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, indicator: false }
    }

    indicator::indicator_setter!();

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        positions(&self.on, input, &[Kind::Category, Kind::Flag, Kind::Number])
    }
}

impl Persist for MostFrequentImputer {
    const TAG: &'static str = "MostFrequentImputer";
}

impl<T: Task> Transformer<T> for MostFrequentImputer {
    type Fitted = FittedImputer;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        Ok(plan(input, &self.positions(input)?, !self.indicator, |field| indicator::planned(field, self.indicator)))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedImputer> {
        Rewrite::learn(train, &self.positions(train.features().schema())?, cx, |training| {
            let fill = most_frequent(training)?;
            Ok(Imputation::learned(training, fill, self.indicator))
        })
    }
}

/// The most frequent value of a column, if it has any.
fn most_frequent(training: &Training<'_>) -> Result<Option<Fill>> {
    Ok(match training.column {
        Column::Number(values) => {
            let rows = training.rows().filter(|(row, _)| !values[*row].is_nan());
            heaviest(rows.map(|(row, weight)| (order_key(values[row]), weight)).collect())
                .map(|key| Fill::Number(key_value(key)))
        }
        Column::Flag(values) => {
            let rows = training.rows().filter_map(|(row, weight)| values[row].map(|value| (value, weight)));
            heaviest(rows.collect()).map(Fill::Flag)
        }
        Column::Category { codes, levels } => {
            let rows = training.rows().filter(|(row, _)| codes[*row] != MISSING_CODE);
            let (by_rank, rank_of) = ranks(levels);
            let rank = |code: u32| rank_of.get(code as usize).copied().unwrap_or(code);
            heaviest(rows.map(|(row, weight)| (rank(codes[row]), weight)).collect())
                .map(|rank| Fill::Level(by_rank.get(rank as usize).copied().unwrap_or(rank)))
        }
        other => return Err(SchemaError::WrongKind { expected: Kind::Category, found: other.kind() }.into()),
    })
}

/// The key with the largest sum of weights; of equally heavy keys the smallest. Equal bits for any order of the rows:
/// weights of a key are added in ascending order.
fn heaviest<K: Ord + Copy>(mut rows: Vec<(K, f64)>) -> Option<K> {
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut best: Option<(K, f64)> = None;
    for group in rows.chunk_by(|a, b| a.0 == b.0) {
        let total: f64 = group.iter().map(|row| row.1).sum();
        if best.is_none_or(|(_, most)| total > most) {
            best = group.first().map(|row| (row.0, total));
        }
    }
    best.map(|(key, _)| key)
}

/// The codes in the order of their levels' names, and the place of each code in it.
fn ranks(levels: &Levels) -> (Vec<u32>, Vec<u32>) {
    let mut by_rank: Vec<u32> = (0..levels.len() as u32).collect();
    by_rank.sort_unstable_by_key(|&code| levels.name(code));
    let mut rank_of = vec![0; by_rank.len()];
    by_rank.iter().zip(0..).for_each(|(&code, rank)| rank_of[code as usize] = rank);
    (by_rank, rank_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{all, categories, flags, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data, golden};

    use crate::impute::golden_tests::check_numbers;
    use crate::test_tables::{admitted, categories as categories_of, training};

    #[test]
    fn conforms() {
        let weighted = data::regression(60, 4).reweighted(vec![1.0; 60]).unwrap();
        for spec in [
            MostFrequentImputer::on(all()),
            MostFrequentImputer::on(categories() | flags()),
            MostFrequentImputer::on(all()).indicator(true),
        ] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass(62, 3));
            conformance::transformer(&spec, &weighted);
        }
    }

    #[test]
    fn numbers_equal_scikit_learn() {
        let checked = check_numbers(&golden::load("imputer.json"), "most_frequent", |indicator| {
            MostFrequentImputer::on(numbers()).indicator(indicator)
        });
        assert!(checked >= 5, "{checked} cases");
    }

    #[test]
    fn text_equals_scikit_learn() {
        let golden = golden::load("imputer.json");
        let case = golden.cases.iter().find(|case| case.name == "most_frequent_text").unwrap();
        let (fit, apply) = (categories_of(case, "/input/fit"), categories_of(case, "/input/apply"));
        let batch = admitted(&fit, &apply);
        let fitted = MostFrequentImputer::on(all()).fit(&training(fit, None), &FitContext::new(0)).unwrap();
        let out = fitted.transform(batch).unwrap();
        assert_eq!(out.columns(), categories_of(case, "/expected/transformed").columns());
    }

    #[test]
    fn weights_decide_and_ties_go_to_the_smallest() {
        let flags = Column::flags([Some(true), None, Some(false), Some(true), Some(false)]);
        let learn = |column: &Column, weights: Option<&[f64]>| {
            let train = training(Table::of([("x", column.clone())]).unwrap(), weights.map(<[f64]>::to_vec));
            let fitted = MostFrequentImputer::on(all()).fit(&train, &FitContext::new(0)).unwrap();
            fitted.rule("x").unwrap().fill().clone()
        };
        assert_eq!(learn(&flags, None), Fill::Flag(false));
        assert_eq!(learn(&flags, Some(&[1.0, 9.0, 1.0, 1.0, 0.5])), Fill::Flag(true));
        let levels = Column::categories([Some("b"), Some("a"), Some("B"), Some("b"), Some("B")]);
        assert_eq!(learn(&levels, None), Fill::Level(2));
        let empty = Column::missing(Kind::Category, 3);
        assert_eq!(learn(&empty, None), Fill::AddedLevel);
        assert_eq!(learn(&levels, Some(&[0.0; 5])), Fill::AddedLevel);
        assert_eq!(learn(&Column::numbers([f64::INFINITY, -0.0, f64::INFINITY]), None), Fill::Number(f64::INFINITY));
    }

    #[test]
    fn a_category_without_values_gets_a_level() {
        let train = training(Table::of([("x", Column::missing(Kind::Category, 2))]).unwrap(), None);
        let cx = FitContext::new(0);
        let (fitted, train) = MostFrequentImputer::on(all()).fit_transform(train, &cx).unwrap();
        let expected = Column::categories([Some("(missing)"), Some("(missing)")]);
        assert_eq!(train.features().column("x").unwrap(), &expected);
        assert_eq!(fitted.output().field("x").unwrap().levels.as_ref().unwrap().to_strings(), ["(missing)"]);
        let text = &cx.take_warnings()[0].what;
        assert_eq!(text, "column `x`: has no value to learn from; missing values become the level `(missing)`");
    }

    #[test]
    fn text_is_refused() {
        let table = Table::of([("note", Column::texts([None, Some("a")]))]).unwrap();
        let error = Transformer::<Regression>::plan(&MostFrequentImputer::on(all()), table.schema()).unwrap_err();
        assert_eq!(error.to_string(), "column `note`: is a text, a category is needed");
    }
}
