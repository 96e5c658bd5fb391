//! Levels of several columns to a fixed number of columns, by a hash of their names.

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{At, Crumb, DataError, Error, ParameterError, Result};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;
use stagewise_numeric::hash::Murmur3;

use super::unseen::MissingLevel;
use crate::columns::{positions, wrong_cell};
use crate::joint::{Joint, JointRule, Place, Taken, TakenCells, plan};

/// Adds up the levels of several columns in a fixed number of columns, chosen by a hash of column and level.
///
/// The text `<column>=<level>` has the hash `h`, MurmurHash3 of 32 bits read as a signed number: it goes to column
/// `|h| mod buckets`, and adds 1 there or, if [`signed`](Self::signed) and `h < 0`, -1. Nothing is learned, so every level
/// has its place, seen in training or not; the price is that levels meet, two of `k` in a column with probability
/// `1 / buckets`. With signs those that meet cancel on average, and dot products of rows stay right in the mean
/// (Weinberger et al. 2009).
///
/// | what comes | what happens |
/// |---|---|
/// | a level not seen in training | hashed as all others |
/// | a missing level | [`missing`](Self::missing); by default hashed as the level `(missing)`, also if none came in training |
/// | a level known by a number alone, without a name | an error: there is nothing to hash |
/// | no column | nothing |
///
/// Output: the columns `<name>_0`, `<name>_1`, … behind all others, in place of the columns taken. Neither target nor weights
/// are looked at. `O(levels + rows)` a column.
///
/// # Errors
/// [`ParameterError`] for fewer than 1 bucket.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::categories;
/// use stagewise_core::stage::{Transform, Transformer};
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::encode::HashingEncoder;
///
/// let table = Table::of([
///     ("city", Column::categories([Some("Bern"), Some("Porto")])),
///     ("plan", Column::categories([Some("pro"), None])),
///     ("cost", Column::numbers([1.0, 2.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let spec = HashingEncoder::on(categories()).buckets(4).signed(false);
/// let (fitted, train) = spec.fit_transform(train, &FitContext::new(0))?;
/// assert_eq!(fitted.output().names(), ["hash_0", "hash_1", "hash_2", "hash_3"]);
/// let sum: f64 = train.features().columns().iter().map(|c| c.as_numbers().map_or(0.0, |v| v[0])).sum();
/// assert_eq!(sum, 2.0);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// Checked against scikit-learn 1.9.1 `FeatureHasher` of the same texts, with and without `alternate_sign`, exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HashingEncoder {
    on: Selector,
    buckets: HashBuckets,
}

/// A learned [`HashingEncoder`].
pub type FittedHashingEncoder = Joint<HashBuckets>;

/// How levels are hashed. Nothing of it is learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashBuckets {
    name: String,
    buckets: u32,
    signed: bool,
    missing: MissingLevel,
}

impl HashingEncoder {
    /// Encodes these columns, which must be categories, together.
    pub fn on(columns: Selector) -> Self {
        let buckets = HashBuckets { name: "hash".into(), buckets: 32, signed: true, missing: MissingLevel::default() };
        Self { on: columns, buckets }
    }

    /// How many columns come. At least 1, default 32.
    #[must_use]
    pub fn buckets(mut self, buckets: u32) -> Self {
        self.buckets.buckets = buckets;
        self
    }

    /// Whether half of the levels are subtracted. Default `true`.
    #[must_use]
    pub fn signed(mut self, signed: bool) -> Self {
        self.buckets.signed = signed;
        self
    }

    /// What the columns that come are called, before their number. Default `hash`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.buckets.name = name.into();
        self
    }

    /// What becomes of a missing level. Default [`MissingLevel::Level`]: it is hashed; with [`MissingLevel::Zeros`] it adds
    /// nothing.
    #[must_use]
    pub fn missing(mut self, missing: MissingLevel) -> Self {
        self.buckets.missing = missing;
        self
    }

    fn positions(&self, input: &Schema) -> Result<Vec<usize>> {
        ParameterError::check(self.buckets.buckets >= 1, "buckets", self.buckets.buckets, "at least 1")?;
        positions(&self.on, input, &[Kind::Category])
    }
}

impl Persist for HashingEncoder {
    const TAG: &'static str = "HashingEncoder";
}

impl<T: Task> Transformer<T> for HashingEncoder {
    type Fitted = FittedHashingEncoder;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let positions = self.positions(input)?;
        let taken: Vec<&Field> = positions.iter().map(|&position| &input.fields()[position]).collect();
        Ok(plan(input, &positions, Place::Instead, true, self.buckets.named(taken.iter().copied())))
    }

    fn fit(&self, train: &Dataset<T>, _: &FitContext) -> Result<FittedHashingEncoder> {
        let positions = self.positions(train.features().schema())?;
        if self.buckets.missing == MissingLevel::Error {
            for &position in &positions {
                let column = &train.features().columns()[position];
                let counted = |row: &usize| train.weights().is_none_or(|weights| weights[*row] > 0.0);
                let missing =
                    (0..column.len()).filter(counted).filter(|&row| column.cell(row) == Cell::Missing).count();
                if missing > 0 {
                    let name = &train.features().schema().fields()[position].name;
                    let error = DataError::MissingValues { count: missing };
                    return Err(Error::from(error).at(Crumb::column(name.as_ref())));
                }
            }
        }
        Joint::new(train, positions, Place::Instead, self.buckets.clone())
    }
}

impl HashBuckets {
    fn named<'a>(&self, taken: impl ExactSizeIterator<Item = &'a Field> + Clone) -> Vec<Field> {
        // A column that comes of nothing would have no origin.
        let buckets = if taken.len() == 0 { 0 } else { self.buckets };
        let field = |i| Field::derived(format!("{}_{i}", self.name), Kind::Number, taken.clone());
        (0..buckets).map(field).collect()
    }

    /// Where the level of a column goes, and what it adds there.
    fn place(&self, field: &Field, level: &str) -> (usize, f64) {
        let text = Murmur3::new(0).with(field.name.as_bytes()).with(b"=").with(level.as_bytes());
        let hash = text.finish().cast_signed();
        let add = if self.signed && hash < 0 { -1.0 } else { 1.0 };
        ((hash.unsigned_abs() % self.buckets.max(1)) as usize, add)
    }

    /// Where a missing level of a column goes; nowhere with [`MissingLevel::Zeros`].
    fn missing_place(&self, field: &Field) -> Result<Option<(usize, f64)>> {
        match self.missing {
            MissingLevel::Level => Ok(Some(self.place(field, "(missing)"))),
            MissingLevel::Zeros => Ok(None),
            MissingLevel::Error => Err(DataError::MissingValues { count: 1 }.into()),
        }
    }
}

impl JointRule for HashBuckets {
    const TAG: &'static str = "FittedHashingEncoder";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        let fields: Vec<&Field> = taken.fields().collect();
        self.named(fields.iter().copied())
    }

    fn columns(&self, taken: Taken<'_>, columns: Vec<Column>, rows: usize) -> Result<Vec<Column>> {
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let mut sums = vec![vec![0.0; rows]; self.buckets as usize];
        for (field, column) in taken.fields().zip(&columns) {
            let at = || Crumb::column(field.name.as_ref());
            let (codes, levels) = column.as_categories().at(at)?;
            let places: Vec<_> = levels.iter().map(|level| self.place(field, level)).collect();
            for (row, &code) in codes.iter().enumerate() {
                let place = match places.get(code as usize) {
                    Some(place) => Some(*place),
                    None => self.missing_place(field).at(|| Crumb::Row(row)).at(at)?,
                };
                if let Some((bucket, add)) = place {
                    sums[bucket][row] += add;
                }
            }
        }
        Ok(sums.into_iter().map(Column::numbers).collect())
    }

    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        if taken.is_empty() {
            return Ok(());
        }
        let start = out.len();
        out.extend((0..self.buckets).map(|_| Cell::Number(0.0)));
        for (i, field) in taken.fields().enumerate() {
            let named = match cells.cell(i) {
                Cell::Missing | Cell::Level(MISSING_CODE) => Ok(None),
                Cell::NewLevel(name) => Ok(Some(name)),
                Cell::Level(code) => {
                    let levels = field.levels.as_deref();
                    let unknown =
                        || DataError::UnknownCode { code: *code, levels: levels.map_or(0, |levels| levels.len()) };
                    levels.and_then(|levels| levels.name(*code)).map(Some).ok_or_else(|| unknown().into())
                }
                other => Err(wrong_cell(Kind::Category, other)),
            };
            let place = named.and_then(|named| match named {
                Some(name) => Ok(Some(self.place(field, name))),
                None => self.missing_place(field),
            });
            if let Some((bucket, add)) = place.at(|| Crumb::column(field.name.as_ref()))?
                && let Some(Cell::Number(sum)) = out.get_mut(start + bucket)
            {
                *sum += add;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stagewise_core::select::{categories, named};
    use stagewise_core::stage::Transform;
    use stagewise_testkit::{conformance, data};

    #[test]
    fn conforms() {
        let spec = HashingEncoder::on(categories());
        for spec in [
            spec.clone(),
            spec.clone().buckets(1).signed(false),
            spec.buckets(7).name("h").missing(MissingLevel::Zeros),
            HashingEncoder::on(named(["plan"])).missing(MissingLevel::Error),
            HashingEncoder::on(named(Vec::<String>::new())),
        ] {
            conformance::transformer(&spec, &data::binary(60, 1));
            conformance::transformer(&spec, &data::regression(61, 2));
            conformance::transformer(&spec, &data::multiclass(62, 3).reweighted(vec![1.0; 62]).unwrap());
            conformance::transformer(&spec, &data::ranking(63, 4));
        }
    }

    #[test]
    fn columns_are_told_apart_by_name_and_each_row_has_one_sign_a_column() {
        let train = data::binary(80, 1);
        let spec = HashingEncoder::on(categories()).buckets(1000);
        let (fitted, out) = spec.fit_transform(train, &FitContext::new(0)).unwrap();
        for row in 0..out.rows() {
            let numbers = out.features().columns().iter().filter(|c| c.kind() == Kind::Number);
            let hashed = numbers.skip(4).map(|c| c.as_numbers().unwrap()[row].abs()).sum::<f64>();
            assert_eq!(hashed, 2.0, "row {row}");
        }
        let origins: Vec<_> = fitted.output().field("hash_0").unwrap().origin.iter().map(ToString::to_string).collect();
        assert_eq!(origins, ["city", "plan"]);
    }

    #[test]
    fn what_cannot_be_hashed_is_refused() {
        let train = data::binary(60, 1);
        let cx = FitContext::new(0);
        let spec = HashingEncoder::on(named(["city"]));
        let error = spec.clone().missing(MissingLevel::Error).fit(&train, &cx).unwrap_err();
        assert!(error.to_string().starts_with("column `city`: holds "), "{error}");
        assert_eq!(
            spec.clone().buckets(0).fit(&train, &cx).unwrap_err().to_string(),
            "`buckets` is 0, allowed is at least 1"
        );
        let fitted = spec.fit(&train, &cx).unwrap();
        let mut row = vec![Cell::Missing; 7];
        row[4] = Cell::Level(99);
        let error = fitted.transform_row(&row, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().starts_with("column `city`: holds the code 99, but has only "), "{error}");
    }

    #[test]
    fn a_hundred_thousand_levels_spread_evenly() {
        let field = Field::new("id", Kind::Category);
        let buckets = HashingEncoder::on(categories()).buckets(64).buckets;
        let (mut sums, mut counts) = (vec![0.0; 64], vec![0; 64]);
        for i in 0..100_000 {
            let (bucket, add) = buckets.place(&field, &format!("level {i}"));
            sums[bucket] += add;
            counts[bucket] += 1;
        }
        // 1562.5 on average, with a standard deviation of 39.
        assert!(counts.iter().all(|&count: &i32| count.abs_diff(1562) < 200), "{counts:?}");
        assert!(sums.iter().all(|sum: &f64| sum.abs() < 200.0), "{sums:?}");
    }
}
