//! Reads a table as `tables.py` writes it: `header.json`, `x.f32` (row after row) or `x.f64` (column after column),
//! `y.f32`. Missing is NaN, a category is its code.

use std::ops::Range;
use std::path::Path;

use serde_json::Value;
use stagewise_core::column::{Column, MISSING_CODE};
use stagewise_core::matrix::{Design, Features};
use stagewise_core::schema::Levels;
use stagewise_core::table::Table;
use stagewise_core::target::BinaryTarget;
use stagewise_core::task::{Binary, BinaryLabels};

pub struct Tables {
    pub train: Design<Binary>,
    pub test: Table,
    pub truth: Vec<f32>,
}

/// `name` is a folder, or a folder, a dash and the number of training rows: `adult`, `higgs-100000`.
pub fn read(cache: &Path, name: &str) -> Tables {
    let (folder, limit) = name.split_once('-').map_or((name, None), |(f, n)| (f, Some(n.parse().expect("rows"))));
    let folder = cache.join(folder);
    let header = std::fs::read_to_string(folder.join("header.json")).expect("header.json");
    let header: Value = serde_json::from_str(&header).expect("header.json is JSON");
    let fields = header["columns"].as_array().expect("columns");
    let (rows, width) = (header["rows"].as_u64().expect("rows") as usize, fields.len());
    let first_test = header["train_rows"].as_u64().expect("train_rows") as usize;
    let train_rows: usize = limit.unwrap_or(first_test);
    assert!(train_rows <= first_test, "{name}: only {first_test} training rows");
    let y: Vec<f32> = numbers(&folder.join("y.f32"), f32::from_le_bytes);
    let parts = [0..train_rows, first_test..rows];
    let [train, test] = if header["layout"] == "row-major f32" {
        let x: Vec<f32> = numbers(&folder.join("x.f32"), f32::from_le_bytes);
        parts.clone().map(|part| table(fields, part, |row, column| f64::from(x[row * width + column])))
    } else {
        let x: Vec<f64> = numbers(&folder.join("x.f64"), f64::from_le_bytes);
        parts.clone().map(|part| table(fields, part, |row, column| x[column * rows + row]))
    };
    let events: Vec<bool> = y[..train_rows].iter().map(|&y| y > 0.5).collect();
    let labels = BinaryLabels { event: "1".into(), other: "0".into() };
    let features = Features::new(train).expect("numbers and categories");
    Tables { train: Design::new(features, BinaryTarget::new(events), labels), test, truth: y[first_test..].to_vec() }
}

fn table(fields: &[Value], rows: Range<usize>, cell: impl Fn(usize, usize) -> f64) -> Table {
    let columns = fields.iter().enumerate().map(|(j, field)| {
        let values = rows.clone().map(|row| cell(row, j));
        let column = match field["levels"].as_array() {
            Some(names) if field["kind"] == "category" => Column::Category {
                codes: std::sync::Arc::new(
                    values.map(|x| if x.is_nan() { MISSING_CODE } else { x as u32 }).collect::<Vec<u32>>(),
                ),
                levels: std::sync::Arc::new(Levels::new(
                    names.iter().map(|n| n.as_str().expect("a level").to_string()),
                )),
            },
            _ => Column::numbers(values.collect::<Vec<f64>>()),
        };
        (field["name"].as_str().expect("a name").to_string(), column)
    });
    Table::of(columns.collect::<Vec<_>>()).expect("columns of one length")
}

fn numbers<const BYTES: usize, T>(path: &Path, from_bytes: fn([u8; BYTES]) -> T) -> Vec<T> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    bytes.as_chunks::<BYTES>().0.iter().map(|b| from_bytes(*b)).collect()
}
