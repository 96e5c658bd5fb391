//! An excerpt is what the reader of whole files gives of the same rows and columns, however it is cut into pieces.

use std::path::PathBuf;

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, ParquetWriter, Series};
use proptest::prelude::*;
use stagewise_core::column::Column;
use stagewise_core::schema::MissingTokens;
use stagewise_core::table::Table;
use stagewise_testkit::data;

use super::*;
use crate::frame::to_frame;
use crate::write;

/// Numbers with gaps, codes, levels, flags, free text with quotes and newlines, times.
fn table(rows: usize) -> Table {
    let place = |row: usize| row.wrapping_mul(2_654_435_761) >> 7;
    let day = |row: usize| 86_400_000_000 * (19_000 + (place(row) % 400) as i64);
    let text: Vec<String> = (0..rows).map(|row| format!("say \"{}\",\nthen {row}", place(row))).collect();
    Table::of([
        (
            "x",
            Column::numbers(
                (0..rows)
                    .map(|r| if r % 7 == 3 { f64::NAN } else { (place(r) % 1000) as f64 / 8.0 })
                    .collect::<Vec<_>>(),
            ),
        ),
        ("shop", Column::categories((0..rows).map(|r| (r % 11 != 5).then(|| ["a", "b", "c d"][place(r) % 3])))),
        ("open", Column::flags((0..rows).map(|r| (r % 13 != 1).then_some(place(r) % 2 == 0)).collect::<Vec<_>>())),
        ("said", Column::texts(text.iter().map(|text| Some(text.as_str())))),
        ("day", Column::timestamps((0..rows).map(day).collect::<Vec<_>>())),
    ])
    .unwrap()
}

/// A Parquet file with so many rows in a row group.
fn grouped(table: &Table, size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).with_row_group_size(Some(size)).finish(&mut to_frame(table).unwrap()).unwrap();
    bytes
}

#[track_caller]
fn same(found: &Loaded, expected: &Loaded) {
    assert_eq!(found.table, expected.table);
    assert_eq!(found.decisions, expected.decisions);
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("stagewise-excerpt-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn all_rows_are_what_the_whole_file_gives() {
    let table = table(500);
    let csv = Csv::from_bytes(write::csv_bytes(&table).unwrap());
    let whole = csv.read().unwrap();
    for block in [1, 100, 4096, BLOCK] {
        same(&Excerpt::from(csv.clone()).block(block).read().unwrap(), &whole);
    }
    for size in [1, 37, 1000] {
        let parquet = Parquet::from_bytes(grouped(&table, size));
        same(&Excerpt::from(parquet.clone()).read().unwrap(), &parquet.read().unwrap());
    }
}

#[test]
fn rows_and_columns_are_decided_on_as_if_they_were_the_file() {
    let table = table(500);
    let rows: Vec<usize> = (0..500)
        .filter(|&row| {
            let x = table.column("x").unwrap().as_numbers().unwrap()[row];
            let (codes, levels) = table.column("shop").unwrap().as_categories().unwrap();
            let Column::Timestamp(days) = table.column("day").unwrap() else { unreachable!() };
            let within = (19_100..19_300).contains(&(days[row] / 86_400_000_000));
            levels.name(codes[row]).is_some_and(|shop| ["a", "c d"].contains(&&**shop))
                && (20.0..=90.0).contains(&x)
                && within
        })
        .collect();
    assert!(rows.len() > 20 && rows.len() < 200, "{}", rows.len());
    let kept = table.take(&rows).select(&[0, 2, 3]).unwrap();
    let of = |excerpt: Excerpt| {
        excerpt
            .columns(["said", "open", "x"])
            .keep("shop", Condition::any_of(["a", "c d"]))
            .keep("x", Condition::between(20.0, 90.0))
            // 19,100 and 19,300 days after 1970-01-01.
            .keep("day", Condition::since("2022-04-18"))
            .keep("day", Condition::before("2022-11-04 00:00"))
            .read()
            .unwrap()
    };
    let csv = Csv::from_bytes(write::csv_bytes(&table).unwrap());
    let expected = Csv::from_bytes(write::csv_bytes(&kept).unwrap()).read().unwrap();
    for block in [64, 5000] {
        let found = of(Excerpt::from(csv.clone()).block(block));
        same(&found, &expected);
        assert_eq!(found.notes.last().unwrap(), &format!("kept {} of 500 rows", rows.len()));
    }
    let expected = Parquet::from_bytes(write::parquet_bytes(&kept).unwrap()).read().unwrap();
    same(&of(Parquet::from_bytes(grouped(&table, 60)).into()), &expected);
}

#[test]
fn values_of_every_kind_meet_conditions() {
    let table = table(200);
    let parquet = || Excerpt::from(Parquet::from_bytes(grouped(&table, 50)));
    let rows = |excerpt: Excerpt| excerpt.read().unwrap().table.rows();
    let count = |of: &dyn Fn(usize) -> bool| (0..200).filter(|&row| of(row)).count();
    let x = table.column("x").unwrap().as_numbers().unwrap();
    let open = table.column("open").unwrap();
    let yes = stagewise_core::record::Cell::Flag(true);
    assert_eq!(rows(parquet().keep("x", Condition::present())), count(&|row| !x[row].is_nan()));
    let eighth = count(&|row| x[row] == x[0]);
    assert_eq!(rows(parquet().keep("x", Condition::equal(format!("{:.3}", x[0])))), eighth);
    assert_eq!(rows(parquet().keep("open", Condition::equal("true"))), count(&|row| open.cell(row) == yes));
    assert_eq!(rows(parquet().keep("said", Condition::present())), 200);
    assert_eq!(rows(parquet().keep("x", Condition::equal("none of these"))), 0);
    let refused = |excerpt: Excerpt| excerpt.read().unwrap_err().to_string();
    let error = refused(parquet().keep("open", Condition::between(0.0, 1.0)));
    assert_eq!(error, "column `open`: is a flag, a number is needed");
    let error = refused(parquet().keep("x", Condition::since("2024-01-01")));
    assert_eq!(error, "column `x`: is a number, a timestamp is needed");
    let error = refused(parquet().keep("x", Condition::before("soon")));
    assert!(error.starts_with("column `x`: `before` is `soon`, allowed is a point in time"), "{error}");
    assert!(refused(parquet().keep("x", Condition::between(2.0, 1.0))).contains("`between` is 2 to 1"));
    assert!(refused(parquet().keep("x", Condition::between(f64::NAN, 1.0))).contains("`between`"));
    assert!(refused(parquet().keep("x", Condition::any_of(Vec::<String>::new()))).contains("`any_of`"));
    let error = refused(parquet().keep("shopp", Condition::present()));
    assert_eq!(error, "there is no column `shopp`; did you mean `shop`?");
}

#[test]
fn a_sample_hangs_on_seed_and_row_alone() {
    let table = table(3000);
    let ids = |loaded: Loaded| loaded.table.column("said").unwrap().clone();
    let csv = Csv::from_bytes(write::csv_bytes(&table).unwrap());
    let few = |excerpt: Excerpt| ids(excerpt.sample(50, 3).read().unwrap());
    let expected = few(csv.clone().into());
    assert_eq!(expected.len(), 50);
    assert_eq!(few(Excerpt::from(csv.clone()).block(777)), expected);
    assert_eq!(few(Excerpt::from(csv.clone()).columns(["said"])), expected);
    assert_eq!(few(Parquet::from_bytes(grouped(&table, 97)).into()), expected);
    let other = ids(Excerpt::from(csv.clone()).sample(50, 4).read().unwrap());
    assert_ne!(other, expected);
    // In the order of the file, and the first of a sample are of that sample.
    let first = ids(Excerpt::from(csv.clone()).sample(50, 3).first(20).read().unwrap());
    assert_eq!(first, expected.take(&(0..20).collect::<Vec<_>>()));
    assert_eq!(Excerpt::from(csv.clone()).sample(9999, 3).read().unwrap().table.rows(), 3000);
    // 0.1 of 3,000: the standard deviation is 16.
    let share = |share: f64| Excerpt::from(csv.clone()).share(share, 3).read().unwrap().table;
    let (small, large) = (share(0.1), share(0.3));
    assert!((230..370).contains(&small.rows()), "{}", small.rows());
    let texts = |table: &Table| match table.column("said").unwrap() {
        Column::Text(texts) => texts.iter().flatten().map(ToString::to_string).collect::<Vec<_>>(),
        _ => unreachable!(),
    };
    let large = texts(&large);
    assert!(texts(&small).iter().all(|text| large.contains(text)));
    assert_eq!(share(1.0).rows(), 3000);
}

#[test]
fn every_row_is_drawn_as_often_as_another() {
    let text: String = (0..40).map(|row| format!("{row}\n")).collect();
    let mut drawn = [0_u32; 40];
    for seed in 0..2000 {
        let csv = Csv::from_bytes(format!("x\n{text}"));
        let loaded = Excerpt::from(csv).sample(10, seed).read().unwrap();
        loaded.table.column("x").unwrap().as_numbers().unwrap().iter().for_each(|&x| drawn[x as usize] += 1);
    }
    // Binomial (2000, 1/4): mean 500, standard deviation 19.4.
    assert!(drawn.iter().all(|n| (410..590).contains(n)), "{drawn:?}");
}

#[test]
fn a_large_sample_is_thinned_on_the_way() {
    let rows = 3 * 4096 + 5000;
    let text: String = (0..rows).map(|row| format!("{row},{}\n", row % 3)).collect();
    let csv = Csv::from_bytes(format!("x,y\n{text}"));
    let loaded = Excerpt::from(csv).block(2000).sample(100, 8).read().unwrap();
    let found = loaded.table.column("x").unwrap().as_numbers().unwrap();
    let start = stagewise_numeric::random::Stream::new(8, "excerpt").next_u64();
    let mut numbers: Vec<(u64, usize)> =
        (0..rows).map(|row| (stagewise_numeric::random::nth(start, row as u64), row)).collect();
    numbers.sort_unstable();
    let mut expected: Vec<f64> = numbers[..100].iter().map(|&(_, row)| row as f64).collect();
    expected.sort_by(f64::total_cmp);
    assert_eq!(found, expected);
    assert_eq!(loaded.notes.last().unwrap(), &format!("kept 100 of {rows} rows"));
}

#[test]
fn the_first_rows_end_the_reading() {
    let csv = Csv::from_bytes(format!("x,y\n1,a\n2,b\n3,a\n{}5\n", "4,a\n".repeat(30)));
    let of = |excerpt: Excerpt| excerpt.block(4).keep("y", Condition::equal("a"));
    let loaded = of(csv.clone().into()).first(2).read().unwrap();
    assert_eq!(loaded.table.column("x").unwrap(), &Column::numbers([1.0, 3.0]));
    assert_eq!(loaded.notes.last().unwrap(), "kept 2 of 3 rows, where reading ended");
    let error = of(csv.into()).read().unwrap_err().to_string();
    assert!(error.starts_with("line 35: the header has 2 fields, this line 1 field"), "{error}");
}

#[test]
fn files_are_put_together_and_folders_passed_over() {
    let folder = folder("many");
    for (path, text) in [
        ("year=2023/a.csv", "x,plan\n1,a\n2,b\n"),
        ("year=2023/b.csv", "plan;x\nb;3\na;4\n"),
        ("year=2024/a.csv", "x,plan\n5,a\nsix,a\n"),
    ] {
        std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        std::fs::write(folder.join(path), text).unwrap();
    }
    let pattern = folder.join("year=*/*.csv");
    let mut whole = Csv::new(&pattern).read_all().unwrap();
    let found = Excerpt::csv(&pattern).block(3).read().unwrap();
    same(&found, &whole);
    assert_eq!(found.files, whole.files);
    assert_eq!(found.notes.iter().filter(|note| note.contains("fields are separated")).count(), 3);
    let found = Excerpt::csv(&pattern).columns(["x"]).keep("plan", Condition::equal("a")).read().unwrap();
    assert_eq!(found.table.schema().names(), ["x"]);
    assert_eq!(found.decisions.len(), 1);
    assert_eq!(found.files.iter().map(|file| file.rows.clone()).collect::<Vec<_>>(), [0..1, 1..2, 2..4]);
    // Without 2024 the column holds numbers alone.
    std::fs::remove_file(folder.join("year=2024/a.csv")).unwrap();
    whole = Csv::new(&pattern).read_all().unwrap();
    std::fs::write(folder.join("year=2024/a.csv"), format!("x,plan\n{}7\n", "six,a\n".repeat(20))).unwrap();
    assert!(Excerpt::csv(&pattern).block(1).read().is_err());
    let found = Excerpt::csv(&pattern).block(1).keep("year", Condition::equal("2023")).read().unwrap();
    same(&found, &whole);
    assert!(found.notes.last().unwrap() == "kept 4 of 4 rows");
    let found = Excerpt::csv(&pattern).first(3).columns(["plan", "year"]).read().unwrap();
    assert_eq!((found.table.rows(), found.files.len(), found.table.width()), (3, 2, 2));
    std::fs::write(folder.join("year=2024/a.csv"), "x,plans\n5,a\n").unwrap();
    let error = Excerpt::csv(&pattern).read().unwrap_err().to_string();
    assert!(error.ends_with("line 1: has a column `plans`, which the first file has not; make their columns agree"));
    assert!(Excerpt::csv(folder.join("no*.csv")).read().unwrap_err().to_string().contains("matches the pattern"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn parquet_files_on_disk_are_read_by_row_group() {
    let folder = folder("parquet");
    let (first, second) = (table(150), table(90));
    std::fs::write(folder.join("a.parquet"), grouped(&first, 40)).unwrap();
    std::fs::write(folder.join("b.parquet"), grouped(&second, 17)).unwrap();
    let pattern = folder.join("*.parquet");
    let whole = Parquet::new(&pattern).read_all().unwrap();
    let found = Excerpt::parquet(&pattern).read().unwrap();
    same(&found, &whole);
    assert_eq!(found.files, whole.files);
    let few = Excerpt::parquet(&pattern).columns(["x"]).sample(30, 1).read().unwrap();
    assert_eq!((few.table.rows(), few.table.width()), (30, 1));
    let error = Excerpt::from(Parquet::new(&pattern).memory(100)).read().unwrap_err().to_string();
    assert!(error.contains("the limit is 100: see `Parquet::memory`"), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn columns_of_no_kind_are_left_out_and_take_no_condition() {
    let lists: Vec<Series> = (0..6).map(|i| Series::new("".into(), [i, i])).collect();
    let columns = [Series::new("x".into(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), Series::new("l".into(), lists)];
    let mut frame = DataFrame::new(6, columns.map(IntoColumn::into_column).to_vec()).unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).with_row_group_size(Some(4)).finish(&mut frame).unwrap();
    let parquet = Parquet::from_bytes(bytes);
    same(&Excerpt::from(parquet.clone()).read().unwrap(), &parquet.read().unwrap());
    let one = Excerpt::from(parquet.clone()).keep("x", Condition::between(4.0, 5.0)).read().unwrap();
    assert_eq!(one.table.columns(), [Column::numbers([4.0, 5.0])]);
    let error = Excerpt::from(parquet).keep("l", Condition::present()).read().unwrap_err().to_string();
    assert!(error.starts_with("column `l`: line 1: holds values of type list"), "{error}");
}

#[test]
fn what_is_said_to_the_reader_holds() {
    let csv = Csv::from_bytes("zip;x;x\n04109;-9;1\n00501;3;2\n").missing(MissingTokens::new(["-9"]));
    let csv = csv.kind("zip", Kind::Number).kind("x", Kind::Number);
    same(&Excerpt::from(csv.clone()).read().unwrap(), &csv.read().unwrap());
    let found = Excerpt::from(csv).columns(["x_2", "x"]).keep("x", Condition::present()).read().unwrap();
    assert_eq!(found.table.columns(), [Column::numbers([3.0]), Column::numbers([2.0])]);
    assert!(found.decision("x_2").unwrap().notice.as_ref().unwrap().contains("more than once"));
    let bare = Csv::from_bytes("1,2\n3,4\n").header(false);
    same(&Excerpt::from(bare.clone()).block(1).read().unwrap(), &bare.read().unwrap());
}

#[test]
fn files_without_rows_and_rows_without_values_are_read() {
    for text in ["a,b\n", "a\n\n\n", "a,b\n,\n", "a\n\nx\n\n", "\n\na,b\n1,2", "a", "\u{feff}a,b\r\n1,2\r\n"] {
        let csv = Csv::from_bytes(text);
        let whole = csv.read().unwrap();
        let found = Excerpt::from(csv).block(1).read().unwrap();
        same(&found, &whole);
        assert_eq!(found.notes[..found.notes.len() - 1], whole.notes, "{text:?}");
    }
    let none = Excerpt::from(Parquet::from_bytes(grouped(&table(20), 7))).keep("shop", Condition::equal("z"));
    let none = none.read().unwrap();
    assert_eq!((none.table.rows(), none.table.width()), (0, 5));
    let empty = Parquet::from_bytes(write::parquet_bytes(&table(0)).unwrap());
    same(&Excerpt::from(empty.clone()).read().unwrap(), &empty.read().unwrap());
}

#[test]
fn setters_out_of_range_are_refused() {
    let refused = |excerpt: Excerpt| excerpt.read().unwrap_err().to_string();
    let csv = || Excerpt::from(Csv::from_bytes("x,y\n1,2\n"));
    assert_eq!(refused(csv().sample(0, 1)), "`sample` is 0, allowed is at least 1");
    assert!(refused(csv().share(0.0, 1)).contains("above 0 and at most 1"));
    assert!(refused(csv().share(f64::NAN, 1)).contains("`share` is NaN"));
    assert_eq!(refused(csv().first(0)), "`first` is 0, allowed is at least 1");
    assert_eq!(refused(csv().block(0)), "`block` is 0, allowed is at least 1");
    assert_eq!(refused(csv().columns(Vec::<String>::new())), "`columns` is none, allowed is at least one");
    assert_eq!(refused(csv().columns(["z"])), "there is no column `z`");
    assert!(refused(Excerpt::from(Csv::from_bytes("x\n1").delimiter(b'\n'))).contains("`delimiter`"));
    assert!(refused(Excerpt::csv("no/such.csv")).starts_with("`no/such.csv`: "));
}

#[test]
fn bytes_that_are_no_such_file_are_refused() {
    for bytes in [&b""[..], b"PAR1", b"a,b\n1,2\n", b"PAR1\x01\x02\x03\x04\xff\xff\xff\x7fPAR1"] {
        let error = Excerpt::from(Parquet::from_bytes(bytes)).read().unwrap_err().to_string();
        assert!(error.starts_with("line 1: this is no readable Parquet file"), "{error}");
    }
    let refused = |bytes: &[u8]| Excerpt::from(Csv::from_bytes(bytes)).block(5).read().unwrap_err().to_string();
    assert_eq!(refused(b""), "line 1: the file is empty; it needs a header line and rows");
    assert_eq!(refused(b" \n\r\n"), "line 1: the file is empty; it needs a header line and rows");
    assert!(refused(b"\xFF\xFEa\0").contains("UTF-16"));
    let mut late = "a,b\n1,2\n".repeat(20).into_bytes();
    late.extend(b"M\xFCller,1\n");
    assert!(refused(&late).starts_with("line 41: byte 161 (0xFC) is not UTF-8"), "{}", refused(&late));
}

#[test]
fn a_quote_that_is_never_closed_ends_at_the_longest_record() {
    let mut bytes = b"a,b\n1,2\n\"".to_vec();
    bytes.resize(bytes.len() + (65 << 20), b'x');
    let error = Excerpt::from(Csv::from_bytes(bytes)).read().unwrap_err().to_string();
    assert!(error.starts_with("line 3: a record of more than 64 MiB begins here"), "{error}");
}

/// An allocation that fails ends the process, so this test would not come to its end.
#[test]
fn damaged_parquet_never_ends_the_program() {
    let mut bytes = grouped(&table(9), 4);
    let read = |bytes: &[u8]| Excerpt::from(Parquet::from_bytes(bytes).memory(1 << 20)).read();
    assert!(read(&bytes).is_ok());
    for end in (0..bytes.len()).step_by(7) {
        assert!(read(&bytes[..end]).is_err(), "cut at {end}");
    }
    let mut refused = 0_usize;
    for at in 0..bytes.len() {
        let kept = bytes[at];
        for change in [0x01, 0xFF] {
            bytes[at] = kept ^ change;
            refused += usize::from(read(&bytes).is_err());
        }
        bytes[at] = kept;
    }
    assert!(refused > bytes.len() / 2, "{refused} of {}", 2 * bytes.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn messy_text_means_the_same_in_pieces(
        pieces in prop::collection::vec(prop::sample::select(vec![
            ",", ";", "\"", "\"\"", "\n", "\r\n", "\r", " ", "a", "b c", "1", "-2.5", "?", "é", "yes", "2024-01-31", "x\"y",
        ]), 0..60),
        block in 1_usize..90,
        header: bool,
    ) {
        // The first piece has 64 bytes at least.
        let text = format!("{}{}", "a,b\n\"1,\n2\",3\n".repeat(if block % 2 == 0 { 6 } else { 0 }), pieces.concat());
        let csv = Csv::from_bytes(&text).header(header);
        match (csv.read(), Excerpt::from(csv).block(block).read()) {
            (Ok(whole), Ok(found)) => {
                same(&found, &whole);
                prop_assert_eq!(&found.notes[..found.notes.len() - 1], &whole.notes[..]);
            }
            (whole, found) => prop_assert_eq!(whole.unwrap_err().to_string(), found.unwrap_err().to_string()),
        }
    }
}

#[test]
fn the_mixed_table_of_the_testkit_is_read_alike() {
    let csv = Csv::from_bytes(write::csv_bytes(&data::mixed(400, 3)).unwrap());
    let found = Excerpt::from(csv.clone()).block(300).read().unwrap();
    same(&found, &csv.read().unwrap());
}
