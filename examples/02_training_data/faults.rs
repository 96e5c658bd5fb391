//! Faults that are planted, and the tally of what was found of them.

use std::collections::{BTreeMap, BTreeSet};

use stagewise::core::exhibit::{Block, Exhibit, Section};
use stagewise::core::schema::Field;
use stagewise::data::check::{Anomaly, Fault, Finding, IntegrityReport, LeakageKind, LeakageReport, Severity};
use stagewise::prelude::*;

use crate::labels::words;

/// The column that gives the target away.
pub(crate) const LEAK: &str = "known_afterwards";
/// How many rows get a typo, how many a number out of range, how many are copied to the test rows.
const TYPOS: usize = 12;
const WILD: usize = 8;
const COPIES: usize = 10;

/// A table with faults, and where they are.
pub(crate) struct Planted {
    pub(crate) table: Table,
    /// The column whose frequent level is misspelt, if there is one, and the rows.
    pub(crate) misspelt: Option<(String, BTreeSet<usize>)>,
    /// The column with numbers out of range, and the rows.
    pub(crate) ranged: String,
    pub(crate) wild: BTreeSet<usize>,
}

impl Planted {
    pub(crate) fn into(table: &Table, target: &str, cx: &FitContext) -> Result<Self> {
        let mut stream = cx.stream("planted faults");
        let (schema, mut columns) = table.clone().into_parts();
        let mut fields = schema.fields().to_vec();
        let is_feature = |field: &Field| field.role == Role::Feature && *field.name != *target;

        // A frequent level, long enough that a letter less is a typo and no other word.
        let mut misspelt = None;
        let texts = |column: &Column| words(column).unwrap_or_default();
        let long = fields.iter().zip(&columns).enumerate().filter(|(_, (field, _))| is_feature(field));
        let of_levels = long.filter(|(_, (field, _))| field.kind == Kind::Category);
        let frequent = of_levels.filter_map(|(at, (_, column))| {
            let mut rows: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (row, word) in texts(column).into_iter().enumerate() {
                if let Some(word) = word.filter(|word| word.len() > 5 && word.is_ascii()) {
                    rows.entry(word).or_default().push(row);
                }
            }
            let (level, rows) = rows.into_iter().max_by_key(|(_, rows)| rows.len())?;
            (rows.len() >= 40 * TYPOS).then_some((at, level, rows))
        });
        if let Some((at, level, rows)) = frequent.max_by_key(|(_, _, rows)| rows.len()) {
            let chosen: BTreeSet<usize> = stream.choose(rows.len(), TYPOS).into_iter().map(|i| rows[i]).collect();
            let mut all = texts(&columns[at]);
            for &row in &chosen {
                let mut word = level.clone();
                word.remove(1 + stream.below(level.len() - 2));
                all[row] = Some(word);
            }
            columns[at] = Column::categories(all.iter().map(Option::as_deref));
            fields[at].levels = None;
            misspelt = Some((fields[at].name.to_string(), chosen));
        }

        // Numbers far above the largest.
        let (mut ranged, mut wild) = (String::new(), BTreeSet::new());
        let number = fields.iter().position(|field| is_feature(field) && field.kind == Kind::Number);
        if let Some(at) = number {
            let values = columns[at].make_numbers()?;
            let (low, high) =
                values.iter().filter(|x| x.is_finite()).fold((0.0_f64, 0.0_f64), |(a, b), &x| (a.min(x), b.max(x)));
            wild = stream.choose(values.len(), WILD.min(values.len())).into_iter().collect();
            for (i, &row) in wild.iter().enumerate() {
                values[row] = high + (i + 3) as f64 * (high - low + 1.0);
            }
            ranged = fields[at].name.to_string();
        }

        Ok(Self { table: Table::new(Schema::new(fields)?.into(), columns)?, misspelt, ranged, wild })
    }

    /// A table with the target by another name: one row in a hundred the wrong way, one in thirty missing.
    pub(crate) fn leak(table: &Table, target: &str, cx: &FitContext) -> Result<Table> {
        let mut stream = cx.stream("leak");
        let truth = words(table.column(target)?)?;
        let classes: BTreeSet<&String> = truth.iter().flatten().collect();
        let place = |word: &Option<String>| classes.iter().position(|class| Some(*class) == word.as_ref()).unwrap_or(0);
        let mut leak = |word: &Option<String>| {
            let class = if stream.unit() < 0.01 { stream.below(classes.len()) } else { place(word) };
            if stream.unit() < 0.033 { f64::NAN } else { 100.0 * class as f64 + stream.normal() }
        };
        let (schema, mut columns) = table.clone().into_parts();
        columns.push(Column::numbers(truth.iter().map(&mut leak).collect::<Vec<_>>()));
        let mut fields = schema.fields().to_vec();
        fields.push(Field::new(LEAK, Kind::Number).missing(true));
        Table::new(Schema::new(fields)?.into(), columns)
    }

    /// The numbers that were planted.
    pub(crate) fn wild_values(&self) -> Result<Vec<f64>> {
        if self.wild.is_empty() {
            return Ok(Vec::new());
        }
        let values = self.table.column(&self.ranged)?.as_numbers()?;
        Ok(self.wild.iter().map(|&row| values[row]).collect())
    }

    /// The test rows with some training rows behind them, and how many.
    pub(crate) fn copied(&self, train: &Table, test: &Table, cx: &FitContext) -> Result<(Table, usize)> {
        let copies = COPIES.min(train.rows());
        let rows = cx.stream("copied rows").choose(train.rows(), copies);
        Ok((test.stacked(&train.take(&rows))?, copies))
    }
}

/// What was planted, what of it was found, and what was found beside it.
#[derive(Default)]
pub(crate) struct Faults {
    rows: Vec<(&'static str, String, usize, usize, usize)>,
    /// The columns that are the target by another name.
    pub(crate) leaking: Vec<String>,
    /// The test rows that are training rows.
    pub(crate) copied: BTreeSet<usize>,
}

impl Faults {
    fn tally(&mut self, fault: &'static str, place: impl Into<String>, planted: usize, found: usize, alarms: usize) {
        self.rows.push((fault, place.into(), planted, found, alarms));
    }

    /// What the schema said of ranges: it counts the rows of each column.
    pub(crate) fn ranges<'a>(&mut self, planted: &Planted, found: impl Iterator<Item = &'a Anomaly>) {
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            found.partition(|anomaly| anomaly.column.as_deref() == Some(planted.ranged.as_str()));
        let rows = |some: &[&Anomaly]| some.iter().map(|anomaly| anomaly.rows as usize).sum::<usize>();
        let (hits, wild) = (rows(&here), planted.wild.len());
        self.tally("out of range", &planted.ranged, wild, hits.min(wild), hits.saturating_sub(wild) + rows(&elsewhere));
    }

    /// What the integrity suite said, beside what it said of the file as it came.
    pub(crate) fn spellings(&mut self, planted: &Planted, found: &IntegrityReport, before: &IntegrityReport) {
        let (column, rows) = planted.misspelt.clone().unwrap_or_default();
        let new = new_rows(found, before);
        let is_spelling = |(fault, at, row): &(Fault, String, usize)| {
            matches!(fault, Fault::Typos | Fault::Variants) && *at == column && rows.contains(row)
        };
        let hits: BTreeSet<usize> = new.iter().filter(|new| is_spelling(new)).map(|(_, _, row)| *row).collect();
        // What is out of range is an outlier too.
        let is_known = |(fault, at, row): &(Fault, String, usize)| {
            *fault == Fault::Outliers && *at == planted.ranged && planted.wild.contains(row)
        };
        let alarms = new.iter().filter(|new| !is_spelling(new) && !is_known(new)).count();
        self.tally("misspelt", column.as_str(), rows.len(), hits.len(), alarms);
    }

    /// Which annotators failed the gold questions.
    pub(crate) fn annotators(&mut self, careless: &str, failed: &[String]) {
        let found = usize::from(failed.iter().any(|name| name == careless));
        self.tally("careless annotator", careless, 1, found, failed.len() - found);
    }

    /// What the leakage suite said, beside what it said of the test rows before rows were copied to them.
    pub(crate) fn leaks(&mut self, copies: usize, found: &LeakageReport, before: &LeakageReport) {
        self.leaking = found.of(LeakageKind::Proxy).filter_map(|finding| finding.column.clone()).collect();
        let first = before.test_rows;
        let same = |report: &LeakageReport| -> BTreeSet<usize> {
            report.of(LeakageKind::SameRows).flat_map(|finding| finding.pairs.iter().map(|pair| pair.0)).collect()
        };
        self.copied = same(found);
        let hits = self.copied.iter().filter(|row| **row >= first).count();
        let known = same(before);
        let alarms = self.copied.iter().filter(|row| **row < first && !known.contains(row)).count();
        let named = found.findings.iter().filter(|finding| !before.findings.iter().any(|old| old.kind == finding.kind));
        // Copies share their ids and times with the rows they were made of.
        let follows = |kind| {
            matches!(
                kind,
                LeakageKind::SameRows
                    | LeakageKind::NearRows
                    | LeakageKind::SharedIds
                    | LeakageKind::SharedGroups
                    | LeakageKind::OverlappingTimes
            )
        };
        let others = named.filter(|finding| !follows(finding.kind)).count();
        self.tally("test row copied from training", "rows", copies, hits, alarms);
        let found = usize::from(self.leaking.iter().any(|column| column == LEAK));
        self.tally("gives the target away", LEAK, 1, found, self.leaking.len() - found + others);
    }

    pub(crate) fn planted(&self) -> usize {
        self.rows.iter().map(|row| row.2).sum()
    }

    pub(crate) fn found(&self) -> usize {
        self.rows.iter().map(|row| row.3).sum()
    }

    pub(crate) fn false_alarms(&self) -> usize {
        self.rows.iter().map(|row| row.4).sum()
    }
}

impl Exhibit for Faults {
    fn exhibit(&self) -> Section {
        let columns = ["planted fault", "where", "planted", "found", "false alarms"].map(String::from).to_vec();
        let row = |(fault, place, planted, found, alarms): &(&str, String, usize, usize, usize)| {
            vec![fault.to_string(), place.clone(), planted.to_string(), found.to_string(), alarms.to_string()]
        };
        let rows = self.rows.iter().map(row).collect();
        let section = Section::new("Planted faults").block(Block::Table { columns, rows });
        if self.found() == self.planted() {
            return section;
        }
        section.block(Block::Warning(format!("{} planted faults were not found", self.planted() - self.found())))
    }
}

/// The places that a report names and an earlier one does not: fault, column, row.
fn new_rows(found: &IntegrityReport, before: &IntegrityReport) -> BTreeSet<(Fault, String, usize)> {
    let places = |report: &IntegrityReport| -> BTreeSet<(Fault, String, usize)> {
        let serious = report.findings.iter().filter(|finding| finding.severity > Severity::Notice);
        let of = |finding: &Finding| {
            let (fault, column) = (finding.fault, finding.column.clone().unwrap_or_default());
            finding.rows.iter().map(move |&row| (fault, column.clone(), row)).collect::<Vec<_>>()
        };
        serious.flat_map(of).collect()
    };
    &places(found) - &places(before)
}
