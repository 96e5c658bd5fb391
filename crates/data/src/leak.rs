//! Columns that say too much about the target: what is known only after the outcome, or is the outcome by another
//! name.
//!
//! One column at a time, over all rows: a look at the data, no estimate of what a model would gain. A true strong
//! feature can be named too; a person decides.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use stagewise_core::column::{Column, MISSING_CODE, MISSING_TIME};
use stagewise_core::error::Result;
use stagewise_core::schema::Role;
use stagewise_core::table::Table;
use stagewise_numeric::rank::order;
use stagewise_numeric::sum::exact_sum_by;

use crate::task::{TaskKind, detect_task};

/// A number whose correlation with a numeric target exceeds this, in absolute value, is named.
pub const CORRELATION: f64 = 0.95;

/// A column that alone explains at least this share of the errors of the constant answer is named.
pub const EXPLAINED: f64 = 0.95;

/// Fewer rows say nothing.
pub const LEAST_ROWS: usize = 20;

/// Levels that hold fewer rows than this on average explain a target by chance.
pub const ROWS_PER_LEVEL: usize = 5;

/// A column that says (almost) all about the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Leak {
    /// The column.
    pub column: String,
    /// How much it says: the absolute correlation, or the share of errors explained.
    pub strength: f64,
    /// The finding, for people.
    pub why: String,
}

/// The feature columns that alone (almost) tell the target, in the table's order.
///
/// For a numeric target: `|Pearson correlation| > 0.95` over the rows where both are present. For classes: with `e`
/// the error rate of always saying the most frequent class and `e'` that of saying the most frequent class per level
/// (or per side of the best threshold of a number), `1 − e'/e ≥ 0.95`. Missing is a level, or for numbers a side of
/// its own. Rows without a target do not count. `O(columns · rows · log rows)`.
///
/// ```
/// use stagewise_core::column::Column;
/// use stagewise_core::table::Table;
/// use stagewise_data::leak::leaks;
///
/// let y: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
/// let doubled: Vec<f64> = y.iter().map(|y| 2.0 * y).collect();
/// let table = Table::of([("x", Column::numbers(doubled)), ("y", Column::numbers(y))])?;
/// assert_eq!(leaks(&table, "y")?[0].column, "x");
/// # Ok::<(), stagewise_core::Error>(())
/// ```
///
/// # Errors
/// As [`detect_task`].
pub fn leaks(table: &Table, target: &str) -> Result<Vec<Leak>> {
    let task = detect_task(table, target)?;
    let column = table.column(target)?;
    let rows: Vec<usize> = {
        let keys = levels(column);
        (0..table.rows()).filter(|&row| keys[row] != MISSING_LEVEL).collect()
    };
    if rows.len() < LEAST_ROWS {
        return Ok(Vec::new());
    }
    let truth = column.take(&rows);
    let fields = table.schema().fields();
    let candidates: Vec<usize> =
        (0..fields.len()).filter(|&i| matches!(fields[i].role, Role::Feature) && *fields[i].name != *target).collect();
    let strength = |i: usize| {
        let feature = table.columns()[i].take(&rows);
        match task {
            TaskKind::Regression { .. } => correlated(&feature, &truth),
            _ => explained(&feature, &dense(&levels(&truth))),
        }
        .map(|(strength, why)| Leak { column: fields[i].name.to_string(), strength, why })
    };
    Ok(candidates.into_par_iter().filter_map(strength).collect())
}

fn correlated(feature: &Column, target: &Column) -> Option<(f64, String)> {
    let (x, y) = (feature.as_numbers().ok()?, target.as_numbers().ok()?);
    let r = pearson(x, y).filter(|r| r.abs() > CORRELATION)?;
    Some((r.abs(), format!("its correlation with the target is {r:.3}")))
}

/// Pearson's correlation over the rows where both are finite; `None` for fewer than 20 such rows or a constant side.
pub(crate) fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let pairs: Vec<(f64, f64)> =
        x.iter().zip(y).filter(|(a, b)| a.is_finite() && b.is_finite()).map(|(a, b)| (*a, *b)).collect();
    let n = pairs.len();
    if n < LEAST_ROWS {
        return None;
    }
    let mean = |side: fn(&(f64, f64)) -> f64| exact_sum_by(n, |i| side(&pairs[i])) / n as f64;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    // Scaled to at most one, so that no square leaves the range of f64.
    let scale = |side: fn(&(f64, f64)) -> f64, m: f64| pairs.iter().map(|p| (side(p) - m).abs()).fold(0.0, f64::max);
    let (sx, sy) = (scale(|p| p.0, mx), scale(|p| p.1, my));
    if !(sx > 0.0 && sy > 0.0 && sx.is_finite() && sy.is_finite()) {
        return None;
    }
    let centred = |i: usize| ((pairs[i].0 - mx) / sx, (pairs[i].1 - my) / sy);
    let product = exact_sum_by(n, |i| centred(i).0 * centred(i).1);
    let squares = exact_sum_by(n, |i| centred(i).0.powi(2)) * exact_sum_by(n, |i| centred(i).1.powi(2));
    let r = product / squares.sqrt();
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// The share of the constant answer's errors that one column explains.
fn explained(feature: &Column, truth: &[usize]) -> Option<(f64, String)> {
    let classes = truth.iter().max()? + 1;
    let mut counts = vec![0_usize; classes];
    truth.iter().for_each(|&class| counts[class] += 1);
    let wrong = truth.len() - counts.iter().max()?;
    if wrong == 0 {
        return None;
    }
    let share = |right: usize| 1.0 - (truth.len() - right) as f64 / wrong as f64;
    let (strength, how) = match feature {
        Column::Number(values) => {
            let (right, threshold) = best_threshold(values, truth, classes);
            (share(right), format!("a single threshold at {}", stagewise_core::exhibit::number(threshold)))
        }
        other => {
            let levels = dense(&levels(other));
            let count = levels.iter().max()? + 1;
            if count * ROWS_PER_LEVEL > truth.len() {
                return None;
            }
            let mut table = vec![0_usize; count * classes];
            levels.iter().zip(truth).for_each(|(&level, &class)| table[level * classes + class] += 1);
            let right = table.chunks(classes).filter_map(|row| row.iter().max()).sum();
            (share(right), format!("its {count} levels"))
        }
    };
    let why = || {
        format!(
            "{how} explain{} {:.1} % of what is to be predicted",
            if how.starts_with('a') { "s" } else { "" },
            100.0 * strength
        )
    };
    (strength >= EXPLAINED).then(|| (strength, why()))
}

/// How many rows are right if the most frequent class is said on each side of the best threshold, and the threshold:
/// the least value of the upper side. Missing values are a side of their own.
fn best_threshold(values: &[f64], truth: &[usize], classes: usize) -> (usize, f64) {
    let mut sides = [vec![0_usize; classes], vec![0; classes], vec![0; classes]];
    for (x, &class) in values.iter().zip(truth) {
        sides[if x.is_nan() { 2 } else { 1 }][class] += 1;
    }
    let most = |counts: &[usize]| counts.iter().max().copied().unwrap_or(0);
    let missing = most(&sides[2]);
    let mut best = (most(&sides[1]) + missing, f64::NEG_INFINITY);
    let order: Vec<usize> = order(values).into_iter().filter(|&row| !values[row].is_nan()).collect();
    for pair in order.windows(2) {
        let class = truth[pair[0]];
        sides[0][class] += 1;
        sides[1][class] -= 1;
        if values[pair[0]] < values[pair[1]] {
            let right = most(&sides[0]) + most(&sides[1]) + missing;
            if right > best.0 {
                best = (right, values[pair[1]]);
            }
        }
    }
    best
}

pub(crate) const MISSING_LEVEL: u64 = u64::MAX;

/// A key per value: equal keys, equal values. `MISSING_LEVEL` is missing.
pub(crate) fn levels(column: &Column) -> Vec<u64> {
    match column {
        Column::Number(v) => v.iter().map(|x| if x.is_nan() { MISSING_LEVEL } else { (x + 0.0).to_bits() }).collect(),
        Column::Category { codes, .. } => {
            codes.iter().map(|&c| if c == MISSING_CODE { MISSING_LEVEL } else { u64::from(c) }).collect()
        }
        Column::Flag(v) => v.iter().map(|f| f.map_or(MISSING_LEVEL, u64::from)).collect(),
        // Turned so that the missing time, and no other, is the missing level.
        Column::Timestamp(v) => v.iter().map(|&t| t.wrapping_sub(MISSING_TIME).wrapping_sub(1) as u64).collect(),
        Column::Text(v) => {
            let known: BTreeSet<&str> = v.iter().filter_map(|t| t.as_deref()).collect();
            let places: BTreeMap<&str, u64> = known.into_iter().zip(0..).collect();
            v.iter().map(|t| t.as_deref().and_then(|t| places.get(t).copied()).unwrap_or(MISSING_LEVEL)).collect()
        }
        other => vec![MISSING_LEVEL; other.len()],
    }
}

/// Keys numbered from zero, in ascending order.
pub(crate) fn dense(keys: &[u64]) -> Vec<usize> {
    let mut known = keys.to_vec();
    known.sort_unstable();
    known.dedup();
    keys.iter().map(|key| known.partition_point(|k| k < key)).collect()
}

/// How many different values a column has; missing is none.
pub(crate) fn distinct(column: &Column) -> usize {
    let mut keys = levels(column);
    keys.retain(|&key| key != MISSING_LEVEL);
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_is_pearsons() {
        // By exact fractions: 31200 / √(1300 · Σ(i² − 196)²) for i below 25.
        let x: Vec<f64> = (0..25).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| x * x).collect();
        assert!((pearson(&x, &y).unwrap() - 0.965_890_576_832_590_3).abs() < 1e-14, "{:?}", pearson(&x, &y));
        let large: Vec<f64> = x.iter().map(|x| x * 1e300).collect();
        assert!((pearson(&large, &x).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(pearson(&x, &[1.0; 25]), None);
        assert_eq!(pearson(&x[..19], &y[..19]), None);
    }

    #[test]
    fn what_tells_the_class_is_found_and_what_does_not_is_not() {
        let rows = 200;
        let y: Vec<usize> = (0..rows).map(|i| i * 7 % 3).collect();
        let names = ["a", "b", "c"];
        let noisy = |i: usize| if i % 100 == 3 { "z" } else { names[y[i]] };
        let table = Table::of([
            ("alias", Column::categories((0..rows).map(|i| Some(noisy(i))))),
            ("unrelated", Column::categories((0..rows).map(|i| Some(names[i / 7 % 3])))),
            ("unique", Column::categories((0..rows).map(|_| Some("same")))),
            ("y", Column::categories(y.iter().map(|&c| Some(names[c])))),
        ])
        .unwrap();
        let found = leaks(&table, "y").unwrap();
        assert_eq!(found.iter().map(|l| l.column.as_str()).collect::<Vec<_>>(), ["alias"]);
        assert!(found[0].why.starts_with("its 4 levels explain 9"), "{}", found[0].why);
    }

    #[test]
    fn a_number_tells_a_binary_target_by_one_threshold() {
        let x: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 100)).collect();
        let y: Vec<Option<bool>> = x.iter().map(|&x| Some(x >= 62.0)).collect();
        let table = Table::of([("x", Column::numbers(x.clone())), ("y", Column::flags(y))]).unwrap();
        let found = leaks(&table, "y").unwrap();
        assert_eq!(found[0].why, "a single threshold at 62 explains 100.0 % of what is to be predicted");
        // Known only for events: missing tells the rest.
        let late: Vec<f64> = x.iter().map(|&x| if x >= 62.0 { x } else { f64::NAN }).collect();
        let y: Vec<Option<bool>> = x.iter().map(|&x| Some(x >= 62.0)).collect();
        let table = Table::of([("late", Column::numbers(late)), ("y", Column::flags(y))]).unwrap();
        assert_eq!(leaks(&table, "y").unwrap()[0].strength, 1.0);
        let y: Vec<Option<bool>> = (0..100).map(|i| Some(i % 2 == 0)).collect();
        let table = Table::of([("x", Column::numbers(x)), ("y", Column::flags(y))]).unwrap();
        // `x` is `i · 37 mod 100`: odd where `i` is, which no threshold tells.
        assert_eq!(leaks(&table, "y").unwrap(), []);
    }
}
