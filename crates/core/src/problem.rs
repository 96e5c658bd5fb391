//! The problem: what is predicted, for whom, how well, and within which limits. The rest is derived from it.

use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, ParameterError, PipelineError, Result};
use crate::exhibit::{Block, Exhibit, Section};
use crate::metric::{AnyMetric, Direction, Metric};
use crate::persist::{Persist, Saved};
use crate::registry::Registry;
use crate::schema::{Field, Role, Schema};
use crate::task::{Binary, Ranking, Task};

/// A machine-learning problem for one task.
///
/// ```
/// use stagewise_core::problem::Problem;
/// use stagewise_core::task::Binary;
///
/// let problem = Problem::<Binary>::new("churned").event("yes").id("customer").protected("sex");
/// assert_eq!(problem.target(), "churned");
/// ```
#[derive(Debug, Clone)]
pub struct Problem<T: Task> {
    target: String,
    event: Option<String>,
    objective: String,
    owner: String,
    roles: Vec<(String, Role)>,
    primary: Option<Requirement<T>>,
    secondary: Vec<Requirement<T>>,
    guardrails: Vec<Guardrail>,
    costs: Vec<(Outcome, f64)>,
}

impl<T: Task> Problem<T> {
    /// Predict the column `target`.
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            event: None,
            objective: String::new(),
            owner: String::new(),
            roles: Vec::new(),
            primary: None,
            secondary: Vec::new(),
            guardrails: Vec::new(),
            costs: Vec::new(),
        }
    }

    /// What the prediction is for, in a sentence.
    #[must_use]
    pub fn objective(mut self, text: impl Into<String>) -> Self {
        self.objective = text.into();
        self
    }

    /// Who answers for the model.
    #[must_use]
    pub fn owner(mut self, name: impl Into<String>) -> Self {
        self.owner = name.into();
        self
    }

    /// Gives a column a role other than feature.
    #[must_use]
    pub fn role(mut self, column: impl Into<String>, role: Role) -> Self {
        self.roles.push((column.into(), role));
        self
    }

    /// The column that names the rows.
    #[must_use]
    pub fn id(self, column: impl Into<String>) -> Self {
        self.role(column, Role::Id)
    }

    /// The column that orders the rows in time.
    #[must_use]
    pub fn time(self, column: impl Into<String>) -> Self {
        self.role(column, Role::Time)
    }

    /// The column whose equal values never stand on both sides of a split.
    #[must_use]
    pub fn group(self, column: impl Into<String>) -> Self {
        self.role(column, Role::Group)
    }

    /// The column that says how much each row counts.
    #[must_use]
    pub fn weight(self, column: impl Into<String>) -> Self {
        self.role(column, Role::Weight)
    }

    /// A protected attribute: kept from the model, used to measure fairness.
    #[must_use]
    pub fn protected(self, column: impl Into<String>) -> Self {
        self.role(column, Role::Protected)
    }

    /// A column to leave out of everything.
    #[must_use]
    pub fn ignore(self, column: impl Into<String>) -> Self {
        self.role(column, Role::Ignored)
    }

    /// The metric that decides, and the bound it must keep.
    #[must_use]
    pub fn primary(mut self, metric: impl Metric<T>, bound: Bound) -> Self {
        self.primary = Some(Requirement { metric: AnyMetric::new(metric), bound });
        self
    }

    /// A further metric with a bound.
    #[must_use]
    pub fn require(mut self, metric: impl Metric<T>, bound: Bound) -> Self {
        self.secondary.push(Requirement { metric: AnyMetric::new(metric), bound });
        self
    }

    /// A limit on how the model runs.
    #[must_use]
    pub fn guardrail(mut self, guardrail: Guardrail) -> Self {
        self.guardrails.push(guardrail);
        self
    }

    /// The column that is predicted.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The event of a binary task, if it was named.
    pub fn event_level(&self) -> Option<&str> {
        self.event.as_deref()
    }

    /// Every metric with its bound, the primary one first.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement<T>> {
        self.primary.iter().chain(&self.secondary)
    }

    /// The metric that decides.
    pub fn primary_metric(&self) -> Option<&AnyMetric<T>> {
        self.primary.as_ref().map(|r| &r.metric)
    }

    /// The limits on how the model runs.
    pub fn guardrails(&self) -> &[Guardrail] {
        &self.guardrails
    }

    /// What each outcome costs.
    pub fn costs(&self) -> &[(Outcome, f64)] {
        &self.costs
    }

    /// The roles by column that are not read off the data.
    pub fn roles(&self) -> &[(String, Role)] {
        &self.roles
    }

    /// Gives the fields of a schema the roles that this problem names. Other fields keep theirs.
    ///
    /// # Errors
    /// [`SchemaError::MissingColumn`](crate::error::SchemaError) for a column that is not there,
    /// [`PipelineError::TwoRoles`].
    pub fn assign_roles(&self, schema: &Schema) -> Result<Schema> {
        let mut fields: Vec<Field> = schema.fields().to_vec();
        let mut given: Vec<Option<Role>> = vec![None; fields.len()];
        let own = [(self.target.clone(), Role::Target)];
        for (name, role) in own.iter().chain(&self.roles) {
            let position = schema.require(name)?;
            if let Some(first) = given[position].replace(*role).filter(|first| first != role) {
                let (name, first, second) = (name.clone(), first.to_string(), role.to_string());
                return Err(PipelineError::TwoRoles { name, first, second }.into());
            }
            fields[position].role = *role;
        }
        Schema::new(fields)
    }

    /// The problem as it is saved.
    ///
    /// # Errors
    /// [`PersistError::Unencodable`](crate::error::PersistError).
    pub fn save(&self) -> Result<SavedProblem> {
        let requirements = self.requirements().map(|r| Ok((r.metric.save()?, r.bound))).collect::<Result<_>>()?;
        Ok(SavedProblem {
            task: T::NAME.into(),
            target: self.target.clone(),
            event: self.event.clone(),
            objective: self.objective.clone(),
            owner: self.owner.clone(),
            roles: self.roles.clone(),
            has_primary: self.primary.is_some(),
            requirements,
            guardrails: self.guardrails.clone(),
            costs: self.costs.clone(),
        })
    }

    /// The problem that was saved.
    ///
    /// # Errors
    /// [`PersistError::WrongTask`](crate::error::PersistError), and whatever loading a metric gives.
    pub fn load(saved: &SavedProblem, registry: &Registry) -> Result<Self> {
        crate::persist::require_task::<T>(&saved.task)?;
        let mut requirements = saved
            .requirements
            .iter()
            .map(|(metric, bound)| Ok(Requirement { metric: registry.metric::<T>(metric)?, bound: *bound }))
            .collect::<Result<Vec<_>>>()?
            .into_iter();
        Ok(Self {
            target: saved.target.clone(),
            event: saved.event.clone(),
            objective: saved.objective.clone(),
            owner: saved.owner.clone(),
            roles: saved.roles.clone(),
            primary: if saved.has_primary { requirements.next() } else { None },
            secondary: requirements.collect(),
            guardrails: saved.guardrails.clone(),
            costs: saved.costs.clone(),
        })
    }
}

impl Problem<Binary> {
    /// The level whose probability is predicted. Needed unless the target is 0/1, no/yes or false/true.
    #[must_use]
    pub fn event(mut self, level: impl Into<String>) -> Self {
        self.event = Some(level.into());
        self
    }

    /// What an outcome costs, in the unit of your business; a gain is negative.
    #[must_use]
    pub fn cost(mut self, outcome: Outcome, amount: f64) -> Self {
        self.costs.push((outcome, amount));
        self
    }
}

impl Problem<Ranking> {
    /// Order the rows of each `group` (a query) by the grades in the column `target`.
    ///
    /// ```
    /// let problem = stagewise_core::problem::Problem::ranking("relevance", "query").id("document");
    /// assert_eq!(problem.target(), "relevance");
    /// ```
    pub fn ranking(target: impl Into<String>, group: impl Into<String>) -> Self {
        Self::new(target).group(group)
    }
}

/// A metric and the bound it must keep.
#[derive(Debug, Clone)]
pub struct Requirement<T: Task> {
    /// The metric.
    pub metric: AnyMetric<T>,
    /// The bound.
    pub bound: Bound,
}

/// What a metric's value must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Bound {
    /// At least this value.
    AtLeast(f64),
    /// At most this value.
    AtMost(f64),
    /// Better, by more than this margin, than the constant answer learned from the training target.
    BeatsBaseline(f64),
}

/// The metric must be at least `value`.
pub fn at_least(value: f64) -> Bound {
    Bound::AtLeast(value)
}

/// The metric must be at most `value`.
pub fn at_most(value: f64) -> Bound {
    Bound::AtMost(value)
}

/// The metric must be better than the constant answer's, by more than `margin ≥ 0`.
pub fn beats_baseline(margin: f64) -> Bound {
    Bound::BeatsBaseline(margin)
}

impl Bound {
    /// Whether `value` keeps to this bound. NaN keeps to none.
    pub fn holds(self, value: f64, baseline: f64, direction: Direction) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::BeatsBaseline(margin) => match direction {
                Direction::HigherIsBetter => value > baseline + margin,
                Direction::LowerIsBetter => value < baseline - margin,
            },
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "at least {bound}"),
            Self::AtMost(bound) => write!(f, "at most {bound}"),
            Self::BeatsBaseline(0.0) => f.write_str("better than the baseline"),
            Self::BeatsBaseline(margin) => write!(f, "better than the baseline by more than {margin}"),
        }
    }
}

/// A limit on how a model runs, measured when it is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Guardrail {
    /// 99 of 100 rows are scored within this many seconds, one at a time.
    LatencyP99(f64),
}

/// Limits on the time to score one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency;

impl Latency {
    /// 99 of 100 rows are scored within `limit`.
    pub fn p99(limit: std::time::Duration) -> Guardrail {
        Guardrail::LatencyP99(limit.as_secs_f64())
    }
}

/// How a decision can turn out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Said no, was the event.
    FalseNegative,
    /// Said event, was none.
    FalsePositive,
    /// Said no, was none.
    TrueNegative,
    /// Said event, was the event.
    TruePositive,
}

/// A [`Problem`] as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedProblem {
    /// The task's name.
    pub task: String,
    target: String,
    event: Option<String>,
    objective: String,
    owner: String,
    roles: Vec<(String, Role)>,
    has_primary: bool,
    requirements: Vec<(Saved, Bound)>,
    guardrails: Vec<Guardrail>,
    costs: Vec<(Outcome, f64)>,
}

impl Persist for SavedProblem {
    const TAG: &'static str = "Problem";
}

impl<T: Task> Exhibit for Problem<T> {
    fn exhibit(&self) -> Section {
        let mut facts = vec![("task".to_string(), T::NAME.to_string()), ("target".into(), self.target.clone())];
        if let Some(event) = &self.event {
            facts.push(("event".into(), event.clone()));
        }
        for (name, text) in [("objective", &self.objective), ("owner", &self.owner)] {
            if !text.is_empty() {
                facts.push((name.into(), text.clone()));
            }
        }
        for requirement in self.requirements() {
            facts.push((requirement.metric.name(), requirement.bound.to_string()));
        }
        for Guardrail::LatencyP99(limit) in &self.guardrails {
            facts.push(("latency p99".into(), format!("at most {} ms", limit * 1e3)));
        }
        for (outcome, cost) in &self.costs {
            facts.push((format!("cost of a {outcome:?}"), cost.to_string()));
        }
        Section::new("Problem").block(Block::Facts(facts))
    }
}

/// Checks the parts of a problem that need no data.
pub(crate) fn check<T: Task>(problem: &Problem<T>) -> Result<()> {
    for requirement in problem.requirements() {
        let (Bound::AtLeast(value) | Bound::AtMost(value) | Bound::BeatsBaseline(value)) = requirement.bound;
        ParameterError::check(value.is_finite(), "bound", value, "a finite number")?;
        if let Bound::BeatsBaseline(margin) = requirement.bound {
            ParameterError::check(margin >= 0.0, "margin", margin, "at least 0")?;
        }
    }
    for Guardrail::LatencyP99(limit) in &problem.guardrails {
        ParameterError::check(*limit > 0.0, "latency", limit, "more than 0 seconds")?;
    }
    match problem.costs.iter().find(|(_, cost)| !cost.is_finite()) {
        None => Ok(()),
        Some((_, cost)) => {
            let error = ParameterError { name: "cost", value: cost.to_string(), allowed: "a finite number" };
            Err(ErrorKind::from(error).into())
        }
    }
}
