//! A definition of features that others can rely on.

use serde::{Deserialize, Serialize};
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::exhibit::{Block, Exhibit, Section};
use stagewise_core::persist::Persist;
use stagewise_core::table::Table;

use crate::series::Series;

/// Features of an entity's past under a name and a version.
///
/// What a version means does not change: a [`FeatureStore`](super::FeatureStore) refuses another definition under the same
/// name and version.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_features::series::{Past, Series};
/// use stagewise_features::store::{FeatureStore, FeatureView, MemoryStore};
///
/// let series = Series::new("client", "at").feature("paid_last", "paid", Past::Lag(1));
/// let view = FeatureView::new("payments", 1, series).owner("risk team").description("What a client paid before");
///
/// let clients = Column::categories(["anna", "anna"].map(Some));
/// let events = Table::of([("client", clients), ("at", Column::timestamps([10, 20])), ("paid", Column::numbers([5.0, 7.0]))])?;
/// let case = Table::of([("client", Column::categories([Some("anna")])), ("at", Column::timestamps([30]))])?;
/// let offline = view.offline(&case, &events)?;
///
/// let mut store = FeatureStore::new(MemoryStore::default());
/// store.register(&view)?;
/// store.ingest("payments", 1, &events)?;
/// assert_eq!(store.at("payments", 1, "anna", 30)?, offline.column("paid_last")?.as_numbers()?);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureView {
    name: String,
    version: u32,
    owner: String,
    description: String,
    series: Series,
}

impl Persist for FeatureView {
    const TAG: &'static str = "FeatureView";
}

impl FeatureView {
    /// These features under a name, of letters, digits, `_` and `-`, and a version.
    pub fn new(name: impl Into<String>, version: u32, series: Series) -> Self {
        Self { name: name.into(), version, owner: String::new(), description: String::new(), series }
    }

    /// Who answers for it. Default: nobody.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = owner.into();
        self
    }

    /// What it tells, for people. Default: nothing.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Its features.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// The features of each case by the events before it, behind the columns of the cases.
    ///
    /// # Errors
    /// As [`Series::at`].
    pub fn offline(&self, cases: &Table, events: &Table) -> Result<Table> {
        self.series.at(cases, events)
    }

    pub(super) fn check(&self) -> Result<()> {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let valid = !self.name.is_empty() && self.name.chars().all(good);
        ParameterError::check(valid, "name", &self.name, "letters, digits, `_` and `-`")?;
        self.series.asked().map(drop)
    }
}

impl Exhibit for FeatureView {
    fn exhibit(&self) -> Section {
        let fact = |name: &str, value: &str| (name.to_string(), value.to_string());
        let facts = vec![
            fact("version", &self.version.to_string()),
            fact("owner", if self.owner.is_empty() { "nobody" } else { &self.owner }),
            fact("entity", self.series.entity()),
            fact("time", self.series.time()),
            fact("features", &self.series.names().collect::<Vec<_>>().join(", ")),
        ];
        let section = Section::new(format!("Features `{}`", self.name));
        let section = if self.description.is_empty() { section } else { section.text(self.description.clone()) };
        section.block(Block::Facts(facts))
    }
}
