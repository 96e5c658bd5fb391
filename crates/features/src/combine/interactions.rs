//! Two columns as one: products of numbers, crosses of levels.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::context::FitContext;
use stagewise_core::dataset::Dataset;
use stagewise_core::error::{Crumb, Error, Result, SchemaError};
use stagewise_core::persist::Persist;
use stagewise_core::record::Cell;
use stagewise_core::schema::{Field, Kind, Levels, Schema};
use stagewise_core::select::Selector;
use stagewise_core::stage::{Plan, Transformer};
use stagewise_core::task::Task;

use super::block::{by_name, counting_rows};
use super::pairs::{self, Pairs};
use crate::columns::{positions, with_levels, wrong_cell};
use crate::joint::{self, Joint, JointRule, Place, Taken, TakenCells};

/// Adds to pairs of columns what they say together.
///
/// | pair | what comes |
/// |---|---|
/// | two numbers | their product |
/// | number and flag | the number where the flag is true, 0 where it is false |
/// | two flags | whether both are true |
/// | two categories | a category whose levels are the pairs of levels seen in training: `Bern*pro` |
/// | category and flag | the same, with the levels `true` and `false` of the flag |
/// | category and number | refused; encode the category first, and multiply by the numbers that come |
///
/// | what comes later | what happens |
/// |---|---|
/// | either missing | missing; nothing must be imputed before |
/// | a pair of levels not seen in training, or of a level that was not | a level not seen in training, which the next encoder has a policy for |
/// | a product beyond the range of `f64`; `∞ · 0` | `±∞`; missing |
///
/// Output: `<left>*<right>` behind all columns, which are kept. A `*` or a backslash in the name of a level has a backslash
/// before it in the pair, so that no two pairs have one name. Of the rows only which pairs of levels occur is learned; a row of weight 0
/// does not count. The target is not touched. `O(rows log pairs)` to fit.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::context::FitContext;
/// use stagewise_core::dataset::Dataset;
/// use stagewise_core::problem::Problem;
/// use stagewise_core::select::categories;
/// use stagewise_core::stage::Transformer;
/// use stagewise_core::table::Table;
/// use stagewise_core::task::Regression;
/// use stagewise_features::combine::Interactions;
///
/// let table = Table::of([
///     ("city", Column::categories([Some("Bern"), Some("Ulm"), Some("Bern")])),
///     ("plan", Column::categories([Some("pro"), Some("pro"), None])),
///     ("cost", Column::numbers([1.0, 2.0, 3.0])),
/// ])?;
/// let train = Dataset::new(table, &Problem::<Regression>::new("cost"))?;
/// let (_, train) = Interactions::on(categories()).fit_transform(train, &FitContext::new(0))?;
/// let expected = Column::categories([Some("Bern*pro"), Some("Ulm*pro"), None]);
/// assert_eq!(train.features().column("city*plan")?, &expected);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interactions {
    which: Which,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    All(Selector),
    Pairs(Vec<(String, String)>),
}

/// A learned [`Interactions`].
pub type FittedInteractions = Joint<Cross>;

/// What pairs of columns become.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cross {
    pairs: Vec<Pair>,
}

/// One pair, as places among the taken columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pair {
    left: usize,
    right: usize,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Product,
    Both,
    /// The pairs of codes seen in training, ascending; a flag has the codes 0 and 1.
    Levels(Vec<(u32, u32)>),
}

impl Interactions {
    /// Each pair of these columns: numbers and flags, or categories and flags.
    pub fn on(columns: Selector) -> Self {
        Self { which: Which::All(columns) }
    }

    /// These pairs of columns.
    pub fn of<A: Into<String>, B: Into<String>>(pairs: impl IntoIterator<Item = (A, B)>) -> Self {
        Self { which: Which::Pairs(pairs::owned(pairs)) }
    }

    /// The positions taken, and the pairs, with no level seen yet.
    fn pairs(&self, input: &Schema) -> Result<(Vec<usize>, Vec<Pair>)> {
        const KINDS: [Kind; 3] = [Kind::Number, Kind::Category, Kind::Flag];
        let Pairs { positions, places } = match &self.which {
            Which::Pairs(pairs) => pairs::resolve(pairs, input)?,
            Which::All(selector) => {
                let positions = positions(selector, input, &KINDS)?;
                let order = by_name(input, &positions);
                let after = |i: usize| order[i + 1..].iter().copied();
                let places = (0..order.len()).flat_map(|i| after(i).map(move |right| (i, right)));
                let places = places.map(|(i, right)| (order[i], right)).collect();
                Pairs { positions, places }
            }
        };
        let field = |place: usize| &input.fields()[positions[place]];
        let mut pairs = Vec::with_capacity(places.len());
        for (left, right) in places {
            let what = match (field(left).kind, field(right).kind) {
                (Kind::Number, Kind::Number | Kind::Flag) | (Kind::Flag, Kind::Number) => What::Product,
                (Kind::Flag, Kind::Flag) => What::Both,
                (Kind::Category, Kind::Category | Kind::Flag) | (Kind::Flag, Kind::Category) => {
                    What::Levels(Vec::new())
                }
                (found, other) => {
                    let is_right = matches!(found, Kind::Number | Kind::Flag)
                        || (found == Kind::Category && !KINDS.contains(&other));
                    let (wrong, found) = if is_right { (right, other) } else { (left, found) };
                    let error = SchemaError::WrongKind { expected: Kind::Number, found };
                    return Err(Error::from(error).at(Crumb::column(field(wrong).name.as_ref())));
                }
            };
            pairs.push(Pair { left, right, what });
        }
        Ok((positions, pairs))
    }
}

impl Persist for Interactions {
    const TAG: &'static str = "Interactions";
}

impl<T: Task> Transformer<T> for Interactions {
    type Fitted = FittedInteractions;

    fn plan(&self, input: &Schema) -> Result<Plan> {
        let (positions, pairs) = self.pairs(input)?;
        let field = |place: usize| &input.fields()[positions[place]];
        let fields = pairs.iter().map(|pair| pair.field(field(pair.left), field(pair.right))).collect();
        Ok(joint::plan(input, &positions, Place::Added, true, fields))
    }

    fn fit(&self, train: &Dataset<T>, _: &FitContext) -> Result<FittedInteractions> {
        let input = with_levels(train.features())?;
        let (positions, mut pairs) = self.pairs(&input)?;
        let rows = counting_rows(train);
        let column = |place: usize| &train.features().columns()[positions[place]];
        for pair in &mut pairs {
            let (left, right) = (column(pair.left), column(pair.right));
            if let What::Levels(seen) = &mut pair.what {
                let (left, right) = (codes(left)?, codes(right)?);
                *seen = (rows.iter().map(|&row| (left[row], right[row])))
                    .filter(|&(a, b)| a != MISSING_CODE && b != MISSING_CODE)
                    .collect();
                seen.sort_unstable();
                seen.dedup();
            }
        }
        Joint::new(train, positions, Place::Added, Cross { pairs })
    }
}

impl Pair {
    fn field(&self, left: &Field, right: &Field) -> Field {
        let kind = match self.what {
            What::Product => Kind::Number,
            What::Both => Kind::Flag,
            What::Levels(_) => Kind::Category,
        };
        let name = format!("{}*{}", left.name, right.name);
        let field = Field::derived(name, kind, [left, right]).missing(left.missing || right.missing);
        match &self.what {
            What::Levels(seen) => field.levels(Arc::new(levels(seen, left, right))),
            What::Product | What::Both => field,
        }
    }
}

/// The levels of the pairs seen.
fn levels(seen: &[(u32, u32)], left: &Field, right: &Field) -> Levels {
    Levels::new(seen.iter().map(|&(a, b)| crossed(&level(left, a), &level(right, b))))
}

/// The name of a pair of levels.
fn crossed(left: &str, right: &str) -> String {
    fn escaped(name: &str) -> Cow<'_, str> {
        if name.contains(['*', '\\']) { name.replace('\\', "\\\\").replace('*', "\\*").into() } else { name.into() }
    }
    format!("{}*{}", escaped(left), escaped(right))
}

/// What a code of a training column is called.
fn level(field: &Field, code: u32) -> Cow<'_, str> {
    if field.kind == Kind::Flag {
        return if code == 0 { "false" } else { "true" }.into();
    }
    let name = field.levels.as_ref().and_then(|levels| levels.name(code));
    name.map_or_else(|| format!("level {code}").into(), |name| Cow::Borrowed(name.as_ref()))
}

/// The codes of a category, or of a flag as 0 and 1.
fn codes(column: &Column) -> Result<Cow<'_, [u32]>> {
    Ok(match column {
        Column::Flag(flags) => flags.iter().map(|flag| flag.map_or(MISSING_CODE, u32::from)).collect(),
        other => Cow::Borrowed(other.as_categories()?.0),
    })
}

/// The numbers of a column, or of a flag as 0 and 1.
fn numbers(column: &Column) -> Result<Cow<'_, [f64]>> {
    Ok(match column {
        Column::Flag(flags) => flags.iter().map(|&flag| flag_number(flag)).collect(),
        other => Cow::Borrowed(other.as_numbers()?),
    })
}

fn flag_number(flag: Option<bool>) -> f64 {
    flag.map_or(f64::NAN, |flag| f64::from(u8::from(flag)))
}

/// A number times a flag is the number or 0, also of an infinite number; two numbers are multiplied.
#[inline]
fn product(left: f64, right: f64, is_flag: (bool, bool)) -> f64 {
    match is_flag {
        (true, _) if left == 0.0 && !right.is_nan() => 0.0,
        (_, true) if right == 0.0 && !left.is_nan() => 0.0,
        _ => left * right,
    }
}

/// A level in a row of later data.
enum Mark<'a> {
    Missing,
    Known(u32),
    New(Cow<'a, str>),
}

impl<'a> Mark<'a> {
    fn of(field: &'a Field, cell: &'a Cell) -> Result<Self> {
        let known = field.levels.as_ref().map_or(0, |levels| levels.len());
        Ok(match cell {
            Cell::Missing => Self::Missing,
            Cell::Flag(flag) if field.kind == Kind::Flag => Self::Known(u32::from(*flag)),
            Cell::Level(code) if field.kind == Kind::Category && (*code as usize) < known => Self::Known(*code),
            Cell::Level(code) if field.kind == Kind::Category => Self::New(format!("level {code}").into()),
            Cell::NewLevel(name) if field.kind == Kind::Category => Self::New(Cow::Borrowed(name.as_ref())),
            other => return Err(wrong_cell(field.kind, other).at(Crumb::column(field.name.as_ref()))),
        })
    }

    fn name(&self, field: &'a Field) -> Option<Cow<'_, str>> {
        match self {
            Self::Missing => None,
            Self::Known(code) => Some(level(field, *code)),
            Self::New(name) => Some(Cow::Borrowed(name.as_ref())),
        }
    }
}

impl Cross {
    fn crossed_column(seen: &[(u32, u32)], fields: [&Field; 2], columns: [&Column; 2]) -> Result<Column> {
        let mut names = levels(seen, fields[0], fields[1]);
        let (left, right) = (codes(columns[0])?, codes(columns[1])?);
        let name = |side: usize, code: u32| match columns[side] {
            Column::Category { levels, .. } => levels.name(code).map(|name| name.to_string()),
            _ => Some(level(fields[side], code).into_owned()),
        };
        let made = left.iter().zip(right.iter()).map(|(&a, &b)| {
            if a == MISSING_CODE || b == MISSING_CODE {
                return MISSING_CODE;
            }
            match seen.binary_search(&(a, b)) {
                Ok(code) => code as u32,
                Err(_) => {
                    let (left, right) = (name(0, a).unwrap_or_default(), name(1, b).unwrap_or_default());
                    names.intern(&crossed(&left, &right))
                }
            }
        });
        let codes: Vec<u32> = made.collect();
        Ok(Column::Category { codes: Arc::new(codes), levels: Arc::new(names) })
    }
}

impl JointRule for Cross {
    const TAG: &'static str = "FittedInteractions";

    fn fields(&self, taken: Taken<'_>) -> Vec<Field> {
        self.pairs.iter().map(|pair| pair.field(taken.field(pair.left), taken.field(pair.right))).collect()
    }

    fn columns(&self, taken: Taken<'_>, columns: Vec<Column>, _: usize) -> Result<Vec<Column>> {
        let made = |Pair { left, right, what }: &Pair| {
            let (a, b) = (&columns[*left], &columns[*right]);
            Ok(match what {
                What::Product => {
                    let is_flag = (a.kind() == Kind::Flag, b.kind() == Kind::Flag);
                    let (a, b) = (numbers(a)?, numbers(b)?);
                    let products = a.iter().zip(b.iter()).map(|(&a, &b)| product(a, b, is_flag));
                    Column::numbers(products.collect::<Vec<_>>())
                }
                What::Both => {
                    // Missing if either is, also beside a false one.
                    let both = |(a, b): (&Option<bool>, &Option<bool>)| Some((*a)?.min((*b)?));
                    Column::flags(a.as_flags()?.iter().zip(b.as_flags()?).map(both).collect::<Vec<_>>())
                }
                What::Levels(seen) => Self::crossed_column(seen, [taken.field(*left), taken.field(*right)], [a, b])?,
            })
        };
        self.pairs.iter().map(made).collect()
    }

    fn cells(&self, taken: Taken<'_>, cells: TakenCells<'_>, out: &mut Vec<Cell>) -> Result<()> {
        let number = |place: usize| match cells.cell(place) {
            Cell::Flag(flag) if taken.field(place).kind == Kind::Flag => Ok(flag_number(Some(*flag))),
            _ => cells.number(place),
        };
        let flag = |place: usize| match cells.cell(place) {
            Cell::Flag(flag) => Ok(Some(*flag)),
            Cell::Missing => Ok(None),
            other => Err(wrong_cell(Kind::Flag, other).at(Crumb::column(taken.field(place).name.as_ref()))),
        };
        for Pair { left, right, what } in &self.pairs {
            let fields = [taken.field(*left), taken.field(*right)];
            out.push(match what {
                What::Product => {
                    let is_flag = (fields[0].kind == Kind::Flag, fields[1].kind == Kind::Flag);
                    Cell::number(product(number(*left)?, number(*right)?, is_flag))
                }
                What::Both => match (flag(*left)?, flag(*right)?) {
                    (Some(a), Some(b)) => Cell::Flag(a && b),
                    _ => Cell::Missing,
                },
                What::Levels(seen) => {
                    let marks = (Mark::of(fields[0], cells.cell(*left))?, Mark::of(fields[1], cells.cell(*right))?);
                    let code = match &marks {
                        (Mark::Known(a), Mark::Known(b)) => seen.binary_search(&(*a, *b)).ok(),
                        _ => None,
                    };
                    match (code, marks.0.name(fields[0]), marks.1.name(fields[1])) {
                        (Some(code), _, _) => Cell::Level(code as u32),
                        (None, Some(a), Some(b)) => Cell::NewLevel(crossed(&a, &b).into()),
                        _ => Cell::Missing,
                    }
                }
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
