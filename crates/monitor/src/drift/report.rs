//! What a comparison of summaries found, and how it is shown.

use std::fmt;

use serde::{Deserialize, Serialize};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::persist::Persist;

use super::correction::Correction;
use super::shape::Shape;

/// How many of the strongest features are drawn one by one.
const DRAWN: usize = 6;

/// The comparison of a current with a reference summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// One entry per test, in the order of the reference; missing values follow their column.
    pub features: Vec<FeatureDrift>,
    /// Columns of the current summary that the reference does not have.
    pub unknown: Vec<String>,
    /// Rows of the reference.
    pub rows_reference: u64,
    /// Current rows.
    pub rows_current: u64,
    /// The rate of false alarms asked for.
    pub alpha: f64,
    /// How p values were corrected.
    pub correction: Correction,
}

/// One test of one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// The name of the column.
    pub feature: String,
    /// What was compared, and how.
    pub method: Method,
    /// The distance of the two samples; `None` if there was no test.
    pub statistic: Option<f64>,
    /// The distance from which on the verdict is drift: significant beside all other tests, and not below the floor.
    pub threshold: Option<f64>,
    /// The chance of such a difference or a larger one without drift.
    pub p_value: Option<f64>,
    /// The p value, corrected for the number of tests.
    pub adjusted: Option<f64>,
    /// What it means.
    pub verdict: Verdict,
    /// Reference rows that were compared: those with a value, or all for missing values.
    pub n_reference: u64,
    /// Current rows that were compared.
    pub n_current: u64,
    /// The population stability index; `None` for text, missing values, and where there is only one bin.
    pub psi: Option<f64>,
    /// The index that would matter: the larger of the limit asked for and what chance gives.
    pub psi_limit: Option<f64>,
    /// How the samples look side by side, where that can be drawn.
    pub shape: Option<Shape>,
}

/// What was compared, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Levels: the chi-square test, or Fisher's for rare levels.
    ChiSquare,
    /// Numbers and timestamps: the test of Kolmogorov and Smirnov.
    KolmogorovSmirnov,
    /// Text: Welch's test of mean lengths.
    MeanLength,
    /// Any kind: whether a value is missing, tested as two levels.
    MissingShare,
}

/// What a test means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// Significant and large enough.
    Drifted,
    /// Not significant, or too small to matter.
    Stable,
    /// Nothing can be said: too few rows, or too few for every single level.
    TooFewRows,
}

impl Persist for DriftReport {
    const TAG: &'static str = "DriftReport";
}

impl DriftReport {
    /// The names of the features that drifted, in values or in missing values, each once.
    pub fn drifted(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.features.iter().filter(|f| f.is_drifted()).map(|f| f.feature.as_str()).collect();
        names.dedup();
        names
    }

    /// The names of the features that could not be tested, each once.
    pub fn untested(&self) -> Vec<&str> {
        let of = |f: &&FeatureDrift| f.verdict == Verdict::TooFewRows;
        let mut names: Vec<&str> = self.features.iter().filter(of).map(|f| f.feature.as_str()).collect();
        names.dedup();
        names
    }

    /// The tests by strength, strongest first; those that could not be made come last.
    pub fn strongest(&self) -> Vec<&FeatureDrift> {
        let mut sorted: Vec<&FeatureDrift> = self.features.iter().collect();
        sorted.sort_by(|a, b| b.strength().unwrap_or(-1.0).total_cmp(&a.strength().unwrap_or(-1.0)));
        sorted
    }
}

impl FeatureDrift {
    /// Whether the verdict is drift.
    pub fn is_drifted(&self) -> bool {
        self.verdict == Verdict::Drifted
    }

    /// The statistic as a multiple of its threshold: 1 and more is drift.
    pub fn strength(&self) -> Option<f64> {
        let (statistic, threshold) = self.statistic.zip(self.threshold)?;
        Some(if threshold > 0.0 { statistic / threshold } else { f64::from(u8::from(self.is_drifted())) })
    }

    /// The feature, and what of it was compared.
    fn title(&self) -> String {
        match self.method {
            Method::MissingShare => format!("{} (missing)", self.feature),
            Method::MeanLength => format!("{} (length)", self.feature),
            _ => self.feature.clone(),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChiSquare => "chi-square",
            Self::KolmogorovSmirnov => "KS",
            Self::MeanLength => "length",
            Self::MissingShare => "missing",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drifted => "drifted",
            Self::Stable => "stable",
            Self::TooFewRows => "too few rows",
        })
    }
}

impl Exhibit for DriftReport {
    fn exhibit(&self) -> Section {
        let strongest = self.strongest();
        let mut section = Section::new("Drift").text(self.sentence());
        for names in [("no test, too few rows: ", self.untested()), ("not in the reference: ", self.unknown())] {
            if !names.1.is_empty() {
                section = section.block(Block::Warning(format!("{}{}", names.0, names.1.join(", "))));
            }
        }
        let items = strongest.iter().filter_map(|f| Some((f.title(), f.strength()?))).collect();
        let title = "Distance as a multiple of its threshold (1 and more is drift)".to_string();
        let rows = strongest.iter().map(|f| row(f)).collect();
        let columns = ["feature", "test", "distance", "threshold", "p adjusted", "PSI", "verdict"];
        section = section
            .block(Block::Chart(Chart::Bars { title, items, mark: Some(1.0) }))
            .block(Block::Table { columns: columns.map(String::from).to_vec(), rows });
        let drawn = strongest.iter().filter(|f| f.is_drifted()).take(DRAWN);
        drawn.filter_map(|f| drawing(f)).fold(section, Section::block)
    }
}

impl DriftReport {
    fn sentence(&self) -> String {
        let drifted = self.drifted();
        let tests = self.features.iter().filter(|f| f.verdict != Verdict::TooFewRows).count();
        let found = match drifted.as_slice() {
            [] if tests == 0 => "No feature could be tested".to_string(),
            [] => "No feature drifted".to_string(),
            [one] => format!("1 feature drifted: {one}"),
            many => format!("{} features drifted: {}", many.len(), many.join(", ")),
        };
        let correction = match self.correction {
            Correction::None => "uncorrected",
            Correction::Bonferroni => "Bonferroni",
            Correction::BenjaminiHochberg => "Benjamini–Hochberg",
        };
        format!(
            "{found}. {} reference rows, {} current rows, {tests} tests, false alarms {} % ({correction}).",
            self.rows_reference,
            self.rows_current,
            number(100.0 * self.alpha),
        )
    }

    fn unknown(&self) -> Vec<&str> {
        self.unknown.iter().map(String::as_str).collect()
    }
}

fn row(f: &FeatureDrift) -> Vec<String> {
    let text = |x: Option<f64>| x.map_or_else(|| "–".to_string(), number);
    vec![
        f.feature.clone(),
        f.method.to_string(),
        text(f.statistic),
        text(f.threshold),
        text(f.adjusted),
        text(f.psi),
        f.verdict.to_string(),
    ]
}

fn drawing(f: &FeatureDrift) -> Option<Block> {
    let title = f.title();
    Some(match f.shape.as_ref()? {
        Shape::Bins { edges, reference, current } => Block::Chart(Chart::Histogram {
            title,
            edges: edges.clone(),
            series: vec![("reference".to_string(), reference.clone()), ("current".to_string(), current.clone())],
        }),
        Shape::Levels(levels) => Block::Table {
            columns: vec![title, "reference share".to_string(), "current share".to_string()],
            rows: levels.iter().map(|(level, p, q)| vec![level.clone(), number(*p), number(*q)]).collect(),
        },
        Shape::Pair(reference, current) => {
            Block::Facts(vec![(title, format!("reference {}, current {}", number(*reference), number(*current)))])
        }
    })
}
