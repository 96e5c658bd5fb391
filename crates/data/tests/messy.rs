//! Files as they come: whatever the bytes, a reader answers with a table or an error.

use proptest::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::schema::{Kind, MissingTokens};
use stagewise_core::table::Table;
use stagewise_data::{Csv, Ndjson, Parquet, Profile, detect_task, write};

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
