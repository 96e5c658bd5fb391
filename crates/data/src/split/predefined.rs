//! Splits that were decided elsewhere, and stand in a column: folds of a study, the parts of a published data set.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, ErrorKind, ParameterError, PipelineError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::split::{Split, Splitter};
use stagewise_core::target::number_text;
use stagewise_core::task::Task;

use super::kfold::splits;
use super::warn_of_times;

/// The splits that a column names: each of its values is a fold that judges once, or two of them are the sides.
///
/// Folds come in the order of their values: numbers by size, words by spelling. The column has the role id, so that no model
/// sees it; one that is a feature is refused. Rows without a value are refused. Nothing is random. `O(rows · k)`.
///
/// Checked against scikit-learn 1.9.1 `PredefinedSplit`, exactly, with its −1 as value that always learns.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, dataset::Dataset, problem::Problem, table::Table};
/// use stagewise_core::{split::Splitter, task::Regression};
/// use stagewise_data::PredefinedSplit;
///
/// let part = Column::categories([Some("fit"), Some("judge"), Some("later"), Some("fit")]);
/// let table = Table::of([("part", part), ("y", Column::numbers([1.0, 2.0, 3.0, 4.0]))])?;
/// let data = Dataset::new(table, &Problem::<Regression>::new("y").id("part"))?;
/// let splits = PredefinedSplit::sides("part", "fit", "judge").split(&data, &FitContext::new(7))?;
/// assert_eq!((splits[0].train.as_slice(), splits[0].validation.as_slice()), ([0, 3].as_slice(), [1].as_slice()));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredefinedSplit {
    column: String,
    #[serde(default)]
    sides: Option<(String, String)>,
    #[serde(default)]
    learns: Vec<String>,
}

impl PredefinedSplit {
    /// A fold for each value of this column.
    pub fn folds(column: impl Into<String>) -> Self {
        Self { column: column.into(), sides: None, learns: Vec::new() }
    }

    /// One split: rows with the first value learn, those with the second judge, all others take no part.
    pub fn sides(column: impl Into<String>, train: impl Into<String>, validation: impl Into<String>) -> Self {
        Self { column: column.into(), sides: Some((train.into(), validation.into())), learns: Vec::new() }
    }

    /// Rows with this value learn in every fold and never judge. For folds only; may be called for several values.
    #[must_use]
    pub fn always_learns(mut self, value: impl Into<String>) -> Self {
        self.learns.push(value.into());
        self
    }
}

impl Persist for PredefinedSplit {
    const TAG: &'static str = "PredefinedSplit";
}

impl<T: Task> Splitter<T> for PredefinedSplit {
    /// # Errors
    /// [`SchemaError::MissingColumn`](stagewise_core::error::SchemaError), [`DataError::MissingValues`] with the column,
    /// [`DataError::UnknownLevel`] for a value that was named and does not occur, [`DataError::EmptySide`],
    /// [`ParameterError`] for a column that is a feature, and [`PipelineError::Ignored`] where a group stands on both sides.
    fn split(&self, data: &Dataset<T>, cx: &FitContext) -> Result<Vec<Split>> {
        if data.aside().column(&self.column).is_err() && data.features().column(&self.column).is_ok() {
            let value = format!("`{}`, which is a feature", self.column);
            let allowed = "a column that the model does not see; give it the role id";
            return Err(ErrorKind::from(ParameterError { name: "column", value, allowed }).into());
        }
        let column = data.aside().column(&self.column)?;
        let at = || Crumb::column(self.column.as_str());
        let (names, of) = values(column).at(at)?;
        let known = |name: &String| {
            names.iter().position(|other| other == name).ok_or_else(|| {
                let known = names.clone();
                stagewise_core::Error::from(DataError::UnknownLevel { level: name.clone(), known }).at(at())
            })
        };
        let splits = match &self.sides {
            Some((train, validation)) => {
                ParameterError::check(
                    train != validation,
                    "sides",
                    format!("twice `{train}`"),
                    "two different values",
                )?;
                let first = self.learns.first().cloned().unwrap_or_default();
                ParameterError::check(self.learns.is_empty(), "always_learns", first, "nothing beside two sides")?;
                let rows = |value| (0..of.len()).filter(|&row| of[row] as usize == value).collect::<Vec<_>>();
                vec![Split { train: rows(known(train)?), validation: rows(known(validation)?) }]
            }
            None => {
                let always = self.learns.iter().map(known).collect::<Result<Vec<_>>>()?;
                let mut folds = splits(&of, names.len());
                let mut value = 0;
                folds.retain(|_| {
                    value += 1;
                    !always.contains(&(value - 1))
                });
                folds
            }
        };
        if splits.is_empty() || splits.iter().any(|split| split.train.is_empty()) {
            let side = if splits.is_empty() { "validate" } else { "train" };
            let what = format!("{} by `{}`", Self::TAG, self.column);
            return Err(DataError::EmptySide { what, side, remedy: "use a column of two or more values".into() }.into());
        }
        refuse_torn_groups(Self::TAG, data, &splits)?;
        warn_of_times(Self::TAG, data, cx);
        Ok(splits)
    }
}

/// The values that occur, in order, and which one each row has.
fn values(column: &Column) -> Result<(Vec<String>, Vec<u32>)> {
    let count = column.missing_count();
    if count > 0 {
        return Err(DataError::MissingValues { count }.into());
    }
    if let Column::Number(numbers) = column {
        let mut distinct: Vec<f64> = numbers.iter().map(|value| value + 0.0).collect();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        let of = |value: &f64| distinct.partition_point(|other| other < value) as u32;
        return Ok((distinct.iter().map(|&value| number_text(value)).collect(), numbers.iter().map(of).collect()));
    }
    let text = |row: usize| match (column, column.cell(row)) {
        (Column::Category { levels, .. }, Cell::Level(code)) => {
            levels.name(code).map_or_else(String::new, ToString::to_string)
        }
        (_, Cell::Text(text)) => text.to_string(),
        (_, Cell::Flag(flag)) => flag.to_string(),
        (_, Cell::Timestamp(micros)) => micros.to_string(),
        (_, cell) => format!("{cell:?}"),
    };
    let texts: Vec<String> = (0..column.len()).map(text).collect();
    let mut distinct = texts.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let of = texts.iter().map(|text| distinct.partition_point(|other| other < text) as u32).collect();
    Ok((distinct, of))
}

fn refuse_torn_groups<T: Task>(stage: &str, data: &Dataset<T>, splits: &[Split]) -> Result<()> {
    let Some(groups) = data.groups() else { return Ok(()) };
    let mut learned_in = vec![0; groups.iter().max().map_or(0, |&group| group as usize + 1)];
    for (fold, split) in splits.iter().enumerate() {
        split.train.iter().for_each(|&row| learned_in[groups[row] as usize] = fold + 1);
        if let Some(row) = split.validation.iter().find(|&&row| learned_in[groups[row] as usize] == fold + 1) {
            let remedy = format!("in fold {fold} the group of row {row} stands on both sides; correct the column");
            return Err(PipelineError::Ignored { stage: stage.into(), what: "groups", remedy }.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::problem::Problem;
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, golden};

    fn told(fold: Column, problem: Problem<Regression>) -> Dataset<Regression> {
        let y = Column::numbers((0..fold.len()).map(|row| row as f64).collect::<Vec<_>>());
        let groups = Column::numbers((0..fold.len()).map(|row| (row / 2) as f64).collect::<Vec<_>>());
        let table = Table::of([("fold", fold), ("g", groups), ("x", y.clone()), ("y", y)]).unwrap();
        Dataset::new(table, &problem).unwrap()
    }

    fn by_id() -> Problem<Regression> {
        Problem::new("y").id("fold")
    }

    #[test]
    fn folds_are_those_of_scikit_learn() {
        let golden = golden::load("predefined_splits.json");
        for case in &golden.cases {
            let given = case.numbers("/input/folds");
            let mut spec = PredefinedSplit::folds("fold");
            if given.contains(&-1.0) {
                spec = spec.always_learns("-1");
            }
            let splits = conformance::splitter(&spec, &told(Column::numbers(given), by_id()));
            let numbers = |rows: &[usize]| rows.iter().map(|&row| row as f64).collect::<Vec<_>>();
            let (train, validation) = (case.matrix("/expected/train"), case.matrix("/expected/validation"));
            assert_eq!(splits.len(), train.len(), "{}", case.name);
            for (fold, split) in splits.iter().enumerate() {
                golden.assert_all_close(&numbers(&split.train), &train[fold], &case.name);
                golden.assert_all_close(&numbers(&split.validation), &validation[fold], &case.name);
            }
        }
    }

    #[test]
    fn words_and_flags_name_folds_too() {
        let words = told(Column::categories([Some("b"), Some("a"), Some("b"), Some("c")]), by_id());
        let splits = conformance::splitter(&PredefinedSplit::folds("fold"), &words);
        let judged: Vec<Vec<usize>> = splits.iter().map(|split| split.validation.clone()).collect();
        assert_eq!(judged, [vec![1], vec![0, 2], vec![3]]);
        let flags = told(Column::flags([Some(true), Some(false), Some(true)]), by_id());
        let splits = conformance::splitter(&PredefinedSplit::sides("fold", "false", "true"), &flags);
        assert_eq!((splits.len(), &splits[0].train[..], &splits[0].validation[..]), (1, &[1][..], &[0, 2][..]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let cx = FitContext::new(0);
        let numbers = || Column::numbers([0.0, 0.0, 1.0, 1.0]);
        let text = |spec: PredefinedSplit, data: Dataset<Regression>| spec.split(&data, &cx).unwrap_err().to_string();
        let folds = || PredefinedSplit::folds("fold");
        assert!(text(folds(), told(numbers(), Problem::new("y"))).contains("`fold`, which is a feature"));
        assert!(text(PredefinedSplit::folds("part"), told(numbers(), by_id())).contains("no column `part`"));
        let missing = told(Column::numbers([0.0, f64::NAN]), by_id());
        assert!(text(folds(), missing).starts_with("column `fold`: holds 1 missing values"));
        assert!(text(folds(), told(Column::numbers([3.0, 3.0]), by_id())).contains("leaves no row to train on"));
        let none = folds().always_learns("0").always_learns("1");
        assert!(text(none, told(numbers(), by_id())).contains("leaves no row to validate on"));
        let unknown = text(PredefinedSplit::sides("fold", "0", "2"), told(numbers(), by_id()));
        assert!(unknown.contains("`2` is none of the known levels (`0`, `1`)"), "{unknown}");
        assert!(text(PredefinedSplit::sides("fold", "0", "0"), told(numbers(), by_id())).contains("twice `0`"));
        assert!(
            text(PredefinedSplit::sides("fold", "0", "1").always_learns("1"), told(numbers(), by_id()))
                .contains("beside")
        );
        assert!(folds().split(&told(numbers(), by_id().group("g")), &cx).is_ok());
        let torn = told(Column::numbers([0.0, 1.0, 1.0, 1.0]), by_id().group("g"));
        assert!(text(folds(), torn).contains("in fold 0 the group of row 0 stands on both sides"));
    }
}
