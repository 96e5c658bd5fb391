//! Reads a table as `tables.py` writes it: `header.json`, `x.f32` (row after row) or `x.f64` (column after column),
//! `y.f32`. hessboost takes f32 rows, so that is what comes out; missing is NaN, a category is its code.

use std::path::Path;

use serde_json::Value;

pub struct Part {
    pub x: Vec<f32>,
    pub y: Vec<f32>,
}

pub struct Table {
    pub columns: usize,
    pub categorical: Vec<bool>,
    pub train: Part,
    pub test: Part,
}

/// `name` is a folder, or a folder, a dash and the number of training rows: `adult`, `higgs-100000`.
pub fn read(cache: &Path, name: &str) -> Table {
    let (folder, limit) = name.split_once('-').map_or((name, None), |(f, n)| (f, Some(n.parse().expect("rows"))));
    let folder = cache.join(folder);
    let header = std::fs::read_to_string(folder.join("header.json")).expect("header.json");
    let header: Value = serde_json::from_str(&header).expect("header.json is JSON");
    let fields = header["columns"].as_array().expect("columns");
    let columns = fields.len();
    let rows = header["rows"].as_u64().expect("rows") as usize;
    let first_test = header["train_rows"].as_u64().expect("train_rows") as usize;
    let train_rows = limit.unwrap_or(first_test);
    assert!(train_rows <= first_test, "{name}: only {first_test} training rows");

    let by_row = header["layout"] == "row-major f32";
    let x: Vec<f32> = if by_row { numbers(&folder.join("x.f32"), f32::from_le_bytes) } else { Vec::new() };
    let wide: Vec<f64> = if by_row { Vec::new() } else { numbers(&folder.join("x.f64"), f64::from_le_bytes) };
    let y: Vec<f32> = numbers(&folder.join("y.f32"), f32::from_le_bytes);
    let part = |range: std::ops::Range<usize>| Part {
        x: match by_row {
            true => x[range.start * columns..range.end * columns].to_vec(),
            false => range
                .clone()
                .flat_map(|r| (0..columns).map(move |c| (r, c)))
                .map(|(r, c)| wide[c * rows + r] as f32)
                .collect(),
        },
        y: y[range].to_vec(),
    };
    Table {
        columns,
        categorical: fields.iter().map(|f| f["kind"] == "category").collect(),
        train: part(0..train_rows),
        test: part(first_test..rows),
    }
}

fn numbers<const BYTES: usize, T>(path: &Path, from_bytes: fn([u8; BYTES]) -> T) -> Vec<T> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    bytes.as_chunks::<BYTES>().0.iter().map(|b| from_bytes(*b)).collect()
}
