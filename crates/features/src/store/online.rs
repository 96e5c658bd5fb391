//! The live side: told of events, asked for features.

use std::collections::BTreeMap;

use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::{At, Crumb, ParameterError, Result, SchemaError};
use stagewise_core::persist::{decode, encode};
use stagewise_core::schema::Kind;
use stagewise_core::table::Table;

use super::view::FeatureView;
use crate::series::Series;
use crate::series::history::History;
use crate::series::live;

/// Where a store keeps what it knows: bytes by key.
pub trait KeyValue {
    /// The bytes under a key.
    ///
    /// # Errors
    /// Whatever the storage gives.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;

    /// Puts several entries, all or none.
    ///
    /// # Errors
    /// Whatever the storage gives.
    fn put(&mut self, entries: Vec<(String, Vec<u8>)>) -> Result<()>;
}

/// Keeps entries in memory, as long as the process lives.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(BTreeMap<String, Vec<u8>>);

impl KeyValue for MemoryStore {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(key).cloned())
    }

    fn put(&mut self, entries: Vec<(String, Vec<u8>)>) -> Result<()> {
        self.0.extend(entries);
        Ok(())
    }
}

/// Feature views and, per entity, what is known of its past. See [`FeatureView`] for an example.
#[derive(Debug)]
pub struct FeatureStore<S: KeyValue> {
    storage: S,
}

impl<S: KeyValue> FeatureStore<S> {
    /// A store on what the storage knows already.
    pub fn new(storage: S) -> Self {
        Self { storage }
    }

    /// Takes up a view. The same again changes nothing.
    ///
    /// # Errors
    /// [`ParameterError`] for a name that none can have, and for another definition under a name and version that are taken.
    pub fn register(&mut self, view: &FeatureView) -> Result<()> {
        view.check()?;
        let key = view_key(view.name(), view.version());
        let bytes = encode("FeatureView", view)?;
        if let Some(known) = self.storage.get(&key)? {
            let same = decode::<FeatureView>("FeatureView", &known)?.series() == view.series();
            let version = view.version();
            let allowed = "a version that no other definition of the name has";
            ParameterError::check(same, "version", format!("{version} of `{}`", view.name()), allowed)?;
        }
        self.storage.put(vec![(key, bytes)])
    }

    /// A view by its name and version.
    ///
    /// # Errors
    /// [`ParameterError`] for one that was not registered.
    pub fn view(&self, name: &str, version: u32) -> Result<FeatureView> {
        let bytes = self.storage.get(&view_key(name, version))?;
        let allowed = "a view that was registered";
        ParameterError::check(bytes.is_some(), "view", format!("`{name}` version {version}"), allowed)?;
        decode("FeatureView", &bytes.unwrap_or_default())
    }

    /// Takes one event: a value for each of [`Series::columns`].
    ///
    /// # Errors
    /// A view that is not there; values too few or too many; an event before the last of its entity.
    pub fn push(&mut self, name: &str, version: u32, entity: &str, moment: i64, values: &[f64]) -> Result<()> {
        let view = self.view(name, version)?;
        let asked = view.series().asked()?;
        let key = entity_key(&view, entity);
        let mut history = self.history(&key)?.unwrap_or_else(|| History::new(&asked));
        live::push(&mut history, &asked, view.series().columns().len(), moment, values)?;
        self.storage.put(vec![(key, encode("History", &history)?)])
    }

    /// Takes a table of events, in the order of their moments; those without entity or moment are left out. All or none.
    /// Returns how many were taken.
    ///
    /// # Errors
    /// As [`push`](Self::push), and a table that [`Series::compute`] would refuse.
    pub fn ingest(&mut self, name: &str, version: u32, events: &Table) -> Result<usize> {
        let view = self.view(name, version)?;
        let series = view.series();
        let (asked, columns) = (series.asked()?, series.columns());
        let times = match events.column(series.time())? {
            Column::Timestamp(times) => times,
            other => {
                let error = SchemaError::WrongKind { expected: Kind::Timestamp, found: other.kind() };
                return Err(error).at(|| Crumb::column(series.time()));
            }
        };
        let numbers = columns
            .iter()
            .map(|name| events.column(name)?.as_numbers().at(|| Crumb::column(*name)))
            .collect::<Result<Vec<_>>>()?;
        let entities = events.column(series.entity())?;
        let levels = entities.as_categories().ok().map(|(_, levels)| levels.as_ref());
        let mut rows: Vec<usize> = (0..events.rows()).filter(|&row| times[row] != MISSING_TIME).collect();
        rows.sort_by_key(|&row| times[row]);
        let mut known: BTreeMap<String, History> = BTreeMap::new();
        let mut taken = 0;
        for row in rows {
            let Some(entity) = Series::key(&entities.cell(row), levels).at(|| Crumb::column(series.entity()))? else {
                continue;
            };
            let key = entity_key(&view, &entity);
            if !known.contains_key(&key) {
                let history = self.history(&key)?.unwrap_or_else(|| History::new(&asked));
                known.insert(key.clone(), history);
            }
            let Some(history) = known.get_mut(&key) else { continue };
            let values: Vec<f64> = numbers.iter().map(|column| column[row]).collect();
            live::push(history, &asked, columns.len(), times[row], &values).at(|| Crumb::column(series.time()))?;
            taken += 1;
        }
        let entries = known.into_iter().map(|(key, history)| Ok((key, encode("History", &history)?)));
        self.storage.put(entries.collect::<Result<_>>()?)?;
        Ok(taken)
    }

    /// The features of an entity at a moment, in the order of [`Series::names`].
    ///
    /// # Errors
    /// A view that is not there; a moment that is not after the last event of the entity.
    pub fn at(&self, name: &str, version: u32, entity: &str, moment: i64) -> Result<Vec<f64>> {
        let view = self.view(name, version)?;
        let asked = view.series().asked()?;
        let history = self.history(&entity_key(&view, entity))?.unwrap_or_else(|| History::new(&asked));
        live::at(&history, &asked, moment, view.series().lives_for())
    }

    /// How old the last event of an entity is at a moment, in microseconds; none for one never heard of.
    ///
    /// # Errors
    /// A view that is not there.
    pub fn freshness(&self, name: &str, version: u32, entity: &str, moment: i64) -> Result<Option<i64>> {
        let view = self.view(name, version)?;
        let last = self.history(&entity_key(&view, entity))?.and_then(|history| history.last());
        Ok(last.map(|last| moment.saturating_sub(last)))
    }

    fn history(&self, key: &str) -> Result<Option<History>> {
        self.storage.get(key)?.map(|bytes| decode("History", &bytes)).transpose()
    }
}

fn view_key(name: &str, version: u32) -> String {
    format!("view/{name}/{version}")
}

fn entity_key(view: &FeatureView, entity: &str) -> String {
    format!("past/{}/{}/{entity}", view.name(), view.version())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::series::{Past, Statistic, Window};
    use stagewise_numeric::random::Stream;

    pub(in crate::store) fn events(rows: usize) -> Table {
        let mut stream = Stream::new(3, "store");
        let who: Vec<Option<&str>> = (0..rows).map(|_| Some(["a", "b/1", "ß"][stream.below(3)])).collect();
        let at: Vec<i64> = (0..rows).map(|row| row as i64 * 3_600_000_000).collect();
        let x: Vec<f64> = (0..rows).map(|_| if stream.below(6) == 0 { f64::NAN } else { stream.normal() }).collect();
        Table::of([("who", Column::categories(who)), ("at", Column::timestamps(at)), ("x", Column::numbers(x))])
            .unwrap()
    }

    pub(in crate::store) fn view() -> FeatureView {
        let series = Series::new("who", "at")
            .feature("lag", "x", Past::Lag(2))
            .feature("mean", "x", Past::Rolling(Window::hours(9), Statistic::Mean))
            .feature("all", "x", Past::Expanding(Statistic::Deviation))
            .feature("ewma", "x", Past::Ewma { half_life: 2.0 })
            .live_for(20 * 3_600_000_000);
        FeatureView::new("events", 1, series)
    }

    /// Tells a store of the events, in parts, and compares its answers with those from the table.
    pub(in crate::store) fn online_equals_offline(mut store: FeatureStore<impl KeyValue>) {
        let (all, view) = (events(90), view());
        store.register(&view).unwrap();
        let part = |rows: std::ops::Range<usize>| all.take(&rows.collect::<Vec<_>>());
        assert_eq!(store.ingest("events", 1, &part(0..50)).unwrap(), 50);
        assert_eq!(store.ingest("events", 1, &part(50..89)).unwrap(), 39);
        store.push("events", 1, "a", 89 * 3_600_000_000, &[0.25]).unwrap();
        let (schema, mut columns) = all.into_parts();
        columns[0] = Column::categories((0..90).map(|row| match (row, columns[0].as_categories().unwrap()) {
            (89, _) => Some("a"),
            (row, (codes, levels)) => levels.name(codes[row]).map(AsRef::as_ref),
        }));
        columns[2].make_numbers().unwrap()[89] = 0.25;
        let all = Table::new(schema, columns).unwrap();
        for moment in [90, 95, 150] {
            let moment = moment * 3_600_000_000;
            for entity in ["a", "b/1", "ß", "nobody"] {
                let case = [("who", Column::categories([Some(entity)])), ("at", Column::timestamps([moment]))];
                let offline = view.offline(&Table::of(case).unwrap(), &all).unwrap();
                let online = store.at("events", 1, entity, moment).unwrap();
                for (name, value) in view.series().names().zip(online) {
                    let expected = offline.column(name).unwrap().as_numbers().unwrap()[0];
                    assert_eq!(value.to_bits(), expected.to_bits(), "{name} of {entity} at {moment}");
                }
            }
        }
        assert_eq!(store.freshness("events", 1, "a", 90 * 3_600_000_000).unwrap(), Some(3_600_000_000));
        assert_eq!(store.freshness("events", 1, "nobody", 0).unwrap(), None);
    }

    #[test]
    fn in_memory_online_equals_offline() {
        online_equals_offline(FeatureStore::new(MemoryStore::default()));
    }

    #[test]
    fn a_version_keeps_its_meaning() {
        let mut store = FeatureStore::new(MemoryStore::default());
        let view = view();
        store.register(&view).unwrap();
        store.register(&view.clone().owner("someone else")).unwrap();
        let other = FeatureView::new("events", 1, Series::new("who", "at").feature("lag", "x", Past::Lag(1)));
        assert!(store.register(&other).unwrap_err().to_string().contains("1 of `events`"));
        assert_eq!(store.view("events", 1).unwrap().series(), view.series());
        assert!(store.at("events", 2, "a", 0).unwrap_err().to_string().contains("`events` version 2"));
        let slash = FeatureView::new("a/b", 1, view.series().clone());
        assert!(store.register(&slash).is_err());
    }

    #[test]
    fn a_table_is_taken_whole_or_not_at_all() {
        let mut store = FeatureStore::new(MemoryStore::default());
        store.register(&view()).unwrap();
        let late = events(10);
        store.push("events", 1, "ß", 5 * 3_600_000_000, &[1.0]).unwrap();
        assert!(store.ingest("events", 1, &late).is_err());
        assert_eq!(store.freshness("events", 1, "a", 0).unwrap(), None);
    }
}
