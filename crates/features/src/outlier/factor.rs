//! How odd a row is beside its neighbours: the local outlier factor as a column.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, ParameterError, PipelineError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transform, Transformer};
use stagewise_core::table::Table;
use stagewise_core::task::Task;
use stagewise_numeric::neighbours::{Axis, Neighbours, Points};

use crate::columns::positions;
use crate::joint::{self, Joint, JointRule, Place, Taken, TakenCells};
use crate::scale::finite::mean_and_scale;

/// Adds the local outlier factor of each row as a column: how much sparser the training rows lie around it than around its
/// nearest neighbours.
///
/// ```text
/// reach(x, o) = max(distance(x, o), distance of o from its k-th neighbour)
/// density(x)  = 1 / (mean of reach(x, o) over the k nearest training rows o + 1e-10)
/// factor(x)   = mean of density(o) / density(x) over the same
/// ```
///
/// About 1 is usual, larger is odder; there is no upper end. It finds rows that are odd where they are, also between
/// clusters of unequal density, and is slow with many rows; an isolation forest is quick and sees the whole.
///
/// Rows of training are not their own neighbours. Later rows are held against all training rows, so one that is equal to a
/// training row has it as a neighbour: a training row gets another factor in training than it would get later.
///
/// | what comes | what happens |
/// |---|---|
/// | a missing value | stands at the mean of its column |
/// | `±∞`, and more than 1e150 standard deviations | stands there, at ±1e150 |
/// | a column without any finite value in training | not looked at, with a warning |
/// | a constant column | with [`standardise`](Self::standardise), in its own units |
/// | more than `k` equal rows | the 1e-10 keeps densities finite; factors beside them may be huge |
/// | equally near rows | the earlier one first |
/// | at most `k` training rows | `k` is one less than there are, with a warning |
/// | weights that are neither 0 nor all alike | refused; rows of weight 0 are not there |
///
/// All columns are kept, the new one comes last. The target is not touched. The learned stage holds the training rows.
/// O(n² d) at worst to fit and O(n d) for a later row, far less in few columns.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::numbers;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::outlier::LocalOutlierFactor;
///
/// let table = Table::of([
///     ("x", Column::numbers([0.0, 1.0, 2.0, 3.0, 20.0])),
///     ("cost", Column::numbers([1.0; 5])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let step = LocalOutlierFactor::on(numbers()).neighbours(2).standardise(false);
/// let (_, train) = step.fit_transform(train, &FitContext::new(0))?;
/// let factor = train.features().column("outlier_factor")?.as_numbers()?;
/// // Its own density is 1 / 17.5, that of both its neighbours 2 / 3.
/// assert!((factor[4] - 17.5 * 2.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `LocalOutlierFactor(novelty=True)`: `-negative_outlier_factor_` in training,
/// `-score_samples` later, tolerance 1e-9. Breunig, Kriegel, Ng & Sander (2000), "LOF: identifying density-based local
/// outliers".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocalOutlierFactor {
    on: Selector,
    neighbours: usize,
    standardise: bool,
    score: String,
}

/// A learned [`LocalOutlierFactor`].
pub type FittedLocalOutlierFactor = Joint<LocalFactors>;

/// The training rows, how dense they lie, and how far their neighbourhoods reach.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct LocalFactors {
    stored: Stored,
    points: Points,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    score: String,
    neighbours: usize,
    /// The columns looked at, by name.
    axes: Vec<Scale>,
    /// Their training values as coordinates.
    coordinates: Vec<Vec<f64>>,
    /// The distance of each training row from its k-th neighbour, and its density.
    reach: Vec<f64>,
    density: Vec<f64>,
}

/// How a number becomes a coordinate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Scale {
    /// The place among the taken columns.
    place: usize,
    mean: f64,
    /// `None` leaves values as they are.
    scale: Option<f64>,
}

impl LocalOutlierFactor {
    /// Looks at these columns, which must be numbers.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, neighbours: 20, standardise: true, score: "outlier_factor".into() }
    }

    /// The `k` nearest rows that a row is held against: at least 1. Default 20. Clusters of fewer rows are odd as a whole.
    #[must_use]
    pub fn neighbours(mut self, neighbours: usize) -> Self {
        self.neighbours = neighbours;
        self
    }

    /// Whether numbers are measured in standard deviations. Default `true`.
    #[must_use]
    pub fn standardise(mut self, standardise: bool) -> Self {
        self.standardise = standardise;
        self
    }

    /// The name of the column that is added. Default `outlier_factor`.
    #[must_use]
    pub fn score(mut self, name: impl Into<String>) -> Self {
        self.score = name.into();
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        ParameterError::check(self.neighbours > 0, "neighbours", self.neighbours, "at least 1")?;
        positions(&self.on, input, &[Kind::Number])
    }

    /// The learned stage, and the training rows that it holds with the factor of each.
    fn learn<T: Task>(
        &self,
        train: &Dataset<T>,
        cx: &FitContext,
    ) -> Result<(FittedLocalOutlierFactor, Vec<usize>, Vec<f64>)> {
        let table = train.features();
        let fields = table.schema().fields();
        let taken = self.positions(table.schema())?;
        let rows = rows_of_one_weight(train)?;
        let mut by_name: Vec<usize> = (0..taken.len()).collect();
        by_name.sort_by(|&a, &b| fields[taken[a]].name.cmp(&fields[taken[b]].name));
        let (mut axes, mut coordinates) = (Vec::new(), Vec::new());
        for place in by_name {
            let (field, column) = (&fields[taken[place]], &table.columns()[taken[place]]);
            let values = column.as_numbers().at(|| Crumb::column(field.name.as_ref()))?;
            let Some((mean, scale)) = mean_and_scale(values, train.weights()) else {
                cx.warn(format!("column `{}`: has no finite value to learn from; it is not looked at", field.name));
                continue;
            };
            let axis = Scale { place, mean, scale: self.standardise.then_some(scale) };
            coordinates.push(rows.iter().map(|&row| axis.coordinate(values[row])).collect::<Vec<f64>>());
            axes.push(axis);
        }
        if axes.is_empty() {
            let remedy = format!("{} needs a number with a value", Self::TAG);
            return Err(DataError::NoFeatures { remedy }.into());
        }
        if rows.len() < 2 {
            let what = Self::TAG.to_string();
            return Err(DataError::TooFewRows { what, needed: 2, found: rows.len() }.into());
        }
        let neighbours = self.neighbours.min(rows.len() - 1);
        if neighbours < self.neighbours {
            cx.warn(format!("there are {} training rows; {neighbours} neighbours are looked at", rows.len()));
        }
        let points = points(&coordinates);
        let near = cx.install(|| points.nearest(neighbours));
        let reach = (0..rows.len()).map(|row| near.squared(row)[neighbours - 1].sqrt()).collect();
        let (score, density) = (self.score.clone(), Vec::new());
        let mut stored = Stored { score, neighbours, axes, coordinates, reach, density };
        stored.density = (0..rows.len()).map(|row| stored.density(&near, row)).collect();
        let factors = (0..rows.len()).map(|row| stored.factor(&near, row)).collect();
        let fitted = Joint::new(train, taken, Place::Added, LocalFactors { stored, points })?;
        Ok((fitted, rows, factors))
    }
}

impl Persist for LocalOutlierFactor {
    const TAG: &'static str = "LocalOutlierFactor";
}

impl<T: Task> Transformer<T> for LocalOutlierFactor {
    type Fitted = FittedLocalOutlierFactor;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let positions = self.positions(input)?;
        let from = positions.iter().map(|&i| &input.fields()[i]);
        let score = Field::derived(self.score.as_str(), Kind::Number, from);
        Ok(joint::plan(input, &positions, Place::Added, true, vec![score]))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedLocalOutlierFactor> {
        Ok(self.learn(train, cx)?.0)
    }

    fn fit_transform(&self, train: Dataset<T>, cx: &FitContext) -> Result<(FittedLocalOutlierFactor, Dataset<T>)> {
        let (fitted, rows, factors) = self.learn(&train, cx)?;
        let train = train.map_features(|features| {
            let (schema, mut columns) = fitted.transform(features)?.into_parts();
            if let Some(score) = columns.last_mut() {
                let score = score.make_numbers()?;
                rows.iter().zip(factors).for_each(|(&row, factor)| score[row] = factor);
            }
            Table::new(schema, columns)
        })?;
        Ok((fitted, train))
    }
}

/// The rows that count, which must count alike.
fn rows_of_one_weight<T: Task>(train: &Dataset<T>) -> Result<Vec<usize>> {
    let Some(weights) = train.weights() else { return Ok((0..train.rows()).collect()) };
    let rows: Vec<usize> = (0..train.rows()).filter(|&row| weights[row] > 0.0).collect();
    if rows.windows(2).any(|pair| weights[pair[0]] != weights[pair[1]]) {
        let remedy = "leave it out, or use an isolation forest, which counts them".to_string();
        return Err(PipelineError::Ignored { stage: LocalOutlierFactor::TAG.into(), what: "weights", remedy }.into());
    }
    Ok(rows)
}

fn points(coordinates: &[Vec<f64>]) -> Points {
    Points::new(&coordinates.iter().map(|values| Axis::Number(values)).collect::<Vec<_>>())
}

impl Scale {
    /// Where a value stands: a missing one at the mean, none so far out that squares overflow.
    fn coordinate(&self, x: f64) -> f64 {
        const FARTHEST: f64 = 1e150;
        let x = if x.is_nan() { self.mean } else { x };
        let at = self.scale.map_or(x, |scale| (x - self.mean) / scale);
        at.clamp(-FARTHEST, FARTHEST)
    }
}

impl Stored {
    /// The density of the training rows around a row, by its neighbours.
    fn density(&self, near: &Neighbours, query: usize) -> f64 {
        // More equal rows than neighbours would give no distance at all.
        const LEAST: f64 = 1e-10;
        let pairs = near.of(query).iter().zip(near.squared(query));
        let reach: f64 = pairs.map(|(&row, squared)| squared.sqrt().max(self.reach[row])).sum();
        1.0 / (reach / self.neighbours as f64 + LEAST)
    }

    /// The factor of a row, by its neighbours.
    fn factor(&self, near: &Neighbours, query: usize) -> f64 {
        let own = self.density(near, query);
        near.of(query).iter().map(|&row| self.density[row] / own).sum::<f64>() / self.neighbours as f64
    }
}

impl LocalFactors {
    /// How many neighbours a row is held against.
    pub fn neighbours(&self) -> usize {
        self.stored.neighbours
    }

    /// The factors of rows that were not learned from, given as coordinates.
    fn factors(&self, coordinates: &[Vec<f64>]) -> Vec<f64> {
        let queries = points(coordinates);
        let near = self.points.nearest_to(&queries, self.stored.neighbours);
        (0..queries.len()).map(|query| self.stored.factor(&near, query)).collect()
    }
}

impl JointRule for LocalFactors {
    const TAG: &'static str = "FittedLocalOutlierFactor";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        vec![Field::derived(self.stored.score.as_str(), Kind::Number, taken.fields())]
    }

    fn columns(&self, _: Taken<'_>, columns: Vec<Column>, _: usize) -> Result<Vec<Column>> {
        let coordinates = |axis: &Scale| -> Result<Vec<f64>> {
            let values = columns.get(axis.place).map(Column::as_numbers).transpose()?.unwrap_or_default();
            Ok(values.iter().map(|&x| axis.coordinate(x)).collect())
        };
        let coordinates = self.stored.axes.iter().map(coordinates).collect::<Result<Vec<_>>>()?;
        Ok(vec![Column::numbers(self.factors(&coordinates))])
    }

    fn cells(&self, _: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        let coordinate = |axis: &Scale| Ok(vec![axis.coordinate(cells.number(axis.place)?)]);
        let coordinates = self.stored.axes.iter().map(coordinate).collect::<Result<Vec<_>>>()?;
        out.extend(self.factors(&coordinates).into_iter().map(Cell::number));
        Ok(())
    }
}

impl PartialEq for LocalFactors {
    fn eq(&self, other: &Self) -> bool {
        self.stored == other.stored
    }
}

impl From<LocalFactors> for Stored {
    fn from(factors: LocalFactors) -> Self {
        factors.stored
    }
}

impl From<Stored> for LocalFactors {
    fn from(stored: Stored) -> Self {
        let points = points(&stored.coordinates);
        Self { stored, points }
    }
}

#[cfg(test)]
mod tests;
