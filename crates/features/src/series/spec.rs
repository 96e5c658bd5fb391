//! Which features of whose past, computed over a table of events.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::{At, Crumb, ParameterError, Result, SchemaError};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::table::Table;
use stagewise_core::target::number_text;
use stagewise_numeric::parallel;

use super::history::{Asked, History};
use super::live::LiveSeries;
use super::past::Past;

/// Entities of one task.
const BLOCK: usize = 64;

/// Features of the past of each entity: by whom, by when, and what.
///
/// A row sees the events of its entity that lie strictly before its moment, in the order of their moments, those of one
/// moment in the order of the table. A row without entity or moment sees nothing, and nothing sees it; its features are
/// missing, counts and sums too.
///
/// Cost: `O(rows · log rows)`, and a window is gone through for each row. Entities in parallel, the same bits on any number
/// of threads.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_features::series::{Past, Series, Statistic, Window};
///
/// let events = Table::of([
///     ("client", Column::categories(["anna", "ben", "anna", "anna"].map(Some))),
///     ("at", Column::timestamps([10, 20, 30, 40])),
///     ("paid", Column::numbers([5.0, 1.0, 7.0, 9.0])),
/// ])?;
/// let series = Series::new("client", "at")
///     .feature("paid_last", "paid", Past::Lag(1))
///     .feature("paid_sum", "paid", Past::Rolling(Window::Events(2), Statistic::Sum));
/// let table = series.compute(&events)?;
/// assert_eq!(table.column("paid_sum")?.as_numbers()?, [0.0, 0.0, 5.0, 12.0]);
///
/// // The same, event by event.
/// let mut live = series.live()?;
/// for (at, paid) in [(10, 5.0), (30, 7.0)] {
///     live.push("anna", at, &[paid])?;
/// }
/// assert_eq!(live.at("anna", 40)?, [7.0, 12.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against pandas 3.1.1 `shift`, `rolling`, `expanding`, `ewm` and scipy 1.17 `savgol_coeffs`, tolerance 1e-9.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    entity: String,
    time: String,
    features: Vec<Feature>,
    #[serde(default)]
    live_for: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Feature {
    name: String,
    of: String,
    past: Past,
}

impl Persist for Series {
    const TAG: &'static str = "Series";
}

impl Series {
    /// The pasts of the entities that one column names, at the moments of another.
    pub fn new(entity: impl Into<String>, time: impl Into<String>) -> Self {
        Self { entity: entity.into(), time: time.into(), features: Vec::new(), live_for: None }
    }

    /// Adds a feature, called `name`, of the numbers of a column.
    #[must_use]
    pub fn feature(mut self, name: impl Into<String>, of: impl Into<String>, past: Past) -> Self {
        self.features.push(Feature { name: name.into(), of: of.into(), past });
        self
    }

    /// After how many microseconds without an event nothing is told of an entity any more: above 0. Default: never.
    #[must_use]
    pub fn live_for(mut self, micros: i64) -> Self {
        self.live_for = Some(micros);
        self
    }

    /// The column that names the entity.
    pub fn entity(&self) -> &str {
        &self.entity
    }

    /// The column that holds the moment.
    pub fn time(&self) -> &str {
        &self.time
    }

    pub(crate) fn lives_for(&self) -> Option<i64> {
        self.live_for
    }

    /// The names of the features, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.features.iter().map(|feature| feature.name.as_str())
    }

    /// The columns that features are made of, each once, in the order in which they are first named.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        for feature in &self.features {
            if !columns.contains(&feature.of.as_str()) {
                columns.push(&feature.of);
            }
        }
        columns
    }

    /// The features of each event, behind the columns of the table.
    ///
    /// # Errors
    /// Windows out of range; a column that is not there; an entity that is a point in time, a moment that is none, a value
    /// that is no number; a name that the table has already.
    pub fn compute(&self, events: &Table) -> Result<Table> {
        let features = self.features_of(events, events.rows())?;
        self.with(events, features)
    }

    /// The features of each case by the events before it, behind the columns of the cases: entities and moments are in columns
    /// of the same names. Cases see no cases.
    ///
    /// # Errors
    /// As [`compute`](Self::compute).
    pub fn at(&self, cases: &Table, events: &Table) -> Result<Table> {
        let mut names = vec![self.entity.as_str(), self.time.as_str()];
        names.extend(self.columns());
        let places = names.iter().map(|name| events.schema().require(name)).collect::<Result<Vec<_>, _>>()?;
        let told = events.select(&places)?;
        let fields = told.schema().fields().iter().enumerate().map(|(i, field)| match i {
            0 | 1 => cases.schema().require(names[i]).map(|at| cases.schema().fields()[at].clone().missing(true)),
            _ => Ok(field.clone().missing(true)),
        });
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let columns = fields.iter().enumerate().map(|(i, field)| match i {
            0 | 1 => cases.column(names[i]).cloned(),
            _ => Ok(Column::missing(field.kind, cases.rows())),
        });
        let columns = columns.collect::<Result<_>>()?;
        let asking = Table::sized(Arc::new(Schema::new(fields)?), columns, cases.rows())?;
        let mut features = self.features_of(&told.stacked(&asking)?, events.rows())?;
        features.iter_mut().for_each(|feature| drop(feature.drain(..events.rows())));
        self.with(cases, features)
    }

    /// A table with these features behind its columns.
    fn with(&self, table: &Table, features: Vec<Vec<f64>>) -> Result<Table> {
        let (schema, mut columns) = table.clone().into_parts();
        let mut fields = schema.fields().to_vec();
        for feature in &self.features {
            let of = [&self.entity, &self.time, &feature.of].into_iter().filter_map(|name| schema.field(name));
            fields.push(Field::derived(feature.name.as_str(), Kind::Number, of).missing(true));
        }
        columns.extend(features.into_iter().map(Column::numbers));
        Table::sized(Arc::new(Schema::new(fields)?), columns, table.rows())
    }

    /// The features of each row. Rows from `silent` on see, and are not seen.
    fn features_of(&self, events: &Table, silent: usize) -> Result<Vec<Vec<f64>>> {
        let asked = self.asked()?;
        let times = match events.column(&self.time)? {
            Column::Timestamp(times) => times,
            other => {
                let error = SchemaError::WrongKind { expected: Kind::Timestamp, found: other.kind() };
                return Err(error).at(|| Crumb::column(self.time.as_str()));
            }
        };
        let columns = self.columns();
        let numbers = columns
            .iter()
            .map(|name| events.column(name)?.as_numbers().at(|| Crumb::column(*name)))
            .collect::<Result<Vec<_>>>()?;
        let entities = self.rows_by_entity(events, times)?;
        let made = parallel::blocks(entities.len(), BLOCK, |range| {
            let mut made = Vec::new();
            for rows in &entities[range] {
                let mut history = History::new(&asked);
                for moment in rows.chunk_by(|a, b| times[*a] == times[*b]) {
                    made.extend(moment.iter().map(|&row| (row, history.values(&asked, times[row], self.live_for))));
                    for &row in moment.iter().filter(|row| **row < silent) {
                        let values: Vec<f64> = numbers.iter().map(|column| column[row]).collect();
                        history.push(&asked, times[row], &values);
                    }
                }
            }
            made
        });
        let mut features = vec![vec![f64::NAN; events.rows()]; asked.len()];
        for (row, values) in made.into_iter().flatten() {
            features.iter_mut().zip(values).for_each(|(column, value)| column[row] = value);
        }
        Ok(features)
    }

    /// The same features, live: nothing has happened yet.
    ///
    /// # Errors
    /// Windows out of range.
    pub fn live(&self) -> Result<LiveSeries> {
        Ok(LiveSeries::new(self.asked()?, self.columns().len(), self.live_for))
    }

    /// The name by which a [`LiveSeries`] knows the entity of a cell; none for a missing one.
    ///
    /// # Errors
    /// A cell that names nobody: a point in time.
    pub fn key(cell: &Cell, levels: Option<&stagewise_core::schema::Levels>) -> Result<Option<String>> {
        Ok(match cell {
            Cell::Missing => None,
            Cell::Number(x) => Some(number_text(*x)),
            Cell::Flag(flag) => Some(flag.to_string()),
            Cell::Text(text) | Cell::NewLevel(text) => Some(text.to_string()),
            Cell::Level(code) => levels.and_then(|levels| levels.name(*code)).map(ToString::to_string),
            Cell::Timestamp(_) => {
                return Err(SchemaError::WrongKind { expected: Kind::Category, found: Kind::Timestamp }.into());
            }
        })
    }

    pub(crate) fn asked(&self) -> Result<Vec<Asked>> {
        let micros = self.live_for.unwrap_or(1);
        ParameterError::check(micros > 0, "live_for", micros, "more than 0 microseconds")?;
        ParameterError::check(!self.features.is_empty(), "features", "none", "at least one")?;
        let columns = self.columns();
        let place = |name: &str| columns.iter().position(|column| *column == name).unwrap_or(0);
        let asked = |feature: &Feature| {
            feature.past.check().at(|| Crumb::column(feature.name.as_str()))?;
            Ok((place(&feature.of), feature.past))
        };
        self.features.iter().map(asked).collect()
    }

    /// The rows of each entity in the order of their moments.
    fn rows_by_entity(&self, events: &Table, times: &[i64]) -> Result<Vec<Vec<usize>>> {
        let column = events.column(&self.entity)?;
        let levels = match column {
            Column::Category { levels, .. } => Some(levels.as_ref()),
            _ => None,
        };
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut entities: Vec<Vec<usize>> = Vec::new();
        for row in (0..events.rows()).filter(|&row| times[row] != MISSING_TIME) {
            let Some(key) = Self::key(&column.cell(row), levels).at(|| Crumb::column(self.entity.as_str()))? else {
                continue;
            };
            let place = *places.entry(key).or_insert(entities.len());
            if place == entities.len() {
                entities.push(Vec::new());
            }
            entities[place].push(row);
        }
        entities.iter_mut().for_each(|rows| rows.sort_by_key(|&row| times[row]));
        Ok(entities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{Statistic, Window};
    use stagewise_core::record::parse::timestamp;
    use stagewise_numeric::random::Stream;
    use stagewise_testkit::golden;

    fn events(rows: usize) -> Table {
        let mut stream = Stream::new(9, "series");
        let who: Vec<Option<&str>> =
            (0..rows).map(|_| (stream.below(20) > 0).then(|| ["a", "b", "c", "d"][stream.below(4)])).collect();
        // Many share a moment, and they come in no order.
        let at: Vec<i64> = (0..rows).map(|_| stream.below(rows) as i64 * 3_600_000_000 * 5).collect();
        let x: Vec<f64> = (0..rows).map(|_| if stream.below(6) == 0 { f64::NAN } else { stream.normal() }).collect();
        let y: Vec<f64> = (0..rows).map(|_| stream.unit()).collect();
        let columns = [
            ("who", Column::categories(who)),
            ("at", Column::timestamps(at)),
            ("x", Column::numbers(x)),
            ("y", Column::numbers(y)),
        ];
        Table::of(columns).unwrap()
    }

    fn all() -> Series {
        let mut series = Series::new("who", "at")
            .feature("lag", "x", Past::Lag(2))
            .feature("change", "y", Past::Difference(3))
            .feature("known", "x", Past::LastKnown)
            .feature("days", "x", Past::DaysSinceLast)
            .feature("ewma", "x", Past::Ewma { half_life: 2.5 })
            .feature("savgol", "y", Past::SavitzkyGolay { window: 7, degree: 2 })
            .feature("loess", "x", Past::Loess { window: 9 });
        let statistics = [
            Statistic::Count,
            Statistic::Sum,
            Statistic::Mean,
            Statistic::Deviation,
            Statistic::Least,
            Statistic::Most,
        ];
        for (i, statistic) in statistics.into_iter().enumerate() {
            series = series
                .feature(format!("rolling{i}"), "x", Past::Rolling(Window::Events(4), statistic))
                .feature(format!("days{i}"), "x", Past::Rolling(Window::days(3), statistic))
                .feature(format!("all{i}"), "x", Past::Expanding(statistic));
        }
        series
    }

    #[test]
    fn live_answers_are_those_of_the_table_bit_for_bit() {
        let (events, series) = (events(400), all());
        let table = series.compute(&events).unwrap();
        let mut live = series.live().unwrap();
        let mut order: Vec<usize> = (0..400).collect();
        let times = match events.column("at").unwrap() {
            Column::Timestamp(times) => times.to_vec(),
            _ => unreachable!(),
        };
        order.sort_by_key(|&row| times[row]);
        let number = |name: &str, row: usize| table.column(name).unwrap().as_numbers().unwrap()[row];
        let (who, levels) = events.column("who").unwrap().as_categories().unwrap();
        for moment in order.chunk_by(|a, b| times[*a] == times[*b]) {
            for &row in moment {
                let Some(name) = levels.name(who[row]) else { continue };
                let answers = live.at(name, times[row]).unwrap();
                for (feature, answer) in series.names().zip(answers) {
                    assert_eq!(answer.to_bits(), number(feature, row).to_bits(), "{feature} of row {row}");
                }
            }
            for &row in moment {
                let Some(name) = levels.name(who[row]) else { continue };
                live.push(name, times[row], &[number("x", row), number("y", row)]).unwrap();
            }
        }
    }

    #[test]
    fn a_row_sees_neither_itself_nor_its_moment_nor_later_ones() {
        let (whole, series) = (events(200), all());
        let table = series.compute(&whole).unwrap();
        let times = match whole.column("at").unwrap() {
            Column::Timestamp(times) => times.to_vec(),
            _ => unreachable!(),
        };
        for row in [0, 57, 199] {
            // Only what is earlier, and the row itself with another value.
            let mut kept: Vec<usize> = (0..200).filter(|&other| times[other] < times[row]).collect();
            kept.push(row);
            let (schema, mut columns) = whole.take(&kept).into_parts();
            columns[2].make_numbers().unwrap()[kept.len() - 1] = 1e9;
            let alone = series.compute(&Table::new(schema, columns).unwrap()).unwrap();
            for name in series.names() {
                let of = |table: &Table, row: usize| table.column(name).unwrap().as_numbers().unwrap()[row].to_bits();
                assert_eq!(of(&alone, kept.len() - 1), of(&table, row), "{name} of row {row}");
            }
        }
    }

    #[test]
    fn equals_pandas_and_scipy() {
        let golden = golden::load("series.json");
        for case in &golden.cases {
            let texts = case.value("/input/at").as_array().unwrap();
            let at: Vec<i64> = texts.iter().map(|text| timestamp(text.as_str().unwrap()).unwrap()).collect();
            let who: Vec<Option<&str>> =
                case.value("/input/who").as_array().unwrap().iter().map(|name| name.as_str()).collect();
            let table = Table::of([
                ("who", Column::categories(who)),
                ("at", Column::timestamps(at)),
                ("x", Column::numbers(case.numbers("/input/x"))),
            ]);
            let series = Series::new("who", "at")
                .feature("lag_2", "x", Past::Lag(2))
                .feature("difference_1", "x", Past::Difference(1))
                .feature("last_known", "x", Past::LastKnown)
                .feature("mean_4", "x", Past::Rolling(Window::Events(4), Statistic::Mean))
                .feature("std_4", "x", Past::Rolling(Window::Events(4), Statistic::Deviation))
                .feature("max_3_days", "x", Past::Rolling(Window::days(3), Statistic::Most))
                .feature("count_3_days", "x", Past::Rolling(Window::days(3), Statistic::Count))
                .feature("mean_all", "x", Past::Expanding(Statistic::Mean))
                .feature("min_all", "x", Past::Expanding(Statistic::Least))
                .feature("ewma", "x", Past::Ewma { half_life: 3.0 })
                .feature("savgol", "x", Past::SavitzkyGolay { window: 5, degree: 2 });
            let out = series.compute(&table.unwrap()).unwrap();
            for name in series.names() {
                let found = out.column(name).unwrap().as_numbers().unwrap();
                golden.assert_all_close(found, &case.numbers(&format!("/expected/{name}")), name);
            }
        }
    }

    #[test]
    fn cases_see_what_events_of_their_place_would_see() {
        let (events, series) = (events(300), all().live_for(4 * 86_400_000_000));
        let table = series.compute(&events).unwrap();
        let cases = events.select(&[0, 1]).unwrap();
        let at = series.at(&cases, &events).unwrap();
        for name in series.names() {
            let of = |table: &Table| -> Vec<u64> {
                table.column(name).unwrap().as_numbers().unwrap().iter().map(|x| x.to_bits()).collect()
            };
            assert_eq!(of(&at), of(&table), "{name}");
        }
        let stale = |table: &Table| table.column("rolling0").unwrap().missing_count();
        assert!(stale(&table) > stale(&all().compute(&events).unwrap()));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let table = events(10);
        let message = |series: Series| series.compute(&table).unwrap_err().to_string();
        assert!(message(Series::new("who", "at")).contains("features"));
        assert!(
            message(Series::new("who", "x").feature("a", "x", Past::Lag(1))).starts_with("column `x`: is a number")
        );
        assert!(message(Series::new("at", "at").feature("a", "x", Past::Lag(1))).starts_with("column `at`"));
        assert!(message(Series::new("who", "at").feature("a", "who", Past::Lag(1))).starts_with("column `who`"));
        assert!(message(Series::new("who", "at").feature("a", "x", Past::Lag(0))).starts_with("column `a`"));
        assert!(
            message(Series::new("who", "at").feature("x", "x", Past::Lag(1))).contains("two columns are named `x`")
        );
    }
}
