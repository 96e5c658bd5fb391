//! What the test rows give away: rows, groups and ids that stand on both sides, times that overlap, columns that are the
//! target by another name.
//!
//! A score on such test rows is too good. All findings are collected; what could not be looked for is said. The searches are
//! those of deepchecks' train–test suite, with the power of a column as in [`power`](super::power).

mod overlap;
mod report;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::exhibit::number;
use stagewise_core::persist::Persist;
use stagewise_core::schema::Role;
use stagewise_core::table::Table;

use self::overlap::{Pair, Rows};
pub use self::report::{LeakageFinding, LeakageKind, LeakageReport, Power};
use super::finding::{Severity, names_text};
use super::power::{Truth, ordinal};
use crate::leak::{MISSING_LEVEL, levels};
use crate::task::{TaskKind, detect_task};

/// Fewer test rows with a target give no power to compare.
pub const COMPARED_ROWS: usize = 100;

/// The leakage suite and its limits.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::check::{Leakage, LeakageKind};
///
/// let x: Vec<f64> = (0..300).map(|i| f64::from(i * i % 199) + f64::from(i) / 1000.0).collect();
/// let table = Table::of([("x", Column::numbers(x))])?;
/// let train = table.take(&(0..250).collect::<Vec<_>>());
/// let test = table.take(&(240..300).collect::<Vec<_>>());
/// let report = Leakage::new().check(&train, &test)?;
/// assert_eq!(report.findings[0].kind, LeakageKind::SameRows);
/// assert_eq!((report.findings[0].pairs.len(), report.findings[0].pairs[0]), (10, (0, 240)));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Leakage {
    target: Option<String>,
    tolerance: f64,
    proxy: f64,
    id_power: f64,
    power_change: f64,
}

impl Default for Leakage {
    fn default() -> Self {
        Self { target: None, tolerance: 1e-6, proxy: 0.8, id_power: 0.1, power_change: 0.2 }
    }
}

impl Persist for Leakage {
    const TAG: &'static str = "Leakage";
}

impl Leakage {
    /// The suite with its defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The target. Default the column with that role, if there is one.
    #[must_use]
    pub fn target(mut self, column: impl Into<String>) -> Self {
        self.target = Some(column.into());
        self
    }

    /// How far numbers of rows that are nearly the same may differ, as a share of the larger. In [0, 1), default 1e-6, which
    /// covers a detour by `f32`.
    #[must_use]
    pub fn tolerance(mut self, share: f64) -> Self {
        self.tolerance = share;
        self
    }

    /// The predictive power from which a column is a proxy of the target. In (0, 1], default 0.8.
    #[must_use]
    pub fn proxy(mut self, power: f64) -> Self {
        self.proxy = power;
        self
    }

    /// The predictive power from which an id, or the order of the rows, tells the target. In (0, 1], default 0.1.
    #[must_use]
    pub fn id_power(mut self, power: f64) -> Self {
        self.id_power = power;
        self
    }

    /// By how much the power of a column may differ between training and test rows. In (0, 1], default 0.2.
    #[must_use]
    pub fn power_change(mut self, change: f64) -> Self {
        self.power_change = change;
        self
    }

    /// All that is found between two tables. Columns are found by name; those of one table only are named in the notes.
    ///
    /// | kind | found if | severity |
    /// |---|---|---|
    /// | same rows | features and target of a test row are those of a training row | error |
    /// | near rows | all but one of these columns are equal, or all numbers within the tolerance and the rest equal | warning |
    /// | shared groups | a value of a column with the role group stands in both | error |
    /// | shared ids | the same for the role id | error |
    /// | overlapping times | a test row is not later than the last training row, by the role time | warning |
    /// | proxy | a feature has the power `proxy` among the training rows | warning |
    /// | id tells target | an id, or the place of a row in the table, has the power `id_power` | warning |
    /// | power changes | the power of a feature differs by `power_change` between training and test rows | warning |
    ///
    /// Rows are compared only if so many different values do not agree by chance; otherwise a note says so. Missing equals
    /// missing in rows; missing groups and ids are shared by none. `O(columns · rows · log rows)`.
    ///
    /// # Errors
    /// Limits out of their ranges, a target that is not there or has no task.
    pub fn check(&self, train: &Table, test: &Table) -> Result<LeakageReport> {
        self.validate()?;
        let mut report = LeakageReport { train_rows: train.rows(), test_rows: test.rows(), ..LeakageReport::default() };
        let target = match &self.target {
            Some(name) => {
                train.schema().require(name)?;
                Some(name.clone())
            }
            None => train.schema().fields().iter().find(|f| f.role == Role::Target).map(|f| f.name.to_string()),
        };
        let (left, right) = shared(train, test, &mut report.notes)?;
        let both = left.stacked(&right)?;
        self.rows(&both, train.rows(), target.as_deref(), &mut report);
        values(&both, train.rows(), &mut report);
        times(&left, &right, &mut report);
        match target {
            Some(target) => self.powers(train, test, &target, &mut report)?,
            None => report.notes.push("no target is named: proxies were not looked for".into()),
        }
        Ok(report)
    }

    fn validate(&self) -> Result<()> {
        ParameterError::check(
            (0.0..1.0).contains(&self.tolerance),
            "tolerance",
            self.tolerance,
            "at least 0, below 1",
        )?;
        let shares = [("proxy", self.proxy), ("id_power", self.id_power), ("power_change", self.power_change)];
        shares
            .into_iter()
            .try_for_each(|(name, x)| ParameterError::check(x > 0.0 && x <= 1.0, name, x, "above 0, at most 1"))
    }

    fn rows(&self, both: &Table, train: usize, target: Option<&str>, report: &mut LeakageReport) {
        let fields = both.schema().fields();
        let compared: Vec<usize> = (0..fields.len())
            .filter(|&i| matches!(fields[i].role, Role::Feature | Role::Target) || Some(&*fields[i].name) == target)
            .collect();
        let columns: Vec<&Column> = compared.iter().map(|&i| &both.columns()[i]).collect();
        let rows = Rows::new(columns, train);
        if !rows.telling() {
            report.notes.push("rows have too few different values to say whose copy they are: not compared".into());
            return;
        }
        let tests = both.rows() - train;
        let mut known = vec![false; tests];
        let mut add = |kind, severity, what: String, pairs: Vec<Pair>, known: &mut Vec<bool>| {
            if !pairs.is_empty() {
                pairs.iter().for_each(|&(row, _)| known[row] = true);
                let share = pairs.len() as f64 / tests as f64;
                let what = format!("{} of {tests} test rows {what}", pairs.len());
                report.findings.push(LeakageFinding { kind, column: None, severity, strength: share, what, pairs });
            }
        };
        let what = "are equal to a training row".to_string();
        add(LeakageKind::SameRows, Severity::Error, what, rows.same(), &mut known);
        let rounded = rows.rounded(self.tolerance, &known);
        let searched = rounded.is_some();
        let what = "are equal to a training row but for rounding".to_string();
        add(LeakageKind::NearRows, Severity::Warning, what, rounded.unwrap_or_default(), &mut known);
        let (but_one, skipped) = rows.but_one(&known);
        let mut by_column: BTreeMap<usize, usize> = BTreeMap::new();
        but_one.iter().for_each(|(_, column)| *by_column.entry(*column).or_default() += 1);
        let names: Vec<&str> = by_column.keys().map(|&c| fields[compared[c]].name.as_ref()).collect();
        let what = format!("are equal to a training row but for one column: {}", names_text(&names));
        let pairs = but_one.into_iter().map(|(pair, _)| pair).collect();
        add(LeakageKind::NearRows, Severity::Warning, what, pairs, &mut known);
        if skipped > 0 {
            report.notes.push(format!(
                "rows equal but for one column were not looked for in {skipped} of {} columns: the others agree by chance",
                compared.len()
            ));
        }
        if !searched {
            report.notes.push("rows equal but for rounding were not looked for: no number tells rows apart".into());
        }
    }

    fn powers(&self, train: &Table, test: &Table, target: &str, report: &mut LeakageReport) -> Result<()> {
        if test.schema().position(target).is_none() {
            report.notes.push(format!("`{target}` is not in the test rows: powers are of the training rows alone"));
        }
        let classes = !matches!(detect_task(train, target)?, TaskKind::Regression { .. });
        let truth = Truth::new(train.column(target)?, classes);
        let alike = |name: &str| {
            let kind = train.schema().field(name).map(|f| f.kind);
            test.column(name).ok().filter(|column| Some(column.kind()) == kind)
        };
        let tested = alike(target).and_then(|column| Truth::new(column, classes));
        let Some(truth) = truth else {
            report.notes.push("too few training rows have a target, or it is always the same: no powers".into());
            return Ok(());
        };
        let tested = tested.filter(|t| t.rows() >= COMPARED_ROWS && truth.rows() >= COMPARED_ROWS);
        if tested.is_none() {
            report
                .notes
                .push(format!("fewer than {COMPARED_ROWS} rows with a target on a side: powers are not compared"));
        }
        let fields = train.schema().fields();
        let of = |keep: &dyn Fn(Role) -> bool| -> Vec<usize> {
            (0..fields.len()).filter(|&i| keep(fields[i].role) && *fields[i].name != *target).collect()
        };
        report.powers = of(&|role| role == Role::Feature)
            .into_par_iter()
            .map(|i| Power {
                column: fields[i].name.to_string(),
                train: truth.power(&train.columns()[i]).unwrap_or(0.0),
                test: tested.as_ref().and_then(|t| alike(&fields[i].name).and_then(|column| t.power(column))),
            })
            .collect();
        let found = |kind, column: &str, strength: f64, what: String| LeakageFinding {
            kind,
            column: Some(column.into()),
            severity: Severity::Warning,
            strength,
            what,
            pairs: Vec::new(),
        };
        let mut findings = Vec::new();
        for power in report.powers.iter().filter(|p| p.train >= self.proxy) {
            let what = format!(
                "tells {} % of the target alone; is it known before the outcome?",
                number((power.train * 1000.0).round() / 10.0)
            );
            findings.push(found(LeakageKind::Proxy, &power.column, power.train, what));
        }
        for i in of(&|role| role == Role::Id) {
            let power = truth.power(&ordinal(&train.columns()[i])).unwrap_or(0.0);
            if power >= self.id_power {
                let what = "is an id, and tells of the target".to_string();
                findings.push(found(LeakageKind::IdTellsTarget, &fields[i].name, power, what));
            }
        }
        let places = Column::numbers((0..train.rows()).map(|row| row as f64).collect::<Vec<_>>());
        let power = truth.power(&places).unwrap_or(0.0);
        if power >= self.id_power {
            let what = "the order of the training rows tells of the target".to_string();
            findings.push(LeakageFinding { column: None, ..found(LeakageKind::IdTellsTarget, "", power, what) });
        }
        for power in &report.powers {
            if let Some(test) = power.test
                && (power.train - test).abs() >= self.power_change
            {
                let what =
                    format!("power {} among training rows, {} among test rows", number(power.train), number(test));
                findings.push(found(LeakageKind::PowerChange, &power.column, power.train - test, what));
            }
        }
        report.findings.extend(findings);
        Ok(())
    }
}

/// The two tables with the columns that both have, in the order and with the roles of the first.
fn shared(train: &Table, test: &Table, notes: &mut Vec<String>) -> Result<(Table, Table)> {
    let (mut left, mut right, mut odd) = (Vec::new(), Vec::new(), Vec::new());
    for (i, field) in train.schema().fields().iter().enumerate() {
        match test.schema().position(&field.name) {
            Some(j) if test.schema().fields()[j].kind == field.kind => {
                left.push(i);
                right.push(j);
            }
            _ => odd.push(field.name.to_string()),
        }
    }
    odd.extend(
        test.schema()
            .fields()
            .iter()
            .filter(|f| train.schema().position(&f.name).is_none())
            .map(|f| f.name.to_string()),
    );
    if !odd.is_empty() {
        notes.push(format!("not in both tables with one kind, so not compared: {}", names_text(&odd)));
    }
    Ok((train.select(&left)?, test.select(&right)?))
}

/// Groups and ids that stand on both sides.
fn values(both: &Table, train: usize, report: &mut LeakageReport) {
    for (field, column) in both.schema().fields().iter().zip(both.columns()) {
        let (kind, what) = match field.role {
            Role::Group => (LeakageKind::SharedGroups, "group"),
            Role::Id => (LeakageKind::SharedIds, "id"),
            _ => continue,
        };
        let keys = levels(column);
        // The first training row of each value.
        let mut first: Vec<(u64, usize)> = (0..train).map(|row| (keys[row], row)).collect();
        first.sort_unstable();
        first.dedup_by_key(|entry| entry.0);
        let seen = |row: usize| {
            let key = keys[row];
            let at = first.binary_search_by_key(&key, |entry| entry.0).ok().filter(|_| key != MISSING_LEVEL)?;
            Some((row - train, first[at].1))
        };
        let pairs: Vec<Pair> = (train..both.rows()).filter_map(seen).collect();
        if pairs.is_empty() {
            continue;
        }
        let tests = both.rows() - train;
        let shown = super::finding::shown(column, pairs[0].0 + train);
        report.findings.push(LeakageFinding {
            kind,
            column: Some(field.name.to_string()),
            severity: Severity::Error,
            strength: pairs.len() as f64 / tests as f64,
            what: format!("{} of {tests} test rows have the {what} of a training row, such as {shown}", pairs.len()),
            pairs,
        });
    }
}

/// Test rows that are not later than the last training row.
fn times(train: &Table, test: &Table, report: &mut LeakageReport) {
    let key = |column: &Column, row: usize| match column {
        Column::Timestamp(v) => (v[row] != MISSING_TIME).then_some(v[row] as f64),
        Column::Number(v) => (!v[row].is_nan()).then_some(v[row]),
        _ => None,
    };
    for (i, field) in train.schema().fields().iter().enumerate().filter(|(_, f)| f.role == Role::Time) {
        let (old, new) = (&train.columns()[i], &test.columns()[i]);
        let last = (0..old.len()).filter_map(|row| key(old, row).map(|time| (time, row))).fold(
            None,
            |last: Option<(f64, usize)>, next| match last {
                Some(last) if last.0 >= next.0 => Some(last),
                _ => Some(next),
            },
        );
        let Some((last, row)) = last else { continue };
        let pairs: Vec<Pair> =
            (0..new.len()).filter(|&t| key(new, t).is_some_and(|time| time <= last)).map(|t| (t, row)).collect();
        if !pairs.is_empty() {
            let (count, tests) = (pairs.len(), new.len());
            report.findings.push(LeakageFinding {
                kind: LeakageKind::OverlappingTimes,
                column: Some(field.name.to_string()),
                severity: Severity::Warning,
                strength: count as f64 / tests as f64,
                what: format!(
                    "{count} of {tests} test rows are not later than the last training row, {}",
                    super::finding::shown(old, row)
                ),
                pairs,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stagewise_core::exhibit::{Block, Chart, Exhibit};
    use stagewise_core::schema::{Field, Kind, Schema};
    use stagewise_numeric::random::Stream;

    use super::*;

    /// 600 rows: id, group of three rows, time, two features, a proxy, a target.
    fn table() -> Table {
        let mut stream = Stream::new(9, "leakage");
        let rows = 600;
        let x: Vec<f64> = (0..rows).map(|_| stream.normal()).collect();
        let z: Vec<f64> = (0..rows).map(|_| stream.normal()).collect();
        let y: Vec<bool> = x.iter().map(|x| x + stream.normal() > 0.0).collect();
        let late: Vec<Option<bool>> = y.iter().map(|&y| Some(y != (stream.unit() < 0.01))).collect();
        let fields = vec![
            Field::new("id", Kind::Number).role(Role::Id),
            Field::new("customer", Kind::Number).role(Role::Group),
            Field::new("t", Kind::Timestamp).role(Role::Time),
            Field::new("x", Kind::Number),
            Field::new("z", Kind::Number),
            Field::new("late", Kind::Flag),
            Field::new("y", Kind::Flag).role(Role::Target),
        ];
        let columns = vec![
            Column::numbers((0..rows).map(|i| i as f64).collect::<Vec<_>>()),
            Column::numbers((0..rows).map(|i| (i / 3) as f64).collect::<Vec<_>>()),
            Column::timestamps((0..rows).map(|i| i as i64 * 86_400_000_000).collect::<Vec<_>>()),
            Column::numbers(x),
            Column::numbers(z),
            Column::flags(late),
            Column::flags(y.into_iter().map(Some).collect::<Vec<_>>()),
        ];
        Table::new(Arc::new(Schema::new(fields).unwrap()), columns).unwrap()
    }

    fn kinds(report: &LeakageReport) -> Vec<(LeakageKind, &str, usize)> {
        report.findings.iter().map(|f| (f.kind, f.column.as_deref().unwrap_or(""), f.pairs.len())).collect()
    }

    #[test]
    fn a_clean_split_has_only_the_proxy() {
        let table = table();
        let (train, test) = (table.take(&(0..450).collect::<Vec<_>>()), table.take(&(450..600).collect::<Vec<_>>()));
        let report = Leakage::new().check(&train, &test).unwrap();
        assert_eq!(kinds(&report), [(LeakageKind::Proxy, "late", 0)]);
        assert_eq!(report.notes, Vec::<String>::new());
        let x = report.powers.iter().find(|p| p.column == "x").unwrap();
        assert!(x.train > 0.2 && x.test.unwrap() > 0.1, "{x:?}");
    }

    #[test]
    fn what_stands_on_both_sides_is_found() {
        let table = table();
        let train = table.take(&(0..452).collect::<Vec<_>>());
        let test = table.take(&(448..600).collect::<Vec<_>>());
        let report = Leakage::new().check(&train, &test).unwrap();
        let told = [
            (LeakageKind::SameRows, "", 4),
            (LeakageKind::SharedIds, "id", 4),
            (LeakageKind::SharedGroups, "customer", 5),
            (LeakageKind::OverlappingTimes, "t", 4),
            (LeakageKind::Proxy, "late", 0),
        ];
        assert_eq!(kinds(&report), told);
        assert_eq!(report.findings[0].pairs, [(0, 448), (1, 449), (2, 450), (3, 451)]);
        let section = report.exhibit();
        assert!(section.blocks.iter().any(|b| matches!(b, Block::Chart(Chart::Heat { rows, .. }) if rows.len() == 3)));
    }

    #[test]
    fn an_order_by_target_and_a_change_of_power_are_found() {
        let table = table();
        let flags = table.column("y").unwrap().as_flags().unwrap().to_vec();
        let mut sorted: Vec<usize> = (0..400).collect();
        sorted.sort_by_key(|&row| flags[row]);
        let train = table.take(&sorted);
        // The proxy is empty among the test rows.
        let test = table.take(&(400..600).collect::<Vec<_>>());
        let (schema, mut tested) = test.into_parts();
        tested[5] = Column::missing(Kind::Flag, 200);
        let test = Table::new(schema, tested).unwrap();
        let report = Leakage::new().check(&train, &test).unwrap();
        let told = [
            (LeakageKind::SharedGroups, "customer", 2),
            (LeakageKind::Proxy, "late", 0),
            (LeakageKind::IdTellsTarget, "", 0),
            (LeakageKind::PowerChange, "late", 0),
        ];
        assert_eq!(kinds(&report), told);
    }

    #[test]
    fn what_cannot_be_compared_is_said() {
        let train = Table::of([("a", Column::numbers([1.0])), ("b", Column::flags(vec![None]))]).unwrap();
        let test =
            Table::of([("a", Column::numbers([1.0])), ("b", Column::numbers([1.0])), ("c", Column::numbers([1.0]))]);
        let report = Leakage::new().check(&train, &test.unwrap()).unwrap();
        assert_eq!(
            report.notes,
            [
                "not in both tables with one kind, so not compared: `b`, `c`",
                "rows have too few different values to say whose copy they are: not compared",
                "no target is named: proxies were not looked for",
            ]
        );
        let rows = table();
        let training = rows.take(&(0..450).collect::<Vec<_>>());
        let serving = rows.select(&[0, 1, 2, 3, 4, 5]).unwrap().take(&(450..600).collect::<Vec<_>>());
        let report = Leakage::new().check(&training, &serving).unwrap();
        assert_eq!(kinds(&report), [(LeakageKind::Proxy, "late", 0)]);
        assert!(report.powers.iter().all(|p| p.test.is_none()) && report.notes.len() == 3, "{:?}", report.notes);
        let empty = train.take(&[]);
        assert_eq!(Leakage::new().check(&empty, &empty).unwrap().findings, []);
        assert!(Leakage::new().target("z").check(&train, &train).is_err());
        for bad in [Leakage::new().tolerance(1.0), Leakage::new().proxy(0.0), Leakage::new().power_change(f64::NAN)] {
            assert!(bad.check(&train, &train).is_err(), "{bad:?}");
        }
        let spec = Leakage::new().proxy(0.9);
        assert_eq!(stagewise_core::persist::Saved::of(&spec).unwrap().load::<Leakage>().unwrap(), spec);
    }
}
