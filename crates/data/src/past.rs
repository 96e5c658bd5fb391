//! Joins values to cases as they were known at the time, never as they are known today.
//!
//! A value has two times: since when it holds, and since when it is known. A table that is joined by the first alone
//! hands the model corrections and late bookings that nobody had at its moment. Both must be at or before it, so
//! a row counts from the later of the two on; per entity the rows are sorted by that moment, the best row up to each is
//! kept, and a case is one binary search.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_core::error::{At, Crumb, DataError, Error, ParameterError, Result, SchemaError};
use stagewise_core::exhibit::{Block, Exhibit, Section};
use stagewise_core::persist::Persist;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::table::Table;

/// Joins timelines to cases: the latest value of each entity that was known at the moment of the case.
///
/// A row of a timeline is joined to a case if it is of the same entity, `value time <= moment` and
/// `known since <= moment`. Of several such rows the one with the greatest value time is taken; of equal ones the
/// one known last, a correction; of equal ones again the last in the table. If that row is older than the time to live,
/// nothing is joined. A case without an entity or a time is joined to nothing, a row without entity or times joins
/// nothing; both are counted. `O(m log m + n log m)` per timeline.
///
/// Checked against a search through all pairs. As in Feast (`get_historical_features`), but with the time since when a
/// value is known always heeded.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::{Timeline, PointInTime};
///
/// let loans = Table::of([("client", Column::numbers([7.0, 7.0])), ("asked", Column::timestamps([10, 20]))])?;
/// let scores = Table::of([
///     ("client", Column::numbers([7.0, 7.0])),
///     ("holds", Column::timestamps([5, 8])),
///     ("known", Column::timestamps([6, 15])),
///     ("score", Column::numbers([300.0, 650.0])),
/// ])?;
/// let join = PointInTime::new(["client"], "asked").timeline(Timeline::new("scores", "holds").known("known"));
/// let joined = join.join(&loans, &[&scores])?;
/// // At 10 the value of 8 was not known yet.
/// assert_eq!(joined.table.column("score")?, &Column::numbers([300.0, 650.0]));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PointInTime {
    entity: Vec<String>,
    moment: String,
    timelines: Vec<Timeline>,
}

impl Persist for PointInTime {
    const TAG: &'static str = "PointInTime";
}

/// A table of values over time, and how it is joined.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeline {
    name: String,
    time: String,
    known: Option<String>,
    entity: Option<Vec<String>>,
    columns: Option<Vec<String>>,
    prefix: String,
    live: Option<i64>,
}

impl Timeline {
    /// A timeline called `name`, whose values hold since the column `time`.
    pub fn new(name: impl Into<String>, time: impl Into<String>) -> Self {
        Self { name: name.into(), time: time.into(), ..Self::default() }
    }

    /// The column that says since when a value is known. Default: none; then a value counts as known since it holds,
    /// and the report says so.
    #[must_use]
    pub fn known(mut self, column: impl Into<String>) -> Self {
        self.known = Some(column.into());
        self
    }

    /// The columns that name the entity here, in the order of those of the cases. Default: the same names.
    #[must_use]
    pub fn entity<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.entity = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// The columns to join. Default: all but entity and times.
    #[must_use]
    pub fn columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// What stands before the names of the joined columns. Default: nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long after its time a value may still be joined, that moment included. Default: for ever.
    #[must_use]
    pub fn live(mut self, time: Duration) -> Self {
        self.live = Some(i64::try_from(time.as_micros()).unwrap_or(i64::MAX));
        self
    }
}

/// The cases with what was known of them, and how the join went.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// The cases in their order, the joined columns behind their own.
    pub table: Table,
    /// One account per timeline, in order.
    pub timelines: Vec<JoinAccount>,
}

/// How the join of one timeline went, in rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JoinAccount {
    /// The timeline.
    pub name: String,
    /// Whether it does not say since when values are known.
    pub optimistic: bool,
    /// Cases with a value.
    pub joined: usize,
    /// Cases whose latest value was too old.
    pub expired: usize,
    /// Cases of an entity of which nothing was known yet.
    pub early: usize,
    /// Cases of an entity that the timeline does not have.
    pub unknown: usize,
    /// Cases without an entity or a time.
    pub nameless: usize,
    /// Rows of the timeline without an entity or a time.
    pub unusable: usize,
}

impl PointInTime {
    /// Cases of the entity that these columns name together, at the moments of the column `moment`.
    pub fn new<S: Into<String>>(entity: impl IntoIterator<Item = S>, moment: impl Into<String>) -> Self {
        Self { entity: entity.into_iter().map(Into::into).collect(), moment: moment.into(), timelines: Vec::new() }
    }

    /// Adds a timeline.
    #[must_use]
    pub fn timeline(mut self, timeline: Timeline) -> Self {
        self.timelines.push(timeline);
        self
    }

    /// Joins the timelines, given in the order in which they were added.
    ///
    /// # Errors
    /// [`ParameterError`] without an entity, [`DataError::Length`] for another number of tables than timelines,
    /// [`SchemaError::MissingColumn`], [`SchemaError::WrongKind`] for a time that is no timestamp or an entity of another
    /// kind than that of the cases, [`SchemaError::DuplicateColumn`] for a joined name that is taken: see
    /// [`Timeline::prefix`].
    pub fn join(&self, cases: &Table, timelines: &[&Table]) -> Result<Joined> {
        ParameterError::check(!self.entity.is_empty(), "entity", "no column", "one column or more")?;
        if timelines.len() != self.timelines.len() {
            let (expected, found) = (self.timelines.len(), timelines.len());
            return Err(DataError::Length { what: "tables to join".into(), expected, found }.into());
        }
        let times = times(cases, &self.moment)?;
        let mut fields: Vec<Field> = cases.schema().fields().to_vec();
        let mut columns: Vec<Column> = cases.columns().to_vec();
        let mut accounts = Vec::new();
        for (timeline, table) in self.timelines.iter().zip(timelines) {
            let entity = timeline.entity.as_ref().unwrap_or(&self.entity);
            let (left, right) = keys(cases, &self.entity, table, entity)?;
            let mut account = JoinAccount { name: timeline.name.clone(), ..JoinAccount::default() };
            let rows = latest(timeline, table, &left, &right, times, &mut account)?;
            for name in timeline.joined(table, entity) {
                let place = table.schema().require(&name)?;
                let (Some(field), Some(column)) = (table.schema().fields().get(place), table.columns().get(place))
                else {
                    continue;
                };
                let column = gathered(column, &rows);
                let mut field = field.clone();
                field.name = Arc::from(format!("{}{name}", timeline.prefix));
                field.missing = column.missing_count() > 0;
                field.origin = Arc::from([field.name.clone()]);
                fields.push(field);
                columns.push(column);
            }
            accounts.push(account);
        }
        let table = Table::sized(Arc::new(Schema::new(fields)?), columns, cases.rows())?;
        Ok(Joined { table, timelines: accounts })
    }
}

impl Timeline {
    fn joined(&self, table: &Table, entity: &[String]) -> Vec<String> {
        if let Some(columns) = &self.columns {
            return columns.clone();
        }
        let times = [Some(&self.time), self.known.as_ref()];
        let kept = |name: &String| !entity.contains(name) && !times.contains(&Some(name));
        table.schema().names().into_iter().filter(kept).collect()
    }
}

/// Per case the row of the timeline that was the latest known.
fn latest(
    timeline: &Timeline,
    table: &Table,
    left: &[Option<u32>],
    right: &[Option<u32>],
    cases: &[i64],
    account: &mut JoinAccount,
) -> Result<Vec<Option<usize>>> {
    let since = times(table, &timeline.time)?;
    let known = timeline.known.as_ref().map_or(Ok(since), |name| times(table, name))?;
    account.optimistic = timeline.known.is_none();
    // Entity, moment from which the row counts, row.
    let mut rows: Vec<(u32, i64, usize)> = Vec::with_capacity(right.len());
    for (row, ((key, &since), &known)) in right.iter().zip(since).zip(known).enumerate() {
        match key {
            Some(key) if since != MISSING_TIME && known != MISSING_TIME => rows.push((*key, since.max(known), row)),
            _ => account.unusable += 1,
        }
    }
    rows.sort_unstable();
    // The best row of the entity up to each place.
    let rank = |row: usize| (since.get(row), known.get(row), row);
    let mut best: Vec<usize> = Vec::with_capacity(rows.len());
    for (place, &(key, _, row)) in rows.iter().enumerate() {
        let before =
            best.last().copied().filter(|_| place.checked_sub(1).and_then(|p| rows.get(p)).map(|r| r.0) == Some(key));
        best.push(before.map_or(row, |before| if rank(before) > rank(row) { before } else { row }));
    }
    let found = left.iter().zip(cases).map(|(key, &case)| {
        let Some(key) = key.filter(|_| case != MISSING_TIME) else {
            account.nameless += 1;
            return None;
        };
        let end = rows.partition_point(|&(k, counts, _)| (k, counts) <= (key, case));
        let place = end.checked_sub(1).filter(|&place| rows.get(place).is_some_and(|r| r.0 == key));
        let Some(row) = place.and_then(|place| best.get(place).copied()) else {
            let there = rows.get(end).is_some_and(|r| r.0 == key);
            *(if there { &mut account.early } else { &mut account.unknown }) += 1;
            return None;
        };
        let age = case.saturating_sub(since.get(row).copied().unwrap_or(case));
        if timeline.live.is_some_and(|live| age > live) {
            account.expired += 1;
            return None;
        }
        account.joined += 1;
        Some(row)
    });
    Ok(found.collect())
}

fn times<'a>(table: &'a Table, name: &str) -> Result<&'a [i64]> {
    match table.column(name)? {
        Column::Timestamp(times) => Ok(times),
        other => {
            Err(SchemaError::WrongKind { expected: Kind::Timestamp, found: other.kind() }).at(|| Crumb::column(name))
        }
    }
}

/// The entity of each row as a number, the same in both tables; none if a part of it is missing.
type Keys = (Vec<Option<u32>>, Vec<Option<u32>>);

fn keys(left: &Table, left_names: &[String], right: &Table, right_names: &[String]) -> Result<Keys> {
    if left_names.len() != right_names.len() {
        let (expected, found) = (left_names.len(), right_names.len());
        return Err(DataError::Length { what: "columns of the entity".into(), expected, found }.into());
    }
    let mut keys: Option<Keys> = None;
    for (name, other) in left_names.iter().zip(right_names) {
        let (a, b) = (left.column(name)?, right.column(other)?);
        let part = codes(a, b).map_err(|e| e.at(Crumb::column(other.as_str())))?;
        keys = Some(match keys {
            None => part,
            Some((left, right)) => {
                let mut seen = HashMap::new();
                (paired(&left, &part.0, &mut seen), paired(&right, &part.1, &mut seen))
            }
        });
    }
    keys.ok_or_else(|| {
        ParameterError { name: "entity", value: "no column".into(), allowed: "one column or more" }.into()
    })
}

fn paired(a: &[Option<u32>], b: &[Option<u32>], seen: &mut HashMap<(u32, u32), u32>) -> Vec<Option<u32>> {
    a.iter().zip(b).map(|(a, b)| a.zip(*b).map(|pair| numbered(seen, pair))).collect()
}

/// The number of a value: how many others were seen before it.
fn numbered<K: Eq + Hash>(seen: &mut HashMap<K, u32>, value: K) -> u32 {
    let next = seen.len() as u32;
    *seen.entry(value).or_insert(next)
}

/// Equal numbers for equal values in both columns. Text and levels are equal by their text, 0 and -0 are one number.
fn codes(left: &Column, right: &Column) -> Result<Keys> {
    let text = |kind: Kind| matches!(kind, Kind::Category | Kind::Text);
    if left.kind() != right.kind() && !(text(left.kind()) && text(right.kind())) {
        return Err(SchemaError::WrongKind { expected: left.kind(), found: right.kind() }.into());
    }
    let mut texts: HashMap<Arc<str>, u32> = HashMap::new();
    let mut words: HashMap<u64, u32> = HashMap::new();
    let mut of = |column: &Column| -> Result<Vec<Option<u32>>> {
        Ok(match column {
            Column::Number(values) => {
                values.iter().map(|&x| (!x.is_nan()).then(|| numbered(&mut words, (x + 0.0).to_bits()))).collect()
            }
            Column::Flag(values) => values.iter().map(|v| v.map(|v| numbered(&mut words, u64::from(v)))).collect(),
            Column::Timestamp(values) => {
                values.iter().map(|&t| (t != MISSING_TIME).then(|| numbered(&mut words, t.cast_unsigned()))).collect()
            }
            Column::Text(values) => {
                values.iter().map(|v| v.as_ref().map(|v| numbered(&mut texts, v.clone()))).collect()
            }
            Column::Category { codes, levels } => {
                let map: Vec<u32> = levels.iter().map(|name| numbered(&mut texts, name.clone())).collect();
                codes.iter().map(|&code| map.get(code as usize).copied()).collect()
            }
            other => {
                return Err(Error::from(SchemaError::WrongKind { expected: Kind::Category, found: other.kind() }));
            }
        })
    };
    let right = of(right)?;
    Ok((of(left)?, right))
}

/// The values of these rows; missing where there is none.
fn gathered(column: &Column, rows: &[Option<usize>]) -> Column {
    fn pick<V: Clone>(values: &[V], rows: &[Option<usize>], missing: &V) -> Arc<Vec<V>> {
        Arc::new(rows.iter().map(|row| row.and_then(|row| values.get(row)).unwrap_or(missing).clone()).collect())
    }
    match column {
        Column::Number(values) => Column::Number(pick(values, rows, &f64::NAN)),
        Column::Flag(values) => Column::Flag(pick(values, rows, &None)),
        Column::Text(values) => Column::Text(pick(values, rows, &None)),
        Column::Timestamp(values) => Column::Timestamp(pick(values, rows, &MISSING_TIME)),
        Column::Category { codes, levels } => {
            Column::Category { codes: pick(codes, rows, &MISSING_CODE), levels: levels.clone() }
        }
        other => Column::missing(other.kind(), rows.len()),
    }
}

impl Exhibit for Joined {
    fn exhibit(&self) -> Section {
        let headings =
            ["timeline", "joined", "too old", "not known yet", "unknown entity", "no entity or time", "unusable rows"];
        let row = |a: &JoinAccount| {
            let counts = [a.joined, a.expired, a.early, a.unknown, a.nameless, a.unusable];
            std::iter::once(a.name.clone()).chain(counts.map(|n| n.to_string())).collect()
        };
        let rows = self.timelines.iter().map(row).collect();
        let mut section = Section::new("Join as of each case")
            .text(format!("{} cases", self.table.rows()))
            .block(Block::Table { columns: headings.map(String::from).to_vec(), rows });
        for account in self.timelines.iter().filter(|a| a.optimistic) {
            let warning = "does not say since when values are known: late bookings and corrections may be among them";
            section = section.block(Block::Warning(format!("`{}` {warning}", account.name)));
        }
        section
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cases(clients: &[f64], at: &[i64]) -> Table {
        Table::of([("client", Column::numbers(clients.to_vec())), ("at", Column::timestamps(at.to_vec()))]).unwrap()
    }

    fn values(rows: &[(f64, i64, i64)]) -> Table {
        Table::of([
            ("client", Column::numbers(rows.iter().map(|r| r.0).collect::<Vec<_>>())),
            ("holds", Column::timestamps(rows.iter().map(|r| r.1).collect::<Vec<_>>())),
            ("known", Column::timestamps(rows.iter().map(|r| r.2).collect::<Vec<_>>())),
            ("v", Column::numbers((0..rows.len()).map(|i| i as f64).collect::<Vec<_>>())),
        ])
        .unwrap()
    }

    fn timeline() -> Timeline {
        Timeline::new("values", "holds").known("known")
    }

    #[test]
    fn ties_go_to_the_correction_and_then_to_the_last_row() {
        let values = values(&[(1.0, 5, 5), (1.0, 5, 7), (1.0, 5, 7), (1.0, 4, 9)]);
        let join = PointInTime::new(["client"], "at").timeline(timeline());
        let joined = join.join(&cases(&[1.0, 1.0, 1.0, 1.0], &[4, 5, 7, 9]), &[&values]).unwrap();
        assert_eq!(joined.table.column("v").unwrap(), &Column::numbers([f64::NAN, 0.0, 2.0, 2.0]));
        assert_eq!((joined.timelines[0].early, joined.timelines[0].joined), (1, 3));
    }

    #[test]
    fn old_values_missing_parts_and_unknown_entities_are_counted() {
        let values = values(&[(1.0, 0, 0), (f64::NAN, 1, 1), (1.0, MISSING_TIME, 1), (1.0, 1, MISSING_TIME)]);
        let join = PointInTime::new(["client"], "at").timeline(timeline().live(Duration::from_micros(3)));
        let cases = cases(&[1.0, 1.0, 2.0, f64::NAN, 1.0], &[3, 4, 3, 3, MISSING_TIME]);
        let joined = join.join(&cases, &[&values]).unwrap();
        let account = &joined.timelines[0];
        assert_eq!((account.joined, account.expired, account.unknown, account.nameless), (1, 1, 1, 2));
        assert_eq!((account.unusable, account.optimistic, account.early), (3, false, 0));
        assert_eq!(joined.table.column("v").unwrap().missing_count(), 4);
    }

    #[test]
    fn several_timelines_and_columns_of_an_entity_are_joined() {
        let left = Table::of([
            ("shop", Column::categories([Some("a"), Some("b"), Some("a")])),
            ("item", Column::numbers([1.0, 1.0, 2.0])),
            ("at", Column::timestamps([9, 9, 9])),
        ])
        .unwrap();
        let prices = Table::of([
            ("store", Column::texts([Some("b"), Some("a")])),
            ("item", Column::numbers([1.0, 1.0])),
            ("since", Column::timestamps([1, 2])),
            ("price", Column::categories([Some("low"), Some("high")])),
        ])
        .unwrap();
        let again = prices.clone();
        let timeline = Timeline::new("prices", "since").entity(["store", "item"]).columns(["price"]);
        let join =
            PointInTime::new(["shop", "item"], "at").timeline(timeline.clone()).timeline(timeline.clone().prefix("p_"));
        let joined = join.join(&left, &[&prices, &again]).unwrap();
        assert_eq!(joined.table.schema().names(), ["shop", "item", "at", "price", "p_price"]);
        let expected = Column::categories([Some("high"), Some("low"), None]);
        assert_eq!(joined.table.column("p_price").unwrap(), &expected);
        assert!(joined.timelines[0].optimistic);
        let twice = PointInTime::new(["shop", "item"], "at").timeline(timeline.clone()).timeline(timeline.clone());
        assert_eq!(
            twice.join(&left, &[&prices, &again]).unwrap_err().to_string(),
            "two columns are named `price`; rename one"
        );
        let wrong = PointInTime::new(["item", "shop"], "at").timeline(timeline);
        let error = wrong.join(&left, &[&prices]).unwrap_err().to_string();
        assert_eq!(error, "column `store`: is a text, a number is needed");
        let none = PointInTime::new(["item"], "shop").join(&left, &[]).unwrap_err().to_string();
        assert_eq!(none, "column `shop`: is a category, a timestamp is needed");
    }

    /// Every pair looked at, in the words of the documentation.
    fn by_hand(case: (f64, i64), rows: &[(f64, i64, i64)], live: Option<i64>) -> f64 {
        let mut best: Option<(i64, i64, usize)> = None;
        for (row, &(client, holds, known)) in rows.iter().enumerate() {
            if client == case.0 && holds <= case.1 && known <= case.1 {
                best = best.max(Some((holds, known, row)));
            }
        }
        match best {
            Some((holds, _, row)) if live.is_none_or(|live| case.1 - holds <= live) => row as f64,
            _ => f64::NAN,
        }
    }

    proptest! {
        #[test]
        fn the_join_is_the_search_through_all_pairs(
            rows in prop::collection::vec((0..4_u8, 0..12_i64, 0..12_i64), 0..40),
            asked in prop::collection::vec((0..5_u8, -1..14_i64), 0..30),
            live in prop::option::of(0..6_i64),
        ) {
            let rows: Vec<_> = rows.into_iter().map(|(c, h, k)| (f64::from(c), h, k)).collect();
            let clients: Vec<f64> = asked.iter().map(|a| f64::from(a.0)).collect();
            let at: Vec<i64> = asked.iter().map(|a| a.1).collect();
            let mut timeline = timeline();
            if let Some(live) = live {
                timeline = timeline.live(Duration::from_micros(live.cast_unsigned()));
            }
            let join = PointInTime::new(["client"], "at").timeline(timeline);
            let joined = join.join(&cases(&clients, &at), &[&values(&rows)]).unwrap();
            let expected: Vec<f64> = clients.iter().zip(&at).map(|(&c, &t)| by_hand((c, t), &rows, live)).collect();
            prop_assert_eq!(joined.table.column("v").unwrap(), &Column::numbers(expected));
            let a = &joined.timelines[0];
            prop_assert_eq!(a.joined + a.expired + a.early + a.unknown + a.nameless, asked.len());
        }
    }
}
