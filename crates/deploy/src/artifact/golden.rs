//! Golden rows: raw rows, and the bits of the answers they had when they were packaged.
//!
//! A row is replayed as it would arrive: the batch path takes the columns, the row path takes names and raw values
//! through the door. (A timestamp that is already typed has no raw form; its cell is put in behind the door.)

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::error::{At, Crumb, DataError, Error, PersistError, PipelineError, Result};
use stagewise_core::pipeline::{Admission, FittedPipeline};
use stagewise_core::record::RawCell;
use stagewise_core::schema::{Levels, Schema};
use stagewise_core::stage::Predictor;
use stagewise_core::table::Table;
use stagewise_core::task::Task;

/// The most rows that are kept.
pub const GOLDEN_ROWS: usize = 100;

/// Raw rows and the bits of their answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Golden {
    rows: usize,
    columns: Vec<(String, Values)>,
    /// Per row, the bits of the answer's numbers: the same on both paths.
    answers: Vec<Vec<u64>>,
}

/// A column as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Values {
    Category { levels: Vec<String>, codes: Vec<u32> },
    Flag(Vec<Option<bool>>),
    Number(Vec<f64>),
    Text(Vec<Option<String>>),
    Timestamp(Vec<i64>),
}

impl Golden {
    /// Answers up to [`GOLDEN_ROWS`] rows, evenly spaced, on both paths, and refuses if these differ.
    pub(super) fn record<T: Task>(fitted: &FittedPipeline<T>, table: &Table) -> Result<Self> {
        if table.rows() == 0 {
            return Err(DataError::TooFewRows { what: "an artifact's proof".into(), needed: 1, found: 0 }.into());
        }
        let rows = table.rows().min(GOLDEN_ROWS);
        let spaced: Vec<usize> = (0..rows).map(|i| i * table.rows() / rows).collect();
        let contract = fitted.contract().schema();
        let needed: Vec<usize> =
            contract.fields().iter().map(|f| table.schema().require(&f.name)).collect::<Result<_>>()?;
        let taken = table.select(&needed)?.take(&spaced);
        let names = taken.schema().names().into_iter();
        let mut golden = Self {
            rows,
            columns: names.zip(taken.columns()).map(|(n, c)| Ok((n, Values::of(c)?))).collect::<Result<_>>()?,
            answers: Vec::new(),
        };
        // Answered as they will be read back, not as they came.
        let table = golden.table()?;
        let (batch, row) = (batch(fitted, &table)?, rowwise(fitted, &table)?);
        for (i, (batch, row)) in batch.iter().zip(&row).enumerate() {
            if batch != row {
                let declared = format!("{} on the batch path", text(batch));
                let found = format!("{} on the row path", text(row));
                return Err(Error::from(PipelineError::BrokenPromise { declared, found }).at(Crumb::Row(spaced[i])));
            }
        }
        golden.answers = batch;
        Ok(golden)
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Answers the rows again on both paths and compares the bits.
    pub(super) fn replay<T: Task>(&self, fitted: &FittedPipeline<T>) -> Result<()> {
        let table = self.table()?;
        for found in [batch(fitted, &table)?, rowwise(fitted, &table)?] {
            if found.len() != self.answers.len() {
                return Err(damaged().into());
            }
            for (row, (expected, found)) in self.answers.iter().zip(&found).enumerate() {
                if expected != found {
                    let (expected, found) = (text(expected), text(found));
                    return Err(PersistError::GoldenRow { row, expected, found }.into());
                }
            }
        }
        Ok(())
    }

    fn table(&self) -> Result<Table> {
        let columns = self.columns.iter().map(|(name, values)| Ok((name.as_str(), values.column()?)));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        if columns.is_empty() {
            return Table::sized(Schema::default().into(), Vec::new(), self.rows);
        }
        let table = Table::of(columns)?;
        if table.rows() == self.rows { Ok(table) } else { Err(damaged().into()) }
    }

    #[cfg(test)]
    pub(super) fn spoil(&mut self) {
        self.answers[0][0] ^= 1;
    }
}

impl Values {
    fn of(column: &Column) -> Result<Self> {
        Ok(match column {
            Column::Number(values) => Self::Number(values.to_vec()),
            Column::Category { codes, levels } => {
                // Only the levels that these rows hold.
                let mut held = Levels::default();
                let codes = codes.iter().map(|&c| levels.name(c).map_or(MISSING_CODE, |name| held.intern(name)));
                let codes = codes.collect();
                Self::Category { levels: held.to_strings(), codes }
            }
            Column::Flag(values) => Self::Flag(values.to_vec()),
            Column::Text(values) => Self::Text(values.iter().map(|v| v.as_deref().map(String::from)).collect()),
            Column::Timestamp(values) => Self::Timestamp(values.to_vec()),
            other => {
                let reason = format!("a {} column has no saved form", other.kind());
                return Err(PersistError::Unencodable { part: "golden rows".into(), reason }.into());
            }
        })
    }

    fn column(&self) -> Result<Column> {
        Ok(match self {
            Self::Number(values) => Column::numbers(values.clone()),
            Self::Category { levels, codes } => {
                if codes.iter().any(|&c| c != MISSING_CODE && c as usize >= levels.len()) {
                    return Err(damaged().into());
                }
                Column::categories(codes.iter().map(|&c| levels.get(c as usize).map(String::as_str)))
            }
            Self::Flag(values) => Column::flags(values.clone()),
            Self::Text(values) => Column::texts(values.iter().map(Option::as_deref)),
            Self::Timestamp(values) => Column::timestamps(values.clone()),
        })
    }
}

fn batch<T: Task>(fitted: &FittedPipeline<T>, table: &Table) -> Result<Vec<Vec<u64>>> {
    let output = fitted.predict(table)?;
    Ok((0..T::rows(&output)).map(|row| bits::<T>(&T::row(&output, row))).collect())
}

fn rowwise<T: Task>(fitted: &FittedPipeline<T>, table: &Table) -> Result<Vec<Vec<u64>>> {
    let mut scorer = fitted.scorer();
    let (mut cells, mut admission) = (Vec::new(), Admission::default());
    let named = || table.schema().fields().iter().map(|f| f.name.as_ref()).zip(table.columns());
    (0..table.rows())
        .map(|row| {
            let at = || Crumb::Row(row);
            let record: Vec<_> = named().map(|(name, column)| (name, raw_cell(column, row))).collect();
            fitted.contract().admit_row(&record, &mut cells, &mut admission).at(at)?;
            for (name, column) in named().filter(|(_, column)| matches!(column, Column::Timestamp(_))) {
                if let Some(cell) = fitted.contract().schema().position(name).and_then(|i| cells.get_mut(i)) {
                    *cell = column.cell(row);
                }
            }
            scorer.score_cells(&cells).map(|answer| bits::<T>(&answer)).at(at)
        })
        .collect()
}

fn raw_cell(column: &Column, row: usize) -> RawCell<'_> {
    match column {
        Column::Number(values) => values.get(row).map_or(RawCell::Missing, |&x| RawCell::Number(x)),
        Column::Category { codes, levels } => {
            codes.get(row).and_then(|&c| levels.name(c)).map_or(RawCell::Missing, |name| RawCell::Text(name))
        }
        Column::Flag(values) => values.get(row).copied().flatten().map_or(RawCell::Missing, RawCell::Flag),
        Column::Text(values) => values.get(row).and_then(|v| v.as_deref()).map_or(RawCell::Missing, RawCell::Text),
        _ => RawCell::Missing,
    }
}

fn bits<T: Task>(answer: &T::RowOutput) -> Vec<u64> {
    T::numbers(answer).iter().map(|x| x.to_bits()).collect()
}

/// The shortest numbers that read back as the same bits.
fn text(bits: &[u64]) -> String {
    bits.iter().map(|&b| format!("{:?}", f64::from_bits(b))).collect::<Vec<_>>().join(", ")
}

fn damaged() -> PersistError {
    PersistError::Damaged { part: "section `golden`".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{self, Tilt};
    use stagewise_core::column::MISSING_TIME;
    use stagewise_core::dataset::Dataset;
    use stagewise_core::problem::Problem;
    use stagewise_core::task::Regression;

    /// A timestamp, a category and a number, each missing once, and a target.
    fn timed(rows: usize, seed: u64) -> Dataset<Regression> {
        let missing = |i: usize| i == 3;
        let times = (0..rows).map(|i| if missing(i) { MISSING_TIME } else { (seed as i64 + i as i64) * 7_654_321_000 });
        let names = (0..rows).map(|i| if missing(i) { None } else { Some(["é", "b"][i % 2]) });
        let values = (0..rows).map(|i| if missing(i) { f64::NAN } else { i as f64 / 3.0 });
        let table = Table::of([
            ("when", Column::timestamps(times.collect::<Vec<_>>())),
            ("what", Column::categories(names)),
            ("much", Column::numbers(values.collect::<Vec<_>>())),
            ("target", Column::numbers((0..rows).map(|i| i as f64).collect::<Vec<_>>())),
        ]);
        Dataset::new(table.unwrap(), &Problem::new("target")).unwrap()
    }

    #[test]
    fn rows_of_every_kind_keep_their_values_and_answers() {
        let (fitted, _) = fixture::approved(timed, Tilt::default());
        let data = timed(8, 2);
        let golden = Golden::record(&fitted, data.features()).unwrap();
        assert_eq!(golden.table().unwrap(), *data.features());
        assert_eq!((golden.rows(), golden.answers.len()), (8, 8));
        golden.replay(&fitted).unwrap();
        let mixed: Vec<Column> = vec![
            Column::flags(vec![None, Some(true), Some(false)]),
            Column::texts([Some("a"), None, Some("")]),
            Column::numbers([-0.0, f64::INFINITY, f64::NAN]),
        ];
        for column in mixed {
            assert_eq!(Values::of(&column).unwrap().column().unwrap(), column);
        }
    }

    #[test]
    fn a_timestamp_that_another_program_reads_differently_shows() {
        let (fitted, _) = fixture::approved(timed, Tilt::default());
        let mut golden = Golden::record(&fitted, timed(4, 2).features()).unwrap();
        let Some((_, Values::Timestamp(times))) = golden.columns.first_mut() else { panic!("timestamps come first") };
        times[2] += 3_600_000_000;
        let message = golden.replay(&fitted).unwrap_err().to_string();
        assert!(message.starts_with("golden row 2 gives "), "{message}");
    }
}
