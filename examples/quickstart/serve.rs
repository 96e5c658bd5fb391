//! Deploys what the gate approved, asks it for some rows over HTTP, and compares what comes back.

use std::path::Path;

use stagewise::core::error::Error;
use stagewise::prelude::*;

use crate::http;

const ROWS: usize = 5;

/// Saves the artifact, loads it, serves it on a free port of this machine: are the answers those in process, bit for bit?
pub(crate) fn deploy<T: Task>(
    fitted: &FittedPipeline<T>,
    approved: Approved,
    evaluation: &Evaluation<T>,
    path: &Path,
) -> Result<bool> {
    let features = evaluation.data.features();
    Artifact::package(fitted.clone(), approved, features)?.write(path)?;
    let server = Server::new(Artifact::<T>::read(path, &stagewise::registry())?).address("127.0.0.1:0").start()?;

    let rows = ROWS.min(features.rows());
    let records: Vec<_> = (0..rows).map(|row| record(features, row)).collect();
    let body = serde_json::json!({ "records": records }).to_string();
    let answer = http::post(server.address(), "/predict", &body).map_err(|e| Error::io("/predict", e))?;
    println!("POST http://{}/predict\n{body}\n{answer}\n", server.address());
    server.stop()?;

    // Numbers are written in the shortest form that reads back as the same bits, so equal text is equal bits.
    let answer: serde_json::Value = serde_json::from_str(&answer).map_err(Error::external)?;
    let expected: Vec<_> = (0..rows).map(|row| fitted.describe(&T::row(&evaluation.output, row))).collect();
    Ok(answer["predictions"] == serde_json::to_value(expected).map_err(Error::external)?)
}

/// A row as a client would send it: by name, with nulls and strings.
fn record(table: &Table, row: usize) -> serde_json::Map<String, serde_json::Value> {
    let value = |column: &Column| match column.cell(row) {
        Cell::Number(x) => x.into(),
        Cell::Flag(b) => b.into(),
        Cell::Level(code) => column.as_categories().ok().and_then(|(_, l)| l.name(code)).map(|n| &**n).into(),
        _ => serde_json::Value::Null,
    };
    table.schema().names().into_iter().zip(table.columns().iter().map(value)).collect()
}
