//! A table read under a problem: features apart from the truth, and from everything else.

use std::sync::Arc;

use crate::error::{At, Crumb, DataError, Error, Result};
use crate::fingerprint::{Fingerprint, Hasher};
use crate::matrix::{Design, Features};
use crate::problem::Problem;
use crate::schema::Role;
use crate::table::Table;
use crate::target::{TargetValues, group_codes};
use crate::task::Task;

/// Features, truth, weights, and the columns of other roles.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Binary;
///
/// let table = Table::of([
///     ("age", Column::numbers([31.0, 44.0])),
///     ("churned", Column::categories([Some("no"), Some("yes")])),
/// ])?;
/// let data = Dataset::new(table, &Problem::<Binary>::new("churned").event("yes"))?;
/// assert_eq!(data.features().width(), 1);
/// assert_eq!(data.target().events(), [false, true]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dataset<T: Task> {
    features: Table,
    aside: Table,
    target: T::Target,
    labels: T::Labels,
    weights: Option<Arc<Vec<f64>>>,
}

impl<T: Task> Dataset<T> {
    /// Reads a table under a problem; the labels are read off the target.
    ///
    /// # Errors
    /// A target that is not there, missing in some rows, or unfit for the task; weights that are negative or not
    /// finite; a group that is missing in some rows; roles that contradict each other.
    pub fn new(table: Table, problem: &Problem<T>) -> Result<Self> {
        Self::read(table, problem, None)
    }

    /// Reads a table under the labels of an earlier one: for new data that a fitted pipeline is judged on.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`DataError::UnknownLevel`].
    pub fn labelled(table: Table, problem: &Problem<T>, labels: &T::Labels) -> Result<Self> {
        Self::read(table, problem, Some(labels))
    }

    fn read(table: Table, problem: &Problem<T>, labels: Option<&T::Labels>) -> Result<Self> {
        let schema = Arc::new(problem.assign_roles(table.schema())?);
        let table = table.relabelled(schema)?;
        let name = problem.target();
        let at = || Crumb::column(name);
        let column = table.column(name)?;
        let missing = column.missing_count();
        if missing > 0 {
            let first = (0..column.len()).find(|&row| column.cell(row) == crate::record::Cell::Missing).unwrap_or(0);
            return Err(DataError::MissingTarget { target: name.into(), count: missing, first }.into());
        }
        if column.is_empty() {
            return Err(DataError::TooFewRows { what: "a data set".into(), needed: 1, found: 0 }.into());
        }
        let labels = match labels {
            Some(labels) => labels.clone(),
            None => T::labels(column, name, problem.event_level()).at(at)?,
        };
        let target = T::truth(column, &labels).at(at)?;
        let target = T::grouped(target, groups(&table)?)?;
        let fields = table.schema().fields();
        let of = |keep: &dyn Fn(Role) -> bool| (0..fields.len()).filter(|&i| keep(fields[i].role)).collect::<Vec<_>>();
        let features = table.select(&of(&|role| role == Role::Feature))?;
        let aside = table.select(&of(&|role| !matches!(role, Role::Feature | Role::Target | Role::Ignored)))?;
        let weights = match of(&|role| role == Role::Weight).as_slice() {
            [] => None,
            [position] => {
                let weights = table.columns()[*position].as_numbers();
                Some(Arc::new(weights.at(|| Crumb::column(fields[*position].name.as_ref()))?.to_vec()))
            }
            [first, second, ..] => {
                let (name, first) = (fields[*second].name.to_string(), fields[*first].name.to_string());
                let first = format!("weight beside `{first}`");
                return Err(crate::error::PipelineError::TwoRoles { name, first, second: "weight".into() }.into());
            }
        };
        Self { features, aside, target, labels, weights: None }.weighted(weights)
    }

    /// A data set made of its parts: for samplers, which add or drop rows. The other columns follow `source`: the row
    /// of the original that each new row came from, or is most like.
    ///
    /// # Errors
    /// [`DataError::Length`] if the parts are not equally long, [`DataError::BadWeight`].
    pub fn resampled(
        &self,
        features: Table,
        target: T::Target,
        source: &[usize],
        weights: Option<Vec<f64>>,
    ) -> Result<Self> {
        for (what, found) in [("target", target.len()), ("source rows", source.len())] {
            if found != features.rows() {
                return Err(DataError::Length { what: what.into(), expected: features.rows(), found }.into());
            }
        }
        let weights = weights.or_else(|| self.weights.as_ref().map(|w| source.iter().map(|&r| w[r]).collect()));
        Self { features, aside: self.aside.take(source), target, labels: self.labels.clone(), weights: None }
            .weighted(weights.map(Arc::new))
    }

    fn weighted(mut self, weights: Option<Arc<Vec<f64>>>) -> Result<Self> {
        if let Some(weights) = &weights {
            if weights.len() != self.rows() {
                let what = "weights".to_string();
                return Err(DataError::Length { what, expected: self.rows(), found: weights.len() }.into());
            }
            if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
                return Err(DataError::BadWeight { row, value: weights[row] }.into());
            }
        }
        self.weights = weights;
        Ok(self)
    }

    /// The same rows with these weights.
    ///
    /// # Errors
    /// [`DataError::Length`], [`DataError::BadWeight`].
    pub fn reweighted(self, weights: Vec<f64>) -> Result<Self> {
        self.weighted(Some(Arc::new(weights)))
    }

    /// The same rows with the features that `change` makes of them.
    ///
    /// # Errors
    /// Whatever `change` gives; [`DataError::Length`] if it adds or drops rows, which only a sampler may.
    pub fn map_features(self, change: impl FnOnce(Table) -> Result<Table>) -> Result<Self> {
        let rows = self.features.rows();
        let features = change(self.features)?;
        if features.rows() != rows {
            let what = "rows of a transform".to_string();
            return Err(Error::from(DataError::Length { what, expected: rows, found: features.rows() }));
        }
        Ok(Self { features, ..self })
    }

    /// The columns of role feature.
    pub fn features(&self) -> &Table {
        &self.features
    }

    /// The columns that are neither feature nor target nor ignored: ids, groups, times, weights, protected attributes.
    pub fn aside(&self) -> &Table {
        &self.aside
    }

    /// The truth.
    pub fn target(&self) -> &T::Target {
        &self.target
    }

    /// What the truth's values are called.
    pub fn labels(&self) -> &T::Labels {
        &self.labels
    }

    /// How much each row counts; all alike if absent.
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_ref().map(|w| w.as_slice())
    }

    /// The group of each row, numbered in the order in which they first come, if a column has that role.
    pub fn groups(&self) -> Option<Vec<u32>> {
        let fields = self.aside.schema().fields();
        let position = fields.iter().position(|field| field.role == Role::Group)?;
        Some(group_codes(&self.aside.columns()[position]))
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.features.rows()
    }

    /// The rows `rows`, in that order; a row may come more than once.
    ///
    /// # Panics
    /// If an index is not below [`rows`](Self::rows): indices come from splitters and samplers, which are checked.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        Self {
            features: self.features.take(rows),
            aside: self.aside.take(rows),
            target: self.target.take(rows),
            labels: self.labels.clone(),
            weights: self.weights.as_ref().map(|w| Arc::new(rows.iter().map(|&r| w[r]).collect())),
        }
    }

    /// What a learner is given of these rows.
    pub(crate) fn into_design(self) -> Result<Design<T>> {
        Ok(Design::new(Features::new(self.features)?, self.target, self.labels).weighted(self.weights))
    }

    /// The fingerprint of all that is in it.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hasher = Hasher::new();
        hasher.table(&self.features);
        hasher.table(&self.aside);
        self.target.hash(&mut hasher);
        if let Some(weights) = &self.weights {
            hasher.numbers(weights);
        }
        hasher.finish()
    }
}

/// The group of each row, if a column has that role.
fn groups(table: &Table) -> Result<Option<Vec<u32>>> {
    let mut columns =
        table.schema().fields().iter().zip(table.columns()).filter(|(field, _)| field.role == Role::Group);
    let Some((field, column)) = columns.next() else { return Ok(None) };
    if let Some((second, _)) = columns.next() {
        let (name, first) = (second.name.to_string(), format!("group beside `{}`", field.name));
        return Err(crate::error::PipelineError::TwoRoles { name, first, second: "group".into() }.into());
    }
    match column.missing_count() {
        0 => Ok(Some(group_codes(column))),
        count => Err(Error::from(DataError::MissingGroup { count }).at(Crumb::column(field.name.as_ref()))),
    }
}
