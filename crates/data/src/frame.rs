//! The border to polars: tables to frames and back. No other crate of stagewise sees a polars type.
//!
//! | polars | kind |
//! |---|---|
//! | integers, floats, null | number |
//! | boolean | flag |
//! | string | decided by the rules of [`kind`](crate::kind) |
//! | categorical, enum | category |
//! | date, datetime (without a zone: UTC) | timestamp |
//! | anything else | left out, with a decision |

use std::sync::Arc;

use polars::prelude::{
    BooleanChunked, DataFrame, DataType, Float64Chunked, FrozenCategories, Int64Chunked, IntoColumn, IntoSeries,
    NamedFrom, PlSmallStr, PolarsResult, Series, StringChunked, TimeUnit,
};
use stagewise_core::calendar::DAY;
use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_core::error::{At, Crumb, Error, Result};
use stagewise_core::schema::{Levels, MissingTokens};
use stagewise_core::table::Table;

use crate::kind::{BEYOND_EXACT, EXACT_WHOLE, is_beyond_exact};
use crate::loaded::{Loaded, Source, Values, Wishes, decide};

/// A frame with the same columns: missing values are null, categories an enum with the levels in order, timestamps
/// datetimes in microseconds.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::schema::MissingTokens;
/// use stagewise_core::table::Table;
/// use stagewise_data::{from_frame, to_frame};
///
/// let table = Table::of([("plan", Column::categories([Some("pro"), None]))])?;
/// assert_eq!(from_frame(&to_frame(&table)?, &MissingTokens::default())?.table, table);
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// # Errors
/// An external error from polars, which a table does not give it reason for.
pub fn to_frame(table: &Table) -> Result<DataFrame> {
    let series = table.schema().fields().iter().zip(table.columns()).map(|(field, column)| {
        to_series(field.name.as_ref().into(), column)
            .map(IntoColumn::into_column)
            .map_err(Error::external)
            .at(|| Crumb::column(field.name.as_ref()))
    });
    DataFrame::new(table.rows(), series.collect::<Result<_>>()?).map_err(Error::external)
}

/// A table with the columns of a frame, and a decision about each.
///
/// Integers beyond 2⁵³ in size may be rounded, and nanoseconds are cut to microseconds, with a notice.
///
/// # Errors
/// An external error from polars.
pub fn from_frame(frame: &DataFrame, tokens: &MissingTokens) -> Result<Loaded> {
    loaded(frame, &Wishes { tokens: tokens.clone(), kinds: Vec::new() })
}

/// [`from_frame`] with all that a caller may wish.
pub(crate) fn loaded(frame: &DataFrame, wishes: &Wishes) -> Result<Loaded> {
    decide(sources(frame)?, frame.height(), wishes, Vec::new())
}

/// The columns of a frame, not yet decided about.
pub(crate) fn sources(frame: &DataFrame) -> Result<Vec<Source<'_>>> {
    let series = frame.columns().iter().map(|c| c.as_materialized_series());
    series.map(|s| source(s).map_err(Error::external).at(|| Crumb::column(s.name().as_str()))).collect()
}

fn to_series(name: PlSmallStr, column: &Column) -> PolarsResult<Series> {
    Ok(match column {
        Column::Number(values) => {
            let values = values.iter().map(|&x| (!x.is_nan()).then_some(x));
            values.collect::<Float64Chunked>().with_name(name).into_series()
        }
        Column::Category { codes, levels } => {
            let names = codes.iter().map(|&code| levels.name(code).map(|name| &**name));
            let texts = names.collect::<StringChunked>().with_name(name).into_series();
            let frozen = FrozenCategories::new(levels.iter().map(|name| &**name))?;
            texts.strict_cast(&DataType::from_frozen_categories(frozen))?
        }
        Column::Flag(values) => values.iter().copied().collect::<BooleanChunked>().with_name(name).into_series(),
        Column::Text(values) => {
            values.iter().map(|v| v.as_deref()).collect::<StringChunked>().with_name(name).into_series()
        }
        Column::Timestamp(values) => {
            let times = values.iter().map(|&t| (t != MISSING_TIME).then_some(t));
            let times = times.collect::<Int64Chunked>().with_name(name);
            times.into_datetime(TimeUnit::Microseconds, None).into_series()
        }
        other => Series::new(name, vec![None::<bool>; other.len()]),
    })
}

/// One column, not yet decided about.
pub(crate) fn source(series: &Series) -> PolarsResult<Source<'_>> {
    let dtype = series.dtype();
    let (values, notice) = match dtype {
        dtype if dtype.is_primitive_numeric() || *dtype == DataType::Null => numbers(series)?,
        DataType::Boolean => (Values::Typed(Column::flags(series.bool()?.iter().collect::<Vec<_>>())), None),
        DataType::String => (Values::Texts(series.str()?.iter().collect()), None),
        DataType::Categorical(..) | DataType::Enum(..) => (Values::Typed(categories(series)?), None),
        DataType::Date => times(series, |t| t.checked_mul(DAY), None)?,
        DataType::Datetime(TimeUnit::Milliseconds, _) => times(series, |t| t.checked_mul(1000), None)?,
        DataType::Datetime(TimeUnit::Microseconds, _) => times(series, Some, None)?,
        DataType::Datetime(TimeUnit::Nanoseconds, _) => {
            let fraction = series.to_physical_repr().i64()?.iter().flatten().any(|t| t % 1000 != 0);
            times(
                series,
                |t| Some(t.div_euclid(1000)),
                fraction.then(|| "nanoseconds were cut to microseconds".into()),
            )?
        }
        other => (Values::Foreign(format!("values of type {other}")), None),
    };
    Ok(Source { name: series.name().to_string(), values, notice })
}

/// Whether no kind of column takes values of this type.
pub(crate) fn is_foreign(series: &Series) -> PolarsResult<bool> {
    Ok(matches!(source(&series.clear())?.values, Values::Foreign(_)))
}

type Read<'a> = (Values<'a>, Option<String>);

fn numbers(series: &Series) -> PolarsResult<Read<'_>> {
    let floats = series.cast(&DataType::Float64)?;
    let numbers: Vec<f64> = floats.f64()?.iter().map(|x| x.unwrap_or(f64::NAN)).collect();
    let rounded = series.dtype().is_integer() && numbers.iter().any(|x| x.abs() >= EXACT_WHOLE) && {
        // The bound itself may be the next number, rounded: there the whole number decides. What is so large that it is none
        // of 64 bits is beyond it.
        let whole = series.cast(&DataType::Int64)?;
        let beyond = |(x, whole): (&f64, Option<i64>)| {
            x.abs() >= EXACT_WHOLE && whole.is_none_or(|whole| is_beyond_exact(whole.unsigned_abs()))
        };
        numbers.iter().zip(whole.i64()?.iter()).any(beyond)
    };
    Ok((Values::Typed(Column::numbers(numbers)), rounded.then(|| BEYOND_EXACT.into())))
}

fn categories(series: &Series) -> PolarsResult<Column> {
    let texts = series.cast(&DataType::String)?;
    let mut levels = Levels::default();
    if let DataType::Enum(frozen, _) = series.dtype() {
        frozen.categories().values_iter().for_each(|name| _ = levels.intern(name));
    }
    let codes = texts.str()?.iter().map(|text| text.map_or(MISSING_CODE, |name| levels.intern(name)));
    let codes = Arc::new(codes.collect());
    Ok(Column::Category { codes, levels: Arc::new(levels) })
}

fn times(series: &Series, micros: impl Fn(i64) -> Option<i64>, notice: Option<String>) -> PolarsResult<Read<'_>> {
    let physical = series.to_physical_repr().cast(&DataType::Int64)?;
    let mut lost = 0_usize;
    let times = physical.i64()?.iter().map(|t| match t {
        None => MISSING_TIME,
        Some(t) => micros(t).filter(|&t| t != MISSING_TIME).unwrap_or_else(|| {
            lost += 1;
            MISSING_TIME
        }),
    });
    let column = Column::timestamps(times.collect::<Vec<_>>());
    let lost = (lost > 0).then(|| format!("{} beyond the range of timestamps became missing", crate::kind::rows(lost)));
    let notices: Vec<String> = [notice, lost].into_iter().flatten().collect();
    Ok((Values::Typed(column), (!notices.is_empty()).then(|| notices.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::NewChunkedArray;
    use stagewise_core::schema::{Kind, Role};

    #[test]
    fn every_kind_goes_over_and_comes_back_bit_for_bit() {
        let level =
            Column::Category { codes: Arc::new(vec![1, MISSING_CODE, 1]), levels: Arc::new(Levels::new(["z", "a"])) };
        let table = Table::of([
            ("x", Column::numbers([-0.0, f64::NAN, f64::INFINITY])),
            ("c", level),
            ("f", Column::flags([Some(true), None, Some(false)])),
            ("w", Column::timestamps([-1, MISSING_TIME, 1_709_209_815_250_000])),
            ("t", Column::texts([Some("a b"), None, Some("")])),
        ])
        .unwrap();
        let tokens = MissingTokens::new(Vec::<&str>::new());
        let wishes = Wishes { tokens, kinds: vec![("t".into(), Kind::Text)] };
        let back = loaded(&to_frame(&table).unwrap(), &wishes).unwrap();
        assert_eq!(back.table.columns(), table.columns());
        let (codes, levels) = back.table.column("c").unwrap().as_categories().unwrap();
        assert_eq!((codes, levels.to_strings()), (&[1, MISSING_CODE, 1][..], vec!["z".to_string(), "a".into()]));
    }

    #[test]
    fn whole_numbers_are_noticed_from_the_first_that_is_not_exact() {
        const EXACT: i64 = 1 << 53;
        let signed = |values: &[i64]| Series::new("n".into(), values);
        let unsigned = |values: &[u64]| Series::new("n".into(), values);
        for (series, noticed) in [
            (signed(&[EXACT, -EXACT, 0]), false),
            (signed(&[1, EXACT + 1]), true),
            (signed(&[-EXACT - 1]), true),
            (signed(&[i64::MAX]), true),
            (signed(&[i64::MIN]), true),
            (unsigned(&[EXACT as u64]), false),
            (unsigned(&[EXACT as u64 + 1]), true),
            (unsigned(&[u64::MAX]), true),
            (Series::new("n".into(), [Some(EXACT), None]), false),
            (Series::new("n".into(), [1e300, f64::INFINITY]), false),
            (Series::new("n".into(), [u32::MAX]), false),
        ] {
            let text = format!("{series:?}");
            let frame = DataFrame::new(series.len(), vec![series.into_column()]).unwrap();
            let loaded = from_frame(&frame, &MissingTokens::default()).unwrap();
            let notices: Vec<_> = loaded.notices().collect();
            let expected: &[_] = if noticed { &[("n", BEYOND_EXACT)] } else { &[] };
            assert_eq!(notices, expected, "{text}");
        }
    }

    #[test]
    fn types_without_a_kind_are_left_out_and_lossy_ones_noticed() {
        let list = Series::new("list".into(), [Series::new("".into(), [1_i64])]);
        let large = Series::new("large".into(), [i64::MAX]);
        let date = Int64Chunked::from_slice("date".into(), &[1]).into_series().cast(&DataType::Int32).unwrap();
        let date = date.cast(&DataType::Date).unwrap();
        let nano = Int64Chunked::from_slice("nano".into(), &[-1]).into_datetime(TimeUnit::Nanoseconds, None);
        let far = Int64Chunked::from_slice("far".into(), &[i64::MAX]).into_datetime(TimeUnit::Milliseconds, None);
        let columns = [list, large, date, nano.into_series(), far.into_series()].map(IntoColumn::into_column);
        let frame = DataFrame::new(1, columns.to_vec()).unwrap();
        let loaded = from_frame(&frame, &MissingTokens::default()).unwrap();
        assert_eq!(loaded.table.schema().names(), ["large", "date", "nano", "far"]);
        let list = loaded.decision("list").unwrap();
        assert_eq!((list.kept, list.role), (false, Role::Ignored));
        assert_eq!(loaded.table.column("date").unwrap(), &Column::timestamps([DAY]));
        assert_eq!(loaded.table.column("nano").unwrap(), &Column::timestamps([-1]));
        assert_eq!(loaded.table.column("far").unwrap().missing_count(), 1);
        assert_eq!(loaded.notices().map(|(column, _)| column).collect::<Vec<_>>(), ["large", "nano", "far"]);
    }
}
