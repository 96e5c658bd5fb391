//! How each expectation is judged: which rows do not keep to it, of how many, and what to show.

use std::collections::BTreeSet;

use regex::Regex;
use stagewise_core::column::{Column, MISSING_TIME};
use stagewise_core::error::{At, Crumb, DataError, Result, SchemaError};
use stagewise_core::exhibit::number;
use stagewise_core::schema::Kind;
use stagewise_core::table::Table;
use stagewise_numeric::sum::exact_sum_by;

use super::{Condition, Expectation, Judged, Rule};
use crate::check::finding::{Sample, names_text, samples, shown};
use crate::leak::{MISSING_LEVEL, levels};
use crate::loaded::cell_text;

/// What was found: rows that fail of those that are judged, what to say, and the column to show rows of.
struct Found<'a> {
    failed: Vec<usize>,
    judged: Vec<usize>,
    observed: String,
    column: Option<&'a Column>,
}

/// How much rows count for shares; all alike if absent.
pub(super) type Weights<'a> = Option<&'a [f64]>;

pub(super) fn judge(expectation: &Expectation, table: &Table, weights: Weights<'_>) -> Result<Judged> {
    let Expectation { rule, mostly, warn } = expectation;
    let whole = |good: bool, observed: String| (f64::from(u8::from(good)), observed, 0, Vec::new());
    let (share, observed, failed_rows, samples) = match rule {
        Rule::Sum { column, least, most } => match numbers(table, column) {
            Ok(values) => {
                let sum = exact_sum_by(values.len(), |i| if values[i].is_nan() { 0.0 } else { values[i] });
                whole((*least..=*most).contains(&sum), number(sum))
            }
            Err(observed) => whole(false, observed),
        },
        Rule::Fresh { column, now, within } => match latest(table, column) {
            Ok(Some(latest)) => {
                let age = i128::from(*now) - i128::from(latest);
                let good = age >= 0 && age as u128 <= within.as_micros();
                whole(good, format!("latest is {}, {}", crate::write::timestamp(latest), age_text(age)))
            }
            Ok(None) => whole(false, "no time at all".into()),
            Err(observed) => whole(false, observed),
        },
        Rule::Rows { least, most } => {
            let rows = table.rows() as u64;
            whole((*least..=*most).contains(&rows), crate::kind::rows(table.rows()))
        }
        Rule::Columns { names } => {
            let gone: Vec<&String> = names.iter().filter(|name| table.schema().position(name).is_none()).collect();
            let observed = if gone.is_empty() { "all there".into() } else { format!("without {}", names_text(&gone)) };
            whole(gone.is_empty(), observed)
        }
        _ => match by_row(rule, table)? {
            Ok(found) => {
                let share = 1.0 - share(&found.failed, &found.judged, weights);
                let shown = found
                    .column
                    .map_or_else(|| rows_shown(table, &found.failed), |column| samples(column, &found.failed));
                (share, found.observed, found.failed.len() as u64, shown)
            }
            Err(observed) => whole(false, observed),
        },
    };
    // A row more or less of a share that is not a binary fraction must not hang on rounding.
    const SLACK: f64 = 1e-12;
    let condition = if share + SLACK >= *mostly {
        Condition::Pass
    } else if share + SLACK >= *warn {
        Condition::Warn
    } else {
        Condition::Fail
    };
    Ok(Judged { name: expectation.name(), observed, share, mostly: *mostly, condition, failed_rows, samples })
}

/// The share of some rows among others that hold them, 0 where these are none or weigh nothing.
fn share(some: &[usize], all: &[usize], weights: Weights<'_>) -> f64 {
    let Some(weights) = weights else {
        return if all.is_empty() { 0.0 } else { some.len() as f64 / all.len() as f64 };
    };
    // As shares of the largest, so that no sum is beyond the range of numbers.
    let largest = all.iter().map(|&row| weights[row]).fold(0.0, f64::max);
    let weigh = |rows: &[usize]| exact_sum_by(rows.len(), |i| weights[rows[i]] / largest);
    if largest > 0.0 { weigh(some) / weigh(all) } else { 0.0 }
}

/// The weights in a column, which must be numbers that are finite and not negative.
pub(super) fn weights<'a>(table: &'a Table, column: &str) -> Result<&'a [f64]> {
    let weights = table.column(column)?.as_numbers().at(|| Crumb::column(column))?;
    match weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        None => Ok(weights),
        Some(row) => Err(DataError::BadWeight { row, value: weights[row] }).at(|| Crumb::column(column)),
    }
}

/// The rules about rows. The inner error is what is wrong with the table, for people: it fails the expectation.
fn by_row<'a>(rule: &Rule, table: &'a Table) -> Result<Result<Found<'a>, String>> {
    if let Rule::Custom(custom) = rule {
        let mut failed = (custom.test)(table)?;
        failed.sort_unstable();
        failed.dedup();
        if let Some(&row) = failed.last().filter(|&&row| row >= table.rows()) {
            let what = format!("rows of the test `{}`, which names row {row}", custom.name);
            return Err(DataError::Length { what, expected: table.rows(), found: row + 1 }.into());
        }
        let observed = format!("{} of {} rows fail", failed.len(), table.rows());
        return Ok(Ok(Found { failed, judged: (0..table.rows()).collect(), observed, column: None }));
    }
    let name = match rule {
        Rule::NotNull { column }
        | Rule::Between { column, .. }
        | Rule::InSet { column, .. }
        | Rule::Unique { column }
        | Rule::Matches { column, .. }
        | Rule::Increasing { column, .. } => column,
        _ => return Ok(Err("nothing to judge".into())),
    };
    let column = match table.column(name) {
        Ok(column) => column,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let keys = levels(column);
    let rows = keys.len();
    let present: Vec<usize> = (0..rows).filter(|&row| keys[row] != MISSING_LEVEL).collect();
    let of_present = |good: &dyn Fn(usize) -> bool, what: &str| {
        let failed: Vec<usize> = present.iter().copied().filter(|&row| !good(row)).collect();
        let observed = format!("{} of {} values are {what}", failed.len(), present.len());
        Found { failed, judged: present.clone(), observed, column: Some(column) }
    };
    let found = match rule {
        Rule::NotNull { .. } => {
            let failed: Vec<usize> = (0..rows).filter(|&row| keys[row] == MISSING_LEVEL).collect();
            let observed = format!("{} of {rows} values are missing", failed.len());
            Found { failed, judged: (0..rows).collect(), observed, column: Some(column) }
        }
        Rule::Between { least, most, .. } => {
            let values = match column.as_numbers() {
                Ok(values) => values,
                Err(error) => return Ok(Err(error.to_string())),
            };
            of_present(&|row| (*least..=*most).contains(&values[row]), "outside")
        }
        Rule::InSet { set, .. } => {
            let set: BTreeSet<&str> = set.iter().map(String::as_str).collect();
            of_present(&|row| cell_text(column, row).is_some_and(|text| set.contains(text.as_str())), "others")
        }
        Rule::Matches { pattern, .. } => {
            let pattern = compiled(pattern)?;
            of_present(&|row| cell_text(column, row).is_some_and(|text| pattern.is_match(&text)), "different")
        }
        Rule::Unique { .. } => {
            let mut sorted: Vec<u64> = present.iter().map(|&row| keys[row]).collect();
            sorted.sort_unstable();
            let times = |key: u64| sorted.partition_point(|&k| k <= key) - sorted.partition_point(|&k| k < key);
            of_present(&|row| times(keys[row]) == 1, "not unique")
        }
        Rule::Increasing { strictly, .. } => {
            let order: Box<dyn Fn(usize, usize) -> std::cmp::Ordering> = match column {
                Column::Number(v) => Box::new(|a, b| v[a].partial_cmp(&v[b]).unwrap_or(std::cmp::Ordering::Equal)),
                Column::Timestamp(v) => Box::new(|a, b| v[a].cmp(&v[b])),
                other => return Ok(Err(format!("is a {}, which has no order", other.kind()))),
            };
            let good = |pair: &[usize]| {
                let order = order(pair[0], pair[1]);
                if *strictly { order.is_lt() } else { order.is_le() }
            };
            let failed: Vec<usize> = present.windows(2).filter(|pair| !good(pair)).map(|pair| pair[1]).collect();
            let judged: Vec<usize> = present.iter().copied().skip(1).collect();
            let observed = format!("{} of {} steps are not", failed.len(), judged.len());
            Found { failed, judged, observed, column: Some(column) }
        }
        _ => return Ok(Err("nothing to judge".into())),
    };
    Ok(Ok(found))
}

fn numbers<'a>(table: &'a Table, column: &str) -> Result<&'a [f64], String> {
    table.column(column).and_then(Column::as_numbers).map_err(|e| e.to_string())
}

fn latest(table: &Table, column: &str) -> Result<Option<i64>, String> {
    match table.column(column).map_err(|e| e.to_string())? {
        Column::Timestamp(times) => Ok(times.iter().copied().filter(|&t| t != MISSING_TIME).max()),
        other => Err(SchemaError::WrongKind { expected: Kind::Timestamp, found: other.kind() }.to_string()),
    }
}

fn age_text(micros: i128) -> String {
    let hours = number(micros.unsigned_abs() as f64 / 3.6e9);
    if micros < 0 { format!("{hours} hours in the future") } else { format!("{hours} hours old") }
}

/// Whole rows, for tests that are about no column: the first few values.
fn rows_shown(table: &Table, rows: &[usize]) -> Vec<Sample> {
    const CELLS: usize = 4;
    let text = |row: usize| {
        let cell = |(name, column): (String, &Column)| format!("{name} = {}", shown(column, row));
        table.schema().names().into_iter().zip(table.columns()).take(CELLS).map(cell).collect::<Vec<_>>().join(", ")
    };
    rows.iter().take(crate::check::SAMPLES).map(|&row| Sample { row, value: text(row) }).collect()
}

pub(super) fn compiled(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|e| SchemaError::BadPattern { pattern: pattern.into(), reason: e.to_string() }.into())
}

pub(super) fn name(rule: &Rule) -> String {
    match rule {
        Rule::NotNull { column } => format!("`{column}` has a value"),
        Rule::Between { column, least, most } => format!("`{column}` is {} to {}", number(*least), number(*most)),
        Rule::InSet { column, set } => format!("`{column}` is one of {}", names_text(set)),
        Rule::Unique { column } => format!("`{column}` is unique"),
        Rule::Matches { column, pattern } => format!("`{column}` matches `{pattern}`"),
        Rule::Increasing { column, strictly: false } => format!("`{column}` does not fall"),
        Rule::Increasing { column, strictly: true } => format!("`{column}` rises"),
        Rule::Sum { column, least, most } => {
            format!("the sum of `{column}` is {} to {}", number(*least), number(*most))
        }
        Rule::Fresh { column, within, .. } => {
            format!("`{column}` is at most {} hours old", number(within.as_secs_f64() / 3600.0))
        }
        Rule::Rows { least, most: u64::MAX } => format!("at least {least} rows"),
        Rule::Rows { least, most } => format!("{least} to {most} rows"),
        Rule::Columns { names } => format!("the columns {}", names_text(names)),
        Rule::Custom(custom) => custom.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::Expectations;
    use stagewise_core::exhibit::Exhibit;

    const HOUR: i64 = 3_600_000_000;

    fn table() -> Table {
        Table::of([
            ("x", Column::numbers([1.0, 2.0, 2.0, f64::NAN, f64::INFINITY])),
            ("c", Column::categories([Some("a1"), Some("b"), None, Some("a1"), Some("a22")])),
            ("t", Column::timestamps([0, HOUR, HOUR, MISSING_TIME, 0])),
            ("f", Column::flags([Some(true), None, Some(false), Some(true), None])),
        ])
        .unwrap()
    }

    fn one(expectation: Expectation) -> (f64, Condition, Vec<usize>) {
        let report = Expectations::new().expect(expectation).check(&table()).unwrap();
        let judged = &report.results[0];
        assert_eq!(report.passed(), judged.condition != Condition::Fail);
        (judged.share, judged.condition, judged.samples.iter().map(|s| s.row).collect())
    }

    #[test]
    fn rows_are_judged_by_their_values() {
        use Condition::{Fail, Pass};
        assert_eq!(one(Expectation::not_null("x")), (0.8, Fail, vec![3]));
        assert_eq!(one(Expectation::not_null("x").mostly(0.8)), (0.8, Pass, vec![3]));
        assert_eq!(one(Expectation::between("x", 1.5, 9.0)), (0.5, Fail, vec![0, 4]));
        assert_eq!(one(Expectation::between("x", 1.0, f64::INFINITY)), (1.0, Pass, vec![]));
        assert_eq!(one(Expectation::in_set("c", ["a1", "b"])), (0.75, Fail, vec![4]));
        assert_eq!(one(Expectation::in_set("x", ["1", "2", "inf"])), (1.0, Pass, vec![]));
        assert_eq!(one(Expectation::in_set("f", ["true"])), (1.0 - 1.0 / 3.0, Fail, vec![2]));
        assert_eq!(one(Expectation::matches("c", "^a[0-9]$")), (0.5, Fail, vec![1, 4]));
        assert_eq!(one(Expectation::unique("x")), (0.5, Fail, vec![1, 2]));
        assert_eq!(one(Expectation::increasing("t")), (1.0 - 1.0 / 3.0, Fail, vec![4]));
        assert_eq!(one(Expectation::strictly_increasing("x")), (1.0 - 1.0 / 3.0, Fail, vec![2]));
    }

    #[test]
    fn tables_are_judged_as_a_whole() {
        use Condition::{Fail, Pass, Warn};
        let day = Duration::from_secs(86_400);
        for (expectation, condition) in [
            (Expectation::rows(5, 5), Pass),
            (Expectation::rows(6, u64::MAX), Fail),
            (Expectation::rows(6, u64::MAX).warn(0.0), Warn),
            (Expectation::columns(["x", "c"]), Pass),
            (Expectation::columns(["x", "z"]), Fail),
            (Expectation::sum_between("x", 0.0, 5.0), Fail),
            (Expectation::fresh("t", 25 * HOUR, day), Pass),
            (Expectation::fresh("t", 26 * HOUR, day), Fail),
            (Expectation::fresh("t", 0, day), Fail),
            (Expectation::increasing("c"), Fail),
            (Expectation::between("c", 0.0, 1.0), Fail),
            (Expectation::not_null("z"), Fail),
        ] {
            assert_eq!(one(expectation.clone()).1, condition, "{expectation:?}");
        }
        let numbers = Table::of([("x", Column::numbers([0.1; 10]))]).unwrap();
        let sum = Expectations::new().expect(Expectation::sum_between("x", 1.0, 1.0)).check(&numbers).unwrap();
        assert_eq!(sum.results[0].observed, "1");
    }

    #[test]
    fn no_rows_keep_to_everything_about_rows() {
        let table = Table::of([("x", Column::numbers(vec![]))]).unwrap();
        let list = [Expectation::not_null("x"), Expectation::unique("x"), Expectation::increasing("x")];
        let report = list.into_iter().fold(Expectations::new(), Expectations::expect).check(&table).unwrap();
        assert!(report.results.iter().all(|r| r.share == 1.0 && r.condition == Condition::Pass));
    }

    #[test]
    fn shares_are_of_weight_if_asked_and_counts_stay_rows() {
        let of = |weights: [f64; 4]| {
            let columns = [("x", Column::numbers([1.0, f64::NAN, 3.0, 9.0])), ("w", Column::numbers(weights))];
            let table = Table::of(columns).unwrap();
            let list = [Expectation::not_null("x"), Expectation::between("x", 0.0, 5.0), Expectation::rows(4, 4)];
            list.into_iter().fold(Expectations::new().weighted_by("w"), Expectations::expect).check(&table)
        };
        let shares = |weights| of(weights).unwrap().results.iter().map(|r| r.share).collect::<Vec<_>>();
        assert_eq!(shares([1.0; 4]), [0.75, 1.0 - 1.0 / 3.0, 1.0]);
        assert_eq!(shares([2.0, 1.0, 1.0, 0.0]), [0.75, 1.0, 1.0]);
        assert_eq!(shares([f64::MAX, 0.0, f64::MAX, f64::MAX]), [1.0, 1.0 - 1.0 / 3.0, 1.0]);
        assert_eq!(shares([0.0; 4]), [1.0; 3]);
        assert_eq!(of([2.0, 1.0, 1.0, 0.0]).unwrap().results[1].failed_rows, 1);
        let error = of([1.0, 1.0, -1.0, 1.0]).unwrap_err().to_string();
        assert_eq!(error, "column `w`: weights must be finite and not negative, row 2 has -1");
    }

    #[test]
    fn what_no_table_can_keep_to_is_an_error() {
        for (expectation, needle) in [
            (Expectation::matches("c", "("), "not a regular expression"),
            (Expectation::between("x", 2.0, 1.0), "`least` is 2"),
            (Expectation::between("x", f64::NAN, 1.0), "`least` is NaN"),
            (Expectation::rows(2, 1), "`least` is 2"),
            (Expectation::not_null("x").mostly(1.1), "`mostly` is 1.1"),
            (Expectation::custom("beyond", |_: &Table| Ok(vec![7])), "step `beyond`"),
        ] {
            let error = Expectations::new().expect(expectation).check(&table()).unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
        }
    }

    #[test]
    fn a_list_is_saved_whole_or_not_at_all() {
        let list = Expectations::new().expect(Expectation::in_set("c", ["a"]).mostly(0.5));
        let saved = stagewise_core::persist::Saved::of(&list).unwrap();
        assert_eq!(saved.load::<Expectations>().unwrap(), list);
        let code = list.expect(Expectation::custom("mine", |_: &Table| Ok(vec![2])));
        assert!(stagewise_core::persist::Saved::of(&code).is_err());
        let report = code.check(&table()).unwrap();
        assert_eq!(report.results[1].samples[0].value, "x = 2, c = missing, t = 1970-01-01T01:00:00, f = false");
        assert_eq!(report.exhibit().blocks.len(), 3);
    }
}
