//! A table read under a problem: features apart from the truth, and from everything else.

use std::sync::Arc;

use crate::column::Column;
use crate::error::{At, Crumb, DataError, Error, Result};
use crate::fingerprint::{Fingerprint, Hasher};
use crate::matrix::{Design, Features};
use crate::problem::Problem;
use crate::schema::{Field, Role, Schema};
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
    /// The column that the target was read from, without its values.
    truth: Arc<Field>,
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
        let truth = Arc::new(fields[table.schema().require(name)?].clone());
        Self { features, aside, target, labels, weights: None, truth }.weighted(weights)
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
        let (aside, labels, truth) = (self.aside.take(source), self.labels.clone(), self.truth.clone());
        Self { features, aside, target, labels, weights: None, truth }.weighted(weights.map(Arc::new))
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
            truth: self.truth.clone(),
        }
    }

    /// All columns as one table again, each with its name and role: features, then those aside, then the target. So what
    /// looks at tables looks at a data set after a split: `Integrity::new().check(&train.table()?)`.
    ///
    /// Nothing is copied but the classes of the rows, which are written out. Columns of the role ignored are gone. The target
    /// is as its task reads it, of the kind that it had; a column of weights holds the weights that the rows have now, and
    /// without such a column they are in [`weights`](Self::weights) alone.
    ///
    /// ```
    /// use stagewise_core::column::Column;
    /// use stagewise_core::dataset::Dataset;
    /// use stagewise_core::problem::Problem;
    /// use stagewise_core::table::Table;
    /// use stagewise_core::task::Binary;
    ///
    /// let table = Table::of([("churned", Column::numbers([0.0, 1.0])), ("age", Column::numbers([31.0, 44.0]))])?;
    /// let data = Dataset::new(table, &Problem::<Binary>::new("churned"))?;
    /// assert_eq!(data.table()?.schema().names(), ["age", "churned"]);
    /// assert_eq!(data.table()?.column("churned")?, &Column::numbers([0.0, 1.0]));
    /// # Ok::<(), stagewise_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`SchemaError::DuplicateColumn`](crate::error::SchemaError) if a step gave a feature the name of another column.
    pub fn table(&self) -> Result<Table> {
        self.joined(true)
    }

    /// [`table`](Self::table) without the target: rows as they come before their outcome is known.
    ///
    /// # Errors
    /// As [`table`](Self::table).
    pub fn unlabelled(&self) -> Result<Table> {
        self.joined(false)
    }

    fn joined(&self, labelled: bool) -> Result<Table> {
        let parts = [&self.features, &self.aside];
        let mut fields: Vec<Field> = parts.iter().flat_map(|part| part.schema().fields()).cloned().collect();
        let mut columns: Vec<Column> = parts.iter().flat_map(|part| part.columns()).cloned().collect();
        if let (Some(place), Some(weights)) = (fields.iter().position(|f| f.role == Role::Weight), &self.weights) {
            columns[place] = Column::Number(weights.clone());
        }
        if labelled {
            let column = T::column(&self.target, &self.labels, self.truth.kind);
            let mut truth = self.truth.as_ref().clone();
            truth.levels = column.as_categories().ok().map(|(_, levels)| levels.clone());
            fields.push(truth);
            columns.push(column);
        }
        Table::sized(Arc::new(Schema::new(fields)?), columns, self.rows())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{BinaryTarget, NumberTarget};
    use crate::task::{Binary, Multiclass, Ranking, Regression};

    fn columns() -> Vec<(&'static str, Column)> {
        vec![
            ("y", Column::numbers([1.0, 0.0, 1.0])),
            ("x", Column::numbers([1.5, f64::NAN, 3.0])),
            ("who", Column::categories([Some("a"), Some("b"), Some("a")])),
            ("w", Column::numbers([1.0, 2.0, 0.5])),
            ("scrap", Column::flags([None, None, Some(true)])),
        ]
    }

    fn rejoined<T: Task>(problem: Problem<T>, target: Column) -> Table {
        let mut columns = columns();
        columns[0].1 = target;
        let problem = problem.group("who").weight("w").ignore("scrap");
        Dataset::new(Table::of(columns).unwrap(), &problem).unwrap().table().unwrap()
    }

    #[test]
    fn a_data_set_is_a_table_again_with_roles_and_shared_buffers() {
        let table = rejoined(Problem::<Binary>::new("y"), Column::numbers([1.0, 0.0, 1.0]));
        assert_eq!(table.schema().names(), ["x", "who", "w", "y"]);
        let roles: Vec<Role> = table.schema().fields().iter().map(|f| f.role).collect();
        assert_eq!(roles, [Role::Feature, Role::Group, Role::Weight, Role::Target]);
        assert_eq!(table.column("y").unwrap(), &Column::numbers([1.0, 0.0, 1.0]));

        let source = Table::of(columns()).unwrap();
        let data = Dataset::new(source.clone(), &Problem::<Regression>::new("y")).unwrap();
        let place = |table: &Table, name: &str| table.column(name).unwrap().as_numbers().unwrap().as_ptr();
        assert_eq!(place(&data.table().unwrap(), "x"), place(&source, "x"));
        assert_eq!(data.unlabelled().unwrap().schema().names(), ["x", "who", "w", "scrap"]);
    }

    #[test]
    fn targets_of_every_kind_and_task_come_back_as_they_were() {
        let flags = Column::flags([Some(true), Some(false), Some(true)]);
        let words = Column::categories([Some("no"), Some("yes"), Some("no")]);
        let numbers = Column::numbers([-2.5, f64::INFINITY, 1e300]);
        for target in [flags, words, Column::numbers([7.0, 0.1, 7.0])] {
            assert_eq!(rejoined(Problem::<Binary>::new("y"), target.clone()).column("y").unwrap(), &target);
            assert_eq!(rejoined(Problem::<Multiclass>::new("y"), target.clone()).column("y").unwrap(), &target);
        }
        assert_eq!(rejoined(Problem::<Multiclass>::new("y"), numbers.clone()).column("y").unwrap(), &numbers);
        let grades = Column::numbers([2.0, 0.0, 1.0]);
        assert_eq!(rejoined(Problem::<Regression>::new("y"), grades.clone()).column("y").unwrap(), &grades);
        let table = Table::of([("q", Column::numbers([1.0, 1.0, 2.0])), ("y", grades.clone())]).unwrap();
        let data = Dataset::<Ranking>::new(table, &Problem::ranking("y", "q")).unwrap();
        assert_eq!(data.table().unwrap().column("y").unwrap(), &grades);
    }

    #[test]
    fn what_samplers_and_steps_changed_is_what_the_table_says() {
        let problem = Problem::<Binary>::new("y").weight("w");
        let data = Dataset::new(Table::of(columns()).unwrap(), &problem).unwrap();
        let rows = [2, 2, 1, 0];
        let target = BinaryTarget::new([true, false, false, true]);
        let more = data.resampled(data.features().take(&rows), target, &rows, None).unwrap();
        assert_eq!(more.table().unwrap().column("y").unwrap(), &Column::numbers([1.0, 0.0, 0.0, 1.0]));
        let heavier = data.take(&[1, 0]).reweighted(vec![3.0, 4.0]).unwrap();
        assert_eq!(heavier.table().unwrap().column("w").unwrap(), &Column::numbers([3.0, 4.0]));
        let clash = data.map_features(|features| {
            let schema = Arc::new(Schema::new(vec![Field::new("y", crate::schema::Kind::Number)])?);
            features.select(&[0])?.relabelled(schema)
        });
        assert_eq!(clash.unwrap().table().unwrap_err().to_string(), "two columns are named `y`; rename one");
        assert_eq!(NumberTarget::new([1.0]).column(), Column::numbers([1.0]));
    }
}
