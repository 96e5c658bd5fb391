//! Products and powers of numbers.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use stagewise_core::column::Column;
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::block::by_name;
use crate::columns::positions;
use crate::joint::{self, Joint, JointRule, Place, Taken, TakenCells};

/// More columns than this are refused.
const MOST_COLUMNS: usize = 20_000;

/// Adds all products of up to [`degree`](Self::degree) of some numbers, powers included.
///
/// Of `a` and `b` up to degree 2: `a^2`, `a*b`, `b^2`, behind all columns, which are kept. Factors stand in the order of their
/// names, so the order of the table's columns changes nothing.
///
/// | what comes | what happens |
/// |---|---|
/// | a missing factor | the product is missing; nothing is learned, so nothing must be imputed before |
/// | a product beyond the range of `f64` | `±∞` |
/// | `∞ · 0` | missing |
///
/// Nothing is learned from rows, so weights have no part; the target is not touched. `O(columns that come)` a row; more than
/// 20,000 columns are refused.
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
/// use stagewise_features::combine::PolynomialFeatures;
///
/// let table = Table::of([
///     ("a", Column::numbers([2.0, 3.0])),
///     ("b", Column::numbers([5.0, f64::NAN])),
///     ("cost", Column::numbers([1.0, 2.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = PolynomialFeatures::on(numbers()).fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(train.features().schema().names(), ["a", "b", "a^2", "a*b", "b^2"]);
/// assert_eq!(train.features().column("a*b")?.as_numbers()?[0], 10.0);
/// assert_eq!(train.features().column("a*b")?.missing_count(), 1);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `PolynomialFeatures(include_bias=False)`, tolerance 1e-9 of each value. scikit-learn
/// gives the columns themselves among the products, and refuses missing values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolynomialFeatures {
    on: Selector,
    degree: usize,
    interaction_only: bool,
}

/// A learned [`PolynomialFeatures`].
pub type FittedPolynomialFeatures = Joint<Products>;

/// Which columns are multiplied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Products {
    /// The factors of each product, as places among the taken columns, ordered by name; a power repeats its column.
    terms: Vec<Vec<usize>>,
}

impl PolynomialFeatures {
    /// Of these columns, which must be numbers, up to degree 2.
    pub fn on(columns: Selector) -> Self {
        Self { on: columns, degree: 2, interaction_only: false }
    }

    /// How many factors a product has at most: from 2 to 10. Default 2.
    #[must_use]
    pub fn degree(mut self, degree: usize) -> Self {
        self.degree = degree;
        self
    }

    /// Whether each column is a factor once at most: no powers. Default `false`.
    #[must_use]
    pub fn interaction_only(mut self, interaction_only: bool) -> Self {
        self.interaction_only = interaction_only;
        self
    }

    fn products(&self, input: &Schema) -> Result<(Vec<usize>, Products)> {
        ParameterError::check((2..=10).contains(&self.degree), "degree", self.degree, "from 2 to 10")?;
        let positions = positions(&self.on, input, &[Kind::Number])?;
        let order = by_name(input, &positions);
        let mut terms: Vec<Vec<usize>> = Vec::new();
        // The places in `order` of the products of one degree; each is carried on by factors from its last one on.
        let mut last: Vec<Vec<usize>> = (0..order.len()).map(|i| vec![i]).collect();
        for _ in 1..self.degree {
            let mut next = Vec::new();
            for term in &last {
                let from = term.last().map_or(0, |&i| i + usize::from(self.interaction_only));
                next.extend((from..order.len()).map(|i| [term.as_slice(), &[i]].concat()));
                let fits = terms.len() + next.len() <= MOST_COLUMNS;
                let allowed = "a degree that gives at most 20,000 columns; take fewer columns or a lower degree";
                ParameterError::check(fits, "degree", self.degree, allowed)?;
            }
            terms.extend(next.iter().map(|term| term.iter().map(|&i| order[i]).collect()));
            last = next;
        }
        Ok((positions, Products { terms }))
    }
}

impl Persist for PolynomialFeatures {
    const TAG: &'static str = "PolynomialFeatures";
}

impl<T: Task> Transformer<T> for PolynomialFeatures {
    type Fitted = FittedPolynomialFeatures;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let (positions, products) = self.products(input)?;
        let fields = products.fields_of(|place| &input.fields()[positions[place]]);
        Ok(joint::plan(input, &positions, Place::Added, true, fields))
    }

    fn fit(&self, train: &Dataset<T>, _: &FitContext) -> Result<FittedPolynomialFeatures> {
        let (positions, products) = self.products(train.features().schema())?;
        Joint::new(train, positions, Place::Added, products)
    }
}

impl Products {
    fn fields_of<'a>(&self, field: impl Fn(usize) -> &'a Field) -> Vec<Field> {
        let made = |term: &Vec<usize>| {
            let powers: Vec<String> = (term.chunk_by(|a, b| a == b))
                .map(|same| match same.len() {
                    1 => field(same[0]).name.to_string(),
                    power => format!("{}^{power}", field(same[0]).name),
                })
                .collect();
            let is_missing = term.iter().any(|&place| field(place).missing);
            Field::derived(powers.join("*"), Kind::Number, term.iter().map(|&place| field(place))).missing(is_missing)
        };
        self.terms.iter().map(made).collect()
    }
}

impl JointRule for Products {
    const TAG: &'static str = "FittedPolynomialFeatures";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        self.fields_of(|place| taken.field(place))
    }

    fn columns(&self, _: Taken<'_>, columns: Vec<Column>, _: usize) -> Result<Vec<Column>> {
        let values = columns.iter().map(Column::as_numbers).collect::<Result<Vec<_>>>()?;
        let product = |term: &Vec<usize>| {
            let mut product = values[term[0]].to_vec();
            for &place in &term[1..] {
                product.iter_mut().zip(values[place]).for_each(|(product, x)| *product *= x);
            }
            Column::numbers(product)
        };
        Ok(self.terms.par_iter().map(product).collect())
    }

    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        let values = (0..taken.len()).map(|place| cells.number(place)).collect::<Result<Vec<_>>>()?;
        out.extend(self.terms.iter().map(|term| {
            let product = term[1..].iter().fold(values[term[0]], |product, &place| product * values[place]);
            Cell::number(product)
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{named, numbers};
    use stagewise_core::stage::Transform;
    use stagewise_core::table::Table;
    use stagewise_core::task::Regression;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn conforms() {
        for spec in [
            PolynomialFeatures::on(numbers()),
            PolynomialFeatures::on(numbers()).degree(4).interaction_only(true),
            PolynomialFeatures::on(named::<&str>([])),
        ] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression_numeric(61, 2));
        }
    }

    #[test]
    fn names_tell_factors_and_powers() {
        let data = data::regression_numeric(5, 1);
        let names = |spec: PolynomialFeatures| {
            let fitted = spec.fit(&data, &FitContext::new(0)).unwrap();
            fitted.output().names()[4..].join(" ")
        };
        let on = PolynomialFeatures::on(named(["x0", "x1"]));
        assert_eq!(names(on.clone().degree(3)), "x0^2 x0*x1 x1^2 x0^3 x0^2*x1 x0*x1^2 x1^3");
        assert_eq!(names(on.degree(3).interaction_only(true)), "x0*x1");
        let origin = PolynomialFeatures::on(named(["x0", "x1"])).fit(&data, &FitContext::new(0)).unwrap();
        assert_eq!(origin.output().fields()[5].origin.iter().map(|o| o.as_ref()).collect::<Vec<_>>(), ["x0", "x1"]);
    }

    #[test]
    fn too_many_columns_are_refused_before_they_are_made() {
        let table = Table::of((0..300).map(|j| (format!("c{j}"), Column::numbers([1.0])))).unwrap();
        for (degree, fits) in [(2, false), (10, false), (1, false), (11, false)] {
            let spec = PolynomialFeatures::on(numbers()).degree(degree);
            assert_eq!(Transformer::<Regression>::plan(&spec, table.schema()).is_ok(), fits, "{degree}");
        }
        let fewer = table.select(&(0..190).collect::<Vec<_>>()).unwrap();
        let planned = Transformer::<Regression>::plan(&PolynomialFeatures::on(numbers()), fewer.schema()).unwrap();
        assert_eq!(planned.fields.len(), 190 + 190 * 191 / 2);
    }

    #[test]
    fn infinities_follow_the_rules_of_floats() {
        let spec = PolynomialFeatures::on(numbers());
        let train = crate::test_tables::training(table([f64::INFINITY, 1e300], [0.0, 1e300]), None);
        let fitted = spec.fit(&train, &FitContext::new(0)).unwrap();
        let out = fitted.transform(train.features().clone()).unwrap();
        let product = out.column("a*b").unwrap().as_numbers().unwrap();
        assert!(product[0].is_nan() && product[1] == f64::INFINITY);
    }

    fn table(a: [f64; 2], b: [f64; 2]) -> Table {
        Table::of([("a", Column::numbers(a)), ("b", Column::numbers(b))]).unwrap()
    }
}
