//! Who gave which task which label: the long format, one row an answer.
//!
//! Names become codes once, here, and answers are kept task by task, so that everything behind is a walk over two
//! arrays. A worker answers a task once; an answer whose label is missing was not given, but its task and worker count
//! as known.

use std::sync::Arc;

use stagewise_core::column::Column;
use stagewise_core::error::{At, Crumb, DataError, Result, SchemaError};
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::record::Cell;
use stagewise_core::schema::{Kind, Levels};
use stagewise_core::table::Table;
use stagewise_core::target::number_text;

/// Labels that workers gave to tasks.
///
/// Tasks and workers are numbered in order of appearance. Labels are in the order of the column's levels; numbers
/// ascend, of flags `false` comes first; [`ordered`](Self::ordered) states another order. Memory: 8 bytes an answer.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::label::Annotations;
///
/// let table = Table::of([
///     ("task", Column::categories([Some("t1"), Some("t1"), Some("t2"), Some("t2")])),
///     ("worker", Column::categories([Some("ann"), Some("bob"), Some("ann"), Some("bob")])),
///     ("label", Column::categories([Some("cat"), Some("dog"), Some("cat"), None])),
/// ])?;
/// let answers = Annotations::of(&table, "task", "worker", "label")?;
/// assert_eq!((answers.tasks().len(), answers.workers().len(), answers.len()), (2, 2, 3));
/// assert_eq!(answers.not_given(), 1);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Annotations {
    tasks: Arc<Levels>,
    workers: Arc<Levels>,
    labels: Arc<Levels>,
    /// Where the answers of each task begin, and where the last ones end.
    starts: Vec<usize>,
    /// By task, then by worker.
    answers: Vec<Given>,
    not_given: usize,
}

/// One answer to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Given {
    /// The code of the worker.
    pub worker: u32,
    /// The code of the label.
    pub label: u32,
}

impl Annotations {
    /// Reads three columns of a table. A missing label is an answer not given. `O(rows · log rows)`.
    ///
    /// # Errors
    /// A column that is not there or holds timestamps; [`DataError::Unnamed`] where a label stands without its task or
    /// worker; [`DataError::AnsweredTwice`] where a worker answered a task more than once.
    pub fn of(table: &Table, task: &str, worker: &str, label: &str) -> Result<Self> {
        let read = |name: &str| coded(table.column(name)?).at(|| Crumb::column(name));
        let (task_codes, tasks) = read(task)?;
        let (worker_codes, workers) = read(worker)?;
        let (label_codes, labels) = read(label)?;
        for (name, codes) in [(task, &task_codes), (worker, &worker_codes)] {
            let unnamed = || codes.iter().zip(&label_codes).map(|(code, label)| code.is_none() && label.is_some());
            if let Some(first) = unnamed().position(|row| row) {
                let error = DataError::Unnamed { count: unnamed().filter(|row| *row).count(), first };
                return Err(error).at(|| Crumb::column(name));
            }
        }
        let mut rows = Vec::with_capacity(table.rows());
        let mut not_given = 0;
        for ((task, worker), label) in task_codes.into_iter().zip(worker_codes).zip(label_codes) {
            match (task, worker, label) {
                (Some(task), Some(worker), Some(label)) => rows.push((task, Given { worker, label })),
                _ => not_given += 1,
            }
        }
        Self::coded(tasks, workers, labels, rows, not_given)
    }

    /// Answers by code, in any order.
    pub(crate) fn coded(
        tasks: Levels,
        workers: Levels,
        labels: Levels,
        mut rows: Vec<(u32, Given)>,
        not_given: usize,
    ) -> Result<Self> {
        rows.sort_unstable();
        if let Some(pair) = rows.windows(2).find(|p| (p[0].0, p[0].1.worker) == (p[1].0, p[1].1.worker)) {
            let (task, worker) = (name(&tasks, pair[0].0), name(&workers, pair[0].1.worker));
            return Err(DataError::AnsweredTwice { task, worker }.into());
        }
        let mut starts = vec![0; tasks.len() + 1];
        rows.iter().for_each(|(task, _)| starts[*task as usize + 1] += 1);
        (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
        let answers = rows.into_iter().map(|(_, given)| given).collect();
        Ok(Self {
            tasks: Arc::new(tasks),
            workers: Arc::new(workers),
            labels: Arc::new(labels),
            starts,
            answers,
            not_given,
        })
    }

    /// The same answers with the labels in this order: for ordinal measures, and for ties. It must name every label
    /// and may name some that nobody gave.
    ///
    /// # Errors
    /// [`DataError::UnknownLevel`] for a label that it does not name.
    pub fn ordered<S: Into<Arc<str>>>(mut self, order: impl IntoIterator<Item = S>) -> Result<Self> {
        let order = Levels::new(order);
        let code = |label: &Arc<str>| {
            let unknown = || DataError::UnknownLevel { level: label.to_string(), known: order.to_strings() };
            order.code(label).ok_or_else(unknown)
        };
        let map = self.labels.iter().map(code).collect::<Result<Vec<u32>, _>>()?;
        self.answers.iter_mut().for_each(|given| given.label = map[given.label as usize]);
        self.labels = Arc::new(order);
        Ok(self)
    }

    /// The same answers but for those of the workers that `keep` refuses; the workers keep their codes.
    #[must_use]
    pub fn keep_workers(mut self, keep: impl Fn(&str) -> bool) -> Self {
        let kept: Vec<bool> = self.workers.iter().map(|worker| keep(worker)).collect();
        let mut answers = Vec::with_capacity(self.answers.len());
        let mut starts = vec![0];
        for task in 0..self.tasks.len() {
            answers.extend(self.to(task).iter().filter(|given| kept[given.worker as usize]));
            starts.push(answers.len());
        }
        (self.answers, self.starts) = (answers, starts);
        self
    }

    /// The tasks.
    pub fn tasks(&self) -> &Arc<Levels> {
        &self.tasks
    }

    /// The workers.
    pub fn workers(&self) -> &Arc<Levels> {
        &self.workers
    }

    /// The labels.
    pub fn labels(&self) -> &Arc<Levels> {
        &self.labels
    }

    /// How many answers were given.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// How many rows held no answer.
    pub fn not_given(&self) -> usize {
        self.not_given
    }

    /// The answers to a task, by worker; none if there is no such task.
    pub fn to(&self, task: usize) -> &[Given] {
        match (self.starts.get(task), self.starts.get(task + 1)) {
            (Some(&start), Some(&end)) => &self.answers[start..end],
            _ => &[],
        }
    }

    /// How often each label was given to a task, in the order of the labels.
    pub(crate) fn counts(&self, task: usize) -> Vec<u32> {
        let mut counts = vec![0; self.labels.len()];
        self.to(task).iter().for_each(|given| counts[given.label as usize] += 1);
        counts
    }

    /// The answers of each worker as (task, label), by task.
    pub(crate) fn by_worker(&self) -> Vec<Vec<(u32, u32)>> {
        let mut counts = vec![0_usize; self.workers.len()];
        self.answers.iter().for_each(|given| counts[given.worker as usize] += 1);
        let mut lists: Vec<Vec<(u32, u32)>> = counts.into_iter().map(Vec::with_capacity).collect();
        for task in 0..self.tasks.len() {
            self.to(task).iter().for_each(|g| lists[g.worker as usize].push((task as u32, g.label)));
        }
        lists
    }
}

impl Exhibit for Annotations {
    fn exhibit(&self) -> Section {
        const BARS: usize = 20;
        let bare = (0..self.tasks.len()).filter(|&task| self.to(task).is_empty()).count();
        let per_task = self.len() as f64 / (self.tasks.len() as f64).max(1.0);
        let facts = [
            ("tasks", self.tasks.len().to_string()),
            ("workers", self.workers.len().to_string()),
            ("answers", self.len().to_string()),
            ("answers a task", number(per_task)),
            ("answers not given", self.not_given.to_string()),
        ];
        let mut counts = vec![0_usize; self.labels.len()];
        self.answers.iter().for_each(|given| counts[given.label as usize] += 1);
        let share = |n: usize| n as f64 / (self.len() as f64).max(1.0);
        let rows = self.labels.iter().zip(&counts).map(|(label, &n)| {
            vec![label.to_string(), n.to_string(), format!("{} %", number((1000.0 * share(n)).round() / 10.0))]
        });
        let columns = ["label", "answers", "share"].map(String::from).to_vec();
        let items = self.labels.iter().zip(&counts).take(BARS).map(|(label, &n)| (label.to_string(), n as f64));
        let mut section =
            Section::new("Annotations").block(Block::Facts(facts.map(|(k, v)| (k.to_string(), v)).to_vec()));
        if bare > 0 {
            section = section.block(Block::Warning(format!("{bare} tasks have no answer")));
        }
        section.block(Block::Table { columns, rows: rows.collect() }).block(Block::Chart(Chart::Bars {
            title: "Answers by label".into(),
            items: items.collect(),
            mark: None,
        }))
    }
}

/// The name of a code, for messages and reports.
pub(crate) fn name(levels: &Levels, code: u32) -> String {
    levels.name(code).map(ToString::to_string).unwrap_or_default()
}

/// The codes of a column's values, none where missing, and what they mean.
pub(crate) fn coded(column: &Column) -> Result<(Vec<Option<u32>>, Levels)> {
    let mut levels = match column {
        Column::Category { levels, .. } => levels.as_ref().clone(),
        Column::Flag(values) => Levels::new(
            [(false, "false"), (true, "true")].into_iter().filter(|(b, _)| values.contains(&Some(*b))).map(|(_, n)| n),
        ),
        Column::Number(values) => {
            let mut distinct: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            Levels::new(distinct.into_iter().map(number_text))
        }
        Column::Text(_) => Levels::default(),
        other => return Err(SchemaError::WrongKind { expected: Kind::Category, found: other.kind() }.into()),
    };
    let codes = (0..column.len()).map(|row| match column.cell(row) {
        Cell::Level(code) => Some(code),
        Cell::Flag(b) => levels.code(if b { "true" } else { "false" }),
        Cell::Number(x) => levels.code(&number_text(x)),
        Cell::Text(text) => Some(levels.intern(&text)),
        _ => None,
    });
    Ok((codes.collect(), levels))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Answers from (task, worker, label).
    pub(crate) fn annotations(rows: &[(&str, &str, &str)]) -> Annotations {
        let table = Table::of([
            ("task", Column::categories(rows.iter().map(|r| Some(r.0)))),
            ("worker", Column::categories(rows.iter().map(|r| Some(r.1)))),
            ("label", Column::categories(rows.iter().map(|r| (!r.2.is_empty()).then_some(r.2)))),
        ])
        .unwrap();
        Annotations::of(&table, "task", "worker", "label").unwrap()
    }

    #[test]
    fn numbers_flags_and_texts_are_names() {
        let table = Table::of([
            ("t", Column::numbers([10.0, 2.0, 10.0, 2.0])),
            ("w", Column::texts([Some("b"), Some("b"), Some("a"), None])),
            ("l", Column::numbers([5.0, 1.0, -0.0, f64::NAN])),
            ("f", Column::flags([Some(true), None, Some(false), None])),
        ])
        .unwrap();
        let answers = Annotations::of(&table, "t", "w", "l").unwrap();
        assert_eq!(answers.tasks().to_strings(), ["2", "10"]);
        assert_eq!(answers.workers().to_strings(), ["b", "a"]);
        assert_eq!(answers.labels().to_strings(), ["0", "1", "5"]);
        assert_eq!(answers.to(1), [Given { worker: 0, label: 2 }, Given { worker: 1, label: 0 }]);
        assert_eq!((answers.len(), answers.not_given(), answers.to(7).len()), (3, 1, 0));
        let flags = Annotations::of(&table, "t", "w", "f").unwrap();
        assert_eq!((flags.labels().to_strings(), flags.not_given()), (vec!["false".into(), "true".into()], 2));
    }

    #[test]
    fn what_is_not_in_order_is_refused() {
        let of = |w: [Option<&str>; 2], t: [Option<&str>; 2]| {
            let label = Column::categories([Some("x"), Some("y")]);
            let table = Table::of([("t", Column::categories(t)), ("w", Column::categories(w)), ("l", label)]).unwrap();
            Annotations::of(&table, "t", "w", "l").unwrap_err().to_string()
        };
        let twice = of([Some("ann"), Some("ann")], [Some("1"), Some("1")]);
        assert!(twice.contains("`ann` answered the task `1` more than once"), "{twice}");
        let unnamed = of([Some("ann"), None], [Some("1"), Some("2")]);
        assert!(unnamed.contains("column `w`") && unnamed.contains("row 1"), "{unnamed}");
        let table = Table::of([("t", Column::timestamps([0]))]).unwrap();
        assert!(Annotations::of(&table, "t", "t", "t").is_err());
        assert!(Annotations::of(&table, "x", "t", "t").is_err());
    }

    #[test]
    fn labels_can_be_put_in_order_and_workers_left_out() {
        let answers = annotations(&[("1", "a", "high"), ("1", "b", "low"), ("2", "a", "low"), ("3", "b", "")]);
        let ordered = answers.clone().ordered(["low", "mid", "high"]).unwrap();
        assert_eq!(ordered.counts(0), [1, 0, 1]);
        assert!(answers.clone().ordered(["low"]).is_err());
        let left = answers.keep_workers(|w| w != "b");
        assert_eq!((left.len(), left.to(0).len(), left.tasks().len()), (2, 1, 3));
        assert_eq!(left.by_worker(), [vec![(0, 0), (1, 1)], vec![]]);
    }

    #[test]
    fn a_table_without_rows_gives_no_answer() {
        let answers = annotations(&[]);
        assert!(answers.is_empty() && !answers.exhibit().blocks.is_empty());
    }
}
