//! Files as they come: whatever the bytes, a reader answers with a table or an error.

use proptest::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::error::{DataError, ErrorKind};
use stagewise_core::schema::{Kind, MissingTokens};
use stagewise_core::table::Table;
use stagewise_data::{Csv, Ipc, Loaded, Ndjson, Parquet, Profile, detect_task, write};

/// Pieces that CSV files are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        ",",
        ";",
        "\t",
        "|",
        "\"",
        "\"\"",
        "\n",
        "\r\n",
        "\r",
        " ",
        "a",
        "b c",
        "1",
        "-2.5",
        "?",
        "NA",
        "é",
        "\u{feff}",
        "yes",
        "2024-01-31",
        "007",
        "1,5",
        "x\"y",
        "\0",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|p| p.concat())
}

fn looked_at(table: &Table) {
    let _ = Profile::of(table, None).unwrap();
    for name in table.schema().names() {
        let _ = detect_task(table, &name);
        let _ = Profile::of(table, Some(&name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Csv::from_bytes(&bytes).read();
        let _ = Ndjson::from_bytes(&bytes).read();
    }

    #[test]
    fn any_pieces_are_read_or_refused(text in pieces(), header in any::<bool>()) {
        if let Ok(loaded) = Csv::from_bytes(&text).header(header).read() {
            looked_at(&loaded.table);
            prop_assert_eq!(loaded.decisions.len(), loaded.table.width());
        }
        let _ = Csv::from_bytes(&text).quote(None).read();
        let _ = Csv::from_bytes(&text).delimiter(b' ').quote(b'a').read();
    }

    #[test]
    fn fields_come_back_as_they_were_written(
        rows in (1_usize..5).prop_flat_map(|width| {
            prop::collection::vec(prop::collection::vec("[ -~é\n\r\t]{0,6}", width), 1..12)
        }),
        delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
    ) {
        let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
        let separator = char::from(delimiter).to_string();
        let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(&separator);
        let text = rows.iter().map(line).collect::<Vec<_>>().join("\r\n");
        let mut csv = Csv::from_bytes(text).header(false).delimiter(delimiter).missing(MissingTokens::new(Vec::<&str>::new()));
        for i in 1..=rows[0].len() {
            csv = csv.kind(format!("column_{i}"), Kind::Text);
        }
        let table = csv.read().unwrap().table;
        prop_assert_eq!(table.rows(), rows.len());
        for (i, column) in table.columns().iter().enumerate() {
            let expected = Column::texts(rows.iter().map(|row| Some(row[i].as_str())));
            prop_assert_eq!(column, &expected);
        }
    }

    #[test]
    fn parquet_cut_short_is_refused(at in any::<prop::sample::Index>()) {
        let table = Table::of([
            ("x", Column::numbers([1.0, f64::NAN, 3.0])),
            ("c", Column::categories([Some("a"), None, Some("b")])),
            ("t", Column::timestamps([1, 2, 3])),
        ])
        .unwrap();
        let bytes = write::parquet_bytes(&table).unwrap();
        prop_assert!(Parquet::from_bytes(&bytes[..at.index(bytes.len())]).read().is_err());
    }
}

fn table(rows: usize) -> Table {
    let texts = ["a", "b", "x"];
    Table::of([
        ("n", Column::numbers((0..rows).map(|i| i as f64).collect::<Vec<_>>())),
        ("s", Column::texts((0..rows).map(|i| texts.get(i).copied()))),
    ])
    .unwrap()
}

/// The bytes of a table in every format, and the reader of that format.
type Read = fn(&[u8], Option<(&str, Kind)>) -> stagewise_core::Result<Loaded>;

fn formats(table: &Table) -> [(&'static str, Vec<u8>, Read); 4] {
    macro_rules! read {
        ($reader:ident) => {
            |bytes, asked| {
                let reader = $reader::from_bytes(bytes);
                match asked {
                    Some((column, kind)) => reader.kind(column, kind).read(),
                    None => reader.read(),
                }
            }
        };
    }
    let mut lines = String::new();
    for row in 0..table.rows() {
        let names = table.schema().names();
        let cells = names.iter().map(|name| match table.column(name).unwrap() {
            Column::Number(values) => format!("\"{name}\": {}", values[row]),
            Column::Text(values) => format!("\"{name}\": \"{}\"", values[row].as_deref().unwrap_or_default()),
            _ => format!("\"{name}\": null"),
        });
        lines += &format!("{{{}}}\n", cells.collect::<Vec<_>>().join(", "));
    }
    [
        ("csv", write::csv_bytes(table).unwrap(), read!(Csv)),
        ("ndjson", lines.into_bytes(), read!(Ndjson)),
        ("parquet", write::parquet_bytes(table).unwrap(), read!(Parquet)),
        ("ipc", write::ipc_bytes(table).unwrap(), read!(Ipc)),
    ]
}

#[test]
fn what_is_asked_for_and_not_there_is_named_with_row_and_column() {
    for (format, bytes, read) in formats(&table(3)) {
        assert_eq!(read(&bytes, None).unwrap().table.rows(), 3, "{format}");
        let error = read(&bytes, Some(("s", Kind::Number))).unwrap_err().to_string();
        assert!(error.starts_with("column `s` › row 0: `a` is not a number"), "{format}: {error}");
    }
}

#[test]
fn no_bytes_and_other_bytes_are_refused_with_their_line() {
    let read = formats(&table(3));
    for (format, _, read) in &read {
        for bytes in [&b""[..], b"a,b\nM\xFCller,1\n", b"\x89\x01\x02"] {
            let error = read(bytes, None).unwrap_err();
            let malformed = matches!(error.kind(), ErrorKind::Data(DataError::Malformed { .. }));
            assert!(malformed, "{format} {bytes:?}: {error}");
        }
    }
}

#[test]
fn files_cut_in_the_middle_are_refused_or_shorter() {
    for (format, bytes, read) in formats(&table(3)) {
        for end in 0..bytes.len() {
            // A text that ends with a whole line, or within its last number, is a text.
            match read(&bytes[..end], None) {
                Ok(loaded) => {
                    assert!(matches!(format, "csv" | "ndjson"), "{format} cut at {end}");
                    assert!(loaded.table.rows() <= 3);
                }
                Err(error) => {
                    let malformed = matches!(error.kind(), ErrorKind::Data(DataError::Malformed { .. }));
                    assert!(malformed, "{format} cut at {end}: {error}");
                }
            }
        }
    }
}

#[test]
fn no_rows_and_many_columns_are_a_table() {
    for (format, bytes, read) in formats(&table(0)).into_iter().filter(|(format, ..)| *format != "ndjson") {
        let loaded = read(&bytes, None).unwrap();
        assert_eq!((loaded.table.rows(), loaded.table.width()), (0, 2), "{format}");
    }
    let wide = (0..10_000).map(|i| (format!("c{i}"), Column::numbers([f64::from(i), 0.5])));
    let wide = Table::of(wide).unwrap();
    for (format, bytes, read) in formats(&wide) {
        let loaded = read(&bytes, None).unwrap();
        assert_eq!((loaded.table.rows(), loaded.table.width()), (2, 10_000), "{format}");
        assert_eq!(loaded.table.column("c9999").unwrap(), &Column::numbers([9999.0, 0.5]), "{format}");
    }
}
