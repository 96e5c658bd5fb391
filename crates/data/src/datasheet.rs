//! Where a data set comes from, what it may be used for, and what is wrong with it, beside its fingerprint.
//!
//! The questions are those of the datasheets of Gebru et al. (2021): motivation, composition, collection, processing,
//! uses, distribution, maintenance. A constraint or a risk is not complete without what is done about it. The sheet holds
//! the fingerprint of the rows it speaks of, so that it cannot be shown beside others.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stagewise_core::error::{Crumb, Error, ParameterError, PersistError, Result};
use stagewise_core::exhibit::{Block, Exhibit, Section};
use stagewise_core::fingerprint::Fingerprint;
use stagewise_core::persist::Persist;
use stagewise_core::record::parse;
use stagewise_core::schema::{Kind, Role};
use stagewise_core::table::Table;

/// How the rows came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Written down, measured or labelled by people.
    Manual,
    /// Taken from pages that others published.
    Scraped,
    /// Recorded by a running system.
    Logged,
    /// Bought from a provider.
    Purchased,
    /// Made from other rows: jitter, mixtures.
    Augmented,
    /// Drawn from a model or a simulation.
    Synthetic,
}

impl Method {
    /// The method as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Scraped => "scraped",
            Self::Logged => "logged",
            Self::Purchased => "purchased",
            Self::Augmented => "augmented",
            Self::Synthetic => "synthetic",
        }
    }
}

/// Something that limits or endangers the use of the data, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// What it is.
    pub what: String,
    /// What is done about it.
    pub mitigation: String,
}

/// A file that holds the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its name.
    pub name: String,
    /// Where it can be had: a URL, or a path beside the sheet.
    pub url: String,
    /// Its format as a media type.
    pub format: String,
    /// How long it is, in bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Fingerprint,
}

impl DataFile {
    /// The file at `path`, to be had at `url`; the format by its ending. `O(bytes)`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(path: impl AsRef<Path>, url: impl Into<String>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        let text = |part: Option<&std::ffi::OsStr>| part.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
        let format = match text(path.extension()).to_ascii_lowercase().as_str() {
            "csv" => "text/csv",
            "tsv" => "text/tab-separated-values",
            "ndjson" | "jsonl" => "application/jsonlines",
            "parquet" => "application/vnd.apache.parquet",
            "arrow" | "ipc" | "feather" => "application/vnd.apache.arrow.file",
            _ => "application/octet-stream",
        };
        Ok(Self {
            name: text(path.file_name()),
            url: url.into(),
            format: format.into(),
            bytes: bytes.len() as u64,
            sha256: Fingerprint::of(&bytes),
        })
    }
}

/// A column, as the sheet knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataColumn {
    /// Its name.
    pub name: String,
    /// What it means.
    pub kind: Kind,
    /// What it is for.
    pub role: Role,
    /// In words.
    pub description: String,
}

/// The questions about a data set and their answers (Gebru et al. 2021, Datasheets for Datasets).
///
/// An answer that is not given is empty, and [`open`](Self::open) names it.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::{Datasheet, Method};
///
/// let table = Table::of([("income", Column::numbers([1800.0, 2400.0]))])?;
/// let sheet = Datasheet::new("loans", "Loans of one branch, one row each.")
///     .collected(Method::Logged, "exported from the booking system", "2024-01-01", "2024-12-31")
///     .risk("incomes are self-declared", "compared with the tax office for a sample of 200")
///     .licence("CC-BY-4.0")
///     .owner("Credit department")
///     .table(&table);
/// assert_eq!(sheet.open(), ["url", "published", "consent", "personal", "file"]);
/// sheet.verify(&table)?;
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Datasheet {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) url: String,
    pub(crate) version: String,
    pub(crate) motivation: String,
    pub(crate) method: Option<Method>,
    pub(crate) how: String,
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) constraints: Vec<Concern>,
    pub(crate) risks: Vec<Concern>,
    pub(crate) processing: String,
    pub(crate) uses: String,
    pub(crate) licence: String,
    pub(crate) consent: String,
    pub(crate) personal: String,
    pub(crate) owner: String,
    pub(crate) created: String,
    pub(crate) published: String,
    pub(crate) maintenance: String,
    pub(crate) files: Vec<DataFile>,
    pub(crate) rows: usize,
    pub(crate) columns: Vec<DataColumn>,
    pub(crate) fingerprint: Option<Fingerprint>,
}

impl Persist for Datasheet {
    const TAG: &'static str = "Datasheet";
}

/// Setters for answers in words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $name: impl Into<String>) -> Self {
                self.$name = $name.into();
                self
            }
        )*
    };
}

impl Datasheet {
    /// The sheet of a data set: its name, and in a sentence what a row is.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), ..Self::default() }
    }

    words! {
        /// Where the data set is described. Default: empty.
        url,
        /// Which version it is, as `1.0.0`. Default: empty.
        version,
        /// For what purpose it was made. Default: empty.
        motivation,
        /// What was done to the rows since they were collected: cleaning, labelling. Default: empty.
        processing,
        /// What it may and may not be used for. Default: empty.
        uses,
        /// On what terms it may be used: a URL or an SPDX name as `CC-BY-4.0`. Default: empty.
        licence,
        /// Whether the people in it were asked, and how they can withdraw. Default: empty.
        consent,
        /// Which personal data it holds, or that it holds none. Default: empty.
        personal,
        /// Who answers for it. Default: empty.
        owner,
        /// The day it was made, as `2024-02-29`. Default: empty.
        created,
        /// The day it was published, as `2024-02-29`. Default: empty.
        published,
        /// Who corrects it, and how long it is kept. Default: empty.
        maintenance,
    }

    /// How, in what way, and from which day until which the rows were collected; days as `2024-02-29`, or empty.
    #[must_use]
    pub fn collected(
        mut self,
        method: Method,
        how: impl Into<String>,
        from: impl Into<String>,
        until: impl Into<String>,
    ) -> Self {
        (self.method, self.how, self.from, self.until) = (Some(method), how.into(), from.into(), until.into());
        self
    }

    /// Adds something that limits what the data can say, and what is done about it.
    #[must_use]
    pub fn constraint(mut self, what: impl Into<String>, mitigation: impl Into<String>) -> Self {
        self.constraints.push(Concern { what: what.into(), mitigation: mitigation.into() });
        self
    }

    /// Adds something that may go wrong, and what is done about it.
    #[must_use]
    pub fn risk(mut self, what: impl Into<String>, mitigation: impl Into<String>) -> Self {
        self.risks.push(Concern { what: what.into(), mitigation: mitigation.into() });
        self
    }

    /// Adds a file that holds the rows.
    #[must_use]
    pub fn file(mut self, file: DataFile) -> Self {
        self.files.push(file);
        self
    }

    /// Takes number of rows, columns and fingerprint from the rows; words about columns stay. `O(cells)`.
    #[must_use]
    pub fn table(mut self, table: &Table) -> Self {
        let columns = table.schema().fields().iter().map(|field| {
            let known = self.columns.iter().find(|c| c.name == *field.name);
            let description = known.map(|c| c.description.clone()).unwrap_or_default();
            DataColumn { name: field.name.to_string(), kind: field.kind, role: field.role, description }
        });
        self.columns = columns.collect();
        self.rows = table.rows();
        self.fingerprint = Some(Fingerprint::of_table(table));
        self
    }

    /// What a column means, in words. A column that the table has not yet brought counts as a number until it does.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, description: impl Into<String>) -> Self {
        let (name, description) = (name.into(), description.into());
        match self.columns.iter_mut().find(|c| c.name == name) {
            Some(column) => column.description = description,
            None => self.columns.push(DataColumn { name, kind: Kind::Number, role: Role::Feature, description }),
        }
        self
    }

    /// The fingerprint of the rows, if they were given.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }

    /// The questions without an answer, among those that everyone must answer: by the name of the setter.
    pub fn open(&self) -> Vec<&'static str> {
        let mut open: Vec<&'static str> =
            self.needed().into_iter().filter_map(|(name, answer)| answer.trim().is_empty().then_some(name)).collect();
        if self.method.is_none() {
            open.push("collected");
        }
        if self.fingerprint.is_none() {
            open.push("table");
        }
        if self.files.is_empty() {
            open.push("file");
        }
        open
    }

    /// Checks days and concerns.
    ///
    /// # Errors
    /// [`ParameterError`] for a day that is none, an end before its beginning, a constraint or risk without a mitigation.
    pub fn check(&self) -> Result<()> {
        let days = [("collected", &self.from), ("collected", &self.until), ("created", &self.created)];
        for (name, day) in days.into_iter().chain([("published", &self.published)]) {
            let valid = day.is_empty() || (day.len() == 10 && parse::timestamp(day).is_some());
            ParameterError::check(valid, name, format!("`{day}`"), "a day as 2024-02-29")?;
        }
        let ordered = self.from.is_empty() || self.until.is_empty() || self.from <= self.until;
        ParameterError::check(
            ordered,
            "collected",
            format!("{} to {}", self.from, self.until),
            "a day and a later one",
        )?;
        for (name, concerns) in [("constraint", &self.constraints), ("risk", &self.risks)] {
            for concern in concerns {
                let met = !concern.what.trim().is_empty() && !concern.mitigation.trim().is_empty();
                let given = format!("`{}` without a mitigation", concern.what);
                ParameterError::check(met, name, given, "what it is, and what is done about it")?;
            }
        }
        Ok(())
    }

    /// Checks that these are the rows the sheet speaks of. `O(cells)`.
    ///
    /// # Errors
    /// [`PersistError::Damaged`] for other rows, or for a sheet that has no fingerprint.
    pub fn verify(&self, table: &Table) -> Result<()> {
        if self.fingerprint == Some(Fingerprint::of_table(table)) {
            return Ok(());
        }
        let part = format!("the data set `{}`, compared with its datasheet,", self.name);
        Err(PersistError::Damaged { part }.into())
    }

    /// Writes the sheet as JSON for people and programs.
    ///
    /// # Errors
    /// As [`check`](Self::check); a file that cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.check()?;
        let text = serde_json::to_string_pretty(self).map_err(Error::external)?;
        std::fs::write(path.as_ref(), text).map_err(|source| Error::io(path.as_ref(), source))
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// [`PersistError::Undecodable`] for a file that is no sheet; as [`check`](Self::check); a file that cannot be read.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
        let decoded = serde_json::from_str::<Self>(&text);
        let sheet = decoded.map_err(|e| {
            let error = PersistError::Undecodable { part: "the datasheet".into(), reason: e.to_string() };
            Error::from(error).at(Crumb::File(path.to_path_buf()))
        })?;
        sheet.check()?;
        Ok(sheet)
    }

    fn needed(&self) -> [(&'static str, &str); 8] {
        [
            ("name", &self.name),
            ("description", &self.description),
            ("url", &self.url),
            ("licence", &self.licence),
            ("owner", &self.owner),
            ("published", &self.published),
            ("consent", &self.consent),
            ("personal", &self.personal),
        ]
    }
}

impl Exhibit for Datasheet {
    fn exhibit(&self) -> Section {
        let collected = [self.method.map_or("", Method::name), &self.how, &self.from, &self.until];
        let collected = collected.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        let fingerprint = self.fingerprint.map(|f| f.to_string()).unwrap_or_default();
        let facts = [
            ("version", &self.version),
            ("motivation", &self.motivation),
            ("collected", &collected),
            ("processing", &self.processing),
            ("uses", &self.uses),
            ("licence", &self.licence),
            ("consent", &self.consent),
            ("personal data", &self.personal),
            ("owner", &self.owner),
            ("created", &self.created),
            ("published", &self.published),
            ("maintenance", &self.maintenance),
            ("described at", &self.url),
            ("fingerprint", &fingerprint),
        ];
        let facts = facts.into_iter().filter(|(_, answer)| !answer.is_empty());
        let facts = facts.map(|(name, answer)| (name.to_string(), answer.clone())).collect();
        let mut section = Section::new(format!("Datasheet of {}", self.name));
        section = section.text(self.description.clone()).block(Block::Facts(facts));
        let concern = |of: &str, c: &Concern| vec![of.to_string(), c.what.clone(), c.mitigation.clone()];
        let constraints = self.constraints.iter().map(|c| concern("constraint", c));
        let rows: Vec<_> = constraints.chain(self.risks.iter().map(|c| concern("risk", c))).collect();
        if !rows.is_empty() {
            let columns = ["concern", "what", "mitigation"].map(String::from).to_vec();
            section = section.block(Block::Table { columns, rows });
        }
        if !self.columns.is_empty() {
            let columns = ["column", "kind", "role", "description"].map(String::from).to_vec();
            let row =
                |c: &DataColumn| vec![c.name.clone(), c.kind.to_string(), c.role.to_string(), c.description.clone()];
            section = section.block(Block::Table { columns, rows: self.columns.iter().map(row).collect() });
        }
        let open = self.open();
        if open.is_empty() {
            section
        } else {
            section.block(Block::Warning(format!("no answer yet: {}", open.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::column::Column;

    fn table() -> Table {
        Table::of([("x", Column::numbers([1.0, 2.0])), ("ok", Column::flags([Some(true), None]))]).unwrap()
    }

    #[test]
    fn a_sheet_is_saved_with_its_fingerprint_and_knows_its_rows() {
        let sheet = Datasheet::new("a", "b").column("ok", "was paid").table(&table()).risk("r", "m");
        let path = std::env::temp_dir().join(format!("stagewise-datasheet-{}.json", std::process::id()));
        sheet.save(&path).unwrap();
        let loaded = Datasheet::load(&path).unwrap();
        assert_eq!(loaded, sheet);
        assert_eq!(loaded.columns[1].description, "was paid");
        loaded.verify(&table()).unwrap();
        let other = Table::of([("x", Column::numbers([1.0, 3.0]))]).unwrap();
        assert!(loaded.verify(&other).unwrap_err().to_string().contains("was changed"));
        std::fs::write(&path, "{\"name\": 1}").unwrap();
        assert!(Datasheet::load(&path).unwrap_err().to_string().contains("the datasheet does not decode"));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn days_and_mitigations_are_checked() {
        let refused = |sheet: Datasheet| sheet.check().unwrap_err().to_string();
        let sheet = Datasheet::new("a", "b");
        assert_eq!(
            refused(sheet.clone().published("2023-02-29")),
            "`published` is `2023-02-29`, allowed is a day as 2024-02-29"
        );
        assert!(refused(sheet.clone().risk("bias", " ")).contains("`bias` without a mitigation"));
        let turned = sheet.clone().collected(Method::Manual, "", "2024-01-02", "2024-01-01");
        assert!(refused(turned).contains("a later one"));
        assert_eq!(sheet.open().len(), 9);
    }
}
