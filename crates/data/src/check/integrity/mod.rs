//! What is wrong with a table in itself, whatever is expected of it.
//!
//! Constant columns, numbers within text, values written in several ways, rows that come twice, labels that contradict each
//! other, outliers, combinations that cannot be. Where a value can be put right, a decision is suggested; a person strikes
//! out what is wrong and applies the rest. Names and limits are close to those of deepchecks' integrity suite.

mod combination;
mod outlier;
mod report;
mod spelling;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::decision::Remedy;
use stagewise_core::error::{At, Crumb, ParameterError, Result};
use stagewise_core::exhibit::number;
use stagewise_core::persist::Persist;
use stagewise_core::record::parse;
use stagewise_core::schema::{Field, Role};
use stagewise_core::table::Table;

pub use self::combination::{Combination, Test};
pub use self::outlier::Outlier;
pub use self::report::{Fault, Finding, IntegrityReport};
use self::spelling::Respelt;
use super::finding::{Severity, names_text, rows_by_text};
use super::rows;
use crate::task::{TaskKind, detect_task};

/// The integrity suite and its limits.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_core::decision::Remedy;
/// use stagewise_data::check::{Fault, Integrity};
///
/// let cities = (0..40).map(|i| Some(if i == 3 { "Berlni" } else if i == 5 { "BERLIN" } else { "Berlin" }));
/// let table = Table::of([("city", Column::categories(cities)), ("row", Column::numbers((0..40).map(f64::from).collect::<Vec<_>>()))])?;
/// let report = Integrity::new().check(&table)?;
/// let faults: Vec<Fault> = report.findings.iter().map(|f| f.fault).collect();
/// assert_eq!(faults, [Fault::Variants, Fault::Typos]);
/// assert_eq!(report.suggestions.of("city", "Berlni"), Some(&Remedy::Map("Berlin".into()).into()));
/// assert_eq!(report.suggestions.apply(&table)?.counts.iter().map(|c| c.rows).sum::<u64>(), 2);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Integrity {
    nearly_constant: f64,
    typo_ratio: f64,
    most_levels: usize,
    outlier: Outlier,
    target: Option<String>,
    forbidden: Vec<Combination>,
}

impl Default for Integrity {
    fn default() -> Self {
        Self {
            nearly_constant: 0.99,
            typo_ratio: 10.0,
            most_levels: 2000,
            outlier: Outlier::RobustZ(3.5),
            target: None,
            forbidden: Vec::new(),
        }
    }
}

impl Persist for Integrity {
    const TAG: &'static str = "Integrity";
}

impl Integrity {
    /// The suite with its defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The share of its most frequent value, missing included, from which a column is nearly constant. In (0.5, 1], default
    /// 0.99.
    #[must_use]
    pub fn nearly_constant(mut self, share: f64) -> Self {
        self.nearly_constant = share;
        self
    }

    /// How many times more frequent a level must be for a rare one to be its typo. At least 1, default 10.
    #[must_use]
    pub fn typo_ratio(mut self, ratio: f64) -> Self {
        self.typo_ratio = ratio;
        self
    }

    /// Columns with more levels are not searched for variants and typos, and named as such. Default 2000.
    #[must_use]
    pub fn most_levels(mut self, levels: usize) -> Self {
        self.most_levels = levels;
        self
    }

    /// When a number is an outlier. Default `RobustZ(3.5)`.
    #[must_use]
    pub fn outlier(mut self, rule: Outlier) -> Self {
        self.outlier = rule;
        self
    }

    /// The target. Default the column with that role, if there is one.
    #[must_use]
    pub fn target(mut self, column: impl Into<String>) -> Self {
        self.target = Some(column.into());
        self
    }

    /// Adds a combination that no row may have.
    #[must_use]
    pub fn forbid(mut self, combination: Combination) -> Self {
        self.forbidden.push(combination);
        self
    }

    /// All that is found, column by column, then the rows as a whole.
    ///
    /// | fault | found if | severity |
    /// |---|---|---|
    /// | constant | one value, missing included, in all of at least two rows | warning |
    /// | nearly constant | the most frequent value has the share `nearly_constant` | notice |
    /// | mixed types | some values of a category or text read as numbers, some do not | warning; a notice from 10 % on |
    /// | variants | levels differ in case, blanks, accents or punctuation alone | warning |
    /// | typos | a rare level is within one or two letters of a frequent one | warning |
    /// | outliers | a number is outside the bounds of [`Outlier`] | warning; a notice from 1 % on, for then it is the column's shape |
    /// | duplicates | all columns but ids are equal to those of an earlier row | warning |
    /// | conflicting labels | all features are equal, the classes differ | warning |
    /// | impossible | a forbidden combination | error |
    ///
    /// Ids, ignored columns and weights are not searched for values. Missing equals missing between rows. Conflicts are
    /// looked for if the target is one of classes, among rows that have one. `O(columns · rows + rows · log rows)`, and
    /// `levels²` for typos; the same for any number of threads.
    ///
    /// # Errors
    /// Limits out of their ranges; a target or a column of a rule that is not there or of the wrong kind.
    pub fn check(&self, table: &Table) -> Result<IntegrityReport> {
        self.validate()?;
        let fields = table.schema().fields();
        let target = match &self.target {
            Some(name) => Some(table.schema().require(name)?),
            None => fields.iter().position(|field| field.role == Role::Target),
        };
        let each: Vec<Found> =
            fields.par_iter().zip(table.columns()).map(|(field, column)| self.column(field, column)).collect();
        let mut report = IntegrityReport { rows: table.rows() as u64, ..IntegrityReport::default() };
        for found in each {
            report.findings.extend(found.findings);
            report.notes.extend(found.note);
            for (column, value, remedy) in found.remedies {
                report.suggestions = report.suggestions.decide(column, value, remedy);
            }
        }
        report.findings.extend(duplicates(table));
        if let Some(target) = target {
            report.findings.extend(self.conflicts(table, target)?);
        }
        for combination in &self.forbidden {
            let rows = combination
                .rows(table)
                .at(|| Crumb::Step { name: combination.name.clone(), stage: "Integrity".into() })?;
            if !rows.is_empty() {
                let what = format!("{}: {}", combination.name, crate::kind::rows(rows.len()));
                report.findings.push(Finding::new(
                    Fault::Impossible,
                    None,
                    Severity::Error,
                    what,
                    rows,
                    combination.shown(table),
                ));
            }
        }
        Ok(report)
    }

    fn validate(&self) -> Result<()> {
        let nearly = self.nearly_constant > 0.5 && self.nearly_constant <= 1.0;
        ParameterError::check(nearly, "nearly_constant", self.nearly_constant, "above 0.5, at most 1")?;
        ParameterError::check(self.typo_ratio >= 1.0, "typo_ratio", self.typo_ratio, "at least 1")?;
        self.outlier.validate()
    }

    fn column(&self, field: &Field, column: &Column) -> Found {
        let mut found = Found::default();
        let name = field.name.as_ref();
        if matches!(field.role, Role::Id | Role::Ignored | Role::Weight) {
            return found;
        }
        let finding = |fault, severity, what: String, rows: Vec<usize>| {
            Finding::new(fault, Some(name), severity, what, rows, Some(column))
        };
        if let Some((times, others)) = most_frequent(column) {
            let share = times as f64 / column.len() as f64;
            if others.is_empty() {
                found.findings.push(finding(
                    Fault::Constant,
                    Severity::Warning,
                    "the same in every row".into(),
                    others,
                ));
                return found;
            }
            if share >= self.nearly_constant {
                let what = format!("{} % of the rows have one value", number(100.0 * share));
                found.findings.push(finding(Fault::NearlyConstant, Severity::Notice, what, others));
            }
        }
        match column {
            Column::Category { .. } | Column::Text(_) => self.texts(name, column, &finding, &mut found),
            Column::Number(values) => {
                if let Some((low, high)) = self.outlier.bounds(values) {
                    let rows: Vec<usize> =
                        (0..values.len()).filter(|&row| values[row] < low || values[row] > high).collect();
                    if !rows.is_empty() && field.role != Role::Target {
                        let few = (rows.len() as f64) < 0.01 * values.len() as f64;
                        let severity = if few { Severity::Warning } else { Severity::Notice };
                        let what =
                            format!("{} outside {} to {}", crate::kind::rows(rows.len()), number(low), number(high));
                        found.findings.push(finding(Fault::Outliers, severity, what, rows));
                    }
                }
            }
            _ => {}
        }
        found
    }

    /// Numbers within text, variants, typos.
    fn texts(
        &self,
        name: &str,
        column: &Column,
        finding: &dyn Fn(Fault, Severity, String, Vec<usize>) -> Finding,
        found: &mut Found,
    ) {
        let by_text = rows_by_text(column);
        let rows_of = |texts: &[&str]| {
            let mut rows: Vec<usize> = texts.iter().filter_map(|t| by_text.get(*t)).flatten().copied().collect();
            rows.sort_unstable();
            rows
        };
        let present: usize = by_text.values().map(Vec::len).sum();
        let (numbers, words): (Vec<&str>, Vec<&str>) =
            by_text.keys().map(String::as_str).partition(|text| parse::number(text).is_some());
        let [as_numbers, as_words] = [rows_of(&numbers), rows_of(&words)];
        if !as_numbers.is_empty() && !as_words.is_empty() {
            let words_are_few = as_words.len() < as_numbers.len();
            let (rows, few, what) =
                if words_are_few { (as_words, words, "no numbers") } else { (as_numbers, numbers, "numbers") };
            let rare = (rows.len() as f64) < 0.1 * present as f64;
            let what = format!("{} of {present} values are {what}: {}", rows.len(), names_text(&few));
            let severity = if rare { Severity::Warning } else { Severity::Notice };
            found.findings.push(finding(Fault::Mixed, severity, what, rows));
            // A word among numbers says that there is none; a number among words may be a level.
            if rare && few.len() <= self.most_levels {
                let remedy = if words_are_few { Remedy::Missing } else { Remedy::NewLevel };
                found.remedies.extend(few.iter().map(|t| (name.to_string(), (*t).to_string(), remedy.clone())));
            }
        }
        if by_text.len() > self.most_levels {
            let why = format!("`{name}` has {} levels: not searched for variants and typos", by_text.len());
            found.note = Some(why);
            return;
        }
        let counts: Vec<(&str, u64)> = by_text.iter().map(|(t, rows)| (t.as_str(), rows.len() as u64)).collect();
        let variants = spelling::variants(&counts);
        // Typos are looked for among what is left, with the rows of the variants added.
        let mut merged: BTreeMap<&str, u64> = counts.iter().copied().collect();
        for respelt in &variants {
            if let (Some(rows), Some(to)) = (merged.remove(respelt.from.as_str()), merged.get_mut(respelt.to.as_str()))
            {
                *to += rows;
            }
        }
        let merged: Vec<(&str, u64)> = merged.into_iter().collect();
        let typos = spelling::typos(&merged, self.typo_ratio);
        for (fault, respelt) in [(Fault::Variants, &variants), (Fault::Typos, &typos)] {
            if respelt.is_empty() {
                continue;
            }
            let pairs: Vec<String> = respelt.iter().map(|r| format!("{} → {}", r.from, r.to)).collect();
            let from: Vec<&str> = respelt.iter().map(|r| r.from.as_str()).collect();
            found.findings.push(finding(fault, Severity::Warning, names_text(&pairs), rows_of(&from)));
        }
        // A variant of a typo is meant as the typo is.
        let end = |to: &str| typos.iter().find(|t| t.from == to).map_or_else(|| to.to_string(), |t| t.to.clone());
        let map = |r: &Respelt| (name.to_string(), r.from.clone(), Remedy::Map(end(&r.to)));
        found.remedies.extend(variants.iter().chain(&typos).map(map));
    }

    /// Rows with equal features and different classes.
    fn conflicts(&self, table: &Table, target: usize) -> Result<Option<Finding>> {
        let fields = table.schema().fields();
        let name = fields[target].name.as_ref();
        let truth = &table.columns()[target];
        let labelled = truth.present_rows();
        if labelled.is_empty() || matches!(detect_task(table, name)?, TaskKind::Regression { .. }) {
            return Ok(None);
        }
        let features: Vec<Column> = (0..fields.len())
            .filter(|&i| i != target && fields[i].role == Role::Feature)
            .map(|i| table.columns()[i].take(&labelled))
            .collect();
        let classes = crate::leak::levels(&truth.take(&labelled));
        let groups = rows::equal(&rows::keys(&features.iter().collect::<Vec<_>>()));
        let torn: Vec<&Vec<usize>> =
            groups.iter().filter(|group| group.iter().any(|&i| classes[i] != classes[group[0]])).collect();
        if torn.is_empty() {
            return Ok(None);
        }
        let mut rows: Vec<usize> = torn.iter().copied().flatten().map(|&i| labelled[i]).collect();
        rows.sort_unstable();
        let what = format!(
            "{} in {} groups of equal features have different labels",
            crate::kind::rows(rows.len()),
            torn.len()
        );
        Ok(Some(Finding::new(Fault::ConflictingLabels, Some(name), Severity::Warning, what, rows, Some(truth))))
    }
}

/// What one column gives.
#[derive(Debug, Default)]
struct Found {
    findings: Vec<Finding>,
    remedies: Vec<(String, String, Remedy)>,
    note: Option<String>,
}

/// How often the most frequent value comes, and the rows that have another; `None` for fewer than two rows.
fn most_frequent(column: &Column) -> Option<(usize, Vec<usize>)> {
    let keys = crate::leak::levels(column);
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    let most = sorted.chunk_by(|a, b| a == b).max_by_key(|run| run.len())?;
    let others = (0..keys.len()).filter(|&row| keys[row] != most[0]).collect();
    (keys.len() > 1).then_some((most.len(), others))
}

fn duplicates(table: &Table) -> Option<Finding> {
    let fields = table.schema().fields();
    let columns: Vec<&Column> = fields
        .iter()
        .zip(table.columns())
        .filter(|(field, _)| !matches!(field.role, Role::Id | Role::Ignored))
        .map(|(_, column)| column)
        .collect();
    let groups = rows::equal(&rows::keys(&columns));
    let mut later: Vec<usize> = groups.iter().flat_map(|group| group[1..].iter().copied()).collect();
    later.sort_unstable();
    let what = format!("{} equal to an earlier one, in {} groups", crate::kind::rows(later.len()), groups.len());
    (!later.is_empty())
        .then(|| Finding::new(Fault::Duplicates, None, Severity::Warning, what, later, columns.first().copied()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stagewise_core::schema::{Kind, Schema};

    use super::*;

    fn found(report: &IntegrityReport) -> Vec<(Fault, &str, Vec<usize>)> {
        report.findings.iter().map(|f| (f.fault, f.column.as_deref().unwrap_or(""), f.rows.clone())).collect()
    }

    fn count(n: usize) -> Column {
        Column::numbers((0..n).map(|i| i as f64).collect::<Vec<_>>())
    }

    #[test]
    fn columns_without_content_are_named() {
        let table = Table::of([
            ("one", Column::numbers([7.0; 200])),
            ("none", Column::missing(Kind::Text, 200)),
            ("nearly", Column::flags((0..200).map(|i| Some(i == 77)).collect::<Vec<_>>())),
            ("x", count(200)),
        ])
        .unwrap();
        let report = Integrity::new().check(&table).unwrap();
        let told = [
            (Fault::Constant, "one", vec![]),
            (Fault::Constant, "none", vec![]),
            (Fault::NearlyConstant, "nearly", vec![77]),
        ];
        assert_eq!(found(&report), told);
    }

    #[test]
    fn numbers_within_text_get_a_decision() {
        let text = |i: usize| if i == 4 { "unknown".to_string() } else { format!("{}", i % 7) };
        let texts: Vec<String> = (0..100).map(text).collect();
        let table =
            Table::of([("mixed", Column::categories(texts.iter().map(|t| Some(t.as_str())))), ("row", count(100))])
                .unwrap();
        let report = Integrity::new().check(&table).unwrap();
        assert_eq!(found(&report), [(Fault::Mixed, "mixed", vec![4])]);
        assert_eq!(report.suggestions.of("mixed", "unknown"), Some(&Remedy::Missing.into()));
    }

    #[test]
    fn a_variant_of_a_typo_goes_where_the_typo_goes() {
        let level = |i: usize| ["Nevada", "Nevda", "nevda", "Nevada"][if i < 3 { i } else { 3 }];
        let table =
            Table::of([("state", Column::categories((0..60).map(|i| Some(level(i))))), ("row", count(60))]).unwrap();
        let report = Integrity::new().check(&table).unwrap();
        assert_eq!(found(&report), [(Fault::Variants, "state", vec![2]), (Fault::Typos, "state", vec![1])]);
        for wrong in ["Nevda", "nevda"] {
            assert_eq!(report.suggestions.of("state", wrong), Some(&Remedy::Map("Nevada".into()).into()));
        }
        let few = Integrity::new().most_levels(2).check(&table).unwrap();
        assert_eq!((few.findings.len(), few.notes.len()), (0, 1));
    }

    #[test]
    fn rows_that_repeat_or_contradict_are_found() {
        let fields = vec![
            Field::new("id", Kind::Number).role(Role::Id),
            Field::new("x", Kind::Number),
            Field::new("c", Kind::Category),
            Field::new("y", Kind::Category).role(Role::Target),
        ];
        let columns = vec![
            count(6),
            Column::numbers([1.0, 1.0, 2.0, f64::NAN, f64::NAN, 1.0]),
            Column::categories([Some("a"), Some("a"), Some("a"), None, None, Some("a")]),
            Column::categories([Some("p"), Some("p"), Some("p"), Some("p"), Some("q"), None]),
        ];
        let table = Table::new(Arc::new(Schema::new(fields).unwrap()), columns).unwrap();
        let report = Integrity::new().check(&table).unwrap();
        let told = [(Fault::Duplicates, "", vec![1]), (Fault::ConflictingLabels, "y", vec![3, 4])];
        assert_eq!(found(&report), told);
    }

    #[test]
    fn outliers_are_a_warning_if_few_and_a_notice_if_many() {
        let mut values: Vec<f64> = (0..300).map(|i| f64::from(i % 30)).collect();
        values[5] = 900.0;
        values[9] = f64::INFINITY;
        let few = Table::of([("x", Column::numbers(values.clone())), ("row", count(300))]).unwrap();
        let report = Integrity::new().check(&few).unwrap();
        assert_eq!(found(&report), [(Fault::Outliers, "x", vec![5, 9])]);
        assert_eq!(report.findings[0].severity, Severity::Warning);
        values[20..30].fill(-500.0);
        let many = Table::of([("x", Column::numbers(values)), ("row", count(300))]).unwrap();
        let report = Integrity::new().outlier(Outlier::Iqr(3.0)).check(&many).unwrap();
        assert_eq!((report.findings[0].rows.len(), report.findings[0].severity), (12, Severity::Notice));
    }

    #[test]
    fn limits_and_small_tables() {
        let none = Table::of([("x", Column::numbers(vec![])), ("c", Column::missing(Kind::Category, 0))]).unwrap();
        assert_eq!(Integrity::new().check(&none).unwrap().findings, []);
        let one = Table::of([("x", Column::numbers([1.0])), ("c", Column::categories([Some("a")]))]).unwrap();
        assert_eq!(Integrity::new().target("c").check(&one).unwrap().findings, []);
        for bad in [
            Integrity::new().nearly_constant(0.5),
            Integrity::new().typo_ratio(f64::NAN),
            Integrity::new().outlier(Outlier::Iqr(0.0)),
            Integrity::new().target("z"),
            Integrity::new().forbid(Combination::new("r").when("z", Test::Missing)),
        ] {
            assert!(bad.check(&one).is_err(), "{bad:?}");
        }
        let spec = Integrity::new().forbid(Combination::new("r").when("x", Test::Above(1.0)));
        assert_eq!(stagewise_core::persist::Saved::of(&spec).unwrap().load::<Integrity>().unwrap(), spec);
    }
}
