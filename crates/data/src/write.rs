//! Tables to files: CSV for people, Parquet and Arrow IPC for programs.
//!
//! Parquet and Arrow keep kinds, levels and bits. CSV keeps what its reader can read back: see [`csv`].

use std::path::Path;

use polars::prelude::{
    CsvWriter, DataFrame, IntoColumn, IpcWriter, ParquetWriter, PolarsResult, SerWriter, StringChunked,
};
use polars::prelude::{IntoSeries, QuoteStyle};
use stagewise_core::calendar::{DAY, Date};
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::{At, Crumb, DataError, Error, Result};
use stagewise_core::schema::Kind;
use stagewise_core::table::Table;

use crate::frame::to_frame;

/// Writes a table as CSV: a header, commas, quotes where needed, missing values empty, numbers with the shortest text
/// that reads back as the same bits.
///
/// Read back by [`Csv`](crate::Csv), a text that reads like a missing token (`NA`) is missing, and a text like `1` is
/// a number: say the kind there, or write Parquet.
///
/// # Errors
/// [`DataError::NotFinite`] for an infinite number, which CSV has no text for; a timestamp outside the years 0 to 9999;
/// a file that cannot be written.
pub fn csv(table: &Table, path: impl AsRef<Path>) -> Result<()> {
    save(&csv_bytes(table)?, path.as_ref())
}

/// The bytes that [`csv`] writes.
///
/// # Errors
/// As [`csv`].
pub fn csv_bytes(table: &Table) -> Result<Vec<u8>> {
    let mut frame = to_frame(table)?;
    for (field, column) in table.schema().fields().iter().zip(table.columns()) {
        let name = field.name.as_ref();
        match column {
            Column::Number(values) => {
                let count = values.iter().filter(|x| x.is_infinite()).count();
                if let Some(first) = values.iter().position(|x| x.is_infinite()) {
                    return Err(DataError::NotFinite { count, first }).at(|| Crumb::column(name));
                }
            }
            Column::Timestamp(values) => {
                let texts = values.iter().map(|&t| in_words(t)).collect::<Result<StringChunked>>();
                let texts = texts.at(|| Crumb::column(name))?.with_name(name.into());
                frame.with_column(texts.into_series().into_column()).map_err(Error::external)?;
            }
            _ => {}
        }
    }
    bytes(frame, |buffer, frame| CsvWriter::new(buffer).with_quote_style(QuoteStyle::Necessary).finish(frame))
}

/// Writes a table as Parquet.
///
/// # Errors
/// A file that cannot be written.
pub fn parquet(table: &Table, path: impl AsRef<Path>) -> Result<()> {
    save(&parquet_bytes(table)?, path.as_ref())
}

/// The bytes that [`parquet`] writes.
///
/// # Errors
/// An external error from polars.
pub fn parquet_bytes(table: &Table) -> Result<Vec<u8>> {
    bytes(to_frame(table)?, |buffer, frame| ParquetWriter::new(buffer).finish(frame).map(drop))
}

/// Writes a table as an Arrow IPC file (Feather), not packed.
///
/// # Errors
/// A file that cannot be written.
pub fn ipc(table: &Table, path: impl AsRef<Path>) -> Result<()> {
    save(&ipc_bytes(table)?, path.as_ref())
}

/// The bytes that [`ipc`] writes.
///
/// # Errors
/// An external error from polars.
pub fn ipc_bytes(table: &Table) -> Result<Vec<u8>> {
    bytes(to_frame(table)?, |buffer, frame| IpcWriter::new(buffer).finish(frame))
}

fn bytes(
    mut frame: DataFrame,
    write: impl FnOnce(&mut Vec<u8>, &mut DataFrame) -> PolarsResult<()>,
) -> Result<Vec<u8>> {
    let mut buffer = Vec::new();
    write(&mut buffer, &mut frame).map_err(Error::external)?;
    Ok(buffer)
}

fn save(bytes: &[u8], path: &Path) -> Result<()> {
    std::fs::write(path, bytes).map_err(|source| Error::io(path, source))
}

/// A point in time as text that reads back, or nothing for a missing one.
fn in_words(micros: i64) -> Result<Option<String>> {
    if micros == MISSING_TIME {
        return Ok(None);
    }
    let text = timestamp(micros);
    match stagewise_core::record::parse::timestamp(&text) {
        Some(_) => Ok(Some(text)),
        None => Err(DataError::Unparsable { value: text, expected: Kind::Timestamp }.into()),
    }
}

/// A point in time for people and files: the date, and the time of day unless it is midnight.
pub(crate) fn timestamp(micros: i64) -> String {
    let (date, rest) = (Date::of_micros(micros), micros.rem_euclid(DAY));
    if rest == 0 {
        return date.to_string();
    }
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { format!("{date}T{clock}") } else { format!("{date}T{clock}.{fraction:06}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csv, Parquet};
    use proptest::prelude::*;
    use stagewise_core::record::parse;

    #[test]
    fn times_are_written_as_they_are_read() {
        for text in ["1970-01-01", "2024-02-29T12:30:15.250000", "1899-12-31T23:59:59", "0000-03-01", "9999-12-31"] {
            assert_eq!(timestamp(parse::timestamp(text).unwrap()), text);
        }
        assert!(in_words(i64::MAX).is_err());
        timestamp(i64::MIN + 1);
    }

    #[test]
    fn csv_has_no_infinity() {
        let table = Table::of([("x", Column::numbers([1.0, f64::INFINITY]))]).unwrap();
        let message = csv_bytes(&table).unwrap_err().to_string();
        assert!(message.starts_with("column `x`: holds 1 values that are not finite (first: row 1)"), "{message}");
    }

    #[test]
    fn files_are_written_and_read() {
        let table = Table::of([("x", Column::numbers([1.5, f64::NAN, 2.0]))]).unwrap();
        let folder = std::env::temp_dir().join(format!("stagewise-write-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        csv(&table, folder.join("x.csv")).unwrap();
        parquet(&table, folder.join("x.parquet")).unwrap();
        assert_eq!(Csv::new(folder.join("x.csv")).read().unwrap().table, table);
        assert_eq!(Parquet::new(folder.join("x.parquet")).read().unwrap().table, table);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(csv(&table, folder.join("x.csv")).is_err());
    }

    fn text() -> impl Strategy<Value = Option<String>> {
        // No text that reads like a missing token, a number, a flag or a time; no blanks around.
        prop::option::weighted(0.8, "[a-z\"][ -~é\n\r\t,;\"]{0,8}[x\"]")
    }

    fn table() -> impl Strategy<Value = Table> {
        let row = (
            prop::option::of(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO),
            text(),
            prop::option::of(any::<bool>()),
            prop::option::of(-60_000_000_000_000_000_i64..250_000_000_000_000_000),
            text(),
        );
        prop::collection::vec(row, 1..30).prop_map(|rows| {
            let numbers: Vec<f64> = rows.iter().map(|r| r.0.unwrap_or(f64::NAN)).collect();
            let flags: Vec<Option<bool>> = rows.iter().map(|r| r.2).collect();
            let times: Vec<i64> = rows.iter().map(|r| r.3.unwrap_or(MISSING_TIME)).collect();
            Table::of([
                ("text", Column::texts(rows.iter().map(|r| r.4.as_deref()))),
                ("a, \"name\"", Column::numbers(numbers)),
                ("level", Column::categories(rows.iter().map(|r| r.1.as_deref()))),
                ("flag", Column::flags(flags)),
                ("when", Column::timestamps(times)),
            ])
            .unwrap()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn any_table_survives_both_formats(table in table()) {
            let kinds = [
                ("text", Kind::Text),
                ("a, \"name\"", Kind::Number),
                ("level", Kind::Category),
                ("flag", Kind::Flag),
                ("when", Kind::Timestamp),
            ];
            let csv = kinds.iter().fold(Csv::from_bytes(csv_bytes(&table).unwrap()), |csv, (n, k)| csv.kind(*n, *k));
            let back = csv.delimiter(b',').read().unwrap().table;
            prop_assert_eq!(back.columns(), table.columns());
            let parquet = Parquet::from_bytes(parquet_bytes(&table).unwrap()).kind("text", Kind::Text);
            let back = parquet.read().unwrap().table;
            prop_assert_eq!(back.columns(), table.columns());
        }
    }
}
