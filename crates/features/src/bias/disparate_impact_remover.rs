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
use stagewise_numeric::quantile::{frequency_quantiles, median, quantiles};

use super::groups::Groups;
use super::protected::{self, UnknownGroup};
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
/// the combinatorial repair, with quantile functions of numpy's `linear` definition in place of bins. Checked against that
/// definition in numpy 2.4.6, tolerance 1e-9. AIF360's remover has no transform for later rows: it repairs each table by itself.
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

/// All positions, ascending, and the places of some of them.
pub(super) fn taken(protected: &[usize], others: &[usize]) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
    let mut positions = [protected, others].concat();
    positions.sort_unstable();
    let places = |of: &[usize]| of.iter().map(|i| positions.partition_point(|p| p < i)).collect();
    let (protected, others) = (places(protected), places(others));
    (positions, protected, others)
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
                        frequency_quantiles(&own, &weights, &steps)
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
            let at = || Crumb::column(field.name.as_ref());
            level.push(match cell {
                Cell::Missing => return Err(Error::from(DataError::MissingGroup { count: 1 }).at(at())),
                Cell::NewLevel(name) => name.to_string(),
                Cell::Level(code) => match field.levels.as_ref().and_then(|levels| levels.name(code)) {
                    Some(name) => name.to_string(),
                    None => format!("level {code}"),
                },
                Cell::Flag(flag) => flag.to_string(),
                other => other.value(f64::NAN).map_or_else(String::new, |x| x.to_string()),
            });
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

/// A cell of a batch as it would come alone: a level not seen in training by its name.
pub(super) fn named_cell(taken: Taken<'_>, columns: &[Column], place: usize, row: usize) -> Cell {
    let known = taken.field(place).levels.as_ref().map_or(0, |levels| levels.len());
    match (columns[place].cell(row), &columns[place]) {
        (Cell::Level(code), Column::Category { levels, .. }) if code as usize >= known => {
            levels.name(code).map_or(Cell::Level(code), |name| Cell::NewLevel(name.clone()))
        }
        (cell, _) => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stagewise_core::select::{all, named, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    use crate::test_tables::training;

    #[test]
    fn conforms() {
        let spec = DisparateImpactRemover::on(numbers(), named(["plan"]));
        for spec in [spec.clone(), spec.clone().repair(0.4).quantiles(7), spec.unknown(UnknownGroup::Keep)] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
        }
        let several = DisparateImpactRemover::on(numbers(), named(["active", "city", "constant"]));
        conformance::transformer(&several.unknown(UnknownGroup::Keep), &data::multiclass(80, 3));
        let weighted = data::regression(60, 4).reweighted((0..60).map(|i| f64::from(i % 4)).collect()).unwrap();
        conformance::transformer(&DisparateImpactRemover::on(numbers(), named(["plan"])), &weighted);
    }

    #[test]
    fn groups_come_to_the_same_distribution() {
        let train = scores(&[1.0, 2.0, 3.0, 4.0, 5.0], &[10.0, 20.0, 40.0, 80.0, 160.0]);
        let repaired = |level: f64, table: Table| {
            let spec = DisparateImpactRemover::on(numbers(), named(["g"])).repair(level);
            let out = spec.fit(&train, &FitContext::new(0)).unwrap().transform(table).unwrap();
            out.column("x").unwrap().as_numbers().unwrap().to_vec()
        };
        let means = [5.5, 11.0, 21.5, 42.0, 82.5];
        let full = repaired(1.0, train.features().clone());
        for (found, expected) in full.iter().zip([means, means].concat()) {
            assert!((found - expected).abs() < 1e-12, "{full:?}");
        }
        let half = repaired(0.5, train.features().clone());
        assert!((half[0] - 3.25).abs() < 1e-12 && (half[9] - 121.25).abs() < 1e-12, "{half:?}");
        assert_eq!(repaired(0.0, train.features().clone())[..5], [1.0, 2.0, 3.0, 4.0, 5.0]);
        // Later rows: between, beyond, infinite, missing.
        let later = scores(&[1.5, -7.0, f64::NEG_INFINITY], &[1e300, f64::INFINITY, f64::NAN]);
        let found = repaired(1.0, later.features().clone());
        assert!((found[0] - 8.25).abs() < 1e-12, "{found:?}");
        assert_eq!((found[1], found[2], found[3], found[4]), (5.5, 5.5, 82.5, 82.5));
        assert!(found[5].is_nan());
    }

    #[test]
    fn unknown_groups_have_a_policy() {
        let train = scores(&[1.0, 2.0], &[5.0, 6.0]);
        let spec = DisparateImpactRemover::on(numbers(), named(["g"]));
        let later = |group: Option<&str>| {
            let later = Table::of([("g", Column::categories([group])), ("x", Column::numbers([9.0]))]).unwrap();
            crate::test_tables::admitted(train.features(), &later)
        };
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        let error = fitted.transform(later(Some("c"))).unwrap_err();
        assert_eq!(error.to_string(), "row 0: `c` is none of the known levels (`a`, `b`)");
        let error = fitted.transform(later(None)).unwrap_err();
        assert!(error.to_string().starts_with("row 0 › column `g`: 1 rows have no group"), "{error}");
        let fitted = spec.unknown(UnknownGroup::Keep).fit(&train, &FitContext::new(0)).unwrap();
        assert_eq!(fitted.transform(later(Some("c"))).unwrap().columns(), [Column::numbers([9.0])]);
        assert_eq!(fitted.rule().groups(), ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let data = data::binary(40, 1);
        let error = |spec: DisparateImpactRemover| spec.fit(&data, &FitContext::new(0)).unwrap_err().to_string();
        let of = |protected| DisparateImpactRemover::on(numbers(), named([protected]));
        assert!(error(of("city")).contains("rows have no group"));
        let expected = "DisparateImpactRemover needs a protected attribute; there is no feature `sex`: a column with \
                        the role protected reaches no step, so let it be a feature, which this step drops";
        assert_eq!(error(of("sex")), expected);
        assert!(error(DisparateImpactRemover::on(numbers(), named::<&str>([]))).contains("none is selected"));
        assert_eq!(error(of("plan").repair(1.5)), "`repair` is 1.5, allowed is from 0 to 1");
        assert!(error(of("plan").quantiles(0)).starts_with("`quantiles` is 0"));
        assert!(error(DisparateImpactRemover::on(all(), named(["plan"]))).contains("a number is needed"));
    }

    proptest! {
        #[test]
        fn the_order_within_a_group_stays(
            a in prop::collection::vec(-50i8..50, 1..30),
            b in prop::collection::vec(-50i8..50, 1..30),
            level in 0.0f64..=1.0,
        ) {
            let of = |values: &[i8]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            let (a, b) = (of(&a), of(&b));
            let train = scores(&a, &b);
            let spec = DisparateImpactRemover::on(numbers(), named(["g"])).repair(level).quantiles(50);
            let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
            let out = fitted.transform(train.features().clone()).unwrap();
            let found = out.columns()[0].as_numbers().unwrap();
            for i in 0..a.len() {
                for j in 0..a.len() {
                    prop_assert!(a[i] > a[j] || found[i] <= found[j] + 1e-9);
                }
            }
        }
    }

    fn scores(a: &[f64], b: &[f64]) -> Dataset<Regression> {
        let groups = a.iter().map(|_| Some("a")).chain(b.iter().map(|_| Some("b")));
        let table = Table::of([("g", Column::categories(groups)), ("x", Column::numbers([a, b].concat()))]);
        training(table.unwrap(), None)
    }
}
