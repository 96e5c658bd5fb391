//! Rules that label rows, each where it can and else not at all; what they cover, where they clash, what comes of them.
//!
//! Their votes are annotations like those of people, the rows being tasks and the rules workers. So the label model is
//! an [`Aggregator`](super::Aggregator): [`DawidSkene`](super::DawidSkene) is the choice here. It is the model of Snorkel,
//! rules that err independently given the label, with an accuracy for each label and no rate or number of epochs to
//! choose; that a rule abstains says nothing in either.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::error::{Crumb, DataError, Error, ParameterError, Result, SchemaError};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Kind, Levels};
use stagewise_core::table::Table;
use stagewise_numeric::parallel::blocks;

use super::annotations::{Annotations, Given, coded, name};

type Rule = Box<dyn Fn(&LabelRow<'_>) -> Option<&'static str> + Send + Sync>;

/// Labelling functions: closures from a row to a label, or to none where they abstain.
///
/// ```
/// use stagewise_core::{column::Column, context::FitContext, table::Table};
/// use stagewise_data::label::{Aggregator, LabelFunctions, MajorityVote};
///
/// let mail = Table::of([
///     ("links", Column::numbers([9.0, 0.0, 7.0, 1.0])),
///     ("text", Column::texts(["win now", "lunch?", "win win", "see you"].map(Some))),
/// ])?;
/// let rules = LabelFunctions::new(["ham", "spam"])
///     .function("links", |row| (row.number("links")? > 5.0).then_some("spam"))
///     .function("win", |row| Some(if row.text("text")?.contains("win") { "spam" } else { "ham" }));
/// let votes = rules.apply(&mail, &FitContext::new(7))?;
/// let report = votes.report(None)?;
/// assert_eq!((report.rows()[0].coverage, report.rows()[1].coverage), (0.5, 1.0));
/// // Four rows are too few to learn how good a rule is; with hundreds take `DawidSkene`.
/// let labels = MajorityVote::new().aggregate(votes.annotations(), &FitContext::new(7))?;
/// assert_eq!((labels.label("0"), labels.label("1")), (Some("spam"), Some("ham")));
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Ratner, De Sa, Wu, Selsam & Ré (2016), "Data programming"; Dawid & Skene (1979).
pub struct LabelFunctions {
    labels: Levels,
    rules: Vec<(String, Rule)>,
}

/// One row as a labelling function sees it. Asking for a column that is not there, or is of another kind, is an error
/// of [`LabelFunctions::apply`], not an abstention.
pub struct LabelRow<'a> {
    table: &'a Table,
    row: usize,
    error: RefCell<Option<Error>>,
}

/// What labelling functions say of the rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelVotes {
    annotations: Annotations,
}

/// How labelling functions fare.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionReport {
    rows: Vec<FunctionRow>,
    table_rows: usize,
    covered: usize,
    clashes: usize,
}

/// How one labelling function fares. Shares are of all rows of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionRow {
    /// The function.
    pub function: String,
    /// The labels that it gave, in the order of the labels.
    pub labels: Vec<String>,
    /// The share of rows that it labels.
    pub coverage: f64,
    /// The share of rows that it and another one label.
    pub overlaps: f64,
    /// The share of rows that it and another one label differently.
    pub conflicts: f64,
    /// Of the rows whose label is known, how many it labels.
    pub known: usize,
    /// The share of these that it labels right; none without any.
    pub accuracy: Option<f64>,
}

impl LabelFunctions {
    /// Functions that give these labels.
    pub fn new<S: Into<Arc<str>>>(labels: impl IntoIterator<Item = S>) -> Self {
        Self { labels: Levels::new(labels), rules: Vec::new() }
    }

    /// Adds a function. It must give the same answer for the same row; rows are asked in parallel.
    #[must_use]
    pub fn function(
        mut self,
        name: impl Into<String>,
        rule: impl Fn(&LabelRow<'_>) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        self.rules.push((name.into(), Box::new(rule)));
        self
    }

    /// Asks every function for every row; tasks are named by the rows, from 0. `O(rows · functions)`.
    ///
    /// # Errors
    /// [`ParameterError`] for two functions of one name, or none; at the row and the function,
    /// [`DataError::UnknownLevel`] for a label that was not named at the start, [`SchemaError::MissingColumn`] and
    /// [`SchemaError::WrongKind`] for a column asked for that is not there or of another kind; cancellation.
    pub fn apply(&self, table: &Table, cx: &FitContext) -> Result<LabelVotes> {
        const BLOCK: usize = 1024;
        let names: Vec<&str> = self.rules.iter().map(|(name, _)| name.as_str()).collect();
        ParameterError::check(!names.is_empty(), "function", "not given", "at least one")?;
        if let Some((_, twice)) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            let twice = format!("two named `{twice}`");
            return Err(
                ParameterError { name: "function", value: twice, allowed: "functions of different names" }.into()
            );
        }
        let parts = cx.install(|| {
            blocks(table.rows(), BLOCK, |rows| {
                cx.check()?;
                let mut votes = Vec::new();
                for row in rows {
                    self.ask(table, row, &mut votes)?;
                }
                Ok(votes)
            })
        });
        let votes = parts.into_iter().collect::<Result<Vec<_>>>()?.concat();
        let abstained = table.rows() * names.len() - votes.len();
        let tasks = Levels::new((0..table.rows()).map(|row| row.to_string()));
        let annotations = Annotations::coded(tasks, Levels::new(names), self.labels.clone(), votes, abstained)?;
        Ok(LabelVotes { annotations })
    }

    fn ask(&self, table: &Table, row: usize, votes: &mut Vec<(u32, Given)>) -> Result<()> {
        let seen = LabelRow { table, row, error: RefCell::new(None) };
        for (worker, (name, rule)) in (0_u32..).zip(&self.rules) {
            let place = |error: Error| error.at(Crumb::Row(row)).at(Crumb::step(name, "labelling function"));
            let said = rule(&seen);
            if let Some(error) = seen.error.take() {
                return Err(place(error));
            }
            let Some(said) = said else { continue };
            let Some(label) = self.labels.code(said) else {
                let known = self.labels.to_strings();
                return Err(place(DataError::UnknownLevel { level: said.into(), known }.into()));
            };
            votes.push((row as u32, Given { worker, label }));
        }
        Ok(())
    }
}

impl fmt::Debug for LabelFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.rules.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("LabelFunctions").field("labels", &self.labels.to_strings()).field("functions", &names).finish()
    }
}

impl<'a> LabelRow<'a> {
    /// The number in a column; none where it is missing.
    pub fn number(&self, column: &str) -> Option<f64> {
        match self.of(column, Kind::Number)?.cell(self.row) {
            Cell::Number(x) => Some(x),
            _ => None,
        }
    }

    /// The level in a category column; none where it is missing.
    pub fn level(&self, column: &str) -> Option<&'a str> {
        let (codes, levels) = self.of(column, Kind::Category)?.as_categories().ok()?;
        levels.name(*codes.get(self.row)?).map(AsRef::as_ref)
    }

    /// The flag in a column; none where it is missing.
    pub fn flag(&self, column: &str) -> Option<bool> {
        self.of(column, Kind::Flag)?.as_flags().ok()?.get(self.row).copied().flatten()
    }

    /// The text in a column; none where it is missing.
    pub fn text(&self, column: &str) -> Option<&'a str> {
        match self.of(column, Kind::Text)? {
            Column::Text(values) => values.get(self.row)?.as_deref(),
            _ => None,
        }
    }

    /// The point in time in a column, in microseconds since 1970-01-01T00:00:00Z; none where it is missing.
    pub fn timestamp(&self, column: &str) -> Option<i64> {
        match self.of(column, Kind::Timestamp)?.cell(self.row) {
            Cell::Timestamp(time) => Some(time),
            _ => None,
        }
    }

    fn of(&self, name: &str, expected: Kind) -> Option<&'a Column> {
        let found = self.table.column(name).and_then(|column| match column.kind() {
            kind if kind == expected => Ok(column),
            found => Err(Error::from(SchemaError::WrongKind { expected, found }).at(Crumb::column(name))),
        });
        found.map_err(|error| self.error.borrow_mut().get_or_insert(error).crumbs().count()).ok()
    }
}

impl LabelVotes {
    /// The votes as annotations: a task a row, a worker a function. An aggregation of them is the label model.
    pub fn annotations(&self) -> &Annotations {
        &self.annotations
    }

    /// How the functions fare; where a column of known labels is given, missing where not known, also how often they are
    /// right. `O(votes)`.
    ///
    /// # Errors
    /// [`DataError::Length`] for a column that is not as long as the table; [`SchemaError::WrongKind`] for timestamps;
    /// [`DataError::UnknownLevel`] for a label that no function may give.
    pub fn report(&self, known: Option<&Column>) -> Result<FunctionReport> {
        let votes = &self.annotations;
        let (rows, functions) = (votes.tasks().len(), votes.workers().len());
        let truth = known.map(|column| self.codes(column)).transpose()?;
        let mut counts = vec![Counts { labels: vec![false; votes.labels().len()], ..Counts::default() }; functions];
        let (mut covered, mut clashes) = (0, 0);
        for row in 0..rows {
            let given = votes.to(row);
            let differ = given.iter().any(|g| g.label != given[0].label);
            covered += usize::from(!given.is_empty());
            clashes += usize::from(differ);
            let truth = truth.as_ref().and_then(|truth| truth[row]);
            for vote in given {
                let count = &mut counts[vote.worker as usize];
                count.labels[vote.label as usize] = true;
                count.covered += 1;
                count.overlaps += usize::from(given.len() > 1);
                // Where rows differ at all, a vote differs from some other one.
                count.conflicts += usize::from(differ);
                count.known += usize::from(truth.is_some());
                count.right += usize::from(truth == Some(vote.label));
            }
        }
        let share = |n: usize| n as f64 / (rows as f64).max(1.0);
        let row = |(function, count): (&Arc<str>, Counts)| FunctionRow {
            function: function.to_string(),
            labels: (0_u32..)
                .zip(count.labels)
                .filter(|(_, given)| *given)
                .map(|(code, _)| name(votes.labels(), code))
                .collect(),
            coverage: share(count.covered),
            overlaps: share(count.overlaps),
            conflicts: share(count.conflicts),
            known: count.known,
            accuracy: (count.known > 0).then(|| count.right as f64 / count.known as f64),
        };
        let of = votes.workers().iter().zip(counts).map(row).collect();
        Ok(FunctionReport { rows: of, table_rows: rows, covered, clashes })
    }

    fn codes(&self, column: &Column) -> Result<Vec<Option<u32>>> {
        let expected = self.annotations.tasks().len();
        if column.len() != expected {
            let what = "known labels".to_string();
            return Err(DataError::Length { what, expected, found: column.len() }.into());
        }
        let (codes, levels) = coded(column)?;
        let labels = self.annotations.labels();
        let used = |code: u32| {
            let level = name(&levels, code);
            let unknown = || DataError::UnknownLevel { level: level.clone(), known: labels.to_strings() };
            labels.code(&level).ok_or_else(|| Error::from(unknown()))
        };
        codes.into_iter().map(|code| code.map(used).transpose()).collect()
    }
}

#[derive(Debug, Clone, Default)]
struct Counts {
    labels: Vec<bool>,
    covered: usize,
    overlaps: usize,
    conflicts: usize,
    known: usize,
    right: usize,
}

impl FunctionReport {
    /// The functions, in order.
    pub fn rows(&self) -> &[FunctionRow] {
        &self.rows
    }

    /// The share of rows that some function labels.
    pub fn coverage(&self) -> f64 {
        self.covered as f64 / (self.table_rows as f64).max(1.0)
    }

    /// The share of rows that functions label differently.
    pub fn conflicts(&self) -> f64 {
        self.clashes as f64 / (self.table_rows as f64).max(1.0)
    }
}

impl Exhibit for FunctionReport {
    fn exhibit(&self) -> Section {
        let facts = vec![
            ("rows".to_string(), self.table_rows.to_string()),
            ("coverage".into(), number(self.coverage())),
            ("conflicts".into(), number(self.conflicts())),
        ];
        let columns = ["function", "labels", "coverage", "overlaps", "conflicts", "known", "accuracy"];
        let row = |row: &FunctionRow| {
            vec![
                row.function.clone(),
                row.labels.join(", "),
                number(row.coverage),
                number(row.overlaps),
                number(row.conflicts),
                row.known.to_string(),
                row.accuracy.map_or_else(|| "unknown".into(), number),
            ]
        };
        let mut section = Section::new("Labelling functions").block(Block::Facts(facts));
        for silent in self.rows.iter().filter(|row| row.coverage == 0.0) {
            section = section.block(Block::Warning(format!("`{}` labels no row", silent.function)));
        }
        let items = self.rows.iter().map(|row| (row.function.clone(), row.coverage)).collect();
        section
            .block(Block::Table {
                columns: columns.map(String::from).to_vec(),
                rows: self.rows.iter().map(row).collect(),
            })
            .block(Block::Chart(Chart::Bars { title: "Coverage".into(), items, mark: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{Aggregator, DawidSkene};
    use stagewise_numeric::random::Stream;

    fn table() -> Table {
        Table::of([
            ("x", Column::numbers([1.0, 2.0, 3.0, f64::NAN])),
            ("c", Column::categories([Some("a"), None, Some("b"), Some("a")])),
            ("f", Column::flags([Some(true), None, None, Some(false)])),
            ("t", Column::timestamps([1, 2, 3, 4])),
        ])
        .unwrap()
    }

    #[test]
    fn shares_by_hand() {
        let rules = LabelFunctions::new(["no", "yes"])
            .function("x", |row| row.number("x").map(|x| if x > 1.5 { "yes" } else { "no" }))
            .function("c", |row| (row.level("c")? == "b").then_some("no"))
            .function("f", |row| row.flag("f")?.then_some("no"))
            .function("t", |row| (row.timestamp("t")? > 9).then_some("yes"));
        let votes = rules.apply(&table(), &FitContext::new(0)).unwrap();
        assert_eq!((votes.annotations().len(), votes.annotations().not_given()), (5, 11));
        let known = Column::categories([Some("no"), None, Some("no"), None]);
        let report = votes.report(Some(&known)).unwrap();
        let of = |i: usize| {
            let row: &FunctionRow = &report.rows()[i];
            (row.coverage, row.overlaps, row.conflicts, row.accuracy)
        };
        assert_eq!(of(0), (0.75, 0.5, 0.25, Some(0.5)));
        assert_eq!(of(1), (0.25, 0.25, 0.25, Some(1.0)));
        assert_eq!(of(2), (0.25, 0.25, 0.0, Some(1.0)));
        assert_eq!(of(3), (0.0, 0.0, 0.0, None));
        assert_eq!((report.coverage(), report.conflicts()), (0.75, 0.25));
        assert!(report.exhibit().blocks.iter().any(|b| matches!(b, Block::Warning(w) if w == "`t` labels no row")));
        assert!(votes.report(Some(&Column::categories([Some("maybe"); 4]))).is_err());
        assert!(votes.report(Some(&Column::categories([Some("no")]))).is_err());
    }

    #[test]
    fn a_wrong_column_is_no_abstention() {
        let text = |rules: LabelFunctions| rules.apply(&table(), &FitContext::new(0)).unwrap_err().to_string();
        let rules = || LabelFunctions::new(["no", "yes"]);
        let missing = text(rules().function("r", |row| row.number("xx").map(|_| "yes")));
        assert_eq!(missing, "step `r` (labelling function) › row 0: there is no column `xx`; did you mean `x`?");
        assert!(
            text(rules().function("r", |row| row.text("x").map(|_| "yes"))).contains("is a number, a text is needed")
        );
        assert!(text(rules().function("r", |_| Some("maybe"))).contains("`maybe` is none of the known levels"));
        assert!(text(rules()).contains("`function`"));
        assert!(text(rules().function("r", |_| None).function("r", |_| None)).contains("two named `r`"));
    }

    #[test]
    fn the_label_model_finds_how_good_rules_are() {
        let mut stream = Stream::new(4, "rules");
        let truth: Vec<f64> = (0..2000).map(|_| stream.below(2) as f64).collect();
        let mut columns = vec![("truth".to_string(), Column::numbers(truth.clone()))];
        for (rule, right) in [0.9, 0.8, 0.65].into_iter().enumerate() {
            let say = |y: &f64| match (stream.unit() < 0.7, stream.unit() < right) {
                (false, _) => f64::NAN,
                (true, true) => *y,
                (true, false) => 1.0 - y,
            };
            columns.push((format!("r{rule}"), Column::numbers(truth.iter().map(say).collect::<Vec<f64>>())));
        }
        let table = Table::of(columns.iter().map(|(n, c)| (n.as_str(), c.clone()))).unwrap();
        let mut rules = LabelFunctions::new(["0", "1"]);
        for name in ["r0", "r1", "r2"] {
            rules = rules.function(name, move |row| Some(if row.number(name)? > 0.5 { "1" } else { "0" }));
        }
        let cx = FitContext::new(0);
        let votes = rules.apply(&table, &cx).unwrap();
        let labels = DawidSkene::new().steps(2000).tolerance(1e-9).aggregate(votes.annotations(), &cx).unwrap();
        let report = votes.report(Some(&columns[0].1)).unwrap();
        for row in report.rows() {
            let (found, true_share) = (labels.skill(&row.function).unwrap(), row.accuracy.unwrap());
            assert!((found - true_share).abs() < 0.08, "{}: {found} {true_share}", row.function);
        }
    }
}
