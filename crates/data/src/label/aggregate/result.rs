//! What an aggregation says: of each task a label and how likely it is, of each worker how good it is.

use std::sync::Arc;

use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::error::Result;
use stagewise_core::exhibit::{Block, Chart, Exhibit, Section, number};
use stagewise_core::schema::Levels;
use stagewise_core::table::Table;

use crate::label::annotations::{Annotations, name};

/// The labels that an aggregation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregated {
    pub(super) method: &'static str,
    pub(super) tasks: Arc<Levels>,
    pub(super) workers: Arc<Levels>,
    pub(super) labels: Arc<Levels>,
    /// The code of each task's label.
    pub(super) chosen: Vec<Option<u32>>,
    /// Tasks × labels.
    pub(super) posterior: Vec<f64>,
    pub(super) answered: Vec<bool>,
    pub(super) skills: Vec<Option<f64>>,
    /// Workers × true label × label given.
    pub(super) confusion: Option<Vec<f64>>,
    pub(super) difficulty: Option<Vec<Option<f64>>>,
    pub(super) objective: Vec<f64>,
    pub(super) converged: bool,
}

impl Aggregated {
    pub(super) fn new(
        method: &'static str,
        answers: &Annotations,
        chosen: Vec<Option<u32>>,
        posterior: Vec<f64>,
        skills: Vec<Option<f64>>,
    ) -> Self {
        Self {
            method,
            tasks: answers.tasks().clone(),
            workers: answers.workers().clone(),
            labels: answers.labels().clone(),
            answered: (0..chosen.len()).map(|task| !answers.to(task).is_empty()).collect(),
            chosen,
            posterior,
            skills,
            confusion: None,
            difficulty: None,
            objective: Vec::new(),
            converged: true,
        }
    }

    /// The tasks.
    pub fn tasks(&self) -> &Arc<Levels> {
        &self.tasks
    }

    /// The labels, in the order of the posterior.
    pub fn labels(&self) -> &Arc<Levels> {
        &self.labels
    }

    /// The code of each task's label; none where there was no answer, or a tie that was to stay one.
    pub fn codes(&self) -> &[Option<u32>] {
        &self.chosen
    }

    /// The label of a task by name.
    pub fn label(&self, task: &str) -> Option<&str> {
        let code = self.chosen.get(self.tasks.code(task)? as usize).copied().flatten()?;
        self.labels.name(code).map(AsRef::as_ref)
    }

    /// How likely each label is of the task in this place; of votes the shares. None without an answer.
    pub fn posterior(&self, task: usize) -> Option<&[f64]> {
        let labels = self.labels.len();
        self.answered.get(task).filter(|answered| **answered)?;
        self.posterior.get(task * labels..(task + 1) * labels)
    }

    /// How good each worker is, in the order of the workers; none for one of whom nothing is known.
    ///
    /// Of votes how often it says what was chosen; of Dawid–Skene the probability that it is right; of GLAD its ability,
    /// where 0 is guessing and below 0 is against better knowledge.
    pub fn skills(&self) -> &[Option<f64>] {
        &self.skills
    }

    /// How good a worker is: see [`skills`](Self::skills).
    pub fn skill(&self, worker: &str) -> Option<f64> {
        self.skills.get(self.workers.code(worker)? as usize).copied().flatten()
    }

    /// Of Dawid–Skene: for each true label, how likely the worker gives each label.
    pub fn confusion(&self, worker: &str) -> Option<Vec<&[f64]>> {
        let (labels, worker) = (self.labels.len(), self.workers.code(worker)? as usize);
        let size = labels * labels;
        let of = self.confusion.as_ref()?.get(worker * size..(worker + 1) * size)?;
        Some(of.chunks_exact(labels).collect())
    }

    /// Of GLAD: how difficult a task is, above 0; at 0 every worker of some ability would know.
    pub fn difficulty(&self, task: &str) -> Option<f64> {
        self.difficulty.as_ref()?.get(self.tasks.code(task)? as usize).copied().flatten()
    }

    /// Of the models: what each step made larger, the logarithm of the likelihood and of the priors.
    pub fn objective(&self) -> &[f64] {
        &self.objective
    }

    /// Whether the last step changed too little to go on.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// The tasks with their labels and how likely they are, to be joined to the features: columns `task`, `label`,
    /// `confidence`.
    ///
    /// # Errors
    /// None that these columns have.
    pub fn to_table(&self) -> Result<Table> {
        let confidence: Vec<f64> = (0..self.chosen.len())
            .map(|task| match (self.posterior(task), self.chosen[task]) {
                (Some(row), Some(code)) => row.get(code as usize).copied().unwrap_or(f64::NAN),
                _ => f64::NAN,
            })
            .collect();
        let codes = self.chosen.iter().map(|code| code.unwrap_or(MISSING_CODE)).collect();
        let label = Column::Category { codes: Arc::new(codes), levels: self.labels.clone() };
        let task = Column::texts(self.tasks.iter().map(|task| Some(task.as_ref())));
        Table::of([("task", task), ("label", label), ("confidence", Column::numbers(confidence))])
    }
}

impl Exhibit for Aggregated {
    fn exhibit(&self) -> Section {
        const WORKERS: usize = 20;
        let undecided = (0..self.chosen.len()).filter(|&t| self.answered[t] && self.chosen[t].is_none()).count();
        let bare = self.answered.iter().filter(|answered| !**answered).count();
        let mut facts = vec![
            ("method".to_string(), self.method.to_string()),
            ("tasks".into(), self.tasks.len().to_string()),
            ("undecided".into(), undecided.to_string()),
            ("without an answer".into(), bare.to_string()),
        ];
        if let Some(last) = self.objective.last() {
            facts.push(("steps".into(), self.objective.len().to_string()));
            facts.push(("log-likelihood with priors".into(), number(*last)));
        }
        let mut section = Section::new("Aggregated labels").block(Block::Facts(facts));
        if !self.converged {
            section = section.block(Block::Warning("the steps ended before the likelihood did; allow more".into()));
        }
        let mut counts = vec![0_usize; self.labels.len()];
        self.chosen.iter().flatten().for_each(|&code| counts[code as usize] += 1);
        let rows = self.labels.iter().zip(&counts).map(|(label, n)| vec![label.to_string(), n.to_string()]);
        let columns = ["label", "tasks"].map(String::from).to_vec();
        section = section.block(Block::Table { columns, rows: rows.collect() });
        let mut skills: Vec<(String, f64)> = (0_u32..)
            .zip(&self.skills)
            .filter_map(|(code, skill)| skill.map(|skill| (name(&self.workers, code), skill)))
            .collect();
        skills.sort_by(|a, b| a.1.total_cmp(&b.1));
        skills.truncate(WORKERS);
        let chart = Chart::Bars { title: "Skill of the weakest workers".into(), items: skills, mark: None };
        section.block(Block::Chart(chart))
    }
}
