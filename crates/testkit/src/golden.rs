//! Numbers computed by other programs, from `tests/golden/*.json`. Each file names its source, script and tolerance.

use std::path::PathBuf;

use serde_json::Value;

/// A file of golden values.
#[derive(Debug)]
pub struct Golden {
    /// The program that computed them, with its version.
    pub source: String,
    /// What was computed.
    pub cases: Vec<Case>,
    absolute: f64,
    relative: f64,
    file: String,
}

/// One case of a file.
#[derive(Debug)]
pub struct Case {
    /// The name of the case.
    pub name: String,
    value: Value,
}

/// Loads `tests/golden/<file>`.
///
/// # Panics
/// If the file is not there or not of the form that `tests/golden/README.md` describes.
pub fn load(file: &str) -> Golden {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
    let number = |pointer: &str| value.pointer(pointer).and_then(Value::as_f64).unwrap_or(0.0);
    let cases = value["cases"].as_array().unwrap_or_else(|| panic!("{file} has no cases"));
    Golden {
        source: value["source"].as_str().unwrap_or("a source it does not name").to_string(),
        absolute: number("/tolerance/absolute"),
        relative: number("/tolerance/relative"),
        cases: cases
            .iter()
            .map(|case| Case { name: case["name"].as_str().unwrap_or("?").to_string(), value: case.clone() })
            .collect(),
        file: file.to_string(),
    }
}

impl Golden {
    /// Checks a number within the file's tolerance: `|found − expected| ≤ max(absolute, relative · |expected|)`.
    ///
    /// # Panics
    /// If it is further off; the message names the source.
    pub fn assert_close(&self, found: f64, expected: f64, what: &str) {
        let allowed = self.absolute.max(self.relative * expected.abs());
        let equal = found == expected || (found.is_nan() && expected.is_nan()) || (found - expected).abs() <= allowed;
        assert!(equal, "{}: {what}: found {found:?}, {} says {expected:?} (± {allowed:e})", self.file, self.source);
    }

    /// Checks numbers one by one.
    ///
    /// # Panics
    /// As [`assert_close`](Self::assert_close), or if there are not as many.
    pub fn assert_all_close(&self, found: &[f64], expected: &[f64], what: &str) {
        assert_eq!(found.len(), expected.len(), "{}: {what}: how many", self.file);
        for (i, (f, e)) in found.iter().zip(expected).enumerate() {
            self.assert_close(*f, *e, &format!("{what}[{i}]"));
        }
    }
}

impl Case {
    /// What stands at a JSON pointer of the case, for example `/input/truth`.
    ///
    /// # Panics
    /// If nothing stands there.
    pub fn value(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or_else(|| panic!("case `{}` has no {pointer}", self.name))
    }

    /// A number; `null` is NaN.
    ///
    /// # Panics
    /// If something else stands there.
    pub fn number(&self, pointer: &str) -> f64 {
        number(self.value(pointer))
    }

    /// A list of numbers; `null` in it is NaN.
    ///
    /// # Panics
    /// If something else stands there.
    pub fn numbers(&self, pointer: &str) -> Vec<f64> {
        numbers(self.value(pointer))
    }

    /// A list of numbers, or `None` for `null` or nothing.
    ///
    /// # Panics
    /// If something else stands there.
    pub fn optional_numbers(&self, pointer: &str) -> Option<Vec<f64>> {
        self.value.pointer(pointer).filter(|v| !v.is_null()).map(numbers)
    }

    /// A list of lists of numbers.
    ///
    /// # Panics
    /// If something else stands there.
    pub fn matrix(&self, pointer: &str) -> Vec<Vec<f64>> {
        list(self.value(pointer)).iter().map(numbers).collect()
    }
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("a list is needed, {value} found"))
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Null => f64::NAN,
        Value::Bool(b) => f64::from(u8::from(*b)),
        other => other.as_f64().unwrap_or_else(|| panic!("a number is needed, {other} found")),
    }
}
