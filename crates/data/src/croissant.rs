//! A datasheet as Croissant 1.1, the JSON-LD by which catalogues and loaders know data sets (MLCommons 2026).
//!
//! What Croissant has no word for goes into its extension for responsible AI (`rai:`, version 1.0). No values of the data
//! are written, only its columns, so that a sheet can be published where the rows cannot.

use std::path::Path;

use serde_json::{Value, json};
use stagewise_core::error::{Error, ParameterError, Result};
use stagewise_core::schema::{Kind, Role};

use crate::datasheet::{Concern, DataColumn, Datasheet, Method};

impl Datasheet {
    /// The sheet as Croissant 1.1 in JSON-LD, indented.
    ///
    /// Columns are read from the first file. Numbers are `sc:Float`, flags `sc:Boolean`, timestamps `sc:DateTime`,
    /// categories and text `sc:Text`; a target also `cr:Label`. A licence of one word is taken for an SPDX name. The
    /// fingerprint is the `identifier`.
    ///
    /// ```
    /// use stagewise_data::Datasheet;
    ///
    /// let sheet = Datasheet::new("loans", "Loans of one branch.").owner("Credit department").url("https://example.com");
    /// let error = sheet.licence("MIT").published("2025-03-01").croissant().unwrap_err();
    /// assert_eq!(error.to_string(), "`file` is not given, allowed is at least one file");
    /// ```
    ///
    /// # Errors
    /// As [`check`](Self::check); [`ParameterError`] for what Croissant requires and the sheet does not say: name,
    /// description, url, licence, owner, published and a file.
    pub fn croissant(&self) -> Result<String> {
        serde_json::to_string_pretty(&self.json_ld()?).map_err(Error::external)
    }

    /// Writes [`croissant`](Self::croissant) to a file.
    ///
    /// # Errors
    /// As [`croissant`](Self::croissant); a file that cannot be written.
    pub fn save_croissant(&self, path: impl AsRef<Path>) -> Result<()> {
        let text = self.croissant()?;
        std::fs::write(path.as_ref(), text).map_err(|source| Error::io(path.as_ref(), source))
    }

    fn json_ld(&self) -> Result<Value> {
        self.check()?;
        for (name, answer) in [
            ("name", &self.name),
            ("description", &self.description),
            ("url", &self.url),
            ("licence", &self.licence),
            ("owner", &self.owner),
            ("published", &self.published),
        ] {
            ParameterError::check(!answer.trim().is_empty(), name, "not given", "any text that answers it")?;
        }
        ParameterError::check(!self.files.is_empty(), "file", "not given", "at least one file")?;
        let mut sheet = json!({
            "@context": context(),
            "@type": "sc:Dataset",
            "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
            "name": self.name,
            "description": self.description,
            "url": self.url,
            "license": licence(&self.licence),
            "creator": { "@type": "sc:Organization", "name": self.owner },
            "datePublished": self.published,
            "distribution": self.files.iter().map(file).collect::<Vec<_>>(),
        });
        let texts = [
            ("version", self.version.clone()),
            ("dateCreated", self.created.clone()),
            ("identifier", self.fingerprint.map(|f| format!("sha256:{f}")).unwrap_or_default()),
            ("usageInfo", self.consent.clone()),
            ("rai:dataCollection", joined([self.motivation.as_str(), self.how.as_str()])),
            ("rai:dataCollectionType", self.method.map(collection).unwrap_or_default().to_string()),
            ("rai:dataPreprocessingProtocol", self.processing.clone()),
            ("rai:dataUseCases", self.uses.clone()),
            ("rai:personalSensitiveInformation", self.personal.clone()),
            ("rai:dataReleaseMaintenancePlan", self.maintenance.clone()),
        ];
        for (key, text) in texts {
            if !text.is_empty() {
                sheet[key] = Value::String(text);
            }
        }
        let days: Vec<&String> = [&self.from, &self.until].into_iter().filter(|day| !day.is_empty()).collect();
        if !days.is_empty() {
            sheet["rai:dataCollectionTimeframe"] = json!(days);
        }
        let limits: Vec<String> = self.constraints.iter().chain(&self.risks).map(limit).collect();
        if !limits.is_empty() {
            sheet["rai:dataLimitations"] = json!(limits);
        }
        if let Some(source) = self.files.first().filter(|_| !self.columns.is_empty()) {
            let fields: Vec<Value> = self.columns.iter().map(|column| field(column, &source.name)).collect();
            let description = format!("One record per row; {} rows.", self.rows);
            sheet["recordSet"] = json!([{
                "@type": "cr:RecordSet", "@id": "rows", "name": "rows", "description": description, "field": fields,
            }]);
        }
        Ok(sheet)
    }
}

fn file(file: &crate::datasheet::DataFile) -> Value {
    json!({
        "@type": "cr:FileObject",
        "@id": identifier(&file.name),
        "name": file.name,
        "contentUrl": file.url,
        "contentSize": format!("{} B", file.bytes),
        "encodingFormat": file.format,
        "sha256": file.sha256.to_string(),
    })
}

fn field(column: &DataColumn, source: &str) -> Value {
    let kind = match column.kind {
        Kind::Number => "sc:Float",
        Kind::Flag => "sc:Boolean",
        Kind::Timestamp => "sc:DateTime",
        _ => "sc:Text",
    };
    let types = if column.role == Role::Target { json!([kind, "cr:Label"]) } else { json!(kind) };
    let mut field = json!({
        "@type": "cr:Field",
        "@id": format!("rows/{}", identifier(&column.name)),
        "name": column.name,
        "dataType": types,
        "source": { "fileObject": { "@id": identifier(source) }, "extract": { "column": column.name } },
    });
    if !column.description.is_empty() {
        field["description"] = Value::String(column.description.clone());
    }
    field
}

/// The nearest of the values that the extension recommends.
fn collection(method: Method) -> &'static str {
    match method {
        Method::Manual => "Manual Human Curator",
        Method::Scraped => "Web Scraping",
        Method::Logged => "Passive Data Collection",
        Method::Purchased => "Secondary Data analysis",
        Method::Augmented | Method::Synthetic => "Others",
    }
}

fn limit(concern: &Concern) -> String {
    format!("{} (mitigation: {})", concern.what, concern.mitigation)
}

fn joined(parts: [&str; 2]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A word is an SPDX name, everything else stays what it is.
fn licence(text: &str) -> String {
    let word = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'+'));
    if word { format!("https://spdx.org/licenses/{text}.html") } else { text.to_string() }
}

/// A name as it may stand in an IRI: other characters than letters, digits, `-`, `_` and `.` as `%` and two digits.
fn identifier(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

/// The context that the specification recommends (its appendix 1).
fn context() -> Value {
    let mut context = json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "conformsTo": "dct:conformsTo",
        "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "examples": { "@id": "cr:examples", "@type": "@json" },
    });
    for word in [
        "annotation",
        "arrayShape",
        "citeAs",
        "column",
        "containedIn",
        "equivalentProperty",
        "excludes",
        "extract",
        "field",
        "fileObject",
        "fileProperty",
        "fileSet",
        "format",
        "includes",
        "isArray",
        "isLiveDataset",
        "jsonPath",
        "key",
        "md5",
        "parentField",
        "path",
        "readLines",
        "recordSet",
        "references",
        "regex",
        "repeated",
        "replace",
        "samplingRate",
        "sdVersion",
        "separator",
        "source",
        "subField",
        "transform",
        "unArchive",
        "value",
    ] {
        context[word] = Value::String(format!("cr:{word}"));
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasheet::DataFile;
    use stagewise_core::column::Column;
    use stagewise_core::fingerprint::Fingerprint;
    use stagewise_core::table::Table;

    fn sheet() -> Datasheet {
        let table = Table::of([
            ("net income", Column::numbers([1.0])),
            ("paid", Column::flags([Some(true)])),
            ("at", Column::timestamps([0])),
            ("plan", Column::categories([Some("a")])),
        ]);
        let file = DataFile {
            name: "loans.csv".into(),
            url: "data/loans.csv".into(),
            format: "text/csv".into(),
            bytes: 12,
            sha256: Fingerprint::of(b"abc"),
        };
        Datasheet::new("loans", "Loans of one branch.")
            .url("https://example.com/loans")
            .licence("CC-BY-4.0")
            .owner("Credit department")
            .published("2025-03-01")
            .collected(Method::Scraped, "from lists", "2024-01-01", "2024-12-31")
            .constraint("one branch only", "not used for others")
            .risk("self-declared", "sampled and compared")
            .column("net income", "euro a month")
            .table(&table.unwrap())
            .file(file)
    }

    /// The properties that the specification requires, for the data set, each file and each field.
    #[test]
    fn what_croissant_requires_is_there() {
        let json: Value = serde_json::from_str(&sheet().croissant().unwrap()).unwrap();
        for key in [
            "@context",
            "@type",
            "conformsTo",
            "description",
            "license",
            "name",
            "url",
            "creator",
            "datePublished",
            "distribution",
        ] {
            assert!(!json[key].is_null(), "{key}");
        }
        assert_eq!(json["@type"], "sc:Dataset");
        assert_eq!(json["conformsTo"][0], "http://mlcommons.org/croissant/1.1");
        assert_eq!(json["license"], "https://spdx.org/licenses/CC-BY-4.0.html");
        let file = &json["distribution"][0];
        assert_eq!(file["sha256"].as_str().map(str::len), Some(64));
        for key in ["@id", "name", "contentUrl", "encodingFormat"] {
            assert!(file[key].is_string(), "{key}");
        }
        let rows = &json["recordSet"][0];
        assert_eq!(rows["@type"], "cr:RecordSet");
        let types: Vec<&str> =
            rows["field"].as_array().unwrap().iter().filter_map(|f| f["dataType"].as_str()).collect();
        assert_eq!(types, ["sc:Float", "sc:Boolean", "sc:DateTime", "sc:Text"]);
        let income = &rows["field"][0];
        assert_eq!((&income["@id"], &income["name"]), (&json!("rows/net%20income"), &json!("net income")));
        assert_eq!(income["source"]["fileObject"]["@id"], file["@id"]);
        assert_eq!(income["source"]["extract"]["column"], "net income");
    }

    #[test]
    fn what_was_answered_is_said_and_nothing_else() {
        let json = sheet().json_ld().unwrap();
        assert_eq!(json["rai:dataCollectionType"], "Web Scraping");
        assert_eq!(json["rai:dataLimitations"][1], "self-declared (mitigation: sampled and compared)");
        assert_eq!(json["rai:dataCollectionTimeframe"], json!(["2024-01-01", "2024-12-31"]));
        assert!(json.get("version").is_none() && json.get("rai:dataUseCases").is_none());
        assert_eq!(licence("own terms, see contract"), "own terms, see contract");
    }

    #[test]
    fn what_is_required_and_not_said_is_named() {
        for (open, name) in [(sheet().url(""), "url"), (sheet().owner(" "), "owner"), (sheet().licence(""), "licence")]
        {
            let error = open.croissant().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{name}` is not given")), "{error}");
        }
    }
}
